/* SPDX-License-Identifier: BSD-3-Clause
 * IOAM: node data and traces octet by octet, what the parsers refuse, and a node in all its roles.
 *
 *   host 2001:db8:a::1 -- [if 1: ::9] Heddle [if 2: 2001:db8:b::9] -- 2001:db8:b::1, behind it 2001:db8:f::/48 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/debug_api.h"
#include "dataplane/wallclock.h"
#include "heddle/api/altmark.h"
#include "heddle/api/ioam.h"
#include "pipelines/pm/ioam.h"
#include "pipelines/pm/tests/bed.h"

#define S 1000000000ull

static const struct hd_api_ioam_ns ns123 = { .ns = 123,
					     .node_id = 0x101,
					     .node_id_wide = 0x0a0b0c0d0e0f01,
					     .ns_data = 0xdada0001,
					     .ns_wide = UINT64_MAX,
					     .schema = 0xffffff };
static const struct ioam_hop hop1 = { .hop_limit = 0x3f,
				      .ingress = 0x11,
				      .egress = 0x12,
				      .queue = UINT32_MAX,
				      .rx_ns = 1000 * S + 0x10000000,
				      .tai_s = 37 };

static unsigned option(const char *hex, uint8_t *buf, struct ioam_option *o)
{
	size_t n = pktb_unhex(hex, buf, 256);
	struct ip6_opt_view v = { .data = buf + 2, .type = buf[0], .len = buf[1] };

	cr_assert_eq(n, 2u + buf[1]);
	cr_assert_eq(ioam_option_parse(&v, o), 0);
	return (unsigned)n;
}

/* ---- traces ---------------------------------------------------------------------------------------------------- */

/* Trace type 0xD00000 (bits 0, 1, 3), NodeLen 3, room for two nodes. */
#define EMPTY "3122 0000 007b 1806 d0000000 000000000000000000000000 000000000000000000000000"

Test(ioam, trace_of_two_nodes_and_a_third)
{
	struct hd_api_ioam_ns ns = ns123;
	struct ioam_hop hop = hop1;
	uint8_t b[256], want[256];
	struct ioam_option o;
	size_t n;

	option(EMPTY, b, &o);
	cr_assert_eq(ioam_trace_add(b + 4, o.len, &ns, &hop), IOAM_ADDED);
	n = pktb_unhex(
		"3122 0000 007b 1803 d0000000 000000000000000000000000 3f000101 00110012 10000000",
		want, sizeof(want));
	cr_assert_eq(memcmp(b, want, n), 0, "%s", pktb_hexdump(b, n));
	ns.node_id = 0x202;
	hop = (struct ioam_hop){
		.hop_limit = 0x3e, .ingress = 0x21, .egress = 0x22, .rx_ns = 0x10100000
	};
	cr_assert_eq(ioam_trace_add(b + 4, o.len, &ns, &hop), IOAM_ADDED);
	n = pktb_unhex(
		"3122 0000 007b 1800 d0000000 3e000202 00210022 10100000 3f000101 00110012 10000000",
		want, sizeof(want));
	cr_assert_eq(memcmp(b, want, n), 0, "the first node is the last in the list\n%s",
		     pktb_hexdump(b, n));
	cr_assert_eq(ioam_trace_add(b + 4, o.len, &ns, &hop), IOAM_OVERFLOW);
	want[6] = 0x1c;
	cr_assert_eq(memcmp(b, want, n), 0, "O is set, nothing else changes");
	cr_assert_eq(ioam_trace_add(b + 4, o.len, &ns, &hop), IOAM_OVERFLOW, "and stays");
	cr_assert_eq(memcmp(b, want, n), 0);
}

