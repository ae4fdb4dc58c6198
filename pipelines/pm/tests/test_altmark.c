/* SPDX-License-Identifier: BSD-3-Clause
 * Alternate marking: the format, blocks, the choice of delay packets, and a node that counts and marks, in a time
 * of the test's own.
 *
 *   host 2001:db8:a::1 -- [if 1: ::9] Heddle [if 2: 2001:db8:b::9] -- 2001:db8:b::1, behind it 2001:db8:f::/48 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_mbuf.h>

#include "dataplane/debug_api.h"
#include "dataplane/punt.h"
#include "dataplane/wallclock.h"
#include "dataplane/worker.h"
#include "heddle/api/altmark.h"
#include "pipelines/pm/altmark.h"
#include "pipelines/pm/tests/bed.h"

#define P 1000000000ull /* a block of one second */

/* ---- the format ------------------------------------------------------------------------------------------------ */

struct find_row {
	char why[64], packet[240];
	int want, place;
	uint32_t word;
};
#define PKT "ip6 2001:db8:a::1 2001:db8:f::1 64 / "

ParameterizedTestParameters(altmark, find)
{
	static struct find_row rows[] = {
		{ "hop-by-hop (9343 3.1, L)", PKT "hbh 1204abcde800 / udp / fill 8", 1, ALTMARK_HOP,
		  0xabcde800 },
		{ "destination options, L and D", PKT "dstopt 1204abcdec00 / udp / fill 8", 1,
		  ALTMARK_DEST, 0xabcdec00 },
		{ "in front of an SRH",
		  PKT "dstopt 1204abcde800 / srh 2001:db8:f::2,2001:db8:f::1 1 / udp / fill 8", 1,
		  ALTMARK_DEST, 0xabcde800 },
		{ "TLV of the SRH",
		  PKT "srh 2001:db8:f::2,2001:db8:f::1 1 / tlv 7c060000abcdec00 / udp / fill 8", 1,
		  ALTMARK_SRH_TLV, 0xabcdec00 },
		{ "TLV behind padding",
		  PKT "srh 2001:db8:f::2 0 / tlv 04060000000000007c060000abcdec00 / udp / fill 8",
		  1, ALTMARK_SRH_TLV, 0xabcdec00 },
		{ "behind another option", PKT "hbh 05020000 / udp / fill 8", 0, 0, 0 },
		{ "router alert, then the mark", PKT "hbh 050200001204abcde800 / udp / fill 8", 1,
		  ALTMARK_HOP, 0xabcde800 },
		{ "wrong length", PKT "hbh 1206abcde8000000 / udp / fill 8", 0, 0, 0 },
		{ "another TLV", PKT "srh 2001:db8:f::2 0 / tlv 7d060000abcdec00 / udp / fill 8", 0,
		  0, 0 },
		{ "no extension header", PKT "udp / fill 8", 0, 0, 0 },
		{ "an option runs past its header", PKT "hbh 3130 / udp / fill 8", -EBADMSG, 0, 0 },
	};
	return cr_make_param_array(struct find_row, rows, sizeof(rows) / sizeof(rows[0]));
}
ParameterizedTest(struct find_row *r, altmark, find)
{
	struct altmark_view v = { 0 };
	struct pktb b;

	pktb_parse(&b, r->packet);
	cr_assert_eq(altmark_find(b.buf, b.len, ALTMARK_TLV_TYPE, &v), r->want, "%s\n%s", r->why,
		     pktb_dump(&b));
	if (r->want != 1)
		return;
	cr_assert_eq(v.word, r->word, "%s: 0x%x", r->why, v.word);
	cr_assert_eq((int)v.place, r->place, "%s", r->why);
	cr_assert_eq(wire_get32(b.buf + v.off), r->word, "%s: the offset", r->why);
}

Test(altmark, every_truncation)
{
	static const char *const packets[] = {
		PKT "hbh 050200001204abcde800 / udp / fill 8",
		PKT "dstopt 1204abcde800 / srh 2001:db8:f::2,2001:db8:f::1 1 / udp / fill 8",
		PKT "srh 2001:db8:f::2,2001:db8:f::1 1 / tlv 7c060000abcdec00 / udp / fill 8",
	};
	struct altmark_view v = { 0 };
	struct pktb b;

	for (unsigned i = 0; i < 3; i++) {
		unsigned found = 0;

		pktb_parse(&b, packets[i]);
		for (size_t n = 0; n <= b.len; n++) {
			uint8_t *part = malloc(n + (n == 0));

			memcpy(part, b.buf, n);
			if (altmark_find(part, n, ALTMARK_TLV_TYPE, &v) == 1) {
				cr_assert_leq(v.off + 4u, n);
				found++;
			}
			free(part);
		}
		cr_assert_gt(found, 0);
		cr_assert_lt(found, b.len, "not in what is too short");
	}
}

