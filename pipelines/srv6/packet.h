/* SPDX-License-Identifier: BSD-3-Clause
 * A packet at a local SID: find the SRH and the upper layer, judge, and only then change it.
 * Everything works on octets, without graph and mbuf, so nodes, tests and fuzzers run the same code.
 *
 * Two steps, always: a behavior *plans* (reads, checks, fills struct srv6_pkt, answers with a verdict) and the node
 * *commits* once it knows that the packet can leave.  So an ICMPv6 error, whoever finds the reason for it, quotes the
 * packet as it was received.
 * Spec: RFC 8986 (behaviors), RFC 8754 (SRH), RFC 8200 (header chain).  Bare section numbers mean RFC 8986. */
#ifndef PIPELINES_SRV6_PACKET_H
#define PIPELINES_SRV6_PACKET_H

#include <heddle/srv6_behavior.h>
#include <heddle/wire/icmp6.h>
#include <heddle/wire/srh.h>

#include "pipelines/srv6/verdicts.h"

#define SRV6_LIKELY(x)   __builtin_expect(!!(x), 1)
#define SRV6_UNLIKELY(x) __builtin_expect(!!(x), 0)

struct srv6_pkt {
	/* from the node */
	uint8_t *ip;   /* IPv6 header; `head` octets from here lie in one piece */
	uint32_t head; /* octets that may be read and written at ip */
	uint32_t len;  /* octets of the whole packet; the plan cuts it to what the header says */
	/* from the walk; offsets count from ip, as ICMPv6 pointers do */
	uint16_t srh_off;    /* the SRH with segments left, or the last one passed; 0: none */
	uint16_t srh_nh_off; /* the octet that named it: PSP writes there */
	uint16_t srh_len;
	uint16_t upper_off; /* upper-layer header; not set when an SRH with segments left was met */
	uint8_t upper;      /* its type */
	bool active;        /* srh_off has segments left */
	bool stop_srh;      /* asked of the walk: stop at any SRH, also one without segments left */
	bool stop_options;  /* asked of the walk: look at options only, stop at any other header */
	bool pass_srh; /* asked of the walk: go on to the upper layer whatever segments are left */
	bool hmac_known; /* the HMAC was judged together with others' (hmac.h): */
	uint8_t hmac;    /* the verdict; FORWARD: the walk is still to be made */
	/* from the behavior */
	bool pop;     /* commit removes the SRH (PSP, 4.16.1) */
	uint8_t left; /* commit writes this into Segments Left, when there is an SRH (srh_off) */
	uint8_t inner_hop; /* commit writes this hop limit or TTL into the inner packet; 0: it stays */
	uint8_t inner_tc; /* commit writes this traffic class or TOS into the inner packet (RFC 6040) */
	uint8_t icmp_type, icmp_code; /* for verdicts that lead to icmp-error */
	uint32_t icmp_data;           /* pointer */
	uint32_t vrf;            /* table of the next lookup; SRV6_VRF_INGRESS: the packet's own */
	const uint8_t *next_dst; /* next segment: inside the packet, or dst */
	uint8_t dst[16]; /* next segment made of compressed SIDs: not to be moved while next_dst is used */
};

#define SRV6_VRF_INGRESS UINT32_MAX

struct srv6_sid;
/* One endpoint behavior: plans what to do with a packet that came for sid.  p->ip, head and len are set, all else is
 * zero.  Reads only octets below p->head; writes nothing but *p.  The verdict says what follows:
 *   FORWARD        advance by srv6_commit_advance(), after a lookup of p->next_dst in table p->vrf
 *   CROSS_CONNECT  the same with p->next_dst set, or srv6_commit_decap() without; out by the SID's next hop
 *   DECAP4, DECAP6 srv6_commit_decap(), then input in table p->vrf
 *   LOCAL, others  the packet stays as it is */
typedef enum srv6_endpoint_verdict (*srv6_behavior_fn)(const struct srv6_sid *sid,
						       struct srv6_pkt *p);

/* An address as a number, its first bit the highest. */
__extension__ typedef unsigned __int128 srv6_u128;

