/* SPDX-License-Identifier: BSD-3-Clause
 * IOAM on the packet path: transit and decapsulating node over what is received, in front of all nodes; encapsulating
 * node over what leaves by a policy.  Only flags, RemainingLen and the room for this node's data are ever written.
 * Nothing here allocates (but copies for export, bounded by policers), logs or makes a system call.
 * Spec: RFC 9197 section 4.4 (traces), 4.6 (edge to edge), RFC 9326 (direct export), RFC 9322 (loopback, active). */
#include <rte_mbuf.h>

#include "dataplane/port.h"
#include "dataplane/result.h"
#include "dataplane/wallclock.h"
#include "pipelines/ip/ip.h"
#include "pipelines/l2/l2.h"
#include "pipelines/pm/ioam_encap.h"
#include "pipelines/pm/observe.h"

struct ioam_run {
	struct worker *w;
	struct ioam_count *count;
	uint64_t now_ns;
	int32_t tai_s;
};

/* One packet. */
struct ioam_pkt {
	struct rte_mbuf *m;
	const struct iface *in;
	const struct ioam_iface *conf;
	uint8_t *ip;
	unsigned off, len; /* of the IPv6 header in m; octets that can be read from there */
	uint32_t word;     /* where its destination leads */
	bool ends;         /* the domain ends here */
	bool terminate;
	struct ioam_hop hop;
};

/* ---- this node's view ------------------------------------------------------------------------------------------ */

static uint32_t egress_of(const struct ioam_pkt *p, const struct adj **ret_adj)
{
	uint32_t word = p->word;

	*ret_adj = NULL;
	if (hd_result_kind(word) == HD_RESULT_GROUP) {
		const struct nhg *g = nhg_get(hd_result_index(word));

		word = g != NULL ? nhg_select(g, ip_flow_hash_of(p->ip, p->len)) : 0;
	}
	if (hd_result_kind(word) != HD_RESULT_ADJ)
		return UINT32_MAX;
	*ret_adj = adj_get(hd_result_index(word));
	return *ret_adj != NULL ? ioam_iface_get((*ret_adj)->iface)->if_id : UINT32_MAX;
}

/* Packets that wait in front of the egress queue when another worker owns it; a device's own queue cannot be asked. */
static uint32_t queue_depth(const struct ioam_run *r, const struct adj *a)
{
	const struct port *port = a != NULL ? port_get(a->port) : NULL;

	if (port == NULL || r->w->txq[a->port] != UINT16_MAX || port->tx_handoff == NULL)
		return UINT32_MAX;
	return rte_ring_count(port->tx_handoff);
}

static void view(const struct ioam_run *r, struct ioam_pkt *p)
{
	const struct fib *f = ip_fib6(p->in->vrf);
	const uint8_t *dst = p->ip + 24;
	const struct adj *a;
	bool mine;

	if (f != NULL) /* remembered for express, which asks for the same next */
		fib_cache_lookup6p(ip_workers[r->w->id].cache, f, &dst, &p->word, 1);
	mine = hd_result_kind(p->word) == HD_RESULT_LOCAL ||
	       hd_result_kind(p->word) == HD_RESULT_SID;
	p->ends = p->conf->decap && mine;
	p->hop = (struct ioam_hop){
		.hop_limit = (uint8_t)(p->ip[IP6_OFF_HOP_LIMIT] -
				       (!p->ends && p->ip[IP6_OFF_HOP_LIMIT] != 0)),
		.ingress = p->conf->if_id,
		.rx_ns = r->now_ns,
		.tai_s = r->tai_s,
	};
	p->hop.egress = egress_of(p, &a);
	p->hop.queue = queue_depth(r, a);
}

/* ---- options --------------------------------------------------------------------------------------------------- */

