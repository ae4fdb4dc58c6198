/* SPDX-License-Identifier: BSD-3-Clause
 * Endpoint rows of the conformance table: what goes in, what must come out.  Read by two tests: test_endpoint.c runs
 * them over the pure functions, test_conformance.c over the whole graph.
 *
 * Packets are in the notation of tests/pktb.h, with $NAMES for addresses (names.h); `set` and `out_set` then overwrite
 * octets of the IPv6 packet, "41=05 43=3", hexadecimal behind the '='.  Row ids and expectations: RFC 8986, 8754, 8200;
 * the reference stands in `why`. */
#ifndef SRV6_TESTS_ROWS_H
#define SRV6_TESTS_ROWS_H

#include <stdint.h>

enum row_want {
	WANT_OUT, /* packet `out` leaves on port `port` */
	WANT_ICMP, /* an ICMPv6 error of type, code, data to the outer source, quoting the packet as received */
	WANT_DROP, /* nothing leaves */
	WANT_SILENT, /* the verdict asks for an ICMPv6 error that RFC 4443 2.4(e) forbids: nothing leaves */
	WANT_REPLY, /* packet `out` goes back to port 1: an echo reply */
};

struct row {
	char id[12], why[64];
	char in[320], set[48];
	char verdict[20]; /* of srv6-endpoint */
	enum row_want want;
	uint8_t type, code;
	uint32_t data;
	uint32_t port;
	char out[320], out_set[48];
};

#define IN6    "ip6 $A $B 10 / udp / fill 16"
#define IN6_9  "ip6 $A $B 9 / udp / fill 16"
#define IN4    "ip4 $A4 $B4 10 / udp / fill 16"
#define IN4_9  "ip4 $A4 $B4 9 / udp / fill 16"
#define UDP    "udp / fill 16"
#define ECHO   "icmp6 128 0 0x12340001 / fill 16"
#define REPLY  "icmp6 129 0 0x12340001 / fill 16"
#define PP0(x) .want = WANT_ICMP, .type = 4, .code = 0, .data = (x)
#define PP1(x) .want = WANT_ICMP, .type = 4, .code = 1, .data = (x)
#define PP2(x) .want = WANT_ICMP, .type = 4, .code = 2, .data = (x)
#define PP4(x) .want = WANT_ICMP, .type = 4, .code = 4, .data = (x)
#define TE0    .want = WANT_ICMP, .type = 3, .code = 0
#define OUT(p) .want = WANT_OUT, .port = (p)

