/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-pm -> PM_REFLECTOR, PM_REFLECTOR_SESSION. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/ip/ip.h"
#include "ctrl/pm/pm_private.h"
#include "heddle/api/pm.h"

void pm_describe_reflector(const void *body, char *buf, size_t size)
{
	const struct hd_api_pm_reflector *r = body;

	snprintf(buf, size, "UDP port %u flags %#x rate %u", r->udp_port, r->flags, r->rate_pps);
}

void pm_describe_reflector_session(const void *body, char *buf, size_t size)
{
	const struct hd_api_pm_reflector_session *s = body;
	char text[INET6_ADDRSTRLEN];

	snprintf(buf, size, "%u UDP port %u from %s SSID %u flags %#x", s->session_id, s->udp_port,
		 ip_text(s->family, s->source, text, sizeof(text)), s->ssid, s->flags);
}

static uint32_t flags(const struct lyd_node *node)
{
	return (cfg_enum(node, "timestamp-format", 0) != 0 ? HD_PM_F_PTP : 0) |
	       (cfg_bool(node, "tlv", true) ? 0 : HD_PM_F_NO_TLV) |
	       (cfg_bool(node, "hide-location", false) ? HD_PM_F_HIDE_LOCATION : 0) |
	       (cfg_bool(node, "any-dscp", false) ? HD_PM_F_DSCP_ANY : 0) |
	       (cfg_bool(node, "stateful", false) ? HD_PM_F_STATEFUL : 0) |
	       (cfg_bool(node, "unprovisioned", false) ? HD_PM_F_UNPROVISIONED : 0);
}

static int read_key(struct compile *c, const struct lyd_node *node, uint32_t *flags,
		    uint32_t *key_id)
{
	uint32_t key = cfg_u32(node, "key", 0), tlv_key = cfg_u32(node, "tlv-key", 0);

	if (key != 0 && tlv_key != 0)
		return compile_fail(c, cfg_child(node, "tlv-key"),
				    "'key' covers TLVs as well; 'tlv-key' is for unauthenticated "
				    "packets");
	*key_id = key != 0 ? key : tlv_key;
	*flags |= key != 0 ? HD_PM_F_AUTHENTICATED : tlv_key != 0 ? HD_PM_F_HMAC_TLV : 0;
	return 0;
}

static int compile_session(struct compile *c, const struct lyd_node *node, uint16_t port)
{
	const char *source = cfg_str(node, "source-address");
	struct hd_api_pm_reflector_session s = { .udp_port = port,
						 .ssid = (uint16_t)cfg_u32(node, "ssid", 0),
						 .flags = flags(node),
						 .rate_pps = cfg_u32(node, "rate", 0) };
	char name[48];

	s.family = cfg_addr(source, s.source);
	if (s.family == 0 || !ip_is_unicast(s.family, s.source))
		return compile_fail(c, cfg_child(node, "source-address"),
				    "%s is not a unicast address", source);
	if (read_key(c, node, &s.flags, &s.key_id) < 0)
		return -EINVAL;
	snprintf(name, sizeof(name), "%u/%s", port, cfg_str(node, "name"));
	s.session_id = ids_get(c->ids, ID_PM_REFLECTOR_SESSION, name);
	return compile_add(c, &pm_kinds[PM_KIND_REFLECTOR_SESSION], &s, sizeof(s), node);
}

static int compile_reflector(struct compile *c, const struct lyd_node *node)
{
	struct hd_api_pm_reflector r = { .udp_port = cfg_u32(node, "udp-port", 0),
					 .flags = flags(node),
					 .rate_pps = cfg_u32(node, "rate", 0) };
	int rc = read_key(c, node, &r.flags, &r.key_id);

	if (rc == 0)
		rc = compile_add(c, &pm_kinds[PM_KIND_REFLECTOR], &r, sizeof(r), node);

	cfg_foreach(s, node, "session") if (rc == 0)
		rc = compile_session(c, s, (uint16_t)r.udp_port);
	return rc;
}

/* Two sessions of one reflector with the same SSID and source would be the same packets. */
static int check_same(struct compile *c, const struct lyd_node *reflector)
{
	cfg_foreach(a, reflector, "session")
	{
		for (const struct lyd_node *b = cfg_next(a); b != NULL; b = cfg_next(b))
			if (cfg_u32(a, "ssid", 0) == cfg_u32(b, "ssid", 0) &&
			    strcmp(cfg_str(a, "source-address"), cfg_str(b, "source-address")) == 0)
				return compile_fail(c, b,
						    "session '%s' has the same source and SSID",
						    cfg_str(a, "name"));
	}
	return 0;
}

int pm_compile_reflectors(struct compile *c, const struct lyd_node *pm)
{
	int rc = 0;

	cfg_foreach(r, pm, "reflector")
	{
		rc = check_same(c, r);
		if (rc == 0)
			rc = compile_reflector(c, r);
		if (rc < 0)
			break;
	}
	return rc;
}
