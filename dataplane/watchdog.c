/* SPDX-License-Identifier: BSD-3-Clause
 * Stall watchdog (watchdog.h).  Only reads what the workers write anyway. */
#include "dataplane/watchdog.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include <rte_launch.h>

#include "dataplane/api_server.h"
#include "dataplane/log.h"
#include "dataplane/node.h"
#include "dataplane/worker.h"

static uint32_t stall_ms = 1000;
static struct watched {
	const struct worker *worker; /* another one: start afresh */
	uint64_t loops, since_ms;
	bool stalled;
	char node[32];
} watched[DP_WORKERS_MAX];

void watchdog_init(uint32_t ms)
{
	stall_ms = ms;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static const char *node_name(uint32_t row)
{
	if (row == UINT32_MAX)
		return "none (between two walks)";
	for (const struct node_desc *d = node_desc_first(); d != NULL; d = d->next)
		if (d->row == row)
			return d->name;
	return "?";
}

static void stall_report(const struct worker *w, struct watched *s, uint64_t ms)
{
	struct hd_api_event ev = { .kind = HD_EVENT_WORKER_STALL };

	snprintf(s->node, sizeof(s->node), "%s",
		 node_name(__atomic_load_n(&w->cur_node, __ATOMIC_RELAXED)));
	ev.u.stall.worker = w->id;
	ev.u.stall.stalled_ms = (uint32_t)ms;
	snprintf(ev.u.stall.node, sizeof(ev.u.stall.node), "%s", s->node);
	snprintf(ev.text, sizeof(ev.text),
		 "worker %u on lcore %u has not moved for %u ms; it is in node %s", w->id, w->lcore,
		 (uint32_t)ms, s->node);
	log_error("watchdog: %s", ev.text);
	api_server_event(&ev);
}

static void worker_check(const struct worker *w, struct watched *s, uint64_t now)
{
	uint64_t loops = __atomic_load_n(&w->stats->loops, __ATOMIC_RELAXED);

	if (s->worker != w || rte_eal_get_lcore_state(w->lcore) != RUNNING) {
		*s = (struct watched){ .worker = w, .loops = loops, .since_ms = now };
		return;
	}
	if (loops == s->loops) {
		if (!s->stalled && now - s->since_ms >= stall_ms) {
			s->stalled = true;
			stall_report(w, s, now - s->since_ms);
		}
		return;
	}
	if (s->stalled) {
		struct hd_api_event ev = { .kind = HD_EVENT_LOG };

		snprintf(ev.text, sizeof(ev.text), "worker %u moves again after %u ms in node %s",
			 w->id, (uint32_t)(now - s->since_ms), s->node);
		log_warn("watchdog: %s", ev.text);
		api_server_event(&ev);
	}
	s->loops = loops;
	s->since_ms = now;
	s->stalled = false;
}

void watchdog_tick(void)
{
	uint64_t now = now_ms();

	for (unsigned i = 0; i < DP_WORKERS_MAX && workers[i] != NULL; i++)
		worker_check(workers[i], &watched[i], now);
}

enum watchdog_state watchdog_state(unsigned worker)
{
	if (worker >= DP_WORKERS_MAX || workers[worker] == NULL ||
	    rte_eal_get_lcore_state(workers[worker]->lcore) != RUNNING)
		return WATCHDOG_STOPPED;
	return watched[worker].worker == workers[worker] && watched[worker].stalled ?
		       WATCHDOG_STALLED :
		       WATCHDOG_RUNNING;
}
