/* SPDX-License-Identifier: BSD-3-Clause
 * A data plane that connects, or that shall be repaired, is made to hold what runs.  First everything is replayed as
 * one transaction.  When the data plane refuses that (a device is gone, say), each object goes into a transaction of
 * its own, so that what can work does; the sweep is left out then, and the reconcile is tried again later. */
#include <errno.h>
#include <stdlib.h>

#include "ctrl/kernel/kernel.h"
#include "ctrl/log.h"
#include "ctrl/running_private.h"

/* Answer whoever waits for the reconcile under way. */
static void repaired(struct running *r, int rc, const char *text)
{
	load_done_fn done = r->repaired;

	if (done == NULL)
		return;
	r->repaired = NULL;
	r->repair.rc = rc;
	r->repair.revision = r->now.revision;
	if (rc < 0)
		ctrl_fail(&r->repair.err, 0, "%s", text);
	done(r->repaired_arg, &r->repair);
}

static void retry_later(struct running *r)
{
	uv_timer_start(&r->retry, running_on_retry, r->retry_ms, 0);
	r->retry_ms = r->retry_ms * 2 < RETRY_MAX_MS ? r->retry_ms * 2 : RETRY_MAX_MS;
}

static void on_epoch_end(void *arg, const struct dp_answer *a)
{
	struct running *r = arg;

	r->busy = false;
	if (a->error == ENOTCONN) { /* running_dp_down() says the rest */
		repaired(r, -ENOTCONN, a->text);
		return;
	}
	if (a->error != 0) {
		running_set_problem(r, a->text);
		log_warning("data plane: sweep refused: %s", a->text);
		retry_later(r);
		repaired(r, -a->error, a->text);
		return;
	}
	r->retry_ms = RETRY_MIN_MS;
	running_set_problem(r, "");
	mirror_follow(r->c->mirror, r->cfg);
	log_info("data plane: reconciled to revision %u: %zu objects, %u swept", r->now.revision,
		 r->cfg->set.n, a->reply.n_del);
	r->repair.n_del += a->reply.n_del;
	repaired(r, 0, "");
	if (r->refresh)
		running_refresh(r);
}

struct single {
	struct running *r;
	size_t index;
};

static void on_single(void *arg, const struct dp_answer *a)
{
	struct single *s = arg;
	struct running *r = s->r;
	char line[1400];
	struct ctrl_err err;

	if (a->error != 0 && a->error != ENOTCONN) {
		running_refused(&err, r->cfg->source, &r->cfg->set.obj[s->index], a->text);
		if (r->n_refused++ == 0)
			running_set_problem(r, ctrl_err_str(&err, line, sizeof(line)));
		if (r->n_refused <= 5)
			log_warning("%s", ctrl_err_str(&err, line, sizeof(line)));
	}
	free(s);
	if (--r->n_waiting > 0)
		return;
	r->busy = false;
	if (!dp_connected(r->c->dp)) {
		repaired(r, -ENOTCONN, "the data plane went away");
		return;
	}
	if (r->n_refused == 0) { /* whatever was wrong has gone: do it properly */
		running_dp_up(r);
		return;
	}
	log_warning("data plane: %zu of %zu objects refused; trying again in %llu s", r->n_refused,
		    r->cfg->set.n, (unsigned long long)(r->retry_ms / 1000));
	retry_later(r);
	repaired(r, -EINVAL, r->problem);
}

/* Kinds in the order in which they refer to each other: a transaction each, so order matters here. */
static int rank(uint16_t type)
{
	static const uint16_t order[] = { HD_API_PORT,       HD_API_VRF,       HD_API_IFACE,
					  HD_API_ADDR,       HD_API_NEIGH,     HD_API_NEXTHOP,
					  HD_API_NHGROUP,    HD_API_SRV6_CONF, HD_API_SRV6_SEGLIST,
					  HD_API_SRV6_POLICY };

	for (int i = 0; i < (int)(sizeof(order) / sizeof(order[0])); i++)
		if (order[i] == type)
			return i;
	return (int)(sizeof(order) / sizeof(order[0])); /* SIDs, routes, and what is new: last */
}

