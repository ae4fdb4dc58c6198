/* SPDX-License-Identifier: BSD-3-Clause
 * What the files of running.h share.
 * Three activities, one at a time: idle, a load under way, a reconcile or refresh under way.  A load and a compilation
 * begin in a thread (`preparing`): it reads what runs, which nobody changes as long as `busy` is set, and works on
 * numbers of its own; the loop serves everybody meanwhile, and takes over what came out. */
#ifndef CTRL_RUNNING_PRIVATE_H
#define CTRL_RUNNING_PRIVATE_H

#include <uv.h>

#include "ctrl/ctrl.h"
#include "ctrl/dp.h"
#include "ctrl/running.h"
#include "ctrl/versions.h"

#define RETRY_MIN_MS 1000u
#define RETRY_MAX_MS 30000u

/* One message of a load: old or new object. */
struct change {
	const struct object *o;
	bool del;
};

/* The load under way. */
struct loading {
	struct load_make make; /* of the candidate; .fn NULL: it is there already */
	char file[512];        /* configuration file it was read from; "": none */
	struct config *candidate;
	struct version next;
	bool prepared; /* next is on disk */
	bool in_line;  /* the data plane holds what runs, or there is none */
	bool unchanged;
	struct ids *ids; /* with the names of the candidate */
	struct dp_segment *stats;
	struct change *change; /* what differs from what runs */
	size_t n_change, cap_change;
	struct load_result res;
	const struct object **sent; /* objects of the transaction, in order */
	size_t n_sent, cap_sent;
	load_done_fn done; /* NULL: there is no load under way */
	void *done_arg;
};

/* What runs, compiled anew. */
struct recompiled {
	struct ids *ids;
	struct dp_segment *stats;
	struct objset set;
	struct ctrl_err err;
	int rc;
	void (*then)(struct running *r);
};

struct running {
	struct ctrl *c;
	char *dir; /* state directory; NULL: nothing is kept */
	struct config *cfg;
	struct version now; /* what is known about it */

	bool busy;         /* a load, a reconcile or a refresh is under way */
	bool preparing;    /* in a thread; nothing has been sent */
	bool dp_came;      /* a data plane connected meanwhile: it is to be reconciled */
	bool refresh;      /* when it is through, compile anew */
	struct objset was; /* what the refresh under way replaces */
	bool synchronised;
	char problem[1024];
	uint32_t reconciles;
	uv_timer_t retry, confirm;
	unsigned n_handles; /* not yet closed */
	uint64_t retry_ms;

	struct loading load;
	struct recompiled recompiled;

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
/* Settings of the control process itself. */
void running_apply_own(struct running *r);

/* A file of the state directory. */
char *running_path(const struct running *r, char *buf, size_t size, const char *name);
uint64_t running_hash_file(const char *path); /* 0: it cannot be read */

/* Compile what runs anew, in a thread; then() finds it in r->recompiled, unless a data plane connected meanwhile and is
 * reconciled instead.  r is not busy. */
void running_recompile(struct running *r, void (*then)(struct running *r));
/* It is in force; *ret_was gets what was before, to be finished. */
void running_take_recompiled(struct running *r, struct objset *ret_was);

/* Wait as long as the version in force says, if it has to be confirmed. */
void confirm_start(struct running *r);
void confirm_revert(struct running *r);
/* running_confirm(), also while a load is under way. */
int confirm_now(struct running *r, struct ctrl_err *err);
void confirm_on_timer(uv_timer_t *t);

#endif
