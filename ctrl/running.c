/* SPDX-License-Identifier: BSD-3-Clause
 * Three activities, one at a time: idle, a load under way, a reconcile under way.
 * A reconcile first replays everything as one transaction.  When the data plane refuses that (a device is gone, say),
 * each object goes into a transaction of its own, so that what can work does; the sweep is left out then, and the
 * reconcile is tried again later. */
#include "ctrl/running.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "ctrl/cfg.h"
#include "ctrl/ctrl.h"
#include "ctrl/dp.h"
#include "ctrl/file.h"
#include "ctrl/log.h"
#include "ctrl/yaml.h"

#define HISTORY_MAX  20u
#define RETRY_MIN_MS 1000u
#define RETRY_MAX_MS 30000u

struct running {
	struct ctrl *c;
	char *dir; /* state directory; NULL: nothing is kept */
	struct config *cfg;
	uint32_t revision;
	time_t time;
	char file[512]; /* configuration file last loaded */
	uint64_t file_hash;
	bool restored_meta;

	bool busy; /* a transaction is under way */
	bool synchronised;
	char problem[1024];
	uint32_t reconciles;
	uv_timer_t retry;
	uint64_t retry_ms;

	/* the load under way */
	struct config *candidate;
	const struct object **sent; /* objects of the transaction, in order */
	size_t n_sent, cap_sent;
	char *load_file;
	uint64_t load_hash;
	load_done_fn done;
	void *done_arg;

	/* the reconcile under way */
	size_t n_waiting; /* single-object transactions not yet answered */
	size_t n_refused;
};

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

/* The configuration that is being replaced goes to history/REVISION.json; the oldest go. */
static void keep_history(struct running *r)
{
	char from[600], to[640];

	snprintf(from, sizeof(from), "%s/history", r->dir);
	file_mkdirs(from);
	state_path(r, from, sizeof(from), "running.json");
	snprintf(to, sizeof(to), "%s/history/%06u.json", r->dir, r->revision);
	unlink(to);
	if (link(from, to) < 0 &&
	    errno != ENOENT) /* running.json is replaced, never written into */
		log_warning("history: %s: %s", to, strerror(errno));
	if (r->revision > HISTORY_MAX) {
		snprintf(to, sizeof(to), "%s/history/%06u.json", r->dir, r->revision - HISTORY_MAX);
		unlink(to);
	}
}

static int save(struct running *r)
{
	char path[600], hash[32];

	if (r->dir == NULL)
		return 0;
	int rc = ids_save(r->c->ids, state_path(r, path, sizeof(path), "ids.json"));
	char *text = config_json(r->cfg);
	if (text == NULL)
		rc = -ENOMEM;
	if (rc == 0)
		rc = file_replace(state_path(r, path, sizeof(path), "running.json"), text,
				  strlen(text));
	free(text);
	if (rc < 0)
		return rc;
	struct json_object *meta = json_object_new_object();
	json_object_object_add(meta, "revision", json_object_new_int64(r->revision));
	json_object_object_add(meta, "time", json_object_new_int64(r->time));
	json_object_object_add(meta, "source", json_object_new_string(r->cfg->source));
	json_object_object_add(meta, "file", json_object_new_string(r->file));
	snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)r->file_hash);
	json_object_object_add(meta, "file-hash", json_object_new_string(hash));
	const char *out = json_object_to_json_string_ext(meta, JSON_C_TO_STRING_PRETTY);
	rc = file_replace(state_path(r, path, sizeof(path), "meta.json"), out, strlen(out));
	json_object_put(meta);
	return rc;
}

static const char *meta_str(struct json_object *meta, const char *name)
{
	struct json_object *o;

	return json_object_object_get_ex(meta, name, &o) &&
			       json_object_is_type(o, json_type_string) ?
		       json_object_get_string(o) :
		       "";
}

