/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-pm:measure: sessions of no configuration, for so many packets.  Their numbers are those kept for it; should a
 * reconcile sweep them away, whoever waits is told. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/config.h"
#include "ctrl/ctrl.h"
#include "ctrl/pm/session.h"
#include "ctrl/restconf.h"
#include "ctrl/running.h"

#define PATHS_MAX 16u
#define LONGEST_S 600u
#define LOOK_MS   50u
#define SETTLE_MS 5000u /* longer than that after the last timeout: something is wrong */
#define FIRST_ID  (HD_PM_SENDERS_MAX - HD_PM_ON_DEMAND)

struct run {
	struct run *next;
	struct ctrl *c;
	struct http_req *req; /* NULL: answered */
	uv_timer_t timer;
	uint64_t end_ms; /* uv_now() */
	unsigned n;
	bool asking;
	struct pm_calibrate calibrate;
	struct {
		char name[PM_NAME_MAX];
		struct hd_api_pm_session m;
	} path[PATHS_MAX];
	struct pm_result r;
};
static struct run *runs;
static bool used[HD_PM_ON_DEMAND];

static void on_removed(void *arg, const struct dp_answer *a)
{
	(void)arg;
	(void)a; /* what is left is swept by the next reconcile */
}

static void remove_sessions(struct run *r)
{
	if (dp_connected(r->c->dp)) {
		dp_txn_begin(r->c->dp);
		for (unsigned i = 0; i < r->n; i++) {
			const struct object o = { .kind = &pm_kinds[PM_KIND_SESSION],
						  .body = (const uint8_t *)&r->path[i].m,
						  .size = sizeof(r->path[i].m) };
			dp_txn_object(r->c->dp, &o, true);
		}
		dp_txn_commit(r->c->dp, on_removed, NULL);
	}
	for (unsigned i = 0; i < r->n; i++)
		used[r->path[i].m.session_id - FIRST_ID] = false;
}

static void on_closed(uv_handle_t *h)
{
	free(h->data);
}

static void finish(struct run *r)
{
	struct run **at = &runs;

	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	remove_sessions(r);
	uv_close((uv_handle_t *)&r->timer, on_closed);
}

/* ---- waiting ----------------------------------------------------------------------------------------------------- */

static void on_state(void *arg, const struct dp_answer *a)
{
	struct json_object *top, *list;
	struct run *r = arg;
	unsigned n = 0, finished = 0;
	size_t off = 0;

	r->asking = false;
	if (r->req == NULL) { /* the process ends */
		finish(r);
		return;
	}
	if (a->error != 0) {
		restconf_dp_error(r->req, a);
		finish(r);
		return;
	}
	top = json_object_new_object();
	list = json_object_new_array();
	while (pm_result_next(a, &off, &r->r))
		for (unsigned i = 0; i < r->n; i++) {
			struct json_object *o;

			if (r->path[i].m.session_id != r->r.s.session_id)
				continue;
			n++;
			finished += (r->r.s.flags & HD_PM_ST_FINISHED) != 0 ||
				    r->r.s.liveness == HD_PM_STOPPED;
			o = json_object_new_object();
			json_add_str(o, "name", r->path[i].name);
			pm_result_json(o, &r->r, (r->path[i].m.flags & HD_PM_S_LOOPBACK) != 0);
			json_object_array_add(list, o);
		}
	json_object_object_add(top, "session", list);
	if (n == r->n && finished < n && uv_now(r->c->loop) < r->end_ms) {
		json_object_put(top);
		return;
	}
	if (n < r->n) {
		json_object_put(top);
		restconf_errorf(
			r->req, -EAGAIN,
			"the measurement was swept away by a change of the data plane; again?");
	} else if (finished < n) {
		json_object_put(top);
		restconf_errorf(r->req, -ETIMEDOUT,
				"the data plane did not send all packets; see: heddle pm pacing");
	} else if (r->calibrate.out[0] != '\0') {
		json_object_put(top);
		pm_calibrate_answer(r->req, &r->r, &r->calibrate);
	} else {
		restconf_output(r->req, "heddle-pm", top);
	}
	finish(r);
}

static void on_timer(uv_timer_t *timer)
{
	const struct hd_api_pm_session_ask ask = { .first = FIRST_ID, .max = HD_PM_ON_DEMAND };
	struct run *r = timer->data;

	if (r->asking)
		return;
	r->asking = true;
	dp_request(r->c->dp, HD_API_PM_SESSION_STATE, &ask, sizeof(ask), -1, on_state, r);
}

static void on_started(void *arg, const struct dp_answer *a)
{
	struct run *r = arg;

	r->asking = false;
	if (r->req == NULL || a->error != 0) {
		if (r->req != NULL)
			restconf_dp_error(r->req, a);
		finish(r);
		return;
	}
	uv_timer_start(&r->timer, on_timer, LOOK_MS, LOOK_MS);
}

void pm_measure_fini(void)
{
	struct run *next;

	for (struct run *r = runs; r != NULL; r = next) {
		next = r->next;
		if (r->req != NULL)
			restconf_errorf(r->req, -ENOTCONN, "heddle-ctrl stops");
		r->req = NULL;
		if (!r->asking)
			finish(r);
	}
}

