/* SPDX-License-Identifier: BSD-3-Clause */
/* The packet builder against packets of scapy: what the tests stand on must itself be right. */
#include "tests/wire/wire_test.h"

static void expect_golden(const struct pktb *b, const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(golden_all) / sizeof(golden_all[0]); i++) {
		const struct golden *g = &golden_all[i];

		if (strcmp(g->name, name) != 0)
			continue;
		cr_assert_eq(b->len, g->len, "%s: %zu octets, want %zu\n%s", name, b->len, g->len,
			     pktb_dump(b));
		if (memcmp(b->buf, g->data, g->len) != 0) {
			cr_log_error("%s: ours\n%s", name, pktb_dump(b));
			cr_assert_fail("%s: scapy's\n%s", name, pktb_hexdump(g->data, g->len));
		}
		return;
	}
	cr_assert_fail("no golden packet %s", name);
}

#define TEXT "0123456789abcdef"

Test(pktb, ethernet_and_ip)
{
	struct pktb b;

	pktb_init(&b);
	pktb_eth(&b, NULL, NULL);
	pktb_ip6(&b, "2001:db8::1", "2001:db8::2", 64);
	b.ip6->vtf = ip6_vtf_make(0xb8, 0x12345);
	pktb_udp(&b, 1000, 2000);
	pktb_data(&b, TEXT, 16);
	pktb_finish(&b);
	expect_golden(&b, "eth_ip6_udp");

	pktb_init(&b);
	pktb_eth(&b, NULL, NULL);
	pktb_vlan(&b, ETHTYPE_VLAN, 5 << VLAN_PCP_SHIFT | 100);
	pktb_ip4(&b, "192.0.2.1", "192.0.2.2", 64);
	b.ip4->id = be16_make(7);
	pktb_udp(&b, 1000, 2000);
	pktb_data(&b, TEXT, 16);
	pktb_finish(&b);
	expect_golden(&b, "vlan_ip4_udp");

	pktb_init(&b);
	pktb_eth(&b, NULL, NULL);
	pktb_vlan(&b, ETHTYPE_QINQ, 1 << VLAN_PCP_SHIFT | VLAN_DEI | 200);
	pktb_vlan(&b, ETHTYPE_VLAN, 30);
	pktb_ip4(&b, "192.0.2.1", "192.0.2.2", 64);
	b.ip4->id = be16_make(9);
	b.ip4->tos = 0x28;
	b.ip4->frag = be16_make(IP4_DF);
	pktb_icmp4(&b, ICMP4_ECHO_REQUEST, 0, 0x00010002);
	pktb_data(&b, "ping", 4);
	pktb_finish(&b);
	expect_golden(&b, "qinq_ip4_icmp");

	pktb_init(&b);
	pktb_arp(&b, ARP_OP_REQUEST, NULL, "192.0.2.1", NULL, "192.0.2.2");
	expect_golden(&b, "arp_request");
}

Test(pktb, ipv6_chains)
{
	const uint8_t alert[4] = { 5, 2, 0, 0 }, tlv[8] = { 0x7c, 4, 'a', 'b', 'c', 'd', 4, 0 };
	struct ip6_addr home = pktb_addr6("2001:db8::99");
	uint8_t hao[22] = { 1, 2, 0, 0, 0xc9, 16 };
	struct pktb b;

	memcpy(hao + 6, &home, 16);
	pktb_init(&b);
	pktb_ip6(&b, "2001:db8::1", "2001:db8:b::100", 64);
	pktb_hbh(&b, alert, 4);
	pktb_dstopt(&b, hao, sizeof(hao));
	pktb_srh(&b, (const char *[]){ "2001:db8:c::1", "2001:db8:b::100" }, 2, 1);
	pktb_frag(&b, 0, true, 0xdeadbeef);
	pktb_udp(&b, 1000, 2000);
	pktb_data(&b, TEXT, 16);
	pktb_finish(&b);
	cr_assert_eq(be16_get(b.udp->csum), 0, "the checksum of a fragment is not known");
	b.udp->csum = be16_make(0x1234);
	expect_golden(&b, "ip6_chain");

	pktb_init(&b);
	pktb_ip6(&b, "2001:db8::1", "2001:db8:b::100", 64);
	pktb_srh(&b, (const char *[]){ "2001:db8:c::1", "2001:db8:b::100" }, 2, 1);
	b.srh->tag = be16_make(0xbeef);
	pktb_udp(&b, 1000, 2000);
	pktb_data(&b, TEXT, 16);
	pktb_finish(&b);
	expect_golden(&b, "srh_udp");

	pktb_init(&b);
	pktb_ip6(&b, "2001:db8::1", "2001:db8:b::100", 64);
	pktb_srh(&b, (const char *[]){ "2001:db8:c::1", "2001:db8:b::100" }, 2, 1);
	pktb_srh_tlv(&b, tlv, 8);
	pktb_ip6(&b, "2001:db8:a::1", "2001:db8:d::1", 10);
	pktb_udp(&b, 1, 2);
	pktb_data(&b, "inner", 5);
	pktb_finish(&b);
	expect_golden(&b, "srh_tlv_in6");
	cr_assert_eq(b.ip6, (void *)b.buf);
	cr_assert_eq(b.inner_ip6, (void *)(b.buf + 88));
	cr_assert_eq(pktb_off(&b, b.inner_ip6), 88);
}

