/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-ip -> VRF, NEXTHOP, NHGROUP, ROUTE and NEIGH.
 * Next hops and groups are named by what they are, so routes that go the same way share them, and their numbers
 * survive any change of the routes around them. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/ip/ip_private.h"
#include "ctrl/l2/l2.h"
#include "ctrl/srv6/srv6.h"
#include "heddle/api/ip.h"

uint32_t ip_vrf(struct compile *c, const char *name)
{
	return name == NULL ? 0 : ids_get(c->ids, ID_VRF, name);
}

static int compile_next_hop(struct compile *c, const struct lyd_node *node, uint8_t family,
			    uint32_t *ret_id)
{
	struct hd_api_nexthop nh = { .family = family };
	const char *iface = cfg_str(node, "interface"), *addr = cfg_str(node, "address");
	char name[128];

	nh.iface_id = l2_interface(c, iface, cfg_child(node, "interface"));
	if (nh.iface_id == 0)
		return -EINVAL;
	if (addr != NULL) {
		nh.family = cfg_addr(addr, nh.gateway);
		if (!ip_is_unicast(nh.family, nh.gateway))
			return compile_fail(c, cfg_child(node, "address"),
					    "%s is not a unicast address", addr);
		if (family == 6 && nh.family == 4)
			return compile_fail(c, cfg_child(node, "address"),
					    "an IPv6 route cannot have an IPv4 gateway");
	}
	snprintf(name, sizeof(name), "%s %s", iface,
		 addr != NULL ? addr :
		 family == 4  ? "0.0.0.0" :
				"::");
	nh.nh_id = ids_get(c->ids, ID_NEXTHOP, name);
	if (nh.nh_id == 0)
		return compile_fail(c, node, "out of memory");
	*ret_id = nh.nh_id;
	return compile_add(c, &ip_kinds[IP_KIND_NEXTHOP], &nh, sizeof(nh), node);
}

static int member_cmp(const void *va, const void *vb)
{
	const struct hd_api_nhgroup_member *a = va, *b = vb;

	return a->nh_id < b->nh_id ? -1 : a->nh_id > b->nh_id;
}

int ip_next_hops(struct compile *c, const struct lyd_node *node, uint8_t family,
		 uint32_t *ret_target, uint32_t *ret_id)
{
	struct hd_api_nhgroup group = { 0 };
	char name[HD_API_NHGROUP_MAX * 20];
	size_t len = 0;

	cfg_foreach(nh, node, "next-hop")
	{
		struct hd_api_nhgroup_member *m = &group.member[group.n_members];
		if (group.n_members == HD_API_NHGROUP_MAX)
			return compile_fail(c, nh, "more than %u next hops", HD_API_NHGROUP_MAX);
		int rc = compile_next_hop(c, nh, family, &m->nh_id);
		if (rc < 0)
			return rc;
		m->weight = cfg_u32(nh, "weight", 1);
		for (uint32_t i = 0; i < group.n_members; i++)
			if (group.member[i].nh_id == m->nh_id)
				return compile_fail(
					c, nh,
					"the same next hop twice; give it a larger weight instead");
		group.n_members++;
	}
	if (group.n_members <= 1) {
		*ret_target = group.n_members == 1 ? HD_TARGET_NEXTHOP : HD_TARGET_NONE;
		*ret_id = group.member[0].nh_id;
		return 0;
	}
	qsort(group.member, group.n_members, sizeof(group.member[0]), member_cmp);
	for (uint32_t i = 0; i < group.n_members; i++)
		len += (size_t)snprintf(name + len, sizeof(name) - len, "%s%u*%u", i > 0 ? " " : "",
					group.member[i].nh_id, group.member[i].weight);
	group.group_id = ids_get(c->ids, ID_NHGROUP, name);
	if (group.group_id == 0)
		return compile_fail(c, node, "out of memory");
	*ret_target = HD_TARGET_NHGROUP;
	*ret_id = group.group_id;
	return compile_add(c, &ip_kinds[IP_KIND_NHGROUP], &group,
			   offsetof(struct hd_api_nhgroup, member) +
				   group.n_members * sizeof(group.member[0]),
			   node);
}

/* The SID of the steered route goes behind the policy's lists. */
static int with_service(struct compile *c, const struct lyd_node *node, const char *leaf,
			const char *policy, uint32_t *id)
{
	const char *text = cfg_str(node, leaf);
	uint8_t sid[16];

	if (text == NULL || *id == 0)
		return 0;
	if (!ip_is_unicast(cfg_addr(text, sid), sid))
		return compile_fail(c, cfg_child(node, leaf), "%s is not a SID", text);
	return srv6_policy_service(c, policy, node, sid, id);
}

