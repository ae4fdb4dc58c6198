/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-kernel: what is mirrored. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/kernel/kernel_private.h"
#include "ctrl/l2/l2.h"

static const struct {
	uint8_t number;
	const char *name;
} protocols[] = {
	{ RTPROT_KERNEL, "kernel" }, { RTPROT_BOOT, "boot" },
	{ RTPROT_STATIC, "static" }, { RTPROT_RA, "ra" },
	{ RTPROT_ZEBRA, "zebra" },   { RTPROT_BIRD, "bird" },
	{ RTPROT_DHCP, "dhcp" },     { RTPROT_BGP, "bgp" },
	{ RTPROT_ISIS, "isis" },     { RTPROT_OSPF, "ospf" },
	{ RTPROT_RIP, "rip" },       { RTPROT_EIGRP, "eigrp" },
	{ RTPROT_BABEL, "babel" },   { 194, "pbr" },
	{ 195, "openfabric" },       { 196, "frr-static" },
};

const char *protocol_name(uint8_t protocol, char buf[8])
{
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (protocols[i].number == protocol)
			return protocols[i].name;
	snprintf(buf, 8, "%u", protocol);
	return buf;
}

int protocol_number(const char *name)
{
	char *end;

	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (strcmp(protocols[i].name, name) == 0)
			return protocols[i].number;
	unsigned long n = strtoul(name, &end, 10);
	return *name != '\0' && *end == '\0' && n < 256 ? (int)n : -1;
}

static const struct lyd_node *kernel_of(const struct lyd_node *tree)
{
	const struct lyd_node *kernel = cfg_top(tree, "kernel");

	return cfg_bool(kernel, "enabled", false) ? kernel : NULL;
}

static const struct lyd_node *entry_of(const struct lyd_node *kernel, const char *name)
{
	cfg_foreach(i, kernel, "interface") if (strcmp(cfg_str(i, "name"), name) == 0) return i;
	return NULL;
}

bool kernel_mirrors(const struct lyd_node *tree, const char *interface)
{
	const struct lyd_node *kernel = kernel_of(tree);

	return kernel != NULL && cfg_bool(entry_of(kernel, interface), "mirror", true);
}

void kernel_netdev(const struct lyd_node *tree, const struct lyd_node *interface, char *buf,
		   size_t size)
{
	const char *name = cfg_str(interface, "name"), *devargs = cfg_str(interface, "devargs");
	const char *netdev = cfg_str(entry_of(cfg_top(tree, "kernel"), name), "netdev");
	const char *at = devargs != NULL ? strstr(devargs, ",iface=") : NULL;

	if (netdev != NULL)
		snprintf(buf, size, "%s", netdev);
	else if (at != NULL && !cfg_bool(interface, "kernel-twin", false))
		snprintf(buf, size, "%.*s", (int)strcspn(at + 7, ","), at + 7);
	else
		snprintf(buf, size, "%s", name);
}

/* A VRF's number; UINT32_MAX: there is no such VRF. */
static uint32_t vrf_id(const struct ids *ids, const char *name)
{
	uint32_t id;

	if (name == NULL || strcmp(name, "default") == 0)
		return 0;
	id = ids_find(ids, ID_VRF, name);
	return id != 0 ? id : UINT32_MAX;
}

static void read_tables(struct mirror_conf *conf, const struct lyd_node *kernel,
			const struct ids *ids)
{
	cfg_foreach(t, kernel, "table")
	{
		uint32_t id = vrf_id(ids, cfg_str(t, "vrf"));
		if (id == UINT32_MAX || conf->n_tables == CONF_TABLES_MAX)
			continue;
		conf->table[conf->n_tables].table = cfg_u32(t, "id", 0);
		conf->table[conf->n_tables++].vrf_id = id;
	}
	if (conf->n_tables == 0) {
		conf->table[0].table = RT_TABLE_MAIN;
		conf->n_tables = 1;
	}
}

