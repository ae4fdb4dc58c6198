/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-srv6 -> SRV6_CONF, SRV6_SEGLIST, SRV6_POLICY and SRV6_SID. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/ip/ip.h"
#include "ctrl/srv6/srv6_private.h"
#include "heddle/api/ip.h"
#include "heddle/api/srv6.h"
#include "heddle/srv6_behavior.h"

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

static bool prefix_covers(const uint8_t *prefix, uint8_t plen, const uint8_t *addr)
{
	unsigned whole = plen / 8, rest = plen % 8;

	return memcmp(prefix, addr, whole) == 0 &&
	       (rest == 0 || (prefix[whole] ^ addr[whole]) >> (8 - rest) == 0);
}

/* With locators configured, a SID outside all of them is a slip of the pen. */
static int check_locator(struct compile *c, const struct lyd_node *srv6,
			 const struct lyd_node *node, const struct hd_api_srv6_sid *sid)
{
	bool any = false;

	cfg_foreach(loc, srv6, "locator")
	{
		uint8_t prefix[16], plen;
		any = true;
		if (cfg_prefix(cfg_str(loc, "prefix"), prefix, &plen) == 6 && plen <= sid->plen &&
		    prefix_covers(prefix, plen, sid->sid))
			return 0;
	}
	return any ? compile_fail(c, cfg_child(node, "sid"), "%s is in none of the locators",
				  cfg_str(node, "sid")) :
		     0;
}

/* Has the behavior the arguments it needs, and no others?  Flavors: is the combination registered? */
static int check_arguments(struct compile *c, const struct lyd_node *node,
			   const struct hd_api_srv6_sid *sid)
{
	static const struct {
		const char *leaf;
		uint16_t args;
		bool needed;
	} rules[] = {
		{ "next-hop", HD_SRV6_ARG_NEXTHOP, true },
		{ "policy", HD_SRV6_ARG_POLICY, true },
		{ "vrf", HD_SRV6_ARG_TABLE | HD_SRV6_ARG_TABLE4 | HD_SRV6_ARG_TABLE6,
		  false }, /* default VRF */
	};
	const struct hd_srv6_behavior_info *info = hd_srv6_behavior_info(sid->behavior);
	const struct lyd_node *behavior = cfg_child(node, "behavior");

	if (info == NULL)
		return compile_fail(c, behavior, "behavior %u is not known", sid->behavior);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct lyd_node *leaf = cfg_child(node, rules[i].leaf);
		if (leaf == NULL && rules[i].needed && (info->args & rules[i].args) != 0)
			return compile_fail(c, behavior, "%s needs '%s' (RFC 8986 section %s)",
					    lyd_get_value(behavior), rules[i].leaf, info->section);
		if (leaf != NULL && (info->args & rules[i].args) == 0)
			return compile_fail(c, leaf, "%s has no '%s' (RFC 8986 section %s)",
					    lyd_get_value(behavior), rules[i].leaf, info->section);
	}
	if (hd_srv6_codepoint(sid->behavior, sid->flavors) == 0)
		return compile_fail(c, cfg_child(node, "flavor"),
				    "%s does not exist with these flavors (RFC 8986 section 4.16)",
				    lyd_get_value(behavior));
	return 0;
}

static int compile_sid(struct compile *c, const struct lyd_node *srv6, const struct lyd_node *node)
{
	const char *text = cfg_str(node, "sid"), *policy = cfg_str(node, "policy");
	struct hd_api_srv6_sid sid = {
		.behavior = (uint16_t)cfg_enum(node, "behavior", 0),
		.flavors = (uint16_t)cfg_enum_mask(node, "flavor"),
		.upper_allow = cfg_enum_mask(node, "upper-layer"),
	};

	if (cfg_prefix(text, sid.sid, &sid.plen) != 6 || !ip_is_unicast(6, sid.sid))
		return compile_fail(c, node, "%s is not a SID", text);
	int rc = check_locator(c, srv6, node, &sid);
	if (rc == 0)
		rc = check_arguments(c, node, &sid);
	if (rc < 0)
		return rc;
	if (cfg_child(node, "upper-layer") == NULL)
		sid.upper_allow = HD_SRV6_UPPER_ICMP6;
	sid.sid_id = ids_get(c->ids, ID_SID, text);

	uint16_t args = hd_srv6_behavior_info(sid.behavior)->args;
	uint32_t vrf = ip_vrf(c, cfg_str(node, "vrf"));
	if ((args & (HD_SRV6_ARG_TABLE | HD_SRV6_ARG_TABLE4)) != 0)
		sid.table4 = vrf;
	if ((args & (HD_SRV6_ARG_TABLE | HD_SRV6_ARG_TABLE6)) != 0)
		sid.table6 = vrf;
	if (policy != NULL) {
		sid.target = HD_TARGET_POLICY;
		rc = srv6_policy(c, policy, node, &sid.target_id);
		if (rc == 0 && sid.target_id == 0)
			return 0; /* the BSID leaves with its policy (RFC 9256 section 8.1) */
	} else {
		rc = ip_next_hops(c, node, sid.behavior == HD_SRV6_END_DX4 ? 4 : 6, &sid.target,
				  &sid.target_id);
	}
	return rc < 0 ? rc : compile_add(c, &srv6_kinds[SRV6_KIND_SID], &sid, sizeof(sid), node);
}

int srv6_compile(struct compile *c)
{
	const struct lyd_node *srv6 = cfg_top(c->tree, "srv6");
	bool have_source = cfg_child(cfg_child(srv6, "encapsulation"), "source-address") != NULL;
	int rc = 0;

	if (have_source || cfg_child(srv6, "policy") != NULL || cfg_child(srv6, "sid") != NULL)
		rc = compile_conf(c, srv6);
	cfg_foreach(policy, srv6, "policy") if (rc == 0)
		rc = compile_policy(c, policy, have_source);
	cfg_foreach(sid, srv6, "sid") if (rc == 0) rc = compile_sid(c, srv6, sid);
	return rc;
}
