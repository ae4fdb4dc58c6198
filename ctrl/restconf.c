/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/restconf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctrl/cfg.h"
#include "ctrl/domains.h"
#include "ctrl/running.h"
#include "ctrl/yaml.h"

static const char data_type[] = "application/yang-data+json";

/* --- JSON ------------------------------------------------------------------------------------ */

void json_add_str(struct json_object *o, const char *name, const char *value)
{
	if (value != NULL)
		json_object_object_add(o, name, json_object_new_string(value));
}

void json_add_u32(struct json_object *o, const char *name, uint32_t value)
{
	json_object_object_add(o, name, json_object_new_int64(value));
}

void json_add_u64(struct json_object *o, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	json_add_str(o, name, text);
}

void json_add_bool(struct json_object *o, const char *name, bool value)
{
	json_object_object_add(o, name, json_object_new_boolean(value));
}

void json_add_time_ns(struct json_object *o, const char *name, uint64_t ns)
{
	char text[48];
	time_t s = (time_t)(ns / 1000000000);
	struct tm tm;

	gmtime_r(&s, &tm);
	size_t n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, sizeof(text) - n, ".%06lluZ",
		 (unsigned long long)(ns % 1000000000 / 1000));
	json_add_str(o, name, text);
}

void json_add_mac(struct json_object *o, const char *name, const uint8_t mac[6])
{
	char text[18];

	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	json_add_str(o, name, text);
}

/* yang:hex-string: octets with colons between them. */
void json_add_hex(struct json_object *o, const char *name, const uint8_t *data, size_t len)
{
	char text[3 * 256 + 1] = "";

	for (size_t i = 0; i < len && i < 256; i++)
		snprintf(text + 3 * i, 4, "%02x%s", data[i], i + 1 < len && i < 255 ? ":" : "");
	if (len > 0)
		json_add_str(o, name, text);
}

void json_add_counters(struct json_object *o, const struct dp *dp, const char *vec, uint32_t row)
{
	const struct hd_stats_vec *v = dp_stats_vec(dp, vec, NULL);

	if (v == NULL || row >= v->n_rows)
		return;
	struct json_object *list = json_object_new_array();
	for (uint32_t col = 0; col < v->n_cols; col++) {
		char name[sizeof(v->col[0]) + 1];
		struct json_object *c = json_object_new_object();
		snprintf(name, sizeof(name), "%.*s", (int)sizeof(v->col[0]), v->col[col]);
		json_add_str(c, "name", name);
		json_add_u64(c, "value", dp_stats_sum(dp, v, row, col));
		json_object_array_add(list, c);
	}
	json_object_object_add(o, "counter", list);
}

/* --- answers --------------------------------------------------------------------------------- */

static void reply_json(struct http_req *req, unsigned status, struct json_object *o)
{
	const char *text = json_object_to_json_string_ext(
		o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	http_reply(req, status, data_type, text, strlen(text));
	json_object_put(o);
}

void restconf_data(struct http_req *req, const char *name, struct json_object *value)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, name, value);
	reply_json(req, 200, o);
}

void restconf_output(struct http_req *req, const char *module, struct json_object *value)
{
	char name[80];

	if (value == NULL) {
		http_reply(req, 204, data_type, "", 0);
		return;
	}
	snprintf(name, sizeof(name), "%s:output", module);
	restconf_data(req, name, value);
}

/* RFC 8040 section 7: status and error-tag of an errno. */
static const struct {
	int rc;
	unsigned status;
	const char *tag;
} kinds[] = {
	{ -EINVAL, 400, "invalid-value" },
	{ -EBUSY, 409, "in-use" },
	{ -EEXIST, 409, "data-exists" },
	{ -ENOENT, 404, "invalid-value" },
	{ -ENOTCONN, 503, "resource-denied" },
	{ -ETIMEDOUT, 504, "operation-failed" },
	{ -EFBIG, 413, "too-big" },
	{ -EOPNOTSUPP, 501, "operation-not-supported" },
	{ -ENOMEM, 503, "resource-denied" },
	{ 0, 500, "operation-failed" },
};

void restconf_error(struct http_req *req, int rc, const struct ctrl_err *err)
{
	struct json_object *top = json_object_new_object(), *errors = json_object_new_object();
	struct json_object *list = json_object_new_array(), *e = json_object_new_object();
	size_t k = 0;

	while (kinds[k].rc != 0 && kinds[k].rc != rc)
		k++;
	json_add_str(e, "error-type", "application");
	json_add_str(e, "error-tag", kinds[k].tag);
	if (err->path[0] != '\0')
		json_add_str(e, "error-path", err->path);
	json_add_str(e, "error-message", err->msg);
	if (err->file[0] != '\0' || err->line != 0) {
		struct json_object *info = json_object_new_object();
		json_add_str(info, "file", err->file);
		if (err->line != 0)
			json_add_u32(info, "line", err->line);
		json_object_object_add(e, "error-info", info);
	}
	json_object_array_add(list, e);
	json_object_object_add(errors, "error", list);
	json_object_object_add(top, "ietf-restconf:errors", errors);
	reply_json(req, kinds[k].status, top);
}