Test(ioam, nodes_are_read_back)
{
	struct ioam_node node = { 0 };
	struct ioam_trace_walk w;
	struct ioam_option o;
	struct ioam_trace t;
	const uint8_t *p;
	uint8_t b[256];
	unsigned len;

	option("3122 0000 007b 1800 d0000000 3e000202 00210022 10100000 3f000101 00110012 10000000",
	       b, &o);
	cr_assert_eq(ioam_trace_parse(&o, &t), 0);
	cr_assert_eq(t.ns, 123);
	w = ioam_trace_walk(&t);
	cr_assert_eq(ioam_trace_node(&w, &p, &len), 1);
	cr_assert_eq(len, 12);
	ioam_node_decode(t.type, p, &node);
	cr_assert_eq(node.node_id, 0x202);
	cr_assert_eq(node.hop_limit, 0x3e);
	cr_assert_eq(node.egress, 0x22);
	cr_assert_eq(node.fraction, 0x10100000);
	cr_assert_eq(ioam_trace_node(&w, &p, &len), 1);
	ioam_node_decode(t.type, p, &node);
	cr_assert_eq(node.node_id, 0x101);
	cr_assert_eq(ioam_trace_node(&w, &p, &len), 0);
}

struct field_row {
	char why[56];
	uint32_t type;
	char want[64];
};
ParameterizedTestParameters(ioam, fields)
{
	static struct field_row rows[] = {
		{ "hop limit and node id", IOAM_T_HOP, "3f000101" },
		{ "interfaces", IOAM_T_IFACE, "00110012" },
		{ "PTP seconds are TAI", IOAM_T_SECONDS, "0000040d" },
		{ "PTP nanoseconds", IOAM_T_FRACTION, "10000000" },
		{ "transit delay is not available", IOAM_T_DELAY, "ffffffff" },
		{ "namespace data", IOAM_T_NS, "dada0001" },
		{ "queue depth is not available", IOAM_T_QUEUE, "ffffffff" },
		{ "checksum complement is not available", IOAM_T_CHECKSUM, "ffffffff" },
		{ "wide node id", IOAM_T_HOP_WIDE, "3f0a0b0c0d0e0f01" },
		{ "wide interfaces", IOAM_T_IFACE_WIDE, "0000001100000012" },
		{ "wide namespace data are not available", IOAM_T_NS_WIDE, "ffffffffffffffff" },
		{ "buffer occupancy is not available", IOAM_T_BUFFER, "ffffffff" },
		{ "an undefined bit (9197 4.4.1)", IOAM_BIT(12), "ffffffff" },
		{ "no schema (9197 4.4.2.13)", IOAM_T_OPAQUE, "00ffffff" },
		{ "in the order of bits, opaque last",
		  IOAM_T_HOP | IOAM_T_NS_WIDE | IOAM_BIT(13) | IOAM_T_OPAQUE,
		  "3f000101 ffffffffffffffff ffffffff 00ffffff" },
	};
	return cr_make_param_array(struct field_row, rows, sizeof(rows) / sizeof(rows[0]));
}
ParameterizedTest(struct field_row *r, ioam, fields)
{
	uint8_t b[64], want[64];
	size_t n = pktb_unhex(r->want, want, sizeof(want));

	cr_assert_eq(ioam_words(&ns123, r->type) * 4, n, "%s: what is written is what is reserved",
		     r->why);
	cr_assert_eq(ioam_node_write(b, &ns123, r->type, &hop1), n, "%s", r->why);
	cr_assert_eq(memcmp(b, want, n), 0, "%s\n%s", r->why, pktb_hexdump(b, n));
}

Test(ioam, time_formats)
{
	uint32_t s, f;

	ioam_time(HD_IOAM_PTP, &hop1, &s, &f);
	cr_assert_eq(s, 1037);
	cr_assert_eq(f, 0x10000000);
	ioam_time(HD_IOAM_NTP, &hop1, &s, &f);
	cr_assert_eq(s, 2208989800u);
	cr_assert_eq(f, (uint32_t)(((uint64_t)0x10000000 << 32) / S));
	ioam_time(HD_IOAM_POSIX, &hop1, &s, &f);
	cr_assert_eq(s, 1000);
	cr_assert_eq(f, 0x10000000 / 1000);
}

