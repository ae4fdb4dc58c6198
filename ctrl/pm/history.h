/* SPDX-License-Identifier: BSD-3-Clause
 * History of sessions: every 10 s the data plane closes its bins, and what was in them is compared with thresholds and
 * written to the store, off the loop. */
#ifndef CTRL_PM_HISTORY_H
#define CTRL_PM_HISTORY_H

#include <stdint.h>

struct ctrl;
struct http_req;
struct lyd_node;

void history_start(struct ctrl *c);
void history_stop(void); /* before the jobs are awaited */
void history_fini(void); /* after that */
/* A data plane is there: what was closed before and not fetched is fetched first. */
void history_dp_up(struct ctrl *c);
/* Something happened to a session, to be seen in its history. */
void history_event(struct ctrl *c, const char *session, uint64_t time_ns, const char *text);
/* Operation heddle-pm:history. */
void pm_history(struct ctrl *c, const struct lyd_node *in, struct http_req *req);

#endif
