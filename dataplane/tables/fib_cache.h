/* SPDX-License-Identifier: BSD-3-Clause */
/* A worker's memory of recent lookups: destination -> result word, exact match in front of a forwarding table.
 *
 * Traffic comes in flows: what a trie finds in several dependent steps was mostly found a moment ago.  An entry holds
 * the fib_state() it was found under and is good only as long as the table is in that state, so an update of a table
 * outdates all answers of this table at once, and nobody has to tell the caches.  One cache serves all tables.
 * Traffic that repeats nothing (a scan) pays a few cycles: after a chunk of mostly misses, the next ones go straight to
 * the table.
 *
 * One owner, no locks.  512 KiB. */
#ifndef DATAPLANE_TABLES_FIB_CACHE_H
#define DATAPLANE_TABLES_FIB_CACHE_H

#include "dataplane/tables/fib.h"

#ifdef __SSE4_1__
#include <immintrin.h>
#endif

#define FIB_CACHE_BUCKETS 8192u

struct fib_cache_entry {
	uint64_t key[2];
	uint64_t state; /* fib_state() when it was looked up; 0: empty */
	uint32_t result;
	uint32_t pad;
};
_Static_assert(sizeof(struct fib_cache_entry) == 32, "two in a cache line");

/* One prefix all of whose addresses have one answer: fib_lookup_span() as a comparison.  Packets that came together
 * often go one way, and are then asked for together. */
struct fib_span {
	uint64_t key[2],
		mask[2]; /* network order, as in packets; IPv4: the first four octets, then zeroes */
	uint64_t state;  /* as in an entry */
	uint32_t result;
	uint32_t rest; /* questions until it is looked up anew for an address that is outside */
};

/* Who asks: each has its own span. */
enum fib_ask {
	FIB_ASK_ROUTE,  /* packets as they came */
	FIB_ASK_INNER,  /* what was inside them */
	FIB_ASK_ONWARD, /* the segment that comes next */
	FIB_ASK_OUTER,  /* the first segment of a policy */
	FIB_ASKS,
};

struct fib_cache {
	struct fib_cache_entry bucket[FIB_CACHE_BUCKETS][2];
	struct fib_span span[FIB_ASKS][2]; /* IPv4, IPv6 */
	unsigned rest;                     /* chunks that go straight to the table */
	unsigned other; /* rest of the other kind of questions, see fib_cache_turn() */
};

/* Packets ask where they lead, and what was made of them asks again.  Of the two kinds one may repeat nothing (64 k
 * SIDs) and the other nearly all (the next segments), so that each rests for itself: turn, ask, turn back. */
static inline void fib_cache_turn(struct fib_cache *c)
{
	unsigned rest = c->rest;

	c->rest = c->other;
	c->other = rest;
}

/* Look up the span of an address outside, unless that was done a moment ago in this state of the table: traffic that has no span in
 * common shall not pay for it.  state: fib_state(), read before.  Returns whether s is good for key now. */
bool fib_span_renew(struct fib_span *s, const struct fib *f, uint64_t state, const uint8_t *key,
		    bool v6);

struct fib_cache *fib_cache_create(void); /* NULL: out of memory */
void fib_cache_destroy(struct fib_cache *c);

/* What fib_lookup_bulk6p() and *4p() give, by the table's family.  Any n. */
void fib_cache_lookup6p(struct fib_cache *c, const struct fib *f, const uint8_t *const *key,
			uint32_t *ret_result, unsigned n);
void fib_cache_lookup4p(struct fib_cache *c, const struct fib *f, const uint8_t *const *key,
			uint32_t *ret_result, unsigned n);

/* Keys lie in packets, at any address. */
typedef uint64_t fib_cache_word __attribute__((aligned(1), may_alias));

/* CRC spreads what differs, be it in prefixes or in hosts. */
static inline struct fib_cache_entry *fib_cache_bucket(struct fib_cache *c,
						       const fib_cache_word *key)
{
#ifdef __SSE4_2__
	uint64_t h = __builtin_ia32_crc32di(__builtin_ia32_crc32di(0, key[0]), key[1]);

	/* the bits above those of an offset inside a bucket */
	return (struct fib_cache_entry *)((char *)c->bucket +
					  (h & (FIB_CACHE_BUCKETS - 1) * sizeof(c->bucket[0])));
#else
	uint64_t h = ((key[0] ^ key[1] * 0x9e3779b97f4a7c15ull) * 0xd6e8feb86659fd93ull) >> 32;

	return c->bucket[h % FIB_CACHE_BUCKETS];
#endif
}

static inline bool fib_cache_is(const struct fib_cache_entry *e, const fib_cache_word *key,
				uint64_t state)
{
#ifdef __SSE4_1__
	__m128i differ = _mm_xor_si128(_mm_load_si128((const __m128i *)(const void *)e->key),
				       _mm_loadu_si128((const __m128i *)(const void *)key));

	return _mm_testz_si128(differ, differ) && e->state == state;
#endif
	return ((e->key[0] ^ key[0]) | (e->key[1] ^ key[1]) | (e->state ^ state)) == 0;
}

static inline uint32_t fib_cache_find(struct fib_cache *c, uint64_t state,
				      const fib_cache_word *key)
{
	const struct fib_cache_entry *b = fib_cache_bucket(c, key);

	if (__builtin_expect(fib_cache_is(&b[0], key, state), 1))
		return b[0].result;
	return fib_cache_is(&b[1], key, state) ? b[1].result : 0;
}

/* The answer for one key if it is known, else 0.  state: fib_state() of the table, read before. */
static inline uint32_t fib_cache_probe6(struct fib_cache *c, uint64_t state, const uint8_t *key)
{
	return fib_cache_find(c, state, (const fib_cache_word *)key);
}

static inline uint32_t fib_cache_probe4(struct fib_cache *c, uint64_t state, const uint8_t *key)
{
	uint64_t k[2] = { 0, 0 };

	__builtin_memcpy(k, key, 4);
	return fib_cache_find(c, state, k);
}

#endif /* DATAPLANE_TABLES_FIB_CACHE_H */
