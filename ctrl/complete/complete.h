/* SPDX-License-Identifier: BSD-3-Clause
 * Domain of completion (heddle-complete): what a command line may offer where a configuration path is typed. */
#ifndef CTRL_COMPLETE_COMPLETE_H
#define CTRL_COMPLETE_COMPLETE_H

#include "ctrl/domains.h"

extern const struct ctrl_domain complete_domain;

/* {"candidate": [{text, what}], "hint": ...} for the word behind words; tree: what is configured, or NULL. */
struct json_object;
struct json_object *complete_path(const struct ly_ctx *ly, const struct lyd_node *tree,
				  const char *const *word, unsigned n, const char *start);

#endif
