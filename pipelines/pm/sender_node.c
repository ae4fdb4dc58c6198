/* SPDX-License-Identifier: BSD-3-Clause
 * Nodes of the Session-Sender.  pm-send is a source: it sends what is due on this worker's wheel and takes in replies
 * that met other workers.  pm-reply gets STAMP packets for local ports of sessions from ip-local.
 * T1 is read as a packet is written, before it is looked up and sent in the same walk; T4 is when port-rx had the burst
 * from the device, or what a port that stamps packets says (dataplane/hwclock.h).  How long packets may have waited on
 * our side of the wire is counted beside each delay.
 * Nothing here allocates but packet buffers, logs or makes a system call.
 * Spec: RFC 8762, RFC 8972, RFC 9503. */
#include <string.h>

#include <rte_cycles.h>
#include <rte_ring_elem.h>

#include "dataplane/hwclock.h"
#include "dataplane/node.h"
#include "dataplane/punt.h"
#include "dataplane/wallclock.h"
#include "heddle/wire/eth.h"
#include "pipelines/ip/ip.h"
#include "pipelines/l2/frame.h"
#include "pipelines/pm/datagram.h"
#include "pipelines/pm/sender.h"
#include "pipelines/pm/sender_fetch.h"

#define PM_SEND_VERDICTS(V, P)                                             \
	V(P, SENT4, "ip4-lookup", INFO, "test packet sent (RFC 8762 4.2)") \
	V(P, SENT6, "ip6-lookup", INFO, "test packet sent (RFC 8762 4.2)") \
	V(P, EVENT, "punt", INFO, "a measured path came up or went down")  \
	V(P, LINK, "port-tx", INFO, "test packet of a calibration sent")   \
	V(P, NO_LINK, "drop", WARN,                                        \
	  "the interface of a calibration is down or its MTU too small: heddle show interfaces")
NODE_VERDICTS(pm_send, PM_SEND, PM_SEND_VERDICTS)

#define SEND_BURST    64u
#define EVENTS_MAX    16u
#define ACCESS_WAIT_S 3u /* RFC 8972 section 4.6 */

/* Where packets go from here: to be looked up, straight to an interface, or nowhere. */
enum way { WAY_IP4, WAY_IP6, WAY_LINK, WAY_NONE, N_WAYS };

struct send_run {
	struct rte_graph *graph;
	struct rte_node *node;
	struct node_slot *slot;
	struct sender_worker *sw;
	const struct wallclock *clock;
	struct sender_count *count;
	struct iface_count *iface;
	uint64_t epoch;
	uint64_t now;
	uint16_t error[2]; /* error estimate of this moment, in NTP's and PTP's format */
	struct rte_mbuf *m[N_WAYS][SEND_BURST];
	unsigned n[N_WAYS];
	struct rte_mbuf *event[EVENTS_MAX];
	unsigned n_event;
};

static struct session_now now_make(const struct wallclock *c, uint64_t tsc)
{
	return (struct session_now){ .tsc = tsc,
				     .ns_per_tick = c->slope,
				     .wall_ns = wallclock_at(c, tsc),
				     .epoch = c->epoch,
				     .tai_s = c->tai_s };
}

static uint16_t own_error(const struct wallclock *c, bool ptp)
{
	bool known = c->synchronised;

	/* without a bound from the kernel the estimate is about our own line only, and S says so */
	return stamp_error_make(c->error_ns + (known ? c->sync_error_ns : 0), known, ptp);
}

static struct session_bin *bin_of(const struct sender_session *s, uint64_t epoch)
{
	return &s->state->bin[s->conf.flags & HD_PM_S_ONCE ? 0 : epoch & 1];
}

