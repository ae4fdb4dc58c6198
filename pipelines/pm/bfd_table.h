/* SPDX-License-Identifier: BSD-3-Clause
 * BFD sessions.  Written by the handlers of object kind BFD_SESSION (bfd_table.c); nodes bfd-receive and bfd-send
 * read them. Each session belongs to one worker, which sends its packets and alone writes its state; packets that
 * arrive are read where they come in and handed over. */
#ifndef PIPELINES_PM_BFD_TABLE_H
#define PIPELINES_PM_BFD_TABLE_H

#include <rte_ring.h>

#include "dataplane/dp_limits.h"
#include "dataplane/stats.h"
#include "dataplane/tables/slots.h"
#include "heddle/api/bfd.h"
#include "pipelines/pm/bfd.h"
#include "pipelines/pm/wheel.h"

#define BFD_PACKET_MAX (40u + 8 + 16 * (HD_BFD_SEGS_MAX + 1) + 8 + BFD_LEN)

struct bfd_live { /* of the owner; outlives changes of the settings */
	struct bfd_session s;
	uint64_t deadline; /* TSC: given up then; 0: not heard */
	uint64_t sent, received, ups, downs, change_ns;
	bool begun;
};

/* Immutable once published, but for what live points to. */
struct bfd_entry {
	uint32_t id, vrf, iface;
	struct bfd_conf conf;
	bool multihop;
	uint8_t min_ttl, family;
	uint8_t local[16], peer[16];
	uint16_t len, udp_off; /* of the packet made ready */
	uint64_t pseudo;       /* sum of the pseudo header */
	uint8_t packet[BFD_PACKET_MAX];
	struct bfd_live *live;
	struct bfd_entry *next; /* in the same bucket */
};

extern struct slots *bfd_entries; /* by session_id */
static inline struct bfd_entry *bfd_get(uint32_t id)
{
	return slots_get(bfd_entries, id);
}

/* A packet's session: by Your Discriminator, or by its addresses when that is 0.  NULL: none. */
const struct bfd_entry *bfd_find(uint32_t your_discr, unsigned family, bool multihop,
				 const uint8_t *local, const uint8_t *peer);
static inline uint32_t bfd_owner(uint32_t id)
{
	return id % dp_limits.workers;
}

struct bfd_handed { /* a packet on its way to the owner */
	struct bfd_packet packet;
	uint32_t id;
	uint64_t tsc;
};

/* Entries of the wheel: 2 * id sends, 2 * id + 1 gives up. */
struct bfd_worker {
	struct wheel wheel;
	struct wheel_entry entry[2 * HD_BFD_SESSIONS_MAX];
	struct rte_ring *changed; /* ids, from the control thread */
	struct rte_ring *packets; /* struct bfd_handed, from all workers */
	uint32_t random;
};
extern struct bfd_worker *bfd_workers[STATS_SLICES_MAX]; /* NULL: not a real worker */
extern uint32_t bfd_n_sessions; /* 0: node bfd-send has nothing to look at */
extern int bfd_punt_event;      /* punt reason of packets that are struct hd_api_bfd_event */

int bfd_table_init(void);
void bfd_table_fini(void);

#endif
