/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-pm:impair and impairment-state: no part of the configuration, and gone with the data plane. */
#include <errno.h>
#include <stdlib.h>

#include "ctrl/cfg.h"
#include "ctrl/pm/session.h"
#include "ctrl/restconf.h"

static void on_set(void *arg, const struct dp_answer *a)
{
	if (a->error != 0)
		restconf_dp_error(arg, a);
	else
		restconf_output(arg, "heddle-pm", NULL);
}

void pm_impair(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	const char *name = cfg_str(in, "interface");
	struct hd_api_pm_impair m = { .port_id = ids_find(c->ids, ID_PORT, name),
				      .seed = cfg_u32(in, "seed", 1),
				      .loss_ppm = cfg_u32(in, "loss", 0),
				      .duplicate_ppm = cfg_u32(in, "duplicate", 0),
				      .reorder_ppm = cfg_u32(in, "reorder", 0),
				      .limit = cfg_u32(in, "limit", 4096),
				      .delay_ns = cfg_u32(in, "delay", 0) * 1000ull,
				      .jitter_ns = cfg_u32(in, "jitter", 0) * 1000ull };

	if (m.port_id == 0) {
		restconf_errorf(
			req, -ENOENT,
			"there is no interface '%s' with a port; see: heddle show interfaces",
			name);
		return;
	}
	dp_request(c->dp, HD_API_PM_IMPAIR, &m, sizeof(m), -1, on_set, req);
}

struct ask {
	struct ctrl *c;
	struct http_req *req;
};

static void on_state(void *arg, const struct dp_answer *a)
{
	struct json_object *top, *list;
	struct hd_api_pm_impair m;
	struct ask *ask = arg;
	size_t off = 0;

	if (a->error != 0) {
		restconf_dp_error(ask->req, a);
		free(ask);
		return;
	}
	top = json_object_new_object();
	list = json_object_new_array();
	while (dp_answer_next(a, &off, &m, sizeof(m)) != NULL) {
		struct json_object *o = json_object_new_object();
		const char *name = ids_name(ask->c->ids, ID_PORT, m.port_id);

		json_add_str(o, "interface", name != NULL ? name : "?");
		json_add_u32(o, "delay", (uint32_t)(m.delay_ns / 1000));
		json_add_u32(o, "jitter", (uint32_t)(m.jitter_ns / 1000));
		json_add_u32(o, "loss", m.loss_ppm);
		json_add_u32(o, "duplicate", m.duplicate_ppm);
		json_add_u32(o, "reorder", m.reorder_ppm);
		json_add_u32(o, "seed", m.seed);
		json_add_u32(o, "limit", m.limit);
		json_add_u64(o, "frames", m.frames);
		json_add_u64(o, "lost", m.lost);
		json_add_u64(o, "duplicated", m.duplicated);
		json_add_u64(o, "reordered", m.reordered);
		json_add_u64(o, "overflow", m.overflow);
		json_object_array_add(list, o);
	}
	json_object_object_add(top, "port", list);
	restconf_data(ask->req, "heddle-pm:impairment-state", top);
	free(ask);
}

void pm_impair_state(struct ctrl *c, struct http_req *req)
{
	struct ask *ask = malloc(sizeof(*ask));

	if (ask == NULL) {
		restconf_errorf(req, -ENOMEM, "out of memory");
		return;
	}
	*ask = (struct ask){ c, req };
	dp_request(c->dp, HD_API_PM_IMPAIR, NULL, 0, -1, on_state, ask);
}
