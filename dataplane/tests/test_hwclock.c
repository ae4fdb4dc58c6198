/* SPDX-License-Identifier: BSD-3-Clause
 * The line from a port's clock to TSC, in virtual time: the port is a mock. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "dataplane/hwclock.h"

#define HZ    2600000000ull
#define TICKS 156250000ull /* of the port's clock in a second, but for its drift */

static uint64_t tick_at(uint64_t tsc, double ppm)
{
	return 0xfffffffff0000000ull + (uint64_t)((double)tsc * TICKS / HZ * (1 + ppm * 1e-6));
}

static struct rte_mbuf m;
static const struct hwclock *line;

static void bed(void)
{
	static const struct hwclock *lines[2];

	/* offsets of the structure do for a field of its own */
	hwclock_offset = RTE_ALIGN_CEIL((int)offsetof(struct rte_mbuf, dynfield1), 8);
	hwclock_flag = 1ull << 40;
	hwclock_line = lines;
	lines[1] = line;
	m.ol_flags = hwclock_flag;
}

static bool at(uint64_t stamp, uint64_t taken, uint64_t *tsc, uint64_t *error)
{
	*RTE_MBUF_DYNFIELD(&m, hwclock_offset, uint64_t *) = stamp;
	return hwclock_rx(&m, 1, taken, HZ, tsc, error);
}

Test(hwclock, follows_a_drifting_clock_over_its_wrap)
{
	struct hwclock c = { 0 };
	uint64_t tsc, error;

	srand(1);
	c = hwclock_next(&c, HZ, tick_at(HZ, 40), 200);
	cr_assert_eq(c.tsc_per_tick, 0, "one sample is no line");
	for (unsigned s = 2; s < 30; s++) { /* the reading is off by up to 200 */
		c = hwclock_next(&c, s * HZ + (uint64_t)(rand() % 401) - 200, tick_at(s * HZ, 40),
				 200);
		cr_assert_gt(c.tsc_per_tick, 0);
		line = &c;
		bed();
		for (unsigned k = 1; k < 10; k++) {
			uint64_t came = s * HZ + k * (HZ / 10);

			cr_assert(at(tick_at(came, 40), came + 5000, &tsc, &error));
			cr_assert_leq(llabs((int64_t)(tsc - came)), (int64_t)error + 420,
				      "second %u: off by %lld, said %llu", s,
				      (long long)(tsc - came), (unsigned long long)error);
			cr_assert_leq(error, 1000);
		}
	}
}

Test(hwclock, a_clock_that_is_set_begins_a_new_line)
{
	struct hwclock c = { 0 };

	for (unsigned s = 1; s < 5; s++)
		c = hwclock_next(&c, s * HZ, tick_at(s * HZ, 0), 10);
	c = hwclock_next(&c, 5 * HZ, tick_at(5 * HZ, 0) - 3 * TICKS, 10);
	cr_assert_eq(c.tsc_per_tick, 0);
	c = hwclock_next(&c, 6 * HZ, tick_at(6 * HZ, 0) - 3 * TICKS, 10);
	cr_assert_float_eq(c.tsc_per_tick, (double)HZ / TICKS, 1e-6);
	c = hwclock_next(&c, 7 * HZ, c.tick, 10); /* it stands still */
	cr_assert_eq(c.tsc_per_tick, 0);
}

Test(hwclock, stamps_that_cannot_be_are_not_used)
{
	struct hwclock c = { .tick = 1000, .tsc = 5 * HZ, .tsc_per_tick = 2, .error_ticks = 50 };
	uint64_t tsc = 7, error = 7;

	line = &c;
	bed();
	cr_assert(at(1000 + 500, 5 * HZ + 4000, &tsc, &error));
	cr_assert(tsc == 5 * HZ + 1000 && error == 50);
	cr_assert(at(1000 - 500, 5 * HZ, &tsc, &error), "before the line's point");
	cr_assert_eq(tsc, 5 * HZ - 1000);
	cr_assert(at(1000 + 20, 5 * HZ, &tsc, &error), "ahead, within the error");
	cr_assert_eq(tsc, 5 * HZ, "never after its burst was taken");
	tsc = 7;
	cr_assert_not(at(1000 + 26, 5 * HZ, &tsc, &error), "ahead of the burst");
	cr_assert_not(at(1000, 6 * HZ + 1, &tsc, &error), "older than a second");
	cr_assert_not(at(UINT64_MAX / 2, 5 * HZ, &tsc, &error));
	m.ol_flags = 0;
	cr_assert_not(at(1000 + 500, 5 * HZ + 4000, &tsc, &error), "no stamp");
	m.ol_flags = hwclock_flag;
	line = NULL;
	bed();
	cr_assert_not(at(1000 + 500, 5 * HZ + 4000, &tsc, &error), "no line yet");
	cr_assert_eq(tsc, 7, "unchanged");
}
