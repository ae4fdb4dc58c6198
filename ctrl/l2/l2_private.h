/* SPDX-License-Identifier: BSD-3-Clause
 * What the files of this folder share. */
#ifndef CTRL_L2_L2_PRIVATE_H
#define CTRL_L2_L2_PRIVATE_H

#include "ctrl/l2/l2.h"

enum { L2_KIND_PORT, L2_KIND_IFACE };

int l2_compile(struct compile *c);
void l2_interface_state(struct ctrl *c, struct http_req *req);

#endif
