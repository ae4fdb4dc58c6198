/* SPDX-License-Identifier: BSD-3-Clause
 * State of policies: the configured ones, for why one is not in force is what people ask. */
#include <stdio.h>

#include "ctrl/cfg.h"
#include "ctrl/restconf.h"
#include "ctrl/running.h"
#include "ctrl/srv6/srv6_private.h"
#include "heddle/api/srv6.h"

static struct json_object *seglist_json(struct ctrl *c, const char *policy,
					const struct lyd_node *node)
{
	struct json_object *o = json_object_new_object();
	char name[80], text[HD_SRV6_SEGS_MAX * 42] = "";
	size_t n = 0;

	json_add_str(o, "name", cfg_str(node, "name"));
	json_add_u32(o, "weight", cfg_u32(node, "weight", 1));
	cfg_foreach(seg, node, "segment") n += (size_t)snprintf(
		text + n, sizeof(text) - n, "%s%s", n > 0 ? ", " : "", cfg_str(seg, "sid"));
	json_add_str(o, "segments", text);
	snprintf(name, sizeof(name), "%s %s", policy, cfg_str(node, "name"));
	json_add_counters(o, c->dp, "seglist", ids_find(c->ids, ID_SEGLIST, name));
	return o;
}

void srv6_policy_state(struct ctrl *c, struct http_req *req)
{
	const struct lyd_node *srv6 = cfg_top(running_config(c->running)->tree, "srv6");
	struct json_object *top = json_object_new_object(), *list = json_object_new_array();

	cfg_foreach(policy, srv6, "policy")
	{
		struct json_object *o = json_object_new_object(), *lists = json_object_new_array();
		const char *name = cfg_str(policy, "name");
		json_add_str(o, "name", name);
		if (cfg_child(policy, "color") != NULL)
			json_add_u32(o, "color", cfg_u32(policy, "color", 0));
		json_add_str(o, "endpoint", cfg_str(policy, "endpoint"));
		json_add_str(o, "encapsulation", cfg_str(policy, "encapsulation"));
		json_add_bool(o, "valid", cfg_child(policy, "segment-list") != NULL);
		json_add_counters(o, c->dp, "policy", ids_find(c->ids, ID_POLICY, name));
		cfg_foreach(sl, policy, "segment-list")
			json_object_array_add(lists, seglist_json(c, name, sl));
		json_object_object_add(o, "segment-list", lists);
		json_object_array_add(list, o);
	}
	json_object_object_add(top, "policy", list);
	restconf_data(req, "heddle-srv6:policy-state", top);
}
