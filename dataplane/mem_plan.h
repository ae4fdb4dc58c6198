/* SPDX-License-Identifier: BSD-3-Clause
 * Memory before the start: how much is needed, whether hugepages are there, one clear error when not. */
#ifndef DATAPLANE_MEM_PLAN_H
#define DATAPLANE_MEM_PLAN_H

#include <stdbool.h>
#include <stdint.h>

enum memory_huge { MEMORY_HUGE_AUTO, MEMORY_HUGE_NEVER, MEMORY_HUGE_REQUIRE };

struct memory_plan {
	bool huge;        /* use hugepages */
	uint32_t eal_mib; /* what EAL gets (packets, rings, devices) */
	char why[256];    /* error: need, have, and the command; else what was decided */
};

/* Decide from dp_limits and what the kernel offers.  want_mib 0: as much as the packet pool needs.
 * Returns 0, or -ENOMEM with why filled. */
int memory_plan(enum memory_huge mode, uint32_t want_mib, struct memory_plan *ret);

#endif
