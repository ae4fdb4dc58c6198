/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of SRv6 behaviors: names, flavors, codepoints. */
#include "tests/wire/wire_test.h"

#include <heddle/srv6_behavior.h>

#define PSP  HD_SRV6_FLAVOR_PSP
#define USP  HD_SRV6_FLAVOR_USP
#define USD  HD_SRV6_FLAVOR_USD
#define NEXT HD_SRV6_FLAVOR_NEXT_CSID
#define REPL HD_SRV6_FLAVOR_REPLACE_CSID

struct code_row {
	char name[24];
	uint16_t flavors, code;
};

/* RFC 8986 table 6, typed from there and not from the list under test, and the compressed ones by their ranges. */
ParameterizedTestParameters(srv6_behavior, codepoints)
{
	static struct code_row rows[] = {
		{ "end", 0, 1 },
		{ "end", PSP, 2 },
		{ "end", USP, 3 },
		{ "end", PSP | USP, 4 },
		{ "end.x", 0, 5 },
		{ "end.x", PSP, 6 },
		{ "end.x", USP, 7 },
		{ "end.x", PSP | USP, 8 },
		{ "end.t", 0, 9 },
		{ "end.t", PSP, 10 },
		{ "end.t", USP, 11 },
		{ "end.t", PSP | USP, 12 },
		{ "end.b6.encaps", 0, 14 },
		{ "end.bm", 0, 15 },
		{ "end.dx6", 0, 16 },
		{ "end.dx4", 0, 17 },
		{ "end.dt6", 0, 18 },
		{ "end.dt4", 0, 19 },
		{ "end.dt46", 0, 20 },
		{ "end.dx2", 0, 21 },
		{ "end.dx2v", 0, 22 },
		{ "end.dt2u", 0, 23 },
		{ "end.dt2m", 0, 24 },
		{ "end.b6.encaps.red", 0, 27 },
		{ "end", USD, 28 },
		{ "end", PSP | USD, 29 },
		{ "end", USP | USD, 30 },
		{ "end", PSP | USP | USD, 31 },
		{ "end.x", USD, 32 },
		{ "end.x", PSP | USD, 33 },
		{ "end.x", USP | USD, 34 },
		{ "end.x", PSP | USP | USD, 35 },
		{ "end.t", USD, 36 },
		{ "end.t", PSP | USD, 37 },
		{ "end.t", USP | USD, 38 },
		{ "end.t", PSP | USP | USD, 39 },
		{ "end", NEXT, 43 },
		{ "end", NEXT | PSP, 44 },
		{ "end", NEXT | USP | USD | PSP, 50 },
		{ "end.x", NEXT, 52 },
		{ "end.x", NEXT | PSP | USD, 57 },
		{ "end.dt46", NEXT, 64 },
		{ "end.dt2m", NEXT, 68 },
		{ "end.t", NEXT | PSP | USP | USD, 92 },
		{ "end.b6.encaps.red", NEXT, 94 },
		{ "end", REPL, 101 },
		{ "end.t", REPL | PSP | USP, 112 },
		{ "end.dx6", REPL, 116 },
		{ "end.dt2m", REPL, 124 },
		{ "end.b6.encaps.red", REPL, 127 },
		{ "end", REPL | USD, 128 },
		{ "end.t", REPL | PSP | USP | USD, 139 },
		{ "end.dx4", PSP, 0 }, /* no such thing */
		{ "end.dt6", USD, 0 },
		{ "end", NEXT | REPL, 0 },
		{ "end.b6.encaps", USP, 0 },
		{ "end", 0x8000, 0 },
	};
	return ROWS(rows);
}

ParameterizedTest(struct code_row *r, srv6_behavior, codepoints)
{
	enum hd_srv6_behavior b = hd_srv6_behavior_by_name(r->name), back = HD_SRV6_NONE;
	uint16_t flavors = 0xffff;

	cr_assert_neq(b, HD_SRV6_NONE, "%s", r->name);
	cr_assert_eq(hd_srv6_codepoint(b, r->flavors), r->code, "%s 0x%x", r->name, r->flavors);
	if (r->code == 0)
		return;
	cr_assert_eq(hd_srv6_codepoint_split(r->code, &back, &flavors), 0);
	cr_assert_eq(back, b);
	cr_assert_eq(flavors, r->flavors);
}

