/* SPDX-License-Identifier: BSD-3-Clause
 * What the files of ip share; control thread unless said otherwise. */
#ifndef PIPELINES_IP_INTERNAL_H
#define PIPELINES_IP_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "pipelines/ip/ip.h"

/* ---- punt reasons (pipeline.c) ---- */
extern struct ip_punt {
	uint8_t arp, nd, unresolved;      /* handlers in neigh.c */
	uint8_t icmp4_error, icmp6_error; /* only their policers are used, by node icmp-error */
	uint8_t probe;                    /* handler in probe.c */
} ip_punt;

/* ---- rib.c ---- */
/* The longest prefix that holds for addr, and whose word it is.  False: there is none. */
bool rib_match(uint32_t vrf, unsigned family, const uint8_t *addr, uint8_t *ret_plen,
	       enum rib_source *ret_source, uint32_t *ret_word);
int rib_init(void);
void rib_fini(void);
int vrf_create(uint32_t id);   /* 0 when it exists already; -ENOMEM */
void vrf_destroy(uint32_t id); /* with what its RIB still holds; VRF 0 stays */

/* ---- addr.c: our own addresses ---- */

/* What workers may know of an interface's addresses: in slots by interface id. */
struct ip_if {
	be32_t addr4;          /* zero: none */
	struct ip6_addr addr6; /* global; unspecified: none */
	struct ip6_addr link_local;
};
extern struct slots *ip_if_slots;
static inline const struct ip_if *ip_if_get(uint32_t iface)
{
	return slots_get(ip_if_slots, iface);
}

int addr_init(void);
void addr_fini(void);
int addr_add(const struct hd_api_addr *a); /* -ENOMEM, -ENOSPC */
void addr_remove(const struct hd_api_addr *a);
void addr_prefetch(const struct hd_api_addr *a); /* one of the two will come */
/* ip_source4(), ip_source6() for a packet of a given VRF, which need not be the interface's.  Any thread. */
bool addr_pick4(uint32_t iface, uint32_t vrf, be32_t *ret);
bool addr_pick6(uint32_t iface, uint32_t vrf, struct ip6_addr *ret);
/* Is this an address of ours on that interface, link-local ones included? */
bool addr_is_ours(const struct iface *i, unsigned family, const uint8_t *addr);
/* Are the first plen bits the same? */
bool ip_prefix_match(const uint8_t *a, const uint8_t *b, unsigned plen);
/* Is it inside a connected prefix of that interface (IPv6: or link-local)? */
bool addr_on_link(uint32_t iface, unsigned family, const uint8_t *addr);
/* Source of an ARP request for target; false: there is none. */
bool addr_source4(uint32_t iface, const uint8_t *target, be32_t *ret);
void addr_iface_changed(const struct iface *old, const struct iface *new);
/* Tell the neighbours where the address is: gratuitous ARP, unsolicited NA. */
void addr_announce(const struct iface *i, const struct hd_api_addr *a);

/* ---- nexthop.c: next hops, groups ---- */
struct neigh;
struct nexthop;
LIST_HEAD(nexthop_list, nexthop);
struct nexthop {
	uint32_t id, adj; /* nh_id; index of its adjacency, the same for life */
	uint32_t iface;
	uint8_t family;
	bool has_gateway;
	uint8_t gateway[16];
	struct neigh *neigh; /* of the gateway; NULL without one */
	LIST_ENTRY(nexthop) same_neigh, same_iface;
	bool usable; /* counts in groups */
};

int nexthop_init(void);
void nexthop_fini(void);
int nexthop_set(const struct hd_api_nexthop *msg); /* -ENOMEM, -ENOSPC */
void nexthop_remove(uint32_t id);
const struct nexthop *nexthop_find(uint32_t id);
/* Publish the adjacency anew after a change of neighbour or interface. */
void nexthop_refresh(struct nexthop *nh);
void nexthops_iface_changed(uint32_t iface);

int nhgroup_set(const struct hd_api_nhgroup *msg);
void nhgroup_remove(uint32_t id);
/* Groups follow their members; called at the end of whatever may have changed one. */
void nhgroups_follow(void);

