/* SPDX-License-Identifier: BSD-3-Clause
 * The last node of a path of two segments, SRH still there (Segments Left 0):
 *   srv6-dx4, srv6-dx6, srv6-dt46               packets to the SID's next hop, or routed in VRF 1
 *   srv6-dx2, srv6-dx2v, srv6-dt2u, srv6-dt2m   frames out of an interface, by their VLAN, by a bridge domain
 *   srv6-as, srv6-ad                            packets to the service of a proxy */
#include "bench/workloads/srv6.h"

#define PROTO_ETHERNET 143u
#define N_SEGS         2u
#define TABLE          1u
#define OUTER          (14u + 40u + 8u + 16u * N_SEGS)
#define VLAN           100u

static const uint8_t station[6] = { 0x02, 0xdd, 0, 0, 0, 1 };

/* ---- frames ---------------------------------------------------------------------------------------------------- */

/* left: Segments Left.  The SID is the last segment, or the one before it. */
static uint32_t outer(const struct params *p, uint32_t flow, uint8_t *to, unsigned inner,
		      uint32_t inner_len, unsigned left)
{
	uint32_t at = frame_eth(to, 0x86dd);
	uint8_t src[16], seg[N_SEGS][16];

	flow_src6(flow, src);
	addr6(seg[left == 0 ? 0 : 1], AREA_SEGMENT, 0, 1);
	sid_addr(seg[left == 0 ? 1 : 0], sid_of(p, flow));
	at += frame_ip6(to + at, src, seg[left == 0 ? 1 : 0], PROTO_ROUTING,
			8 + 16 * N_SEGS + inner_len);
	return at + frame_srh(to + at, inner, left, (const uint8_t(*)[16])seg, N_SEGS);
}

static uint32_t ip_frame(const struct params *p, uint32_t flow, uint32_t size, uint8_t *to,
			 uint32_t *ret_fresh, unsigned family, unsigned left)
{
	uint32_t len = at_least(size, OUTER + (family == 4 ? 28 : 48));
	uint32_t at = outer(p, flow, to, family == 4 ? PROTO_IP4 : PROTO_IP6, len - OUTER, left);
	uint8_t src[16], dst[16];

	if (family == 4) {
		at += frame_ip4(to + at, flow_src4(flow),
				customer4(flow % p->routes) + (flow & 0xff), PROTO_UDP,
				len - OUTER);
	} else {
		flow_src6(flow + 1000000, src);
		addr6(dst, AREA_CUSTOMER, flow % p->routes, flow + 1);
		at += frame_ip6(to + at, src, dst, PROTO_UDP, len - OUTER - 40);
	}
	*ret_fresh = at + frame_udp(to + at, flow, len - at);
	return len;
}

static uint32_t frame4(const struct params *p, uint32_t flow, uint32_t size, uint8_t *to,
		       uint32_t *ret_fresh)
{
	return ip_frame(p, flow, size, to, ret_fresh, 4, 0);
}

static uint32_t frame6(const struct params *p, uint32_t flow, uint32_t size, uint8_t *to,
		       uint32_t *ret_fresh)
{
	return ip_frame(p, flow, size, to, ret_fresh, 6, 0);
}

static uint32_t frame6_left(const struct params *p, uint32_t flow, uint32_t size, uint8_t *to,
			    uint32_t *ret_fresh)
{
	return ip_frame(p, flow, size, to, ret_fresh, 6, 1);
}

static uint32_t frame46(const struct params *p, uint32_t flow, uint32_t size, uint8_t *to,
			uint32_t *ret_fresh)
{
	return ip_frame(p, flow, size, to, ret_fresh, p->inner, 0);
}

