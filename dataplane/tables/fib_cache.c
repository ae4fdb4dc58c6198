/* SPDX-License-Identifier: BSD-3-Clause */
/* Buckets of one cache line.  Of four answers a new one takes the place of any, in turn: those that come again and again
 * all find a place, without being moved when they are found. */
#include "dataplane/tables/fib_cache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CHUNK 128u
#define REST  15u /* chunks that go straight to the table after one of mostly misses */
#define HUGE  (2ul << 20)

struct fib_cache *fib_cache_create(void)
{
	struct fib_cache *c = aligned_alloc(HUGE, (sizeof(*c) + HUGE - 1) & ~(HUGE - 1));

	if (c == NULL)
		return NULL;
	madvise(c, FIB_CACHE_BUCKETS * sizeof(c->bucket[0]), MADV_HUGEPAGE); /* a hint */
	memset(c, 0, sizeof(*c));
	return c;
}

void fib_cache_destroy(struct fib_cache *c)
{
	free(c);
}

void fib_cache_clear(struct fib_cache *c, uint32_t epoch)
{
	memset(c->bucket, 0, sizeof(c->bucket));
	memset(c->subnet, 0, sizeof(c->subnet));
	c->epoch = epoch;
	c->subnets = 0;
}

static inline uint64_t key_load(const uint8_t *p, bool v6)
{
	uint64_t key = 0;

	memcpy(&key, p, v6 ? 8 : 4);
	return key;
}

bool fib_span_renew(struct fib_span *s, const struct fib *f, uint64_t state, const uint8_t *key,
		    bool v6)
{
	unsigned bits;

	if (s->rest != 0) {
		s->rest--;
		return false;
	}
	s->rest = REST;
	s->result = fib_lookup_span(f, key, &bits);
	s->state = state;
	memset(s->key, 0, sizeof(s->key));
	memcpy(s->key, key, v6 ? 16 : 4);
	for (unsigned i = 0; i < 16; i++)
		((uint8_t *)s->mask)[i] = bits >= 8 * i + 8 ? 0xff :
					  bits <= 8 * i     ? 0 :
							      (uint8_t)(0xff00u >> bits % 8);
	return true;
}

static void keep(struct fib_cache *c, uint64_t key, uint32_t tag, uint32_t result)
{
	struct fib_cache_bucket *b = fib_cache_bucket(c, key, tag);
	unsigned i = 0;

	while (i < 4 && (b->key[i] != key || b->tag[i] != tag))
		i++;
	if (i == 4) /* else it came twice in a chunk */
		i = c->turn++ % 4;
	b->key[i] = key;
	b->tag[i] = tag;
	b->result[i] = result;
}

/* May answers of this state be kept?  Not if it was entered before another one, with another upper part. */
static bool may_keep(const struct fib_cache *c, uint64_t state)
{
	return __builtin_expect(c->epoch == (uint32_t)(state >> FIB_STATE_LOW), 1);
}

/* An address whose second half decides.  first: what it was asked with, if that was deep. */
static void keep_deep(struct fib_cache *c, uint64_t state, const uint8_t *key, uint32_t first,
		      uint32_t result)
{
	const fib_cache_word *k = (const fib_cache_word *)key;

	if (!fib_cache_is_deep(first))
		first = fib_cache_find(c, k[0], fib_cache_tag(state));
	if (!fib_cache_is_deep(first)) {
		if (c->subnets == HD_RESULT_INDEX_MAX)
			return; /* nobody has entered for long */
		first = HD_RESULT(HD_RESULT_INTERNAL, ++c->subnets);
	}
	keep(c, k[0], fib_cache_tag(state), first); /* others may have taken its place */
	keep(c, k[1], fib_cache_tag_deep(first), result);
}

/* Look up what no answer is known for, and keep it. */
static inline __attribute__((always_inline)) void fill(struct fib_cache *c, const struct fib *f,
						       uint64_t state, bool v6,
						       const uint8_t *const *key, uint32_t *result,
						       const uint8_t *miss, unsigned n)
{
	const uint8_t *at[CHUNK];
	uint8_t deep[CHUNK] = { 0 };
	uint32_t word[CHUNK];

	at[0] = NULL;
	for (unsigned i = 0; i < n; i++)
		at[i] = key[miss[i]];
	if (v6)
		fib_lookup_deep6p(f, at, word, deep, n);
	else
		fib_lookup_bulk4p(f, at, word, n);
	for (unsigned i = 0; i < n; i++) {
		uint32_t first = result[miss[i]];

		result[miss[i]] = word[i];
		if (!may_keep(c, state))
			continue;
		if (deep[i])
			keep_deep(c, state, at[i], first, word[i]);
		else
			keep(c, key_load(at[i], v6), fib_cache_tag(state), word[i]);
	}
}

static inline __attribute__((always_inline)) void rest(struct fib_cache *c, const struct fib *f,
						       uint64_t state, bool v6,
						       const uint8_t *const *key, uint32_t *result,
						       unsigned n)
{
	uint8_t miss[CHUNK];
	unsigned n_miss = 0;

	for (unsigned i = 0; i < n; i++) {
		if (__builtin_expect(fib_direct_is_answer(result[i]), 1))
			continue;
		if (v6 && fib_cache_is_deep(result[i])) {
			uint32_t word = fib_cache_find(c, key_load(key[i] + 8, true),
						       fib_cache_tag_deep(result[i]));

			if (word != 0) {
				result[i] = word;
				continue;
			}
		}
		miss[n_miss++] = (uint8_t)i;
	}
	if (n_miss == 0)
		return;
	fill(c, f, state, v6, key, result, miss, n_miss);
	if (n >= 16 && n_miss > n / 2)
		c->rest = REST;
}

void fib_cache_rest6p(struct fib_cache *c, const struct fib *f, uint64_t state,
		      const uint8_t *const *key, uint32_t *result, unsigned n)
{
	rest(c, f, state, true, key, result, n);
}

void fib_cache_rest4p(struct fib_cache *c, const struct fib *f, uint64_t state,
		      const uint8_t *const *key, uint32_t *result, unsigned n)
{
	rest(c, f, state, false, key, result, n);
}

static inline __attribute__((always_inline)) void lookup(struct fib_cache *c, const struct fib *f,
							 bool v6, const uint8_t *const *key,
							 uint32_t *ret, unsigned n)
{
	uint64_t state = fib_state(f); /* before the lookups: an answer may be newer, never older */

	fib_cache_enter(c, state);
	if (c->rest != 0) {
		c->rest--;
		if (v6)
			fib_lookup_bulk6p(f, key, ret, n);
		else
			fib_lookup_bulk4p(f, key, ret, n);
		return;
	}
	for (unsigned i = 0; i < n; i++)
		ret[i] = fib_cache_find(c, key_load(key[i], v6), fib_cache_tag(state));
	rest(c, f, state, v6, key, ret, n);
}

void fib_cache_lookup6p(struct fib_cache *c, const struct fib *f, const uint8_t *const *key,
			uint32_t *ret_result, unsigned n)
{
	for (unsigned done = 0; done < n; done += CHUNK)
		lookup(c, f, true, key + done, ret_result + done,
		       n - done < CHUNK ? n - done : CHUNK);
}

void fib_cache_lookup4p(struct fib_cache *c, const struct fib *f, const uint8_t *const *key,
			uint32_t *ret_result, unsigned n)
{
	for (unsigned done = 0; done < n; done += CHUNK)
		lookup(c, f, false, key + done, ret_result + done,
		       n - done < CHUNK ? n - done : CHUNK);
}
