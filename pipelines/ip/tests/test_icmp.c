/* SPDX-License-Identifier: BSD-3-Clause
 * ICMP errors (golden bytes, and when none may be sent: RFC 4443 2.4(e), RFC 1812 4.3.2.7), echo, local delivery. */
#include "pipelines/ip/tests/bed.h"

TestSuite(ip_icmp, .init = bed_up, .fini = bed_down);

static uint8_t out[16384];

/* The only frame that left on A; its length. */
static size_t answer(void)
{
	size_t n = hx_tx(A, out, sizeof(out));

	cr_assert_gt(n, 0, "nothing came back");
	cr_assert_eq(drain(A), 0, "more than one packet came back");
	return n;
}

/* ---- golden bytes: made with scapy 2.5, checked with tshark 4.0 ---- */

static void golden(const char *hex)
{
	uint8_t want[2048];
	size_t n = pktb_unhex(hex, want, sizeof(want)), got = answer();

	cr_assert_eq(got, n, "%zu octets, want %zu\n%s", got, n, pktb_hexdump(out, got));
	cr_assert_arr_eq(out, want, n, "got\n%s\nwant\n%s", pktb_hexdump(out, n),
			 pktb_hexdump(want, n));
}

#include "pipelines/ip/tests/golden_icmp.h"

Test(ip_icmp, hop_limit_exceeded_bytes)
{
	struct pktb b;

	send_a(ETH "ip6 2001:db8:a::1 2001:db8:c::5 1 / udp 1000 2000 / data 68656464", &b);
	golden(GOLDEN_TE6);
}

Test(ip_icmp, ttl_exceeded_bytes)
{
	struct pktb b;

	send_a(ETH "ip4 192.0.2.1 203.0.113.5 1 / udp 1000 2000 / data 68656464", &b);
	golden(GOLDEN_TE4);
}

Test(ip_icmp, no_route_bytes)
{
	struct pktb b;

	send_a(ETH "ip6 2001:db8:a::1 2001:db8:ffff::5 64 / udp 1000 2000 / data 68656464", &b);
	golden(GOLDEN_NOROUTE6);
}

Test(ip_icmp, port_unreachable_bytes)
{
	struct pktb b;

	send_a(ETH "ip4 192.0.2.1 192.0.2.9 64 / udp 1000 2000 / data 68656464", &b);
	golden(GOLDEN_PORT4);
}

Test(ip_icmp, echo_bytes)
{
	struct pktb b, want;
	size_t n;

	send_a(ETH "ip6 2001:db8:a::1 2001:db8:b::9 3 / icmp6 128 0 0x12340001 / data 6865646465",
	       &b);
	pktb_parse(&want, "eth " MAC_A " " MAC_1
			  " / ip6 2001:db8:b::9 2001:db8:a::1 64 / icmp6 129 0 0x12340001"
			  " / data 6865646465");
	n = answer();
	cr_assert_eq(n, want.len);
	cr_assert_arr_eq(out, want.buf, n, "%s", pktb_hexdump(out, n));
	send_a(ETH "ip4 192.0.2.1 198.51.100.9 3 / icmp4 8 0 0x12340001 / data 6865646465", &b);
	pktb_parse(&want,
		   "eth " MAC_A " " MAC_1 " / ip4 198.51.100.9 192.0.2.1 64 / icmp4 0 0 0x12340001"
		   " / data 6865646465");
	n = answer();
	cr_assert_eq(n, want.len);
	cr_assert_arr_eq(out, want.buf, n, "%s", pktb_hexdump(out, n));
}

