/* SPDX-License-Identifier: BSD-3-Clause
 * The commands about packets. */
#include "ctrl/cli/cli.h"

static const struct cli_command commands[] = {
	{ .name = "trace packets",
	  .run = cmd_trace,
	  .what = "follow packets through the graph, with the verdict of each node",
	  .params = CLI_PARAMS(
		  { "--count", "N", CLI_NUMBER, "packets  [1]" },
		  { "--prefix", "PREFIX", CLI_TEXT, "source or destination in this prefix" },
		  { "--interface", "INTERFACE", CLI_INTERFACE, "received here" },
		  { "--sid", "SID", CLI_SID, "destination or a listed segment is this SID" },
		  { "--session", "N", CLI_NUMBER, "of this subscriber session" },
		  { "--timeout", "SECONDS", CLI_SECONDS, "give up after  [10]" }),
	  .examples = CLI_EXAMPLES("heddle trace packets --count 3 --prefix 10.0.2.0/24",
				   "heddle trace packets --interface lan --json") },
	{ .name = "capture",
	  .run = cmd_capture,
	  .what = "packets of the running data plane as pcapng",
	  .params =
		  CLI_PARAMS({ "-w, --file", "FILE", CLI_FILE, "where to; - is standard output" },
			     { "--node", "NODE", CLI_NODE,
			       "what this graph node receives  [all that ports receive and send]" },
			     { "--filter", "BPF", CLI_TEXT, "pcap-filter(7) expression" },
			     { "--count", "N", CLI_NUMBER, "end after N packets  [until Ctrl-C]" },
			     { "--snaplen", "N", CLI_NUMBER, "octets kept of each packet  [all]" },
			     { "--timeout", "SECONDS", CLI_SECONDS, "end after" }),
	  .examples = CLI_EXAMPLES("heddle capture --filter icmp6 --count 10 -w ping.pcapng",
				   "heddle capture --node drop -w - | tshark -r -") },
	{ .name = NULL },
};

const struct cli_group packet_group = { "Packets", commands };
