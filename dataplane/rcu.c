/* SPDX-License-Identifier: BSD-3-Clause */
/* Deferred freeing for rcu.h: a queue of retired objects, in batches.
 *
 * A batch is a run of the queue that shares one grace period: an atomic on a line that workers read is paid once per
 * BATCH objects or per rcu_reclaim(), whichever comes first, and not for every object.
 * Invariants: queue positions only grow; [head, closed) belongs to batches that have a token, in order,
 * [closed, tail) to the open one. */
#include "dataplane/rcu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BATCH     1024u /* 24 KiB of queue; a larger one only delays memory */
#define QUEUE_MIN 4096u
#define BATCH_MAX 4096u /* batches under way; beyond, the open one grows */

struct retired {
	void *p, *arg;
	void (*free_fn)(void *p, void *arg);
};

struct batch {
	uint64_t token;
	uint64_t end; /* queue position after its last object */
};

struct rte_rcu_qsbr *rcu_qsbr;

static struct {
	struct retired *queue; /* ring; size is a power of two */
	uint64_t size, head, closed, tail;
	struct batch batch[BATCH_MAX]; /* ring */
	uint64_t batch_head, batch_tail;
	unsigned max_workers;
	bool freeing; /* inside a free function: it may retire, not reclaim */
} rcu;

int rcu_init(unsigned max_workers)
{
	if (max_workers == 0)
		return -EINVAL;
	if (rcu_qsbr != NULL)
		return -EALREADY;
	size_t bytes = RTE_ALIGN(rte_rcu_qsbr_get_memsize(max_workers), RTE_CACHE_LINE_SIZE);
	struct rte_rcu_qsbr *v = aligned_alloc(RTE_CACHE_LINE_SIZE, bytes);
	if (v == NULL)
		return -ENOMEM;
	rcu.queue = malloc(QUEUE_MIN * sizeof(*rcu.queue));
	if (rcu.queue == NULL)
		goto free_qsbr;
	rcu.size = QUEUE_MIN;
	rcu.max_workers = max_workers;
	rte_rcu_qsbr_init(v, max_workers);
	rcu_qsbr = v;
	return 0;
free_qsbr:
	free(v);
	return -ENOMEM;
}

void rcu_fini(void)
{
	if (rcu_qsbr == NULL)
		return;
	for (unsigned w = 0; w < rcu.max_workers; w++)
		rcu_worker_unregister(w);
	rcu_drain();
	free(rcu.queue);
	free(rcu_qsbr);
	rcu_qsbr = NULL;
	memset(&rcu, 0, sizeof(rcu));
}

int rcu_worker_register(unsigned worker)
{
	if (rcu_qsbr == NULL)
		return -ENODEV;
	if (worker >= rcu.max_workers)
		return -EINVAL;
	rte_rcu_qsbr_thread_register(rcu_qsbr, worker);
	rte_rcu_qsbr_thread_online(rcu_qsbr, worker);
	return 0;
}

void rcu_worker_unregister(unsigned worker)
{
	rte_rcu_qsbr_thread_offline(rcu_qsbr, worker);
	rte_rcu_qsbr_thread_unregister(rcu_qsbr, worker);
}

/* Give the open batch its grace period, which begins now. */
static void batch_close(void)
{
	if (rcu.closed == rcu.tail || rcu.batch_tail - rcu.batch_head == BATCH_MAX)
		return;
	rcu.batch[rcu.batch_tail++ % BATCH_MAX] = (struct batch){
		.token = rte_rcu_qsbr_start(rcu_qsbr),
		.end = rcu.tail,
	};
	rcu.closed = rcu.tail;
}

/* Free the batches whose grace period is over; with wait, all of them. */
static unsigned batches_free(bool wait)
{
	unsigned n = 0;

	if (rcu.freeing)
		return 0;
	while (rcu.batch_head != rcu.batch_tail) {
		struct batch b = rcu.batch[rcu.batch_head % BATCH_MAX];
		if (rte_rcu_qsbr_check(rcu_qsbr, b.token, wait) == 0)
			break;
		rcu.batch_head++;
		rcu.freeing = true;
		while (rcu.head != b.end) { /* by value: free_fn may retire and so move the queue */
			struct retired r = rcu.queue[rcu.head++ & (rcu.size - 1)];
			r.free_fn(r.p, r.arg);
			n++;
		}
		rcu.freeing = false;
	}
	return n;
}

/* Double the queue; without memory for that, wait for readers instead: slow, and nothing is lost. */
static void queue_grow(void)
{
	struct retired *queue = malloc(2 * rcu.size * sizeof(*queue));

	if (queue == NULL) {
		/* A free function that retires into a full queue without memory: head has moved past its own
		 * object, so there is room for one; a second would be a leak of the whole process anyway. */
		if (rcu.freeing)
			abort();
		rcu_drain();
		return;
	}
	for (uint64_t i = rcu.head; i != rcu.tail; i++)
		queue[i & (2 * rcu.size - 1)] = rcu.queue[i & (rcu.size - 1)];
	free(rcu.queue);
	rcu.queue = queue;
	rcu.size *= 2;
}

void rcu_retire_arg(void *p, void *arg, void (*free_fn)(void *p, void *arg))
{
	if (rcu_qsbr == NULL) {
		free_fn(p, arg);
		return;
	}
	if (rcu.tail - rcu.head == rcu.size)
		queue_grow();
	rcu.queue[rcu.tail++ & (rcu.size - 1)] = (struct retired){ p, arg, free_fn };
	if (rcu.tail - rcu.closed >= BATCH) {
		batch_close();
		batches_free(false);
	}
}

/* The free function of rcu_retire() travels as the argument: one kind of entry in the queue. */
static void free_plain(void *p, void *arg)
{
	((void (*)(void *))(uintptr_t)arg)(p);
}

void rcu_retire(void *p, void (*free_fn)(void *p))
{
	if (p != NULL)
		rcu_retire_arg(p, (void *)(uintptr_t)free_fn, free_plain);
}

unsigned rcu_reclaim(void)
{
	if (rcu_qsbr == NULL)
		return 0;
	unsigned n = batches_free(false);
	batch_close();
	/* Workers may all be past it already, and without workers there is nothing to wait for. */
	return n + batches_free(false);
}

void rcu_drain(void)
{
	while (rcu_qsbr != NULL && rcu.head != rcu.tail && !rcu.freeing) {
		batch_close();
		batches_free(true);
	}
}

uint64_t rcu_pending(void)
{
	return rcu.tail - rcu.head;
}
