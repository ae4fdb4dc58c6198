/* SPDX-License-Identifier: BSD-3-Clause
 * Frames, octet by octet: nothing here uses the engine's or include/heddle's functions, so that what a workload
 * expects is a second opinion.  Every function returns the octets written. */
#ifndef BENCH_FRAMES_H
#define BENCH_FRAMES_H

#include <stdint.h>
#include <string.h>

#include "bench/world.h"

#define PROTO_UDP     17u
#define PROTO_IP4     4u
#define PROTO_IP6     41u
#define PROTO_ROUTING 43u

static inline void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static inline unsigned get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* Mixes bits, the same in every run. */
static inline uint32_t scramble(uint32_t x)
{
	x ^= x >> 16;
	x *= 0x7feb352du;
	x ^= x >> 15;
	x *= 0x846ca68bu;
	return x ^ x >> 16;
}

/* Ethernet of a frame to us. */
static inline uint32_t frame_eth(uint8_t *to, unsigned ethertype)
{
	world_mac_in(to);
	memcpy(to + 6, "\x02\xbb\x00\x00\x00\x01", 6);
	put16(to + 12, ethertype);
	return 14;
}

static inline unsigned
ip4_sum(const uint8_t *h) /* of a header of 20 octets, its checksum taken as zero */
{
	uint32_t s = 0;

	for (unsigned i = 0; i < 20; i += 2)
		s += i == 10 ? 0 : get16(h + i);
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return ~s & 0xffff;
}

static inline uint32_t frame_ip4(uint8_t *to, uint32_t src, uint32_t dst, unsigned proto,
				 unsigned total)
{
	memset(to, 0, 20);
	to[0] = 0x45;
	put16(to + 2, total);
	to[6] = 0x40; /* DF */
	to[8] = 64;
	to[9] = (uint8_t)proto;
	put32(to + 12, src);
	put32(to + 16, dst);
	put16(to + 10, ip4_sum(to));
	return 20;
}

static inline uint32_t frame_ip6(uint8_t *to, const uint8_t src[16], const uint8_t dst[16],
				 unsigned next, unsigned payload)
{
	memset(to, 0, 8);
	to[0] = 0x60;
	put16(to + 4, payload);
	to[6] = (uint8_t)next;
	to[7] = 64;
	memcpy(to + 8, src, 16);
	memcpy(to + 24, dst, 16);
	return 40;
}

/* Zero checksum: over IPv4 that means none, and in transit nobody looks. */
static inline uint32_t frame_udp(uint8_t *to, uint32_t flow, unsigned len)
{
	put16(to, 1024 + (flow & 0x7fff));
	put16(to + 2, 4791);
	put16(to + 4, len);
	put16(to + 6, 0);
	return 8;
}

/* Full SRH of n segments, given in the order of the path. */
static inline uint32_t frame_srh(uint8_t *to, unsigned next, unsigned left,
				 const uint8_t (*seg)[16], unsigned n)
{
	to[0] = (uint8_t)next;
	to[1] = (uint8_t)(2 * n);
	to[2] = 4;
	to[3] = (uint8_t)left;
	to[4] = (uint8_t)(n - 1);
	memset(to + 5, 0, 3);
	for (unsigned i = 0; i < n; i++)
		memcpy(to + 8 + 16 * i, seg[n - 1 - i], 16);
	return 8 + 16 * n;
}

/* Ethernet of a frame that we send to the neighbour of next hop i. */
static inline uint32_t frame_eth_out(uint8_t *to, const struct params *p, uint32_t i,
				     unsigned ethertype)
{
	world_mac_nexthop(p, i, to);
	world_mac_out(to + 6);
	put16(to + 12, ethertype);
	return 14;
}

/* Sources of flows: 198.18.0.0/15 and 2001:db8:f000::/48. */
static inline uint32_t flow_src4(uint32_t flow)
{
	return 0xc6120000u | (flow & 0x1ffff);
}

static inline void flow_src6(uint32_t flow, uint8_t to[16])
{
	memset(to, 0, 16);
	memcpy(to, "\x20\x01\x0d\xb8\xf0\x00", 6);
	put32(to + 12, flow + 1);
}

static inline void forwarded4(uint8_t *ip)
{
	ip[8]--;
	put16(ip + 10, ip4_sum(ip));
}

static inline uint32_t at_least(uint32_t size, uint32_t least)
{
	return size < least ? least : size;
}

#endif
