/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/state_tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/config.h"
#include "ctrl/versions.h"

/* --- asking one ------------------------------------------------------------------------------ */

struct inner {
	struct http_req req; /* first */
	void (*done)(void *arg, unsigned status, struct json_object *answer);
	void *arg;
};

static void answered(struct http_req *req, unsigned status, const char *type, const void *body,
		     size_t len)
{
	struct inner *in = (struct inner *)req;
	struct json_tokener *tok = json_tokener_new();
	struct json_object *o = NULL;

	(void)type;
	if (tok != NULL && len < INT32_MAX)
		o = json_tokener_parse_ex(tok, body, (int)len);
	json_tokener_free(tok);
	for (unsigned i = 0; i < req->n_fields; i++)
		free(req->field[i].value);
	in->done(in->arg, o != NULL ? status : 500, o != NULL ? o : json_object_new_object());
	free(in);
}

void state_ask(struct ctrl *c, struct http_req *req, const struct ctrl_state *s,
	       void (*done)(void *arg, unsigned status, struct json_object *answer), void *arg)
{
	struct inner *in = calloc(1, sizeof(*in));

	if (in == NULL) {
		done(arg, 503, json_object_new_object());
		return;
	}
	in->req = (struct http_req){ .method = "GET",
				     .path = "",
				     .query = "",
				     .body = "",
				     .role = req->role,
				     .answer = answered };
	in->done = done;
	in->arg = arg;
	s->get(c, &in->req);
}

/* --- putting together ------------------------------------------------------------------------ */

struct collect {
	struct ctrl *c;
	struct http_req *req;
	struct json_object *o;
	void (*done)(void *arg, struct json_object *o);
	void *arg;
	size_t domain, state; /* asked next */
};

static void ask_next(struct collect *all);

static void one_answered(void *arg, unsigned status, struct json_object *answer)
{
	struct collect *all = arg;

	if (status == 200) { /* what cannot be had now, without a data plane, is left out */
		json_object_object_foreach(answer, key, value)
		{
			json_object_object_add(all->o, key, json_object_get(value));
		}
	}
	json_object_put(answer);
	ask_next(all);
}

static void ask_next(struct collect *all)
{
	for (; domains[all->domain] != NULL; all->domain++, all->state = 0) {
		const struct ctrl_state *s = domains[all->domain]->states;
		while (s != NULL && s[all->state].name != NULL) {
			const struct ctrl_state *one = &s[all->state++];
			if (restconf_state_guarded(one->name))
				continue;
			state_ask(all->c, all->req, one, one_answered, all);
			return;
		}
	}
	all->done(all->arg, all->o);
	free(all);
}

void state_collect(struct ctrl *c, struct http_req *req, struct json_object *o,
		   void (*done)(void *arg, struct json_object *o), void *arg)
{
	struct collect *all = malloc(sizeof(*all));

	if (all == NULL) {
		done(arg, o);
		return;
	}
	*all = (struct collect){ .c = c, .req = req, .o = o, .done = done, .arg = arg };
	ask_next(all);
}

/* --- cutting out ----------------------------------------------------------------------------- */

static struct json_object *member(struct json_object *o, const struct lysc_node *s)
{
	char name[192];
	struct json_object *v;

	if (!json_object_is_type(o, json_type_object))
		return NULL;
	snprintf(name, sizeof(name), "%s:%s", s->module->name, s->name);
	return json_object_object_get_ex(o, name, &v) || json_object_object_get_ex(o, s->name, &v) ?
		       v :
		       NULL;
}

/* Does an entry of a list have the keys of a step? */
static bool has_keys(struct json_object *entry, const struct path_step *s)
{
	const struct lysc_node *key = lysc_node_child(s->schema);

	if (s->schema->nodetype == LYS_LEAFLIST)
		return strcmp(json_object_get_string(entry), s->key[0]) == 0;
	for (unsigned i = 0; i < s->n_keys; i++, key = key->next) {
		struct json_object *v = member(entry, key);
		if (v == NULL || strcmp(json_object_get_string(v), s->key[i]) != 0)
			return false;
	}
	return true;
}

struct json_object *state_select(struct json_object *o, const struct path *p)
{
	struct json_object *at = o, *out = NULL;

