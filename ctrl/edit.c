/* SPDX-License-Identifier: BSD-3-Clause
 * The new content is first built as a tree of its own, from the top down, so that whatever is wrong with it shows
 * before the old tree is touched; then it is merged. */
#include "ctrl/edit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/yaml.h"

static int fail_at(struct ctrl_err *err, int rc, const struct path *p, unsigned n, const char *tag,
		   const char *what)
{
	struct path part = { .n = n };

	memcpy(part.step, p->step, n * sizeof(p->step[0]));
	path_text(&part, err->path, sizeof(err->path));
	err->tag = tag;
	return ctrl_fail(err, rc, "%s", what);
}

static int no_memory(struct ctrl_err *err)
{
	return ctrl_fail(err, -ENOMEM, "out of memory");
}

/* --- choices --------------------------------------------------------------------------------- */

static const struct lysc_node *case_of(const struct lysc_node *s,
				       const struct lysc_node **ret_choice)
{
	for (; s != NULL && s->parent != NULL; s = s->parent) {
		if (s->parent->nodetype == LYS_CHOICE) {
			*ret_choice = s->parent;
			return s; /* a case, also where it is not written */
		}
		if ((s->parent->nodetype & LYS_CASE) == 0)
			return NULL;
	}
	return NULL;
}

static bool in_other_case(const struct lysc_node *s, const struct lysc_node *choice,
			  const struct lysc_node *chosen)
{
	for (; s != NULL && s->parent != NULL; s = s->parent) {
		if (s->parent == choice)
			return s != chosen;
		if ((s->parent->nodetype & (LYS_CHOICE | LYS_CASE)) == 0)
			return false;
	}
	return false;
}

static void free_node(struct lyd_node **tree, struct lyd_node *node)
{
	if (*tree == node)
		*tree = node->next;
	lyd_free_tree(node);
}

/* New nodes of one case put those of the others out (RFC 7950 section 7.9).  among: first sibling of the old tree. */
static void leave_other_cases(struct lyd_node **tree, struct lyd_node *among,
			      const struct lyd_node *fresh)
{
	for (; fresh != NULL; fresh = fresh->next) {
		const struct lysc_node *choice = NULL, *chosen = case_of(fresh->schema, &choice);
		struct lyd_node *match = NULL, *next;
		for (struct lyd_node *o = chosen != NULL ? among : NULL; o != NULL; o = next) {
			next = o->next;
			if (!in_other_case(o->schema, choice, chosen))
				continue;
			if (o == among)
				among = next;
			free_node(tree, o);
		}
		if (lyd_child(fresh) != NULL && among != NULL &&
		    lyd_find_sibling_first(among, fresh, &match) == LY_SUCCESS && match != NULL)
			leave_other_cases(tree, lyd_child(match), lyd_child(fresh));
	}
}

/* --- new content ----------------------------------------------------------------------------- */

/* The only node below `parent` (or at the top) that is no key of it; NULL: none, or several. */
static struct lyd_node *only_child(struct lyd_node *parent, struct lyd_node *top)
{
	struct lyd_node *n = parent != NULL ? lyd_child(parent) : top, *found = NULL;

	for (; n != NULL; n = n->next) {
		if (lysc_is_key(n->schema))
			continue;
		if (found != NULL)
			return NULL;
		found = n;
	}
	return found;
}

static bool same_instance(const struct lyd_node *node, const struct path_step *s)
{
	const struct lyd_node *key = lyd_child(node);

	if (node->schema != s->schema)
		return false;
	if (s->schema->nodetype == LYS_LEAFLIST)
		return strcmp(lyd_get_value(node), s->key[0]) == 0;
	for (unsigned i = 0; s->schema->nodetype == LYS_LIST && i < s->n_keys; i++) {
		if (key == NULL || !lysc_is_key(key->schema) ||
		    strcmp(lyd_get_value(key), s->key[i]) != 0)
			return false;
		key = key->next;
	}
	return true;
}

