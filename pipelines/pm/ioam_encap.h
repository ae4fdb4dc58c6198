/* SPDX-License-Identifier: BSD-3-Clause
 * What the encapsulating node puts into the packets of a policy: each option is a struct srv6_extra. */
#ifndef PIPELINES_PM_IOAM_ENCAP_H
#define PIPELINES_PM_IOAM_ENCAP_H

#include "pipelines/pm/ioam.h"
#include "pipelines/srv6/srv6.h"

struct ioam_encap_state { /* outlives changes of the settings; shared by the workers (relaxed atomics) */
	uint64_t packets; /* of which one in `every` is selected */
	uint64_t seq;     /* next of edge to edge, of direct export */
	uint64_t dex_seq;
};

/* Immutable once handed to srv6_policy_extra(). */
struct ioam_encap {
	struct srv6_extra extra; /* first: what the stamp gets */
	struct hd_api_ioam_encap conf;
	struct ioam_encap_state *state;
};

void ioam_stamp_trace(const struct srv6_extra *x, uint8_t *at, uint32_t total);
void ioam_stamp_dex(const struct srv6_extra *x, uint8_t *at, uint32_t total);
void ioam_stamp_e2e(const struct srv6_extra *x, uint8_t *at, uint32_t total);

/* Octets of each option as it goes into packets, to buf of SRV6_EXTRA_MAX; 0: does not fit. */
unsigned ioam_trace_option(uint8_t *buf, const struct hd_api_ioam_encap *e);
unsigned ioam_dex_option(uint8_t *buf, const struct hd_api_ioam_encap *e);
unsigned ioam_e2e_option(uint8_t *buf, const struct hd_api_ioam_encap *e);

#endif
