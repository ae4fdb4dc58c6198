/* SPDX-License-Identifier: BSD-3-Clause
 * l2-io: receive and transmit with nothing between, as a forwarder's io mode: what DPDK's API itself costs. */
#include "bench/frames.h"

static uint32_t frame_io(const struct params *p, uint32_t flow, uint32_t size, uint8_t *to,
			 uint32_t *ret_fresh)
{
	uint32_t len = at_least(size, 64), at = frame_eth(to, 0x88b5);

	(void)p;
	memset(to + at, 0, len - at);
	put32(to + at, flow);
	*ret_fresh = 64;
	return len;
}

static uint32_t expect_io(const struct params *p, uint32_t flow, const uint8_t *in, uint32_t len,
			  uint8_t *to, uint8_t *care)
{
	(void)p;
	(void)flow;
	(void)care;
	memcpy(to, in, len);
	return len;
}

static struct workload l2_io = {
	.name = "l2-io",
	.help = "receive and transmit, no graph: what the devices' API costs",
	.uses = " flows ",
	.frame = frame_io,
	.expect = expect_io,
};
WORKLOAD(l2_io)
