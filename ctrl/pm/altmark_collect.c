/* SPDX-License-Identifier: BSD-3-Clause
 * Reading closed blocks, of the own data plane and of peers, twice a period; comparing what both ends of a measurement
 * know.  State of this process: after a restart comparing begins with the blocks that are still kept. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctrl/cfg.h"
#include "ctrl/log.h"
#include "ctrl/pm/altmark.h"
#include "ctrl/restconf.h"
#include "ctrl/running.h"

#define TICK_MS    500u
#define READABLE   6u /* blocks before the current one that a data plane still tells */
#define PATH_STATE "/restconf/data/heddle-altmark:altmark-state"

struct altmark_book altmark_book;

static struct {
	struct ctrl *c;
	uv_timer_t timer;
	bool running, asking;
	const void *config; /* what the book was made from */
	uint32_t revision;
	uint64_t instance; /* of the data plane that counts */
	uint32_t period_ms;
	uint64_t asked_ns, next_ms; /* when the data plane was asked; when it is asked again */
} me;

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t period_ns(void)
{
	return me.period_ms * 1000000ull;
}

/* The last block that is closed at ns: half of the next one has passed. */
static uint64_t last_closed(uint64_t ns)
{
	return (ns - period_ns() / 2) / period_ns() - 1;
}

/* ---- the book -------------------------------------------------------------------------------------------------- */

struct altmark_point *altmark_point_find(const char *flow, const char *peer)
{
	struct altmark_point *p = altmark_book.points;

	while (p != NULL && (strcmp(p->flow, flow) != 0 || strcmp(p->peer, peer) != 0))
		p = p->next;
	return p;
}

static const char *peer_name(const char *text)
{
	return strcmp(text, "local") == 0 ? "" : text;
}

/* The point, made if there is none; one that is about other packets now begins anew. */
static struct altmark_point *point_get(const struct lyd_node *flow, const char *peer)
{
	const char *name = cfg_str(flow, "name");
	struct altmark_point *p = altmark_point_find(name, peer);
	uint32_t mon_id = cfg_u32(flow, "flow-mon-id", 0);
	uint8_t source[16];

	cfg_addr(cfg_str(flow, "source-address"), source);
	if (p != NULL && (p->mon_id != mon_id || memcmp(p->source, source, 16) != 0)) {
		memset(&p->series, 0, sizeof(p->series));
		p->not_before = 0;
	}
	if (p == NULL) {
		p = calloc(1, sizeof(*p));
		if (p == NULL)
			return NULL;
		snprintf(p->flow, sizeof(p->flow), "%s", name);
		snprintf(p->peer, sizeof(p->peer), "%s", peer);
		p->next = altmark_book.points;
		altmark_book.points = p;
	}
	p->mon_id = mon_id;
	memcpy(p->source, source, 16);
	p->flow_id = ids_find(me.c->ids, ID_ALTMARK_FLOW, name);
	p->used = true;
	return p;
}

static void read_peer(const struct lyd_node *node)
{
	const char *name = cfg_str(node, "name"), *text;
	struct altmark_peer *p = altmark_book.peers;
	struct http_peer h = { .url = "" };

	while (p != NULL && strcmp(p->name, name) != 0)
		p = p->next;
	if (p == NULL) {
		p = calloc(1, sizeof(*p));
		if (p == NULL)
			return;
		snprintf(p->name, sizeof(p->name), "%s", name);
		p->next = altmark_book.peers;
		altmark_book.peers = p;
	}
#define COPY(leaf, field)           \
	text = cfg_str(node, leaf); \
	if (text != NULL)           \
	snprintf(h.field, sizeof(h.field), "%s", text)
	COPY("url", url);
	COPY("socket", socket);
	COPY("ca-file", ca_file);
	COPY("certificate-file", certificate_file);
	COPY("key-file", key_file);
#undef COPY
	p->http = h;
	p->used = true;
}

static const struct lyd_node *flow_node(const struct lyd_node *top, const char *name)
{
	cfg_foreach(f, top, "flow") if (strcmp(cfg_str(f, "name"), name) == 0) return f;
	return NULL;
}

static void read_task(const struct lyd_node *top, const struct lyd_node *node)
{
	const char *name = cfg_str(node, "name"), *flow = cfg_str(node, "flow"),
		   *from = peer_name(cfg_str(node, "from")), *to = peer_name(cfg_str(node, "to"));
	const struct lyd_node *f = flow_node(top, flow);
	struct altmark_task *t = altmark_book.tasks;

	while (t != NULL && strcmp(t->name, name) != 0)
		t = t->next;
	if (t == NULL) {
		t = calloc(1, sizeof(*t));
		if (t == NULL)
			return;
		snprintf(t->name, sizeof(t->name), "%s", name);
		t->next = altmark_book.tasks;
		altmark_book.tasks = t;
	}
	if (strcmp(t->flow, flow) != 0 || strcmp(t->from, from) != 0 || strcmp(t->to, to) != 0)
		memset(&t->measure, 0, sizeof(t->measure));
	snprintf(t->flow, sizeof(t->flow), "%s", flow);
	snprintf(t->from, sizeof(t->from), "%s", from);
	snprintf(t->to, sizeof(t->to), "%s", to);
	t->used = true;
	point_get(f, from);
	point_get(f, to);
}

