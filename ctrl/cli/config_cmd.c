/* SPDX-License-Identifier: BSD-3-Clause
 * load, reload, diff. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cli/cli.h"
#include "ctrl/file.h"

/* {"config": text, "file": name} of a file; NULL and *status set on failure. */
static struct json_object *file_input(struct cli *cli, const char *path, int *status)
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

static int report(struct cli *cli, struct json_object *answer)
{
	struct json_object *o = js_inner(answer);

	if (cli->json)
		js_print(answer);
	else if (strcmp(js_str(o, "state"), "unchanged") == 0)
		printf("%s (revision %s)\n", js_str(o, "text"), js_str(o, "revision"));
	else
		printf("%s: revision %s, %s objects set, %s deleted\n", js_str(o, "text"),
		       js_str(o, "revision"), js_str(o, "set"), js_str(o, "deleted"));
	json_object_put(answer);
	return 0;
}

static int cmd_load(struct cli *cli)
{
	struct json_object *answer = NULL;
	int rc;

	struct json_object *in = file_input(cli, cli->argv[0], &rc);
	if (in == NULL)
		return rc;
	if (opt_flag(cli, "--check"))
		json_object_object_add(in, "check", json_object_new_boolean(1));
	rc = api_post(cli, "heddle-system:load", in, &answer);
	return rc != 0 ? rc : report(cli, answer);
}

static int cmd_reload(struct cli *cli)
{
	struct json_object *answer = NULL;
	int rc = api_post(cli, "heddle-system:reload", NULL, &answer);

	return rc != 0 ? rc : report(cli, answer);
}

static int cmd_diff(struct cli *cli)
{
	struct json_object *answer = NULL, *in = NULL;
	bool dataplane = cli->argc == 0;
	int rc;

	if (!dataplane && (in = file_input(cli, cli->argv[0], &rc)) == NULL)
		return rc;
	rc = api_post(cli, "heddle-system:diff", in, &answer);
	if (rc != 0)
		return rc;
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
		printf(dataplane ? "the data plane holds what is configured\n" : "no difference\n");
	json_object_put(answer);
	return equal ? 0 : EXIT_DIFFERENT;
}

static const struct cli_command commands[] = {
	{ .name = "load",
	  .run = cmd_load,
	  .what = "replace the running configuration; all or nothing",
	  .params = CLI_PARAMS({ "FILE", NULL, CLI_FILE, "YAML or JSON; - is standard input" },
			       { "--check", NULL, CLI_TEXT,
				 "only say whether it would be accepted" }),
	  .more = "A file that is wrong changes nothing; the error names its path and line.",
	  .examples = CLI_EXAMPLES("heddle load /etc/heddle/heddle.yaml",
				   "heddle load --check new.yaml") },
	{ .name = "reload",
	  .run = cmd_reload,
	  .what = "let heddle-ctrl read its own configuration file again",
	  .examples = CLI_EXAMPLES("heddle reload") },
	{ .name = "diff",
	  .run = cmd_diff,
	  .what = "what a load of FILE would change",
	  .params =
		  CLI_PARAMS({ "[FILE]", NULL, CLI_FILE,
			       "YAML or JSON; - is standard input  [as: diff running dataplane]" }),
	  .more = "Exit status 0: no difference; 1: differences, or an error.",
	  .examples = CLI_EXAMPLES("heddle diff new.yaml") },
	{ .name = "diff running dataplane",
	  .run = cmd_diff,
	  .what = "where the data plane is not as configured",
	  .more = "Exit status 0: no difference; 1: differences, or an error.",
	  .examples = CLI_EXAMPLES("heddle diff running dataplane") },
	{ .name = NULL },
};

const struct cli_group config_group = { "Configuration", commands };
