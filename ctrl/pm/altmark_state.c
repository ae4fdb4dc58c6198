/* SPDX-License-Identifier: BSD-3-Clause
 * State of alternate marking, and its metrics. */
#include <arpa/inet.h>
#include <stdio.h>

#include "ctrl/ip/ip.h"
#include "ctrl/pm/altmark.h"
#include "ctrl/restconf.h"

static void add_i64(struct json_object *o, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	json_add_str(o, name, text);
}

static void add_i64s(struct json_object *o, const char *name, const int64_t *value, unsigned n)
{
	struct json_object *list = json_object_new_array();
	char text[24];

	for (unsigned i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "%lld", (long long)value[i]);
		json_object_array_add(list, json_object_new_string(text));
	}
	json_object_object_add(o, name, list);
}

static struct json_object *block_new(uint64_t number, uint32_t period_ms)
{
	struct json_object *o = json_object_new_object();

	json_add_u64(o, "number", number);
	json_add_time_ns(o, "time", number * period_ms * 1000000u);
	return o;
}

static struct json_object *blocks_json(const struct altmark_series *s)
{
	struct json_object *list = json_object_new_array();

	for (uint64_t n = s->from; n <= s->until; n++) {
		const struct hd_api_altmark_block *b = altmark_series_get(s, n);
		struct json_object *o;

		if (b == NULL || b->packets == 0)
			continue;
		o = block_new(n, s->period_ms);
		json_add_u64(o, "packets", b->packets);
		json_add_u64(o, "octets", b->octets);
		add_i64(o, "time-sum", b->ts_sum_ns);
		json_add_u32(o, "delay-packets", b->d_n);
		add_i64s(o, "delay-time", b->d_ns,
			 b->d_n < HD_ALTMARK_D_MAX ? b->d_n : HD_ALTMARK_D_MAX);
		if (b->clock_error_ns != UINT64_MAX)
			json_add_u64(o, "clock-error", b->clock_error_ns);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *flow_json(const struct altmark_point *p)
{
	struct json_object *o = json_object_new_object();
	char text[INET6_ADDRSTRLEN];

	json_add_str(o, "name", p->flow);
	json_add_u32(o, "flow-mon-id", p->mon_id);
	json_add_str(o, "source-address", ip_text(6, p->source, text, sizeof(text)));
	if (p->series.period_ms == 0)
		return o;
	json_add_u32(o, "period", p->series.period_ms);
	json_add_u64(o, "known-from", p->series.from);
	json_add_u64(o, "known-until", p->series.until);
	json_object_object_add(o, "block", blocks_json(&p->series));
	return o;
}

static struct json_object *result_json(const struct altmark_result *r, uint32_t period_ms)
{
	struct json_object *o = block_new(r->number, period_ms);

	json_add_u64(o, "sent", r->sent);
	json_add_u64(o, "received", r->received);
	if (r->has_mean)
		add_i64(o, "mean-delay", r->mean_ns);
	if (r->n_delays != 0)
		add_i64s(o, "delay", r->delay_ns, r->n_delays);
	if (r->has_bound)
		json_add_u64(o, "uncertainty", r->bound_ns);
	return o;
}

static struct json_object *task_json(const struct altmark_task *t)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array(), *delay;
	const struct altmark_measure *m = &t->measure;

	json_add_str(o, "name", t->name);
	json_add_str(o, "flow", t->flow);
	json_add_str(o, "from", t->from[0] != '\0' ? t->from : "local");
	json_add_str(o, "to", t->to[0] != '\0' ? t->to : "local");
	json_add_u64(o, "blocks", m->blocks);
	json_add_u64(o, "unknown-blocks", m->unknown);
	json_add_u64(o, "sent", m->sent);
	json_add_u64(o, "received", m->received);
	json_add_u64(o, "lost", m->lost);
	json_add_u64(o, "surplus", m->surplus);
	if (m->n_delays != 0) {
		delay = json_object_new_object();
		json_add_u64(delay, "count", m->n_delays);
		add_i64(delay, "min", m->delay_min_ns);
		add_i64(delay, "mean", (int64_t)(m->delay_sum_ns / (double)m->n_delays));
		add_i64(delay, "max", m->delay_max_ns);
		json_object_object_add(o, "delay", delay);
	}
	for (uint64_t n = m->next > ALTMARK_KEPT ? m->next - ALTMARK_KEPT : 0; n < m->next; n++) {
		const struct altmark_result *r = altmark_measure_get(m, n);

		if (r != NULL && (r->sent != 0 || r->received != 0))
			json_object_array_add(list, result_json(r, m->period_ms));
	}
	json_object_object_add(o, "block", list);
	return o;
}

void altmark_state(struct ctrl *c, struct http_req *req)
{
	struct json_object *top = json_object_new_object(), *flows = json_object_new_array(),
			   *peers = json_object_new_array(), *tasks = json_object_new_array();

	(void)c;
	for (const struct altmark_point *p = altmark_book.points; p != NULL; p = p->next)
		if (p->peer[0] == '\0')
			json_object_array_add(flows, flow_json(p));
	for (const struct altmark_peer *p = altmark_book.peers; p != NULL; p = p->next) {
		struct json_object *o = json_object_new_object();

		json_add_str(o, "name", p->name);
		json_add_bool(o, "reachable", p->reachable);
		if (p->problem[0] != '\0')
			json_add_str(o, "problem", p->problem);
		json_object_array_add(peers, o);
	}
	for (const struct altmark_task *t = altmark_book.tasks; t != NULL; t = t->next)
		json_object_array_add(tasks, task_json(t));
	json_object_object_add(top, "flow", flows);
	json_object_object_add(top, "peer", peers);
	json_object_object_add(top, "measurement", tasks);
	restconf_data(req, "heddle-altmark:altmark-state", top);
}

/* ---- metrics --------------------------------------------------------------------------------------------------- */

static const struct family {
	const char *name, *help;
	size_t off;
} families[] = {
	{ "heddle_altmark_sent_packets", "Packets of a measurement at its first point",
	  offsetof(struct altmark_measure, sent) },
	{ "heddle_altmark_received_packets", "Packets of a measurement at its second point",
	  offsetof(struct altmark_measure, received) },
	{ "heddle_altmark_lost_packets", "Packets of a measurement lost between its points",
	  offsetof(struct altmark_measure, lost) },
};

bool altmark_metric(struct ctrl *c, uint32_t n, uint32_t max, bool open, char *buf, size_t size)
{
	const struct altmark_task *t = altmark_book.tasks;
	uint32_t n_tasks = 0, i;
	const struct family *f;

	(void)c;
	for (; t != NULL && n_tasks < max; t = t->next)
		n_tasks++;
	if (n_tasks == 0 || n / (n_tasks + 1) >= sizeof(families) / sizeof(families[0]))
		return false;
	f = &families[n / (n_tasks + 1)];
	i = n % (n_tasks + 1);
	if (i == 0) {
		snprintf(buf, size, "# HELP %s%s %s\n# TYPE %s%s counter\n", f->name,
			 open ? "" : "_total", f->help, f->name, open ? "" : "_total");
		return true;
	}
	t = altmark_book.tasks;
	while (--i > 0)
		t = t->next;
	snprintf(buf, size, "%s_total{measurement=\"%s\"} %llu\n", f->name, t->name,
		 (unsigned long long)*(const uint64_t *)(const void *)((const char *)&t->measure +
								       f->off));
	return true;
}
