/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/restconf.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctrl/domains.h"
#include "ctrl/events.h"
#include "ctrl/job.h"
#include "ctrl/metrics.h"
#include "ctrl/restconf_data.h"
#include "ctrl/uri.h"
#include "ctrl/yaml.h"

#define YANG_LIBRARY "2019-01-04" /* revision of ietf-yang-library */

static const char data_type[] = RESTCONF_JSON;

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
	char *text = len > 0 ? malloc(3 * len + 1) : NULL;

	if (text == NULL)
		return;
	for (size_t i = 0; i < len; i++)
		snprintf(text + 3 * i, 4, "%02x%s", data[i], i + 1 < len ? ":" : "");
	json_add_str(o, name, text);
	free(text);
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

/* RFC 8040 section 7: status and error-tag of an errno; and the status of the tags that YANG itself gives. */
static const struct {
	int rc;
	unsigned status;
	const char *tag;
} kinds[] = {
	{ -EINVAL, 400, "invalid-value" },
	{ -EBUSY, 409, "in-use" },
	{ -EEXIST, 409, "data-exists" },
	{ -ENOENT, 404, "invalid-value" },
	{ -EPERM, 401, "access-denied" },
	{ -EACCES, 403, "access-denied" },
	{ -ESTALE, 412, "operation-failed" },
	{ -ENOSPC, 409, "resource-denied" },
	{ -EAGAIN, 503, "resource-denied" },
	{ -ENOTCONN, 503, "resource-denied" },
	{ -ETIMEDOUT, 504, "operation-failed" },
	{ -EFBIG, 413, "too-big" },
	{ -EOPNOTSUPP, 405, "operation-not-supported" },
	{ -ENOSYS, 501, "operation-not-supported" },
	{ -EPROTONOSUPPORT, 415, "operation-not-supported" },
	{ -ENOMEM, 503, "resource-denied" },
	{ 0, 500, "operation-failed" },
};
static const struct {
	const char *tag;
	unsigned status;
} tags[] = {
	{ "data-missing", 409 },      { "data-exists", 409 },     { "operation-failed", 412 },
	{ "malformed-message", 400 }, { "unknown-element", 400 },
};

