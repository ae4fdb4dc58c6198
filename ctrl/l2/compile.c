/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-interfaces -> PORT, IFACE and ADDR.  A port and its untagged interface share one number. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/ip/ip.h"
#include "ctrl/kernel/kernel.h"
#include "ctrl/l2/l2_private.h"
#include "ctrl/srv6/srv6.h"
#include "ctrl/yaml.h"
#include "heddle/api/ip.h"
#include "heddle/api/l2.h"

/* What must be unique on a port. */
struct tags {
	uint32_t port;
	uint16_t tpid, outer, inner;
	const struct lyd_node *node;
};

static int tags_cmp(const void *va, const void *vb)
{
	const struct tags *a = va, *b = vb;

	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	if (a->tpid != b->tpid)
		return a->tpid - b->tpid;
	if (a->outer != b->outer)
		return a->outer - b->outer;
	return a->inner - b->inner;
}

static int check_tags(struct compile *c, struct tags *tags, size_t n)
{
	if (n > 1)
		qsort(tags, n, sizeof(*tags), tags_cmp);
	for (size_t i = 1; i < n; i++)
		if (tags_cmp(&tags[i - 1], &tags[i]) == 0) {
			bool later = yaml_line(tags[i].node) >= yaml_line(tags[i - 1].node);
			const struct tags *bad = &tags[later ? i : i - 1],
					  *ok = &tags[later ? i - 1 : i];
			return compile_fail(c, bad->node,
					    "interface '%s' has the same VLAN tags on this port",
					    cfg_str(ok->node, "name"));
		}
	return 0;
}

uint32_t l2_interface(struct compile *c, const char *name, const struct lyd_node *at)
{
	uint32_t id = ids_used(c->ids, ID_INTERFACE, name);

	if (id == 0)
		compile_fail(c, at, "there is no interface '%s'", name);
	return id;
}

static int compile_port(struct compile *c, const struct lyd_node *node, uint32_t id)
{
	struct hd_api_port port = {
		.port_id = id,
		.n_rxq = (uint16_t)cfg_u32(node, "rx-queues", 0),
		.n_txq = (uint16_t)cfg_u32(node, "tx-queues", 0),
		.n_rxd = (uint16_t)cfg_u32(node, "rx-descriptors", 0),
		.n_txd = (uint16_t)cfg_u32(node, "tx-descriptors", 0),
		.mtu = (uint16_t)cfg_u32(node, "mtu", 0),
		.flags = (uint16_t)((cfg_bool(node, "promiscuous", false) ? HD_PORT_F_PROMISC : 0) |
				    (cfg_bool(node, "kernel-twin", false) ? HD_PORT_F_TWIN : 0) |
				    (cfg_bool(node, "rx-timestamps", false) ?
					     HD_PORT_F_RX_TIMESTAMP :
					     0)),
	};
	if (cfg_child(node, "xdp-steering") != NULL)
		port.flags |= HD_PORT_F_STEER;
	snprintf(port.name, sizeof(port.name), "%s", cfg_str(node, "name"));
	snprintf(port.devargs, sizeof(port.devargs), "%s", cfg_str(node, "devargs"));
	int rc = compile_add(c, &l2_kinds[L2_KIND_PORT], &port, sizeof(port), node);
	return rc < 0 ? rc : l2_compile_steering(c, node, id);
}

