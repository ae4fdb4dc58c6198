/* SPDX-License-Identifier: BSD-3-Clause
 * The headend over the whole graph: the conformance rows of H.Encaps and H.Encaps.Red, policies of weighted lists, and
 * what the API refuses. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <pthread.h>

#include "dataplane/rcu.h"
#include "pipelines/srv6/policy.h"
#include "pipelines/srv6/sid_table.h"
#include "pipelines/srv6/tests/lab.h"
#include "pipelines/srv6/tests/rows.h"

#define OUTER_SRC "2001:db8:a::1"

#define REFUSED(call, rc, part)                                                   \
	do {                                                                      \
		cr_assert_eq((call), (rc), "%s", hx_error());                     \
		cr_assert_not_null(strstr(hx_error(), (part)), "%s", hx_error()); \
	} while (0)

static void set_conf(void)
{
	struct hd_api_srv6_conf c = { .flow_seed = 1 };
	struct ip6_addr a = pktb_addr6(OUTER_SRC);

	memcpy(c.encap_source, &a, 16);
	cr_assert_eq(hx_set(HD_API_SRV6_CONF, &c, sizeof(c)), 0, "%s", hx_error());
}

static void set_conf_flags(uint8_t flags)
{
	struct hd_api_srv6_conf c = { .flow_seed = 1, .flags = flags };
	struct ip6_addr a = pktb_addr6(OUTER_SRC);

	memcpy(c.encap_source, &a, 16);
	cr_assert_eq(hx_set(HD_API_SRV6_CONF, &c, sizeof(c)), 0, "%s", hx_error());
}

static int try_seglist(uint32_t id, unsigned n, const char *const *seg)
{
	struct hd_api_srv6_seglist l = { .seglist_id = id, .n_segs = n };

	for (unsigned i = 0; i < n; i++) {
		struct ip6_addr a = pktb_addr6(seg[i]);

		memcpy(l.seg[i], &a, 16);
	}
	return hx_set(HD_API_SRV6_SEGLIST, &l, 8 + 16 * n);
}

static void set_seglist(uint32_t id, unsigned n, const char *const *seg)
{
	cr_assert_eq(try_seglist(id, n, seg), 0, "%s", hx_error());
}

static int try_policy(uint32_t id, uint8_t encap, unsigned n,
		      const struct hd_api_srv6_policy_list *list)
{
	struct hd_api_srv6_policy p = { .policy_id = id, .encap = encap, .n_lists = n };

	snprintf(p.name, sizeof(p.name), "p%u", id);
	for (unsigned i = 0; i < n; i++)
		p.list[i] = list[i];
	return hx_set(HD_API_SRV6_POLICY, &p, 64 + 8 * n);
}

static void set_policy(uint32_t id, uint8_t encap, unsigned n,
		       const struct hd_api_srv6_policy_list *list)
{
	cr_assert_eq(try_policy(id, encap, n, list), 0, "%s", hx_error());
}

static const char *const s123[] = { "2001:db8:c::51", "2001:db8:c::52", "2001:db8:c::53" };

/* Policy 1 over [S1,S2,S3] towards 2001:db8:dd::/64 and 10.0.3.0/24. */
static void steer_start(void)
{
	lab_start();
	set_conf();
	set_seglist(1, 3, s123);
	set_policy(1, HD_SRV6_H_ENCAPS, 1, &(struct hd_api_srv6_policy_list){ 1, 1 });
	hx_route(0, "2001:db8:dd::/64", HD_TARGET_POLICY, 1);
	hx_route(0, "10.0.3.0/24", HD_TARGET_POLICY, 1);
}

TestSuite(srv6_steer, .init = steer_start, .fini = lab_stop, .timeout = 60);

#define IN6_DD(hop) "ip6 $A 2001:db8:dd::1 " hop " / udp / fill 16"
#define IN4_DD(ttl) "ip4 $A4 10.0.3.1 " ttl " / udp / fill 16"

/* The packet that left on a port is `want`, but for a flow label that is not 0; returns the label. */
static uint32_t expect_labelled(const char *why, uint32_t port, struct pktb *want)
{
	uint8_t b[PKTB_CAP];
	size_t n = lab_recv(port, b, sizeof(b));
	uint32_t label;

	cr_assert_eq(n, want->len, "%s: %zu octets, not %zu\n%s", why, n, want->len,
		     pktb_hexdump(b, n));
	label = wire_get32(b) & 0xfffff;
	cr_assert_neq(label, 0, "%s: no flow label", why);
	wire_put32(want->buf, (wire_get32(want->buf) & ~0xfffffu) | label);
	cr_assert_arr_eq(b, want->buf, n, "%s\nhave %s\nwant %s", why, pktb_hexdump(b, n),
			 pktb_dump(want));
	return label;
}

Test(srv6_steer, s090_h_encaps)
{
	struct pktb in, want;

	packet_make(&in, IN6_DD("64"), "0=6b 1=80");
	lab_send(1, in.buf, in.len);
	packet_make(&want, "ip6 $T $S1 64 / srh $S3,$S2,$S1 2 / " IN6_DD("63"),
		    "0=6b 1=80 96=6b 97=80");
	expect_labelled("S-090", 2, &want);
	cr_assert_eq(hx_stat("policy", 1, "packets"), 1);
	cr_assert_eq(hx_stat("policy", 1, "octets"), want.len);
	cr_assert_eq(hx_stat("seglist", 1, "packets"), 1);
	cr_assert_eq(hx_stat("seglist", 1, "octets"), want.len);
	cr_assert_eq(hx_verdict("srv6-encap", "forward"), 1);
	lab_nothing_left("S-090");
}

