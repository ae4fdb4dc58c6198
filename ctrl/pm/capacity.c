/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-pm: capacity-responder -> PM_CAPACITY_RESPONDER; operations capacity and capacity-end -> PM_CAPACITY.  A test
 * runs in the data plane alone, which also sees to it that it ends: nothing here waits for it. */
#include "ctrl/pm/capacity.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/config.h"
#include "ctrl/pm/session.h"
#include "ctrl/restconf.h"
#include "ctrl/running.h"
#include "heddle/api/pm.h"

/* ---- the responder --------------------------------------------------------------------------------------------- */

void pm_describe_capacity(const void *body, char *buf, size_t size)
{
	const struct hd_api_pm_capacity_responder *m = body;

	snprintf(buf, size, "UDP port %u, at most %u kbit/s for %u ms, %u sources", m->udp_port,
		 m->max_kbps, m->max_ms, m->n_sources);
}

int pm_compile_capacity(struct compile *c, const struct lyd_node *pm)
{
	const struct lyd_node *node = cfg_child(pm, "capacity-responder");
	struct hd_api_pm_capacity_responder m = {
		.responder_id = 1,
		.udp_port = cfg_u32(node, "udp-port", 50865),
		.key_id = cfg_u32(node, "key", 0),
		.max_kbps = cfg_u32(node, "max-rate", 100) * 1000,
		.max_ms = cfg_u32(node, "max-duration", 30) * 1000,
	};

	if (!cfg_bool(node, "enabled", false))
		return 0;
	cfg_foreach(s, node, "allowed-source") if (m.n_sources < HD_PM_CAPACITY_SOURCES_MAX)
	{
		uint32_t i = m.n_sources++;

		m.source[i].family =
			cfg_prefix(lyd_get_value(s), m.source[i].addr, &m.source[i].len);
	}
	if (m.n_sources == 0)
		return compile_fail(c, node,
				    "a capacity responder serves nobody without an allowed-source");
	return compile_add(c, &pm_kinds[PM_KIND_CAPACITY], &m, sizeof(m), node);
}

/* ---- tests ----------------------------------------------------------------------------------------------------- */

struct paths {
	struct compile *c;
	const struct lyd_node *in;
	unsigned n;
	struct hd_api_pm_session path;
};

static int take_path(void *arg, const char *name, const char *list, struct hd_api_pm_session *m)
{
	struct paths *p = arg;

	(void)name;
	(void)list;
	if (p->n++ != 0)
		return compile_fail(
			p->c, p->in,
			"the policy has several segment lists, and a test runs along one: "
			"choose it by segment-list");
	p->path = *m;
	return 0;
}

static void read_parameters(const struct lyd_node *in, struct hd_api_pm_capacity *m)
{
	m->size = cfg_u32(in, "size", 1250);
	m->max_kbps = cfg_u32(in, "max-rate", 100000);
	m->duration_ms = cfg_u32(in, "duration", 10000);
	m->sub_ms = cfg_u32(in, "sub-interval", 1000);
	m->feedback_ms = cfg_u32(in, "feedback-interval", 50);
	m->stop_ms = cfg_u32(in, "feedback-timeout", 1000);
	m->seq_errors = cfg_u32(in, "sequence-errors", 10);
	m->bad_reports = cfg_u32(in, "consecutive", 3);
	m->fast_rows = cfg_u32(in, "fast-rows", 10);
	m->low_us = cfg_u32(in, "low-delay", 30000);
	m->high_us = cfg_u32(in, "high-delay", 90000);
	m->loss_ppm = cfg_u32(in, "max-loss", 100000);
	m->range_us = cfg_u32(in, "max-delay-range", 90000);
}

static void on_done(void *arg, const struct dp_answer *a)
{
	if (a->error != 0)
		restconf_dp_error(arg, a);
	else
		restconf_output(arg, "heddle-pm", NULL);
}

static void ask(struct ctrl *c, const struct hd_api_pm_capacity *m, struct http_req *req)
{
	if (!dp_connected(c->dp))
		restconf_errorf(req, -ENOTCONN, "no data plane: %s", dp_problem(c->dp));
	else
		dp_request(c->dp, HD_API_PM_CAPACITY, m, sizeof(*m), -1, on_done, req);
}

void pm_capacity(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	struct hd_api_pm_capacity m = { .command = HD_PM_CAPACITY_START };
	struct ctrl_err err = { 0 };
	struct compile compile = { .tree = running_config(c->running)->tree,
				   .ids = c->ids,
				   .err = &err };
	struct paths p = { .c = &compile, .in = in };
	int rc = pm_session_read(&compile, in, "capacity", false, take_path, &p);

	if (rc < 0) {
		restconf_error(req, rc, &err);
		return;
	}
	read_parameters(in, &m);
	m.path = p.path;
	/* what read of a session by default is another here */
	m.path.flags = m.path.seglist_id = 0;
	m.path.dst_port = (uint16_t)cfg_u32(in, "udp-port", 50865);
	m.path.src_port = (uint16_t)cfg_u32(in, "local-port", 0);
	m.path.hop_limit = (uint8_t)cfg_u32(in, "hop-limit", 64);
	ask(c, &m, req);
}

void pm_capacity_end(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	const struct hd_api_pm_capacity m = { .command = HD_PM_CAPACITY_END };

	(void)in;
	ask(c, &m, req);
}
