/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMPv6 and Neighbor Discovery. Input: 16 octets source, 16 destination, hop limit, then the message, whose checksum
 * is made right so that the parsers behind it are reached. */
#include "tests/fuzz/fuzz.h"

#include <heddle/wire/icmp6.h>

static void check_mac(const struct icmp6_view *m, const struct mac_addr *mac)
{
	const uint8_t *p = (const uint8_t *)m->msg;

	if (mac != NULL)
		fuzz_assert(mac->b >= p + 8 && mac->b + 6 <= p + m->len);
}

static void discovery(const struct ip6_fixed *ip, const struct icmp6_view *m)
{
	const struct mac_addr *slla;
	struct nd_ns_view ns;
	struct nd_na_view na;
	struct nd_ra_view ra;
	unsigned i, accepted = 0;

	if (nd_ns_parse(ip, m, &ns) == 0) {
		accepted++;
		check_mac(m, ns.slla);
		fuzz_assert(!ip6_addr_is_multicast(ns.target));
		fuzz_assert(!ns.dad || ns.slla == NULL);
	}
	if (nd_na_parse(ip, m, &na) == 0) {
		accepted++;
		check_mac(m, na.tlla);
		fuzz_assert(!ip6_addr_is_multicast(na.target));
	}
	if (nd_rs_parse(ip, m, &slla) == 0) {
		accepted++;
		check_mac(m, slla);
	}
	if (nd_ra_parse(ip, m, &ra) == 0) {
		accepted++;
		check_mac(m, ra.opts.slla);
		for (i = 0; i < ra.opts.n_prefix; i++)
			fuzz_touch(ra.opts.prefix[i], sizeof(*ra.opts.prefix[i]));
	}
	fuzz_assert(accepted <= 1);
	fuzz_assert(accepted == 0 || ip->hop_limit == 255);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ip6_fixed ip = { 0 };
	struct icmp6_view m;
	struct wire_cur c;
	uint8_t *msg;
	size_t len;

	if (size < 33)
		return 0;
	memcpy(&ip.src, data, 16);
	memcpy(&ip.dst, data + 16, 16);
	ip.hop_limit = data[32];
	len = size - 33;
	msg = malloc(len != 0 ? len : 1); /* exactly the message */
	memcpy(msg, data + 33, len);
	c = wire_cur_init(msg, len);
	if (len < sizeof(struct icmp6_msg)) {
		fuzz_assert(icmp6_parse(&c, &ip.src, &ip.dst, &m) == -EBADMSG);
	} else {
		icmp6_csum_set((struct icmp6_msg *)msg, len, &ip.src, &ip.dst);
		fuzz_assert(icmp6_parse(&c, &ip.src, &ip.dst, &m) == 0);
		fuzz_assert(wire_left(&c) == 0 && m.len == len);
		discovery(&ip, &m);
		if (m.msg->type == ICMP6_ECHO_REQUEST && m.msg->code == 0) {
			icmp6_echo_to_reply((struct icmp6_msg *)msg);
			c = wire_cur_init(msg, len);
			fuzz_assert(icmp6_parse(&c, &ip.dst, &ip.src, &m) == 0);
		}
	}
	free(msg);
	return 0;
}
