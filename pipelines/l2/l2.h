/* SPDX-License-Identifier: BSD-3-Clause
 * Interfaces, and Ethernet with up to two VLAN tags: what other pipelines may use of l2.
 * Node eth-input receives frames, finds the interface, and hands on by ethertype. */
#ifndef PIPELINES_L2_L2_H
#define PIPELINES_L2_L2_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/dp_limits.h"
#include "dataplane/meta.h"
#include "dataplane/pipeline.h"
#include "dataplane/stats.h"
#include "dataplane/tables/slots.h"
#include "heddle/api/l2.h"
#include "heddle/wire/eth.h"

extern const struct pipeline l2_pipeline;

/* An interface: immutable once published, replaced as a whole (RCU). */
struct iface {
	uint64_t mac48; /* mac as the first 6 octets in memory order, the upper 2 zero */
	bool plain; /* up, and eth-input treats nothing of it specially: node express may take its packets */
	uint16_t id, port, vrf;
	uint16_t mtu; /* L3 octets: its own, else the port's */
	struct mac_addr mac;
	bool up; /* admin state and the port's link */
	bool admin_up;
	bool host;            /* ARP, ND and what is addressed to this host are its kernel's */
	bool host_copy;       /* which has a copy of each frame anyway */
	uint8_t urpf4, urpf6; /* enum hd_urpf */
	bool ingress;         /* IP packets go by srv6-ingress */
	uint32_t l2_word;     /* result word of the policy that takes its frames; 0: none */
	uint8_t n_tags;
	struct eth_tag_view tag[ETH_MAX_TAGS]; /* as sent and expected, [0] outer */
	char name[HD_API_NAME_MAX];
};

extern struct slots *iface_slots; /* by interface id; iface_get() */

/* Readers: good until the end of the burst; control thread: until it returns to its loop.  NULL: no such. */
static inline const struct iface *iface_get(uint32_t id)
{
	return slots_get(iface_slots, id);
}

/* Counters of one interface, a row of statistics vector "interface" (row = interface id). */
struct iface_count {
	uint64_t rx_packets, rx_octets; /* accepted by eth-input; whole frames without FCS */
	uint64_t tx_packets, tx_octets; /* rewritten towards the port */
};

/* First row of each worker's slice, and of the control thread's at index dp_limits.workers. */
extern struct iface_count *iface_counts[STATS_SLICES_MAX];

/* The last step before port-tx, with the frame complete: where it leaves, and that it does.
 *   count      the worker's slice, iface_counts[worker->id] */
static __rte_always_inline void iface_egress(struct rte_mbuf *m, uint16_t port, uint16_t iface,
					     struct iface_count *count)
{
	struct hd_meta *mt = meta(m);
	struct iface_count *c = &count[iface];

	mt->port = port;
	m->port = port; /* port-tx reads this one: the metadata's line stays cold there */
	mt->tx_iface = iface;
	c->tx_packets++;
	c->tx_octets += m->pkt_len;
}

/* Write the Ethernet header with the tags of i to buf (22 octets suffice).  Returns its length: 14, 18 or 22. */
static inline unsigned iface_header_build(const struct iface *i, void *buf,
					  const struct mac_addr *dst, uint16_t ethertype)
{
	return (unsigned)eth_build(buf, 22, dst, &i->mac, i->tag, i->n_tags, ethertype);
}

/* Control thread: fn is called after an interface was published (old NULL: new; new NULL: about to be removed;
 * neither: changed, in configuration or link state).  Register at init.  -ENOSPC. */
typedef void (*iface_changed_fn)(const struct iface *old, const struct iface *new);
int iface_watch(iface_changed_fn fn);
/* What the interfaces of each port add up to, by port id: the bits that `of` says of each, but of the one that is about
 * to be removed (NULL: none is).  ret: WORKER_PORTS_MAX octets.  Control thread. */
void iface_port_bits(uint8_t (*of)(uint32_t iface_id), const struct iface *leaving, uint8_t *ret);

/* Hand frames of an ethertype to an edge of eth-input (enum eth_input_verdict, eth_input.h): how a pipeline
 * takes PPPoE, NSH or the like.  It adds a verdict line to eth_input.h and calls this at init.
 * Returns 0, or -EEXIST. */
int l2_ethertype_register(uint16_t ethertype, uint16_t verdict);
/* The same for a punt reason: the handler gets the packet with data at its payload, the L2 header before it. */
int l2_ethertype_punt(uint16_t ethertype, uint8_t reason);

#endif
