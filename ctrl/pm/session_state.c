/* SPDX-License-Identifier: BSD-3-Clause
 * State of sessions and of their pacing; liveness, as the data plane tells it, and what follows from it. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/config.h"
#include "ctrl/ctrl.h"
#include "ctrl/events.h"
#include "ctrl/ip/ip.h"
#include "ctrl/log.h"
#include "ctrl/pm/history.h"
#include "ctrl/pm/session.h"
#include "ctrl/restconf.h"
#include "ctrl/running.h"
#include "ctrl/srv6/liveness.h"

#define AT_ONCE 64u /* sessions of one request: other work comes between */

/* What was configured for a session of the data plane, or NULL. */
static const struct hd_api_pm_session *configured(const struct ctrl *c, uint32_t id)
{
	const struct object *o =
		objset_find(&running_config(c->running)->set, &pm_kinds[PM_KIND_SESSION], &id);

	return o != NULL && o->size == sizeof(struct hd_api_pm_session) ? (const void *)o->body :
									  NULL;
}

/* ---- session-state ----------------------------------------------------------------------------------------------- */

struct ask {
	struct ctrl *c;
	struct http_req *req;
	struct json_object *list;
	struct pm_result r;
};

static const char *liveness_text(const struct hd_api_pm_session *m,
				 const struct hd_api_pm_session_state *s)
{
	static const char *const text[] = { "unknown", "up", "down", "stopped" };

	return s->liveness != HD_PM_STOPPED && m->n_down == 0 ? "unwatched" : text[s->liveness & 3];
}

static void add_session(struct ask *a)
{
	const struct hd_api_pm_session *m = configured(a->c, a->r.s.session_id);
	const char *name = pm_session_name(a->c, a->r.s.session_id);
	struct json_object *o;
	char text[INET6_ADDRSTRLEN];

	if (m == NULL || name == NULL)
		return; /* on demand, or going */
	o = json_object_new_object();
	json_add_str(o, "name", name);
	json_add_str(o, "state", liveness_text(m, &a->r.s));
	if (a->r.s.change_ns != 0)
		json_add_time_ns(o, "since", a->r.s.change_ns);
	if (a->r.s.detect_ns != 0)
		json_add_u64(o, "detection", a->r.s.detect_ns);
	json_add_str(o, "destination", ip_text(m->family, m->dst, text, sizeof(text)));
	json_add_u32(o, "interval", m->interval_us);
	json_add_counters(o, a->c->dp, "pm-session", a->r.s.session_id);
	pm_result_json(o, &a->r, (m->flags & HD_PM_S_LOOPBACK) != 0);
	json_object_array_add(a->list, o);
}

static void on_sessions(void *arg, const struct dp_answer *answer);

static void ask_more(struct ask *a, uint32_t first)
{
	const struct hd_api_pm_session_ask ask = { .first = first, .max = AT_ONCE };

	dp_request(a->c->dp, HD_API_PM_SESSION_STATE, &ask, sizeof(ask), -1, on_sessions, a);
}

static void on_sessions(void *arg, const struct dp_answer *answer)
{
	struct json_object *top;
	struct ask *a = arg;
	uint32_t n = 0;
	size_t off = 0;

	if (answer->error != 0) {
		restconf_dp_error(a->req, answer);
		json_object_put(a->list);
		free(a);
		return;
	}
	for (; pm_result_next(answer, &off, &a->r); n++)
		add_session(a);
	if (n == AT_ONCE) {
		ask_more(a, a->r.s.session_id + 1);
		return;
	}
	top = json_object_new_object();
	json_object_object_add(top, "session", a->list);
	restconf_data(a->req, "heddle-pm:session-state", top);
	free(a);
}

void pm_session_state(struct ctrl *c, struct http_req *req)
{
	struct ask *a = calloc(1, sizeof(*a));

	if (a == NULL) {
		restconf_errorf(req, -ENOMEM, "out of memory");
		return;
	}
	a->c = c;
	a->req = req;
	a->list = json_object_new_array();
	ask_more(a, 0);
}

/* ---- pacing-state ------------------------------------------------------------------------------------------------ */

