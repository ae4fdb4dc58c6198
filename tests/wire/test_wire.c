/* SPDX-License-Identifier: BSD-3-Clause */
/* Scalars, cursor and checksum arithmetic of wire.h. */
#include "tests/wire/wire_test.h"

Test(wire, scalars_are_big_endian)
{
	const uint8_t want[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	be16_t a = be16_make(0x0102);
	be32_t b = be32_make(0x01020304);
	be64_t c = be64_make(0x0102030405060708);
	uint8_t raw[9] = { 0 };

	cr_assert_arr_eq(&a, want, 2);
	cr_assert_arr_eq(&b, want, 4);
	cr_assert_arr_eq(&c, want, 8);
	cr_assert_eq(be16_get(a), 0x0102);
	cr_assert_eq(be32_get(b), 0x01020304);
	cr_assert_eq(be64_get(c), 0x0102030405060708);
	wire_put64(raw + 1, 0x0102030405060708); /* odd address */
	cr_assert_arr_eq(raw + 1, want, 8);
	cr_assert_eq(wire_get64(raw + 1), 0x0102030405060708);
	wire_put32(raw + 1, 0x01020304);
	wire_put16(raw + 3, 0xa0b0);
	cr_assert_eq(wire_get32(raw + 1), 0x0102a0b0);
	cr_assert_eq(wire_get16(raw + 2), 0x02a0);
}

Test(wire, cursor_never_passes_its_end)
{
	uint8_t buf[4] = { 1, 2, 3, 4 };
	struct wire_cur c = wire_cur_init(buf, sizeof(buf));

	cr_assert_null(wire_pull(&c, 5));
	cr_assert_eq(wire_left(&c), 4, "a refused pull must not move");
	cr_assert_null(wire_pull(&c, SIZE_MAX));
	cr_assert_eq(wire_peek(&c, 4), (void *)buf);
	cr_assert_eq(wire_pull(&c, 3), (void *)buf);
	cr_assert_eq(wire_left(&c), 1);
	cr_assert_eq(wire_trim(&c, 2), -EBADMSG);
	cr_assert_eq(wire_left(&c), 1);
	cr_assert_eq(wire_trim(&c, 0), 0);
	cr_assert_null(wire_peek(&c, 1));
	cr_assert_eq(wire_pull(&c, 0), (void *)(buf + 3));
}

/* The checksum by its definition, one 16-bit word at a time: RFC 1071 section 1. */
static uint16_t slow_csum(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i < len; i++)
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

Test(wire, checksum_matches_definition)
{
	uint8_t buf[1500];
	size_t len, i;
	unsigned seed = 1;

	/* RFC 1071 section 3 */
	const uint8_t rfc[8] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };
	cr_assert_eq(be16_get(hd_csum(rfc, 8)), (uint16_t)~0xddf2);

	for (len = 0; len <= sizeof(buf); len += len < 70 ? 1 : 143) {
		for (i = 0; i < len; i++)
			buf[i] = (uint8_t)(rand_r(&seed) >> 5);
		uint8_t *p = exact_copy(buf, len);
		cr_expect_eq(be16_get(hd_csum(p, len)), slow_csum(p, len), "length %zu", len);
		free(p);
		for (i = 0; i + 3 < len; i += 2) { /* in two pieces, wherever they part */
			uint64_t sum = hd_csum_add(hd_csum_add(0, buf, i), buf + i, len - i);

			cr_expect_eq(be16_get(hd_csum_fold(sum)), slow_csum(buf, len), "%zu + %zu",
				     i, len - i);
		}
	}
	memset(buf, 0xff, sizeof(buf)); /* most carries */
	cr_expect_eq(be16_get(hd_csum(buf, sizeof(buf))), slow_csum(buf, sizeof(buf)));
	cr_expect_eq(be16_get(hd_csum_fold(UINT64_MAX)), 0);
	cr_expect_eq(be16_get(hd_csum_fold(hd_csum_add(UINT64_MAX, buf, 4))), 0,
		     "end-around carry");
}

Test(wire, checksum_update_equals_recomputation)
{
	uint8_t buf[40];
	unsigned seed = 7, round;

	for (round = 0; round < 20000; round++) {
		uint8_t old[4];
		be16_t csum, now;
		size_t i, off = (size_t)(rand_r(&seed) % 9) * 4 + 2,
			  n = 2 + (size_t)(rand_r(&seed) & 2);

		for (i = 0; i < sizeof(buf);
		     i++) /* many zeros and ones: where one's complement has two zeros */
			buf[i] = (uint8_t)(rand_r(&seed) % 3 == 0 ? 0xff :
					   rand_r(&seed) % 3 == 0 ? rand_r(&seed) :
								    0);
		buf[0] = buf[1] = 0;
		csum = hd_csum(buf, sizeof(buf));
		memcpy(buf, &csum, 2);
		memcpy(old, buf + off, n);
		for (i = 0; i < n; i++)
			buf[off + i] = (uint8_t)rand_r(&seed);
		now = hd_csum_update(csum, old, buf + off, n);
		memcpy(buf, &now, 2);
		cr_assert(hd_csum_ok(hd_csum_add(0, buf, sizeof(buf))), "round %u", round);
	}
}

Test(wire, checksum_update_of_rfc1624)
{
	/* RFC 1624 section 4: HC = 0xDD2F, m = 0x5555, m' = 0x3285, and the result must be 0x0000 */
	be16_t r = hd_csum_update16(be16_make(0xdd2f), be16_make(0x5555), be16_make(0x3285));

	cr_assert_eq(be16_get(r), 0x0000);
}

Test(wire, address_classes)
{
	struct ip6_addr any = pktb_addr6("::"), one = pktb_addr6("::1"), ll = pktb_addr6("fe80::1");
	struct ip6_addr mc = pktb_addr6("ff02::1"), ll2 = pktb_addr6("febf::1"),
			site = pktb_addr6("fec0::1");

	cr_assert(ip6_addr_is_unspecified(&any) && !ip6_addr_is_unspecified(&one));
	cr_assert(ip6_addr_is_loopback(&one) && !ip6_addr_is_loopback(&any));
	cr_assert(ip6_addr_is_link_local(&ll) && ip6_addr_is_link_local(&ll2) &&
		  !ip6_addr_is_link_local(&site));
	cr_assert(ip6_addr_is_multicast(&mc) && !ip6_addr_is_multicast(&ll));
	cr_assert(ip4_addr_is_multicast(pktb_addr4("224.0.0.1")) &&
		  ip4_addr_is_multicast(pktb_addr4("239.255.255.255")));
	cr_assert(!ip4_addr_is_multicast(pktb_addr4("240.0.0.1")) &&
		  !ip4_addr_is_multicast(pktb_addr4("223.0.0.1")));
}
