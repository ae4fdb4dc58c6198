/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMPv6 messages, errors and Neighbor Discovery. */
#include "tests/wire/wire_test.h"

struct parsed {
	struct ip6_view ip;
	struct icmp6_view m;
};

/* From the IPv6 header to the checked ICMPv6 message. */
static int parse_icmp6(const uint8_t *p, size_t len, struct parsed *ret)
{
	struct wire_cur c = wire_cur_init(p, len);
	int rc = ip6_parse(&c, &ret->ip);

	if (rc < 0)
		return rc;
	if (ret->ip.hdr->next_header != IP_NH_ICMP6)
		return -EPROTONOSUPPORT;
	return icmp6_parse(&c, &ret->ip.hdr->src, &ret->ip.hdr->dst, &ret->m);
}

/* The same, then whichever Neighbor Discovery parser the type asks for. */
static int parse_nd(const uint8_t *p, size_t len)
{
	const struct mac_addr *slla;
	struct nd_ns_view ns;
	struct nd_na_view na;
	struct nd_ra_view ra;
	struct parsed v;
	int rc = parse_icmp6(p, len, &v);

	if (rc < 0)
		return rc;
	switch (v.m.msg->type) {
	case ICMP6_NS:
		return nd_ns_parse(v.ip.hdr, &v.m, &ns);
	case ICMP6_NA:
		return nd_na_parse(v.ip.hdr, &v.m, &na);
	case ICMP6_RS:
		return nd_rs_parse(v.ip.hdr, &v.m, &slla);
	case ICMP6_RA:
		return nd_ra_parse(v.ip.hdr, &v.m, &ra);
	default:
		return 0;
	}
}

static void fix_csum(uint8_t *p, size_t len)
{
	struct ip6_fixed *h = (struct ip6_fixed *)p;

	h->payload_len = be16_make((uint16_t)(len - 40));
	if (len >= 48)
		icmp6_csum_set((struct icmp6_msg *)(p + 40), len - 40, &h->src, &h->dst);
}

Test(icmp6, golden_messages_are_accepted_and_prefixes_refused)
{
	size_t i;

	for (i = 0; i < sizeof(golden_all) / sizeof(golden_all[0]); i++) {
		const struct golden *g = &golden_all[i];

		if (g->l2 || g->data[0] >> 4 != 6 || g->data[6] != IP_NH_ICMP6)
			continue;
		check_truncation(g->name, parse_nd, g->data, g->len, g->len);
	}
}

Test(icmp6, checksum)
{
	size_t i;

	for (i = 8; i < sizeof(golden_icmp6_echo); i++) { /* addresses and message are covered */
		uint8_t *p = exact_copy(golden_icmp6_echo, sizeof(golden_icmp6_echo));
		struct parsed v;

		p[i] ^= 0x10;
		cr_assert_eq(parse_icmp6(p, sizeof(golden_icmp6_echo), &v), -EILSEQ, "octet %zu",
			     i);
		free(p);
	}
}

Test(icmp6, echo_to_reply)
{
	uint8_t p[sizeof(golden_icmp6_echo)];
	struct parsed v;

	memcpy(p, golden_icmp6_echo, sizeof(p));
	icmp6_echo_to_reply((struct icmp6_msg *)(p + 40));
	memcpy(p + 8, golden_icmp6_echo + 24, 16);
	memcpy(p + 24, golden_icmp6_echo + 8, 16);
	cr_assert_eq(parse_icmp6(p, sizeof(p), &v), 0);
	cr_assert_eq(v.m.msg->type, ICMP6_ECHO_REPLY);
	cr_assert_eq(be32_get(v.m.msg->data), 0x12340007);
	cr_assert_eq(wire_left(&v.m.body), 11);
}

