/* SPDX-License-Identifier: BSD-3-Clause
 * The tests of RFC 2544 section 26, and the search for NDR and PDR. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/traffic/traffic.h"

#define LOWEST_PART 1e-5 /* a search gives up below this part of its highest load */

struct traffic_row traffic_rows[TRAFFIC_ROWS_MAX];
uint32_t traffic_n_rows;

struct traffic_row *traffic_row_add(const char *test, const char *sizes)
{
	struct traffic_row *r =
		&traffic_rows[traffic_n_rows < TRAFFIC_ROWS_MAX ? traffic_n_rows++ :
								  TRAFFIC_ROWS_MAX - 1];

	free(r->trial);
	memset(r, 0, sizeof(*r));
	snprintf(r->test, sizeof(r->test), "%s", test);
	snprintf(r->sizes, sizeof(r->sizes), "%s", sizes);
	r->octets = gen_mean_octets();
	return r;
}

double rate_pps(const struct rate *r, double line_bps)
{
	switch (r->unit) {
	case RATE_PPS:
		return r->value;
	case RATE_BPS:
		return r->value / ((gen_mean_octets() + 20) * 8);
	case RATE_PERCENT:
		return gen_line_pps(line_bps) * r->value / 100;
	default:
		return 0;
	}
}

static int trial(const struct traffic_options *o, double pps, double seconds, uint64_t packets,
		 struct gen_result *ret)
{
	struct gen_trial t = { .pps = pps, .seconds = seconds, .packets = packets };
	int rc;

	if (o->before != NULL)
		o->before(o->before_arg, pps);
	rc = gen_trial(&t, ret, o->progress ? traffic_progress : NULL);

	if (o->progress)
		traffic_progress_end();
	if (rc < 0)
		fprintf(stderr, "heddle-bench: a trial could not be run: %s\n", strerror(-rc));
	return rc;
}

static bool generator_short(const struct gen_result *r)
{
	return r->asked.pps > 0 && r->asked.packets == 0 && r->offered < 0.97 * r->asked.pps;
}

int test_run(const struct traffic_options *o, const char *sizes)
{
	struct traffic_row *row = traffic_row_add("run", sizes);

	row->trial = calloc(1, sizeof(*row->trial));
	row->line_pps = gen_line_pps(o->line_bps);
	if (row->trial == NULL ||
	    trial(o, rate_pps(&o->rate, o->line_bps), o->trial_s, 0, row->trial) < 0)
		return TRAFFIC_FAILED;
	return generator_short(row->trial) ? TRAFFIC_BOUND : TRAFFIC_OK;
}

/* ---- searches ----------------------------------------------------------------------------------------------- */

struct searcher {
	const struct traffic_options *o;
	struct gen_result *r;
};

static int search_trial(void *arg, double load, double seconds, double *ret_loss, double *ret_load,
			double *ret_took)
{
	struct searcher *s = arg;
	int rc = trial(s->o, load, seconds, 0, s->r);

	if (rc < 0)
		return rc;
	*ret_loss = gen_loss_ratio(&s->r->all);
	*ret_load = s->r->offered;
	*ret_took = s->r->took;
	if (s->o->progress)
		fprintf(stderr, "  %12.0f pps asked, %12.0f offered, %6.2f s: lost %llu of %llu\n",
			load, s->r->offered, seconds, (unsigned long long)gen_lost(&s->r->all),
			(unsigned long long)s->r->all.sent);
	return 0;
}

static double highest(const struct traffic_options *o)
{
	double line = gen_line_pps(o->line_bps), asked = rate_pps(&o->max_rate, o->line_bps),
	       best = gen_ceiling();

	if (line > 0 && line < best)
		best = line;
	return asked > 0 && asked < best ? asked : best;
}

static int search_goals(const struct traffic_options *o, uint32_t phases, const double *goal,
			uint32_t n, struct search_result *ret)
{
	struct searcher s = { .o = o, .r = calloc(1, sizeof(*s.r)) };
	struct search_params p = { .max = highest(o),
				   .n_goals = n,
				   .width = o->width,
				   .first_s = o->first_s,
				   .final_s = o->trial_s,
				   .phases = phases,
				   .limit_s = o->limit_s };
	int rc;

	if (s.r == NULL)
		return -ENOMEM;
	p.min = fmax(p.max * LOWEST_PART, 1);
	memcpy(p.goal, goal, n * sizeof(goal[0]));
	rc = search_run(&p, search_trial, &s, ret);
	if (rc == -ENOSPC)
		fprintf(stderr, "heddle-bench: the search did not end after %u trials\n",
			SEARCH_TRIALS_MAX);
	free(s.r);
	return rc;
}

static int search_code(const struct search_bounds *b)
{
	return b->end == SEARCH_CONVERGED || b->end == SEARCH_AT_MAX ? TRAFFIC_OK :
	       b->end == SEARCH_BELOW_MIN                            ? TRAFFIC_FAILED :
								       TRAFFIC_BOUND;
}

