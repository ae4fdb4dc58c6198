/* SPDX-License-Identifier: BSD-3-Clause
 * What the mirror shows: itself, the kernel's routes and neighbours, and what of them is not carried. */
#include <linux/neighbour.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "ctrl/ip/ip.h"
#include "ctrl/kernel/kernel_private.h"
#include "ctrl/restconf.h"

static const char *iface_name(const struct mirror *m, uint32_t id)
{
	const char *name = id != 0 ? ids_name(m->c->ids, ID_INTERFACE, id) : NULL;

	return name != NULL ? name : "";
}

static void links_json(const struct mirror *m, struct json_object *top)
{
	struct json_object *list = json_object_new_array();

	for (const struct klink *l = m->model.links; l != NULL; l = l->next) {
		struct json_object *o = json_object_new_object();
		json_add_str(o, "netdev", l->l.name);
		if (l->iface_id != 0)
			json_add_str(o, "interface", iface_name(m, l->iface_id));
		json_add_bool(o, "twin", l->twin);
		json_add_bool(o, "kernel-forwards-ipv4", l->l.forwards4);
		json_add_bool(o, "kernel-forwards-ipv6", l->l.forwards6);
		json_object_array_add(list, o);
	}
	json_object_object_add(top, "link", list);
}

void kernel_state(struct ctrl *c, struct http_req *req)
{
	struct json_object *o = json_object_new_object();
	const struct mirror *m = c->mirror;

	json_add_bool(o, "enabled", m != NULL && m->conf.enabled);
	if (m != NULL && m->conf.enabled) {
		json_add_str(o, "namespace", m->conf.netns);
		if (m->problem[0] != '\0')
			json_add_str(o, "problem", m->problem);
		json_add_bool(o, "complete", m->sock != NULL && nlsock_synced(m->sock));
		json_add_bool(o, "carried",
			      m->dirty == NULL && m->dirty_items == NULL && !m->in_flight &&
				      m->dpos_ready);
		json_add_u32(o, "prefixes", m->model.n_prefixes);
		json_add_u32(o, "routes", m->model.n_routes);
		json_add_u32(o, "ways", m->model.n_ways);
		json_add_u32(o, "next-hop-objects", m->model.n_nexthops);
		json_add_u32(o, "refused", m->n_refused);
		json_add_u32(o, "waiting", m->n_dirty);
		json_add_u64(o, "messages", m->count.messages);
		json_add_u64(o, "unreadable", m->count.unreadable);
		json_add_u64(o, "overruns", m->count.overruns);
		json_add_u64(o, "dumps", m->count.dumps);
		json_add_u64(o, "transactions", m->count.transactions);
		json_add_u64(o, "transactions-refused", m->count.refused_transactions);
		json_add_u64(o, "objects-set", m->count.sent);
		json_add_u64(o, "objects-deleted", m->count.deleted);
		links_json(m, o);
	}
	restconf_data(req, "heddle-kernel:kernel-state", o);
}

static const char *type_name(uint8_t type)
{
	static const char *const names[] = { "unspec",   "unicast",   "local",     "broadcast",
					     "anycast",  "multicast", "blackhole", "unreachable",
					     "prohibit", "throw",     "nat",       "xresolve" };

	return type < sizeof(names) / sizeof(names[0]) ? names[type] : "?";
}

/* What became of the prefix. */
static void fate_json(struct mirror *m, struct kprefix *p, struct json_object *o)
{
	struct wanted w = { 0 };

	if (!m->dpos_ready) {
		json_add_str(o, "state", "waiting for a data plane");
		return;
	}
	prefix_wanted(m, p, &w);
	if (p->waits_for_room)
		w.why = "no space in the data plane (heddle-dp --routes4, --routes6, --sids)";
	json_add_str(o, "state",
		     w.why != NULL	  ? "refused" :
		     p->dirty		  ? "waiting" :
		     p->sent == SENT_SID  ? "sid" :
		     p->sent == SENT_NONE ? "configured" : /* or it comes with an address */
					    "carried");
	if (w.why == NULL)
		return;
	json_add_str(o, "reason", w.why);
	json_add_str(o, "packets",
		     w.target == HD_TARGET_HOST ? "to the kernel" :
		     p->waits_for_room          ? "as without this route" :
						  "dropped");
}

static struct json_object *prefix_json(struct mirror *m, struct kprefix *p)
{
	struct json_object *o = json_object_new_object();
	char ip[48], text[64], buf[8];

	snprintf(text, sizeof(text), "%s/%u",
		 ip_text(p->family == AF_INET ? 4 : 6, p->addr, ip, sizeof(ip)), p->plen);
	json_add_u32(o, "table", p->table);
	json_add_str(o, "prefix", text);
	json_add_str(o, "protocol", protocol_name(p->first->protocol, buf));
	json_add_str(o, "type", type_name(p->first->type));
	json_add_u32(o, "metric", p->first->priority);
	if (p->first->way->nh_id != 0)
		json_add_u32(o, "next-hop-object", p->first->way->nh_id);
	fate_json(m, p, o);
	return o;
}

static void prefixes(struct ctrl *c, struct http_req *req, const char *name, bool refused_only)
{
	struct json_object *top = json_object_new_object(), *list = json_object_new_array();
	struct mirror *m = c->mirror;

	for (uint32_t b = 0; m != NULL && b < m->model.n_prefix_buckets; b++)
		for (struct kprefix *p = m->model.prefixes[b]; p != NULL; p = p->hnext)
			if (p->first != NULL && (!refused_only || p->not_carried))
				json_object_array_add(list, prefix_json(m, p));
	json_object_object_add(top, "route", list);
	restconf_data(req, name, top);
}

void kernel_routes(struct ctrl *c, struct http_req *req)
{
	prefixes(c, req, "heddle-kernel:kernel-routes", false);
}

void kernel_refused(struct ctrl *c, struct http_req *req)
{
	prefixes(c, req, "heddle-kernel:kernel-refused", true);
}

static const char *nud_name(uint16_t state)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} names[] = { { NUD_INCOMPLETE, "incomplete" }, { NUD_REACHABLE, "reachable" },
		      { NUD_STALE, "stale" },           { NUD_DELAY, "delay" },
		      { NUD_PROBE, "probe" },           { NUD_FAILED, "failed" },
		      { NUD_NOARP, "noarp" },           { NUD_PERMANENT, "permanent" } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((state & names[i].bit) != 0)
			return names[i].name;
	return "none";
}

void kernel_neighbours(struct ctrl *c, struct http_req *req)
{
	struct json_object *top = json_object_new_object(), *list = json_object_new_array();
	const struct mirror *m = c->mirror;
	char text[48];

	for (uint32_t b = 0; m != NULL && b < m->model.n_item_buckets; b++)
		for (const struct kitem *i = m->model.items[b]; i != NULL; i = i->hnext) {
			const struct klink *l = model_link(m, i->index);
			if (!i->is_neigh || i->gone || l == NULL || l->iface_id == 0)
				continue;
			struct json_object *o = json_object_new_object();
			json_add_str(o, "interface", iface_name(m, l->iface_id));
			json_add_str(o, "address",
				     ip_text(i->family == AF_INET ? 4 : 6, i->addr, text,
					     sizeof(text)));
			if (i->state != NUD_NONE)
				json_add_mac(o, "mac", i->mac);
			json_add_str(o, "state", nud_name(i->state));
			json_add_bool(o, "carried", i->sent);
			json_object_array_add(list, o);
		}
	json_object_object_add(top, "neighbour", list);
	restconf_data(req, "heddle-kernel:kernel-neighbours", top);
}
