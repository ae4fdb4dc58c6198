/* SPDX-License-Identifier: BSD-3-Clause
 * What goes beyond the next segment: frames (End.DX2, DX2V, DT2U, DT2M), copies for OAM (O-flag), proxies (End.AS, AD,
 * AM), over the graph. */
#include <criterion/criterion.h>

#include "dataplane/debug_api.h"
#include "dataplane/engine.h"
#include "pipelines/srv6/tests/lab.h"

#define SID   "2001:db8:b:5::100"
#define IN4   "ip4 $A4 $B4 10 / udp / fill 16"
#define IN4_9 "ip4 $A4 $B4 9 / udp / fill 16"
#define IN6   "ip6 $A $B 10 / udp / fill 16"
#define IN6_9 "ip6 $A $B 9 / udp / fill 16"

TestSuite(srv6_services, .init = lab_start, .fini = lab_stop, .timeout = 60);

static struct hd_api_srv6_sid sid(uint16_t behavior)
{
	struct hd_api_srv6_sid s = {
		.plen = 128, .sid_id = 91, .behavior = behavior, .upper_allow = HD_SRV6_UPPER_ICMP6
	};
	struct ip6_addr a = pktb_addr6(SID);

	memcpy(s.sid, &a, 16);
	return s;
}

static void set_sid(const struct hd_api_srv6_sid *s)
{
	cr_assert_eq(hx_set(HD_API_SRV6_SID, s, sizeof(*s)), 0, "%s", hx_error());
}

/* A frame of station `src` to `dst` with up to two tags, as notation for the payload of next header 143. */
static const char *frame_text(uint8_t dst, uint8_t src, uint16_t outer, uint16_t inner)
{
	static char text[256];
	int n;

	if (dst == 0xff)
		n = snprintf(text, sizeof(text), "next 143 / data ffffffffffff02bb000000%02x", src);
	else
		n = snprintf(text, sizeof(text), "next 143 / data 02bb000000%02x02bb000000%02x",
			     dst, src);
	if (outer != 0)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "8100%04x", outer);
	if (inner != 0)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "8100%04x", inner);
	snprintf(
		text + n, sizeof(text) - (size_t)n,
		"88b5"
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899aabb");
	return text;
}

/* Send head / frame; returns the frame's octets in the packet. */
static const uint8_t *send_frame(const char *head, const char *frame, size_t *ret_len)
{
	static struct pktb in;
	char text[600];
	const uint8_t *at;

	snprintf(text, sizeof(text), "%s / %s", head, frame);
	packet_make(&in, text, "");
	lab_send(1, in.buf, in.len);
	at = in.buf + 40;
	if (in.buf[6] == 43)
		at += (at[1] + 1u) * 8;
	*ret_len = (size_t)(in.buf + in.len - at);
	return at;
}

/* That frame and no other left on the port, octet by octet. */
static void expect_frame(const char *why, uint32_t port, const uint8_t *frame, size_t len)
{
	uint8_t b[PKTB_CAP];

	cr_assert_eq(hx_tx(port, b, sizeof(b)), len, "%s: port %u", why, port);
	cr_assert_arr_eq(b, frame, len, "%s", why);
}

/* ---- End.DX2, End.DX2V ----------------------------------------------------------------------------------------- */

Test(srv6_services, dx2)
{
	struct hd_api_srv6_sid s = sid(HD_SRV6_END_DX2);
	struct pktb in;
	uint64_t tx = hx_stat("interface", 2, "tx-packets");
	const uint8_t *f;
	size_t n;

	s.iface = 2;
	set_sid(&s);
	f = send_frame("ip6 $T " SID " 64", frame_text(1, 2, 0, 0), &n);
	expect_frame("S-075", 2, f, n);
	f = send_frame("ip6 $T " SID " 1 / srh " SID " 0", frame_text(1, 2, 100, 0), &n);
	expect_frame("S-183, tag kept", 2, f, n);
	cr_assert_eq(hx_stat("sid", 91, "packets"), 2);
	cr_assert_eq(hx_stat("interface", 2, "tx-packets"), tx + 2);
	packet_make(&in, "ip6 $T " SID " 64 / srh $R," SID " 1 / udp / fill 4", "");
	lab_send(1, in.buf, in.len);
	lab_expect_icmp6("must be last", 1, in.buf, in.len, 4, 0, 43);
	packet_make(&in, "ip6 $T " SID " 64 / " IN6, "");
	lab_send(1, in.buf, in.len);
	lab_expect_icmp6("IPv6 inside", 1, in.buf, in.len, 4, 4, 40);
	packet_make(&in, "ip6 $T " SID " 64 / next 143 / data 02bb00000001", "");
	lab_send(1, in.buf, in.len);
	cr_assert_eq(hx_verdict("srv6-endpoint", "inner-short"), 1, "S-080");
	lab_nothing_left("DX2");
	cr_assert_eq(hx_mbufs_in_use(), 0);
}

