/* SPDX-License-Identifier: BSD-3-Clause
 * One session in virtual time: what is counted, and how far delays and percentiles are from the truth. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/impair_model.h"
#include "pipelines/pm/session.h"
#include "pipelines/pm/wheel.h"

#define MS   1000000ull
#define WALL 1790000000000000000ull /* a wall clock that is far from the ticks */

static struct session_conf conf = { .interval = 10 * MS, .timeout = 1000 * MS };
static struct session_state *st;

static void up(void)
{
	st = session_create(session_window(10000, 1000000), WALL);
	cr_assert_not_null(st);
}

static void down(void)
{
	session_destroy(st);
}
TestSuite(pm_session, .init = up, .fini = down);

static struct session_now at(uint64_t t)
{
	return (struct session_now){ .tsc = t, .ns_per_tick = 1, .wall_ns = WALL + t, .tai_s = 37 };
}

static uint32_t send_at(uint64_t t)
{
	struct session_now now = at(t);

	return session_sent(st, &conf, &st->bin[0], &now);
}

/* The reply to seq that left at t1, was with the reflector from t2 to t3 (its clock is `off` ahead), and came at t4. */
static enum session_fate reply(uint32_t seq, uint64_t t1, uint64_t t2, uint64_t t3, uint64_t t4,
			       int64_t off)
{
	struct stamp_answer a = { .seq = seq,
				  .s_seq = seq,
				  .t1 = stamp_ntp_make(WALL + t1),
				  .t2 = stamp_ntp_make(WALL + t2 + (uint64_t)off),
				  .t3 = stamp_ntp_make(WALL + t3 + (uint64_t)off),
				  .error = 0x8801 };
	struct session_now now = at(t4);
	bool came_up;

	return session_reply(st, &conf, &st->bin[0], &a, &now, 100, &came_up);
}

static const struct hd_pm_counts *c(void)
{
	return &st->bin[0].c;
}

Test(pm_session, delays_of_one_packet)
{
	const struct hd_pm_hist *d = st->bin[0].d;

	cr_assert_eq(send_at(5 * MS), 0, "sequence numbers start at 0 (RFC 8762 4.2.1)");
	cr_assert_eq(reply(0, 5 * MS, 7 * MS, 8 * MS, 12 * MS, 0), SESSION_GOOD);
	cr_assert(llabs(d[HD_PM_FWD].min - (int64_t)(2 * MS)) <= 1, "%lld",
		  (long long)d[HD_PM_FWD].min);
	cr_assert(llabs(d[HD_PM_BWD].min - (int64_t)(4 * MS)) <= 1);
	cr_assert(llabs(d[HD_PM_RTT].min - (int64_t)(6 * MS)) <= 1, "without the reflector's ms");
	cr_assert_eq(c()->error_max, 100);
}

/* 1000 of it is what this node adds: off the round trip, and half of it off either way. */
Test(pm_session, a_calibration_is_taken_off)
{
	const struct hd_pm_hist *d = st->bin[0].d;

	conf.offset_ns = 1001;
	send_at(5 * MS);
	reply(0, 5 * MS, 7 * MS, 8 * MS, 12 * MS, 0);
	cr_assert(llabs(d[HD_PM_RTT].min - (int64_t)(6 * MS - 1001)) <= 1);
	cr_assert(llabs(d[HD_PM_FWD].min - (int64_t)(2 * MS - 500)) <= 1);
	cr_assert(llabs(d[HD_PM_BWD].min - (int64_t)(4 * MS - 501)) <= 1);
	conf.flags = HD_PM_S_LOOPBACK;
	send_at(15 * MS);
	reply(1, 15 * MS, 0, 0, 15 * MS + 1000, 0);
	cr_assert_eq(d[HD_PM_RTT].min, -1, "a wrong one shows");
	cr_assert_eq(d[HD_PM_RTT].negative, 1);
}

Test(pm_session, a_clock_that_is_behind_gives_a_negative_delay)
{
	const struct hd_pm_hist *d = st->bin[0].d;

	send_at(5 * MS);
	reply(0, 5 * MS, 7 * MS, 8 * MS, 12 * MS, -(int64_t)(30 * MS));
	cr_assert_eq(d[HD_PM_FWD].negative, 1, "reported, not hidden (RFC 7679 3.5)");
	cr_assert(llabs(d[HD_PM_FWD].min + (int64_t)(28 * MS)) <= 1);
	cr_assert(llabs(d[HD_PM_RTT].min - (int64_t)(6 * MS)) <= 1, "needs no synchronised clocks");
}

