/* SPDX-License-Identifier: BSD-3-Clause
 * See impair.h.  Each queue of a port has a heap of frames that wait, ordered by the moment they are due. */
#include "dataplane/impair.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>

#include "dataplane/debug_api.h"
#include "dataplane/impair_model.h"
#include "dataplane/port.h"
#include "dataplane/punt.h"
#include "dataplane/rcu.h"
#include "dataplane/worker.h"
#include "heddle/api/pm_session.h"

#define LIMIT_DEFAULT 4096u
#define LIMIT_MAX     1048576u
#define QUEUES_MAX    64u
#define DELAY_MAX_NS  10000000000ull

struct held {
	uint64_t due, order; /* TSC; order of arrival where moments are equal */
	struct rte_mbuf *m;
};

struct impair {
	struct hd_api_pm_impair conf;
	struct impair_model model;
	uint32_t port_id;
	uint16_t dpdk_port, queue;
	const struct rte_eth_rxtx_callback *callback;
	double ticks_per_ns;
	uint64_t order;
	uint64_t frames, lost, duplicated, reordered, overflow;
	uint32_t n; /* in the heap */
	struct held heap[];
};

static struct impair *by_queue[WORKER_PORTS_MAX][QUEUES_MAX];

/* ---- heap -------------------------------------------------------------------------------------------------------- */

