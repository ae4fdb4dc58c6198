/* SPDX-License-Identifier: BSD-3-Clause
 * Table API of STAMP Session-Senders (RFC 8762, RFC 8972, RFC 9503): sessions, what they measured, and impairments to
 * try measuring with.  See api.h for the rules every message follows. */
#ifndef HEDDLE_API_PM_SESSION_H
#define HEDDLE_API_PM_SESSION_H

#include "heddle/api/api.h"
#include "heddle/pm_hist.h"

#define HD_PM_SENDERS_MAX     16384u
#define HD_PM_ON_DEMAND       64u /* the highest ids: sessions of no configuration */
#define HD_PM_SEGS_MAX        16u
#define HD_PM_RETURN_MAX      8u
#define HD_PM_PADDING_MAX     1200u
#define HD_PM_INTERVAL_MIN_US 1000u
#define HD_PM_WINDOW_MAX      8192u /* packets of a session whose fate is open: timeout / interval */
#define HD_PM_SEVERE_BLOCK    100u  /* packets of a block ... */
#define HD_PM_SEVERE_LOST \
	20u /* ... which is one of severe loss when more than so many of them are lost */

enum hd_pm_encap {
	HD_PM_PLAIN = 0, /* to the destination as routed */
	HD_PM_INNER = 1, /* H.Encaps with the segment list; the last SID decapsulates */
	HD_PM_HEADER =
		2, /* segment routing header in front of UDP; the destination is the last segment */
};

#define HD_PM_S_LOOPBACK      0x00001u /* the list leads back here; nobody reflects */
#define HD_PM_S_PTP           0x00002u /* timestamps in PTP's format; else NTP's */
#define HD_PM_S_AUTHENTICATED 0x00004u /* RFC 8762 section 4.4; needs key_id */
#define HD_PM_S_HMAC_TLV      0x00008u /* unauthenticated, but TLVs are covered; needs key_id */
#define HD_PM_S_STATEFUL      0x00010u /* the reflector counts by itself: loss by direction */
#define HD_PM_S_LIGHT         0x00020u /* a TWAMP Light peer: no TLVs, any length from 41 (RFC 5357 I) */
#define HD_PM_S_SSID_STRICT \
	0x00040u /* a reply with SSID 0 stops the session (RFC 8972 section 3) */
#define HD_PM_S_ONCE         0x00080u /* on demand: count packets, one bin */
#define HD_PM_S_ZERO_PADDING 0x00100u /* zeros instead of pseudo-random octets */
#define HD_PM_S_LOCATION     0x00200u /* TLVs (RFC 8972 section 4) ... */
#define HD_PM_S_TIMESTAMP    0x00400u
#define HD_PM_S_COS          0x00800u /* with reply_dscp */
#define HD_PM_S_DIRECT       0x01000u
#define HD_PM_S_ACCESS       0x02000u /* with access_id, access_code */
#define HD_PM_S_FOLLOW_UP    0x04000u
#define HD_PM_S_DEST_NODE    0x08000u /* ... and RFC 9503; with dest_node */
#define HD_PM_S_RETURN_ADDR  0x10000u
#define HD_PM_S_SAME_LINK    0x20000u /* Return Path: on the link of the request */
#define HD_PM_S_NO_REPLY     0x40000u /* Return Path: none wanted; the far end counts */
#define HD_PM_S_LINK \
	0x80000u /* of LOOPBACK: straight out of an interface, whose link leads back here (calibration) */
#define HD_PM_S_FLAGS 0xfffffu

/* PM_SESSION: a session this node sends.  Key: session_id, its row in the "pm-session" statistics vector.
 * A change of what is sent or of the way begins the session anew; other changes keep its numbers.
 * Errors: EINVAL, ENOENT VRF or key, EEXIST another session has the same SSID, or the local port without one,
 * EADDRINUSE the local port serves something else, ENOSPC, EMSGSIZE the packet is too long. */
