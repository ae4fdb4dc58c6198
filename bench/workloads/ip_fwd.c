/* SPDX-License-Identifier: BSD-3-Clause
 * ip4-fwd, ip6-fwd: routed packets, destinations spread over all routes.
 * Prefixes never overlap, so the route of a destination is known without a lookup; their lengths are mixed as in
 * tables of the Internet (IPv4 /22 to /24 and a few /32; IPv6 /36 to /64, 16 of them in each of many /32). */
#include "bench/frames.h"

/* ---- IPv4 --------------------------------------------------------------------------------------------------- */

/* Route i owns the i-th /22 in an order that scatters; not 0/8, 10/8, 127/8 nor multicast and above. */
static uint32_t block4(uint32_t i)
{
	uint32_t x = i % 220 + 1; /* first octet, 1..223 without 10 and 127 */

	x += x >= 10;
	x += x >= 127;
	return x << 24 | (scramble(i % 220 * 77) + i / 220 * 2654435761u) << 18 >> 8;
}

static uint8_t plen4(uint32_t i)
{
	uint32_t x = scramble(i ^ 0x5a5a) % 100;

	return x < 15 ? 22 : x < 30 ? 23 : x < 98 ? 24 : 32;
}

/* Which route a flow takes: with fewer flows than routes they are spread over all of the table. */
static uint32_t route_of_flow(const struct params *p, uint32_t flow)
{
	return p->flows >= p->routes ? flow % p->routes :
				       (uint32_t)((uint64_t)flow * p->routes / p->flows);
}

static uint32_t dst4(const struct params *p, uint32_t flow)
{
	uint32_t r = route_of_flow(p, flow);
	uint32_t host = plen4(r) == 32 ? 0 : scramble(flow) & (0xffffffffu >> plen4(r));

	return block4(r) | host;
}

static void setup4(const struct params *p)
{
	for (uint32_t i = 0; i < p->routes; i++) {
		uint8_t a[4];

		put32(a, block4(i));
		world_route(0, 4, a, plen4(i), HD_TARGET_NEXTHOP, world_nexthop4(p, i));
	}
	world_commit();
}

static uint32_t frame4(const struct params *p, uint32_t flow, uint32_t size, uint8_t *to,
		       uint32_t *ret_fresh)
{
	uint32_t len = at_least(size, 42), at = frame_eth(to, 0x0800);

	at += frame_ip4(to + at, flow_src4(flow), dst4(p, flow), PROTO_UDP, len - 14);
	*ret_fresh = at + frame_udp(to + at, flow, len - at);
	return len;
}

static uint32_t expect4(const struct params *p, uint32_t flow, const uint8_t *in, uint32_t len,
			uint8_t *to, uint8_t *care)
{
	(void)care;
	memcpy(to, in, len);
	frame_eth_out(to, p, route_of_flow(p, flow), 0x0800);
	forwarded4(to + 14);
	return len;
}

static struct workload ip4_fwd = {
	.name = "ip4-fwd",
	.help = "IPv4 forwarding: checks, lookup, TTL, rewrite",
	.uses = " routes flows nexthops ",
	.setup = setup4,
	.frame = frame4,
	.expect = expect4,
};
WORKLOAD(ip4_fwd)

/* ---- IPv6 --------------------------------------------------------------------------------------------------- */

static uint8_t plen6(uint32_t i)
{
	static const uint8_t plen[20] = { 36, 36, 40, 40, 40, 44, 44, 48, 48, 48,
					  48, 48, 48, 48, 48, 48, 48, 48, 56, 64 };

	return plen[scramble(i ^ 0xa5a5) % 20];
}

/* Route i owns the (i mod 16)-th /36 of the (i / 16)-th /32 in an order that scatters, in 2400::/6. */
static void prefix6(uint32_t i, uint8_t to[16])
{
	uint64_t random = (uint64_t)scramble(i) << 32 | scramble(i + 77777);
	uint8_t keep = plen6(i);
	uint64_t hi = (uint64_t)(0x24000000u | ((i / 16) * 2654435761u & 0x3ffffff)) << 32 |
		      (uint64_t)(i % 16) << 28 | (random & 0xfffffff);

	hi &= keep == 64 ? ~0ull : ~(~0ull >> keep);
	memset(to, 0, 16);
	put32(to, (uint32_t)(hi >> 32));
	put32(to + 4, (uint32_t)hi);
}

static void dst6(const struct params *p, uint32_t flow, uint8_t to[16])
{
	uint32_t r = route_of_flow(p, flow);

	prefix6(r, to);
	put32(to + 8, scramble(flow));
	put32(to + 12, flow + 1);
}

static void setup6(const struct params *p)
{
	for (uint32_t i = 0; i < p->routes; i++) {
		uint8_t a[16];

		prefix6(i, a);
		world_route(0, 6, a, plen6(i), HD_TARGET_NEXTHOP, world_nexthop6(p, i));
	}
	world_commit();
}

static uint32_t frame6(const struct params *p, uint32_t flow, uint32_t size, uint8_t *to,
		       uint32_t *ret_fresh)
{
	uint32_t len = at_least(size, 62), at = frame_eth(to, 0x86dd);
	uint8_t src[16], dst[16];

	flow_src6(flow, src);
	dst6(p, flow, dst);
	at += frame_ip6(to + at, src, dst, PROTO_UDP, len - 54);
	*ret_fresh = at + frame_udp(to + at, flow, len - at);
	return len;
}

static uint32_t expect6(const struct params *p, uint32_t flow, const uint8_t *in, uint32_t len,
			uint8_t *to, uint8_t *care)
{
	(void)care;
	memcpy(to, in, len);
	frame_eth_out(to, p, route_of_flow(p, flow), 0x86dd);
	to[14 + 7]--;
	return len;
}

static struct workload ip6_fwd = {
	.name = "ip6-fwd",
	.help = "IPv6 forwarding: checks, lookup, hop limit, rewrite",
	.uses = " routes flows nexthops ",
	.setup = setup6,
	.frame = frame6,
	.expect = expect6,
};
WORKLOAD(ip6_fwd)
