/* SPDX-License-Identifier: BSD-3-Clause
 * Search for the highest loads at which the loss ratio stays within one or several goals: 0 gives the throughput of
 * RFC 2544 section 26.1 and the non-drop rate (NDR), 0.005 a usual partial-drop rate (PDR).
 *
 * Multiple loss ratio search: the goals share trials.  Short trials narrow the loads down, longer ones confirm or move
 * the bounds, the last phase has trials of the full length; each phase halves its width.  A load with a loss above the
 * goal is an upper bound for that goal, and a better result at a higher load does not outweigh it: the answer is the
 * careful one.  Time is bounded: when the next trial would not fit, the bounds reached so far are the answer, and
 * marked. */
#ifndef BENCH_TRAFFIC_SEARCH_H
#define BENCH_TRAFFIC_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#define SEARCH_GOALS_MAX  4u
#define SEARCH_TRIALS_MAX 256u

/* One trial.  Returns 0, or -Exxx, which ends the search.
 *   load       asked, packets per second
 *   seconds    of sending
 *   ret_loss   lost / sent
 *   ret_load   what was really offered
 *   ret_took   seconds, waiting included */
typedef int (*search_trial_fn)(void *arg, double load, double seconds, double *ret_loss,
			       double *ret_load, double *ret_took);

struct search_params {
	double min, max;               /* loads */
	double goal[SEARCH_GOALS_MAX]; /* loss ratios, rising */
	uint32_t n_goals;
	double width;            /* relative width of the final bounds, 0.005 */
	double first_s, final_s; /* trial lengths of the first and the last phase */
	uint32_t phases;         /* 1: all trials have the full length */
	double limit_s;          /* of the whole search; 0: none */
};

enum search_end {
	SEARCH_CONVERGED,
	SEARCH_AT_MAX,    /* the highest load is within the goal: lower = max, no upper bound */
	SEARCH_BELOW_MIN, /* the lowest load is not: upper = min, no lower bound */
	SEARCH_GENERATOR, /* the generator cannot offer more: lower is what it offered */
	SEARCH_TIME,      /* time ran out: bounds of shorter trials, or wider ones */
};

struct search_bounds {
	enum search_end end;
	double lower, upper;           /* load; the answer is lower.  upper 0: none */
	double lower_loss, upper_loss; /* measured there */
	double seconds;                /* length of the trials that they stand on */
};

struct search_point {
	double asked, load, seconds, loss;
};

struct search_result {
	struct search_bounds goal[SEARCH_GOALS_MAX];
	struct search_point trial[SEARCH_TRIALS_MAX];
	uint32_t n_trials;
	double took;
};

/* Returns 0 also when time ran out; else what the trial returned, or -ENOSPC after SEARCH_TRIALS_MAX trials. */
int search_run(const struct search_params *p, search_trial_fn trial, void *arg,
	       struct search_result *ret);
const char *search_end_text(enum search_end e);

#endif