/* What a call of the core changed in the bin, for the statistics vector. */
static void count_bin(struct sender_count *to, const struct hd_pm_counts *was,
		      const struct hd_pm_counts *is)
{
	to->sent += is->sent - was->sent;
	to->received += is->received - was->received;
	to->lost += is->lost - was->lost;
	to->late += is->late - was->late;
	to->duplicate += is->duplicate - was->duplicate;
	to->reordered += is->reordered - was->reordered;
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

/* Rare; without a buffer the control process reads it from the session's state. */
static void event(struct send_run *r, const struct sender_session *s)
{
	const struct sender_event e = { .id = s->id,
					.liveness = s->state->liveness,
					.detect_ns = s->state->detect_ns,
					.time_ns = s->state->change_ns };
	struct rte_mbuf *m = r->n_event < EVENTS_MAX ? rte_pktmbuf_alloc(packet_pool()) : NULL;
	char *at = m != NULL ? rte_pktmbuf_append(m, sizeof(e)) : NULL;

	if (at == NULL) {
		rte_pktmbuf_free(m);
		return;
	}
	memcpy(at, &e, sizeof(e));
	*meta(m) = (struct hd_meta){ .rx_tsc = r->now,
				     .flags = META_F_LOCAL,
				     .punt = (uint8_t)sender_punt_event };
	r->event[r->n_event++] = m;
}

/* ---- sending ----------------------------------------------------------------------------------------------------- */

static void send_one(struct send_run *r, struct sender_session *s, struct rte_mbuf *m)
{
	const struct sender_packet *p = &s->packet;
	struct session_state *st = s->state;
	struct session_bin *b = bin_of(s, r->epoch);
	const struct hd_pm_counts was = b->c;
	uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *);
	struct sender_stamp stamp = { 0 };
	struct session_now now;

	memcpy(data, p->data, p->len);
	m->data_len = p->len;
	m->pkt_len = p->len;
	*meta(m) = (struct hd_meta){
		.rx_tsc = r->now, .flags = META_F_LOCAL, .vrf = (uint16_t)s->vrf, .object = s->id
	};
	if (p->access != 0 && st->access_left > 0 && (int64_t)(r->now - st->access_due) >= 0) {
		stamp.access = true;
		st->access_left--;
		st->access_due = r->now + ACCESS_WAIT_S * rte_get_tsc_hz();
	}
	now = now_make(r->clock, rte_rdtsc());
	stamp.seq = session_sent(st, &s->conf, b, &now);
	stamp.ts = p->ptp ? stamp_ptp_make(now.wall_ns, now.tai_s) : stamp_ntp_make(now.wall_ns);
	stamp.error = st->own_error = r->error[p->ptp];
	stamp.direct_tx = st->next_seq;
	sender_packet_stamp(p, s->key, data, &stamp);
	count_bin(&r->count[s->id], &was, &b->c);
	r->count[s->id].octets += p->len;
	if (r->sw->n_last < SEND_BURST) {
		r->sw->last[r->sw->n_last].id = s->id;
		r->sw->last[r->sw->n_last++].tsc = now.tsc;
	}
}

/* Ethernet in front of a packet for a link that leads back. */
static enum way to_link(const struct send_run *r, const struct sender_session *s,
			struct rte_mbuf *m)
{
	const struct iface *out = iface_get(s->egress), *in = iface_get(s->ingress);
	unsigned len = out != NULL ? (unsigned)eth_build_len(out->n_tags) : 0;
	char *eth = len != 0 ? rte_pktmbuf_prepend(m, (uint16_t)len) : NULL;

	if (in == NULL || eth == NULL)
		return WAY_NONE;
	eth_build(eth, len, &in->mac, &out->mac, out->tag, out->n_tags,
		  s->packet.family == 4 ? ETHTYPE_IP4 : ETHTYPE_IP6);
	return frame_out(m, out, r->iface) == FRAME_OK ? WAY_LINK : WAY_NONE;
}

/* The next moment; those that are over already are passed by. */
static uint64_t next_due(struct sender_worker *sw, uint64_t due, uint64_t interval, uint64_t now)
{
	uint64_t behind = now - due;

	if (behind >= interval) {
		sw->skipped += behind / interval;
		due += behind / interval * interval;
	}
	return due + interval;
}

