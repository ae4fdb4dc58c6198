/* SPDX-License-Identifier: BSD-3-Clause
 * Node express: the usual packet's short way, in one pass: what eth-input, ip4-input or ip6-input and the rewrite do
 * one
 * after the other, for a packet with our MAC, plain headers, TTL left, and a route to a resolved neighbour (or a group
 * of them), a local SID or an SR policy.
 *
 * The rule that keeps it small and right: a packet that is in any way unusual goes to eth-input UNTOUCHED, and the full
 * nodes decide.  So express drops nothing, and what it sends on, the full nodes would have sent on with the same
 * octets; it counts in their name too.  The pipelines' tests run both ways (tests/harness.h, HX_FULL).
 *
 * In: frames from port-rx in the order of worker.rx_run, metadata not written.  Packets that go straight to port-tx get
 * none; all others leave with what the full nodes would have left there.
 * Nothing here allocates, logs or makes a system call.
 * Spec: RFC 1812 5.2, 5.3 (IPv4), RFC 8200 3 (IPv6). */
#include <immintrin.h>
#include <string.h>

#include "dataplane/node.h"
#include "dataplane/stats.h"
#include "pipelines/ip/flow_hash.h"
#include "pipelines/ip/ip.h"
#include "pipelines/l2/demux.h"
#include "pipelines/l2/eth_input.h"
#include "pipelines/srv6/policy.h"
#include "pipelines/srv6/sid_table.h"

#define EXPRESS_VERDICTS(V, P)                                                          \
	V(P, FULL, "eth-input", INFO, "not the usual packet: all checks, step by step") \
	V(P, FORWARD, "port-tx", INFO, "sent to a neighbour")                           \
	V(P, SID, "srv6-endpoint", INFO, "destination is a local SID (RFC 8754 4.3)")   \
	V(P, POLICY, "srv6-encap", INFO, "steered into an SR policy (RFC 9256 8)")
NODE_VERDICTS(express, EXPRESS, EXPRESS_VERDICTS)

#define LOOKUP 0xffffu /* not decided yet: needs a lookup in the table itself */

#define FAR_ROUTES 256u

/* A VRF's table of one family. */
struct table {
	uint32_t vrf; /* UINT32_MAX: none yet */
	const struct fib *fib;
	uint64_t state;         /* fib_state() */
	const uint32_t *direct; /* fib_direct() */
	bool far; /* there are so many routes that it does not lie in the nearest cache */
	unsigned shift;
};

/* What holds for all packets of one interface in a row. */
struct lane {
	const struct iface *in; /* NULL: none whose packets could be usual */
	bool untagged;          /* it takes frames without tags, and then */
	__m128i eth4, eth6;     /* these are the first 16 octets of usual ones */
	struct table four, six;
	uint64_t received; /* packets << OCTETS_BITS | octets: one sum for both */
};
#define OCTETS_BITS 40

struct express_run {
	struct fwd fwd;
	struct worker *w;
	void *const *adj; /* by index of a result word: struct adj */
	struct lane lane;
	unsigned run, left; /* in w->rx_run: which, packets of it to come */
	uint16_t port;
	uint64_t now; /* receive time of the run */
	struct table inner[2],
		outer; /* where the packets of SIDs and policies were looked up last */
	struct srv6_sid_count *sid_count;
	struct srv6_policy_count *policy_count;
	struct srv6_seglist_count *list_count;
	/* packets of this chunk that wait for a lookup; [1]: IPv6 */
	unsigned n_wait[2];
	struct wait {
		uint8_t who, off;
		uint16_t len;
		const struct iface *in;
	} wait[2][NODE_CHUNK];
	/* packets by what became of them; [1]: IPv6 */
	uint32_t n_forward[2], n_policy[2], n_sid;
	uint32_t n_advance, n_cross, n_decap[2], n_encap[2];
	uint32_t n_sent; /* to port-tx */
	uint16_t all_ports,
		any_ports; /* where to: the bits that all of them have, and those that any has */
};

/* ---- lanes ------------------------------------------------------------------------------------------------------ */

static __rte_noinline bool table_enter(struct table *t, uint32_t vrf, bool v6)
{
	unsigned bits;

	t->vrf = UINT32_MAX;
	t->fib = v6 ? ip_fib6(vrf) : ip_fib4(vrf);
	if (t->fib == NULL)
		return false;
	t->vrf = vrf;
	t->state = fib_state(t->fib);
	t->direct = fib_direct(t->fib, &bits);
	t->shift = 32 - bits;
	t->far = fib_routes(t->fib) > FAR_ROUTES;
	return true;
}

