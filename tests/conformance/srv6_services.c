/* SPDX-License-Identifier: BSD-3-Clause
 * What rows_steps.h needs of the node under test: in this process, and as Heddle's or the kernel's configuration. */
#include "tests/conformance/srv6_node.h"

/* Interfaces beside the six of lab.h. */
enum { P_FRAMES = 7, P_BRIDGE = 8, P_AS = 11, P_AD, P_AM, P_OUTSIDE, P_INSIDE, P_DOWN };
/* Ids that no other part of the suite has. */
enum { SID_FIRST = 220, POLICY_AFTER = 120, POLICY_WIRE, POLICY_VPN, POLICY_SIGNED, POLICY_CACHE };
#define BRIDGE    3u
#define VLANS     5u
#define SPREAD_ID 60u
#define HMAC_KEY  42u

/* ---- in this process ------------------------------------------------------------------------------------------- */

static void iface(uint32_t id, uint32_t flags, uint32_t l2_policy)
{
	struct hd_api_iface i = { .iface_id = id,
				  .port_id = id,
				  .mac = { 2, 0, 0, 0, 0, (uint8_t)id },
				  .flags = flags,
				  .l2_policy_id = l2_policy };

	snprintf(i.name, sizeof(i.name), "p%u", id);
	must(hx_set(HD_API_IFACE, &i, sizeof(i)), i.name);
}

static uint32_t next_sid = SID_FIRST;

static uint32_t sid(const char *addr, struct hd_api_srv6_sid s)
{
	struct ip6_addr a = pktb_addr6(addr);

	memcpy(s.sid, &a, 16);
	s.plen = s.plen != 0 ? s.plen : 128;
	s.sid_id = next_sid++;
	s.upper_allow = HD_SRV6_UPPER_ICMP6;
	must(hx_set(HD_API_SRV6_SID, &s, sizeof(s)), addr);
	return s.sid_id;
}

static void policy(uint32_t id, uint8_t encap, uint32_t key, const char *const *segments)
{
	struct hd_api_srv6_seglist l = { .seglist_id = id * 2 };
	struct hd_api_srv6_policy p = { .policy_id = id, .encap = encap, .hmac_key_id = key };

	for (; segments != NULL && segments[l.n_segs] != NULL; l.n_segs++) {
		struct ip6_addr a = pktb_addr6(segments[l.n_segs]);

		memcpy(l.seg[l.n_segs], &a, 16);
	}
	if (l.n_segs != 0) {
		must(hx_set(HD_API_SRV6_SEGLIST, &l, 8 + 16 * l.n_segs), "list");
		p.list[p.n_lists++] = (struct hd_api_srv6_policy_list){ l.seglist_id, 1 };
	}
	must(hx_set(HD_API_SRV6_POLICY, &p, sizeof(p)), "policy");
}

#define S1 "2001:db8:c::51"
#define S2 "2001:db8:c::52"
#define S3 "2001:db8:c::53"

static void start_policies(void)
{
	policy(POLICY_AFTER, HD_SRV6_H_ENCAPS, 0, (const char *const[]){ S1, S2, NULL });
	policy(POLICY_WIRE, HD_SRV6_H_ENCAPS_L2, 0, (const char *const[]){ S1, S2, S3, NULL });
	policy(POLICY_VPN, HD_SRV6_H_ENCAPS, 0, (const char *const[]){ S1, S2, VPN, NULL });
	policy(POLICY_SIGNED, HD_SRV6_H_ENCAPS_RED, HMAC_KEY, (const char *const[]){ S1, NULL });
	policy(POLICY_CACHE, HD_SRV6_H_ENCAPS, 0, NULL);
	hx_route(0, "2001:db8:d7::/64", HD_TARGET_POLICY, POLICY_VPN);
	hx_route(0, "2001:db8:d8::/64", HD_TARGET_POLICY, POLICY_SIGNED);
}

static void start_interfaces(void)
{
	iface(P_FRAMES, HD_IFACE_F_UP, POLICY_WIRE);
	for (uint32_t i = P_BRIDGE; i < P_BRIDGE + 3; i++)
		iface(i, HD_IFACE_F_UP, 0);
	for (uint32_t i = P_AS; i <= P_INSIDE; i++) {
		iface(i, HD_IFACE_F_UP | HD_IFACE_F_INGRESS, 0);
		lab_nexthop(i);
	}
	iface(P_DOWN, 0, 0);
	lab_nexthop(P_DOWN);
}

