/* SPDX-License-Identifier: BSD-3-Clause
 * What STAMP's workloads share: this node's address, and UDP over IPv6 from and to the flows' hosts. */
#ifndef BENCH_WORKLOADS_PM_H
#define BENCH_WORKLOADS_PM_H

#include "bench/frames.h"

#define STAMP_PORT   862u
#define STAMP_OCTETS 44u              /* RFC 8762 section 4.2.1, unauthenticated */
#define HEADERS      (14u + 40u + 8u) /* Ethernet, IPv6, UDP */

static inline void our_address(uint8_t to[16])
{
	memset(to, 0, 16);
	memcpy(to, "\x20\x01\x0d\xb8\x00\x01", 6);
	to[15] = 0xff;
}

/* To the hosts of all flows, through the sink. */
static inline void route_to_flows(const struct params *p)
{
	uint8_t prefix[16] = { 0 };

	memcpy(prefix, "\x20\x01\x0d\xb8\xf0\x00", 6);
	world_route(0, 6, prefix, 48, HD_TARGET_NEXTHOP, world_nexthop6(p, 0));
}

static inline unsigned udp6_sum(const uint8_t *ip, unsigned len)
{
	uint32_t s = PROTO_UDP + len;

	for (unsigned i = 8; i < 40; i += 2)
		s += get16(ip + i);
	for (unsigned i = 0; i + 1 < len; i += 2)
		s += i == 6 ? 0 : get16(ip + 40 + i);
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (~s & 0xffff) != 0 ? ~s & 0xffff : 0xffff;
}

#endif
