/* SPDX-License-Identifier: BSD-3-Clause
 * Nodes ip6-input (received packets: checks, lookup, hop limit) and ip6-lookup (packets already advanced or made
 * here).  In: data at the IPv6 header, l2_len octets before it.  Extension headers are not looked at in transit, the
 * hop-by-hop options neither (RFC 8200 section 4).  Nothing here allocates, logs or makes a system call.
 * Spec: RFC 8200, RFC 4291. */
#include <string.h>

#include "dataplane/host.h"
#include "pipelines/ip/lookup.h"

#define IP6_INPUT_VERDICTS(V, P)                                                                      \
	FWD_VERDICTS(V, P)                                                                            \
	V(P, HOP_LIMIT, "icmp-error", INFO,                                                           \
	  "hop limit exceeded (RFC 4443 3.3): a traceroute, or a loop")                               \
	V(P, BEYOND_SCOPE, "icmp-error", WARN,                                                        \
	  "link-local source leaves its link (RFC 4443 3.1 code 2)")                                  \
	V(P, TRUNCATED, "drop", ERROR,                                                                \
	  "shorter than its header or its payload length (RFC 8200 3): "                              \
	  "look at the sender or the wire")                                                           \
	V(P, BAD_VERSION, "drop", ERROR,                                                              \
	  "version is not 6 (RFC 8200 3): the ethertype says IPv6, look at the sender")               \
	V(P, HEADER_SPLIT, "drop", ERROR,                                                             \
	  "header not in the first buffer segment: raise --mbuf-room")                                \
	V(P, BAD_SOURCE, "drop", WARN,                                                                \
	  "source is multicast, loopback or unspecified (RFC 4291 2.5.2, 2.5.3, 2.7): "               \
	  "no host sends from there")                                                                 \
	V(P, BAD_DEST, "drop", WARN,                                                                  \
	  "destination is loopback or unspecified (RFC 4291 2.5.2, 2.5.3): it does not leave a host") \
	V(P, HOST, "punt", INFO, "multicast or link-local, the kernel's: through the port's twin")    \
	V(P, HOST_COPY, "drop", INFO,                                                                 \
	  "multicast or link-local, left to the kernel, which has its own copy: nothing is wrong")    \
	V(P, MULTICAST, "drop", INFO,                                                                 \
	  "multicast destination nobody here listens to: it is not routed here")                      \
	V(P, L2_GROUP, "drop", INFO,                                                                  \
	  "unicast packet in a multicast frame is not forwarded: "                                    \
	  "look at the sender's neighbour table")                                                     \
	V(P, LINK_LOCAL, "drop", INFO,                                                                \
	  "link-local destination that is not ours (RFC 4291 2.5.6): "                                \
	  "it is not forwarded, use a global address")                                                \
	V(P, URPF, "drop", WARN,                                                                      \
	  "source fails the reverse path check of the ingress interface (RFC 3704 2): "               \
	  "a route to it is missing, or it is spoofed")
NODE_VERDICTS(ip6_input, IP6_INPUT, IP6_INPUT_VERDICTS)

#define IP6_LOOKUP_VERDICTS(V, P)                                                              \
	FWD_VERDICTS(V, P)                                                                     \
	V(P, TRUNCATED, "drop", ERROR,                                                         \
	  "shorter than an IPv6 header (RFC 8200 3): what was decapsulated is no IPv6 packet") \
	V(P, NO_LINK, "drop", WARN,                                                            \
	  "link-local destination without an interface to reach it on (RFC 4291 2.5.6): "      \
	  "use a global address")
NODE_VERDICTS(ip6_lookup, IP6_LOOKUP, IP6_LOOKUP_VERDICTS)

static const uint8_t no_key[16];

/* ff02::1, ff02::2 and the solicited-node groups: heard on every interface. */
static bool group_is_ours(const struct ip6_addr *d)
{
	static const uint8_t nodes[13] = { 0xff, 0x02 },
			     solicited[13] = { 0xff, 0x02, [11] = 1, [12] = 0xff };

	if (memcmp(d->b, solicited, 13) == 0)
		return true;
	return memcmp(d->b, nodes, 13) == 0 && d->b[13] == 0 && d->b[14] == 0 &&
	       (d->b[15] == 1 || d->b[15] == 2);
}