/* What Ethernet padded behind the outer packet is no part of the frame. */
Test(srv6_services, dx2_trims)
{
	struct hd_api_srv6_sid s = sid(HD_SRV6_END_DX2);
	uint8_t padded[PKTB_CAP] = { 0 }, b[PKTB_CAP];
	struct pktb in;

	s.iface = 2;
	set_sid(&s);
	packet_make(&in, "ip6 $T " SID " 64 / next 143 / data 02bb0000000102bb0000000288b50011",
		    "");
	memcpy(padded, in.buf, in.len);
	lab_send(1, padded, in.len + 30);
	cr_assert_eq(hx_tx(2, b, sizeof(b)), in.len - 40);
}

Test(srv6_services, dx2v)
{
	struct hd_api_srv6_sid s = sid(HD_SRV6_END_DX2V);
	static const struct hd_api_vlan_entry e[] = {
		{ 5, 100, 0, 2 }, { 5, 100, 7, 3 }, { 5, 0, 0, 4 }, { 6, 200, 0, 5 }
	};
	const uint8_t *f;
	size_t n;

	s.l2_table = 5;
	set_sid(&s);
	for (size_t i = 0; i < 4; i++)
		cr_assert_eq(hx_set(HD_API_VLAN_ENTRY, &e[i], sizeof(e[i])), 0, "%s", hx_error());
	f = send_frame("ip6 $T " SID " 64", frame_text(1, 2, 100, 0), &n);
	expect_frame("S-076", 2, f, n);
	f = send_frame("ip6 $T " SID " 64", frame_text(1, 2, 100, 7), &n);
	expect_frame("two tags", 3, f, n);
	f = send_frame("ip6 $T " SID " 64", frame_text(1, 2, 0, 0), &n);
	expect_frame("no tag", 4, f, n);
	send_frame("ip6 $T " SID " 64", frame_text(1, 2, 200, 0), &n);
	cr_assert_eq(hx_verdict("srv6-endpoint", "l2-no-vlan"), 1, "S-077");
	cr_assert_eq(hx_del(HD_API_VLAN_ENTRY, &e[0], 8), 0);
	send_frame("ip6 $T " SID " 64", frame_text(1, 2, 100, 0), &n);
	cr_assert_eq(hx_verdict("srv6-endpoint", "l2-no-vlan"), 2);
	lab_nothing_left("DX2V");
}

/* ---- End.DT2U, End.DT2M ---------------------------------------------------------------------------------------- */

#define BRIDGE 3u
static void bridge_up(void)
{
	struct hd_api_bridge b = { .bridge_id = BRIDGE };
	struct hd_api_srv6_policy p = { .policy_id = 21,
					.encap = HD_SRV6_H_ENCAPS_L2_RED,
					.n_lists = 1,
					.list = { { 8, 1 } } };
	struct ip6_addr t = pktb_addr6(name_addr("T", 1)), src = pktb_addr6("2001:db8:b::b");

	memcpy(p.source, &src, 16);
	cr_assert_eq(hx_set(HD_API_SRV6_POLICY, &p, sizeof(p)), 0, "%s", hx_error());
	cr_assert_eq(hx_set(HD_API_BRIDGE, &b, sizeof(b)), 0, "%s", hx_error());
	for (uint32_t i = 1; i <= 4; i++) { /* interfaces 3, 4, 5 and what is behind T */
		struct hd_api_bridge_port m = { .member_id = i, .bridge_id = BRIDGE };

		if (i == 4) {
			m.policy_id = 21;
			m.group = HD_BRIDGE_GROUP_CORE;
			memcpy(m.remote, &t, 16);
		} else {
			m.iface_id = i + 2;
			m.segment = (uint16_t)(i + 10);
		}
		cr_assert_eq(hx_set(HD_API_BRIDGE_PORT, &m, sizeof(m)), 0, "%s", hx_error());
	}
}

