/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/debug/explain_entry.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/domains.h"
#include "ctrl/dp_state.h"
#include "ctrl/ip/ip.h"
#include "ctrl/kernel/kernel.h"
#include "ctrl/running.h"
#include "heddle/api/ip.h"
#include "heddle/api/l2.h"
#include "heddle/api/srv6.h"

static const struct object *by_key(struct ctrl *c, uint16_t type, const void *key)
{
	const struct ctrl_kind *kind = domains_kind(type);

	return kind != NULL ? objset_find(&running_config(c->running)->set, kind, key) : NULL;
}

static bool in_prefix(const uint8_t *a, const uint8_t *b, unsigned plen)
{
	unsigned bytes = plen / 8, rest = plen % 8;

	return memcmp(a, b, bytes) == 0 &&
	       (rest == 0 || ((a[bytes] ^ b[bytes]) & (0xff00u >> rest) & 0xff) == 0);
}

/* The object a prefix comes from that is no route. */
static const struct object *by_prefix(struct ctrl *c, const struct hd_api_explain_entry *e)
{
	const struct objset *set = &running_config(c->running)->set;

	for (size_t i = 0; i < set->n; i++) {
		const struct object *o = &set->obj[i];
		if (o->kind->type == HD_API_ADDR &&
		    (e->arg == HD_EXPLAIN_SRC_LOCAL || e->arg == HD_EXPLAIN_SRC_CONNECTED)) {
			struct hd_api_addr a = { 0 };
			memcpy(&a, o->body, o->size < sizeof(a) ? o->size : sizeof(a));
			bool local = e->arg == HD_EXPLAIN_SRC_LOCAL;
			if (a.family == e->family && (local || a.plen == e->plen) &&
			    in_prefix(a.addr, e->addr, e->plen))
				return o;
		} else if (o->kind->type == HD_API_NEIGH && e->arg == HD_EXPLAIN_SRC_NEIGH) {
			struct hd_api_neigh n = { 0 };
			memcpy(&n, o->body, o->size < sizeof(n) ? o->size : sizeof(n));
			if (n.family == e->family && memcmp(n.addr, e->addr, 16) == 0)
				return o;
		} else if (o->kind->type == HD_API_SRV6_SID && e->arg == HD_EXPLAIN_SRC_SID) {
			struct hd_api_srv6_sid s = { 0 };
			memcpy(&s, o->body, o->size < sizeof(s) ? o->size : sizeof(s));
			if (s.vrf_id == e->vrf_id && s.plen == e->plen &&
			    memcmp(s.sid, e->addr, 16) == 0)
				return o;
		}
	}
	return NULL;
}

static const struct object *sid_by_id(struct ctrl *c, uint32_t id)
{
	const struct objset *set = &running_config(c->running)->set;

	for (size_t i = 0; i < set->n; i++) {
		struct hd_api_srv6_sid s = { 0 };
		if (set->obj[i].kind->type != HD_API_SRV6_SID)
			continue;
		memcpy(&s, set->obj[i].body,
		       set->obj[i].size < sizeof(s) ? set->obj[i].size : sizeof(s));
		if (s.sid_id == id)
			return &set->obj[i];
	}
	return NULL;
}

static const struct object *rule_by_id(struct ctrl *c, uint32_t id)
{
	const struct objset *set = &running_config(c->running)->set;

	for (size_t i = 0; i < set->n; i++) {
		struct hd_api_srv6_rule r = { 0 };
		if (set->obj[i].kind->type != HD_API_SRV6_RULE)
			continue;
		memcpy(&r, set->obj[i].body,
		       set->obj[i].size < sizeof(r) ? set->obj[i].size : sizeof(r));
		if (r.rule_id == id)
			return &set->obj[i];
	}
	return NULL;
}

static const char *const adj_states[] = { "resolved", "its address is not known yet",
					  "the destination is the neighbour", "it does not answer",
					  "interface or link down" };

/* What follows the kind's number in "kind number: words" of describe(). */
static void described(struct explain_found *f)
{
	char text[280];

	if (f->object == NULL)
		return;
	object_describe(f->object, text, sizeof(text));
	snprintf(f->name, sizeof(f->name), "%s", text);
}

static void find_route(struct ctrl *c, const struct hd_api_explain_entry *e,
		       struct explain_found *f)
{
	static const char *const sources[] = { "", ", connected", ", neighbour", ", own address",
					       ", SID" };
	char addr[INET6_ADDRSTRLEN];