/* An inner frame of an IPv4 packet, from a station behind T to the one behind interface 2. */
static uint32_t eth_frame(const struct params *p, uint32_t flow, uint32_t size, uint8_t *to,
			  uint32_t *ret_fresh, unsigned tag)
{
	uint32_t head = tag != 0 ? 18 : 14, len = at_least(size, OUTER + head + 28);
	uint32_t at = outer(p, flow, to, PROTO_ETHERNET, len - OUTER, 0);

	memcpy(to + at, station, 6);
	memcpy(to + at + 6, "\x02\xbb\x00\x00\x00\x02", 6);
	at += 12;
	if (tag != 0) {
		put16(to + at, 0x8100);
		put16(to + at + 2, tag);
		at += 4;
	}
	put16(to + at, 0x0800);
	at += 2;
	at += frame_ip4(to + at, flow_src4(flow), customer4(flow & 0xff), PROTO_UDP,
			len - OUTER - head);
	*ret_fresh = at + frame_udp(to + at, flow, len - at);
	return len;
}

static uint32_t frame_l2(const struct params *p, uint32_t flow, uint32_t size, uint8_t *to,
			 uint32_t *ret_fresh)
{
	return eth_frame(p, flow, size, to, ret_fresh, 0);
}

static uint32_t frame_vlan(const struct params *p, uint32_t flow, uint32_t size, uint8_t *to,
			   uint32_t *ret_fresh)
{
	return eth_frame(p, flow, size, to, ret_fresh, VLAN);
}

/* ---- what comes out -------------------------------------------------------------------------------------------- */

static uint32_t expect_ip(const struct params *p, uint32_t nexthop, const uint8_t *in, uint32_t len,
			  uint8_t *to)
{
	bool v4 = in[OUTER] >> 4 == 4;

	frame_eth_out(to, p, nexthop, v4 ? 0x0800 : 0x86dd);
	memcpy(to + 14, in + OUTER, len - OUTER);
	if (v4)
		forwarded4(to + 14);
	else
		to[14 + 7]--;
	return 14 + len - OUTER;
}

static uint32_t expect_routed(const struct params *p, uint32_t flow, const uint8_t *in,
			      uint32_t len, uint8_t *to, uint8_t *care)
{
	(void)care;
	return expect_ip(p, flow % p->routes, in, len, to);
}

static uint32_t expect_hop(const struct params *p, uint32_t flow, const uint8_t *in, uint32_t len,
			   uint8_t *to, uint8_t *care)
{
	(void)care;
	return expect_ip(p, sid_of(p, flow), in, len, to);
}

static uint32_t expect_l2(const struct params *p, uint32_t flow, const uint8_t *in, uint32_t len,
			  uint8_t *to, uint8_t *care)
{
	(void)p;
	(void)flow;
	(void)care;
	memcpy(to, in + OUTER, len - OUTER);
	return len - OUTER;
}

/* ---- objects --------------------------------------------------------------------------------------------------- */

#define SETUP(ident, ...)                                             \
	static void setup_##ident(const struct params *p)             \
	{                                                             \
		sids_set(p, (struct hd_api_srv6_sid){ __VA_ARGS__ }); \
	}
