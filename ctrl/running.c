/* SPDX-License-Identifier: BSD-3-Clause
 * Loads, their persistence, and the confirmation that some wait for. */
#include "ctrl/running.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctrl/api.h"
#include "ctrl/cfg.h"
#include "ctrl/events.h"
#include "ctrl/file.h"
#include "ctrl/kernel/kernel.h"
#include "ctrl/log.h"
#include "ctrl/running_private.h"
#include "ctrl/yaml.h"

#define REVERT_RETRY_MS 5000u
#define RETIRE_MIN      5000u /* objects of a configuration that is taken apart in a thread */

/* --- persistence ----------------------------------------------------------------------------- */

static uint64_t hash_text(const char *text, size_t len)
{
	uint64_t h = 14695981039346656037ull;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)text[i]) * 1099511628211ull;
	return h;
}

static uint64_t hash_file(const char *path)
{
	char *text;
	size_t len;

	if (file_read(path, YAML_TEXT_MAX, &text, &len) < 0)
		return 0;
	uint64_t h = hash_text(text, len);
	free(text);
	return h;
}

static char *state_path(const struct running *r, char *buf, size_t size, const char *name)
{
	snprintf(buf, size, "%s/%s", r->dir, name);
	return buf;
}

/* The candidate onto the disk, not yet in force.  Numbers first: they hold those of both versions until the next
 * load, so that either finds its own. */
static int prepare(struct running *r, const char *json, struct ctrl_err *err)
{
	char path[PATH_MAX];

	if (r->dir == NULL)
		return 0;
	int rc = ids_save(r->c->ids, state_path(r, path, sizeof(path), "ids.json"));
	if (rc == 0)
		rc = versions_prepare(r->dir, &r->next, json);
	if (rc < 0)
		return ctrl_fail(err, rc,
				 "nothing changed: the new version cannot be kept in %s: %s",
				 r->dir, strerror(-rc));
	r->prepared = true;
	return 0;
}

static void restore_ids(struct running *r)
{
	char path[PATH_MAX], bad[PATH_MAX + 8];

	int rc = ids_load(r->c->ids, state_path(r, path, sizeof(path), "ids.json"));
	if (rc == 0 || rc == -ENOENT)
		return;
	snprintf(bad, sizeof(bad), "%s.bad", path);
	rename(path, bad);
	log_warning("%s is damaged; it is kept as %s and objects get new numbers", path, bad);
}

static void apply_own(struct running *r);
static void confirm_start(struct running *r);
static void revert(struct running *r);

int running_restore(struct running *r, struct ctrl_err *err)
{
	struct config *cfg;
	char path[PATH_MAX];

	if (r->dir == NULL || access(state_path(r, path, sizeof(path), "running.json"), F_OK) < 0)
		return ctrl_fail(err, -ENOENT, "no configuration was kept");
	int rc = config_read(r->c->ly, path, &cfg, err);
	if (rc == 0) {
		rc = config_compile(cfg, r->c->ids, NULL, err);
		if (rc < 0)
			config_destroy(cfg);
	}
	if (rc < 0)
		return rc;
	config_destroy(r->cfg);
	r->cfg = cfg;
	mirror_follow(r->c->mirror, cfg);
	uint32_t revision = versions_current(r->dir);
	if (revision == 0 || versions_read(r->dir, revision, &r->now) < 0)
		r->now = (struct version){ .revision = revision };
	if (r->now.source[0] != '\0')
		snprintf(cfg->source, sizeof(cfg->source), "%s", r->now.source);
	apply_own(r);
	if (r->now.revert_to == 0)
		return 0;
	if (r->now.confirm_until > time(NULL)) {
		log_warning("configuration: revision %u still waits for its confirmation",
			    r->now.revision);
		confirm_start(r);
	} else {
		revert(r);
	}
	return 0;
}

