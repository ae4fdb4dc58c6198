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
	uint8_t tclass_mode;     /* enum hd_srv6_tclass; ECN always by RFC 6040 section 4.1 */
	uint8_t tclass;          /* for FIXED */
	uint8_t flags;           /* HD_SRV6_CONF_F_* */
	uint32_t flow_seed;      /* seed of flow labels and multipath hashes; 0: random at start */
	uint8_t hop_mode;        /* enum hd_srv6_hop */
	uint8_t label_mode;      /* enum hd_srv6_label */
	uint8_t pad[2];
	uint32_t label; /* for HD_SRV6_LABEL_FIXED: 0..0xfffff */
};
static_assert(sizeof(struct hd_api_srv6_conf) == 36, "no hidden padding");

/* Where an outer field comes from.  Of a frame (H.Encaps.L2) the traffic class is taken from the priority of its outer
 * tag, as a class selector (RFC 2474 section 4.2.2.2); a hop limit or a flow label it does not have. */
enum hd_srv6_tclass { HD_SRV6_TCLASS_INNER = 0, HD_SRV6_TCLASS_FIXED = 1 };
enum hd_srv6_hop { HD_SRV6_HOP_FIXED = 0, HD_SRV6_HOP_INNER = 1 };
enum hd_srv6_label {
	HD_SRV6_LABEL_FLOW = 0,  /* computed from the inner flow (RFC 6438 section 3) */
	HD_SRV6_LABEL_INNER = 1, /* the inner IPv6 packet's when it has one, else computed */
	HD_SRV6_LABEL_FIXED = 2,
};
/* Decapsulation: the outer value goes inwards (uniform, RFC 2983 section 3); default: the inner one stays (pipe). */
#define HD_SRV6_CONF_F_DECAP_DSCP 0x1u
#define HD_SRV6_CONF_F_DECAP_HOP \
	0x2u /* only downwards: min(outer, inner), so that no loop lives longer */

#define HD_SRV6_SEGS_MAX  16u
#define HD_SRV6_LISTS_MAX 64u

/* SRV6_SEGLIST: an ordered segment list, first segment visited first.  Key: seglist_id, which is also its
 * row in the "seglist" statistics vector.  The message may be cut after the last segment. */
struct hd_api_srv6_seglist {
	uint32_t seglist_id; /* < max_seglists */
	uint32_t n_segs;     /* 1..HD_SRV6_SEGS_MAX */
	uint8_t seg[HD_SRV6_SEGS_MAX][16];
	uint32_t vrf_id; /* where the first segment must have a way: that of the policies it is made for */
};
static_assert(sizeof(struct hd_api_srv6_seglist) == 12 + 16 * HD_SRV6_SEGS_MAX,
	      "no hidden padding");

/* SRV6_SEGLIST_STATE: lists whose first segment has no way to an interface (RFC 9256 section 5.1), sent in answer to an
 * empty request, one message each; and in u.room of HD_EVENT_SEGLIST when it changes.  A policy spares such a list as
 * long as it has another one. */
struct hd_api_srv6_seglist_state {
	uint32_t seglist_id;
	uint32_t resolved; /* 0 or 1 */
};
static_assert(sizeof(struct hd_api_srv6_seglist_state) == 8, "no hidden padding");

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
/* How the outer header of a policy differs from SRV6_CONF. */
struct hd_api_srv6_treatment {
	uint8_t set; /* HD_SRV6_TREAT_*: which of the following hold; others are SRV6_CONF's */
	uint8_t hop_mode, hop_limit;
	uint8_t tclass_mode, tclass;
	uint8_t label_mode, pad[2];
	uint32_t label;
};
static_assert(sizeof(struct hd_api_srv6_treatment) == 12, "no hidden padding");
#define HD_SRV6_TREAT_HOP    0x1u
#define HD_SRV6_TREAT_TCLASS 0x2u
#define HD_SRV6_TREAT_LABEL  0x4u

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
	struct hd_api_srv6_treatment treatment;
	uint32_t hmac_key_id; /* the SRH is signed with this key; 0: not signed */
};
static_assert(sizeof(struct hd_api_srv6_policy) == 64 + 8 * HD_SRV6_LISTS_MAX + 16,
	      "no hidden padding");

