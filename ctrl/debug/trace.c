/* SPDX-License-Identifier: BSD-3-Clause
 * Packet trace: requests to the data plane, and its steps in words. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/debug/debug_private.h"
#include "ctrl/dp_state.h"
#include "ctrl/ip/ip.h"
#include "ctrl/running.h"
#include "heddle/api/debug.h"
#include "heddle/api/srv6.h"

/* Kinds of dataplane/result.h, as far as an operator sees them. */
const char *debug_result_text(struct ctrl *c, uint32_t result, char *buf, size_t size)
{
	static const char *const kinds[] = { "none",      "drop",  "punt", "local",  "connected",
					     "adjacency", "group", "sid",  "policy", "session" };
	static const char *const drops[] = { "blackhole", "unreachable", "prohibit" };
	uint32_t kind = result >> 26, index = result & ((1u << 26) - 1);
	const char *name = NULL;

	if (kind == 8)
		name = ids_name(c->ids, ID_POLICY, index);
	else if (kind == 7)
		name = ids_name(c->ids, ID_SID, index);
	else if (kind == 4)
		name = ids_name(c->ids, ID_INTERFACE, index);
	else if (kind == 1 && index < 3)
		name = drops[index];
	if (kind == 0)
		snprintf(buf, size, "none");
	else if (kind >= sizeof(kinds) / sizeof(kinds[0]))
		snprintf(buf, size, "kind %u index %u", kind, index);
	else if (name != NULL)
		snprintf(buf, size, "%s %s", kinds[kind], name);
	else
		snprintf(buf, size, "%s %u", kinds[kind], index);
	return buf;
}

static void on_simple(void *arg, const struct dp_answer *a)
{
	struct http_req *req = arg;

	if (a->error != 0)
		restconf_dp_error(req, a);
	else
		restconf_output(req, "heddle-trace", NULL);
}

void debug_trace_start(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	struct hd_api_trace_start s = { .max_packets = cfg_u32(in, "count", 10) };
	const char *iface = cfg_str(in, "interface"), *prefix = cfg_str(in, "prefix"),
		   *sid = cfg_str(in, "sid");

	if (iface != NULL) {
		s.filter.iface_id = ids_find(c->ids, ID_INTERFACE, iface);
		if (s.filter.iface_id == 0) {
			restconf_errorf(req, -ENOENT,
					"there is no interface '%s'; see: heddle show interfaces",
					iface);
			return;
		}
	}
	if (prefix != NULL) {
		s.filter.family = cfg_prefix(prefix, s.filter.prefix, &s.filter.plen);
		s.filter.either = 1;
	}
	if (sid != NULL) {
		s.filter.has_sid = 1;
		cfg_addr(sid, s.filter.sid);
	}
	s.filter.session_id = cfg_u32(in, "session", 0);
	dp_request(c->dp, HD_API_TRACE_START, &s, sizeof(s), -1, on_simple, req);
}

void debug_trace_stop(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	(void)in;
	dp_request(c->dp, HD_API_TRACE_STOP, NULL, 0, -1, on_simple, req);
}

static struct json_object *step_json(struct ctrl *c, const struct hd_api_trace_step *s)
{
	const struct hd_stats_row *node =
		dp_stats_row(c->dp, dp_stats_vec(c->dp, "node", NULL), s->node);
	const struct hd_stats_row *verdict =
		s->verdict == 0xffff ?
			NULL :
			dp_stats_row(c->dp, dp_stats_vec_at(c->dp, s->verdict_vec), s->verdict);
	uint16_t head_len = s->head_len <= HD_TRACE_HEAD ? s->head_len : HD_TRACE_HEAD;
	uint64_t hz = dp_stats(c->dp)->tsc_hz;
	struct json_object *o = json_object_new_object();
	char text[500];

	snprintf(text, sizeof(text), "%.47s", node != NULL ? node->name : "?");
	json_add_str(o, "node", text);
	if (verdict != NULL) {
		snprintf(text, sizeof(text), "%.47s", verdict->name);
		json_add_str(o, "verdict", text);
		snprintf(text, sizeof(text), "%.31s", verdict->next);
		json_add_str(o, "next", text);
		snprintf(text, sizeof(text), "%.207s", verdict->text);
		json_add_str(o, "help", text);
	}
	json_add_u32(o, "cycles", s->tsc_delta);
	if (hz != 0)
		json_add_u32(o, "ns", (uint32_t)((double)s->tsc_delta * 1e9 / (double)hz));
	json_add_str(o, "vrf", ip_vrf_name(c->ids, s->vrf_id));
	json_add_str(o, "object", debug_result_text(c, s->result, text, sizeof(text)));
	json_add_u32(o, "length", s->length);
	json_add_str(o, "summary", debug_packet_text(s->head, head_len, text, sizeof(text)));
	json_add_hex(o, "head", s->head, head_len);
	return o;
}

static struct json_object *traced_json(struct ctrl *c, const void *msg)
{
	const struct hd_api_trace_packet *p = msg;
	struct json_object *o = json_object_new_object(), *steps = json_object_new_array();

	json_add_time_ns(o, "time", p->time_ns);
	json_add_str(o, "interface", dp_state_name(c, ID_INTERFACE, p->iface_id));
	json_add_u32(o, "worker", p->worker);
	if (p->steps_lost != 0)
		json_add_u32(o, "steps-lost", p->steps_lost);
	for (uint32_t i = 0; i < p->n_steps && i < HD_TRACE_STEPS_MAX; i++)
		json_object_array_add(steps, step_json(c, &p->step[i]));
	json_object_object_add(o, "step", steps);
	return o;
}

void debug_trace_read(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	static const struct dp_state traced = {
		.name = "heddle-trace:output",
		.type = HD_API_TRACE_READ,
		.list = "packet",
		.size = sizeof(struct hd_api_trace_packet),
		.entry = traced_json,
	};

	(void)in;
	dp_state_get(c, req, &traced);
}
