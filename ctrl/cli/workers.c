/* SPDX-License-Identifier: BSD-3-Clause
 * heddle workers: which worker polls which RX queue. */
#include <stdlib.h>

#include "ctrl/cli/cli.h"

static int done(struct cli *cli, int rc, struct json_object *answer)
{
	if (rc != 0)
		return rc;
	if (cli->json && answer != NULL)
		js_print(answer);
	else
		printf("done; see: heddle show workers\n");
	json_object_put(answer);
	return 0;
}

static int cmd_spread(struct cli *cli)
{
	struct json_object *answer = NULL;
	int rc = api_post(cli, "heddle-system:spread-queues", NULL, &answer);

	return done(cli, rc, answer);
}

static int cmd_place(struct cli *cli)
{
	struct json_object *answer = NULL, *in = json_object_new_object();

	js_add(in, "interface", cli->argv[0]);
	json_object_object_add(in, "queue", json_object_new_int(atoi(cli->argv[1])));
	json_object_object_add(in, "worker", json_object_new_int(atoi(cli->argv[2])));
	int rc = api_post(cli, "heddle-system:place-queue", in, &answer);
	return done(cli, rc, answer);
}

static const struct cli_command commands[] = {
	{ .name = "workers place",
	  .run = cmd_place,
	  .what = "move an RX queue to a worker",
	  .params = CLI_PARAMS({ "INTERFACE", NULL, CLI_INTERFACE, "whose queue" },
			       { "QUEUE", NULL, CLI_NUMBER, "which one, from 0" },
			       { "WORKER", NULL, CLI_NUMBER, "as heddle show workers has it" }),
	  .examples = CLI_EXAMPLES("heddle workers place wan 1 3") },
	{ .name = "workers spread",
	  .run = cmd_spread,
	  .what = "spread all RX queues evenly again",
	  .examples = CLI_EXAMPLES("heddle workers spread") },
	{ .name = NULL },
};

const struct cli_group worker_group = { "Workers", commands };
