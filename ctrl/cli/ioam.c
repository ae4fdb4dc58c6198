/* SPDX-License-Identifier: BSD-3-Clause
 * heddle pm ioam: what in situ OAM tells. */
#include <stdlib.h>
#include <string.h>

#include "ctrl/cli/cli.h"

/* "0x000101:63 > 0x000202:62" */
static void path_text(struct json_object *record, char *buf, size_t size)
{
	struct json_object *nodes = js_get(js_get(record, "trace"), "node");
	size_t n = 0;

	buf[0] = '\0';
	js_foreach(node, nodes)
	{
		int w = snprintf(buf + n, size - n, "%s%s", n != 0 ? " > " : "",
				 js_str(node, "node-id"));

		if (w < 0 || (size_t)w >= size - n)
			return;
		n += (size_t)w;
	}
}

static void print_records(struct cli *cli, struct json_object *state)
{
	static const char *const heads[] = { "TIME",        "NS",   "WHY",       "SOURCE",
					     "DESTINATION", "PATH", ">SEQUENCE", NULL };
	struct table *t = table_new(heads);
	char path[600];

	js_foreach(r, js_get(state, "record"))
	{
		struct json_object *o = json_tokener_parse(js_str(r, "text"));

		path_text(o, path, sizeof(path));
		if (path[0] == '\0')
			snprintf(path, sizeof(path), "%s", js_str(o, "node-id"));
		table_cell(t, "%s", js_str(o, "time"));
		table_cell(t, "%s", js_str(o, "namespace"));
		table_cell(t, "%s", js_str(o, "why"));
		table_cell(t, "%s", js_str(o, "source"));
		table_cell(t, "%s", js_str(o, "destination"));
		table_cell(t, "%s%s", path,
			   strcmp(js_str(js_get(o, "trace"), "overflow"), "true") == 0 ?
				   " (no more room)" :
				   "");
		table_cell(t, "%s", js_str(o, "sequence"));
		json_object_put(o);
	}
	table_print(cli, t);
}

static void print_groups(struct cli *cli, struct json_object *state)
{
	static const char *const heads[] = { "SOURCE", "NS",         ">RECEIVED", ">EXPECTED",
					     ">LOST",  ">REORDERED", ">RESTARTS", NULL };
	struct table *t = table_new(heads);

	js_foreach(g, js_get(state, "group"))
	{
		table_cell(t, "%s", js_str(g, "source-address"));
		table_cell(t, "%s", js_str(g, "namespace"));
		table_cell(t, "%s", js_str(g, "received"));
		table_cell(t, "%s", js_str(g, "expected"));
		table_cell(t, "%s", js_str(g, "lost"));
		table_cell(t, "%s", js_str(g, "reordered"));
		table_cell(t, "%s", js_str(g, "restarts"));
	}
	table_print(cli, t);
}

static void print_counters(struct cli *cli, struct json_object *state)
{
	static const char *const heads[] = { "COUNTER", ">PACKETS", NULL };
	struct json_object *x = js_get(state, "exported");
	struct table *t = table_new(heads);

	js_foreach(c, js_get(state, "counter"))
	{
		table_cell(t, "%s", js_str(c, "name"));
		table_cell(t, "%s", js_str(c, "value"));
	}
	table_print(cli, t);
	printf("records %s, missed %s, IPFIX messages %s, not sent %s\n", js_str(x, "records"),
	       js_str(x, "missed"), js_str(x, "messages"), js_str(x, "send-errors"));
	if (js_str(x, "file-problem")[0] != '\0')
		printf("file: %s\n", js_str(x, "file-problem"));
}

static int cmd_ioam(struct cli *cli)
{
	struct json_object *answer = NULL, *state;
	int rc = api_get(cli, "heddle-ioam:ioam-state", &answer);

	if (rc != 0)
		return rc;
	state = js_inner(answer);
	if (cli->json)
		js_print(answer);
	else if (opt_flag(cli, "--groups"))
		print_groups(cli, state);
	else if (opt_flag(cli, "--counters"))
		print_counters(cli, state);
	else
		print_records(cli, state);
	json_object_put(answer);
	return 0;
}

const struct cli_group ioam_group = {
	"In situ OAM",
	(const struct cli_command[]){
		{ .name = "pm ioam",
		  .run = cmd_ioam,
		  .what = "the last records of in situ OAM, or what they add up to",
		  .params = CLI_PARAMS({ "--groups", NULL, CLI_TEXT,
					 "loss and reordering by edge to edge sequence numbers" },
				       { "--counters", NULL, CLI_TEXT,
					 "what the data plane did, and what was exported" }),
		  .more = "A record is a packet whose trace ended at this node (RFC 9197), or one that asked for "
			  "direct "
			  "export here (RFC 9326). All of them go to the file and the collector that the configuration "
			  "names; the last 64 are shown.\n",
		  .examples = CLI_EXAMPLES("heddle pm ioam", "heddle pm ioam --groups",
					   "heddle pm ioam --json") },
		{ .name = NULL } },
};
