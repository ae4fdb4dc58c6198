/* SPDX-License-Identifier: BSD-3-Clause
 * State of IOAM: sequence numbers of the data plane, and what was exported. */
#include <arpa/inet.h>

#include "ctrl/dp_state.h"
#include "ctrl/ip/ip.h"
#include "ctrl/pm/ioam.h"

static struct json_object *group_json(const struct hd_api_ioam_group *g)
{
	struct json_object *o = json_object_new_object();
	uint64_t expected = g->last - g->first + 1;
	char text[INET6_ADDRSTRLEN];

	json_add_u32(o, "namespace", g->ns);
	json_add_str(o, "source-address", ip_text(6, g->source, text, sizeof(text)));
	json_add_u64(o, "received", g->received);
	json_add_u64(o, "expected", expected);
	json_add_u64(o, "lost", expected > g->received ? expected - g->received : 0);
	json_add_u64(o, "reordered", g->reordered);
	json_add_u64(o, "restarts", g->restarts);
	return o;
}

static struct json_object *exported_json(void)
{
	struct json_object *o = json_object_new_object();

	json_add_u64(o, "records", ioam_exported.records);
	json_add_u64(o, "missed", ioam_exported.missed);
	if (ioam_exported.file_problem[0] != '\0')
		json_add_str(o, "file-problem", ioam_exported.file_problem);
	json_add_u64(o, "messages", ioam_exported.messages);
	json_add_u64(o, "send-errors", ioam_exported.send_errors);
	return o;
}

static struct json_object *records_json(void)
{
	struct json_object *list = json_object_new_array();

	for (uint64_t i = 0; i < IOAM_LAST; i++) {
		const char *line = ioam_exported.last[(ioam_exported.records + i) % IOAM_LAST];
		struct json_object *o;

		if (line == NULL)
			continue;
		o = json_object_new_object();
		json_add_str(o, "text", line);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *value(struct ctrl *c, const struct dp_answer *a)
{
	struct json_object *top = json_object_new_object(), *groups = json_object_new_array();
	struct hd_api_ioam_group g;
	size_t off = 0;

	while (dp_answer_next(a, &off, &g, sizeof(g)) != NULL)
		json_object_array_add(groups, group_json(&g));
	json_add_counters(top, c->dp, "ioam", 0);
	json_object_object_add(top, "exported", exported_json());
	json_object_object_add(top, "group", groups);
	json_object_object_add(top, "record", records_json());
	return top;
}

void ioam_state(struct ctrl *c, struct http_req *req)
{
	static const struct dp_state groups = { .name = "heddle-ioam:ioam-state",
						.type = HD_API_IOAM_GROUPS,
						.value = value };

	dp_state_get(c, req, &groups);
}