bool running_file_changed(struct running *r, const char *path)
{
	return strcmp(path, r->now.file) != 0 || hash_file(path) != r->now.file_hash;
}

int running_read_version(struct running *r, uint32_t revision, struct config **ret,
			 struct ctrl_err *err)
{
	char path[PATH_MAX];
	struct version v;

	if (r->dir == NULL || revision > r->now.revision || versions_read(r->dir, revision, &v) < 0)
		return ctrl_fail(err, -ENOENT,
				 "there is no version %u; those that are kept: heddle history",
				 revision);
	return config_read(r->c->ly, versions_path(r->dir, revision, path, sizeof(path)), ret, err);
}

/* --- life ------------------------------------------------------------------------------------ */

static void on_confirm_timer(uv_timer_t *t);

struct running *running_create(struct ctrl *c, const char *state_dir)
{
	struct running *r = calloc(1, sizeof(*r));
	struct config *empty = calloc(1, sizeof(*empty));

	if (r == NULL || empty == NULL || (empty->json = strdup("{}\n")) == NULL ||
	    (state_dir != NULL && (r->dir = strdup(state_dir)) == NULL)) {
		free(r);
		free(empty);
		return NULL;
	}
	objset_init(&empty->set);
	r->c = c;
	r->cfg = empty;
	r->retry_ms = RETRY_MIN_MS;
	snprintf(r->problem, sizeof(r->problem), "no data plane is connected");
	uv_timer_init(c->loop, &r->retry);
	uv_timer_init(c->loop, &r->confirm);
	r->retry.data = r->confirm.data = r;
	r->n_handles = 2;
	if (r->dir != NULL)
		restore_ids(r);
	return r;
}

static void handle_closed(uv_handle_t *h)
{
	struct running *r = h->data;

	if (--r->n_handles == 0)
		free(r);
}

void running_destroy(struct running *r)
{
	if (r == NULL)
		return;
	config_destroy(r->cfg);
	config_destroy(r->candidate);
	free(r->sent);
	free(r->dir);
	uv_timer_stop(&r->retry);
	uv_timer_stop(&r->confirm);
	uv_close((uv_handle_t *)&r->retry, handle_closed);
	uv_close((uv_handle_t *)&r->confirm, handle_closed);
}

void running_set_problem(struct running *r, const char *text)
{
	r->synchronised = text[0] == '\0';
	snprintf(r->problem, sizeof(r->problem), "%s", text);
}

/* Settings of the control process itself. */
static void apply_own(struct running *r)
{
	int level = cfg_enum(cfg_top(r->cfg->tree, "system"), "log-level", r->c->default_log_level);

	log_level = (enum log_level)level;
	api_apply(r->c->api, r->cfg->tree);
}

/* --- load ------------------------------------------------------------------------------------ */

static void load_finish(struct running *r, struct load_result *res)
{
	load_done_fn done = r->done;
	bool follow = r->candidate == NULL ||
		      r->n_sent != 0; /* something was sent, or is in force now */

	if (r->prepared) /* and not in force: it is not going to be */
		versions_abort(r->dir, r->next.revision);
	api_abort(r->c->api);
	r->prepared = false;
	config_destroy(r->candidate);
	r->candidate = NULL;
	r->n_sent = 0;
	r->busy = false;
	res->revision = r->now.revision;
	r->done = NULL;
	if (follow)
		mirror_follow(r->c->mirror, r->cfg);
	if (done != NULL)
		done(r->done_arg, res);
	if (r->refresh)
		running_refresh(r);
}

