/* SPDX-License-Identifier: BSD-3-Clause
 * Node srv6-ingress: IP packets of interfaces that filter or steer by themselves.
 * In: as eth-input hands packets to ip4-input and ip6-input, where they go on: those nodes check the packet and find
 * what is addressed to this node, and only what would be routed on takes the policy chosen here (META_F_STEERED).
 * The keys of a chunk are classified in bulk, once per classifier and family.
 * Nothing here allocates, logs or makes a system call.
 * Spec: RFC 8754 section 5.1; RFC 9256 section 8.6. */
#include <rte_acl.h>

#include "dataplane/node.h"
#include "dataplane/result.h"
#include "pipelines/l2/l2.h"
#include "pipelines/srv6/classifier.h"
#include "pipelines/srv6/edge_out.h"
#include "pipelines/srv6/hmac.h"
#include "pipelines/srv6/ingress.h"
#include "pipelines/srv6/policy.h"
#include "pipelines/srv6/verdicts.h"

struct ingress_run {
	const struct srv6_domain *domain;
	struct srv6_rule_count *rule_count;
};

static_assert(SRV6_IN_IP6 == SRV6_IN_IP4 + 1, "verdicts of packets that go on, by family");

static inline void steer(struct rte_mbuf *m, uint32_t word)
{
	struct hd_meta *mt = meta(m);

	if (word == 0)
		return;
	mt->flags |= META_F_STEERED;
	mt->pipe[0] = word;
}

/* From outside, for a SID: only what carries a good signature (RFC 8754 section 5.2). */
static __rte_noinline rte_edge_t signed_verdict(struct rte_mbuf *m)
{
	struct srv6_pkt p = { .ip = rte_pktmbuf_mtod(m, uint8_t *),
			      .head = m->data_len,
			      .len = m->pkt_len };

	if (srv6_hmac_check(HD_SRV6_HMAC_REQUIRE, NULL, &p) != SRV6_EP_FORWARD)
		return SRV6_IN_HMAC_BAD;
	return p.srh_off != 0 ? SRV6_IN_IP6 : SRV6_IN_SID_FROM_OUTSIDE;
}

static inline rte_edge_t edge_verdict(const struct ingress_run *r, const struct srv6_ingress *in,
				      struct rte_mbuf *m, const uint8_t *ip)
{
	static const rte_edge_t v[] = { [SRV6_EDGE_PASS] = SRV6_IN_IP6,
					[SRV6_EDGE_SID] = SRV6_IN_SID_FROM_OUTSIDE,
					[SRV6_EDGE_SOURCE] = SRV6_IN_SOURCE_FROM_OUTSIDE,
					[SRV6_EDGE_FOREIGN] = SRV6_IN_FOREIGN_SOURCE };

	enum srv6_edge e;

	if (unlikely(srv6_may_be_measured(ip)) && (in->flags & HD_SRV6_INGRESS_OUTSIDE) != 0 &&
	    srv6_is_measured(ip, m->data_len))
		return SRV6_IN_MEASURED_FROM_OUTSIDE;
	if (r->domain == NULL)
		return SRV6_IN_IP6;
	e = srv6_edge_check(r->domain, in->flags, ip + 8, ip + 24);
	if (unlikely(e == SRV6_EDGE_SID && (in->flags & HD_SRV6_INGRESS_HMAC) != 0))
		return signed_verdict(m);
	return v[e];
}

/* What the rule says.  One whose policy is gone already, while the classifier without it is being compiled, leaves the
 * packet to the interface's policy. */
