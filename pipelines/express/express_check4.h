/* SPDX-License-Identifier: BSD-3-Clause
 * Part of node express: the checks of IPv4 packets, eight at a time, and their result words. */
#ifndef PIPELINES_EXPRESS_EXPRESS_CHECK4_H
#define PIPELINES_EXPRESS_EXPRESS_CHECK4_H

#include "pipelines/express/express_eight.h"

#ifdef __AVX2__

/* Rows k and k + 4, side by side: 16 octets at p[k] + off. */
static __rte_always_inline void eight_rows(uint8_t *const *p, unsigned off, __m256i ret[4])
{
	for (unsigned k = 0; k < 4; k++)
		ret[k] = _mm256_inserti128_si256(_mm256_castsi128_si256(load16(p[k] + off)),
						 load16(p[k + 4] + off), 1);
}

/* The four columns of 8 x 4 words. */
static __rte_always_inline void eight_columns(uint8_t *const *p, unsigned off, __m256i *ret)
{
	__m256i y[4], t[4];

	eight_rows(p, off, y);
	t[0] = _mm256_unpacklo_epi32(y[0], y[1]);
	t[1] = _mm256_unpackhi_epi32(y[0], y[1]);
	t[2] = _mm256_unpacklo_epi32(y[2], y[3]);
	t[3] = _mm256_unpackhi_epi32(y[2], y[3]);
	ret[0] = _mm256_unpacklo_epi64(t[0], t[2]);
	ret[1] = _mm256_unpackhi_epi64(t[0], t[2]);
	ret[2] = _mm256_unpacklo_epi64(t[1], t[3]);
	ret[3] = _mm256_unpackhi_epi64(t[1], t[3]);
}

/* The first of them. */
static __rte_always_inline __m256i eight_first(uint8_t *const *p, unsigned off)
{
	__m256i y[4];

	eight_rows(p, off, y);
	return _mm256_unpacklo_epi64(_mm256_unpacklo_epi32(y[0], y[1]),
				     _mm256_unpacklo_epi32(y[2], y[3]));
}

/* The first two columns of 8 x 4 words. */
static __rte_always_inline void eight_two(uint8_t *const *p, unsigned off, __m256i ret[2])
{
	__m256i y[4], t, u;

	eight_rows(p, off, y);
	t = _mm256_unpacklo_epi32(y[0], y[1]);
	u = _mm256_unpacklo_epi32(y[2], y[3]);
	ret[0] = _mm256_unpacklo_epi64(t, u);
	ret[1] = _mm256_unpackhi_epi64(t, u);
}

/* Constants as memory operands: the compiler would make them anew for each eight, for want of registers. */
#define W8(x)                                          \
	{                                              \
		(x), (x), (x), (x), (x), (x), (x), (x) \
	}
static const struct eight_consts {
	uint32_t low16[8], low8[8], second8[8], limit[8], loopback[8], frame[8], shortest[8],
		two[8], all16[8], ttl[8], last16[8], carry[8], version4[8], version6[8],
		version_mask[8];
	uint32_t frame6[8];
	uint8_t swap16[32], swap16low[32], swap32[32];
} eight_consts __rte_cache_aligned = {
	.low16 = W8(0xffff),
	.low8 = W8(0xff),
	.second8 = W8(0xff00),
	.limit = W8(0x0000dede),    /* first octets up to 223, minus 1 */
	.loopback = W8(0xffff7f7f), /* upper half: what never is */
	.frame = W8(14),
	.shortest = W8(20),
	.two = W8(2),
	.all16 = W8(0xffff),
	.ttl = W8(0xffff),
	.last16 = W8(0xfffd),
	.carry = W8(0x10000),
	.version4 = W8(0x45),
	.version6 = W8(0x60),
	.version_mask = W8(0xf0),
	.frame6 = W8(54),
	.swap16low = { 1, 0, 128, 128, 5, 4, 128, 128, 9, 8, 128, 128, 13, 12, 128, 128,
		       1, 0, 128, 128, 5, 4, 128, 128, 9, 8, 128, 128, 13, 12, 128, 128 },
	.swap16 = { 3, 2, 128, 128, 7, 6, 128, 128, 11, 10, 128, 128, 15, 14, 128, 128,
		    3, 2, 128, 128, 7, 6, 128, 128, 11, 10, 128, 128, 15, 14, 128, 128 },
	.swap32 = { 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12,
		    3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12 },
};
#define K8(k, what) (*(const __m256i *)(const void *)(k)->what)

