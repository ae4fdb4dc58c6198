/* SPDX-License-Identifier: BSD-3-Clause
 * VRFs, and the store of what each source says about a prefix.
 * Most prefixes have a route and nothing else: those live in the FIB alone.  Only a prefix about which another source
 * speaks has an entry here, which then also keeps the route's result. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_hash_crc.h>

#include "dataplane/log.h"
#include "dataplane/rcu.h"
#include "dataplane/tables/buckets.h"
#include "pipelines/ip/internal.h"

struct slots *vrf_slots;

struct rib_key {
	uint32_t vrf;
	uint8_t family, plen, pad[2];
	uint8_t prefix[16];
} __attribute__((aligned(8)));
static_assert(sizeof(struct rib_key) == 24, "hashed and compared as octets");

struct rib_entry {
	struct rib_entry *next;
	struct rib_key key;
	uint32_t result[RIB_N_SOURCES]; /* HD_RESULT_NONE: silent */
};

static struct rib_entry **bucket;
static uint32_t n_buckets, n_entries;
static uint32_t
	n_of_plen[2][129]; /* IPv4, IPv6: most lengths have none, and then nothing is searched */

static int rib_key_make(struct rib_key *k, uint32_t vrf, unsigned family, const uint8_t *prefix,
			uint8_t plen)
{
	unsigned len = family == 4 ? 4 : 16;

	if ((family != 4 && family != 6) || plen > len * 8)
		return -EINVAL;
	memset(k, 0, sizeof(*k));
	k->vrf = vrf;
	k->family = (uint8_t)family;
	k->plen = plen;
	memcpy(k->prefix, prefix, plen / 8);
	if (plen % 8 != 0)
		k->prefix[plen / 8] = (uint8_t)(prefix[plen / 8] & 0xff << (8 - plen % 8));
	return 0;
}

static uint32_t rib_hash(const struct rib_key *k)
{
	uint64_t word[sizeof(*k) / 8]; /* which is how rte_hash_crc() reads */

	memcpy(word, k, sizeof(word));
	return rte_hash_crc(word, sizeof(word), 0);
}

static struct rib_entry *rib_find(const struct rib_key *k)
{
	struct rib_entry *e;

	if (n_of_plen[k->family == 6][k->plen] == 0)
		return NULL;
	e = bucket[rib_hash(k) & (n_buckets - 1)];
	while (e != NULL && memcmp(&e->key, k, sizeof(*k)) != 0)
		e = e->next;
	return e;
}

static void rib_grow(void)
{
	uint32_t n = n_buckets * 2;
	struct rib_entry **b = buckets_alloc(n);

	if (b == NULL)
		return; /* longer chains are right too */
	for (uint32_t i = 0; i < n_buckets; i++) {
		for (struct rib_entry *e = bucket[i], *next; e != NULL; e = next) {
			uint32_t h = rib_hash(&e->key) & (n - 1);

			next = e->next;
			e->next = b[h];
			b[h] = e;
		}
	}
	free(bucket);
	bucket = b;
	n_buckets = n;
}

static struct rib_entry *rib_add(const struct rib_key *k)
{
	struct rib_entry *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	if (++n_entries > n_buckets / 2) /* most questions are about prefixes that have no entry */
		rib_grow();
	uint32_t h = rib_hash(k) & (n_buckets - 1);
	e->key = *k;
	n_of_plen[k->family == 6][k->plen]++;
	e->next = bucket[h];
	bucket[h] = e;
	return e;
}

static void rib_drop(struct rib_entry *e)
{
	struct rib_entry **at = &bucket[rib_hash(&e->key) & (n_buckets - 1)];

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	n_entries--;
	n_of_plen[e->key.family == 6][e->key.plen]--;
	free(e);
}

static uint32_t rib_best(const struct rib_entry *e)
{
	for (unsigned s = RIB_N_SOURCES; s-- > 0;)
		if (e->result[s] != HD_RESULT(HD_RESULT_NONE, 0))
			return e->result[s];
	return HD_RESULT(HD_RESULT_NONE, 0);
}

void ip_rib_prefetch(uint32_t vrf, unsigned family, const uint8_t *prefix, uint8_t plen)
{
	struct rib_key k;

	if (rib_key_make(&k, vrf, family, prefix, plen) == 0)
		__builtin_prefetch(&bucket[rib_hash(&k) & (n_buckets - 1)]);
}

static bool rib_only_route(const struct rib_entry *e)
{
	for (unsigned s = RIB_ROUTE + 1; s < RIB_N_SOURCES; s++)
		if (e->result[s] != HD_RESULT(HD_RESULT_NONE, 0))
			return false;
	return true;
}

static struct fib *vrf_fib(uint32_t vrf, unsigned family)
{
	const struct ip_vrf *v = slots_get(vrf_slots, vrf);

	return v == NULL ? NULL : family == 4 ? v->fib4 : v->fib6;
}

int ip_rib_set(uint32_t vrf, unsigned family, const uint8_t *prefix, uint8_t plen,
	       enum rib_source source, uint32_t result)
{
	struct fib *fib = vrf_fib(vrf, family);
	struct rib_key k;
	struct rib_entry *e;
	uint32_t was;
	int rc;

	if (fib == NULL)
		return -ENOENT;
	if (source >= RIB_N_SOURCES || result == HD_RESULT(HD_RESULT_NONE, 0) ||
	    rib_key_make(&k, vrf, family, prefix, plen) < 0)
		return -EINVAL;
	e = rib_find(&k);
	if (e == NULL && source == RIB_ROUTE)
		return fib_set(fib, k.prefix, plen, result);
	if (e == NULL) {
		e = rib_add(&k);
		if (e == NULL)
			return -ENOMEM;
		e->result[RIB_ROUTE] = fib_get_exact(fib, k.prefix, plen);
	}
	was = e->result[source];
	e->result[source] = result;
	rc = fib_set(fib, k.prefix, plen, rib_best(e));
	if (rc < 0) {
		e->result[source] = was;
		if (rib_only_route(e))
			rib_drop(e);
	}
	return rc;
}

