/* SPDX-License-Identifier: BSD-3-Clause
 * The Session-Reflector in the graph: ports and sessions, replies as frames, every refusal under its name. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/hmac.h"
#include "heddle/api/pm.h"
#include "heddle/wire/stamp.h"
#include "pipelines/pm/tests/bed.h"

static void bed_up(void)
{
	bed_start("2001:db8:f::/48");
	bed_drain();
}
TestSuite(pm_reflector, .init = bed_up, .fini = hx_stop);

static int reflector(uint32_t flags, uint32_t key, uint32_t rate)
{
	struct hd_api_pm_reflector m = {
		.udp_port = STAMP_PORT, .flags = flags, .key_id = key, .rate_pps = rate
	};

	return hx_set(HD_API_PM_REFLECTOR, &m, sizeof(m));
}

static int key(uint32_t id, const char *secret)
{
	struct hd_api_pm_key m = { .key_id = id, .len = (uint32_t)strlen(secret) };

	memcpy(m.secret, secret, m.len);
	return hx_set(HD_API_PM_KEY, &m, sizeof(m));
}

static int session(uint32_t id, uint16_t ssid, const char *source, uint32_t flags, uint32_t key_id)
{
	struct hd_api_pm_reflector_session m = { .session_id = id,
						 .udp_port = STAMP_PORT,
						 .ssid = ssid,
						 .family = 6,
						 .flags = flags,
						 .key_id = key_id };
	struct ip6_addr a = pktb_addr6(source);

	memcpy(m.source, &a, 16);
	return hx_set(HD_API_PM_REFLECTOR_SESSION, &m, sizeof(m));
}

/* A request of len octets; returns its builder, payload still to be filled. */
static struct pktb *request(const char *ip, unsigned len)
{
	static struct pktb b;
	char text[256];

	snprintf(text, sizeof(text), ETH "%s / udp 50000 862 / fill %u", ip, len);
	pktb_parse(&b, text);
	memset(b.payload, 0, len);
	wire_put32(b.payload, 7);
	wire_put16(b.payload + 12, 0x8801);
	return &b;
}
#define FROM6 "ip6 2001:db8:a::1 2001:db8:a::9 61"

static size_t answer(struct pktb *b, uint32_t port)
{
	pktb_finish(b);
	hx_rx(A, b->buf, b->len);
	hx_turn();
	return hx_tx(port, frame, sizeof(frame));
}

/* The UDP datagram of a reply frame with no extension headers. */
static const uint8_t *reply_udp(unsigned l3)
{
	return frame + 14 + l3;
}

static void check_udp6(void)
{
	struct wire_cur c = wire_cur_init(frame + 14, sizeof(frame) - 14);
	struct ip6_view v;
	struct udp_view u;

	cr_assert_eq(ip6_parse(&c, &v), 0);
	cr_assert_eq(v.hdr->next_header, IP_NH_UDP);
	cr_assert_eq(udp_parse(&c, &u), 0);
	cr_assert_eq(udp_csum_check_ip6(&u, &v.hdr->src, &v.hdr->dst), 0);
}

Test(pm_reflector, replies_over_ipv6)
{
	struct ip6_addr us = pktb_addr6("2001:db8:a::9"), host = pktb_addr6("2001:db8:a::1");
	const struct ip6_fixed *h = (const struct ip6_fixed *)(frame + 14);
	uint64_t t2, t3;

	cr_assert_eq(reflector(HD_PM_F_UNPROVISIONED, 0, 0), 0, "%s", hx_error());
	cr_assert_eq(answer(request("ip6 2001:db8:a::1 2001:db8:a::9 61", 44), A),
		     14 + 40 + 8 + 44);
	check_udp6();
	cr_assert(ip6_addr_eq(&h->src, &us) && ip6_addr_eq(&h->dst, &host));
	cr_assert_eq(h->hop_limit, 255, "RFC 5357 section 4.2.1");
	cr_assert_eq(wire_get16(reply_udp(40)), STAMP_PORT);
	cr_assert_eq(wire_get16(reply_udp(40) + 2), 50000);
	cr_assert_eq(wire_get32(reply_udp(40) + 8), 7);
	cr_assert_eq(reply_udp(40)[8 + 40], 61, "the hop limit as received");
	t3 = wire_get64(reply_udp(40) + 8 + 4);
	t2 = wire_get64(reply_udp(40) + 8 + 16);
	cr_assert_gt(t2, 0);
	cr_assert_geq(t3, t2);
	cr_assert_lt((t3 - t2) >> 32, 10, "in seconds");
	cr_assert_eq(hx_verdict("pm-reflect", "reply6"), 1);
}

