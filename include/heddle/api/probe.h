/* SPDX-License-Identifier: BSD-3-Clause
 * Probes: packets that the data plane makes, sends and recognises the answer of.  Ping, traceroute and everything
 * alike stands on this one request.
 *
 * PROBE is answered at once: sent, or why it cannot be.  What comes of it is told by event HD_EVENT_PROBE, once for
 * each answer (several when the network duplicates) and never when none comes: the requester keeps the time. */
#ifndef HEDDLE_API_PROBE_H
#define HEDDLE_API_PROBE_H

#include "heddle/api/api.h"

#define HD_PROBE_SEGMENTS_MAX 16u

enum hd_probe_protocol {
	HD_PROBE_ECHO, /* ICMP or ICMPv6 echo request: answered by a reply */
	HD_PROBE_UDP,  /* to a port where nobody listens: answered by "port unreachable" */
};

#define HD_PROBE_F_SOURCE   0x01u /* src is given; else the address of the egress interface */
#define HD_PROBE_F_FRAGMENT 0x02u /* IPv4: without DF */

/* Errors of the reply, each with a sentence: EINVAL, ENOENT no such VRF or interface, ENETUNREACH no route or one that
 * says so, EADDRNOTAVAIL src is not ours or there is no address to send from, EMSGSIZE longer than the egress MTU,
 * ENETDOWN, ENOBUFS. */
struct hd_api_probe {
	uint32_t probe_id; /* chosen by the requester, repeated in the event */
	uint32_t vrf_id;   /* where routes and addresses are looked up */
	uint32_t iface_id; /* 0: none.  Source of this interface; a destination on its link is reached there */
	uint32_t flow_label; /* IPv6, 20 bits */
	uint16_t size;       /* octets behind the ICMP or UDP header, at least 4 are sent */
	uint16_t udp_port;   /* destination port, host order */
	uint8_t family;      /* 4 or 6 */
	uint8_t protocol;    /* enum hd_probe_protocol */
	uint8_t hop_limit;   /* or TTL; 0: 64 */
	uint8_t traffic_class;
	uint8_t flags; /* HD_PROBE_F_* */
	uint8_t n_segments; /* IPv6: SIDs to visit before dst, in a segment routing header (RFC 8754 section 4.1) */
	uint8_t pad[2];
	uint8_t src[16], dst[16];                   /* IPv4 in the first 4 octets */
	uint8_t segment[HD_PROBE_SEGMENTS_MAX][16]; /* in the order of travel */
};
static_assert(sizeof(struct hd_api_probe) == 60 + 16 * HD_PROBE_SEGMENTS_MAX, "no hidden padding");

/* In hd_api_event.u.  ICMP type and code are those of the answer, of ICMPv6 when family is 6. */
struct hd_api_probe_answer {
	uint64_t rtt_ns; /* from handing it to the worker to the burst in which the answer came */
	uint32_t probe_id;
	uint32_t mtu;     /* of "packet too big" and "fragmentation needed", else 0 */
	uint8_t from[16]; /* who answered */
	uint8_t family, icmp_type, icmp_code;
	uint8_t hop_limit; /* of the answer when it arrived */
	uint16_t length;   /* octets of the answer from its IP header on */
	uint16_t nth;      /* 1; 2 and up: a duplicate */
};
static_assert(sizeof(struct hd_api_probe_answer) == 40, "fits the event");

#endif