	f->kind = "route";
	snprintf(f->name, sizeof(f->name), "%s/%u in VRF %s%s",
		 ip_text(e->family, e->addr, addr, sizeof(addr)), e->plen,
		 ip_vrf_name(c->ids, e->vrf_id),
		 e->arg < sizeof(sources) / sizeof(sources[0]) ? sources[e->arg] : "");
	if (e->arg == HD_EXPLAIN_SRC_ROUTE) {
		struct hd_api_route key = { .vrf_id = e->vrf_id,
					    .family = e->family,
					    .plen = e->plen };
		memcpy(key.prefix, e->addr, 16);
		f->object = by_key(c, HD_API_ROUTE, &key);
		const char *source = f->object == NULL ? mirror_route_source(c->mirror, &key) :
							 NULL;
		size_t len = strlen(f->name);
		if (source != NULL)
			snprintf(f->name + len, sizeof(f->name) - len, ", of the kernel (%s)",
				 source);
	} else {
		f->object = by_prefix(c, e);
	}
}

/* ---- segment lists and policies ---------------------------------------------------------------------------------- */

/* The policy that the step's entries name before entry k; false: none, or it is not configured. */
static bool policy_before(struct ctrl *c, const struct hd_api_explain_step *s, unsigned k,
			  struct hd_api_srv6_policy *ret)
{
	while (k-- > 0) {
		const struct object *o = s->entry[k].kind == HD_EXPLAIN_POLICY ?
						 by_key(c, HD_API_SRV6_POLICY, &s->entry[k].id) :
						 NULL;
		if (o == NULL)
			continue;
		memset(ret, 0, sizeof(*ret));
		memcpy(ret, o->body, o->size < sizeof(*ret) ? o->size : sizeof(*ret));
		return true;
	}
	return false;
}

/* Which share of the policy's flows a list is meant to get. */
static void add_share(struct ctrl *c, const struct hd_api_explain_step *s, unsigned k,
		      struct explain_found *f)
{
	struct hd_api_srv6_policy p;
	uint32_t mine = 0, all = 0;
	size_t len = strlen(f->name);

	if (!policy_before(c, s, k, &p))
		return;
	for (unsigned i = 0; i < p.n_lists && i < sizeof(p.list) / sizeof(p.list[0]); i++) {
		all += p.list[i].weight;
		if (p.list[i].seglist_id == s->entry[k].id)
			mine += p.list[i].weight;
	}
	if (mine != 0)
		snprintf(f->name + len, sizeof(f->name) - len, ", weight %u of %u", mine, all);
}

static void find_policy(struct ctrl *c, const struct hd_api_explain_entry *e,
			struct explain_found *f)
{
	const char *name = ids_name(c->ids, ID_POLICY, e->id);

	f->kind = "policy";
	f->object = by_key(c, HD_API_SRV6_POLICY, &e->id);
	if (name != NULL)
		snprintf(f->name, sizeof(f->name), "%s", name);
	else if (!mirror_target_text(c->mirror, HD_TARGET_POLICY, e->id, f->name, sizeof(f->name)))
		snprintf(f->name, sizeof(f->name), "%u", e->id);
	else
		snprintf(f->name + strlen(f->name), sizeof(f->name) - strlen(f->name),
			 ", of the kernel");
}

static void find_sid(struct ctrl *c, const struct hd_api_explain_entry *e, struct explain_found *f)
{
	char addr[INET6_ADDRSTRLEN];

	f->kind = "sid";
	f->object = sid_by_id(c, e->id);
	snprintf(f->name, sizeof(f->name), "%s/%u, of the kernel",
		 ip_text(6, e->addr, addr, sizeof(addr)), e->plen);
	described(f);
}

/* ---- bridges ----------------------------------------------------------------------------------------------------- */

static void find_member(struct ctrl *c, const struct hd_api_explain_entry *e,
			struct explain_found *f)
{
	static const char *const what[] = { "the frame came from there",
					    "the destination was learned there",
					    "the destination is configured there" };
	const char *name = ids_name(c->ids, ID_BRIDGE_MEMBER, e->id),
		   *own = name != NULL ? strchr(name, ' ') : NULL; /* "BRIDGE MEMBER" */

	f->kind = "member";
	if (e->arg >= sizeof(what) / sizeof(what[0])) {
		snprintf(f->name, sizeof(f->name), "all: the destination is a group, or not known");
		return;
	}
	f->object = by_key(c, HD_API_BRIDGE_PORT, &e->id);
	snprintf(f->name, sizeof(f->name), "%s: %s", own != NULL ? own + 1 : "?", what[e->arg]);
}

static void find_vlan(struct ctrl *c, const struct hd_api_explain_entry *e, struct explain_found *f)
{
	struct hd_api_vlan_entry key = { .table_id = e->id,
					 .outer_vid = (uint16_t)(e->vrf_id >> 16),
					 .inner_vid = (uint16_t)e->vrf_id };

	f->kind = "vlan";
	f->object = by_key(c, HD_API_VLAN_ENTRY, &key);
	snprintf(f->name, sizeof(f->name), "tags %u %u in VLAN table %s%s", key.outer_vid,
		 key.inner_vid, dp_state_name(c, ID_VLAN_TABLE, e->id),
		 f->object == NULL ? ": none" : "");
}

/* ---- any -------------------------------------------------------------------------------------------------------- */

