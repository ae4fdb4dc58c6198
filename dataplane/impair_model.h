/* SPDX-License-Identifier: BSD-3-Clause
 * What an impairment does to the next frame: drawn from a seeded generator, so that a run can be repeated.  Pure: the
 * data plane's delay line, and tests in virtual time, ask the same function. */
#ifndef DATAPLANE_IMPAIR_MODEL_H
#define DATAPLANE_IMPAIR_MODEL_H

#include <stdbool.h>
#include <stdint.h>

struct impair_model {
	uint32_t loss_ppm, duplicate_ppm, reorder_ppm;
	uint64_t delay_ns, jitter_ns;
	uint64_t state; /* of the generator */
};

struct impair_fate {
	bool lost, duplicated, reordered;
	uint64_t delay_ns;
};

/* splitmix64 */
static inline uint64_t impair_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static inline bool impair_chance(uint64_t *state, uint32_t ppm)
{
	return ppm != 0 && impair_random(state) % 1000000u < ppm;
}

/* The order of draws is part of what a seed means. */
static inline struct impair_fate impair_next(struct impair_model *m)
{
	struct impair_fate f = { .lost = impair_chance(&m->state, m->loss_ppm) };

	if (f.lost)
		return f;
	f.duplicated = impair_chance(&m->state, m->duplicate_ppm);
	f.reordered = impair_chance(&m->state, m->reorder_ppm);
	if (f.reordered)
		return f;
	f.delay_ns = m->delay_ns;
	if (m->jitter_ns != 0) {
		uint64_t span = 2 * m->jitter_ns + 1,
			 low = m->delay_ns > m->jitter_ns ? m->delay_ns - m->jitter_ns : 0;

		f.delay_ns = low + impair_random(&m->state) % span;
	}
	return f;
}

#endif
