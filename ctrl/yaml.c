/* SPDX-License-Identifier: BSD-3-Clause
 * Two passes: libyaml's events become a small tree in one arena (struct ynode); that tree is walked along the
 * schema.  The line of each node is kept in lyd_node.priv, which libyang leaves alone. */
#include "ctrl/yaml.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "ctrl/path.h"

enum ykind { Y_SCALAR, Y_SEQ, Y_MAP };

struct ynode {
	enum ykind kind;
	unsigned line;
	bool null;        /* scalar: plain and empty, or "null" or "~" */
	const char *text; /* scalar */
	const char *key;  /* inside a mapping */
	struct ynode *child, *last, *next;
};

/* --- arena: freed in one go ------------------------------------------------------------------ */

struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(16) char data[];
};

static void *arena_alloc(struct chunk **arena, size_t size)
{
	struct chunk *c = *arena;

	size = (size + 15) & ~(size_t)15;
	if (c == NULL || c->size - c->used < size) {
		size_t room = size > 65536 ? size : 65536;
		c = malloc(sizeof(*c) + room);
		if (c == NULL)
			return NULL;
		*c = (struct chunk){ .next = *arena, .size = room };
		*arena = c;
	}
	void *p = c->data + c->used;
	c->used += size;
	return p;
}

static void arena_free(struct chunk *arena)
{
	while (arena != NULL) {
		struct chunk *next = arena->next;
		free(arena);
		arena = next;
	}
}

/* --- first pass: text to ynodes -------------------------------------------------------------- */

struct reader {
	yaml_parser_t parser;
	struct chunk *arena;
	struct ctrl_err *err;
	const char *text;
	struct ynode *stack[YAML_DEPTH_MAX];
	const char *key[YAML_DEPTH_MAX]; /* pending key of a mapping */
	unsigned key_line[YAML_DEPTH_MAX];
	unsigned depth;
	struct ynode *root;
};

static int reader_fail(struct reader *r, unsigned line, const char *why)
{
	r->err->line = line;
	r->err->tag = "malformed-message";
	return ctrl_fail(r->err, -EINVAL, "%s", why);
}

/* What libyaml did not like, in words for people who have never seen its source. */
static int reader_syntax(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	unsigned line = (unsigned)p->problem_mark.line + 1;

	r->err->tag = "malformed-message";
	if (p->error == YAML_MEMORY_ERROR)
		return ctrl_fail(r->err, -ENOMEM, "out of memory");
	if (p->error == YAML_READER_ERROR) {
		line = 1;
		for (size_t i = 0; i < p->problem_offset; i++)
			line += r->text[i] == '\n';
		r->err->line = line;
		return ctrl_fail(r->err, -EINVAL, "not UTF-8 text: %s", p->problem);
	}
	r->err->line = line;
	if (p->problem != NULL && strstr(p->problem, "cannot start any token") != NULL) {
		const char *at = r->text + p->problem_mark.index;
		if (*at == '\t')
			return ctrl_fail(r->err, -EINVAL,
					 "a tab where YAML wants spaces: indent with spaces");
	}
	return ctrl_fail(r->err, -EINVAL, "not YAML: %s%s%s",
			 p->problem != NULL ? p->problem : "syntax error",
			 p->context != NULL ? " " : "", p->context != NULL ? p->context : "");
}

static int reader_add(struct reader *r, const yaml_event_t *ev, enum ykind kind, struct ynode **ret)
{
	struct ynode *n = arena_alloc(&r->arena, sizeof(*n));
	struct ynode *up = r->depth > 0 ? r->stack[r->depth - 1] : NULL;

	if (n == NULL)
		return ctrl_fail(r->err, -ENOMEM, "out of memory");
	*n = (struct ynode){ .kind = kind, .line = (unsigned)ev->start_mark.line + 1 };
	if (up == NULL) {
		r->root = n;
	} else {
		if (up->kind == Y_MAP) {
			n->key = r->key[r->depth - 1];
			n->line = r->key_line[r->depth - 1]; /* where people look for it */
			r->key[r->depth - 1] = NULL;
		}
		if (up->last != NULL)
			up->last->next = n;
		else
			up->child = n;
		up->last = n;
	}
	*ret = n;
	return 0;
}

