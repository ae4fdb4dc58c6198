/* SPDX-License-Identifier: BSD-3-Clause
 * Part of node express: eight usual packets of one family and one lane at once: what the checks of both families share.
 * What is checked of all packets is checked for eight of them by one instruction, and one branch says that all passed. */
#ifndef PIPELINES_EXPRESS_EXPRESS_EIGHT_H
#define PIPELINES_EXPRESS_EXPRESS_EIGHT_H

#include "pipelines/express/express.h"

#define EIGHT 8u

#ifdef __AVX2__

#define ADJ_WORD HD_RESULT(HD_RESULT_ADJ, 0)

/* data_off, refcnt, nb_segs, port */
static __rte_always_inline uint64_t rearm_of(const struct rte_mbuf *m)
{
	uint64_t v;

	memcpy(&v, &m->rearm_data, sizeof(v));
	return v;
}

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

/* Headers of eight frames, ahead of their turn.  ahead: from mbuf to frame, as in one that was seen, a guess for
 * others. */
static __rte_always_inline void eight_prefetch(struct rte_mbuf **m, uintptr_t ahead)
{
#pragma GCC unroll 8
	for (unsigned k = 0; k < EIGHT; k++)
		__asm__ volatile("prefetcht0 (%0,%1)" : : "r"(m[k]), "r"(ahead));
}

/* What is known about packets in a row. */
struct eights {
	uint32_t word[NODE_CHUNK]; /* result words; those that are no answer: ask the table */
	uint32_t len[NODE_CHUNK];  /* octets of the frame, without padding */
	uint32_t ttl[NODE_CHUNK];  /* IPv4: word with TTL and checksum to be written */
	uint32_t differ;           /* 0: all words are the same */
	unsigned longest;          /* len */
	bool one_next,
		ecn; /* IPv6: all next headers are the same; some packet has a congestion mark (RFC 3168) */
	uint64_t octets, received; /* of all frames, without padding and as received */
};

#endif
#endif
