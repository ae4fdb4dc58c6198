/* SPDX-License-Identifier: BSD-3-Clause */
/* Alternate marking (RFC 9341) on the wire: the AltMark option of IPv6 (RFC 9343), and the same in a TLV of the SRH.
 *
 *	altmark_find()        where a packet carries a mark, and what it says
 *	altmark_option_make() the option; altmark_word_set() writes a mark into its data */
#ifndef HEDDLE_WIRE_ALTMARK_H
#define HEDDLE_WIRE_ALTMARK_H

#include <errno.h>

#include <heddle/wire/srh.h>

#define ALTMARK_OPT \
	0x12 /* RFC 9343 section 3.1: skipped by who does not know it, never changed on the way */
#define ALTMARK_DATA_LEN 4
#define ALTMARK_OPT_LEN  6 /* type, length, data */
#define ALTMARK_ID_MAX   0xfffffu

/* The data: FlowMonID 20 bits, L 1, D 1, 10 reserved (RFC 9343 section 3.1). */
#define ALTMARK_L 0x800u
#define ALTMARK_D 0x400u

#define ALTMARK_TLV_LEN \
	8u /* of the SRH TLV: type, length, 2 reserved, then a word as above; NH (4 low bits) 0 */
#define ALTMARK_TLV_TYPE \
	124u /* default: first of the experimental range 124..126 (RFC 8754 section 8.2) */

static inline uint32_t altmark_word(uint32_t mon_id, bool l, bool d)
{
	return mon_id << 12 | (l ? ALTMARK_L : 0) | (d ? ALTMARK_D : 0);
}

static inline uint32_t altmark_id(uint32_t word)
{
	return word >> 12;
}

/* Who counts a packet depends on where its mark is (RFC 9343 section 4). */
enum altmark_place {
	ALTMARK_HOP = 1, /* hop-by-hop options: every node on the path */
	ALTMARK_DEST =
		2, /* destination options: the node of the destination address; in front of a routing
			      * header that is every segment endpoint */
	ALTMARK_SRH_TLV = 3, /* every segment endpoint */
};

struct altmark_view {
	uint32_t word;
	enum altmark_place place;
	uint16_t off; /* of the word, from the IPv6 header on */
};

/* The AltMark option among the options of a header.  1, 0 there is none, -EBADMSG. */
static inline int altmark_in_options(const struct ip6_ext_view *e, struct altmark_view *ret)
{
	struct ip6_opt_view o;
	struct ip6_opts opts;
	int rc;

	ip6_opts_init(&opts, e);
	while ((rc = ip6_opts_next(&opts, &o)) == 1) {
		if (o.type != ALTMARK_OPT || o.len != ALTMARK_DATA_LEN)
			continue;
		ret->word = wire_get32(o.data);
		ret->off = (uint16_t)(e->off + o.off + 2);
		return 1;
	}
	return rc;
}

/* The same among the TLVs of an SRH. */
static inline int altmark_in_srh(const struct ip6_ext_view *e, uint8_t tlv_type,
				 struct altmark_view *ret)
{
	struct wire_cur c = wire_cur_init(e->p, e->len);
	const uint8_t *t, *len, *value;
	struct srh_view srh;

	if (srh_parse(&c, &srh) < 0)
		return -EBADMSG;
	if (srh.hdr->last_entry > srh.max_last_entry)
		return 0;
	c = wire_cur_init(e->p, e->len);
	wire_pull(&c, SRH_OFF_LIST + 16u * (srh.hdr->last_entry + 1u));
	while ((t = wire_pull(&c, 1)) != NULL) {
		if (*t == SRH_TLV_PAD1)
			continue;
		len = wire_pull(&c, 1);
		value = len != NULL ? wire_pull(&c, *len) : NULL;
		if (value == NULL)
			return -EBADMSG;
		if (*t != tlv_type || *len != ALTMARK_TLV_LEN - 2)
			continue;
		ret->word = wire_get32(value + 2);
		ret->off = (uint16_t)(value + 2 - e->p + e->off);
		return 1;
	}
	return 0;
}

/* The first mark of a packet, len octets of which can be read at ip.  tlv_type 0: none of the SRH.
 * Returns 1, 0 there is none, or the errors of ip6_walk_next(). */
static inline int altmark_find(const uint8_t *ip, size_t len, uint8_t tlv_type,
			       struct altmark_view *ret)
{
	struct wire_cur c = wire_cur_init(ip, len);
	const struct ip6_fixed *h = wire_pull(&c, sizeof(*h));
	struct ip6_view v = { .hdr = h };
	struct ip6_ext_view e;
	struct ip6_walk w;
	int rc;

	if (h == NULL)
		return -EBADMSG;
	ip6_walk_init(&w, &v, &c);
	while ((rc = ip6_walk_next(&w, &e)) == 1) {
		int found = 0;

		if (e.type == IP_NH_HOPOPTS || e.type == IP_NH_DSTOPTS) {
			found = altmark_in_options(&e, ret);
			ret->place = e.type == IP_NH_HOPOPTS ? ALTMARK_HOP : ALTMARK_DEST;
		} else if (e.type == IP_NH_ROUTING && tlv_type != 0 &&
			   e.p[IP6_RT_OFF_ROUTING_TYPE] == SRH_ROUTING_TYPE) {
			found = altmark_in_srh(&e, tlv_type, ret);
			ret->place = ALTMARK_SRH_TLV;
		}
		if (found != 0)
			return found;
	}
	return rc;
}

#endif
