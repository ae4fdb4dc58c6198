/* SPDX-License-Identifier: BSD-3-Clause
 * Frames from layers; see frame.h. */
#include "bench/traffic/frame.h"

#include <errno.h>
#include <string.h>

#include "bench/traffic/sig.h"
#include "heddle/wire/eth.h"
#include "heddle/wire/ip4.h"
#include "heddle/wire/ip6.h"
#include "heddle/wire/srh.h"
#include "heddle/wire/tcp.h"
#include "heddle/wire/udp.h"

#define ETHTYPE_LOCAL 0x88b5 /* IEEE 802 local experimental: payload directly behind Ethernet */
#define PPP_IP4       0x0021 /* RFC 1332 section 2 */
#define PPP_IP6       0x0057 /* RFC 5072 section 2 */
#define PROTO_TEST    253    /* RFC 3692 section 2.1: payload directly behind IP */
#define PORT_GPE      4790
#define NP_IP4        1 /* RFC 8300 section 2.2, next protocol of NSH */
#define NP_IP6        2
#define NP_ETH        3
#define NP_NSH        4 /* of VXLAN-GPE; the others are the same there */
#define NSH_MD1_LEN   24u
#define NSH_MD2_LEN   8u

static const char *const names[LAYER_KINDS] = {
	[LAYER_ETH] = "eth",     [LAYER_VLAN] = "vlan",
	[LAYER_PPPOE] = "pppoe", [LAYER_IP4] = "ip4",
	[LAYER_IP6] = "ip6",     [LAYER_SRH] = "srh",
	[LAYER_NSH] = "nsh",     [LAYER_VXLAN_GPE] = "vxlan-gpe",
	[LAYER_UDP] = "udp",     [LAYER_TCP] = "tcp",
};

const char *layer_name(enum layer_kind kind)
{
	return names[kind];
}

#define B(kind) (1u << (kind))
#define L3      (B(LAYER_IP4) | B(LAYER_IP6))

bool layer_may_follow(const enum layer_kind *on, enum layer_kind below)
{
	static const uint32_t may[LAYER_KINDS] = {
		[LAYER_ETH] = B(LAYER_VLAN) | B(LAYER_PPPOE) | B(LAYER_NSH) | L3,
		[LAYER_VLAN] = B(LAYER_VLAN) | B(LAYER_PPPOE) | B(LAYER_NSH) | L3,
		[LAYER_PPPOE] = L3,
		[LAYER_IP4] = B(LAYER_UDP) | B(LAYER_TCP) | L3,
		[LAYER_IP6] = B(LAYER_UDP) | B(LAYER_TCP) | B(LAYER_SRH) | B(LAYER_ETH) | L3,
		[LAYER_SRH] = B(LAYER_UDP) | B(LAYER_TCP) | B(LAYER_ETH) | L3,
		[LAYER_NSH] = B(LAYER_ETH) | L3,
		[LAYER_VXLAN_GPE] = B(LAYER_NSH) | B(LAYER_ETH) | L3,
		[LAYER_UDP] = B(LAYER_VXLAN_GPE),
	};

	return on == NULL ? below == LAYER_ETH : (may[*on] & B(below)) != 0;
}

static uint32_t layer_octets(const struct layer *l)
{
	switch (l->kind) {
	case LAYER_ETH:
		return sizeof(struct eth_hdr);
	case LAYER_VLAN:
		return sizeof(struct vlan_tag);
	case LAYER_IP4:
		return sizeof(struct ip4_hdr);
	case LAYER_IP6:
		return sizeof(struct ip6_fixed);
	case LAYER_SRH:
		return (uint32_t)sizeof(struct srh_hdr) + 16u * l->n_segments;
	case LAYER_NSH:
		return l->md == 1 ? NSH_MD1_LEN : NSH_MD2_LEN;
	case LAYER_TCP:
		return sizeof(struct tcp_hdr);
	default: /* PPPoE with PPP, VXLAN-GPE, UDP */
		return 8;
	}
}

uint32_t packet_headers(const struct packet *p)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->n_layers; i++)
		n += layer_octets(&p->layer[i]);
	return n;
}

uint32_t packet_octets(const struct packet *p, uint32_t octets)
{
	uint32_t least = packet_headers(p) + SIG_LEN;

	return octets < least ? least : octets;
}

/* Value of a range for a flow: octets of it to `to`. */
static void value(const struct range *r, uint32_t flow, uint8_t *to)
{
	uint8_t v[16] = { 0 };
	uint64_t low;

	memcpy(v + 16 - r->octets, r->first, r->octets);
	low = wire_get64(v + 8);
	wire_put64(v + 8, low + (r->count > 1 ? flow % r->count : 0));
	memcpy(to, v + 16 - r->octets, r->octets);
}

