/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes on the wire: big-endian scalars, a bounds-checking cursor, the Internet checksum.
 *
 * Every header in this folder builds on three rules:
 *  - formats are structs of bytes and be16_t/be32_t/be64_t: alignment 1, no padding, no arithmetic by accident;
 *  - a parser takes a struct wire_cur, moves it only on success, and returns a view that holds only what was checked;
 *  - libc only, static inline, so data plane, control process, tests and fuzzers run the same code.
 * Errors of all parsers: -EBADMSG the bytes are truncated or contradict themselves, -EPROTONOSUPPORT they are
 * something else than asked for, -EILSEQ the checksum is wrong. Builders: -ENOSPC no room, -EINVAL bad argument. */
#ifndef HEDDLE_WIRE_WIRE_H
#define HEDDLE_WIRE_WIRE_H

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if !defined(__BYTE_ORDER__)
#error "byte order unknown"
#endif

/* Big-endian scalars. be16_get(h->tag) reads in host order; h->tag = be16_make(7) writes. */
typedef struct {
	uint8_t b[2];
} be16_t;
typedef struct {
	uint8_t b[4];
} be32_t;
typedef struct {
	uint8_t b[8];
} be64_t;
static_assert(sizeof(be16_t) == 2 && _Alignof(be16_t) == 1, "plain bytes");
static_assert(sizeof(be32_t) == 4 && _Alignof(be32_t) == 1, "plain bytes");
static_assert(sizeof(be64_t) == 8 && _Alignof(be64_t) == 1, "plain bytes");

/* Host order to big endian and back (its own inverse). */
static inline uint16_t wire_swap16(uint16_t x)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return __builtin_bswap16(x);
#else
	return x;
#endif
}

static inline uint32_t wire_swap32(uint32_t x)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return __builtin_bswap32(x);
#else
	return x;
#endif
}

static inline uint64_t wire_swap64(uint64_t x)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return __builtin_bswap64(x);
#else
	return x;
#endif
}

/* Unaligned big-endian loads and stores at p; the caller has checked the bounds. */
static inline uint16_t wire_get16(const void *p)
{
	uint16_t x;

	memcpy(&x, p, sizeof(x));
	return wire_swap16(x);
}

static inline uint32_t wire_get32(const void *p)
{
	uint32_t x;

	memcpy(&x, p, sizeof(x));
	return wire_swap32(x);
}

static inline uint64_t wire_get64(const void *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return wire_swap64(x);
}

static inline void wire_put16(void *p, uint16_t x)
{
	x = wire_swap16(x);
	memcpy(p, &x, sizeof(x));
}

static inline void wire_put32(void *p, uint32_t x)
{
	x = wire_swap32(x);
	memcpy(p, &x, sizeof(x));
}

static inline void wire_put64(void *p, uint64_t x)
{
	x = wire_swap64(x);
	memcpy(p, &x, sizeof(x));
}

/* The same for fields in a row: where the next one goes is returned. */
static inline uint8_t *wire_add16(uint8_t *p, uint16_t x)
{
	wire_put16(p, x);
	return p + sizeof(x);
}

static inline uint8_t *wire_add32(uint8_t *p, uint32_t x)
{
	wire_put32(p, x);
	return p + sizeof(x);
}

static inline uint8_t *wire_add64(uint8_t *p, uint64_t x)
{
	wire_put64(p, x);
	return p + sizeof(x);
}

static inline uint16_t be16_get(be16_t v)
{
	return wire_get16(&v);
}

static inline uint32_t be32_get(be32_t v)
{
	return wire_get32(&v);
}

static inline uint64_t be64_get(be64_t v)
{
	return wire_get64(&v);
}

static inline be16_t be16_make(uint16_t x)
{
	be16_t v;

	wire_put16(&v, x);
	return v;
}

static inline be32_t be32_make(uint32_t x)
{
	be32_t v;

	wire_put32(&v, x);
	return v;
}

static inline be64_t be64_make(uint64_t x)
{
	be64_t v;

	wire_put64(&v, x);
	return v;
}

