/* SPDX-License-Identifier: BSD-3-Clause
 * rtnetlink messages: those that zebra of FRR 8.4 makes (netlink_route_multipath_msg_encode() in zebra/rt_netlink.c:
 * attributes in its order, its own protocol numbers), which this machine's kernel may refuse, and every truncation
 * and broken length of them.  Built with libmnl, as octets of exactly the size they say. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/lwtunnel.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <linux/seg6.h>
#include <linux/seg6_iptunnel.h>
#include <linux/seg6_local.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/kernel/kernel_private.h"
#include "heddle/srv6_behavior.h"

static uint8_t buf[4096];

static void put_addr(struct nlmsghdr *h, uint16_t type, const char *text)
{
	uint8_t a[16];

	if (inet_pton(AF_INET, text, a) == 1)
		mnl_attr_put(h, type, 4, a);
	else if (inet_pton(AF_INET6, text, a) == 1)
		mnl_attr_put(h, type, 16, a);
	else
		cr_assert(false, "%s", text);
}

static struct nlmsghdr *route(uint8_t family, uint8_t plen, uint8_t protocol)
{
	memset(buf, 0, sizeof(buf));
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	h->nlmsg_type = RTM_NEWROUTE;
	struct rtmsg *r = mnl_nlmsg_put_extra_header(h, sizeof(*r));
	r->rtm_family = family;
	r->rtm_dst_len = plen;
	r->rtm_protocol = protocol;
	r->rtm_type = RTN_UNICAST;
	r->rtm_table = RT_TABLE_MAIN;
	return h;
}

/* A SID as zebra puts it: RTA_ENCAP_TYPE first, then the nest, then RTA_OIF. */
static struct nlmsghdr *sid(const char *prefix, uint8_t plen, uint32_t action, uint16_t table_attr,
			    uint32_t table)
{
	struct nlmsghdr *h = route(AF_INET6, plen, RTPROT_BGP);

	put_addr(h, RTA_DST, prefix);
	mnl_attr_put_u32(h, RTA_PRIORITY, 20);
	mnl_attr_put_u16(h, RTA_ENCAP_TYPE, LWTUNNEL_ENCAP_SEG6_LOCAL);
	struct nlattr *nest = mnl_attr_nest_start(h, RTA_ENCAP);
	mnl_attr_put_u32(h, SEG6_LOCAL_ACTION, action);
	if (table_attr != 0)
		mnl_attr_put_u32(h, table_attr, table);
	mnl_attr_nest_end(h, nest);
	mnl_attr_put_u32(h, RTA_OIF, 5);
	return h;
}

static void put_srh(struct nlmsghdr *h, uint16_t attr, int mode, const char *const *segs,
		    unsigned n)
{
	uint8_t body[4 + 8 + 16 * 4] = { 0 };
	unsigned off = attr == SEG6_IPTUNNEL_SRH ? 4 : 0;

	memcpy(body, &mode, off);
	body[off + 1] = (uint8_t)(2 * n); /* hdrlen */
	body[off + 2] = 4;
	body[off + 3] = body[off + 4] = (uint8_t)(n - 1);
	for (unsigned i = 0; i < n; i++)
		cr_assert_eq(inet_pton(AF_INET6, segs[i], body + off + 8 + 16 * (n - 1 - i)), 1);
	mnl_attr_put(h, attr, off + 8 + 16 * n, body);
}

static struct nlmsghdr *encap(int mode, const char *const *segs, unsigned n)
{
	struct nlmsghdr *h = route(AF_INET, 24, RTPROT_BGP);

	put_addr(h, RTA_DST, "192.0.2.0");
	mnl_attr_put_u16(h, RTA_ENCAP_TYPE, LWTUNNEL_ENCAP_SEG6);
	struct nlattr *nest = mnl_attr_nest_start(h, RTA_ENCAP);
	put_srh(h, SEG6_IPTUNNEL_SRH, mode, segs, n);
	mnl_attr_nest_end(h, nest);
	mnl_attr_put_u32(h, RTA_OIF, 7);
	return h;
}

static struct nl_route parsed;

