/* SPDX-License-Identifier: BSD-3-Clause
 * Ping and traceroute for whoever has a destination: heddle ping, and commands that add to the probe (segments). */
#ifndef CTRL_CLI_PROBE_H
#define CTRL_CLI_PROBE_H

#include "ctrl/cli/cli.h"

/* Options that a probing command shows in its row; probe_input() reads them. */
#define PROBE_PARAMS                                                                               \
	{ "--vrf", "VRF", CLI_VRF, "routes and addresses of this VRF  [default]" },                \
		{ "--source", "ADDRESS", CLI_TEXT, "one of ours  [of the egress interface]" },     \
		{ "--interface", "INTERFACE", CLI_INTERFACE,                                       \
		  "source of this interface; its link-local neighbours are reached there" },       \
		{ "--size", "OCTETS", CLI_NUMBER, "data behind the ICMP or UDP header  [56]" },    \
		{ "--timeout", "SECONDS", CLI_SECONDS, "wait so long for an answer  [1]" },        \
		{ "--dscp", "N", CLI_NUMBER, "differentiated services code point, 0 to 63  [0]" }, \
		{ "--flow-label", "N", CLI_NUMBER, "IPv6 flow label  [0]" },                       \
	{                                                                                          \
		"--protocol", "echo|udp", CLI_TEXT,                                                \
			"what is sent; udp: to a port where nobody listens  [echo]"                \
	}

#define PING_PARAMS                                                                  \
	{ "--count", "N", CLI_NUMBER, "probes; 0: until Ctrl-C  [5]" },              \
		{ "--interval", "SECONDS", CLI_SECONDS, "between two probes  [1]" }, \
	{                                                                            \
		"--ttl", "N", CLI_NUMBER, "TTL or hop limit  [64]"                   \
	}

#define TRACEROUTE_PARAMS                                            \
	{ "--queries", "N", CLI_NUMBER, "probes of each hop  [3]" }, \
	{                                                            \
		"--max-hops", "N", CLI_NUMBER, "give up after  [30]" \
	}

/* Input of heddle-probe:send for a destination (address or name) and the options of the command that runs.
 * NULL after an error was told; *status is then the exit status. */
struct json_object *probe_input(struct cli *cli, const char *destination, int *status);

/* Run with that input, which is taken over.  `what`: the destination as the user is told of it. */
int ping_run(struct cli *cli, const char *what, struct json_object *input);
int traceroute_run(struct cli *cli, const char *what, struct json_object *input);

int cmd_ping(struct cli *cli);
int cmd_traceroute(struct cli *cli);

#endif
