/* SPDX-License-Identifier: BSD-3-Clause
 * Requests that look into a running data plane (debug_api.h), and the last packet of every drop reason. */
#include "dataplane/debug_api.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>

#include "dataplane/capture.h"
#include "dataplane/dp_limits.h"
#include "dataplane/explain.h"
#include "dataplane/node.h"
#include "dataplane/objects.h"
#include "dataplane/port.h"
#include "dataplane/punt.h"
#include "dataplane/telemetry.h"
#include "dataplane/trace.h"
#include "dataplane/wallclock.h"
#include "dataplane/watchdog.h"
#include "heddle/api/l2.h"

/* ---- last packet of every drop reason -------------------------------------------------------------------- */

/* Written by one worker, read by the control thread at any time: odd seq while it is being written. */
struct drop_sample {
	uint32_t seq;
	uint16_t length, head_len;
	uint64_t tsc; /* 0: never hit */
	uint32_t iface, vrf, result, pad;
	uint8_t head[HD_TRACE_HEAD];
};

static struct {
	uint16_t first, n; /* its verdicts' samples */
	uint32_t row;      /* the node */
} vecs[HD_STATS_VECS_MAX]; /* by verdict vector; n 0: not a verdict vector */
static uint32_t n_samples;
static struct drop_sample *samples[DP_WORKERS_MAX]; /* NULL: the worker of explain.h */
static bool ready;

void drop_sample_note(struct worker *w, struct rte_mbuf *m)
{
	const struct hd_meta *mt = meta(m);

	if (unlikely(w->explain != NULL || mt->verdict_vec >= HD_STATS_VECS_MAX ||
		     mt->verdict >= vecs[mt->verdict_vec].n))
		return;
	struct drop_sample *s = &samples[w->id][vecs[mt->verdict_vec].first + mt->verdict];
	uint32_t seq = s->seq + 1;

	if (likely(s->tsc ==
		   w->now)) /* one per walk and reason: a flood is not slowed down by copies */
		return;
	__atomic_store_n(&s->seq, seq, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	s->tsc = w->now;
	s->length = (uint16_t)RTE_MIN(m->pkt_len, 0xffffu);
	s->head_len = (uint16_t)RTE_MIN(m->data_len, HD_TRACE_HEAD);
	s->iface = mt->iface;
	s->vrf = mt->vrf;
	s->result = mt->result;
	memcpy(s->head, rte_pktmbuf_mtod(m, const void *), s->head_len);
	__atomic_store_n(&s->seq, seq + 1, __ATOMIC_RELEASE);
}

/* A whole copy; false while the worker keeps writing it, or when there is none. */
static bool sample_read(const struct drop_sample *s, struct drop_sample *ret)
{
	for (unsigned i = 0; i < 16; i++) {
		uint32_t seq = __atomic_load_n(&s->seq, __ATOMIC_ACQUIRE);

		if (seq & 1)
			continue;
		memcpy(ret, s, sizeof(*ret));
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (__atomic_load_n(&s->seq, __ATOMIC_RELAXED) == seq)
			return ret->tsc != 0;
	}
	return false;
}

uint32_t node_row_of_vec(uint16_t vec)
{
	return ready && vec < HD_STATS_VECS_MAX && vecs[vec].n != 0 ? vecs[vec].row : UINT32_MAX;
}

/* ---- set-up ---------------------------------------------------------------------------------------------- */

int debug_init(void)
{
	int rc = graph_stats_init();

	if (rc < 0)
		return rc;
	memset(vecs, 0, sizeof(vecs));
	n_samples = 0;
	for (const struct node_desc *d = node_desc_first(); d != NULL; d = d->next) {
		if (d->n_verdicts == 0 || d->vec < 0)
			continue;
		vecs[d->vec].first = (uint16_t)n_samples;
		vecs[d->vec].n = (uint16_t)d->n_verdicts;
		vecs[d->vec].row = d->row;
		n_samples += d->n_verdicts;
	}
	for (unsigned i = 0; i < dp_limits.workers; i++) {
		size_t size = RTE_ALIGN(n_samples * sizeof(**samples), RTE_CACHE_LINE_SIZE);

		samples[i] = aligned_alloc(RTE_CACHE_LINE_SIZE, size);
		if (samples[i] == NULL) {
			debug_fini();
			return -ENOMEM;
		}
		memset(samples[i], 0, size);
	}
	ready = true;
	return 0;
}

void debug_fini(void)
{
	telemetry_fini();
	capture_fini();
	trace_fini();
	ready = false;
	for (unsigned i = 0; i < DP_WORKERS_MAX; i++) {
		free(samples[i]);
		samples[i] = NULL;
	}
	memset(vecs, 0, sizeof(vecs));
}

/* ---- requests -------------------------------------------------------------------------------------------- */

struct request {
	const void *body;
	size_t size;
	int fd; /* taken over: set to -1 by who keeps it */
	debug_send_fn send;
	void *arg;
	struct hd_api_reply *reply;
};

__attribute__((format(printf, 3, 4))) static int refuse(struct request *r, int rc, const char *fmt,
							...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->reply->text, sizeof(r->reply->text), fmt, ap);
	va_end(ap);
	return rc;
}