static inline rte_edge_t by_rule(struct ingress_run *r, struct rte_mbuf *m,
				 const struct srv6_rule *rule, rte_edge_t pass)
{
	if (unlikely(rule->action == HD_SRV6_RULE_STEER &&
		     srv6_policy_get(rule->policy_id) == NULL))
		return pass;
	r->rule_count[rule->rule_id].packets++;
	r->rule_count[rule->rule_id].octets += m->pkt_len;
	meta(m)->flags &= (uint8_t)~META_F_STEERED;
	if (rule->action == HD_SRV6_RULE_DROP) {
		meta(m)->object = rule->rule_id;
		return SRV6_IN_RULE_DROP;
	}
	if (rule->action == HD_SRV6_RULE_STEER)
		steer(m, hd_result(HD_RESULT_POLICY, rule->policy_id));
	return pass;
}

/* Packets of one chunk that wait for the same classifier and family. */
struct batch {
	const struct srv6_classifier *c;
	const struct rte_acl_ctx *ctx;
	unsigned n;
	uint8_t at[NODE_CHUNK];
	const uint8_t *key[NODE_CHUNK];
};

static inline void batch_run(struct ingress_run *r, struct batch *b, struct rte_mbuf **m,
			     rte_edge_t *verdict)
{
	uint32_t result[NODE_CHUNK];

	if (b->n == 0)
		return;
	rte_acl_classify(b->ctx, b->key, result, b->n, 1);
	for (unsigned i = 0; i < b->n; i++)
		if (result[i] != 0)
			verdict[b->at[i]] = by_rule(r, m[b->at[i]], srv6_rule_get(b->c, result[i]),
						    verdict[b->at[i]]);
	b->n = 0;
}

static inline void ingress_chunk(struct rte_mbuf **m, unsigned n, rte_edge_t *verdict, void *arg)
{
	struct ingress_run *r = arg;
	struct srv6_class_key key[NODE_CHUNK];
	struct batch b = { 0 };

	for (unsigned i = 0; i < n; i++) {
		const struct srv6_ingress *in = slots_get(srv6_ingresses, meta(m[i])->iface);
		const uint8_t *ip = rte_pktmbuf_mtod(m[i], const uint8_t *);
		const struct srv6_classifier *c;
		const struct rte_acl_ctx *ctx;
		bool v6;

		if (i + 4 < n)
			rte_prefetch0(rte_pktmbuf_mtod(m[i + 4], void *));
		/* the ethertype stands in front; what contradicts it, ip-input drops */
		v6 = wire_get16(ip - 2) == ETHTYPE_IP6;
		verdict[i] = v6 ? SRV6_IN_IP6 : SRV6_IN_IP4;
		if (unlikely(in == NULL || m[i]->data_len < (v6 ? 40 : 20)))
			continue;
		if (in->flags != 0 && v6)
			verdict[i] = edge_verdict(r, in, m[i], ip);
		if (unlikely(verdict[i] > SRV6_IN_IP6))
			continue;
		steer(m[i], in->word[v6]);
		c = in->acl_id != 0 ? slots_get(srv6_classifiers, in->acl_id) : NULL;
		ctx = c != NULL ? c->ctx[v6] : NULL;
		if (ctx == NULL)
			continue;
		if (v6)
			srv6_class_key_make(ip, m[i]->data_len, &key[i]);
		else
			srv6_class_key4_make(ip, m[i]->data_len, (struct srv6_class_key4 *)&key[i]);
		if (c != b.c || ctx != b.ctx)
			batch_run(r, &b, m, verdict);
		b.c = c;
		b.ctx = ctx;
		b.at[b.n] = (uint8_t)i;
		b.key[b.n++] = (const uint8_t *)&key[i];
	}
	batch_run(r, &b, m, verdict);
}

static uint16_t srv6_ingress_process(struct rte_graph *g, struct rte_node *node, void **objs,
				     uint16_t n)
{
	struct ingress_run r = { .domain = __atomic_load_n(&srv6_domain, __ATOMIC_ACQUIRE),
				 .rule_count = srv6_rule_counts[node_worker(node)->id] };

	return node_run_bulk(g, node, objs, n, ingress_chunk, &r);
}

NODE_REGISTER(srv6_ingress, "srv6-ingress", SRV6_IN, SRV6_INGRESS_VERDICTS, srv6_ingress_process)
