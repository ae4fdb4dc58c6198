/* SPDX-License-Identifier: BSD-3-Clause
 * Operations on the configuration: load, candidate, commit, confirmation, rollback, history. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/candidate.h"
#include "ctrl/cfg.h"
#include "ctrl/edit.h"
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

/* Would this be accepted?  cfg passes. */
static void check_only(struct ctrl *c, struct config *cfg, struct http_req *req)
{
	struct load_result res = { .state = LOAD_ACCEPTED,
				   .revision = running_revision(c->running) };
	struct ids *ids = ids_create(); /* the running ids keep their marks */

	res.rc = ids == NULL ? -ENOMEM : config_compile(cfg, ids, dp_stats(c->dp), &res.err);
	ids_destroy(ids);
	config_destroy(cfg);
	loaded(req, &res);
}

/* --- load -------------------------------------------------------------------------------------- */

/* Parsing a large text takes long: it is done in a thread of libuv's pool, and the loop goes on. */
struct parse {
	uv_work_t work;
	struct ctrl *c;
	struct http_req *req;
	char *text, *file, *comment;
	struct load load;
	bool check, candidate;
	struct config *cfg;
	struct ctrl_err err;
	int rc;
};

static void parse_work(uv_work_t *w)
{
	struct parse *p = w->data;

	p->rc = config_parse(p->c->ly, p->text, strlen(p->text), p->file, &p->cfg, &p->err);
}

static void take_candidate(struct parse *p)
{
	struct ctrl *c = p->c;
	struct load_result res = { .state = LOAD_ACCEPTED,
				   .revision = running_revision(c->running) };

	res.rc = candidate_replace(c->candidate, p->cfg->tree, p->req->user);
	p->cfg->tree = NULL;
	config_destroy(p->cfg);
	snprintf(res.note, sizeof(res.note), "it is the candidate now: heddle diff, heddle commit");
	loaded(p->req, &res);
}

static void parse_done(uv_work_t *w, int status)
{
	struct parse *p = w->data;
	struct ctrl *c = p->c;

	c->jobs--;
	if (status != 0) {
		p->rc = -ECANCELED;
		ctrl_fail(&p->err, 0, "heddle-ctrl stops");
	}
	if (p->rc < 0) {
		restconf_error(p->req, p->rc, &p->err);
	} else if (p->check) {
		check_only(c, p->cfg, p->req);
	} else if (p->candidate) {
		take_candidate(p);
	} else {
		bool own = c->config_file != NULL && strcmp(p->file, c->config_file) == 0;
		p->load.cfg = p->cfg;
		p->load.file = own ? c->config_file : NULL;
		running_load(c->running, &p->load, loaded, p->req);
	}
	free(p->text);
	free(p->file);
	free(p->comment);
	free(p);
}

void system_load(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	const char *text = cfg_str(in, "config"), *file = cfg_str(in, "file"),
		   *comment = cfg_str(in, "comment");
	struct parse *p = calloc(1, sizeof(*p));

	if (text == NULL || p == NULL) {
		free(p);
		restconf_errorf(req, text == NULL ? -EINVAL : -ENOMEM, "%s",
				text == NULL ? "no 'config' given" : "out of memory");
		return;
	}
	p->c = c;
	p->req = req;
	p->text = strdup(text);
	p->file = strdup(file != NULL ? file : "request");
	p->comment = comment != NULL ? strdup(comment) : NULL;
	p->load = load_of(in, req);
	p->load.comment = p->comment;
	p->check = cfg_bool(in, "check", false);
	p->candidate = cfg_bool(in, "candidate", false);
	p->work.data = p;
	c->jobs++;
	if (p->text == NULL || p->file == NULL ||
	    uv_queue_work(c->loop, &p->work, parse_work, parse_done) < 0) {
		p->rc = -ENOMEM;
		ctrl_fail(&p->err, 0, "out of memory");
		parse_done(&p->work, 0);
	}
}

void system_reload(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	struct ctrl_err err = { 0 };
	struct load l = load_of(in, req);

	if (c->config_file == NULL) {
		restconf_errorf(
			req, -EINVAL,
			"heddle-ctrl was started without --config, there is no file to read");
		return;
	}
	int rc = config_read(c->ly, c->config_file, &l.cfg, &err);
	l.file = c->config_file;
	if (rc < 0)
		restconf_error(req, rc, &err);
	else
		running_load(c->running, &l, loaded, req);
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
			rc = edit_apply(c->ly, tree, &p, EDIT_DELETE, "", 0, &res, &err);
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
	struct ctrl_err err = { 0 };

	if (cfg_bool(in, "check", false)) {
		int rc = candidate_config(c->candidate, &l.cfg, &err);
		if (rc < 0)
			restconf_error(req, rc, &err);
		else
			check_only(c, l.cfg, req);
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
