/* SPDX-License-Identifier: BSD-3-Clause
 * heddle pm bfd: BFD sessions. */
#include <string.h>

#include "ctrl/cli/cli.h"

static void cell_ms(struct table *t, uint64_t us)
{
	if (us == 0)
		table_cell(t, "%s", "");
	else
		table_cell(t, "%.3g ms", (double)us / 1e3);
}

static void print_sessions(struct cli *cli, struct json_object *state, const char *name)
{
	static const char *const heads[] = { "SESSION",   "PEER",         "STATE",      "WHY",
					     "PEER SAYS", ">SENDS EVERY", ">DETECTION", ">UPS",
					     ">DOWNS",    "SINCE",        NULL };
	struct table *t = table_new(heads);

	js_foreach(s, js_get(state, "session"))
	{
		bool up = strcmp(js_str(s, "state"), "up") == 0;

		if (name != NULL && strcmp(js_str(s, "name"), name) != 0)
			continue;
		table_cell(t, "%s", js_str(s, "name"));
		table_cell(t, "%s", js_str(s, "peer-address"));
		table_cell(t, "%s", js_str(s, "state"));
		table_cell(t, "%s", up ? "" : js_str(s, "diagnostic"));
		table_cell(t, "%s",
			   js_u64(s, "remote-discriminator") != 0 ? js_str(s, "remote-state") : "");
		cell_ms(t, js_u64(s, "transmit-interval"));
		cell_ms(t, js_u64(s, "detection-time"));
		table_cell(t, "%s", js_str(s, "ups"));
		table_cell(t, "%s", js_str(s, "downs"));
		table_cell(t, "%s", js_str(s, "changed"));
	}
	table_print(cli, t);
}

static int cmd_bfd(struct cli *cli)
{
	const char *name = cli->argc > 0 ? cli->argv[0] : NULL;
	struct json_object *answer = NULL, *found = NULL, *state;
	int rc = api_get(cli, "heddle-bfd:bfd-state", &answer);

	if (rc != 0)
		return rc;
	state = js_inner(answer);
	js_foreach(s, js_get(state, "session")) if (name != NULL &&
						    strcmp(js_str(s, "name"), name) == 0) found = s;
	if (name != NULL && found == NULL)
		rc = cli_fail(cli, EXIT_ERROR, "there is no BFD session '%s'; see: heddle pm bfd",
			      name);
	else if (cli->json)
		js_print(found != NULL ? found : answer);
	else
		print_sessions(cli, state, name);
	json_object_put(answer);
	return rc;
}

const struct cli_group bfd_group = {
	"BFD",
	(const struct cli_command[]){
		{ .name = "pm bfd",
		  .run = cmd_bfd,
		  .what = "BFD sessions: state, timers, how often they went down",
		  .params = CLI_PARAMS({ "[SESSION]", NULL, CLI_TEXT, "only this one  [all]" }),
		  .more = "Sessions live in the data plane (RFC 5880) and go on without heddle-ctrl. A candidate "
			  "path whose "
			  "liveness is the session's name is left when it goes down.\n",
		  .examples = CLI_EXAMPLES("heddle pm bfd", "heddle pm bfd core-west --json") },
		{ .name = NULL } },
};
