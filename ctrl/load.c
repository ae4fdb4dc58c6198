/* SPDX-License-Identifier: BSD-3-Clause
 * A load.  In a thread: the candidate is made, compiled, compared with what runs, and written to disk.  In the loop:
 * the difference is one transaction, and when the data plane has taken it the candidate runs. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/api.h"
#include "ctrl/domains.h"
#include "ctrl/events.h"
#include "ctrl/job.h"
#include "ctrl/kernel/kernel.h"
#include "ctrl/log.h"
#include "ctrl/running_private.h"

/* --- in the thread --------------------------------------------------------------------------- */

static int note_change(const struct object *old, const struct object *new, void *arg)
{
	struct loading *l = arg;

	if (l->n_change == l->cap_change) {
		size_t cap = l->cap_change != 0 ? l->cap_change * 2 : 256;
		struct change *more = realloc(l->change, cap * sizeof(*more));
		if (more == NULL)
			return ctrl_fail(&l->res.err, -ENOMEM, "out of memory");
		l->change = more;
		l->cap_change = cap;
	}
	l->change[l->n_change++] = (struct change){ new != NULL ? new : old, new == NULL };
	if (new != NULL)
		l->res.n_set++;
	else
		l->res.n_del++;
	return 0;
}

/* The candidate onto the disk, not yet in force.  Numbers first: they hold those of both versions until the next
 * load, so that either finds its own. */
static int write_version(const struct running *r, struct loading *l)
{
	char path[PATH_MAX];

	if (r->dir == NULL)
		return 0;
	int rc = ids_save(l->ids, running_path(r, path, sizeof(path), "ids.json"));
	if (rc == 0)
		rc = versions_prepare(r->dir, &l->next, l->candidate->json);
	if (rc < 0)
		return ctrl_fail(&l->res.err, rc,
				 "nothing changed: the new version cannot be kept in %s: %s",
				 r->dir, strerror(-rc));
	l->prepared = true;
	return 0;
}

static int prepare(const struct running *r, struct loading *l)
{
	int rc = 0;

	if (l->make.fn != NULL)
		rc = l->make.fn(r, l->make.arg, &l->candidate, &l->res.err);
	if (rc == 0)
		rc = config_compile(l->candidate, l->ids, dp_segment_stats(l->stats), &l->res.err);
	if (rc == 0)
		rc = objset_diff(&r->cfg->set, &l->candidate->set, note_change, l);
	if (rc < 0)
		return rc;
	l->next.n_objects = (uint32_t)l->candidate->set.n;
	snprintf(l->next.source, sizeof(l->next.source), "%s", l->candidate->source);
	if (l->file[0] != '\0') {
		memcpy(l->next.file, l->file, sizeof(l->next.file));
		l->next.file_hash = running_hash_file(l->file);
	}
	l->unchanged = l->n_change == 0 && l->in_line && r->now.revision > 0 &&
		       strcmp(l->candidate->json, r->cfg->json) == 0;
	return l->unchanged ? 0 : write_version(r, l);
}

static void prepare_work(void *arg)
{
	struct running *r = arg;

	r->load.res.rc = prepare(r, &r->load);
}

/* --- the end --------------------------------------------------------------------------------- */

static void load_finish(struct running *r)
{
	struct loading l = r->load;
	bool follow = l.candidate == NULL ||
		      l.n_sent != 0; /* something was sent, or is in force now */

	r->load = (struct loading){ 0 };
	if (l.prepared) /* and not in force: it is not going to be */
		versions_abort(r->dir, l.next.revision);
	api_abort(r->c->api);
	config_destroy(l.candidate);
	ids_destroy(l.ids);
	free(l.change);
	free(l.sent);
	r->busy = false;
	l.res.revision = r->now.revision;
	if (follow)
		mirror_follow(r->c->mirror, r->cfg);
	l.done(l.done_arg, &l.res);
	if (r->dp_came && !r->busy)
		running_dp_up(r);
	else if (r->refresh)
		running_refresh(r);
}

static void load_refuse(struct running *r, int rc)
{
	r->load.res.rc = rc;
	load_finish(r);
}

/* What the files say about the version in force, for the candidate says the same. */
static void keep_version(struct running *r, struct loading *l)
{
	if (l->file[0] != '\0') {
		memcpy(r->now.file, l->next.file, sizeof(r->now.file));
		r->now.file_hash = l->next.file_hash;
		memcpy(r->now.source, l->next.source, sizeof(r->now.source));
	}
	if (r->now.revert_to != 0 && l->next.revert_to == 0) {
		confirm_now(r, &l->res.err);
		snprintf(l->res.note, sizeof(l->res.note), "revision %u is confirmed",
			 r->now.revision);
	} else if (r->now.revert_to != 0) { /* more time for the same */
		r->now.confirm_s = l->next.confirm_s;
		r->now.confirm_until = l->next.confirm_until;
		confirm_start(r);
	}
	int rc = r->dir != NULL ? versions_update(r->dir, &r->now) : 0;
	if (rc < 0)
		log_warning("%s: what is known about revision %u cannot be written: %s", r->dir,
			    r->now.revision, strerror(-rc));
}