static bool addr_is_zero_or_one(const struct ip6_addr *a)
{
	return wire_get64(a->b) == 0 && wire_get64(a->b + 8) <= 1;
}

/* Addresses that are rare: multicast, link-local, ::, ::1. */
static rte_edge_t ip6_check_rare(struct rte_mbuf *m, const struct ip6_fixed *h)
{
	struct hd_meta *mt = meta(m);
	bool unspecified = ip6_addr_is_unspecified(&h->src);

	if (ip6_addr_is_multicast(&h->src) || (addr_is_zero_or_one(&h->src) && !unspecified))
		return IP6_INPUT_BAD_SOURCE;
	if (addr_is_zero_or_one(&h->dst))
		return IP6_INPUT_BAD_DEST;
	if (ip6_addr_is_multicast(&h->dst) || (!unspecified && ip6_addr_is_link_local(&h->dst))) {
		const struct iface *i = iface_get(mt->iface);

		if (i != NULL && i->host) {
			mt->punt = host_punt;
			return i->host_copy ? IP6_INPUT_HOST_COPY : IP6_INPUT_HOST;
		}
	}
	if (ip6_addr_is_multicast(&h->dst)) {
		if (!group_is_ours(&h->dst))
			return IP6_INPUT_MULTICAST;
		mt->result = hd_result(HD_RESULT_LOCAL, mt->iface);
		return IP6_INPUT_LOCAL;
	}
	if (unspecified) /* only for multicast, as in duplicate address detection */
		return IP6_INPUT_BAD_SOURCE;
	if (ip6_addr_is_link_local(&h->dst)) {
		const struct ip_if *f = ip_if_get(mt->iface);

		if (f == NULL || !ip6_addr_eq(&f->link_local, &h->dst))
			return IP6_INPUT_LINK_LOCAL;
		mt->result = hd_result(HD_RESULT_LOCAL, mt->iface);
		return IP6_INPUT_LOCAL;
	}
	return VERDICT_OPEN; /* a link-local source: the lookup tells whether it stays here */
}

/* The first octet tells that an address is global unicast: 2000::/3, or ULA fc00::/7. */
static inline bool addr_is_plain(const struct ip6_addr *a)
{
	return (a->b[0] & 0xe0) == 0x20 || (a->b[0] & 0xfe) == 0xfc;
}

static inline rte_edge_t ip6_check(struct rte_mbuf *m, const uint8_t **key)
{
	const struct ip6_fixed *h = rte_pktmbuf_mtod(m, const struct ip6_fixed *);
	unsigned total;

	*key = no_key;
	if (unlikely(m->data_len < sizeof(*h)))
		return m->pkt_len >= sizeof(*h) ? IP6_INPUT_HEADER_SPLIT : IP6_INPUT_TRUNCATED;
	if (unlikely(h->vtf.b[0] >> 4 != 6))
		return IP6_INPUT_BAD_VERSION;
	total = 40u + be16_get(h->payload_len);
	if (unlikely(total > m->pkt_len))
		return IP6_INPUT_TRUNCATED;
	if (m->pkt_len > total)
		packet_trim(m, total);
	if (unlikely(!addr_is_plain(&h->src) || !addr_is_plain(&h->dst))) {
		rte_edge_t v = ip6_check_rare(m, h);

		if (v != VERDICT_OPEN)
			return v;
	}
	*key = h->dst.b;
	return VERDICT_OPEN;
}

