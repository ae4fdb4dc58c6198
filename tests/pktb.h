/* SPDX-License-Identifier: BSD-3-Clause */
/* Packet builder for tests: stack layers from the outside in, finish, then break exactly one thing.
 *
 *	struct pktb b;
 *	pktb_init(&b);
 *	pktb_eth(&b, NULL, NULL);
 *	pktb_ip6(&b, "2001:db8::1", "2001:db8:b::100", 64);
 *	pktb_srh(&b, (const char *[]){ "2001:db8:c::1", "2001:db8:b::100" }, 2, 1);
 *	pktb_udp(&b, 1000, 2000);
 *	pktb_fill(&b, 32);
 *	pktb_finish(&b);
 *	b.srh->segments_left = 3;
 *
 * or the same in one line of notation: pktb_parse(&b, "eth / ip6 2001:db8::1 2001:db8:b::100 64 / srh ... ").
 *
 * Each layer names itself in the layer in front of it (ethertype, next header, protocol); pktb_finish() fills lengths
 * and checksums from the inside out. A mistake of the test (bad address, no room) prints a message and aborts. */
#ifndef TESTS_PKTB_H
#define TESTS_PKTB_H

#include <heddle/wire/arp.h>
#include <heddle/wire/eth.h>
#include <heddle/wire/icmp4.h>
#include <heddle/wire/icmp6.h>
#include <heddle/wire/ip4.h>
#include <heddle/wire/ip6.h>
#include <heddle/wire/srh.h>
#include <heddle/wire/tcp.h>
#include <heddle/wire/udp.h>

#define PKTB_CAP        16384
#define PKTB_MAX_LAYERS 32

enum pktb_kind {
	PKTB_ETH,
	PKTB_VLAN,
	PKTB_ARP,
	PKTB_IP4,
	PKTB_IP6,
	PKTB_HBH,
	PKTB_DSTOPT,
	PKTB_RT, /* routing header of any type, SRH included */
	PKTB_FRAG,
	PKTB_UDP,
	PKTB_TCP,
	PKTB_ICMP4,
	PKTB_ICMP6,
	PKTB_DATA,
};

struct pktb_layer {
	enum pktb_kind kind;
	size_t off; /* octets from the start of the packet */
};

struct pktb {
	uint8_t buf[PKTB_CAP];
	size_t len; /* octets used */
	unsigned n_layers;
	struct pktb_layer layer[PKTB_MAX_LAYERS];
	bool keep_udp_csum; /* pktb_finish() leaves UDP checksums alone: 0 stays 0 */
	/* The first (outermost) and the last (innermost) of each kind, inside buf; NULL if there is none. The plain
	 * name is the first, since that is what a node under test looks at. */
	struct eth_hdr *eth, *inner_eth;
	struct vlan_tag *vlan, *inner_vlan;
	struct arp_pkt *arp;
	struct ip4_hdr *ip4, *inner_ip4;
	struct ip6_fixed *ip6, *inner_ip6;
	uint8_t *hbh, *dstopt;
	struct srh_hdr *srh, *inner_srh;
	struct ip6_rt_hdr *rt; /* first routing header of any type */
	struct ip6_frag_hdr *frag;
	struct udp_hdr *udp;
	struct tcp_hdr *tcp;
	struct icmp4_msg *icmp4;
	struct icmp6_msg *icmp6;
	uint8_t *payload; /* first data layer */
};

/* Addresses from text; a wrong one aborts the test. */
struct ip6_addr pktb_addr6(const char *text);
be32_t pktb_addr4(const char *text);
struct mac_addr pktb_mac(const char *text); /* "02:00:00:00:00:01" */

void pktb_init(struct pktb *b);

/* Ethernet: the outer frame, or behind an IPv6 header the inner one (next header 143). NULL: a default address. */
void pktb_eth(struct pktb *b, const char *dst, const char *src);
/* A tag behind pktb_eth() or another tag. tci: PCP, DEI and VID as on the wire. */
void pktb_vlan(struct pktb *b, uint16_t tpid, uint16_t tci);
void pktb_arp(struct pktb *b, uint16_t op, const char *sha, const char *spa, const char *tha,
	      const char *tpa);
