/* SPDX-License-Identifier: BSD-3-Clause
 * `explain` over IP forwarding: what it tells comes true, nothing comes of the telling, and it names the entries. */
#include "pipelines/ip/tests/bed.h"

#include "tests/explain_check.h"

TestSuite(ip_explain, .init = bed_up, .fini = bed_down);

#define IN4 ETH "ip4 192.0.2.1 "
#define IN6 ETH "ip6 2001:db8:a::1 "

static const struct {
	const char *why, *packet;
	bool frames;
} rows[] = {
	{ "forwarded", IN4 "203.0.113.5 64 / udp 1 2 / fill 1", true },
	{ "forwarded, IPv6", IN6 "2001:db8:c::5 64 / udp 1 2 / fill 1", true },
	{ "through an IPv6 gateway", IN4 "203.0.113.200 64 / udp 1 2", true },
	{ "through a VRF", IN4 "100.64.7.1 64 / udp 1 2", true },
	{ "neighbour on the link", IN4 "198.51.100.1 64 / udp 1 2", true },
	{ "TTL is used up", IN4 "203.0.113.5 1 / udp 1 2", true },
	{ "hop limit is used up", IN6 "2001:db8:c::5 1 / udp 1 2", true },
	{ "no route", IN4 "9.9.9.9 64 / udp 1 2", true },
	{ "blackhole", IN4 "100.64.1.1 64 / udp 1 2", true },
	{ "prohibited", IN6 "2001:db8:dead:3::1 64 / udp 1 2", true },
	{ "echo", IN4 "192.0.2.9 64 / icmp4 8 0 1 / fill 8", true },
	{ "nobody listens", IN6 "2001:db8:a::9 64 / udp 1 2", true },
	{ "the neighbour is not known", IN4 "198.51.100.77 64 / udp 1 2", false },
	{ "another station's",
	  "eth 02:99:00:00:00:01 " MAC_A " / ip4 192.0.2.1 203.0.113.5 64 / udp 1 2", true },
};

Test(ip_explain, comes_true)
{
	xp_no_rate_limit();
	for (size_t i = 0; i < RTE_DIM(rows); i++) {
		struct pktb b;

		pktb_parse(&b, rows[i].packet);
		xp_check(rows[i].why, 1, b.buf, b.len, rows[i].frames);
		drain(A);
		drain(B);
	}
}

/* Cut anywhere, as a frame of that length; and every octet of the headers changed. */
Test(ip_explain, damaged_packets)
{
	struct pktb b;

	xp_no_rate_limit();
	pktb_parse(&b, rows[0].packet);
	for (size_t n = 1; n < b.len; n++)
		xp_check("cut", 1, b.buf, n, true);
	for (size_t at = 12; at < 14 + 20; at++) {
		struct pktb c = b;

		c.buf[at] ^= 0x55;
		xp_check("changed", 1, c.buf, c.len, false);
		drain(A);
		drain(B);
	}
}

/* 3,000 octets to an MTU of 1500: the packet goes, three come. */
Test(ip_explain, fragments)
{
	static uint8_t frame[14 + 3000];
	struct pktb b;
	const struct xp *x;
	unsigned sent = 0;

	pktb_parse(&b, IN4 "203.0.113.5 64 / udp 1 2");
	memcpy(frame, b.buf, b.len);
	wire_put16(frame + 16, 3000);
	wire_put16(frame + 24, 0);
	wire_put16(frame + 24, be16_get(hd_csum_fold(hd_csum_add(0, frame + 14, 20))));
	x = xp_check("fragments", 1, frame, sizeof(frame), true);
	cr_assert_eq(x->end[0].e.fate, HD_EXPLAIN_REPLACED);
	for (unsigned i = 1; i < x->n_ends; i++)
		sent += x->end[i].e.fate == HD_EXPLAIN_SENT;
	cr_assert_eq(sent, 3);
	for (unsigned i = 0; i < x->n_steps; i++)
		if (x->step[i].packet > 1)
			cr_assert_eq(x->step[i].made_from, 1, "step %u", i);
}

static const struct hd_api_explain_entry *entry(const struct xp *x, uint16_t kind)
{
	for (unsigned i = 0; i < x->n_steps; i++)
		for (unsigned k = 0; k < x->step[i].n_entries; k++)
			if (x->step[i].entry[k].kind == kind)
				return &x->step[i].entry[k];
	return NULL;
}

Test(ip_explain, names_the_entries)
{
	static const uint8_t net[4] = { 203, 0, 113, 0 }, gw[4] = { 198, 51, 100, 1 };
	struct pktb b;
	static struct xp x;
	const struct hd_api_explain_entry *e;

	pktb_parse(&b, rows[0].packet);
	cr_assert_eq(xp_explain(&x, 1, 0, b.buf, b.len), 0);
	e = entry(&x, HD_EXPLAIN_IFACE);
	cr_assert(e != NULL && e->id == 1);
	e = entry(&x, HD_EXPLAIN_ROUTE);
	cr_assert_not_null(e);
	cr_assert(e->family == 4 && e->plen == 24 && e->arg == HD_EXPLAIN_SRC_ROUTE);
	cr_assert_arr_eq(e->addr, net, 4);
	e = entry(&x, HD_EXPLAIN_NEXTHOP);
	cr_assert(e != NULL && e->id == 1 && e->vrf_id == 2 && e->arg == HD_EXPLAIN_ADJ_RESOLVED);
	cr_assert_arr_eq(e->addr, gw, 4);
	pktb_parse(&b, IN4 "100.64.7.1 64 / udp 1 2");
	cr_assert_eq(xp_explain(&x, 1, 0, b.buf, b.len), 0);
	cr_assert_eq(x.step[1].entry[0].vrf_id, 0);
	cr_assert_eq(x.step[1].entry[1].vrf_id, 7);
	pktb_parse(&b, IN4 "9.9.9.9 64 / udp 1 2");
	cr_assert_eq(xp_explain(&x, 1, 0, b.buf, b.len), 0);
	cr_assert_not_null(entry(&x, HD_EXPLAIN_NO_ROUTE));
}

