/* SPDX-License-Identifier: BSD-3-Clause */
/* Ethernet, VLAN tags and ARP. */
#include "tests/wire/wire_test.h"

static int parse_eth(const uint8_t *p, size_t len)
{
	struct wire_cur c = wire_cur_init(p, len);
	struct eth_view v;
	int rc = eth_parse(&c, &v);

	if (rc < 0)
		cr_expect_eq(c.p, p, "the cursor moved on an error");
	return rc;
}

Test(eth, untagged)
{
	struct wire_cur c = wire_cur_init(golden_eth_ip6_udp, sizeof(golden_eth_ip6_udp));
	struct mac_addr dst = pktb_mac("02:00:00:00:00:02"), src = pktb_mac("02:00:00:00:00:01");
	struct eth_view v;

	cr_assert_eq(eth_parse(&c, &v), 0);
	cr_assert(mac_eq(&v.hdr->dst, &dst) && mac_eq(&v.hdr->src, &src));
	cr_assert_eq(v.ethertype, ETHTYPE_IP6);
	cr_assert_eq(v.n_tags, 0);
	cr_assert_eq(v.l3_off, 14);
	cr_assert_eq(c.p, golden_eth_ip6_udp + 14);
	check_truncation("eth", parse_eth, golden_eth_ip6_udp, sizeof(golden_eth_ip6_udp), 14);
}

Test(eth, one_tag)
{
	struct wire_cur c = wire_cur_init(golden_vlan_ip4_udp, sizeof(golden_vlan_ip4_udp));
	struct eth_view v;

	cr_assert_eq(eth_parse(&c, &v), 0);
	cr_assert_eq(v.ethertype, ETHTYPE_IP4);
	cr_assert_eq(v.n_tags, 1);
	cr_assert_eq(v.l3_off, 18);
	cr_assert_eq(v.tag[0].tpid, ETHTYPE_VLAN);
	cr_assert_eq(v.tag[0].vid, 100);
	cr_assert_eq(v.tag[0].pcp, 5);
	cr_assert_not(v.tag[0].dei);
	check_truncation("vlan", parse_eth, golden_vlan_ip4_udp, sizeof(golden_vlan_ip4_udp), 18);
}

Test(eth, two_tags)
{
	struct wire_cur c = wire_cur_init(golden_qinq_ip4_icmp, sizeof(golden_qinq_ip4_icmp));
	struct eth_view v;

	cr_assert_eq(eth_parse(&c, &v), 0);
	cr_assert_eq(v.ethertype, ETHTYPE_IP4);
	cr_assert_eq(v.n_tags, 2);
	cr_assert_eq(v.l3_off, 22);
	cr_assert_eq(v.tag[0].tpid, ETHTYPE_QINQ);
	cr_assert_eq(v.tag[0].vid, 200);
	cr_assert_eq(v.tag[0].pcp, 1);
	cr_assert(v.tag[0].dei);
	cr_assert_eq(v.tag[1].tpid, ETHTYPE_VLAN);
	cr_assert_eq(v.tag[1].vid, 30);
	check_truncation("qinq", parse_eth, golden_qinq_ip4_icmp, sizeof(golden_qinq_ip4_icmp), 22);
}

Test(eth, third_tag_refused)
{
	struct pktb b;
	struct wire_cur c;
	struct eth_view v = { .l3_off = 99 };

	pktb_parse(&b, "eth / vlan 1 0x88a8 / vlan 2 / vlan 3 / ip6 2001:db8::1 2001:db8::2");
	c = wire_cur_init(b.buf, b.len);
	cr_assert_eq(eth_parse(&c, &v), -EPROTONOSUPPORT);
	cr_assert_eq(v.l3_off, 99, "the view changed on an error");
	cr_assert_eq(c.p, b.buf);
}

Test(eth, length_field_is_reported_as_such)
{
	uint8_t frame[60] = {
		1, 0x80, 0xc2, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0x00, 0x26
	}; /* 802.3, length 38 */
	struct wire_cur c = wire_cur_init(frame, sizeof(frame));
	struct eth_view v;

	cr_assert_eq(eth_parse(&c, &v), 0);
	cr_assert_lt(v.ethertype, ETHTYPE_MIN);
}

