/* SPDX-License-Identifier: BSD-3-Clause
 * Part of node express: the usual packets of SRv6.  End and End.X with an SRH right behind the IPv6 header and more
 * segments to come; End.DT4, End.DT6, End.DT46 at its end; H.Encaps and H.Encaps.Red.
 * "Usual" as everywhere in express: no TLVs, no flags, no popping, no congestion marks to merge, next hops resolved.
 * What is not goes to srv6-endpoint or srv6-encap as ip6-input would send it.
 * Spec: RFC 8986 4.1, 4.2, 4.6 to 4.8, 5.1, 5.2; RFC 8754 4.3.1.1. */
#ifndef PIPELINES_EXPRESS_EXPRESS_SRV6_H
#define PIPELINES_EXPRESS_EXPRESS_SRV6_H

#include "pipelines/express/express.h"
#include "pipelines/srv6/make_room.h"

/* The SRH behind the IPv6 header at h, octets of it; 0: there is none, or not a usual one.  len: octets of IP. */
static __rte_always_inline unsigned usual_srh(const uint8_t *h, unsigned len)
{
	const uint8_t *srh = h + sizeof(struct ip6_fixed);
	unsigned size = 8 + srh[SRH_OFF_HDR_EXT_LEN] * 8u, last = srh[SRH_OFF_LAST_ENTRY];

	return likely(h[IP6_OFF_NEXT_HEADER] == IP_NH_ROUTING && len >= 48 + 16 &&
		      srh[SRH_OFF_ROUTING_TYPE] == SRH_ROUTING_TYPE && srh[SRH_OFF_FLAGS] == 0 &&
		      size == 24 + 16 * last && sizeof(struct ip6_fixed) + size <= len &&
		      srh[SRH_OFF_SEGMENTS_LEFT] <= last + 1) ?
		       size :
		       0;
}

/* To the next segment; word: where it is. */
static __rte_always_inline rte_edge_t advance(struct express_run *r, struct rte_mbuf *m, uint8_t *h,
					      unsigned at, unsigned len, const struct srv6_sid *s,
					      const struct adj *a)
{
	uint8_t *srh = h + sizeof(struct ip6_fixed);
	unsigned left = srh[SRH_OFF_SEGMENTS_LEFT] - 1u;

	srh[SRH_OFF_SEGMENTS_LEFT] = (uint8_t)left;
	memcpy(h + 24, srh + SRH_OFF_LIST + 16 * left, 16);
	hop_decrement(h, true);
	r->sid_count[s->sid_id].packets++;
	r->sid_count[s->sid_id].octets += len;
	return leave(r, m, a, h, at, len, true);
}

/* The inner packet at h goes on in its table. */
static __rte_always_inline bool decap(struct express_run *r, struct rte_mbuf *m, uint8_t *h,
				      unsigned at, unsigned room, uint32_t vrf, bool v6)
{
	struct table *t = &r->inner[v6];
	const struct adj *a;
	unsigned total;

	if (unlikely(room < (v6 ? 40u : 20u)))
		return false;
	total = v6 ? 40u + wire_get16(h + IP6_OFF_PAYLOAD_LEN) : wire_get16(h + 2);
	if (v6 ? h[0] >> 4 != 6 || !usual6(h, total, room) :
		 h[0] != 0x45 || total < 20 || !usual4(h, total, room))
		return false;
	if (unlikely(t->vrf != vrf) && !table_enter(r, t, vrf, v6))
		return false;
	a = adj_for(r, table_find(r, t, h + (v6 ? 24 : 16), v6), total, at);
	if (unlikely(a == NULL))
		return false;
	hop_decrement(h, v6);
	leave(r, m, a, h, at, total, v6);
	return true;
}

