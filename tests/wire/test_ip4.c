/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv4, UDP, TCP and ICMP over it. */
#include "tests/wire/wire_test.h"

static int parse_ip4(const uint8_t *p, size_t len)
{
	struct wire_cur c = wire_cur_init(p, len);
	struct ip4_view v = { 0 };
	int rc = ip4_parse(&c, &v);

	if (rc < 0)
		cr_expect_eq(c.p, p, "the cursor moved on an error");
	return rc;
}

Test(ip4, golden)
{
	struct wire_cur c = wire_cur_init(golden_ip4_tcp, sizeof(golden_ip4_tcp));
	struct ip4_view v = { 0 };

	cr_assert_eq(ip4_parse(&c, &v), 0);
	cr_assert_eq(v.hdr_len, 20);
	cr_assert_eq(v.total_len, sizeof(golden_ip4_tcp));
	cr_assert_eq(v.hdr->ttl, 33);
	cr_assert_eq(v.hdr->proto, IP_NH_TCP);
	cr_assert(be32_eq(v.hdr->src, pktb_addr4("198.51.100.7")) &&
		  be32_eq(v.hdr->dst, pktb_addr4("203.0.113.9")));
	cr_assert(!v.df && !v.mf && !ip4_is_fragment(&v));
	cr_assert_eq(wire_left(&c), sizeof(golden_ip4_tcp) - 20);
	check_truncation("ip4", parse_ip4, golden_ip4_tcp, sizeof(golden_ip4_tcp),
			 sizeof(golden_ip4_tcp));
	check_truncation("ip4 options", parse_ip4, golden_ip4_opts_udp, sizeof(golden_ip4_opts_udp),
			 sizeof(golden_ip4_opts_udp));
}

Test(ip4, options_are_skipped_and_padding_is_cut)
{
	uint8_t frame[46] = { 0 };
	struct wire_cur c = wire_cur_init(frame, sizeof(frame));
	struct ip4_view v = { 0 };

	memcpy(frame, golden_ip4_opts_udp, sizeof(golden_ip4_opts_udp));
	cr_assert_eq(ip4_parse(&c, &v), 0);
	cr_assert_eq(v.hdr_len, 24);
	cr_assert_eq(c.p, frame + 24);
	cr_assert_eq(c.end, frame + sizeof(golden_ip4_opts_udp));
}

struct ip4_row {
	char why[48];
	uint8_t off, value;
	int want;
};

ParameterizedTestParameters(ip4, hostile)
{
	static struct ip4_row rows[] = {
		{ "version 6", 0, 0x65, -EPROTONOSUPPORT },
		{ "version 0", 0, 0x05, -EPROTONOSUPPORT },
		{ "IHL 0", 0, 0x40, -EBADMSG },
		{ "IHL 4", 0, 0x44, -EBADMSG },
		{ "IHL beyond total length", 0, 0x4f, -EBADMSG },
		{ "total length below the header", 3, 19, -EBADMSG },
		{ "total length 0", 3, 0, -EBADMSG },
		{ "total length one beyond the bytes", 3, 53, -EBADMSG },
		{ "total length 65332", 2, 0xff, -EBADMSG },
		{ "checksum", 10, 0x22, -EILSEQ },
		{ "checksum, second octet", 11, 0x07, -EILSEQ },
		{ "TTL changed", 8, 34, -EILSEQ },
		{ "last octet of the destination", 19, 10, -EILSEQ },
	};
	return ROWS(rows);
}

ParameterizedTest(struct ip4_row *r, ip4, hostile)
{
	uint8_t *p = exact_copy(golden_ip4_tcp, sizeof(golden_ip4_tcp));

	p[r->off] = r->value;
	cr_assert_eq(parse_ip4(p, sizeof(golden_ip4_tcp)), r->want, "%s", r->why);
	free(p);
}

Test(ip4, fragment_fields)
{
	struct pktb b;
	struct wire_cur c;
	struct ip4_view v = { 0 };

	pktb_parse(&b, "ip4 192.0.2.1 192.0.2.2 / fill 16");
	b.ip4->frag = be16_make(IP4_MF | 185);
	pktb_fix_csum(&b);
	c = wire_cur_init(b.buf, b.len);
	cr_assert_eq(ip4_parse(&c, &v), 0);
	cr_assert(v.mf && !v.df && ip4_is_fragment(&v));
	cr_assert_eq(v.frag_off, 1480);
	b.ip4->frag = be16_make(IP4_DF | IP4_FRAG_MASK);
	pktb_fix_csum(&b);
	c = wire_cur_init(b.buf, b.len);
	cr_assert_eq(ip4_parse(&c, &v), 0);
	cr_assert(v.df && ip4_is_fragment(&v));
	cr_assert_eq(v.frag_off, 65528);
}

