/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv6 fixed header, extension header chain, options. */
#include "tests/wire/wire_test.h"

#define SRC "2001:db8::1"
#define DST "2001:db8:b::100"

/* Fixed header, the whole chain and all options: what a receiver would walk through. */
static int parse_ip6(const uint8_t *p, size_t len)
{
	struct wire_cur c = wire_cur_init(p, len);
	struct ip6_chain ch = { 0 };
	struct ip6_walk w;
	struct ip6_ext_view e;
	struct ip6_view v;
	uint16_t off;
	int rc = ip6_parse(&c, &v);

	if (rc < 0) {
		cr_expect_eq(c.p, p, "the cursor moved on an error");
		return rc;
	}
	rc = ip6_chain_parse(&v, &c, &ch);
	if (rc < 0)
		return rc;
	ip6_walk_init(&w, &v, &c);
	while ((rc = ip6_walk_next(&w, &e)) == 1) {
		if (e.type != IP_NH_HOPOPTS && e.type != IP_NH_DSTOPTS)
			continue;
		rc = ip6_opts_check(&e, NULL, &off);
		if (rc < 0)
			return rc;
	}
	return rc;
}

Test(ip6, golden_fixed_header)
{
	const uint8_t *p = golden_eth_ip6_udp + 14;
	size_t len = sizeof(golden_eth_ip6_udp) - 14;
	struct wire_cur c = wire_cur_init(p, len);
	struct ip6_addr src = pktb_addr6("2001:db8::1"), dst = pktb_addr6("2001:db8::2");
	struct ip6_view v;

	cr_assert_eq(ip6_parse(&c, &v), 0);
	cr_assert_eq(v.payload_len, 24);
	cr_assert_eq(ip6_traffic_class(v.hdr), 0xb8);
	cr_assert_eq(ip6_flow_label(v.hdr), 0x12345);
	cr_assert_eq(v.hdr->hop_limit, 64);
	cr_assert_eq(v.hdr->next_header, IP_NH_UDP);
	cr_assert(ip6_addr_eq(&v.hdr->src, &src) && ip6_addr_eq(&v.hdr->dst, &dst));
	cr_assert_eq(c.p, p + 40);
	cr_assert_eq(wire_left(&c), 24);
	check_truncation("ip6", parse_ip6, p, len, len);
	check_truncation("chain", parse_ip6, golden_ip6_chain, sizeof(golden_ip6_chain),
			 sizeof(golden_ip6_chain));
	check_truncation("srh", parse_ip6, golden_srh_udp, sizeof(golden_srh_udp),
			 sizeof(golden_srh_udp));
}

/* The same packets with a payload length that was cut along: the chain itself must end inside. */
Test(ip6, chain_cut_with_payload_length)
{
	size_t n;

	for (n = 40; n <= sizeof(golden_ip6_chain); n++) {
		uint8_t *p = exact_copy(golden_ip6_chain, n);

		wire_put16(p + 4, (uint16_t)(n - 40));
		/* hop-by-hop 8, destination 24, SRH 40, fragment 8 octets */
		if (n < 120)
			cr_expect_eq(parse_ip6(p, n), -EBADMSG, "%zu octets", n);
		else
			cr_expect_eq(parse_ip6(p, n), 0, "%zu octets", n);
		free(p);
	}
}

Test(ip6, golden_chain)
{
	struct wire_cur c = wire_cur_init(golden_ip6_chain, sizeof(golden_ip6_chain));
	struct ip6_view v;
	struct ip6_chain ch = { 0 };

	cr_assert_eq(ip6_parse(&c, &v), 0);
	cr_assert_eq(ip6_chain_parse(&v, &c, &ch), 0);
	cr_assert_eq(ch.hop_off, 40);
	cr_assert_eq(ch.rt_off, 72);
	cr_assert_eq(ch.rt_len, 40);
	cr_assert_eq(ch.rt_nh_off, 48, "named by the destination options header");
	cr_assert_eq(ch.rt_type, SRH_ROUTING_TYPE);
	cr_assert_eq(ch.rt_segments_left, 1);
	cr_assert_eq(ch.frag_off, 112);
	cr_assert_eq(ch.frag.off, 0);
	cr_assert(ch.frag.more);
	cr_assert_eq(ch.frag.id, 0xdeadbeef);
	cr_assert_eq(ch.upper, IP_NH_UDP);
	cr_assert_eq(ch.upper_off, 120);
	cr_assert_eq(ch.upper_nh_off, 112);
	cr_assert_eq(ch.n_ext, 4);
	cr_assert_not(ch.later_fragment);
}

