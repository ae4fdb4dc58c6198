/* SPDX-License-Identifier: BSD-3-Clause
 * Sequence tracker; definitions in seq.h. */
#include "bench/traffic/seq.h"

#include <string.h>

void seq_reset(struct seq_track *t, uint32_t window, uint64_t *seen)
{
	memset(t, 0, sizeof(*t));
	memset(seen, 0, window / 8);
	t->seen = seen;
}

enum seq_kind seq_add(struct seq_track *t, uint32_t window, uint32_t seq)
{
	uint32_t mask = window - 1;
	uint64_t bit = 1ull << (seq & 63);
	uint64_t *word = &t->seen[(seq & mask) / 64];

	if (seq >= t->next) {
		if (seq - t->next >= window)
			memset(t->seen, 0, window / 8);
		else
			for (uint32_t i = t->next; i != seq; i++)
				t->seen[(i & mask) / 64] &= ~(1ull << (i & 63));
		*word |= bit;
		t->next = seq + 1;
		t->unique++;
		return SEQ_IN_ORDER;
	}
	if (t->next - seq > window) {
		t->late++;
		return SEQ_LATE;
	}
	if (*word & bit) {
		t->duplicate++;
		return SEQ_DUPLICATE;
	}
	*word |= bit;
	t->unique++;
	t->reordered++;
	if (t->next - 1 - seq > t->max_behind)
		t->max_behind = t->next - 1 - seq;
	return SEQ_REORDERED;
}
