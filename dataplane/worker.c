/* SPDX-License-Identifier: BSD-3-Clause
 * Workers: creation of their graphs from one description (every registered node), and the polling loop. */
#include "dataplane/worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_malloc.h>

#include "dataplane/log.h"
#include "dataplane/node.h"
#include "dataplane/punt.h"
#include "dataplane/rcu.h"
#include "dataplane/stats.h"

struct worker *workers[DP_WORKERS_MAX];
__thread struct worker *worker_walking;
const struct rx_observer *rx_observer[WORKER_PORTS_MAX];
tx_filter_fn tx_filter[WORKER_PORTS_MAX];
struct worker_conf worker_conf = { .burst = 128 };
static int stats_vec = -1;

#define RING_INJECT             1024u
#define RING_PUNT               1024u
#define IDLE_TURNS_BEFORE_SLEEP 512u
#define WAKE_EARLY_US           20 /* a sleep ends so much later than asked for */

void worker_destroy(struct worker *w)
{
	if (w == NULL)
		return;
	if (w->graph != NULL)
		rte_graph_destroy(rte_graph_from_name(w->graph->name));
	rte_ring_free(w->inject);
	rte_ring_free(w->punt);
	rte_free(w->flight);
	rte_free(w->punt_state);
	free(w->rxqs);
	rte_free(w);
}

struct worker *worker_create(unsigned id, const char *graph_name)
{
	struct rte_graph_param conf = { .socket_id = SOCKET_ID_ANY };
	const char *pattern[256];
	char name[RTE_GRAPH_NAMESIZE];
	struct worker *w = rte_zmalloc("worker", sizeof(*w), RTE_CACHE_LINE_SIZE);

