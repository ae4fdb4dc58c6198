/* SPDX-License-Identifier: BSD-3-Clause
 * Domain of SRv6: SIDs, policies, encapsulation (heddle-srv6). */
#ifndef CTRL_SRV6_SRV6_H
#define CTRL_SRV6_SRV6_H

#include "ctrl/domains.h"

extern const struct ctrl_domain srv6_domain;

/* Number of a policy of the configuration being compiled.  *ret_id 0: it is invalid and leaves the forwarding plane,
 * and with it whatever steers into it (RFC 9256 section 8.1).  -EINVAL with err filled when there is none. */
int srv6_policy(struct compile *c, const char *name, const struct lyd_node *at, uint32_t *ret_id);

/* The same in a form of its own: the number of an object like the policy's but with encapsulation `encap` (enum
 * hd_srv6_encap), made when it is needed.  Call it once the policies are compiled. */
int srv6_policy_encap(struct compile *c, const char *name, const struct lyd_node *at, uint8_t encap,
		      uint32_t *ret_id);

#endif