static int reader_scalar(struct reader *r, const yaml_event_t *ev)
{
	struct ynode *up = r->depth > 0 ? r->stack[r->depth - 1] : NULL;
	const char *value = (const char *)ev->data.scalar.value;
	size_t len = ev->data.scalar.length;
	unsigned line = (unsigned)ev->start_mark.line + 1;
	struct ynode *n;

	if (memchr(value, '\0', len) != NULL)
		return reader_fail(r, line, "a NUL character in a value");
	char *text = arena_alloc(&r->arena, len + 1);
	if (text == NULL)
		return ctrl_fail(r->err, -ENOMEM, "out of memory");
	memcpy(text, value, len + 1);
	if (up != NULL && up->kind == Y_MAP && r->key[r->depth - 1] == NULL) {
		r->key[r->depth - 1] = text;
		r->key_line[r->depth - 1] = line;
		return 0;
	}
	int rc = reader_add(r, ev, Y_SCALAR, &n);
	if (rc < 0)
		return rc;
	n->text = text;
	n->null = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
		  (len == 0 || strcmp(text, "null") == 0 || strcmp(text, "~") == 0);
	return 0;
}

static int reader_event(struct reader *r, const yaml_event_t *ev)
{
	unsigned line = (unsigned)ev->start_mark.line + 1;
	bool want_key = r->depth > 0 && r->stack[r->depth - 1]->kind == Y_MAP &&
			r->key[r->depth - 1] == NULL;
	struct ynode *n;

	switch (ev->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (r->root != NULL)
			return reader_fail(r, line, "a second YAML document in one text");
		return 0;
	case YAML_ALIAS_EVENT:
		return reader_fail(r, line, "YAML aliases (*name) are not allowed here");
	case YAML_SCALAR_EVENT:
		if (ev->data.scalar.anchor != NULL)
			return reader_fail(r, line, "YAML anchors (&name) are not allowed here");
		if (ev->data.scalar.tag != NULL)
			return reader_fail(r, line, "YAML tags (!name) are not allowed here");
		return reader_scalar(r, ev);
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT: {
		bool seq = ev->type == YAML_SEQUENCE_START_EVENT;
		if ((seq ? ev->data.sequence_start.anchor : ev->data.mapping_start.anchor) != NULL)
			return reader_fail(r, line, "YAML anchors (&name) are not allowed here");
		if ((seq ? ev->data.sequence_start.tag : ev->data.mapping_start.tag) != NULL)
			return reader_fail(r, line, "YAML tags (!name) are not allowed here");
		if (want_key)
			return reader_fail(r, line,
					   "a name must be plain text, not a list or a mapping");
		if (r->depth == YAML_DEPTH_MAX)
			return reader_fail(r, line, "nested too deep");
		int rc = reader_add(r, ev, seq ? Y_SEQ : Y_MAP, &n);
		if (rc < 0)
			return rc;
		r->key[r->depth] = NULL;
		r->stack[r->depth++] = n;
		return 0;
	}
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		r->depth--;
		return 0;
	default:
		return 0;
	}
}

/* *ret lives in *arena, which the caller frees, also on failure; NULL for a text without content. */
static int read_text(const char *text, size_t len, struct chunk **arena, struct ynode **ret,
		     struct ctrl_err *err)
{
	struct reader r = { .err = err, .text = text };
	bool done = false;
	int rc = 0;

	err->line = 0;
	err->path[0] = '\0';
	if (len > YAML_TEXT_MAX)
		return ctrl_fail(err, -EFBIG, "%zu MB of text; the limit is %u MB", len >> 20,
				 YAML_TEXT_MAX >> 20);
	if (!yaml_parser_initialize(&r.parser))
		return ctrl_fail(err, -ENOMEM, "out of memory");
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
	while (rc == 0 && !done) {
		yaml_event_t ev;
		if (!yaml_parser_parse(&r.parser, &ev)) {
			rc = reader_syntax(&r);
			break;
		}
		done = ev.type == YAML_STREAM_END_EVENT;
		rc = reader_event(&r, &ev);
		yaml_event_delete(&ev);
	}
	yaml_parser_delete(&r.parser);
	*arena = r.arena;
	*ret = r.root;
	return rc;
}

/* --- second pass: ynodes along the schema ---------------------------------------------------- */

struct convert {
	const struct ly_ctx *ctx;
	struct ctrl_err *err;
	struct lyd_node *top; /* first of the top-level siblings */
};

