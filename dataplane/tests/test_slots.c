/* SPDX-License-Identifier: BSD-3-Clause */
/* Slot table: indexes, publication, reuse only after a grace period.  Slabs: objects side by side. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "dataplane/rcu.h"
#include "dataplane/tables/slab.h"
#include "dataplane/tables/slots.h"

static unsigned n_freed;

static void note_free(void *p)
{
	n_freed++;
	free(p);
}

Test(slots, refuses_impossible_capacities)
{
	cr_assert_null(slots_create(0));
	cr_assert_eq(errno, EINVAL);
	cr_assert_null(slots_create((1u << 26) + 1));
	slots_destroy(NULL, note_free);
}

Test(slots, lowest_first_until_full)
{
	struct slots *t = slots_create(3);
	uint32_t idx = 99;

	for (uint32_t i = 0; i < 3; i++) {
		cr_assert_eq(slots_alloc(t, &idx), 0);
		cr_assert_eq(idx, i);
	}
	cr_assert_eq(slots_alloc(t, &idx), -ENOSPC);
	cr_assert_eq(idx, 2, "untouched on error");
	slots_free(t, 1, NULL);
	cr_assert_eq(slots_used(t), 2);
	cr_assert_eq(slots_alloc(t, &idx), 0);
	cr_assert_eq(idx, 1);
	slots_destroy(t, NULL);
}

Test(slots, get_answers_null_for_anything_not_set)
{
	struct slots *t = slots_create(2);
	uint32_t idx;
	int obj;

	cr_assert_null(slots_get(t, 0));
	cr_assert_null(slots_get(t, 2));
	cr_assert_null(slots_get(t, UINT32_MAX));
	cr_assert_eq(slots_set(t, 0, &obj, NULL), -EINVAL, "not allocated");
	slots_alloc(t, &idx);
	cr_assert_null(slots_get(t, idx));
	cr_assert_eq(slots_set(t, idx, &obj, NULL), 0);
	cr_assert_eq(slots_get(t, idx), &obj);
	slots_free(t, idx, NULL);
	cr_assert_null(slots_get(t, idx));
	slots_destroy(t, NULL);
}

Test(slots, replaced_objects_are_freed_once)
{
	struct slots *t = slots_create(4);
	uint32_t idx;
	void *a = malloc(1), *b = malloc(1);

	slots_alloc(t, &idx);
	slots_set(t, idx, a, note_free);
	slots_set(t, idx, a, note_free);
	cr_assert_eq(n_freed, 0, "the same object again");
	slots_set(t, idx, b, note_free);
	cr_assert_eq(n_freed, 1);
	slots_destroy(t, note_free);
	cr_assert_eq(n_freed, 2, "destroy frees what is set");
}

Test(slots, a_reader_keeps_object_and_index)
{
	struct slots *t = slots_create(1);
	uint32_t idx, again;

	rcu_init(1);
	rcu_worker_register(0);
	slots_alloc(t, &idx);
	slots_set(t, idx, malloc(1), note_free);
	slots_free(t, idx, note_free);
	rcu_reclaim();
	cr_assert_eq(n_freed, 0);
	cr_assert_eq(slots_used(t), 0);
	cr_assert_eq(slots_alloc(t, &again), -ENOSPC, "a reader may hold the result word");
	rcu_worker_quiescent(0);
	rcu_reclaim();
	cr_assert_eq(n_freed, 1);
	cr_assert_eq(slots_alloc(t, &again), 0);
	cr_assert_eq(again, idx);
	slots_set(t, again, malloc(1), note_free);
	slots_free(t, again, note_free);
	slots_destroy(t, note_free); /* behind the index that waits */
	rcu_worker_unregister(0);
	rcu_fini();
	cr_assert_eq(n_freed, 2);
}

Test(slots, many_indexes_stay_distinct)
{
	enum { N = 10000 };
	struct slots *t = slots_create(N);
	static unsigned char used[N];
	uint32_t idx;

	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < N; i++) {
			cr_assert_eq(slots_alloc(t, &idx), 0);
			cr_assert_eq(used[idx]++, 0);
		}
		cr_assert_eq(slots_alloc(t, &idx), -ENOSPC);
		for (unsigned i = 0; i < N; i++) {
			used[(i * 7) % N]--;
			slots_free(t, (i * 7) % N, NULL);
		}
		cr_assert_eq(slots_used(t), 0);
	}
	slots_destroy(t, NULL);
}

/* ---- slab.h ---- */

Test(slab, objects_apart_and_used_again)
{
	struct slab s = { 0 };
	char *one[3000]; /* more than a chunk of them */
	const size_t size = 1024;

	for (unsigned i = 0; i < 3000; i++) {
		one[i] = slab_get(&s, size);
		cr_assert_not_null(one[i]);
		cr_assert_eq((uintptr_t)one[i] % SLAB_ALIGN, 0);
		memset(one[i], (int)i, size);
	}
	cr_assert_eq((one[1] - one[0]) / (long)SLAB_ALIGN % 2, 1, "an odd number of lines");
	for (unsigned i = 0; i < 3000; i++)
		cr_assert(one[i][0] == (char)i && one[i][size - 1] == (char)i, "object %u", i);
	slab_put(&s, one[7]);
	slab_put(&s, one[9]);
	cr_assert_eq(slab_get(&s, size), one[9]);
	cr_assert_eq(slab_get(&s, size), one[7]);
	cr_assert_neq(slab_get(&s, size), one[7]);
}
