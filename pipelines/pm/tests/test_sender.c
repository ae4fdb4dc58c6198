/* SPDX-License-Identifier: BSD-3-Clause
 * The Session-Sender: its packets octet by octet, what it takes from replies, and both ends in the graph.
 *
 *   Heddle [if 1: 192.0.2.9, 2001:db8:a::9] -- 192.0.2.1, 2001:db8:a::1 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>

#include "dataplane/hwclock.h"
#include "dataplane/port.h"
#include "heddle/api/pm.h"
#include "heddle/wire/srh.h"
#include "heddle/wire/udp.h"
#include "pipelines/pm/sender.h"
#include "tests/harness.h"
#include "tests/pktb.h"

static void put6(uint8_t to[16], const char *text)
{
	struct ip6_addr a = pktb_addr6(text);

	memcpy(to, &a, 16);
}

static struct hd_api_pm_session plain(void)
{
	struct hd_api_pm_session m = { .session_id = 1,
				       .interval_us = 1000,
				       .timeout_ms = 100,
				       .src_port = 50862,
				       .dst_port = 862,
				       .ssid = 7,
				       .family = 6 };

	put6(m.src, "2001:db8:a::9");
	put6(m.dst, "2001:db8:a::1");
	return m;
}

static struct sender_packet p;
static const char *why;
static uint8_t out[SENDER_PACKET_MAX];

static void stamp(const struct hmac_key *key, uint32_t seq)
{
	const struct sender_stamp s = { .seq = seq,
					.ts = 0xec00000080000000ull,
					.error = 0x8801,
					.direct_tx = 100,
					.access = true };

	memcpy(out, p.data, p.len);
	sender_packet_stamp(&p, key, out, &s);
}

static void check_udp(const struct hd_api_pm_session *m)
{
	struct wire_cur c = wire_cur_init(out + p.udp_off, p.len - p.udp_off);
	struct udp_view u;

	cr_assert_eq(udp_parse(&c, &u), 0);
	cr_assert_eq(u.len, p.len - p.udp_off);
	if (m->family == 4) {
		be32_t s, d;

		memcpy(&s, m->src, 4);
		memcpy(&d, m->dst, 4);
		cr_assert_eq(udp_csum_check_ip4(&u, s, d), 0);
	} else {
		cr_assert_eq(udp_csum_check_ip6(&u, (const struct ip6_addr *)m->src,
						(const struct ip6_addr *)m->dst),
			     0, "checksum with the final destination (RFC 8200 8.1)");
	}
}

/* A request with a Return Path TLV, encapsulated with two segments, made by hand and read back by other tools. */
static const uint8_t worked[] = {
	0x6b, 0x85, 0xa5, 0xa5, 0x00, 0xac, 0x2b, 0x40, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x00, 0x00,
	0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x0b,
	0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x29, 0x04, 0x04, 0x01, 0x01,
	0x00, 0x00, 0x00, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x0b, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0xd6, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x0b, 0x00, 0x02, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x01, 0x00, 0x6b, 0x85, 0xa5, 0xa5, 0x00, 0x5c, 0x11, 0xff, 0x20, 0x01,
	0x0d, 0xb8, 0x00, 0x0a, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x20,
	0x01, 0x0d, 0xb8, 0x00, 0x0a, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03,
	0xc3, 0x50, 0x03, 0x5e, 0x00, 0x5c, 0x78, 0x0d, 0x00, 0x00, 0x00, 0x01, 0xec, 0x00, 0x00,
	0x00, 0x80, 0x00, 0x00, 0x00, 0x88, 0x01, 0x12, 0x34, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x0a, 0x00, 0x24, 0x80, 0x04, 0x00, 0x20,
	0x20, 0x01, 0x0d, 0xb8, 0x00, 0x0b, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
	0x00, 0x20, 0x01, 0x0d, 0xb8, 0x00, 0x0b, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0xd6,
};

static struct hd_api_pm_session worked_session(void)
{
	struct hd_api_pm_session m = plain();

	m.encap = HD_PM_INNER;
	m.src_port = 50000;
	m.ssid = 0x1234;
	m.dscp = 46;
	m.flow_label = 0x5a5a5;
	m.n_segs = m.n_return = 2;
	put6(m.src, "2001:db8:a:1::1");
	put6(m.dst, "2001:db8:a:3::3");
	put6(m.outer_src, "2001:db8:0:1::1");
	put6(m.seg[0], "2001:db8:b:2::100");
	put6(m.seg[1], "2001:db8:b:3::d6");
	put6(m.ret[0], "2001:db8:b:2::200");
	put6(m.ret[1], "2001:db8:b:1::d6");
	return m;
}

