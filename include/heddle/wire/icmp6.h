/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMPv6 (RFC 4443) and Neighbor Discovery (RFC 4861) over Ethernet (RFC 2464). */
#ifndef HEDDLE_WIRE_ICMP6_H
#define HEDDLE_WIRE_ICMP6_H

#include <heddle/wire/ip6.h>

#define ICMP6_UNREACH       1   /* RFC 4443 section 3.1 */
#define ICMP6_TOO_BIG       2   /* section 3.2; data: MTU */
#define ICMP6_TIME_EXCEEDED 3   /* section 3.3; code 0 hop limit, 1 reassembly */
#define ICMP6_PARAM_PROBLEM 4   /* section 3.4; data: pointer */
#define ICMP6_INFO_MIN      128 /* types below are errors: section 2.1 */
#define ICMP6_ECHO_REQUEST  128 /* section 4.1 */
#define ICMP6_ECHO_REPLY    129
#define ICMP6_RS            133 /* RFC 4861 section 4.1 */
#define ICMP6_RA            134
#define ICMP6_NS            135
#define ICMP6_NA            136
#define ICMP6_REDIRECT      137

#define ICMP6_UNREACH_NO_ROUTE 0 /* RFC 4443 section 3.1 */
#define ICMP6_UNREACH_ADMIN    1
#define ICMP6_UNREACH_SCOPE    2
#define ICMP6_UNREACH_ADDR     3
#define ICMP6_UNREACH_PORT     4

#define ICMP6_TE_HOP_LIMIT  0
#define ICMP6_TE_REASSEMBLY 1

#define ICMP6_PP_FIELD       0 /* RFC 4443 section 3.4: erroneous field */
#define ICMP6_PP_NEXT_HEADER 1
#define ICMP6_PP_OPTION      2
#define ICMP6_PP_FIRST_FRAG \
	3 /* RFC 8200 section 4.5: header chain incomplete in the first fragment */
#define ICMP6_PP_SR_UPPER 4 /* RFC 8754 section 4.3.1.2: SR Upper-layer Header Error */

struct icmp6_msg { /* RFC 4443 section 2.1, and the word that every message defined so far has next */
	uint8_t type, code;
	be16_t csum; /* of pseudo-header and message */
	be32_t data; /* echo: identifier 16, sequence 16; MTU; pointer; ND flags */
} __attribute__((packed));
static_assert(sizeof(struct icmp6_msg) == 8, "RFC 4443 section 2.1");

struct icmp6_view {
	const struct icmp6_msg *msg;
	struct wire_cur body; /* what follows the first 8 octets */
	uint32_t len;         /* octets of the whole message */
};

/* ICMPv6 message that fills the cursor, which ends empty.
 *   src, dst  of the IPv6 header; dst is the final destination
 * Returns 0, -EBADMSG shorter than 8 octets (no defined message is), -EILSEQ checksum. */
static inline int icmp6_parse(struct wire_cur *c, const struct ip6_addr *src,
			      const struct ip6_addr *dst, struct icmp6_view *ret)
{
	struct wire_cur w = *c;
	uint32_t len = (uint32_t)wire_left(&w);
	const struct icmp6_msg *m = wire_pull(&w, sizeof(*m));

	if (m == NULL)
		return -EBADMSG;
	if (!hd_csum_ok(hd_csum_add(hd_csum_ip6_pseudo(src, dst, len, IP_NH_ICMP6), m, len)))
		return -EILSEQ;
	*ret = (struct icmp6_view){ .msg = m, .body = w, .len = len };
	w.p = w.end;
	*c = w;
	return 0;
}

/* Sets the checksum of a complete message of len octets. */
static inline void icmp6_csum_set(struct icmp6_msg *m, size_t len, const struct ip6_addr *src,
				  const struct ip6_addr *dst)
{
	m->csum = be16_make(0);
	m->csum = hd_csum_fold(
		hd_csum_add(hd_csum_ip6_pseudo(src, dst, (uint32_t)len, IP_NH_ICMP6), m, len));
}

/* May an ICMPv6 error of this type, code and pointer be sent about a packet? RFC 4443 section 2.4(e).
 *   v, payload  the packet as received: as ip6_parse() left them
 *   l2_group    it came to a multicast or broadcast MAC
 * Not about errors or redirects; not to a source that names no single node; not about multicast, except Packet Too Big
 * and code 2 for an option of action 10. Anycast sources, and the rate limit of 2.4(f), are the caller's. */
