/* SPDX-License-Identifier: BSD-3-Clause */
/* A worker's memory of recent lookups: destination -> result word, exact match in front of a forwarding table.
 *
 * Traffic comes in flows: what a trie finds in several dependent steps was mostly found a moment ago.  Most answers
 * depend on no more than the first eight octets of an address (routes up to /64, and all of IPv4), so that these are the
 * key and one entry serves a whole subnet.  Where longer prefixes decide, the entry says so and has a number
 * (fib_cache_is_deep()), under which the other eight octets are a key of their own.  Four entries share a cache line.
 *
 * An entry holds what state of the table it was found in (fib_state()) and is good only as long as the table stays so:
 * an update of a table outdates all its answers at once, and nobody has to tell the caches.  One cache serves all tables.
 * Traffic that repeats nothing (a scan) pays a few cycles: after a chunk of mostly misses, the next ones go straight to
 * the table.
 *
 * One owner, no locks.  2 MiB. */
#ifndef DATAPLANE_TABLES_FIB_CACHE_H
#define DATAPLANE_TABLES_FIB_CACHE_H

#include "dataplane/tables/fib.h"

#ifdef __SSE4_2__
#include <immintrin.h>
#endif

#define FIB_CACHE_BUCKETS 32768u

/* Four answers. */
struct fib_cache_bucket {
	uint64_t key[4];    /* eight octets, as in packets; IPv4: the address, then zeroes */
	uint32_t tag[4];    /* what it is an answer for, below; 0: empty */
	uint32_t result[4]; /* or that the key is deep */
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct fib_cache_bucket) == 64, "a cache line");

/* Of an address's first half: the lower part of its table's state, of which the cache has the upper one.  Of a second
 * half: the number of the first one, with the top bit set. */
static inline uint32_t fib_cache_tag(uint64_t state)
{
	return fib_state_low(state);
}

static inline bool fib_cache_is_deep(uint32_t result)
{
	return result >= HD_RESULT(HD_RESULT_INTERNAL, 0);
}

static inline uint32_t fib_cache_tag_deep(uint32_t result)
{
	return 1u << FIB_STATE_LOW | (result & HD_RESULT_INDEX_MAX);
}

/* One prefix all of whose addresses have one answer: fib_lookup_span() as a comparison.  Packets that came together
 * often go one way, and are then asked for together. */
struct fib_span {
	uint64_t key[2],
		mask[2]; /* network order, as in packets; IPv4: the first four octets, then zeroes */
	uint64_t state;  /* 0: none yet */
	uint32_t result;
	uint32_t rest; /* questions until it is looked up anew for an address that is outside */
};

/* A first half that is deep, of many addresses that came together: hosts of one subnet, SIDs of one locator. */
struct fib_subnet {
	uint64_t key, state;
	uint32_t result;
};

/* Who asks: each has its own span and subnet. */
enum fib_ask {
	FIB_ASK_ROUTE,  /* packets as they came */
	FIB_ASK_INNER,  /* what was inside them */
	FIB_ASK_ONWARD, /* the segment that comes next */
	FIB_ASK_OUTER,  /* the first segment of a policy */
	FIB_ASKS,
};

struct fib_cache {
	struct fib_cache_bucket bucket[FIB_CACHE_BUCKETS];
	struct fib_span span[FIB_ASKS][2]; /* IPv4, IPv6 */
	struct fib_subnet subnet[FIB_ASKS];
	uint32_t epoch;   /* upper part of all states that entries were found in */
	uint32_t subnets; /* numbers that were given */
	unsigned turn;    /* which of four is replaced next */
	unsigned rest;    /* chunks that go straight to the table */
	unsigned other;   /* rest of the other kind of questions, see fib_cache_turn() */
};
#define FIB_CACHE_SUBNETS \
	(HD_RESULT_INDEX_MAX - 65536) /* then numbers begin anew; so many may still come */

/* Packets ask where they lead, and what was made of them asks again.  Of the two kinds one may repeat nothing (64 k
 * SIDs) and the other nearly all (the next segments), so that each rests for itself: turn, ask, turn back. */
