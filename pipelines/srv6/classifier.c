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

#include "dataplane/log.h"
#include "dataplane/objects.h"
#include "dataplane/stats.h"
#include "pipelines/srv6/class_compile.h"

struct slots *srv6_classifiers;
struct srv6_rule_count *srv6_rule_counts[STATS_SLICES_MAX];

/* What the owner said, by rule_id; rules of one classifier are chained. */
struct held {
	struct hd_api_srv6_rule msg;
	uint32_t prev, next; /* rule_id + 1; 0: none */
};
static struct held **held;
static struct acl {
	uint32_t first, n; /* rule_id + 1 of a rule; their number */
	bool dirty;        /* to be compiled */
	bool actions;      /* to be published: rules lead elsewhere */
	bool stale; /* what is in force is older than the rules, and could not be compiled anew */
} * acls;           /* by acl_id */
static uint32_t n_dirty;

/* Row of statistics vector "classifier", by acl_id; the control thread's. */
struct gauge {
	uint64_t rules, rebuilds, failures, pending;
};
static struct gauge *gauges;

/* ---- what workers see ------------------------------------------------------------------------------------------ */

static void classifier_free(void *p)
{
	struct srv6_classifier *c = p;

	if (c != NULL && --c->tries->users == 0)
		srv6_tries_free(c->tries);
	free(c);
}

/* A classifier of these tries, with the actions of n rules. */
static struct srv6_classifier *classifier_make(struct srv6_tries *tries,
					       const struct srv6_rule *rule, uint32_t n)
{
	struct srv6_classifier *c = malloc(sizeof(*c) + n * sizeof(c->rule[0]));

	if (c == NULL)
		return NULL;
	c->ctx[0] = tries->ctx[0];
	c->ctx[1] = tries->ctx[1];
	c->tries = tries;
	c->n = n;
	memcpy(c->rule, rule, n * sizeof(c->rule[0]));
	tries->users++;
	return c;
}

static struct srv6_rule rule_of(const struct hd_api_srv6_rule *m)
{
	return (struct srv6_rule){ .rule_id = m->rule_id,
				   .action = (uint8_t)m->action,
				   .policy_id = m->policy_id };
}

/* Nothing but actions has changed: the same tries with the actions of now. */
static int actions_publish(uint32_t acl_id)
{
	const struct srv6_classifier *was = slots_get(srv6_classifiers, acl_id);
	struct srv6_classifier *c;

	if (was == NULL)
		return 0;
	c = classifier_make(was->tries, was->rule, was->n);
	if (c == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->n; i++)
		c->rule[i] = rule_of(&held[c->rule[i].rule_id]->msg);
	return slots_set(srv6_classifiers, acl_id, c, classifier_free);
}

/* ---- compilation ----------------------------------------------------------------------------------------------- */

/* One compilation; the thread's until done is set. */
static struct build {
	pthread_t thread;
	bool running;
	uint32_t acl_id, turn, n;
	struct hd_api_srv6_rule *rule; /* a copy */
	struct srv6_tries *tries;
	int rc;
	int done; /* atomic */
} build;

static void *build_main(void *arg)
{
	struct build *b = arg;

	b->rc = srv6_class_compile(b->rule, b->n, b->turn, &b->tries);
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

/* What was compiled comes into force, matches and actions together.  Actions that changed meanwhile come with it,
 * unless matches did too: then both wait for the next compilation. */
static int build_publish(void)
{
	struct srv6_classifier *c = NULL;
	struct srv6_rule *rule = NULL;

	if (build.n != 0) {
		rule = calloc(build.n, sizeof(*rule));
		if (rule == NULL)
			return -ENOMEM;
		for (uint32_t i = 0; i < build.n; i++)
			rule[i] = rule_of(acls[build.acl_id].dirty ?
						  &build.rule[i] :
						  &held[build.rule[i].rule_id]->msg);
		c = classifier_make(build.tries, rule, build.n);
		free(rule);
		if (c == NULL)
			return -ENOMEM;
		build.tries = NULL;
	}
	return slots_set(srv6_classifiers, build.acl_id, c, classifier_free);
}

static void build_finish(void)
{
	struct gauge *g = &gauges[build.acl_id];

	pthread_join(build.thread, NULL);
	if (build.rc == 0)
		build.rc = build_publish();
	acls[build.acl_id].stale = build.rc != 0;
	if (build.rc == 0) {
		acls[build.acl_id].actions = false;
		g->rules = build.n;
		g->rebuilds++;
	} else {
		g->failures++;
		log_error("classifier %u: %u rules are not compiled, the rules before them still "
			  "hold: %s; give the data plane more --memory",
			  build.acl_id, build.n, strerror(-build.rc));
	}
	g->pending = acls[build.acl_id].dirty;
	srv6_tries_free(build.tries);
	free(build.rule);
	build.rule = NULL;
	build.tries = NULL;
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

/* Actions wait for a compilation that is due or under way, so that rules hold as a whole. */
static void actions_tick(void)
{
	for (uint32_t i = 1; i < HD_SRV6_ACLS_MAX; i++) {
		struct acl *a = &acls[i];

		if (a->actions && !a->dirty && !a->stale && !(build.running && build.acl_id == i) &&
		    actions_publish(i) == 0)
			a->actions = false;
	}
}

void srv6_classifier_tick(void)
{
	if (build.running && __atomic_load_n(&build.done, __ATOMIC_ACQUIRE))
		build_finish();
	actions_tick();
	for (uint32_t i = 1; n_dirty != 0 && !build.running && i < HD_SRV6_ACLS_MAX; i++)
		if (acls[i].dirty)
			build_start(i);
}

bool srv6_classifier_busy(void)
{
	bool actions = false;

	for (uint32_t i = 1; i < HD_SRV6_ACLS_MAX; i++)
		actions |= acls[i].actions && !acls[i].stale;
	return build.running || n_dirty != 0 || actions;
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
}

/* Does only the action differ?  Then nothing is compiled. */
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
	struct held *h = held[m->rule_id], *new;

	if (h != NULL && (h->msg.acl_id != m->acl_id || h->msg.family != m->family ||
			  h->msg.seq != m->seq)) /* taken, and not given back before */
		return object_fail(err, -EEXIST, "rule_id %u is that of another rule", m->rule_id);
	if (h != NULL && same_match(&h->msg, m)) {
		h->msg = *m;
		acls[m->acl_id].actions = true;
		return 0;
	}
	new = malloc(sizeof(*new));
	if (new == NULL)
		return object_fail(err, -ENOMEM, "out of memory");
	if (was != NULL)
		rule_drop(was->rule_id);
	new->msg = *m;
	held[m->rule_id] = new;
	rule_link(new);
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
	held = calloc(dp_limits.rules, sizeof(struct held *));
	acls = calloc(HD_SRV6_ACLS_MAX, sizeof(*acls));
	if (srv6_classifiers != NULL && held != NULL && acls != NULL)
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
		srv6_tries_free(build.tries);
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
	srv6_classifiers = NULL;
}
