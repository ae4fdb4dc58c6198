/* SPDX-License-Identifier: BSD-3-Clause
 * The node under test for graph tests: interfaces, tables, neighbours and every SID of names.h.
 *
 *   port 1  T, A and A4: where stimuli come from and errors go to
 *   port 2  R, Q, S1.., B and B4 by the default table
 *   port 3  J1, next hop 3: what End.X, End.DX6, End.DX4 use
 *   port 4  table 7, port 5  table 10: everything by default routes
 *   port 6  MTU 1400, 2001:db8:c:14::/64 */
#ifndef SRV6_TESTS_LAB_H
#define SRV6_TESTS_LAB_H

#include <criterion/criterion.h>

#include "pipelines/srv6/tests/names.h"
#include "tests/harness.h"

#define LAB_PORTS 6u

static inline void lab_sid(uint32_t sid_id, const struct sid_name *n, uint32_t upper)
{
	struct hd_api_srv6_sid s = { .plen = n->plen,
				     .lb_len = n->lb,
				     .ln_len = n->ln,
				     .fn_len = n->fn,
				     .sid_id = sid_id,
				     .behavior = n->behavior,
				     .flavors = n->flavors,
				     .table4 = n->table4,
				     .table6 = n->table6,
				     .target = n->target,
				     .target_id = n->target_id,
				     .upper_allow = upper };
	struct ip6_addr a = pktb_addr6(n->addr);

	memcpy(s.sid, &a, 16);
	cr_assert_eq(hx_set(HD_API_SRV6_SID, &s, sizeof(s)), 0, "SID %s: %s", n->name, hx_error());
}

/* sid_id of a destination: its place in sid_names plus 1; 0: none. */
static inline uint32_t lab_sid_id(const uint8_t *ip)
{
	const struct sid_name *n = sid_name_of(ip);

	return n != NULL ? (uint32_t)(n - sid_names) + 1 : 0;
}

static inline void lab_iface_mtu(uint32_t id, uint32_t port, uint16_t mtu)
{
	struct hd_api_iface i = { .iface_id = id,
				  .port_id = port,
				  .mtu = mtu,
				  .mac = { 2, 0, 0, 0, 0, (uint8_t)id },
				  .flags = HD_IFACE_F_UP };

	snprintf(i.name, sizeof(i.name), "if%u", id);
	cr_assert_eq(hx_set(HD_API_IFACE, &i, sizeof(i)), 0, "%s", hx_error());
}

static inline void lab_nexthop(uint32_t iface)
{
	char addr[40], net[48], mac[24];

	snprintf(net, sizeof(net), "2001:db8:%u::ff/64", iface);
	snprintf(addr, sizeof(addr), "2001:db8:%u::1", iface);
	snprintf(mac, sizeof(mac), "02:aa:00:00:00:%02x", iface);
	hx_addr(iface, net);
	hx_neigh(iface, addr, mac);
	hx_nexthop(iface, iface, addr);
}