/* Steer by color: the highest color with a usable policy.  *id 0: there is none. */
static int by_color(struct compile *c, const struct lyd_node *node, uint32_t *id)
{
	const char *text = cfg_str(node, "color-endpoint"), *policy = NULL;
	uint64_t below = UINT64_MAX;
	uint8_t endpoint[16], family;
	int rc = 0;

	*id = 0;
	if (cfg_child(node, "color") == NULL)
		return 0;
	if (text == NULL)
		text = cfg_str(cfg_child(node, "next-hop"), "address");
	family = cfg_addr(text, endpoint);
	if (family == 0)
		return compile_fail(c, node,
				    "no endpoint for the colors: the next hop has no address; give "
				    "'color-endpoint'");
	while (rc == 0 && *id == 0) {
		const struct lyd_node *best = NULL;
		cfg_foreach(color, node, "color")
		{
			uint32_t v = cfg_u32(color, "color", 0);
			if (v < below && (best == NULL || v > cfg_u32(best, "color", 0)))
				best = color;
		}
		if (best == NULL)
			return 0;
		below = cfg_u32(best, "color", 0);
		rc = srv6_policy_by_color(c, best, (uint32_t)below, family, endpoint,
					  cfg_u32(best, "color-only", 0), &policy, id);
	}
	return rc < 0 ? rc : with_service(c, node, "service-sid", policy, id);
}

static int compile_route(struct compile *c, const struct lyd_node *node, uint32_t vrf_id)
{
	struct hd_api_route route = { .vrf_id = vrf_id };
	const char *policy = cfg_str(node, "srv6-policy"), *vrf = cfg_str(node, "lookup-vrf");
	int rc = 0;

	route.family = cfg_prefix(cfg_str(node, "prefix"), route.prefix, &route.plen);
	if (route.family == 0)
		return compile_fail(c, node, "the prefix is not understood");
	if (policy != NULL) {
		route.target = HD_TARGET_POLICY;
		rc = srv6_policy(c, policy, cfg_child(node, "srv6-policy"), &route.id);
		if (rc == 0)
			rc = with_service(c, node, "policy-service-sid", policy, &route.id);
		if (rc == 0 && route.id == 0)
			return 0; /* invalid, and not to drop: the route leaves with it (RFC 9256 section 8.1) */
	} else if (vrf != NULL) {
		route.target = HD_TARGET_VRF;
		route.id = ip_vrf(c, vrf);
		if (route.id == vrf_id)
			return compile_fail(c, node, "a route into its own VRF would loop");
	} else if (cfg_child(node, "special") != NULL) {
		route.target = (uint32_t)cfg_enum(node, "special", HD_TARGET_BLACKHOLE);
	} else {
		rc = by_color(c, node, &route.id);
		if (rc == 0 && route.id != 0)
			route.target = HD_TARGET_POLICY;
		else if (rc == 0)
			rc = ip_next_hops(c, node, route.family, &route.target, &route.id);
	}
	return rc < 0 ? rc : compile_add(c, &ip_kinds[IP_KIND_ROUTE], &route, sizeof(route), node);
}

static int compile_routes(struct compile *c, const struct lyd_node *node, uint32_t vrf_id)
{
	int rc = 0;

	cfg_foreach(route, node, "route") if (rc == 0) rc = compile_route(c, route, vrf_id);
	return rc;
}

static int compile_neighbour(struct compile *c, const struct lyd_node *node)
{
	struct hd_api_neigh neigh = { 0 };
	const char *mac = cfg_str(node, "mac");

	neigh.iface_id = l2_interface(c, cfg_str(node, "interface"), cfg_child(node, "interface"));
	if (neigh.iface_id == 0)
		return -EINVAL;
	neigh.family = cfg_addr(cfg_str(node, "address"), neigh.addr);
	if (!ip_is_unicast(neigh.family, neigh.addr))
		return compile_fail(c, node, "%s is not a unicast address",
				    cfg_str(node, "address"));
	if (!cfg_mac(mac, neigh.mac) || (neigh.mac[0] & 1) != 0)
		return compile_fail(c, cfg_child(node, "mac"), "%s is not a unicast MAC address",
				    mac);
	return compile_add(c, &ip_kinds[IP_KIND_NEIGH], &neigh, sizeof(neigh), node);
}

int ip_compile(struct compile *c)
{
	const struct lyd_node *ip = cfg_top(c->tree, "ip");
	int rc = compile_routes(c, ip, 0);

	cfg_foreach(vrf, ip, "vrf")
	{
		struct hd_api_vrf v = { .vrf_id = ip_vrf(c, cfg_str(vrf, "name")) };
		if (rc < 0)
			return rc;
		snprintf(v.name, sizeof(v.name), "%s", cfg_str(vrf, "name"));
		rc = v.vrf_id == 0 ? compile_fail(c, vrf, "out of memory") :
				     compile_add(c, &ip_kinds[IP_KIND_VRF], &v, sizeof(v), vrf);
		if (rc == 0)
			rc = compile_routes(c, vrf, v.vrf_id);
	}
	cfg_foreach(neigh, ip, "neighbour") if (rc == 0) rc = compile_neighbour(c, neigh);
	return rc;
}