Test(ip6, the_first_of_two_counts)
{
	struct ip6_chain ch = { 0 };
	struct ip6_view v;
	struct wire_cur c;
	struct pktb b;

	pktb_parse(&b,
		   "ip6 " SRC " " DST " / srh " DST " 0 / frag 0 1 5 / rt 2 7 / frag 0 0 6 / udp");
	c = wire_cur_init(b.buf, b.len);
	cr_assert_eq(ip6_parse(&c, &v), 0);
	cr_assert_eq(ip6_chain_parse(&v, &c, &ch), 0);
	cr_assert(ch.rt_off == 40 && ch.rt_len == 24 && ch.rt_nh_off == 6);
	cr_assert(ch.rt_type == SRH_ROUTING_TYPE && ch.rt_segments_left == 0);
	cr_assert(ch.frag_off == 64 && ch.frag.id == 5 && ch.frag.more);
	cr_assert_eq(ch.upper_off, 104);
}

Test(ip6, padding_is_cut)
{
	struct pktb b;
	struct wire_cur c;
	struct ip6_view v;

	pktb_parse(&b, "ip6 " SRC " " DST " / udp / fill 1");
	pktb_pad(&b, 9);
	c = wire_cur_init(b.buf, b.len);
	cr_assert_eq(ip6_parse(&c, &v), 0);
	cr_assert_eq(wire_left(&c), 9);
	cr_assert_eq(c.end, b.buf + 49);
}

struct ip6_row {
	char why[48];
	uint8_t off, value;
	int want;
};

ParameterizedTestParameters(ip6, hostile)
{
	static struct ip6_row rows[] = {
		/* changes to golden_ip6_chain */
		{ "version 4", 0, 0x40, -EPROTONOSUPPORT },
		{ "version 0", 0, 0x00, -EPROTONOSUPPORT },
		{ "version 7", 0, 0x70, -EPROTONOSUPPORT },
		{ "payload length one beyond the bytes", 5, 105, -EBADMSG },
		{ "payload length 65383", 4, 0xff, -EBADMSG },
		{ "payload length 0: no chain", 5, 0, -EBADMSG },
		{ "payload length ends in the SRH", 5, 71, -EBADMSG },
		{ "payload length ends in the fragment header", 5, 79, -EBADMSG },
		{ "hop-by-hop length beyond", 41, 255, -EBADMSG },
		{ "destination options length beyond", 49, 13, -EBADMSG },
		{ "SRH length beyond", 73, 9, -EBADMSG },
		{ "SRH length 255", 73, 255, -EBADMSG },
		{ "hop-by-hop names hop-by-hop", 40, 0, -EPROTO },
		{ "destination options name hop-by-hop", 48, 0, -EPROTO },
		{ "SRH names hop-by-hop", 72, 0, -EPROTO },
		{ "fragment names hop-by-hop", 112, 0, -EPROTO },
		{ "hop-by-hop option beyond its header", 43, 5, -EBADMSG },
		{ "destination option beyond its header", 55, 0xff, -EBADMSG },
		{ "fragment names fragment", 112, 44, 0 },
	};
	return ROWS(rows);
}

ParameterizedTest(struct ip6_row *r, ip6, hostile)
{
	uint8_t *p = exact_copy(golden_ip6_chain, sizeof(golden_ip6_chain));

	p[r->off] = r->value;
	cr_assert_eq(parse_ip6(p, sizeof(golden_ip6_chain)), r->want, "%s", r->why);
	free(p);
}

