/* SPDX-License-Identifier: BSD-3-Clause
 * Distribution of delays in a few kilobytes, for thousands of sessions: log-linear like hd_hist of stats.h, but with 32
 * buckets an octave.  A bucket is at most 1/32 (3.2 %) of the values in it wide, below 2 us 32 ns.  Count, sum, minimum
 * and maximum are exact.  A negative delay is an error of clocks: it is counted, and lies in the lowest bucket. */
#ifndef HEDDLE_PM_HIST_H
#define HEDDLE_PM_HIST_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define HD_PM_HIST_SUB_BITS 5u
#define HD_PM_HIST_SUB      (1u << HD_PM_HIST_SUB_BITS)
#define HD_PM_HIST_UNIT_LOG 5u  /* the finest bucket: 32 ns */
#define HD_PM_HIST_MAX_LOG  34u /* from 2^34 ns (17 s) on all is the last bucket */
#define HD_PM_HIST_BUCKETS \
	((HD_PM_HIST_MAX_LOG - HD_PM_HIST_UNIT_LOG - HD_PM_HIST_SUB_BITS + 1u) * HD_PM_HIST_SUB)

struct hd_pm_hist {
	uint32_t n, negative;
	int64_t sum, min, max; /* ns; min and max mean nothing while n is 0 */
	uint32_t bucket[HD_PM_HIST_BUCKETS];
};
static_assert(sizeof(struct hd_pm_hist) == 32 + 4 * HD_PM_HIST_BUCKETS, "no hidden padding");

static inline uint32_t hd_pm_hist_index(int64_t ns)
{
	uint64_t v = ns < 0 ? 0 : (uint64_t)ns >> HD_PM_HIST_UNIT_LOG;
	uint32_t shift;

	if (v < 2 * HD_PM_HIST_SUB)
		return (uint32_t)v;
	if (v >> (HD_PM_HIST_MAX_LOG - HD_PM_HIST_UNIT_LOG) != 0)
		return HD_PM_HIST_BUCKETS - 1;
	shift = 63u - (uint32_t)__builtin_clzll(v) - HD_PM_HIST_SUB_BITS;
	return shift * HD_PM_HIST_SUB + (uint32_t)(v >> shift);
}

/* The lowest value of a bucket; of the one behind it: where this one ends. */
static inline int64_t hd_pm_hist_low(uint32_t index)
{
	uint32_t shift;

	if (index < 2 * HD_PM_HIST_SUB)
		return (int64_t)index << HD_PM_HIST_UNIT_LOG;
	shift = index / HD_PM_HIST_SUB - 1;
	return (int64_t)(index - shift * HD_PM_HIST_SUB) << (shift + HD_PM_HIST_UNIT_LOG);
}

/* Peers may write any time into a packet: a sum that does not fit stays at its end. */
static inline void hd_pm_hist_sum(struct hd_pm_hist *h, int64_t more)
{
	if (__builtin_add_overflow(h->sum, more, &h->sum))
		h->sum = more < 0 ? INT64_MIN : INT64_MAX;
}

static inline void hd_pm_hist_add(struct hd_pm_hist *h, int64_t ns)
{
	if (h->n == 0 || ns < h->min)
		h->min = ns;
	if (h->n == 0 || ns > h->max)
		h->max = ns;
	h->n++;
	h->negative += ns < 0;
	hd_pm_hist_sum(h, ns);
	h->bucket[hd_pm_hist_index(ns)]++;
}

/* Everything of `from` into `to`. */
static inline void hd_pm_hist_merge(struct hd_pm_hist *to, const struct hd_pm_hist *from)
{
	if (from->n == 0)
		return;
	if (to->n == 0 || from->min < to->min)
		to->min = from->min;
	if (to->n == 0 || from->max > to->max)
		to->max = from->max;
	to->n += from->n;
	to->negative += from->negative;
	hd_pm_hist_sum(to, from->sum);
	for (uint32_t i = 0; i < HD_PM_HIST_BUCKETS; i++)
		to->bucket[i] += from->bucket[i];
}

/* Nearest rank: the value at which at least `percent` (0..100) of the n values are reached, as the middle of its
 * bucket, within min and max.  *ret_half (or NULL): the true value is at most so far away, as far as buckets go.
 * 0 if there is nothing. */
static inline int64_t hd_pm_hist_percentile(const struct hd_pm_hist *h, double percent,
					    int64_t *ret_half)
{
	/* 99.9 % of 1,000 is the 999th, however 0.999 is rounded */
	uint64_t rank = (uint64_t)(percent / 100 * (double)h->n + 0.999999), seen = 0;
	int64_t low, high;

	if (ret_half != NULL)
		*ret_half = 0;
	if (h->n == 0)
		return 0;
	if (rank <= 1)
		return h->min;
	if (rank >= h->n)
		return h->max;
	for (uint32_t i = 0; i < HD_PM_HIST_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen < rank)
			continue;
		low = i == 0 && h->min < 0 ? h->min : hd_pm_hist_low(i);
		high = i == HD_PM_HIST_BUCKETS - 1 ? h->max : hd_pm_hist_low(i + 1);
		low = low < h->min ? h->min : low;
		high = high > h->max ? h->max : high;
		if (ret_half != NULL)
			*ret_half = (high - low + 1) / 2;
		return low + (high - low) / 2;
	}
	return h->max;
}

#endif
