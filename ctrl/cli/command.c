/* SPDX-License-Identifier: BSD-3-Clause
 * From words to a command: find its row, check the words against it, run it. */
#include <stdlib.h>
#include <string.h>

#include "ctrl/cli/cli.h"

/* --- finding ----------------------------------------------------------------------------------- */

/* Word n of a command's name; NULL past its end.  *ret_len: its octets. */
static const char *name_word(const struct cli_command *c, int n, size_t *ret_len)
{
	const char *p = c->name;

	for (; n > 0; n--) {
		p = strchr(p, ' ');
		if (p == NULL)
			return NULL;
		p++;
	}
	*ret_len = strcspn(p, " ");
	return p;
}

/* How the first `n` words of a name compare with words that were found to be whole or unique beginnings. */
static bool same_start(const struct cli_command *c, const struct cli_command *like, int n)
{
	for (int i = 0; i < n; i++) {
		size_t a_len = 0, b_len = 0;
		const char *a = name_word(c, i, &a_len), *b = name_word(like, i, &b_len);
		if (a == NULL || b == NULL || a_len != b_len || strncmp(a, b, a_len) != 0)
			return false;
	}
	return true;
}

static bool ends_at(const struct cli_command *c, int n)
{
	size_t len = 0;

	return name_word(c, n, &len) == NULL;
}

/* Is there no command before it in the tables with the same n words? */
static bool is_first(const struct cli_command *c, int n)
{
	cli_foreach(e)
	{
		if (e == c)
			return true;
		if (same_start(e, c, n))
			return false;
	}
	return true;
}

/* Among commands that share their first `n` words with `like` (any, when n is 0): one that continues with this word, or
 * with the only word that begins so.  *ret_same: how many different words begin so. */
static const struct cli_command *next_word(const struct cli_command *like, int n, const char *word,
					   bool whole, int *ret_same)
{
	const struct cli_command *found = NULL;
	size_t len = strlen(word);

	*ret_same = 0;
	cli_foreach(c)
	{
		size_t w_len = 0;
		const char *w = name_word(c, n, &w_len);
		if (w == NULL || (n > 0 && !same_start(c, like, n)) || w_len < len ||
		    strncmp(w, word, len) != 0)
			continue;
		if (w_len == len) {
			*ret_same = 1;
			return c;
		}
		if (whole || c->whole || !is_first(c, n + 1))
			continue;
		found = c;
		++*ret_same;
	}
	return *ret_same == 1 ? found : NULL;
}

void cli_next_words(int n, char **words,
		    void (*fn)(void *arg, const char *word, const struct cli_command *c), void *arg)
{
	const struct cli_command *like = NULL;
	char text[40];
	int same;

	for (int i = 0; i < n; i++) {
		like = next_word(like, i, words[i], false, &same);
		if (like == NULL)
			return;
	}
	cli_foreach(c)
	{
		size_t len = 0;
		const char *w = name_word(c, n, &len);
		if (w == NULL || c->whole || (n > 0 && !same_start(c, like, n)) ||
		    !is_first(c, n + 1))
			continue;
		snprintf(text, sizeof(text), "%.*s", (int)len, w);
		fn(arg, text, ends_at(c, n + 1) ? c : NULL);
	}
}

/* "a, b, c" of the words that can stand at place n. */
static const char *words_at(const struct cli_command *like, int n, const char *start, char *buf,
			    size_t size)
{
	size_t at = 0;

	buf[0] = '\0';
	cli_foreach(c)
	{
		size_t len = 0;
		const char *w = name_word(c, n, &len);
		if (w == NULL || (n > 0 && !same_start(c, like, n)) ||
		    strncmp(w, start, strlen(start)) != 0 || !is_first(c, n + 1))
			continue;
		if (at < size)
			at += (size_t)snprintf(buf + at, size - at, "%s%.*s", at > 0 ? ", " : "",
					       (int)len, w);
	}
	return buf;
}

