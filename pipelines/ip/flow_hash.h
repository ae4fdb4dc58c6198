/* SPDX-License-Identifier: BSD-3-Clause
 * What one IP header adds to the flow hash, inline for node express.
 * Multiplications with 128-bit products mix the fields with secret words that come from the seed: without them flows
 * could be made to go together, and routers in a row would choose alike.
 * Spec: RFC 6438 section 3, RFC 6437 section 2. */
#ifndef PIPELINES_IP_FLOW_HASH_H
#define PIPELINES_IP_FLOW_HASH_H

#include "pipelines/ip/ip.h"

extern uint64_t ip_flow_secret[4]; /* written at start only */

static __rte_always_inline uint64_t flow_mix(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 p = (unsigned __int128)a * b;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static __rte_always_inline uint64_t flow_load(const uint8_t *p)
{
	uint64_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

/* `what` has 64 bits although 32 count: narrower, it was spilled as one half and read back as a whole, which waits for
 * the store (26 % of the time of the whole encapsulation). */
static __rte_always_inline uint64_t flow_add(uint64_t h, uint64_t what, uint64_t ports)
{
	return flow_mix(h ^ (what << 32 | ports), ip_flow_secret[2]);
}

/* 0 means "not computed". */
static __rte_always_inline uint32_t flow_end(uint64_t h)
{
	return (uint32_t)(h >> 32) | (h >> 32 == 0);
}

static __rte_always_inline bool flow_has_ports(uint8_t proto)
{
	return proto == IP_NH_UDP || proto == IP_NH_TCP ||
	       proto == 132 /* SCTP, RFC 9260 section 3.1 */;
}

/* Addresses, protocol, and ports, unless it is a fragment.  upper: behind the header, 4 octets readable, or NULL. */
static __rte_always_inline uint64_t flow_add4(uint64_t h, const uint8_t *ip, const uint8_t *upper)
{
	const struct ip4_hdr *v4 = (const struct ip4_hdr *)ip;
	uint64_t ports = 0;

	if (upper != NULL && flow_has_ports(v4->proto) &&
	    (be16_get(v4->frag) & (IP4_MF | IP4_FRAG_MASK)) == 0)
		ports = wire_get32(upper);
	h = flow_mix(flow_load(v4->src.b) ^ h ^ ip_flow_secret[0], ip_flow_secret[1]);
	return flow_add(h, v4->proto, ports);
}

/* Addresses, flow label and ports; 0: there are none. */
static __rte_always_inline uint64_t flow_add6_ports(uint64_t h, const uint8_t *ip, uint64_t ports)
{
	const uint64_t *k = ip_flow_secret;
	uint64_t label = wire_get32(ip) & 0xfffff;

	/* source and destination beside each other: half the way that one after the other takes */
	h = flow_mix(flow_load(ip + 8) ^ h ^ k[0], flow_load(ip + 16) ^ k[1]) ^
	    flow_mix(flow_load(ip + 24) ^ k[2], flow_load(ip + 32) ^ k[3]);
	return flow_add(h, label, ports);
}

/* The same, with ports when they are next.  upper: behind the header, 4 octets readable, or NULL. */
static __rte_always_inline uint64_t flow_add6(uint64_t h, const uint8_t *ip, const uint8_t *upper)
{
	return flow_add6_ports(
		h, ip,
		upper != NULL && flow_has_ports(ip[IP6_OFF_NEXT_HEADER]) ? wire_get32(upper) : 0);
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