static const struct nl_route *parse(const struct nlmsghdr *h)
{
	cr_assert_eq(nl_route_parse(h, &parsed), 0);
	return &parsed;
}

struct sid_row {
	char why[48];
	uint32_t action;
	uint16_t attr;
	uint32_t table;
};
ParameterizedTestParameters(netlink, frr_sids)
{
	static struct sid_row rows[] = {
		{ "End.DT46 with vrftable, both families", SEG6_LOCAL_ACTION_END_DT46,
		  SEG6_LOCAL_VRFTABLE, 1001 },
		{ "End.DT4 with vrftable", SEG6_LOCAL_ACTION_END_DT4, SEG6_LOCAL_VRFTABLE, 1002 },
		{ "End.DT6 with table", SEG6_LOCAL_ACTION_END_DT6, SEG6_LOCAL_TABLE, 1003 },
		{ "End.DT6 with vrftable", SEG6_LOCAL_ACTION_END_DT6, SEG6_LOCAL_VRFTABLE, 70000 },
		{ "End.T", SEG6_LOCAL_ACTION_END_T, SEG6_LOCAL_TABLE, 254 },
		{ "End: a locator's own", SEG6_LOCAL_ACTION_END, 0, 0 },
	};
	return cr_make_param_array(struct sid_row, rows, sizeof(rows) / sizeof(rows[0]));
}
ParameterizedTest(struct sid_row *row, netlink, frr_sids)
{
	const struct nl_route *r =
		parse(sid("2001:db8:1:1:1::", 128, row->action, row->attr, row->table));
	const struct nl_seg6local *l = &r->leg[0].u.local;

	cr_assert_eq(r->n_legs, 1, "%s", row->why);
	cr_assert_eq(r->leg[0].encap, NL_ENCAP_SEG6LOCAL);
	cr_assert_eq(l->action, row->action);
	cr_assert_eq(l->vrf_table, row->attr == SEG6_LOCAL_VRFTABLE ? row->table : 0);
	cr_assert_eq(l->table, row->attr == SEG6_LOCAL_TABLE ? row->table : 0);
	cr_assert_not(l->unknown);
	cr_assert_eq(r->plen, 128);
	cr_assert_eq(r->protocol, RTPROT_BGP);
	cr_assert_eq(r->priority, 20);
}

/* --- translation: the same messages through model and translation, to table objects ----------- */

static struct mirror m;
static struct ctrl c;

static void mirror_setup(void)
{
	struct hd_api_hello hello = { .max_nexthops = 64,
				      .max_nhgroups = 64,
				      .max_seglists = 64,
				      .max_policies = 64,
				      .max_sids = 64 };
	struct nl_link far = { .index = 5, .name = "far" };

	memset(&m, 0, sizeof(m));
	m.c = &c;
	m.gen = 1;
	cr_assert_eq(model_init(&m), 0);
	cr_assert_eq(dpo_table_init(&m.dpos, &hello), 0);
	m.dpos_ready = m.ignore_config = true;
	m.conf.enabled = m.conf.any_protocol = true;
	m.conf.n_tables = 4;
	m.conf.table[0].table = RT_TABLE_MAIN;
	m.conf.table[1].table = 1001;
	m.conf.table[1].vrf_id = 11;
	m.conf.table[2].table = 1002;
	m.conf.table[2].vrf_id = 12;
	m.conf.table[3].table = 1003;
	m.conf.table[3].vrf_id = 13;
	m.conf.encap_source[0] = 0x20;
	m.model.links = calloc(1, sizeof(*m.model.links));
	m.model.links->l = far;
	m.model.links->iface_id = 3;
}

static void mirror_teardown(void)
{
	model_fini(&m);
	dpo_table_fini(&m.dpos);
}

TestSuite(netlink_translate, .init = mirror_setup, .fini = mirror_teardown);

static void want_of(const struct nlmsghdr *h, struct wanted *w)
{
	model_message(&m, h, false);
	cr_assert_eq(nl_route_parse(h, &parsed), 0);
	struct kprefix *p = prefix_find(&m, parsed.table, parsed.family, parsed.plen, parsed.dst);
	cr_assert_not_null(p);
	prefix_wanted(&m, p, w);
}

