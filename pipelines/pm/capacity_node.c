/* SPDX-License-Identifier: BSD-3-Clause
 * Nodes of IP-layer capacity.  capacity-receive gets datagrams from ip-local by UDP port, of both roles, and judges
 * them; load packets are counted there when they meet the worker of their test.  capacity-send is a source: load at its
 * rate, feedback at its interval, and what other workers handed over.
 * Nothing here allocates but packet buffers, logs or makes a system call.
 * Spec: RFC 9097; the messages are our own (docs/pm-capacity.md). */
#include <string.h>

#include <rte_cycles.h>
#include <rte_ring_elem.h>

#include "dataplane/punt.h"
#include "pipelines/ip/ip.h"
#include "pipelines/pm/capacity.h"

/* ---- both nodes ------------------------------------------------------------------------------------------------ */

uint64_t capacity_ns(uint64_t tsc)
{
	static uint64_t mult; /* ns per cycle in 2^-32; the same whoever writes it */

	if (unlikely(mult == 0))
		mult = (uint64_t)(1e9 / (double)rte_get_tsc_hz() * 4294967296.0);
	return (uint64_t)(((unsigned __int128)tsc * mult) >> 32);
}

uint64_t capacity_ticks(uint64_t ns)
{
	return (uint64_t)((double)ns * ((double)rte_get_tsc_hz() / 1e9));
}

static_assert(CAPACITY_HMAC_LEN == HMAC_SHA256_128_LEN, "");

bool capacity_signed(const struct hmac_key *key, const struct capacity_msg *m, const uint8_t *p)
{
	unsigned body = capacity_body_len(m->type);

	if ((m->flags & CAPACITY_F_SIGNED) == 0 || key == NULL)
		return (m->flags & CAPACITY_F_SIGNED) == 0 && key == NULL;
	return hmac_sha256_128_is(key, &(struct hmac_part){ p, body }, 1, p + body);
}

bool capacity_emit(struct capacity_run *r, const struct sender_packet *p, struct capacity_msg *m,
		   const struct hmac_key *key, uint16_t vrf)
{
	unsigned six = p->family == 6, body;
	struct rte_mbuf *b = r->n[six] < CAPACITY_BURST ? rte_pktmbuf_alloc(packet_pool()) : NULL;
	uint8_t *data;

	if (b == NULL)
		return false;
	data = (uint8_t *)rte_pktmbuf_append(b, p->len);
	if (data == NULL) {
		rte_pktmbuf_free(b);
		return false;
	}
	memcpy(data, p->data, p->len);
	m->length = p->payload_len;
	m->flags = key != NULL ? CAPACITY_F_SIGNED : 0;
	body = capacity_build(data + p->payload, m);
	if (key != NULL)
		hmac_sha256_128(key, &(struct hmac_part){ data + p->payload, body }, 1,
				data + p->payload + body);
	sender_packet_sum(p, data,
			  hd_csum_add(p->sum, data + p->payload, body + CAPACITY_HMAC_LEN));
	*meta(b) = (struct hd_meta){ .rx_tsc = r->now, .flags = META_F_LOCAL, .vrf = vrf };
	r->m[six][r->n[six]++] = b;
	return true;
}

/* ---- capacity-receive ------------------------------------------------------------------------------------------ */

#define CAPACITY_RECEIVE_VERDICTS(V, P)                                                             \
	V(P, COUNTED, "drop", INFO, "load packet counted (RFC 9097 8.1): nothing is wrong")         \
	V(P, HANDED, "drop", INFO, "message handed to the worker of its test: nothing is wrong")    \
	V(P, NO_TEST, "drop", INFO,                                                                 \
	  "of no test that runs: one that has ended, or somebody guesses")                          \
	V(P, SOURCE, "drop", WARN,                                                                  \
	  "a request from outside allowed-source: configure it, if it may ask")                     \
	V(P, BAD_HMAC, "drop", ERROR,                                                               \
	  "HMAC is wrong, missing or not wanted: do both ends have the same key?")                  \
	V(P, RATE, "drop", WARN,                                                                    \
	  "load above the rate that was granted: does the sender keep to its table (RFC 9097 10)?") \
	V(P, VERSION, "drop", WARN, "no capacity message of version 1: what sends to this port?")   \
	V(P, BAD_CHECKSUM, "drop", ERROR,                                                           \
	  "UDP checksum is wrong (RFC 768, RFC 8200 8.1): the packet was damaged on its way")       \
	V(P, TRUNCATED, "drop", ERROR,                                                              \
	  "shorter than its length fields or its type say: look at the sender")                     \
	V(P, HEADER_SPLIT, "drop", ERROR, "not in one buffer segment: raise --mbuf-room")           \
	V(P, HANDOFF_FULL, "drop", WARN,                                                            \
	  "the worker of its test does not keep up: place queues anew, heddle show workers")
