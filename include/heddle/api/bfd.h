/* SPDX-License-Identifier: BSD-3-Clause
 * Table API of BFD (RFC 5880, RFC 5881, RFC 5883): asynchronous mode, without echo and authentication.
 * See api.h for the rules every message follows. */
#ifndef HEDDLE_API_BFD_H
#define HEDDLE_API_BFD_H

#include "heddle/api/api.h"

#define HD_BFD_SESSIONS_MAX 1024u
#define HD_BFD_SEGS_MAX     16u
#define HD_BFD_MIN_US       3000u /* shortest interval */

/* BFD_SESSION.  Key: session_id.  Errors: EINVAL, ENOENT vrf or interface, EEXIST the same two addresses, EADDRINUSE,
 * ENOSPC. */
struct hd_api_bfd_session {
	uint32_t session_id; /* 1 .. HD_BFD_SESSIONS_MAX - 1 */
	uint32_t vrf_id;
	uint32_t iface_id; /* packets come on it; needed for link-local peers; 0: on any */
	uint32_t flags;    /* HD_BFD_F_* */
	uint32_t min_tx_us, min_rx_us;
	uint8_t family, mult, min_ttl; /* min_ttl: of packets that come over several hops */
	uint8_t n_segs;                /* on the way to the peer, IPv6 over several hops only */
	uint8_t local[16], peer[16];
	uint8_t seg[HD_BFD_SEGS_MAX][16]; /* the peer's address follows them */
};
static_assert(sizeof(struct hd_api_bfd_session) == 60 + 16 * HD_BFD_SEGS_MAX, "no hidden padding");
#define HD_BFD_F_MULTIHOP   0x1u
#define HD_BFD_F_PASSIVE    0x2u /* does not begin */
#define HD_BFD_F_ADMIN_DOWN 0x4u

/* Answer to BFD_STATE (request without a body): one session; states and diagnostics as on the wire. */
struct hd_api_bfd_state {
	uint32_t session_id;
	uint8_t state, diag, remote_state, remote_diag;
	uint32_t local_discr, remote_discr;
	uint32_t tx_us, detect_us; /* in force; detect_us 0: none */
	uint32_t remote_min_tx_us, remote_min_rx_us;
	uint32_t remote_mult, pad;
	uint64_t sent, received, ups, downs;
	uint64_t change_ns; /* when the state changed last, since 1970; 0: never */
};
static_assert(sizeof(struct hd_api_bfd_state) == 80, "no hidden padding");

/* In u.room of HD_EVENT_BFD. */
struct hd_api_bfd_event {
	uint32_t session_id;
	uint32_t state, diag, pad;
	uint64_t time_ns;
};
static_assert(sizeof(struct hd_api_bfd_event) == 24, "no hidden padding");

#endif
