/* SPDX-License-Identifier: BSD-3-Clause
 * SR policies by policy_id: ready outer headers of the valid segment lists, and buckets that spread flows over them
 * (RFC 9256 2.11).  Writer: the control thread; readers: workers, without locks.
 * A change of a segment list or of the node's settings publishes each policy that uses it anew, as a whole. */
#ifndef PIPELINES_SRV6_POLICY_H
#define PIPELINES_SRV6_POLICY_H

#include "dataplane/stats.h"
#include "dataplane/tables/slots.h"
#include "pipelines/srv6/encaps.h"

/* Immutable once published. */
struct srv6_policy {
	uint32_t policy_id;
	uint32_t vrf;     /* table of the outer packet */
	uint32_t n_lists; /* 0: the policy is invalid, packets are dropped */
	bool l2;          /* it takes Ethernet frames (node srv6-encap-l2), else IP packets */
	struct srv6_outer outer[]; /* n_lists; behind them, by hash: which one, SRV6_BUCKETS octets */
};
/* Where there is one list of up to three segments, two lines are all that a packet needs of a policy. */
static_assert(offsetof(struct srv6_policy, outer) == 16, "");
static_assert(offsetof(struct srv6_policy, outer[0].hdr) + 40 + 8 + 3 * 16 <= 128, "");

static inline const uint8_t *srv6_policy_buckets(const struct srv6_policy *p)
{
	return (const uint8_t *)&p->outer[p->n_lists];
}

extern struct slots *srv6_policies;

/* NULL: no such policy (any more).  Good until the end of the burst. */
static inline const struct srv6_policy *srv6_policy_get(uint32_t policy_id)
{
	return slots_get(srv6_policies, policy_id);
}

/* The outer header a flow gets.  Other bits of the hash than multipath groups use, or members and lists would go
 * together. */
static inline const struct srv6_outer *srv6_policy_select(const struct srv6_policy *p,
							  uint32_t flow_hash)
{
	return &p->outer[srv6_policy_buckets(p)[flow_hash >> 24]];
}

/* Rows of statistics vectors "policy" and "seglist". */
struct srv6_policy_count {
	uint64_t packets, octets; /* encapsulated; octets of the outer packet */
	uint64_t errors;          /* refused or dropped; why: vector "object-drop" */
};
struct srv6_seglist_count {
	uint64_t packets, octets;
};
extern int srv6_policy_vec, srv6_seglist_vec; /* indexes of the vectors */
extern struct srv6_policy_count *srv6_policy_counts[STATS_SLICES_MAX];
extern struct srv6_seglist_count *srv6_seglist_counts[STATS_SLICES_MAX];

struct node_slot;
/* A packet of `octets` that the policy drops; o: the segment list it was to take, NULL: none was chosen. */
void srv6_policy_drop(const struct node_slot *s, const struct srv6_policy *p,
		      const struct srv6_outer *o, unsigned verdict, uint32_t octets);

/* A key has changed: sign anew.  -ENOMEM: nothing has changed. */
int srv6_policy_hmac_changed(void);

/* Let a configured policy push these headers, IPv6 and extension headers, until it is next made from its message.
 * Traffic class and hop limit are those of hdr; flow label, payload length, inner protocol are filled per packet.
 * Headers that do not fit are not taken. */
void srv6_policy_from_headers(uint32_t policy_id, const uint8_t *hdr, uint32_t len);

int srv6_policy_init(void); /* tables, counters, object kinds SRV6_CONF, SRV6_SEGLIST, SRV6_POLICY */
void srv6_policy_fini(void);
/* Control thread, every 100 ms: have the lists' first segments a way?  Lists without are spared, and told of. */
void srv6_policy_tick(void);
void srv6_policy_link_changed(void); /* the next tick looks at all of them */

int srv6_explain_init(void); /* explain.c */

#endif
