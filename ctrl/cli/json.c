/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

bool js_answered(struct cli *cli, struct json_object *answer)
{
	if (!cli->json)
		return false;
	js_print(answer);
	json_object_put(answer);
	return true;
}

void js_add(struct json_object *o, const char *name, const char *value)
{
	if (value != NULL)
		json_object_object_add(o, name, json_object_new_string(value));
}

/* --- YAML ---------------------------------------------------------------------------------------- */

/* Can a string stand without quotes, and stay one?  Only what surely can. */
static bool plain(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./");

	return n > 0 && s[n] == '\0' && s[0] != '-' && s[0] != '.' &&
	       strspn(s, "0123456789.eExX_") < n && strcmp(s, "null") != 0 &&
	       strcmp(s, "true") != 0 && strcmp(s, "false") != 0 && strcasecmp(s, "yes") != 0 &&
	       strcasecmp(s, "no") != 0 && strcasecmp(s, "on") != 0 && strcasecmp(s, "off") != 0;
}

static void print_scalar(FILE *out, struct json_object *o)
{
	if (json_object_is_type(o, json_type_string) && plain(json_object_get_string(o)))
		fputs(json_object_get_string(o), out);
	else if (json_object_is_type(o, json_type_object))
		fputs("{}", out);
	else if (json_object_is_type(o, json_type_array))
		fputs("[]", out);
	else /* a JSON string is a YAML string */
		fputs(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
								JSON_C_TO_STRING_NOSLASHESCAPE),
		      out);
}

static size_t size_of(struct json_object *o)
{
	return json_object_is_type(o, json_type_object) ? (size_t)json_object_object_length(o) :
	       json_object_is_type(o, json_type_array)  ? json_object_array_length(o) :
							  0;
}

/* lead: what stands on the first line already. */
static void print_members(FILE *out, struct json_object *o, int depth, bool lead)
{
	json_object_object_foreach(o, key, value)
	{
		const char *colon = strchr(key, ':');
		fprintf(out, "%*s%s:", lead ? 0 : 2 * depth, "", colon != NULL ? colon + 1 : key);
		lead = false;
		if (size_of(value) == 0) {
			fputc(' ', out);
			print_scalar(out, value);
			fputc('\n', out);
		} else if (json_object_is_type(value, json_type_object)) {
			fputc('\n', out);
			print_members(out, value, depth + 1, false);
		} else {
			fputc('\n', out);
			for (size_t i = 0; i < json_object_array_length(value); i++) {
				struct json_object *e = json_object_array_get_idx(value, i);
				fprintf(out, "%*s- ", 2 * depth + 2, "");
				if (size_of(e) > 0 && json_object_is_type(e, json_type_object)) {
					print_members(out, e, depth + 2, true);
				} else {
					print_scalar(out, e);
					fputc('\n', out);
				}
			}
		}
	}
}

void js_print_yaml(FILE *out, struct json_object *o)
{
	if (size_of(o) == 0)
		fputs("{}\n", out);
	else
		print_members(out, o, 0, false);
}
