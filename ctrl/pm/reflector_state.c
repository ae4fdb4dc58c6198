/* SPDX-License-Identifier: BSD-3-Clause
 * State of the reflector's sessions: what the data plane was given, with its counters. */
#include <arpa/inet.h>

#include "ctrl/dp_state.h"
#include "ctrl/ip/ip.h"
#include "ctrl/pm/pm_private.h"
#include "heddle/api/pm.h"

static struct json_object *session_json(struct ctrl *c, const void *msg)
{
	const struct hd_api_pm_reflector_session *s = msg;
	struct json_object *o = json_object_new_object();
	char text[INET6_ADDRSTRLEN];

	json_add_str(o, "name", dp_state_name(c, ID_PM_REFLECTOR_SESSION, s->session_id));
	json_add_u32(o, "udp-port", s->udp_port);
	json_add_str(o, "source-address", ip_text(s->family, s->source, text, sizeof(text)));
	json_add_u32(o, "ssid", s->ssid);
	json_add_bool(o, "stateful", (s->flags & HD_PM_F_STATEFUL) != 0);
	json_add_counters(o, c->dp, "pm-reflector-session", s->session_id);
	return o;
}

void pm_reflector_state(struct ctrl *c, struct http_req *req)
{
	static const struct dp_state sessions = {
		.name = "heddle-pm:reflector-state",
		.type = HD_API_PM_REFLECTOR_SESSION,
		.dump = true,
		.list = "session",
		.size = sizeof(struct hd_api_pm_reflector_session),
		.entry = session_json,
	};

	dp_state_get(c, req, &sessions);
}
