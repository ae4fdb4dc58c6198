/* SPDX-License-Identifier: BSD-3-Clause
 * State of interfaces: what is configured, with the port's link and the counters. */
#include <stdio.h>
#include <string.h>

#include "ctrl/dp_state.h"
#include "ctrl/ip/ip.h"
#include "ctrl/l2/l2_private.h"
#include "ctrl/running.h"
#include "heddle/api/debug.h"
#include "heddle/api/ip.h"
#include "heddle/api/l2.h"

static bool port_state(const struct dp_answer *a, uint32_t port_id, struct hd_api_port_state *ret)
{
	size_t off = 0;

	while (dp_answer_next(a, &off, ret, sizeof(*ret)) != NULL)
		if (ret->port_id == port_id)
			return true;
	return false;
}

static void add_addresses(struct json_object *o, const struct objset *set, uint32_t iface_id)
{
	struct json_object *list = json_object_new_array();
	char ip[48], text[56];

	for (size_t i = 0; i < set->n; i++) {
		const struct hd_api_addr *a = (const void *)set->obj[i].body;
		if (set->obj[i].kind != &ip_kinds[IP_KIND_ADDR] || a->iface_id != iface_id)
			continue;
		snprintf(text, sizeof(text), "%s/%u", ip_text(a->family, a->addr, ip, sizeof(ip)),
			 a->plen);
		json_object_array_add(list, json_object_new_string(text));
	}
	json_object_object_add(o, "address", list);
}

/* What the device of a port says of itself. */
static void add_device(struct json_object *o, const struct hd_api_port_state *ps,
		       const struct hd_api_port *port)
{
	const struct {
		const char *name;
		uint64_t value;
	} counters[] = { { "rx-missed", ps->rx_missed },
			 { "rx-errors", ps->rx_errors },
			 { "rx-no-buffer", ps->rx_nombuf },
			 { "tx-errors", ps->tx_errors } };
	struct json_object *list;

	json_add_u32(o, "rx-queues", ps->n_rxq);
	json_add_u32(o, "tx-queues", ps->n_txq);
	if (port != NULL &&
	    strncmp(port->devargs, "net_", 4) != 0) /* a PCI address, and options behind it */
		json_object_object_add(o, "device",
				       json_object_new_string_len(
					       port->devargs, (int)strcspn(port->devargs, ",")));
	if (!json_object_object_get_ex(o, "counter", &list))
		return;
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		struct json_object *e = json_object_new_object();

		json_add_str(e, "name", counters[i].name);
		json_add_u64(e, "value", counters[i].value);
		json_object_array_add(list, e);
	}
}

static struct json_object *interface_json(struct ctrl *c, const struct hd_api_iface *i,
					  const struct dp_answer *a)
{
	static const uint8_t no_mac[6];
	const struct objset *set = &running_config(c->running)->set;
	const struct object *port_obj = objset_find(set, &l2_kinds[L2_KIND_PORT], &i->port_id);
	const struct hd_api_port *port = port_obj != NULL ? (const void *)port_obj->body : NULL;
	struct hd_api_port_state ps;
	struct json_object *o = json_object_new_object();
	bool have = port_state(a, i->port_id, &ps);

	json_add_str(o, "name", i->name);
	json_add_u32(o, "id", i->iface_id);
	json_add_str(o, "kind", i->outer_tpid != 0 ? "subinterface" : "port");
	json_add_str(o, "port", port != NULL ? port->name : "?");
	json_add_str(o, "vrf", ip_vrf_name(c->ids, i->vrf_id));
	json_add_bool(o, "enabled", (i->flags & HD_IFACE_F_UP) != 0);
	json_add_str(o, "link", !have ? "unknown" : ps.up != 0 ? "up" : "down");
	if (have && ps.speed_mbps != 0 && ps.speed_mbps != UINT32_MAX)
		json_add_u32(o, "speed-mbps", ps.speed_mbps);
	uint32_t mtu = i->mtu != 0                    ? i->mtu :
		       have                           ? ps.mtu :
		       port != NULL && port->mtu != 0 ? port->mtu :
							1500;
	json_add_u32(o, "mtu", mtu);
	if (memcmp(i->mac, no_mac, 6) != 0)
		json_add_mac(o, "mac", i->mac);
	else if (have)
		json_add_mac(o, "mac", ps.mac);
	if (have) {
		ps.driver[sizeof(ps.driver) - 1] = '\0';
		json_add_str(o, "driver", ps.driver);
	}
	if (i->outer_tpid != 0)
		json_add_u32(o, "outer-vlan", i->outer_vid);
	if (i->inner_vid != 0)
		json_add_u32(o, "inner-vlan", i->inner_vid);
	add_addresses(o, set, i->iface_id);
	json_add_counters(o, c->dp, "interface", i->iface_id);
	if (have && i->outer_tpid == 0)
		add_device(o, &ps, port);
	return o;
}

static struct json_object *interfaces_json(struct ctrl *c, const struct dp_answer *a)
{
	const struct objset *set = &running_config(c->running)->set;
	struct json_object *top = json_object_new_object(), *list = json_object_new_array();

	for (size_t i = 0; i < set->n; i++)
		if (set->obj[i].kind == &l2_kinds[L2_KIND_IFACE])
			json_object_array_add(list,
					      interface_json(c, (const void *)set->obj[i].body, a));
	json_object_object_add(top, "interface", list);
	return top;
}

void l2_interface_state(struct ctrl *c, struct http_req *req)
{
	/* Without a data plane the configured interfaces are still worth showing: their links are unknown then. */
	static const struct dp_state interfaces = {
		.name = "heddle-interfaces:interface-state",
		.type = HD_API_PORT_STATE,
		.anyway = true,
		.value = interfaces_json,
	};

	dp_state_get(c, req, &interfaces);
}