Test(ioam, opaque_snapshot)
{
	struct hd_api_ioam_ns ns = ns123;
	struct ioam_node node = { 0 };
	struct ioam_trace_walk w;
	struct ioam_option o;
	struct ioam_trace t;
	const uint8_t *p;
	uint8_t b[256];
	unsigned len;

	ns.schema = 0x00beef;
	ns.opaque_len = 8;
	memcpy(ns.opaque, "snapshot", 8);
	option("311a 0000 007b 0804 80000200 00000000 00000000 00000000 00000000", b, &o);
	cr_assert_eq(ioam_trace_add(b + 4, o.len, &ns, &hop1), IOAM_ADDED);
	cr_assert_eq(ioam_trace_parse(&o, &t), 0);
	cr_assert_eq(t.free_words, 0);
	w = ioam_trace_walk(&t);
	cr_assert_eq(ioam_trace_node(&w, &p, &len), 1);
	cr_assert_eq(len, 16);
	ioam_node_decode(t.type, p, &node);
	cr_assert_eq(node.schema, 0xbeef);
	cr_assert_eq(node.opaque_len, 8);
	cr_assert_eq(memcmp(node.opaque, "snapshot", 8), 0);
}

struct bad_row {
	char why[64], hex[128];
};
ParameterizedTestParameters(ioam, malformed)
{
	static struct bad_row rows[] = {
		{ "NodeLen is not what the type says",
		  "3122 0000 007b 1006 d0000000 "
		  "000000000000000000000000 000000000000000000000000" },
		{ "RemainingLen beyond the room (P-093)",
		  "3122 0000 007b 1807 d0000000 "
		  "000000000000000000000000 000000000000000000000000" },
		{ "not in words", "310b 0000 007b 0800 80000000 00" },
		{ "shorter than its header", "3108 0000 007b 0800 8000" },
		{ "a type without a field", "310a 0000 007b 0000 00000000" },
	};
	return cr_make_param_array(struct bad_row, rows, sizeof(rows) / sizeof(rows[0]));
}
ParameterizedTest(struct bad_row *r, ioam, malformed)
{
	uint8_t b[256], was[256];
	struct ioam_option o;
	unsigned n = option(r->hex, b, &o);

	memcpy(was, b, n);
	cr_assert_eq(ioam_trace_add(b + 4, o.len, &ns123, &hop1), IOAM_MALFORMED, "%s", r->why);
	cr_assert_eq(memcmp(b, was, n), 0, "%s: nothing is written", r->why);
}

Test(ioam, every_truncation_of_a_trace)
{
	uint8_t b[256];
	struct ioam_option o;
	unsigned n = option(EMPTY, b, &o), added = 0;

	for (unsigned len = 0; len <= o.len; len++) {
		uint8_t *part = malloc(len + (len == 0));

		memcpy(part, b + 4, len);
		if (ioam_trace_add(part, len, &ns123, &hop1) == IOAM_ADDED)
			added++;
		free(part);
	}
	cr_assert_eq(added, 1, "only the whole one");
	(void)n;
}

/* ---- direct export, edge to edge ------------------------------------------------------------------------------- */

Test(ioam, direct_export)
{
	struct ioam_option o;
	struct ioam_dex d;
	uint8_t b[256];

	option("1112 0004 007b 00c0 d0000000 0000002a 00000007", b, &o);
	cr_assert_eq(ioam_dex_parse(&o, &d), 0);
	cr_assert_eq(d.flow, 42);
	cr_assert_eq(d.seq, 7);
	cr_assert_eq(d.type, 0xd00000);
	option("1112 0004 007b 0060 d0000000 00000007 deadbeef", b, &o);
	cr_assert_eq(ioam_dex_parse(&o, &d), 0);
	cr_assert_eq(d.seq, 7, "the unknown flag 0x20 has 4 octets behind it");
	option("110e 0004 007b 00c0 d0000000 0000002a", b, &o);
	cr_assert_eq(ioam_dex_parse(&o, &d), -EBADMSG);
	option("110a 0004 007b 0000 d0000000", b, &o);
	cr_assert_eq(ioam_dex_parse(&o, &d), 0, "the shortest");
}

