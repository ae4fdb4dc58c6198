/* SPDX-License-Identifier: BSD-3-Clause
 * Bridge domains: members (interfaces, and remote ones behind SR policies), learned and static MAC addresses, flooding.
 * Node l2-bridge carries frames; other pipelines send frames to it with struct bridge_in in the metadata.
 *
 * Learning takes no lock: a worker that sees an address for the first time, or on another member, writes (member, MAC)
 * into a ring of its own, at most once per address in a while; the control thread empties the rings and is the only one
 * who writes to the table (rte_hash with lock-free readers).  When a ring is full the frame is flooded as before and
 * the address is learned from a later one; vector "bridge" counts that.
 * Ageing: a worker marks an entry as seen, which it writes only where the mark is not set, so at most once per entry
 * and round; the control thread takes marks away round by round. */
#ifndef PIPELINES_L2_BRIDGE_H
#define PIPELINES_L2_BRIDGE_H

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/meta.h"
#include "dataplane/tables/slots.h"
#include "heddle/api/l2.h"
#include "heddle/wire/wire.h"

/* One attachment.  member_id is unique over all bridges (1 .. HD_BRIDGE_MEMBERS_MAX - 1). */
struct bridge_member {
	uint32_t word;  /* HD_RESULT_POLICY: into this policy; else 0: out of iface */
	uint16_t iface; /* 0: none */
	uint16_t member_id;
	uint16_t segment;   /* Ethernet segment: what Arg.FE2 names (RFC 8986 4.12); 0: none */
	uint8_t group;      /* split horizon: members of one group do not talk; 0: none */
	uint8_t remote[16]; /* outer source address of what comes from there; unspecified: none */
};

/* Immutable once published. */
struct bridge {
	uint32_t bridge_id;
	uint8_t flags; /* HD_BRIDGE_F_* */
	uint16_t n;
	struct bridge_member member[HD_BRIDGE_PORTS_MAX];
};
extern struct slots *bridge_slots; /* by bridge_id */

static inline const struct bridge *bridge_get(uint32_t id)
{
	return slots_get(bridge_slots, id);
}

/* How a frame comes to l2-bridge: in meta->pipe[].  Data at the Ethernet header, without the tags of its interface. */
struct bridge_in {
	uint32_t bridge_id;
	uint16_t member_id; /* where it came from; 0: from the core, by whom is not known */
	uint16_t segment;   /* not to members of this Ethernet segment; 0: no such wish */
	uint32_t flags;     /* BRIDGE_IN_* */
};
static_assert(sizeof(struct bridge_in) == sizeof(((struct hd_meta *)0)->pipe),
	      "fits into the metadata");
#define BRIDGE_IN_CORE  0x1u /* came over SRv6: never back into a policy of HD_BRIDGE_GROUP_CORE */
#define BRIDGE_IN_FLOOD 0x2u /* to all, whatever the destination (End.DT2M) */

static inline void bridge_in_set(struct rte_mbuf *m, const struct bridge_in *in)
{
	__builtin_memcpy(meta(m)->pipe, in, sizeof(*in));
}

/* The member whose remote address this is; 0: none. */
static inline uint16_t bridge_remote(const struct bridge *b, const uint8_t src[16])
{
	for (unsigned i = 0; i < b->n; i++)
		if (b->member[i].word != 0 && __builtin_memcmp(b->member[i].remote, src, 16) == 0)
			return b->member[i].member_id;
	return 0;
}

/* ---- MAC addresses ------------------------------------------------------------------------------------------ */

struct bridge_mac {
	uint16_t member; /* member_id; 0: just deleted */
	uint8_t seen;    /* workers set it, the control thread clears it */
	uint8_t is_static;
};

/* MAC address and bridge in one word: the key. */
static inline uint64_t bridge_mac_key(uint32_t bridge_id, const uint8_t mac[6])
{
	return (uint64_t)wire_get16(mac) << 32 | wire_get32(mac + 2) | (uint64_t)bridge_id << 48;
}

/* Worker: what is known of an address; NULL: nothing.  Good until the end of the burst. */
struct bridge_mac *bridge_mac_find(uint64_t key);
/* Worker: tell the control thread that a member has this address. */
void bridge_mac_tell(unsigned worker, uint64_t key, uint16_t member);

/* ---- VLAN tables (End.DX2V, RFC 8986 4.10) ------------------------------------------------------------------- */

/* Interface of the tags a frame carries; 0: none.  inner 0: one tag; outer 0: untagged.  Any thread. */
uint32_t vlan_table_find(uint32_t table, uint16_t outer, uint16_t inner);

int bridge_init(void); /* object kinds BRIDGE, BRIDGE_PORT, BRIDGE_MAC, VLAN_ENTRY */
void bridge_fini(void);
void bridge_tick(void);

/* Word of an interface that is a member, for iface->l2_word; 0: it is none. */
uint32_t bridge_iface_word(uint32_t iface_id);

#endif
