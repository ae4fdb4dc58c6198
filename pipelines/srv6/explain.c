/* SPDX-License-Identifier: BSD-3-Clause
 * What `explain` says about SIDs and SR policies: which one decided, which segment list a flow gets, where the next
 * segment was looked up.  Control thread. */
#include "dataplane/explain.h"

#include <string.h>

#include <rte_acl.h>

#include "pipelines/ip/ip.h"
#include "pipelines/l2/bridge.h"
#include "pipelines/srv6/classifier.h"
#include "pipelines/srv6/endpoint_l2.h"
#include "pipelines/srv6/ingress.h"
#include "pipelines/srv6/policy.h"
#include "pipelines/srv6/sid_table.h"
#include "pipelines/srv6/srv6.h"

static unsigned add(struct hd_api_explain_entry *e, unsigned room, uint16_t kind, uint32_t id)
{
	if (room == 0)
		return 0;
	*e = (struct hd_api_explain_entry){ .kind = kind, .id = id };
	return 1;
}

/* Where a frame without its outer headers goes: an interface, by itself or by its tags, or a bridge. */
static unsigned frame_explain(const struct srv6_sid *s, const uint8_t *frame, uint32_t len,
			      struct hd_api_explain_entry *e, unsigned room)
{
	uint16_t outer, inner;
	uint32_t iface = s->iface;
	unsigned n = 0;

	if (s->behavior == HD_SRV6_END_DX2V) {
		srv6_l2_tags(frame, len, &outer, &inner);
		n = add(e, room, HD_EXPLAIN_VLAN, s->l2_table);
		if (n != 0)
			e->vrf_id = (uint32_t)outer << 16 | inner;
		iface = vlan_table_find(s->l2_table, outer, inner);
	}
	return iface != 0 ? n + add(e + n, room - n, HD_EXPLAIN_IFACE, iface) : n;
}

/* The behavior plans anew over a copy of the packet's head: it changes nothing but its plan. */
static unsigned endpoint_explain(const struct explain_at *at, struct hd_api_explain_entry *e,
				 unsigned room)
{
	const struct srv6_sid *sid = srv6_sid_get(hd_result_index(at->in->result));
	uint8_t head[HD_EXPLAIN_HEAD];
	struct srv6_pkt p = { .ip = head, .head = at->head_len, .len = at->len };
	unsigned n, v;

	if (sid == NULL)
		return 0;
	n = add(e, room, HD_EXPLAIN_SID, sid->sid_id);
	if (n == 0)
		return 0;
	e->vrf_id = sid->vrf;
	e->family = 6;
	e->plen = sid->plen;
	memcpy(e->addr, &sid->addr, 16);
	memcpy(head, at->head, at->head_len);
	v = sid->plan(sid, &p);
	if (v == SRV6_EP_FORWARD && p.next_dst != NULL)
		n += ip_explain_lookup(p.vrf == SRV6_VRF_INGRESS ? at->in->vrf : p.vrf, 6,
				       p.next_dst, e + n, room - n);
	if (v == SRV6_EP_L2_PORT)
		n += frame_explain(sid, head + p.upper_off, at->head_len - p.upper_off, e + n,
				   room - n);
	if (v == SRV6_EP_L2_BRIDGE)
		n += add(e + n, room - n, HD_EXPLAIN_BRIDGE, sid->l2_table);
	if (v == SRV6_EP_PROXY && sid->iface != 0)
		n += add(e + n, room - n, HD_EXPLAIN_IFACE, sid->iface);
	if (v == SRV6_EP_PROXY && sid->inner != HD_SRV6_INNER_ETH)
		n += ip_explain_word(sid->result, sid->inner == HD_SRV6_INNER_IP4 ? 4 : 6,
				     head + p.upper_off +
					     (sid->inner == HD_SRV6_INNER_IP4 ? 16 : 24),
				     e + n, room - n);
	if (v == SRV6_EP_FORWARD || v == SRV6_EP_CROSS_CONNECT)
		n += ip_explain_word(meta(at->m)->result, 6,
				     p.next_dst != NULL ? p.next_dst : head + 24, e + n, room - n);
	return n;
}

static unsigned encap_explain(const struct explain_at *at, struct hd_api_explain_entry *e,
			      unsigned room)
{
	const struct srv6_policy *p = srv6_policy_get(hd_result_index(at->in->result));
	const uint8_t *dst;
	const struct srv6_outer *o;
	unsigned n;

	if (p == NULL)
		return 0;
	n = add(e, room, HD_EXPLAIN_POLICY, p->policy_id);
	if (p->n_lists == 0 || meta(at->m)->flow_hash == 0) /* refused before a list was chosen */
		return n;
	o = srv6_policy_select(p, meta(at->m)->flow_hash);
	n += add(e + n, room - n, HD_EXPLAIN_SEGLIST, o->seglist_id);
	dst = o->hdr + offsetof(struct ip6_fixed, dst);
	n += ip_explain_lookup(p->vrf, 6, dst, e + n, room - n);
	if (meta(at->m)->result != at->in->result)
		n += ip_explain_word(meta(at->m)->result, 6, dst, e + n, room - n);
	return n;
}

/* The classifier's rule, asked for anew, and the policy that it or the interface chose. */
static unsigned ingress_explain(const struct explain_at *at, struct hd_api_explain_entry *e,
				unsigned room)
{
	const struct srv6_ingress *in = slots_get(srv6_ingresses, at->in->iface);
	const struct srv6_classifier *c =
		in != NULL && in->acl_id != 0 ? slots_get(srv6_classifiers, in->acl_id) : NULL;
	unsigned version = at->head_len != 0 ? at->head[0] >> 4 : 0, n = 0;
	const struct srv6_rule *rule = NULL;
	struct srv6_class_key key;
	const uint8_t *k = (const uint8_t *)&key;
	uint32_t result = 0;

	if (c != NULL && c->ctx[version == 6] != NULL &&
	    at->head_len >= (version == 6 ? 40u : 20u)) {
		if (version == 6)
			srv6_class_key_make(at->head, at->head_len, &key);
		else
			srv6_class_key4_make(at->head, at->head_len,
					     (struct srv6_class_key4 *)&key);
		rte_acl_classify(c->ctx[version == 6], &k, &result, 1, 1);
		if (result != 0)
			rule = srv6_rule_get(c, result);
	}
	if (rule != NULL)
		n += add(e, room, HD_EXPLAIN_RULE, rule->rule_id);
	if (meta(at->m)->flags & META_F_STEERED)
		n += add(e + n, room - n, HD_EXPLAIN_POLICY, hd_result_index(meta(at->m)->pipe[0]));
	return n;
}

int srv6_explain_init(void)
{
	int rc = explain_register("srv6-endpoint", endpoint_explain);

	if (rc == 0)
		rc = explain_register("srv6-ingress", ingress_explain);

	if (rc == 0)
		rc = explain_register("srv6-encap-l2", encap_explain);
	return rc < 0 ? rc : explain_register("srv6-encap", encap_explain);
}
