/* SPDX-License-Identifier: BSD-3-Clause
 * Node express: the usual packet's short way, in one pass: what eth-input, ip4-input or ip6-input and the rewrite do
 * one after the other, for a packet with our MAC, plain headers, TTL left, and a route to a resolved neighbour (or a group
 * of them), a local SID or an SR policy.
 *
 * The rule that keeps it small and right: a packet that is in any way unusual goes to eth-input UNTOUCHED, and the full
 * nodes decide.  So express drops nothing, and what it sends on, the full nodes would have sent on with the same
 * octets; it counts in their name too.  The pipelines' tests run both ways (tests/harness.h, HX_FULL).
 *
 * In: frames from port-rx in the order of worker.rx_run, metadata not written.  Packets that go straight to port-tx get
 * none; all others leave with what the full nodes would have left there.
 * Nothing here allocates, logs or makes a system call.
 * This file is compiled once for each level of CPU (EXPRESS_PROCESS is the function's name there); express.c chooses.
 * Spec: RFC 1812 5.2, 5.3 (IPv4), RFC 8200 3 (IPv6). */
#include "pipelines/express/express_levels.h"
#include "pipelines/express/express_rows.h"
#include "pipelines/l2/demux.h"
#include "pipelines/l2/eth_input.h"

/* ---- lanes and ports -------------------------------------------------------------------------------------------- */

static inline const struct demux *port_demux(const struct express_run *r)
{
	return &demux[r->port & (WORKER_PORTS_MAX - 1)];
}

/* Packets of a port begin, of which observers want to know. */
static __rte_noinline void marks_enter(struct express_run *r, const struct rx_run *x)
{
	r->marking = altmark_run_begin(&r->marks, r->w, x->port, x->tsc);
}

static __rte_noinline void marks_leave(struct express_run *r)
{
	altmark_run_end(&r->marks);
	r->marking = false;
}

/* The next packets came from another port. */
static __rte_noinline void port_enter(struct express_run *r)
{
	const struct rx_run *x = &r->w->rx_run[r->run++];
	uint16_t id;

	if (unlikely(r->marking))
		marks_leave(r);
	if (unlikely(x->observe))
		marks_enter(r, x);

	r->left = x->n;
	r->port = x->port;
	r->now = x->tsc;
	id = port_demux(r)->untagged;
	lane_enter(r, id != 0 ? iface_get(id) : NULL);
}

/* A frame that the lane's patterns do not fit: of another interface of the port, or unusual.  Enters the lane of its
 * interface.  Returns the family (4, 6) and the length of its L2 header; 0: unusual. */
static __rte_noinline unsigned other_lane(struct express_run *r, const struct rte_mbuf *m,
					  unsigned *ret_off)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	uint16_t type, id = demux_frame(port_demux(r), p, m->data_len, ret_off, &type);
	const struct iface *in;
	uint64_t dst;

	in = id == 0 || id == UINT16_MAX ? NULL : iface_get(id);
	memcpy(&dst, p, 8);
	if (in == NULL || !in->plain || (dst ^ in->mac48) << 16 != 0)
		return 0;
	if (in != r->lane.in)
		lane_enter(r, in);
	if (r->lane.in == NULL)
		return 0;
	p += *ret_off;
	return type == ETHTYPE_IP6 && p[0] >> 4 == 6 ? 6 :
	       type == ETHTYPE_IP4 && p[0] == 0x45   ? 4 :
						       0;
}

/* ---- one packet ------------------------------------------------------------------------------------------------- */

static __rte_always_inline rte_edge_t one6(struct express_run *r, struct rte_mbuf *m, unsigned i,
					   uint8_t *h, unsigned off)
{
	unsigned total = 40u + wire_get16(h + IP6_OFF_PAYLOAD_LEN);
	uint32_t word = 0;

	if (unlikely(!usual6(h, total + off, m->data_len)) || !lane_table(r, true))
		return EXPRESS_FULL;
	if (likely(r->fwd.cache->rest == 0))
		word = table_probe(r, &r->lane.six, h + 24, true);
	return likely(word != 0) ? send(r, m, h, off, total, word, true) :
				   wait_for_lookup(r, i, off, total, true);
}

static __rte_always_inline rte_edge_t one4(struct express_run *r, struct rte_mbuf *m, unsigned i,
					   uint8_t *h, unsigned off)
{
	unsigned total = wire_get16(h + 2);
	uint32_t word;

	if (unlikely(total < 20 || !usual4(h, total + off, m->data_len)) || !lane_table(r, false))
		return EXPRESS_FULL;
	word = table_probe(r, &r->lane.four, h + 16, false);
	return likely(word != 0) ? send(r, m, h, off, total, word, false) :
				   wait_for_lookup(r, i, off, total, false);
}

