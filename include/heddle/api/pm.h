/* SPDX-License-Identifier: BSD-3-Clause
 * Table API of performance measurement: STAMP (RFC 8762, RFC 8972).  See api.h for the rules every message follows. */
#ifndef HEDDLE_API_PM_H
#define HEDDLE_API_PM_H

#include "heddle/api/api.h"

#define HD_PM_KEYS_MAX       256u
#define HD_PM_REFLECTORS_MAX 16u
#define HD_PM_KEY_LEN_MAX    64u

/* PM_KEY: a secret of HMAC-SHA-256.  Key: key_id.  Errors: EINVAL length. */
struct hd_api_pm_key {
	uint32_t key_id; /* 1..HD_PM_KEYS_MAX - 1 */
	uint32_t len;    /* 1..HD_PM_KEY_LEN_MAX */
	uint8_t secret[HD_PM_KEY_LEN_MAX];
};
static_assert(sizeof(struct hd_api_pm_key) == 72, "no hidden padding");

#define HD_PM_F_PTP           0x001u /* timestamps in PTP's format; else NTP's */
#define HD_PM_F_STATEFUL      0x002u /* own sequence numbers (RFC 8762 section 4); sessions only */
#define HD_PM_F_AUTHENTICATED 0x004u /* needs key_id */
#define HD_PM_F_NO_TLV        0x008u /* what follows the base packet is padding (TWAMP Light peers) */
#define HD_PM_F_HMAC_TLV \
	0x010u /* TLVs without an HMAC TLV are refused also when unauthenticated; needs key_id */
#define HD_PM_F_HIDE_LOCATION 0x020u /* zeros in the Location TLV */
#define HD_PM_F_UNPROVISIONED \
	0x040u /* reflectors only: who matches no session is answered too, statelessly */
#define HD_PM_F_DSCP_ANY \
	0x080u /* a sender may ask for any DSCP of the reply (RFC 8972 section 4.4) */

/* PM_REFLECTOR: a Session-Reflector's UDP port on all addresses of this node.  Key: udp_port.
 * Errors: EINVAL, ENOENT key, EADDRINUSE another service has the port, ENOSPC. */
struct hd_api_pm_reflector {
	uint32_t udp_port; /* 1..65535; RFC 8762: 862 */
	uint32_t flags;    /* HD_PM_F_* */
	uint32_t key_id;   /* 0: none */
	uint32_t rate_pps; /* of unprovisioned senders, each source hash apart and each worker; 0: no limit */
};
static_assert(sizeof(struct hd_api_pm_reflector) == 16, "no hidden padding");

/* PM_REFLECTOR_SESSION: a test session a reflector expects (RFC 8972 section 3).  A packet belongs to it by port, SSID
 * and source address.  Key: session_id, its row in the "pm-reflector-session" statistics vector.
 * Errors: EINVAL, ENOENT reflector or key, EEXIST another session has the same packets, ENOSPC. */
struct hd_api_pm_reflector_session {
	uint32_t session_id; /* < max_pm_sessions of heddle-dp */
	uint16_t udp_port;   /* of a PM_REFLECTOR */
	uint16_t ssid;       /* 0: senders that use none */
	uint8_t family;      /* of source: 4 or 6 */
	uint8_t pad[3];
	uint8_t source[16];
	uint32_t flags; /* HD_PM_F_* */
	uint32_t key_id;
	uint32_t rate_pps; /* most packets answered; 0: no limit */
};
static_assert(sizeof(struct hd_api_pm_reflector_session) == 40, "no hidden padding");

#endif