static void err_path(struct convert *cv, const struct lyd_node *parent, const char *key)
{
	char *up = parent != NULL ? lyd_path(parent, LYD_PATH_STD, NULL, 0) : NULL;
	size_t n = parent != NULL ? strlen(parent->schema->module->name) : 0;

	/* a path names a module where it changes */
	if (n > 0 && key != NULL && strncmp(key, parent->schema->module->name, n) == 0 &&
	    key[n] == ':')
		key += n + 1;
	if (key == NULL)
		snprintf(cv->err->path, sizeof(cv->err->path), "%s", up != NULL ? up : "/");
	else
		snprintf(cv->err->path, sizeof(cv->err->path), "%s/%s", up != NULL ? up : "", key);
	free(up);
}

#define cv_fail(cv, parent, y, ...)                                   \
	((cv)->err->line = (y)->line, err_path(cv, parent, (y)->key), \
	 ctrl_fail((cv)->err, -EINVAL, __VA_ARGS__))

/* Schema child of `parent` (NULL: any top-level data node) named `name` or `module:name`. */
static const struct lysc_node *schema_child(const struct ly_ctx *ctx,
					    const struct lysc_node *parent, const char *name)
{
	const char *colon = strchr(name, ':');
	char module[128];

	if (colon == NULL)
		return path_schema_child(ctx, parent, NULL, name);
	if ((size_t)(colon - name) >= sizeof(module))
		return NULL;
	snprintf(module, sizeof(module), "%.*s", (int)(colon - name), name);
	return path_schema_child(ctx, parent, module, colon + 1);
}

/* "unknown 'mtuu'; known here: description, enabled, ..." */
static int unknown_name(struct convert *cv, const struct lysc_node *parent,
			const struct lyd_node *at, const struct ynode *y)
{
	char known[400] = "";
	size_t n = 0;
	const struct lysc_node *s = NULL;
	uint32_t i = 0;
	const struct lys_module *mod = NULL;

	do {
		if (parent == NULL) {
			mod = ly_ctx_get_module_iter(cv->ctx, &i);
			if (mod == NULL)
				break;
			if (!mod->implemented || strncmp(mod->name, "heddle-", 7) != 0)
				continue;
		}
		for (s = NULL; (s = lys_getnext(s, parent, parent == NULL ? mod->compiled : NULL,
						0)) != NULL;) {
			if ((s->flags & LYS_CONFIG_R) != 0 ||
			    (s->nodetype & (LYS_RPC | LYS_NOTIF)) != 0)
				continue;
			int w = snprintf(known + n, sizeof(known) - n, "%s%s", n != 0 ? ", " : "",
					 s->name);
			if (w < 0 || (size_t)w >= sizeof(known) - n)
				break;
			n += (size_t)w;
		}
	} while (parent == NULL);
	cv->err->tag = "unknown-element";
	return cv_fail(cv, at, y, "unknown name '%.64s'; known here: %s", y->key, known);
}

static int convert_map(struct convert *cv, const struct lysc_node *schema, struct lyd_node *at,
		       const struct ynode *y);

static void set_line(struct lyd_node *node, unsigned line)
{
	node->priv = (void *)(uintptr_t)line;
}

/* Hook a new top-level node in; nodes with a parent were inserted when they were made. */
static void link_top(struct convert *cv, struct lyd_node *node)
{
	if (node->parent == NULL)
		lyd_insert_sibling(cv->top, node, &cv->top);
}

static int convert_leaf(struct convert *cv, const struct lysc_node *s, struct lyd_node *at,
			const struct ynode *y, const char *key)
{
	struct ynode here = *y;
	struct lyd_node *node;

	here.key = key;
	if (y->kind != Y_SCALAR)
		return cv_fail(cv, at, &here, "a single value belongs here, not a %s",
			       y->kind == Y_SEQ ? "list" : "mapping");
	const struct lysc_type *type = s->nodetype == LYS_LEAF ?
					       ((const struct lysc_node_leaf *)s)->type :
					       ((const struct lysc_node_leaflist *)s)->type;
	if (y->null && type->basetype != LY_TYPE_STRING)
		return cv_fail(cv, at, &here, "no value given");
	if (lyd_new_term(at, s->module, s->name, y->text, 0, &node) != LY_SUCCESS) {
		const struct ly_err_item *e = ly_err_last(cv->ctx);
		return cv_fail(cv, at, &here, "%s",
			       e != NULL && e->msg != NULL ? e->msg : "value refused");
	}
	set_line(node, y->line);
	link_top(cv, node);
	return 0;
}

