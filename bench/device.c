/* SPDX-License-Identifier: BSD-3-Clause
 * Source and sink.  The ports are net_null devices whose burst functions are replaced after their start, so that
 * ports, queues and graph are what they always are.
 * A packet costs the source: a buffer from the per-lcore cache, 24 octets of mbuf fields, and the fresh octets copied
 * from the flow's prepared frame; the sink: a check that the buffer is whole and single, and back to the cache. */
#include "bench/device.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_malloc.h>

#include "dataplane/port.h"

void (*device_check)(uint64_t n, struct rte_mbuf *m);
bool (*device_sabotage)(uint64_t n, struct rte_mbuf *m);

#define BURST_MAX    256u
#define BACK_MAX     1024u /* of answers that wait for the source */
#define SEQUENCE_MIN 1024u /* draws of a Zipf distribution per cycle, at least */

static struct {
	struct rte_mempool *pool;
	uint16_t source, sink; /* DPDK's port numbers */
	void *qdata[1];
	/* frames in the order in which they are sent, at a stride of sixteens; in a cycle of n */
	uint8_t *frame;
	uint16_t *len;
	uint32_t *flow;
	uint32_t n, at, stride, fresh;
	uint64_t mean_len;
	uint64_t rearm; /* data_off, refcnt, nb_segs, port of a received packet */
	uint64_t sent, came;
	/* answers on their way to the source, and how they are made; NULL: there are none */
	void (*answer)(uint8_t *frame);
	struct rte_mbuf *back[BACK_MAX];
	unsigned n_back;
} d;

/* Fresh octets, as sixteenths: whole cache lines, and what there is of the last one. */
static __rte_always_inline void copy_fresh(uint8_t *to, const uint8_t *from, unsigned sixteens)
{
	unsigned at = 0;

	for (; at + 4 <= sixteens; at += 4)
		__builtin_memcpy(to + at * 16, from + at * 16, 64);
	for (; at < sixteens; at++)
		__builtin_memcpy(to + at * 16, from + at * 16, 16);
}

/* What a driver writes into the mbuf of a received packet. */
static __rte_always_inline void mbuf_fill(struct rte_mbuf *m, uint16_t len)
{
	__builtin_memcpy(&m->rearm_data, &d.rearm, sizeof(d.rearm));
	m->ol_flags = 0;
	m->packet_type = 0;
	m->pkt_len = len;
	m->data_len = len;
	m->vlan_tci = 0;
}

static __rte_always_inline uint16_t source_burst(struct rte_mbuf **m, uint16_t n, unsigned sixteens)
{
	const uint8_t *from;

	n = (uint16_t)RTE_MIN(n, BURST_MAX);
	if (unlikely(rte_mempool_get_bulk(d.pool, (void **)m, n) < 0))
		return 0;
	if (unlikely(d.at + n > d.n)) /* the end of the cycle: one by one */
		goto wrap;
	from = d.frame + (size_t)d.at * d.stride;
	for (unsigned i = 0; i < n; i++, from += d.stride) {
		mbuf_fill(m[i], d.len[d.at + i]);
		copy_fresh((uint8_t *)m[i]->buf_addr + RTE_PKTMBUF_HEADROOM, from, sixteens);
	}
	d.at += n;
	d.sent += n;
	return n;
wrap:
	for (unsigned i = 0; i < n; i++) {
		if (d.at == d.n)
			d.at = 0;
		mbuf_fill(m[i], d.len[d.at]);
		copy_fresh((uint8_t *)m[i]->buf_addr + RTE_PKTMBUF_HEADROOM,
			   d.frame + (size_t)d.at * d.stride, sixteens);
		d.at++;
	}
	d.sent += n;
	return n;
}

static uint16_t rx_off(void *q, struct rte_mbuf **m, uint16_t n)
{
	(void)q;
	(void)m;
	(void)n;
	return 0;
}

/* The usual widths are constants in the loop. */
#define RX_SIXTEENS(k)                                                   \
	static uint16_t rx_##k(void *q, struct rte_mbuf **m, uint16_t n) \
	{                                                                \
		(void)q;                                                 \
		return source_burst(m, n, k);                            \
	}
RX_SIXTEENS(4) /* 64 octets: the floor, too */
RX_SIXTEENS(5)
RX_SIXTEENS(6)
RX_SIXTEENS(7)
RX_SIXTEENS(8)
RX_SIXTEENS(9)
RX_SIXTEENS(10)
RX_SIXTEENS(11)
RX_SIXTEENS(12)

static uint16_t rx_fresh(void *q, struct rte_mbuf **m, uint16_t n)
{
	(void)q;
	return source_burst(m, n, (d.fresh + 15) / 16);
}

static uint16_t rx_whole(void *q, struct rte_mbuf **m, uint16_t n)
{
	(void)q;
	return source_burst(m, n, d.stride / 16);
}

/* Announcements and the like of a graph that settles: not packets of the workload. */
static uint16_t tx_discard(void *q, struct rte_mbuf **m, uint16_t n)
{
	(void)q;
	rte_pktmbuf_free_bulk(m, n);
	return n;
}

