/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/tests/fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctrl/api.h"
#include "ctrl/candidate.h"
#include "ctrl/config.h"
#include "ctrl/debug/debug.h"
#include "ctrl/dp.h"
#include "ctrl/events.h"
#include "ctrl/log.h"
#include "ctrl/running.h"

struct fake_dp *fake;
struct ctrl c;
char state_dir[64];

static void up(void *arg)
{
	(void)arg;
	running_dp_up(c.running);
}

static void down(void *arg)
{
	(void)arg;
	running_dp_down(c.running);
}

static void event(void *arg, const struct hd_api_event *ev)
{
	(void)arg;
	(void)ev;
}

void fixture_start(void)
{
	static const struct dp_hooks hooks = { up, down, event };
	static uv_loop_t loop;
	struct ctrl_err err;

	uv_loop_init(&loop);
	c = (struct ctrl){ .loop = &loop,
			   .ly = config_yang(YANG_DIR, &err),
			   .ids = ids_create(),
			   .default_log_level = LOG_LEVEL_ERROR };
	cr_assert_not_null(c.ly, "%s", err.msg);
	c.dp = dp_create(c.loop, fake->path, &hooks, &c);
	c.events = events_create(&c);
	c.running = running_create(&c, state_dir);
	running_restore(c.running, &err);
	c.candidate = candidate_create(&c);
	c.serving = true;
}

void fixture_stop(void)
{
	while (c.jobs > 0)
		uv_run(c.loop, UV_RUN_ONCE);
	dp_destroy(c.dp);
	debug_fini(&c);
	api_destroy(c.api);
	events_destroy(c.events);
	candidate_destroy(c.candidate);
	running_destroy(c.running);
	uv_run(c.loop, UV_RUN_DEFAULT);
	cr_assert_eq(uv_loop_close(c.loop), 0, "a handle was left open");
	ids_destroy(c.ids);
	ly_ctx_destroy(c.ly);
}

static void shell(const char *format)
{
	char cmd[200];

	snprintf(cmd, sizeof(cmd), format, state_dir, state_dir);
	cr_assert_eq(system(cmd), 0);
}

void fixture_init(void)
{
	log_level = LOG_LEVEL_ERROR;
	fake = calloc(1, sizeof(*fake));
	fake_dp_start(fake);
	snprintf(state_dir, sizeof(state_dir), "/tmp/heddle-test-%d", getpid());
	shell("rm -rf %s && mkdir %s");
	fixture_start();
}

void fixture_fini(void)
{
	fixture_stop();
	fake_dp_stop(fake);
	free(fake);
	shell("rm -rf %s");
}

void connect_dp(void)
{
	dp_connect(c.dp);
	cr_assert(turn_until(running_synchronised(c.running)), "%s", running_problem(c.running));
}
