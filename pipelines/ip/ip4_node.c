/* SPDX-License-Identifier: BSD-3-Clause
 * Nodes ip4-input (received packets: checks, lookup, TTL) and ip4-lookup (packets already advanced or made here).
 * In: data at the IPv4 header, l2_len octets before it.  Nothing here allocates, logs or makes a system call.
 * Spec: RFC 791, RFC 1812 sections 4.2, 5.2, 5.3. */
#include <string.h>

#include "dataplane/host.h"
#include "pipelines/ip/lookup.h"

#define IP4_INPUT_VERDICTS(V, P)                                                                  \
	FWD_VERDICTS(V, P)                                                                        \
	V(P, TTL, "icmp-error", INFO,                                                             \
	  "time to live exceeded (RFC 1812 5.3.1): a traceroute, or a loop")                      \
	V(P, TRUNCATED, "drop", ERROR,                                                            \
	  "shorter than its header or its total length (RFC 1812 5.2.2): "                        \
	  "look at the sender or the wire")                                                       \
	V(P, BAD_HEADER, "drop", ERROR,                                                           \
	  "version is not 4, or header length below 20 (RFC 1812 5.2.2): look at the sender")     \
	V(P, BAD_CHECKSUM, "drop", ERROR,                                                         \
	  "header checksum is wrong (RFC 1812 5.2.2): the packet was damaged on its way")         \
	V(P, HEADER_SPLIT, "drop", ERROR,                                                         \
	  "header not in the first buffer segment: raise --mbuf-room")                            \
	V(P, BAD_SOURCE, "drop", WARN,                                                            \
	  "source is 0/8, loopback, multicast or reserved (RFC 1812 5.3.7): "                     \
	  "no host sends from there")                                                             \
	V(P, BAD_DEST, "drop", WARN,                                                              \
	  "destination is 0/8, loopback or reserved (RFC 1812 5.3.7): it does not leave a host")  \
	V(P, HOST, "punt", INFO, "multicast or broadcast, the kernel's: through the port's twin") \
	V(P, HOST_COPY, "drop", INFO,                                                             \
	  "multicast or broadcast, left to the kernel, which has its own copy: nothing is wrong") \
	V(P, MULTICAST, "drop", INFO, "multicast destination: multicast is not routed here")      \
	V(P, L2_GROUP, "drop", INFO,                                                              \
	  "unicast packet in a broadcast frame (RFC 1812 5.3.4): look at the sender's ARP table") \
	V(P, SOURCE_ROUTE, "drop", WARN, "source route option (RFC 7126 4.3): not honoured")      \
	V(P, URPF, "drop", WARN,                                                                  \
	  "source fails the reverse path check of the ingress interface (RFC 3704 2): "           \
	  "a route to it is missing, or it is spoofed")
NODE_VERDICTS(ip4_input, IP4_INPUT, IP4_INPUT_VERDICTS)

#define IP4_LOOKUP_VERDICTS(V, P)      \
	FWD_VERDICTS(V, P)             \
	V(P, TRUNCATED, "drop", ERROR, \
	  "shorter than an IPv4 header (RFC 1812 5.2.2): what was decapsulated is no IPv4 packet")
NODE_VERDICTS(ip4_lookup, IP4_LOOKUP, IP4_LOOKUP_VERDICTS)

static const uint8_t no_key[16];

static bool has_source_route(const uint8_t *p, unsigned len)
{
	for (unsigned at = 20; at < len;) {
		uint8_t type = p[at];

		if (type == 0)
			return false;
		if (type == 131 || type == 137) /* LSRR, SSRR: RFC 791 section 3.1 */
			return true;
		if (type == 1) {
			at++;
			continue;
		}
		if (at + 1 >= len || p[at + 1] < 2)
			return false; /* broken options are the destination's business */
		at += p[at + 1];
	}
	return false;
}

/* Multicast and broadcast: routing protocols, DHCP.  no_host: what it is where they are nobody's. */
static rte_edge_t group(struct rte_mbuf *m, rte_edge_t no_host)
{
	const struct iface *i = iface_get(meta(m)->iface);

	if (i == NULL || !i->host)
		return no_host;
	meta(m)->punt = host_punt;
	return i->host_copy ? IP4_INPUT_HOST_COPY : IP4_INPUT_HOST;
}

