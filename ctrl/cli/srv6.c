/* SPDX-License-Identifier: BSD-3-Clause
 * heddle srv6: what concerns SR policies and SIDs. */
#include <string.h>

#include "ctrl/cli/cli.h"
#include "ctrl/cli/probe.h"

/* --- ping and traceroute through SIDs (RFC 9259 section 2.2) --------------------------------------- */

#define SIDS_MAX 17u /* 16 to visit, and the last one */

struct sids {
	char text[SIDS_MAX * 48]; /* cut into words */
	const char *sid[SIDS_MAX];
	unsigned n;
};

/* "a, b,c" */
static int add_sids(struct cli *cli, struct sids *s, const char *list)
{
	size_t used =
		s->n == 0 ? 0 : (size_t)(s->sid[s->n - 1] - s->text) + strlen(s->sid[s->n - 1]) + 1;
	char *save, *word;

	if (strlen(list) >= sizeof(s->text) - used)
		return cli_fail(cli, EXIT_USAGE, "more than %u SIDs", SIDS_MAX);
	strcpy(s->text + used, list);
	for (word = strtok_r(s->text + used, ", ", &save); word != NULL;
	     word = strtok_r(NULL, ", ", &save)) {
		if (s->n == SIDS_MAX)
			return cli_fail(cli, EXIT_USAGE, "more than %u SIDs", SIDS_MAX);
		s->sid[s->n++] = word;
	}
	return 0;
}

/* What a list of the policy pushes: the one named by --segment-list, else the first valid one of the active path. */
static int add_policy(struct cli *cli, struct sids *s, const char *name)
{
	const char *want = opt_value(cli, "--segment-list"), *found = NULL;
	struct json_object *answer = NULL, *list;
	bool known = false;
	int rc = api_get(cli, "heddle-srv6:policy-state", &answer);

	list = rc == 0 ? js_get(js_inner(answer), "policy") : NULL;
	for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++) {
		struct json_object *p = json_object_array_get_idx(list, i),
				   *paths = js_get(p, "candidate-path");
		if (strcmp(js_str(p, "name"), name) != 0)
			continue;
		known = true;
		for (size_t k = 0; paths != NULL && k < json_object_array_length(paths); k++) {
			struct json_object *path = json_object_array_get_idx(paths, k),
					   *lists = js_get(path, "segment-list");
			for (size_t j = 0; lists != NULL && j < json_object_array_length(lists);
			     j++) {
				struct json_object *l = json_object_array_get_idx(lists, j);
				if (found != NULL ||
				    (want != NULL ? strcmp(js_str(l, "name"), want) != 0 :
						    js_str(path, "active")[0] != 't' ||
							    js_str(l, "valid")[0] != 't'))
					continue;
				found = js_str(l, "pushed");
				if (found[0] == '\0')
					found = js_str(l, "segments");
			}
		}
	}
	if (rc == 0 && found == NULL)
		rc = !known ? cli_fail(cli, EXIT_ERROR,
				       "there is no SR policy '%s'; see: heddle show policies",
				       name) :
			      cli_fail(cli, EXIT_ERROR,
				       "policy '%s' has no %s; see: heddle show policies", name,
				       want != NULL ? "segment list of this name" :
						      "valid segment list");
	if (rc == 0)
		rc = add_sids(cli, s, found);
	json_object_put(answer);
	return rc;
}

/* The probe to the last SID by way of those before it. */
static int sid_probe(struct cli *cli,
		     int (*run)(struct cli *cli, const char *what, struct json_object *input))
{
	const char *policy = opt_value(cli, "--policy"), *list = opt_value(cli, "--sid-list");
	struct sids s = { .n = 0 };
	int rc = policy != NULL ? add_policy(cli, &s, policy) : 0;

	if (rc == 0 && list != NULL)
		rc = add_sids(cli, &s, list);
	if (rc == 0 && cli->argc > 0)
		rc = add_sids(cli, &s, cli->argv[0]);
	if (rc == 0 && s.n == 0)
		rc = cli_fail(cli, EXIT_USAGE, "which SID?  Give one, or --sid-list, or --policy");
	if (rc != 0)
		return rc;
	struct json_object *in = probe_input(cli, s.sid[s.n - 1], &rc);
	if (in == NULL)
		return rc;
	struct json_object *segments = json_object_new_array();
	for (unsigned i = 0; i + 1 < s.n; i++)
		json_object_array_add(segments, json_object_new_string(s.sid[i]));
	if (s.n > 1)
		json_object_object_add(in, "segment", segments);
	else
		json_object_put(segments);
	return run(cli, s.sid[s.n - 1], in);
}

static int cmd_srv6_ping(struct cli *cli)
{
	return sid_probe(cli, ping_run);
}

static int cmd_srv6_traceroute(struct cli *cli)
{
	return sid_probe(cli, traceroute_run);
}

#define SID_PARAMS                                                                              \
	{ "[SID]", NULL, CLI_SID, "the last one, which answers  [the last of the list]" },      \
		{ "--sid-list", "A,B,C", CLI_TEXT, "SIDs on the way, in this order" },          \
		{ "--policy", "POLICY", CLI_POLICY,                                             \
		  "SIDs as this policy pushes them, before all" },                              \
	{                                                                                       \
		"--segment-list", "NAME", CLI_TEXT,                                             \
			"which of the policy's lists  [the first valid one of its active path]" \
	}

#define SID_MORE                                                                                    \
	"The probe carries the SIDs in a segment routing header and is made, sent and recognised "  \
	"by the data plane. The last SID answers if it takes ICMPv6 (RFC 9259 section 2.2); that "  \
	"a SID answers says that it is there, not that what it does works: to try that, put it on " \
	"the way to another. A compressed SID is given without argument.\n"

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
	{ .name = "srv6 ping",
	  .run = cmd_srv6_ping,
	  .what = "probe a SID, alone or by way of others",
	  .params = CLI_PARAMS(SID_PARAMS, PING_PARAMS, PROBE_PARAMS),
	  .more = SID_MORE "Exit status 0: at least one answer came.",
	  .examples = CLI_EXAMPLES("heddle srv6 ping fc00:2::e",
				   "heddle srv6 ping --sid-list fc00:2::e,fc00:3::e,fc00:1::e",
				   "heddle srv6 ping --policy far fc00:9::e --json") },
	{ .name = "srv6 traceroute",
	  .run = cmd_srv6_traceroute,
	  .what = "the way to a SID, alone or by way of others, hop by hop",
	  .params = CLI_PARAMS(SID_PARAMS, TRACEROUTE_PARAMS, PROBE_PARAMS),
	  .more = SID_MORE "With --protocol udp a SID that takes no UDP answers with a parameter "
			   "problem of code 4, which is an answer as well (RFC 9259 A.2.2).\n"
			   "Exit status 0: the last SID answered.",
	  .examples = CLI_EXAMPLES("heddle srv6 traceroute fc00:3::e --sid-list fc00:2::e",
				   "heddle srv6 traceroute --policy far --protocol udp") },
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
