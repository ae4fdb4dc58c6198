/* SPDX-License-Identifier: BSD-3-Clause
 * Part of express_node.c: eight usual packets of one family and one lane at once.
 * What is checked of all packets is checked for eight of them by one instruction, and one branch says that all passed;
 * if one did not, nothing has been changed and the packets are taken one by one.
 * eight4() and eight6() work from packet i on for as long as that goes, and return the packet they stopped at. */
#ifndef PIPELINES_EXPRESS_EXPRESS_EIGHT_H
#define PIPELINES_EXPRESS_EXPRESS_EIGHT_H

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

/* Headers of eight frames, ahead of their turn.  ahead: from mbuf to frame, as in one that was seen, a guess for others. */
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

/* ---- first pass, IPv4 --------------------------------------------------------------------------------------------- */

/* Row k of 8 x 4 words: 16 octets at p[k] + off.  Columns come back. */
static __rte_always_inline void eight_columns(uint8_t *const *p, unsigned off, __m256i *ret)
{
	__m256i y[4], t[4];

	for (unsigned k = 0; k < 4; k++)
		y[k] = _mm256_inserti128_si256(_mm256_castsi128_si256(load16(p[k] + off)),
					       load16(p[k + 4] + off), 1);
	t[0] = _mm256_unpacklo_epi32(y[0], y[1]);
	t[1] = _mm256_unpackhi_epi32(y[0], y[1]);
	t[2] = _mm256_unpacklo_epi32(y[2], y[3]);
	t[3] = _mm256_unpackhi_epi32(y[2], y[3]);
	ret[0] = _mm256_unpacklo_epi64(t[0], t[2]);
	ret[1] = _mm256_unpackhi_epi64(t[0], t[2]);
	ret[2] = _mm256_unpacklo_epi64(t[1], t[3]);
	ret[3] = _mm256_unpackhi_epi64(t[1], t[3]);
}

/* The first word of each of such rows. */
static __rte_always_inline __m256i eight_first(uint8_t *const *p, unsigned off)
{
	__m256i y[4];

	for (unsigned k = 0; k < 4; k++)
		y[k] = _mm256_inserti128_si256(_mm256_castsi128_si256(load16(p[k] + off)),
					       load16(p[k + 4] + off), 1);
	return _mm256_unpacklo_epi64(_mm256_unpacklo_epi32(y[0], y[1]),
				     _mm256_unpacklo_epi32(y[2], y[3]));
}

/* Constants as memory operands: the compiler would make them anew for each eight, for want of registers. */
#define W8(x)                                          \
	{                                              \
		(x), (x), (x), (x), (x), (x), (x), (x) \
	}