	for (unsigned i = 0; at != NULL && i < p->n; i++) {
		const struct path_step *s = &p->step[i];
		struct json_object *list = at = member(at, s->schema);
		if (s->n_keys == 0 || !json_object_is_type(list, json_type_array))
			continue;
		at = NULL;
		for (size_t k = 0; at == NULL && k < json_object_array_length(list); k++)
			if (has_keys(json_object_array_get_idx(list, k), s))
				at = json_object_array_get_idx(list, k);
	}
	if (at != NULL) {
		const struct path_step *last = &p->step[p->n - 1];
		char name[192];
		snprintf(name, sizeof(name), "%s:%s", last->schema->module->name,
			 last->schema->name);
		at = json_object_get(at);
		if (last->n_keys > 0) { /* RFC 7951: an entry stands in an array */
			struct json_object *list = json_object_new_array();
			json_object_array_add(list, at);
			at = list;
		}
		out = json_object_new_object();
		json_object_object_add(out, name, at);
	}
	json_object_put(o);
	return out;
}

/* --- the server about itself ----------------------------------------------------------------- */

bool state_is_library(const struct uri *u)
{
	return u->n > 0 && u->step[0].module != NULL &&
	       ((strcmp(u->step[0].module, "ietf-yang-library") == 0 &&
		 strcmp(u->step[0].name, "yang-library") == 0) ||
		(strcmp(u->step[0].module, "ietf-restconf-monitoring") == 0 &&
		 strcmp(u->step[0].name, "restconf-state") == 0));
}

static struct json_object *restconf_state_json(void)
{
	static const char *const capabilities[] = {
		"urn:ietf:params:restconf:capability:defaults:1.0?basic-mode=explicit",
		"urn:ietf:params:restconf:capability:depth:1.0",
		"urn:ietf:params:restconf:capability:fields:1.0",
		"urn:ietf:params:restconf:capability:with-defaults:1.0",
	};
	struct json_object *top = json_object_new_object(), *caps = json_object_new_object(),
			   *list = json_object_new_array(), *streams = json_object_new_object(),
			   *all = json_object_new_array(), *s = json_object_new_object(),
			   *accesses = json_object_new_array(), *access = json_object_new_object();

	for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++)
		json_object_array_add(list, json_object_new_string(capabilities[i]));
	json_object_object_add(caps, "capability", list);
	json_object_object_add(top, "capabilities", caps);
	json_add_str(s, "name", "NETCONF");
	json_add_str(s, "description", "all notifications of the modules");
	json_add_bool(s, "replay-support", true);
	json_add_str(access, "encoding", "json");
	json_add_str(access, "location", "/restconf/streams/NETCONF");
	json_object_array_add(accesses, access);
	json_object_object_add(s, "access", accesses);
	json_object_array_add(all, s);
	json_object_object_add(streams, "stream", all);
	json_object_object_add(top, "streams", streams);
	return top;
}

static struct json_object *library_json(const struct ly_ctx *ly)
{
	struct lyd_node *tree = NULL;
	struct json_object *o = NULL, *inner = NULL;

	if (ly_ctx_get_yanglib_data(ly, &tree, "%u", ly_ctx_get_change_count(ly)) != LY_SUCCESS)
		return NULL;
	char *text = config_node_json(tree, 0);
	if (text != NULL)
		o = json_tokener_parse(text);
	if (o != NULL && json_object_object_get_ex(o, "ietf-yang-library:yang-library", &inner))
		json_object_get(inner);
	json_object_put(o);
	free(text);
	lyd_free_all(tree);
	return inner;
}

/* These modules have no schema nodes of ours to walk along: only whole resources, or streams by their full path. */
static struct json_object *step_into(struct json_object *o, const struct uri_step *s)
{
	struct json_object *v = NULL, *first;

	if (!json_object_object_get_ex(o, s->name, &v) || s->n_keys == 0)
		return v;
	for (size_t i = 0;
	     json_object_is_type(v, json_type_array) && i < json_object_array_length(v); i++) {
		struct json_object *e = json_object_array_get_idx(v, i);
		if ((json_object_object_get_ex(e, "name", &first) ||
		     json_object_object_get_ex(e, "encoding", &first)) &&
		    strcmp(json_object_get_string(first), s->key[0]) == 0)
			return e;
	}
	return NULL;
}

void state_library(struct ctrl *c, struct http_req *req, struct uri *u)
{
	bool library = strcmp(u->step[0].name, "yang-library") == 0;
	struct json_object *o = library ? library_json(c->ly) : restconf_state_json(), *at = o;
	char name[192];

	for (unsigned i = 1; at != NULL && i < u->n; i++)
		at = step_into(at, &u->step[i]);
	if (at == NULL) {
		restconf_errorf(req, -ENOENT, "there is nothing of this name in %s",
				u->step[0].name);
	} else {
		snprintf(name, sizeof(name), "%s:%s", u->step[0].module, u->step[u->n - 1].name);
		restconf_data(req, name, json_object_get(at));
	}
	json_object_put(o);
	uri_fini(u);
}
