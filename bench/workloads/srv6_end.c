/* SPDX-License-Identifier: BSD-3-Clause
 * srv6-end, srv6-endx: a transit node of a segment list of three, of which it is the first (Segments Left 2).
 * srv6-end looks the next segment up; srv6-endx sends it to the SID's next hop. */
#include "bench/workloads/srv6.h"

static void setup_end(const struct params *p)
{
	segment_routes(p, 0);
	for (uint32_t i = 0; i < p->sids; i++)
		sid_set(i, 1, 0, 0, 0);
	world_commit();
}

static void setup_endx(const struct params *p)
{
	segment_routes(p, 0);
	for (uint32_t i = 0; i < p->sids; i++)
		sid_set(i, 5, HD_TARGET_NEXTHOP, world_nexthop6(p, i), 0);
	world_commit();
}

static uint32_t frame_end(const struct params *p, uint32_t flow, uint32_t size, uint8_t *to,
			  uint32_t *ret_fresh)
{
	const uint32_t srh = 8 + 16 * PATH_SEGS;
	uint32_t len = at_least(size, 14 + 40 + srh + 8), at = frame_eth(to, 0x86dd);
	uint8_t src[16], seg[PATH_SEGS][16];

	flow_src6(flow, src);
	path_of(p, flow, seg);
	at += frame_ip6(to + at, src, seg[0], PROTO_ROUTING, len - 54);
	at += frame_srh(to + at, PROTO_UDP, PATH_SEGS - 1, (const uint8_t(*)[16])seg, PATH_SEGS);
	*ret_fresh = at + frame_udp(to + at, flow, len - at);
	return len;
}

static uint32_t expect(const struct params *p, uint32_t flow, uint32_t nexthop, const uint8_t *in,
		       uint32_t len, uint8_t *to)
{
	uint8_t seg[PATH_SEGS][16];

	path_of(p, flow, seg);
	memcpy(to, in, len);
	frame_eth_out(to, p, nexthop, 0x86dd);
	to[14 + 7]--;
	memcpy(to + 14 + 24, seg[1], 16);
	to[14 + 40 + 3] = PATH_SEGS - 2;
	return len;
}

static uint32_t expect_end(const struct params *p, uint32_t flow, const uint8_t *in, uint32_t len,
			   uint8_t *to, uint8_t *care)
{
	(void)care;
	return expect(p, flow, route_of(p, flow), in, len, to);
}

static uint32_t expect_endx(const struct params *p, uint32_t flow, const uint8_t *in, uint32_t len,
			    uint8_t *to, uint8_t *care)
{
	(void)care;
	return expect(p, flow, sid_of(p, flow), in, len, to);
}

static struct workload srv6_end = {
	.name = "srv6-end",
	.help = "End, Segments Left 2: next segment looked up",
	.uses = " routes sids flows nexthops ",
	.setup = setup_end,
	.frame = frame_end,
	.expect = expect_end,
};
WORKLOAD(srv6_end)

static struct workload srv6_endx = {
	.name = "srv6-endx",
	.help = "End.X, Segments Left 2: sent to the SID's next hop",
	.uses = " sids flows nexthops ",
	.setup = setup_endx,
	.frame = frame_end,
	.expect = expect_endx,
};
WORKLOAD(srv6_endx)
