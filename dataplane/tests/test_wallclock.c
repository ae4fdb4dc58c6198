/* SPDX-License-Identifier: BSD-3-Clause
 * The line from TSC to wall time, in virtual time. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "dataplane/wallclock.h"

#define HZ    2450000000ull
#define START 1790000000000000000ull

/* Real time of a TSC whose true frequency is off by ppm. */
static uint64_t true_ns(uint64_t tsc, double ppm)
{
	return START + (uint64_t)((double)tsc * (1e9 / (double)HZ) / (1 + ppm * 1e-6));
}

static struct wallclock begin(void)
{
	struct wallclock w = { .ns = START, .slope = 1e9 / (double)HZ };

	w.mult = (uint64_t)(w.slope * 4294967296.0);
	return w;
}

Test(wallclock, follows_a_drifting_crystal)
{
	struct wallclock w = begin();
	double ppm = 200;

	srand(1);
	for (unsigned s = 1; s <= 60; s++) {
		uint64_t tsc = s * HZ, before = wallclock_at(&w, tsc);

		w = wallclock_next(&w, tsc, true_ns(tsc, ppm) + (uint64_t)(rand() % 41) - 20, 25);
		cr_assert_leq(llabs((int64_t)(wallclock_at(&w, tsc) - before)), 1,
			      "never jumps (second %u)", s);
		cr_assert_eq(w.epoch, 0);
		if (s > 30)
			for (unsigned k = 0; k < 10; k++) {
				uint64_t t = tsc + k * HZ / 10;

				cr_assert_leq(
					llabs((int64_t)(wallclock_at(&w, t) - true_ns(t, ppm))),
					300, "second %u", s);
			}
	}
}

Test(wallclock, never_runs_back)
{
	struct wallclock w = begin();
	uint64_t last = 0;

	srand(2);
	for (unsigned s = 1; s <= 200; s++) {
		for (unsigned k = 0; k <= 100; k++) {
			uint64_t now = wallclock_at(&w, (s - 1) * HZ + k * (HZ / 100));

			cr_assert_geq(now, last);
			last = now;
		}
		/* samples with errors up to the step threshold */
		w = wallclock_next(&w, s * HZ,
				   true_ns(s * HZ, 0) + (uint64_t)(rand() % 400000) - 200000, 100);
	}
}

Test(wallclock, a_step_of_the_system_clock_shows)
{
	struct wallclock w = begin();
	uint64_t second = 1000000000;

	w = wallclock_next(&w, HZ, true_ns(HZ, 0), 20);
	cr_assert_eq(w.epoch, 0);
	w = wallclock_next(&w, 2 * HZ, true_ns(2 * HZ, 0) + second, 20);
	cr_assert_eq(w.epoch, 1);
	cr_assert_eq(wallclock_at(&w, 2 * HZ), true_ns(2 * HZ, 0) + second);
	cr_assert_leq(llabs((int64_t)(wallclock_at(&w, 3 * HZ) - true_ns(3 * HZ, 0) - second)),
		      100);
	w = wallclock_next(&w, 3 * HZ, true_ns(3 * HZ, 0) + second, 20);
	cr_assert_eq(w.epoch, 1);
}

Test(wallclock, looks_back_a_little)
{
	struct wallclock w = begin();

	w = wallclock_next(&w, HZ, true_ns(HZ, 0), 20);
	cr_assert_leq(llabs((int64_t)(wallclock_at(&w, HZ - 2450) - true_ns(HZ, 0) + 1000)), 2);
}
