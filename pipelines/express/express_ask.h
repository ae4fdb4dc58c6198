/* SPDX-License-Identifier: BSD-3-Clause
 * Part of node express: where the destinations of packets in a row lead.  First it is asked whether one span has them
 * all, then the cache of answers for each, then the table. */
#ifndef PIPELINES_EXPRESS_EXPRESS_ASK_H
#define PIPELINES_EXPRESS_EXPRESS_ASK_H

#include "pipelines/express/express_eight.h"

#ifdef __AVX2__

/* ---- the cache of answers, many destinations at once -------------------------------------------------------------- */

/* fib_cache_find() */
static __rte_always_inline uint32_t cache_ask(struct fib_cache *cache, uint64_t key, uint32_t tag)
{
	const struct fib_cache_bucket *b = fib_cache_bucket(cache, key, tag);
	const __m256i keys = _mm256_load_si256((const __m256i *)(const void *)b->key),
		      want = _mm256_set1_epi64x((int64_t)key);
	const __m128i tags = load16(b->tag), like = _mm_set1_epi32((int)tag);
#ifdef __AVX512VL__
	__mmask8 is = _mm256_cmpeq_epi64_mask(keys, want);

	is = _mm_mask_cmpeq_epi32_mask(is, tags, like);
	return (uint32_t)_mm_cvtsi128_si32(_mm_maskz_compress_epi32(is, load16(b->result)));
#else
	unsigned is =
		(unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(keys, want))) &
		(unsigned)_mm_movemask_ps(_mm_castsi128_ps(_mm_cmpeq_epi32(tags, like)));

	return b->result[__builtin_ctz(is | 8)] & -(uint32_t)(is != 0);
#endif
}

/* First and second half of an address. */
static __rte_always_inline uint64_t dst_half(const uint8_t *dst, unsigned which)
{
	return ((const fib_cache_word *)dst)[which];
}

/* The subnet of a destination in this table, if it is the one of which many addresses came; else NULL. */
static __rte_always_inline const struct fib_subnet *
subnet_at(const struct express_run *r, const struct table *t, enum fib_ask who, const uint8_t *dst)
{
	const struct fib_subnet *s = &r->fwd.cache->subnet[who];

	return s->state == t->state && s->key == dst_half(dst, 0) ? s : NULL;
}

/* Of eight words: 0 where one is an answer, neither unknown nor deep. */
static __rte_always_inline __m256i words_beyond(__m256i word)
{
	const __m256i last = _mm256_set1_epi32((int)(HD_RESULT(HD_RESULT_INTERNAL, 0) - 2));
	__m256i w = _mm256_sub_epi32(word, _mm256_set1_epi32(1));

	return _mm256_xor_si256(_mm256_max_epu32(w, last), last);
}

/* Which of eight words are no answers: a bit for each. */
static __rte_always_inline unsigned words_odd(__m256i word)
{
	__m256i known = _mm256_cmpeq_epi32(words_beyond(word), _mm256_setzero_si256());

	return 0xffu ^ (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(known));
}

/* Are all of n, a multiple of eight, answers? */
static __rte_always_inline bool words_known(const uint32_t *word, unsigned n)
{
	__m256i odd = _mm256_setzero_si256();

	for (unsigned i = 0; i < n; i += EIGHT)
		odd = _mm256_or_si256(odd, words_beyond(load8(&word[i])));
	return _mm256_testz_si256(odd, odd);
}

/* ---- destinations that one prefix answers ------------------------------------------------------------------------- */

static __rte_always_inline __m128i span_key(const struct fib_span *s)
{
	return load16(s->key);
}

static __rte_always_inline __m128i span_mask(const struct fib_span *s)
{
	return load16(s->mask);
}

static __rte_always_inline bool span_has(const struct fib_span *s, __m128i dst)
{
	return _mm_testz_si128(_mm_xor_si128(dst, span_key(s)), span_mask(s));
}

/* The span of a destination in this table; NULL: none is at hand. */
static __rte_always_inline const struct fib_span *
span_at(struct express_run *r, const struct table *t, enum fib_ask who, const uint8_t *dst)
{
	struct fib_span *s = &r->fwd.cache->span[who][1];

	return (likely(s->state == t->state) && likely(span_has(s, load16(dst)))) ||
			       fib_span_renew(s, t->fib, t->state, dst, true) ?
		       s :
		       NULL;
}

/* The answer for n destinations, if one span has them all; else 0. */
static __rte_always_inline uint32_t span_answer(struct express_run *r, const struct table *t,
						enum fib_ask who, const uint8_t *const *dst,
						unsigned n)
{
	const struct fib_span *s = span_at(r, t, who, dst[0]);
	__m128i key, other = _mm_setzero_si128();

	if (s == NULL || !span_has(s, load16(dst[n / 2])) || !span_has(s, load16(dst[n - 1])))
		return 0;
	key = span_key(s);
#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++)
		other = _mm_or_si128(other, _mm_xor_si128(load16(dst[i]), key));
	return _mm_testz_si128(other, span_mask(s)) ? s->result : 0;
}

/* ---- IPv6 --------------------------------------------------------------------------------------------------------- */

