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
	for (unsigned k = 0; k < 4; k++) { /* by memcpy: they are not aligned */
		memcpy(to[2 * k], &x[k], 8);
		memcpy(to[2 * k + 1], (const uint8_t *)&x[k] + 8, 8);
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

/* n times the same; those behind, up to a multiple of eight, are nobody's. */
static __rte_always_inline void words_set(uint32_t *word, unsigned n, uint32_t value)
{
	for (unsigned i = 0; i < n; i += EIGHT)
		store8(&word[i], _mm256_set1_epi32((int)value));
}

/* What differs in a multiple of eight. */
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

/* ---- columns of eight headers --------------------------------------------------------------------------------------- */

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
	words_set(e->word, n, word);
	e->differ = 0;
}

#endif
#endif
