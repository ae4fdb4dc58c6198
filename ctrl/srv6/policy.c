/* SPDX-License-Identifier: BSD-3-Clause
 * Headend: heddle-srv6 -> SRV6_CONF, SRV6_SEGLIST and SRV6_POLICY. */
#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/ip/ip.h"
#include "ctrl/srv6/srv6_private.h"
#include "heddle/api/srv6.h"

void srv6_describe_conf(const void *body, char *buf, size_t size)
{
	const struct hd_api_srv6_conf *c = body;
	char text[INET6_ADDRSTRLEN];

	snprintf(buf, size, "source %s hop-limit %u",
		 ip_text(6, c->encap_source, text, sizeof(text)), c->encap_hop_limit);
}

void srv6_describe_seglist(const void *body, char *buf, size_t size)
{
	const struct hd_api_srv6_seglist *l = body;
	char text[INET6_ADDRSTRLEN];
	int n = snprintf(buf, size, "%u:", l->seglist_id);

	for (uint32_t i = 0; i < l->n_segs && i < HD_SRV6_SEGS_MAX && n > 0 && (size_t)n < size;
	     i++)
		n += snprintf(buf + n, size - (size_t)n, " %s",
			      ip_text(6, l->seg[i], text, sizeof(text)));
}

void srv6_describe_policy(const void *body, char *buf, size_t size)
{
	const struct hd_api_srv6_policy *p = body;
	int n = snprintf(buf, size, "%.31s (%u):", p->name, p->policy_id);

	for (uint32_t i = 0; i < p->n_lists && i < HD_SRV6_LISTS_MAX && n > 0 && (size_t)n < size;
	     i++)
		n += snprintf(buf + n, size - (size_t)n, " list %u*%u", p->list[i].seglist_id,
			      p->list[i].weight);
}

static bool policy_valid(const struct lyd_node *policy)
{
	return cfg_child(policy, "segment-list") != NULL;
}

int srv6_policy(struct compile *c, const char *name, const struct lyd_node *at, uint32_t *ret_id)
{
	char path[128];
	struct lyd_node *policy;
	const struct lyd_node *srv6 = cfg_top(c->tree, "srv6");

	snprintf(path, sizeof(path), "policy[name='%s']", name);
	if (srv6 == NULL || lyd_find_path(srv6, path, 0, &policy) != LY_SUCCESS)
		return compile_fail(c, at, "there is no SR policy '%s'", name);
	*ret_id = policy_valid(policy) || cfg_bool(policy, "drop-upon-invalid", false) ?
			  ids_get(c->ids, ID_POLICY, name) :
			  0;
	return 0;
}

int srv6_policy_encap(struct compile *c, const char *name, const struct lyd_node *at, uint8_t encap,
		      uint32_t *ret_id)
{
	struct hd_api_srv6_policy p = { 0 };
	char own[HD_API_NAME_MAX + 8];
	uint32_t id;
	int rc = srv6_policy(c, name, at, &id);

	*ret_id = id;
	if (rc < 0 || id == 0)
		return rc;
	for (size_t i = 0; i < c->set->n; i++) {
		const struct object *o = &c->set->obj[i];
		if (o->kind == &srv6_kinds[SRV6_KIND_POLICY] &&
		    memcmp(o->body, &id, sizeof(id)) == 0) {
			memcpy(&p, o->body, o->size);
			break;
		}
	}
	if (p.encap == encap)
		return 0;
	snprintf(own, sizeof(own), "%s %u", name, encap); /* no name of a policy has a space */
	p.policy_id = *ret_id = ids_get(c->ids, ID_POLICY, own);
	p.encap = encap;
	return compile_add(
		c, &srv6_kinds[SRV6_KIND_POLICY], &p,
		offsetof(struct hd_api_srv6_policy, list) + p.n_lists * sizeof(p.list[0]), at);
}