Test(srv6_steer, s091_h_encaps_red)
{
	struct pktb in, want;

	set_policy(1, HD_SRV6_H_ENCAPS_RED, 1, &(struct hd_api_srv6_policy_list){ 1, 1 });
	packet_make(&in, IN6_DD("64"), "");
	lab_send(1, in.buf, in.len);
	packet_make(&want, "ip6 $T $S1 64 / srh $S3,$S2 2 / " IN6_DD("63"), "");
	expect_labelled("S-091", 2, &want);
}

Test(srv6_steer, s092_one_segment_reduced)
{
	struct pktb in, want;

	set_seglist(1, 1, s123);
	set_policy(1, HD_SRV6_H_ENCAPS_RED, 1, &(struct hd_api_srv6_policy_list){ 1, 1 });
	packet_make(&in, IN6_DD("64"), "");
	lab_send(1, in.buf, in.len);
	packet_make(&want, "ip6 $T $S1 64 / " IN6_DD("63"), "");
	expect_labelled("S-092", 2, &want);
}

Test(srv6_steer, s094_ipv4_inside)
{
	struct pktb in, want;

	packet_make(&in, IN4_DD("64"), "");
	lab_send(1, in.buf, in.len);
	packet_make(&want, "ip6 $T $S1 64 / srh $S3,$S2,$S1 2 / " IN4_DD("63"), "");
	expect_labelled("S-094", 2, &want);
}

Test(srv6_steer, s095_hop_limit)
{
	struct pktb in;

	packet_make(&in, IN4_DD("1"), "");
	lab_send(1, in.buf, in.len);
	lab_expect_icmp4("S-095", 1, in.buf, 11, 0, 0);
	packet_make(&in, IN6_DD("1"), "");
	lab_send(1, in.buf, in.len);
	lab_expect_icmp6("S-095, IPv6", 1, in.buf, in.len, 3, 0, 0);
	lab_nothing_left("S-095");
	cr_assert_eq(hx_stat("policy", 1, "packets"), 0);
}

/* The label of a flow with this source port. */
static uint32_t label_of(unsigned port)
{
	uint8_t b[PKTB_CAP];
	struct pktb in;
	char text[96];

	snprintf(text, sizeof(text), "ip6 $A 2001:db8:dd::1 64 / udp %u 2000 / fill 16", port);
	packet_make(&in, text, "");
	lab_send(1, in.buf, in.len);
	cr_assert_neq(lab_recv(2, b, sizeof(b)), 0);
	return wire_get32(b) & 0xfffff;
}

Test(srv6_steer, s097_flow_label)
{
	uint32_t seen[256];
	unsigned same = 0;

	for (unsigned i = 0; i < 256; i++) {
		seen[i] = label_of(1000 + i);
		cr_assert_neq(seen[i], 0);
		for (unsigned k = 0; k < i; k++)
			same += seen[k] == seen[i];
	}
	cr_assert_leq(same, 2, "%u pairs of 256 flows share a label", same);
	for (unsigned i = 0; i < 256; i++)
		cr_assert_eq(label_of(1000 + i), seen[i], "flow %u changed its label", i);
}

Test(srv6_steer, s098_too_big_ipv6)
{
	struct pktb in;
	uint64_t octets;
	uint8_t b[PKTB_CAP];

	packet_make(&in, "ip6 $A 2001:db8:dd::1 64 / udp / fill 1452", "");
	cr_assert_eq(in.len, 1500);
	lab_send(1, in.buf, in.len);
	lab_expect_icmp6("S-098", 1, in.buf, in.len, 2, 0, 1404);
	lab_nothing_left("S-098");
	cr_assert_eq(hx_stat("policy", 1, "packets"), 0);
	cr_assert_eq(hx_stat("policy", 1, "errors"), 1);
	cr_assert_eq(hx_object_drop("policy", 1, "srv6-encap", "too-big", &octets), 1);
	cr_assert_eq(octets, 1500);
	cr_assert_eq(hx_object_drop("seglist", 1, "srv6-encap", "too-big", &octets), 1);
	cr_assert_eq(octets, 1500);
	/* the size that was told fits exactly */
	packet_make(&in, "ip6 $A 2001:db8:dd::1 64 / udp / fill 1356", "");
	cr_assert_eq(in.len, 1404);
	lab_send(1, in.buf, in.len);
	cr_assert_eq(lab_recv(2, b, sizeof(b)), 1500);
}

/* Outer packets are never fragmented, and a sender cannot be asked for less than 1280 octets: dropped, by name. */
Test(srv6_steer, s099_minimum_mtu)
{
	struct pktb in;

	lab_iface_mtu(2, 2, 1300);
	packet_make(&in, "ip6 $A 2001:db8:dd::1 64 / udp / fill 1232", "");
	cr_assert_eq(in.len, 1280);
	lab_send(1, in.buf, in.len);
	lab_nothing_left("S-099");
	cr_assert_eq(hx_verdict("srv6-encap", "too-big-min"), 1);
	packet_make(&in, "ip6 $A 2001:db8:dd::1 64 / udp / fill 1233", "");
	lab_send(1, in.buf, in.len);
	lab_expect_icmp6("S-099", 1, in.buf, in.len, 2, 0, 1280);
}

Test(srv6_steer, s100_too_big_ipv4)
{
	struct pktb in;

	packet_make(&in, "ip4 $A4 10.0.3.1 64 / udp / fill 1472", "");
	cr_assert_eq(in.len, 1500);
	in.ip4->frag = be16_make(IP4_DF);
	pktb_finish(&in);
	lab_send(1, in.buf, in.len);
	lab_expect_icmp4("S-100", 1, in.buf, 3, 4, 1404);
	lab_nothing_left("S-100");
}

