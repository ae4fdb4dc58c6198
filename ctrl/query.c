/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/query.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_DEPTH_MAX 16u

struct query_fields {
	char *name; /* with or without its module */
	struct query_fields *child, *next;
};

void query_fields_destroy(struct query_fields *f)
{
	while (f != NULL) {
		struct query_fields *next = f->next;
		query_fields_destroy(f->child);
		free(f->name);
		free(f);
		f = next;
	}
}

static int parse_list(const char **at, struct query_fields **ret, unsigned depth);

/* name, then '/' and one below it, or '(' and several */
static int parse_one(const char **at, struct query_fields **ret, unsigned depth)
{
	size_t len = strcspn(*at, ";/()");
	struct query_fields *f;
	int rc = 0;

	if (len == 0 || len > 256 || depth == FIELDS_DEPTH_MAX)
		return -EINVAL;
	f = calloc(1, sizeof(*f));
	if (f == NULL || (f->name = strndup(*at, len)) == NULL) {
		free(f);
		return -ENOMEM;
	}
	*at += len;
	if (**at == '/') {
		(*at)++;
		rc = parse_one(at, &f->child, depth + 1);
	} else if (**at == '(') {
		(*at)++;
		rc = parse_list(at, &f->child, depth + 1);
		if (rc == 0 && *(*at)++ != ')')
			rc = -EINVAL;
	}
	if (rc < 0) {
		query_fields_destroy(f);
		return rc;
	}
	*ret = f;
	return 0;
}

/* "a/b;a/c" is "a(b;c)", and "a;a/b" is "a": the last one joins an earlier one of its name.  Returns where the next
 * one goes. */
static struct query_fields **join(struct query_fields **first, struct query_fields **last)
{
	struct query_fields *f = *first, *l = *last, **end;

	while (f != l && strcmp(f->name, l->name) != 0)
		f = f->next;
	if (f == l)
		return &l->next;
	*last = NULL;
	if (f->child == NULL || l->child == NULL) {
		query_fields_destroy(f->child);
		f->child = NULL;
	} else {
		for (end = &f->child; *end != NULL; end = &(*end)->next)
			;
		*end = l->child;
		l->child = NULL;
	}
	query_fields_destroy(l);
	return last;
}

static int parse_list(const char **at, struct query_fields **ret, unsigned depth)
{
	struct query_fields *first = NULL, **end = &first;

	for (;;) {
		int rc = parse_one(at, end, depth);
		if (rc < 0) {
			query_fields_destroy(first);
			return rc;
		}
		end = join(&first, end);
		if (**at != ';')
			break;
		(*at)++;
	}
	*ret = first;
	return 0;
}

int query_fields_parse(const char *text, struct query_fields **ret, struct ctrl_err *err)
{
	const char *at = text;
	struct query_fields *f = NULL;

	int rc = parse_list(&at, &f, 0);
	if (rc == 0 && *at != '\0')
		rc = -EINVAL;
	if (rc < 0) {
		query_fields_destroy(f);
		return ctrl_fail(err, rc,
				 "fields: not an expression like name;interface(name;mtu)");
	}
	*ret = f;
	return 0;
}

static bool same_name(const char *key, const char *want)
{
	const char *colon = strchr(key, ':');

	return strcmp(key, want) == 0 ||
	       (colon != NULL && strchr(want, ':') == NULL && strcmp(colon + 1, want) == 0) ||
	       (colon == NULL && (colon = strchr(want, ':')) != NULL &&
		strcmp(colon + 1, key) == 0);
}

void query_fields_keep(struct json_object *o, const struct query_fields *f)
{
	if (json_object_is_type(o, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(o); i++)
			query_fields_keep(json_object_array_get_idx(o, i), f);
		return;
	}
	if (!json_object_is_type(o, json_type_object))
		return;
	json_object_object_foreach(o, key, value)
	{
		const struct query_fields *w = f;
		while (w != NULL && !same_name(key, w->name))
			w = w->next;
		if (w == NULL)
			json_object_object_del(o, key);
		else if (w->child != NULL)
			query_fields_keep(value, w->child);
	}
}

void query_depth_cut(struct json_object *o, unsigned depth)
{
	if (json_object_is_type(o, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(o); i++)
			query_depth_cut(json_object_array_get_idx(o, i), depth);
		return;
	}
	if (!json_object_is_type(o, json_type_object))
		return;
	json_object_object_foreach(o, key, value)
	{
		if (depth == 0)
			json_object_object_del(o, key);
		else
			query_depth_cut(value, depth - 1);
	}
}