/* Structure of a compressed SID (RFC 9800), and masks made of it. */
struct srv6_csid {
	srv6_u128 block; /* bits of the locator block */
	srv6_u128 arg;   /* bits of the argument */
	uint8_t lnfl;    /* length of a CSID: node and function, bits */
	uint8_t shift;   /* 128 - block - lnfl: where the CSID ends, from the low end */
	uint8_t n;       /* REPLACE-CSID: CSIDs in a container */
	uint8_t index;   /* REPLACE-CSID: mask of Arg.Index in the last octet */
	uint8_t moved;   /* verdict when the packet goes on */
};

/* Behaviors, with nothing in front of them, that node express carries out for many packets at once. */
enum srv6_fast {
	SRV6_FAST_NONE,
	SRV6_FAST_END,
	SRV6_FAST_END_X,
	SRV6_FAST_DT4,
	SRV6_FAST_DT6,
	SRV6_FAST_DT46,
	SRV6_FAST_NEXT,   /* NEXT-CSID with a lookup, */
	SRV6_FAST_NEXT_X, /* or with the SID's next hop */
	SRV6_FAST_PSP =
		0x80, /* with END and END_X: the SRH is popped on the way to the last segment */
};

/* A local SID as workers see it.  Immutable once published. */
struct srv6_sid {
	srv6_behavior_fn
		plan; /* the first of: HMAC (hmac.h), compressed SIDs (csid.h), the behavior */
	srv6_behavior_fn then; /* what follows the HMAC */
	srv6_behavior_fn base; /* the behavior */
	uint32_t fast;         /* enum srv6_fast */
	uint32_t sid_id;       /* row of the counters */
	uint32_t result;       /* result word of the target: next hop or group, policy of End.B6 */
	uint8_t flags;         /* HD_SRV6_SID_F_* */
	uint8_t hmac;          /* enum hd_srv6_hmac_policy */
	uint8_t inner;         /* proxies: enum hd_srv6_inner */
	uint8_t index_bits; /* REPLACE-CSID: bits of Arg.Index, also where the behavior has no use for it */
	uint32_t vrf4,
		vrf6; /* tables of End.DT4, DT6, DT46; End.T: both the same; others SRV6_VRF_INGRESS */
	uint16_t behavior;    /* enum hd_srv6_behavior */
	uint16_t flavors;     /* HD_SRV6_FLAVOR_* */
	uint32_t upper_allow; /* HD_SRV6_UPPER_* */
	uint32_t vrf;         /* where the SID lives */
	uint8_t plen;
	struct ip6_addr addr;
	uint32_t iface;        /* End.DX2, proxies of Ethernet */
	uint32_t l2_table;     /* End.DX2V: VLAN table; End.DT2U, End.DT2M: bridge */
	uint32_t cache;        /* End.AD: policy_id */
	struct srv6_csid csid; /* flavors NEXT-CSID and REPLACE-CSID */
};

/* Behaviors, one per line of srv6_behaviors.def.  Weak: a behavior whose file is not linked is refused by the API. */
#define BEHAVIOR(NAME, func, codepoint, text, arguments, flavors, section)                     \
	enum srv6_endpoint_verdict srv6_##func(const struct srv6_sid *sid, struct srv6_pkt *p) \
		__attribute__((weak));
#include <heddle/srv6_behaviors.def>

/* The plan function of a behavior; NULL when this program does not carry it. */
srv6_behavior_fn srv6_behavior_find(unsigned behavior);
/* Names of what is carried, "end end.x ...", for refusals.  Returns buf. */
char *srv6_behaviors_str(char *buf, size_t size);

/* Headers in order, any chain (RFC 8200 section 4), up to the first SRH with segments left or the upper layer.
 * Returns SRV6_EP_FORWARD when the behavior shall go on, else a verdict. */
enum srv6_endpoint_verdict srv6_walk_chain(struct srv6_pkt *p);

static inline enum srv6_endpoint_verdict srv6_refuse(struct srv6_pkt *p,
						     enum srv6_endpoint_verdict v, uint8_t type,
						     uint8_t code, uint32_t data)
{
	p->icmp_type = type;
	p->icmp_code = code;
	p->icmp_data = data;
	return v;
}