/* IPv4 without DF is fragmented before it is encapsulated; the fragments together are the packet that was sent. */
Test(srv6_steer, s100_ipv4_without_df)
{
	struct pktb in;
	uint8_t b[PKTB_CAP], whole[PKTB_CAP] = { 0 };
	size_t n, got = 0;
	unsigned pieces = 0;
	uint32_t label = 0;

	packet_make(&in, "ip4 $A4 10.0.3.1 64 / udp / fill 1472", "");
	lab_send(1, in.buf, in.len);
	while ((n = lab_recv(2, b, sizeof(b))) != 0) {
		const struct ip4_hdr *h = (const struct ip4_hdr *)(b + 96);
		uint16_t frag = be16_get(h->frag), len = be16_get(h->total_len);

		cr_assert_leq(n, 1500);
		cr_assert_eq(n, 96u + len);
		cr_assert_eq(wire_get16(b + IP6_OFF_PAYLOAD_LEN), n - 40);
		cr_assert_eq(h->ttl, 63);
		cr_assert(hd_csum_ok(hd_csum_add(0, h, 20)), "header checksum");
		cr_assert(label == 0 || label == (wire_get32(b) & 0xfffff), "the flow is split");
		label = wire_get32(b) & 0xfffff;
		memcpy(whole + (frag & IP4_FRAG_MASK) * 8, h + 1, len - 20u);
		got += len - 20u;
		pieces++;
	}
	cr_assert_eq(pieces, 2);
	cr_assert_eq(got, in.len - 20);
	cr_assert_arr_eq(whole, in.buf + 20, in.len - 20);
	cr_assert_eq(hx_stat("policy", 1, "packets"), 2);
	cr_assert_eq(hx_stat("policy", 1, "errors"), 0);
	cr_assert_eq(hx_mbufs_in_use(), 0);
}

/* The first segment is a neighbour on a connected network: its MTU counts as well. */
Test(srv6_steer, too_big_for_a_connected_segment)
{
	static const char *const near[] = { "2001:db8:2::77", "2001:db8:c::1" };
	struct pktb in;

	set_seglist(1, 2, near);
	packet_make(&in, "ip6 $A 2001:db8:dd::1 64 / udp / fill 1452", "");
	lab_send(1, in.buf, in.len);
	lab_expect_icmp6("connected", 1, in.buf, in.len, 2, 0, 1420);
}

Test(srv6_steer, s105_weighted_lists)
{
	static const char *const to_s2[] = { "2001:db8:c::52" };
	const struct hd_api_srv6_policy_list lists[] = { { 1, 3 }, { 2, 1 } };
	unsigned n[2] = { 0 }, list_of[4000];
	uint8_t b[PKTB_CAP];
	struct pktb in;

	set_seglist(2, 1, to_s2);
	set_policy(1, HD_SRV6_H_ENCAPS, 2, lists);
	for (unsigned turn = 0; turn < 3; turn++) {
		for (unsigned i = 0; i < 4000; i++) {
			char text[96];
			unsigned list;

			snprintf(text, sizeof(text),
				 "ip6 $A 2001:db8:dd::1 64 / udp %u 2000 / fill 16", 1 + i);
			packet_make(&in, text, "");
			lab_send(1, in.buf, in.len);
			cr_assert_neq(lab_recv(2, b, sizeof(b)), 0);
			list = b[39] == 0x52;
			if (turn == 0) {
				list_of[i] = list;
				n[list]++;
			} else if (turn == 1) {
				cr_assert_eq(list, list_of[i], "flow %u moved", i);
			} else {
				cr_assert_eq(list, 0, "flow %u still goes to the list that went",
					     i);
			}
		}
		if (turn == 0)
			cr_assert(n[0] > 2800 && n[0] < 3200, "%u of 4000, not 75 %%", n[0]);
		if (turn == 1) /* the flows of the other list stay where they are */
			set_policy(1, HD_SRV6_H_ENCAPS, 1, lists);
	}
	cr_assert_eq(hx_stat("seglist", 1, "packets") + hx_stat("seglist", 2, "packets"), 12000);
	cr_assert_eq(hx_stat("policy", 1, "packets"), 12000);
}

Test(srv6_steer, policy_without_list_drops)
{
	struct pktb in;

	set_policy(1, HD_SRV6_H_ENCAPS, 0, NULL);
	packet_make(&in, IN6_DD("64"), "");
	lab_send(1, in.buf, in.len);
	lab_nothing_left("no list");
	cr_assert_eq(hx_verdict("srv6-encap", "invalid-policy"), 1);
	cr_assert_eq(hx_stat("policy", 1, "errors"), 1);
	cr_assert_eq(hx_object_drop("policy", 1, "srv6-encap", "invalid-policy", NULL), 1);
	cr_assert_eq(hx_object_drop("seglist", 1, "srv6-encap", "invalid-policy", NULL), 0);
}

/* An IP packet in a policy for frames, which the control process would not ask for. */
Test(srv6_steer, policy_of_frames)
{
	struct pktb in;

	set_policy(1, HD_SRV6_H_ENCAPS_L2, 1, &(struct hd_api_srv6_policy_list){ 1, 1 });
	packet_make(&in, IN6_DD("64"), "");
	lab_send(1, in.buf, in.len);
	lab_nothing_left("policy for frames");
	cr_assert_eq(hx_verdict("srv6-encap", "frame-policy"), 1);
	cr_assert_eq(hx_stat("policy", 1, "errors"), 1);
}

