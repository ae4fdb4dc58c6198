/* SPDX-License-Identifier: BSD-3-Clause
 * Ports are net_ring devices, each its own loop: what the graph sends on one stays in its ring until hx_tx() takes it,
 * since no worker polls it; frames come in through the inject ring. */
#include "tests/harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_ethdev.h>

#include "dataplane/engine.h"
#include "dataplane/dp_limits.h"
#include "dataplane/log.h"
#include "dataplane/meta.h"
#include "dataplane/objects.h"
#include "dataplane/port.h"
#include "dataplane/punt.h"
#include "dataplane/rcu.h"
#include "dataplane/stats.h"
#include "dataplane/worker.h"

static uint32_t next_port = 1;
static struct hd_api_reply reply;

#define FATAL(...)                                        \
	do {                                              \
		fprintf(stderr, "harness: " __VA_ARGS__); \
		fputc('\n', stderr);                      \
		abort();                                  \
	} while (0)

int hx_start(unsigned n_workers)
{
	char prefix[32];
	char *argv[] = { (char *)"test",
			 (char *)"--no-huge",
			 (char *)"--no-pci",
			 (char *)"--no-shconf",
			 (char *)"-m",
			 (char *)"96",
			 (char *)"--iova-mode=va",
			 (char *)"--lcores",
			 (char *)"0@0",
			 (char *)"--no-telemetry",
			 (char *)"--log-level=error",
			 (char *)"--file-prefix",
			 prefix };

	snprintf(prefix, sizeof(prefix), "hx%d", (int)getpid());
	if (rte_eal_init((int)RTE_DIM(argv), argv) < 0)
		return -EIO;
	log_set_level(getenv("HD_LOG") != NULL ? LOG_LVL_DEBUG : LOG_LVL_ERROR);
	dp_limits.workers = n_workers;
	dp_limits.mbufs = 4096;
	return engine_init();
}

void hx_start_default(void)
{
	if (hx_start(1) < 0)
		FATAL("the engine does not start");
}

void hx_stop(void)
{
	engine_fini();
	rte_eal_cleanup();
	next_port = 1;
}

static int txn_one(uint16_t type, bool del, const void *msg, size_t size)
{
	struct object_txn *t = object_txn_begin();

	object_txn_add(t, type, 1, del, msg, size, 0);
	int rc = object_txn_commit(t, &reply);
	rcu_reclaim();
	return rc;
}

int hx_set(uint16_t type, const void *msg, size_t size)
{
	return txn_one(type, false, msg, size);
}

int hx_del(uint16_t type, const void *msg, size_t size)
{
	return txn_one(type, true, msg, size);
}

const char *hx_error(void)
{
	return reply.text;
}

static void must(uint16_t type, const void *msg, size_t size)
{
	if (hx_set(type, msg, size) < 0)
		FATAL("object 0x%x refused: %s", type, reply.text);
}

uint32_t hx_port(void)
{
	struct hd_api_port p = { .port_id = next_port++, .mtu = 9000 };

	snprintf(p.name, sizeof(p.name), "p%u", p.port_id);
	snprintf(p.devargs, sizeof(p.devargs), "net_ring_hx%u", p.port_id);
	must(HD_API_PORT, &p, sizeof(p));
	ports_place(p.port_id, 0, PORT_UNPOLLED);
	ports_tick();
	return p.port_id;
}

void hx_iface(uint32_t id, uint32_t port, uint32_t vrf)
{
	struct hd_api_iface i = { .iface_id = id,
				  .port_id = port,
				  .vrf_id = vrf,
				  .mtu = 1500,
				  .mac = { 0x02, 0, 0, 0, (uint8_t)(id >> 8), (uint8_t)id },
				  .flags = HD_IFACE_F_UP };

	snprintf(i.name, sizeof(i.name), "if%u", id);
	must(HD_API_IFACE, &i, sizeof(i));
}

/* "addr" or "addr/len" to family, octets and length. */
static void parse_addr(const char *text, uint8_t *family, uint8_t *plen, uint8_t addr[16])
{
	char copy[64];
	char *slash;

	snprintf(copy, sizeof(copy), "%s", text);
	slash = strchr(copy, '/');
	if (slash != NULL)
		*slash++ = '\0';
	memset(addr, 0, 16);
	*family = strchr(copy, ':') != NULL ? 6 : 4;
	if (inet_pton(*family == 6 ? AF_INET6 : AF_INET, copy, addr) != 1)
		FATAL("address %s", text);
	*plen = slash != NULL ? (uint8_t)atoi(slash) : (*family == 6 ? 128 : 32);
}

void hx_addr(uint32_t iface, const char *text)
{
	struct hd_api_addr a = { .iface_id = iface };

	parse_addr(text, &a.family, &a.plen, a.addr);
	must(HD_API_ADDR, &a, sizeof(a));
}

