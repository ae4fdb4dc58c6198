/* SPDX-License-Identifier: BSD-3-Clause
 * The packet that `explain` is asked about: from hexadecimal text, or made for a flow.  Pure functions over text. */
#ifndef CTRL_DEBUG_EXPLAIN_INPUT_H
#define CTRL_DEBUG_EXPLAIN_INPUT_H

#include <stddef.h>
#include <stdint.h>

#define EXPLAIN_PACKET_MAX 9800u
#define EXPLAIN_SIDS_MAX   16u

/* Octets from hexadecimal digits; blanks, ':' '-' '.' ',' between octets, "0x" before them, and the offsets and the
 * ASCII column of `tcpdump -x`, `-xx`, `-X` lines are skipped.  Returns how many, or -EINVAL (what is not hexadecimal
 * at *ret_at, or half an octet at the end), -E2BIG beyond size. */
int explain_hex(const char *text, uint8_t *buf, size_t size, size_t *ret_at);

struct explain_flow {
	uint8_t family; /* 4 or 6 */
	uint8_t proto;
	uint16_t sport, dport; /* TCP, UDP */
	uint8_t src[16], dst[16];
	uint8_t ttl, dscp;
	uint16_t length; /* octets of the IP packet (the inner one, with SIDs); 0: as short as can be */
	unsigned n_sids; /* > 0: encapsulated, the first SID is the destination (RFC 8986 5.1) */
	uint8_t sid[EXPLAIN_SIDS_MAX][16];
	uint8_t outer_src[16];
};

/* "udp 10.0.0.1:5 > 10.0.2.3:53", "tcp [2001:db8::1]:1 > [2001:db8::2]:443", "icmp 10.0.0.1 > 10.0.0.2",
 * "proto 47 A > B"; icmp with IPv6 addresses is ICMPv6.  Fills family, proto, addresses and ports; ttl becomes 64.
 * Returns 0, or -EINVAL with one sentence in why. */
int explain_flow_parse(const char *text, struct explain_flow *ret, char *why, size_t size);

/* The packet, checksums and all, from its outermost IP header on.  Returns octets, or -EMSGSIZE: length is less than
 * the headers need, or all of it more than size. */
int explain_flow_build(const struct explain_flow *f, uint8_t *buf, size_t size);

/* Does this begin with an Ethernet header (0), or is it an IP packet (1)?  An IP packet is one whose length field says
 * exactly how long it is, or one that cannot be a frame. */
int explain_is_ip(const uint8_t *p, size_t len);

#endif
