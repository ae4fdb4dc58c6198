/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv6 header, extension header chain, options (RFC 8200).
 *
 * A node that acts on headers strictly in order (RFC 8200 section 4) uses the walker: ip6_walk_init(), then
 * ip6_walk_next() per extension header. Who only wants to know where things are uses ip6_chain_parse().
 * All offsets count octets from the first octet of the IPv6 header: the unit of an ICMPv6 pointer. */
#ifndef HEDDLE_WIRE_IP6_H
#define HEDDLE_WIRE_IP6_H

#include <heddle/wire/ip4.h>
#include <heddle/wire/wire.h>

#define IP6_MAX_EXT 8    /* extension headers in one chain; more are refused with -E2BIG */
#define IP6_MIN_MTU 1280 /* RFC 8200 section 5 */

struct ip6_fixed {          /* RFC 8200 section 3 */
	be32_t vtf;         /* version 4 bits, traffic class 8 bits, flow label 20 bits */
	be16_t payload_len; /* octets behind these 40; extension headers count */
	uint8_t next_header, hop_limit;
	struct ip6_addr src, dst;
} __attribute__((packed));
static_assert(sizeof(struct ip6_fixed) == 40, "RFC 8200 section 3");

#define IP6_OFF_PAYLOAD_LEN 4 /* offsets of fields, for ICMPv6 pointers */
#define IP6_OFF_NEXT_HEADER 6
#define IP6_OFF_HOP_LIMIT   7

struct ip6_ext_hdr { /* RFC 8200 sections 4.3, 4.4, 4.6: hop-by-hop, destination options, routing */
	uint8_t next_header;
	uint8_t hdr_ext_len; /* 8-octet units behind the first 8 octets */
} __attribute__((packed));
static_assert(sizeof(struct ip6_ext_hdr) == 2, "RFC 8200 section 4.3");

struct ip6_rt_hdr { /* RFC 8200 section 4.4, the part all types share */
	uint8_t next_header, hdr_ext_len;
	uint8_t routing_type, segments_left;
} __attribute__((packed));
static_assert(sizeof(struct ip6_rt_hdr) == 4, "RFC 8200 section 4.4");

#define IP6_RT_OFF_HDR_EXT_LEN   1 /* offsets inside a routing header, for ICMPv6 pointers */
#define IP6_RT_OFF_ROUTING_TYPE  2
#define IP6_RT_OFF_SEGMENTS_LEFT 3

struct ip6_frag_hdr { /* RFC 8200 section 4.5 */
	uint8_t next_header, reserved;
	be16_t off_m; /* offset 13 bits in 8-octet units, reserved 2 bits, M 1 bit */
	be32_t id;
} __attribute__((packed));
static_assert(sizeof(struct ip6_frag_hdr) == 8, "RFC 8200 section 4.5");

struct ip6_view {
	const struct ip6_fixed *hdr;
	uint16_t payload_len; /* octets, checked against the bytes present */
};

static inline uint8_t ip6_traffic_class(const struct ip6_fixed *h)
{
	return (uint8_t)(be32_get(h->vtf) >> 20);
}

static inline uint32_t ip6_flow_label(const struct ip6_fixed *h)
{
	return be32_get(h->vtf) & 0xfffff;
}

/* First word of an IPv6 header. flow_label: 20 bits, the rest is ignored. */
static inline be32_t ip6_vtf_make(uint8_t traffic_class, uint32_t flow_label)
{
	return be32_make(6u << 28 | (uint32_t)traffic_class << 20 | (flow_label & 0xfffff));
}

/* Fixed header, RFC 8200 section 3. The cursor then holds exactly the payload: Ethernet padding is cut off.
 * Jumbograms are not supported: payload length 0 means no payload. Returns 0, -EBADMSG truncated or payload
 * length beyond the bytes present, -EPROTONOSUPPORT version is not 6. */
static inline int ip6_parse(struct wire_cur *c, struct ip6_view *ret)
{
	struct wire_cur w = *c;
	const struct ip6_fixed *h = wire_pull(&w, sizeof(*h));
	uint16_t payload_len;

	if (h == NULL)
		return -EBADMSG;
	if (h->vtf.b[0] >> 4 != 6)
		return -EPROTONOSUPPORT;
	payload_len = be16_get(h->payload_len);
	if (wire_trim(&w, payload_len) < 0)
		return -EBADMSG;
	*ret = (struct ip6_view){ .hdr = h, .payload_len = payload_len };
	*c = w;
	return 0;
}

