/* SPDX-License-Identifier: BSD-3-Clause
 * A system under test that is known: it forwards from one DPDK port to another, and loses, doubles, delays and reorders
 * on purpose.  It counts what it did, which is what the receiver must find. */
#ifndef BENCH_TRAFFIC_IMPAIR_H
#define BENCH_TRAFFIC_IMPAIR_H

#include <stdint.h>

struct impair_conf {
	uint32_t lose_every;   /* each so-manieth packet is lost; 0: none */
	uint32_t double_every; /* is followed by a copy of itself */
	uint32_t hold_every;   /* is held back until hold_by others have passed */
	uint32_t hold_by;
	double delay_s; /* for every packet */
	double pps;     /* what it can forward; 0: all */
	double arrival_pps; /* with pps: packets count as arriving at this rate, one by one, whatever the clock says.
				 * So a busy machine cannot change what is lost. */
};

struct impair_done {
	uint64_t came, lost, doubled, reordered, left;
};

struct impair;

/* from, to: DPDK's port numbers.  NULL: no memory. */
struct impair *impair_create(uint16_t from, uint16_t to, double hz);
void impair_destroy(struct impair *x);
/* Another behaviour, and counters from zero.  Nothing may be under way. */
void impair_set(struct impair *x, const struct impair_conf *conf);
void impair_poll(struct impair *x);
struct impair_done impair_counts(const struct impair *x);

#endif
