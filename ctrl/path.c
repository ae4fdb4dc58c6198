/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_ours(const struct lys_module *m)
{
	return m->implemented && m->compiled != NULL && strncmp(m->name, "heddle-", 7) == 0;
}

const struct lysc_node *path_schema_child(const struct ly_ctx *ly, const struct lysc_node *parent,
					  const char *module, const char *name)
{
	const struct lysc_node *s = NULL;
	const struct lys_module *m;
	uint32_t i = 0;

	if (parent != NULL) {
		while ((s = lys_getnext(s, parent, NULL, 0)) != NULL)
			if (strcmp(s->name, name) == 0 &&
			    (module == NULL || strcmp(s->module->name, module) == 0))
				return s;
		return NULL;
	}
	while ((m = ly_ctx_get_module_iter(ly, &i)) != NULL) {
		if (!is_ours(m) || (module != NULL && strcmp(m->name, module) != 0))
			continue;
		for (s = NULL; (s = lys_getnext(s, NULL, m->compiled, 0)) != NULL;)
			if ((s->nodetype & (LYS_CONTAINER | LYS_LIST | LYS_LEAF | LYS_LEAFLIST)) !=
				    0 &&
			    strcmp(s->name, name) == 0)
				return s;
	}
	return NULL;
}

static unsigned key_count(const struct lysc_node *list)
{
	unsigned n = 0;

	for (const struct lysc_node *k = lysc_node_child(list);
	     k != NULL && (k->flags & LYS_KEY) != 0; k = k->next)
		n++;
	return n;
}

static const struct lysc_node *key_at(const struct lysc_node *list, unsigned i)
{
	const struct lysc_node *k = lysc_node_child(list);

	while (i-- > 0)
		k = k->next;
	return k;
}

const char *path_text(const struct path *p, char *buf, size_t size)
{
	size_t n = (size_t)snprintf(buf, size, "%s", p->n == 0 ? "/" : "");

	for (unsigned i = 0; i < p->n && n < size; i++) {
		const struct path_step *s = &p->step[i];
		bool same = i > 0 && p->step[i - 1].schema->module == s->schema->module;
		n += (size_t)snprintf(buf + n, size - n, "/%s%s%s",
				      same ? "" : s->schema->module->name, same ? "" : ":",
				      s->schema->name);
		for (unsigned k = 0; k < s->n_keys && n < size; k++) {
			const char *name =
				s->schema->nodetype == LYS_LIST ? key_at(s->schema, k)->name : ".";
			char q = strchr(s->key[k], '\'') != NULL ? '"' : '\'';
			n += (size_t)snprintf(buf + n, size - n, "[%s=%c%s%c]", name, q, s->key[k],
					      q);
		}
	}
	return buf;
}

void path_fini(struct path *p)
{
	uri_fini(&p->uri);
	*p = (struct path){ 0 };
}

/* module may be NULL. */
static int missing(struct path *p, struct ctrl_err *err, const char *module, const char *name)
{
	path_text(p, err->path, sizeof(err->path));
	ctrl_fail(err, 0, "there is no '%.100s%s%.100s' in the YANG modules",
		  module != NULL ? module : "", module != NULL ? ":" : "", name);
	path_fini(p);
	return -ENOENT;
}

static int wrong_keys(struct path *p, struct ctrl_err *err, const struct lysc_node *s)
{
	char names[160] = "";
	size_t n = 0;

	for (unsigned i = 0; s->nodetype == LYS_LIST && i < key_count(s); i++)
		n += (size_t)snprintf(names + n, n < sizeof(names) ? sizeof(names) - n : 0, "%s%s",
				      i > 0 ? ", " : "", key_at(s, i)->name);
	path_text(p, err->path, sizeof(err->path));
	path_fini(p);
	if (s->nodetype != LYS_LIST && s->nodetype != LYS_LEAFLIST)
		return ctrl_fail(err, -EINVAL, "'%s' is no list: it has no keys", s->name);
	return ctrl_fail(err, -EINVAL, "an entry of '%s' is named by its key%s: %s", s->name,
			 s->nodetype == LYS_LIST && key_count(s) > 1 ? "s" : "",
			 s->nodetype == LYS_LIST ? names : "the value");
}