NODE_VERDICTS(capacity_receive, CAPACITY_RECEIVE, CAPACITY_RECEIVE_VERDICTS)

static void handed_make(struct capacity_handed *h, struct rte_mbuf *m, const struct datagram *d)
{
	const uint8_t *ip = rte_pktmbuf_mtod(m, const uint8_t *);
	unsigned n = d->family == 4 ? 4 : 16;

	h->tsc = meta(m)->rx_tsc;
	h->vrf = meta(m)->vrf;
	h->family = d->family;
	h->octets = d->family == 4 ? wire_get16(ip + 2) : 40u + wire_get16(ip + 4);
	h->dscp = d->family == 4 ? ip[1] >> 2 : (uint8_t)(wire_get16(ip) >> 6 & 63);
	h->sport = d->udp.src_port;
	h->dport = d->udp.dst_port;
	memset(h->src, 0, sizeof(h->src));
	memset(h->dst, 0, sizeof(h->dst));
	memcpy(h->src, d->src, n);
	memcpy(h->dst, d->dst, n);
}

static rte_edge_t hand_over(uint32_t worker, struct capacity_handed *h)
{
	return rte_ring_mp_enqueue_elem(capacity_rings[worker], h, sizeof(*h)) == 0 ?
		       CAPACITY_RECEIVE_HANDED :
		       CAPACITY_RECEIVE_HANDOFF_FULL;
}

/* For the test that is sent from here. */
static rte_edge_t receive_answer(const struct worker *w, const struct capacity_test *t,
				 struct rte_mbuf *m, const struct datagram *d,
				 struct capacity_handed *h)
{
	if (!capacity_test_runs(t) || !capacity_test_belongs(t, d, &h->msg))
		return CAPACITY_RECEIVE_NO_TEST;
	if (!capacity_signed(t->has_key ? &t->key : NULL, &h->msg, d->payload))
		return CAPACITY_RECEIVE_BAD_HMAC;
	if (unlikely(w->explain != NULL))
		return CAPACITY_RECEIVE_HANDED;
	handed_make(h, m, d);
	return hand_over(CAPACITY_TEST_OWNER, h);
}