static int compile_addresses(struct compile *c, const struct lyd_node *node, uint32_t id)
{
	static const char *const families[] = { "ipv4", "ipv6" };

	for (size_t f = 0; f < 2; f++) {
		cfg_foreach(a, cfg_child(node, families[f]), "address")
		{
			struct hd_api_addr addr = { .iface_id = id };
			const char *ip = cfg_str(a, "ip");
			addr.family = cfg_addr(ip, addr.addr);
			addr.plen = (uint8_t)cfg_u32(a, "prefix-length", 0);
			if (!ip_is_unicast(addr.family, addr.addr))
				return compile_fail(c, a, "%s is not a unicast address", ip);
			int rc = compile_add(c, &ip_kinds[IP_KIND_ADDR], &addr, sizeof(addr), a);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

static int compile_interface(struct compile *c, const struct lyd_node *node, uint32_t id,
			     struct tags *tags)
{
	struct hd_api_iface iface = {
		.iface_id = id,
		.mtu = (uint16_t)cfg_u32(node, "mtu", 0),
		.flags = cfg_bool(node, "enabled", true) ? HD_IFACE_F_UP : 0,
		.urpf4 = (uint8_t)cfg_enum(cfg_child(node, "ipv4"), "urpf", HD_URPF_NONE),
		.urpf6 = (uint8_t)cfg_enum(cfg_child(node, "ipv6"), "urpf", HD_URPF_NONE),
	};
	const char *vrf = cfg_str(node, "vrf"), *mac = cfg_str(node, "mac"),
		   *parent = cfg_str(node, "parent");
	const struct lyd_node *outer = cfg_child(node, "outer-vlan");
	int rc = 0;

	if (kernel_mirrors(c->tree, cfg_str(node, "name")))
		iface.flags |= HD_IFACE_F_HOST;
	snprintf(iface.name, sizeof(iface.name), "%s", cfg_str(node, "name"));
	if (vrf != NULL)
		iface.vrf_id = ids_get(c->ids, ID_VRF, vrf);
	if (mac != NULL && (!cfg_mac(mac, iface.mac) || (iface.mac[0] & 1) != 0))
		return compile_fail(c, cfg_child(node, "mac"), "%s is not a unicast MAC address",
				    mac);
	if (cfg_child(cfg_child(node, "ipv6"), "address") != NULL && iface.mtu != 0 &&
	    iface.mtu < 1280)
		return compile_fail(c, cfg_child(node, "mtu"),
				    "IPv6 needs an MTU of 1280 (RFC 8200 section 5)");
	if (parent != NULL) {
		iface.port_id = ids_get(c->ids, ID_PORT, parent);
		iface.outer_tpid = (uint16_t)cfg_enum(outer, "type", 0x8100);
		iface.outer_vid = (uint16_t)cfg_u32(outer, "id", 0);
		iface.inner_vid = (uint16_t)cfg_u32(node, "inner-vlan", 0);
	} else {
		iface.port_id = ids_get(c->ids, ID_PORT, iface.name);
		rc = compile_port(c, node, iface.port_id);
	}
	if (rc == 0)
		rc = srv6_interface(c, iface.name, &iface);
	*tags = (struct tags){ .port = iface.port_id,
			       .tpid = iface.outer_tpid,
			       .outer = iface.outer_vid,
			       .inner = iface.inner_vid,
			       .node = node };
	if (rc == 0)
		rc = compile_add(c, &l2_kinds[L2_KIND_IFACE], &iface, sizeof(iface), node);
	return rc < 0 ? rc : compile_addresses(c, node, id);
}

int l2_compile(struct compile *c)
{
	const struct lyd_node *top = cfg_top(c->tree, "interfaces");
	size_t n = 0, i = 0;
	int rc = 0;

	cfg_foreach(node, top, "interface") n++;
	struct tags *tags = calloc(n + 1, sizeof(*tags));
	if (tags == NULL)
		return compile_fail(c, top, "out of memory");
	cfg_foreach(node, top, "interface")
	{
		uint32_t id = ids_get(c->ids, ID_INTERFACE, cfg_str(node, "name"));
		rc = id == 0 ? compile_fail(c, node, "out of memory") :
			       compile_interface(c, node, id, &tags[i++]);
		if (rc < 0)
			break;
	}
	if (rc == 0)
		rc = check_tags(c, tags, n);
	free(tags);
	return rc == 0 ? l2_bridge_compile(c) : rc;
}