static inline void lab_start(void)
{
	static const uint32_t vrf[LAB_PORTS + 1] = { [4] = 7, [5] = 10 };
	uint8_t frame[256];

	hx_start_default();
	hx_vrf(7);
	hx_vrf(10);
	for (uint32_t i = 1; i <= LAB_PORTS; i++) {
		cr_assert_eq(hx_port(), i);
		hx_iface(i, i, vrf[i]);
		lab_nexthop(i);
	}
	lab_iface_mtu(6, 6, 1400);
	hx_addr(1, "2001:db8:a::ff/64");
	hx_neigh(1, "2001:db8:a::1", "02:aa:00:00:00:01");
	hx_addr(1, "2001:db8:aa::ff/64");
	hx_neigh(1, "2001:db8:aa::1", "02:aa:00:00:00:01");
	hx_addr(1, "10.0.1.254/24");
	hx_neigh(1, "10.0.1.1", "02:aa:00:00:00:01");
	hx_route(0, "2001:db8:c::/64", HD_TARGET_NEXTHOP, 2);
	hx_route(0, "2001:db8:bb::/64", HD_TARGET_NEXTHOP, 2);
	hx_route(0, "10.0.2.0/24", HD_TARGET_NEXTHOP, 2);
	hx_route(0, "2001:db8:c:14::/64", HD_TARGET_NEXTHOP, 6);
	for (uint32_t t = 4; t <= 5; t++) {
		hx_route(vrf[t], "::/0", HD_TARGET_NEXTHOP, t);
		hx_route(vrf[t], "0.0.0.0/0", HD_TARGET_NEXTHOP, t);
	}
	/* policies of the binding SIDs: 8 full, 9 reduced, both [S1, S2] */
	struct hd_api_srv6_seglist sl = { .seglist_id = 8, .n_segs = 2 };
	struct ip6_addr a = pktb_addr6(name_addr("S1", 2)), src = pktb_addr6("2001:db8:b::b");
	memcpy(sl.seg[0], &a, 16);
	a = pktb_addr6(name_addr("S2", 2));
	memcpy(sl.seg[1], &a, 16);
	cr_assert_eq(hx_set(HD_API_SRV6_SEGLIST, &sl, sizeof(sl)), 0, "%s", hx_error());
	for (uint32_t i = 8; i <= 9; i++) {
		struct hd_api_srv6_policy p = { .policy_id = i,
						.encap = i == 8 ? HD_SRV6_H_ENCAPS :
								  HD_SRV6_H_ENCAPS_RED,
						.n_lists = 1,
						.list = { { 8, 1 } } };
		memcpy(p.source, &src, 16);
		cr_assert_eq(hx_set(HD_API_SRV6_POLICY, &p, sizeof(p)), 0, "%s", hx_error());
	}
	hx_route(0, "2001:db8::/48", HD_TARGET_NEXTHOP, 2);
	hx_route(0, "2001:db8:200::/39", HD_TARGET_NEXTHOP, 2);
	hx_route(0, "2001:db8:d004::/48", HD_TARGET_UNREACHABLE, 0);
	hx_route(0, "2001:db8:b2::/47", HD_TARGET_NEXTHOP, 2);
	hx_route(0, "2001:db8:f000::/36", HD_TARGET_NEXTHOP, 2);
	for (uint32_t i = 0; i < N_SID_NAMES; i++)
		lab_sid(i + 1, &sid_names[i], HD_SRV6_UPPER_ICMP6);
	hx_turn();
	for (uint32_t p = 1; p <= LAB_PORTS; p++) /* announcements of the new addresses */
		while (hx_tx(p, frame, sizeof(frame)) != 0)
			;
}

static inline void lab_stop(void)
{
	hx_stop();
}

/* An IP packet in an Ethernet frame into a port; lab_send() then walks until nothing moves. */
static inline void lab_queue(uint32_t port, const uint8_t *ip, size_t len)
{
	uint8_t frame[14 + PKTB_CAP] = { 2, 0,    0, 0, 0, (uint8_t)port,
					 2, 0xaa, 0, 0, 0, (uint8_t)port };

	wire_put16(frame + 12, ip[0] >> 4 == 6 ? 0x86dd : 0x0800);
	memcpy(frame + 14, ip, len);
	hx_rx(port, frame, 14 + len);
}

static inline void lab_send(uint32_t port, const uint8_t *ip, size_t len)
{
	lab_queue(port, ip, len);
	hx_turn();
}

/* Octets of the next IP packet that left on a port, 0: none.  The frame must be sound. */
static inline size_t lab_recv(uint32_t port, uint8_t *ip, size_t cap)
{
	static uint8_t frame[14 + PKTB_CAP];
	size_t n = hx_tx(port, frame, sizeof(frame));

	if (n == 0)
		return 0;
	cr_assert_geq(n, 14 + 20u, "runt of %zu octets", n);
	cr_assert_leq(n - 14, cap);
	memcpy(ip, frame + 14, n - 14);
	cr_assert_eq(wire_get16(frame + 12), ip[0] >> 4 == 6 ? 0x86dd : 0x0800, "ethertype");
	return n - 14;
}

static inline void lab_nothing_left(const char *why)
{
	uint8_t b[PKTB_CAP];

	for (uint32_t p = 1; p <= LAB_PORTS; p++) {
		size_t n = lab_recv(p, b, sizeof(b));

		cr_assert_eq(n, 0, "%s: something leaves on port %u\n%s", why, p,
			     pktb_hexdump(b, n));
	}
}

static inline void lab_expect_(const char *why, uint32_t port, const struct pktb *want,
			       bool any_label)
{
	uint8_t b[PKTB_CAP];
	size_t n = lab_recv(port, b, sizeof(b));

	if (any_label && n >= 40) {
		cr_assert_neq(wire_get32(b) & 0xfffff, 0, "%s: no flow label", why);
		wire_put32(b, wire_get32(b) & 0xfff00000);
	}
	cr_assert_neq(n, 0, "%s: nothing leaves on port %u", why, port);
	cr_assert_eq(n, want->len, "%s: %zu octets, not %zu\n%s", why, n, want->len,
		     pktb_hexdump(b, n));
	if (memcmp(b, want->buf, n) != 0) {
		char have[8192];

		snprintf(have, sizeof(have), "%s", pktb_hexdump(b, n));
		cr_assert_fail("%s\nhave\n%s\nwant\n%s", why, have, pktb_dump(want));
	}
}

