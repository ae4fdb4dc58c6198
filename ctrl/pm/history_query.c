/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-pm:history: bins of any length made from those of the store, and availability (ITU-T Y.1540): a minute is
 * unavailable when more than a fifth of its packets are lost. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctrl/cfg.h"
#include "ctrl/job.h"
#include "ctrl/pm/history.h"
#include "ctrl/pm/history_private.h"
#include "ctrl/pm/session.h"
#include "ctrl/restconf.h"

#define BINS_MAX      20000u
#define MINUTE_MS     60000u
#define UNAVAILABLE_C 0.2 /* loss ratio above which an interval is not available */

struct query {
	struct http_req *req;
	char session[PM_NAME_MAX];
	uint64_t width_ms, from_ms, to_ms;
	int rc;
	char why[160];
	/* result */
	struct json_object *bins, *events;
	struct pm_bin bin; /* being put together; end_ms 0: none */
	uint64_t minute, minute_lost, minute_known;
	uint32_t available, unavailable;
};

/* ---- in a thread ------------------------------------------------------------------------------------------------- */

static void finish_bin(struct query *q)
{
	struct pm_result *r;
	struct json_object *o;

	if (q->bin.end_ms == 0)
		return;
	r = calloc(1, sizeof(*r));
	o = json_object_new_object();
	if (r != NULL) {
		r->s.start_ns = q->bin.start_ms * 1000000;
		r->s.end_ns = q->bin.end_ms * 1000000;
		r->s.c = q->bin.c;
		r->s.own_error = q->bin.own_error;
		r->s.peer_error = q->bin.peer_error;
		r->s.flags = q->bin.synced ? HD_PM_ST_SYNCED : 0;
		memcpy(r->d, q->bin.d, sizeof(r->d));
		pm_result_json(o, r, q->bin.peer_error == 0);
	}
	json_object_array_add(q->bins, o);
	free(r);
	memset(&q->bin, 0, sizeof(q->bin));
}

static void finish_minute(struct query *q)
{
	if (q->minute_known == 0)
		return;
	if ((double)q->minute_lost > UNAVAILABLE_C * (double)q->minute_known)
		q->unavailable++;
	else
		q->available++;
	q->minute_lost = q->minute_known = 0;
}

static int on_bin(void *arg, const struct pm_bin *b)
{
	struct query *q = arg;

	if (b->start_ms / MINUTE_MS != q->minute)
		finish_minute(q);
	q->minute = b->start_ms / MINUTE_MS;
	q->minute_lost += b->c.lost;
	q->minute_known += b->c.lost + b->c.received;
	if (q->bin.end_ms != 0 && q->bin.start_ms / q->width_ms != b->start_ms / q->width_ms)
		finish_bin(q);
	pm_bin_merge(&q->bin, b);
	return json_object_array_length(q->bins) < BINS_MAX ? 0 : -E2BIG;
}

static int on_event(void *arg, uint64_t time_ms, const char *text)
{
	struct json_object *o = json_object_new_object();
	struct query *q = arg;

	json_add_time_ns(o, "time", time_ms * 1000000);
	json_add_str(o, "text", text != NULL ? text : "");
	json_object_array_add(q->events, o);
	return 0;
}

static void work(void *arg)
{
	struct query *q = arg;
	const char *why = "";
	struct store *s = history_lock(&why);

	q->rc = s == NULL ? -EIO : store_bins(s, q->session, q->from_ms, q->to_ms, on_bin, q);
	if (q->rc == 0)
		q->rc = store_events(s, q->session, q->from_ms, q->to_ms, on_event, q);
	if (q->rc < 0)
		snprintf(q->why, sizeof(q->why), "%s",
			 q->rc == -E2BIG ? "more than 20,000 bins: ask for longer ones" :
			 s != NULL       ? store_problem(s) :
					   why);
	history_unlock();
	finish_bin(q);
	finish_minute(q);
}

/* ---- in the loop ------------------------------------------------------------------------------------------------- */

static void add_share(struct json_object *o, const char *name, uint32_t part, uint32_t whole)
{
	char text[32];

	snprintf(text, sizeof(text), "%.4f", 100.0 * part / whole);
	json_add_str(o, name, text);
}

static void answer(void *arg)
{
	struct query *q = arg;
	uint32_t minutes = q->available + q->unavailable;
	struct json_object *o;

	if (q->rc < 0) {
		restconf_errorf(q->req, q->rc, "%s", q->why);
		json_object_put(q->bins);
		json_object_put(q->events);
		free(q);
		return;
	}
	o = json_object_new_object();
	json_add_str(o, "session", q->session);
	json_add_u32(o, "bin-seconds", (uint32_t)(q->width_ms / 1000));
	json_add_u32(o, "minutes", minutes);
	if (minutes != 0) {
		add_share(o, "pia", q->available, minutes);
		add_share(o, "piu", q->unavailable, minutes);
	}
	json_object_object_add(o, "bin", q->bins);
	json_object_object_add(o, "event", q->events);
	restconf_output(q->req, "heddle-pm", o);
	free(q);
}

void pm_history(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	struct query *q = calloc(1, sizeof(*q));
	uint32_t last = cfg_u32(in, "last", 3600), width = cfg_u32(in, "bin", 0);
	struct timespec now;

	if (q == NULL) {
		restconf_errorf(req, -ENOMEM, "out of memory");
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	if (width == 0)
		width = last <= 3600 ? 10 : last <= 21600 ? 60 : 900;
	q->req = req;
	q->width_ms = width * 1000ull;
	q->to_ms = (uint64_t)now.tv_sec * 1000 + 1000;
	q->from_ms = q->to_ms - last * 1000ull;
	q->bins = json_object_new_array();
	q->events = json_object_new_array();
	snprintf(q->session, sizeof(q->session), "%s", cfg_str(in, "session"));
	job_start(c, work, answer, q);
}
