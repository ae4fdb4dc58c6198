/* SPDX-License-Identifier: BSD-3-Clause */
/* Longest prefix match, see fib.h: a direct array for the first root_bits, below it a trie of 8-bit strides.
 *
 * A node decides one byte of the key, the byte at offset `off`.  What its 256 slots hold is stored as runs of equal
 * slots: a bitmap says where runs begin, and one 32-bit entry per run is a result word or a link to a child.  Bytes
 * that have no choice are skipped, up to 7 at a time, and compared on entry.  A node is one block of 64-byte units; one
 * with up to four runs is one cache line.
 *
 * Prefixes of length 8 * off + 1 .. 8 * off + 8 live in the node for byte `off`.  Nothing is pushed down into children:
 * where a slot links to a child, the result for that slot stands in the child's `cover`, and the reader keeps the last
 * one it saw.  So one route changes one node, however many routes are below it.  Likewise a route of up to 8 bits, the
 * default route above all, is not painted over a big array: it is in `first`, by the first byte of the key.
 *
 * Writing.  Each update changes the answer of any one key at exactly one place, by one atomic 32-bit store: an entry, a
 * cover, an array slot, or the link to a replaced copy of a block.  Replaced blocks go to RCU.
 * The one way for a reader to err would be to read a cover, be overtaken by an update of this cover AND by a second one
 * that removes what lies below, and to combine the first's old with the second's new answer.  So each update that
 * changes covers also counts in `seq` before the next one begins, and readers look again if seq has moved.
 *
 * The writer's side (struct shadow) mirrors the nodes and keeps their exact prefixes, so that a delete can restore what
 * is behind it.  Prefixes up to root_bits are in `exact`, an implicit binary tree: prefix bits behind a leading 1. */
#include "dataplane/tables/fib_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/rcu.h"

#define SKIP_MAX   7u
#define FIRST_LEAF 256u /* number of the first prefix of length 8 in the exact tree */

struct route { /* a prefix inside one node */
	uint32_t result;
	uint8_t len, bits; /* 1 .. 8; the key byte, zero behind len */
};

struct kid {
	uint32_t shadow;
	uint8_t slot;
};

/* The writer's mirror of a node.  In f->wr; number 0 is none. */
struct shadow {
	uint32_t ref;          /* unit of the node in f->rd */
	uint32_t parent;       /* shadow, or 0 below the direct array */
	uint32_t routes, kids; /* arrays in f->wr: by (len, bits); by slot */
	uint16_t n_routes, n_kids;
	uint16_t units_routes, units_kids;
	uint8_t off;
	uint8_t key[16]; /* bytes before off are the way here */
};

/* ---------------------------------------------------------------- the writer's view of a node */

static struct shadow *shadow_at(const struct fib *f, uint32_t sh)
{
	return fib_pool_at(&f->wr, sh);
}

static struct route *shadow_routes(const struct fib *f, const struct shadow *s)
{
	return fib_pool_at(&f->wr, s->routes);
}

static struct kid *shadow_kids(const struct fib *f, const struct shadow *s)
{
	return fib_pool_at(&f->wr, s->kids);
}

static struct node *shadow_node(const struct fib *f, const struct shadow *s)
{
	return fib_pool_at(&f->rd, s->ref);
}

static uint32_t root_slot(const struct fib *f, const uint8_t *key)
{
	uint32_t i = 0;

	for (unsigned b = 0; b < f->root_bits / 8u; b++)
		i = i << 8 | key[b];
	return i;
}

/* First key byte that the node of s compares: the one after its parent's. */
static unsigned shadow_start(const struct fib *f, const struct shadow *s)
{
	return s->parent != 0 ? shadow_at(f, s->parent)->off + 1u : f->root_bits / 8u;
}

