/* SPDX-License-Identifier: BSD-3-Clause
 * The rows of the conformance table beside those of the endpoint behaviors (rows.h): addresses that are no SIDs,
 * limits, the headend, the edge of the domain, and what is not carried yet.  Run by heddle-conformance.
 *
 * Notation and $NAMES as in rows.h.  The node is that of lab.h, and in addition (suite_srv6.c):
 *
 *   policy   encapsulation   segment lists                 steered into it
 *   full     H.Encaps        S1,S2,S3                      2001:db8:d1::/64, 10.0.101.0/24
 *   red      H.Encaps.Red    S1,S2,S3                      2001:db8:d2::/64, 10.0.102.0/24
 *   one      H.Encaps.Red    S1                            2001:db8:d3::/64
 *   shares   H.Encaps        3 x S1, 1 x S2                2001:db8:d4::/64
 *   invalid  H.Encaps        none                          2001:db8:d5::/64
 *   narrow   H.Encaps        C14,S1,S2,S3,Q by MTU 1400    2001:db8:d6::/64
 *   2001:db8:b::/48 is unreachable; 2001:db8:b::1a0 is an End SID that allows TCP only, ::1a1 one that allows UDP;
 *   2001:db8:b::110 is an End SID, ::111 an End.DT6 SID of table 10, that require an HMAC. */
#ifndef SRV6_TESTS_ROWS_MORE_H
#define SRV6_TESTS_ROWS_MORE_H

#include "pipelines/srv6/tests/rows.h"

enum more_want {
	MORE_OUT,   /* `out` leaves on `port` */
	MORE_ENCAP, /* the same, with any flow label but 0 */
	MORE_ICMP6, /* error `type`, `code`, `data` to the source, quoting the packet as received */
	MORE_ICMP4, /* the same of IPv4 */
	MORE_DROP,  /* nothing leaves */
	MORE_LIMITED, /* `times` packets bring 1 to `data` errors */
	MORE_SPREAD,
	/* `times` flows leave on `port` and the next one, `data` percent on the first, each flow on one */
	MORE_SHARES, /* `times` flows leave on `port` to S1 and S2, `data` percent to the first, each flow to one */
	MORE_LABELS, /* flows have outer flow labels that differ, and stay */
	MORE_COUNTED, /* the SID's counter shows what was forwarded, and nothing else; in this process only */
	MORE_ELSEWHERE, /* shown by another test: `later` says by which */
	MORE_LATER,     /* not carried: `later` says what */
};

struct more_row {
	const char *id, *why;
	const char *in, *set;
	const char *node, *verdict; /* NULL: not asked for */
	enum more_want want;
	uint8_t type, code;
	uint32_t data, port, times;
	const char *out, *out_set;
	const char *later;
};

#define TO(net, hop)  "ip6 $A 2001:db8:" net "::1 " hop " / udp / fill 16"
#define TO4(net, ttl) "ip4 $A4 10.0." net ".1 " ttl " / udp / fill 16"
#define NOT_YET(what) .want = MORE_LATER, .later = what

/* HMAC TLVs of the suite's keys, 42 "a secret of the suite" and 43 "another secret",
	  computed with Python's hmac over the
 * text of RFC 8754 section 2.1.2.1: source $T, and the list of the row. */
#define TLV(d, key, digest) "tlv 0526" d "000000" key digest
#define MAC_GOOD            "9b8ee32ca8d3fdf5488e682a1eb062cb8f67ed7632b9b38f5faf13e7c8fdbaa9"
#define MAC_FLAGS           "c92cb648b9234e0203e8ab150f703346492b05ab1cd19a68ce93c26cb30bc984"
#define MAC_RED_D           "5fd3f56ee5ffd4efbda53a94e23e66b2735c0cac97eab866f602a1e24d6a2bb2"
#define MAC_RED             "893cc137db893d057dd8c7852d8f07574741a8d3390fd88114e30dc839109718"
#define MAC_LINUX           "d2dd2e42bb2a9d8de5cc9cd81a343a7a980f927033d4d66f4d350d32743962bc"
#define MAC_OTHER_LIST      "1d9e617d5a773d4c96c77fa693b59dbc31572433067ca2281fe10d142c2df638"
#define MAC_LAST            "0063e09cd8e802152a9d39016e757e1450494242b120510ce086697449b7a03b"
#define MAC_OTHER_KEY       "fa6abad8b2987affb50c06e5e56c96bdfc37680687c4c7142d0c94b42c13e617"
#define SIGNED_BY(mac)      "ip6 $T 2001:db8:b::110 64 / srh $R,2001:db8:b::110 1 / " mac " / " UDP
#define SIGNED              SIGNED_BY(TLV("0000", "2a", MAC_GOOD))
#define HMAC_BAD            "srv6-endpoint", "hmac-bad", MORE_ICMP6, .type = 4, .data = 80
#define HMAC_GOOD(out_text) "srv6-endpoint", "forward", MORE_OUT, .port = 2, .out = out_text
#define SIGNED_OUT(mac)     "ip6 $T $R 63 / srh $R,2001:db8:b::110 0 / " mac " / " UDP