static int read_interfaces(struct mirror_conf *conf, const struct lyd_node *tree,
			   const struct ids *ids)
{
	const struct lyd_node *top = cfg_top(tree, "interfaces");
	size_t n = 0;

	cfg_foreach(i, top, "interface") n++;
	conf->iface = calloc(n + 1, sizeof(*conf->iface));
	if (conf->iface == NULL)
		return -ENOMEM;
	cfg_foreach(i, top, "interface")
	{
		struct conf_iface *c = &conf->iface[conf->n_ifaces];
		c->iface_id = ids_find(ids, ID_INTERFACE, cfg_str(i, "name"));
		if (c->iface_id == 0 || !kernel_mirrors(tree, cfg_str(i, "name")))
			continue;
		c->twin = cfg_bool(i, "kernel-twin", false);
		kernel_netdev(tree, i, c->netdev, sizeof(c->netdev));
		conf->n_ifaces++;
	}
	return 0;
}

int mirror_conf_read(struct mirror_conf *conf, const struct lyd_node *tree, const struct ids *ids)
{
	const struct lyd_node *kernel = kernel_of(tree);
	const char *netns = cfg_str(kernel, "namespace"),
		   *unsupported = cfg_str(kernel, "unsupported"),
		   *source = cfg_str(cfg_child(cfg_top(tree, "srv6"), "encapsulation"),
				     "source-address");

	memset(conf, 0, sizeof(*conf)); /* it is compared as octets */
	if (kernel == NULL)
		return 0;
	conf->enabled = true;
	conf->punt = unsupported != NULL && strcmp(unsupported, "punt") == 0;
	conf->rcvbuf = cfg_u32(kernel, "receive-buffer", 16u << 20);
	snprintf(conf->netns, sizeof(conf->netns), "%s", netns != NULL ? netns : "");
	conf->any_protocol = cfg_child(kernel, "protocol") == NULL;
	cfg_foreach(p, kernel, "protocol")
	{
		int n = protocol_number(lyd_get_value(p));
		if (n >= 0)
			conf->protocol[n / 8] |= (uint8_t)(1u << n % 8);
	}
	if (source != NULL)
		cfg_addr(source, conf->encap_source);
	read_tables(conf, kernel, ids);
	return read_interfaces(conf, tree, ids);
}

void mirror_conf_free(struct mirror_conf *conf)
{
	free(conf->iface);
	conf->iface = NULL;
}

bool mirror_conf_equal(const struct mirror_conf *a, const struct mirror_conf *b)
{
	struct mirror_conf x = *a, y = *b;

	x.iface = y.iface = NULL;
	return memcmp(&x, &y, sizeof(x)) == 0 &&
	       (a->n_ifaces == 0 ||
		memcmp(a->iface, b->iface, a->n_ifaces * sizeof(*a->iface)) == 0);
}

static int check_tables(struct compile *c, const struct lyd_node *kernel)
{
	cfg_foreach(t, kernel, "table")
	{
		const char *vrf = cfg_str(t, "vrf");
		if (strcmp(vrf, "default") != 0 && ids_used(c->ids, ID_VRF, vrf) == 0)
			return compile_fail(c, cfg_child(t, "vrf"), "there is no VRF '%s'", vrf);
		cfg_foreach(o, kernel, "table") if (
			o != t &&
			strcmp(cfg_str(o, "vrf"), vrf) ==
				0) return compile_fail(c, t, "VRF '%s' has another table already",
						       vrf);
	}
	return 0;
}

int kernel_compile(struct compile *c)
{
	const struct lyd_node *kernel = cfg_top(c->tree, "kernel");
	int rc = check_tables(c, kernel);

	cfg_foreach(p, kernel, "protocol") if (rc == 0 && protocol_number(lyd_get_value(p)) < 0)
		rc = compile_fail(c, p, "'%s' is no routing protocol's name or number (0..255)",
				  lyd_get_value(p));
	cfg_foreach(i, kernel, "interface") if (rc == 0 && l2_interface(c, cfg_str(i, "name"), i) ==
								   0) rc = -EINVAL;
	return rc;
}