void explain_entry_find(struct ctrl *c, const struct hd_api_explain_step *s, unsigned k,
			struct explain_found *f)
{
	static const char *const specials[] = { "blackhole", "unreachable", "prohibit" };
	const struct hd_api_explain_entry *e = &s->entry[k];
	char addr[INET6_ADDRSTRLEN];

	*f = (struct explain_found){ .kind = "entry" };
	ip_text(e->family == 4 ? 4 : 6, e->addr, addr, sizeof(addr));
	switch (e->kind) {
	case HD_EXPLAIN_IFACE:
		f->kind = "interface";
		f->object = by_key(c, HD_API_IFACE, &e->id);
		snprintf(f->name, sizeof(f->name), "%s", dp_state_name(c, ID_INTERFACE, e->id));
		break;
	case HD_EXPLAIN_ROUTE:
		find_route(c, e, f);
		break;
	case HD_EXPLAIN_NO_ROUTE:
		f->kind = "no-route";
		snprintf(f->name, sizeof(f->name), "%s is in no prefix of VRF %s", addr,
			 ip_vrf_name(c->ids, e->vrf_id));
		break;
	case HD_EXPLAIN_NEXTHOP:
	case HD_EXPLAIN_NEIGH:
		f->kind = e->kind == HD_EXPLAIN_NEXTHOP ? "next-hop" : "neighbour";
		if (e->kind == HD_EXPLAIN_NEXTHOP)
			f->object = by_key(c, HD_API_NEXTHOP, &e->id);
		snprintf(f->name, sizeof(f->name), "%s on %s: %s", addr,
			 dp_state_name(c, ID_INTERFACE, e->vrf_id),
			 e->arg < sizeof(adj_states) / sizeof(adj_states[0]) ? adj_states[e->arg] :
									       "?");
		break;
	case HD_EXPLAIN_NHGROUP:
		f->kind = "next-hop-group";
		f->object = by_key(c, HD_API_NHGROUP, &e->id);
		snprintf(f->name, sizeof(f->name), "%u", e->id);
		break;
	case HD_EXPLAIN_CONNECTED:
		f->kind = "connected";
		f->object = by_key(c, HD_API_IFACE, &e->id);
		snprintf(f->name, sizeof(f->name), "%s on %s: not known yet", addr,
			 dp_state_name(c, ID_INTERFACE, e->id));
		break;
	case HD_EXPLAIN_LOCAL:
		f->kind = "local";
		snprintf(f->name, sizeof(f->name), "an address of this node");
		break;
	case HD_EXPLAIN_SID:
		find_sid(c, e, f);
		break;
	case HD_EXPLAIN_POLICY:
		find_policy(c, e, f);
		break;
	case HD_EXPLAIN_SEGLIST:
		f->kind = "segment-list";
		f->object = by_key(c, HD_API_SRV6_SEGLIST, &e->id);
		snprintf(f->name, sizeof(f->name), "%u", e->id);
		described(f);
		add_share(c, s, k, f);
		break;
	case HD_EXPLAIN_RULE:
		f->kind = "rule";
		f->object = rule_by_id(c, e->id);
		snprintf(f->name, sizeof(f->name), "%s", dp_state_name(c, ID_RULE, e->id));
		described(f);
		break;
	case HD_EXPLAIN_BRIDGE:
		f->kind = "bridge";
		f->object = by_key(c, HD_API_BRIDGE, &e->id);
		snprintf(f->name, sizeof(f->name), "%s", dp_state_name(c, ID_BRIDGE, e->id));
		break;
	case HD_EXPLAIN_MEMBER:
		find_member(c, e, f);
		break;
	case HD_EXPLAIN_VLAN:
		find_vlan(c, e, f);
		break;
	case HD_EXPLAIN_SPECIAL:
		f->kind = "special";
		snprintf(f->name, sizeof(f->name), "%s", e->id < 3 ? specials[e->id] : "?");
		break;
	default:
		snprintf(f->name, sizeof(f->name), "kind %u, %u", e->kind, e->id);
		break;
	}
}

void explain_add_path(struct json_object *o, const struct object *object)
{
	const struct lyd_node *node = object != NULL ? object->origin : NULL;
	char *path = node != NULL ? lyd_path(node, LYD_PATH_STD, NULL, 0) : NULL;

	if (path != NULL)
		json_add_str(o, "path", path);
	free(path);
}

struct json_object *explain_entries_json(struct ctrl *c, const struct hd_api_explain_step *s)
{
	struct json_object *list = json_object_new_array();

	for (unsigned i = 0; i < s->n_entries && i < HD_EXPLAIN_ENTRIES_MAX; i++) {
		struct json_object *o = json_object_new_object();
		struct explain_found f;
		explain_entry_find(c, s, i, &f);
		json_add_str(o, "kind", f.kind);
		json_add_str(o, "name", f.name);
		explain_add_path(o, f.object);
		json_object_array_add(list, o);
	}
	return list;
}