void restconf_error(struct http_req *req, int rc, const struct ctrl_err *err)
{
	struct json_object *top = json_object_new_object(), *errors = json_object_new_object();
	struct json_object *list = json_object_new_array(), *e = json_object_new_object();
	size_t k = 0;

	while (kinds[k].rc != 0 && kinds[k].rc != rc)
		k++;
	unsigned status = kinds[k].status;
	const char *tag = err->tag != NULL ? err->tag : kinds[k].tag;
	for (size_t i = 0; rc == -EINVAL && i < sizeof(tags) / sizeof(tags[0]); i++)
		if (strcmp(tag, tags[i].tag) == 0)
			status = tags[i].status;
	json_add_str(e, "error-type", status == 401 || status == 405 ? "protocol" : "application");
	json_add_str(e, "error-tag", tag);
	if (err->app_tag != NULL)
		json_add_str(e, "error-app-tag", err->app_tag);
	if (err->path[0] != '\0')
		json_add_str(e, "error-path", err->path);
	json_add_str(e, "error-message", err->msg);
	if (err->file[0] != '\0' || err->line != 0) {
		struct json_object *info = json_object_new_object();
		if (err->file[0] != '\0')
			json_add_str(info, "file", err->file);
		if (err->line != 0)
			json_add_u32(info, "line", err->line);
		json_object_object_add(e, "error-info", info);
	}
	json_object_array_add(list, e);
	json_object_object_add(errors, "error", list);
	json_object_object_add(top, "ietf-restconf:errors", errors);
	snprintf(req->note, sizeof(req->note), "%.159s", err->msg);
	reply_json(req, status, top);
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

const struct ctrl_state *restconf_state(const char *name)
{
	for (size_t i = 0; domains[i] != NULL; i++)
		for (const struct ctrl_state *s = domains[i]->states; s != NULL && s->name != NULL;
		     s++)
			if (strcmp(s->name, name) == 0)
				return s;
	return NULL;
}

/* Is the name in one of the domains' lists at this offset? */
static bool listed(const char *name, size_t list)
{
	for (size_t i = 0; domains[i] != NULL; i++) {
		const char *const *n =
			*(const char *const *const *)((const char *)domains[i] + list);
		for (; n != NULL && *n != NULL; n++)
			if (strcmp(*n, name) == 0)
				return true;
	}
	return false;
}

bool restconf_state_guarded(const char *name)
{
	return listed(name, offsetof(struct ctrl_domain, guarded));
}

static const struct ctrl_op *find_op(const char *name)
{
	for (size_t i = 0; domains[i] != NULL; i++)
		for (const struct ctrl_op *o = domains[i]->ops; o != NULL && o->name != NULL; o++)
			if (strcmp(o->name, name) == 0)
				return o;
	return NULL;
}

/* An operation whose input is being read.  A large one takes long: that is done in a thread. */
#define INPUT_LARGE 65536u

struct input {
	struct ctrl *c;
	struct http_req *req;
	const struct ctrl_op *op;
	const struct lysc_node *rpc;
	struct lyd_node *tree;
	struct ctrl_err err;
	int rc;
};

static void read_input(void *arg)
{
	struct input *in = arg;

	in->rc = yaml_to_rpc(in->rpc, in->req->body, in->req->body_len, &in->tree, &in->err);
	if (in->rc == 0 && lyd_validate_op(in->tree, NULL, LYD_TYPE_RPC_YANG, NULL) != LY_SUCCESS)
		in->rc = yaml_yang_error(in->c->ly, in->tree, &in->err);
}

static void run_with(struct input *in)
{
	if (in->rc < 0)
		restconf_error(in->req, in->rc, &in->err);
	else
		in->op->run(in->c, in->tree, in->req);
}

static void free_input(void *arg)
{
	lyd_free_all(arg);
}

static void on_input(void *arg)
{
	struct input *in = arg;

	run_with(in);
	job_start(in->c, free_input, NULL, in->tree);
	free(in);
}

static void run_op(struct ctrl *c, struct http_req *req, const char *name)
{
	struct input in = { .c = c, .req = req, .op = find_op(name) }, *later;
	char path[176];

	if (in.op == NULL) {
		restconf_errorf(req, -ENOENT, "there is no operation '%s'", name);
		return;
	}
	if (!listed(name, offsetof(struct ctrl_domain, read_ops)) && !restconf_may_write(req))
		return;
	snprintf(path, sizeof(path), "/%s", name);
	in.rpc = lys_find_path(c->ly, NULL, path, 0);
	if (in.rpc == NULL) {
		restconf_errorf(req, -ENOSYS, "operation '%s' has no YANG model", name);
		return;
	}
	later = req->body_len > INPUT_LARGE ? malloc(sizeof(*later)) : NULL;
	if (later != NULL) {
		*later = in;
		job_start(c, read_input, on_input, later);
		return;
	}
	read_input(&in);
	run_with(&in);
	lyd_free_all(in.tree);
}

static struct json_object *all_ops(void)
{
	struct json_object *o = json_object_new_object();
	char url[160];

	for (size_t i = 0; domains[i] != NULL; i++)
		for (const struct ctrl_op *op = domains[i]->ops; op != NULL && op->name != NULL;
		     op++) {
			snprintf(url, sizeof(url), "/restconf/operations/%s", op->name);
			json_add_str(o, op->name, url);
		}
	return o;
}

bool restconf_may_write(struct http_req *req)
{
	if (req->role == HTTP_ROLE_WRITE)
		return true;
	restconf_errorf(req, -EACCES, "%s may only read (role read-only)",
			req->user[0] != '\0' ? req->user : "this user");
	return false;
}

void restconf_method(struct http_req *req, const char *allow)
{
	http_set(req, "Allow", allow);
	if (strcmp(req->method, "OPTIONS") != 0) {
		restconf_errorf(req, -EOPNOTSUPP, "%s is not possible on %s; %s are", req->method,
				req->path, allow);
		return;
	}
	if (strstr(allow, "PATCH") != NULL)
		http_set(req, "Accept-Patch", "application/yang-data+json, application/yaml");
	http_reply(req, 200, NULL, "", 0);
}

bool restconf_reads(const struct http_req *req)
{
	return strcmp(req->method, "GET") == 0 || strcmp(req->method, "HEAD") == 0;
}

/* RFC 8040 section 3.3: the root of the API. */
static void get_root(struct http_req *req)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "data", json_object_new_object());
	json_object_object_add(o, "operations", all_ops());
	json_add_str(o, "yang-library-version", YANG_LIBRARY);
	restconf_data(req, "ietf-restconf:restconf", o);
}