/* Any octet of the chain, any value: no read beyond the block (AddressSanitizer looks), no endless walk. */
Test(ip6, every_octet_every_value)
{
	size_t i;
	unsigned x;

	for (i = 0; i < sizeof(golden_ip6_chain); i++)
		for (x = 0; x < 256; x++) {
			uint8_t *p = exact_copy(golden_ip6_chain, sizeof(golden_ip6_chain));

			p[i] = (uint8_t)x;
			cr_assert_leq(parse_ip6(p, sizeof(golden_ip6_chain)), 0);
			free(p);
		}
}

Test(ip6, eight_extension_headers_and_no_more)
{
	struct pktb b;
	unsigned n, i;

	for (n = 0; n <= 10; n++) {
		pktb_init(&b);
		pktb_ip6(&b, SRC, DST, 64);
		for (i = 0; i < n; i++)
			pktb_dstopt(&b, NULL, 0);
		pktb_udp(&b, 1, 2);
		pktb_finish(&b);
		cr_assert_eq(parse_ip6(b.buf, b.len), n <= IP6_MAX_EXT ? 0 : -E2BIG, "%u headers",
			     n);
	}
}

Test(ip6, a_bare_payload_is_no_extension_header)
{
	const uint8_t upper[] = { IP_NH_NONE,     IP_NH_TCP, IP_NH_IP4, IP_NH_IP6,
				  IP_NH_ETHERNET, IP_NH_ESP, IP_NH_AH,  253 };
	struct ip6_chain ch = { 0 };
	struct ip6_view v;
	struct wire_cur c;
	struct pktb b;
	size_t i;

	for (i = 0; i < sizeof(upper); i++) {
		pktb_parse(&b, "ip6 " SRC " " DST);
		b.ip6->next_header = upper[i];
		c = wire_cur_init(b.buf, b.len);
		cr_assert_eq(ip6_parse(&c, &v), 0);
		cr_assert_eq(ip6_chain_parse(&v, &c, &ch), 0);
		cr_assert_eq(ch.upper, upper[i]);
		cr_assert_eq(ch.upper_off, 40);
		cr_assert_eq(ch.upper_nh_off, 6);
		cr_assert_eq(ch.n_ext, 0);
		cr_assert(ch.rt_off == 0 && ch.frag_off == 0 && ch.hop_off == 0);
	}
}

Test(ip6, walk_stops_at_a_later_fragment)
{
	struct ip6_chain ch = { 0 };
	struct ip6_view v;
	struct wire_cur c;
	struct pktb b;

	/* what follows looks like a routing header, but is data */
	pktb_parse(&b, "ip6 " SRC " " DST " / hbh / frag 1480 1 77 / srh " DST " 0 / udp");
	c = wire_cur_init(b.buf, b.len);
	cr_assert_eq(ip6_parse(&c, &v), 0);
	cr_assert_eq(ip6_chain_parse(&v, &c, &ch), 0);
	cr_assert(ch.later_fragment);
	cr_assert_eq(ch.rt_off, 0);
	cr_assert_eq(ch.frag_off, 48);
	cr_assert_eq(ch.frag.off, 1480);
	cr_assert_eq(ch.frag.id, 77);
	cr_assert_eq(ch.upper, IP_NH_ROUTING);
	cr_assert_eq(ch.upper_off, 56);
}