#define SWEEP(list, type, keep)                          \
	for (struct type **at = &(list); *at != NULL;) { \
		struct type *x = *at;                    \
		if (keep) {                              \
			at = &x->next;                   \
		} else {                                 \
			*at = x->next;                   \
			free(x);                         \
		}                                        \
	}

static void book_forget(void)
{
	SWEEP(altmark_book.points, altmark_point, x->used)
	SWEEP(altmark_book.tasks, altmark_task, x->used)
	SWEEP(altmark_book.peers, altmark_peer, x->used || x->asking) /* its answer is to come */
}

static void book_unmark(void)
{
	for (struct altmark_point *p = altmark_book.points; p != NULL; p = p->next)
		p->used = false;
	for (struct altmark_task *t = altmark_book.tasks; t != NULL; t = t->next)
		t->used = false;
	for (struct altmark_peer *p = altmark_book.peers; p != NULL; p = p->next)
		p->used = false;
}

/* Bring the book in line with what runs. */
static void book_read(void)
{
	const struct config *cfg = running_config(me.c->running);
	const struct lyd_node *top = cfg_top(cfg->tree, "altmark");

	if (me.config == cfg && me.revision == running_revision(me.c->running))
		return;
	me.config = cfg;
	me.revision = running_revision(me.c->running);
	me.period_ms = cfg_u32(top, "period", 10) * 1000;
	book_unmark();
	cfg_foreach(p, top, "peer") read_peer(p);
	cfg_foreach(f, top, "flow") point_get(f, "");
	cfg_foreach(m, top, "measurement") read_task(top, m);
	book_forget();
}

/* ---- the own data plane ---------------------------------------------------------------------------------------- */

static struct altmark_point *point_by_id(uint32_t flow_id)
{
	struct altmark_point *p = altmark_book.points;

	while (p != NULL && (p->peer[0] != '\0' || p->flow_id != flow_id))
		p = p->next;
	return p;
}

static void compare_all(void)
{
	for (struct altmark_task *t = altmark_book.tasks; t != NULL; t = t->next) {
		const struct altmark_point *from = altmark_point_find(t->flow, t->from),
					   *to = altmark_point_find(t->flow, t->to);

		if (from != NULL && to != NULL)
			altmark_measure_run(&t->measure, &from->series, &to->series);
	}
}

static void on_blocks(void *arg, const struct dp_answer *a)
{
	uint64_t lo = now_ns() / period_ns() - READABLE, hi = last_closed(me.asked_ns);
	struct hd_api_altmark_block b;
	size_t off = 0;

	(void)arg;
	me.asking = false;
	if (a->error != 0 || !me.running)
		return;
	while (dp_answer_next(a, &off, &b, sizeof(b)) != NULL) {
		struct altmark_point *p = point_by_id(b.flow_id);

		if (p != NULL && b.period_ms == me.period_ms && b.block <= hi)
			altmark_series_put(&p->series, &b);
	}
	for (struct altmark_point *p = altmark_book.points; p != NULL; p = p->next) {
		if (p->peer[0] != '\0')
			continue;
		/* The block that runs was begun before the flow was known here, and half of the next may still be
		 * late packets of it at the other end. */
		if (p->not_before == 0)
			p->not_before = now_ns() / period_ns() + 2;
		altmark_series_known(&p->series, me.period_ms,
				     lo > p->not_before ? lo : p->not_before, hi);
	}
	compare_all();
}

/* Another data plane has counted nothing yet. */
static void instance_check(void)
{
	const struct hd_api_hello *hello = dp_hello(me.c->dp);
	uint64_t instance = hello != NULL ? hello->instance : 0;

	if (instance == me.instance)
		return;
	me.instance = instance;
	for (struct altmark_point *p = altmark_book.points; p != NULL; p = p->next)
		if (p->peer[0] == '\0')
			p->not_before = 0;
}

/* ---- peers ----------------------------------------------------------------------------------------------------- */

static uint64_t get_u64(struct json_object *o, const char *name)
{
	struct json_object *v;

	return json_object_object_get_ex(o, name, &v) ?
		       strtoull(json_object_get_string(v), NULL, 10) :
		       0;
}

static int64_t get_i64(struct json_object *o, const char *name)
{
	struct json_object *v;

	return json_object_object_get_ex(o, name, &v) ?
		       strtoll(json_object_get_string(v), NULL, 10) :
		       0;
}