/* The node's treatment, and a policy's own: hop limit copied, traffic class fixed, flow label copied. */
Test(srv6_steer, treatment)
{
	struct hd_api_srv6_conf c = { .encap_hop_limit = 9,
				      .label_mode = HD_SRV6_LABEL_FIXED,
				      .label = 0x4711 };
	struct hd_api_srv6_policy p = {
		.policy_id = 1, .encap = HD_SRV6_H_ENCAPS, .n_lists = 1, .list = { { 1, 1 } }
	};
	struct ip6_addr a = pktb_addr6(OUTER_SRC);
	struct pktb in, want;

	memcpy(c.encap_source, &a, 16);
	cr_assert_eq(hx_set(HD_API_SRV6_CONF, &c, sizeof(c)), 0, "%s", hx_error());
	packet_make(&in, IN6_DD("64"), "0=6b 1=80");
	lab_send(1, in.buf, in.len);
	packet_make(&want, "ip6 $T $S1 9 / srh $S3,$S2,$S1 2 / " IN6_DD("63"),
		    "0=6b 1=80 2=47 3=11 96=6b 97=80");
	lab_expect("the node's", 2, &want);

	p.treatment = (struct hd_api_srv6_treatment){
		.set = HD_SRV6_TREAT_HOP | HD_SRV6_TREAT_TCLASS | HD_SRV6_TREAT_LABEL,
		.hop_mode = HD_SRV6_HOP_INNER,
		.tclass_mode = HD_SRV6_TCLASS_FIXED,
		.tclass = 0x20,
		.label_mode = HD_SRV6_LABEL_INNER,
	};
	cr_assert_eq(hx_set(HD_API_SRV6_POLICY, &p, sizeof(p)), 0, "%s", hx_error());
	packet_make(&in, IN6_DD("64"), "0=6b 1=85 2=43 3=21");
	lab_send(1, in.buf, in.len);
	packet_make(&want, "ip6 $T $S1 63 / srh $S3,$S2,$S1 2 / " IN6_DD("63"),
		    "0=62 1=05 2=43 3=21 96=6b 97=85 98=43 99=21");
	lab_expect("the policy's", 2, &want);

	p.treatment.label_mode = 3;
	cr_assert_eq(hx_set(HD_API_SRV6_POLICY, &p, sizeof(p)), -EINVAL);
	c.hop_mode = 2;
	cr_assert_eq(hx_set(HD_API_SRV6_CONF, &c, sizeof(c)), -EINVAL);
}

/* S-083 to S-085 with the uniform model: DSCP and a lower hop limit go inwards, ECN as ever. */
Test(srv6_steer, decapsulation_uniform)
{
	struct pktb in, want;

	set_conf_flags(HD_SRV6_CONF_F_DECAP_DSCP | HD_SRV6_CONF_F_DECAP_HOP);
	packet_make(&in, "ip6 $T $DT6 20 / ip6 $A $B 64 / udp / fill 16", "0=6b 1=83 40=60 41=20");
	lab_send(1, in.buf, in.len);
	packet_make(&want, "ip6 $A $B 19 / udp / fill 16", "0=6b 1=a0");
	lab_expect("IPv6", 5, &want);
	packet_make(&in, "ip6 $T $DT4 20 / ip4 $A4 $B4 64 / udp / fill 16", "0=6b 1=80");
	lab_send(1, in.buf, in.len);
	packet_make(&want, "ip4 $A4 $B4 19 / udp / fill 16", "");
	want.ip4->tos = 0xb8;
	pktb_finish(&want);
	lab_expect("IPv4", 5, &want);
	packet_make(&in, "ip6 $T $DT6 200 / ip6 $A $B 64 / udp / fill 16", "");
	lab_send(1, in.buf, in.len);
	packet_make(&want, "ip6 $A $B 63 / udp / fill 16", "");
	lab_expect("never upwards", 5, &want);
	packet_make(&in, "ip6 $T $DT6 1 / ip6 $A $B 64 / udp / fill 16", "");
	lab_send(1, in.buf, in.len);
	cr_assert_geq(lab_recv(5, in.buf, sizeof(in.buf)), 48, "its source is told");
	cr_assert_eq(in.buf[IP6_OFF_NEXT_HEADER], IP_NH_ICMP6, "its hop limit is reached");
	cr_assert_eq(in.buf[40], ICMP6_TIME_EXCEEDED);
}

static void watch(void)
{
	for (unsigned i = 0; i < 10; i++)
		srv6_policy_tick();
	rcu_reclaim();
}

/* RFC 9256 5.1: a list whose first segment has no way is spared while there is another; with none, senders are told. */
Test(srv6_steer, s186_first_segment_without_way)
{
	static const char *const lost[] = { "2001:db8:77::1" };
	const struct hd_api_srv6_policy_list lists[] = { { 1, 1 }, { 2, 1 } };
	struct pktb in;
	uint8_t b[PKTB_CAP];
	unsigned n = 0;

	set_seglist(2, 1, lost);
	set_policy(1, HD_SRV6_H_ENCAPS, 2, lists);
	watch();
	for (unsigned i = 0; i < 64; i++) {
		char text[96];

		snprintf(text, sizeof(text), "ip6 $A 2001:db8:dd::1 64 / udp %u 2000 / fill 16",
			 1 + i);
		packet_make(&in, text, "");
		lab_send(1, in.buf, in.len);
		n += lab_recv(2, b, sizeof(b)) != 0;
	}
	cr_assert_eq(n, 64, "%u of 64 flows get through", n);
	hx_route(0, "2001:db8:77::/64", HD_TARGET_NEXTHOP, 2); /* its way comes */
	watch();
	cr_assert_eq(srv6_policy_get(1)->n_lists, 2);
	cr_assert_eq(hx_del(HD_API_ROUTE,
			    &(struct hd_api_route){ .family = 6,
						    .plen = 64,
						    .prefix = { 0x20, 1, 0x0d, 0xb8, 0, 0x77 } },
			    HD_API_ROUTE_KEY),
		     0);
	set_policy(1, HD_SRV6_H_ENCAPS, 1, &lists[1]);
	watch();
	packet_make(&in, IN6_DD("64"), "");
	lab_send(1, in.buf, in.len);
	lab_expect_icmp6("no other list", 1, in.buf, in.len, 1, 0, 0);
}