Test(ip6, walk_reports_each_header_and_who_named_it)
{
	struct ip6_walk w;
	struct ip6_ext_view e;
	struct ip6_view v;
	struct wire_cur c;
	struct pktb b;

	pktb_parse(&b, "ip6 " SRC " " DST " / hbh / srh " DST " 0 / rt 0 0 / dstopt / icmp6 128");
	c = wire_cur_init(b.buf, b.len);
	cr_assert_eq(ip6_parse(&c, &v), 0);
	ip6_walk_init(&w, &v, &c);
	cr_assert_eq(ip6_walk_next(&w, &e), 1);
	cr_assert(e.type == IP_NH_HOPOPTS && e.off == 40 && e.len == 8 && e.nh_off == 6 &&
		  e.p == b.hbh);
	cr_assert_eq(ip6_walk_next(&w, &e), 1);
	cr_assert(e.type == IP_NH_ROUTING && e.off == 48 && e.len == 24 && e.nh_off == 40);
	cr_assert_eq(e.p, (uint8_t *)b.srh);
	cr_assert_eq(e.next_header, IP_NH_ROUTING);
	cr_assert_eq(ip6_walk_next(&w, &e), 1);
	cr_assert(e.type == IP_NH_ROUTING && e.off == 72 && e.nh_off == 48);
	cr_assert_eq(ip6_walk_next(&w, &e), 1);
	cr_assert(e.type == IP_NH_DSTOPTS && e.off == 96 && e.nh_off == 72);
	cr_assert_eq(ip6_walk_next(&w, &e), 0);
	cr_assert_eq(ip6_walk_next(&w, &e), 0, "the end stays the end");
	cr_assert_eq(w.next_header, IP_NH_ICMP6);
	cr_assert_eq(w.nh_off, 96);
	cr_assert_eq(ip6_walk_off(&w), 104);
	cr_assert_eq(w.cur.p, (uint8_t *)b.icmp6);
}

Test(ip6, quoted_packet_may_be_cut)
{
	struct wire_cur c = wire_cur_init(golden_srh_udp, 70);
	struct ip6_view v;

	cr_assert_eq(ip6_parse(&c, &v), -EBADMSG);
	cr_assert_eq(ip6_parse_quoted(&c, &v), 0);
	cr_assert_eq(v.payload_len, 30);
	cr_assert_eq(wire_left(&c), 30);
	c = wire_cur_init(golden_srh_udp, 39);
	cr_assert_eq(ip6_parse_quoted(&c, &v), -EBADMSG);
	c = wire_cur_init(golden_ip4_tcp, sizeof(golden_ip4_tcp));
	cr_assert_eq(ip6_parse_quoted(&c, &v), -EPROTONOSUPPORT);
}

struct opt_row {
	char why[48];
	char opts[48]; /* hex, behind next header and length */
	bool known;    /* the node recognises 0x3e, 0x5e, 0x9e and 0xde */
	int want;
	uint16_t off; /* from the IPv6 header on */
};

ParameterizedTestParameters(ip6, options)
{
	static struct opt_row rows[] = {
		{ "PadN", "010400000000", false, 0, 0 },
		{ "six Pad1", "000000000000", false, 0, 0 },
		{ "PadN of length 0", "010001020000", false, 0, 0 },
		{ "unknown, action skip", "1e0400000000", false, IP6_OPT_SKIP, 0 },
		{ "unknown, action drop", "5e0400000000", false, IP6_OPT_DROP, 42 },
		{ "unknown, action ICMP", "9e0400000000", false, IP6_OPT_DROP_ICMP, 42 },
		{ "unknown, action ICMP unless multicast", "de0400000000", false,
		  IP6_OPT_DROP_ICMP_UNICAST, 42 },
		{ "known, action drop", "5e0400000000", true, 0, 0 },
		{ "known, action ICMP", "9e0400000000", true, 0, 0 },
		{ "known, then unknown", "5e0000009f00", true, IP6_OPT_DROP_ICMP, 46 },
		{ "overrun behind padding", "000000009e03", false, -EBADMSG, 0 },
		{ "offset behind padding", "000100009e00", false, IP6_OPT_DROP_ICMP, 46 },
		{ "the first one counts", "1e005e009e00", false, IP6_OPT_DROP, 44 },
		{ "length one beyond", "1e0500000000", false, -EBADMSG, 0 },
		{ "length 255", "01ff00000000", false, -EBADMSG, 0 },
		{ "type without length at the end", "0000000000c2", false, -EBADMSG, 0 },
		{ "overrun in front of a bad option", "1e08005e0000", false, -EBADMSG, 0 },
	};
	return ROWS(rows);
}

