/* SPDX-License-Identifier: BSD-3-Clause
 * H.Encaps, H.Encaps.Red and both for Ethernet frames on octets: a ready outer header per segment list, pushed by copy
 * and patch.
 * Pure: no graph, no mbuf.  Spec: RFC 8986 5.1 to 5.4 (headend), RFC 8754 4.1 (SRH), RFC 6437, 6438 (flow label),
 * RFC 8754 2.1.2 (HMAC: all it covers is known when the header is made), RFC 6040 4.1 (ECN), RFC 2473 (tunnels). */
#ifndef PIPELINES_SRV6_ENCAPS_H
#define PIPELINES_SRV6_ENCAPS_H

#include <heddle/api/srv6.h>
#include <heddle/wire/eth.h>
#include <heddle/wire/ip6.h>
#include <heddle/wire/srh.h>

#include "pipelines/srv6/srv6.h"

/* Octets of IPv6, SRH and HMAC TLV, and 8 of options. */
#define SRV6_OUTER_MAX (40 + 8 + 16 * HD_SRV6_SEGS_MAX + 40 + 8)

/* Outer header of one segment list, complete but for payload length, inner protocol, traffic class and flow label. */
struct srv6_outer {
	/* what every packet asks for, in one line with the beginning of the header */
	uint16_t len;        /* octets of hdr, a multiple of 8, 40 at least */
	uint8_t proto_off;   /* where the inner protocol goes: 6 without SRH, 40 with */
	uint8_t dscp_copy;   /* traffic class: copy of the inner one; else dscp and the inner ECN */
	uint8_t dscp;        /* traffic class with ECN 0 */
	uint8_t treat;       /* SRV6_OUTER_*: what else is not as most have it; 0: nothing */
	uint32_t label;      /* for SRV6_OUTER_LABEL_FIXED */
	uint32_t seglist_id; /* row of the counters */
	uint8_t hdr[(SRV6_OUTER_MAX + 31) / 32 * 32] __attribute__((aligned(16)));
	/* for SRV6_OUTER_EXTRA: what is to be stamped, and where it stands */
	const struct srv6_extra *extra[SRV6_EXTRAS];
	uint16_t extra_off[SRV6_EXTRAS];
};

#define SRV6_OUTER_HOP_INNER   0x1u
#define SRV6_OUTER_LABEL_INNER 0x2u
#define SRV6_OUTER_LABEL_FIXED 0x4u
#define SRV6_OUTER_EXTRA       0x8u

struct srv6_hmac_key;
struct srv6_outer_fields { /* what srv6_outer_build() writes */
	enum hd_srv6_encap encap;
	struct ip6_addr src;
	const struct ip6_addr *seg; /* in the order of travel */
	unsigned n_seg;
	uint8_t hop_limit; /* what frames get too when the hop limit is the inner one */
	bool dscp_copy;
	uint8_t tclass;
	enum hd_srv6_hop hop_mode;
	enum hd_srv6_label label_mode;
	uint32_t label;
	uint32_t seglist_id;
	const struct srv6_hmac_key *hmac;            /* sign the SRH with it; NULL: no HMAC TLV */
	const struct srv6_extra *extra[SRV6_EXTRAS]; /* NULL: none */
};

/* Returns 0, -EINVAL (no or too many segments, an unknown encapsulation), -E2BIG (more than SRV6_OUTER_MAX octets,
 * which only what is extra can make). */
int srv6_outer_build(struct srv6_outer *o, const struct srv6_outer_fields *f);

/* The packet to be steered, as found in front of the push. */
struct srv6_inner {
	uint8_t proto; /* IP_NH_IP4, IP_NH_IP6 or IP_NH_ETHERNET */
	uint8_t tc;    /* traffic class or TOS */
	uint8_t hop;   /* hop limit or TTL as it is now */
	bool df;       /* IPv4: don't fragment; IPv6: true */
	uint32_t len;  /* octets, by its own header: what goes behind the outer header */
};