Test(pm_sender, worked_packet)
{
	struct hd_api_pm_session m = worked_session();

	cr_assert_eq(sender_packet_build(&m, &p, &why), 0, "%s", why);
	stamp(NULL, 1);
	cr_assert_eq(p.len, sizeof(worked));
	cr_assert_arr_eq(out, worked, sizeof(worked));
}

Test(pm_sender, authenticated_vector)
{
	static const uint8_t want[16] = { 0xfa, 0x55, 0x82, 0x4f, 0x4d, 0xeb, 0x3a, 0x5d,
					  0x01, 0x09, 0x50, 0xc9, 0xb2, 0xf3, 0xc6, 0xee };
	struct hd_api_pm_session m = plain();
	struct hmac_key key;

	hmac_key_init(&key, "stamp-test-key-0", 16);
	m.ssid = 0x1234;
	m.key_id = 1;
	m.flags = HD_PM_S_AUTHENTICATED;
	cr_assert_eq(sender_packet_build(&m, &p, &why), 0, "%s", why);
	stamp(&key, 1);
	cr_assert_eq(p.payload_len, STAMP_AUTH_BASE);
	cr_assert_arr_eq(out + p.payload + 96, want, 16);
	check_udp(&m);
}

Test(pm_sender, tlv_hmac_vector)
{
	static const uint8_t want[16] = { 0xb0, 0x66, 0x99, 0x8c, 0x63, 0x8f, 0x0f, 0x59,
					  0x5d, 0xc2, 0xc3, 0x78, 0x74, 0xa7, 0xbb, 0x4b };
	struct hd_api_pm_session m = worked_session();
	struct hmac_key key;

	hmac_key_init(&key, "stamp-test-key-0", 16);
	m.key_id = 1;
	m.flags = HD_PM_S_HMAC_TLV;
	cr_assert_eq(sender_packet_build(&m, &p, &why), 0, "%s", why);
	stamp(&key, 1);
	cr_assert_arr_eq(out + p.hmac_tlv + 4, want, 16);
	check_udp(&m);
}

#define ALL_TLVS                                                                                \
	(HD_PM_S_LOCATION | HD_PM_S_TIMESTAMP | HD_PM_S_COS | HD_PM_S_DIRECT | HD_PM_S_ACCESS | \
	 HD_PM_S_FOLLOW_UP | HD_PM_S_DEST_NODE | HD_PM_S_RETURN_ADDR)

static struct hd_api_pm_session with_all_tlvs(void)
{
	struct hd_api_pm_session m = plain();

	m.flags = ALL_TLVS | HD_PM_S_HMAC_TLV;
	m.key_id = 1;
	m.padding = 33;
	m.reply_dscp = 46;
	m.access_id = 1;
	m.access_code = 2;
	memcpy(m.dest_node, m.dst, 16);
	return m;
}

Test(pm_sender, every_tlv_with_u_alone)
{
	struct hd_api_pm_session m = with_all_tlvs();
	struct hmac_key key;
	const struct stamp_tlv *t;
	struct wire_cur c;
	uint32_t seen = 0;
	unsigned last = 0;

	hmac_key_init(&key, "k", 1);
	cr_assert_eq(sender_packet_build(&m, &p, &why), 0, "%s", why);
	stamp(&key, 3);
	check_udp(&m);
	c = wire_cur_init(out + p.tlv_off, p.len - p.tlv_off);
	while (stamp_tlv_next(&c, &t) == 1) {
		cr_assert_eq(t->flags, STAMP_TLV_U, "type %u", t->type);
		seen |= 1u << t->type;
		last = t->type;
		if (t->type == STAMP_TLV_DIRECT)
			cr_assert_eq(wire_get32(t->value), 100);
		if (t->type == STAMP_TLV_COS)
			cr_assert_eq(wire_get32(t->value), 46u << 26);
		if (t->type == STAMP_TLV_ACCESS)
			cr_assert_eq(wire_get32(t->value), 0x10020000);
	}
	cr_assert_eq(wire_left(&c), 0);
	cr_assert_eq(seen, 0x7feu, "types 1 to 10: 0x%x", seen);
	cr_assert_eq(last, STAMP_TLV_PADDING, "only that may follow the HMAC");
}

