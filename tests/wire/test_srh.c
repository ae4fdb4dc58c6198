/* SPDX-License-Identifier: BSD-3-Clause */
/* Segment Routing Header: structure, list, TLVs, HMAC, builders. */
#include "tests/wire/wire_test.h"

static int parse_srh(const uint8_t *p, size_t len)
{
	struct wire_cur c = wire_cur_init(p, len);
	struct srh_view v;
	int rc = srh_parse(&c, &v);

	if (rc < 0)
		cr_expect_eq(c.p, p, "the cursor moved on an error");
	return rc;
}

Test(srh, golden)
{
	struct wire_cur c = wire_cur_init(golden_srh_udp + 40, sizeof(golden_srh_udp) - 40);
	struct ip6_addr r = pktb_addr6("2001:db8:c::1"), e = pktb_addr6("2001:db8:b::100");
	struct srh_view v;

	cr_assert_eq(srh_parse(&c, &v), 0);
	cr_assert_eq(v.len, 40);
	cr_assert_eq(v.max_last_entry, 1);
	cr_assert(srh_list_ok(&v));
	cr_assert_eq(srh_n_segments(&v), 2);
	cr_assert_eq(srh_tlv_off(&v), 40);
	cr_assert_eq(v.hdr->next_header, IP_NH_UDP);
	cr_assert_eq(v.hdr->segments_left, 1);
	cr_assert_eq(be16_get(v.hdr->tag), 0xbeef);
	cr_assert(ip6_addr_eq(&v.list[0], &r) && ip6_addr_eq(&v.list[1], &e));
	cr_assert_eq(c.p, golden_srh_udp + 80);
	check_truncation("srh", parse_srh, golden_srh_udp + 40, sizeof(golden_srh_udp) - 40, 40);
	check_truncation("srh with TLVs", parse_srh, golden_srh_tlv_in6 + 40, 48, 48);
}

Test(srh, other_routing_types)
{
	unsigned type;

	for (type = 0; type < 256; type++) {
		uint8_t *p = exact_copy(golden_srh_udp + 40, 40);

		p[2] = (uint8_t)type;
		cr_expect_eq(parse_srh(p, 40), type == 4 ? 0 : -EPROTONOSUPPORT, "type %u", type);
		free(p);
	}
}

/* Hdr Ext Len, Last Entry, Segments Left: all of the interesting ones against RFC 8986 section 4.1 S08-S09, and the
 * promise that a list that is ok can be read. */
Test(srh, list_check_is_that_of_the_rfc)
{
	unsigned ext_len, le, sl;

	for (ext_len = 0; ext_len < 256; ext_len += ext_len < 12 || ext_len > 252 ? 1 : 16) {
		uint8_t *p = calloc(1, (ext_len + 1) * 8); /* exactly that size */
		struct wire_cur c = wire_cur_init(p, (ext_len + 1) * 8);
		struct srh_view v;

		p[1] = (uint8_t)ext_len;
		p[2] = SRH_ROUTING_TYPE;
		cr_assert_eq(srh_parse(&c, &v), 0);
		cr_assert_eq(v.len, (ext_len + 1) * 8);
		for (le = 0; le < 256; le++)
			for (sl = 0; sl < 256; sl++) {
				int max_le = (int)(ext_len / 2) - 1;
				bool want = (int)le <= max_le && sl <= le + 1;

				p[3] = (uint8_t)sl;
				p[4] = (uint8_t)le;
				cr_assert_eq(srh_list_ok(&v), want, "Hdr Ext Len %u LE %u SL %u",
					     ext_len, le, sl);
				if (want && sl > 0)
					cr_assert_eq(v.list[sl - 1].b[15], 0);
				cr_assert_leq(srh_tlv_off(&v), v.len);
				cr_assert_eq(srh_n_segments(&v), (int)le <= max_le ? le + 1 : 0);
			}
		free(p);
	}
}

struct list_row {
	char why[48];
	uint8_t ext_len, le, sl;
	bool want;
	int16_t max_le;
};