/* RFC 8040 section 3.1, RFC 6415: where the API begins. */
static void get_host_meta(struct http_req *req)
{
	static const char text[] = "<?xml version='1.0' encoding='UTF-8'?>\n"
				   "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\n"
				   "  <Link rel='restconf' href='/restconf'/>\n"
				   "</XRD>\n";

	http_reply(req, 200, "application/xrd+xml", text, sizeof(text) - 1);
}

static const char *after(const char *path, const char *prefix)
{
	size_t n = strlen(prefix);

	if (strncmp(path, prefix, n) != 0)
		return NULL;
	return path[n] == '/' ? path + n + 1 : path[n] == '\0' ? path + n : NULL;
}

/* Resources with nothing but a GET. */
static bool get_fixed(struct ctrl *c, struct http_req *req)
{
	static const char *const names[] = { "/.well-known/host-meta", "/metrics", "/restconf",
					     "/restconf/yang-library-version",
					     "/restconf/streams/NETCONF" };
	size_t i = 0, n = sizeof(names) / sizeof(names[0]);
	struct json_object *version;

	while (i < n && strcmp(req->path, names[i]) != 0)
		i++;
	if (i == n)
		return false;
	if (!restconf_reads(req)) {
		restconf_method(req, "GET, HEAD, OPTIONS");
		return true;
	}
	switch (i) {
	case 0:
		get_host_meta(req);
		break;
	case 1:
		metrics_get(c, req);
		break;
	case 2:
		get_root(req);
		break;
	case 3:
		version = json_object_new_string(YANG_LIBRARY);
		restconf_data(req, "ietf-restconf:yang-library-version", version);
		break;
	default:
		events_stream(c->events, req);
	}
	return true;
}

static void operations(struct ctrl *c, struct http_req *req, const char *name)
{
	char decoded[160];
	bool all = name[0] == '\0';

	if (all && restconf_reads(req))
		restconf_data(req, "ietf-restconf:operations", all_ops());
	else if (all || strcmp(req->method, "POST") != 0)
		restconf_method(req, all ? "GET, HEAD, OPTIONS" : "POST, OPTIONS");
	else if (uri_decode(name, strlen(name), decoded, sizeof(decoded)) < 0)
		restconf_errorf(req, -EINVAL, "not an operation's name");
	else
		run_op(c, req, decoded);
}

void restconf_handle(void *arg, struct http_req *req)
{
	static const struct {
		const char *prefix;
		enum datastore ds;
	} stores[] = {
		{ "/restconf/data", DS_UNIFIED },
		{ "/restconf/ds/ietf-datastores:running", DS_RUNNING },
		{ "/restconf/ds/ietf-datastores:candidate", DS_CANDIDATE },
		{ "/restconf/ds/ietf-datastores:operational", DS_OPERATIONAL },
	};
	struct ctrl *c = arg;
	const char *rest = after(req->path, "/restconf/operations");

	if (get_fixed(c, req))
		return;
	if (rest != NULL) {
		operations(c, req, rest);
		return;
	}
	for (size_t i = 0; i < sizeof(stores) / sizeof(stores[0]); i++) {
		rest = after(req->path, stores[i].prefix);
		if (rest != NULL) {
			restconf_datastore(c, req, stores[i].ds, rest);
			return;
		}
	}
	restconf_errorf(req, -ENOENT, "nothing is at %s; try /restconf/data", req->path);
}