static uint16_t tx_sink(void *q, struct rte_mbuf **m, uint16_t n)
{
	(void)q;
	d.came += n;
	for (unsigned i = 0; i < n; i++)
		if (unlikely(rte_mbuf_refcnt_read(m[i]) != 1 || m[i]->nb_segs != 1))
			goto slow;
	rte_mempool_put_bulk(d.pool, (void **)m, n);
	return n;
slow:
	rte_pktmbuf_free_bulk(m, n);
	return n;
}

static uint16_t tx_check(void *q, struct rte_mbuf **m, uint16_t n)
{
	(void)q;
	for (unsigned i = 0; i < n; i++) {
		if (device_sabotage == NULL || device_sabotage(d.came, m[i]))
			device_check(d.came++, m[i]);
		rte_pktmbuf_free(m[i]);
	}
	return n;
}

/* ---- what the engine sends by itself ------------------------------------------------------------------------ */

/* What a packet costs beyond the sink: its answer is made, and the source gives it like a driver. */
static __rte_always_inline void answer_one(struct rte_mbuf *m)
{
	uint16_t off = m->data_off;

	d.answer(rte_pktmbuf_mtod(m, uint8_t *));
	mbuf_fill(m, m->data_len);
	m->data_off = off;
}

static uint16_t rx_answers(void *q, struct rte_mbuf **m, uint16_t n)
{
	(void)q;
	n = (uint16_t)RTE_MIN(n, d.n_back);
	d.n_back -= n;
	memcpy(m, d.back + d.n_back, n * sizeof(*m));
	return n;
}

static uint16_t tx_answer(void *q, struct rte_mbuf **m, uint16_t n)
{
	(void)q;
	d.came += n;
	for (unsigned i = 0; i < n; i++) {
		if (unlikely(d.n_back == BACK_MAX)) {
			rte_pktmbuf_free_bulk(m + i, n - i);
			return n;
		}
		answer_one(m[i]);
		d.back[d.n_back++] = m[i];
	}
	return n;
}

/* What is broken here is broken on its way back: it has been compared. */
static uint16_t tx_check_answer(void *q, struct rte_mbuf **m, uint16_t n)
{
	for (unsigned i = 0; i < n; i++) {
		device_check(d.came, m[i]);
		if (device_sabotage == NULL || device_sabotage(d.came, m[i]))
			tx_answer(q, m + i, 1);
		else
			tx_sink(q, m + i, 1);
	}
	return n;
}

static void own_functions(struct rte_eth_fp_ops *rx, struct rte_eth_fp_ops *tx, bool verify)
{
	rx->rx_pkt_burst = d.answer != NULL ? rx_answers : rx_off;
	if (d.answer != NULL)
		tx->tx_pkt_burst = verify ? tx_check_answer : tx_answer;
	else
		tx->tx_pkt_burst = verify ? tx_check : tx_sink;
}

void device_write(enum device_write how)
{
	static const eth_rx_burst_t usual[] = { rx_4, rx_5,  rx_6,  rx_7, rx_8,
						rx_9, rx_10, rx_11, rx_12 };
	struct rte_eth_fp_ops *rx = &rte_eth_fp_ops[d.source], *tx = &rte_eth_fp_ops[d.sink];
	unsigned sixteens = RTE_MAX((d.fresh + 15) / 16, 4u);

	tx->tx_pkt_burst = how == DEVICE_OFF   ? tx_discard :
			   how == DEVICE_WHOLE ? tx_check :
						 tx_sink;
	switch (how) {
	case DEVICE_OFF:
		rx->rx_pkt_burst = rx_off;
		break;
	case DEVICE_64:
		rx->rx_pkt_burst = rx_4;
		break;
	case DEVICE_FRESH:
		rx->rx_pkt_burst = sixteens - 4 < RTE_DIM(usual) ? usual[sixteens - 4] : rx_fresh;
		break;
	case DEVICE_WHOLE:
		rx->rx_pkt_burst = rx_whole;
		break;
	case DEVICE_OWN:
	case DEVICE_OWN_CHECK:
		own_functions(rx, tx, how == DEVICE_OWN_CHECK);
		break;
	}
}

int device_take(uint32_t source, uint32_t sink, struct rte_mempool *pool)
{
	const struct port *in = port_get(source), *out = port_get(sink);
	struct rte_mbuf like = { .nb_segs = 1, .data_off = RTE_PKTMBUF_HEADROOM };

	if (in == NULL || out == NULL)
		return -ENODEV;
	d.pool = pool;
	d.source = in->dpdk_port;
	d.sink = out->dpdk_port;
	like.port = in->dpdk_port;
	rte_mbuf_refcnt_set(&like, 1);
	memcpy(&d.rearm, &like.rearm_data, sizeof(d.rearm));
	rte_eth_fp_ops[d.sink].rx_pkt_burst = rx_off;
	rte_eth_fp_ops[d.source].tx_pkt_burst = tx_discard;
	device_write(DEVICE_OFF);
	return 0;
}

/* ---- frames ------------------------------------------------------------------------------------------------- */