Test(icmp6, error_is_the_golden_packet)
{
	const uint8_t *quoted = golden_icmp6_pp + 48;
	size_t n = sizeof(golden_icmp6_pp) - 48;
	struct icmp6_error e = {
		.src = pktb_addr6("2001:db8:b::100"),
		.dst = pktb_addr6("2001:db8::1"),
		.type = ICMP6_PARAM_PROBLEM,
		.code = ICMP6_PP_SR_UPPER,
		.data = 64,
	};
	uint8_t buf[2000], big[1500] = { 0x60 };

	cr_assert_eq(icmp6_error_build(buf, sizeof(buf), &e, quoted, n), (int)n + 8);
	cr_assert_arr_eq(buf, golden_icmp6_pp + 40, n + 8);
	memcpy(buf, quoted, n); /* in place: the quote moves up */
	cr_assert_eq(icmp6_error_build(buf, sizeof(buf), &e, buf, n), (int)n + 8);
	cr_assert_arr_eq(buf, golden_icmp6_pp + 40, n + 8);
	cr_assert_eq(icmp6_error_build(buf, n + 7, &e, quoted, n), -ENOSPC);
	cr_assert_eq(icmp6_error_build(buf, sizeof(buf), &e, quoted, 39), -EINVAL);
	cr_assert_eq(icmp6_error_build(buf, sizeof(buf), &e, big, sizeof(big)), 1280 - 40);
}

struct allow_row {
	char why[48];
	char packet[112];
	bool l2_group;
	uint8_t type, code;
	uint32_t pointer;
	bool want;
};

#define S "2001:db8::1"
#define D "2001:db8:b::100"
#define M "ff05::1"

ParameterizedTestParameters(icmp6, errors_are_allowed) /* RFC 4443 section 2.4(e) */
{
	static struct allow_row rows[] = {
		{ "udp", "ip6 " S " " D " / udp", false, 3, 0, 0, true },
		{ "echo request", "ip6 " S " " D " / icmp6 128", false, 3, 0, 0, true },
		{ "e.1 error", "ip6 " S " " D " / icmp6 4", false, 4, 0, 43, false },
		{ "e.1 unknown error type 127", "ip6 " S " " D " / icmp6 127", false, 4, 0, 43,
		  false },
		{ "e.1 error behind an SRH", "ip6 " S " " D " / srh " D " / icmp6 1", false, 4, 0,
		  43, false },
		{ "e.1 message without a type", "ip6 " S " " D " / next 58", false, 4, 0, 43,
		  false },
		{ "e.1 later fragment of ICMPv6", "ip6 " S " " D " / frag 8 0 / icmp6 128", false,
		  3, 0, 0, false },
		{ "later fragment of UDP", "ip6 " S " " D " / frag 8 0 / udp", false, 3, 0, 0,
		  true },
		{ "e.2 redirect", "ip6 " S " " D " / icmp6 137", false, 3, 0, 0, false },
		{ "e.3 multicast", "ip6 " S " " M " / udp", false, 3, 0, 0, false },
		{ "e.3 multicast, Packet Too Big", "ip6 " S " " M " / udp", false, 2, 0, 0, true },
		{ "e.3 multicast, option of action 10", "ip6 " S " " M " / dstopt 9e00 / udp",
		  false, 4, 2, 42, true },
		{ "e.3 multicast, option of action 11", "ip6 " S " " M " / dstopt de00 / udp",
		  false, 4, 2, 42, false },
		{ "e.3 pointer beyond the packet", "ip6 " S " " M " / dstopt 9e00 / udp", false, 4,
		  2, 99999, false },
		{ "e.3 multicast, code 0", "ip6 " S " " M " / dstopt 9e00 / udp", false, 4, 0, 42,
		  false },
		{ "e.4 group MAC", "ip6 " S " " D " / udp", true, 3, 0, 0, false },
		{ "e.4 group MAC, Packet Too Big", "ip6 " S " " D " / udp", true, 2, 0, 0, true },
		{ "e.6 source unspecified", "ip6 :: " D " / udp", false, 3, 0, 0, false },
		{ "e.6 source multicast", "ip6 " M " " D " / udp", false, 2, 0, 0, false },
		{ "source loopback", "ip6 ::1 " D " / udp", false, 3, 0, 0, false },
		{ "broken chain", "ip6 " S " " D " / next 43", false, 4, 0, 43, true },
	};
	return ROWS(rows);
}