/* The body as a struct: a missing tail is zero, a surplus must be. */
static int body_get(struct request *r, void *to, size_t size)
{
	const uint8_t *p = r->body;

	for (size_t i = size; i < r->size; i++)
		if (p[i] != 0)
			return refuse(r, -E2BIG,
				      "the request is longer than this data plane knows it");
	memset(to, 0, size);
	memcpy(to, r->body, RTE_MIN(size, r->size));
	return 0;
}

static int on_trace_start(struct request *r)
{
	struct hd_api_trace_start req;
	int rc = body_get(r, &req, sizeof(req));

	if (rc < 0)
		return rc;
	rc = trace_start(&req);
	if (rc == -EINVAL)
		return refuse(
			r, rc,
			"trace: 1 to %u packets, family 4 or 6 with a prefix length that suits it",
			TRACE_PACKETS_MAX);
	return rc;
}

static void trace_send(const struct hd_api_trace_packet *p, void *arg)
{
	struct request *r = arg;

	r->send(r->arg, HD_API_TRACE_PACKET, p, sizeof(*p));
}

static int on_trace_read(struct request *r)
{
	int rc = trace_read(trace_send, r);

	return rc < 0 ? refuse(r, rc, "no trace was started") : 0;
}

static int on_trace_stop(struct request *r)
{
	(void)r;
	trace_stop();
	return 0;
}

static int on_capture_start(struct request *r)
{
	struct hd_api_capture_start req;
	uint32_t id;
	int rc = body_get(r, &req, sizeof(req)), fd = r->fd;

	if (rc < 0)
		return rc;
	r->fd = -1;
	return capture_start(&req, fd, &id, r->reply->text, sizeof(r->reply->text));
}

static int on_capture_stop(struct request *r)
{
	int rc = capture_stop();

	return rc < 0 ? refuse(r, rc, "no capture is running") : 0;
}

static int on_graph_node(struct request *r)
{
	for (const struct node_desc *d = node_desc_first(); d != NULL; d = d->next) {
		struct hd_api_graph_node n = { .node = d->row };

		snprintf(n.name, sizeof(n.name), "%s", d->name);
		for (unsigned i = 0; i < d->n_verdicts; i++) {
			const struct node_desc *next = node_desc_find(d->verdicts[i].next);
			bool known = next == NULL;

			for (uint32_t k = 0; k < n.n_edges && !known; k++)
				known = n.edge[k] == next->row;
			if (!known && n.n_edges < HD_GRAPH_EDGES_MAX)
				n.edge[n.n_edges++] = next->row;
		}
		r->send(r->arg, HD_API_GRAPH_NODE, &n, sizeof(n));
	}
	return 0;
}

/* The CPU an lcore is pinned to; -1 when it may run on several. */
static int32_t lcore_cpu(uint32_t lcore)
{
	rte_cpuset_t set = rte_lcore_cpuset(lcore);

	if (CPU_COUNT(&set) != 1)
		return -1;
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set))
			return i;
	return -1;
}

