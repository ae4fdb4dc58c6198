/* SPDX-License-Identifier: BSD-3-Clause */
/* Readers of the forwarding table, see fib.c: one key, or many in lockstep. */
#include "dataplane/tables/fib_internal.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "key windows are little-endian loads");

#define GROUP 128u /* lookups in lockstep; 64 costs 10 % more, 16 another 10 to 20 % */

/* Keys of a group, so that window() of any offset is one load: the 8 key bytes that end at off, in byte order; bytes
 * before the key are 0.  IPv4 needs no memory. */
struct key6 {
	uint64_t before;
	uint8_t b[16];
};

static inline uint64_t window4(uint32_t raw, unsigned off)
{
	return (uint64_t)raw << 32 << (24 - 8 * off);
}

static inline uint64_t window6(const struct key6 *k, unsigned off)
{
	uint64_t w;

	memcpy(&w, (const uint8_t *)k + off + 1, sizeof(w));
	return w;
}

/* c ? a : b without a branch: which way keys go is what no branch predictor can know. */
static inline uint64_t pick(bool c, uint64_t a, uint64_t b)
{
	return __builtin_expect_with_probability(c, 1, 0.5) ? a : b;
}

static const uint32_t no_entry; /* where a key points whose skipped bytes differ */

/* Does the node decide behind the key's first eight octets, having found them to be those of its way? */
static inline bool node_is_deep(uint64_t skip, uint64_t window)
{
	unsigned off = skip >> 56 & 15, n = skip >> 60;
	uint64_t differ = ((window ^ skip) & 0x00ffffffffffffffull) >> (56 - 8 * n) << (56 - 8 * n);

	/* octet 7 of the window is the key's off-th, so these are those before the key's eighth */
	return off >= 8 && (differ & ((1ull << 8 * (15 - off)) - 1)) == 0;
}

/* The entry of one key in a node.  The selecting byte is the top byte of the window. */
static inline const uint32_t *node_entry(const struct node *nd, uint64_t skip, uint64_t window)
{
	const uint32_t *e = &nd->entry[slot_run(nd, window >> 56)];
	uint64_t differ = ((window ^ skip) & 0x00ffffffffffffffull) >> (56 - (skip >> 60) * 8);

	return (const uint32_t *)pick(differ == 0, (uintptr_t)e, (uintptr_t)&no_entry);
}

static inline uint32_t load(const uint32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static inline bool seq_moved(const struct fib *f, uint32_t seq)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&f->seq, __ATOMIC_RELAXED) != seq;
}

static inline uint32_t root_index4(const struct fib *f, uint32_t raw)
{
	return (uint64_t)__builtin_bswap32(raw) << 32 >> 1 >> (63 - f->root_bits);
}

static inline uint32_t root_index6(const struct fib *f, const struct key6 *k)
{
	uint64_t first;

	memcpy(&first, k->b, sizeof(first));
	return __builtin_bswap64(first) >> 1 >> (63 - f->root_bits);
}

static inline void key6_load(struct key6 *k, const uint8_t *key)
{
	k->before = 0;
	memcpy(k->b, key, 16);
}

/* Leading bits of a key byte that all slots of its run have in common with no slot of another. */
static unsigned run_bits(const struct node *nd, unsigned slot)
{
	unsigned from = slot, to = slot + 1, bits = 8;

	while ((nd->starts[from / 64] >> from % 64 & 1) == 0)
		from--;
	while (to < 256 && (nd->starts[to / 64] >> to % 64 & 1) == 0)
		to++;
	for (; bits > 0; bits--) {
		unsigned size = 2u << (8 - bits), first = slot & ~(size - 1);

		if (first < from || first + size > to)
			break;
	}
	return bits;
}

