/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/dp.h"
#include "ctrl/system/system_private.h"
#include "heddle/api/ip.h"

static void describe_policer(const void *body, char *buf, size_t size)
{
	const struct hd_api_punt_policer *p = body;

	snprintf(buf, size, "reason %u: %u/s burst %u", p->reason, p->rate_pps, p->burst);
}

static const struct ctrl_kind system_kinds[] = {
	{ HD_API_PUNT_POLICER, 4, sizeof(struct hd_api_punt_policer), "punt-policer",
	  describe_policer },
	{ 0 },
};

static void known_reasons(const struct hd_stats_hdr *stats, const struct hd_stats_vec *v, char *buf,
			  size_t size)
{
	const struct hd_stats_row *row = (const void *)((const uint8_t *)stats + v->row_info_off);
	size_t n = 0;

	buf[0] = '\0';
	for (uint32_t i = 0;
	     v->row_info_off != 0 && i < v->n_rows && n + sizeof(row[i].name) + 2 < size; i++)
		if (row[i].name[0] != '\0')
			n += (size_t)snprintf(buf + n, size - n, "%s%.*s", n > 0 ? ", " : "",
					      (int)sizeof(row[i].name) - 1, row[i].name);
}

/* Reasons have their numbers from the data plane.  With none connected they wait: they are compiled again when one
 * connects. */
static int compile(struct compile *c)
{
	const struct hd_stats_vec *v = stats_vec(c->stats, "punt", NULL);

	cfg_foreach(node, cfg_top(c->tree, "system"), "punt-policer")
	{
		struct hd_api_punt_policer p = { .rate_pps = cfg_u32(node, "rate", 0),
						 .burst = cfg_u32(node, "burst", 10) };
		if (v == NULL)
			return 0;
		p.reason = stats_row_by_name(c->stats, v, cfg_str(node, "reason"));
		if (p.reason == UINT32_MAX) {
			char known[500];
			known_reasons(c->stats, v, known, sizeof(known));
			return compile_fail(c, node,
					    "the data plane has no punt reason '%s'; it has: %s",
					    cfg_str(node, "reason"), known);
		}
		int rc = compile_add(c, &system_kinds[0], &p, sizeof(p), node);
		if (rc < 0)
			return rc;
	}
	return 0;
}

const struct ctrl_domain system_domain = {
	.name = "system",
	.modules = (const char *const[]){ "heddle-system", NULL },
	.kinds = system_kinds,
	.compile = compile,
	.states =
		(const struct ctrl_state[]){
			{ "heddle-system:system-state", system_state },
			{ "heddle-system:history-state", system_history_state },
			{ "heddle-system:worker-state", system_worker_state },
			{ "heddle-system:drop-state", system_drop_state },
			{ "heddle-system:graph-state", system_graph_state },
			{ 0 } },
	.read_ops = (const char *const[]){ "heddle-system:diff", NULL },
	.ops = (const struct ctrl_op[]){ { "heddle-system:load", system_load },
					 { "heddle-system:reload", system_reload },
					 { "heddle-system:diff", system_diff },
					 { "heddle-system:edit", system_edit },
					 { "heddle-system:commit", system_commit },
					 { "heddle-system:confirm", system_confirm },
					 { "heddle-system:rollback", system_rollback },
					 { "heddle-system:discard-candidate", system_discard },
					 { "heddle-system:rebase-candidate", system_rebase },
					 { "heddle-system:repair", system_repair },
					 { "heddle-system:place-queue", system_place_queue },
					 { "heddle-system:spread-queues", system_spread_queues },
					 { 0 } },
};
