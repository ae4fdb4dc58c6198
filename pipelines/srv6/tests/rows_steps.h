/* SPDX-License-Identifier: BSD-3-Clause
 * Rows of the conformance table that take more than a packet and its answer: frames, services that send back what
 * they got, several interfaces.  Run by heddle-conformance on the node of rows_more.h, with ten ports more
 * (srv6_services.c):
 *
 *   port 7      takes frames of DX2 and, with VLAN 100, of DX2V; frames from it go into policy [S1,S2,S3]
 *   ports 8-10  bridge of DT2U and DT2M; Arg.FE2 12 is port 9
 *   port 11     service behind AS (IPv4), whose cache is [S1,S2]; 12: behind AD (IPv6); 13: behind AM
 *   port 14     outside of the SR domain 2001:db8:b::/48, 2001:db8:c::/64, sources 2001:db8:a::/64; port 15 inside
 *   port 16     is down; XDOWN is an End.X SID over it, XTWO one over ports 2 and 3
 *
 * A row is a list of steps, one a line:
 *
 *   >N packet   into port N; "packet ; octets" changes octets as in rows.h
 *   <N packet   leaves on port N, exactly;  ~N packet  the same with any flow label but 0
 *   ]N octets   a frame into port N;  [N octets   this frame leaves on port N
 *   !T C D      ICMPv6 type T, code C, pointer or MTU D to the source of the last packet, quoting it
 *   =N          so many copies of packets with the O-flag are there (asked for in this process only)
 *   .           until the control plane has seen what came
 *
 * and nothing else leaves. */
#ifndef SRV6_TESTS_ROWS_STEPS_H
#define SRV6_TESTS_ROWS_STEPS_H

#include <stdbool.h>

#include "pipelines/srv6/tests/rows.h"

struct steps_row {
	const char *id, *why, *steps;
	unsigned times; /* the steps are repeated so often; 0: once */
	bool control;   /* it shows what the control process decides: over wires only */
};

#define DX2    "2001:db8:b::2d2"
#define DX2V   "2001:db8:b::2d3"
#define DT2U   "2001:db8:b::2d4"
#define DT2M   "2001:db8:b:2d5::"
#define AS     "2001:db8:b::2a5"
#define AD     "2001:db8:b::2ad"
#define AM     "2001:db8:b::2a0"
#define OAM    "2001:db8:b::259"
#define OAMPSP "2001:db8:b::25a"
#define HOPT   "2001:db8:b::112"
#define XTWO   "2001:db8:b::260"
#define XDOWN  "2001:db8:b::261"
#define VPN    "2001:db8:c::99"

#define STATION(n) "02bb000000" n
#define BODY \
	"88b500112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899"
#define FRAME(dst, src, tag) STATION(dst) STATION(src) tag BODY
#define GROUP(src)           "ffffffffffff" STATION(src) BODY
#define INNER4(ttl)          "ip4 $A4 $B4 " ttl " / udp / fill 16"
#define INNER6(hop)          "ip6 $A $B " hop " / udp / fill 16"
#define FROM_A(net, hop)     "ip6 $A 2001:db8:" net "::1 " hop " / udp / fill 16"
#define MAC_ONE              "778a08215921a21953f6dd323aff8abc93dc5f942358309fceb6a0a718dae9dd"

