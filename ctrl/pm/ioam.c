/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-ioam -> IOAM_NS, IOAM_IFACE, IOAM_ENCAP. */
#include "ctrl/pm/ioam.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/l2/l2.h"
#include "ctrl/srv6/srv6.h"
#include "heddle/wire/ioam.h"

enum { KIND_NS, KIND_IFACE, KIND_ENCAP };

static void describe_ns(const void *body, char *buf, size_t size)
{
	const struct hd_api_ioam_ns *m = body;

	snprintf(buf, size, "%u: node 0x%06x", m->ns, m->node_id);
}

static void describe_iface(const void *body, char *buf, size_t size)
{
	const struct hd_api_ioam_iface *m = body;

	snprintf(buf, size, "%u as %u%s", m->iface_id, m->if_id,
		 (m->flags & HD_IOAM_F_DECAP) != 0 ? ", decapsulates" : "");
}

static void describe_encap(const void *body, char *buf, size_t size)
{
	const struct hd_api_ioam_encap *m = body;

	snprintf(buf, size, "policy %u: namespace %u, type 0x%06x, flags 0x%x, edge to edge 0x%x",
		 m->policy_id, m->ns, m->trace_type, m->flags, m->e2e_type);
}

static const struct ctrl_kind kinds[] = {
	[KIND_NS] = { HD_API_IOAM_NS, 4, sizeof(struct hd_api_ioam_ns), "ioam-namespace",
		      describe_ns },
	[KIND_IFACE] = { HD_API_IOAM_IFACE, 4, sizeof(struct hd_api_ioam_iface), "ioam-interface",
			 describe_iface },
	[KIND_ENCAP] = { HD_API_IOAM_ENCAP, 4, sizeof(struct hd_api_ioam_encap),
			 "ioam-encapsulation", describe_encap },
	{ 0 },
};

static uint64_t u64(const struct lyd_node *node, const char *name, uint64_t none)
{
	const char *text = cfg_str(node, name);

	return text != NULL ? strtoull(text, NULL, 10) : none;
}

static int compile_ns(struct compile *c, const struct lyd_node *node)
{
	struct hd_api_ioam_ns m = { .ns = cfg_u32(node, "id", 0),
				    .node_id = cfg_u32(node, "node-id", 0),
				    .node_id_wide =
					    u64(node, "node-id-wide", cfg_u32(node, "node-id", 0)),
				    .ns_wide = u64(node, "namespace-data-wide", UINT64_MAX),
				    .ns_data = cfg_u32(node, "namespace-data", UINT32_MAX),
				    .schema = cfg_u32(node, "schema", 0xffffff),
				    .time_format = (uint8_t)cfg_enum(node, "time-format", 0) };
	const char *opaque = cfg_str(node, "opaque");

	for (size_t i = 0; opaque != NULL && opaque[2 * i] != '\0' && i < HD_IOAM_OPAQUE_MAX; i++) {
		char octet[3] = { opaque[2 * i], opaque[2 * i + 1], '\0' };

		m.opaque[i] = (uint8_t)strtoul(octet, NULL, 16);
		m.opaque_len = (uint8_t)(i + 1);
	}
	return compile_add(c, &kinds[KIND_NS], &m, sizeof(m), node);
}

static int compile_iface(struct compile *c, const struct lyd_node *node)
{
	struct hd_api_ioam_iface m = { .iface_id = l2_interface(c, cfg_str(node, "name"), node),
				       .if_id = cfg_u32(node, "id", 0) };

	if (m.iface_id == 0)
		return -EINVAL;
	if (cfg_bool(node, "decapsulate", false))
		m.flags |= HD_IOAM_F_DECAP;
	return compile_add(c, &kinds[KIND_IFACE], &m, sizeof(m), node);
}

/* Octets the trace takes; the opaque snapshot as this node has it. */
static unsigned trace_len(const struct hd_api_ioam_encap *m, const struct lyd_node *ns)
{
	const char *opaque = cfg_str(ns, "opaque");
	unsigned words = ioam_node_words(m->trace_type);

	if ((m->trace_type & IOAM_T_OPAQUE) != 0)
		words += 1 + (opaque != NULL ? (unsigned)strlen(opaque) / 8 : 0);
	return 4 + IOAM_TRACE_HDR + 4 * words * m->nodes;
}

