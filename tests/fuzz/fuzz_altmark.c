/* SPDX-License-Identifier: BSD-3-Clause */
/* Alternate marks in any packet.  Input: an octet, the type of the SRH TLV (0: none is looked for), then the packet. */
#include "tests/fuzz/fuzz.h"

#include <heddle/wire/altmark.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct altmark_view v = { 0 };
	int rc;

	if (size < 1)
		return 0;
	rc = altmark_find(data + 1, size - 1, data[0], &v);
	if (rc == 1) {
		fuzz_assert(v.off >= 40 && v.off + 4u <= size - 1);
		fuzz_assert(wire_get32(data + 1 + v.off) == v.word);
		fuzz_assert(v.place >= ALTMARK_HOP && v.place <= ALTMARK_SRH_TLV);
		fuzz_assert(v.place != ALTMARK_SRH_TLV || data[0] != 0);
		fuzz_assert(altmark_id(v.word) <= ALTMARK_ID_MAX);
	} else {
		fuzz_assert(rc == 0 || rc == -EBADMSG || rc == -E2BIG || rc == -EPROTO);
	}
	return 0;
}
