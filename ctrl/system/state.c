/* SPDX-License-Identifier: BSD-3-Clause
 * State of the two processes, workers, drops and graph. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/candidate.h"
#include "ctrl/cfg.h"
#include "ctrl/debug/debug.h"
#include "ctrl/dp_state.h"
#include "ctrl/running.h"
#include "ctrl/system/system_private.h"
#include "ctrl/versions.h"
#include "heddle/api/debug.h"

/* Who, why, and until when it must be confirmed. */
static void add_version(struct json_object *o, const struct version *v)
{
	if (v->user[0] != '\0')
		json_add_str(o, "user", v->user);
	if (v->comment[0] != '\0')
		json_add_str(o, "comment", v->comment);
	if (v->revert_to == 0)
		return;
	json_add_u32(o, "revert-to", v->revert_to);
	json_add_time_ns(o, "confirm-until", (uint64_t)v->confirm_until * 1000000000u);
}

void system_state(struct ctrl *c, struct http_req *req)
{
	struct json_object *o = json_object_new_object(), *cfg = json_object_new_object(),
			   *d = json_object_new_object();
	const struct config *running = running_config(c->running);
	const struct hd_api_hello *hello = dp_hello(c->dp);
	const char *problem = hello != NULL ? running_problem(c->running) : dp_problem(c->dp);

	json_add_str(o, "hostname", cfg_str(cfg_top(running->tree, "system"), "hostname"));
	json_add_str(o, "version", HEDDLE_VERSION);
	json_add_u32(o, "api-version", HD_API_VERSION);
	json_add_u32(o, "uptime", (uint32_t)((uv_now(c->loop) - c->start_ms) / 1000));
	json_add_u32(cfg, "revision", running_revision(c->running));
	if (running->source[0] != '\0')
		json_add_str(cfg, "source", running->source);
	if (running_time(c->running) != 0)
		json_add_time_ns(cfg, "time", (uint64_t)running_time(c->running) * 1000000000);
	json_add_u32(cfg, "objects", (uint32_t)running->set.n);
	add_version(cfg, running_version(c->running));
	json_object_object_add(o, "configuration", cfg);
	if (candidate_exists(c->candidate)) {
		struct json_object *cd = json_object_new_object();
		json_add_u32(cd, "base-revision", candidate_base(c->candidate));
		json_add_str(cd, "user", candidate_user(c->candidate));
		json_add_time_ns(cd, "time", (uint64_t)candidate_time(c->candidate) * 1000000000u);
		json_object_object_add(o, "candidate", cd);
	}
	json_add_bool(d, "connected", hello != NULL);
	json_add_bool(d, "synchronised", running_synchronised(c->running));
	if (hello != NULL) {
		json_add_str(d, "software", hello->software);
		json_add_u32(d, "pid", hello->pid);
		json_add_u32(d, "workers", hello->n_workers);
	}
	json_add_u32(d, "reconciles", running_reconciles(c->running));
	if (problem[0] != '\0')
		json_add_str(d, "last-error", problem);
	json_object_object_add(o, "dataplane", d);
	restconf_data(req, "heddle-system:system-state", o);
}

/* --- workers --------------------------------------------------------------------------------- */

static void worker_counters(struct json_object *o, const struct dp *dp, uint32_t worker)
{
	const struct hd_stats_vec *v = dp_stats_vec(dp, "worker", NULL);

	if (v == NULL || worker >= v->n_slices)
		return;
	struct json_object *list = json_object_new_array();
	for (uint32_t col = 0; col < v->n_cols; col++) {
		char name[sizeof(v->col[0]) + 1];
		struct json_object *e = json_object_new_object();
		snprintf(name, sizeof(name), "%.*s", (int)sizeof(v->col[0]), v->col[col]);
		json_add_str(e, "name", name);
		json_add_u64(e, "value", dp_stats_slice(dp, v, worker, 0, col));
		json_object_array_add(list, e);
	}
	json_object_object_add(o, "counter", list);
}

static struct json_object *worker_json(struct ctrl *c, const void *msg)
{
	static const char *const states[] = { "stopped", "running", "stalled" };
	const struct hd_api_worker *w = msg;
	struct json_object *o = json_object_new_object(), *queues = json_object_new_array();
	char text[64];

