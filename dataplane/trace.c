/* SPDX-License-Identifier: BSD-3-Clause
 * Packet trace (trace.h), and the two functions that nodes call while anybody watches. */
#include "dataplane/trace.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_cycles.h>

#include "dataplane/capture.h"
#include "dataplane/dp_limits.h"
#include "dataplane/explain.h"
#include "dataplane/node.h"
#include "dataplane/rcu.h"
#include "dataplane/wallclock.h"
#include "heddle/wire/ip4.h"
#include "heddle/wire/ip6.h"
#include "heddle/wire/srh.h"

/* meta->trace: slot + 1 in the low 11 bits, the trace's generation above, so that a packet which slept through a new
 * trace does not write into it. */
#define SLOT_BITS 11u
#define SLOT_MASK ((1u << SLOT_BITS) - 1)
static_assert(TRACE_PACKETS_MAX <= SLOT_MASK, "slot + 1 fits");

struct trace_slot {
	uint64_t loop; /* worker's loop counter in the walk that took the packet */
	uint64_t rx_tsc;
	bool open; /* the node that runs has a step: watch_out completes it */
	struct hd_api_trace_packet p;
};

struct trace_buf {
	/* constant once published */
	struct hd_api_trace_filter filter;
	uint32_t max;
	uint16_t gen;
	uint32_t row_tx, row_punt; /* nodes whose packets leave this worker's graph */
	/* worker */
	uint32_t used __rte_cache_aligned;
	uint16_t punt_trace; /* of the packet that punt has just been given */
	const struct rte_mbuf *punt_mbuf;
	/* control thread */
	uint32_t n_read __rte_cache_aligned;
	struct trace_slot slot[];
};

static uint16_t generation;
static uint32_t left; /* packets still to be handed out */
static bool started;

/* ---- worker ---------------------------------------------------------------------------------------------- */

static struct trace_buf *buf_get(const struct worker *w)
{
	return __atomic_load_n((struct trace_buf *const *)&w->trace, __ATOMIC_ACQUIRE);
}

/* The packet's slot; NULL when it is not traced, or its slot is of an earlier walk or trace. */
static struct trace_slot *slot_of(struct trace_buf *b, const struct worker *w, uint16_t trace)
{
	uint32_t i = trace & SLOT_MASK;

	if (i == 0 || trace >> SLOT_BITS != b->gen || i > b->used ||
	    b->slot[i - 1].loop != w->stats->loops)
		return NULL;
	return &b->slot[i - 1];
}

/* l2_len: octets in front of the data that belong to the head. */
static void step_add(struct trace_slot *t, uint32_t row, const struct rte_mbuf *m, unsigned l2_len)
{
	const struct hd_meta *mt = meta((struct rte_mbuf *)(uintptr_t)m);
	unsigned len = m->data_len + l2_len;

	t->open = false;
	if (t->p.n_steps == HD_TRACE_STEPS_MAX) {
		t->p.steps_lost++;
		return;
	}
	struct hd_api_trace_step *st = &t->p.step[t->p.n_steps++];
	t->open = true;
	st->node = row;
	st->verdict = st->verdict_vec = 0xffff;
	st->tsc_delta = (uint32_t)RTE_MIN(rte_rdtsc() - t->rx_tsc, (uint64_t)UINT32_MAX);
	st->result = mt->result;
	st->vrf_id = mt->vrf;
	st->length = (uint16_t)RTE_MIN(m->pkt_len + l2_len, 0xffffu);
	st->head_len = (uint16_t)RTE_MIN(len, HD_TRACE_HEAD);
	memcpy(st->head, rte_pktmbuf_mtod(m, const uint8_t *) - l2_len, st->head_len);
}

static bool prefix_match(const uint8_t *addr, const uint8_t *prefix, unsigned plen)
{
	unsigned bytes = plen / 8, bits = plen % 8;

	return memcmp(addr, prefix, bytes) == 0 &&
	       (bits == 0 || ((addr[bytes] ^ prefix[bytes]) & (0xff00u >> bits) & 0xff) == 0);
}

