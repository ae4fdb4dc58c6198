/* SPDX-License-Identifier: BSD-3-Clause
 * IP-layer capacity: the load rate adjustment algorithm over rows of RFC 9097, what a receiver counts, and messages, in
 * virtual time. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>

#include "pipelines/pm/capacity_count.h"
#include "pipelines/pm/capacity_rate.h"

#define MS 1000000ull

static const struct capacity_rate_conf defaults = { .top = 1090,
						    .high = CAPACITY_ROW_HIGH,
						    .fast = 10,
						    .seq_errors = 10,
						    .bad_reports = 3,
						    .low_ns = 30 * MS,
						    .high_ns = 90 * MS,
						    .feedback_ns = 50 * MS,
						    .stop_ns = 1000 * MS };

/* ---- the table ----------------------------------------------------------------------------------------------- */

Test(pm_capacity, sending_rate_table)
{
	/* RFC 9097 section 8.1: 1,090 steps up to 10 Gbit/s, index 0 not counted */
	cr_assert_eq(capacity_row_kbps(0), 500);
	cr_assert_eq(capacity_row_kbps(1), 1000);
	cr_assert_eq(capacity_row_kbps(1000), 1000000);
	cr_assert_eq(capacity_row_kbps(1001), 1100000);
	cr_assert_eq(capacity_row_kbps(1090), 10000000);
	cr_assert_eq(capacity_row_kbps(1091), 11000000);
	for (uint32_t row = 0; row < 1200; row++) {
		cr_assert_eq(capacity_row_of(capacity_row_kbps(row)), row, "row %u", row);
		cr_assert_eq(capacity_row_of(capacity_row_kbps(row + 1) - 1), row, "below %u",
			     row + 1);
	}
}

/* ---- the algorithm: reports, one letter each, and the rows after each of them -------------------------------- */

struct script {
	char why[72];
	uint32_t from, bad, top;
	char reports[16]; /* o: ok, d: delay in between, s: sequence errors, l: long delay, e: at both limits */
	uint32_t rows[12];
};

ParameterizedTestParameters(pm_capacity, scripts)
{
	static struct script s[] = {
		{ "P-112: ok from the start", 0, 0, 1090, "ooo", { 10, 20, 30 } },
		{ "P-112: fast up to the threshold, then single rows",
		  985,
		  0,
		  1090,
		  "oooo",
		  { 995, 1000, 1001, 1002 } },
		{ "P-113: three bad reports below it", 200, 0, 1090, "sss", { 199, 198, 168 } },
		{ "P-113: long delays are as bad", 200, 0, 1090, "lll", { 199, 198, 168 } },
		{ "confirmed: one drop only, single rows for the rest",
		  200,
		  0,
		  1090,
		  "lsloosol",
		  { 199, 198, 168, 169, 170, 169, 170, 169 } },
		{ "an ok in between begins to count anew",
		  200,
		  0,
		  1090,
		  "ssosss",
		  { 199, 198, 208, 207, 206, 176 } },
		{ "between the thresholds the rate stays", 200, 0, 1090, "ddd", { 200, 200, 200 } },
		{ "between them nothing is forgotten",
		  200,
		  0,
		  1090,
		  "sdsds",
		  { 199, 199, 198, 198, 168 } },
		{ "10 errors are ok, exactly 30 ms is not", 200, 0, 1090, "eo", { 200, 210 } },
		{ "never below the first row", 5, 0, 1090, "sssso", { 4, 3, 0, 0, 1 } },
		{ "at high speed a third bad report is a row",
		  1050,
		  0,
		  1090,
		  "ssso",
		  { 1049, 1048, 1047, 1048 } },
		{ "bad at high speed, and still only single rows below",
		  1001,
		  0,
		  1090,
		  "sssss",
		  { 1000, 999, 969, 968, 967 } },
		{ "never above the last row that is allowed", 93, 0, 100, "oo", { 100, 100 } },
	};

	return cr_make_param_array(struct script, s, sizeof(s) / sizeof(s[0]));
}

ParameterizedTest(struct script *s, pm_capacity, scripts)
{
	struct capacity_rate_conf c = defaults;
	struct capacity_rate r = { .row = s->from, .bad = s->bad };

	c.top = s->top;
	for (unsigned i = 0; s->reports[i] != '\0'; i++) {
		char k = s->reports[i];

		capacity_rate_feedback(&r, &c,
				       k == 's' ? 11 :
				       k == 'e' ? 10 :
						  0,
				       k == 'l' ? 91 * MS :
				       k == 'd' ? 60 * MS :
				       k == 'e' ? 30 * MS :
						  29 * MS,
				       i * 50 * MS);
		cr_assert_eq(r.row, s->rows[i], "%s: report %u: row %u, not %u", s->why, i, r.row,
			     s->rows[i]);
	}
}