/* clang-format off */
static const struct more_row more_rows[] = {
	{ "S-022", "SRH with segments left at an address that is no SID (8754 4.3.2)",
	  "ip6 $T $L 64 / srh $R,$L 1 / " UDP, "", .want = MORE_ICMP6, .type = 4, .data = 42 },
	{ "S-023", "used-up SRH at such an address is ignored (8754 4.3.2)", "ip6 $T $L 64 / srh $L 0 / " ECHO, "",
	  .want = MORE_OUT, .port = 1, .out = "ip6 $L $T 64 / " REPLY },
	{ "S-024", "transit does not look at the SRH (8754 4.2)", "ip6 $T $Q 64 / srh $R,$Q 1 / " UDP, "44=c8",
	  .want = MORE_OUT, .port = 2, .out = "ip6 $T $Q 63 / srh $R,$Q 1 / " UDP, .out_set = "44=c8" },
	{ "S-025", "unassigned SID of the locator (8754 4.3.4)", "ip6 $T 2001:db8:b::999 64 / srh $R,$E 1 / " UDP, "",
	  .want = MORE_ICMP6, .type = 1 },
	{ "S-026", "no route to the next segment (4443 3.1)", "ip6 $T $E 64 / srh 2001:db8:dead::1,$E 1 / " UDP, "",
	  "srv6-endpoint", "no-route", MORE_ICMP6, .type = 1 },
	{ "S-026b", "no route, with PSP: quoted as received (4443 3.1)",
	  "ip6 $T $Epsp 64 / srh 2001:db8:dead::1,$Epsp 1 / " UDP, "", "srv6-endpoint", "no-route", MORE_ICMP6,
	  .type = 1 },
	{ "S-032", "group source: no error (4443 2.4(e.6))", "ip6 ff02::9 $E 64 / srh $R,$E 3 / " UDP, "",
	  .want = MORE_DROP },
	{ "S-034", "errors are limited in rate (4443 2.4(f))", "ip6 $T $E 64 / srh $R,$E 3 / " UDP, "",
	  "srv6-endpoint", "bad-list", MORE_LIMITED, .times = 1000, .data = 500 },
	{ "S-035", "a long packet is quoted up to 1280 octets (4443 2.4(c))",
	  "ip6 $T $E 64 / srh $R,$E 3 / udp / fill 1412", "", "srv6-endpoint", "bad-list", MORE_ICMP6, .type = 4,
	  .data = 43 },
	{ "S-180", "too big behind the SID (8200 5)", "ip6 $T $E 64 / srh 2001:db8:c:14::1,$E 1 / udp / fill 1412",
	  "",
	  "srv6-endpoint", "too-big", MORE_ICMP6, .type = 2, .data = 1400 },
	{ "S-180b", "PSP makes it fit (8986 4.16.1.2)",
	  "ip6 $T $Epsp 64 / srh 2001:db8:c:14::1,$Epsp 1 / udp / fill 1352", "", "srv6-endpoint", "forward",
	  MORE_OUT, .port = 6, .out = "ip6 $T 2001:db8:c:14::1 63 / udp / fill 1352" },

	{ "S-061", "End.X over a set of next hops: spread, and stable per flow (8986 4.2)",
	  "ip6 $T 2001:db8:b::260 64 / srh $R,2001:db8:b::260 1 / " UDP, "",
	  .want = MORE_SPREAD, .port = 2, .times = 1000, .data = 50 },

	{ "S-090", "H.Encaps, three SIDs; class copied, hop counted (8986 5.1)", TO("d1", "64"), "0=6b 1=80",
	  "srv6-encap", "forward", MORE_ENCAP, .port = 2, .out = "ip6 $T $S1 64 / srh $S3,$S2,$S1 2 / " TO("d1",
	  "63"),
	  .out_set = "0=6b 1=80 96=6b 97=80" },
	{ "S-091", "H.Encaps.Red, three SIDs (8986 5.2)", TO("d2", "64"), "", "srv6-encap", "forward", MORE_ENCAP,
	  .port = 2, .out = "ip6 $T $S1 64 / srh $S3,$S2 2 / " TO("d2", "63") },
	{ "S-092", "H.Encaps.Red, one SID: no SRH (8986 5.2)", TO("d3", "64"), "", "srv6-encap", "forward",
	  MORE_ENCAP,
	  .port = 2, .out = "ip6 $T $S1 64 / " TO("d3", "63") },
	{ "S-094", "H.Encaps, IPv4 inside (8986 5.1)", TO4("101", "64"), "", "srv6-encap", "forward", MORE_ENCAP,
	  .port = 2, .out = "ip6 $T $S1 64 / srh $S3,$S2,$S1 2 / " TO4("101", "63") },
	{ "S-094b", "H.Encaps.Red, IPv4 inside (8986 5.2)", TO4("102", "64"), "", "srv6-encap", "forward", MORE_ENCAP,
	  .port = 2, .out = "ip6 $T $S1 64 / srh $S3,$S2 2 / " TO4("102", "63") },
	{ "S-095", "H.Encaps, TTL 1 (1812 5.3.1)", TO4("101", "1"), "", "ip4-input", "ttl", MORE_ICMP4,
	  .type = 11, .port = 1 },
	{ "S-095b", "H.Encaps, hop limit 1 (8200 3)", TO("d1", "1"), "", "ip6-input", "hop-limit", MORE_ICMP6,
	  .type = 3 },
	{ "S-097", "a flow label for each flow (6437 3, 6438 3)",
	  "ip6 $A 2001:db8:d1::1 64 / udp %u 2000 / fill 16", "",
	  .want = MORE_LABELS, .port = 2, .times = 64 },
	{ "S-098", "too big for the encapsulation (2473 7.1)", "ip6 $A 2001:db8:d1::1 64 / udp / fill 1452", "",
	  "srv6-encap", "too-big", MORE_ICMP6, .type = 2, .data = 1404 },
	{ "S-099", "too big at the smallest MTU: dropped by name, never fragmented outside (2473 7.1)",
	  "ip6 $A 2001:db8:d6::1 64 / udp / fill 1232", "", "srv6-encap", "too-big-min", .want = MORE_DROP },
	{ "S-100", "IPv4 with DF too big for the encapsulation (2473 7.2)", "ip4 $A4 10.0.101.1 64 / udp / fill 1472",
	  "6=40", "srv6-encap", "too-big", MORE_ICMP4, .type = 3, .code = 4, .data = 1404, .port = 1 },
	{ "S-104", "End.BM (8986 4.15)", "", "",
	  NOT_YET("it pushes MPLS labels for domains that forward by MPLS (section 4.15), and Heddle has no MPLS: "
		  "configuration and data plane refuse End.BM with that reason (unit test srv6_steer, sids_refused)") },
	{ "S-105", "weighted lists: shares 75 to 25, stable per flow (9256 2.11)",
	  "ip6 $A 2001:db8:d4::1 64 / udp %u 2000 / fill 16", "", .want = MORE_SHARES, .port = 2, .times = 4000,
	  .data = 75 },
	{ "S-106", "the preferred candidate path, and back to it (9256 2.9)", "", "",
	  .want = MORE_ELSEWHERE, .later = "unit test srv6, s106_liveness_moves_the_active_path, and lab test_srv6_headend" },
	{ "S-107", "a policy without a valid list drops (9256 8.2)", TO("d5", "64"), "", "srv6-encap",
	  "invalid-policy",
	  .want = MORE_DROP },

	{ "S-110", "TLV past the SRH, TLVs processed (8754 2.1)", SIGNED, "81=27",
	  "srv6-endpoint", "tlv-overrun", MORE_ICMP6, .type = 4, .data = 41 },
	{ "S-111", "TLV past the SRH, TLVs not processed (8754 4.3.1.1.1)",
	  "ip6 $T $E 64 / srh $R,$E 1 / tlv 0407000000000000 / " UDP, "", "srv6-endpoint", "forward", MORE_OUT,
	  .port = 2,
	  .out = "ip6 $T $R 63 / srh $R,$E 0 / tlv 0407000000000000 / " UDP },
	{ "S-112", "TLV without length, TLVs processed (8754 2.1)", SIGNED, "81=25 119=04",
	  "srv6-endpoint", "tlv-overrun", MORE_ICMP6, .type = 4, .data = 41 },
	{ "S-114", "unknown TLVs (8754 2.1)", "ip6 $T $E 64 / srh $R,$E 1 / tlv 7c02aabbfc020102 / " UDP, "",
	  "srv6-endpoint", "forward", MORE_OUT, .port = 2,
	  .out = "ip6 $T $R 63 / srh $R,$E 0 / tlv 7c02aabbfc020102 / " UDP },
	{ "S-115", "HMAC: valid (8754 2.1.2.1)", SIGNED, "",
	  HMAC_GOOD(SIGNED_OUT(TLV("0000", "2a", MAC_GOOD))) },
	{ "S-116", "HMAC: digest changed (8754 2.1.2.1)", SIGNED, "119=00",
	  HMAC_BAD },
	{ "S-117", "HMAC: missing (8754 4.3.1.1.1)", "ip6 $T 2001:db8:b::110 64 / srh $R,2001:db8:b::110 1 / " UDP,
	  "",
	  "srv6-endpoint", "hmac-missing", .want = MORE_DROP },
	{ "S-118", "HMAC: unknown key (8754 2.1.2.2)", SIGNED_BY(TLV("0000", "2c", MAC_GOOD)), "",
	  HMAC_BAD },
	{ "S-119", "HMAC: list changed (8754 2.1.2.1)", SIGNED, "63=02",
	  HMAC_BAD },
	{ "S-120", "HMAC: reduced SRH, D set (8754 2.1.2.1)",
	  "ip6 $T 2001:db8:b::110 64 / srh $R 1 / " TLV("8000", "2a", MAC_RED_D) " / " UDP, "",
	  HMAC_GOOD("ip6 $T $R 63 / srh $R 0 / " TLV("8000", "2a", MAC_RED_D) " / " UDP) },
	{ "S-121", "HMAC: reduced SRH, D clear (8754 2.1.2.1)",
	  "ip6 $T 2001:db8:b::110 64 / srh $R 1 / " TLV("0000", "2a", MAC_RED) " / " UDP, "",
	  "srv6-endpoint", "hmac-bad", MORE_ICMP6, .type = 4, .data = 64 },
	{ "S-122", "HMAC: the destination is not the segment (8754 2.1.2.1)",
	  "ip6 $T 2001:db8:b::110 64 / srh $R,$Q 1 / " TLV("0000", "2a", MAC_OTHER_LIST) " / " UDP, "",
	  HMAC_BAD },
	{ "S-123", "HMAC: the tag is not covered (8754 2.1.2.1)", SIGNED, "46=be 47=ef",
	  HMAC_GOOD(SIGNED_OUT(TLV("0000", "2a", MAC_GOOD))), .out_set = "46=be 47=ef" },
	{ "S-124", "HMAC: the digest of Linux (8754 2.1.2.1)", SIGNED_BY(TLV("0000", "2a", MAC_LINUX)), "",
	  HMAC_BAD },
	{ "S-125", "HMAC: Length is not 6 + 8k (8754 2.1.2)", SIGNED, "81=25",
	  "srv6-endpoint", "tlv-overrun", MORE_ICMP6, .type = 4, .data = 41 },
	{ "S-126", "HMAC: flags are covered, with their own digest (8754 2.1.2.1)",
	  SIGNED_BY(TLV("0000", "2a", MAC_FLAGS)), "45=08",
	  HMAC_GOOD(SIGNED_OUT(TLV("0000", "2a", MAC_FLAGS))), .out_set = "45=08" },
	{ "S-126b", "HMAC: flags changed (8754 2.1.2.1)", SIGNED, "45=08",
	  HMAC_BAD },
	{ "S-131", "HMAC: good at the last segment (8986 9)",
	  "ip6 $T 2001:db8:b::111 64 / srh 2001:db8:b::111 0 / " TLV("0000", "2a", MAC_LAST) " / " IN6, "",
	  "srv6-endpoint", "decap6", MORE_OUT, .port = 5, .out = IN6_9 },
	{ "S-131b", "HMAC: bad at the last segment (8986 9)",
	  "ip6 $T 2001:db8:b::111 64 / srh 2001:db8:b::111 0 / " TLV("0000", "2a", MAC_GOOD) " / " IN6, "",
	  "srv6-endpoint", "hmac-bad", MORE_ICMP6, .type = 4, .data = 64 },
	{ "S-132", "HMAC: two keys at once, as in a roll (8754 2.1.2.2)",
	  SIGNED_BY(TLV("0000", "2b", MAC_OTHER_KEY)), "",
	  HMAC_GOOD(SIGNED_OUT(TLV("0000", "2b", MAC_OTHER_KEY))) },
	{ "S-128", "O-flag, not processed: goes on unchanged (9259 2.1.1)", "ip6 $T $E 64 / srh $R,$E 1 / " UDP,
	  "45=20",
	  "srv6-endpoint", "forward", MORE_OUT, .port = 2, .out = "ip6 $T $R 63 / srh $R,$E 0 / " UDP,
	  .out_set = "45=20" },
	{ "S-129", "O-flag at the last segment: one reply (9259 2.1.1)", "ip6 $T $E 64 / srh $E 0 / " ECHO, "45=20",
	  "srv6-endpoint", "local", MORE_OUT, .port = 1, .out = "ip6 $E $T 64 / " REPLY },
	{ "S-133", "the list is checked before TLVs (8754 4.3.1.1)",
	  "ip6 $T $E 64 / srh $R,$E 1 / tlv 0407000000000000 / " UDP, "44=09", "srv6-endpoint", "bad-list",
	  MORE_ICMP6,
	  .type = 4, .data = 43 },

	{ "S-160", "six CSIDs of one node, then an upper layer (9800 4.1.1)",
	  "ip6 $T $uN 64 / " ECHO, "30=01 32=01 34=01 36=01 38=01", .want = MORE_OUT, .port = 1,
	  .out = "ip6 2001:db8:100:: $T 64 / " REPLY }, /* its checksum is that of the last destination: 9800 6.5 */
	{ "S-160b", "six CSIDs of one node, just enough hops (9800 4.1.1)",
	  "ip6 $T $uN 6 / " ECHO, "30=01 32=01 34=01 36=01 38=01", .want = MORE_OUT, .port = 1,
	  .out = "ip6 2001:db8:100:: $T 64 / " REPLY },
	{ "S-161", "checksum of what is sent over a container (9800 6.5)", "", "",
	  NOT_YET("the section is for nodes whose own UDP, TCP or ICMPv6 is under the compressed list: Heddle's "
		  "probes compress nothing (they are given every SID), and what its headend encapsulates keeps its "
		  "own checksum") },

	{ "S-170", "ping of a SID (9259 2.2)", "ip6 $T $E 64 / " ECHO, "", "srv6-endpoint", "local", MORE_OUT,
	  .port = 1,
	  .out = "ip6 $E $T 64 / " REPLY },
	{ "S-171", "ping through a list: a reply without SRH (9259 2.2)", "ip6 $T $E 64 / srh $E,$Q 0 / " ECHO, "",
	  "srv6-endpoint", "local", MORE_OUT, .port = 1, .out = "ip6 $E $T 64 / " REPLY },
	{ "S-172", "ping of an End.X SID is answered here (9259 2.2)", "ip6 $T $X 64 / " ECHO, "", "srv6-endpoint",
	  "local",
	  MORE_OUT, .port = 1, .out = "ip6 $X $T 64 / " REPLY },
	{ "S-173", "traceroute to a SID: UDP is not allowed (9259 A.2.2)",
	  "ip6 $T $E 64 / udp 33434 33434 / fill 16", "",
	  "srv6-endpoint", "upper-refused", MORE_ICMP6, .type = 4, .code = 4, .data = 40 },
	{ "S-173b", "traceroute through a SID: hop limit (9259 A.2.2)",
	  "ip6 $T $E 1 / srh $R,$E 1 / udp 33434 33434 / fill 16", "", "srv6-endpoint", "hop-limit", MORE_ICMP6,
	  .type = 3 },
	{ "S-174", "ping of a SID that does not allow it (8986 4.1.1)", "ip6 $T 2001:db8:b::1a0 64 / " ECHO, "",
	  "srv6-endpoint", "upper-refused", MORE_ICMP6, .type = 4, .code = 4, .data = 40 },
	{ "S-179", "a SID counts what it forwarded, and nothing else (8986 6)",
	  "ip6 $T $E 64 / srh $R,$E 1 / " UDP, "",
	  .want = MORE_COUNTED, .port = 2, .times = 5 },
	{ "S-187", "traceroute to a SID that allows UDP: nobody listens (9259 A.2.2)",
	  "ip6 $T 2001:db8:b::1a1 64 / udp 33434 33434 / fill 16", "", "srv6-endpoint", "local", MORE_ICMP6,
	  .type = 1, .code = 4 },
	{ "S-188", "a loop through End.X comes back (9259 A.4)", "", "", 
	  .want = MORE_ELSEWHERE, .later = "lab test_srv6_oam, test_ping with a list that ends at an own SID" },
	{ "S-189", "extended Time Exceeded (4884 4.6)", "", "",
	  NOT_YET("extensions, which a sender may leave out (sections 3 and 5), and RFC 9259 asks for none: errors "
		  "carry as much of the packet as fits 1280 octets (RFC 4443 section 2.4)") },
};
/* clang-format on */
#define N_MORE_ROWS (sizeof(more_rows) / sizeof(more_rows[0]))

#endif
