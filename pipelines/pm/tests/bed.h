/* SPDX-License-Identifier: BSD-3-Clause
 * Two hosts around Heddle, for the nodes of pm:
 *
 *   host 192.0.2.1, 2001:db8:a::1 -- [if 1: 192.0.2.9, 2001:db8:a::9] Heddle [if 2: 2001:db8:b::9] -- 2001:db8:b::1 */
#ifndef PIPELINES_PM_TESTS_BED_H
#define PIPELINES_PM_TESTS_BED_H

#include "tests/harness.h"
#include "tests/pktb.h"

#define MAC_1 "02:00:00:00:00:01"
#define MAC_A "02:aa:00:00:00:01"
#define ETH   "eth " MAC_1 " " MAC_A " / "

static uint32_t A, B; /* ports */
static uint8_t frame[2048];

/* Come to rest; whatever has left meanwhile is taken. */
static inline void bed_drain(void)
{
	hx_turn();
	while (hx_tx(A, frame, sizeof(frame)) != 0 || hx_tx(B, frame, sizeof(frame)) != 0)
		;
}

/* beyond: a prefix behind the host on interface 2. */
static inline void bed_start(const char *beyond)
{
	hx_start_default();
	A = hx_port();
	B = hx_port();
	hx_iface(1, A, 0);
	hx_iface(2, B, 0);
	hx_addr(1, "192.0.2.9/24");
	hx_addr(1, "2001:db8:a::9/64");
	hx_addr(2, "2001:db8:b::9/64");
	hx_neigh(1, "192.0.2.1", MAC_A);
	hx_neigh(1, "2001:db8:a::1", MAC_A);
	hx_neigh(2, "2001:db8:b::1", "02:bb:00:00:00:01");
	hx_nexthop(2, 2, "2001:db8:b::1");
	hx_route(0, beyond, HD_TARGET_NEXTHOP, 2);
}

#endif
