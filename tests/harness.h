/* SPDX-License-Identifier: BSD-3-Clause
 * The whole engine in one test process: frames go in at a port, the test walks worker 0's graph by itself, and takes
 * what leaves.  No thread but the test's, no root, no hugepages.
 *
 *   TestSuite(ip6, .init = hx_start_default, .fini = hx_stop);
 *   uint32_t p = hx_port();                        a port; hx_iface() puts an interface on it
 *   hx_rx(p, frame, len);  hx_turn();              one frame through the graph
 *   n = hx_tx(p, buf, sizeof(buf));                next frame that left there, 0: none
 *   cr_assert_eq(hx_verdict("ip6-input", "hop-limit"), 1);
 *
 * Every object goes through the registry as the API would send it. */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

#include <stddef.h>
#include <stdint.h>

#include "heddle/api/api.h"
#include "heddle/api/ip.h"
#include "heddle/api/l2.h"
#include "heddle/api/srv6.h"

void hx_start_default(void); /* exits the test on failure */
int hx_start(unsigned n_workers);
void hx_stop(void);

/* One object in a transaction of its own.  Returns 0 or -errno; hx_error() is the reply's text. */
int hx_set(uint16_t type, const void *msg, size_t size);
int hx_del(uint16_t type, const void *msg, size_t size);
const char *hx_error(void);

uint32_t hx_port(void); /* a new port; ids from 1 */
/* Interface `id` (untagged, up) on a port in a VRF, MAC 02:00:00:00:00:<id>; asserts success. */
void hx_iface(uint32_t id, uint32_t port, uint32_t vrf);
void hx_addr(uint32_t iface, const char *addr_slash_len); /* "192.0.2.1/24", "2001:db8::1/64" */
void hx_neigh(uint32_t iface, const char *addr,
	      const char *mac); /* static neighbour, "02:aa:..." */
void hx_nexthop(uint32_t id, uint32_t iface, const char *gateway); /* NULL gateway: connected */
void hx_route(uint32_t vrf, const char *prefix_slash_len, uint32_t target, uint32_t id);
void hx_vrf(uint32_t id);

/* As if the frame had been received on the port: node express takes it when it is usual, unless HX_FULL is in the
 * environment. */
void hx_rx(uint32_t port, const void *frame, size_t len);
/* What a device adds to a packet that hx_rx() receives; NULL: nothing. */
struct rte_mbuf;
extern void (*hx_device)(struct rte_mbuf *m);
/* Frames begin so many octets later in their buffers than usual. */
extern unsigned hx_rx_later;
/* Walk the graph and run the control thread's part, until nothing moves any more. */
void hx_turn(void);
/* Next frame sent on a port: copied into buf (cut at size); returns its whole length, 0 if none. */
size_t hx_tx(uint32_t port, void *buf, size_t size);

/* Counters, summed over workers.  Unknown names fail the test. */
uint64_t hx_verdict(const char *node, const char *verdict);
uint64_t hx_stat(const char *vec, uint32_t row, const char *col);
/* Packets that object `row` of a counter vector ("sid") dropped with a verdict of a node; their octets, unless NULL. */
uint64_t hx_object_drop(const char *vec, uint32_t row, const char *node, const char *verdict,
			uint64_t *ret_octets);
uint64_t hx_node(const char *node,
		 const char *col); /* "calls", "objects" as of graph_stats_update() */
/* Conservation, as of graph_stats_update(): every node but port-rx has got as many packets as verdicts led to it, and
 * eth-input, the -input, the -lookup and the srv6 nodes have led on as many as they got.  "", or what does
 * not agree. */
const char *hx_unbalanced(void);
uint64_t hx_drops(void);        /* packets that reached a verdict leading to "drop", all nodes */
unsigned hx_mbufs_in_use(void); /* packet buffers out of the pool: 0 when nothing leaks */

#endif