Test(altmark, golden_words)
{
	cr_assert_eq(altmark_word(0xabcde, true, false), 0xabcde800, "RFC 9343 section 3.1");
	cr_assert_eq(altmark_word(0xabcde, true, true), 0xabcdec00);
	cr_assert_eq(altmark_id(0xabcdec00), 0xabcde);
}

/* ---- blocks ---------------------------------------------------------------------------------------------------- */

struct block_row {
	char why[48];
	double at; /* in blocks */
	int l;
	uint64_t want;
};
ParameterizedTestParameters(altmark, block_of)
{
	static struct block_row rows[] = {
		{ "of the block's colour", 10.3, 0, 10 }, { "late by a little", 11.01, 0, 10 },
		{ "late by nearly half", 11.49, 0, 10 },  { "early by a little", 10.99, 1, 11 },
		{ "early by nearly half", 10.51, 1, 11 }, { "odd block", 11.5, 1, 11 },
		{ "nearer to the next", 11.51, 0, 12 },
	};
	return cr_make_param_array(struct block_row, rows, sizeof(rows) / sizeof(rows[0]));
}
ParameterizedTest(struct block_row *r, altmark, block_of)
{
	const struct altmark_conf c = { .period_ns = P, .period_inv = altmark_inverse(P) };
	uint64_t in, block = altmark_block_at(&c, (uint64_t)(r->at * 1e9), &in);

	cr_assert_eq(altmark_block_of(P, block, in, r->l != 0), r->want, "%s", r->why);
}

Test(altmark, blocks_without_a_division_are_the_same)
{
	for (uint64_t ms = HD_ALTMARK_PERIOD_MIN_MS; ms <= HD_ALTMARK_PERIOD_MAX_MS; ms += 997) {
		uint64_t p = ms * 1000000, in;
		const struct altmark_conf c = { .period_ns = p, .period_inv = altmark_inverse(p) };
		const uint64_t block[] = { 1, 2, 1785000000 / ms, UINT64_MAX / p };

		for (unsigned i = 0; i < sizeof(block) / sizeof(block[0]); i++)
			for (unsigned k = 0; k < 3; k++) { /* before, at and after the change */
				uint64_t ns = block[i] * p - 1 + k;

				cr_assert_eq(altmark_block_at(&c, ns, &in), ns / p, "%lu / %lu", ns,
					     p);
				cr_assert_eq(in, ns % p, "%lu / %lu", ns, p);
			}
	}
}

Test(altmark, delay_packets_are_apart)
{
	struct altmark_conf c = { .period_ns = P,
				  .period_inv = altmark_inverse(P),
				  .guard_ns = P / 10,
				  .d_per_block = 4 };
	uint64_t chosen = 0, last = 0;
	unsigned n = 0;

	for (uint64_t ns = 100 * P; ns < 101 * P; ns += P / 1000) {
		if (!altmark_choose(&c, ns, &chosen))
			continue;
		cr_assert_geq(ns - 100 * P, P / 10, "not in the guard");
		cr_assert_lt(ns - 100 * P, 9 * P / 10);
		cr_assert(n == 0 || ns - last >= P / 10, "half a part at least");
		last = ns;
		n++;
	}
	cr_assert_eq(n, 4);
	cr_assert_not(altmark_choose(&c, 101 * P + P / 20, &chosen), "the next guard");
	cr_assert(altmark_choose(&c, 101 * P + P / 10, &chosen));
	c.d_per_block = 0;
	cr_assert_not(altmark_choose(&c, 102 * P + P / 2, &chosen), "single marking");
}

Test(altmark, cells_are_used_again)
{
	struct altmark_cell cell[ALTMARK_SLOTS];
	struct hd_api_altmark_block b = { .block = 5 };

	for (unsigned i = 0; i < ALTMARK_SLOTS; i++)
		cell[i] = (struct altmark_cell){ .block = UINT64_MAX };
	altmark_count(altmark_cell(cell, 5), 700, 100, true);
	altmark_count(altmark_cell(cell, 5), -100, 50, false);
	altmark_sum(&cell[5], &b);
	cr_assert_eq(b.packets, 2);
	cr_assert_eq(b.octets, 150);
	cr_assert_eq(b.ts_sum_ns, 600);
	cr_assert_eq(b.d_n, 1);
	cr_assert_eq(b.d_ns[0], 700);
	altmark_count(altmark_cell(cell, 5 + ALTMARK_SLOTS), 1, 1, false);
	b = (struct hd_api_altmark_block){ .block = 5 };
	altmark_sum(&cell[5], &b);
	cr_assert_eq(b.packets, 0, "overwritten: it is not told as if it were complete");
}