/* Returns 0, or -EBADMSG: no IP packet, or one that claims more than len octets.
 *   head  octets readable at ip; len: octets of the packet */
static inline int srv6_inner_parse(const uint8_t *ip, uint32_t head, uint32_t len,
				   struct srv6_inner *ret)
{
	if (head < sizeof(struct ip4_hdr))
		return -EBADMSG;
	if (ip[0] >> 4 == 6) {
		if (head < sizeof(struct ip6_fixed))
			return -EBADMSG;
		ret->proto = IP_NH_IP6;
		ret->tc = (uint8_t)(ip[0] << 4 | ip[1] >> 4);
		ret->hop = ip[IP6_OFF_HOP_LIMIT];
		ret->df = true;
		ret->len = sizeof(struct ip6_fixed) + wire_get16(ip + IP6_OFF_PAYLOAD_LEN);
	} else if (ip[0] >> 4 == 4) {
		const struct ip4_hdr *h = (const struct ip4_hdr *)ip;

		ret->proto = IP_NH_IP4;
		ret->tc = h->tos;
		ret->hop = h->ttl;
		ret->df = (be16_get(h->frag) & IP4_DF) != 0;
		ret->len = be16_get(h->total_len);
		if ((ip[0] & 15) < 5 || ret->len < (ip[0] & 15) * 4u)
			return -EBADMSG;
	} else {
		return -EBADMSG;
	}
	return ret->len > len ? -EBADMSG : 0;
}

/* The same for an Ethernet frame of len octets, `head` of them readable (5.3: without preamble and FCS).  Its traffic
 * class is the priority of the outer tag as a class selector; ret_l3_off: where an IP packet begins, 0: there is none.
 * Returns 0, or -EBADMSG: shorter than its header. */
static inline int srv6_frame_parse(const uint8_t *frame, uint32_t head, uint32_t len,
				   struct srv6_inner *ret, unsigned *ret_l3_off)
{
	struct wire_cur c = wire_cur_init(frame, head);
	struct eth_view v;
	int rc = eth_parse(&c, &v);

	if (rc == -EPROTONOSUPPORT) /* a third tag: carried as it is */
		v = (struct eth_view){ .n_tags = 1, .tag[0].pcp = frame[14] >> 5 };
	else if (rc < 0)
		return rc;
	*ret = (struct srv6_inner){
		.proto = IP_NH_ETHERNET,
		.tc = v.n_tags != 0 ? (uint8_t)(v.tag[0].pcp << 5) : 0,
		.df = true,
		.len = len,
	};
	*ret_l3_off = v.ethertype == ETHTYPE_IP4 || v.ethertype == ETHTYPE_IP6 ? v.l3_off : 0;
	return 0;
}

/* 5.1 S05: the inner hop limit or TTL counts this node.  The caller has checked that it is above 1. */
static inline void srv6_inner_decrement(uint8_t *ip, const struct srv6_inner *in)
{
	if (in->proto == IP_NH_IP6)
		ip[IP6_OFF_HOP_LIMIT]--;
	else
		ip4_ttl_decrement((struct ip4_hdr *)ip);
}

/* Flow label of an outer header: 20 bits from the hash of the inner flow, never 0, and with other bits than those that
 * pick the segment list (RFC 6437 section 3, RFC 6438 section 3). */
#define SRV6_LABEL_FACTOR 0x9e3779b1u
static inline uint32_t srv6_flow_label(uint32_t flow_hash)
{
	uint32_t label = flow_hash * SRV6_LABEL_FACTOR >> 12;

	return label + (label == 0);
}

