/* SPDX-License-Identifier: BSD-3-Clause
 * Part of node express: the checks of IPv4 packets, eight at a time, and their result words. */
#ifndef PIPELINES_EXPRESS_EXPRESS_CHECK4_H
#define PIPELINES_EXPRESS_EXPRESS_CHECK4_H

#include "pipelines/express/express_ask.h"

#ifdef __AVX2__

/* RFC 1071: both 16-bit halves of each word. */
static __rte_always_inline __m256i halves(const struct eight_consts *k, __m256i w)
{
	return _mm256_add_epi32(_mm256_and_si256(w, K8(k, low16)), _mm256_srli_epi32(w, 16));
}

/* Addresses that are no unicast (first octet 0 or above 223) or loopback: not 0. */
static __rte_always_inline __m256i odd_addresses(const struct eight_consts *k, __m256i src,
						 __m256i dst)
{
	__m256i first =
		_mm256_or_si256(_mm256_and_si256(src, K8(k, low8)),
				_mm256_and_si256(_mm256_slli_epi32(dst, 8), K8(k, second8)));
	__m256i less = _mm256_add_epi8(first, K8(k, low16)); /* minus 1 */

	return _mm256_or_si256(_mm256_subs_epu8(less, K8(k, limit)),
			       _mm256_cmpeq_epi8(first, K8(k, loopback)));
}

/* What usual4() asks of each.
 *   c  columns of the header; total: octets of IP, frame: and of Ethernet; have: received */
static __rte_always_inline bool eight_usual4(const struct eight_consts *k, const __m256i c[5],
					     __m256i total, __m256i frame, __m256i have)
{
	__m256i sum, odd;

	sum = _mm256_add_epi32(_mm256_add_epi32(_mm256_add_epi32(halves(k, c[0]), halves(k, c[1])),
						_mm256_add_epi32(halves(k, c[2]), halves(k, c[3]))),
			       halves(k, c[4]));
	/* the sum is below 2^20: folded once, it is 0xffff only if it is a multiple of that */
	odd = _mm256_xor_si256(halves(k, sum), K8(k, all16));
	odd = _mm256_or_si256(odd, odd_addresses(k, c[3], c[4]));
	odd = _mm256_or_si256(odd, _mm256_cmpgt_epi32(frame, have));
	odd = _mm256_or_si256(odd, _mm256_cmpgt_epi32(K8(k, shortest), total));
	odd = _mm256_or_si256(odd,
			      _mm256_cmpgt_epi32(K8(k, two), _mm256_and_si256(c[2], K8(k, low8))));
	return _mm256_testz_si256(odd, odd);
}

/* Version 4, no options. */
static __rte_always_inline bool eight_version4(const struct eight_consts *k, __m256i first)
{
	__m256i odd = _mm256_xor_si256(_mm256_and_si256(first, K8(k, low8)), K8(k, version4));

	return _mm256_testz_si256(odd, odd);
}

/* ip4_ttl_decrement() of the words with TTL and checksum. */
static __rte_always_inline __m256i eight_ttl(const struct eight_consts *k, __m256i w)
{
	__m256i carry = _mm256_cmpgt_epi32(_mm256_srli_epi32(w, 16), K8(k, last16));

	return _mm256_add_epi32(_mm256_add_epi32(w, K8(k, ttl)),
				_mm256_and_si256(carry, K8(k, carry)));
}

/* Are they usual, and where are their answers?  Returns how far it came.
 *   outer  NULL: frames; else the IPv4 packet is `in` octets behind the IP header of these, which are known */
static __rte_always_inline unsigned check4(struct express_run *r, struct rte_mbuf **m, unsigned n,
					   const struct table *t, struct eights *e,
					   const struct eights *outer, unsigned in)
{
	const struct eight_consts *c8 = eight_consts_get();
	const __m128i shift = _mm_cvtsi32_si128((int)t->shift), want = r->lane.eth4;
	const uint32_t *direct = t->direct;
	const uintptr_t ahead = (uintptr_t)frame_of(m[0]) - (uintptr_t)m[0];
	const __m256i says = says_of(m[0]);
	__m256i received = _mm256_setzero_si256(), octets = received, longest = received;
	uint32_t differ = 0;
	unsigned i;

	for (i = 0; i + EIGHT <= n; i += EIGHT) {
		struct rte_mbuf **g = m + i;
		__m128i eth = _mm_setzero_si128();
		__m256i c[5], total, have, frame, other = _mm256_setzero_si256();
		uint8_t *p[EIGHT];

		if (outer == NULL && i + 2 * EIGHT <= n)
			eight_prefetch(g + EIGHT, ahead);
#pragma GCC unroll 8
		for (unsigned k = 0; k < EIGHT; k++) {
			p[k] = frame_of(g[k]) + in;
			if (outer != NULL)
				continue;
			eth = _mm_or_si128(eth, _mm_xor_si128(load16(p[k]), want));
		}
		c[0] = eight_first(p, 14);
		eight_columns(p, 14 + 4, c + 1);
		have = outer != NULL ?
			       _mm256_sub_epi32(load8(&outer->len[i]), _mm256_set1_epi32((int)in)) :
			       eight_says(g, says, &other);
		total = _mm256_shuffle_epi8(c[0], K8(c8, swap16));
		frame = _mm256_add_epi32(total, K8(c8, frame));
		if (unlikely(!_mm256_testz_si256(other, SAYS_MASK) ||
			     !_mm_testz_si128(eth, ETH_MASK4) ||
			     !eight_usual4(c8, c, total, frame, have)))
			break;
		if (outer != NULL && unlikely(!eight_version4(c8, c[0])))
			break;
		store8(&e->word[i],
		       direct == NULL ?
			       c[4] :
			       _mm256_srl_epi32(_mm256_shuffle_epi8(c[4], K8(c8, swap32)), shift));
		store8(&e->len[i], frame);
		store8(&e->ttl[i], eight_ttl(c8, c[2]));
		received = _mm256_add_epi32(received, have);
		octets = _mm256_add_epi32(octets, frame);
		longest = _mm256_max_epu32(longest, frame);
		if (t->far && likely(direct != NULL)) {
#pragma GCC unroll 8
			for (unsigned k = 0; k < EIGHT; k++)
				__asm__ volatile("prefetcht0 (%0,%1,4)"
						 :
						 : "r"(direct), "r"((uintptr_t)e->word[i + k]));
		}
	}
	if (i == 0)
		return 0;
	if (likely(direct != NULL)) {
#pragma GCC unroll 8
		for (unsigned k = 0; k < i; k++)
			e->word[k] = __atomic_load_n(&direct[e->word[k]], __ATOMIC_ACQUIRE);
		differ = words_differ8(e->word, i);
		if (unlikely(differ >> HD_RESULT_INDEX_BITS != 0 ||
			     !fib_direct_is_answer(e->word[0])))
			differ = asked4(r, t, m, in, e->word, i);
	} else {
		looked_up4(r, t, outer == NULL ? FIB_ASK_ROUTE : FIB_ASK_INNER, e->word, i);
		differ = words_differ(e->word, i);
	}
	e->differ = differ;
	e->received = sum8(received);
	e->octets = sum8(octets);
	e->longest = max8(longest);
	return i;
}

#endif
#endif
