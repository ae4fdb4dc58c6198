/* SPDX-License-Identifier: BSD-3-Clause
 * State that the data plane knows: one request to it, one answer to the client. */
#ifndef CTRL_DP_STATE_H
#define CTRL_DP_STATE_H

#include "ctrl/ids.h"
#include "ctrl/restconf.h"

/* Either `entry`, when each message of the answer is one entry of one list, or `value` for anything else. */
struct dp_state {
	const char *name; /* what the client gets: "heddle-ip:neighbour-state" */
	uint16_t type;    /* the request, or the kind of objects to be dumped */
	bool dump;

	const char *list; /* "neighbour" */
	size_t size;      /* of a message */
	struct json_object *(*entry)(struct ctrl *c, const void *msg);

	bool anyway; /* value() is asked also when the data plane answered with an error */
	struct json_object *(*value)(struct ctrl *c,
				     const struct dp_answer *a); /* NULL: cannot be answered */
};

/* Ask, and answer `req` once.  s: static. */
void dp_state_get(struct ctrl *c, struct http_req *req, const struct dp_state *s);
/* The same with a body for the request. */
void dp_state_ask(struct ctrl *c, struct http_req *req, const struct dp_state *s, const void *body,
		  size_t size);

/* The name of a numbered object, or "?". */
const char *dp_state_name(struct ctrl *c, enum id_space space, uint32_t id);

#endif
