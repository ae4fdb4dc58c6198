/* SPDX-License-Identifier: BSD-3-Clause
 * ARP and Neighbor Discovery: replies byte for byte, resolution with packets waiting, ageing, failures, limits, and
 * that adjacencies, host routes and groups follow. */
#include "pipelines/ip/tests/bed.h"

TestSuite(ip_neigh, .init = bed_up, .fini = bed_down);

static uint8_t out[16384];

static void expect(uint32_t port, const char *notation)
{
	struct pktb want;
	size_t n = hx_tx(port, out, sizeof(out));

	pktb_parse(&want, notation);
	cr_assert_eq(n, want.len, "%zu octets, want %zu\n%s", n, want.len, pktb_hexdump(out, n));
	cr_assert_arr_eq(out, want.buf, n, "got\n%s\nwant\n%s", pktb_hexdump(out, n),
			 pktb_dump(&want));
}

static void rx(uint32_t port, const char *notation)
{
	struct pktb b;

	pktb_parse(&b, notation);
	hx_rx(port, b.buf, b.len);
	hx_turn();
}

static struct hd_api_neigh_state found;
static const char *wanted;
static int match(const struct hd_api_neigh_state *n, void *arg)
{
	struct ip6_addr a = strchr(wanted, ':') != NULL ? pktb_addr6(wanted) :
							  (struct ip6_addr){ 0 };

	(void)arg;
	if (strchr(wanted, ':') == NULL) {
		be32_t a4 = pktb_addr4(wanted);
		memcpy(&a, &a4, 4);
	}
	if (memcmp(a.b, n->addr, 16) != 0)
		return 0;
	found = *n;
	return 1;
}

/* State of a neighbour; 0: not in the table. */
static unsigned state_of(const char *addr)
{
	wanted = addr;
	found = (struct hd_api_neigh_state){ 0 };
	return ip_neigh_walk(match, NULL) == 1 ? found.state : 0;
}

#define BC    "ff:ff:ff:ff:ff:ff"
#define NEW_B "02:bb:00:00:00:07" /* a station on B that nobody configured */
#define ASK4                \
	"eth " BC " " MAC_2 \
	" / next 0x806 / data 0001080006040001020000000002c6336409000000000000c6336407"
#define ANSWER4 "eth " MAC_2 " " NEW_B " / arp 2 198.51.100.7 198.51.100.9"

Test(ip_neigh, arp_reply_bytes)
{
	rx(A,
	   "eth " BC
	   " 02:aa:00:00:00:05 / next 0x806 / data 000108000604000102aa00000005c0000205000000000000c0000209");
	expect(A, "eth 02:aa:00:00:00:05 " MAC_1
		  " / next 0x806 / data 0001080006040002020000000001c000020902aa00000005c0000205");
	cr_assert_eq(state_of("192.0.2.5"), HD_NEIGH_STALE); /* who asks is learnt */
	cr_assert_eq(drain(A), 0);
}

Test(ip_neigh, arp_for_others_is_silent)
{
	rx(A,
	   "eth " BC
	   " 02:aa:00:00:00:05 / next 0x806 / data 000108000604000102aa00000005c0000205000000000000c0000277");
	cr_assert_eq(drain(A), 0);
	cr_assert_eq(state_of("192.0.2.5"), 0);
	/* the address of our other interface is not ours here */
	rx(A,
	   "eth " BC
	   " 02:aa:00:00:00:05 / next 0x806 / data 000108000604000102aa00000005c0000205000000000000c6336409");
	cr_assert_eq(drain(A), 0);
	cr_assert_eq(hx_verdict("neighbour", "not-for-us"), 2);
}

Test(ip_neigh, arp_from_outside_the_subnet_is_answered_but_not_learnt)
{
	rx(A,
	   "eth " BC
	   " 02:aa:00:00:00:05 / next 0x806 / data 000108000604000102aa000000050a000005000000000000c0000209");
	cr_assert_eq(drain(A), 1);
	cr_assert_eq(state_of("10.0.0.5"), 0);
}

Test(ip_neigh, na_reply_bytes)
{
	/* RFC 4861 7.2.4: solicited, override, router; target link-layer address */
	rx(A,
	   "eth 33:33:ff:00:00:09 02:aa:00:00:00:05 / ip6 2001:db8:a::5 ff02::1:ff00:9 255 / icmp6 135 0 0"
	   " / data 20010db8000a00000000000000000009 / data 010102aa00000005");
	expect(A, "eth 02:aa:00:00:00:05 " MAC_1
		  " / ip6 2001:db8:a::9 2001:db8:a::5 255 / icmp6 136 0 0xe0000000"
		  " / data 20010db8000a00000000000000000009 / data 0201020000000001");
	cr_assert_eq(state_of("2001:db8:a::5"), HD_NEIGH_STALE);
}

