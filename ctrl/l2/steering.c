/* SPDX-License-Identifier: BSD-3-Clause
 * xdp-steering of ports -> XDP_RULE: what of a shared device is Heddle's follows from the configuration that is there
 * anyway (addresses, locators and SIDs, VLANs), with what the operator adds or leaves to the kernel. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/dp_state.h"
#include "ctrl/ip/ip.h"
#include "ctrl/kernel/kernel.h"
#include "ctrl/l2/l2_private.h"
#include "ctrl/running.h"
#include "heddle/api/debug.h"
#include "heddle/api/l2.h"

enum { MODE_OWNED, MODE_ALL };

/* Values of the leaf-list "service", and what each is on the wire. */
static const struct {
	const char *name;
	uint8_t match;
	uint16_t number;
} services[] = {
	{ "nsh", HD_XDP_ETHERTYPE, 0x894f },    /* RFC 8300 section 7.1 */
	{ "pppoe", HD_XDP_ETHERTYPE, 0x8863 },  /* RFC 2516 section 4: discovery */
	{ "pppoe", HD_XDP_ETHERTYPE, 0x8864 },  /* and session */
	{ "vxlan-gpe", HD_XDP_UDP_PORT, 4790 }, /* IANA */
	{ "stamp", HD_XDP_UDP_PORT, 862 },      /* RFC 8762 section 4.1 */
	{ "pfcp", HD_XDP_UDP_PORT, 8805 },      /* IANA */
	{ "bfd", HD_XDP_UDP_PORT, 3784 },       /* RFC 5881 section 4 */
	{ "bfd", HD_XDP_UDP_PORT, 4784 },       /* RFC 5883 section 5: multihop */
};

/* "prefix fc00:1::/48", "VLAN 100.7", "UDP port 862" */
static void match_text(const struct hd_api_xdp_rule *r, char *buf, size_t size)
{
	char addr[48];

	switch (r->match) {
	case HD_XDP_UNICAST:
		snprintf(buf, size, "all unicast");
		break;
	case HD_XDP_LINK_LOCAL:
		snprintf(buf, size, "link-local ND");
		break;
	case HD_XDP_ETHERTYPE:
		snprintf(buf, size, "ethertype %#06x", r->number);
		break;
	case HD_XDP_VLAN:
		if (r->inner != 0)
			snprintf(buf, size, "VLAN %u.%u", r->number, r->inner);
		else
			snprintf(buf, size, "VLAN %u", r->number);
		break;
	case HD_XDP_UDP_PORT:
		snprintf(buf, size, "UDP port %u", r->number);
		break;
	default:
		snprintf(buf, size, "prefix %s/%u", ip_text(r->family, r->addr, addr, sizeof(addr)),
			 r->plen);
		break;
	}
}

void l2_describe_rule(const void *body, char *buf, size_t size)
{
	const struct hd_api_xdp_rule *r = body;
	char text[80];

	match_text(r, text, sizeof(text));
	snprintf(buf, size, "port %u: %s to %s", r->port_id, text,
		 r->action == HD_XDP_KERNEL ? "the kernel" : "Heddle");
}

struct steering {
	struct compile *c;
	const struct lyd_node *conf; /* container xdp-steering */
	const char *port;
	uint32_t port_id;
};

static int rule_add(const struct steering *s, struct hd_api_xdp_rule *r,
		    const struct lyd_node *origin)
{
	char text[80], name[128];

	r->port_id = s->port_id;
	match_text(r, text, sizeof(text));
	snprintf(name, sizeof(name), "%s %s", s->port, text);
	r->rule_id = ids_get(s->c->ids, ID_STEERING, name);
	if (r->rule_id == 0)
		return compile_fail(s->c, origin, "out of memory");
	if (r->rule_id >= HD_XDP_RULES_MAX)
		return compile_fail(s->c, origin, "more than %u steering rules",
				    HD_XDP_RULES_MAX - 1);
	return compile_add(s->c, &l2_kinds[L2_KIND_XDP_RULE], r, sizeof(*r), origin);
}

static int number_add(const struct steering *s, uint8_t match, uint16_t number, uint16_t inner,
		      const struct lyd_node *origin)
{
	struct hd_api_xdp_rule r = { .match = match, .number = number, .inner = inner };

	return rule_add(s, &r, origin);
}

