/* SPDX-License-Identifier: BSD-3-Clause */
/* The forwarding table from inside, see fib.c: what writer and readers share. */
#ifndef DATAPLANE_TABLES_FIB_INTERNAL_H
#define DATAPLANE_TABLES_FIB_INTERNAL_H

#include "dataplane/result.h"
#include "dataplane/tables/fib.h"
#include "dataplane/tables/fib_memory.h"

#define UNIT     64u
#define UNIT_MAX 17u /* a node of 256 runs: 48 + 256 * 4 bytes */
#define LINK     HD_RESULT(HD_RESULT_INTERNAL, 0)

/* What readers see.  All but cover and entry[] is constant once the block is linked. */
struct node {
	uint64_t starts[4]; /* bit s: a run begins at slot s; bit 0 is always set */
	uint64_t skip;      /* byte 7: off | n << 4; bytes 7 - n .. 6: n key bytes before off */
	uint32_t cover;     /* result of the slot that links here; NONE: keep the best so far */
	uint8_t rank[4];    /* runs before word w of starts */
	uint32_t entry[];   /* result (NONE: keep the best so far), or LINK | unit number */
} __attribute__((aligned(16)));
_Static_assert(sizeof(struct node) == 48, "4 entries in the first cache line");

struct fib {
	/* Read by every lookup; written rarely. */
	uint32_t *root; /* one word per value of the first root_bits */
	uint8_t *base;  /* nodes */
	uint32_t seq;   /* updates that changed a cover, or first */
	uint8_t root_bits;
	uint64_t state; /* fib_state() */
	/* By the first key byte: result of prefixes up to 8 bits long; without an array, of the default route. */
	uint32_t first[256];
	/* The writer's own. */
	bool cover_moved __attribute__((aligned(64)));
	struct fib *next; /* of all tables */
	uint8_t key_bytes;
	uint32_t max_routes, n_routes, n_nodes, peak_routes;
	uint32_t waiting; /* units retired and not yet back in rd */
	struct fib_pool rd, wr;
	struct fib_words roots, exact, kids; /* kids: shadow per direct array slot */
};

static inline bool is_link(uint32_t entry)
{
	return entry >= LINK;
}

/* Neither a link nor NONE. */
static inline bool is_result(uint32_t entry)
{
	return entry - 1 < LINK - 1;
}

static inline const struct node *node_at(const uint8_t *base, uint32_t link)
{
	return (const struct node *)(base + (size_t)(link & HD_RESULT_INDEX_MAX) * UNIT);
}

static inline uint32_t slot_run(const struct node *nd, unsigned slot)
{
	unsigned w = slot / 64;

	return nd->rank[w] + (unsigned)__builtin_popcountll(nd->starts[w] << (63 - slot % 64)) - 1;
}

#endif