Test(pm_reflector, replies_over_ipv4)
{
	struct wire_cur c;
	struct ip4_view v;
	struct udp_view u;

	cr_assert_eq(reflector(HD_PM_F_UNPROVISIONED, 0, 0), 0, "%s", hx_error());
	cr_assert_eq(answer(request("ip4 192.0.2.1 192.0.2.9 33", 44), A), 14 + 20 + 8 + 44);
	c = wire_cur_init(frame + 14, 72);
	cr_assert_eq(ip4_parse(&c, &v), 0);
	cr_assert_eq(udp_parse(&c, &u), 0);
	cr_assert_eq(udp_csum_check_ip4(&u, v.hdr->src, v.hdr->dst), 0);
	cr_assert_eq(v.hdr->ttl, 255);
	cr_assert_eq(reply_udp(20)[8 + 40], 33);
	cr_assert_eq(hx_verdict("pm-reflect", "reply4"), 1);
}

Test(pm_reflector, short_request_gets_the_base_size)
{
	cr_assert_eq(reflector(HD_PM_F_UNPROVISIONED, 0, 0), 0);
	cr_assert_eq(answer(request(FROM6, 14), A), 14 + 40 + 8 + 44, "TWAMP Light");
	check_udp6();
	cr_assert_eq(answer(request(FROM6, 13), A), 0);
	cr_assert_eq(hx_verdict("pm-reflect", "truncated"), 1);
}

Test(pm_reflector, extension_headers_stay_behind)
{
	cr_assert_eq(reflector(HD_PM_F_UNPROVISIONED, 0, 0), 0);
	cr_assert_eq(answer(request(FROM6 " / hbh / dstopt", 60), A), 14 + 40 + 8 + 60);
	check_udp6();
}

Test(pm_reflector, only_provisioned_sessions)
{
	struct pktb *b;

	cr_assert_eq(reflector(0, 0, 0), 0);
	cr_assert_eq(session(5, 0x1234, "2001:db8:a::1", HD_PM_F_STATEFUL, 0), 0, "%s", hx_error());
	for (uint32_t i = 0; i < 3; i++) {
		b = request(FROM6, 44);
		wire_put16(b->payload + 14, 0x1234);
		cr_assert_gt(answer(b, A), 0);
		cr_assert_eq(wire_get32(reply_udp(40) + 8), i, "its own sequence numbers");
	}
	b = request(FROM6, 44);
	wire_put16(b->payload + 14, 0x1235);
	cr_assert_eq(answer(b, A), 0, "another SSID");
	b = request("ip6 2001:db8:a::2 2001:db8:a::9 61", 44);
	wire_put16(b->payload + 14, 0x1234);
	cr_assert_eq(answer(b, A), 0, "another source");
	cr_assert_eq(hx_verdict("pm-reflect", "no-session"), 2);
	cr_assert_eq(hx_stat("pm-reflector-session", 5, "packets"), 3);
	cr_assert_eq(hx_stat("pm-reflector-session", 5, "octets"), 3 * 44);

	/* a change of its settings keeps its counters, a new SSID begins anew */
	cr_assert_eq(session(5, 0x1234, "2001:db8:a::1", HD_PM_F_STATEFUL | HD_PM_F_PTP, 0), 0);
	b = request(FROM6, 44);
	wire_put16(b->payload + 14, 0x1234);
	cr_assert_gt(answer(b, A), 0);
	cr_assert_eq(wire_get32(reply_udp(40) + 8), 3);
	cr_assert_neq(wire_get16(reply_udp(40) + 8 + 12) & STAMP_ERR_Z, 0);
	cr_assert_eq(session(5, 0x1235, "2001:db8:a::1", HD_PM_F_STATEFUL, 0), 0);
	b = request(FROM6, 44);
	wire_put16(b->payload + 14, 0x1235);
	cr_assert_gt(answer(b, A), 0);
	cr_assert_eq(wire_get32(reply_udp(40) + 8), 0);
	b = request(FROM6, 44);
	wire_put16(b->payload + 14, 0x1234);
	cr_assert_eq(answer(b, A), 0, "the old one is gone");
}