/* What is known about a destination without a walk through the table; 0: nothing. */
static __rte_always_inline uint32_t table_probe(const struct express_run *r, const struct table *t,
						const uint8_t *dst, bool v6)
{
	uint32_t word;

	if (v6)
		return fib_cache_probe6(r->fwd.cache, t->state, dst);
	if (unlikely(t->direct == NULL))
		return fib_cache_probe4(r->fwd.cache, t->state, dst);
	word = __atomic_load_n(&t->direct[wire_get32(dst) >> t->shift], __ATOMIC_ACQUIRE);
	return likely(fib_direct_is_answer(word)) ? word : 0;
}

static void lane_count(struct express_run *r)
{
	struct lane *l = &r->lane;

	if (l->in == NULL)
		return;
	r->fwd.count[l->in->id].rx_packets += l->received >> OCTETS_BITS;
	r->fwd.count[l->in->id].rx_octets += l->received & ((1ull << OCTETS_BITS) - 1);
}

static __rte_noinline void lane_enter(struct express_run *r, const struct iface *in)
{
	struct lane *l = &r->lane;

	lane_count(r);
	memset(l, 0, sizeof(*l));
	if (in == NULL || !in->plain)
		return;
	l->four.vrf = l->six.vrf =
		UINT32_MAX; /* entered when the first packet of the family comes */
	l->in = in;
	l->untagged = in->n_tags == 0;
	l->eth4 = _mm_set_epi64x(0x0045000800000000, (long long)in->mac48);
	l->eth6 = _mm_set_epi64x(0x0060dd8600000000, (long long)in->mac48);
}

static __rte_always_inline bool lane_table(struct express_run *r, bool v6)
{
	struct table *t = v6 ? &r->lane.six : &r->lane.four;

	return likely(t->vrf == r->lane.in->vrf) || table_enter(t, r->lane.in->vrf, v6);
}

static inline const struct demux *port_demux(const struct express_run *r)
{
	return &demux[r->port & (WORKER_PORTS_MAX - 1)];
}

/* The next packets came from another port. */
static __rte_noinline void port_enter(struct express_run *r)
{
	const struct rx_run *x = &r->w->rx_run[r->run++];
	uint16_t id;

	r->left = x->n;
	r->port = x->port;
	r->now = x->tsc;
	id = port_demux(r)->untagged;
	lane_enter(r, id != 0 ? iface_get(id) : NULL);
}

/* ---- what is usual ---------------------------------------------------------------------------------------------- */

/* Octets from the destination MAC to the IP version.  Source MAC and the octet behind the version: any. */
#define ETH_MASK4 _mm_set_epi64x(0x00ffffff00000000, 0x0000ffffffffffff)
#define ETH_MASK6 _mm_set_epi64x(0x00f0ffff00000000, 0x0000ffffffffffff)

static __rte_always_inline bool same(__m128i a, __m128i b, __m128i mask)
{
	return _mm_testz_si128(_mm_xor_si128(a, b), mask);
}

/* A frame that the lane's patterns do not fit: of another interface of the port, or unusual.  Enters the lane of its
 * interface.  Returns the family (4, 6) and the length of its L2 header; 0: unusual. */
static __rte_noinline unsigned other_lane(struct express_run *r, const struct rte_mbuf *m,
					  unsigned *ret_off)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	uint16_t type = wire_get16(p + 12), id = port_demux(r)->untagged;
	const struct iface *in;
	uint64_t dst;

	*ret_off = 14;
	if (ethtype_is_tag(type))
		id = demux_tagged(port_demux(r), p, m->data_len, ret_off, &type);
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

/* RFC 1812 5.2.2 and 5.3.7; version and header length are known to be usual.  total: octets of IP. */
static __rte_always_inline bool usual4(const uint8_t *h, unsigned total, unsigned room)
{
	uint64_t a, b, sum;
	uint32_t c;

	memcpy(&a, h, 8);
	memcpy(&b, h + 8, 8);
	memcpy(&c, h + 16, 4);
	sum = (a & 0xffffffff) + (a >> 32) + (b & 0xffffffff) + (b >> 32) + c;
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	/* a carry that is still to be added leaves 0x1fffe instead of 0xffff */
	return likely((sum == 0xffff || sum == 0x1fffe) && total <= room && h[8] > 1 &&
		      (uint8_t)(h[12] - 1) < 223 && h[12] != 127 && (uint8_t)(h[16] - 1) < 223 &&
		      h[16] != 127);
}

