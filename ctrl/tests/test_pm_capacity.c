/* SPDX-License-Identifier: BSD-3-Clause
 * IP-layer capacity in the control process: what a responder's configuration compiles to, and what numbers mean. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/pm/capacity.h"
#include "ctrl/tests/texts.h"
#include "heddle/wire/capacity.h"

TestSuite(pm_capacity_config, .init = texts_init, .fini = texts_fini);

static const char good[] = "pm:\n"
			   "  key: [{key-id: 3, secret: abc}]\n"
			   "  capacity-responder:\n"
			   "    enabled: true\n"
			   "    allowed-source: ['2001:db8:1::/64', 10.0.1.1/32]\n"
			   "    max-rate: 500\n"
			   "    key: 3\n";

Test(pm_capacity_config, responder)
{
	const struct hd_api_pm_capacity_responder *m;
	struct ctrl_err err = { 0 };
	struct config *cfg;

	cr_assert_eq(texts_take(good, &cfg, &err), 0, "%s", err.msg);
	m = texts_nth(cfg, HD_API_PM_CAPACITY_RESPONDER, 0);
	cr_assert_not_null(m);
	cr_assert_eq(m->udp_port, 50865);
	cr_assert_eq(m->max_kbps, 500000);
	cr_assert_eq(m->max_ms, 30000);
	cr_assert_eq(m->key_id, 3);
	cr_assert_eq(m->n_sources, 2);
	for (unsigned i = 0; i < 2; i++)
		cr_assert_eq(m->source[i].len, m->source[i].family == 4 ? 32 : 64);
	config_destroy(cfg);
}

Test(pm_capacity_config, off_unless_enabled)
{
	char *text = texts_replace(good, "enabled: true", "enabled: false");
	struct ctrl_err err = { 0 };
	struct config *cfg;

	cr_assert_eq(texts_take(text, &cfg, &err), 0, "%s", err.msg);
	cr_assert_null(texts_nth(cfg, HD_API_PM_CAPACITY_RESPONDER, 0));
	config_destroy(cfg);
	free(text);
	text = texts_replace(good, "    enabled: true\n", "");
	cr_assert_eq(texts_take(text, &cfg, &err), 0, "%s", err.msg);
	cr_assert_null(texts_nth(cfg, HD_API_PM_CAPACITY_RESPONDER, 0), "nor by being written of");
	config_destroy(cfg);
	free(text);
}

ParameterizedTestParameters(pm_capacity_config, refused)
{
	static struct bad_row rows[] = {
		{ "    allowed-source: ['2001:db8:1::/64', 10.0.1.1/32]\n", "", "allowed-source" },
		{ "max-rate: 500", "max-rate: 10001", "range" },
		{ "max-rate: 500", "max-duration: 61", "range" },
		{ "10.0.1.1/32", "10.0.1.1/33", "" },
	};

	return cr_make_param_array(struct bad_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct bad_row *r, pm_capacity_config, refused)
{
	texts_refused(good, r);
}

/* ---- results --------------------------------------------------------------------------------------------------- */

static struct hd_api_pm_capacity_state base(void)
{
	return (struct hd_api_pm_capacity_state){
		.ask = { .max_kbps = 100000, .loss_ppm = 100000, .range_us = 90000 },
		.granted_kbps = 100000,
		.kbps = 40000,
		.top_kbps = 70000,
		.sent = 10000,
	};
}

Test(pm_capacity_result, the_best_sub_interval_that_meets_the_criteria)
{
	const struct hd_api_pm_capacity_state s = base();
	const struct hd_api_pm_capacity_sub sub[] = {
		{ .index = 0, .us = 1000000, .octets = 4000000, .packets = 3200 },
		{ .index = 1, .us = 1000000, .octets = 5000000, .packets = 4000, .lost = 445 },
		{ .index = 2, .us = 1000000, .octets = 4900000, .packets = 3920, .lost = 435 },
		{ .index = 3,
		  .us = 1000000,
		  .octets = 4950000,
		  .packets = 3960,
		  .delay_min = 5000000,
		  .delay_max = 95000001 },
		{ .index = 4, .us = 1000000 },
	};

	cr_assert_eq(capacity_best(&s.ask, sub, 5, true), &sub[2],
		     "10 %% lost are just not too much");
	cr_assert_eq(capacity_best(&s.ask, sub, 5, false), &sub[1]);
	cr_assert_not(capacity_sub_meets(&s.ask, &sub[1]));
	cr_assert_not(capacity_sub_meets(&s.ask, &sub[3]), "delays too far apart");
	cr_assert_not(capacity_sub_meets(&s.ask, &sub[4]),
		      "nothing came: no rate, and no loss either");
	cr_assert_null(capacity_best(&s.ask, &sub[3], 2, true));
	cr_assert_eq(capacity_sub_kbps(4900000, 1000000), 39200);
	cr_assert_eq(capacity_sub_kbps(1, 0), 0);
}

Test(pm_capacity_result, who_was_the_limit)
{
	struct hd_api_pm_capacity_state s = base();

	cr_assert_eq(capacity_limited_by(&s), CAPACITY_BY_TIME);
	s.holds = 1;
	cr_assert_eq(capacity_limited_by(&s), CAPACITY_BY_PATH);
	s = base();
	s.downs = 1; /* once, on the way to the highest row */
	s.kbps = s.top_kbps = 100000;
	s.limit_reached = 5;
	cr_assert_eq(capacity_limited_by(&s), CAPACITY_BY_MAXIMUM);
	s.granted_kbps = 50500;
	s.kbps = s.top_kbps = 50000;
	cr_assert_eq(capacity_limited_by(&s), CAPACITY_BY_RESPONDER);
	s.kbps = 49000; /* it had to go down again */
	cr_assert_eq(capacity_limited_by(&s), CAPACITY_BY_PATH);
	s.skipped = 205; /* of 10,205 */
	cr_assert_eq(capacity_limited_by(&s), CAPACITY_BY_SENDER);
}

Test(pm_capacity_result, every_end_says_what_to_do)
{
	static const struct {
		uint32_t result, answer;
		const char *words;
	} end[] = { { HD_PM_CAPACITY_NO_ANSWER, 0, "enabled" },
		    { HD_PM_CAPACITY_REFUSED, CAPACITY_BUSY, "another test" },
		    { HD_PM_CAPACITY_REFUSED, CAPACITY_TOO_LONG, "--duration 30s" },
		    { HD_PM_CAPACITY_REFUSED, CAPACITY_INVALID, "by default" },
		    { HD_PM_CAPACITY_NO_LOAD, 0, "--size" },
		    { HD_PM_CAPACITY_SILENT, 0, "no feedback" } };
	struct hd_api_pm_capacity_state s = base();
	char text[240];

	capacity_reason(&s, text, sizeof(text));
	cr_assert_str_eq(text, "", "it still runs");
	s.phase = HD_PM_CAPACITY_DONE;
	capacity_reason(&s, text, sizeof(text));
	cr_assert_str_eq(text, "", "complete");
	s.granted_ms = 30000;
	for (size_t i = 0; i < sizeof(end) / sizeof(end[0]); i++) {
		s.result = end[i].result;
		s.answer = end[i].answer;
		capacity_reason(&s, text, sizeof(text));
		cr_assert(strstr(text, end[i].words) != NULL, "%s", text);
	}
}
