/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/restconf_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/candidate.h"
#include "ctrl/cfg.h"
#include "ctrl/domains.h"
#include "ctrl/path.h"
#include "ctrl/restconf_cond.h"
#include "ctrl/restconf_query.h"
#include "ctrl/running.h"
#include "ctrl/state_tree.h"

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
		       const struct path *p, const struct restconf_query *q)
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
	restconf_validators(c, req, ds);
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
			restconf_reply_selected(req, o, q, false);
	}
	free(text);
}

/* --- reading everything ------------------------------------------------------------------------ */

struct everything {
	struct http_req *req;
	struct restconf_query q;
};

static void got_everything(void *arg, struct json_object *state)
{
	struct everything *all = arg;

	restconf_reply_selected(all->req, state, &all->q, true);
	restconf_query_fini(&all->q);
	free(all);
}

static void get_datastore(struct ctrl *c, struct http_req *req, enum datastore ds,
			  struct restconf_query *q)
{
	const struct lyd_node *tree = tree_of(c, ds);
	bool state = (ds == DS_UNIFIED || ds == DS_OPERATIONAL) && q->content != CONTENT_CONFIG;
	char *text = NULL;

	if (ds != DS_CANDIDATE && !state && q->defaults == LYD_PRINT_WD_EXPLICIT &&
	    !config_has_secret(tree) && q->fields == NULL && q->depth == 0 &&
	    q->content != CONTENT_NONCONFIG) {
		text = running_config(c->running)->json;
		restconf_validators(c, req, ds);
		http_reply(req, 200, RESTCONF_JSON, text, strlen(text));
		return;
	}
	if (q->content != CONTENT_NONCONFIG && tree != NULL)
		text = config_shown_json(tree, LYD_PRINT_WITHSIBLINGS | q->defaults);
	else
		text = strdup("{}\n");
	restconf_validators(c, req, ds);
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
		restconf_reply_selected(req, o, q, true);
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
	struct restconf_query q;
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
		restconf_reply_selected(part->req, o, &part->q, false);
	}
	path_fini(&part->path);
	restconf_query_fini(&part->q);
	free(part);
}

/* p passes. */
static void get_state(struct ctrl *c, struct http_req *req, const struct ctrl_state *s,
		      struct path *p, struct restconf_query *q)
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

void restconf_get(struct ctrl *c, struct http_req *req, enum datastore ds, struct uri *uri)
{
	struct ctrl_err err = { 0 };
	struct path p = { 0 };
	struct restconf_query q;
	char name[160];

	const struct ctrl_state *s =
		ds == DS_UNIFIED || ds == DS_OPERATIONAL ? state_of(uri, name, sizeof(name)) : NULL;
	int rc = restconf_query_read(req->query, &q, &err);
	if (rc == 0 && s != NULL && restconf_state_guarded(name)) {
		uri_fini(uri);
		restconf_query_fini(&q);
		if (restconf_may_write(req))
			s->get(c, req);
		return;
	}
	if (rc == 0 && state_is_library(uri)) {
		state_library(c, req, uri);
		restconf_query_fini(&q);
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
	} else if (restconf_preconditions(c, req, ds)) {
		if (p.n == 0)
			get_datastore(c, req, ds, &q);
		else
			get_config(c, req, ds, &p, &q);
	}
	path_fini(&p);
	restconf_query_fini(&q);
}
