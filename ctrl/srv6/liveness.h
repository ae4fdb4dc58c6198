/* SPDX-License-Identifier: BSD-3-Clause
 * What the validity of paths depends on and the configuration does not say: named liveness objects (a measurement
 * session speaks through liveness_set(), under its own name or, of a segment list it measures, that of the list's
 * number; an operator through 'heddle srv6 path-state'), and whether the data plane has
 * a way to the first segment of a list.  State of this process: after a restart everything is up until told
 * otherwise.  Any thread: configurations are compiled beside the loop. */
#ifndef CTRL_SRV6_LIVENESS_H
#define CTRL_SRV6_LIVENESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is it up?  What nobody has spoken of is.  reason: why not, "" if nobody said. */
bool liveness_up(const char *name, char *reason, size_t size);
/* Returns true if the state changed: whoever calls lets the paths be chosen anew (running_refresh()). */
bool liveness_set(const char *name, bool up, const char *reason);

/* Has the segment list's first segment a way out?  By seglist_id. */
bool liveness_resolved(uint32_t seglist_id);
bool liveness_resolved_set(uint32_t seglist_id, bool resolved);
/* The data plane will tell again. */
void liveness_resolved_forget(void);

#endif