static int on_worker(struct request *r)
{
	for (unsigned i = 0; i < dp_limits.workers && workers[i] != NULL; i++) {
		const struct worker_rxqs *q =
			workers[i]->rxqs; /* the control thread is its writer */
		struct hd_api_worker w = { .worker = i, .lcore = workers[i]->lcore, .cpu = -1 };

		w.state = watchdog_state(i);
		if (w.lcore < RTE_MAX_LCORE && rte_lcore_is_enabled(w.lcore)) {
			w.cpu = lcore_cpu(w.lcore);
			w.numa = rte_lcore_to_socket_id(w.lcore);
		}
		for (; q != NULL && w.n_queues < RTE_MIN(q->n, RTE_DIM(w.queue)); w.n_queues++) {
			w.queue[w.n_queues].port_id = q->q[w.n_queues].port_id;
			w.queue[w.n_queues].queue = q->q[w.n_queues].queue;
		}
		r->send(r->arg, HD_API_WORKER, &w, sizeof(w));
	}
	return 0;
}

static int on_worker_queues(struct request *r)
{
	struct hd_api_worker_queues req;
	int rc = body_get(r, &req, sizeof(req));

	if (rc < 0)
		return rc;
	if (req.worker == UINT32_MAX)
		return ports_spread();
	rc = ports_place(req.port_id, req.queue, req.worker);
	if (rc == -ENOENT)
		return refuse(r, rc, "port %u has no receive queue %u", req.port_id, req.queue);
	if (rc == -EINVAL)
		return refuse(r, rc, "there is no worker %u: they are 0 to %u", req.worker,
			      dp_limits.workers - 1);
	return rc;
}

static int on_port_state(struct request *r)
{
	for (uint32_t id = 0; id < WORKER_PORTS_MAX; id++) {
		const struct port *p = port_get(id);
		struct hd_api_port_state s = { .port_id = id };
		struct rte_eth_stats st;
		struct rte_eth_dev_info info;
		struct rte_eth_link link;

		if (p == NULL)
			continue;
		s.up = p->up;
		s.n_rxq = p->n_rxq;
		s.n_txq = p->n_txq;
		s.mtu = p->mtu;
		memcpy(s.mac, p->mac.addr_bytes, sizeof(s.mac));
		if (rte_eth_link_get_nowait(p->dpdk_port, &link) == 0 &&
		    link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN)
			s.speed_mbps = link.link_speed;
		if (rte_eth_dev_info_get(p->dpdk_port, &info) == 0)
			snprintf(s.driver, sizeof(s.driver), "%s", info.driver_name);
		if (rte_eth_stats_get(p->dpdk_port, &st) == 0) {
			s.rx_missed = st.imissed;
			s.rx_errors = st.ierrors;
			s.rx_nombuf = st.rx_nombuf;
			s.tx_errors = st.oerrors;
		}
		r->send(r->arg, HD_API_PORT_STATE, &s, sizeof(s));
	}
	return 0;
}

/* One answer per reason: the latest over the workers. */
static int on_drop_sample(struct request *r)
{
	for (unsigned vec = 0; vec < HD_STATS_VECS_MAX; vec++) {
		for (unsigned v = 0; v < vecs[vec].n; v++) {
			struct hd_api_drop_sample a = { .verdict_vec = (uint16_t)vec,
							.verdict = (uint16_t)v };
			struct drop_sample s, best = { 0 };

			for (unsigned i = 0; i < dp_limits.workers && samples[i] != NULL; i++) {
				if (sample_read(&samples[i][vecs[vec].first + v], &s) &&
				    s.tsc >= best.tsc) {
					best = s;
					a.worker = i;
				}
			}
			if (best.tsc == 0)
				continue;
			a.time_ns = wallclock_at(wallclock_get(), best.tsc);
			a.iface_id = best.iface;
			a.vrf_id = best.vrf;
			a.result = best.result;
			a.length = best.length;
			a.head_len = best.head_len;
			memcpy(a.head, best.head, best.head_len);
			r->send(r->arg, HD_API_DROP_SAMPLE, &a, sizeof(a));
		}
	}
	return 0;
}

static int on_explain(struct request *r)
{
	struct hd_api_explain req = { 0 };

	if (r->size <= sizeof(req))
		return refuse(r, -EINVAL, "explain: the request has no packet");
	memcpy(&req, r->body, sizeof(req));
	return explain_packet(&req, (const uint8_t *)r->body + sizeof(req), r->size - sizeof(req),
			      r->send, r->arg, r->reply);
}

