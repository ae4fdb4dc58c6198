/* SPDX-License-Identifier: BSD-3-Clause
 * Table API of SRv6: local SIDs (RFC 8986), SR policies (RFC 9256) and their segment lists.
 * See api.h for the rules every message follows. */
#ifndef HEDDLE_API_SRV6_H
#define HEDDLE_API_SRV6_H

#include "heddle/api/api.h"

/* SRV6_CONF: node-wide settings; one object.  Key: key (0). */
struct hd_api_srv6_conf {
	uint32_t key; /* 0 */
	uint8_t encap_source
		[16]; /* default outer source address; unspecified: policies must give their own */
	uint8_t encap_hop_limit; /* 0: 64 */
	uint8_t tclass_mode;     /* 0 copy inner (ECN by RFC 6040), 1 fixed */
	uint8_t tclass;          /* for mode 1 */
	uint8_t flags;           /* HD_SRV6_CONF_F_* */
	uint32_t flow_seed;      /* seed of flow labels and multipath hashes; 0: random at start */
};
static_assert(sizeof(struct hd_api_srv6_conf) == 28, "no hidden padding");

#define HD_SRV6_SEGS_MAX  16u
#define HD_SRV6_LISTS_MAX 64u

/* SRV6_SEGLIST: an ordered segment list, first segment visited first.  Key: seglist_id, which is also its
 * row in the "seglist" statistics vector.  The message may be cut after the last segment. */
struct hd_api_srv6_seglist {
	uint32_t seglist_id; /* < max_seglists */
	uint32_t n_segs;     /* 1..HD_SRV6_SEGS_MAX */
	uint8_t seg[HD_SRV6_SEGS_MAX][16];
};
static_assert(sizeof(struct hd_api_srv6_seglist) == 8 + 16 * HD_SRV6_SEGS_MAX, "no hidden padding");

enum hd_srv6_encap {
	HD_SRV6_H_ENCAPS = 1,        /* RFC 8986 5.1 */
	HD_SRV6_H_ENCAPS_RED = 2,    /* RFC 8986 5.2 */
	HD_SRV6_H_ENCAPS_L2 = 3,     /* RFC 8986 5.3 */
	HD_SRV6_H_ENCAPS_L2_RED = 4, /* RFC 8986 5.4 */
};

struct hd_api_srv6_policy_list {
	uint32_t seglist_id;
	uint32_t weight; /* 1..65535; share = weight / sum (RFC 9256 2.11) */
};
/* SRV6_POLICY: what a steered packet gets pushed: the valid weighted segment lists of the active candidate
 * path, already chosen by the control process.  No list: invalid; steered packets are dropped and counted.
 * The outer packet is looked up in vrf_id.  Key: policy_id, its row in the "policy" statistics vector. */
struct hd_api_srv6_policy {
	uint32_t policy_id; /* < max_policies */
	char name[HD_API_NAME_MAX];
	uint32_t vrf_id;    /* table of the outer packet */
	uint8_t source[16]; /* unspecified: SRV6_CONF's */
	uint8_t encap;      /* enum hd_srv6_encap */
	uint8_t flags;
	uint16_t pad;
	uint32_t n_lists;
	struct hd_api_srv6_policy_list list[HD_SRV6_LISTS_MAX];
};
static_assert(sizeof(struct hd_api_srv6_policy) == 64 + 8 * HD_SRV6_LISTS_MAX, "no hidden padding");

/* SRV6_SID: a local SID.  Errors: EINVAL behavior unknown, argument missing or flavor illegal for it,
 * EOPNOTSUPP behavior known but not carried by this data plane (the text says which are), ENOENT target or
 * vrf, ENOSPC.  Key: the first 24 octets. */
struct hd_api_srv6_sid {
	uint32_t vrf_id; /* table the SID lives in */
	uint8_t plen;    /* locator + function bits; 128 when there is no argument */
	uint8_t pad[3];
	uint8_t sid[16];
	/* end of key */
	uint32_t sid_id; /* < max_sids: row of the "sid" statistics vector */
	uint16_t behavior; /* IANA SRv6 Endpoint Behaviors codepoint without flavors: 1 End, 5 End.X, ... */
	uint16_t flavors;        /* HD_SRV6_FLAVOR_* */
	uint32_t table4, table6; /* vrf ids, for End.DT4/DT6/DT46/End.T */
	uint32_t target,
		target_id; /* enum hd_target: NEXTHOP/NHGROUP for End.X, DX4, DX6; POLICY for End.B6.* */
	uint32_t upper_allow; /* HD_SRV6_UPPER_*: upper layers delivered locally (RFC 8986 4.1.1) */
	uint8_t lb_len, ln_len, fn_len,
		arg_len; /* SID structure in bits, for compressed SIDs; 0 unknown */
};
static_assert(sizeof(struct hd_api_srv6_sid) == 56, "no hidden padding");
#define HD_API_SRV6_SID_KEY 24u

#define HD_SRV6_UPPER_ICMP6 0x1u
#define HD_SRV6_UPPER_STAMP 0x2u /* UDP 862 */
#define HD_SRV6_UPPER_UDP   0x4u
#define HD_SRV6_UPPER_TCP   0x8u

#endif
