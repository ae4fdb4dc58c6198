/* SPDX-License-Identifier: BSD-3-Clause
 * Addresses of the SRv6 workloads.  Documentation prefix, one /36 for each purpose. */
#ifndef BENCH_WORKLOADS_SRV6_H
#define BENCH_WORKLOADS_SRV6_H

#include <stdio.h>

#include "bench/frames.h"

static inline void addr6(uint8_t to[16], uint32_t area, uint32_t n, uint32_t host)
{
	memset(to, 0, 16);
	memcpy(to, "\x20\x01\x0d\xb8", 4);
	put32(to + 4, area | n);
	put32(to + 12, host);
}

#define AREA_SID      0x50000000u /* ours: /128 */
#define AREA_SEGMENT  0xe0000000u /* of other nodes: n-th /64 */
#define AREA_CUSTOMER 0xa0000000u /* IPv6 destinations: n-th /64; IPv4: n-th /24 of 16/4 */

static inline void sid_addr(uint8_t to[16], uint32_t n)
{
	addr6(to, AREA_SID, 0, 0);
	put32(to + 8, n);
}

static inline uint32_t customer4(uint32_t n)
{
	return 0x10000000u + (n << 8);
}

static inline void sid_set(uint32_t n, uint16_t behavior, uint32_t target, uint32_t target_id,
			   uint32_t table)
{
	struct hd_api_srv6_sid s = { .plen = 128,
				     .sid_id = n,
				     .behavior = behavior,
				     .target = target,
				     .target_id = target_id };

	if (behavior == 18) /* End.DT6 */
		s.table6 = table;
	if (behavior == 19) /* End.DT4 */
		s.table4 = table;
	sid_addr(s.sid, n);
	world_set(HD_API_SRV6_SID, &s, sizeof(s));
}

/* Which SID, and which route, a flow takes. */
static inline uint32_t sid_of(const struct params *p, uint32_t flow)
{
	return flow % p->sids;
}

static inline uint32_t route_of(const struct params *p, uint32_t flow)
{
	return flow % p->routes;
}

/* To the other nodes' prefixes. */
static inline void segment_routes(const struct params *p, uint32_t vrf)
{
	for (uint32_t i = 0; i < p->routes; i++) {
		uint8_t a[16];

		addr6(a, AREA_SEGMENT, i, 0);
		world_route(vrf, 6, a, 64, HD_TARGET_NEXTHOP, world_nexthop6(p, i));
	}
}

/* All SIDs like s, /128; those with a next hop are spread over them.  Commits. */
static inline void sids_set(const struct params *p, struct hd_api_srv6_sid s)
{
	s.plen = 128;
	for (uint32_t i = 0; i < p->sids; i++) {
		s.sid_id = i;
		if (s.target == HD_TARGET_NEXTHOP)
			s.target_id = world_nexthop6(p, i);
		sid_addr(s.sid, i);
		world_set(HD_API_SRV6_SID, &s, sizeof(s));
	}
	world_commit();
}

/* All SIDs as End with compressed SIDs of block 32 and node and function 16 each, /64.  Commits. */
static inline void csids_set(const struct params *p, uint16_t flavors)
{
	for (uint32_t i = 0; i < p->sids; i++) {
		struct hd_api_srv6_sid s = { .plen = 64,
					     .sid_id = i,
					     .behavior = 1,
					     .flavors = flavors,
					     .lb_len = 32,
					     .ln_len = 16,
					     .fn_len = 16 };

		addr6(s.sid, AREA_SID, i, 0);
		world_set(HD_API_SRV6_SID, &s, sizeof(s));
	}
	world_commit();
}

#define PATH_SEGS 3u

/* Segments in the order of travel: a SID of ours, then two of the node behind the flow's route. */
static inline void path_of(const struct params *p, uint32_t flow, uint8_t seg[PATH_SEGS][16])
{
	sid_addr(seg[0], sid_of(p, flow));
	addr6(seg[1], AREA_SEGMENT, route_of(p, flow), 0x100 + (flow & 0xff));
	addr6(seg[2], AREA_SEGMENT, route_of(p, flow), 0x200);
}

#endif
