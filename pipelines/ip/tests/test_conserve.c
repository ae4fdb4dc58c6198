/* SPDX-License-Identifier: BSD-3-Clause
 * Nothing is lost between nodes, also when bursts of several ports meet in one node and exceed what a node's arrays
 * hold at first (they grow where streams merge): each node gets what the verdicts of others led to it, and leads on
 * what it got. */
#include <rte_ethdev.h>
#include <stdlib.h>

#include "bed.h"
#include "dataplane/port.h"
#include "dataplane/punt.h"
#include "dataplane/telemetry.h"
#include "dataplane/worker.h"

TestSuite(conserve, .init = bed_up, .fini = bed_down);

#define PORTS 4
#define EACH  240 /* frames a port holds at once; together far more than a burst of 256 */

static uint32_t seed = 1;

static uint32_t rnd(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

/* Frames of every fate; spoiled ones are cut or get an octet changed. */
static size_t any_frame(uint8_t *to, size_t size)
{
	static const char *const kinds[] = {
		ETH "ip4 192.0.2.1 203.0.113.5 64 / udp 1 2 / fill 20",
		ETH "ip4 192.0.2.1 203.0.113.200 64 / udp 1 2 / fill 300",
		ETH "ip6 2001:db8:a::1 2001:db8:c::5 64 / udp 1 2 / fill 20",
		ETH "ip6 2001:db8:a::1 2001:db8:b::1 64 / udp 1 2 / fill 20",
		ETH "ip4 192.0.2.1 100.64.1.1 64 / udp",
		ETH "ip4 192.0.2.1 100.64.2.1 64 / udp",
		ETH "ip4 192.0.2.1 203.0.113.5 1 / udp",
		ETH "ip6 2001:db8:a::1 2001:db8:c::5 1 / udp",
		ETH "ip4 192.0.2.1 192.0.2.9 64 / icmp4 8 0 1",
		ETH "ip6 2001:db8:a::1 2001:db8:a::9 64 / icmp6 128 0 1",
		ETH "ip4 192.0.2.1 198.51.100.77 64 / udp",
		ETH "ip4 192.0.2.1 100.100.100.100 64 / udp",
		ETH "vlan 99 / ip4 192.0.2.1 203.0.113.5 64 / udp",
	};
	struct pktb b;

	pktb_parse(&b, kinds[rnd(RTE_DIM(kinds))]);
	if (rnd(8) == 0)
		b.buf[rnd((uint32_t)b.len)] ^= (uint8_t)(1 + rnd(255));
	if (rnd(16) == 0)
		b.len = 1 + rnd((uint32_t)b.len);
	memcpy(to, b.buf, RTE_MIN(b.len, size));
	return RTE_MIN(b.len, size);
}

/* As if a peer had sent it: a ring port is its own loop. */
static void send_to(uint32_t port)
{
	uint8_t frame[600];
	struct rte_mbuf *m = packet_alloc();
	cr_assert_not_null(m);
	size_t n = any_frame(frame, sizeof(frame));

	memcpy(rte_pktmbuf_append(m, (uint16_t)n), frame, n);
	cr_assert_eq(rte_eth_tx_burst(port_get(port)->dpdk_port, 0, &m, 1), 1);
}

Test(conserve, each_node_leads_on_what_it_got)
{
	const char *env = getenv("HEDDLE_SEED");
	uint64_t sent = 0, most = 0;
	uint32_t in[PORTS];

	seed = env != NULL ? (uint32_t)strtoul(env, NULL, 10) : 1;
	worker_conf.burst = 256;
	for (uint32_t p = 0; p < PORTS; p++) {
		in[p] = hx_port();
		hx_iface(10 + p, in[p], 0);
		ports_place(in[p], 0, 0);
	}
	/* frames come with the MAC of interface 1 */
	for (uint32_t p = 0; p < PORTS; p++) {
		struct hd_api_iface i = { .iface_id = 10 + p,
					  .port_id = in[p],
					  .mtu = 1500,
					  .mac = { 2, 0, 0, 0, 0, 1 },
					  .flags = HD_IFACE_F_UP };
		cr_assert_eq(hx_set(HD_API_IFACE, &i, sizeof(i)), 0, "%s", hx_error());
	}
	for (unsigned round = 0; round < 20; round++) {
		for (uint32_t p = 0; p < PORTS; p++)
			for (unsigned k = 0; k < EACH; k++, sent++)
				send_to(in[p]);
		graph_stats_update();
		uint64_t before = hx_node("eth-input", "objects");
		worker_turn(workers[0]);
		graph_stats_update();
		most = RTE_MAX(most, hx_node("eth-input", "objects") - before);
		hx_turn();
		while (drain(A) + drain(B) > 0)
			;
	}
	pass_ms(10000); /* held packets are given up */
	drain(A);
	drain(B);
	graph_stats_update();
	cr_expect_gt(most, 256, "one call of eth-input had %lu packets: bursts did not meet",
		     (unsigned long)most);
	cr_expect_geq(hx_node("eth-input", "objects"), sent);
	const char *unbalanced = hx_unbalanced();
	cr_expect_str_eq(unbalanced, "", "%s (seed %s)", unbalanced, env != NULL ? env : "1");
}