Test(pm_session, loss_is_decided_after_the_timeout)
{
	for (unsigned i = 0; i < 5; i++)
		send_at(i * 10 * MS);
	for (unsigned i = 0; i < 5; i++)
		if (i != 2)
			reply(i, i * 10 * MS, i * 10 * MS + 1, i * 10 * MS + 2, i * 10 * MS + 3, 0);
	cr_assert_eq(c()->lost, 0, "not yet");
	session_expire(st, &conf, &st->bin[0], 20 * MS + conf.timeout);
	cr_assert_eq(c()->lost, 0, "the timeout itself is in time");
	session_expire(st, &conf, &st->bin[0], 21 * MS + conf.timeout);
	cr_assert_eq(c()->lost, 1);
	cr_assert_eq(c()->received, 4);
	cr_assert_eq(reply(2, 20 * MS, 21 * MS, 22 * MS, 1100 * MS, 0), SESSION_LATE);
	cr_assert_eq(c()->late, 1);
	cr_assert_eq(c()->received, 4, "lost it stays (RFC 7680 2.4)");
}

Test(pm_session, duplicates_order_and_strangers)
{
	for (unsigned i = 0; i < 4; i++)
		send_at(i * 10 * MS);
	cr_assert_eq(reply(0, 0, 1, 2, 31 * MS, 0), SESSION_GOOD);
	cr_assert_eq(reply(2, 20 * MS, 20 * MS + 1, 20 * MS + 2, 32 * MS, 0), SESSION_GOOD);
	cr_assert_eq(reply(1, 10 * MS, 10 * MS + 1, 10 * MS + 2, 33 * MS, 0), SESSION_GOOD);
	cr_assert_eq(reply(2, 20 * MS, 20 * MS + 1, 20 * MS + 2, 34 * MS, 0), SESSION_DUPLICATE);
	cr_assert_eq(reply(4, 0, 1, 2, 35 * MS, 0), SESSION_STRANGER, "never sent");
	cr_assert_eq(reply(UINT32_MAX, 0, 1, 2, 35 * MS, 0), SESSION_STRANGER);
	cr_assert_eq(c()->reordered, 1, "RFC 4737: below what was expected");
	cr_assert_eq(c()->duplicate, 1);
	cr_assert_eq(c()->received, 3);
}

Test(pm_session, variation_is_of_neighbours)
{
	uint64_t delay[] = { 3, 5, 4, 0, 9, 9 }; /* ms; the fourth is lost */

	for (unsigned i = 0; i < 6; i++) {
		send_at(i * 10 * MS);
		if (delay[i] != 0)
			reply(i, i * 10 * MS, (i * 10 + delay[i]) * MS, (i * 10 + delay[i]) * MS,
			      (i * 10 + delay[i] + 1) * MS, 0);
	}
	cr_assert_eq(c()->ipdv_n, 3, "undefined where one of the pair is lost (RFC 3393 2.4)");
	cr_assert(llabs((int64_t)c()->ipdv_sum - (int64_t)(3 * MS)) <= 6);
	cr_assert(llabs(c()->ipdv_min + (int64_t)MS) <= 2);
	cr_assert(llabs(c()->ipdv_max - (int64_t)(2 * MS)) <= 2);
}

Test(pm_session, loss_by_direction)
{
	conf.flags = HD_PM_S_STATEFUL;
	/* 10 sent; 2 and 5 do not arrive there, the replies to 3 and 8 are lost */
	uint32_t peer = 0;

	for (unsigned i = 0; i < 10; i++) {
		struct stamp_answer a = { .s_seq = i, .error = 1 };
		struct session_now now = at(i * 10 * MS + MS);
		bool came_up;

		send_at(i * 10 * MS);
		if (i == 2 || i == 5)
			continue;
		a.seq = peer++;
		if (i != 3 && i != 8)
			session_reply(st, &conf, &st->bin[0], &a, &now, 0, &came_up);
	}
	session_expire(st, &conf, &st->bin[0], 5000 * MS);
	cr_assert_eq(c()->lost, 4);
	cr_assert_eq(c()->lost_bwd, 2);
	conf.flags = 0;
}

