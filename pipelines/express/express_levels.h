/* SPDX-License-Identifier: BSD-3-Clause
 * Node express for each level of CPU: express_node.c, compiled for it. */
#ifndef PIPELINES_EXPRESS_EXPRESS_LEVELS_H
#define PIPELINES_EXPRESS_EXPRESS_LEVELS_H

#include <rte_graph_worker.h>

#ifndef EXPRESS_PROCESS /* its name at this level */
#define EXPRESS_PROCESS express_process_base
#endif

uint16_t express_process_base(struct rte_graph *g, struct rte_node *node, void **objs, uint16_t n);
uint16_t express_process_v3(struct rte_graph *g, struct rte_node *node, void **objs, uint16_t n);
uint16_t express_process_v4(struct rte_graph *g, struct rte_node *node, void **objs, uint16_t n);

#endif
