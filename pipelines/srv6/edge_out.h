/* SPDX-License-Identifier: BSD-3-Clause
 * Alternate marks and IOAM options at the edge of the domain they are for: RFC 9341 section 7.1, RFC 9343 section 2.1,
 * RFC 9197 section 3.  Packets that come with them from an interface outside are node srv6-ingress's; those that would
 * leave by one are found here, in front of the port (tx_filter of dataplane/worker.h). */
#ifndef PIPELINES_SRV6_EDGE_OUT_H
#define PIPELINES_SRV6_EDGE_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "heddle/wire/ip6.h"

/* Can such options follow behind an IPv6 header?  ip: its 40 octets. */
static inline bool srv6_may_be_measured(const uint8_t *ip)
{
	uint8_t next = ip[IP6_OFF_NEXT_HEADER];

	return next == IP_NH_HOPOPTS || next == IP_NH_DSTOPTS || next == IP_NH_ROUTING;
}

/* Does an IPv6 packet, of which len octets are at ip, carry one? */
bool srv6_is_measured(const uint8_t *ip, unsigned len);

/* Interfaces have become outside, or are no longer: ports follow.  Control thread. */
void srv6_edge_out_follow(void);
int srv6_edge_out_init(void);
void srv6_edge_out_fini(void);

#endif
