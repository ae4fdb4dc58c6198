/* SPDX-License-Identifier: BSD-3-Clause
 * Multiple loss ratio search; see search.h. */
#include "bench/traffic/search.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define GENERATOR_SHORT \
	0.97 /* offered less than this part of what was asked: the generator is the limit */
#define NO_TIME 1

struct run {
	const struct search_params *p;
	search_trial_fn trial;
	void *arg;
	struct search_result *r;
	double max; /* falls when the generator cannot offer more */
	bool generator;
	double guess[SEARCH_GOALS_MAX]; /* where to begin, before anything is known; 0: at the top */
	bool done[SEARCH_GOALS_MAX];    /* in the last phase */
	double overhead;                /* seconds that a trial takes beyond its length */
};

const char *search_end_text(enum search_end e)
{
	static const char *const text[] = {
		[SEARCH_CONVERGED] = "converged",
		[SEARCH_AT_MAX] = "at the highest load that was allowed",
		[SEARCH_BELOW_MIN] = "not even at the lowest load",
		[SEARCH_GENERATOR] = "limited by the generator",
		[SEARCH_TIME] = "time ran out",
	};

	return text[e];
}

static int measure(struct run *s, double load, double seconds)
{
	struct search_result *r = s->r;
	struct search_point *t = &r->trial[r->n_trials];
	double took = 0;
	int rc;

	if (s->p->limit_s > 0 && r->took + seconds + s->overhead > s->p->limit_s)
		return NO_TIME;
	if (r->n_trials == SEARCH_TRIALS_MAX)
		return -ENOSPC;
	*t = (struct search_point){ .asked = load, .seconds = seconds };
	rc = s->trial(s->arg, load, seconds, &t->loss, &t->load, &took);
	if (rc < 0)
		return rc;
	r->took += took;
	if (took - seconds > s->overhead)
		s->overhead = took - seconds;
	r->n_trials++;
	if (t->load < load * GENERATOR_SHORT && t->load < s->max) {
		s->max = t->load > s->p->min ? t->load : s->p->min;
		s->generator = true;
	} else {
		t->load = load; /* small deviations would only blur the bounds */
	}
	return 0;
}

/* Bounds of a goal from the trials of one length: the lowest load that was too lossy, the highest good one below it. */
static void bounds(const struct run *s, double goal, double seconds, struct search_bounds *b)
{
	const struct search_result *r = s->r;

	memset(b, 0, sizeof(*b));
	b->seconds = seconds;
	for (uint32_t i = 0; i < r->n_trials; i++) {
		const struct search_point *t = &r->trial[i];

		if (t->seconds == seconds && t->loss > goal &&
		    (b->upper == 0 || t->load < b->upper)) {
			b->upper = t->load;
			b->upper_loss = t->loss;
		}
	}
	for (uint32_t i = 0; i < r->n_trials; i++) {
		const struct search_point *t = &r->trial[i];

		if (t->seconds == seconds && t->loss <= goal &&
		    (b->upper == 0 || t->load < b->upper) && t->load >= b->lower) {
			b->lower = t->load;
			b->lower_loss = t->loss;
		}
	}
}

/* The next load for a goal; 0: its bounds are good enough in this phase, and b->end says why. */
static double next_load(const struct run *s, struct search_bounds *b,
			const struct search_bounds *before, double guess, double width,
			uint32_t *widen)
{
	double step;

	if (b->lower > 0 && b->upper > 0) {
		*widen = 0;
		b->end = SEARCH_CONVERGED;
		if ((b->upper - b->lower) / b->upper <= width)
			return 0;
		return (b->lower + b->upper) / 2;
	}
	if (b->lower == 0 && b->upper == 0)
		return before->lower > 0 ? fmin(before->lower, s->max) : s->max;
	if (b->lower == 0 && guess > 0 && guess < b->upper && before->seconds == 0 && *widen == 0) {
		*widen = 1;
		return guess;
	}
	step = width * (double)(1u << *widen);
	if (*widen < 12)
		++*widen;
	if (b->lower > 0) {
		b->end = s->generator ? SEARCH_GENERATOR : SEARCH_AT_MAX;
		if (b->lower >= s->max * (1 - 1e-9))
			return 0;
		if (before->upper > b->lower * (1 + width / 4) && *widen == 1)
			return fmin(before->upper, s->max);
		return fmin(b->lower * (1 + step), s->max);
	}
	b->end = SEARCH_BELOW_MIN;
	if (b->upper <= s->p->min * (1 + 1e-9))
		return 0;
	if (before->lower > 0 && before->lower < b->upper * (1 - width / 4) && *widen == 1)
		return before->lower;
	return fmax(b->upper * (1 - fmin(step, 0.5)), s->p->min);
}

static int phase_goal(struct run *s, uint32_t g, double seconds, double width)
{
	struct search_bounds before = s->r->goal[g], b;
	uint32_t widen = 0;
	double load;
	int rc;

	for (;;) {
		bounds(s, s->p->goal[g], seconds, &b);
		load = next_load(s, &b, &before, s->guess[g], width, &widen);
		if (load == 0) {
			s->r->goal[g] = b;
			return 0;
		}
		rc = measure(s, load, seconds);
		if (rc == NO_TIME) {
			/* Complete bounds of this length beat narrower ones of shorter trials. */
			if (b.lower > 0 && b.upper > 0)
				s->r->goal[g] = b;
			s->r->goal[g].end = SEARCH_TIME;
			return NO_TIME;
		}
		if (rc < 0)
			return rc;
	}
}

/* The first guess: what came through at the highest load is about what the system can do. */
static int first_guess(struct run *s, double seconds)
{
	const struct search_point *t = s->r->trial;
	int rc = measure(s, s->max, seconds);

	if (rc != 0)
		return rc;
	for (uint32_t g = 0; g < s->p->n_goals; g++)
		if (t->loss > s->p->goal[g])
			s->guess[g] = fmax(t->load * (1 - t->loss), s->p->min);
	return 0;
}

int search_run(const struct search_params *p, search_trial_fn trial, void *arg,
	       struct search_result *ret)
{
	struct run s = { .p = p, .trial = trial, .arg = arg, .r = ret, .max = p->max };
	uint32_t phases = p->phases > 0 ? p->phases : 1;
	double grow = phases > 1 ? pow(p->final_s / p->first_s, 1.0 / (phases - 1)) : 1;
	int rc;

	memset(ret, 0, sizeof(*ret));
	rc = first_guess(&s, phases > 1 ? p->first_s : p->final_s);
	for (uint32_t k = 0; k < phases && rc == 0; k++) {
		bool last = k == phases - 1;
		double seconds = last ? p->final_s : p->first_s * pow(grow, k);
		double width = p->width * pow(2, phases - 1 - k);

		for (uint32_t g = 0; g < p->n_goals && rc == 0; g++) {
			rc = phase_goal(&s, g, seconds, width);
			s.done[g] = last && rc == 0;
		}
	}
	if (rc != NO_TIME)
		return rc;
	for (uint32_t g = 0; g < p->n_goals; g++)
		if (!s.done[g])
			ret->goal[g].end = SEARCH_TIME;
	return 0;
}
