/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/uri.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int uri_decode(const char *text, size_t len, char *buf, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		int c = (unsigned char)text[i];
		if (c == '%') {
			int high = i + 2 < len ? hex(text[i + 1]) : -1;
			int low = i + 2 < len ? hex(text[i + 2]) : -1;
			if (high < 0 || low < 0)
				return -EINVAL;
			c = high << 4 | low;
			i += 2;
		}
		if (c == 0 || n + 1 >= size)
			return -EINVAL;
		buf[n++] = (char)c;
	}
	if (n >= size)
		return -EINVAL;
	buf[n] = '\0';
	return (int)n;
}

int uri_encode(const char *text, char *buf, size_t size)
{
	static const char digits[] = "0123456789ABCDEF", plain[] = "-._~";
	size_t n = 0;

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		bool safe = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			    (c >= 'A' && c <= 'Z') || strchr(plain, c) != NULL;
		if (n + 3 >= size)
			return -EMSGSIZE;
		if (safe) {
			buf[n++] = (char)c;
			continue;
		}
		buf[n++] = '%';
		buf[n++] = digits[c >> 4];
		buf[n++] = digits[c & 15];
	}
	buf[n] = '\0';
	return (int)n;
}

void uri_fini(struct uri *u)
{
	free(u->text);
	*u = (struct uri){ 0 };
}

static int refuse(struct uri *u, struct ctrl_err *err, const char *why, const char *at, size_t len)
{
	uri_fini(u);
	return ctrl_fail(err, -EINVAL, "%s in '%.*s'", why, len < 120 ? (int)len : 120, at);
}

/* yang-identifier characters: letters, digits, '_', '-', '.' (RFC 7950 section 6.2). */
static bool is_name(const char *s)
{
	static const char more[] = "_-.";

	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		      (*s >= '0' && *s <= '9') || strchr(more, *s) != NULL))
			return false;
	return true;
}

/* "module:name" or "name", in place. */
static bool split_name(char *text, struct uri_step *s)
{
	char *colon = strchr(text, ':');

	s->name = text;
	if (colon != NULL) {
		*colon = '\0';
		s->module = text;
		s->name = colon + 1;
	}
	return is_name(s->name) && (s->module == NULL || is_name(s->module));
}

/* One step: name, then "=key,key"; `out` is where decoded text goes, moved along. */
static int parse_step(const char *step, size_t len, struct uri_step *s, char **out, char *end)
{
	const char *equals = memchr(step, '=', len);
	size_t name_len = equals != NULL ? (size_t)(equals - step) : len;

	int n = uri_decode(step, name_len, *out, (size_t)(end - *out));
	if (n < 0 || !split_name(*out, s))
		return -EINVAL;
	*out += n + 1;
	if (equals == NULL)
		return 0;
	const char *key = equals + 1, *stop = step + len;
	for (;;) {
		const char *comma = memchr(key, ',', (size_t)(stop - key));
		const char *key_end = comma != NULL ? comma : stop;
		if (s->n_keys == URI_KEYS_MAX)
			return -EINVAL;
		n = uri_decode(key, (size_t)(key_end - key), *out, (size_t)(end - *out));
		if (n < 0)
			return -EINVAL;
		s->key[s->n_keys++] = *out;
		*out += n + 1;
		if (comma == NULL)
			return 0;
		key = comma + 1;
	}
}

int uri_parse(const char *text, struct uri *ret, struct ctrl_err *err)
{
	size_t room = strlen(text) * 2 + 2; /* each separator becomes a NUL, and a name may be "" */

	*ret = (struct uri){ 0 };
	while (*text == '/')
		text++;
	if (*text == '\0')
		return 0;
	ret->text = malloc(room);
	if (ret->text == NULL)
		return ctrl_fail(err, -ENOMEM, "out of memory");
	char *out = ret->text;
	for (const char *at = text; *at != '\0';) {
		size_t len = strcspn(at, "/");
		if (len == 0 && at[1] == '\0')
			break; /* a slash at the end */
		if (ret->n == URI_STEPS_MAX)
			return refuse(ret, err, "too many steps", text, strlen(text));
		if (parse_step(at, len, &ret->step[ret->n], &out, ret->text + room) < 0)
			return refuse(ret, err, "not a resource's name (RFC 8040 section 3.5.3)",
				      at, len);
		ret->n++;
		at += len;
		if (*at == '/')
			at++;
	}
	return 0;
}

