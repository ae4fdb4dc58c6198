/* SPDX-License-Identifier: BSD-3-Clause
 * Sessions in the control process: what configuration compiles to, bins and their store, thresholds. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctrl/pm/metrics.h"
#include "ctrl/pm/session.h"
#include "ctrl/pm/store.h"
#include "ctrl/pm/threshold.h"
#include "ctrl/tests/texts.h"

/* ---- bins -------------------------------------------------------------------------------------------------------- */

static struct pm_bin one, two, got;
static uint8_t buf[PM_BIN_MAX];

static void fill(struct pm_bin *b, uint64_t start_ms, int64_t first)
{
	memset(b, 0, sizeof(*b));
	b->start_ms = start_ms;
	b->end_ms = start_ms + 10000;
	b->c = (struct hd_pm_counts){ .sent = 100,
				      .received = 97,
				      .lost = 3,
				      .ipdv_n = 96,
				      .ipdv_sum = 5000,
				      .ipdv_min = -70,
				      .ipdv_max = 90,
				      .error_max = 12 };
	b->own_error = 0x8801;
	b->peer_error = 0x9005;
	b->synced = true;
	for (int64_t i = 0; i < 97; i++) {
		hd_pm_hist_add(&b->d[HD_PM_RTT], first + i * 10000);
		hd_pm_hist_add(&b->d[HD_PM_FWD], -first - i);
	}
}

Test(pm_bin, comes_back_as_it_was)
{
	size_t n;

	fill(&one, 1000, 500000);
	n = pm_bin_encode(&one, buf, sizeof(buf));
	cr_assert_gt(n, 0);
	cr_assert_lt(n, 400, "%zu octets", n);
	got.start_ms = one.start_ms;
	got.end_ms = one.end_ms;
	cr_assert_eq(pm_bin_decode(buf, n, &got), 0);
	cr_assert_eq(memcmp(&got, &one, sizeof(one)), 0);
	for (size_t k = 0; k < n; k++) {
		uint8_t *cut = malloc(k + 1);

		memcpy(cut, buf, k);
		cr_assert_lt(pm_bin_decode(cut, k, &got), 0, "cut at %zu", k);
		cr_assert_eq(pm_bin_encode(&one, cut, k), 0, "no room");
		free(cut);
	}
}

Test(pm_bin, every_bucket_fits)
{
	memset(&one, 0, sizeof(one));
	for (unsigned d = 0; d < HD_PM_DIRS; d++)
		for (uint32_t i = 0; i < HD_PM_HIST_BUCKETS; i++) {
			hd_pm_hist_add(&one.d[d], hd_pm_hist_low(i));
			one.d[d].bucket[i] = 1000000;
		}
	cr_assert_gt(pm_bin_encode(&one, buf, sizeof(buf)), 0);
}

Test(pm_bin, merging_is_exact)
{
	fill(&one, 1000, 500000);
	fill(&two, 11000, 100);
	memset(&got, 0, sizeof(got));
	pm_bin_merge(&got, &one);
	pm_bin_merge(&got, &two);
	cr_assert_eq(got.c.sent, 200);
	cr_assert_eq(got.c.lost, 6);
	cr_assert_eq(got.c.ipdv_min, -70);
	cr_assert_eq(got.d[HD_PM_RTT].n, 194);
	cr_assert_eq(got.d[HD_PM_RTT].min, 100);
	cr_assert_eq(got.d[HD_PM_RTT].max, 500000 + 96 * 10000);
	cr_assert(got.start_ms == 1000 && got.end_ms == 21000);
}

/* ---- store ------------------------------------------------------------------------------------------------------- */

static unsigned seen;
static uint64_t last_start;

static int count(void *arg, const struct pm_bin *b)
{
	(void)arg;
	seen++;
	last_start = b->start_ms;
	return 0;
}

static int count_event(void *arg, uint64_t time_ms, const char *text)
{
	(void)time_ms;
	seen += strcmp(text, arg) == 0;
	return 0;
}