/* What the header says the packet's length is; nothing behind it is looked at.  TRUNCATED: more than there is. */
static inline enum srv6_endpoint_verdict srv6_trim(struct srv6_pkt *p)
{
	uint32_t total;

	if (SRV6_UNLIKELY(p->head < sizeof(struct ip6_fixed)))
		return SRV6_EP_TRUNCATED;
	total = sizeof(struct ip6_fixed) + wire_get16(p->ip + IP6_OFF_PAYLOAD_LEN);
	if (SRV6_UNLIKELY(total > p->len))
		return SRV6_EP_TRUNCATED;
	p->len = total;
	if (p->head > total)
		p->head = total;
	return SRV6_EP_FORWARD;
}

/* The two shapes nearly every packet has: SRH right behind the fixed header, or none and an IP packet right there.
 * All else walks. */
static inline enum srv6_endpoint_verdict srv6_walk(struct srv6_pkt *p)
{
	const uint8_t *ip = p->ip;

	if (SRV6_UNLIKELY(srv6_trim(p) != SRV6_EP_FORWARD))
		return SRV6_EP_TRUNCATED;
	if (SRV6_LIKELY(ip[IP6_OFF_NEXT_HEADER] == IP_NH_ROUTING && p->head >= 48 &&
			ip[40 + IP6_RT_OFF_ROUTING_TYPE] == SRH_ROUTING_TYPE &&
			ip[40 + IP6_RT_OFF_SEGMENTS_LEFT] != 0)) {
		uint32_t len = (ip[40 + IP6_RT_OFF_HDR_EXT_LEN] + 1u) * 8;

		if (SRV6_UNLIKELY(40 + len > p->head))
			return SRV6_EP_TRUNCATED;
		p->srh_off = 40;
		p->srh_nh_off = IP6_OFF_NEXT_HEADER;
		p->srh_len = (uint16_t)len;
		p->active = true;
		return SRV6_EP_FORWARD;
	}
	if (ip[IP6_OFF_NEXT_HEADER] == IP_NH_IP4 || ip[IP6_OFF_NEXT_HEADER] == IP_NH_IP6) {
		p->upper = ip[IP6_OFF_NEXT_HEADER];
		p->upper_off = 40;
		return SRV6_EP_FORWARD;
	}
	return srv6_walk_chain(p);
}

/* Go to the next segment: 4.1 S05-S14 with the checks in that order, nothing written yet. */
static inline enum srv6_endpoint_verdict srv6_plan_advance(const struct srv6_sid *s,
							   struct srv6_pkt *p)
{
	const uint8_t *srh = p->ip + p->srh_off;
	int max_last = srh[SRH_OFF_HDR_EXT_LEN] / 2 - 1; /* -1: no room for any segment */
	int left = srh[SRH_OFF_SEGMENTS_LEFT], last = srh[SRH_OFF_LAST_ENTRY];

	if (SRV6_UNLIKELY(p->ip[IP6_OFF_HOP_LIMIT] <= 1))
		return srv6_refuse(p, SRV6_EP_HOP_LIMIT, ICMP6_TIME_EXCEEDED, ICMP6_TE_HOP_LIMIT,
				   0);
	if (SRV6_UNLIKELY(last > max_last || left > last + 1))
		return srv6_refuse(p, SRV6_EP_BAD_LIST, ICMP6_PARAM_PROBLEM, ICMP6_PP_FIELD,
				   p->srh_off + SRH_OFF_SEGMENTS_LEFT);
	p->next_dst = srh + SRH_OFF_LIST + 16 * (left - 1);
	p->left = (uint8_t)(left - 1);
	p->pop = left == 1 &&
		 (s->flavors & HD_SRV6_FLAVOR_PSP) != 0; /* 4.16.1.2: the updated value is 0 */
	return SRV6_EP_FORWARD;
}

/* What of the outer header goes inwards: HD_SRV6_CONF_F_DECAP_* of SRV6_CONF.  Written by the control thread. */
extern uint8_t srv6_decap_flags;

