/* SPDX-License-Identifier: BSD-3-Clause
 * IPv4 and IPv6: what other pipelines may use of ip.
 *
 * A lookup gives a result word; fwd_result() acts on it and returns a verdict.  The verdicts of forwarding are the
 * same for every node that forwards: its verdict list begins with FWD_VERDICTS, so class n is edge n of the node:
 *
 *   #define MY_VERDICTS(V, P)                                                                                 \
 *	FWD_VERDICTS(V, P)                                                                                     \
 *	V(P, BAD_SRH, "drop", ERROR, "...")
 *   NODE_VERDICTS(my, MY, MY_VERDICTS)       MY_FORWARD == FWD_FORWARD, ..., then MY_BAD_SRH
 *
 *   struct fwd f = fwd_begin(worker);        once per node call
 *   edge = fwd_result(&f, m, sid->target_word, 6);
 *
 * A node that only changes a packet and wants it looked up sends it to ip4-lookup or ip6-lookup instead. */
#ifndef PIPELINES_IP_IP_H
#define PIPELINES_IP_IP_H

#include <rte_branch_prediction.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/meta.h"
#include "dataplane/pipeline.h"
#include "dataplane/result.h"
#include "dataplane/tables/fib.h"
#include "dataplane/tables/fib_cache.h"
#include "dataplane/tables/slots.h"
#include "dataplane/worker.h"
#include "heddle/api/ip.h"
#include "heddle/wire/icmp4.h"
#include "heddle/wire/icmp6.h"
#include "pipelines/l2/l2.h"

extern const struct pipeline ip_pipeline;

/* ---- adjacencies -------------------------------------------------------------------------------------------- */

enum adj_state {
	ADJ_RESOLVED,   /* hdr is ready */
	ADJ_INCOMPLETE, /* gateway to resolve: packets go to the control thread, which holds them */
	ADJ_GLEAN,      /* no gateway: the destination itself is the neighbour */
	ADJ_FAILED,     /* the neighbour does not answer */
	ADJ_DOWN,       /* interface or link down */
};

#define ADJ_HDR_ROOM 32u

/* A neighbour on an interface: a ready L2 header.  Immutable once published. */
struct adj {
	uint8_t hdr[ADJ_HDR_ROOM]; /* right-aligned: the last hdr_len octets; the ethertype is set per packet */
	uint16_t port, iface;
	uint16_t plain_len;  /* max_len, but 0 also when hdr_len is not 14: frames have tags */
	uint16_t mtu;        /* L3 octets */
	uint8_t state : 4;   /* enum adj_state */
	uint8_t family : 4;  /* of gateway: 4 or 6 */
	uint8_t hdr_len;     /* 14, 18 or 22 */
	uint16_t max_len;    /* L3 octets that may be sent right now: mtu, or 0 unless RESOLVED */
	uint32_t object;     /* nh_id, for drops and traces; neighbours: UINT32_MAX */
	uint8_t gateway[16]; /* for INCOMPLETE */
} __rte_cache_aligned;
static_assert(sizeof(struct adj) == 64, "one cache line");

/* Port, interface and how long frames may be, at one stroke: the same for neighbours whose packets leave alike. */
static __rte_always_inline uint64_t adj_way(const struct adj *a)
{
	uint64_t way;

	static_assert(offsetof(struct adj, mtu) == offsetof(struct adj, port) + 6, "");
	__builtin_memcpy(&way, &a->port, sizeof(way));
	return way;
}

extern struct slots *adj_slots;
static inline const struct adj *adj_get(uint32_t index)
{
	return slots_get(adj_slots, index);
}

/* Put the L2 header of a resolved adjacency before the packet (data at its IP header), point the metadata to its
 * port and count it.  The caller has checked state, mtu and that m has ADJ_HDR_ROOM octets of headroom.
 *   count      the worker's slice, iface_counts[worker->id]
 *   ethertype  ETHTYPE_IP4 or ETHTYPE_IP6, of what m carries: an IPv4 packet may go to an IPv6 gateway (RFC 8950) */
static __rte_always_inline void adj_rewrite(struct rte_mbuf *m, const struct adj *a,
					    uint16_t ethertype, struct iface_count *count)
{
	uint8_t *l3 = rte_pktmbuf_mtod(m, uint8_t *);

	__builtin_memcpy(l3 - ADJ_HDR_ROOM, a->hdr, ADJ_HDR_ROOM);
	wire_put16(l3 - 2, ethertype);
	m->data_off = (uint16_t)(m->data_off - a->hdr_len);
	m->data_len = (uint16_t)(m->data_len + a->hdr_len);
	m->pkt_len += a->hdr_len;
	iface_egress(m, a->port, a->iface, count);
}

