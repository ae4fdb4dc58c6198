/* SPDX-License-Identifier: BSD-3-Clause
 * heddle srv6: what concerns SR policies and SIDs. */
#include <string.h>

#include "ctrl/cli/cli.h"

static int cmd_path_state(struct cli *cli)
{
	struct json_object *in = json_object_new_object();

	js_add(in, "name", cli->argv[0]);
	json_object_object_add(in, "up", json_object_new_boolean(strcmp(cli->argv[1], "up") == 0));
	js_add(in, "reason", opt_value(cli, "--reason"));
	int rc = api_post(cli, "heddle-srv6:path-state", in, NULL);
	if (rc == 0 && !cli->json)
		printf("done; see: heddle show policies\n");
	return rc;
}

static const struct cli_command commands[] = {
	{ .name = "srv6 path-state",
	  .run = cmd_path_state,
	  .what = "say that what paths refer to by 'liveness' is up or down",
	  .params = CLI_PARAMS({ "NAME", NULL, CLI_TEXT,
				 "as in 'liveness' of a path or a segment list" },
			       { "STATE", "up|down", CLI_TEXT, "its state" },
			       { "--reason", "TEXT", CLI_TEXT, "shown with the path" }),
	  .more = "Paths and segment lists that refer to it become invalid or valid at once, and the "
		  "best valid path of each policy carries the traffic. What nobody has spoken of is "
		  "up, also after a restart of heddle-ctrl.",
	  .examples =
		  CLI_EXAMPLES("heddle srv6 path-state paris-madrid down --reason maintenance") },
	{ .name = NULL },
};

const struct cli_group srv6_group = { "SRv6", commands };