Test(pm_session, blocks_of_severe_loss)
{
	for (unsigned i = 0; i < 300; i++) {
		send_at(i * 10 * MS);
		if (i < 100 || i >= 121) /* 21 of the second hundred are lost */
			reply(i, i * 10 * MS, i * 10 * MS, i * 10 * MS, i * 10 * MS + MS, 0);
	}
	session_expire(st, &conf, &st->bin[0], 5000 * MS);
	cr_assert_eq(c()->blocks, 3);
	cr_assert_eq(c()->severe, 1);
}

Test(pm_session, a_step_of_the_clock_leaves_one_way_delays_out)
{
	struct session_now now = at(20 * MS);
	struct stamp_answer a = { .s_seq = 1, .error = 1 };
	bool came_up;

	send_at(0);
	send_at(10 * MS);
	now.epoch = 1;
	session_reply(st, &conf, &st->bin[0], &a, &now, 0, &came_up);
	cr_assert_eq(c()->clock_steps, 1);
	cr_assert_eq(st->bin[0].d[HD_PM_RTT].n, 1);
	cr_assert_eq(st->bin[0].d[HD_PM_FWD].n, 0);
}

Test(pm_session, liveness)
{
	struct session_now now = at(0);
	struct stamp_answer a = { .error = 1 };
	bool came_up = false;

	conf.n_down = 3;
	conf.n_up = 2;
	cr_assert_eq(session_deadline(st, &conf), 0, "nothing was sent");
	for (uint32_t i = 0; i < 5; i++) {
		now = at(i * 10 * MS + MS);
		send_at(i * 10 * MS);
		a.s_seq = i;
		session_reply(st, &conf, &st->bin[0], &a, &now, 0, &came_up);
		cr_assert_eq(came_up, i == 1, "after two replies in a row");
	}
	cr_assert_eq(st->liveness, HD_PM_UP);
	cr_assert_eq(session_deadline(st, &conf), 41 * MS + 32500000,
		     "3 losses of 10 ms, and a quarter");
	now = at(73 * MS);
	cr_assert_not(session_alive_check(st, &conf, &now));
	now = at(74 * MS);
	cr_assert(session_alive_check(st, &conf, &now));
	cr_assert_eq(st->liveness, HD_PM_DOWN);
	cr_assert_eq(st->detect_ns, 33 * MS);
	cr_assert_not(session_alive_check(st, &conf, &now), "told once");
	for (uint32_t i = 5; i < 8; i++) {
		send_at(i * 10 * MS + 50 * MS);
		now = at(i * 10 * MS + 51 * MS);
		a.s_seq = i;
		if (i != 6)
			session_reply(st, &conf, &st->bin[0], &a, &now, 0, &came_up);
		cr_assert_not(came_up, "a loss begins the run anew");
	}
	conf.n_down = conf.n_up = 0;
}

Test(pm_session, window)
{
	cr_assert_eq(session_window(10000, 1000000), 128);
	cr_assert_eq(session_window(1000000, 1000000), SESSION_WINDOW_MIN);
	cr_assert_eq(session_window(1000, 60000000), 0, "60,000 packets under way");
}

/* ---- accuracy: 1,000 seeded runs against an impairment ----------------------------------------------------------- */

#define PACKETS 1000u

/* What really happened to the packets of a run. */
struct truth {
	int64_t rtt[PACKETS], fwd[PACKETS];
	unsigned n, lost, duplicated, reordered;
};

struct arrival {
	uint64_t t4, t2;
	uint32_t seq;
	bool copy;
};

static int arrival_cmp(const void *a, const void *b)
{
	const struct arrival *x = a, *y = b;

	if (x->t4 != y->t4)
		return x->t4 < y->t4 ? -1 : 1;
	return (x->seq > y->seq) - (x->seq < y->seq);
}