static struct refused {
	char text[48];
	uint32_t flags;
	uint16_t ssid;
	uint8_t encap, n_segs, n_return, access;
} refused[] = {
	{ "Destination Node Address without SSID", HD_PM_S_DEST_NODE, 0, 0, 0, 0, 0 },
	{ "Control Code and list", HD_PM_S_SAME_LINK, 7, 0, 0, 1, 0 },
	{ "both Control Codes", HD_PM_S_SAME_LINK | HD_PM_S_NO_REPLY, 7, 0, 0, 0, 0 },
	{ "authentication without key", HD_PM_S_AUTHENTICATED, 7, 0, 0, 0, 0 },
	{ "TLVs to a TWAMP Light peer", HD_PM_S_LIGHT | HD_PM_S_COS, 0, 0, 0, 0, 0 },
	{ "SSID to a TWAMP Light peer", HD_PM_S_LIGHT, 7, 0, 0, 0, 0 },
	{ "Access Report of no access", HD_PM_S_ACCESS, 7, 0, 0, 0, 3 },
	{ "loopback without list", HD_PM_S_LOOPBACK, 7, 0, 0, 0, 0 },
	{ "segments without encapsulation", 0, 7, 0, 1, 0, 0 },
	{ "encapsulation without segments", 0, 7, HD_PM_INNER, 0, 0, 0 },
	{ "unknown flag", 0x80000000u, 7, 0, 0, 0, 0 },
	{ "a link that leads back without loopback", HD_PM_S_LINK, 7, 0, 0, 0, 0 },
	{ "and without interfaces", HD_PM_S_LINK | HD_PM_S_LOOPBACK, 7, 0, 0, 0, 0 },
};

ParameterizedTestParameters(pm_sender, refused_sessions)
{
	return cr_make_param_array(struct refused, refused, sizeof(refused) / sizeof(refused[0]));
}

ParameterizedTest(struct refused *r, pm_sender, refused_sessions)
{
	struct hd_api_pm_session m = plain();

	m.flags = r->flags;
	m.ssid = r->ssid;
	m.encap = r->encap;
	m.n_segs = r->n_segs;
	m.n_return = r->n_return;
	m.access_id = r->access;
	cr_assert_eq(sender_packet_build(&m, &p, &why), -EINVAL, "%s", r->text);
	cr_assert_not_null(why);
}

/* ---- replies, by hand -------------------------------------------------------------------------------------------- */

static uint8_t reply[512];
static struct stamp_answer a;

static unsigned reply_base(void)
{
	memset(reply, 0, sizeof(reply));
	wire_put32(reply, 5);
	wire_put64(reply + 4, 3000);
	wire_put16(reply + 12, 0x8801);
	wire_put16(reply + 14, 7);
	wire_put64(reply + 16, 2000);
	wire_put32(reply + 24, 9);
	wire_put64(reply + 28, 1000);
	reply[40] = 61;
	return STAMP_BASE;
}

static unsigned add_tlv(unsigned at, uint8_t flags, uint8_t type, unsigned len, uint8_t fill)
{
	reply[at] = flags;
	reply[at + 1] = type;
	wire_put16(reply + at + 2, (uint16_t)len);
	memset(reply + at + 4, fill, len);
	return at + 4 + len;
}

static const struct sender_how asks = { .asked = 0x7fe };

Test(pm_sender, base_of_a_reply)
{
	cr_assert_eq(stamp_answer_parse(&asks, reply, reply_base(), &a), ANSWER_OK);
	cr_assert_eq(a.seq, 5);
	cr_assert_eq(a.s_seq, 9);
	cr_assert(a.t1 == 1000 && a.t2 == 2000 && a.t3 == 3000);
	cr_assert_eq(a.s_ttl, 61);
	for (unsigned n = 0; n < STAMP_BASE; n++) {
		uint8_t *cut = malloc(n + !n);

		memcpy(cut, reply, n);
		cr_assert_eq(stamp_answer_parse(&asks, cut, n, &a), ANSWER_TRUNCATED, "%u", n);
		free(cut);
	}
	wire_put16(reply + 12, 0x8800);
	cr_assert_eq(stamp_answer_parse(&asks, reply, 44, &a), ANSWER_BAD_ESTIMATE);
}

