/* SPDX-License-Identifier: BSD-3-Clause
 * The bed of the ip tests: two ports A and B, an interface on each, neighbours, and routes of every kind.
 *
 *   host a 192.0.2.1, 2001:db8:a::1 -- A [if 1: 192.0.2.9, 2001:db8:a::9]  Heddle  [if 2: 198.51.100.9, 2001:db8:b::9]
 *   B -- host b 198.51.100.1, 2001:db8:b::1, behind it 203.0.113.0/24 and 2001:db8:c::/48 */
#ifndef PIPELINES_IP_TESTS_BED_H
#define PIPELINES_IP_TESTS_BED_H

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "pipelines/ip/internal.h"
#include "tests/harness.h"
#include "tests/pktb.h"

#define MAC_1 "02:00:00:00:00:01" /* of interface 1 */
#define MAC_2 "02:00:00:00:00:02"
#define MAC_A "02:aa:00:00:00:01" /* of host a */
#define MAC_B "02:bb:00:00:00:01"
#define ETH   "eth " MAC_1 " " MAC_A " / " /* from host a to Heddle */

static uint32_t A, B;

static inline unsigned drain(uint32_t port)
{
	uint8_t one[64];
	unsigned n = 0;

	while (hx_tx(port, one, sizeof(one)) != 0)
		n++;
	return n;
}

static inline void bed_up(void)
{
	hx_start_default();
	A = hx_port();
	B = hx_port();
	hx_vrf(7);
	hx_iface(1, A, 0);
	hx_iface(2, B, 0);
	hx_addr(1, "192.0.2.9/24");
	hx_addr(1, "2001:db8:a::9/64");
	hx_addr(2, "198.51.100.9/24");
	hx_addr(2, "2001:db8:b::9/64");
	hx_neigh(1, "192.0.2.1", MAC_A);
	hx_neigh(1, "2001:db8:a::1", MAC_A);
	hx_neigh(2, "198.51.100.1", MAC_B);
	hx_neigh(2, "2001:db8:b::1", MAC_B);
	hx_nexthop(1, 2, "198.51.100.1");
	hx_nexthop(2, 2, "2001:db8:b::1");
	hx_route(0, "203.0.113.0/24", HD_TARGET_NEXTHOP, 1);
	hx_route(0, "2001:db8:c::/48", HD_TARGET_NEXTHOP, 2);
	hx_route(0, "203.0.113.128/25", HD_TARGET_NEXTHOP,
		 2); /* IPv4 through an IPv6 gateway, RFC 8950 */
	hx_route(0, "100.64.1.0/24", HD_TARGET_BLACKHOLE, 0);
	hx_route(0, "100.64.2.0/24", HD_TARGET_UNREACHABLE, 0);
	hx_route(0, "100.64.3.0/24", HD_TARGET_PROHIBIT, 0);
	hx_route(0, "100.64.7.0/24", HD_TARGET_VRF, 7);
	hx_route(7, "100.64.7.0/24", HD_TARGET_NEXTHOP, 1);
	hx_route(0, "2001:db8:dead:1::/64", HD_TARGET_BLACKHOLE, 0);
	hx_route(0, "2001:db8:dead:2::/64", HD_TARGET_UNREACHABLE, 0);
	hx_route(0, "2001:db8:dead:3::/64", HD_TARGET_PROHIBIT, 0);
	hx_route(0, "2001:db8:7::/64", HD_TARGET_VRF, 7);
	hx_route(7, "2001:db8:7::/64", HD_TARGET_NEXTHOP, 2);
	hx_turn();
	drain(A);
	drain(B);
}

/* Let time pass for the neighbour table, in steps of a tick. */
static inline void pass_ms(unsigned ms)
{
	for (unsigned t = 0; t < ms; t += 100) {
		clock_advance_ms += 100;
		neigh_tick(clock_ms());
	}
	hx_turn();
}

static inline void bed_down(void)
{
	/* what waits for neighbours that never answer is given up, and so are the errors that this causes */
	for (unsigned i = 0; i < 3; i++)
		pass_ms(10000);
	drain(A);
	drain(B);
	cr_expect_eq(hx_mbufs_in_use(), 0, "%u packet buffers leak", hx_mbufs_in_use());
	hx_stop();
}

/* Send a packet in notation from host a; let it come to rest. */
static inline void send_a(const char *notation, struct pktb *b)
{
	pktb_parse(b, notation);
	hx_rx(A, b->buf, b->len);
	hx_turn();
}

#endif
