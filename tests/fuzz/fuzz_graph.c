/* SPDX-License-Identifier: BSD-3-Clause
 * Frames through the whole graph: two interfaces (one with VLANs), addresses, neighbours and routes; the input is one
 * frame.  Beside what the sanitizers see: no packet may stay behind when the neighbours have been given up. */
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