/* Fixed header of a packet quoted in an ICMPv6 error, which may be cut short: payload_len of the view is then the
 * quoted length, not the header's. Returns as ip6_parse(), but never refuses a payload length. */
static inline int ip6_parse_quoted(struct wire_cur *c, struct ip6_view *ret)
{
	struct wire_cur w = *c;
	const struct ip6_fixed *h = wire_pull(&w, sizeof(*h));
	size_t n;

	if (h == NULL)
		return -EBADMSG;
	if (h->vtf.b[0] >> 4 != 6)
		return -EPROTONOSUPPORT;
	n = be16_get(h->payload_len);
	if (n > wire_left(&w))
		n = wire_left(&w);
	wire_trim(&w, n);
	*ret = (struct ip6_view){ .hdr = h, .payload_len = (uint16_t)n };
	*c = w;
	return 0;
}

struct ip6_walk {
	struct wire_cur cur; /* at the header that next_header names */
	const uint8_t *base; /* first octet of the IPv6 header */
	uint16_t nh_off;     /* offset of the octet that holds next_header */
	uint8_t next_header;
	uint8_t n_ext;       /* extension headers passed */
	bool later_fragment; /* what follows is data of a non-first fragment, not a header */
};

struct ip6_ext_view {
	const uint8_t *p;    /* the whole header, len octets, inside the payload */
	uint16_t off, len;   /* octets */
	uint16_t nh_off;     /* offset of the octet that named it: what PSP rewrites */
	uint8_t type;        /* IP_NH_HOPOPTS, _ROUTING, _FRAGMENT or _DSTOPTS */
	uint8_t next_header; /* of the header behind it */
};

/* Starts at the header behind the fixed one. payload: the cursor as ip6_parse() left it. */
static inline void ip6_walk_init(struct ip6_walk *w, const struct ip6_view *v,
				 const struct wire_cur *payload)
{
	*w = (struct ip6_walk){
		.cur = *payload,
		.base = (const uint8_t *)v->hdr,
		.nh_off = IP6_OFF_NEXT_HEADER,
		.next_header = v->hdr->next_header,
	};
}

/* Offset of the header the walk stands at. */
static inline uint16_t ip6_walk_off(const struct ip6_walk *w)
{
	return (uint16_t)(w->cur.p - w->base);
}

/* One step. Returns 1 and the extension header, now passed; 0 no more: w stands at the upper-layer header (or No
 * Next Header, ESP, AH, or data of a later fragment), nothing of which is checked; -EBADMSG truncated; -E2BIG more
 * than IP6_MAX_EXT headers; -EPROTO next header 0 anywhere but in the fixed header: ICMPv6 Parameter Problem code 1,
 * pointer w->nh_off (RFC 8200 section 4). w does not move on errors. */
static inline int ip6_walk_next(struct ip6_walk *w, struct ip6_ext_view *ret)
{
	struct wire_cur c = w->cur;
	const struct ip6_ext_hdr *h;
	struct ip6_ext_view e;
	size_t len;

	if (w->later_fragment)
		return 0;
	switch (w->next_header) {
	case IP_NH_HOPOPTS:
		if (w->nh_off != IP6_OFF_NEXT_HEADER)
			return -EPROTO;
		break;
	case IP_NH_ROUTING:
	case IP_NH_FRAGMENT:
	case IP_NH_DSTOPTS:
		break;
	default:
		return 0;
	}
	if (w->n_ext == IP6_MAX_EXT)
		return -E2BIG;
	h = wire_peek(&c, 8);
	if (h == NULL)
		return -EBADMSG;
	len = w->next_header == IP_NH_FRAGMENT ? sizeof(struct ip6_frag_hdr) :
						 (h->hdr_ext_len + 1u) * 8;
	e = (struct ip6_ext_view){
		.p = wire_pull(&c, len),
		.off = ip6_walk_off(w),
		.len = (uint16_t)len,
		.nh_off = w->nh_off,
		.type = w->next_header,
		.next_header = h->next_header,
	};
	if (e.p == NULL)
		return -EBADMSG;
	if (e.type == IP_NH_FRAGMENT && wire_get16(e.p + 2) >> 3 != 0)
		w->later_fragment = true;
	w->cur = c;
	w->nh_off = e.off;
	w->next_header = e.next_header;
	w->n_ext++;
	*ret = e;
	return 1;
}

