/* SPDX-License-Identifier: BSD-3-Clause
 * State as a part of something larger: asked for inside the process, cut to a path, put together. */
#ifndef CTRL_STATE_TREE_H
#define CTRL_STATE_TREE_H

#include <json-c/json.h>

#include "ctrl/domains.h"
#include "ctrl/path.h"
#include "ctrl/restconf.h"

/* Ask one state, on behalf of `req`: done gets the status and the answer, which it has to put. */
void state_ask(struct ctrl *c, struct http_req *req, const struct ctrl_state *s,
	       void (*done)(void *arg, unsigned status, struct json_object *answer), void *arg);

/* Add every state that can be had now to `o`; done gets it back. */
void state_collect(struct ctrl *c, struct http_req *req, struct json_object *o,
		   void (*done)(void *arg, struct json_object *o), void *arg);

/* Walk from {"module:top": {...}} along a path: {"module:last": ...}, or NULL when it is not there.  Takes o. */
struct json_object *state_select(struct json_object *o, const struct path *p);

/* What the server says about itself: ietf-yang-library (RFC 8525) and ietf-restconf-monitoring (RFC 8040 section
 * 9.3), which are none of our modules. */
bool state_is_library(const struct uri *u);
void state_library(struct ctrl *c, struct http_req *req, struct uri *u); /* u passes */

#endif
