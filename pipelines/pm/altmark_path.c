/* SPDX-License-Identifier: BSD-3-Clause
 * Alternate marking on the packet path: counting what is received, in front of all nodes, and marking what leaves by a
 * policy.  A received packet is counted before anything else decides about it, and nothing is changed, so the nodes
 * behind treat marked packets as they treat all others.
 * Nothing here allocates, logs or makes a system call.
 * Spec: RFC 9341 (blocks), RFC 9343 section 4 (who measures). */
#include <immintrin.h>

#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "dataplane/result.h"
#include "dataplane/wallclock.h"
#include "pipelines/ip/ip.h"
#include "pipelines/l2/demux.h"
#include "pipelines/l2/l2.h"
#include "pipelines/pm/altmark.h"
#include "pipelines/pm/altmark_mark.h"

/* What holds for a burst: all its packets were received at one time. */
struct observe_run {
	const struct altmark_conf *conf;
	const struct demux *demux;
	const struct iface *in; /* of the port's untagged frames; NULL: its packets are not counted */
	__m128i eth;            /* the first 16 octets of usual frames */
	unsigned worker;
	struct {
		uint64_t block;
		int64_t since_ns;
	} colour[2]; /* by L */
	/* packets of one flow and colour in a row, not counted yet */
	const struct altmark_flow *flow; /* NULL: nobody's */
	uint32_t key; /* FlowMonID and L, as in the word; of all, also of nobody's */
	__m128i source;
	uint32_t n;
	uint64_t octets;
};
#define KEY_MASK (0xfffff000u | ALTMARK_L)

static __rte_always_inline unsigned run_colour(const struct observe_run *r)
{
	return (r->key & ALTMARK_L) != 0;
}

/* Count the packets in a row. */
static __rte_always_inline void run_end(struct observe_run *r)
{
	struct altmark_cell *c;
	unsigned l = run_colour(r);

	if (r->n == 0)
		return;
	c = altmark_cell(r->flow->state->cell[r->worker], r->colour[l].block);
	c->packets += r->n;
	c->octets += r->octets;
	c->ts_sum_ns += (int64_t)r->n * r->colour[l].since_ns;
	r->n = 0;
	r->octets = 0;
}

/* A packet with this mark and source, octets long. */
static __rte_always_inline void count(struct observe_run *r, uint32_t word, const uint8_t *source,
				      uint32_t octets)
{
	__m128i from = _mm_loadu_si128((const __m128i *)(const void *)source);
	__m128i differ = _mm_xor_si128(from, r->source);

	if ((word & KEY_MASK) != r->key || !_mm_testz_si128(differ, differ)) {
		run_end(r);
		r->key = word & KEY_MASK;
		r->source = from;
		r->flow = altmark_flow_find(altmark_id(word), (const struct ip6_addr *)source);
	}
	if (unlikely(r->flow == NULL))
		return;
	r->n++;
	r->octets += octets;
	if (unlikely((word & ALTMARK_D) != 0) && r->conf->d_per_block != 0) {
		unsigned l = run_colour(r);

		altmark_note_d(altmark_cell(r->flow->state->cell[r->worker], r->colour[l].block),
			       r->colour[l].since_ns);
	}
}

static void observe_begin(struct observe_run *r, struct worker *w, uint16_t port)
{
	uint64_t now = wallclock_at(wallclock_get(), w->now), period = r->conf->period_ns;

	r->worker = w->id;
	r->demux = &demux[port];
	for (unsigned l = 0; l < 2; l++) {
		r->colour[l].block = altmark_block_of(period, now, l != 0);
		r->colour[l].since_ns = (int64_t)(now - r->colour[l].block * period);
	}
	r->in = iface_get(r->demux->untagged);
	if (r->in != NULL && !altmark_iface_counts(r->in->id))
		r->in = NULL;
	if (r->in != NULL)
		r->eth = _mm_set_epi64x(0x0060dd8600000000, (long long)r->in->mac48);
}

/* Is this node meant by a mark that is for segment endpoints and destinations only? */
static bool is_endpoint(const struct iface *in, const uint8_t *dst)
{
	const struct fib *f = ip_fib6(in->vrf);
	enum hd_result_kind kind = f != NULL ? hd_result_kind(fib_lookup(f, dst)) : HD_RESULT_NONE;

	return kind == HD_RESULT_LOCAL || kind == HD_RESULT_SID;
}

/* Extension headers of any kind: len octets at ip, of a packet of octets. */
static __rte_noinline void observe_walk(struct observe_run *r, const struct iface *in,
					const uint8_t *ip, unsigned len, uint32_t octets)
{
	struct altmark_view v;

	if (altmark_find(ip, len, r->conf->tlv_type, &v) == 1 &&
	    (v.place == ALTMARK_HOP || is_endpoint(in, ip + 24)))
		count(r, v.word, ip + 8, octets);
}

