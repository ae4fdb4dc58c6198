/* SPDX-License-Identifier: BSD-3-Clause
 * Part of node express: packets in a row that are steered into SR policies: H.Encaps and H.Encaps.Red.
 * Each step is taken for all packets before the next one, so that what it waits for comes while others are looked at.
 * Spec: RFC 8986 5.1, 5.2. */
#ifndef PIPELINES_EXPRESS_EXPRESS_POLICIES_H
#define PIPELINES_EXPRESS_EXPRESS_POLICIES_H

#include "pipelines/express/express_check6.h"
#include "pipelines/express/express_depart.h"
#include "pipelines/express/express_hash.h"

#ifdef __AVX2__

struct steer {
	const struct srv6_policy *policy[NODE_CHUNK_WIDE]; /* NULL: not for express */
	const struct srv6_outer *outer[NODE_CHUNK_WIDE];
	uint32_t hash[NODE_CHUNK_WIDE];
	uint32_t tc[NODE_CHUNK_WIDE];   /* traffic class or TOS, << 20 */
	uint32_t word[NODE_CHUNK_WIDE]; /* where the first segment is */
};

/* Traffic class or TOS. */
static __rte_always_inline uint8_t inner_tc(const uint8_t *h, bool v6)
{
	return v6 ? (uint8_t)(wire_get16(h) >> 4) : h[1];
}

/* n: a multiple of eight */
static __rte_always_inline void steer_hash(struct steer *s, struct rte_mbuf **m,
					   const struct eights *e, unsigned n, bool v6)
{
	const struct eight_consts *c8 = eight_consts_get();
	const unsigned shortest = shortest_of(e->len, n);

	for (unsigned i = 0; i < n; i += EIGHT) {
		uint8_t *p[EIGHT];

#pragma GCC unroll 8
		for (unsigned k = 0; k < EIGHT; k++)
			p[k] = frame_of(m[i + k]);
		if (v6 ? eight_hash6(c8, p, shortest, &s->hash[i], &s->tc[i]) :
			 eight_hash4(c8, p, load8(&e->ttl[i]), shortest, &s->hash[i], &s->tc[i]))
			continue;
		for (unsigned k = i; k < i + EIGHT; k++) {
			const uint8_t *h = frame_of(m[k]) + 14;

			s->hash[k] = ip_flow_hash_of(h, e->len[k] - 14);
			s->tc[k] = (uint32_t)inner_tc(h, v6) << 20;
		}
	}
}

/* A policy whose packets may go by one segment list, in the table that is entered. */
static __rte_always_inline bool policy_usual(const struct express_run *r,
					     const struct srv6_policy *p)
{
	return p != NULL && p->n_lists != 0 && !p->l2 && p->vrf == r->outer.vrf;
}

static __rte_always_inline void outer_count(struct express_run *r, const struct srv6_policy *p,
					    const struct srv6_outer *o, const struct adj *a,
					    unsigned n, uint64_t octets)
{
	struct iface_count *c = &r->fwd.count[a->iface];

	r->policy_count[p->policy_id].packets += n;
	r->policy_count[p->policy_id].octets += octets;
	r->list_count[o->seglist_id].packets += n;
	r->list_count[o->seglist_id].octets += octets;
	c->tx_packets += n;
	c->tx_octets += octets + 14 * (uint64_t)n;
	sent_note(r, a->port, n);
}

/* The Ethernet header in front of the outer one, and what the mbuf says. */
static __rte_always_inline void outer_frame(struct rte_mbuf *m, uint8_t *outer, unsigned len,
					    const struct adj *a)
{
	mac_write(outer - 14, a);
	wire_put16(outer - 2, ETHTYPE_IP6);
	m->data_off = (uint16_t)(outer - 14 - (const uint8_t *)m->buf_addr);
	len_write(m, len + 14);
	m->port = a->port;
}

#define STEER_ROOM (14 + (SRV6_OUTER_MAX + 31) / 32 * 32)

/* The frame up to the inner packet, but for what differs from packet to packet.  Returns its octets. */
EXPRESS_APART unsigned steer_front(uint8_t front[STEER_ROOM], const struct srv6_outer *o,
				   const struct adj *a, uint8_t proto)
{
	memcpy(front, a->hdr + ADJ_HDR_ROOM - 14, 12);
	wire_put16(front + 12, ETHTYPE_IP6);
	memcpy(front + 14, o->hdr, sizeof(o->hdr));
	front[14 + o->proto_off] = proto;
	return 14u + o->len;
}

/* The first eight octets of the outer header of packets 0, 1, 4, 5 and 2, 3, 6, 7: class and flow label, length, next
 * header, hop limit.
 *   front  the header as the policy has it; len: of the outer packets */
