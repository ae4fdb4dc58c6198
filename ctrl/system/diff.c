/* SPDX-License-Identifier: BSD-3-Clause
 * Differences: of two configurations, and of what is wanted with what the data plane holds. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/candidate.h"
#include "ctrl/cfg.h"
#include "ctrl/kernel/kernel.h"
#include "ctrl/restconf.h"
#include "ctrl/running.h"
#include "ctrl/system/system_private.h"

/* --- diff of two configurations: their leaves as lines, sorted --------------------------------- */

struct lines {
	char **line;
	size_t n, cap;
};

static int lines_add(struct lines *l, char *text)
{
	if (l->n == l->cap) {
		size_t cap = l->cap != 0 ? l->cap * 2 : 256;
		char **line = realloc(l->line, cap * sizeof(*line));
		if (line == NULL) {
			free(text);
			return -ENOMEM;
		}
		l->line = line;
		l->cap = cap;
	}
	l->line[l->n++] = text;
	return 0;
}

static void lines_free(struct lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->line[i]);
	free(l->line);
}

static int line_cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "/heddle-ip:ip/route[prefix='10.0.0.0/8']/special = blackhole".  Keys are in the path already; a list item with
 * nothing but its key still gets its line. */
static int flatten(const struct lyd_node *tree, struct lines *l)
{
	const struct lyd_node *top, *node;
	int rc = 0;

	LY_LIST_FOR(tree, top) {
		LYD_TREE_DFS_BEGIN(top, node) {
			bool term = (node->schema->nodetype & LYD_NODE_TERM) != 0;
			bool item = node->schema->nodetype == LYS_LIST;
			if (rc == 0 && (node->flags & LYD_DEFAULT) == 0 && (term || item) &&
			    !lysc_is_key(node->schema)) {
				char *path = lyd_path(node, LYD_PATH_STD, NULL, 0), *text = NULL;
				if (path == NULL ||
				    asprintf(&text, "%s%s%s", path, term ? " = " : "",
					     !term                  ? "" :
					     config_is_secret(node) ? "(secret)" :
								      lyd_get_value(node)) < 0)
					rc = -ENOMEM;
				else
					rc = lines_add(l, text);
				free(path);
			}
			LYD_TREE_DFS_END(top, node);
		}
	}
	if (l->n > 1)
		qsort(l->line, l->n, sizeof(*l->line), line_cmp);
	return rc;
}

static void json_line(struct json_object *list, char mark, const char *text)
{
	char *line;

	if (asprintf(&line, "%c %s", mark, text) >= 0) {
		json_object_array_add(list, json_object_new_string(line));
		free(line);
	}
}

static void diff_reply(struct http_req *req, struct json_object *list)
{
	struct json_object *o = json_object_new_object();

	json_add_bool(o, "equal", json_object_array_length(list) == 0);
	json_object_object_add(o, "line", list);
	restconf_output(req, "heddle-system", o);
}

static void diff_configs(struct http_req *req, const struct lyd_node *old,
			 const struct lyd_node *new)
{
	struct lines a = { 0 }, b = { 0 };
	size_t i = 0, j = 0;

	if (flatten(old, &a) < 0 || flatten(new, &b) < 0) {
		restconf_errorf(req, -ENOMEM, "out of memory");
	} else {
		struct json_object *list = json_object_new_array();
		while (i < a.n || j < b.n) {
			int c = i == a.n ? 1 : j == b.n ? -1 : strcmp(a.line[i], b.line[j]);
			if (c < 0)
				json_line(list, '-', a.line[i]);
			else if (c > 0)
				json_line(list, '+', b.line[j]);
			i += c <= 0;
			j += c >= 0;
		}
		diff_reply(req, list);
	}
	lines_free(&a);
	lines_free(&b);
}

/* --- diff with the data plane: dump every kind, compare ---------------------------------------- */

struct dp_diff {
	struct ctrl *c;
	struct http_req *req;
	struct objset held;
	size_t domain, kind; /* being dumped */
};

static int diff_line(const struct object *old, const struct object *new, void *arg)
{
	char text[512], was[512];

	object_describe(new != NULL ? new : old, text, sizeof(text));
	if (old == NULL) {
		json_line(arg, '+', text); /* wanted, missing in the data plane */
	} else if (new == NULL) {
		json_line(arg, '-', text);
	} else {
		object_describe(old, was, sizeof(was));
		strncat(text, "; it holds: ", sizeof(text) - strlen(text) - 1);
		strncat(text, was, sizeof(text) - strlen(text) - 1);
		json_line(arg, '~', text);
	}
	return 0;
}