static bool before(const struct held *a, const struct held *b)
{
	return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void push(struct impair *p, struct held h)
{
	uint32_t i = p->n++;

	for (; i > 0 && before(&h, &p->heap[(i - 1) / 2]); i = (i - 1) / 2)
		p->heap[i] = p->heap[(i - 1) / 2];
	p->heap[i] = h;
}

static struct rte_mbuf *pop(struct impair *p)
{
	struct rte_mbuf *m = p->heap[0].m;
	struct held h = p->heap[--p->n];
	uint32_t i = 0;

	for (;;) {
		uint32_t k = 2 * i + 1;

		if (k >= p->n)
			break;
		if (k + 1 < p->n && before(&p->heap[k + 1], &p->heap[k]))
			k++;
		if (!before(&p->heap[k], &h))
			break;
		p->heap[i] = p->heap[k];
		i = k;
	}
	p->heap[i] = h;
	return m;
}

/* ---- the packet path --------------------------------------------------------------------------------------------- */

static void hold(struct impair *p, struct rte_mbuf *m, uint64_t due)
{
	if (p->n == p->conf.limit) {
		p->overflow++;
		rte_pktmbuf_free(m);
		return;
	}
	push(p, (struct held){ due, p->order++, m });
}

static void judge(struct impair *p, struct rte_mbuf *m, uint64_t now)
{
	struct impair_fate f = impair_next(&p->model);
	uint64_t due = now + (uint64_t)((double)f.delay_ns * p->ticks_per_ns);
	struct rte_mbuf *copy;

	p->frames++;
	if (f.lost) {
		p->lost++;
		rte_pktmbuf_free(m);
		return;
	}
	copy = f.duplicated ? rte_pktmbuf_copy(m, packet_pool(), 0, UINT32_MAX) : NULL;
	p->reordered += f.reordered;
	hold(p, m, due);
	if (copy != NULL) {
		p->duplicated++;
		hold(p, copy, due);
	}
}

/* An idle worker must not sleep over what is due. */
static void wake_at(const struct impair *p)
{
	int w = port_queue_worker(p->port_id, p->queue);

	if (w >= 0 && workers[w] != NULL)
		workers[w]->wake[WAKE_IMPAIR] = p->n != 0 ? p->heap[0].due : 0;
}

/* Called by rte_eth_rx_burst() also when nothing came. */
static uint16_t on_rx(uint16_t port, uint16_t queue, struct rte_mbuf **m, uint16_t n, uint16_t max,
		      void *arg)
{
	struct impair *p = arg;
	uint64_t now = rte_rdtsc();
	uint16_t out = 0;

	(void)port;
	(void)queue;
	for (uint16_t i = 0; i < n; i++)
		judge(p, m[i], now);
	while (p->n != 0 && p->heap[0].due <= now && out < max)
		m[out++] = pop(p);
	wake_at(p);
	return out;
}

/* ---- control thread ---------------------------------------------------------------------------------------------- */

static void impair_free(void *arg)
{
	struct impair *p = arg;

	for (uint32_t i = 0; i < p->n; i++)
		rte_pktmbuf_free(p->heap[i].m);
	rte_free((void *)(uintptr_t)p->callback);
	free(p);
}

static void queue_clear(uint32_t port_id, uint16_t queue)
{
	struct impair *p = by_queue[port_id][queue];
	int w = port_queue_worker(port_id, queue);

	if (p == NULL)
		return;
	by_queue[port_id][queue] = NULL;
	rte_eth_remove_rx_callback(p->dpdk_port, queue, p->callback);
	if (w >= 0 && workers[w] != NULL)
		workers[w]->wake[WAKE_IMPAIR] = 0;
	rcu_retire(p, impair_free);
}

void impair_port_gone(uint32_t port_id)
{
	for (uint16_t q = 0; port_id < WORKER_PORTS_MAX && q < QUEUES_MAX; q++)
		queue_clear(port_id, q);
}

static int queue_set(const struct port *port, uint16_t queue, const struct hd_api_pm_impair *m)
{
	struct impair *p = calloc(1, sizeof(*p) + m->limit * sizeof(p->heap[0]));

	if (p == NULL)
		return -ENOMEM;
	p->conf = *m;
	p->port_id = m->port_id;
	p->dpdk_port = port->dpdk_port;
	p->queue = queue;
	p->ticks_per_ns = (double)rte_get_tsc_hz() / 1e9;
	p->model = (struct impair_model){ .loss_ppm = m->loss_ppm,
					  .duplicate_ppm = m->duplicate_ppm,
					  .reorder_ppm = m->reorder_ppm,
					  .delay_ns = m->delay_ns,
					  .jitter_ns = m->jitter_ns,
					  .state = (uint64_t)m->seed << 8 | queue };
	p->callback = rte_eth_add_rx_callback(port->dpdk_port, queue, on_rx, p);
	if (p->callback == NULL) {
		free(p);
		return -EOPNOTSUPP;
	}
	by_queue[m->port_id][queue] = p;
	return 0;
}

static int set(struct hd_api_pm_impair *m, struct hd_api_reply *reply)
{
	const struct port *port = port_get(m->port_id);
	bool off = m->loss_ppm == 0 && m->duplicate_ppm == 0 && m->reorder_ppm == 0 &&
		   m->delay_ns == 0 && m->jitter_ns == 0;
	int rc = 0;

	if (port == NULL || m->port_id >= WORKER_PORTS_MAX) {
		snprintf(reply->text, sizeof(reply->text), "there is no port %u", m->port_id);
		return -ENOENT;
	}
	m->limit = m->limit != 0 ? m->limit : LIMIT_DEFAULT;
	if (m->loss_ppm > 1000000 || m->duplicate_ppm > 1000000 || m->reorder_ppm > 1000000 ||
	    m->limit > LIMIT_MAX || m->delay_ns > DELAY_MAX_NS || m->jitter_ns > m->delay_ns) {
		snprintf(reply->text, sizeof(reply->text),
			 "chances are at most 1, a delay at most 10 s, jitter at most the delay");
		return -EINVAL;
	}
	impair_port_gone(m->port_id);
	for (uint16_t q = 0; !off && rc == 0 && q < port->n_rxq && q < QUEUES_MAX; q++)
		rc = queue_set(port, q, m);
	if (rc < 0)
		impair_port_gone(m->port_id);
	return rc;
}

/* What a port's queues did together. */
static bool sum(uint32_t port_id, struct hd_api_pm_impair *ret)
{
	bool any = false;

	for (uint16_t q = 0; q < QUEUES_MAX; q++) {
		const struct impair *p = by_queue[port_id][q];

		if (p == NULL)
			continue;
		if (!any)
			*ret = p->conf;
		any = true;
		ret->frames += p->frames;
		ret->lost += p->lost;
		ret->duplicated += p->duplicated;
		ret->reordered += p->reordered;
		ret->overflow += p->overflow;
	}
	return any;
}

static int request(const void *body, size_t size, debug_send_fn send, void *arg,
		   struct hd_api_reply *reply)
{
	struct hd_api_pm_impair m = { 0 };

	if (size != 0) {
		memcpy(&m, body, RTE_MIN(size, offsetof(struct hd_api_pm_impair, frames)));
		int rc = set(&m, reply);
		if (rc < 0)
			return rc;
	}
	for (uint32_t id = 0; id < WORKER_PORTS_MAX; id++)
		if (sum(id, &m))
			send(arg, HD_API_PM_IMPAIR, &m, sizeof(m));
	return 0;
}

int impair_init(void)
{
	return debug_request_register(HD_API_PM_IMPAIR, request);
}
