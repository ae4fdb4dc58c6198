/* SPDX-License-Identifier: BSD-3-Clause
 * Node srv6-encap: packets steered into an SR policy (result kind POLICY): H.Encaps and H.Encaps.Red.
 * The first segment is looked up here, before anything is pushed: so the egress MTU is known while the packet is still
 * the sender's own, an error goes to the inner source and quotes what it sent, and the usual packet leaves to port-tx
 * without another node.  A chunk's lookups are made in bulk.
 * Outer packets are never fragmented: what does not fit is answered, fragmented while it is bare (IPv4 without DF), or
 * dropped with a name (TOO_BIG_MIN).
 * Nothing here allocates, logs or makes a system call.
 * Spec: RFC 8986 5.1, 5.2; RFC 9256 2.11, 8; RFC 2473 section 7 for the MTU. */
#include "dataplane/node.h"
#include "pipelines/ip/ip.h"
#include "pipelines/srv6/make_room.h"
#include "pipelines/srv6/policy.h"
#include "pipelines/srv6/verdicts.h"

#define SAME_(P, NAME, next, sev, help)                       \
	static_assert((int)SRV6_EN_##NAME == (int)FWD_##NAME, \
		      "verdicts.h follows FWD_VERDICTS of ip.h");
FWD_VERDICTS(SAME_, FWD)
#undef SAME_

/* Forwarding verdicts after which the packet has its outer header and goes on. */
#define GOES_ON                                                                   \
	(1u << FWD_FORWARD | 1u << FWD_LOCAL | 1u << FWD_SID | 1u << FWD_POLICY | \
	 1u << FWD_RESOLVE | 1u << FWD_PUNT)

#define IP4_MIN_MTU 68u /* RFC 791 section 3.2 */

struct encap_run {
	struct fwd fwd;
	const struct node_slot *slot;
	struct srv6_policy_count *count;
	struct srv6_seglist_count *list_count;
};

struct encap_pkt {
	const struct srv6_policy *policy;
	const struct srv6_outer *outer;
	uint8_t *ip;
	struct srv6_inner in;
	uint32_t hash;
};

/* Destination unreachable to the inner source. */
static __rte_noinline unsigned unreachable(struct rte_mbuf *m, const struct srv6_inner *in,
					   unsigned v, uint8_t code6, uint8_t code4)
{
	bool v6 = in->proto == IP_NH_IP6;

	ip_icmp_error(m, v6 ? ICMP6_UNREACH : ICMP4_UNREACH, v6 ? code6 : code4, 0);
	return v;
}

/* Told to the sender, or an IPv4 packet without DF is sent to ip4-frag, whose fragments come back here. */
static __rte_noinline unsigned too_big(struct rte_mbuf *m, const struct encap_pkt *p, uint32_t mtu)
{
	uint32_t room = srv6_inner_mtu(p->outer, mtu, &p->in);
	bool v6 = p->in.proto == IP_NH_IP6;
	struct hd_meta *mt = meta(m);

	if (srv6_inner_mtu_tell(&p->in)) {
		ip_icmp_error(m, v6 ? ICMP6_TOO_BIG : ICMP4_UNREACH, v6 ? 0 : ICMP4_UNREACH_FRAG,
			      room);
		return SRV6_EN_TOO_BIG;
	}
	if (v6 || room < IP4_MIN_MTU)
		return SRV6_EN_TOO_BIG_MIN;
	if ((mt->flags & (META_F_ADVANCED | META_F_LOCAL)) == 0) {
		srv6_inner_decrement(p->ip, &p->in);
		mt->flags |= META_F_ADVANCED;
	}
	mt->arg = room;
	return SRV6_EN_FRAGMENT;
}

/* The way to the first segment, judged with the inner packet still bare.  *word becomes the adjacency when a group was
 * looked up.  Returns SRV6_EN_FORWARD or why the packet cannot go. */
