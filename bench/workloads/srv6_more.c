/* SPDX-License-Identifier: BSD-3-Clause
 * Nodes on the way beside End and End.X, Segments Left 2 unless said otherwise:
 *   srv6-end-t                              next segment looked up in VRF 1
 *   srv6-b6-encaps, srv6-b6-encaps-red      next segment, then the header of a policy in front
 *   srv6-replace-csid                       next CSID taken from the container in the SRH (RFC 9800 section 4.2)
 *   srv6-am                                 to the service of a masquerading proxy
 * and srv6-encap-l2, H.Encaps.L2 of all frames of interface 1. */
#include "bench/workloads/srv6.h"

#define TABLE 1u
#define OUTER (14u + 40u + 8u + 16u * PATH_SEGS)
#define B6    1u /* policy_id */

static const uint8_t encap_src[16] = { 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0,    0,
				       0,    0,    0,    0,    0, 0, 0x5e, 0xed };

/* ---- a list of three ------------------------------------------------------------------------------------------- */

static uint32_t frame(const struct params *p, uint32_t flow, uint32_t size, uint8_t *to,
		      uint32_t *ret_fresh)
{
	uint32_t len = at_least(size, OUTER + 8), at = frame_eth(to, 0x86dd);
	uint8_t src[16], seg[PATH_SEGS][16];

	flow_src6(flow, src);
	path_of(p, flow, seg);
	at += frame_ip6(to + at, src, seg[0], PROTO_ROUTING, len - 54);
	at += frame_srh(to + at, PROTO_UDP, PATH_SEGS - 1, (const uint8_t(*)[16])seg, PATH_SEGS);
	*ret_fresh = at + frame_udp(to + at, flow, len - at);
	return len;
}

/* What End makes of the IPv6 packet at `ip`. */
static void advanced(const struct params *p, uint32_t flow, uint8_t *ip)
{
	uint8_t seg[PATH_SEGS][16];

	path_of(p, flow, seg);
	ip[7]--;
	memcpy(ip + 24, seg[1], 16);
	ip[40 + 3] = PATH_SEGS - 2;
}

/* ---- srv6-end-t ------------------------------------------------------------------------------------------------ */

static void setup_end_t(const struct params *p)
{
	world_vrf(TABLE);
	segment_routes(p, TABLE);
	sids_set(p, (struct hd_api_srv6_sid){ .behavior = 9, .table6 = TABLE });
}

static uint32_t expect_end_t(const struct params *p, uint32_t flow, const uint8_t *in, uint32_t len,
			     uint8_t *to, uint8_t *care)
{
	(void)care;
	memcpy(to, in, len);
	frame_eth_out(to, p, route_of(p, flow), 0x86dd);
	advanced(p, flow, to + 14);
	return len;
}

static struct workload srv6_end_t = {
	.name = "srv6-end-t",
	.help = "End.T, Segments Left 2: next segment looked up in a VRF",
	.uses = " routes sids flows nexthops ",
	.setup = setup_end_t,
	.frame = frame,
	.expect = expect_end_t,
};
WORKLOAD(srv6_end_t)

/* ---- srv6-b6-encaps -------------------------------------------------------------------------------------------- */

static void pushed(uint8_t to[16], uint32_t k)
{
	addr6(to, AREA_SEGMENT, 0, 0x1000 + k);
}

static void setup_b6(const struct params *p, uint16_t behavior, uint8_t encap)
{
	struct hd_api_srv6_seglist l = { .seglist_id = 1, .n_segs = p->segments };
	struct hd_api_srv6_policy s = {
		.policy_id = B6, .encap = encap, .n_lists = 1, .list = { { 1, 1 } }
	};

	memcpy(s.source, encap_src, 16);
	for (uint32_t k = 0; k < p->segments; k++)
		pushed(l.seg[k], k);
	world_set(HD_API_SRV6_SEGLIST, &l, sizeof(l));
	world_set(HD_API_SRV6_POLICY, &s, sizeof(s));
	segment_routes(p, 0);
	sids_set(p, (struct hd_api_srv6_sid){
			    .behavior = behavior, .target = HD_TARGET_POLICY, .target_id = B6 });
}

static void setup_b6_full(const struct params *p)
{
	setup_b6(p, 14, HD_SRV6_H_ENCAPS);
}

