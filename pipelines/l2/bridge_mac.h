/* SPDX-License-Identifier: BSD-3-Clause
 * The table of MAC addresses of all bridges: the writer's side. */
#ifndef PIPELINES_L2_BRIDGE_MAC_H
#define PIPELINES_L2_BRIDGE_MAC_H

#include "heddle/api/l2.h"

int bridge_mac_init(void);  /* counters, object kind BRIDGE_MAC, request BRIDGE_MAC_STATE */
int bridge_mac_start(void); /* the table itself, with the first bridge; -ENOMEM */
void bridge_mac_fini(void);

/* Learn what the workers have told; age.  conf: by bridge id, NULL: no such bridge. */
void bridge_mac_tick(struct hd_api_bridge *const conf[HD_BRIDGES_MAX]);

/* Forget learned addresses of a bridge, or of one member of it (0: all). */
void bridge_mac_flush(uint32_t bridge_id, uint32_t member_id);

#endif