static uint64_t rng_state;
static double rng(void) /* splitmix64, [0, 1) */
{
	uint64_t z = (rng_state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

/* Flows by rank: the k-th has a share of k^-s.  Drawn from the summed distribution. */
static int sequence_zipf(uint32_t flows, double s)
{
	double *sum = malloc(flows * sizeof(*sum)), all = 0;

	if (sum == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < flows; i++)
		sum[i] = all += pow((double)i + 1, -s);
	for (uint32_t i = 0; i < d.n; i++) {
		double want = rng() * all;
		uint32_t lo = 0, hi = flows - 1;

		while (lo < hi) {
			uint32_t mid = (lo + hi) / 2;

			if (sum[mid] <= want)
				lo = mid + 1;
			else
				hi = mid;
		}
		d.flow[i] = lo;
	}
	free(sum);
	return 0;
}

/* Every flow in turn, in an order that no prefetcher of the table's memory can learn. */
static void sequence_uniform(void)
{
	for (uint32_t i = 0; i < d.n; i++)
		d.flow[i] = i;
	for (uint32_t i = d.n; i > 1; i--) {
		uint32_t k = (uint32_t)(rng() * i), t = d.flow[k];

		d.flow[k] = d.flow[i - 1];
		d.flow[i - 1] = t;
	}
}

int device_load(const struct workload *w, const struct params *p)
{
	static const uint16_t imix[12] = { 64, 570, 64, 64, 570, 64, 1518, 64, 570, 64, 570, 64 };
	uint8_t scratch[FRAME_MAX + 256] = { 0 };
	uint32_t longest = 0;
	int rc = 0;

	device_unload();
	d.answer = w->answer;
	rng_state = p->seed;
	d.n = p->zipf > 0 ? RTE_MAX(p->flows * 4, SEQUENCE_MIN) : p->flows;
	d.flow = malloc(d.n * sizeof(*d.flow));
	d.len = malloc(d.n * sizeof(*d.len));
	if (d.flow == NULL || d.len == NULL)
		return -ENOMEM;
	if (p->zipf > 0)
		rc = sequence_zipf(p->flows, p->zipf);
	else
		sequence_uniform();
	if (rc < 0)
		return rc;
	d.fresh = 0;
	d.mean_len = 0;
	for (uint32_t i = 0; i < d.n; i++) {
		uint32_t fresh = 0, len = w->frame(p, d.flow[i], p->imix ? imix[i % 12] : p->size,
						   scratch, &fresh);

		d.len[i] = (uint16_t)len;
		d.fresh = RTE_MAX(d.fresh, fresh);
		d.mean_len += len;
		longest = RTE_MAX(longest, len);
	}
	d.mean_len /= d.n;
	/* long payloads are only kept to verify */
	d.stride = p->verify ? RTE_ALIGN_CEIL(longest, 64u) :
			       RTE_ALIGN_CEIL(RTE_MAX(d.fresh, 64u), 16u);
	d.frame = aligned_alloc(64, RTE_ALIGN_CEIL((size_t)d.n * d.stride, 64u));
	if (d.frame == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < d.n; i++) {
		uint32_t fresh;

		memset(scratch, 0, sizeof(scratch));
		w->frame(p, d.flow[i], p->imix ? imix[i % 12] : p->size, scratch, &fresh);
		memcpy(d.frame + (size_t)i * d.stride, scratch, d.stride);
	}
	device_reset();
	return 0;
}

void device_unload(void)
{
	rte_pktmbuf_free_bulk(d.back, d.n_back);
	d.n_back = 0;
	free(d.frame);
	free(d.len);
	free(d.flow);
	d.frame = NULL;
	d.len = NULL;
	d.flow = NULL;
}

void device_reset(void)
{
	d.at = 0;
	d.sent = 0;
	d.came = 0;
}

uint64_t device_sent(void)
{
	return d.sent;
}

uint64_t device_came(void)
{
	return d.came;
}

const uint8_t *device_frame(uint64_t n, uint32_t *ret_flow, uint32_t *ret_len)
{
	uint32_t i = (uint32_t)(n % d.n);

	*ret_flow = d.flow[i];
	*ret_len = d.len[i];
	return d.frame + (size_t)i * d.stride;
}

uint32_t device_mean_len(void)
{
	return (uint32_t)d.mean_len;
}

uint32_t device_fresh(void)
{
	return d.fresh;
}

unsigned device_floor(unsigned burst)
{
	struct rte_mbuf *m[BURST_MAX];
	uint16_t n = rx_4(NULL, m, (uint16_t)burst);

	for (unsigned i = 0; i < n && d.answer != NULL; i++)
		answer_one(m[i]);
	return tx_sink(NULL, m, n);
}

unsigned device_io(unsigned burst)
{
	struct rte_mbuf *m[BURST_MAX];
	uint16_t n = rte_eth_rx_burst(d.source, 0, m, (uint16_t)RTE_MIN(burst, BURST_MAX));

	for (unsigned i = 0; i < n && d.answer != NULL; i++)
		answer_one(m[i]);
	return n == 0 ? 0 : rte_eth_tx_burst(d.sink, 0, m, n);
}
