/* SPDX-License-Identifier: BSD-3-Clause
 * Loss, reordering and duplication of one flow, from the sequence numbers in the order of their arrival.
 *
 *   in order   RFC 4737 section 3: its number is not below NextExp, the highest number that came plus one
 *   reordered  below NextExp, and it came for the first time
 *   duplicate  a number that came before (RFC 5560: every further copy is one)
 *   late       so far below NextExp (more than the window) that nothing tells whether it came before
 *   lost       sent, and never came: sent - unique.  Late packets make it uncertain by their number. */
#ifndef BENCH_TRAFFIC_SEQ_H
#define BENCH_TRAFFIC_SEQ_H

#include <stdint.h>

struct seq_track {
	uint32_t next;       /* NextExp */
	uint32_t max_behind; /* the highest NextExp - 1 - number of a reordered packet */
	uint64_t unique, reordered, duplicate, late;
	uint64_t *seen; /* window: bit (number % window) */
};

enum seq_kind { SEQ_IN_ORDER, SEQ_REORDERED, SEQ_DUPLICATE, SEQ_LATE };

/* window: a power of two, at least 64; seen[] has window / 64 words and belongs to the caller. */
void seq_reset(struct seq_track *t, uint32_t window, uint64_t *seen);
enum seq_kind seq_add(struct seq_track *t, uint32_t window, uint32_t seq);

#endif
