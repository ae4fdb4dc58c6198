/* SPDX-License-Identifier: BSD-3-Clause */
/* Slot table, see slots.h.  The array is reserved at full size at creation, so that readers never see it move; pages
 * are taken as indexes come into use, lowest first. */
#include "dataplane/tables/slots.h"

#include <errno.h>
#include <stdlib.h>

#include "dataplane/rcu.h"
#include "dataplane/result.h"

struct slots *slots_create(uint32_t capacity)
{
	struct slots *t;

	if (capacity == 0 || capacity > HD_RESULT_INDEX_MAX + 1u) {
		errno = EINVAL;
		return NULL;
	}
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return NULL;
	t->capacity = capacity;
	t->slot = calloc(capacity, sizeof(*t->slot));
	t->free_idx = malloc(capacity * sizeof(*t->free_idx));
	if (t->slot == NULL || t->free_idx == NULL)
		goto free_t;
	return t;
free_t:
	free(t->free_idx);
	free(t->slot);
	free(t);
	errno = ENOMEM;
	return NULL;
}

static void table_free(void *p, void *arg)
{
	struct slots *t = p;
	void (*free_fn)(void *) = (void (*)(void *))(uintptr_t)arg;

	for (uint32_t i = 0; i < t->fresh && free_fn != NULL; i++) {
		if (t->slot[i] != NULL)
			free_fn(t->slot[i]);
	}
	free(t->free_idx);
	free(t->slot);
	free(t);
}

void slots_destroy(struct slots *t, void (*free_fn)(void *obj))
{
	/* Behind the indexes of this table that still wait: the queue keeps its order. */
	if (t != NULL)
		rcu_retire_arg(t, (void *)(uintptr_t)free_fn, table_free);
}

int slots_alloc(struct slots *t, uint32_t *ret_idx)
{
	if (t->n_free > 0)
		*ret_idx = t->free_idx[--t->n_free];
	else if (t->fresh < t->capacity)
		*ret_idx = t->fresh++;
	else
		return -ENOSPC;
	t->n_used++;
	return 0;
}

static void *slot_exchange(struct slots *t, uint32_t idx, void *obj)
{
	void *old = t->slot[idx];

	__atomic_store_n(&t->slot[idx], obj, __ATOMIC_RELEASE);
	return old;
}

int slots_set(struct slots *t, uint32_t idx, void *obj, void (*free_fn)(void *obj))
{
	if (idx >= t->fresh)
		return -EINVAL;
	void *old = slot_exchange(t, idx, obj);
	if (old != obj && free_fn != NULL)
		rcu_retire(old, free_fn);
	return 0;
}

static void idx_free(void *p, void *arg)
{
	struct slots *t = arg;

	t->free_idx[t->n_free++] = (uint32_t)(uintptr_t)p;
}

void slots_free(struct slots *t, uint32_t idx, void (*free_fn)(void *obj))
{
	void *old;

	if (idx >= t->fresh)
		return;
	old = slot_exchange(t, idx, NULL);
	t->n_used--;
	if (free_fn != NULL)
		rcu_retire(old, free_fn);
	rcu_retire_arg((void *)(uintptr_t)idx, t, idx_free);
}
