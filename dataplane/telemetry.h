/* SPDX-License-Identifier: BSD-3-Clause
 * Statistics for others: librte_telemetry commands under /heddle, generated from the statistics directory, and the
 * vector "node" of what rte_graph counts.  Telemetry answers in a thread of its own, from the segment only. */
#ifndef DATAPLANE_TELEMETRY_H
#define DATAPLANE_TELEMETRY_H

#include <stdint.h>

void telemetry_init(void); /* a failure is logged: nothing else depends on it */
void telemetry_fini(void); /* before the segment goes */

/* Vector "node": rows in the order of node_desc_first(), which is node_desc.row.  After the workers were made. */
int graph_stats_init(void);

/* Control thread: copy calls, objects and cycles of every node of every worker's graph. */
void graph_stats_update(void);

#endif
