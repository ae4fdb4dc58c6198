/* SPDX-License-Identifier: BSD-3-Clause
 * Domain of ports and interfaces (heddle-interfaces). */
#ifndef CTRL_L2_L2_H
#define CTRL_L2_L2_H

#include "ctrl/domains.h"

extern const struct ctrl_domain l2_domain;
extern const struct ctrl_kind l2_kinds[];

/* Number of an interface of the configuration being compiled; 0 and err filled when it has none of that name. */
uint32_t l2_interface(struct compile *c, const char *name, const struct lyd_node *at);
/* The same for a bridge and a VLAN table (heddle-bridge). */
uint32_t l2_bridge(struct compile *c, const char *name, const struct lyd_node *at);
uint32_t l2_vlan_table(struct compile *c, const char *name, const struct lyd_node *at);

/* heddle-bridge, once interfaces and policies are compiled. */
int l2_bridge_compile(struct compile *c);

#endif