int test_throughput(const struct traffic_options *o, const char *sizes, double *ret_pps)
{
	struct search_result *r = calloc(1, sizeof(*r));
	double goal = 0;
	struct traffic_row *row;
	int code = TRAFFIC_FAILED;

	if (r != NULL && search_goals(o, 1, &goal, 1, r) == 0) {
		row = traffic_row_add("throughput", sizes);
		row->line_pps = gen_line_pps(o->line_bps);
		row->bounds = r->goal[0];
		code = search_code(&row->bounds);
		*ret_pps = row->bounds.lower;
	}
	free(r);
	return code;
}

int test_ndr(const struct traffic_options *o, const char *sizes)
{
	struct search_result *r = calloc(1, sizeof(*r));
	const double goal[2] = { 0, o->pdr };
	int code = TRAFFIC_FAILED;

	if (r != NULL && search_goals(o, o->trial_s > o->first_s ? 3 : 1, goal, 2, r) == 0) {
		code = TRAFFIC_OK;
		for (uint32_t g = 0; g < 2; g++) {
			struct traffic_row *row = traffic_row_add(g == 0 ? "ndr" : "pdr", sizes);
			int c;

			row->line_pps = gen_line_pps(o->line_bps);
			row->bounds = r->goal[g];
			row->goal = goal[g];
			c = search_code(&row->bounds);
			code = c == TRAFFIC_FAILED || code == TRAFFIC_FAILED ? TRAFFIC_FAILED :
			       c > code                                      ? c :
									       code;
		}
	}
	free(r);
	return code;
}

/* ---- the others --------------------------------------------------------------------------------------------- */

/* RFC 2544 section 26.2, but every packet of the stream is a tagged one. */
int test_latency(const struct traffic_options *o, const char *sizes, double pps)
{
	struct traffic_row *row = traffic_row_add("latency", sizes);

	row->trial = calloc(1, sizeof(*row->trial));
	row->line_pps = gen_line_pps(o->line_bps);
	if (row->trial == NULL || trial(o, pps, o->trial_s, 0, row->trial) < 0)
		return TRAFFIC_FAILED;
	return generator_short(row->trial) ? TRAFFIC_BOUND : TRAFFIC_OK;
}

/* RFC 2544 section 26.3: from the highest rate down in steps of a tenth, until two in a row are without loss. */
int test_loss(const struct traffic_options *o, const char *sizes)
{
	double max = highest(o);
	int clean = 0, code = TRAFFIC_OK;

	for (int tenth = 10; tenth >= 1 && clean < 2; tenth--) {
		struct traffic_row *row = traffic_row_add("loss", sizes);

		row->trial = calloc(1, sizeof(*row->trial));
		row->line_pps = gen_line_pps(o->line_bps);
		if (row->trial == NULL || trial(o, max * tenth / 10, o->trial_s, 0, row->trial) < 0)
			return TRAFFIC_FAILED;
		clean = gen_lost(&row->trial->all) == 0 ? clean + 1 : 0;
		if (generator_short(row->trial))
			code = TRAFFIC_BOUND;
	}
	return code;
}

/* The longest burst without loss, at most `most` packets, found by halving. */
static int burst_search(const struct traffic_options *o, double pps, uint64_t most,
			struct gen_result *r, uint64_t *ret)
{
	uint64_t good = 0, bad = 0, n = most;

	while (bad == 0 || bad - good > 1) {
		if (trial(o, pps, 2 * o->trial_s, n, r) < 0)
			return -EIO;
		/* A burst that the port could not take at this rate counts with what was taken. */
		if (gen_lost(&r->all) == 0)
			good = n;
		else
			bad = n;
		if (good == most)
			break;
		n = good + (bad - good) / 2;
		if (n == good)
			break;
	}
	*ret = good;
	return 0;
}

/* RFC 2544 section 26.4: the mean over the repeats. */
int test_back_to_back(const struct traffic_options *o, const char *sizes)
{
	double pps = highest(o), sum = 0;
	uint64_t most = (uint64_t)(pps * o->trial_s);
	struct gen_result *r = calloc(1, sizeof(*r));
	struct traffic_row *row;
	uint64_t n;

	if (r == NULL)
		return TRAFFIC_FAILED;
	for (uint32_t i = 0; i < o->repeat; i++) {
		if (burst_search(o, pps, most, r, &n) < 0) {
			free(r);
			return TRAFFIC_FAILED;
		}
		sum += (double)n;
	}
	free(r);
	row = traffic_row_add("back-to-back", sizes);
	row->line_pps = gen_line_pps(o->line_bps);
	row->burst = sum / o->repeat;
	row->burst_seconds = row->burst / pps;
	return TRAFFIC_OK;
}