void hx_neigh(uint32_t iface, const char *addr, const char *mac)
{
	struct hd_api_neigh n = { .iface_id = iface };
	uint8_t plen;
	struct rte_ether_addr e;

	parse_addr(addr, &n.family, &plen, n.addr);
	if (rte_ether_unformat_addr(mac, &e) < 0)
		FATAL("mac %s", mac);
	memcpy(n.mac, e.addr_bytes, 6);
	must(HD_API_NEIGH, &n, sizeof(n));
}

void hx_nexthop(uint32_t id, uint32_t iface, const char *gateway)
{
	struct hd_api_nexthop n = { .nh_id = id, .iface_id = iface, .family = 6 };
	uint8_t plen;

	if (gateway != NULL)
		parse_addr(gateway, &n.family, &plen, n.gateway);
	must(HD_API_NEXTHOP, &n, sizeof(n));
}

void hx_route(uint32_t vrf, const char *prefix, uint32_t target, uint32_t id)
{
	struct hd_api_route r = { .vrf_id = vrf, .target = target, .id = id };

	parse_addr(prefix, &r.family, &r.plen, r.prefix);
	must(HD_API_ROUTE, &r, sizeof(r));
}

void hx_vrf(uint32_t id)
{
	struct hd_api_vrf v = { .vrf_id = id };

	snprintf(v.name, sizeof(v.name), "vrf%u", id);
	must(HD_API_VRF, &v, sizeof(v));
}

void (*hx_device)(struct rte_mbuf *m);
unsigned hx_rx_later;

void hx_rx(uint32_t port, const void *frame, size_t len)
{
	struct rte_mbuf *m = packet_alloc();
	struct rte_mbuf *last = m;
	size_t done = 0;

	if (m == NULL)
		FATAL("no packet buffer left: a leak");
	m->data_off = (uint16_t)(m->data_off + hx_rx_later);
	while (done < len || done == 0) {
		size_t n = RTE_MIN(len - done, (size_t)rte_pktmbuf_tailroom(last));
		memcpy(rte_pktmbuf_mtod(last, uint8_t *), (const uint8_t *)frame + done, n);
		last->data_len = (uint16_t)n;
		m->pkt_len += (uint32_t)n;
		done += n;
		if (done >= len)
			break;
		last->next = packet_alloc();
		last = last->next;
		m->nb_segs++;
	}
	meta(m)->port = (uint16_t)port;
	if (hx_device != NULL)
		hx_device(m);
	inject(m, getenv("HX_FULL") != NULL ? INJECT_ETH_INPUT : INJECT_RECEIVED);
}

void hx_turn(void)
{
	unsigned idle = 0;

	while (idle < 2) {
		worker_turn(workers[0]);
		idle = workers[0]->rx_count + engine_poll() == 0 ? idle + 1 : 0;
	}
}

size_t hx_tx(uint32_t port, void *buf, size_t size)
{
	struct port *p = port_get(port);
	struct rte_mbuf *m;
	size_t len;

	if (p == NULL)
		FATAL("no port %u", port);
	if (rte_eth_rx_burst(p->dpdk_port, 0, &m, 1) == 0)
		return 0;
	len = m->pkt_len;
	const void *flat = rte_pktmbuf_read(m, 0, (uint32_t)RTE_MIN(len, size), buf);
	if (flat != buf)
		memcpy(buf, flat, RTE_MIN(len, size));
	rte_pktmbuf_free(m);
	return len;
}

static const struct hd_stats_vec *vec_find(const char *name)
{
	const struct hd_stats_hdr *h = stats_hdr();

	for (uint32_t i = 0; i < h->n_vecs; i++)
		if (strcmp(hd_stats_vecs(h)[i].name, name) == 0)
			return &hd_stats_vecs(h)[i];
	FATAL("no statistics vector %s", name);
}

static const struct hd_stats_row *vec_rows(const struct hd_stats_vec *v)
{
	return (const struct hd_stats_row *)((const uint8_t *)stats_hdr() + v->row_info_off);
}

uint64_t hx_verdict(const char *node, const char *verdict)
{
	char name[64];

	snprintf(name, sizeof(name), "verdict/%s", node);
	const struct hd_stats_vec *v = vec_find(name);
	for (uint32_t r = 0; r < v->n_rows; r++)
		if (strcmp(vec_rows(v)[r].name, verdict) == 0)
			return hd_stats_sum(stats_hdr(), v, r, 0);
	FATAL("node %s has no verdict %s", node, verdict);
}

uint64_t hx_stat(const char *vec, uint32_t row, const char *col)
{
	const struct hd_stats_vec *v = vec_find(vec);

	for (uint32_t c = 0; c < v->n_cols; c++)
		if (strcmp(v->col[c], col) == 0 && row < v->n_rows)
			return hd_stats_sum(stats_hdr(), v, row, c);
	FATAL("vector %s has no %s of row %u", vec, col, row);
}

