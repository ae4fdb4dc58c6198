/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-pm:capacity-state: the test the data plane sends or sent last, and the one it serves. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctrl/ip/ip.h"
#include "ctrl/pm/capacity.h"
#include "ctrl/pm/session.h"
#include "ctrl/restconf.h"

struct state {
	struct http_req *req;
	struct hd_api_pm_capacity_state s;
	struct hd_api_pm_capacity_sub sub[HD_PM_CAPACITY_SUBS_MAX];
	unsigned n_subs;
	bool have;
};

static void add_parameters(struct json_object *o, const struct hd_api_pm_capacity *a)
{
	const struct hd_api_pm_session *p = &a->path;
	struct json_object *list = json_object_new_array();
	char text[INET6_ADDRSTRLEN];

	json_add_str(o, "source-address", ip_text(p->family, p->src, text, sizeof(text)));
	json_add_str(o, "destination", ip_text(p->family, p->dst, text, sizeof(text)));
	for (unsigned i = 0; i < p->n_segs; i++)
		json_object_array_add(
			list, json_object_new_string(ip_text(6, p->seg[i], text, sizeof(text))));
	json_object_object_add(o, "segment", list);
	json_add_u32(o, "udp-port", p->dst_port);
	json_add_u32(o, "local-port", p->src_port);
	json_add_u32(o, "dscp", p->dscp);
	json_add_u32(o, "flow-label", p->flow_label);
	json_add_u32(o, "hop-limit", p->hop_limit);
	if (p->key_id != 0)
		json_add_u32(o, "key", p->key_id);
	json_add_u32(o, "size", a->size);
	json_add_u32(o, "max-rate", a->max_kbps);
	json_add_u32(o, "duration", a->duration_ms);
	json_add_u32(o, "sub-interval", a->sub_ms);
	json_add_u32(o, "feedback-interval", a->feedback_ms);
	json_add_u32(o, "feedback-timeout", a->stop_ms);
	json_add_u32(o, "sequence-errors", a->seq_errors);
	json_add_u32(o, "consecutive", a->bad_reports);
	json_add_u32(o, "fast-rows", a->fast_rows);
	json_add_u32(o, "low-delay", a->low_us);
	json_add_u32(o, "high-delay", a->high_us);
	json_add_u32(o, "max-loss", a->loss_ppm);
	json_add_u32(o, "max-delay-range", a->range_us);
}

static void add_progress(struct json_object *o, const struct hd_api_pm_capacity_state *s)
{
	static const char *const phase[] = { "?", "asking", "running", "done" }, *const result[] = {
		"complete", "no-answer", "refused", "no-load", "silent", "ended"
	};
	char text[240];

	json_add_str(o, "phase", phase[s->phase & 3]);
	if (s->phase == HD_PM_CAPACITY_DONE && s->result <= HD_PM_CAPACITY_ENDED)
		json_add_str(o, "result", result[s->result]);
	capacity_reason(s, text, sizeof(text));
	if (text[0] != '\0')
		json_add_str(o, "reason", text);
	if (s->start_ns == 0)
		return;
	json_add_time_ns(o, "start", s->start_ns);
	json_add_u32(o, "elapsed", s->elapsed_ms);
	json_add_u32(o, "granted-rate", s->granted_kbps);
	json_add_u32(o, "rate", s->kbps);
	json_add_u32(o, "highest-rate", s->top_kbps);
	json_add_bool(o, "congestion-confirmed", s->confirmed != 0);
	json_add_u32(o, "increases", s->ups);
	json_add_u32(o, "holds", s->holds);
	json_add_u32(o, "decreases", s->downs);
	json_add_u32(o, "backoffs", s->backoffs);
	json_add_u64(o, "sent", s->sent);
	json_add_u64(o, "received", s->received);
	json_add_u64(o, "skipped", s->skipped);
	json_add_u64(o, "feedbacks", s->feedbacks);
	if (s->rtt_n != 0) {
		json_add_u64(o, "round-trip-min", s->rtt_min_ns);
		json_add_u64(o, "round-trip-max", s->rtt_max_ns);
	}
}

static struct json_object *sub_json(const struct hd_api_pm_capacity *ask,
				    const struct hd_api_pm_capacity_sub *s)
{
	struct json_object *o = json_object_new_object();
	char text[32];

	json_add_u32(o, "number", s->index + 1);
	json_add_bool(o, "meets", capacity_sub_meets(ask, s));
	json_add_u32(o, "rate", capacity_sub_kbps(s->octets, s->us));
	json_add_u32(o, "sent-rate", capacity_sub_kbps(s->sent_octets, s->us));
	json_add_u32(o, "received", s->packets);
	json_add_u32(o, "lost", s->lost);
	snprintf(text, sizeof(text), "%.6f", capacity_sub_loss(s));
	json_add_str(o, "loss-ratio", text);
	json_add_u32(o, "reordered", s->reordered);
	json_add_u32(o, "duplicates", s->duplicates);
	if (s->rtt_n != 0) {
		json_add_u64(o, "round-trip-min", s->rtt_min_ns);
		json_add_u64(o, "round-trip-max", s->rtt_max_ns);
	}
	json_add_u64(o, "delay-min", s->delay_min);
	json_add_u64(o, "delay-max", s->delay_max);
	json_add_u64(o, "variation", s->variation);
	return o;
}

