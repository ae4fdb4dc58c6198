/* SPDX-License-Identifier: BSD-3-Clause
 * Node srv6-endpoint: packets whose destination is a local SID (result kind SID).
 * A chunk goes through four phases, so that the cache misses of many packets overlap: fetch SIDs and headers; let each
 * SID's behavior plan; look up the next segments in bulk; send, and only then change the packet.  The usual packet
 * leaves from here to port-tx without another node.
 * Nothing here allocates, logs or makes a system call.
 * Spec: RFC 8986; the behaviors themselves are pure functions in files of their own (README.md). */
#include "dataplane/node.h"
#include "dataplane/object_drops.h"
#include "heddle/api/srv6.h"
#include "pipelines/ip/ip.h"
#include "pipelines/srv6/endpoint_l2.h"
#include "pipelines/srv6/endpoint_proxy.h"
#include "pipelines/srv6/hmac.h"
#include "pipelines/srv6/oam.h"
#include "pipelines/srv6/sid_table.h"

#define SAME_(P, NAME, next, sev, help)                       \
	static_assert((int)SRV6_EP_##NAME == (int)FWD_##NAME, \
		      "verdicts.h follows FWD_VERDICTS of ip.h");
FWD_VERDICTS(SAME_, FWD)
#undef SAME_
static_assert(NODE_CHUNK <= SRV6_HMAC_MANY, "a chunk's digests are computed at once");

/* Forwarding verdicts after which the packet is changed and goes on. */
#define GOES_ON                                                                   \
	(1u << FWD_FORWARD | 1u << FWD_LOCAL | 1u << FWD_SID | 1u << FWD_POLICY | \
	 1u << FWD_RESOLVE | 1u << FWD_PUNT | 1u << FWD_FRAGMENT)
/* Those that lead to icmp-error: the packet is put back as it was received. */
#define ANSWERED                                                                               \
	(1u << FWD_TOO_BIG | 1u << FWD_NO_ROUTE | 1u << FWD_UNREACHABLE | 1u << FWD_PROHIBIT | \
	 1u << FWD_NEIGH_FAILED)

struct ep_run {
	struct fwd fwd;
	const struct node_slot *slot;
	struct srv6_sid_count *count;
};

static inline bool goes_on(unsigned v)
{
	return v < FWD_N_VERDICTS && (GOES_ON >> v & 1) != 0;
}

/* Cut octets off in front: what stood there, the L2 header included, no longer belongs to the packet. */
static inline void cut_front(struct rte_mbuf *m, uint32_t n)
{
	rte_pktmbuf_adj(m, (uint16_t)n);
	meta(m)->l2_len = 0;
}

/* PSP moves the IPv6 header before the L2 header is put in front, so it is done first and undone if the packet cannot
 * leave.  Headers longer than SAVE stay popped; their ICMP error then quotes the packet without the SRH. */
#define SAVE 384u
static __rte_noinline unsigned send_popped(struct ep_run *r, struct rte_mbuf *m, struct srv6_pkt *p,
					   uint32_t word)
{
	uint8_t save[SAVE], l2_len = meta(m)->l2_len;
	uint32_t n = p->srh_off + p->srh_len, cut;
	unsigned v;

	if (n <= SAVE)
		memcpy(save, p->ip, n);
	cut = srv6_commit_advance(p);
	cut_front(m, cut);
	v = fwd_result(&r->fwd, m, word, 6);
	if ((ANSWERED >> v & 1) == 0 || n > SAVE) {
		meta(m)->flags |= META_F_ADVANCED;
		return v;
	}
	rte_pktmbuf_prepend(m, (uint16_t)cut);
	memcpy(p->ip, save, n);
	meta(m)->l2_len = l2_len;
	return v;
}

/* Advance and send by a result word. */
static inline unsigned send_advanced(struct ep_run *r, struct rte_mbuf *m, struct srv6_pkt *p,
				     uint32_t word)
{
	struct hd_meta *mt = meta(m);
	unsigned v;

	if (p->vrf != SRV6_VRF_INGRESS)
		mt->vrf = (uint16_t)p->vrf;
	if (unlikely(p->pop))
		return send_popped(r, m, p, word);
	r->fwd.dst = p->next_dst; /* the destination is changed once the packet can leave */
	v = fwd_result(&r->fwd, m, word, 6);
	r->fwd.dst = NULL;
	if (likely(goes_on(v))) {
		srv6_commit_advance(p);
		mt->flags |= META_F_ADVANCED;
	}
	return v;
}

/* Leave the outer headers behind; the inner packet starts anew, as if received with no interface of its own: no
 * reverse path check against the core's interface, its hop limit still to be counted. */
static inline void decapsulate(struct rte_mbuf *m, struct srv6_pkt *p)
{
	struct hd_meta *mt = meta(m);

	cut_front(m, srv6_commit_decap(p));
	mt->flags &= META_F_L2_MCAST;
	mt->flow_hash = 0;
	mt->iface = 0;
	if (p->vrf != SRV6_VRF_INGRESS)
		mt->vrf = (uint16_t)p->vrf;
}