/* ---- the request ------------------------------------------------------------------------------------------------- */

struct fill {
	struct run *r;
	const struct lyd_node *in;
	struct compile *c;
	uint32_t count, interval_us; /* unless the input says others */
};

static int add_path(void *arg, const char *name, const char *list, struct hd_api_pm_session *m)
{
	struct fill *f = arg;
	struct run *r = f->r;
	unsigned id = 0;

	(void)list;
	while (id < HD_PM_ON_DEMAND && used[id])
		id++;
	if (r->n == PATHS_MAX || id == HD_PM_ON_DEMAND)
		return compile_fail(f->c, f->in, "more than %u paths at once", PATHS_MAX);
	used[id] = true;
	m->session_id = FIRST_ID + id;
	m->seglist_id = 0;
	m->flags |= HD_PM_S_ONCE;
	m->count = cfg_u32(f->in, "count", f->count);
	m->interval_us = cfg_u32(f->in, "interval", f->interval_us);
	if (cfg_child(f->in, "ssid") == NULL && (m->flags & HD_PM_S_LIGHT) == 0)
		m->ssid = (uint16_t)m->session_id;
	snprintf(r->path[r->n].name, sizeof(r->path[r->n].name), "%s", name);
	r->path[r->n++].m = *m;
	return 0;
}

static void send_sessions(struct run *r)
{
	dp_txn_begin(r->c->dp);
	for (unsigned i = 0; i < r->n; i++) {
		const struct object o = { .kind = &pm_kinds[PM_KIND_SESSION],
					  .body = (const uint8_t *)&r->path[i].m,
					  .size = sizeof(r->path[i].m) };
		dp_txn_object(r->c->dp, &o, false);
	}
	r->asking = true;
	dp_txn_commit(r->c->dp, on_started, r);
}

/* A run without paths, or NULL: the request has its answer. */
static struct run *run_begin(struct ctrl *c, const struct fill *f, struct http_req *req)
{
	uint64_t ms = (uint64_t)cfg_u32(f->in, "count", f->count) *
		      cfg_u32(f->in, "interval", f->interval_us) / 1000;
	struct run *r;

	if (ms > LONGEST_S * 1000ull) {
		restconf_errorf(req, -EINVAL,
				"%llu s is longer than %u s; configure a session instead",
				(unsigned long long)ms / 1000, LONGEST_S);
		return NULL;
	}
	if (!dp_connected(c->dp)) {
		restconf_errorf(req, -ENOTCONN, "no data plane: %s", dp_problem(c->dp));
		return NULL;
	}
	r = calloc(1, sizeof(*r));
	if (r == NULL) {
		restconf_errorf(req, -ENOMEM, "out of memory");
		return NULL;
	}
	r->c = c;
	r->req = req;
	r->end_ms = uv_now(c->loop) + ms + cfg_u32(f->in, "timeout", 1000) + SETTLE_MS;
	return r;
}

/* rc: of filling it with paths. */
static void run_go(struct run *r, int rc, const struct ctrl_err *err)
{
	if (rc < 0) {
		for (unsigned i = 0; i < r->n; i++)
			used[r->path[i].m.session_id - FIRST_ID] = false;
		restconf_error(r->req, rc, err);
		free(r);
		return;
	}
	r->timer.data = r;
	uv_timer_init(r->c->loop, &r->timer);
	r->next = runs;
	runs = r;
	send_sessions(r);
}

void pm_measure(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	const char *policy = cfg_str(in, "policy"), *dst = cfg_str(in, "destination");
	struct ctrl_err err = { 0 };
	struct compile compile = { .tree = running_config(c->running)->tree,
				   .ids = c->ids,
				   .err = &err };
	struct fill f = { .in = in, .c = &compile, .count = 100, .interval_us = 10000 };

	f.r = run_begin(c, &f, req);
	if (f.r != NULL)
		run_go(f.r,
		       pm_session_read(&compile, in,
				       policy != NULL ? policy :
				       dst != NULL    ? dst :
							"loop",
				       false, add_path, &f),
		       &err);
}

void pm_calibrate(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	const char *out = cfg_str(in, "interface"), *back = cfg_str(in, "receive-interface");
	struct ctrl_err err = { 0 };
	struct compile compile = { .tree = running_config(c->running)->tree,
				   .ids = c->ids,
				   .err = &err };
	struct fill f = { .in = in, .c = &compile, .count = 1000, .interval_us = 1000 };
	struct run *r = run_begin(c, &f, req);
	struct hd_api_pm_session m;
	int rc;

	if (r == NULL)
		return;
	f.r = r;
	r->calibrate.loop_ns = cfg_u32(in, "loop-delay", 0);
	snprintf(r->calibrate.out, sizeof(r->calibrate.out), "%s", out);
	snprintf(r->calibrate.back, sizeof(r->calibrate.back), "%s", back != NULL ? back : out);
	rc = pm_calibrate_read(&compile, in, &m);
	run_go(r, rc == 0 ? add_path(&f, out, NULL, &m) : rc, &err);
}
