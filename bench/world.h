/* SPDX-License-Identifier: BSD-3-Clause
 * The network around the engine under test, and objects for workloads; all through the object registry, as the table
 * API would.  A refused object ends the program with its sentence.
 *
 *   interface 1 on the source  10.1.0.1/24, 2001:db8:1::ff/64, VRF 0
 *   interface 2 on the sink    10.2.0.1/16, 2001:db8:2::ff/64, VRF 0
 *   next hop n (1..)           n-th neighbour on interface 2, by IPv4 (world_nexthop4) or IPv6 (world_nexthop6) */
#ifndef BENCH_WORLD_H
#define BENCH_WORLD_H

#include <stdint.h>

#include "bench/bench.h"
#include "heddle/api/api.h"
#include "heddle/api/ip.h"
#include "heddle/api/l2.h"
#include "heddle/api/srv6.h"

/* EAL, engine, ports, interfaces, next hops.  0 or -Exxx. */
int world_start(const struct params *p);
void world_stop(void);
bool world_huge(void); /* packet buffers lie in hugepages */
/* One burst through the graph. */
void world_turn(void);
/* Walk until nothing of the set-up is on its way any more. */
void world_settle(void);

/* Objects are collected into transactions; world_commit() ends the last. */
void world_set(uint16_t type, const void *msg, size_t size);
void world_del(uint16_t type, const void *msg, size_t size);
void world_commit(void);
void world_route(uint32_t vrf, unsigned family, const uint8_t *prefix, uint8_t plen,
		 uint32_t target, uint32_t id);
void world_vrf(uint32_t id);

uint32_t world_nexthop4(const struct params *p, uint32_t i); /* nh_id of the (i mod nexthops)-th */
uint32_t world_nexthop6(const struct params *p, uint32_t i);
/* MACs: of our interface 1 and 2, and of the neighbour behind next hop i. */
void world_mac_in(uint8_t to[6]);
void world_mac_out(uint8_t to[6]);
void world_mac_nexthop(const struct params *p, uint32_t i, uint8_t to[6]);

/* Names and counts of all verdicts that led to a drop, "ip6-input: no-route 12, "; empty: none. */
void world_drops(char *to, size_t size);

#endif
