/* SPDX-License-Identifier: BSD-3-Clause
 * perf_event_open(2) around a slice.  Virtual machines often have no counters: then there are no numbers. */
#include "bench/perf.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fd[2] = { -1, -1 };

static int open_one(uint64_t config)
{
	struct perf_event_attr a = { .type = PERF_TYPE_HARDWARE,
				     .size = sizeof(a),
				     .config = config,
				     .disabled = 1,
				     .exclude_kernel = 1,
				     .exclude_hv = 1 };

	return (int)syscall(SYS_perf_event_open, &a, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

int perf_open(void)
{
	fd[0] = open_one(PERF_COUNT_HW_INSTRUCTIONS);
	fd[1] = open_one(PERF_COUNT_HW_CACHE_MISSES);
	return fd[0] < 0 && fd[1] < 0 ? -ENOTSUP : 0;
}

void perf_start(void)
{
	for (unsigned i = 0; i < 2; i++) {
		if (fd[i] < 0)
			continue;
		ioctl(fd[i], PERF_EVENT_IOC_RESET, 0);
		ioctl(fd[i], PERF_EVENT_IOC_ENABLE, 0);
	}
}

static double take(int f)
{
	uint64_t v;

	if (f < 0)
		return -1;
	ioctl(f, PERF_EVENT_IOC_DISABLE, 0);
	return read(f, &v, sizeof(v)) == sizeof(v) ? (double)v : -1;
}

void perf_stop(struct perf_counts *ret)
{
	ret->instructions = take(fd[0]);
	ret->cache_misses = take(fd[1]);
}

void perf_close(void)
{
	for (unsigned i = 0; i < 2; i++) {
		if (fd[i] >= 0)
			close(fd[i]);
		fd[i] = -1;
	}
}
