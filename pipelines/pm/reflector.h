/* SPDX-License-Identifier: BSD-3-Clause
 * Tables of the Session-Reflector: UDP ports, and the sessions they expect.  Written by the handlers of object kinds
 * PM_KEY, PM_REFLECTOR, PM_REFLECTOR_SESSION; read by node pm-reflect. */
#ifndef PIPELINES_PM_REFLECTOR_H
#define PIPELINES_PM_REFLECTOR_H

#include "dataplane/stats.h"
#include "pipelines/pm/reflect.h"

#define PM_SESSIONS_MAX 16384u
#define PM_SOURCES      256u /* buckets of unprovisioned senders */

/* A row of the statistics vector. */
struct reflector_count {
	uint64_t packets, octets,
		refused; /* answered (also by silence, when asked to), UDP payload; refused */
};

/* A token bucket as one moment: when the next packet is due (GCRA).  TSC; owned by who holds it. */
struct pace {
	uint64_t cost;  /* cycles per packet; 0: no limit */
	uint64_t slack; /* cycles the bucket may run ahead */
};

struct reflector_session {
	struct reflector how;
	struct pace pace;
	uint32_t session_id;
	uint16_t udp_port, ssid;
	uint8_t family, source[16];
	uint64_t due;                  /* of pace; written by the worker the session meets */
	struct reflector_state *state; /* outlives changes of the session's settings */
};

struct reflector_port {
	struct reflector how; /* of unprovisioned senders */
	struct pace pace;
	uint16_t udp_port;
	bool unprovisioned;
};

/* By UDP port, host order.  NULL: none.  Good until the end of the burst. */
const struct reflector_port *reflector_port_find(uint16_t udp_port);
/* addr: 4 or 16 octets. */
struct reflector_session *reflector_session_find(uint16_t udp_port, uint16_t ssid, unsigned family,
						 const uint8_t *addr);

extern struct reflector_count *reflector_counts[STATS_SLICES_MAX];

int reflector_init(void);
void reflector_fini(void);

/* May a packet pass?  due: the bucket's moment. */
static inline bool pace_take(const struct pace *p, uint64_t *due, uint64_t now)
{
	uint64_t at = *due;

	if (p->cost == 0)
		return true;
	if ((int64_t)(at - now) > (int64_t)p->slack)
		return false;
	*due = ((int64_t)(at - now) > 0 ? at : now) + p->cost;
	return true;
}

#endif
