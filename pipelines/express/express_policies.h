/* SPDX-License-Identifier: BSD-3-Clause
 * Part of express_node.c: packets in a row that are steered into SR policies: H.Encaps and H.Encaps.Red.
 * Spec: RFC 8986 5.1, 5.2. */
#ifndef PIPELINES_EXPRESS_EXPRESS_POLICIES_H
#define PIPELINES_EXPRESS_EXPRESS_POLICIES_H

/* Packets of one policy and one segment list, one after the other: looked up and counted once. */
struct steer {
	const struct srv6_policy *policy;
	const struct srv6_outer *outer;
	const struct adj *adj; /* of the first segment; NULL: none that express can use */
	uint64_t packets, octets;
};

static __rte_always_inline void steer_count(struct express_run *r, struct steer *s)
{
	if (s->packets == 0)
		return;
	r->policy_count[s->policy->policy_id].packets += s->packets;
	r->policy_count[s->policy->policy_id].octets += s->octets;
	r->list_count[s->outer->seglist_id].packets += s->packets;
	r->list_count[s->outer->seglist_id].octets += s->octets;
	r->fwd.count[s->adj->iface].tx_packets += s->packets;
	r->fwd.count[s->adj->iface].tx_octets += s->octets + 14 * s->packets;
	s->packets = s->octets = 0;
}

static __rte_noinline void steer_enter(struct express_run *r, struct steer *s,
				       const struct srv6_policy *p, const struct srv6_outer *o)
{
	steer_count(r, s);
	s->policy = p;
	s->outer = o;
	s->adj = NULL;
	if (o->len > AT || (p->vrf != r->outer.vrf && !table_enter(&r->outer, p->vrf, true)))
		return;
	s->adj = word_adj(r, table_find(r, &r->outer, o->hdr + 24, true));
}

/* Traffic class or TOS, and the length by the header. */
static __rte_always_inline struct srv6_inner inner_of(const uint8_t *h, unsigned len, bool v6)
{
	return (struct srv6_inner){ .proto = v6 ? IP_NH_IP6 : IP_NH_IP4,
				    .tc = v6 ? (uint8_t)(wire_get16(h) >> 4) : h[1],
				    .len = len };
}

static __rte_always_inline bool steer_one(struct express_run *r, struct steer *s,
					  struct rte_mbuf *m, const struct eights *e, unsigned i,
					  bool v6)
{
	const struct srv6_policy *p = srv6_policy_get(hd_result_index(e->word[i]));
	uint8_t *h = frame_of(m) + 14, *outer;
	unsigned len = e->len[i] - 14, total;
	const struct srv6_outer *o;
	struct srv6_inner in;
	uint32_t hash;

	if (unlikely(p == NULL || p->n_lists == 0 || p->l2))
		return false;
	hash = v6 ? ip_flow_hash_plain6(h, len) : ip_flow_hash_plain4(h, len);
	o = srv6_policy_select(p, hash);
	if (unlikely(o != s->outer))
		steer_enter(r, s, p, o);
	total = o->len + len;
	if (unlikely(s->adj == NULL || total > s->adj->plain_len))
		return false;
	in = inner_of(h, len, v6);
	if (v6)
		h[IP6_OFF_HOP_LIMIT]--;
	else
		memcpy(h + 8, &e->ttl[i], 4);
	outer = h - o->len;
	srv6_outer_push(o, outer, &in, srv6_flow_label(hash));
	mac_write(outer - 14, s->adj);
	wire_put16(outer - 2, ETHTYPE_IP6);
	r->lane.received += (1ull << OCTETS_BITS) + m->data_len;
	m->data_off = (uint16_t)(AT - o->len);
	len_write(m, total + 14);
	m->port = s->adj->port;
	sent_note(r, s->adj->port, 1);
	s->packets++;
	s->octets += total;
	return true;
}

/* All n have result words of policies. */
static __rte_always_inline void policies(struct express_run *r, struct rte_mbuf **m,
					 rte_edge_t *verdict, unsigned n, const struct eights *e,
					 bool v6)
{
	struct steer s = { .policy = NULL };
	unsigned done = 0;

	for (unsigned i = 0; i < n; i++) {
		if (likely(steer_one(r, &s, m[i], e, i, v6))) {
			verdict[i] = EXPRESS_FORWARD;
			done++;
		} else {
			verdict[i] = send_policy(r, m[i], frame_of(m[i]) + 14, 14, e->len[i] - 14,
						 e->word[i], v6);
		}
	}
	steer_count(r, &s);
	r->n_policy[v6] += done;
	r->n_encap[v6] += done;
}

#endif