Test(ioam, edge_to_edge)
{
	struct ioam_option o;
	struct ioam_e2e e;
	uint8_t b[256];

	option("110a 0003 007b 4000 00000005", b, &o);
	cr_assert_eq(ioam_e2e_parse(&o, &e), 0);
	cr_assert_eq(e.seq, 5);
	option("1116 0003 007b b000 0000000100000002 00000003 00000004", b, &o);
	cr_assert_eq(ioam_e2e_parse(&o, &e), 0);
	cr_assert_eq(e.seq, 0x100000002ull);
	cr_assert_eq(e.seconds, 3);
	cr_assert_eq(e.fraction, 4);
	option("1112 0003 007b c000 0000000100000002 00000003", b, &o);
	cr_assert_eq(ioam_e2e_parse(&o, &e), -EINVAL, "both sequence numbers (P-104)");
	option("1109 0003 007b 4000 000000", b, &o);
	cr_assert_eq(ioam_e2e_parse(&o, &e), -EBADMSG);
}

/* ---- a node ---------------------------------------------------------------------------------------------------- */

#define FROM "2001:db8:a::1"
/* with PadN, so that the option is aligned */
#define TRACE    "0100" EMPTY
#define TRANSIT  ETH "ip6 " FROM " 2001:db8:f::1 64 / hbh "
#define TO_US    ETH "ip6 " FROM " 2001:db8:a::9 64 / hbh "
#define UDP_TAIL " / udp / fill 16"

static struct wallclock frozen;

static void ns_set(const struct hd_api_ioam_ns *ns)
{
	cr_assert_eq(hx_set(HD_API_IOAM_NS, ns, sizeof(*ns)), 0, "%s", hx_error());
}

static void iface_set(uint32_t id, uint32_t if_id, uint32_t flags)
{
	struct hd_api_ioam_iface i = { .iface_id = id, .if_id = if_id, .flags = flags };

	cr_assert_eq(hx_set(HD_API_IOAM_IFACE, &i, sizeof(i)), 0, "%s", hx_error());
}

static void bed_up(void)
{
	bed_start("2001:db8:f::/48");
	ns_set(&ns123);
	iface_set(1, 0x11, HD_IOAM_F_DECAP);
	iface_set(2, 0x12, 0);
	frozen = (struct wallclock){ .ns = 1000 * S + 0x10000000, .tai_s = 37 };
	wallclock_line = &frozen;
	bed_drain();
}
TestSuite(ioam_node, .init = bed_up, .fini = hx_stop);

static void unspace(char *s)
{
	/* blanks between the octets of an option are for the reader */
	char *hbh = strstr(s, "hbh "), *end, *to;

	if (hbh == NULL)
		return;
	hbh += 4;
	end = strstr(hbh, " / ");
	for (to = hbh; hbh != end; hbh++)
		if (*hbh != ' ')
			*to++ = *hbh;
	memmove(to, end, strlen(end) + 1);
}

static size_t through(const char *notation, uint32_t port)
{
	static struct pktb b;
	char text[1000];

	snprintf(text, sizeof(text), "%s", notation);
	unspace(text);
	pktb_parse(&b, text);
	hx_rx(A, b.buf, b.len);
	hx_turn();
	return hx_tx(port, frame, sizeof(frame));
}

static struct hd_api_ioam_record told[16];
static unsigned n_told;
static void keep(void *arg, uint16_t type, const void *body, size_t size)
{
	(void)arg;
	(void)type;
	memcpy(&told[n_told++], body, size);
}
static void records_read(uint64_t from)
{
	struct hd_api_reply reply = { 0 };

	n_told = 0;
	cr_assert_eq(debug_request(HD_API_IOAM_READ, &from, sizeof(from), -1, keep, NULL, &reply),
		     0);
}