static const struct ynode *map_find(const struct ynode *map, const char *name)
{
	for (const struct ynode *c = map->child; c != NULL; c = c->next) {
		const char *colon = strchr(c->key, ':');
		if (strcmp(colon != NULL ? colon + 1 : c->key, name) == 0)
			return c;
	}
	return NULL;
}

/* The one leaf besides the key, for items written as a bare value; NULL if there are more or none. */
static const struct lysc_node *only_leaf(const struct lysc_node *list)
{
	const struct lysc_node *s = NULL, *found = NULL;

	while ((s = lys_getnext(s, list, NULL, 0)) != NULL) {
		if ((s->flags & LYS_KEY) != 0)
			continue;
		if (found != NULL || s->nodetype != LYS_LEAF)
			return NULL;
		found = s;
	}
	return found;
}

#define LIST_KEYS_MAX 3

/* One item of a list.  Position `nth` (from 1) numbers an item whose only key is called "index". */
static int convert_item(struct convert *cv, const struct lysc_node *s, struct lyd_node *at,
			const struct ynode *y, unsigned nth, const char *name)
{
	struct ynode here = *y;
	const char *value[LIST_KEYS_MAX];
	unsigned line[LIST_KEYS_MAX], n_keys = 0;
	char number[12];
	const struct lysc_node *key = NULL, *bare = NULL;
	struct lyd_node *node;

	here.key = name;
	bool numbered = false;
	while ((key = lys_getnext(key, s, NULL, 0)) != NULL && (key->flags & LYS_KEY) != 0) {
		const struct ynode *k = y->kind == Y_MAP ? map_find(y, key->name) : NULL;
		if (n_keys == LIST_KEYS_MAX)
			return cv_fail(cv, at, &here,
				       "lists with more than %d keys are not supported",
				       LIST_KEYS_MAX);
		if (k != NULL && (k->kind != Y_SCALAR || k->null)) {
			err_path(cv, at, name);
			cv->err->line = k->line;
			return ctrl_fail(cv->err, -EINVAL, "key '%s' must be a single value",
					 key->name);
		}
		if (k == NULL && strcmp(key->name, "index") == 0) {
			snprintf(number, sizeof(number), "%u", nth);
			value[n_keys] = number;
			numbered = true;
		} else if (k == NULL) {
			if (y->kind != Y_MAP)
				return cv_fail(cv, at, &here,
					       "each item is a mapping that begins with its '%s'",
					       key->name);
			return cv_fail(cv, at, &here, "an item without its key '%s'", key->name);
		} else {
			value[n_keys] = k->text;
		}
		line[n_keys++] = k != NULL ? k->line : y->line;
	}
	if (y->kind != Y_MAP) {
		bare = numbered && y->kind == Y_SCALAR ? only_leaf(s) : NULL;
		if (bare == NULL)
			return cv_fail(cv, at, &here, "each item is a mapping");
	}
	LY_ERR lrc =
		n_keys == 1 ? lyd_new_list(at, s->module, s->name, 0, &node, value[0]) :
		n_keys == 2 ? lyd_new_list(at, s->module, s->name, 0, &node, value[0], value[1]) :
			      lyd_new_list(at, s->module, s->name, 0, &node, value[0], value[1],
					   value[2]);
	if (lrc != LY_SUCCESS) {
		const struct ly_err_item *e = ly_err_last(cv->ctx);
		here.line = line[0];
		return cv_fail(cv, at, &here, "%s",
			       e != NULL && e->msg != NULL ? e->msg : "key refused");
	}
	set_line(node, y->line);
	unsigned i = 0;
	for (struct lyd_node *c = lyd_child(node); c != NULL && i < n_keys; c = c->next)
		set_line(c, line[i++]);
	link_top(cv, node);
	struct lyd_node *first;
	if (lyd_find_sibling_first(at != NULL ? lyd_child(at) : cv->top, node, &first) ==
		    LY_SUCCESS &&
	    first != node) {
		char *path = lyd_path(node, LYD_PATH_STD, NULL, 0);
		snprintf(cv->err->path, sizeof(cv->err->path), "%s", path);
		free(path);
		cv->err->line = line[0];
		return ctrl_fail(cv->err, -EINVAL, "duplicate of line %u", yaml_line(first));
	}
	if (bare != NULL)
		return convert_leaf(cv, bare, node, y, bare->name);
	return convert_map(cv, s, node, y);
}

