/* SPDX-License-Identifier: BSD-3-Clause
 * Transmitter: prepared headers, a pattern, a signature; in the order of the streams' weights. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/traffic/gen_int.h"

static uint8_t pattern[FRAME_OCTETS_MAX];

/* ---- preparation -------------------------------------------------------------------------------------------- */

/* Streams in the order of their packets: each as evenly spread as its weight allows. */
static void order_make(void)
{
	int32_t credit[STREAMS_MAX] = { 0 }, total = 0;

	for (uint32_t i = 0; i < gen.n_streams; i++)
		total += (int32_t)gen.stream[i].conf->weight;
	gen.n_order = (uint32_t)total;
	for (uint32_t k = 0; k < gen.n_order; k++) {
		uint32_t best = 0;

		for (uint32_t i = 0; i < gen.n_streams; i++) {
			credit[i] += (int32_t)gen.stream[i].conf->weight;
			if (credit[i] > credit[best])
				best = i;
		}
		credit[best] -= total;
		gen.order[k] = (uint8_t)best;
	}
}

static void macs_fill(const struct stream *s, uint8_t *frame)
{
	const struct gen_port *from = &gen.port[s->from], *to = &gen.port[s->to];

	if (s->own_dst)
		memcpy(frame, from->have_gateway ? from->gateway.b : to->mac.b, 6);
	if (s->own_src)
		memcpy(frame + 6, from->mac.b, 6);
}

static int stream_frames(struct gen_stream *s, const uint32_t *size, uint32_t n_sizes)
{
	const struct stream *conf = s->conf;
	uint8_t *whole;

	free(s->header);
	s->header = NULL;
	s->next_flow = s->next_size = s->lap = 0;
	if (conf->n_frames != 0)
		return 0;
	if (conf->n_sizes != 0) {
		size = conf->size;
		n_sizes = conf->n_sizes;
	}
	s->n_sizes = n_sizes;
	s->headers = packet_headers(&conf->packet);
	s->stride = RTE_ALIGN_CEIL(s->headers, 16u);
	s->header = calloc((size_t)n_sizes * conf->flows, s->stride);
	whole = malloc(FRAME_OCTETS_MAX);
	if (s->header == NULL || whole == NULL) {
		free(whole);
		return -ENOMEM;
	}
	for (uint32_t k = 0; k < n_sizes; k++) {
		s->size[k] = packet_octets(&conf->packet, size[k] - FRAME_FCS);
		for (uint32_t f = 0; f < conf->flows; f++) {
			packet_build(&conf->packet, f, s->size[k], whole);
			macs_fill(conf, whole);
			memcpy(s->header + ((size_t)k * conf->flows + f) * s->stride, whole,
			       s->headers);
		}
	}
	free(whole);
	return 0;
}

