/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/objset.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heddle/api/secret.h"

struct objset_chunk {
	struct objset_chunk *next;
	size_t used, size;
	uint8_t data[];
};

void objset_init(struct objset *s)
{
	*s = (struct objset){ 0 };
}

void objset_fini(struct objset *s)
{
	while (s->chunks != NULL) {
		struct objset_chunk *next = s->chunks->next;
		free(s->chunks);
		s->chunks = next;
	}
	free(s->obj);
	*s = (struct objset){ 0 };
}

static uint8_t *body_copy(struct objset *s, const void *body, size_t size)
{
	struct objset_chunk *c = s->chunks;
	size_t room = (size + 7) & ~(size_t)7;

	if (c == NULL || c->size - c->used < room) {
		c = malloc(sizeof(*c) + (1u << 18));
		if (c == NULL)
			return NULL;
		*c = (struct objset_chunk){ .next = s->chunks, .size = 1u << 18 };
		s->chunks = c;
	}
	uint8_t *p = c->data + c->used;
	c->used += room;
	return memcpy(p, body, size);
}

int objset_add(struct objset *s, const struct ctrl_kind *kind, const void *body, size_t size,
	       const void *origin)
{
	if (size < kind->key_size || size > kind->size)
		return s->error = -EMSGSIZE;
	if (s->n == s->cap) {
		size_t cap = s->cap != 0 ? s->cap * 2 : 64;
		struct object *obj = realloc(s->obj, cap * sizeof(*obj));
		if (obj == NULL)
			return s->error = -ENOMEM;
		s->obj = obj;
		s->cap = cap;
	}
	uint8_t *copy = body_copy(s, body, size);
	if (copy == NULL)
		return s->error = -ENOMEM;
	s->obj[s->n++] = (struct object){
		.kind = kind, .body = copy, .size = (uint32_t)size, .origin = origin
	};
	return 0;
}

int object_cmp_key(const struct object *a, const struct object *b)
{
	if (a->kind->type != b->kind->type)
		return a->kind->type < b->kind->type ? -1 : 1;
	return memcmp(a->body, b->body, a->kind->key_size);
}

static bool all_zero(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != 0)
			return false;
	return true;
}

/* The first n octets, but for a secret that one side does not show. */
static bool same_octets(const struct object *a, const struct object *b, uint32_t n)
{
	size_t off, len;

	if (!hd_api_secret(a->kind->type, &off, &len) || off + len > n ||
	    (!all_zero(a->body + off, len) && !all_zero(b->body + off, len)))
		return memcmp(a->body, b->body, n) == 0;
	return memcmp(a->body, b->body, off) == 0 &&
	       memcmp(a->body + off + len, b->body + off + len, n - off - len) == 0;
}

bool object_equal(const struct object *a, const struct object *b)
{
	const struct object *l = a->size >= b->size ? a : b, *s = l == a ? b : a;

	if (a->kind->type != b->kind->type || !same_octets(l, s, s->size))
		return false;
	for (uint32_t i = s->size; i < l->size; i++)
		if (l->body[i] != 0)
			return false;
	return true;
}

void object_describe(const struct object *o, char *buf, size_t size)
{
	uint8_t whole[4096] = { 0 };
	int n = snprintf(buf, size, "%s ", o->kind->name);

	if (n < 0 || (size_t)n >= size || o->kind->size > sizeof(whole))
		return;
	memcpy(whole, o->body, o->size);
	o->kind->describe(whole, buf + n, size - (size_t)n);
}

static int sort_cmp(const void *a, const void *b)
{
	return object_cmp_key(a, b);
}

int objset_sort(struct objset *s, const struct object **ret_a, const struct object **ret_b)
{
	size_t n = 0;

	if (s->n > 1)
		qsort(s->obj, s->n, sizeof(*s->obj), sort_cmp);
	for (size_t i = 0; i < s->n; i++) {
		struct object *last = n > 0 ? &s->obj[n - 1] : NULL;
		if (last == NULL || object_cmp_key(last, &s->obj[i]) != 0) {
			s->obj[n++] = s->obj[i];
		} else if (!object_equal(last, &s->obj[i])) {
			*ret_a = last;
			*ret_b = &s->obj[i];
			return -EEXIST;
		}
	}
	s->n = n;
	return 0;
}

const struct object *objset_find(const struct objset *s, const struct ctrl_kind *kind,
				 const void *key)
{
	struct object want = { .kind = kind, .body = key, .size = kind->key_size };

	return s->n == 0 ? NULL : bsearch(&want, s->obj, s->n, sizeof(*s->obj), sort_cmp);
}

int objset_diff(const struct objset *from, const struct objset *to, objset_diff_fn fn, void *arg)
{
	size_t i = 0, j = 0;
	int rc = 0;

	while (rc == 0 && (i < from->n || j < to->n)) {
		int c = i == from->n ? 1 :
			j == to->n   ? -1 :
				       object_cmp_key(&from->obj[i], &to->obj[j]);
		if (c < 0) {
			rc = fn(&from->obj[i++], NULL, arg);
		} else if (c > 0) {
			rc = fn(NULL, &to->obj[j++], arg);
		} else {
			if (!object_equal(&from->obj[i], &to->obj[j]))
				rc = fn(&from->obj[i], &to->obj[j], arg);
			i++;
			j++;
		}
	}
	return rc;
}