/* Keys of a step, in the schema's order. */
static bool take_keys(struct path_step *to, const struct uri_step *from)
{
	unsigned want = to->schema->nodetype == LYS_LIST     ? key_count(to->schema) :
			to->schema->nodetype == LYS_LEAFLIST ? 1 :
							       0;

	if (want > URI_KEYS_MAX || from->n_keys != want)
		return false;
	to->n_keys = want;
	for (unsigned i = 0; i < want; i++) {
		unsigned k = i;
		if (from->named && to->schema->nodetype == LYS_LIST) {
			for (k = 0; k < want; k++)
				if (strcmp(from->key_name[k], key_at(to->schema, i)->name) == 0)
					break;
			if (k == want)
				return false;
		}
		to->key[i] = from->key[k];
	}
	return true;
}

int path_resolve(const struct ly_ctx *ly, struct uri *uri, struct path *ret, struct ctrl_err *err)
{
	const struct lysc_node *at = NULL;

	*ret = (struct path){ .uri = *uri };
	*uri = (struct uri){ 0 };
	for (unsigned i = 0; i < ret->uri.n; i++) {
		const struct uri_step *u = &ret->uri.step[i];
		bool list, last = i + 1 == ret->uri.n;
		at = path_schema_child(ly, at, u->module, u->name);
		if (at == NULL)
			return missing(ret, err, u->module, u->name);
		ret->step[i].schema = at;
		list = (at->nodetype & (LYS_LIST | LYS_LEAFLIST)) != 0;
		if (!take_keys(&ret->step[i], u) && !(last && list && u->n_keys == 0)) {
			ret->n = i + 1;
			ret->step[i].n_keys = 0;
			return wrong_keys(ret, err, at);
		}
		ret->n = i + 1;
	}
	return 0;
}

static int from_path_text(const struct ly_ctx *ly, const char *text, struct path *ret,
			  struct ctrl_err *err)
{
	struct uri u;

	/* as errors write it, or as in an URI */
	bool uri = strchr(text, '[') == NULL && strchr(text, '=') != NULL;
	int rc = uri || text[0] != '/' ? uri_parse(text, &u, err) : uri_parse_path(text, &u, err);
	return rc < 0 ? rc : path_resolve(ly, &u, ret, err);
}

int path_from_words(const struct ly_ctx *ly, const char *const *word, unsigned n, struct path *ret,
		    unsigned *ret_used, struct ctrl_err *err)
{
	const struct lysc_node *at = NULL;
	unsigned used = 0;

	*ret = (struct path){ 0 };
	if (n > 0 && strchr(word[0], '/') != NULL) {
		*ret_used = 1;
		return from_path_text(ly, word[0], ret, err);
	}
	while (used < n) {
		char name[128], *colon;
		if (at != NULL && (at->nodetype & (LYS_LEAF | LYS_LEAFLIST)) != 0)
			break; /* a value follows */
		snprintf(name, sizeof(name), "%s", word[used]);
		colon = strchr(name, ':');
		if (colon != NULL)
			*colon = '\0';
		at = path_schema_child(ly, at, colon != NULL ? name : NULL,
				       colon != NULL ? colon + 1 : name);
		if (at == NULL || ret->n == URI_STEPS_MAX)
			return missing(ret, err, NULL, word[used]);
		used++;
		struct path_step *s = &ret->step[ret->n++];
		s->schema = at;
		if (at->nodetype != LYS_LIST || used == n)
			continue;
		if (key_count(at) > n - used || key_count(at) > URI_KEYS_MAX)
			return wrong_keys(ret, err, at);
		while (s->n_keys < key_count(at))
			s->key[s->n_keys++] = word[used++];
	}
	*ret_used = used;
	return 0;
}

static int predicate(const struct path_step *s, char *buf, size_t size)
{
	size_t n = 0;

	for (unsigned i = 0; i < s->n_keys; i++) {
		bool single = strchr(s->key[i], '\'') != NULL;
		if (single && strchr(s->key[i], '"') != NULL)
			return -ENOENT; /* no way to quote it, so nothing has it */
		char q = single ? '"' : '\'';
		n += (size_t)snprintf(buf + n, size - n, "[%s=%c%s%c]", key_at(s->schema, i)->name,
				      q, s->key[i], q);
		if (n >= size)
			return -ENOENT;
	}
	return 0;
}

static int yang_refuses(const struct path *p, unsigned n, struct ctrl_err *err)
{
	struct path shorter = { .n = n };
	const struct ly_err_item *e = ly_err_last(p->step[0].schema->module->ctx);

	memcpy(shorter.step, p->step, n * sizeof(p->step[0]));
	path_text(&shorter, err->path, sizeof(err->path));
	return ctrl_fail(err, -EINVAL, "%s", e != NULL && e->msg != NULL ? e->msg : "key refused");
}