Test(altmark, delay_times_of_all_workers_in_order)
{
	struct altmark_cell a = { .block = 1, .d_n = 2, .d_ns = { 10, 40 } },
			    c = { .block = 1, .d_n = 3, .d_ns = { 5, 20, 50 } };
	struct hd_api_altmark_block b = { .block = 1 };
	static const int64_t want[HD_ALTMARK_D_MAX] = { 5, 10, 20, 40 };

	altmark_sum(&a, &b);
	altmark_sum(&c, &b);
	cr_assert_eq(b.d_n, 5, "all are counted, also what is not kept");
	cr_assert_arr_eq(b.d_ns, want, sizeof(want));
}

Test(altmark, closed_when_half_of_the_next_has_passed)
{
	cr_assert_not(altmark_closed(P, 6 * P + P / 2 - 1, 5));
	cr_assert(altmark_closed(P, 6 * P + P / 2, 5));
}

/* ---- a node ---------------------------------------------------------------------------------------------------- */

#define FROM   "2001:db8:a::1"
#define MARKED ETH "ip6 " FROM " 2001:db8:f::1 64 / hbh 1204abcde800 / udp / fill 16"

static struct wallclock frozen;

/* Time stands still at ns until it is set again. */
static void time_set(uint64_t ns)
{
	frozen = (struct wallclock){ .ns = ns, .sync_error_ns = UINT64_MAX };
	wallclock_line = &frozen;
}

static void conf_set(uint8_t d)
{
	struct hd_api_altmark_conf c = {
		.period_ms = 1000, .guard_ms = 100, .d_per_block = d, .tlv_type = ALTMARK_TLV_TYPE
	};

	cr_assert_eq(hx_set(HD_API_ALTMARK_CONF, &c, sizeof(c)), 0, "%s", hx_error());
}

static int flow_set(uint32_t id, uint32_t mon_id, const char *source)
{
	struct hd_api_altmark_flow f = { .flow_id = id, .mon_id = mon_id };
	struct ip6_addr a = pktb_addr6(source);

	memcpy(f.source, &a, 16);
	return hx_set(HD_API_ALTMARK_FLOW, &f, sizeof(f));
}

static void bed_up(void)
{
	struct hd_api_altmark_iface i = { .iface_id = 1 };

	bed_start("2001:db8:f::/48");
	conf_set(1);
	cr_assert_eq(flow_set(7, 0xabcde, FROM), 0, "%s", hx_error());
	cr_assert_eq(hx_set(HD_API_ALTMARK_IFACE, &i, sizeof(i)), 0, "%s", hx_error());
	time_set(100 * P);
	bed_drain();
}
TestSuite(altmark_node, .init = bed_up, .fini = hx_stop);

static size_t through(const char *notation)
{
	struct pktb b;

	pktb_parse(&b, notation);
	hx_rx(A, b.buf, b.len);
	hx_turn();
	return hx_tx(B, frame, sizeof(frame));
}

/* What a reader of closed blocks is told. */
static struct hd_api_altmark_block told[32];
static unsigned n_told;
static void keep(void *arg, uint16_t type, const void *body, size_t size)
{
	(void)arg;
	cr_assert_eq(type, HD_API_ALTMARK_STATE);
	cr_assert_eq(size, sizeof(told[0]));
	memcpy(&told[n_told++], body, size);
}
static void blocks_read(void)
{
	struct hd_api_reply reply = { 0 };

	n_told = 0;
	cr_assert_eq(debug_request(HD_API_ALTMARK_STATE, NULL, 0, -1, keep, NULL, &reply), 0);
}

/* Packets of a flow in all blocks around the time that is set, once they are closed. */
static uint64_t counted(uint32_t flow_id)
{
	uint64_t was = frozen.ns, sum = 0;

	time_set(was + 2 * P + P / 2);
	blocks_read();
	time_set(was);
	for (unsigned i = 0; i < n_told; i++)
		sum += told[i].flow_id == flow_id ? told[i].packets : 0;
	return sum;
}

Test(altmark_node, transit_counts_and_forwards_unchanged)
{
	struct pktb b;

	time_set(100 * P + 3 * P / 4);
	cr_assert_gt(through(MARKED), 0);
	pktb_parse(&b, MARKED);
	cr_assert_eq(memcmp(frame + 14 + 8, b.buf + 14 + 8, b.len - 22), 0,
		     "all but MACs and hop limit");
	cr_assert_eq(frame[14 + 7], 63);
	blocks_read();
	cr_assert_eq(n_told, 0, "the block is still open");
	time_set(102 * P + P / 2);
	blocks_read();
	cr_assert_eq(n_told, 1);
	cr_assert_eq(told[0].flow_id, 7);
	cr_assert_eq(told[0].block, 101,
		     "L is set: the nearest odd block, whose packets came early");
	cr_assert_eq(told[0].packets, 1);
	cr_assert_eq(told[0].octets, b.len - 14);
	cr_assert_eq(told[0].ts_sum_ns, -(int64_t)(P / 4));
	cr_assert_eq(told[0].clock_error_ns, UINT64_MAX);
}

