/* SPDX-License-Identifier: BSD-3-Clause
 * See hwclock.h.  As in wallclock.c lines rotate: a reader keeps one for a burst, the writer comes back to it seconds
 * later. */
#include "dataplane/hwclock.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include "dataplane/worker.h"

#define LINES        4u
#define SAMPLES      5u
#define SLOPE_WEIGHT 0.25
#define DRIFT_MAX    0.001 /* a slope further off than this comes from a clock that was set */

int (*hwclock_read)(uint16_t dpdk_port, uint64_t *ticks) = rte_eth_read_clock;

static struct port_clock {
	bool on;
	uint16_t dpdk_port;
	uint64_t due;
	unsigned current;
	struct hwclock line[LINES];
} clocks[WORKER_PORTS_MAX];
static const struct hwclock *published[WORKER_PORTS_MAX];
const struct hwclock **hwclock_line = published;
int hwclock_offset;
uint64_t hwclock_flag;

struct hwclock hwclock_next(const struct hwclock *old, uint64_t tsc, uint64_t tick, uint64_t half)
{
	struct hwclock c = *old;
	double ticks = (double)(int64_t)(tick - old->tick), cycles = (double)(tsc - old->tsc),
	       measured = ticks > 0 ? cycles / ticks : 0, error;

	c.tick = tick;
	c.tsc = tsc;
	c.error_ticks = half;
	c.samples++;
	if (old->samples == 0)
		return c;
	if (measured == 0 ||
	    (old->tsc_per_tick != 0 && fabs(measured / old->tsc_per_tick - 1) > DRIFT_MAX)) {
		c.tsc_per_tick = 0; /* it was set: this sample is the first one */
		c.samples = 1;
		return c;
	}
	if (old->tsc_per_tick == 0) {
		c.tsc_per_tick = measured;
		return c;
	}
	error = cycles - ticks * old->tsc_per_tick;
	c.tsc_per_tick += SLOPE_WEIGHT * (measured - old->tsc_per_tick);
	c.error_ticks = half + (uint64_t)fabs(error);
	return c;
}

/* The tightest of a few.  Negative: the clock cannot be read. */
static int sample(const struct port_clock *k, uint64_t *tsc, uint64_t *tick, uint64_t *half)
{
	uint64_t width = UINT64_MAX;

	for (unsigned i = 0; i < SAMPLES; i++) {
		uint64_t t0 = rte_rdtsc_precise(), said, t1;
		int rc = hwclock_read(k->dpdk_port, &said);

		if (rc < 0)
			return rc;
		t1 = rte_rdtsc_precise();
		if (t1 - t0 >= width)
			continue;
		width = t1 - t0;
		*tsc = t0 + width / 2;
		*tick = said;
		*half = width / 2 + 1;
	}
	return 0;
}

static int look(uint32_t port)
{
	struct port_clock *k = &clocks[port];
	uint64_t tsc = 0, tick = 0, half = 0;
	unsigned next = (k->current + 1) % LINES;
	int rc = sample(k, &tsc, &tick, &half);

	if (rc < 0)
		return rc;
	k->line[next] = hwclock_next(&k->line[k->current], tsc, tick, half);
	k->current = next;
	k->due = tsc + rte_get_tsc_hz();
	__atomic_store_n(&published[port], k->line[next].tsc_per_tick != 0 ? &k->line[next] : NULL,
			 __ATOMIC_RELEASE);
	return 0;
}

int hwclock_start(uint32_t port, uint16_t dpdk_port)
{
	struct port_clock *k = &clocks[port];
	int rc;

	hwclock_stop(port);
	if (hwclock_flag == 0 &&
	    rte_mbuf_dyn_rx_timestamp_register(&hwclock_offset, &hwclock_flag) < 0)
		return -ENOMEM;
	memset(k->line, 0, sizeof(k->line));
	k->dpdk_port = dpdk_port;
	rc = look(port);
	k->on = rc == 0;
	return rc;
}

void hwclock_stop(uint32_t port)
{
	clocks[port].on = false;
	__atomic_store_n(&published[port], NULL, __ATOMIC_RELEASE);
}

void hwclock_tick(void)
{
	for (uint32_t port = 0; port < WORKER_PORTS_MAX && hwclock_flag != 0; port++)
		if (clocks[port].on && (int64_t)(rte_rdtsc() - clocks[port].due) >= 0 &&
		    look(port) < 0)
			hwclock_stop(port);
}
