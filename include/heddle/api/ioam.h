/* SPDX-License-Identifier: BSD-3-Clause
 * Table API of IOAM (RFC 9197, RFC 9322, RFC 9326, RFC 9486).  See api.h for the rules every message follows. */
#ifndef HEDDLE_API_IOAM_H
#define HEDDLE_API_IOAM_H

#include "heddle/api/api.h"

#define HD_IOAM_NS_MAX     64u
#define HD_IOAM_OPAQUE_MAX 64u
#define HD_IOAM_GROUPS_MAX 256u

enum hd_ioam_time { HD_IOAM_PTP = 0, HD_IOAM_NTP = 1, HD_IOAM_POSIX = 2 }; /* RFC 9197 section 5 */

/* IOAM_NS: a namespace this node takes part in.  Key: ns.  Errors: EINVAL, ENOSPC. */
struct hd_api_ioam_ns {
	uint32_t ns;           /* 0..65535 */
	uint32_t node_id;      /* 24 bits */
	uint64_t node_id_wide; /* 56 bits */
	uint64_t ns_wide;      /* bit 10; all ones: not available */
	uint32_t ns_data;      /* bit 5; all ones: not available */
	uint32_t schema;       /* 24 bits; 0xffffff: no opaque snapshot */
	uint8_t time_format;   /* enum hd_ioam_time */
	uint8_t opaque_len;    /* octets, a multiple of 4 */
	uint8_t pad[6];
	uint8_t opaque[HD_IOAM_OPAQUE_MAX];
};
static_assert(sizeof(struct hd_api_ioam_ns) == 104, "no hidden padding");

/* IOAM_IFACE: options of packets received on this interface are looked at.  Key: iface_id.  Errors: ENOENT, EINVAL. */
struct hd_api_ioam_iface {
	uint32_t iface_id;
	uint32_t if_id; /* what node data say of it; its low 16 bits where there is no more room */
	uint32_t flags; /* HD_IOAM_F_* */
};
static_assert(sizeof(struct hd_api_ioam_iface) == 12, "no hidden padding");
#define HD_IOAM_F_DECAP \
	0x1u /* the domain ends here for packets to an address or SID of this node */

/* IOAM_ENCAP: what is put into the packets of a policy.  Key: policy_id.  Errors: ENOENT, EINVAL. */
struct hd_api_ioam_encap {
	uint32_t policy_id;
	uint32_t ns;
	uint32_t trace_type; /* 24 bits; of the trace, or of the direct export */
	uint32_t flags;      /* HD_IOAM_E_* */
	uint32_t nodes;      /* nodes the trace has room for, 1..32 */
	uint32_t e2e_type;   /* bits of the edge to edge option; 0: none */
	uint32_t flow_id;    /* of the direct export */
	uint32_t every; /* of so many packets one is traced or exported; the option of others is padding.  1: all */
};
static_assert(sizeof(struct hd_api_ioam_encap) == 32, "no hidden padding");
#define HD_IOAM_E_TRACE    0x1u
#define HD_IOAM_E_DEX      0x2u
#define HD_IOAM_E_LOOPBACK 0x4u /* RFC 9322 section 4; trace type 0x800000 */
#define HD_IOAM_E_ACTIVE   0x8u /* RFC 9322 section 5: these packets end where the domain ends */

/* Answer to IOAM_READ: a packet as it was here.  Body of the request: the first number wanted (uint64_t); the last
 * HD_IOAM_KEPT are kept. */
#define HD_IOAM_KEPT 4096u
#define HD_IOAM_HEAD 288u
enum hd_ioam_why {
	HD_IOAM_DECAPSULATED = 1, /* the domain ended; own node data are in the trace */
	HD_IOAM_DIRECT_EXPORT = 2,
};
struct hd_api_ioam_record {
	uint64_t seq, time_ns; /* number of the record; when the packet was received, since 1970 */
	uint32_t why;          /* enum hd_ioam_why */
	uint32_t ns;
	uint32_t ingress, egress; /* UINT32_MAX: not known */
	uint64_t node_id;         /* of this node in the namespace, 56 bits if it has them */
	uint16_t head;            /* octets of data */
	uint8_t hop_limit;        /* as the packet leaves */
	uint8_t pad[5];
	uint8_t data[HD_IOAM_HEAD]; /* from the IPv6 header on */
};
static_assert(sizeof(struct hd_api_ioam_record) == 48 + HD_IOAM_HEAD, "no hidden padding");

/* Answer to IOAM_GROUPS: what edge to edge sequence numbers say where the domain ends. */
struct hd_api_ioam_group {
	uint32_t ns, pad;
	uint8_t source[16];
	uint64_t received, first, last; /* packets; sequence numbers */
	uint64_t reordered;             /* with a number below one seen before */
	uint64_t restarts;              /* of the numbers; counts begin anew */
};
static_assert(sizeof(struct hd_api_ioam_group) == 64, "no hidden padding");

#endif