/* clang-format off */
static const struct steps_row steps_rows[] = {
	{ "S-062", "End.X, the link of its next hop is down: no way around (8986 4.2)",
	  .steps = ">1 ip6 $T " XDOWN " 64 / srh $R," XDOWN " 1 / " UDP },
	{ "S-075", "End.DX2: the frame as it was (8986 4.9)",
	  .steps = ">1 ip6 $T " DX2 " 64 / next 143 / data " FRAME("01", "02", "") "\n"
	  "[7 " FRAME("01", "02", "") },
	{ "S-076", "End.DX2V: the port of the VLAN (8986 4.10)",
	  .steps = ">1 ip6 $T " DX2V " 64 / next 143 / data " FRAME("01", "02", "81000064") "\n"
	  "[7 " FRAME("01", "02", "81000064") },
	{ "S-077", "End.DX2V: a VLAN nobody has (8986 4.10)",
	  .steps = ">1 ip6 $T " DX2V " 64 / next 143 / data " FRAME("01", "02", "810000c8") },
	{ "S-078", "End.DT2U: flood, learn, unicast (8986 4.11)",
	  .steps = ">1 ip6 $T " DT2U " 64 / next 143 / data " FRAME("01", "09", "") "\n"
	  "[8 " FRAME("01", "09", "") "\n[9 " FRAME("01", "09", "") "\n[10 " FRAME("01", "09", "") "\n"
	  "]8 " FRAME("09", "01", "") "\n"
	  "[9 " FRAME("09", "01", "") "\n[10 " FRAME("09", "01", "") "\n.\n"
	  ">1 ip6 $T " DT2U " 64 / srh " DT2U " 0 / next 143 / data " FRAME("01", "09", "") "\n"
	  "[8 " FRAME("01", "09", "") },
	{ "S-079", "End.DT2M: not to the port of the argument (8986 4.12)",
	  .steps = ">1 ip6 $T 2001:db8:b:2d5::c 64 / next 143 / data " GROUP("09") "\n"
	  "[8 " GROUP("09") "\n[10 " GROUP("09") },
	{ "S-080", "End.DX2: a frame shorter than its header (8986 4.9)",
	  .steps = ">1 ip6 $T " DX2 " 64 / next 143 / data 02bb00000001" },
	{ "S-183", "End.DX2: with SRH; must be last (8986 4.9, 4.12)",
	  .steps = ">1 ip6 $T " DX2 " 64 / srh " DX2 " 0 / next 143 / data " FRAME("01", "02", "81000064") "\n"
	  "[7 " FRAME("01", "02", "81000064") "\n"
	  ">1 ip6 $T " DX2 " 64 / srh $R," DX2 " 1 / next 143 / data " FRAME("01", "02", "") "\n!4 0 43\n"
	  ">1 ip6 $T " DT2M " 64 / srh $R," DT2M " 1 / next 143 / data " FRAME("01", "02", "") "\n!4 0 43" },

	{ "S-093", "H.Encaps.Red, one SID with HMAC: an SRH for it (8986 5.2)",
	  .steps = ">1 " FROM_A("d8", "64") "\n"
	  "~2 ip6 $T $S1 64 / srh $S1 0 / tlv 052600000000002a" MAC_ONE " / " FROM_A("d8", "63") },
	{ "S-096", "H.Encaps.L2: the frame with its tags (8986 5.3)",
	  .steps = "]7 " FRAME("01", "02", "8100000a") "\n"
	  "~2 ip6 $T $S1 64 / srh $S3,$S2,$S1 2 / next 143 / data " FRAME("01", "02", "8100000a") },
	{ "S-108", "the edge of the domain (8754 5.1)",
	  .steps = ">14 ip6 $A $E 64 / srh $R,$E 1 / " UDP "\n>14 ip6 $A $R 64 / " UDP "\n>14 ip6 $T $B 64 / " UDP "\n"
	  ">14 ip6 $A $B 64 / " UDP "\n<2 ip6 $A $B 63 / " UDP "\n"
	  ">15 ip6 $A $E 64 / srh $R,$E 1 / " UDP "\n"
	  ">15 ip6 $T $E 64 / srh $R,$E 1 / " UDP "\n<2 ip6 $T $R 63 / srh $R,$E 0 / " UDP },
	{ "S-109", "service SID over a policy (9256 8.4)",
	  .steps = ">1 " FROM_A("d7", "64") "\n~2 ip6 $T $S1 64 / srh " VPN ",$S2,$S1 2 / " FROM_A("d7", "63") },
	{ "S-185", "equal preference: configuration before BGP; equal origin: the lower originator (9256 2.9)",
	  .steps = ">1 " FROM_A("d9", "64") "\n~2 ip6 $T $S2 64 / srh $S2 0 / " FROM_A("d9", "63") "\n"
	  ">1 " FROM_A("da", "64") "\n~2 ip6 $T $S1 64 / srh $S1 0 / " FROM_A("da", "63"),
	  .control = true },
	{ "S-186", "lists without weight, segments or way are invalid, the path is not (9256 5.1)",
	  .steps = ">1 " FROM_A("db", "64") "\n~2 ip6 $T $S3 64 / srh $S3 0 / " FROM_A("db", "63"),
	  .times = 8, .control = true },

	{ "S-113", "eight Pad1 in a row, TLVs processed: forwarded (8754 2.1)",
	  .steps = ">1 ip6 $T " HOPT " 64 / srh $R," HOPT " 1 / tlv 0000000000000000 / " UDP "\n"
	  "<2 ip6 $T $R 63 / srh $R," HOPT " 0 / tlv 0000000000000000 / " UDP },
	{ "S-127", "O-flag: forwarded, and one copy with its time (9259 2.1.1)",
	  .steps = ">1 ip6 $T " OAM " 64 / srh $R," OAM " 1 / " UDP " ; 45=20\n"
	  "<2 ip6 $T $R 63 / srh $R," OAM " 0 / " UDP " ; 45=20\n=1\n"
	  ">1 ip6 $T " OAM " 64 / srh $R," OAM " 1 / " UDP "\n<2 ip6 $T $R 63 / srh $R," OAM " 0 / " UDP "\n=1" },
	{ "S-130", "O-flag: copies are limited in rate, forwarding is not (9259 3)",
	  .steps = ">1 ip6 $T " OAM " 64 / srh $R," OAM " 1 / " UDP " ; 45=20\n"
	  "<2 ip6 $T $R 63 / srh $R," OAM " 0 / " UDP " ; 45=20", .times = 200 },
	{ "S-134", "O-flag with PSP: a copy where it is popped (9259 2.1.1)",
	  .steps = ">1 ip6 $T " OAMPSP " 64 / srh $R," OAMPSP " 1 / " UDP " ; 45=20\n<2 ip6 $T $R 63 / " UDP "\n=1" },

	{ "S-175", "End.AS: there and back",
	  .steps = ">1 ip6 $T " AS " 64 / srh " AS " 0 / " INNER4("10") "\n<11 " INNER4("9") "\n"
	  ">11 " INNER4("9") "\n~2 ip6 $T $S1 64 / srh $S2,$S1 1 / " INNER4("8") },
	{ "S-176", "End.AD: learns, and drops before",
	  .steps = ">12 " INNER6("9") "\n"
	  ">1 ip6 $T " AD " 64 / srh $R," AD " 1 / " INNER6("10") "\n<12 " INNER6("9") "\n.\n"
	  ">12 " INNER6("9") "\n~2 ip6 $T $R 63 / srh $R," AD " 0 / " INNER6("8") },
	{ "S-177", "End.AM: there and back",
	  .steps = ">1 ip6 $T " AM " 64 / srh $B,$R," AM " 2 / " UDP "\n"
	  "<13 ip6 $T $B 63 / srh $B,$R," AM " 2 / " UDP "\n"
	  ">13 ip6 $T $B 63 / srh $B,$R," AM " 2 / " UDP "\n<2 ip6 $T $R 62 / srh $B,$R," AM " 1 / " UDP },
	{ "S-178", "End.AM: no segment left",
	  .steps = ">1 ip6 $T " AM " 64 / srh " AM " 0 / " UDP "\n>1 ip6 $T " AM " 64 / " UDP },
};
/* clang-format on */
#define N_STEPS_ROWS (sizeof(steps_rows) / sizeof(steps_rows[0]))

#endif