static inline unsigned egress(struct rte_mbuf *m, const struct encap_pkt *p, uint32_t *word)
{
	const struct adj *a;
	const struct iface *i;

	if (hd_result_kind(*word) == HD_RESULT_GROUP) {
		const struct nhg *g = nhg_get(hd_result_index(*word));

		if (g == NULL)
			return SRV6_EN_NO_OBJECT;
		*word = nhg_select(g, p->hash);
		if (*word == HD_RESULT_NONE)
			return SRV6_EN_GROUP_DOWN;
	}
	switch (hd_result_kind(*word)) {
	case HD_RESULT_ADJ:
		a = adj_get(hd_result_index(*word));
		if (unlikely(a == NULL))
			return SRV6_EN_NO_OBJECT;
		if (unlikely(p->outer->len + p->in.len > a->mtu))
			return too_big(m, p, a->mtu);
		if (unlikely(a->state == ADJ_FAILED))
			return unreachable(m, &p->in, SRV6_EN_NEIGH_FAILED, ICMP6_UNREACH_ADDR,
					   ICMP4_UNREACH_HOST);
		return SRV6_EN_FORWARD;
	case HD_RESULT_GLEAN:
		i = iface_get(hd_result_index(*word));
		return i != NULL && p->outer->len + p->in.len > i->mtu ? too_big(m, p, i->mtu) :
									 SRV6_EN_FORWARD;
	case HD_RESULT_NONE:
		return unreachable(m, &p->in, SRV6_EN_NO_ROUTE, ICMP6_UNREACH_NO_ROUTE,
				   ICMP4_UNREACH_NET);
	case HD_RESULT_DROP:
		switch (hd_result_index(*word)) {
		case HD_RESULT_DROP_UNREACHABLE:
			return unreachable(m, &p->in, SRV6_EN_UNREACHABLE, ICMP6_UNREACH_NO_ROUTE,
					   ICMP4_UNREACH_NET);
		case HD_RESULT_DROP_PROHIBIT:
			return unreachable(m, &p->in, SRV6_EN_PROHIBIT, ICMP6_UNREACH_ADMIN,
					   ICMP4_UNREACH_ADMIN);
		default:
			return SRV6_EN_BLACKHOLE;
		}
	default: /* a local SID, another policy, another table: found again with the outer packet */
		return SRV6_EN_FORWARD;
	}
}

static inline unsigned encap_one(struct encap_run *r, struct rte_mbuf *m, struct encap_pkt *p,
				 uint32_t word)
{
	struct hd_meta *mt = meta(m);
	const struct srv6_outer *o = p->outer;
	unsigned v = egress(m, p, &word);
	uint8_t *outer;

	if (unlikely(v != SRV6_EN_FORWARD))
		return v;
	if (unlikely(!srv6_make_room(m, o->len)))
		return SRV6_EN_NO_ROOM;
	outer = (uint8_t *)rte_pktmbuf_prepend(m, o->len);
	if ((mt->flags & (META_F_ADVANCED | META_F_LOCAL)) == 0)
		srv6_inner_decrement(outer + o->len, &p->in);
	srv6_outer_push(o, outer, &p->in, srv6_flow_label(p->hash));
	/* from here on it is a packet of this node, whose hop limit has not been counted and which nobody answers */
	mt->flags = (uint8_t)((mt->flags & ~META_F_ADVANCED) | META_F_LOCAL);
	mt->l2_len = 0;
	mt->vrf = (uint16_t)p->policy->vrf;
	v = fwd_result(&r->fwd, m, word, 6);
	if (likely((GOES_ON >> v & 1) != 0)) {
		r->list_count[o->seglist_id].packets++;
		r->list_count[o->seglist_id].octets += o->len + p->in.len;
	}
	return v;
}

/* Everything about the inner packet that decides where it goes.  Returns SRV6_EN_FORWARD or why it goes nowhere. */
static inline unsigned classify(struct rte_mbuf *m, struct encap_pkt *p)
{
	const struct hd_meta *mt = meta(m);

	if (unlikely(p->policy == NULL))
		return SRV6_EN_POLICY_GONE;
	if (unlikely(p->policy->n_lists == 0 || p->policy->l2))
		return p->policy->l2 ? SRV6_EN_FRAME_POLICY : SRV6_EN_INVALID_POLICY;
	p->ip = rte_pktmbuf_mtod(m, uint8_t *);
	if (unlikely(srv6_inner_parse(p->ip, m->data_len, m->pkt_len, &p->in) < 0))
		return SRV6_EN_NOT_IP;
	if (unlikely(m->pkt_len > p->in.len))
		packet_trim(m, p->in.len);
	if (unlikely(p->in.hop <= 1 && (mt->flags & (META_F_ADVANCED | META_F_LOCAL)) == 0)) {
		ip_icmp_error(m,
			      p->in.proto == IP_NH_IP6 ? ICMP6_TIME_EXCEEDED : ICMP4_TIME_EXCEEDED,
			      0, 0);
		return SRV6_EN_HOP_LIMIT;
	}
	p->hash = ip_flow_hash(m);
	p->outer = srv6_policy_select(p->policy, p->hash);
	return SRV6_EN_FORWARD;
}

