/* SPDX-License-Identifier: BSD-3-Clause
 * The graph's ends: port-rx takes packets from devices and from the control thread, port-tx sends them, drop frees
 * them.  Received packets go to node express, which sends the usual ones straight on; while a worker is watched they
 * go to eth-input and take every step. */
#include <rte_cycles.h>
#include <rte_ethdev.h>

#include "dataplane/debug_api.h"
#include "dataplane/explain.h"
#include "dataplane/node.h"
#include "dataplane/port.h"
#include "dataplane/punt.h"
#include "dataplane/stats.h"

/* ---- port-rx --------------------------------------------------------------------------------------------- */

#define PORT_RX_VERDICTS(V, P)                                                                        \
	V(P, RECEIVED, "express", INFO, "received from a port")                                       \
	V(P, WATCHED, "eth-input", INFO,                                                              \
	  "received from a port while somebody traces or captures, or made here")                     \
	V(P, TX, "port-tx", INFO, "frame sent by the control thread")                                 \
	V(P, IP4, "ip4-lookup", INFO, "IPv4 packet sent by the control thread")                       \
	V(P, IP6, "ip6-lookup", INFO, "IPv6 packet sent by the control thread")                       \
	V(P, RUNT, "drop", ERROR,                                                                     \
	  "frame shorter than an Ethernet header (IEEE 802.3 3.1): look at the device that sends it") \
	V(P, MEASURED, "drop", INFO,                                                                  \
	  "active measurement packet, whose domain ends here (RFC 9322 5): nothing is wrong")
NODE_VERDICTS(port_rx, PORT_RX, PORT_RX_VERDICTS)

/* The last few of each burst are kept for a crash report; those that the graph works on are still in its nodes. */
static inline void port_rx_flight(struct worker *w, struct rte_mbuf **m, unsigned n, uint16_t port)
{
	struct flight *f = w->flight;
	uint32_t next = f->next;

	for (unsigned i = n > FLIGHT_OF_BURST ? n - FLIGHT_OF_BURST : 0; i < n; i++)
		flight_note(f, next++, w->now, port, m[i]);
	f->next = next;
}

/* Towards express: n packets of a port, received now. */
static inline void port_rx_run_add(struct worker *w, uint16_t port, uint16_t n, bool observe)
{
	struct rx_run *next = &w->rx_run[w->n_rx_run];

	if (w->n_rx_run != 0 && next[-1].port == port && next[-1].tsc == w->now &&
	    next[-1].observe == observe)
		next[-1].n += n;
	else
		w->rx_run[w->n_rx_run++] =
			(struct rx_run){ .tsc = w->now, .n = n, .port = port, .observe = observe };
}

/* Towards eth-input. */
static __rte_noinline void port_rx_prepare(struct worker *w, struct rte_mbuf **m, unsigned n,
					   uint16_t port)
{
	const struct hd_meta fresh = { .rx_tsc = w->now, .port = port };

	for (unsigned i = 0; i < n; i++)
		*meta(m[i]) = fresh;
}

/* Those from stay on do not go on. */
static __rte_noinline void port_rx_measured(struct rte_graph *g, struct rte_node *node,
					    struct node_slot *s, struct rte_mbuf **m, unsigned stay,
					    unsigned n, uint16_t port)
{
	port_rx_prepare(s->worker, m + stay, n - stay, port);
	node_run_flush(g, node, s, (void **)m, stay, n, PORT_RX_MEASURED);
}

/* Returns how many of them go on.  *ret_later: with the observer's work left to express. */
static inline unsigned port_rx_observe(struct rte_graph *g, struct rte_node *node,
				       struct node_slot *s, struct rte_mbuf **m, unsigned n,
				       uint16_t port, bool *ret_later)
{
	const struct rx_observer *o = __atomic_load_n(&rx_observer[port], __ATOMIC_ACQUIRE);
	unsigned stay;

	*ret_later = false;
	if (likely(o == NULL) || (s->worker->watch & WATCH_EXPLAIN) != 0)
		return n;
	if (o->in_express && !s->worker->watch) {
		*ret_later = true;
		return n;
	}
	stay = o->fn(s->worker, m, n, port);
	if (unlikely(stay != n))
		port_rx_measured(g, node, s, m, stay, n, port);
	return stay;
}