static bool sid_match(const struct hd_api_trace_filter *f, const uint8_t *l3, size_t len)
{
	struct wire_cur cur = wire_cur_init(l3, len);
	struct ip6_view ip;
	struct ip6_walk w;
	struct ip6_ext_view e;

	if (ip6_parse_quoted(&cur, &ip) <
	    0) /* also of a packet cut short: seeing such is what a trace is for */
		return false;
	if (memcmp(&ip.hdr->dst, f->sid, 16) == 0)
		return true;
	ip6_walk_init(&w, &ip, &cur);
	while (ip6_walk_next(&w, &e) == 1) {
		struct wire_cur c = wire_cur_init(e.p, e.len);
		struct srh_view srh;

		if (e.type != IP_NH_ROUTING || srh_parse(&c, &srh) < 0)
			continue;
		for (int i = 0; i <= srh.max_last_entry && i <= srh.hdr->last_entry; i++)
			if (memcmp(&srh.list[i], f->sid, 16) == 0)
				return true;
	}
	return false;
}

int trace_filter_match(const struct hd_api_trace_filter *f, uint32_t iface, uint32_t session,
		       const uint8_t *l3, size_t len)
{
	unsigned version = len == 0 ? 0 : l3[0] >> 4;
	unsigned src = version == 4 ? 12 : 8, dst = version == 4 ? 16 : 24;

	if ((f->iface_id != 0 && f->iface_id != iface) ||
	    (f->session_id != 0 && f->session_id != session))
		return 0;
	if (f->family != 0) {
		if (f->family != version || len < (version == 4 ? 20u : 40u))
			return 0;
		if (!prefix_match(l3 + dst, f->prefix, f->plen) &&
		    !(f->either && prefix_match(l3 + src, f->prefix, f->plen)))
			return 0;
	}
	return !f->has_sid || (version == 6 && sid_match(f, l3, len));
}

void trace_mark(struct worker *w, struct rte_mbuf *m)
{
	struct trace_buf *b = buf_get(w);
	struct hd_meta *mt = meta(m);

	if (b == NULL || b->used == b->max || mt->trace != 0)
		return;
	if (!trace_filter_match(&b->filter, mt->iface, mt->session,
				rte_pktmbuf_mtod(m, const uint8_t *), m->data_len))
		return;
	struct trace_slot *t = &b->slot[b->used];
	t->loop = w->stats->loops;
	t->rx_tsc = mt->rx_tsc;
	t->p.iface_id = mt->iface;
	t->p.worker = w->id;
	step_add(t, w->cur_node, m, mt->l2_len);
	mt->trace = (uint16_t)(b->gen << SLOT_BITS | (b->used + 1));
	__atomic_store_n(&b->used, b->used + 1, __ATOMIC_RELEASE);
}

static void trace_in(struct node_slot *s, struct rte_mbuf **m, unsigned n)
{
	struct worker *w = s->worker;
	struct trace_buf *b = buf_get(w);

	if (b == NULL)
		return;
	for (unsigned i = 0; i < n; i++) {
		struct hd_meta *mt = meta(m[i]);
		struct trace_slot *t;

		if (likely(mt->trace == 0))
			continue;
		t = slot_of(b, w, mt->trace);
		if (t == NULL) {
			mt->trace = 0;
			continue;
		}
		step_add(t, s->row, m[i], 0);
		/* Beyond these the packet is another thread's. */
		if (s->row == b->row_punt) {
			b->punt_mbuf = m[i];
			b->punt_trace = mt->trace;
			mt->trace = 0;
		} else if (s->row == b->row_tx && mt->port < WORKER_PORTS_MAX &&
			   w->txq[mt->port] == UINT16_MAX) {
			mt->trace = 0;
		}
	}
}

static void trace_out(struct node_slot *s, struct rte_mbuf **m, const rte_edge_t *verdict,
		      unsigned n)
{
	struct trace_buf *b = buf_get(s->worker);

	if (b == NULL)
		return;
	for (unsigned i = 0; i < n; i++) {
		struct hd_meta *mt = meta(m[i]);
		struct trace_slot *t;

		if (s->row == b->row_punt && m[i] == b->punt_mbuf) { /* punt did not take it */
			mt->trace = b->punt_trace;
			b->punt_mbuf = NULL;
		}
		if (likely(mt->trace == 0))
			continue;
		t = slot_of(b, s->worker, mt->trace);
		if (t == NULL || !t->open)
			continue;
		struct hd_api_trace_step *st = &t->p.step[t->p.n_steps - 1];
		if (st->node != s->row)
			continue;
		st->verdict = verdict[i];
		st->verdict_vec = s->vec;
		st->result = mt->result;
	}
}

void node_watch_in(struct node_slot *s, struct rte_mbuf **m, unsigned n)
{
	if (s->worker->watch & WATCH_TRACE)
		trace_in(s, m, n);
	if (s->worker->watch & WATCH_CAPTURE)
		capture_in(s, m, n);
	if (s->worker->watch & WATCH_EXPLAIN)
		explain_in(s, m, n);
}

