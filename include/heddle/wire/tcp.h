/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP header and options (RFC 9293). */
#ifndef HEDDLE_WIRE_TCP_H
#define HEDDLE_WIRE_TCP_H

#include <heddle/wire/ip6.h>

struct tcp_hdr { /* RFC 9293 section 3.1 */
	be16_t src_port, dst_port;
	be32_t seq, ack;
	uint8_t data_off; /* header length 4 bits in 4-octet words, 4 bits reserved */
	uint8_t flags;    /* CWR ECE URG ACK PSH RST SYN FIN */
	be16_t window, csum, urgent;
} __attribute__((packed));
static_assert(sizeof(struct tcp_hdr) == 20, "RFC 9293 section 3.1");

#define TCP_FLAG_FIN 0x01
#define TCP_FLAG_SYN 0x02
#define TCP_FLAG_RST 0x04
#define TCP_FLAG_PSH 0x08
#define TCP_FLAG_ACK 0x10

#define TCP_OPT_END 0 /* RFC 9293 section 3.1: options without a length octet */
#define TCP_OPT_NOP 1
#define TCP_OPT_MSS 2

struct tcp_view {
	const struct tcp_hdr *hdr;
	uint16_t src_port, dst_port; /* host order */
	uint8_t hdr_len;             /* octets, 20..60, all present */
};

/* TCP header with its options; the cursor then stands at the data. The checksum is not looked at.
 * Returns 0, -EBADMSG truncated or a data offset below 5 or beyond the bytes present. */
static inline int tcp_parse(struct wire_cur *c, struct tcp_view *ret)
{
	struct wire_cur w = *c;
	const struct tcp_hdr *h = wire_peek(&w, sizeof(*h));
	unsigned hdr_len;

	if (h == NULL)
		return -EBADMSG;
	hdr_len = (h->data_off >> 4) * 4u;
	if (hdr_len < sizeof(*h) || wire_pull(&w, hdr_len) == NULL)
		return -EBADMSG;
	*ret = (struct tcp_view){
		.hdr = h,
		.src_port = be16_get(h->src_port),
		.dst_port = be16_get(h->dst_port),
		.hdr_len = (uint8_t)hdr_len,
	};
	*c = w;
	return 0;
}

/* The MSS option of a SYN, RFC 9293 section 3.7.1.
 *   ret_off  offset of the 16-bit value from the start of the TCP header
 * Returns 1 found, 0 none, -EBADMSG an option runs past the header or has a length that cannot be. */
static inline int tcp_mss_find(const struct tcp_view *v, uint16_t *ret_off)
{
	const uint8_t *p = (const uint8_t *)v->hdr;
	unsigned off = sizeof(struct tcp_hdr);

	while (off < v->hdr_len) {
		if (p[off] == TCP_OPT_END)
			return 0;
		if (p[off] == TCP_OPT_NOP) {
			off++;
			continue;
		}
		if (off + 2 > v->hdr_len || p[off + 1] < 2 || off + p[off + 1] > v->hdr_len)
			return -EBADMSG;
		if (p[off] == TCP_OPT_MSS) {
			if (p[off + 1] != 4)
				return -EBADMSG;
			*ret_off = (uint16_t)(off + 2);
			return 1;
		}
		off += p[off + 1];
	}
	return 0;
}

#endif