Test(altmark_node, lost_in_the_right_block)
{
	/* sent: 10 packets in each of four blocks; this node gets 7 in the second */
	for (unsigned block = 100; block < 104; block++)
		for (unsigned i = 0; i < 10; i++) {
			char text[200];

			time_set(block * P + i * (P / 10) + P / 50);
			snprintf(text, sizeof(text),
				 ETH "ip6 " FROM
				     " 2001:db8:f::1 64 / hbh 1204abcd%s / udp / fill 16",
				 block % 2 != 0 ? "e800" : "e000");
			if (block != 101 || i % 3 != 0 || i == 9)
				cr_assert_gt(through(text), 0);
		}
	time_set(105 * P + P / 2);
	blocks_read();
	cr_assert_eq(n_told, 4);
	for (unsigned i = 0; i < 4; i++) {
		cr_assert_eq(told[i].block, 100 + i);
		cr_assert_eq(told[i].packets, i == 1 ? 7 : 10, "block %u", 100 + i);
	}
}

Test(altmark_node, delay_packets)
{
	time_set(101 * P + P / 5);
	through(ETH "ip6 " FROM " 2001:db8:f::1 64 / hbh 1204abcdec00 / udp / fill 16");
	through(MARKED);
	time_set(103 * P);
	blocks_read();
	cr_assert_eq(n_told, 1);
	cr_assert_eq(told[0].packets, 2);
	cr_assert_eq(told[0].d_n, 1);
	cr_assert_eq(told[0].d_ns[0], (int64_t)(P / 5));
	conf_set(0);
	time_set(105 * P + P / 5);
	through(ETH "ip6 " FROM " 2001:db8:f::1 64 / hbh 1204abcdec00 / udp / fill 16");
	time_set(107 * P);
	blocks_read();
	cr_assert_eq(told[n_told - 1].block, 105);
	cr_assert_eq(told[n_told - 1].d_n, 0,
		     "single marking: D is not looked at (RFC 9343 section 5.2)");
}

struct who_row {
	char why[48], packet[260];
	unsigned want;
};
ParameterizedTestParameters(altmark_node, who_counts)
{
	static struct who_row rows[] = {
		{ "hop-by-hop in transit", MARKED, 1 },
		{ "another FlowMonID",
		  ETH "ip6 " FROM " 2001:db8:f::1 64 / hbh 1204abcdd800 / udp / fill 16", 0 },
		{ "another source",
		  ETH "ip6 2001:db8:a::2 2001:db8:f::1 64 / hbh 1204abcde800 / udp / fill 16", 0 },
		{ "destination options in transit",
		  ETH "ip6 " FROM " 2001:db8:f::1 64 / dstopt 1204abcde800 / udp / fill 16", 0 },
		{ "destination options, for this node",
		  ETH "ip6 " FROM " 2001:db8:a::9 64 / dstopt 1204abcde800 / udp / fill 16", 1 },
		{ "in front of an SRH, plain transit",
		  ETH "ip6 " FROM
		      " 2001:db8:f::1 64 / dstopt 1204abcde800 / srh 2001:db8:f::2 1 / udp",
		  0 },
		{ "in front of an SRH, an endpoint",
		  ETH "ip6 " FROM " 2001:db8:a::5 64 / dstopt 1204abcde800 / srh "
		      "2001:db8:f::2,2001:db8:a::5 1 / udp / fill 8",
		  1 },
		{ "SRH TLV, an endpoint",
		  ETH "ip6 " FROM " 2001:db8:a::5 64 / srh 2001:db8:f::2,2001:db8:a::5 1 / tlv "
		      "7c060000abcde800 / udp / fill 8",
		  1 },
		{ "SRH TLV, plain transit",
		  ETH "ip6 " FROM
		      " 2001:db8:f::1 64 / srh 2001:db8:f::2 1 / tlv 7c060000abcde800 / udp",
		  0 },
		{ "for another station",
		  "eth 02:00:00:00:00:77 " MAC_A " / ip6 " FROM
		  " 2001:db8:f::1 64 / hbh 1204abcde800 / udp / fill 16",
		  0 },
		{ "no mark", ETH "ip6 " FROM " 2001:db8:f::1 64 / udp / fill 16", 0 },
	};
	return cr_make_param_array(struct who_row, rows, sizeof(rows) / sizeof(rows[0]));
}
ParameterizedTest(struct who_row *r, altmark_node, who_counts)
{
	struct hd_api_srv6_sid end = { .plen = 128, .sid_id = 1, .behavior = 1 };
	struct ip6_addr sid = pktb_addr6("2001:db8:a::5");

	memcpy(end.sid, &sid, 16);
	cr_assert_eq(hx_set(HD_API_SRV6_SID, &end, sizeof(end)), 0, "%s", hx_error());
	through(r->packet);
	cr_assert_eq(counted(7), r->want, "%s", r->why);
}