/* Can there be a mark behind this next header?  An SRH is looked into only where marks are sent in it. */
static __rte_always_inline bool may_mark(const struct observe_run *r, uint8_t next)
{
	return next == IP_NH_HOPOPTS || next == IP_NH_DSTOPTS ||
	       (next == IP_NH_ROUTING && r->conf->tlv_type != 0);
}

/* Frames with tags, and those that are not for us. */
static __rte_noinline void observe_other(struct observe_run *r, const struct rte_mbuf *m)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	uint16_t type = wire_get16(p + 12), id;
	const struct iface *in;
	unsigned off;
	uint64_t dst;

	if (!ethtype_is_tag(type))
		return;
	id = demux_tagged(r->demux, p, m->data_len, &off, &type);
	in = id == 0 || id == UINT16_MAX || !altmark_iface_counts(id) ? NULL : iface_get(id);
	memcpy(&dst, p, sizeof(dst));
	if (in == NULL || type != ETHTYPE_IP6 || (dst & 0xffffffffffffull) != in->mac48 ||
	    m->data_len < off + sizeof(struct ip6_fixed))
		return;
	if (may_mark(r, p[off + IP6_OFF_NEXT_HEADER]))
		observe_walk(r, in, p + off, m->data_len - off, m->pkt_len - off);
}

/* The usual place at a glance: the first option of hop-by-hop options of 8 octets. */
static __rte_always_inline void observe_one(struct observe_run *r, const struct rte_mbuf *m)
{
	const __m128i mask = _mm_set_epi64x(0x00f0ffff00000000, 0x0000ffffffffffff);
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	__m128i eth = _mm_loadu_si128((const __m128i *)(const void *)p);
	uint64_t option;

	if (unlikely(m->data_len < 14 + sizeof(struct ip6_fixed) + 8))
		return;
	if (unlikely(r->in == NULL || !_mm_testz_si128(_mm_xor_si128(eth, r->eth), mask))) {
		observe_other(r, m);
		return;
	}
	memcpy(&option, p + 14 + sizeof(struct ip6_fixed), sizeof(option));
	if (likely(p[14 + IP6_OFF_NEXT_HEADER] == IP_NH_HOPOPTS &&
		   (option & 0xffffff00) == (ALTMARK_DATA_LEN << 24 | ALTMARK_OPT << 16)))
		count(r, __builtin_bswap32((uint32_t)(option >> 32)), p + 14 + 8, m->pkt_len - 14);
	else if (may_mark(r, p[14 + IP6_OFF_NEXT_HEADER]))
		observe_walk(r, r->in, p + 14, m->data_len - 14, m->pkt_len - 14);
}

unsigned altmark_observe(struct worker *w, struct rte_mbuf **m, unsigned n, uint16_t port)
{
	struct observe_run r = { .conf = altmark_conf_get() };

	if (r.conf == NULL)
		return n;
	observe_begin(&r, w, port);
	for (unsigned i = 0; i < n; i++) {
		rte_prefetch0(rte_pktmbuf_mtod(m[RTE_MIN(i + 4, n - 1)], const void *));
		observe_one(&r, m[i]);
	}
	run_end(&r);
	return n;
}

/* ---- marking --------------------------------------------------------------------------------------------------- */

void altmark_stamp(const struct srv6_extra *x, uint8_t *at, uint32_t total)
{
	const struct altmark_mark *mark = (const struct altmark_mark *)x;
	const struct altmark_conf *conf = altmark_conf_get();
	struct altmark_flow *f = mark->flow;
	struct worker *w = worker_walking;
	uint64_t ns, block, tsc;
	bool d;

	if (conf == NULL || w == NULL || (w->watch & WATCH_EXPLAIN) != 0)
		return; /* L and D stay zero: nobody counts it */
	tsc = w->now;
	ns = wallclock_at(wallclock_get(), tsc);
	block = ns / conf->period_ns;
	d = altmark_choose(conf, ns, &f->state->chosen);
	if (unlikely(
		    d)) { /* its time is worth reading the clock: when it leaves, not when it came */
		ns = wallclock_at(wallclock_get(), rte_rdtsc());
		if (ns / conf->period_ns != block)
			ns = (block + 1) * conf->period_ns - 1;
	}
	wire_put32(at + mark->word_off, altmark_word(f->mon_id, (block & 1) != 0, d));
	altmark_count(altmark_cell(f->state->cell[w->id], block),
		      (int64_t)(ns - block * conf->period_ns), total, d);
}
