/* SPDX-License-Identifier: BSD-3-Clause
 * What the endpoint tells on request: copies of packets with the O-flag (RFC 9259), behaviors it carries. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ctrl/ip/ip.h"
#include "ctrl/restconf.h"
#include "ctrl/running.h"
#include "ctrl/srv6/srv6_private.h"
#include "heddle/api/debug.h"
#include "heddle/api/srv6.h"
#include "heddle/srv6_behavior.h"

struct ask {
	struct ctrl *c;
	struct http_req *req;
};

static void request(struct ctrl *c, struct http_req *req, uint16_t type, dp_done_fn on_answer)
{
	struct ask *ask = malloc(sizeof(*ask));

	if (ask == NULL) {
		restconf_errorf(req, -ENOMEM, "out of memory");
		return;
	}
	*ask = (struct ask){ c, req };
	dp_request(c->dp, type, NULL, 0, -1, on_answer, ask);
}

/* "2026-11-25T22:10:05.123456789Z" */
static const char *time_text(uint64_t ns, char buf[40])
{
	time_t s = (time_t)(ns / 1000000000);
	struct tm tm;
	size_t n;

	gmtime_r(&s, &tm);
	n = strftime(buf, 40, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + n, 40 - n, ".%09uZ", (unsigned)(ns % 1000000000));
	return buf;
}

static struct json_object *copy_json(struct ask *ask, const struct hd_api_srv6_oam *copy)
{
	const char *iface = ids_name(ask->c->ids, ID_INTERFACE, copy->iface_id),
		   *sid = ids_name(ask->c->ids, ID_SID, copy->sid_id);
	char text[HD_SRV6_OAM_HEAD * 2 + 1], src[48], dst[48];
	struct json_object *o = json_object_new_object();
	unsigned captured = copy->captured <= HD_SRV6_OAM_HEAD ? copy->captured : HD_SRV6_OAM_HEAD;

	snprintf(text, sizeof(text), "%llu", (unsigned long long)copy->seq);
	json_add_str(o, "number", text);
	json_add_str(o, "time", time_text(copy->time_ns, text));
	json_add_str(o, "interface", iface != NULL ? iface : "?");
	json_add_str(o, "sid", sid != NULL ? sid : "?");
	json_add_u32(o, "length", copy->length);
	if (captured >= 40) {
		snprintf(text, sizeof(text), "%s > %s",
			 ip_text(6, copy->data + 8, src, sizeof(src)),
			 ip_text(6, copy->data + 24, dst, sizeof(dst)));
		json_add_str(o, "summary", text);
	}
	for (unsigned i = 0; i < captured; i++)
		snprintf(text + 2 * i, 3, "%02x", copy->data[i]);
	text[2 * captured] = '\0';
	json_add_str(o, "packet", text);
	return o;
}

static void on_copies(void *arg, const struct dp_answer *a)
{
	struct ask *ask = arg;
	struct json_object *top, *list;
	struct hd_api_srv6_oam copy;
	size_t off = 0;

	if (a->error != 0) {
		restconf_dp_error(ask->req, a);
		free(ask);
		return;
	}
	top = json_object_new_object();
	list = json_object_new_array();
	while (dp_answer_next(a, &off, &copy, sizeof(copy)) != NULL)
		json_object_array_add(list, copy_json(ask, &copy));
	json_object_object_add(top, "copy", list);
	restconf_data(ask->req, "heddle-srv6:oam-state", top);
	free(ask);
}

void srv6_oam_state(struct ctrl *c, struct http_req *req)
{
	request(c, req, HD_API_SRV6_OAM_STATE, on_copies);
}

static void on_capabilities(void *arg, const struct dp_answer *a)
{
	struct ask *ask = arg;
	struct json_object *top, *list;
	struct hd_api_srv6_capability cap;
	size_t off = 0, n;
	const struct hd_srv6_flavor_name *flavor = hd_srv6_flavor_names(&n);

	if (a->error != 0) {
		restconf_dp_error(ask->req, a);
		free(ask);
		return;
	}
	top = json_object_new_object();
	list = json_object_new_array();
	while (dp_answer_next(a, &off, &cap, sizeof(cap)) != NULL) {
		struct json_object *o = json_object_new_object(),
				   *flavors = json_object_new_array();

		json_add_u32(o, "codepoint", cap.codepoint);
		json_add_str(o, "name", hd_srv6_behavior_name(cap.behavior));
		for (size_t i = 0; i < n; i++)
			if ((cap.flavors & flavor[i].bit) != 0)
				json_object_array_add(flavors,
						      json_object_new_string(flavor[i].name));
		json_object_object_add(o, "flavor", flavors);
		json_object_array_add(list, o);
	}
	json_object_object_add(top, "behavior", list);
	restconf_data(ask->req, "heddle-srv6:capability-state", top);
	free(ask);
}

void srv6_capability_state(struct ctrl *c, struct http_req *req)
{
	request(c, req, HD_API_SRV6_CAPABILITY, on_capabilities);
}