static void setup_b6_red(const struct params *p)
{
	setup_b6(p, 27, HD_SRV6_H_ENCAPS_RED);
}

static uint32_t expect_b6(const struct params *p, uint32_t flow, const uint8_t *in, uint32_t len,
			  uint8_t *to, uint8_t *care, bool reduced)
{
	uint32_t n = p->segments, listed = reduced ? n - 1 : n;
	uint32_t srh = listed == 0 ? 0 : 8 + 16 * listed, at;
	uint8_t seg[HD_SRV6_SEGS_MAX][16];

	for (uint32_t k = 0; k < n; k++)
		pushed(seg[k], k);
	at = frame_eth_out(to, p, 0, 0x86dd);
	at += frame_ip6(to + at, encap_src, seg[0], srh == 0 ? PROTO_IP6 : PROTO_ROUTING,
			srh + len - 14);
	if (srh != 0)
		at += frame_srh(to + at, PROTO_IP6, n - 1,
				(const uint8_t(*)[16])seg + (reduced ? 1 : 0), listed);
	memcpy(to + at, in + 14, len - 14);
	advanced(p, flow, to + at);
	care[15] &= 0xf0; /* flow label: any (RFC 6438) */
	care[16] = care[17] = 0;
	return at + len - 14;
}

static uint32_t expect_b6_full(const struct params *p, uint32_t flow, const uint8_t *in,
			       uint32_t len, uint8_t *to, uint8_t *care)
{
	return expect_b6(p, flow, in, len, to, care, false);
}

static uint32_t expect_b6_red(const struct params *p, uint32_t flow, const uint8_t *in,
			      uint32_t len, uint8_t *to, uint8_t *care)
{
	return expect_b6(p, flow, in, len, to, care, true);
}

static struct workload srv6_b6_encaps = {
	.name = "srv6-b6-encaps",
	.help = "End.B6.Encaps, Segments Left 2: advanced, --segments pushed in front",
	.uses = " sids segments flows ",
	.setup = setup_b6_full,
	.frame = frame,
	.expect = expect_b6_full,
};
WORKLOAD(srv6_b6_encaps)

static struct workload srv6_b6_encaps_red = {
	.name = "srv6-b6-encaps-red",
	.help = "End.B6.Encaps.Red: the same without the first segment in the header",
	.uses = " sids segments flows ",
	.setup = setup_b6_red,
	.frame = frame,
	.expect = expect_b6_red,
};
WORKLOAD(srv6_b6_encaps_red)

/* ---- srv6-replace-csid ----------------------------------------------------------------------------------------- */

/* Block 32, CSIDs of 32 bits: the SID is /64, the next one stands in slot 3 of the only container. */
static void setup_replace(const struct params *p)
{
	segment_routes(p, 0);
	csids_set(p, 16 /* REPLACE-CSID */);
}

static uint32_t frame_replace(const struct params *p, uint32_t flow, uint32_t size, uint8_t *to,
			      uint32_t *ret_fresh)
{
	uint32_t len = at_least(size, 14 + 40 + 8 + 16 + 8), at = frame_eth(to, 0x86dd);
	uint8_t src[16], dst[16], container[1][16] = { { 0 } }, next[16];

	flow_src6(flow, src);
	addr6(dst, AREA_SID, sid_of(p, flow), 0);
	addr6(next, AREA_SEGMENT, route_of(p, flow), 0);
	memcpy(container[0] + 12, next + 4, 4);
	memcpy(container[0] + 8, "\x00\x07\x00\x01", 4); /* so that it is not the last one */
	at += frame_ip6(to + at, src, dst, PROTO_ROUTING, len - 54);
	at += frame_srh(to + at, PROTO_UDP, 1, (const uint8_t(*)[16])container, 1);
	*ret_fresh = at + frame_udp(to + at, flow, len - at);
	return len;
}

static uint32_t expect_replace(const struct params *p, uint32_t flow, const uint8_t *in,
			       uint32_t len, uint8_t *to, uint8_t *care)
{
	(void)care;
	memcpy(to, in, len);
	frame_eth_out(to, p, route_of(p, flow), 0x86dd);
	to[14 + 7]--;
	addr6(to + 14 + 24, AREA_SEGMENT, route_of(p, flow), 3); /* index 3 */
	to[14 + 40 + 3] = 0;
	return len;
}

