/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-bfd -> BFD_SESSION. */
#include "ctrl/pm/bfd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/ip/ip.h"
#include "ctrl/l2/l2.h"
#include "heddle/api/bfd.h"

static void describe(const void *body, char *buf, size_t size)
{
	const struct hd_api_bfd_session *m = body;
	char text[INET6_ADDRSTRLEN];

	snprintf(buf, size, "%u to %s%s, %u/%u us x %u", m->session_id,
		 ip_text(m->family, m->peer, text, sizeof(text)),
		 (m->flags & HD_BFD_F_MULTIHOP) != 0 ? " over several hops" : "", m->min_tx_us,
		 m->min_rx_us, m->mult);
}

static const struct ctrl_kind kinds[] = {
	{ HD_API_BFD_SESSION, 4, sizeof(struct hd_api_bfd_session), "bfd-session", describe },
	{ 0 },
};

static bool is_link_local(uint8_t family, const uint8_t addr[16])
{
	return family == 6 && addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80;
}

static int read_addresses(struct compile *c, const struct lyd_node *node,
			  struct hd_api_bfd_session *m)
{
	const char *peer = cfg_str(node, "peer-address"), *local = cfg_str(node, "local-address");

	m->family = cfg_addr(peer, m->peer);
	if (!ip_is_unicast(m->family, m->peer))
		return compile_fail(c, cfg_child(node, "peer-address"),
				    "%s is not a unicast address", peer);
	if (cfg_addr(local, m->local) != m->family || !ip_is_unicast(m->family, m->local))
		return compile_fail(c, cfg_child(node, "local-address"),
				    "%s is not a unicast address of the peer's family", local);
	if (cfg_str(node, "interface") != NULL) {
		m->iface_id =
			l2_interface(c, cfg_str(node, "interface"), cfg_child(node, "interface"));
		if (m->iface_id == 0)
			return -EINVAL;
	}
	if (is_link_local(m->family, m->peer) && m->iface_id == 0)
		return compile_fail(c, node, "a link-local peer needs an interface");
	return 0;
}

static int read_multihop(struct compile *c, const struct lyd_node *hops,
			 struct hd_api_bfd_session *m)
{
	m->flags |= HD_BFD_F_MULTIHOP;
	m->min_ttl = (uint8_t)cfg_u32(hops, "minimum-ttl", 1);
	cfg_foreach(s, hops, "segment")
	{
		if (m->family != 6)
			return compile_fail(c, s, "segments lead to IPv6 peers only");
		if (!ip_is_unicast(cfg_addr(lyd_get_value(s), m->seg[m->n_segs]),
				   m->seg[m->n_segs]))
			return compile_fail(c, s, "%s is not a unicast address", lyd_get_value(s));
		m->n_segs++;
	}
	return 0;
}

/* Packets of two such sessions could not be told apart. */
static int check_same(struct compile *c, const struct lyd_node *a)
{
	for (const struct lyd_node *b = cfg_next(a); b != NULL; b = cfg_next(b))
		if (strcmp(cfg_str(a, "peer-address"), cfg_str(b, "peer-address")) == 0 &&
		    strcmp(cfg_str(a, "local-address"), cfg_str(b, "local-address")) == 0 &&
		    (cfg_child(a, "multihop") != NULL) == (cfg_child(b, "multihop") != NULL))
			return compile_fail(c, b, "session '%s' has the same addresses",
					    cfg_str(a, "name"));
	return 0;
}

static int compile_session(struct compile *c, const struct lyd_node *node)
{
	struct hd_api_bfd_session m = { .session_id = ids_get(c->ids, ID_BFD_SESSION,
							      cfg_str(node, "name")),
					.vrf_id = ip_vrf(c, cfg_str(node, "vrf")),
					.min_tx_us = cfg_u32(node, "transmit-interval", 300) * 1000,
					.min_rx_us = cfg_u32(node, "receive-interval", 300) * 1000,
					.mult = (uint8_t)cfg_u32(node, "detect-multiplier", 3) };
	const struct lyd_node *hops = cfg_child(node, "multihop");
	int rc;

	if (m.session_id == 0)
		return compile_fail(c, node, "out of memory");
	m.flags |= cfg_bool(node, "passive", false) ? HD_BFD_F_PASSIVE : 0;
	m.flags |= cfg_bool(node, "enabled", true) ? 0 : HD_BFD_F_ADMIN_DOWN;
	rc = read_addresses(c, node, &m);
	if (rc == 0 && hops != NULL)
		rc = read_multihop(c, hops, &m);
	if (rc == 0)
		rc = check_same(c, node);
	return rc == 0 ? compile_add(c, &kinds[0], &m, sizeof(m), node) : rc;
}

static int bfd_compile(struct compile *c)
{
	int rc = 0;

	cfg_foreach(s, cfg_top(c->tree, "bfd"), "session") if (rc == 0) rc = compile_session(c, s);
	return rc;
}

const struct ctrl_domain bfd_domain = {
	.name = "bfd",
	.modules = (const char *const[]){ "heddle-bfd", NULL },
	.kinds = kinds,
	.compile = bfd_compile,
	.states = (const struct ctrl_state[]){ { "heddle-bfd:bfd-state", bfd_state }, { 0 } },
};
