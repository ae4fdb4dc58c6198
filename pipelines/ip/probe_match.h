/* SPDX-License-Identifier: BSD-3-Clause
 * Is an ICMP message the answer to a probe of ours?  A pure function from octets: worker, control thread, test and
 * fuzzer share it.
 * Probes carry one identifier (echo identifier, or UDP source port) and a sequence number: in an echo message's own
 * field, and of UDP in the IPv4 identification or the first two octets of IPv6 data.  Both places lie in what an error
 * quotes at least (RFC 792: 8 octets behind the IP header; RFC 4443 section 3: as much as possible). */
#ifndef PIPELINES_IP_PROBE_MATCH_H
#define PIPELINES_IP_PROBE_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct probe_match {
	uint16_t seq;
	uint8_t type, code; /* of the ICMP message */
	uint32_t mtu;       /* of "packet too big", "fragmentation needed"; else 0 */
};

/* icmp: `len` octets from the ICMP header on, which may be less than the message; family of its IP header.
 * A probe that was tunnelled on its way is found inside, too.  True: it answers a probe with this identifier. */
bool probe_match(const void *icmp, size_t len, unsigned family, uint16_t ident,
		 struct probe_match *ret);

#endif
