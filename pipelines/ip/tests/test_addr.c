/* SPDX-License-Identifier: BSD-3-Clause
 * Addresses: which one stands for an interface and a VRF, who owns a route that several want, changes of VRF, and that
 * the time of one does not grow with the number of others. */
#include "pipelines/ip/tests/bed.h"

TestSuite(ip_addr, .init = bed_up, .fini = bed_down);

static struct hd_api_addr message(uint32_t iface, const char *text, uint8_t plen)
{
	struct hd_api_addr a = { .iface_id = iface,
				 .family = strchr(text, ':') ? 6 : 4,
				 .plen = plen };

	if (a.family == 4) {
		be32_t a4 = pktb_addr4(text);

		memcpy(a.addr, &a4, 4);
	} else {
		struct ip6_addr a6 = pktb_addr6(text);

		memcpy(a.addr, &a6, 16);
	}
	return a;
}

static void del(uint32_t iface, const char *text, uint8_t plen)
{
	struct hd_api_addr a = message(iface, text, plen);

	cr_assert_eq(hx_del(HD_API_ADDR, &a, HD_API_ADDR_KEY), 0, "%s", hx_error());
}

static uint32_t word4(uint32_t vrf, const char *text)
{
	be32_t a = pktb_addr4(text);
	const struct ip_vrf *v = slots_get(vrf_slots, vrf);

	return fib_lookup(v->fib4, (const uint8_t *)&a);
}

static void source_is(uint32_t iface, const char *text)
{
	be32_t got, want = pktb_addr4(text);

	cr_assert(ip_source4(iface, &got));
	cr_assert_eq(wire_get32(&got), wire_get32(&want), "want %s, got 0x%08x", text,
		     wire_get32(&got));
}

static void source_is6(uint32_t iface, const char *text)
{
	struct ip6_addr got, want = pktb_addr6(text);

	cr_assert(ip_source6(iface, &got));
	cr_assert_eq(memcmp(&got, &want, 16), 0, "want %s", text);
}

Test(ip_addr, the_oldest_stands_for_the_interface)
{
	hx_addr(1, "192.0.2.77/24");
	hx_addr(1, "2001:db8:a::77/64");
	source_is(1, "192.0.2.9");
	source_is6(1, "2001:db8:a::9");
	del(1, "192.0.2.9", 24);
	source_is(1, "192.0.2.77");
	source_is6(1, "2001:db8:a::9");
	del(1, "2001:db8:a::9", 64);
	source_is6(1, "2001:db8:a::77");
	hx_addr(1, "192.0.2.9/24"); /* comes again, as the youngest */
	source_is(1, "192.0.2.77");
}

Test(ip_addr, an_interface_without_takes_one_of_its_vrf)
{
	del(1, "192.0.2.9", 24);
	source_is(1, "198.51.100.9");
	del(2, "198.51.100.9", 24);
	be32_t none;
	cr_assert_not(ip_source4(1, &none));
}

Test(ip_addr, link_local_set_and_gone_again)
{
	const struct ip6_addr eui = pktb_addr6("fe80::ff:fe00:1"), own = pktb_addr6("fe80::1234");

	cr_assert_eq(memcmp(&ip_if_get(1)->link_local, &eui, 16), 0);
	hx_addr(1, "fe80::1234/64");
	cr_assert_eq(memcmp(&ip_if_get(1)->link_local, &own, 16), 0);
	hx_addr(2, "fe80::1234/64"); /* the same on another link is another's */
	del(1, "fe80::1234", 64);
	cr_assert_eq(memcmp(&ip_if_get(1)->link_local, &eui, 16), 0);
	cr_assert_eq(memcmp(&ip_if_get(2)->link_local, &own, 16), 0);
	source_is6(1, "2001:db8:a::9");
}

