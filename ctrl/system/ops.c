/* SPDX-License-Identifier: BSD-3-Clause
 * Operations on the configuration: load, reload, diff. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/restconf.h"
#include "ctrl/running.h"
#include "ctrl/system/system_private.h"
#include "heddle/api/debug.h"

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
	restconf_output(req, "heddle-system", o);
}

void system_load(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	const char *text = cfg_str(in, "config"), *file = cfg_str(in, "file");
	struct ctrl_err err = { 0 };
	struct config *cfg;

	if (text == NULL) {
		restconf_errorf(req, -EINVAL, "no 'config' given");
		return;
	}
	int rc = config_parse(c->ly, text, strlen(text), file != NULL ? file : "request", &cfg,
			      &err);
	if (rc < 0) {
		restconf_error(req, rc, &err);
		return;
	}
	if (cfg_bool(in, "check", false)) {
		struct load_result res = { .state = LOAD_ACCEPTED,
					   .revision = running_revision(c->running) };
		struct ids *ids = ids_create(); /* the running ids keep their marks */
		res.rc = ids == NULL ? -ENOMEM :
				       config_compile(cfg, ids, dp_stats(c->dp), &res.err);
		ids_destroy(ids);
		config_destroy(cfg);
		loaded(req, &res);
		return;
	}
	const char *own =
		file != NULL && c->config_file != NULL && strcmp(file, c->config_file) == 0 ? file :
											      NULL;
	running_load(c->running, cfg, own, loaded, req);
}

void system_reload(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	struct ctrl_err err = { 0 };
	struct config *cfg;

	(void)in;
	if (c->config_file == NULL) {
		restconf_errorf(
			req, -EINVAL,
			"heddle-ctrl was started without --config, there is no file to read");
		return;
	}
	int rc = config_read(c->ly, c->config_file, &cfg, &err);
	if (rc < 0)
		restconf_error(req, rc, &err);
	else
		running_load(c->running, cfg, c->config_file, loaded, req);
}

/* --- RX queues over workers -------------------------------------------------------------------- */

static void queues_done(void *arg, const struct dp_answer *a)
{
	struct http_req *req = arg;

	if (a->error != 0)
		restconf_dp_error(req, a);
	else
		restconf_output(req, "heddle-system", NULL);
}

void system_place_queue(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	const char *iface = cfg_str(in, "interface");
	struct hd_api_worker_queues q = { .queue = (uint16_t)cfg_u32(in, "queue", 0),
					  .worker = cfg_u32(in, "worker", 0) };

	q.port_id = iface != NULL ? ids_find(c->ids, ID_PORT, iface) : 0;
	if (q.port_id == 0) {
		restconf_errorf(req, -ENOENT,
				"there is no port of interface '%s'; see: heddle show workers",
				iface != NULL ? iface : "");
		return;
	}
	dp_request(c->dp, HD_API_WORKER_QUEUES, &q, sizeof(q), -1, queues_done, req);
}

void system_spread_queues(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	struct hd_api_worker_queues q = { .worker = UINT32_MAX };

	(void)in;
	dp_request(c->dp, HD_API_WORKER_QUEUES, &q, sizeof(q), -1, queues_done, req);
}

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
					     term ? lyd_get_value(node) : "") < 0)
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
		if (h->type == k->type)
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

void system_diff(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	const char *text = cfg_str(in, "config"), *file = cfg_str(in, "file");
	struct ctrl_err err = { 0 };
	struct config *cfg;

	if (text != NULL) {
		int rc = config_parse(c->ly, text, strlen(text), file != NULL ? file : "request",
				      &cfg, &err);
		if (rc < 0) {
			restconf_error(req, rc, &err);
			return;
		}
		diff_configs(req, running_config(c->running)->tree, cfg->tree);
		config_destroy(cfg);
		return;
	}
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