static void on_pacing(void *arg, const struct dp_answer *a)
{
	struct json_object *top, *list;
	struct hd_api_pm_pacing p;
	struct http_req *req = arg;
	size_t off = 0;

	if (a->error != 0) {
		restconf_dp_error(req, a);
		return;
	}
	top = json_object_new_object();
	list = json_object_new_array();
	while (dp_answer_next(a, &off, &p, sizeof(p)) != NULL) {
		struct json_object *o = json_object_new_object();

		json_add_u32(o, "worker", p.worker);
		json_add_u32(o, "sessions", p.sessions);
		json_add_u64(o, "sent", p.sent);
		json_add_u64(o, "skipped", p.skipped);
		json_add_u64(o, "min", p.min_ns);
		json_add_u64(o, "mean", p.mean_ns);
		json_add_u64(o, "p50", p.p50_ns);
		json_add_u64(o, "p90", p.p90_ns);
		json_add_u64(o, "p99", p.p99_ns);
		json_add_u64(o, "p999", p.p999_ns);
		json_add_u64(o, "max", p.max_ns);
		json_object_array_add(list, o);
	}
	json_object_object_add(top, "worker", list);
	restconf_data(req, "heddle-pm:pacing-state", top);
}

void pm_pacing_state(struct ctrl *c, struct http_req *req)
{
	dp_request(c->dp, HD_API_PM_PACING, NULL, 0, -1, on_pacing, req);
}

/* ---- liveness ---------------------------------------------------------------------------------------------------- */

static bool refers(const struct lyd_node *path, const char *name)
{
	const char *live = cfg_str(path, "liveness");

	if (live != NULL && strcmp(live, name) == 0)
		return true;
	cfg_foreach(l, path, "segment-list")
	{
		live = cfg_str(l, "liveness");
		if (live != NULL && strcmp(live, name) == 0)
			return true;
	}
	return false;
}

/* Does the choice of any path depend on the liveness object of this name? */
static bool path_depends(const struct ctrl *c, const char *name)
{
	const struct lyd_node *srv6 = cfg_top(running_config(c->running)->tree, "srv6");

	cfg_foreach(p, srv6, "policy")
	{
		if (refers(p, name))
			return true;
		cfg_foreach(cp, p, "candidate-path") if (refers(cp, name)) return true;
	}
	return false;
}

/* True: it changed, and paths are to be chosen anew. */
static bool liveness_of(struct ctrl *c, uint32_t id, bool up, uint64_t detect_ns)
{
	const struct hd_api_pm_session *m = configured(c, id);
	const char *name = pm_session_name(c, id), *list;
	char why[160] = "";
	bool changed;

	if (m == NULL || name == NULL)
		return false;
	list = m->seglist_id != 0 ? ids_name(c->ids, ID_SEGLIST, m->seglist_id) : NULL;
	if (!up)
		snprintf(why, sizeof(why), "session %.100s: %u packets lost in a row", name,
			 m->n_down);
	changed = liveness_set(list != NULL ? list : name, up, why);
	if (changed && up)
		log_info("session %s: up", name);
	else if (changed)
		log_info("session %s: down, nothing for %.1f ms", name, (double)detect_ns / 1e6);
	return changed && (list != NULL || path_depends(c, name));
}

void pm_session_event(struct ctrl *c, const struct hd_api_event *ev)
{
	struct hd_api_pm_session_event e;
	struct json_object *o;
	const char *name;

	memcpy(&e, ev->u.room, sizeof(e));
	name = pm_session_name(c, e.session_id);
	if (name == NULL)
		return;
	if (liveness_of(c, e.session_id, e.liveness != HD_PM_DOWN, e.detect_ns))
		running_refresh(c->running);
	history_event(c, name, e.time_ns, e.liveness == HD_PM_DOWN ? "down" : "up");
	o = json_object_new_object();
	json_add_str(o, "session", name);
	json_add_str(o, "state", e.liveness == HD_PM_DOWN ? "down" : "up");
	if (e.liveness == HD_PM_DOWN)
		json_add_u64(o, "detection", e.detect_ns);
	events_publish(c->events, "heddle-pm:session-change", o);
}

static void on_dp_up(void *arg, const struct dp_answer *a)
{
	struct hd_api_pm_session_state s;
	struct ctrl *c = arg;
	bool changed = false;
	size_t off = 0;

	while (a->error == 0 && dp_answer_next(a, &off, &s, sizeof(s)) != NULL)
		if (s.liveness == HD_PM_DOWN || s.liveness == HD_PM_UP)
			changed |=
				liveness_of(c, s.session_id, s.liveness == HD_PM_UP, s.detect_ns);
	if (changed)
		running_refresh(c->running);
}

void pm_dp_up(struct ctrl *c)
{
	const struct hd_api_pm_session_ask ask = { .max = HD_PM_SENDERS_MAX,
						   .flags = HD_PM_ASK_BRIEF };

	dp_request(c->dp, HD_API_PM_SESSION_STATE, &ask, sizeof(ask), -1, on_dp_up, c);
	history_dp_up(c);
}