/* A session's moment to send.  False: no buffer. */
static bool fire_send(struct send_run *r, struct sender_session *s, uint32_t entry)
{
	struct sender_worker *sw = r->sw;
	struct session_state *st = s->state;
	uint64_t due = sw->entry[entry].due;
	enum way way = s->packet.family == 6 ? WAY_IP6 : WAY_IP4;
	struct rte_mbuf *m;

	if (st->liveness == HD_PM_STOPPED)
		return true;                                       /* and is not armed again */
	if (s->conf.count != 0 && st->next_seq == s->conf.count) { /* only the rest is awaited */
		struct session_bin *b = bin_of(s, r->epoch);
		const struct hd_pm_counts was = b->c;

		session_expire(st, &s->conf, b, r->now);
		count_bin(&r->count[s->id], &was, &b->c);
		if (st->tail != st->next_seq)
			wheel_arm(&sw->wheel, entry, next_due(sw, due, s->conf.interval, r->now));
		return true;
	}
	m = rte_pktmbuf_alloc(packet_pool());
	wheel_arm(&sw->wheel, entry, next_due(sw, due, s->conf.interval, r->now));
	if (m == NULL || rte_pktmbuf_tailroom(m) < s->packet.len) {
		rte_pktmbuf_free(m);
		sw->skipped++;
		return false;
	}
	hd_hist_add(&sw->late, (uint64_t)((double)(rte_rdtsc() - due) * r->clock->slope));
	sw->sent++;
	send_one(r, s, m);
	if (unlikely(s->egress != 0))
		way = to_link(r, s, m);
	r->m[way][r->n[way]++] = m;
	return true;
}

static void fire_liveness(struct send_run *r, struct sender_session *s, uint32_t entry)
{
	struct session_now now = now_make(r->clock, r->now);
	uint64_t at;

	if (session_alive_check(s->state, &s->conf, &now))
		event(r, s);
	at = session_deadline(s->state, &s->conf);
	if (at == 0 && s->conf.n_down != 0 && s->state->liveness != HD_PM_STOPPED)
		at = r->now + s->conf.n_down * s->conf.interval; /* down, or nothing sent yet */
	if (at != 0)
		wheel_arm(&r->sw->wheel, entry, at);
}

/* Sessions that are new or changed: what has no moment yet, or one of the session before, gets one. */
static void take_changes(struct send_run *r)
{
	struct sender_worker *sw = r->sw;
	void *obj;

	while (rte_ring_sc_dequeue(sw->changed, &obj) == 0) {
		uint32_t id = (uint32_t)(uintptr_t)obj;
		const struct sender_session *s = sender_session_get(id);

		if (s == NULL)
			continue;
		/* RFC 7679 section 4: periodic, from a random start */
		sw->random ^= sw->random << 13;
		sw->random ^= sw->random >> 7;
		sw->random ^= sw->random << 17;
		if (s->state->next_seq == 0) {
			wheel_disarm(&sw->wheel, 2 * id);
			wheel_disarm(&sw->wheel, 2 * id + 1);
		}
		if (!sw->entry[2 * id].armed)
			wheel_arm(&sw->wheel, 2 * id, r->now + sw->random % s->conf.interval);
		if (!sw->entry[2 * id + 1].armed && s->conf.n_down != 0)
			wheel_arm(&sw->wheel, 2 * id + 1, r->now + s->conf.interval);
	}
}

/* ---- replies ----------------------------------------------------------------------------------------------------- */

/* Runs on the owner.  True: the session came up. */
static bool take_reply(struct sender_session *s, const struct sender_reply *r,
		       const struct wallclock *clock, uint64_t epoch, struct sender_count *count)
{
	const struct stamp_answer *a = &r->answer;
	struct session_now now = now_make(clock, r->tsc);
	struct session_bin *b = bin_of(s, epoch);
	const struct hd_pm_counts was = b->c;
	bool up = false;

	if (s->ssid != 0 && a->ssid == 0) {
		s->state->ssid0 = true;
		if ((s->conf.flags & HD_PM_S_SSID_STRICT) != 0) /* RFC 8972 section 3 */
			s->state->liveness = HD_PM_STOPPED;
	}
	s->state->rx_hw = r->hw;
	session_reply(s->state, &s->conf, b, a, &now, r->gap_ns, &up);
	count_bin(&count[s->id], &was, &b->c);
	return up;
}

static void take_replies(struct send_run *r)
{
	struct sender_reply reply;

	for (unsigned i = 0; i < 2 * SEND_BURST; i++) {
		if (rte_ring_sc_dequeue_elem(r->sw->replies, &reply, sizeof(reply)) != 0)
			return;
		struct sender_session *s = sender_session_get(reply.id);
		if (s != NULL && take_reply(s, &reply, r->clock, r->epoch, r->count))
			event(r, s);
	}
}

