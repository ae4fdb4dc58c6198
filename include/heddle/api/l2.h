/* SPDX-License-Identifier: BSD-3-Clause
 * Table API of ports and interfaces.  See api.h for the rules every message follows. */
#ifndef HEDDLE_API_L2_H
#define HEDDLE_API_L2_H

#include "heddle/api/api.h"

/* PORT: one Ethernet device, made from DPDK devargs at run time and removed with the object.
 * A change of devargs or queue numbers stops and restarts the port; MTU and flags are changed in place.
 * Errors: ENODEV no such device or driver (text: what DPDK said), EINVAL, ENOSPC.
 * Key: port_id. */
struct hd_api_port {
	uint32_t port_id; /* owner's id, < max_ifaces */
	char name[HD_API_NAME_MAX];
	char devargs[256];     /* "net_af_packet0,iface=eth1", "0000:01:00.0", ... */
	uint16_t n_rxq, n_txq; /* 0: rx 1, tx one per worker where the device can */
	uint16_t n_rxd, n_txd; /* descriptors; 0: the driver's default */
	uint16_t mtu;   /* L3 octets; 0: as the kernel's interface under it has it, else 1500 */
	uint16_t flags; /* HD_PORT_F_* */
};
static_assert(sizeof(struct hd_api_port) == 304, "no hidden padding");
#define HD_PORT_F_PROMISC 0x1u
#define HD_PORT_F_TWIN    0x2u /* a TAP device named as the port stands for it in the kernel */
#define HD_PORT_F_RX_TIMESTAMP \
	0x8u /* the device stamps what it receives, if it can and its clock can be read */
#define HD_PORT_F_STEER 0x4u /* net_af_xdp: what is ours by XDP_RULE; else all is ours */

/* IFACE: where packets enter and leave: a port untagged, or a sub-interface of it by (port, outer, inner).
 * Errors: ENOENT port or vrf unknown, EEXIST the same tags are taken on this port, EINVAL.
 * Key: iface_id. */
struct hd_api_iface {
	uint32_t iface_id; /* owner's id, < max_ifaces; 0 is not used */
	char name[HD_API_NAME_MAX];
	uint32_t port_id;
	uint32_t vrf_id;
	uint16_t outer_tpid;  /* 0 untagged, else 0x8100 or 0x88a8 */
	uint16_t outer_vid;   /* 1..4094 */
	uint16_t inner_vid;   /* 0: single tag; else 0x8100 with this id */
	uint16_t mtu;         /* L3 octets; 0: the port's */
	uint8_t mac[6];       /* all zero: the port's */
	uint8_t flags;        /* HD_IFACE_F_* */
	uint8_t urpf4, urpf6; /* enum hd_urpf */
	uint8_t pad[3];
	/* Every frame of the interface, whatever its MAC addresses, goes into this policy of H.Encaps.L2 or
	 * H.Encaps.L2.Red, its tags as received (RFC 8986 5.3); 0: none */
	uint32_t l2_policy_id;
};
static_assert(sizeof(struct hd_api_iface) == 68, "no hidden padding");
#define HD_IFACE_F_UP      0x1u /* admin state: down drops both ways */
#define HD_IFACE_F_INGRESS 0x2u /* IP packets go by node srv6-ingress: steering, domain filters */
/* ARP, ND and whatever is addressed to this host is the kernel's business: the data plane neither answers nor asks
 * there.  It asks for neighbours by HD_EVENT_NEIGH_WANTED, and is told by NEIGH.  On a port with a twin the kernel gets
 * these frames through the twin; on another it has them already, since the port is a device of its own. */
#define HD_IFACE_F_HOST 0x4u
/* BRIDGE: a bridge domain: stations on several interfaces and behind SR policies see each other as on one Ethernet.
 * Errors: EINVAL, ENOSPC.  Key: bridge_id. */
#define HD_BRIDGES_MAX        1024u
#define HD_BRIDGE_MEMBERS_MAX 4096u  /* of all bridges together */
#define HD_BRIDGE_PORTS_MAX   64u    /* members of one bridge */
#define HD_BRIDGE_MACS_MAX    65536u /* addresses of all bridges together */
#define HD_BRIDGE_AGEING_S    300u   /* IEEE 802.1Q table 8-6 */
#define HD_BRIDGE_GROUP_CORE  1u     /* split horizon group of what comes over SRv6 */
struct hd_api_bridge {
	uint32_t bridge_id; /* 1 .. HD_BRIDGES_MAX - 1 */
	char name[HD_API_NAME_MAX];
	uint32_t ageing_s; /* 0: HD_BRIDGE_AGEING_S */
	uint8_t flags;     /* HD_BRIDGE_F_* */
	uint8_t pad[3];
};
static_assert(sizeof(struct hd_api_bridge) == 44, "no hidden padding");
#define HD_BRIDGE_F_NO_LEARN 0x1u /* addresses are static only, or come from a control plane */
#define HD_BRIDGE_F_NO_FLOOD 0x2u /* unicast to unknown addresses is dropped */

