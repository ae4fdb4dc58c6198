/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory of the forwarding table: blocks and sparse arrays in reserved ranges of addresses, so that nothing that workers
 * read ever moves.  Control thread. */
#ifndef DATAPLANE_TABLES_FIB_MEMORY_H
#define DATAPLANE_TABLES_FIB_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_WORDS 1024u /* 32-bit words of a 4 KiB page */

/* Blocks of whole units out of one reserved range of addresses, so that nothing ever moves. */
struct fib_pool {
	uint8_t *base;
	size_t map_bytes;
	uint32_t unit;       /* bytes */
	uint32_t max, top;   /* units; from top on never used */
	uint32_t reserve;    /* units at the end, taken when nothing else is left */
	uint32_t used;       /* units handed out */
	uint32_t n_class;    /* largest block, in units */
	uint32_t *free_head; /* per size: unit number of the first free block, 0 none */
	uint32_t *n_free;
};

/* A big sparse array of words; memory is taken page by page on first use. */
struct fib_words {
	uint32_t *v;
	size_t n, map_bytes;
	uint64_t *touched; /* bit per page that was written */
	uint32_t n_touched;
};

/* Take the range: bytes, in blocks of 1 .. n_class units.  huge: in huge pages where there are any.  Returns 0 or -ENOMEM,
 * and is to be followed by fib_pool_fini() in both cases. */
int fib_pool_init(struct fib_pool *l, uint32_t unit, uint32_t n_class, uint64_t bytes, bool huge);
void fib_pool_fini(struct fib_pool *l);
/* A block of 1 .. n_class units, or 0.  Not zeroed. */
uint32_t fib_pool_alloc(struct fib_pool *l, uint32_t units);
void fib_pool_free(struct fib_pool *l, uint32_t ref, uint32_t units);
/* A block that is not handed out any more, as its owner has counted already. */
void fib_pool_push(struct fib_pool *l, uint32_t ref, uint32_t units);
/* If nothing is handed out: begin anew, and give the memory back beyond what a small table needs. */
void fib_pool_reset(struct fib_pool *l);

static inline void *fib_pool_at(const struct fib_pool *l, uint32_t ref)
{
	return l->base + (size_t)ref * l->unit;
}

/* Is there so much that was never used, and keep besides? */
static inline bool fib_pool_has_fresh(const struct fib_pool *l, uint32_t units, uint32_t keep)
{
	return l->top + units + keep <= l->max;
}

/* n words of zero.  As fib_pool_init(). */
int fib_words_init(struct fib_words *w, size_t n, bool huge);
void fib_words_fini(struct fib_words *w);
/* One atomic store. */
void fib_words_set(struct fib_words *w, size_t i, uint32_t value);
/* All words are zero already: give the pages back.  Readers see zero before and after. */
void fib_words_reset(struct fib_words *w);

static inline bool fib_words_page_touched(const struct fib_words *w, size_t page)
{
	return w->touched[page / 64] >> (page % 64) & 1;
}

#endif