ParameterizedTestParameters(srh, list)
{
	static struct list_row rows[] = {
		{ "two segments, one left", 4, 1, 1, true, 1 },
		{ "none left", 4, 1, 0, true, 1 },
		{ "reduced: left is last entry + 1", 2, 0, 1, true, 0 },
		{ "left is last entry + 2", 4, 1, 3, false, 1 },
		{ "last entry beyond the header", 4, 2, 1, false, 1 },
		{ "eight octets, no list", 0, 0, 1, false, -1 },
		{ "eight octets, none left", 0, 0, 0, false, -1 },
		{ "half a segment", 1, 0, 1, false, -1 },
		{ "last entry 255", 4, 255, 1, false, 1 },
		{ "left 255", 4, 1, 255, false, 1 },
		{ "127 segments", 254, 126, 127, true, 126 },
		{ "127 segments and a TLV", 255, 126, 127, true, 126 },
		{ "one segment more than fits", 255, 127, 1, false, 126 },
	};
	return ROWS(rows);
}

ParameterizedTest(struct list_row *r, srh, list)
{
	size_t len = (r->ext_len + 1u) * 8;
	uint8_t *p = calloc(1, len);
	struct wire_cur c = wire_cur_init(p, len);
	struct srh_view v;

	p[1] = r->ext_len;
	p[2] = SRH_ROUTING_TYPE;
	p[3] = r->sl;
	p[4] = r->le;
	cr_assert_eq(srh_parse(&c, &v), 0, "%s: the structure is in the packet", r->why);
	cr_assert_eq(v.max_last_entry, r->max_le, "%s", r->why);
	cr_assert_eq(srh_list_ok(&v), r->want, "%s", r->why);
	free(p);
}

static const char *const segs[] = { "2001:db8:b:3::d6", "2001:db8:b:2::100" };

/* An SRH of two segments with TLVs, in a block of exactly its size; free() it. */
static uint8_t *srh_with_tlv(const uint8_t *tlv, size_t len, struct srh_view *ret)
{
	struct wire_cur c;
	struct pktb b;
	uint8_t *p;

	pktb_init(&b);
	pktb_srh(&b, segs, 2, 1);
	pktb_srh_tlv(&b, tlv, len);
	p = exact_copy(b.buf, b.len);
	c = wire_cur_init(p, b.len);
	cr_assert_eq(srh_parse(&c, ret), 0);
	cr_assert_eq(srh_tlv_off(ret), 40);
	return p;
}

struct tlv_row {
	char why[48];
	char tlv[100]; /* hex */
	int want;      /* of srh_tlv_check() without limits */
	int want_lim;  /* with the RFC's own limits */
	unsigned n;    /* TLVs seen, padding included, until the end or the error */
};

ParameterizedTestParameters(srh, tlvs)
{
	static struct tlv_row rows[] = {
		{ "PadN", "04060000 00000000", 0, 1, 1 },
		{ "PadN + PadN of length 0", "04040000 00000400", 0, 0, 2 },
		{ "eight Pad1", "00000000 00000000", 0, 1, 8 },
		{ "one Pad1", "7c050102 03040500", 0, 0, 2 },
		{ "Pad1 twice, apart", "007c0100 007c0100", 0, 0, 4 },
		{ "unknown, fixed", "7c060102 03040506", 0, 0, 1 },
		{ "unknown, mutable", "fc060102 03040506", 0, 0, 1 },
		{ "one octet beyond", "7c070102 03040506", -EBADMSG, -EBADMSG, 0 },
		{ "length 255", "7cff0102 03040506", -EBADMSG, -EBADMSG, 0 },
		{ "PadN beyond", "04070000 00000000", -EBADMSG, -EBADMSG, 0 },
		{ "lone type at the end", "7c050102 03040504", -EBADMSG, -EBADMSG, 1 },
		{ "second TLV beyond", "7c01007c 05010203", -EBADMSG, -EBADMSG, 1 },
		{ "TLV of length 0 at the end", "7c040102 03047c00", 0, 0, 2 },
	};
	return ROWS(rows);
}

