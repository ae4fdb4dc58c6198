/* SPDX-License-Identifier: BSD-3-Clause
 * Part of node express: the flow hash of packets in a row, for eight of them at a time.
 * It must be the hash of pipelines/ip/flow_hash.h, octet for octet; what it does not know is asked there. */
#ifndef PIPELINES_EXPRESS_EXPRESS_HASH_H
#define PIPELINES_EXPRESS_EXPRESS_HASH_H

#include "pipelines/express/express_eight.h"

#ifdef __AVX2__

/* flow_pair() of columns. */
static __rte_always_inline struct lanes hash_pairs(__m256i a, __m256i b, uint64_t k, uint64_t l)
{
	a = _mm256_add_epi32(a, _mm256_set1_epi32((int)k));
	b = _mm256_add_epi32(b, _mm256_set1_epi32((int)l));
	return (struct lanes){
		_mm256_mul_epu32(_mm256_unpacklo_epi32(a, a), _mm256_unpacklo_epi32(b, b)),
		_mm256_mul_epu32(_mm256_unpackhi_epi32(a, a), _mm256_unpackhi_epi32(b, b)),
	};
}

static __rte_always_inline struct lanes lanes_add(struct lanes x, struct lanes y)
{
	return (struct lanes){ _mm256_add_epi64(x.a, y.a), _mm256_add_epi64(x.b, y.b) };
}

/* flow_mix() */
static __rte_always_inline __m256i hash_mix(__m256i h, unsigned i)
{
	h = _mm256_xor_si256(h, _mm256_set1_epi64x((long long)ip_flow_secret.mix[i]));
	return _mm256_mul_epu32(h, _mm256_srli_epi64(h, 32));
}

/* flow_end(): words of packets 0 .. 7 */
static __rte_always_inline __m256i hash_end(struct lanes h)
{
	__m256i v;

	h.a = hash_mix(hash_mix(h.a, 0), 1);
	h.b = hash_mix(hash_mix(h.b, 0), 1);
	h.a = _mm256_xor_si256(h.a, _mm256_srli_epi64(h.a, 32));
	h.b = _mm256_xor_si256(h.b, _mm256_srli_epi64(h.b, 32));
	v = _mm256_castps_si256(
		_mm256_shuffle_ps(_mm256_castsi256_ps(h.a), _mm256_castsi256_ps(h.b), 0x88));
	return _mm256_sub_epi32(v, _mm256_cmpeq_epi32(v, _mm256_setzero_si256()));
}

/* flow_has_ports(): all ones; proto: words */
static __rte_always_inline __m256i hash_has_ports(__m256i proto)
{
	__m256i udp = _mm256_cmpeq_epi32(proto, _mm256_set1_epi32(IP_NH_UDP)),
		tcp = _mm256_cmpeq_epi32(proto, _mm256_set1_epi32(IP_NH_TCP)),
		sctp = _mm256_cmpeq_epi32(proto, _mm256_set1_epi32(132));

	return _mm256_or_si256(_mm256_or_si256(udp, tcp), sctp);
}

/* The products of a packet's addresses, of which the sum is wanted. */
static __rte_always_inline __m256i hash_addresses6(const uint8_t *frame, __m256i secret)
{
	__m256i v = _mm256_add_epi32(load32(frame + 14 + 8), secret);

	return _mm256_mul_epu32(v, _mm256_srli_epi64(v, 32));
}

/* Sums of packets i, i + 1 and k, k + 1. */
static __rte_always_inline __m256i hash_sums6(uint8_t *const *p, unsigned i, unsigned k,
					      __m256i secret)
{
	__m256i a = hash_addresses6(p[i], secret), b = hash_addresses6(p[i + 1], secret),
		c = hash_addresses6(p[k], secret), d = hash_addresses6(p[k + 1], secret);

	a = _mm256_add_epi64(_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
	c = _mm256_add_epi64(_mm256_unpacklo_epi64(c, d), _mm256_unpackhi_epi64(c, d));
	return _mm256_add_epi64(_mm256_permute2x128_si256(a, c, 0x20),
				_mm256_permute2x128_si256(a, c, 0x31));
}

/* Hash and, at its place in the first word of an IPv6 header in host order, TOS of eight IPv4 packets.
 * False: not known here.   shortest: of their frames */
static __rte_always_inline bool eight_hash4(const struct eight_consts *k, uint8_t *const *p,
					    __m256i ttl, unsigned shortest, uint32_t *hash,
					    uint32_t *tc)
{
	const uint32_t frag = rte_cpu_to_be_16(IP4_MF | IP4_FRAG_MASK);
	__m256i front[2], c[4], proto, ports;

	eight_two(p, 14, front);
	if (unlikely(shortest < 14 + 24 ||
		     !_mm256_testz_si256(front[1], _mm256_set1_epi32((int)(frag << 16)))))
		return false;
	eight_columns(p, 14 + 12, c); /* addresses, ports */
	proto = _mm256_and_si256(_mm256_srli_epi32(ttl, 8), K8(k, low8));
	ports = _mm256_and_si256(c[2], hash_has_ports(proto));
	store8(hash,
	       hash_end(lanes_add(
		       hash_pairs(c[0], c[1], ip_flow_secret.addr[0], ip_flow_secret.addr[1]),
		       hash_pairs(proto, ports, ip_flow_secret.label, ip_flow_secret.ports))));
	store8(tc, _mm256_slli_epi32(_mm256_and_si256(front[0], K8(k, second8)), 12));
	return true;
}

/* The same of IPv6 packets that have ports. */
static __rte_always_inline bool eight_hash6(const struct eight_consts *k, uint8_t *const *p,
					    unsigned shortest, uint32_t *hash, uint32_t *tc)
{
	const __m256i secret = load8(ip_flow_secret.addr);
	__m256i front[2], next, label, ports;
	struct lanes h;

	eight_two(p, 14, front);
	next = hash_has_ports(_mm256_and_si256(_mm256_srli_epi32(front[1], 16), K8(k, low8)));
	if (unlikely(shortest < 14 + 44 || _mm256_movemask_epi8(next) != -1))
		return false;
	ports = eight_first(p, 14 + 40);
	label = _mm256_and_si256(front[0], _mm256_set1_epi32((int)FLOW_LABEL_MASK));
	h.a = hash_sums6(p, 0, 4, secret);
	h.b = hash_sums6(p, 2, 6, secret);
	store8(hash, hash_end(lanes_add(h, hash_pairs(label, ports, ip_flow_secret.label,
						      ip_flow_secret.ports))));
	store8(tc, _mm256_and_si256(_mm256_shuffle_epi8(front[0], K8(k, swap32)),
				    _mm256_set1_epi32(0xff << 20)));
	return true;
}

#endif
#endif