/* The candidate says what runs already: its lines and its file may still be others. */
static void load_unchanged(struct running *r, struct load_result *res)
{
	struct config *old = r->cfg;

	res->state = LOAD_UNCHANGED;
	r->cfg = r->candidate;
	r->candidate = NULL;
	config_destroy(old);
	apply_own(r); /* certificates may be new */
	if (r->next.file[0] != '\0') {
		memcpy(r->now.file, r->next.file, sizeof(r->now.file));
		r->now.file_hash = r->next.file_hash;
		memcpy(r->now.source, r->next.source, sizeof(r->now.source));
	}
	if (r->now.revert_to != 0 && r->next.revert_to == 0) {
		running_confirm(r, NULL);
		snprintf(res->note, sizeof(res->note), "revision %u is confirmed", r->now.revision);
	} else if (r->now.revert_to != 0) { /* more time for the same */
		r->now.confirm_s = r->next.confirm_s;
		r->now.confirm_until = r->next.confirm_until;
		confirm_start(r);
	}
	int rc = r->dir != NULL ? versions_update(r->dir, &r->now) : 0;
	if (rc < 0)
		log_warning("%s: what is known about revision %u cannot be written: %s", r->dir,
			    r->now.revision, strerror(-rc));
}

struct retired {
	uv_work_t work;
	struct ctrl *c;
	struct config *cfg;
};

static void retire_work(uv_work_t *w)
{
	struct retired *old = w->data;

	config_destroy(old->cfg);
}

static void retire_done(uv_work_t *w, int status)
{
	struct retired *old = w->data;

	if (status != 0) /* it never ran */
		config_destroy(old->cfg);
	old->c->jobs--;
	free(old);
}

/* Taking a large tree apart takes long: a thread does it. */
static void retire(struct running *r, struct config *cfg)
{
	struct retired *old = cfg->set.n > RETIRE_MIN ? malloc(sizeof(*old)) : NULL;

	if (old != NULL) {
		*old = (struct retired){ .c = r->c, .cfg = cfg };
		old->work.data = old;
		if (uv_queue_work(r->c->loop, &old->work, retire_work, retire_done) == 0) {
			r->c->jobs++;
			return;
		}
		free(old);
	}
	config_destroy(cfg);
}

/* The candidate is what runs from now on. */
static void load_adopt(struct running *r, struct load_result *res)
{
	struct config *old = r->cfg;

	r->cfg = r->candidate;
	r->candidate = NULL;
	retire(r, old);
	ids_prune(r->c->ids);
	r->now = r->next;
	apply_own(r);
	int rc = r->prepared ? versions_switch(r->dir, r->now.revision) : 0;
	r->prepared = false;
	if (rc < 0) {
		snprintf(res->note, sizeof(res->note),
			 "in force, but not kept over a restart: %.100s/running.json: %s", r->dir,
			 strerror(-rc));
		log_error("%s", res->note);
	}
	if (r->now.revert_to != 0)
		snprintf(res->note, sizeof(res->note),
			 "revision %u returns in %u s unless it is confirmed: heddle confirm",
			 r->now.revert_to, r->now.confirm_s);
	confirm_start(r);
	log_info("configuration: revision %u from %s by %s: %zu objects, %u set, %u deleted",
		 r->now.revision, r->cfg->source, r->now.user[0] != '\0' ? r->now.user : "nobody",
		 r->cfg->set.n, res->n_set, res->n_del);
	events_config(r->c->events, &r->now, res->n_set, res->n_del);
}

void running_refused(struct ctrl_err *err, const char *source, const struct object *o,
		     const char *text)
{
	char what[300] = "";

	*err = (struct ctrl_err){ 0 };
	snprintf(err->file, sizeof(err->file), "%s", source);
	if (o != NULL) {
		object_describe(o, what, sizeof(what));
		err->line = yaml_line(o->origin);
		char *path = o->origin != NULL ? lyd_path(o->origin, LYD_PATH_STD, NULL, 0) : NULL;
		snprintf(err->path, sizeof(err->path), "%s", path != NULL ? path : "");
		free(path);
	}
	ctrl_fail(err, 0, "the data plane refuses %s%s%s", o != NULL ? what : "it",
		  text[0] != '\0' ? ": " : "", text);
}

