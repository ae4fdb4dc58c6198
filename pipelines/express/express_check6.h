/* SPDX-License-Identifier: BSD-3-Clause
 * Part of node express: the checks of IPv6 packets, eight at a time, and their result words. */
#ifndef PIPELINES_EXPRESS_EXPRESS_CHECK6_H
#define PIPELINES_EXPRESS_EXPRESS_CHECK6_H

#include "pipelines/express/express_ask.h"

#ifdef __AVX2__

/* What check4() does, for IPv6.  Of inner packets it is not told what they have in common. */
static __rte_always_inline unsigned check6(struct express_run *r, struct rte_mbuf **m, unsigned n,
					   const struct table *t, struct eights *e,
					   const struct eights *outer, unsigned in)
{
	const struct eight_consts *c8 = eight_consts_get();
	/* octets 0 .. 31 of the frame: MAC, ethertype and version must be the same; 15: traffic class, 20: next
	 * header */
	const __m256i eth = _mm256_inserti128_si256(
		_mm256_castsi128_si256(r->lane.eth6),
		_mm_cvtsi64_si128((long long)frame_of(m[0])[in + 20] << 32), 1);
	const __m256i next_mask = _mm256_set_epi64x(0, 0xffll << 32, 0, 0);
	const __m256i ecn_mask = _mm256_set_epi64x(0, 0, 0x30ll << 56, 0);
	const __m256i eth_mask =
		_mm256_inserti128_si256(_mm256_castsi128_si256(ETH_MASK6), _mm_setzero_si128(), 1);
	/* octets 22 .. 53, the addresses: the first octets must be 0x20 .. 0xfd (no multicast, link-local, loopback,
	 * unspecified or mapped address), so not above 0xdd once 0x20 is taken off */
	const __m256i less = _mm256_set_epi64x(0, 0xe0, 0, 0xe0);
	const __m256i limit = _mm256_set_epi64x(-1, ~0x22ll, -1, ~0x22ll);
	const uintptr_t ahead = (uintptr_t)frame_of(m[0]) - (uintptr_t)m[0];
	const __m256i says = says_of(m[0]);
	const unsigned to_dst = in + 14 + 24;
	/* and, of frames, what is behind it */
	const __m256i dst0 = outer == NULL ?
				     load32(frame_of(m[0]) + to_dst) :
				     _mm256_castsi128_si256(load16(frame_of(m[0]) + to_dst));
	struct fib_span one;
	const enum fib_ask who = outer == NULL ? FIB_ASK_ROUTE : FIB_ASK_INNER;
	/* fewer than eight are not taken here */
	const struct fib_span *const span =
		likely(n >= EIGHT) ? span_likely(r, t, who, m, n, to_dst, &one) : NULL;
	const uint8_t *dst[NODE_CHUNK_WIDE];
	__m256i seen = _mm256_setzero_si256(), received = seen, octets = seen, longest = seen;
	__m256i other_dst = seen;
	unsigned i;

	for (i = 0; i + EIGHT <= n; i += EIGHT) {
		struct rte_mbuf **g = m + i;
		__m256i front = _mm256_setzero_si256(), top = front, c, have, frame, odd,
			other = front;
		uint8_t *p[EIGHT];

		if (outer == NULL && i + 2 * EIGHT <= n)
			eight_prefetch(g + EIGHT, ahead);
#pragma GCC unroll 8
		for (unsigned k = 0; k < EIGHT; k++) {
			p[k] = frame_of(g[k]) + in;
			if (outer == NULL)
				front = _mm256_or_si256(front, _mm256_xor_si256(load32(p[k]), eth));
			top = _mm256_max_epu8(top, _mm256_add_epi8(load32(p[k] + 22), less));
		}
		if (outer == NULL) {
			c = eight_first(p, 14 + 4); /* payload length, next header, hop limit */
			have = eight_says(g, says, &other);
		} else {
			__m256i two[2];

			eight_two(p, 14, two);
			front = _mm256_xor_si256(two[0], K8(c8, version6));
			c = two[1];
			have = _mm256_sub_epi32(load8(&outer->len[i]), _mm256_set1_epi32((int)in));
		}
		frame = _mm256_add_epi32(_mm256_shuffle_epi8(c, K8(c8, swap16low)), K8(c8, frame6));
		odd = _mm256_or_si256(_mm256_cmpgt_epi32(frame, have),
				      _mm256_cmpgt_epi32(K8(c8, two), _mm256_srli_epi32(c, 24)));
		odd = _mm256_or_si256(odd, _mm256_subs_epu8(top, limit));
		if (unlikely(!_mm256_testz_si256(other, SAYS_MASK) ||
			     !_mm256_testz_si256(front,
						 outer == NULL ? eth_mask : K8(c8, version_mask)) ||
			     !_mm256_testz_si256(odd, odd)))
			break;
		store8(&e->len[i], frame);
		received = _mm256_add_epi32(received, have);
		octets = _mm256_add_epi32(octets, frame);
		longest = _mm256_max_epu32(longest, frame);
		if (outer == NULL)
			seen = _mm256_or_si256(seen, front);
		if (span != NULL) {
#pragma GCC unroll 8
			for (unsigned k = 0; k < EIGHT; k++) {
				const uint8_t *to = p[k] + 14 + 24;

				other_dst = _mm256_or_si256(
					other_dst,
					_mm256_xor_si256(outer == NULL ?
								 load32(to) :
								 _mm256_castsi128_si256(load16(to)),
							 dst0));
			}
		} else {
#pragma GCC unroll 8
			for (unsigned k = 0; k < EIGHT; k++)
				dst[i + k] = p[k] + 14 + 24;
		}
	}
	if (i == 0)
		return 0;
	e->one_next = _mm256_testz_si256(seen, next_mask);
	e->ecn = !_mm256_testz_si256(seen, ecn_mask);
	e->received = sum8(received);
	e->octets = sum8(octets);
	e->longest = max8(longest);
	e->behind = span != NULL ? (uint64_t)_mm256_extract_epi64(other_dst, 2) : UINT64_MAX;
	if (span != NULL &&
	    likely(_mm_testz_si128(_mm256_castsi256_si128(other_dst), span_mask(span)))) {
		words_fill(e, i, span->result);
		return i;
	}
	if (unlikely(span != NULL)) { /* there is a stranger */
		for (unsigned k = 0; k < i; k++)
			dst[k] = frame_of(m[k]) + to_dst;
	}
	words_ask(r, t, who, dst, e->word, i);
	e->differ = words_differ8(e->word, i);
	return i;
}

#endif
#endif
