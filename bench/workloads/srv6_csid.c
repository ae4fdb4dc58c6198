/* SPDX-License-Identifier: BSD-3-Clause
 * srv6-next-csid: End with NEXT-CSID, the next segment shifted out of the destination (RFC 9800 section 4.1); blocks
 * and CSIDs of 32 bits, so SIDs and next segments are /64 and the routes those of srv6-end.
 * srv6-hmac: End of a list of two whose HMAC TLV is required and verified (RFC 8754 section 2.1.2). */
#include "bench/workloads/srv6.h"
#include "dataplane/hmac.h"

#define KEY_ID  1u
#define SECRET  "0123456789abcdef"
#define TLV_LEN 40u
#define N_SEGS  2u

/* ---- srv6-next-csid -------------------------------------------------------------------------------------------- */

static void setup_csid(const struct params *p)
{
	segment_routes(p, 0);
	csids_set(p, 8 /* NEXT-CSID */);
}

/* The carrier at its first node, or behind it. */
static void carrier(const struct params *p, uint32_t flow, bool behind, uint8_t to[16])
{
	uint8_t next[16];

	addr6(to, AREA_SID, sid_of(p, flow), 0);
	addr6(next, AREA_SEGMENT, route_of(p, flow), 0);
	memcpy(to + (behind ? 4 : 8), next + 4, 4);
	if (behind)
		memset(to + 8, 0, 8);
}

static uint32_t frame_csid(const struct params *p, uint32_t flow, uint32_t size, uint8_t *to,
			   uint32_t *ret_fresh)
{
	uint32_t len = at_least(size, 14 + 40 + 8), at = frame_eth(to, 0x86dd);
	uint8_t src[16], dst[16];

	flow_src6(flow, src);
	carrier(p, flow, false, dst);
	at += frame_ip6(to + at, src, dst, PROTO_UDP, len - 54);
	*ret_fresh = at + frame_udp(to + at, flow, len - at);
	return len;
}

static uint32_t expect_csid(const struct params *p, uint32_t flow, const uint8_t *in, uint32_t len,
			    uint8_t *to, uint8_t *care)
{
	(void)care;
	memcpy(to, in, len);
	frame_eth_out(to, p, route_of(p, flow), 0x86dd);
	to[14 + 7]--;
	carrier(p, flow, true, to + 14 + 24);
	return len;
}

static struct workload srv6_next_csid = {
	.name = "srv6-next-csid",
	.help = "End with NEXT-CSID: next segment shifted out of the destination",
	.uses = " routes sids flows nexthops ",
	.setup = setup_csid,
	.frame = frame_csid,
	.expect = expect_csid,
};
WORKLOAD(srv6_next_csid)

/* ---- srv6-hmac ------------------------------------------------------------------------------------------------- */

static void setup_hmac(const struct params *p)
{
	struct hd_api_srv6_hmac_key k = { .key_id = KEY_ID, .secret_len = sizeof(SECRET) - 1 };

	memcpy(k.secret, SECRET, sizeof(SECRET) - 1);
	world_set(HD_API_SRV6_HMAC_KEY, &k, sizeof(k));
	segment_routes(p, 0);
	for (uint32_t i = 0; i < p->sids; i++) {
		struct hd_api_srv6_sid s = {
			.plen = 128, .sid_id = i, .behavior = 1, .hmac = HD_SRV6_HMAC_REQUIRE
		};

		sid_addr(s.sid, i);
		world_set(HD_API_SRV6_SID, &s, sizeof(s));
	}
	world_commit();
}

static uint32_t frame_hmac(const struct params *p, uint32_t flow, uint32_t size, uint8_t *to,
			   uint32_t *ret_fresh)
{
	const uint32_t srh = 8 + 16 * N_SEGS + TLV_LEN;
	uint32_t len = at_least(size, 14 + 40 + srh + 8), at = frame_eth(to, 0x86dd);
	uint8_t src[16], seg[N_SEGS][16], *tlv, *head;
	struct hmac_key key;

	flow_src6(flow, src);
	sid_addr(seg[0], sid_of(p, flow));
	addr6(seg[1], AREA_SEGMENT, route_of(p, flow), 0x100 + (flow & 0xff));
	at += frame_ip6(to + at, src, seg[0], PROTO_ROUTING, len - 54);
	head = to + at;
	at += frame_srh(to + at, PROTO_UDP, N_SEGS - 1, (const uint8_t(*)[16])seg, N_SEGS);
	head[1] += TLV_LEN / 8;
	tlv = to + at;
	memset(tlv, 0, TLV_LEN);
	tlv[0] = 5;
	tlv[1] = TLV_LEN - 2;
	put32(tlv + 4, KEY_ID);
	hmac_key_init(&key, SECRET, sizeof(SECRET) - 1);
	hmac_sha256(
		&key,
		(const struct hmac_part[]){
			{ src, 16 }, { head + 4, 2 }, { tlv + 2, 6 }, { head + 8, 16 * N_SEGS } },
		4, tlv + 8);
	at += TLV_LEN;
	*ret_fresh = at + frame_udp(to + at, flow, len - at);
	return len;
}

static uint32_t expect_hmac(const struct params *p, uint32_t flow, const uint8_t *in, uint32_t len,
			    uint8_t *to, uint8_t *care)
{
	(void)care;
	memcpy(to, in, len);
	frame_eth_out(to, p, route_of(p, flow), 0x86dd);
	to[14 + 7]--;
	addr6(to + 14 + 24, AREA_SEGMENT, route_of(p, flow), 0x100 + (flow & 0xff));
	to[14 + 40 + 3]--;
	return len;
}

static struct workload srv6_hmac = {
	.name = "srv6-hmac",
	.help = "End, HMAC TLV of a list of two verified (HMAC-SHA-256)",
	.uses = " routes sids flows nexthops ",
	.setup = setup_hmac,
	.frame = frame_hmac,
	.expect = expect_hmac,
};
WORKLOAD(srv6_hmac)
