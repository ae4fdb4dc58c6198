/* SPDX-License-Identifier: BSD-3-Clause
 * Alternate marking (RFC 9341): counters of a flow by block, and which packets are chosen for their delay.
 * Pure: no graph, no mbuf.  Times are nanoseconds since 1970, UTC. */
#ifndef PIPELINES_PM_ALTMARK_H
#define PIPELINES_PM_ALTMARK_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "heddle/api/altmark.h"
#include "heddle/wire/altmark.h"

/* Immutable once published. */
struct altmark_conf {
	uint64_t period_ns, guard_ns;
	uint64_t period_inv; /* 2^64 / period_ns, rounded down: altmark_block_at() */
	uint8_t d_per_block; /* 0: single marking: D is neither sent nor read (RFC 9343 section 5.2) */
	uint8_t tlv_type;    /* 0: no SRH is looked into */
};

/* Blocks kept, so that who reads them has time: a power of two. */
#define ALTMARK_SLOTS 8u

/* What one worker has seen of one flow in one block.  One writer. */
struct altmark_cell {
	uint64_t block; /* UINT64_MAX: being made anew */
	uint64_t packets, octets;
	int64_t ts_sum_ns;
	uint32_t d_n, pad;
	int64_t d_ns[HD_ALTMARK_D_MAX];
} __attribute__((aligned(128)));

static inline uint64_t altmark_inverse(uint64_t period_ns)
{
	return UINT64_MAX / period_ns;
}

/* The block at ns, without a division; *ret_in: nanoseconds into it. */
static inline uint64_t altmark_block_at(const struct altmark_conf *c, uint64_t ns, uint64_t *ret_in)
{
	uint64_t block = (uint64_t)(((unsigned __int128)ns * c->period_inv) >> 64);

	*ret_in = ns - block * c->period_ns;
	if (*ret_in >= c->period_ns) { /* what was rounded away: at most one */
		block++;
		*ret_in -= c->period_ns;
	}
	return block;
}

/* The block a packet with colour l belongs to that is seen `in` nanoseconds into `block`: the nearest one of this colour,
 * so that neither reordering nor clocks matter as long as both stay below half a block (RFC 9341 section 5). */
static inline uint64_t altmark_block_of(uint64_t period_ns, uint64_t block, uint64_t in, bool l)
{
	if ((block & 1) == l)
		return block;
	return in < period_ns / 2 ? block - 1 : block + 1;
}

/* Is a packet that is marked at ns one of those whose delay is measured?  *chosen belongs to the flow; several workers
 * may ask.  The counting interval of a block is divided into as many parts as packets are wanted; the first packet in
 * the first half of each is taken, so that they are apart. */
static inline bool altmark_choose(const struct altmark_conf *c, uint64_t ns, uint64_t *chosen)
{
	uint64_t in, block = altmark_block_at(c, ns, &in), part, k, want, was;

	if (c->d_per_block == 0 || in < c->guard_ns || in >= c->period_ns - c->guard_ns)
		return false;
	part = (c->period_ns - 2 * c->guard_ns) / c->d_per_block;
	k = (in - c->guard_ns) / part;
	if (k >= c->d_per_block || in - c->guard_ns - k * part > part / 2)
		return false;
	want = block * 8 + k + 1;
	was = __atomic_load_n(chosen, __ATOMIC_RELAXED);
	return was < want && __atomic_compare_exchange_n(chosen, &was, want, false,
							 __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* A cell begins a block: it is empty. */
static inline void altmark_cell_begin(struct altmark_cell *c, uint64_t block)
{
	__atomic_store_n(&c->block, UINT64_MAX, __ATOMIC_RELEASE);
	c->packets = c->octets = 0;
	c->ts_sum_ns = 0;
	c->d_n = 0;
	__atomic_store_n(&c->block, block, __ATOMIC_RELEASE);
}

/* The worker's cell of a block, empty if it was another's. */
static inline struct altmark_cell *altmark_cell(struct altmark_cell cell[ALTMARK_SLOTS],
						uint64_t block)
{
	struct altmark_cell *c = &cell[block % ALTMARK_SLOTS];

	if (__builtin_expect(c->block != block, 0))
		altmark_cell_begin(c, block);
	return c;
}

static inline void altmark_note_d(struct altmark_cell *c, int64_t since_ns)
{
	if (c->d_n < HD_ALTMARK_D_MAX)
		c->d_ns[c->d_n] = since_ns;
	c->d_n++;
}

/* Count a packet seen since_ns after its block began (negative: before). */
static inline void altmark_count(struct altmark_cell *c, int64_t since_ns, uint32_t octets, bool d)
{
	c->packets++;
	c->octets += octets;
	c->ts_sum_ns += since_ns;
	if (__builtin_expect(d, 0))
		altmark_note_d(c, since_ns);
}

/* Is a block complete, also for a node that is half a block late? */
static inline bool altmark_closed(uint64_t period_ns, uint64_t ns, uint64_t block)
{
	return ns >= (block + 1) * period_ns + period_ns / 2;
}

/* Add a worker's cell of ret->block to what was read of others; a cell of another block adds nothing.  Any thread. */
void altmark_sum(const struct altmark_cell *c, struct hd_api_altmark_block *ret);

/* ---- tables: altmark_tables.c ---------------------------------------------------------------------------------- */

struct altmark_state { /* outlives changes of the flow */
	uint64_t chosen;
	struct altmark_cell cell[][ALTMARK_SLOTS]; /* by worker id */
};

struct altmark_flow {
	uint32_t flow_id, mon_id;
	struct ip6_addr source;
	struct altmark_state *state;
	struct altmark_flow *next; /* with the same FlowMonID */
};

int altmark_init(void);
void altmark_fini(void);

/* For workers; NULL: none. */
const struct altmark_conf *altmark_conf_get(void);
bool altmark_iface_counts(uint32_t iface_id);

/* Flows by FlowMonID, which are random (RFC 9343 section 5.3). */
#define ALTMARK_BUCKETS 4096u
extern struct altmark_flow *altmark_bucket[ALTMARK_BUCKETS];
static inline struct altmark_flow *altmark_flow_find(uint32_t mon_id, const struct ip6_addr *source)
{
	struct altmark_flow *f =
		__atomic_load_n(&altmark_bucket[mon_id % ALTMARK_BUCKETS], __ATOMIC_ACQUIRE);

	while (f != NULL && (f->mon_id != mon_id || !ip6_addr_eq(&f->source, source)))
		f = __atomic_load_n(&f->next, __ATOMIC_ACQUIRE);
	return f;
}

/* ---- packet path: altmark_path.c ------------------------------------------------------------------------------- */

struct rte_mbuf;
struct worker;
struct srv6_extra;
/* An rx_observer_fn: all go on. */
unsigned altmark_observe(struct worker *w, struct rte_mbuf **m, unsigned n, uint16_t port);
/* A mark in the outer headers of a policy; x is the first member of a struct altmark_mark. */
void altmark_stamp(const struct srv6_extra *x, uint8_t *at, uint32_t total);

#endif