static void retire_work(void *arg)
{
	config_destroy(arg);
}

/* The candidate instead of what runs.  Taking a large tree apart takes long. */
static void take_candidate(struct running *r)
{
	struct config *old = r->cfg;

	r->cfg = r->load.candidate;
	r->load.candidate = NULL;
	job_start(r->c, retire_work, NULL, old);
	running_apply_own(r); /* certificates may be new even where the text is not */
}

/* The candidate says what runs already: its lines and its file may still be others. */
static void load_unchanged(struct running *r)
{
	r->load.res.state = LOAD_UNCHANGED;
	take_candidate(r);
	keep_version(r, &r->load);
	load_finish(r);
}

/* The candidate is what runs from now on. */
static void load_adopt(struct running *r, enum load_state state)
{
	struct loading *l = &r->load;
	struct ids *old = r->c->ids;

	l->res.state = state;
	r->c->ids = l->ids;
	l->ids = old;
	take_candidate(r);
	ids_prune(r->c->ids);
	r->now = l->next;
	int rc = l->prepared ? versions_switch(r->dir, r->now.revision) : 0;
	l->prepared = false;
	if (rc < 0) {
		snprintf(l->res.note, sizeof(l->res.note),
			 "in force, but not kept over a restart: %.100s/running.json: %s", r->dir,
			 strerror(-rc));
		log_error("%s", l->res.note);
	}
	if (r->now.revert_to != 0)
		snprintf(l->res.note, sizeof(l->res.note),
			 "revision %u returns in %u s unless it is confirmed: heddle confirm",
			 r->now.revert_to, r->now.confirm_s);
	confirm_start(r);
	log_info("configuration: revision %u from %s by %s: %zu objects, %u set, %u deleted",
		 r->now.revision, r->cfg->source, r->now.user[0] != '\0' ? r->now.user : "nobody",
		 r->cfg->set.n, l->res.n_set, l->res.n_del);
	events_config(r->c->events, &r->now, l->res.n_set, l->res.n_del);
	domains_in_force(r->c);
	load_finish(r);
}

/* --- the transaction -------------------------------------------------------------------------- */

static void on_commit(void *arg, const struct dp_answer *a)
{
	struct running *r = arg;
	struct loading *l = &r->load;

	if (a->error == 0) {
		l->res.n_set = a->reply.n_set;
		l->res.n_del = a->reply.n_del;
		running_set_problem(r, "");
		load_adopt(r, LOAD_APPLIED);
		return;
	}
	if (a->reply.error == 0) { /* it never answered */
		snprintf(l->res.err.file, sizeof(l->res.err.file), "%s", l->candidate->source);
		ctrl_fail(&l->res.err, 0,
			  "nothing changed: the data plane went away during the transaction (%s); "
			  "it will be brought back to revision %u",
			  a->text, r->now.revision);
	} else {
		const struct object *o = a->failed_index < l->n_sent ? l->sent[a->failed_index] :
								       NULL;
		running_refused(&l->res.err,
				o != NULL && o->origin == NULL ? "" : l->candidate->source, o,
				a->text);
	}
	load_refuse(r, -a->error);
}

static int send_object(struct running *r, const struct object *o, bool del)
{
	struct loading *l = &r->load;

	if (l->n_sent == l->cap_sent) {
		size_t cap = l->cap_sent != 0 ? l->cap_sent * 2 : 256;
		const struct object **sent = realloc(l->sent, cap * sizeof(*sent));
		if (sent == NULL)
			return -ENOMEM;
		l->sent = sent;
		l->cap_sent = cap;
	}
	l->sent[l->n_sent++] = o;
	dp_txn_object(r->c->dp, o, del);
	return 0;
}

int running_add(struct running *r, const struct object *o, bool del)
{
	int rc = send_object(r, o, del);

	if (rc == 0)
		r->load.sent[r->load.n_sent - 1] =
			NULL; /* no part of the configuration asked for it */
	return rc;
}

static int send_all(struct running *r)
{
	const struct loading *l = &r->load;
	const struct objset *set = &l->candidate->set;
	int rc = 0;

	/* what is not in line may lack some of what runs: it gets everything */
	for (size_t i = 0; rc == 0 && !r->synchronised && i < set->n; i++)
		rc = send_object(r, &set->obj[i], false);
	for (size_t i = 0; rc == 0 && i < l->n_change; i++) {
		const struct change *c = &l->change[i];
		if (c->del ? !mirror_takes_over(r->c->mirror, c->o, l->candidate) : r->synchronised)
			rc = send_object(r, c->o, c->del);
	}
	return rc;
}

static void load_send(struct running *r)
{
	struct ctrl_err *err = &r->load.res.err;

	dp_txn_begin(r->c->dp);
	int rc = mirror_load(r->c->mirror, r->load.candidate, err);
	if (rc == 0) {
		rc = send_all(r);
		if (rc < 0)
			ctrl_fail(err, rc, "out of memory");
	}
	if (rc < 0) {
		dp_txn_abort(r->c->dp);
		load_refuse(r, rc);
		return;
	}
	dp_txn_commit(r->c->dp, on_commit, r);
}

