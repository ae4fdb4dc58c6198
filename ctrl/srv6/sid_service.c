/* SPDX-License-Identifier: BSD-3-Clause
 * Endpoint, beyond the next segment: what SIDs of frames and proxies need, and keys of the HMAC TLV.
 * The way back from a service is ingress steering of its interface: into a policy (end-as, end-ad) or to the SID
 * itself (end-am). */
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/l2/l2.h"
#include "ctrl/srv6/srv6_private.h"
#include "heddle/api/ip.h"
#include "heddle/api/l2.h"
#include "heddle/api/srv6.h"
#include "heddle/srv6_behavior.h"

uint8_t srv6_sid_family(const struct lyd_node *node, uint16_t behavior)
{
	return behavior == HD_SRV6_END_DX4 || cfg_enum(cfg_child(node, "service"), "payload", 0) ==
						      HD_SRV6_INNER_IP4 ?
		       4 :
		       6;
}

static int need(struct compile *c, const struct lyd_node *node, const char *what, const char *leaf)
{
	return compile_fail(c, cfg_child(node, "behavior"), "%s needs %s", what, leaf);
}

/* ---- frames ---------------------------------------------------------------------------------- */

static int read_l2(struct compile *c, const struct lyd_node *node, uint16_t args,
		   struct hd_api_srv6_sid *sid)
{
	const char *behavior = cfg_str(node, "behavior"), *iface = cfg_str(node, "interface");
	const char *leaf = sid->behavior == HD_SRV6_END_DX2V ? "vlan-table" : "bridge";
	const char *other = sid->behavior == HD_SRV6_END_DX2V ? "bridge" : "vlan-table";

	if ((args & HD_SRV6_ARG_IFACE) != 0 && iface == NULL)
		return need(c, node, behavior, "'interface'");
	if (iface != NULL) {
		sid->iface = l2_interface(c, iface, cfg_child(node, "interface"));
		if (sid->iface == 0)
			return -EINVAL;
	}
	if ((args & HD_SRV6_ARG_L2TABLE) == 0)
		return 0;
	if (cfg_child(node, leaf) == NULL)
		return compile_fail(c, cfg_child(node, "behavior"), "%s needs '%s'", behavior,
				    leaf);
	if (cfg_child(node, other) != NULL)
		return compile_fail(c, cfg_child(node, other), "%s has no '%s'", behavior, other);
	sid->l2_table = sid->behavior == HD_SRV6_END_DX2V ?
				l2_vlan_table(c, cfg_str(node, leaf), cfg_child(node, leaf)) :
				l2_bridge(c, cfg_str(node, leaf), cfg_child(node, leaf));
	return sid->l2_table != 0 ? 0 : -EINVAL;
}

/* ---- proxies --------------------------------------------------------------------------------- */

/* The policy of the way back: the static cache, or an empty one that end-ad fills. */
static int back_policy(struct compile *c, const struct lyd_node *node, struct hd_api_srv6_sid *sid,
		       uint32_t *ret_id)
{
	const struct lyd_node *service = cfg_child(node, "service");
	const char *policy = cfg_str(service, "policy");
	struct hd_api_srv6_policy p = { .encap = sid->inner == HD_SRV6_INNER_ETH ?
							 HD_SRV6_H_ENCAPS_L2 :
							 HD_SRV6_H_ENCAPS };
	char name[96];

	if (sid->behavior == HD_SRV6_END_AS) {
		if (policy == NULL)
			return need(c, node, "end-as", "'policy' under 'service'");
		return sid->inner == HD_SRV6_INNER_ETH ?
			       srv6_l2_policy(c, policy, cfg_child(service, "policy"), ret_id) :
			       srv6_policy(c, policy, cfg_child(service, "policy"), ret_id);
	}
	snprintf(name, sizeof(name), "cache %s",
		 cfg_str(node, "sid")); /* no policy has a space in its name */
	p.policy_id = ids_get(c->ids, ID_POLICY, name);
	if (p.policy_id == 0)
		return compile_fail(c, node, "out of memory");
	snprintf(p.name, sizeof(p.name), "%.*s", (int)sizeof(p.name) - 1, name);
	*ret_id = sid->cache = p.policy_id;
	return compile_add(c, &srv6_kinds[SRV6_KIND_POLICY], &p,
			   offsetof(struct hd_api_srv6_policy, list), node);
}

