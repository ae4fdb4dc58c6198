/* SPDX-License-Identifier: BSD-3-Clause
 * Reading a validated configuration tree by names.  A name is found among the children of `node`; modules do not
 * matter, since no two of ours give siblings the same name.  Values are those of the model, defaults included. */
#ifndef CTRL_CFG_H
#define CTRL_CFG_H

#include <libyang/libyang.h>
#include <stdbool.h>
#include <stdint.h>

/* First child with this name, or NULL; node may be NULL.  For a list or leaf-list: its first instance. */
const struct lyd_node *cfg_child(const struct lyd_node *node, const char *name);
/* Next instance of the same list or leaf-list, or NULL. */
const struct lyd_node *cfg_next(const struct lyd_node *node);
/* Top-level node by name, or NULL; tree: any of the top-level siblings, or NULL. */
const struct lyd_node *cfg_top(const struct lyd_node *tree, const char *name);

#define cfg_foreach(it, node, name) \
	for (const struct lyd_node *it = cfg_child(node, name); it != NULL; it = cfg_next(it))

/* Canonical text of a leaf child, or NULL. */
const char *cfg_str(const struct lyd_node *node, const char *name);
/* Unsigned value of a leaf child, or `none` when absent. */
uint32_t cfg_u32(const struct lyd_node *node, const char *name, uint32_t none);
bool cfg_bool(const struct lyd_node *node, const char *name, bool none);
/* Numeric value of an enumeration leaf child, or `none` when absent. */
int cfg_enum(const struct lyd_node *node, const char *name, int none);
/* Bit-or of the numeric values of an enumeration leaf-list. */
uint32_t cfg_enum_mask(const struct lyd_node *node, const char *name);

/* "10.0.0.1", "2001:db8::1": 16 octets, IPv4 in the first 4.  Returns the family, 4 or 6, or 0. */
uint8_t cfg_addr(const char *text, uint8_t addr[16]);
/* "10.0.0.0/8": as above, with the length of the prefix. */
uint8_t cfg_prefix(const char *text, uint8_t addr[16], uint8_t *plen);
/* "02:00:00:00:00:01"; false if it is none. */
bool cfg_mac(const char *text, uint8_t mac[6]);
/* A secret: characters, or "0x..".  Returns octets, or 0 when they do not fit or are no hexadecimal digits. */
size_t cfg_secret(const char *text, uint8_t *buf, size_t size);

#endif