/* "[name='value']" at *at; the text is cut in place. */
static int parse_predicate(char **at, struct uri_step *s)
{
	char *name = *at + 1, *equals = strchr(name, '=');

	if (equals == NULL || (equals[1] != '\'' && equals[1] != '"') || s->n_keys == URI_KEYS_MAX)
		return -EINVAL;
	char *value = equals + 2, *close = strchr(value, equals[1]);
	if (close == NULL || close[1] != ']')
		return -EINVAL;
	*equals = *close = '\0';
	const char *colon = strchr(name, ':');
	if (colon != NULL)
		name += colon - name + 1;
	if (!is_name(name))
		return -EINVAL;
	s->named = true;
	s->key_name[s->n_keys] = name;
	s->key[s->n_keys++] = value;
	*at = close + 2;
	return 0;
}

int uri_parse_path(const char *text, struct uri *ret, struct ctrl_err *err)
{
	*ret = (struct uri){ 0 };
	ret->text = strdup(text);
	if (ret->text == NULL)
		return ctrl_fail(err, -ENOMEM, "out of memory");
	char *at = ret->text;
	while (*at == '/') {
		*at++ = '\0';
		if (*at == '\0')
			break;
		if (ret->n == URI_STEPS_MAX)
			return refuse(ret, err, "too many steps", text, strlen(text));
		struct uri_step *s = &ret->step[ret->n++];
		char *name = at;
		at += strcspn(at, "/[");
		char stop = *at;
		if (stop == '[')
			*at = '\0'; /* ends the name; parse_predicate() looks behind it */
		while (stop == '[') {
			if (parse_predicate(&at, s) < 0)
				return refuse(ret, err, "not a path", text, strlen(text));
			stop = *at;
		}
		if (stop == '/')
			*at = '\0';
		if (!split_name(name, s))
			return refuse(ret, err, "not a path", text, strlen(text));
		if (stop != '/')
			break;
		*at = '/';
	}
	if (*at != '\0')
		return refuse(ret, err, "not a path", text, strlen(text));
	return 0;
}

/* Next "name=value" of a query; false at its end. */
static bool next_parameter(const char **at, const char **name, size_t *name_len, const char **value,
			   size_t *value_len)
{
	size_t len = strcspn(*at, "&");

	if (**at == '\0')
		return false;
	const char *equals = memchr(*at, '=', len);
	*name = *at;
	*name_len = equals != NULL ? (size_t)(equals - *at) : len;
	*value = equals != NULL ? equals + 1 : *at + len;
	*value_len = equals != NULL ? len - *name_len - 1 : 0;
	*at += len + ((*at)[len] == '&');
	return true;
}

int uri_query(const char *query, const char *name, char *buf, size_t size)
{
	const char *n, *v;
	size_t n_len, v_len;
	int found = 0;

	while (next_parameter(&query, &n, &n_len, &v, &v_len)) {
		if (n_len != strlen(name) || memcmp(n, name, n_len) != 0)
			continue;
		if (found++ != 0 || uri_decode(v, v_len, buf, size) < 0)
			return -EINVAL;
	}
	return found;
}

bool uri_query_unknown(const char *query, const char *const *known, char *buf, size_t size)
{
	const char *n, *v;
	size_t n_len, v_len;

	while (next_parameter(&query, &n, &n_len, &v, &v_len)) {
		const char *const *k = known;
		while (*k != NULL && (strlen(*k) != n_len || memcmp(*k, n, n_len) != 0))
			k++;
		if (*k != NULL)
			continue;
		size_t len = n_len < size - 1 ? n_len : size - 1;
		memcpy(buf, n, len);
		buf[len] = '\0';
		return true;
	}
	return false;
}
