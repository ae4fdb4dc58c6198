/* SPDX-License-Identifier: BSD-3-Clause
 * The running configuration compiled anew, because something changed that it does not say: the difference is sent as
 * one transaction.  The revision stays. */
#include <errno.h>

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

void running_refresh(struct running *r)
{
	struct objset was = r->cfg->set;
	struct ctrl_err err;
	char line[1400];

	r->refresh = r->busy;
	if (r->busy)
		return;
	objset_init(&r->cfg->set);
	if (config_compile(r->cfg, r->c->ids, dp_stats(r->c->dp), &err) < 0) {
		r->cfg->set = was; /* it compiled when it was loaded */
		log_error("%s", ctrl_err_str(&err, line, sizeof(line)));
		return;
	}
	if (!r->synchronised) { /* the reconcile to come sends it */
		objset_fini(&was);
		return;
	}
	r->busy = true;
	r->was = was;
	dp_txn_begin(r->c->dp);
	objset_diff(&r->was, &r->cfg->set, send_difference, r);
	dp_txn_commit(r->c->dp, on_refresh, r);
}