Test(srv6_services, dt2u)
{
	struct hd_api_srv6_sid s = sid(HD_SRV6_END_DT2U);
	uint8_t reply[60] = { 2, 0xbb, 0, 0, 0, 9, 2, 0xbb, 0, 0, 0, 1, 0x88, 0xb5 }, b[PKTB_CAP];
	const uint8_t *f;
	size_t n, m;

	s.l2_table = BRIDGE;
	bridge_up();
	set_sid(&s);
	f = send_frame("ip6 $T " SID " 64", frame_text(1, 9, 0, 0), &n);
	for (uint32_t p = 3; p <= 5; p++)
		expect_frame("S-078: not known", p, f, n);
	lab_nothing_left("and never back to the core");
	for (int i = 0; i < 10; i++)
		engine_tick();
	hx_rx(3, reply, sizeof(reply)); /* to the station behind T: into the policy */
	hx_turn();
	m = lab_recv(2, b, sizeof(b));
	cr_assert_eq(m, 40 + 8 + 16 + sizeof(reply), "%zu octets", m);
	cr_assert_eq(b[40], 143);
	cr_assert_arr_eq(b + m - sizeof(reply), reply, sizeof(reply));
	for (int i = 0; i < 10; i++)
		engine_tick();
	f = send_frame("ip6 $T " SID " 64 / srh " SID " 0", frame_text(1, 9, 0, 0), &n);
	expect_frame("S-078: known", 3, f, n);
	lab_nothing_left("DT2U");
	cr_assert_eq(hx_stat("bridge", 0, "learned"), 2);
	cr_assert_eq(hx_mbufs_in_use(), 0);
}

Test(srv6_services, dt2m)
{
	struct hd_api_srv6_sid s = sid(HD_SRV6_END_DT2M);
	const uint8_t *f;
	size_t n;

	s.l2_table = BRIDGE;
	s.plen = 112; /* Arg.FE2 of 16 bits */
	s.sid[15] = 0;
	s.sid[14] = 0;
	bridge_up();
	set_sid(&s);
	f = send_frame("ip6 $T 2001:db8:b:5:: 64", frame_text(0xff, 9, 0, 0), &n);
	for (uint32_t p = 3; p <= 5; p++)
		expect_frame("no argument", p, f, n);
	f = send_frame("ip6 $T 2001:db8:b:5::c 64", frame_text(0xff, 9, 0, 0), &n);
	expect_frame("S-079", 3, f, n);
	expect_frame("S-079", 5, f, n);
	lab_nothing_left("S-079: not to segment 12");
	for (int i = 0; i < 10; i++)
		engine_tick();
	f = send_frame("ip6 $T 2001:db8:b:5:: 64", frame_text(9, 8, 0, 0), &n);
	for (uint32_t p = 3; p <= 5; p++)
		expect_frame("a known address is flooded all the same", p, f, n);
}

/* ---- O-flag (RFC 9259) ----------------------------------------------------------------------------------------- */

static struct hd_api_srv6_oam last;
static unsigned n_copies;

static void take(void *arg, uint16_t type, const void *body, size_t size)
{
	(void)arg;
	(void)type;
	cr_assert_eq(size, sizeof(last));
	memcpy(&last, body, sizeof(last));
	n_copies++;
}

static unsigned copies(void)
{
	struct hd_api_reply reply = { 0 };

	n_copies = 0;
	hx_turn();
	cr_assert_eq(debug_request(HD_API_SRV6_OAM_STATE, NULL, 0, -1, take, NULL, &reply), 0);
	return n_copies;
}