/* One key at a time.  Exactly one of raw (v4) and k (v6) is used.  ret_bits: as of fib_lookup_span(), or NULL. */
static inline __attribute__((always_inline)) uint32_t
lookup_one(const struct fib *f, bool v6, uint32_t raw, const struct key6 *k, unsigned *ret_bits)
{
	uint32_t seq, best, e;

	do {
		seq = load(&f->seq);
		if (ret_bits != NULL)
			*ret_bits = f->root_bits;
		best = load(&f->first[v6 ? k->b[0] : raw & 0xff]);
		e = load(&f->root[v6 ? root_index6(f, k) : root_index4(f, raw)]);
		while (is_link(e)) {
			const struct node *nd = node_at(f->base, e);
			uint64_t skip = nd->skip;
			unsigned off = skip >> 56 & 15;
			uint64_t window = v6 ? window6(k, off) : window4(raw, off);
			uint32_t cover = load(&nd->cover);
			const uint32_t *at = node_entry(nd, skip, window);

			best = cover != 0 ? cover : best;
			if (ret_bits != NULL)
				*ret_bits = 8 * off +
					    (at == &no_entry ? 0 : run_bits(nd, window >> 56));
			e = load(at);
		}
		best = e != 0 ? e : best;
	} while (seq_moved(f, seq));
	return best;
}

static inline __attribute__((always_inline)) uint32_t
lookup_key(const struct fib *f, const uint8_t *key, unsigned *ret_bits)
{
	struct key6 k;
	uint32_t raw;

	if (f->key_bytes == 16) {
		key6_load(&k, key);
		return lookup_one(f, true, 0, &k, ret_bits);
	}
	memcpy(&raw, key, sizeof(raw));
	return lookup_one(f, false, raw, NULL, ret_bits);
}

uint32_t fib_lookup(const struct fib *f, const uint8_t *key)
{
	return lookup_key(f, key, NULL);
}

uint32_t fib_lookup_span(const struct fib *f, const uint8_t *key, unsigned *ret_bits)
{
	return lookup_key(f, key, ret_bits);
}

/* Up to GROUP keys in lockstep: each step starts the loads of all keys before it uses the first.  No branch depends on
 * a key; keys that have their answer drop out by not being copied to the front. */
static inline __attribute__((always_inline)) void lookup_group(const struct fib *f, const bool v6,
							       const uint32_t *raw,
							       const struct key6 *k, uint32_t *ret,
							       uint8_t *deep, unsigned n)
{
	const uint8_t *base = f->base;
	const struct node *node[GROUP];
	const uint32_t *at[GROUP];
	uint8_t who[GROUP];
	uint32_t best[GROUP];
	uint32_t seq = load(&f->seq);
	unsigned live = n;

	if (deep != NULL)
		memset(deep, 0, n);
	for (unsigned i = 0; i < n; i++) {
		best[i] = load(&f->first[v6 ? k[i].b[0] : raw[i] & 0xff]);
		at[i] = &f->root[v6 ? root_index6(f, &k[i]) : root_index4(f, raw[i])];
		__builtin_prefetch(at[i]);
		who[i] = i;
	}
	for (;;) {
		unsigned next = 0;
		for (unsigned a = 0; a < live; a++) {
			unsigned i = who[a];
			uint32_t e = load(at[a]);
			bool link = is_link(e);
			best[i] = pick(is_result(e), e, best[i]);
			node[next] = node_at(base, pick(link, e, 0));
			__builtin_prefetch(node[next]);
			who[next] = i;
			next += link;
		}
		live = next;
		if (live == 0)
			break;
		for (unsigned a = 0; a < live; a++) {
			const struct node *nd = node[a];
			unsigned i = who[a];
			uint64_t skip = nd->skip;
			unsigned off = skip >> 56 & 15;
			uint32_t cover = load(&nd->cover);
			best[i] = pick(cover != 0, cover, best[i]);
			if (deep != NULL)
				deep[i] = node_is_deep(skip, window6(&k[i], off));
			at[a] = node_entry(nd, skip,
					   v6 ? window6(&k[i], off) : window4(raw[i], off));
			__builtin_prefetch(at[a]);
		}
	}
	for (unsigned i = 0; i < n; i++)
		ret[i] = best[i];
	if (__builtin_expect(seq_moved(f, seq), 0)) {
		for (unsigned i = 0; i < n; i++)
			ret[i] = lookup_one(f, v6, v6 ? 0 : raw[i], v6 ? &k[i] : NULL, NULL);
	}
}

