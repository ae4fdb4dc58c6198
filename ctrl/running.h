/* SPDX-License-Identifier: BSD-3-Clause
 * The running configuration and its way into the data plane: a load is compile -> diff -> write the new version to disk
 * -> one transaction -> put the version in force.  All before the transaction is done in a thread.  Until the data
 * plane has taken a candidate nothing changes, and what cannot be written is refused before the data plane is asked.
 * Without a data plane a candidate is accepted as what is wanted, and applied when one connects.  A data plane that
 * connects is reconciled: everything is replayed inside an epoch, and what was not part of it is swept.
 * A load may have to be confirmed: unless running_confirm() comes in time, the version before it returns, also when
 * this process has ended and started meanwhile. */
#ifndef CTRL_RUNNING_H
#define CTRL_RUNNING_H

#include <stdbool.h>
#include <time.h>

#include "ctrl/config.h"

struct ctrl;
struct object;
struct running;
struct version;

#define CONFIRM_MAX_S 604800u /* a week */

enum load_state { LOAD_APPLIED, LOAD_ACCEPTED, LOAD_UNCHANGED };

/* Makes a configuration in a thread, from what the loop leaves alone until the load is done.  Called once, or not at
 * all.  0 with *ret, or -Exxx with err filled. */
struct load_make {
	int (*fn)(const struct running *r, void *arg, struct config **ret, struct ctrl_err *err);
	void *arg;
};

struct load {
	struct config *cfg; /* parsed; ownership passes; or NULL, and it has to be made: */
	struct load_make make;
	const char *
		file; /* configuration file it was read from, to be remembered; NULL: from elsewhere */
	const char *user, *comment; /* for the history; may be NULL */
	uint32_t confirm_s; /* 0: for good; else it returns to what it was unless it is confirmed */
	bool confirms;      /* a version that waits for its confirmation is confirmed by this one */
};

struct load_result {
	int rc; /* 0, or -Exxx with err filled; -EBUSY: another load is under way, or waits for its confirmation */
	struct ctrl_err err;
	enum load_state state;
	uint32_t revision, n_set, n_del;
	char note[200]; /* something the operator should know; may be empty */
};
typedef void (*load_done_fn)(void *arg, const struct load_result *r);

/* state_dir NULL: nothing is kept (tests).  NULL when memory is out. */
struct running *running_create(struct ctrl *c, const char *state_dir);
void running_destroy(struct running *r);

/* What was running when the process last ended.  0, -ENOENT, or -Exxx with err filled. */
int running_restore(struct running *r, struct ctrl_err *err);
/* Has `path` changed since it was last loaded?  True also when it never was. */
bool running_file_changed(struct running *r, const char *path);

/* Make a configuration the running one.  done is called once, perhaps before this returns. */
void running_load(struct running *r, const struct load *l, load_done_fn done, void *arg);
/* The same with a version of the history. */
void running_rollback(struct running *r, uint32_t revision, const struct load *l, load_done_fn done,
		      void *arg);
/* The same with a file, which stays the one that is asked about in running_file_changed(); path: until it is done. */
void running_load_file(struct running *r, const char *path, const struct load *l, load_done_fn done,
		       void *arg);
/* Keep the version that waits for its confirmation.  0, -ENOENT: none waits, or -EBUSY: a load is under way. */
int running_confirm(struct running *r, struct ctrl_err *err);
/* Do not: let the version before it return now. */
void running_cancel(struct running *r, const char *user, load_done_fn done, void *arg);
/* Make the data plane hold exactly what runs. */
void running_repair(struct running *r, load_done_fn done, void *arg);

/* Something the configuration does not say but its objects depend on has changed (the liveness of a path, say): compile
 * what runs anew and send the difference; after what is under way. */
void running_refresh(struct running *r);
/* Add a message to the transaction of the load that is being sent, for mirror_load() and mirror_takes_over(). */
int running_add(struct running *r, const struct object *o, bool del);

/* Hooks of the data plane client. */
void running_dp_up(struct running *r);
void running_dp_down(struct running *r);

const struct config *running_config(const struct running *r); /* never NULL */
bool running_busy(const struct running *r);                   /* a transaction of it is under way */
bool running_synchronised(const struct running *r);           /* the data plane holds it */
const char *running_problem(const struct running *r);         /* why not; "" if it does */
uint32_t running_revision(const struct running *r);
uint32_t running_reconciles(const struct running *r);
time_t running_time(const struct running *r);
const struct version *running_version(const struct running *r);
/* Configuration of a version: 0 with *ret to be destroyed, or -Exxx with err filled. */
int running_read_version(const struct running *r, uint32_t revision, struct config **ret,
			 struct ctrl_err *err);
const char *running_dir(const struct running *r); /* state directory, or NULL */

#endif
