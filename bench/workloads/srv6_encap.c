/* SPDX-License-Identifier: BSD-3-Clause
 * srv6-encap, srv6-encap-red: a headend.  Customer routes lead to policies of one segment list each. */
#include "bench/workloads/srv6.h"

static const uint8_t encap_src[16] = { 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0,    0,
				       0,    0,    0,    0,    0, 0, 0x5e, 0xed };

static uint32_t policy_of(const struct params *p, uint32_t flow)
{
	return route_of(p, flow) % p->policies;
}

static void segment(uint8_t to[16], uint32_t policy, uint32_t k)
{
	addr6(to, AREA_SEGMENT, policy, k + 1);
}

static void policy_set(const struct params *p, uint32_t i, uint8_t encap)
{
	struct hd_api_srv6_seglist l = { .seglist_id = i, .n_segs = p->segments };
	struct hd_api_srv6_policy s = {
		.policy_id = i, .encap = encap, .n_lists = 1, .list = { { i, 1 } }
	};

	snprintf(s.name, sizeof(s.name), "policy%u", i);
	for (uint32_t k = 0; k < p->segments; k++)
		segment(l.seg[k], i, k);
	world_set(HD_API_SRV6_SEGLIST, &l, sizeof(l));
	world_set(HD_API_SRV6_POLICY, &s, sizeof(s));
}

static void setup(const struct params *p, uint8_t encap)
{
	struct hd_api_srv6_conf c = { .encap_hop_limit = 64 };
	uint8_t a[16];

	memcpy(c.encap_source, encap_src, 16);
	world_set(HD_API_SRV6_CONF, &c, sizeof(c));
	addr6(a, AREA_SEGMENT, 0, 0);
	world_route(0, 6, a, 36, HD_TARGET_NEXTHOP, world_nexthop6(p, 0));
	for (uint32_t i = 0; i < p->policies; i++)
		policy_set(p, i, encap);
	world_commit();
	for (uint32_t i = 0; i < p->routes; i++) {
		if (p->inner == 4)
			put32(a, customer4(i));
		else
			addr6(a, AREA_CUSTOMER, i, 0);
		world_route(0, p->inner, a, p->inner == 4 ? 24 : 64, HD_TARGET_POLICY,
			    i % p->policies);
	}
	world_commit();
}

static void setup_full(const struct params *p)
{
	setup(p, HD_SRV6_H_ENCAPS);
}

static void setup_red(const struct params *p)
{
	setup(p, HD_SRV6_H_ENCAPS_RED);
}

static uint32_t frame(const struct params *p, uint32_t flow, uint32_t size, uint8_t *to,
		      uint32_t *ret_fresh)
{
	uint32_t len = at_least(size, p->inner == 4 ? 42 : 62);
	uint32_t at = frame_eth(to, p->inner == 4 ? 0x0800 : 0x86dd);
	uint8_t src[16], dst[16];

	if (p->inner == 4) {
		at += frame_ip4(to + at, flow_src4(flow),
				customer4(route_of(p, flow)) + (flow & 0xff), PROTO_UDP, len - 14);
	} else {
		flow_src6(flow, src);
		addr6(dst, AREA_CUSTOMER, route_of(p, flow), flow + 1);
		at += frame_ip6(to + at, src, dst, PROTO_UDP, len - 54);
	}
	*ret_fresh = at + frame_udp(to + at, flow, len - at);
	return len;
}

static uint32_t expect(const struct params *p, uint32_t flow, const uint8_t *in, uint32_t len,
		       uint8_t *to, uint8_t *care, bool reduced)
{
	uint32_t n = p->segments, listed = reduced ? n - 1 : n,
		 srh = listed == 0 ? 0 : 8 + 16 * listed, at;
	unsigned inner = p->inner == 4 ? PROTO_IP4 : PROTO_IP6;
	uint8_t seg[HD_SRV6_SEGS_MAX][16];

	for (uint32_t k = 0; k < n; k++)
		segment(seg[k], policy_of(p, flow), k);
	at = frame_eth_out(to, p, 0, 0x86dd);
	at += frame_ip6(to + at, encap_src, seg[0], srh == 0 ? inner : PROTO_ROUTING,
			srh + len - 14);
	if (reduced && srh != 0) { /* the first segment is only in the destination */
		at += frame_srh(to + at, inner, n - 1, (const uint8_t(*)[16])seg + 1, listed);
	} else if (srh != 0) {
		at += frame_srh(to + at, inner, n - 1, (const uint8_t(*)[16])seg, n);
	}
	memcpy(to + at, in + 14, len - 14);
	if (p->inner == 4)
		forwarded4(to + at);
	else
		to[at + 7]--;
	care[15] &= 0xf0; /* flow label: any (RFC 6438) */
	care[16] = care[17] = 0;
	return at + len - 14;
}

static uint32_t expect_full(const struct params *p, uint32_t flow, const uint8_t *in, uint32_t len,
			    uint8_t *to, uint8_t *care)
{
	return expect(p, flow, in, len, to, care, false);
}

static uint32_t expect_red(const struct params *p, uint32_t flow, const uint8_t *in, uint32_t len,
			   uint8_t *to, uint8_t *care)
{
	return expect(p, flow, in, len, to, care, true);
}

static struct workload srv6_encap = {
	.name = "srv6-encap",
	.help = "H.Encaps: steered into a policy, --segments pushed, --inner 4 or 6",
	.uses = " routes policies segments inner flows ",
	.setup = setup_full,
	.frame = frame,
	.expect = expect_full,
};
WORKLOAD(srv6_encap)

static struct workload srv6_encap_red = {
	.name = "srv6-encap-red",
	.help = "H.Encaps.Red: the same without the first segment in the header",
	.uses = " routes policies segments inner flows ",
	.setup = setup_red,
	.frame = frame,
	.expect = expect_red,
};
WORKLOAD(srv6_encap_red)
