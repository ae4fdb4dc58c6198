/* SPDX-License-Identifier: BSD-3-Clause
 * Table API of VRFs, addresses, next hops, routes and neighbours.  See api.h for the rules.
 * `family` is 4 or 6 everywhere; an IPv4 address stands in the first 4 octets of addr[16], the rest zero. */
#ifndef HEDDLE_API_IP_H
#define HEDDLE_API_IP_H

#include "heddle/api/api.h"

/* VRF: one IPv4 and one IPv6 table.  vrf 0 ("default") always exists.  Key: vrf_id. */
struct hd_api_vrf {
	uint32_t vrf_id; /* < max_vrfs */
	char name[HD_API_NAME_MAX];
};
static_assert(sizeof(struct hd_api_vrf) == 36, "no hidden padding");

/* ADDR: an address of ours on an interface, with its connected prefix.  Installs the local address (ARP/ND
 * answered, ICMP echo served) and, when plen is shorter than the address, the connected prefix in the
 * interface's VRF.  Errors: ENOENT iface, EINVAL (multicast, unspecified, bad plen).  Key: the first 24 octets. */
struct hd_api_addr {
	uint32_t iface_id;
	uint8_t family, plen, pad[2];
	uint8_t addr[16];
	/* end of key */
	uint32_t flags; /* none defined */
};
static_assert(sizeof(struct hd_api_addr) == 28, "no hidden padding");
#define HD_API_ADDR_KEY 24u

/* What a route, a SID or a group member points at.  */
enum hd_target {
	HD_TARGET_NONE = 0,
	HD_TARGET_NEXTHOP = 1,     /* id: nh_id */
	HD_TARGET_NHGROUP = 2,     /* id: group_id */
	HD_TARGET_BLACKHOLE = 3,   /* drop, silent (counted) */
	HD_TARGET_UNREACHABLE = 4, /* drop, ICMP destination unreachable: no route, net */
	HD_TARGET_PROHIBIT = 5,    /* drop, ICMP administratively prohibited */
	HD_TARGET_POLICY = 6,      /* id: policy_id: steer into an SR policy (RFC 9256 8.4) */
	HD_TARGET_VRF = 7,         /* id: vrf_id: look up again there */
	HD_TARGET_HOST = 8,        /* to the host's kernel */
};

/* NEXTHOP: a gateway reached through an interface (the gateway's neighbour entry is resolved by the data
 * plane), or, with the unspecified gateway, the connected network itself.  Key: nh_id. */
struct hd_api_nexthop {
	uint32_t nh_id; /* < max_nexthops */
	uint32_t iface_id;
	uint8_t family, pad[3]; /* of the gateway; may be 6 for an IPv4 route (RFC 8950) */
	uint8_t gateway[16];    /* unspecified: destination itself is the neighbour */
};
static_assert(sizeof(struct hd_api_nexthop) == 28, "no hidden padding");

#define HD_API_NHGROUP_MAX 64u
struct hd_api_nhgroup_member {
	uint32_t nh_id;
	uint32_t weight; /* 1..65535 */
};
/* NHGROUP: weighted multipath.  Flows are spread by hash; a member that goes moves only its own share.
 * The message may be cut after the last member.  Key: group_id. */
struct hd_api_nhgroup {
	uint32_t group_id; /* < max_nhgroups */
	uint32_t n_members;
	struct hd_api_nhgroup_member member[HD_API_NHGROUP_MAX];
};
static_assert(sizeof(struct hd_api_nhgroup) == 8 + 8 * HD_API_NHGROUP_MAX, "no hidden padding");

/* ROUTE.  Errors: ENOENT vrf or target, EINVAL host bits set, ENOSPC table full.  Key: the first 24 octets.
 * At equal prefix the order is: SID, local address, neighbour, connected, route. */
struct hd_api_route {
	uint32_t vrf_id;
	uint8_t family, plen, pad[2];
	uint8_t prefix[16];
	/* end of key */
	uint32_t target; /* enum hd_target */
	uint32_t id;     /* of the target */
};
static_assert(sizeof(struct hd_api_route) == 32, "no hidden padding");
#define HD_API_ROUTE_KEY 24u

/* NEIGH: a neighbour that the owner knows: never ages, is not overwritten by ARP/ND.  Key: the first 24 octets. */
struct hd_api_neigh {
	uint32_t iface_id;
	uint8_t family, pad[3];
	uint8_t addr[16];
	/* end of key */
	uint8_t mac[6];
	uint8_t flags; /* HD_API_NEIGH_F_* */
	uint8_t pad2;
};
static_assert(sizeof(struct hd_api_neigh) == 32, "no hidden padding");
#define HD_API_NEIGH_KEY      24u
#define HD_API_NEIGH_F_KERNEL 0x1u /* the kernel's: shown as such */

/* PUNT_POLICER: rate of one punt reason (control-plane protection) or of one class of ICMP error.
 * Key: reason. */
struct hd_api_punt_policer {
	uint32_t reason;   /* index of the reason in the "punt" statistics vector */
	uint32_t rate_pps; /* 0: nothing passes */
	uint32_t burst;    /* packets */
};
static_assert(sizeof(struct hd_api_punt_policer) == 12, "no hidden padding");

/* NEIGH_STATE: one entry of the neighbour table, sent in answer to an empty NEIGH_STATE request. */
enum hd_neigh_state {
	HD_NEIGH_INCOMPLETE = 1,
	HD_NEIGH_REACHABLE,
	HD_NEIGH_STALE,
	HD_NEIGH_PROBE,
	HD_NEIGH_STATIC,
	HD_NEIGH_FAILED,
	HD_NEIGH_KERNEL
};
struct hd_api_neigh_state {
	uint32_t iface_id;
	uint8_t family, state, pad[2];
	uint8_t addr[16];
	uint8_t mac[6], pad2[2];
	uint32_t age_s;  /* since last confirmed */
	uint32_t n_held; /* packets waiting */
};
static_assert(sizeof(struct hd_api_neigh_state) == 40, "no hidden padding");

#endif