Test(netlink_translate, frr_end_dt46_goes_to_its_vrf)
{
	struct wanted w;

	want_of(sid("2001:db8:1:1:1::", 128, SEG6_LOCAL_ACTION_END_DT46, SEG6_LOCAL_VRFTABLE, 1001),
		&w);
	cr_assert_null(w.why, "%s", w.why);
	cr_assert_eq(w.what, SENT_SID);
	cr_assert_eq(w.sid->behavior, HD_SRV6_END_DT46);
	cr_assert_eq(w.sid->table4, 11);
	cr_assert_eq(w.sid->table6, 11);
	cr_assert_eq(w.vrf_id, 0);
	want_of(sid("2001:db8:1:1:2::", 128, SEG6_LOCAL_ACTION_END_DT4, SEG6_LOCAL_VRFTABLE, 1002),
		&w);
	cr_assert_eq(w.sid->behavior, HD_SRV6_END_DT4);
	cr_assert_eq(w.sid->table4, 12);
	cr_assert_eq(w.sid->table6, 0);
	want_of(sid("2001:db8:1:1:3::", 128, SEG6_LOCAL_ACTION_END_DT6, SEG6_LOCAL_TABLE, 1003),
		&w);
	cr_assert_eq(w.sid->behavior, HD_SRV6_END_DT6);
	cr_assert_eq(w.sid->table6, 13);
}

Test(netlink_translate, a_table_that_is_not_mirrored_is_named)
{
	struct wanted w;

	want_of(sid("2001:db8:1:1:1::", 128, SEG6_LOCAL_ACTION_END_DT46, SEG6_LOCAL_VRFTABLE, 77),
		&w);
	cr_assert_not_null(w.why);
	cr_assert_not_null(strstr(w.why, "77"), "%s", w.why);
	cr_assert_eq(w.what, SENT_ROUTE);
	cr_assert_eq(w.target, HD_TARGET_BLACKHOLE);
	m.conf.punt = true;
	want_of(sid("2001:db8:1:1:1::", 128, SEG6_LOCAL_ACTION_END_DT46, SEG6_LOCAL_VRFTABLE, 77),
		&w);
	cr_assert_eq(w.target, HD_TARGET_HOST);
}

/* Every combination of the four flavors the kernel has, by its bit; wrong ones are refused, none is mixed up. */
Test(netlink_translate, flavors_map_one_to_one)
{
	static const uint16_t ours[] = { [SEG6_LOCAL_FLV_OP_PSP] = HD_SRV6_FLAVOR_PSP,
					 [SEG6_LOCAL_FLV_OP_USP] = HD_SRV6_FLAVOR_USP,
					 [SEG6_LOCAL_FLV_OP_USD] = HD_SRV6_FLAVOR_USD,
					 [SEG6_LOCAL_FLV_OP_NEXT_CSID] = HD_SRV6_FLAVOR_NEXT_CSID };

	for (uint32_t ops = 0; ops < 64; ops += 2) {
		struct wanted w;
		uint16_t want = 0;
		struct nlmsghdr *h = route(AF_INET6, 48, RTPROT_STATIC);
		mnl_attr_put_u32(h, RTA_OIF, 5);
		put_addr(h, RTA_DST, "fcbb:bb00:1::");
		struct nlattr *nest = mnl_attr_nest_start(h, RTA_ENCAP);
		mnl_attr_put_u32(h, SEG6_LOCAL_ACTION, SEG6_LOCAL_ACTION_END);
		struct nlattr *flv = mnl_attr_nest_start(h, SEG6_LOCAL_FLAVORS);
		mnl_attr_put_u32(h, SEG6_LOCAL_FLV_OPERATION, ops);
		mnl_attr_put_u8(h, SEG6_LOCAL_FLV_LCBLOCK_BITS, 24);
		mnl_attr_put_u8(h, SEG6_LOCAL_FLV_LCNODE_FN_BITS, 8);
		mnl_attr_nest_end(h, flv);
		mnl_attr_nest_end(h, nest);
		mnl_attr_put_u16(h, RTA_ENCAP_TYPE,
				 LWTUNNEL_ENCAP_SEG6_LOCAL); /* behind its nest */
		h->nlmsg_flags = NLM_F_REPLACE;
		want_of(h, &w);
		if ((ops & 32) != 0) { /* a flavor of a kernel to come */
			cr_assert_not_null(w.why, "ops %#x", ops);
			continue;
		}
		for (unsigned op = 1; op <= 4; op++)
			want |= (ops >> op & 1) != 0 ? ours[op] : 0;
		cr_assert_null(w.why, "ops %#x: %s", ops, w.why);
		cr_assert_eq(w.sid->flavors, want, "ops %#x gave %#x", ops, w.sid->flavors);
		if ((want & HD_SRV6_FLAVOR_NEXT_CSID) != 0) {
			cr_assert_eq(w.sid->lb_len, 24);
			cr_assert_eq(w.sid->ln_len + w.sid->fn_len, 8);
		}
	}
}