static int i64_cmp(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void run(uint32_t seed, struct truth *t)
{
	static struct arrival ar[2 * PACKETS];
	uint64_t s = seed;
	struct impair_model there = {
		.loss_ppm = (uint32_t)(impair_random(&s) % 100000),
		.duplicate_ppm = (uint32_t)(impair_random(&s) % 50000),
		.reorder_ppm = (uint32_t)(impair_random(&s) % 50000),
		.delay_ns = 100000 + impair_random(&s) % (100 * MS),
		.state = impair_random(&s),
	};
	unsigned n = 0;
	uint32_t expect = 0;

	there.jitter_ns = impair_random(&s) % (there.delay_ns / 2);
	memset(t, 0, sizeof(*t));
	for (uint32_t i = 0; i < PACKETS; i++) {
		struct impair_fate f = impair_next(&there);
		uint64_t t1 = i * 10 * MS;

		if (f.lost) {
			t->lost++;
			continue;
		}
		ar[n++] = (struct arrival){ t1 + f.delay_ns + 50000, t1 + f.delay_ns, i, false };
		t->fwd[t->n] = (int64_t)f.delay_ns;
		t->rtt[t->n++] = (int64_t)f.delay_ns + 40000; /* 10 us with the reflector */
		if (f.duplicated) {
			ar[n++] = (struct arrival){ t1 + f.delay_ns + 90000, t1 + f.delay_ns, i,
						    true };
			t->duplicated++;
		}
	}
	qsort(ar, n, sizeof(ar[0]), arrival_cmp);
	for (unsigned i = 0; i < n; i++) {
		if (ar[i].copy)
			continue;
		t->reordered += ar[i].seq < expect;
		if (ar[i].seq >= expect)
			expect = ar[i].seq + 1;
	}
	qsort(t->rtt, t->n, sizeof(t->rtt[0]), i64_cmp);
	qsort(t->fwd, t->n, sizeof(t->fwd[0]), i64_cmp);
	/* the same through the session, sends and arrivals in the order of time */
	unsigned k = 0;
	for (uint32_t i = 0; i <= PACKETS; i++) {
		uint64_t now = i == PACKETS ? UINT64_MAX : i * 10 * MS;

		for (; k < n && ar[k].t4 < now; k++)
			reply(ar[k].seq, ar[k].seq * 10 * MS, ar[k].t2, ar[k].t2 + 10000, ar[k].t4,
			      0);
		if (i < PACKETS)
			send_at(now);
	}
	session_expire(st, &conf, &st->bin[0], PACKETS * 10 * MS + 2 * conf.timeout);
}

/* Nearest rank of a sorted list. */
static int64_t rank(const int64_t *v, unsigned n, double percent)
{
	unsigned k = (unsigned)(percent / 100 * n + 0.999999);

	return v[k == 0 ? 0 : k - 1];
}

static bool within(const struct hd_pm_hist *h, const int64_t *truth, unsigned n)
{
	static const double p[] = { 0, 50, 90, 99, 99.9, 100 };

	for (unsigned i = 0; i < sizeof(p) / sizeof(p[0]); i++) {
		int64_t half, got = hd_pm_hist_percentile(h, p[i], &half);

		/* and 2 ns: timestamps in NTP's format are rounded */
		if (llabs(got - rank(truth, n, p[i])) > half + 2)
			return false;
	}
	return true;
}

Test(pm_session, accuracy_of_1000_seeded_runs)
{
	static struct truth t;
	unsigned good = 0;

	for (uint32_t seed = 1; seed <= 1000; seed++) {
		down();
		up();
		run(seed, &t);
		/* counts are exact, always */
		cr_assert_eq(c()->sent, PACKETS, "seed %u", seed);
		cr_assert_eq(c()->lost, t.lost, "seed %u: %lu, not %u", seed, c()->lost, t.lost);
		cr_assert_eq(c()->received, t.n, "seed %u", seed);
		cr_assert_eq(c()->duplicate, t.duplicated, "seed %u", seed);
		cr_assert_eq(c()->reordered, t.reordered, "seed %u: %lu, not %u", seed,
			     c()->reordered, t.reordered);
		good += within(&st->bin[0].d[HD_PM_RTT], t.rtt, t.n) &&
			within(&st->bin[0].d[HD_PM_FWD], t.fwd, t.n);
	}
	cr_assert_geq(good, 990, "%u of 1000 runs are inside what they state", good);
}

/* ---- a calibrated node ------------------------------------------------------------------------------------------- */

#define OWN_LEAST 1000u /* ns that this node adds at either end, and as much more as half of it */
#define LOOPS     100u

static uint64_t own(uint64_t *seed, uint64_t *most)
{
	uint64_t ns = OWN_LEAST + impair_random(seed) % (OWN_LEAST / 2);

	*most = ns > *most ? ns : *most;
	return ns;
}

/* Over a loop that takes no time: what heddle pm calibrate makes of it. */
static uint32_t calibrate(uint64_t *seed, int64_t *ret_error)
{
	const struct hd_pm_hist *h = &st->bin[0].d[HD_PM_RTT];
	uint64_t most = 0;
	int64_t half;

	conf.flags = HD_PM_S_LOOPBACK;
	conf.offset_ns = 0;
	for (uint32_t i = 0; i < LOOPS; i++) {
		send_at(i * MS);
		reply(i, i * MS, 0, 0, i * MS + own(seed, &most) + own(seed, &most), 0);
	}
	*ret_error = hd_pm_hist_percentile(h, 50, &half) + half - h->min;
	return (uint32_t)h->min;
}

/* Results stay inside what they state though they state less: waits at both ends without what was taken off. */
Test(pm_session, calibrated_runs_keep_their_word)
{
	const struct hd_pm_hist *h;
	static int64_t truth[PACKETS];
	unsigned good = 0;

	for (uint32_t seed = 1; seed <= 1000; seed++) {
		uint64_t s = seed, most = 0;
		int64_t error, least, stated, half, p;
		uint32_t offset;

		down();
		up();
		offset = calibrate(&s, &error);
		down();
		up();
		conf.flags = 0;
		conf.offset_ns = offset;
		for (uint32_t i = 0; i < PACKETS; i++) {
			uint64_t t1 = i * 10 * MS, there = 10000 + impair_random(&s) % MS,
				 t2 = t1 + own(&s, &most) + there, t3 = t2 + 10000;

			send_at(t1);
			reply(i, t1, t2, t3, t3 + 40000 + own(&s, &most), 0);
			truth[i] = (int64_t)there + 40000;
		}
		qsort(truth, PACKETS, sizeof(truth[0]), i64_cmp);
		h = &st->bin[0].d[HD_PM_RTT];
		stated = 2 * (int64_t)most - offset + error;
		cr_assert_lt(stated, 2 * (int64_t)most, "less than without");
		least = h->min - truth[0];
		cr_assert_gt(least + offset, stated, "seed %u: it was needed", seed);
		p = hd_pm_hist_percentile(h, 99, &half);
		good += llabs(least) <= stated && llabs(h->max - truth[PACKETS - 1]) <= stated &&
			llabs(p - truth[PACKETS * 99 / 100 - 1]) <= stated + half;
	}
	cr_assert_geq(good, 990, "%u of 1000 runs are inside what they state", good);
}

/* ---- distribution ------------------------------------------------------------------------------------------------ */

Test(pm_session, buckets_hold_their_values)
{
	for (int64_t v = 0; v < (int64_t)1 << 36; v = v * 9 / 8 + 7) {
		uint32_t i = hd_pm_hist_index(v);

		cr_assert_lt(i, HD_PM_HIST_BUCKETS);
		cr_assert_leq(hd_pm_hist_low(i), v);
		if (i + 1 < HD_PM_HIST_BUCKETS)
			cr_assert_gt(hd_pm_hist_low(i + 1), v);
	}
}

Test(pm_session, delays_of_1_to_1000_ms)
{
	static struct hd_pm_hist h;
	int64_t half, v;

	for (int64_t i = 1; i <= 1000; i++)
		hd_pm_hist_add(&h, i * (int64_t)MS);
	v = hd_pm_hist_percentile(&h, 99.9, &half) - h.min;
	cr_assert_leq(llabs(v - (int64_t)(998 * MS)), half,
		      "Y.1540: the 99.9th percentile minus the least");
}

/* ---- wheel ------------------------------------------------------------------------------------------------------- */

Test(pm_session, wheel_gives_each_entry_once_and_in_time)
{
	static struct wheel_entry e[1000];
	static struct wheel w;
	static uint64_t due[1000];
	uint64_t s = 7, now = 12345678;
	unsigned left = 1000;

	wheel_init(&w, e, 4, now);
	for (unsigned i = 0; i < 1000; i++) {
		due[i] = now + impair_random(&s) % 1000000; /* many turns of 65,536 ticks */
		wheel_arm(&w, i, due[i]);
	}
	while (left > 0) {
		uint32_t got[10];
		uint64_t was = now;
		unsigned n;

		now += impair_random(&s) % (left % 3 == 0 ? 200000 : 300);
		while ((n = wheel_take(&w, now, got, 10)) != 0)
			for (unsigned i = 0; i < n; i++, left--) {
				cr_assert_leq(due[got[i]], now, "not before its time");
				cr_assert_gt(due[got[i]], was, "at the first look after it");
				due[got[i]] = 0;
				cr_assert_not(e[got[i]].armed);
			}
	}
	for (unsigned i = 0; i < 1000; i++)
		wheel_arm(&w, i, now + impair_random(&s) % 1000000);
	for (unsigned i = 0; i < 1000; i++)
		wheel_disarm(&w, i);
	cr_assert_eq(wheel_take(&w, now + 5000000, (uint32_t[1]){ 0 }, 1), 0);
}
