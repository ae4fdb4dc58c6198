/* SPDX-License-Identifier: BSD-3-Clause
 * Files into what runs, versions, differences. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cli/cli.h"
#include "ctrl/file.h"

struct json_object *config_file_input(struct cli *cli, const char *path, int *status)
{
	char real[PATH_MAX], *text;
	size_t len;
	bool in = strcmp(path, "-") == 0;

	int rc = file_read(in ? "/dev/stdin" : path, 64u << 20, &text, &len);
	if (rc < 0) {
		*status = cli_fail(cli, EXIT_ERROR, "%s: %s", path,
				   rc == -EFBIG ? "larger than 64 MB" : strerror(-rc));
		return NULL;
	}
	/* JSON cannot carry NUL.  About what is not UTF-8 the loader complains, with the line. */
	if (memchr(text, '\0', len) != NULL) {
		free(text);
		*status = cli_fail(cli, EXIT_ERROR, "%s: not a text file: it has NUL octets", path);
		return NULL;
	}
	struct json_object *o = json_object_new_object();
	json_object_object_add(o, "config", json_object_new_string_len(text, (int)len));
	json_object_object_add(o, "file",
			       json_object_new_string(in                           ? "stdin" :
						      realpath(path, real) != NULL ? real :
										     path));
	free(text);
	return o;
}

int config_report(struct cli *cli, struct json_object *answer)
{
	struct json_object *o = js_inner(answer);

	if (cli->json)
		js_print(answer);
	else if (strcmp(js_str(o, "state"), "unchanged") == 0)
		printf("%s (revision %s)\n", js_str(o, "text"), js_str(o, "revision"));
	else if (js_u64(o, "set") + js_u64(o, "deleted") == 0)
		printf("%s: revision %s\n", js_str(o, "text"), js_str(o, "revision"));
	else
		printf("%s: revision %s, %s objects set, %s deleted\n", js_str(o, "text"),
		       js_str(o, "revision"), js_str(o, "set"), js_str(o, "deleted"));
	json_object_put(answer);
	return 0;
}

/* Options that say how a version comes into force. */
static void add_commit(struct cli *cli, struct json_object *in)
{
	js_add(in, "comment", opt_value(cli, "--comment"));
	if (opt_value(cli, "--confirmed") != NULL)
		json_object_object_add(
			in, "confirmed",
			json_object_new_int64((int64_t)opt_number(cli, "--confirmed", 0)));
}

static int cmd_load(struct cli *cli)
{
	struct json_object *answer = NULL;
	int rc;

	struct json_object *in = config_file_input(cli, cli->argv[0], &rc);
	if (in == NULL)
		return rc;
	if (opt_flag(cli, "--check"))
		json_object_object_add(in, "check", json_object_new_boolean(1));
	if (opt_flag(cli, "--candidate"))
		json_object_object_add(in, "candidate", json_object_new_boolean(1));
	add_commit(cli, in);
	rc = api_post(cli, "heddle-system:load", in, &answer);
	return rc != 0 ? rc : config_report(cli, answer);
}

static int cmd_rollback(struct cli *cli)
{
	struct json_object *answer = NULL, *in = json_object_new_object();

	json_object_object_add(in, "revision",
			       json_object_new_int64(strtoll(cli->argv[0], NULL, 10)));
	add_commit(cli, in);
	int rc = api_post(cli, "heddle-system:rollback", in, &answer);
	return rc != 0 ? rc : config_report(cli, answer);
}

static int cmd_reload(struct cli *cli)
{
	struct json_object *answer = NULL;
	int rc = api_post(cli, "heddle-system:reload", NULL, &answer);

	return rc != 0 ? rc : config_report(cli, answer);
}

/* Print the lines of a diff; takes the answer. */
static int print_diff(struct cli *cli, struct json_object *answer, const char *none)
{
	struct json_object *o = js_inner(answer), *lines = js_get(o, "line");
	bool equal = json_object_get_boolean(js_get(o, "equal"));
	size_t n = lines != NULL ? json_object_array_length(lines) : 0;

	if (cli->json)
		js_print(answer);
	for (size_t i = 0; !cli->json && i < n; i++) {
		const char *line = json_object_get_string(json_object_array_get_idx(lines, i));
		printf("%s%s%s\n",
		       paint(cli, line[0] == '+' ? "32" :
				  line[0] == '-' ? "31" :
						   "33"),
		       line, paint(cli, "0"));
	}
	if (!cli->json && equal)
		printf("%s\n", none);
	json_object_put(answer);
	return equal ? 0 : EXIT_DIFFERENT;
}

