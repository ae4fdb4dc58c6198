/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/restconf_query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libyang/libyang.h>

#include "ctrl/uri.h"

int restconf_query_bad(struct ctrl_err *err, const char *name, const char *possible)
{
	return ctrl_fail(err, -EINVAL, "query parameter '%s': %s (RFC 8040 section 4.8)", name,
			 possible);
}

int restconf_query_word(const char *value, const char *const *words)
{
	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(value, words[i]) == 0)
			return i;
	return -1;
}

static int read_depth(const char *text, struct restconf_query *q, struct ctrl_err *err)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (strcmp(text, "unbounded") == 0)
		return 0;
	if (*text < '0' || *text > '9' || *end != '\0' || n < 1 || n > 65535)
		return restconf_query_bad(err, "depth", "1 to 65535, or unbounded");
	q->depth = (unsigned)n;
	return 0;
}

int restconf_query_read(const char *text, struct restconf_query *q, struct ctrl_err *err)
{
	static const char *const known[] = { "content", "depth", "fields", "with-defaults", NULL };
	static const char *const contents[] = { "all", "config", "nonconfig", NULL };
	static const char *const defaults[] = { "explicit", "report-all", "trim", NULL };
	static const uint32_t options[] = { LYD_PRINT_WD_EXPLICIT, LYD_PRINT_WD_ALL,
					    LYD_PRINT_WD_TRIM };
	char value[1024];
	int found[4], rc = 0, w;

	*q = (struct restconf_query){ .defaults = LYD_PRINT_WD_EXPLICIT };
	if (uri_query_unknown(text, known, value, 64))
		return restconf_query_bad(err, value, "is not known here");
	for (int i = 0; rc == 0 && known[i] != NULL; i++) {
		found[i] = uri_query(text, known[i], value, sizeof(value));
		if (found[i] < 0)
			return restconf_query_bad(err, known[i],
						  "cannot be read, or is given twice");
		if (found[i] == 0)
			continue;
		switch (i) {
		case 0:
			w = restconf_query_word(value, contents);
			q->content = (enum content)w;
			rc = w < 0 ? restconf_query_bad(err, known[i], "all, config or nonconfig") :
				     0;
			break;
		case 1:
			rc = read_depth(value, q, err);
			break;
		case 2:
			rc = query_fields_parse(value, &q->fields, err);
			break;
		default:
			w = restconf_query_word(value, defaults);
			rc = w < 0 ? restconf_query_bad(err, known[i],
							"report-all, trim or explicit") :
				     0;
			q->defaults = w < 0 ? 0 : options[w];
		}
	}
	return rc;
}

void restconf_query_fini(struct restconf_query *q)
{
	query_fields_destroy(q->fields);
	q->fields = NULL;
}

void restconf_reply_selected(struct http_req *req, struct json_object *o,
			     const struct restconf_query *q, bool datastore)
{
	json_object_object_foreach(o, key, value)
	{
		(void)key;
		/* the resource itself is level 1; of a datastore, its nodes are */
		if (!datastore && q->fields != NULL)
			query_fields_keep(value, q->fields);
		if (!datastore && q->depth > 0)
			query_depth_cut(value, q->depth - 1);
	}
	if (datastore && q->fields != NULL)
		query_fields_keep(o, q->fields);
	if (datastore && q->depth > 0)
		query_depth_cut(o, q->depth);
	const char *text = json_object_to_json_string_ext(
		o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	http_reply(req, 200, RESTCONF_JSON, text, strlen(text));
	json_object_put(o);
}
