/* SPDX-License-Identifier: BSD-3-Clause
 * Workers: one polling thread per lcore, each walking its own rte_graph. */
#ifndef DATAPLANE_WORKER_H
#define DATAPLANE_WORKER_H

#include <rte_graph_worker.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <stdint.h>

#include "dataplane/dp_limits.h"
#include "dataplane/meta.h"

#define WORKER_PORTS_MAX 256u
#define WORKER_RXQ_MAX   64u
#define INJECT_BURST     32u /* packets of the control thread taken per walk */
#define FLIGHT_PACKETS   64u /* last packets remembered per worker */
#define FLIGHT_HEAD      64u
#define FLIGHT_OF_BURST  8u /* and of each burst */

/* RX queues a worker polls; replaced as a whole under RCU. */
struct worker_rxqs {
	uint32_t n;
	struct {
		uint16_t dpdk_port, queue, port_id, pad;
	} q[WORKER_RXQ_MAX];
	uint32_t n_handoff; /* ports whose TX hand-off ring this worker drains */
	uint16_t handoff[WORKER_RXQ_MAX];
};

/* Flight recorder: the first octets of the last packets, for the crash report. */
struct flight {
	uint32_t next;
	struct flight_pkt {
		uint64_t tsc;
		uint16_t port, length, pad[2];
	} pkt[FLIGHT_PACKETS];
	uint8_t head[FLIGHT_PACKETS][FLIGHT_HEAD] __rte_cache_aligned; /* of pkt[] */
};

/* What somebody watches on this worker: bits of worker.watch. */
#define WATCH_TRACE   0x1u
#define WATCH_CAPTURE 0x2u
#define WATCH_EXPLAIN 0x4u /* the worker of explain.h: always set, on no other */

enum { WAKE_PM_SEND, WAKE_IMPAIR, WAKE_BFD, WAKE_CAPACITY, WAKES };

struct worker_stats {
	uint64_t loops, idle_loops, busy_cycles, sleep_cycles;
}; /* the columns of vector "worker" */

struct worker {
	/* read by the worker each loop */
	struct rte_graph *graph;
	struct worker_rxqs *rxqs; /* RCU */
	struct rte_ring *inject;  /* control thread -> worker, mbufs; meta->arg is enum inject_to */
	struct rte_ring *punt;    /* worker -> control thread, mbufs; meta->punt is the reason */
	uint32_t id, lcore;
	volatile uint32_t watch; /* WATCH_*; 0: nothing on the packet path is paid for tracing */
	volatile uint32_t stop;
	/* written by the worker */
	uint32_t cur_node __rte_cache_aligned; /* node row being run; UINT32_MAX between walks */
	uint32_t rx_count;                     /* packets taken in this walk, set by port-rx */
	uint64_t now; /* TSC, read by port-rx behind each burst, and at the end of a walk without one */
	uint64_t walk; /* whatever comes in this walk comes then or later, all else came before */
	bool busy;     /* the walk before had packets */
	/* by WAKE_*: TSC at which something is to be sent; 0: never.  An idle worker sleeps no longer */
	uint64_t wake[WAKES];
	struct worker_stats *stats; /* in the statistics segment */
	uint32_t n_rx_run;          /* what port-rx sent to express in this walk, in order */
	struct rx_run {
		uint64_t tsc;
		uint16_t n, port; /* packets; the owner's port id */
		bool observe;     /* the observer's work is still to be done */
	} rx_run[WORKER_RXQ_MAX + INJECT_BURST];
	uint32_t n_tx_same; /* if port-tx gets so many packets: they are all whole and for this port */
	uint16_t tx_same;
	struct flight *flight;
	void *trace;         /* trace.c */
	void *punt_state;    /* punt.c: this worker's policers */
	void *explain;       /* explain.c: what comes out is kept there; NULL: a real worker */
	void *pipe_state[8]; /* pipelines' own per-worker state */
	uint16_t txq[WORKER_PORTS_MAX]; /* TX queue by port id; UINT16_MAX: hand over to the owner */
};

extern struct worker *workers[DP_WORKERS_MAX]; /* dp_limits.workers of them */
/* Whose graph this thread walks, for what is called deep inside a node; good during a walk. */
extern __thread struct worker *worker_walking;

/* Who looks at what a port receives, in front of all else: called by port-rx with each burst, frames as received, no
 * metadata yet.  May read, and write what the sender left open (an option).  Returns how many go on, to the front;
 * those behind are dropped, as of its verdict MEASURED.
 * Set and cleared by the control thread; by port id.  NULL: nobody, which costs a burst one load. */
typedef unsigned (*rx_observer_fn)(struct worker *w, struct rte_mbuf **m, unsigned n,
				   uint16_t port);
struct rx_observer {
	rx_observer_fn fn;
	bool in_express; /* express does what fn does, for each packet it gets of a run with `observe` */
};
extern const struct rx_observer *rx_observer[WORKER_PORTS_MAX];

/* Who judges what is about to leave by a port: called by port-tx with at most 64 frames as they will be sent.  Moves
 * those that may leave to the front, in order, and returns how many they are; the others are dropped, as of its verdict
 * MEASURED.  Set and cleared as rx_observer is. */
typedef unsigned (*tx_filter_fn)(struct rte_mbuf **m, unsigned n, uint16_t port);
extern tx_filter_fn tx_filter[WORKER_PORTS_MAX];

/* Remember packet number n of this worker.  The caller keeps f->next: one store a burst, not a chain of them. */
static __rte_always_inline void flight_note(struct flight *f, uint32_t n, uint64_t tsc,
					    uint16_t port, const struct rte_mbuf *m)
{
	uint32_t i = n % FLIGHT_PACKETS;

	f->pkt[i] = (struct flight_pkt){ .tsc = tsc, .port = port, .length = m->data_len };
	__builtin_memcpy(f->head[i], rte_pktmbuf_mtod(m, const void *),
			 FLIGHT_HEAD); /* mbuf room >= 64 */
}

static inline void worker_flight(struct worker *w, const struct rte_mbuf *m, uint16_t port)
{
	flight_note(w->flight, w->flight->next++, w->now, port, m);
}

/* Create dp_limits.workers workers with their graphs (after pipelines_init()); nothing runs yet.  A caller without
 * worker lcores (unit tests, benchmark) may walk them itself with worker_turn(). */
int workers_create(void);
/* One worker with a graph of that name, which stays out of workers[] and of the statistics with the hidden slice's id
 * (stats.h).  NULL, having logged why. */
struct worker *worker_create(unsigned id, const char *graph_name);
void worker_destroy(struct worker *w); /* takes NULL */
void workers_destroy(void);

/* Launch worker i on lcore i + 1; stop waits for all of them. */
int workers_launch(void);
void workers_stop(void);

/* One turn: walk the graph, report the quiescent state.  The body of the worker's loop. */
void worker_turn(struct worker *w);

struct worker_conf {
	uint16_t burst;        /* most packets taken from a queue per walk, 1..256 */
	uint32_t sleep_max_us; /* 0: busy polling; else an idle worker sleeps up to this long */
};
extern struct worker_conf worker_conf;

#endif