Test(ip_icmp, echo_leaves_extension_headers_out)
{
	struct pktb b, want;
	size_t n;

	send_a(ETH
	       "ip6 2001:db8:a::1 2001:db8:a::9 64 / hbh / dstopt / srh 2001:db8:a::9 0 / icmp6 128 0 7 / fill 9",
	       &b);
	pktb_parse(&want, "eth " MAC_A " " MAC_1
			  " / ip6 2001:db8:a::9 2001:db8:a::1 64 / icmp6 129 0 7 / fill 9");
	n = answer();
	cr_assert_eq(n, want.len, "%s", pktb_hexdump(out, n));
	cr_assert_arr_eq(out, want.buf, n, "%s", pktb_hexdump(out, n));
}

Test(ip_icmp, echo_to_a_group_is_answered_from_a_unicast_address)
{
	struct pktb b;
	struct wire_cur c;
	struct ip6_view v;
	struct icmp6_view icmp = { 0 };
	size_t n;

	send_a("eth 33:33:00:00:00:01 " MAC_A
	       " / ip6 2001:db8:a::1 ff02::1 64 / icmp6 128 0 7 / fill 9",
	       &b);
	n = answer();
	c = wire_cur_init(out + 14, n - 14);
	cr_assert_eq(ip6_parse(&c, &v), 0);
	struct ip6_addr ours = pktb_addr6("2001:db8:a::9");
	cr_assert(ip6_addr_eq(&v.hdr->src, &ours));
	cr_assert_eq(icmp6_parse(&c, &v.hdr->src, &v.hdr->dst, &icmp), 0, "checksum");
	cr_assert_eq(icmp.msg->type, ICMP6_ECHO_REPLY);
}

/* ---- what an error quotes ---- */

Test(ip_icmp, an_error_quotes_what_was_received_and_stays_short)
{
	struct pktb b;
	size_t n;

	send_a(ETH "ip6 2001:db8:a::1 2001:db8:c::5 64 / udp / fill 3000", &b);
	n = answer();
	cr_assert_eq(n, 14u + 1280);
	cr_assert_eq(out[14 + 40], ICMP6_TOO_BIG);
	cr_assert_eq(wire_get32(out + 14 + 44), 1500);
	cr_assert_arr_eq(out + 14 + 48, b.ip6, 1232);
	struct wire_cur c = wire_cur_init(out + 14, n - 14);
	struct ip6_view v;
	struct icmp6_view icmp = { 0 };
	cr_assert_eq(ip6_parse(&c, &v), 0);
	cr_assert_eq(icmp6_parse(&c, &v.hdr->src, &v.hdr->dst, &icmp), 0, "checksum over segments");
	pktb_parse(&b, ETH "ip4 192.0.2.1 203.0.113.5 64 / udp / fill 3000");
	b.ip4->frag = be16_make(IP4_DF);
	pktb_fix_csum(&b);
	hx_rx(A, b.buf, b.len);
	hx_turn();
	n = answer();
	cr_assert_eq(n, 14u + 576);
	cr_assert_eq(out[14 + 20], ICMP4_UNREACH);
	cr_assert_eq(out[14 + 21], ICMP4_UNREACH_FRAG);
	cr_assert_eq(wire_get32(out + 14 + 24), 1500);
	cr_assert_arr_eq(out + 14 + 28, b.ip4, 548);
	cr_assert(hd_csum_ok(hd_csum_add(0, out + 14 + 20, n - 34)));
	cr_assert(hd_csum_ok(hd_csum_add(0, out + 14, 20)));
}

/* ---- type and code of each reason ---- */

struct row {
	char why[56], packet[176];
	int type, code; /* -1: no error */
	uint32_t data;
};