ParameterizedTest(struct opt_row *r, ip6, options, .timeout = 10)
{
	struct ip6_opt_set set = { { 0 } };
	struct ip6_walk w;
	struct ip6_ext_view e;
	struct ip6_view v;
	struct wire_cur c;
	struct pktb b;
	uint8_t opts[48];
	uint16_t off = 0;
	size_t n = pktb_unhex(r->opts, opts, sizeof(opts));

	set.bits[0x3e / 64] |= 1ull << (0x3e % 64);
	set.bits[0x5e / 64] |= 1ull << (0x5e % 64);
	set.bits[0x9e / 64] |= 1ull << (0x9e % 64);
	set.bits[0xde / 64] |= 1ull << (0xde % 64);
	pktb_init(&b);
	pktb_ip6(&b, SRC, DST, 64);
	pktb_dstopt(&b, opts, n);
	pktb_finish(&b);
	uint8_t *p = exact_copy(b.buf, b.len);
	c = wire_cur_init(p, b.len);
	cr_assert_eq(ip6_parse(&c, &v), 0);
	ip6_walk_init(&w, &v, &c);
	cr_assert_eq(ip6_walk_next(&w, &e), 1);
	cr_assert_eq(ip6_opts_check(&e, r->known ? &set : NULL, &off), r->want, "%s\n%s", r->why,
		     pktb_dump(&b));
	cr_assert_eq(off, r->off, "%s: offset %u", r->why, off);
	free(p);
}

Test(ip6, options_are_handed_out)
{
	const struct {
		uint8_t type, len;
		uint16_t off;
	} want[] = { { 5, 2, 2 } };
	struct wire_cur c = wire_cur_init(golden_ip6_chain, sizeof(golden_ip6_chain));
	struct ip6_walk w;
	struct ip6_ext_view e;
	struct ip6_view v;
	struct ip6_opts o;
	struct ip6_opt_view opt;

	cr_assert_eq(ip6_parse(&c, &v), 0);
	ip6_walk_init(&w, &v, &c);
	cr_assert_eq(ip6_walk_next(&w, &e), 1);
	ip6_opts_init(&o, &e);
	cr_assert_eq(ip6_opts_next(&o, &opt), 1);
	cr_assert(opt.type == want[0].type && opt.len == want[0].len && opt.off == want[0].off);
	cr_assert_eq(opt.data, golden_ip6_chain + 44);
	cr_assert_eq(ip6_opts_next(&o, &opt), 0, "PadN is not handed out");
	cr_assert_eq(ip6_opts_next(&o, &opt), 0);
}

Test(ip6, build_is_the_golden_header)
{
	struct ip6_fields f = {
		.src = pktb_addr6("2001:db8::1"),
		.dst = pktb_addr6("2001:db8::2"),
		.traffic_class = 0xb8,
		.flow_label = 0x12345,
		.hop_limit = 64,
		.next_header = IP_NH_UDP,
		.payload_len = 24,
	};
	uint8_t buf[40];

	cr_assert_eq(ip6_build(buf, 40, &f), 40);
	cr_assert_arr_eq(buf, golden_eth_ip6_udp + 14, 40);
	cr_assert_eq(ip6_build(buf, 39, &f), -ENOSPC);
	f.payload_len = 65536;
	cr_assert_eq(ip6_build(buf, 40, &f), -EINVAL);
	f.payload_len = 65535;
	f.flow_label = 0xfff12345; /* more than 20 bits do not leak into the traffic class */
	cr_assert_eq(ip6_build(buf, 40, &f), 40);
	cr_assert_arr_eq(buf, golden_eth_ip6_udp + 14, 4);
}

Test(ip6, multicast_mapping)
{
	struct ip6_addr a = pktb_addr6("2001:db8::12:3456"), want = pktb_addr6("ff02::1:ff12:3456");
	struct ip6_addr sn = ip6_solicited_node(&a);
	struct mac_addr m = ip6_multicast_mac(&sn), mac = pktb_mac("33:33:ff:12:34:56");

	cr_assert(ip6_addr_eq(&sn, &want));
	cr_assert(mac_eq(&m, &mac));
}
