/* SPDX-License-Identifier: BSD-3-Clause
 * Part of node express: eight usual packets of one family and one lane at once: what the checks of both families share.
 * What is checked of all packets is checked for eight of them by one instruction, and one branch says that all passed. */
#ifndef PIPELINES_EXPRESS_EXPRESS_EIGHT_H
#define PIPELINES_EXPRESS_EXPRESS_EIGHT_H

#include "pipelines/express/express.h"

#define EIGHT 8u

#ifdef __AVX2__

#define ADJ_WORD HD_RESULT(HD_RESULT_ADJ, 0)

static __rte_always_inline __m128i load16(const void *p)
{
	return _mm_loadu_si128(p);
}

static __rte_always_inline __m256i load32(const void *p)
{
	return _mm256_loadu_si256(p);
}

static __rte_always_inline __m256i load8(const uint32_t *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

static __rte_always_inline void store8(uint32_t *to, __m256i v)
{
	_mm256_storeu_si256((__m256i *)(void *)to, v);
}

static __rte_always_inline uint32_t sum8(__m256i v)
{
	__m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));

	s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
	s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
	return (uint32_t)_mm_cvtsi128_si32(s);
}

static __rte_always_inline unsigned max8(__m256i v)
{
	__m128i s = _mm_max_epu32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));

	s = _mm_max_epu32(s, _mm_shuffle_epi32(s, 0x4e));
	s = _mm_max_epu32(s, _mm_shuffle_epi32(s, 0xb1));
	return (unsigned)_mm_cvtsi128_si32(s);
}

/* Frames begin there; others are taken one by one.  A constant spares an addition at every access. */
#define AT             RTE_PKTMBUF_HEADROOM
#define REARM_USUAL(m) ((m)->data_off == AT && (m)->nb_segs == 1 && AT >= ADJ_HDR_ROOM)

static __rte_always_inline uint8_t *frame_of(const struct rte_mbuf *m)
{
	return (uint8_t *)m->buf_addr + AT;
}

static __rte_always_inline unsigned shortest_of(const uint32_t *len, unsigned n)
{
	unsigned shortest = UINT32_MAX;

	for (unsigned i = 0; i < n; i++)
		shortest = RTE_MIN(shortest, len[i]);
	return shortest;
}

/* What a mbuf says from rearm_data on: 32 octets, of which the first eight must be the same for all (data_off, refcnt,
 * nb_segs, port), and word 5 is pkt_len. */
#define SAYS_MASK _mm256_set_epi64x(0, 0, 0, -1)
static __rte_always_inline __m256i says_of(const struct rte_mbuf *m)
{
	static_assert(offsetof(struct rte_mbuf, pkt_len) ==
			      offsetof(struct rte_mbuf, rearm_data) + 20,
		      "");
	return load32(&m->rearm_data);
}

/* Word 5 of each of eight times 32 octets. */
static __rte_always_inline __m256i eight_word5(const __m256i x[EIGHT])
{
	__m256i a = _mm256_unpackhi_epi64(_mm256_unpacklo_epi32(x[0], x[1]),
					  _mm256_unpacklo_epi32(x[2], x[3])),
		b = _mm256_unpackhi_epi64(_mm256_unpacklo_epi32(x[4], x[5]),
					  _mm256_unpacklo_epi32(x[6], x[7]));

	return _mm256_permute2x128_si256(a, b, 0x31);
}

/* What eight mbufs say against what `like` says.  Returns their pkt_len; *differ: ored to what is not the same. */
static __rte_always_inline __m256i eight_says(struct rte_mbuf *const *m, __m256i like,
					      __m256i *differ)
{
	const __m256i len = _mm256_permutevar8x32_epi32(like, _mm256_set1_epi32(5));
	__m256i x[EIGHT];

#pragma GCC unroll 8
	for (unsigned k = 0; k < EIGHT; k++) {
		x[k] = _mm256_xor_si256(says_of(m[k]), like);
		*differ = _mm256_or_si256(*differ, x[k]);
	}
	return _mm256_xor_si256(eight_word5(x), len);
}