struct hd_api_pm_session {
	uint32_t session_id; /* 1..HD_PM_SENDERS_MAX - 1 */
	/* end of key */
	uint32_t flags; /* HD_PM_S_* */
	uint32_t vrf_id, key_id;
	uint32_t interval_us, timeout_ms; /* later than timeout is lost */
	uint32_t count;                   /* with ONCE */
	uint32_t flow_label;
	uint32_t seglist_id; /* while the session is down this list carries no traffic; 0: none */
	uint16_t src_port, dst_port; /* several sessions with SSIDs share a local port */
	uint16_t ssid;               /* 0: none; the local port is then this session's alone */
	uint16_t padding; /* octets of the Extra Padding TLV's value; of LIGHT: behind the base */
	uint8_t family;   /* 4 or 6 */
	uint8_t encap;    /* enum hd_pm_encap */
	uint8_t dscp, reply_dscp;
	uint8_t hop_limit; /* 0: 255 */
	uint8_t n_down,
		n_up; /* liveness: losses in a row, replies in a row; n_down 0: not watched */
	uint8_t access_id, access_code;
	uint8_t n_segs, n_return;
	uint8_t pad;
	uint8_t src[16], dst[16];             /* IPv4 in the first 4 octets */
	uint8_t outer_src[16];                /* of INNER */
	uint8_t dest_node[16];                /* of DEST_NODE */
	uint8_t seg[HD_PM_SEGS_MAX][16];      /* in the order of travel */
	uint8_t ret[HD_PM_RETURN_MAX][16];    /* Return Path TLV: segment list of the reply */
	uint32_t egress_iface, ingress_iface; /* of LINK: out of the one and in by the other */
	/* Calibration: what this node itself adds between T1 and T4, and how far off that may be; ns.  It is taken off round
	 * trips, and half of it off either way. */
	uint32_t offset_ns, offset_error_ns;
};
static_assert(sizeof(struct hd_api_pm_session) == 120 + 16 * 24 + 16, "no hidden padding");

enum hd_pm_liveness { HD_PM_UNKNOWN = 0, HD_PM_UP = 1, HD_PM_DOWN = 2, HD_PM_STOPPED = 3 };
enum hd_pm_dir { HD_PM_RTT = 0, HD_PM_FWD = 1, HD_PM_BWD = 2, HD_PM_DIRS = 3 };

/* What a session counted in one bin, or since its start. */
struct hd_pm_counts {
	uint64_t sent, received; /* received: the first reply of each packet, in time */
	uint64_t lost;           /* no reply within the timeout */
	uint64_t late, duplicate, reordered;
	uint64_t lost_bwd;         /* STATEFUL: of them on the way back */
	uint64_t blocks, severe;   /* HD_PM_SEVERE_* */
	uint64_t ipdv_n, ipdv_sum; /* consecutive packets: |D(i) - D(i-1)| of the round trip, ns */
	int64_t ipdv_min, ipdv_max;
	uint64_t error_sum,
		error_max; /* ns, of a round trip: between timestamps and the wire, both ends of ours */
	uint64_t clock_steps; /* samples of one-way delays left out because a clock was stepped */
};
static_assert(sizeof(struct hd_pm_counts) == 16 * 8, "no hidden padding");

/* PM_SESSION_STATE: ask for sessions first, first + 1, ... of which at most max are told, one message each. */
struct hd_api_pm_session_ask {
	uint32_t first, max;
	uint32_t flags; /* HD_PM_ASK_* */
	uint32_t pad;
};
static_assert(sizeof(struct hd_api_pm_session_ask) == 16, "no hidden padding");
#define HD_PM_ASK_BIN   0x1u /* the closed bin; else the one that runs */
#define HD_PM_ASK_BRIEF 0x2u /* without buckets */