/* RFC 2473 section 7: each encapsulation with each inner family and number of segments, at the last size that fits and
 * the first that does not.  A test for each MTU, since errors are limited in rate. */
ParameterizedTestParameters(srv6_mtu, edges)
{
	static uint16_t mtus[] = { 1400, 1500, 1501, 4000, 8999 };

	return cr_make_param_array(uint16_t, mtus, sizeof(mtus) / sizeof(mtus[0]));
}

static void mtu_edge(uint16_t mtu, unsigned room, unsigned v, bool fits)
{
	uint8_t b[PKTB_CAP];
	struct pktb in;
	char text[96];

	snprintf(text, sizeof(text), "%s / udp / fill %u",
		 v == 6 ? "ip6 $A 2001:db8:dd::1 64" : "ip4 $A4 10.0.3.1 64",
		 room + !fits - (v == 6 ? 48 : 28));
	packet_make(&in, text, "");
	if (v == 4) {
		in.ip4->frag = be16_make(IP4_DF);
		pktb_finish(&in);
	}
	cr_assert_eq(in.len, room + !fits);
	lab_send(1, in.buf, in.len);
	if (fits)
		cr_assert_eq(lab_recv(2, b, sizeof(b)), mtu, "%s", text);
	else if (v == 6)
		lab_expect_icmp6(text, 1, in.buf, in.len, 2, 0, room > 1280 ? room : 1280);
	else
		lab_expect_icmp4(text, 1, in.buf, 3, 4, room);
	lab_nothing_left(text);
}

ParameterizedTest(uint16_t *mtu, srv6_mtu, edges, .init = steer_start, .fini = lab_stop,
		  .timeout = 60)
{
	lab_iface_mtu(2, 2, *mtu);
	for (unsigned n = 1; n <= 3; n++) {
		for (uint8_t encap = HD_SRV6_H_ENCAPS; encap <= HD_SRV6_H_ENCAPS_RED; encap++) {
			unsigned entries = encap == HD_SRV6_H_ENCAPS ? n : n - 1;
			unsigned room = *mtu - 40u - (entries != 0 ? 8 + 16 * entries : 0);

			set_seglist(1, n, s123);
			set_policy(1, encap, 1, &(struct hd_api_srv6_policy_list){ 1, 1 });
			for (unsigned v = 4; v <= 6; v += 2) {
				mtu_edge(*mtu, room, v, true);
				mtu_edge(*mtu, room, v, false);
			}
		}
	}
}

static int try_l2_iface(uint32_t id, uint32_t policy)
{
	struct hd_api_iface i = { .iface_id = id,
				  .port_id = id,
				  .mtu = 1500,
				  .mac = { 2, 0, 0, 0, 0, (uint8_t)id },
				  .flags = HD_IFACE_F_UP,
				  .l2_policy_id = policy };

	snprintf(i.name, sizeof(i.name), "if%u", id);
	return hx_set(HD_API_IFACE, &i, sizeof(i));
}

/* S-096: whole frames, whatever their addresses, tags and all; flows of the IP packets inside have flow labels of
 * their own. */
Test(srv6_steer, s096_h_encaps_l2)
{
	static const char *const frames[] = {
		"eth 02:bb:00:00:00:01 02:bb:00:00:00:02 / vlan 0x600a / ip4 $A4 $B4 64 / udp 5 6 / fill 50",
		"eth ff:ff:ff:ff:ff:ff 02:bb:00:00:00:02 / fill 46",
		"eth 02:bb:00:00:00:01 02:bb:00:00:00:02 / ip6 $A $B 1 / udp 5 6 / fill 1340",
	};
	static const char *const set[] = { "0=66 1=00", "", "" };

	set_policy(2, HD_SRV6_H_ENCAPS_L2, 1, &(struct hd_api_srv6_policy_list){ 1, 1 });
	REFUSED(try_l2_iface(3, 1), -EINVAL, "does not take Ethernet frames");
	REFUSED(try_l2_iface(3, 99), -ENOENT, "");
	cr_assert_eq(try_l2_iface(3, 2), 0, "%s", hx_error());
	for (unsigned red = 0; red < 2; red++) {
		if (red)
			set_policy(2, HD_SRV6_H_ENCAPS_L2_RED, 1,
				   &(struct hd_api_srv6_policy_list){ 1, 1 });
		for (unsigned i = 0; i < 3; i++) {
			struct pktb in, want;
			char text[400];

			packet_make(&in, frames[i], "");
			hx_rx(3, in.buf, in.len);
			hx_turn();
			snprintf(text, sizeof(text), "ip6 $T $S1 64 / srh $S3,$S2%s 2 / %s",
				 red ? "" : ",$S1", frames[i]);
			packet_make(&want, text, set[i]);
			expect_labelled("S-096", 2, &want);
		}
	}
	cr_assert_eq(hx_stat("policy", 2, "packets"), 6);
	/* 80 octets of outer headers on a link of 1500: frames of 1420 fit, longer ones do not */
	struct pktb in;

	packet_make(&in, "eth / ip6 $A $B 1 / udp / fill 1358", "");
	hx_rx(3, in.buf, in.len);
	hx_turn();
	cr_assert_eq(hx_verdict("srv6-encap-l2", "forward"), 7);
	packet_make(&in, "eth / ip6 $A $B 1 / udp / fill 1359", "");
	hx_rx(3, in.buf, in.len);
	hx_turn();
	cr_assert_eq(hx_verdict("srv6-encap-l2", "too-big"), 1);
	hx_rx(3, in.buf, 13);
	hx_turn();
	cr_assert_eq(hx_verdict("eth-input", "truncated"), 1);
	set_policy(2, HD_SRV6_H_ENCAPS_L2, 0, NULL);
	packet_make(&in, frames[0], "");
	hx_rx(3, in.buf, in.len);
	hx_turn();
	cr_assert_eq(hx_verdict("srv6-encap-l2", "invalid-policy"), 1);
}

