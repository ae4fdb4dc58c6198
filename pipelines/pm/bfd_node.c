/* SPDX-License-Identifier: BSD-3-Clause
 * Nodes of BFD.  bfd-receive gets packets of its UDP ports from ip-local, judges them, and hands them to the
 * worker that owns the session; bfd-send is a source: it takes those in, sends what is due, and gives up peers
 * that are silent. Nothing here allocates but packet buffers, logs or makes a system call.
 * Spec: RFC 5880, RFC 5881 (one hop), RFC 5883 (several). */
#include <string.h>

#include <rte_cycles.h>
#include <rte_ring_elem.h>

#include "dataplane/node.h"
#include "dataplane/punt.h"
#include "dataplane/wallclock.h"
#include "pipelines/ip/ip.h"
#include "pipelines/pm/bfd_table.h"
#include "pipelines/pm/datagram.h"

/* ---- bfd-receive ----------------------------------------------------------------------------------------------- */

#define BFD_RECEIVE_VERDICTS(V, P)                                                                     \
	V(P, TAKEN, "drop", INFO, "control packet taken in (RFC 5880 6.8.6): nothing is wrong")        \
	V(P, NO_SESSION, "drop", WARN,                                                                 \
	  "no session of this discriminator or these addresses (RFC 5880 6.8.6): configure it, "       \
	  "and look at the address the peer sends from")                                               \
	V(P, TTL, "drop", WARN,                                                                        \
	  "TTL or hop limit is not 255, or below the session's minimum-ttl (RFC 5881 5): is the peer " \
	  "as many hops away as configured?")                                                          \
	V(P, WRONG_LINK, "drop", WARN,                                                                 \
	  "not on the session's interface (RFC 5881 3): look at the cabling, or leave interface out")  \
	V(P, VERSION, "drop", WARN, "version is not 1 (RFC 5880 6.8.6): look at the sender")           \
	V(P, AUTHENTICATED, "drop", WARN,                                                              \
	  "authenticated, and no session here is (RFC 5880 6.8.6): switch it off at the peer")         \
	V(P, MALFORMED, "drop", ERROR,                                                                 \
	  "a field that must not be zero (RFC 5880 6.8.6): look at the sender")                        \
	V(P, BAD_CHECKSUM, "drop", ERROR,                                                              \
	  "UDP checksum is wrong (RFC 768, RFC 8200 8.1): the packet was damaged on its way")          \
	V(P, TRUNCATED, "drop", ERROR,                                                                 \
	  "shorter than its length fields say (RFC 5880 6.8.6): look at the sender")                   \
	V(P, HEADER_SPLIT, "drop", ERROR, "not in one buffer segment: raise --mbuf-room")              \
	V(P, HANDOFF_FULL, "drop", WARN,                                                               \
	  "the worker of its session does not keep up: see heddle show workers")
NODE_VERDICTS(bfd_receive, BFD_RECEIVE, BFD_RECEIVE_VERDICTS)

static int parse_verdict(int rc)
{
	switch (rc) {
	case -EPROTONOSUPPORT:
		return BFD_RECEIVE_VERSION;
	case -EKEYREJECTED:
		return BFD_RECEIVE_AUTHENTICATED;
	case -EBADMSG:
		return BFD_RECEIVE_TRUNCATED;
	default:
		return BFD_RECEIVE_MALFORMED;
	}
}

static rte_edge_t receive_one(struct rte_mbuf *m, void *arg)
{
	const struct worker *w = arg;
	struct bfd_handed h = { .tsc = meta(m)->rx_tsc };
	const struct bfd_entry *e;
	struct datagram p;
	bool multihop;
	int rc = datagram_read(m, &p);

	if (rc < 0)
		return DATAGRAM_VERDICT(BFD_RECEIVE, rc);
	rc = bfd_parse(p.payload, p.len, &h.packet);
	if (rc < 0)
		return (rte_edge_t)parse_verdict(rc);
	multihop = p.udp.dst_port == BFD_PORT_MULTIHOP;
	if (!multihop && p.ttl != 255)
		return BFD_RECEIVE_TTL;
	e = bfd_find(h.packet.your_discr, p.family, multihop, p.dst, p.src);
	if (e == NULL)
		return BFD_RECEIVE_NO_SESSION;
	meta(m)->object = e->id;
	if (multihop && p.ttl < e->min_ttl)
		return BFD_RECEIVE_TTL;
	if (!multihop && e->iface != 0 && e->iface != meta(m)->iface)
		return BFD_RECEIVE_WRONG_LINK;
	if (unlikely(w->explain != NULL))
		return BFD_RECEIVE_TAKEN;
	h.id = e->id;
	return rte_ring_mp_enqueue_elem(bfd_workers[bfd_owner(e->id)]->packets, &h, sizeof(h)) ==
			       0 ?
		       BFD_RECEIVE_TAKEN :
		       BFD_RECEIVE_HANDOFF_FULL;
}