/* Keys of a path as the types write them: 2001:DB8::1 and 2001:db8:0::1 are one. */
static bool same_as_path(const struct lyd_node *node, const struct path *p)
{
	struct lyd_node *top = NULL, *mine = NULL;
	struct ctrl_err ignored;

	if (same_instance(node, &p->step[p->n - 1]))
		return true;
	if (node->schema != p->step[p->n - 1].schema)
		return false;
	if ((node->schema->nodetype & (LYS_LIST | LYS_LEAFLIST)) == 0)
		return true;
	if (path_build(p, p->n, &top, &mine, &ignored) < 0)
		return false;
	bool same = lyd_compare_single(node, mine, 0) == LY_SUCCESS;
	if (!same && node->schema->nodetype == LYS_LIST) { /* only the keys have to be the same */
		const struct lyd_node *a = lyd_child(node), *b = lyd_child(mine);
		same = true;
		for (; a != NULL && b != NULL && lysc_is_key(a->schema); a = a->next, b = b->next)
			same = same && lyd_compare_single(a, b, 0) == LY_SUCCESS;
	}
	lyd_free_all(top);
	return same;
}

/* The body below the first n steps of p.  *ret: the node it is about. */
static int read_body(const struct ly_ctx *ly, const struct path *p, unsigned n, const char *body,
		     size_t len, struct lyd_node **ret_top, struct lyd_node **ret,
		     struct ctrl_err *err)
{
	struct lyd_node *top = NULL, *parent = NULL, *fresh = NULL;

	int rc = path_build(p, n, &top, &parent, err);
	if (rc == 0)
		rc = yaml_to_children(ly, parent, NULL, body, len, &fresh, err);
	if (rc == 0 && top == NULL)
		top = fresh;
	struct lyd_node *only = rc == 0 ? only_child(parent, top) : NULL;
	if (rc == 0 && only == NULL) {
		err->tag = "malformed-message";
		rc = fail_at(err, -EINVAL, p, n, "malformed-message",
			     "the body must hold exactly one node");
	}
	if (rc < 0) {
		lyd_free_all(top);
		return rc;
	}
	*ret_top = top;
	*ret = only;
	return 0;
}

static int merge(struct lyd_node **tree, struct lyd_node *fresh, struct ctrl_err *err)
{
	leave_other_cases(tree, *tree, fresh);
	if (lyd_merge_siblings(tree, fresh, LYD_MERGE_DESTRUCT) != LY_SUCCESS)
		return no_memory(err);
	*tree = *tree != NULL ? lyd_first_sibling(*tree) : NULL;
	return 0;
}

/* --- order ------------------------------------------------------------------------------------ */

/* The point of `place`, which has to stand beside the resource p; NULL if none is needed.  old: the resource as it is,
 * or NULL.  Section 4.8.5 of RFC 8040, section 15.7 of RFC 7950. */
static int find_point(const struct lyd_node *tree, const struct path *p,
		      const struct edit_place *place, const struct lyd_node *old,
		      struct lyd_node **ret, struct ctrl_err *err)
{
	const struct path *point = &place->point;
	const struct lysc_node *s = p->step[p->n - 1].schema;
	struct lyd_node *mine = NULL, *its = NULL;

	*ret = NULL;
	if ((s->nodetype & (LYS_LIST | LYS_LEAFLIST)) == 0 || !lysc_is_userordered(s))
		return fail_at(err, -EINVAL, p, p->n, NULL,
			       "'insert' is for entries of lists that are ordered by users");
	if (place->insert != EDIT_BEFORE && place->insert != EDIT_AFTER)
		return 0;
	bool same = point->n == p->n && point->step[p->n - 1].schema == s &&
		    point->step[p->n - 1].n_keys != 0;
	if (same && p->n > 1) {
		int rc = path_find(tree, p, p->n - 1, &mine, err);
		same = rc == 0 && path_find(tree, point, p->n - 1, &its, err) == 0 && mine == its;
	}
	if (!same)
		return fail_at(err, -EINVAL, p, p->n, NULL,
			       "'point' is no entry of the list that is edited");
	if (path_find(tree, point, point->n, ret, err) < 0) {
		err->app_tag = "missing-instance";
		return fail_at(err, -EINVAL, point, point->n, "bad-attribute",
			       "the entry that 'point' names is not there");
	}
	if (*ret == old)
		return fail_at(err, -EINVAL, p, p->n, NULL, "'point' is the entry itself");
	return 0;
}

