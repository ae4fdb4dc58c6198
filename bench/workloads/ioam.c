/* SPDX-License-Identifier: BSD-3-Clause
 * ioam-transit: ip6-fwd for packets that carry a pre-allocated trace, to which node id, interfaces and the time are
 * added.  ioam-encap: a headend whose packets get such a trace, H.Encaps.Red with one segment. */
#include "bench/workloads/srv6.h"
#include "heddle/api/ioam.h"

#define NODES  4u
#define TRACE  (4u + 8 + 12 * NODES)          /* octets of the option */
#define HEADER (4u + TRACE + (4 + TRACE) % 8) /* of the hop-by-hop header */

static void domain(bool iface)
{
	struct hd_api_ioam_ns ns = { .ns = 123,
				     .node_id = 0x101,
				     .node_id_wide = 0x101,
				     .ns_wide = UINT64_MAX,
				     .ns_data = UINT32_MAX,
				     .schema = 0xffffff };
	struct hd_api_ioam_iface i = { .iface_id = 1, .if_id = 0x11 };
	struct hd_api_ioam_iface o = { .iface_id = 2, .if_id = 0x12 };

	world_set(HD_API_IOAM_NS, &ns, sizeof(ns));
	if (iface) {
		world_set(HD_API_IOAM_IFACE, &i, sizeof(i));
		world_set(HD_API_IOAM_IFACE, &o, sizeof(o));
	}
}

/* Hop-by-hop options with a trace of type 0xD00000 and room for all nodes. */
static uint32_t frame_trace(uint8_t *to, unsigned next)
{
	memset(to, 0, HEADER);
	to[0] = (uint8_t)next;
	to[1] = HEADER / 8 - 1;
	to[2] = 1; /* PadN */
	to[4] = 0x31;
	to[5] = TRACE - 2;
	put16(to + 8, 123);
	put16(to + 10, 3u << 11 | 3 * NODES);
	put32(to + 12, 0xd0000000);
	if (HEADER - 4 - TRACE >= 2)
		to[4 + TRACE] = 1;
	if (HEADER - 4 - TRACE > 2)
		to[5 + TRACE] = (uint8_t)(HEADER - 6 - TRACE);
	return HEADER;
}

/* What a node writes into the last free place. */
static void traced(uint8_t *header, uint32_t hop, uint32_t ifaces, uint8_t *care)
{
	uint8_t *data = header + 16 + 12 * (NODES - 1);

	put16(header + 10, 3u << 11 | 3 * (NODES - 1));
	put32(data, hop << 24 | 0x101);
	put32(data + 4, ifaces);
	memset(care + (data + 8 - header), 0, 4); /* the time */
}

/* ---- transit ------------------------------------------------------------------------------------------------ */

static void transit_setup(const struct params *p)
{
	uint8_t a[16] = { 0x24 };

	for (uint32_t r = 0; r < p->routes; r++) {
		put32(a + 4, r << 12);
		world_route(0, 6, a, 52, HD_TARGET_NEXTHOP, world_nexthop6(p, r));
	}
	domain(true);
	world_commit();
}

static uint32_t transit_frame(const struct params *p, uint32_t flow, uint32_t size, uint8_t *to,
			      uint32_t *ret_fresh)
{
	uint32_t len = at_least(size, 14 + 40 + HEADER + 8), at = frame_eth(to, 0x86dd);
	uint8_t src[16], dst[16] = { 0x24 };

	flow_src6(flow, src);
	put32(dst + 4, (flow % p->routes) << 12);
	put32(dst + 12, flow + 1);
	at += frame_ip6(to + at, src, dst, 0, len - 54);
	at += frame_trace(to + at, PROTO_UDP);
	*ret_fresh = at + frame_udp(to + at, flow, len - at);
	return len;
}

static uint32_t transit_expect(const struct params *p, uint32_t flow, const uint8_t *in,
			       uint32_t len, uint8_t *to, uint8_t *care)
{
	memcpy(to, in, len);
	frame_eth_out(to, p, flow % p->routes, 0x86dd);
	to[14 + 7]--;
	traced(to + 54, to[14 + 7], 0x11 << 16 | 0x12, care + 54);
	return len;
}

