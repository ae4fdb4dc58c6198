/* SPDX-License-Identifier: BSD-3-Clause
 * What the files of this folder share. */
#ifndef CTRL_SYSTEM_SYSTEM_PRIVATE_H
#define CTRL_SYSTEM_SYSTEM_PRIVATE_H

#include "ctrl/system/system.h"

void system_state(struct ctrl *c, struct http_req *req);
void system_worker_state(struct ctrl *c, struct http_req *req);
void system_drop_state(struct ctrl *c, struct http_req *req);
void system_graph_state(struct ctrl *c, struct http_req *req);

void system_load(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
void system_reload(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
void system_place_queue(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
void system_spread_queues(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
void system_diff(struct ctrl *c, const struct lyd_node *in, struct http_req *req);

#endif