/* The answer; of a bin with buckets behind it: n_buckets[dir] pairs {uint16_t index, pad; uint32_t count} each. */
struct hd_api_pm_session_state {
	uint32_t session_id, worker;
	uint64_t start_ns, end_ns;  /* of what is counted; wall time */
	uint8_t liveness, ptp_peer; /* enum hd_pm_liveness; the reflector writes PTP's format */
	uint16_t flags;             /* HD_PM_ST_* */
	uint32_t peer_error,
		own_error;  /* error estimates as on the wire, of the reflector and of ours */
	uint32_t seq;       /* next */
	uint64_t change_ns; /* when liveness last changed; 0: never */
	uint64_t detect_ns; /* the last DOWN: from the last good reply to the decision */
	struct hd_pm_counts c;
	struct {
		uint64_t n, negative;
		int64_t sum, min, max;
	} d[HD_PM_DIRS];
	uint32_t n_buckets[HD_PM_DIRS];
	/* what the last reply's TLVs said */
	uint32_t tlv_used, tlv_unknown; /* bit n: type n; asked for and not recognised */
	uint8_t tlv_malformed, tlv_integrity;
	uint8_t cos_dscp, cos_ecn, cos_refused, sync_in, method_in, sync_out, method_out, rx_ttl;
	uint8_t pad[2];
	uint32_t direct[4];   /* S_TxC, R_RxC, R_TxC of the last reply; replies received then */
	int64_t follow_up_ns; /* real transmit time of the reply before, minus what that reply said */
	uint32_t offset_ns, offset_error_ns; /* calibration, of PM_SESSION */
};
static_assert(sizeof(struct hd_api_pm_session_state) == 368, "no hidden padding");
#define HD_PM_ST_SYNCED   0x1u /* both clocks say that they follow UTC */
#define HD_PM_ST_BIN      0x2u
#define HD_PM_ST_FINISHED 0x4u  /* ONCE: every packet's fate is known */
#define HD_PM_ST_SSID0    0x8u  /* the reflector does not know SSIDs */
#define HD_PM_ST_RX_HW    0x10u /* T4 is by the port's own clock; else by software */

struct hd_pm_bucket {
	uint16_t index, pad;
	uint32_t count;
};
static_assert(sizeof(struct hd_pm_bucket) == 8, "no hidden padding");

/* PM_CUT: close the running bins of all sessions; the bins closed before are given up.  Without anybody who cuts, the
 * running bin goes on: nothing is lost while the control process is away.  No body; the answer: */
struct hd_api_pm_cut {
	uint64_t epoch; /* of the bins that run now */
	uint64_t time_ns;
};
static_assert(sizeof(struct hd_api_pm_cut) == 16, "no hidden padding");

/* PM_PACING: how late packets left, against the moment they were due; one message for each worker. */
struct hd_api_pm_pacing {
	uint32_t worker, sessions;
	uint64_t sent;
	uint64_t min_ns, mean_ns, p50_ns, p90_ns, p99_ns, p999_ns, max_ns;
	uint64_t skipped; /* moments passed over because the worker was away for more than one interval */
};
static_assert(sizeof(struct hd_api_pm_pacing) == 80, "no hidden padding");

/* In u.room of HD_EVENT_PM_SESSION. */
struct hd_api_pm_session_event {
	uint32_t session_id;
	uint32_t liveness; /* enum hd_pm_liveness */
	uint64_t detect_ns;
	uint64_t time_ns; /* of the decision */
};
static_assert(sizeof(struct hd_api_pm_session_event) == 24, "fits the event");

/* PM_IMPAIR: what happens to frames received on a port.  Set when it has a body; answered by the impairments in force,
 * one message each.  All zero but port_id: none any more.  Errors: ENOENT port, EINVAL, EOPNOTSUPP. */
struct hd_api_pm_impair {
	uint32_t port_id;
	uint32_t seed;
	uint32_t loss_ppm, duplicate_ppm;
	uint32_t reorder_ppm;         /* so many pass without delay, before those that wait */
	uint32_t limit;               /* most frames that wait; 0: 4096 */
	uint64_t delay_ns, jitter_ns; /* uniform within +-jitter */
	/* answers only */
	uint64_t frames, lost, duplicated, reordered, overflow;
};
static_assert(sizeof(struct hd_api_pm_impair) == 80, "no hidden padding");

#endif
