/* SPDX-License-Identifier: BSD-3-Clause
 * Table API of alternate marking (RFC 9341, RFC 9343).  See api.h for the rules every message follows.
 * A block is the time in which marks have one colour: number n is [n * period, (n + 1) * period) since 1970, UTC. */
#ifndef HEDDLE_API_ALTMARK_H
#define HEDDLE_API_ALTMARK_H

#include "heddle/api/api.h"

#define HD_ALTMARK_FLOWS_MAX     1024u
#define HD_ALTMARK_D_MAX         4u
#define HD_ALTMARK_PERIOD_MIN_MS 1000u
#define HD_ALTMARK_PERIOD_MAX_MS 600000u

/* ALTMARK_CONF: one object; without it nothing is marked or counted.  Key: key (0).
 * Errors: EINVAL period out of range, guard not below half of it. */
struct hd_api_altmark_conf {
	uint32_t key;       /* 0 */
	uint32_t period_ms; /* of a block; all nodes of the domain have the same */
	uint32_t guard_ms; /* at either end of a block no packet is chosen for its delay (RFC 9341 section 5) */
	uint8_t d_per_block; /* packets of a block that carry D: 1..HD_ALTMARK_D_MAX; 0: single marking */
	uint8_t tlv_type; /* of the SRH TLV, 124..126; 0: there are none, no SRH is looked into */
	uint8_t pad[2];
};
static_assert(sizeof(struct hd_api_altmark_conf) == 16, "no hidden padding");

/* ALTMARK_FLOW: packets that are counted: those of a FlowMonID and source.  Key: flow_id.  Errors: EINVAL, EEXIST
 * another flow is the same packets, ENOSPC. */
struct hd_api_altmark_flow {
	uint32_t flow_id;   /* < HD_ALTMARK_FLOWS_MAX */
	uint32_t mon_id;    /* 20 bits */
	uint8_t source[16]; /* of the outer header: the marking node */
};
static_assert(sizeof(struct hd_api_altmark_flow) == 24, "no hidden padding");

/* ALTMARK_MARK: this node marks what it steers into a policy.  Key: policy_id.
 * Errors: ENOENT policy, flow; EINVAL. */
struct hd_api_altmark_mark {
	uint32_t policy_id;
	uint32_t flow_id;
	uint32_t place; /* enum altmark_place of wire/altmark.h */
};
static_assert(sizeof(struct hd_api_altmark_mark) == 12, "no hidden padding");

/* ALTMARK_IFACE: marked packets received on this interface are counted.  Key: iface_id.  Errors: ENOENT. */
struct hd_api_altmark_iface {
	uint32_t iface_id;
};
static_assert(sizeof(struct hd_api_altmark_iface) == 4, "no hidden padding");

/* ALTMARK_STATE (request without a body): the closed blocks that are still kept, of all flows.  A block is closed when
 * half of the next one has passed, and is kept for about six more. */
struct hd_api_altmark_block {
	uint32_t flow_id;
	uint32_t d_n;                   /* packets with D, also those whose time is not kept */
	uint64_t block;                 /* number */
	uint64_t packets, octets;       /* octets: outer IPv6 packet */
	int64_t ts_sum_ns;              /* of all packets: time since the block began, added up */
	int64_t d_ns[HD_ALTMARK_D_MAX]; /* of packets with D, in order: time since the block began */
	uint64_t clock_error_ns; /* of this node's clock against UTC; UINT64_MAX: it is not synchronised */
	uint32_t period_ms, pad;
};
static_assert(sizeof(struct hd_api_altmark_block) == 88, "no hidden padding");

#endif