static uint16_t bfd_receive_process(struct rte_graph *g, struct rte_node *node, void **objs,
				    uint16_t n)
{
	return node_run(g, node, objs, n, receive_one, node_worker(node));
}
NODE_REGISTER(bfd_receive, "bfd-receive", BFD_RECEIVE, BFD_RECEIVE_VERDICTS, bfd_receive_process)

/* ---- bfd-send -------------------------------------------------------------------------------------------------- */

#define BFD_SEND_VERDICTS(V, P)                                                 \
	V(P, SENT4, "ip4-lookup", INFO, "control packet sent (RFC 5880 6.8.7)") \
	V(P, SENT6, "ip6-lookup", INFO, "control packet sent (RFC 5880 6.8.7)") \
	V(P, EVENT, "punt", INFO, "a session came up or went down")
NODE_VERDICTS(bfd_send, BFD_SEND, BFD_SEND_VERDICTS)

#define SEND_BURST 64u

struct bfd_run {
	struct rte_graph *graph;
	struct rte_node *node;
	struct node_slot *slot;
	struct bfd_worker *bw;
	uint64_t now, hz;
	struct rte_mbuf *m[3][2 * SEND_BURST]; /* by verdict */
	unsigned n[3];
};

static uint64_t ticks(const struct bfd_run *r, uint32_t us)
{
	return us * r->hz / 1000000u;
}

static struct rte_mbuf *make(struct bfd_run *r, unsigned verdict)
{
	return r->n[verdict] < 2 * SEND_BURST ? rte_pktmbuf_alloc(packet_pool()) : NULL;
}

/* Told of what changed; without a buffer the control process reads it from the session's state. */
static void changed(struct bfd_run *r, const struct bfd_entry *e)
{
	struct bfd_live *l = e->live;
	struct hd_api_bfd_event ev = { .session_id = e->id,
				       .state = l->s.state,
				       .diag = l->s.diag,
				       .time_ns = wallclock_at(wallclock_get(), r->now) };
	struct rte_mbuf *m;
	char *at;

	l->change_ns = ev.time_ns;
	if (l->s.state == BFD_INIT)
		return;
	l->ups += l->s.state == BFD_UP;
	l->downs += l->s.state != BFD_UP;
	m = make(r, BFD_SEND_EVENT);
	at = m != NULL ? rte_pktmbuf_append(m, sizeof(ev)) : NULL;
	if (at == NULL) {
		rte_pktmbuf_free(m);
		return;
	}
	memcpy(at, &ev, sizeof(ev));
	*meta(m) = (struct hd_meta){ .rx_tsc = r->now,
				     .flags = META_F_LOCAL,
				     .punt = (uint8_t)bfd_punt_event };
	r->m[BFD_SEND_EVENT][r->n[BFD_SEND_EVENT]++] = m;
}

static void send_packet(struct bfd_run *r, const struct bfd_entry *e)
{
	unsigned verdict = e->family == 4 ? BFD_SEND_SENT4 : BFD_SEND_SENT6;
	struct rte_mbuf *m = make(r, verdict);
	uint8_t *p = m != NULL ? (uint8_t *)rte_pktmbuf_append(m, e->len) : NULL;
	struct bfd_packet b;

	if (p == NULL) {
		rte_pktmbuf_free(m);
		return;
	}
	memcpy(p, e->packet, e->len);
	bfd_make(&e->live->s, &e->conf, &b);
	bfd_build(p + e->udp_off + sizeof(struct udp_hdr), &b);
	udp_csum_set((struct udp_hdr *)(p + e->udp_off), e->pseudo);
	*meta(m) = (struct hd_meta){ .rx_tsc = r->now,
				     .flags = META_F_LOCAL,
				     .vrf = (uint16_t)e->vrf,
				     .iface = (uint16_t)e->iface,
				     .object = e->id };
	r->m[verdict][r->n[verdict]++] = m;
	e->live->sent++;
}

static void arm_no_later(struct bfd_worker *bw, uint32_t entry, uint64_t due)
{
	if (bw->entry[entry].armed && bw->entry[entry].due <= due)
		return;
	wheel_disarm(&bw->wheel, entry);
	if (!bw->entry[entry].armed)
		wheel_arm(&bw->wheel, entry, due);
}

static void take_packet(struct bfd_run *r, const struct bfd_handed *h)
{
	const struct bfd_entry *e = bfd_get(h->id);
	struct bfd_live *l;
	bool change;

	if (e == NULL)
		return;
	l = e->live;
	l->received++;
	change = bfd_receive(&l->s, &e->conf, &h->packet);
	l->deadline = h->tsc + ticks(r, bfd_detect_us(&l->s));
	arm_no_later(r->bw, 2 * e->id + 1, l->deadline);
	if (change)
		changed(r, e);
	/* a poll is answered at once, and what has changed need not wait (6.5, 6.8.7) */
	if (l->s.final || change)
		send_packet(r, e);
	/* sending begins again (demand mode, a passive session that was spoken to), or becomes faster */
	if (bfd_interval_us(&l->s, &e->conf) != 0)
		arm_no_later(r->bw, 2 * e->id,
			     r->now + ticks(r, bfd_jitter_us(bfd_interval_us(&l->s, &e->conf),
							     e->conf.mult, r->bw->random)));
}