/* BRIDGE_PORT: a member of a bridge: an interface, whose frames all belong to it, with its tags taken off, or what is
 * reached over an SR policy of H.Encaps.L2.  Errors: ENOENT bridge, interface or policy, EEXIST the interface is a
 * member already, ENOSPC.  Key: member_id. */
struct hd_api_bridge_port {
	uint32_t member_id; /* 1 .. HD_BRIDGE_MEMBERS_MAX - 1 */
	uint32_t bridge_id;
	uint32_t iface_id, policy_id; /* one of both */
	uint8_t group;                /* split horizon: members of one group do not talk; 0: none */
	uint8_t pad;
	uint16_t segment; /* Ethernet segment that Arg.FE2 names (RFC 8986 4.12); 0: none */
	uint8_t remote
		[16]; /* outer source of frames from there, by which their addresses are learned; policies only */
};
static_assert(sizeof(struct hd_api_bridge_port) == 36, "no hidden padding");

/* BRIDGE_MAC: a static address; it is neither learned elsewhere nor does it age.  Key: bridge_id, mac, pad (0). */
struct hd_api_bridge_mac {
	uint32_t bridge_id;
	uint8_t mac[6], pad[2];
	/* end of key */
	uint32_t member_id;
};
static_assert(sizeof(struct hd_api_bridge_mac) == 16, "no hidden padding");

/* Answer to BRIDGE_MAC_STATE: one address that is known. */
struct hd_api_bridge_mac_state {
	uint32_t bridge_id, member_id;
	uint8_t mac[6], is_static, pad;
	uint32_t age_s; /* since it was last seen */
};
static_assert(sizeof(struct hd_api_bridge_mac_state) == 20, "no hidden padding");

/* VLAN_ENTRY: interface of the tags of a frame, for End.DX2V (RFC 8986 4.10).  Key: table_id, outer_vid, inner_vid. */
#define HD_VLAN_ENTRIES_MAX 16384u
struct hd_api_vlan_entry {
	uint32_t table_id;             /* not 0 */
	uint16_t outer_vid, inner_vid; /* 0: no such tag */
	uint32_t iface_id;
};
static_assert(sizeof(struct hd_api_vlan_entry) == 12, "no hidden padding");

enum hd_urpf { HD_URPF_NONE = 0, HD_URPF_LOOSE = 1, HD_URPF_STRICT = 2 };

/* XDP_RULE: what the steering program of a port with HD_PORT_F_STEER does with frames that match.  One rule decides:
 * the one for the VLAN tags, else for the ethertype, else for the destination address (the longest prefix), else for
 * the UDP destination port, else UNICAST.  What matches none is the kernel's.  Rules of a port that fell back to
 * af_packet have no effect.  Errors: ENOENT port, EINVAL, ENOSPC.  Key: the first 28 octets. */
enum hd_xdp_match {
	HD_XDP_UNICAST = 1,    /* unicast IP packets that no other rule matches */
	HD_XDP_LINK_LOCAL = 2, /* Neighbor Discovery to a link-local unicast address */
	HD_XDP_ETHERTYPE = 3,  /* number, of untagged frames; not IP, ARP */
	HD_XDP_VLAN = 4,     /* number: outer id, inner: inner id or 0, whatever the tags' types */
	HD_XDP_PREFIX = 5,   /* family, plen, addr: of the destination; untagged */
	HD_XDP_UDP_PORT = 6, /* number: destination port, IPv4 and IPv6; untagged */
};
enum hd_xdp_action { HD_XDP_HEDDLE = 0, HD_XDP_KERNEL = 1 };
#define HD_XDP_RULES_MAX 4096u
struct hd_api_xdp_rule {
	uint32_t port_id;
	uint8_t match, family, plen, pad; /* match: enum hd_xdp_match */
	uint16_t number, inner;
	uint8_t addr[16];
	/* end of key */
	uint32_t rule_id; /* 1 .. HD_XDP_RULES_MAX - 1: row of the "steering" statistics vector; row 0: no rule */
	uint16_t action; /* enum hd_xdp_action */
	uint16_t flags;  /* HD_XDP_F_* */
};
static_assert(sizeof(struct hd_api_xdp_rule) == 36, "no hidden padding");
#define HD_API_XDP_RULE_KEY 28u
#define HD_XDP_F_OWN \
	0x1u /* PREFIX: an address of ours: ARP and ND that ask for it or answer it come too */

#endif
