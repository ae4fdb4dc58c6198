/* SPDX-License-Identifier: BSD-3-Clause
 * A cursor walks the vectors of the segment: of each vector column by column (a family of metrics is written in one
 * piece), of each column row by row.  What goes into "_other" is summed before, for all columns in one pass. */
#include "ctrl/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "ctrl/cfg.h"
#include "ctrl/domains.h"
#include "ctrl/dp.h"
#include "ctrl/events.h"
#include "ctrl/ids.h"
#include "ctrl/loop.h"
#include "ctrl/metrics_private.h"
#include "ctrl/running.h"

#define LINE_MAX_SIZE 1024u
#define ROWS_A_SLICE  4096u /* looked at in one slice */

static const struct metrics_kind kinds[] = {
	{ "interface", "interface", BY_ID, ID_INTERFACE, "of an interface" },
	{ "sid", "sid", BY_ID, ID_SID, "of an SRv6 SID" },
	{ "policy", "policy", BY_ID, ID_POLICY, "of an SR policy" },
	{ "seglist", "segment_list", BY_ID, ID_SEGLIST, "of a segment list" },
	{ "pm-session", "session", BY_ID, ID_PM_SESSION, "of a measured path" },
	{ "node", "node", BY_NAME, 0, "of a graph node" },
	{ "punt", "reason", BY_NAME, 0, "of a reason for which packets leave the fast path" },
	{ "worker", "worker", BY_SLICE, 0, "of a worker" },
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

enum phase { PROCESS, DOMAINS, DROPS, OBJECT_DROPS, SUMS, HEAD, SERIES, OTHER, END };

struct metrics {
	struct ctrl *c;
	bool open;         /* OpenMetrics */
	uint64_t instance; /* of the data plane this began with; 0: none */
	uint32_t max_series;
	enum phase phase;
	const struct metrics_kind *kind; /* of the vector; NULL: unknown */
	uint32_t vec, row, col, series;  /* the cursor */
	uint32_t first_other;            /* row from which on rows are not told apart */
	uint64_t other[HD_STATS_COLS_MAX];
	uint32_t domain, line; /* of what domains add */
	bool drops_headed;
	struct metrics_drops drops;
	unsigned budget; /* rows that this slice may still look at */
};

/* --- lines ----------------------------------------------------------------------------------- */

static void gauge(struct metrics_out *o, const char *name, const char *help, double value)
{
	metrics_put(o, "# HELP %s %s\n# TYPE %s gauge\n%s %.17g\n", name, help, name, name, value);
}

/* --- processes ------------------------------------------------------------------------------- */

/* CPU seconds and resident octets of a process; false: it cannot be seen. */
static bool process_usage(const char *pid, double *ret_cpu, double *ret_resident)
{
	unsigned long user, system;
	long pages;
	char path[64], text[1024];

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return false;
	size_t n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	/* fields behind the name, which may hold anything: state, 10 more, utime, stime, 8 more, rss */
	const char *at = strrchr(text, ')');
	if (at == NULL || sscanf(at + 1,
				 " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu %lu %*s %*s %*s "
				 "%*s %*s %*s %*s %*s %ld",
				 &user, &system, &pages) != 3)
		return false;
	*ret_cpu = (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
	*ret_resident = (double)pages * (double)sysconf(_SC_PAGESIZE);
	return true;
}

static void processes(struct metrics_out *o, const struct metrics *m)
{
	static const char *const names[] = { "ctrl", "dp" };
	const struct hd_api_hello *hello = dp_hello(m->c->dp);
	double cpu[2], resident[2];
	bool seen[2] = { false, false };
	char pid[16];

	seen[0] = process_usage("self", &cpu[0], &resident[0]);
	if (hello != NULL) {
		snprintf(pid, sizeof(pid), "%u", hello->pid);
		seen[1] = process_usage(pid, &cpu[1], &resident[1]);
	}
	metrics_counter_head(o, m->open, "heddle_process_cpu_seconds", "CPU time of a process");
	for (int i = 0; i < 2; i++)
		if (seen[i])
			metrics_put(o, "heddle_process_cpu_seconds_total{process=\"%s\"} %.2f\n",
				    names[i], cpu[i]);
	metrics_put(o, "# HELP heddle_process_resident_memory_bytes Memory of a process\n"
		       "# TYPE heddle_process_resident_memory_bytes gauge\n");
	for (int i = 0; i < 2; i++)
		if (seen[i])
			metrics_put(o,
				    "heddle_process_resident_memory_bytes{process=\"%s\"} %.0f\n",
				    names[i], resident[i]);
}

static void process_part(struct metrics_out *o, const struct metrics *m)
{
	const struct ctrl *c = m->c;
	const struct hd_stats_hdr *h = dp_stats(c->dp);

	metrics_put(
		o,
		"# HELP heddle_build_info Version of heddle-ctrl\n# TYPE heddle_build_info gauge\n"
		"heddle_build_info{version=\"%s\"} 1\n",
		HEDDLE_VERSION);
	processes(o, m);
	gauge(o, "heddle_ctrl_uptime_seconds", "Since heddle-ctrl started",
	      (double)(uv_now(c->loop) - c->start_ms) / 1000);
	metrics_put(
		o,
		"# HELP heddle_ctrl_loop_longest_seconds Longest turn of the event loop in the last minute or "
		"two: nobody else was answered meanwhile\n"
		"# TYPE heddle_ctrl_loop_longest_seconds gauge\n"
		"heddle_ctrl_loop_longest_seconds{clock=\"wall\"} %.6f\n"
		"heddle_ctrl_loop_longest_seconds{clock=\"cpu\"} %.6f\n",
		(double)loop_watch_longest(c->watch, LOOP_WALL) / 1e9,
		(double)loop_watch_longest(c->watch, LOOP_CPU) / 1e9);
	gauge(o, "heddle_configuration_revision", "Revision of the running configuration",
	      running_revision(c->running));
	gauge(o, "heddle_configuration_objects", "Table objects it compiles to",
	      (double)running_config(c->running)->set.n);
	gauge(o, "heddle_dataplane_connected", "1: a data plane is connected", dp_connected(c->dp));
	gauge(o, "heddle_dataplane_synchronised",
	      "1: the data plane holds the running configuration",
	      running_synchronised(c->running));
	gauge(o, "heddle_event_readers", "Readers of the event stream", events_readers(c->events));
	metrics_counter_head(o, m->open, "heddle_reconciles",
			     "Times the data plane was compared with the configuration");
	metrics_put(o, "heddle_reconciles_total %u\n", running_reconciles(c->running));
	if (h != NULL)
		gauge(o, "heddle_dataplane_start_time_seconds", "When the data plane started",
		      (double)h->start_ns / 1e9);
}

/* --- drops ----------------------------------------------------------------------------------- */

static const char *severity(uint32_t s)
{
	return s == HD_SEV_ERROR ? "error" : s == HD_SEV_WARN ? "warning" : "info";
}

static void drop_line(struct metrics_out *o, const struct metrics *m, const struct hd_stats_vec *v)
{
	const struct hd_stats_row *row = dp_stats_row(m->c->dp, v, m->row);
	const char *slash = memchr(v->name, '/', sizeof(v->name));
	char node[260], reason[260];

	if (row == NULL || strncmp(row->next, "drop", sizeof(row->next)) != 0)
		return;
	const char *from = slash != NULL ? slash + 1 : v->name;
	metrics_label(from, sizeof(v->name) - (size_t)(from - v->name), node);
	metrics_label(row->name, sizeof(row->name), reason);
	metrics_put(o,
		    "heddle_drop_packets_total{node=\"%s\",reason=\"%s\",severity=\"%s\"} %llu\n",
		    node, reason, severity(row->severity),
		    (unsigned long long)dp_stats_sum(m->c->dp, v, m->row, 0));
}

/* One row of one verdict vector. */
static void drops(struct metrics_out *o, struct metrics *m)
{
	const struct hd_stats_vec *v = dp_stats_vec_at(m->c->dp, m->vec);

	if (!m->drops_headed) {
		metrics_counter_head(
			o, m->open, "heddle_drop_packets",
			"Packets dropped, by the graph node that decided and its reason");
		m->drops_headed = true;
		return;
	}
	if (v != NULL && v->kind == HD_STATS_VERDICT && m->row < v->n_rows) {
		drop_line(o, m, v);
		m->row++;
		m->budget--;
		return;
	}
	m->row = 0;
	if (++m->vec < HD_STATS_VECS_MAX)
		return;
	m->vec = 0;
	m->phase = OBJECT_DROPS;
}

/* --- vectors --------------------------------------------------------------------------------- */

const struct metrics_kind *metrics_kind_of(const struct hd_stats_vec *v)
{
	for (size_t i = 0; v != NULL && i < N_KINDS; i++)
		if (strncmp(kinds[i].vec, v->name, sizeof(v->name)) == 0)
			return &kinds[i];
	return NULL;
}

static void next_vector(struct metrics *m)
{
	m->row = m->col = m->series = m->first_other = 0;
	memset(m->other, 0, sizeof(m->other));
	m->kind = NULL;
	m->phase = ++m->vec < HD_STATS_VECS_MAX ? SUMS : END;
}

static uint32_t rows_of(const struct metrics *m, const struct hd_stats_vec *v)
{
	uint32_t n = v->n_rows;

	if (m->kind != NULL && m->kind->rows == BY_ID) {
		/* no further than there are objects: pages behind were never touched */
		uint32_t limit = ids_limit(m->c->ids, m->kind->space);
		n = limit < n ? limit : n;
	}
	return n;
}

static bool told_apart(const struct metrics *m, const struct hd_stats_vec *v, uint32_t row)
{
	if (m->kind->rows == BY_ID)
		return ids_name(m->c->ids, m->kind->space, row) != NULL;
	const struct hd_stats_row *info = dp_stats_row(m->c->dp, v, row);
	return info != NULL && info->name[0] != '\0';
}

/* Find the row from which on there are too many, and add up from there. */
static void sums(struct metrics *m)
{
	const struct hd_stats_vec *v = dp_stats_vec_at(m->c->dp, m->vec);

	if (v == NULL || v->kind == HD_STATS_VERDICT || v->kind == HD_STATS_DROPS ||
	    v->n_cols == 0) {
		next_vector(m);
		return;
	}
	m->kind = metrics_kind_of(v);
	bool all = m->kind == NULL, apart = !all && m->kind->rows != BY_SLICE;
	uint32_t n = apart || all ? rows_of(m, v) : 0;
	for (; m->row < n && m->budget > 0; m->row++, m->budget--) {
		if (apart && m->series < m->max_series) {
			m->series += told_apart(m, v, m->row);
			m->first_other = m->row + 1;
			continue;
		}
		for (uint32_t col = 0; col < v->n_cols; col++)
			m->other[col] += dp_stats_sum(m->c->dp, v, m->row, col);
	}
	if (m->row < n)
		return; /* goes on in the next slice */
	m->row = 0;
	m->phase = HEAD;
}

/* Name of a column's family.  Times are in seconds there (*ret_ns: the cells are nanoseconds). */
static const char *family(const struct hd_stats_vec *v, uint32_t col, char *buf, size_t size,
			  bool *ret_ns)
{
	char vec[64], column[64 + sizeof("seconds")];

	metrics_name(v->name, sizeof(v->name), vec);
	metrics_name(v->col[col], sizeof(v->col[0]), column);
	size_t n = strlen(column);
	*ret_ns = n > 3 && strcmp(column + n - 3, "_ns") == 0;
	if (*ret_ns)
		strcpy(column + n - 2, "seconds");
	snprintf(buf, size, "heddle_%s_%s", vec, column);
	return buf;
}

static void head(struct metrics_out *o, struct metrics *m, const struct hd_stats_vec *v)
{
	char name[200], help[160], column[64];
	bool ns;

	metrics_name(v->col[m->col], sizeof(v->col[0]), column);
	snprintf(help, sizeof(help), "%s %s", column, m->kind != NULL ? m->kind->what : "in all");
	family(v, m->col, name, sizeof(name), &ns);
	if (v->kind == HD_STATS_GAUGE)
		metrics_put(o, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
	else
		metrics_counter_head(o, m->open, name, help);
	m->row = 0;
	m->phase = SERIES;
}

static void sample(struct metrics_out *o, const struct metrics *m, const struct hd_stats_vec *v,
		   const char *label, uint64_t value)
{
	bool ns, gauge = v->kind == HD_STATS_GAUGE;
	char name[200];

	family(v, m->col, name, sizeof(name), &ns);
	metrics_put(o, "%s%s", name, gauge ? "" : "_total");
	if (label != NULL)
		metrics_put(o, "{%s=\"%s\"}", m->kind->label, label);
	if (ns)
		metrics_put(o, " %.9f\n", (gauge ? (double)(int64_t)value : (double)value) / 1e9);
	else if (gauge) /* may be below zero */
		metrics_put(o, " %lld\n", (long long)value);
	else
		metrics_put(o, " %llu\n", (unsigned long long)value);
}

/* One row of one column. */
static void series(struct metrics_out *o, struct metrics *m, const struct hd_stats_vec *v)
{
	bool slices = m->kind != NULL && m->kind->rows == BY_SLICE;
	uint32_t n = m->kind == NULL ? 0 :
		     slices          ? v->n_slices - (v->n_slices > 0) :
				       m->first_other;
	char value[260], number[16];

	if (m->row >= n) {
		m->phase = OTHER;
		return;
	}
	uint32_t row = m->row++;
	m->budget--;
	if (slices) { /* the last slice is the control thread's */
		snprintf(number, sizeof(number), "%u", row);
		sample(o, m, v, number, dp_stats_slice(m->c->dp, v, row, 0, m->col));
	} else if (m->kind->rows == BY_ID) {
		const char *name = ids_name(m->c->ids, m->kind->space, row);
		if (name != NULL)
			sample(o, m, v, metrics_label(name, 256, value),
			       dp_stats_sum(m->c->dp, v, row, m->col));
	} else {
		const struct hd_stats_row *info = dp_stats_row(m->c->dp, v, row);
		if (info != NULL && info->name[0] != '\0')
			sample(o, m, v, metrics_label(info->name, sizeof(info->name), value),
			       dp_stats_sum(m->c->dp, v, row, m->col));
	}
}

static void other(struct metrics_out *o, struct metrics *m, const struct hd_stats_vec *v)
{
	if (m->kind == NULL)
		sample(o, m, v, NULL, m->other[m->col]);
	else if (m->kind->rows != BY_SLICE && m->series >= m->max_series)
		sample(o, m, v, "_other", m->other[m->col]);
	m->phase = HEAD;
	if (++m->col >= v->n_cols)
		next_vector(m);
}

/* --- slices ---------------------------------------------------------------------------------- */

static bool same_dataplane(const struct metrics *m)
{
	const struct hd_stats_hdr *h = dp_stats(m->c->dp);

	return m->instance == (h != NULL ? h->instance : 0);
}

static void domain_line(struct metrics_out *o, struct metrics *m)
{
	const struct ctrl_domain *d = domains[m->domain];
	char line[LINE_MAX_SIZE];

	if (d == NULL) {
		m->phase = m->instance != 0 ? DROPS : END;
	} else if (d->metric != NULL &&
		   d->metric(m->c, m->line, m->max_series, m->open, line, sizeof(line))) {
		metrics_put(o, "%s", line);
		m->line++;
		m->budget--;
	} else {
		m->domain++;
		m->line = 0;
	}
}

static void step(struct metrics_out *o, struct metrics *m)
{
	const struct hd_stats_vec *v;

	switch (m->phase) {
	case PROCESS:
		process_part(o, m);
		m->phase = DOMAINS;
		return;
	case DOMAINS:
		domain_line(o, m);
		return;
	case DROPS:
		drops(o, m);
		return;
	case OBJECT_DROPS:
		m->budget--;
		if (!metrics_drops_line(&m->drops, o, m->c, m->open, m->max_series))
			m->phase = SUMS;
		return;
	case SUMS:
		sums(m);
		return;
	default:
		break;
	}
	v = dp_stats_vec_at(m->c->dp, m->vec);
	if (v == NULL || m->col >= v->n_cols)
		next_vector(m);
	else if (m->phase == HEAD)
		head(o, m, v);
	else if (m->phase == SERIES)
		series(o, m, v);
	else
		other(o, m, v);
}

ssize_t metrics_next(void *metrics, char *buf, size_t size)
{
	struct metrics *m = metrics;
	struct metrics_out o = { .buf = buf, .size = size };

	if (m->phase == END) {
		if (!m->open)
			return -1;
		m->open = false; /* once */
		metrics_put(&o, "# EOF\n");
		return (ssize_t)o.len;
	}
	if (!same_dataplane(m))
		return -2;
	m->budget = ROWS_A_SLICE;
	while (m->phase != END && m->budget > 0 &&
	       o.len + (m->phase == PROCESS ? 4000 : LINE_MAX_SIZE) < size)
		step(&o, m);
	return (ssize_t)o.len;
}

struct metrics *metrics_begin(struct ctrl *c, bool open_metrics)
{
	struct metrics *m = calloc(1, sizeof(*m));
	const struct hd_stats_hdr *h = dp_stats(c->dp);

	if (m == NULL)
		return NULL;
	m->c = c;
	m->open = open_metrics;
	m->instance = h != NULL ? h->instance : 0;
	m->max_series =
		cfg_u32(cfg_child(cfg_top(running_config(c->running)->tree, "system"), "api"),
			"max-series", METRICS_SERIES_DEFAULT);
	return m;
}

void metrics_end(void *metrics)
{
	struct metrics *m = metrics;

	object_drops_free(&m->drops.all);
	free(m);
}

void metrics_get(struct ctrl *c, struct http_req *req)
{
	const char *accept = http_header(req, "Accept");
	bool open = accept != NULL && strstr(accept, "application/openmetrics-text") != NULL;
	struct metrics *m = metrics_begin(c, open);

	if (m == NULL) {
		http_reply(req, 503, "text/plain", "out of memory\n", 14);
		return;
	}
	http_set(req, "Vary", "Accept");
	http_reply_stream(req,
			  open ? "application/openmetrics-text; version=1.0.0; charset=utf-8" :
				 "text/plain; version=0.0.4; charset=utf-8",
			  1, metrics_next, metrics_end, m);
}
