/* SPDX-License-Identifier: BSD-3-Clause
 * What the files of this folder share. */
#ifndef CTRL_SRV6_SRV6_PRIVATE_H
#define CTRL_SRV6_SRV6_PRIVATE_H

#include "ctrl/srv6/srv6.h"

enum { SRV6_KIND_CONF, SRV6_KIND_SEGLIST, SRV6_KIND_POLICY, SRV6_KIND_SID };
extern const struct ctrl_kind srv6_kinds[];

/* Headend. */
int srv6_compile_policies(struct compile *c, const struct lyd_node *srv6);
void srv6_describe_conf(const void *body, char *buf, size_t size);
void srv6_describe_seglist(const void *body, char *buf, size_t size);
void srv6_describe_policy(const void *body, char *buf, size_t size);
void srv6_policy_state(struct ctrl *c, struct http_req *req);

/* Endpoint. */
int srv6_compile_sids(struct compile *c, const struct lyd_node *srv6);
void srv6_describe_sid(const void *body, char *buf, size_t size);
void srv6_sid_state(struct ctrl *c, struct http_req *req);

#endif