static uint32_t number(const struct range *r, uint32_t flow)
{
	uint8_t v[16] = { 0 };

	value(r, flow, v + 16 - r->octets);
	return wire_get32(v + 12);
}

static uint16_t ethertype_of(enum layer_kind next, const struct layer *l)
{
	switch (next) {
	case LAYER_VLAN:
		return l->tpid;
	case LAYER_PPPOE:
		return ETHTYPE_PPPOE_S;
	case LAYER_IP4:
		return ETHTYPE_IP4;
	case LAYER_IP6:
		return ETHTYPE_IP6;
	case LAYER_NSH:
		return ETHTYPE_NSH;
	default:
		return ETHTYPE_LOCAL;
	}
}

static uint8_t proto_of(enum layer_kind next)
{
	switch (next) {
	case LAYER_IP4:
		return IP_NH_IP4;
	case LAYER_IP6:
		return IP_NH_IP6;
	case LAYER_SRH:
		return IP_NH_ROUTING;
	case LAYER_UDP:
		return IP_NH_UDP;
	case LAYER_TCP:
		return IP_NH_TCP;
	case LAYER_ETH:
		return IP_NH_ETHERNET;
	default:
		return PROTO_TEST;
	}
}

static uint8_t np_of(enum layer_kind next)
{
	return next == LAYER_IP4 ? NP_IP4 :
	       next == LAYER_IP6 ? NP_IP6 :
	       next == LAYER_NSH ? NP_NSH :
				   NP_ETH;
}

/* Where the packet goes in the end, for the checksum: RFC 8200 section 8.1. */
static void ip6_final(const struct packet *p, uint32_t i, uint32_t flow, uint8_t to[16])
{
	if (i + 1 < p->n_layers && p->layer[i + 1].kind == LAYER_SRH && p->layer[i + 1].left > 0)
		memcpy(to, p->layer[i + 1].segment[p->layer[i + 1].n_segments - 1], 16);
	else
		value(&p->layer[i].dst, flow, to);
}

/* Pseudo-header of the transport header of n octets in layer i. */
static uint64_t pseudo(const struct packet *p, uint32_t i, uint32_t flow, uint32_t n)
{
	uint8_t proto = proto_of(p->layer[i].kind);
	struct ip6_addr src, dst;
	be32_t s4, d4;

	while (p->layer[i].kind != LAYER_IP4 && p->layer[i].kind != LAYER_IP6)
		i--;
	if (p->layer[i].kind == LAYER_IP4) {
		value(&p->layer[i].src, flow, s4.b);
		value(&p->layer[i].dst, flow, d4.b);
		return hd_csum_ip4_pseudo(s4, d4, (uint16_t)n, proto);
	}
	value(&p->layer[i].src, flow, src.b);
	ip6_final(p, i, flow, dst.b);
	return hd_csum_ip6_pseudo(&src, &dst, n, proto);
}

static void build_srh(const struct layer *l, uint8_t next, uint8_t *to)
{
	struct srh_hdr *h = (struct srh_hdr *)to;

	*h = (struct srh_hdr){ .next_header = next,
			       .hdr_ext_len = (uint8_t)(2 * l->n_segments),
			       .routing_type = SRH_ROUTING_TYPE,
			       .segments_left = l->left,
			       .last_entry = (uint8_t)(l->n_segments - 1) };
	for (uint32_t k = 0; k < l->n_segments; k++)
		memcpy(to + sizeof(*h) + 16 * k, l->segment[l->n_segments - 1 - k], 16);
}

/* RFC 8300 sections 2.2 to 2.5: Ver 0, O 0, U 0, TTL 6 bits, Length 6 bits, U 4 bits, MD Type 4 bits, Next Protocol. */
static void build_nsh(const struct layer *l, uint32_t flow, enum layer_kind next, uint8_t *to)
{
	uint32_t words = layer_octets(l) / 4;

	wire_put16(to, (uint16_t)((l->hops & 0x3f) << 6 | words));
	to[2] = l->md;
	to[3] = np_of(next);
	wire_put32(to + 4, number(&l->id, flow) << 8 | l->si);
	if (l->md == 1)
		memcpy(to + 8, l->context, 16);
}