/* Global unicast 2000::/3, unique local fc00::/7. */
static inline bool plain6(uint8_t first)
{
	return (first & 0xe0) == 0x20 || (first & 0xfe) == 0xfc;
}

/* Room: octets that may belong to it.  The version is known. */
static __rte_always_inline bool usual6(const uint8_t *h, unsigned total, unsigned room)
{
#ifdef __AVX2__
	/* global unicast source and destination at one stroke, the others one by one */
	const __m256i want = _mm256_set_epi64x(0x20, 0, 0x20, 0);
	const __m256i mask = _mm256_set_epi64x(0xe0, 0, 0xe0, 0);
	__m256i front = _mm256_loadu_si256((const __m256i *)(const void *)h);
	bool global = _mm256_testz_si256(_mm256_xor_si256(front, want), mask);
#else
	bool global = false;
#endif

	return likely(total <= room && h[IP6_OFF_HOP_LIMIT] > 1 &&
		      (likely(global) || (plain6(h[8]) && plain6(h[24]))));
}

/* ---- sending ---------------------------------------------------------------------------------------------------- */

static __rte_always_inline void hop_decrement(uint8_t *h, bool v6)
{
	if (v6)
		h[IP6_OFF_HOP_LIMIT]--;
	else
		ip4_ttl_decrement((struct ip4_hdr *)h);
}

/* The adjacency of a result word, if it takes a packet of len octets that begins `at` octets into its buffer, here and
 * now. */
static __rte_always_inline const struct adj *adj_for(const struct express_run *r, uint32_t word,
						     unsigned len, unsigned at)
{
	const struct adj *a;

	if (unlikely(hd_result_kind(word) != HD_RESULT_ADJ))
		return NULL;
	a = __atomic_load_n(&r->adj[hd_result_index(word)], __ATOMIC_ACQUIRE);
	return likely(a != NULL && len <= a->max_len && at >= ADJ_HDR_ROOM) ? a : NULL;
}

/* The L2 header in front of h.  Without tags two words do, so that no other cache line is touched. */
static __rte_always_inline void header_put(uint8_t *h, const struct adj *a, bool v6)
{
	uint64_t front, back;

	if (unlikely(a->hdr_len != 14)) {
		memcpy(h - ADJ_HDR_ROOM, a->hdr, ADJ_HDR_ROOM);
		wire_put16(h - 2, v6 ? ETHTYPE_IP6 : ETHTYPE_IP4);
		return;
	}
	memcpy(&front, a->hdr + ADJ_HDR_ROOM - 14, 8);
	memcpy(&back, a->hdr + ADJ_HDR_ROOM - 8, 8);
	back = (back & 0x0000ffffffffffff) | (v6 ? 0xdd86000000000000 : 0x0008000000000000);
	memcpy(h - 14, &front, 8);
	memcpy(h - 8, &back, 8);
}

static __rte_always_inline void sent_note(struct express_run *r, uint16_t port, unsigned n)
{
	r->n_sent += n;
	r->all_ports &= port;
	r->any_ports |= port;
}

/* To port-tx: the IP packet at h, len octets, `at` octets into the buffer. */
static __rte_always_inline rte_edge_t leave(struct express_run *r, struct rte_mbuf *m,
					    const struct adj *a, uint8_t *h, unsigned at,
					    unsigned len, bool v6)
{
	struct iface_count *c = &r->fwd.count[a->iface];

	r->lane.received += (1ull << OCTETS_BITS) + m->data_len;
	header_put(h, a, v6);
	len += a->hdr_len;
	m->data_off = (uint16_t)(at - a->hdr_len);
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
	m->port = a->port;
	sent_note(r, a->port, 1);
	c->tx_packets++;
	c->tx_octets += len;
	return EXPRESS_FORWARD;
}

/* To a node that goes on with the packet: strip the L2 header, tell what is known. */
static __rte_noinline rte_edge_t to_node(struct express_run *r, struct rte_mbuf *m, unsigned off,
					 unsigned len, uint32_t word, uint8_t flags,
					 rte_edge_t edge)
{
	const struct iface *in = r->lane.in;

	r->lane.received += (1ull << OCTETS_BITS) + m->data_len;
	m->data_off = (uint16_t)(m->data_off + off);
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
	*meta(m) = (struct hd_meta){ .rx_tsc = r->now,
				     .result = word,
				     .iface = in->id,
				     .vrf = in->vrf,
				     .port = in->port,
				     .l2_len = (uint8_t)off,
				     .flags = flags };
	return edge;
}

#include "pipelines/express/express_srv6.h"

#define EXPRESS_GROUP 0xfffeu /* *word has become a member's */