/* Frames the control thread made; meta->arg says where each one goes. */
static void port_rx_inject(struct rte_graph *g, struct rte_node *node, struct node_slot *s)
{
	static const rte_edge_t edge[] = { [INJECT_PORT_TX] = PORT_RX_TX,
					   [INJECT_IP4_LOOKUP] = PORT_RX_IP4,
					   [INJECT_IP6_LOOKUP] = PORT_RX_IP6,
					   [INJECT_ETH_INPUT] = PORT_RX_WATCHED,
					   [INJECT_RECEIVED] = PORT_RX_RECEIVED };
	struct worker *w = s->worker;
	void *obj[INJECT_BURST];
	unsigned n = rte_ring_sc_dequeue_burst(w->inject, obj, RTE_DIM(obj), NULL);

	w->rx_count += n;
	w->now = rte_rdtsc();
	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *m = obj[i];
		struct hd_meta *mt = meta(m);
		rte_edge_t v = edge[mt->arg % RTE_DIM(edge)];
		bool later = false;

		if (v == PORT_RX_RECEIVED &&
		    port_rx_observe(g, node, s, (struct rte_mbuf **)&obj[i], 1, mt->port, &later) ==
			    0)
			continue;
		if (v == PORT_RX_RECEIVED && w->watch)
			v = PORT_RX_WATCHED;
		if (v == PORT_RX_RECEIVED)
			port_rx_run_add(w, mt->port, 1, later);
		mt->rx_tsc = w->now;
		m->port = mt->port;
		node_run_flush(g, node, s, obj, i, i + 1, v);
	}
}

/* Packets of workers without a TX queue of their own on a port whose queue this worker holds. */
static void port_rx_handoff(struct rte_graph *g, struct rte_node *node, struct node_slot *s,
			    const struct worker_rxqs *q)
{
	void *obj[64];

	for (unsigned i = 0; i < q->n_handoff; i++) {
		struct port *p = port_get(q->handoff[i]);
		unsigned n =
			p == NULL || p->tx_handoff == NULL ?
				0 :
				rte_ring_sc_dequeue_burst(p->tx_handoff, obj, RTE_DIM(obj), NULL);

		s->worker->rx_count += n;
		if (n != 0)
			node_run_flush(g, node, s, obj, 0, n, PORT_RX_TX);
	}
}

static uint16_t port_rx_process(struct rte_graph *g, struct rte_node *node, void **objs, uint16_t n)
{
	struct node_slot *s = node_slot(node);
	struct worker *w = s->worker;
	const struct worker_rxqs *q = __atomic_load_n(&w->rxqs, __ATOMIC_ACQUIRE);
	uint16_t total = 0;

	(void)objs;
	(void)n;
	w->cur_node = s->row;
	w->n_rx_run = 0;
	for (uint32_t i = 0; i < q->n; i++) {
		struct rte_mbuf **m = (struct rte_mbuf **)node->objs;
		uint16_t got =
			rte_eth_rx_burst(q->q[i].dpdk_port, q->q[i].queue, m, worker_conf.burst);
		bool later;

		if (got == 0)
			continue;
		/* behind the burst: a receive time must never be before a packet was there */
		w->now = rte_rdtsc();
		node->idx = got;
		port_rx_flight(w, m, got, q->q[i].port_id);
		total += got;
		got = (uint16_t)port_rx_observe(g, node, s, m, got, q->q[i].port_id, &later);
		node->idx = got;
		if (unlikely(got == 0))
			continue;
		if (unlikely(w->watch)) {
			s->count[PORT_RX_WATCHED] += got;
			port_rx_prepare(w, m, got, q->q[i].port_id);
			node_watch_in(s, m, got);
			rte_node_next_stream_move(g, node, PORT_RX_WATCHED);
		} else {
			s->count[PORT_RX_RECEIVED] += got;
			port_rx_run_add(w, q->q[i].port_id, got, later);
			rte_node_next_stream_move(g, node, PORT_RX_RECEIVED);
		}
	}
	w->rx_count += total;
	if (unlikely(rte_ring_count(w->inject) != 0))
		port_rx_inject(g, node, s);
	if (q->n_handoff != 0)
		port_rx_handoff(g, node, s, q);
	return total;
}
NODE_REGISTER_FLAGS(port_rx, "port-rx", PORT_RX, PORT_RX_VERDICTS, port_rx_process,
		    RTE_NODE_SOURCE_F)