Test(pm_sender, light_replies_of_41_and_71_octets)
{
	const struct sender_how light = { .flags = HD_PM_S_LIGHT };

	reply_base();
	cr_assert_eq(stamp_answer_parse(&light, reply, 41, &a), ANSWER_OK);
	cr_assert_eq(a.s_ttl, 61);
	cr_assert_eq(stamp_answer_parse(&light, reply, 71, &a), ANSWER_OK);
	cr_assert_eq(stamp_answer_parse(&light, reply, 40, &a), ANSWER_TRUNCATED);
}

Test(pm_sender, flags_of_replies)
{
	unsigned n = reply_base();

	n = add_tlv(n, 0, STAMP_TLV_COS, 4, 0xba);
	n = add_tlv(n, STAMP_TLV_U, STAMP_TLV_FOLLOW_UP, 16, 0);
	n = add_tlv(n, 0, STAMP_TLV_DIRECT, 12, 1);
	cr_assert_eq(stamp_answer_parse(&asks, reply, n, &a), ANSWER_OK);
	cr_assert_eq(a.tlv.used, 1u << STAMP_TLV_COS | 1u << STAMP_TLV_DIRECT);
	cr_assert_eq(a.tlv.unknown, 1u << STAMP_TLV_FOLLOW_UP, "skipped");
	cr_assert_eq(a.tlv.direct[1], 0x01010101);
	cr_assert_not(a.tlv.malformed);

	reply[44 + 8] = STAMP_TLV_M; /* P-046: the second of three */
	stamp_answer_parse(&asks, reply, n, &a);
	cr_assert_eq(a.tlv.used, 1u << STAMP_TLV_COS, "the first is used, the rest ignored");
	cr_assert(a.tlv.malformed);

	reply[44 + 8] = STAMP_TLV_I; /* P-047 */
	stamp_answer_parse(&asks, reply, n, &a);
	cr_assert_eq(a.tlv.used, 0);
	cr_assert(a.tlv.integrity);
}

Test(pm_sender, tlvs_of_replies_cut_anywhere)
{
	unsigned n = reply_base();

	for (unsigned type = 1; type <= 11; type++)
		n = add_tlv(n, 0, (uint8_t)type, 16, 0);
	for (unsigned len = STAMP_BASE; len <= n; len++) {
		uint8_t *cut = malloc(len);

		memcpy(cut, reply, len);
		cr_assert_eq(stamp_answer_parse(&asks, cut, len, &a), ANSWER_OK);
		free(cut);
	}
}

Test(pm_sender, authenticated_replies)
{
	struct sender_how how = { .flags = HD_PM_S_AUTHENTICATED, .has_key = true };
	const struct hmac_part text = { reply, STAMP_AUTH_HASHED };
	uint8_t digest[HMAC_SHA256_LEN];

	hmac_key_init(&how.key, "k", 1);
	memset(reply, 0, sizeof(reply));
	wire_put16(reply + 24, 0x8801);
	hmac_sha256(&how.key, &text, 1, digest);
	memcpy(reply + 96, digest, 16);
	cr_assert_eq(stamp_answer_parse(&how, reply, 112, &a), ANSWER_OK);
	for (unsigned i = 0; i < 112; i += 5) {
		reply[i] ^= 4;
		cr_assert_eq(stamp_answer_parse(&how, reply, 112, &a), ANSWER_BAD_HMAC, "octet %u",
			     i);
		reply[i] ^= 4;
	}
}

/* ---- in the graph ------------------------------------------------------------------------------------------------ */

static uint32_t A;
static uint8_t frame[2048];

static void bed_up(void)
{
	hx_start_default();
	A = hx_port();
	hx_iface(1, A, 0);
	hx_addr(1, "192.0.2.9/24");
	hx_addr(1, "2001:db8:a::9/64");
	hx_neigh(1, "192.0.2.1", "02:aa:00:00:00:01");
	hx_neigh(1, "2001:db8:a::1", "02:aa:00:00:00:01");
	hx_turn();
	while (hx_tx(A, frame, sizeof(frame)) != 0)
		;
}
TestSuite(pm_sender_graph, .init = bed_up, .fini = hx_stop);

static int set(const struct hd_api_pm_session *m)
{
	return hx_set(HD_API_PM_SESSION, m, sizeof(*m));
}