static int diff_sides(struct cli *cli, const char *from, const char *to)
{
	struct json_object *answer = NULL, *in = json_object_new_object();

	js_add(in, "from", from);
	js_add(in, "to", to);
	int rc = api_post(cli, "heddle-system:diff", in, &answer);
	return rc != 0 ? rc : print_diff(cli, answer, "no difference");
}

static int cmd_diff(struct cli *cli)
{
	struct json_object *answer = NULL, *in;
	int rc;

	if (cli->argc == 0)
		return diff_sides(cli, "running", "candidate");
	if ((in = config_file_input(cli, cli->argv[0], &rc)) == NULL)
		return rc;
	rc = api_post(cli, "heddle-system:diff", in, &answer);
	return rc != 0 ? rc : print_diff(cli, answer, "no difference");
}

static int cmd_diff_revision(struct cli *cli)
{
	return diff_sides(cli, cli->argv[0], cli->argc > 1 ? cli->argv[1] : "running");
}

static int cmd_diff_dataplane(struct cli *cli)
{
	struct json_object *answer = NULL;
	int rc;

	if (opt_flag(cli, "--repair")) {
		rc = api_post(cli, "heddle-system:repair", NULL, &answer);
		if (rc != 0)
			return rc;
		if (!cli->json) {
			struct json_object *o = js_inner(answer);
			printf("%s objects set, %s deleted\n", js_str(o, "set"),
			       js_str(o, "deleted"));
		}
		json_object_put(answer);
		answer = NULL;
	}
	rc = api_post(cli, "heddle-system:diff", NULL, &answer);
	return rc != 0 ? rc : print_diff(cli, answer, "the data plane holds what is configured");
}

#define COMMIT_OPTIONS                                                                    \
	{ "--comment", "TEXT", CLI_TEXT, "why, for the history" },                        \
	{                                                                                 \
		"--confirmed", "SECONDS", CLI_NUMBER,                                     \
			"it returns to what it was unless 'heddle confirm' comes in time" \
	}

static const struct cli_command commands[] = {
	{ .name = "load",
	  .run = cmd_load,
	  .what = "replace the running configuration; all or nothing",
	  .params =
		  CLI_PARAMS({ "FILE", NULL, CLI_FILE, "YAML or JSON; - is standard input" },
			     { "--check", NULL, CLI_TEXT, "only say whether it would be accepted" },
			     { "--candidate", NULL, CLI_TEXT,
			       "make it the candidate, to be looked at and committed" },
			     COMMIT_OPTIONS),
	  .more = "A file that is wrong changes nothing; the error names its path and line.",
	  .examples = CLI_EXAMPLES("heddle load /etc/heddle/heddle.yaml",
				   "heddle load --check new.yaml") },
	{ .name = "reload",
	  .run = cmd_reload,
	  .what = "let heddle-ctrl read its own configuration file again",
	  .examples = CLI_EXAMPLES("heddle reload") },
	{ .name = "rollback",
	  .run = cmd_rollback,
	  .what = "put an earlier version in force again, as a new revision",
	  .params = CLI_PARAMS({ "REVISION", NULL, CLI_NUMBER, "as heddle history lists them" },
			       COMMIT_OPTIONS),
	  .more = "The 20 versions before the one in force are kept.",
	  .examples = CLI_EXAMPLES("heddle rollback 12",
				   "heddle rollback 12 --comment 'the new routes were wrong'") },
	{ .name = "diff",
	  .run = cmd_diff,
	  .what = "what a commit of the candidate, or a load of FILE, would change",
	  .params = CLI_PARAMS({ "[FILE]", NULL, CLI_FILE,
				 "YAML or JSON; - is standard input  [the candidate]" }),
	  .more = "Exit status 0: no difference; 1: differences, or an error.",
	  .examples = CLI_EXAMPLES("heddle diff", "heddle diff new.yaml") },
	{ .name = "diff revision",
	  .run = cmd_diff_revision,
	  .what = "what differs between two versions",
	  .params = CLI_PARAMS({ "FROM", NULL, CLI_NUMBER, "a revision" },
			       { "[TO]", NULL, CLI_NUMBER, "another  [what runs]" }),
	  .more = "Exit status 0: no difference; 1: differences, or an error.",
	  .examples = CLI_EXAMPLES("heddle diff revision 11", "heddle diff revision 11 12") },
	{ .name = "diff running dataplane",
	  .run = cmd_diff_dataplane,
	  .what = "where the data plane is not as configured",
	  .params = CLI_PARAMS({ "--repair", NULL, CLI_TEXT,
				 "make it so first; what is right already is not touched" }),
	  .more = "Exit status 0: no difference; 1: differences, or an error.",
	  .examples = CLI_EXAMPLES("heddle diff running dataplane",
				   "heddle diff running dataplane --repair") },
	{ .name = NULL },
};

const struct cli_group config_group = { "Configuration", commands };
