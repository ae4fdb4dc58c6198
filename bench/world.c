/* SPDX-License-Identifier: BSD-3-Clause
 * Engine start, common objects, counters. */
#include "bench/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "bench/device.h"
#include "dataplane/dp_limits.h"
#include "dataplane/engine.h"
#include "dataplane/log.h"
#include "dataplane/mem_plan.h"
#include "dataplane/objects.h"
#include "dataplane/port.h"
#include "dataplane/punt.h"
#include "dataplane/rcu.h"
#include "dataplane/stats.h"
#include "dataplane/worker.h"

#define PER_TRANSACTION 4096u
#define MTU             9600u

static bool huge;
static struct object_txn *open_txn;
static unsigned n_open;

static int eal_start(const struct params *p)
{
	char lcores[16], mem[16], prefix[32];
	struct memory_plan plan;
	char *argv[16];
	int argc = 0;

	if (memory_plan(p->no_huge ? MEMORY_HUGE_NEVER : MEMORY_HUGE_AUTO, 0, &plan) < 0) {
		fprintf(stderr, "heddle-bench: %s\n", plan.why);
		return -ENOMEM;
	}
	snprintf(lcores, sizeof(lcores), "0@%u", p->cpu);
	snprintf(mem, sizeof(mem), "%u", plan.eal_mib);
	snprintf(prefix, sizeof(prefix), "heddlebench%d", (int)getpid());
	argv[argc++] = (char *)"heddle-bench";
	argv[argc++] = (char *)"--lcores";
	argv[argc++] = lcores;
	argv[argc++] = (char *)"--file-prefix";
	argv[argc++] = prefix;
	argv[argc++] = (char *)"--log-level=error";
	argv[argc++] = (char *)"--no-telemetry";
	argv[argc++] = (char *)"--no-pci";
	argv[argc++] = (char *)"--iova-mode=va";
	huge = plan.huge;
	if (plan.huge) {
		argv[argc++] = (char *)"--in-memory";
	} else {
		argv[argc++] = (char *)"--no-huge";
		argv[argc++] = (char *)"--no-shconf";
		argv[argc++] = (char *)"-m";
		argv[argc++] = mem;
	}
	if (rte_eal_init(argc, argv) < 0) {
		fprintf(stderr, "heddle-bench: DPDK does not start (%s)\n",
			rte_strerror(rte_errno));
		return -rte_errno;
	}
	return 0;
}

/* ---- objects ------------------------------------------------------------------------------------------------ */

void world_commit(void)
{
	struct hd_api_reply reply;

	if (open_txn == NULL)
		return;
	if (object_txn_commit(open_txn, &reply) < 0) {
		fprintf(stderr, "heddle-bench: object 0x%x refused: %s\n", reply.failed_type,
			reply.text);
		exit(2);
	}
	open_txn = NULL;
	n_open = 0;
	rcu_reclaim();
}

static void add(uint16_t type, bool del, const void *msg, size_t size)
{
	if (open_txn == NULL)
		open_txn = object_txn_begin();
	object_txn_add(open_txn, type, 1, del, msg, size, 0);
	if (++n_open >= PER_TRANSACTION)
		world_commit();
}

void world_set(uint16_t type, const void *msg, size_t size)
{
	add(type, false, msg, size);
}

void world_del(uint16_t type, const void *msg, size_t size)
{
	add(type, true, msg, size);
}

void world_route(uint32_t vrf, unsigned family, const uint8_t *prefix, uint8_t plen,
		 uint32_t target, uint32_t id)
{
	struct hd_api_route r = {
		.vrf_id = vrf, .family = (uint8_t)family, .plen = plen, .target = target, .id = id
	};

	memcpy(r.prefix, prefix, family == 4 ? 4 : 16);
	world_set(HD_API_ROUTE, &r, sizeof(r));
}

void world_vrf(uint32_t id)
{
	struct hd_api_vrf v = { .vrf_id = id };

	snprintf(v.name, sizeof(v.name), "vrf%u", id);
	world_set(HD_API_VRF, &v, sizeof(v));
}

static void port(uint32_t id)
{
	struct hd_api_port p = { .port_id = id, .mtu = MTU };

	snprintf(p.name, sizeof(p.name), "bench%u", id);
	snprintf(p.devargs, sizeof(p.devargs), "net_null_bench%u", id);
	world_set(HD_API_PORT, &p, sizeof(p));
	world_commit();
}

static void iface(uint32_t id)
{
	struct hd_api_iface i = {
		.iface_id = id, .port_id = id, .mtu = MTU, .flags = HD_IFACE_F_UP
	};

	snprintf(i.name, sizeof(i.name), "if%u", id);
	if (id == 1)
		world_mac_in(i.mac);
	else
		world_mac_out(i.mac);
	world_set(HD_API_IFACE, &i, sizeof(i));
}

static void address(uint32_t id, unsigned family, const uint8_t *addr, uint8_t plen)
{
	struct hd_api_addr a = { .iface_id = id, .family = (uint8_t)family, .plen = plen };

	memcpy(a.addr, addr, family == 4 ? 4 : 16);
	world_set(HD_API_ADDR, &a, sizeof(a));
}

#define NH6_BASE 8192u

