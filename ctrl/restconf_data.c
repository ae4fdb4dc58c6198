/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/restconf_data.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "ctrl/candidate.h"
#include "ctrl/cfg.h"
#include "ctrl/domains.h"
#include "ctrl/edit.h"
#include "ctrl/path.h"
#include "ctrl/query.h"
#include "ctrl/running.h"
#include "ctrl/state_tree.h"
#include "ctrl/versions.h"

/* --- entity tags and preconditions (RFC 7232) ------------------------------------------------- */

const char *restconf_etag(struct ctrl *c, enum datastore ds, char *buf, size_t size)
{
	if (ds == DS_CANDIDATE && candidate_exists(c->candidate))
		snprintf(buf, size, "\"c%llx\"",
			 (unsigned long long)candidate_version(c->candidate));
	else
		snprintf(buf, size, "\"%u-%llx\"", running_revision(c->running),
			 (unsigned long long)running_time(c->running));
	return buf;
}

static time_t last_modified(struct ctrl *c, enum datastore ds)
{
	return ds == DS_CANDIDATE ? candidate_time(c->candidate) : running_time(c->running);
}

static void set_validators(struct ctrl *c, struct http_req *req, enum datastore ds)
{
	char text[64];
	struct tm tm;
	time_t t = last_modified(c, ds);

	http_set(req, "ETag", restconf_etag(c, ds, text, sizeof(text)));
	if (t == 0)
		return;
	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	http_set(req, "Last-Modified", text);
}

/* "*", or a list of tags, of which one is ours; weak ones never are, for edits. */
static bool tag_listed(const char *list, const char *tag)
{
	size_t n = strlen(tag);

	for (; *list != '\0'; list++) {
		list += strspn(list, " \t,");
		if (*list == '*')
			return true;
		if (strncmp(list, tag, n) == 0)
			return true;
		list += strcspn(list, ",");
		if (*list == '\0')
			return false;
	}
	return false;
}

static bool http_date(const char *text, time_t *ret)
{
	struct tm tm = { 0 };
	const char *end = text != NULL ? strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm) : NULL;

	if (end == NULL || *end != '\0')
		return false;
	*ret = timegm(&tm);
	return true;
}

/* False, and answered: the client's condition does not hold. */
static bool preconditions(struct ctrl *c, struct http_req *req, enum datastore ds)
{
	const char *match = http_header(req, "If-Match"), *none = http_header(req, "If-None-Match");
	char tag[64];
	time_t t, modified = last_modified(c, ds);
	bool reads = restconf_reads(req);

	restconf_etag(c, ds, tag, sizeof(tag));
	bool stale = match != NULL ?
			     !tag_listed(match, tag) :
			     http_date(http_header(req, "If-Unmodified-Since"), &t) && modified > t;
	if (!reads && none != NULL && tag_listed(none, tag))
		stale = true;
	if (stale) {
		set_validators(c, req, ds);
		restconf_errorf(req, -ESTALE,
				"the configuration has changed meanwhile: it is %s now; read it "
				"again",
				tag);
		return false;
	}
	bool same = none != NULL ?
			    tag_listed(none, tag) :
			    http_date(http_header(req, "If-Modified-Since"), &t) && modified <= t;
	if (!reads || !same)
		return true;
	set_validators(c, req, ds);
	http_reply(req, 304, NULL, "", 0);
	return false;
}

/* --- query parameters -------------------------------------------------------------------------- */

enum content { CONTENT_ALL, CONTENT_CONFIG, CONTENT_NONCONFIG };

struct query {
	enum content content;
	uint32_t defaults; /* LYD_PRINT_WD_* */
	unsigned depth;    /* 0: no limit */
	struct query_fields *fields;
};

static int bad_query(struct ctrl_err *err, const char *name, const char *possible)
{
	return ctrl_fail(err, -EINVAL, "query parameter '%s': %s (RFC 8040 section 4.8)", name,
			 possible);
}

/* Position of a value in a list of words; -1: none. */
static int word(const char *value, const char *const *words)
{
	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(value, words[i]) == 0)
			return i;
	return -1;
}