static void add_maximum(struct json_object *o, const struct state *st)
{
	static const char *const by[] = { "maximum", "responder", "path", "sender", "time" };
	const struct hd_api_pm_capacity_sub *max = capacity_best(&st->s.ask, st->sub, st->n_subs,
								 true),
					    *best = capacity_best(&st->s.ask, st->sub, st->n_subs,
								  false);
	struct json_object *list = json_object_new_array();

	if (max != NULL) {
		json_add_u32(o, "capacity", capacity_sub_kbps(max->octets, max->us));
		json_add_u32(o, "capacity-sub-interval", max->index + 1);
	}
	if (best != NULL) {
		json_add_u32(o, "best-rate", capacity_sub_kbps(best->octets, best->us));
		json_add_str(o, "limited-by", by[capacity_limited_by(&st->s)]);
	}
	for (unsigned i = 0; i < st->n_subs; i++)
		json_object_array_add(list, sub_json(&st->s.ask, &st->sub[i]));
	json_object_object_add(o, "interval", list);
}

static struct json_object *served_json(const struct hd_api_pm_capacity_served *s)
{
	struct json_object *o = json_object_new_object();
	char text[INET6_ADDRSTRLEN];

	json_add_bool(o, "running", s->running != 0);
	if (s->running) {
		json_add_str(o, "peer", ip_text(s->family, s->peer, text, sizeof(text)));
		json_add_u32(o, "granted-rate", s->granted_kbps);
	}
	json_add_u64(o, "tests", s->tests);
	json_add_u64(o, "refused", s->refused);
	json_add_u64(o, "packets", s->packets);
	json_add_u64(o, "octets", s->octets);
	json_add_u64(o, "feedbacks", s->feedbacks);
	return o;
}

static void add_rates(struct json_object *list, const struct hd_api_pm_capacity_rates *r)
{
	for (uint32_t i = 0; i < r->n && i < sizeof(r->rate) / sizeof(r->rate[0]); i++) {
		struct json_object *o = json_object_new_object();

		json_add_u32(o, "at", r->rate[i].at_ms);
		json_add_u32(o, "rate", r->rate[i].kbps);
		json_object_array_add(list, o);
	}
}

static void on_state(void *arg, const struct dp_answer *a)
{
	struct json_object *top, *test, *rates;
	const struct hd_api_hdr *h;
	struct state *st = arg;
	size_t off = 0;
	union {
		struct hd_api_pm_capacity_state state;
		struct hd_api_pm_capacity_sub sub;
		struct hd_api_pm_capacity_rates rates;
		struct hd_api_pm_capacity_served served;
	} m;

	if (a->error != 0) {
		restconf_dp_error(st->req, a);
		free(st);
		return;
	}
	top = json_object_new_object();
	rates = json_object_new_array();
	while ((h = dp_answer_next(a, &off, &m, sizeof(m))) != NULL) {
		if (h->type == HD_API_PM_CAPACITY) {
			st->s = m.state;
			st->have = true;
		} else if (h->type == HD_API_PM_CAPACITY_SUB &&
			   st->n_subs < HD_PM_CAPACITY_SUBS_MAX) {
			st->sub[st->n_subs++] = m.sub;
		} else if (h->type == HD_API_PM_CAPACITY_RATES) {
			add_rates(rates, &m.rates);
		} else if (h->type == HD_API_PM_CAPACITY_SERVED) {
			json_object_object_add(top, "responder", served_json(&m.served));
		}
	}
	if (st->have) {
		test = json_object_new_object();
		add_parameters(test, &st->s.ask);
		add_progress(test, &st->s);
		add_maximum(test, st);
		json_object_object_add(test, "sender-rate", rates);
		json_object_object_add(top, "test", test);
	} else {
		json_object_put(rates);
	}
	restconf_data(st->req, "heddle-pm:capacity-state", top);
	free(st);
}

void pm_capacity_state(struct ctrl *c, struct http_req *req)
{
	struct state *st = calloc(1, sizeof(*st));

	if (st == NULL) {
		restconf_errorf(req, -ENOMEM, "out of memory");
		return;
	}
	st->req = req;
	dp_request(c->dp, HD_API_PM_CAPACITY, NULL, 0, -1, on_state, st);
}