/* Turn until a frame leaves, for 200 ms at most. */
static size_t next_frame(void)
{
	for (unsigned i = 0; i < 2000; i++) {
		size_t n;

		hx_turn();
		n = hx_tx(A, frame, sizeof(frame));
		if (n != 0)
			return n;
		usleep(100);
	}
	return 0;
}

/* The frame goes back to where it came from as a reflector's reply would. */
static void mirror(unsigned l3, uint16_t peer_port)
{
	uint8_t t[16], *ip = frame + 14, *udp = ip + l3;

	memcpy(t, frame, 6);
	memcpy(frame, frame + 6, 6);
	memcpy(frame + 6, t, 6);
	memcpy(t, ip + 8, 16);
	memcpy(ip + 8, ip + 24, 16);
	memcpy(ip + 24, t, 16);
	memcpy(t, udp, 2);
	memcpy(udp, udp + 2, 2);
	memcpy(udp + 2, t, 2);
	if (peer_port != 0)
		wire_put16(udp, peer_port);
	wire_put32(udp + 8 + 24, wire_get32(udp + 8)); /* sender's sequence number and T1 */
	memcpy(udp + 8 + 28, udp + 8 + 4, 8);
	memcpy(udp + 8 + 16, udp + 8 + 4, 8);
	udp_csum_set((struct udp_hdr *)udp, hd_csum_ip6_pseudo((const struct ip6_addr *)(ip + 8),
							       (const struct ip6_addr *)(ip + 24),
							       wire_get16(udp + 4), IP_NH_UDP));
}

Test(pm_sender_graph, sends_and_takes_replies)
{
	struct hd_api_pm_session m = plain();

	cr_assert_eq(set(&m), 0, "%s", hx_error());
	for (uint32_t i = 0; i < 5; i++) {
		size_t n = next_frame();

		cr_assert_eq(n, 14 + 40 + 8 + 44);
		cr_assert_eq(wire_get32(frame + 14 + 48), i);
		mirror(40, 0);
		hx_rx(A, frame, n);
		hx_turn();
	}
	cr_assert_eq(hx_stat("pm-session", 1, "received"), 5);
	cr_assert_eq(hx_verdict("pm-reply", "taken"), 5);
	/* not this session's: other port, other address */
	size_t n = next_frame();
	mirror(40, 863);
	hx_rx(A, frame, n);
	hx_turn();
	cr_assert_eq(hx_verdict("pm-reply", "no-session"), 1);
	cr_assert_eq(hx_stat("pm-session", 1, "received"), 5);
	cr_assert_eq(hx_del(HD_API_PM_SESSION, &m, sizeof(m)), 0);
	usleep(3000);
	for (unsigned i = 0; i < 50; i++)
		hx_turn();
	while (hx_tx(A, frame, sizeof(frame)) != 0)
		;
	usleep(3000);
	hx_turn();
	cr_assert_eq(hx_tx(A, frame, sizeof(frame)), 0, "it has ended");
	cr_assert_eq(hx_mbufs_in_use(), 0);
}

/* RFC 8972 section 3: a reflector that knows no SSID leaves zeros there; the sender goes on, or stops if told so. */
static void reply_without_ssid(uint32_t flags)
{
	struct hd_api_pm_session m = plain();

	m.flags = flags;
	cr_assert_eq(set(&m), 0, "%s", hx_error());
	for (uint32_t i = 0; i < 2; i++) {
		size_t n = next_frame();

		if (flags != 0 && i == 1) {
			cr_assert_eq(n, 0, "it has stopped");
			return;
		}
		cr_assert_gt(n, 0);
		mirror(40, 0);
		memset(frame + 14 + 48 + 14, 0, 2);
		udp_csum_set((struct udp_hdr *)(frame + 54),
			     hd_csum_ip6_pseudo((const struct ip6_addr *)(frame + 22),
						(const struct ip6_addr *)(frame + 38),
						wire_get16(frame + 58), IP_NH_UDP));
		hx_rx(A, frame, n);
		hx_turn();
		while (flags != 0 && hx_tx(A, frame, sizeof(frame)) != 0)
			;
	}
	cr_assert_eq(hx_stat("pm-session", 1, "received"), 2);
}

Test(pm_sender_graph, goes_on_without_ssid)
{
	reply_without_ssid(0);
}

Test(pm_sender_graph, stops_without_ssid_when_strict)
{
	reply_without_ssid(HD_PM_S_SSID_STRICT);
}

