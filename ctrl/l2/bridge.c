/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-bridge -> BRIDGE, BRIDGE_PORT, BRIDGE_MAC and VLAN_ENTRY; and the addresses bridges know. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/dp_state.h"
#include "ctrl/l2/l2_private.h"
#include "ctrl/running.h"
#include "ctrl/srv6/srv6.h"
#include "heddle/api/debug.h"
#include "heddle/api/l2.h"

void l2_describe_bridge(const void *body, char *buf, size_t size)
{
	const struct hd_api_bridge *b = body;

	snprintf(buf, size, "%.31s (%u)", b->name, b->bridge_id);
}

void l2_describe_bridge_port(const void *body, char *buf, size_t size)
{
	const struct hd_api_bridge_port *p = body;

	snprintf(buf, size, "%u of bridge %u: interface %u, policy %u", p->member_id, p->bridge_id,
		 p->iface_id, p->policy_id);
}

static const char *mac_text(const uint8_t m[6], char buf[18])
{
	snprintf(buf, 18, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
	return buf;
}

void l2_describe_bridge_mac(const void *body, char *buf, size_t size)
{
	const struct hd_api_bridge_mac *m = body;
	char text[18];

	snprintf(buf, size, "%s of bridge %u behind member %u", mac_text(m->mac, text),
		 m->bridge_id, m->member_id);
}

void l2_describe_vlan_entry(const void *body, char *buf, size_t size)
{
	const struct hd_api_vlan_entry *e = body;

	snprintf(buf, size, "table %u, tags %u %u: interface %u", e->table_id, e->outer_vid,
		 e->inner_vid, e->iface_id);
}

static bool exists(const struct compile *c, const char *list, const char *name)
{
	const struct lyd_node *bridges = cfg_top(c->tree, "bridges");

	cfg_foreach(b, bridges, list) if (strcmp(cfg_str(b, "name"), name) == 0) return true;
	return false;
}

uint32_t l2_bridge(struct compile *c, const char *name, const struct lyd_node *at)
{
	if (!exists(c, "bridge", name)) {
		compile_fail(c, at, "there is no bridge '%s'", name);
		return 0;
	}
	return ids_get(c->ids, ID_BRIDGE, name);
}

uint32_t l2_vlan_table(struct compile *c, const char *name, const struct lyd_node *at)
{
	if (!exists(c, "vlan-table", name)) {
		compile_fail(c, at, "there is no VLAN table '%s'", name);
		return 0;
	}
	return ids_get(c->ids, ID_VLAN_TABLE, name);
}

static uint32_t member_id(struct compile *c, const char *bridge, const char *member)
{
	char name[80];

	snprintf(name, sizeof(name), "%s %s", bridge, member);
	return ids_get(c->ids, ID_BRIDGE_MEMBER, name);
}

static int compile_member(struct compile *c, const struct lyd_node *node, const char *bridge,
			  uint32_t bridge_id)
{
	const char *name = cfg_str(node, "name"), *policy = cfg_str(node, "srv6-policy"),
		   *remote = cfg_str(node, "remote-source");
	struct hd_api_bridge_port p = {
		.member_id = member_id(c, bridge, name),
		.bridge_id = bridge_id,
		.group = (uint8_t)cfg_u32(node, "split-horizon-group",
					  policy != NULL ? HD_BRIDGE_GROUP_CORE : 0),
		.segment = (uint16_t)cfg_u32(node, "ethernet-segment", 0),
	};
	int rc;

	if (p.member_id == 0 || p.member_id >= HD_BRIDGE_MEMBERS_MAX)
		return compile_fail(c, node, "more than %u members of bridges",
				    HD_BRIDGE_MEMBERS_MAX - 1);
	if (policy != NULL) {
		rc = srv6_l2_policy(c, policy, cfg_child(node, "srv6-policy"), &p.policy_id);
		if (rc < 0 || p.policy_id == 0)
			return rc; /* an invalid policy has left the forwarding plane */
		if (remote != NULL)
			cfg_addr(remote, p.remote);
	} else {
		p.iface_id = l2_interface(c, name, cfg_child(node, "name"));
		if (p.iface_id == 0)
			return -EINVAL;
	}
	return compile_add(c, &l2_kinds[L2_KIND_BRIDGE_PORT], &p, sizeof(p), node);
}

static int compile_static(struct compile *c, const struct lyd_node *bridge,
			  const struct lyd_node *node, uint32_t bridge_id)
{
	const char *name = cfg_str(bridge, "name"), *member = cfg_str(node, "member");
	struct hd_api_bridge_mac m = { .bridge_id = bridge_id };
	bool found = false;

	cfg_foreach(i, bridge, "member") found |= strcmp(cfg_str(i, "name"), member) == 0;
	if (!found)
		return compile_fail(c, cfg_child(node, "member"), "bridge '%s' has no member '%s'",
				    name, member);
	if (!cfg_mac(cfg_str(node, "mac"), m.mac) || (m.mac[0] & 1) != 0)
		return compile_fail(c, cfg_child(node, "mac"), "%s is not a unicast MAC address",
				    cfg_str(node, "mac"));
	m.member_id = member_id(c, name, member);
	return compile_add(c, &l2_kinds[L2_KIND_BRIDGE_MAC], &m, sizeof(m), node);
}

static int compile_bridge(struct compile *c, const struct lyd_node *node)
{
	const char *name = cfg_str(node, "name"), *unknown = cfg_str(node, "unknown-unicast");
	struct hd_api_bridge b = {
		.bridge_id = ids_get(c->ids, ID_BRIDGE, name),
		.ageing_s = cfg_u32(node, "ageing-time", 0),
		.flags = cfg_bool(node, "learning", true) ? 0 : HD_BRIDGE_F_NO_LEARN,
	};
	int rc;

	if (b.bridge_id == 0 || b.bridge_id >= HD_BRIDGES_MAX)
		return compile_fail(c, node, "more than %u bridges", HD_BRIDGES_MAX - 1);
	if (unknown != NULL && strcmp(unknown, "drop") == 0)
		b.flags |= HD_BRIDGE_F_NO_FLOOD;
	snprintf(b.name, sizeof(b.name), "%s", name);
	rc = compile_add(c, &l2_kinds[L2_KIND_BRIDGE], &b, sizeof(b), node);
	cfg_foreach(m, node, "member") if (rc == 0) rc = compile_member(c, m, name, b.bridge_id);
	cfg_foreach(m, node, "static-mac") if (rc == 0)
		rc = compile_static(c, node, m, b.bridge_id);
	return rc;
}

static int compile_vlan_entry(struct compile *c, const struct lyd_node *node, uint32_t table_id)
{
	struct hd_api_vlan_entry e = {
		.table_id = table_id,
		.outer_vid = (uint16_t)cfg_u32(node, "outer", 0),
		.inner_vid = (uint16_t)cfg_u32(node, "inner", 0),
		.iface_id =
			l2_interface(c, cfg_str(node, "interface"), cfg_child(node, "interface")),
	};

	if (e.iface_id == 0)
		return -EINVAL;
	if (e.outer_vid == 0 && e.inner_vid != 0)
		return compile_fail(c, node, "an inner tag needs an outer one");
	return compile_add(c, &l2_kinds[L2_KIND_VLAN_ENTRY], &e, sizeof(e), node);
}

int l2_bridge_compile(struct compile *c)
{
	const struct lyd_node *top = cfg_top(c->tree, "bridges");
	int rc = 0;

	cfg_foreach(b, top, "bridge") if (rc == 0) rc = compile_bridge(c, b);
	cfg_foreach(t, top, "vlan-table")
	{
		uint32_t id = ids_get(c->ids, ID_VLAN_TABLE, cfg_str(t, "name"));
		cfg_foreach(e, t, "entry") if (rc == 0) rc = compile_vlan_entry(c, e, id);
	}
	return rc;
}

/* --- state ----------------------------------------------------------------------------------- */

static struct json_object *mac_json(struct ctrl *c, const void *msg)
{
	const struct hd_api_bridge_mac_state *m = msg;
	const char *member = ids_name(c->ids, ID_BRIDGE_MEMBER, m->member_id);
	struct json_object *o = json_object_new_object();
	char text[18];

	json_add_str(o, "bridge", dp_state_name(c, ID_BRIDGE, m->bridge_id));
	json_add_str(o, "mac", mac_text(m->mac, text));
	member = member != NULL ? strchr(member, ' ') : NULL; /* "BRIDGE MEMBER" */
	json_add_str(o, "member", member != NULL ? member + 1 : "?");
	json_add_bool(o, "static", m->is_static != 0);
	json_add_u32(o, "age", m->age_s);
	return o;
}

void l2_bridge_state(struct ctrl *c, struct http_req *req)
{
	static const struct dp_state macs = {
		.name = "heddle-bridge:bridge-state",
		.type = HD_API_BRIDGE_MAC_STATE,
		.list = "mac",
		.size = sizeof(struct hd_api_bridge_mac_state),
		.entry = mac_json,
	};

	dp_state_get(c, req, &macs);
}