/* The worker of the test that is served; whose request comes first becomes it. */
static uint32_t served_owner(const struct worker *w, uint8_t type)
{
	int32_t owner = __atomic_load_n(&capacity_served.owner, __ATOMIC_ACQUIRE);

	if (owner >= 0 || type != CAPACITY_REQUEST)
		return (uint32_t)owner;
	if (__atomic_compare_exchange_n(&capacity_served.owner, &owner, (int32_t)w->id, false,
					__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		capacity_served.heard = rte_rdtsc();
		return w->id;
	}
	return (uint32_t)owner;
}

static rte_edge_t receive_served(const struct worker *w, const struct capacity_responder *c,
				 struct rte_mbuf *m, const struct datagram *d,
				 struct capacity_handed *h)
{
	bool request = h->msg.type == CAPACITY_REQUEST;
	uint32_t owner;

	if (!request && (__atomic_load_n(&capacity_served.owner, __ATOMIC_ACQUIRE) < 0 ||
			 !capacity_served_belongs(&h->msg, d)))
		return CAPACITY_RECEIVE_NO_TEST;
	if (request && !capacity_source_allowed(c, d))
		return CAPACITY_RECEIVE_SOURCE;
	if (!capacity_signed(c->has_key ? &c->key : NULL, &h->msg, d->payload))
		return CAPACITY_RECEIVE_BAD_HMAC;
	if (unlikely(w->explain != NULL))
		return h->msg.type == CAPACITY_LOAD ? CAPACITY_RECEIVE_COUNTED :
						      CAPACITY_RECEIVE_HANDED;
	handed_make(h, m, d);
	owner = served_owner(w, h->msg.type);
	if (owner >= dp_limits.workers)
		return CAPACITY_RECEIVE_NO_TEST; /* it has ended just now */
	if (owner != w->id || h->msg.type != CAPACITY_LOAD)
		return hand_over(owner, h);
	return capacity_served_load(h) ? CAPACITY_RECEIVE_COUNTED : CAPACITY_RECEIVE_RATE;
}

static inline rte_edge_t receive_one(struct rte_mbuf *m, void *arg)
{
	const struct worker *w = arg;
	const struct capacity_responder *c = __atomic_load_n(&capacity_responder, __ATOMIC_ACQUIRE);
	const struct capacity_test *t = __atomic_load_n(&capacity_test, __ATOMIC_ACQUIRE);
	struct capacity_handed h;
	struct datagram d;
	int rc = datagram_read(m, &d);

	if (rc < 0)
		return DATAGRAM_VERDICT(CAPACITY_RECEIVE, rc);
	rc = capacity_parse(d.payload, d.len, &h.msg);
	if (rc < 0)
		return rc == -EPROTONOSUPPORT ? CAPACITY_RECEIVE_VERSION :
						CAPACITY_RECEIVE_TRUNCATED;
	if (c != NULL && d.udp.dst_port == c->conf.udp_port)
		return receive_served(w, c, m, &d, &h);
	if (t != NULL && d.udp.dst_port == t->s.ask.path.src_port)
		return receive_answer(w, t, m, &d, &h);
	return CAPACITY_RECEIVE_NO_TEST;
}

static uint16_t capacity_receive_process(struct rte_graph *g, struct rte_node *node, void **objs,
					 uint16_t n)
{
	return node_run(g, node, objs, n, receive_one, node_worker(node));
}
NODE_REGISTER(capacity_receive, "capacity-receive", CAPACITY_RECEIVE, CAPACITY_RECEIVE_VERDICTS,
	      capacity_receive_process)

/* ---- capacity-send --------------------------------------------------------------------------------------------- */

#define CAPACITY_SEND_VERDICTS(V, P)                                                            \
	V(P, SENT4, "ip4-lookup", INFO, "load packet or message of a test sent (RFC 9097 8.1)") \
	V(P, SENT6, "ip6-lookup", INFO, "load packet or message of a test sent (RFC 9097 8.1)")
NODE_VERDICTS(capacity_send, CAPACITY_SEND, CAPACITY_SEND_VERDICTS)

static void take_handed(struct capacity_run *r, uint32_t worker, struct capacity_test *t,
			const struct capacity_responder *c, bool serves)
{
	struct capacity_handed h;

	for (unsigned i = 0; i < CAPACITY_BURST; i++) {
		if (rte_ring_sc_dequeue_elem(capacity_rings[worker], &h, sizeof(h)) != 0)
			return;
		if (h.msg.type == CAPACITY_ACCEPT || h.msg.type == CAPACITY_FEEDBACK) {
			if (worker == CAPACITY_TEST_OWNER && capacity_test_runs(t))
				capacity_test_take(t, r, &h);
		} else if (serves && c != NULL) {
			capacity_served_take(c, r, &h);
		}
	}
}

static uint16_t flush(struct capacity_run *r)
{
	for (unsigned six = 0; six < 2; six++) {
		if (r->n[six] == 0)
			continue;
		if (unlikely(r->slot->worker->watch))
			node_watch_in(r->slot, r->m[six], r->n[six]);
		node_run_flush(r->graph, r->node, r->slot, (void **)r->m[six], 0, r->n[six],
			       six ? CAPACITY_SEND_SENT6 : CAPACITY_SEND_SENT4);
	}
	return (uint16_t)(r->n[0] + r->n[1]);
}

static uint16_t capacity_send_process(struct rte_graph *g, struct rte_node *node, void **objs,
				      uint16_t n)
{
	struct worker *w = node_worker(node);
	struct capacity_test *t = __atomic_load_n(&capacity_test, __ATOMIC_ACQUIRE);
	bool sends = w->id == CAPACITY_TEST_OWNER && capacity_test_runs(t),
	     serves = __atomic_load_n(&capacity_served.owner, __ATOMIC_ACQUIRE) == (int32_t)w->id;
	uint64_t next[2] = { UINT64_MAX, UINT64_MAX };

	(void)objs;
	(void)n;
	if (unlikely(w->explain != NULL))
		return 0;
	if (likely(!sends && !serves)) {
		w->wake[WAKE_CAPACITY] = 0;
		return 0;
	}
	struct capacity_run r = {
		.graph = g, .node = node, .slot = node_slot(node), .now = rte_rdtsc()
	};
	const struct capacity_responder *c = __atomic_load_n(&capacity_responder, __ATOMIC_ACQUIRE);
	w->cur_node = r.slot->row;
	take_handed(&r, w->id, t, c, serves);
	if (serves)
		next[0] = capacity_served_run(c, &r);
	if (sends)
		next[1] = capacity_test_run(t, &r);
	w->wake[WAKE_CAPACITY] = next[0] < next[1] ? next[0] : next[1];
	if (w->wake[WAKE_CAPACITY] == UINT64_MAX)
		w->wake[WAKE_CAPACITY] = 0;
	n = flush(&r);
	w->rx_count += n;
	return n;
}
NODE_REGISTER_FLAGS(capacity_send, "capacity-send", CAPACITY_SEND, CAPACITY_SEND_VERDICTS,
		    capacity_send_process, RTE_NODE_SOURCE_F)
