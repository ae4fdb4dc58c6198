/* SPDX-License-Identifier: BSD-3-Clause
 * Receiver: signature, tracker, latency. */
#include <string.h>

#include "bench/traffic/gen_int.h"

static uint64_t last_look;

static void one(struct gen_port *p, uint32_t port, struct rte_mbuf *m, uint64_t now)
{
	struct gen_result *r = gen.r;
	struct sig s;
	uint32_t k;

	if (unlikely(m->nb_segs > 1) && rte_pktmbuf_linearize(m) < 0)
		return;
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);

	if (!sig_find(frame, m->data_len, gen.tag, gen.trials, &s) || s.flow >= gen.n_flows) {
		r->foreign++;
		neigh_input(p, frame, m->data_len);
		return;
	}
	if (s.tag != gen.tag) {
		r->stale++;
		return;
	}
	k = gen.flow_stream[s.flow];
	if (gen.stream[k].conf->to != port) {
		r->astray++;
		return;
	}
	gen.last_rx_tsc = now;
	gen.looks = 0;
	switch (seq_add(&gen.rx[s.flow], gen.window, s.seq)) {
	case SEQ_IN_ORDER:
	case SEQ_REORDERED:
		gen.live_unique++;
		if (now < s.tsc)
			r->negative++;
		hd_hist_add(&r->stream[k].latency,
			    now < s.tsc ? 0 :
					  (uint64_t)((double)(now - s.tsc) * (1e9 / gen.hz) + 0.5));
		break;
	default:
		break;
	}
}

void rx_turn(void)
{
	struct rte_mbuf *m[GEN_BURST * 2];
	uint64_t now = rte_rdtsc();

	if (last_look != 0)
		hd_hist_add(&gen.r->gap, (uint64_t)((double)(now - last_look) * (1e9 / gen.hz)));
	last_look = now;
	gen.looks++;
	if (gen.cfg.hook != NULL)
		gen.cfg.hook(gen.cfg.arg);
	for (uint32_t i = 0; i < gen.n_ports; i++) {
		uint16_t n = rte_eth_rx_burst(gen.port[i].id, 0, m, RTE_DIM(m));

		if (n == 0)
			continue;
		now = rte_rdtsc();
		for (uint16_t k = 0; k < n; k++)
			one(&gen.port[i], i, m[k], now);
		rte_pktmbuf_free_bulk(m, n);
	}
}

void rx_start(void)
{
	for (uint32_t f = 0; f < gen.n_flows; f++)
		seq_reset(&gen.rx[f], gen.window, gen.windows + (size_t)f * (gen.window / 64));
	gen.live_unique = 0;
	gen.last_rx_tsc = 0;
	last_look = 0;
	gen.looks = 0;
}

static void add(struct gen_counts *to, const struct seq_track *t)
{
	to->unique += t->unique;
	to->reordered += t->reordered;
	to->duplicate += t->duplicate;
	to->late += t->late;
	if (t->max_behind > to->max_behind)
		to->max_behind = t->max_behind;
}

void rx_collect(void)
{
	struct gen_result *r = gen.r;

	for (uint32_t f = 0; f < gen.n_flows; f++)
		add(&r->stream[gen.flow_stream[f]], &gen.rx[f]);
	for (uint32_t i = 0; i < gen.n_streams; i++) {
		const struct gen_counts *c = &r->stream[i];

		r->all.sent += c->sent;
		r->all.octets += c->octets;
		r->all.unique += c->unique;
		r->all.reordered += c->reordered;
		r->all.duplicate += c->duplicate;
		r->all.late += c->late;
		if (c->max_behind > r->all.max_behind)
			r->all.max_behind = c->max_behind;
		hd_hist_merge(&r->all.latency, &c->latency);
	}
}
