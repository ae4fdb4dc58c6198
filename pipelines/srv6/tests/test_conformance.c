/* SPDX-License-Identifier: BSD-3-Clause
 * What the rows of the conformance table cannot say, over the whole graph: other topologies, time, many packets.
 * The rows themselves are run by heddle-conformance (tests/conformance). */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "dataplane/engine.h"
#include "pipelines/ip/internal.h" /* clock_advance_ms: neighbours in simulated time */
#include "pipelines/srv6/tests/lab.h"
#include "pipelines/srv6/tests/rows.h"

TestSuite(srv6_conformance, .init = lab_start, .fini = lab_stop, .timeout = 60);

static void one(const char *why, const char *in_text, const char *set, struct pktb *ret)
{
	(void)why;
	packet_make(ret, in_text, set);
	lab_send(1, ret->buf, ret->len);
}

/* A next hop nobody answers for: the packet waits and does not count; once that is known, code 3 at once. */
Test(srv6_conformance, s026_neighbour_does_not_answer)
{
	struct pktb in;
	uint8_t b[PKTB_CAP];
	size_t n = 1;

	hx_nexthop(20, 2, "2001:db8:2::dead");
	hx_route(0, "2001:db8:c:26::/64", HD_TARGET_NEXTHOP, 20);
	one("S-026", "ip6 $T $E 64 / srh 2001:db8:c:26::1,$E 1 / " UDP, "", &in);
	cr_assert_eq(hx_verdict("srv6-endpoint", "resolve"), 1);
	for (int t = 0; t < 100; t++) {
		clock_advance_ms += 100;
		engine_tick();
		hx_turn();
	}
	while (hx_tx(2, b, sizeof(b)) != 0) /* solicitations */
		;
	n = lab_recv(1, b, sizeof(b));
	cr_assert_gt(n, 48, "no error for the packet that waited");
	cr_assert(b[40] == 1 && b[41] == 3, "type %u code %u", b[40], b[41]);
	one("S-026", "ip6 $T $E 64 / srh 2001:db8:c:26::1,$E 1 / " UDP, "", &in);
	lab_expect_icmp6("S-026", 1, in.buf, in.len, 1, 3, 0);
	cr_assert_eq(hx_stat("sid", 1, "packets"), 0);
}

Test(srv6_conformance, s062_next_hop_down)
{
	struct hd_api_iface i = {
		.iface_id = 3, .name = "if3", .port_id = 3, .mtu = 1500, .mac = { 2, 0, 0, 0, 0, 3 }
	};
	struct pktb in;

	cr_assert_eq(hx_set(HD_API_IFACE, &i, sizeof(i)), 0, "%s", hx_error()); /* no longer up */
	one("S-062", "ip6 $T $X 64 / srh $R,$X 1 / " IN6, "", &in);
	lab_nothing_left("S-062");
	cr_assert_eq(hx_verdict("srv6-endpoint", "link-down"), 1);
	cr_assert_eq(hx_stat("sid", lab_sid_id(in.buf), "packets"), 0);
}

/* End.X over a set of next hops: flows are spread evenly and stay where they are. */
Test(srv6_conformance, s061_set_of_next_hops)
{
	struct hd_api_nhgroup g = { .group_id = 1,
				    .n_members = 2,
				    .member = { { 2, 1 }, { 3, 1 } } };
	struct sid_name x2 = {
		"X2", "2001:db8:b::2ff", HD_SRV6_END_X, 0, HD_TARGET_NHGROUP, 1, 0, 0, 128, 0, 0, 0
	};
	unsigned n[LAB_PORTS + 1] = { 0 };
	uint8_t b[PKTB_CAP];
	struct pktb in;

	cr_assert_eq(hx_set(HD_API_NHGROUP, &g, 8 + 2 * sizeof(g.member[0])), 0, "%s", hx_error());
	lab_sid(40, &x2, 0);
	for (unsigned i = 0; i < 4000; i++) {
		uint32_t port = 0;

		packet_make(&in, "ip6 $T 2001:db8:b::2ff 64 / srh $R,$X 1 / " UDP, "");
		wire_put32(in.buf, 6u << 28 | (i / 2 * 7919 % 0xfffff + 1));
		lab_send(1, in.buf, in.len);
		for (uint32_t p = 2; p <= 3; p++)
			if (lab_recv(p, b, sizeof(b)) != 0)
				port = p;
		cr_assert_neq(port, 0, "flow %u is lost", i / 2);
		n[port]++;
		if (i % 2 == 1)
			cr_assert_eq(n[port] % 2, 0, "flow %u is split", i / 2);
	}
	cr_assert(n[2] > 1800 && n[2] < 2200, "%u of 4000 on port 2", n[2]);
}

/* RFC 8200 section 3 after decapsulation: the exposed packet counts this hop. */
Test(srv6_conformance, exposed_packet_at_hop_limit_1)
{
	struct pktb in, inner;

	hx_route(10, "2001:db8:aa::/64", HD_TARGET_VRF, 0);
	one("inner hop limit", "ip6 $T $DT6 64 / ip6 $A $B 1 / udp / fill 16", "", &in);
	pktb_parse(&inner, "ip6 2001:db8:aa::1 2001:db8:bb::1 1 / udp / fill 16");
	lab_expect_icmp6("inner hop limit", 1, inner.buf, inner.len, 3, 0, 0);
	one("inner hop limit, End.DX6", "ip6 $T $DX6 64 / ip6 $A $B 1 / udp / fill 16", "", &in);
	lab_expect_icmp6("inner hop limit, End.DX6", 1, inner.buf, inner.len, 3, 0, 0);
	cr_assert_eq(hx_verdict("srv6-endpoint", "inner-hop-limit"), 1);
}