/* End.DX4, End.DX6, End.X with USD: the inner packet goes to the SID's next hop. */
static __rte_noinline unsigned send_inner(struct ep_run *r, struct rte_mbuf *m, struct srv6_pkt *p,
					  uint32_t word)
{
	uint8_t *in = p->ip + p->upper_off;
	bool v6 = p->upper == IP_NH_IP6;
	uint32_t len = v6 ? sizeof(struct ip6_fixed) + wire_get16(in + IP6_OFF_PAYLOAD_LEN) :
			    wire_get16(in + 2);
	unsigned v;

	if (len > p->len - p->upper_off ||
	    len < (v6 ? sizeof(struct ip6_fixed) : (in[0] & 15) * 4u))
		return SRV6_EP_INNER_SHORT;
	decapsulate(m, p);
	if (m->pkt_len > len)
		packet_trim(m, len);
	if ((v6 ? in[IP6_OFF_HOP_LIMIT] : ((struct ip4_hdr *)in)->ttl) <= 1) {
		ip_icmp_error(m, v6 ? ICMP6_TIME_EXCEEDED : ICMP4_TIME_EXCEEDED, 0, 0);
		return SRV6_EP_INNER_HOP_LIMIT;
	}
	v = fwd_result(&r->fwd, m, word, v6 ? 6 : 4);
	if (!goes_on(v))
		return v;
	if (v6)
		in[IP6_OFF_HOP_LIMIT]--;
	else
		ip4_ttl_decrement((struct ip4_hdr *)in);
	meta(m)->flags |= META_F_ADVANCED;
	return v == FWD_FORWARD ? SRV6_EP_CROSS_CONNECT : v;
}

/* A frame without its outer headers, data at its Ethernet header. */
static void unwrap_frame(struct rte_mbuf *m, struct srv6_pkt *p)
{
	if (m->pkt_len > p->len)
		packet_trim(m, p->len);
	decapsulate(m, p);
}

/* End.AS, End.AD: to the service. */
static __rte_noinline unsigned to_service(struct ep_run *r, struct rte_mbuf *m,
					  const struct srv6_sid *s, struct srv6_pkt *p)
{
	unsigned v;

	if (s->behavior == HD_SRV6_END_AD)
		srv6_proxy_keep(r->fwd.worker, s, m, p);
	if (s->inner == HD_SRV6_INNER_ETH) {
		unwrap_frame(m, p);
		v = srv6_l2_port(s, m, r->fwd.count);
		return v == SRV6_EP_L2_PORT ? SRV6_EP_PROXY : v;
	}
	v = send_inner(r, m, p, s->result);
	return v == SRV6_EP_CROSS_CONNECT ? SRV6_EP_PROXY : v;
}

static __rte_noinline unsigned act_l2(struct ep_run *r, struct rte_mbuf *m,
				      const struct srv6_sid *s, struct srv6_pkt *p, unsigned v)
{
	if (v == SRV6_EP_L2_BRIDGE)
		srv6_l2_bridge(s, m, p);
	unwrap_frame(m, p);
	return v == SRV6_EP_L2_BRIDGE ? v : srv6_l2_port(s, m, r->fwd.count);
}

static __rte_noinline void icmp_error(struct rte_mbuf *m, const struct srv6_pkt *p)
{
	ip_icmp_error(m, p->icmp_type, p->icmp_code, p->icmp_data);
}

/* Make the plan come true. */
static inline unsigned act(struct ep_run *r, struct rte_mbuf *m, const struct srv6_sid *s,
			   struct srv6_pkt *p, unsigned v, uint32_t word)
{
	switch (v) {
	case SRV6_EP_FORWARD:
		return send_advanced(r, m, p, word);
	case SRV6_EP_CROSS_CONNECT:
		if (p->next_dst == NULL)
			return send_inner(r, m, p, s->result);
		v = send_advanced(r, m, p, s->result);
		return v == FWD_FORWARD ? SRV6_EP_CROSS_CONNECT : v;
	case SRV6_EP_DECAP4:
	case SRV6_EP_DECAP6:
		decapsulate(m, p);
		return v;
	case SRV6_EP_PROXY:
		return to_service(r, m, s, p);
	case SRV6_EP_L2_PORT:
	case SRV6_EP_L2_BRIDGE:
		return act_l2(r, m, s, p, v);
	case SRV6_EP_HOP_LIMIT:
	case SRV6_EP_BAD_LIST:
	case SRV6_EP_NOT_LAST:
	case SRV6_EP_ROUTING_TYPE:
	case SRV6_EP_UPPER_REFUSED:
	case SRV6_EP_NEXT_HEADER:
	case SRV6_EP_OPTION:
	case SRV6_EP_CSID_INDEX:
	case SRV6_EP_HMAC_BAD:
	case SRV6_EP_TLV_OVERRUN:
		icmp_error(m, p);
		return v;
	default:
		return v;
	}
}