#define WORK(ident, text, words, params, setup_fn, frame_fn, expect_fn)  \
	static struct workload srv6_##ident = { .name = (text),          \
						.help = (words),         \
						.uses = (params),        \
						.setup = (setup_fn),     \
						.frame = (frame_fn),     \
						.expect = (expect_fn) }; \
	WORKLOAD(srv6_##ident)

SETUP(dx6, .behavior = 16, .target = HD_TARGET_NEXTHOP)
SETUP(dx4, .behavior = 17, .target = HD_TARGET_NEXTHOP)
SETUP(dx2, .behavior = 21, .iface = 2)
SETUP(as, .behavior = 162, .target = HD_TARGET_NEXTHOP, .inner = HD_SRV6_INNER_IP4)

static void setup_dt46(const struct params *p)
{
	uint8_t a[16];

	world_vrf(TABLE);
	for (uint32_t i = 0; i < p->routes; i++) {
		if (p->inner == 4)
			put32(a, customer4(i));
		else
			addr6(a, AREA_CUSTOMER, i, 0);
		world_route(TABLE, p->inner, a, p->inner == 4 ? 24 : 64, HD_TARGET_NEXTHOP,
			    p->inner == 4 ? world_nexthop4(p, i) : world_nexthop6(p, i));
	}
	sids_set(p, (struct hd_api_srv6_sid){ .behavior = 20, .table4 = TABLE, .table6 = TABLE });
}

static void setup_dx2v(const struct params *p)
{
	const struct hd_api_vlan_entry e = { 1, VLAN, 0, 2 };

	world_set(HD_API_VLAN_ENTRY, &e, sizeof(e));
	sids_set(p, (struct hd_api_srv6_sid){ .behavior = 22, .l2_table = 1 });
}

static void bridge(const struct params *p, uint16_t behavior)
{
	const struct hd_api_bridge b = { .bridge_id = 1 };
	const struct hd_api_bridge_port m = { .member_id = 1, .bridge_id = 1, .iface_id = 2 };
	struct hd_api_bridge_mac mac = { .bridge_id = 1, .member_id = 1 };

	memcpy(mac.mac, station, 6);
	world_set(HD_API_BRIDGE, &b, sizeof(b));
	world_set(HD_API_BRIDGE_PORT, &m, sizeof(m));
	world_set(HD_API_BRIDGE_MAC, &mac, sizeof(mac));
	sids_set(p, (struct hd_api_srv6_sid){ .behavior = behavior, .l2_table = 1 });
}

static void setup_dt2u(const struct params *p)
{
	bridge(p, 23);
}

static void setup_dt2m(const struct params *p)
{
	bridge(p, 24);
}

static void setup_ad(const struct params *p)
{
	struct hd_api_srv6_policy cache = { .policy_id = 1, .encap = HD_SRV6_H_ENCAPS };

	world_set(HD_API_SRV6_POLICY, &cache, sizeof(cache));
	sids_set(p, (struct hd_api_srv6_sid){ .behavior = 163,
					      .target = HD_TARGET_NEXTHOP,
					      .inner = HD_SRV6_INNER_IP6,
					      .cache = 1 });
}

WORK(dx4, "srv6-dx4", "End.DX4 with SRH: decapsulated, IPv4 to the SID's next hop",
     " sids flows nexthops ", setup_dx4, frame4, expect_hop)
WORK(dx6, "srv6-dx6", "End.DX6 with SRH: decapsulated, IPv6 to the SID's next hop",
     " sids flows nexthops ", setup_dx6, frame6, expect_hop)
WORK(dt46, "srv6-dt46", "End.DT46 with SRH: decapsulated, --inner 4 or 6 routed in a VRF",
     " routes sids inner flows nexthops ", setup_dt46, frame46, expect_routed)
WORK(dx2, "srv6-dx2", "End.DX2 with SRH: the frame out of an interface", " sids flows ", setup_dx2,
     frame_l2, expect_l2)
WORK(dx2v, "srv6-dx2v", "End.DX2V with SRH: the frame out of the interface of its VLAN",
     " sids flows ", setup_dx2v, frame_vlan, expect_l2)
WORK(dt2u, "srv6-dt2u", "End.DT2U with SRH: the frame to a known station of a bridge domain",
     " sids flows ", setup_dt2u, frame_l2, expect_l2)
WORK(dt2m, "srv6-dt2m", "End.DT2M with SRH: the frame flooded in a bridge domain of one member",
     " sids flows ", setup_dt2m, frame_l2, expect_l2)
WORK(as, "srv6-as", "End.AS: decapsulated, IPv4 to the service behind the proxy",
     " sids flows nexthops ", setup_as, frame4, expect_hop)
WORK(ad, "srv6-ad", "End.AD, Segments Left 1: the same, IPv6, headers compared with those kept",
     " flows nexthops ", setup_ad, frame6_left, expect_hop)
