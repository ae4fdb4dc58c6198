/* SPDX-License-Identifier: BSD-3-Clause
 * Slow path: packets that a worker hands to the control thread, and packets the control thread sends.
 * A worker sets meta->punt to a reason and leads the packet to node "punt"; there the reason's policer (token
 * bucket per worker) decides, and a bounded ring carries it over.  Each reason is policed apart, so a storm of one
 * kind starves no other. */
#ifndef DATAPLANE_PUNT_H
#define DATAPLANE_PUNT_H

#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

/* Takes ownership of m (free it or inject it).  Runs in the control thread. */
typedef void (*punt_handler)(struct rte_mbuf *m, void *arg);

#define PUNT_REASONS_MAX 32u

/* Register a reason at init.  name: row name in vector "punt"; rate and burst: default policer in packets/s and
 * packets, over all workers.  handler NULL: to the control process by the punt socket.
 * Returns the reason (0..31) or -ENOSPC. */
int punt_reason_register(const char *name, const char *help, uint32_t rate_pps, uint32_t burst,
			 punt_handler handler, void *arg);

/* Change a policer at run time (control thread).  -ENOENT for an unknown reason. */
int punt_policer_set(uint32_t reason, uint32_t rate_pps, uint32_t burst);

int punt_policer_get(uint32_t reason, uint32_t *ret_rate_pps, uint32_t *ret_burst);

/* For `explain`: fn says in one sentence what the handler would do with m, without doing it.  -ENOENT. */
typedef void (*punt_explain)(const struct rte_mbuf *m, char *text, size_t size);
int punt_explain_set(uint32_t reason, punt_explain fn);
/* The sentence; the reason's help when nobody set a function.  Control thread. */
void punt_explain_text(const struct rte_mbuf *m, char *text, size_t size);

struct worker;
/* Take one token of a reason's policer: for what is limited like a punt but done by the worker itself (ICMP
 * errors).  Counts the packet as passed or policed.  Worker's thread. */
bool punt_policer_take(struct worker *w, uint32_t reason);

/* Punt a copy of the first max_len octets, with its metadata, if the reason's policer allows; the packet itself goes
 * its way.  Worker's thread. */
void punt_copy(struct worker *w, struct rte_mbuf *m, uint32_t reason, uint32_t max_len);

/* Wiring, by main and the tests: after every pipeline registered its reasons and before the workers are made.
 * ctrl_handler takes packets of reasons without a handler; NULL: they are freed. */
int punt_init(struct rte_mempool *packet_pool, punt_handler ctrl_handler);
void punt_fini(void);
int punt_worker_init(struct worker *w);
void punt_worker_refill(struct worker *w); /* full buckets, by the policers as they are set now */
unsigned
punt_poll(void); /* control loop: hand punted packets to their handlers; returns how many */

enum inject_to {
	INJECT_PORT_TX,    /* complete frame, meta->port is the egress port */
	INJECT_IP4_LOOKUP, /* data at the IPv4 header, meta->vrf set */
	INJECT_IP6_LOOKUP, /* data at the IPv6 header, meta->vrf set */
	INJECT_ETH_INPUT,  /* as if received on meta->port, with the metadata it has */
	INJECT_RECEIVED,   /* as if received on meta->port, by the short way if it is usual */
};
/* Send a packet into the graph from the control thread (worker 0's inject ring).  Takes ownership; when the ring
 * is full the packet is freed and counted.  The caller has filled the metadata. */
void inject(struct rte_mbuf *m, enum inject_to where);

/* A fresh mbuf with zeroed metadata from the packet pool; NULL when the pool is empty. */
struct rte_mbuf *packet_alloc(void);
struct rte_mempool *packet_pool(void); /* of worker and control thread alike */

#endif