static inline bool icmp6_error_allowed(const struct ip6_view *v, const struct wire_cur *payload,
				       bool l2_group, uint8_t type, uint8_t code, uint32_t pointer)
{
	const uint8_t *base = (const uint8_t *)v->hdr, *t;
	struct ip6_walk w;
	struct ip6_ext_view e;

	if (ip6_addr_is_unspecified(&v->hdr->src) || ip6_addr_is_multicast(&v->hdr->src) ||
	    ip6_addr_is_loopback(&v->hdr->src))
		return false;
	if (l2_group || ip6_addr_is_multicast(&v->hdr->dst)) {
		bool option = type == ICMP6_PARAM_PROBLEM && code == ICMP6_PP_OPTION &&
			      pointer < sizeof(*v->hdr) + v->payload_len &&
			      base[pointer] >> 6 == IP6_OPT_DROP_ICMP;

		if (type != ICMP6_TOO_BIG && !option)
			return false;
	}
	ip6_walk_init(&w, v, payload);
	while (ip6_walk_next(&w, &e) == 1)
		;
	if (w.next_header != IP_NH_ICMP6)
		return true;
	/* a message whose type we cannot see may be an error */
	t = w.later_fragment ? NULL : wire_peek(&w.cur, 1);
	return t != NULL && *t >= ICMP6_INFO_MIN && *t != ICMP6_REDIRECT;
}

/* Octets of the invoking packet (pkt_len, from its IPv6 header on) that an error quotes: RFC 4443 section 2.4(c), the
 * error with its IPv6 header stays within 1280 octets. */
static inline size_t icmp6_error_quote_len(size_t pkt_len)
{
	const size_t max = IP6_MIN_MTU - sizeof(struct ip6_fixed) - sizeof(struct icmp6_msg);

	return pkt_len < max ? pkt_len : max;
}

struct icmp6_error {              /* what icmp6_error_build() writes */
	struct ip6_addr src, dst; /* of the error packet, for the checksum */
	uint8_t type, code;
	uint32_t data; /* MTU or pointer, host order; else 0 */
};

/* Writes an error message (no IPv6 header) that quotes the first icmp6_error_quote_len() octets of pkt, the invoking
 * packet from its IPv6 header on; buf and pkt may overlap. Returns the octets written, -EINVAL pkt is shorter than an
 * IPv6 header, -ENOSPC. */
static inline int icmp6_error_build(void *buf, size_t cap, const struct icmp6_error *err,
				    const void *pkt, size_t pkt_len)
{
	struct icmp6_msg m = { .type = err->type, .code = err->code, .data = be32_make(err->data) };
	size_t n = icmp6_error_quote_len(pkt_len), len = sizeof(m) + n;
	uint64_t sum = hd_csum_ip6_pseudo(&err->src, &err->dst, (uint32_t)len, IP_NH_ICMP6);
	uint8_t *p = buf;

	if (pkt_len < sizeof(struct ip6_fixed))
		return -EINVAL;
	if (cap < len)
		return -ENOSPC;
	memmove(p + sizeof(m), pkt, n);
	sum = hd_csum_add(sum, &m, sizeof(m));
	m.csum = hd_csum_fold(hd_csum_add(sum, p + sizeof(m), n));
	memcpy(p, &m, sizeof(m));
	return (int)len;
}

/* Turns an echo request into its reply in place (RFC 4443 section 4.2). The checksum stays valid if the addresses are
 * merely exchanged; who replies from another source calls icmp6_csum_set() instead. */
static inline void icmp6_echo_to_reply(struct icmp6_msg *m)
{
	be16_t old = { { m->type, m->code } }, new = { { ICMP6_ECHO_REPLY, 0 } };

	m->type = ICMP6_ECHO_REPLY;
	m->code = 0;
	m->csum = hd_csum_update16(m->csum, old, new);
}

/* ---- Neighbor Discovery ---- */

#define ND_OPTION_SLLA   1 /* RFC 4861 section 4.6.1: source link-layer address */
#define ND_OPTION_TLLA   2
#define ND_OPTION_PREFIX 3 /* section 4.6.2 */
#define ND_OPTION_MTU    5 /* section 4.6.4 */

