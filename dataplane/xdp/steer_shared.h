/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
 * What steer.bpf.c and steer.c agree on: keys and values of the maps. */
#ifndef DATAPLANE_XDP_STEER_SHARED_H
#define DATAPLANE_XDP_STEER_SHARED_H

#define STEER_RULES_MAX    4096 /* rule 0: what no rule matches */
#define STEER_QUEUES_MAX   64
#define STEER_PREFIXES_MAX 16384
#define STEER_VLANS_MAX    8192
#define STEER_SMALL_MAX    256 /* ethertypes, UDP ports */

enum steer_action {
	STEER_PASS, /* to the kernel */
	STEER_TAKE, /* to the AF_XDP socket of the queue; to the kernel when there is none */
};

struct steer_rule {
	unsigned int rule;     /* row of the counters */
	unsigned short action; /* enum steer_action */
	unsigned short own;    /* of a prefix: an address of ours, for which ARP and ND come too */
};

struct steer_vlan_key {
	unsigned short outer, inner; /* host order; inner 0: one tag */
};

struct steer_ip4_key {
	unsigned int plen;
	unsigned char addr[4];
};

struct steer_ip6_key {
	unsigned int plen;
	unsigned char addr[16];
};

/* Index into map steer_fixed: rules that match no value. */
enum steer_fixed {
	STEER_UNICAST,    /* unicast IP packets that no other rule matches: mode "all" */
	STEER_LINK_LOCAL, /* Neighbor Discovery to a link-local address of this link */
	STEER_FIXED_MAX,
};

struct steer_count {
	unsigned long long packets, octets; /* steered */
	unsigned long long passed;          /* packets left to the kernel */
};

#endif
