/* SPDX-License-Identifier: BSD-3-Clause
 * Which probe an ICMP message answers. */
#include "pipelines/ip/probe_match.h"

#include "heddle/wire/icmp4.h"
#include "heddle/wire/icmp6.h"
#include "heddle/wire/udp.h"

#define TUNNELS_MAX 2u /* headers of policies that an error may quote around the probe */

static bool is_error(unsigned family, uint8_t type)
{
	if (family == 6)
		return type >= ICMP6_UNREACH && type <= ICMP6_PARAM_PROBLEM;
	return type == ICMP4_UNREACH || type == ICMP4_TIME_EXCEEDED || type == ICMP4_PARAM_PROBLEM;
}

/* Echo header or UDP header of a quoted probe. */
static bool upper(const struct wire_cur *at, unsigned family, uint8_t proto, uint16_t ip_id,
		  uint16_t ident, uint16_t *ret_seq)
{
	struct wire_cur c = *at;
	const uint8_t *p = wire_pull(&c, 8); /* of either: what RFC 792 has quoted at least */

	if (p == NULL)
		return false;
	if (proto == (family == 4 ? IP_NH_ICMP4 : IP_NH_ICMP6)) {
		if (p[0] != (family == 4 ? ICMP4_ECHO_REQUEST : ICMP6_ECHO_REQUEST) || p[1] != 0 ||
		    wire_get16(p + 4) != ident)
			return false;
		*ret_seq = wire_get16(p + 6);
		return true;
	}
	if (proto != IP_NH_UDP || wire_get16(p) != ident)
		return false;
	if (family == 4) {
		*ret_seq = ip_id;
		return true;
	}
	const uint8_t *data = wire_pull(&c, 2);
	if (data == NULL)
		return false;
	*ret_seq = wire_get16(data);
	return true;
}

static bool quoted(struct wire_cur c, uint16_t ident, uint16_t *ret_seq)
{
	for (unsigned depth = 0; depth <= TUNNELS_MAX; depth++) {
		const uint8_t *first = wire_peek(&c, 1);
		uint8_t proto;

		if (first == NULL)
			return false;
		if (*first >> 4 == 4) {
			const struct ip4_hdr *h = wire_pull(&c, sizeof(*h));
			unsigned ihl = h != NULL ? (h->version_ihl & 15) * 4u : 0;
			if (h == NULL || ihl < sizeof(*h) ||
			    wire_pull(&c, ihl - sizeof(*h)) == NULL ||
			    (be16_get(h->frag) & IP4_FRAG_MASK) != 0)
				return false;
			proto = h->proto;
			if (proto != IP_NH_IP4 && proto != IP_NH_IP6)
				return upper(&c, 4, proto, be16_get(h->id), ident, ret_seq);
		} else {
			struct wire_cur whole = c;
			struct ip6_chain chain;
			struct ip6_view v;
			if (ip6_parse_quoted(&c, &v) < 0 || ip6_chain_parse(&v, &c, &chain) < 0 ||
			    chain.later_fragment || wire_pull(&whole, chain.upper_off) == NULL)
				return false;
			c = whole;
			proto = chain.upper;
			if (proto != IP_NH_IP4 && proto != IP_NH_IP6)
				return upper(&c, 6, proto, 0, ident, ret_seq);
		}
	}
	return false;
}

bool probe_match(const void *icmp, size_t len, unsigned family, uint16_t ident,
		 struct probe_match *ret)
{
	struct wire_cur c = wire_cur_init(icmp, len);
	const uint8_t *p = wire_pull(&c, 8);
	struct probe_match m = { 0 };

	if (p == NULL)
		return false;
	m.type = p[0];
	m.code = p[1];
	if (m.type == (family == 4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY)) {
		if (m.code != 0 || wire_get16(p + 4) != ident)
			return false;
		m.seq = wire_get16(p + 6);
	} else if (!is_error(family, m.type) || !quoted(c, ident, &m.seq)) {
		return false;
	}
	if (family == 4 && m.type == ICMP4_UNREACH && m.code == ICMP4_UNREACH_FRAG)
		m.mtu = wire_get16(p + 6); /* RFC 1191 section 4 */
	else if (family == 6 && m.type == ICMP6_TOO_BIG)
		m.mtu = wire_get32(p + 4); /* RFC 4443 section 3.2 */
	*ret = m;
	return true;
}
