/* SPDX-License-Identifier: BSD-3-Clause
 * Wall time for the packet path: a line from TSC to CLOCK_REALTIME, disciplined every second by the control thread.
 * Workers turn a TSC value into nanoseconds with a subtraction and a multiplication; no system call, no lock.
 * An error of the line is taken out by its slope over the next second, so time neither jumps nor runs back; only when
 * the system's clock was stepped by more than WALLCLOCK_STEP_NS does the line step too, and says so in its epoch. */
#ifndef DATAPLANE_WALLCLOCK_H
#define DATAPLANE_WALLCLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define WALLCLOCK_STEP_NS 500000

struct wallclock {
	uint64_t tsc, ns;       /* a point of the line; ns: since 1970, UTC */
	uint64_t mult;          /* 2^-32 ns per cycle */
	double slope;           /* ns per cycle as measured, without the correction in mult */
	uint64_t error_ns;      /* half of what a sample took, plus the last error of the line */
	uint32_t epoch;         /* grows when the clock was stepped */
	int32_t tai_s;          /* TAI - UTC as the kernel knows it; 0: it does not */
	bool synchronised;      /* to UTC, as the kernel says (adjtimex) */
	uint64_t sync_error_ns; /* its own bound of the offset to UTC; UINT64_MAX: none */
};

/* The line in force; good until the end of the burst. */
extern const struct wallclock *wallclock_line;
static inline const struct wallclock *wallclock_get(void)
{
	return __atomic_load_n(&wallclock_line, __ATOMIC_ACQUIRE);
}

/* tsc may lie a little before the line's point. */
static inline uint64_t wallclock_at(const struct wallclock *w, uint64_t tsc)
{
	int64_t cycles = (int64_t)(tsc - w->tsc);

	return w->ns + (uint64_t)(int64_t)(((__int128)cycles * (__int128)w->mult) >> 32);
}

/* Measure and publish the first line (EAL is up), then once a second from the control loop's tick. */
int wallclock_init(void);
void wallclock_tick(void);

/* The line that follows `old` after a sample: at tsc the system's clock said ns, within +-half_ns.  Pure. */
struct wallclock wallclock_next(const struct wallclock *old, uint64_t tsc, uint64_t ns,
				uint64_t half_ns);

#endif