/* Results other than an adjacency. */
static __rte_noinline rte_edge_t send_other(struct express_run *r, struct rte_mbuf *m, uint8_t *h,
					    unsigned off, unsigned len, uint32_t *word, bool v6)
{
	const struct nhg *g;

	switch (hd_result_kind(*word)) {
	case HD_RESULT_GROUP:
		g = nhg_get(hd_result_index(*word));
		*word = g != NULL ? nhg_select(g, ip_flow_hash_of(h, len)) : 0;
		return EXPRESS_GROUP;
	case HD_RESULT_SID:
		return v6 ? send_sid(r, m, h, off, len, *word) : EXPRESS_FULL;
	case HD_RESULT_POLICY:
		return send_policy(r, m, h, off, len, *word, v6);
	default:
		return EXPRESS_FULL;
	}
}

/* Send a packet by its result word; off: octets of L2 header, len: of IP at h. */
static __rte_always_inline rte_edge_t send(struct express_run *r, struct rte_mbuf *m, uint8_t *h,
					   unsigned off, unsigned len, uint32_t word, bool v6)
{
	unsigned at = m->data_off + off;
	const struct adj *a;

	if (unlikely(hd_result_kind(word) != HD_RESULT_ADJ)) {
		rte_edge_t edge = send_other(r, m, h, off, len, &word, v6);

		if (edge != EXPRESS_GROUP)
			return edge;
	}
	a = adj_for(r, word, len, at);
	if (unlikely(a == NULL))
		return EXPRESS_FULL;
	hop_decrement(h, v6);
	r->n_forward[v6]++;
	return leave(r, m, a, h, at, len, v6);
}

/* ---- one packet ------------------------------------------------------------------------------------------------- */

static __rte_always_inline rte_edge_t wait_for_lookup(struct express_run *r, unsigned i,
						      unsigned off, unsigned len, bool v6)
{
	r->wait[v6][r->n_wait[v6]++] = (struct wait){
		.who = (uint8_t)i, .off = (uint8_t)off, .len = (uint16_t)len, .in = r->lane.in
	};
	return LOOKUP;
}

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

#include "pipelines/express/express_eight.h"

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
	const uint8_t *key[NODE_CHUNK];
	uint32_t word[NODE_CHUNK];
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

		if (unlikely(m[i]->nb_segs != 1)) {
			verdict[i] = EXPRESS_FULL;
		} else if (same(eth, r->lane.eth6, mask6) && likely(r->lane.untagged)) {
			if (i >= tried) {
				unsigned done = eight6(r, m, verdict, i, to);

				tried = done + EIGHT;
				if (done > i) {
					i = done - 1;
					continue;
				}
			}
			verdict[i] = one6(r, m[i], i, p + 14, 14);
		} else if (same(eth, r->lane.eth4, mask4) && likely(r->lane.untagged)) {
			if (i >= tried) {
				unsigned done = eight4(r, m, verdict, i, to);

				tried = done + EIGHT;
				if (done > i) {
					i = done - 1;
					continue;
				}
			}
			verdict[i] = one4(r, m[i], i, p + 14, 14);
		} else {
			verdict[i] = one_other(r, m[i], i);
		}
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
	for (unsigned i = 0; i < RTE_DIM(done);
	     i++) /* packets led on are packets got, in every node */
		node_slot(s->node[i])->elsewhere += done[i];
	c[0][ETH_INPUT_IP4] += r->n_forward[0] + r->n_policy[0];
	c[0][ETH_INPUT_IP6] += r->n_forward[1] + r->n_policy[1] + r->n_sid;
	c[1][FWD_FORWARD] += r->n_forward[0] + r->n_decap[0];
	c[1][FWD_POLICY] += r->n_policy[0];
	c[2][FWD_FORWARD] += r->n_forward[1] + r->n_decap[1];
	c[2][FWD_POLICY] += r->n_policy[1];
	c[2][FWD_SID] += r->n_sid;
	c[3][SRV6_EP_FORWARD] += r->n_advance;
	c[3][SRV6_EP_CROSS_CONNECT] += r->n_cross;
	c[3][SRV6_EP_DECAP4] += r->n_decap[0];
	c[3][SRV6_EP_DECAP6] += r->n_decap[1];
	c[4][SRV6_EN_FORWARD] += r->n_encap[0] + r->n_encap[1];
}

static uint16_t express_process(struct rte_graph *g, struct rte_node *node, void **objs, uint16_t n)
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
	return n;
}
NODE_REGISTER(express, "express", EXPRESS, EXPRESS_VERDICTS, express_process)