static void start_l2(void)
{
	const struct hd_api_vlan_entry entry = { VLANS, 100, 0, P_FRAMES };
	const struct hd_api_bridge bridge = { .bridge_id = BRIDGE };

	must(hx_set(HD_API_VLAN_ENTRY, &entry, sizeof(entry)), "VLAN table");
	must(hx_set(HD_API_BRIDGE, &bridge, sizeof(bridge)), "bridge");
	for (uint32_t i = 1; i <= 3; i++) {
		struct hd_api_bridge_port m = { .member_id = i,
						.bridge_id = BRIDGE,
						.iface_id = P_BRIDGE + i - 1,
						.segment = i == 2 ? 12 : 0 };

		must(hx_set(HD_API_BRIDGE_PORT, &m, sizeof(m)), "bridge port");
	}
	sid(DX2, (struct hd_api_srv6_sid){ .behavior = HD_SRV6_END_DX2, .iface = P_FRAMES });
	sid(DX2V, (struct hd_api_srv6_sid){ .behavior = HD_SRV6_END_DX2V, .l2_table = VLANS });
	sid(DT2U, (struct hd_api_srv6_sid){ .behavior = HD_SRV6_END_DT2U, .l2_table = BRIDGE });
	sid(DT2M, (struct hd_api_srv6_sid){
			  .behavior = HD_SRV6_END_DT2M, .l2_table = BRIDGE, .plen = 112 });
}

static void ingress(struct hd_api_srv6_ingress in)
{
	must(hx_set(HD_API_SRV6_INGRESS, &in, sizeof(in)), "ingress");
}

static void start_proxies(void)
{
	struct hd_api_srv6_sid s = { .behavior = HD_SRV6_END_AS,
				     .inner = HD_SRV6_INNER_IP4,
				     .target = HD_TARGET_NEXTHOP,
				     .target_id = P_AS };
	uint32_t am;

	sid(AS, s);
	s = (struct hd_api_srv6_sid){ .behavior = HD_SRV6_END_AD,
				      .inner = HD_SRV6_INNER_IP6,
				      .target = HD_TARGET_NEXTHOP,
				      .target_id = P_AD,
				      .cache = POLICY_CACHE };
	sid(AD, s);
	am = sid(AM, (struct hd_api_srv6_sid){ .behavior = HD_SRV6_END_AM,
					       .target = HD_TARGET_NEXTHOP,
					       .target_id = P_AM });
	ingress((struct hd_api_srv6_ingress){ .iface_id = P_AS, .policy4_id = POLICY_AFTER });
	ingress((struct hd_api_srv6_ingress){ .iface_id = P_AD, .policy6_id = POLICY_CACHE });
	ingress((struct hd_api_srv6_ingress){ .iface_id = P_AM, .am_sid_id = am });
}

static void start_edge(void)
{
	must(lab_domain(), "domain");
	ingress((struct hd_api_srv6_ingress){ .iface_id = P_OUTSIDE,
					      .flags = HD_SRV6_INGRESS_OUTSIDE });
	ingress((struct hd_api_srv6_ingress){ .iface_id = P_INSIDE,
					      .flags = HD_SRV6_INGRESS_INSIDE });
}

static void start_more_sids(void)
{
	const struct hd_api_nhgroup two = { .group_id = SPREAD_ID,
					    .n_members = 2,
					    .member = { { 2, 1 }, { 3, 1 } } };

	must(hx_set(HD_API_NHGROUP, &two, 8 + 2 * sizeof(two.member[0])), "next hops");
	sid(XTWO, (struct hd_api_srv6_sid){ .behavior = HD_SRV6_END_X,
					    .target = HD_TARGET_NHGROUP,
					    .target_id = SPREAD_ID });
	sid(XDOWN, (struct hd_api_srv6_sid){ .behavior = HD_SRV6_END_X,
					     .target = HD_TARGET_NEXTHOP,
					     .target_id = P_DOWN });
	sid(OAM, (struct hd_api_srv6_sid){ .behavior = HD_SRV6_END, .flags = HD_SRV6_SID_F_OAM });
	sid(OAMPSP, (struct hd_api_srv6_sid){ .behavior = HD_SRV6_END,
					      .flavors = HD_SRV6_FLAVOR_PSP,
					      .flags = HD_SRV6_SID_F_OAM });
	sid(HOPT,
	    (struct hd_api_srv6_sid){ .behavior = HD_SRV6_END, .hmac = HD_SRV6_HMAC_IF_PRESENT });
}

