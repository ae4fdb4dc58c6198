/* SPDX-License-Identifier: BSD-3-Clause
 * Is there a way to the first segment of a list?  RFC 9256 section 5.1.  Control thread. */
#ifndef PIPELINES_SRV6_WAY_H
#define PIPELINES_SRV6_WAY_H

#include <stdint.h>

enum srv6_way {
	SRV6_WAY_OPEN,
	SRV6_WAY_NONE, /* no route, or one that discards */
	SRV6_WAY_DOWN, /* a route, and nothing but links that are down behind it */
};

/* What a neighbour says is not asked: it is tried by traffic only, so a list without any would never come back. */
enum srv6_way srv6_way(uint32_t vrf, const uint8_t dst[16]);

#endif
