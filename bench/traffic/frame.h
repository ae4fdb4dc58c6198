/* SPDX-License-Identifier: BSD-3-Clause
 * A test packet as a stack of layers, and the frames built from it.
 *
 * Layers stand from the outside in; each names the next one in its type field.  Any address or number may be a range:
 * flow f takes the (f modulo length)th value.  What is behind the last layer is payload, and ends in a signature. */
#ifndef BENCH_TRAFFIC_FRAME_H
#define BENCH_TRAFFIC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_LAYERS_MAX   24u
#define FRAME_SEGMENTS_MAX 16u
#define FRAME_HEADERS_MAX  640u  /* octets of headers that one packet may have */
#define FRAME_OCTETS_MAX   9216u /* without FCS */
#define FRAME_FCS          4u

enum layer_kind {
	LAYER_ETH,
	LAYER_VLAN,
	LAYER_PPPOE, /* session header and PPP protocol */
	LAYER_IP4,
	LAYER_IP6,
	LAYER_SRH,
	LAYER_NSH,
	LAYER_VXLAN_GPE,
	LAYER_UDP,
	LAYER_TCP,
	LAYER_KINDS
};

/* first, first + 1, ... on the last 8 octets (big endian), count values. */
struct range {
	uint8_t first[16];
	uint8_t octets; /* of first; 0: not given */
	uint64_t count;
};

struct layer {
	enum layer_kind kind;
	struct range src, dst; /* MAC, IPv4, IPv6 addresses or ports */
	struct range id;       /* VLAN id, PPPoE session, NSH service path, VNI */
	uint32_t flow_label;   /* IPv6 */
	uint16_t tpid;         /* VLAN */
	uint8_t pcp;           /* VLAN */
	uint8_t hops;          /* TTL, hop limit, NSH TTL */
	uint8_t tos;           /* IPv4 TOS, IPv6 traffic class */
	uint8_t tcp_flags;
	uint8_t si, md;                          /* NSH: service index, metadata type 1 or 2 */
	uint8_t context[16];                     /* NSH MD type 1 */
	uint8_t n_segments, left;                /* SRH */
	uint8_t segment[FRAME_SEGMENTS_MAX][16]; /* in the order of travel */
};

struct packet {
	uint32_t n_layers;
	struct layer layer[FRAME_LAYERS_MAX];
};

const char *layer_name(enum layer_kind kind);

/* May `below` stand directly on `on` (NULL: on the wire)? */
bool layer_may_follow(const enum layer_kind *on, enum layer_kind below);

/* Octets of all headers; the frame of size `octets` (without FCS) has at least this and the signature. */
uint32_t packet_headers(const struct packet *p);
uint32_t packet_octets(const struct packet *p, uint32_t octets);

/* The whole frame of a flow, octets long (as packet_octets() returned it): lengths and checksums right, the payload
 * frame_payload()'s pattern, its last 18 octets a signature of zeros. */
void packet_build(const struct packet *p, uint32_t flow, uint32_t octets, uint8_t *to);

/* Octet i of a frame that is payload. */
static inline uint8_t frame_payload(uint32_t i)
{
	return (uint8_t)i;
}

/* Where a frame's innermost TCP or UDP payload is.  Every length is checked; tags, PPPoE, IPv6 extension headers, NSH,
 * VXLAN-GPE and IP in IP are looked through.
 *   ret_payload, ret_len   offset and octets of the payload
 *   ret_csum               offset of the checksum field; 0: none is used
 * Returns 0, -EBADMSG truncated or contradicting itself, -EPROTONOSUPPORT no TCP or UDP that is whole. */
int frame_find_payload(const uint8_t *frame, uint32_t len, uint32_t *ret_payload, uint32_t *ret_len,
		       uint32_t *ret_csum);

#endif
