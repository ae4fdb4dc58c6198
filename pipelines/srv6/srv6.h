/* SPDX-License-Identifier: BSD-3-Clause
 * SRv6: what other folders may use of it.  Packets come by two kinds of result words: HD_RESULT_SID (index: sid_id)
 * leads to node srv6-endpoint, HD_RESULT_POLICY (index: policy_id) to srv6-encap, both with the data at the IP header
 * and meta->result holding that word.  Ethernet frames for a policy of H.Encaps.L2 or H.Encaps.L2.Red go to node
 * srv6-encap-l2: data at the Ethernet header, meta->result the HD_RESULT_POLICY word. */
#ifndef PIPELINES_SRV6_SRV6_H
#define PIPELINES_SRV6_SRV6_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/pipeline.h"

extern const struct pipeline srv6_pipeline;

/* Control thread.  Does anything come through a segment list, as a measurement says?  Policies spare one that is dead as
 * long as they have another.  What nobody has spoken of is alive; an unknown list is remembered. */
void srv6_seglist_liveness(uint32_t seglist_id, bool alive);

#endif
