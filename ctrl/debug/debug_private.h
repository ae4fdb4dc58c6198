/* SPDX-License-Identifier: BSD-3-Clause
 * What the files of this folder share. */
#ifndef CTRL_DEBUG_DEBUG_PRIVATE_H
#define CTRL_DEBUG_DEBUG_PRIVATE_H

#include "ctrl/debug/debug.h"

void debug_trace_start(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
void debug_trace_read(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
void debug_trace_stop(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
void debug_capture_start(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
void debug_capture_stop(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
void debug_explain(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
void debug_capture_pcapng(struct ctrl *c, struct http_req *req);

#endif
