/* SPDX-License-Identifier: BSD-3-Clause
 * Domain of the node as a whole (heddle-system): settings, state of the processes, operations on configuration. */
#ifndef CTRL_SYSTEM_SYSTEM_H
#define CTRL_SYSTEM_SYSTEM_H

#include "ctrl/domains.h"

extern const struct ctrl_domain system_domain;

#endif
