/* SPDX-License-Identifier: BSD-3-Clause
 * Domain of VRFs, static routes and neighbours (heddle-ip), and what other domains need of it. */
#ifndef CTRL_IP_IP_H
#define CTRL_IP_IP_H

#include <stdbool.h>

#include "ctrl/domains.h"

extern const struct ctrl_domain ip_domain;

enum { IP_KIND_VRF, IP_KIND_ADDR, IP_KIND_NEXTHOP, IP_KIND_NHGROUP, IP_KIND_ROUTE, IP_KIND_NEIGH };
extern const struct ctrl_kind ip_kinds[];

bool ip_is_unicast(uint8_t family, const uint8_t addr[16]);

/* "10.0.0.1" or "2001:db8::1" into buf; returns buf. */
const char *ip_text(uint8_t family, const uint8_t addr[16], char *buf, size_t size);

/* Number of a configured VRF by name; NULL: the default VRF, 0. */
uint32_t ip_vrf(struct compile *c, const char *name);
/* Name of a VRF by number: "default" for 0, "?" when unknown. */
const char *ip_vrf_name(const struct ids *ids, uint32_t vrf_id);

/* The next-hop list of `node` as one target: a NEXTHOP, or an NHGROUP when there are several.  Equal next hops and
 * equal groups are one object each.  family: of packets, for next hops without an address.
 * Returns 0, or -Exxx with err filled. */
int ip_next_hops(struct compile *c, const struct lyd_node *node, uint8_t family,
		 uint32_t *ret_target, uint32_t *ret_id);

/* A target in words: "via 10.0.0.1 eth0", "10.0.0.1 eth0 weight 2, ...", "policy blue".  Looks objects up in `set`. */
void ip_target_text(const struct objset *set, const struct ids *ids, uint32_t target, uint32_t id,
		    char *buf, size_t size);

#endif
