/* SPDX-License-Identifier: BSD-3-Clause
 * State of SIDs: what the data plane was given, with its counters. */
#include <stdio.h>
#include <string.h>

#include "ctrl/dp_state.h"
#include "ctrl/ip/ip.h"
#include "ctrl/kernel/kernel.h"
#include "ctrl/object_drops.h"
#include "ctrl/running.h"
#include "ctrl/srv6/srv6_private.h"
#include "heddle/api/ip.h"
#include "heddle/api/srv6.h"
#include "heddle/srv6_behavior.h"

static void sid_target(struct ctrl *c, const struct hd_api_srv6_sid *s, char *buf, size_t size)
{
	const struct hd_srv6_behavior_info *info = hd_srv6_behavior_info(s->behavior);
	uint16_t args = info != NULL ? info->args : 0;

	buf[0] = '\0';
	if (mirror_target_text(c->mirror, s->target, s->target_id, buf, size))
		return;
	if (s->target != HD_TARGET_NONE)
		ip_target_text(&running_config(c->running)->set, c->ids, s->target, s->target_id,
			       buf, size);
	else if ((args & (HD_SRV6_ARG_TABLE | HD_SRV6_ARG_TABLE6)) != 0)
		snprintf(buf, size, "vrf %s", ip_vrf_name(c->ids, s->table6));
	else if ((args & HD_SRV6_ARG_TABLE4) != 0)
		snprintf(buf, size, "vrf %s", ip_vrf_name(c->ids, s->table4));
}

/* The name of the model: "end-dt6". */
static const char *behavior_text(uint16_t behavior, char *buf, size_t size)
{
	snprintf(buf, size, "%s", hd_srv6_behavior_name(behavior));
	for (char *p = buf; *p != '\0'; p++)
		if (*p == '.')
			*p = '-';
	return buf;
}

static struct json_object *sid_json(struct ctrl *c, const struct object_drops *drops,
				    const struct hd_api_srv6_sid *s)
{
	struct json_object *o = json_object_new_object(), *flavors = json_object_new_array();
	const char *name = ids_name(c->ids, ID_SID, s->sid_id);
	size_t n_flavors;
	const struct hd_srv6_flavor_name *flavor = hd_srv6_flavor_names(&n_flavors);
	char text[400], ip[48];

	snprintf(text, sizeof(text), "%s/%u", ip_text(6, s->sid, ip, sizeof(ip)), s->plen);
	json_add_str(o, "sid", text);
	if (name != NULL && strchr(name, '@') != NULL)
		json_add_str(o, "name", name);
	json_add_str(o, "behavior", behavior_text(s->behavior, text, sizeof(text)));
	for (size_t i = 0; i < n_flavors; i++)
		if ((s->flavors & flavor[i].bit) != 0)
			json_object_array_add(flavors, json_object_new_string(flavor[i].name));
	json_object_object_add(o, "flavor", flavors);
	sid_target(c, s, text, sizeof(text));
	json_add_str(o, "target", text);
	json_add_counters(o, c->dp, "sid", s->sid_id);
	json_add_drops(o, c->dp, drops, "sid", s->sid_id);
	return o;
}

static struct json_object *sids_json(struct ctrl *c, const struct dp_answer *a)
{
	struct json_object *top = json_object_new_object(), *list = json_object_new_array();
	struct object_drops drops;
	struct hd_api_srv6_sid s;
	size_t off = 0;

	object_drops_read(c->dp, &drops);
	while (dp_answer_next(a, &off, &s, sizeof(s)) != NULL)
		json_object_array_add(list, sid_json(c, &drops, &s));
	object_drops_free(&drops);
	json_object_object_add(top, "sid", list);
	return top;
}

void srv6_sid_state(struct ctrl *c, struct http_req *req)
{
	static const struct dp_state sids = {
		.name = "heddle-srv6:sid-state",
		.type = HD_API_SRV6_SID,
		.dump = true,
		.value = sids_json,
	};

	dp_state_get(c, req, &sids);
}