	if (w == NULL)
		return NULL;
	w->id = id;
	w->lcore = id + 1;
	w->cur_node = UINT32_MAX;
	memset(w->txq, 0xff, sizeof(w->txq));
	w->stats = (struct worker_stats *)stats_slice(stats_vec, id);
	w->flight = rte_zmalloc("flight", sizeof(*w->flight), RTE_CACHE_LINE_SIZE);
	w->rxqs = calloc(1, sizeof(*w->rxqs));
	snprintf(name, sizeof(name), "inject%u", id);
	w->inject =
		rte_ring_create(name, RING_INJECT, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	snprintf(name, sizeof(name), "punt%u", id);
	w->punt = rte_ring_create(name, RING_PUNT, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	if (w->flight == NULL || w->rxqs == NULL || w->inject == NULL || w->punt == NULL ||
	    punt_worker_init(w) < 0)
		goto fail;

	for (const struct node_desc *d = node_desc_first();
	     d != NULL && conf.nb_node_patterns < 256; d = d->next)
		pattern[conf.nb_node_patterns++] = d->name;
	conf.node_patterns = pattern;
	nodes_creating(w);
	rte_graph_t g = rte_graph_create(graph_name, &conf);
	nodes_creating(NULL);
	if (g == RTE_GRAPH_ID_INVALID) {
		log_error("worker %u: its graph could not be made (%s)", id,
			  rte_strerror(rte_errno));
		goto fail;
	}
	w->graph = rte_graph_lookup(graph_name);
	return w;
fail:
	worker_destroy(w);
	return NULL;
}

int workers_create(void)
{
	static const char *const cols[] = { "loops", "idle-loops", "busy-cycles", "sleep-cycles",
					    NULL };

	stats_vec = stats_vec_add("worker", HD_STATS_WORKER, 1, cols, NULL);
	if (stats_vec < 0)
		return stats_vec;
	for (unsigned i = 0; i < dp_limits.workers; i++) {
		char name[RTE_GRAPH_NAMESIZE];

		snprintf(name, sizeof(name), "worker%u", i);
		workers[i] = worker_create(i, name);
		if (workers[i] == NULL) {
			workers_destroy();
			return -ENOMEM;
		}
	}
	return 0;
}

void workers_destroy(void)
{
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++) {
		worker_destroy(workers[i]);
		workers[i] = NULL;
	}
}

/* rte_graph_walk(), but for the clock: reading it twice per node costs as much as forwarding, so while bursts are big
 * only every TIMED_TURNS-th walk is timed, and counts for all of them.
 *   weight  of the cycles; 0: not timed */
static __rte_always_inline void graph_walk(struct rte_graph *g, unsigned weight)
{
	const rte_graph_off_t *start = g->cir_start;
	const rte_node_t mask = g->cir_mask;
	uint32_t head =
		g->head; /* below 0 as a signed number: source nodes, which lie in front of the pending ones */
	uint64_t from = weight != 0 ? rte_rdtsc() : 0;

	while (likely(head != g->tail)) {
		struct rte_node *n = RTE_PTR_ADD(g, start[(int32_t)head++]);

		rte_prefetch0(n->objs);
		n->total_objs += n->process(g, n, n->objs, n->idx);
		n->total_calls++;
		n->idx = 0;
		if (weight != 0) {
			uint64_t now = rte_rdtsc();

			n->total_cycles += (now - from) * weight;
			from = now;
		}
		head = likely((int32_t)head > 0) ? head & mask : head;
	}
	g->tail = 0;
}

#define TIMED_TURNS 16u
#define BIG_BURST   16u

/* Busy time runs from burst to burst, or to the first turn without one, so that a busy turn reads the clock no more
 * than port-rx must. */
void worker_turn(struct worker *w)
{
	uint64_t before = w->now;

	worker_walking = w;
	w->walk = before + 1;
	if (likely(w->rx_count >= BIG_BURST && w->stats->loops % TIMED_TURNS != 0)) {
		w->rx_count = 0;
		graph_walk(w->graph, 0);
	} else {
		unsigned weight = w->rx_count >= BIG_BURST ? TIMED_TURNS : 1;

		w->rx_count = 0;
		graph_walk(w->graph, weight);
	}
	w->cur_node = UINT32_MAX;
	/* Who sees the new count sees everything the walk wrote: trace.c reads the slots of finished walks. */
	__atomic_store_n(&w->stats->loops, w->stats->loops + 1, __ATOMIC_RELEASE);
	if (w->rx_count == 0) {
		w->stats->idle_loops++;
		w->now = rte_rdtsc();
	}
	if (w->busy)
		w->stats->busy_cycles += w->now - before;
	w->busy = w->rx_count != 0;
}

/* An idle worker backs off step by step; the first packet after a sleep waits for at most its length. */
static void idle_sleep(struct worker *w, uint32_t *us)
{
	struct timespec t = { .tv_nsec = (long)*us * 1000 };
	uint64_t start = rte_rdtsc();

	for (unsigned i = 0; i < RTE_DIM(w->wake); i++) {
		int64_t left;

		if (w->wake[i] == 0)
			continue;
		left = (int64_t)(w->wake[i] - start) * 1000000 / (int64_t)rte_get_tsc_hz();
		if (left <= WAKE_EARLY_US) /* to sleep would be to be late */
			return;
		if ((left - WAKE_EARLY_US) * 1000 < t.tv_nsec)
			t.tv_nsec = (left - WAKE_EARLY_US) * 1000;
	}
	rcu_worker_offline(w->id);
	nanosleep(&t, NULL);
	rcu_worker_online(w->id);
	w->stats->sleep_cycles += rte_rdtsc() - start;
	*us = RTE_MIN(*us * 2, worker_conf.sleep_max_us);
}

static int worker_main(void *arg)
{
	struct worker *w = arg;
	uint32_t idle = 0, sleep_us = 10;

	if (rcu_worker_register(w->id) < 0)
		return -1;
	prctl(PR_SET_TIMERSLACK,
	      1000ul); /* sleeps of tens of microseconds, not of the default 50 more */
	while (!w->stop) {
		worker_turn(w);
		rcu_worker_quiescent(w->id);
		if (w->rx_count != 0) {
			idle = 0;
			sleep_us = 10;
		} else if (worker_conf.sleep_max_us != 0 && ++idle > IDLE_TURNS_BEFORE_SLEEP) {
			idle_sleep(w, &sleep_us);
		}
	}
	rcu_worker_unregister(w->id);
	return 0;
}

int workers_launch(void)
{
	for (unsigned i = 0; i < dp_limits.workers; i++) {
		int rc = rte_eal_remote_launch(worker_main, workers[i], workers[i]->lcore);

		if (rc < 0) {
			log_error("worker %u: lcore %u could not be started (%s)", i,
				  workers[i]->lcore, rte_strerror(-rc));
			workers_stop();
			return rc;
		}
	}
	return 0;
}

void workers_stop(void)
{
	for (unsigned i = 0; i < dp_limits.workers && workers[i] != NULL; i++)
		workers[i]->stop = 1;
	for (unsigned i = 0; i < dp_limits.workers && workers[i] != NULL; i++)
		rte_eal_wait_lcore(workers[i]->lcore);
}
