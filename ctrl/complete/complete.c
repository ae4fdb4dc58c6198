/* SPDX-License-Identifier: BSD-3-Clause
 * Completion of configuration paths: names come from the YANG modules, values of keys and names of other objects from
 * the candidate, or what runs while there is none. */
#include "ctrl/complete/complete.h"

#include <errno.h>
#include <string.h>

#include "ctrl/candidate.h"
#include "ctrl/cfg.h"
#include "ctrl/ctrl.h"
#include "ctrl/path.h"
#include "ctrl/restconf.h"

#define CANDIDATES_MAX 1000u

struct answer {
	struct json_object *list;
	const char *start;
	unsigned n;
};

/* The first sentence of a YANG description, on one line. */
static void first_sentence(const char *dsc, char *buf, size_t size)
{
	size_t n = 0;

	for (; dsc != NULL && *dsc != '\0' && n + 1 < size; dsc++) {
		bool space = *dsc == ' ' || *dsc == '\n' || *dsc == '\t';
		if (*dsc == '.' && (dsc[1] == ' ' || dsc[1] == '\n' || dsc[1] == '\0'))
			break;
		if (space && (n == 0 || buf[n - 1] == ' '))
			continue;
		buf[n++] = space ? ' ' : *dsc;
	}
	buf[n] = '\0';
}

static void offer(struct answer *a, const char *text, const char *what)
{
	char line[200];

	if (a->n == CANDIDATES_MAX || strncmp(text, a->start, strlen(a->start)) != 0)
		return;
	/* one word can come from the model and from what is configured; long lists come from one place */
	for (unsigned i = 0; a->n < 50 && i < a->n; i++) {
		struct json_object *other;
		json_object_object_get_ex(json_object_array_get_idx(a->list, i), "text", &other);
		if (strcmp(json_object_get_string(other), text) == 0)
			return;
	}
	struct json_object *o = json_object_new_object();
	first_sentence(what, line, sizeof(line));
	json_add_str(o, "text", text);
	json_add_str(o, "what", line);
	json_object_array_add(a->list, o);
	a->n++;
}

/* Is it part of the configuration that a person writes? */
static bool is_config(const struct lysc_node *s)
{
	return (s->nodetype & (LYS_CONTAINER | LYS_LIST | LYS_LEAF | LYS_LEAFLIST)) != 0 &&
	       (s->flags & LYS_CONFIG_W) != 0 && (s->flags & LYS_KEY) == 0;
}

static void offer_children(struct answer *a, const struct ly_ctx *ly,
			   const struct lysc_node *parent)
{
	const struct lys_module *m;
	const struct lysc_node *s = NULL;
	uint32_t i = 0;

	if (parent != NULL) {
		while ((s = lys_getnext(s, parent, NULL, 0)) != NULL)
			if (is_config(s))
				offer(a, s->name, s->dsc);
		return;
	}
	while ((m = ly_ctx_get_module_iter(ly, &i)) != NULL) {
		if (!m->implemented || m->compiled == NULL || strncmp(m->name, "heddle-", 7) != 0)
			continue;
		for (s = NULL; (s = lys_getnext(s, NULL, m->compiled, 0)) != NULL;)
			if (is_config(s))
				offer(a, s->name, s->dsc);
	}
}

/* Names of objects that a leaf names by its own name, as far as the model does not say it. */
static const struct {
	const char *leaf, *top, *list;
} named[] = {
	{ "interface", "interfaces", "interface" },
	{ "parent", "interfaces", "interface" },
	{ "vrf", "ip", "vrf" },
	{ "srv6-policy", "srv6", "policy" },
	{ "policy", "srv6", "policy" },
};

static void offer_type(struct answer *a, const struct lysc_type *t)
{
	const struct lysc_type_enum *e = (const struct lysc_type_enum *)t;
	const struct lysc_type_union *u = (const struct lysc_type_union *)t;
	LY_ARRAY_COUNT_TYPE i;

	switch (t->basetype) {
	case LY_TYPE_ENUM:
		LY_ARRAY_FOR(e->enums, i)
		offer(a, e->enums[i].name, e->enums[i].dsc);
		break;
	case LY_TYPE_BOOL:
		offer(a, "true", "");
		offer(a, "false", "");
		break;
	case LY_TYPE_UNION:
		LY_ARRAY_FOR(u->types, i)
		offer_type(a, u->types[i]);
		break;
	case LY_TYPE_LEAFREF:
		offer_type(a, ((const struct lysc_type_leafref *)t)->realtype);
		break;
	default:
		break;
	}
}

