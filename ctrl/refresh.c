/* SPDX-License-Identifier: BSD-3-Clause
 * The running configuration compiled anew, because something changed that it does not say: the difference is sent as
 * one transaction.  The revision stays. */
#include <errno.h>

#include "ctrl/domains.h"
#include "ctrl/job.h"
#include "ctrl/kernel/kernel.h"
#include "ctrl/log.h"
#include "ctrl/running_private.h"

static void send_later(struct running *r, const char *why)
{
	running_set_problem(r, why);
	uv_timer_start(&r->retry, running_on_retry, r->retry_ms,
		       0); /* the reconcile brings it in line */
}

static void on_refresh(void *arg, const struct dp_answer *a)
{
	struct running *r = arg;

	objset_fini(&r->was);
	r->busy = false;
	if (a->error == ENOTCONN)
		return;
	if (a->error != 0) {
		log_warning("data plane: change of paths refused: %s", a->text);
		send_later(r, a->text);
		return;
	}
	mirror_follow(r->c->mirror,
		      r->cfg); /* the kernel's route may have stood behind one that went */
	if (r->refresh)
		running_refresh(r);
}

static int send_difference(const struct object *old, const struct object *new, void *arg)
{
	struct running *r = arg;

	dp_txn_object(r->c->dp, new != NULL ? new : old, new == NULL);
	return 0;
}

static void refresh_compiled(struct running *r)
{
	char line[1400];

	if (r->recompiled.rc < 0) { /* it compiled when it was loaded */
		log_error("%s", ctrl_err_str(&r->recompiled.err, line, sizeof(line)));
		return;
	}
	running_take_recompiled(r, &r->was);
	domains_in_force(r->c);
	if (!r->synchronised) { /* the reconcile to come sends it */
		objset_fini(&r->was);
		return;
	}
	r->busy = true;
	dp_txn_begin(r->c->dp);
	objset_diff(&r->was, &r->cfg->set, send_difference, r);
	dp_txn_commit(r->c->dp, on_refresh, r);
}

void running_refresh(struct running *r)
{
	r->refresh = r->busy;
	if (!r->busy)
		running_recompile(r, refresh_compiled);
}

/* --- compiling what runs ----------------------------------------------------------------------- */

static void compile_work(void *arg)
{
	struct running *r = arg;
	struct recompiled *n = &r->recompiled;

	if (n->ids == NULL)
		n->rc = ctrl_fail(&n->err, -ENOMEM, "out of memory");
	else
		n->rc = config_objects(r->cfg, n->ids, dp_segment_stats(n->stats), &n->set,
				       &n->err);
}

static void compile_done(void *arg)
{
	struct running *r = arg;
	struct recompiled *n = &r->recompiled;

	r->busy = r->preparing = false;
	dp_stats_release(n->stats);
	n->stats = NULL;
	if (r->dp_came)
		running_dp_up(r);
	else
		n->then(r);
	if (r->busy)
		return;
	objset_fini(&n->set);
	ids_destroy(n->ids);
	n->ids = NULL;
	if (r->refresh)
		running_refresh(r);
}

void running_recompile(struct running *r, void (*then)(struct running *r))
{
	objset_fini(&r->recompiled.set);
	ids_destroy(r->recompiled.ids);
	r->recompiled = (struct recompiled){ .ids = ids_copy(r->c->ids),
					     .stats = dp_stats_hold(r->c->dp),
					     .then = then };
	objset_init(&r->recompiled.set);
	r->busy = r->preparing = true;
	job_start(r->c, compile_work, compile_done, r);
}

void running_take_recompiled(struct running *r, struct objset *ret_was)
{
	struct recompiled *n = &r->recompiled;
	struct ids *old = r->c->ids;

	*ret_was = r->cfg->set;
	r->cfg->set = n->set;
	objset_init(&n->set);
	r->c->ids = n->ids;
	n->ids = NULL;
	ids_destroy(old);
}