/* A changed segment list is in the next packet, and with it every policy that uses it. */
Test(srv6_steer, changed_list)
{
	static const char *const other[] = { "2001:db8:c::52", "2001:db8:c::51" };
	struct pktb in, want;

	set_seglist(1, 2, other);
	packet_make(&in, IN6_DD("64"), "");
	lab_send(1, in.buf, in.len);
	packet_make(&want, "ip6 $T $S2 64 / srh $S1,$S2 1 / " IN6_DD("63"), "");
	expect_labelled("changed list", 2, &want);
}

/* Errors about the way to the first segment go to the inner source, about the inner packet. */
Test(srv6_steer, no_route_to_the_first_segment)
{
	static const char *const nowhere[] = { "2001:db8:dead::1" };
	struct pktb in;

	set_seglist(1, 1, nowhere);
	packet_make(&in, IN6_DD("64"), "");
	lab_send(1, in.buf, in.len);
	lab_expect_icmp6("no route", 1, in.buf, in.len, 1, 0, 0);
	packet_make(&in, IN4_DD("64"), "");
	lab_send(1, in.buf, in.len);
	lab_expect_icmp4("no route", 1, in.buf, 3, 0, 0);
	lab_nothing_left("no route");
}

/* The first segment is a SID of this node: pushed, processed, sent on. */
Test(srv6_steer, first_segment_is_own)
{
	static const char *const own[] = { "2001:db8:b::100", "2001:db8:c::1" };
	struct pktb in, want;

	set_seglist(1, 2, own);
	packet_make(&in, IN6_DD("64"), "");
	lab_send(1, in.buf, in.len);
	packet_make(&want, "ip6 $T $R 63 / srh $R,$E 0 / " IN6_DD("63"), "");
	expect_labelled("own SID first", 2, &want);
}

/* A policy whose first segment is steered into itself ends in a named drop, not in a loop. */
Test(srv6_steer, recursion_ends)
{
	struct pktb in;

	hx_route(0, "2001:db8:c::51/128", HD_TARGET_POLICY, 1);
	packet_make(&in, IN6_DD("64"), "");
	lab_send(1, in.buf, in.len);
	lab_nothing_left("recursion");
	cr_assert_eq(hx_drops(), 1);
	cr_assert_eq(hx_mbufs_in_use(), 0);
}

/* Sixteen segments push 304 octets: more than the headroom, so the packet moves in its buffer. */
Test(srv6_steer, sixteen_segments)
{
	const char *seg[16];
	char text[1024] = "ip6 $T $S1 64 / srh ";
	struct pktb in, want;

	for (int i = 0; i < 16; i++)
		seg[i] = i == 0 ? s123[0] : s123[1];
	set_seglist(1, 16, seg);
	for (int i = 0; i < 15; i++)
		strcat(text, "$S2,");
	strcat(text, "$S1 15 / ip6 $A 2001:db8:dd::1 63 / udp / fill 1000");
	packet_make(&in, "ip6 $A 2001:db8:dd::1 64 / udp / fill 1000", "");
	lab_send(1, in.buf, in.len);
	packet_make(&want, text, "");
	expect_labelled("16 segments", 2, &want);
}

