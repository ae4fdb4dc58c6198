/* SPDX-License-Identifier: BSD-3-Clause
 * What running.c (loads, persistence, confirmation) and reconcile.c share.
 * Three activities, one at a time: idle, a load under way, a reconcile under way. */
#ifndef CTRL_RUNNING_PRIVATE_H
#define CTRL_RUNNING_PRIVATE_H

#include <uv.h>

#include "ctrl/ctrl.h"
#include "ctrl/dp.h"
#include "ctrl/running.h"
#include "ctrl/versions.h"

#define RETRY_MIN_MS 1000u
#define RETRY_MAX_MS 30000u

struct running {
	struct ctrl *c;
	char *dir; /* state directory; NULL: nothing is kept */
	struct config *cfg;
	struct version now; /* what is known about it */

	bool busy;         /* a transaction is under way */
	bool refresh;      /* when it is through, compile anew */
	struct objset was; /* what the refresh under way replaces */
	bool synchronised;
	char problem[1024];
	uint32_t reconciles;
	uv_timer_t retry, confirm;
	unsigned n_handles; /* not yet closed */
	uint64_t retry_ms;

	/* the load under way */
	struct config *candidate;
	struct version next;
	bool prepared;              /* next is on disk */
	const struct object **sent; /* objects of the transaction, in order */
	size_t n_sent, cap_sent;
	load_done_fn done;
	void *done_arg;

	/* the reconcile under way */
	size_t n_waiting; /* single-object transactions not yet answered */
	size_t n_refused;
	struct load_result repair; /* what it did */
	load_done_fn repaired;     /* NULL: nobody waits */
	void *repaired_arg;
};

/* Why the data plane does not hold what runs; "": it does. */
void running_set_problem(struct running *r, const char *text);
/* The data plane refused an object: say which part of the configuration asked for it. */
void running_refused(struct ctrl_err *err, const char *source, const struct object *o,
		     const char *text);
void running_on_retry(uv_timer_t *t);

#endif
