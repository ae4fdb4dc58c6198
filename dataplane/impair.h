/* SPDX-License-Identifier: BSD-3-Clause
 * Impairment of what a port receives: delay, jitter, loss, reordering, duplication, drawn from a seed (impair_model.h),
 * to try measurements and protocols with.  It is a callback of the device's receive function, which costs nothing where
 * none is set.  Control thread, but for that callback. */
#ifndef DATAPLANE_IMPAIR_H
#define DATAPLANE_IMPAIR_H

#include <stdint.h>

int impair_init(void); /* registers request PM_IMPAIR (include/heddle/api/pm_session.h) */
/* A port goes, before its device is closed. */
void impair_port_gone(uint32_t port_id);

#endif