#define ND_NA_ROUTER    0x80000000u /* RFC 4861 section 4.4, in icmp6_msg.data */
#define ND_NA_SOLICITED 0x40000000u
#define ND_NA_OVERRIDE  0x20000000u

struct nd_lladdr_opt {           /* RFC 4861 section 4.6.1 for Ethernet: RFC 2464 section 6 */
	uint8_t type, len_words; /* 8-octet units: 1 */
	struct mac_addr mac;
} __attribute__((packed));
static_assert(sizeof(struct nd_lladdr_opt) == 8, "RFC 4861 section 4.6.1");

struct nd_prefix_opt {               /* RFC 4861 section 4.6.2 */
	uint8_t type, len_words;     /* 8-octet units: 4 */
	uint8_t prefix_len;          /* bits, 0..128 */
	uint8_t flags;               /* 0x80 on-link, 0x40 autonomous */
	be32_t valid_s, preferred_s; /* seconds; all ones: infinite */
	be32_t reserved;
	struct ip6_addr prefix;
} __attribute__((packed));
static_assert(sizeof(struct nd_prefix_opt) == 32, "RFC 4861 section 4.6.2");

struct nd_mtu_opt {              /* RFC 4861 section 4.6.4 */
	uint8_t type, len_words; /* 8-octet units: 1 */
	be16_t reserved;
	be32_t mtu; /* octets */
} __attribute__((packed));
static_assert(sizeof(struct nd_mtu_opt) == 8, "RFC 4861 section 4.6.4");

struct nd_ns_msg { /* RFC 4861 sections 4.3, 4.4: Neighbor Solicitation and Advertisement */
	struct icmp6_msg icmp; /* data: reserved, or ND_NA_* */
	struct ip6_addr target;
} __attribute__((packed));
static_assert(sizeof(struct nd_ns_msg) == 24, "RFC 4861 section 4.3");

struct nd_ra_msg { /* RFC 4861 section 4.2 */
	struct icmp6_msg
		icmp; /* data: hop limit 8, M 1, O 1, reserved 6, router lifetime 16 (seconds) */
	be32_t reachable_ms, retrans_ms;
} __attribute__((packed));
static_assert(sizeof(struct nd_ra_msg) == 16, "RFC 4861 section 4.2");

struct nd_opt_view {
	const uint8_t *p; /* the whole option, type octet first */
	uint16_t len;     /* octets, a multiple of 8 */
	uint8_t type;
};

/* The next option. Returns 1, 0 at the end, -EBADMSG length zero or beyond the message (RFC 4861 section 4.6). */
static inline int nd_opt_next(struct wire_cur *c, struct nd_opt_view *ret)
{
	struct wire_cur w = *c;
	const uint8_t *h;
	unsigned len;

	if (wire_left(&w) == 0)
		return 0;
	h = wire_peek(&w, 2);
	if (h == NULL)
		return -EBADMSG;
	len = h[1] * 8u;
	if (len == 0 || wire_pull(&w, len) == NULL)
		return -EBADMSG;
	*ret = (struct nd_opt_view){ .p = h, .len = (uint16_t)len, .type = h[0] };
	*c = w;
	return 1;
}

#define ND_MAX_PREFIXES 8 /* prefixes a view keeps; RFC 4861 sets no limit, more are ignored */

struct nd_opts {
	const struct mac_addr *slla, *tlla; /* NULL: absent. The first of each counts */
	uint32_t mtu;                       /* octets; 0: absent */
	uint8_t n_prefix;
	const struct nd_prefix_opt *prefix[ND_MAX_PREFIXES];
};

/* All options in the cursor, which does not move. Unknown types are skipped; a known one of a wrong size is an error.
 * Returns 0 or -EBADMSG. */
