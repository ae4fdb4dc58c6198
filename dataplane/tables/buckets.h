/* SPDX-License-Identifier: BSD-3-Clause
 * Bucket arrays of the control thread's hash tables.  They are read all over, a cache miss each time: in ordinary pages
 * each of those is a miss in the TLB besides, so that large ones ask for huge pages. */
#ifndef DATAPLANE_TABLES_BUCKETS_H
#define DATAPLANE_TABLES_BUCKETS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BUCKETS_HUGE ((size_t)2 << 20)

/* n pointers, all NULL; n is a power of two.  NULL: no memory.  To be freed with free(). */
static inline void *buckets_alloc(uint32_t n)
{
	size_t size = n * sizeof(void *);
	void *p;

	if (size < BUCKETS_HUGE)
		return calloc(n, sizeof(void *));
	p = aligned_alloc(BUCKETS_HUGE, size);
	if (p == NULL)
		return NULL;
	madvise(p, size, MADV_HUGEPAGE); /* a hint; works without */
	memset(p, 0, size);
	return p;
}

#endif