/* SRV6_DOMAIN: prefixes of the SR domain, for the filters of SRV6_INGRESS (RFC 8754 section 5.1); one object.
 * The message may be cut after the last prefix.  Key: key (0). */
enum hd_srv6_domain_kind {
	HD_SRV6_DOMAIN_SIDS = 1,   /* SIDs of the domain live here */
	HD_SRV6_DOMAIN_SOURCE = 2, /* outer source addresses of the domain's nodes */
	HD_SRV6_DOMAIN_OWN = 3,    /* SIDs of this node: its locators */
};
#define HD_SRV6_DOMAIN_MAX 64u
struct hd_api_srv6_domain_prefix {
	uint8_t kind; /* enum hd_srv6_domain_kind */
	uint8_t plen, pad[2];
	uint8_t prefix[16];
};
struct hd_api_srv6_domain {
	uint32_t key; /* 0 */
	uint32_t n_prefixes;
	struct hd_api_srv6_domain_prefix prefix[HD_SRV6_DOMAIN_MAX];
};
static_assert(sizeof(struct hd_api_srv6_domain) == 8 + 20 * HD_SRV6_DOMAIN_MAX,
	      "no hidden padding");

/* SRV6_RULE: one rule of a classifier.  Of the rules that match a packet the one with the lowest seq holds.
 * Rules take effect together, as soon as the classifier has been rebuilt beside the running one (statistics vector
 * "classifier" tells).  Errors: ENOENT policy, ENOSPC, EINVAL.  Key: acl_id, family, seq. */
enum hd_srv6_rule_action {
	HD_SRV6_RULE_STEER = 1, /* into policy_id */
	HD_SRV6_RULE_PASS = 2,  /* the routes decide */
	HD_SRV6_RULE_DROP = 3,
};
struct hd_api_srv6_rule {
	uint32_t acl_id; /* 1 .. HD_SRV6_ACLS_MAX - 1 */
	uint32_t family; /* 4 or 6 */
	uint32_t seq;    /* 1 .. HD_SRV6_RULE_SEQ_MAX */
	/* end of key */
	uint32_t rule_id; /* < max rules: row of the "rule" statistics vector */
	uint32_t action, policy_id;
	uint8_t src_plen, dst_plen; /* 0: any */
	uint8_t flags;              /* HD_SRV6_RULE_F_*: which of the next three are compared */
	uint8_t proto;              /* upper-layer protocol, behind the extension headers */
	uint8_t dscp, pad[3];
	uint8_t src[16], dst[16]; /* IPv4 in the first 4 octets */
	/* TCP, UDP and SCTP ports, inclusive; 0..65535 is any, also what has no ports.  A fragment has none. */
	uint16_t sport_lo, sport_hi, dport_lo, dport_hi;
};
static_assert(sizeof(struct hd_api_srv6_rule) == 72, "no hidden padding");
#define HD_API_SRV6_RULE_KEY 12u
#define HD_SRV6_RULE_F_PROTO 0x1u
#define HD_SRV6_RULE_F_DSCP  0x2u
#define HD_SRV6_ACLS_MAX     1024u
#define HD_SRV6_RULE_SEQ_MAX (1u << 28)

/* SRV6_INGRESS: what is done with IP packets received on an interface before they are routed.  The interface has
 * HD_IFACE_F_INGRESS set.  Errors: ENOENT interface or policy, EINVAL.  Key: iface_id. */
struct hd_api_srv6_ingress {
	uint32_t iface_id;
	uint32_t flags;                  /* HD_SRV6_INGRESS_* */
	uint32_t acl_id;                 /* classifier; 0: none */
	uint32_t policy4_id, policy6_id; /* where what no rule matches goes; 0: the routes decide */
	uint32_t am_sid_id; /* IPv6 from a service behind End.AM goes to this SID; 0: none */
};
static_assert(sizeof(struct hd_api_srv6_ingress) == 24, "no hidden padding");
/* Outside the SR domain: nothing from there may reach the domain's SIDs or have one of its sources. */
#define HD_SRV6_INGRESS_OUTSIDE 0x1u
/* Inside: this node's SIDs are for sources of the domain only. */
#define HD_SRV6_INGRESS_INSIDE 0x2u
/* With OUTSIDE: what reaches for a SID passes when the HMAC of its SRH verifies (RFC 8754 section 5.2). */
#define HD_SRV6_INGRESS_HMAC 0x4u

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
		arg_len;   /* SID structure in bits: locator block, locator node, function,
						    argument; needed by compressed SIDs, else 0 or what is known */
	uint32_t iface;    /* End.DX2: outgoing interface; proxies: towards the service */
	uint32_t l2_table; /* End.DX2V: VLAN table; End.DT2U, End.DT2M: bridge domain */
	uint32_t cache; /* End.AD: policy that takes what comes back; its headers are those seen last */
	uint8_t hmac;  /* enum hd_srv6_hmac_policy */
	uint8_t flags; /* HD_SRV6_SID_F_* */
	uint8_t inner; /* proxies: enum hd_srv6_inner */
	uint8_t pad2;
};
static_assert(sizeof(struct hd_api_srv6_sid) == 72, "no hidden padding");
#define HD_API_SRV6_SID_KEY 24u

