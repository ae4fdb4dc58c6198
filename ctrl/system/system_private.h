/* SPDX-License-Identifier: BSD-3-Clause
 * What the files of this folder share. */
#ifndef CTRL_SYSTEM_SYSTEM_PRIVATE_H
#define CTRL_SYSTEM_SYSTEM_PRIVATE_H

#include "ctrl/system/system.h"

void system_state(struct ctrl *c, struct http_req *req);
void system_worker_state(struct ctrl *c, struct http_req *req);
void system_drop_state(struct ctrl *c, struct http_req *req);
void system_graph_state(struct ctrl *c, struct http_req *req);

void system_history_state(struct ctrl *c, struct http_req *req);

void system_load(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
void system_reload(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
void system_place_queue(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
void system_spread_queues(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
void system_diff(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
void system_edit(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
void system_commit(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
void system_confirm(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
void system_rollback(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
void system_discard(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
void system_rebase(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
void system_repair(struct ctrl *c, const struct lyd_node *in, struct http_req *req);

#endif