Test(srv6_conformance, s180_too_big_behind_the_sid)
{
	struct pktb in;

	one("S-180", "ip6 $T $E 64 / srh 2001:db8:c:14::1,$E 1 / udp / fill 1412", "", &in);
	cr_assert_eq(in.len, 1500);
	lab_expect_icmp6("S-180", 1, in.buf, in.len, 2, 0, 1400);
	lab_nothing_left("S-180");
	/* with PSP it fits by what is popped, or not: 1440 - 40 octets */
	one("S-180, PSP fits", "ip6 $T $Epsp 64 / srh 2001:db8:c:14::1,$Epsp 1 / udp / fill 1352",
	    "", &in);
	cr_assert_eq(in.len, 1440);
	struct pktb want;
	packet_make(&want, "ip6 $T 2001:db8:c:14::1 63 / udp / fill 1352", "");
	lab_expect("S-180, PSP fits", 6, &want);
	one("S-180, PSP", "ip6 $T $Epsp 64 / srh 2001:db8:c:14::1,$Epsp 1 / udp / fill 1353", "",
	    &in);
	lab_expect_icmp6("S-180, PSP", 1, in.buf, in.len, 2, 0, 1400);
	lab_nothing_left("S-180");
}

/* A list of two SIDs of this node: each is processed, the hop limit counts both. */
Test(srv6_conformance, two_own_sids_in_a_row)
{
	struct pktb in, want;

	one("two SIDs", "ip6 $T $E 64 / srh $R,$X,$E 2 / " IN6, "", &in);
	packet_make(&want, "ip6 $T $R 62 / srh $R,$X,$E 0 / " IN6, "");
	lab_expect("two SIDs", 3, &want);
	one("SID, then decapsulation", "ip6 $T $E 64 / srh $DT6,$E 1 / " IN6, "", &in);
	packet_make(&want, IN6_9, "");
	lab_expect("SID, then decapsulation", 5, &want);
}

/* A SID deleted under traffic: no packet is lost in silence, and the locator's route takes over. */
Test(srv6_conformance, deleted_sid)
{
	struct hd_api_srv6_sid key = { .plen = 128 };
	struct ip6_addr a = pktb_addr6(sid_names[0].addr);
	struct pktb in;

	memcpy(key.sid, &a, 16);
	cr_assert_eq(hx_del(HD_API_SRV6_SID, &key, HD_API_SRV6_SID_KEY), 0);
	one("deleted", "ip6 $T $E 64 / srh $R,$E 1 / " UDP, "", &in);
	lab_expect_icmp6("deleted", 1, in.buf, in.len, 1, 0, 0);
}

/* All rows that forward, several times over in random order, many in one burst: SIDs, tables and fates side by side.
 * Every packet comes out as its row says, once. */
Test(srv6_conformance, mixed_bursts)
{
	static struct {
		struct pktb in, want;
		unsigned due;
	} row[N_ENDPOINT_ROWS];
	static uint8_t b[PKTB_CAP],
		frame[14 + PKTB_CAP] = { 2, 0, 0, 0, 0, 1, 2, 0xaa, 0, 0, 0, 1, 0x86, 0xdd };
	const unsigned total = 1500;
	unsigned drops = 0, out = 0;
	uint32_t seed = 0x5eed;

	for (size_t i = 0; i < N_ENDPOINT_ROWS; i++) {
		packet_make(&row[i].in, endpoint_rows[i].in, endpoint_rows[i].set);
		if (endpoint_rows[i].want == WANT_OUT)
			packet_make(&row[i].want, endpoint_rows[i].out, endpoint_rows[i].out_set);
	}
	for (unsigned n = 0; n < total;) {
		for (unsigned burst = 0; burst < 150; burst++, n++) {
			size_t i;

			do {
				seed = seed * 1664525 + 1013904223;
				i = (seed >> 8) % N_ENDPOINT_ROWS;
			} while (endpoint_rows[i].want != WANT_OUT &&
				 endpoint_rows[i].want != WANT_DROP);
			memcpy(frame + 14, row[i].in.buf, row[i].in.len);
			hx_rx(1, frame, 14 + row[i].in.len);
			row[i].due += endpoint_rows[i].want == WANT_OUT;
			drops += endpoint_rows[i].want == WANT_DROP;
		}
		hx_turn();
		for (uint32_t p = 1; p <= LAB_PORTS; p++) {
			size_t len;

			while ((len = lab_recv(p, b, sizeof(b))) != 0) {
				size_t i = 0;

				while (i < N_ENDPOINT_ROWS &&
				       (row[i].due == 0 || endpoint_rows[i].port != p ||
					row[i].want.len != len ||
					memcmp(row[i].want.buf, b, len) != 0))
					i++;
				cr_assert_lt(i, N_ENDPOINT_ROWS,
					     "nobody asked for this on port %u\n%s", p,
					     pktb_hexdump(b, len));
				row[i].due--;
				out++;
			}
		}
	}
	cr_assert_eq(out + drops, total, "%u out and %u dropped of %u", out, drops, total);
	cr_assert_eq(hx_drops(), drops);
	cr_assert_eq(hx_mbufs_in_use(), 0);
}
