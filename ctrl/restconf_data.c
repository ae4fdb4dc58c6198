/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/restconf_data.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ctrl/candidate.h"
#include "ctrl/edit.h"
#include "ctrl/path.h"
#include "ctrl/restconf_cond.h"
#include "ctrl/restconf_query.h"
#include "ctrl/restconf_read.h"
#include "ctrl/running.h"

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

	restconf_validators(e->c, e->req, e->ds);
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
		return restconf_query_bad(err, insert, "is not known here");
	if (op != EDIT_CREATE && op != EDIT_REPLACE)
		return ctrl_fail(err, -EINVAL,
				 "no query parameter is possible with %s: 'insert' and 'point' are "
				 "for POST and PUT (RFC 8040 section 4.8)",
				 req->method);
	int have_insert = uri_query(req->query, "insert", insert, sizeof(insert)),
	    have_point = uri_query(req->query, "point", point, sizeof(point));
	if (have_insert < 0 || have_point < 0)
		return restconf_query_bad(err, have_insert < 0 ? "insert" : "point",
					  "cannot be read, or is given twice");
	int w = have_insert != 0 ? restconf_query_word(insert, inserts) : -1;
	if (have_insert != 0 && w < 0)
		return restconf_query_bad(err, "insert", "first, last, before or after");
	ret->insert = (enum edit_insert)(w + 1);
	if ((ret->insert == EDIT_BEFORE || ret->insert == EDIT_AFTER) != (have_point != 0))
		return restconf_query_bad(err, "point",
					  "belongs to insert=before and insert=after");
	if (have_point == 0)
		return 0;
	if (point[0] != '/')
		return restconf_query_bad(err, "point", "an absolute path, /module:name/...");
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
	} else if (restconf_preconditions(c, req, ds)) {
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
		restconf_get(c, req, ds, &uri);
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