static const struct eight_consts {
	uint32_t low16[8], low8[8], second8[8], limit[8], loopback[8], frame[8], shortest[8],
		two[8], all16[8], ttl[8], last16[8], carry[8], version4[8];
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

/* What usual4() asks of each.  c: columns of the header; total: octets of IP, frame: and of Ethernet; have: received. */
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

/* Where the direct array has no answer (prefixes longer than its index, or not longer than 8), the table has. */
static __rte_noinline uint32_t asked4(const struct table *t, struct rte_mbuf **m, unsigned in,
				      uint32_t *word, unsigned n)
{
	const uint8_t *key[NODE_CHUNK] = { NULL };
	uint32_t answer[NODE_CHUNK];
	uint8_t who[NODE_CHUNK];
	unsigned asked = 0;

	for (unsigned i = 0; i < n; i++) {
		key[asked] = frame_of(m[i]) + in + 14 + 16;
		who[asked] = (uint8_t)i;
		asked += !fib_direct_is_answer(word[i]);
	}
	if (asked != 0)
		fib_lookup_bulk4p(t->fib, key, answer, asked);
	for (unsigned i = 0; i < asked; i++)
		word[who[i]] = answer[i];
	return words_differ(word, n);
}

/* For tables without a direct array; in: addresses in network order, out: answers. */
static __rte_noinline void looked_up4(struct express_run *r, const struct table *t, uint32_t *word,
				      unsigned n)
{
	const __m256i state = _mm256_set_epi64x(0, (int64_t)t->state, 0, 0);
	const __m256i key_mask = _mm256_set_epi64x(0, -1, -1, -1);
	__m256i miss = _mm256_setzero_si256();
	const uint8_t *key[NODE_CHUNK];
	uint32_t addr[NODE_CHUNK];

	memcpy(addr, word, n * sizeof(word[0]));
	if (likely(r->fwd.cache->rest == 0)) {
#pragma GCC unroll 4
		for (unsigned i = 0; i < n; i++) {
			const fib_cache_word k[2] = { addr[i], 0 };
			const struct fib_cache_entry *c = fib_cache_bucket(r->fwd.cache, k);
			__m256i want = _mm256_castsi128_si256(_mm_cvtsi32_si128((int)addr[i]));

			c += c->key[0] != addr[i];
			miss = _mm256_or_si256(
				miss, _mm256_xor_si256(
					      _mm256_load_si256((const __m256i *)(const void *)c),
					      _mm256_blend_epi32(want, state, 0xf0)));
			word[i] = c->result;
		}
		if (likely(_mm256_testz_si256(miss, key_mask)))
			return;
	}
	for (unsigned i = 0; i < n; i++)
		key[i] = (const uint8_t *)&addr[i];
	fwd_lookup4(&r->fwd, t->fib, key, word, n);
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
	const uint64_t rearm = rearm_of(m[0]);
	__m256i received = _mm256_setzero_si256(), octets = received, longest = received;
	uint32_t differ = 0;
	unsigned i;

	for (i = 0; i + EIGHT <= n; i += EIGHT) {
		struct rte_mbuf **g = m + i;
		__m128i eth = _mm_setzero_si128();
		__m256i c[5], total, have, frame;
		uint64_t all = rearm, any = rearm;
		uint8_t *p[EIGHT];

		if (outer == NULL && i + 2 * EIGHT <= n)
			eight_prefetch(g + EIGHT, ahead);
#pragma GCC unroll 8
		for (unsigned k = 0; k < EIGHT; k++) {
			p[k] = frame_of(g[k]) + in;
			if (outer != NULL)
				continue;
			all &= rearm_of(g[k]);
			any |= rearm_of(g[k]);
			eth = _mm_or_si128(eth, _mm_xor_si128(load16(p[k]), want));
		}
		c[0] = eight_first(p, 14);
		eight_columns(p, 14 + 4, c + 1);
		have = outer != NULL ?
			       _mm256_sub_epi32(load8(&outer->len[i]), _mm256_set1_epi32((int)in)) :
			       eight_first((uint8_t *const *)g, offsetof(struct rte_mbuf, pkt_len));
		total = _mm256_shuffle_epi8(c[0], K8(c8, swap16));
		frame = _mm256_add_epi32(total, K8(c8, frame));
		if (unlikely(all != any || !_mm_testz_si128(eth, ETH_MASK4) ||
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
		if (likely(direct != NULL)) {
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
			differ = asked4(t, m, in, e->word, i);
	} else {
		looked_up4(r, t, e->word, i);
		differ = words_differ(e->word, i);
	}
	e->differ = differ;
	e->received = sum8(received);
	e->octets = sum8(octets);
	e->longest = max8(longest);
	return i;
}

/* ---- first pass, IPv6 --------------------------------------------------------------------------------------------- */

/* Not 0 in its first 24 octets: an entry of another destination or another state of the table. */
static __rte_always_inline __m256i cache_differs(const struct fib_cache_entry *c,
						 const uint8_t *dst, __m256i state)
{
	__m256i key = _mm256_blend_epi32(_mm256_broadcastsi128_si256(load16(dst)), state, 0xf0);

	return _mm256_xor_si256(_mm256_load_si256((const __m256i *)(const void *)c), key);
}

/* Answers for eight destinations from the cache.  True: not for all of them. */
static __rte_always_inline bool cached6(const struct express_run *r, struct rte_mbuf **g,
					unsigned in, __m256i state, uint32_t *ret)
{
	const __m256i key_mask = _mm256_set_epi64x(0, -1, -1, -1);
	__m256i miss = _mm256_setzero_si256();

#pragma GCC unroll 8
	for (unsigned k = 0; k < EIGHT; k++) {
		const uint8_t *dst = frame_of(g[k]) + in + 14 + 24;
		const struct fib_cache_entry *c =
			fib_cache_bucket(r->fwd.cache, (const fib_cache_word *)dst);

		c += c->key[1] != ((const fib_cache_word *)dst)[1];
		miss = _mm256_or_si256(miss, cache_differs(c, dst, state));
		ret[k] = c->result;
	}
	return !_mm256_testz_si256(miss, key_mask);
}

/* From cache and table, or from the table only as long as the cache rests. */
static __rte_noinline void looked_up6(struct express_run *r, struct rte_mbuf **m,
				      const struct table *t, unsigned in, uint32_t *ret, unsigned n)
{
	const uint8_t *key[NODE_CHUNK];

	for (unsigned i = 0; i < n; i++)
		key[i] = frame_of(m[i]) + in + 14 + 24;
	fwd_lookup6(&r->fwd, t->fib, key, ret, n);
}

/* The same for IPv6. */
#define VERSION_MASK _mm_set_epi64x(0x00f0000000000000, 0)

/* Do some packets at both ends and in the middle have one destination?  On their way through a segment list all have:
 * the next SID. */
static __rte_always_inline bool one_dst_likely(struct rte_mbuf **m, unsigned n, unsigned off)
{
	__m128i first = load16(frame_of(m[0]) + off), other;

	other = _mm_or_si128(_mm_xor_si128(first, load16(frame_of(m[n / 2]) + off)),
			     _mm_xor_si128(first, load16(frame_of(m[n - 1]) + off)));
	return _mm_testz_si128(other, other);
}

static __rte_always_inline unsigned check6(struct express_run *r, struct rte_mbuf **m, unsigned n,
					   const struct table *t, struct eights *e,
					   const struct eights *outer, unsigned in)
{
	const struct eight_consts *c8 = eight_consts_get();
	/* octets 0 .. 31 of the frame: MAC, ethertype and version must be the same; 15: traffic class, 20: next header */
	const __m256i eth = _mm256_inserti128_si256(
		_mm256_castsi128_si256(r->lane.eth6),
		_mm_cvtsi64_si128((long long)frame_of(m[0])[in + 20] << 32), 1);
	const __m256i next_mask = _mm256_set_epi64x(0, 0xffll << 32, 0, 0);
	const __m256i ecn_mask = _mm256_set_epi64x(0, 0, 0x30ll << 56, 0);
	const __m256i eth_mask = _mm256_inserti128_si256(
		_mm256_castsi128_si256(outer == NULL ? ETH_MASK6 : VERSION_MASK),
		_mm_setzero_si128(), 1);
	/* octets 22 .. 53, the addresses: the first octets must be 0x20 .. 0xfd (no multicast, link-local, loopback,
	 * unspecified or mapped address), so not above 0xdd once 0x20 is taken off */
	const __m256i less = _mm256_set_epi64x(0, 0xe0, 0, 0xe0);
	const __m256i limit = _mm256_set_epi64x(-1, ~0x22ll, -1, ~0x22ll);
	const __m256i state = _mm256_set_epi64x(0, (int64_t)t->state, 0, 0);
	const uintptr_t ahead = (uintptr_t)frame_of(m[0]) - (uintptr_t)m[0];
	const uint64_t rearm = rearm_of(m[0]);
	const unsigned to_dst = in + 14 + 24;
	const __m128i dst0 = load16(frame_of(m[0]) + to_dst);
	const bool alone = outer == NULL && one_dst_likely(m, n, to_dst);
	const bool cached = r->fwd.cache->rest == 0;
	__m256i seen = _mm256_setzero_si256(), received = seen, octets = seen, longest = seen;
	__m128i other_dst = _mm_setzero_si128();
	bool missed = false;
	unsigned i;

	for (i = 0; i + EIGHT <= n; i += EIGHT) {
		struct rte_mbuf **g = m + i;
		__m256i front = _mm256_setzero_si256(), top = front, c, have, frame, odd;
		uint64_t all = rearm, any = rearm;
		uint8_t *p[EIGHT];

		if (outer == NULL && i + 2 * EIGHT <= n)
			eight_prefetch(g + EIGHT, ahead);
#pragma GCC unroll 8
		for (unsigned k = 0; k < EIGHT; k++) {
			p[k] = frame_of(g[k]) + in;
			if (outer == NULL) {
				all &= rearm_of(g[k]);
				any |= rearm_of(g[k]);
			}
			front = _mm256_or_si256(front, _mm256_xor_si256(load32(p[k]), eth));
			top = _mm256_max_epu8(top, _mm256_add_epi8(load32(p[k] + 22), less));
		}
		c = eight_first(p, 14 + 4); /* payload length, next header, hop limit */
		have = outer != NULL ? _mm256_sub_epi32(load8(&outer->len[i]),
							_mm256_set1_epi32((int)in)) :
				       eight_first((uint8_t *const *)g,
						   offsetof(struct rte_mbuf, pkt_len));
		frame = _mm256_add_epi32(_mm256_shuffle_epi8(c, K8(c8, swap16low)), K8(c8, frame6));
		odd = _mm256_or_si256(_mm256_cmpgt_epi32(frame, have),
				      _mm256_cmpgt_epi32(K8(c8, two), _mm256_srli_epi32(c, 24)));
		odd = _mm256_or_si256(odd, _mm256_subs_epu8(top, limit));
		if (unlikely(all != any || !_mm256_testz_si256(front, eth_mask) ||
			     !_mm256_testz_si256(odd, odd)))
			break;
		store8(&e->len[i], frame);
		received = _mm256_add_epi32(received, have);
		octets = _mm256_add_epi32(octets, frame);
		longest = _mm256_max_epu32(longest, frame);
		seen = _mm256_or_si256(seen, front);
		if (alone) {
#pragma GCC unroll 8
			for (unsigned k = 0; k < EIGHT; k++)
				other_dst = _mm_or_si128(
					other_dst, _mm_xor_si128(load16(frame_of(g[k]) + to_dst),
								 dst0));
		} else if (likely(cached)) {
			missed |= cached6(r, g, in, state, &e->word[i]);
		}
	}
	if (i == 0)
		return 0;
	e->one_next = _mm256_testz_si256(seen, next_mask);
	e->ecn = !_mm256_testz_si256(seen, ecn_mask);
	e->received = sum8(received);
	e->octets = sum8(octets);
	e->longest = max8(longest);
	if (alone && _mm_testz_si128(other_dst, other_dst)) {
		uint32_t word = table_find(r, t, frame_of(m[0]) + to_dst, true);

		for (unsigned k = 0; k < i; k += EIGHT)
			store8(&e->word[k], _mm256_set1_epi32((int)word));
		e->differ = 0;
		return i;
	}
	if (unlikely(!cached || alone || missed))
		looked_up6(r, m, t, in, e->word, i);
	e->differ = words_differ8(e->word, i);
	return i;
}

/* Where n destinations lead: what the cache does not know is looked up together. */
static __rte_always_inline void words_find(struct express_run *r, const struct table *t,
					   const uint8_t *const *dst, uint32_t *word, unsigned n)
{
	const __m256i state = _mm256_set_epi64x(0, (int64_t)t->state, 0, 0);
	const __m256i key_mask = _mm256_set_epi64x(0, -1, -1, -1);
	struct fib_cache *cache = r->fwd.cache;
	__m256i miss = _mm256_setzero_si256();

	if (unlikely(cache->rest != 0)) {
		fwd_lookup6(&r->fwd, t->fib, dst, word, n);
		return;
	}
#pragma GCC unroll 4
	for (unsigned i = 0; i < n; i++) {
		const struct fib_cache_entry *c =
			fib_cache_bucket(cache, (const fib_cache_word *)dst[i]);

		c += c->key[1] != ((const fib_cache_word *)dst[i])[1];
		miss = _mm256_or_si256(miss, cache_differs(c, dst[i], state));
		word[i] = c->result;
	}
	if (unlikely(!_mm256_testz_si256(miss, key_mask)))
		fwd_lookup6(&r->fwd, t->fib, dst, word, n);
}

#include "pipelines/express/express_depart.h"
#include "pipelines/express/express_policies.h"
#include "pipelines/express/express_sids.h"

/* ---- both passes --------------------------------------------------------------------------------------------------- */

/* Packets with words of one kind, other than all of one neighbour. */
static __rte_noinline void eights_go(struct express_run *r, struct rte_mbuf **m,
				     rte_edge_t *verdict, unsigned from, unsigned n,
				     struct eights *e, bool v6)
{
	switch (e->differ >> HD_RESULT_INDEX_BITS == 0 ? hd_result_kind(e->word[0]) :
							 HD_RESULT_ADJ) {
	case HD_RESULT_SID:
		if (v6)
			sids(r, m, verdict, from, n, e);
		else
			depart_each(r, m, verdict, from, n, e, v6);
		break;
	case HD_RESULT_POLICY:
		policies(r, m + from, verdict + from, n, e, v6);
		break;
	default:
		depart_each(r, m, verdict, from, n, e, v6);
	}
}

static __rte_noinline unsigned eight4(struct express_run *r, struct rte_mbuf **m,
				      rte_edge_t *verdict, unsigned from, unsigned to)
{
	struct eights e;
	unsigned n;

	if (unlikely(!REARM_USUAL(m[from])) || !lane_table(r, false))
		return from;
	n = check4(r, m + from, to - from, &r->lane.four, &e, NULL, 0);
	if (likely(n != 0) &&
	    unlikely(!depart_one(r, m + from, verdict + from, n, &e, HOW_IP4, NULL)))
		eights_go(r, m, verdict, from, n, &e, false);
	return from + n;
}

static __rte_noinline unsigned eight6(struct express_run *r, struct rte_mbuf **m,
				      rte_edge_t *verdict, unsigned from, unsigned to)
{
	struct eights e;
	unsigned n;

	if (unlikely(!REARM_USUAL(m[from])) || !lane_table(r, true))
		return from;
	n = check6(r, m + from, to - from, &r->lane.six, &e, NULL, 0);
	if (likely(n != 0) &&
	    unlikely(!depart_one(r, m + from, verdict + from, n, &e, HOW_IP6, NULL)))
		eights_go(r, m, verdict, from, n, &e, true);
	return from + n;
}

#else

#define eight4(r, m, verdict, i, to) (i)
#define eight6(r, m, verdict, i, to) (i)

#endif
#endif
