/* SPDX-License-Identifier: BSD-3-Clause
 * ip4-input, ip6-input, ip4-lookup, ip6-lookup, ip4-frag: the fate of every kind of packet, the bytes that leave, and
 * that none is lost without a name. */
#include "pipelines/ip/tests/bed.h"

#include <stdlib.h>

TestSuite(ip_forward, .init = bed_up, .fini = bed_down);

struct row {
	char why[64], packet[160], node[12], verdict[20];
};

ParameterizedTestParameters(ip_forward, verdicts)
{
#define TO4(dst) ETH "ip4 192.0.2.1 " dst " 64 / udp 1 2 / fill 20"
#define TO6(dst) ETH "ip6 2001:db8:a::1 " dst " 64 / udp 1 2 / fill 20"
	static struct row rows[] = {
		{ "a route", TO4("203.0.113.5"), "ip4-input", "forward" },
		{ "a route through an IPv6 gateway", TO4("203.0.113.200"), "ip4-input", "forward" },
		{ "a neighbour on the link", TO4("198.51.100.1"), "ip4-input", "forward" },
		{ "a station on the link yet unknown", TO4("198.51.100.77"), "ip4-input",
		  "resolve" },
		{ "an address of ours", TO4("198.51.100.9"), "ip4-input", "local" },
		{ "a route into another VRF", TO4("100.64.7.1"), "ip4-input", "forward" },
		{ "no route", TO4("100.100.100.100"), "ip4-input", "no-route" },
		{ "blackhole", TO4("100.64.1.1"), "ip4-input", "blackhole" },
		{ "unreachable", TO4("100.64.2.1"), "ip4-input", "unreachable" },
		{ "prohibit", TO4("100.64.3.1"), "ip4-input", "prohibit" },
		{ "subnet broadcast", TO4("198.51.100.255"), "ip4-input", "blackhole" },
		{ "TTL 1", ETH "ip4 192.0.2.1 203.0.113.5 1 / udp", "ip4-input", "ttl" },
		{ "TTL 0", ETH "ip4 192.0.2.1 203.0.113.5 0 / udp", "ip4-input", "ttl" },
		{ "TTL 1 to ourselves", ETH "ip4 192.0.2.1 192.0.2.9 1 / udp", "ip4-input",
		  "local" },
		{ "multicast", TO4("224.0.0.5"), "ip4-input", "multicast" },
		{ "limited broadcast", TO4("255.255.255.255"), "ip4-input", "bad-dest" },
		{ "to 127/8", TO4("127.0.0.1"), "ip4-input", "bad-dest" },
		{ "from 127/8", ETH "ip4 127.0.0.1 203.0.113.5 64 / udp", "ip4-input",
		  "bad-source" },
		{ "from 0/8", ETH "ip4 0.0.0.0 203.0.113.5 64 / udp", "ip4-input", "bad-source" },
		{ "from multicast", ETH "ip4 224.0.0.1 203.0.113.5 64 / udp", "ip4-input",
		  "bad-source" },
		{ "unicast in a broadcast frame",
		  "eth ff:ff:ff:ff:ff:ff " MAC_A " / ip4 192.0.2.1 203.0.113.5 64 / udp",
		  "ip4-input", "l2-group" },
		{ "IPv6: a route", TO6("2001:db8:c::5"), "ip6-input", "forward" },
		{ "IPv6: a neighbour", TO6("2001:db8:b::1"), "ip6-input", "forward" },
		{ "IPv6: a station yet unknown", TO6("2001:db8:b::77"), "ip6-input", "resolve" },
		{ "IPv6: an address of ours", TO6("2001:db8:b::9"), "ip6-input", "local" },
		{ "IPv6: a route into another VRF", TO6("2001:db8:7::1"), "ip6-input", "forward" },
		{ "IPv6: no route", TO6("2001:db8:ffff::1"), "ip6-input", "no-route" },
		{ "IPv6: blackhole", TO6("2001:db8:dead:1::1"), "ip6-input", "blackhole" },
		{ "IPv6: unreachable", TO6("2001:db8:dead:2::1"), "ip6-input", "unreachable" },
		{ "IPv6: prohibit", TO6("2001:db8:dead:3::1"), "ip6-input", "prohibit" },
		{ "hop limit 1", ETH "ip6 2001:db8:a::1 2001:db8:c::5 1 / udp", "ip6-input",
		  "hop-limit" },
		{ "hop limit 0", ETH "ip6 2001:db8:a::1 2001:db8:c::5 0 / udp", "ip6-input",
		  "hop-limit" },
		{ "hop limit 1 to ourselves", ETH "ip6 2001:db8:a::1 2001:db8:a::9 1 / udp",
		  "ip6-input", "local" },
		{ "to our link-local address", ETH "ip6 fe80::1 fe80::ff:fe00:1 64 / udp",
		  "ip6-input", "local" },
		{ "to another's link-local address", ETH "ip6 fe80::1 fe80::2 64 / udp",
		  "ip6-input", "link-local" },
		{ "link-local source leaves", ETH "ip6 fe80::1 2001:db8:c::5 64 / udp", "ip6-input",
		  "beyond-scope" },
		{ "all nodes", ETH "ip6 2001:db8:a::1 ff02::1 64 / udp", "ip6-input", "local" },
		{ "solicited node", ETH "ip6 2001:db8:a::1 ff02::1:ff00:9 64 / udp", "ip6-input",
		  "local" },
		{ "another group", ETH "ip6 2001:db8:a::1 ff05::2 64 / udp", "ip6-input",
		  "multicast" },
		{ "from a group", ETH "ip6 ff02::1 2001:db8:c::5 64 / udp", "ip6-input",
		  "bad-source" },
		{ "from ::1", ETH "ip6 ::1 2001:db8:c::5 64 / udp", "ip6-input", "bad-source" },
		{ "from ::", ETH "ip6 :: 2001:db8:c::5 64 / udp", "ip6-input", "bad-source" },
		{ "to ::1", ETH "ip6 2001:db8:a::1 ::1 64 / udp", "ip6-input", "bad-dest" },
		{ "to ::", ETH "ip6 2001:db8:a::1 :: 64 / udp", "ip6-input", "bad-dest" },
		{ "IPv6 unicast in a multicast frame",
		  "eth 33:33:00:00:00:01 " MAC_A " / ip6 2001:db8:a::1 2001:db8:c::5 64 / udp",
		  "ip6-input", "l2-group" },
		{ "hop-by-hop options are not looked at in transit",
		  ETH "ip6 2001:db8:a::1 2001:db8:c::5 64 / hbh c200 / udp", "ip6-input",
		  "forward" },
	};

	return cr_make_param_array(struct row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct row *r, ip_forward, verdicts)
{
	struct pktb b;

	send_a(r->packet, &b);
	cr_assert_eq(hx_verdict(r->node, r->verdict), 1, "%s: not %s\n%s", r->why, r->verdict,
		     pktb_dump(&b));
}

/* Headers that lie: one thing broken in a good packet. */
enum broken { VERSION4, IHL4, IHL15, LONG4, SHORT4, CSUM4, CUT4, LSRR4, VERSION6, LONG6, CUT6 };
struct broken_row {
	char why[48], node[12], verdict[16];
	enum broken what;
};

ParameterizedTestParameters(ip_forward, broken_headers)
{
	static struct broken_row rows[] = {
		{ "version 5", "ip4-input", "bad-header", VERSION4 },
		{ "header of 16 octets", "ip4-input", "bad-header", IHL4 },
		{ "header of 60 octets, not there", "ip4-input", "truncated", IHL15 },
		{ "total length beyond the frame", "ip4-input", "truncated", LONG4 },
		{ "total length below the header", "ip4-input", "truncated", SHORT4 },
		{ "checksum", "ip4-input", "bad-checksum", CSUM4 },
		{ "19 octets", "ip4-input", "truncated", CUT4 },
		{ "source route", "ip4-input", "source-route", LSRR4 },
		{ "version 4 in an IPv6 frame", "ip6-input", "bad-version", VERSION6 },
		{ "payload length beyond the frame", "ip6-input", "truncated", LONG6 },
		{ "39 octets", "ip6-input", "truncated", CUT6 },
	};

	return cr_make_param_array(struct broken_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct broken_row *r, ip_forward, broken_headers)
{
	struct pktb b;
	size_t len;

	pktb_parse(&b, r->what >= VERSION6 ? ETH
			       "ip6 2001:db8:a::1 2001:db8:c::5 64 / udp / fill 4" :
					     ETH "ip4 192.0.2.1 203.0.113.5 64 / udp / fill 4");
	len = b.len;
	switch (r->what) {
	case VERSION4:
		b.ip4->version_ihl = 0x55;
		break;
	case IHL4:
		b.ip4->version_ihl = 0x44;
		break;
	case IHL15:
		b.ip4->version_ihl = 0x4f;
		break;
	case LONG4:
		b.ip4->total_len = be16_make((uint16_t)(b.len - 14 + 1));
		break;
	case SHORT4:
		b.ip4->total_len = be16_make(19);
		break;
	case CSUM4:
		b.ip4->csum.b[0] ^= 1;
		break;
	case CUT4:
		len = 14 + 19;
		break;
	case LSRR4: /* the UDP header becomes options: no-op, then a loose source route */
		b.ip4->version_ihl = 0x46;
		memcpy(b.udp, (const uint8_t[]){ 1, 131, 3, 4 }, 4);
		b.ip4->csum = be16_make(0);
		b.ip4->csum = hd_csum(b.ip4, 24);
		break;
	case VERSION6:
		b.ip6->vtf.b[0] = 0x40;
		break;
	case LONG6:
		b.ip6->payload_len = be16_make((uint16_t)(b.len - 14 - 40 + 1));
		break;
	case CUT6:
		len = 14 + 39;
		break;
	}
	hx_rx(A, b.buf, len);
	hx_turn();
	cr_assert_eq(hx_verdict(r->node, r->verdict), 1, "%s: not %s\n%s", r->why, r->verdict,
		     pktb_dump(&b));
	cr_assert_eq(hx_drops(), 1);
}

static uint8_t out[16384];

Test(ip_forward, ipv4_leaves_with_ttl_checksum_and_header)
{
	struct pktb b, want;
	size_t n;

	send_a(TO4("203.0.113.5"), &b);
	pktb_parse(&want,
		   "eth " MAC_B " " MAC_2 " / ip4 192.0.2.1 203.0.113.5 63 / udp 1 2 / fill 20");
	n = hx_tx(B, out, sizeof(out));
	cr_assert_eq(n, want.len);
	cr_assert_arr_eq(out, want.buf, n, "%s", pktb_hexdump(out, n));
	cr_assert_eq(hx_stat("interface", 2, "tx-packets") > 0, 1);
}

Test(ip_forward, ipv6_leaves_with_hop_limit_and_header)
{
	struct pktb b, want;
	size_t n;

	send_a(TO6("2001:db8:c::5"), &b);
	pktb_parse(&want, "eth " MAC_B " " MAC_2
			  " / ip6 2001:db8:a::1 2001:db8:c::5 63 / udp 1 2 / fill 20");
	n = hx_tx(B, out, sizeof(out));
	cr_assert_eq(n, want.len);
	cr_assert_arr_eq(out, want.buf, n, "%s", pktb_hexdump(out, n));
}

Test(ip_forward, ipv4_through_an_ipv6_gateway_keeps_its_ethertype)
{
	struct pktb b;

	send_a(TO4("203.0.113.200"), &b);
	cr_assert_eq(hx_tx(B, out, sizeof(out)), b.len);
	cr_assert_eq(wire_get16(out + 12), ETHTYPE_IP4);
}

Test(ip_forward, ethernet_padding_is_not_forwarded)
{
	struct pktb b;

	pktb_parse(&b, ETH "ip6 2001:db8:a::1 2001:db8:c::5 64 / udp");
	pktb_pad(&b, 30);
	hx_rx(A, b.buf, b.len);
	pktb_parse(&b, ETH "ip4 192.0.2.1 203.0.113.5 64 / udp");
	pktb_pad(&b, 18);
	hx_rx(A, b.buf, b.len);
	hx_turn();
	cr_assert_eq(hx_tx(B, out, sizeof(out)), 14u + 40 + 8);
	cr_assert_eq(hx_tx(B, out, sizeof(out)), 14u + 20 + 8);
}

Test(ip_forward, tags_are_put_in_front)
{
	struct hd_api_iface i = { .iface_id = 3,
				  .port_id = B,
				  .outer_tpid = ETHTYPE_QINQ,
				  .outer_vid = 200,
				  .inner_vid = 300,
				  .mac = { 2, 0, 0, 0, 0, 3 },
				  .flags = HD_IFACE_F_UP,
				  .mtu = 1500 };
	struct pktb b, want;
	size_t n;

	cr_assert_eq(hx_set(HD_API_IFACE, &i, sizeof(i)), 0, "%s", hx_error());
	hx_addr(3, "10.3.0.9/24");
	hx_neigh(3, "10.3.0.1", MAC_B);
	hx_turn();
	drain(B);
	send_a(TO4("10.3.0.1"), &b);
	pktb_parse(&want,
		   "eth " MAC_B
		   " 02:00:00:00:00:03 / vlan 200 0x88a8 / vlan 300 / ip4 192.0.2.1 10.3.0.1 63"
		   " / udp 1 2 / fill 20");
	n = hx_tx(B, out, sizeof(out));
	cr_assert_eq(n, want.len);
	cr_assert_arr_eq(out, want.buf, n, "%s", pktb_hexdump(out, n));
}

/* ---- MTU and fragments ---- */

Test(ip_forward, the_mtu_is_exact)
{
	struct pktb b;

	send_a(ETH "ip6 2001:db8:a::1 2001:db8:c::5 64 / udp / fill 1452", &b); /* 1500 octets */
	cr_assert_eq(hx_verdict("ip6-input", "forward"), 1);
	send_a(ETH "ip6 2001:db8:a::1 2001:db8:c::5 64 / udp / fill 1453", &b);
	cr_assert_eq(hx_verdict("ip6-input", "too-big"), 1);
	send_a(ETH "ip4 192.0.2.1 203.0.113.5 64 / udp / fill 1472", &b);
	cr_assert_eq(hx_verdict("ip4-input", "forward"), 1);
	send_a(ETH "ip4 192.0.2.1 203.0.113.5 64 / udp / fill 1473", &b);
	cr_assert_eq(hx_verdict("ip4-input", "fragment"), 1);
}

/* Put fragments together again: payload octets, each exactly once. */
static unsigned reassemble(uint8_t *payload, unsigned expect_max)
{
	unsigned total = 0, n = 0;
	size_t len;

	while ((len = hx_tx(B, out, sizeof(out))) != 0) {
		struct wire_cur c = wire_cur_init(out + 14, len - 14);
		struct ip4_view v = { 0 };

		cr_assert_eq(ip4_parse(&c, &v), 0, "fragment %u has a bad header\n%s", n,
			     pktb_hexdump(out, len));
		cr_assert_leq(v.total_len, expect_max);
		cr_assert_eq(v.hdr->ttl, 63);
		cr_assert_eq(v.frag_off, total);
		memcpy(payload + v.frag_off, c.p, wire_left(&c));
		total += (unsigned)wire_left(&c);
		n++;
		if (!v.mf)
			return total;
	}
	cr_assert_fail("the last fragment is missing");
	return 0;
}

Test(ip_forward, fragments_carry_every_octet_once)
{
	static uint8_t got[16384];
	struct pktb b;
	const uint8_t *l4;

	send_a(ETH "ip4 192.0.2.1 203.0.113.5 64 / udp / fill 4000",
	       &b); /* also arrives in several segments */
	l4 = (const uint8_t *)b.udp;
	cr_assert_eq(reassemble(got, 1500), 4008);
	cr_assert_arr_eq(got, l4, 4008);
	cr_assert_eq(hx_verdict("ip4-frag", "split"), 1);
	cr_assert_eq(hx_verdict("ip4-frag", "fragment"), 3);
	cr_assert_eq(hx_drops(), 0);
}

Test(ip_forward, df_forbids_fragments)
{
	struct pktb b;

	pktb_parse(&b, ETH "ip4 192.0.2.1 203.0.113.5 64 / udp / fill 1473");
	b.ip4->frag = be16_make(IP4_DF);
	pktb_fix_csum(&b);
	hx_rx(A, b.buf, b.len);
	hx_turn();
	cr_assert_eq(hx_verdict("ip4-input", "too-big"), 1);
	cr_assert_eq(drain(B), 0);
}

/* ---- buffers in segments ---- */

Test(ip_forward, long_packets_in_segments_are_forwarded)
{
	struct hd_api_iface i = { .iface_id = 2,
				  .port_id = B,
				  .mac = { 2, 0, 0, 0, 0, 2 },
				  .flags = HD_IFACE_F_UP,
				  .mtu = 9000 };
	struct pktb b;

	cr_assert_eq(hx_set(HD_API_IFACE, &i, sizeof(i)), 0, "%s", hx_error());
	hx_turn();
	drain(B);
	send_a(ETH "ip6 2001:db8:a::1 2001:db8:c::5 64 / udp / fill 8000", &b);
	cr_assert_eq(hx_verdict("ip6-input", "forward"), 1);
	cr_assert_eq(drain(B) + hx_verdict("port-tx", "segmented"), 1);
}

/* ---- reverse path ---- */

static void urpf(uint8_t mode)
{
	struct hd_api_iface i = { .iface_id = 1,
				  .port_id = A,
				  .mac = { 2, 0, 0, 0, 0, 1 },
				  .flags = HD_IFACE_F_UP,
				  .mtu = 1500,
				  .urpf4 = mode,
				  .urpf6 = mode };

	cr_assert_eq(hx_set(HD_API_IFACE, &i, sizeof(i)), 0, "%s", hx_error());
}

struct urpf_row {
	char why[64], packet[128];
	bool loose, strict; /* passes */
};

ParameterizedTestParameters(ip_forward, reverse_path)
{
	static struct urpf_row rows[] = {
		{ "neighbour of the link", ETH "ip4 192.0.2.1 203.0.113.5 64 / udp", true, true },
		{ "another station of the link", ETH "ip4 192.0.2.50 203.0.113.5 64 / udp", true,
		  true },
		{ "source lives behind the other port", ETH "ip4 203.0.113.9 198.51.100.1 64 / udp",
		  true, false },
		{ "source nobody knows", ETH "ip4 100.100.1.1 203.0.113.5 64 / udp", false, false },
		{ "source is blackholed", ETH "ip4 100.64.1.1 203.0.113.5 64 / udp", false, false },
		{ "source is ours", ETH "ip4 198.51.100.9 203.0.113.5 64 / udp", false, false },
		{ "IPv6 neighbour", ETH "ip6 2001:db8:a::1 2001:db8:c::5 64 / udp", true, true },
		{ "IPv6 source behind the other port",
		  ETH "ip6 2001:db8:c::7 2001:db8:b::1 64 / udp", true, false },
		{ "IPv6 source nobody knows", ETH "ip6 2001:db8:ffff::1 2001:db8:c::5 64 / udp",
		  false, false },
	};

	return cr_make_param_array(struct urpf_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct urpf_row *r, ip_forward, reverse_path)
{
	struct pktb b;

	urpf(HD_URPF_NONE);
	send_a(r->packet, &b);
	cr_assert_eq(drain(B), 1, "%s: does not pass without uRPF", r->why);
	urpf(HD_URPF_LOOSE);
	send_a(r->packet, &b);
	cr_assert_eq(drain(B), r->loose, "%s: loose", r->why);
	urpf(HD_URPF_STRICT);
	send_a(r->packet, &b);
	cr_assert_eq(drain(B), r->strict, "%s: strict", r->why);
	cr_assert_eq(hx_verdict("ip4-input", "urpf") + hx_verdict("ip6-input", "urpf"),
		     (unsigned)!r->loose + !r->strict);
}

/* ---- sources of a prefix ---- */

Test(ip_forward, our_address_beats_a_route_to_it_and_gives_way_when_it_goes)
{
	struct hd_api_addr a = {
		.iface_id = 1, .family = 4, .plen = 32, .addr = { 203, 0, 113, 5 }
	};
	struct pktb b;

	hx_route(0, "203.0.113.5/32", HD_TARGET_NEXTHOP, 1);
	hx_addr(1, "203.0.113.5/32");
	send_a(TO4("203.0.113.5"), &b);
	cr_assert_eq(hx_verdict("ip4-input", "local"), 1);
	cr_assert_eq(hx_del(HD_API_ADDR, &a, HD_API_ADDR_KEY), 0);
	send_a(TO4("203.0.113.5"), &b);
	cr_assert_eq(hx_verdict("ip4-input", "forward"), 1);
}

Test(ip_forward, a_prefix_two_addresses_share_stays_with_the_other)
{
	struct hd_api_addr a = {
		.iface_id = 2, .family = 4, .plen = 24, .addr = { 198, 51, 100, 9 }
	};
	struct pktb b;

	hx_addr(2, "198.51.100.10/24");
	cr_assert_eq(hx_del(HD_API_ADDR, &a, HD_API_ADDR_KEY), 0);
	send_a(TO4("198.51.100.1"), &b);
	cr_assert_eq(hx_verdict("ip4-input", "forward"), 1);
	send_a(TO4("198.51.100.10"), &b);
	cr_assert_eq(hx_verdict("ip4-input", "local"), 1);
	send_a(TO4("198.51.100.9"), &b);
	cr_assert_eq(hx_verdict("ip4-input", "resolve"), 1);
}

Test(ip_forward, an_interface_takes_its_addresses_into_another_vrf)
{
	struct hd_api_iface i = { .iface_id = 2,
				  .port_id = B,
				  .vrf_id = 7,
				  .mac = { 2, 0, 0, 0, 0, 2 },
				  .flags = HD_IFACE_F_UP,
				  .mtu = 1500 };
	struct pktb b;

	cr_assert_eq(hx_set(HD_API_IFACE, &i, sizeof(i)), 0, "%s", hx_error());
	send_a(TO4("198.51.100.1"), &b);
	cr_assert_eq(hx_verdict("ip4-input", "no-route"), 1);
	hx_route(0, "198.51.100.0/24", HD_TARGET_VRF, 7);
	send_a(TO4("198.51.100.1"), &b);
	cr_assert_eq(hx_verdict("ip4-input", "forward"), 1);
}

/* The destination changes only when the packet can leave; the other VRF is asked for the next segment all the same. */
Test(ip_forward, the_next_segment_may_live_in_another_vrf)
{
	struct hd_api_srv6_sid sid = {
		.plen = 128, .sid = { 0x20, 0x01, 0x0d, 0xb8, 0, 5 }, .sid_id = 1, .behavior = 1
	};
	struct pktb b;

	cr_assert_eq(hx_set(HD_API_SRV6_SID, &sid, sizeof(sid)), 0, "%s", hx_error());
	send_a(ETH "ip6 2001:db8:a::1 2001:db8:5:: 64 / srh 2001:db8:7::1,2001:db8:5:: 1 / udp",
	       &b);
	cr_assert_eq(hx_verdict("srv6-endpoint", "forward"), 1);
	cr_assert_gt(hx_tx(B, out, sizeof(out)), 0);
	struct ip6_addr next = pktb_addr6("2001:db8:7::1");
	cr_assert_arr_eq(out + 14 + 24, next.b, 16);
}

Test(ip_forward, vrfs_that_lead_in_a_circle_are_found)
{
	struct pktb b;

	hx_route(0, "10.9.0.0/16", HD_TARGET_VRF, 7);
	hx_route(7, "10.9.0.0/16", HD_TARGET_VRF, 0);
	send_a(TO4("10.9.0.1"), &b);
	cr_assert_eq(hx_verdict("ip4-input", "vrf-loop"), 1);
}

struct refused_row {
	char why[48];
	struct hd_api_route r;
	int rc;
};

ParameterizedTestParameters(ip_forward, refused_routes)
{
	static struct refused_row rows[] = {
		{ "host bits",
		  { .family = 4,
		    .plen = 24,
		    .prefix = { 10, 0, 0, 1 },
		    .target = HD_TARGET_BLACKHOLE },
		  -EINVAL },
		{ "prefix too long",
		  { .family = 4, .plen = 33, .prefix = { 10 }, .target = HD_TARGET_BLACKHOLE },
		  -EINVAL },
		{ "family 5",
		  { .family = 5, .plen = 8, .prefix = { 10 }, .target = HD_TARGET_BLACKHOLE },
		  -EINVAL },
		{ "no target", { .family = 4, .plen = 8, .prefix = { 10 } }, -EINVAL },
		{ "unknown next hop",
		  { .family = 4, .plen = 8, .prefix = { 10 }, .target = HD_TARGET_NEXTHOP, .id = 99 },
		  -ENOENT },
		{ "unknown VRF",
		  { .vrf_id = 5,
		    .family = 4,
		    .plen = 8,
		    .prefix = { 10 },
		    .target = HD_TARGET_BLACKHOLE },
		  -ENOENT },
		{ "IPv6 over an IPv4 gateway",
		  { .family = 6,
		    .plen = 16,
		    .prefix = { 0x20, 1 },
		    .target = HD_TARGET_NEXTHOP,
		    .id = 1 },
		  -EINVAL },
		{ "its own VRF",
		  { .family = 4, .plen = 8, .prefix = { 10 }, .target = HD_TARGET_VRF, .id = 0 },
		  -EINVAL },
	};

	return cr_make_param_array(struct refused_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct refused_row *r, ip_forward, refused_routes)
{
	cr_assert_eq(hx_set(HD_API_ROUTE, &r->r, sizeof(r->r)), r->rc, "%s: %s", r->why,
		     hx_error());
	cr_assert_neq(hx_error()[0], '\0');
}

/* ---- nothing is lost without a name ---- */

Test(ip_forward, in_equals_out_plus_dropped)
{
	static const char *const some[] = {
		TO4("203.0.113.5"),
		TO4("203.0.113.200"),
		TO4("198.51.100.1"),
		TO4("100.64.1.1"),
		TO6("2001:db8:c::5"),
		TO6("2001:db8:dead:1::1"),
		TO4("224.0.0.5"),
		TO6("ff05::1"),
		ETH "ip6 ::1 2001:db8:c::5 64 / udp",
		ETH "ip4 192.0.2.1 203.0.113.5 1 / udp",
		ETH "ip6 2001:db8:a::1 2001:db8:c::5 1 / udp",
		ETH "ip4 192.0.2.1 203.0.113.5 64 / udp / fill 1400",
		ETH "ip4 192.0.2.1 192.0.2.9 64 / icmp4 8 0 1 / fill 8",
		ETH "next 0x1234 / fill 46",
		"eth 02:00:00:00:00:77 " MAC_A " / ip4 192.0.2.1 203.0.113.5 64 / udp",
	};
	unsigned seed = 1, sent = 0, left = 0;

	for (unsigned turn = 0; turn < 40; turn++) {
		for (unsigned k = 0; k < 300; k++) {
			struct pktb b;

			seed = seed * 1103515245u + 12345u;
			pktb_parse(&b, some[(seed >> 16) % (sizeof(some) / sizeof(some[0]))]);
			hx_rx(A, b.buf, b.len);
			sent++;
		}
		hx_turn();
		left += drain(A) + drain(B);
	}
	cr_assert_eq(sent, left + hx_drops(), "sent %u, left %u, dropped %lu", sent, left,
		     hx_drops());
	cr_assert_eq(hx_mbufs_in_use(), 0);
}

/* Packets with octets changed, cut off or put in at random: each has a fate, and nothing crashes. */
Test(ip_forward, mutated_packets_have_a_fate, .timeout = 60)
{
	static const char *const some[] = {
		TO4("203.0.113.5"),
		TO4("192.0.2.9"),
		TO6("2001:db8:c::5"),
		TO6("2001:db8:a::9"),
		ETH
		"ip6 2001:db8:a::1 2001:db8:a::9 64 / hbh 1e0100 / srh 2001:db8:a::9 0 / icmp6 128 0 1 / fill 8",
		ETH "ip6 2001:db8:a::1 2001:db8:a::9 64 / frag 0 1 7 / udp / fill 64",
		ETH "ip6 fe80::7 ff02::1:ff00:9 255 / icmp6 135 0 0"
		    " / data 20010db8000a00000000000000000009 / data 010102aa00000007",
		ETH "ip4 192.0.2.1 203.0.113.5 64 / udp / fill 2500",
		ETH "ip4 192.0.2.1 192.0.2.9 64 / icmp4 8 0 1 / fill 30",
		"eth ff:ff:ff:ff:ff:ff " MAC_A " / arp 1 192.0.2.1 192.0.2.9",
		ETH "ip6 2001:db8:a::1 2001:db8:c::5 64 / udp / fill 2500",
		ETH "ip4 192.0.2.1 198.51.100.77 64 / udp / fill 4",
	};
	const char *text = getenv("HEDDLE_TEST_SEED");
	unsigned seed = text != NULL ? (unsigned)strtoul(text, NULL, 0) : 20261124, start = seed;
	uint64_t sent = 0, left = 0;

	for (unsigned k = 0; k < 30000; k++) {
		struct pktb b;
		size_t len;

		pktb_parse(&b, some[rand_r(&seed) % (sizeof(some) / sizeof(some[0]))]);
		len = b.len;
		for (unsigned c = (unsigned)rand_r(&seed) % 4; c-- > 0;) /* mostly in the headers */
			b.buf[(unsigned)rand_r(&seed) % (rand_r(&seed) % 4 ? 64 : len)] =
				(uint8_t)rand_r(&seed);
		if (rand_r(&seed) % 8 == 0)
			len = 1 + (unsigned)rand_r(&seed) % len;
		if (b.ip4 != NULL && rand_r(&seed) % 2) { /* let it get past the checksum */
			unsigned hlen = (b.ip4->version_ihl & 15) * 4u;

			b.ip4->csum = be16_make(0);
			b.ip4->csum = hd_csum(b.ip4, hlen);
		}
		hx_rx(A, b.buf, len);
		sent++;
		if (k % 50 == 49) {
			hx_turn();
			left += drain(A) + drain(B);
			pass_ms(100);
			left += drain(A) + drain(B);
		}
	}
	pass_ms(10000); /* what waits is given up; some of the errors about it wait in turn */
	pass_ms(10000);
	drain(A);
	drain(B);
	cr_assert_eq(hx_mbufs_in_use(), 0, "seed %u: %u packets leak", start, hx_mbufs_in_use());
	cr_assert_eq(hx_verdict("port-rx", "received") + hx_verdict("port-rx", "watched"), sent);
	cr_assert_gt(left, 1000);
}
