/* SPDX-License-Identifier: BSD-3-Clause
 * Order of set-up and tear-down of the engine's parts, in one place. */
#include "dataplane/engine.h"
#include "dataplane/host.h"

#include <errno.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_mbuf.h>

#include "dataplane/api_server.h"
#include "dataplane/capture.h"
#include "dataplane/crash.h"
#include "dataplane/debug_api.h"
#include "dataplane/dp_limits.h"
#include "dataplane/explain.h"
#include "dataplane/hmac_many.h"
#include "dataplane/impair.h"
#include "dataplane/log.h"
#include "dataplane/meta.h"
#include "dataplane/node.h"
#include "dataplane/object_drops.h"
#include "dataplane/objects.h"
#include "dataplane/pipeline.h"
#include "dataplane/port.h"
#include "dataplane/punt.h"
#include "dataplane/rcu.h"
#include "dataplane/stats.h"
#include "dataplane/telemetry.h"
#include "dataplane/trace.h"
#include "dataplane/hwclock.h"
#include "dataplane/wallclock.h"
#include "dataplane/watchdog.h"
#include "dataplane/worker.h"
#include "dataplane/xdp/steer.h"

/* Defaults for a laptop; see heddle-dp --help for what each costs. */
struct dp_limits dp_limits = {
	.workers = 1,
	.ifaces = 1024,
	.vrfs = 64,
	.nexthops = 16384,
	.nhgroups = 4096,
	.routes4 = 1100000,
	.routes6 = 300000,
	.neighs = 16384,
	.sids = 65536,
	.policies = 16384,
	.seglists = 32768,
	.rules = 4096,
	.mbufs = 16384,
	.mbuf_room = 2048 + RTE_PKTMBUF_HEADROOM,
};

static struct rte_mempool *pool;

int engine_init(void)
{
	int rc;

	pool = rte_pktmbuf_pool_create("packets", dp_limits.mbufs, 256, sizeof(struct hd_meta),
				       (uint16_t)dp_limits.mbuf_room, SOCKET_ID_ANY);
	if (pool == NULL) {
		log_error(
			"packet pool of %u buffers of %u octets could not be made (%s): give more memory "
			"(--memory) or fewer buffers (--mbufs)",
			dp_limits.mbufs, dp_limits.mbuf_room, rte_strerror(rte_errno));
		return -ENOMEM;
	}
	rc = rcu_init(dp_limits.workers);
	if (rc < 0)
		goto free_pool;
	rc = stats_init(dp_limits.workers);
	if (rc < 0)
		goto fini_rcu;
	rc = objects_init();
	if (rc < 0)
		goto fini_stats;
	objects_note = crash_object_note;
	rc = wallclock_init();
	if (rc < 0)
		goto fini_objects;
	rc = ports_init();
	if (rc < 0)
		goto fini_objects;
	rc = steer_init();
	if (rc < 0)
		goto fini_objects;
	rc = host_init();
	if (rc == 0)
		rc = pipelines_init();
	if (rc < 0)
		goto fini_objects;
	rc = nodes_stats_init();
	if (rc == 0)
		rc = object_drops_init();
	if (rc < 0)
		goto fini_pipelines;
	rc = punt_init(pool, api_server_punt);
	if (rc < 0)
		goto fini_pipelines;
	rc = workers_create();
	if (rc < 0)
		goto fini_punt;
	rc = debug_init();
	if (rc < 0)
		goto destroy_workers;
	rc = impair_init();
	if (rc == 0)
		rc = explain_init();
	if (rc < 0)
		goto fini_debug;
	telemetry_init();
	return 0;
fini_debug:
	debug_fini();
destroy_workers:
	workers_destroy();
fini_punt:
	punt_fini();
fini_pipelines:
	pipelines_fini();
fini_objects:
	objects_fini();
fini_stats:
	stats_fini();
fini_rcu:
	rcu_fini();
free_pool:
	rte_mempool_free(pool);
	log_error("engine: set-up failed (%s)", strerror(-rc));
	return rc;
}

void engine_fini(void)
{
	objects_fini();
	explain_fini();
	debug_fini();
	ports_fini();
	pipelines_fini();
	rcu_fini(); /* frees what readers might have held; no worker runs */
	hmac_many_fini();
	workers_destroy();
	punt_fini();
	stats_fini();
	rte_mempool_free(pool);
	pool = NULL;
}

unsigned engine_poll(void)
{
	unsigned n = punt_poll() + host_poll();

	rcu_reclaim();
	capture_poll();
	return n;
}

void engine_tick(void)
{
	wallclock_tick();
	hwclock_tick();
	pipelines_tick();
	ports_tick();
	steer_tick();
	watchdog_tick();
	graph_stats_update();
}
