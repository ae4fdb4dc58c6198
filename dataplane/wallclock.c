/* SPDX-License-Identifier: BSD-3-Clause
 * See wallclock.h.  Lines rotate through a few buffers: a reader keeps one for a burst, the writer comes back to it
 * seconds later. */
#include "dataplane/wallclock.h"

#include <math.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

#include <rte_cycles.h>

#include "dataplane/stats.h"

#define LINES        8u
#define SAMPLES      5u
#define SLOPE_WEIGHT 0.25  /* of a new measurement of the slope */
#define DRIFT_MAX    0.001 /* a slope further off than this comes from a step in between */
#define CALIBRATE_MS \
	20 /* at the start: rte_get_tsc_hz() may be wrong by a part in 500 on virtual machines */

static struct wallclock lines[LINES];
static unsigned current;
static uint64_t due; /* TSC of the next sample */
static uint64_t *gauge;
const struct wallclock *wallclock_line = &lines[0];

struct sample {
	uint64_t tsc, ns, half_ns;
};

static uint64_t realtime_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The tightest of a few. */
static struct sample sample_take(void)
{
	struct sample best = { .half_ns = UINT64_MAX };
	uint64_t width = UINT64_MAX;

	for (unsigned i = 0; i < SAMPLES; i++) {
		uint64_t t0 = rte_rdtsc_precise(), ns = realtime_ns(), t1 = rte_rdtsc_precise();

		if (t1 - t0 >= width)
			continue;
		width = t1 - t0;
		best = (struct sample){ t0 + width / 2, ns, 0 };
	}
	best.half_ns = (uint64_t)((double)width * 0.5e9 / (double)rte_get_tsc_hz()) + 1;
	return best;
}

/* What the kernel knows of its clock's relation to UTC. */
static void kernel_state(struct wallclock *w)
{
	struct timex t = { 0 };
	int rc = adjtimex(&t);

	w->synchronised = rc >= 0 && rc != TIME_ERROR && (t.status & STA_UNSYNC) == 0;
	w->sync_error_ns = rc < 0 || !w->synchronised ? UINT64_MAX : (uint64_t)t.maxerror * 1000u;
	w->tai_s = rc < 0 ? 0 : t.tai;
}

struct wallclock wallclock_next(const struct wallclock *old, uint64_t tsc, uint64_t ns,
				uint64_t half_ns)
{
	struct wallclock w = *old;
	uint64_t said = wallclock_at(old, tsc);
	int64_t error = (int64_t)(ns - said);
	double cycles = (double)(tsc - old->tsc), measured = old->slope;

	if (error > WALLCLOCK_STEP_NS || error < -WALLCLOCK_STEP_NS) {
		w.epoch++;
		w.tsc = tsc;
		w.ns = ns;
		w.mult = (uint64_t)(w.slope * 4294967296.0);
		w.error_ns = half_ns;
		return w;
	}
	if (cycles > 0) {
		/* the error at the last sample is gone by now, so what there is comes from the slope alone */
		measured = old->slope + (double)error / cycles;
		if (fabs(measured / old->slope - 1) < DRIFT_MAX)
			w.slope += SLOPE_WEIGHT * (measured - w.slope);
	}
	w.tsc = tsc;
	w.ns = said; /* continuous here; the error goes within as many cycles as since the last sample */
	w.mult = (uint64_t)((w.slope + (cycles > 0 ? (double)error / cycles : 0)) * 4294967296.0);
	w.error_ns = half_ns + (uint64_t)(error < 0 ? -error : error);
	return w;
}

static void publish(const struct wallclock *w)
{
	current = (current + 1) % LINES;
	lines[current] = *w;
	__atomic_store_n(&wallclock_line, &lines[current], __ATOMIC_RELEASE);
	if (gauge == NULL)
		return;
	gauge[0] = w->error_ns;
	gauge[1] = (uint64_t)(int64_t)((w->slope * (double)rte_get_tsc_hz() / 1e9 - 1) * 1e9);
	gauge[2] = w->epoch;
	gauge[3] = w->synchronised;
	gauge[4] = w->sync_error_ns == UINT64_MAX ? 0 : w->sync_error_ns;
}

int wallclock_init(void)
{
	static const char *const cols[] = { "error-ns",     "drift-ppb",     "epoch",
					    "synchronised", "sync-error-ns", NULL };
	int vec = stats_vec_add("clock", HD_STATS_GAUGE, 1, cols, NULL);
	struct wallclock w = { 0 };
	struct sample first, s;

	if (vec < 0)
		return vec;
	first = sample_take();
	rte_delay_us_sleep(CALIBRATE_MS * 1000);
	s = sample_take();
	gauge = stats_slice(
		vec, stats_hdr()->n_vecs != 0 ? hd_stats_vecs(stats_hdr())[vec].n_slices - 1 : 0);
	w.slope = (double)(s.ns - first.ns) / (double)(s.tsc - first.tsc);
	w.mult = (uint64_t)(w.slope * 4294967296.0);
	w.tsc = s.tsc;
	w.ns = s.ns;
	w.error_ns = s.half_ns;
	kernel_state(&w);
	publish(&w);
	due = s.tsc + rte_get_tsc_hz();
	return 0;
}

void wallclock_tick(void)
{
	struct wallclock w;
	struct sample s;

	if ((int64_t)(rte_rdtsc() - due) < 0)
		return;
	s = sample_take();
	w = wallclock_next(wallclock_get(), s.tsc, s.ns, s.half_ns);
	kernel_state(&w);
	publish(&w);
	due = s.tsc + rte_get_tsc_hz();
}
