/* SPDX-License-Identifier: BSD-3-Clause
 * The way into the data plane, against a mock of it (fake_dp.h): loads, refusals, deaths, reconciles. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/config.h"
#include "ctrl/dp.h"
#include "ctrl/running.h"
#include "ctrl/tests/fixture.h"
#include "ctrl/tests/good.h"

TestSuite(running, .init = fixture_init, .fini = fixture_fini, .timeout = 30);

static struct load_result result;
static bool done;

static void loaded(void *arg, const struct load_result *r)
{
	(void)arg;
	result = *r;
	done = true;
}

static void load(const char *text)
{
	struct ctrl_err err;
	struct config *cfg;

	cr_assert_eq(config_parse(c.ly, text, strlen(text), "t.yaml", &cfg, &err), 0, "%s",
		     err.msg);
	done = false;
	running_load(c.running, &(struct load){ .cfg = cfg }, loaded, NULL);
	cr_assert(turn_until(done), "the load was never answered");
}

static char *with(const char *old, const char *new)
{
	const char *at = strstr(good_yaml, old);
	char *out;

	cr_assert_not_null(at);
	cr_assert(asprintf(&out, "%.*s%s%s", (int)(at - good_yaml), good_yaml, new,
			   at + strlen(old)) > 0);
	return out;
}

Test(running, load_without_a_data_plane_is_kept_for_it)
{
	load(good_yaml);
	cr_assert_eq(result.rc, 0, "%s", result.err.msg);
	cr_assert_eq(result.state, LOAD_ACCEPTED);
	cr_assert_eq(fake_dp_count(fake, 0), 0);
	connect_dp();
	cr_assert_eq(fake_dp_count(fake, 0), running_config(c.running)->set.n);
}

Test(running, load_is_one_transaction_of_the_difference)
{
	connect_dp();
	load(good_yaml);
	cr_assert_eq(result.state, LOAD_APPLIED);
	cr_assert_eq(fake_dp_count(fake, HD_API_ROUTE), 2);
	unsigned commits = fake->n_commits, changed = fake->n_changed;
	char *text = with("10.2.0.0/16", "10.6.0.0/16");
	load(text);
	cr_assert_eq(result.rc, 0);
	cr_assert_eq(fake->n_commits, commits + 1);
	cr_assert_eq(fake->n_changed, changed + 2,
		     "one route came, one went, nothing else was touched");
	commits = fake->n_commits;
	load(text);
	cr_assert_eq(result.state, LOAD_UNCHANGED);
	cr_assert_eq(fake->n_commits, commits);
	load("{}");
	cr_assert_eq(fake_dp_count(fake, 0), 0);
	free(text);
}

Test(running, a_refusal_changes_nothing_and_names_the_line)
{
	connect_dp();
	load(good_yaml);
	unsigned before = fake_dp_count(fake, 0);
	uint32_t revision = running_revision(c.running);
	fake_dp_mode(fake, FAKE_REFUSES, HD_API_ROUTE);
	char *text = with("10.2.0.0/16", "10.6.0.0/16");
	load(text);
	free(text);
	cr_assert_eq(result.rc, -EINVAL);
	cr_assert(result.err.line == 20, "line %u", result.err.line);
	cr_assert_not_null(strstr(result.err.path, "/heddle-ip:ip/route[prefix="), "%s",
			   result.err.path);
	cr_assert_not_null(strstr(result.err.msg, "the mock says no"), "%s", result.err.msg);
	cr_assert_eq(fake_dp_count(fake, 0), before);
	cr_assert_eq(running_revision(c.running), revision);
	fake_dp_mode(fake, FAKE_OBEYS, 0);
	load(good_yaml);
	cr_assert_eq(result.state, LOAD_UNCHANGED);
}

Test(running, a_death_in_mid_batch_changes_nothing)
{
	connect_dp();
	load(good_yaml);
	uint32_t revision = running_revision(c.running);
	unsigned before = fake_dp_count(fake, 0);
	fake_dp_mode(fake, FAKE_DIES, HD_API_ROUTE);
	char *text = with("10.2.0.0/16", "10.6.0.0/16");
	load(text);
	free(text);
	cr_assert_lt(result.rc, 0);
	cr_assert_not_null(strstr(result.err.msg, "went away"), "%s", result.err.msg);
	cr_assert_eq(running_revision(c.running), revision);
	fake_dp_mode(fake, FAKE_OBEYS, 0);
	cr_assert(turn_until(running_synchronised(c.running)), "%s", running_problem(c.running));
	cr_assert_eq(fake_dp_count(fake, 0), before);
}

Test(running, version_mismatch_names_both)
{
	fake_dp_mode(fake, FAKE_OTHER_VERSION, 0);
	dp_connect(c.dp);
	cr_assert(turn_until(strstr(dp_problem(c.dp), "speaks 99") != NULL), "%s",
		  dp_problem(c.dp));
	cr_assert_not_null(strstr(dp_problem(c.dp), "version 1"));
	fake_dp_mode(fake, FAKE_NEWER_HELLO, 0);
	cr_assert(turn_until(strstr(dp_problem(c.dp), "version 99") != NULL), "%s",
		  dp_problem(c.dp));
	cr_assert_not_null(strstr(dp_problem(c.dp), "version 1"));
	fake_dp_mode(fake, FAKE_GARBAGE, 0);
	cr_assert(turn_until(strstr(dp_problem(c.dp), "impossible") != NULL), "%s",
		  dp_problem(c.dp));
	fake_dp_mode(fake, FAKE_OBEYS, 0);
	cr_assert(turn_until(running_synchronised(c.running)), "%s", running_problem(c.running));
}

Test(running, reconcile_sweeps_what_is_not_ours_and_touches_nothing_else)
{
	connect_dp();
	load(good_yaml);
	unsigned n = fake_dp_count(fake, 0);
	pthread_mutex_lock(&fake->lock);
	fake->obj[fake->n_obj++] =
		(struct fake_object){ .type = HD_API_VRF, .size = 36, .body = { 77 } };
	unsigned changed = fake->n_changed;
	pthread_mutex_unlock(&fake->lock);
	fixture_stop();
	fixture_start(); /* another process: numbers and configuration come from the files */
	connect_dp();
	cr_assert_eq(fake_dp_count(fake, 0), n);
	cr_assert_eq(fake->n_changed, changed + 1, "only the foreign object went");
}