int ip_rib_del(uint32_t vrf, unsigned family, const uint8_t *prefix, uint8_t plen,
	       enum rib_source source)
{
	struct fib *fib = vrf_fib(vrf, family);
	struct rib_key k;
	struct rib_entry *e;
	uint32_t best;
	int rc;

	if (source >= RIB_N_SOURCES || rib_key_make(&k, vrf, family, prefix, plen) < 0)
		return -EINVAL;
	if (fib == NULL)
		return 0;
	e = rib_find(&k);
	if (e == NULL)
		return source == RIB_ROUTE ? fib_del(fib, k.prefix, plen) : 0;
	e->result[source] = HD_RESULT(HD_RESULT_NONE, 0);
	best = rib_best(e);
	if (rib_only_route(e))
		rib_drop(e);
	if (best == HD_RESULT(HD_RESULT_NONE, 0))
		return fib_del(fib, k.prefix, plen);
	rc = fib_set(fib, k.prefix, plen, best);
	if (rc <
	    0) { /* no memory to fall back to the next source: rather no answer than a wrong one */
		log_error("rib: a prefix of VRF %u was lost for lack of memory", vrf);
		fib_del(fib, k.prefix, plen);
	}
	return rc;
}

bool rib_match(uint32_t vrf, unsigned family, const uint8_t *addr, uint8_t *ret_plen,
	       enum rib_source *ret_source, uint32_t *ret_word)
{
	const struct fib *fib = vrf_fib(vrf, family);
	struct rib_key k;

	for (int plen = family == 4 ? 32 : 128; fib != NULL && plen >= 0; plen--) {
		const struct rib_entry *e;
		unsigned source = RIB_ROUTE;
		uint32_t word;

		rib_key_make(&k, vrf, family, addr, (uint8_t)plen);
		word = fib_get_exact(fib, k.prefix, (uint8_t)plen);
		if (word == HD_RESULT(HD_RESULT_NONE, 0))
			continue;
		e = rib_find(&k);
		for (unsigned s = RIB_N_SOURCES; e != NULL && s-- > 0;) {
			source = s;
			if (e->result[s] != HD_RESULT(HD_RESULT_NONE, 0))
				break;
		}
		*ret_plen = (uint8_t)plen;
		*ret_source = (enum rib_source)source;
		*ret_word = word;
		return true;
	}
	return false;
}

/* ---- VRFs ---- */

static void vrf_free(void *p)
{
	free(p);
}

int vrf_create(uint32_t id)
{
	/* The default VRF is made for full tables, the others for what a customer has; see fib.h. */
	struct fib_conf c4 = { .family = FIB_IP4, .root_bits = id == 0 ? 24 : 0 };
	struct fib_conf c6 = { .family = FIB_IP6, .root_bits = id == 0 ? 24 : 0 };
	/* Local, connected and neighbour routes come on top of what the limits promise. */
	uint32_t own = dp_limits.neighs + 4 * dp_limits.ifaces + dp_limits.sids;
	struct ip_vrf *v;

	if (slots_get(vrf_slots, id) != NULL)
		return 0;
	v = calloc(1, sizeof(*v));
	if (v == NULL)
		return -ENOMEM;
	c4.max_routes = RTE_MIN(1u << 24, dp_limits.routes4 + own);
	c6.max_routes = RTE_MIN(1u << 24, dp_limits.routes6 + own);
	v->id = (uint16_t)id;
	v->fib4 = fib_create(&c4);
	v->fib6 = fib_create(&c6);
	if (v->fib4 == NULL || v->fib6 == NULL)
		goto fail;
	slots_set(vrf_slots, id, v, vrf_free);
	return 0;
fail:
	fib_destroy(v->fib4);
	fib_destroy(v->fib6);
	free(v);
	return -ENOMEM;
}

static void vrf_drop(uint32_t id)
{
	struct ip_vrf *v = slots_get(vrf_slots, id);
	struct fib *f4, *f6;

	if (v == NULL)
		return;
	f4 = v->fib4;
	f6 = v->fib6;
	slots_set(vrf_slots, id, NULL, vrf_free);
	fib_destroy(f4);
	fib_destroy(f6);
	for (uint32_t b = 0; b < n_buckets; b++) {
		for (struct rib_entry *e = bucket[b], *next; e != NULL; e = next) {
			next = e->next;
			if (e->key.vrf == id)
				rib_drop(e);
		}
	}
}

void vrf_destroy(uint32_t id)
{
	if (id != 0)
		vrf_drop(id);
}

int rib_init(void)
{
	uint32_t idx;

	n_buckets = 1024;
	bucket = calloc(n_buckets, sizeof(*bucket));
	vrf_slots = slots_create(dp_limits.vrfs);
	if (bucket == NULL || vrf_slots == NULL)
		goto fail;
	while (slots_alloc(vrf_slots, &idx) == 0) /* ids are the owner's */
		;
	if (vrf_create(0) < 0)
		goto fail;
	return 0;
fail:
	rib_fini();
	return -ENOMEM;
}

void rib_fini(void)
{
	for (uint32_t i = 0; vrf_slots != NULL && bucket != NULL && i < dp_limits.vrfs; i++)
		vrf_drop(i);
	slots_destroy(vrf_slots, NULL);
	vrf_slots = NULL;
	free(bucket);
	bucket = NULL;
	n_buckets = n_entries = 0;
}