/* What left in the walk before is out by now: so long it may have waited. */
static void account_last(struct send_run *r)
{
	struct sender_worker *sw = r->sw;

	for (unsigned i = 0; i < sw->n_last; i++) {
		struct sender_session *s = sender_session_get(sw->last[i].id);
		uint64_t ns = (uint64_t)((double)(r->now - sw->last[i].tsc) * r->clock->slope);
		struct session_bin *b;

		if (s == NULL)
			continue;
		b = bin_of(s, r->epoch);
		b->c.error_sum += ns;
		if (ns > s->state->tx_gap_ns)
			s->state->tx_gap_ns = ns;
		if (ns > b->c.error_max)
			b->c.error_max = ns;
	}
	sw->n_last = 0;
}

/* ---- node pm-send ------------------------------------------------------------------------------------------------ */

static void flush(struct send_run *r, struct rte_mbuf **m, unsigned n, rte_edge_t edge)
{
	if (n == 0)
		return;
	if (unlikely(r->slot->worker->watch))
		node_watch_in(r->slot, m, n);
	node_run_flush(r->graph, r->node, r->slot, (void **)m, 0, n, edge);
}

static uint16_t pm_send_process(struct rte_graph *g, struct rte_node *node, void **objs, uint16_t n)
{
	struct worker *w = node_worker(node);
	struct sender_worker *sw = sender_workers[w->id];
	static const rte_edge_t edge[N_WAYS] = { [WAY_IP4] = PM_SEND_SENT4,
						 [WAY_IP6] = PM_SEND_SENT6,
						 [WAY_LINK] = PM_SEND_LINK,
						 [WAY_NONE] = PM_SEND_NO_LINK };
	struct sender_session *session[SEND_BURST];
	uint32_t due[SEND_BURST], n_out;
	uint64_t now;

	(void)objs;
	(void)n;
	if (unlikely(w->explain != NULL))
		return 0;
	/* without sessions not even the clock is read */
	if (likely(sw->wheel.next == UINT64_MAX && rte_ring_empty(sw->changed) && sw->n_last == 0 &&
		   (sw->replies == NULL || rte_ring_empty(sw->replies))))
		return 0;
	now = rte_rdtsc();
	sw->before = sw->walk;
	sw->walk = now;
	if (likely(now < sw->wheel.next && rte_ring_empty(sw->changed) && sw->n_last == 0 &&
		   (sw->replies == NULL || rte_ring_empty(sw->replies))))
		return 0;

	struct send_run r = { .graph = g,
			      .node = node,
			      .slot = node_slot(node),
			      .sw = sw,
			      .clock = wallclock_get(),
			      .count = sender_counts[w->id],
			      .iface = iface_counts[w->id],
			      .epoch = __atomic_load_n(&sender_epoch, __ATOMIC_ACQUIRE),
			      .now = now };
	w->cur_node = r.slot->row;
	r.error[0] = own_error(r.clock, false);
	r.error[1] = own_error(r.clock, true);
	account_last(&r);
	take_changes(&r);
	if (sw->replies != NULL)
		take_replies(&r);
	unsigned n_due = wheel_take(&sw->wheel, now, due, SEND_BURST);
	sender_fetch_due(session, due, n_due, r.count, r.epoch);
	for (unsigned i = 0; i < n_due; i++) {
		struct sender_session *s = session[i];

		if (s == NULL) /* gone; not armed again */
			continue;
		if (due[i] % 2 == 0)
			fire_send(&r, s, due[i]);
		else
			fire_liveness(&r, s, due[i]);
	}
	for (unsigned i = 0; i < N_WAYS; i++)
		flush(&r, r.m[i], r.n[i], edge[i]);
	flush(&r, r.event, r.n_event, PM_SEND_EVENT);
	n_out = r.n[WAY_IP4] + r.n[WAY_IP6] + r.n[WAY_LINK] + r.n[WAY_NONE] + r.n_event;
	w->rx_count += n_out;
	w->wake[WAKE_PM_SEND] = sw->wheel.next != UINT64_MAX ? sw->wheel.next : 0;
	return (uint16_t)n_out;
}
NODE_REGISTER_FLAGS(pm_send, "pm-send", PM_SEND, PM_SEND_VERDICTS, pm_send_process,
		    RTE_NODE_SOURCE_F)