static inline int nd_opts_parse(const struct wire_cur *c, struct nd_opts *ret)
{
	struct wire_cur w = *c;
	struct nd_opts v = { 0 };
	struct nd_opt_view o;
	int rc;

	while ((rc = nd_opt_next(&w, &o)) == 1) {
		switch (o.type) {
		case ND_OPTION_SLLA:
		case ND_OPTION_TLLA: {
			const struct mac_addr **mac = o.type == ND_OPTION_SLLA ? &v.slla : &v.tlla;

			if (o.len != sizeof(struct nd_lladdr_opt))
				return -EBADMSG;
			if (*mac == NULL)
				*mac = &((const struct nd_lladdr_opt *)o.p)->mac;
			break;
		}
		case ND_OPTION_PREFIX: {
			const struct nd_prefix_opt *pi = (const struct nd_prefix_opt *)o.p;

			if (o.len != sizeof(*pi) || pi->prefix_len > 128)
				return -EBADMSG;
			if (v.n_prefix < ND_MAX_PREFIXES)
				v.prefix[v.n_prefix++] = pi;
			break;
		}
		case ND_OPTION_MTU:
			if (o.len != sizeof(struct nd_mtu_opt))
				return -EBADMSG;
			v.mtu = be32_get(((const struct nd_mtu_opt *)o.p)->mtu);
			break;
		default:
			break;
		}
	}
	if (rc < 0)
		return rc;
	*ret = v;
	return 0;
}

/* What all ND messages share: hop limit 255, code 0 (RFC 4861 sections 6.1.1, 6.1.2, 7.1.1, 7.1.2). */
static inline int nd_check(const struct ip6_fixed *ip, const struct icmp6_view *m, uint8_t type)
{
	if (m->msg->type != type)
		return -EPROTONOSUPPORT;
	return ip->hop_limit == 255 && m->msg->code == 0 ? 0 : -EBADMSG;
}

struct nd_ns_view {
	const struct ip6_addr *target;
	const struct mac_addr *slla; /* NULL: absent, as in duplicate address detection */
	bool dad;                    /* the source is unspecified */
};

/* Neighbor Solicitation with the checks of RFC 4861 section 7.1.1. ip, m: checked by ip6_parse(), icmp6_parse().
 * Returns 0, -EBADMSG, -EPROTONOSUPPORT another message. The MAC may be a group address: the caller refuses it. */
static inline int nd_ns_parse(const struct ip6_fixed *ip, const struct icmp6_view *m,
			      struct nd_ns_view *ret)
{
	struct wire_cur w = m->body;
	const struct ip6_addr *target;
	struct nd_opts o;
	bool dad = ip6_addr_is_unspecified(&ip->src);
	int rc = nd_check(ip, m, ICMP6_NS);

	if (rc < 0)
		return rc;
	target = wire_pull(&w, sizeof(*target));
	if (target == NULL || ip6_addr_is_multicast(target) || nd_opts_parse(&w, &o) < 0)
		return -EBADMSG;
	if (dad) {
		const struct ip6_addr sn = ip6_solicited_node(target);

		/* the first 13 octets ff02::1:ff */
		if (o.slla != NULL || memcmp(&ip->dst, &sn, 13) != 0)
			return -EBADMSG;
	}
	*ret = (struct nd_ns_view){ .target = target, .slla = o.slla, .dad = dad };
	return 0;
}

struct nd_na_view {
	const struct ip6_addr *target;
	const struct mac_addr *tlla; /* NULL: absent */
	bool router, solicited, override;
};

/* Neighbor Advertisement with the checks of RFC 4861 section 7.1.2. Returns as nd_ns_parse(). */
static inline int nd_na_parse(const struct ip6_fixed *ip, const struct icmp6_view *m,
			      struct nd_na_view *ret)
{
	uint32_t flags = be32_get(m->msg->data);
	struct wire_cur w = m->body;
	const struct ip6_addr *target;
	struct nd_opts o;
	int rc = nd_check(ip, m, ICMP6_NA);

	if (rc < 0)
		return rc;
	target = wire_pull(&w, sizeof(*target));
	if (target == NULL || ip6_addr_is_multicast(target) || nd_opts_parse(&w, &o) < 0)
		return -EBADMSG;
	if ((flags & ND_NA_SOLICITED) != 0 && ip6_addr_is_multicast(&ip->dst))
		return -EBADMSG;
	*ret = (struct nd_na_view){
		.target = target,
		.tlla = o.tlla,
		.router = (flags & ND_NA_ROUTER) != 0,
		.solicited = (flags & ND_NA_SOLICITED) != 0,
		.override = (flags & ND_NA_OVERRIDE) != 0,
	};
	return 0;
}

/* Router Solicitation with the checks of RFC 4861 section 6.1.1.
 *   ret_slla  NULL if the option is absent
 * Returns as nd_ns_parse(). */
