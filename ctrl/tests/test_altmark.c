/* SPDX-License-Identifier: BSD-3-Clause
 * Alternate marking in the control process: series of blocks, comparing them, and what the configuration refuses. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/pm/altmark.h"
#include "ctrl/srv6/srv6.h"
#include "ctrl/tests/texts.h"

#define P 1000u /* ms */

static struct hd_api_altmark_block block(uint64_t number, uint64_t packets)
{
	return (struct hd_api_altmark_block){
		.block = number, .packets = packets, .clock_error_ns = UINT64_MAX, .period_ms = P
	};
}

static void put(struct altmark_series *s, uint64_t number, uint64_t packets)
{
	struct hd_api_altmark_block b = block(number, packets);

	altmark_series_put(s, &b);
}

/* ---- series ---------------------------------------------------------------------------------------------------- */

Test(altmark_series, a_block_without_packets_is_known_too)
{
	struct altmark_series s = { 0 };

	cr_assert_null(altmark_series_get(&s, 0), "nothing is");
	put(&s, 100, 7);
	altmark_series_known(&s, P, 100, 102);
	cr_assert_eq(altmark_series_get(&s, 100)->packets, 7);
	cr_assert_eq(altmark_series_get(&s, 101)->packets, 0);
	cr_assert_null(altmark_series_get(&s, 99));
	cr_assert_null(altmark_series_get(&s, 103));
}

Test(altmark_series, grows_without_a_hole)
{
	struct altmark_series s = { 0 };

	altmark_series_known(&s, P, 100, 102);
	altmark_series_known(&s, P, 98, 104);
	cr_assert_eq(s.from, 100);
	cr_assert_eq(s.until, 104);
	altmark_series_known(&s, P, 97, 103);
	cr_assert_eq(s.until, 104, "an older answer takes nothing back");
	altmark_series_known(&s, P, 107, 108);
	cr_assert_eq(s.from, 107, "105 and 106 were missed");
	altmark_series_known(&s, P, 107, 107 + ALTMARK_KEPT);
	cr_assert_eq(s.from, 108, "the oldest is not kept");
	altmark_series_known(&s, 2 * P, 60, 61);
	cr_assert_eq(s.from, 60, "another period");
	cr_assert_eq(s.until, 61);
}

/* ---- comparing ------------------------------------------------------------------------------------------------- */

Test(altmark_compare, mean_only_when_nothing_is_missing)
{
	struct hd_api_altmark_block a = block(5, 10), b = block(5, 10);
	struct altmark_result r;

	a.ts_sum_ns = 1000;
	b.ts_sum_ns = 6000;
	r = altmark_compare(&a, &b);
	cr_assert(r.has_mean);
	cr_assert_eq(r.mean_ns, 500);
	b.packets = 9;
	cr_assert_not(altmark_compare(&a, &b).has_mean,
		      "RFC 9341 section 3.2.1.1 would tolerate it; we do not");
}

Test(altmark_compare, delay_packets_in_order_and_complete)
{
	struct hd_api_altmark_block a = block(5, 10), b = block(5, 10);
	struct altmark_result r;

	a.d_n = b.d_n = 2;
	a.d_ns[0] = 100;
	a.d_ns[1] = 500;
	b.d_ns[0] = 130;
	b.d_ns[1] = 490;
	r = altmark_compare(&a, &b);
	cr_assert_eq(r.n_delays, 2);
	cr_assert_eq(r.delay_ns[0], 30);
	cr_assert_eq(r.delay_ns[1], -10, "a clock's error is shown, not hidden");
	b.d_n = 1;
	cr_assert_eq(altmark_compare(&a, &b).n_delays, 0, "one was lost: which one is not known");
	cr_assert_not(r.has_bound);
	a.clock_error_ns = 1000;
	cr_assert_not(altmark_compare(&a, &b).has_bound);
	b.clock_error_ns = 500;
	cr_assert(altmark_compare(&a, &b).has_bound);
	cr_assert_eq(altmark_compare(&a, &b).bound_ns, 1500);
}

