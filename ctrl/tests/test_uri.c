/* SPDX-License-Identifier: BSD-3-Clause
 * Names of resources, query parameters, and what fields and depth leave of an answer. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "ctrl/query.h"
#include "ctrl/uri.h"

/* Steps as text: "module:name=key|key/..." */
static const char *flat(const struct uri *u, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (unsigned i = 0; i < u->n; i++) {
		const struct uri_step *s = &u->step[i];
		n += (size_t)snprintf(buf + n, size - n, "%s%s%s%s", i > 0 ? "/" : "",
				      s->module != NULL ? s->module : "",
				      s->module != NULL ? ":" : "", s->name);
		for (unsigned k = 0; k < s->n_keys; k++)
			n += (size_t)snprintf(buf + n, size - n, "%s%s", k == 0 ? "=" : "|",
					      s->key[k]);
	}
	return buf;
}

struct row {
	char text[100], want[100]; /* want "!": refused */
};

ParameterizedTestParameters(uri, api_path)
{
	static struct row rows[] = {
		{ "", "" },
		{ "/", "" },
		{ "heddle-ip:ip", "heddle-ip:ip" },
		{ "heddle-ip:ip/", "heddle-ip:ip" },
		{ "a:b/c=1", "a:b/c=1" },
		{ "a:b/c=1,2,3", "a:b/c=1|2|3" },
		{ "a:b/c=1,2,3,4", "!" },
		{ "a:b/c=", "a:b/c=" },
		{ "a:b/c=,", "a:b/c=|" },
		{ "a:b/c=10.0.0.0%2F8/d", "a:b/c=10.0.0.0/8/d" },
		{ "a:b/c=x%2Cy", "a:b/c=x,y" },
		{ "a:b/c=%25", "a:b/c=%" },
		{ "a:b/c=fc00:1::e%2F128", "a:b/c=fc00:1::e/128" },
		{ "a:b/c=%2", "!" },
		{ "a:b/c=%zz", "!" },
		{ "a:b/c=%00", "!" },
		{ "a:b//c", "!" },
		{ "a:b:c", "!" },
		{ ":b", "!" },
		{ "a:", "!" },
		{ "a b", "!" },
		{ "=1", "!" },
		{ "a%3Ab", "a:b" },
		{ "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25/26/27/28/29/"
		  "30/31/32",
		  "!" },
	};
	snprintf(rows[sizeof(rows) / sizeof(rows[0]) - 1].text, 100, "%s",
		 "a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a");
	return cr_make_param_array(struct row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct row *r, uri, api_path)
{
	struct ctrl_err err = { 0 };
	struct uri u;
	char text[200];

	int rc = uri_parse(r->text, &u, &err);
	if (strcmp(r->want, "!") == 0) {
		cr_assert_eq(rc, -EINVAL, "%s", r->text);
		cr_assert(err.msg[0] != '\0' && u.n == 0 && u.text == NULL);
		return;
	}
	cr_assert_eq(rc, 0, "%s: %s", r->text, err.msg);
	cr_assert_str_eq(flat(&u, text, sizeof(text)), r->want);
	uri_fini(&u);
}

ParameterizedTestParameters(uri, instance_path)
{
	static struct row rows[] = {
		{ "/heddle-ip:ip", "heddle-ip:ip" },
		{ "/a:b/c[k='1']", "a:b/c=1" },
		{ "/a:b/c[k='1'][l=\"2\"]/d", "a:b/c=1|2/d" },
		{ "/a:b/c[k='10.0.0.0/8']/d", "a:b/c=10.0.0.0/8/d" },
		{ "/a:b/c[m:k='x']", "a:b/c=x" },
		{ "/a:b/c[k='x]", "!" },
		{ "/a:b/c[k=x]", "!" },
		{ "/a:b/c[k='x'", "!" },
		{ "/a:b/c[k='x']d", "!" },
		{ "/a:b/c[='x']", "!" },
		{ "a:b", "!" },
		{ "//a", "!" },
	};
	return cr_make_param_array(struct row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct row *r, uri, instance_path)
{
	struct ctrl_err err = { 0 };
	struct uri u;
	char text[200];

	int rc = uri_parse_path(r->text, &u, &err);
	if (strcmp(r->want, "!") == 0) {
		cr_assert_eq(rc, -EINVAL, "%s", r->text);
		return;
	}
	cr_assert_eq(rc, 0, "%s: %s", r->text, err.msg);
	cr_assert_str_eq(flat(&u, text, sizeof(text)), r->want);
	uri_fini(&u);
}

/* Whatever is encoded is decoded to the same. */
Test(uri, encoding_is_reversible)
{
	char text[256], coded[800], back[256];

	for (int i = 1; i < 256; i++)
		text[i - 1] = (char)i;
	text[255] = '\0';
	int n = uri_encode(text, coded, sizeof(coded));
	cr_assert_gt(n, 255);
	cr_assert_eq(strcspn(coded, "/=,:?&#[]\"'"), (size_t)n);
	cr_assert_eq(uri_decode(coded, (size_t)n, back, sizeof(back)), 255);
	cr_assert_str_eq(back, text);
	cr_assert_eq(uri_encode(text, coded, 20), -EMSGSIZE);
	cr_assert_eq(uri_decode("abcd", 4, back, 4), -EINVAL, "no room for the NUL");
}

Test(uri, query_parameters)
{
	static const char *const known[] = { "depth", "fields", NULL };
	char buf[40];

	cr_assert_eq(uri_query("depth=3&fields=a%3Bb", "fields", buf, sizeof(buf)), 1);
	cr_assert_str_eq(buf, "a;b");
	cr_assert_eq(uri_query("depth=3", "dept", buf, sizeof(buf)), 0);
	cr_assert_eq(uri_query("depth", "depth", buf, sizeof(buf)), 1);
	cr_assert_str_eq(buf, "");
	cr_assert_eq(uri_query("depth=1&depth=2", "depth", buf, sizeof(buf)), -EINVAL);
	cr_assert_eq(uri_query("depth=%", "depth", buf, sizeof(buf)), -EINVAL);
	cr_assert_not(uri_query_unknown("depth=3&fields=x", known, buf, sizeof(buf)));
	cr_assert(uri_query_unknown("depth=3&limit=x", known, buf, sizeof(buf)));
	cr_assert_str_eq(buf, "limit");
}

struct keep {
	char fields[60], want[140];
};

static const char data[] = "{\"m:top\":{\"a\":1,\"b\":[{\"n\":\"x\",\"c\":{\"d\":1,\"e\":2}},"
			   "{\"n\":\"y\"}],\"m2:f\":3}}";

ParameterizedTestParameters(query, fields)
{
	static struct keep rows[] = {
		{ "a", "{\"m:top\":{\"a\":1}}" },
		{ "a;f", "{\"m:top\":{\"a\":1,\"m2:f\":3}}" },
		{ "m2:f", "{\"m:top\":{\"m2:f\":3}}" },
		{ "b/n", "{\"m:top\":{\"b\":[{\"n\":\"x\"},{\"n\":\"y\"}]}}" },
		{ "b(n;c/e)", "{\"m:top\":{\"b\":[{\"n\":\"x\",\"c\":{\"e\":2}},{\"n\":\"y\"}]}}" },
		{ "b/n;b/c/d",
		  "{\"m:top\":{\"b\":[{\"n\":\"x\",\"c\":{\"d\":1}},{\"n\":\"y\"}]}}" },
		{ "b;b/n",
		  "{\"m:top\":{\"b\":[{\"n\":\"x\",\"c\":{\"d\":1,\"e\":2}},{\"n\":\"y\"}]}}" },
		{ "nothing", "{\"m:top\":{}}" },
		{ "", "!" },
		{ "a;", "!" },
		{ "b(n", "!" },
		{ "b)n", "!" },
		{ "b/", "!" },
		{ "(a)", "!" },
		{ "a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a", "!" },
	};
	return cr_make_param_array(struct keep, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct keep *r, query, fields)
{
	struct query_fields *f = NULL;
	struct ctrl_err err = { 0 };

	int rc = query_fields_parse(r->fields, &f, &err);
	if (strcmp(r->want, "!") == 0) {
		cr_assert_eq(rc, -EINVAL, "%s", r->fields);
		cr_assert_null(f);
		return;
	}
	cr_assert_eq(rc, 0);
	struct json_object *o = json_tokener_parse(data), *top;
	json_object_object_get_ex(o, "m:top", &top);
	query_fields_keep(top, f);
	cr_assert_str_eq(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN), r->want);
	query_fields_destroy(f);
	json_object_put(o);
}

Test(query, depth)
{
	static const char *const want[] = {
		"{}",
		"{\"m:top\":{}}",
		"{\"m:top\":{\"a\":1,\"b\":[{},{}],\"m2:f\":3}}",
		"{\"m:top\":{\"a\":1,\"b\":[{\"n\":\"x\",\"c\":{}},{\"n\":\"y\"}],\"m2:f\":3}}",
	};

	for (unsigned d = 0; d < 4; d++) {
		struct json_object *o = json_tokener_parse(data);
		query_depth_cut(o, d);
		cr_assert_str_eq(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
				 want[d]);
		json_object_put(o);
	}
}
