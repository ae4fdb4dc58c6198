/* SPDX-License-Identifier: BSD-3-Clause */
/* ARP. What is parsed can be built again, octet by octet. */
#include "tests/fuzz/fuzz.h"

#include <heddle/wire/arp.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_cur c = wire_cur_init(data, size);
	struct arp_view v;
	uint8_t buf[28];

	if (arp_parse(&c, &v) < 0) {
		fuzz_assert(c.p == data && wire_left(&c) == size);
		return 0;
	}
	fuzz_assert(c.p == data + 28);
	fuzz_assert(arp_build(buf, sizeof(buf), v.op, &v.pkt->sha, v.pkt->spa, &v.pkt->tha,
			      v.pkt->tpa) == 28);
	fuzz_assert(memcmp(buf, data, 28) == 0);
	return 0;
}