Test(altmark_node, only_where_it_is_asked_for)
{
	struct hd_api_altmark_iface i = { .iface_id = 1 };
	struct hd_api_altmark_flow f = { .flow_id = 7 };
	struct hd_api_altmark_conf c = { .key = 0 };

	cr_assert_eq(hx_del(HD_API_ALTMARK_IFACE, &i, sizeof(i)), 0);
	cr_assert_gt(through(MARKED), 0);
	cr_assert_eq(counted(7), 0, "not on this interface");
	cr_assert_eq(hx_set(HD_API_ALTMARK_IFACE, &i, sizeof(i)), 0);
	cr_assert_eq(hx_del(HD_API_ALTMARK_FLOW, &f, sizeof(f)), 0);
	cr_assert_gt(through(MARKED), 0);
	cr_assert_eq(counted(7), 0, "no such flow");
	cr_assert_eq(flow_set(7, 0xabcde, FROM), 0);
	cr_assert_eq(hx_del(HD_API_ALTMARK_CONF, &c, sizeof(c)), 0);
	cr_assert_gt(through(MARKED), 0);
	cr_assert_eq(counted(7), 0, "switched off");
}

/* ---- bursts: groups of frames must count as each by itself does --------------------------------------- */

static const char *const burst_kind[] = {
	MARKED,
	ETH "ip6 " FROM
	    " 2001:db8:f::1 64 / hbh 1204abcde000 / udp / fill 100", /* the other colour */
	ETH "ip6 " FROM " 2001:db8:f::1 64 / hbh 1204abcdec00 / udp / fill 16",      /* D */
	ETH "ip6 2001:db8:a::2 2001:db8:f::1 64 / hbh 1204abcde800 / udp / fill 16", /* flow 8 */
	ETH "ip6 " FROM " 2001:db8:f::1 64 / hbh 120499999800 / udp / fill 16",      /* nobody's */
	ETH "ip6 " FROM " 2001:db8:a::9 64 / dstopt 1204abcde800 / udp / fill 16",
	ETH "ip6 " FROM " 2001:db8:f::1 64 / udp / fill 16",
	ETH "ip4 192.0.2.1 192.0.2.2 64 / udp",
	"eth 02:00:00:00:00:77 " MAC_A " / ip6 " FROM
	" 2001:db8:f::1 64 / hbh 1204abcde800 / udp / fill 16",
};
#define BURST_KINDS (sizeof(burst_kind) / sizeof(burst_kind[0]))

/* Each frame in a buffer of its own; how: all at once, or one by one. */
static void observe(const unsigned *kind, unsigned n, bool at_once)
{
	struct rte_mbuf *m[64];
	struct pktb b;

	for (unsigned i = 0; i < n; i++) {
		pktb_parse(&b, burst_kind[kind[i]]);
		m[i] = packet_alloc();
		memcpy(rte_pktmbuf_append(m[i], (uint16_t)b.len), b.buf, b.len);
	}
	for (unsigned i = 0; i < n; i += at_once ? n : 1)
		cr_assert_eq(altmark_observe(workers[0], m + i, at_once ? n : 1, (uint16_t)A),
			     at_once ? n : 1);
	rte_pktmbuf_free_bulk(m, n);
}

static void sums_read(uint64_t sum[6])
{
	uint64_t was = frozen.ns;

	memset(sum, 0, 6 * sizeof(*sum));
	time_set(was + 2 * P + P / 2);
	blocks_read();
	time_set(was);
	for (unsigned i = 0; i < n_told; i++) {
		unsigned at = told[i].flow_id == 7 ? 0 : 3;

		sum[at] += told[i].packets * (1 + told[i].block % 2 * 1000);
		sum[at + 1] += told[i].octets + (uint64_t)told[i].ts_sum_ns;
		sum[at + 2] += told[i].d_n;
	}
}

Test(altmark_node, a_burst_counts_as_its_packets_do)
{
	unsigned kind[64], n;
	uint64_t at_once[6], singly[6];

	cr_assert_eq(flow_set(8, 0xabcde, "2001:db8:a::2"), 0, "%s", hx_error());
	srand(7);
	for (unsigned round = 0; round < 60; round++) {
		n = 1 + (unsigned)rand() % 64;
		for (unsigned i = 0; i < n; i++)
			kind[i] = round % 3 == 0 || rand() % 12 != 0 ?
					  (round % 3 == 2 ? (unsigned)rand() % 5 :
							    round % BURST_KINDS) :
					  (unsigned)rand() % BURST_KINDS;
		time_set((1000 + 40 * round) * P + P / 5);
		observe(kind, n, true);
		sums_read(at_once);
		time_set((1020 + 40 * round) * P + P / 5);
		observe(kind, n, false);
		sums_read(singly);
		cr_assert_arr_eq(at_once, singly, sizeof(singly), "round %u, %u packets", round, n);
	}
	cr_assert_eq(hx_mbufs_in_use(), 0);
}

