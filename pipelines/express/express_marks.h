/* SPDX-License-Identifier: BSD-3-Clause
 * Part of node express: packets in a row are counted by their alternate marks (RFC 9341) as they were received, before
 * anything is written.  The usual mark is the first of the hop-by-hop options (RFC 9343); others are looked for one by
 * one. */
#ifndef PIPELINES_EXPRESS_EXPRESS_MARKS_H
#define PIPELINES_EXPRESS_EXPRESS_MARKS_H

#include "pipelines/express/express_eight.h"
#include "pipelines/pm/altmark_observe.h"

#ifdef __AVX2__

#define SOURCE_AT  (14 + 8)
#define OPTIONS_AT (14 + 40)

static __rte_always_inline uint64_t options_of(const struct rte_mbuf *m)
{
	uint64_t v;

	memcpy(&v, frame_of(m) + OPTIONS_AT, sizeof(v));
	return v;
}

/* Do all n have the first one's mark, in the usual place, and source? */
static __rte_always_inline bool one_mark(struct rte_mbuf **m, unsigned n)
{
	const __m128i source = load16(frame_of(m[0]) + SOURCE_AT);
	const uint64_t options = options_of(m[0]);
	__m128i other = _mm_setzero_si128();
	uint64_t differ = (options ^ ALTMARK_USUAL) & ALTMARK_USUAL_MASK;

#pragma GCC unroll 8
	for (unsigned i = 0; i < n; i++) {
		differ |= options_of(m[i]) ^ options;
		other = _mm_or_si128(other,
				     _mm_xor_si128(load16(frame_of(m[i]) + SOURCE_AT), source));
	}
	return differ >> 8 == 0 &&
	       _mm_testz_si128(other, other); /* the first octet: what follows */
}

/* n packets, a multiple of eight, that check6() has found usual. */
EXPRESS_APART void marks_row(struct express_run *r, struct rte_mbuf **m, unsigned n,
			     const struct eights *e)
{
	const uint8_t *first = frame_of(m[0]);
	uint8_t next = first[14 + IP6_OFF_NEXT_HEADER];
	bool usual = e->one_next && next == IP_NH_HOPOPTS &&
		     shortest_of(e->len, n) >= OPTIONS_AT + 8;

	if (r->marks.in == NULL || (e->one_next && !altmark_may_follow(&r->marks, next)))
		return;
	if (usual && one_mark(m, n)) {
		uint32_t word = altmark_usual_word(options_of(m[0]));

		if (likely((word & ALTMARK_D) == 0)) {
			altmark_run_add(&r->marks, word, first + SOURCE_AT, n,
					(uint32_t)(e->received - 14ull * n));
			return;
		}
	}
	for (unsigned i = 0; i < n; i++) {
		uint64_t options = options_of(m[i]);

		if (usual && likely((options & ALTMARK_USUAL_MASK) == ALTMARK_USUAL))
			altmark_run_one(&r->marks, altmark_usual_word(options),
					frame_of(m[i]) + SOURCE_AT, m[i]->pkt_len - 14);
		else
			altmark_observe_one(&r->marks, m[i]);
	}
}

#endif
#endif
