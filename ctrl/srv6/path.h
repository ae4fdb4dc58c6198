/* SPDX-License-Identifier: BSD-3-Clause
 * Candidate paths of a policy and which of them carries the traffic.  RFC 9256 sections 2 and 5. */
#ifndef CTRL_SRV6_PATH_H
#define CTRL_SRV6_PATH_H

#include "ctrl/domains.h"
#include "heddle/api/srv6.h"

#define SRV6_SIDS_MAX 64u

/* A weighted segment list. */
struct srv6_list {
	char id_name[100]; /* under which its number is kept */
	char name[72];
	uint32_t weight, seglist_id; /* 0: it has none */
	const struct lyd_node *node;
	bool valid;
	char reason[160]; /* why not */
	unsigned n_sids, n_out;
	uint8_t sid[SRV6_SIDS_MAX][16];    /* as configured, in the order of travel */
	uint8_t out[HD_SRV6_SEGS_MAX][16]; /* what is pushed: compressed */
};

struct srv6_path {
	const char *name;
	const struct lyd_node *node; /* NULL: the only path of a policy without candidate paths */
	uint32_t preference;
	uint8_t origin;         /* protocol-origin, RFC 9256 section 2.3 */
	uint8_t originator[20]; /* AS number, node address: section 2.4 */
	uint32_t discriminator;
	bool composite;
	bool valid;
	char reason[160]; /* why not */
	struct srv6_list *list;
	unsigned n_lists;
};

struct srv6_paths {
	struct srv6_path *path; /* the best first */
	unsigned n;
	const struct srv6_path *active; /* NULL: the policy is invalid */
};

/* Which of two paths is preferred, both valid: < 0 the first (RFC 9256 section 2.9). */
int srv6_path_cmp(const struct srv6_path *a, const struct srv6_path *b);
/* Order the paths and choose the active one. */
void srv6_paths_choose(struct srv6_paths *p);

/* Read a policy's paths.  tree: configuration; ids: numbers of lists are looked up; with `give`, given.
 * extra: a SID behind every list (a service SID), or NULL.  Returns 0, -ENOMEM, or -EINVAL: *ret_bad is the node that
 * is wrong and ret_why (200 octets) says how. */
struct srv6_bsids;
struct srv6_read {
	const struct lyd_node *tree;
	struct ids *ids;
	bool give;
	const uint8_t *extra;
	const struct srv6_bsids *bsids; /* who has which binding SID (bsid.h) */
	const struct lyd_node *bad;
	char why[200];
};
int srv6_paths_read(struct srv6_read *r, const struct lyd_node *policy, struct srv6_paths *ret);
void srv6_paths_free(struct srv6_paths *p);

/* A policy of the configuration by name, or NULL. */
const struct lyd_node *srv6_policy_node(const struct lyd_node *tree, const char *name);

#endif
