/* SPDX-License-Identifier: BSD-3-Clause */
/* BFD: any packets, one after the other, to a session.  Input: an octet of settings, then packets of 26 octets; between
 * them the peer is given up when the last octet of a packet is odd. */
#include "tests/fuzz/fuzz.h"

#include "pipelines/pm/bfd.h"

#define STEP (BFD_LEN + 2)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bfd_conf c = { .discr = 7, .min_tx_us = 10000, .min_rx_us = 20000 };
	struct bfd_session s;

	if (size < 1)
		return 0;
	c.mult = (uint8_t)(1 + (data[0] & 15));
	c.passive = data[0] & 16;
	c.admin_down = data[0] & 32;
	bfd_init(&s, &c);
	for (data++, size--; size > 0;
	     data += size < STEP ? size : STEP, size -= size < STEP ? size : STEP) {
		size_t len = size < STEP ? size : STEP;
		struct bfd_packet p, out;
		uint8_t was = s.state, b[BFD_LEN];
		uint32_t interval;

		if (bfd_parse(data, len, &p) == 0)
			fuzz_assert(bfd_receive(&s, &c, &p) == (was != s.state));
		fuzz_assert(s.state <= BFD_UP && (c.admin_down == (s.state == BFD_ADMIN_DOWN)));
		fuzz_assert(s.state == BFD_UP || !s.polling);
		interval = bfd_interval_us(&s, &c);
		fuzz_assert(interval == 0 || interval >= c.min_tx_us);
		fuzz_assert(interval == 0 || bfd_jitter_us(interval, c.mult, data[0]) <= interval);
		bfd_make(&s, &c, &out);
		bfd_build(b, &out);
		fuzz_assert((b[1] & (BFD_F_POLL | BFD_F_FINAL)) != (BFD_F_POLL | BFD_F_FINAL));
		fuzz_assert(!s.final);
		if (data[len - 1] & 1) {
			bfd_expire(&s, &c);
			fuzz_assert(s.state <= BFD_DOWN && s.remote_discr == 0 &&
				    bfd_detect_us(&s) == 0);
		}
	}
	return 0;
}
