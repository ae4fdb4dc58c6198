/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv4 header (RFC 791). */
#ifndef HEDDLE_WIRE_IP4_H
#define HEDDLE_WIRE_IP4_H

#include <heddle/wire/wire.h>

/* Protocol numbers shared by IPv4 "protocol" and IPv6 "next header" (IANA). */
#define IP_NH_HOPOPTS  0 /* RFC 8200 section 4.3 */
#define IP_NH_ICMP4    1
#define IP_NH_IP4      4 /* IPv4 packet inside; RFC 8986 section 4.5 */
#define IP_NH_TCP      6
#define IP_NH_UDP      17
#define IP_NH_IP6      41 /* IPv6 packet inside; RFC 8986 section 4.4 */
#define IP_NH_ROUTING  43 /* RFC 8200 section 4.4 */
#define IP_NH_FRAGMENT 44 /* RFC 8200 section 4.5 */
#define IP_NH_ESP      50
#define IP_NH_AH       51
#define IP_NH_ICMP6    58
#define IP_NH_NONE     59  /* RFC 8200 section 4.7 */
#define IP_NH_DSTOPTS  60  /* RFC 8200 section 4.6 */
#define IP_NH_ETHERNET 143 /* Ethernet frame inside; RFC 8986 section 10.1 */

struct ip4_hdr {             /* RFC 791 section 3.1 */
	uint8_t version_ihl; /* version 4 bits, header length 4 bits in 4-octet words */
	uint8_t tos;         /* DSCP 6 bits (RFC 2474), ECN 2 bits (RFC 3168) */
	be16_t total_len;    /* octets, header included */
	be16_t id;
	be16_t frag; /* reserved, DF, MF, then offset in 8-octet units */
	uint8_t ttl, proto;
	be16_t csum; /* of the header, options included */
	be32_t src, dst;
} __attribute__((packed));
static_assert(sizeof(struct ip4_hdr) == 20, "RFC 791 section 3.1");

#define IP4_DF        0x4000
#define IP4_MF        0x2000
#define IP4_FRAG_MASK 0x1fff

struct ip4_view {
	const struct ip4_hdr *hdr;
	uint16_t total_len; /* octets, checked against the bytes present */
	uint8_t hdr_len;    /* octets, 20..60 */
	bool df, mf;
	uint16_t frag_off; /* octets; with mf or non-zero the packet is a fragment */
};

/* Everything but the header checksum: for ports whose NIC has checked it. See ip4_parse(). */
static inline int ip4_parse_nocsum(struct wire_cur *c, struct ip4_view *ret)
{
	struct wire_cur w = *c;
	const struct ip4_hdr *h = wire_peek(&w, sizeof(*h));
	unsigned hdr_len, total_len;
	uint16_t frag;

	if (h == NULL)
		return -EBADMSG;
	if (h->version_ihl >> 4 != 4)
		return -EPROTONOSUPPORT;
	hdr_len = (h->version_ihl & 15) * 4u;
	total_len = be16_get(h->total_len);
	if (hdr_len < sizeof(*h) || total_len < hdr_len || wire_trim(&w, total_len) < 0)
		return -EBADMSG;
	wire_pull(&w, hdr_len); /* fits: hdr_len <= total_len */
	frag = be16_get(h->frag);
	*ret = (struct ip4_view){
		.hdr = h,
		.total_len = (uint16_t)total_len,
		.hdr_len = (uint8_t)hdr_len,
		.df = (frag & IP4_DF) != 0,
		.mf = (frag & IP4_MF) != 0,
		.frag_off = (uint16_t)((frag & IP4_FRAG_MASK) * 8),
	};
	*c = w;
	return 0;
}

/* IPv4 header, RFC 791 section 3.1, RFC 1812 section 5.2.2. The cursor then holds exactly the payload: behind
 * the options, Ethernet padding cut off. Returns 0, -EBADMSG truncated, IHL below 5 or lengths that contradict,
 * -EPROTONOSUPPORT version is not 4, -EILSEQ header checksum wrong. */
static inline int ip4_parse(struct wire_cur *c, struct ip4_view *ret)
{
	struct wire_cur w = *c;
	struct ip4_view v;
	int rc = ip4_parse_nocsum(&w, &v);

	if (rc < 0)
		return rc;
	if (!hd_csum_ok(hd_csum_add(0, v.hdr, v.hdr_len)))
		return -EILSEQ;
	*ret = v;
	*c = w;
	return 0;
}

/* A fragment of a larger packet, first or later. */
static inline bool ip4_is_fragment(const struct ip4_view *v)
{
	return v->mf || v->frag_off != 0;
}

struct ip4_fields { /* what ip4_build() writes; all else follows from it */
	be32_t src, dst;
	uint8_t tos, ttl, proto; /* as on the wire */
	bool df;
	uint16_t id;        /* host order */
	size_t payload_len; /* octets behind the header */
};

/* Writes a 20-octet header with its checksum. Returns 20, -ENOSPC, -EINVAL the total exceeds 65535. */
static inline int ip4_build(void *buf, size_t cap, const struct ip4_fields *f)
{
	struct ip4_hdr h = {
		.version_ihl = 0x45,
		.tos = f->tos,
		.total_len = be16_make((uint16_t)(sizeof(h) + f->payload_len)),
		.id = be16_make(f->id),
		.frag = be16_make(f->df ? IP4_DF : 0),
		.ttl = f->ttl,
		.proto = f->proto,
		.src = f->src,
		.dst = f->dst,
	};

	if (f->payload_len > 0xffff - sizeof(h))
		return -EINVAL;
	if (cap < sizeof(h))
		return -ENOSPC;
	h.csum = hd_csum(&h, sizeof(h));
	memcpy(buf, &h, sizeof(h));
	return (int)sizeof(h);
}

/* TTL minus one with the checksum kept valid (RFC 1624). The caller has checked ttl > 1. */
static inline void ip4_ttl_decrement(struct ip4_hdr *h)
{
	uint8_t *p = &h->ttl;
	uint32_t w; /* TTL, protocol, checksum: read and written whole, nothing waits for a narrower store */
	uint16_t csum;

	memcpy(&w, p, 4);
	memcpy(&csum, p + 2, 2);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	/* A header sum that is 0x100 less; in this byte order its complement grows by 1, with end-around carry. */
	csum = (uint16_t)(csum + 1u + (csum >= 0xfffe));
	w = (w & 0xff00) | (uint8_t)(w - 1) | (uint32_t)csum << 16;
#else
#error "big-endian: add 0x100 and the carry"
#endif
	memcpy(p, &w, 4);
}

/* A new TTL with the checksum kept valid (RFC 1624). */
static inline void ip4_ttl_set(struct ip4_hdr *h, uint8_t ttl)
{
	be16_t old, new;

	memcpy(&old, &h->ttl, 2); /* TTL and protocol form one 16-bit word */
	h->ttl = ttl;
	memcpy(&new, &h->ttl, 2);
	h->csum = hd_csum_update16(h->csum, old, new);
}

/* A new TOS octet (DSCP and ECN) with the checksum kept valid (RFC 1624). */
static inline void ip4_tos_set(struct ip4_hdr *h, uint8_t tos)
{
	be16_t old, new;

	memcpy(&old, &h->version_ihl, 2);
	h->tos = tos;
	memcpy(&new, &h->version_ihl, 2);
	h->csum = hd_csum_update16(h->csum, old, new);
}

#endif
