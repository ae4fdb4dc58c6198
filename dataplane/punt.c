/* SPDX-License-Identifier: BSD-3-Clause
 * Slow path: node "punt" with its policers, the rings to the control thread, and injection back. */
#include "dataplane/punt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_malloc.h>
#include <rte_mempool.h>

#include "dataplane/node.h"
#include "dataplane/stats.h"

#define PUNT_VERDICTS(V, P)                                                                \
	V(P, POLICED, "drop", WARN,                                                        \
	  "more packets of this punt reason than its policer lets through: "               \
	  "system punt-policer raises it")                                                 \
	V(P, RING_FULL, "drop", WARN,                                                      \
	  "the control thread does not keep up with punted packets: lower their policers") \
	V(P, NO_REASON, "drop", ERROR,                                                     \
	  "led to punt without a registered reason: a fault of the program")
NODE_VERDICTS(punt, PUNT, PUNT_VERDICTS)

struct reason {
	char name[HD_STATS_ROW_NAME];
	char help[HD_STATS_ROW_TEXT];
	uint32_t rate_pps, burst;
	punt_handler handler;
	void *arg;
	punt_explain explain; /* NULL: help says it */
};
static struct reason reasons[PUNT_REASONS_MAX];
static unsigned n_reasons;
static punt_handler to_ctrl; /* for reasons without a handler */

enum { COL_PACKETS, COL_POLICED, COL_FULL, N_COLS };
static int vec = -1;
static struct rte_mempool *pool;

/* Token bucket of one reason on one worker.  Tokens are in TSC cycles' worth: a packet costs tsc_hz / rate. */
struct bucket {
	uint64_t last;   /* TSC */
	uint64_t credit; /* cycles */
	uint64_t cost;   /* cycles per packet; UINT64_MAX: nothing passes */
	uint64_t depth;  /* most credit */
};
struct punt_state {
	struct bucket bucket[PUNT_REASONS_MAX];
	uint64_t *count;
};

static void bucket_set(struct bucket *b, uint32_t rate_pps, uint32_t burst)
{
	uint32_t share = RTE_MAX(1u, dp_limits.workers);

	b->cost = rate_pps == 0 ? UINT64_MAX : rte_get_tsc_hz() * share / rate_pps;
	b->depth = rate_pps == 0 ? 0 : b->cost * RTE_MAX(1u, burst / share);
	b->credit = b->depth;
	b->last = rte_rdtsc();
}

static inline bool bucket_take(struct bucket *b, uint64_t now)
{
	if (now > b->last) {
		b->credit = RTE_MIN(b->depth, b->credit + (now - b->last));
		b->last = now;
	}
	if (b->credit < b->cost)
		return false;
	b->credit -= b->cost;
	return true;
}

int punt_reason_register(const char *name, const char *help, uint32_t rate_pps, uint32_t burst,
			 punt_handler handler, void *arg)
{
	if (n_reasons == PUNT_REASONS_MAX)
		return -ENOSPC;
	struct reason *r = &reasons[n_reasons];

	*r = (struct reason){ .rate_pps = rate_pps, .burst = burst, .handler = handler, .arg = arg };
	snprintf(r->name, sizeof(r->name), "%s", name);
	snprintf(r->help, sizeof(r->help), "%s", help);
	return (int)n_reasons++;
}

int punt_explain_set(uint32_t reason, punt_explain fn)
{
	if (reason >= n_reasons)
		return -ENOENT;
	reasons[reason].explain = fn;
	return 0;
}

void punt_explain_text(const struct rte_mbuf *m, char *text, size_t size)
{
	uint32_t reason = meta((struct rte_mbuf *)(uintptr_t)m)->punt;

	text[0] = '\0';
	if (reason < n_reasons && reasons[reason].explain != NULL)
		reasons[reason].explain(m, text, size);
	if (reason < n_reasons && text[0] == '\0')
		snprintf(text, size, "%s", reasons[reason].help);
}

int punt_policer_set(uint32_t reason, uint32_t rate_pps, uint32_t burst)
{
	if (reason >= n_reasons)
		return -ENOENT;
	reasons[reason].rate_pps = rate_pps;
	reasons[reason].burst = burst;
	/* A worker may see a mix of old and new for one packet: rate limits need no more than that. */
	for (unsigned i = 0; i < dp_limits.workers && workers[i] != NULL; i++)
		bucket_set(&((struct punt_state *)workers[i]->punt_state)->bucket[reason], rate_pps,
			   burst);
	return 0;
}

int punt_policer_get(uint32_t reason, uint32_t *ret_rate_pps, uint32_t *ret_burst)
{
	if (reason >= n_reasons)
		return -ENOENT;
	*ret_rate_pps = reasons[reason].rate_pps;
	*ret_burst = reasons[reason].burst;
	return 0;
}

