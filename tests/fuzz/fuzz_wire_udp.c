/* SPDX-License-Identifier: BSD-3-Clause */
/* UDP.  Input: 16 octets source, 16 destination, then the datagram. */
#include "tests/fuzz/fuzz.h"

#include <heddle/wire/udp.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ip6_addr src, dst;
	struct udp_view v;
	struct wire_cur c;
	uint8_t *p;
	be32_t s4, d4;
	size_t len;

	if (size < 32)
		return 0;
	memcpy(&src, data, 16);
	memcpy(&dst, data + 16, 16);
	memcpy(&s4, data, 4);
	memcpy(&d4, data + 16, 4);
	len = size - 32;
	p = malloc(len != 0 ? len : 1); /* exactly the datagram */
	memcpy(p, data + 32, len);
	c = wire_cur_init(p, len);
	if (udp_parse(&c, &v) == 0) {
		fuzz_assert((const uint8_t *)v.hdr == p && v.len >= 8 && v.len <= len);
		fuzz_assert(wire_left(&c) == v.len - 8u);
		/* what we make right is right, over either family */
		udp_csum_set((struct udp_hdr *)p, hd_csum_ip6_pseudo(&src, &dst, v.len, IP_NH_UDP));
		fuzz_assert(udp_csum_check_ip6(&v, &src, &dst) == 0);
		udp_csum_set((struct udp_hdr *)p, hd_csum_ip4_pseudo(s4, d4, v.len, IP_NH_UDP));
		fuzz_assert(udp_csum_check_ip4(&v, s4, d4) == 0);
	} else {
		fuzz_assert(wire_left(&c) == len);
	}
	free(p);
	return 0;
}
