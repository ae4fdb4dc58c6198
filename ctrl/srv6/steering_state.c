/* SPDX-License-Identifier: BSD-3-Clause
 * State of classifiers: the rules that were compiled, with what they matched. */
#include <stdio.h>

#include "ctrl/cfg.h"
#include "ctrl/restconf.h"
#include "ctrl/running.h"
#include "ctrl/srv6/srv6_private.h"
#include "heddle/api/srv6.h"

static struct json_object *rule_json(struct ctrl *c, const struct hd_api_srv6_rule *r)
{
	struct json_object *o = json_object_new_object();
	const char *policy = ids_name(c->ids, ID_POLICY, r->policy_id);
	char text[240];

	json_add_u32(o, "number", r->seq);
	json_add_str(o, "family", r->family == 4 ? "ipv4" : "ipv6");
	json_add_str(o, "match", srv6_rule_text(r, text, sizeof(text)));
	snprintf(text, sizeof(text), "policy %s", policy != NULL ? policy : "?");
	json_add_str(o, "action",
		     r->action == HD_SRV6_RULE_STEER ? text :
		     r->action == HD_SRV6_RULE_DROP  ? "drop" :
						       "pass");
	json_add_counters(o, c->dp, "rule", r->rule_id);
	return o;
}

void srv6_classifier_state(struct ctrl *c, struct http_req *req)
{
	const struct config *cfg = running_config(c->running);
	struct json_object *top = json_object_new_object(), *list = json_object_new_array();

	cfg_foreach(cl, cfg_top(cfg->tree, "srv6"), "classifier")
	{
		struct json_object *o = json_object_new_object(), *rules = json_object_new_array();
		uint32_t id = ids_find(c->ids, ID_CLASSIFIER, cfg_str(cl, "name"));
		json_add_str(o, "name", cfg_str(cl, "name"));
		json_add_counters(o, c->dp, "classifier", id);
		for (size_t i = 0; i < cfg->set.n; i++) { /* sorted by classifier, family, number */
			const struct hd_api_srv6_rule *r = (const void *)cfg->set.obj[i].body;
			if (cfg->set.obj[i].kind == &srv6_kinds[SRV6_KIND_RULE] && r->acl_id == id)
				json_object_array_add(rules, rule_json(c, r));
		}
		json_object_object_add(o, "rule", rules);
		json_object_array_add(list, o);
	}
	json_object_object_add(top, "classifier", list);
	restconf_data(req, "heddle-srv6:classifier-state", top);
}
