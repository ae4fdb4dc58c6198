/* SPDX-License-Identifier: BSD-3-Clause
 * What the files of this folder share. */
#ifndef CTRL_L2_L2_PRIVATE_H
#define CTRL_L2_L2_PRIVATE_H

#include "ctrl/l2/l2.h"

enum {
	L2_KIND_PORT,
	L2_KIND_IFACE,
	L2_KIND_XDP_RULE,
	L2_KIND_BRIDGE,
	L2_KIND_BRIDGE_PORT,
	L2_KIND_BRIDGE_MAC,
	L2_KIND_VLAN_ENTRY,
};

int l2_compile(struct compile *c);
/* Steering rules of a port, if it has any: steering.c. */
int l2_compile_steering(struct compile *c, const struct lyd_node *port, uint32_t port_id);
void l2_describe_rule(const void *body, char *buf, size_t size);
void l2_steering_state(struct ctrl *c, struct http_req *req);
void l2_interface_state(struct ctrl *c, struct http_req *req);

void l2_describe_bridge(const void *body, char *buf, size_t size);
void l2_describe_bridge_port(const void *body, char *buf, size_t size);
void l2_describe_bridge_mac(const void *body, char *buf, size_t size);
void l2_describe_vlan_entry(const void *body, char *buf, size_t size);
void l2_bridge_state(struct ctrl *c, struct http_req *req);

#endif