/* ---- port-tx --------------------------------------------------------------------------------------------- */

#define PORT_TX_VERDICTS(V, P)                                                                       \
	V(P, NO_PORT, "drop", WARN,                                                                  \
	  "the egress port has just been removed: nothing is wrong if that is over")                 \
	V(P, TX_FULL, "drop", WARN,                                                                  \
	  "the egress queue is full: the port is slower than what is sent to it")                    \
	V(P, HANDOFF_FULL, "drop", WARN,                                                             \
	  "the worker that owns the port's TX queue does not keep up: give the port more TX queues") \
	V(P, SEGMENTED, "drop", ERROR,                                                               \
	  "a chained buffer for a port that cannot send one: raise mbuf-size")                       \
	V(P, MEASURED, "drop", WARN,                                                                 \
	  "alternate mark or IOAM option on its way out of the domain (RFC 9343 2.1, RFC 9197 3): "  \
	  "let the policy that adds it end inside, or make the interface one inside")
NODE_VERDICTS(port_tx, PORT_TX, PORT_TX_VERDICTS)

/* Packets that express forwards have no metadata: whoever wants to tell about them gets what is known. */
static __rte_noinline void port_tx_meta(struct worker *w, void **objs, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *m = objs[i];

		if (meta(m)->rx_tsc < w->walk)
			*meta(m) = (struct hd_meta){ .rx_tsc = w->now, .port = m->port };
	}
}

/* Returns how many of them leave, moved to the front. */
static __rte_noinline unsigned port_tx_filter(struct rte_graph *g, struct rte_node *node,
					      struct node_slot *s, void **objs, unsigned n,
					      uint16_t id, tx_filter_fn fn)
{
	unsigned go = 0;

	for (unsigned i = 0, some; i < n; i += some) {
		unsigned may;

		some = RTE_MIN(n - i, NODE_CHUNK);
		may = fn((struct rte_mbuf **)objs + i, some, id);
		if (may < some) {
			port_tx_meta(s->worker, objs + i + may, some - may);
			node_run_flush(g, node, s, objs + i, may, some, PORT_TX_MEASURED);
		}
		if (go != i)
			memmove(objs + go, objs + i, may * sizeof(*objs));
		go += may;
	}
	return go;
}

