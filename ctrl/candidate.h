/* SPDX-License-Identifier: BSD-3-Clause
 * The candidate: one copy of the configuration that everybody edits, and nothing of it runs until it is committed.
 * It begins as what runs, with the first edit; it need not be valid meanwhile.  It remembers what it began from, so
 * that a commit does not undo what others have put in force since: it must be rebased then. */
#ifndef CTRL_CANDIDATE_H
#define CTRL_CANDIDATE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "ctrl/config.h"
#include "ctrl/running.h"

struct candidate;

/* What was left when the process last ended is taken up again.  NULL when memory is out. */
struct candidate *candidate_create(struct ctrl *c);
void candidate_destroy(struct candidate *cd);

bool candidate_exists(const struct candidate *cd);
/* Its tree; that of the running configuration while there is no candidate. */
const struct lyd_node *candidate_tree(const struct candidate *cd);
uint32_t candidate_base(const struct candidate *cd);    /* revision it began from */
uint64_t candidate_version(const struct candidate *cd); /* another one after every change */
time_t candidate_time(const struct candidate *cd);      /* of the last change */
const char *candidate_user(const struct candidate *cd); /* who made it */

/* Where an edit may change the tree; begins a candidate if there is none.  NULL when memory is out. */
struct lyd_node **candidate_edit(struct candidate *cd);
/* Something was changed through it. */
void candidate_changed(struct candidate *cd, const char *user);
/* Take this tree for a candidate; it passes. */
int candidate_replace(struct candidate *cd, struct lyd_node *tree, const char *user);
void candidate_discard(struct candidate *cd);
/* Carry its changes over to what runs now.  0, or -Exxx with err filled. */
int candidate_rebase(struct candidate *cd, struct ctrl_err *err);

/* A copy of its tree, for config_from_tree().  0 with *ret, or -Exxx with err filled. */
int candidate_copy(struct candidate *cd, struct lyd_node **ret, struct ctrl_err *err);
/* Make it run; l->cfg and l->make are not used.  When that succeeds there is no candidate any more. */
void candidate_commit(struct candidate *cd, const struct load *l, load_done_fn done, void *arg);

#endif
