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
	struct colour {
		uint64_t block;
		int64_t since_ns;
		size_t cell; /* octets from a flow's state to this worker's cell of the block */
	} colour[2];         /* by L */
	/* packets of one flow and colour in a row, not counted yet */
	const struct altmark_flow *flow; /* NULL: nobody's */
	uint32_t key; /* FlowMonID and L, as in the word; of all, also of nobody's */
	__m128i source;
	uint32_t n;
	uint64_t octets;
};
#define KEY_MASK (0xfffff000u | ALTMARK_L)

static __rte_always_inline const struct colour *colour_of(const struct observe_run *r,
							  uint32_t word)
{
	return &r->colour[(word & ALTMARK_L) != 0];
}

static __rte_noinline void cell_renew(struct altmark_cell *c, uint64_t block)
{
	altmark_cell_begin(c, block);
}

/* This worker's cell of a flow in the block of a colour. */
static __rte_always_inline struct altmark_cell *cell_of(const struct altmark_flow *f,
							const struct colour *l)
{
	struct altmark_cell *c = (struct altmark_cell *)(void *)((uint8_t *)f->state + l->cell);

	if (unlikely(c->block != l->block))
		cell_renew(c, l->block);
	return c;
}

static __rte_always_inline void cell_add(struct altmark_cell *c, const struct colour *l, uint64_t n,
					 uint64_t octets)
{
	c->packets += n;
	c->octets += octets;
	c->ts_sum_ns += (int64_t)n * l->since_ns;
}

/* Count the packets in a row. */
static __rte_always_inline void run_end(struct observe_run *r)
{
	const struct colour *l = colour_of(r, r->key);

	if (r->n != 0)
		cell_add(cell_of(r->flow, l), l, r->n, r->octets);
	r->n = 0;
	r->octets = 0;
}

static __rte_always_inline bool same_source(__m128i a, __m128i b)
{
	__m128i differ = _mm_xor_si128(a, b);

	return _mm_testz_si128(differ, differ);
}

/* Packets of one mark and source, which is no delay packet. */
static __rte_always_inline void run_add(struct observe_run *r, uint32_t word, const uint8_t *source,
					uint32_t n, uint32_t octets)
{
	__m128i from = _mm_loadu_si128((const __m128i *)(const void *)source);

	if (unlikely((word & KEY_MASK) != r->key || !same_source(from, r->source))) {
		run_end(r);
		r->key = word & KEY_MASK;
		r->source = from;
		r->flow = altmark_flow_find(altmark_id(word), (const struct ip6_addr *)source);
	}
	if (unlikely(r->flow == NULL))
		return;
	r->n += n;
	r->octets += octets;
}

/* A packet by itself. */
static __rte_always_inline void count(struct observe_run *r, uint32_t word, const uint8_t *source,
				      uint32_t octets)
{
	const struct altmark_flow *f =
		altmark_flow_find(altmark_id(word), (const struct ip6_addr *)source);
	const struct colour *l = colour_of(r, word);
	struct altmark_cell *c;

	if (f == NULL)
		return;
	c = cell_of(f, l);
	cell_add(c, l, 1, octets);
	if (unlikely((word & ALTMARK_D) != 0) && r->conf->d_per_block != 0)
		altmark_note_d(c, l->since_ns);
}