/* clang-format off */
static __attribute__((unused)) struct row endpoint_rows[] = {
	{ "S-001", "advance; SRH, payload, label, class kept (8986 4.1)", "ip6 $T $E 64 / srh $R,$E 1 / " UDP,
	  "0=6b 1=81 2=23 3=45", "forward", OUT(2),
	  .out = "ip6 $T $R 63 / srh $R,$E 0 / " UDP, .out_set = "0=6b 1=81 2=23 3=45" },
	{ "S-002", "two left (8986 4.1)", "ip6 $T $E 64 / srh $R,$Q,$E 2 / " IN6, "", "forward", OUT(2),
	  .out = "ip6 $T $Q 63 / srh $R,$Q,$E 1 / " IN6 },
	{ "S-003", "reduced SRH (8754 4.1.1)", "ip6 $T $E 64 / srh $R 1 / " IN6, "", "forward", OUT(2),
	  .out = "ip6 $T $R 63 / srh $R 0 / " IN6 },
	{ "S-004", "reduced SRH, two left (8754 4.1.1)", "ip6 $T $E 64 / srh $R,$Q 2 / " IN6, "", "forward", OUT(2),
	  .out = "ip6 $T $Q 63 / srh $R,$Q 1 / " IN6 },
	{ "S-005", "SL > LE + 1 (8986 4.1 S09)", "ip6 $T $E 64 / srh $R,$E 3 / " UDP, "", "bad-list", PP0(43) },
	{ "S-006", "LE beyond the list (8986 4.1 S09)", "ip6 $T $E 64 / srh $R,$E 1 / " UDP, "44=02",
	  "bad-list", PP0(43) },
	{ "S-007", "SRH of 8 octets (8986 4.1 S08)",
	  "ip6 $T $E 64 / next 43 / data 110004010000000003e807d0000c0000aabbccdd",
	  "", "bad-list", PP0(43) },
	{ "S-008", "SRH of 16 octets (8986 4.1 S08)",
	  "ip6 $T $E 64 / next 43 / data 11010401000000000000000000000000" "03e807d0000c0000aabbccdd",
	  "", "bad-list", PP0(43) },
	{ "S-009", "TLVs go through (8754 2.1)",
	  "ip6 $T $E 64 / srh $R,$E 1 / tlv 0404000000000400 / " UDP, "", "forward", OUT(2),
	  .out = "ip6 $T $R 63 / srh $R,$E 0 / tlv 0404000000000400 / " UDP },
	{ "S-010", "hop limit 1 (8986 4.1 S05)", "ip6 $T $E 1 / srh $R,$E 1 / " UDP, "", "hop-limit", TE0 },
	{ "S-011", "hop limit 0 (8986 4.1 S05)", "ip6 $T $E 0 / srh $R,$E 1 / " UDP, "7=0", "hop-limit", TE0 },
	{ "S-012", "hop limit 2 (8986 4.1 S12)", "ip6 $T $E 2 / srh $R,$E 1 / " UDP, "", "forward", OUT(2),
	  .out = "ip6 $T $R 1 / srh $R,$E 0 / " UDP },
	{ "S-013", "hop limit before list (8986 4.1 S05, S09)", "ip6 $T $E 1 / srh $R,$E 1 / " UDP,
	  "44=09", "hop-limit", TE0 },
	{ "S-014", "echo at hop limit 1 (8986 4.1 S02)", "ip6 $T $E 1 / srh $E 0 / " ECHO, "",
	  "local", .want = WANT_REPLY,
	  .out = "ip6 $E $T 64 / " REPLY },
	{ "S-015", "IPv6 inside, no USD (8986 4.1.1)", "ip6 $T $E 64 / srh $E 0 / " IN6, "",
	  "upper-refused", PP4(64) },
	{ "S-016", "no SRH, IPv6 inside, no USD (8986 4.1.1)", "ip6 $T $E 64 / " IN6, "", "upper-refused", PP4(40) },
	{ "S-017", "no next header (8754 4.3.1.2)", "ip6 $T $E 64 / next 59", "", "upper-refused", PP4(40) },
	{ "S-018", "TCP not allowed (8986 4.1.1)", "ip6 $T $E 64 / tcp", "", "upper-refused", PP4(40) },
	{ "S-019", "flags and tag kept (8754 4.3.1)",
	  "ip6 $T $E 64 / srh $R,$E 1 / " UDP, "45=df 46=be 47=ef", "forward", OUT(2),
	  .out = "ip6 $T $R 63 / srh $R,$E 0 / " UDP, .out_set = "45=df 46=be 47=ef" },
	{ "S-020", "routing type 0, SL 1 (8200 4.4)", "ip6 $T $E 64 / rt 0 1 / " UDP, "", "routing-type", PP0(42) },
	{ "S-021", "routing type 0, SL 0 (8200 4.4)", "ip6 $T $E 64 / rt 0 0 / " ECHO, "",
	  "local", .want = WANT_REPLY,
	  .out = "ip6 $E $T 64 / " REPLY },
	{ "S-027", "hop-by-hop in front (8200 4.3)",
	  "ip6 $T $E 64 / hbh 010400000000 / srh $R,$E 1 / " UDP, "", "forward", OUT(2),
	  .out = "ip6 $T $R 63 / hbh 010400000000 / srh $R,$E 0 / " UDP },
	{ "S-027b", "hop-by-hop in front, bad SRH (4443 3.4)",
	  "ip6 $T $E 64 / hbh 010400000000 / srh $R,$E 3 / " UDP, "",
	  "bad-list", PP0(51) },
	{ "S-028", "destination options in front (8200 4.1)",
	  "ip6 $T $E 64 / dstopt 010400000000 / srh $R,$E 1 / " UDP, "",
	  "forward", OUT(2), .out = "ip6 $T $R 63 / dstopt 010400000000 / srh $R,$E 0 / " UDP },
	{ "S-029", "first fragment behind the SRH (8200 4.5)",
	  "ip6 $T $E 64 / srh $R,$E 1 / frag 0 1 7 / " UDP, "", "forward", OUT(2),
	  .out = "ip6 $T $R 63 / srh $R,$E 0 / frag 0 1 7 / " UDP },
	{ "S-029b", "later fragment behind the SRH (8200 4.5)",
	  "ip6 $T $E 64 / srh $R,$E 1 / frag 64 0 7 / next 17 / data 0011223344556677", "", "forward", OUT(2),
	  .out = "ip6 $T $R 63 / srh $R,$E 0 / frag 64 0 7 / next 17 / data 0011223344556677" },
	{ "S-029c", "fragment at the last segment (8200 4.5)", "ip6 $T $E 64 / srh $E 0 / frag 0 1 7 / " UDP, "",
	  "fragmented", .want = WANT_DROP },
	{ "S-030", "SRH longer than the packet", "ip6 $T $E 64 / srh $R,$E 1 / " UDP, "41=20",
	  "truncated", .want = WANT_DROP },
	{ "S-031", "payload of 4 octets", "ip6 $T $E 64 / next 43 / data 11000401", "",
	  "truncated", .want = WANT_DROP },
	{ "S-033", "no error about an error (4443 2.4(e.1))", "ip6 $T $E 64 / srh $R,$E 3 / icmp6 1 0 / fill 48", "",
	  "bad-list", .want = WANT_SILENT },
	{ "S-181", "hop-by-hop behind the SRH (8200 4)",
	  "ip6 $T $E 64 / srh $E 0 / dstopt 010400000000 / " UDP, "40=00",
	  "next-header", PP1(40) },
	{ "S-182a", "unknown option to skip (8200 4.2)",
	  "ip6 $T $E 64 / dstopt 1e0400000000 / srh $R,$E 1 / " UDP, "",
	  "forward", OUT(2), .out = "ip6 $T $R 63 / dstopt 1e0400000000 / srh $R,$E 0 / " UDP },
	{ "S-182b", "unknown option, silent drop (8200 4.2)",
	  "ip6 $T $E 64 / dstopt 5e0400000000 / srh $R,$E 1 / " UDP, "",
	  "option-drop", .want = WANT_DROP },
	{ "S-182c", "unknown option, answer (8200 4.2)",
	  "ip6 $T $E 64 / dstopt 9e0400000000 / srh $R,$E 1 / " UDP, "",
	  "option", PP2(42) },

	{ "S-040", "PSP pops (8986 4.16.1.2)", "ip6 $T $Epsp 64 / srh $R,$Epsp 1 / " IN6, "", "forward", OUT(2),
	  .out = "ip6 $T $R 63 / " IN6 },
	{ "S-041", "PSP not yet (8986 4.16.1.2)", "ip6 $T $Epsp 64 / srh $R,$Q,$Epsp 2 / " IN6, "", "forward", OUT(2),
	  .out = "ip6 $T $Q 63 / srh $R,$Q,$Epsp 1 / " IN6 },
	{ "S-042", "PSP pops a reduced SRH (8986 4.16.1.2)", "ip6 $T $Epsp 64 / srh $R 1 / " IN6, "",
	  "forward", OUT(2),
	  .out = "ip6 $T $R 63 / " IN6 },
	{ "S-043", "PSP behind hop-by-hop (8986 4.16.1.2 S14.2)",
	  "ip6 $T $Epsp 64 / hbh 010400000000 / srh $R,$Epsp 1 / " IN6, "", "forward", OUT(2),
	  .out = "ip6 $T $R 63 / hbh 010400000000 / " IN6 },
	{ "S-044", "PSP pops TLVs too (8986 4.16.1.2 S14.3)",
	  "ip6 $T $Epsp 64 / srh $R,$Epsp 1 / tlv 0406000000000000 / " IN6, "", "forward", OUT(2),
	  .out = "ip6 $T $R 63 / " IN6 },
	{ "S-045", "PSP is no decapsulation (8986 4.1.1)", "ip6 $T $Epsp 64 / srh $Epsp 0 / " IN6, "",
	  "upper-refused", PP4(64) },
	{ "S-046", "USP delivers (8986 4.16.2)", "ip6 $T $Eusp 64 / srh $Eusp 0 / " ECHO, "",
	  "local", .want = WANT_REPLY,
	  .out = "ip6 $Eusp $T 64 / " REPLY },
	{ "S-047", "USP keeps when advancing (8986 4.16.2)", "ip6 $T $Eusp 64 / srh $R,$Eusp 1 / " IN6,
	  "", "forward", OUT(2),
	  .out = "ip6 $T $R 63 / srh $R,$Eusp 0 / " IN6 },
	{ "S-048", "USD, IPv6 inside (8986 4.16.3)", "ip6 $T $Eusd 64 / srh $Eusd 0 / " IN6, "", "decap6", OUT(2),
	  .out = IN6_9 },
	{ "S-049", "USD, IPv4 inside (8986 4.16.3)", "ip6 $T $Eusd 64 / srh $Eusd 0 / " IN4, "", "decap4", OUT(2),
	  .out = IN4_9 },
	{ "S-050", "USD without SRH (8986 4.16.3)", "ip6 $T $Eusd 64 / " IN6, "", "decap6", OUT(2), .out = IN6_9 },
	{ "S-051", "USD, UDP not allowed (8986 4.1.1)", "ip6 $T $Eusd 64 / srh $Eusd 0 / " UDP, "",
	  "upper-refused", PP4(64) },
	{ "S-052", "End.X USD to J, IPv6 (8986 4.16.3)", "ip6 $T $Xusd 64 / srh $Xusd 0 / " IN6, "",
	  "cross-connect", OUT(3),
	  .out = IN6_9 },
	{ "S-052b", "End.X USD to J, IPv4 (8986 4.16.3)", "ip6 $T $Xusd 64 / srh $Xusd 0 / " IN4, "",
	  "cross-connect", OUT(3),
	  .out = IN4_9 },
	{ "S-053", "End.T USD in T, IPv6 (8986 4.16.3)", "ip6 $T $T6usd 64 / srh $T6usd 0 / " IN6, "",
	  "decap6", OUT(4),
	  .out = IN6_9 },
	{ "S-053b", "End.T USD in T, IPv4 (8986 4.16.3)", "ip6 $T $T6usd 64 / srh $T6usd 0 / " IN4, "",
	  "decap4", OUT(4),
	  .out = IN4_9 },
	{ "S-054", "all flavors pop (8986 4.16.1.2)", "ip6 $T $Eall 64 / srh $R,$Eall 1 / " IN6, "",
	  "forward", OUT(2),
	  .out = "ip6 $T $R 63 / " IN6 },
	{ "S-055", "all flavors decapsulate (8986 4.16.3)", "ip6 $T $Eall 64 / srh $Eall 0 / " IN6, "",
	  "decap6", OUT(2),
	  .out = IN6_9 },
	{ "S-056", "USP only is no decapsulation (8986 4.1.1)", "ip6 $T $Eusp 64 / srh $Eusp 0 / " IN6,
	  "", "upper-refused", PP4(64) },
	{ "S-057", "PSP at hop limit 1 (8986 4.1 S05)", "ip6 $T $Epsp 1 / srh $R,$Epsp 1 / " IN6, "",
	  "hop-limit", TE0 },

	{ "S-060", "End.X ignores the table (8986 4.2)", "ip6 $T $X 64 / srh $R,$X 1 / " IN6, "",
	  "cross-connect", OUT(3),
	  .out = "ip6 $T $R 63 / srh $R,$X 0 / " IN6 },
	{ "S-060b", "End.X with PSP (8986 4.2, 4.16.1)", "ip6 $T $Xpsp 64 / srh $R,$Xpsp 1 / " IN6, "",
	  "cross-connect", OUT(3),
	  .out = "ip6 $T $R 63 / " IN6 },
	{ "S-063", "End.T looks in T (8986 4.3)", "ip6 $T $T6 64 / srh $R7,$T6 1 / " IN6, "", "forward", OUT(4),
	  .out = "ip6 $T $R7 63 / srh $R7,$T6 0 / " IN6 },
	{ "S-064", "End.DT6 (8986 4.6)", "ip6 $T $DT6 64 / srh $DT6 0 / " IN6, "", "decap6", OUT(5), .out = IN6_9 },
	{ "S-065", "End.DT6 without SRH (8986 4.6)", "ip6 $T $DT6 64 / " IN6, "", "decap6", OUT(5), .out = IN6_9 },
	{ "S-066", "End.DT6 at hop limit 1 (8200 3)", "ip6 $T $DT6 1 / srh $DT6 0 / " IN6, "", "decap6", OUT(5),
	  .out = IN6_9 },
	{ "S-066b", "End.DT6 at hop limit 0 (8200 3)", "ip6 $T $DT6 1 / srh $DT6 0 / " IN6, "7=0", "decap6", OUT(5),
	  .out = IN6_9 },
	{ "S-067", "End.DT6 must be last (8986 4.6)", "ip6 $T $DT6 64 / srh $R,$DT6 1 / " IN6, "",
	  "not-last", PP0(43) },
	{ "S-068", "End.DT6, IPv4 inside (8986 4.1.1)", "ip6 $T $DT6 64 / " IN4, "", "upper-refused", PP4(40) },
	{ "S-069", "End.DT46, IPv6 (8986 4.8)", "ip6 $T $DT46 64 / " IN6, "", "decap6", OUT(5), .out = IN6_9 },
	{ "S-069b", "End.DT46, IPv4 (8986 4.8)", "ip6 $T $DT46 64 / " IN4, "", "decap4", OUT(4), .out = IN4_9 },
	{ "S-070", "End.DT4 answers a ping (9259 2.2)", "ip6 $T $DT4 64 / " ECHO, "", "local", .want = WANT_REPLY,
	  .out = "ip6 $DT4 $T 64 / " REPLY },
	{ "S-070b", "End.DT4 (8986 4.7)", "ip6 $T $DT4 64 / srh $DT4 0 / " IN4, "", "decap4", OUT(5), .out = IN4_9 },
	{ "S-071", "inner IPv6 of 20 octets",
	  "ip6 $T $DT6 64 / next 41 / data 6000000000083b400000000000000000000000aa", "",
	  "inner-short", .want = WANT_DROP },
	{ "S-072", "IPv4 where IPv6 is said", "ip6 $T $DT6 64 / " IN4, "6=29", "inner-version", .want = WANT_DROP },
	{ "S-073", "End.DX6 (8986 4.4)", "ip6 $T $DX6 64 / srh $DX6 0 / " IN6, "", "cross-connect", OUT(3),
	  .out = IN6_9 },
	{ "S-074", "End.DX4 (8986 4.5)", "ip6 $T $DX4 64 / srh $DX4 0 / " IN4, "", "cross-connect", OUT(3),
	  .out = IN4_9 },
	{ "S-081", "Ethernet at End.DT6 (8986 4.1.1)", "ip6 $T $DT6 64 / eth / " IN6, "", "upper-refused", PP4(40) },
	{ "S-082", "destination options and SRH removed (8986 4.6)",
	  "ip6 $T $DT6 64 / dstopt 010400000000 / srh $DT6 0 / " IN6, "", "decap6", OUT(5), .out = IN6_9 },
	{ "S-083", "CE to ECT(0) inside (6040 4.2)", "ip6 $T $DT6 64 / " IN6, "1=30 41=20", "decap6", OUT(5),
	  .out = IN6_9,
	  .out_set = "1=30" },
	{ "S-083b", "CE to ECT(1), IPv4 inside (6040 4.2)", "ip6 $T $DT4 64 / ip4 $A4 $B4 10 / udp / fill 16",
	  "1=30 41=01 50=99 51=be", "decap4", OUT(5),
	  .out = "ip4 $A4 $B4 9 / udp / fill 16", .out_set = "1=03 10=9a 11=bc" },
	{ "S-084", "CE, inner knows no ECN (6040 4.2)", "ip6 $T $DT6 64 / " IN6, "1=30",
	  "inner-ecn", .want = WANT_DROP },
	{ "S-085", "inner class stays (2983 pipe)", "ip6 $T $DT6 64 / " IN6, "0=6b 1=80 40=62 41=80",
	  "decap6", OUT(5),
	  .out = IN6_9, .out_set = "0=62 1=80" },
	{ "S-184", "no list check at SL 0 (8986 4.6)", "ip6 $T $DT6 64 / srh $DT6 0 / " IN6, "44=09",
	  "decap6", OUT(5),
	  .out = IN6_9 },
};
/* clang-format on */

#define N_ENDPOINT_ROWS (sizeof(endpoint_rows) / sizeof(endpoint_rows[0]))

#endif
