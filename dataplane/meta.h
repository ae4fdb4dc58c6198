/* SPDX-License-Identifier: BSD-3-Clause
 * Per-packet metadata: one cache line in the mbuf's private area, written by express or eth-input (or whoever makes a
 * packet) and carried through the graph.
 * Where the data starts: in port-rx, eth-input and port-tx at the Ethernet header; everywhere else at the
 * current IP header, the octets of the received L2 header (l2_len) still standing in front of it. */
#ifndef DATAPLANE_META_H
#define DATAPLANE_META_H

#include <rte_mbuf.h>
#include <stdint.h>

struct hd_meta {
	uint64_t rx_tsc;    /* when the burst came from the device */
	uint32_t result;    /* last lookup result word (result.h) */
	uint32_t flow_hash; /* 0: not yet computed */
	uint16_t iface;     /* ingress interface id; 0: made here */
	uint16_t vrf;       /* table of the next lookup */
	uint16_t port; /* ingress port id, then egress port id (owner's ids, not DPDK's); for port-tx also m->port */
	uint16_t tx_iface; /* egress interface id, set by the rewrite */
	uint16_t verdict;  /* of the last node that dropped it, or while traced, of the last node */
	uint16_t verdict_vec; /* which verdict vector that is */
	uint16_t trace;       /* trace slot + 1 of the worker; 0: not traced */
	uint8_t l2_len;       /* octets of L2 header in front of the data */
	uint8_t flags;        /* META_F_* */
	uint32_t object; /* id of the object that decided (SID, policy, next hop): for drops and traces */
	uint32_t arg; /* icmp-error: pointer or MTU, host order; punt: free for the reason's use */
	uint8_t icmp_type,
		icmp_code; /* icmp-error: what to send (ICMPv6 or ICMPv4 by the packet's version) */
	uint8_t punt;      /* punt: reason (punt.h) */
	uint8_t l4_off8;   /* free for pipelines within one node */
	uint32_t session;  /* subscriber session index + 1; 0: none */
	uint32_t pipe[3];  /* scratch of the pipeline that holds the packet */
};
static_assert(sizeof(struct hd_meta) == 64, "one cache line");

#define META_F_LOCAL \
	0x01u /* made by this node (ICMP error, reply): never answered by another error */
#define META_F_L2_MCAST \
	0x02u /* came as L2 multicast or broadcast: RFC 4443 2.4(e.4), RFC 1812 4.3.2.7 */
#define META_F_ADVANCED 0x04u /* TTL or hop limit already decremented on this node */
#define META_F_HELD     0x08u /* already waited for a neighbour once */
#define META_F_URPF4    0x10u /* the ingress interface wants uRPF for IPv4, for IPv6 */
#define META_F_URPF6    0x20u
#define META_F_STEERED \
	0x40u /* srv6-ingress: what is routed on takes the result word in pipe[0] instead */

static inline struct hd_meta *meta(struct rte_mbuf *m)
{
	return (struct hd_meta *)rte_mbuf_to_priv(m);
}

#endif
