/* SPDX-License-Identifier: BSD-3-Clause
 * Tables of the Session-Sender.  Written by the handlers of object kind PM_SESSION (sender.c), read by nodes pm-send
 * and pm-reply.  Each session belongs to one worker, which sends its packets and alone writes its state; replies that
 * meet another worker are read there and handed over. */
#ifndef PIPELINES_PM_SENDER_H
#define PIPELINES_PM_SENDER_H

#include <rte_ring.h>

#include "dataplane/dp_limits.h"
#include "dataplane/stats.h"
#include "dataplane/tables/slots.h"
#include "pipelines/pm/session.h"
#include "pipelines/pm/wheel.h"

/* Immutable once published, but for what state points to.  What each packet needs lies in front: a worker waits for
 * memory, and for little else. */
struct sender_session {
	struct session_conf conf;
	struct session_state *state;
	const struct hmac_key *key; /* how.key of a session that has one; else NULL */
	uint32_t id, vrf;
	uint16_t src_port, dst_port, ssid;
	uint8_t family, src[16], dst[16];
	uint32_t egress, ingress, offset_error_ns; /* interfaces of HD_PM_S_LINK; else 0 */
	struct sender_packet packet;
	struct sender_how how;
};

/* By session_id. */
extern struct slots *sender_sessions;
static inline struct sender_session *sender_session_get(uint32_t id)
{
	return slots_get(sender_sessions, id);
}

/* The session a reply to local port `port` with this SSID belongs to, or 0.  Without SSID: whose port it is alone. */
uint32_t sender_find(uint16_t port, uint16_t ssid);

static inline uint32_t sender_owner(uint32_t id)
{
	return id % dp_limits.workers;
}

/* Bins: number epoch & 1 is open.  Workers read it once per burst. */
extern uint64_t sender_epoch;

/* A row of statistics vector "pm-session". */
struct sender_count {
	uint64_t sent, received, lost, late, duplicate, reordered, bad, octets;
};
extern struct sender_count *sender_counts[STATS_SLICES_MAX];

/* A reply that met another worker than its session's. */
struct sender_reply {
	struct stamp_answer answer;
	uint64_t tsc, gap_ns;
	uint32_t id;
	bool hw; /* tsc is by the port's own clock */
};

/* What one worker keeps.  Entries of the wheel: 2 * id sends, 2 * id + 1 looks at liveness. */
struct sender_worker {
	struct wheel wheel;
	struct wheel_entry *entry; /* 2 * HD_PM_SENDERS_MAX */
	struct rte_ring *changed;  /* ids, from the control thread */
	struct rte_ring *replies; /* struct sender_reply, from other workers; NULL: there are none */
	struct hd_hist late;      /* pacing: ns behind the moment that was due */
	uint64_t skipped, sent;
	uint64_t walk, before; /* when this walk began, and the one before */
	uint32_t n_last;       /* sessions whose packets left in the last walk, and when */
	struct {
		uint32_t id;
		uint64_t tsc;
	} last[64];
	uint64_t random;
};
extern struct sender_worker *sender_workers[STATS_SLICES_MAX]; /* NULL: not a real worker */

extern int sender_punt_event; /* punt reason of packets that are events */
/* Octets of such a packet. */
struct sender_event {
	uint32_t id, liveness;
	uint64_t detect_ns, time_ns;
};

/* A key has changed: its sessions take it over. */
void sender_rekey(uint32_t key_id);

int sender_init(void);
void sender_fini(void);
int sender_state_init(void); /* sender_state.c: requests PM_SESSION_STATE, PM_CUT, PM_PACING */

#endif