/* The first or last entry of a list besides one of them; NULL: there is none. */
static struct lyd_node *end_of_list(struct lyd_node *entry, bool last)
{
	struct lyd_node *found = NULL;

	for (struct lyd_node *n = lyd_first_sibling(entry); n != NULL; n = n->next)
		if (n->schema == entry->schema && n != entry && (last || found == NULL))
			found = n;
	return found;
}

static void move(struct lyd_node **tree, struct lyd_node *entry, enum edit_insert insert,
		 struct lyd_node *point)
{
	bool after = insert == EDIT_LAST || insert == EDIT_AFTER;

	if (point == NULL)
		point = end_of_list(entry, after);
	if (point == NULL)
		return;
	if (after)
		lyd_insert_after(point, entry);
	else
		lyd_insert_before(point, entry);
	*tree = lyd_first_sibling(*tree);
}

/* The path of a node that is to stand below p; its keys stay the node's. */
static void path_below(const struct path *p, const struct lyd_node *node, struct path *ret)
{
	const struct lyd_node *key = lyd_child(node);
	struct path_step *s = &ret->step[p->n];

	*ret = (struct path){ .n = p->n + 1 };
	memcpy(ret->step, p->step, p->n * sizeof(p->step[0]));
	s->schema = node->schema;
	if (node->schema->nodetype == LYS_LEAFLIST)
		s->key[s->n_keys++] = lyd_get_value(node);
	for (; node->schema->nodetype == LYS_LIST && key != NULL && lysc_is_key(key->schema) &&
	       s->n_keys < URI_KEYS_MAX;
	     key = key->next)
		s->key[s->n_keys++] = lyd_get_value(key);
}

/* --- the whole datastore ---------------------------------------------------------------------- */

static int edit_datastore(const struct ly_ctx *ly, struct lyd_node **tree, enum edit_op op,
			  const char *body, size_t len, struct ctrl_err *err)
{
	struct lyd_node *fresh = NULL;

	if (op == EDIT_DELETE)
		return ctrl_fail(err, -EOPNOTSUPP,
				 "a datastore cannot be deleted; PUT an empty one: "
				 "{\"ietf-restconf:data\": {}}");
	int rc = yaml_to_children(ly, NULL, "ietf-restconf:data", body, len, &fresh, err);
	if (rc < 0)
		return rc;
	if (op != EDIT_REPLACE)
		return fresh != NULL ? merge(tree, fresh, err) : 0;
	lyd_free_all(*tree);
	*tree = fresh;
	return 0;
}

/* --- one resource ------------------------------------------------------------------------------ */

/* List entries and presence containers above a resource must be there; other containers are, always. */
static int need_parents(const struct lyd_node *tree, const struct path *p, unsigned n,
			struct ctrl_err *err)
{
	struct lyd_node *node;

