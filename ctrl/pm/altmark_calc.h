/* SPDX-License-Identifier: BSD-3-Clause
 * Alternate marking, the arithmetic: blocks of a flow as two points have counted them, and what their difference says
 * (RFC 9341 section 3).  Pure. */
#ifndef CTRL_PM_ALTMARK_CALC_H
#define CTRL_PM_ALTMARK_CALC_H

#include <stdbool.h>
#include <stdint.h>

#include "heddle/api/altmark.h"

#define ALTMARK_KEPT 64u /* blocks */

/* The blocks of a flow at one point. */
struct altmark_series {
	uint32_t period_ms;   /* 0: nothing is known */
	uint64_t from, until; /* all blocks between are known, both included */
	struct hd_api_altmark_block kept[ALTMARK_KEPT]; /* those with packets, by number */
};

/* A block that somebody counted. */
void altmark_series_put(struct altmark_series *s, const struct hd_api_altmark_block *b);
/* Everything from lo to hi has been put.  A hole since the last time, or another period, starts the series anew. */
void altmark_series_known(struct altmark_series *s, uint32_t period_ms, uint64_t lo, uint64_t hi);
/* NULL: that block is not known (any more).  One without packets is found, too: its counters are zero. */
const struct hd_api_altmark_block *altmark_series_get(const struct altmark_series *s,
						      uint64_t number);

struct altmark_result { /* of one block */
	uint64_t number, sent, received;
	bool has_mean, has_bound;
	int64_t mean_ns;
	uint32_t n_delays;
	int64_t delay_ns[HD_ALTMARK_D_MAX];
	uint64_t bound_ns; /* both clocks' error */
};

struct altmark_measure {
	uint32_t period_ms;
	uint64_t next; /* block to be compared next; 0: none has been */
	uint64_t blocks, unknown, sent, received, lost, surplus;
	uint64_t n_delays;
	int64_t delay_min_ns, delay_max_ns;
	double delay_sum_ns;
	struct altmark_result kept[ALTMARK_KEPT]; /* by number */
};

struct altmark_result altmark_compare(const struct hd_api_altmark_block *from,
				      const struct hd_api_altmark_block *to);
/* Compare what is known at both points and has not been compared yet. */
void altmark_measure_run(struct altmark_measure *m, const struct altmark_series *from,
			 const struct altmark_series *to);
/* NULL: not kept. */
const struct altmark_result *altmark_measure_get(const struct altmark_measure *m, uint64_t number);

#endif
