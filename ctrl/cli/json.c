/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "ctrl/cli/cli.h"

struct json_object *js_get(struct json_object *o, const char *name)
{
	struct json_object *v;

	return json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, name, &v) ?
		       v :
		       NULL;
}

const char *js_str(struct json_object *o, const char *name)
{
	struct json_object *v = js_get(o, name);

	return v != NULL ? json_object_get_string(v) : "";
}

uint64_t js_u64(struct json_object *o, const char *name)
{
	struct json_object *v = js_get(o, name);

	return v != NULL ? strtoull(json_object_get_string(v), NULL, 10) : 0;
}

struct json_object *js_inner(struct json_object *o)
{
	struct lh_entry *first = json_object_is_type(o, json_type_object) ?
					 lh_table_head(json_object_get_object(o)) :
					 NULL;

	return first != NULL ? (struct json_object *)lh_entry_v(first) : NULL;
}

uint64_t js_counter(struct json_object *o, const char *name, bool *ret_have)
{
	struct json_object *list = js_get(o, "counter");
	size_t n = list != NULL ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *c = json_object_array_get_idx(list, i);
		if (strcmp(js_str(c, "name"), name) != 0)
			continue;
		if (ret_have != NULL)
			*ret_have = true;
		return js_u64(c, "value");
	}
	if (ret_have != NULL)
		*ret_have = false;
	return 0;
}

void js_print(struct json_object *o)
{
	printf("%s\n",
	       json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
							 JSON_C_TO_STRING_NOSLASHESCAPE));
}

void js_add(struct json_object *o, const char *name, const char *value)
{
	if (value != NULL)
		json_object_object_add(o, name, json_object_new_string(value));
}
