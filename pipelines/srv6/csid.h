/* SPDX-License-Identifier: BSD-3-Clause
 * Compressed SIDs (RFC 9800): flavors NEXT-CSID and REPLACE-CSID stand before the behavior they are flavors of, and
 * leave to it whatever does not end in another CSID. */
#ifndef PIPELINES_SRV6_CSID_H
#define PIPELINES_SRV6_CSID_H

#include "pipelines/srv6/packet.h"

/* Lengths of a SID's parts in bits. */
struct srv6_sid_structure {
	uint8_t block, node, function, argument; /* argument 0: all that is left */
};

/* May a SID of this behavior, flavors and prefix length have this structure?  NULL: yes; else why not. */
const char *srv6_csid_check(unsigned behavior, unsigned flavors, unsigned plen,
			    const struct srv6_sid_structure *t);

/* Fill s->csid and s->plan from s->behavior, s->flavors and s->base; the structure has been checked. */
void srv6_csid_init(struct srv6_sid *s, const struct srv6_sid_structure *t);

/* Can a packet for this SID have that destination while the entry of its list is the current segment: is the entry a
 * container, and this the CSID whose turn it is, or one that may be? */
bool srv6_csid_of_entry(const struct srv6_sid *s, const uint8_t *dst, const uint8_t *entry);

enum srv6_endpoint_verdict srv6_next_csid(const struct srv6_sid *s, struct srv6_pkt *p);
enum srv6_endpoint_verdict srv6_replace_csid(const struct srv6_sid *s, struct srv6_pkt *p);

#endif