ParameterizedTest(struct allow_row *r, icmp6, errors_are_allowed)
{
	struct pktb b;
	struct wire_cur c;
	struct ip6_view v;

	pktb_parse(&b, r->packet);
	uint8_t *p = exact_copy(b.buf, b.len);
	c = wire_cur_init(p, b.len);
	cr_assert_eq(ip6_parse(&c, &v), 0);
	cr_assert_eq(icmp6_error_allowed(&v, &c, r->l2_group, r->type, r->code, r->pointer),
		     r->want, "%s\n%s", r->why, pktb_dump(&b));
	free(p);
}

Test(nd, neighbor_solicitation)
{
	struct ip6_addr target = pktb_addr6("2001:db8::2");
	struct mac_addr mac = pktb_mac("02:00:00:00:00:01");
	struct nd_ns_view ns;
	struct nd_na_view na;
	struct parsed v;

	cr_assert_eq(parse_icmp6(golden_nd_ns, sizeof(golden_nd_ns), &v), 0);
	cr_assert_eq(nd_ns_parse(v.ip.hdr, &v.m, &ns), 0);
	cr_assert(ip6_addr_eq(ns.target, &target));
	cr_assert(ns.slla != NULL && mac_eq(ns.slla, &mac));
	cr_assert_not(ns.dad);
	cr_assert_eq(nd_na_parse(v.ip.hdr, &v.m, &na), -EPROTONOSUPPORT);

	cr_assert_eq(parse_icmp6(golden_nd_dad, sizeof(golden_nd_dad), &v), 0);
	cr_assert_eq(nd_ns_parse(v.ip.hdr, &v.m, &ns), 0);
	cr_assert(ns.dad && ns.slla == NULL);
}

Test(nd, neighbor_advertisement)
{
	struct ip6_addr target = pktb_addr6("2001:db8::2");
	struct mac_addr mac = pktb_mac("02:00:00:00:00:02");
	struct nd_na_view na;
	struct parsed v;

	cr_assert_eq(parse_icmp6(golden_nd_na, sizeof(golden_nd_na), &v), 0);
	cr_assert_eq(nd_na_parse(v.ip.hdr, &v.m, &na), 0);
	cr_assert(ip6_addr_eq(na.target, &target));
	cr_assert(na.tlla != NULL && mac_eq(na.tlla, &mac));
	cr_assert(na.router && na.solicited && na.override);
}

Test(nd, router_messages)
{
	struct ip6_addr prefix = pktb_addr6("2001:db8:1::");
	struct mac_addr mac = pktb_mac("02:00:00:00:00:01");
	const struct mac_addr *slla;
	struct nd_ra_view ra;
	struct parsed v;

	cr_assert_eq(parse_icmp6(golden_nd_rs, sizeof(golden_nd_rs), &v), 0);
	cr_assert_eq(nd_rs_parse(v.ip.hdr, &v.m, &slla), 0);
	cr_assert(slla != NULL && mac_eq(slla, &mac));

	cr_assert_eq(parse_icmp6(golden_nd_ra, sizeof(golden_nd_ra), &v), 0);
	cr_assert_eq(nd_ra_parse(v.ip.hdr, &v.m, &ra), 0);
	cr_assert_eq(ra.hop_limit, 64);
	cr_assert(!ra.managed && ra.other);
	cr_assert_eq(ra.lifetime_s, 1800);
	cr_assert_eq(ra.reachable_ms, 30000);
	cr_assert_eq(ra.retrans_ms, 1000);
	cr_assert_eq(ra.opts.mtu, 1492);
	cr_assert_eq(ra.opts.n_prefix, 1);
	cr_assert_eq(ra.opts.prefix[0]->prefix_len, 64);
	cr_assert_eq(ra.opts.prefix[0]->flags, 0xc0);
	cr_assert_eq(be32_get(ra.opts.prefix[0]->valid_s), 86400);
	cr_assert_eq(be32_get(ra.opts.prefix[0]->preferred_s), 14400);
	cr_assert(ip6_addr_eq(&ra.opts.prefix[0]->prefix, &prefix));
	mac.b[5] = 2;
	cr_assert(ra.opts.slla != NULL && mac_eq(ra.opts.slla, &mac));
}

