/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers to probes. Input: family (odd: IPv6), two octets of the identifier, then the ICMP message. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "pipelines/ip/probe_match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct probe_match m = { .seq = 0xabcd };
	unsigned family;
	uint16_t ident;
	uint8_t *msg;

	if (size < 3)
		return 0;
	family = data[0] & 1 ? 6 : 4;
	ident = (uint16_t)(data[1] << 8 | data[2]);
	size -= 3;
	msg = malloc(size != 0 ? size : 1); /* exactly the message */
	memcpy(msg, data + 3, size);
	if (probe_match(msg, size, family, ident, &m)) {
		fuzz_assert(size >= 8 && m.type == msg[0] && m.code == msg[1]);
		/* what was recognised as an error quotes 8 octets behind an IP header at least */
		fuzz_assert(m.type == (family == 4 ? 0 : 129) || size >= 8 + 28);
	} else {
		fuzz_assert(m.seq == 0xabcd);
	}
	free(msg);
	return 0;
}
