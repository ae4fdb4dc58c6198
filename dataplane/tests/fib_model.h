/* SPDX-License-Identifier: BSD-3-Clause */
/* Naive longest prefix match and random keys, to hold the forwarding table against.
 * Included by one .c file per program; HEDDLE_SEED=n repeats a run. */
#ifndef DATAPLANE_TESTS_FIB_MODEL_H
#define DATAPLANE_TESTS_FIB_MODEL_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dataplane/tables/fib.h"

#define MODEL_MAX 600

struct bits128 {
	uint64_t hi, lo;
};

struct model {
	enum fib_family family;
	unsigned bits, n;
	struct {
		uint8_t key[16], plen;
		bool seen;
		uint32_t result;
		struct bits128 value, mask; /* of key and plen, for speed */
	} route[MODEL_MAX];
};

static uint64_t rng;

static inline uint32_t rnd(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng >> 20;
}

static inline void seed_init(const char *what)
{
	const char *env = getenv("HEDDLE_SEED");
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	uint64_t seed = env != NULL ? strtoull(env, NULL, 0) :
				      (uint64_t)t.tv_nsec * 1000003u + t.tv_sec;
	fprintf(stderr, "%s: HEDDLE_SEED=%llu\n", what, (unsigned long long)seed);
	rng = seed * 2654435761u | 1;
	for (unsigned i = 0; i < 8; i++)
		rnd();
}

static inline struct bits128 bits_of(const uint8_t key[16])
{
	struct bits128 b;

	memcpy(&b, key, 16);
	return (struct bits128){ be64toh(b.hi), be64toh(b.lo) };
}

static inline struct bits128 mask_of(unsigned plen)
{
	return (struct bits128){
		plen == 0  ? 0 :
		plen >= 64 ? ~0ull :
			     ~0ull << (64 - plen),
		plen <= 64 ? 0 : ~0ull << (128 - plen),
	};
}

static inline bool match(struct bits128 a, struct bits128 b, struct bits128 mask)
{
	return (((a.hi ^ b.hi) & mask.hi) | ((a.lo ^ b.lo) & mask.lo)) == 0;
}

static inline uint32_t model_lookup(const struct model *m, const uint8_t key[16])
{
	struct bits128 k = bits_of(key);
	uint32_t best = 0;
	int plen = -1;

	for (unsigned i = 0; i < m->n; i++) {
		if (m->route[i].plen > plen && match(k, m->route[i].value, m->route[i].mask)) {
			plen = m->route[i].plen;
			best = m->route[i].result;
		}
	}
	return best;
}

static inline int model_find(const struct model *m, const uint8_t key[16], unsigned plen)
{
	struct bits128 k = bits_of(key);

	for (unsigned i = 0; i < m->n; i++) {
		if (m->route[i].plen == plen && match(k, m->route[i].value, m->route[i].mask))
			return (int)i;
	}
	return -1;
}

static inline void key_cut(uint8_t key[16], unsigned plen)
{
	for (unsigned b = plen; b < 128; b++)
		key[b / 8] &= ~(0x80u >> (b % 8));
}

/* Few distinct byte values, so that prefixes overlap, share bytes and part in all places. */
static inline void random_key(uint8_t key[16])
{
	static const uint8_t common[] = {
		0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x00, 0xff, 0x21, 0xa0
	};

	for (unsigned i = 0; i < 16; i++)
		key[i] = rnd() % 16 == 0 ? rnd() : common[rnd() % sizeof(common)];
}

static inline void near_key(const uint8_t from[16], uint8_t key[16], unsigned bits)
{
	memcpy(key, from, 16);
	unsigned b = rnd() % bits;
	if (rnd() % 2)
		key[b / 8] ^= 0x80u >> (b % 8);
	if (rnd() % 4 == 0) {
		for (b = rnd() % bits; b < bits; b++)
			key[b / 8] |= 0x80u >> (b % 8);
	}
}

#endif /* DATAPLANE_TESTS_FIB_MODEL_H */
