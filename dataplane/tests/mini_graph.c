/* SPDX-License-Identifier: BSD-3-Clause
 * Nodes of mini_graph.h. */
#include "dataplane/tests/mini_graph.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "dataplane/debug_api.h"
#include "dataplane/node.h"
#include "dataplane/pipeline.h"
#include "dataplane/punt.h"
#include "dataplane/stats.h"
#include "dataplane/trace.h"
#include "tests/pktb.h"

const struct pipeline *const pipelines[] = { NULL };
uint8_t mini_punt = PUNT_REASONS_MAX - 1;
volatile uint32_t mini_stall_ms = 1000;
void (*mini_hook)(void);
static int *volatile bad_address = (int *)8;

static void advance(struct rte_mbuf *m, int n)
{
	m->data_off = (uint16_t)(m->data_off + n);
	m->data_len = (uint16_t)(m->data_len - n);
	m->pkt_len -= (uint32_t)n;
}

#define ETH_INPUT_VERDICTS(V, P)              \
	V(P, IP4, "ip4-lookup", INFO, "IPv4") \
	V(P, IP6, "ip6-lookup", INFO, "IPv6") \
	V(P, TRUNCATED, "drop", ERROR, "shorter than an Ethernet header")
NODE_VERDICTS(eth_input, ETH_INPUT, ETH_INPUT_VERDICTS)

static inline rte_edge_t eth_one(struct rte_mbuf *m, void *arg)
{
	struct worker *w = arg;
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	struct hd_meta *mt = meta(m);

	if (m->data_len < 14)
		return ETH_INPUT_TRUNCATED;
	mt->iface = mt->port;
	mt->vrf = MINI_VRF;
	mt->l2_len = 14;
	advance(m, 14);
	if (unlikely(w->watch & WATCH_TRACE))
		trace_mark(w, m);
	return p[12] == 0x08 ? ETH_INPUT_IP4 : ETH_INPUT_IP6;
}
static uint16_t eth_process(struct rte_graph *g, struct rte_node *node, void **objs, uint16_t n)
{
	return node_run(g, node, objs, n, eth_one, node_worker(node));
}
NODE_REGISTER(eth_input, "eth-input", ETH_INPUT, ETH_INPUT_VERDICTS, eth_process)

/* Finds every packet unusual. */
#define EXPRESS_VERDICTS(V, P) V(P, FULL, "eth-input", INFO, "everything")
NODE_VERDICTS(express, EXPRESS, EXPRESS_VERDICTS)
static void express_chunk(struct rte_mbuf **m, unsigned n, rte_edge_t *verdict, void *arg)
{
	const struct worker *w = arg; /* tests send to one port in a walk */

	for (unsigned i = 0; i < n; i++) {
		*meta(m[i]) = (struct hd_meta){ .rx_tsc = w->now, .port = w->rx_run[0].port };
		verdict[i] = EXPRESS_FULL;
	}
}
static uint16_t express_process(struct rte_graph *g, struct rte_node *node, void **objs, uint16_t n)
{
	return node_run_unwatched(g, node, objs, n, express_chunk, node_worker(node));
}
NODE_REGISTER(express, "express", EXPRESS, EXPRESS_VERDICTS, express_process)

#define IP6_LOOKUP_VERDICTS(V, P)                                   \
	V(P, FORWARD, "port-tx", INFO, "forwarded")                 \
	V(P, NO_ROUTE, "drop", WARN, "no route to the destination") \
	V(P, HOP_LIMIT, "icmp-error", WARN, "hop limit exceeded")   \
	V(P, TO_CTRL, "punt", INFO, "for the control process")      \
	V(P, BOUNCE, "bounce", INFO, "round and round")
NODE_VERDICTS(ip6_lookup, IP6_LOOKUP, IP6_LOOKUP_VERDICTS)

static inline rte_edge_t ip6_one(struct rte_mbuf *m, void *arg)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
	struct timespec t = { mini_stall_ms / 1000, (long)(mini_stall_ms % 1000) * 1000000 };
	struct hd_meta *mt = meta(m);

	(void)arg;
	switch (p[7]) {
	case 0:
		mt->object = 77;
		return IP6_LOOKUP_NO_ROUTE;
	case 1:
		return IP6_LOOKUP_HOP_LIMIT;
	case 2:
		mt->punt = mini_punt;
		return IP6_LOOKUP_TO_CTRL;
	case 3:
		p[7] = 200;
		return IP6_LOOKUP_BOUNCE;
	case 4:
		nanosleep(&t, NULL);
		break;
	case 5:
		*bad_address = 1;
		break;
	case 6:
		mini_hook();
		break;
	case 7:
		p[-2] = 0x08;
		p[-1] = 0x00;
		return IP6_LOOKUP_NO_ROUTE;
	}
	if (p[7] > 100) {
		p[7] -= 10;
		return p[7] <= 110 ? IP6_LOOKUP_NO_ROUTE : IP6_LOOKUP_BOUNCE;
	}
	mt->result = MINI_RESULT;
	mt->port = 1;
	m->port = 1;
	advance(m, -14);
	return IP6_LOOKUP_FORWARD;
}
static uint16_t ip6_process(struct rte_graph *g, struct rte_node *node, void **objs, uint16_t n)
{
	return node_run(g, node, objs, n, ip6_one, NULL);
}
NODE_REGISTER(ip6_lookup, "ip6-lookup", IP6_LOOKUP, IP6_LOOKUP_VERDICTS, ip6_process)

