/* SPDX-License-Identifier: BSD-3-Clause
 * Edits of a data tree, as RFC 8040 sections 4.4 to 4.7 define them.  The tree is not validated afterwards: a
 * candidate may be incomplete until it is committed. */
#ifndef CTRL_EDIT_H
#define CTRL_EDIT_H

#include <libyang/libyang.h>

#include "ctrl/err.h"
#include "ctrl/path.h"

enum edit_op {
	EDIT_CREATE,  /* POST: the body is a child of the resource that is not there yet */
	EDIT_REPLACE, /* PUT: the body is the resource; made when it is not there */
	EDIT_MERGE,   /* PATCH: the same, merged into what is there */
	EDIT_SET,     /* merged, and made with all that stands above it: `heddle set` */
	EDIT_DELETE,  /* there is no body; of a list without keys: all entries */
};

/* Where an entry of a list that users order goes (RFC 8040 section 4.8.5). */
enum edit_insert {
	EDIT_NO_INSERT, /* nobody said: a new one behind the others, another keeps its place */
	EDIT_FIRST,
	EDIT_LAST,
	EDIT_BEFORE,
	EDIT_AFTER,
};

struct edit_place {
	enum edit_insert insert;
	struct path point; /* EDIT_BEFORE, EDIT_AFTER: this entry of the same list (section 4.8.6) */
};

struct edit_result {
	bool created;   /* the resource was not there before */
	char uri[1024]; /* of what EDIT_CREATE made, behind the datastore's; "" if it does not fit */
};

/* Change *tree (first top-level sibling; NULL: empty) at p.  place: for EDIT_CREATE and EDIT_REPLACE; NULL: nobody
 * said.  On failure the tree is as it was.  0, or -Exxx with err filled: -ENOENT it is not there, -EEXIST it is,
 * -EINVAL. */
int edit_apply(const struct ly_ctx *ly, struct lyd_node **tree, const struct path *p,
	       enum edit_op op, const struct edit_place *place, const char *body, size_t len,
	       struct edit_result *res, struct ctrl_err *err);
/* Set the leaf, or add the leaf-list's entry, that p names; value NULL: make the container or list entry. */
int edit_set_value(const struct ly_ctx *ly, struct lyd_node **tree, const struct path *p,
		   const char *value, struct ctrl_err *err);

#endif
