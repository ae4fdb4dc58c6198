/* SPDX-License-Identifier: BSD-3-Clause
 * The key a classifier compares: what of an IP packet its rules can name.
 * Pure: no graph, no mbuf. */
#include <string.h>

#include <heddle/wire/ip4.h>
#include <heddle/wire/ip6.h>

#include "pipelines/srv6/classifier.h"

static bool has_ports(uint8_t proto)
{
	return proto == IP_NH_TCP || proto == IP_NH_UDP ||
	       proto == 132 /* SCTP, RFC 9260 section 3.1 */;
}

bool srv6_class_key4_make(const uint8_t *ip, uint32_t head, struct srv6_class_key4 *ret)
{
	const struct ip4_hdr *h = (const struct ip4_hdr *)ip;
	uint32_t len, bits;

	memset(ret, 0, sizeof(*ret));
	if (head < sizeof(*h))
		return false;
	ret->proto = h->proto;
	memcpy(ret->src, h->src.b, 4);
	memcpy(ret->dst, h->dst.b, 4);
	bits = h->tos >> 2;
	len = (h->version_ihl & 15) * 4u;
	if (has_ports(h->proto) && (be16_get(h->frag) & (IP4_MF | IP4_FRAG_MASK)) == 0 &&
	    len >= sizeof(*h) && head >= len + 4) {
		memcpy(ret->sport, ip + len, 2);
		memcpy(ret->dport, ip + len + 2, 2);
		bits |= SRV6_CLASS_PORTS;
	}
	wire_put32(ret->bits, bits);
	return true;
}

bool srv6_class_key_make(const uint8_t *ip, uint32_t head, struct srv6_class_key *ret)
{
	struct wire_cur c = wire_cur_init(ip, head);
	const struct ip6_fixed *h = wire_pull(&c, sizeof(*h));
	struct ip6_view view;
	struct ip6_chain ch;
	uint32_t bits;

	memset(ret, 0, sizeof(*ret));
	if (h == NULL)
		return false;
	memcpy(ret->src, h->src.b, 16);
	memcpy(ret->dst, h->dst.b, 16);
	ret->proto = h->next_header;
	bits = ip6_traffic_class(h) >> 2;
	if (has_ports(h->next_header)) { /* the usual packet needs no walk */
		ch = (struct ip6_chain){ .upper = h->next_header, .upper_off = sizeof(*h) };
	} else {
		view = (struct ip6_view){ .hdr = h, .payload_len = be16_get(h->payload_len) };
		if (ip6_chain_parse(&view, &c, &ch) < 0)
			ch = (struct ip6_chain){ .upper = h->next_header, .later_fragment = true };
		ret->proto = ch.upper;
	}
	if (has_ports(ch.upper) && ch.frag_off == 0 && !ch.later_fragment &&
	    head >= ch.upper_off + 4u) {
		memcpy(ret->sport, ip + ch.upper_off, 2);
		memcpy(ret->dport, ip + ch.upper_off + 2, 2);
		bits |= SRV6_CLASS_PORTS;
	}
	wire_put32(ret->bits, bits);
	return true;
}
