/* SPDX-License-Identifier: BSD-3-Clause
 * What the parts of the generator share: ports, transmitter, receiver, neighbours. */
#ifndef BENCH_TRAFFIC_GEN_INT_H
#define BENCH_TRAFFIC_GEN_INT_H

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "bench/traffic/gen.h"
#include "bench/traffic/pace.h"
#include "bench/traffic/seq.h"
#include "bench/traffic/sig.h"
#include "heddle/wire/wire.h"

#define GEN_BURST 32u

struct gen_pending { /* made, and not yet taken by the driver */
	uint32_t n;
	struct rte_mbuf *m[GEN_BURST];
	uint8_t *sig[GEN_BURST];
	uint32_t flow[GEN_BURST], seq[GEN_BURST], stream[GEN_BURST];
};

struct gen_port {
	uint16_t id; /* DPDK's */
	struct mac_addr mac;
	const struct stream_port *conf; /* NULL: no addresses */
	volatile bool have_gateway;
	struct mac_addr gateway;
	struct gen_pending pending;
	struct rte_ring *answers; /* ARP and ND, from the receiver to the transmitter */
};

struct gen_stream {
	const struct stream *conf;
	uint32_t first_flow;
	uint32_t n_sizes, size[STREAM_SIZES_MAX]; /* octets without FCS */
	uint32_t headers, stride;                 /* octets of a prepared header */
	uint8_t *header; /* [size][flow] at stride; NULL: frames of a pcap */
	uint32_t next_flow, next_size, lap;
};

struct gen {
	struct gen_config cfg;
	struct rte_mempool *pool;
	uint32_t n_ports, n_streams, n_flows, n_order;
	struct gen_port port[STREAM_PORTS_MAX];
	struct gen_stream stream[STREAMS_MAX];
	uint8_t order[STREAMS_MAX * STREAM_WEIGHT_MAX]; /* streams in the order of their packets */
	uint32_t next_order;
	uint32_t *tx_seq;     /* [flow] */
	struct seq_track *rx; /* [flow] */
	uint8_t *flow_stream; /* [flow] */
	uint64_t *windows;
	uint32_t window;      /* sequence numbers per flow */
	uint16_t tag, trials; /* signature of this trial; trials before it */
	struct pace pace;
	uint64_t until, grace, most, first_tsc, last_tsc;
	volatile bool sending, receiving;
	volatile uint64_t live_sent, live_unique;
	volatile uint64_t last_rx_tsc;
	uint64_t looks; /* at the ports, since the last test packet came */
	struct gen_result *r;
	double hz;
	bool huge;
};

extern struct gen gen;

/* Transmitter (tx.c). */
void tx_start(const struct gen_trial *t);
bool tx_turn(void); /* false: all was sent */
void tx_abandon(void);
int tx_frames(const uint32_t *size, uint32_t n_sizes);
uint64_t tx_make_and_drop(uint64_t until);

/* Receiver (rx.c). */
void rx_start(void);
void rx_turn(void);
void rx_collect(void); /* trackers into the result */

/* Neighbours (neigh.c): a frame without signature; and requests for the gateways' MACs. */
void neigh_input(struct gen_port *p, const uint8_t *frame, uint32_t len);
void neigh_ask(struct gen_port *p);
/* Tell the link the port's own addresses: who has waited for them since before the start does not wait longer. */
void neigh_announce(struct gen_port *p);

#endif