void node_watch_out(struct node_slot *s, struct rte_mbuf **m, const rte_edge_t *verdict, unsigned n)
{
	/* While watched, every packet carries what the last node decided: a capture further on shows it. */
	for (unsigned i = 0; i < n; i++) {
		meta(m[i])->verdict = verdict[i];
		meta(m[i])->verdict_vec = s->vec;
	}
	if (s->worker->watch & WATCH_TRACE)
		trace_out(s, m, verdict, n);
	if (s->worker->watch & WATCH_EXPLAIN)
		explain_out(s, m, verdict, n);
}

/* ---- control thread -------------------------------------------------------------------------------------- */

static uint32_t row_of(const char *node)
{
	const struct node_desc *d = node_desc_find(node);

	return d == NULL ? UINT32_MAX : d->row;
}

/* All memory is touched here, so that a worker does not even meet a page fault. */
static struct trace_buf *buf_new(const struct hd_api_trace_start *req)
{
	size_t size = RTE_ALIGN(
		sizeof(struct trace_buf) + req->max_packets * sizeof(struct trace_slot), 64);
	struct trace_buf *b = aligned_alloc(64, size);

	if (b == NULL)
		return NULL;
	memset(b, 0, size);
	b->filter = req->filter;
	b->max = req->max_packets;
	b->gen = generation;
	b->row_tx = row_of("port-tx");
	b->row_punt = row_of("punt");
	return b;
}

static void watch_set(uint32_t bit, bool on)
{
	for (unsigned i = 0; i < dp_limits.workers && workers[i] != NULL; i++) {
		uint32_t v = on ? workers[i]->watch | bit : workers[i]->watch & ~bit;
		__atomic_store_n(&workers[i]->watch, v, __ATOMIC_RELEASE);
	}
}

int trace_start(const struct hd_api_trace_start *req)
{
	const struct hd_api_trace_filter *f = &req->filter;
	struct trace_buf *b[DP_WORKERS_MAX] = { NULL };
	unsigned n = 0;

	if (req->max_packets == 0 || req->max_packets > TRACE_PACKETS_MAX ||
	    (f->family != 0 && f->family != 4 && f->family != 6) ||
	    f->plen > (f->family == 4 ? 32 : 128))
		return -EINVAL;
	generation = (generation + 1) & (UINT16_MAX >> SLOT_BITS);
	for (; n < dp_limits.workers && workers[n] != NULL; n++) {
		b[n] = buf_new(req);
		if (b[n] == NULL)
			goto free_bufs;
	}
	for (unsigned i = 0; i < n; i++) {
		void *old = workers[i]->trace;

		__atomic_store_n(&workers[i]->trace, b[i], __ATOMIC_RELEASE);
		rcu_retire(old, free);
	}
	left = req->max_packets;
	started = true;
	watch_set(WATCH_TRACE, true);
	return 0;
free_bufs:
	while (n-- > 0)
		free(b[n]);
	return -ENOMEM;
}

void trace_stop(void)
{
	watch_set(WATCH_TRACE, false); /* what was traced can still be read */
}

void trace_fini(void)
{
	trace_stop();
	for (unsigned i = 0; i < dp_limits.workers && workers[i] != NULL; i++) {
		free(workers[i]->trace);
		workers[i]->trace = NULL;
	}
	started = false;
}

int trace_read(void (*fn)(const struct hd_api_trace_packet *p, void *arg), void *arg)
{
	const struct wallclock *clock = wallclock_get();
	int n = 0;

	if (!started)
		return -ENOENT;
	for (unsigned i = 0; i < dp_limits.workers && workers[i] != NULL; i++) {
		struct trace_buf *b = workers[i]->trace;

		if (b == NULL)
			continue;
		uint32_t used = __atomic_load_n(&b->used, __ATOMIC_ACQUIRE);
		uint64_t loops = __atomic_load_n(&workers[i]->stats->loops, __ATOMIC_ACQUIRE);
		for (; left != 0 && b->n_read < used && b->slot[b->n_read].loop < loops;
		     b->n_read++) {
			struct trace_slot *t = &b->slot[b->n_read];

			t->p.time_ns = wallclock_at(clock, t->rx_tsc);
			fn(&t->p, arg);
			n++;
			if (--left == 0)
				trace_stop();
		}
	}
	return n;
}