/* ---- multipath groups --------------------------------------------------------------------------------------- */

/* Weighted multipath.  Buckets hold result words (adjacencies); members that are down hold none.
 * Immutable once published. */
struct nhg {
	uint32_t mask; /* buckets - 1 */
	uint32_t n_up; /* members in use; 0: every bucket is HD_RESULT_NONE */
	uint32_t id;   /* group_id */
	uint32_t pad;
	uint32_t bucket[];
};

extern struct slots *nhg_slots;
static inline const struct nhg *nhg_get(uint32_t index)
{
	return slots_get(nhg_slots, index);
}

static inline uint32_t nhg_select(const struct nhg *g, uint32_t hash)
{
	return g->bucket[hash & g->mask];
}

/* ---- flow hash ---------------------------------------------------------------------------------------------- */

/* Hash of the packet's flow, never 0, kept in meta->flow_hash once computed; data at the IP header.
 * IPv6: addresses and flow label (RFC 6438 section 3), and ports when no routing header is there; a tunnel
 * without a flow label by its inner packet.  IPv4: addresses, protocol and ports.  A fragment: no ports. */
uint32_t ip_flow_hash_slow(struct rte_mbuf *m);
uint32_t ip_flow_hash_of(const uint8_t *ip, uint32_t len); /* len octets may be read */
static inline uint32_t ip_flow_hash(struct rte_mbuf *m)
{
	uint32_t h = meta(m)->flow_hash;

	return likely(h != 0) ? h : ip_flow_hash_slow(m);
}

/* Seed of the flow hash; a random one is set at start.  Control thread. */
void ip_flow_seed_set(uint64_t seed);

/* ---- tables ------------------------------------------------------------------------------------------------- */

struct ip_vrf {
	struct fib *fib4, *fib6;
	uint16_t id;
};
extern struct slots *vrf_slots; /* by vrf id; 0 always exists */

/* The FIBs of a VRF; NULL: no such VRF.  Readers: good until the end of the burst. */
static inline const struct fib *ip_fib4(uint32_t vrf)
{
	const struct ip_vrf *v = slots_get(vrf_slots, vrf);

	return likely(v != NULL) ? v->fib4 : NULL;
}

static inline const struct fib *ip_fib6(uint32_t vrf)
{
	const struct ip_vrf *v = slots_get(vrf_slots, vrf);

	return likely(v != NULL) ? v->fib6 : NULL;
}

/* Control thread: the store of all sources of a prefix; the best one (highest value) is in the FIB. */
enum rib_source { RIB_ROUTE, RIB_CONNECTED, RIB_NEIGH, RIB_LOCAL, RIB_SID, RIB_N_SOURCES };

/* Create or replace what a source says about a prefix (family 4 or 6; 4 or 16 octets, bits behind plen ignored).
 * Returns 0, -ENOENT no such VRF, -EINVAL, -ENOSPC, -ENOMEM; on error nothing has changed. */
int ip_rib_set(uint32_t vrf, unsigned family, const uint8_t *prefix, uint8_t plen,
	       enum rib_source source, uint32_t result);
/* Deleting what is absent succeeds. */
int ip_rib_del(uint32_t vrf, unsigned family, const uint8_t *prefix, uint8_t plen,
	       enum rib_source source);

/* This prefix is about to be set or deleted. */
void ip_rib_prefetch(uint32_t vrf, unsigned family, const uint8_t *prefix, uint8_t plen);

/* Control thread: the result word of an enum hd_target.  The word of a next hop, a group or a VRF stays the same as
 * long as the object exists, whatever happens to it.  Returns 0, -ENOENT, -EINVAL; HD_TARGET_NONE is -EINVAL. */
int ip_target_result(uint32_t target, uint32_t id, uint32_t *ret);

/* For object_kind.refs: what (target, id) refers to.  Returns 0 or 1 entries written. */
struct object_ref;
unsigned ip_target_ref(uint32_t target, uint32_t id, struct object_ref *ret);

/* An address of this node for packets it makes: of interface iface if that has one (0: none asked), else any
 * global one.  Any thread.  False: there is none. */
bool ip_source4(uint32_t iface, be32_t *ret);
bool ip_source6(uint32_t iface, struct ip6_addr *ret);

/* ---- forwarding --------------------------------------------------------------------------------------------- */