Test(pm_sender_graph, another_ssid_is_ignored)
{
	struct hd_api_pm_session m = plain();

	cr_assert_eq(set(&m), 0);
	size_t n = next_frame();
	mirror(40, 0);
	wire_put16(frame + 14 + 48 + 14, 8);
	udp_csum_set((struct udp_hdr *)(frame + 54),
		     hd_csum_ip6_pseudo((const struct ip6_addr *)(frame + 22),
					(const struct ip6_addr *)(frame + 38),
					wire_get16(frame + 58), IP_NH_UDP));
	hx_rx(A, frame, n);
	hx_turn();
	cr_assert_eq(hx_verdict("pm-reply", "no-session"), 1);
}

Test(pm_sender_graph, both_ends_at_home)
{
	/* the reflector is this node: packets go from ip-local to ip-local */
	struct hd_api_pm_reflector r = { .udp_port = 862, .flags = HD_PM_F_UNPROVISIONED };
	struct hd_api_pm_session m = with_all_tlvs();
	struct hd_api_pm_key k = { .key_id = 1, .len = 3, .secret = "abc" };

	put6(m.dst, "2001:db8:a::9");
	put6(m.dest_node, "2001:db8:a::9");
	m.flags |= HD_PM_S_ONCE;
	m.count = 20;
	r.key_id = 1;
	cr_assert_eq(hx_set(HD_API_PM_KEY, &k, sizeof(k)), 0);
	cr_assert_eq(hx_set(HD_API_PM_REFLECTOR, &r, sizeof(r)), 0, "%s", hx_error());
	cr_assert_eq(set(&m), 0, "%s", hx_error());
	for (unsigned i = 0; i < 3000 && hx_stat("pm-session", 1, "received") < 20; i++) {
		usleep(100);
		hx_turn();
	}
	cr_assert_eq(hx_stat("pm-session", 1, "sent"), 20, "and no more");
	cr_assert_eq(hx_stat("pm-session", 1, "received"), 20,
		     "%lu; refused %lu, no session %lu, bad hmac %lu, at the reflector %lu",
		     hx_stat("pm-session", 1, "received"), hx_stat("pm-session", 1, "bad"),
		     hx_verdict("pm-reply", "no-session"), hx_verdict("pm-reply", "bad-hmac"),
		     hx_verdict("pm-reflect", "reply6"));
	cr_assert_eq(hx_stat("pm-session", 1, "lost"), 0);
	cr_assert_eq(hx_verdict("pm-reply", "taken"), 20);
	cr_assert_eq(hx_verdict("pm-reflect", "reply6"), 20);
}

/* Out of an interface and in by another, with tags, whatever the routes say. */
Test(pm_sender_graph, a_link_that_leads_back)
{
	static const uint8_t mac_in[6] = { 2, 0, 0, 0, 0, 3 };
	struct hd_api_iface tagged = { .iface_id = 2,
				       .port_id = A,
				       .mtu = 1500,
				       .flags = HD_IFACE_F_UP,
				       .outer_tpid = 0x8100,
				       .outer_vid = 7,
				       .name = "tagged",
				       .mac = { 2, 0, 0, 0, 0, 3 } };
	struct hd_api_pm_session m = plain();
	size_t n;

	m.flags = HD_PM_S_LOOPBACK | HD_PM_S_LINK;
	m.egress_iface = 1;
	m.ingress_iface = 2;
	m.dst_port = m.src_port;
	memcpy(m.dst, m.src, 16);
	cr_assert_eq(set(&m), -ENOENT, "there is no interface 2");
	cr_assert_eq(hx_set(HD_API_IFACE, &tagged, sizeof(tagged)), 0, "%s", hx_error());
	hx_turn();
	while (hx_tx(A, frame, sizeof(frame)) != 0) /* what an interface has to say */
		;
	cr_assert_eq(set(&m), 0, "%s", hx_error());
	n = next_frame();
	cr_assert_eq(n, 14 + 40 + 8 + 44, "%zu", n);
	cr_assert_arr_eq(frame, mac_in, 6);
	memmove(frame + 18, frame + 14, n - 14); /* the link adds the tag of the other interface */
	wire_put16(frame + 12, 0x8100);
	wire_put16(frame + 14, 7);
	wire_put16(frame + 16, 0x86dd);
	hx_rx(A, frame, n + 4);
	hx_turn();
	cr_assert_eq(hx_stat("pm-session", 1, "received"), 1);
	cr_assert_eq(hx_verdict("pm-send", "link") >= 1, true);

	m.egress_iface = 2;
	m.ingress_iface = 1;
	cr_assert_eq(set(&m), 0, "%s", hx_error());
	while (hx_tx(A, frame, sizeof(frame)) != 0)
		;
	n = next_frame();
	cr_assert_eq(n, 18 + 40 + 8 + 44);
	cr_assert_eq(wire_get32(frame + 12), 0x81000007u, "sent with the tag of its interface");
	tagged.flags = 0;
	cr_assert_eq(hx_set(HD_API_IFACE, &tagged, sizeof(tagged)), 0, "%s", hx_error());
	for (unsigned i = 0; i < 100 && hx_verdict("pm-send", "no-link") == 0; i++) {
		usleep(100);
		hx_turn();
	}
	cr_assert_geq(hx_verdict("pm-send", "no-link"), 1, "down");
	cr_assert_eq(hx_del(HD_API_PM_SESSION, &m, sizeof(m)), 0);
}