static void on_load_commit(void *arg, const struct dp_answer *a)
{
	struct running *r = arg;
	struct load_result res = { .state = LOAD_APPLIED };

	if (a->error == 0) {
		res.n_set = a->reply.n_set;
		res.n_del = a->reply.n_del;
		running_set_problem(r, "");
		load_adopt(r, &res);
		load_finish(r, &res);
		return;
	}
	res.rc = -a->error;
	if (a->reply.error == 0) { /* it never answered */
		snprintf(res.err.file, sizeof(res.err.file), "%s", r->candidate->source);
		ctrl_fail(&res.err, 0,
			  "nothing changed: the data plane went away during the transaction (%s); "
			  "it will be brought back to revision %u",
			  a->text, r->now.revision);
	} else {
		const struct object *o = a->failed_index < r->n_sent ? r->sent[a->failed_index] :
								       NULL;
		running_refused(&res.err,
				o != NULL && o->origin == NULL ? "" : r->candidate->source, o,
				a->text);
	}
	load_finish(r, &res);
}

static int send_object(struct running *r, const struct object *o, bool del)
{
	if (r->n_sent == r->cap_sent) {
		size_t cap = r->cap_sent != 0 ? r->cap_sent * 2 : 256;
		const struct object **sent = realloc(r->sent, cap * sizeof(*sent));
		if (sent == NULL)
			return -ENOMEM;
		r->sent = sent;
		r->cap_sent = cap;
	}
	r->sent[r->n_sent++] = o;
	dp_txn_object(r->c->dp, o, del);
	return 0;
}

int running_add(struct running *r, const struct object *o, bool del)
{
	int rc = send_object(r, o, del);

	if (rc == 0)
		r->sent[r->n_sent - 1] = NULL; /* no part of the configuration asked for it */
	return rc;
}

static int send_difference(const struct object *old, const struct object *new, void *arg)
{
	struct running *r = arg;

	if (new == NULL && mirror_takes_over(r->c->mirror, old, r->candidate))
		return 0;
	return send_object(arg, new != NULL ? new : old, new == NULL);
}

static int send_deletion(const struct object *old, const struct object *new, void *arg)
{
	return new == NULL ? send_difference(old, new, arg) : 0;
}

static int count_difference(const struct object *old, const struct object *new, void *arg)
{
	struct load_result *res = arg;

	(void)old;
	if (new != NULL)
		res->n_set++;
	else
		res->n_del++;
	return 0;
}

/* What the history will say about the candidate. */
static void describe(struct running *r, const struct load *l)
{
	struct version *v = &r->next;

	*v = (struct version){ .revision = r->now.revision + 1,
			       .time = time(NULL),
			       .n_objects = (uint32_t)r->candidate->set.n };
	snprintf(v->user, sizeof(v->user), "%s", l->user != NULL ? l->user : "");
	snprintf(v->comment, sizeof(v->comment), "%s", l->comment != NULL ? l->comment : "");
	snprintf(v->source, sizeof(v->source), "%s", r->candidate->source);
	memcpy(v->file, r->now.file, sizeof(v->file));
	v->file_hash = r->now.file_hash;
	if (l->file != NULL) {
		snprintf(v->file, sizeof(v->file), "%s", l->file);
		v->file_hash = hash_file(l->file);
	}
	if (l->confirm_s != 0) {
		v->revert_to = r->now.revert_to != 0 ? r->now.revert_to : r->now.revision;
		v->confirm_s = l->confirm_s < CONFIRM_MAX_S ? l->confirm_s : CONFIRM_MAX_S;
		v->confirm_until = v->time + v->confirm_s;
	}
}

static int send_all(struct running *r, const struct config *cfg)
{
	int rc = 0;

	if (r->synchronised)
		return objset_diff(&r->cfg->set, &cfg->set, send_difference, r);
	/* it may lack some of what runs: send everything */
	for (size_t i = 0; rc == 0 && i < cfg->set.n; i++)
		rc = send_object(r, &cfg->set.obj[i], false);
	return rc == 0 ? objset_diff(&r->cfg->set, &cfg->set, send_deletion, r) : rc;
}