Test(ip4, build_is_the_golden_header)
{
	struct ip4_fields f = {
		.src = pktb_addr4("198.51.100.7"),
		.dst = pktb_addr4("203.0.113.9"),
		.ttl = 33,
		.proto = IP_NH_TCP,
		.id = 0x1234,
		.payload_len = sizeof(golden_ip4_tcp) - 20,
	};
	uint8_t buf[20];

	cr_assert_eq(ip4_build(buf, 20, &f), 20);
	cr_assert_arr_eq(buf, golden_ip4_tcp, 20);
	cr_assert_eq(ip4_build(buf, 19, &f), -ENOSPC);
	f.payload_len = 65516;
	cr_assert_eq(ip4_build(buf, 20, &f), -EINVAL);
	f.payload_len = 65515;
	cr_assert_eq(ip4_build(buf, 20, &f), 20);
}

Test(ip4, ttl_and_tos_keep_the_checksum)
{
	unsigned id, ttl;

	for (id = 0; id < 65536; id += 7)
		for (ttl = 2; ttl < 256; ttl += 63) {
			struct ip4_fields f = {
				.src = be32_make(id * 77777),
				.dst = be32_make(~id),
				.ttl = (uint8_t)ttl,
				.proto = 4,
				.id = (uint16_t)id,
				.payload_len = 100,
			};
			struct ip4_hdr h;

			ip4_build(&h, sizeof(h), &f);
			ip4_ttl_decrement(&h);
			cr_assert_eq(h.ttl, ttl - 1);
			cr_assert(hd_csum_ok(hd_csum_add(0, &h, sizeof(h))), "id %u ttl %u", id,
				  ttl);
			ip4_tos_set(&h, (uint8_t)id);
			cr_assert_eq(h.tos, (uint8_t)id);
			cr_assert(hd_csum_ok(hd_csum_add(0, &h, sizeof(h))), "id %u ttl %u", id,
				  ttl);
		}
}

static int parse_udp4(const uint8_t *p, size_t len)
{
	struct wire_cur c = wire_cur_init(p, len);
	struct udp_view u;
	int rc = udp_parse(&c, &u);

	if (rc == 0)
		return udp_csum_check_ip4(&u, pktb_addr4("192.0.2.1"), pktb_addr4("192.0.2.2"));
	cr_expect_eq(c.p, p);
	return rc;
}

Test(udp, golden_over_ip4)
{
	const uint8_t *udp = golden_ip4_opts_udp + 24;
	size_t len = sizeof(golden_ip4_opts_udp) - 24;

	check_truncation("udp", parse_udp4, udp, len, len);
}

struct udp_row {
	char why[48];
	uint8_t off, value;
	int want;
};

ParameterizedTestParameters(udp, hostile)
{
	static struct udp_row rows[] = {
		{ "length 0", 5, 0, -EBADMSG },
		{ "length 7", 5, 7, -EBADMSG },
		{ "one beyond the bytes", 5, 12, -EBADMSG },
		{ "length 65291", 4, 255, -EBADMSG },
		{ "port changed", 1, 0, -EILSEQ },
		{ "data changed", 10, 0, -EILSEQ },
		{ "length cuts the data", 5, 8, -EILSEQ },
	};
	return ROWS(rows);
}

ParameterizedTest(struct udp_row *r, udp, hostile)
{
	uint8_t *p = exact_copy(golden_ip4_opts_udp + 24, 11);

	p[r->off] = r->value;
	cr_assert_eq(parse_udp4(p, 11), r->want, "%s", r->why);
	free(p);
}

Test(udp, zero_checksum)
{
	struct ip6_addr src = pktb_addr6("2001:db8::1"), dst = pktb_addr6("2001:db8::2");
	struct pktb b;
	struct wire_cur c;
	struct udp_view u;

	pktb_parse(&b, "udp 1 2 / fill 4");
	c = wire_cur_init(b.buf, b.len);
	cr_assert_eq(udp_parse(&c, &u), 0);
	cr_assert_eq(be16_get(b.udp->csum), 0);
	cr_assert_eq(udp_csum_check_ip4(&u, be32_make(1), be32_make(2)), 0, "IPv4: not computed");
	cr_assert_eq(udp_csum_check_ip6(&u, &src, &dst), -EILSEQ, "IPv6: refused");
}