static __rte_always_inline struct lanes eight_outer(const struct eight_consts *k,
						    const struct srv6_outer *o,
						    const uint8_t *front, __m256i hash, __m256i tc,
						    __m256i len)
{
	const uint32_t inner = (o->dscp_copy ? 0xffu : 3u) << 20;
	const uint32_t fixed = 6u << 28 | (o->dscp_copy ? 0u : o->dscp) << 20;
	uint32_t rest;
	__m256i label, a, b;

	memcpy(&rest, front + 4, sizeof(rest));
	/* srv6_flow_label() */
	label = _mm256_srli_epi32(
		_mm256_mullo_epi32(hash, _mm256_set1_epi32((int)SRV6_LABEL_FACTOR)), 12);
	label = _mm256_sub_epi32(label, _mm256_cmpeq_epi32(label, _mm256_setzero_si256()));
	tc = _mm256_or_si256(_mm256_and_si256(tc, _mm256_set1_epi32((int)inner)),
			     _mm256_set1_epi32((int)fixed));
	a = _mm256_shuffle_epi8(_mm256_or_si256(label, tc), K8(k, swap32));
	b = _mm256_sub_epi32(len, _mm256_set1_epi32(40));
	b = _mm256_or_si256(_mm256_shuffle_epi8(b, K8(k, swap16low)),
			    _mm256_set1_epi32((int)(rest & 0xffff0000)));
	return (struct lanes){ _mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b) };
}

/* All by one segment list, without special treatment of fields.  n: a multiple of eight */
static __rte_always_inline void steer_same(struct express_run *r, struct rte_mbuf **m,
					   rte_edge_t *verdict, unsigned n, const struct eights *e,
					   const struct steer *s, const struct adj *a, bool v6)
{
	const struct eight_consts *c8 = eight_consts_get();
	const struct srv6_outer *o = s->outer[0];
	uint8_t front[STEER_ROOM] __attribute__((aligned(32)));
	const unsigned size = steer_front(front, o, a, v6 ? IP_NH_IP6 : IP_NH_IP4);
	const __m256i first = load32(front), last = load32(front + size - 32);
	struct rte_mbuf like;
	uint64_t rearm;

	memcpy(&like.rearm_data, &m[0]->rearm_data, sizeof(rearm)); /* that of all, as is known */
	like.data_off = (uint16_t)(AT + 14 - size);
	like.port = a->port;
	memcpy(&rearm, &like.rearm_data, sizeof(rearm));
	for (unsigned i = 0; i < n; i += EIGHT) {
		const __m256i len =
			_mm256_add_epi32(load8(&e->len[i]), _mm256_set1_epi32((int)size - 14));
		uint8_t *vary[EIGHT], *lens[EIGHT];

#pragma GCC unroll 8
		for (unsigned k = 0; k < EIGHT; k++) {
			struct rte_mbuf *b = m[i + k];
			uint8_t *h = frame_of(b) + 14, *p = h - size;

			hop_write(h, e, i + k, v6);
			_mm256_storeu_si256((__m256i *)(void *)p, first);
			for (unsigned at = 32; unlikely(at + 32 < size); at += 32)
				_mm256_storeu_si256((__m256i *)(void *)(p + at),
						    load32(front + at));
			_mm256_storeu_si256((__m256i *)(void *)(h - 32), last);
			memcpy(&b->rearm_data, &rearm, sizeof(rearm));
			vary[k] = p + 14;
			lens[k] = (uint8_t *)&b->pkt_len;
		}
		lanes_store(vary,
			    eight_outer(c8, o, front + 14, load8(&s->hash[i]), load8(&s->tc[i]),
					_mm256_sub_epi32(len, K8(c8, frame))));
		lanes_store(lens, lanes_of_len(len));
	}
	for (unsigned i = 0; i < n; i++)
		verdict[i] = EXPRESS_FORWARD;
	r->lane.received += ((uint64_t)n << OCTETS_BITS) + e->received;
	outer_count(r, s->policy[0], o, a, n, e->octets + (uint64_t)n * (o->len - 14u));
}

static __rte_always_inline bool steer_one(struct express_run *r, struct rte_mbuf *m,
					  const struct eights *e, const struct steer *s, unsigned i,
					  bool v6)
{
	const struct srv6_outer *o = s->outer[i];
	const struct adj *a = word_adj(r, s->word[i]);
	uint8_t *h = frame_of(m) + 14;
	unsigned len = e->len[i] - 14;
	struct srv6_inner in;

	if (unlikely(a == NULL || o->len + len > a->plain_len))
		return false;
	if (unlikely(o->len >
		     AT)) { /* lists of six and more; the L2 header's octets are room, too */
		if (!srv6_make_room(m, o->len - 14))
			return false;
		h = rte_pktmbuf_mtod_offset(m, uint8_t *, 14);
	}
	in = (struct srv6_inner){ .proto = v6 ? IP_NH_IP6 : IP_NH_IP4,
				  .tc = inner_tc(h, v6),
				  .len = len };
	hop_write(h, e, i, v6);
	srv6_outer_push(o, h - o->len, &in, srv6_flow_label(s->hash[i]));
	r->lane.received += (1ull << OCTETS_BITS) + m->data_len;
	outer_frame(m, h - o->len, o->len + len, a);
	outer_count(r, s->policy[i], o, a, 1, o->len + len);
	return true;
}