Test(running, what_the_data_plane_refuses_does_not_hold_up_the_rest)
{
	fake_dp_mode(fake, FAKE_REFUSES, HD_API_SRV6_SID);
	load(good_yaml);
	dp_connect(c.dp);
	cr_assert(turn_until(strstr(running_problem(c.running), "the mock says no") != NULL), "%s",
		  running_problem(c.running));
	cr_assert_not_null(strstr(running_problem(c.running), "t.yaml:29"), "%s",
			   running_problem(c.running));
	cr_assert(turn_until(fake_dp_count(fake, 0) == running_config(c.running)->set.n - 1));
	cr_assert_not(running_synchronised(c.running));
	fake_dp_mode(fake, FAKE_OBEYS, 0);
	cr_assert(turn_until(running_synchronised(c.running)), "%s", running_problem(c.running));
	cr_assert_eq(fake_dp_count(fake, 0), running_config(c.running)->set.n);
}

Test(running, punt_reasons_are_resolved_by_the_data_plane)
{
	load("system: {punt-policer: [{reason: icmp6-error, rate: 50}]}");
	cr_assert_eq(result.state, LOAD_ACCEPTED);
	connect_dp();
	cr_assert_eq(fake_dp_count(fake, HD_API_PUNT_POLICER), 1);
	cr_assert_eq(fake->obj[0].body[0], 1, "row of the reason in the statistics");
	load("system:\n  punt-policer:\n  - {reason: arpp, rate: 50}");
	cr_assert_eq(result.rc, -EINVAL);
	cr_assert_eq(result.err.line, 3);
	cr_assert_not_null(strstr(result.err.msg, "arp, icmp6-error"), "%s", result.err.msg);
}

Test(running, one_load_at_a_time)
{
	struct ctrl_err err;
	struct config *a, *b;

	connect_dp();
	cr_assert_eq(config_parse(c.ly, good_yaml, strlen(good_yaml), "a", &a, &err), 0);
	cr_assert_eq(config_parse(c.ly, "{}", 2, "b", &b, &err), 0);
	done = false;
	running_load(c.running, &(struct load){ .cfg = a }, loaded, NULL);
	cr_assert_not(done);
	running_load(c.running, &(struct load){ .cfg = b }, loaded, NULL);
	cr_assert_eq(result.rc, -EBUSY);
	done = false;
	cr_assert(turn_until(done));
	cr_assert_eq(result.rc, 0);
}

/* Framing does not depend on how the octets arrive, and a short reply means zero in what is missing. */
Test(running, messages_in_pieces)
{
	fake_dp_mode(fake, FAKE_TRICKLES, 0);
	connect_dp();
	load(good_yaml);
	cr_assert_eq(result.rc, 0, "%s", result.err.msg);
	cr_assert_eq(result.state, LOAD_APPLIED);
	cr_assert_eq(fake_dp_count(fake, 0), running_config(c.running)->set.n);
}