Test(pm_store, keeps_bins_once_and_over_restarts)
{
	char path[] = "/tmp/pm-store-XXXXXX", file[64];
	const char *why;
	struct store *s;
	size_t n;

	cr_assert_not_null(mkdtemp(path));
	snprintf(file, sizeof(file), "%s/pm.db", path);
	s = store_open(file, &why);
	cr_assert_not_null(s, "%s", why);
	fill(&one, 10000, 500000);
	n = pm_bin_encode(&one, buf, sizeof(buf));
	cr_assert_eq(store_begin(s), 0);
	for (uint64_t t = 10000; t <= 50000; t += 10000)
		cr_assert_eq(store_bin(s, "a", t, t + 10000, buf, n), 0);
	cr_assert_eq(store_bin(s, "a", 50000, 61000, buf, n), 0, "again: it stays as it is");
	cr_assert_eq(store_bin(s, "b", 10000, 20000, buf, n), 0);
	cr_assert_eq(store_event(s, "a", 30000, "down"), 0);
	cr_assert_eq(store_commit(s), 0);
	store_close(s);
	s = store_open(file, &why);
	cr_assert_eq(store_bins(s, "a", 20000, 50000, count, NULL), 0);
	cr_assert_eq(seen, 3);
	cr_assert_eq(last_start, 40000);
	seen = 0;
	cr_assert_eq(store_events(s, "a", 0, 99999, count_event, "down"), 0);
	cr_assert_eq(seen, 1);
	cr_assert_eq(store_expire(s, 40000), 0);
	seen = 0;
	store_bins(s, "a", 0, 99999, count, NULL);
	cr_assert_eq(seen, 2);
	store_close(s);
	snprintf(file, sizeof(file), "rm -r %s", path);
	cr_assert_eq(system(file), 0);
}

/* ---- thresholds -------------------------------------------------------------------------------------------------- */

Test(pm_threshold, hysteresis)
{
	static const struct {
		uint64_t value;
		bool is;
	} step[] = { { 99, false }, { 100, true }, { 95, true },  { 91, true },
		     { 90, false }, { 99, false }, { 100, true }, { 89, false } };
	bool is = false;

	for (size_t i = 0; i < sizeof(step) / sizeof(step[0]); i++) {
		is = threshold_raised(is, step[i].value, 100, 90);
		cr_assert_eq(is, step[i].is, "step %zu", i);
	}
}

/* ---- metrics ----------------------------------------------------------------------------------------------------- */

Test(pm_metrics, buckets_are_cumulative)
{
	const struct pm_metrics *m;

	memset(&one, 0, sizeof(one));
	hd_pm_hist_add(&one.d[0], 60000);   /* 60 us */
	hd_pm_hist_add(&one.d[0], 3000000); /* 3 ms */
	hd_pm_hist_add(&one.d[0], 5000000000);
	pm_metrics_add(7, &one.d[0]);
	pm_metrics_add(7, &one.d[0]);
	m = pm_metrics_of(7);
	cr_assert_not_null(m);
	for (unsigned i = 0; i < PM_METRICS_BUCKETS; i++)
		cr_assert_eq(m->bucket[i],
			     (pm_metrics_le[i] >= 60e-6 ? 2 : 0) +
				     (pm_metrics_le[i] >= 3e-3 ? 2 : 0),
			     "le %g: %lu", pm_metrics_le[i], m->bucket[i]);
	cr_assert_eq(m->count, 6);
	cr_assert_float_eq(m->sum, 10.00612, 1e-6);
	cr_assert_null(pm_metrics_of(8));
	pm_metrics_fini();
}

/* ---- configuration ----------------------------------------------------------------------------------------------- */

TestSuite(pm_config, .init = texts_init, .fini = texts_fini);

#define BASE                                                                                  \
	"interfaces:\n  interface:\n"                                                         \
	"  - name: wan\n    devargs: net_null0\n"                                             \
	"    ipv4: {address: [{ip: 10.0.0.1, prefix-length: 24}]}\n"                          \
	"    ipv6: {address: [{ip: '2001:db8:1::1', prefix-length: 64}, "                     \
	"{ip: '2001:db8:2::1', prefix-length: 64}]}\n"                                        \
	"srv6:\n  encapsulation: {source-address: 'fc00::1'}\n"                               \
	"  policy:\n  - name: far\n    color: 1\n    endpoint: '2001:db8:2::9'\n"             \
	"    candidate-path:\n"                                                               \
	"    - {name: hot, preference: 9, segment-list: [{name: a, segment: ['fc00:1::1']}, " \
	"{name: b, segment: ['fc00:2::1', 'fc00:2::2']}]}\n"                                  \
	"    - {name: cold, segment-list: [{name: a, segment: ['fc00:3::1']}]}\n"