Test(srv6_services, oam_copy)
{
	struct hd_api_srv6_sid s = sid(HD_SRV6_END);
	struct pktb in, want;

	set_sid(&s);
	packet_make(&in, "ip6 $T " SID " 64 / srh $R," SID " 1 / udp / fill 16", "45=20");
	packet_make(&want, "ip6 $T $R 63 / srh $R," SID " 0 / udp / fill 16", "45=20");
	lab_send(1, in.buf, in.len);
	lab_expect("S-128", 2, &want);
	cr_assert_eq(copies(), 0, "S-128: off");
	s.flags = HD_SRV6_SID_F_OAM;
	set_sid(&s);
	lab_send(1, in.buf, in.len);
	lab_expect("S-127", 2, &want);
	cr_assert_eq(copies(), 1, "S-127");
	cr_assert_eq(last.length, in.len);
	cr_assert_eq(last.sid_id, 91);
	cr_assert_eq(last.iface_id, 1);
	cr_assert_arr_eq(last.data, in.buf, in.len, "the copy is the packet as received");
	packet_make(&in, "ip6 $T " SID " 64 / srh $R," SID " 1 / udp / fill 16", "");
	lab_send(1, in.buf, in.len);
	cr_assert_eq(copies(), 1, "no flag, no copy");
}

/* S-129: the copy is not answered; S-130: copies are limited, forwarding is not. */
Test(srv6_services, oam_limits)
{
	struct hd_api_srv6_sid s = sid(HD_SRV6_END);
	uint8_t b[PKTB_CAP];
	struct pktb in, want;
	unsigned out = 0;

	s.flags = HD_SRV6_SID_F_OAM;
	set_sid(&s);
	packet_make(&in, "ip6 $T " SID " 64 / srh " SID " 0 / icmp6 128 0 0x12340001 / fill 16",
		    "45=20");
	packet_make(&want, "ip6 " SID " $T 64 / icmp6 129 0 0x12340001 / fill 16", "");
	lab_send(1, in.buf, in.len);
	lab_expect("S-129", 1, &want);
	cr_assert_eq(copies(), 1);
	lab_nothing_left("S-129: one reply");
	packet_make(&in, "ip6 $T " SID " 64 / srh $R," SID " 1 / udp / fill 16", "45=20");
	for (int i = 0; i < 200; i++)
		lab_send(1, in.buf, in.len);
	while (lab_recv(2, b, sizeof(b)) != 0)
		out++;
	cr_assert_eq(out, 200, "S-130");
	cr_assert_lt(copies(), 150, "S-130: %u copies", n_copies);
	cr_assert_eq(hx_mbufs_in_use(), 0);
}

/* ---- proxies --------------------------------------------------------------------------------------------------- */

/* Interface 3 is the way to the service and back. */
static void service_iface(uint32_t policy4, uint32_t policy6, uint32_t am_sid)
{
	struct hd_api_iface i = { .iface_id = 3,
				  .port_id = 3,
				  .mac = { 2, 0, 0, 0, 0, 3 },
				  .flags = HD_IFACE_F_UP | HD_IFACE_F_INGRESS };
	struct hd_api_srv6_ingress in = {
		.iface_id = 3, .policy4_id = policy4, .policy6_id = policy6, .am_sid_id = am_sid
	};

	cr_assert_eq(hx_set(HD_API_IFACE, &i, sizeof(i)), 0, "%s", hx_error());
	cr_assert_eq(hx_set(HD_API_SRV6_INGRESS, &in, sizeof(in)), 0, "%s", hx_error());
}

static void round_trip(const char *why, const char *to, const char *service, const char *back_in,
		       const char *back_out)
{
	struct pktb in, want;

	packet_make(&in, to, "");
	lab_send(1, in.buf, in.len);
	packet_make(&want, service, "");
	lab_expect(why, 3, &want);
	packet_make(&in, back_in, "");
	lab_send(3, in.buf, in.len);
	packet_make(&want, back_out, "");
	lab_expect_encap(why, 2, &want);
	lab_nothing_left(why);
}

/* S-175: the static cache is policy 9, [S1, S2] reduced. */
Test(srv6_services, end_as)
{
	struct hd_api_srv6_sid s = sid(HD_SRV6_END_AS);
	struct pktb in;

	s.inner = HD_SRV6_INNER_IP4;
	s.target = HD_TARGET_NEXTHOP;
	s.target_id = 3;
	set_sid(&s);
	service_iface(9, 0, 0);
	round_trip("S-175", "ip6 $T " SID " 64 / srh $R," SID " 1 / " IN4, IN4_9, IN4,
		   "ip6 2001:db8:b::b $S1 64 / srh $S2 1 / " IN4_9);
	packet_make(&in, "ip6 $T " SID " 64 / srh $R," SID " 1 / " IN6, "");
	lab_send(1, in.buf, in.len);
	lab_expect_icmp6("another family", 1, in.buf, in.len, 4, 4, 80);
	s.inner = HD_SRV6_INNER_ETH;
	cr_assert_eq(hx_set(HD_API_SRV6_SID, &s, sizeof(s)), -EINVAL);
	s.target = HD_TARGET_NONE;
	s.iface = 3;
	set_sid(&s);
	size_t n;
	const uint8_t *f =
		send_frame("ip6 $T " SID " 64 / srh $R," SID " 1", frame_text(1, 2, 0, 0), &n);
	expect_frame("End.AS, Ethernet", 3, f, n);
}

