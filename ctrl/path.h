/* SPDX-License-Identifier: BSD-3-Clause
 * A data resource by the schema: the steps of an URI (uri.h), or words, found in the YANG modules. */
#ifndef CTRL_PATH_H
#define CTRL_PATH_H

#include <libyang/libyang.h>

#include "ctrl/uri.h"

struct path_step {
	const struct lysc_node *schema;
	unsigned n_keys; /* 0 for a list: all its entries; 1 for an entry of a leaf-list */
	const char *key[URI_KEYS_MAX];
};

struct path {
	unsigned n; /* 0: the datastore */
	struct path_step step[URI_STEPS_MAX];
	struct uri uri; /* keeps the texts */
};

/* Schema node below `parent` (NULL: among the top-level data nodes of our modules), or NULL; module may be NULL. */
const struct lysc_node *path_schema_child(const struct ly_ctx *ly, const struct lysc_node *parent,
					  const char *module, const char *name);

/* The steps must name schema nodes, with as many keys as each list has; only the last list may be without.  uri
 * passes to *ret, also on failure.  0, or -ENOENT or -EINVAL with err filled. */
int path_resolve(const struct ly_ctx *ly, struct uri *uri, struct path *ret, struct ctrl_err *err);
/* From words: names, behind a list's the values of its keys.  What stands behind a leaf or leaf-list is its value:
 * *ret_used: how many words are the path.  Paths as in errors or URIs (one word with
 * a '/') are taken as well. */
int path_from_words(const struct ly_ctx *ly, const char *const *word, unsigned n, struct path *ret,
		    unsigned *ret_used, struct ctrl_err *err);
void path_fini(struct path *p);

/* Node of the first n steps in a tree (its first top-level sibling): 0, -ENOENT, or -EINVAL: a key is not of its
 * type.  A list without keys: its first entry. */
int path_find(const struct lyd_node *tree, const struct path *p, unsigned n, struct lyd_node **ret,
	      struct ctrl_err *err);
/* The first n steps as new nodes: *ret_top: the topmost, to be freed; *ret: the last.  Lists have their keys. */
int path_build(const struct path *p, unsigned n, struct lyd_node **ret_top, struct lyd_node **ret,
	       struct ctrl_err *err);

/* "/heddle-ip:ip/route[prefix='10.0.0.0/8']", cut to size. */
const char *path_text(const struct path *p, char *buf, size_t size);
/* "heddle-ip:ip/route=10.0.0.0%2F8" of a node; -EMSGSIZE when it does not fit. */
int path_uri_of(const struct lyd_node *node, char *buf, size_t size);

#endif