/* Everything about the header that needs no table. */
static inline rte_edge_t ip4_check(struct rte_mbuf *m, const uint8_t **key)
{
	const struct ip4_hdr *h = rte_pktmbuf_mtod(m, const struct ip4_hdr *);
	unsigned len, total;
	uint8_t s, d;

	*key = no_key;
	if (unlikely(m->data_len < sizeof(*h)))
		return m->pkt_len >= sizeof(*h) ? IP4_INPUT_HEADER_SPLIT : IP4_INPUT_TRUNCATED;
	if (likely(h->version_ihl == 0x45)) {
		len = 20;
	} else {
		len = (h->version_ihl & 15) * 4u;
		if (h->version_ihl >> 4 != 4 || len < 20)
			return IP4_INPUT_BAD_HEADER;
		if (m->data_len < len)
			return m->pkt_len >= len ? IP4_INPUT_HEADER_SPLIT : IP4_INPUT_TRUNCATED;
		if (has_source_route((const uint8_t *)h, len))
			return IP4_INPUT_SOURCE_ROUTE;
	}
	total = be16_get(h->total_len);
	if (unlikely(total < len || total > m->pkt_len))
		return IP4_INPUT_TRUNCATED;
	if ((m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) != RTE_MBUF_F_RX_IP_CKSUM_GOOD &&
	    unlikely(!hd_csum_ok(hd_csum_add(0, h, len))))
		return IP4_INPUT_BAD_CHECKSUM;
	s = h->src.b[0];
	d = h->dst.b[0];
	if (unlikely(s == 0 || s == 127 ||
		     s >= 224)) /* a host that asks for its address has 0.0.0.0 */
		return s == 0 && d >= 224 ? group(m, IP4_INPUT_BAD_SOURCE) : IP4_INPUT_BAD_SOURCE;
	if (unlikely(d == 0 || d == 127 || d >= 224))
		return d < 224 ? IP4_INPUT_BAD_DEST :
				 group(m, d < 240 ? IP4_INPUT_MULTICAST : IP4_INPUT_BAD_DEST);
	if (unlikely(meta(m)->flags & META_F_L2_MCAST))
		return group(m, IP4_INPUT_L2_GROUP);
	if (m->pkt_len > total)
		packet_trim(m, total);
	*key = h->dst.b;
	return VERDICT_OPEN;
}

static inline rte_edge_t ip4_input_one(struct fwd *f, struct rte_mbuf *m, uint32_t word)
{
	struct ip4_hdr *h = rte_pktmbuf_mtod(m, struct ip4_hdr *);
	struct hd_meta *mt = meta(m);
	uint16_t class;

	if (unlikely(mt->flags & (META_F_URPF4 | META_F_STEERED))) {
		if ((mt->flags & META_F_URPF4) && !urpf_ok(m, h->src.b, 4)) {
			mt->result = word;
			return IP4_INPUT_URPF;
		}
		if ((mt->flags & META_F_STEERED) && hd_result_kind(word) != HD_RESULT_LOCAL)
			word = mt->pipe[0];
	}
	if (unlikely(h->ttl <= 1) && hd_result_kind(word) != HD_RESULT_LOCAL) {
		mt->result = word;
		ip_icmp_error(m, ICMP4_TIME_EXCEEDED, 0, 0);
		return IP4_INPUT_TTL;
	}
	class = fwd_result(f, m, word, 4);
	if (likely(fwd_class_advances(class))) {
		ip4_ttl_decrement(h); /* where it was: only the L2 header was put before it */
		mt->flags |= META_F_ADVANCED;
	}
	return class;
}

static void ip4_input_chunk(struct rte_mbuf **m, unsigned n, rte_edge_t *verdict, void *arg)
{
	const uint8_t *key[NODE_CHUNK];
	uint32_t word[NODE_CHUNK];

	for (unsigned i = 0; i < n; i++) {
		chunk_prefetch(m, i, n);
		verdict[i] = ip4_check(m[i], &key[i]);
	}
	lookup_chunk(arg, m, key, word, n, 4);
	for (unsigned i = 0; i < n; i++)
		if (likely(verdict[i] == VERDICT_OPEN))
			verdict[i] = ip4_input_one(arg, m[i], word[i]);
}

static uint16_t ip4_input_process(struct rte_graph *g, struct rte_node *node, void **objs,
				  uint16_t n)
{
	struct fwd f = fwd_begin(node_worker(node));

	return node_run_bulk(g, node, objs, n, ip4_input_chunk, &f);
}
NODE_REGISTER(ip4_input, "ip4-input", IP4_INPUT, IP4_INPUT_VERDICTS, ip4_input_process)

static void ip4_lookup_chunk(struct rte_mbuf **m, unsigned n, rte_edge_t *verdict, void *arg)
{
	const uint8_t *key[NODE_CHUNK];
	uint32_t word[NODE_CHUNK];

	for (unsigned i = 0; i < n; i++) {
		chunk_prefetch(m, i, n);
		verdict[i] = m[i]->data_len < 20 ? IP4_LOOKUP_TRUNCATED : VERDICT_OPEN;
		key[i] = verdict[i] == VERDICT_OPEN ?
				 rte_pktmbuf_mtod_offset(m[i], const uint8_t *, 16) :
				 no_key;
	}
	lookup_chunk(arg, m, key, word, n, 4);
	for (unsigned i = 0; i < n; i++)
		if (likely(verdict[i] == VERDICT_OPEN))
			verdict[i] = fwd_result(arg, m[i], word[i], 4);
}

static uint16_t ip4_lookup_process(struct rte_graph *g, struct rte_node *node, void **objs,
				   uint16_t n)
{
	struct fwd f = fwd_begin(node_worker(node));

	return node_run_bulk(g, node, objs, n, ip4_lookup_chunk, &f);
}
NODE_REGISTER(ip4_lookup, "ip4-lookup", IP4_LOOKUP, IP4_LOOKUP_VERDICTS, ip4_lookup_process)