/* A packet counts for its SID when it has been processed, RFC 8986 section 6; one that waits for a neighbour does not
 * count yet, one that is refused counts as an error. */
static inline void count_sid(struct ep_run *r, const struct srv6_sid *s, unsigned v,
			     uint32_t octets)
{
	struct srv6_sid_count *c = &r->count[s->sid_id];

	if (likely(goes_on(v) || v == SRV6_EP_CROSS_CONNECT || v == SRV6_EP_DECAP4 ||
		   v == SRV6_EP_DECAP6 || v == SRV6_EP_L2_PORT || v == SRV6_EP_L2_BRIDGE ||
		   v == SRV6_EP_PROXY)) {
		c->packets += v != FWD_RESOLVE;
		c->octets += v != FWD_RESOLVE ? octets : 0;
	} else {
		c->errors++;
		object_drop(r->slot, (struct object_name){ srv6_sid_vec, s->sid_id }, v, octets);
	}
}

/* Look up the next segments of those packets of the chunk that want it; runs of equal tables share one bulk lookup. */
static inline void lookup(struct fwd *f, const uint8_t *const *key, const struct fib *const *fib,
			  uint32_t *word, unsigned n)
{
	for (unsigned i = 0, k; i < n; i = k) {
		for (k = i + 1; k < n && fib[k] == fib[i]; k++)
			;
		if (likely(fib[i] != NULL))
			fwd_lookup6(f, fib[i], key + i, word + i, k - i);
	}
}

static inline void ep_chunk(struct rte_mbuf **m, unsigned n, rte_edge_t *verdict, void *arg)
{
	struct ep_run *r = arg;
	const struct srv6_sid *sid[NODE_CHUNK];
	struct srv6_pkt pkt[NODE_CHUNK];
	const uint8_t *key[NODE_CHUNK];
	const struct fib *fib[NODE_CHUNK];
	uint32_t word[NODE_CHUNK];
	uint8_t want[NODE_CHUNK];
	unsigned i, k, n_want = 0;

	for (i = 0; i < n; i++) {
		uint8_t *ip = rte_pktmbuf_mtod(m[i], uint8_t *);

		sid[i] = srv6_sid_get(hd_result_index(meta(m[i])->result));
		rte_prefetch0(sid[i]);
		rte_prefetch0(ip);
		rte_prefetch0(ip + RTE_CACHE_LINE_SIZE);
		pkt[i] =
			(struct srv6_pkt){ .ip = ip, .head = m[i]->data_len, .len = m[i]->pkt_len };
	}
	if (unlikely(__atomic_load_n(&srv6_hmac_keys, __ATOMIC_RELAXED) != NULL))
		srv6_hmac_check_many(sid, pkt, n);
	for (i = 0; i < n; i++) {
		struct srv6_pkt *p = &pkt[i];

		verdict[i] = likely(sid[i] != NULL) ? (rte_edge_t)sid[i]->plan(sid[i], p) :
						      SRV6_EP_SID_GONE;
		if (likely(verdict[i] == SRV6_EP_FORWARD)) {
			uint32_t vrf = p->vrf == SRV6_VRF_INGRESS ? meta(m[i])->vrf : p->vrf;

			fib[n_want] = ip_fib6(vrf);
			key[n_want] = p->next_dst;
			if (unlikely(fib[n_want] == NULL))
				verdict[i] = SRV6_EP_NO_TABLE;
			else
				want[n_want++] = (uint8_t)i;
		}
	}
	lookup(&r->fwd, key, fib, word, n_want);
	for (i = 0; i < n_want; i++)
		if (likely(hd_result_kind(word[i]) == HD_RESULT_ADJ))
			rte_prefetch0(adj_get(hd_result_index(word[i])));
	for (i = 0, k = 0; i < n; i++) {
		uint32_t w = k < n_want && want[k] == i ? word[k++] : 0;

		if (unlikely(sid[i] == NULL))
			continue;
		meta(m[i])->object = sid[i]->sid_id;
		if (unlikely(sid[i]->flags & HD_SRV6_SID_F_OAM))
			srv6_oam_copy(r->fwd.worker, m[i], &pkt[i]);
		verdict[i] = (rte_edge_t)act(r, m[i], sid[i], &pkt[i], verdict[i], w);
		count_sid(r, sid[i], verdict[i], pkt[i].len);
	}
}

static uint16_t srv6_endpoint_process(struct rte_graph *g, struct rte_node *node, void **objs,
				      uint16_t n)
{
	struct worker *w = node_worker(node);
	struct ep_run r = { .fwd = fwd_begin(w),
			    .slot = node_slot(node),
			    .count = srv6_sid_counts[w->id] };

	return node_run_bulk(g, node, objs, n, ep_chunk, &r);
}

NODE_REGISTER(srv6_endpoint, "srv6-endpoint", SRV6_EP, SRV6_ENDPOINT_VERDICTS,
	      srv6_endpoint_process)
