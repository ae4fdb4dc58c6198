/* SPDX-License-Identifier: BSD-3-Clause
 * Objects of one size, thousands of them, that workers touch all over: side by side in huge pages, since in ordinary
 * ones each is a miss in the TLB besides those in the caches.  Control thread.  What is given back is used again; pages
 * stay with the process.  Memory comes 2 MiB at a time. */
#ifndef DATAPLANE_TABLES_SLAB_H
#define DATAPLANE_TABLES_SLAB_H

#include <stdlib.h>
#include <sys/mman.h>

#include "dataplane/tables/buckets.h"

#define SLAB_ALIGN ((size_t)64)

struct slab {
	void *free; /* list, through their first octets */
	char *next; /* of the last chunk: what was never used */
	size_t left;
};

/* size: always the same for one slab, at most 2 MiB; rounded up to whole cache lines.  Octets are not set.
 * NULL: no memory. */
static inline void *slab_get(struct slab *s, size_t size)
{
	void *p = s->free;

	/* an odd number of lines: the first ones of all objects then spread over all sets of a cache */
	size = (size + SLAB_ALIGN - 1) / SLAB_ALIGN * SLAB_ALIGN | SLAB_ALIGN;
	if (p != NULL) {
		memcpy(&s->free, p, sizeof(s->free));
		return p;
	}
	if (s->left < size) {
		p = aligned_alloc(BUCKETS_HUGE, BUCKETS_HUGE);
		if (p == NULL)
			return NULL;
		madvise(p, BUCKETS_HUGE, MADV_HUGEPAGE); /* a hint; works without */
		s->next = p;
		s->left = BUCKETS_HUGE;
	}
	p = s->next;
	s->next += size;
	s->left -= size;
	return p;
}

static inline void slab_put(struct slab *s, void *p)
{
	memcpy(p, &s->free, sizeof(s->free));
	s->free = p;
}

#endif