static __rte_always_inline const struct eight_consts *eight_consts_get(void)
{
	const struct eight_consts *k = &eight_consts;

	__asm__("" : "+r"(k));
	return k;
}

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

/* Where the direct array has no answer, the table has: for prefixes longer than the array's index by its trie, which the
 * cache spares; for those not longer than 8 nearly at once. */
EXPRESS_APART uint32_t asked4(struct express_run *r, const struct table *t, struct rte_mbuf **m,
			      unsigned in, uint32_t *word, unsigned n)
{
	const uint8_t *key[2][NODE_CHUNK_WIDE]; /* [1]: longer ones */
	uint32_t answer[2][NODE_CHUNK_WIDE];
	uint8_t who[2][NODE_CHUNK_WIDE];
	unsigned asked[2] = { 0, 0 };

	key[0][0] = key[1][0] = NULL;

	for (unsigned i = 0; i < n; i += EIGHT) {
		for (unsigned odd = words_odd(load8(&word[i])); odd != 0; odd &= odd - 1) {
			unsigned k = i + (unsigned)__builtin_ctz(odd), longer = word[k] != 0;

			key[longer][asked[longer]] = frame_of(m[k]) + in + 14 + 16;
			who[longer][asked[longer]++] = (uint8_t)k;
		}
	}
	fib_lookup_bulk4p(t->fib, key[0], answer[0], asked[0]);
	fib_cache_lookup4p(r->fwd.cache, t->fib, key[1], answer[1], asked[1]);
	for (unsigned k = 0; k < 2; k++)
		for (unsigned i = 0; i < asked[k]; i++)
			word[who[k][i]] = answer[k][i];
	return words_differ(word, n);
}

/* The answer for n addresses in network order, a multiple of eight, if one span has them all; else 0. */
static __rte_always_inline uint32_t span_answer4(struct express_run *r, const struct table *t,
						 enum fib_ask who, const uint32_t *addr, unsigned n)
{
	struct fib_span *s = &r->fwd.cache->span[who][0];
	__m256i key, mask, other = _mm256_setzero_si256();

	if ((s->state != t->state ||
	     (((uint32_t)s->key[0] ^ addr[0]) & (uint32_t)s->mask[0]) != 0) &&
	    !fib_span_renew(s, t->fib, t->state, (const uint8_t *)addr, false))
		return 0;
	key = _mm256_set1_epi32((int)s->key[0]);
	mask = _mm256_set1_epi32((int)s->mask[0]);
	for (unsigned i = 0; i < n; i += EIGHT)
		other = _mm256_or_si256(other, _mm256_xor_si256(load8(&addr[i]), key));
	return _mm256_testz_si256(other, mask) ? s->result : 0;
}

/* For tables without a direct array; in: addresses in network order, out: answers. */
EXPRESS_APART void looked_up4(struct express_run *r, const struct table *t, enum fib_ask who,
			      uint32_t *word, unsigned n)
{
	const __m128i state = cache_state(t);
	const uint8_t *key[NODE_CHUNK_WIDE];
	uint32_t addr[NODE_CHUNK_WIDE], answer = span_answer4(r, t, who, word, n);

	if (answer != 0) {
		for (unsigned i = 0; i < n; i += EIGHT)
			store8(&word[i], _mm256_set1_epi32((int)answer));
		return;
	}
	memcpy(addr, word, n * sizeof(word[0]));
	for (unsigned i = 0; i < n; i++)
		key[i] = (const uint8_t *)&addr[i];
	if (unlikely(r->fwd.cache->rest != 0)) {
		fwd_lookup4(&r->fwd, t->fib, key, word, n);
		return;
	}
#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++)
		word[i] = cache_ask(r->fwd.cache, addr[i], state);
	if (unlikely(!words_known(word, n)))
		fib_cache_rest4p(r->fwd.cache, t->fib, t->state, key, word, n);
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
