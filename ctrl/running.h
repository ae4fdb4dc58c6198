/* SPDX-License-Identifier: BSD-3-Clause
 * The running configuration and its way into the data plane: load is compile -> diff -> one transaction -> persist.
 * Until the data plane has taken a candidate nothing changes; without a data plane a candidate is accepted as what is
 * wanted, and applied when one connects.  A data plane that connects is reconciled: everything is replayed inside an
 * epoch, and what was not part of it is swept. */
#ifndef CTRL_RUNNING_H
#define CTRL_RUNNING_H

#include <stdbool.h>
#include <time.h>

#include "ctrl/config.h"

struct ctrl;
struct dp;

enum load_state { LOAD_APPLIED, LOAD_ACCEPTED, LOAD_UNCHANGED };

struct load_result {
	int rc; /* 0, or -Exxx with err filled; -EBUSY: another load is under way */
	struct ctrl_err err;
	enum load_state state;
	uint32_t revision, n_set, n_del;
	char note[200]; /* something the operator should know; may be empty */
};
typedef void (*load_done_fn)(void *arg, const struct load_result *r);

struct running;

/* state_dir NULL: nothing is kept (tests).  NULL when memory is out. */
struct running *running_create(struct ctrl *c, const char *state_dir);
void running_destroy(struct running *r);

/* What was running when the process last ended.  0, -ENOENT, or -Exxx with err filled. */
int running_restore(struct running *r, struct ctrl_err *err);
/* Has `path` changed since it was last loaded?  True also when it never was. */
bool running_file_changed(struct running *r, const char *path);

/* Make cfg (parsed; ownership passes) the running configuration.  done is called once, perhaps before this returns.
 * file: the configuration file it was read from, to be remembered; NULL: from elsewhere. */
void running_load(struct running *r, struct config *cfg, const char *file, load_done_fn done,
		  void *arg);

/* Hooks of the data plane client. */
void running_dp_up(struct running *r);
void running_dp_down(struct running *r);

const struct config *running_config(const struct running *r); /* never NULL */
bool running_synchronised(const struct running *r);           /* the data plane holds it */
const char *running_problem(const struct running *r);         /* why not; "" if it does */
uint32_t running_revision(const struct running *r);
uint32_t running_reconciles(const struct running *r);
time_t running_time(const struct running *r);

#endif