int tx_frames(const uint32_t *size, uint32_t n_sizes)
{
	for (uint32_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = frame_payload(i);
	order_make();
	for (uint32_t i = 0; i < gen.n_streams; i++) {
		int rc = stream_frames(&gen.stream[i], size, n_sizes);

		if (rc < 0)
			return rc;
	}
	return 0;
}

/* ---- packets ------------------------------------------------------------------------------------------------ */

/* The stream's next packet, all but its signature.  Returns where that goes. */
static inline uint8_t *fill(struct gen_stream *s, struct rte_mbuf *m, uint32_t *ret_flow)
{
	const struct stream *conf = s->conf;
	uint8_t *to = rte_pktmbuf_mtod(m, uint8_t *);
	uint32_t f = s->next_flow, len, sig;

	s->next_flow = f + 1 == conf->flows ? 0 : f + 1;
	if (conf->n_frames != 0) {
		len = conf->frame[f].len;
		sig = conf->frame[f].sig;
		memcpy(to, conf->frame[f].octets, len);
	} else {
		len = s->size[s->next_size];
		sig = len - SIG_LEN;
		memcpy(to, s->header + ((size_t)s->next_size * conf->flows + f) * s->stride,
		       s->headers);
		memcpy(to + s->headers, pattern + s->headers, sig - s->headers);
		/* Flow f of lap n has size (n + f): each flow gets all sizes, and the mix is even at any time. */
		s->next_size = s->next_size + 1 == s->n_sizes ? 0 : s->next_size + 1;
		if (s->next_flow == 0) {
			s->lap = s->lap + 1 == s->n_sizes ? 0 : s->lap + 1;
			s->next_size = s->lap;
		}
	}
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
	*ret_flow = s->first_flow + f;
	return to + sig;
}

static void answers_send(struct gen_port *p)
{
	void *m;

	while (rte_ring_dequeue(p->answers, &m) == 0) {
		struct rte_mbuf *one = m;

		if (rte_eth_tx_burst(p->id, 0, &one, 1) == 0)
			rte_pktmbuf_free(one);
	}
}

/* Time stamps are taken here, again for what the driver refused before. */
static void flush(struct gen_port *p)
{
	struct gen_pending *q = &p->pending;
	uint64_t now = rte_rdtsc();
	uint32_t n;

	for (uint32_t i = 0; i < q->n; i++) {
		struct sig s = { gen.tag, (uint16_t)q->flow[i], q->seq[i], now };

		sig_write(q->sig[i], &s);
	}
	n = rte_eth_tx_burst(p->id, 0, q->m, (uint16_t)q->n);
	if (n == 0)
		return;
	gen.last_tsc = now;
	gen.live_sent += n;
	q->n -= n;
	memmove(q->m, q->m + n, q->n * sizeof(q->m[0]));
	memmove(q->sig, q->sig + n, q->n * sizeof(q->sig[0]));
	memmove(q->flow, q->flow + n, q->n * sizeof(q->flow[0]));
	memmove(q->seq, q->seq + n, q->n * sizeof(q->seq[0]));
	memmove(q->stream, q->stream + n, q->n * sizeof(q->stream[0]));
}

static void make(uint32_t n)
{
	struct rte_mbuf *m[GEN_BURST];

	if (n == 0)
		return;
	if (rte_pktmbuf_alloc_bulk(gen.pool, m, n) < 0) {
		gen.r->no_buffer += n;
		gen.pace.behind += n;
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = gen.order[gen.next_order], flow;
		struct gen_stream *s = &gen.stream[k];
		struct gen_pending *q = &gen.port[s->conf->from].pending;

		gen.next_order = gen.next_order + 1 == gen.n_order ? 0 : gen.next_order + 1;
		q->sig[q->n] = fill(s, m[i], &flow);
		q->m[q->n] = m[i];
		q->flow[q->n] = flow;
		q->stream[q->n] = k;
		q->seq[q->n] = gen.tx_seq[flow]++;
		q->n++;
		gen.r->stream[k].sent++;
		gen.r->stream[k].octets += m[i]->pkt_len + FRAME_FCS;
	}
}

void tx_start(const struct gen_trial *t)
{
	uint64_t now = rte_rdtsc();

	memset(gen.tx_seq, 0, gen.n_flows * sizeof(gen.tx_seq[0]));
	for (uint32_t i = 0; i < gen.n_streams; i++)
		gen.stream[i].next_flow = gen.stream[i].next_size = gen.stream[i].lap = 0;
	gen.next_order = 0;
	gen.live_sent = 0;
	pace_start(&gen.pace, t->pps, gen.cfg.catch_up_s, gen.hz, now);
	gen.first_tsc = gen.last_tsc = now;
	gen.until = now + (uint64_t)(t->seconds * gen.hz);
	gen.grace = (uint64_t)(gen.cfg.catch_up_s * gen.hz);
	gen.most = t->packets != 0 ? t->packets : UINT64_MAX;
}

bool tx_turn(void)
{
	uint64_t now = rte_rdtsc(), left;
	uint32_t room = GEN_BURST, held = 0, due;

	for (uint32_t i = 0; i < gen.n_ports; i++) {
		struct gen_port *p = &gen.port[i];

		if (!rte_ring_empty(p->answers))
			answers_send(p);
		if (p->pending.n != 0)
			flush(p);
		held += p->pending.n;
		room = RTE_MIN(room, GEN_BURST - p->pending.n);
	}
	left = gen.most - (gen.live_sent + held);
	if (left == 0)
		return held != 0 && now < gen.until + gen.grace;
	/* At the end of the time, what was due before it is still sent. */
	due = now < gen.until ? pace_due(&gen.pace, now, (uint32_t)RTE_MIN(left, room)) :
	      gen.pace.per_cycle > 0 ?
				pace_due(&gen.pace, gen.until - 1, (uint32_t)RTE_MIN(left, room)) :
				0;
	if (now >= gen.until && due == 0 && (held == 0 || now >= gen.until + gen.grace))
		return false;
	make(due);
	for (uint32_t i = 0; i < gen.n_ports; i++)
		if (gen.port[i].pending.n != 0)
			flush(&gen.port[i]);
	return true;
}

/* What no driver took was not sent: the last numbers of their flows are given back. */
void tx_abandon(void)
{
	for (uint32_t i = 0; i < gen.n_ports; i++) {
		struct gen_pending *q = &gen.port[i].pending;

		while (q->n != 0) {
			q->n--;
			gen.tx_seq[q->flow[q->n]]--;
			gen.r->stream[q->stream[q->n]].sent--;
			gen.r->stream[q->stream[q->n]].octets -= q->m[q->n]->pkt_len + FRAME_FCS;
			gen.pace.behind++;
			rte_pktmbuf_free(q->m[q->n]);
		}
	}
}

uint64_t tx_make_and_drop(uint64_t until)
{
	uint64_t n = 0, now;
	struct gen_result *r = calloc(1, sizeof(*r)), *kept = gen.r;

	if (r == NULL)
		return 0;
	gen.r = r;
	while ((now = rte_rdtsc()) < until) {
		make(GEN_BURST);
		for (uint32_t i = 0; i < gen.n_ports; i++) {
			struct gen_pending *q = &gen.port[i].pending;

			for (uint32_t k = 0; k < q->n; k++) {
				struct sig s = { 0, (uint16_t)q->flow[k], q->seq[k], now };

				sig_write(q->sig[k], &s);
			}
			n += q->n;
			rte_pktmbuf_free_bulk(q->m, q->n);
			q->n = 0;
		}
	}
	gen.r = kept;
	free(r);
	return n;
}
