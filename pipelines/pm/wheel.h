/* SPDX-License-Identifier: BSD-3-Clause
 * Timer wheel of one worker: what is due, in constant time and without allocation.  Entries are numbers; each is armed
 * once at most.  A slot holds all entries whose moment falls into it, also those of later turns of the wheel. */
#ifndef PIPELINES_PM_WHEEL_H
#define PIPELINES_PM_WHEEL_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define WHEEL_SLOTS 4096u
#define WHEEL_NONE  UINT32_MAX

struct wheel_entry {
	uint64_t due;
	uint32_t next;
	bool armed;
};

struct wheel {
	struct wheel_entry *entry; /* of the caller, by number */
	unsigned shift;            /* a slot is 2^shift ticks */
	uint64_t cursor;           /* slots before it (moment >> shift) hold nothing that is due */
	uint64_t next;             /* nothing is due before */
	uint32_t head[WHEEL_SLOTS];
};

static inline void wheel_init(struct wheel *w, struct wheel_entry *entry, unsigned shift,
			      uint64_t now)
{
	w->entry = entry;
	w->shift = shift;
	w->cursor = now >> shift;
	w->next = UINT64_MAX;
	memset(w->head, 0xff, sizeof(w->head));
}

/* A moment that has passed is due at once. */
static inline void wheel_arm(struct wheel *w, uint32_t i, uint64_t due)
{
	struct wheel_entry *e = &w->entry[i];
	uint64_t slot = due >> w->shift;

	if (slot < w->cursor)
		slot = w->cursor;
	e->due = due;
	e->armed = true;
	e->next = w->head[slot % WHEEL_SLOTS];
	w->head[slot % WHEEL_SLOTS] = i;
	if (due < w->next)
		w->next = due;
}

/* Disarm an entry whose moment is still to come. */
static inline void wheel_disarm(struct wheel *w, uint32_t i)
{
	struct wheel_entry *e = &w->entry[i];
	uint32_t *at = &w->head[(e->due >> w->shift) % WHEEL_SLOTS];

	if (!e->armed)
		return;
	while (*at != WHEEL_NONE && *at != i)
		at = &w->entry[*at].next;
	if (*at != i)
		return; /* its moment had passed when it was armed: it is due at once */
	*at = e->next;
	e->armed = false;
}

/* The earliest moment in the slots from the cursor on; a whole turn further if there is none in this one. */
static inline void wheel_look(struct wheel *w)
{
	for (uint64_t slot = w->cursor; slot < w->cursor + WHEEL_SLOTS; slot++) {
		uint64_t first = UINT64_MAX;

		for (uint32_t i = w->head[slot % WHEEL_SLOTS]; i != WHEEL_NONE;
		     i = w->entry[i].next)
			if (w->entry[i].due >> w->shift <= slot && w->entry[i].due < first)
				first = w->entry[i].due;
		if (first != UINT64_MAX) {
			w->next = first;
			return;
		}
	}
	w->next = (w->cursor + WHEEL_SLOTS) << w->shift;
}

/* Take up to max entries that are due; they are not armed any more. */
static inline unsigned wheel_take(struct wheel *w, uint64_t now, uint32_t *ret, unsigned max)
{
	uint64_t last = now >> w->shift;
	unsigned n = 0;

	if (now < w->next)
		return 0;
	if (last - w->cursor >= WHEEL_SLOTS) /* away for a whole turn: each slot once is enough */
		w->cursor = last - (WHEEL_SLOTS - 1);
	for (;; w->cursor++) {
		uint32_t *at = &w->head[w->cursor % WHEEL_SLOTS];

		while (*at != WHEEL_NONE && n < max) {
			struct wheel_entry *e = &w->entry[*at];

			if (e->due > now) {
				at = &e->next;
				continue;
			}
			e->armed = false;
			ret[n++] = *at;
			*at = e->next;
		}
		if (n == max)
			return n; /* `next` has passed: there may be more */
		if (w->cursor >= last)
			break;
	}
	wheel_look(w);
	return n;
}

#endif