static void replay_singly(struct running *r)
{
	r->n_refused = 0;
	r->n_waiting = 1; /* held while sending */
	for (int pass = 0; pass <= rank(UINT16_MAX); pass++) {
		for (size_t i = 0; i < r->cfg->set.n && dp_connected(r->c->dp); i++) {
			const struct object *o = &r->cfg->set.obj[i];
			struct single *s = rank(o->kind->type) == pass ? malloc(sizeof(*s)) : NULL;
			if (s == NULL)
				continue;
			*s = (struct single){ .r = r, .index = i };
			r->n_waiting++;
			dp_txn_begin(r->c->dp);
			dp_txn_object(r->c->dp, o, false);
			dp_txn_commit(r->c->dp, on_single, s);
		}
	}
	if (--r->n_waiting == 0) {
		r->busy = false;
		retry_later(r);
		repaired(r, -ENOTCONN, "the data plane went away");
	}
}

static void end_epoch(void *arg)
{
	struct running *r = arg;

	dp_request(r->c->dp, HD_API_EPOCH_END, NULL, 0, -1, on_epoch_end, r);
}

static void on_replay(void *arg, const struct dp_answer *a)
{
	struct running *r = arg;

	if (a->error == 0) { /* what is mirrored of the kernel belongs into the same epoch */
		r->repair.n_set = a->reply.n_set;
		mirror_replay(r->c->mirror, end_epoch, r);
		return;
	}
	if (a->error == ENOTCONN) {
		r->busy = false;
		repaired(r, -ENOTCONN, a->text);
		return;
	}
	replay_singly(r);
}

static void on_epoch_begin(void *arg, const struct dp_answer *a)
{
	struct running *r = arg;

	if (a->error == ENOTCONN) {
		r->busy = false;
		repaired(r, -ENOTCONN, a->text);
		return;
	}
	dp_txn_begin(r->c->dp);
	for (size_t i = 0; i < r->cfg->set.n; i++)
		dp_txn_object(r->c->dp, &r->cfg->set.obj[i], false);
	dp_txn_commit(r->c->dp, on_replay, r);
}

static void replay(struct running *r)
{
	struct objset was;
	char line[1400];

	if (!dp_connected(r->c->dp)) {
		repaired(r, -ENOTCONN, "the data plane went away");
		return;
	}
	if (r->recompiled.rc < 0) {
		running_set_problem(r, ctrl_err_str(&r->recompiled.err, line, sizeof(line)));
		log_error("%s", line);
		repaired(r, -EINVAL, line);
		return;
	}
	running_take_recompiled(r, &was);
	objset_fini(&was);
	r->busy = true;
	dp_request(r->c->dp, HD_API_EPOCH_BEGIN, NULL, 0, -1, on_epoch_begin, r);
}

void running_dp_up(struct running *r)
{
	r->dp_came = r->preparing;
	if (r->preparing)
		return;
	if (r->busy) { /* cannot be: what was under way was answered when the connection went */
		retry_later(r);
		return;
	}
	r->reconciles++;
	running_set_problem(r, "being reconciled");
	/* Names that the data plane defines can be resolved now. */
	running_recompile(r, replay);
}

void running_on_retry(uv_timer_t *t)
{
	struct running *r = t->data;

	if (r->busy)
		uv_timer_start(&r->retry, running_on_retry, RETRY_MIN_MS, 0);
	else if (dp_connected(r->c->dp) && !r->synchronised)
		running_dp_up(r);
}

void running_dp_down(struct running *r)
{
	bool replaying = mirror_dp_down(r->c->mirror);

	r->dp_came = false;
	if (replaying) { /* nobody else will answer for the reconcile under way */
		r->busy = false;
		repaired(r, -ENOTCONN, "the data plane went away");
	}
	uv_timer_stop(&r->retry);
	r->retry_ms = RETRY_MIN_MS;
	running_set_problem(r, "no data plane is connected");
}

void running_repair(struct running *r, load_done_fn done, void *arg)
{
	struct load_result res = { 0 };

	if (r->busy)
		res.rc = ctrl_fail(&res.err, -EBUSY,
				   "the data plane is being programmed; try again in a moment");
	else if (!dp_connected(r->c->dp))
		res.rc = ctrl_fail(&res.err, -ENOTCONN, "no data plane is connected: %s",
				   dp_problem(r->c->dp));
	if (res.rc < 0) {
		done(arg, &res);
		return;
	}
	r->repair = (struct load_result){ .state = LOAD_APPLIED };
	r->repaired = done;
	r->repaired_arg = arg;
	running_dp_up(r);
}