/* A prefix as text; bits behind its length are cleared, as the model's "10.0.0.1/8" may have some. */
static int prefix_add(const struct steering *s, const char *text, uint16_t action,
		      const struct lyd_node *origin)
{
	struct hd_api_xdp_rule r = { .match = HD_XDP_PREFIX, .action = action };

	r.family = cfg_prefix(text, r.addr, &r.plen);
	if (r.family == 0)
		return compile_fail(s->c, origin, "%s is no prefix", text);
	for (unsigned b = r.plen; b < 128; b++)
		r.addr[b / 8] &= (uint8_t) ~(0x80u >> b % 8);
	return rule_add(s, &r, origin);
}

/* Addresses of the port's own interface with ARP and ND; those of others so that packets to them arrive. */
static int addresses_add(const struct steering *s, const struct lyd_node *iface)
{
	static const char *const families[] = { "ipv4", "ipv6" };
	bool here = strcmp(cfg_str(iface, "name"), s->port) == 0;
	int rc = 0;

	for (size_t f = 0; f < 2; f++) {
		cfg_foreach(a, cfg_child(iface, families[f]), "address")
		{
			struct hd_api_xdp_rule r = { .match = HD_XDP_PREFIX,
						     .flags = here ? HD_XDP_F_OWN : 0 };
			r.family = cfg_addr(cfg_str(a, "ip"), r.addr);
			r.plen = r.family == 4 ? 32 : 128;
			rc = rule_add(s, &r, a);
			if (rc == 0 && here && r.family == 6)
				rc = number_add(s, HD_XDP_LINK_LOCAL, 0, 0, iface);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

static int srv6_add(const struct steering *s)
{
	const struct lyd_node *srv6 = cfg_top(s->c->tree, "srv6");
	int rc = 0;

	cfg_foreach(l, srv6, "locator")
	{
		if (rc == 0)
			rc = prefix_add(s, cfg_str(l, "prefix"), HD_XDP_HEDDLE, l);
	}
	cfg_foreach(sid, srv6, "sid")
	{
		if (rc == 0)
			rc = prefix_add(s, cfg_str(sid, "sid"), HD_XDP_HEDDLE, sid);
	}
	return rc;
}

static int extra_add(const struct steering *s)
{
	int rc = 0;

	cfg_foreach(n, s->conf, "service")
	{
		for (size_t i = 0; i < sizeof(services) / sizeof(services[0]) && rc == 0; i++)
			if (strcmp(services[i].name, lyd_get_value(n)) == 0)
				rc = number_add(s, services[i].match, services[i].number, 0, n);
	}
	cfg_foreach(n, s->conf, "udp-port")
	{
		if (rc == 0)
			rc = number_add(s, HD_XDP_UDP_PORT, (uint16_t)atoi(lyd_get_value(n)), 0, n);
	}
	cfg_foreach(n, s->conf, "prefix")
	{
		if (rc == 0)
			rc = prefix_add(s, lyd_get_value(n), HD_XDP_HEDDLE, n);
	}
	cfg_foreach(n, s->conf, "kernel-prefix")
	{
		if (rc == 0)
			rc = prefix_add(s, lyd_get_value(n), HD_XDP_KERNEL, n);
	}
	return rc;
}

/* What the mirror of the kernel knows, unless the configuration says it otherwise. */
static int mirrored_add(void *arg, const struct kernel_owned *o)
{
	const struct steering *s = arg;
	struct hd_api_xdp_rule r = { .match = HD_XDP_PREFIX,
				     .action = o->kernel ? HD_XDP_KERNEL : HD_XDP_HEDDLE,
				     .family = o->family,
				     .plen = o->plen };
	char text[80], name[128];

	memcpy(r.addr, o->addr, sizeof(r.addr));
	match_text(&r, text, sizeof(text));
	snprintf(name, sizeof(name), "%s %s", s->port, text);
	return ids_used(s->c->ids, ID_STEERING, name) != 0 ? 0 : rule_add(s, &r, s->conf);
}

int l2_compile_steering(struct compile *c, const struct lyd_node *port, uint32_t port_id)
{
	struct steering s = { .c = c,
			      .conf = cfg_child(port, "xdp-steering"),
			      .port = cfg_str(port, "name"),
			      .port_id = port_id };
	bool addresses = cfg_bool(s.conf, "addresses", true),
	     vlans = cfg_bool(s.conf, "vlans", true);
	int rc = 0;

	if (s.conf == NULL)
		return 0;
	cfg_foreach(iface, cfg_top(c->tree, "interfaces"), "interface")
	{
		const char *parent = cfg_str(iface, "parent");
		if (rc == 0 && addresses)
			rc = addresses_add(&s, iface);
		if (rc == 0 && vlans && parent != NULL && strcmp(parent, s.port) == 0)
			rc = number_add(&s, HD_XDP_VLAN,
					(uint16_t)cfg_u32(cfg_child(iface, "outer-vlan"), "id", 0),
					(uint16_t)cfg_u32(iface, "inner-vlan", 0), iface);
	}
	if (rc == 0 && cfg_bool(s.conf, "srv6", true))
		rc = srv6_add(&s);
	if (rc == 0 && cfg_enum(s.conf, "mode", MODE_OWNED) == MODE_ALL)
		rc = number_add(&s, HD_XDP_UNICAST, 0, 0, s.conf);
	if (rc == 0)
		rc = extra_add(&s);
	if (rc == 0 && kernel_mirrors(c->tree, s.port))
		kernel_owned_each(mirrored_add, &s);
	return rc;
}

/* ---- state --------------------------------------------------------------------------------------------------- */

/* Ports that are to steer, and whether their device does. */
static void ports_json(struct ctrl *c, const struct dp_answer *a, struct json_object *list)
{
	const struct objset *set = &running_config(c->running)->set;

	for (size_t i = 0; i < set->n; i++) {
		struct hd_api_port p = { 0 };
		struct hd_api_port_state ps;
		const char *state = "unknown";
		size_t off = 0;

		if (set->obj[i].kind != &l2_kinds[L2_KIND_PORT])
			continue;
		memcpy(&p, set->obj[i].body,
		       set->obj[i].size < sizeof(p) ? set->obj[i].size : sizeof(p));
		if ((p.flags & HD_PORT_F_STEER) == 0)
			continue;
		while (dp_answer_next(a, &off, &ps, sizeof(ps)) != NULL)
			if (ps.port_id == p.port_id)
				state = strncmp(ps.driver, "net_af_xdp", sizeof(ps.driver)) == 0 ?
						"attached" :
						"refused";
		struct json_object *o = json_object_new_object();
		json_add_str(o, "interface", p.name);
		json_add_str(o, "state", state);
		json_object_array_add(list, o);
	}
}

static struct json_object *steering_json(struct ctrl *c, const struct dp_answer *a)
{
	const struct objset *set = &running_config(c->running)->set;
	struct json_object *top = json_object_new_object(), *ports = json_object_new_array(),
			   *rules = json_object_new_array(), *rest = json_object_new_object();
	char text[80];

	ports_json(c, a, ports);
	for (size_t i = 0; i < set->n; i++) {
		struct hd_api_xdp_rule r = { 0 };
		if (set->obj[i].kind != &l2_kinds[L2_KIND_XDP_RULE])
			continue;
		memcpy(&r, set->obj[i].body,
		       set->obj[i].size < sizeof(r) ? set->obj[i].size : sizeof(r));
		struct json_object *o = json_object_new_object();
		json_add_str(o, "interface", ids_name(c->ids, ID_PORT, r.port_id));
		match_text(&r, text, sizeof(text));
		json_add_str(o, "match", text);
		json_add_str(o, "action", r.action == HD_XDP_KERNEL ? "kernel" : "heddle");
		json_add_counters(o, c->dp, "steering", r.rule_id);
		json_object_array_add(rules, o);
	}
	json_add_counters(rest, c->dp, "steering", 0);
	json_object_object_add(top, "port", ports);
	json_object_object_add(top, "rule", rules);
	json_object_object_add(top, "unmatched", rest);
	return top;
}

void l2_steering_state(struct ctrl *c, struct http_req *req)
{
	static const struct dp_state steering = {
		.name = "heddle-interfaces:steering-state",
		.type = HD_API_PORT_STATE,
		.anyway = true,
		.value = steering_json,
	};

	dp_state_get(c, req, &steering);
}
