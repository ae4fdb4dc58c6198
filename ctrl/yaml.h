/* SPDX-License-Identifier: BSD-3-Clause
 * From a YAML (or JSON, which is read as YAML) text to a libyang data tree in which every node knows its line.
 * The schema is walked while converting, so an unknown name, a value of the wrong type or shape and a duplicate are
 * refused with their line and path.  Anchors, aliases, tags and several documents are refused: nothing can expand,
 * and memory stays within a small multiple of the text. */
#ifndef CTRL_YAML_H
#define CTRL_YAML_H

#include <libyang/libyang.h>
#include <stddef.h>

#include "ctrl/err.h"

#define YAML_TEXT_MAX  (64u << 20) /* octets of one text */
#define YAML_DEPTH_MAX 32u         /* levels of nesting */

/* Parse `text` (not NUL-terminated) into *ret, not yet validated.  An empty mapping gives NULL.
 *   err->file is kept; line, path and msg are filled on failure
 * Returns 0, -EINVAL (refused), -EFBIG (too large) or -ENOMEM. */
int yaml_to_tree(const struct ly_ctx *ctx, const char *text, size_t len, struct lyd_node **ret,
		 struct ctrl_err *err);

/* The same for the input of an RPC: {"module:input": {...}}, or nothing.  *ret: the RPC's node, not validated. */
int yaml_to_rpc(const struct lysc_node *rpc, const char *text, size_t len, struct lyd_node **ret,
		struct ctrl_err *err);

/* The members of a mapping as children of `parent` (the whole of them, which must be new), or with NULL as top-level
 * nodes: *ret is then the first of these.  wrap: name that may stand around all (RFC 8040: "ietf-restconf:data"), or
 * NULL. */
int yaml_to_children(const struct ly_ctx *ctx, struct lyd_node *parent, const char *wrap,
		     const char *text, size_t len, struct lyd_node **ret, struct ctrl_err *err);

/* Line a node came from; that of the nearest ancestor that has one for defaults; 0 if none. */
unsigned yaml_line(const struct lyd_node *node);

/* Fill err from what libyang last said about `tree`, with the line of the node it names.  Returns -EINVAL. */
int yaml_yang_error(const struct ly_ctx *ctx, const struct lyd_node *tree, struct ctrl_err *err);

#endif
