/* SPDX-License-Identifier: BSD-3-Clause
 * Stall watchdog: a worker whose loop counter stands still is reported with the node it is in. */
#ifndef DATAPLANE_WATCHDOG_H
#define DATAPLANE_WATCHDOG_H

#include <stdint.h>

void watchdog_init(uint32_t stall_ms);

/* Control thread, every 100 ms: look at each worker; log and HD_EVENT_WORKER_STALL once per stall, log on recovery. */
void watchdog_tick(void);

enum watchdog_state {
	WATCHDOG_STOPPED,
	WATCHDOG_RUNNING,
	WATCHDOG_STALLED
}; /* as in struct hd_api_worker */
enum watchdog_state watchdog_state(unsigned worker);

#endif
