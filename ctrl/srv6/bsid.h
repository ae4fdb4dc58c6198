/* SPDX-License-Identifier: BSD-3-Clause
 * Binding SIDs: which one a policy has, and whether the one it wants is to be had.  RFC 9256 section 6. */
#ifndef CTRL_SRV6_BSID_H
#define CTRL_SRV6_BSID_H

#include "ctrl/srv6/path.h"

/* Who uses which address of a configuration: made once, asked for each policy.  NULL: out of memory. */
struct srv6_bsids *srv6_bsids_read(const struct lyd_node *tree);
void srv6_bsids_free(struct srv6_bsids *b);

/* The binding SID that a path of the policy specifies, its own or the policy's; NULL: none. */
const struct lyd_node *srv6_bsid_specified(const struct lyd_node *policy,
					   const struct lyd_node *path);
/* Is what the leaf specifies available to the policy (section 6.2)?  If not, ret_why says who has it. */
#define SRV6_BSID_WHY 160u
bool srv6_bsid_available(const struct srv6_bsids *b, const struct lyd_node *policy,
			 const struct lyd_node *leaf, char ret_why[SRV6_BSID_WHY]);

struct srv6_bsid {
	const struct lyd_node *leaf;    /* specified and available; NULL: not */
	const struct lyd_node *locator; /* else one is bound from this locator; NULL: none at all */
	char problem[SRV6_BSID_WHY];    /* what an operator is to be told; "": nothing */
};
/* Of a policy whose paths have been read. */
void srv6_bsid_choose(const struct srv6_bsids *b, const struct lyd_node *policy,
		      const struct srv6_paths *paths, struct srv6_bsid *ret);
/* Under which name the function of a bound one is kept; returns buf. */
const char *srv6_bsid_key(const struct lyd_node *policy, const struct lyd_node *locator, char *buf,
			  size_t size);

/* Tell of problems that are new in the running configuration: log and notification. */
void srv6_bsid_tell(struct ctrl *c);

#endif
