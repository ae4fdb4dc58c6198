/* SPDX-License-Identifier: BSD-3-Clause
 * Endpoint: heddle-srv6 -> SRV6_SID. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/ip/ip.h"
#include "ctrl/srv6/srv6_private.h"
#include "heddle/api/ip.h"
#include "heddle/api/srv6.h"
#include "heddle/srv6_behavior.h"

void srv6_describe_sid(const void *body, char *buf, size_t size)
{
	const struct hd_api_srv6_sid *s = body;
	char text[INET6_ADDRSTRLEN], flavors[HD_SRV6_FLAVORS_STR_MAX];

	snprintf(buf, size, "%s/%u %s%s%s", ip_text(6, s->sid, text, sizeof(text)), s->plen,
		 hd_srv6_behavior_name(s->behavior), s->flavors != 0 ? " with " : "",
		 s->flavors != 0 ? hd_srv6_flavors_str(s->flavors, flavors) : "");
}

static bool prefix_covers(const uint8_t *prefix, uint8_t plen, const uint8_t *addr)
{
	unsigned whole = plen / 8, rest = plen % 8;

	return memcmp(prefix, addr, whole) == 0 &&
	       (rest == 0 || (prefix[whole] ^ addr[whole]) >> (8 - rest) == 0);
}

/* Lengths of the SID's parts, its own or its locator's; a function is as long as the SID beyond its locator. */
static void structure(const struct lyd_node *node, const struct lyd_node *locator,
		      struct hd_api_srv6_sid *sid)
{
	const struct lyd_node *own = cfg_child(node, "structure"),
			      *s = cfg_child(own, "block-length") != NULL ?
					   own :
					   cfg_child(locator, "structure");
	unsigned block = cfg_u32(s, "block-length", 0), ln = cfg_u32(s, "node-length", 0),
		 fn = cfg_u32(s, "function-length", 0);

	if (block == 0)
		return;
	if (s != own && block + ln + fn > sid->plen) /* the node itself: no function */
		fn = block + ln < sid->plen ? sid->plen - block - ln : 0;
	sid->lb_len = (uint8_t)block;
	sid->ln_len = (uint8_t)ln;
	sid->fn_len = (uint8_t)fn;
	sid->arg_len = (uint8_t)cfg_u32(s, "argument-length", 0);
}

const struct lyd_node *srv6_locator_of(const struct lyd_node *srv6, const uint8_t sid[16],
				       uint8_t sid_plen, bool *ret_any)
{
	*ret_any = false;
	cfg_foreach(loc, srv6, "locator")
	{
		uint8_t prefix[16], plen;
		*ret_any = true;
		if (cfg_prefix(cfg_str(loc, "prefix"), prefix, &plen) == 6 && plen <= sid_plen &&
		    prefix_covers(prefix, plen, sid))
			return loc;
	}
	return NULL;
}

/* With locators configured, a SID outside all of them is refused. */
static int check_locator(struct compile *c, const struct lyd_node *srv6, const struct lyd_node *at,
			 const uint8_t sid[16], uint8_t sid_plen)
{
	bool any;

	if (srv6_locator_of(srv6, sid, sid_plen, &any) != NULL || !any)
		return 0;
	return compile_fail(c, at, "%s is in none of the locators", lyd_get_value(at));
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
		{ "next-hop", HD_SRV6_ARG_NEXTHOP | HD_SRV6_ARG_SERVICE, false },
		{ "policy", HD_SRV6_ARG_POLICY, true },
		{ "policy", HD_SRV6_ARG_POLICY, false },
		{ "bridge", HD_SRV6_ARG_L2TABLE, false },
		{ "vlan-table", HD_SRV6_ARG_L2TABLE, false },
		{ "interface", HD_SRV6_ARG_IFACE | HD_SRV6_ARG_SERVICE, false },
		{ "vrf", HD_SRV6_ARG_TABLE | HD_SRV6_ARG_TABLE4 | HD_SRV6_ARG_TABLE6,
		  false }, /* default VRF */
	};
	const struct hd_srv6_behavior_info *info = hd_srv6_behavior_info(sid->behavior);
	const struct lyd_node *behavior = cfg_child(node, "behavior");

	if (info == NULL)
		return compile_fail(c, behavior, "behavior %u is not known", sid->behavior);
	if (sid->behavior == HD_SRV6_END_BM)
		return compile_fail(c, behavior,
				    "end-bm pushes MPLS labels, and there is no MPLS here");
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct lyd_node *leaf = cfg_child(node, rules[i].leaf);
		if (leaf == NULL && rules[i].needed && (info->args & rules[i].args) != 0)
			return compile_fail(c, behavior, "%s needs '%s' (RFC 8986 section %s)",
					    lyd_get_value(behavior), rules[i].leaf, info->section);
		if (leaf != NULL && !rules[i].needed && (info->args & rules[i].args) == 0)
			return compile_fail(c, leaf, "%s has no '%s'%s%s%s",
					    lyd_get_value(behavior), rules[i].leaf,
					    info->section[0] != '\0' ? " (RFC 8986 section " : "",
					    info->section, info->section[0] != '\0' ? ")" : "");
	}
	if (hd_srv6_codepoint(sid->behavior, sid->flavors) == 0)
		return compile_fail(c, cfg_child(node, "flavor"),
				    "%s does not exist with these flavors (RFC 8986 section 4.16)",
				    lyd_get_value(behavior));
	if ((sid->flavors & (HD_SRV6_FLAVOR_NEXT_CSID | HD_SRV6_FLAVOR_REPLACE_CSID)) != 0 &&
	    sid->lb_len == 0)
		return compile_fail(c, cfg_child(node, "flavor"),
				    "a compressed SID needs 'structure', its own or its locator's");
	return 0;
}