Test(netlink_translate, segments_in_the_order_of_the_journey)
{
	static const char *const segs[] = { "2001:db8:a::1", "2001:db8:b::1", "2001:db8:c::1" };
	struct wanted w;

	want_of(encap(SEG6_IPTUN_MODE_ENCAP, segs, 3), &w);
	cr_assert_null(w.why, "%s", w.why);
	cr_assert_eq(w.target, HD_TARGET_POLICY);
	const struct hd_api_srv6_policy *p = (const void *)w.dpo->body;
	const struct hd_api_srv6_seglist *l = (const void *)w.dpo->dep[0]->body;
	cr_assert_eq(p->encap, HD_SRV6_H_ENCAPS);
	cr_assert_eq(p->policy_id, w.dpo->id);
	cr_assert_geq(p->policy_id, 32, "ids of the upper half");
	cr_assert_eq(l->n_segs, 3);
	for (unsigned i = 0; i < 3; i++) {
		uint8_t a[16];
		inet_pton(AF_INET6, segs[i], a);
		cr_assert_arr_eq(l->seg[i], a, 16, "segment %u", i);
	}
	want_of(encap(SEG6_IPTUN_MODE_INLINE, segs, 1), &w);
	cr_assert_not_null(w.why);
}

Test(netlink_translate, end_b6_encaps_has_its_policy)
{
	static const char *const segs[] = { "2001:db8:a::1", "2001:db8:b::1" };
	struct nlmsghdr *h = route(AF_INET6, 64, RTPROT_STATIC);
	struct wanted w;

	put_addr(h, RTA_DST, "2001:db8:b6::");
	mnl_attr_put_u16(h, RTA_ENCAP_TYPE, LWTUNNEL_ENCAP_SEG6_LOCAL);
	struct nlattr *nest = mnl_attr_nest_start(h, RTA_ENCAP);
	mnl_attr_put_u32(h, SEG6_LOCAL_ACTION, SEG6_LOCAL_ACTION_END_B6_ENCAP);
	put_srh(h, SEG6_LOCAL_SRH, 0, segs, 2);
	mnl_attr_nest_end(h, nest);
	mnl_attr_put_u32(h, RTA_OIF, 5);
	want_of(h, &w);
	cr_assert_null(w.why, "%s", w.why);
	cr_assert_eq(w.sid->behavior, HD_SRV6_END_B6_ENCAPS);
	cr_assert_eq(w.sid->target, HD_TARGET_POLICY);
	cr_assert_eq(w.sid->target_id, w.dpo->id);
}