static inline rte_edge_t ip6_input_one(struct fwd *f, struct rte_mbuf *m, uint32_t word)
{
	struct ip6_fixed *h = rte_pktmbuf_mtod(m, struct ip6_fixed *);
	enum hd_result_kind kind = hd_result_kind(word);
	bool mine = kind == HD_RESULT_LOCAL || kind == HD_RESULT_SID;
	struct hd_meta *mt = meta(m);
	uint16_t class;

	if (unlikely(mt->flags & (META_F_URPF6 | META_F_L2_MCAST | META_F_STEERED) ||
		     ip6_addr_is_link_local(&h->src))) {
		mt->result = word;
		if (ip6_addr_is_link_local(&h->src)) {
			if (!mine) {
				ip_icmp_error(m, ICMP6_UNREACH, ICMP6_UNREACH_SCOPE, 0);
				return IP6_INPUT_BEYOND_SCOPE;
			}
		} else if ((mt->flags & META_F_URPF6) && !urpf_ok(m, h->src.b, 6)) {
			return IP6_INPUT_URPF;
		}
		if (!mine && (mt->flags & META_F_L2_MCAST))
			return IP6_INPUT_L2_GROUP;
		/* behind a masquerading proxy (End.AM) a SID of this node is but the last segment of the list */
		if ((mt->flags & META_F_STEERED) &&
		    (!mine ||
		     (kind == HD_RESULT_SID && hd_result_kind(mt->pipe[0]) == HD_RESULT_SID)))
			word = mt->pipe[0];
	}
	if (unlikely(h->hop_limit <= 1) && !mine) {
		mt->result = word;
		ip_icmp_error(m, ICMP6_TIME_EXCEEDED, ICMP6_TE_HOP_LIMIT, 0);
		return IP6_INPUT_HOP_LIMIT;
	}
	class = fwd_result(f, m, word, 6);
	if (likely(fwd_class_advances(class))) {
		h->hop_limit--; /* where it was: only the L2 header was put before it */
		mt->flags |= META_F_ADVANCED;
	}
	return class;
}

static void ip6_input_chunk(struct rte_mbuf **m, unsigned n, rte_edge_t *verdict, void *arg)
{
	const uint8_t *key[NODE_CHUNK];
	uint32_t word[NODE_CHUNK];

	for (unsigned i = 0; i < n; i++) {
		chunk_prefetch(m, i, n);
		verdict[i] = ip6_check(m[i], &key[i]);
	}
	lookup_chunk(arg, m, key, word, n, 6);
	for (unsigned i = 0; i < n; i++)
		if (likely(verdict[i] == VERDICT_OPEN))
			verdict[i] = ip6_input_one(arg, m[i], word[i]);
}

static uint16_t ip6_input_process(struct rte_graph *g, struct rte_node *node, void **objs,
				  uint16_t n)
{
	struct fwd f = fwd_begin(node_worker(node));

	return node_run_bulk(g, node, objs, n, ip6_input_chunk, &f);
}
NODE_REGISTER(ip6_input, "ip6-input", IP6_INPUT, IP6_INPUT_VERDICTS, ip6_input_process)

/* Link-local destinations of packets made here are on the link the cause came from. */
static rte_edge_t ip6_link_local(struct fwd *f, struct rte_mbuf *m)
{
	if (meta(m)->iface == 0)
		return IP6_LOOKUP_NO_LINK;
	return fwd_result(f, m, hd_result(HD_RESULT_GLEAN, meta(m)->iface), 6);
}

static void ip6_lookup_chunk(struct rte_mbuf **m, unsigned n, rte_edge_t *verdict, void *arg)
{
	const uint8_t *key[NODE_CHUNK];
	uint32_t word[NODE_CHUNK];

	for (unsigned i = 0; i < n; i++) {
		chunk_prefetch(m, i, n);
		verdict[i] = m[i]->data_len < 40 ? IP6_LOOKUP_TRUNCATED : VERDICT_OPEN;
		key[i] = verdict[i] == VERDICT_OPEN ?
				 rte_pktmbuf_mtod_offset(m[i], const uint8_t *, 24) :
				 no_key;
	}
	lookup_chunk(arg, m, key, word, n, 6);
	for (unsigned i = 0; i < n; i++) {
		if (unlikely(verdict[i] != VERDICT_OPEN))
			continue;
		if (unlikely(key[i][0] == 0xfe && (key[i][1] & 0xc0) == 0x80))
			verdict[i] = ip6_link_local(arg, m[i]);
		else
			verdict[i] = fwd_result(arg, m[i], word[i], 6);
	}
}

static uint16_t ip6_lookup_process(struct rte_graph *g, struct rte_node *node, void **objs,
				   uint16_t n)
{
	struct fwd f = fwd_begin(node_worker(node));

	return node_run_bulk(g, node, objs, n, ip6_lookup_chunk, &f);
}
NODE_REGISTER(ip6_lookup, "ip6-lookup", IP6_LOOKUP, IP6_LOOKUP_VERDICTS, ip6_lookup_process)
