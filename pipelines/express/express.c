/* SPDX-License-Identifier: BSD-3-Clause
 * Node express as the graph knows it: the best of its compilations that this CPU can run.  The one for the whole
 * build's instruction set is always there; which others are: meson.build. */
#include "dataplane/cpu.h"
#include "pipelines/express/express.h"
#include "pipelines/express/express_levels.h"

static rte_node_process_t best = express_process_base;

static void __attribute__((constructor)) choose(void)
{
	unsigned level = cpu_level();

#ifdef EXPRESS_V3
	if (level >= 3)
		best = express_process_v3;
#endif
#ifdef EXPRESS_V4
	if (level >= 4)
		best = express_process_v4;
#endif
	(void)level;
}

static uint16_t express_process(struct rte_graph *g, struct rte_node *node, void **objs, uint16_t n)
{
	return best(g, node, objs, n);
}
NODE_REGISTER(express, "express", EXPRESS, EXPRESS_VERDICTS, express_process)
