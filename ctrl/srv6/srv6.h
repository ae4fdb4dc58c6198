/* SPDX-License-Identifier: BSD-3-Clause
 * Domain of SRv6: SIDs, policies, encapsulation (heddle-srv6). */
#ifndef CTRL_SRV6_SRV6_H
#define CTRL_SRV6_SRV6_H

#include "ctrl/domains.h"

extern const struct ctrl_domain srv6_domain;

/* Number of a policy of the configuration being compiled.  *ret_id 0: it is invalid and leaves the forwarding plane,
 * and with it whatever steers into it (RFC 9256 section 8.1).  -EINVAL with err filled when there is none. */
int srv6_policy(struct compile *c, const char *name, const struct lyd_node *at, uint32_t *ret_id);
/* The same of any policy. */
int srv6_any_policy(struct compile *c, const char *name, const struct lyd_node *at,
		    uint32_t *ret_id);
/* The same of a policy for Ethernet frames (h-encaps-l2, h-encaps-l2-red). */
int srv6_l2_policy(struct compile *c, const char *name, const struct lyd_node *at,
		   uint32_t *ret_id);
/* A policy with a service SID behind each of its lists (RFC 9256 section 8.4: <S1, S2, S3, V>). */
int srv6_policy_service(struct compile *c, const char *name, const struct lyd_node *at,
			const uint8_t sid[16], uint32_t *ret_id);
/* The policy for a route of this color whose next hop is `endpoint` (RFC 9256 sections 8.4.1, 8.8.1).  color_only: the
 * type of the color-only bits, 0 to 2.  *ret_id 0: none is usable, the route keeps its next hop. */
int srv6_policy_by_color(struct compile *c, const struct lyd_node *at, uint32_t color,
			 uint8_t family, const uint8_t *endpoint, unsigned color_only,
			 const char **ret_name, uint32_t *ret_id);

/* Hooks of the data plane client: which segment lists have no way out, all of them and one by one. */
struct hd_api_event;
void srv6_dp_up(struct ctrl *c);
void srv6_seglist_event(struct ctrl *c, const struct hd_api_event *ev);

/* What heddle-srv6 adds to an interface: flags of IFACE, and the policy of its frames. */
struct hd_api_iface;
int srv6_interface(struct compile *c, const char *name, struct hd_api_iface *iface);

/* After a compilation, failed or not: give back what it remembered about policies. */
void srv6_compile_end(struct compile *c);

/* The same in a form of its own: the number of an object like the policy's but with encapsulation `encap` (enum
 * hd_srv6_encap), made when it is needed.  Call it once the policies are compiled. */
int srv6_policy_encap(struct compile *c, const char *name, const struct lyd_node *at, uint8_t encap,
		      uint32_t *ret_id);

#endif
