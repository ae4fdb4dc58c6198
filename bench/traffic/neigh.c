/* SPDX-License-Identifier: BSD-3-Clause
 * The generator as a neighbour: it answers ARP and Neighbor Discovery for its ports' addresses, and asks for the MAC of
 * a gateway.  Untagged frames only. */
#include <string.h>

#include "bench/traffic/gen_int.h"
#include "heddle/wire/arp.h"
#include "heddle/wire/icmp6.h"

static bool is_ours(const struct gen_port *p, const void *addr, uint8_t octets)
{
	for (uint32_t i = 0; p->conf != NULL && i < p->conf->n_addrs; i++)
		if (p->conf->addr[i].octets == octets &&
		    memcmp(p->conf->addr[i].b, addr, octets) == 0)
			return true;
	return false;
}

static const uint8_t *address(const struct gen_port *p, uint8_t octets)
{
	for (uint32_t i = 0; i < p->conf->n_addrs; i++)
		if (p->conf->addr[i].octets == octets)
			return p->conf->addr[i].b;
	return NULL;
}

static void gateway_learn(struct gen_port *p, const void *addr, uint8_t octets,
			  const struct mac_addr *mac)
{
	if (p->conf == NULL || p->have_gateway || p->conf->gateway.octets != octets ||
	    memcmp(p->conf->gateway.b, addr, octets) != 0)
		return;
	p->gateway = *mac;
	p->have_gateway = true;
}

/* A frame with its Ethernet header, and room for len octets behind it. */
static struct rte_mbuf *frame_new(const struct gen_port *p, const struct mac_addr *to,
				  uint16_t type, uint16_t len, uint8_t **ret_body)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(gen.pool);
	uint8_t *h;

	if (m == NULL)
		return NULL;
	h = rte_pktmbuf_mtod(m, uint8_t *);
	memcpy(h, to, 6);
	memcpy(h + 6, &p->mac, 6);
	wire_put16(h + 12, type);
	memset(h + 14, 0, 60);
	m->data_len = (uint16_t)RTE_MAX(60, 14 + len);
	m->pkt_len = m->data_len;
	*ret_body = h + 14;
	return m;
}

static void answer(struct gen_port *p, struct rte_mbuf *m)
{
	if (m != NULL && rte_ring_enqueue(p->answers, m) < 0)
		rte_pktmbuf_free(m);
}

static void arp_input(struct gen_port *p, struct wire_cur *c)
{
	struct arp_view v;
	struct rte_mbuf *m;
	uint8_t *body;

	if (arp_parse(c, &v) < 0)
		return;
	gateway_learn(p, &v.pkt->spa, 4, &v.pkt->sha);
	if (v.op != ARP_OP_REQUEST || !is_ours(p, &v.pkt->tpa, 4))
		return;
	m = frame_new(p, &v.pkt->sha, ETHTYPE_ARP, sizeof(struct arp_pkt), &body);
	if (m != NULL)
		arp_build(body, sizeof(struct arp_pkt), ARP_OP_REPLY, &p->mac, v.pkt->tpa,
			  &v.pkt->sha, v.pkt->spa);
	answer(p, m);
}

static struct rte_mbuf *nd_frame(struct gen_port *p, const struct mac_addr *to,
				 const struct nd_fields *f, bool na)
{
	struct ip6_fields ip = { .src = f->src,
				 .dst = f->dst,
				 .hop_limit = 255,
				 .next_header = IP_NH_ICMP6,
				 .payload_len = nd_build_len(f) };
	uint8_t *body;
	struct rte_mbuf *m = frame_new(
		p, to, ETHTYPE_IP6, (uint16_t)(sizeof(struct ip6_fixed) + ip.payload_len), &body);

	if (m == NULL)
		return NULL;
	ip6_build(body, sizeof(struct ip6_fixed), &ip);
	if (na)
		nd_na_build(body + sizeof(struct ip6_fixed), ip.payload_len, f);
	else
		nd_ns_build(body + sizeof(struct ip6_fixed), ip.payload_len, f);
	m->data_len = (uint16_t)(14 + sizeof(struct ip6_fixed) + ip.payload_len);
	m->pkt_len = m->data_len;
	return m;
}