static struct json_object *get_list(struct json_object *o, const char *name)
{
	struct json_object *v;

	return json_object_object_get_ex(o, name, &v) && json_object_is_type(v, json_type_array) ?
		       v :
		       NULL;
}

static void peer_block(struct altmark_point *p, struct json_object *o)
{
	struct hd_api_altmark_block b = { .block = get_u64(o, "number"),
					  .packets = get_u64(o, "packets"),
					  .octets = get_u64(o, "octets"),
					  .ts_sum_ns = get_i64(o, "time-sum"),
					  .d_n = (uint32_t)get_u64(o, "delay-packets"),
					  .clock_error_ns = UINT64_MAX };
	struct json_object *times = get_list(o, "delay-time"), *v;

	for (size_t i = 0;
	     times != NULL && i < json_object_array_length(times) && i < HD_ALTMARK_D_MAX; i++)
		b.d_ns[i] = strtoll(json_object_get_string(json_object_array_get_idx(times, i)),
				    NULL, 10);
	if (json_object_object_get_ex(o, "clock-error", &v))
		b.clock_error_ns = get_u64(o, "clock-error");
	altmark_series_put(&p->series, &b);
}

static void peer_flow(struct altmark_point *p, struct json_object *flow)
{
	struct json_object *blocks = get_list(flow, "block"), *v;

	for (size_t i = 0; blocks != NULL && i < json_object_array_length(blocks); i++)
		peer_block(p, json_object_array_get_idx(blocks, i));
	if (json_object_object_get_ex(flow, "known-until", &v))
		altmark_series_known(&p->series, (uint32_t)get_u64(flow, "period"),
				     get_u64(flow, "known-from"), get_u64(flow, "known-until"));
}

/* Flows are the same when FlowMonID and source are, whatever their names. */
static void peer_flows(const char *peer, struct json_object *flows)
{
	for (size_t i = 0; flows != NULL && i < json_object_array_length(flows); i++) {
		struct json_object *f = json_object_array_get_idx(flows, i), *v;
		uint8_t source[16] = { 0 };

		if (json_object_object_get_ex(f, "source-address", &v))
			cfg_addr(json_object_get_string(v), source);
		for (struct altmark_point *p = altmark_book.points; p != NULL; p = p->next)
			if (strcmp(p->peer, peer) == 0 && p->mon_id == get_u64(f, "flow-mon-id") &&
			    memcmp(p->source, source, 16) == 0)
				peer_flow(p, f);
	}
}

static void on_peer(void *arg, struct json_object *answer, const char *problem)
{
	struct altmark_peer *p = arg;
	struct json_object *state;
	bool ok = answer != NULL &&
		  json_object_object_get_ex(answer, "heddle-altmark:altmark-state", &state);

	p->asking = false;
	if (ok && !p->reachable)
		log_info("altmark: peer %s answers", p->name);
	if (!ok && (p->reachable || p->problem[0] == '\0'))
		log_warning("altmark: peer %s: %s", p->name,
			    answer != NULL ? "its answer is none about alternate marking" :
					     problem);
	p->reachable = ok;
	snprintf(p->problem, sizeof(p->problem), "%s",
		 ok             ? "" :
		 answer != NULL ? "its answer is none about alternate marking" :
				  problem);
	if (ok && me.running) {
		peer_flows(p->name, get_list(state, "flow"));
		compare_all();
	}
	if (!p->used)
		book_forget();
}

static void ask_peers(void)
{
	for (struct altmark_peer *p = altmark_book.peers; p != NULL; p = p->next)
		if (!p->asking && p->used)
			p->asking = http_client_get(me.c, &p->http, PATH_STATE, on_peer, p) == 0;
}

/* ---- set-up ---------------------------------------------------------------------------------------------------- */

static void tick(uv_timer_t *t)
{
	uint64_t now = uv_now(me.c->loop);

	(void)t;
	book_read();
	if (altmark_book.points == NULL || now < me.next_ms)
		return;
	me.next_ms = now + me.period_ms / 2 - TICK_MS / 2;
	instance_check();
	if (!me.asking && dp_connected(me.c->dp)) {
		me.asking = true;
		me.asked_ns = now_ns();
		dp_request(me.c->dp, HD_API_ALTMARK_STATE, NULL, 0, -1, on_blocks, NULL);
	}
	ask_peers();
}

void altmark_start(struct ctrl *c)
{
	memset(&me, 0, sizeof(me));
	me.c = c;
	me.running = true;
	uv_timer_init(c->loop, &me.timer);
	uv_timer_start(&me.timer, tick, TICK_MS, TICK_MS);
}

void altmark_stop(void)
{
	if (me.running)
		uv_close((uv_handle_t *)&me.timer, NULL);
	me.running = false;
	book_unmark();
	book_forget();
}