static int read_service(struct compile *c, const struct lyd_node *node, struct hd_api_srv6_sid *sid)
{
	const struct lyd_node *service = cfg_child(node, "service");
	const char *from = cfg_str(service, "from-interface"),
		   *behavior = cfg_str(node, "behavior");
	struct hd_api_srv6_ingress in = { 0 };
	uint32_t policy = 0;
	int rc = 0;

	sid->inner = (uint8_t)cfg_enum(service, "payload", HD_SRV6_INNER_NONE);
	if (from == NULL)
		return need(c, node, behavior, "'from-interface' under 'service'");
	if (sid->behavior == HD_SRV6_END_AM && sid->inner != HD_SRV6_INNER_NONE)
		return compile_fail(c, cfg_child(service, "payload"), "end-am has no 'payload'");
	if (sid->behavior != HD_SRV6_END_AM && sid->inner == HD_SRV6_INNER_NONE)
		return need(c, node, behavior, "'payload' under 'service'");
	if (sid->inner == HD_SRV6_INNER_ETH ? sid->iface == 0 : sid->target == HD_TARGET_NONE)
		return need(c, node, behavior,
			    sid->inner == HD_SRV6_INNER_ETH ? "'interface'" : "'next-hop'");
	if (sid->behavior != HD_SRV6_END_AM)
		rc = back_policy(c, node, sid, &policy);
	in.iface_id = l2_interface(c, from, cfg_child(service, "from-interface"));
	if (in.iface_id == 0)
		return -EINVAL;
	if (rc < 0 || sid->inner == HD_SRV6_INNER_ETH)
		return rc; /* srv6_service_interface() gives the interface its policy */
	in.am_sid_id = sid->behavior == HD_SRV6_END_AM ? sid->sid_id : 0;
	in.policy4_id = sid->inner == HD_SRV6_INNER_IP4 ? policy : 0;
	in.policy6_id = sid->inner == HD_SRV6_INNER_IP6 ? policy : 0;
	return compile_add(c, &srv6_kinds[SRV6_KIND_INGRESS], &in, sizeof(in), service);
}

int srv6_service_interface(struct compile *c, const char *name, struct hd_api_iface *iface)
{
	const struct lyd_node *srv6 = cfg_top(c->tree, "srv6");

	cfg_foreach(sid, srv6, "sid")
	{
		const struct lyd_node *service = cfg_child(sid, "service");
		const char *from = cfg_str(service, "from-interface"),
			   *policy = cfg_str(service, "policy");
		char cache[96];

		if (from == NULL || strcmp(from, name) != 0)
			continue;
		if (cfg_enum(service, "payload", 0) != HD_SRV6_INNER_ETH) {
			iface->flags |= HD_IFACE_F_INGRESS;
			continue;
		}
		if (policy != NULL)
			return srv6_l2_policy(c, policy, cfg_child(service, "policy"),
					      &iface->l2_policy_id);
		snprintf(cache, sizeof(cache), "cache %s", cfg_str(sid, "sid"));
		iface->l2_policy_id = ids_get(c->ids, ID_POLICY, cache);
	}
	return 0;
}

int srv6_sid_service(struct compile *c, const struct lyd_node *node, struct hd_api_srv6_sid *sid)
{
	uint16_t args = hd_srv6_behavior_info(sid->behavior)->args;
	int rc = read_l2(c, node, args, sid);

	if (rc < 0)
		return rc;
	if ((args & HD_SRV6_ARG_SERVICE) != 0)
		return read_service(c, node, sid);
	if (cfg_child(cfg_child(node, "service"), "from-interface") != NULL)
		return compile_fail(c, cfg_child(node, "service"), "%s has no 'service'",
				    cfg_str(node, "behavior"));
	return 0;
}

/* ---- keys ------------------------------------------------------------------------------------ */

int srv6_compile_hmac_key(struct compile *c, const struct lyd_node *node)
{
	const char *before = cfg_str(node, "not-before"), *after = cfg_str(node, "not-after");
	struct hd_api_srv6_hmac_key k = {
		.key_id = cfg_u32(node, "key-id", 0),
		.format = (uint8_t)cfg_enum(node, "format", HD_SRV6_HMAC_RFC8754),
		.not_before = before != NULL ? strtoull(before, NULL, 10) : 0,
		.not_after = after != NULL ? strtoull(after, NULL, 10) : 0,
	};
	int rc;

	k.secret_len = (uint8_t)cfg_secret(cfg_str(node, "secret"), k.secret, sizeof(k.secret));
	if (k.secret_len == 0)
		return compile_fail(
			c, cfg_child(node, "secret"),
			"the secret is longer than 64 octets, or 0x without an even number of "
			"hexadecimal digits");
	if (k.not_after != 0 && k.not_after <= k.not_before)
		return compile_fail(c, cfg_child(node, "not-after"),
				    "the key ends before it begins");
	rc = compile_add(c, &srv6_kinds[SRV6_KIND_HMAC_KEY], &k, sizeof(k), node);
	explicit_bzero(&k, sizeof(k));
	return rc;
}

void srv6_describe_hmac_key(const void *body, char *buf, size_t size)
{
	const struct hd_api_srv6_hmac_key *k = body;

	snprintf(buf, size, "%u%s", k->key_id, k->format == HD_SRV6_HMAC_LINUX ? " linux" : "");
}
