/* SPDX-License-Identifier: BSD-3-Clause
 * Classifiers: object kind SRV6_RULE, compilation beside the packet path, publication.
 * The control thread owns all that is here but struct build while its thread runs. */
#include "pipelines/srv6/classifier.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_acl.h>

#include "dataplane/log.h"
#include "dataplane/objects.h"
#include "dataplane/stats.h"
#include "heddle/wire/wire.h"
#include "pipelines/srv6/policy.h"

struct slots *srv6_classifiers;
struct slots *srv6_rules;
struct srv6_rule_count *srv6_rule_counts[STATS_SLICES_MAX];

/* What the owner said, by rule_id; rules of one classifier are chained. */
struct held {
	struct hd_api_srv6_rule msg;
	uint32_t prev, next; /* rule_id + 1; 0: none */
};
static struct held **held;
static struct acl {
	uint32_t first, n; /* rule_id + 1 of a rule; their number */
	bool dirty;
} * acls; /* by acl_id */
static uint32_t n_dirty;

/* Row of statistics vector "classifier", by acl_id; the control thread's. */
struct gauge {
	uint64_t rules, rebuilds, failures, pending;
};
static struct gauge *gauges;

/* ---- compilation ----------------------------------------------------------------------------------------------- */

enum { F_PROTO, F_SRC, F4_DST = F_SRC + 1, F4_SPORT, F4_DPORT, F4_BITS, F4_N };
enum { F6_DST = F_SRC + 4, F6_SPORT = F6_DST + 4, F6_DPORT, F6_BITS, F6_N };
RTE_ACL_RULE_DEF(rule4, F4_N);
RTE_ACL_RULE_DEF(rule6, F6_N);

#define FIELD(index, kind, octets, word, at)           \
	[index] = { .type = RTE_ACL_FIELD_TYPE_##kind, \
		    .size = (octets),                  \
		    .field_index = (index),            \
		    .input_index = (word),             \
		    .offset = (uint32_t)(at) }
#define AT4(field) offsetof(struct srv6_class_key4, field)
#define AT6(field) offsetof(struct srv6_class_key, field)

static const struct rte_acl_field_def fields4[F4_N] = {
	FIELD(F_PROTO, BITMASK, 1, 0, AT4(proto)), FIELD(F_SRC, MASK, 4, 1, AT4(src)),
	FIELD(F4_DST, MASK, 4, 2, AT4(dst)),       FIELD(F4_SPORT, RANGE, 2, 3, AT4(sport)),
	FIELD(F4_DPORT, RANGE, 2, 3, AT4(dport)),  FIELD(F4_BITS, BITMASK, 4, 4, AT4(bits)),
};
static const struct rte_acl_field_def fields6[F6_N] = {
	FIELD(F_PROTO, BITMASK, 1, 0, AT6(proto)),    FIELD(F_SRC, MASK, 4, 1, AT6(src)),
	FIELD(F_SRC + 1, MASK, 4, 2, AT6(src) + 4),   FIELD(F_SRC + 2, MASK, 4, 3, AT6(src) + 8),
	FIELD(F_SRC + 3, MASK, 4, 4, AT6(src) + 12),  FIELD(F6_DST, MASK, 4, 5, AT6(dst)),
	FIELD(F6_DST + 1, MASK, 4, 6, AT6(dst) + 4),  FIELD(F6_DST + 2, MASK, 4, 7, AT6(dst) + 8),
	FIELD(F6_DST + 3, MASK, 4, 8, AT6(dst) + 12), FIELD(F6_SPORT, RANGE, 2, 9, AT6(sport)),
	FIELD(F6_DPORT, RANGE, 2, 9, AT6(dport)),     FIELD(F6_BITS, BITMASK, 4, 10, AT6(bits)),
};