Test(nd, more_prefixes_than_kept)
{
	struct wire_cur c;
	struct nd_opts o;
	uint8_t buf[12 * 32] = { 0 };
	size_t i;

	for (i = 0; i < 12; i++) {
		buf[32 * i] = ND_OPTION_PREFIX;
		buf[32 * i + 1] = 4;
	}
	c = wire_cur_init(buf, sizeof(buf));
	cr_assert_eq(nd_opts_parse(&c, &o), 0);
	cr_assert_eq(o.n_prefix, ND_MAX_PREFIXES);
}

/* which: 0 NS, 1 DAD NS, 2 NA, 3 RS, 4 RA. Octet off of the packet becomes value; the checksum is made right again. */
struct nd_row {
	char why[48];
	uint8_t which, off, value;
	int want;
};

ParameterizedTestParameters(nd, hostile)
{
	static struct nd_row rows[] = {
		{ "NS hop limit 254", 0, 7, 254, -EBADMSG },
		{ "NS code 1", 0, 41, 1, -EBADMSG },
		{ "NS target is multicast", 0, 48, 0xff, -EBADMSG },
		{ "NS option of length 0", 0, 65, 0, -EBADMSG },
		{ "NS option longer than the message", 0, 65, 2, -EBADMSG },
		{ "NS option of length 255", 0, 65, 255, -EBADMSG },
		{ "NS unknown option", 0, 64, 200, 0 },
		{ "DAD hop limit 1", 1, 7, 1, -EBADMSG },
		{ "DAD not to a solicited-node address", 1, 36, 0xfe, -EBADMSG },
		{ "DAD to another solicited-node address", 1, 39, 9, 0 },
		{ "NA hop limit 64", 2, 7, 64, -EBADMSG },
		{ "NA code 2", 2, 41, 2, -EBADMSG },
		{ "NA target is multicast", 2, 48, 0xff, -EBADMSG },
		{ "NA solicited to multicast", 2, 24, 0xff, -EBADMSG },
		{ "NA option of length 0", 2, 65, 0, -EBADMSG },
		{ "RS hop limit 0", 3, 7, 0, -EBADMSG },
		{ "RS code 1", 3, 41, 1, -EBADMSG },
		{ "RS option of length 0", 3, 49, 0, -EBADMSG },
		{ "RS option too long", 3, 49, 2, -EBADMSG },
		{ "RA hop limit 254", 4, 7, 254, -EBADMSG },
		{ "RA code 1", 4, 41, 1, -EBADMSG },
		{ "RA from a global address", 4, 8, 0x20, -EBADMSG },
		{ "RA option of length 0", 4, 57, 0, -EBADMSG },
		{ "RA link-layer address of 16 octets", 4, 57, 2, -EBADMSG },
		{ "RA MTU option of 16 octets", 4, 65, 2, -EBADMSG },
		{ "RA prefix option of 24 octets", 4, 73, 3, -EBADMSG },
		{ "RA prefix length 129", 4, 74, 129, -EBADMSG },
		{ "RA prefix length 128", 4, 74, 128, 0 },
	};
	return ROWS(rows);
}

ParameterizedTest(struct nd_row *r, nd, hostile)
{
	const struct {
		const uint8_t *p;
		size_t len;
	} base[] = {
		{ golden_nd_ns, sizeof(golden_nd_ns) }, { golden_nd_dad, sizeof(golden_nd_dad) },
		{ golden_nd_na, sizeof(golden_nd_na) }, { golden_nd_rs, sizeof(golden_nd_rs) },
		{ golden_nd_ra, sizeof(golden_nd_ra) },
	};
	size_t len = base[r->which].len;
	uint8_t *p = exact_copy(base[r->which].p, len);

	p[r->off] = r->value;
	fix_csum(p, len);
	cr_assert_eq(parse_nd(p, len), r->want, "%s", r->why);
	free(p);
}

