/* SPDX-License-Identifier: BSD-3-Clause
 * A domain: one feature's share of the control process.  It owns YANG modules, turns their subtree into table objects,
 * and answers for its state and operations.  domains.c holds the only list of domains. */
#ifndef CTRL_DOMAINS_H
#define CTRL_DOMAINS_H

#include <libyang/libyang.h>

#include "ctrl/err.h"
#include "ctrl/ids.h"
#include "ctrl/objset.h"
#include "heddle/stats.h"

struct ctrl;
struct http_req;

/* What a compile step reads and writes. */
struct compile {
	const struct lyd_node *tree; /* validated; NULL: empty */
	struct ids *ids;
	const struct hd_stats_hdr *
		stats; /* of the connected data plane, for names it defines; NULL: none connected */
	struct objset *set; /* objects go here */
	struct ctrl_err *err;
	struct srv6_memo *srv6; /* scratch of the srv6 domain; NULL at first */
};

/* Add an object made for the configuration node `origin`.  0 or -Exxx with err filled. */
int compile_add(struct compile *c, const struct ctrl_kind *kind, const void *body, size_t size,
		const struct lyd_node *origin);
/* Refuse: err gets the message, and path and line of `at`.  Returns -EINVAL. */
int compile_fail(struct compile *c, const struct lyd_node *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* State under GET /restconf/data/NAME.  `get` answers the request exactly once, now or later. */
struct ctrl_state {
	const char *name; /* "heddle-ip:neighbour-state" */
	void (*get)(struct ctrl *c, struct http_req *req);
};

/* Operation under POST /restconf/operations/NAME.  `in`: validated input, gone when `run` returns. */
struct ctrl_op {
	const char *name; /* "heddle-system:load" */
	void (*run)(struct ctrl *c, const struct lyd_node *in, struct http_req *req);
};

struct ctrl_domain {
	const char *name;
	const char *const *modules;        /* YANG modules; NULL-terminated */
	const struct ctrl_kind *kinds;     /* table objects; ends with .name NULL; or NULL */
	int (*compile)(struct compile *c); /* or NULL */
	void (*in_force)(
		struct ctrl *
			c); /* told when the running configuration, or what it compiles to, has changed;
					    * or NULL */
	const struct ctrl_state *states; /* ends with .name NULL; or NULL */
	const struct ctrl_op *ops;       /* ends with .name NULL; or NULL */
	/* Names of operations that change nothing, so that those who may only read may ask for them; NULL-terminated,
	 * or NULL. */
	const char *const *read_ops;
	/* Names of states that show what packets carry: only for those who may write, and not part of a GET of
	 * everything; NULL-terminated, or NULL. */
	const char *const *guarded;
	/* Line n of what it adds to /metrics, not more than 1000 octets, HELP and TYPE included; at most `max` series a
	 * family.  open: OpenMetrics.  False: there are no more.  NULL: nothing. */
	bool (*metric)(struct ctrl *c, uint32_t n, uint32_t max, bool open, char *buf, size_t size);
};

extern const struct ctrl_domain *const domains[]; /* NULL-terminated, in the order they compile */

void domains_in_force(struct ctrl *c);               /* tell all of them */
const struct ctrl_kind *domains_kind(uint16_t type); /* NULL: not ours */

#endif