static int read_depth(const char *text, struct query *q, struct ctrl_err *err)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (strcmp(text, "unbounded") == 0)
		return 0;
	if (*text < '0' || *text > '9' || *end != '\0' || n < 1 || n > 65535)
		return bad_query(err, "depth", "1 to 65535, or unbounded");
	q->depth = (unsigned)n;
	return 0;
}

static int read_query(const char *text, struct query *q, struct ctrl_err *err)
{
	static const char *const known[] = { "content", "depth", "fields", "with-defaults", NULL };
	static const char *const contents[] = { "all", "config", "nonconfig", NULL };
	static const char *const defaults[] = { "explicit", "report-all", "trim", NULL };
	static const uint32_t options[] = { LYD_PRINT_WD_EXPLICIT, LYD_PRINT_WD_ALL,
					    LYD_PRINT_WD_TRIM };
	char value[1024];
	int found[4], rc = 0, w;

	*q = (struct query){ .defaults = LYD_PRINT_WD_EXPLICIT };
	if (uri_query_unknown(text, known, value, 64))
		return bad_query(err, value, "is not known here");
	for (int i = 0; rc == 0 && known[i] != NULL; i++) {
		found[i] = uri_query(text, known[i], value, sizeof(value));
		if (found[i] < 0)
			return bad_query(err, known[i], "cannot be read, or is given twice");
		if (found[i] == 0)
			continue;
		switch (i) {
		case 0:
			w = word(value, contents);
			q->content = (enum content)w;
			rc = w < 0 ? bad_query(err, known[i], "all, config or nonconfig") : 0;
			break;
		case 1:
			rc = read_depth(value, q, err);
			break;
		case 2:
			rc = query_fields_parse(value, &q->fields, err);
			break;
		default:
			w = word(value, defaults);
			rc = w < 0 ? bad_query(err, known[i], "report-all, trim or explicit") : 0;
			q->defaults = w < 0 ? 0 : options[w];
		}
	}
	return rc;
}

static void query_fini(struct query *q)
{
	query_fields_destroy(q->fields);
	q->fields = NULL;
}

