/* SPDX-License-Identifier: BSD-3-Clause
 * Hardware counters of this thread, where the kernel and the machine lend them. */
#ifndef BENCH_PERF_H
#define BENCH_PERF_H

struct perf_counts {
	double instructions, cache_misses; /* negative: not counted */
};

int perf_open(void); /* 0, or -Exxx when nothing can be counted */
void perf_start(void);
void perf_stop(struct perf_counts *ret);
void perf_close(void);

#endif
