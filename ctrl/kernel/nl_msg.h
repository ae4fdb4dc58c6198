/* SPDX-License-Identifier: BSD-3-Clause
 * Messages of rtnetlink(7) as structs: links, addresses, neighbours, next hops and routes with their lightweight
 * tunnels.  Pure functions from octets to a checked copy: the socket, the unit tests and the fuzzer share them.
 * Addresses are octet strings in network order, IPv4 in the first 4; numbers are in host order. */
#ifndef CTRL_KERNEL_NL_MSG_H
#define CTRL_KERNEL_NL_MSG_H

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NL_LEGS_MAX 64u /* next hops of one route or group */
#define NL_SEGS_MAX 16u /* segments of one SRH */

/* RTA_ENCAP of kind seg6: linux/seg6_iptunnel.h. */
struct nl_seg6 {
	int mode; /* SEG6_IPTUN_MODE_* */
	uint8_t n_seg; /* 0: the SRH is not one of RFC 8754 section 2, or has more than NL_SEGS_MAX segments */
	bool tlvs;                    /* something follows the segments, an HMAC say */
	uint8_t seg[NL_SEGS_MAX][16]; /* in the order of the journey, so the last of the SRH first */
};

/* RTA_ENCAP of kind seg6local: linux/seg6_local.h. */
struct nl_seg6local {
	uint32_t action;    /* SEG6_LOCAL_ACTION_* */
	uint32_t table;     /* 0: none */
	uint32_t vrf_table; /* 0: none */
	uint32_t iif, oif;  /* 0: none */
	uint32_t flavors;   /* bit n: SEG6_LOCAL_FLV_OP_n */
	uint8_t lcblock,
		lcnode; /* bits of the locator block, and of node and function, of compressed SIDs */
	bool has_nh4, has_nh6, has_srh, has_bpf;
	bool unknown; /* an attribute this parser does not know */
	uint8_t nh4[4], nh6[16];
	struct nl_seg6 srh;
};

enum nl_encap { NL_ENCAP_NONE, NL_ENCAP_SEG6, NL_ENCAP_SEG6LOCAL, NL_ENCAP_OTHER };

/* One next hop. */
struct nl_leg {
	uint32_t oif;        /* kernel's interface index; 0: none */
	uint16_t weight;     /* 1.. */
	uint8_t gw_family;   /* AF_INET, AF_INET6, or 0: the destination is on the link */
	uint8_t encap;       /* enum nl_encap */
	uint16_t encap_type; /* LWTUNNEL_ENCAP_* */
	bool down;           /* RTNH_F_DEAD or RTNH_F_LINKDOWN */
	bool mpls;           /* RTA_NEWDST: labels */
	uint8_t gw[16];
	union {
		struct nl_seg6 seg6;
		struct nl_seg6local local;
	} u; /* by encap */
};

struct nl_route {
	uint8_t family, plen, tos, type, scope, protocol; /* AF_*; RTN_*, RT_SCOPE_*, RTPROT_* */
	bool cloned;       /* RTM_F_CLONED: an exception, not a route */
	bool src_specific; /* rtm_src_len */
	uint32_t table, priority, nh_id, oif;
	uint8_t dst[16];
	uint8_t prefsrc[16];
	uint32_t n_legs;
	struct nl_leg leg[NL_LEGS_MAX];
};

struct nl_link {
	uint32_t index, flags;     /* IFF_* */
	uint32_t vrf_table;        /* of a VRF device, else 0 */
	bool forwards4, forwards6; /* the kernel is a router there */
	char name[16];
};

struct nl_addr {
	uint32_t index, flags; /* IFA_F_* */
	uint8_t family, plen, scope;
	uint8_t addr[16]; /* ours: IFA_LOCAL, else IFA_ADDRESS */
	bool peer;        /* plen is that of a peer's address, which is another */
};

struct nl_neigh {
	uint32_t index;
	uint16_t state; /* NUD_* */
	uint8_t flags;  /* NTF_* */
	uint8_t family;
	bool has_mac;
	uint8_t addr[16], mac[6];
};

struct nl_nexthop {
	uint32_t id;
	uint8_t protocol;
	bool blackhole, fdb;
	uint32_t n_group; /* 0: a single one, in leg */
	struct {
		uint32_t id;
		uint16_t weight;
	} group[NL_LEGS_MAX];
	struct nl_leg leg;
};

/* Does a whole message lie in the next `left` octets?  mnl_nlmsg_ok() alone takes a length with the top bit for
 * negative. */
static inline bool nl_msg_ok(const struct nlmsghdr *h, int left)
{
	return mnl_nlmsg_ok(h, left) && h->nlmsg_len <= (uint32_t)left;
}

/* Each takes a whole message (nlmsg_len octets are there) of its type, RTM_NEW* or RTM_DEL*.
 * 0, -EBADMSG (lengths that cannot be), -E2BIG (more next hops than NL_LEGS_MAX), or -EAFNOSUPPORT (of another
 * address family: nothing for us). */
int nl_route_parse(const struct nlmsghdr *h, struct nl_route *ret);
int nl_link_parse(const struct nlmsghdr *h, struct nl_link *ret);
int nl_addr_parse(const struct nlmsghdr *h, struct nl_addr *ret);
int nl_neigh_parse(const struct nlmsghdr *h, struct nl_neigh *ret);
int nl_nexthop_parse(const struct nlmsghdr *h, struct nl_nexthop *ret);

#endif
