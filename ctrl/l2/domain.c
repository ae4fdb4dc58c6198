/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "ctrl/l2/l2_private.h"
#include "heddle/api/l2.h"

static void describe_port(const void *body, char *buf, size_t size)
{
	const struct hd_api_port *p = body;

	snprintf(buf, size, "%.31s (%u) %.255s", p->name, p->port_id, p->devargs);
}

static void describe_iface(const void *body, char *buf, size_t size)
{
	const struct hd_api_iface *i = body;
	char tags[32] = "";

	if (i->outer_tpid != 0 && i->inner_vid != 0)
		snprintf(tags, sizeof(tags), " vlan %u.%u", i->outer_vid, i->inner_vid);
	else if (i->outer_tpid != 0)
		snprintf(tags, sizeof(tags), " vlan %u", i->outer_vid);
	snprintf(buf, size, "%.31s (%u)%s vrf %u%s", i->name, i->iface_id, tags, i->vrf_id,
		 (i->flags & HD_IFACE_F_UP) != 0 ? "" : " disabled");
}

const struct ctrl_kind l2_kinds[] = {
	[L2_KIND_PORT] = { HD_API_PORT, 4, sizeof(struct hd_api_port), "port", describe_port },
	[L2_KIND_IFACE] = { HD_API_IFACE, 4, sizeof(struct hd_api_iface), "interface",
			    describe_iface },
	[L2_KIND_XDP_RULE] = { HD_API_XDP_RULE, HD_API_XDP_RULE_KEY, sizeof(struct hd_api_xdp_rule),
			       "steering-rule", l2_describe_rule },
	[L2_KIND_BRIDGE] = { HD_API_BRIDGE, 4, sizeof(struct hd_api_bridge), "bridge",
			     l2_describe_bridge },
	[L2_KIND_BRIDGE_PORT] = { HD_API_BRIDGE_PORT, 4, sizeof(struct hd_api_bridge_port),
				  "bridge-member", l2_describe_bridge_port },
	[L2_KIND_BRIDGE_MAC] = { HD_API_BRIDGE_MAC, 12, sizeof(struct hd_api_bridge_mac),
				 "static-mac", l2_describe_bridge_mac },
	[L2_KIND_VLAN_ENTRY] = { HD_API_VLAN_ENTRY, 8, sizeof(struct hd_api_vlan_entry),
				 "vlan-entry", l2_describe_vlan_entry },
	{ 0 },
};

const struct ctrl_domain l2_domain = {
	.name = "l2",
	.modules = (const char *const[]){ "heddle-interfaces", "heddle-bridge", NULL },
	.kinds = l2_kinds,
	.compile = l2_compile,
	.states =
		(const struct ctrl_state[]){
			{ "heddle-interfaces:interface-state", l2_interface_state },
			{ "heddle-interfaces:steering-state", l2_steering_state },
			{ "heddle-bridge:bridge-state", l2_bridge_state },
			{ 0 } },
};
