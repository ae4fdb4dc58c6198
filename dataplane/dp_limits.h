/* SPDX-License-Identifier: BSD-3-Clause
 * Capacities of this process, fixed at start (options of heddle-dp), read by every table. */
#ifndef DATAPLANE_DP_LIMITS_H
#define DATAPLANE_DP_LIMITS_H

#include <stdint.h>

struct dp_limits {
	uint32_t workers;
	uint32_t ifaces, vrfs, nexthops, nhgroups;
	uint32_t routes4, routes6, neighs;
	uint32_t sids, policies, seglists;
	uint32_t rules;     /* of classifiers */
	uint32_t mbufs;     /* in the packet pool */
	uint32_t mbuf_room; /* octets of data room per mbuf, headroom included */
};

/* Set once before any pipeline's init; the defaults suit a laptop. */
extern struct dp_limits dp_limits;

#define DP_WORKERS_MAX 64u

#endif