	json_add_u32(o, "id", w->worker);
	json_add_u32(o, "lcore", w->lcore);
	if (w->cpu >= 0)
		json_object_object_add(o, "cpu", json_object_new_int(w->cpu));
	json_add_u32(o, "numa", w->numa);
	json_add_str(o, "state", w->state < 3 ? states[w->state] : "unknown");
	for (uint32_t i = 0; i < w->n_queues && i < 32; i++) {
		snprintf(text, sizeof(text), "%s/%u",
			 dp_state_name(c, ID_PORT, w->queue[i].port_id), w->queue[i].queue);
		json_object_array_add(queues, json_object_new_string(text));
	}
	json_object_object_add(o, "queue", queues);
	worker_counters(o, c->dp, w->worker);
	return o;
}

void system_worker_state(struct ctrl *c, struct http_req *req)
{
	static const struct dp_state workers = {
		.name = "heddle-system:worker-state",
		.type = HD_API_WORKER,
		.list = "worker",
		.size = sizeof(struct hd_api_worker),
		.entry = worker_json,
	};

	dp_state_get(c, req, &workers);
}

/* --- drops ----------------------------------------------------------------------------------- */

static const char *severity(uint32_t s)
{
	return s == HD_SEV_ERROR ? "error" : s == HD_SEV_WARN ? "warning" : "info";
}

static const struct hd_api_drop_sample *find_sample(const struct hd_api_drop_sample *s, size_t n,
						    uint32_t vec, uint32_t row)
{
	for (size_t i = 0; i < n; i++)
		if (s[i].verdict_vec == vec && s[i].verdict == row)
			return &s[i];
	return NULL;
}

static void add_sample(struct json_object *o, struct ctrl *c, const struct hd_api_drop_sample *s)
{
	struct json_object *p = json_object_new_object();
	const char *iface = ids_name(c->ids, ID_INTERFACE, s->iface_id);
	uint16_t head_len = s->head_len <= HD_TRACE_HEAD ? s->head_len : HD_TRACE_HEAD;
	char text[300];

	json_add_time_ns(p, "time", s->time_ns);
	json_add_str(p, "interface", iface);
	json_add_u32(p, "worker", s->worker);
	json_add_u32(p, "length", s->length);
	json_add_str(p, "object", debug_result_text(c, s->result, text, sizeof(text)));
	json_add_str(p, "summary", debug_packet_text(s->head, head_len, text, sizeof(text)));
	json_add_hex(p, "head", s->head, head_len);
	json_object_object_add(o, "last-packet", p);
}

static void add_drops(struct json_object *list, struct ctrl *c,
		      const struct hd_api_drop_sample *samples, size_t n)
{
	const struct hd_stats_vec *v;

	for (uint32_t vec = 0; vec < HD_STATS_VECS_MAX; vec++) {
		v = dp_stats_vec_at(c->dp, vec);
		if (v == NULL || v->kind != HD_STATS_VERDICT)
			continue;
		const char *slash = memchr(v->name, '/', sizeof(v->name));
		for (uint32_t row = 0; row < v->n_rows; row++) {
			const struct hd_stats_row *info = dp_stats_row(c->dp, v, row);
			uint64_t packets = dp_stats_sum(c->dp, v, row, 0);
			if (info == NULL || packets == 0 ||
			    strncmp(info->next, "drop", sizeof(info->next)) != 0)
				continue;
			struct json_object *o = json_object_new_object();
			char text[HD_STATS_ROW_TEXT];
			snprintf(text, sizeof(text), "%.47s", slash != NULL ? slash + 1 : v->name);
			json_add_str(o, "node", text);
			snprintf(text, sizeof(text), "%.47s", info->name);
			json_add_str(o, "reason", text);
			json_add_str(o, "severity", severity(info->severity));
			json_add_u64(o, "packets", packets);
			snprintf(text, sizeof(text), "%.*s", (int)sizeof(info->text) - 1,
				 info->text);
			json_add_str(o, "help", text);
			const struct hd_api_drop_sample *s = find_sample(samples, n, vec, row);
			if (s != NULL)
				add_sample(o, c, s);
			json_object_array_add(list, o);
		}
	}
}

