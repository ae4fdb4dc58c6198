/* SPDX-License-Identifier: BSD-3-Clause
 * BFD sessions as the data plane sees them: state, events, and the paths that follow them. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/ctrl.h"
#include "ctrl/dp_state.h"
#include "ctrl/events.h"
#include "ctrl/ip/ip.h"
#include "ctrl/log.h"
#include "ctrl/pm/bfd.h"
#include "ctrl/running.h"
#include "ctrl/srv6/liveness.h"
#include "heddle/api/bfd.h"
#include "heddle/wire/bfd.h"

static const char *state_text(uint32_t state)
{
	static const char *const text[] = { "admin-down", "down", "init", "up" };

	return state <= BFD_UP ? text[state] : "?";
}

/* RFC 5880 section 4.1. */
static const char *diag_text(uint32_t diag)
{
	static const char *const text[] = { "none",
					    "control detection time expired",
					    "echo function failed",
					    "neighbor signaled session down",
					    "forwarding plane reset",
					    "path down",
					    "concatenated path down",
					    "administratively down",
					    "reverse concatenated path down" };

	return diag < sizeof(text) / sizeof(text[0]) ? text[diag] : "reserved";
}

static const struct lyd_node *configured(const struct ctrl *c, const char *name)
{
	const struct lyd_node *top = cfg_top(running_config(c->running)->tree, "bfd");

	cfg_foreach(s, top, "session") if (strcmp(cfg_str(s, "name"), name) == 0) return s;
	return NULL;
}

static struct json_object *session_json(struct ctrl *c, const void *msg)
{
	const struct hd_api_bfd_state *s = msg;
	struct json_object *o = json_object_new_object();
	const char *name = dp_state_name(c, ID_BFD_SESSION, s->session_id);
	const struct lyd_node *node = configured(c, name);

	json_add_str(o, "name", name);
	if (node != NULL)
		json_add_str(o, "peer-address", cfg_str(node, "peer-address"));
	json_add_str(o, "state", state_text(s->state));
	json_add_str(o, "diagnostic", diag_text(s->diag));
	json_add_str(o, "remote-state", state_text(s->remote_state));
	json_add_str(o, "remote-diagnostic", diag_text(s->remote_diag));
	json_add_u32(o, "local-discriminator", s->local_discr);
	json_add_u32(o, "remote-discriminator", s->remote_discr);
	json_add_u32(o, "transmit-interval", s->tx_us);
	json_add_u32(o, "detection-time", s->detect_us);
	json_add_u64(o, "sent", s->sent);
	json_add_u64(o, "received", s->received);
	json_add_u64(o, "ups", s->ups);
	json_add_u64(o, "downs", s->downs);
	if (s->change_ns != 0)
		json_add_time_ns(o, "changed", s->change_ns);
	return o;
}

void bfd_state(struct ctrl *c, struct http_req *req)
{
	static const struct dp_state sessions = { .name = "heddle-bfd:bfd-state",
						  .type = HD_API_BFD_STATE,
						  .list = "session",
						  .size = sizeof(struct hd_api_bfd_state),
						  .entry = session_json };

	dp_state_get(c, req, &sessions);
}

/* Whoever depends on the session's name is told.  True: something changed. */
static bool follow(const char *name, uint32_t state, uint32_t diag)
{
	char why[160];

	snprintf(why, sizeof(why), "BFD session %.60s: %s", name, diag_text(diag));
	return liveness_set(name, state == BFD_UP, state == BFD_UP ? "" : why);
}

void bfd_event(struct ctrl *c, const struct hd_api_event *ev)
{
	struct hd_api_bfd_event e;
	struct json_object *o;
	const char *name;

	memcpy(&e, ev->u.room, sizeof(e));
	name = ids_name(c->ids, ID_BFD_SESSION, e.session_id);
	if (name == NULL)
		return;
	log_info("BFD session %s: %s (%s)", name, state_text(e.state), diag_text(e.diag));
	if (follow(name, e.state, e.diag))
		running_refresh(c->running);
	o = json_object_new_object();
	json_add_str(o, "session", name);
	json_add_str(o, "state", e.state == BFD_UP ? "up" : "down");
	json_add_str(o, "diagnostic", diag_text(e.diag));
	events_publish(c->events, "heddle-bfd:bfd-change", o);
}

/* One that has never been up says nothing about its path yet. */
static void on_dp_up(void *arg, const struct dp_answer *a)
{
	struct hd_api_bfd_state s;
	struct ctrl *c = arg;
	bool changed = false;
	size_t off = 0;

	while (a->error == 0 && dp_answer_next(a, &off, &s, sizeof(s)) != NULL) {
		const char *name = ids_name(c->ids, ID_BFD_SESSION, s.session_id);

		if (name != NULL && s.ups != 0)
			changed |= follow(name, s.state, s.diag);
	}
	if (changed)
		running_refresh(c->running);
}

void bfd_dp_up(struct ctrl *c)
{
	dp_request(c->dp, HD_API_BFD_STATE, NULL, 0, -1, on_dp_up, c);
}
