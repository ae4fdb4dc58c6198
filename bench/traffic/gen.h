/* SPDX-License-Identifier: BSD-3-Clause
 * Generator and receiver on DPDK ports.
 *
 * One CPU sends and receives in turns, or two share the work: one sends, one receives.  Time stamps are the TSC, read
 * once per burst just before the driver gets it and just after the driver gave it; so a latency is too high by at most
 * the time between two looks at the ports, which is measured too (gap). */
#ifndef BENCH_TRAFFIC_GEN_H
#define BENCH_TRAFFIC_GEN_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/traffic/stream.h"
#include "heddle/stats.h"

struct rte_mempool;

#define GEN_DRAIN_S 2.0 /* RFC 2544 section 23: wait two seconds for what is under way */

struct gen_config {
	const char *devargs[STREAM_PORTS_MAX]; /* unused if open() is given */
	uint32_t n_ports;
	/* Instead of devargs: makes the ports once DPDK runs.  Returns 0 or -Exxx. */
	int (*open)(void *arg, uint16_t port[STREAM_PORTS_MAX], struct rte_mempool *pool);
	/* Called in each turn of the receiving CPU: a system under test of our own. */
	void (*hook)(void *arg);
	void *arg;
	const char *const *eal; /* more arguments for DPDK, NULL at the end; or NULL */
	int cpu[2];             /* second one -1: one CPU does both */
	uint32_t max_octets;    /* largest frame without FCS */
	uint32_t queue;         /* descriptors of a queue; 0: 1024 */
	bool no_huge;
	double drain_s;    /* 0: GEN_DRAIN_S */
	double catch_up_s; /* 0: PACE_CATCH_UP_S; packets that are late by more are given up */
};

struct gen_trial {
	double pps;       /* of all streams together; 0: as fast as it goes */
	double seconds;   /* of sending */
	uint64_t packets; /* 0: no limit but seconds */
};

struct gen_counts {
	uint64_t sent, octets; /* octets with FCS */
	uint64_t unique, reordered, duplicate, late;
	uint32_t max_behind;    /* reordering extent in sequence numbers */
	struct hd_hist latency; /* nanoseconds */
};

struct gen_result {
	struct gen_trial asked;
	double offered; /* packets per second that the driver took */
	double seconds; /* from the first to the last packet sent */
	double took;    /* seconds, waiting included */
	struct gen_counts all, stream[STREAMS_MAX];
	uint64_t behind; /* packets that were not sent because the generator or the port fell behind */
	uint64_t stale;    /* of earlier trials */
	uint64_t foreign;  /* without a signature: ARP, ND, routing, ... */
	uint64_t astray;   /* test packets that came out of another port than the stream's */
	uint64_t negative; /* latencies below zero: the CPUs' TSCs disagree */
	uint64_t no_buffer;
	uint64_t device_rx_missed, device_tx_errors; /* as the drivers count them */
	struct hd_hist gap; /* nanoseconds between two looks at the ports; gen_gap() reads it */
};

/* What is lost: sent - unique. */
static inline uint64_t gen_lost(const struct gen_counts *c)
{
	return c->sent - c->unique;
}

static inline double gen_loss_ratio(const struct gen_counts *c)
{
	return c->sent == 0 ? 0 : (double)gen_lost(c) / (double)c->sent;
}

/* Nanoseconds: `percent` of all moments lay in a gap at most so long.  By time, not by number: a packet is more likely
 * to come during a long gap than during one of many short ones. */
uint64_t gen_gap(const struct gen_result *r, double percent);

/* Start DPDK and open the ports.  Once per process.  Returns 0 or -Exxx after a message. */
int gen_start(const struct gen_config *cfg, const struct streams *s);
void gen_stop(void);
/* Announce the ports' addresses and ask the gateways for their MACs: the learning that RFC 2544 section 23 puts in
 * front of a trial.  Returns 0, or -EHOSTUNREACH after a message. */
int gen_resolve(double timeout_s);
/* Build the frames; size[n_sizes]: octets with FCS of streams that do not say themselves.  Returns 0 or -ENOMEM. */
int gen_frames(const uint32_t *size, uint32_t n_sizes);
/* Mean octets of a frame, with FCS, over the mix of streams. */
double gen_mean_octets(void);
/* Packets per second that the links carry at this mix; 0: no port tells its speed. */
double gen_line_pps(double line_bps);
/* Packets per second that this CPU can make, without a port. */
double gen_ceiling(void);
/* One trial.  progress: called about twice a second, or NULL.  Returns 0 or -Exxx. */
typedef void (*gen_progress_fn)(double elapsed, uint64_t sent, uint64_t received);
int gen_trial(const struct gen_trial *t, struct gen_result *ret, gen_progress_fn progress);
double gen_tsc_hz(void);
bool gen_huge(void);
const char *gen_port_text(uint32_t port, char *to, size_t size);

#endif
