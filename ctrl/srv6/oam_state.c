/* SPDX-License-Identifier: BSD-3-Clause
 * What the endpoint tells on request: copies of packets with the O-flag (RFC 9259), behaviors it carries. */
#include <stdio.h>
#include <time.h>

#include "ctrl/dp_state.h"
#include "ctrl/ip/ip.h"
#include "ctrl/srv6/srv6_private.h"
#include "heddle/api/debug.h"
#include "heddle/api/srv6.h"
#include "heddle/srv6_behavior.h"

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

static struct json_object *copy_json(struct ctrl *c, const void *msg)
{
	const struct hd_api_srv6_oam *copy = msg;
	char text[HD_SRV6_OAM_HEAD * 2 + 1], src[48], dst[48];
	struct json_object *o = json_object_new_object();
	unsigned captured = copy->captured <= HD_SRV6_OAM_HEAD ? copy->captured : HD_SRV6_OAM_HEAD;

	snprintf(text, sizeof(text), "%llu", (unsigned long long)copy->seq);
	json_add_str(o, "number", text);
	json_add_str(o, "time", time_text(copy->time_ns, text));
	json_add_str(o, "interface", dp_state_name(c, ID_INTERFACE, copy->iface_id));
	json_add_str(o, "sid", dp_state_name(c, ID_SID, copy->sid_id));
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

void srv6_oam_state(struct ctrl *c, struct http_req *req)
{
	static const struct dp_state copies = {
		.name = "heddle-srv6:oam-state",
		.type = HD_API_SRV6_OAM_STATE,
		.list = "copy",
		.size = sizeof(struct hd_api_srv6_oam),
		.entry = copy_json,
	};

	dp_state_get(c, req, &copies);
}

static struct json_object *capability_json(struct ctrl *c, const void *msg)
{
	const struct hd_api_srv6_capability *cap = msg;
	struct json_object *o = json_object_new_object(), *flavors = json_object_new_array();
	size_t n;
	const struct hd_srv6_flavor_name *flavor = hd_srv6_flavor_names(&n);

	(void)c;
	json_add_u32(o, "codepoint", cap->codepoint);
	json_add_str(o, "name", hd_srv6_behavior_name(cap->behavior));
	for (size_t i = 0; i < n; i++)
		if ((cap->flavors & flavor[i].bit) != 0)
			json_object_array_add(flavors, json_object_new_string(flavor[i].name));
	json_object_object_add(o, "flavor", flavors);
	return o;
}

void srv6_capability_state(struct ctrl *c, struct http_req *req)
{
	static const struct dp_state capabilities = {
		.name = "heddle-srv6:capability-state",
		.type = HD_API_SRV6_CAPABILITY,
		.list = "behavior",
		.size = sizeof(struct hd_api_srv6_capability),
		.entry = capability_json,
	};

	dp_state_get(c, req, &capabilities);
}