/* Whom the slow path would ask is said, and nobody is asked. */
Test(ip_explain, neighbour_is_not_asked)
{
	static struct xp x;
	struct pktb b;
	uint8_t out[64];

	pktb_parse(&b, IN4 "198.51.100.88 64 / udp 1 2");
	for (unsigned i = 0; i < 3; i++) {
		cr_assert_eq(xp_explain(&x, 1, 0, b.buf, b.len), 0);
		hx_turn();
	}
	cr_assert_eq(hx_tx(B, out, sizeof(out)), 0, "an ARP request went out");
	cr_assert_eq(x.n_ends, 1);
	cr_assert_eq(x.end[0].e.fate, HD_EXPLAIN_PUNTED);
	cr_assert_not_null(strstr(x.end[0].e.text, "198.51.100.88 on if2 by ARP"), "%s",
			   x.end[0].e.text);
}

/* A policer that is used up does not hold back an explanation, one that lets nothing through does. */
Test(ip_explain, policers_are_its_own)
{
	struct hd_api_punt_policer p = { .reason = ip_punt.icmp4_error };
	static struct xp x;
	struct pktb b;

	pktb_parse(&b, IN4 "203.0.113.5 1 / udp 1 2");
	for (unsigned i = 0; i < 200; i++) {
		cr_assert_eq(xp_explain(&x, 1, 0, b.buf, b.len), 0);
		cr_assert_eq(x.end[0].e.fate, HD_EXPLAIN_SENT, "explanation %u", i);
	}
	cr_assert_eq(hx_set(HD_API_PUNT_POLICER, &p, sizeof(p)), 0, "%s", hx_error());
	cr_assert_eq(xp_explain(&x, 1, 0, b.buf, b.len), 0);
	cr_assert_eq(x.end[0].e.fate, HD_EXPLAIN_DROPPED);
}

/* From the IP header on: the Ethernet header is put before it, with the tags of a sub-interface. */
Test(ip_explain, packets_without_a_frame)
{
	struct hd_api_iface sub = { .iface_id = 9,
				    .port_id = A,
				    .outer_tpid = 0x8100,
				    .outer_vid = 100,
				    .inner_vid = 7,
				    .flags = HD_IFACE_F_UP,
				    .name = "sub" };
	static struct xp x;
	struct pktb b;

	cr_assert_eq(hx_set(HD_API_IFACE, &sub, sizeof(sub)), 0, "%s", hx_error());
	pktb_parse(&b, "ip4 192.0.2.1 203.0.113.5 64 / udp 1 2");
	for (uint32_t iface = 1; iface <= 9; iface += 8) {
		cr_assert_eq(xp_explain(&x, iface, HD_EXPLAIN_F_L3, b.buf, b.len), 0);
		cr_assert_eq(x.end[0].e.fate, HD_EXPLAIN_SENT, "interface %u", iface);
		cr_assert_eq(x.step[0].entry[0].id, iface);
	}
	cr_assert_eq(x.step[0].length, b.len + 22);
}

Test(ip_explain, refused)
{
	static uint8_t big[HD_EXPLAIN_FRAME_MAX + 1];
	static struct xp x;

	cr_assert_eq(xp_explain(&x, 77, 0, big, 60), -ENOENT);
	cr_assert_eq(xp_explain(&x, 1, 0, big, sizeof(big)), -EMSGSIZE);
	cr_assert_eq(xp_explain(&x, 1, HD_EXPLAIN_F_L3, big, 60), -EINVAL);
	cr_assert_eq(xp_explain(&x, 1, 0, big, 0), -EINVAL);
	cr_assert_eq(x.n_ends, 0);
	cr_assert_eq(xp_explain(&x, 1, 0, big, sizeof(big) - 1), 0);
}

/* Whoever reads why a packet was dropped wants to know what to do: "what it means (RFC n m): what to do". */
Test(ip_explain, every_drop_says_what_to_do)
{
	unsigned n = 0;

	for (const struct node_desc *d = node_desc_first(); d != NULL; d = d->next)
		for (unsigned v = 0; v < d->n_verdicts; v++) {
			const struct node_verdict *r = &d->verdicts[v];
			const char *advice;

			if (strcmp(r->next, "drop") != 0)
				continue;
			n++;
			advice = strstr(r->help, ": ");
			cr_expect(strlen(r->help) < HD_STATS_ROW_TEXT, "%s %s: %s", d->name,
				  r->name, r->help);
			cr_expect(advice != NULL && strlen(advice) > 6, "%s %s: %s", d->name,
				  r->name, r->help);
			cr_expect(strchr(r->help, '(') == NULL ||
					  strstr(r->help, "(RFC ") != NULL ||
					  strstr(r->help, "(IEEE ") != NULL,
				  "%s %s: %s", d->name, r->name, r->help);
		}
	cr_assert_gt(n, 100);
}