Test(altmark_measure, loss_in_its_block)
{
	struct altmark_series a = { 0 }, b = { 0 };
	struct altmark_measure m = { 0 };

	for (uint64_t n = 100; n < 110; n++) {
		put(&a, n, 1000);
		put(&b, n, n == 104 ? 997 : n == 106 ? 1001 : 1000);
	}
	altmark_series_known(&a, P, 100, 109);
	altmark_series_known(&b, P, 102, 107);
	altmark_measure_run(&m, &a, &b);
	cr_assert_eq(m.blocks, 6, "102 to 107");
	cr_assert_eq(m.sent, 6000);
	cr_assert_eq(m.lost, 3);
	cr_assert_eq(m.surplus, 1, "duplicates hide no loss of another block");
	cr_assert_eq(altmark_measure_get(&m, 104)->received, 997);
	cr_assert_null(altmark_measure_get(&m, 101));
	altmark_measure_run(&m, &a, &b);
	cr_assert_eq(m.blocks, 6, "no block counts twice");
	put(&b, 108, 0);
	altmark_series_known(&b, P, 102, 109);
	altmark_measure_run(&m, &a, &b);
	cr_assert_eq(m.blocks, 8);
	cr_assert_eq(m.lost, 3 + 1000, "all of 108");
	cr_assert_eq(m.unknown, 0);
}

Test(altmark_measure, what_is_not_known_is_not_lost)
{
	struct altmark_series a = { 0 }, b = { 0 };
	struct altmark_measure m = { 0 };

	for (uint64_t n = 100; n < 140; n++) {
		put(&a, n, 10);
		put(&b, n, 10);
	}
	altmark_series_known(&a, P, 100, 110);
	altmark_series_known(&b, P, 100, 105);
	altmark_measure_run(&m, &a, &b);
	altmark_series_known(&a, P, 100, 130);
	altmark_series_known(&b, P, 120, 130); /* that data plane was away */
	altmark_measure_run(&m, &a, &b);
	cr_assert_eq(m.blocks, 6 + 11);
	cr_assert_eq(m.unknown, 14, "106 to 119");
	cr_assert_eq(m.lost, 0);
}

/* ---- configuration --------------------------------------------------------------------------------------------- */

static const char good[] =
	"interfaces:\n"
	"  interface:\n"
	"  - {name: a, devargs: net_null0}\n"
	"srv6:\n"
	"  encapsulation: {source-address: 'fc00:1::1'}\n"
	"  policy:\n"
	"  - {name: far, segment-list: [{name: a, segment: ['fc00:2::1']}]}\n"
	"altmark:\n"
	"  period: 2\n"
	"  srh-tlv-type: 124\n"
	"  interface: [a]\n"
	"  flow:\n"
	"  - {name: f, flow-mon-id: 1234, source-address: 'fc00:1::1', mark: {policy: far}}\n"
	"  peer: [{name: r2, socket: /tmp/x.sock}]\n"
	"  measurement: [{name: m, flow: f, to: r2}]\n";

TestSuite(altmark_config, .init = texts_init, .fini = texts_fini);

Test(altmark_config, objects)
{
	struct ctrl_err err = { 0 };
	struct config *cfg;
	const struct hd_api_altmark_conf *conf;
	const struct hd_api_altmark_flow *flow;
	const struct hd_api_altmark_mark *mark;

	cr_assert_eq(texts_take(good, &cfg, &err), 0, "%s", err.msg);
	conf = texts_nth(cfg, HD_API_ALTMARK_CONF, 0);
	flow = texts_nth(cfg, HD_API_ALTMARK_FLOW, 0);
	mark = texts_nth(cfg, HD_API_ALTMARK_MARK, 0);
	cr_assert_eq(conf->period_ms, 2000);
	cr_assert_eq(conf->guard_ms, 200);
	cr_assert_eq(conf->d_per_block, 1);
	cr_assert_eq(conf->tlv_type, 124);
	cr_assert_eq(flow->mon_id, 1234);
	cr_assert_eq(mark->flow_id, flow->flow_id);
	cr_assert_eq(mark->place, 1);
	cr_assert_not_null(texts_nth(cfg, HD_API_ALTMARK_IFACE, 0));
}

ParameterizedTestParameters(altmark_config, refused)
{
	static struct bad_row rows[] = {
		{ "period: 2\n", "period: 2\n  guard: 1000\n", "not below half a block" },
		{ "period: 2\n", "period: 601\n", "range" },
		{ "interface: [a]", "interface: [b]", "b" },
		{ "policy: far", "policy: near", "near" },
		{ "to: r2", "to: r3", "no peer 'r3'" },
		{ "to: r2", "to: local", "both points are the same" },
		{ "flow: f,", "flow: g,", "no flow 'g'" },
		{ "1234", "1048576", "range" },
		{ "  peer:",
		  "  - {name: g, flow-mon-id: 1234, source-address: 'fc00:1::1'}\n  peer:",
		  "same FlowMonID" },
		{ "srh-tlv-type: 124\n", "srh-tlv-type: 5\n", "range" },
		{ "name: r2,", "name: local,", "" },
	};
	return cr_make_param_array(struct bad_row, rows, sizeof(rows) / sizeof(rows[0]));
}
ParameterizedTest(struct bad_row *r, altmark_config, refused)
{
	texts_refused(good, r);
}