/* Shares of n_buckets buckets by weight (largest remainder, at least one each); quota[n] is filled. */
void nhg_quota(const uint32_t *weight, unsigned n, unsigned n_buckets, unsigned *quota);
/* Give buckets to members by quota; home[] is what was before (member index, or UINT16_MAX) and changes as
 * little as the quotas allow. */
void nhg_assign(uint16_t *home, unsigned n_buckets, const unsigned *quota, unsigned n);

/* Fill an adjacency and publish it at an allocated index if it differs from what is there. -ENOMEM. */
int adj_publish(uint32_t index, const struct adj *a);
/* What stands for a neighbour (mac NULL: not resolved) of an interface (NULL: gone). */
void adj_fill(struct adj *a, const struct iface *i, unsigned family, const uint8_t *gateway,
	      const struct mac_addr *mac, bool failed, uint32_t object);

/* ---- neigh.c ---- */
struct neigh {
	struct neigh *hnext;
	LIST_ENTRY(neigh) same_iface;
	uint32_t iface;
	uint8_t family, state; /* enum hd_neigh_state */
	uint8_t tries;         /* solicitations since the last answer */
	bool has_mac, is_static;
	uint8_t addr[16];
	struct mac_addr mac;
	uint32_t idx; /* in the table */
	uint32_t adj; /* index of its own adjacency */
	bool in_rib;  /* host route present, in VRF rib_vrf */
	uint32_t rib_vrf;
	uint64_t confirmed_ms, next_ms;
	struct nexthop_list nexthops; /* that go through it: it is kept and resolved for them */
	struct rte_mbuf *held[4];
	uint8_t n_held;
};

int neigh_init(void);
void neigh_fini(void);
void neigh_tick(uint64_t now_ms);
void neigh_arp_rx(struct rte_mbuf *m, void *arg);
void neigh_nd_rx(struct rte_mbuf *m, void *arg);
void neigh_unresolved(struct rte_mbuf *m, void *arg);
int neigh_static_set(const struct hd_api_neigh *msg); /* -ENOSPC, -ENOMEM */
void neigh_static_remove(const struct hd_api_neigh *msg);
void neigh_prefetch(const struct hd_api_neigh *msg); /* one of the two will come */
/* For a next hop: find or create, and keep as long as the next hop uses it. */
struct neigh *neigh_attach(struct nexthop *nh);
void neigh_detach(struct nexthop *nh);
void neigh_iface_changed(const struct iface *old, const struct iface *new);
void neigh_addr_changed(const struct hd_api_addr *a); /* it came or went with its prefix */
uint64_t clock_ms(void);                              /* monotonic; tests may advance it */
extern uint64_t clock_advance_ms;

/* A frame of the control thread: room for the L2 header of i is filled, *ret_l3 has len octets.  NULL: no buffer. */
struct rte_mbuf *frame_make(const struct iface *i, const struct mac_addr *dst, uint16_t ethertype,
			    unsigned len, void **ret_l3);
void frame_send(const struct iface *i, struct rte_mbuf *m);

/* ---- icmp_error.c: any thread ---- */
enum icmp_error_result {
	ICMP_ERROR_READY4,
	ICMP_ERROR_READY6, /* m is the error, to be looked up */
	ICMP_ERROR_NOT_ALLOWED,
	ICMP_ERROR_NO_SOURCE,
	ICMP_ERROR_NO_ROOM,
	ICMP_ERROR_MALFORMED,
};
/* Would an error about m be legal (RFC 4443 2.4(e), RFC 1812 4.3.2.7)?  READY4, READY6, NOT_ALLOWED or MALFORMED. */
enum icmp_error_result icmp_error_check(const struct rte_mbuf *m);
/* Turn m into the error its metadata asks for; icmp_error_check() has said yes. */
enum icmp_error_result icmp_error_make(struct rte_mbuf *m);

/* ---- ip_local_node.c ---- */
void ip_local_init(void);

/* ---- probe.c ---- */
extern uint16_t ip_probe_ident; /* of every probe: echo identifier and UDP source port */
int ip_probe_init(void);
/* ---- explain.c ---- */
int ip_explain_init(void);

/* ---- api.c ---- */
int ip_api_register(void);

#endif
