/* SPDX-License-Identifier: BSD-3-Clause
 * A STAMP Session-Reflector's answer, as a function over the UDP payload (RFC 8762 section 4.3, RFC 8972).
 * The request becomes the reply in place.  No mbuf, no graph: node pm-reflect, the tests and the fuzzer share it. */
#ifndef PIPELINES_PM_REFLECT_H
#define PIPELINES_PM_REFLECT_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/hmac.h"
#include "heddle/wire/stamp.h"

/* How requests are answered; immutable once published. */
struct reflector {
	uint8_t ts_method;  /* enum stamp_ts_method */
	bool ptp;           /* timestamps in PTP's format instead of NTP's */
	bool stateful;      /* own sequence numbers (RFC 8762 section 4) */
	bool authenticated; /* RFC 8762 section 4.4 */
	bool tlvs;          /* false: what follows the base is padding (a TWAMP Light peer) */
	bool hmac_tlv; /* unauthenticated: a packet with TLVs but no HMAC TLV fails the check */
	bool hide_location; /* zeros instead of addresses (RFC 8972 section 4.2.2) */
	bool has_key;
	uint64_t dscp_allowed; /* bit n: a sender may ask for DSCP n (RFC 8972 section 4.4) */
	struct hmac_key key;
};

/* Of a stateful session.  A session's packets normally meet one worker; should they meet two, the counters are still
 * right (relaxed atomics on a line of the session's own), and only the follow-up of a reply may be its neighbour's. */
struct reflector_state {
	uint32_t rx, tx;   /* packets; tx is the next sequence number */
	uint32_t last_seq; /* of the last reply ... */
	uint64_t last_ts;  /* ... and when it left; 0: none yet */
} __attribute__((aligned(64)));

/* What the node knows of the received packet. */
struct stamp_rx {
	uint8_t family;           /* 4 or 6 */
	const uint8_t *src, *dst; /* addresses, 4 or 16 octets */
	const uint8_t *src_mac;   /* or NULL */
	uint16_t src_port, dst_port;
	uint8_t ttl, dscp, ecn;
	bool link;           /* the link it came on is known: a reply can leave there */
	uint64_t ts;         /* T2, in the reflector's format */
	bool hw;             /* which the port's own clock gave */
	uint16_t error;      /* error estimate of T2 and T3, without the Z bit */
	uint8_t sync_source; /* enum stamp_sync_source: what keeps the clock */
	/* An address of this node?  Can this node send a reply along n segments, the first one first? */
	bool (*ours)(void *arg, unsigned family, const uint8_t *addr);
	bool (*reachable)(void *arg, const uint8_t *sids, unsigned n);
	void *arg;
};

enum stamp_return { STAMP_RETURN_ROUTED, STAMP_RETURN_SAME_LINK, STAMP_RETURN_SRV6 };

struct stamp_reply {
	uint16_t len; /* UDP payload, octets */
	uint8_t dscp;
	bool own_src; /* the source address is the request's Destination Node Address */
	uint8_t src[16];
	enum stamp_return path;
	const uint8_t *sids; /* STAMP_RETURN_SRV6: first segment first, in the packet */
	uint16_t n_sids;
};

enum stamp_result {
	STAMP_REPLY,        /* the payload is the reply; stamp_reply_finish() completes it */
	STAMP_NO_REPLY,     /* the sender wants none (RFC 9503, control code) */
	STAMP_TRUNCATED,    /* shorter than what every request has */
	STAMP_NO_ROOM,      /* the reply is longer than the buffer */
	STAMP_BAD_HMAC,     /* RFC 8762 section 4.4 */
	STAMP_BAD_ESTIMATE, /* multiplier zero (RFC 4656 section 4.1.2) */
};

/* p: UDP payload of len octets in a buffer of room.  st: the session's, or NULL when the reflector is stateless.
 * Nothing but STAMP_REPLY and STAMP_NO_REPLY changes st; the packet may be changed by every result but
 * STAMP_BAD_HMAC, STAMP_TRUNCATED and STAMP_BAD_ESTIMATE.  Worker's thread; does not allocate. */
enum stamp_result stamp_reflect(const struct reflector *r, struct reflector_state *st,
				const struct stamp_rx *rx, uint8_t *p, unsigned len, unsigned room,
				struct stamp_reply *ret);

/* The last step before the packet leaves: T3 in the reflector's format, then the HMAC over it (RFC 8762 section 4.4:
 * it covers the timestamp). */
void stamp_reply_finish(const struct reflector *r, struct reflector_state *st, uint8_t *p,
			uint64_t ts);

#endif