#define FWD_VERDICTS(V, P)                                                                       \
	V(P, FORWARD, "port-tx", INFO, "sent to a neighbour")                                    \
	V(P, LOCAL, "ip-local", INFO, "addressed to this node")                                  \
	V(P, SID, "srv6-endpoint", INFO, "destination is a local SID (RFC 8754 4.3)")            \
	V(P, POLICY, "srv6-encap", INFO, "steered into an SR policy (RFC 9256 8)")               \
	V(P, RESOLVE, "punt", INFO, "waits for the neighbour's address (RFC 826, RFC 4861 7.2)") \
	V(P, PUNT, "punt", INFO, "the route leads to the control plane")                         \
	V(P, FRAGMENT, "ip4-frag", INFO,                                                         \
	  "longer than the egress MTU, may be fragmented (RFC 791 2.3)")                         \
	V(P, TOO_BIG, "icmp-error", WARN,                                                        \
	  "longer than the egress MTU: check the MTU of the path (RFC 4443 3.2, RFC 1191 4)")    \
	V(P, NO_ROUTE, "icmp-error", WARN,                                                       \
	  "no route to the destination (RFC 4443 3.1 code 0, RFC 792): "                         \
	  "is the interface in the right VRF?")                                                  \
	V(P, UNREACHABLE, "icmp-error", WARN, "the route says unreachable")                      \
	V(P, PROHIBIT, "icmp-error", WARN, "the route says prohibited (RFC 4443 3.1 code 1)")    \
	V(P, NEIGH_FAILED, "icmp-error", WARN,                                                   \
	  "the neighbour does not answer ARP or ND (RFC 4443 3.1 code 3, RFC 1812 5.2.7.1): "    \
	  "is it up?")                                                                           \
	V(P, BLACKHOLE, "drop", INFO, "the route says discard: see heddle show routes")          \
	V(P, LINK_DOWN, "drop", WARN,                                                            \
	  "egress interface or its link is down: see heddle show interfaces")                    \
	V(P, GROUP_DOWN, "drop", WARN,                                                           \
	  "every member of the multipath group is down: "                                        \
	  "see heddle show neighbours")                                                          \
	V(P, NO_OBJECT, "drop", WARN,                                                            \
	  "what the route points to was deleted or is not carried out here: "                    \
	  "see heddle diff running dataplane")                                                   \
	V(P, NO_HEADROOM, "drop", ERROR,                                                         \
	  "no room in the packet buffer for the L2 header: raise --mbuf-room")                   \
	V(P, VRF_LOOP, "drop", ERROR,                                                            \
	  "routes send the packet through more than 4 VRFs: look for a loop")

#define FWD_ENUM_(P, NAME, next, sev, help) FWD_##NAME,
enum fwd_verdict { FWD_VERDICTS(FWD_ENUM_, FWD) FWD_N_VERDICTS };

/* What belongs to a worker. */
struct ip_worker {
	struct fib_cache *cache;
	/* node express: */
	struct rte_node *node[5]; /* the nodes in whose name it counts, */
	uint64_t *count[5];       /* and their verdict counters */
};
extern struct ip_worker ip_workers[STATS_SLICES_MAX];

/* What a node needs to forward; filled once per node call. */
struct fwd {
	struct iface_count *count;
	struct worker *worker;
	struct fib_cache *cache;
	const uint8_t *dst; /* address to look up in further VRFs; NULL: the packet's destination */
};

static inline struct fwd fwd_begin(struct worker *w)
{
	return (struct fwd){ .count = iface_counts[w->id],
			     .worker = w,
			     .cache = ip_workers[w->id].cache };
}

/* Lookups of n destinations in one table, with the help of what this worker looked up before. */
static inline void fwd_lookup4(struct fwd *f, const struct fib *fib, const uint8_t *const *key,
			       uint32_t *ret_word, unsigned n)
{
	unsigned bits;

	if (fib_direct(fib, &bits) != NULL) /* one access away: remembering is no gain */
		fib_lookup_bulk4p(fib, key, ret_word, n);
	else
		fib_cache_lookup4p(f->cache, fib, key, ret_word, n);
}

static inline void fwd_lookup6(struct fwd *f, const struct fib *fib, const uint8_t *const *key,
			       uint32_t *ret_word, unsigned n)
{
	fib_cache_lookup6p(f->cache, fib, key, ret_word, n);
}

/* Everything but the common case of fwd_result(). */
uint16_t fwd_result_slow(struct fwd *f, struct rte_mbuf *m, uint32_t word, unsigned family);