static __rte_noinline rte_edge_t one_other(struct express_run *r, struct rte_mbuf *m, unsigned i)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
	unsigned off;

	switch (other_lane(r, m, &off)) {
	case 4:
		return one4(r, m, i, p + off, off);
	case 6:
		return one6(r, m, i, p + off, off);
	default:
		return EXPRESS_FULL;
	}
}

/* ---- packets that wait for a lookup ----------------------------------------------------------------------------- */

static void lookup_run(struct express_run *r, const struct iface *in, const uint8_t *const *key,
		       uint32_t *word, unsigned n, bool v6)
{
	const struct fib *fib = v6 ? ip_fib6(in->vrf) : ip_fib4(in->vrf);

	if (unlikely(fib == NULL))
		memset(word, 0, n * sizeof(word[0]));
	else if (v6)
		fwd_lookup6(&r->fwd, fib, key, word, n);
	else
		fwd_lookup4(&r->fwd, fib, key, word, n);
}

static __rte_noinline void lookup_and_send(struct express_run *r, struct rte_mbuf **m,
					   rte_edge_t *verdict, bool v6)
{
	const struct wait *x = r->wait[v6];
	const struct iface *was = r->lane.in;
	const uint8_t *key[NODE_CHUNK_WIDE];
	uint32_t word[NODE_CHUNK_WIDE];
	unsigned n = r->n_wait[v6], from = 0;

	for (unsigned k = 0; k < n; k++)
		key[k] = rte_pktmbuf_mtod_offset(m[x[k].who], const uint8_t *,
						 x[k].off + (v6 ? 24 : 16));
	for (unsigned k = 1; k <= n; k++) {
		if (k < n && x[k].in == x[from].in)
			continue;
		lookup_run(r, x[from].in, key + from, word + from, k - from, v6);
		from = k;
	}
	for (unsigned k = 0; k < n; k++) {
		struct rte_mbuf *p = m[x[k].who];
		uint8_t *h = rte_pktmbuf_mtod_offset(p, uint8_t *, x[k].off);

		if (x[k].in != r->lane.in)
			lane_enter(r, x[k].in);
		verdict[x[k].who] = unlikely(word[k] == 0 || !lane_table(r, v6)) ?
					    EXPRESS_FULL :
					    send(r, p, h, x[k].off, x[k].len, word[k], v6);
	}
	if (r->lane.in != was)
		lane_enter(r, was);
	r->n_wait[v6] = 0;
}

/* ---- the node --------------------------------------------------------------------------------------------------- */

/* Metadata for those that go to eth-input.  first: run of the chunk's first packet, done: packets of it before. */
static __rte_noinline void to_full(struct express_run *r, struct rte_mbuf **m, unsigned n,
				   const rte_edge_t *verdict, unsigned first, unsigned done)
{
	const struct rx_run *x = &r->w->rx_run[first];

	for (unsigned i = 0; i < n; i++, done++) {
		if (done == x->n) {
			x++;
			done = 0;
		}
		if (verdict[i] == EXPRESS_FULL)
			*meta(m[i]) = (struct hd_meta){ .rx_tsc = x->tsc, .port = x->port };
	}
}

/* Packets from .. to - 1 of the chunk, which came from one port. */
static __rte_always_inline void one_run(struct express_run *r, struct rte_mbuf **m,
					rte_edge_t *verdict, unsigned from, unsigned to)
{
	const __m128i mask4 = ETH_MASK4, mask6 = ETH_MASK6;
	unsigned tried = from; /* up to here eight at once did not do */

	for (unsigned i = from; i < to; i++) {
		uint8_t *p = rte_pktmbuf_mtod(m[i], uint8_t *);
		const __m128i eth = _mm_loadu_si128((const __m128i *)(const void *)p);

		const bool v6 = same(eth, r->lane.eth6, mask6);
		const bool own = (v6 || same(eth, r->lane.eth4, mask4)) && likely(r->lane.untagged);
		const bool whole = likely(m[i]->nb_segs == 1);

		if (own && whole && i >= tried) {
			unsigned done = v6 ? eight6(r, m, verdict, i, to) :
					     eight4(r, m, verdict, i, to);

			tried = done + EIGHT;
			if (done > i) {
				i = done - 1;
				continue;
			}
		}
		if (unlikely(r->marking))
			altmark_observe_one(&r->marks, m[i]);
		if (unlikely(!whole))
			verdict[i] = EXPRESS_FULL;
		else if (own)
			verdict[i] = v6 ? one6(r, m[i], i, p + 14, 14) :
					  one4(r, m[i], i, p + 14, 14);
		else
			verdict[i] = one_other(r, m[i], i);
	}
}

