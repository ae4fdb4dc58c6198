/* SPDX-License-Identifier: BSD-3-Clause
 * Names of data resources as people and programs write them, split into steps:
 *   RFC 8040 section 3.5.3   heddle-ip:ip/route=10.0.0.0%2F8/special
 *   as errors and diffs      /heddle-ip:ip/route[prefix='10.0.0.0/8']/special
 *   as words                 ip route 10.0.0.0/8 special
 * The first two need no schema; words do, and are taken apart in path.c. */
#ifndef CTRL_URI_H
#define CTRL_URI_H

#include <stdbool.h>
#include <stddef.h>

#include "ctrl/err.h"

#define URI_STEPS_MAX 32u
#define URI_KEYS_MAX  3u

struct uri_step {
	const char *module; /* NULL: none given */
	const char *name;
	unsigned n_keys;
	bool named; /* keys came with their names: [name='value'] */
	const char *key_name[URI_KEYS_MAX];
	const char *key[URI_KEYS_MAX]; /* values, decoded; may be "" */
};

struct uri {
	unsigned n;
	struct uri_step step[URI_STEPS_MAX];
	char *text; /* what the steps point into */
};

/* Split the part of an URI behind the datastore ("": the datastore itself).  0; -EINVAL with err filled, *ret is then
 * empty; -ENOMEM. */
int uri_parse(const char *text, struct uri *ret, struct ctrl_err *err);
/* The same for the form of errors and diffs, with its leading slash. */
int uri_parse_path(const char *text, struct uri *ret, struct ctrl_err *err);
void uri_fini(struct uri *u);

/* Decode percent escapes of len octets at `text` into buf.  Length, or -EINVAL: a broken escape, a NUL, or no room. */
int uri_decode(const char *text, size_t len, char *buf, size_t size);
/* Encode for a step of an URI.  Length, or -EMSGSIZE. */
int uri_encode(const char *text, char *buf, size_t size);

/* Value of a parameter of a query, decoded into buf: 1; 0: it is not there; -EINVAL: broken, or there twice. */
int uri_query(const char *query, const char *name, char *buf, size_t size);
/* Name of the first parameter that is none of `known` (NULL-terminated), in buf; false: there is none. */
bool uri_query_unknown(const char *query, const char *const *known, char *buf, size_t size);

#endif
