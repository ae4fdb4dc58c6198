/* SPDX-License-Identifier: BSD-3-Clause
 * Node express: what its parts share. The parts are headers, since everything on the way of a packet is inlined; which
 * one does what: README.md. */
#ifndef PIPELINES_EXPRESS_EXPRESS_H
#define PIPELINES_EXPRESS_EXPRESS_H

#include <immintrin.h>
#include <string.h>

#include "dataplane/node.h"
#include "dataplane/stats.h"
#include "pipelines/ip/flow_hash.h"
#include "pipelines/ip/ip.h"
#include "pipelines/pm/altmark_observe.h"
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
	bool marking;       /* packets of this run are counted by their marks */
	struct altmark_run marks;
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
	} wait[2][NODE_CHUNK_WIDE];
	/* packets by what became of them; [1]: IPv6 */
	uint32_t n_forward[2], n_policy[2], n_sid;
	uint32_t n_advance, n_cross, n_decap[2], n_encap[2];
	uint32_t n_sent; /* to port-tx */
	uint16_t all_ports,
		any_ports; /* where to: the bits that all of them have, and those that any has */
};

/* What is not worth its room where it is called from. */
#define EXPRESS_APART static __rte_noinline __rte_unused

/* ---- lanes ------------------------------------------------------------------------------------------------------ */

EXPRESS_APART bool table_enter(struct express_run *r, struct table *t, uint32_t vrf, bool v6)
{
	unsigned bits;

	t->vrf = UINT32_MAX;
	t->fib = v6 ? ip_fib6(vrf) : ip_fib4(vrf);
	if (t->fib == NULL)
		return false;
	t->vrf = vrf;
	t->state = fib_state(t->fib);
	fib_cache_enter(r->fwd.cache, t->state);
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

/* The answer for a destination, walked for if need be: packets of a flow must not go by different nodes, or they would
 * overtake each other. */
static __rte_always_inline uint32_t table_find(struct express_run *r, const struct table *t,
					       const uint8_t *dst, bool v6)
{
	uint32_t word = table_probe(r, t, dst, v6);

	if (unlikely(word == 0)) {
		if (v6)
			fwd_lookup6(&r->fwd, t->fib, &dst, &word, 1);
		else
			fwd_lookup4(&r->fwd, t->fib, &dst, &word, 1);
	}
	return word;
}

static inline void lane_count(struct express_run *r)
{
	struct lane *l = &r->lane;

	if (l->in == NULL)
		return;
	r->fwd.count[l->in->id].rx_packets += l->received >> OCTETS_BITS;
	r->fwd.count[l->in->id].rx_octets += l->received & ((1ull << OCTETS_BITS) - 1);
}

EXPRESS_APART void lane_enter(struct express_run *r, const struct iface *in)
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

	return likely(t->vrf == r->lane.in->vrf) || table_enter(r, t, r->lane.in->vrf, v6);
}

/* ---- what is usual ---------------------------------------------------------------------------------------------- */

/* Octets from the destination MAC to the IP version.  Source MAC and the octet behind the version: any. */
#define ETH_MASK4 _mm_set_epi64x(0x00ffffff00000000, 0x0000ffffffffffff)
#define ETH_MASK6 _mm_set_epi64x(0x00f0ffff00000000, 0x0000ffffffffffff)

static __rte_always_inline bool same(__m128i a, __m128i b, __m128i mask)
{
	return _mm_testz_si128(_mm_xor_si128(a, b), mask);
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
EXPRESS_APART rte_edge_t to_node(struct express_run *r, struct rte_mbuf *m, unsigned off,
				 unsigned len, uint32_t word, uint8_t flags, rte_edge_t edge)
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

#endif