static void observe_begin(struct observe_run *r, struct worker *w, uint16_t port)
{
	uint64_t now = wallclock_at(wallclock_get(), w->now), period = r->conf->period_ns;

	r->worker = w->id;
	r->demux = &demux[port];
	for (unsigned l = 0; l < 2; l++) {
		r->colour[l].block = altmark_block_of(period, now, l != 0);
		r->colour[l].since_ns = (int64_t)(now - r->colour[l].block * period);
		r->colour[l].cell = offsetof(struct altmark_state, cell) +
				    (w->id * ALTMARK_SLOTS + r->colour[l].block % ALTMARK_SLOTS) *
					    sizeof(struct altmark_cell);
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

#define USUAL_LEN (14 + sizeof(struct ip6_fixed) + 8)
#define ETH_MASK  _mm_set_epi64x(0x00f0ffff00000000, 0x0000ffffffffffff)

/* What differs from a frame of our MAC, untagged, whose first option of hop-by-hop options of 8 octets is a mark; 0:
 * nothing.  *ret_eth gathers, too. */
static __rte_always_inline uint32_t unusual(const struct observe_run *r, const uint8_t *p,
					    unsigned len, __m128i *ret_eth, uint32_t *ret_word)
{
	uint64_t option;

	memcpy(&option, p + 14 + sizeof(struct ip6_fixed), sizeof(option));
	*ret_word = __builtin_bswap32((uint32_t)(option >> 32));
	*ret_eth = _mm_or_si128(
		*ret_eth, _mm_xor_si128(_mm_loadu_si128((const __m128i *)(const void *)p), r->eth));
	return (((uint32_t)option ^ (ALTMARK_DATA_LEN << 24 | ALTMARK_OPT << 16)) & 0xffffff00) |
	       p[14 + IP6_OFF_NEXT_HEADER] | (len < USUAL_LEN);
}

static __rte_noinline void observe_one(struct observe_run *r, const struct rte_mbuf *m)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	__m128i eth = _mm_setzero_si128();
	uint32_t word, differ;

	if (unlikely(m->data_len < USUAL_LEN))
		return;
	differ = unusual(r, p, m->data_len, &eth, &word);
	if (unlikely(r->in == NULL || !_mm_testz_si128(eth, ETH_MASK)))
		observe_other(r, m);
	else if (differ == 0)
		count(r, word, p + 14 + 8, m->pkt_len - 14);
	else if (may_mark(r, p[14 + IP6_OFF_NEXT_HEADER]))
		observe_walk(r, r->in, p + 14, m->data_len - 14, m->pkt_len - 14);
}

#define GROUP 8u

/* Eight frames at once; what is not usual goes one by one.  A frame's first octets may be read: mbufs have room. */
static __rte_always_inline void observe_group(struct observe_run *r, struct rte_mbuf *const *m)
{
	__m128i eth = _mm_setzero_si128(), sources = _mm_setzero_si128(), first;
	uint32_t word[GROUP], differ = r->in == NULL, words = 0, octets = 0;
	const uint8_t *p[GROUP];

	for (unsigned i = 0; i < GROUP; i++) {
		p[i] = rte_pktmbuf_mtod(m[i], const uint8_t *);
		differ |= unusual(r, p[i], m[i]->data_len, &eth, &word[i]);
	}
	if (unlikely(differ != 0 || !_mm_testz_si128(eth, ETH_MASK))) {
		for (unsigned i = 0; i < GROUP; i++)
			observe_one(r, m[i]);
		return;
	}
	first = _mm_loadu_si128((const __m128i *)(const void *)(p[0] + 14 + 8));
	for (unsigned i = 0; i < GROUP; i++) {
		words |= word[i] ^ word[0];
		octets += m[i]->pkt_len - 14;
		sources = _mm_or_si128(
			sources,
			_mm_xor_si128(
				first,
				_mm_loadu_si128((const __m128i *)(const void *)(p[i] + 14 + 8))));
	}
	if (words == 0 && (word[0] & ALTMARK_D) == 0 && _mm_testz_si128(sources, sources)) {
		run_add(r, word[0], p[0] + 14 + 8, GROUP, octets);
		return;
	}
	for (unsigned i = 0; i < GROUP; i++)
		count(r, word[i], p[i] + 14 + 8, m[i]->pkt_len - 14);
}

unsigned altmark_observe(struct worker *w, struct rte_mbuf **m, unsigned n, uint16_t port)
{
	struct observe_run r = { .conf = altmark_conf_get() };
	unsigned i = 0;

	if (r.conf == NULL)
		return n;
	observe_begin(&r, w, port);
	for (; i + GROUP <= n; i += GROUP) {
		if (likely(i + 2 * GROUP <= n))
			for (unsigned k = 0; k < GROUP; k++)
				rte_prefetch0(rte_pktmbuf_mtod(m[i + GROUP + k], const void *));
		observe_group(&r, m + i);
	}
	for (; i < n; i++)
		observe_one(&r, m[i]);
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
