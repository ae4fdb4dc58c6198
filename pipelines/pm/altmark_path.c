/* SPDX-License-Identifier: BSD-3-Clause
 * Alternate marking on the packet path: counting what is received, in front of all nodes, and marking what leaves by a
 * policy.  A received packet is counted before anything else decides about it, and nothing is changed, so the nodes
 * behind treat marked packets as they treat all others.
 * Nothing here allocates, logs or makes a system call.
 * Spec: RFC 9341 (blocks), RFC 9343 section 4 (who measures). */
#include <rte_cycles.h>
#include <rte_mbuf.h>

#include "dataplane/result.h"
#include "dataplane/wallclock.h"
#include "pipelines/ip/ip.h"
#include "pipelines/pm/altmark.h"
#include "pipelines/pm/altmark_mark.h"
#include "pipelines/pm/altmark_observe.h"
#include "pipelines/pm/observe.h"

bool altmark_run_begin(struct altmark_run *r, const struct worker *w, uint16_t port, uint64_t tsc)
{
	const struct altmark_conf *conf = altmark_conf_get();
	uint64_t block, in;

	if (conf == NULL)
		return false;
	*r = (struct altmark_run){ .conf = conf, .port = port };
	block = altmark_block_at(conf, wallclock_at(wallclock_get(), tsc), &in);
	for (unsigned l = 0; l < 2; l++) {
		struct altmark_colour *c = &r->colour[l];

		c->block = altmark_block_of(conf->period_ns, block, in, l != 0);
		c->since_ns = (int64_t)in + (int64_t)(block - c->block) * (int64_t)conf->period_ns;
		c->cell = offsetof(struct altmark_state, cell) +
			  (w->id * ALTMARK_SLOTS + c->block % ALTMARK_SLOTS) *
				  sizeof(struct altmark_cell);
	}
	r->in = iface_get(demux[port & (WORKER_PORTS_MAX - 1)].untagged);
	if (r->in != NULL && !altmark_iface_counts(r->in->id))
		r->in = NULL;
	return true;
}

/* Is this node meant by a mark that is for segment endpoints and destinations only? */
static bool is_endpoint(const struct iface *in, const uint8_t *dst)
{
	const struct fib *f = ip_fib6(in->vrf);
	enum hd_result_kind kind = f != NULL ? hd_result_kind(fib_lookup(f, dst)) : HD_RESULT_NONE;

	return kind == HD_RESULT_LOCAL || kind == HD_RESULT_SID;
}

/* Extension headers of any kind: len octets at ip, of a packet of octets. */
static __rte_noinline void observe_walk(struct altmark_run *r, const struct iface *in,
					const uint8_t *ip, unsigned len, uint32_t octets)
{
	struct altmark_view v;

	if (altmark_find(ip, len, r->conf->tlv_type, &v) == 1 &&
	    (v.place == ALTMARK_HOP || is_endpoint(in, ip + 24)))
		altmark_run_one(r, v.word, ip + 8, octets);
}

void altmark_observe_one(struct altmark_run *r, const struct rte_mbuf *m)
{
	unsigned off;
	const struct iface *in = observe_frame(r->port, m, &off);
	const uint8_t *h = rte_pktmbuf_mtod_offset(m, const uint8_t *, off);
	uint64_t options;

	if (in == NULL || !altmark_iface_counts(in->id))
		return;
	memcpy(&options, h + sizeof(struct ip6_fixed), sizeof(options));
	if (h[IP6_OFF_NEXT_HEADER] == IP_NH_HOPOPTS &&
	    (options & ALTMARK_USUAL_MASK) == ALTMARK_USUAL)
		altmark_run_one(r, altmark_usual_word(options), h + 8, m->pkt_len - off);
	else if (altmark_may_follow(r, h[IP6_OFF_NEXT_HEADER]))
		observe_walk(r, in, h, m->data_len - off, m->pkt_len - off);
}

/* Where node express does not see the packets, or sees them behind somebody else's observer. */
unsigned altmark_observe(struct worker *w, struct rte_mbuf **m, unsigned n, uint16_t port)
{
	struct altmark_run r;

	if (altmark_run_begin(&r, w, port, w->now)) {
		for (unsigned i = 0; i < n; i++)
			altmark_observe_one(&r, m[i]);
		altmark_run_end(&r);
	}
	return n;
}

/* ---- marking --------------------------------------------------------------------------------------------------- */

void altmark_stamp(const struct srv6_extra *x, uint8_t *at, uint32_t total)
{
	const struct altmark_mark *mark = (const struct altmark_mark *)x;
	const struct altmark_conf *conf = altmark_conf_get();
	struct altmark_flow *f = mark->flow;
	struct worker *w = worker_walking;
	uint64_t ns, block, in, tsc;
	bool d;

	if (conf == NULL || w == NULL || (w->watch & WATCH_EXPLAIN) != 0)
		return; /* L and D stay zero: nobody counts it */
	tsc = w->now;
	ns = wallclock_at(wallclock_get(), tsc);
	block = altmark_block_at(conf, ns, &in);
	d = altmark_choose(conf, ns, &f->state->chosen);
	if (unlikely(
		    d)) { /* its time is worth reading the clock: when it leaves, not when it came */
		ns = wallclock_at(wallclock_get(), rte_rdtsc());
		in = RTE_MIN(ns - block * conf->period_ns, conf->period_ns - 1);
	}
	wire_put32(at + mark->word_off, altmark_word(f->mon_id, (block & 1) != 0, d));
	altmark_count(altmark_cell(f->state->cell[w->id], block), (int64_t)in, total, d);
}
