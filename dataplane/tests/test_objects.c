/* SPDX-License-Identifier: BSD-3-Clause
 * The object registry's promises, with two small kinds: a box (rank 10) and a ball (rank 20) that lies in a box. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/log.h"
#include "dataplane/objects.h"

#define BOX  0x7f1
#define BALL 0x7f2

struct box {
	uint32_t id, colour;
};
struct ball {
	uint32_t id, box, weight, extra;
};

static char journal[512];   /* what was applied and removed, in order */
static int refuse_apply_of; /* ball id whose apply fails */

static void note(const char *what, uint32_t id)
{
	size_t n = strlen(journal);

	snprintf(journal + n, sizeof(journal) - n, "%s%u ", what, id);
}

static int box_apply(const void *m, const void *old, struct object_error *err)
{
	(void)old;
	(void)err;
	note(((const struct box *)m)->colour == 0 ? "box" : "BOX", ((const struct box *)m)->id);
	return 0;
}
static void box_remove(const void *m)
{
	note("-box", ((const struct box *)m)->id);
}
static int ball_check(const void *m, const void *old, struct object_error *err)
{
	const struct ball *b = m;

	(void)old;
	if (b->weight > 100)
		return object_fail(err, -EINVAL, "ball %u: weight %u is more than 100", b->id,
				   b->weight);
	return 0;
}
static int ball_apply(const void *m, const void *old, struct object_error *err)
{
	const struct ball *b = m;

	(void)old;
	if (refuse_apply_of != 0 && b->id == (uint32_t)refuse_apply_of)
		return object_fail(err, -EIO, "device refuses ball %u", b->id);
	note("ball", b->id);
	return 0;
}
static void ball_remove(const void *m)
{
	note("-ball", ((const struct ball *)m)->id);
}
static unsigned ball_refs(const void *m, struct object_ref *ref)
{
	memset(ref, 0, sizeof(*ref));
	ref->type = BOX;
	memcpy(ref->key, &((const struct ball *)m)->box, 4);
	return 1;
}

static const struct object_kind box_kind = { .type = BOX,
					     .rank = 10,
					     .name = "box",
					     .key_size = 4,
					     .min_size = 8,
					     .max_size = 8,
					     .apply = box_apply,
					     .remove = box_remove,
					     .capacity = 4 };
static const struct object_kind ball_kind = { .type = BALL,
					      .rank = 20,
					      .name = "ball",
					      .key_size = 4,
					      .min_size = 12,
					      .max_size = 16,
					      .check = ball_check,
					      .apply = ball_apply,
					      .remove = ball_remove,
					      .refs = ball_refs };

static void setup(void)
{
	log_set_level(LOG_LVL_ERROR);
	objects_init();
	cr_assert_eq(object_kind_register(&box_kind), 0);
	cr_assert_eq(object_kind_register(&ball_kind), 0);
	cr_assert_eq(object_kind_register(&ball_kind), -EEXIST);
	journal[0] = '\0';
	refuse_apply_of = 0;
}

TestSuite(objects, .init = setup, .fini = objects_fini);

static struct object_txn *t;
static struct hd_api_reply r;
static uint64_t epoch = 1;

static void begin(void)
{
	t = object_txn_begin();
}
static void box(uint32_t id, uint32_t colour, bool del)
{
	struct box b = { id, colour };

	object_txn_add(t, BOX, 100 + id, del, &b, del ? 4 : sizeof(b), epoch);
}
static void ball(uint32_t id, uint32_t in, uint32_t weight, bool del)
{
	struct ball b = { id, in, weight, 0 };

	object_txn_add(t, BALL, 200 + id, del, &b, del ? 4 : 12, epoch);
}
static int commit(void)
{
	journal[0] = '\0';
	return object_txn_commit(t, &r);
}

Test(objects, order_inside_a_transaction_does_not_matter)
{
	begin();
	ball(1, 7, 5, false); /* before its box */
	box(7, 0, false);
	cr_assert_eq(commit(), 0, "%s", r.text);
	cr_assert_str_eq(journal, "box7 ball1 ");
	cr_assert_eq(r.n_set, 2);

	begin();
	box(7, 0, true); /* before its ball */
	ball(1, 0, 0, true);
	cr_assert_eq(commit(), 0, "%s", r.text);
	cr_assert_str_eq(journal, "-ball1 -box7 ");
	cr_assert_eq(objects_count(0), 0);
}

Test(objects, identical_replay_touches_nothing)
{
	begin();
	box(1, 0, false);
	ball(1, 1, 5, false);
	cr_assert_eq(commit(), 0);
	begin();
	box(1, 0, false);
	ball(1, 1, 5, false);
	cr_assert_eq(commit(), 0);
	cr_assert_str_eq(journal, "");
	cr_assert_eq(r.n_unchanged, 2);
	begin();
	box(1, 9, false);
	cr_assert_eq(commit(), 0);
	cr_assert_str_eq(journal, "BOX1 ");
}

Test(objects, refused_transaction_changes_nothing_and_names_the_message)
{
	begin();
	box(1, 0, false);
	cr_assert_eq(commit(), 0);

	begin();
	box(2, 0, false);
	ball(1, 2, 5, false);
	ball(3, 2, 101, false); /* refused by check */
	box(1, 0, true);
	cr_assert_eq(commit(), -EINVAL);
	cr_assert_eq(r.failed_seq, 203);
	cr_assert_eq(r.failed_type, BALL);
	cr_assert_str_eq(r.text, "ball 3: weight 101 is more than 100");
	cr_assert_str_eq(journal, "");
	cr_assert_eq(objects_count(0), 1);
	cr_assert_null(object_find(BOX, &(uint32_t){ 2 }));
}

