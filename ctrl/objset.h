/* SPDX-License-Identifier: BSD-3-Clause
 * An object set: what the data plane should hold, as the table messages that say it, sorted by (kind, key).
 * Two sets that are equal leave a data plane in the same state; the difference of two sets is a transaction. */
#ifndef CTRL_OBJSET_H
#define CTRL_OBJSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A kind of object of the table API: enough to sort, compare and name its messages. */
struct ctrl_kind {
	uint16_t type;     /* enum hd_api_type */
	uint16_t key_size; /* first octets of the body */
	uint16_t size;     /* sizeof the struct; shorter messages mean zero in the tail */
	const char *name;  /* "route" */
	/* The object in a few words: "10.0.0.0/8 vrf 0 -> nexthop 3".  body is zero-extended to size. */
	void (*describe)(const void *body, char *buf, size_t size);
};

struct object {
	const struct ctrl_kind *kind;
	const uint8_t *body;
	uint32_t size;
	const void *origin; /* configuration node that asked for it (struct lyd_node); NULL if none */
};

struct objset {
	struct object *obj;
	size_t n, cap;
	struct objset_chunk *chunks; /* the bodies */
	int error;                   /* first failure of objset_add(); the set is then unusable */
};

void objset_init(struct objset *s);
void objset_fini(struct objset *s);

/* Append a copy of body.  0, -EMSGSIZE (shorter than the key, longer than the struct) or -ENOMEM. */
int objset_add(struct objset *s, const struct ctrl_kind *kind, const void *body, size_t size,
	       const void *origin);

/* Sort; identical objects become one.  -EEXIST when two differ under one key: *ret_a and *ret_b are they. */
int objset_sort(struct objset *s, const struct object **ret_a, const struct object **ret_b);

/* By kind and key; NULL if absent.  The set is sorted. */
const struct object *objset_find(const struct objset *s, const struct ctrl_kind *kind,
				 const void *key);

/* Same kind, key and meaning (the shorter body counts as zero-extended).  A secret that reads as zeros on one side was
 * dumped by a data plane: it counts as equal. */
bool object_equal(const struct object *a, const struct object *b);
int object_cmp_key(const struct object *a, const struct object *b);
/* "route 10.0.0.0/8 ..." */
void object_describe(const struct object *o, char *buf, size_t size);

/* One difference: old NULL: to create; new NULL: to delete; both: to replace. */
typedef int (*objset_diff_fn)(const struct object *old, const struct object *new, void *arg);
/* Walk the differences of two sorted sets in key order; stops at the first non-zero answer and returns it. */
int objset_diff(const struct objset *from, const struct objset *to, objset_diff_fn fn, void *arg);

#endif
