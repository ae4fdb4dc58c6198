/* SPDX-License-Identifier: BSD-3-Clause
 * Local SIDs by sid_id.  Which packet belongs to which SID is the FIB's business (source RIB_SID): the longest prefix
 * wins, so a /128 service SID beats the locator's /48.
 * Writer: the control thread; readers: workers, without locks. */
#ifndef PIPELINES_SRV6_SID_TABLE_H
#define PIPELINES_SRV6_SID_TABLE_H

#include "dataplane/stats.h"
#include "dataplane/tables/slots.h"
#include "pipelines/srv6/packet.h"

extern struct slots *srv6_sids;

/* NULL: no such SID (any more).  Good until the end of the burst. */
static inline const struct srv6_sid *srv6_sid_get(uint32_t sid_id)
{
	return slots_get(srv6_sids, sid_id);
}

/* All that the usual packet of End and End.X needs to know of its SID, eight octets in one array: of many thousand SIDs
 * the rows, at addresses all over the memory, are neither in the caches nor in the TLB.  Read and written as a whole;
 * fast is SRV6_FAST_NONE for all other behaviors and where there is no SID. */
struct srv6_sid_brief {
	uint32_t fast;   /* enum srv6_fast */
	uint32_t result; /* srv6_sid.result */
};
_Static_assert(sizeof(struct srv6_sid_brief) == sizeof(uint64_t), "one load");

extern uint64_t *srv6_sid_briefs; /* by sid_id; capacity of srv6_sids */

/* sid_id: any value. */
static inline struct srv6_sid_brief srv6_sid_brief_get(uint32_t sid_id)
{
	struct srv6_sid_brief b = { 0, 0 };
	uint64_t word;

	if (sid_id < srv6_sids->capacity) {
		word = __atomic_load_n(&srv6_sid_briefs[sid_id], __ATOMIC_ACQUIRE);
		__builtin_memcpy(&b, &word, sizeof(b));
	}
	return b;
}

/* A row of statistics vector "sid". */
struct srv6_sid_count {
	uint64_t packets,
		octets; /* processed with success (RFC 8986 section 6): whole IPv6 packet as received */
	uint64_t errors; /* refused or dropped; why: vector "object-drop" */
};
extern int srv6_sid_vec; /* index of the vector */
extern struct srv6_sid_count
	*srv6_sid_counts[STATS_SLICES_MAX]; /* first row of each worker's slice */

int srv6_sid_table_init(void); /* tables, counters, object kind SRV6_SID */
void srv6_sid_table_fini(void);

#endif