static void restore_meta(struct running *r)
{
	char path[600], *text;
	size_t len;
	struct json_object *o;

	if (r->dir == NULL || r->restored_meta ||
	    file_read(state_path(r, path, sizeof(path), "meta.json"), 1 << 20, &text, &len) < 0)
		return;
	r->restored_meta = true;
	struct json_object *meta = json_tokener_parse(text);
	free(text);
	if (!json_object_is_type(meta, json_type_object)) {
		json_object_put(meta);
		return;
	}
	if (json_object_object_get_ex(meta, "revision", &o))
		r->revision = (uint32_t)json_object_get_int64(o);
	if (json_object_object_get_ex(meta, "time", &o))
		r->time = (time_t)json_object_get_int64(o);
	snprintf(r->file, sizeof(r->file), "%s", meta_str(meta, "file"));
	snprintf(r->cfg->source, sizeof(r->cfg->source), "%.255s", meta_str(meta, "source"));
	r->file_hash = strtoull(meta_str(meta, "file-hash"), NULL, 16);
	json_object_put(meta);
}

static void restore_ids(struct running *r)
{
	char path[600], bad[640];

	int rc = ids_load(r->c->ids, state_path(r, path, sizeof(path), "ids.json"));
	if (rc == 0 || rc == -ENOENT)
		return;
	snprintf(bad, sizeof(bad), "%s.bad", path);
	rename(path, bad);
	log_warning("%s is damaged; it is kept as %s and objects get new numbers", path, bad);
}

int running_restore(struct running *r, struct ctrl_err *err)
{
	struct config *cfg;
	char path[600];

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
	r->restored_meta = false;
	restore_meta(r);
	return 0;
}

bool running_file_changed(struct running *r, const char *path)
{
	restore_meta(r);
	return strcmp(path, r->file) != 0 || hash_file(path) != r->file_hash;
}

/* --- life ------------------------------------------------------------------------------------ */

static void on_retry(uv_timer_t *t);

struct running *running_create(struct ctrl *c, const char *state_dir)
{
	struct running *r = calloc(1, sizeof(*r));
	struct config *empty = calloc(1, sizeof(*empty));

