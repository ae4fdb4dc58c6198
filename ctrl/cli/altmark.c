/* SPDX-License-Identifier: BSD-3-Clause
 * heddle pm altmark: loss and delay of live traffic by alternate marking. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cli/cli.h"

/* "12.3 us" of nanoseconds in a string; "" if absent. */
static void cell_time(struct table *t, const char *ns)
{
	double v = strtod(ns, NULL);
	double size = v < 0 ? -v : v;

	if (ns[0] == '\0')
		table_cell(t, "%s", "");
	else if (size < 1e3)
		table_cell(t, "%.0f ns", v);
	else if (size < 1e6)
		table_cell(t, "%.2f us", v / 1e3);
	else
		table_cell(t, "%.3f ms", v / 1e6);
}

static void cell_percent(struct table *t, uint64_t lost, uint64_t sent)
{
	if (sent == 0)
		table_cell(t, "%s", "");
	else
		table_cell(t, "%.4f%%", 100.0 * (double)lost / (double)sent);
}

static void print_measurements(struct cli *cli, struct json_object *state)
{
	static const char *const heads[] = { "MEASUREMENT", "FLOW",  "FROM",  "TO",    ">BLOCKS",
					     ">UNKNOWN",    ">SENT", ">LOST", ">LOSS", ">SURPLUS",
					     ">DELAY MIN",  ">MEAN", ">MAX",  NULL };
	struct table *t = table_new(heads);

	js_foreach(m, js_get(state, "measurement"))
	{
		struct json_object *delay = js_get(m, "delay");

		table_cell(t, "%s", js_str(m, "name"));
		table_cell(t, "%s", js_str(m, "flow"));
		table_cell(t, "%s", js_str(m, "from"));
		table_cell(t, "%s", js_str(m, "to"));
		table_cell(t, "%s", js_str(m, "blocks"));
		table_cell(t, "%s",
			   js_u64(m, "unknown-blocks") != 0 ? js_str(m, "unknown-blocks") : "");
		table_cell(t, "%s", js_str(m, "sent"));
		table_cell(t, "%s", js_str(m, "lost"));
		cell_percent(t, js_u64(m, "lost"), js_u64(m, "sent"));
		table_cell(t, "%s", js_u64(m, "surplus") != 0 ? js_str(m, "surplus") : "");
		cell_time(t, js_str(delay, "min"));
		cell_time(t, js_str(delay, "mean"));
		cell_time(t, js_str(delay, "max"));
	}
	table_print(cli, t);
	js_foreach(p, js_get(state, "peer")) if (js_str(p, "problem")[0] != '\0')
		printf("peer %s: %s\n", js_str(p, "name"), js_str(p, "problem"));
}

static void print_blocks(struct cli *cli, struct json_object *m)
{
	static const char *const heads[] = { "BLOCK",     "BEGAN",        ">SENT",
					     ">RECEIVED", ">LOST",        ">MEAN DELAY",
					     ">DELAY",    ">UNCERTAINTY", NULL };
	struct table *t = table_new(heads);

	js_foreach(b, js_get(m, "block"))
	{
		int64_t lost = (int64_t)js_u64(b, "sent") - (int64_t)js_u64(b, "received");
		struct json_object *delays = js_get(b, "delay");

		table_cell(t, "%s", js_str(b, "number"));
		table_cell(t, "%s", js_str(b, "time"));
		table_cell(t, "%s", js_str(b, "sent"));
		table_cell(t, "%s", js_str(b, "received"));
		table_cell(t, "%" PRId64, lost);
		cell_time(t, js_str(b, "mean-delay"));
		cell_time(t, delays != NULL && json_object_array_length(delays) > 0 ?
				     json_object_get_string(json_object_array_get_idx(delays, 0)) :
				     "");
		cell_time(t, js_str(b, "uncertainty"));
	}
	table_print(cli, t);
}

static void print_flows(struct cli *cli, struct json_object *state)
{
	static const char *const heads[] = { "FLOW",     ">FLOWMONID", "SOURCE",         ">BLOCK",
					     ">PACKETS", ">OCTETS",    ">DELAY PACKETS", NULL };
	struct table *t = table_new(heads);

	js_foreach(f, js_get(state, "flow"))
	{
		struct json_object *blocks = js_get(f, "block"), *last = NULL;
		size_t n = blocks != NULL ? json_object_array_length(blocks) : 0;

		if (n > 0)
			last = json_object_array_get_idx(blocks, n - 1);
		table_cell(t, "%s", js_str(f, "name"));
		table_cell(t, "%s", js_str(f, "flow-mon-id"));
		table_cell(t, "%s", js_str(f, "source-address"));
		table_cell(t, "%s", js_str(last, "number"));
		table_cell(t, "%s", js_str(last, "packets"));
		table_cell(t, "%s", js_str(last, "octets"));
		table_cell(t, "%s", js_str(last, "delay-packets"));
	}
	table_print(cli, t);
}

static int cmd_altmark(struct cli *cli)
{
	const char *name = cli->argc > 0 ? cli->argv[0] : NULL;
	struct json_object *answer = NULL, *state, *found = NULL;
	int rc = api_get(cli, "heddle-altmark:altmark-state", &answer);

	if (rc != 0)
		return rc;
	state = js_inner(answer);
	js_foreach(m, js_get(state, "measurement")) if (name != NULL &&
							strcmp(js_str(m, "name"), name) == 0)
		found = m;
	if (name != NULL && found == NULL)
		rc = cli_fail(cli, EXIT_ERROR,
			      "there is no measurement '%s'; see: heddle pm altmark", name);
	else if (cli->json)
		js_print(name != NULL ? found : answer);
	else if (name != NULL)
		print_blocks(cli, found);
	else if (opt_flag(cli, "--flows"))
		print_flows(cli, state);
	else
		print_measurements(cli, state);
	json_object_put(answer);
	return rc;
}

const struct cli_group altmark_group = {
	"Alternate marking",
	(const struct cli_command[]){
		{ .name = "pm altmark",
		  .run = cmd_altmark,
		  .what = "loss and delay of live traffic between two points",
		  .params = CLI_PARAMS(
			  { "[MEASUREMENT]", NULL, CLI_TEXT,
			    "block by block, of this one  [sums of all]" },
			  { "--flows", NULL, CLI_TEXT,
			    "what this node has counted of each flow in its last closed block" }),
		  .more = "Nodes count packets that carry a mark, by flow and block (RFC 9341, RFC 9343); what "
			  "one counts and the next does not is lost between them, to the packet. A block is "
			  "compared when half of the next one has passed. Delays are as good as the nodes' "
			  "clocks: UNCERTAINTY says how far they may be off, and is absent when a clock is not "
			  "synchronised.\n",
		  .examples = CLI_EXAMPLES("heddle pm altmark", "heddle pm altmark core-west",
					   "heddle pm altmark --flows --json") },
		{ .name = NULL } },
};
