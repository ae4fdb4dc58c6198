/* SPDX-License-Identifier: BSD-3-Clause
 * Classifiers: ordered 5-tuple rules with DSCP, compiled by librte_acl into one trie per family.
 * Writer: the control thread takes the rules; a thread of its own compiles a changed classifier, which takes seconds
 * for ten thousands of rules, and srv6_classifier_tick() swaps the result in (RCU).  Until then the old rules hold, as
 * a whole: matches and actions change with one pointer.  Readers: workers, without locks.
 * Memory: about 1.2 KiB of EAL memory per rule, twice while a classifier is rebuilt. */
#ifndef PIPELINES_SRV6_CLASSIFIER_H
#define PIPELINES_SRV6_CLASSIFIER_H

#include <stdbool.h>

#include "dataplane/stats.h"
#include "dataplane/tables/slots.h"
#include "heddle/api/srv6.h"

struct rte_acl_ctx;
struct srv6_tries;

/* What the rules of a family are compared with; network order, as librte_acl wants it. */
struct srv6_class_key {
	uint8_t proto, pad[3];
	uint8_t src[16], dst[16]; /* IPv4: the first 4 octets of each; see srv6_class_key4 */
	uint8_t sport[2], dport[2];
	uint8_t bits[4]; /* big-endian: DSCP, and SRV6_CLASS_PORTS */
};
static_assert(sizeof(struct srv6_class_key) == 44, "no padding, whole words");
struct srv6_class_key4 {
	uint8_t proto, pad[3];
	uint8_t src[4], dst[4];
	uint8_t sport[2], dport[2];
	uint8_t bits[4];
};
static_assert(sizeof(struct srv6_class_key4) == 20, "no padding, whole words");
#define SRV6_CLASS_PORTS 0x100u /* the packet has ports, and they are in the key */

/* Key of an IP packet; head: octets readable at ip.  What cannot be read is zero: a broken packet matches rules about
 * its addresses at most, and ip-input judges it.  False: not even a header.  Pure. */
bool srv6_class_key4_make(const uint8_t *ip, uint32_t head, struct srv6_class_key4 *ret);
bool srv6_class_key_make(const uint8_t *ip, uint32_t head, struct srv6_class_key *ret);

/* What a match leads to. */
struct srv6_rule {
	uint32_t rule_id;
	uint8_t action; /* enum hd_srv6_rule_action */
	uint32_t policy_id;
};

/* Immutable once published. */
struct srv6_classifier {
	struct rte_acl_ctx *ctx[2]; /* [0] IPv4, [1] IPv6; NULL: no rules */
	struct srv6_tries *tries;   /* that they are part of */
	uint32_t n;
	struct srv6_rule rule[]; /* by result of rte_acl_classify() - 1 */
};
extern struct slots *srv6_classifiers; /* by acl_id */

/* The rule of a non-zero result. */
static inline const struct srv6_rule *srv6_rule_get(const struct srv6_classifier *c,
						    uint32_t result)
{
	return &c->rule[result - 1];
}

struct srv6_rule_count {
	uint64_t packets, octets;
};
extern struct srv6_rule_count *srv6_rule_counts[STATS_SLICES_MAX];

int srv6_classifier_init(void);
void srv6_classifier_fini(void);
void srv6_classifier_tick(
	void); /* control thread: publish what was compiled, compile what changed */
bool srv6_classifier_busy(void); /* something is not compiled yet; tests wait for it */

#endif