/* A group of next-hop objects with weights over 256 (Linux 6.12), and IPv4 through an IPv6 gateway. */
Test(netlink_translate, next_hop_objects)
{
	struct wanted w;

	for (uint32_t id = 1; id <= 2; id++) {
		memset(buf, 0, sizeof(buf));
		struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
		h->nlmsg_type = RTM_NEWNEXTHOP;
		struct nhmsg *n = mnl_nlmsg_put_extra_header(h, sizeof(*n));
		n->nh_family = AF_INET6;
		mnl_attr_put_u32(h, NHA_ID, id);
		put_addr(h, NHA_GATEWAY, id == 1 ? "fe80::1" : "fe80::2");
		mnl_attr_put_u32(h, NHA_OIF, 5);
		model_message(&m, h, false);
	}
	const uint8_t group[] = { 1, 0, 0, 0, 0xff, 1, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0 };
	memset(buf, 0, sizeof(buf));
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	h->nlmsg_type = RTM_NEWNEXTHOP;
	mnl_nlmsg_put_extra_header(h, sizeof(struct nhmsg));
	mnl_attr_put_u32(h, NHA_ID, 10);
	mnl_attr_put(h, NHA_GROUP, sizeof(group), group);
	model_message(&m, h, false);
	h = route(AF_INET, 16, RTPROT_BGP);
	put_addr(h, RTA_DST, "10.1.0.0");
	mnl_attr_put_u32(h, RTA_NH_ID, 10);
	want_of(h, &w);
	cr_assert_null(w.why, "%s", w.why);
	cr_assert_eq(w.target, HD_TARGET_NHGROUP);
	const struct hd_api_nhgroup *g = (const void *)w.dpo->body;
	cr_assert_eq(g->n_members, 2);
	cr_assert_eq(g->member[0].weight + g->member[1].weight, 512 + 4);
	cr_assert_eq(m.count.unreadable, 0);
}

/* A next-hop object as zebra makes it where the kernel has them: gateway, interface, then the encapsulation. */
static struct nlmsghdr *frr_nexthop(uint32_t id, uint8_t family, const char *gateway)
{
	memset(buf, 0, sizeof(buf));
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	h->nlmsg_type = RTM_NEWNEXTHOP;
	h->nlmsg_flags = NLM_F_CREATE | NLM_F_REQUEST | NLM_F_REPLACE;
	struct nhmsg *n = mnl_nlmsg_put_extra_header(h, sizeof(*n));
	n->nh_family = family;
	n->nh_protocol = RTPROT_ZEBRA;
	mnl_attr_put_u32(h, NHA_ID, id);
	if (gateway != NULL)
		put_addr(h, NHA_GATEWAY, gateway);
	mnl_attr_put_u32(h, NHA_OIF, 5);
	return h;
}

/* The route on it: no encapsulation of its own, and a table beyond 255 in RTA_TABLE. */
static struct nlmsghdr *frr_route(uint8_t family, const char *dst, uint8_t plen, uint32_t table,
				  uint32_t nexthop)
{
	struct nlmsghdr *h = route(family, plen, RTPROT_BGP);
	struct rtmsg *r = mnl_nlmsg_get_payload(h);

	put_addr(h, RTA_DST, dst);
	mnl_attr_put_u32(h, RTA_PRIORITY, 20);
	r->rtm_table = table < 256 ? (uint8_t)table : RT_TABLE_UNSPEC;
	if (table >= 256)
		mnl_attr_put_u32(h, RTA_TABLE, table);
	mnl_attr_put_u32(h, RTA_NH_ID, nexthop);
	return h;
}

