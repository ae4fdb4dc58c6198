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

/* Control thread.  Does anything come through a segment list, as a measurement says?  Policies spare one that is dead
 * as long as they have another.  What nobody has spoken of is alive; an unknown list is remembered. */
void srv6_seglist_liveness(uint32_t seglist_id, bool alive);
/* ---- what other features put into the outer headers of a policy ------------------------------------------------ */

/* Options or a TLV that a measurement needs in each packet of a policy.  Immutable once handed over. */
enum srv6_extra_place {
	SRV6_EXTRA_HOP = 1,  /* an option in hop-by-hop options */
	SRV6_EXTRA_DEST = 2, /* an option in destination options in front of the SRH */
	SRV6_EXTRA_TLV = 3,  /* a TLV of the SRH; len is a multiple of 8 */
};
#define SRV6_EXTRA_MAX 240u
struct srv6_extra {
	enum srv6_extra_place place;
	uint8_t align,
		len; /* options begin at a multiple of 4 octets plus align (RFC 8200 section 4.2) */
	uint8_t octets[SRV6_EXTRA_MAX]; /* as in a packet */
	/* Fill in what differs from packet to packet; on the packet path.
	 *   at     the octets in a packet that is about to leave
	 *   total  octets of that packet, outer headers included */
	void (*stamp)(const struct srv6_extra *x, uint8_t *at, uint32_t total);
};

/* One of each slot in a policy. */
enum srv6_extra_slot {
	SRV6_EXTRA_ALTMARK,
	SRV6_EXTRA_IOAM_TRACE,
	SRV6_EXTRA_IOAM_DEX,
	SRV6_EXTRA_IOAM_EDGE,
	SRV6_EXTRAS
};

/* Put x into the outer headers of a policy from now on, NULL: nothing.  The caller keeps x until a grace period after
 * it was replaced.  May be called before there is such a policy.  -ENOMEM: nothing has changed. */
int srv6_policy_extra(uint32_t policy_id, enum srv6_extra_slot slot, const struct srv6_extra *x);

#endif
