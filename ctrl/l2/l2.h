/* SPDX-License-Identifier: BSD-3-Clause
 * Domain of ports and interfaces (heddle-interfaces). */
#ifndef CTRL_L2_L2_H
#define CTRL_L2_L2_H

#include "ctrl/domains.h"

extern const struct ctrl_domain l2_domain;
extern const struct ctrl_kind l2_kinds[];

/* Number of an interface of the configuration being compiled; 0 and err filled when it has none of that name. */
uint32_t l2_interface(struct compile *c, const char *name, const struct lyd_node *at);

#endif
