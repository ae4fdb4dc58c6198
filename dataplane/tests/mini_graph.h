/* SPDX-License-Identifier: BSD-3-Clause
 * A graph for tests of the engine alone: no packet feature, just nodes of the names that port-rx leads to, which do
 * what the packet's octets say.  A frame: 14 octets of Ethernet, then an IP header whose TTL or hop limit commands:
 *
 *   IPv6, hop limit   0 drop   1 icmp-error   2 punt   3 bounce until the hop limit has gone from 200 to 0
 *                     4 stall: sleep for mini_stall_ms in the node   5 crash   6 call mini_hook()
 *                     7 drop, what stands before the data being no L2 header for it (and l2_len still 14)
 *                     else, and after 4 and 6, forward to port 1
 *   IPv4              the verdict that it has no header, to drop
 *
 * eth-input: interface = port, VRF 7, traces as the real one does. */
#ifndef DATAPLANE_TESTS_MINI_GRAPH_H
#define DATAPLANE_TESTS_MINI_GRAPH_H

#include <stddef.h>
#include <stdint.h>

#include "heddle/api/debug.h"

#define MINI_VRF    7u
#define MINI_RESULT 0x14000005u /* adjacency 5 */

extern uint8_t
	mini_punt; /* reason of what is punted; one that nobody registered unless a test says */
extern volatile uint32_t mini_stall_ms;
extern void (*mini_hook)(void);

/* A frame of IPv6 with UDP that has the hop limit; returns its length. */
size_t mini_frame(uint8_t *buf, size_t size, uint8_t hop_limit);

/* Ask debug_request(); messages it sent are kept until the next call. */
struct mini_answer {
	uint16_t type;
	size_t size;
	_Alignas(8) uint8_t body[4096];
};
extern struct mini_answer mini_answers[256];
extern unsigned mini_n_answers;
int mini_request(uint16_t type, const void *body, size_t size, int fd, struct hd_api_reply *reply);

const char *mini_node_name(uint32_t row); /* in vector "node" */
const char *mini_verdict_name(uint16_t vec, uint16_t row);

#endif