void services_start(void)
{
	uint8_t frame[256];

	for (uint32_t i = LAB_PORTS + 1; i <= SUITE_PORTS; i++)
		must(hx_port() == i ? 0 : -1, "port");
	start_policies();
	start_interfaces();
	start_l2();
	start_proxies();
	start_edge();
	start_more_sids();
	dut_turn();
	for (uint32_t p = 1; p <= SUITE_PORTS; p++) /* announcements of the new addresses */
		while (dut_tx(p, frame, sizeof(frame)) != 0)
			;
}

/* ---- as configuration ------------------------------------------------------------------------------------------ */

static void config_interfaces(FILE *f)
{
	for (unsigned p = P_FRAMES; p <= P_DOWN; p++) {
		fprintf(f,
			"    - name: p%u\n      devargs: net_af_packet_p%u,iface=p%u\n      mtu: 1500\n",
			p, p, p);
		if (p < P_AS)
			fprintf(f, "      promiscuous: true\n");
		else
			fprintf(f,
				"      ipv6: {address: [{ip: \"2001:db8:%u::ff\", prefix-length: 64}]}\n",
				p);
		if (p == P_DOWN)
			fprintf(f, "      enabled: false\n");
	}
}

static void config_routes(FILE *f)
{
	fprintf(f,
		"    - {prefix: \"2001:db8:d7::/64\", srv6-policy: vpn, policy-service-sid: \"" VPN
		"\"}\n"
		"    - {prefix: \"2001:db8:d8::/64\", srv6-policy: signed}\n"
		"    - {prefix: \"2001:db8:d9::/64\", srv6-policy: by-origin}\n"
		"    - {prefix: \"2001:db8:da::/64\", srv6-policy: by-originator}\n"
		"    - {prefix: \"2001:db8:db::/64\", srv6-policy: lists}\n");
}

static void config_policies(FILE *f)
{
	static const struct {
		const char *name, *leaves, *segments;
	} plain[] = {
		{ "after", "h-encaps", "\"" S1 "\", \"" S2 "\"" },
		{ "wire", "h-encaps-l2", "\"" S1 "\", \"" S2 "\", \"" S3 "\"" },
		{ "vpn", "h-encaps", "\"" S1 "\", \"" S2 "\"" },
		{ "signed", "h-encaps-red, hmac-key: 42", "\"" S1 "\"" },
	};

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		fprintf(f,
			"    - {name: %s, encapsulation: %s, segment-list: [{name: l, segment: [%s]}]}\n",
			plain[i].name, plain[i].leaves, plain[i].segments);
	fprintf(f,
		"    - name: by-origin\n      encapsulation: h-encaps\n      candidate-path:\n"
		"        - {name: b, protocol-origin: bgp, segment-list: [{name: l, segment: [\"" S1
		"\"]}]}\n"
		"        - {name: c, protocol-origin: configuration, segment-list: [{name: l, segment: [\"" S2
		"\"]}]}\n"
		"    - name: by-originator\n      encapsulation: h-encaps\n      candidate-path:\n"
		"        - {name: two, originator-asn: 2, segment-list: [{name: l, segment: [\"" S2
		"\"]}]}\n"
		"        - {name: one, originator-asn: 1, segment-list: [{name: l, segment: [\"" S1
		"\"]}]}\n"
		"    - name: lists\n      encapsulation: h-encaps\n      segment-list:\n"
		"        - {name: weightless, weight: 0, segment: [\"" S1 "\"]}\n"
		"        - {name: empty, weight: 5}\n"
		"        - {name: nowhere, weight: 5, segment: [\"2001:db8:dead::1\"]}\n"
		"        - {name: good, segment: [\"" S3 "\"]}\n");
}