static void trace(const struct ioam_run *r, struct ioam_pkt *p, const struct ioam_option *o,
		  unsigned end)
{
	const struct hd_api_ioam_ns *ns = ioam_ns_get(o->ns);
	struct ioam_trace t;

	if (ns == NULL) {
		r->count->unknown_namespace++;
		return;
	}
	switch (ioam_trace_add((uint8_t *)(uintptr_t)o->p, o->len, ns, &p->hop)) {
	case IOAM_ADDED:
		r->count->traced++;
		break;
	case IOAM_OVERFLOW:
		r->count->overflow++;
		break;
	default:
		r->count->malformed++;
		return;
	}
	if (ioam_trace_parse(o, &t) < 0)
		return;
	if ((t.flags & IOAM_F_LOOPBACK) != 0 && t.type == IOAM_T_HOP) {
		r->count->looped_back++;
		ioam_loop_back(r->w, p->m, p->off, end, p->in->id);
	}
	if (!p->ends)
		return;
	r->count->decapsulated++;
	ioam_export(r->w, p->m, p->off, HD_IOAM_DECAPSULATED, o->ns, &p->hop);
	p->terminate |= (t.flags & IOAM_F_ACTIVE) != 0;
}

static void direct_export(const struct ioam_run *r, struct ioam_pkt *p, const struct ioam_option *o)
{
	struct ioam_dex d;

	if (ioam_ns_get(o->ns) == NULL) {
		r->count->unknown_namespace++;
	} else if (ioam_dex_parse(o, &d) < 0) {
		r->count->malformed++;
	} else {
		r->count->direct_exports++;
		ioam_export(r->w, p->m, p->off, HD_IOAM_DIRECT_EXPORT, o->ns, &p->hop);
	}
}

static void edge_to_edge(const struct ioam_run *r, struct ioam_pkt *p, const struct ioam_option *o)
{
	struct ioam_e2e e;

	if (!p->ends)
		return;
	if (ioam_ns_get(o->ns) == NULL) {
		r->count->unknown_namespace++;
	} else if (ioam_e2e_parse(o, &e) < 0) {
		r->count->malformed++;
	} else if ((e.type & (IOAM_E2E_SEQ32 | IOAM_E2E_SEQ64)) != 0) {
		ioam_group_count(o->ns, p->ip + 8, e.seq, (e.type & IOAM_E2E_SEQ32) != 0 ? 32 : 64);
	}
}

/* end: octets up to the end of the header. */
static void options(const struct ioam_run *r, struct ioam_pkt *p, const struct ip6_ext_view *e)
{
	bool hop = e->type == IP_NH_HOPOPTS;
	struct ip6_opt_view opt;
	struct ip6_opts opts;
	struct ioam_option o;

	ip6_opts_init(&opts, e);
	while (ip6_opts_next(&opts, &opt) == 1) {
		if ((opt.type != IOAM_OPT_MUTABLE && opt.type != IOAM_OPT_FIXED) ||
		    ioam_option_parse(&opt, &o) < 0)
			continue;
		if (hop && opt.type == IOAM_OPT_MUTABLE && o.type == IOAM_PREALLOCATED)
			trace(r, p, &o, e->off + e->len);
		else if (hop && opt.type == IOAM_OPT_FIXED && o.type == IOAM_DIRECT_EXPORT)
			direct_export(r, p, &o);
		else if (!hop && opt.type == IOAM_OPT_FIXED && o.type == IOAM_EDGE)
			edge_to_edge(r, p, &o);
	}
}

static __rte_noinline bool ioam_one(const struct ioam_run *r, struct ioam_pkt *p)
{
	struct wire_cur c = wire_cur_init(p->ip, p->len);
	const struct ip6_fixed *h = wire_pull(&c, sizeof(*h));
	struct ip6_view v = { .hdr = h };
	struct ip6_ext_view e;
	struct ip6_walk w;

	view(r, p);
	ip6_walk_init(&w, &v, &c);
	while (ip6_walk_next(&w, &e) == 1 && (e.type == IP_NH_HOPOPTS || e.type == IP_NH_DSTOPTS))
		options(r, p, &e);
	return !p->terminate;
}