static inline void fib_cache_turn(struct fib_cache *c)
{
	unsigned rest = c->rest;

	c->rest = c->other;
	c->other = rest;
}

/* Look up the span of an address outside, unless that was done a moment ago: traffic that has no span in common shall
 * not pay for it.  state: fib_state(), read before.  Returns whether s is good for key now. */
bool fib_span_renew(struct fib_span *s, const struct fib *f, uint64_t state, const uint8_t *key,
		    bool v6);

struct fib_cache *fib_cache_create(void); /* NULL: out of memory */
void fib_cache_destroy(struct fib_cache *c);

/* Forget everything but what is found in states with this upper part from now on: once in 2^31 updates, or when
 * numbers are used up. */
void fib_cache_clear(struct fib_cache *c, uint32_t epoch);

/* To be called with each fib_state() that is asked with, before. */
static inline void fib_cache_enter(struct fib_cache *c, uint64_t state)
{
	if (__builtin_expect(c->epoch != (uint32_t)(state >> FIB_STATE_LOW), 0) ||
	    __builtin_expect(c->subnets > FIB_CACHE_SUBNETS, 0))
		fib_cache_clear(c, (uint32_t)(state >> FIB_STATE_LOW));
}

/* What fib_lookup_bulk6p() and *4p() give, by the table's family.  Any n. */
void fib_cache_lookup6p(struct fib_cache *c, const struct fib *f, const uint8_t *const *key,
			uint32_t *ret_result, unsigned n);
void fib_cache_lookup4p(struct fib_cache *c, const struct fib *f, const uint8_t *const *key,
			uint32_t *ret_result, unsigned n);
/* The same for those of n, up to 128, whose result is no answer yet, having been asked for with this state, entered. */
void fib_cache_rest6p(struct fib_cache *c, const struct fib *f, uint64_t state,
		      const uint8_t *const *key, uint32_t *result, unsigned n);
void fib_cache_rest4p(struct fib_cache *c, const struct fib *f, uint64_t state,
		      const uint8_t *const *key, uint32_t *result, unsigned n);

/* Keys lie in packets, at any address. */
typedef uint64_t fib_cache_word __attribute__((aligned(1), may_alias));

static inline struct fib_cache_bucket *fib_cache_bucket(struct fib_cache *c, uint64_t key,
							uint32_t tag)
{
#ifdef __SSE4_2__
	/* CRC spreads what differs, be it in prefixes or in hosts; the bits above those of an offset in a bucket */
	return (struct fib_cache_bucket *)((char *)c->bucket +
					   (__builtin_ia32_crc32di(tag, key) &
					    (FIB_CACHE_BUCKETS - 1) * sizeof(c->bucket[0])));
#else
	return &c->bucket[((key ^ tag) * 0xd6e8feb86659fd93ull) >> 32 & (FIB_CACHE_BUCKETS - 1)];
#endif
}

/* The answer for eight octets, or that they are deep; 0: not known. */
static inline uint32_t fib_cache_find(struct fib_cache *c, uint64_t key, uint32_t tag)
{
	const struct fib_cache_bucket *b = fib_cache_bucket(c, key, tag);

	for (unsigned i = 0; i < 4; i++)
		if (b->key[i] == key && b->tag[i] == tag)
			return b->result[i];
	return 0;
}

/* The answer for one key if it is known, else 0.  state: fib_state() of the table, read before and entered. */
static inline uint32_t fib_cache_probe6(struct fib_cache *c, uint64_t state, const uint8_t *key)
{
	const fib_cache_word *k = (const fib_cache_word *)key;
	uint32_t word = fib_cache_find(c, k[0], fib_cache_tag(state));

	return fib_cache_is_deep(word) ? fib_cache_find(c, k[1], fib_cache_tag_deep(word)) : word;
}

static inline uint32_t fib_cache_probe4(struct fib_cache *c, uint64_t state, const uint8_t *key)
{
	uint32_t k;

	__builtin_memcpy(&k, key, 4);
	return fib_cache_find(c, k, fib_cache_tag(state));
}

#endif /* DATAPLANE_TABLES_FIB_CACHE_H */