/* ---- a port that stamps what it receives: a mock, whose clock runs at a 16th of TSC, and which had each frame a
 * millisecond before it gives it */

static int mock_clock(uint16_t dpdk_port, uint64_t *ticks)
{
	(void)dpdk_port;
	*ticks = rte_rdtsc() / 16;
	return 0;
}

static void mock_stamp(struct rte_mbuf *m)
{
	m->ol_flags |= hwclock_flag;
	*RTE_MBUF_DYNFIELD(m, hwclock_offset, uint64_t *) =
		(rte_rdtsc() - rte_get_tsc_hz() / 1000) / 16;
}

Test(pm_sender_graph, a_port_that_stamps)
{
	const struct hd_api_pm_reflector r = { .udp_port = 862, .flags = HD_PM_F_UNPROVISIONED };
	struct hd_api_pm_session m = plain();
	const struct session_state *st;
	const struct hd_pm_hist *rtt;
	uint8_t asks[14 + 40 + 8 + 44 + 8] = { 0 };
	size_t n;

	m.interval_us = 5000;
	hwclock_read = mock_clock;
	cr_assert_eq(set(&m), 0, "%s", hx_error());
	cr_assert_eq(hwclock_start(A, port_get(A)->dpdk_port), 0);
	usleep(1010000);
	hwclock_tick(); /* the second sample: there is a line */
	cr_assert_not_null(hwclock_line[A]);
	cr_assert_float_eq(hwclock_line[A]->tsc_per_tick, 16, 0.01);
	hx_device = mock_stamp;
	hx_turn();
	while (hx_tx(A, frame, sizeof(frame)) != 0)
		;
	st = sender_session_get(1)->state;
	rtt = &st->bin[0].d[HD_PM_RTT];
	n = next_frame();
	cr_assert_eq(n, 14 + 40 + 8 + 44);
	usleep(2000);
	mirror(40, 0);
	hx_rx(A, frame, n);
	hx_turn();
	cr_assert_eq(rtt->n, 1);
	cr_assert(st->rx_hw, "by the port's clock");
	cr_assert_geq(rtt->min, 900000, "%lld", (long long)rtt->min);
	/* by software it would be the two milliseconds between walks; a busy machine interrupts for less */
	cr_assert_lt(st->bin[0].c.error_max, 1000000, "as good as the line: %llu ns",
		     (unsigned long long)st->bin[0].c.error_max);

	/* the reflector's T2 as well, and it says so (RFC 8972 section 4.3) */
	cr_assert_eq(hx_set(HD_API_PM_REFLECTOR, &r, sizeof(r)), 0, "%s", hx_error());
	memcpy(asks, frame, n);
	wire_put16(asks + 54, 4000);
	wire_put16(asks + 56, 862);
	wire_put16(asks + 14 + 4, 8 + 44 + 8);
	wire_put16(asks + 58, 8 + 44 + 8);
	asks[n] = STAMP_TLV_U;
	asks[n + 1] = STAMP_TLV_TIMESTAMP;
	asks[n + 3] = 4;
	udp_csum_set((struct udp_hdr *)(asks + 54),
		     hd_csum_ip6_pseudo((const struct ip6_addr *)(asks + 22),
					(const struct ip6_addr *)(asks + 38), 8 + 44 + 8,
					IP_NH_UDP));
	cr_assert_eq(hx_del(HD_API_PM_SESSION, &m, sizeof(m)), 0);
	hx_turn();
	while (hx_tx(A, frame, sizeof(frame)) != 0)
		;
	hx_rx(A, asks, sizeof(asks));
	hx_turn();
	cr_assert_eq(hx_tx(A, frame, sizeof(frame)), sizeof(asks));
	cr_assert_eq(frame[n + 5], STAMP_TS_HW, "in by hardware");
	cr_assert_eq(frame[n + 7], STAMP_TS_SW, "out by software");
	uint64_t stay = wire_get64(frame + 62 + 4) - wire_get64(frame + 62 + 16);
	cr_assert(stay > (1ull << 32) / 1100 && stay < (1ull << 32) / 100,
		  "T3 - T2: the millisecond in the device, %llu", (unsigned long long)stay);

	hx_device = NULL;
	hwclock_stop(A);
	cr_assert_null(hwclock_line[A], "and without: software again");
}

