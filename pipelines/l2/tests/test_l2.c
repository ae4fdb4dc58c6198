/* SPDX-License-Identifier: BSD-3-Clause
 * eth-input: which interface a frame belongs to, and every reason to refuse it. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "tests/harness.h"
#include "tests/pktb.h"

static uint32_t port;

static int iface_set(uint32_t id, uint16_t tpid, uint16_t outer, uint16_t inner, uint8_t flags)
{
	struct hd_api_iface i = { .iface_id = id,
				  .port_id = port,
				  .outer_tpid = tpid,
				  .outer_vid = outer,
				  .inner_vid = inner,
				  .mac = { 2, 0, 0, 0, 0, 1 },
				  .flags = flags };

	return hx_set(HD_API_IFACE, &i, sizeof(i));
}

static void up(void)
{
	hx_start_default();
	port = hx_port();
	cr_assert_eq(iface_set(1, 0, 0, 0, HD_IFACE_F_UP), 0, "%s", hx_error());
	cr_assert_eq(iface_set(2, ETHTYPE_VLAN, 100, 0, HD_IFACE_F_UP), 0, "%s", hx_error());
	cr_assert_eq(iface_set(3, ETHTYPE_QINQ, 200, 0, HD_IFACE_F_UP), 0, "%s", hx_error());
	cr_assert_eq(iface_set(4, ETHTYPE_QINQ, 200, 300, HD_IFACE_F_UP), 0, "%s", hx_error());
	cr_assert_eq(iface_set(5, ETHTYPE_VLAN, 500, 0, 0), 0, "%s", hx_error());
	hx_turn();
	while (hx_tx(port, &(char){ 0 }, 1) != 0)
		; /* announcements of the interfaces' link-local addresses */
}

static void down(void)
{
	hx_turn();
	hx_stop();
}

TestSuite(l2, .init = up, .fini = down);

static void send_frame(const char *notation, unsigned cut)
{
	struct pktb b;

	pktb_parse(&b, notation);
	hx_rx(port, b.buf, cut != 0 ? cut : b.len);
	hx_turn();
}

struct row {
	char why[64], frame[128], verdict[24];
	unsigned iface, cut; /* iface that counts it, 0: none; cut: octets of the frame */
};

/* Every frame carries an IPv4 packet to nowhere; what matters is where eth-input sends it. */
#define IP   " / ip4 192.0.2.1 198.51.100.1 / udp / fill 20"
#define OURS "eth 02:00:00:00:00:01 02:aa:00:00:00:01"