static void offer_values(struct answer *a, const struct lysc_node *s, const struct lyd_node *tree)
{
	const struct lysc_type *t = s->nodetype == LYS_LEAF ?
					    ((const struct lysc_node_leaf *)s)->type :
					    ((const struct lysc_node_leaflist *)s)->type;

	offer_type(a, t);
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (strcmp(named[i].leaf, s->name) == 0)
			cfg_foreach(it, cfg_top(tree, named[i].top), named[i].list)
				offer(a, cfg_str(it, "name"), cfg_str(it, "description"));
}

/* Instances of a list whose first keys have these values. */
static bool keys_match(const struct lyd_node *instance, const char *const *key, unsigned n)
{
	const struct lyd_node *k = lyd_child(instance);

	for (unsigned i = 0; i < n; i++, k = k->next)
		if (k == NULL || strcmp(lyd_get_value(k), key[i]) != 0)
			return false;
	return true;
}

static const struct lyd_node *key_value(const struct lyd_node *instance, unsigned i)
{
	const struct lyd_node *k = lyd_child(instance);

	while (k != NULL && i-- > 0)
		k = k->next;
	return k;
}

struct json_object *complete_path(const struct ly_ctx *ly, const struct lyd_node *tree,
				  const char *const *word, unsigned n, const char *start)
{
	struct answer a = { .list = json_object_new_array(), .start = start };
	struct json_object *o = json_object_new_object();
	const struct lysc_node *at = NULL;
	const struct lyd_node *data = NULL; /* of `at`, when it is there */
	const char *hint = NULL;
	char text[300];
	unsigned i = 0;

	json_object_object_add(o, "candidate", a.list);
	for (;;) {
		if (at != NULL && at->nodetype == LYS_LIST) {
			unsigned keys = 0;
			const struct lysc_node *k = lysc_node_child(at);
			for (; k != NULL && (k->flags & LYS_KEY) != 0 && i < n; k = k->next, i++)
				keys++;
			const struct lyd_node *first = data;
			for (data = NULL; first != NULL; first = cfg_next(first)) {
				if (!keys_match(first, word + i - keys, keys))
					continue;
				data = data != NULL ? data : first;
				if (k != NULL && (k->flags & LYS_KEY) != 0)
					offer(&a, lyd_get_value(key_value(first, keys)),
					      cfg_str(first, "description"));
			}
			if (k != NULL && (k->flags & LYS_KEY) != 0) { /* a key is what is typed */
				offer_values(&a, k, tree);
				first_sentence(k->dsc, text, sizeof(text));
				hint = text;
				break;
			}
		}
		if (at != NULL && (at->nodetype & (LYS_LEAF | LYS_LEAFLIST)) != 0) {
			if (i == n)
				offer_values(&a, at, tree);
			first_sentence(at->dsc, text, sizeof(text));
			hint = text;
			break;
		}
		if (i == n) {
			offer_children(&a, ly, at);
			break;
		}
		const struct lysc_node *child = path_schema_child(ly, at, NULL, word[i]);
		if (child == NULL || !is_config(child))
			break;
		data = at == NULL ? cfg_top(tree, word[i]) : cfg_child(data, word[i]);
		at = child;
		i++;
	}
	if (a.n == 0 && hint != NULL)
		json_add_str(o, "hint", hint);
	return o;
}

static void path_op(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	const char *word[64];
	unsigned n = 0;

	cfg_foreach(w, in, "word") if (n < 64) word[n++] = lyd_get_value(w);
	restconf_output(req, "heddle-complete",
			complete_path(c->ly, candidate_tree(c->candidate), word, n,
				      cfg_str(in, "start")));
}

const struct ctrl_domain complete_domain = {
	.name = "complete",
	.modules = (const char *const[]){ "heddle-complete", NULL },
	.ops = (const struct ctrl_op[]){ { "heddle-complete:path", path_op }, { 0 } },
	.read_ops = (const char *const[]){ "heddle-complete:path", NULL },
};