/* L3VPN of FRR 8.1 and later: the SID of the VRF, and a customer's route over the other node's. */
Test(netlink_translate, frr_l3vpn_by_nexthop_objects)
{
	static const char *const service[] = { "2001:db8:2f:1::" };
	struct nlmsghdr *h = frr_nexthop(30, AF_INET6, NULL);
	struct wanted w;

	mnl_attr_put_u16(h, NHA_ENCAP_TYPE, LWTUNNEL_ENCAP_SEG6_LOCAL);
	struct nlattr *nest = mnl_attr_nest_start(h, NHA_ENCAP | NLA_F_NESTED);
	mnl_attr_put_u32(h, SEG6_LOCAL_ACTION, SEG6_LOCAL_ACTION_END_DT46);
	mnl_attr_put_u32(h, SEG6_LOCAL_VRFTABLE, 1001);
	mnl_attr_nest_end(h, nest);
	model_message(&m, h, false);
	want_of(frr_route(AF_INET6, "2001:db8:1f:1::", 128, RT_TABLE_MAIN, 30), &w);
	cr_assert_null(w.why, "%s", w.why);
	cr_assert_eq(w.what, SENT_SID);
	cr_assert_eq(w.sid->behavior, HD_SRV6_END_DT46);
	cr_assert_eq(w.sid->table4, 11);
	cr_assert_eq(w.sid->table6, 11);

	h = frr_nexthop(31, AF_INET6, "fe80::2");
	mnl_attr_put_u16(h, NHA_ENCAP_TYPE, LWTUNNEL_ENCAP_SEG6);
	nest = mnl_attr_nest_start(h, NHA_ENCAP | NLA_F_NESTED);
	put_srh(h, SEG6_IPTUNNEL_SRH, SEG6_IPTUN_MODE_ENCAP, service, 1);
	mnl_attr_nest_end(h, nest);
	model_message(&m, h, false);
	want_of(frr_route(AF_INET, "192.0.2.0", 24, 1001, 31), &w);
	cr_assert_null(w.why, "%s", w.why);
	cr_assert_eq(w.vrf_id, 11, "the customer's table");
	cr_assert_eq(w.target, HD_TARGET_POLICY);
	const struct hd_api_srv6_policy *p = (const void *)w.dpo->body;
	const struct hd_api_srv6_seglist *l = (const void *)w.dpo->dep[0]->body;
	uint8_t a[16];
	inet_pton(AF_INET6, service[0], a);
	cr_assert_eq(p->vrf_id, 0, "the core's table");
	cr_assert_eq(l->n_segs, 1);
	cr_assert_arr_eq(l->seg[0], a, 16);
	cr_assert_eq(m.count.unreadable, 0);
}

/* The same without next-hop objects: an IPv4 route over an IPv6 next hop has the gateway 169.254.0.1, on link, behind
 * the encapsulation. */
Test(netlink_translate, frr_l3vpn_without_nexthop_objects)
{
	static const char *const service[] = { "2001:db8:2f:1::" };
	struct nlmsghdr *h = route(AF_INET, 24, RTPROT_BGP);
	struct rtmsg *r = mnl_nlmsg_get_payload(h);
	struct wanted w;

	put_addr(h, RTA_DST, "192.0.2.0");
	mnl_attr_put_u32(h, RTA_PRIORITY, 20);
	r->rtm_table = RT_TABLE_UNSPEC;
	mnl_attr_put_u32(h, RTA_TABLE, 1001);
	mnl_attr_put_u16(h, RTA_ENCAP_TYPE, LWTUNNEL_ENCAP_SEG6);
	struct nlattr *nest = mnl_attr_nest_start(h, RTA_ENCAP);
	put_srh(h, SEG6_IPTUNNEL_SRH, SEG6_IPTUN_MODE_ENCAP, service, 1);
	mnl_attr_nest_end(h, nest);
	r->rtm_flags |= RTNH_F_ONLINK;
	put_addr(h, RTA_GATEWAY, "169.254.0.1");
	mnl_attr_put_u32(h, RTA_OIF, 5);
	want_of(h, &w);
	cr_assert_null(w.why, "%s", w.why);
	cr_assert_eq(w.vrf_id, 11);
	cr_assert_eq(w.target, HD_TARGET_POLICY);
	cr_assert_eq(((const struct hd_api_srv6_policy *)(const void *)w.dpo->body)->encap,
		     HD_SRV6_H_ENCAPS);
}

