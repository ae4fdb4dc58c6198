/* SPDX-License-Identifier: BSD-3-Clause
 * See history.h.  Bins are fetched in portions, so that other work comes between, and written as one transaction.  The
 * database is used by one job at a time. */
#include "ctrl/pm/history.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctrl/ctrl.h"
#include "ctrl/job.h"
#include "ctrl/log.h"
#include "ctrl/pm/history_private.h"
#include "ctrl/pm/metrics.h"
#include "ctrl/pm/session.h"
#include "ctrl/pm/threshold.h"
#include "ctrl/running.h"

#define BIN_MS    10000u
#define AT_ONCE   64u     /* sessions of one request */
#define EXPIRE_MS 600000u /* how often old bins are thrown away */

struct row {
	char name[PM_NAME_MAX];
	uint64_t start_ms, end_ms;
	size_t len;
	uint8_t *data;
};

/* One round of bins on their way to the store. */
struct batch {
	struct row *row;
	size_t n, cap;
	bool failed;
	char why[160];
	struct pm_result r;
};

static struct {
	struct ctrl *c;
	uv_timer_t timer;
	bool running, busy;
	struct batch *batch;
	uint64_t expired_ms;
	bool complained;
} me;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct store *store; /* under lock */
static char path[PATH_MAX];

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

struct store *history_lock(const char **ret_why)
{
	pthread_mutex_lock(&lock);
	if (store == NULL && path[0] != '\0')
		store = store_open(path, ret_why);
	else if (store == NULL)
		*ret_why = "there is no state directory";
	return store;
}

void history_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static void batch_free(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->row[i].data);
	free(b->row);
	free(b);
}

/* In a thread. */
static void write_batch(void *arg)
{
	struct batch *b = arg;
	const char *why = "";
	struct store *s = history_lock(&why);
	uint64_t now = now_ms();
	int rc = s != NULL ? store_begin(s) : -1;

	for (size_t i = 0; rc == 0 && i < b->n; i++)
		rc = store_bin(s, b->row[i].name, b->row[i].start_ms, b->row[i].end_ms,
			       b->row[i].data, b->row[i].len);
	if (rc == 0 && now - me.expired_ms > EXPIRE_MS) {
		rc = store_expire(s, now - STORE_KEEP_MS);
		me.expired_ms = now;
	}
	if (s != NULL && store_commit(s) < 0)
		rc = -1;
	if (rc < 0) {
		b->failed = true;
		snprintf(b->why, sizeof(b->why), "%s", s != NULL ? store_problem(s) : why);
	}
	history_unlock();
}

static void written(void *arg)
{
	struct batch *b = arg;

	if (b->failed && !me.complained)
		log_warning("history of sessions is not kept: %s: %s", path, b->why);
	me.complained = b->failed;
	me.busy = false;
	batch_free(b);
}

/* ---- fetching ---------------------------------------------------------------------------------------------------- */

static void to_bin(const struct pm_result *r, struct pm_bin *b)
{
	b->start_ms = r->s.start_ns / 1000000;
	b->end_ms = r->s.end_ns / 1000000;
	b->c = r->s.c;
	memcpy(b->d, r->d, sizeof(b->d));
	b->own_error = r->s.own_error;
	b->peer_error = r->s.peer_error;
	b->synced = (r->s.flags & HD_PM_ST_SYNCED) != 0;
}

static void add_row(struct batch *b, const char *name)
{
	static struct pm_bin bin;
	static uint8_t buf[PM_BIN_MAX];
	struct row *more, *row;
	size_t len;

	to_bin(&b->r, &bin);
	len = pm_bin_encode(&bin, buf, sizeof(buf));
	if (b->n == b->cap) {
		more = realloc(b->row, (b->cap + 256) * sizeof(*more));
		if (more == NULL)
			return;
		b->row = more;
		b->cap += 256;
	}
	row = &b->row[b->n];
	row->data = len != 0 ? malloc(len) : NULL;
	if (row->data == NULL)
		return;
	memcpy(row->data, buf, len);
	row->len = len;
	row->start_ms = bin.start_ms;
	row->end_ms = bin.end_ms;
	snprintf(row->name, sizeof(row->name), "%s", name);
	b->n++;
}

static void on_bins(void *arg, const struct dp_answer *a);

static void fetch(uint32_t first)
{
	const struct hd_api_pm_session_ask ask = { .first = first,
						   .max = AT_ONCE,
						   .flags = HD_PM_ASK_BIN };

	dp_request(me.c->dp, HD_API_PM_SESSION_STATE, &ask, sizeof(ask), -1, on_bins, NULL);
}