/* Packets that end here go behind the others. */
unsigned ioam_observe(struct worker *w, struct rte_mbuf **m, unsigned n, uint16_t port)
{
	const struct wallclock *clock = wallclock_get();
	struct ioam_run r = { .w = w,
			      .count = ioam_counts[w->id],
			      .now_ns = wallclock_at(clock, w->now),
			      .tai_s = clock->tai_s };
	unsigned stay = n;

	for (unsigned i = 0; i < stay;) {
		struct ioam_pkt p = { .m = m[i] };
		uint8_t next;

		p.in = observe_frame(port, m[i], &p.off);
		if (p.in == NULL) {
			i++;
			continue;
		}
		p.ip = rte_pktmbuf_mtod_offset(m[i], uint8_t *, p.off);
		p.len = m[i]->data_len - p.off;
		p.conf = ioam_iface_get(p.in->id);
		next = p.ip[IP6_OFF_NEXT_HEADER];
		if (!p.conf->on || (next != IP_NH_HOPOPTS && next != IP_NH_DSTOPTS) ||
		    ioam_one(&r, &p)) {
			i++;
			continue;
		}
		r.count->terminated++;
		m[i] = m[--stay];
		m[stay] = p.m;
	}
	return stay;
}

/* ---- encapsulating --------------------------------------------------------------------------------------------- */

/* Is this packet one of those that are selected?  Others carry padding of the same length. */
static bool selected(const struct ioam_encap *e, const struct worker *w)
{
	if (w == NULL || (w->watch & WATCH_EXPLAIN) != 0)
		return false;
	return e->conf.every <= 1 ||
	       __atomic_fetch_add(&e->state->packets, 1, __ATOMIC_RELAXED) % e->conf.every == 0;
}

void ioam_stamp_trace(const struct srv6_extra *x, uint8_t *at, uint32_t total)
{
	const struct ioam_encap *e = (const struct ioam_encap *)x;
	const struct hd_api_ioam_ns *ns = ioam_ns_get((uint16_t)e->conf.ns);
	const struct wallclock *clock = wallclock_get();
	struct worker *w = worker_walking;
	/* where it came from and will leave is not known between the two headers */
	struct ioam_hop hop = { .hop_limit = UINT8_MAX,
				.ingress = UINT32_MAX,
				.egress = UINT32_MAX,
				.queue = UINT32_MAX };

	(void)total;
	if (ns == NULL || !selected(e, w)) {
		at[0] = IP6_OPT_PADN;
		return;
	}
	hop.rx_ns = wallclock_at(clock, w->now);
	hop.tai_s = clock->tai_s;
	ioam_trace_add(at + 4, x->len - 4u, ns, &hop);
	ioam_counts[w->id]->traced++;
}

void ioam_stamp_dex(const struct srv6_extra *x, uint8_t *at, uint32_t total)
{
	const struct ioam_encap *e = (const struct ioam_encap *)x;

	(void)total;
	if (!selected(e, worker_walking)) {
		at[0] = IP6_OPT_PADN;
		return;
	}
	wire_put32(at + 4 + IOAM_DEX_HDR + 4,
		   (uint32_t)__atomic_fetch_add(&e->state->dex_seq, 1, __ATOMIC_RELAXED));
}

void ioam_stamp_e2e(const struct srv6_extra *x, uint8_t *at, uint32_t total)
{
	const struct ioam_encap *e = (const struct ioam_encap *)x;
	const struct hd_api_ioam_ns *ns = ioam_ns_get((uint16_t)e->conf.ns);
	const struct wallclock *clock = wallclock_get();
	struct worker *w = worker_walking;
	struct ioam_hop hop = { .tai_s = clock->tai_s };
	uint32_t type = e->conf.e2e_type, seconds, fraction;
	uint8_t *p = at + 4 + IOAM_E2E_HDR;
	uint64_t seq;

	(void)total;
	if (ns == NULL || w == NULL || (w->watch & WATCH_EXPLAIN) != 0) {
		at[0] = IP6_OPT_PADN;
		return;
	}
	seq = __atomic_fetch_add(&e->state->seq, 1, __ATOMIC_RELAXED);
	hop.rx_ns = wallclock_at(clock, w->now);
	ioam_time((enum hd_ioam_time)ns->time_format, &hop, &seconds, &fraction);
	if (type & IOAM_E2E_SEQ64) {
		wire_put64(p, seq);
		p += 8;
	}
	if (type & IOAM_E2E_SEQ32) {
		wire_put32(p, (uint32_t)seq);
		p += 4;
	}
	if (type & IOAM_E2E_SECONDS) {
		wire_put32(p, seconds);
		p += 4;
	}
	if (type & IOAM_E2E_FRACTION)
		wire_put32(p, fraction);
}