/* IPv4 with a direct array: nearly every answer is in it, so only keys that go on into the trie pay for lockstep. */
static inline __attribute__((always_inline)) void
lookup_direct4(const struct fib *f, const uint32_t *raw, uint32_t *ret, unsigned n)
{
	const uint32_t *root = f->root;
	uint32_t deep[GROUP], word[GROUP], seq = load(&f->seq);
	unsigned shift = 32u - f->root_bits, n_deep = 0;
	uint8_t who[GROUP];

	for (unsigned i = 0; i < n; i++)
		__builtin_prefetch(&root[__builtin_bswap32(raw[i]) >> shift]);
	for (unsigned i = 0; i < n; i++) {
		uint32_t e = load(&root[__builtin_bswap32(raw[i]) >> shift]);

		ret[i] = pick(e != 0, e, load(&f->first[raw[i] & 0xff]));
		deep[n_deep] = raw[i];
		who[n_deep] = (uint8_t)i;
		n_deep += is_link(e);
	}
	if (n_deep != 0) {
		lookup_group(f, false, deep, NULL, word, NULL, n_deep);
		for (unsigned i = 0; i < n_deep; i++)
			ret[who[i]] = word[i];
	}
	if (__builtin_expect(seq_moved(f, seq), 0)) {
		for (unsigned i = 0; i < n; i++)
			ret[i] = lookup_one(f, false, raw[i], NULL, NULL);
	}
}

static inline void lookup_group4(const struct fib *f, const uint32_t *raw, uint32_t *ret,
				 unsigned n)
{
	if (f->root_bits != 0)
		lookup_direct4(f, raw, ret, n);
	else
		lookup_group(f, false, raw, NULL, ret, NULL, n);
}

void fib_lookup_bulk4(const struct fib *f, const uint32_t *be_addr, uint32_t *ret_result,
		      unsigned n)
{
	for (unsigned done = 0; done < n; done += GROUP) {
		unsigned now = n - done < GROUP ? n - done : GROUP;
		lookup_group4(f, be_addr + done, ret_result + done, now);
	}
}

uint64_t fib_state(const struct fib *f)
{
	return __atomic_load_n(&f->state, __ATOMIC_ACQUIRE);
}

const uint32_t *fib_direct(const struct fib *f, unsigned *ret_root_bits)
{
	*ret_root_bits = f->root_bits;
	return f->key_bytes == 4 && f->root_bits != 0 ? f->root : NULL;
}

uint32_t fib_routes(const struct fib *f)
{
	return __atomic_load_n(&f->n_routes, __ATOMIC_RELAXED);
}

void fib_lookup_bulk4p(const struct fib *f, const uint8_t *const *key, uint32_t *ret_result,
		       unsigned n)
{
	uint32_t raw[GROUP];

	for (unsigned done = 0; done < n; done += GROUP) {
		unsigned now = n - done < GROUP ? n - done : GROUP;
		for (unsigned i = 0; i < now; i++)
			memcpy(&raw[i], key[done + i], sizeof(raw[i]));
		lookup_group4(f, raw, ret_result + done, now);
	}
}

void fib_lookup_bulk6(const struct fib *f, const uint8_t (*key)[16], uint32_t *ret_result,
		      unsigned n)
{
	struct key6 k[GROUP];

	for (unsigned done = 0; done < n; done += GROUP) {
		unsigned now = n - done < GROUP ? n - done : GROUP;
		for (unsigned i = 0; i < now; i++)
			key6_load(&k[i], key[done + i]);
		lookup_group(f, true, NULL, k, ret_result + done, NULL, now);
	}
}

static inline __attribute__((always_inline)) void
lookup_6p(const struct fib *f, const uint8_t *const *key, uint32_t *ret, uint8_t *deep, unsigned n)
{
	struct key6 k[GROUP];

	for (unsigned done = 0; done < n; done += GROUP) {
		unsigned now = n - done < GROUP ? n - done : GROUP;
		for (unsigned i = 0; i < now; i++)
			key6_load(&k[i], key[done + i]);
		lookup_group(f, true, NULL, k, ret + done, deep != NULL ? deep + done : NULL, now);
	}
}

void fib_lookup_bulk6p(const struct fib *f, const uint8_t *const *key, uint32_t *ret_result,
		       unsigned n)
{
	lookup_6p(f, key, ret_result, NULL, n);
}

void fib_lookup_deep6p(const struct fib *f, const uint8_t *const *key, uint32_t *ret_result,
		       uint8_t *ret_deep, unsigned n)
{
	lookup_6p(f, key, ret_result, ret_deep, n);
}
