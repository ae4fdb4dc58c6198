/* SPDX-License-Identifier: BSD-3-Clause
 * The known system under test; see impair.h. */
#include "bench/traffic/impair.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "bench/traffic/sig.h"

#define QUEUE      8192u /* packets under way; a power of two */
#define ROOM       1.5   /* packets that may wait for a forwarder of limited speed */
#define HOLD_MAX_S 0.005 /* a held packet that nobody overtakes goes on after so long */

struct impair {
	struct impair_conf conf;
	struct impair_done done;
	uint16_t from, to;
	double hz;
	uint32_t head, tail; /* of the queue; head: next to go */
	struct rte_mbuf *queue[QUEUE];
	uint64_t due[QUEUE];
	struct rte_mbuf *held;
	uint64_t held_since;
	uint32_t held_for;
	double free_at; /* seconds from the first packet: when what it took will have been forwarded */
	uint32_t next[65536]; /* [flow]: highest number that left, plus one */
};

struct impair *impair_create(uint16_t from, uint16_t to, double hz)
{
	struct impair *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return NULL;
	x->from = from;
	x->to = to;
	x->hz = hz;
	return x;
}

void impair_set(struct impair *x, const struct impair_conf *conf)
{
	x->conf = *conf;
	x->done = (struct impair_done){ 0 };
	x->free_at = 0;
	memset(x->next, 0, sizeof(x->next));
}

void impair_destroy(struct impair *x)
{
	if (x == NULL)
		return;
	while (x->head != x->tail)
		rte_pktmbuf_free(x->queue[x->head++ % QUEUE]);
	rte_pktmbuf_free(x->held);
	free(x);
}

struct impair_done impair_counts(const struct impair *x)
{
	return x->done;
}

/* In the order in which packets leave: is this one overtaken by one of its flow? */
static void order_note(struct impair *x, const struct rte_mbuf *m)
{
	const uint8_t *s = rte_pktmbuf_mtod(m, const uint8_t *) + m->data_len - SIG_LEN;
	uint32_t seq = wire_get32(s + 4), *next = &x->next[wire_get16(s + 2)];

	if (seq >= *next)
		*next = seq + 1;
	else
		x->done.reordered++;
}

static void append(struct impair *x, struct rte_mbuf *m, uint64_t due, bool copy)
{
	if (x->tail - x->head == QUEUE) {
		x->done.lost++;
		rte_pktmbuf_free(m);
		return;
	}
	if (!copy)
		order_note(x, m);
	x->queue[x->tail % QUEUE] = m;
	x->due[x->tail++ % QUEUE] = due;
}

static bool every(uint64_t n, uint32_t k)
{
	return k != 0 && n % k == k / 2;
}

static void take(struct impair *x, struct rte_mbuf *m, uint64_t now)
{
	const struct impair_conf *c = &x->conf;
	uint64_t n = x->done.came++, due = now + (uint64_t)(c->delay_s * x->hz);

	if (c->pps > 0) {
		double arrival = (double)n / c->arrival_pps;

		if (x->free_at > arrival + ROOM / c->pps) {
			x->done.lost++;
			rte_pktmbuf_free(m);
			return;
		}
		x->free_at = (x->free_at > arrival ? x->free_at : arrival) + 1 / c->pps;
	}
	if (every(n, c->lose_every)) {
		x->done.lost++;
		rte_pktmbuf_free(m);
		return;
	}
	if (x->held == NULL && every(n, c->hold_every)) {
		x->held = m;
		x->held_since = now;
		x->held_for = c->hold_by;
		return;
	}
	append(x, m, due, false);
	if (every(n, c->double_every)) {
		struct rte_mbuf *copy = rte_pktmbuf_copy(m, m->pool, 0, UINT32_MAX);

		if (copy != NULL) {
			x->done.doubled++;
			append(x, copy, due, true);
		}
	}
	if (x->held != NULL && --x->held_for == 0) {
		append(x, x->held, due, false);
		x->held = NULL;
	}
}

void impair_poll(struct impair *x)
{
	struct rte_mbuf *m[64];
	uint64_t now = rte_rdtsc();
	uint16_t n;

	while ((n = rte_eth_rx_burst(x->from, 0, m, RTE_DIM(m))) != 0)
		for (uint16_t i = 0; i < n; i++)
			take(x, m[i], now);
	if (x->held != NULL && (double)(now - x->held_since) > HOLD_MAX_S * x->hz) {
		append(x, x->held, now, false);
		x->held = NULL;
	}
	now = rte_rdtsc();
	while (x->head != x->tail && x->due[x->head % QUEUE] <= now) {
		if (rte_eth_tx_burst(x->to, 0, &x->queue[x->head % QUEUE], 1) == 0)
			return;
		x->head++;
		x->done.left++;
	}
}
