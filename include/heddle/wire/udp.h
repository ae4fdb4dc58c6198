/* SPDX-License-Identifier: BSD-3-Clause */
/* UDP header (RFC 768; over IPv6: RFC 8200 section 8.1). */
#ifndef HEDDLE_WIRE_UDP_H
#define HEDDLE_WIRE_UDP_H

#include <heddle/wire/ip6.h>

struct udp_hdr { /* RFC 768 "Format" */
	be16_t src_port, dst_port;
	be16_t len;  /* octets, header and data */
	be16_t csum; /* 0: not computed (IPv4 only) */
} __attribute__((packed));
static_assert(sizeof(struct udp_hdr) == 8, "RFC 768");

struct udp_view {
	const struct udp_hdr *hdr;
	uint16_t src_port, dst_port; /* host order */
	uint16_t len;                /* octets, header and data, all present */
};

/* UDP header; the cursor then holds exactly the data. The checksum is not looked at.
 * Returns 0, -EBADMSG truncated, or a length below 8 or beyond the bytes present. */
static inline int udp_parse(struct wire_cur *c, struct udp_view *ret)
{
	struct wire_cur w = *c;
	const struct udp_hdr *h = wire_peek(&w, sizeof(*h));
	uint16_t len;

	if (h == NULL)
		return -EBADMSG;
	len = be16_get(h->len);
	if (len < sizeof(*h) || wire_trim(&w, len) < 0)
		return -EBADMSG;
	wire_pull(&w, sizeof(*h));
	*ret = (struct udp_view){
		.hdr = h,
		.src_port = be16_get(h->src_port),
		.dst_port = be16_get(h->dst_port),
		.len = len,
	};
	*c = w;
	return 0;
}

/* Checksum of a UDP packet over IPv6. Zero is refused (RFC 8200 section 8.1).
 * dst: the final destination. Returns 0 or -EILSEQ. */
static inline int udp_csum_check_ip6(const struct udp_view *v, const struct ip6_addr *src,
				     const struct ip6_addr *dst)
{
	uint64_t sum = hd_csum_ip6_pseudo(src, dst, v->len, IP_NH_UDP);

	if (be16_get(v->hdr->csum) == 0)
		return -EILSEQ;
	return hd_csum_ok(hd_csum_add(sum, v->hdr, v->len)) ? 0 : -EILSEQ;
}

/* Checksum of a UDP packet over IPv4. Zero: the sender did not compute it (RFC 768). Returns 0 or -EILSEQ. */
static inline int udp_csum_check_ip4(const struct udp_view *v, be32_t src, be32_t dst)
{
	uint64_t sum = hd_csum_ip4_pseudo(src, dst, v->len, IP_NH_UDP);

	if (be16_get(v->hdr->csum) == 0)
		return 0;
	return hd_csum_ok(hd_csum_add(sum, v->hdr, v->len)) ? 0 : -EILSEQ;
}

/* Either of them.  family: 4 or 6; src, dst: 4 or 16 octets.  Returns 0 or -EILSEQ. */
static inline int udp_csum_check(const struct udp_view *v, unsigned family, const uint8_t *src,
				 const uint8_t *dst)
{
	if (family == 4)
		return udp_csum_check_ip4(v, *(const be32_t *)src, *(const be32_t *)dst);
	return udp_csum_check_ip6(v, (const struct ip6_addr *)src, (const struct ip6_addr *)dst);
}

/* Writes a UDP header in front of data_len octets, checksum 0. Returns 8, -ENOSPC, -EINVAL over 65535 octets. */
static inline int udp_build(void *buf, size_t cap, uint16_t src_port, uint16_t dst_port,
			    size_t data_len)
{
	struct udp_hdr h = {
		.src_port = be16_make(src_port),
		.dst_port = be16_make(dst_port),
		.len = be16_make((uint16_t)(sizeof(h) + data_len)),
	};

	if (data_len > 0xffff - sizeof(h))
		return -EINVAL;
	if (cap < sizeof(h))
		return -ENOSPC;
	memcpy(buf, &h, sizeof(h));
	return (int)sizeof(h);
}

/* Sets the checksum of a complete UDP packet h whose length field is right and whose data follows it; pseudo: from
 * hd_csum_ip6_pseudo() or hd_csum_ip4_pseudo(). A zero result is sent as 0xffff (RFC 768). */
static inline void udp_csum_set(struct udp_hdr *h, uint64_t pseudo)
{
	h->csum = be16_make(0);
	h->csum = hd_csum_fold(hd_csum_add(pseudo, h, be16_get(h->len)));
	if (be16_get(h->csum) == 0)
		h->csum = be16_make(0xffff);
}

#endif
