/* SPDX-License-Identifier: BSD-3-Clause */
/* ARP for IPv4 over Ethernet (RFC 826). */
#ifndef HEDDLE_WIRE_ARP_H
#define HEDDLE_WIRE_ARP_H

#include <heddle/wire/eth.h>

#define ARP_HTYPE_ETH  1
#define ARP_OP_REQUEST 1
#define ARP_OP_REPLY   2

struct arp_pkt { /* RFC 826 "Packet format", with 6-octet hardware and 4-octet protocol addresses */
	be16_t htype, ptype; /* 1, 0x0800 */
	uint8_t hlen, plen;  /* octets: 6, 4 */
	be16_t op;           /* 1 request, 2 reply */
	struct mac_addr sha; /* sender */
	be32_t spa;
	struct mac_addr tha; /* target; meaningless in a request */
	be32_t tpa;
} __attribute__((packed));
static_assert(sizeof(struct arp_pkt) == 28, "RFC 826");

struct arp_view {
	const struct arp_pkt *pkt;
	uint16_t op; /* ARP_OP_REQUEST or ARP_OP_REPLY */
};

/* An ARP packet for IPv4 over Ethernet; trailing Ethernet padding is left in the cursor.
 * Returns 0, -EBADMSG truncated or the sender's MAC is a group address, -EPROTONOSUPPORT other hardware,
 * protocol or operation. Whether the addresses make sense on the link is the caller's question. */
static inline int arp_parse(struct wire_cur *c, struct arp_view *ret)
{
	struct wire_cur w = *c;
	const struct arp_pkt *a = wire_pull(&w, sizeof(*a));
	uint16_t op;

	if (a == NULL)
		return -EBADMSG;
	if (be16_get(a->htype) != ARP_HTYPE_ETH || be16_get(a->ptype) != ETHTYPE_IP4 ||
	    a->hlen != 6 || a->plen != 4)
		return -EPROTONOSUPPORT;
	op = be16_get(a->op);
	if (op != ARP_OP_REQUEST && op != ARP_OP_REPLY)
		return -EPROTONOSUPPORT;
	if (mac_is_multicast(&a->sha))
		return -EBADMSG;
	*ret = (struct arp_view){ .pkt = a, .op = op };
	*c = w;
	return 0;
}

/* Writes an ARP packet (28 octets, no Ethernet header). tha NULL: zero, as in a request.
 * Returns the length or -ENOSPC. */
static inline int arp_build(void *buf, size_t cap, uint16_t op, const struct mac_addr *sha,
			    be32_t spa, const struct mac_addr *tha, be32_t tpa)
{
	struct arp_pkt a = {
		.htype = be16_make(ARP_HTYPE_ETH),
		.ptype = be16_make(ETHTYPE_IP4),
		.hlen = 6,
		.plen = 4,
		.op = be16_make(op),
		.sha = *sha,
		.spa = spa,
		.tpa = tpa,
	};

	if (cap < sizeof(a))
		return -ENOSPC;
	if (tha != NULL)
		a.tha = *tha;
	memcpy(buf, &a, sizeof(a));
	return (int)sizeof(a);
}

#endif
