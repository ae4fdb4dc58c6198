/* SPDX-License-Identifier: BSD-3-Clause
 * The domain: headend (policy.c, policy_state.c, path.c, bsid.c, csid.c), steering (steering.c, steering_state.c) and
 * endpoint (sid.c, sid_service.c, sid_state.c, oam_state.c). */
#include "ctrl/cfg.h"
#include "ctrl/srv6/bsid.h"
#include "ctrl/srv6/srv6_private.h"
#include "heddle/api/srv6.h"

static int srv6_compile(struct compile *c)
{
	const struct lyd_node *srv6 = cfg_top(c->tree, "srv6");
	int rc = srv6_compile_policies(c, srv6);

	if (rc == 0)
		rc = srv6_compile_sids(c, srv6);
	return rc == 0 ? srv6_compile_steering(c, srv6) : rc;
}

const struct ctrl_kind srv6_kinds[] = {
	[SRV6_KIND_CONF] = { HD_API_SRV6_CONF, 4, sizeof(struct hd_api_srv6_conf),
			     "srv6-encapsulation", srv6_describe_conf },
	[SRV6_KIND_SEGLIST] = { HD_API_SRV6_SEGLIST, 4, sizeof(struct hd_api_srv6_seglist),
				"segment-list", srv6_describe_seglist },
	[SRV6_KIND_POLICY] = { HD_API_SRV6_POLICY, 4, sizeof(struct hd_api_srv6_policy), "policy",
			       srv6_describe_policy },
	[SRV6_KIND_SID] = { HD_API_SRV6_SID, HD_API_SRV6_SID_KEY, sizeof(struct hd_api_srv6_sid),
			    "sid", srv6_describe_sid },
	[SRV6_KIND_DOMAIN] = { HD_API_SRV6_DOMAIN, 4, sizeof(struct hd_api_srv6_domain),
			       "sr-domain", srv6_describe_domain },
	[SRV6_KIND_RULE] = { HD_API_SRV6_RULE, HD_API_SRV6_RULE_KEY,
			     sizeof(struct hd_api_srv6_rule), "classifier-rule",
			     srv6_describe_rule },
	[SRV6_KIND_INGRESS] = { HD_API_SRV6_INGRESS, 4, sizeof(struct hd_api_srv6_ingress),
				"ingress", srv6_describe_ingress },
	[SRV6_KIND_HMAC_KEY] = { HD_API_SRV6_HMAC_KEY, 4, sizeof(struct hd_api_srv6_hmac_key),
				 "hmac-key", srv6_describe_hmac_key },
	{ 0 },
};

const struct ctrl_domain srv6_domain = {
	.name = "srv6",
	.modules = (const char *const[]){ "heddle-srv6", NULL },
	.kinds = srv6_kinds,
	.compile = srv6_compile,
	.in_force = srv6_bsid_tell,
	.states =
		(const struct ctrl_state[]){
			{ "heddle-srv6:sid-state", srv6_sid_state },
			{ "heddle-srv6:policy-state", srv6_policy_state },
			{ "heddle-srv6:classifier-state", srv6_classifier_state },
			{ "heddle-srv6:oam-state", srv6_oam_state },
			{ "heddle-srv6:capability-state", srv6_capability_state },
			{ 0 } },
	.ops = (const struct ctrl_op[]){ { "heddle-srv6:path-state", srv6_path_state }, { 0 } },
};