static void check_option(const char *want_hex)
{
	uint8_t want[256];
	size_t n = pktb_unhex(want_hex, want, sizeof(want));

	cr_assert_eq(memcmp(frame + 14 + 40 + 4, want, n), 0, "%s", pktb_hexdump(frame + 58, n));
}

Test(ioam_node, transit_adds_its_data)
{
	cr_assert_gt(through(TRANSIT TRACE UDP_TAIL, B), 0);
	check_option(
		"3122 0000 007b 1803 d0000000 000000000000000000000000 3f000101 00110012 10000000");
	cr_assert_eq(frame[14 + 7], 63, "what the node data say");
	cr_assert_eq(hx_stat("ioam", 0, "traced"), 1);
	records_read(0);
	cr_assert_eq(n_told, 0, "transit exports nothing");
}

struct leave_row {
	char why[64], option[160], counter[24];
};
ParameterizedTestParameters(ioam_node, unchanged)
{
	static struct leave_row rows[] = {
		{ "namespace unknown (P-092)",
		  "0100 3116 0000 007c 1803 d0000000 000000000000000000000000",
		  "unknown-namespace" },
		{ "malformed", "0100 3116 0000 007b 1804 d0000000 000000000000000000000000",
		  "malformed" },
		{ "proof of transit (P-105)",
		  "0100 3116 0002 007b 0100 0000000000000000 0000000000000000", "" },
		{ "an undefined type (P-107)",
		  "0100 3116 0009 007b 1803 d0000000 000000000000000000000000", "" },
		{ "a trace that must not be changed",
		  "0100 1116 0000 007b 1803 d0000000 000000000000000000000000", "" },
	};
	return cr_make_param_array(struct leave_row, rows, sizeof(rows) / sizeof(rows[0]));
}
ParameterizedTest(struct leave_row *r, ioam_node, unchanged)
{
	char text[400];

	snprintf(text, sizeof(text), TRANSIT "%s" UDP_TAIL, r->option);
	cr_assert_gt(through(text, B), 0, "%s", r->why);
	check_option(r->option + 5);
	if (r->counter[0] != '\0')
		cr_assert_eq(hx_stat("ioam", 0, r->counter), 1, "%s", r->why);
	cr_assert_eq(hx_stat("ioam", 0, "traced"), 0, "%s", r->why);
}

Test(ioam_node, overflow)
{
	cr_assert_gt(through(TRANSIT
			     "0100 3116 0000 007b 1802 d0000000 000000000000000000000000" UDP_TAIL,
			     B),
		     0);
	check_option("3116 0000 007b 1c02 d0000000 000000000000000000000000");
	cr_assert_eq(hx_stat("ioam", 0, "overflow"), 1);
}

Test(ioam_node, off_unless_enabled)
{
	struct hd_api_ioam_iface i = { .iface_id = 1 };

	cr_assert_eq(hx_del(HD_API_IOAM_IFACE, &i, sizeof(i)), 0);
	cr_assert_gt(through(TRANSIT TRACE UDP_TAIL, B), 0);
	check_option(EMPTY);
}

Test(ioam_node, the_domain_ends_here)
{
	through(TO_US TRACE UDP_TAIL, B);
	records_read(0);
	cr_assert_eq(n_told, 1);
	cr_assert_eq(told[0].why, HD_IOAM_DECAPSULATED);
	cr_assert_eq(told[0].ns, 123);
	cr_assert_eq(told[0].node_id, 0x0a0b0c0d0e0f01ull);
	cr_assert_eq(told[0].ingress, 0x11);
	cr_assert_eq(told[0].egress, UINT32_MAX);
	cr_assert_eq(told[0].time_ns, frozen.ns);
	cr_assert_eq(told[0].data[0] >> 4, 6);
	cr_assert_eq(wire_get16(told[0].data + 44 + 6) & 0x7f, 3, "own data are in the trace");
	through(TO_US TRACE UDP_TAIL, B);
	records_read(told[0].seq + 1);
	cr_assert_eq(n_told, 1, "only what is new");
}

