/* SPDX-License-Identifier: BSD-3-Clause
 * The load rate adjustment algorithm (RFC 9097 section 8.1 and appendix A): a sending rate table, and where in it the
 * sender stands.  Pure, without a clock of its own: times are the caller's, in ns.
 * It is for short diagnostic tests; it must not be used as a congestion control (section 8.1). */
#ifndef PIPELINES_PM_CAPACITY_RATE_H
#define PIPELINES_PM_CAPACITY_RATE_H

#include <stdbool.h>
#include <stdint.h>

#define CAPACITY_ROW_HIGH 1000u /* 1 Gbit/s: the threshold of high speed */

/* Rate of a row in kbit/s: 500, then each Mbit/s up to 1 Gbit/s, each 100 Mbit/s up to 10 Gbit/s, each Gbit/s. */
uint32_t capacity_row_kbps(uint32_t row);
/* The last row that is not above a rate; 0 also for less than the first one's. */
uint32_t capacity_row_of(uint32_t kbps);

struct capacity_rate_conf {
	uint32_t top;             /* highest row that may be used */
	uint32_t high;            /* first row from which rates grow by single rows */
	uint32_t fast;            /* rows of a fast step up; three times as many down */
	uint32_t seq_errors;      /* more of them in an interval are congestion */
	uint32_t bad_reports;     /* in a row that confirm congestion */
	uint64_t low_ns, high_ns; /* thresholds of the delay range */
	uint64_t feedback_ns;     /* interval of status feedback messages */
	uint64_t stop_ns;         /* without any for so long the sender stops */
};

struct capacity_rate {
	uint32_t row;
	uint32_t bad;     /* reports of congestion since the last fast step */
	uint32_t missed;  /* backoffs since the last message: w of section 8.1 */
	uint64_t last_ns; /* the last message of any type */
};

enum capacity_step { CAPACITY_UP, CAPACITY_HOLD, CAPACITY_DOWN };

/* The first row; nothing has been heard since now_ns. */
void capacity_rate_init(struct capacity_rate *r, uint64_t now_ns);
/* A status feedback message: sequence errors and delay range of its interval. */
enum capacity_step capacity_rate_feedback(struct capacity_rate *r,
					  const struct capacity_rate_conf *c, uint32_t seq_errors,
					  uint64_t range_ns, uint64_t now_ns);
/* When the next Lost Status Backoff happens, if nothing is heard until then. */
uint64_t capacity_rate_due(const struct capacity_rate *r, const struct capacity_rate_conf *c);
/* Backs off as often as is due at now_ns.  Returns how often. */
unsigned capacity_rate_silence(struct capacity_rate *r, const struct capacity_rate_conf *c,
			       uint64_t now_ns);
/* Feedback message timeout: nothing was heard for stop_ns. */
bool capacity_rate_stopped(const struct capacity_rate *r, const struct capacity_rate_conf *c,
			   uint64_t now_ns);
/* Three reports of congestion: only single rows from now on. */
static inline bool capacity_rate_confirmed(const struct capacity_rate *r,
					   const struct capacity_rate_conf *c)
{
	return r->bad >= c->bad_reports;
}

#endif