static void field_prefix(struct rte_acl_field *f, unsigned n_words, const uint8_t *prefix,
			 unsigned plen)
{
	for (unsigned i = 0; i < n_words; i++) {
		unsigned bits = plen > i * 32 ? plen - i * 32 : 0;

		f[i].value.u32 = wire_get32(prefix + i * 4);
		f[i].mask_range.u32 = bits > 32 ? 32 : bits;
	}
}

/* A rule with ports wants a packet that has some: a port of 0 is not "no port". */
static bool any_ports(const struct hd_api_srv6_rule *r)
{
	return r->sport_lo == 0 && r->sport_hi == UINT16_MAX && r->dport_lo == 0 &&
	       r->dport_hi == UINT16_MAX;
}

static void field_upper(struct rte_acl_field *proto, struct rte_acl_field *ports,
			struct rte_acl_field *bits, const struct hd_api_srv6_rule *r)
{
	uint32_t value = 0, mask = 0;

	proto->value.u8 = r->proto;
	proto->mask_range.u8 = (r->flags & HD_SRV6_RULE_F_PROTO) != 0 ? 0xff : 0;
	ports[0].value.u16 = r->sport_lo;
	ports[0].mask_range.u16 = r->sport_hi;
	ports[1].value.u16 = r->dport_lo;
	ports[1].mask_range.u16 = r->dport_hi;
	if ((r->flags & HD_SRV6_RULE_F_DSCP) != 0) {
		value |= r->dscp;
		mask |= 0x3f;
	}
	if (!any_ports(r)) {
		value |= SRV6_CLASS_PORTS;
		mask |= SRV6_CLASS_PORTS;
	}
	bits->value.u32 = value;
	bits->mask_range.u32 = mask;
}

static struct rte_acl_rule_data rule_data(const struct hd_api_srv6_rule *r)
{
	static_assert(HD_SRV6_RULE_SEQ_MAX < RTE_ACL_MAX_PRIORITY, "the lowest seq comes first");
	return (struct rte_acl_rule_data){ .category_mask = 1,
					   .priority = (int32_t)(RTE_ACL_MAX_PRIORITY - r->seq),
					   .userdata = r->rule_id + 1 };
}

static int add_rule(struct rte_acl_ctx *ctx, const struct hd_api_srv6_rule *r)
{
	struct rule4 r4 = { .data = rule_data(r) };
	struct rule6 r6 = { .data = rule_data(r) };

	if (r->family == 4) {
		field_prefix(&r4.field[F_SRC], 1, r->src, r->src_plen);
		field_prefix(&r4.field[F4_DST], 1, r->dst, r->dst_plen);
		field_upper(&r4.field[F_PROTO], &r4.field[F4_SPORT], &r4.field[F4_BITS], r);
		return rte_acl_add_rules(ctx, (const struct rte_acl_rule *)&r4, 1);
	}
	field_prefix(&r6.field[F_SRC], 4, r->src, r->src_plen);
	field_prefix(&r6.field[F6_DST], 4, r->dst, r->dst_plen);
	field_upper(&r6.field[F_PROTO], &r6.field[F6_SPORT], &r6.field[F6_BITS], r);
	return rte_acl_add_rules(ctx, (const struct rte_acl_rule *)&r6, 1);
}

/* Compile the rules of one family; *ret NULL when there are none. */
static int compile_family(const struct hd_api_srv6_rule *rule, uint32_t n, uint32_t family,
			  uint32_t turn, struct rte_acl_ctx **ret)
{
	struct rte_acl_config conf = { .num_categories = 1,
				       .num_fields = family == 4 ? F4_N : F6_N };
	struct rte_acl_param param = { .socket_id = -1 /* any */,
				       .rule_size = RTE_ACL_RULE_SZ(family == 4 ? F4_N : F6_N) };
	struct rte_acl_ctx *ctx;
	char name[RTE_ACL_NAMESIZE];
	int rc = 0;

	*ret = NULL;
	for (uint32_t i = 0; i < n; i++)
		param.max_rule_num += rule[i].family == family;
	if (param.max_rule_num == 0)
		return 0;
	snprintf(name, sizeof(name), "srv6-%u-%u", turn, family);
	param.name = name;
	ctx = rte_acl_create(&param);
	if (ctx == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; rc == 0 && i < n; i++)
		if (rule[i].family == family)
			rc = add_rule(ctx, &rule[i]);
	if (family == 4)
		memcpy(conf.defs, fields4, sizeof(fields4));
	else
		memcpy(conf.defs, fields6, sizeof(fields6));
	if (rc == 0)
		rc = rte_acl_build(ctx, &conf);
	if (rc < 0) {
		rte_acl_free(ctx);
		return rc;
	}
	*ret = ctx;
	return 0;
}