static inline bool be16_eq(be16_t a, be16_t b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static inline bool be32_eq(be32_t a, be32_t b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

/* Addresses as assignable bytes, network order. An IPv4 address is a be32_t. */
struct mac_addr {
	uint8_t b[6];
};
static_assert(sizeof(struct mac_addr) == 6 && _Alignof(struct mac_addr) == 1,
	      "IEEE 802 MAC address");

struct ip6_addr {
	uint8_t b[16];
};
static_assert(sizeof(struct ip6_addr) == 16 && _Alignof(struct ip6_addr) == 1,
	      "RFC 8200 section 3");

static inline bool mac_eq(const struct mac_addr *a, const struct mac_addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* Group bit of the first octet: multicast or broadcast. */
static inline bool mac_is_multicast(const struct mac_addr *a)
{
	return (a->b[0] & 1) != 0;
}

static inline bool ip6_addr_eq(const struct ip6_addr *a, const struct ip6_addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* RFC 4291 sections 2.5.2, 2.7, 2.5.6. */
static inline bool ip6_addr_is_unspecified(const struct ip6_addr *a)
{
	return (wire_get64(a->b) | wire_get64(a->b + 8)) == 0;
}

static inline bool ip6_addr_is_multicast(const struct ip6_addr *a)
{
	return a->b[0] == 0xff;
}

static inline bool ip6_addr_is_link_local(const struct ip6_addr *a)
{
	return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

/* ::1. RFC 4291 section 2.5.3: never on a wire as source or destination. */
static inline bool ip6_addr_is_loopback(const struct ip6_addr *a)
{
	return wire_get64(a->b) == 0 && wire_get64(a->b + 8) == 1;
}

static inline bool ip4_addr_is_multicast(be32_t a)
{
	return (a.b[0] & 0xf0) == 0xe0;
}

/* A window of bytes being parsed: [p, end). p <= end always. */
struct wire_cur {
	const uint8_t *p, *end;
};

static inline struct wire_cur wire_cur_init(const void *buf, size_t len)
{
	const uint8_t *p = buf;

	return (struct wire_cur){ .p = p, .end = p + len };
}

/* Bytes left. */
static inline size_t wire_left(const struct wire_cur *c)
{
	return (size_t)(c->end - c->p);
}

/* The next n bytes, and moves past them; NULL and no movement if there are fewer. */
static inline const void *wire_pull(struct wire_cur *c, size_t n)
{
	const uint8_t *p = c->p;

	if (wire_left(c) < n)
		return NULL;
	c->p = p + n;
	return p;
}

/* The next n bytes without moving; NULL if there are fewer. */
static inline const void *wire_peek(const struct wire_cur *c, size_t n)
{
	return wire_left(c) < n ? NULL : c->p;
}

/* Cuts the window to its next n bytes. Returns 0, or -EBADMSG and no change if there are fewer. */
static inline int wire_trim(struct wire_cur *c, size_t n)
{
	if (wire_left(c) < n)
		return -EBADMSG;
	c->end = c->p + n;
	return 0;
}

/* Internet checksum, RFC 1071. A sum is an opaque 64-bit accumulator in memory order: start with 0 or a
 * pseudo-header sum, add pieces, fold once. Every piece but the last must have an even length. */
static inline uint64_t hd_csum_add(uint64_t sum, const void *buf, size_t len)
{
	const uint8_t *p = buf;
	uint64_t acc = 0;
	uint32_t w;
	uint16_t h;

	/* 32-bit words into 64 bits: no carry is lost below 2^32 words */
	for (; len >= 4; p += 4, len -= 4) {
		memcpy(&w, p, 4);
		acc += w;
	}
	if (len >= 2) {
		memcpy(&h, p, 2);
		acc += h;
		p += 2;
		len -= 2;
	}
	if (len != 0) { /* odd last octet: padded with zero on the right */
		uint8_t last[2] = { *p, 0 };

		memcpy(&h, last, 2);
		acc += h;
	}
	acc = (acc & 0xffffffff) + (acc >> 32);
	sum += acc;
	return sum < acc ? sum + 1 : sum; /* end-around carry */
}

/* One's complement of the folded sum, ready to store in a checksum field that was zero while summing. */
static inline be16_t hd_csum_fold(uint64_t sum)
{
	be16_t ret;
	uint16_t x;

	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	x = (uint16_t)~sum;
	memcpy(&ret, &x, 2);
	return ret;
}

/* Checksum of one buffer: fold of add. Over data that includes its own checksum field, valid means {0, 0}. */
static inline be16_t hd_csum(const void *buf, size_t len)
{
	return hd_csum_fold(hd_csum_add(0, buf, len));
}

/* True if the accumulated sum (checksum field included) is that of intact data: all ones. */
static inline bool hd_csum_ok(uint64_t sum)
{
	be16_t f = hd_csum_fold(sum);

	return (f.b[0] | f.b[1]) == 0;
}

/* IPv6 pseudo-header sum, RFC 8200 section 8.1. dst: final destination (Segment List[0] of a packet that still
 * travels through a routing header). upper_len: upper-layer header and data, octets. proto: upper-layer protocol. */
static inline uint64_t hd_csum_ip6_pseudo(const struct ip6_addr *src, const struct ip6_addr *dst,
					  uint32_t upper_len, uint8_t proto)
{
	const uint8_t tail[4] = { 0, 0, 0, proto };
	be32_t len = be32_make(upper_len);
	uint64_t sum;

	sum = hd_csum_add(0, src, 16);
	sum = hd_csum_add(sum, dst, 16);
	sum = hd_csum_add(sum, &len, 4);
	return hd_csum_add(sum, tail, 4);
}

/* IPv4 pseudo-header sum, RFC 768 and RFC 9293 section 3.1. upper_len in octets. */
static inline uint64_t hd_csum_ip4_pseudo(be32_t src, be32_t dst, uint16_t upper_len, uint8_t proto)
{
	const uint8_t tail[2] = { 0, proto };
	be16_t len = be16_make(upper_len);
	uint64_t sum;

	sum = hd_csum_add(0, &src, 4);
	sum = hd_csum_add(sum, &dst, 4);
	sum = hd_csum_add(sum, tail, 2);
	return hd_csum_add(sum, &len, 2);
}

/* New checksum after len bytes (even, at an even offset of the summed data) changed from old to new.
 * RFC 1624 equation 3: HC' = ~(~HC + ~m + m'). A result of zero stays zero: UDP senders map it to 0xffff. The summed
 * data must not be all zero afterwards, which no header or pseudo-header is. */
static inline be16_t hd_csum_update(be16_t csum, const void *old, const void *new, size_t len)
{
	const uint8_t *o = old;
	uint64_t sum;
	uint16_t x;
	size_t i;

	memcpy(&x, &csum, 2);
	sum = (uint16_t)~x;
	for (i = 0; i + 2 <= len; i += 2) {
		memcpy(&x, o + i, 2);
		sum += (uint16_t)~x;
	}
	return hd_csum_fold(hd_csum_add(sum, new, len));
}

/* The same for one 16-bit field: the hop of a TTL or a port. */
static inline be16_t hd_csum_update16(be16_t csum, be16_t old, be16_t new)
{
	return hd_csum_update(csum, &old, &new, sizeof(old));
}

#endif