/* ---- marking --------------------------------------------------------------------------------------------------- */

static void policy_up(uint32_t place)
{
	struct hd_api_srv6_conf c = { .flow_seed = 1 };
	struct hd_api_srv6_seglist l = { .seglist_id = 1, .n_segs = 2 };
	struct hd_api_srv6_policy p = { .policy_id = 3,
					.name = "p",
					.encap = HD_SRV6_H_ENCAPS,
					.n_lists = 1,
					.list = { { 1, 1 } } };
	struct hd_api_altmark_mark m = { .policy_id = 3, .flow_id = 9, .place = place };
	struct ip6_addr a = pktb_addr6("2001:db8:e::1");

	memcpy(c.encap_source, &a, 16);
	a = pktb_addr6("2001:db8:f::51");
	memcpy(l.seg[0], &a, 16);
	a = pktb_addr6("2001:db8:f::52");
	memcpy(l.seg[1], &a, 16);
	cr_assert_eq(flow_set(9, 0x12345, "2001:db8:e::1"), 0, "%s", hx_error());
	cr_assert_eq(hx_set(HD_API_SRV6_CONF, &c, sizeof(c)), 0, "%s", hx_error());
	cr_assert_eq(hx_set(HD_API_SRV6_SEGLIST, &l, sizeof(l)), 0, "%s", hx_error());
	cr_assert_eq(hx_set(HD_API_SRV6_POLICY, &p, sizeof(p)), 0, "%s", hx_error());
	cr_assert_eq(hx_set(HD_API_ALTMARK_MARK, &m, sizeof(m)), 0, "%s", hx_error());
	hx_route(0, "2001:db8:dd::/64", HD_TARGET_POLICY, 3);
}
#define INNER ETH "ip6 " FROM " 2001:db8:dd::1 64 / udp / fill 32"

struct place_row {
	char why[40];
	uint32_t place;
	char want[140]; /* headers between the fixed one and the inner packet */
};
ParameterizedTestParameters(altmark_node, marks)
{
	static struct place_row rows[] = {
		{ "hop-by-hop", ALTMARK_HOP,
		  "hbh 120412345000 / srh 2001:db8:f::52,2001:db8:f::51 1" },
		{ "destination options", ALTMARK_DEST,
		  "dstopt 120412345000 / srh 2001:db8:f::52,2001:db8:f::51 1" },
		{ "SRH TLV", ALTMARK_SRH_TLV,
		  "srh 2001:db8:f::52,2001:db8:f::51 1 / tlv 7c06000012345000" },
	};
	return cr_make_param_array(struct place_row, rows, sizeof(rows) / sizeof(rows[0]));
}
ParameterizedTest(struct place_row *r, altmark_node, marks)
{
	struct altmark_view v = { 0 };
	struct pktb want;
	char text[400];
	size_t len;

	policy_up(r->place);
	snprintf(text, sizeof(text),
		 "ip6 2001:db8:e::1 2001:db8:f::51 64 / %s / ip6 " FROM
		 " 2001:db8:dd::1 63 / udp / fill 32",
		 r->want);
	pktb_parse(&want, text);
	time_set(200 * P + P / 20); /* even block, in the guard: L = D = 0 */
	len = through(INNER);
	cr_assert_eq(len - 14, want.len, "%s", r->why);
	wire_put32(frame + 14, 6u << 28); /* flow label: any */
	cr_assert_eq(memcmp(frame + 14, want.buf, want.len), 0, "%s\n%s\n%s", r->why,
		     pktb_hexdump(frame + 14, len - 14), pktb_dump(&want));
	time_set(201 * P + P / 5); /* odd block, counting interval */
	len = through(INNER);
	cr_assert_eq(altmark_find(frame + 14, len - 14, ALTMARK_TLV_TYPE, &v), 1);
	cr_assert_eq(v.word, altmark_word(0x12345, true, true), "the first one is measured: 0x%x",
		     v.word);
	cr_assert_eq((int)v.place, (int)r->place);
	len = through(INNER);
	cr_assert_eq(altmark_find(frame + 14, len - 14, ALTMARK_TLV_TYPE, &v), 1);
	cr_assert_eq(v.word, altmark_word(0x12345, true, false), "one a block");
	time_set(203 * P);
	blocks_read();
	cr_assert_eq(n_told, 2);
	cr_assert_eq(told[0].block, 200);
	cr_assert_eq(told[0].packets, 1);
	cr_assert_eq(told[1].packets, 2);
	cr_assert_eq(told[1].octets, 2 * (len - 14));
	cr_assert_eq(told[1].d_n, 1);
}

