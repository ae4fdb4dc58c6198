/* SPDX-License-Identifier: BSD-3-Clause
 * Counting received packets by their alternate marks (RFC 9341, RFC 9343 section 4): what altmark_path.c, which knows all
 * places of a mark, shares with node express, which counts the usual ones in rows. */
#ifndef PIPELINES_PM_ALTMARK_OBSERVE_H
#define PIPELINES_PM_ALTMARK_OBSERVE_H

#include <immintrin.h>

#include <rte_branch_prediction.h>
#include <rte_mbuf.h>

#include "pipelines/l2/l2.h"
#include "pipelines/pm/altmark.h"

/* What holds for packets of one port that were received at one time. */
struct altmark_run {
	const struct altmark_conf *conf;
	const struct iface *in; /* of the port's untagged frames; NULL: its packets are not counted */
	struct altmark_colour {
		uint64_t block;
		int64_t since_ns;
		size_t cell; /* octets from a flow's state to this worker's cell of the block */
	} colour[2];         /* by L */
	uint16_t port;
	/* packets of one flow and colour in a row, not counted yet */
	const struct altmark_flow *flow; /* NULL: nobody's */
	uint32_t key; /* FlowMonID and L, as in the word; of all, also of nobody's */
	__m128i source;
	uint32_t n;
	uint64_t octets;
};
#define ALTMARK_KEY (0xfffff000u | ALTMARK_L)

static __rte_always_inline const struct altmark_colour *
altmark_colour_of(const struct altmark_run *r, uint32_t word)
{
	return &r->colour[(word & ALTMARK_L) != 0];
}

static __rte_noinline __rte_unused void altmark_cell_renew(struct altmark_cell *c, uint64_t block)
{
	altmark_cell_begin(c, block);
}

/* This worker's cell of a flow in the block of a colour. */
static __rte_always_inline struct altmark_cell *altmark_cell_of(const struct altmark_flow *f,
								const struct altmark_colour *l)
{
	struct altmark_cell *c = (struct altmark_cell *)(void *)((uint8_t *)f->state + l->cell);

	if (unlikely(c->block != l->block))
		altmark_cell_renew(c, l->block);
	return c;
}

static __rte_always_inline void altmark_cell_add(struct altmark_cell *c,
						 const struct altmark_colour *l, uint64_t n,
						 uint64_t octets)
{
	c->packets += n;
	c->octets += octets;
	c->ts_sum_ns += (int64_t)n * l->since_ns;
}

/* Count the packets in a row. */
static __rte_always_inline void altmark_run_end(struct altmark_run *r)
{
	const struct altmark_colour *l = altmark_colour_of(r, r->key);

	if (r->n != 0)
		altmark_cell_add(altmark_cell_of(r->flow, l), l, r->n, r->octets);
	r->n = 0;
	r->octets = 0;
}

/* Packets of one mark and source, which is no delay packet. */
static __rte_always_inline void altmark_run_add(struct altmark_run *r, uint32_t word,
						const uint8_t *source, uint32_t n, uint32_t octets)
{
	__m128i from = _mm_loadu_si128((const __m128i *)(const void *)source);
	__m128i other = _mm_xor_si128(from, r->source);

	if (unlikely((word & ALTMARK_KEY) != r->key || !_mm_testz_si128(other, other))) {
		altmark_run_end(r);
		r->key = word & ALTMARK_KEY;
		r->source = from;
		r->flow = altmark_flow_find(altmark_id(word), (const struct ip6_addr *)source);
	}
	if (unlikely(r->flow == NULL))
		return;
	r->n += n;
	r->octets += octets;
}

/* A packet by itself. */
static __rte_always_inline void altmark_run_one(struct altmark_run *r, uint32_t word,
						const uint8_t *source, uint32_t octets)
{
	const struct altmark_flow *f =
		altmark_flow_find(altmark_id(word), (const struct ip6_addr *)source);
	const struct altmark_colour *l = altmark_colour_of(r, word);
	struct altmark_cell *c;

	if (f == NULL)
		return;
	c = altmark_cell_of(f, l);
	altmark_cell_add(c, l, 1, octets);
	if (unlikely((word & ALTMARK_D) != 0) && r->conf->d_per_block != 0)
		altmark_note_d(c, l->since_ns);
}

/* Packets of a port begin, all received at tsc.  False: nobody counts.  Then every packet goes by altmark_run_add(),
 * altmark_run_one() or altmark_observe_one(), and at last altmark_run_end() is called. */
bool altmark_run_begin(struct altmark_run *r, const struct worker *w, uint16_t port, uint64_t tsc);

/* Can there be a mark behind this next header?  An SRH is looked into only where marks are sent in it. */
static __rte_always_inline bool altmark_may_follow(const struct altmark_run *r, uint8_t next)
{
	return next == IP_NH_HOPOPTS || next == IP_NH_DSTOPTS ||
	       (next == IP_NH_ROUTING && r->conf->tlv_type != 0);
}

/* The 8 octets behind the IPv6 header, as loaded; what is behind the first one of a usual packet, but for the word. */
#define ALTMARK_USUAL      ((uint64_t)(ALTMARK_DATA_LEN << 24 | ALTMARK_OPT << 16))
#define ALTMARK_USUAL_MASK 0xffffff00ull
static __rte_always_inline uint32_t altmark_usual_word(uint64_t options)
{
	return __builtin_bswap32((uint32_t)(options >> 32));
}

/* Any frame, usual or not. */
void altmark_observe_one(struct altmark_run *r, const struct rte_mbuf *m);

#endif
