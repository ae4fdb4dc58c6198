/* SPDX-License-Identifier: BSD-3-Clause
 * Operations on the configuration: load, candidate, commit, confirmation, rollback, history. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/candidate.h"
#include "ctrl/cfg.h"
#include "ctrl/edit.h"
#include "ctrl/job.h"
#include "ctrl/path.h"
#include "ctrl/restconf.h"
#include "ctrl/running.h"
#include "ctrl/system/system_private.h"
#include "ctrl/versions.h"

static void loaded(void *arg, const struct load_result *r)
{
	static const char *const states[] = { "applied", "accepted", "unchanged" };
	static const char *const texts[] = { "in force", "accepted", "nothing changed" };
	struct http_req *req = arg;
	char text[300];

	if (r->rc < 0) {
		restconf_error(req, r->rc, &r->err);
		return;
	}
	struct json_object *o = json_object_new_object();
	json_add_u32(o, "revision", r->revision);
	json_add_str(o, "state", states[r->state]);
	json_add_u32(o, "set", r->n_set);
	json_add_u32(o, "deleted", r->n_del);
	snprintf(text, sizeof(text), "%s%s%s", texts[r->state], r->note[0] != '\0' ? "; " : "",
		 r->note);
	json_add_str(o, "text", text);
	snprintf(req->note, sizeof(req->note), "revision %u: %s", r->revision, texts[r->state]);
	restconf_output(req, "heddle-system", o);
}

/* Who, why, and for how long. */
static struct load load_of(const struct lyd_node *in, struct http_req *req)
{
	return (struct load){ .user = req->user,
			      .comment = cfg_str(in, "comment"),
			      .confirm_s = cfg_u32(in, "confirmed", 0) };
}

/* --- load -------------------------------------------------------------------------------------- */

/* A text, or the candidate, that is not to run now: parsed and perhaps compiled in a thread. */
struct inspect {
	struct ctrl *c;
	struct http_req *req;
	char *text, *file;
	struct lyd_node *tree; /* instead of a text */
	bool compile;          /* only say whether it would be accepted */
	struct dp_segment *stats;
	struct config *cfg;
	struct load_result res;
};

static void inspect_work(void *arg)
{
	struct inspect *n = arg;
	struct load_result *res = &n->res;
	struct ids *ids = ids_create(); /* the running ids keep their marks */

	if (n->text != NULL)
		res->rc = config_parse(n->c->ly, n->text, strlen(n->text), n->file, &n->cfg,
				       &res->err);
	else
		res->rc = config_from_tree(n->c->ly, n->tree, "candidate", &n->cfg, &res->err);
	if (res->rc == 0 && ids == NULL)
		res->rc = ctrl_fail(&res->err, -ENOMEM, "out of memory");
	if (res->rc == 0 && n->compile)
		res->rc = config_compile(n->cfg, ids, dp_segment_stats(n->stats), &res->err);
	ids_destroy(ids);
}

static void inspect_done(void *arg)
{
	struct inspect *n = arg;

	dp_stats_release(n->stats);
	n->res.revision = running_revision(n->c->running);
	if (n->res.rc == 0 && !n->compile) {
		n->res.rc = candidate_replace(n->c->candidate, n->cfg->tree, n->req->user);
		n->cfg->tree = NULL;
		snprintf(n->res.note, sizeof(n->res.note),
			 "it is the candidate now: heddle diff, heddle commit");
	}
	loaded(n->req, &n->res);
	config_destroy(n->cfg);
	free(n->text);
	free(n->file);
	free(n);
}

static void inspect(struct inspect what)
{
	struct inspect *n = malloc(sizeof(*n));

	if (n == NULL) {
		restconf_errorf(what.req, -ENOMEM, "out of memory");
		lyd_free_all(what.tree);
		free(what.text);
		free(what.file);
		return;
	}
	*n = what;
	n->stats = dp_stats_hold(n->c->dp);
	n->res.state = LOAD_ACCEPTED;
	job_start(n->c, inspect_work, inspect_done, n);
}

/* A text that is to run. */
struct text {
	struct ctrl *c;
	struct http_req *req;
	char *text, *file;
};

static int make_text(const struct running *r, void *arg, struct config **ret, struct ctrl_err *err)
{
	struct text *t = arg;

	(void)r;
	return config_parse(t->c->ly, t->text, strlen(t->text), t->file, ret, err);
}

static void text_loaded(void *arg, const struct load_result *r)
{
	struct text *t = arg;

	loaded(t->req, r);
	free(t->text);
	free(t->file);
	free(t);
}

void system_load(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	const char *config = cfg_str(in, "config"), *file = cfg_str(in, "file");
	bool check = cfg_bool(in, "check", false), candidate = cfg_bool(in, "candidate", false);
	struct load l = load_of(in, req);
	struct text *t = malloc(sizeof(*t));

	if (config == NULL) {
		restconf_errorf(req, -EINVAL, "no 'config' given");
		free(t);
		return;
	}
	char *text = strdup(config), *name = strdup(file != NULL ? file : "request");
	if (t == NULL || text == NULL || name == NULL) {
		restconf_errorf(req, -ENOMEM, "out of memory");
		free(t);
		free(text);
		free(name);
	} else if (check || candidate) {
		free(t);
		inspect((struct inspect){
			.c = c, .req = req, .text = text, .file = name, .compile = check });
	} else {
		*t = (struct text){ c, req, text, name };
		l.make = (struct load_make){ make_text, t };
		if (c->config_file != NULL && strcmp(name, c->config_file) == 0)
			l.file = c->config_file;
		running_load(c->running, &l, text_loaded, t);
	}
}