	if (r == NULL || empty == NULL ||
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
	r->retry.data = r;
	if (r->dir != NULL)
		restore_ids(r);
	return r;
}

static void retry_closed(uv_handle_t *h)
{
	free(h->data);
}

void running_destroy(struct running *r)
{
	if (r == NULL)
		return;
	config_destroy(r->cfg);
	config_destroy(r->candidate);
	free(r->sent);
	free(r->load_file);
	free(r->dir);
	uv_timer_stop(&r->retry);
	uv_close((uv_handle_t *)&r->retry, retry_closed);
}

static void set_problem(struct running *r, const char *text)
{
	r->synchronised = text[0] == '\0';
	snprintf(r->problem, sizeof(r->problem), "%s", text);
}

/* Settings of the control process itself. */
static void apply_own(struct running *r)
{
	int level = cfg_enum(cfg_top(r->cfg->tree, "system"), "log-level", r->c->default_log_level);

	log_level = (enum log_level)level;
}

/* --- load ------------------------------------------------------------------------------------ */

static void load_finish(struct running *r, struct load_result *res)
{
	load_done_fn done = r->done;

	config_destroy(r->candidate);
	r->candidate = NULL;
	free(r->load_file);
	r->load_file = NULL;
	r->n_sent = 0;
	r->busy = false;
	res->revision = r->revision;
	r->done = NULL;
	if (done != NULL)
		done(r->done_arg, res);
}

/* The candidate is what runs from now on: a new revision, unless it says the same (then lines and file may differ). */
static void load_adopt(struct running *r, struct load_result *res)
{
	struct config *old = r->cfg;

	if (res->state != LOAD_UNCHANGED) {
		if (r->dir != NULL && r->revision > 0)
			keep_history(r);
		r->revision++;
		r->time = time(NULL);
	}
	r->cfg = r->candidate;
	r->candidate = NULL;
	config_destroy(old);
	ids_prune(r->c->ids);
	if (r->load_file != NULL) {
		snprintf(r->file, sizeof(r->file), "%s", r->load_file);
		r->file_hash = r->load_hash;
	}
	apply_own(r);
	int rc = save(r);
	if (rc < 0) {
		snprintf(res->note, sizeof(res->note),
			 "in force, but not kept over a restart: %s/running.json: %s", r->dir,
			 strerror(-rc));
		log_error("%s", res->note);
	}
	if (res->state == LOAD_UNCHANGED)
		return;
	log_info("configuration: revision %u from %s: %zu objects, %u set, %u deleted", r->revision,
		 r->cfg->source, r->cfg->set.n, res->n_set, res->n_del);
}

/* The data plane refused an object: say which part of the configuration asked for it. */
static void refused_by_dp(struct ctrl_err *err, const char *source, const struct object *o,
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
		load_adopt(r, &res);
		set_problem(r, "");
		load_finish(r, &res);
		return;
	}
	res.rc = -a->error;
	if (a->reply.error == 0) { /* it never answered */
		snprintf(res.err.file, sizeof(res.err.file), "%s", r->candidate->source);
		ctrl_fail(&res.err, 0,
			  "nothing changed: the data plane went away during the transaction (%s); "
			  "it will be brought back to revision %u",
			  a->text, r->revision);
	} else {
		const struct object *o = a->failed_index < r->n_sent ? r->sent[a->failed_index] :
								       NULL;
		refused_by_dp(&res.err, o != NULL && o->origin == NULL ? "" : r->candidate->source,
			      o, a->text);
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

static int send_difference(const struct object *old, const struct object *new, void *arg)
{
	return send_object(arg, new != NULL ? new : old, new == NULL);
}

static int send_deletion(const struct object *old, const struct object *new, void *arg)
{
	return new == NULL ? send_object(arg, old, true) : 0;
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

/* True: both trees are the same, so there is nothing to persist either. */
static bool same_tree(const struct config *a, const struct config *b)
{
	char *ja = config_json(a), *jb = config_json(b);
	bool same = ja != NULL && jb != NULL && strcmp(ja, jb) == 0;

	free(ja);
	free(jb);
	return same;
}

void running_load(struct running *r, struct config *cfg, const char *file, load_done_fn done,
		  void *arg)
{
	struct load_result res = { 0 }, count = { 0 };

	if (r->busy) {
		res.rc = ctrl_fail(&res.err, -EBUSY,
				   "another configuration is being applied; try again in a moment");
		config_destroy(cfg);
		done(arg, &res);
		return;
	}
	r->candidate = cfg;
	r->done = done;
	r->done_arg = arg;
	r->busy = true;
	r->load_file = file != NULL ? strdup(file) : NULL;
	r->load_hash = file != NULL ? hash_file(file) : 0;
	res.rc = config_compile(cfg, r->c->ids, dp_stats(r->c->dp), &res.err);
	if (res.rc < 0) {
		load_finish(r, &res);
		return;
	}
	objset_diff(&r->cfg->set, &cfg->set, count_difference, &count);
	bool connected = dp_connected(r->c->dp);
	if (count.n_set + count.n_del == 0 && (r->synchronised || !connected)) {
		res.state = r->revision > 0 && same_tree(r->cfg, cfg) ? LOAD_UNCHANGED :
			    connected                                 ? LOAD_APPLIED :
									LOAD_ACCEPTED;
		load_adopt(r, &res);
		load_finish(r, &res);
		return;
	}
	if (!connected) {
		res.state = LOAD_ACCEPTED;
		res.n_set = count.n_set;
		res.n_del = count.n_del;
		snprintf(res.note, sizeof(res.note),
			 "it will be applied when a data plane connects (%s)",
			 dp_problem(r->c->dp));
		load_adopt(r, &res);
		load_finish(r, &res);
		return;
	}
	dp_txn_begin(r->c->dp);
	int rc = 0;
	if (r->synchronised) {
		rc = objset_diff(&r->cfg->set, &cfg->set, send_difference, r);
	} else { /* it may lack some of what runs: send everything */
		for (size_t i = 0; rc == 0 && i < cfg->set.n; i++)
			rc = send_object(r, &cfg->set.obj[i], false);
		if (rc == 0)
			rc = objset_diff(&r->cfg->set, &cfg->set, send_deletion, r);
	}
	if (rc < 0) {
		dp_txn_abort(r->c->dp);
		res.rc = ctrl_fail(&res.err, rc, "out of memory");
		load_finish(r, &res);
		return;
	}
	dp_txn_commit(r->c->dp, on_load_commit, r);
}

/* --- reconcile ------------------------------------------------------------------------------- */

static void retry_later(struct running *r)
{
	uv_timer_start(&r->retry, on_retry, r->retry_ms, 0);
	r->retry_ms = r->retry_ms * 2 < RETRY_MAX_MS ? r->retry_ms * 2 : RETRY_MAX_MS;
}

static void on_epoch_end(void *arg, const struct dp_answer *a)
{
	struct running *r = arg;

	r->busy = false;
	if (a->error == ENOTCONN)
		return; /* running_dp_down() says the rest */
	if (a->error != 0) {
		set_problem(r, a->text);
		log_warning("data plane: sweep refused: %s", a->text);
		retry_later(r);
		return;
	}
	r->retry_ms = RETRY_MIN_MS;
	set_problem(r, "");
	log_info("data plane: reconciled to revision %u: %zu objects, %u swept", r->revision,
		 r->cfg->set.n, a->reply.n_del);
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
		refused_by_dp(&err, r->cfg->source, &r->cfg->set.obj[s->index], a->text);
		if (r->n_refused++ == 0)
			set_problem(r, ctrl_err_str(&err, line, sizeof(line)));
		if (r->n_refused <= 5)
			log_warning("%s", ctrl_err_str(&err, line, sizeof(line)));
	}
	free(s);
	if (--r->n_waiting > 0)
		return;
	r->busy = false;
	if (!dp_connected(r->c->dp))
		return;
	if (r->n_refused == 0) { /* whatever was wrong has gone: do it properly */
		running_dp_up(r);
		return;
	}
	log_warning("data plane: %zu of %zu objects refused; trying again in %llu s", r->n_refused,
		    r->cfg->set.n, (unsigned long long)(r->retry_ms / 1000));
	retry_later(r);
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
	}
}

static void on_replay(void *arg, const struct dp_answer *a)
{
	struct running *r = arg;

	if (a->error == 0) {
		dp_request(r->c->dp, HD_API_EPOCH_END, NULL, 0, -1, on_epoch_end, r);
		return;
	}
	if (a->error == ENOTCONN) {
		r->busy = false;
		return;
	}
	replay_singly(r);
}

static void on_epoch_begin(void *arg, const struct dp_answer *a)
{
	struct running *r = arg;

	if (a->error == ENOTCONN) {
		r->busy = false;
		return;
	}
	dp_txn_begin(r->c->dp);
	for (size_t i = 0; i < r->cfg->set.n; i++)
		dp_txn_object(r->c->dp, &r->cfg->set.obj[i], false);
	dp_txn_commit(r->c->dp, on_replay, r);
}

void running_dp_up(struct running *r)
{
	struct ctrl_err err;
	char line[1400];

	if (r->busy) { /* cannot be: what was under way was answered when the connection went */
		retry_later(r);
		return;
	}
	r->reconciles++;
	set_problem(r, "being reconciled");
	/* Names that the data plane defines can be resolved now. */
	if (config_compile(r->cfg, r->c->ids, dp_stats(r->c->dp), &err) < 0) {
		set_problem(r, ctrl_err_str(&err, line, sizeof(line)));
		log_error("%s", line);
		return;
	}
	r->busy = true;
	dp_request(r->c->dp, HD_API_EPOCH_BEGIN, NULL, 0, -1, on_epoch_begin, r);
}

static void on_retry(uv_timer_t *t)
{
	struct running *r = t->data;

	if (dp_connected(r->c->dp) && !r->synchronised)
		running_dp_up(r);
}

void running_dp_down(struct running *r)
{
	uv_timer_stop(&r->retry);
	r->retry_ms = RETRY_MIN_MS;
	set_problem(r, "no data plane is connected");
}

/* --- questions ------------------------------------------------------------------------------- */

const struct config *running_config(const struct running *r)
{
	return r->cfg;
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
	return r->revision;
}

uint32_t running_reconciles(const struct running *r)
{
	return r->reconciles;
}

time_t running_time(const struct running *r)
{
	return r->time;
}