/* One layer of a frame; left: octets from its start to the end of the frame. */
static void build_layer(const struct packet *p, uint32_t i, uint32_t flow, uint8_t *to,
			uint32_t left)
{
	const struct layer *l = &p->layer[i], *n = i + 1 < p->n_layers ? l + 1 : NULL;
	enum layer_kind next = n != NULL ? n->kind : LAYER_KINDS;
	uint32_t own = layer_octets(l);

	switch (l->kind) {
	case LAYER_ETH:
		value(&l->dst, flow, to);
		value(&l->src, flow, to + 6);
		wire_put16(to + 12, ethertype_of(next, n));
		break;
	case LAYER_VLAN:
		wire_put16(to, (uint16_t)(l->pcp << VLAN_PCP_SHIFT |
					  (number(&l->id, flow) & VLAN_VID_MASK)));
		wire_put16(to + 2, ethertype_of(next, n));
		break;
	case LAYER_PPPOE: /* RFC 2516 section 4: version 1, type 1, code 0; the length counts the PPP protocol */
		to[0] = 0x11;
		to[1] = 0;
		wire_put16(to + 2, (uint16_t)number(&l->id, flow));
		wire_put16(to + 4, (uint16_t)(left - 6));
		wire_put16(to + 6, next == LAYER_IP6 ? PPP_IP6 : PPP_IP4);
		break;
	case LAYER_IP4: {
		struct ip4_fields f = { .ttl = l->hops,
					.tos = l->tos,
					.proto = proto_of(next),
					.payload_len = (uint16_t)(left - own) };

		value(&l->src, flow, f.src.b);
		value(&l->dst, flow, f.dst.b);
		ip4_build(to, left, &f);
		break;
	}
	case LAYER_IP6: {
		struct ip6_fields f = { .hop_limit = l->hops,
					.traffic_class = l->tos,
					.flow_label = l->flow_label,
					.next_header = proto_of(next),
					.payload_len = (uint16_t)(left - own) };

		value(&l->src, flow, f.src.b);
		value(&l->dst, flow, f.dst.b);
		ip6_build(to, left, &f);
		break;
	}
	case LAYER_SRH:
		build_srh(l, proto_of(next), to);
		break;
	case LAYER_NSH:
		build_nsh(l, flow, next, to);
		break;
	case LAYER_VXLAN_GPE: /* VNI valid, next protocol given */
		wire_put32(to, 0x0c000000u | np_of(next));
		wire_put32(to + 4, number(&l->id, flow) << 8);
		break;
	case LAYER_UDP:
		udp_build(to, left, (uint16_t)number(&l->src, flow),
			  (uint16_t)number(&l->dst, flow), (uint16_t)(left - own));
		udp_csum_set((struct udp_hdr *)to, pseudo(p, i, flow, left));
		break;
	case LAYER_TCP: {
		struct tcp_hdr *h = (struct tcp_hdr *)to;

		memset(h, 0, sizeof(*h));
		wire_put16(to, (uint16_t)number(&l->src, flow));
		wire_put16(to + 2, (uint16_t)number(&l->dst, flow));
		wire_put32(to + 4, 1); /* sequence and acknowledgement numbers that mean nothing */
		wire_put32(to + 8, 1);
		to[12] = 5 << 4;
		to[13] = l->tcp_flags;
		wire_put16(to + 14, 0xffff);
		be16_t sum = hd_csum_fold(hd_csum_add(pseudo(p, i, flow, left), to, left));

		memcpy(to + 16, &sum, 2);
		break;
	}
	default:
		break;
	}
}

void packet_build(const struct packet *p, uint32_t flow, uint32_t octets, uint8_t *to)
{
	uint32_t off[FRAME_LAYERS_MAX], at = 0;
	struct sig zero = { 0 };

	for (uint32_t i = 0; i < p->n_layers; i++) {
		off[i] = at;
		at += layer_octets(&p->layer[i]);
	}
	for (uint32_t i = at; i < octets; i++)
		to[i] = frame_payload(i);
	sig_write(to + octets - SIG_LEN, &zero);
	for (uint32_t i = p->n_layers; i-- > 0;)
		build_layer(p, i, flow, to + off[i], octets - off[i]);
}

/* ---- frames of others --------------------------------------------------------------------------------------- */

enum { NEED_ETH, NEED_TYPE, NEED_IP4, NEED_IP6, NEED_PROTO, NEED_NSH, NEED_GPE, FOUND, NOTHING };

struct find {
	const uint8_t *frame;
	struct wire_cur c;
	uint32_t type; /* ethertype or IP protocol */
	uint32_t payload, len, csum;
};

static int find_np(uint8_t np)
{
	return np == NP_IP4 ? NEED_IP4 :
	       np == NP_IP6 ? NEED_IP6 :
	       np == NP_ETH ? NEED_ETH :
	       np == NP_NSH ? NEED_NSH :
			      NOTHING;
}

