/* SPDX-License-Identifier: BSD-3-Clause
 * Domain pm: performance measurement. */
#ifndef CTRL_PM_PM_H
#define CTRL_PM_PM_H

#include "ctrl/domains.h"

extern const struct ctrl_domain pm_domain;

/* Hooks of the data plane client: what lives, all of it and one by one. */
struct hd_api_event;
void pm_dp_up(struct ctrl *c);
void pm_session_event(struct ctrl *c, const struct hd_api_event *ev);
void pm_start(struct ctrl *c); /* the loop is about to run */
void pm_stop(void);            /* it has ended; jobs are still awaited */
void pm_fini(void);            /* the process ends: whoever waits is told */

#endif