uint64_t hx_object_drop(const char *vec, uint32_t row, const char *node, const char *verdict,
			uint64_t *ret_octets)
{
	const struct hd_stats_hdr *h = stats_hdr();
	const struct hd_stats_vec *v = vec_find("object-drop"), *verdicts;
	uint64_t packets = 0, octets = 0, key;
	char name[64];
	uint32_t reason = 0;

	snprintf(name, sizeof(name), "verdict/%s", node);
	verdicts = vec_find(name);
	while (reason < verdicts->n_rows && strcmp(vec_rows(verdicts)[reason].name, verdict) != 0)
		reason++;
	if (reason == verdicts->n_rows)
		FATAL("node %s has no verdict %s", node, verdict);
	key = hd_drop_key((uint32_t)(vec_find(vec) - hd_stats_vecs(h)), row,
			  (uint32_t)(verdicts - hd_stats_vecs(h)), reason);
	for (uint32_t s = 0; s < v->n_slices; s++)
		for (uint32_t r = 0; r < v->n_rows; r++) {
			const uint64_t *cell = hd_stats_cell(h, v, s, r, 0);

			packets += cell[HD_DROP_KEY] == key ? cell[HD_DROP_PACKETS] : 0;
			octets += cell[HD_DROP_KEY] == key ? cell[HD_DROP_OCTETS] : 0;
		}
	if (ret_octets != NULL)
		*ret_octets = octets;
	return packets;
}

uint64_t hx_drops(void)
{
	const struct hd_stats_hdr *h = stats_hdr();
	uint64_t sum = 0;

	for (uint32_t i = 0; i < h->n_vecs; i++) {
		const struct hd_stats_vec *v = &hd_stats_vecs(h)[i];

		if (v->kind != HD_STATS_VERDICT)
			continue;
		for (uint32_t r = 0; r < v->n_rows; r++)
			if (strcmp(vec_rows(v)[r].next, "drop") == 0)
				sum += hd_stats_sum(h, v, r, 0);
	}
	return sum;
}

uint64_t hx_node(const char *node, const char *col)
{
	const struct hd_stats_vec *v = vec_find("node");

	for (uint32_t r = 0; r < v->n_rows; r++)
		if (strcmp(vec_rows(v)[r].name, node) == 0)
			return hx_stat("node", r, col);
	FATAL("no node %s", node);
}

/* Verdicts of the control thread (its neighbour table) lead through no node. */
static bool is_node_verdict(const struct hd_stats_vec *v, const struct hd_stats_vec *nodes)
{
	for (uint32_t n = 0; v->kind == HD_STATS_VERDICT && n < nodes->n_rows; n++)
		if (strncmp(v->name, "verdict/", 8) == 0 &&
		    strcmp(v->name + 8, vec_rows(nodes)[n].name) == 0)
			return true;
	return false;
}

const char *hx_unbalanced(void)
{
	const struct hd_stats_hdr *h = stats_hdr();
	const struct hd_stats_vec *nodes = vec_find("node");
	static char text[200];

	for (uint32_t n = 0; n < nodes->n_rows; n++) {
		const char *name = vec_rows(nodes)[n].name;
		uint64_t got = hx_stat("node", n, "objects"), led_here = 0, led_on = 0;
		for (uint32_t i = 0; i < h->n_vecs; i++) {
			const struct hd_stats_vec *v = &hd_stats_vecs(h)[i];
			bool ours = is_node_verdict(v, nodes);
			for (uint32_t r = 0; ours && r < v->n_rows; r++) {
				uint64_t count = hd_stats_sum(h, v, r, 0);
				/* express does the full nodes' work and counts in their name, from eth-input on */
				const char *next = strcmp(v->name + 8, "express") == 0 ?
							   "eth-input" :
							   vec_rows(v)[r].next;
				if (strcmp(next, name) == 0)
					led_here += count;
				if (strcmp(v->name + 8, name) == 0)
					led_on += count;
			}
		}
		bool passes = strstr(name, "-input") != NULL || strstr(name, "-lookup") != NULL ||
			      strncmp(name, "srv6-", 5) == 0;
		if ((strcmp(name, "port-rx") != 0 && got != led_here) ||
		    (passes && got != led_on)) {
			snprintf(text, sizeof(text),
				 "%s got %llu, %llu were led to it, %llu led on", name,
				 (unsigned long long)got, (unsigned long long)led_here,
				 (unsigned long long)led_on);
			return text;
		}
	}
	return "";
}

unsigned hx_mbufs_in_use(void)
{
	return rte_mempool_in_use_count(packet_pool());
}