void pktb_ip4(struct pktb *b, const char *src, const char *dst, uint8_t ttl);
void pktb_ip6(struct pktb *b, const char *src, const char *dst, uint8_t hop_limit);
/* Options header: opts of len octets are padded with PadN (or Pad1) to a multiple of 8. */
void pktb_hbh(struct pktb *b, const void *opts, size_t len);
void pktb_dstopt(struct pktb *b, const void *opts, size_t len);
/* SRH with the list as it lies on the wire: list[0] is the final segment. Last Entry is n - 1, Hdr Ext Len fits. */
void pktb_srh(struct pktb *b, const char *const *list, unsigned n, uint8_t segments_left);
/* TLVs of the SRH just added: len octets, a multiple of 8. May be called again. */
void pktb_srh_tlv(struct pktb *b, const void *tlv, size_t len);
/* Routing header of any type with len octets of data behind its first 4; 4 + len is a multiple of 8. */
void pktb_rt(struct pktb *b, uint8_t type, uint8_t segments_left, const void *data, size_t len);
/* off: octets, a multiple of 8. */
void pktb_frag(struct pktb *b, uint16_t off, bool more, uint32_t id);
void pktb_udp(struct pktb *b, uint16_t src_port, uint16_t dst_port);
void pktb_tcp(struct pktb *b, uint16_t src_port, uint16_t dst_port, uint8_t flags);
void pktb_icmp4(struct pktb *b, uint8_t type, uint8_t code, uint32_t data);
void pktb_icmp6(struct pktb *b, uint8_t type, uint8_t code, uint32_t data);
/* Octets behind the last layer: given ones, or n octets of a pattern that differs at every offset. */
void pktb_data(struct pktb *b, const void *data, size_t len);
void pktb_fill(struct pktb *b, size_t n);
/* Names the type behind the last layer by hand: ethertype, next header or protocol. */
void pktb_next(struct pktb *b, uint16_t type);

/* Lengths and checksums of every layer, from the inside out. Upper-layer checksums behind an SRH with segments left
 * use its final segment (RFC 8200 section 8.1). May be called again after a change. */
void pktb_finish(struct pktb *b);
/* n zero octets behind the packet, unknown to any length field: Ethernet padding. After pktb_finish(). */
void pktb_pad(struct pktb *b, size_t n);
/* Checksums only, where the last change must keep broken lengths as they are. */
void pktb_fix_csum(struct pktb *b);

/* An IPv6 packet (no Ethernet) with SRH and 16 octets of UDP data, finished: the packet most tests start from.
 * list as in pktb_srh(), segments_left n - 1. */
void pktb_srv6(struct pktb *b, const char *src, const char *dst, uint8_t hop_limit,
	       const char *const *list, unsigned n);

/* A whole packet in notation, finished: layers divided by '/', words by spaces.
 *	eth [DST SRC]            vlan VID [TPID]            arp OP SPA TPA
 *	ip4 SRC DST [TTL]        ip6 SRC DST [HOP]          hbh [HEX]        dstopt [HEX]
 *	srh LIST0,LIST1,.. SL    tlv HEX                    rt TYPE SL       frag OFF MORE [ID]
 *	udp [SPORT DPORT]        tcp [SPORT DPORT FLAGS]    icmp4 TYPE [CODE DATA]    icmp6 TYPE [CODE DATA]
 *	fill N                   data HEX                   next TYPE
 * Numbers take 0x. */
void pktb_parse(struct pktb *b, const char *notation);

/* Address of a layer's first octet: the nth (from 0) layer of its kind, NULL if there is none. */
void *pktb_layer(struct pktb *b, enum pktb_kind kind, unsigned nth);
/* Octets from the outermost IP header (or the start) to p, for ICMP pointers. */
size_t pktb_off(const struct pktb *b, const void *p);
/* The outermost IP packet: where it starts and its octets, up to the end of the buffer. */
const uint8_t *pktb_l3(const struct pktb *b, size_t *ret_len);

/* Hex dump, 16 octets a line, layers named. Valid until the next call in this thread. */
const char *pktb_dump(const struct pktb *b);
const char *pktb_hexdump(const void *data, size_t len);
/* Octets from hex digits; spaces are skipped. Returns their number; aborts on anything else or beyond cap. */
size_t pktb_unhex(const char *hex, uint8_t *buf, size_t cap);

#endif
