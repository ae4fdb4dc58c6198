/* SPDX-License-Identifier: BSD-3-Clause
 * Rate: how many packets are due.  A clock, not a timer: each turn of the loop asks, so the grain is one turn (well
 * below a millisecond).  Who falls behind catches up at most catch_up_s worth of packets; the rest is given up and
 * counted, since sending it in one burst would test queues instead of the asked rate. */
#ifndef BENCH_TRAFFIC_PACE_H
#define BENCH_TRAFFIC_PACE_H

#include <stdint.h>

#define PACE_CATCH_UP_S   0.001 /* usual */
#define PACE_CATCH_UP_MIN 32u

struct pace {
	uint64_t start; /* TSC */
	double per_cycle;
	uint64_t given;  /* packets handed out or given up */
	uint64_t behind; /* given up */
	uint64_t catch_up;
};

/* pps 0: as fast as it goes. */
static inline void pace_start(struct pace *p, double pps, double catch_up_s, double hz,
			      uint64_t now)
{
	*p = (struct pace){ .start = now, .per_cycle = pps / hz };
	p->catch_up = (uint64_t)(pps * catch_up_s);
	if (p->catch_up < PACE_CATCH_UP_MIN)
		p->catch_up = PACE_CATCH_UP_MIN;
}

/* Packets due now, at most max.  They count as sent. */
static inline uint32_t pace_due(struct pace *p, uint64_t now, uint32_t max)
{
	uint64_t due;

	if (p->per_cycle <= 0)
		return max;
	/* The first packet is due at once. */
	due = (uint64_t)((double)(now - p->start) * p->per_cycle) + 1 - p->given;
	if (due > p->catch_up) {
		p->behind += due - p->catch_up;
		p->given += due - p->catch_up;
		due = p->catch_up;
	}
	if (due > max)
		due = max;
	p->given += due;
	return (uint32_t)due;
}

#endif