/* ---- node pm-reply ----------------------------------------------------------------------------------------------- */

#define PM_REPLY_VERDICTS(V, P)                                                                 \
	V(P, TAKEN, "drop", INFO, "reply taken in (RFC 8762 4.3): nothing is wrong")            \
	V(P, HANDED, "drop", INFO,                                                              \
	  "reply handed to the worker of its session (RFC 8762 4.3): nothing is wrong")         \
	V(P, UP, "punt", INFO, "reply taken in, with which its path came up")                   \
	V(P, NO_SESSION, "drop", WARN,                                                          \
	  "no session of this SSID, port and reflector (RFC 8972 3): "                          \
	  "compare both ends' sessions, heddle show sessions")                                  \
	V(P, HANDOFF_FULL, "drop", WARN,                                                        \
	  "the worker of its session does not keep up: place queues anew, heddle show workers") \
	V(P, BAD_HMAC, "drop", ERROR,                                                           \
	  "HMAC is wrong: do both ends have the same key? (RFC 8762 4.4)")                      \
	V(P, BAD_ESTIMATE, "drop", WARN,                                                        \
	  "error estimate with multiplier zero (RFC 4656 4.1.2): "                              \
	  "the reflector's clock or program is at fault")                                       \
	V(P, BAD_CHECKSUM, "drop", ERROR,                                                       \
	  "UDP checksum is wrong (RFC 768, RFC 8200 8.1): the packet was damaged on its way")   \
	V(P, TRUNCATED, "drop", ERROR,                                                          \
	  "shorter than its UDP length or than a reply (RFC 8762 4.3): "                        \
	  "does a STAMP reflector answer there?")                                               \
	V(P, HEADER_SPLIT, "drop", ERROR, "not in one buffer segment: raise --mbuf-room")
NODE_VERDICTS(pm_reply, PM_REPLY, PM_REPLY_VERDICTS)

struct reply_run {
	struct worker *worker;
	struct sender_worker *sw;
	const struct wallclock *clock;
	struct sender_count *count;
	uint64_t epoch;
};

/* Is it from where the session sends to?  A Destination Node Address may answer for another (RFC 9503 section 3). */
static bool belongs(const struct sender_session *s, const struct datagram *p)
{
	unsigned n = p->family == 4 ? 4 : 16;
	bool loopback = s->conf.flags & HD_PM_S_LOOPBACK;

	if (s->family != p->family || s->src_port != p->udp.dst_port ||
	    memcmp(s->src, p->dst, n) != 0)
		return false;
	return loopback ? memcmp(s->src, p->src, n) == 0 :
			  p->udp.src_port == s->dst_port &&
				  ((s->conf.flags & HD_PM_S_DEST_NODE) != 0 ||
				   memcmp(s->dst, p->src, n) == 0);
}

/* The SSID's place depends on the mode, which depends on the session: both are tried, then the port alone. */
static struct sender_session *session_of(const struct datagram *p)
{
	static const uint8_t at[] = { offsetof(struct stamp_base, ssid),
				      offsetof(struct stamp_auth, ssid) };
	struct sender_session *s;

	for (unsigned i = 0; i < 2; i++) {
		uint16_t ssid = p->len >= SENDER_BASE(i) ? wire_get16(p->payload + at[i]) : 0;
		uint32_t id = ssid != 0 ? sender_find(p->udp.dst_port, ssid) : 0;

		s = id != 0 ? sender_session_get(id) : NULL;
		if (s != NULL && ((s->conf.flags & HD_PM_S_AUTHENTICATED) != 0) == (i == 1) &&
		    belongs(s, p))
			return s;
	}
	s = sender_session_get(sender_find(p->udp.dst_port, 0));
	if (s == NULL || !belongs(s, p))
		return NULL;
	/* a reflector that knows no SSID leaves zeros there (RFC 8972 section 3) */
	bool auth = s->conf.flags & HD_PM_S_AUTHENTICATED;
	return s->ssid == 0 || p->len < SENDER_BASE(auth) ||
			       wire_get16(p->payload + at[auth]) == 0 ?
		       s :
		       NULL;
}