Test(pm_sender_graph, losses_are_counted)
{
	struct hd_api_pm_session m = plain();

	m.flags = HD_PM_S_ONCE;
	m.count = 10;
	m.timeout_ms = 5;
	cr_assert_eq(set(&m), 0, "%s", hx_error());
	for (uint32_t i = 0; i < 10; i++)
		cr_assert_gt(next_frame(), 0);
	for (unsigned i = 0; i < 300 && hx_stat("pm-session", 1, "lost") < 10; i++) {
		usleep(100);
		hx_turn();
	}
	cr_assert_eq(hx_stat("pm-session", 1, "lost"), 10);
}

Test(pm_sender_graph, refused_objects)
{
	struct hd_api_pm_session m = plain();

	cr_assert_eq(set(&m), 0);
	m.session_id = 2;
	cr_assert_eq(set(&m), -EEXIST, "the same SSID");
	m.ssid = 0;
	cr_assert_eq(set(&m), -EEXIST, "a port without SSID is one session's alone");
	m.src_port = 50863;
	cr_assert_eq(set(&m), 0, "%s", hx_error());
	m.session_id = 3;
	cr_assert_eq(set(&m), -EEXIST);
	m.ssid = 9;
	cr_assert_eq(set(&m), -EEXIST);
	m.src_port = 50862;
	m.key_id = 4;
	cr_assert_eq(set(&m), -ENOENT, "no such key");
	m.key_id = 0;
	m.interval_us = 100;
	cr_assert_eq(set(&m), -EINVAL);
	m.interval_us = 1000;
	m.timeout_ms = 60000;
	cr_assert_eq(set(&m), -EINVAL, "60,000 packets under way");
	m.session_id = HD_PM_SENDERS_MAX;
	cr_assert_eq(set(&m), -ENOSPC);
}

Test(pm_sender_graph, a_shorter_interval_begins_at_once)
{
	struct hd_api_pm_session m = plain();

	m.interval_us = 60000000;
	cr_assert_eq(set(&m), 0, "%s", hx_error());
	hx_turn();
	m.interval_us = 1000;
	cr_assert_eq(set(&m), 0);
	cr_assert_gt(next_frame(), 0, "not in a minute");
	cr_assert_gt(next_frame(), 0);
}

Test(pm_sender_graph, a_change_of_the_key_keeps_the_numbers)
{
	struct hd_api_pm_key k = { .key_id = 1, .len = 3, .secret = "abc" };
	struct hd_api_pm_session m = plain();

	m.flags = HD_PM_S_AUTHENTICATED;
	m.key_id = 1;
	cr_assert_eq(hx_set(HD_API_PM_KEY, &k, sizeof(k)), 0);
	cr_assert_eq(set(&m), 0, "%s", hx_error());
	cr_assert_gt(next_frame(), 0);
	uint32_t seq = wire_get32(frame + 14 + 48);
	memcpy(k.secret, "xyz", 3);
	cr_assert_eq(hx_set(HD_API_PM_KEY, &k, sizeof(k)), 0);
	cr_assert_gt(next_frame(), 0);
	cr_assert_gt(wire_get32(frame + 14 + 48), seq);
	m.dscp = 46;
	cr_assert_eq(set(&m), 0);
	cr_assert_gt(next_frame(), 0);
	cr_assert_eq(wire_get32(frame + 14 + 48), 0, "other packets: another session");
}