#define HD_SRV6_UPPER_ICMP6 0x1u
#define HD_SRV6_UPPER_STAMP 0x2u /* UDP 862 */
#define HD_SRV6_UPPER_UDP   0x4u
#define HD_SRV6_UPPER_TCP   0x8u

/* What a SID asks of the HMAC TLV (RFC 8754 section 2.1.2). */
enum hd_srv6_hmac_policy {
	HD_SRV6_HMAC_IGNORE = 0,     /* not looked at */
	HD_SRV6_HMAC_IF_PRESENT = 1, /* a packet that carries one is dropped unless it verifies */
	HD_SRV6_HMAC_REQUIRE = 2,    /* and one with an SRH that carries none is dropped too */
};

/* SRV6_HMAC_KEY: a key of the HMAC TLV (HMAC-SHA-256).  Several may be valid at once: that is how keys are rolled.
 * The secret is never dumped: it reads as zeros.  Errors: EINVAL, ENOSPC.  Key: key_id. */
enum hd_srv6_hmac_format {
	HD_SRV6_HMAC_RFC8754 = 0,
	HD_SRV6_HMAC_LINUX =
		1, /* Linux' text, which leaves out the 16 bits behind Length, and flag 0x08 set */
};
#define HD_SRV6_HMAC_KEYS_MAX 256u
struct hd_api_srv6_hmac_key {
	uint32_t key_id;    /* as in the TLV; not 0 */
	uint8_t format;     /* enum hd_srv6_hmac_format */
	uint8_t secret_len; /* 1..64 */
	uint8_t pad[2];
	uint64_t not_before, not_after; /* accepted from, until; seconds since 1970; 0: no limit */
	uint8_t secret[64];
};
static_assert(sizeof(struct hd_api_srv6_hmac_key) == 88, "no hidden padding");

/* Answer to SRV6_CAPABILITY: one combination of behavior and flavors that this data plane carries. */
struct hd_api_srv6_capability {
	uint16_t codepoint; /* IANA SRv6 Endpoint Behaviors, flavors included */
	uint16_t behavior;  /* the same without */
	uint16_t flavors;   /* HD_SRV6_FLAVOR_* */
	uint16_t pad;
};
static_assert(sizeof(struct hd_api_srv6_capability) == 8, "no hidden padding");

/* Answer to SRV6_OAM_STATE: a copy of a packet with the O-flag, as received (RFC 9259 section 2.1.1). */
#define HD_SRV6_OAM_KEEP 256u
#define HD_SRV6_OAM_HEAD 256u
struct hd_api_srv6_oam {
	uint64_t seq, time_ns; /* number of the copy; when the packet was received, since 1970 */
	uint32_t iface_id, sid_id;
	uint32_t length;   /* octets of the packet */
	uint16_t captured; /* octets of it in data, from the IPv6 header on */
	uint16_t pad;
	uint8_t data[HD_SRV6_OAM_HEAD];
};
static_assert(sizeof(struct hd_api_srv6_oam) == 32 + HD_SRV6_OAM_HEAD, "no hidden padding");

#define HD_SRV6_SID_F_OAM 0x1u /* the O-flag punts a time-stamped copy (RFC 9259 section 2.1.1) */

/* What a service behind a proxy speaks. */
enum hd_srv6_inner {
	HD_SRV6_INNER_NONE = 0,
	HD_SRV6_INNER_IP4 = 1,
	HD_SRV6_INNER_IP6 = 2,
	HD_SRV6_INNER_ETH = 3
};

#endif