/* Lanes of 64 bits for eight packets: 0, 1, 4, 5 and 2, 3, 6, 7. */
struct lanes {
	__m256i a, b;
};

/* Eight octets each for packets 0 .. 7. */
static __rte_always_inline void lanes_store(uint8_t *const *to, struct lanes v)
{
	const __m128i x[4] = { _mm256_castsi256_si128(v.a), _mm256_castsi256_si128(v.b),
			       _mm256_extracti128_si256(v.a, 1), _mm256_extracti128_si256(v.b, 1) };

#pragma GCC unroll 4
	for (unsigned k = 0; k < 4; k++) {
		_mm_storel_epi64((__m128i *)(void *)to[2 * k], x[k]);
		_mm_storeh_pd((double *)(void *)to[2 * k + 1], _mm_castsi128_pd(x[k]));
	}
}

/* pkt_len, data_len and vlan_tci of an mbuf, which nobody asks for: the engine has ports leave tags in their frames. */
static __rte_always_inline struct lanes lanes_of_len(__m256i len)
{
	static_assert(offsetof(struct rte_mbuf, data_len) == offsetof(struct rte_mbuf, pkt_len) + 4,
		      "");
	return (struct lanes){ _mm256_unpacklo_epi32(len, len), _mm256_unpackhi_epi32(len, len) };
}

/* Headers of eight frames, ahead of their turn.
 *   ahead  from mbuf to frame, as in one that was seen: a guess for others */
static __rte_always_inline void eight_prefetch(struct rte_mbuf **m, uintptr_t ahead)
{
#pragma GCC unroll 8
	for (unsigned k = 0; k < EIGHT; k++)
		__asm__ volatile("prefetcht0 (%0,%1)" : : "r"(m[k]), "r"(ahead));
}

static __rte_always_inline uint32_t words_differ(const uint32_t *word, unsigned n)
{
	uint32_t differ = 0;

	for (unsigned i = 1; i < n; i++)
		differ |= word[i] ^ word[0];
	return differ;
}

/* The same of a multiple of eight. */
static __rte_always_inline uint32_t words_differ8(const uint32_t *word, unsigned n)
{
	const __m256i first = _mm256_set1_epi32((int)word[0]);
	__m256i differ = _mm256_setzero_si256();

	for (unsigned i = 0; i < n; i += EIGHT)
		differ = _mm256_or_si256(differ, _mm256_xor_si256(load8(&word[i]), first));
	differ = _mm256_or_si256(differ, _mm256_permute2x128_si256(differ, differ, 1));
	differ = _mm256_or_si256(differ, _mm256_shuffle_epi32(differ, 0x4e));
	differ = _mm256_or_si256(differ, _mm256_shuffle_epi32(differ, 0xb1));
	return (uint32_t)_mm256_cvtsi256_si32(differ);
}

/* ---- the cache of answers, many destinations at once -------------------------------------------------------------- */

/* What entries of a table must hold. */
static __rte_always_inline __m128i cache_state(const struct table *t)
{
	return _mm_set1_epi32((int)(uint32_t)t->state);
}

/* fib_cache_find() */
static __rte_always_inline uint32_t cache_ask(struct fib_cache *cache, uint64_t key, __m128i state)
{
	const struct fib_cache_bucket *b = fib_cache_bucket(cache, key);
	const __m256i keys = _mm256_load_si256((const __m256i *)(const void *)b->key),
		      want = _mm256_set1_epi64x((int64_t)key);
	const __m128i states = load16(b->state);
#ifdef __AVX512VL__
	__mmask8 is = _mm256_cmpeq_epi64_mask(keys, want);

	is = _mm_mask_cmpeq_epi32_mask(is, states, state);
	return (uint32_t)_mm_cvtsi128_si32(_mm_maskz_compress_epi32(is, load16(b->result)));
#else
	unsigned is =
		(unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(keys, want))) &
		(unsigned)_mm_movemask_ps(_mm_castsi128_ps(_mm_cmpeq_epi32(states, state)));

	return b->result[__builtin_ctz(is | 8)] & -(uint32_t)(is != 0);