static inline int nd_rs_parse(const struct ip6_fixed *ip, const struct icmp6_view *m,
			      const struct mac_addr **ret_slla)
{
	struct nd_opts o;
	int rc = nd_check(ip, m, ICMP6_RS);

	if (rc < 0)
		return rc;
	if (nd_opts_parse(&m->body, &o) < 0 ||
	    (o.slla != NULL && ip6_addr_is_unspecified(&ip->src)))
		return -EBADMSG;
	*ret_slla = o.slla;
	return 0;
}

struct nd_ra_view {
	uint8_t hop_limit; /* 0: unspecified */
	bool managed, other;
	uint16_t lifetime_s;               /* 0: not a default router */
	uint32_t reachable_ms, retrans_ms; /* 0: unspecified */
	struct nd_opts opts;
};

/* Router Advertisement with the checks of RFC 4861 section 6.1.2. Returns as nd_ns_parse(). */
static inline int nd_ra_parse(const struct ip6_fixed *ip, const struct icmp6_view *m,
			      struct nd_ra_view *ret)
{
	uint32_t data = be32_get(m->msg->data);
	struct wire_cur w = m->body;
	struct nd_ra_view v;
	const uint8_t *t;
	int rc = nd_check(ip, m, ICMP6_RA);

	if (rc < 0)
		return rc;
	t = wire_pull(&w, 8);
	if (t == NULL || !ip6_addr_is_link_local(&ip->src))
		return -EBADMSG;
	v = (struct nd_ra_view){
		.hop_limit = (uint8_t)(data >> 24),
		.managed = (data >> 23 & 1) != 0,
		.other = (data >> 22 & 1) != 0,
		.lifetime_s = (uint16_t)data,
		.reachable_ms = wire_get32(t),
		.retrans_ms = wire_get32(t + 4),
	};
	if (nd_opts_parse(&w, &v.opts) < 0)
		return -EBADMSG;
	*ret = v;
	return 0;
}

struct nd_fields {                /* what nd_ns_build() and nd_na_build() write */
	struct ip6_addr src, dst; /* of the IPv6 header, for the checksum */
	struct ip6_addr target;
	const struct mac_addr
		*mac;   /* source (NS) or target (NA) link-layer address; NULL: no option */
	uint32_t flags; /* ND_NA_*; 0 in a solicitation */
};

/* Octets of the message: 24, and 8 for the option. */
static inline size_t nd_build_len(const struct nd_fields *f)
{
	return sizeof(struct nd_ns_msg) + (f->mac != NULL ? sizeof(struct nd_lladdr_opt) : 0);
}

static inline int nd_build(void *buf, size_t cap, const struct nd_fields *f, uint8_t type,
			   uint8_t option)
{
	struct nd_ns_msg m = {
		.icmp = { .type = type, .data = be32_make(f->flags) },
		.target = f->target,
	};
	size_t len = nd_build_len(f);
	uint8_t *p = buf;

	if (cap < len)
		return -ENOSPC;
	memcpy(p, &m, sizeof(m));
	if (f->mac != NULL) {
		struct nd_lladdr_opt o = { .type = option, .len_words = 1, .mac = *f->mac };

		memcpy(p + sizeof(m), &o, sizeof(o));
	}
	icmp6_csum_set((struct icmp6_msg *)p, len, &f->src, &f->dst);
	return (int)len;
}

/* Writes a Neighbor Solicitation (no IPv6 header; its hop limit must be 255), RFC 4861 section 4.3. mac must be NULL if
 * src is unspecified. Returns the octets written, -EINVAL, -ENOSPC. */
static inline int nd_ns_build(void *buf, size_t cap, const struct nd_fields *f)
{
	if (f->flags != 0 || (f->mac != NULL && ip6_addr_is_unspecified(&f->src)))
		return -EINVAL;
	return nd_build(buf, cap, f, ICMP6_NS, ND_OPTION_SLLA);
}

/* Writes a Neighbor Advertisement (no IPv6 header; its hop limit must be 255), RFC 4861 section 4.4. Solicited to a
 * multicast destination is refused. Returns the octets written, -EINVAL, -ENOSPC. */
static inline int nd_na_build(void *buf, size_t cap, const struct nd_fields *f)
{
	if ((f->flags & ND_NA_SOLICITED) != 0 && ip6_addr_is_multicast(&f->dst))
		return -EINVAL;
	return nd_build(buf, cap, f, ICMP6_NA, ND_OPTION_TLLA);
}

#endif
