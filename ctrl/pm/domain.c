/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/cfg.h"
#include "ctrl/pm/pm_private.h"
#include "heddle/api/pm.h"

static int pm_compile(struct compile *c)
{
	return pm_compile_reflectors(c, cfg_top(c->tree, "pm"));
}

const struct ctrl_kind pm_kinds[] = {
	[PM_KIND_REFLECTOR] = { HD_API_PM_REFLECTOR, 4, sizeof(struct hd_api_pm_reflector),
				"pm-reflector", pm_describe_reflector },
	[PM_KIND_REFLECTOR_SESSION] = { HD_API_PM_REFLECTOR_SESSION, 4,
					sizeof(struct hd_api_pm_reflector_session),
					"pm-reflector-session", pm_describe_reflector_session },
	{ 0 },
};

const struct ctrl_domain pm_domain = {
	.name = "pm",
	.modules = (const char *const[]){ "heddle-pm", NULL },
	.kinds = pm_kinds,
	.compile = pm_compile,
	.states = (const struct ctrl_state[]){ { "heddle-pm:reflector-state", pm_reflector_state },
					       { 0 } },
};