/* Both families, two policies and two tables, packets that fit and that do not, in one burst. */
Test(srv6_steer, mixed_bursts)
{
	static const char *const kinds[][2] = {
		{ "ip6 $A 2001:db8:dd::1 64 / udp / fill 16",
		  "ip6 $T $S1 64 / srh $S3,$S2,$S1 2 / " IN6_DD("63") },
		{ "ip4 $A4 10.0.3.1 64 / udp / fill 16",
		  "ip6 $T $S1 64 / srh $S3,$S2,$S1 2 / " IN4_DD("63") },
		{ "ip6 $A 2001:db8:d7::1 64 / udp / fill 16",
		  "ip6 $T $R7 64 / ip6 $A 2001:db8:d7::1 63 / udp / fill 16" },
		{ "ip4 $A4 10.0.4.1 64 / udp / fill 16",
		  "ip6 $T $R7 64 / ip4 $A4 10.0.4.1 63 / udp / fill 16" },
		{ "ip6 $A 2001:db8:d8::1 64 / udp / fill 16", "" }, /* a policy without list */
	};
	static const char *const r7[] = { "2001:db8:c7::1" };
	struct hd_api_srv6_policy p = { .policy_id = 2,
					.vrf_id = 7,
					.encap = HD_SRV6_H_ENCAPS_RED,
					.n_lists = 1,
					.list = { { 2, 1 } } };
	static struct pktb in[5], want[5];
	static uint8_t b[PKTB_CAP],
		frame[14 + PKTB_CAP] = { 2, 0, 0, 0, 0, 1, 2, 0xaa, 0, 0, 0, 1 };
	unsigned due[5] = { 0 }, sent = 0;
	uint32_t seed = 77;
	size_t len;

	set_seglist(2, 1, r7);
	cr_assert_eq(hx_set(HD_API_SRV6_POLICY, &p, 72), 0, "%s", hx_error());
	set_policy(3, HD_SRV6_H_ENCAPS, 0, NULL);
	hx_route(0, "2001:db8:d7::/64", HD_TARGET_POLICY, 2);
	hx_route(0, "10.0.4.0/24", HD_TARGET_POLICY, 2);
	hx_route(0, "2001:db8:d8::/64", HD_TARGET_POLICY, 3);
	for (unsigned i = 0; i < 5; i++) {
		packet_make(&in[i], kinds[i][0], "");
		if (i < 4)
			packet_make(&want[i], kinds[i][1], "");
	}
	for (; sent < 1200; sent++) {
		unsigned i;

		seed = seed * 1664525 + 1013904223;
		i = (seed >> 8) % 5;
		wire_put16(frame + 12, in[i].buf[0] >> 4 == 6 ? 0x86dd : 0x0800);
		memcpy(frame + 14, in[i].buf, in[i].len);
		hx_rx(1, frame, 14 + in[i].len);
		due[i]++;
		if (sent % 100 == 99)
			hx_turn();
	}
	cr_assert_eq(hx_verdict("srv6-encap", "invalid-policy"), due[4]);
	for (uint32_t port = 2; port <= 4; port += 2) {
		while ((len = lab_recv(port, b, sizeof(b))) != 0) {
			unsigned i = port == 2 ? 0 : 2;

			wire_put32(b, 6u << 28); /* the label has a test of its own */
			while (i < 4 && (due[i] == 0 || len != want[i].len ||
					 memcmp(b, want[i].buf, len) != 0))
				i++;
			cr_assert_lt(i, 4, "nobody asked for this on port %u\n%s", port,
				     pktb_hexdump(b, len));
			due[i]--;
		}
	}
	for (unsigned i = 0; i < 4; i++)
		cr_assert_eq(due[i], 0, "%u packets of kind %u are missing", due[i], i);
	lab_nothing_left("mixed bursts");
	cr_assert_eq(hx_mbufs_in_use(), 0);
}

/* A packet in several buffers: pushed, advanced, popped, decapsulated; its octets stay in order. */
Test(srv6_steer, packet_in_several_buffers)
{
	static struct pktb in, want;

	for (uint32_t i = 1; i <= 3; i++)
		lab_iface_mtu(i, i, 9000);
	packet_make(&in, "ip6 $A 2001:db8:dd::1 64 / udp / fill 7000", "");
	lab_send(1, in.buf, in.len);
	packet_make(
		&want,
		"ip6 $T $S1 64 / srh $S3,$S2,$S1 2 / ip6 $A 2001:db8:dd::1 63 / udp / fill 7000",
		"");
	expect_labelled("several buffers, pushed", 2, &want);
	packet_make(&in, "ip6 $T $Epsp 64 / srh $R,$Epsp 1 / udp / fill 7000", "");
	lab_send(1, in.buf, in.len);
	packet_make(&want, "ip6 $T $R 63 / udp / fill 7000", "");
	lab_expect("several buffers, popped", 2, &want);
	packet_make(&in, "ip6 $T $Xusd 64 / srh $Xusd 0 / ip6 $A $B 10 / udp / fill 7000", "");
	lab_send(1, in.buf, in.len);
	packet_make(&want, "ip6 $A $B 9 / udp / fill 7000", "");
	lab_expect("several buffers, decapsulated", 3, &want);
	packet_make(&in, "ip6 $T $E 64 / srh $R,$E 3 / udp / fill 7000", "");
	lab_send(1, in.buf, in.len);
	lab_expect_icmp6("several buffers, refused", 1, in.buf, in.len, 4, 0, 43);
	lab_nothing_left("several buffers");
	cr_assert_eq(hx_mbufs_in_use(), 0);
}

/* ---- changes under a reader: whole before or whole after, never in between, never freed under its hands -------- */

static struct {
	volatile bool stop;
	unsigned long reads, torn, seen[17];
} reader;

/* Version v of segment list 1: v segments, each with v in its last octet. */
static void seglist_version(unsigned v)
{
	struct hd_api_srv6_seglist l = { .seglist_id = 1, .n_segs = v };

	for (unsigned i = 0; i < v; i++) {
		struct ip6_addr a = pktb_addr6("2001:db8:c::");

		a.b[15] = (uint8_t)v;
		memcpy(l.seg[i], &a, 16);
	}
	cr_assert_eq(hx_set(HD_API_SRV6_SEGLIST, &l, 8 + 16 * v), 0, "%s", hx_error());
}

static bool outer_is_whole(const struct srv6_outer *o)
{
	unsigned v = o->hdr[39];

	if (o->seglist_id == 2)
		return o->len == 64;
	if (v == 0 || v > 16 || o->len != 48 + 16 * v || o->hdr[43] != v - 1 || o->hdr[44] != v - 1)
		return false;
	for (unsigned i = 0; i < v; i++)
		if (o->hdr[48 + 16 * i + 15] != v)
			return false;
	reader.seen[v]++;
	return true;
}

static void *reader_main(void *arg)
{
	(void)arg;
	rcu_worker_register(0);
	while (!reader.stop) {
		const struct srv6_policy *p = srv6_policy_get(1);
		const struct srv6_sid *s = srv6_sid_get(1);

		for (uint32_t h = 0; h < 256 && p != NULL; h += 5)
			reader.torn += !outer_is_whole(srv6_policy_select(p, h << 24));
		/* the SID is End with flavors f and as many upper layers */
		reader.torn += s != NULL &&
			       (s->behavior != HD_SRV6_END || s->upper_allow != s->flavors);
		reader.reads++;
		rcu_worker_quiescent(0);
	}
	rcu_worker_unregister(0);
	return NULL;
}

