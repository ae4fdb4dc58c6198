/* SPDX-License-Identifier: BSD-3-Clause */
/* STAMP: time formats, error estimate, TLV walk. */
#include "tests/wire/wire_test.h"

#include <heddle/wire/stamp.h>

#define NOW 1790000000123456789ull /* 2026 */

Test(stamp, timestamps_there_and_back)
{
	static const uint64_t at[] = { NOW,
				       1000000000000000000ull,
				       1999999999999999999ull,
				       2085978495999999999ull,
				       2085978496000000000ull,
				       2085978497500000000ull }; /* the last three: NTP's era */

	for (unsigned i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		int64_t ntp = stamp_ts_ns(stamp_ntp_make(at[i]), false, 37, NOW);
		int64_t ptp = stamp_ts_ns(stamp_ptp_make(at[i], 37), true, 37, NOW);

		cr_expect_leq(llabs(ntp - (int64_t)at[i]), 1, "NTP counts in 0.23 ns");
		cr_expect_eq(ptp, (int64_t)at[i]);
	}
	cr_assert_eq(stamp_ntp_make(0), 2208988800ull << 32);
	cr_assert_eq(stamp_ntp_make(500000000), 2208988800ull << 32 | 0x80000000);
	cr_assert_eq(stamp_ptp_make(1, 37), 37ull << 32 | 1);
}

Test(stamp, delays_across_the_era_change)
{
	uint64_t edge =
		2085978496000000000ull; /* 2036-02-07 06:28:16 UTC: NTP's seconds start again at 0 */
	uint64_t before = stamp_ntp_make(edge - 400000), after = stamp_ntp_make(edge + 600000);

	cr_assert_gt(before, after);
	cr_assert_leq(llabs(stamp_ts_ns(after, false, 37, edge) -
			    stamp_ts_ns(before, false, 37, edge) - 1000000),
		      1);
}

Test(stamp, error_estimate)
{
	cr_assert_eq(stamp_error_ns(0x8801), 60, "2^-24 s is 59.6 ns");
	cr_assert_eq(stamp_error_make(1, true, false) & ~0xffu, 0x8000);
	cr_assert_eq(stamp_error_make(0, false, true), 0x4001, "never zero");
	for (uint64_t ns = 1; ns < 1ull << 62; ns = ns * 3 + 1) {
		uint16_t e = stamp_error_make(ns, false, false);

		cr_expect_neq(e & STAMP_ERR_MULTIP, 0);
		cr_expect_geq(stamp_error_ns(e), ns);
		cr_expect_leq((double)stamp_error_ns(e), (double)ns * 1.02 + 2, "%llu",
			      (unsigned long long)ns);
	}
	cr_assert_eq(stamp_error_ns(0x3fff), UINT64_MAX);
}

static int walk(const uint8_t *p, size_t len)
{
	struct wire_cur c = wire_cur_init(p, len);
	const struct stamp_tlv *t;
	int rc, n = 0;

	while ((rc = stamp_tlv_next(&c, &t)) == 1)
		n++;
	return rc < 0 ? rc : n;
}

Test(stamp, tlvs)
{
	uint8_t buf[64], *p;
	size_t len = 0;

	cr_assert_eq(stamp_tlv_build(buf, 7, 1, NULL, 4), -ENOSPC);
	len += (size_t)stamp_tlv_build(buf, sizeof(buf), STAMP_TLV_COS, "abcd", 4);
	len += (size_t)stamp_tlv_build(buf + len, sizeof(buf) - len, STAMP_TLV_PADDING, NULL, 0);
	len += (size_t)stamp_tlv_build(buf + len, sizeof(buf) - len, STAMP_TLV_FOLLOW_UP, NULL, 16);
	cr_assert_eq(len, 8 + 4 + 20);
	cr_assert_arr_eq(buf, "\x80\4\0\4abcd\x80\1\0\0", 12);
	for (size_t n = 0; n <= len; n++) {
		p = exact_copy(buf, n);
		cr_expect_eq(walk(p, n),
			     n == 0   ? 0 :
			     n == 8   ? 1 :
			     n == 12  ? 2 :
			     n == len ? 3 :
					-EBADMSG,
			     "%zu", n);
		free(p);
	}
}