static int compile_conf(struct compile *c, const struct lyd_node *srv6)
{
	const struct lyd_node *encap = cfg_child(srv6, "encapsulation");
	const char *source = cfg_str(encap, "source-address"),
		   *tclass = cfg_str(encap, "traffic-class");
	struct hd_api_srv6_conf conf = { .encap_hop_limit =
						 (uint8_t)cfg_u32(encap, "hop-limit", 64) };

	if (source != NULL &&
	    !ip_is_unicast(cfg_addr(source, conf.encap_source), conf.encap_source))
		return compile_fail(c, cfg_child(encap, "source-address"),
				    "%s is not a unicast address", source);
	if (tclass != NULL) {
		conf.tclass_mode = 1;
		conf.tclass = (uint8_t)cfg_u32(encap, "traffic-class", 0);
	}
	return compile_add(c, &srv6_kinds[SRV6_KIND_CONF], &conf, sizeof(conf), encap);
}

static int compile_seglist(struct compile *c, const struct lyd_node *node, const char *policy,
			   uint32_t *ret_id)
{
	struct hd_api_srv6_seglist list = { 0 };
	char name[80];

	snprintf(name, sizeof(name), "%s %s", policy, cfg_str(node, "name"));
	list.seglist_id = ids_get(c->ids, ID_SEGLIST, name);
	cfg_foreach(seg, node, "segment")
	{
		const char *sid = cfg_str(seg, "sid");
		if (list.n_segs == HD_SRV6_SEGS_MAX)
			return compile_fail(c, seg, "more than %u segments", HD_SRV6_SEGS_MAX);
		if (!ip_is_unicast(cfg_addr(sid, list.seg[list.n_segs]), list.seg[list.n_segs]))
			return compile_fail(c, seg, "%s is not a SID", sid);
		list.n_segs++;
	}
	*ret_id = list.seglist_id;
	return compile_add(c, &srv6_kinds[SRV6_KIND_SEGLIST], &list,
			   offsetof(struct hd_api_srv6_seglist, seg) +
				   list.n_segs * sizeof(list.seg[0]),
			   node);
}

static int compile_policy(struct compile *c, const struct lyd_node *node, bool have_source)
{
	struct hd_api_srv6_policy policy = { 0 };
	const char *name = cfg_str(node, "name"), *source = cfg_str(node, "source-address");

	int rc = srv6_policy(c, name, node, &policy.policy_id);
	if (rc < 0 || policy.policy_id == 0)
		return rc;
	snprintf(policy.name, sizeof(policy.name), "%s", name);
	if (source == NULL && !have_source)
		return compile_fail(
			c, node,
			"no source address: give 'source-address' here or under 'encapsulation'");
	if (source != NULL && !ip_is_unicast(cfg_addr(source, policy.source), policy.source))
		return compile_fail(c, cfg_child(node, "source-address"),
				    "%s is not a unicast address", source);
	policy.vrf_id = ip_vrf(c, cfg_str(node, "vrf"));
	policy.encap = (uint8_t)cfg_enum(node, "encapsulation", HD_SRV6_H_ENCAPS_RED);
	cfg_foreach(list, node, "segment-list")
	{
		struct hd_api_srv6_policy_list *l = &policy.list[policy.n_lists];
		if (policy.n_lists == HD_SRV6_LISTS_MAX)
			return compile_fail(c, list, "more than %u segment lists",
					    HD_SRV6_LISTS_MAX);
		rc = compile_seglist(c, list, name, &l->seglist_id);
		if (rc < 0)
			return rc;
		l->weight = cfg_u32(list, "weight", 1);
		policy.n_lists++;
	}
	return compile_add(c, &srv6_kinds[SRV6_KIND_POLICY], &policy,
			   offsetof(struct hd_api_srv6_policy, list) +
				   policy.n_lists * sizeof(policy.list[0]),
			   node);
}

int srv6_compile_policies(struct compile *c, const struct lyd_node *srv6)
{
	bool have_source = cfg_child(cfg_child(srv6, "encapsulation"), "source-address") != NULL;
	int rc = 0;

	if (have_source || cfg_child(srv6, "policy") != NULL || cfg_child(srv6, "sid") != NULL)
		rc = compile_conf(c, srv6);
	cfg_foreach(policy, srv6, "policy") if (rc == 0)
		rc = compile_policy(c, policy, have_source);
	return rc;
}
