/* SPDX-License-Identifier: BSD-3-Clause
 * The command tables: each row is whole, words find their row, and what does not fit it is refused. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cli/cli.h"

volatile sig_atomic_t cli_interrupted;

static char *page(void (*print)(FILE *out, const struct cli_command *c),
		  const struct cli_command *c)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	print(f, c);
	fclose(f);
	return text;
}

/* The command line in an example names its command and is one that would be taken. */
static void check_example(const struct cli_command *c, const char *example)
{
	size_t len = strlen(c->name);

	const char *at = strstr(example, "heddle ");
	cr_assert_not_null(at, "%s: the example '%s' is no heddle command", c->name, example);
	cr_assert(strncmp(at + 7, c->name, len) == 0 && strchr(" \n", at[7 + len]) != NULL,
		  "%s: the example '%s' shows another command", c->name, example);
	for (const char *p = c->params != NULL ? strstr(at, " --") : NULL; p != NULL;
	     p = strstr(p + 1, " --")) {
		char name[40];
		bool known = false;
		const char *bar = strchr(at, '|');
		if ((bar != NULL && p > bar) || strncmp(p, " -- ", 4) == 0)
			break;
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(p + 1, " ="), p + 1);
		for (const struct cli_param *o = c->params; o->name != NULL; o++)
			known |= cli_param_is(o, name);
		cr_assert(known || strcmp(name, "--json") == 0, "%s: the example has '%s'", c->name,
			  name);
	}
}

Test(cli_commands, each_has_words_an_example_help_and_a_manual_page)
{
	size_t n = 0;

	cli_foreach(c)
	{
		n++;
		cr_assert(c->run != NULL && c->what[0] != '\0', "%s", c->name);
		cr_assert_neq(c->what[strlen(c->what) - 1], '.', "%s: a full stop", c->name);
		cr_assert_not_null(c->examples, "%s has no example", c->name);
		cr_assert_not_null(c->examples[0], "%s has no example", c->name);
		for (const char *const *e = c->examples; *e != NULL; e++)
			check_example(c, *e);
		char *man = page(man_one, c), *help = page(help_one, c);
		static const char *const parts[] = { ".TH ", ".SH NAME", ".SH SYNOPSIS",
						     ".SH DESCRIPTION", ".SH EXAMPLES" };
		for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
			cr_assert_not_null(strstr(man, parts[i]), "%s: no %s", c->name, parts[i]);
		cr_assert_not_null(strstr(help, c->examples[0]), "%s", c->name);
		size_t n_params = 0;
		for (const struct cli_param *p = c->params; p != NULL && p->name != NULL; p++) {
			n_params++;
			cr_assert(p->what != NULL && p->what[0] != '\0', "%s %s", c->name, p->name);
			cr_assert_not_null(strstr(help, p->name), "%s %s", c->name, p->name);
			cr_assert_not_null(strstr(help, p->what), "%s %s", c->name, p->name);
		}
		cr_assert_leq(n_params, CLI_PARAMS_MAX, "%s", c->name);
		free(man);
		free(help);
	}
	cr_assert_gt(n, 15);
}

Test(cli_commands, no_name_is_there_twice)
{
	cli_foreach(a) cli_foreach(b)
		cr_assert(a == b || strcmp(a->name, b->name) != 0, "%s", a->name);
}

static int split(char *text, char **words)
{
	int n = 0;

	for (char *w = strtok(text, " "); w != NULL; w = strtok(NULL, " "))
		words[n++] = w;
	return n;
}

struct find_row {
	char line[48], want[32];
	int words;
};

ParameterizedTestParameters(cli_commands, found)
{
	static struct find_row rows[] = {
		{ "show routes", "show routes", 2 },
		{ "show routes --vrf red", "show routes", 2 },
		{ "sh int", "show interfaces", 2 },
		{ "show n", "show neighbours", 2 },
		{ "show v", "show version", 2 },
		{ "diff", "diff", 1 },
		{ "diff running dataplane", "diff running dataplane", 3 },
		{ "diff running", "diff", 1 }, /* a file of that name */
		{ "diff run dataplane", "diff", 1 },
		{ "lo x.yaml", "load", 1 },
		{ "show", "", 0 },
		{ "show what", "", 0 },
		{ "show ro ro", "show routes", 2 },
		{ "", "", 0 },
		{ "nonsense", "", 0 },
		{ "--count 1", "", 0 },
	};
	return cr_make_param_array(struct find_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct find_row *r, cli_commands, found)
{
	struct cli cli = { .quiet = true };
	char text[48], *argv[8];
	int words = -1;

	snprintf(text, sizeof(text), "%s", r->line);
	int argc = split(text, argv);
	const struct cli_command *c = cli_find(&cli, argc, argv, &words, true);
	cr_assert_str_eq(c != NULL ? c->name : "", r->want, "%s", r->line);
	if (c != NULL)
		cr_assert_eq(words, r->words, "%s: %d words", r->line, words);
}

struct refuse_row {
	char line[64], says[64];
};

ParameterizedTestParameters(cli_commands, refused)
{
	static struct refuse_row rows[] = {
		{ "nonsense", "unknown command 'nonsense'" },
		{ "show", "show what?  One of: interfaces, neighbours, routes" },
		{ "show what", "there is no such thing; there are: interfaces" },
		{ "show si extra", "unexpected 'extra'" },
		{ "show routes --vfr x", "no option '--vfr'; it has: --json" },
		{ "show routes --vrf", "--vrf needs VRF" },
		{ "show graph --dot=3", "--dot takes no value" },
		{ "show routes --watch=-1", "positive number of seconds, not '-1'" },
		{ "load", "heddle load needs FILE" },
		{ "workers place wan x 1", "QUEUE is a number, not 'x'" },
		{ "workers place wan 1", "needs WORKER" },
		{ "trace packets --count=-4", "--count is a number, not '-4'" },
		{ "trace packets --count 99999999999999999999", "is a number" },
		{ "show p -- --json", "unexpected '--json'" },
		{ "show routes --socket", "--socket needs PATH" },
	};
	return cr_make_param_array(struct refuse_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct refuse_row *r, cli_commands, refused)
{
	struct cli cli = { .socket = "/nowhere" };
	char text[64], *argv[8], said[2000] = "";

	snprintf(text, sizeof(text), "%s", r->line);
	int argc = split(text, argv);
	FILE *err = tmpfile();
	cr_assert_not_null(err);
	FILE *was = stderr;
	stderr = err;
	int rc = cli_run(&cli, argc, argv);
	stderr = was;
	rewind(err);
	said[fread(said, 1, sizeof(said) - 1, err)] = '\0';
	cr_assert_eq(rc, EXIT_USAGE, "%s: %d", r->line, rc);
	cr_assert_not_null(strstr(said, r->says), "%s: said '%s'", r->line, said);
}
