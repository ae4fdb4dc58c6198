/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/cfg.h"
#include "ctrl/pm/capacity.h"
#include "ctrl/pm/pm_private.h"
#include "ctrl/pm/history.h"
#include "ctrl/pm/metrics.h"
#include "ctrl/pm/session.h"
#include "heddle/api/pm.h"

static int pm_compile(struct compile *c)
{
	const struct lyd_node *pm = cfg_top(c->tree, "pm");
	int rc = pm_compile_reflectors(c, pm);

	if (rc == 0)
		rc = pm_compile_capacity(c, pm);
	return rc == 0 ? pm_compile_sessions(c, pm) : rc;
}

const struct ctrl_kind pm_kinds[] = {
	[PM_KIND_KEY] = { HD_API_PM_KEY, 4, sizeof(struct hd_api_pm_key), "pm-key",
			  pm_describe_key },
	[PM_KIND_REFLECTOR] = { HD_API_PM_REFLECTOR, 4, sizeof(struct hd_api_pm_reflector),
				"pm-reflector", pm_describe_reflector },
	[PM_KIND_REFLECTOR_SESSION] = { HD_API_PM_REFLECTOR_SESSION, 4,
					sizeof(struct hd_api_pm_reflector_session),
					"pm-reflector-session", pm_describe_reflector_session },
	[PM_KIND_SESSION] = { HD_API_PM_SESSION, 4, sizeof(struct hd_api_pm_session), "pm-session",
			      pm_describe_session },
	[PM_KIND_CAPACITY] = { HD_API_PM_CAPACITY_RESPONDER, 4,
			       sizeof(struct hd_api_pm_capacity_responder), "pm-capacity-responder",
			       pm_describe_capacity },
	{ 0 },
};

const struct ctrl_domain pm_domain = {
	.name = "pm",
	.modules = (const char *const[]){ "heddle-pm", NULL },
	.kinds = pm_kinds,
	.compile = pm_compile,
	.states = (const struct ctrl_state[]){ { "heddle-pm:reflector-state", pm_reflector_state },
					       { "heddle-pm:session-state", pm_session_state },
					       { "heddle-pm:pacing-state", pm_pacing_state },
					       { "heddle-pm:impairment-state", pm_impair_state },
					       { "heddle-pm:capacity-state", pm_capacity_state },
					       { 0 } },
	.metric = pm_metrics_line,
	.read_ops = (const char *const[]){ "heddle-pm:history", NULL },
	.ops = (const struct ctrl_op[]){ { "heddle-pm:measure", pm_measure },
					 { "heddle-pm:calibrate", pm_calibrate },
					 { "heddle-pm:impair", pm_impair },
					 { "heddle-pm:capacity", pm_capacity },
					 { "heddle-pm:capacity-end", pm_capacity_end },
					 { "heddle-pm:history", pm_history },
					 { 0 } },
};

void pm_start(struct ctrl *c)
{
	history_start(c);
}

void pm_stop(void)
{
	history_stop();
}

void pm_fini(void)
{
	history_fini();
	pm_metrics_fini();
	pm_measure_fini();
}