static int convert_child(struct convert *cv, const struct lysc_node *s, struct lyd_node *at,
			 const struct ynode *y)
{
	struct lyd_node *node;
	unsigned nth = 0;
	int rc = 0;

	switch (s->nodetype) {
	case LYS_CONTAINER:
		if (y->kind != Y_MAP && !y->null)
			return cv_fail(cv, at, y, "a mapping (name: value) belongs here");
		if (lyd_new_inner(at, s->module, s->name, 0, &node) != LY_SUCCESS)
			return cv_fail(cv, at, y, "not possible here");
		set_line(node, y->line);
		link_top(cv, node);
		return y->null ? 0 : convert_map(cv, s, node, y);
	case LYS_LIST:
	case LYS_LEAFLIST:
		if (y->null)
			return 0;
		if (y->kind != Y_SEQ)
			return cv_fail(cv, at, y,
				       "this is a list: write its items as '- ...', or [ ... ]");
		for (const struct ynode *c = y->child; rc == 0 && c != NULL; c = c->next) {
			nth++;
			rc = s->nodetype == LYS_LIST ? convert_item(cv, s, at, c, nth, y->key) :
						       convert_leaf(cv, s, at, c, y->key);
		}
		return rc;
	case LYS_LEAF:
		return convert_leaf(cv, s, at, y, y->key);
	default:
		return cv_fail(cv, at, y, "this kind of node cannot be configured");
	}
}

