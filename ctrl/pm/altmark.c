/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-altmark -> ALTMARK_CONF, ALTMARK_FLOW, ALTMARK_MARK, ALTMARK_IFACE. */
#include "ctrl/pm/altmark.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/ip/ip.h"
#include "ctrl/l2/l2.h"
#include "ctrl/srv6/srv6.h"

enum { KIND_CONF, KIND_FLOW, KIND_MARK, KIND_IFACE };

static void describe_conf(const void *body, char *buf, size_t size)
{
	const struct hd_api_altmark_conf *m = body;

	snprintf(buf, size, "blocks of %u ms, guard %u ms, %u delay packets", m->period_ms,
		 m->guard_ms, m->d_per_block);
}

static void describe_flow(const void *body, char *buf, size_t size)
{
	const struct hd_api_altmark_flow *m = body;
	char text[INET6_ADDRSTRLEN];

	snprintf(buf, size, "%u: FlowMonID %u from %s", m->flow_id, m->mon_id,
		 ip_text(6, m->source, text, sizeof(text)));
}

static void describe_mark(const void *body, char *buf, size_t size)
{
	const struct hd_api_altmark_mark *m = body;

	snprintf(buf, size, "policy %u as flow %u", m->policy_id, m->flow_id);
}

static void describe_iface(const void *body, char *buf, size_t size)
{
	snprintf(buf, size, "%u", ((const struct hd_api_altmark_iface *)body)->iface_id);
}

static const struct ctrl_kind kinds[] = {
	[KIND_CONF] = { HD_API_ALTMARK_CONF, 4, sizeof(struct hd_api_altmark_conf), "altmark",
			describe_conf },
	[KIND_FLOW] = { HD_API_ALTMARK_FLOW, 4, sizeof(struct hd_api_altmark_flow), "altmark-flow",
			describe_flow },
	[KIND_MARK] = { HD_API_ALTMARK_MARK, 4, sizeof(struct hd_api_altmark_mark), "altmark-mark",
			describe_mark },
	[KIND_IFACE] = { HD_API_ALTMARK_IFACE, 4, sizeof(struct hd_api_altmark_iface),
			 "altmark-interface", describe_iface },
	{ 0 },
};

static int compile_conf(struct compile *c, const struct lyd_node *top)
{
	struct hd_api_altmark_conf m = { .period_ms = cfg_u32(top, "period", 10) * 1000,
					 .guard_ms = cfg_u32(top, "guard", 200),
					 .d_per_block = (uint8_t)cfg_u32(top, "delay-packets", 1),
					 .tlv_type = (uint8_t)cfg_u32(top, "srh-tlv-type", 0) };

	if (m.guard_ms >= m.period_ms / 2)
		return compile_fail(
			c, cfg_child(top, "guard"),
			"a guard of %u ms is not below half a block of %u s (RFC 9341 section 5)",
			m.guard_ms, m.period_ms / 1000);
	return compile_add(c, &kinds[KIND_CONF], &m, sizeof(m), top);
}

static int compile_mark(struct compile *c, const struct lyd_node *mark, uint32_t flow_id, bool tlv)
{
	struct hd_api_altmark_mark m = { .flow_id = flow_id,
					 .place = (uint32_t)cfg_enum(mark, "place", 1) };
	const struct lyd_node *policy = cfg_child(mark, "policy");
	int rc = srv6_any_policy(c, cfg_str(mark, "policy"), policy, &m.policy_id);

	if (rc < 0)
		return rc;
	if (m.place == 3 && !tlv)
		return compile_fail(c, cfg_child(mark, "place"), "srh-tlv-type is not set");
	if (m.policy_id == 0) /* not valid now: it comes back with its marks */
		return 0;
	return compile_add(c, &kinds[KIND_MARK], &m, sizeof(m), mark);
}

static int compile_flow(struct compile *c, const struct lyd_node *flow, bool tlv)
{
	const char *name = cfg_str(flow, "name"), *source = cfg_str(flow, "source-address");
	struct hd_api_altmark_flow m = { .flow_id = ids_get(c->ids, ID_ALTMARK_FLOW, name),
					 .mon_id = cfg_u32(flow, "flow-mon-id", 0) };
	const struct lyd_node *mark = cfg_child(flow, "mark");

	if (m.flow_id == 0)
		return compile_fail(c, flow, "out of memory");
	if (!ip_is_unicast(cfg_addr(source, m.source), m.source))
		return compile_fail(c, cfg_child(flow, "source-address"),
				    "%s is not a unicast address", source);
	for (const struct lyd_node *b = cfg_next(flow); b != NULL; b = cfg_next(b))
		if (cfg_u32(b, "flow-mon-id", 0) == m.mon_id &&
		    strcmp(cfg_str(b, "source-address"), source) == 0)
			return compile_fail(c, b, "flow '%s' has the same FlowMonID and source",
					    name);
	int rc = compile_add(c, &kinds[KIND_FLOW], &m, sizeof(m), flow);
	return rc == 0 && mark != NULL ? compile_mark(c, mark, m.flow_id, tlv) : rc;
}

static bool listed(const struct lyd_node *top, const char *list, const char *name)
{
	cfg_foreach(n, top, list) if (strcmp(cfg_str(n, "name"), name) == 0) return true;
	return false;
}

static int check_measurement(struct compile *c, const struct lyd_node *top,
			     const struct lyd_node *m)
{
	static const char *const ends[] = { "from", "to" };

	if (!listed(top, "flow", cfg_str(m, "flow")))
		return compile_fail(c, cfg_child(m, "flow"), "there is no flow '%s'",
				    cfg_str(m, "flow"));
	for (unsigned i = 0; i < 2; i++) {
		const char *at = cfg_str(m, ends[i]);
		if (strcmp(at, "local") != 0 && !listed(top, "peer", at))
			return compile_fail(c, cfg_child(m, ends[i]), "there is no peer '%s'", at);
	}
	if (strcmp(cfg_str(m, "from"), cfg_str(m, "to")) == 0)
		return compile_fail(c, m, "both points are the same");
	return 0;
}

static int altmark_compile(struct compile *c)
{
	const struct lyd_node *top = cfg_top(c->tree, "altmark");
	bool tlv = cfg_child(top, "srh-tlv-type") != NULL;
	int rc = 0;

	if (cfg_child(top, "flow") == NULL && cfg_child(top, "measurement") == NULL)
		return 0;
	rc = compile_conf(c, top);
	cfg_foreach(i, top, "interface")
	{
		struct hd_api_altmark_iface m = { .iface_id =
							  l2_interface(c, lyd_get_value(i), i) };

		if (rc == 0)
			rc = m.iface_id == 0 ? -EINVAL :
					       compile_add(c, &kinds[KIND_IFACE], &m, sizeof(m), i);
	}
	cfg_foreach(f, top, "flow") if (rc == 0) rc = compile_flow(c, f, tlv);
	cfg_foreach(m, top, "measurement") if (rc == 0) rc = check_measurement(c, top, m);
	return rc;
}

const struct ctrl_domain altmark_domain = {
	.name = "altmark",
	.modules = (const char *const[]){ "heddle-altmark", NULL },
	.kinds = kinds,
	.compile = altmark_compile,
	.states = (const struct ctrl_state[]){ { "heddle-altmark:altmark-state", altmark_state },
					       { 0 } },
	.metric = altmark_metric,
};
