/* SPDX-License-Identifier: BSD-3-Clause
 * Query parameters of a request that reads (RFC 8040 section 4.8), and the answer that they select. */
#ifndef CTRL_RESTCONF_QUERY_H
#define CTRL_RESTCONF_QUERY_H

#include "ctrl/query.h"
#include "ctrl/restconf.h"

enum content { CONTENT_ALL, CONTENT_CONFIG, CONTENT_NONCONFIG };

struct restconf_query {
	enum content content;
	uint32_t defaults; /* LYD_PRINT_WD_* */
	unsigned depth;    /* 0: no limit */
	struct query_fields *fields;
};

/* "content", "depth", "fields" and "with-defaults" of a query string.  0, or -EINVAL with err filled; in either case *q
 * is to be given to restconf_query_fini(). */
int restconf_query_read(const char *text, struct restconf_query *q, struct ctrl_err *err);
void restconf_query_fini(struct restconf_query *q);

/* Fill err for a parameter that cannot be taken; returns -EINVAL.  possible: what would be, or what is wrong. */
int restconf_query_bad(struct ctrl_err *err, const char *name, const char *possible);

/* Position of a value in a list of words that ends with NULL; -1: none. */
int restconf_query_word(const char *value, const char *const *words);

/* Answer with what is selected of {"module:name": ...}; takes o.  datastore: o's members are the first level, else the
 * resource itself is. */
void restconf_reply_selected(struct http_req *req, struct json_object *o,
			     const struct restconf_query *q, bool datastore);

#endif