const struct cli_command *cli_find(struct cli *cli, int argc, char **argv, int *ret_words,
				   bool complain)
{
	const struct cli_command *like = NULL, *whole = NULL, *best = NULL;
	char list[600];
	int n = 0, same;

	*ret_words = 0;
	while (n < argc && argv[n][0] != '\0' && argv[n][0] != '-') {
		/* where a word of the user may stand, a shortened one of ours would be taken for it */
		const struct cli_command *c =
			next_word(like, n, argv[n], whole != NULL && whole->params != NULL, &same);
		if (c == NULL)
			break;
		like = c;
		n++;
		whole = NULL;
		cli_foreach(e) if (same_start(e, like, n) && ends_at(e, n)) whole = e;
		if (whole != NULL) {
			best = like = whole;
			*ret_words = n;
		}
	}
	if (best != NULL || !complain)
		return best;
	if (n < argc && argv[n][0] != '-') {
		next_word(like, n, argv[n], false, &same);
		if (same > 1)
			cli_fail(cli, EXIT_USAGE, "'%s' may be %s: say more of it", argv[n],
				 words_at(like, n, argv[n], list, sizeof(list)));
		else if (n == 0)
			cli_fail(cli, EXIT_USAGE,
				 "unknown command '%s'; heddle --help lists them all", argv[n]);
		else
			cli_fail(cli, EXIT_USAGE, "%s %s: there is no such thing; there are: %s",
				 argv[n - 1], argv[n], words_at(like, n, "", list, sizeof(list)));
		return NULL;
	}
	if (n > 0)
		cli_fail(cli, EXIT_USAGE, "%s what?  One of: %s", argv[n - 1],
			 words_at(like, n, "", list, sizeof(list)));
	else
		cli_fail(cli, EXIT_USAGE, "unknown option '%s'; heddle --help lists them all",
			 argc > 0 ? argv[0] : "");
	return NULL;
}

/* --- checking ----------------------------------------------------------------------------------- */

bool cli_param_is(const struct cli_param *p, const char *name)
{
	size_t len = strlen(name);

	for (const char *w = p->name; w[0] == '-'; w += strspn(w, ", ")) {
		size_t n = strcspn(w, ",");
		if (n == len && strncmp(w, name, n) == 0)
			return true;
		w += n;
	}
	return false;
}

bool cli_param_optional(const struct cli_param *p)
{
	return p->name[0] == '[';
}

bool cli_param_rest(const struct cli_param *p)
{
	return strstr(p->name, "...") != NULL;
}

static int check_value(struct cli *cli, const struct cli_param *p, const char *name,
		       const char *value)
{
	char *end;

	if (p->value != NULL && strchr(p->value, '|') != NULL) {
		size_t len = strlen(value);
		for (const char *w = p->value; *w != '\0'; w += strspn(w, "|[]")) {
			size_t n = strcspn(w, "|[]");
			if (n == len && strncmp(w, value, n) == 0)
				return 0;
			w += n;
		}
		return cli_fail(cli, EXIT_USAGE, "%s is one of %s, not '%s'", name, p->value,
				value);
	}
	if (p->kind == CLI_NUMBER) {
		strtoull(value, &end, 10);
		if (value[0] < '0' || value[0] > '9' || *end != '\0' || strlen(value) > 19)
			return cli_fail(cli, EXIT_USAGE, "%s is a number, not '%s'", name, value);
	}
	if (p->kind == CLI_SECONDS && (!(strtod(value, &end) > 0) || *end != '\0'))
		return cli_fail(cli, EXIT_USAGE, "%s is a positive number of seconds, not '%s'",
				name, value);
	return 0;
}

static bool looks_right(const struct cli_param *p, const char *word)
{
	char *end;

	if (p->kind == CLI_NUMBER || p->kind == CLI_SECONDS)
		return strtod(word, &end) >= 0 && *end == '\0' && end != word;
	return word[0] != '-';
}

static int unknown_option(struct cli *cli, const char *word)
{
	char list[500] = "--json, --socket, --help";
	size_t at = strlen(list);

	for (const struct cli_param *p = cli->cmd->params; p != NULL && p->name != NULL; p++)
		if (p->name[0] == '-' && at < sizeof(list))
			at += (size_t)snprintf(list + at, sizeof(list) - at, ", %s", p->name);
	return cli_fail(cli, EXIT_USAGE, "heddle %s has no option '%s'; it has: %s", cli->cmd->name,
			word, list);
}

/* "--name", "--name VALUE" or "--name=VALUE" at argv[*at], which moves past it. */
static int take_option(struct cli *cli, int argc, char **argv, int *at)
{
	char *word = argv[*at], *eq = strchr(word, '=');
	char name[64];

	snprintf(name, sizeof(name), "%.*s", eq != NULL ? (int)(eq - word) : 63, word);
	const struct cli_param *p = cli->cmd->params;
	while (p != NULL && p->name != NULL && !cli_param_is(p, name))
		p++;
	if (p == NULL || p->name == NULL)
		return unknown_option(cli, word);
	const char *value = eq != NULL ? eq + 1 : "";
	if (p->value == NULL && eq != NULL)
		return cli_fail(cli, EXIT_USAGE, "%s takes no value", name);
	++*at;
	if (p->value != NULL && eq == NULL) {
		bool may = p->value[0] == '[';
		if (*at < argc && (!may || looks_right(p, argv[*at])))
			value = argv[(*at)++];
		else if (!may)
			return cli_fail(cli, EXIT_USAGE, "%s needs %s: %s", name, p->value,
					p->what);
	}
	cli->opt[p - cli->cmd->params] = value;
	return value[0] != '\0' || eq != NULL ? check_value(cli, p, name, value) : 0;
}