ParameterizedTest(struct tlv_row *r, srh, tlvs, .timeout = 10)
{
	const struct srh_tlv_limits rfc = { .pad1_run = 1, .padn_len = 5, .n_tlv = 16 };
	uint8_t tlv[48];
	size_t len = pktb_unhex(r->tlv, tlv, sizeof(tlv));
	unsigned pos, n = 0;
	struct srh_tlv t;
	struct srh_view v;
	uint8_t *p = srh_with_tlv(tlv, len, &v);

	cr_assert_eq(srh_tlv_check(&v, NULL), r->want, "%s", r->why);
	cr_assert_eq(srh_tlv_check(&v, &rfc), r->want_lim, "%s", r->why);
	pos = srh_tlv_off(&v);
	while (srh_tlv_next(&v, &pos, &t) == 1) {
		cr_assert_leq(t.data + t.len, p + v.len);
		n++;
	}
	cr_assert_eq(n, r->n, "%s: %u TLVs", r->why, n);
	free(p);
}

Test(srh, tlv_limit_on_their_number)
{
	const struct srh_tlv_limits lim = { .pad1_run = 1, .padn_len = 5, .n_tlv = 2 };
	uint8_t tlv[24] = { 0x7c, 6, [8] = 0x7d, 6, [16] = 0x7e, 6 };
	struct srh_view v;
	uint8_t *p = srh_with_tlv(tlv, 16, &v);

	cr_assert_eq(srh_tlv_check(&v, &lim), 0);
	free(p);
	p = srh_with_tlv(tlv, 24, &v);
	cr_assert_eq(srh_tlv_check(&v, &lim), 1);
	free(p);
}

Test(srh, no_tlv_is_seen_behind_a_list_that_does_not_fit)
{
	uint8_t tlv[8] = { 0x7c, 255 };
	struct srh_hmac_view m;
	struct srh_view v;
	uint8_t *p = srh_with_tlv(tlv, 8, &v);

	cr_assert_eq(srh_tlv_check(&v, NULL), -EBADMSG);
	p[4] = 9; /* Last Entry: the answer is then Segments Left, not Hdr Ext Len */
	cr_assert_eq(srh_tlv_check(&v, NULL), 0);
	cr_assert_eq(srh_hmac_find(&v, &m), 0);
	free(p);
}

/* RFC 8754 section 2.1.2 has no vector; this one was computed by a stock HMAC library from the text in the RFC's order:
 * key "srv6-test-key-00", SHA-256. */
static const char hmac_text[] = "20010db8000000010000000000000001 01 00 0000 0000002a"
				"20010db8000b000300000000000000d6 20010db8000b00020000000000000100";
static const char hmac_tlv[] = "0526 0000 0000002a"
			       "83f65c997fc132b27df8579e7eed05b1a28acd1692bcb7ba7c714863317a81d6";

Test(srh, hmac_tlv_and_its_text)
{
	struct ip6_addr src = pktb_addr6("2001:db8:0:1::1"), dst = pktb_addr6(segs[1]),
			other = pktb_addr6(segs[0]);
	uint8_t tlv[40], want[64], text[SRH_HMAC_TEXT_MAX];
	struct srh_hmac_view m;
	struct srh_view v;
	uint8_t *p;

	cr_assert_eq(pktb_unhex(hmac_tlv, tlv, sizeof(tlv)), 40);
	p = srh_with_tlv(tlv, 40, &v);
	cr_assert_eq(srh_hmac_find(&v, &m), 1);
	cr_assert_eq(m.off, 40);
	cr_assert_eq(m.hmac_len, 32);
	cr_assert_eq(m.key_id, 0x2a);
	cr_assert_not(m.d);
	cr_assert_eq(m.hmac, p + 48);
	cr_assert_eq(srh_hmac_text(&v, m.tlv, &src, text),
		     pktb_unhex(hmac_text, want, sizeof(want)));
	cr_assert_arr_eq(text, want, 56);
	cr_assert(srh_hmac_dst_ok(&v, &m, &dst));
	cr_assert_not(srh_hmac_dst_ok(&v, &m, &other));
	p[4] = 4; /* Last Entry beyond the header */
	cr_assert_eq(srh_hmac_text(&v, m.tlv, &src, text), 0);
	cr_assert_not(srh_hmac_dst_ok(&v, &m, &dst));
	free(p);
}