static rte_edge_t hand_over(struct sender_session *s, struct sender_reply *r)
{
	struct sender_worker *to = sender_workers[sender_owner(s->id)];

	return rte_ring_mp_enqueue_elem(to->replies, r, sizeof(*r)) == 0 ? PM_REPLY_HANDED :
									   PM_REPLY_HANDOFF_FULL;
}

/* The packet becomes the event. */
static rte_edge_t tell_up(struct rte_mbuf *m, const struct sender_session *s)
{
	const struct sender_event e = { .id = s->id,
					.liveness = HD_PM_UP,
					.time_ns = s->state->change_ns };

	memcpy(rte_pktmbuf_mtod(m, void *), &e, sizeof(e)); /* a reply is longer */
	meta(m)->punt = (uint8_t)sender_punt_event;
	return PM_REPLY_UP;
}

/* By the port's own clock it has not waited, and may be off by what its line is. */
static inline void take_hw(struct sender_reply *r, uint64_t error, const struct wallclock *clock)
{
	r->hw = true;
	r->gap_ns = (uint64_t)((double)error * clock->slope) + 1;
}

static inline rte_edge_t pm_reply_one(struct rte_mbuf *m, void *arg)
{
	struct reply_run *run = arg;
	struct sender_reply r = { .tsc = meta(m)->rx_tsc };
	enum answer_result result;
	struct sender_session *s;
	struct datagram p;
	uint64_t error;
	int rc = datagram_read(m, &p);

	if (rc < 0)
		return DATAGRAM_VERDICT(PM_REPLY, rc);
	s = session_of(&p);
	if (s == NULL)
		return PM_REPLY_NO_SESSION;
	meta(m)->object = s->id;
	result = stamp_answer_parse(&s->how, p.payload, p.len, &r.answer);
	if (result != ANSWER_OK) {
		if (run->worker->explain == NULL)
			run->count[s->id].bad++;
		return result == ANSWER_BAD_HMAC     ? PM_REPLY_BAD_HMAC :
		       result == ANSWER_BAD_ESTIMATE ? PM_REPLY_BAD_ESTIMATE :
						       PM_REPLY_TRUNCATED;
	}
	if (unlikely(run->worker->explain != NULL))
		return PM_REPLY_TAKEN;
	if (unlikely((meta(m)->flags & META_F_LOCAL) != 0)) /* it never left this node */
		r.tsc = rte_rdtsc();
	else if (hwclock_rx(m, meta(m)->port, r.tsc, rte_get_tsc_hz(), &r.tsc, &error))
		take_hw(&r, error, run->clock);
	else if (run->sw->before != 0 && r.tsc > run->sw->before)
		r.gap_ns = (uint64_t)((double)(r.tsc - run->sw->before) * run->clock->slope);
	r.id = s->id;
	if (sender_owner(s->id) != run->worker->id)
		return hand_over(s, &r);
	return take_reply(s, &r, run->clock, run->epoch, run->count) ? tell_up(m, s) :
								       PM_REPLY_TAKEN;
}

static void pm_reply_chunk(struct rte_mbuf **m, unsigned n, rte_edge_t *verdict, void *arg)
{
	const struct reply_run *run = arg;

	sender_fetch_replies(m, n, run->worker->id, run->count, run->epoch);
	for (unsigned i = 0; i < n; i++)
		verdict[i] = pm_reply_one(m[i], arg);
}

static uint16_t pm_reply_process(struct rte_graph *g, struct rte_node *node, void **objs,
				 uint16_t n)
{
	struct worker *w = node_worker(node);
	struct reply_run run = { .worker = w,
				 .sw = sender_workers[w->id],
				 .clock = wallclock_get(),
				 .count = sender_counts[w->id],
				 .epoch = __atomic_load_n(&sender_epoch, __ATOMIC_ACQUIRE) };

	return node_run_bulk(g, node, objs, n, pm_reply_chunk, &run);
}
NODE_REGISTER(pm_reply, "pm-reply", PM_REPLY, PM_REPLY_VERDICTS, pm_reply_process)
