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
