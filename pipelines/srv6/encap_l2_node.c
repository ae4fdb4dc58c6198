/* SPDX-License-Identifier: BSD-3-Clause
 * Node srv6-encap-l2: Ethernet frames steered into an SR policy: H.Encaps.L2 and H.Encaps.L2.Red.
 * In: data at the Ethernet header, the frame without FCS; meta->result an HD_RESULT_POLICY word; the rest of the
 * metadata as eth-input left it.  Whoever attaches an interface or a bridge domain to a policy sends its frames here.
 * Out: like packets this node made.  Nobody can be told about a frame, so what does not fit is dropped by name.
 * Nothing here allocates, logs or makes a system call.
 * Spec: RFC 8986 5.3, 5.4. */
#include <rte_hash_crc.h>

#include "dataplane/node.h"
#include "pipelines/ip/ip.h"
#include "pipelines/srv6/make_room.h"
#include "pipelines/srv6/policy.h"
#include "pipelines/srv6/verdicts.h"

#define SAME_(P, NAME, next, sev, help)                       \
	static_assert((int)SRV6_E2_##NAME == (int)FWD_##NAME, \
		      "verdicts.h follows FWD_VERDICTS of ip.h");
FWD_VERDICTS(SAME_, FWD)
#undef SAME_

/* Forwarding verdicts after which the frame is on its way. */
#define GOES_ON                                                                   \
	(1u << FWD_FORWARD | 1u << FWD_LOCAL | 1u << FWD_SID | 1u << FWD_POLICY | \
	 1u << FWD_RESOLVE | 1u << FWD_PUNT)

struct encap_l2_run {
	struct fwd fwd;
	const struct node_slot *slot;
	struct srv6_policy_count *count;
	struct srv6_seglist_count *list_count;
};

struct encap_l2_pkt {
	const struct srv6_policy *policy;
	const struct srv6_outer *outer;
	struct srv6_inner in;
	uint32_t hash;
};

/* Hash of the frame's flow: MAC addresses, and the flow of the IP packet inside (RFC 6438 section 3). */
static inline uint32_t frame_hash(struct rte_mbuf *m, unsigned l3_off)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	struct hd_meta *mt = meta(m);
	uint32_t h = rte_hash_crc_8byte(wire_get64(p), rte_hash_crc_4byte(wire_get32(p + 8), 0));

	if (l3_off != 0 && m->data_len >= l3_off + 20u) {
		mt->flow_hash = 0;
		rte_pktmbuf_adj(m, (uint16_t)l3_off);
		h ^= ip_flow_hash_slow(m);
		rte_pktmbuf_prepend(m, (uint16_t)l3_off);
	} else {
		h *= 0x9e3779b1u; /* a CRC of two addresses has few bits of its own at the top */
		h ^= h >> 16;
		h *= 0x85ebca6bu;
	}
	mt->flow_hash = h + (h == 0);
	return mt->flow_hash;
}

static inline unsigned classify(struct rte_mbuf *m, struct encap_l2_pkt *p)
{
	unsigned l3_off;

	p->outer = NULL;
	if (unlikely(p->policy == NULL))
		return SRV6_E2_POLICY_GONE;
	if (unlikely(p->policy->n_lists == 0 || !p->policy->l2))
		return p->policy->l2 ? SRV6_E2_INVALID_POLICY : SRV6_E2_IP_POLICY;
	if (unlikely(srv6_frame_parse(rte_pktmbuf_mtod(m, const uint8_t *), m->data_len, m->pkt_len,
				      &p->in, &l3_off) < 0))
		return SRV6_E2_RUNT;
	p->hash = frame_hash(m, l3_off);
	p->outer = srv6_policy_select(p->policy, p->hash);
	if (unlikely(p->outer->len + p->in.len > UINT16_MAX))
		return SRV6_E2_TOO_BIG;
	return SRV6_E2_FORWARD;
}

static inline unsigned encap_l2_one(struct encap_l2_run *r, struct rte_mbuf *m,
				    struct encap_l2_pkt *p, uint32_t word)
{
	const struct srv6_outer *o = p->outer;
	struct hd_meta *mt = meta(m);
	unsigned v;

	if (unlikely(!srv6_make_room(m, o->len)))
		return SRV6_E2_NO_ROOM;
	srv6_outer_push(o, (uint8_t *)rte_pktmbuf_prepend(m, o->len), &p->in,
			srv6_flow_label(p->hash));
	mt->flags = (uint8_t)((mt->flags & ~(META_F_ADVANCED | META_F_L2_MCAST)) | META_F_LOCAL);
	mt->l2_len = 0;
	mt->vrf = (uint16_t)p->policy->vrf;
	v = fwd_result(&r->fwd, m, word, 6);
	if (likely((GOES_ON >> v & 1) != 0)) {
		r->list_count[o->seglist_id].packets++;
		r->list_count[o->seglist_id].octets += o->len + p->in.len;
	}
	return v;
}

static inline void encap_l2_chunk(struct rte_mbuf **m, unsigned n, rte_edge_t *verdict, void *arg)
{
	struct encap_l2_run *r = arg;
	struct encap_l2_pkt pkt[NODE_CHUNK];

	for (unsigned i = 0; i < n; i++) {
		pkt[i].policy = srv6_policy_get(hd_result_index(meta(m[i])->result));
		rte_prefetch0(pkt[i].policy);
		rte_prefetch0(rte_pktmbuf_mtod(m[i], void *));
	}
	for (unsigned i = 0; i < n; i++) {
		struct encap_l2_pkt *p = &pkt[i];
		struct srv6_policy_count *c;
		const struct fib *fib;
		unsigned v = classify(m[i], p);

		if (likely(v == SRV6_E2_FORWARD)) {
			fib = ip_fib6(p->policy->vrf);
			v = unlikely(fib == NULL) ?
				    SRV6_E2_NO_TABLE :
				    encap_l2_one(r, m[i], p,
						 fib_lookup(fib, p->outer->hdr +
									 offsetof(struct ip6_fixed,
										  dst)));
		}
		verdict[i] = (rte_edge_t)v;
		if (unlikely(p->policy == NULL))
			continue;
		meta(m[i])->object = p->policy->policy_id;
		c = &r->count[p->policy->policy_id];
		if (likely(v < FWD_N_VERDICTS && (GOES_ON >> v & 1) != 0)) {
			c->packets++;
			c->octets += p->outer->len + p->in.len;
		} else {
			c->errors++;
			srv6_policy_drop(r->slot, p->policy, p->outer, v,
					 p->outer != NULL ? p->in.len : m[i]->pkt_len);
		}
	}
}

static uint16_t srv6_encap_l2_process(struct rte_graph *g, struct rte_node *node, void **objs,
				      uint16_t n)
{
	struct worker *w = node_worker(node);
	struct encap_l2_run r = { .fwd = fwd_begin(w),
				  .slot = node_slot(node),
				  .count = srv6_policy_counts[w->id],
				  .list_count = srv6_seglist_counts[w->id] };

	return node_run_bulk(g, node, objs, n, encap_l2_chunk, &r);
}

NODE_REGISTER(srv6_encap_l2, "srv6-encap-l2", SRV6_E2, SRV6_ENCAP_L2_VERDICTS,
	      srv6_encap_l2_process)