Test(altmark_node, a_change_of_the_flow_reaches_its_marks)
{
	struct hd_api_altmark_mark m = { .policy_id = 3 };
	struct altmark_view v = { 0 };
	size_t len;

	policy_up(ALTMARK_HOP);
	cr_assert_eq(flow_set(9, 0x54321, "2001:db8:e::1"), 0, "%s", hx_error());
	len = through(INNER);
	cr_assert_eq(altmark_find(frame + 14, len - 14, 0, &v), 1);
	cr_assert_eq(altmark_id(v.word), 0x54321);
	cr_assert_eq(hx_del(HD_API_ALTMARK_FLOW, &(struct hd_api_altmark_flow){ .flow_id = 9 },
			    sizeof(struct hd_api_altmark_flow)),
		     -EBUSY, "the mark refers to it");
	cr_assert_eq(hx_del(HD_API_ALTMARK_MARK, &m, sizeof(m)), 0, "%s", hx_error());
	len = through(INNER);
	cr_assert_eq(altmark_find(frame + 14, len - 14, ALTMARK_TLV_TYPE, &v), 0,
		     "no mark any more");
}

/* ---- rows of packets in node express against one by one --------------------------------------------------------- */

static const char *const burst_shapes[] = {
	ETH "ip6 " FROM " 2001:db8:f::1 64 / hbh 1204abcde000 / udp / fill 16",
	MARKED,
	ETH "ip6 " FROM " 2001:db8:f::1 64 / hbh 1204abcdec00 / udp / fill 16",      /* L and D */
	ETH "ip6 " FROM " 2001:db8:f::1 64 / hbh 120400123800 / udp / fill 16",      /* flow 8 */
	ETH "ip6 2001:db8:a::2 2001:db8:f::1 64 / hbh 1204abcde800 / udp / fill 16", /* nobody's */
	ETH "ip6 2001:db8:b::1 2001:db8:f::1 64 / hbh 1204abcde800 / udp / fill 16", /* flow 9 */
	ETH "ip6 " FROM " 2001:db8:f::1 64 / hbh 1204ffff0000 / udp / fill 16",
	ETH "ip6 " FROM " 2001:db8:f::1 64 / hbh 050200001204abcde800 / udp / fill 16",
	ETH "ip6 " FROM " 2001:db8:f::1 64 / hbh 1204abcde800", /* and nothing behind */
	ETH "ip6 " FROM " 2001:db8:f::1 64 / dstopt 1204abcde800 / udp / fill 16",
	ETH "ip6 " FROM " 2001:db8:f::1 64 / udp / fill 16",
	ETH "ip4 192.0.2.1 203.0.113.5 64 / udp / fill 40",
	"eth 02:00:00:00:00:09 " MAC_A " / ip6 " FROM
	" 2001:db8:f::1 64 / hbh 1204abcde800 / udp / fill 16",
};
#define N_ALIKE 7u /* the first ones: usual marks */
static const uint8_t burst_odd[] = { 5, 12, 14, 18, 19, 20, 21, 37, 54, 55, 56, 57, 58, 60, 61 };

static unsigned altmark_early(struct worker *w, struct rte_mbuf **m, unsigned n, uint16_t port)
{
	return altmark_observe(w, m, n, port);
}

struct burst {
	unsigned n;
	size_t len[32];
	uint8_t frame[32][200];
};

/* What all blocks have counted of a burst that came at ns; block numbers are counted from the one of ns. */
static unsigned burst_count(const struct burst *b, uint64_t ns, struct hd_api_altmark_block *ret)
{
	unsigned n = 0;

	time_set(ns);
	for (unsigned i = 0; i < b->n; i++)
		hx_rx(A, b->frame[i], b->len[i]);
	hx_turn();
	bed_drain();
	time_set(ns + 3 * P);
	blocks_read();
	for (unsigned i = 0; i < n_told; i++) {
		if (told[i].block + 1 < ns / P || told[i].block > ns / P + 1)
			continue;
		ret[n] = told[i];
		ret[n++].block -= ns / P;
	}
	return n;
}

static uint32_t burst_rnd(uint64_t *state, uint32_t below)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(((*state >> 33) * below) >> 31);
}

