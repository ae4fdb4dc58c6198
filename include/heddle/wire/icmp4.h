/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP for IPv4 (RFC 792, RFC 1812). */
#ifndef HEDDLE_WIRE_ICMP4_H
#define HEDDLE_WIRE_ICMP4_H

#include <heddle/wire/ip4.h>

#define ICMP4_ECHO_REPLY    0
#define ICMP4_UNREACH       3 /* RFC 792; codes below */
#define ICMP4_REDIRECT      5
#define ICMP4_ECHO_REQUEST  8
#define ICMP4_TIME_EXCEEDED 11 /* code 0 TTL, 1 reassembly */
#define ICMP4_PARAM_PROBLEM 12

#define ICMP4_UNREACH_NET   0
#define ICMP4_UNREACH_HOST  1
#define ICMP4_UNREACH_PROTO 2
#define ICMP4_UNREACH_PORT  3
#define ICMP4_UNREACH_FRAG  4  /* RFC 1191 section 4: next-hop MTU in the low 16 bits of data */
#define ICMP4_UNREACH_ADMIN 13 /* RFC 1812 section 5.2.7.1 */

#define ICMP4_ERROR_MAX \
	576 /* RFC 1812 section 4.3.2.3: octets of the whole IPv4 packet with the error */

struct icmp4_msg { /* RFC 792, the first 8 octets of every message */
	uint8_t type, code;
	be16_t csum; /* of the whole message */
	be32_t data; /* echo: identifier 16, sequence 16; unreachable code 4: 0, MTU */
} __attribute__((packed));
static_assert(sizeof(struct icmp4_msg) == 8, "RFC 792");

struct icmp4_view {
	const struct icmp4_msg *msg;
	uint16_t len; /* octets of the whole message */
};

/* ICMP message that fills the cursor (the payload ip4_parse() left); the cursor then holds what follows the first 8
 * octets. Returns 0, -EBADMSG truncated, -EILSEQ checksum. */
static inline int icmp4_parse(struct wire_cur *c, struct icmp4_view *ret)
{
	struct wire_cur w = *c;
	size_t len = wire_left(&w);
	const struct icmp4_msg *m = wire_pull(&w, sizeof(*m));

	if (m == NULL || len > 0xffff)
		return -EBADMSG;
	if (!hd_csum_ok(hd_csum_add(0, m, len)))
		return -EILSEQ;
	*ret = (struct icmp4_view){ .msg = m, .len = (uint16_t)len };
	*c = w;
	return 0;
}

/* RFC 1812 section 4.3.1: error messages, about which no error is sent. Query types known to be no errors are listed;
 * anything unknown counts as an error (RFC 1122 section 3.2.2 would discard it anyway). */
static inline bool icmp4_type_is_error(uint8_t type)
{
	switch (type) {
	case ICMP4_ECHO_REPLY:
	case ICMP4_ECHO_REQUEST:
	case 9: /* router advertisement, solicitation: RFC 1256 */
	case 10:
	case 13: /* timestamp and reply: RFC 792 */
	case 14:
	case 42: /* extended echo and reply: RFC 8335 */
	case 43:
		return false;
	default:
		return true;
	}
}

/* May an ICMP error be sent about the packet v (payload: as ip4_parse() left it)? RFC 1812 section 4.3.2.7: not about
 * ICMP errors, multicast or broadcast (l2_group: it came to a group MAC), later fragments, or a source that names no
 * single host. Directed broadcast is known to the caller only. */
static inline bool icmp4_error_allowed(const struct ip4_view *v, const struct wire_cur *payload,
				       bool l2_group)
{
	uint8_t s = v->hdr->src.b[0];
	const uint8_t *type;

	if (l2_group || v->frag_off != 0)
		return false;
	if (v->hdr->dst.b[0] >= 224) /* multicast, reserved, limited broadcast */
		return false;
	if (s == 0 || s == 127 || s >= 224)
		return false;
	if (v->hdr->proto != IP_NH_ICMP4)
		return true;
	type = wire_peek(payload, 1);
	return type != NULL && !icmp4_type_is_error(*type);
}

/* Octets of the offending packet (pkt_len, from its IPv4 header on) that an error quotes. */
static inline size_t icmp4_error_quote_len(size_t pkt_len)
{
	const size_t max = ICMP4_ERROR_MAX - sizeof(struct ip4_hdr) - sizeof(struct icmp4_msg);

	return pkt_len < max ? pkt_len : max;
}

/* Writes an error message (no IPv4 header) that quotes the first icmp4_error_quote_len() octets of pkt. data: the
 * second word in host order. Returns the octets written, -EINVAL nothing to quote, -ENOSPC. */
static inline int icmp4_error_build(void *buf, size_t cap, uint8_t type, uint8_t code,
				    uint32_t data, const void *pkt, size_t pkt_len)
{
	struct icmp4_msg m = { .type = type, .code = code, .data = be32_make(data) };
	size_t n = icmp4_error_quote_len(pkt_len);
	uint8_t *p = buf;

	if (pkt_len < sizeof(struct ip4_hdr))
		return -EINVAL;
	if (cap < sizeof(m) + n)
		return -ENOSPC;
	memmove(p + sizeof(m), pkt, n);
	m.csum = hd_csum_fold(hd_csum_add(hd_csum_add(0, &m, sizeof(m)), p + sizeof(m), n));
	memcpy(p, &m, sizeof(m));
	return (int)(sizeof(m) + n);
}

/* Turns an echo request into its reply in place, checksum kept valid (RFC 792, RFC 1624). */
static inline void icmp4_echo_to_reply(struct icmp4_msg *m)
{
	be16_t old = { { m->type, m->code } }, new = { { ICMP4_ECHO_REPLY, 0 } };

	m->type = ICMP4_ECHO_REPLY;
	m->code = 0;
	m->csum = hd_csum_update16(m->csum, old, new);
}

#endif
