/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-pm: keys and sessions -> PM_KEY, PM_SESSION. */
#include "ctrl/pm/session.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/ip/ip.h"
#include "ctrl/srv6/path.h"
#include "heddle/api/pm.h"

void pm_describe_key(const void *body, char *buf, size_t size)
{
	snprintf(buf, size, "%u", ((const struct hd_api_pm_key *)body)->key_id);
}

void pm_describe_session(const void *body, char *buf, size_t size)
{
	const struct hd_api_pm_session *m = body;
	char text[INET6_ADDRSTRLEN];

	snprintf(buf, size, "%u to %s port %u SSID %u every %u us, %u segments, flags %#x",
		 m->session_id, ip_text(m->family, m->dst, text, sizeof(text)), m->dst_port,
		 m->ssid, m->interval_us, m->n_segs, m->flags);
}

const char *pm_session_name(const struct ctrl *c, uint32_t id)
{
	return ids_name(c->ids, ID_PM_SESSION, id);
}

/* ---- addresses --------------------------------------------------------------------------------------------------- */

static bool on_link(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned octets = bits / 8, rest = bits % 8;

	return memcmp(a, b, octets) == 0 &&
	       (rest == 0 || (a[octets] ^ b[octets]) >> (8 - rest) == 0);
}

/* An address of ours to send from: on the destination's link, else the first of the family.  False: there is none. */
static bool pick_source(const struct lyd_node *tree, const char *vrf, unsigned family,
			const uint8_t *dst, uint8_t ret[16])
{
	bool have = false;

	cfg_foreach(i, cfg_top(tree, "interfaces"), "interface")
	{
		const char *of = cfg_str(i, "vrf");

		if (strcmp(of != NULL ? of : "default", vrf) != 0)
			continue;
		cfg_foreach(a, cfg_child(i, family == 4 ? "ipv4" : "ipv6"), "address")
		{
			uint8_t addr[16];

			if (cfg_addr(cfg_str(a, "ip"), addr) != family)
				continue;
			if (on_link(addr, dst, cfg_u32(a, "prefix-length", 128))) {
				memcpy(ret, addr, 16);
				return true;
			}
			if (!have)
				memcpy(ret, addr, 16);
			have = true;
		}
	}
	return have;
}

static int read_ends(struct compile *c, const struct lyd_node *node, const char *endpoint,
		     struct hd_api_pm_session *m)
{
	const char *dst = cfg_str(node, "destination"), *src = cfg_str(node, "source-address"),
		   *vrf = cfg_str(node, "vrf");

	dst = dst != NULL ? dst : endpoint;
	if (dst == NULL && (m->flags & HD_PM_S_LOOPBACK) == 0)
		return compile_fail(c, node, "what is measured?  A 'destination' or a 'policy'");
	m->family = dst != NULL ? cfg_addr(dst, m->dst) : 6;
	if (dst != NULL && !ip_is_unicast(m->family, m->dst))
		return compile_fail(c, cfg_child(node, "destination"),
				    "%s is not a unicast address", dst);
	if (src != NULL && cfg_addr(src, m->src) != m->family)
		return compile_fail(c, cfg_child(node, "source-address"),
				    "%s is not of the destination's family", src);
	if (src == NULL &&
	    !pick_source(c->tree, vrf != NULL ? vrf : "default", m->family, m->dst, m->src))
		return compile_fail(c, node, "no interface has an address to send from");
	if ((m->flags & HD_PM_S_LOOPBACK) != 0)
		memcpy(m->dst, m->src, 16);
	m->vrf_id = ip_vrf(c, vrf != NULL && strcmp(vrf, "default") != 0 ? vrf : NULL);
	return 0;
}

/* Outer source of an encapsulation: the policy's, the node's, or the inner one. */
static void read_outer(struct compile *c, const struct lyd_node *policy,
		       struct hd_api_pm_session *m)
{
	const char *src = cfg_str(policy, "source-address");

	if (src == NULL)
		src = cfg_str(cfg_child(cfg_top(c->tree, "srv6"), "encapsulation"),
			      "source-address");
	if (src != NULL)
		cfg_addr(src, m->outer_src);
	else if (m->family == 6)
		memcpy(m->outer_src, m->src, 16);
}

/* ---- packets ----------------------------------------------------------------------------------------------------- */

static const struct {
	const char *leaf;
	uint32_t flag;
	bool tlv;
} switches[] = {
	{ "loopback", HD_PM_S_LOOPBACK, false },
	{ "stateful-reflector", HD_PM_S_STATEFUL, false },
	{ "twamp-light", HD_PM_S_LIGHT, false },
	{ "ssid-strict", HD_PM_S_SSID_STRICT, false },
	{ "zero-padding", HD_PM_S_ZERO_PADDING, false },
	{ "location", HD_PM_S_LOCATION, true },
	{ "timestamp-information", HD_PM_S_TIMESTAMP, true },
	{ "direct-measurement", HD_PM_S_DIRECT, true },
	{ "follow-up", HD_PM_S_FOLLOW_UP, true },
	{ "return-address", HD_PM_S_RETURN_ADDR, true },
};