/* The neighbour of the first packet's list, if all may go there with nothing to be treated specially. */
static __rte_always_inline const struct adj *
steer_adj(const struct express_run *r, const struct steer *s, const struct eights *e)
{
	const struct srv6_outer *o = s->outer[0];
	const struct adj *a = word_adj(r, s->word[0]);

	return a != NULL && o->treat == 0 && o->len <= AT &&
			       e->longest - 14 + o->len <= a->plain_len ?
		       a :
		       NULL;
}

/* Policies and lists of all packets, and where their first segments are.  Returns 0 if all go by one list
 * as steer_same() writes it; then only the first of each is told. */
static __rte_always_inline uintptr_t steer_find(struct express_run *r, const struct eights *e,
						unsigned n, struct steer *s)
{
	static const uint8_t none[16];
	const uint8_t *dst[NODE_CHUNK_WIDE];
	const struct srv6_policy *first = srv6_policy_get(hd_result_index(e->word[0]));
	uintptr_t differ = 0;

	if (unlikely(first == NULL) ||
	    (first->vrf != r->outer.vrf && !table_enter(r, &r->outer, first->vrf, true))) {
		memset(s->policy, 0, n * sizeof(s->policy[0]));
		return 1;
	}
	if (e->differ == 0 && first->n_lists == 1 && policy_usual(r, first)) {
		s->policy[0] = first;
		s->outer[0] = first->outer;
		s->word[0] = table_find(r, &r->outer, first->outer->hdr + 24, true);
		if (likely(steer_adj(r, s, e) != NULL))
			return 0;
	}
	for (unsigned i = 0; i < n; i++) {
		s->policy[i] = srv6_policy_get(hd_result_index(e->word[i]));
		rte_prefetch0(s->policy[i]);
		rte_prefetch0((const uint8_t *)s->policy[i] + 64);
	}
	for (unsigned i = 0; i < n; i++) {
		const struct srv6_policy *p = s->policy[i];

		if (unlikely(!policy_usual(r, p))) {
			s->policy[i] = NULL;
			s->outer[i] = NULL;
			differ = 1;
			continue;
		}
		s->outer[i] = p->n_lists == 1 ? p->outer : srv6_policy_select(p, s->hash[i]);
		rte_prefetch0(s->outer[i]);
		rte_prefetch0(&r->policy_count[p->policy_id]);
		differ |= (uintptr_t)s->outer[i] ^ (uintptr_t)s->outer[0];
	}
	if (differ == 0) {
		s->word[0] = table_find(r, &r->outer, s->outer[0]->hdr + 24, true);
		for (unsigned i = 1; i < n; i++)
			s->word[i] = s->word[0];
		return steer_adj(r, s, e) == NULL;
	}
	for (unsigned i = 0, known = 0; i < n; i++) {
		/* a key for each, though it may not be used */
		known = s->outer[i] != NULL ? i : known;
		dst[i] = s->outer[known] != NULL ? s->outer[known]->hdr + 24 : none;
		if (s->outer[i] != NULL)
			rte_prefetch0(&r->list_count[s->outer[i]->seglist_id]);
	}
	words_find(r, &r->outer, FIB_ASK_OUTER, dst, s->word, n);
	return differ;
}

/* All n have result words of policies. */
EXPRESS_APART void policies(struct express_run *r, struct rte_mbuf **m, rte_edge_t *verdict,
			    unsigned n, const struct eights *e, bool v6)
{
	struct steer s;
	unsigned done = 0;

	if (v6)
		steer_hash(&s, m, e, n, true);
	else
		steer_hash(&s, m, e, n, false);
	if (likely(steer_find(r, e, n, &s) == 0)) {
		const struct adj *a = steer_adj(r, &s, e);

		if (v6)
			steer_same(r, m, verdict, n, e, &s, a, true);
		else
			steer_same(r, m, verdict, n, e, &s, a, false);
		r->n_policy[v6] += n;
		r->n_encap[v6] += n;
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		if (likely(s.policy[i] != NULL && steer_one(r, m[i], e, &s, i, v6))) {
			verdict[i] = EXPRESS_FORWARD;
			done++;
		} else {
			verdict[i] = send_policy(r, m[i], frame_of(m[i]) + 14, 14, e->len[i] - 14,
						 e->word[i], v6);
		}
	}
	r->n_policy[v6] += done;
	r->n_encap[v6] += done;
}

#endif
#endif
