/* SPDX-License-Identifier: BSD-3-Clause
 * pm-reflect: STAMP test packets over IPv6 (RFC 8762, 44 octets, unauthenticated) to an address of this node become
 * their replies, which are routed back through the sink.  pm-reflect-auth: the same with HMAC-SHA-256 both ways. */
#include <openssl/hmac.h>

#include "bench/workloads/pm.h"
#include "heddle/api/pm.h"

#define AUTH   112u
#define HASHED 96u

static const char secret[] = "a secret of the benchmark";

/* Replies go to the flows' sources: a route through the sink. */
static void setup_with(const struct params *p, uint32_t flags, uint32_t key_id)
{
	struct hd_api_pm_reflector r = { .udp_port = STAMP_PORT,
					 .flags = HD_PM_F_UNPROVISIONED | flags,
					 .key_id = key_id };
	struct hd_api_pm_key k = { .key_id = 1, .len = sizeof(secret) - 1 };

	route_to_flows(p);
	memcpy(k.secret, secret, sizeof(secret) - 1);
	if (key_id != 0)
		world_set(HD_API_PM_KEY, &k, sizeof(k));
	world_set(HD_API_PM_REFLECTOR, &r, sizeof(r));
	world_commit();
}

static void setup(const struct params *p)
{
	setup_with(p, 0, 0);
}

static void setup_auth(const struct params *p)
{
	setup_with(p, HD_PM_F_AUTHENTICATED, 1);
}

static void hmac16(uint8_t *payload)
{
	uint8_t d[32];
	unsigned n = sizeof(d);

	HMAC(EVP_sha256(), secret, sizeof(secret) - 1, payload, HASHED, d, &n);
	memcpy(payload + HASHED, d, 16);
}

static uint32_t request(uint32_t flow, uint8_t *to, uint32_t payload)
{
	uint32_t at = frame_eth(to, 0x86dd);
	uint8_t src[16], dst[16], *ip = to + at, *stamp = to + HEADERS;

	flow_src6(flow, src);
	our_address(dst);
	at += frame_ip6(ip, src, dst, PROTO_UDP, 8 + payload);
	put16(to + at, 1024 + (flow & 0x7fff));
	put16(to + at + 2, STAMP_PORT);
	put16(to + at + 4, 8 + payload);
	memset(stamp, 0, payload);
	put32(stamp, flow);
	put32(stamp + (payload == AUTH ? 16 : 4), 0xec000000u + flow); /* T1 */
	put16(stamp + (payload == AUTH ? 24 : 12), 0x8801);
	if (payload == AUTH)
		hmac16(stamp);
	put16(to + at + 6, udp6_sum(ip, 8 + payload));
	return HEADERS + payload;
}

static uint32_t frame(const struct params *p, uint32_t flow, uint32_t size, uint8_t *to,
		      uint32_t *ret_fresh)
{
	(void)p;
	(void)size;
	return *ret_fresh = request(flow, to, STAMP_OCTETS);
}

static uint32_t frame_auth(const struct params *p, uint32_t flow, uint32_t size, uint8_t *to,
			   uint32_t *ret_fresh)
{
	(void)p;
	(void)size;
	return *ret_fresh = request(flow, to, AUTH);
}

/* The reply but for its own times, error estimate and what depends on them. */
static uint32_t reply(const struct params *p, const uint8_t *in, uint32_t len, uint8_t *to,
		      uint8_t *care)
{
	const uint8_t *q = in + HEADERS;
	uint8_t *a = to + HEADERS;
	bool auth = len - HEADERS == AUTH;
	unsigned ts = auth ? 16 : 4, rx = auth ? 32 : 16, seq = auth ? 48 : 24,
		 copy = auth ? 64 : 28, ttl = auth ? 80 : 40;

	memset(to, 0, len);
	frame_eth_out(to, p, 0, 0x86dd);
	frame_ip6(to + 14, in + 14 + 24, in + 14 + 8, PROTO_UDP, len - 54);
	to[14 + 7] = 255;
	memcpy(to + 54, in + 56, 2); /* ports change places */
	memcpy(to + 56, in + 54, 2);
	put16(to + 58, len - 54);
	memset(care + 60, 0, 2);
	memcpy(a, q, 4);
	memset(care + HEADERS + ts, 0, 10);
	memset(care + HEADERS + rx, 0, 8);
	memcpy(a + seq, q, 4);
	memcpy(a + copy, q + ts, 10);
	a[ttl] = 64;
	if (auth)
		memset(care + HEADERS + HASHED, 0, 16);
	return len;
}

static uint32_t expect(const struct params *p, uint32_t flow, const uint8_t *in, uint32_t len,
		       uint8_t *to, uint8_t *care)
{
	(void)flow;
	return reply(p, in, len, to, care);
}

static struct workload pm_reflect = {
	.name = "pm-reflect",
	.help = "STAMP Session-Reflector over IPv6, stateless, unauthenticated",
	.uses = " flows ",
	.setup = setup,
	.frame = frame,
	.expect = expect,
};
WORKLOAD(pm_reflect)

static struct workload pm_reflect_auth = {
	.name = "pm-reflect-auth",
	.help = "the same authenticated: HMAC-SHA-256 verified and made",
	.uses = " flows ",
	.setup = setup_auth,
	.frame = frame_auth,
	.expect = expect,
};
WORKLOAD(pm_reflect_auth)