static struct workload ioam_transit = {
	.name = "ioam-transit",
	.help = "IPv6 forwarding of packets with an IOAM trace: 12 octets of node data added",
	.uses = " routes flows nexthops ",
	.setup = transit_setup,
	.frame = transit_frame,
	.expect = transit_expect,
};
WORKLOAD(ioam_transit)

/* ---- encapsulation ------------------------------------------------------------------------------------------ */

static const uint8_t encap_src[16] = { 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0,    0,
				       0,    0,    0,    0,    0, 0, 0x5e, 0xed };

static void encap_setup(const struct params *p)
{
	struct hd_api_srv6_conf c = { .encap_hop_limit = 64 };
	struct hd_api_srv6_seglist l = { .seglist_id = 1, .n_segs = 1 };
	struct hd_api_srv6_policy s = { .policy_id = 1,
					.name = "traced",
					.encap = HD_SRV6_H_ENCAPS_RED,
					.n_lists = 1,
					.list = { { 1, 1 } } };
	struct hd_api_ioam_encap e = { .policy_id = 1,
				       .ns = 123,
				       .trace_type = 0xd00000,
				       .flags = HD_IOAM_E_TRACE,
				       .nodes = NODES,
				       .every = 1 };
	uint8_t a[16];

	memcpy(c.encap_source, encap_src, 16);
	addr6(l.seg[0], AREA_SEGMENT, 0, 1);
	world_set(HD_API_SRV6_CONF, &c, sizeof(c));
	world_set(HD_API_SRV6_SEGLIST, &l, sizeof(l));
	world_set(HD_API_SRV6_POLICY, &s, sizeof(s));
	domain(false);
	world_set(HD_API_IOAM_ENCAP, &e, sizeof(e));
	addr6(a, AREA_SEGMENT, 0, 0);
	world_route(0, 6, a, 36, HD_TARGET_NEXTHOP, world_nexthop6(p, 0));
	world_commit();
	addr6(a, AREA_CUSTOMER, 0, 0);
	world_route(0, 6, a, 36, HD_TARGET_POLICY, 1);
	world_commit();
}

static uint32_t encap_frame(const struct params *p, uint32_t flow, uint32_t size, uint8_t *to,
			    uint32_t *ret_fresh)
{
	uint32_t len = at_least(size, 62), at = frame_eth(to, 0x86dd);
	uint8_t src[16], dst[16];

	(void)p;
	flow_src6(flow, src);
	addr6(dst, AREA_CUSTOMER, 0, flow + 1);
	at += frame_ip6(to + at, src, dst, PROTO_UDP, len - 54);
	*ret_fresh = at + frame_udp(to + at, flow, len - at);
	return len;
}

static uint32_t encap_expect(const struct params *p, uint32_t flow, const uint8_t *in, uint32_t len,
			     uint8_t *to, uint8_t *care)
{
	uint8_t seg[16];
	uint32_t at = frame_eth_out(to, p, 0, 0x86dd);

	(void)flow;
	addr6(seg, AREA_SEGMENT, 0, 1);
	at += frame_ip6(to + at, encap_src, seg, 0, HEADER + len - 14);
	frame_trace(to + at, PROTO_IP6);
	traced(to + at, 0xff, 0xffffffff, care + at);
	at += HEADER;
	memcpy(to + at, in + 14, len - 14);
	to[at + 7]--;
	care[15] &= 0xf0; /* flow label: any (RFC 6438) */
	care[16] = care[17] = 0;
	return at + len - 14;
}

static struct workload ioam_encap = {
	.name = "ioam-encap",
	.help = "H.Encaps.Red with an IOAM trace of room for 4 nodes, this one's data in it",
	.uses = " flows ",
	.setup = encap_setup,
	.frame = encap_frame,
	.expect = encap_expect,
};
WORKLOAD(ioam_encap)