static void classifier_free(void *p)
{
	struct srv6_classifier *c = p;

	if (c == NULL)
		return;
	rte_acl_free(c->ctx[0]);
	rte_acl_free(c->ctx[1]);
	free(c);
}

/* One compilation; the thread's until done is set. */
static struct build {
	pthread_t thread;
	bool running;
	uint32_t acl_id, turn, n;
	struct hd_api_srv6_rule *rule; /* a copy */
	struct srv6_classifier *made;  /* NULL: no rules */
	int rc;
	int done; /* atomic */
} build;

static void *build_main(void *arg)
{
	struct build *b = arg;
	struct srv6_classifier *c = calloc(1, sizeof(*c));

	b->rc = c == NULL ? -ENOMEM : 0;
	for (unsigned f = 0; b->rc == 0 && f < 2; f++)
		b->rc = compile_family(b->rule, b->n, f == 0 ? 4 : 6, b->turn, &c->ctx[f]);
	if (b->rc == 0 && b->n != 0)
		b->made = c;
	else
		classifier_free(c);
	__atomic_store_n(&b->done, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void dirty(uint32_t acl_id)
{
	if (acls[acl_id].dirty)
		return;
	acls[acl_id].dirty = true;
	gauges[acl_id].pending = 1;
	n_dirty++;
}

static void build_finish(void)
{
	struct gauge *g = &gauges[build.acl_id];

	pthread_join(build.thread, NULL);
	if (build.rc == 0) {
		slots_set(srv6_classifiers, build.acl_id, build.made, classifier_free);
		g->rules = build.n;
		g->rebuilds++;
	} else {
		g->failures++;
		log_error("classifier %u: %u rules are not compiled, the rules before them still "
			  "hold: %s; give the data plane more --memory",
			  build.acl_id, build.n, strerror(-build.rc));
	}
	g->pending = acls[build.acl_id].dirty;
	free(build.rule);
	build.rule = NULL;
	build.made = NULL;
	build.running = false;
}

static void build_start(uint32_t acl_id)
{
	struct acl *a = &acls[acl_id];
	uint32_t n = 0;

	build.rule = calloc(a->n + 1, sizeof(*build.rule));
	if (build.rule == NULL)
		return; /* the next tick tries again */
	for (uint32_t at = a->first; at != 0; at = held[at - 1]->next)
		build.rule[n++] = held[at - 1]->msg;
	build.acl_id = acl_id;
	build.n = n;
	build.turn++;
	build.done = 0;
	if (pthread_create(&build.thread, NULL, build_main, &build) != 0) {
		free(build.rule);
		build.rule = NULL;
		return;
	}
	build.running = true;
	a->dirty = false;
	n_dirty--;
}

void srv6_classifier_tick(void)
{
	if (build.running) {
		if (!__atomic_load_n(&build.done, __ATOMIC_ACQUIRE))
			return;
		build_finish();
	}
	for (uint32_t i = 1; n_dirty != 0 && !build.running && i < HD_SRV6_ACLS_MAX; i++)
		if (acls[i].dirty)
			build_start(i);
}

bool srv6_classifier_busy(void)
{
	return build.running || n_dirty != 0;
}

/* ---- SRV6_RULE ------------------------------------------------------------------------------------------------- */

static int rule_check(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_srv6_rule *m = msg;
	const struct hd_api_srv6_policy *p;
	uint8_t whole = m->family == 4 ? 32 : 128;

	(void)old;
	if (m->acl_id == 0 || m->acl_id >= HD_SRV6_ACLS_MAX)
		return object_fail(err, -ENOSPC, "classifier %u is not 1 to %u", m->acl_id,
				   HD_SRV6_ACLS_MAX - 1);
	if (m->family != 4 && m->family != 6)
		return object_fail(err, -EINVAL, "family %u is neither 4 nor 6", m->family);
	if (m->seq == 0 || m->seq > HD_SRV6_RULE_SEQ_MAX)
		return object_fail(err, -EINVAL, "rule number %u is not 1 to %u", m->seq,
				   HD_SRV6_RULE_SEQ_MAX);
	if (m->rule_id >= dp_limits.rules)
		return object_fail(err, -ENOSPC,
				   "rule_id %u is not below %u: start the data plane with "
				   "--max-rules",
				   m->rule_id, dp_limits.rules);
	if (m->src_plen > whole || m->dst_plen > whole)
		return object_fail(err, -EINVAL, "prefix longer than an address");
	if (m->sport_lo > m->sport_hi || m->dport_lo > m->dport_hi)
		return object_fail(err, -EINVAL, "a range of ports ends before it begins");
	if (m->dscp > 63)
		return object_fail(err, -EINVAL, "DSCP %u is not 0 to 63", m->dscp);
	if (m->action < HD_SRV6_RULE_STEER || m->action > HD_SRV6_RULE_DROP)
		return object_fail(err, -EINVAL, "action %u is unknown", m->action);
	p = m->action == HD_SRV6_RULE_STEER ? object_find(HD_API_SRV6_POLICY, &m->policy_id) : NULL;
	if (p != NULL && p->encap >= HD_SRV6_H_ENCAPS_L2)
		return object_fail(err, -EINVAL, "policy %.31s is one for Ethernet frames",
				   p->name);
	return 0;
}

static unsigned rule_refs(const void *msg, struct object_ref *ref)
{
	const struct hd_api_srv6_rule *m = msg;

	if (m->action != HD_SRV6_RULE_STEER)
		return 0;
	memset(ref, 0, sizeof(*ref));
	ref->type = HD_API_SRV6_POLICY;
	memcpy(ref->key, &m->policy_id, 4);
	return 1;
}

static void rule_unlink(struct held *h)
{
	struct acl *a = &acls[h->msg.acl_id];

	if (h->prev != 0)
		held[h->prev - 1]->next = h->next;
	else
		a->first = h->next;
	if (h->next != 0)
		held[h->next - 1]->prev = h->prev;
	a->n--;
	dirty(h->msg.acl_id);
}

static void rule_link(struct held *h)
{
	struct acl *a = &acls[h->msg.acl_id];

	h->prev = 0;
	h->next = a->first;
	if (a->first != 0)
		held[a->first - 1]->prev = h->msg.rule_id + 1;
	a->first = h->msg.rule_id + 1;
	a->n++;
	dirty(h->msg.acl_id);
}

static void rule_drop(uint32_t rule_id)
{
	struct held *h = held[rule_id];

	if (h == NULL)
		return;
	rule_unlink(h);
	held[rule_id] = NULL;
	free(h);
	slots_set(srv6_rules, rule_id, NULL, free);
}

/* Does only the action differ?  Then nothing is compiled anew. */
static bool same_match(const struct hd_api_srv6_rule *a, const struct hd_api_srv6_rule *b)
{
	struct hd_api_srv6_rule x = *a, y = *b;

	x.action = y.action;
	x.policy_id = y.policy_id;
	return memcmp(&x, &y, sizeof(x)) == 0;
}

static int rule_apply(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_srv6_rule *m = msg, *was = old;
	struct held *h = held[m->rule_id], *new = malloc(sizeof(*new));
	struct srv6_rule *r = malloc(sizeof(*r));

	if (h != NULL && (h->msg.acl_id != m->acl_id || h->msg.family != m->family ||
			  h->msg.seq != m->seq)) { /* taken, and not given back before */
		free(new);
		free(r);
		return object_fail(err, -EEXIST, "rule_id %u is that of another rule", m->rule_id);
	}
	if (new == NULL || r == NULL) {
		free(new);
		free(r);
		return object_fail(err, -ENOMEM, "out of memory");
	}
	*r = (struct srv6_rule){ .rule_id = m->rule_id,
				 .action = (uint8_t)m->action,
				 .policy_id = m->policy_id };
	if (h != NULL && same_match(&h->msg, m)) {
		h->msg = *m;
		free(new);
	} else {
		if (was != NULL)
			rule_drop(was->rule_id);
		new->msg = *m;
		held[m->rule_id] = new;
		rule_link(new);
	}
	slots_set(srv6_rules, m->rule_id, r, free);
	return 0;
}

static void rule_remove(const void *old)
{
	rule_drop(((const struct hd_api_srv6_rule *)old)->rule_id);
}

static struct object_kind rule_kind = {
	.type = HD_API_SRV6_RULE,
	.rank = 65,
	.name = "classifier rule",
	.key_size = HD_API_SRV6_RULE_KEY,
	.min_size = HD_API_SRV6_RULE_KEY,
	.max_size = sizeof(struct hd_api_srv6_rule),
	.check = rule_check,
	.apply = rule_apply,
	.remove = rule_remove,
	.refs = rule_refs,
};

/* ---- init ------------------------------------------------------------------------------------------------------ */

static struct slots *slots_all(uint32_t n)
{
	struct slots *s = slots_create(n);

	for (uint32_t i = 0, idx; s != NULL && i < n; i++) /* the owner chooses ids */
		slots_alloc(s, &idx);
	return s;
}

static int counters_init(void)
{
	static const char *const rule_cols[] = { "packets", "octets", NULL };
	static const char *const acl_cols[] = { "rules", "rebuilds", "failures", "pending", NULL };
	int r = stats_vec_add("rule", HD_STATS_COUNTER, dp_limits.rules, rule_cols, NULL), a;

	if (r < 0)
		return r;
	a = stats_vec_add("classifier", HD_STATS_COUNTER, HD_SRV6_ACLS_MAX, acl_cols, NULL);
	if (a < 0)
		return a;
	STATS_SLICES_FILL(srv6_rule_counts, r);
	gauges = (struct gauge *)stats_slice(a, dp_limits.workers);
	return 0;
}

int srv6_classifier_init(void)
{
	int rc = -ENOMEM;

	srv6_classifiers = slots_all(HD_SRV6_ACLS_MAX);
	srv6_rules = slots_all(dp_limits.rules);
	held = calloc(dp_limits.rules, sizeof(struct held *));
	acls = calloc(HD_SRV6_ACLS_MAX, sizeof(*acls));
	if (srv6_classifiers != NULL && srv6_rules != NULL && held != NULL && acls != NULL)
		rc = counters_init();
	rule_kind.capacity = dp_limits.rules;
	if (rc == 0)
		rc = object_kind_register(&rule_kind);
	if (rc < 0)
		srv6_classifier_fini();
	return rc;
}

void srv6_classifier_fini(void)
{
	if (build.running) {
		pthread_join(build.thread, NULL);
		classifier_free(build.made);
		free(build.rule);
	}
	memset(&build, 0, sizeof(build));
	n_dirty = 0;
	for (uint32_t i = 0; held != NULL && i < dp_limits.rules; i++)
		free(held[i]);
	free(held);
	free(acls);
	held = NULL;
	acls = NULL;
	slots_destroy(srv6_classifiers, classifier_free);
	slots_destroy(srv6_rules, free);
	srv6_classifiers = NULL;
	srv6_rules = NULL;
}