/* Functions that are given out are of the upper half of the locator's, which leaves the lower half to SIDs given by
 * hand. */
uint8_t srv6_sid_function(const struct lyd_node *locator, uint32_t n, uint8_t sid[16])
{
	uint32_t len = cfg_u32(cfg_child(locator, "structure"), "function-length", 16);
	uint8_t plen;

	cfg_prefix(cfg_str(locator, "prefix"), sid, &plen);
	if (len < 2 || len > 32 || plen + len > 128 || n == 0 || n >= 1u << (len - 1))
		return 0;
	n |= 1u << (len - 1);
	for (uint32_t bit = 0; bit < len; bit++)
		if ((n >> (len - 1 - bit) & 1) != 0)
			sid[(plen + bit) / 8] |= (uint8_t)(0x80 >> (plen + bit) % 8);
	return (uint8_t)(plen + len);
}

int srv6_sid_allocate(struct compile *c, const struct lyd_node *locator, const struct lyd_node *at,
		      const char *key, uint8_t sid[16])
{
	uint8_t plen = srv6_sid_function(locator, ids_get(c->ids, ID_SID_FUNCTION, key), sid);

	return plen != 0 ? plen :
			   compile_fail(c, at,
					"no function is left in locator '%s': the upper half of "
					"functions of 2 to 32 bits behind its prefix is given out",
					cfg_str(locator, "name"));
}

/* "NAME@LOCATOR" */
static int allocate(struct compile *c, const struct lyd_node *srv6, const struct lyd_node *node,
		    const char *text, struct hd_api_srv6_sid *sid)
{
	const char *name = strchr(text, '@') + 1;
	struct lyd_node *locator;
	char path[128];

	snprintf(path, sizeof(path), "locator[name='%s']", name);
	if (lyd_find_path(srv6, path, 0, &locator) != LY_SUCCESS)
		return compile_fail(c, node, "there is no locator '%s'", name);
	int plen = srv6_sid_allocate(c, locator, node, text, sid->sid);
	if (plen < 0)
		return plen;
	sid->plen = (sid->flavors & (HD_SRV6_FLAVOR_NEXT_CSID | HD_SRV6_FLAVOR_REPLACE_CSID)) != 0 ?
			    (uint8_t)plen :
			    128;
	return 0;
}

static int compile_sid(struct compile *c, const struct lyd_node *srv6, const struct lyd_node *node)
{
	const char *text = cfg_str(node, "sid"), *policy = cfg_str(node, "policy");
	struct hd_api_srv6_sid sid = {
		.behavior = (uint16_t)cfg_enum(node, "behavior", 0),
		.flavors = (uint16_t)cfg_enum_mask(node, "flavor"),
		.upper_allow = cfg_enum_mask(node, "upper-layer"),
		.hmac = (uint8_t)cfg_enum(node, "hmac", HD_SRV6_HMAC_IGNORE),
		.flags = cfg_bool(node, "o-flag", false) ? HD_SRV6_SID_F_OAM : 0,
	};

	int rc = 0;
	bool any;
	if (strchr(text, '@') != NULL)
		rc = allocate(c, srv6, node, text, &sid);
	else if (cfg_prefix(text, sid.sid, &sid.plen) != 6 || !ip_is_unicast(6, sid.sid))
		rc = compile_fail(c, node, "%s is not a SID", text);
	if (rc < 0)
		return rc;
	structure(node, srv6_locator_of(srv6, sid.sid, sid.plen, &any), &sid);
	rc = check_locator(c, srv6, cfg_child(node, "sid"), sid.sid, sid.plen);
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
		rc = srv6_policy_encap(c, policy, node,
				       sid.behavior == HD_SRV6_END_B6_ENCAPS_RED ?
					       HD_SRV6_H_ENCAPS_RED :
					       HD_SRV6_H_ENCAPS,
				       &sid.target_id);
		if (rc == 0 && sid.target_id == 0)
			return 0; /* the BSID leaves with its policy (RFC 9256 section 8.1) */
	} else {
		rc = ip_next_hops(c, node, srv6_sid_family(node, sid.behavior), &sid.target,
				  &sid.target_id);
	}
	if (rc == 0)
		rc = srv6_sid_service(c, node, &sid);
	return rc < 0 ? rc : compile_add(c, &srv6_kinds[SRV6_KIND_SID], &sid, sizeof(sid), node);
}

int srv6_compile_sids(struct compile *c, const struct lyd_node *srv6)
{
	int rc = 0;

	cfg_foreach(key, srv6, "hmac-key") if (rc == 0) rc = srv6_compile_hmac_key(c, key);
	cfg_foreach(sid, srv6, "sid") if (rc == 0) rc = compile_sid(c, srv6, sid);
	return rc;
}