Test(srv6_steer, changes_under_a_reader)
{
	static const char *const one_seg[] = { "2001:db8:c::99" };
	const struct hd_api_srv6_policy_list lists[] = { { 1, 1 }, { 2, 1 } };
	struct sid_name e = sid_names[0];
	unsigned versions = 0;
	pthread_t thread;

	set_seglist(2, 1, one_seg);
	seglist_version(1);
	lab_sid(1, &e, 0);
	cr_assert_eq(pthread_create(&thread, NULL, reader_main, NULL), 0);
	for (unsigned i = 0; i < 4000; i++) {
		seglist_version(1 + i % 16);
		set_policy(1, HD_SRV6_H_ENCAPS, 1 + i % 2, lists);
		e.flavors = i % 8;
		lab_sid(1, &e, e.flavors);
	}
	reader.stop = true;
	pthread_join(thread, NULL);
	for (unsigned v = 1; v <= 16; v++)
		versions += reader.seen[v] != 0;
	cr_assert_eq(reader.torn, 0, "%lu of %lu reads saw something in between", reader.torn,
		     reader.reads);
	cr_assert_geq(versions, 2, "the reader saw nothing change");
	rcu_drain();
	cr_assert_eq(rcu_pending(), 0);
}

/* ---- refusals: nothing changes, the text says why --------------------------------------------------------------- */

static int try_sid(uint32_t id, const char *addr, uint8_t plen, uint16_t behavior, uint16_t flavors,
		   uint32_t target)
{
	struct hd_api_srv6_sid s = { .plen = plen,
				     .sid_id = id,
				     .behavior = behavior,
				     .flavors = flavors,
				     .target = target,
				     .target_id = 3 };
	struct ip6_addr a = pktb_addr6(addr);

	memcpy(s.sid, &a, 16);
	return hx_set(HD_API_SRV6_SID, &s, sizeof(s));
}

Test(srv6_steer, sids_refused)
{
	const char *at = "2001:db8:b::777";

	REFUSED(try_sid(50, at, 128, 4711, 0, 0), -EINVAL, "unknown");
	REFUSED(try_sid(50, at, 128, HD_SRV6_END_BM, 0, 0), -EOPNOTSUPP, "no MPLS");
	REFUSED(try_sid(50, at, 128, HD_SRV6_END_DX2, 0, 0), -EINVAL, "end.dx2 needs an interface");
	REFUSED(try_sid(50, at, 128, HD_SRV6_END_DT6, F_PSP, 0), -EINVAL, "psp");
	REFUSED(try_sid(50, at, 128, HD_SRV6_END, F_NXT, 0), -EINVAL, "needs its structure");
	REFUSED(try_sid(50, at, 128, HD_SRV6_END, F_NXT | F_REP, 0), -EINVAL,
		"no such combination");
	REFUSED(try_sid(50, at, 128, HD_SRV6_END_X, 0, 0), -EINVAL, "next hop");
	REFUSED(try_sid(50, at, 128, HD_SRV6_END, 0, HD_TARGET_NEXTHOP), -EINVAL, "neither");
	REFUSED(try_sid(50, at, 64, HD_SRV6_END, 0, 0), -EINVAL, "behind its prefix");
	REFUSED(try_sid(50, "ff02::1", 128, HD_SRV6_END, 0, 0), -EINVAL, "unicast");
	REFUSED(try_sid(0xffffff, at, 128, HD_SRV6_END, 0, 0), -ENOSPC, "not below");
	REFUSED(try_sid(1, at, 128, HD_SRV6_END, 0, 0), -EEXIST, "another SID");
	cr_assert_eq(try_sid(50, at, 128, HD_SRV6_END, F_PSP | F_USP | F_USD, 0), 0, "%s",
		     hx_error());
	/* a SID may change its id, and the id is free then */
	cr_assert_eq(try_sid(51, at, 128, HD_SRV6_END, 0, 0), 0, "%s", hx_error());
	cr_assert_eq(try_sid(50, "2001:db8:b::778", 128, HD_SRV6_END, 0, 0), 0, "%s", hx_error());
}

Test(srv6_steer, policies_refused)
{
	const struct hd_api_srv6_policy_list twice[] = { { 1, 1 }, { 1, 2 } }, zero = { 1, 0 },
					     absent = { 9, 1 };
	uint32_t key = 1;

	REFUSED(try_policy(2, HD_SRV6_H_ENCAPS_L2_RED + 1, 0, NULL), -EINVAL, "encapsulation 5");
	REFUSED(try_policy(2, 9, 0, NULL), -EINVAL, "unknown");
	REFUSED(try_policy(2, HD_SRV6_H_ENCAPS, 2, twice), -EINVAL, "twice");
	REFUSED(try_policy(2, HD_SRV6_H_ENCAPS, 1, &zero), -EINVAL, "weight");
	REFUSED(try_policy(2, HD_SRV6_H_ENCAPS, 1, &absent), -ENOENT, "segment list");
	REFUSED(try_policy(0xffffff, HD_SRV6_H_ENCAPS, 0, NULL), -ENOSPC, "not below");
	REFUSED(try_seglist(5, 0, NULL), -EINVAL, "segments");
	REFUSED(hx_del(HD_API_SRV6_SEGLIST, &key, sizeof(key)), -EBUSY, "still used");
	REFUSED(hx_del(HD_API_SRV6_POLICY, &key, sizeof(key)), -EBUSY, "still used");
}
