/* SPDX-License-Identifier: BSD-3-Clause */
/* Result word of every table lookup: what to do with the packet and which object says how.
 * 32 bits: the kind in the top 6, an index into that kind's table (tables/slots.h) in the low 26.
 * Invariant: the all-zero word is HD_RESULT_NONE, "no entry", so zeroed memory means "nothing here".
 * A pipeline that needs a new kind adds it before HD_RESULT_INTERNAL; nobody adds a second lookup. */
#ifndef DATAPLANE_RESULT_H
#define DATAPLANE_RESULT_H

#include <stdint.h>

enum hd_result_kind {
	HD_RESULT_NONE,          /* no entry; the whole word is 0 */
	HD_RESULT_DROP,          /* index: enum hd_result_drop */
	HD_RESULT_PUNT,          /* index: punt reason */
	HD_RESULT_LOCAL,         /* addressed to us; index: interface or 0 */
	HD_RESULT_GLEAN,         /* connected prefix, neighbour unknown; index: interface */
	HD_RESULT_ADJ,           /* index: adjacency */
	HD_RESULT_GROUP,         /* index: multipath group */
	HD_RESULT_SID,           /* index: local SID */
	HD_RESULT_POLICY,        /* index: SR policy */
	HD_RESULT_SESSION,       /* index: subscriber session */
	HD_RESULT_VRF,           /* look up again there; index: VRF */
	HD_RESULT_BRIDGE,        /* frames only; index: bridge << 12 | member */
	HD_RESULT_INTERNAL = 63, /* never given out: tables mark their own links with it */
	HD_RESULT_MAX = 64,
};

/* Index of an HD_RESULT_DROP word: the route says so. */
enum hd_result_drop {
	HD_RESULT_DROP_BLACKHOLE,   /* silently */
	HD_RESULT_DROP_UNREACHABLE, /* ICMP destination unreachable, no route */
	HD_RESULT_DROP_PROHIBIT,    /* ICMP destination unreachable, administratively prohibited */
};

#define HD_RESULT_INDEX_BITS 26
#define HD_RESULT_INDEX_MAX  ((1u << HD_RESULT_INDEX_BITS) - 1)

/* A constant result word, for initialisers.  kind < HD_RESULT_INTERNAL, index <= HD_RESULT_INDEX_MAX. */
#define HD_RESULT(kind, index) ((uint32_t)(kind) << HD_RESULT_INDEX_BITS | (uint32_t)(index))

/* The same as a function; bits of the index that do not fit are cut off, never spilt into the kind. */
static inline uint32_t hd_result(enum hd_result_kind kind, uint32_t index)
{
	return HD_RESULT(kind, index & HD_RESULT_INDEX_MAX);
}

static inline enum hd_result_kind hd_result_kind(uint32_t result)
{
	return (enum hd_result_kind)(result >> HD_RESULT_INDEX_BITS);
}

static inline uint32_t hd_result_index(uint32_t result)
{
	return result & HD_RESULT_INDEX_MAX;
}

#endif /* DATAPLANE_RESULT_H */