static int read_key(struct compile *c, const struct lyd_node *node, struct hd_api_pm_session *m)
{
	uint32_t key = cfg_u32(node, "key", 0), tlv_key = cfg_u32(node, "tlv-key", 0);

	if (key != 0 && tlv_key != 0)
		return compile_fail(c, cfg_child(node, "tlv-key"),
				    "'key' covers TLVs as well; 'tlv-key' is for unauthenticated "
				    "packets");
	m->key_id = key != 0 ? key : tlv_key;
	m->flags |= key != 0 ? HD_PM_S_AUTHENTICATED : tlv_key != 0 ? HD_PM_S_HMAC_TLV : 0;
	return 0;
}

static void read_tlvs(const struct lyd_node *tlv, struct hd_api_pm_session *m)
{
	const char *node = cfg_str(tlv, "destination-node");
	int reply = cfg_enum(tlv, "reply", 0), access = cfg_enum(tlv, "access", 0);

	m->flags |= reply == 1 ? HD_PM_S_SAME_LINK : reply == 2 ? HD_PM_S_NO_REPLY : 0;
	if (cfg_child(tlv, "reply-dscp") != NULL) {
		m->flags |= HD_PM_S_COS;
		m->reply_dscp = (uint8_t)cfg_u32(tlv, "reply-dscp", 0);
	}
	if (access != 0) {
		m->flags |= HD_PM_S_ACCESS;
		m->access_id = (uint8_t)access;
		m->access_code = cfg_bool(tlv, "access-available", true) ? 1 : 2;
	}
	if (node != NULL) {
		m->flags |= HD_PM_S_DEST_NODE;
		cfg_addr(node, m->dest_node);
	}
}

static int read_packets(struct compile *c, const struct lyd_node *node, struct hd_api_pm_session *m)
{
	const struct lyd_node *tlv = cfg_child(node, "tlv");

	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++)
		if (cfg_bool(switches[i].tlv ? tlv : node, switches[i].leaf, false))
			m->flags |= switches[i].flag;
	m->flags |= cfg_enum(node, "timestamp-format", 0) != 0 ? HD_PM_S_PTP : 0;
	m->dst_port = (uint16_t)cfg_u32(node, "udp-port", 862);
	m->src_port = (uint16_t)cfg_u32(node, "local-port", PM_LOCAL_PORT);
	if (m->flags & HD_PM_S_LOOPBACK)
		m->dst_port = m->src_port;
	m->ssid = (uint16_t)cfg_u32(node, "ssid", 0);
	m->timeout_ms = cfg_u32(node, "timeout", 1000);
	m->dscp = (uint8_t)cfg_u32(node, "dscp", 0);
	m->flow_label = cfg_u32(node, "flow-label", 0);
	m->hop_limit = (uint8_t)cfg_u32(node, "hop-limit", 255);
	m->padding = (uint16_t)cfg_u32(node, "padding", 0);
	read_tlvs(tlv, m);
	if (pm_calibration_read(c, node, m) < 0)
		return -EINVAL;
	return read_key(c, node, m);
}

/* ---- paths ------------------------------------------------------------------------------------------------------- */

/* Segments there; of a loop those back as well.  Else the way back is asked for. */
static int read_segments(struct compile *c, const struct lyd_node *node, const uint8_t (*seg)[16],
			 unsigned n, struct hd_api_pm_session *m)
{
	bool loop = m->flags & HD_PM_S_LOOPBACK;

	m->n_segs = m->n_return = 0;
	for (unsigned i = 0; i < n; i++)
		memcpy(m->seg[m->n_segs++], seg[i], 16);
	cfg_foreach(s, node, "return-segment")
	{
		uint8_t *to;

		if (loop && m->n_segs == HD_PM_SEGS_MAX)
			return compile_fail(c, s, "more than %u segments there and back",
					    HD_PM_SEGS_MAX);
		to = loop ? m->seg[m->n_segs++] : m->ret[m->n_return++];
		cfg_addr(lyd_get_value(s), to);
	}
	m->encap = m->n_segs == 0 ? HD_PM_PLAIN :
				    (uint8_t)cfg_enum(node, "encapsulation", (int)HD_PM_INNER);
	if (loop && m->n_segs == 0)
		return compile_fail(c, node, "a loop needs segments that lead back here");
	return 0;
}

static int policy_paths(struct compile *c, const struct lyd_node *node, const char *name, bool give,
			struct hd_api_pm_session *m, pm_path_fn fn, void *arg)
{
	const char *policy_name = cfg_str(node, "policy"), *only = cfg_str(node, "segment-list");
	const struct lyd_node *policy = srv6_policy_node(c->tree, policy_name);
	struct srv6_read r = { .tree = c->tree, .ids = c->ids, .give = give };
	struct srv6_paths paths;
	char full[PM_NAME_MAX];
	unsigned n = 0;
	int rc;