static int find_type(struct find *f)
{
	const uint8_t *h;

	switch (f->type) {
	case ETHTYPE_IP4:
		return NEED_IP4;
	case ETHTYPE_IP6:
		return NEED_IP6;
	case ETHTYPE_NSH:
		return NEED_NSH;
	case ETHTYPE_VLAN:
	case ETHTYPE_QINQ:
		h = wire_pull(&f->c, 4);
		if (h == NULL)
			return -EBADMSG;
		f->type = wire_get16(h + 2);
		return NEED_TYPE;
	case ETHTYPE_PPPOE_S:
		h = wire_pull(&f->c, 8);
		if (h == NULL || wire_get16(h + 4) < 2 ||
		    wire_trim(&f->c, wire_get16(h + 4) - 2u) < 0)
			return -EBADMSG;
		return wire_get16(h + 6) == PPP_IP4 ? NEED_IP4 :
		       wire_get16(h + 6) == PPP_IP6 ? NEED_IP6 :
						      NOTHING;
	default:
		return NOTHING;
	}
}

static int find_ip4(struct find *f)
{
	struct ip4_view v;

	if (ip4_parse_nocsum(&f->c, &v) < 0)
		return -EBADMSG;
	if (ip4_is_fragment(&v))
		return NOTHING;
	f->type = v.hdr->proto;
	return NEED_PROTO;
}

static int find_ip6(struct find *f)
{
	struct ip6_ext_view e;
	struct ip6_view v;
	struct ip6_walk w;
	int rc;

	if (ip6_parse(&f->c, &v) < 0)
		return -EBADMSG;
	ip6_walk_init(&w, &v, &f->c);
	while ((rc = ip6_walk_next(&w, &e)) == 1)
		if (e.type == IP_NH_FRAGMENT)
			return NOTHING;
	if (rc < 0)
		return -EBADMSG;
	f->c = w.cur;
	f->type = w.next_header;
	return NEED_PROTO;
}

static int found(struct find *f, const uint8_t *csum)
{
	f->payload = (uint32_t)(f->c.p - f->frame);
	f->len = (uint32_t)wire_left(&f->c);
	f->csum = csum != NULL ? (uint32_t)(csum - f->frame) : 0;
	return FOUND;
}

static int find_proto(struct find *f)
{
	const uint8_t *h = f->c.p;
	struct udp_view u;
	struct tcp_view t;

	switch (f->type) {
	case IP_NH_IP4:
		return NEED_IP4;
	case IP_NH_IP6:
		return NEED_IP6;
	case IP_NH_ETHERNET:
		return NEED_ETH;
	case IP_NH_UDP:
		if (udp_parse(&f->c, &u) < 0)
			return -EBADMSG;
		if (be16_get(u.hdr->dst_port) == PORT_GPE)
			return NEED_GPE;
		return found(f, wire_get16(h + 6) != 0 ? h + 6 : NULL);
	case IP_NH_TCP:
		if (tcp_parse(&f->c, &t) < 0)
			return -EBADMSG;
		return found(f, h + 16);
	default:
		return NOTHING;
	}
}

static int find_step(struct find *f, int need)
{
	const uint8_t *h;

	switch (need) {
	case NEED_ETH:
		h = wire_pull(&f->c, 14);
		if (h == NULL)
			return -EBADMSG;
		f->type = wire_get16(h + 12);
		return NEED_TYPE;
	case NEED_TYPE:
		return find_type(f);
	case NEED_IP4:
		return find_ip4(f);
	case NEED_IP6:
		return find_ip6(f);
	case NEED_NSH:
		h = wire_peek(&f->c, 8);
		if (h == NULL || (wire_get16(h) & 0x3f) < 2 ||
		    wire_pull(&f->c, (wire_get16(h) & 0x3f) * 4u) == NULL)
			return -EBADMSG;
		return find_np(h[3]);
	case NEED_GPE:
		h = wire_pull(&f->c, 8);
		if (h == NULL)
			return -EBADMSG;
		return (h[0] & 0x04) != 0 ? find_np(h[3]) : NEED_ETH;
	default:
		return find_proto(f);
	}
}

int frame_find_payload(const uint8_t *frame, uint32_t len, uint32_t *ret_payload, uint32_t *ret_len,
		       uint32_t *ret_csum)
{
	struct find f = { .frame = frame, .c = wire_cur_init(frame, len) };
	int need = NEED_ETH;

	/* Each step takes octets or goes one layer in, so it ends; the bound is for the reader. */
	for (unsigned step = 0;
	     step < 4 * FRAME_LAYERS_MAX && need >= 0 && need != FOUND && need != NOTHING; step++)
		need = find_step(&f, need);
	if (need < 0)
		return need;
	if (need != FOUND)
		return -EPROTONOSUPPORT;
	*ret_payload = f.payload;
	*ret_len = f.len;
	*ret_csum = f.csum;
	return 0;
}
