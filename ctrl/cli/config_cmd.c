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

int cmd_load(struct cli *cli)
{
	struct json_object *answer = NULL;
	bool check = opt_flag(cli, "--check");
	int rc = opt_rest(cli, 1);

	if (rc != 0)
		return rc;
	if (cli->argc != 1)
		return cli_fail(cli, EXIT_USAGE, "load what?  heddle load FILE");
	struct json_object *in = file_input(cli, cli->argv[0], &rc);
	if (in == NULL)
		return rc;
	if (check)
		json_object_object_add(in, "check", json_object_new_boolean(1));
	rc = api_post(cli, "heddle-system:load", in, &answer);
	return rc != 0 ? rc : report(cli, answer);
}

int cmd_reload(struct cli *cli)
{
	struct json_object *answer = NULL;
	int rc = opt_rest(cli, 0);

	if (rc == 0)
		rc = api_post(cli, "heddle-system:reload", NULL, &answer);
	return rc != 0 ? rc : report(cli, answer);
}

/* A number word of the command line as JSON; false after telling that it is none. */
static bool add_number(struct cli *cli, struct json_object *in, const char *name, const char *word)
{
	char *end;
	unsigned long v = strtoul(word, &end, 10);

	if (*word < '0' || *word > '9' || *end != '\0' || v > 65535) {
		cli_fail(cli, EXIT_USAGE, "%s '%s' is not a number", name, word);
		return false;
	}
	json_object_object_add(in, name, json_object_new_int((int)v));
	return true;
}

int cmd_workers(struct cli *cli)
{
	struct json_object *answer = NULL, *in;
	int rc = opt_rest(cli, 4);

	if (rc != 0)
		return rc;
	if (cli->argc == 1 && strcmp(cli->argv[0], "spread") == 0) {
		rc = api_post(cli, "heddle-system:spread-queues", NULL, &answer);
	} else if (cli->argc == 4 && strcmp(cli->argv[0], "place") == 0) {
		in = json_object_new_object();
		json_object_object_add(in, "interface", json_object_new_string(cli->argv[1]));
		if (!add_number(cli, in, "queue", cli->argv[2]) ||
		    !add_number(cli, in, "worker", cli->argv[3])) {
			json_object_put(in);
			return EXIT_USAGE;
		}
		rc = api_post(cli, "heddle-system:place-queue", in, &answer);
	} else {
		return cli_fail(
			cli, EXIT_USAGE,
			"what about the workers?  heddle workers place INTERFACE QUEUE WORKER, or: "
			"heddle workers spread");
	}
	if (rc != 0)
		return rc;
	if (cli->json && answer != NULL)
		js_print(answer);
	else
		printf("done; see: heddle show workers\n");
	json_object_put(answer);
	return 0;
}

int cmd_diff(struct cli *cli)
{
	struct json_object *answer = NULL, *in = NULL;
	int rc = opt_rest(cli, 2);

	if (rc != 0)
		return rc;
	bool dataplane = cli->argc == 0 ||
			 (cli->argc == 2 && strcmp(cli->argv[0], "running") == 0 &&
			  strcmp(cli->argv[1], "dataplane") == 0);
	if (!dataplane && cli->argc != 1)
		return cli_fail(cli, EXIT_USAGE,
				"diff what?  heddle diff FILE, or: heddle diff running dataplane");
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
