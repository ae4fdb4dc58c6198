/* SPDX-License-Identifier: BSD-3-Clause
 * Compiled matches of a classifier; what a match leads to is classifier.h's. */
#ifndef PIPELINES_SRV6_CLASS_COMPILE_H
#define PIPELINES_SRV6_CLASS_COMPILE_H

#include <stdint.h>

#include "heddle/api/srv6.h"

struct rte_acl_ctx;

struct srv6_tries {
	struct rte_acl_ctx *ctx[2]; /* [0] IPv4, [1] IPv6; NULL: no rules */
	unsigned users;             /* classifiers that were made with it: the control thread's */
};

/* Compile n rules; a match of rule[i] gives i + 1, the lowest seq first.  turn: a number not used before.  Returns 0 or
 * -ENOMEM, -EINVAL from librte_acl. */
int srv6_class_compile(const struct hd_api_srv6_rule *rule, uint32_t n, uint32_t turn,
		       struct srv6_tries **ret);
void srv6_tries_free(struct srv6_tries *t); /* takes NULL */

#endif
