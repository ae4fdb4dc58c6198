/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/config.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctrl/file.h"
#include "ctrl/srv6/srv6.h"
#include "ctrl/yaml.h"

static bool has_modules(const char *dir)
{
	char path[PATH_MAX + 128];

	snprintf(path, sizeof(path), "%s/heddle-types.yang", dir);
	return access(path, R_OK) == 0;
}

/* Where the YANG modules are: beside the executable (build tree), in the tree it is staged in, where installed. */
static const char *find_modules(char *buf, size_t size)
{
	static const char *const beside[] = { "yang", "../yang", "../share/heddle/yang" };
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (n > 0) {
		exe[n] = '\0';
		const char *dir = dirname(exe);
		for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
			snprintf(buf, size, "%s/%s", dir, beside[i]);
			if (has_modules(buf))
				return buf;
		}
	}
	return HEDDLE_YANG_DIR;
}

struct ly_ctx *config_yang(const char *dir, struct ctrl_err *err)
{
	char found[PATH_MAX + 64];
	struct ly_ctx *ly = NULL;

	ly_log_options(LY_LOSTORE_LAST);
	if (dir == NULL)
		dir = find_modules(found, sizeof(found));
	if (!has_modules(dir)) {
		ctrl_fail(err, 0, "no YANG modules in %.200s: give their directory with --yang-dir",
			  dir);
		return NULL;
	}
	if (ly_ctx_new(dir, LY_CTX_DISABLE_SEARCHDIR_CWD, &ly) != LY_SUCCESS) {
		ctrl_fail(err, 0, "libyang does not start with %.200s", dir);
		return NULL;
	}
	for (size_t i = 0; domains[i] != NULL; i++)
		for (const char *const *m = domains[i]->modules; *m != NULL; m++)
			if (ly_ctx_load_module(ly, *m, NULL, NULL) == NULL) {
				const struct ly_err_item *e = ly_err_last(ly);
				ctrl_fail(err, 0, "YANG module %s in %.200s: %s", *m, dir,
					  e != NULL && e->msg != NULL ? e->msg : "does not load");
				ly_ctx_destroy(ly);
				return NULL;
			}
	return ly;
}

int config_from_tree(const struct ly_ctx *ly, struct lyd_node *tree, const char *source,
		     struct config **ret, struct ctrl_err *err)
{
	struct config *cfg = calloc(1, sizeof(*cfg));

	if (cfg == NULL) {
		lyd_free_all(tree);
		return ctrl_fail(err, -ENOMEM, "out of memory");
	}
	objset_init(&cfg->set);
	snprintf(cfg->source, sizeof(cfg->source), "%s", source);
	cfg->tree = tree;
	if (lyd_validate_all(&cfg->tree, ly, LYD_VALIDATE_NO_STATE, NULL) != LY_SUCCESS) {
		int rc = yaml_yang_error(ly, cfg->tree, err);
		config_destroy(cfg);
		return rc;
	}
	cfg->json = config_json(cfg);
	if (cfg->json == NULL) {
		config_destroy(cfg);
		return ctrl_fail(err, -ENOMEM, "out of memory");
	}
	*ret = cfg;
	return 0;
}

int config_parse(const struct ly_ctx *ly, const char *text, size_t len, const char *source,
		 struct config **ret, struct ctrl_err *err)
{
	struct lyd_node *tree = NULL;

	*err = (struct ctrl_err){ 0 };
	snprintf(err->file, sizeof(err->file), "%s", source);
	int rc = yaml_to_tree(ly, text, len, &tree, err);
	return rc < 0 ? rc : config_from_tree(ly, tree, source, ret, err);
}

int config_read(const struct ly_ctx *ly, const char *path, struct config **ret,
		struct ctrl_err *err)
{
	char *text;
	size_t len;

	int rc = file_read(path, YAML_TEXT_MAX, &text, &len);
	if (rc < 0) {
		*err = (struct ctrl_err){ 0 };
		snprintf(err->file, sizeof(err->file), "%s", path);
		if (rc == -EFBIG)
			return ctrl_fail(err, rc, "larger than %u MB", YAML_TEXT_MAX >> 20);
		return ctrl_fail(err, rc, "cannot be read: %s", strerror(-rc));
	}
	rc = config_parse(ly, text, len, path, ret, err);
	free(text);
	return rc;
}

int config_objects(const struct config *cfg, struct ids *ids, const struct hd_stats_hdr *stats,
		   struct objset *ret, struct ctrl_err *err)
{
	const struct object *a, *b;
	struct objset set;
	struct compile c = {
		.tree = cfg->tree, .ids = ids, .stats = stats, .set = &set, .err = err
	};
	int rc = 0;