static void express_chunk(struct rte_mbuf **m, unsigned n, rte_edge_t *verdict, void *arg)
{
	struct express_run *r = arg;
	unsigned first, done;

	if (r->left == 0)
		port_enter(r);
	first = r->run - 1;
	done = r->w->rx_run[first].n - r->left;
	for (unsigned i = 0; i < RTE_MIN(n, 8u); i++)
		rte_prefetch0(rte_pktmbuf_mtod(m[i], void *));
	for (unsigned i = 0, end; i < n; i = end) {
		if (r->left == 0)
			port_enter(r);
		end = RTE_MIN(n, i + r->left);
		r->left -= end - i;
		one_run(r, m, verdict, i, end);
	}
	if (unlikely(r->n_wait[0] != 0))
		lookup_and_send(r, m, verdict, false);
	if (unlikely(r->n_wait[1] != 0))
		lookup_and_send(r, m, verdict, true);
	if (unlikely(!node_all_equal(verdict, n, EXPRESS_FORWARD)))
		to_full(r, m, n, verdict, first, done);
}

/* Count in the name of the nodes whose work this was. */
static uint64_t *counters_of(const char *node, const struct worker *w)
{
	const struct node_desc *d = node_desc_find(node);

	return d != NULL && d->vec >= 0 ? stats_slice(d->vec, w->id) : NULL;
}

/* What did not happen touches no memory: all these lie in lines of their own. */
static inline void count_some(uint64_t *c, uint32_t n)
{
	if (n != 0)
		*c += n;
}

static void count_nodes(const struct express_run *r)
{
	struct ip_worker *s = &ip_workers[r->w->id];

	uint64_t *const *c = s->count;
	uint32_t done[] = { r->n_forward[0] + r->n_policy[0] + r->n_forward[1] + r->n_policy[1] +
				    r->n_sid,
			    r->n_forward[0] + r->n_policy[0] + r->n_decap[0],
			    r->n_forward[1] + r->n_policy[1] + r->n_sid + r->n_decap[1],
			    r->n_advance + r->n_cross + r->n_decap[0] + r->n_decap[1],
			    r->n_encap[0] + r->n_encap[1] };

	if (unlikely(c[0] == NULL)) {
		static const char *const name[] = { "eth-input", "ip4-input", "ip6-input",
						    "srv6-endpoint", "srv6-encap" };

		for (unsigned i = 0; i < RTE_DIM(name); i++) {
			s->node[i] = rte_graph_node_get_by_name(r->w->graph->name, name[i]);
			s->count[i] = counters_of(name[i], r->w);
		}
	}
	for (unsigned i = 0; i < RTE_DIM(done); i++) {
		if (done[i] != 0) /* packets led on are packets got, in every node */
			node_slot(s->node[i])->elsewhere += done[i];
	}
	count_some(&c[0][ETH_INPUT_IP4], r->n_forward[0] + r->n_policy[0]);
	count_some(&c[0][ETH_INPUT_IP6], r->n_forward[1] + r->n_policy[1] + r->n_sid);
	count_some(&c[1][FWD_FORWARD], r->n_forward[0] + r->n_decap[0]);
	count_some(&c[1][FWD_POLICY], r->n_policy[0]);
	count_some(&c[2][FWD_FORWARD], r->n_forward[1] + r->n_decap[1]);
	count_some(&c[2][FWD_POLICY], r->n_policy[1]);
	count_some(&c[2][FWD_SID], r->n_sid);
	count_some(&c[3][SRV6_EP_FORWARD], r->n_advance);
	count_some(&c[3][SRV6_EP_CROSS_CONNECT], r->n_cross);
	count_some(&c[3][SRV6_EP_DECAP4], r->n_decap[0]);
	count_some(&c[3][SRV6_EP_DECAP6], r->n_decap[1]);
	count_some(&c[4][SRV6_EN_FORWARD], r->n_encap[0] + r->n_encap[1]);
}

uint16_t EXPRESS_PROCESS(struct rte_graph *g, struct rte_node *node, void **objs, uint16_t n)
{
	struct express_run r;

	r.w = node_worker(node);
	r.fwd = fwd_begin(r.w);
	r.adj = adj_slots->slot;
	r.sid_count = srv6_sid_counts[r.w->id];
	r.policy_count = srv6_policy_counts[r.w->id];
	r.list_count = srv6_seglist_counts[r.w->id];
	r.lane.in = NULL;
	r.inner[0].vrf = r.inner[1].vrf = r.outer.vrf = UINT32_MAX;
	r.run = r.left = 0;
	r.marking = false;
	r.n_wait[0] = r.n_wait[1] = 0;
	memset(r.n_forward, 0, sizeof(r) - offsetof(struct express_run, n_forward));
	r.all_ports = UINT16_MAX;
	node_run_unwatched(g, node, objs, n, express_chunk, &r);
	if (r.n_sent == n && r.all_ports == r.any_ports) {
		r.w->n_tx_same = n;
		r.w->tx_same = r.any_ports;
	}
	lane_count(&r);
	count_nodes(&r);
	if (unlikely(r.marking))
		marks_leave(&r);
	return n;
}