static int convert_map(struct convert *cv, const struct lysc_node *schema, struct lyd_node *at,
		       const struct ynode *y)
{
	for (const struct ynode *c = y->child; c != NULL; c = c->next) {
		const struct lysc_node *s = schema_child(cv->ctx, schema, c->key);
		if (s == NULL)
			return unknown_name(cv, schema, at, c);
		if ((s->flags & LYS_CONFIG_R) != 0)
			return cv_fail(cv, at, c, "this is state, it cannot be configured");
		/* A mapping has at most as many names as the schema before one repeats: this loop is bounded. */
		for (const struct ynode *before = y->child; before != c; before = before->next)
			if (schema_child(cv->ctx, schema, before->key) == s)
				return cv_fail(cv, at, c, "duplicate of line %u", before->line);
		if ((s->flags & LYS_KEY) != 0)
			continue; /* made with its list item */
		int rc = convert_child(cv, s, at, c);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int yaml_to_tree(const struct ly_ctx *ctx, const char *text, size_t len, struct lyd_node **ret,
		 struct ctrl_err *err)
{
	struct convert cv = { .ctx = ctx, .err = err };
	struct chunk *arena = NULL;
	struct ynode *root = NULL;

	int rc = read_text(text, len, &arena, &root, err);
	if (rc == 0 && root == NULL) {
		err->line = 1;
		rc = ctrl_fail(err, -EINVAL,
			       "nothing in it; write {} if an empty configuration is meant");
	} else if (rc == 0 && root->kind != Y_MAP) {
		err->line = root->line;
		rc = ctrl_fail(
			err, -EINVAL,
			"not a configuration: the top level must be a mapping (name: value)");
	}
	if (rc == 0)
		rc = convert_map(&cv, NULL, NULL, root);
	arena_free(arena);
	if (rc < 0) {
		lyd_free_all(cv.top);
		return rc;
	}
	*ret = cv.top;
	return 0;
}

int yaml_to_children(const struct ly_ctx *ctx, struct lyd_node *parent, const char *wrap,
		     const char *text, size_t len, struct lyd_node **ret, struct ctrl_err *err)
{
	struct convert cv = { .ctx = ctx, .err = err };
	struct chunk *arena = NULL;
	struct ynode *root = NULL;

	int rc = read_text(text, len, &arena, &root, err);
	if (rc == 0 && (root == NULL || root->kind != Y_MAP)) {
		err->tag = "malformed-message";
		rc = ctrl_fail(err, -EINVAL, "the body must be an object that names its node");
	}
	if (rc == 0 && wrap != NULL && root->child != NULL && root->child->next == NULL &&
	    root->child->kind == Y_MAP && strcmp(root->child->key, wrap) == 0)
		root = root->child;
	if (rc == 0)
		rc = convert_map(&cv, parent != NULL ? parent->schema : NULL, parent, root);
	arena_free(arena);
	if (rc < 0)
		lyd_free_all(cv.top);
	else
		*ret = cv.top;
	return rc;
}

int yaml_to_rpc(const struct lysc_node *rpc, const char *text, size_t len, struct lyd_node **ret,
		struct ctrl_err *err)
{
	struct convert cv = { .ctx = rpc->module->ctx, .err = err };
	struct chunk *arena = NULL;
	struct ynode *root = NULL;
	struct lyd_node *op = NULL;
	char want[128];

	int rc = read_text(text, len, &arena, &root, err);
	if (rc == 0 && lyd_new_inner(NULL, rpc->module, rpc->name, 0, &op) != LY_SUCCESS)
		rc = ctrl_fail(err, -ENOMEM, "out of memory");
	if (rc == 0 && root != NULL) {
		snprintf(want, sizeof(want), "%s:input", rpc->module->name);
		const struct ynode *in = root->kind == Y_MAP ? root->child : NULL;
		if (root->kind == Y_MAP && in == NULL)
			rc = 0;
		else if (in == NULL || strcmp(in->key, want) != 0 || in->next != NULL ||
			 in->kind != Y_MAP)
			rc = ctrl_fail(err, -EINVAL,
				       "the body must be {\"%s\": {...}} (RFC 8040 section 3.6.1)",
				       want);
		else
			rc = convert_map(&cv, rpc, op, in);
	}
	arena_free(arena);
	if (rc < 0) {
		lyd_free_all(op);
		return rc;
	}
	*ret = op;
	return 0;
}

unsigned yaml_line(const struct lyd_node *node)
{
	for (; node != NULL; node = lyd_parent(node))
		if (node->priv != NULL)
			return (unsigned)(uintptr_t)node->priv;
	return 0;
}

/* Case of `choice` that a schema node stands in, or NULL. */
static const struct lysc_node *case_in(const struct lysc_node *s, const struct lysc_node *choice)
{
	for (; s != NULL && s->parent != NULL; s = s->parent)
		if (s->parent == choice)
			return s;
	return NULL;
}

/* Is `s` (a mandatory node, or a choice) what is wrong below `node`?  Then *ret is the node to point at. */
static bool is_culprit(const struct lyd_node *node, const struct lysc_node *s,
		       const struct lyd_node **ret)
{
	const struct lysc_node *seen = NULL;
	const struct lyd_node *first = NULL, *child;
	bool conflict = false;

	LY_LIST_FOR(lyd_child(node), child) {
		if (s->nodetype != LYS_CHOICE && child->schema == s)
			return false; /* it is there */
		const struct lysc_node *in = s->nodetype == LYS_CHOICE ? case_in(child->schema, s) :
									 NULL;
		if (in == NULL || (child->flags & LYD_DEFAULT) != 0)
			continue;
		conflict = conflict || (seen != NULL && seen != in);
		seen = in;
		if (first == NULL || yaml_line(child) < yaml_line(first))
			first = child;
	}
	if (seen != NULL && !conflict)
		return false;
	*ret = conflict ? first : node;
	return true;
}

/* Schema node of a path as libyang logs it, with the names of choices and cases in it (lys_find_path() wants none). */
static const struct lysc_node *find_schema(const struct ly_ctx *ctx, const char *path)
{
	const struct lysc_node *s = NULL, *c;

	while (*path == '/') {
		const char *name = path + 1;
		size_t len = strcspn(name, "/"), colon = strcspn(name, ":");
		path = name + len;
		if (colon < len && s == NULL) {
			char mod[64];
			snprintf(mod, sizeof(mod), "%.*s", (int)colon, name);
			const struct lys_module *m = ly_ctx_get_module_implemented(ctx, mod);
			c = m != NULL && m->compiled != NULL ? m->compiled->data : NULL;
		} else {
			c = s != NULL ? lysc_node_child(s) : NULL;
		}
		if (colon < len) {
			name += colon + 1;
			len -= colon + 1;
		}
		while (c != NULL && (strncmp(c->name, name, len) != 0 || c->name[len] != '\0'))
			c = c->next;
		if (c == NULL)
			return NULL;
		s = c;
	}
	return s;
}

/* libyang names only the schema of what is missing or exclusive: find the instance. */
static const struct lyd_node *find_culprit(const struct ly_ctx *ctx, const struct lyd_node *tree,
					   const char *schema_path)
{
	const struct lysc_node *s = find_schema(ctx, schema_path);
	const struct lysc_node *parent = s != NULL ? lysc_data_parent(s) : NULL;
	const struct lyd_node *top, *node, *found = NULL;

	LY_LIST_FOR(parent != NULL ? tree : NULL, top) {
		LYD_TREE_DFS_BEGIN(top, node) {
			if (found == NULL && node->schema == parent)
				is_culprit(node, s, &found);
			LYD_TREE_DFS_END(top, node);
		}
	}
	return found;
}

static void culprit_error(const struct ly_ctx *ctx, const struct lyd_node *tree, const char *path,
			  struct ctrl_err *err)
{
	char schema[sizeof(err->path)];
	const char *end = strchr(path, '"');

	snprintf(schema, sizeof(schema), "%.*s", end != NULL ? (int)(end - path) : 0, path);
	const struct lyd_node *node = find_culprit(ctx, tree, schema);
	char *text = node != NULL ? lyd_path(node, LYD_PATH_STD, NULL, 0) : NULL;
	snprintf(err->path, sizeof(err->path), "%s", text != NULL ? text : schema);
	err->line = yaml_line(node);
	free(text);
}

/* error-tag and error-app-tag as RFC 7950 section 15 has them. */
static void set_tags(const struct ly_err_item *e, struct ctrl_err *err)
{
	static const struct {
		const char *app_tag, *tag;
	} known[] = {
		{ "must-violation", "operation-failed" },
		{ "instance-required", "data-missing" },
		{ "missing-choice", "data-missing" },
		{ "data-not-unique", "operation-failed" },
		{ "too-many-elements", "operation-failed" },
		{ "too-few-elements", "operation-failed" },
	};

	for (size_t i = 0; e->apptag != NULL && i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(e->apptag, known[i].app_tag) == 0) {
			err->app_tag = known[i].app_tag;
			err->tag = known[i].tag;
		}
	if (err->tag == NULL && strncmp(e->msg, "Mandatory node", 14) == 0)
		err->tag = "data-missing";
}

int yaml_yang_error(const struct ly_ctx *ctx, const struct lyd_node *tree, struct ctrl_err *err)
{
	static const char mark[] = "ata location \"";
	const struct ly_err_item *e = ly_err_last(ctx);
	struct lyd_node *node = NULL;

	err->line = 0;
	err->path[0] = '\0';
	if (e == NULL || e->msg == NULL)
		return ctrl_fail(err, -EINVAL, "refused by the YANG model");
	ctrl_fail(err, -EINVAL, "%s", e->msg);
	set_tags(e, err);
	/* libyang 2: `Schema location "...", data location "/m:a/b[name='x']", line number 3.` or just the data part */
	const char *at = e->path != NULL ? strstr(e->path, mark) : NULL;
	if (at == NULL && e->path != NULL && strncmp(e->path, "Schema location \"", 17) == 0) {
		culprit_error(ctx, tree, e->path + 17, err);
		return -EINVAL;
	}
	if (at == NULL && e->path != NULL && e->path[0] == '/') {
		snprintf(err->path, sizeof(err->path), "%s", e->path);
	} else if (at != NULL) {
		at += sizeof(mark) - 1;
		const char *end = strstr(at, "\", line");
		if (end == NULL)
			end = strstr(at, "\".");
		if (end == NULL)
			end = at + strlen(at);
		snprintf(err->path, sizeof(err->path), "%.*s", (int)(end - at), at);
	}
	/* The node may be the one that is missing: take the line of the nearest ancestor that exists. */
	char path[sizeof(err->path)];
	snprintf(path, sizeof(path), "%s", err->path);
	while (tree != NULL && path[0] == '/') {
		uint32_t quiet = 0;
		ly_temp_log_options(&quiet);
		LY_ERR rc = lyd_find_path(tree, path, 0, &node);
		ly_temp_log_options(NULL);
		if (rc == LY_SUCCESS)
			break;
		node = NULL;
		/* cut the last step, minding quoted keys */
		char quote = 0, *slash = path;
		for (char *c = path; *c != '\0'; c++) {
			if (quote != 0)
				quote = *c == quote ? 0 : quote;
			else if (*c == '\'' || *c == '"')
				quote = *c;
			else if (*c == '/')
				slash = c;
		}
		if (slash == path)
			break;
		*slash = '\0';
	}
	err->line = node != NULL ? yaml_line(node) : 0;
	return -EINVAL;
}