static const struct {
	uint16_t type;
	int (*fn)(struct request *r);
} requests[] = {
	{ HD_API_TRACE_START, on_trace_start },
	{ HD_API_TRACE_READ, on_trace_read },
	{ HD_API_TRACE_STOP, on_trace_stop },
	{ HD_API_CAPTURE_START, on_capture_start },
	{ HD_API_CAPTURE_STOP, on_capture_stop },
	{ HD_API_GRAPH_NODE, on_graph_node },
	{ HD_API_WORKER, on_worker },
	{ HD_API_WORKER_QUEUES, on_worker_queues },
	{ HD_API_PORT_STATE, on_port_state },
	{ HD_API_DROP_SAMPLE, on_drop_sample },
	{ HD_API_EXPLAIN, on_explain },
};

static struct {
	uint16_t type;
	debug_handler fn;
} registered[32];
static unsigned n_registered;

int debug_request_register(uint16_t type, debug_handler fn)
{
	for (size_t i = 0; i < RTE_DIM(requests); i++)
		if (requests[i].type == type)
			return -EEXIST;
	for (unsigned i = 0; i < n_registered; i++) {
		if (registered[i].type == type) {
			if (registered[i].fn != fn)
				return -EEXIST;
			return 0; /* the engine was started again */
		}
	}
	if (n_registered == RTE_DIM(registered))
		return -ENOSPC;
	registered[n_registered].type = type;
	registered[n_registered++].fn = fn;
	return 0;
}

static int dispatch(uint16_t type, struct request *r)
{
	for (size_t i = 0; i < RTE_DIM(requests); i++)
		if (requests[i].type == type)
			return requests[i].fn(r);
	for (unsigned i = 0; i < n_registered; i++)
		if (registered[i].type == type)
			return registered[i].fn(r->body, r->size, r->send, r->arg, r->reply);
	return refuse(r, -EOPNOTSUPP, "request 0x%03x is not known to this data plane", type);
}

int debug_request(uint16_t type, const void *body, size_t size, int fd, debug_send_fn send,
		  void *arg, struct hd_api_reply *reply)
{
	struct request r = { body, size, fd, send, arg, reply };
	int rc = dispatch(type, &r);

	if (r.fd >= 0)
		close(r.fd);
	if (rc < 0) {
		reply->error = (uint32_t)-rc;
		if (reply->text[0] == '\0')
			snprintf(reply->text, sizeof(reply->text), "%s", strerror(-rc));
	}
	return rc;
}

/* ---- packets from the control process ---------------------------------------------------------------------- */

void debug_inject(const struct hd_api_punt *h, const void *packet, size_t size)
{
	bool route = (h->flags & HD_PUNT_F_ROUTE) != 0;
	unsigned version = size == 0 ? 0 : *(const uint8_t *)packet >> 4;
	const struct hd_api_iface *iface = NULL;
	struct rte_mbuf *m;

	if (h->version != HD_API_VERSION)
		return;
	if (route) {
		if ((version != 4 && version != 6) || size < (version == 4 ? 20u : 40u) ||
		    h->vrf_id >= dp_limits.vrfs)
			return;
	} else {
		iface = object_find(HD_API_IFACE, &h->iface_id);
		if (size < 14 || iface == NULL || port_get(iface->port_id) == NULL)
			return;
	}
	m = packet_alloc();
	if (m == NULL)
		return;
	void *to = size > UINT16_MAX ? NULL : rte_pktmbuf_append(m, (uint16_t)size);
	if (to == NULL) { /* longer than a packet buffer */
		rte_pktmbuf_free(m);
		return;
	}
	memcpy(to, packet, size);
	struct hd_meta *mt = meta(m);
	mt->flags = META_F_LOCAL;
	mt->vrf = (uint16_t)h->vrf_id;
	if (route) {
		inject(m, version == 4 ? INJECT_IP4_LOOKUP : INJECT_IP6_LOOKUP);
		return;
	}
	mt->port = (uint16_t)iface->port_id;
	mt->tx_iface = (uint16_t)h->iface_id;
	inject(m, INJECT_PORT_TX);
}
