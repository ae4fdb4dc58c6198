/* SPDX-License-Identifier: BSD-3-Clause
 * The commands about packets. */
#include "ctrl/cli/cli.h"
#include "ctrl/cli/probe.h"

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
	{ .name = "ping",
	  .run = cmd_ping,
	  .what = "probe a destination from the data plane",
	  .params = CLI_PARAMS({ "DESTINATION", NULL, CLI_TEXT, "address, or name" }, PING_PARAMS,
			       PROBE_PARAMS),
	  .more = "The packets are made, sent and recognised by the data plane: they go the way of "
		  "its own tables, through policies too.\nThe time is taken from handing a probe to "
		  "a worker to the burst in which its answer came.\nExit status 0: at least one "
		  "answer came.",
	  .examples =
		  CLI_EXAMPLES("heddle ping 10.0.2.2",
			       "heddle ping 2001:db8:b::2 --count 100 --interval 0.01 --size 1400",
			       "heddle ping fe80::1 --interface core --json") },
	{ .name = "traceroute",
	  .run = cmd_traceroute,
	  .what = "the way to a destination, hop by hop, as the data plane would send it",
	  .params = CLI_PARAMS({ "DESTINATION", NULL, CLI_TEXT, "address, or name" },
			       TRACEROUTE_PARAMS, PROBE_PARAMS),
	  .more = "All probes are of one flow, so that multipath does not mix ways.\nExit status 0: "
		  "the destination answered.",
	  .examples = CLI_EXAMPLES("heddle traceroute 10.0.2.2",
				   "heddle traceroute 2001:db8:b::2 --protocol udp --vrf red") },
	{ .name = "explain",
	  .run = cmd_explain,
	  .what = "what would happen to one packet, without sending it",
	  .params = CLI_PARAMS(
		  { "--interface", "INTERFACE", CLI_INTERFACE, "received here" },
		  { "--hex", "OCTETS", CLI_TEXT,
		    "a frame or an IP packet in hexadecimal; - reads standard input" },
		  { "--pcap", "FILE", CLI_FILE, "a frame of this pcap or pcapng file" },
		  { "--frame", "N", CLI_NUMBER, "which one, as tshark counts  [1]" },
		  { "--flow", "FLOW", CLI_TEXT, "\"udp 10.0.0.1:5 > 10.0.2.3:53\"" },
		  { "--drop", "NODE/REASON", CLI_TEXT,
		    "the last packet dropped for this reason; see: heddle show drops" },
		  { "--ttl", "N", CLI_NUMBER, "flow: TTL or hop limit  [64]" },
		  { "--dscp", "N", CLI_NUMBER, "flow: code point  [0]" },
		  { "--length", "OCTETS", CLI_NUMBER, "flow: of the IP packet  [shortest]" },
		  { "--sids", "SID,SID...", CLI_TEXT,
		    "flow: encapsulated to these SIDs, the first visited first" },
		  { "--outer-source", "ADDRESS", CLI_TEXT,
		    "source of that encapsulation  [2001:db8::1]" },
		  { "--vlan", "ID[.INNER]", CLI_TEXT,
		    "flow or IP packet: these tags  [the interface's]" },
		  { "-w, --file", "FILE", CLI_FILE, "write what would be sent as pcap" }),
	  .more = "The data plane's own nodes decide, with its tables as they are. Nothing is sent, counted, "
		  "policed or asked for. Tables may differ a moment later: neighbours come and go.",
	  .examples = CLI_EXAMPLES(
		  "heddle explain --interface lan --flow \"udp 10.0.1.2:5 > 10.0.2.3:53\"",
		  "heddle explain --interface core --flow \"icmp 10.0.1.2 > 10.0.2.3\" --sids fc00:1::e,fc00:2::d4",
		  "heddle explain --interface lan --pcap odd.pcapng --frame 7 --json",
		  "heddle explain --drop ip4-input/no-route") },
	{ .name = NULL },
};

const struct cli_group packet_group = { "Packets", commands };