Test(ioam_node, direct_export_reads_only)
{
	cr_assert_gt(through(TRANSIT "0100 1112 0004 007b 00c0 d0000000 0000002a 00000007" UDP_TAIL,
			     B),
		     0);
	check_option("1112 0004 007b 00c0 d0000000 0000002a 00000007");
	records_read(0);
	cr_assert_eq(n_told, 1);
	cr_assert_eq(told[0].why, HD_IOAM_DIRECT_EXPORT);
	cr_assert_eq(told[0].egress, 0x12);
	cr_assert_eq(told[0].hop_limit, 63);
}

#define LOOP(f, type) "0100 3112 0000 007b " f " " type " 00000000 00000000"

Test(ioam_node, loopback)
{
	const struct ip6_fixed *h = (const struct ip6_fixed *)(frame + 14);
	struct ip6_addr us = pktb_addr6("2001:db8:a::9"), host = pktb_addr6(FROM);
	size_t n;

	cr_assert_gt(through(TRANSIT LOOP("0a02", "80000000") UDP_TAIL, B), 0,
		     "the original goes on");
	check_option("3112 0000 007b 0a01 80000000 00000000 3f000101");
	n = hx_tx(A, frame, sizeof(frame));
	cr_assert_eq(n, 14 + 40 + 24, "cut behind the options");
	cr_assert(ip6_addr_eq(&h->src, &us) && ip6_addr_eq(&h->dst, &host));
	cr_assert_eq(h->next_header, IP_NH_HOPOPTS);
	cr_assert_eq(frame[14 + 40], IP_NH_NONE);
	cr_assert_eq(be16_get(h->payload_len), 24);
	check_option("3112 0000 007b 0801 80000000 00000000 3f000101");
	cr_assert_eq(hx_stat("ioam", 0, "looped-back"), 1);
	cr_assert_gt(through(TRANSIT
			     "0100 3116 0000 007b 1203 90000000 000000000000000000000000" UDP_TAIL,
			     B),
		     0);
	cr_assert_eq(hx_tx(A, frame, sizeof(frame)), 0, "another trace type (P-099)");
}

Test(ioam_node, active_packets_end_here)
{
	cr_assert_gt(through(TRANSIT LOOP("0902", "80000000") UDP_TAIL, B), 0,
		     "in transit they go on");
	cr_assert_eq(hx_verdict("port-rx", "measured"), 0);
	through(TO_US LOOP("0902", "80000000") UDP_TAIL, B);
	cr_assert_eq(hx_verdict("port-rx", "measured"), 1);
	records_read(0);
	cr_assert_eq(n_told, 1, "what it tells is exported");
	cr_assert_eq(hx_mbufs_in_use(), 0);
}

/* ---- encapsulating --------------------------------------------------------------------------------------------- */

static void policy_up(struct hd_api_ioam_encap *e)
{
	struct hd_api_srv6_conf c = { .flow_seed = 1 };
	struct hd_api_srv6_seglist l = { .seglist_id = 1, .n_segs = 1 };
	struct hd_api_srv6_policy p = { .policy_id = 3,
					.name = "p",
					.encap = HD_SRV6_H_ENCAPS_RED,
					.n_lists = 1,
					.list = { { 1, 1 } } };
	struct ip6_addr a = pktb_addr6("2001:db8:e::1");

	memcpy(c.encap_source, &a, 16);
	a = pktb_addr6("2001:db8:f::51");
	memcpy(l.seg[0], &a, 16);
	cr_assert_eq(hx_set(HD_API_SRV6_CONF, &c, sizeof(c)), 0, "%s", hx_error());
	cr_assert_eq(hx_set(HD_API_SRV6_SEGLIST, &l, sizeof(l)), 0, "%s", hx_error());
	cr_assert_eq(hx_set(HD_API_SRV6_POLICY, &p, sizeof(p)), 0, "%s", hx_error());
	e->policy_id = 3;
	e->ns = 123;
	cr_assert_eq(hx_set(HD_API_IOAM_ENCAP, e, sizeof(*e)), 0, "%s", hx_error());
	hx_route(0, "2001:db8:dd::/64", HD_TARGET_POLICY, 3);
}
#define INNER ETH "ip6 " FROM " 2001:db8:dd::1 64 / udp / fill 32"

