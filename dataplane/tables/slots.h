/* SPDX-License-Identifier: BSD-3-Clause */
/* Slot table: index of a result word (result.h) -> object.  One table per kind: adjacencies, groups, SIDs, policies.
 *
 * Writer: the control thread.  Readers: workers, without locks; a pointer from slots_get() is good until the worker's
 * next quiescent state.  An object never changes once it is set; to modify, set a new one.
 * A freed index is given out again only after a grace period, since a reader may still hold the result word; until
 * then slots_get() answers NULL for it, which a reader must take for "just deleted" (a drop with a name).
 * Memory: 12 bytes per index of the capacity, touched as used; full means -ENOSPC and nothing changed. */
#ifndef DATAPLANE_TABLES_SLOTS_H
#define DATAPLANE_TABLES_SLOTS_H

#include <stddef.h>
#include <stdint.h>

struct slots {
	uint32_t capacity; /* indexes 0 .. capacity - 1 */
	void **slot;       /* capacity pointers; NULL: free, or allocated and not yet set */
	/* The writer's own, not for readers: */
	uint32_t fresh;     /* indexes from here on have never been used */
	uint32_t n_free;    /* indexes on the free stack */
	uint32_t n_used;    /* indexes allocated now */
	uint32_t *free_idx; /* stack of indexes that may be used again */
};

/* capacity: 1 .. 2^26, the reach of a result word.  Returns the table, or NULL with errno EINVAL or ENOMEM. */
struct slots *slots_create(uint32_t capacity);

/* Destroy after a grace period: free_fn (may be NULL) gets every object still set, then the table goes.
 * No index may be allocated, set or freed any more.  NULL is accepted. */
void slots_destroy(struct slots *t, void (*free_fn)(void *obj));

/* Take an unused index; slots_get() gives NULL for it until slots_set().  O(1).
 * Returns 0, or -ENOSPC (indexes whose grace period still runs count as used). */
int slots_alloc(struct slots *t, uint32_t *ret_idx);

/* Publish obj, complete, at an allocated index; the object it replaces goes to rcu_retire() with free_fn.
 * Setting the same object again does nothing.  free_fn NULL: the old object is not freed.
 * Returns 0, or -EINVAL when idx was never allocated. */
int slots_set(struct slots *t, uint32_t idx, void *obj, void (*free_fn)(void *obj));

/* Clear an allocated index and retire its object (if set); the index may be reused after a grace period.
 * Free an index once; it is the caller who knows what it allocated. */
void slots_free(struct slots *t, uint32_t idx, void (*free_fn)(void *obj));

/* The object at idx, or NULL; idx may be any value.  Any thread. */
static inline void *slots_get(const struct slots *t, uint32_t idx)
{
	return idx < t->capacity ? __atomic_load_n(&t->slot[idx], __ATOMIC_ACQUIRE) : NULL;
}

/* Indexes allocated now, without those that wait for their grace period.  Writer. */
static inline uint32_t slots_used(const struct slots *t)
{
	return t->n_used;
}

#endif /* DATAPLANE_TABLES_SLOTS_H */