static void nexthops(const struct params *p)
{
	for (uint32_t i = 0; i < p->nexthops; i++) {
		struct hd_api_neigh n4 = { .iface_id = 2,
					   .family = 4,
					   .addr = { 10, 2, (uint8_t)(1 + (i >> 8)), (uint8_t)i } };
		struct hd_api_neigh n6 = { .iface_id = 2,
					   .family = 6,
					   .addr = { 0x20, 0x01, 0x0d, 0xb8, 0, 2, 0, 0, 0, 0, 0, 0,
						     0, 1, (uint8_t)(i >> 8), (uint8_t)i } };
		struct hd_api_nexthop h4 = { .nh_id = world_nexthop4(p, i),
					     .iface_id = 2,
					     .family = 4 };
		struct hd_api_nexthop h6 = { .nh_id = world_nexthop6(p, i),
					     .iface_id = 2,
					     .family = 6 };

		world_mac_nexthop(p, i, n4.mac);
		world_mac_nexthop(p, i, n6.mac);
		memcpy(h4.gateway, n4.addr, 16);
		memcpy(h6.gateway, n6.addr, 16);
		world_set(HD_API_NEIGH, &n4, sizeof(n4));
		world_set(HD_API_NEIGH, &n6, sizeof(n6));
		world_set(HD_API_NEXTHOP, &h4, sizeof(h4));
		world_set(HD_API_NEXTHOP, &h6, sizeof(h6));
	}
	world_commit();
}

uint32_t world_nexthop4(const struct params *p, uint32_t i)
{
	return 1 + i % p->nexthops;
}

uint32_t world_nexthop6(const struct params *p, uint32_t i)
{
	return NH6_BASE + i % p->nexthops;
}

void world_mac_in(uint8_t to[6])
{
	memcpy(to, "\x02\x00\x00\x00\x00\x01", 6);
}

void world_mac_out(uint8_t to[6])
{
	memcpy(to, "\x02\x00\x00\x00\x00\x02", 6);
}

void world_mac_nexthop(const struct params *p, uint32_t i, uint8_t to[6])
{
	i %= p->nexthops;
	memcpy(to, "\x02\xaa\x00\x00", 4);
	to[4] = (uint8_t)(i >> 8);
	to[5] = (uint8_t)i;
}

/* ---- start and stop ----------------------------------------------------------------------------------------- */

int world_start(const struct params *p)
{
	static const uint8_t in4[4] = { 10, 1, 0, 1 }, out4[4] = { 10, 2, 0, 1 };
	static const uint8_t in6[16] = { 0x20, 0x01, 0x0d, 0xb8, 0, 1, [15] = 0xff };
	static const uint8_t out6[16] = { 0x20, 0x01, 0x0d, 0xb8, 0, 2, [15] = 0xff };
	int rc;

	dp_limits.workers = 1;
	dp_limits.mbufs = 8192;
	if (p->size + RTE_PKTMBUF_HEADROOM + 64 > dp_limits.mbuf_room)
		dp_limits.mbuf_room = RTE_ALIGN_CEIL(p->size + RTE_PKTMBUF_HEADROOM + 64, 64u);
	worker_conf.burst = (uint16_t)p->burst;
	rc = eal_start(p);
	if (rc < 0)
		return rc;
	log_set_level(getenv("HD_LOG") != NULL ? LOG_LVL_DEBUG : LOG_LVL_ERROR);
	rc = engine_init();
	if (rc < 0)
		return rc;
	port(PORT_SOURCE);
	port(PORT_SINK);
	rc = device_take(PORT_SOURCE, PORT_SINK, packet_pool());
	if (rc < 0)
		return rc;
	iface(1);
	iface(2);
	address(1, 4, in4, 24);
	address(1, 6, in6, 64);
	address(2, 4, out4, 16);
	address(2, 6, out6, 64);
	world_commit();
	ports_place(PORT_SINK, 0, PORT_UNPOLLED);
	nexthops(p);
	ports_tick();
	world_settle();
	return 0;
}

bool world_huge(void)
{
	return huge;
}

void world_stop(void)
{
	device_write(DEVICE_OFF);
	device_unload();
	engine_fini();
	rte_eal_cleanup();
}

void world_turn(void)
{
	worker_turn(workers[0]);
}

void world_settle(void)
{
	unsigned idle = 0;

	world_commit();
	device_write(DEVICE_OFF);
	while (idle < 4) {
		worker_turn(workers[0]);
		idle = workers[0]->rx_count + engine_poll() == 0 ? idle + 1 : 0;
	}
}

void world_drops(char *to, size_t size)
{
	const struct hd_stats_hdr *h = stats_hdr();
	size_t at = 0;

	to[0] = '\0';
	for (uint32_t i = 0; i < h->n_vecs; i++) {
		const struct hd_stats_vec *v = &hd_stats_vecs(h)[i];
		const struct hd_stats_row *row =
			(const struct hd_stats_row *)((const uint8_t *)h + v->row_info_off);

		for (uint32_t r = 0; v->kind == HD_STATS_VERDICT && r < v->n_rows; r++) {
			uint64_t n = hd_stats_sum(h, v, r, 0);

			if (n == 0 || (strcmp(row[r].next, "drop") != 0 &&
				       strcmp(row[r].next, "icmp-error") != 0 &&
				       strcmp(row[r].next, "punt") != 0))
				continue;
			at += (size_t)snprintf(to + at, size - at, "%s%s %s %llu", at ? ", " : "",
					       v->name + strlen("verdict/"), row[r].name,
					       (unsigned long long)n);
			if (at >= size)
				return;
		}
	}
}
