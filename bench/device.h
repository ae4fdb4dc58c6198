/* SPDX-License-Identifier: BSD-3-Clause
 * The two ends of the benchmark as Ethernet devices.  Their buffers come from the engine's own pool, filled the way a
 * driver's receive function does it, and go back to it the way a driver with fast free does it. */
#ifndef BENCH_DEVICE_H
#define BENCH_DEVICE_H

#include <rte_mbuf.h>
#include <stdint.h>

#include "bench/bench.h"

#define PORT_SOURCE 1u
#define PORT_SINK   2u

/* Turn two started ports into source and sink.  From now on the source gives nothing until device_source_on(). */
int device_take(uint32_t source, uint32_t sink, struct rte_mempool *pool);
/* Prepare the frames of all flows in the order in which they are sent. */
int device_load(const struct workload *w, const struct params *p);
void device_unload(void);

enum device_write {
	DEVICE_OFF,
	DEVICE_64,    /* 64 octets of each packet are written: the floor */
	DEVICE_FRESH, /* as many as the workload wants */
	DEVICE_WHOLE, /* all of them: for verifying */
	DEVICE_OWN,   /* none: the engine sends; what comes is answered if the workload says how */
	DEVICE_OWN_CHECK, /* the same for verifying */
};
void device_write(enum device_write how);

/* What every received packet passes through when set, before it is freed; n-th since the last device_reset(). */
extern void (*device_check)(uint64_t n, struct rte_mbuf *m);
/* Tests break packets here, before they are checked: false swallows the packet. */
extern bool (*device_sabotage)(uint64_t n, struct rte_mbuf *m);

void device_reset(void);
uint64_t device_sent(void); /* packets given since the last reset */
uint64_t device_came(void); /* packets taken */
/* The n-th packet's flow and frame. */
const uint8_t *device_frame(uint64_t n, uint32_t *ret_flow, uint32_t *ret_len);
uint32_t device_mean_len(void);
uint32_t device_fresh(void);

/* One burst from source to sink with nothing between; the same through DPDK's API, as a forwarder's io mode. */
unsigned device_floor(unsigned burst);
unsigned device_io(unsigned burst);

#endif