static void dump_next(struct dp_diff *d);

static void on_dump(void *arg, const struct dp_answer *a)
{
	struct dp_diff *d = arg;
	const struct ctrl_kind *k = &domains[d->domain]->kinds[d->kind++];
	const struct hd_api_hdr *h;
	uint8_t body[4096];
	size_t off = 0;

	if (a->error != 0 &&
	    a->error != ENOENT) { /* ENOENT: a kind this data plane does not have */
		restconf_dp_error(d->req, a);
		objset_fini(&d->held);
		free(d);
		return;
	}
	while ((h = dp_answer_next(a, &off, body, sizeof(body))) != NULL)
		if (h->type == k->type && !mirror_owns(d->c->mirror, h->type, body))
			objset_add(&d->held, k, body, k->size, NULL);
	dump_next(d);
}

static void dump_next(struct dp_diff *d)
{
	const struct object *a, *b;

	for (; domains[d->domain] != NULL; d->domain++, d->kind = 0) {
		const struct ctrl_kind *k = domains[d->domain]->kinds;
		if (k != NULL && k[d->kind].name != NULL) {
			dp_dump(d->c->dp, k[d->kind].type, on_dump, d);
			return;
		}
	}
	if (d->held.error != 0 || objset_sort(&d->held, &a, &b) < 0) {
		restconf_errorf(d->req, -EIO, "the data plane's answer cannot be compared");
	} else {
		struct json_object *list = json_object_new_array();
		objset_diff(&d->held, &running_config(d->c->running)->set, diff_line, list);
		diff_reply(d->req, list);
	}
	objset_fini(&d->held);
	free(d);
}

/* A side by its name: *ret is the tree; *ret_own: configuration to be destroyed, or NULL. */
static int side(struct ctrl *c, const char *name, const struct lyd_node **ret,
		struct config **ret_own, struct ctrl_err *err)
{
	char *end;
	unsigned long revision = strtoul(name, &end, 10);

	*ret_own = NULL;
	if (strcmp(name, "running") == 0) {
		*ret = running_config(c->running)->tree;
		return 0;
	}
	if (strcmp(name, "candidate") == 0) {
		*ret = candidate_tree(c->candidate);
		return 0;
	}
	if (*name < '0' || *name > '9' || *end != '\0' || revision > UINT32_MAX)
		return ctrl_fail(err, -EINVAL,
				 "'%s' is no configuration: running, candidate, or the number of a "
				 "revision",
				 name);
	int rc = running_read_version(c->running, (uint32_t)revision, ret_own, err);
	if (rc == 0)
		*ret = (*ret_own)->tree;
	return rc;
}

static void diff_dataplane(struct ctrl *c, struct http_req *req)
{
	struct dp_diff *d = calloc(1, sizeof(*d));

	if (d == NULL) {
		restconf_errorf(req, -ENOMEM, "out of memory");
		return;
	}
	d->c = c;
	d->req = req;
	objset_init(&d->held);
	dump_next(d);
}

void system_diff(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	const char *text = cfg_str(in, "config"), *file = cfg_str(in, "file"),
		   *from = cfg_str(in, "from"), *to = cfg_str(in, "to");
	struct config *a = NULL, *b = NULL;
	const struct lyd_node *old, *new = NULL;
	struct ctrl_err err = { 0 };

	bool dataplane = to == NULL ? text == NULL : strcmp(to, "dataplane") == 0;
	if (dataplane && from != NULL && strcmp(from, "running") != 0) {
		restconf_errorf(req, -EINVAL,
				"only what runs can be compared with the data plane, not '%s'",
				from);
		return;
	}
	if (dataplane) {
		diff_dataplane(c, req);
		return;
	}
	int rc = side(c, from != NULL ? from : "running", &old, &a, &err);
	if (rc == 0 && to != NULL) {
		rc = side(c, to, &new, &b, &err);
	} else if (rc == 0) {
		rc = config_parse(c->ly, text, strlen(text), file != NULL ? file : "request", &b,
				  &err);
		new = rc == 0 ? b->tree : NULL;
	}
	if (rc < 0)
		restconf_error(req, rc, &err);
	else
		diff_configs(req, old, new);
	config_destroy(a);
	config_destroy(b);
}
