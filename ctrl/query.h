/* SPDX-License-Identifier: BSD-3-Clause
 * Query parameters that select from an answer: depth and fields (RFC 8040 sections 4.8.2 and 4.8.3). */
#ifndef CTRL_QUERY_H
#define CTRL_QUERY_H

#include <json-c/json.h>

#include "ctrl/err.h"

struct query_fields;

/* "a;b(c;d/e)".  0 with *ret to be destroyed, or -EINVAL with err filled. */
int query_fields_parse(const char *text, struct query_fields **ret, struct ctrl_err *err);
void query_fields_destroy(struct query_fields *f);

/* Keep only what is named, in an object or in each object of an array. */
void query_fields_keep(struct json_object *o, const struct query_fields *f);
/* Cut what is more than `depth` levels down; the members of o are level 1. */
void query_depth_cut(struct json_object *o, unsigned depth);

#endif