Test(eth, build_is_the_golden_header)
{
	struct mac_addr dst = pktb_mac("02:00:00:00:00:02"), src = pktb_mac("02:00:00:00:00:01");
	struct eth_tag_view tag[2] = { { .tpid = ETHTYPE_QINQ, .vid = 200, .pcp = 1, .dei = true },
				       { .tpid = ETHTYPE_VLAN, .vid = 30 } };
	uint8_t buf[22];

	cr_assert_eq(eth_build(buf, 22, &dst, &src, tag, 2, ETHTYPE_IP4), 22);
	cr_assert_arr_eq(buf, golden_qinq_ip4_icmp, 22);
	cr_assert_eq(eth_build(buf, 14, &dst, &src, NULL, 0, ETHTYPE_IP6), 14);
	cr_assert_arr_eq(buf, golden_eth_ip6_udp, 14);
	cr_assert_eq(eth_build(buf, 21, &dst, &src, tag, 2, ETHTYPE_IP4), -ENOSPC);
	cr_assert_eq(eth_build(buf, 22, &dst, &src, tag, 3, ETHTYPE_IP4), -EINVAL);
}

static int parse_arp(const uint8_t *p, size_t len)
{
	struct wire_cur c = wire_cur_init(p, len);
	struct arp_view v;
	int rc = arp_parse(&c, &v);

	if (rc < 0)
		cr_expect_eq(c.p, p, "the cursor moved on an error");
	return rc;
}

Test(arp, golden)
{
	struct wire_cur c = wire_cur_init(golden_arp_reply, sizeof(golden_arp_reply));
	struct mac_addr sha = pktb_mac("02:00:00:00:00:02"), tha = pktb_mac("02:00:00:00:00:01");
	be32_t spa = pktb_addr4("192.0.2.2"), tpa = pktb_addr4("192.0.2.1");
	uint8_t buf[28];
	struct arp_view v;

	cr_assert_eq(arp_parse(&c, &v), 0);
	cr_assert_eq(v.op, ARP_OP_REPLY);
	cr_assert(mac_eq(&v.pkt->sha, &sha) && mac_eq(&v.pkt->tha, &tha));
	cr_assert(be32_eq(v.pkt->spa, spa) && be32_eq(v.pkt->tpa, tpa));
	cr_assert_eq(wire_left(&c), 0);
	check_truncation("arp", parse_arp, golden_arp_request, sizeof(golden_arp_request), 28);

	cr_assert_eq(arp_build(buf, 28, ARP_OP_REPLY, &sha, spa, &tha, tpa), 28);
	cr_assert_arr_eq(buf, golden_arp_reply, 28);
	cr_assert_eq(arp_build(buf, 28, ARP_OP_REQUEST, &tha, tpa, NULL, spa), 28);
	cr_assert_arr_eq(buf, golden_arp_request, 28);
	cr_assert_eq(arp_build(buf, 27, ARP_OP_REQUEST, &tha, tpa, NULL, spa), -ENOSPC);
}

struct arp_row {
	char why[48];
	uint8_t off, value;
	int want;
};

ParameterizedTestParameters(arp, hostile)
{
	static struct arp_row rows[] = {
		{ "hardware type", 1, 6, -EPROTONOSUPPORT },
		{ "protocol type", 2, 0x86, -EPROTONOSUPPORT },
		{ "hardware length", 4, 8, -EPROTONOSUPPORT },
		{ "hardware length 0", 4, 0, -EPROTONOSUPPORT },
		{ "protocol length", 5, 16, -EPROTONOSUPPORT },
		{ "reverse ARP", 7, 3, -EPROTONOSUPPORT },
		{ "operation 0", 7, 0, -EPROTONOSUPPORT },
		{ "operation 256", 6, 1, -EPROTONOSUPPORT },
		{ "sender is a group address", 8, 0x01, -EBADMSG },
		{ "sender is broadcast", 8, 0xff, -EBADMSG },
	};
	return ROWS(rows);
}

ParameterizedTest(struct arp_row *r, arp, hostile)
{
	uint8_t *p = exact_copy(golden_arp_request, sizeof(golden_arp_request));

	p[r->off] = r->value;
	cr_assert_eq(parse_arp(p, 28), r->want, "%s", r->why);
	free(p);
}