	for (unsigned i = 1; i <= n; i++) {
		const struct lysc_node *s = p->step[i - 1].schema;
		bool must = s->nodetype == LYS_LIST ||
			    (s->nodetype == LYS_CONTAINER && (s->flags & LYS_PRESENCE) != 0);
		int rc = must ? path_find(tree, p, i, &node, err) : 0;
		if (rc == -ENOENT)
			return fail_at(err, rc, p, i, NULL, "it is not there");
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int create(const struct ly_ctx *ly, struct lyd_node **tree, const struct path *p,
		  const struct edit_place *place, const char *body, size_t len,
		  struct edit_result *res, struct ctrl_err *err)
{
	struct lyd_node *top, *node, *among, *match = NULL, *point = NULL;
	struct path made;

	if (p->n > 0 && (p->step[p->n - 1].schema->nodetype & (LYS_CONTAINER | LYS_LIST)) == 0)
		return fail_at(err, -EINVAL, p, p->n, NULL, "nothing can be made below a leaf");
	int rc = need_parents(*tree, p, p->n, err);
	if (rc == 0)
		rc = read_body(ly, p, p->n, body, len, &top, &node, err);
	if (rc < 0)
		return rc;
	rc = p->n > 0 ? path_find(*tree, p, p->n, &among, err) : 0;
	among = p->n == 0 ? *tree : rc == 0 ? lyd_child(among) : NULL;
	if (among != NULL && lyd_find_sibling_first(among, node, &match) == LY_SUCCESS &&
	    (match->flags & LYD_DEFAULT) == 0 &&
	    !(match->schema->nodetype == LYS_CONTAINER && lyd_child(match) == NULL)) {
		lyd_free_all(top);
		return fail_at(err, -EEXIST, p, p->n, "data-exists", "it is there already");
	}
	if (p->n == URI_STEPS_MAX) {
		lyd_free_all(top);
		return fail_at(err, -EINVAL, p, p->n, NULL, "too deep");
	}
	path_below(p, node, &made);
	rc = place->insert != EDIT_NO_INSERT ? find_point(*tree, &made, place, NULL, &point, err) :
					       0;
	if (rc < 0) {
		lyd_free_all(top);
		return rc;
	}
	if (path_uri_of(node, res->uri, sizeof(res->uri)) < 0)
		res->uri[0] = '\0';
	res->created = true;
	rc = merge(tree, top, err);
	if (rc == 0 && place->insert != EDIT_NO_INSERT &&
	    path_find(*tree, &made, made.n, &node, err) == 0)
		move(tree, node, place->insert, point);
	return rc;
}

/* Where an entry of a list that users order stands, so that a new one can take its place. */
static struct lyd_node *take_out(struct lyd_node **tree, struct lyd_node *old)
{
	struct lyd_node *next = old->next != NULL && old->next->schema == old->schema &&
						lysc_is_userordered(old->schema) ?
					old->next :
					NULL;

	free_node(tree, old);
	return next;
}

static int put(const struct ly_ctx *ly, struct lyd_node **tree, const struct path *p,
	       enum edit_op op, const struct edit_place *place, const char *body, size_t len,
	       struct edit_result *res, struct ctrl_err *err)
{
	struct lyd_node *top, *node, *old = NULL, *point = NULL;
	const struct path_step *s = &p->step[p->n - 1];

	if (lysc_is_key(s->schema))
		return fail_at(err, -EINVAL, p, p->n, NULL, "a key cannot be changed");
	if ((s->schema->nodetype & (LYS_LIST | LYS_LEAFLIST)) != 0 && s->n_keys == 0)
		return fail_at(err, -EINVAL, p, p->n, NULL,
			       "an entry of this list is meant: name its key");
	int rc = op != EDIT_SET ? need_parents(*tree, p, p->n - 1, err) : 0;
	if (rc < 0)
		return rc;
	rc = path_find(*tree, p, p->n, &old, err);
	bool implied = s->schema->nodetype == LYS_CONTAINER &&
		       (s->schema->flags & LYS_PRESENCE) == 0;
	if (rc == -ENOENT && op == EDIT_MERGE && !implied)
		return fail_at(err, rc, p, p->n, NULL, "it is not there, so it cannot be patched");
	if (rc < 0 && rc != -ENOENT)
		return rc;
	res->created = rc == -ENOENT || (old->flags & LYD_DEFAULT) != 0;
	if (place->insert != EDIT_NO_INSERT) {
		rc = find_point(*tree, p, place, old, &point, err);
		if (rc < 0)
			return rc;
	}
	rc = read_body(ly, p, p->n - 1, body, len, &top, &node, err);
	if (rc < 0)
		return rc;
	if (!same_as_path(node, p)) {
		lyd_free_all(top);
		return fail_at(err, -EINVAL, p, p->n, NULL,
			       "the body is about another resource than the URI");
	}
	struct lyd_node *before = old != NULL && op == EDIT_REPLACE ? take_out(tree, old) : NULL;
	rc = merge(tree, top, err);
	if (rc < 0 || (before == NULL && place->insert == EDIT_NO_INSERT) ||
	    path_find(*tree, p, p->n, &node, err) < 0)
		return rc;
	if (place->insert != EDIT_NO_INSERT)
		move(tree, node, place->insert, point);
	else
		move(tree, node, EDIT_BEFORE, before);
	return 0;
}

static int del(struct lyd_node **tree, const struct path *p, struct ctrl_err *err)
{
	const struct path_step *s = &p->step[p->n - 1];
	struct lyd_node *node;

	if (lysc_is_key(s->schema))
		return fail_at(err, -EINVAL, p, p->n, NULL, "a key cannot be deleted");
	int rc = path_find(*tree, p, p->n, &node, err);
	if (rc == 0 && (node->flags & LYD_DEFAULT) != 0)
		rc = -ENOENT;
	if (rc == -ENOENT)
		return fail_at(err, rc, p, p->n, NULL, "it is not there");
	if (rc < 0)
		return rc;
	bool all = (s->schema->nodetype & (LYS_LIST | LYS_LEAFLIST)) != 0 && s->n_keys == 0;
	do {
		struct lyd_node *next = all ? (struct lyd_node *)cfg_next(node) : NULL;
		free_node(tree, node);
		node = next;
	} while (node != NULL);
	return 0;
}

static int check_config(const struct path *p, struct ctrl_err *err)
{
	for (unsigned i = 0; i < p->n; i++)
		if ((p->step[i].schema->flags & LYS_CONFIG_R) != 0) {
			err->tag = "invalid-value";
			return fail_at(err, -EOPNOTSUPP, p, i + 1, NULL,
				       "this is state, it cannot be configured");
		}
	return 0;
}

int edit_apply(const struct ly_ctx *ly, struct lyd_node **tree, const struct path *p,
	       enum edit_op op, const struct edit_place *place, const char *body, size_t len,
	       struct edit_result *res, struct ctrl_err *err)
{
	static const struct edit_place nowhere;

	*res = (struct edit_result){ 0 };
	if (place == NULL)
		place = &nowhere;
	int rc = check_config(p, err);
	if (rc < 0)
		return rc;
	if (op == EDIT_CREATE)
		return create(ly, tree, p, place, body, len, res, err);
	if (p->n == 0 && place->insert != EDIT_NO_INSERT)
		return ctrl_fail(err, -EINVAL, "'insert' is for entries of lists, not for all");
	if (p->n == 0)
		return edit_datastore(ly, tree, op, body, len, err);
	return op == EDIT_DELETE ? del(tree, p, err) :
				   put(ly, tree, p, op, place, body, len, res, err);
}

int edit_set_value(const struct ly_ctx *ly, struct lyd_node **tree, const struct path *p,
		   const char *value, struct ctrl_err *err)
{
	struct lyd_node *top = NULL, *at = NULL, *leaf;
	const struct lysc_node *s = p->n > 0 ? p->step[p->n - 1].schema : NULL;

	int rc = s == NULL ? ctrl_fail(err, -EINVAL, "which node?") : check_config(p, err);
	if (rc < 0)
		return rc;
	bool term = (s->nodetype & (LYS_LEAF | LYS_LEAFLIST)) != 0;
	if (term && value == NULL && p->step[p->n - 1].n_keys == 1)
		value = p->step[p->n - 1].key[0];
	if (lysc_is_key(s))
		return fail_at(err, -EINVAL, p, p->n, NULL, "a key cannot be changed");
	if (term != (value != NULL))
		return fail_at(err, -EINVAL, p, p->n, NULL,
			       term ? "a value is missing" : "no value belongs here");
	rc = path_build(p, term ? p->n - 1 : p->n, &top, &at, err);
	if (rc < 0)
		return rc;
	if (term) {
		if (lyd_new_term(at, s->module, s->name, value, 0, &leaf) != LY_SUCCESS) {
			const struct ly_err_item *e = ly_err_last(ly);
			lyd_free_all(top);
			return fail_at(err, -EINVAL, p, p->n, NULL,
				       e != NULL && e->msg != NULL ? e->msg : "value refused");
		}
		if (top == NULL)
			top = leaf;
	}
	return merge(tree, top, err);
}
