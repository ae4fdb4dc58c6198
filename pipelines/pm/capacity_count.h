/* SPDX-License-Identifier: BSD-3-Clause
 * What the receiver of a capacity test counts (RFC 9097 sections 5.3, 5.4 and 8.1): load packets, their sequence and
 * their delays, for each feedback interval and each sub-interval.  Pure; times in ns of the caller's clock, which need
 * not agree with the sender's: delays are told above the least one of the test. */
#ifndef PIPELINES_PM_CAPACITY_COUNT_H
#define PIPELINES_PM_CAPACITY_COUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "heddle/wire/capacity.h"

#define CAPACITY_WINDOW 65536u /* sequence numbers that are remembered: what is older stays lost */

struct capacity_span { /* what runs */
	uint64_t begin_ns;
	uint32_t packets, gaps, found, duplicates; /* gaps: missing at first; found: came late */
	uint64_t octets;
	int64_t delay_min, delay_max;
	uint64_t variation_sum;
	uint32_t variation_n;
};

struct capacity_count {
	bool begun;
	uint32_t next;                 /* one more than the highest sequence number */
	int64_t floor;                 /* least delay of the test */
	int64_t last_delay;            /* of the packet before */
	uint64_t sub_ns;               /* length of a sub-interval */
	uint64_t newest_tx, newest_rx; /* of the highest sequence number */
	uint64_t packets, stale;       /* received since the beginning; older than the window */
	uint32_t subs;                 /* sub-intervals that are over */
	struct capacity_span interval, sub;
	struct capacity_tally closed; /* the last of them */
	uint64_t seen[CAPACITY_WINDOW / 64];
};

void capacity_count_init(struct capacity_count *c, uint64_t sub_ns);
/* A load packet: octets of its IP packet. */
void capacity_count_load(struct capacity_count *c, uint32_t seq, uint32_t octets, uint64_t tx_ns,
			 uint64_t rx_ns);
/* Closes sub-intervals that have ended; before each message. */
void capacity_count_roll(struct capacity_count *c, uint64_t now_ns);
/* What the running feedback interval has, which ends with that. */
void capacity_count_take(struct capacity_count *c, uint64_t now_ns, struct capacity_tally *ret);

#endif
