/* SPDX-License-Identifier: BSD-3-Clause */
/* Read-copy-update between the control thread, the only writer, and the workers, the readers.
 *
 * One QSBR variable for the whole process.  A worker may use any pointer that it loaded from a table until it next
 * reports a quiescent state, once per turn of its loop.  What the control thread has unlinked it hands to
 * rcu_retire(), which frees it once every online worker has reported since.  Nothing here blocks, but rcu_drain().
 *
 * Without rcu_init() there are no readers, and rcu_retire() frees at once: unit tests of tables need no set-up.
 * Everything is for the control thread, except rcu_worker_*(), each for the thread of that worker. */
#ifndef DATAPLANE_RCU_H
#define DATAPLANE_RCU_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_rcu_qsbr.h>

extern struct rte_rcu_qsbr *rcu_qsbr; /* NULL until rcu_init(); for the inlines below only */

/* Prepare for workers 0 .. max_workers - 1.  Needs no EAL.
 * Returns 0, -EINVAL for 0 workers, -EALREADY when initialised, -ENOMEM. */
int rcu_init(unsigned max_workers);

/* Free everything still retired and forget the workers, all of which have ended.  Does nothing if not initialised. */
void rcu_fini(void);

/* Announce worker and put it online; unregister when its thread ends.
 * Returns 0, -EINVAL for a worker that rcu_init() did not announce, -ENODEV before rcu_init(). */
int rcu_worker_register(unsigned worker);
void rcu_worker_unregister(unsigned worker);

/* An offline worker holds no pointer and delays nobody: before it sleeps or blocks; online before it reads again. */
static inline void rcu_worker_online(unsigned worker)
{
	rte_rcu_qsbr_thread_online(rcu_qsbr, worker);
}

static inline void rcu_worker_offline(unsigned worker)
{
	rte_rcu_qsbr_thread_offline(rcu_qsbr, worker);
}

/* Worker holds no pointer into any table at this moment.  A load and a store; once per turn of the worker's loop. */
static inline void rcu_worker_quiescent(unsigned worker)
{
	rte_rcu_qsbr_quiescent(rcu_qsbr, worker);
}

/* Call free_fn(p) after a grace period.  p is already unreachable for new readers; NULL is ignored.
 * The caller must not touch p afterwards: free functions of what was retired EARLIER, or of p itself when there are
 * no readers, may run inside this call.  They run in the control thread in the order of retirement and may retire. */
void rcu_retire(void *p, void (*free_fn)(void *p));

/* The same for objects whose free function needs to know where they belong.  p may be any value, also NULL. */
void rcu_retire_arg(void *p, void *arg, void (*free_fn)(void *p, void *arg));

/* Free what has passed a grace period, and start one for what was retired since the last call.
 * Called by the control loop at each turn.  Returns the number of objects freed. */
unsigned rcu_reclaim(void);

/* Wait until everything retired is freed.  Blocks as long as any online worker does not report: for shutdown, tests,
 * and a writer that is out of memory.  Do not call from a free function. */
void rcu_drain(void);

/* Objects retired and not yet freed. */
uint64_t rcu_pending(void);

#endif /* DATAPLANE_RCU_H */