static void add_punts(struct json_object *list, struct ctrl *c)
{
	const struct hd_stats_vec *v = dp_stats_vec(c->dp, "punt", NULL);

	for (uint32_t row = 0; v != NULL && row < v->n_rows; row++) {
		const struct hd_stats_row *info = dp_stats_row(c->dp, v, row);
		if (info == NULL || info->name[0] == '\0')
			continue;
		struct json_object *o = json_object_new_object();
		char text[HD_STATS_ROW_TEXT];
		snprintf(text, sizeof(text), "%.47s", info->name);
		json_add_str(o, "reason", text);
		snprintf(text, sizeof(text), "%.*s", (int)sizeof(info->text) - 1, info->text);
		json_add_str(o, "help", text);
		json_add_counters(o, c->dp, "punt", row);
		json_object_array_add(list, o);
	}
}

static struct json_object *drops_json(struct ctrl *c, const struct dp_answer *a)
{
	struct hd_api_drop_sample *samples = NULL, s;
	size_t n = 0, off = 0;

	if (a->error == ENOTCONN)
		return NULL;
	while (dp_answer_next(a, &off, &s, sizeof(s)) != NULL) {
		struct hd_api_drop_sample *more = realloc(samples, (n + 1) * sizeof(s));
		if (more == NULL)
			break;
		samples = more;
		samples[n++] = s;
	}
	struct json_object *top = json_object_new_object(), *drops = json_object_new_array(),
			   *punts = json_object_new_array();
	add_drops(drops, c, samples, n);
	add_punts(punts, c);
	json_object_object_add(top, "drop", drops);
	json_object_object_add(top, "punt", punts);
	free(samples);
	return top;
}

void system_drop_state(struct ctrl *c, struct http_req *req)
{
	/* The counters are there even when no sample can be had. */
	static const struct dp_state drops = {
		.name = "heddle-system:drop-state",
		.type = HD_API_DROP_SAMPLE,
		.anyway = true,
		.value = drops_json,
	};

	dp_state_get(c, req, &drops);
}

/* --- graph ----------------------------------------------------------------------------------- */

/* Names of the nodes that a node hands packets to; several of its verdicts may lead to one. */
static struct json_object *next_json(const struct dp *dp, const struct hd_stats_vec *v,
				     const struct hd_api_graph_node *n)
{
	struct json_object *next = json_object_new_array();

	for (uint32_t i = 0; i < n->n_edges && i < HD_GRAPH_EDGES_MAX; i++) {
		const struct hd_stats_row *row = dp_stats_row(dp, v, n->edge[i]);
		char text[HD_STATS_ROW_NAME];
		bool twice = false;

		snprintf(text, sizeof(text), "%.47s", row != NULL ? row->name : "?");
		for (size_t k = 0; !twice && k < json_object_array_length(next); k++)
			twice = strcmp(json_object_get_string(json_object_array_get_idx(next, k)),
				       text) == 0;
		if (!twice)
			json_object_array_add(next, json_object_new_string(text));
	}
	return next;
}

static struct json_object *graph_json(struct ctrl *c, const struct dp_answer *a)
{
	const struct hd_stats_vec *v = dp_stats_vec(c->dp, "node", NULL);
	struct json_object *top = json_object_new_object(), *list = json_object_new_array();
	struct hd_api_graph_node n;
	size_t off = 0;

	json_add_u64(top, "tsc-hz", dp_stats(c->dp)->tsc_hz);
	while (dp_answer_next(a, &off, &n, sizeof(n)) != NULL) {
		struct json_object *o = json_object_new_object();
		n.name[sizeof(n.name) - 1] = '\0';
		json_add_str(o, "name", n.name);
		json_object_object_add(o, "next", next_json(c->dp, v, &n));
		json_add_u64(o, "calls", dp_stats_sum(c->dp, v, n.node, 0));
		json_add_u64(o, "packets", dp_stats_sum(c->dp, v, n.node, 1));
		json_add_u64(o, "cycles", dp_stats_sum(c->dp, v, n.node, 2));
		json_add_u64(o, "packets-elsewhere", dp_stats_sum(c->dp, v, n.node, 3));
		json_object_array_add(list, o);
	}
	json_object_object_add(top, "node", list);
	return top;
}

void system_graph_state(struct ctrl *c, struct http_req *req)
{
	static const struct dp_state graph = {
		.name = "heddle-system:graph-state",
		.type = HD_API_GRAPH_NODE,
		.value = graph_json,
	};

	dp_state_get(c, req, &graph);
}
