/* SPDX-License-Identifier: BSD-3-Clause
 * The table of drops by object: one row each, slices apart, and what happens when it is full. */
#include <criterion/criterion.h>
#include <string.h>

#include "dataplane/object_drops.h"
#include "dataplane/stats.h"

static const struct hd_stats_vec *vec;

static void setup(void)
{
	cr_assert_eq(stats_init(1), 0);
	cr_assert_geq(object_drops_init(), 0);
	vec = &hd_stats_vecs(stats_hdr())[stats_hdr()->n_vecs - 1];
}

TestSuite(object_drops, .init = setup, .fini = stats_fini);

static uint64_t sum_of(uint64_t key, uint32_t col)
{
	uint64_t sum = 0;

	for (uint32_t s = 0; s < vec->n_slices; s++)
		for (uint32_t r = 0; r < vec->n_rows; r++)
			if (*hd_stats_cell(stats_hdr(), vec, s, r, HD_DROP_KEY) == key)
				sum += *hd_stats_cell(stats_hdr(), vec, s, r, col);
	return sum;
}

Test(object_drops, key_holds_all_parts)
{
	uint64_t key = hd_drop_key(127, 0xfedcba98, 126, 0x1234);

	cr_assert_eq(hd_drop_object_vec(key), 127);
	cr_assert_eq(hd_drop_object(key), 0xfedcba98);
	cr_assert_eq(hd_drop_verdict_vec(key), 126);
	cr_assert_eq(hd_drop_verdict(key), 0x1234);
	cr_assert_neq(hd_drop_key(0, 0, 0, 0), 0, "no row looks free");
}

Test(object_drops, by_object_and_reason)
{
	struct worker w = { .id = 0 }, hidden = { .id = stats_hidden_slice() };
	struct node_slot s = { .worker = &w, .vec = 3 }, h = { .worker = &hidden, .vec = 3 };

	object_drop(&s, (struct object_name){ 5, 70 }, 9, 100);
	object_drop(&s, (struct object_name){ 5, 70 }, 9, 60);
	object_drop(&s, (struct object_name){ 5, 70 }, 8, 1);
	object_drop(&s, (struct object_name){ 6, 70 }, 9, 2);
	object_drop(&h, (struct object_name){ 5, 70 }, 9, 1000); /* explain: no reader adds it up */
	cr_assert_eq(sum_of(hd_drop_key(5, 70, 3, 9), HD_DROP_PACKETS), 2);
	cr_assert_eq(sum_of(hd_drop_key(5, 70, 3, 9), HD_DROP_OCTETS), 160);
	cr_assert_eq(sum_of(hd_drop_key(5, 70, 3, 8), HD_DROP_PACKETS), 1);
	cr_assert_eq(sum_of(hd_drop_key(6, 70, 3, 9), HD_DROP_OCTETS), 2);
	cr_assert_eq(sum_of(0, HD_DROP_PACKETS), 0);
}

/* Three times as many objects as rows: nothing is lost, the rest is in row 0, and nobody's count is wrong. */
Test(object_drops, full)
{
	struct worker w = { .id = 0 };
	struct node_slot s = { .worker = &w, .vec = 3 };
	uint64_t apart = 0, rest;

	for (unsigned turn = 0; turn < 2; turn++)
		for (uint32_t id = 0; id < 3 * HD_DROP_ROWS; id++)
			object_drop(&s, (struct object_name){ 5, id }, 9, 10);
	for (uint32_t r = 1; r < vec->n_rows; r++) {
		uint64_t n = *hd_stats_cell(stats_hdr(), vec, 0, r, HD_DROP_PACKETS);

		cr_assert(n == 0 || n == 2, "row %u has %llu", r, (unsigned long long)n);
		apart += n;
	}
	rest = *hd_stats_cell(stats_hdr(), vec, 0, 0, HD_DROP_PACKETS);
	cr_assert_eq(apart + rest, 6ull * HD_DROP_ROWS);
	cr_assert_eq(*hd_stats_cell(stats_hdr(), vec, 0, 0, HD_DROP_KEY), 0);
	cr_assert_gt(apart, 2ull * HD_DROP_ROWS * 9 / 10, "%llu rows used",
		     (unsigned long long)apart / 2);
}