/* The candidate has compiled. */
static void load_apply(struct running *r, struct load_result *res)
{
	struct load_result count = { 0 };
	struct config *cfg = r->candidate;
	bool connected = dp_connected(r->c->dp);

	objset_diff(&r->cfg->set, &cfg->set, count_difference, &count);
	bool equal = count.n_set + count.n_del == 0 && (r->synchronised || !connected);
	if (equal && r->now.revision > 0 && strcmp(cfg->json, r->cfg->json) == 0) {
		load_unchanged(r, res);
		equal = false;
	} else {
		res->rc = prepare(r, cfg->json, &res->err);
	}
	if (res->rc < 0 || res->state == LOAD_UNCHANGED) {
		load_finish(r, res);
		return;
	}
	if (equal || !connected) {
		res->state = connected ? LOAD_APPLIED : LOAD_ACCEPTED;
		res->n_set = count.n_set;
		res->n_del = count.n_del;
		if (!connected && !equal)
			snprintf(res->note, sizeof(res->note),
				 "it will be applied when a data plane connects (%.100s)",
				 dp_problem(r->c->dp));
		load_adopt(r, res);
		load_finish(r, res);
		return;
	}
	dp_txn_begin(r->c->dp);
	int rc = mirror_load(r->c->mirror, cfg, &res->err);
	if (rc == 0) {
		rc = send_all(r, cfg);
		if (rc < 0)
			ctrl_fail(&res->err, rc, "out of memory");
	}
	if (rc < 0) {
		dp_txn_abort(r->c->dp);
		res->rc = rc;
		load_finish(r, res);
		return;
	}
	dp_txn_commit(r->c->dp, on_load_commit, r);
}

void running_load(struct running *r, const struct load *l, load_done_fn done, void *arg)
{
	struct load_result res = { 0 };

	if (r->busy)
		res.rc = ctrl_fail(&res.err, -EBUSY,
				   "another configuration is being applied; try again in a moment");
	else if (r->now.revert_to != 0 && !l->confirms)
		res.rc = ctrl_fail(
			&res.err, -EBUSY,
			"revision %u waits for its confirmation: first heddle confirm, or "
			"heddle confirm --cancel",
			r->now.revision);
	else if (l->confirm_s != 0 && (r->now.revision == 0 || r->dir == NULL))
		res.rc = ctrl_fail(&res.err, -EINVAL,
				   "there is no version before this one to which it could return");
	if (res.rc < 0) {
		config_destroy(l->cfg);
		done(arg, &res);
		return;
	}
	r->candidate = l->cfg;
	r->done = done;
	r->done_arg = arg;
	r->busy = true;
	res.rc = config_compile(l->cfg, r->c->ids, dp_stats(r->c->dp), &res.err);
	if (res.rc == 0)
		res.rc = api_check(r->c->api, l->cfg->tree, &res.err);
	if (res.rc < 0) {
		load_finish(r, &res);
		return;
	}
	describe(r, l);
	load_apply(r, &res);
}

void running_rollback(struct running *r, uint32_t revision, const struct load *l, load_done_fn done,
		      void *arg)
{
	struct load_result res = { 0 };
	struct load with = *l;
	char comment[64];

	res.rc = running_read_version(r, revision, &with.cfg, &res.err);
	if (res.rc < 0) {
		done(arg, &res);
		return;
	}
	snprintf(with.cfg->source, sizeof(with.cfg->source), "revision %u", revision);
	snprintf(comment, sizeof(comment), "rollback to revision %u", revision);
	if (with.comment == NULL)
		with.comment = comment;
	running_load(r, &with, done, arg);
}

/* --- confirmation ---------------------------------------------------------------------------- */