Test(udp, sum_that_is_zero_is_sent_as_ones)
{
	struct ip6_addr src = pktb_addr6("2001:db8::1"), dst = pktb_addr6("2001:db8::2");
	uint8_t buf[10];
	struct wire_cur c = wire_cur_init(buf, sizeof(buf));
	struct udp_hdr *h = (struct udp_hdr *)buf;
	struct udp_view u;
	be16_t want;

	/* data that makes the sum come out as zero: the checksum of everything else */
	cr_assert_eq(udp_build(buf, sizeof(buf), 5, 6, 2), 8);
	buf[8] = buf[9] = 0;
	want = hd_csum_fold(hd_csum_add(hd_csum_ip6_pseudo(&src, &dst, 10, IP_NH_UDP), buf, 10));
	memcpy(buf + 8, &want, 2);
	udp_csum_set(h, hd_csum_ip6_pseudo(&src, &dst, 10, IP_NH_UDP));
	cr_assert_eq(be16_get(h->csum), 0xffff);
	cr_assert_eq(udp_parse(&c, &u), 0);
	cr_assert_eq(udp_csum_check_ip6(&u, &src, &dst), 0);
	cr_assert_eq(udp_build(buf, 7, 5, 6, 2), -ENOSPC);
	cr_assert_eq(udp_build(buf, 10, 5, 6, 65528), -EINVAL);
}

static int parse_tcp(const uint8_t *p, size_t len)
{
	struct wire_cur c = wire_cur_init(p, len);
	struct tcp_view t;
	uint16_t off;
	int rc = tcp_parse(&c, &t);

	if (rc < 0) {
		cr_expect_eq(c.p, p);
		return rc;
	}
	return tcp_mss_find(&t, &off);
}

Test(tcp, golden)
{
	const uint8_t *tcp = golden_ip4_tcp + 20;
	struct wire_cur c = wire_cur_init(tcp, 32);
	struct tcp_view t;
	uint16_t off;

	cr_assert_eq(tcp_parse(&c, &t), 0);
	cr_assert_eq(t.src_port, 4321);
	cr_assert_eq(t.dst_port, 80);
	cr_assert_eq(t.hdr_len, 32);
	cr_assert_eq(be32_get(t.hdr->seq), 0x01020304);
	cr_assert_eq(t.hdr->flags, TCP_FLAG_SYN);
	cr_assert_eq(wire_left(&c), 0);
	cr_assert_eq(tcp_mss_find(&t, &off), 1);
	cr_assert_eq(wire_get16(tcp + off), 1460);
	check_truncation("tcp", parse_tcp, tcp, 32, 32);
}

struct tcp_row {
	char why[48];
	uint8_t data_off, opt[12];
	int want;
};

ParameterizedTestParameters(tcp, options)
{
	static struct tcp_row rows[] = {
		{ "data offset 4", 0x40, { 0 }, -EBADMSG },
		{ "data offset 0", 0x00, { 0 }, -EBADMSG },
		{ "data offset beyond the segment", 0x90, { 0 }, -EBADMSG },
		{ "no options", 0x50, { 2, 4, 5, 0xb4 }, 0 },
		{ "end of list hides the rest", 0x80, { 0, 2, 4, 5, 0xb4 }, 0 },
		{ "MSS behind NOPs", 0x80, { 1, 1, 2, 4, 5, 0xb4 }, 1 },
		{ "option length 0", 0x80, { 8, 0 }, -EBADMSG },
		{ "option length 1", 0x80, { 8, 1 }, -EBADMSG },
		{ "option beyond the header", 0x80, { 8, 13 }, -EBADMSG },
		{ "MSS of length 3", 0x80, { 2, 3, 5 }, -EBADMSG },
		{ "kind without length at the end",
		  0x80,
		  { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 8 },
		  -EBADMSG },
		{ "MSS cut by the end", 0x80, { 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 5 }, -EBADMSG },
		{ "MSS just fits", 0x80, { 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 5, 0xb4 }, 1 },
	};
	return ROWS(rows);
}

ParameterizedTest(struct tcp_row *r, tcp, options, .timeout = 10)
{
	uint8_t *p = exact_copy(golden_ip4_tcp + 20, 32);

	p[12] = r->data_off;
	memcpy(p + 20, r->opt, 12);
	cr_assert_eq(parse_tcp(p, 32), r->want, "%s", r->why);
	free(p);
}