struct ip6_frag_view {
	uint16_t off; /* octets of the original packet's fragmentable part in front of this one */
	bool more;
	uint32_t id;
};

/* Fragment header fields of an ip6_ext_view of type IP_NH_FRAGMENT. */
static inline struct ip6_frag_view ip6_frag_get(const struct ip6_ext_view *e)
{
	uint16_t off_m = wire_get16(e->p + 2);

	return (struct ip6_frag_view){
		.off = off_m & 0xfff8,
		.more = (off_m & 1) != 0,
		.id = wire_get32(e->p + 4),
	};
}

struct ip6_chain {          /* where things are; an offset 0 means: not there */
	uint16_t hop_off;   /* hop-by-hop options */
	uint16_t rt_off;    /* the first routing header, any type */
	uint16_t rt_len;    /* its octets */
	uint16_t rt_nh_off; /* octet that named it */
	uint8_t rt_type, rt_segments_left;
	uint16_t frag_off; /* the first fragment header */
	struct ip6_frag_view frag;
	uint16_t upper_off;    /* the upper-layer header */
	uint16_t upper_nh_off; /* octet that named it */
	uint8_t upper;         /* its type; IP_NH_NONE: there is none */
	uint8_t n_ext;
	bool later_fragment; /* upper_off is fragment data, not a header */
};

/* The whole chain, to the upper-layer header. payload: the cursor as ip6_parse() left it.
 * Returns 0 or the errors of ip6_walk_next(). Options and routing data are not looked into. */
static inline int ip6_chain_parse(const struct ip6_view *v, const struct wire_cur *payload,
				  struct ip6_chain *ret)
{
	struct ip6_chain ch = { 0 };
	struct ip6_walk w;
	struct ip6_ext_view e;
	int rc;

	ip6_walk_init(&w, v, payload);
	while ((rc = ip6_walk_next(&w, &e)) == 1) {
		switch (e.type) {
		case IP_NH_HOPOPTS:
			ch.hop_off = e.off;
			break;
		case IP_NH_ROUTING:
			if (ch.rt_off != 0)
				break;
			ch.rt_off = e.off;
			ch.rt_len = e.len;
			ch.rt_nh_off = e.nh_off;
			ch.rt_type = e.p[IP6_RT_OFF_ROUTING_TYPE];
			ch.rt_segments_left = e.p[IP6_RT_OFF_SEGMENTS_LEFT];
			break;
		case IP_NH_FRAGMENT:
			if (ch.frag_off != 0)
				break;
			ch.frag_off = e.off;
			ch.frag = ip6_frag_get(&e);
			break;
		default:
			break;
		}
	}
	if (rc < 0)
		return rc;
	ch.upper_off = ip6_walk_off(&w);
	ch.upper_nh_off = w.nh_off;
	ch.upper = w.next_header;
	ch.n_ext = w.n_ext;
	ch.later_fragment = w.later_fragment;
	*ret = ch;
	return 0;
}

/* Options of hop-by-hop and destination options headers, RFC 8200 section 4.2. */
#define IP6_OPT_PAD1 0 /* the only option without a length octet */
#define IP6_OPT_PADN 1

enum ip6_opt_action { /* highest two bits of an option type: what to do when it is not recognised */
		      IP6_OPT_SKIP = 0,
		      IP6_OPT_DROP = 1,
		      IP6_OPT_DROP_ICMP =
			      2, /* Parameter Problem code 2, multicast destination or not */
		      IP6_OPT_DROP_ICMP_UNICAST =
			      3, /* the same, only if the destination is not multicast */
};

struct ip6_opt_view {
	const uint8_t *data; /* len octets */
	uint16_t off;        /* of the type octet, from the start of the extension header */
	uint8_t type, len;
};

struct ip6_opts {
	struct wire_cur cur;
	const uint8_t *base;
};

