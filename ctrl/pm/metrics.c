/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/pm/metrics.h"

#include <stdio.h>
#include <stdlib.h>

#include "ctrl/pm/session.h"

const double pm_metrics_le[PM_METRICS_BUCKETS] = { 0.00005, 0.0001, 0.00025, 0.0005, 0.001,
						   0.0025,  0.005,  0.01,    0.025,  0.05,
						   0.1,     0.25,   0.5,     1,      2.5 };

static struct pm_metrics *of[HD_PM_SENDERS_MAX]; /* by session_id */

void pm_metrics_add(uint32_t id, const struct hd_pm_hist *h)
{
	struct pm_metrics *m = id < HD_PM_SENDERS_MAX ? of[id] : NULL;

	if (id >= HD_PM_SENDERS_MAX || h->n == 0)
		return;
	if (m == NULL)
		m = of[id] = calloc(1, sizeof(*m));
	if (m == NULL)
		return;
	for (uint32_t i = 0; i < HD_PM_HIST_BUCKETS; i++) {
		double low = (double)hd_pm_hist_low(i) / 1e9;

		if (h->bucket[i] == 0)
			continue;
		for (unsigned k = PM_METRICS_BUCKETS; k > 0 && low <= pm_metrics_le[k - 1]; k--)
			m->bucket[k - 1] += h->bucket[i];
	}
	m->count += h->n;
	m->sum += (double)h->sum / 1e9;
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static struct {
	uint32_t id[HD_PM_SENDERS_MAX]; /* sessions told apart */
	uint32_t n;
	struct pm_metrics other; /* the rest */
} told;

static void merge(struct pm_metrics *to, const struct pm_metrics *from)
{
	for (unsigned i = 0; i < PM_METRICS_BUCKETS; i++)
		to->bucket[i] += from->bucket[i];
	to->count += from->count;
	to->sum += from->sum;
}

/* Who is told apart is settled with the first line. */
static void choose(const struct ctrl *c, uint32_t max)
{
	told.n = 0;
	told.other = (struct pm_metrics){ 0 };
	for (uint32_t id = 0; id < HD_PM_SENDERS_MAX; id++) {
		if (of[id] == NULL || pm_session_name(c, id) == NULL)
			continue;
		if (told.n < max)
			told.id[told.n++] = id;
		else
			merge(&told.other, of[id]);
	}
}

#define NAME  "heddle_pm_round_trip_seconds"
#define LINES (PM_METRICS_BUCKETS + 3) /* buckets, the one for all, sum, count */

static void one_line(const struct pm_metrics *m, const char *session, uint32_t part, char *buf,
		     size_t size)
{
	if (part < PM_METRICS_BUCKETS)
		snprintf(buf, size, NAME "_bucket{session=\"%s\",le=\"%g\"} %llu\n", session,
			 pm_metrics_le[part], (unsigned long long)m->bucket[part]);
	else if (part == PM_METRICS_BUCKETS)
		snprintf(buf, size, NAME "_bucket{session=\"%s\",le=\"+Inf\"} %llu\n", session,
			 (unsigned long long)m->count);
	else if (part == PM_METRICS_BUCKETS + 1)
		snprintf(buf, size, NAME "_sum{session=\"%s\"} %.9f\n", session, m->sum);
	else
		snprintf(buf, size, NAME "_count{session=\"%s\"} %llu\n", session,
			 (unsigned long long)m->count);
}

bool pm_metrics_line(struct ctrl *c, uint32_t n, uint32_t max, bool open, char *buf, size_t size)
{
	uint32_t at = n == 0 ? 0 : (n - 1) / LINES, part = n == 0 ? 0 : (n - 1) % LINES;
	const char *name;

	(void)open;
	if (n == 0) {
		choose(c, max);
		snprintf(buf, size,
			 "# HELP " NAME " Round trips that a session measured\n# TYPE " NAME
			 " histogram\n");
		return told.n != 0;
	}
	if (at > told.n || (at == told.n && told.other.count == 0))
		return false;
	name = at < told.n ? pm_session_name(c, told.id[at]) : "_other";
	buf[0] = '\0';
	if (at == told.n)
		one_line(&told.other, name, part, buf, size);
	else if (name != NULL && of[told.id[at]] != NULL) /* else: it has gone meanwhile */
		one_line(of[told.id[at]], name, part, buf, size);
	return true;
}

const struct pm_metrics *pm_metrics_of(uint32_t id)
{
	return id < HD_PM_SENDERS_MAX ? of[id] : NULL;
}

void pm_metrics_fini(void)
{
	for (uint32_t i = 0; i < HD_PM_SENDERS_MAX; i++) {
		free(of[i]);
		of[i] = NULL;
	}
}
