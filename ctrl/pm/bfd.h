/* SPDX-License-Identifier: BSD-3-Clause
 * Domain bfd: BFD sessions (heddle-bfd).  bfd.c compiles; bfd_state.c answers, and lets paths follow sessions. */
#ifndef CTRL_PM_BFD_H
#define CTRL_PM_BFD_H

#include "ctrl/domains.h"

extern const struct ctrl_domain bfd_domain;

struct hd_api_event;
/* Hooks of the data plane client: the state of all sessions, and of one that changed. */
void bfd_dp_up(struct ctrl *c);
void bfd_event(struct ctrl *c, const struct hd_api_event *ev);

void bfd_state(struct ctrl *c, struct http_req *req);

#endif
