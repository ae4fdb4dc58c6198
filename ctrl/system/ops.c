/* SPDX-License-Identifier: BSD-3-Clause
 * Operations on the data plane: RX queues over workers. */
#include <errno.h>

#include "ctrl/cfg.h"
#include "ctrl/restconf.h"
#include "ctrl/system/system_private.h"
#include "heddle/api/debug.h"

static void queues_done(void *arg, const struct dp_answer *a)
{
	struct http_req *req = arg;

	if (a->error != 0)
		restconf_dp_error(req, a);
	else
		restconf_output(req, "heddle-system", NULL);
}

void system_place_queue(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	const char *iface = cfg_str(in, "interface");
	struct hd_api_worker_queues q = { .queue = (uint16_t)cfg_u32(in, "queue", 0),
					  .worker = cfg_u32(in, "worker", 0) };

	q.port_id = iface != NULL ? ids_find(c->ids, ID_PORT, iface) : 0;
	if (q.port_id == 0) {
		restconf_errorf(req, -ENOENT,
				"there is no port of interface '%s'; see: heddle show workers",
				iface != NULL ? iface : "");
		return;
	}
	dp_request(c->dp, HD_API_WORKER_QUEUES, &q, sizeof(q), -1, queues_done, req);
}

void system_spread_queues(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	struct hd_api_worker_queues q = { .worker = UINT32_MAX };

	(void)in;
	dp_request(c->dp, HD_API_WORKER_QUEUES, &q, sizeof(q), -1, queues_done, req);
}
