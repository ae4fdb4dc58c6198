/* SPDX-License-Identifier: BSD-3-Clause
 * Frames through the whole graph: two interfaces (one with VLANs), addresses, neighbours and routes; the input is one
 * frame.  Beside what the sanitizers see: no packet may stay behind when the neighbours have been given up. */
#include <stdio.h>
#include <stdlib.h>

#include "pipelines/ip/internal.h"
#include "tests/harness.h"

static uint32_t a, b;

static void drain(void)
{
	uint8_t one[64];

	while (hx_tx(a, one, sizeof(one)) != 0 || hx_tx(b, one, sizeof(one)) != 0)
		;
}

/* Local SIDs 2001:db8:5:<k>::, and an SR policy that takes 10.66.0.0/16. */
static void segment_routing(void)
{
	static const struct {
		uint16_t behavior, flavors;
	} row[] = {
		{ 1, 0 },  /* End */
		{ 1, 7 },  /* End with PSP, USP, USD */
		{ 5, 0 },  /* End.X */
		{ 18, 0 }, /* End.DT6 */
		{ 20, 0 }, /* End.DT46 */
	};
	struct hd_api_srv6_conf conf = { .encap_source = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };
	struct hd_api_srv6_seglist list = { .seglist_id = 1,
					    .n_segs = 2,
					    .seg = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 5 },
						     { 0x20, 0x01, 0x0d, 0xb8, [15] = 6 } } };
	struct hd_api_srv6_policy policy = {
		.policy_id = 1, .encap = HD_SRV6_H_ENCAPS, .n_lists = 1, .list = { { 1, 1 } }
	};

	for (unsigned k = 0; k < sizeof(row) / sizeof(row[0]); k++) {
		struct hd_api_srv6_sid s = { .plen = 128,
					     .sid = { 0x20, 0x01, 0x0d, 0xb8, 0, 5, 0, (uint8_t)k },
					     .sid_id = k + 1,
					     .behavior = row[k].behavior,
					     .flavors = row[k].flavors,
					     .upper_allow = HD_SRV6_UPPER_ICMP6 };

		if (row[k].behavior == 5) {
			s.target = HD_TARGET_NEXTHOP;
			s.target_id = 2;
		}
		if (hx_set(HD_API_SRV6_SID, &s, sizeof(s)) < 0) {
			fprintf(stderr, "SID %u: %s\n", k, hx_error());
			abort();
		}
	}
	if (hx_set(HD_API_SRV6_CONF, &conf, sizeof(conf)) < 0 ||
	    hx_set(HD_API_SRV6_SEGLIST, &list, sizeof(list)) < 0 ||
	    hx_set(HD_API_SRV6_POLICY, &policy, sizeof(policy)) < 0) {
		fprintf(stderr, "policy: %s\n", hx_error());
		abort();
	}
	hx_route(0, "10.66.0.0/16", HD_TARGET_POLICY, 1);
}

static void bed(void)
{
	struct hd_api_iface vlan = { .outer_tpid = 0x88a8,
				     .iface_id = 3,
				     .outer_vid = 200,
				     .inner_vid = 300,
				     .mac = { 2, 0, 0, 0, 0, 1 },
				     .flags = HD_IFACE_F_UP };

	hx_start_default();
	a = hx_port();
	b = hx_port();
	hx_iface(1, a, 0);
	hx_iface(2, b, 0);
	vlan.port_id = a;
	if (hx_set(HD_API_IFACE, &vlan, sizeof(vlan)) < 0)
		abort();
	hx_addr(1, "192.0.2.9/24");
	hx_addr(1, "2001:db8:a::9/64");
	hx_addr(2, "198.51.100.9/24");
	hx_addr(2, "2001:db8:b::9/64");
	hx_neigh(1, "192.0.2.1", "02:aa:00:00:00:01");
	hx_neigh(1, "2001:db8:a::1", "02:aa:00:00:00:01");
	hx_neigh(2, "198.51.100.1", "02:bb:00:00:00:01");
	hx_nexthop(1, 2, "198.51.100.1");
	hx_nexthop(2, 2, "2001:db8:b::1");
	hx_route(0, "0.0.0.0/0", HD_TARGET_NEXTHOP, 1);
	hx_route(0, "2001:db8::/32", HD_TARGET_NEXTHOP, 2);
	segment_routing();
	hx_turn();
	drain();
}

/* The engine keeps its memory in mappings that LeakSanitizer does not search; bed() leaks nothing per input. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned inputs;

	if (a == 0)
		bed();
	if (size == 0)
		return 0;
	hx_rx(a, data, size);
	hx_turn();
	drain();
	if (++inputs % 256 ==
	    0) { /* let time pass: what waits for neighbours is answered or given up */
		for (unsigned t = 0; t < 60; t++) {
			clock_advance_ms += 100;
			neigh_tick(clock_ms());
		}
		hx_turn();
		drain();
		if (hx_mbufs_in_use() > 64)
			abort(); /* a leak: only the last seconds' packets may wait */
	}
	return 0;
}