static int parse_icmp4(const uint8_t *p, size_t len)
{
	struct wire_cur c = wire_cur_init(p, len);
	struct icmp4_view v;

	return icmp4_parse(&c, &v);
}

Test(icmp4, golden)
{
	const uint8_t *echo = golden_qinq_ip4_icmp + 42;
	size_t n;
	uint8_t buf[12];

	cr_assert_eq(parse_icmp4(echo, 12), 0);
	for (n = 0; n < 12; n++) {
		uint8_t *p = exact_copy(echo, n);

		/* a prefix has a wrong checksum unless what is cut off sums up to nothing */
		cr_expect_eq(parse_icmp4(p, n), n < 8 ? -EBADMSG : -EILSEQ, "%zu octets", n);
		free(p);
	}
	memcpy(buf, echo, 12);
	icmp4_echo_to_reply((struct icmp4_msg *)buf);
	cr_assert_eq(buf[0], ICMP4_ECHO_REPLY);
	cr_assert_eq(parse_icmp4(buf, 12), 0);
	buf[11] ^= 1;
	cr_assert_eq(parse_icmp4(buf, 12), -EILSEQ);
}

Test(icmp4, error_is_the_golden_packet)
{
	const uint8_t *quoted = golden_icmp4_unreach + 28;
	size_t n = sizeof(golden_icmp4_unreach) - 28;
	uint8_t buf[1500], big[1500] = { 0x45 };

	cr_assert_eq(icmp4_error_build(buf, sizeof(buf), ICMP4_UNREACH, ICMP4_UNREACH_FRAG, 1404,
				       quoted, n),
		     (int)n + 8);
	cr_assert_arr_eq(buf, golden_icmp4_unreach + 20, n + 8);
	cr_assert_eq(icmp4_error_build(buf, n + 7, 3, 4, 1404, quoted, n), -ENOSPC);
	cr_assert_eq(icmp4_error_build(buf, sizeof(buf), 3, 4, 0, quoted, 19), -EINVAL);
	cr_assert_eq(icmp4_error_build(buf, sizeof(buf), 11, 0, 0, big, sizeof(big)), 576 - 20);
	cr_assert_eq(parse_icmp4(buf, 576 - 20), 0);
}

struct allow_row {
	char why[48];
	char packet[96];
	bool l2_group, want;
};

ParameterizedTestParameters(icmp4, errors_are_allowed)
{
	static struct allow_row rows[] = {
		{ "udp", "ip4 192.0.2.1 198.51.100.1 / udp / fill 4", false, true },
		{ "echo request", "ip4 192.0.2.1 198.51.100.1 / icmp4 8", false, true },
		{ "unreachable", "ip4 192.0.2.1 198.51.100.1 / icmp4 3 1", false, false },
		{ "redirect", "ip4 192.0.2.1 198.51.100.1 / icmp4 5 1", false, false },
		{ "unknown ICMP type", "ip4 192.0.2.1 198.51.100.1 / icmp4 77", false, false },
		{ "ICMP without a type", "ip4 192.0.2.1 198.51.100.1 / next 1", false, false },
		{ "multicast", "ip4 192.0.2.1 224.0.0.5 / udp", false, false },
		{ "broadcast", "ip4 192.0.2.1 255.255.255.255 / udp", false, false },
		{ "group MAC", "ip4 192.0.2.1 198.51.100.1 / udp", true, false },
		{ "source 0.0.0.0", "ip4 0.0.0.0 198.51.100.1 / udp", false, false },
		{ "source loopback", "ip4 127.0.0.1 198.51.100.1 / udp", false, false },
		{ "source multicast", "ip4 224.0.0.1 198.51.100.1 / udp", false, false },
	};
	return ROWS(rows);
}

ParameterizedTest(struct allow_row *r, icmp4, errors_are_allowed)
{
	struct pktb b;
	struct wire_cur c;
	struct ip4_view v = { 0 };

	pktb_parse(&b, r->packet);
	c = wire_cur_init(b.buf, b.len);
	cr_assert_eq(ip4_parse(&c, &v), 0);
	cr_assert_eq(icmp4_error_allowed(&v, &c, r->l2_group), r->want, "%s\n%s", r->why,
		     pktb_dump(&b));
	b.ip4->frag = be16_make(1);
	pktb_fix_csum(&b);
	c = wire_cur_init(b.buf, b.len);
	cr_assert_eq(ip4_parse(&c, &v), 0);
	cr_assert_not(icmp4_error_allowed(&v, &c, r->l2_group), "later fragment of: %s", r->why);
}