static inline rte_edge_t send_sid(struct express_run *r, struct rte_mbuf *m, uint8_t *h,
				  unsigned off, unsigned len, uint32_t word)
{
	const struct srv6_sid *s = srv6_sid_get(hd_result_index(word));
	unsigned at = m->data_off + off, size = usual_srh(h, len), left, in;
	const uint8_t *srh = h + sizeof(struct ip6_fixed);
	const struct adj *a = NULL;
	uint32_t fast;
	uint8_t upper;

	r->n_sid++;
	if (unlikely(s == NULL))
		goto node;
	left = size != 0 ? srh[SRH_OFF_SEGMENTS_LEFT] : 0;
	if (left != 0) {
		if (left == 1 && (s->fast & SRV6_FAST_PSP) != 0)
			goto node;
		fast = s->fast & ~SRV6_FAST_PSP;
		if (fast == SRV6_FAST_END_X) {
			a = adj_for(r, s->result, len, at);
			r->n_cross += a != NULL;
		} else if (fast == SRV6_FAST_END) {
			a = adj_for(r,
				    table_find(r, &r->lane.six,
					       srh + SRH_OFF_LIST + 16 * (left - 1), true),
				    len, at);
			r->n_advance += a != NULL;
		}
		if (likely(a != NULL))
			return advance(r, m, h, at, len, s, a);
		goto node;
	}
	/* the end of the path; an outer congestion mark would have to be merged, RFC 6040, and the uniform model writes
	 * into the inner packet */
	in = sizeof(struct ip6_fixed) + size;
	upper = size != 0 ? srh[SRH_OFF_NEXT_HEADER] : h[IP6_OFF_NEXT_HEADER];
	if ((h[1] & 0x30) != 0 || unlikely(srv6_decap_flags != 0))
		goto node;
	if (upper == IP_NH_IP4 && (s->fast == SRV6_FAST_DT4 || s->fast == SRV6_FAST_DT46) &&
	    decap(r, m, h + in, at + in, len - in, s->vrf4, false)) {
		r->n_decap[0]++;
	} else if (upper == IP_NH_IP6 && (s->fast == SRV6_FAST_DT6 || s->fast == SRV6_FAST_DT46) &&
		   decap(r, m, h + in, at + in, len - in, s->vrf6, true)) {
		r->n_decap[1]++;
	} else {
		goto node;
	}
	r->sid_count[s->sid_id].packets++;
	r->sid_count[s->sid_id].octets += len;
	return EXPRESS_FORWARD;
node:
	return to_node(r, m, off, len, word, 0, EXPRESS_SID);
}

static inline rte_edge_t send_policy(struct express_run *r, struct rte_mbuf *m, uint8_t *h,
				     unsigned off, unsigned len, uint32_t word, bool v6)
{
	const struct srv6_policy *p = srv6_policy_get(hd_result_index(word));
	const struct srv6_outer *o;
	unsigned at, total;
	const struct adj *a;
	struct srv6_inner in;
	uint32_t hash;

	r->n_policy[v6]++;
	if (unlikely(p == NULL || p->n_lists == 0 || p->l2))
		goto node;
	if (unlikely(p->vrf != r->outer.vrf) && !table_enter(r, &r->outer, p->vrf, true))
		goto node;
	hash = ip_flow_hash_of(h, len);
	o = srv6_policy_select(p, hash);
	total = o->len + len;
	a = adj_for(r, table_find(r, &r->outer, o->hdr + 24, true), total, ADJ_HDR_ROOM);
	/* from here on it is sent; the L2 header's octets are room, too */
	if (unlikely(a == NULL || !srv6_make_room(m, o->len - off)))
		goto node;
	at = m->data_off + off;
	h = rte_pktmbuf_mtod_offset(m, uint8_t *, off);
	in = (struct srv6_inner){ .proto = v6 ? IP_NH_IP6 : IP_NH_IP4,
				  .tc = v6 ? (uint8_t)(h[0] << 4 | h[1] >> 4) : h[1],
				  .len = len };
	hop_decrement(h, v6);
	srv6_outer_push(o, h - o->len, &in, srv6_flow_label(hash));
	r->policy_count[p->policy_id].packets++;
	r->policy_count[p->policy_id].octets += total;
	r->list_count[o->seglist_id].packets++;
	r->list_count[o->seglist_id].octets += total;
	r->n_encap[v6]++;
	return leave(r, m, a, h - o->len, at - o->len, total, true);
node:
	hop_decrement(h, v6);
	return to_node(r, m, off, len, word, META_F_ADVANCED, EXPRESS_POLICY);
}

#endif