static void on_bins(void *arg, const struct dp_answer *a)
{
	struct batch *b = me.batch;
	uint32_t n = 0, last = 0;
	size_t off = 0;

	(void)arg;
	for (; a->error == 0 && pm_result_next(a, &off, &b->r); n++) {
		const struct hd_pm_counts *c = &b->r.s.c;
		const char *name = pm_session_name(me.c, b->r.s.session_id);

		last = b->r.s.session_id;
		if (name == NULL || c->sent + c->received + c->lost + c->late == 0)
			continue; /* on demand, gone, or never closed */
		threshold_check(me.c, name, &b->r);
		pm_metrics_add(b->r.s.session_id, &b->r.d[HD_PM_RTT]);
		add_row(b, name);
	}
	if (n == AT_ONCE && me.running) {
		fetch(last + 1);
		return;
	}
	me.batch = NULL;
	if (b->n == 0 || !me.running) {
		me.busy = false;
		batch_free(b);
		return;
	}
	job_start(me.c, write_batch, written, b);
}

static void begin(bool cut);

static void on_cut(void *arg, const struct dp_answer *a)
{
	(void)arg;
	if (a->error == 0 && me.running) {
		fetch(0);
		return;
	}
	batch_free(me.batch);
	me.batch = NULL;
	me.busy = false;
}

static void begin(bool cut)
{
	if (me.busy || !dp_connected(me.c->dp))
		return;
	me.batch = calloc(1, sizeof(*me.batch));
	if (me.batch == NULL)
		return;
	me.busy = true;
	if (cut)
		dp_request(me.c->dp, HD_API_PM_CUT, NULL, 0, -1, on_cut, NULL);
	else
		fetch(0);
}

/* Bins begin at whole tens of seconds. */
static void on_timer(uv_timer_t *timer)
{
	begin(true);
	uv_timer_start(timer, on_timer, BIN_MS - now_ms() % BIN_MS, 0);
}

void history_start(struct ctrl *c)
{
	const char *dir = running_dir(c->running);

	me.c = c;
	me.running = true;
	snprintf(path, sizeof(path), "%s%s", dir != NULL ? dir : "", dir != NULL ? "/pm.db" : "");
	uv_timer_init(c->loop, &me.timer);
	uv_timer_start(&me.timer, on_timer, BIN_MS - now_ms() % BIN_MS, 0);
}

void history_stop(void)
{
	if (!me.running)
		return;
	me.running = false;
	uv_close((uv_handle_t *)&me.timer, NULL);
}

void history_fini(void)
{
	pthread_mutex_lock(&lock);
	store_close(store);
	store = NULL;
	pthread_mutex_unlock(&lock);
}

void history_dp_up(struct ctrl *c)
{
	if (me.c == c && me.running)
		begin(false);
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

struct note {
	struct note *next;
	char name[PM_NAME_MAX], text[160];
	uint64_t time_ms;
};

/* In the order in which things happened.  Those that come while some are written wait for the next transaction. */
static struct {
	struct note *first, **last;
	bool writing;
} notes;

/* In a thread. */
static void write_notes(void *arg)
{
	const char *why;
	struct store *s = history_lock(&why);

	if (s != NULL && store_begin(s) == 0) {
		for (const struct note *n = arg; n != NULL; n = n->next)
			store_event(s, n->name, n->time_ms, n->text);
		store_commit(s);
	}
	history_unlock();
	for (struct note *n = arg, *next; n != NULL; n = next) {
		next = n->next;
		free(n);
	}
}

static void notes_written(void *arg);

static void start_notes(void)
{
	struct note *n = notes.first;

	notes.first = NULL;
	notes.last = &notes.first;
	notes.writing = n != NULL;
	if (n != NULL)
		job_start(me.c, write_notes, notes_written, n);
}

static void notes_written(void *arg)
{
	(void)arg; /* freed */
	start_notes();
}

void history_event(struct ctrl *c, const char *session, uint64_t time_ns, const char *text)
{
	struct note *n = calloc(1, sizeof(*n));

	if (n == NULL || me.c != c) { /* nobody keeps a history yet */
		free(n);
		return;
	}
	snprintf(n->name, sizeof(n->name), "%s", session);
	snprintf(n->text, sizeof(n->text), "%s", text);
	n->time_ms = time_ns != 0 ? time_ns / 1000000 : now_ms();
	if (notes.last == NULL)
		notes.last = &notes.first;
	*notes.last = n;
	notes.last = &n->next;
	if (!notes.writing)
		start_notes();
}
