/* SPDX-License-Identifier: BSD-3-Clause */
/* Ethernet with tags. What is parsed can be built again, octet by octet. */
#include "tests/fuzz/fuzz.h"

#include <heddle/wire/eth.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_cur c = wire_cur_init(data, size);
	uint8_t buf[22];
	struct eth_view v;

	if (eth_parse(&c, &v) < 0) {
		fuzz_assert(c.p == data && wire_left(&c) == size);
		return 0;
	}
	fuzz_assert(v.n_tags <= ETH_MAX_TAGS && c.p == data + v.l3_off &&
		    v.l3_off == eth_build_len(v.n_tags));
	fuzz_assert(!ethtype_is_tag(v.ethertype));
	fuzz_assert(eth_build(buf, sizeof(buf), &v.hdr->dst, &v.hdr->src, v.tag, v.n_tags,
			      v.ethertype) == v.l3_off);
	fuzz_assert(memcmp(buf, data, v.l3_off) == 0);
	return 0;
}