Test(pm_capacity, P_118_feedback_stops)
{
	const struct capacity_rate_conf *c = &defaults;
	struct capacity_rate r;

	capacity_rate_init(&r, 0);
	for (unsigned i = 1; i <= 20; i++)
		capacity_rate_feedback(&r, c, 0, 0, i * 50 * MS);
	cr_assert_eq(r.row, 200);
	uint64_t last = 1000 * MS, cut[32] = { 0 };
	unsigned n = 0;
	for (uint64_t t = last; !capacity_rate_stopped(&r, c, t); t += MS)
		for (unsigned k = capacity_rate_silence(&r, c, t); k > 0; k--)
			cut[n++] = t - last;
	cr_assert_eq(cut[0], 190 * MS, "first cut at %llu", (unsigned long long)cut[0]);
	cr_assert_eq(cut[1], 240 * MS);
	cr_assert_eq(cut[2], 290 * MS);
	cr_assert_eq(n, 17, "the last at 990 ms, not %u", n);
	cr_assert_eq(r.row, 200 - 2 - 30 - 14, "the third confirms congestion");
	cr_assert_not(capacity_rate_stopped(&r, c, last + 999 * MS));
	cr_assert(capacity_rate_stopped(&r, c, last + 1000 * MS));
}

Test(pm_capacity, P_118_a_message_ends_the_silence)
{
	const struct capacity_rate_conf *c = &defaults;
	struct capacity_rate r = { .row = 100 };

	cr_assert_eq(capacity_rate_silence(&r, c, 189 * MS), 0);
	cr_assert_eq(capacity_rate_silence(&r, c, 300 * MS), 3, "all that are due, looked at late");
	capacity_rate_feedback(&r, c, 0, 0, 310 * MS);
	cr_assert_eq(capacity_rate_due(&r, c), 500 * MS, "w begins at 0 again");
	cr_assert(capacity_rate_confirmed(&r, c), "what was confirmed stays so");
}

/* ---- the receiver ---------------------------------------------------------------------------------------------- */

static struct capacity_count count;

static void load(uint32_t seq, uint64_t tx_us, uint64_t delay_us)
{
	/* a clock that is an hour behind the sender's */
	capacity_count_load(&count, seq, 1250, (tx_us + 3600000000ull) * 1000,
			    (tx_us + delay_us) * 1000);
}

Test(pm_capacity, sequence_anomalies)
{
	struct capacity_tally t;

	capacity_count_init(&count, 1000 * MS);
	load(0, 0, 5000);
	load(1, 100, 5000);
	load(4, 400, 5000); /* 2 and 3 are missing */
	load(3, 300, 5300); /* late, not lost */
	load(4, 400, 5500); /* a copy */
	load(5, 500, 5600);
	capacity_count_take(&count, 50 * MS, &t);
	cr_assert_eq(t.packets, 5);
	cr_assert_eq(t.octets, 5 * 1250);
	cr_assert_eq(t.lost, 1);
	cr_assert_eq(t.reordered, 1);
	cr_assert_eq(t.duplicates, 1);
	cr_assert_eq(t.delay_min, 0, "above the least delay, whatever the clocks say");
	cr_assert_eq(t.delay_max, 600000);
	/* 2 comes in the next interval: there it is reordered, and no loss below zero */
	load(2, 200, 50000);
	capacity_count_take(&count, 100 * MS, &t);
	cr_assert_eq(t.packets, 1);
	cr_assert_eq(t.lost, 0);
	cr_assert_eq(t.reordered, 1);
	capacity_count_roll(&count, 1005 * MS);
	cr_assert_eq(count.closed.lost, 0, "over the sub-interval nothing is lost");
	cr_assert_eq(count.closed.packets, 6);
}

Test(pm_capacity, the_first_packets_are_missing)
{
	struct capacity_tally t;

	capacity_count_init(&count, 1000 * MS);
	load(3, 0, 10);
	capacity_count_take(&count, MS, &t);
	cr_assert_eq(t.lost, 3);
}

Test(pm_capacity, numbers_wrap_and_jump)
{
	struct capacity_tally t;

	capacity_count_init(&count, 1000 * MS);
	count.next = UINT32_MAX - 1;
	load(UINT32_MAX - 1, 0, 10);
	load(UINT32_MAX, 1, 10);
	load(0, 2, 10);
	load(0, 3, 10);
	load(200000, 4, 10);
	load(0, 5, 10);
	capacity_count_take(&count, MS, &t);
	cr_assert_eq(t.packets, 4);
	cr_assert_eq(t.duplicates, 1);
	cr_assert_eq(t.lost, 199999);
	cr_assert_eq(count.stale, 1, "older than is remembered: neither late nor a copy");
}

