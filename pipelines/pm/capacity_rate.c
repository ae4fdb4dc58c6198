/* SPDX-License-Identifier: BSD-3-Clause
 * Load rate adjustment.  Bare section numbers mean RFC 9097. */
#include "pipelines/pm/capacity_rate.h"

#define ROW_TENS 1090u /* 10 Gbit/s */

uint32_t capacity_row_kbps(uint32_t row)
{
	if (row == 0)
		return 500;
	if (row <= CAPACITY_ROW_HIGH)
		return row * 1000;
	if (row <= ROW_TENS)
		return 1000000 + (row - CAPACITY_ROW_HIGH) * 100000;
	return 10000000 + (row - ROW_TENS) * 1000000;
}

uint32_t capacity_row_of(uint32_t kbps)
{
	if (kbps <= 1000000)
		return kbps / 1000;
	if (kbps <= 10000000)
		return CAPACITY_ROW_HIGH + (kbps - 1000000) / 100000;
	return ROW_TENS + (kbps - 10000000) / 1000000;
}

void capacity_rate_init(struct capacity_rate *r, uint64_t now_ns)
{
	*r = (struct capacity_rate){ .last_ns = now_ns };
}

static void up(struct capacity_rate *r, const struct capacity_rate_conf *c)
{
	if (r->row < c->high && r->bad < c->bad_reports) {
		r->row += c->fast;
		/* appendix A may jump over the threshold by nine rows of 100 Mbit/s; up to it is meant */
		if (r->row > c->high)
			r->row = c->high;
		r->bad = 0;
	} else {
		r->row++;
	}
	if (r->row > c->top)
		r->row = c->top;
}

static void down(struct capacity_rate *r, const struct capacity_rate_conf *c)
{
	uint32_t rows = 1;

	if (r->bad < UINT32_MAX)
		r->bad++;
	if (r->row < c->high && r->bad == c->bad_reports)
		rows = 3 * c->fast;
	r->row -= rows < r->row ? rows : r->row;
}

enum capacity_step capacity_rate_feedback(struct capacity_rate *r,
					  const struct capacity_rate_conf *c, uint32_t seq_errors,
					  uint64_t range_ns, uint64_t now_ns)
{
	r->last_ns = now_ns;
	r->missed = 0;
	if (seq_errors <= c->seq_errors && range_ns < c->low_ns) {
		up(r, c);
		return CAPACITY_UP;
	}
	if (seq_errors > c->seq_errors || range_ns > c->high_ns) {
		down(r, c);
		return CAPACITY_DOWN;
	}
	return CAPACITY_HOLD;
}

uint64_t capacity_rate_due(const struct capacity_rate *r, const struct capacity_rate_conf *c)
{
	return r->last_ns + c->high_ns + (2 + (uint64_t)r->missed) * c->feedback_ns;
}

unsigned capacity_rate_silence(struct capacity_rate *r, const struct capacity_rate_conf *c,
			       uint64_t now_ns)
{
	unsigned n = 0;

	for (; now_ns >= capacity_rate_due(r, c) &&
	       !capacity_rate_stopped(r, c, capacity_rate_due(r, c));
	     n++) {
		down(r, c);
		r->missed++;
	}
	return n;
}

bool capacity_rate_stopped(const struct capacity_rate *r, const struct capacity_rate_conf *c,
			   uint64_t now_ns)
{
	return now_ns - r->last_ns >= c->stop_ns;
}