/* A SID in one line; port: where its next hop is, 0: it has none. */
static void config_sid(FILE *f, const char *sid, unsigned plen, unsigned port, const char *leaves)
{
	fprintf(f, "    - {sid: \"%s/%u\", behavior: %s", sid, plen, leaves);
	if (port != 0)
		fprintf(f, ", next-hop: [{interface: p%u, address: \"2001:db8:%u::1\"}]", port,
			port);
	fprintf(f, "}\n");
}

static void config_sids(FILE *f)
{
	config_sid(f, DX2, 128, 0, "end-dx2, interface: p7");
	config_sid(f, DX2V, 128, 0, "end-dx2v, vlan-table: tags");
	config_sid(f, DT2U, 128, 0, "end-dt2u, bridge: lan");
	config_sid(f, DT2M, 112, 0, "end-dt2m, bridge: lan");
	config_sid(f, AS, 128, P_AS,
		   "end-as, service: {payload: ipv4, from-interface: p11, policy: after}");
	config_sid(f, AD, 128, P_AD, "end-ad, service: {payload: ipv6, from-interface: p12}");
	config_sid(f, AM, 128, P_AM, "end-am, service: {from-interface: p13}");
	config_sid(f, XDOWN, 128, P_DOWN, "end-x");
	config_sid(f, OAM, 128, 0, "end, o-flag: true");
	config_sid(f, OAMPSP, 128, 0, "end, flavor: [psp], o-flag: true");
	config_sid(f, HOPT, 128, 0, "end, hmac: verify-if-present");
	fprintf(f, "    - sid: \"" XTWO "/128\"\n      behavior: end-x\n      next-hop:\n");
	for (unsigned p = 2; p <= 3; p++)
		fprintf(f, "        - {interface: p%u, address: \"2001:db8:%u::1\"}\n", p, p);
}

static void config_rest(FILE *f)
{
	fprintf(f,
		"  locator:\n    - {name: b, prefix: \"2001:db8:b::/48\"}\n"
		"    - {name: n, prefix: \"2001:db8:100::/46\"}\n"
		"    - {name: f, prefix: \"2001:db8:f000::/36\"}\n    - {name: r, prefix: \"2001:db8:b2::/47\"}\n"
		"  domain:\n    sid-prefix: [\"2001:db8:b::/48\", \"2001:db8:c::/64\"]\n"
		"    source-prefix: [\"2001:db8:a::/64\"]\n"
		"  interface:\n    - {name: p7, l2-policy: wire}\n    - {name: p14, sr-domain: outside}\n"
		"    - {name: p15, sr-domain: inside}\n"
		"bridges:\n  bridge:\n    - name: lan\n      member:\n        - {name: p8}\n"
		"        - {name: p9, ethernet-segment: 12}\n        - {name: p10}\n"
		"  vlan-table: [{name: tags, entry: [{outer: 100, inner: 0, interface: p7}]}]\n");
}

void services_config(FILE *f, enum services_part part)
{
	switch (part) {
	case PART_INTERFACES:
		config_interfaces(f);
		break;
	case PART_NEIGHBOURS:
		for (unsigned p = P_AS; p <= P_DOWN; p++)
			fprintf(f,
				"    - {interface: p%u, address: \"2001:db8:%u::1\", mac: \"02:aa:00:00:00:%02x\"}\n",
				p, p, p);
		break;
	case PART_ROUTES:
		config_routes(f);
		break;
	case PART_POLICIES:
		config_policies(f);
		break;
	case PART_SIDS:
		config_sids(f);
		break;
	case PART_REST:
		config_rest(f);
		break;
	}
}

void services_config_linux(FILE *f)
{
	for (unsigned p = P_FRAMES; p <= P_DOWN; p++)
		fprintf(f,
			"sysctl -qw net.ipv6.conf.p%u.seg6_enabled=1 net.ipv6.conf.p%u.accept_dad=0\n"
			"ip link set p%u address 02:00:00:00:00:%02x mtu 1500 up\n",
			p, p, p, p);
	fprintf(f, "ip -6 route add " DX2 " encap seg6local action End.DX2 oif p7 dev p2\n");
}