static void nd_input(struct gen_port *p, struct wire_cur *c)
{
	struct icmp6_view icmp;
	struct ip6_view ip;
	struct nd_ns_view ns;
	struct nd_na_view na;

	if (ip6_parse(c, &ip) < 0 || ip.hdr->next_header != IP_NH_ICMP6 ||
	    ip.hdr->hop_limit != 255 || icmp6_parse(c, &ip.hdr->src, &ip.hdr->dst, &icmp) < 0)
		return;
	if (nd_na_parse(ip.hdr, &icmp, &na) == 0 && na.tlla != NULL)
		gateway_learn(p, na.target, 16, na.tlla);
	if (nd_ns_parse(ip.hdr, &icmp, &ns) < 0 || ns.slla == NULL || !is_ours(p, ns.target, 16))
		return;
	struct nd_fields f = { .src = *ns.target,
			       .dst = ip.hdr->src,
			       .target = *ns.target,
			       .mac = &p->mac,
			       .flags = ND_NA_SOLICITED | ND_NA_OVERRIDE };

	answer(p, nd_frame(p, ns.slla, &f, true));
}

void neigh_input(struct gen_port *p, const uint8_t *frame, uint32_t len)
{
	struct wire_cur c = wire_cur_init(frame, len);
	const struct eth_hdr *h = wire_pull(&c, sizeof(*h));

	if (p->conf == NULL || h == NULL)
		return;
	if (be16_get(h->ethertype) == ETHTYPE_ARP)
		arp_input(p, &c);
	else if (be16_get(h->ethertype) == ETHTYPE_IP6)
		nd_input(p, &c);
}

static const struct mac_addr all = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

void neigh_announce(struct gen_port *p)
{
	struct rte_mbuf *m;
	uint8_t *body;

	for (uint32_t i = 0; p->conf != NULL && i < p->conf->n_addrs; i++) {
		const uint8_t *addr = p->conf->addr[i].b;

		if (p->conf->addr[i].octets == 4) {
			be32_t a;

			memcpy(&a, addr, 4);
			m = frame_new(p, &all, ETHTYPE_ARP, sizeof(struct arp_pkt), &body);
			if (m != NULL)
				arp_build(body, sizeof(struct arp_pkt), ARP_OP_REQUEST, &p->mac, a,
					  NULL, a);
			answer(p, m);
			continue;
		}
		struct nd_fields f = { .dst = { { 0xff, 0x02, [15] = 1 } },
				       .mac = &p->mac,
				       .flags = ND_NA_OVERRIDE };
		struct mac_addr to = ip6_multicast_mac(&f.dst);

		memcpy(&f.src, addr, 16);
		f.target = f.src;
		answer(p, nd_frame(p, &to, &f, true));
	}
}

void neigh_ask(struct gen_port *p)
{
	struct ip6_addr target;
	struct rte_mbuf *m;
	uint8_t *body;
	be32_t src, dst;

	if (p->conf->gateway.octets == 4) {
		memcpy(&src, address(p, 4), 4);
		memcpy(&dst, p->conf->gateway.b, 4);
		m = frame_new(p, &all, ETHTYPE_ARP, sizeof(struct arp_pkt), &body);
		if (m != NULL)
			arp_build(body, sizeof(struct arp_pkt), ARP_OP_REQUEST, &p->mac, src, NULL,
				  dst);
		answer(p, m);
		return;
	}
	memcpy(&target, p->conf->gateway.b, 16);
	struct nd_fields f = { .dst = ip6_solicited_node(&target),
			       .target = target,
			       .mac = &p->mac };
	struct mac_addr to = ip6_multicast_mac(&f.dst);

	memcpy(&f.src, address(p, 16), 16);
	answer(p, nd_frame(p, &to, &f, false));
}
