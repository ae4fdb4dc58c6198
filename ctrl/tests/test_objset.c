/* SPDX-License-Identifier: BSD-3-Clause
 * Object sets: order, duplicates, differences. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/objset.h"

static void describe(const void *body, char *buf, size_t size)
{
	snprintf(buf, size, "%u", *(const uint8_t *)body);
}

static const struct ctrl_kind kind_a = { 0x101, 1, 8, "a", describe };
static const struct ctrl_kind kind_b = { 0x201, 1, 8, "b", describe };

static void add(struct objset *s, const struct ctrl_kind *k, uint8_t key, uint8_t value,
		size_t size)
{
	uint8_t body[8] = { key, value };

	cr_assert_eq(objset_add(s, k, body, size, NULL), 0);
}

static void sorted(struct objset *s)
{
	const struct object *a, *b;

	cr_assert_eq(objset_sort(s, &a, &b), 0);
}

struct seen {
	char text[200];
};

static int note(const struct object *old, const struct object *new, void *arg)
{
	struct seen *s = arg;
	const struct object *o = new != NULL ? new : old;
	size_t n = strlen(s->text);

	snprintf(s->text + n, sizeof(s->text) - n, "%c%s%u ",
		 old == NULL ? '+' :
		 new == NULL ? '-' :
			       '~',
		 o->kind->name, o->body[0]);
	return 0;
}

Test(objset, differences)
{
	struct objset x, y;
	struct seen s = { "" };

	objset_init(&x);
	objset_init(&y);
	add(&x, &kind_b, 1, 1, 2);
	add(&x, &kind_a, 2, 1, 2);
	add(&x, &kind_a, 1, 1, 2);
	add(&x, &kind_a, 3, 1, 2);
	add(&y, &kind_a, 3, 2, 2);
	add(&y, &kind_b, 2, 1, 2);
	add(&y, &kind_a, 1, 1, 8); /* longer, but zero: the same */
	add(&y, &kind_b, 1, 1, 2);
	sorted(&x);
	sorted(&y);
	objset_diff(&x, &y, note, &s);
	cr_assert_str_eq(s.text, "-a2 ~a3 +b2 ");
	s.text[0] = '\0';
	objset_diff(&x, &x, note, &s);
	cr_assert_str_eq(s.text, "");
	objset_fini(&x);
	objset_fini(&y);
}

Test(objset, empty_sets)
{
	struct objset x, y;
	struct seen s = { "" };

	objset_init(&x);
	objset_init(&y);
	add(&y, &kind_a, 1, 0, 1);
	sorted(&x);
	sorted(&y);
	objset_diff(&x, &y, note, &s);
	objset_diff(&y, &x, note, &s);
	objset_diff(&x, &x, note, &s);
	cr_assert_str_eq(s.text, "+a1 -a1 ");
	cr_assert_null(objset_find(&x, &kind_a, (uint8_t[]){ 1 }));
	cr_assert_not_null(objset_find(&y, &kind_a, (uint8_t[]){ 1 }));
	objset_fini(&x);
	objset_fini(&y);
}

Test(objset, identical_become_one_and_contradictions_are_found)
{
	struct objset s;
	const struct object *a = NULL, *b = NULL;

	objset_init(&s);
	add(&s, &kind_a, 1, 5, 2);
	add(&s, &kind_a, 1, 5, 3);
	sorted(&s);
	cr_assert_eq(s.n, 1);
	add(&s, &kind_a, 1, 6, 2);
	cr_assert_eq(objset_sort(&s, &a, &b), -EEXIST);
	cr_assert_eq(a->body[0], 1);
	objset_fini(&s);
}

Test(objset, sizes_are_checked)
{
	struct objset s;
	uint8_t body[16] = { 0 };

	objset_init(&s);
	cr_assert_eq(objset_add(&s, &kind_a, body, 0, NULL), -EMSGSIZE);
	cr_assert_eq(objset_add(&s, &kind_a, body, 9, NULL), -EMSGSIZE);
	cr_assert_eq(s.error, -EMSGSIZE);
	objset_fini(&s);
}

/* Applying the difference of two random sets to the one gives the other. */
static int apply(const struct object *old, const struct object *new, void *arg)
{
	uint8_t *table = arg;

	if (new != NULL)
		table[new->body[0]] = new->body[1];
	else
		table[old->body[0]] = 0;
	return 0;
}

Test(objset, random_differences)
{
	unsigned seed = 20261124;

	for (int round = 0; round < 500; round++) {
		uint8_t from[256] = { 0 }, to[256] = { 0 };
		struct objset x, y;
		objset_init(&x);
		objset_init(&y);
		for (int i = 0; i < 200; i++) {
			uint8_t k = (uint8_t)rand_r(&seed);
			if (rand_r(&seed) & 1)
				from[k] = (uint8_t)(1 + rand_r(&seed) % 3);
			else
				to[k] = (uint8_t)(1 + rand_r(&seed) % 3);
		}
		for (int k = 0; k < 256; k++) {
			if (from[k] != 0)
				add(&x, &kind_a, (uint8_t)k, from[k], 2);
			if (to[255 - k] != 0)
				add(&y, &kind_a, (uint8_t)(255 - k), to[255 - k], 2);
		}
		sorted(&x);
		sorted(&y);
		objset_diff(&x, &y, apply, from);
		cr_assert_arr_eq(from, to, 256, "seed 20261124, round %d", round);
		objset_fini(&x);
		objset_fini(&y);
	}
}