/* --- the beginning ---------------------------------------------------------------------------- */

static void prepare_done(void *arg)
{
	struct running *r = arg;
	struct loading *l = &r->load;
	/* one that has just come is brought in line as a whole, when the load is through */
	bool connected = dp_connected(r->c->dp) && !r->dp_came;

	r->preparing = false;
	dp_stats_release(l->stats);
	l->stats = NULL;
	if (l->res.rc == 0)
		l->res.rc = api_check(r->c->api, l->candidate->tree, &l->res.err);
	if (l->res.rc < 0) {
		load_finish(r);
		return;
	}
	if (l->unchanged) {
		load_unchanged(r);
	} else if (!connected) {
		if (r->dp_came)
			snprintf(l->res.note, sizeof(l->res.note),
				 "a data plane has just connected, and is brought in line with it");
		else if (l->n_change != 0)
			snprintf(l->res.note, sizeof(l->res.note),
				 "it will be applied when a data plane connects (%.100s)",
				 dp_problem(r->c->dp));
		load_adopt(r, LOAD_ACCEPTED);
	} else if (l->n_change == 0 && r->synchronised) {
		load_adopt(r, LOAD_APPLIED);
	} else {
		load_send(r);
	}
}

/* What the history will say about the candidate, as far as it is known now. */
static void describe(struct running *r, const struct load *l)
{
	struct version *v = &r->load.next;

	*v = (struct version){ .revision = r->now.revision + 1, .time = time(NULL) };
	snprintf(v->user, sizeof(v->user), "%s", l->user != NULL ? l->user : "");
	snprintf(v->comment, sizeof(v->comment), "%s", l->comment != NULL ? l->comment : "");
	memcpy(v->file, r->now.file, sizeof(v->file));
	v->file_hash = r->now.file_hash;
	snprintf(r->load.file, sizeof(r->load.file), "%s", l->file != NULL ? l->file : "");
	if (l->confirm_s != 0) {
		v->revert_to = r->now.revert_to != 0 ? r->now.revert_to : r->now.revision;
		v->confirm_s = l->confirm_s < CONFIRM_MAX_S ? l->confirm_s : CONFIRM_MAX_S;
		v->confirm_until = v->time + v->confirm_s;
	}
}

/* 0, or -Exxx with err filled. */
static int may_load(const struct running *r, const struct load *l, struct ctrl_err *err)
{
	if (r->busy)
		return ctrl_fail(err, -EBUSY,
				 "another configuration is being applied; try again in a moment");
	if (r->now.revert_to != 0 && !l->confirms)
		return ctrl_fail(err, -EBUSY,
				 "revision %u waits for its confirmation: first heddle confirm, or "
				 "heddle confirm --cancel",
				 r->now.revision);
	if (l->confirm_s != 0 && (r->now.revision == 0 || r->dir == NULL))
		return ctrl_fail(err, -EINVAL,
				 "there is no version before this one to which it could return");
	return 0;
}

void running_load(struct running *r, const struct load *l, load_done_fn done, void *arg)
{
	struct load_result res = { 0 };
	struct ids *ids = NULL;

	res.rc = may_load(r, l, &res.err);
	if (res.rc == 0 && (ids = ids_copy(r->c->ids)) == NULL)
		res.rc = ctrl_fail(&res.err, -ENOMEM, "out of memory");
	if (res.rc < 0) {
		config_destroy(l->cfg);
		done(arg, &res);
		return;
	}
	r->load = (struct loading){ .make = l->make,
				    .candidate = l->cfg,
				    .in_line = r->synchronised || !dp_connected(r->c->dp),
				    .ids = ids,
				    .stats = dp_stats_hold(r->c->dp),
				    .done = done,
				    .done_arg = arg };
	describe(r, l);
	r->busy = r->preparing = true;
	job_start(r->c, prepare_work, prepare_done, r);
}

static int make_version(const struct running *r, void *arg, struct config **ret,
			struct ctrl_err *err)
{
	uint32_t revision = (uint32_t)(uintptr_t)arg;

	int rc = running_read_version(r, revision, ret, err);
	if (rc == 0)
		snprintf((*ret)->source, sizeof((*ret)->source), "revision %u", revision);
	return rc;
}

void running_rollback(struct running *r, uint32_t revision, const struct load *l, load_done_fn done,
		      void *arg)
{
	struct load with = *l;
	char comment[64];

	with.make = (struct load_make){ make_version, (void *)(uintptr_t)revision };
	snprintf(comment, sizeof(comment), "rollback to revision %u", revision);
	if (with.comment == NULL)
		with.comment = comment;
	running_load(r, &with, done, arg);
}

static int make_file(const struct running *r, void *arg, struct config **ret, struct ctrl_err *err)
{
	return config_read(r->c->ly, arg, ret, err);
}

void running_load_file(struct running *r, const char *path, const struct load *l, load_done_fn done,
		       void *arg)
{
	struct load with = *l;

	with.file = path;
	with.make = (struct load_make){ make_file, (void *)(uintptr_t)path };
	running_load(r, &with, done, arg);
}