void system_reload(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	struct load l = load_of(in, req);

	if (c->config_file == NULL)
		restconf_errorf(
			req, -EINVAL,
			"heddle-ctrl was started without --config, there is no file to read");
	else
		running_load_file(c->running, c->config_file, &l, loaded, req);
}

/* --- candidate --------------------------------------------------------------------------------- */

#define WORDS_MAX 64u

void system_edit(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	const char *word[WORDS_MAX], *op = cfg_str(in, "operation");
	struct ctrl_err err = { 0 };
	struct edit_result res;
	struct path p = { 0 };
	unsigned n = 0, used = 0;
	int rc = 0;

	cfg_foreach(w, in, "word")
	{
		if (n == WORDS_MAX) {
			restconf_errorf(req, -EINVAL, "more than %u words", WORDS_MAX);
			return;
		}
		word[n++] = lyd_get_value(w);
	}
	rc = path_from_words(c->ly, word, n, &p, &used, &err);
	bool had = candidate_exists(c->candidate);
	struct lyd_node **tree = rc == 0 ? candidate_edit(c->candidate) : NULL;
	if (rc == 0 && tree == NULL)
		rc = ctrl_fail(&err, -ENOMEM, "out of memory");
	bool set = op != NULL && strcmp(op, "set") == 0;
	const struct lysc_node *last = p.n > 0 ? p.step[p.n - 1].schema : NULL;
	/* several values: entries of a leaf-list */
	bool many = last != NULL && last->nodetype == LYS_LEAFLIST;
	if (rc == 0 && n > used + 1 && !(many && set))
		rc = ctrl_fail(&err, -EINVAL, "'%s' is one word too many", word[used + 1]);
	if (rc == 0 && set)
		do {
			rc = edit_set_value(c->ly, tree, &p, used < n ? word[used] : NULL, &err);
		} while (rc == 0 && ++used < n);
	if (rc == 0 && !set) {
		if (used < n && many)
			p.step[p.n - 1].key[p.step[p.n - 1].n_keys++] = word[used];
		else if (used < n)
			rc = ctrl_fail(&err, -EINVAL, "'%s' is one word too many", word[used]);
		if (rc == 0)
			rc = edit_apply(c->ly, tree, &p, EDIT_DELETE, NULL, "", 0, &res, &err);
	}
	path_fini(&p);
	if (rc == 0)
		candidate_changed(c->candidate, req->user);
	else if (!had)
		candidate_discard(c->candidate);
	if (rc < 0)
		restconf_error(req, rc, &err);
	else
		restconf_output(req, "heddle-system", NULL);
}

void system_discard(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	(void)in;
	candidate_discard(c->candidate);
	restconf_output(req, "heddle-system", NULL);
}

void system_rebase(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	struct ctrl_err err = { 0 };

	(void)in;
	int rc = candidate_rebase(c->candidate, &err);
	if (rc < 0)
		restconf_error(req, rc, &err);
	else
		restconf_output(req, "heddle-system", NULL);
}

/* --- commit, confirmation, rollback --------------------------------------------------------------- */

void system_commit(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	struct load l = load_of(in, req);
	struct inspect what = { .c = c, .req = req, .compile = true };
	struct ctrl_err err = { 0 };

	if (cfg_bool(in, "check", false)) {
		int rc = candidate_copy(c->candidate, &what.tree, &err);
		if (rc < 0)
			restconf_error(req, rc, &err);
		else
			inspect(what);
		return;
	}
	l.confirms = true;
	candidate_commit(c->candidate, &l, loaded, req);
}

void system_confirm(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	struct load_result res = { .state = LOAD_UNCHANGED };

	if (cfg_bool(in, "cancel", false)) {
		running_cancel(c->running, req->user, loaded, req);
		return;
	}
	res.rc = running_confirm(c->running, &res.err);
	res.revision = running_revision(c->running);
	snprintf(res.note, sizeof(res.note), "revision %u is confirmed", res.revision);
	loaded(req, &res);
}

void system_rollback(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	struct load l = load_of(in, req);

	running_rollback(c->running, cfg_u32(in, "revision", 0), &l, loaded, req);
}

void system_repair(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	(void)in;
	running_repair(c->running, loaded, req);
}

/* --- history ------------------------------------------------------------------------------------- */

static void add_version(struct json_object *list, const struct version *v, const char *state)
{
	struct json_object *o = json_object_new_object();

	json_add_u32(o, "revision", v->revision);
	if (v->time != 0)
		json_add_time_ns(o, "time", (uint64_t)v->time * 1000000000u);
	if (v->user[0] != '\0')
		json_add_str(o, "user", v->user);
	if (v->comment[0] != '\0')
		json_add_str(o, "comment", v->comment);
	if (v->source[0] != '\0')
		json_add_str(o, "source", v->source);
	json_add_u32(o, "objects", v->n_objects);
	json_add_str(o, "state", state);
	json_object_array_add(list, o);
}

void system_history_state(struct ctrl *c, struct http_req *req)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	const struct version *now = running_version(c->running);
	struct version v;

	if (now->revision != 0)
		add_version(list, now, now->revert_to != 0 ? "unconfirmed" : "current");
	for (uint32_t i = 1; i <= VERSIONS_MAX && i < now->revision; i++)
		if (running_dir(c->running) != NULL &&
		    versions_read(running_dir(c->running), now->revision - i, &v) == 0)
			add_version(list, &v, "past");
	json_object_object_add(o, "version", list);
	restconf_data(req, "heddle-system:history-state", o);
}