Test(ip_addr, a_prefix_stays_as_long_as_anybody_has_it)
{
	hx_addr(1, "192.0.2.77/24");
	del(1, "192.0.2.9", 24);
	cr_assert_eq(word4(0, "192.0.2.200"), hd_result(HD_RESULT_GLEAN, 1));
	cr_assert_eq(word4(0, "192.0.2.77"), hd_result(HD_RESULT_LOCAL, 1));
	cr_assert_eq(word4(0, "192.0.2.9"), hd_result(HD_RESULT_GLEAN, 1), "no longer ours");
	cr_assert_eq(hd_result_kind(word4(0, "192.0.2.255")), HD_RESULT_DROP);
	del(1, "192.0.2.77", 24);
	cr_assert_eq(word4(0, "192.0.2.200"), 0);
	cr_assert_eq(word4(0, "192.0.2.255"), 0);
	cr_assert_eq(word4(0, "192.0.2.0"), 0);
}

Test(ip_addr, the_same_address_on_two_interfaces)
{
	hx_addr(2, "192.0.2.9/24"); /* the younger has it */
	cr_assert_eq(word4(0, "192.0.2.9"), hd_result(HD_RESULT_LOCAL, 2));
	cr_assert_eq(word4(0, "192.0.2.200"), hd_result(HD_RESULT_GLEAN, 2));
	del(2, "192.0.2.9", 24);
	cr_assert_eq(word4(0, "192.0.2.9"), hd_result(HD_RESULT_LOCAL, 1));
	cr_assert_eq(word4(0, "192.0.2.200"), hd_result(HD_RESULT_GLEAN, 1));
}

Test(ip_addr, another_vrf_takes_its_routes_along)
{
	struct hd_api_iface i = { .iface_id = 2,
				  .port_id = B,
				  .vrf_id = 7,
				  .mac = { 2, 0, 0, 0, 0, 2 },
				  .mtu = 1500,
				  .flags = HD_IFACE_F_UP };

	hx_addr(2, "198.51.100.10/24");
	cr_assert_eq(hx_set(HD_API_IFACE, &i, sizeof(i)), 0, "%s", hx_error());
	cr_assert_eq(word4(0, "198.51.100.9"), 0);
	cr_assert_eq(word4(0, "198.51.100.200"), 0);
	cr_assert_eq(word4(7, "198.51.100.10"), hd_result(HD_RESULT_LOCAL, 2));
	cr_assert_eq(word4(7, "198.51.100.200"), hd_result(HD_RESULT_GLEAN, 2));
	source_is(2, "198.51.100.9");
	del(2, "198.51.100.9", 24);
	cr_assert_eq(word4(7, "198.51.100.200"), hd_result(HD_RESULT_GLEAN, 2));
	del(2, "198.51.100.10", 24);
	cr_assert_eq(word4(7, "198.51.100.200"), 0);
	source_is(2, "192.0.2.9"); /* nobody is left in VRF 7: one of the default VRF */
}

/* 4000 addresses on one interface: with work for each that grows with the others this takes seconds. */
Test(ip_addr, many_on_one_interface, .timeout = 20)
{
	struct hd_api_addr a = message(1, "10.0.0.0", 8);

	for (uint32_t i = 1; i <= 4000; i++) {
		wire_put32(a.addr, 0x0a000000u + i);
		cr_assert_eq(hx_set(HD_API_ADDR, &a, sizeof(a)), 0, "%s", hx_error());
		if (i % 100 == 0)
			hx_turn();
	}
	drain(A);
	source_is(1, "192.0.2.9");
	for (uint32_t i = 4000; i >= 1; i--) {
		cr_assert_eq(word4(0, "10.1.2.3"), hd_result(HD_RESULT_GLEAN, 1));
		wire_put32(a.addr, 0x0a000000u + i);
		cr_assert_eq(hx_del(HD_API_ADDR, &a, HD_API_ADDR_KEY), 0, "%s", hx_error());
	}
	cr_assert_eq(word4(0, "10.1.2.3"), 0);
}