	*err = (struct ctrl_err){ 0 };
	snprintf(err->file, sizeof(err->file), "%s", cfg->source);
	objset_init(&set);
	ids_unmark(ids);
	for (size_t i = 0; rc == 0 && domains[i] != NULL; i++)
		if (domains[i]->compile != NULL)
			rc = domains[i]->compile(&c);
	srv6_compile_end(&c);
	if (rc == 0 && objset_sort(&set, &a, &b) < 0) {
		const struct lyd_node *first = a->origin, *second = b->origin;
		if (yaml_line(first) > yaml_line(second))
			first = b->origin, second = a->origin;
		rc = compile_fail(&c, second, "the same %s as line %u says, with other values",
				  a->kind->name, yaml_line(first));
	}
	if (rc < 0) {
		objset_fini(&set);
		return rc;
	}
	*ret = set;
	return 0;
}

int config_compile(struct config *cfg, struct ids *ids, const struct hd_stats_hdr *stats,
		   struct ctrl_err *err)
{
	struct objset set;

	int rc = config_objects(cfg, ids, stats, &set, err);
	if (rc < 0)
		return rc;
	objset_fini(&cfg->set);
	cfg->set = set;
	return 0;
}

/* lyd_print_mem() reallocates at every write, which is quadratic where realloc() copies. */
struct growing {
	char *text;
	size_t len, cap;
};

static ssize_t grow(void *arg, const void *data, size_t len)
{
	struct growing *g = arg;

	if (g->len + len + 1 > g->cap) {
		size_t cap = g->cap != 0 ? g->cap * 2 : 4096;
		while (cap < g->len + len + 1)
			cap *= 2;
		char *text = realloc(g->text, cap);
		if (text == NULL)
			return -1;
		g->text = text;
		g->cap = cap;
	}
	memcpy(g->text + g->len, data, len);
	g->len += len;
	g->text[g->len] = '\0';
	return (ssize_t)len;
}

char *config_node_json(const struct lyd_node *node, uint32_t options)
{
	struct growing g = { 0 };

	if (lyd_print_clb(grow, &g, node, LYD_JSON, options) == LY_SUCCESS)
		return g.text;
	free(g.text);
	return NULL;
}

bool config_is_secret(const struct lyd_node *node)
{
	return node->schema != NULL && node->schema->nodetype == LYS_LEAF &&
	       strcmp(node->schema->name, "secret") == 0;
}

/* Any secret in a tree?  Cuts it out when asked; *node may become NULL. */
static bool find_secrets(struct lyd_node **node, bool siblings, bool cut)
{
	struct lyd_node *at = *node, *next, *child;
	bool any = false;

	for (; at != NULL; at = next) {
		next = siblings ? at->next : NULL;
		if (config_is_secret(at)) {
			any = true;
			if (!cut)
				continue;
			if (at == *node)
				*node = next;
			lyd_free_tree(at);
			continue;
		}
		child = lyd_child(at);
		any |= child != NULL && find_secrets(&child, true, cut);
	}
	return any;
}

bool config_has_secret(const struct lyd_node *tree)
{
	struct lyd_node *look = (struct lyd_node *)(uintptr_t)tree;

	return find_secrets(&look, true, false);
}

char *config_shown_json(const struct lyd_node *node, uint32_t options)
{
	bool siblings = (options & LYD_PRINT_WITHSIBLINGS) != 0;
	struct lyd_node *look = (struct lyd_node *)(uintptr_t)node, *copy = NULL;
	char *text;

	if (!find_secrets(&look, siblings, false))
		return config_node_json(node, options);
	if ((siblings ? lyd_dup_siblings(node, NULL, LYD_DUP_RECURSIVE, &copy) :
			lyd_dup_single(node, NULL, LYD_DUP_RECURSIVE, &copy)) != LY_SUCCESS)
		return NULL;
	find_secrets(&copy, siblings, true);
	text = copy != NULL ? config_node_json(copy, options) : strdup("{}\n");
	lyd_free_siblings(copy);
	return text;
}

char *config_json(const struct config *cfg)
{
	if (cfg->tree == NULL)
		return strdup("{}\n");
	return config_node_json(cfg->tree, LYD_PRINT_WITHSIBLINGS);
}

void config_destroy(struct config *cfg)
{
	if (cfg == NULL)
		return;
	objset_fini(&cfg->set);
	lyd_free_all(cfg->tree);
	free(cfg->json);
	free(cfg);
}