/* Act on a result word for a packet whose data is at its IP header (trimmed to the IP length).  Fills the metadata
 * that the returned edge needs (egress, ICMP type, punt reason, meta->result).  Does not touch TTL or hop limit: on
 * FWD_FORWARD, _POLICY, _RESOLVE, _FRAGMENT the caller decrements it unless already done (the IP header has not
 * moved in memory: save its address before, since m's data then starts at the L2 header). */
static __rte_always_inline uint16_t fwd_result(struct fwd *f, struct rte_mbuf *m, uint32_t word,
					       unsigned family)
{
	if (likely(hd_result_kind(word) == HD_RESULT_ADJ)) {
		const struct adj *a = adj_get(hd_result_index(word));

		if (likely(a != NULL && m->pkt_len <= a->max_len && m->data_off >= ADJ_HDR_ROOM)) {
			meta(m)->result = word;
			adj_rewrite(m, a, family == 4 ? ETHTYPE_IP4 : ETHTYPE_IP6, f->count);
			return FWD_FORWARD;
		}
	} else if (hd_result_kind(word) == HD_RESULT_SID) {
		meta(m)->result = word;
		return FWD_SID;
	}
	return fwd_result_slow(f, m, word, family);
}

/* Is this class one for which the packet's TTL or hop limit counts (it goes on to another node)? */
static inline bool fwd_class_advances(uint16_t class)
{
	return (1u << class) &
	       (1u << FWD_FORWARD | 1u << FWD_POLICY | 1u << FWD_RESOLVE | 1u << FWD_FRAGMENT);
}

/* Metadata for node "icmp-error": send type and code about this packet (ICMPv4 or ICMPv6 by its version).
 * arg: pointer or MTU, host order, else 0.  Data must be at the IP header; the node undoes the decrement of the TTL
 * or hop limit if META_F_ADVANCED says it was done here, so that the error quotes what was received. */
static inline void ip_icmp_error(struct rte_mbuf *m, uint8_t type, uint8_t code, uint32_t arg)
{
	struct hd_meta *mt = meta(m);

	mt->icmp_type = type;
	mt->icmp_code = code;
	mt->arg = arg;
}

/* Cut a packet to len octets, chained or not; len <= pkt_len. */
static inline void packet_trim(struct rte_mbuf *m, uint32_t len)
{
	struct rte_mbuf *s = m;
	uint32_t at = 0;

	if (m->nb_segs == 1) {
		m->data_len = (uint16_t)len;
		m->pkt_len = len;
		return;
	}
	m->nb_segs = 1;
	while (at + s->data_len < len && s->next != NULL) {
		at += s->data_len;
		s = s->next;
		m->nb_segs++;
	}
	s->data_len = (uint16_t)(len - at);
	m->pkt_len = len;
	rte_pktmbuf_free(s->next);
	s->next = NULL;
}

/* ---- delivery to this node ---------------------------------------------------------------------------------- */

/* Registered, at init or later, by the pipeline that serves an upper layer.  proto: IP protocol number; udp_port:
 * host order, 0 unless proto is UDP.  dest: an edge of ip-local (enum ip_local_verdict of ip_local.h, to which the
 * pipeline adds its line), or IP_LOCAL_TO_PUNT + a punt reason.  The node gets the packet with data at the IP header.
 * Returns 0, -EEXIST, -EINVAL. */
#define IP_LOCAL_TO_PUNT 0x100u
int ip_local_register(uint8_t proto, uint16_t udp_port, uint16_t dest);
/* Take it back; packets under way still arrive. */
void ip_local_unregister(uint8_t proto, uint16_t udp_port);

/* ---- explain (dataplane/explain.h) --------------------------------------------------------------------------- */

/* Control thread.  The route that a lookup of dst in a VRF finds, further VRFs it leads to, and groups; then what
 * word, the result acted upon, stands for.  Entries as in explain_fn. */
struct hd_api_explain_entry;
unsigned ip_explain_lookup(uint32_t vrf, unsigned family, const uint8_t *dst,
			   struct hd_api_explain_entry *e, unsigned room);
unsigned ip_explain_word(uint32_t word, unsigned family, const uint8_t *dst,
			 struct hd_api_explain_entry *e, unsigned room);

/* ---- neighbours --------------------------------------------------------------------------------------------- */

/* Control thread: call fn for each neighbour until it returns other than 0, which is returned. */
int ip_neigh_walk(int (*fn)(const struct hd_api_neigh_state *n, void *arg), void *arg);

#endif