/* Decapsulate the packet at the upper layer, which is of type IP_NH_IP4 or IP_NH_IP6 (4.6, 4.7).
 * Returns SRV6_EP_DECAP4, SRV6_EP_DECAP6 or why not. */
enum srv6_endpoint_verdict srv6_plan_decap(struct srv6_pkt *p);

/* 4.1.1: deliver locally what this SID allows, refuse the rest. */
enum srv6_endpoint_verdict srv6_plan_upper(const struct srv6_sid *s, struct srv6_pkt *p);

/* 4.4 to 4.12, first line: no segment may be left.  Walks; returns SRV6_EP_FORWARD at the upper layer. */
static inline enum srv6_endpoint_verdict srv6_walk_last(struct srv6_pkt *p)
{
	enum srv6_endpoint_verdict v = srv6_walk(p);

	if (SRV6_UNLIKELY(v == SRV6_EP_FORWARD && p->active))
		return srv6_refuse(p, SRV6_EP_NOT_LAST, ICMP6_PARAM_PROBLEM, ICMP6_PP_FIELD,
				   p->srh_off + SRH_OFF_SEGMENTS_LEFT);
	return v;
}

/* To the first SRH, whatever its Segments Left, or to the upper layer where there is none (srh_off 0). */
static inline enum srv6_endpoint_verdict srv6_walk_to_srh(struct srv6_pkt *p)
{
	enum srv6_endpoint_verdict v;

	p->stop_srh = true;
	v = srv6_walk(p);
	p->stop_srh = false;
	return v;
}

/* Octets an advance takes away: the node needs the new length before it commits. */
static inline uint32_t srv6_popped(const struct srv6_pkt *p)
{
	return p->pop ? p->srh_len : 0;
}

/* 4.1 S12-S14 and, when planned, 4.16.1.2 S14.1-S14.4.  Returns the octets that the node cuts off in front: the
 * packet then begins at ip + that. */
static inline uint32_t srv6_commit_advance(struct srv6_pkt *p)
{
	uint8_t *ip = p->ip, *srh = ip + p->srh_off;

	ip[IP6_OFF_HOP_LIMIT]--;
	if (SRV6_LIKELY(p->srh_off != 0))
		srh[SRH_OFF_SEGMENTS_LEFT] = p->left;
	memcpy(ip + offsetof(struct ip6_fixed, dst), p->next_dst, 16);
	if (SRV6_LIKELY(!p->pop))
		return 0;
	ip[p->srh_nh_off] = srh[SRH_OFF_NEXT_HEADER];
	wire_put16(ip + IP6_OFF_PAYLOAD_LEN,
		   (uint16_t)(wire_get16(ip + IP6_OFF_PAYLOAD_LEN) - p->srh_len));
	memmove(ip + p->srh_len, ip, p->srh_off);
	return p->srh_len;
}

/* Outer headers are left behind; the inner ECN field becomes what RFC 6040 section 4.2 says.
 * Returns the octets to cut off in front. */
static inline uint32_t srv6_commit_decap(struct srv6_pkt *p)
{
	uint8_t *in = p->ip + p->upper_off;

	if (SRV6_UNLIKELY(p->upper == IP_NH_ETHERNET))
		return p->upper_off;
	if (p->upper == IP_NH_IP6) {
		in[0] = (uint8_t)((in[0] & 0xf0) | p->inner_tc >> 4);
		in[1] = (uint8_t)((in[1] & 0x0f) | p->inner_tc << 4);
	} else if (SRV6_UNLIKELY(((struct ip4_hdr *)in)->tos != p->inner_tc)) {
		ip4_tos_set((struct ip4_hdr *)in, p->inner_tc);
	}
	if (SRV6_UNLIKELY(p->inner_hop != 0)) {
		if (p->upper == IP_NH_IP6)
			in[IP6_OFF_HOP_LIMIT] = p->inner_hop;
		else
			ip4_ttl_set((struct ip4_hdr *)in, p->inner_hop);
	}
	return p->upper_off;
}

#endif
