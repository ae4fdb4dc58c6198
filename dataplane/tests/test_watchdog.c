/* SPDX-License-Identifier: BSD-3-Clause
 * Stall watchdog: a real worker thread hangs in a node for a while. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <rte_eal.h>

#include "dataplane/dp_limits.h"
#include "dataplane/engine.h"
#include "dataplane/log.h"
#include "dataplane/tests/mini_graph.h"
#include "dataplane/watchdog.h"
#include "dataplane/worker.h"
#include "tests/harness.h"

static char log_path[] = "/tmp/test_watchdog.XXXXXX";
static char log_text[65536];

/* Two lcores: the harness has one. */
static void start(void)
{
	char *argv[] = { (char *)"test",
			 (char *)"--no-huge",
			 (char *)"--no-pci",
			 (char *)"--no-shconf",
			 (char *)"-m",
			 (char *)"96",
			 (char *)"--iova-mode=va",
			 (char *)"--lcores",
			 (char *)"0@0,1@0",
			 (char *)"--no-telemetry",
			 (char *)"--log-level=error" };

	cr_assert_geq(rte_eal_init((int)RTE_DIM(argv), argv), 0);
	dp_limits.workers = 1;
	dp_limits.mbufs = 4096;
	worker_conf.sleep_max_us = 200;
	cr_assert_eq(engine_init(), 0);
	cr_assert_eq(workers_launch(), 0);
}

static void stop(void)
{
	workers_stop();
	engine_fini();
}

TestSuite(watchdog, .init = start, .fini = stop, .timeout = 30);

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Tick as the control loop does, until the state is reached or so many milliseconds have passed. */
static bool tick_until(enum watchdog_state want, uint64_t ms)
{
	struct timespec t = { .tv_nsec = 20000000 };

	for (uint64_t end = now_ms() + ms; now_ms() < end;) {
		watchdog_tick();
		if (watchdog_state(0) == want)
			return true;
		nanosleep(&t, NULL);
	}
	return false;
}

static void log_begin(void)
{
	int fd = mkstemp(log_path);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

static void log_read(void)
{
	FILE *f = fopen(log_path, "r");

	log_text[fread(log_text, 1, sizeof(log_text) - 1, f)] = '\0';
	fclose(f);
	unlink(log_path);
}

static unsigned count(const char *what)
{
	unsigned n = 0;

	for (const char *p = log_text; (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

Test(watchdog, names_the_node)
{
	uint8_t buf[256];
	size_t n = mini_frame(buf, sizeof(buf), 4);

	log_begin();
	watchdog_init(200);
	mini_stall_ms = 1200;
	cr_assert(!tick_until(WATCHDOG_STALLED, 600), "an idle worker moves");
	cr_assert_eq(watchdog_state(0), WATCHDOG_RUNNING);
	hx_rx(1, buf, n);
	uint64_t begun = now_ms();
	cr_assert(tick_until(WATCHDOG_STALLED, 1000), "not seen");
	cr_assert_geq(now_ms() - begun, 150, "too early");
	cr_assert(tick_until(WATCHDOG_RUNNING, 2000), "did not recover");
	log_read();
	cr_assert_eq(count("has not moved"), 1, "once per stall:\n%s", log_text);
	cr_assert_eq(count("worker 0 on lcore 1 has not moved for 2"), 1, "%s", log_text);
	cr_assert_eq(count("in node ip6-lookup"), 2, "%s", log_text);
	cr_assert_eq(count("moves again"), 1, "%s", log_text);
}

Test(watchdog, a_worker_that_stopped_is_not_stalled)
{
	watchdog_init(100);
	workers_stop();
	cr_assert(!tick_until(WATCHDOG_STALLED, 400));
	cr_assert_eq(watchdog_state(0), WATCHDOG_STOPPED);
	cr_assert_eq(watchdog_state(1), WATCHDOG_STOPPED, "there is none");
}