Test(ip_neigh, duplicate_address_detection_is_answered_to_all)
{
	rx(A, "eth 33:33:ff:00:00:09 02:aa:00:00:00:05 / ip6 :: ff02::1:ff00:9 255 / icmp6 135 0 0"
	      " / data 20010db8000a00000000000000000009");
	expect(A, "eth 33:33:00:00:00:01 " MAC_1
		  " / ip6 2001:db8:a::9 ff02::1 255 / icmp6 136 0 0xa0000000"
		  " / data 20010db8000a00000000000000000009 / data 0201020000000001");
}

Test(ip_neigh, our_link_local_address_is_answered)
{
	rx(A, "eth " MAC_1 " 02:aa:00:00:00:05 / ip6 fe80::5 fe80::ff:fe00:1 255 / icmp6 135 0 0"
	      " / data fe80000000000000000000fffe000001 / data 010102aa00000005");
	expect(A, "eth 02:aa:00:00:00:05 " MAC_1
		  " / ip6 fe80::ff:fe00:1 fe80::5 255 / icmp6 136 0 0xe0000000"
		  " / data fe80000000000000000000fffe000001 / data 0201020000000001");
}

struct bad_row {
	char why[48], frame[256];
};

ParameterizedTestParameters(ip_neigh, refused)
{
#define NS_TO "eth 33:33:ff:00:00:09 02:aa:00:00:00:05 / ip6 2001:db8:a::5 ff02::1:ff00:9 "
	static struct bad_row rows[] = {
		{ "hop limit 254", NS_TO
		  "254 / icmp6 135 0 0 / data 20010db8000a00000000000000000009 / data 010102aa00000005" },
		{ "code 1", NS_TO
		  "255 / icmp6 135 1 0 / data 20010db8000a00000000000000000009 / data 010102aa00000005" },
		{ "target missing", NS_TO "255 / icmp6 135 0 0 / data 20010db8000a0000" },
		{ "option of length 0", NS_TO
		  "255 / icmp6 135 0 0 / data 20010db8000a00000000000000000009 / data 010002aa00000005" },
		{ "group MAC", NS_TO
		  "255 / icmp6 135 0 0 / data 20010db8000a00000000000000000009 / data 010103aa00000005" },
		{ "multicast target", NS_TO
		  "255 / icmp6 135 0 0 / data ff020000000000000000000000000009 / data 010102aa00000005" },
		{ "ARP from a group MAC",
		  "eth " BC
		  " 02:aa:00:00:00:05 / next 0x806 / data 000108000604000103aa00000005c0000205000000000000c0000209" },
		{ "ARP cut short",
		  "eth " BC
		  " 02:aa:00:00:00:05 / next 0x806 / data 000108000604000102aa00000005c00002050000" },
		{ "ARP of other hardware",
		  "eth " BC
		  " 02:aa:00:00:00:05 / next 0x806 / data 000608000604000102aa00000005c0000205000000000000c0000209" },
	};

	return cr_make_param_array(struct bad_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct bad_row *r, ip_neigh, refused)
{
	rx(A, r->frame);
	cr_assert_eq(drain(A), 0, "%s", r->why);
	cr_assert_eq(hx_verdict("neighbour", "malformed"), 1, "%s", r->why);
	cr_assert_eq(state_of("2001:db8:a::5") + state_of("192.0.2.5"), 0, "%s", r->why);
}

Test(ip_neigh, a_packet_waits_and_leaves_when_the_neighbour_answers)
{
	rx(A, ETH "ip4 192.0.2.1 198.51.100.7 64 / udp 1 2 / fill 20");
	expect(B, ASK4);
	cr_assert_eq(state_of("198.51.100.7"), HD_NEIGH_INCOMPLETE);
	cr_assert_eq(found.n_held, 1);
	rx(B, "eth " MAC_2 " " NEW_B
	      " / next 0x806 / data 000108000604000202bb00000007c6336407020000000002c6336409");
	expect(B, "eth " NEW_B " " MAC_2 " / ip4 192.0.2.1 198.51.100.7 63 / udp 1 2 / fill 20");
	cr_assert_eq(state_of("198.51.100.7"), HD_NEIGH_REACHABLE);
	/* the next one does not come to the control thread any more */
	rx(A, ETH "ip4 192.0.2.1 198.51.100.7 64 / udp 1 2 / fill 20");
	cr_assert_eq(hx_verdict("ip4-input", "forward"), 1);
	cr_assert_eq(drain(B), 1);
}

Test(ip_neigh, ipv6_resolution_bytes)
{
	rx(A, ETH "ip6 2001:db8:a::1 2001:db8:b::7 64 / udp 1 2 / fill 20");
	expect(B, "eth 33:33:ff:00:00:07 " MAC_2
		  " / ip6 fe80::ff:fe00:2 ff02::1:ff00:7 255 / icmp6 135 0 0"
		  " / data 20010db8000b00000000000000000007 / data 0101020000000002");
	rx(B, "eth " MAC_2 " " NEW_B
	      " / ip6 2001:db8:b::7 fe80::ff:fe00:2 255 / icmp6 136 0 0x60000000"
	      " / data 20010db8000b00000000000000000007 / data 020102bb00000007");
	expect(B,
	       "eth " NEW_B " " MAC_2 " / ip6 2001:db8:a::1 2001:db8:b::7 63 / udp 1 2 / fill 20");
	cr_assert_eq(state_of("2001:db8:b::7"), HD_NEIGH_REACHABLE);
}

Test(ip_neigh, few_packets_wait_and_the_oldest_gives_way)
{
	for (unsigned k = 0; k < 6; k++) {
		struct pktb b;

		pktb_parse(&b, ETH "ip4 192.0.2.1 198.51.100.7 64 / udp 1 2 / fill 20");
		b.payload[0] = (uint8_t)k;
		hx_rx(A, b.buf, b.len);
	}
	hx_turn();
	cr_assert_eq(drain(B), 1); /* one request, not six */
	cr_assert_eq(hx_verdict("neighbour", "held-overflow"), 2);
	rx(B, "eth " MAC_2 " " NEW_B
	      " / next 0x806 / data 000108000604000202bb00000007c6336407020000000002c6336409");
	for (unsigned k = 2; k < 6; k++) {
		cr_assert_gt(hx_tx(B, out, sizeof(out)), 0);
		cr_assert_eq(out[14 + 28], k, "out of order");
	}
	cr_assert_eq(drain(B), 0);
}

Test(ip_neigh, what_waits_is_bounded_in_all)
{
	for (unsigned k = 0; k < 4000; k++) {
		struct pktb b;
		char dst[32];

		snprintf(dst, sizeof(dst), "10.5.%u.%u", 1 + k / 4 / 250, 1 + k / 4 % 250);
		pktb_parse(&b, ETH "ip4 192.0.2.1 198.51.100.7 64 / udp 1 2 / fill 20");
		b.ip4->dst = pktb_addr4(dst);
		pktb_fix_csum(&b);
		if (k == 0)
			hx_addr(2, "10.5.0.9/16");
		hx_rx(A, b.buf, b.len);
		if (k % 200 == 199) {
			hx_turn();
			drain(B);
			pass_ms(100);
		}
	}
	hx_turn();
	drain(A);
	drain(B);
	cr_assert_leq(hx_mbufs_in_use(), 1024);
	pass_ms(10000);
	drain(A);
	drain(B);
	cr_assert_eq(hx_mbufs_in_use(), 0, "what waits in vain is given up");
}

Test(ip_neigh, silence_fails_after_three_requests_and_the_source_is_told)
{
	rx(A, ETH "ip4 192.0.2.1 198.51.100.7 64 / udp 1 2 / fill 20");
	cr_assert_eq(drain(B), 1);
	pass_ms(1200);
	cr_assert_eq(drain(B), 1);
	pass_ms(1200);
	cr_assert_eq(drain(B), 1);
	cr_assert_eq(drain(A), 0);
	pass_ms(1200);
	cr_assert_eq(drain(B), 0);
	cr_assert_gt(hx_tx(A, out, sizeof(out)), 0, "no ICMP error");
	cr_assert_eq(out[14 + 20], ICMP4_UNREACH);
	cr_assert_eq(out[14 + 21], ICMP4_UNREACH_HOST);
	cr_assert_eq(out[14 + 28 + 8], 64, "quoted with the TTL it came with");
	cr_assert_eq(state_of("198.51.100.7"), HD_NEIGH_FAILED);
	/* for a while the worker answers by itself, then it is asked again */
	rx(A, ETH "ip4 192.0.2.1 198.51.100.7 64 / udp 1 2 / fill 20");
	cr_assert_eq(hx_verdict("ip4-input", "neigh-failed"), 1);
	cr_assert_eq(drain(A), 1);
	pass_ms(4000);
	cr_assert_eq(state_of("198.51.100.7"), 0);
	rx(A, ETH "ip4 192.0.2.1 198.51.100.7 64 / udp 1 2 / fill 20");
	expect(B, ASK4);
}

Test(ip_neigh, a_neighbour_is_asked_again_before_it_is_given_up)
{
	rx(A, ETH "ip4 192.0.2.1 198.51.100.7 64 / udp 1 2 / fill 20");
	rx(B, "eth " MAC_2 " " NEW_B
	      " / next 0x806 / data 000108000604000202bb00000007c6336407020000000002c6336409");
	drain(B);
	pass_ms(39000);
	cr_assert_eq(state_of("198.51.100.7"), HD_NEIGH_STALE);
	cr_assert_eq(drain(B), 0);
	for (unsigned t = 0; t < 31000 && state_of("198.51.100.7") == HD_NEIGH_STALE; t += 100)
		pass_ms(100);
	cr_assert_eq(state_of("198.51.100.7"), HD_NEIGH_PROBE);
	/* asked by unicast, used meanwhile */
	expect(B, "eth " NEW_B " " MAC_2
		  " / next 0x806 / data 0001080006040001020000000002c6336409000000000000c6336407");
	rx(A, ETH "ip4 192.0.2.1 198.51.100.7 64 / udp 1 2 / fill 20");
	cr_assert_eq(hx_verdict("ip4-input", "forward"), 1);
	drain(B);
	rx(B, "eth " MAC_2 " " NEW_B
	      " / next 0x806 / data 000108000604000202bb00000007c6336407020000000002c6336409");
	cr_assert_eq(state_of("198.51.100.7"), HD_NEIGH_REACHABLE);
	pass_ms(80000);
	cr_assert_eq(state_of("198.51.100.7"), 0);
	rx(A, ETH "ip4 192.0.2.1 198.51.100.7 64 / udp 1 2 / fill 20");
	cr_assert_eq(hx_verdict("ip4-input", "resolve"), 2);
}

Test(ip_neigh, a_new_mac_moves_the_traffic)
{
	rx(A, ETH "ip4 192.0.2.1 198.51.100.7 64 / udp 1 2 / fill 20");
	rx(B, "eth " MAC_2 " " NEW_B
	      " / next 0x806 / data 000108000604000202bb00000007c6336407020000000002c6336409");
	drain(B);
	/* gratuitous, from another station: what is known is updated (RFC 826) */
	rx(B,
	   "eth " BC
	   " 02:bb:00:00:00:08 / next 0x806 / data 000108000604000102bb00000008c6336407000000000000c6336407");
	rx(A, ETH "ip4 192.0.2.1 198.51.100.7 64 / udp 1 2 / fill 20");
	expect(B, "eth 02:bb:00:00:00:08 " MAC_2
		  " / ip4 192.0.2.1 198.51.100.7 63 / udp 1 2 / fill 20");
}

Test(ip_neigh, static_neighbours_are_not_overwritten_and_do_not_age)
{
	rx(B,
	   "eth " BC
	   " 02:bb:00:00:00:66 / next 0x806 / data 000108000604000102bb00000066c6336401000000000000c6336409");
	cr_assert_eq(drain(B), 1);
	pass_ms(200000);
	drain(B);
	rx(A, ETH "ip4 192.0.2.1 198.51.100.1 64 / udp 1 2 / fill 20");
	expect(B, "eth " MAC_B " " MAC_2 " / ip4 192.0.2.1 198.51.100.1 63 / udp 1 2 / fill 20");
	cr_assert_eq(state_of("198.51.100.1"), HD_NEIGH_STATIC);
}

Test(ip_neigh, a_gateway_is_resolved_before_the_first_packet)
{
	hx_nexthop(9, 2, "198.51.100.7");
	hx_route(0, "10.7.0.0/16", HD_TARGET_NEXTHOP, 9);
	hx_turn();
	expect(B, ASK4);
	rx(A, ETH "ip4 192.0.2.1 10.7.0.1 64 / udp 1 2 / fill 20");
	cr_assert_eq(hx_verdict("ip4-input", "resolve"), 1);
	rx(B, "eth " MAC_2 " " NEW_B
	      " / next 0x806 / data 000108000604000202bb00000007c6336407020000000002c6336409");
	expect(B, "eth " NEW_B " " MAC_2 " / ip4 192.0.2.1 10.7.0.1 63 / udp 1 2 / fill 20");
	/* it dies: packets are refused; it comes back by itself, since the next hop keeps it */
	pass_ms(80000);
	drain(B);
	cr_assert_eq(state_of("198.51.100.7"), HD_NEIGH_FAILED);
	rx(A, ETH "ip4 192.0.2.1 10.7.0.1 64 / udp 1 2 / fill 20");
	cr_assert_eq(hx_verdict("ip4-input", "neigh-failed"), 1);
	pass_ms(6000);
	cr_assert_geq(drain(B), 1, "asked again");
	rx(B, "eth " MAC_2 " " NEW_B
	      " / next 0x806 / data 000108000604000202bb00000007c6336407020000000002c6336409");
	rx(A, ETH "ip4 192.0.2.1 10.7.0.1 64 / udp 1 2 / fill 20");
	cr_assert_eq(hx_verdict("ip4-input", "forward"), 1);
}

Test(ip_neigh, a_next_hop_without_gateway_finds_the_destination_itself)
{
	hx_nexthop(9, 2, NULL);
	hx_route(0, "10.7.0.0/16", HD_TARGET_NEXTHOP, 9);
	rx(A, ETH "ip4 192.0.2.1 10.7.0.1 64 / udp 1 2 / fill 20");
	cr_assert_eq(hx_tx(B, out, sizeof(out)), 42);
	cr_assert_eq(wire_get32(out + 14 + 24), 0x0a070001, "asks for the destination");
	rx(B, "eth " MAC_2 " " NEW_B
	      " / next 0x806 / data 000108000604000202bb000000070a070001020000000002c6336409");
	expect(B, "eth " NEW_B " " MAC_2 " / ip4 192.0.2.1 10.7.0.1 63 / udp 1 2 / fill 20");
}

Test(ip_neigh, addresses_are_announced)
{
	hx_addr(1, "192.0.2.10/24");
	hx_turn();
	/* the new one; the others were announced when they came */
	unsigned arp = 0, na = 0;
	size_t n;
	while ((n = hx_tx(A, out, sizeof(out))) != 0) {
		if (wire_get16(out + 12) == ETHTYPE_ARP &&
		    wire_get32(out + 28) == wire_get32(out + 38))
			arp++;
		else if (out[14 + 40] == ICMP6_NA)
			na++;
	}
	cr_assert_eq(arp, 1);
	cr_assert_eq(na, 0);
}

Test(ip_neigh, link_down_and_up)
{
	struct hd_api_iface i = {
		.iface_id = 2, .port_id = B, .mac = { 2, 0, 0, 0, 0, 2 }, .mtu = 1500
	};

	cr_assert_eq(hx_set(HD_API_IFACE, &i, sizeof(i)), 0, "%s", hx_error());
	rx(A, ETH "ip4 192.0.2.1 203.0.113.5 64 / udp 1 2 / fill 20");
	rx(A, ETH "ip4 192.0.2.1 198.51.100.77 64 / udp 1 2 / fill 20");
	cr_assert_eq(hx_verdict("ip4-input", "link-down"), 2);
	cr_assert_eq(drain(B), 0);
	i.flags = HD_IFACE_F_UP;
	cr_assert_eq(hx_set(HD_API_IFACE, &i, sizeof(i)), 0, "%s", hx_error());
	hx_turn();
	cr_assert_gt(drain(B), 0, "addresses announced again");
	rx(A, ETH "ip4 192.0.2.1 203.0.113.5 64 / udp 1 2 / fill 20");
	cr_assert_eq(hx_verdict("ip4-input", "forward"), 1);
}

Test(ip_neigh, deletes_in_any_order_leave_nothing)
{
	struct hd_api_neigh n = { .iface_id = 2, .family = 4, .addr = { 198, 51, 100, 1 } };
	struct hd_api_nexthop nh = { .nh_id = 1 };

	cr_assert_eq(hx_del(HD_API_NEXTHOP, &nh, sizeof(nh.nh_id)), -EBUSY, "a route uses it");
	cr_assert_eq(hx_del(HD_API_NEIGH, &n, HD_API_NEIGH_KEY), 0);
	hx_turn();
	cr_assert_eq(state_of("198.51.100.1"), HD_NEIGH_INCOMPLETE,
		     "the next hop keeps it and asks");
	cr_assert_eq(drain(B), 1);
	rx(A, ETH "ip4 192.0.2.1 203.0.113.5 64 / udp 1 2 / fill 20");
	cr_assert_eq(hx_verdict("ip4-input", "resolve"), 1);
	/* put it back: what waited leaves */
	hx_neigh(2, "198.51.100.1", MAC_B);
	hx_turn();
	expect(B, "eth " MAC_B " " MAC_2 " / ip4 192.0.2.1 203.0.113.5 63 / udp 1 2 / fill 20");
}