static void fire_send(struct bfd_run *r, const struct bfd_entry *e)
{
	struct bfd_worker *bw = r->bw;
	uint32_t interval;

	interval = bfd_interval_us(&e->live->s, &e->conf);
	if (interval == 0)
		return; /* armed again by what it waits for */
	bw->random = bw->random * 1664525u + 1013904223u;
	wheel_arm(&bw->wheel, 2 * e->id,
		  r->now + ticks(r, bfd_jitter_us(interval, e->conf.mult, bw->random >> 8)));
	send_packet(r, e);
}

static void fire_detect(struct bfd_run *r, const struct bfd_entry *e)
{
	struct bfd_live *l = e->live;

	if (l->deadline > r->now) {
		wheel_arm(&r->bw->wheel, 2 * e->id + 1, l->deadline);
		return;
	}
	l->deadline = 0;
	if (bfd_expire(&l->s, &e->conf)) {
		changed(r, e);
		send_packet(r, e);
	}
}

/* New sessions and settings.  The first packet's moment is random: not all at once. */
static void take_changes(struct bfd_run *r)
{
	void *obj;

	while (rte_ring_sc_dequeue(r->bw->changed, &obj) == 0) {
		const struct bfd_entry *e = bfd_get((uint32_t)(uintptr_t)obj);

		if (e == NULL)
			continue;
		if (!e->live->begun)
			bfd_init(&e->live->s, &e->conf);
		else if (bfd_follow(&e->live->s, &e->conf))
			changed(r, e);
		e->live->begun = true;
		r->bw->random = r->bw->random * 1664525u + 1013904223u;
		arm_no_later(r->bw, 2 * e->id, r->now + ticks(r, (r->bw->random >> 8) % 100000));
	}
}

static void take_packets(struct bfd_run *r)
{
	struct bfd_handed h;

	for (unsigned i = 0; i < SEND_BURST; i++) {
		if (rte_ring_sc_dequeue_elem(r->bw->packets, &h, sizeof(h)) != 0)
			return;
		take_packet(r, &h);
	}
}

static uint16_t run_flush(struct bfd_run *r)
{
	unsigned total = 0;

	for (unsigned v = 0; v < 3; v++) {
		if (r->n[v] == 0)
			continue;
		if (unlikely(r->slot->worker->watch))
			node_watch_in(r->slot, r->m[v], r->n[v]);
		node_run_flush(r->graph, r->node, r->slot, (void **)r->m[v], 0, r->n[v],
			       (rte_edge_t)v);
		total += r->n[v];
	}
	return (uint16_t)total;
}

static uint16_t bfd_send_process(struct rte_graph *g, struct rte_node *node, void **objs,
				 uint16_t n)
{
	struct worker *w = node_worker(node);
	struct bfd_worker *bw = bfd_workers[w->id];
	uint32_t due[SEND_BURST];
	struct bfd_run r;
	unsigned n_due;

	(void)objs;
	(void)n;
	if (unlikely(w->explain != NULL))
		return 0;
	if (likely(__atomic_load_n(&bfd_n_sessions, __ATOMIC_RELAXED) == 0)) {
		w->wake[WAKE_BFD] = 0;
		return 0;
	}
	r.now = rte_rdtsc();
	if (r.now < bw->wheel.next && rte_ring_empty(bw->changed) && rte_ring_empty(bw->packets))
		return 0;
	r.graph = g;
	r.node = node;
	r.slot = node_slot(node);
	r.bw = bw;
	r.hz = rte_get_tsc_hz();
	memset(r.n, 0, sizeof(r.n));
	w->cur_node = r.slot->row;
	take_changes(&r);
	take_packets(&r);
	n_due = wheel_take(&bw->wheel, r.now, due, SEND_BURST);
	for (unsigned i = 0; i < n_due; i++) {
		const struct bfd_entry *e = bfd_get(due[i] / 2);

		if (e == NULL || !e->live->begun) /* gone; not armed again */
			continue;
		if (due[i] % 2 == 0)
			fire_send(&r, e);
		else
			fire_detect(&r, e);
	}
	w->wake[WAKE_BFD] = bw->wheel.next != UINT64_MAX ? bw->wheel.next : 0;
	n_due = run_flush(&r);
	w->rx_count += n_due;
	return (uint16_t)n_due;
}
NODE_REGISTER_FLAGS(bfd_send, "bfd-send", BFD_SEND, BFD_SEND_VERDICTS, bfd_send_process,
		    RTE_NODE_SOURCE_F)