/* Index of the first kid with at least this slot. */
static unsigned kid_index(const struct fib *f, const struct shadow *s, uint8_t slot)
{
	const struct kid *k = shadow_kids(f, s);
	unsigned lo = 0, hi = s->n_kids;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		if (k[mid].slot < slot)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static uint32_t kid_find(const struct fib *f, const struct shadow *s, uint8_t slot)
{
	unsigned i = kid_index(f, s, slot);
	const struct kid *k = shadow_kids(f, s);

	return i < s->n_kids && k[i].slot == slot ? k[i].shadow : 0;
}

/* Index of the first route not before (len, bits). */
static unsigned route_index(const struct fib *f, const struct shadow *s, uint8_t len, uint8_t bits)
{
	const struct route *r = shadow_routes(f, s);
	unsigned lo = 0, hi = s->n_routes, want = (unsigned)len << 8 | bits;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		if (((unsigned)r[mid].len << 8 | r[mid].bits) < want)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct route *route_find(const struct fib *f, const struct shadow *s, uint8_t len,
				uint8_t bits)
{
	struct route *r = shadow_routes(f, s);
	unsigned i = route_index(f, s, len, bits);

	return i < s->n_routes && r[i].len == len && r[i].bits == bits ? &r[i] : NULL;
}

/* Sizes of arrays of 8-byte elements, in 16-byte units: some air, so that not every insert moves the array. */
static uint32_t array_units(unsigned n)
{
	uint32_t units = (n + 1) / 2;

	if (units <= 4)
		return units;
	return units <= 16 ? (units + 3) & ~3u : (units + 15) & ~15u;
}

_Static_assert(sizeof(struct route) == 8 && sizeof(struct kid) == 8, "array_units()");

/* Room for one more element at index i of an array; pool_ready() has seen to the memory. */
static void *array_insert(struct fib *f, uint32_t *ref, uint16_t *units, uint16_t *n, unsigned i)
{
	uint32_t want = array_units(*n + 1u);
	uint64_t *v = fib_pool_at(&f->wr, *ref);

	if (want > *units) {
		uint32_t moved = fib_pool_alloc(&f->wr, want);
		memcpy(fib_pool_at(&f->wr, moved), v, *n * sizeof(*v));
		if (*units > 0)
			fib_pool_free(&f->wr, *ref, *units);
		*ref = moved;
		*units = want;
		v = fib_pool_at(&f->wr, moved);
	}
	memmove(&v[i + 1], &v[i], (*n - i) * sizeof(*v));
	(*n)++;
	return &v[i];
}

static void array_remove(struct fib *f, uint32_t *ref, uint16_t *units, uint16_t *n, unsigned i)
{
	uint64_t *v = fib_pool_at(&f->wr, *ref);

	memmove(&v[i], &v[i + 1], (*n - i - 1u) * sizeof(*v));
	(*n)--;
	if (*n == 0) {
		fib_pool_free(&f->wr, *ref, *units);
		*ref = 0;
		*units = 0;
	}
}

static void route_insert(struct fib *f, struct shadow *s, uint8_t len, uint8_t bits,
			 uint32_t result)
{
	unsigned i = route_index(f, s, len, bits);
	struct route *r = array_insert(f, &s->routes, &s->units_routes, &s->n_routes, i);

	*r = (struct route){ .result = result, .len = len, .bits = bits };
}

static void kid_insert(struct fib *f, struct shadow *s, uint8_t slot, uint32_t sh)
{
	unsigned i = kid_index(f, s, slot);
	struct kid *k = array_insert(f, &s->kids, &s->units_kids, &s->n_kids, i);

	*k = (struct kid){ .shadow = sh, .slot = slot };
}

static void kid_remove(struct fib *f, struct shadow *s, uint8_t slot)
{
	array_remove(f, &s->kids, &s->units_kids, &s->n_kids, kid_index(f, s, slot));
}

#define SHADOW_UNITS ((sizeof(struct shadow) + 15) / 16)

static uint32_t shadow_new(struct fib *f, const uint8_t *key, unsigned off)
{
	uint32_t sh = fib_pool_alloc(&f->wr, SHADOW_UNITS);
	struct shadow *s = shadow_at(f, sh);

	memset(s, 0, sizeof(*s));
	s->off = off;
	memcpy(s->key, key, f->key_bytes);
	f->n_nodes++;
	return sh;
}

static void shadow_free(struct fib *f, uint32_t sh)
{
	struct shadow *s = shadow_at(f, sh);

	if (s->units_kids > 0) /* routes are all gone before a node goes */
		fib_pool_free(&f->wr, s->kids, s->units_kids);
	fib_pool_free(&f->wr, sh, SHADOW_UNITS);
	f->n_nodes--;
}

/* ---------------------------------------------------------------- blocks */

/* The slots of a node, taken apart and put together. */
struct image {
	uint32_t slot[256];
	uint64_t starts[4];
	uint32_t entry[256];
	unsigned n;
};

static void image_load(struct image *m, const struct node *nd)
{
	const uint32_t *e = nd->entry - 1;

	for (unsigned w = 0; w < 4; w++) {
		uint64_t bits = nd->starts[w];
		for (unsigned s = 0; s < 64; s++, bits >>= 1) {
			e += bits & 1;
			m->slot[w * 64 + s] = *e;
		}
	}
}

static void image_pack(struct image *m)
{
	uint32_t last = ~m->slot[0];
	unsigned n = 0;

	for (unsigned w = 0; w < 4; w++) {
		uint64_t bits = 0;
		for (unsigned s = 0; s < 64; s++) {
			uint32_t v = m->slot[w * 64 + s];
			bool start = v != last;
			m->entry[n] = v;
			n += start;
			bits |= (uint64_t)start << s;
			last = v;
		}
		m->starts[w] = bits;
	}
	m->n = n;
}

static unsigned node_runs(const struct node *nd)
{
	return nd->rank[3] + (unsigned)__builtin_popcountll(nd->starts[3]);
}

static uint32_t runs_units(unsigned n)
{
	return (sizeof(struct node) + n * sizeof(uint32_t) + UNIT - 1) / UNIT;
}

/* Skip word of a node for byte off that is entered at byte start. */
static uint64_t skip_word(const uint8_t *key, unsigned start, unsigned off)
{
	uint64_t w = (uint64_t)(off | (off - start) << 4) << 56;

	for (unsigned i = start; i < off; i++)
		w |= (uint64_t)key[i] << (8 * (7 - (off - i)));
	return w;
}

static uint32_t block_new(struct fib *f, unsigned n)
{
	return fib_pool_alloc(&f->rd, runs_units(n));
}

/* A block from a packed image. */
static uint32_t block_from_image(struct fib *f, const struct image *m, uint64_t skip,
				 uint32_t cover)
{
	uint32_t ref = block_new(f, m->n);
	struct node *nd = fib_pool_at(&f->rd, ref);
	unsigned rank = 0;

	for (unsigned w = 0; w < 4; w++) {
		nd->starts[w] = m->starts[w];
		nd->rank[w] = rank;
		rank += (unsigned)__builtin_popcountll(m->starts[w]);
	}
	nd->skip = skip;
	nd->cover = cover;
	memcpy(nd->entry, m->entry, m->n * sizeof(m->entry[0]));
	return ref;
}

/* The same slots under another skip and cover. */
static uint32_t block_clone(struct fib *f, const struct node *old, uint64_t skip, uint32_t cover)
{
	unsigned n = node_runs(old);
	uint32_t ref = block_new(f, n);
	struct node *nd = fib_pool_at(&f->rd, ref);

	memcpy(nd, old, sizeof(*nd) + n * sizeof(old->entry[0]));
	nd->skip = skip;
	nd->cover = cover;
	return ref;
}

static void block_reset(struct fib *f)
{
	if (f->n_routes == 0 && f->waiting == 0)
		fib_pool_reset(&f->rd);
}

static void block_free(void *p, void *arg)
{
	struct fib *f = arg;
	struct node *nd = p;
	uint32_t units = runs_units(node_runs(nd));

	f->waiting -= units;
	fib_pool_push(&f->rd, ((uint8_t *)p - f->rd.base) / UNIT, units);
	block_reset(f);
}

/* A block that no reader will find any more. */
static void block_retire(struct fib *f, uint32_t ref)
{
	struct node *nd = fib_pool_at(&f->rd, ref);
	uint32_t units = runs_units(node_runs(nd));

	f->waiting += units;
	f->rd.used -= units;
	rcu_retire_arg(nd, f, block_free);
}

/* Where the link to the node of s stands. */
static void shadow_publish(struct fib *f, struct shadow *s, uint32_t ref)
{
	s->ref = ref;
	if (s->parent == 0) {
		fib_words_set(&f->roots, root_slot(f, s->key), LINK | ref);
		return;
	}
	struct shadow *p = shadow_at(f, s->parent);
	struct node *nd = shadow_node(f, p);
	__atomic_store_n(&nd->entry[slot_run(nd, s->key[p->off])], LINK | ref, __ATOMIC_RELEASE);
}

static void cover_set(struct fib *f, struct node *nd, uint32_t cover)
{
	if (nd->cover == cover)
		return;
	__atomic_store_n(&nd->cover, cover, __ATOMIC_RELEASE);
	f->cover_moved = true;
}

/* Make an image what readers see of s: by one store if only one run has another value, else by another block. */
static void shadow_store(struct fib *f, struct shadow *s, struct image *m)
{
	struct node *nd = shadow_node(f, s);
	unsigned differ = 0, where = 0;

	image_pack(m);
	if (memcmp(nd->starts, m->starts, sizeof(m->starts)) == 0) {
		for (unsigned i = 0; i < m->n; i++) {
			if (nd->entry[i] != m->entry[i]) {
				differ++;
				where = i;
			}
		}
		if (differ == 1)
			__atomic_store_n(&nd->entry[where], m->entry[where], __ATOMIC_RELEASE);
		if (differ <= 1)
			return;
	}
	uint32_t old = s->ref;
	shadow_publish(f, s, block_from_image(f, m, nd->skip, nd->cover));
	block_retire(f, old);
}

static void routes_paint(const struct fib *f, const struct shadow *s, uint32_t slot[256])
{
	const struct route *r = shadow_routes(f, s);

	memset(slot, 0, 256 * sizeof(slot[0]));
	for (unsigned i = 0; i < s->n_routes; i++) { /* shorter ones first */
		unsigned end = r[i].bits + (256u >> r[i].len);
		for (unsigned b = r[i].bits; b < end; b++)
			slot[b] = r[i].result;
	}
}

/* The routes of s for the slots of (len, bits) have changed. */
static void shadow_repaint(struct fib *f, struct shadow *s, uint8_t len, uint8_t bits)
{
	struct image m;
	uint32_t want[256];
	unsigned end = bits + (256u >> len);
	const struct kid *k = shadow_kids(f, s);

	routes_paint(f, s, want);
	image_load(&m, shadow_node(f, s));
	for (unsigned b = bits; b < end; b++) {
		if (!is_link(m.slot[b]))
			m.slot[b] = want[b];
	}
	for (unsigned i = kid_index(f, s, bits); i < s->n_kids && k[i].slot < end; i++)
		cover_set(f, shadow_node(f, shadow_at(f, k[i].shadow)), want[k[i].slot]);
	shadow_store(f, s, &m);
}

/* ---------------------------------------------------------------- routes longer than root_bits */

struct prefix {
	const uint8_t *key;
	unsigned off;      /* the byte whose node holds it */
	uint8_t len, bits; /* inside that node */
	uint32_t result;
};

/* Nodes for p alone, entered at byte start; not linked yet.  cover is what its slot had. */
static uint32_t chain_new(struct fib *f, const struct prefix *p, unsigned start, uint32_t cover)
{
	struct image m;
	bool last = p->off - start <= SKIP_MAX;
	unsigned off = last ? p->off : start + SKIP_MAX;
	uint32_t sh = shadow_new(f, p->key, off);
	struct shadow *s = shadow_at(f, sh);

	memset(m.slot, 0, sizeof(m.slot));
	if (last) {
		route_insert(f, s, p->len, p->bits, p->result);
		routes_paint(f, s, m.slot);
	} else {
		uint32_t kid = chain_new(f, p, off + 1, HD_RESULT_NONE);
		kid_insert(f, s, p->key[off], kid);
		shadow_at(f, kid)->parent = sh;
		m.slot[p->key[off]] = LINK | shadow_at(f, kid)->ref;
	}
	image_pack(&m);
	s->ref = block_from_image(f, &m, skip_word(p->key, start, off), cover);
	return sh;
}

/* Nodes for p below parent (0: below the direct array), where there is no node yet. */
static void chain_link(struct fib *f, const struct prefix *p, uint32_t parent)
{
	uint32_t root = root_slot(f, p->key);

	if (parent == 0) {
		uint32_t sh = chain_new(f, p, f->root_bits / 8u, f->root[root]);
		fib_words_set(&f->kids, root, sh);
		shadow_publish(f, shadow_at(f, sh), shadow_at(f, sh)->ref);
		return;
	}
	struct shadow *s = shadow_at(f, parent);
	struct image m;
	uint8_t slot = p->key[s->off];
	image_load(&m, shadow_node(f, s));
	uint32_t sh = chain_new(f, p, s->off + 1u, m.slot[slot]);
	shadow_at(f, sh)->parent = parent;
	kid_insert(f, s, slot, sh);
	m.slot[slot] = LINK | shadow_at(f, sh)->ref;
	shadow_store(f, s, &m);
}

/* Set sh, whose parent is known, in the place of whatever the parent links to. */
static void shadow_replace(struct fib *f, uint32_t sh)
{
	struct shadow *s = shadow_at(f, sh);

	if (s->parent == 0) {
		fib_words_set(&f->kids, root_slot(f, s->key), sh);
	} else {
		struct shadow *p = shadow_at(f, s->parent);
		shadow_kids(f, p)[kid_index(f, p, s->key[p->off])].shadow = sh;
	}
	shadow_publish(f, s, s->ref);
}

/* A node for byte off into the bytes that low skips: p belongs into it, or parts from low there. */
static void node_split(struct fib *f, const struct prefix *p, uint32_t low, unsigned off)
{
	struct image m;
	struct shadow *l = shadow_at(f, low);
	struct node *nd = shadow_node(f, l);
	unsigned start = shadow_start(f, l);
	uint32_t old = l->ref, sh = shadow_new(f, l->key, off);
	struct shadow *s = shadow_at(f, sh);
	uint8_t slot = l->key[off];

	memset(m.slot, 0, sizeof(m.slot));
	s->parent = l->parent;
	l->parent = sh;
	kid_insert(f, s, slot, low);
	if (off == p->off) {
		route_insert(f, s, p->len, p->bits, p->result);
		routes_paint(f, s, m.slot);
	} else {
		uint32_t kid = chain_new(f, p, off + 1, HD_RESULT_NONE);
		shadow_at(f, kid)->parent = sh;
		kid_insert(f, s, p->key[off], kid);
		m.slot[p->key[off]] = LINK | shadow_at(f, kid)->ref;
	}
	if (m.slot[slot] != HD_RESULT_NONE)
		f->cover_moved = true;
	l->ref = block_clone(f, nd, skip_word(l->key, off + 1, l->off), m.slot[slot]);
	m.slot[slot] = LINK | l->ref;
	image_pack(&m);
	s->ref = block_from_image(f, &m, skip_word(l->key, start, off), nd->cover);
	shadow_replace(f, sh);
	block_retire(f, old);
}

/* Where a prefix is, or would go. */
struct spot {
	uint32_t parent; /* last node on its way whose byte is before off; 0: the array */
	uint32_t at;     /* node below parent that p meets; 0: none */
	unsigned differ; /* first byte from which at is another way or beyond; off: it is the node */
	bool found;      /* at is the node of the prefix */
};

static struct spot spot_find(const struct fib *f, const uint8_t *key, unsigned off)
{
	struct spot t = { .at = f->kids.v[root_slot(f, key)] };
	unsigned start = f->root_bits / 8u;

	while (t.at != 0) {
		const struct shadow *s = shadow_at(f, t.at);
		unsigned end = s->off < off ? s->off : off;
		t.differ = start;
		while (t.differ < end && s->key[t.differ] == key[t.differ])
			t.differ++;
		if (t.differ < end || s->off > off)
			break;
		if (s->off == off) {
			t.found = true;
			break;
		}
		t.parent = t.at;
		t.at = kid_find(f, s, key[s->off]);
		start = s->off + 1u;
	}
	return t;
}

static struct prefix prefix_of(const uint8_t *key, uint8_t plen, uint32_t result)
{
	struct prefix p = {
		.key = key, .off = (plen - 1u) / 8, .len = (plen - 1u) % 8 + 1, .result = result
	};

	p.bits = key[p.off] & (0xff00u >> p.len);
	return p;
}

static void deep_set(struct fib *f, const struct prefix *p, const struct spot *t, struct route *r)
{
	if (t->at == 0) {
		chain_link(f, p, t->parent);
	} else if (!t->found) {
		node_split(f, p, t->at, t->differ);
	} else {
		struct shadow *s = shadow_at(f, t->at);
		if (r != NULL)
			r->result = p->result;
		else
			route_insert(f, s, p->len, p->bits, p->result);
		shadow_repaint(f, s, p->len, p->bits);
	}
}

/* sh has no routes and one kid near enough: the kid takes its place. */
static bool node_merge(struct fib *f, uint32_t sh)
{
	struct shadow *s = shadow_at(f, sh);
	unsigned start = shadow_start(f, s);

	if (s->n_routes != 0 || s->n_kids != 1)
		return false;
	uint32_t low = shadow_kids(f, s)[0].shadow;
	struct shadow *l = shadow_at(f, low);
	if (l->off - start > SKIP_MAX)
		return false;
	struct node *nd = shadow_node(f, l);
	uint32_t old = l->ref;
	if (nd->cover != HD_RESULT_NONE)
		f->cover_moved = true;
	l->ref = block_clone(f, nd, skip_word(l->key, start, l->off), shadow_node(f, s)->cover);
	l->parent = s->parent;
	shadow_replace(f, low);
	block_retire(f, old);
	block_retire(f, s->ref);
	shadow_free(f, sh);
	return true;
}

/* sh has neither routes nor kids. */
static void node_remove(struct fib *f, uint32_t sh)
{
	struct shadow *s = shadow_at(f, sh);
	uint32_t cover = shadow_node(f, s)->cover, parent = s->parent, ref = s->ref;

	if (parent == 0) {
		fib_words_set(&f->kids, root_slot(f, s->key), 0);
		fib_words_set(&f->roots, root_slot(f, s->key), cover);
	} else {
		struct shadow *p = shadow_at(f, parent);
		uint8_t slot = s->key[p->off];
		kid_remove(f, p, slot);
		if (p->n_routes == 0 && p->n_kids == 0) {
			node_remove(f, parent);
		} else if (!node_merge(f, parent)) {
			struct image m;
			image_load(&m, shadow_node(f, p));
			m.slot[slot] = cover;
			shadow_store(f, p, &m);
		}
	}
	shadow_free(f, sh);
	block_retire(f, ref);
}

static void deep_del(struct fib *f, const struct prefix *p, uint32_t sh)
{
	struct shadow *s = shadow_at(f, sh);

	array_remove(f, &s->routes, &s->units_routes, &s->n_routes,
		     route_index(f, s, p->len, p->bits));
	if (s->n_routes == 0 && s->n_kids == 0)
		node_remove(f, sh);
	else if (!node_merge(f, sh))
		shadow_repaint(f, s, p->len, p->bits);
}

/* ---------------------------------------------------------------- routes up to root_bits */

static void root_store(struct fib *f, uint32_t slot, uint32_t result)
{
	uint32_t kid = f->kids.v[slot];

	if (kid != 0)
		cover_set(f, shadow_node(f, shadow_at(f, kid)), result);
	else if (f->root[slot] != result)
		fib_words_set(&f->roots, slot, result);
}

/* Result for all that number i of the exact tree covers at the level that begins at leaf (the array's slots, or the
 * first bytes), but what a longer prefix has. */
static void exact_paint(struct fib *f, uint32_t i, uint32_t leaf, uint32_t result)
{
	if (i < leaf) {
		for (uint32_t c = 2 * i; c <= 2 * i + 1; c++) {
			if (f->exact.v[c] == HD_RESULT_NONE)
				exact_paint(f, c, leaf, result);
		}
	} else if (leaf == FIRST_LEAF) {
		__atomic_store_n(&f->first[i - leaf], result, __ATOMIC_RELEASE);
		f->cover_moved = true;
	} else {
		root_store(f, i - leaf, result);
	}
}

static uint32_t exact_index(const uint8_t *key, uint8_t plen)
{
	uint32_t first = (uint32_t)key[0] << 24 | (uint32_t)key[1] << 16 | (uint32_t)key[2] << 8 |
			 key[3];

	return 1u << plen | (uint32_t)((uint64_t)first >> (32 - plen));
}

static void shallow_set(struct fib *f, uint32_t i, uint32_t result)
{
	bool first = i < 2 * FIRST_LEAF;

	fib_words_set(&f->exact, i, result);
	for (uint32_t up = i; result == HD_RESULT_NONE && up > (first ? 1 : 4 * FIRST_LEAF - 1);) {
		up /= 2;
		result = f->exact.v[up];
	}
	exact_paint(f, i, first ? FIRST_LEAF : 1u << f->root_bits, result);
}

/* ---------------------------------------------------------------- the interface */

/* Units kept back for deletes, which must not fail: each gives back what it takes, after a grace period. */
#define RD_RESERVE 4096u
/* Most blocks, and units at the end of the pool, that one fib_set() takes: a copy of the node that it meets with up to
 * two more runs, and new nodes of few runs. */
#define RD_BLOCKS 6u
#define RD_NEED   (2 * UNIT_MAX + 10)
#define WR_NEED   (2 * 256 + 64)

/* No block of the next update has more than units. */
static bool rd_ready(const struct fib *f, uint32_t units)
{
	const struct fib_pool *l = &f->rd;
	uint32_t n = 0;

	if (fib_pool_has_fresh(l, RD_NEED, l->reserve))
		return true;
	for (uint32_t c = units; c <= UNIT_MAX; c++)
		n += l->n_free[c];
	return n >= RD_BLOCKS;
}

static bool memory_ready(const struct fib *f, const struct spot *t)
{
	uint32_t sh = t->at != 0 ? t->at : t->parent, units = 0;

	if (!fib_pool_has_fresh(&f->wr, WR_NEED, 0))
		return false;
	if (sh != 0)
		units = runs_units(node_runs(shadow_node(f, shadow_at(f, sh))) + 2);
	if (units < 2)
		units = 2;
	if (units > UNIT_MAX)
		units = UNIT_MAX;
	/* Workers give memory back within microseconds; one that is stuck shall not stop the control thread too. */
	for (unsigned tries = 0; !rd_ready(f, units); tries++) {
		if (tries == 100)
			return false;
		if (rcu_reclaim() == 0)
			usleep(50);
	}
	return true;
}

static uint64_t last_state; /* of all tables: no two ever have the same */
static struct fib *tables;

/* Never with a lower part of 0.  When the upper part becomes another one, it does so for all tables: whoever remembers
 * lower parts then forgets what is older. */
static void state_renew(struct fib *f)
{
	if (fib_state_low(last_state + 1) == 0) {
		last_state++;
		for (struct fib *t = tables; t != NULL; t = t->next)
			__atomic_store_n(&t->state, ++last_state, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&f->state, ++last_state, __ATOMIC_RELEASE);
}

void fib_states_go_on(uint64_t state)
{
	last_state = state;
}

/* End of an update: tell readers that a cover has changed, before the next update begins. */
static void update_end(struct fib *f)
{
	state_renew(f);
	if (f->cover_moved)
		__atomic_store_n(&f->seq, f->seq + 1, __ATOMIC_RELEASE);
	f->cover_moved = false;
	if (f->n_routes > f->peak_routes)
		f->peak_routes = f->n_routes;
	if (f->n_routes > 0 || f->peak_routes < 1024)
		return;
	f->peak_routes = 0;
	fib_words_reset(&f->roots);
	fib_words_reset(&f->exact);
	fib_words_reset(&f->kids);
	fib_pool_reset(&f->wr);
	block_reset(f);
}

struct fib *fib_create(const struct fib_conf *conf)
{
	bool v6 = conf->family == FIB_IP6, big = conf->max_routes >= 65536;
	uint64_t routes = conf->max_routes;
	uint64_t rd_bytes = routes * 512 + RD_RESERVE * UNIT * 2,
		 wr_bytes = routes * 512 + (64 << 10);

	if ((!v6 && conf->family != FIB_IP4) || routes == 0 || routes > 1u << 24 ||
	    (conf->root_bits != 0 && conf->root_bits != 16 && conf->root_bits != 24)) {
		errno = EINVAL;
		return NULL;
	}
	if (rd_bytes > ((uint64_t)HD_RESULT_INDEX_MAX + 1) * UNIT)
		rd_bytes = ((uint64_t)HD_RESULT_INDEX_MAX + 1) * UNIT;
	struct fib *f = aligned_alloc(64, sizeof(*f));
	if (f == NULL)
		return NULL;
	memset(f, 0, sizeof(*f));
	f->root_bits = conf->root_bits;
	f->key_bytes = v6 ? 16 : 4;
	f->max_routes = conf->max_routes;
	size_t slots = (size_t)1 << conf->root_bits;
	if (fib_pool_init(&f->rd, UNIT, UNIT_MAX, rd_bytes, big) < 0 ||
	    fib_pool_init(&f->wr, 16, 256, wr_bytes, false) < 0 ||
	    fib_words_init(&f->roots, slots, conf->root_bits == 24) < 0 ||
	    fib_words_init(&f->exact, slots > FIRST_LEAF ? 2 * slots : 2 * FIRST_LEAF, false) < 0 ||
	    fib_words_init(&f->kids, slots, false) < 0)
		goto free_f;
	f->rd.reserve = RD_RESERVE;
	f->root = f->roots.v;
	f->base = f->rd.base;
	f->next = tables;
	tables = f;
	state_renew(f);
	return f;
free_f:
	fib_words_fini(&f->kids);
	fib_words_fini(&f->exact);
	fib_words_fini(&f->roots);
	fib_pool_fini(&f->wr);
	fib_pool_fini(&f->rd);
	free(f);
	errno = ENOMEM;
	return NULL;
}

static void table_free(void *p)
{
	struct fib *f = p;

	fib_words_fini(&f->kids);
	fib_words_fini(&f->exact);
	fib_words_fini(&f->roots);
	fib_pool_fini(&f->wr);
	fib_pool_fini(&f->rd);
	free(f);
}

void fib_destroy(struct fib *f)
{
	for (struct fib **t = &tables; *t != NULL; t = &(*t)->next) {
		if (*t == f) {
			*t = f->next;
			break;
		}
	}
	rcu_retire(f, table_free); /* behind the blocks of this table that still wait */
}

int fib_set(struct fib *f, const uint8_t *prefix, uint8_t plen, uint32_t result)
{
	if (plen > f->key_bytes * 8 || result == HD_RESULT_NONE || is_link(result))
		return -EINVAL;
	uint8_t key[16] = { 0 };
	memcpy(key, prefix, f->key_bytes);
	if (plen <= f->root_bits) {
		uint32_t i = exact_index(key, plen), old = f->exact.v[i];
		if (old == HD_RESULT_NONE && f->n_routes == f->max_routes)
			return -ENOSPC;
		f->n_routes += old == HD_RESULT_NONE;
		if (old != result)
			shallow_set(f, i, result);
	} else {
		struct prefix p = prefix_of(key, plen, result);
		struct spot t = spot_find(f, key, p.off);
		struct route *r = t.found ? route_find(f, shadow_at(f, t.at), p.len, p.bits) : NULL;
		if (r != NULL && r->result == result)
			return 0;
		if ((r == NULL && f->n_routes == f->max_routes) || !memory_ready(f, &t))
			return -ENOSPC;
		f->n_routes += r == NULL;
		deep_set(f, &p, &t, r);
	}
	update_end(f);
	return 0;
}

int fib_del(struct fib *f, const uint8_t *prefix, uint8_t plen)
{
	if (plen > f->key_bytes * 8)
		return -EINVAL;
	uint8_t key[16] = { 0 };
	memcpy(key, prefix, f->key_bytes);
	if (plen <= f->root_bits) {
		uint32_t i = exact_index(key, plen);
		if (f->exact.v[i] == HD_RESULT_NONE)
			return 0;
		f->n_routes--;
		shallow_set(f, i, HD_RESULT_NONE);
	} else {
		struct prefix p = prefix_of(key, plen, HD_RESULT_NONE);
		struct spot t = spot_find(f, key, p.off);
		if (!t.found || route_find(f, shadow_at(f, t.at), p.len, p.bits) == NULL)
			return 0;
		if (!fib_pool_has_fresh(&f->rd, RD_NEED, 0) && !rd_ready(f, UNIT_MAX))
			rcu_drain(); /* out of reserve: wait for what earlier updates gave back */
		f->n_routes--;
		deep_del(f, &p, t.at);
	}
	update_end(f);
	return 0;
}

uint32_t fib_get_exact(const struct fib *f, const uint8_t *prefix, uint8_t plen)
{
	uint8_t key[16] = { 0 };

	if (plen > f->key_bytes * 8)
		return HD_RESULT_NONE;
	memcpy(key, prefix, f->key_bytes);
	if (plen <= f->root_bits)
		return f->exact.v[exact_index(key, plen)];
	struct prefix p = prefix_of(key, plen, HD_RESULT_NONE);
	struct spot t = spot_find(f, key, p.off);
	struct route *r = t.found ? route_find(f, shadow_at(f, t.at), p.len, p.bits) : NULL;
	return r != NULL ? r->result : HD_RESULT_NONE;
}

struct walk {
	int (*cb)(const uint8_t *prefix, uint8_t plen, uint32_t result, void *arg);
	void *arg;
};

static int walk_node(const struct fib *f, uint32_t sh, const struct walk *w)
{
	const struct shadow *s = shadow_at(f, sh);
	const struct route *r = shadow_routes(f, s);
	const struct kid *k = shadow_kids(f, s);
	int rc = 0;

	for (unsigned i = 0; i < s->n_routes && rc == 0; i++) {
		uint8_t key[16] = { 0 };
		memcpy(key, s->key, s->off);
		key[s->off] = r[i].bits;
		rc = w->cb(key, s->off * 8 + r[i].len, r[i].result, w->arg);
	}
	for (unsigned i = 0; i < s->n_kids && rc == 0; i++)
		rc = walk_node(f, k[i].shadow, w);
	return rc;
}

static int walk_exact(const struct fib *f, uint32_t i, const struct walk *w)
{
	uint32_t result = f->exact.v[i];

	if (result == HD_RESULT_NONE)
		return 0;
	uint8_t key[16] = { 0 };
	unsigned plen = 31u - (unsigned)__builtin_clz(i);
	uint32_t bits = (uint32_t)((uint64_t)i << (32 - plen));
	for (unsigned b = 0; b < 4; b++)
		key[b] = bits >> (24 - 8 * b);
	return w->cb(key, plen, result, w->arg);
}

int fib_walk(const struct fib *f,
	     int (*cb)(const uint8_t *prefix, uint8_t plen, uint32_t result, void *arg), void *arg)
{
	struct walk w = { cb, arg };
	int rc = 0;

	for (size_t i = 0; i < f->exact.n && rc == 0; i++) {
		if (i % PAGE_WORDS == 0 && !fib_words_page_touched(&f->exact, i / PAGE_WORDS)) {
			i += PAGE_WORDS - 1;
			continue;
		}
		rc = walk_exact(f, i, &w);
	}
	for (size_t i = 0; i < f->kids.n && rc == 0; i++) {
		if (i % PAGE_WORDS == 0 && !fib_words_page_touched(&f->kids, i / PAGE_WORDS)) {
			i += PAGE_WORDS - 1;
			continue;
		}
		if (f->kids.v[i] != 0)
			rc = walk_node(f, f->kids.v[i], &w);
	}
	return rc;
}

void fib_stats_get(const struct fib *f, struct fib_stats *ret)
{
	*ret = (struct fib_stats){
		.routes = f->n_routes,
		.nodes = f->n_nodes,
		.reader_bytes = (uint64_t)f->rd.used * UNIT + f->roots.n_touched * 4096ul,
		.writer_bytes = (uint64_t)f->wr.used * 16 + sizeof(*f) +
				(f->exact.n_touched + f->kids.n_touched) * 4096ul,
		.waiting_bytes = (uint64_t)f->waiting * UNIT,
	};
}