Test(ioam_node, encapsulates_a_trace)
{
	struct hd_api_ioam_encap e = {
		.trace_type = 0xd00000, .flags = HD_IOAM_E_TRACE, .nodes = 2, .every = 1
	};

	policy_up(&e);
	cr_assert_gt(through(INNER, B), 0);
	cr_assert_eq(frame[14 + 6], IP_NH_HOPOPTS);
	cr_assert_eq(frame[14 + 40], IP_NH_IP6);
	check_option(
		"3122 0000 007b 1803 d0000000 000000000000000000000000 ff000101 ffffffff 10000000");
}

Test(ioam_node, a_mark_and_a_trace_share_a_header)
{
	struct hd_api_ioam_encap e = {
		.trace_type = 0x800000, .flags = HD_IOAM_E_TRACE, .nodes = 2, .every = 1
	};
	struct hd_api_altmark_flow f = { .flow_id = 1, .mon_id = 0x12345, .source = { 0x20, 1 } };
	struct hd_api_altmark_mark m = { .policy_id = 3, .flow_id = 1, .place = 1 };
	uint8_t want[64];
	size_t n;

	policy_up(&e);
	cr_assert_eq(hx_set(HD_API_ALTMARK_FLOW, &f, sizeof(f)), 0, "%s", hx_error());
	cr_assert_eq(hx_set(HD_API_ALTMARK_MARK, &m, sizeof(m)), 0, "%s", hx_error());
	cr_assert_gt(through(INNER, B), 0);
	n = pktb_unhex("2903 1204 12345000 3112 0000 007b 0801 80000000 00000000 ff000101 01020000",
		       want, sizeof(want));
	cr_assert_eq(memcmp(frame + 14 + 40, want, n), 0, "%s", pktb_hexdump(frame + 54, n));
	cr_assert_eq(wire_get16(frame + 14 + 4), n + 40 + 8 + 32);
}

Test(ioam_node, one_of_three_is_traced)
{
	struct hd_api_ioam_encap e = {
		.trace_type = 0x800000, .flags = HD_IOAM_E_TRACE, .nodes = 4, .every = 3
	};
	unsigned traced = 0;

	policy_up(&e);
	for (unsigned i = 0; i < 9; i++) {
		cr_assert_gt(through(INNER, B), 0);
		cr_assert(frame[58] == IOAM_OPT_MUTABLE || frame[58] == IP6_OPT_PADN);
		traced += frame[58] == IOAM_OPT_MUTABLE;
	}
	cr_assert_eq(traced, 3);
}

Test(ioam_node, encapsulates_direct_export_and_edge_to_edge)
{
	struct hd_api_ioam_encap e = { .trace_type = 0xd00000,
				       .flags = HD_IOAM_E_DEX,
				       .flow_id = 42,
				       .e2e_type = IOAM_E2E_SEQ32 | IOAM_E2E_SECONDS,
				       .every = 1 };
	uint8_t want[64];
	size_t n;

	policy_up(&e);
	through(INNER, B);
	cr_assert_gt(through(INNER, B), 0);
	check_option("1112 0004 007b 00c0 d0000000 0000002a 00000001");
	n = pktb_unhex("2902 0100 110e 0003 007b 6000 00000001 0000040d", want, sizeof(want));
	cr_assert_eq(frame[14 + 40], IP_NH_DSTOPTS);
	cr_assert_eq(memcmp(frame + 14 + 40 + 24, want, n), 0, "%s", pktb_hexdump(frame + 78, n));
}