/* Every behavior with every set of flavors, legal or not, there and back; no codepoint is used twice. */
Test(srv6_behavior, every_combination_there_and_back)
{
	size_t n, i, n_codes, found = 0;
	const struct hd_srv6_behavior_info *all = hd_srv6_behaviors(&n);
	bool seen[65536] = { false };
	unsigned f, code;

	hd_srv6_codepoints(&n_codes);
	cr_assert_eq(n, 15 + 3, "RFC 8986 section 4 has 15 behaviors; and there are 3 proxies");
	for (i = 0; i < n; i++)
		for (f = 0; f < 32; f++) {
			enum hd_srv6_behavior b = HD_SRV6_NONE;
			uint16_t back = 0xffff, c = hd_srv6_codepoint(all[i].codepoint, f);
			bool both = (f & NEXT) != 0 && (f & REPL) != 0;
			bool legal = (f & ~(unsigned)all[i].flavors) == 0 && !both;

			/* the mask says which flavors exist; whatever it allows has a codepoint, the rest none */
			cr_expect_eq(c != 0, legal, "%s flavors 0x%x", all[i].name, f);
			if (c == 0)
				continue;
			cr_expect_not(seen[c], "codepoint %u twice", c);
			seen[c] = true;
			found++;
			cr_expect_eq(hd_srv6_codepoint_split(c, &b, &back), 0);
			cr_expect(b == all[i].codepoint && back == f, "codepoint %u", c);
		}
	cr_assert_eq(found, n_codes, "a codepoint that no behavior reaches");
	for (code = 0; code < 65536; code++) {
		enum hd_srv6_behavior b = (enum hd_srv6_behavior)77;
		uint16_t back = 0x77;

		cr_expect_eq(hd_srv6_codepoint_split(code, &b, &back), seen[code] ? 0 : -ENOENT);
		if (!seen[code])
			cr_expect(b == 77 && back == 0x77, "outputs changed on an error");
	}
}

Test(srv6_behavior, names_there_and_back)
{
	size_t n, i;
	const struct hd_srv6_behavior_info *all = hd_srv6_behaviors(&n);

	for (i = 0; i < n; i++) {
		cr_expect_eq(hd_srv6_behavior_by_name(all[i].name), all[i].codepoint);
		cr_expect_str_eq(hd_srv6_behavior_name(all[i].codepoint), all[i].name);
		cr_expect_eq(hd_srv6_codepoint(all[i].codepoint, 0), all[i].codepoint, "%s",
			     all[i].name);
	}
	cr_assert_eq(hd_srv6_behavior_by_name("End.DT46"), HD_SRV6_END_DT46);
	cr_assert_eq(hd_srv6_behavior_by_name("end.dt4"), HD_SRV6_END_DT4);
	cr_assert_eq(hd_srv6_behavior_by_name("end.dt"), HD_SRV6_NONE);
	cr_assert_eq(hd_srv6_behavior_by_name(""), HD_SRV6_NONE);
	cr_assert_str_eq(hd_srv6_behavior_name(2), "unknown",
			 "a codepoint with flavors names no plain behavior");
	cr_assert_null(hd_srv6_behavior_info(0));
}

Test(srv6_behavior, arguments)
{
	cr_assert_eq(hd_srv6_behavior_info(HD_SRV6_END)->args, 0);
	cr_assert_eq(hd_srv6_behavior_info(HD_SRV6_END_X)->args, HD_SRV6_ARG_NEXTHOP);
	cr_assert_eq(hd_srv6_behavior_info(HD_SRV6_END_DT46)->args,
		     HD_SRV6_ARG_TABLE4 | HD_SRV6_ARG_TABLE6);
	cr_assert_eq(hd_srv6_behavior_info(HD_SRV6_END_B6_ENCAPS_RED)->args, HD_SRV6_ARG_POLICY);
	cr_assert_str_eq(hd_srv6_behavior_info(HD_SRV6_END_BM)->section, "4.15");
}

Test(srv6_behavior, flavor_names)
{
	char buf[HD_SRV6_FLAVORS_STR_MAX];

	cr_assert_str_eq(hd_srv6_flavors_str(0, buf), "");
	cr_assert_str_eq(hd_srv6_flavors_str(USD | PSP, buf), "psp,usd");
	cr_assert_str_eq(hd_srv6_flavors_str(~0u, buf), "psp,usp,usd,next-csid,replace-csid");
	cr_assert_lt(strlen(buf), sizeof(buf));
	cr_assert_eq(hd_srv6_flavor_by_name("USD"), USD);
	cr_assert_eq(hd_srv6_flavor_by_name("next-csid"), NEXT);
	cr_assert_eq(hd_srv6_flavor_by_name("ps"), 0);
}
