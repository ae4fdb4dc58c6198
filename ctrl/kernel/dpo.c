/* SPDX-License-Identifier: BSD-3-Clause
 * Objects between a route and the wire, shared by content. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/kernel/kernel_private.h"

static uint32_t hash_octets(uint32_t h, const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * 16777619u;
	return h;
}

/* The id is the first word of each of these messages, and no part of the content. */
static uint32_t content_hash(uint16_t type, const uint8_t *body, uint32_t size)
{
	return hash_octets(hash_octets(2166136261u, &type, sizeof(type)), body + 4, size - 4);
}

static bool content_equal(const struct dpo *d, uint16_t type, const uint8_t *body, uint32_t size)
{
	return d->type == type && d->size == size && memcmp(d->body + 4, body + 4, size - 4) == 0;
}

int dpo_table_init(struct dpo_table *t, const struct hd_api_hello *hello)
{
	const struct {
		uint16_t type;
		uint32_t max;
	} kinds[] = { { HD_API_NEXTHOP, hello->max_nexthops },
		      { HD_API_NHGROUP, hello->max_nhgroups },
		      { HD_API_SRV6_SEGLIST, hello->max_seglists },
		      { HD_API_SRV6_POLICY, hello->max_policies } };

	*t = (struct dpo_table){ .n_buckets = 1024 };
	objset_init(&t->adopted);
	t->bucket = calloc(t->n_buckets, sizeof(*t->bucket));
	for (size_t i = 0; i < 4; i++) {
		struct dpo_ids *ids = &t->ids[i];
		*ids = (struct dpo_ids){ .type = kinds[i].type,
					 .base = kinds[i].max / 2,
					 .n = kinds[i].max - kinds[i].max / 2 };
		if (ids->base == 0) { /* id 0 is never used */
			ids->base = 1;
			ids->n = kinds[i].max > 1 ? kinds[i].max - 1 : 0;
		}
		ids->at = calloc(ids->n + 1, sizeof(*ids->at));
		if (ids->at == NULL || t->bucket == NULL) {
			dpo_table_fini(t);
			return -ENOMEM;
		}
	}
	return 0;
}

void dpo_table_fini(struct dpo_table *t)
{
	for (uint32_t b = 0; t->bucket != NULL && b < t->n_buckets; b++)
		for (struct dpo *d = t->bucket[b], *next; d != NULL; d = next) {
			next = d->hnext;
			free(d->dep);
			free(d);
		}
	free(t->bucket);
	for (size_t i = 0; i < 4; i++)
		free(t->ids[i].at);
	objset_fini(&t->adopted);
	*t = (struct dpo_table){ 0 };
}

static struct dpo_ids *ids_of(struct dpo_table *t, uint16_t type)
{
	for (size_t i = 0; i < 4; i++)
		if (t->ids[i].type == type)
			return &t->ids[i];
	return NULL;
}

static bool id_free(const struct dpo_ids *ids, uint32_t id)
{
	return id >= ids->base && id - ids->base < ids->n && ids->at[id - ids->base] == NULL;
}

/* The id that the data plane has for this content already; 0: none. */
static uint32_t id_adopted(struct dpo_table *t, uint16_t type, const uint8_t *body, uint32_t size)
{
	for (size_t i = 0; i < t->adopted.n; i++) {
		struct object *o = &t->adopted.obj[i];
		uint32_t id;
		if (o->kind->type != type || o->size < size ||
		    memcmp(o->body + 4, body + 4, size - 4) != 0)
			continue;
		memcpy(&id, o->body, sizeof(id));
		t->adopted.obj[i] = t->adopted.obj[--t->adopted.n];
		return id;
	}
	return 0;
}

/* A number that no object had lately, so that no route that is about to go sees its next hop become another. */
static uint32_t id_new(struct dpo_ids *ids)
{
	for (uint32_t k = 0; k < ids->n; k++) {
		uint32_t i = ids->next;
		ids->next = (ids->next + 1) % ids->n;
		if (ids->at[i] == NULL)
			return ids->base + i;
	}
	return 0;
}