/* Answer with what is selected of {"module:name": ...}; takes o. */
static void reply_selected(struct http_req *req, struct json_object *o, const struct query *q,
			   bool datastore)
{
	json_object_object_foreach(o, key, value)
	{
		(void)key;
		/* the resource itself is level 1; of a datastore, its nodes are */
		if (!datastore && q->fields != NULL)
			query_fields_keep(value, q->fields);
		if (!datastore && q->depth > 0)
			query_depth_cut(value, q->depth - 1);
	}
	if (datastore && q->fields != NULL)
		query_fields_keep(o, q->fields);
	if (datastore && q->depth > 0)
		query_depth_cut(o, q->depth);
	const char *text = json_object_to_json_string_ext(
		o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	http_reply(req, 200, RESTCONF_JSON, text, strlen(text));
	json_object_put(o);
}

/* --- reading configuration --------------------------------------------------------------------- */

static const struct lyd_node *tree_of(struct ctrl *c, enum datastore ds)
{
	return ds == DS_CANDIDATE ? candidate_tree(c->candidate) : running_config(c->running)->tree;
}

/* All entries of a list, which libyang prints one by one. */
static struct json_object *entries_json(const struct lyd_node *node, uint32_t options)
{
	struct json_object *all = NULL, *top = NULL;

	for (; node != NULL; node = cfg_next(node)) {
		char *text = config_shown_json(node, options);
		struct json_object *o = text != NULL ? json_tokener_parse(text) : NULL;
		free(text);
		json_object_object_foreach(o, key, list)
		{
			if (top == NULL) {
				top = json_object_new_object();
				all = json_object_new_array();
				json_object_object_add(top, key, all);
			}
			for (size_t i = 0; i < json_object_array_length(list); i++)
				json_object_array_add(
					all, json_object_get(json_object_array_get_idx(list, i)));
		}
		json_object_put(o);
	}
	return top;
}

static void get_config(struct ctrl *c, struct http_req *req, enum datastore ds,
		       const struct path *p, const struct query *q)
{
	struct ctrl_err err = { 0 };
	struct lyd_node *node = NULL;
	uint32_t options = q->defaults | LYD_PRINT_KEEPEMPTYCONT;
	const struct path_step *last = &p->step[p->n - 1];

	int rc = path_find(tree_of(c, ds), p, p->n, &node, &err);
	if (rc == 0 && q->content == CONTENT_NONCONFIG)
		rc = -ENOENT;
	if (rc == 0 && (node->flags & LYD_DEFAULT) != 0 && q->defaults != LYD_PRINT_WD_ALL &&
	    node->schema->nodetype == LYS_LEAF)
		rc = -ENOENT;
	if (rc == -ENOENT) {
		path_text(p, err.path, sizeof(err.path));
		ctrl_fail(&err, 0, "there is no '%s' in the configuration", err.path);
	}
	if (rc < 0) {
		restconf_error(req, rc, &err);
		return;
	}
	set_validators(c, req, ds);
	bool many = last->n_keys == 0 && (last->schema->nodetype & (LYS_LIST | LYS_LEAFLIST)) != 0;
	char *text = many ? NULL : config_shown_json(node, options);
	if (text != NULL && q->fields == NULL && q->depth == 0) {
		http_reply(req, 200, RESTCONF_JSON, text, strlen(text));
	} else {
		struct json_object *o = many         ? entries_json(node, options) :
					text != NULL ? json_tokener_parse(text) :
						       NULL;
		if (o == NULL)
			restconf_errorf(req, -ENOMEM, "out of memory");
		else
			reply_selected(req, o, q, false);
	}
	free(text);
}

/* --- reading everything ------------------------------------------------------------------------ */

struct everything {
	struct http_req *req;
	struct query q;
};

static void got_everything(void *arg, struct json_object *state)
{
	struct everything *all = arg;

	reply_selected(all->req, state, &all->q, true);
	query_fini(&all->q);
	free(all);
}

static void get_datastore(struct ctrl *c, struct http_req *req, enum datastore ds, struct query *q)
{
	const struct lyd_node *tree = tree_of(c, ds);
	bool state = (ds == DS_UNIFIED || ds == DS_OPERATIONAL) && q->content != CONTENT_CONFIG;
	char *text = NULL;

	if (ds != DS_CANDIDATE && !state && q->defaults == LYD_PRINT_WD_EXPLICIT &&
	    !config_has_secret(tree) && q->fields == NULL && q->depth == 0 &&
	    q->content != CONTENT_NONCONFIG) {
		text = running_config(c->running)->json;
		set_validators(c, req, ds);
		http_reply(req, 200, RESTCONF_JSON, text, strlen(text));
		return;
	}
	if (q->content != CONTENT_NONCONFIG && tree != NULL)
		text = config_shown_json(tree, LYD_PRINT_WITHSIBLINGS | q->defaults);
	else
		text = strdup("{}\n");
	set_validators(c, req, ds);
	if (text != NULL && !state && q->fields == NULL && q->depth == 0) {
		http_reply(req, 200, RESTCONF_JSON, text, strlen(text));
		free(text);
		return;
	}
	struct json_object *o = text != NULL ? json_tokener_parse(text) : NULL;
	struct everything *all = state ? malloc(sizeof(*all)) : NULL;
	free(text);
	if (o == NULL || (state && all == NULL)) {
		json_object_put(o);
		free(all);
		restconf_errorf(req, -ENOMEM, "out of memory");
	} else if (!state) {
		reply_selected(req, o, q, true);
	} else {
		*all = (struct everything){ .req = req, .q = *q };
		q->fields = NULL;
		state_collect(c, req, o, got_everything, all);
	}
}

/* --- reading state ----------------------------------------------------------------------------- */

struct part {
	struct http_req *req;
	struct path path;
	struct query q;
};

static void got_state(void *arg, unsigned status, struct json_object *o)
{
	struct part *part = arg;
	struct ctrl_err err = { 0 };

	if (status != 200) { /* an error, as it came */
		const char *text = json_object_to_json_string_ext(
			o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
		http_reply(part->req, status, RESTCONF_JSON, text, strlen(text));
		json_object_put(o);
	} else if ((o = state_select(o, &part->path)) == NULL) {
		path_text(&part->path, err.path, sizeof(err.path));
		ctrl_fail(&err, 0, "there is no such state now");
		restconf_error(part->req, -ENOENT, &err);
	} else {
		reply_selected(part->req, o, &part->q, false);
	}
	path_fini(&part->path);
	query_fini(&part->q);
	free(part);
}

/* p passes. */
static void get_state(struct ctrl *c, struct http_req *req, const struct ctrl_state *s,
		      struct path *p, struct query *q)
{
	struct part *part;

	if (p->n <= 1 && q->depth == 0 && q->fields == NULL) {
		s->get(c, req); /* whole: as it comes */
		path_fini(p);
		return;
	}
	part = malloc(sizeof(*part));
	if (part == NULL) {
		path_fini(p);
		restconf_errorf(req, -ENOMEM, "out of memory");
		return;
	}
	*part = (struct part){ .req = req, .path = *p, .q = *q };
	q->fields = NULL;
	state_ask(c, req, s, got_state, part);
}

/* State by the name of its top-level node, which need not have a model (a stream of octets). */
static const struct ctrl_state *state_of(const struct uri *u, char *name, size_t size)
{
	if (u->n == 0 || u->step[0].module == NULL)
		return NULL;
	snprintf(name, size, "%s:%s", u->step[0].module, u->step[0].name);
	return restconf_state(name);
}

static void get(struct ctrl *c, struct http_req *req, enum datastore ds, struct uri *uri)
{
	struct ctrl_err err = { 0 };
	struct path p = { 0 };
	struct query q;
	char name[160];

	const struct ctrl_state *s =
		ds == DS_UNIFIED || ds == DS_OPERATIONAL ? state_of(uri, name, sizeof(name)) : NULL;
	int rc = read_query(req->query, &q, &err);
	if (rc == 0 && s != NULL && restconf_state_guarded(name)) {
		uri_fini(uri);
		query_fini(&q);
		if (restconf_may_write(req))
			s->get(c, req);
		return;
	}
	if (rc == 0 && state_is_library(uri)) {
		state_library(c, req, uri);
		query_fini(&q);
		return;
	}
	if (rc == 0)
		rc = path_resolve(c->ly, uri, &p, &err);
	else
		uri_fini(uri);
	if (rc == 0 && s != NULL && q.content == CONTENT_CONFIG)
		rc = ctrl_fail(&err, -ENOENT, "this is state, and content=config was asked for");
	if (rc < 0) {
		restconf_error(req, rc, &err);
	} else if (s != NULL) {
		get_state(c, req, s, &p, &q);
		p = (struct path){ 0 };
	} else if (preconditions(c, req, ds)) {
		if (p.n == 0)
			get_datastore(c, req, ds, &q);
		else
			get_config(c, req, ds, &p, &q);
	}
	path_fini(&p);
	query_fini(&q);
}

/* --- edits ------------------------------------------------------------------------------------- */

struct edit {
	struct ctrl *c;
	struct http_req *req;
	struct path path;
	struct edit_place place;
	struct edit_result res;
	enum datastore ds;
	enum edit_op op;
};

static void edit_free(struct edit *e)
{
	path_fini(&e->path);
	path_fini(&e->place.point);
	free(e);
}

static void edited(struct edit *e)
{
	char location[1100];

	set_validators(e->c, e->req, e->ds);
	if (e->op == EDIT_CREATE && e->res.uri[0] != '\0') {
		snprintf(location, sizeof(location), "%s/%s",
			 e->ds == DS_CANDIDATE ? "/restconf/ds/ietf-datastores:candidate" :
			 e->ds == DS_RUNNING   ? "/restconf/ds/ietf-datastores:running" :
						 "/restconf/data",
			 e->res.uri);
		http_set(e->req, "Location", location);
	}
	bool created = e->res.created && (e->op == EDIT_CREATE || e->op == EDIT_REPLACE);
	http_reply(e->req, created ? 201 : 204, NULL, "", 0);
	edit_free(e);
}

static void edit_loaded(void *arg, const struct load_result *r)
{
	struct edit *e = arg;

	if (r->rc < 0) {
		restconf_error(e->req, r->rc, &r->err);
		edit_free(e);
		return;
	}
	snprintf(e->req->note, sizeof(e->req->note), "revision %u", r->revision);
	edited(e);
}

/* What runs, edited. */
static int make_edited(const struct running *r, void *arg, struct config **ret,
		       struct ctrl_err *err)
{
	struct edit *e = arg;
	const struct ly_ctx *ly = e->c->ly;
	const struct config *now = running_config(r);
	struct lyd_node *tree = NULL;
	int rc = 0;

	if (now->tree != NULL &&
	    lyd_dup_siblings(now->tree, NULL, LYD_DUP_RECURSIVE | LYD_DUP_WITH_FLAGS, &tree) !=
		    LY_SUCCESS)
		rc = ctrl_fail(err, -ENOMEM, "out of memory");
	if (rc == 0)
		rc = edit_apply(ly, &tree, &e->path, e->op, &e->place, e->req->body,
				e->req->body_len, &e->res, err);
	if (rc < 0) {
		lyd_free_all(tree);
		return rc;
	}
	rc = config_from_tree(ly, tree, now->source, ret, err);
	if (rc == 0)
		snprintf((*ret)->source, sizeof((*ret)->source), "API");
	return rc;
}

/* An edit of what runs is a transaction of its own. */
static void edit_running(struct edit *e)
{
	char comment[200];
	struct load l = { .make = { make_edited, e }, .user = e->req->user, .comment = comment };

	snprintf(comment, sizeof(comment), "%s %.180s", e->req->method, e->req->path);
	running_load(e->c->running, &l, edit_loaded, e);
}

static void edit_candidate(struct edit *e)
{
	struct ctrl_err err = { 0 };
	bool had = candidate_exists(e->c->candidate);
	struct lyd_node **tree = candidate_edit(e->c->candidate);

	int rc = tree == NULL ? ctrl_fail(&err, -ENOMEM, "out of memory") :
				edit_apply(e->c->ly, tree, &e->path, e->op, &e->place, e->req->body,
					   e->req->body_len, &e->res, &err);
	if (rc < 0) {
		if (!had) /* an edit that failed does not begin one */
			candidate_discard(e->c->candidate);
		restconf_error(e->req, rc, &err);
		edit_free(e);
		return;
	}
	candidate_changed(e->c->candidate, e->req->user);
	edited(e);
}

static bool body_is_data(struct http_req *req)
{
	static const char *const types[] = { RESTCONF_JSON, "application/json", "application/yaml",
					     "application/yang-data+yaml", NULL };
	const char *type = http_header(req, "Content-Type");

	if (type == NULL)
		return true;
	size_t len = strcspn(type, "; ");
	for (size_t i = 0; types[i] != NULL; i++)
		if (strlen(types[i]) == len && strncasecmp(type, types[i], len) == 0)
			return true;
	/* what curl says when nobody told it */
	return strncmp(type, "application/x-www-form-urlencoded", len) == 0;
}

/* "insert" and "point" (RFC 8040 sections 4.8.5 and 4.8.6). */
static int read_place(struct ctrl *c, const struct http_req *req, enum edit_op op,
		      struct edit_place *ret, struct ctrl_err *err)
{
	static const char *const known[] = { "insert", "point", NULL };
	static const char *const inserts[] = { "first", "last", "before", "after", NULL };
	char insert[64], point[1024];
	struct uri uri;

	*ret = (struct edit_place){ 0 };
	if (req->query[0] == '\0')
		return 0;
	if (uri_query_unknown(req->query, known, insert, sizeof(insert)))
		return bad_query(err, insert, "is not known here");
	if (op != EDIT_CREATE && op != EDIT_REPLACE)
		return ctrl_fail(err, -EINVAL,
				 "no query parameter is possible with %s: 'insert' and 'point' are "
				 "for POST and PUT (RFC 8040 section 4.8)",
				 req->method);
	int have_insert = uri_query(req->query, "insert", insert, sizeof(insert)),
	    have_point = uri_query(req->query, "point", point, sizeof(point));
	if (have_insert < 0 || have_point < 0)
		return bad_query(err, have_insert < 0 ? "insert" : "point",
				 "cannot be read, or is given twice");
	int w = have_insert != 0 ? word(insert, inserts) : -1;
	if (have_insert != 0 && w < 0)
		return bad_query(err, "insert", "first, last, before or after");
	ret->insert = (enum edit_insert)(w + 1);
	if ((ret->insert == EDIT_BEFORE || ret->insert == EDIT_AFTER) != (have_point != 0))
		return bad_query(err, "point", "belongs to insert=before and insert=after");
	if (have_point == 0)
		return 0;
	if (point[0] != '/')
		return bad_query(err, "point", "an absolute path, /module:name/...");
	int rc = uri_parse(point + 1, &uri, err);
	if (rc == 0)
		rc = path_resolve(c->ly, &uri, &ret->point, err);
	return rc == -ENOENT ? -EINVAL :
			       rc; /* it is the parameter that is wrong, not the resource */
}

static void edit(struct ctrl *c, struct http_req *req, enum datastore ds, enum edit_op op,
		 struct uri *uri)
{
	struct ctrl_err err = { 0 };
	struct path p = { 0 };
	struct edit_place place = { 0 };

	int rc = path_resolve(c->ly, uri, &p, &err);
	const struct path_step *last = rc == 0 && p.n > 0 ? &p.step[p.n - 1] : NULL;
	if (rc == 0)
		rc = read_place(c, req, op, &place, &err);
	if (rc == 0 && op != EDIT_DELETE && !body_is_data(req))
		rc = ctrl_fail(&err, -EPROTONOSUPPORT, "the body must be %s, or application/yaml",
			       RESTCONF_JSON);
	else if (rc == 0 && op == EDIT_DELETE && last != NULL && last->n_keys == 0 &&
		 (last->schema->nodetype & (LYS_LIST | LYS_LEAFLIST)) != 0)
		rc = ctrl_fail(&err, -EINVAL, "name the entry of '%s' that shall go",
			       last->schema->name);
	if (rc < 0) {
		restconf_error(req, rc, &err);
	} else if (preconditions(c, req, ds)) {
		struct edit *e = malloc(sizeof(*e));
		if (e == NULL) {
			restconf_errorf(req, -ENOMEM, "out of memory");
		} else {
			*e = (struct edit){
				.c = c, .req = req, .path = p, .place = place, .ds = ds, .op = op
			};
			p = place.point = (struct path){ 0 };
			(ds == DS_CANDIDATE ? edit_candidate : edit_running)(e);
		}
	}
	path_fini(&p);
	path_fini(&place.point);
}

void restconf_datastore(struct ctrl *c, struct http_req *req, enum datastore ds, const char *rest)
{
	static const struct {
		const char *method;
		enum edit_op op;
	} edits[] = { { "POST", EDIT_CREATE },
		      { "PUT", EDIT_REPLACE },
		      { "PATCH", EDIT_MERGE },
		      { "DELETE", EDIT_DELETE } };
	struct ctrl_err err = { 0 };
	struct uri uri;
	size_t i = 0, n = sizeof(edits) / sizeof(edits[0]);

	int rc = uri_parse(rest, &uri, &err);
	if (rc < 0) {
		restconf_error(req, rc, &err);
		return;
	}
	if (restconf_reads(req)) {
		get(c, req, ds, &uri);
		return;
	}
	while (i < n && strcmp(req->method, edits[i].method) != 0)
		i++;
	if (i == n || ds == DS_OPERATIONAL || (uri.n == 0 && edits[i].op == EDIT_DELETE))
		restconf_method(req, ds == DS_OPERATIONAL ? "GET, HEAD, OPTIONS" :
				     uri.n == 0           ? "GET, HEAD, OPTIONS, POST, PUT, PATCH" :
						  "GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE");
	else if (restconf_may_write(req))
		edit(c, req, ds, edits[i].op, &uri);
	uri_fini(&uri);
}