Test(nd, unspecified_source_with_an_address_option)
{
	uint8_t *p = exact_copy(golden_nd_ns, sizeof(golden_nd_ns));

	memset(p + 8, 0, 16);
	fix_csum(p, sizeof(golden_nd_ns));
	cr_assert_eq(parse_nd(p, sizeof(golden_nd_ns)), -EBADMSG);
	free(p);
	p = exact_copy(golden_nd_rs, sizeof(golden_nd_rs));
	memset(p + 8, 0, 16);
	fix_csum(p, sizeof(golden_nd_rs));
	cr_assert_eq(parse_nd(p, sizeof(golden_nd_rs)), -EBADMSG);
	free(p);
}

/* An option nobody looks into must still move the walk forward. */
Test(nd, unknown_option_of_length_zero, .timeout = 10)
{
	uint8_t *p = exact_copy(golden_nd_ns, sizeof(golden_nd_ns));

	p[64] = 200;
	p[65] = 0;
	fix_csum(p, sizeof(golden_nd_ns));
	cr_assert_eq(parse_nd(p, sizeof(golden_nd_ns)), -EBADMSG);
	free(p);
}

/* Each message cut anywhere, with payload length and checksum of the shorter one: RFC 4861's minimum lengths and
 * options that end inside. */
Test(nd, cut_with_lengths_and_checksum_right)
{
	const struct {
		const uint8_t *p;
		size_t len, min;
	} base[] = {
		{ golden_nd_ns, sizeof(golden_nd_ns), 64 },
		{ golden_nd_dad, sizeof(golden_nd_dad), 64 },
		{ golden_nd_na, sizeof(golden_nd_na), 64 },
		{ golden_nd_rs, sizeof(golden_nd_rs), 48 },
		{ golden_nd_ra, sizeof(golden_nd_ra), 56 },
	};
	size_t i, n;

	for (i = 0; i < sizeof(base) / sizeof(base[0]); i++)
		for (n = 40; n <= base[i].len; n++) {
			/* whole options only */
			bool ok = n == base[i].len || n == base[i].min ||
				  (i == 4 && (n == 64 || n == 72));
			uint8_t *p = exact_copy(base[i].p, n);

			fix_csum(p, n);
			cr_expect_eq(parse_nd(p, n), ok ? 0 : -EBADMSG, "message %zu, %zu octets",
				     i, n);
			free(p);
		}
}

Test(nd, build_is_the_golden_message)
{
	struct mac_addr m1 = pktb_mac("02:00:00:00:00:01"), m2 = pktb_mac("02:00:00:00:00:02");
	struct nd_fields f = {
		.src = pktb_addr6("fe80::1"),
		.dst = pktb_addr6("ff02::1:ff00:2"),
		.target = pktb_addr6("2001:db8::2"),
		.mac = &m1,
	};
	uint8_t buf[32];

	cr_assert_eq(nd_ns_build(buf, 32, &f), 32);
	cr_assert_arr_eq(buf, golden_nd_ns + 40, 32);
	cr_assert_eq(nd_ns_build(buf, 31, &f), -ENOSPC);
	f.src = pktb_addr6("::");
	cr_assert_eq(nd_ns_build(buf, 32, &f), -EINVAL,
		     "no address option from an unspecified source");
	f.mac = NULL;
	cr_assert_eq(nd_ns_build(buf, 32, &f), 24);
	cr_assert_arr_eq(buf, golden_nd_dad + 40, 24);

	f.src = pktb_addr6("2001:db8::2");
	f.dst = pktb_addr6("fe80::1");
	f.mac = &m2;
	f.flags = ND_NA_ROUTER | ND_NA_SOLICITED | ND_NA_OVERRIDE;
	cr_assert_eq(nd_ns_build(buf, 32, &f), -EINVAL, "no flags in a solicitation");
	cr_assert_eq(nd_na_build(buf, 32, &f), 32);
	cr_assert_arr_eq(buf, golden_nd_na + 40, 32);
	f.dst = pktb_addr6("ff02::1");
	cr_assert_eq(nd_na_build(buf, 32, &f), -EINVAL, "solicited to multicast");
}