/* What isisd of FRR 9 installs: End and End.X with NEXT-CSID, action, argument, then the flavors. */
Test(netlink_translate, frr_isis_usid)
{
	struct wanted w;

	for (unsigned x = 0; x < 2; x++) {
		struct nlmsghdr *h = route(AF_INET6, x ? 64 : 48, RTPROT_ISIS);
		put_addr(h, RTA_DST, x ? "fcbb:bb00:1:e000::" : "fcbb:bb00:1::");
		mnl_attr_put_u32(h, RTA_PRIORITY, 20);
		mnl_attr_put_u16(h, RTA_ENCAP_TYPE, LWTUNNEL_ENCAP_SEG6_LOCAL);
		struct nlattr *nest = mnl_attr_nest_start(h, RTA_ENCAP);
		mnl_attr_put_u32(h, SEG6_LOCAL_ACTION,
				 x ? SEG6_LOCAL_ACTION_END_X : SEG6_LOCAL_ACTION_END);
		if (x)
			put_addr(h, SEG6_LOCAL_NH6, "fe80::2");
		struct nlattr *flv = mnl_attr_nest_start(h, SEG6_LOCAL_FLAVORS);
		mnl_attr_put_u32(h, SEG6_LOCAL_FLV_OPERATION, 1u << SEG6_LOCAL_FLV_OP_NEXT_CSID);
		mnl_attr_put_u8(h, SEG6_LOCAL_FLV_LCBLOCK_BITS, 32);
		mnl_attr_put_u8(h, SEG6_LOCAL_FLV_LCNODE_FN_BITS, x ? 32 : 16);
		mnl_attr_nest_end(h, flv);
		mnl_attr_nest_end(h, nest);
		mnl_attr_put_u32(h, RTA_OIF, 5);
		want_of(h, &w);
		cr_assert_null(w.why, "%s", w.why);
		cr_assert_eq(w.what, SENT_SID);
		cr_assert_eq(w.sid->behavior, x ? HD_SRV6_END_X : HD_SRV6_END);
		cr_assert_eq(w.sid->flavors, HD_SRV6_FLAVOR_NEXT_CSID);
		cr_assert_eq(w.sid->lb_len, 32);
		cr_assert_eq(w.sid->ln_len + w.sid->fn_len, x ? 32 : 16);
		cr_assert_eq(w.sid->target, x ? HD_TARGET_NEXTHOP : HD_TARGET_NONE);
	}
}

/* --- broken messages -------------------------------------------------------------------------- */

static void whole(const struct nlmsghdr *h)
{
	static struct nl_nexthop n;

	(void)!nl_route_parse(h, &parsed);
	(void)!nl_nexthop_parse(h, &n);
}

/* Each truncation, in memory of exactly its size, so that a reader who goes beyond is seen by the sanitizer. */
Test(netlink, truncations)
{
	static const char *const segs[] = { "2001:db8:a::1", "2001:db8:b::1" };
	struct nlmsghdr *msgs[2];

	for (unsigned k = 0; k < 2; k++) {
		msgs[0] = k == 0 ? sid("2001:db8::", 64, SEG6_LOCAL_ACTION_END_DT46,
				       SEG6_LOCAL_VRFTABLE, 10) :
				   encap(SEG6_IPTUN_MODE_ENCAP, segs, 2);
		uint32_t len = msgs[0]->nlmsg_len;
		for (uint32_t cut = NLMSG_HDRLEN; cut < len; cut++) {
			struct nlmsghdr *h = malloc(cut);
			memcpy(h, msgs[0], cut);
			h->nlmsg_len = cut;
			whole(h);
			free(h);
		}
	}
}

Test(netlink, lengths_that_cannot_be)
{
	struct nlmsghdr *h = route(AF_INET, 33, RTPROT_BOOT);

	cr_assert_eq(nl_route_parse(h, &parsed), -EBADMSG, "a prefix longer than the address");
	h = route(AF_INET6, 64, RTPROT_BOOT);
	mnl_attr_put_u32(h, RTA_DST, 1);
	cr_assert_eq(nl_route_parse(h, &parsed), -EBADMSG, "four octets of an IPv6 address");
	h = route(AF_INET, 24, RTPROT_BOOT);
	struct rtnexthop nh = { .rtnh_len = 200 };
	mnl_attr_put(h, RTA_MULTIPATH, sizeof(nh), &nh);
	cr_assert_eq(nl_route_parse(h, &parsed), -EBADMSG, "a next hop longer than the list");
	h = route(AF_INET, 24, RTPROT_BOOT);
	mnl_attr_put_u16(h, RTA_ENCAP_TYPE, LWTUNNEL_ENCAP_SEG6);
	cr_assert_eq(nl_route_parse(h, &parsed), -EBADMSG, "an encapsulation without its nest");
	h = route(AF_BRIDGE, 24, RTPROT_BOOT);
	cr_assert_eq(nl_route_parse(h, &parsed), -EAFNOSUPPORT);
}