Test(pm_reflector, authenticated_session)
{
	struct hmac_key k;
	uint8_t d[HMAC_SHA256_LEN];
	struct pktb *b;

	hmac_key_init(&k, "one", 3);
	cr_assert_eq(key(1, "one"), 0);
	cr_assert_eq(reflector(0, 0, 0), 0);
	cr_assert_eq(session(1, 9, "2001:db8:a::1", HD_PM_F_AUTHENTICATED, 1), 0, "%s", hx_error());
	for (int round = 0; round < 3;
	     round++) { /* right key; wrong key; the right one again after a change */
		const struct hmac_part text = { NULL, STAMP_AUTH_HASHED };
		struct hmac_part t = text;

		if (round == 1)
			cr_assert_eq(key(1, "two"), 0);
		if (round == 2)
			hmac_key_init(&k, "two", 3);
		b = request(FROM6, STAMP_AUTH_BASE);
		memset(b->payload, 0, 16);
		wire_put16(b->payload + 24, 0x8801);
		wire_put16(b->payload + 26, 9);
		t.data = b->payload;
		hmac_sha256(&k, &t, 1, d);
		memcpy(b->payload + STAMP_AUTH_HASHED, d, STAMP_HMAC_LEN);
		cr_assert_eq(answer(b, A) != 0, round != 1, "round %d", round);
		if (round == 1)
			continue;
		t.data = reply_udp(40) + 8;
		hmac_sha256(&k, &t, 1, d);
		cr_assert_arr_eq(reply_udp(40) + 8 + STAMP_AUTH_HASHED, d, STAMP_HMAC_LEN);
		check_udp6();
	}
	cr_assert_eq(hx_verdict("pm-reflect", "bad-hmac"), 1);
	cr_assert_eq(hx_stat("pm-reflector-session", 1, "refused"), 1);
}

Test(pm_reflector, returns_over_a_segment_list)
{
	struct ip6_addr r1 = pktb_addr6("2001:db8:f::1"), r2 = pktb_addr6("2001:db8:f::2");
	uint8_t list[36] = { 0x80, STAMP_RET_SRV6, 0, 32 };
	const struct ip6_fixed *h = (const struct ip6_fixed *)(frame + 14);
	struct srh_view srh;
	struct wire_cur c;
	struct pktb *b;

	memcpy(list + 4, &r1, 16);
	memcpy(list + 20, &r2, 16);
	cr_assert_eq(reflector(HD_PM_F_UNPROVISIONED, 0, 0), 0);
	b = request(FROM6, 44 + 40);
	stamp_tlv_build(b->payload + 44, 40, STAMP_TLV_RETURN_PATH, list, 36);
	cr_assert_eq(answer(b, B), 14 + 40 + 8 + 32 + 40 + 8 + 84, "by way of the first segment");
	cr_assert(ip6_addr_eq(&h->dst, &r1));
	c = wire_cur_init(frame + 54, 40 + 132);
	cr_assert_eq(srh_parse(&c, &srh), 0);
	cr_assert_eq(srh.hdr->segments_left, 1);
	cr_assert_eq(frame[54], IP_NH_IP6);
	memmove(frame + 14, frame + 94, 132);
	check_udp6();
	cr_assert_eq(reply_udp(40)[8 + 44], 0, "U cleared: the path was used");

	list[19] = 0; /* a first segment nobody routes */
	list[4] = 0x30;
	b = request(FROM6, 44 + 40);
	stamp_tlv_build(b->payload + 44, 40, STAMP_TLV_RETURN_PATH, list, 36);
	cr_assert_gt(answer(b, A), 0, "the usual way");
	cr_assert_eq(reply_udp(40)[8 + 44], STAMP_TLV_U);
}

Test(pm_reflector, returns_on_the_same_link_or_not_at_all)
{
	uint8_t ask[8] = { 0x80, STAMP_RET_CONTROL, 0, 4, 0, 0, 0, 1 };
	struct mac_addr a = pktb_mac(MAC_A), us = pktb_mac(MAC_1);
	struct pktb *b;

	cr_assert_eq(reflector(HD_PM_F_UNPROVISIONED, 0, 0), 0);
	b = request("ip6 2001:db8:f::1 2001:db8:a::9 61",
		    44 + 12); /* a source that is routed elsewhere */
	stamp_tlv_build(b->payload + 44, 12, STAMP_TLV_RETURN_PATH, ask, 8);
	cr_assert_eq(answer(b, A), 14 + 40 + 8 + 56);
	cr_assert_arr_eq(frame, &a, 6);
	cr_assert_arr_eq(frame + 6, &us, 6);
	check_udp6();
	cr_assert_eq(hx_verdict("pm-reflect", "same-link"), 1);
	ask[7] = 0;
	b = request(FROM6, 44 + 12);
	stamp_tlv_build(b->payload + 44, 12, STAMP_TLV_RETURN_PATH, ask, 8);
	cr_assert_eq(answer(b, A), 0);
	cr_assert_eq(hx_verdict("pm-reflect", "no-reply"), 1);
}