ParameterizedTestParameters(l2, verdicts)
{
	static struct row rows[] = {
		{ "untagged", OURS IP, "ip4", 1, 0 },
		{ "untagged IPv6", OURS " / ip6 2001:db8::1 2001:db8::2 / udp", "ip6", 1, 0 },
		{ "one 802.1Q tag", OURS " / vlan 100" IP, "ip4", 2, 0 },
		{ "802.1ad tag alone", OURS " / vlan 200 0x88a8" IP, "ip4", 3, 0 },
		{ "QinQ", OURS " / vlan 200 0x88a8 / vlan 300" IP, "ip4", 4, 0 },
		{ "priority bits do not matter", OURS " / vlan 0xe064" IP, "ip4", 2, 0 },
		{ "priority tag counts as untagged", OURS " / vlan 0xe000" IP, "ip4", 1, 0 },
		{ "broadcast", "eth ff:ff:ff:ff:ff:ff 02:aa:00:00:00:01" IP, "ip4", 1, 0 },
		{ "multicast", "eth 33:33:00:00:00:01 02:aa:00:00:00:01" IP, "ip4", 1, 0 },
		{ "ARP", OURS " / arp 1 192.0.2.1 192.0.2.9", "punt", 1, 0 },
		{ "another vid", OURS " / vlan 101" IP, "unknown-vlan", 0, 0 },
		{ "the right vid in the wrong TPID", OURS " / vlan 100 0x88a8" IP, "unknown-vlan",
		  0, 0 },
		{ "another inner vid", OURS " / vlan 200 0x88a8 / vlan 301" IP, "unknown-vlan", 0,
		  0 },
		{ "two tags where one is known", OURS " / vlan 100 / vlan 300" IP, "unknown-vlan",
		  0, 0 },
		{ "vid 4095", OURS " / vlan 4095" IP, "unknown-vlan", 0, 0 },
		{ "inner tag is a service tag", OURS " / vlan 200 0x88a8 / vlan 300 0x88a8" IP,
		  "unknown-vlan", 0, 0 },
		{ "administratively down", OURS " / vlan 500" IP, "admin-down", 0, 0 },
		{ "another station", "eth 02:00:00:00:00:02 02:aa:00:00:00:01" IP, "not-ours", 0,
		  0 },
		{ "unknown ethertype", OURS " / next 0x1234 / fill 46", "unknown-ethertype", 1, 0 },
		{ "802.3 length", OURS " / next 46 / fill 46", "unknown-ethertype", 1, 0 },
		{ "13 octets", OURS IP, "truncated", 0, 13 },
		{ "cut inside the tag", OURS " / vlan 100" IP, "truncated", 0, 17 },
		{ "cut inside the second tag", OURS " / vlan 200 0x88a8 / vlan 300" IP, "truncated",
		  0, 21 },
	};

	return cr_make_param_array(struct row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct row *r, l2, verdicts)
{
	uint64_t before[6];

	for (unsigned i = 1; i <= 5; i++)
		before[i] = hx_stat("interface", i, "rx-packets");
	send_frame(r->frame, r->cut);
	cr_assert_eq(hx_verdict("eth-input", r->verdict), 1, "%s: not %s", r->why, r->verdict);
	for (unsigned i = 1; i <= 5; i++)
		cr_assert_eq(hx_stat("interface", i, "rx-packets") - before[i], i == r->iface,
			     "%s: interface %u", r->why, i);
	cr_assert_eq(hx_mbufs_in_use(), 0, "%s: a packet leaks", r->why);
}

Test(l2, the_same_tags_twice_are_refused)
{
	cr_assert_eq(iface_set(9, ETHTYPE_VLAN, 100, 0, HD_IFACE_F_UP), -EEXIST);
	cr_assert_not_null(strstr(hx_error(), "same tags"), "%s", hx_error());
	cr_assert_eq(iface_set(9, 0, 0, 0, HD_IFACE_F_UP), -EEXIST);
	cr_assert_eq(iface_set(9, ETHTYPE_QINQ, 200, 300, HD_IFACE_F_UP), -EEXIST);
	cr_assert_eq(iface_set(9, ETHTYPE_VLAN, 200, 300, HD_IFACE_F_UP), 0, "%s", hx_error());
}

Test(l2, bad_interfaces_are_refused)
{
	struct hd_api_iface ok = { .iface_id = 9,
				   .port_id = port,
				   .outer_tpid = ETHTYPE_VLAN,
				   .outer_vid = 7 },
			    i;

	i = ok;
	i.iface_id = 0;
	cr_expect_eq(hx_set(HD_API_IFACE, &i, sizeof(i)), -EINVAL);
	i.iface_id = 1u << 20;
	cr_expect_eq(hx_set(HD_API_IFACE, &i, sizeof(i)), -EINVAL);
	i = ok;
	i.port_id = 77;
	cr_expect_eq(hx_set(HD_API_IFACE, &i, sizeof(i)), -ENOENT);
	i = ok;
	i.vrf_id = 5;
	cr_expect_eq(hx_set(HD_API_IFACE, &i, sizeof(i)), -ENOENT);
	i = ok;
	i.outer_tpid = 0x9100;
	cr_expect_eq(hx_set(HD_API_IFACE, &i, sizeof(i)), -EINVAL);
	i = ok;
	i.outer_vid = 4095;
	cr_expect_eq(hx_set(HD_API_IFACE, &i, sizeof(i)), -EINVAL);
	i = ok;
	i.mac[0] = 1;
	cr_expect_eq(hx_set(HD_API_IFACE, &i, sizeof(i)), -EINVAL);
	i = ok;
	i.mtu = 60;
	cr_expect_eq(hx_set(HD_API_IFACE, &i, sizeof(i)), -EINVAL);
	cr_expect_eq(hx_set(HD_API_IFACE, &ok, sizeof(ok)), 0, "%s", hx_error());
}

Test(l2, a_sub_interface_moves_and_goes)
{
	cr_assert_eq(iface_set(2, ETHTYPE_VLAN, 101, 0, HD_IFACE_F_UP), 0);
	send_frame(OURS " / vlan 100" IP, 0);
	cr_assert_eq(hx_verdict("eth-input", "unknown-vlan"), 1);
	send_frame(OURS " / vlan 101" IP, 0);
	cr_assert_eq(hx_stat("interface", 2, "rx-packets"), 1);
	struct hd_api_iface i = { .iface_id = 2 };
	cr_assert_eq(hx_del(HD_API_IFACE, &i, sizeof(i.iface_id)), 0);
	send_frame(OURS " / vlan 101" IP, 0);
	cr_assert_eq(hx_verdict("eth-input", "unknown-vlan"), 2);
}