/* The next packet of a port is exactly this. */
static inline void lab_expect(const char *why, uint32_t port, const struct pktb *want)
{
	lab_expect_(why, port, want, false);
}

/* The same with any flow label but 0. */
static inline void lab_expect_encap(const char *why, uint32_t port, const struct pktb *want)
{
	lab_expect_(why, port, want, true);
}

/* The next packet of a port is an ICMPv6 error to the source of `cause`, quoting it as received. */
static inline void lab_expect_icmp6(const char *why, uint32_t port, const uint8_t *cause,
				    size_t cause_len, uint8_t type, uint8_t code, uint32_t data)
{
	uint8_t b[PKTB_CAP];
	size_t n = lab_recv(port, b, sizeof(b)), quoted = cause_len < 1232 ? cause_len : 1232;
	const struct ip6_fixed *h = (const struct ip6_fixed *)b;
	const struct icmp6_msg *m = (const struct icmp6_msg *)(b + 40);

	cr_assert_neq(n, 0, "%s: no error on port %u", why, port);
	cr_assert_eq(b[0] >> 4, 6);
	cr_assert_eq(h->next_header, IP_NH_ICMP6, "%s: no ICMPv6\n%s", why, pktb_hexdump(b, n));
	cr_assert_arr_eq(&h->dst, cause + 8, 16, "%s: not to the source", why);
	cr_assert_leq(n, 1280, "%s: error of %zu octets", why, n);
	cr_assert_eq(n, 48 + quoted, "%s: %zu octets quoted, not %zu", why, n - 48, quoted);
	cr_assert(hd_csum_ok(hd_csum_add(hd_csum_ip6_pseudo(&h->src, &h->dst, (uint32_t)(n - 40),
							    IP_NH_ICMP6),
					 m, n - 40)),
		  "%s: checksum", why);
	cr_assert_eq(m->type, type, "%s: type %u", why, m->type);
	cr_assert_eq(m->code, code, "%s: code %u", why, m->code);
	cr_assert_eq(be32_get(m->data), data, "%s: pointer or MTU %u, not %u", why,
		     be32_get(m->data), data);
	if (memcmp(b + 48, cause, quoted) != 0) {
		char have[8192];

		snprintf(have, sizeof(have), "%s", pktb_hexdump(b + 48, quoted));
		cr_assert_fail("%s: the quote is not what was received\nquote\n%s\nsent\n%s", why,
			       have, pktb_hexdump(cause, quoted));
	}
}

static inline void lab_expect_icmp4(const char *why, uint32_t port, const uint8_t *cause,
				    uint8_t type, uint8_t code, uint32_t data)
{
	uint8_t b[PKTB_CAP];
	size_t n = lab_recv(port, b, sizeof(b));
	const struct ip4_hdr *h = (const struct ip4_hdr *)b;
	const struct icmp4_msg *m = (const struct icmp4_msg *)(b + 20);

	cr_assert_geq(n, 28 + 28u, "%s: no error on port %u", why, port);
	cr_assert_eq(h->proto, IP_NH_ICMP4);
	cr_assert_arr_eq(&h->dst, cause + 12, 4, "%s: not to the source", why);
	cr_assert_eq(m->type, type, "%s: type %u", why, m->type);
	cr_assert_eq(m->code, code, "%s: code %u", why, m->code);
	cr_assert_eq(be32_get(m->data), data, "%s: MTU %u, not %u", why, be32_get(m->data), data);
	cr_assert_arr_eq(b + 28, cause, 28, "%s: the quote is not what was received", why);
}

/* The SR domain of the rows about its edge: SIDs, the nodes' own among them, and sources (RFC 8754 5.1).  hx_set()'s
 * answer. */
static inline int lab_domain(void)
{
	static const struct {
		uint8_t kind, plen;
		const char *prefix;
	} row[] = { { HD_SRV6_DOMAIN_SIDS, 48, "2001:db8:b::" },
		    { HD_SRV6_DOMAIN_SIDS, 64, "2001:db8:c::" },
		    { HD_SRV6_DOMAIN_SOURCE, 64, "2001:db8:a::" },
		    { HD_SRV6_DOMAIN_OWN, 48, "2001:db8:b::" } };
	struct hd_api_srv6_domain d = { .n_prefixes = 4 };

	for (unsigned i = 0; i < 4; i++) {
		struct ip6_addr a = pktb_addr6(row[i].prefix);

		d.prefix[i].kind = row[i].kind;
		d.prefix[i].plen = row[i].plen;
		memcpy(d.prefix[i].prefix, &a, 16);
	}
	return hx_set(HD_API_SRV6_DOMAIN, &d, 8 + 4 * sizeof(d.prefix[0]));
}

#endif
