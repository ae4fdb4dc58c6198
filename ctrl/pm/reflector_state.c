/* SPDX-License-Identifier: BSD-3-Clause
 * State of the reflector's sessions: what the data plane was given, with its counters. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctrl/ip/ip.h"
#include "ctrl/pm/pm_private.h"
#include "ctrl/restconf.h"
#include "heddle/api/pm.h"

struct ask {
	struct ctrl *c;
	struct http_req *req;
};

static void on_sessions(void *arg, const struct dp_answer *a)
{
	struct ask *ask = arg;
	struct hd_api_pm_reflector_session s;
	char text[INET6_ADDRSTRLEN];
	size_t off = 0;

	if (a->error != 0) {
		restconf_dp_error(ask->req, a);
		free(ask);
		return;
	}
	struct json_object *top = json_object_new_object(), *list = json_object_new_array();
	while (dp_answer_next(a, &off, &s, sizeof(s)) != NULL) {
		struct json_object *o = json_object_new_object();
		const char *name = ids_name(ask->c->ids, ID_PM_REFLECTOR_SESSION, s.session_id);

		json_add_str(o, "name", name != NULL ? name : "?");
		json_object_object_add(o, "udp-port", json_object_new_int(s.udp_port));
		json_add_str(o, "source-address", ip_text(s.family, s.source, text, sizeof(text)));
		json_object_object_add(o, "ssid", json_object_new_int(s.ssid));
		json_object_object_add(o, "stateful",
				       json_object_new_boolean((s.flags & HD_PM_F_STATEFUL) != 0));
		json_add_counters(o, ask->c->dp, "pm-reflector-session", s.session_id);
		json_object_array_add(list, o);
	}
	json_object_object_add(top, "session", list);
	restconf_data(ask->req, "heddle-pm:reflector-state", top);
	free(ask);
}

void pm_reflector_state(struct ctrl *c, struct http_req *req)
{
	struct ask *ask = malloc(sizeof(*ask));

	if (ask == NULL) {
		restconf_errorf(req, -ENOMEM, "out of memory");
		return;
	}
	*ask = (struct ask){ c, req };
	dp_dump(c->dp, HD_API_PM_REFLECTOR_SESSION, on_sessions, ask);
}