Test(srh, hmac_destination_check_of_a_reduced_list)
{
	struct ip6_addr dst = pktb_addr6("2001:db8:b:1::100");
	struct srh_hmac_view m;
	struct srh_view v;
	uint8_t tlv[40], *p;

	pktb_unhex(hmac_tlv, tlv, sizeof(tlv));
	p = srh_with_tlv(tlv, 40, &v);
	p[3] = 2; /* Segments Left = Last Entry + 1 */
	cr_assert_eq(srh_hmac_find(&v, &m), 1);
	cr_assert_not(srh_hmac_dst_ok(&v, &m, &dst), "D is 0");
	p[42] = 0x80;
	cr_assert_eq(srh_hmac_find(&v, &m), 1);
	cr_assert(m.d);
	cr_assert(srh_hmac_dst_ok(&v, &m, &dst));
	p[3] = 1; /* D does not excuse a later segment */
	cr_assert_not(srh_hmac_dst_ok(&v, &m, &dst));
	free(p);
}

struct hmac_row {
	char why[48];
	char tlv[120]; /* hex */
	int want;
	uint16_t off;
};

ParameterizedTestParameters(srh, hmac_hostile)
{
	static struct hmac_row rows[] = {
		{ "8 octets", "050e0000 00000001 0102030405060708", 1, 40 },
		{ "behind padding", "04060000 00000000 050e0000 00000001 0102030405060708", 1, 48 },
		{ "none", "7c060102 03040506", 0, 0 },
		{ "no HMAC octets", "05060000 00000001", -EBADMSG, 40 },
		{ "length below 6", "05050000 00000000", -EBADMSG, 40 },
		{ "length 0", "05000406 00000000", -EBADMSG, 40 },
		{ "7 octets", "050d0000 00000001 0102030405060700", -EBADMSG, 40 },
		{ "one octet beyond", "050f0000 00000001 0102030405060708", -EBADMSG, 40 },
		{ "40 octets",
		  "052e0000 00000001 0102030405060708 0102030405060708 0102030405060708"
		  "0102030405060708 0102030405060708",
		  -EBADMSG, 40 },
		{ "a TLV in front of it overruns", "7cff0000 00000001 0102030405060708", -EBADMSG,
		  40 },
	};
	return ROWS(rows);
}

ParameterizedTest(struct hmac_row *r, srh, hmac_hostile)
{
	struct srh_hmac_view m = { 0 };
	struct srh_view v;
	uint8_t tlv[64];
	size_t len = pktb_unhex(r->tlv, tlv, sizeof(tlv));
	uint8_t *p = srh_with_tlv(tlv, len, &v);

	cr_assert_eq(srh_hmac_find(&v, &m), r->want, "%s", r->why);
	cr_assert_eq(m.off, r->off, "%s: offset %u", r->why, m.off);
	free(p);
}

Test(srh, build_is_the_golden_header)
{
	struct ip6_addr seg[2] = { pktb_addr6("2001:db8:b::100"), pktb_addr6("2001:db8:c::1") };
	const uint8_t tlv[8] = { 0x7c, 4, 'a', 'b', 'c', 'd', 4, 0 };
	struct srh_fields f = {
		.form = SRH_FULL,
		.next_header = IP_NH_UDP,
		.tag = 0xbeef,
		.seg = seg,
		.n_seg = 2,
	};
	uint8_t buf[48];

	cr_assert_eq(srh_build_len(&f), 40);
	cr_assert_eq(srh_build(buf, 40, &f), 40);
	cr_assert_arr_eq(buf, golden_srh_udp + 40, 40);
	cr_assert_eq(srh_build(buf, 39, &f), -ENOSPC);
	f.tag = 0;
	f.next_header = IP_NH_IP6;
	f.tlv = tlv;
	f.tlv_len = 8;
	cr_assert_eq(srh_build(buf, 48, &f), 48);
	cr_assert_arr_eq(buf, golden_srh_tlv_in6 + 40, 48);
	f.tlv_len = 7;
	cr_assert_eq(srh_build(buf, 48, &f), -EINVAL);
}

