/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/tables/fib_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE (2ul << 20)

/* Address range of zeroes that takes memory only where it is written; with huge, in huge pages where there are any.
 * MAP_NORESERVE: a kernel that forbids overcommit (vm.overcommit_memory=2) counts the whole range nevertheless. */
static void *map_reserve(size_t *bytes, bool huge)
{
	size_t page = huge ? HUGE : 4096, want = (*bytes + page - 1) & ~(page - 1);
	uint8_t *p = mmap(NULL, want + (huge ? HUGE : 0), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	*bytes = want;
	if (!huge)
		return p;
	uint8_t *aligned = (uint8_t *)(((uintptr_t)p + HUGE - 1) & ~(HUGE - 1));
	if (aligned > p)
		munmap(p, aligned - p);
	munmap(aligned + want, p + HUGE - aligned);
	madvise(aligned, want, MADV_HUGEPAGE); /* a hint; works without */
	return aligned;
}

int fib_pool_init(struct fib_pool *l, uint32_t unit, uint32_t n_class, uint64_t bytes, bool huge)
{
	l->map_bytes = bytes;
	l->base = map_reserve(&l->map_bytes, huge);
	l->free_head = calloc(2 * (n_class + 1), sizeof(*l->free_head));
	if (huge && l->base != NULL) /* a table that may grow big is small as long as it is small */
		madvise(l->base, HUGE, MADV_NOHUGEPAGE);
	if (l->base == NULL || l->free_head == NULL)
		return -ENOMEM;
	l->n_free = l->free_head + n_class + 1;
	l->unit = unit;
	l->n_class = n_class;
	l->max = l->map_bytes / unit;
	l->top = 1; /* unit 0 means none */
	return 0;
}

void fib_pool_fini(struct fib_pool *l)
{
	if (l->base != NULL)
		munmap(l->base, l->map_bytes);
	free(l->free_head);
}

void fib_pool_push(struct fib_pool *l, uint32_t ref, uint32_t units)
{
	*(uint32_t *)fib_pool_at(l, ref) = l->free_head[units];
	l->free_head[units] = ref;
	l->n_free[units]++;
}

static uint32_t fib_pool_pop(struct fib_pool *l, uint32_t units)
{
	uint32_t ref = l->free_head[units];

	l->free_head[units] = *(uint32_t *)fib_pool_at(l, ref);
	l->n_free[units]--;
	return ref;
}

/* The smallest free block of more than units, cut to size; 0: none. */
static uint32_t fib_pool_split(struct fib_pool *l, uint32_t units)
{
	uint32_t c = units + 1, ref;

	while (c <= l->n_class && l->n_free[c] == 0)
		c++;
	if (c > l->n_class)
		return 0;
	ref = fib_pool_pop(l, c);
	fib_pool_push(l, ref + units, c - units);
	return ref;
}

/* A block of 1 .. n_class units, or 0.  Not zeroed. */
uint32_t fib_pool_alloc(struct fib_pool *l, uint32_t units)
{
	uint32_t ref = 0;

	if (l->n_free[units] > 0)
		ref = fib_pool_pop(l, units);
	else if (!fib_pool_has_fresh(l, units, l->reserve))
		ref = fib_pool_split(l, units);
	if (ref == 0 && fib_pool_has_fresh(l, units, 0)) {
		ref = l->top;
		l->top += units;
	}
	if (ref != 0)
		l->used += units;
	return ref;
}

void fib_pool_free(struct fib_pool *l, uint32_t ref, uint32_t units)
{
	fib_pool_push(l, ref, units);
	l->used -= units;
}

/* Nothing is handed out: begin anew, and give the memory back beyond what a small table needs. */
void fib_pool_reset(struct fib_pool *l)
{
	size_t keep = 64 << 10;

	if (l->used != 0 || (size_t)l->top * l->unit <= keep)
		return;
	madvise(l->base + keep, l->map_bytes - keep, MADV_DONTNEED);
	memset(l->free_head, 0, 2 * (l->n_class + 1) * sizeof(*l->free_head));
	l->top = 1;
}

int fib_words_init(struct fib_words *w, size_t n, bool huge)
{
	w->n = n;
	w->map_bytes = n * sizeof(*w->v);
	w->v = map_reserve(&w->map_bytes, huge);
	w->touched = calloc(n / PAGE_WORDS / 64 + 1, sizeof(*w->touched));
	return w->v == NULL || w->touched == NULL ? -ENOMEM : 0;
}

void fib_words_fini(struct fib_words *w)
{
	if (w->v != NULL)
		munmap(w->v, w->map_bytes);
	free(w->touched);
}

void fib_words_set(struct fib_words *w, size_t i, uint32_t value)
{
	uint64_t *t = &w->touched[i / PAGE_WORDS / 64], bit = 1ull << (i / PAGE_WORDS % 64);

	if ((*t & bit) == 0) {
		*t |= bit;
		w->n_touched++;
	}
	__atomic_store_n(&w->v[i], value, __ATOMIC_RELEASE);
}

/* All words are zero already: give the pages back.  Readers see zero before and after. */
void fib_words_reset(struct fib_words *w)
{
	madvise(w->v, w->map_bytes, MADV_DONTNEED);
	memset(w->touched, 0, (w->n / PAGE_WORDS / 64 + 1) * sizeof(*w->touched));
	w->n_touched = 0;
}