ParameterizedTestParameters(ip_icmp, errors)
{
#define NOWHERE6 "2001:db8:ffff::1"
#define NOWHERE4 "100.100.1.1"
	static struct row rows[] = {
		{ "hop limit", ETH "ip6 2001:db8:a::1 2001:db8:c::5 1 / udp", 3, 0, 0 },
		{ "no route", ETH "ip6 2001:db8:a::1 " NOWHERE6 " 64 / udp", 1, 0, 0 },
		{ "unreachable", ETH "ip6 2001:db8:a::1 2001:db8:dead:2::1 64 / udp", 1, 0, 0 },
		{ "prohibit", ETH "ip6 2001:db8:a::1 2001:db8:dead:3::1 64 / udp", 1, 1, 0 },
		{ "blackhole is silent", ETH "ip6 2001:db8:a::1 2001:db8:dead:1::1 64 / udp", -1, 0,
		  0 },
		{ "too big", ETH "ip6 2001:db8:a::1 2001:db8:c::5 64 / udp / fill 1453", 2, 0,
		  1500 },
		{ "UDP port", ETH "ip6 2001:db8:a::1 2001:db8:a::9 64 / udp", 1, 4, 0 },
		{ "upper layer", ETH "ip6 2001:db8:a::1 2001:db8:a::9 64 / next 200 / fill 8", 4, 1,
		  6 },
		{ "upper layer behind options",
		  ETH "ip6 2001:db8:a::1 2001:db8:a::9 64 / dstopt / next 200 / fill 8", 4, 1, 40 },
		{ "routing header, segments left",
		  ETH
		  "ip6 2001:db8:a::1 2001:db8:a::9 64 / srh 2001:db8:c::1,2001:db8:a::9 1 / udp",
		  4, 0, 42 },
		{ "unknown routing type",
		  ETH "ip6 2001:db8:a::1 2001:db8:a::9 64 / hbh / rt 200 1 / udp", 4, 0, 50 },
		{ "routing header, none left",
		  ETH "ip6 2001:db8:a::1 2001:db8:a::9 64 / srh 2001:db8:a::9 0 / udp", 1, 4, 0 },
		{ "option 00: skipped",
		  ETH "ip6 2001:db8:a::1 2001:db8:a::9 64 / dstopt 1e0100 / udp", 1, 4, 0 },
		{ "option 01: silence",
		  ETH "ip6 2001:db8:a::1 2001:db8:a::9 64 / dstopt 5e0100 / udp", -1, 0, 0 },
		{ "option 10", ETH "ip6 2001:db8:a::1 2001:db8:a::9 64 / dstopt 9e0100 / udp", 4, 2,
		  42 },
		{ "option 11", ETH "ip6 2001:db8:a::1 2001:db8:a::9 64 / hbh de0100 / udp", 4, 2,
		  42 },
		{ "option 10 to a group",
		  "eth 33:33:00:00:00:01 " MAC_A
		  " / ip6 2001:db8:a::1 ff02::1 64 / dstopt 9e0100 / udp",
		  4, 2, 42 },
		{ "option 11 to a group",
		  "eth 33:33:00:00:00:01 " MAC_A
		  " / ip6 2001:db8:a::1 ff02::1 64 / dstopt de0100 / udp",
		  -1, 0, 0 },
		{ "hop-by-hop in second place",
		  ETH "ip6 2001:db8:a::1 2001:db8:a::9 64 / dstopt / hbh / udp", 4, 1, 40 },
		{ "no next header", ETH "ip6 2001:db8:a::1 2001:db8:a::9 64 / next 59 / fill 8", -1,
		  0, 0 },
		{ "a fragment to ourselves",
		  ETH "ip6 2001:db8:a::1 2001:db8:a::9 64 / frag 0 1 5 / udp / fill 8", -1, 0, 0 },
		{ "an atomic fragment", ETH "ip6 2001:db8:a::1 2001:db8:a::9 64 / frag 0 0 5 / udp",
		  1, 4, 0 },
		{ "about an ICMPv6 error",
		  ETH "ip6 2001:db8:a::1 " NOWHERE6 " 64 / icmp6 1 0 0 / fill 48", -1, 0, 0 },
		{ "about a redirect",
		  ETH "ip6 2001:db8:a::1 " NOWHERE6 " 64 / icmp6 137 0 0 / fill 48", -1, 0, 0 },
		{ "about an error behind options",
		  ETH "ip6 2001:db8:a::1 " NOWHERE6 " 64 / dstopt / icmp6 1 0 0 / fill 48", -1, 0,
		  0 },
		{ "about an echo", ETH "ip6 2001:db8:a::1 " NOWHERE6 " 64 / icmp6 128 0 0", 1, 0,
		  0 },
		{ "UDP to a group",
		  "eth 33:33:00:00:00:01 " MAC_A " / ip6 2001:db8:a::1 ff02::1 64 / udp", -1, 0,
		  0 },
		{ "from a link-local source", ETH "ip6 fe80::7 2001:db8:c::5 64 / udp", -2, 0, 0 },
		{ "IPv4 TTL", ETH "ip4 192.0.2.1 203.0.113.5 1 / udp", 11, 0, 0 },
		{ "IPv4 no route", ETH "ip4 192.0.2.1 " NOWHERE4 " 64 / udp", 3, 0, 0 },
		{ "IPv4 unreachable", ETH "ip4 192.0.2.1 100.64.2.1 64 / udp", 3, 0, 0 },
		{ "IPv4 prohibit", ETH "ip4 192.0.2.1 100.64.3.1 64 / udp", 3, 13, 0 },
		{ "IPv4 blackhole", ETH "ip4 192.0.2.1 100.64.1.1 64 / udp", -1, 0, 0 },
		{ "IPv4 UDP port", ETH "ip4 192.0.2.1 192.0.2.9 64 / udp", 3, 3, 0 },
		{ "IPv4 protocol", ETH "ip4 192.0.2.1 192.0.2.9 64 / next 200 / fill 8", 3, 2, 0 },
		{ "IPv4 about an error",
		  ETH "ip4 192.0.2.1 " NOWHERE4 " 64 / icmp4 3 1 0 / fill 28", -1, 0, 0 },
		{ "IPv4 about an echo", ETH "ip4 192.0.2.1 " NOWHERE4 " 64 / icmp4 8 0 0", 3, 0,
		  0 },
		{ "echo with a wrong checksum",
		  ETH "ip6 2001:db8:a::1 2001:db8:a::9 64 / next 58 / data 8000000000000001", -1, 0,
		  0 },
		{ "an echo reply is taken in",
		  ETH "ip6 2001:db8:a::1 2001:db8:a::9 64 / icmp6 129 0 1", -1, 0, 0 },
	};

	return cr_make_param_array(struct row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct row *r, ip_icmp, errors)
{
	struct pktb b;
	const uint8_t *quoted;
	size_t n, at, len;

	send_a(r->packet, &b);
	if (r->type == -1) {
		cr_assert_eq(drain(A), 0, "%s: an answer\n%s", r->why, pktb_dump(&b));
		return;
	}
	if (r->type == -2) { /* it goes to fe80::7 by way of the neighbour table: who is that? */
		cr_assert_eq(hx_verdict("icmp-error", "sent6"), 1);
		n = hx_tx(A, out, sizeof(out));
		cr_assert_eq(out[14 + 40], ICMP6_NS, "%s\n%s", r->why, pktb_hexdump(out, n));
		return;
	}
	n = answer();
	at = 14 + (wire_get16(out + 12) == ETHTYPE_IP4 ? 20 : 40);
	cr_assert_eq(out[at], r->type, "%s: type %u", r->why, out[at]);
	cr_assert_eq(out[at + 1], r->code, "%s: code %u", r->why, out[at + 1]);
	cr_assert_eq(wire_get32(out + at + 4), r->data, "%s: %u in the second word", r->why,
		     wire_get32(out + at + 4));
	quoted = pktb_l3(&b, &len);
	cr_assert_arr_eq(out + at + 8, quoted, 8, "%s: quotes something else", r->why);
}

Test(ip_icmp, later_fragments_cause_no_error)
{
	struct pktb b;

	pktb_parse(&b, ETH "ip4 192.0.2.1 " NOWHERE4 " 64 / udp / fill 8");
	b.ip4->frag = be16_make(3);
	pktb_fix_csum(&b);
	hx_rx(A, b.buf, b.len);
	hx_turn();
	cr_assert_eq(drain(A), 0);
	cr_assert_eq(hx_verdict("icmp-error", "not-allowed"), 1);
}

Test(ip_icmp, errors_are_limited_and_the_limit_is_configurable)
{
	struct pktb b;

	for (unsigned k = 0; k < 40; k++)
		send_a(ETH "ip6 2001:db8:a::1 2001:db8:c::5 1 / udp", &b);
	unsigned n = drain(A);
	cr_assert(n >= 10 && n <= 15, "%u errors pass a burst of 10", n);
	cr_assert_eq(hx_verdict("icmp-error", "rate-limit"), 40 - n);
	struct hd_api_punt_policer p = { .reason = ip_punt.icmp6_error, .rate_pps = 0, .burst = 0 };
	cr_assert_eq(hx_set(HD_API_PUNT_POLICER, &p, sizeof(p)), 0, "%s", hx_error());
	send_a(ETH "ip6 2001:db8:a::1 2001:db8:c::5 1 / udp", &b);
	cr_assert_eq(drain(A), 0);
	p.rate_pps = 100000;
	p.burst = 1000;
	cr_assert_eq(hx_set(HD_API_PUNT_POLICER, &p, sizeof(p)), 0, "%s", hx_error());
	for (unsigned k = 0; k < 40; k++)
		send_a(ETH "ip6 2001:db8:a::1 2001:db8:c::5 1 / udp", &b);
	cr_assert_eq(drain(A), 40);
	cr_assert_eq(hx_del(HD_API_PUNT_POLICER, &p, sizeof(p.reason)), 0);
	for (unsigned k = 0; k < 40; k++)
		send_a(ETH "ip6 2001:db8:a::1 2001:db8:c::5 1 / udp", &b);
	cr_assert_lt(drain(A), 40);
	p.reason = 31;
	cr_assert_eq(hx_set(HD_API_PUNT_POLICER, &p, sizeof(p)), -ENOENT);
}

/* Every length a frame can have, cut off in the middle: nothing crashes, nothing is lost. */
Test(ip_icmp, every_truncation_has_a_fate)
{
	static const char *const whole[] = {
		ETH
		"ip6 2001:db8:a::1 2001:db8:a::9 64 / hbh 1e0100 / srh 2001:db8:a::9 0 / icmp6 128 0 1 / fill 8",
		ETH "ip4 192.0.2.1 192.0.2.9 64 / icmp4 8 0 1 / fill 8",
		ETH "ip6 2001:db8:a::1 2001:db8:a::9 64 / udp / fill 3",
		ETH "ip6 fe80::7 ff02::1:ff00:9 255 / icmp6 135 0 0"
		    " / data 20010db8000a00000000000000000009 / data 010102aa00000007",
	};
	uint64_t sent = 0, left = 0, taken = 0;

	for (size_t k = 0; k < sizeof(whole) / sizeof(whole[0]); k++) {
		struct pktb b;

		pktb_parse(&b, whole[k]);
		for (size_t n = 1; n < b.len; n++, sent++) {
			struct pktb c = b;

			/* also with lengths that fit, so that inner checks see the cut */
			hx_rx(A, c.buf, n);
			if (n > 54 && wire_get16(c.buf + 12) == ETHTYPE_IP6) {
				wire_put16(c.buf + 18, (uint16_t)(n - 54));
				hx_rx(A, c.buf, n);
				sent++;
			}
			hx_turn();
			left += drain(A);
		}
	}
	taken = hx_verdict("neighbour", "nd") + hx_verdict("neighbour", "arp");
	cr_assert_eq(sent, left + hx_drops() + taken, "sent %lu left %lu dropped %lu taken %lu",
		     sent, left, hx_drops(), taken);
	cr_assert_eq(hx_mbufs_in_use(), 0);
}