int path_find(const struct lyd_node *tree, const struct path *p, unsigned n, struct lyd_node **ret,
	      struct ctrl_err *err)
{
	const struct lyd_node *among = tree;
	struct lyd_node *node = NULL;
	char keys[1024];

	for (unsigned i = 0; i < n; i++) {
		const struct path_step *s = &p->step[i];
		const char *value = NULL;
		if (s->n_keys > 0) {
			value = s->key[0];
			if (s->schema->nodetype == LYS_LIST) {
				if (predicate(s, keys, sizeof(keys)) < 0)
					return -ENOENT;
				value = keys;
			}
		}
		if (among == NULL)
			return -ENOENT;
		LY_ERR rc;
		if (s->n_keys == 0 && (s->schema->nodetype & (LYS_LIST | LYS_LEAFLIST)) != 0) {
			for (node = lyd_first_sibling(among);
			     node != NULL && node->schema != s->schema; node = node->next)
				;
			rc = node != NULL ? LY_SUCCESS : LY_ENOTFOUND;
		} else {
			rc = lyd_find_sibling_val(among, s->schema, value, 0, &node);
		}
		if (rc == LY_ENOTFOUND)
			return -ENOENT;
		if (rc != LY_SUCCESS)
			return yang_refuses(p, i + 1, err);
		among = lyd_child(node);
	}
	*ret = node;
	return 0;
}

int path_build(const struct path *p, unsigned n, struct lyd_node **ret_top, struct lyd_node **ret,
	       struct ctrl_err *err)
{
	struct lyd_node *top = NULL, *at = NULL, *node;

	for (unsigned i = 0; i < n; i++) {
		const struct path_step *s = &p->step[i];
		const struct lys_module *m = s->schema->module;
		const char *const *k = s->key, *name = s->schema->name;
		LY_ERR rc = LY_EINVAL;
		switch (s->schema->nodetype) {
		case LYS_CONTAINER:
			rc = lyd_new_inner(at, m, name, 0, &node);
			break;
		case LYS_LIST:
			rc = s->n_keys == 1 ? lyd_new_list(at, m, name, 0, &node, k[0]) :
			     s->n_keys == 2 ? lyd_new_list(at, m, name, 0, &node, k[0], k[1]) :
			     s->n_keys == 3 ? lyd_new_list(at, m, name, 0, &node, k[0], k[1],
							   k[2]) :
					      LY_EINVAL;
			break;
		case LYS_LEAFLIST:
			rc = lyd_new_term(at, m, name, s->n_keys > 0 ? k[0] : "", 0, &node);
			break;
		default:
			break;
		}
		if (rc != LY_SUCCESS) {
			lyd_free_all(top);
			return yang_refuses(p, i + 1, err);
		}
		if (top == NULL)
			top = node;
		at = node;
	}
	*ret_top = top;
	*ret = at;
	return 0;
}

int path_uri_of(const struct lyd_node *node, char *buf, size_t size)
{
	const struct lyd_node *up[URI_STEPS_MAX];
	unsigned depth = 0;
	size_t n = 0;

	for (; node != NULL && depth < URI_STEPS_MAX; node = lyd_parent(node))
		up[depth++] = node;
	while (depth-- > 0) {
		const struct lyd_node *at = up[depth], *above = lyd_parent(at);
		const struct lys_module *m = at->schema->module;
		bool same = above != NULL && above->schema->module == m;
		n += (size_t)snprintf(buf + n, size - n, "%s%s%s%s", above != NULL ? "/" : "",
				      same ? "" : m->name, same ? "" : ":", at->schema->name);
		if (n >= size)
			return -EMSGSIZE;
		const struct lyd_node *key = at->schema->nodetype == LYS_LIST     ? lyd_child(at) :
					     at->schema->nodetype == LYS_LEAFLIST ? at :
										    NULL;
		for (char sep = '='; key != NULL; sep = ',') {
			if (n + 1 >= size)
				return -EMSGSIZE;
			buf[n++] = sep;
			int rc = uri_encode(lyd_get_value(key), buf + n, size - n);
			if (rc < 0)
				return rc;
			n += (size_t)rc;
			key = key == at ? NULL : key->next;
			if (key != NULL && !lysc_is_key(key->schema))
				key = NULL;
		}
	}
	return 0;
}