Test(srh, build_reduced)
{
	struct ip6_addr seg[3] = { pktb_addr6("2001:db8::a1"), pktb_addr6("2001:db8::a2"),
				   pktb_addr6("2001:db8::a3") };
	struct srh_fields f = {
		.form = SRH_REDUCED, .next_header = IP_NH_IP6, .seg = seg, .n_seg = 3
	};
	uint8_t buf[56];
	struct srh_view v;
	struct wire_cur c = wire_cur_init(buf, sizeof(buf));

	/* sheet of RFC 8986 section 5.2: [S3, S2], Segments Left 2, Last Entry 1 */
	cr_assert_eq(srh_build(buf, sizeof(buf), &f), 40);
	cr_assert_eq(srh_parse(&c, &v), 0);
	cr_assert(srh_list_ok(&v));
	cr_assert_eq(v.hdr->hdr_ext_len, 4);
	cr_assert_eq(v.hdr->segments_left, 2);
	cr_assert_eq(v.hdr->last_entry, 1);
	cr_assert(ip6_addr_eq(&v.list[0], &seg[2]) && ip6_addr_eq(&v.list[1], &seg[1]));
	f.n_seg = 1; /* there is no reduced list of one segment */
	cr_assert_eq(srh_build(buf, sizeof(buf), &f), 24);
	cr_assert_eq(buf[3], 0);
	cr_assert_eq(buf[4], 0);
	cr_assert_arr_eq(buf + 8, &seg[0], 16);
}

Test(srh, every_size_that_is_built_is_parsed_again)
{
	static struct ip6_addr seg[129];
	static uint8_t tlv[2048];
	unsigned n, form;
	size_t t;

	for (n = 0; n < 129; n++)
		wire_put32(seg[n].b + 12, n + 1);
	for (t = 0; t < sizeof(tlv); t += 8) {
		tlv[t] = SRH_TLV_PADN;
		tlv[t + 1] = 6;
	}
	for (form = SRH_FULL; form <= SRH_REDUCED; form++)
		for (n = 0; n <= 129; n++)
			for (t = 0; t <= 2048; t += 8) {
				struct srh_fields f = { .form = form,
							.seg = seg,
							.n_seg = n,
							.tlv = tlv,
							.tlv_len = t };
				unsigned n_list = form == SRH_REDUCED && n > 1 ? n - 1 : n;
				size_t want = 8 + 16 * n_list + t;
				struct srh_view v;
				struct wire_cur c;
				uint8_t *p;
				int rc;

				if (n == 0 || n_list > 127 || want > 2048) {
					cr_assert_eq(srh_build_len(&f), 0,
						     "%u segments, %zu octets", n, t);
					cr_assert_eq(srh_build(NULL, SIZE_MAX, &f), -EINVAL);
					continue;
				}
				p = malloc(want);
				rc = srh_build(p, want, &f);
				cr_assert_eq(rc, (int)want, "%u segments, %zu octets: %d", n, t,
					     rc);
				c = wire_cur_init(p, want);
				cr_assert_eq(srh_parse(&c, &v), 0);
				cr_assert_eq(wire_left(&c), 0);
				cr_assert(srh_list_ok(&v));
				cr_assert_eq(v.hdr->segments_left, n - 1);
				cr_assert_eq(srh_n_segments(&v), n_list);
				cr_assert(ip6_addr_eq(&v.list[0], &seg[n - 1]));
				cr_assert_eq(srh_tlv_check(&v, NULL), 0);
				free(p);
				if (n > 3 && n < 120 && t > 16 && t < 1000)
					t += 512;
			}
}