/* Over the options of an ip6_ext_view of type IP_NH_HOPOPTS or IP_NH_DSTOPTS. */
static inline void ip6_opts_init(struct ip6_opts *o, const struct ip6_ext_view *e)
{
	o->base = e->p;
	o->cur = wire_cur_init(e->p + sizeof(struct ip6_ext_hdr),
			       e->len - sizeof(struct ip6_ext_hdr));
}

/* The next option that is not padding. Returns 1, 0 at the end, -EBADMSG an option runs past its header. */
static inline int ip6_opts_next(struct ip6_opts *o, struct ip6_opt_view *ret)
{
	struct wire_cur c = o->cur;
	const uint8_t *t;

	while ((t = wire_pull(&c, 1)) != NULL) {
		const uint8_t *len, *data;

		if (*t == IP6_OPT_PAD1)
			continue;
		len = wire_pull(&c, 1);
		if (len == NULL)
			return -EBADMSG;
		data = wire_pull(&c, *len);
		if (data == NULL)
			return -EBADMSG;
		if (*t == IP6_OPT_PADN)
			continue;
		*ret = (struct ip6_opt_view){
			.data = data,
			.off = (uint16_t)(t - o->base),
			.type = *t,
			.len = *len,
		};
		o->cur = c;
		return 1;
	}
	o->cur = c;
	return 0;
}

struct ip6_opt_set { /* option types a node recognises, one bit each */
	uint64_t bits[4];
};

static inline bool ip6_opt_set_has(const struct ip6_opt_set *s, uint8_t type)
{
	return s != NULL && (s->bits[type / 64] >> (type % 64) & 1) != 0;
}

/* May a node that recognises only the options in `known` (NULL: only padding) go past this header?
 *   e        hop-by-hop or destination options header
 *   ret_off  offset of the type octet to report, from the first octet of the IPv6 header; set when > 0 is returned
 * Returns 0 yes (unknown options of action SKIP are skipped), -EBADMSG, or the enum ip6_opt_action > 0 of the first
 * unknown option that forbids it. */
static inline int ip6_opts_check(const struct ip6_ext_view *e, const struct ip6_opt_set *known,
				 uint16_t *ret_off)
{
	struct ip6_opts o;
	struct ip6_opt_view opt;
	int rc;

	ip6_opts_init(&o, e);
	while ((rc = ip6_opts_next(&o, &opt)) == 1) {
		int action = opt.type >> 6;

		if (action == IP6_OPT_SKIP || ip6_opt_set_has(known, opt.type))
			continue;
		*ret_off = (uint16_t)(e->off + opt.off);
		return action;
	}
	return rc;
}

struct ip6_fields { /* what ip6_build() writes */
	struct ip6_addr src, dst;
	uint8_t traffic_class, hop_limit, next_header;
	uint32_t flow_label; /* 20 bits */
	size_t payload_len;  /* octets behind the fixed header */
};

/* Writes a fixed header. Returns 40, -ENOSPC, -EINVAL payload over 65535 octets. */
static inline int ip6_build(void *buf, size_t cap, const struct ip6_fields *f)
{
	struct ip6_fixed h = {
		.vtf = ip6_vtf_make(f->traffic_class, f->flow_label),
		.payload_len = be16_make((uint16_t)f->payload_len),
		.next_header = f->next_header,
		.hop_limit = f->hop_limit,
		.src = f->src,
		.dst = f->dst,
	};

	if (f->payload_len > 0xffff)
		return -EINVAL;
	if (cap < sizeof(h))
		return -ENOSPC;
	memcpy(buf, &h, sizeof(h));
	return (int)sizeof(h);
}

/* Solicited-node multicast address of a, RFC 4291 section 2.7.1. */
static inline struct ip6_addr ip6_solicited_node(const struct ip6_addr *a)
{
	return (struct ip6_addr){ .b = { 0xff, 0x02, [11] = 0x01, [12] = 0xff, a->b[13], a->b[14],
					 a->b[15] } };
}

/* Multicast MAC of an IPv6 multicast address, RFC 2464 section 7. */
static inline struct mac_addr ip6_multicast_mac(const struct ip6_addr *a)
{
	return (struct mac_addr){ .b = { 0x33, 0x33, a->b[12], a->b[13], a->b[14], a->b[15] } };
}

#endif