Test(objects, device_refusal_is_undone)
{
	begin();
	box(1, 0, false);
	ball(1, 1, 5, false);
	cr_assert_eq(commit(), 0);

	refuse_apply_of = 9;
	begin();
	box(1, 3, false);     /* replaced, then put back */
	box(2, 0, false);     /* new, then removed */
	ball(9, 2, 1, false); /* refused by apply */
	ball(1, 0, 0, true);  /* never reached */
	cr_assert_eq(commit(), -EIO);
	cr_assert_str_eq(journal, "BOX1 box2 -box2 box1 ");
	cr_assert_eq(objects_count(BOX), 1);
	cr_assert_eq(objects_count(BALL), 1);
	cr_assert_eq(r.failed_seq, 209);

	/* References are as before too: the box is still held by its ball. */
	begin();
	box(1, 0, true);
	cr_assert_eq(commit(), -EBUSY);
}

Test(objects, references)
{
	begin();
	ball(1, 5, 1, false);
	cr_assert_eq(commit(), -ENOENT);
	cr_assert_str_eq(r.text, "ball refers to box 5, which does not exist");

	begin();
	box(5, 0, false);
	box(6, 0, false);
	ball(1, 5, 1, false);
	cr_assert_eq(commit(), 0);
	begin();
	box(5, 0, true);
	cr_assert_eq(commit(), -EBUSY);
	cr_assert_str_eq(r.text, "box is still used by 1 objects");
	begin(); /* move the ball and remove the old box in one go */
	box(5, 0, true);
	ball(1, 6, 1, false);
	cr_assert_eq(commit(), 0, "%s", r.text);
	begin(); /* a ball into a box that the same transaction deletes */
	box(6, 0, true);
	ball(2, 6, 1, false);
	cr_assert_eq(commit(), -ENOENT);
}

Test(objects, capacity)
{
	begin();
	for (uint32_t i = 1; i <= 5; i++)
		box(i, 0, false);
	cr_assert_eq(commit(), -ENOSPC);
	cr_assert_eq(objects_count(0), 0);
	begin();
	for (uint32_t i = 1; i <= 4; i++)
		box(i, 0, false);
	cr_assert_eq(commit(), 0);
	begin(); /* full, but one goes and one comes */
	box(4, 0, true);
	box(5, 0, false);
	cr_assert_eq(commit(), 0, "%s", r.text);
}

Test(objects, delete_of_what_is_absent_succeeds)
{
	begin();
	box(1, 0, true);
	ball(4, 0, 0, true);
	cr_assert_eq(commit(), 0);
	cr_assert_eq(r.n_del, 0);
}

Test(objects, last_message_of_a_key_wins)
{
	begin();
	box(1, 0, false);
	box(1, 8, false);
	box(2, 0, false);
	box(2, 0, true);
	cr_assert_eq(commit(), 0);
	cr_assert_str_eq(journal, "BOX1 ");
	cr_assert_eq(objects_count(0), 1);
}

Test(objects, epoch_sweeps_what_was_not_refreshed)
{
	begin();
	box(1, 0, false);
	box(2, 0, false);
	ball(1, 2, 1, false);
	cr_assert_eq(commit(), 0);
	epoch = 2;
	begin();
	box(1, 0, false);
	cr_assert_eq(commit(), 0);
	journal[0] = '\0';
	cr_assert_eq(objects_sweep(2, &r), 0);
	cr_assert_str_eq(journal, "-ball1 -box2 ");
	cr_assert_eq(r.n_del, 2);
	cr_assert_eq(objects_count(0), 1);
}

struct size_row {
	char why[48];
	uint16_t type;
	uint32_t size;
	uint8_t tail; /* value of octets beyond the struct */
	int want;
};
ParameterizedTestParameters(objects, message_sizes)
{
	static struct size_row rows[] = {
		{ "unknown kind", 0x7ff, 16, 0, -EPROTO },
		{ "key cut", BALL, 3, 0, -EMSGSIZE },
		{ "shorter than the shortest", BALL, 11, 0, -EMSGSIZE },
		{ "old, shorter form", BALL, 12, 0, 0 },
		{ "ours", BALL, 16, 0, 0 },
		{ "newer with a zero tail", BALL, 24, 0, 0 },
		{ "newer that says more", BALL, 24, 1, -E2BIG },
	};
	return cr_make_param_array(struct size_row, rows, sizeof(rows) / sizeof(rows[0]));
}
ParameterizedTest(struct size_row *row, objects, message_sizes)
{
	uint8_t body[64];
	struct ball b = { 1, 1, 1, 0 };

	memset(body, row->tail, sizeof(body));
	memcpy(body, &b, sizeof(b));
	begin();
	box(1, 0, false);
	object_txn_add(t, row->type, 7, false, body, row->size, epoch);
	cr_assert_eq(commit(), row->want, "%s: %s", row->why, r.text);
	if (row->want < 0) {
		cr_assert_eq(r.failed_seq, 7);
		cr_assert_eq(objects_count(0), 0);
	}
}

Test(objects, many_objects_keep_their_keys)
{
	begin();
	box(1, 0, false);
	for (uint32_t i = 0; i < 20000; i++)
		ball(i, 1, i % 100, false);
	cr_assert_eq(commit(), 0);
	for (uint32_t i = 0; i < 20000; i++) {
		const struct ball *b = object_find(BALL, &i);
		cr_assert(b != NULL && b->id == i && b->weight == i % 100);
	}
	begin();
	box(1, 0, true);
	cr_assert_eq(commit(), -EBUSY);
	cr_assert_str_eq(r.text, "box is still used by 20000 objects");
}