/* Fields of the outer header at `outer` that come from the inner one behind it, or are fixed. */
static inline void srv6_outer_treat(const struct srv6_outer *o, uint8_t *outer,
				    const struct srv6_inner *in)
{
	const uint8_t *ip = outer + o->len;
	uint32_t first = wire_get32(outer), label;

	if ((o->treat & SRV6_OUTER_HOP_INNER) != 0 && in->proto != IP_NH_ETHERNET)
		outer[IP6_OFF_HOP_LIMIT] = in->proto == IP_NH_IP6 ?
						   ip[IP6_OFF_HOP_LIMIT] :
						   ((const struct ip4_hdr *)ip)->ttl;
	if ((o->treat & SRV6_OUTER_LABEL_FIXED) != 0) {
		wire_put32(outer, (first & ~0xfffffu) | o->label);
	} else if ((o->treat & SRV6_OUTER_LABEL_INNER) != 0 && in->proto == IP_NH_IP6) {
		label = wire_get32(ip) & 0xfffff;
		if (label != 0)
			wire_put32(outer, (first & ~0xfffffu) | label);
	}
	if ((o->treat & SRV6_OUTER_EXTRA) == 0)
		return;
	for (unsigned i = 0; i < SRV6_EXTRAS; i++)
		if (o->extra[i] != NULL)
			o->extra[i]->stamp(o->extra[i], outer + o->extra_off[i], o->len + in->len);
}

/* Write the outer header into the o->len octets at outer, in front of the inner packet, whose hop limit has been
 * decremented. */
static inline void srv6_outer_push(const struct srv6_outer *o, uint8_t *outer,
				   const struct srv6_inner *in, uint32_t flow_label)
{
	uint8_t tc = o->dscp_copy ? in->tc : (uint8_t)(o->dscp | (in->tc & 3));
	const uint8_t *end = o->hdr + o->len;

	memcpy(outer, o->hdr,
	       32); /* whole vectors; the last one overlaps, nothing is written past the header */
	for (unsigned i = 32; i + 32 < o->len; i += 32)
		memcpy(outer + i, o->hdr + i, 32);
	memcpy(outer + o->len - 32, end - 32, 32);
	wire_put32(outer, 6u << 28 | (uint32_t)tc << 20 | flow_label);
	wire_put16(outer + IP6_OFF_PAYLOAD_LEN,
		   (uint16_t)(o->len - sizeof(struct ip6_fixed) + in->len));
	outer[o->proto_off] = in->proto;
	if (__builtin_expect(o->treat != 0, 0))
		srv6_outer_treat(o, outer, in);
}

/* The value of the error when the inner packet does not fit: what is left for it, but for IPv6 not below the minimum
 * link MTU (RFC 2473 section 7.1). */
static inline uint32_t srv6_inner_mtu(const struct srv6_outer *o, uint32_t mtu,
				      const struct srv6_inner *in)
{
	uint32_t room = mtu > o->len ? mtu - o->len : 0;

	return in->proto == IP_NH_IP6 && room < IP6_MIN_MTU ? IP6_MIN_MTU : room;
}

/* May the sender be told that the packet does not fit?  Not when it cannot send smaller ones: IPv6 of up to 1280
 * octets, and IPv4 that lets others fragment it. */
static inline bool srv6_inner_mtu_tell(const struct srv6_inner *in)
{
	return in->proto == IP_NH_IP6 ? in->len > IP6_MIN_MTU : in->df;
}

/* Buckets: hash -> segment list, by weight (RFC 9256 section 2.11). */
#define SRV6_BUCKETS 256u

/* Fill ret_bucket[] with indexes into id[]/weight[], each list as often as its weight says, at least once.
 * Buckets of `old` (SRV6_BUCKETS ids; NULL: none) stay with their list as far as its new share allows, so that a list
 * that goes moves only its own flows.  n: 1..HD_SRV6_LISTS_MAX; weights above 0. */
void srv6_buckets_fill(const uint32_t *id, const uint32_t *weight, unsigned n, const uint32_t *old,
		       uint8_t ret_bucket[SRV6_BUCKETS]);

#endif
