/* SPDX-License-Identifier: BSD-3-Clause
 * What the files of this folder share. */
#ifndef CTRL_SRV6_SRV6_PRIVATE_H
#define CTRL_SRV6_SRV6_PRIVATE_H

#include "ctrl/srv6/srv6.h"

enum { SRV6_KIND_CONF, SRV6_KIND_SEGLIST, SRV6_KIND_POLICY, SRV6_KIND_SID };
extern const struct ctrl_kind srv6_kinds[];

int srv6_compile(struct compile *c);
void srv6_sid_state(struct ctrl *c, struct http_req *req);
void srv6_policy_state(struct ctrl *c, struct http_req *req);

#endif