static struct workload srv6_replace_csid = {
	.name = "srv6-replace-csid",
	.help = "End with REPLACE-CSID: next CSID taken from the container in the SRH",
	.uses = " routes sids flows nexthops ",
	.setup = setup_replace,
	.frame = frame_replace,
	.expect = expect_replace,
};
WORKLOAD(srv6_replace_csid)

/* ---- srv6-am --------------------------------------------------------------------------------------------------- */

static void setup_am(const struct params *p)
{
	sids_set(p, (struct hd_api_srv6_sid){ .behavior = 164, .target = HD_TARGET_NEXTHOP });
}

static uint32_t expect_am(const struct params *p, uint32_t flow, const uint8_t *in, uint32_t len,
			  uint8_t *to, uint8_t *care)
{
	uint8_t seg[PATH_SEGS][16];

	(void)care;
	path_of(p, flow, seg);
	memcpy(to, in, len);
	frame_eth_out(to, p, sid_of(p, flow), 0x86dd);
	to[14 + 7]--;
	memcpy(to + 14 + 24, seg[PATH_SEGS - 1], 16); /* Segments Left stays */
	return len;
}

static struct workload srv6_am = {
	.name = "srv6-am",
	.help = "End.AM, Segments Left 2: to the service, the last segment for destination",
	.uses = " sids flows nexthops ",
	.setup = setup_am,
	.frame = frame,
	.expect = expect_am,
};
WORKLOAD(srv6_am)

/* ---- srv6-encap-l2 --------------------------------------------------------------------------------------------- */

static void setup_l2(const struct params *p)
{
	struct hd_api_srv6_seglist l = { .seglist_id = 1, .n_segs = p->segments };
	struct hd_api_srv6_policy s = {
		.policy_id = B6, .encap = HD_SRV6_H_ENCAPS_L2, .n_lists = 1, .list = { { 1, 1 } }
	};
	struct hd_api_iface in = {
		.iface_id = 1, .port_id = 1, .mtu = 9000, .flags = HD_IFACE_F_UP, .l2_policy_id = B6
	};

	memcpy(s.source, encap_src, 16);
	for (uint32_t k = 0; k < p->segments; k++)
		pushed(l.seg[k], k);
	world_set(HD_API_SRV6_SEGLIST, &l, sizeof(l));
	world_set(HD_API_SRV6_POLICY, &s, sizeof(s));
	world_mac_in(in.mac);
	world_set(HD_API_IFACE, &in, sizeof(in));
	segment_routes(p, 0);
	world_commit();
}

static uint32_t frame_l2(const struct params *p, uint32_t flow, uint32_t size, uint8_t *to,
			 uint32_t *ret_fresh)
{
	uint32_t len = at_least(size, 42), at = frame_eth(to, 0x0800);

	(void)p;
	at += frame_ip4(to + at, flow_src4(flow), customer4(flow & 0xff), PROTO_UDP, len - 14);
	*ret_fresh = at + frame_udp(to + at, flow, len - at);
	return len;
}

static uint32_t expect_l2(const struct params *p, uint32_t flow, const uint8_t *in, uint32_t len,
			  uint8_t *to, uint8_t *care)
{
	uint32_t n = p->segments, srh = 8 + 16 * n, at;
	uint8_t seg[HD_SRV6_SEGS_MAX][16];

	(void)flow;
	for (uint32_t k = 0; k < n; k++)
		pushed(seg[k], k);
	at = frame_eth_out(to, p, 0, 0x86dd);
	at += frame_ip6(to + at, encap_src, seg[0], PROTO_ROUTING, srh + len);
	at += frame_srh(to + at, 143, n - 1, (const uint8_t(*)[16])seg, n);
	memcpy(to + at, in, len);
	care[15] &= 0xf0;
	care[16] = care[17] = 0;
	return at + len;
}

static struct workload srv6_encap_l2 = {
	.name = "srv6-encap-l2",
	.help = "H.Encaps.L2: frames of an interface into a policy, --segments pushed",
	.uses = " segments flows ",
	.setup = setup_l2,
	.frame = frame_l2,
	.expect = expect_l2,
};
WORKLOAD(srv6_encap_l2)