	if (policy == NULL)
		return compile_fail(c, cfg_child(node, "policy"), "there is no SR policy '%s'",
				    policy_name);
	rc = srv6_paths_read(&r, policy, &paths);
	if (rc < 0)
		return compile_fail(c, node, "%s", rc == -ENOMEM ? "out of memory" : r.why);
	rc = read_ends(c, node, cfg_str(policy, "endpoint"), m);
	read_outer(c, policy, m);
	for (unsigned i = 0; rc == 0 && i < paths.n; i++) {
		const struct srv6_path *p = &paths.path[i];

		for (unsigned k = 0; rc == 0 && !p->composite && k < p->n_lists; k++) {
			const struct srv6_list *l = &p->list[k];

			if (l->n_out == 0 || (only != NULL && strcmp(only, l->name) != 0))
				continue;
			snprintf(full, sizeof(full), "%s~%s%s%s", name,
				 strcmp(p->name, "only") != 0 ? p->name : "",
				 strcmp(p->name, "only") != 0 ? "~" : "", l->name);
			rc = read_segments(c, node, l->out, l->n_out, m);
			m->seglist_id = l->seglist_id;
			if (rc == 0)
				rc = fn(arg, full, l->id_name, m);
			n++;
		}
	}
	srv6_paths_free(&paths);
	if (rc == 0 && n == 0)
		return compile_fail(c, node, "policy '%s' has no such segment list", policy_name);
	return rc;
}

int pm_session_read(struct compile *c, const struct lyd_node *node, const char *name, bool give,
		    pm_path_fn fn, void *arg)
{
	struct hd_api_pm_session m = { 0 };
	uint8_t seg[HD_PM_SEGS_MAX][16];
	unsigned n = 0;
	int rc = read_packets(c, node, &m);

	if (rc < 0)
		return rc;
	if (cfg_child(node, "policy") != NULL)
		return policy_paths(c, node, name, give, &m, fn, arg);
	cfg_foreach(s, node, "segment") if (n < HD_PM_SEGS_MAX)
		cfg_addr(lyd_get_value(s), seg[n++]);
	rc = read_ends(c, node, NULL, &m);
	if (rc == 0)
		rc = read_segments(c, node, (const uint8_t(*)[16])seg, n, &m);
	if (rc < 0)
		return rc;
	read_outer(c, NULL, &m);
	return fn(arg, name, NULL, &m);
}

/* ---- compile ----------------------------------------------------------------------------------------------------- */

struct add {
	struct compile *c;
	const struct lyd_node *node;
};

static int add_session(void *arg, const char *name, const char *list, struct hd_api_pm_session *m)
{
	struct add *a = arg;
	const struct lyd_node *live = cfg_child(a->node, "liveness");

	(void)list;
	m->session_id = ids_get(a->c->ids, ID_PM_SESSION, name);
	if (m->session_id == 0 || m->session_id >= HD_PM_SENDERS_MAX - HD_PM_ON_DEMAND)
		return compile_fail(a->c, a->node, "more than %u sessions",
				    HD_PM_SENDERS_MAX - HD_PM_ON_DEMAND - 1);
	if (cfg_child(a->node, "ssid") == NULL && (m->flags & HD_PM_S_LIGHT) == 0)
		m->ssid = (uint16_t)m->session_id;
	m->interval_us = cfg_u32(a->node, "interval", 1000) * 1000;
	if (live != NULL) {
		m->n_down = (uint8_t)cfg_u32(live, "losses", 3);
		m->n_up = (uint8_t)cfg_u32(live, "replies", 3);
	} else {
		m->seglist_id = 0;
	}
	return compile_add(a->c, &pm_kinds[PM_KIND_SESSION], m, sizeof(*m), a->node);
}

static int compile_key(struct compile *c, const struct lyd_node *node)
{
	struct hd_api_pm_key k = { .key_id = cfg_u32(node, "key-id", 0) };
	int rc;

	k.len = (uint32_t)cfg_secret(cfg_str(node, "secret"), k.secret, sizeof(k.secret));
	if (k.len == 0)
		return compile_fail(c, cfg_child(node, "secret"),
				    "the secret is longer than 64 octets, or 0x without an even "
				    "number of hexadecimal digits");
	rc = compile_add(c, &pm_kinds[PM_KIND_KEY], &k, sizeof(k), node);
	explicit_bzero(&k, sizeof(k));
	return rc;
}

int pm_compile_sessions(struct compile *c, const struct lyd_node *pm)
{
	int rc = 0;

	cfg_foreach(k, pm, "key") if (rc == 0) rc = compile_key(c, k);
	cfg_foreach(s, pm, "session") if (rc == 0)
	{
		struct add a = { c, s };

		rc = pm_session_read(c, s, cfg_str(s, "name"), true, add_session, &a);
	}
	return rc;
}
