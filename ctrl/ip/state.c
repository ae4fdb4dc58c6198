/* SPDX-License-Identifier: BSD-3-Clause
 * State of neighbours and routes. */
#include <stdio.h>
#include <string.h>

#include "ctrl/dp_state.h"
#include "ctrl/ip/ip_private.h"
#include "ctrl/kernel/kernel.h"
#include "ctrl/running.h"
#include "heddle/api/ip.h"
#include "heddle/api/l2.h"

static struct json_object *neighbour_json(struct ctrl *c, const void *msg)
{
	static const char *const states[] = { "unknown", "incomplete", "reachable", "stale",
					      "probe",   "static",     "failed",    "kernel" };
	const struct hd_api_neigh_state *n = msg;
	struct json_object *o = json_object_new_object();
	char text[48];

	json_add_str(o, "interface", dp_state_name(c, ID_INTERFACE, n->iface_id));
	json_add_str(o, "address", ip_text(n->family, n->addr, text, sizeof(text)));
	if (n->state != HD_NEIGH_INCOMPLETE && n->state != HD_NEIGH_FAILED)
		json_add_mac(o, "mac", n->mac);
	json_add_str(o, "state",
		     n->state < sizeof(states) / sizeof(states[0]) ? states[n->state] : "unknown");
	json_add_u32(o, "age", n->age_s);
	json_add_u32(o, "packets-held", n->n_held);
	return o;
}

void ip_neighbour_state(struct ctrl *c, struct http_req *req)
{
	static const struct dp_state neighbours = {
		.name = "heddle-ip:neighbour-state",
		.type = HD_API_NEIGH_STATE,
		.list = "neighbour",
		.size = sizeof(struct hd_api_neigh_state),
		.entry = neighbour_json,
	};

	dp_state_get(c, req, &neighbours);
}

/* --- routes ---------------------------------------------------------------------------------- */

static struct json_object *route_json(struct ctrl *c, uint32_t vrf_id, uint8_t family,
				      const uint8_t *prefix, uint8_t plen, const char *kind,
				      const char *target, const char *source)
{
	struct json_object *o = json_object_new_object();
	char ip[48], text[56];

	snprintf(text, sizeof(text), "%s/%u", ip_text(family, prefix, ip, sizeof(ip)), plen);
	json_add_str(o, "vrf", ip_vrf_name(c->ids, vrf_id));
	json_add_str(o, "prefix", text);
	json_add_str(o, "kind", kind);
	json_add_str(o, "target", target);
	json_add_str(o, "source", source);
	return o;
}

static void add_static(struct json_object *list, struct ctrl *c, const struct hd_api_route *r)
{
	static const char *const kinds[] = { "none",        "next-hop",    "next-hop",
					     "blackhole",   "unreachable", "prohibit",
					     "srv6-policy", "vrf",         "host" };
	const char *source = mirror_route_source(c->mirror, r);
	char target[400];

	if (source == NULL ||
	    !mirror_target_text(c->mirror, r->target, r->id, target, sizeof(target)))
		ip_target_text(&running_config(c->running)->set, c->ids, r->target, r->id, target,
			       sizeof(target));
	json_object_array_add(list, route_json(c, r->vrf_id, r->family, r->prefix, r->plen,
					       r->target < sizeof(kinds) / sizeof(kinds[0]) ?
						       kinds[r->target] :
						       "?",
					       target, source != NULL ? source : "configured"));
}

/* The connected prefix of an address, and the address itself. */
static void add_connected(struct json_object *list, struct ctrl *c, const struct hd_api_addr *a,
			  const char *source)
{
	const struct objset *set = &running_config(c->running)->set;
	const struct ctrl_kind *iface_kind = domains_kind(HD_API_IFACE);
	const struct object *o = objset_find(set, iface_kind, &a->iface_id);
	const char *name = ids_name(c->ids, ID_INTERFACE, a->iface_id);
	uint8_t prefix[16], whole = a->family == 4 ? 32 : 128;
	uint32_t vrf_id = 0;

	if (o != NULL)
		vrf_id = ((const struct hd_api_iface *)(const void *)o->body)->vrf_id;
	memcpy(prefix, a->addr, 16);
	for (unsigned bit = a->plen; bit < whole; bit++)
		prefix[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	json_object_array_add(list, route_json(c, vrf_id, a->family, a->addr, whole, "local", name,
					       source));
	if (a->plen < whole)
		json_object_array_add(list, route_json(c, vrf_id, a->family, prefix, a->plen,
						       "connected", name, source));
}

struct mirrored {
	struct json_object *list;
	struct ctrl *c;
};

static void add_mirrored(void *arg, const struct hd_api_addr *a)
{
	struct mirrored *m = arg;

	add_connected(m->list, m->c, a, "kernel");
}

static struct json_object *routes_json(struct ctrl *c, const struct dp_answer *a)
{
	const struct objset *set = &running_config(c->running)->set;
	struct json_object *top = json_object_new_object(), *list = json_object_new_array();
	struct mirrored m = { list, c };
	struct hd_api_route r;
	size_t off = 0;

	for (size_t i = 0; i < set->n; i++)
		if (set->obj[i].kind == &ip_kinds[IP_KIND_ADDR])
			add_connected(list, c, (const void *)set->obj[i].body, "configured");
	mirror_addresses(c->mirror, add_mirrored, &m);
	while (dp_answer_next(a, &off, &r, sizeof(r)) != NULL)
		add_static(list, c, &r);
	json_object_object_add(top, "route", list);
	return top;
}

void ip_route_state(struct ctrl *c, struct http_req *req)
{
	static const struct dp_state routes = {
		.name = "heddle-ip:route-state",
		.type = HD_API_ROUTE,
		.dump = true,
		.value = routes_json,
	};

	dp_state_get(c, req, &routes);
}
