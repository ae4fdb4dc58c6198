/* SPDX-License-Identifier: BSD-3-Clause
 * Thresholds of sessions, with hysteresis. */
#ifndef CTRL_PM_THRESHOLD_H
#define CTRL_PM_THRESHOLD_H

#include "ctrl/pm/session.h"

/* A bin has ended: tell what went beyond its threshold, or came back. */
void threshold_check(struct ctrl *c, const char *name, const struct pm_result *r);

/* Is it raised now, given whether it was? */
static inline bool threshold_raised(bool was, uint64_t value, uint64_t raise, uint64_t clear)
{
	return was ? value > clear : value >= raise;
}

#endif