void dpo_adopt(struct dpo_table *t, const struct ctrl_kind *kind, const void *body, uint32_t size)
{
	struct dpo_ids *ids = ids_of(t, kind->type);
	uint32_t id;

	memcpy(&id, body, sizeof(id));
	if (ids == NULL || id < ids->base)
		return;
	if (objset_add(&t->adopted, kind, body, size, NULL) == 0)
		ids->next = id - ids->base + 1 < ids->n ? id - ids->base + 1 : 0;
}

static void table_grow(struct dpo_table *t)
{
	uint32_t n = t->n_buckets * 2;
	struct dpo **b = calloc(n, sizeof(*b));

	if (b == NULL)
		return;
	for (uint32_t i = 0; i < t->n_buckets; i++)
		for (struct dpo *d = t->bucket[i], *next; d != NULL; d = next) {
			next = d->hnext;
			uint32_t h = content_hash(d->type, d->body, d->size) & (n - 1);
			d->hnext = b[h];
			b[h] = d;
		}
	free(t->bucket);
	t->bucket = b;
	t->n_buckets = n;
}

static void deps_unref(struct dpo_table *t, struct dpo **dep, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		dpo_unref(t, dep[i]);
}

struct dpo *dpo_get(struct dpo_table *t, uint16_t type, const void *body, uint32_t size,
		    struct dpo **dep, uint32_t n_deps, int *rc)
{
	uint32_t h = content_hash(type, body, size) & (t->n_buckets - 1);
	struct dpo_ids *ids = ids_of(t, type);

	for (struct dpo *d = t->bucket[h]; d != NULL; d = d->hnext)
		if (content_equal(d, type, body, size)) {
			deps_unref(t, dep, n_deps);
			d->refs++;
			return d;
		}
	struct dpo *d = calloc(1, sizeof(*d) + size);
	struct dpo **deps = n_deps != 0 ? malloc(n_deps * sizeof(*deps)) : NULL;
	*rc = -ENOMEM;
	if (d == NULL || (n_deps != 0 && deps == NULL))
		goto fail;
	d->id = id_adopted(t, type, body, size);
	if (d->id == 0 || !id_free(ids, d->id))
		d->id = id_new(ids);
	*rc = -ENOSPC;
	if (d->id == 0)
		goto fail;
	ids->at[d->id - ids->base] = d;
	d->type = type;
	d->refs = 1;
	d->size = size;
	memcpy(d->body, body, size);
	memcpy(d->body, &d->id, sizeof(d->id));
	d->dep = deps;
	d->n_deps = n_deps;
	if (n_deps != 0)
		memcpy(deps, dep, n_deps * sizeof(*deps));
	if (t->n++ >= t->n_buckets) {
		table_grow(t);
		h = content_hash(type, body, size) & (t->n_buckets - 1);
	}
	d->hnext = t->bucket[h];
	t->bucket[h] = d;
	return d;
fail:
	free(d);
	free(deps);
	deps_unref(t, dep, n_deps);
	return NULL;
}

void dpo_ref(struct dpo *d)
{
	if (d != NULL)
		d->refs++;
}

/* Without users it waits for mirror.c to take it out of the data plane, or for somebody who wants it again. */
void dpo_unref(struct dpo_table *t, struct dpo *d)
{
	if (d == NULL || --d->refs > 0 || d->on_dead_list)
		return;
	d->on_dead_list = true;
	d->dead_next = t->dead;
	t->dead = d;
}

void dpo_free(struct dpo_table *t, struct dpo *d)
{
	struct dpo **at = &t->bucket[content_hash(d->type, d->body, d->size) & (t->n_buckets - 1)];
	struct dpo_ids *ids = ids_of(t, d->type);

	while (*at != d)
		at = &(*at)->hnext;
	*at = d->hnext;
	t->n--;
	ids->at[d->id - ids->base] = NULL;
	deps_unref(t, d->dep, d->n_deps);
	free(d->dep);
	free(d);
}

const struct dpo *dpo_by_id(const struct dpo_table *t, uint16_t type, uint32_t id)
{
	for (size_t i = 0; i < 4; i++)
		if (t->ids[i].type == type && t->ids[i].at != NULL && id >= t->ids[i].base &&
		    id - t->ids[i].base < t->ids[i].n)
			return t->ids[i].at[id - t->ids[i].base];
	return NULL;
}