#endif
}

static __rte_always_inline uint32_t cache_ask6(struct fib_cache *cache, const uint8_t *dst,
					       __m128i state)
{
	return cache_ask(cache, *(const fib_cache_word *)dst, state);
}

/* fib_cache_find_deep() of what is there; if it is not, that is noted in *miss and the answer means nothing. */
static __rte_always_inline uint32_t cache_ask_deep(struct fib_cache *cache, const uint8_t *dst,
						   __m256i state, __m256i *miss)
{
	const fib_cache_word *key = (const fib_cache_word *)dst;
	const struct fib_cache_entry *c = fib_cache_deep(cache, key);
	__m256i want = _mm256_blend_epi32(_mm256_broadcastsi128_si256(load16(dst)), state, 0xf0);

	c += c->key[1] != key[1];
	*miss = _mm256_or_si256(
		*miss, _mm256_xor_si256(_mm256_load_si256((const __m256i *)(const void *)c), want));
	return c->result;
}

static __rte_always_inline __m256i cache_state_deep(const struct table *t)
{
	return _mm256_set_epi64x(0, (int64_t)t->state, 0, 0);
}

/* Behind key and state an entry holds its answer, which is not compared. */
static __rte_always_inline bool cache_missed(__m256i miss)
{
	return !_mm256_testz_si256(miss, _mm256_set_epi64x(0, -1, -1, -1));
}

/* Which of eight words are no answers: a bit for each. */
static __rte_always_inline unsigned words_odd(__m256i word)
{
	const __m256i last = _mm256_set1_epi32((int)(HD_RESULT(HD_RESULT_INTERNAL, 0) - 2));
	__m256i w = _mm256_sub_epi32(word, _mm256_set1_epi32(1));

	return 0xffu ^ (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(
			       _mm256_cmpeq_epi32(_mm256_max_epu32(w, last), last)));
}

/* Are all of n, a multiple of eight, answers: neither unknown nor deep? */
static __rte_always_inline bool words_known(const uint32_t *word, unsigned n)
{
	const __m256i last = _mm256_set1_epi32((int)(HD_RESULT(HD_RESULT_INTERNAL, 0) - 2));
	__m256i odd = _mm256_setzero_si256();

	for (unsigned i = 0; i < n; i += EIGHT) {
		__m256i w = _mm256_sub_epi32(load8(&word[i]), _mm256_set1_epi32(1));

		odd = _mm256_or_si256(odd, _mm256_xor_si256(_mm256_max_epu32(w, last), last));
	}
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

/* ---- packets in a row --------------------------------------------------------------------------------------------- */

/* What is known about them. */
struct eights {
	uint32_t word[NODE_CHUNK_WIDE]; /* result words; those that are no answer: ask the table */
	uint32_t len[NODE_CHUNK_WIDE];  /* octets of the frame, without padding */
	uint32_t ttl[NODE_CHUNK_WIDE];  /* IPv4: word with TTL and checksum to be written */
	uint32_t differ;                /* 0: all words are the same */
	unsigned longest;               /* len */
	bool one_next;                  /* IPv6: all next headers are the same; */
	bool ecn;                       /* some packet has a congestion mark (RFC 3168) */
	uint64_t behind;           /* IPv6: what may differ in the 8 octets behind the header */
	uint64_t octets, received; /* of all frames, without padding and as received */
};

/* All n have the same word. */
static __rte_always_inline void words_fill(struct eights *e, unsigned n, uint32_t word)
{
	for (unsigned i = 0; i < n; i += EIGHT) /* those behind are nobody's */
		store8(&e->word[i], _mm256_set1_epi32((int)word));
	e->differ = 0;
}

#endif
#endif
