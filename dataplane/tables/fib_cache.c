/* SPDX-License-Identifier: BSD-3-Clause */
/* Two-way buckets of one cache line.  An answer that is found anew becomes the first of its bucket, the first becomes
 * the second: of three flows in a bucket the two that came last stay. */
#include "dataplane/tables/fib_cache.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK 128u
#define REST  15u /* chunks that go straight to the table after one of mostly misses */

struct fib_cache *fib_cache_create(void)
{
	struct fib_cache *c = aligned_alloc(64, (sizeof(*c) + 63) & ~63ul);

	if (c != NULL)
		memset(c, 0, sizeof(*c));
	return c;
}

void fib_cache_destroy(struct fib_cache *c)
{
	free(c);
}

static inline void key_load(const uint8_t *p, bool v6, uint64_t key[2])
{
	uint32_t word;

	if (v6) {
		memcpy(key, p, 16);
		return;
	}
	memcpy(&word, p, sizeof(word));
	key[0] = word;
	key[1] = 0;
}

bool fib_span_renew(struct fib_span *s, const struct fib *f, uint64_t state, const uint8_t *key,
		    bool v6)
{
	unsigned bits;

	if (s->state == state && s->rest != 0) {
		s->rest--;
		return false;
	}
	s->rest = REST;
	s->result = fib_lookup_span(f, key, &bits);
	s->state = state;
	key_load(key, v6, s->key);
	for (unsigned i = 0; i < 16; i++)
		((uint8_t *)s->mask)[i] = bits >= 8 * i + 8 ? 0xff :
					  bits <= 8 * i     ? 0 :
							      (uint8_t)(0xff00u >> bits % 8);
	return true;
}

/* Look up what was missed, and keep it. */
static void fill(struct fib_cache *c, const struct fib *f, uint64_t state, bool v6,
		 const uint8_t *const *key, uint32_t *ret, const uint8_t *miss, unsigned n)
{
	const uint8_t *at[CHUNK];
	uint32_t word[CHUNK];

	if (n == 0)
		return;
	for (unsigned i = 0; i < n; i++)
		at[i] = key[miss[i]];
	if (v6)
		fib_lookup_bulk6p(f, at, word, n);
	else
		fib_lookup_bulk4p(f, at, word, n);
	for (unsigned i = 0; i < n; i++) {
		struct fib_cache_entry e = { .state = state, .result = word[i] }, *b;

		key_load(at[i], v6, e.key);
		b = fib_cache_bucket(c, e.key);
		b[1] = b[0];
		b[0] = e;
		ret[miss[i]] = word[i];
	}
}

static inline __attribute__((always_inline)) void lookup(struct fib_cache *c, const struct fib *f,
							 bool v6, const uint8_t *const *key,
							 uint32_t *ret, unsigned n)
{
	uint64_t state = fib_state(f); /* before the lookups: an answer may be newer, never older */
	uint8_t miss[CHUNK];
	unsigned n_miss = 0;

	if (c->rest != 0) {
		c->rest--;
		if (v6)
			fib_lookup_bulk6p(f, key, ret, n);
		else
			fib_lookup_bulk4p(f, key, ret, n);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		const struct fib_cache_entry *b;
		uint64_t k[2];
		bool first, second;

		key_load(key[i], v6, k);
		b = fib_cache_bucket(c, k);
		first = fib_cache_is(&b[0], k, state);
		second = fib_cache_is(&b[1], k, state);
		ret[i] = first ? b[0].result : b[1].result;
		miss[n_miss] = (uint8_t)i;
		n_miss += !(first | second);
	}
	if (__builtin_expect(n_miss == 0, 1))
		return;
	fill(c, f, state, v6, key, ret, miss, n_miss);
	if (n >= 16 && n_miss > n / 2)
		c->rest = REST;
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