static int read_what(struct compile *c, const struct lyd_node *node, const struct lyd_node *ns,
		     struct hd_api_ioam_encap *m)
{
	const struct lyd_node *trace = cfg_child(node, "trace"),
			      *dex = cfg_child(node, "direct-export"),
			      *edge = cfg_child(node, "edge-to-edge");

	if (trace != NULL) {
		m->flags |= HD_IOAM_E_TRACE;
		m->trace_type = cfg_enum_mask(trace, "field");
		m->nodes = cfg_u32(trace, "nodes", 4);
		m->flags |= cfg_bool(trace, "loopback", false) ? HD_IOAM_E_LOOPBACK : 0;
		m->flags |= cfg_bool(trace, "active", false) ? HD_IOAM_E_ACTIVE : 0;
		if ((m->flags & HD_IOAM_E_LOOPBACK) != 0 && m->trace_type != IOAM_T_HOP)
			return compile_fail(
				c, cfg_child(trace, "loopback"),
				"loopback goes with the field node-id alone (RFC 9322 section 4.1)");
		if (trace_len(m, ns) > 240)
			return compile_fail(
				c, trace,
				"a trace of %u octets does not fit: fewer nodes or fields, at most 240",
				trace_len(m, ns));
	}
	if (dex != NULL) {
		m->flags |= HD_IOAM_E_DEX;
		m->trace_type = cfg_enum_mask(dex, "field");
		m->flow_id = cfg_u32(dex, "flow-id", 0);
	}
	if (edge != NULL) {
		m->e2e_type = (uint32_t)cfg_enum(edge, "sequence", (int)IOAM_E2E_SEQ32);
		if (cfg_bool(edge, "timestamp", false))
			m->e2e_type |= IOAM_E2E_SECONDS | IOAM_E2E_FRACTION;
	}
	if ((m->flags & (HD_IOAM_E_TRACE | HD_IOAM_E_DEX)) == 0 && m->e2e_type == 0)
		return compile_fail(c, node,
				    "nothing is asked for: trace, direct-export or edge-to-edge");
	return 0;
}

static int compile_encap(struct compile *c, const struct lyd_node *top, const struct lyd_node *node)
{
	struct hd_api_ioam_encap m = { .ns = cfg_u32(node, "namespace", 0),
				       .every = cfg_u32(node, "every", 1) };
	const struct lyd_node *ns = NULL;
	int rc;

	cfg_foreach(n, top, "namespace") if (cfg_u32(n, "id", 0) == m.ns) ns = n;
	if (ns == NULL)
		return compile_fail(c, node, "namespace %u is not one of this node", m.ns);
	rc = srv6_any_policy(c, cfg_str(node, "policy"), cfg_child(node, "policy"), &m.policy_id);
	if (rc == 0)
		rc = read_what(c, node, ns, &m);
	if (rc < 0 || m.policy_id == 0) /* 0: not valid now, it comes back with its options */
		return rc;
	return compile_add(c, &kinds[KIND_ENCAP], &m, sizeof(m), node);
}

static int ioam_compile(struct compile *c)
{
	const struct lyd_node *top = cfg_top(c->tree, "ioam");
	int rc = 0;

	cfg_foreach(n, top, "namespace") if (rc == 0) rc = compile_ns(c, n);
	cfg_foreach(i, top, "interface") if (rc == 0) rc = compile_iface(c, i);
	cfg_foreach(e, top, "encapsulation") if (rc == 0) rc = compile_encap(c, top, e);
	return rc;
}

const struct ctrl_domain ioam_domain = {
	.name = "ioam",
	.modules = (const char *const[]){ "heddle-ioam", NULL },
	.kinds = kinds,
	.compile = ioam_compile,
	.states = (const struct ctrl_state[]){ { "heddle-ioam:ioam-state", ioam_state }, { 0 } },
	.guarded = (const char *const[]){ "heddle-ioam:ioam-state",
					  NULL }, /* addresses of live packets */
};