static int take(const char *more, struct config **cfg, struct ctrl_err *err)
{
	char text[4096];

	snprintf(text, sizeof(text), BASE "%s", more);
	return texts_take(text, cfg, err);
}

static struct hd_api_pm_session session(const struct config *cfg, const char *name)
{
	uint32_t id = ids_find(ids, ID_PM_SESSION, name);
	const struct object *o = objset_find(&cfg->set, &pm_kinds[PM_KIND_SESSION], &id);
	struct hd_api_pm_session m;

	cr_assert_not_null(o, "no session %s", name);
	memcpy(&m, o->body, sizeof(m));
	return m;
}

Test(pm_config, each_list_of_a_policy)
{
	struct hd_api_pm_session m;
	struct ctrl_err err;
	struct config *cfg;

	cr_assert_eq(
		take("pm:\n  session:\n  - {name: s, policy: far, interval: 10, liveness: {losses: 5}}\n",
		     &cfg, &err),
		0, "%s", err.msg);
	m = session(cfg, "s~hot~b");
	cr_assert_eq(m.n_segs, 2);
	cr_assert_eq(m.encap, HD_PM_INNER);
	cr_assert_eq(m.interval_us, 10000);
	cr_assert_eq(m.n_down, 5);
	cr_assert_eq(m.seglist_id, ids_find(ids, ID_SEGLIST, "far hot b"));
	cr_assert_eq(m.src[5], 2, "on the link of the endpoint");
	cr_assert_eq(m.outer_src[0], 0xfc);
	cr_assert_eq(m.ssid, m.session_id, "chosen");
	cr_assert_neq(session(cfg, "s~hot~a").session_id, session(cfg, "s~cold~a").session_id);
	config_destroy(cfg);
}

Test(pm_config, packets_and_tlvs)
{
	struct hd_api_pm_session m;
	struct ctrl_err err;
	struct config *cfg;

	cr_assert_eq(
		take("pm:\n  key: [{key-id: 3, secret: '0x0102'}]\n  session:\n"
		     "  - {name: s, destination: 10.0.0.9, ssid: 7, key: 3, dscp: 46, padding: 9,\n"
		     "     tlv: {location: true, reply-dscp: 10, access: non-three-gpp, reply: same-link}}\n",
		     &cfg, &err),
		0, "%s", err.msg);
	m = session(cfg, "s");
	cr_assert_eq(m.family, 4);
	cr_assert_eq(m.src[3], 1);
	cr_assert_eq(m.flags, HD_PM_S_AUTHENTICATED | HD_PM_S_LOCATION | HD_PM_S_COS |
				      HD_PM_S_ACCESS | HD_PM_S_SAME_LINK);
	cr_assert(m.key_id == 3 && m.ssid == 7 && m.reply_dscp == 10 && m.access_id == 2);
	config_destroy(cfg);
}

Test(pm_config, loops)
{
	struct hd_api_pm_session m;
	struct ctrl_err err;
	struct config *cfg;

	cr_assert_eq(take("pm:\n  session:\n  - {name: s, loopback: true, segment: ['fc00:1::1'],\n"
			  "     return-segment: ['fc00:9::1'], source-address: '2001:db8:1::1'}\n",
			  &cfg, &err),
		     0, "%s", err.msg);
	m = session(cfg, "s");
	cr_assert_eq(m.n_segs, 2);
	cr_assert_eq(m.n_return, 0);
	cr_assert_arr_eq(m.src, m.dst, 16);
	cr_assert_eq(m.src_port, m.dst_port);
	config_destroy(cfg);
}

Test(pm_config, refusals)
{
	static const struct {
		const char *session, *says;
	} row[] = {
		{ "name: s", "what is measured" },
		{ "name: s, policy: nowhere", "no SR policy 'nowhere'" },
		{ "name: s, policy: far, segment-list: zz", "no such segment list" },
		{ "name: s, destination: 224.0.0.1", "not a unicast address" },
		{ "name: s, destination: 10.0.0.9, source-address: '2001:db8:1::1'", "family" },
		{ "name: s, destination: 10.0.0.9, key: 1, tlv-key: 2", "unauthenticated" },
		{ "name: s, loopback: true", "lead back here" },
		{ "name: s, destination: 10.0.0.9, calibration: wan",
		  "heddle pm calibrate --interface wan" },
	};
	char text[256];

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct ctrl_err err = { 0 };
		struct config *cfg;

		snprintf(text, sizeof(text), "pm:\n  session:\n  - {%s}\n", row[i].session);
		cr_assert_lt(take(text, &cfg, &err), 0, "%s", row[i].session);
		cr_assert_not_null(strstr(err.msg, row[i].says), "%s: %s", row[i].session, err.msg);
		config_destroy(cfg);
	}
}