static int check_words(struct cli *cli)
{
	const struct cli_param *p = cli->cmd->params;
	int n = 0;

	for (; p != NULL && p->name != NULL; p++) {
		if (p->name[0] == '-')
			continue;
		if (n >= cli->argc && !cli_param_optional(p))
			return cli_fail(cli, EXIT_USAGE, "heddle %s needs %s: %s; like: %s",
					cli->cmd->name, p->name, p->what, cli->cmd->examples[0]);
		do {
			int rc = n < cli->argc ? check_value(cli, p, p->name, cli->argv[n]) : 0;
			if (rc != 0)
				return rc;
			n++;
		} while (cli_param_rest(p) && n < cli->argc);
	}
	if (n < cli->argc)
		return cli_fail(cli, EXIT_USAGE, "unexpected '%s'; like: %s", cli->argv[n],
				cli->cmd->examples[0]);
	return 0;
}

/* --- running ------------------------------------------------------------------------------------ */

/* Options of all commands, out of the words.  A command whose last word is another command leaves that one's alone. */
static int take_common(struct cli *cli, int *argc, char **argv, bool *ret_help)
{
	int n = 0;

	for (int i = 0; i < *argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			while (i < *argc)
				argv[n++] = argv[i++];
		} else if (strcmp(argv[i], "--json") == 0) {
			cli->json = true;
		} else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			*ret_help = true;
		} else if (strncmp(argv[i], "--socket=", 9) == 0) {
			cli->socket = argv[i] + 9;
		} else if (strcmp(argv[i], "--socket") == 0) {
			if (++i >= *argc)
				return cli_fail(cli, EXIT_USAGE, "--socket needs PATH");
			cli->socket = argv[i];
		} else {
			argv[n++] = argv[i];
		}
	}
	*argc = n;
	return 0;
}

int cli_run(struct cli *cli, int argc, char **argv)
{
	bool help = false, only_words = false;
	int words, rc = take_common(cli, &argc, argv, &help);

	if (rc != 0)
		return rc;
	if (argc == 0 && help) {
		help_all(stdout);
		return 0;
	}
	/* without a command, or with what says where commands come from, it is the shell */
	if (argc == 0 || strcmp(argv[0], "-f") == 0 || strcmp(argv[0], "-e") == 0) {
		char *shell[] = { (char[]){ "shell" } };
		cli->cmd = cli_find(cli, 1, shell, &words, true);
		words = 0;
	} else {
		cli->cmd = cli_find(cli, argc, argv, &words, !help);
	}
	if (cli->cmd == NULL && help) {
		char text[200] = "";
		for (int i = 0, at = 0; i < argc && at < (int)sizeof(text); i++)
			at += snprintf(text + at, sizeof(text) - (size_t)at, "%s%s",
				       i > 0 ? " " : "", argv[i]);
		help_some(stdout, text);
		return 0;
	}
	if (cli->cmd == NULL)
		return EXIT_USAGE;
	if (help) {
		help_one(stdout, cli->cmd);
		return 0;
	}
	memset(cli->opt, 0, sizeof(cli->opt));
	cli->argv = argv;
	cli->argc = 0;
	for (int i = words; i < argc;) {
		if (!only_words && strcmp(argv[i], "--") == 0) {
			only_words = true;
			i++;
		} else if (!only_words && argv[i][0] == '-' && argv[i][1] != '\0') {
			rc = take_option(cli, argc, argv, &i);
			if (rc != 0)
				return rc;
		} else {
			argv[cli->argc++] = argv[i++];
		}
	}
	rc = check_words(cli);
	return rc != 0 ? rc : cli->cmd->run(cli);
}

const char *opt_value(const struct cli *cli, const char *name)
{
	const struct cli_param *p = cli->cmd->params;

	while (p->name != NULL && !cli_param_is(p, name))
		p++;
	if (p->name == NULL)
		abort(); /* the code asks for an option that its row does not have */
	return cli->opt[p - cli->cmd->params];
}

bool opt_flag(const struct cli *cli, const char *name)
{
	return opt_value(cli, name) != NULL;
}

uint64_t opt_number(const struct cli *cli, const char *name, uint64_t otherwise)
{
	const char *text = opt_value(cli, name);

	return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}