static void port_tx_run(struct rte_graph *g, struct rte_node *node, struct node_slot *s,
			void **objs, unsigned n, uint16_t id)
{
	tx_filter_fn filter = __atomic_load_n(&tx_filter[id], __ATOMIC_ACQUIRE);
	struct worker *w = s->worker;
	struct port *p = port_get(id);
	unsigned sent;
	rte_edge_t v;

	if (unlikely(filter != NULL)) {
		n = port_tx_filter(g, node, s, objs, n, id, filter);
		if (n == 0)
			return;
	}
	if (unlikely(p == NULL)) {
		port_tx_meta(w, objs, n);
		node_run_flush(g, node, s, objs, 0, n, PORT_TX_NO_PORT);
		return;
	}
	/* devices drop silently or worse what they cannot gather: refuse it here with a name */
	if (unlikely(((const struct rte_mbuf *)objs[0])->nb_segs > 1 &&
		     !(p->features & PORT_FEAT_MULTISEG))) {
		port_tx_meta(w, objs, n);
		node_run_flush(g, node, s, objs, 0, n, PORT_TX_SEGMENTED);
		return;
	}
	if (likely(w->txq[id] != UINT16_MAX)) {
		sent = rte_eth_tx_burst(p->dpdk_port, w->txq[id], (struct rte_mbuf **)objs,
					(uint16_t)n);
		if (unlikely(sent < n)) /* one more try: drivers clean their rings when called */
			sent += rte_eth_tx_burst(p->dpdk_port, w->txq[id],
						 (struct rte_mbuf **)objs + sent,
						 (uint16_t)(n - sent));
		v = PORT_TX_TX_FULL;
	} else if (w->explain != NULL) {
		explain_sent(w, (struct rte_mbuf **)objs, n);
		return;
	} else {
		sent = p->tx_handoff == NULL ?
			       0 :
			       rte_ring_mp_enqueue_burst(p->tx_handoff, objs, n, NULL);
		v = PORT_TX_HANDOFF_FULL;
	}
	if (unlikely(sent < n)) {
		port_tx_meta(w, objs + sent, n - sent);
		node_run_flush(g, node, s, objs, sent, n, v);
	}
}

/* Segments and port, which lie side by side. */
static inline uint32_t port_tx_key(const struct rte_mbuf *m)
{
	uint32_t key;

	static_assert(offsetof(struct rte_mbuf, port) == offsetof(struct rte_mbuf, nb_segs) + 2,
		      "");
	__builtin_memcpy(&key, &m->nb_segs, sizeof(key));
	return key;
}

/* In: m->port is the owner's id of the egress port. */
static uint16_t port_tx_process(struct rte_graph *g, struct rte_node *node, void **objs, uint16_t n)
{
	struct node_slot *s = node_slot(node);
	unsigned start = 0;

	s->worker->cur_node = s->row;
	if (unlikely(s->worker->watch)) {
		port_tx_meta(s->worker, objs, n);
		node_watch_in(s, (struct rte_mbuf **)objs, n);
	}
	if (likely(n == s->worker->n_tx_same)) {
		port_tx_run(g, node, s, objs, n, s->worker->tx_same);
		start = n;
	}
	s->worker->n_tx_same = 0;
	while (start < n) { /* runs of one port, chained or not */
		uint32_t key = port_tx_key(objs[start]);
		unsigned end = start + 1;

		while (end < n && port_tx_key(objs[end]) == key)
			end++;
		port_tx_run(g, node, s, objs + start, end - start,
			    ((const struct rte_mbuf *)objs[start])->port);
		start = end;
	}
	return n;
}
NODE_REGISTER(port_tx, "port-tx", PORT_TX, PORT_TX_VERDICTS, port_tx_process)

/* ---- drop ------------------------------------------------------------------------------------------------ */

static uint16_t drop_process(struct rte_graph *g, struct rte_node *node, void **objs, uint16_t n)
{
	struct node_slot *s = node_slot(node);

	(void)g;
	s->worker->cur_node = s->row;
	if (unlikely(s->worker->watch))
		node_watch_in(s, (struct rte_mbuf **)objs, n);
	for (unsigned i = n; i > 0;
	     i--) /* the last one first: the others of its reason then cost next to nothing */
		drop_sample_note(s->worker, objs[i - 1]);
	rte_pktmbuf_free_bulk((struct rte_mbuf **)objs, n);
	return n;
}
static struct node_desc drop_desc = { .name = "drop" };
static struct rte_node_register drop_node = {
	.name = "drop", .process = drop_process, .init = node_init, .fini = node_fini
};
static void __attribute__((constructor)) drop_ctor(void)
{
	node_desc_register(&drop_desc);
	drop_desc.id = __rte_node_register(&drop_node);
}