Test(pktb, icmp)
{
	struct pktb b;

	pktb_init(&b);
	pktb_ip6(&b, "2001:db8::1", "2001:db8::2", 64);
	pktb_icmp6(&b, ICMP6_ECHO_REQUEST, 0, 0x12340007);
	pktb_data(&b, "hello world", 11);
	pktb_finish(&b);
	expect_golden(&b, "icmp6_echo");
}

Test(pktb, notation)
{
	struct pktb b;

	pktb_parse(&b, "eth / vlan 0xa064 / ip4 192.0.2.1 192.0.2.2 64 / udp 1000 2000 /"
		       "data 30313233343536373839616263646566");
	b.ip4->id = be16_make(7);
	pktb_fix_csum(&b);
	expect_golden(&b, "vlan_ip4_udp");
	pktb_parse(
		&b,
		"ip6 2001:db8::1 2001:db8:b::100 / srh 2001:db8:c::1,2001:db8:b::100 1 / tlv 7c04616263640400 /"
		"ip6 2001:db8:a::1 2001:db8:d::1 10 / udp 1 2 / data 696e6e6572");
	expect_golden(&b, "srh_tlv_in6");
	pktb_parse(&b, "arp 1 192.0.2.1 192.0.2.2");
	expect_golden(&b, "arp_request");
	pktb_parse(
		&b,
		"ip6 2001:db8::1 2001:db8::2 / eth / vlan 5 / ip4 192.0.2.1 192.0.2.2 / tcp 1 2 0x10 / fill 3");
	cr_assert_eq(b.ip6->next_header, IP_NH_ETHERNET);
	cr_assert_eq(be16_get(b.eth->ethertype), ETHTYPE_VLAN);
	cr_assert_eq(be16_get(b.vlan->ethertype), ETHTYPE_IP4);
	cr_assert_eq(b.len, 40 + 14 + 4 + 20 + 20 + 3);
	pktb_pad(&b, 5);
	cr_assert_eq(be16_get(b.ip6->payload_len) + 40u + 5, b.len);
}

Test(pktb, checksum_uses_the_final_segment)
{
	struct ip6_addr src = pktb_addr6("2001:db8::1"), final = pktb_addr6("2001:db8::c"),
			now = pktb_addr6("2001:db8::b");
	struct wire_cur c;
	struct udp_view u;
	struct pktb b;

	pktb_srv6(&b, "2001:db8::1", "2001:db8::b", 64,
		  (const char *[]){ "2001:db8::c", "2001:db8::b" }, 2);
	c = wire_cur_init(b.udp, b.len - 80);
	cr_assert_eq(udp_parse(&c, &u), 0);
	cr_assert_eq(udp_csum_check_ip6(&u, &src, &final), 0);
	cr_assert_eq(udp_csum_check_ip6(&u, &src, &now), -EILSEQ);
	b.srh->segments_left = 0;
	pktb_finish(&b);
	cr_assert_eq(udp_csum_check_ip6(&u, &src, &now), 0);
}
