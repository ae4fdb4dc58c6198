/* SPDX-License-Identifier: BSD-3-Clause
 * srv6-dt4, srv6-dt6: the last node of a path of two segments, SRH still there (Segments Left 0): decapsulated and
 * routed in VRF 1. */
#include "bench/workloads/srv6.h"

#define N_SEGS 2u
#define TABLE  1u

static void setup(const struct params *p, unsigned family)
{
	uint8_t a[16];

	world_vrf(TABLE);
	for (uint32_t i = 0; i < p->routes; i++) {
		if (family == 4)
			put32(a, customer4(i));
		else
			addr6(a, AREA_CUSTOMER, i, 0);
		world_route(TABLE, family, a, family == 4 ? 24 : 64, HD_TARGET_NEXTHOP,
			    family == 4 ? world_nexthop4(p, i) : world_nexthop6(p, i));
	}
	for (uint32_t i = 0; i < p->sids; i++)
		sid_set(i, family == 4 ? 19 : 18, 0, 0, TABLE);
	world_commit();
}

static void setup4(const struct params *p)
{
	setup(p, 4);
}

static void setup6(const struct params *p)
{
	setup(p, 6);
}

static uint32_t outer(const struct params *p, uint32_t flow, uint8_t *to, unsigned inner,
		      uint32_t inner_len)
{
	uint32_t at = frame_eth(to, 0x86dd);
	uint8_t src[16], seg[N_SEGS][16];

	flow_src6(flow, src);
	addr6(seg[0], AREA_SEGMENT, 0, 1);
	sid_addr(seg[1], flow % p->sids);
	at += frame_ip6(to + at, src, seg[1], PROTO_ROUTING, 8 + 16 * N_SEGS + inner_len);
	return at + frame_srh(to + at, inner, 0, (const uint8_t(*)[16])seg, N_SEGS);
}

#define OUTER (14u + 40u + 8u + 16u * N_SEGS)

static uint32_t frame4(const struct params *p, uint32_t flow, uint32_t size, uint8_t *to,
		       uint32_t *ret_fresh)
{
	uint32_t len = at_least(size, OUTER + 28), at = outer(p, flow, to, PROTO_IP4, len - OUTER);

	at += frame_ip4(to + at, flow_src4(flow), customer4(flow % p->routes) + (flow & 0xff),
			PROTO_UDP, len - OUTER);
	*ret_fresh = at + frame_udp(to + at, flow, len - at);
	return len;
}

static uint32_t frame6(const struct params *p, uint32_t flow, uint32_t size, uint8_t *to,
		       uint32_t *ret_fresh)
{
	uint32_t len = at_least(size, OUTER + 48), at = outer(p, flow, to, PROTO_IP6, len - OUTER);
	uint8_t src[16], dst[16];

	flow_src6(flow + 1000000, src);
	addr6(dst, AREA_CUSTOMER, flow % p->routes, flow + 1);
	at += frame_ip6(to + at, src, dst, PROTO_UDP, len - OUTER - 40);
	*ret_fresh = at + frame_udp(to + at, flow, len - at);
	return len;
}

static uint32_t expect4(const struct params *p, uint32_t flow, const uint8_t *in, uint32_t len,
			uint8_t *to, uint8_t *care)
{
	(void)care;
	frame_eth_out(to, p, flow % p->routes, 0x0800);
	memcpy(to + 14, in + OUTER, len - OUTER);
	forwarded4(to + 14);
	return 14 + len - OUTER;
}

static uint32_t expect6(const struct params *p, uint32_t flow, const uint8_t *in, uint32_t len,
			uint8_t *to, uint8_t *care)
{
	(void)care;
	frame_eth_out(to, p, flow % p->routes, 0x86dd);
	memcpy(to + 14, in + OUTER, len - OUTER);
	to[14 + 7]--;
	return 14 + len - OUTER;
}

static struct workload srv6_dt4 = {
	.name = "srv6-dt4",
	.help = "End.DT4 with SRH: decapsulated, IPv4 routed in a VRF",
	.uses = " routes sids flows nexthops ",
	.setup = setup4,
	.frame = frame4,
	.expect = expect4,
};
WORKLOAD(srv6_dt4)

static struct workload srv6_dt6 = {
	.name = "srv6-dt6",
	.help = "End.DT6 with SRH: decapsulated, IPv6 routed in a VRF",
	.uses = " routes sids flows nexthops ",
	.setup = setup6,
	.frame = frame6,
	.expect = expect6,
};
WORKLOAD(srv6_dt6)
