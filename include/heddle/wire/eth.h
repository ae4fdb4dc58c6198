/* SPDX-License-Identifier: BSD-3-Clause */
/* Ethernet II frames with up to two VLAN tags (IEEE 802.3, 802.1Q, 802.1ad). */
#ifndef HEDDLE_WIRE_ETH_H
#define HEDDLE_WIRE_ETH_H

#include <heddle/wire/wire.h>

#define ETHTYPE_IP4     0x0800
#define ETHTYPE_ARP     0x0806
#define ETHTYPE_VLAN    0x8100 /* IEEE 802.1Q customer tag */
#define ETHTYPE_QINQ    0x88a8 /* IEEE 802.1ad service tag */
#define ETHTYPE_IP6     0x86dd /* RFC 2464 section 3 */
#define ETHTYPE_MPLS    0x8847 /* RFC 3032 section 5, unicast */
#define ETHTYPE_PPPOE_D 0x8863 /* RFC 2516 section 4 */
#define ETHTYPE_PPPOE_S 0x8864
#define ETHTYPE_NSH     0x894f /* RFC 8300 section 10.1 */
#define ETHTYPE_MIN     0x0600 /* below: an IEEE 802.3 length, not a type */

#define ETH_MAX_TAGS 2

struct eth_hdr { /* IEEE 802.3 section 3.1.1, without preamble and FCS */
	struct mac_addr dst, src;
	be16_t ethertype; /* or TPID of the first tag, or a length below ETHTYPE_MIN */
} __attribute__((packed));
static_assert(sizeof(struct eth_hdr) == 14, "IEEE 802.3 section 3.1.1");

struct vlan_tag {         /* IEEE 802.1Q section 9.3, the part behind the TPID */
	be16_t tci;       /* PCP 3 bits, DEI 1 bit, VID 12 bits */
	be16_t ethertype; /* what follows: next TPID or the payload's type */
} __attribute__((packed));
static_assert(sizeof(struct vlan_tag) == 4, "IEEE 802.1Q section 9.3");

#define VLAN_VID_MASK  0x0fff
#define VLAN_DEI       0x1000
#define VLAN_PCP_SHIFT 13

struct eth_tag_view {
	uint16_t tpid; /* ETHTYPE_VLAN or ETHTYPE_QINQ */
	uint16_t vid;  /* 0..4095; 0 is a priority tag, 4095 reserved: the caller decides */
	uint8_t pcp;   /* 0..7 */
	bool dei;
};

struct eth_view {
	const struct eth_hdr *hdr;
	uint16_t ethertype; /* host order, behind the tags; below ETHTYPE_MIN: an 802.3 length */
	uint8_t n_tags;     /* 0..2 */
	uint8_t l3_off;     /* octets from the frame start to the payload: 14, 18 or 22 */
	struct eth_tag_view
		tag[ETH_MAX_TAGS]; /* [0] is the outer one; entries past n_tags are zero */
};

static inline bool ethtype_is_tag(uint16_t type)
{
	return type == ETHTYPE_VLAN || type == ETHTYPE_QINQ;
}

/* Ethernet header and its tags; the cursor then stands at the payload.
 * Returns 0, -EBADMSG truncated, -EPROTONOSUPPORT a third tag. */
static inline int eth_parse(struct wire_cur *c, struct eth_view *ret)
{
	struct wire_cur w = *c;
	const struct eth_hdr *h = wire_pull(&w, sizeof(*h));
	struct eth_view v = { .hdr = h };

	if (h == NULL)
		return -EBADMSG;
	v.ethertype = be16_get(h->ethertype);
	while (ethtype_is_tag(v.ethertype)) {
		const struct vlan_tag *t;
		uint16_t tci;

		if (v.n_tags == ETH_MAX_TAGS)
			return -EPROTONOSUPPORT;
		t = wire_pull(&w, sizeof(*t));
		if (t == NULL)
			return -EBADMSG;
		tci = be16_get(t->tci);
		v.tag[v.n_tags++] = (struct eth_tag_view){
			.tpid = v.ethertype,
			.vid = tci & VLAN_VID_MASK,
			.pcp = (uint8_t)(tci >> VLAN_PCP_SHIFT),
			.dei = (tci & VLAN_DEI) != 0,
		};
		v.ethertype = be16_get(t->ethertype);
	}
	v.l3_off = (uint8_t)(w.p - c->p);
	*ret = v;
	*c = w;
	return 0;
}

/* Length of the header that eth_build() writes for n_tags tags. */
static inline size_t eth_build_len(unsigned n_tags)
{
	return sizeof(struct eth_hdr) + n_tags * sizeof(struct vlan_tag);
}

/* Writes an Ethernet header with n_tags tags (tag[0] outer) to buf of cap bytes.
 * Returns the length, -EINVAL more than two tags, -ENOSPC. */
static inline int eth_build(void *buf, size_t cap, const struct mac_addr *dst,
			    const struct mac_addr *src, const struct eth_tag_view *tag,
			    unsigned n_tags, uint16_t ethertype)
{
	uint8_t *p = buf;
	unsigned i;

	if (n_tags > ETH_MAX_TAGS)
		return -EINVAL;
	if (cap < eth_build_len(n_tags))
		return -ENOSPC;
	memcpy(p, dst, sizeof(*dst));
	memcpy(p + 6, src, sizeof(*src));
	p += 12;
	for (i = 0; i < n_tags; i++, p += 4) {
		uint16_t tci =
			(uint16_t)((tag[i].vid & VLAN_VID_MASK) | (tag[i].dei ? VLAN_DEI : 0) |
				   (tag[i].pcp << VLAN_PCP_SHIFT));

		wire_put16(p, tag[i].tpid);
		wire_put16(p + 2, tci);
	}
	wire_put16(p, ethertype);
	return (int)eth_build_len(n_tags);
}

#endif