/* What is handed to ip4-frag counts when its fragments come by; what is dropped, by the octets it came with. */
static inline void count_policy(struct encap_run *r, const struct rte_mbuf *m,
				const struct encap_pkt *p, unsigned v)
{
	struct srv6_policy_count *c = &r->count[p->policy->policy_id];

	if (likely(v < FWD_N_VERDICTS && (GOES_ON >> v & 1) != 0)) {
		c->packets++;
		c->octets += p->outer->len + p->in.len;
	} else if (v != SRV6_EN_FRAGMENT) {
		c->errors++;
		srv6_policy_drop(r->slot, p->policy, p->outer, v,
				 p->outer != NULL ? p->in.len : m->pkt_len);
	}
}

static inline void encap_chunk(struct rte_mbuf **m, unsigned n, rte_edge_t *verdict, void *arg)
{
	struct encap_run *r = arg;
	struct encap_pkt pkt[NODE_CHUNK];
	const struct srv6_outer *last = NULL;
	const uint8_t *key[NODE_CHUNK];
	const struct fib *fib[NODE_CHUNK];
	uint32_t word[NODE_CHUNK];
	uint8_t at[NODE_CHUNK]; /* packet -> lookup: neighbours with the same outer header share one */
	unsigned i, k, n_key = 0;

	for (i = 0; i < n; i++) {
		pkt[i].policy = srv6_policy_get(hd_result_index(meta(m[i])->result));
		rte_prefetch0(pkt[i].policy);
		rte_prefetch0(rte_pktmbuf_mtod(m[i], void *));
	}
	for (i = 0; i < n; i++) {
		verdict[i] = (rte_edge_t)classify(m[i], &pkt[i]);
		if (unlikely(verdict[i] != SRV6_EN_FORWARD)) {
			pkt[i].outer = NULL;
			continue;
		}
		if (pkt[i].outer != last) {
			fib[n_key] = ip_fib6(pkt[i].policy->vrf);
			if (unlikely(fib[n_key] == NULL)) {
				verdict[i] = SRV6_EN_NO_TABLE;
				continue;
			}
			last = pkt[i].outer;
			key[n_key++] = last->hdr + offsetof(struct ip6_fixed, dst);
			rte_prefetch0(last->hdr + RTE_CACHE_LINE_SIZE);
		}
		at[i] = (uint8_t)(n_key - 1);
	}
	for (i = 0; i < n_key; i = k) {
		for (k = i + 1; k < n_key && fib[k] == fib[i]; k++)
			;
		fwd_lookup6(&r->fwd, fib[i], key + i, word + i, k - i);
	}
	for (i = 0; i < n; i++) {
		if (likely(verdict[i] == SRV6_EN_FORWARD))
			verdict[i] = (rte_edge_t)encap_one(r, m[i], &pkt[i], word[at[i]]);
		if (unlikely(pkt[i].policy == NULL))
			continue;
		meta(m[i])->object = pkt[i].policy->policy_id;
		count_policy(r, m[i], &pkt[i], verdict[i]);
	}
}

static uint16_t srv6_encap_process(struct rte_graph *g, struct rte_node *node, void **objs,
				   uint16_t n)
{
	struct worker *w = node_worker(node);
	struct encap_run r = { .fwd = fwd_begin(w),
			       .slot = node_slot(node),
			       .count = srv6_policy_counts[w->id],
			       .list_count = srv6_seglist_counts[w->id] };

	return node_run_bulk(g, node, objs, n, encap_chunk, &r);
}

NODE_REGISTER(srv6_encap, "srv6-encap", SRV6_EN, SRV6_ENCAP_VERDICTS, srv6_encap_process)