int punt_init(struct rte_mempool *packet_pool, punt_handler ctrl_handler)
{
	static const char *const cols[] = { "packets", "policed", "ring-full", NULL };
	struct hd_stats_row row[PUNT_REASONS_MAX] = { 0 };

	pool = packet_pool;
	to_ctrl = ctrl_handler;
	for (unsigned i = 0; i < n_reasons; i++) {
		memcpy(row[i].name, reasons[i].name, sizeof(row[i].name));
		memcpy(row[i].text, reasons[i].help, sizeof(row[i].text));
	}
	vec = stats_vec_add("punt", HD_STATS_COUNTER, PUNT_REASONS_MAX, cols, row);
	return vec < 0 ? vec : 0;
}

void punt_fini(void)
{
	n_reasons = 0;
}

int punt_worker_init(struct worker *w)
{
	struct punt_state *s = rte_zmalloc("punt", sizeof(*s), RTE_CACHE_LINE_SIZE);

	if (s == NULL)
		return -ENOMEM;
	s->count = stats_slice(vec, w->id);
	w->punt_state = s;
	punt_worker_refill(w);
	return 0;
}

void punt_worker_refill(struct worker *w)
{
	struct punt_state *s = w->punt_state;

	for (unsigned i = 0; i < n_reasons; i++)
		bucket_set(&s->bucket[i], reasons[i].rate_pps, reasons[i].burst);
}

bool punt_policer_take(struct worker *w, uint32_t reason)
{
	struct punt_state *s = w->punt_state;
	bool pass = bucket_take(&s->bucket[reason], w->now);

	s->count[reason * N_COLS + (pass ? COL_PACKETS : COL_POLICED)]++;
	return pass;
}

void punt_copy(struct worker *w, struct rte_mbuf *m, uint32_t reason, uint32_t max_len)
{
	struct punt_state *s = w->punt_state;
	struct rte_mbuf *c;

	if (!punt_policer_take(w, reason))
		return;
	c = rte_pktmbuf_copy(m, pool, 0, max_len);
	if (c != NULL) {
		*meta(c) = *meta(m);
		meta(c)->punt = (uint8_t)reason;
		meta(c)->trace = 0;
		if (rte_ring_sp_enqueue(w->punt, c) == 0)
			return;
		rte_pktmbuf_free(c);
	}
	s->count[reason * N_COLS + COL_PACKETS]--;
	s->count[reason * N_COLS + COL_FULL]++;
}

static uint16_t punt_process(struct rte_graph *g, struct rte_node *node, void **objs, uint16_t n)
{
	struct node_slot *slot = node_slot(node);
	struct worker *w = slot->worker;
	struct punt_state *s = w->punt_state;

	w->cur_node = slot->row;
	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *m = objs[i];
		uint32_t reason = meta(m)->punt;
		rte_edge_t v;

		if (unlikely(w->watch))
			node_watch_in(slot, &m, 1);
		if (reason >= n_reasons) {
			v = PUNT_NO_REASON;
		} else if (!punt_policer_take(w, reason)) {
			v = PUNT_POLICED;
		} else if (rte_ring_sp_enqueue(w->punt, m) != 0) {
			s->count[reason * N_COLS + COL_PACKETS]--;
			s->count[reason * N_COLS + COL_FULL]++;
			v = PUNT_RING_FULL;
		} else {
			continue;
		}
		if (unlikely(w->watch))
			node_watch_out(slot, &m, &v, 1);
		node_run_flush(g, node, slot, objs, i, i + 1, v);
	}
	return n;
}
NODE_REGISTER(punt, "punt", PUNT, PUNT_VERDICTS, punt_process)

unsigned punt_poll(void)
{
	struct rte_mbuf *m[64];
	unsigned total = 0;

	for (unsigned i = 0; i < dp_limits.workers && workers[i] != NULL; i++) {
		unsigned n =
			rte_ring_sc_dequeue_burst(workers[i]->punt, (void **)m, RTE_DIM(m), NULL);

		for (unsigned k = 0; k < n; k++) {
			const struct reason *r = &reasons[meta(m[k])->punt];

			if (r->handler != NULL)
				r->handler(m[k], r->arg);
			else if (to_ctrl != NULL)
				to_ctrl(m[k], NULL);
			else
				rte_pktmbuf_free(m[k]);
		}
		total += n;
	}
	return total;
}

void inject(struct rte_mbuf *m, enum inject_to where)
{
	meta(m)->arg = where;
	if (workers[0] == NULL || rte_ring_sp_enqueue(workers[0]->inject, m) != 0)
		rte_pktmbuf_free(m);
}

struct rte_mbuf *packet_alloc(void)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	if (m != NULL)
		memset(meta(m), 0, sizeof(struct hd_meta));
	return m;
}

struct rte_mempool *packet_pool(void)
{
	return pool;
}