/* Where n destinations lead, as far as they are of the subnet s; false: some are not, and the words mean nothing. */
static __rte_always_inline bool subnet_ask(struct express_run *r, const struct table *t,
					   const struct fib_subnet *s, const uint8_t *const *dst,
					   uint32_t *word, unsigned n)
{
	const uint32_t tag = fib_cache_tag_deep(s->result);
	uint64_t other = 0;

#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++) {
		other |= dst_half(dst[i], 0) ^ s->key;
		word[i] = cache_ask(r->fwd.cache, dst_half(dst[i], 1), tag);
	}
	if (unlikely(other != 0))
		return false;
	if (likely(words_known(word, n)))
		return true;
	for (unsigned i = 0; i < n; i++)
		word[i] = word[i] == 0 ? s->result : word[i];
	fib_cache_rest6p(r->fwd.cache, t->fib, t->state, dst, word, n);
	return true;
}

/* Where n destinations lead: by the cache, for the rest by the table.  n: those behind, up to a multiple of eight, are
 * nobody's. */
EXPRESS_APART void words_ask(struct express_run *r, const struct table *t, enum fib_ask who,
			     const uint8_t *const *dst, uint32_t *word, unsigned n)
{
	const uint32_t tag = fib_cache_tag(t->state);
	const struct fib_subnet *s = subnet_at(r, t, who, dst[0]);
	struct fib_cache *c = r->fwd.cache;

	if (unlikely(c->rest != 0)) {
		fwd_lookup6(&r->fwd, t->fib, dst, word, n);
		return;
	}
	for (unsigned i = n; i % EIGHT != 0; i++)
		word[i] = HD_RESULT(HD_RESULT_ADJ, 0); /* any answer */
	if (s != NULL && s->key == dst_half(dst[n - 1], 0) && subnet_ask(r, t, s, dst, word, n))
		return;
#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++)
		word[i] = cache_ask(c, dst_half(dst[i], 0), tag);
	if (likely(words_known(word, n)))
		return;
	if (fib_cache_is_deep(word[0]) && words_differ(word, n) == 0) {
		c->subnet[who] = (struct fib_subnet){ .key = dst_half(dst[0], 0),
						      .state = t->state,
						      .result = word[0] };
		subnet_ask(r, t, &c->subnet[who], dst, word, n);
		return;
	}
	fib_cache_rest6p(c, t->fib, t->state, dst, word, n);
}

/* What answers the destinations `off` octets behind the beginning of n frames, as far as three of them tell: one span,
 * or one address, whose answer *one becomes.  On their way through a segment list all have one: the next SID. */
static __rte_always_inline const struct fib_span *
span_likely(struct express_run *r, const struct table *t, enum fib_ask who, struct rte_mbuf **m,
	    unsigned n, unsigned off, struct fib_span *one)
{
	const uint8_t *dst = frame_of(m[0]) + off;
	const __m128i first = load16(dst), middle = load16(frame_of(m[n / 2]) + off),
		      last = load16(frame_of(m[n - 1]) + off);
	const struct fib_span *s = span_at(r, t, who, dst);
	__m128i other;

	if (likely(s != NULL))
		return span_has(s, middle) && span_has(s, last) ? s : NULL;
	other = _mm_or_si128(_mm_xor_si128(first, middle), _mm_xor_si128(first, last));
	if (!_mm_testz_si128(other, other))
		return NULL;
	memset(one->mask, 0xff, sizeof(one->mask));
	one->result = table_find(r, t, dst, true);
	return one;
}

/* Where what was made of packets leads: by one span, or each by itself.  Returns what differs. */
static __rte_always_inline uint32_t words_find(struct express_run *r, const struct table *t,
					       enum fib_ask who, const uint8_t *const *dst,
					       uint32_t *word, unsigned n)
{
	const uint32_t answer = span_answer(r, t, who, dst, n);

	if (answer != 0) {
		words_set(word, n, answer);
		return 0;
	}
	fib_cache_turn(r->fwd.cache);
	words_ask(r, t, who, dst, word, n);
	fib_cache_turn(r->fwd.cache);
	return words_differ(word, n);
}

/* ---- IPv4 --------------------------------------------------------------------------------------------------------- */

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
	struct fib_cache *c = r->fwd.cache;
	const uint8_t *key[NODE_CHUNK_WIDE];
	uint32_t addr[NODE_CHUNK_WIDE], answer = span_answer4(r, t, who, word, n);

	if (answer != 0) {
		words_set(word, n, answer);
		return;
	}
	memcpy(addr, word, n * sizeof(word[0]));
	if (likely(c->rest == 0)) {
#pragma GCC unroll 4
		for (unsigned i = 0; i < n; i++)
			word[i] = cache_ask(c, addr[i], fib_cache_tag(t->state));
		if (likely(words_known(word, n)))
			return;
	}
	for (unsigned i = 0; i < n; i++)
		key[i] = (const uint8_t *)&addr[i];
	if (c->rest != 0)
		fwd_lookup4(&r->fwd, t->fib, key, word, n);
	else
		fib_cache_rest4p(c, t->fib, t->state, key, word, n);
}

#endif
#endif
