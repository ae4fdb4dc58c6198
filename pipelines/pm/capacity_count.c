/* SPDX-License-Identifier: BSD-3-Clause
 * Counting of load packets.  Bare section numbers mean RFC 9097. */
#include "pipelines/pm/capacity_count.h"

#include <string.h>

void capacity_count_init(struct capacity_count *c, uint64_t sub_ns)
{
	memset(c, 0, sizeof(*c));
	c->sub_ns = sub_ns;
}

static void span_begin(struct capacity_span *s, uint64_t now)
{
	*s = (struct capacity_span){ .begin_ns = now,
				     .delay_min = INT64_MAX,
				     .delay_max = INT64_MIN };
}

static uint32_t clamp32(uint64_t v)
{
	return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

/* a - b of a >= b; they may be anything, since the sender's time stamps may. */
static uint64_t above(int64_t a, int64_t b)
{
	return (uint64_t)a - (uint64_t)b;
}

static void span_tally(const struct capacity_count *c, const struct capacity_span *s, uint64_t now,
		       struct capacity_tally *t)
{
	*t = (struct capacity_tally){
		.us = clamp32((now - s->begin_ns) / 1000),
		.packets = s->packets,
		.octets = s->octets,
		/* what came late was missing in a span before, perhaps: never less than none */
		.lost = s->gaps > s->found ? s->gaps - s->found : 0,
		.reordered = s->found,
		.duplicates = s->duplicates,
	};
	if (s->packets != 0) {
		t->delay_min = clamp32(above(s->delay_min, c->floor));
		t->delay_max = clamp32(above(s->delay_max, c->floor));
	}
	if (s->variation_n != 0)
		t->variation = clamp32(s->variation_sum / s->variation_n);
}

void capacity_count_roll(struct capacity_count *c, uint64_t now_ns)
{
	while (c->begun && now_ns - c->sub.begin_ns >= c->sub_ns &&
	       (int64_t)(now_ns - c->sub.begin_ns) > 0) {
		uint64_t end = c->sub.begin_ns + c->sub_ns;

		span_tally(c, &c->sub, end, &c->closed);
		c->subs++;
		span_begin(&c->sub, end);
	}
}

void capacity_count_take(struct capacity_count *c, uint64_t now_ns, struct capacity_tally *ret)
{
	span_tally(c, &c->interval, now_ns, ret);
	span_begin(&c->interval, now_ns);
}

static bool test_and_set(struct capacity_count *c, uint32_t seq)
{
	uint64_t *word = &c->seen[seq % CAPACITY_WINDOW / 64], bit = 1ull << seq % 64;
	bool was = (*word & bit) != 0;

	*word |= bit;
	return was;
}

/* Numbers up to seq are expected now: none of them was seen. */
static void advance(struct capacity_count *c, uint32_t seq)
{
	uint32_t n = seq - c->next + 1;

	if (n >= CAPACITY_WINDOW)
		memset(c->seen, 0, sizeof(c->seen));
	else
		for (uint32_t i = c->next; i != seq + 1; i++)
			c->seen[i % CAPACITY_WINDOW / 64] &= ~(1ull << i % 64);
	c->next = seq + 1;
}

/* Both spans see the same. */
static void add(struct capacity_span *s, uint32_t octets, int64_t delay, uint64_t variation,
		bool varies)
{
	s->packets++;
	s->octets += octets;
	if (delay < s->delay_min)
		s->delay_min = delay;
	if (delay > s->delay_max)
		s->delay_max = delay;
	s->variation_sum += varies ? variation : 0;
	s->variation_n += varies;
}

void capacity_count_load(struct capacity_count *c, uint32_t seq, uint32_t octets, uint64_t tx_ns,
			 uint64_t rx_ns)
{
	int64_t delay = (int64_t)(rx_ns - tx_ns);
	bool first = !c->begun, late = !first && (int32_t)(seq - c->next) < 0;

	if (first) { /* T of section 4 */
		c->begun = true;
		span_begin(&c->interval, rx_ns);
		span_begin(&c->sub, rx_ns);
		c->floor = delay;
	}
	capacity_count_roll(c, rx_ns);
	if (late && c->next - seq > CAPACITY_WINDOW) {
		c->stale++;
		return;
	}
	if (!late) {
		uint32_t gap = seq - c->next;

		c->interval.gaps += gap;
		c->sub.gaps += gap;
		advance(c, seq);
		c->newest_tx = tx_ns;
		c->newest_rx = rx_ns;
	}
	if (test_and_set(c, seq)) {
		c->interval.duplicates++;
		c->sub.duplicates++;
		return; /* a copy is no capacity */
	}
	if (late) {
		c->interval.found++;
		c->sub.found++;
	}
	if (delay < c->floor)
		c->floor = delay;
	uint64_t variation = delay > c->last_delay ? above(delay, c->last_delay) :
						     above(c->last_delay, delay);
	add(&c->interval, octets, delay, variation, !first);
	add(&c->sub, octets, delay, variation, !first);
	c->last_delay = delay;
	c->packets++;
}