Test(pm_capacity, sub_intervals)
{
	capacity_count_init(&count, 1000 * MS);
	/* 4,000 packets, 1 ms apart, the first one received at 7 ms */
	for (uint32_t i = 0; i < 4000; i++)
		load(i, i * 1000ull, 7000 + i % 2 * 300);
	cr_assert_eq(count.subs, 3, "the fourth runs");
	cr_assert_eq(count.closed.us, 1000000);
	cr_assert_eq(count.closed.packets, 1000);
	cr_assert_eq(count.closed.octets, 1250000);
	cr_assert_eq(count.closed.delay_max, 300000);
	cr_assert_eq(count.closed.variation, 300000);
	capacity_count_roll(&count, 9000 * MS);
	cr_assert_eq(count.subs, 8, "empty ones count as well");
	cr_assert_eq(count.closed.packets, 0);
	cr_assert_eq(count.packets, 4000);
}

/* ---- messages -------------------------------------------------------------------------------------------------- */

static struct capacity_msg example(uint8_t type)
{
	struct capacity_msg m = { .type = type,
				  .length = (uint16_t)(capacity_body_len(type) + CAPACITY_HMAC_LEN),
				  .flags = CAPACITY_F_SIGNED,
				  .test = 0x1122334455667788ull,
				  .cookie = 0x99aabbccddeeff00ull,
				  .seq = 0x01020304 };

	if (type == CAPACITY_REQUEST || type == CAPACITY_ACCEPT) {
		m.u.setup.max_kbps = 500000;
		m.u.setup.duration_ms = 10000;
		m.u.setup.sub_ms = 1000;
		m.u.setup.feedback_ms = 50;
		m.u.setup.size = 1250;
		m.u.setup.answer = CAPACITY_TOO_LONG;
	} else if (type == CAPACITY_LOAD) {
		m.u.load.tx_ns = 0x0102030405060708ull;
	} else if (type == CAPACITY_FEEDBACK) {
		m.u.feedback.echo_ns = 1;
		m.u.feedback.hold_ns = 2;
		m.u.feedback.highest = 3;
		m.u.feedback.interval = (struct capacity_tally){ 4, 5, 6, 7, 8, 9, 10, 11, 12 };
		m.u.feedback.sub = (struct capacity_tally){ 13, 14, 15, 16, 17, 18, 19, 20, 21 };
		m.u.feedback.subs = 22;
		m.u.feedback.packets = 23;
	}
	return m;
}

Test(pm_capacity, golden_request)
{
	static const uint8_t want[CAPACITY_BODY] = { 'H',  'd',  'C',  'p',  1,    1,    0,    64,
						     0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
						     0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0,
						     1,    2,    3,    4,    0,    1,    0,    0,
						     0,    0x07, 0xa1, 0x20, 0,    0,    0x27, 0x10,
						     0x03, 0xe8, 0,    50,   0x04, 0xe2, 2,    0 };
	struct capacity_msg m = example(CAPACITY_REQUEST);
	uint8_t p[CAPACITY_BODY_MAX];

	cr_assert_eq(capacity_build(p, &m), CAPACITY_BODY);
	cr_assert_arr_eq(p, want, sizeof(want));
}

Test(pm_capacity, messages_there_and_back)
{
	for (uint8_t type = 1; type <= 5; type++) {
		struct capacity_msg m = example(type), back = { 0 };
		uint8_t p[CAPACITY_BODY_MAX + CAPACITY_HMAC_LEN] = { 0 }, again[CAPACITY_BODY_MAX];
		unsigned body = capacity_build(p, &m);

		cr_assert_eq(capacity_parse(p, m.length, &back), 0, "type %u", type);
		cr_assert_eq(capacity_build(again, &back), body);
		cr_assert_arr_eq(p, again, body, "type %u", type);
		cr_assert_eq(back.u.feedback.packets, m.u.feedback.packets);
	}
}

Test(pm_capacity, messages_that_are_refused)
{
	struct capacity_msg m = example(CAPACITY_FEEDBACK), back = { .type = 77 };
	uint8_t p[CAPACITY_BODY_MAX + CAPACITY_HMAC_LEN] = { 0 };

	capacity_build(p, &m);
	for (size_t n = 0; n < m.length; n++) { /* cut anywhere, whatever it says of its length */
		uint8_t *cut = malloc(n + !n);

		memcpy(cut, p, n);
		if (n >= 8)
			wire_put16(cut + 6, (uint16_t)n);
		cr_assert_eq(capacity_parse(cut, n, &back), -EBADMSG, "%zu octets", n);
		free(cut);
	}
	cr_assert_eq(back.type, 77, "untouched");
	static const struct {
		uint8_t at, value;
		int rc;
	} bad[] = { { 0, 'h', -EPROTONOSUPPORT }, { 4, 2, -EPROTONOSUPPORT },
		    { 5, 0, -EPROTONOSUPPORT },   { 5, 6, -EPROTONOSUPPORT },
		    { 7, 161, -EBADMSG },         { 6, 1, -EBADMSG } };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		capacity_build(p, &m);
		p[bad[i].at] = bad[i].value;
		cr_assert_eq(capacity_parse(p, m.length, &back), bad[i].rc, "octet %u", bad[i].at);
	}
}
