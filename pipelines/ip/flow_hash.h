/* SPDX-License-Identifier: BSD-3-Clause
 * What one IP header adds to the flow hash, inline for node express, which works it out for eight packets at a time
 * (express_hash.h): hence products of 32 bits, which vectors have.
 * Each pair of words is multiplied with secret words added to both, and the products are summed up: whoever does not
 * know the seed cannot make flows that go together (universal hashing).  Two more products with other secrets mix the
 * sum, so that all bits of it count in all bits of the result, and routers in a row do not choose alike.
 * Spec: RFC 6438 section 3, RFC 6437 section 2. */
#ifndef PIPELINES_IP_FLOW_HASH_H
#define PIPELINES_IP_FLOW_HASH_H

#include "pipelines/ip/ip.h"

extern struct ip_flow_secret {
	uint32_t addr[8];
	uint64_t label, ports; /* below 2^32 */
	uint64_t mix[3];
} ip_flow_secret __rte_cache_aligned; /* written at start only */

static __rte_always_inline uint32_t flow_load(const uint8_t *p)
{
	uint32_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

/* Words of a pair, and the secrets that are added to them. */
static __rte_always_inline uint64_t flow_pair(uint32_t a, uint32_t b, uint64_t k, uint64_t l)
{
	return (uint64_t)(uint32_t)(a + k) * (uint32_t)(b + l);
}

/* ports: as in the packet */
static __rte_always_inline uint64_t flow_add(uint64_t h, uint32_t what, uint32_t ports)
{
	return h + flow_pair(what, ports, ip_flow_secret.label, ip_flow_secret.ports);
}

/* Upper and lower half, multiplied. */
static __rte_always_inline uint64_t flow_mix(uint64_t h, unsigned i)
{
	h ^= ip_flow_secret.mix[i];
	return (h & UINT32_MAX) * (h >> 32);
}

/* Before a header inside another one is added. */
static __rte_always_inline uint64_t flow_next_header(uint64_t h)
{
	return flow_mix(h, 2) + h;
}

/* 0 means "not computed". */
static __rte_always_inline uint32_t flow_end(uint64_t h)
{
	uint32_t v;

	h = flow_mix(flow_mix(h, 0), 1);
	v = (uint32_t)(h ^ h >> 32);
	return v + (v == 0);
}

static __rte_always_inline bool flow_has_ports(uint8_t proto)
{
	return proto == IP_NH_UDP || proto == IP_NH_TCP ||
	       proto == 132 /* SCTP, RFC 9260 section 3.1 */;
}

#define FLOW_LABEL_MASK 0xffff0f00u /* of the first word of an IPv6 header, as in the packet */

/* Addresses, protocol, and ports, unless it is a fragment.  upper: behind the header, 4 octets readable, or NULL. */
static __rte_always_inline uint64_t flow_add4(uint64_t h, const uint8_t *ip, const uint8_t *upper)
{
	const struct ip4_hdr *v4 = (const struct ip4_hdr *)ip;
	uint32_t ports = 0;

	if (upper != NULL && flow_has_ports(v4->proto) &&
	    (be16_get(v4->frag) & (IP4_MF | IP4_FRAG_MASK)) == 0)
		ports = flow_load(upper);
	h += flow_pair(flow_load(v4->src.b), flow_load(v4->dst.b), ip_flow_secret.addr[0],
		       ip_flow_secret.addr[1]);
	return flow_add(h, v4->proto, ports);
}

/* Addresses, flow label and, when they are next, ports.  upper: behind the header, 4 octets readable, or NULL. */
static __rte_always_inline uint64_t flow_add6(uint64_t h, const uint8_t *ip, const uint8_t *upper)
{
	for (unsigned i = 0; i < 8; i += 2)
		h += flow_pair(flow_load(ip + 8 + 4 * i), flow_load(ip + 12 + 4 * i),
			       ip_flow_secret.addr[i], ip_flow_secret.addr[i + 1]);
	return flow_add(
		h, flow_load(ip) & FLOW_LABEL_MASK,
		upper != NULL && flow_has_ports(ip[IP6_OFF_NEXT_HEADER]) ? flow_load(upper) : 0);
}

/* The whole hash of an IPv4 packet without options or of an IPv6 packet of len octets, all in one piece. */
static __rte_always_inline uint32_t ip_flow_hash_plain4(const uint8_t *ip, unsigned len)
{
	return flow_end(flow_add4(0, ip, len >= 24 ? ip + 20 : NULL));
}

static __rte_always_inline uint32_t ip_flow_hash_plain6(const uint8_t *ip, unsigned len)
{
	if (__builtin_expect(!flow_has_ports(ip[IP6_OFF_NEXT_HEADER]), 0))
		return ip_flow_hash_of(ip, len);
	return flow_end(flow_add6(0, ip, len >= 44 ? ip + 40 : NULL));
}

#endif