/* S-176: the cache is empty, then holds what came last. */
Test(srv6_services, end_ad)
{
	struct hd_api_srv6_policy p = { .policy_id = 22, .encap = HD_SRV6_H_ENCAPS };
	struct hd_api_srv6_sid s = sid(HD_SRV6_END_AD);
	struct pktb in;

	cr_assert_eq(hx_set(HD_API_SRV6_POLICY, &p, sizeof(p)), 0, "%s", hx_error());
	s.inner = HD_SRV6_INNER_IP6;
	s.target = HD_TARGET_NEXTHOP;
	s.target_id = 3;
	cr_assert_eq(hx_set(HD_API_SRV6_SID, &s, sizeof(s)), -EINVAL, "no cache");
	s.cache = 22;
	set_sid(&s);
	service_iface(0, 22, 0);
	packet_make(&in, IN6, "");
	lab_send(3, in.buf, in.len);
	cr_assert_eq(hx_verdict("srv6-encap", "invalid-policy"), 1, "S-176: nothing cached");
	round_trip("S-176", "ip6 $T " SID " 64 / srh $R," SID " 1 / " IN6, IN6_9, IN6,
		   "ip6 $T $R 63 / srh $R," SID " 0 / " IN6_9);
	round_trip("another list", "ip6 $T " SID " 40 / srh $R,$Q," SID " 2 / " IN6, IN6_9, IN6,
		   "ip6 $T $Q 39 / srh $R,$Q," SID " 1 / " IN6_9);
	for (int i = 0; i < 5; i++)
		round_trip("the same again", "ip6 $T " SID " 40 / srh $R,$Q," SID " 2 / " IN6,
			   IN6_9, IN6, "ip6 $T $Q 39 / srh $R,$Q," SID " 1 / " IN6_9);
	cr_assert_eq(hx_mbufs_in_use(), 0);
	packet_make(&in, "ip6 $T " SID " 64 / srh " SID " 0 / " IN6, "");
	lab_send(1, in.buf, in.len);
	cr_assert_eq(hx_verdict("srv6-endpoint", "proxy-no-srh"), 1);
	lab_nothing_left("no segment left");
}

/* S-177, S-178. */
Test(srv6_services, end_am)
{
	struct hd_api_srv6_sid s = sid(HD_SRV6_END_AM);
	struct pktb in, want;

	s.target = HD_TARGET_NEXTHOP;
	s.target_id = 3;
	set_sid(&s);
	service_iface(0, 0, 91);
	packet_make(&in, "ip6 $T " SID " 64 / srh $B,$R," SID " 2 / udp / fill 16", "");
	packet_make(&want, "ip6 $T $B 63 / srh $B,$R," SID " 2 / udp / fill 16", "");
	lab_send(1, in.buf, in.len);
	lab_expect("S-177, to the service", 3, &want);
	lab_send(3, want.buf, want.len);
	packet_make(&want, "ip6 $T $R 62 / srh $B,$R," SID " 1 / udp / fill 16", "");
	lab_expect("S-177, back", 2, &want);
	/* the last segment, which the service saw, is a SID of this node too: the list goes on all the same */
	packet_make(&in, "ip6 $T $DT6 63 / srh $DT6,$R," SID " 2 / udp / fill 16", "");
	packet_make(&want, "ip6 $T $R 62 / srh $DT6,$R," SID " 1 / udp / fill 16", "");
	lab_send(3, in.buf, in.len);
	lab_expect("back, the last segment is here", 2, &want);
	packet_make(&in, "ip6 $T " SID " 64 / srh " SID " 0 / udp / fill 16", "");
	lab_send(1, in.buf, in.len);
	packet_make(&in, "ip6 $T " SID " 64 / udp / fill 16", "");
	lab_send(1, in.buf, in.len);
	cr_assert_eq(hx_verdict("srv6-endpoint", "proxy-no-srh"), 2, "S-178");
	lab_nothing_left("S-178");
}