void restconf_errorf(struct http_req *req, int rc, const char *fmt, ...)
{
	struct ctrl_err err = { 0 };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err.msg, sizeof(err.msg), fmt, ap);
	va_end(ap);
	restconf_error(req, rc, &err);
}

void restconf_dp_error(struct http_req *req, const struct dp_answer *a)
{
	if (a->error == ENOTCONN)
		restconf_errorf(req, -ENOTCONN, "no data plane is connected: %s", a->text);
	else
		restconf_errorf(req, -a->error, "%s",
				a->text[0] != '\0' ? a->text : strerror(a->error));
}

/* --- dispatch -------------------------------------------------------------------------------- */

static const struct ctrl_state *find_state(const char *name)
{
	for (size_t i = 0; domains[i] != NULL; i++)
		for (const struct ctrl_state *s = domains[i]->states; s != NULL && s->name != NULL;
		     s++)
			if (strcmp(s->name, name) == 0)
				return s;
	return NULL;
}

static const struct ctrl_op *find_op(const char *name)
{
	for (size_t i = 0; domains[i] != NULL; i++)
		for (const struct ctrl_op *o = domains[i]->ops; o != NULL && o->name != NULL; o++)
			if (strcmp(o->name, name) == 0)
				return o;
	return NULL;
}

static void reply_config(struct ctrl *c, struct http_req *req, const char *name)
{
	const struct config *cfg = running_config(c->running);
	char *text = NULL;

	if (name == NULL) {
		text = config_json(cfg);
	} else {
		const char *colon = strchr(name, ':');
		const struct lyd_node *node = cfg_top(cfg->tree, colon != NULL ? colon + 1 : name);
		if (node == NULL || (colon != NULL && strncmp(node->schema->module->name, name,
							      (size_t)(colon - name)) != 0)) {
			restconf_errorf(req, -ENOENT, "there is no '%s' in the configuration",
					name);
			return;
		}
		text = config_node_json(node, LYD_PRINT_KEEPEMPTYCONT);
	}
	if (text == NULL)
		restconf_errorf(req, -ENOMEM, "out of memory");
	else
		http_reply(req, 200, data_type, text, strlen(text));
	free(text);
}

static void get_data(struct ctrl *c, struct http_req *req, const char *name)
{
	const struct ctrl_state *s = find_state(name);

	if (strchr(name, '/') != NULL)
		restconf_errorf(req, -EOPNOTSUPP,
				"only whole top-level nodes can be read yet, not '%s'", name);
	else if (s != NULL)
		s->get(c, req);
	else
		reply_config(c, req, name[0] != '\0' ? name : NULL);
}

static void run_op(struct ctrl *c, struct http_req *req, const char *name)
{
	const struct ctrl_op *op = find_op(name);
	struct ctrl_err err = { 0 };
	struct lyd_node *in = NULL;
	char path[128];

	if (op == NULL) {
		restconf_errorf(req, -ENOENT, "there is no operation '%s'", name);
		return;
	}
	snprintf(path, sizeof(path), "/%s", name);
	const struct lysc_node *rpc = lys_find_path(c->ly, NULL, path, 0);
	if (rpc == NULL) {
		restconf_errorf(req, -EOPNOTSUPP, "operation '%s' has no YANG model", name);
		return;
	}
	int rc = yaml_to_rpc(rpc, req->body, req->body_len, &in, &err);
	if (rc == 0 && lyd_validate_op(in, NULL, LYD_TYPE_RPC_YANG, NULL) != LY_SUCCESS)
		rc = yaml_yang_error(c->ly, in, &err);
	if (rc < 0)
		restconf_error(req, rc, &err);
	else
		op->run(c, in, req);
	lyd_free_all(in);
}

static void list_ops(struct http_req *req)
{
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; domains[i] != NULL; i++)
		for (const struct ctrl_op *op = domains[i]->ops; op != NULL && op->name != NULL;
		     op++)
			json_object_object_add(o, op->name,
					       json_object_new_string("/restconf/operations"));
	restconf_data(req, "ietf-restconf:operations", o);
}

static const char *after(const char *path, const char *prefix)
{
	size_t n = strlen(prefix);

	if (strncmp(path, prefix, n) != 0)
		return NULL;
	return path[n] == '/' ? path + n + 1 : path[n] == '\0' ? path + n : NULL;
}

void restconf_handle(void *arg, struct http_req *req)
{
	struct ctrl *c = arg;
	const char *data = after(req->path, "/restconf/data");
	const char *op = after(req->path, "/restconf/operations");
	bool get = strcmp(req->method, "GET") == 0, post = strcmp(req->method, "POST") == 0;

	if (data != NULL && get)
		get_data(c, req, data);
	else if (op != NULL && op[0] == '\0' && get)
		list_ops(req);
	else if (op != NULL && post)
		run_op(c, req, op);
	else if (data != NULL || op != NULL)
		restconf_errorf(req, -EOPNOTSUPP, "%s is not possible on %s", req->method,
				req->path);
	else
		restconf_errorf(req, -ENOENT, "nothing is at %s; try /restconf/data", req->path);
}