#define BOUNCE_VERDICTS(V, P) V(P, BACK, "ip6-lookup", INFO, "back")
NODE_VERDICTS(bounce, BOUNCE, BOUNCE_VERDICTS)
static inline rte_edge_t bounce_one(struct rte_mbuf *m, void *arg)
{
	(void)m;
	(void)arg;
	return BOUNCE_BACK;
}
static uint16_t bounce_process(struct rte_graph *g, struct rte_node *node, void **objs, uint16_t n)
{
	return node_run(g, node, objs, n, bounce_one, NULL);
}
NODE_REGISTER(bounce, "bounce", BOUNCE, BOUNCE_VERDICTS, bounce_process)

#define IP4_LOOKUP_VERDICTS(V, P) V(P, NO_HEADER, "drop", ERROR, "no IPv4 here")
NODE_VERDICTS(ip4_lookup, IP4_LOOKUP, IP4_LOOKUP_VERDICTS)
static inline rte_edge_t ip4_one(struct rte_mbuf *m, void *arg)
{
	(void)m;
	(void)arg;
	return IP4_LOOKUP_NO_HEADER;
}
static uint16_t ip4_process(struct rte_graph *g, struct rte_node *node, void **objs, uint16_t n)
{
	return node_run(g, node, objs, n, ip4_one, NULL);
}
NODE_REGISTER(ip4_lookup, "ip4-lookup", IP4_LOOKUP, IP4_LOOKUP_VERDICTS, ip4_process)

/* Answers in the same buffer, as the real one does. */
#define ICMP_ERROR_VERDICTS(V, P) V(P, SENT, "ip6-lookup", INFO, "sent back")
NODE_VERDICTS(icmp_error, ICMP_ERROR, ICMP_ERROR_VERDICTS)
static inline rte_edge_t error_one(struct rte_mbuf *m, void *arg)
{
	drop_sample_note(arg, m);
	rte_pktmbuf_mtod(m, uint8_t *)[7] = 64;
	return ICMP_ERROR_SENT;
}
static uint16_t error_process(struct rte_graph *g, struct rte_node *node, void **objs, uint16_t n)
{
	return node_run(g, node, objs, n, error_one, node_worker(node));
}
NODE_REGISTER(icmp_error, "icmp-error", ICMP_ERROR, ICMP_ERROR_VERDICTS, error_process)

size_t mini_frame(uint8_t *buf, size_t size, uint8_t hop_limit)
{
	struct pktb b;

	pktb_init(&b);
	pktb_eth(&b, NULL, NULL);
	pktb_ip6(&b, "2001:db8::1", "2001:db8:2::2", hop_limit);
	pktb_udp(&b, 1000, 2000);
	pktb_fill(&b, 20);
	pktb_finish(&b);
	memcpy(buf, b.buf, b.len < size ? b.len : size);
	return b.len;
}

struct mini_answer mini_answers[256];
unsigned mini_n_answers;

static void keep(void *arg, uint16_t type, const void *body, size_t size)
{
	(void)arg;
	if (mini_n_answers == RTE_DIM(mini_answers) || size > sizeof(mini_answers[0].body))
		return;
	mini_answers[mini_n_answers].type = type;
	mini_answers[mini_n_answers].size = size;
	memcpy(mini_answers[mini_n_answers++].body, body, size);
}

int mini_request(uint16_t type, const void *body, size_t size, int fd, struct hd_api_reply *reply)
{
	mini_n_answers = 0;
	memset(reply, 0, sizeof(*reply));
	return debug_request(type, body, size, fd, keep, NULL, reply);
}

const char *mini_node_name(uint32_t row)
{
	for (const struct node_desc *d = node_desc_first(); d != NULL; d = d->next)
		if (d->row == row)
			return d->name;
	return "?";
}

const char *mini_verdict_name(uint16_t vec, uint16_t row)
{
	const struct hd_stats_hdr *h = stats_hdr();

	if (vec >= h->n_vecs || row >= hd_stats_vecs(h)[vec].n_rows)
		return "?";
	return ((const struct hd_stats_row *)((const uint8_t *)h +
					      hd_stats_vecs(h)[vec].row_info_off))[row]
		.name;
}
