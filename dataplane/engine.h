/* SPDX-License-Identifier: BSD-3-Clause
 * The engine put together: what heddle-dp, the benchmark and the unit tests start.
 * Order: EAL (by the caller), engine_init(), [workers_launch()], control turns, engine_fini(). */
#ifndef DATAPLANE_ENGINE_H
#define DATAPLANE_ENGINE_H

/* Packet pool, RCU, statistics, object kinds, pipelines and workers (not launched), from dp_limits and worker_conf.
 * Returns 0 or -Exxx, having said why in the log. */
int engine_init(void);
void engine_fini(void); /* the workers have stopped */

/* One turn of the control loop's own work: punted packets, reclamation, captures.  Returns what it handled. */
unsigned engine_poll(void);
void engine_tick(void); /* every 100 ms: timers of pipelines, links, watchdog, node statistics */

#endif