Test(srv6_services, refused)
{
	struct hd_api_srv6_sid s = sid(HD_SRV6_END_DX2);

	cr_assert_eq(hx_set(HD_API_SRV6_SID, &s, sizeof(s)), -EINVAL);
	cr_assert_not_null(strstr(hx_error(), "needs an interface"));
	s.iface = 77;
	cr_assert_eq(hx_set(HD_API_SRV6_SID, &s, sizeof(s)), -ENOENT);
	s = sid(HD_SRV6_END_DT2U);
	cr_assert_eq(hx_set(HD_API_SRV6_SID, &s, sizeof(s)), -EINVAL);
	cr_assert_not_null(strstr(hx_error(), "needs a bridge"));
	s.l2_table = 3;
	cr_assert_eq(hx_set(HD_API_SRV6_SID, &s, sizeof(s)), -ENOENT);
	s = sid(HD_SRV6_END_AS);
	cr_assert_eq(hx_set(HD_API_SRV6_SID, &s, sizeof(s)), -EINVAL);
	s = sid(HD_SRV6_END);
	s.hmac = 3;
	cr_assert_eq(hx_set(HD_API_SRV6_SID, &s, sizeof(s)), -EINVAL);
	s.hmac = 0;
	s.flags = 0x80;
	cr_assert_eq(hx_set(HD_API_SRV6_SID, &s, sizeof(s)), -EINVAL);
}

/* Every behavior with every set of flavors: carried if it is registered and its arguments are there, else refused. */
Test(srv6_services, every_combination_of_flavors)
{
	static const struct {
		uint16_t behavior;
		bool ends; /* goes on to another segment by itself: PSP, USP, USD exist */
	} rows[] = {
		{ HD_SRV6_END, true },
		{ HD_SRV6_END_X, true },
		{ HD_SRV6_END_T, true },
		{ HD_SRV6_END_DX6, false },
		{ HD_SRV6_END_DX4, false },
		{ HD_SRV6_END_DT6, false },
		{ HD_SRV6_END_DT4, false },
		{ HD_SRV6_END_DT46, false },
		{ HD_SRV6_END_DX2, false },
		{ HD_SRV6_END_DX2V, false },
		{ HD_SRV6_END_DT2U, false },
		{ HD_SRV6_END_DT2M, false },
		{ HD_SRV6_END_B6_ENCAPS, false },
		{ HD_SRV6_END_B6_ENCAPS_RED, false },
	};
	struct ip6_addr a = pktb_addr6("2001:db8:100:f00d::");
	unsigned ok = 0;

	bridge_up();
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		uint16_t args = hd_srv6_behavior_info(rows[r].behavior)->args;

		for (uint16_t flavors = 0; flavors < 64; flavors++) {
			bool next = flavors & F_NXT, replace = flavors & F_REP;
			bool legal = flavors < 32 && !(next && replace) &&
				     (rows[r].ends || (flavors & 7) == 0);
			struct hd_api_srv6_sid s = sid(rows[r].behavior);
			int rc;

			memcpy(s.sid, &a, 16);
			s.plen = 64;
			s.flavors = flavors;
			s.lb_len = 32;
			s.ln_len = s.fn_len = 16;
			s.iface = (args & HD_SRV6_ARG_IFACE) != 0 ? 2 : 0;
			s.l2_table = (args & HD_SRV6_ARG_L2TABLE) != 0 ? BRIDGE : 0;
			if ((args & HD_SRV6_ARG_NEXTHOP) != 0)
				s.target = HD_TARGET_NEXTHOP, s.target_id = 3;
			if ((args & HD_SRV6_ARG_POLICY) != 0)
				s.target = HD_TARGET_POLICY, s.target_id = 8;
			rc = hx_set(HD_API_SRV6_SID, &s, sizeof(s));
			cr_assert_eq(rc, legal ? 0 : -EINVAL, "%s flavors 0x%x: %d %s",
				     hd_srv6_behavior_name(rows[r].behavior), flavors, rc,
				     hx_error());
			if (!legal)
				cr_assert_not_null(strstr(hx_error(), "no such combination"), "%s",
						   hx_error());
			ok += legal;
		}
	}
	cr_assert_eq(ok, 3 * 24 + 11 * 3);
}
