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

#endif
