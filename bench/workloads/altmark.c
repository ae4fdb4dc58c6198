/* SPDX-License-Identifier: BSD-3-Clause
 * altmark-transit: ip6-fwd for packets that carry the AltMark option in hop-by-hop options (RFC 9343) and are counted
 * by FlowMonID, source and block; --policies: marked flows, which take turns.  All else is as in ip6-fwd, and so is
 * what comes out. */
#include "bench/frames.h"
#include "heddle/api/altmark.h"

static void flow_source(const struct params *p, uint32_t flow, uint8_t to[16])
{
	flow_src6(flow % p->policies, to);
}

static uint32_t mon_id(const struct params *p, uint32_t flow)
{
	return scramble(flow % p->policies) & 0xfffff;
}

static void setup(const struct params *p)
{
	struct hd_api_altmark_conf c = {
		.period_ms = 1000, .guard_ms = 100, .d_per_block = 1, .tlv_type = 124
	};
	struct hd_api_altmark_iface i = { .iface_id = 1 };
	uint8_t a[16] = { 0x24 };

	for (uint32_t r = 0; r < p->routes; r++) {
		put32(a + 4, r << 12);
		world_route(0, 6, a, 52, HD_TARGET_NEXTHOP, world_nexthop6(p, r));
	}
	world_set(HD_API_ALTMARK_CONF, &c, sizeof(c));
	world_set(HD_API_ALTMARK_IFACE, &i, sizeof(i));
	for (uint32_t n = 0; n < p->policies; n++) {
		struct hd_api_altmark_flow f = { .flow_id = n, .mon_id = mon_id(p, n) };

		flow_source(p, n, f.source);
		world_set(HD_API_ALTMARK_FLOW, &f, sizeof(f));
	}
	world_commit();
}

static uint32_t frame(const struct params *p, uint32_t flow, uint32_t size, uint8_t *to,
		      uint32_t *ret_fresh)
{
	uint32_t len = at_least(size, 70), at = frame_eth(to, 0x86dd);
	uint8_t src[16], dst[16] = { 0x24 };

	flow_source(p, flow, src);
	put32(dst + 4, (flow % p->routes) << 12);
	put32(dst + 12, flow + 1);
	at += frame_ip6(to + at, src, dst, 0, len - 54);
	memcpy(to + at, "\x11\x00\x12\x04", 4); /* UDP follows; one option of 4 octets */
	put32(to + at + 4, mon_id(p, flow) << 12);
	*ret_fresh = at += 8;
	frame_udp(to + at, 0, len - at); /* the same of all: 62 fresh octets, as of ip6-fwd */
	return len;
}

static uint32_t expect(const struct params *p, uint32_t flow, const uint8_t *in, uint32_t len,
		       uint8_t *to, uint8_t *care)
{
	(void)care;
	memcpy(to, in, len);
	frame_eth_out(to, p, flow % p->routes, 0x86dd);
	to[14 + 7]--;
	return len;
}

static struct workload altmark_transit = {
	.name = "altmark-transit",
	.help = "IPv6 forwarding of packets with alternate marks, counted by flow and block",
	.uses = " routes flows nexthops policies ",
	.setup = setup,
	.frame = frame,
	.expect = expect,
};
WORKLOAD(altmark_transit)