/* Every row of packets is counted by express as by the observer in front of it. */
Test(altmark_node, rows_count_as_one_by_one)
{
	static const struct rx_observer early = { altmark_early, false };
	static struct hd_api_altmark_block x[32], y[32];
	const struct rx_observer *usual = rx_observer[A];
	const char *env = getenv("HEDDLE_SEED");
	uint64_t state = env != NULL ? strtoull(env, NULL, 0) : 1, seed = state, counts = 0;
	static struct burst b;

	cr_assert(usual != NULL && usual->in_express, "nobody else observes");
	cr_assert_eq(flow_set(8, 0x00123, FROM), 0, "%s", hx_error());
	cr_assert_eq(flow_set(9, 0xabcde, "2001:db8:b::1"), 0, "%s", hx_error());
	for (unsigned turn = 0; turn < 600; turn++) {
		uint64_t ns = (1000 + 40ull * turn) * P + burst_rnd(&state, 1000) * (P / 1000);
		uint32_t kind = burst_rnd(&state, sizeof(burst_shapes) / sizeof(burst_shapes[0])),
			 odds = burst_rnd(&state, 2) != 0 ? 12 : UINT32_MAX,
			 mixed = burst_rnd(&state, 3),
			 cut = burst_rnd(&state, 10) == 0 ? burst_rnd(&state, 9) : UINT32_MAX;
		unsigned n, m;

		b.n = 1 + burst_rnd(&state, 32);
		for (unsigned i = 0; i < b.n; i++) {
			struct pktb p;

			if (mixed == 2 || (mixed == 1 && burst_rnd(&state, 8) == 0))
				kind = burst_rnd(&state,
						 sizeof(burst_shapes) / sizeof(burst_shapes[0]));
			else if (mixed == 0 && odds > 12 && burst_rnd(&state, 8) == 0)
				kind = burst_rnd(&state, N_ALIKE); /* they differ in their marks */
			pktb_parse(&p, burst_shapes[kind]);
			if (burst_rnd(&state, odds) == 0)
				p.buf[burst_odd[burst_rnd(&state, sizeof(burst_odd))]] =
					(uint8_t)burst_rnd(&state, 256);
			if (burst_rnd(&state, odds) == 0)
				p.len = 15 + burst_rnd(&state, (uint32_t)p.len - 14);
			else if (burst_rnd(&state, odds) == 0) /* padding */
				p.len += 1 + burst_rnd(&state, 20);
			if (cut != UINT32_MAX && p.buf[12] == 0x86 && p.len > 62) {
				p.len = 54 + cut; /* as long as the IPv6 header says */
				wire_put16(p.buf + 14 + IP6_OFF_PAYLOAD_LEN, (uint16_t)cut);
			}
			memcpy(b.frame[i], p.buf, p.len);
			b.len[i] = p.len;
		}
		n = burst_count(&b, ns, x);
		__atomic_store_n(&rx_observer[A], &early, __ATOMIC_RELEASE);
		m = burst_count(&b, ns + 20 * P, y);
		__atomic_store_n(&rx_observer[A], usual, __ATOMIC_RELEASE);
		cr_assert_eq(n, m, "seed %lu, burst %u: %u cells instead of %u",
			     (unsigned long)seed, turn, n, m);
		for (unsigned i = 0; i < n; i++) {
			cr_assert_arr_eq(&x[i], &y[i], sizeof(x[i]),
					 "seed %lu, burst %u: flow %u: %lu packets, %lu octets "
					 "instead of %lu, %lu",
					 (unsigned long)seed, turn, x[i].flow_id,
					 (unsigned long)x[i].packets, (unsigned long)x[i].octets,
					 (unsigned long)y[i].packets, (unsigned long)y[i].octets);
			counts += x[i].packets;
		}
	}
	cr_assert_gt(counts, 2000);
}

/* ---- what the API refuses -------------------------------------------------------------------------------------- */

#define REFUSED(call, rc, part)                                                   \
	do {                                                                      \
		cr_assert_eq((call), (rc), "%s", hx_error());                     \
		cr_assert_not_null(strstr(hx_error(), (part)), "%s", hx_error()); \
	} while (0)

Test(altmark_node, refusals)
{
	struct hd_api_altmark_conf c = { .period_ms = 1000, .guard_ms = 500, .tlv_type = 124 };
	struct hd_api_altmark_mark m = { .policy_id = 3, .flow_id = 7, .place = 1 };
	struct hd_api_altmark_iface i = { .iface_id = 99 };

	REFUSED(hx_set(HD_API_ALTMARK_CONF, &c, sizeof(c)), -EINVAL, "half a block");
	c.guard_ms = 100;
	c.period_ms = 999;
	REFUSED(hx_set(HD_API_ALTMARK_CONF, &c, sizeof(c)), -EINVAL, "1000 to 600000");
	c.period_ms = 10000;
	c.d_per_block = 5;
	REFUSED(hx_set(HD_API_ALTMARK_CONF, &c, sizeof(c)), -EINVAL, "at most 4");
	c.d_per_block = 1;
	c.tlv_type = 5;
	REFUSED(hx_set(HD_API_ALTMARK_CONF, &c, sizeof(c)), -EINVAL, "experimental");
	REFUSED(flow_set(8, 0xabcde, FROM), -EEXIST, "flow 7");
	REFUSED(flow_set(8, 0x100000, FROM), -EINVAL, "20 bits");
	REFUSED(flow_set(8, 1, "ff02::1"), -EINVAL, "unicast");
	REFUSED(flow_set(HD_ALTMARK_FLOWS_MAX, 1, FROM), -ENOSPC, "not below");
	REFUSED(hx_set(HD_API_ALTMARK_MARK, &m, sizeof(m)), -ENOENT, "policy");
	REFUSED(hx_set(HD_API_ALTMARK_IFACE, &i, sizeof(i)), -ENOENT, "");
}