Test(pm_reflector, rate_of_one_source_leaves_the_others_alone)
{
	unsigned n = 0;

	cr_assert_eq(reflector(HD_PM_F_UNPROVISIONED, 0, 100), 0); /* 10 ms of it at once */
	for (unsigned i = 0; i < 50; i++)
		n += answer(request(FROM6, 44), A) != 0;
	cr_assert_leq(n, 20, "%u of 50", n);
	cr_assert_eq(hx_verdict("pm-reflect", "rate-limit"), 50 - n);
	cr_assert_gt(answer(request("ip4 192.0.2.1 192.0.2.9 33", 44), A), 0);
}

Test(pm_reflector, damaged_requests)
{
	struct pktb *b;

	cr_assert_eq(reflector(HD_PM_F_UNPROVISIONED, 0, 0), 0);
	b = request(FROM6, 44);
	pktb_finish(b);
	b->udp->csum = be16_make((uint16_t)(be16_get(b->udp->csum) ^ 1));
	hx_rx(A, b->buf, b->len);
	b->udp->csum = be16_make(0); /* RFC 8200 section 8.1 */
	hx_rx(A, b->buf, b->len);
	hx_turn();
	cr_assert_eq(hx_verdict("pm-reflect", "bad-checksum"), 2);
	b = request(FROM6, 44);
	pktb_finish(b);
	b->udp->len = be16_make(53);
	hx_rx(A, b->buf, b->len);
	hx_turn();
	cr_assert_eq(hx_verdict("pm-reflect", "truncated"), 1);
	b = request(FROM6, 44);
	wire_put16(b->payload + 12, 0x8800);
	cr_assert_eq(answer(b, A), 0);
	cr_assert_eq(hx_verdict("pm-reflect", "bad-estimate"), 1);
	cr_assert_eq(hx_drops(), 4);
	cr_assert_eq(hx_mbufs_in_use(), 0);
}

Test(pm_reflector, refused_objects)
{
	struct hd_api_pm_reflector r = { .udp_port = 0 };
	struct hd_api_pm_key k = { .key_id = 1, .len = 65 };

	cr_assert_eq(hx_set(HD_API_PM_REFLECTOR, &r, sizeof(r)), -EINVAL);
	cr_assert_eq(reflector(HD_PM_F_STATEFUL, 0, 0), -EINVAL, "a port has no state");
	cr_assert_eq(reflector(HD_PM_F_AUTHENTICATED, 0, 0), -EINVAL, "no key");
	cr_assert_eq(reflector(HD_PM_F_AUTHENTICATED, 3, 0), -ENOENT, "no such key");
	cr_assert_eq(hx_set(HD_API_PM_KEY, &k, sizeof(k)), -EINVAL);
	cr_assert_eq(session(1, 1, "2001:db8:a::1", 0, 0), -ENOENT, "no reflector");
	cr_assert_eq(reflector(0, 0, 0), 0);
	cr_assert_eq(session(1, 1, "2001:db8:a::1", 0, 0), 0);
	cr_assert_eq(session(2, 1, "2001:db8:a::1", 0, 0), -EEXIST, "the same packets");
	cr_assert_eq(session(16384, 2, "2001:db8:a::1", 0, 0), -ENOSPC);
	r.udp_port = STAMP_PORT;
	cr_assert_eq(hx_del(HD_API_PM_REFLECTOR, &r, sizeof(r)), -EBUSY, "a session needs it");
}

Test(pm_reflector, a_port_that_goes_is_closed)
{
	struct hd_api_pm_reflector r = { .udp_port = STAMP_PORT };

	cr_assert_eq(reflector(HD_PM_F_UNPROVISIONED, 0, 0), 0);
	cr_assert_gt(answer(request(FROM6, 44), A), 0);
	cr_assert_eq(hx_del(HD_API_PM_REFLECTOR, &r, sizeof(r)), 0);
	cr_assert_gt(answer(request(FROM6, 44), A), 0, "port unreachable");
	cr_assert_eq(frame[14 + 6], IP_NH_ICMP6);
	cr_assert_eq(hx_verdict("ip-local", "port"), 1);
}