/* ---- calibration ------------------------------------------------------------------------------------------------- */

Test(pm_config, a_session_has_its_calibration)
{
	struct hd_api_pm_session m;
	struct ctrl_err err;
	struct config *cfg;

	cr_assert_eq(take("pm:\n  calibration: [{interface: wan, offset: 2100, uncertainty: 90}, "
			  "{interface: lan, offset: 7}]\n  session:\n"
			  "  - {name: s, destination: 10.0.0.9, calibration: wan}\n"
			  "  - {name: t, destination: 10.0.0.9}\n"
			  "  - {name: p, policy: far, calibration: lan}\n",
			  &cfg, &err),
		     0, "%s", err.msg);
	m = session(cfg, "s");
	cr_assert_eq(m.offset_ns, 2100);
	cr_assert_eq(m.offset_error_ns, 90);
	cr_assert_eq(session(cfg, "t").offset_ns, 0);
	cr_assert_eq(session(cfg, "p~cold~a").offset_ns, 7, "every list of a policy");
	config_destroy(cfg);
}

Test(pm_calibrate, the_least_counts)
{
	static struct pm_result r;
	uint32_t offset = 1, error = 1;

	for (int64_t i = 0; i < 9; i++)
		hd_pm_hist_add(&r.d[HD_PM_RTT], 2000 + i * 100);
	cr_assert_eq(pm_calibrate_result(&r, 0, &offset, &error), -ENODATA, "nine are too few");
	hd_pm_hist_add(&r.d[HD_PM_RTT], 400000);
	cr_assert_eq(pm_calibrate_result(&r, 150, &offset, &error), 0);
	cr_assert_eq(offset, 1850);
	cr_assert(error >= 400 && error <= 464, "%u: to the median, and half a bucket", error);
	cr_assert_eq(pm_calibrate_result(&r, 2001, &offset, &error), -ERANGE);
	cr_assert(offset == 1850, "unchanged");
}

static int64_t said(struct json_object *o, const char *delay, const char *name)
{
	struct json_object *d = json_object_object_get(o, delay);

	return strtoll(json_object_get_string(json_object_object_get(d, name)), NULL, 10);
}

/* Waits of 3000 ns at most at either end; the round trip has been freed of 2000 of them. */
Test(pm_calibrate, uncertainty_is_that_of_what_is_left)
{
	static struct pm_result r = { .s = { .flags = HD_PM_ST_SYNCED,
					     .own_error = 0x8801,
					     .peer_error = 0x8801,
					     .c = { .error_max = 3000 } } };
	struct json_object *raw = json_object_new_object(), *less = json_object_new_object();

	for (unsigned i = 0; i < HD_PM_DIRS; i++)
		hd_pm_hist_add(&r.d[i], 20000);
	pm_result_json(raw, &r, false);
	cr_assert_null(json_object_object_get(raw, "calibration"));
	r.s.offset_ns = 2000;
	r.s.offset_error_ns = 70;
	pm_result_json(less, &r, false);
	cr_assert_eq(said(less, "calibration", "offset"), 2000);
	cr_assert_eq(said(less, "calibration", "uncertainty"), 70);
	cr_assert_eq(said(raw, "round-trip", "uncertainty") -
			     said(less, "round-trip", "uncertainty"),
		     2000 - 70);
	cr_assert_eq(said(less, "forward", "uncertainty") - said(raw, "forward", "uncertainty"), 70,
		     "which half of it was that way's nobody knows");
	r.s.offset_ns = 9000; /* more than was seen to wait */
	json_object_put(less);
	less = json_object_new_object();
	pm_result_json(less, &r, false);
	cr_assert_geq(said(less, "forward", "uncertainty"), 9000);
	cr_assert_geq(said(less, "round-trip", "uncertainty"), 70);
	json_object_put(raw);
	json_object_put(less);
}