/* Wait as long as the version in force says; the clock may have been set, but the time given is never exceeded. */
static void confirm_start(struct running *r)
{
	int64_t left = (int64_t)(r->now.confirm_until - time(NULL));

	if (r->now.revert_to == 0) {
		uv_timer_stop(&r->confirm);
		return;
	}
	left = left < 0 ? 0 : left > r->now.confirm_s ? r->now.confirm_s : left;
	uv_timer_start(&r->confirm, on_confirm_timer, (uint64_t)left * 1000, 0);
}

int running_confirm(struct running *r, struct ctrl_err *err)
{
	if (r->now.revert_to == 0)
		return ctrl_fail(err, -ENOENT, "no version waits for a confirmation");
	struct version v = r->now;
	v.revert_to = v.confirm_s = 0;
	v.confirm_until = 0;
	int rc = r->dir != NULL ? versions_update(r->dir, &v) : 0;
	if (rc < 0)
		return ctrl_fail(err, rc, "the confirmation cannot be written to %s: %s", r->dir,
				 strerror(-rc));
	r->now = v;
	uv_timer_stop(&r->confirm);
	log_info("configuration: revision %u is confirmed", v.revision);
	events_confirm(r->c->events, &v, "confirmed");
	return 0;
}

static void reverted(void *arg, const struct load_result *res)
{
	struct running *r = arg;
	char line[1500];

	if (res->rc == 0) {
		events_confirm(r->c->events, &r->now, "reverted");
		return;
	}
	log_error(
		"configuration: revision %u was not confirmed and cannot be left: %s; trying again",
		r->now.revision, ctrl_err_str(&res->err, line, sizeof(line)));
	if (r->now.revert_to != 0)
		uv_timer_start(&r->confirm, on_confirm_timer, REVERT_RETRY_MS, 0);
}

static void revert(struct running *r)
{
	char comment[200];
	struct load l = { .user = "heddle-ctrl", .comment = comment, .confirms = true };

	snprintf(comment, sizeof(comment),
		 "back to revision %u: revision %u was not confirmed within %u s", r->now.revert_to,
		 r->now.revision, r->now.confirm_s);
	log_warning("configuration: %s", comment);
	running_rollback(r, r->now.revert_to, &l, reverted, r);
}

static void on_confirm_timer(uv_timer_t *t)
{
	struct running *r = t->data;

	if (r->busy)
		uv_timer_start(&r->confirm, on_confirm_timer, 100, 0);
	else if (r->now.revert_to != 0)
		revert(r);
}

void running_cancel(struct running *r, const char *user, load_done_fn done, void *arg)
{
	struct load_result res = { 0 };
	char comment[100];
	struct load l = { .user = user, .comment = comment, .confirms = true };

	if (r->now.revert_to == 0) {
		res.rc = ctrl_fail(&res.err, -ENOENT, "no version waits for a confirmation");
		done(arg, &res);
		return;
	}
	snprintf(comment, sizeof(comment), "back to revision %u: revision %u was cancelled",
		 r->now.revert_to, r->now.revision);
	running_rollback(r, r->now.revert_to, &l, done, arg);
}

/* --- questions ------------------------------------------------------------------------------- */

const struct config *running_config(const struct running *r)
{
	return r->cfg;
}

bool running_busy(const struct running *r)
{
	return r->busy;
}

bool running_synchronised(const struct running *r)
{
	return r->synchronised;
}

const char *running_problem(const struct running *r)
{
	return r->problem;
}

uint32_t running_revision(const struct running *r)
{
	return r->now.revision;
}

uint32_t running_reconciles(const struct running *r)
{
	return r->reconciles;
}

time_t running_time(const struct running *r)
{
	return r->now.time;
}

const struct version *running_version(const struct running *r)
{
	return &r->now;
}

const char *running_dir(const struct running *r)
{
	return r->dir;
}
