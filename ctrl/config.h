/* SPDX-License-Identifier: BSD-3-Clause
 * A configuration: text -> data tree -> validated -> object set.  Nothing here touches what is running. */
#ifndef CTRL_CONFIG_H
#define CTRL_CONFIG_H

#include <libyang/libyang.h>
#include <stdbool.h>

#include "ctrl/domains.h"

struct config {
	struct lyd_node *tree; /* NULL: empty */
	char *json;            /* RFC 7951 text of the tree, as it was validated */
	struct objset set;     /* filled by config_compile() */
	char source[256];      /* file name for errors and `show version` */
};

/* YANG context with the modules of all domains.  dir NULL: searched beside the executable, then where it was
 * installed.  NULL on failure, with err filled. */
struct ly_ctx *config_yang(const char *dir, struct ctrl_err *err);

/* Parse and validate a text.  source: its name.  0 and *ret, or -Exxx with err filled. */
int config_parse(const struct ly_ctx *ly, const char *text, size_t len, const char *source,
		 struct config **ret, struct ctrl_err *err);
/* From a tree, which passes, also on failure: validated here. */
int config_from_tree(const struct ly_ctx *ly, struct lyd_node *tree, const char *source,
		     struct config **ret, struct ctrl_err *err);
/* The same for a file. */
int config_read(const struct ly_ctx *ly, const char *path, struct config **ret,
		struct ctrl_err *err);

/* What a configuration means: *ret, on success, is sorted and to be finished.  Marks the ids in use.  stats may be
 * NULL.  0, or -Exxx with err filled.  Any thread, as long as nobody else changes cfg or uses ids. */
int config_objects(const struct config *cfg, struct ids *ids, const struct hd_stats_hdr *stats,
		   struct objset *ret, struct ctrl_err *err);
/* The same into cfg->set. */
int config_compile(struct config *cfg, struct ids *ids, const struct hd_stats_hdr *stats,
		   struct ctrl_err *err);

/* RFC 7951 JSON of the tree; the caller frees it.  NULL when memory is out. */
char *config_json(const struct config *cfg);
/* The same for one node (options: LYD_PRINT_*). */
char *config_node_json(const struct lyd_node *node, uint32_t options);
/* The same for people to see: without leaves named "secret", which can be written and never read. */
char *config_shown_json(const struct lyd_node *node, uint32_t options);
bool config_is_secret(const struct lyd_node *node);
/* Is there one in this tree, siblings included?  NULL is a tree without any. */
bool config_has_secret(const struct lyd_node *tree);

void config_destroy(struct config *cfg);

#endif
