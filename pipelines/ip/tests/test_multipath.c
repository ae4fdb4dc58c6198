/* SPDX-License-Identifier: BSD-3-Clause
 * Flow hash, quotas and buckets as pure functions; then groups in the graph: shares, weights, stability, members that
 * go down. */
#include "pipelines/ip/tests/bed.h"

#include <stdlib.h>

/* ---- quotas and buckets ---- */

struct quota_row {
	char why[40];
	unsigned n;
	uint32_t weight[8];
};

ParameterizedTestParameters(nhg_pure, quotas)
{
	static struct quota_row rows[] = {
		{ "one", 1, { 5 } },
		{ "two equal", 2, { 1, 1 } },
		{ "three equal", 3, { 1, 1, 1 } },
		{ "3 : 1", 2, { 3, 1 } },
		{ "1 : 65535 both get some", 2, { 1, 65535 } },
		{ "many small, one large", 8, { 1, 1, 1, 1, 1, 1, 1, 60000 } },
		{ "odd", 5, { 7, 11, 13, 17, 19 } },
	};

	return cr_make_param_array(struct quota_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct quota_row *r, nhg_pure, quotas)
{
	unsigned quota[8], sum = 0;
	uint64_t weights = 0;
	uint16_t home[512];
	unsigned have[8] = { 0 };

	for (unsigned i = 0; i < r->n; i++)
		weights += r->weight[i];
	nhg_quota(r->weight, r->n, 512, quota);
	for (unsigned i = 0; i < r->n; i++) {
		double exact = 512.0 * r->weight[i] / (double)weights;

		sum += quota[i];
		cr_assert_geq(quota[i], 1, "%s: member %u gets nothing", r->why, i);
		cr_assert(quota[i] <= exact + 8 && quota[i] + 8 >= exact,
			  "%s: member %u has %u, exact %f", r->why, i, quota[i], exact);
	}
	cr_assert_eq(sum, 512, "%s: %u buckets given", r->why, sum);
	memset(home, 0xff, sizeof(home));
	nhg_assign(home, 512, quota, r->n);
	for (unsigned b = 0; b < 512; b++)
		have[home[b]]++;
	cr_assert_arr_eq(have, quota, r->n * sizeof(quota[0]), "%s", r->why);
}

Test(nhg_pure, a_new_member_takes_only_its_own_share)
{
	const uint32_t weight[4] = { 1, 1, 1, 1 };
	unsigned quota[4], moved = 0;
	uint16_t home[512], was[512];

	memset(home, 0xff, sizeof(home));
	nhg_quota(weight, 3, 512, quota);
	nhg_assign(home, 512, quota, 3);
	memcpy(was, home, sizeof(was));
	nhg_quota(weight, 4, 512, quota);
	nhg_assign(home, 512, quota, 4);
	for (unsigned b = 0; b < 512; b++) {
		moved += home[b] != was[b];
		cr_assert(home[b] == was[b] || home[b] == 3, "bucket %u went from %u to %u", b,
			  was[b], home[b]);
	}
	cr_assert_eq(moved, 128);
}

/* ---- in the graph ---- */

TestSuite(ip_multipath, .init = bed_up, .fini = bed_down);

#define N 4
static uint8_t out[2048];

/* N gateways on B, 198.51.100.21.., MAC 02:cc::<n>; a group over them for 10.20.0.0/16 and 2001:db8:20::/48. */
static void group(const uint32_t *weight, unsigned n)
{
	struct hd_api_nhgroup g = { .group_id = 5, .n_members = n };

	for (unsigned i = 0; i < n; i++) {
		char addr[32], mac[32];

		snprintf(addr, sizeof(addr), "198.51.100.%u", 21 + i);
		snprintf(mac, sizeof(mac), "02:cc:00:00:00:%02x", i);
		hx_neigh(2, addr, mac);
		hx_nexthop(20 + i, 2, addr);
		snprintf(addr, sizeof(addr), "2001:db8:b::2%u", i);
		g.member[i].nh_id = 20 + i;
		g.member[i].weight = weight[i];
	}
	cr_assert_eq(hx_set(HD_API_NHGROUP, &g, 8 + 8 * n), 0, "%s", hx_error());
	hx_route(0, "10.20.0.0/16", HD_TARGET_NHGROUP, 5);
	hx_turn();
	drain(A);
	drain(B);
}

/* Send n flows that differ in the source port; where[f] is the member each took, 99: none. */
static void flows(unsigned n, uint8_t *where)
{
	for (unsigned f = 0; f < n; f++) {
		struct pktb b;

		pktb_parse(&b, ETH "ip4 192.0.2.1 10.20.3.4 64 / udp 1 80 / fill 4");
		b.udp->src_port = be16_make((uint16_t)(1024 + f));
		hx_rx(A, b.buf, b.len);
		hx_turn();
		where[f] = hx_tx(B, out, sizeof(out)) != 0 ? out[5] : 99;
	}
}

struct share_row {
	char why[32];
	unsigned n;
	uint32_t weight[N];
};

ParameterizedTestParameters(ip_multipath, shares)
{
	static struct share_row rows[] = {
		{ "two equal", 2, { 1, 1 } },
		{ "four equal", 4, { 1, 1, 1, 1 } },
		{ "3 : 1", 2, { 3, 1 } },
		{ "50 : 30 : 20", 3, { 50, 30, 20 } },
	};

	return cr_make_param_array(struct share_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct share_row *r, ip_multipath, shares)
{
	static uint8_t where[3000];
	unsigned have[N] = { 0 }, sum = 0;

	ip_flow_seed_set(42);
	group(r->weight, r->n);
	flows(3000, where);
	for (unsigned f = 0; f < 3000; f++) {
		cr_assert_lt(where[f], r->n);
		have[where[f]]++;
	}
	for (unsigned i = 0; i < r->n; i++)
		sum += r->weight[i];
	for (unsigned i = 0; i < r->n; i++) {
		double want = 100.0 * r->weight[i] / sum, got = 100.0 * have[i] / 3000;

		cr_assert(got > want - 5 && got < want + 5,
			  "%s: member %u got %.1f %%, want %.1f %%", r->why, i, got, want);
	}
}

Test(ip_multipath, a_flow_stays_and_a_member_that_goes_moves_only_its_own)
{
	static uint8_t one[600], two[600], three[600], four[600];
	struct hd_api_neigh dead = { .iface_id = 2, .family = 4, .addr = { 198, 51, 100, 22 } };

	group((const uint32_t[]){ 1, 1, 1, 1 }, 4);
	flows(600, one);
	flows(600, two);
	cr_assert_arr_eq(one, two, 600);
	/* member 1 dies: it is not known by hand any more and does not answer */
	cr_assert_eq(hx_del(HD_API_NEIGH, &dead, HD_API_NEIGH_KEY), 0);
	pass_ms(5000);
	drain(A);
	drain(B);
	flows(600, three);
	unsigned took[4] = { 0 };
	for (unsigned f = 0; f < 600; f++) {
		cr_assert_neq(three[f], 1, "flow %u goes to the dead member", f);
		if (one[f] != 1)
			cr_assert_eq(three[f], one[f], "flow %u moved from %u to %u", f, one[f],
				     three[f]);
		else
			took[three[f]]++;
	}
	cr_assert(took[0] > 20 && took[2] > 20 && took[3] > 20,
		  "the rest share its flows: %u %u %u", took[0], took[2], took[3]);
	/* it comes back and gets exactly its own */
	hx_neigh(2, "198.51.100.22", "02:cc:00:00:00:01");
	hx_turn();
	drain(B);
	flows(600, four);
	cr_assert_arr_eq(one, four, 600);
}

Test(ip_multipath, all_members_down_has_a_name)
{
	struct hd_api_iface i = {
		.iface_id = 2, .port_id = B, .mac = { 2, 0, 0, 0, 0, 2 }, .mtu = 1500
	};
	uint8_t where[4];

	group((const uint32_t[]){ 1, 1 }, 2);
	cr_assert_eq(hx_set(HD_API_IFACE, &i, sizeof(i)), 0);
	flows(4, where);
	cr_assert_eq(where[0], 99);
	cr_assert_eq(hx_verdict("ip4-input", "group-down"), 4);
}

Test(ip_multipath, a_next_hop_that_moves_takes_the_group_along)
{
	uint8_t where[50];

	group((const uint32_t[]){ 1 }, 1);
	hx_neigh(2, "198.51.100.30", "02:cc:00:00:00:1e");
	hx_nexthop(20, 2, "198.51.100.30");
	hx_turn();
	drain(B);
	flows(50, where);
	for (unsigned f = 0; f < 50; f++)
		cr_assert_eq(where[f], 0x1e);
}

Test(ip_multipath, bad_groups_are_refused)
{
	struct hd_api_nhgroup g = { .group_id = 6 };

	cr_expect_eq(hx_set(HD_API_NHGROUP, &g, 8), -EINVAL, "no member");
	g.n_members = HD_API_NHGROUP_MAX + 1;
	for (unsigned i = 0; i < HD_API_NHGROUP_MAX; i++)
		g.member[i] = (struct hd_api_nhgroup_member){ 1, 1 };
	cr_expect_eq(hx_set(HD_API_NHGROUP, &g, sizeof(g)), -EINVAL, "too many: %s", hx_error());
	g = (struct hd_api_nhgroup){ .group_id = 6,
				     .n_members = 2,
				     .member = { { 1, 1 }, { 1, 1 } } };
	cr_expect_eq(hx_set(HD_API_NHGROUP, &g, sizeof(g)), -EINVAL, "twice: %s", hx_error());
	g.member[1] = (struct hd_api_nhgroup_member){ 2, 0 };
	cr_expect_eq(hx_set(HD_API_NHGROUP, &g, sizeof(g)), -EINVAL, "weight 0: %s", hx_error());
	g.member[1] = (struct hd_api_nhgroup_member){ 77, 1 };
	cr_expect_eq(hx_set(HD_API_NHGROUP, &g, sizeof(g)), -ENOENT, "unknown next hop: %s",
		     hx_error());
}

/* ---- the flow hash ---- */

static uint32_t hash_of(const char *notation)
{
	struct pktb b;
	struct rte_mbuf *m = rte_pktmbuf_alloc(rte_mempool_lookup("packets"));
	uint32_t h;

	pktb_parse(&b, notation);
	memset(meta(m), 0, sizeof(struct hd_meta));
	memcpy(rte_pktmbuf_append(m, (uint16_t)b.len), b.buf, b.len);
	h = ip_flow_hash(m);
	rte_pktmbuf_free(m);
	return h;
}

struct hash_row {
	char why[48], a[200], b[200];
	bool same;
};

ParameterizedTestParameters(ip_multipath, hashes)
{
#define V6 "ip6 2001:db8::1 2001:db8::2 64 / "
	static struct hash_row rows[] = {
		{ "IPv4 ports count", "ip4 10.0.0.1 10.0.0.2 64 / udp 1 2",
		  "ip4 10.0.0.1 10.0.0.2 64 / udp 1 3", false },
		{ "TTL and data do not", "ip4 10.0.0.1 10.0.0.2 64 / udp 1 2",
		  "ip4 10.0.0.1 10.0.0.2 7 / udp 1 2 / fill 50", true },
		{ "IPv4 protocol counts", "ip4 10.0.0.1 10.0.0.2 64 / udp 1 2",
		  "ip4 10.0.0.1 10.0.0.2 64 / tcp 1 2 2", false },
		{ "IPv4 addresses count", "ip4 10.0.0.1 10.0.0.2 64 / udp 1 2",
		  "ip4 10.0.0.1 10.0.0.3 64 / udp 1 2", false },
		{ "IPv6 ports count", V6 "udp 1 2", V6 "udp 1 3", false },
		{ "hop limit does not", V6 "udp 1 2", "ip6 2001:db8::1 2001:db8::2 9 / udp 1 2",
		  true },
		{ "tunnel without label: what is inside counts",
		  V6 "ip4 10.0.0.1 10.0.0.2 64 / udp 1 2", V6 "ip4 10.0.0.1 10.0.0.2 64 / udp 1 3",
		  false },
		{ "the same behind an SRH",
		  V6 "srh 2001:db8::2,2001:db8::3 1 / ip6 2001:db8:1::1 2001:db8:1::2 64 / udp 1 2",
		  V6 "srh 2001:db8::2,2001:db8::3 1 / ip6 2001:db8:1::1 2001:db8:1::2 64 / udp 1 3",
		  false },
		{ "segments left does not", V6 "srh 2001:db8::2,2001:db8::3 1 / udp 1 2",
		  V6 "srh 2001:db8::2,2001:db8::3 0 / udp 1 2", true },
	};

	return cr_make_param_array(struct hash_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct hash_row *r, ip_multipath, hashes)
{
	cr_assert_eq(hash_of(r->a) == hash_of(r->b), r->same, "%s", r->why);
}

Test(ip_multipath, the_flow_label_counts_alone_for_tunnels)
{
	struct pktb b;
	struct rte_mbuf *m = rte_pktmbuf_alloc(rte_mempool_lookup("packets"));
	uint32_t h[3];

	for (unsigned k = 0; k < 3; k++) {
		pktb_parse(&b,
			   "ip6 2001:db8::1 2001:db8::2 64 / ip4 10.0.0.1 10.0.0.2 64 / udp 1 2");
		b.ip6->vtf = ip6_vtf_make(0, k < 2 ? 0x12345 : 0x12346);
		b.inner_ip4->dst.b[3] = (uint8_t)k; /* inside differs: not looked at */
		memset(meta(m), 0, sizeof(struct hd_meta));
		rte_pktmbuf_reset(m);
		memcpy(rte_pktmbuf_append(m, (uint16_t)b.len), b.buf, b.len);
		h[k] = ip_flow_hash(m);
	}
	rte_pktmbuf_free(m);
	cr_assert_eq(h[0], h[1]);
	cr_assert_neq(h[0], h[2]);
}

/* Two routers in a row with different seeds: the flows that the first sends one way are spread by the second. */
Test(ip_multipath, routers_in_a_row_do_not_choose_alike)
{
	unsigned first = 0, both = 0;

	for (unsigned f = 0; f < 1000; f++) {
		char text[64];

		snprintf(text, sizeof(text), "ip4 10.0.%u.%u 10.9.0.1 64 / udp %u 80", f / 200,
			 f % 200, 1000 + f);
		ip_flow_seed_set(0x1111);
		if ((hash_of(text) & 1) != 0)
			continue;
		first++;
		ip_flow_seed_set(0x2222222233333333ull);
		both += (hash_of(text) & 1) == 0;
	}
	cr_assert(first > 400 && first < 600, "%u of 1000", first);
	cr_assert(both > first * 4 / 10 && both < first * 6 / 10, "%u of %u", both, first);
}
