/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "ctrl/ip/ip_private.h"
#include "heddle/api/ip.h"

bool ip_is_unicast(uint8_t family, const uint8_t addr[16])
{
	static const uint8_t zero[16];

	if (family == 4)
		return addr[0] != 0 && addr[0] != 127 && addr[0] < 224;
	return family == 6 && addr[0] != 0xff && memcmp(addr, zero, 16) != 0;
}

const char *ip_text(uint8_t family, const uint8_t addr[16], char *buf, size_t size)
{
	const char *text = inet_ntop(family == 4 ? AF_INET : AF_INET6, addr, buf, (socklen_t)size);

	return text != NULL ? text : "?";
}

const char *ip_vrf_name(const struct ids *ids, uint32_t vrf_id)
{
	const char *name = vrf_id == 0 ? "default" : ids_name(ids, ID_VRF, vrf_id);

	return name != NULL ? name : "?";
}

static const char *target_name(uint32_t target)
{
	static const char *const names[] = { "none",      "next-hop",    "group",
					     "blackhole", "unreachable", "prohibit",
					     "policy",    "vrf",         "host" };

	return target < sizeof(names) / sizeof(names[0]) ? names[target] : "?";
}

static void nexthop_text(const struct objset *set, const struct ids *ids, uint32_t id, char *buf,
			 size_t size)
{
	const struct object *o = objset_find(set, &ip_kinds[IP_KIND_NEXTHOP], &id);
	static const uint8_t zero[16];
	char addr[INET6_ADDRSTRLEN];

	if (o == NULL) {
		snprintf(buf, size, "next-hop %u", id);
		return;
	}
	const struct hd_api_nexthop *nh = (const void *)o->body;
	const char *iface = ids_name(ids, ID_INTERFACE, nh->iface_id);
	if (memcmp(nh->gateway, zero, 16) == 0)
		snprintf(buf, size, "on-link %s", iface != NULL ? iface : "?");
	else
		snprintf(buf, size, "%s %s", ip_text(nh->family, nh->gateway, addr, sizeof(addr)),
			 iface != NULL ? iface : "?");
}

void ip_target_text(const struct objset *set, const struct ids *ids, uint32_t target, uint32_t id,
		    char *buf, size_t size)
{
	if (target == HD_TARGET_NEXTHOP) {
		nexthop_text(set, ids, id, buf, size);
	} else if (target == HD_TARGET_NHGROUP) {
		const struct object *o = objset_find(set, &ip_kinds[IP_KIND_NHGROUP], &id);
		const struct hd_api_nhgroup *g = o != NULL ? (const void *)o->body : NULL;
		size_t n = 0;
		buf[0] = '\0';
		for (uint32_t i = 0; g != NULL && i < g->n_members && n + 80 < size; i++) {
			char nh[80];
			nexthop_text(set, ids, g->member[i].nh_id, nh, sizeof(nh));
			n += (size_t)snprintf(buf + n, size - n, "%s%s weight %u",
					      i > 0 ? ", " : "", nh, g->member[i].weight);
		}
		if (g == NULL)
			snprintf(buf, size, "group %u", id);
	} else if (target == HD_TARGET_POLICY) {
		const char *name = ids_name(ids, ID_POLICY, id);
		snprintf(buf, size, "policy %s", name != NULL ? name : "?");
	} else if (target == HD_TARGET_VRF) {
		snprintf(buf, size, "vrf %s", ip_vrf_name(ids, id));
	} else {
		snprintf(buf, size, "%s", target_name(target));
	}
}

static void describe_vrf(const void *body, char *buf, size_t size)
{
	const struct hd_api_vrf *v = body;

	snprintf(buf, size, "%.31s (%u)", v->name, v->vrf_id);
}

static void describe_addr(const void *body, char *buf, size_t size)
{
	const struct hd_api_addr *a = body;
	char text[INET6_ADDRSTRLEN];

	snprintf(buf, size, "%s/%u on interface %u",
		 ip_text(a->family, a->addr, text, sizeof(text)), a->plen, a->iface_id);
}

static void describe_nexthop(const void *body, char *buf, size_t size)
{
	const struct hd_api_nexthop *n = body;
	char text[INET6_ADDRSTRLEN];

	snprintf(buf, size, "%u: %s on interface %u", n->nh_id,
		 ip_text(n->family, n->gateway, text, sizeof(text)), n->iface_id);
}

static void describe_nhgroup(const void *body, char *buf, size_t size)
{
	const struct hd_api_nhgroup *g = body;
	int n = snprintf(buf, size, "%u:", g->group_id);

	for (uint32_t i = 0;
	     i < g->n_members && i < HD_API_NHGROUP_MAX && n > 0 && (size_t)n < size; i++)
		n += snprintf(buf + n, size - (size_t)n, " %u*%u", g->member[i].nh_id,
			      g->member[i].weight);
}

static void describe_route(const void *body, char *buf, size_t size)
{
	const struct hd_api_route *r = body;
	char text[INET6_ADDRSTRLEN];

	snprintf(buf, size, "%s/%u vrf %u -> %s %u",
		 ip_text(r->family, r->prefix, text, sizeof(text)), r->plen, r->vrf_id,
		 target_name(r->target), r->id);
}

static void describe_neigh(const void *body, char *buf, size_t size)
{
	const struct hd_api_neigh *n = body;
	char text[INET6_ADDRSTRLEN];

	snprintf(buf, size, "%s on interface %u is %02x:%02x:%02x:%02x:%02x:%02x",
		 ip_text(n->family, n->addr, text, sizeof(text)), n->iface_id, n->mac[0], n->mac[1],
		 n->mac[2], n->mac[3], n->mac[4], n->mac[5]);
}

const struct ctrl_kind ip_kinds[] = {
	[IP_KIND_VRF] = { HD_API_VRF, 4, sizeof(struct hd_api_vrf), "vrf", describe_vrf },
	[IP_KIND_ADDR] = { HD_API_ADDR, HD_API_ADDR_KEY, sizeof(struct hd_api_addr), "address",
			   describe_addr },
	[IP_KIND_NEXTHOP] = { HD_API_NEXTHOP, 4, sizeof(struct hd_api_nexthop), "next-hop",
			      describe_nexthop },
	[IP_KIND_NHGROUP] = { HD_API_NHGROUP, 4, sizeof(struct hd_api_nhgroup), "next-hop-group",
			      describe_nhgroup },
	[IP_KIND_ROUTE] = { HD_API_ROUTE, HD_API_ROUTE_KEY, sizeof(struct hd_api_route), "route",
			    describe_route },
	[IP_KIND_NEIGH] = { HD_API_NEIGH, HD_API_NEIGH_KEY, sizeof(struct hd_api_neigh),
			    "neighbour", describe_neigh },
	{ 0 },
};

const struct ctrl_domain ip_domain = {
	.name = "ip",
	.modules = (const char *const[]){ "heddle-ip", NULL },
	.kinds = ip_kinds,
	.compile = ip_compile,
	.states = (const struct ctrl_state[]){ { "heddle-ip:neighbour-state", ip_neighbour_state },
					       { "heddle-ip:route-state", ip_route_state },
					       { 0 } },
};