/* ---- sequence numbers ------------------------------------------------------------------------------------------ */

static struct hd_api_ioam_group group_read(void)
{
	static struct hd_api_ioam_group g;
	struct hd_api_reply reply = { 0 };

	n_told = 0;
	cr_assert_eq(debug_request(HD_API_IOAM_GROUPS, NULL, 0, -1, keep, NULL, &reply), 0);
	cr_assert_eq(n_told, 1);
	memcpy(&g, &told[0], sizeof(g));
	return g;
}

static void e2e(uint32_t seq)
{
	char text[300];

	snprintf(text, sizeof(text),
		 ETH "ip6 " FROM
		     " 2001:db8:a::9 64 / dstopt 0100110a0003007b4000%08x / udp / fill 16",
		 seq);
	through(text, B);
}

Test(ioam_node, gaps_are_loss_and_a_late_one_is_reordered)
{
	static const uint32_t seq[] = { 0xfffffffe, 0xffffffff, 0, 2, 5, 4 };
	struct hd_api_ioam_group g;

	for (unsigned i = 0; i < sizeof(seq) / sizeof(seq[0]); i++)
		e2e(seq[i]);
	g = group_read();
	cr_assert_eq(g.received, 6);
	cr_assert_eq(g.last - g.first + 1, 8, "over the wrap: 1 and 3 are missing");
	cr_assert_eq(g.reordered, 1);
	e2e(5 - 0x20000000u);
	g = group_read();
	cr_assert_eq(g.restarts, 1, "the sender began anew");
	cr_assert_eq(g.received, 1);
}

/* ---- what the API refuses -------------------------------------------------------------------------------------- */

#define REFUSED(call, rc, part)                                                   \
	do {                                                                      \
		cr_assert_eq((call), (rc), "%s", hx_error());                     \
		cr_assert_not_null(strstr(hx_error(), (part)), "%s", hx_error()); \
	} while (0)
#define SET(type, m) hx_set(HD_API_IOAM_##type, &(m), sizeof(m))

Test(ioam_node, refusals)
{
	struct hd_api_ioam_encap e = {
		.trace_type = 0xd00000, .flags = HD_IOAM_E_TRACE, .nodes = 2, .every = 1
	};
	struct hd_api_ioam_ns ns = ns123;
	struct hd_api_ioam_iface i = { .iface_id = 77 };

	policy_up(&e);
	e.nodes = 40;
	REFUSED(SET(ENCAP, e), -EINVAL, "does not fit");
	e.nodes = 2;
	e.trace_type = 0x1000;
	e.flags = HD_IOAM_E_TRACE | HD_IOAM_E_DEX;
	REFUSED(SET(ENCAP, e), -EINVAL, "not both");
	e.flags = HD_IOAM_E_TRACE | HD_IOAM_E_LOOPBACK;
	REFUSED(SET(ENCAP, e), -EINVAL, "0x800000");
	e.flags = 0;
	e.e2e_type = 0xc000;
	REFUSED(SET(ENCAP, e), -EINVAL, "edge to edge");
	e.e2e_type = 0;
	e.trace_type = 0x000800;
	REFUSED(SET(ENCAP, e), -EINVAL, "no meaning");
	e.trace_type = 0x800000;
	e.ns = 124;
	REFUSED(SET(ENCAP, e), -ENOENT, "");
	ns.node_id = 1 << 24;
	REFUSED(SET(NS, ns), -EINVAL, "24");
	ns.node_id = 1;
	ns.opaque_len = 5;
	REFUSED(SET(NS, ns), -EINVAL, "multiples of 4");
	REFUSED(SET(IFACE, i), -ENOENT, "");
	cr_assert_eq(hx_del(HD_API_IOAM_NS, &ns123, sizeof(ns123)), -EBUSY,
		     "a policy refers to it");
}
