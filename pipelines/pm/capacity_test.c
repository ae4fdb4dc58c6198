/* SPDX-License-Identifier: BSD-3-Clause
 * The sending side of a capacity test: asking, load at the rate of a row, and what feedback makes of it.  Runs on the
 * worker that owns the test, but for capacity_test_make().  Bare section numbers mean RFC 9097. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "dataplane/wallclock.h"
#include "heddle/wire/ip4.h"
#include "pipelines/pm/capacity.h"

#define MS     1000000ull
#define ASK_MS 250u
#define ASKS   8u
#define BEHIND 100u /* packets of a burst after the worker was away: cc of table 1 */
#define TAIL_MS \
	500u /* load goes on for as long until the last sub-interval is reported (S > I, section 7.2) */

/* ---- making ---------------------------------------------------------------------------------------------------- */

static int limits(const struct hd_api_pm_capacity *a, const char **why)
{
	if (a->max_kbps < 500 || a->max_kbps > HD_PM_CAPACITY_KBPS_MAX)
		*why = "the highest rate is 500 kbit/s to 10 Gbit/s";
	else if (a->sub_ms < HD_PM_CAPACITY_SUB_MIN || a->sub_ms > HD_PM_CAPACITY_SUB_MAX)
		*why = "a sub-interval is 250 ms to 10 s";
	else if (a->duration_ms < a->sub_ms || a->duration_ms > HD_PM_CAPACITY_MS_MAX ||
		 a->duration_ms % a->sub_ms != 0 ||
		 a->duration_ms / a->sub_ms > HD_PM_CAPACITY_SUBS_MAX)
		*why = "the duration is 1 to 128 whole sub-intervals, 60 s at most";
	else if (a->feedback_ms < HD_PM_CAPACITY_FEEDBACK_MIN ||
		 a->feedback_ms > HD_PM_CAPACITY_FEEDBACK_MAX)
		*why = "the feedback interval is 20 to 250 ms (RFC 9097 table 1)";
	else if (a->size < HD_PM_CAPACITY_SIZE_MIN || a->size > HD_PM_CAPACITY_SIZE_MAX)
		*why = "a packet is 200 to 1700 octets";
	else if (a->bad_reports < 2 || a->fast_rows < 2 || a->fast_rows > 30)
		*why = "2 consecutive errored reports or more, 2 to 30 rows (RFC 9097 table 1)";
	else if (a->low_us > a->high_us || a->high_us > 1000000)
		*why = "the lower delay threshold is above the upper one, or that above 1 s";
	else if (a->stop_ms < 500 || a->stop_ms > 30000)
		*why = "the feedback timeout is 500 ms to 30 s (RFC 9097 table 1)";
	return *why != NULL ? -EINVAL : 0;
}

static void fill(struct capacity_test *t, struct sender_packet *p, unsigned len)
{
	uint32_t x = (uint32_t)t->id | 1;

	sender_packet_begin(&t->s.ask.path, p);
	for (unsigned i = CAPACITY_SETUP; i < len; i++) { /* section 4: Payload Content */
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		p->data[p->payload + i] = (uint8_t)x;
	}
	sender_packet_close(&t->s.ask.path, p, len);
}

int capacity_test_make(struct capacity_test *t, const char **why)
{
	const struct hd_api_pm_capacity *a = &t->s.ask;
	struct sender_packet *p = &t->load;
	unsigned headers;

	*why = NULL;
	if (limits(a, why) < 0 || sender_packet_check(&a->path, why) < 0)
		return -EINVAL;
	sender_packet_begin(&a->path, p);
	/* with a routing header in front of UDP that is a part of the packet */
	headers = p->payload - (a->path.encap == HD_PM_HEADER ? 0 : p->inner);
	if (a->size < headers + CAPACITY_SETUP ||
	    p->payload + a->size - headers > sizeof(p->data)) {
		*why = "the packet is shorter than its headers, or longer than 1800 octets with them";
		return -EINVAL;
	}
	fill(t, &t->load, a->size - headers);
	fill(t, &t->control, CAPACITY_SETUP);
	t->conf = (struct capacity_rate_conf){ .top = capacity_row_of(a->max_kbps),
					       .high = CAPACITY_ROW_HIGH,
					       .fast = a->fast_rows,
					       .seq_errors = a->seq_errors,
					       .bad_reports = a->bad_reports,
					       .low_ns = a->low_us * 1000ull,
					       .high_ns = a->high_us * 1000ull,
					       .feedback_ns = a->feedback_ms * MS,
					       .stop_ns = a->stop_ms * MS };
	t->s.phase = HD_PM_CAPACITY_ASKING;
	return 0;
}

/* ---- messages -------------------------------------------------------------------------------------------------- */

static bool send_control(struct capacity_test *t, struct capacity_run *r, uint8_t type)
{
	const struct hd_api_pm_capacity *a = &t->s.ask;
	struct capacity_msg m = { .type = type, .test = t->id, .cookie = t->cookie };

	if (type == CAPACITY_REQUEST) {
		m.u.setup.max_kbps = a->max_kbps;
		m.u.setup.duration_ms = a->duration_ms;
		m.u.setup.sub_ms = (uint16_t)a->sub_ms;
		m.u.setup.feedback_ms = (uint16_t)a->feedback_ms;
		m.u.setup.size = (uint16_t)a->size;
	}
	return capacity_emit(r, &t->control, &m, t->has_key ? &t->key : NULL,
			     (uint16_t)a->path.vrf_id);
}

bool capacity_test_belongs(const struct capacity_test *t, const struct datagram *d,
			   const struct capacity_msg *m)
{
	const struct hd_api_pm_session *p = &t->s.ask.path;
	unsigned n = p->family == 4 ? 4 : 16;

	return d->family == p->family && d->udp.src_port == p->dst_port &&
	       memcmp(d->src, p->dst, n) == 0 && memcmp(d->dst, p->src, n) == 0 &&
	       m->test == t->id &&
	       (m->type == CAPACITY_ACCEPT ||
		(m->type == CAPACITY_FEEDBACK && m->cookie == t->cookie));
}

static void done(struct capacity_test *t, struct capacity_run *r, uint32_t result)
{
	if (t->s.phase == HD_PM_CAPACITY_RUNNING)
		send_control(
			t, r,
			CAPACITY_STOP); /* should it be lost, the responder's timeout ends it */
	t->s.result = result;
	__atomic_store_n(&t->s.phase, HD_PM_CAPACITY_DONE, __ATOMIC_RELEASE);
}

/* IP-layer sender bit rate of what ends now (section 7.3: rates change where these intervals end). */
static void mark(struct capacity_test *t, uint64_t now)
{
	uint64_t ns = capacity_ns(now - t->mark);

	if (ns >= MS && t->s.n_rates < HD_PM_CAPACITY_RATES_MAX)
		t->sent[t->s.n_rates++] = (struct hd_pm_capacity_rate){
			.at_ms = (uint32_t)(capacity_ns(now - t->begin) / MS),
			.kbps = (uint32_t)(t->mark_octets * 8 * MS / ns)
		};
	t->mark = now;
	t->mark_octets = 0;
}

static void take_row(struct capacity_test *t)
{
	t->s.row = t->rate.row;
	t->s.kbps = capacity_row_kbps(t->rate.row);
	if (t->s.kbps > t->s.top_kbps)
		t->s.top_kbps = t->s.kbps;
	t->s.confirmed = capacity_rate_confirmed(&t->rate, &t->conf);
}

static void take_accept(struct capacity_test *t, struct capacity_run *r,
			const struct capacity_handed *h)
{
	uint32_t granted = h->msg.u.setup.max_kbps;

	if (t->s.phase != HD_PM_CAPACITY_ASKING)
		return;
	t->s.answer = h->msg.u.setup.answer;
	t->s.granted_kbps = granted;
	t->s.granted_ms = h->msg.u.setup.duration_ms;
	if (t->s.answer == CAPACITY_BUSY)
		return; /* perhaps with one that has just ended, whose STOP was lost: asked again */
	if (t->s.answer != CAPACITY_YES) {
		done(t, r, HD_PM_CAPACITY_REFUSED);
		return;
	}
	t->cookie = h->msg.cookie;
	if (granted < t->s.ask.max_kbps)
		t->conf.top = capacity_row_of(granted);
	t->begin = t->mark = r->now;
	capacity_rate_init(&t->rate, capacity_ns(r->now));
	t->s.start_ns = wallclock_at(wallclock_get(), r->now);
	t->s.phase = HD_PM_CAPACITY_RUNNING;
	take_row(t);
}

static void take_rtt(struct capacity_test *t, const struct capacity_handed *h)
{
	int64_t rtt = (int64_t)(capacity_ns(h->tsc) - h->msg.u.feedback.echo_ns -
				h->msg.u.feedback.hold_ns);
	uint32_t n = h->msg.u.feedback.subs;
	struct hd_api_pm_capacity_state *s = &t->s;

	if (rtt < 0 || (uint64_t)rtt > t->conf.stop_ns + 1000 * MS)
		return; /* an echo of nothing we sent */
	if (s->rtt_n == 0 || (uint64_t)rtt < s->rtt_min_ns)
		s->rtt_min_ns = (uint64_t)rtt;
	if ((uint64_t)rtt > s->rtt_max_ns)
		s->rtt_max_ns = (uint64_t)rtt;
	s->rtt_n++;
	if (n >= HD_PM_CAPACITY_SUBS_MAX)
		return;
	struct hd_api_pm_capacity_sub *sub = &t->sub[n];
	if (sub->rtt_n == 0 || (uint64_t)rtt < sub->rtt_min_ns)
		sub->rtt_min_ns = (uint64_t)rtt;
	if ((uint64_t)rtt > sub->rtt_max_ns)
		sub->rtt_max_ns = (uint64_t)rtt;
	sub->rtt_n++;
}

/* The last sub-interval that is over; each message says it again until the next one is. */
static void take_sub(struct capacity_test *t, const struct capacity_msg *m)
{
	uint32_t n = m->u.feedback.subs, wanted = t->s.ask.duration_ms / t->s.ask.sub_ms;
	const struct capacity_tally *from = &m->u.feedback.sub;
	struct hd_api_pm_capacity_sub *to;

	if (n == 0 || n > wanted || t->has_sub[n - 1])
		return;
	to = &t->sub[n - 1];
	to->index = n - 1;
	to->us = from->us;
	to->octets = from->octets;
	to->packets = from->packets;
	to->lost = from->lost;
	to->reordered = from->reordered;
	to->duplicates = from->duplicates;
	to->delay_min = from->delay_min;
	to->delay_max = from->delay_max;
	to->variation = from->variation;
	t->has_sub[n - 1] = true;
	t->s.n_subs++;
}

static uint32_t sequence_errors(const struct capacity_test *t, const struct capacity_tally *i)
{
	uint64_t n = (uint64_t)i->lost + i->reordered + i->duplicates,
		 expected = (uint64_t)t->s.kbps * i->us / 8000 / t->s.ask.size;

	/* nothing came of several packets: appendix A, which sees no gap then, would go on upwards */
	if (i->packets == 0 && expected >= 2)
		return UINT32_MAX;
	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static void take_feedback(struct capacity_test *t, struct capacity_run *r,
			  const struct capacity_handed *h)
{
	const struct capacity_tally *i = &h->msg.u.feedback.interval;
	enum capacity_step step;
	uint32_t row = t->rate.row;

	if (t->s.phase != HD_PM_CAPACITY_RUNNING)
		return;
	if (t->s.feedbacks != 0 && (int32_t)(h->msg.seq - t->feedback_seq) <= 0) {
		t->s.ignored++;
		return;
	}
	t->feedback_seq = h->msg.seq;
	t->s.feedbacks++;
	t->s.received = h->msg.u.feedback.packets;
	take_rtt(t, h);
	take_sub(t, &h->msg);
	mark(t, r->now);
	if (t->quiet) { /* nothing is offered any more */
		t->rate.last_ns = capacity_ns(r->now);
		return;
	}
	step = capacity_rate_feedback(&t->rate, &t->conf, sequence_errors(t, i), i->delay_max,
				      capacity_ns(r->now));
	t->s.ups += step == CAPACITY_UP;
	t->s.holds += step == CAPACITY_HOLD;
	t->s.downs += step == CAPACITY_DOWN;
	t->s.limit_reached += step == CAPACITY_UP && row == t->conf.top;
	take_row(t);
}

void capacity_test_take(struct capacity_test *t, struct capacity_run *r,
			const struct capacity_handed *h)
{
	if (h->msg.test != t->id)
		return; /* of the one before */
	if (h->msg.type == CAPACITY_ACCEPT)
		take_accept(t, r, h);
	else if (h->msg.type == CAPACITY_FEEDBACK && h->msg.cookie == t->cookie)
		take_feedback(t, r, h);
}

/* ---- load ------------------------------------------------------------------------------------------------------ */

static bool send_load(struct capacity_test *t, struct capacity_run *r)
{
	uint64_t tsc = rte_rdtsc(), sub;
	struct capacity_msg m = { .type = CAPACITY_LOAD,
				  .test = t->id,
				  .cookie = t->cookie,
				  .seq = t->load_seq,
				  .u.load.tx_ns = capacity_ns(tsc) };

	if (!capacity_emit(r, &t->load, &m, t->has_key ? &t->key : NULL,
			   (uint16_t)t->s.ask.path.vrf_id))
		return false;
	t->load_seq++;
	t->s.sent++;
	t->mark_octets += t->s.ask.size;
	sub = capacity_ns(tsc - t->begin) / (t->s.ask.sub_ms * MS);
	if (sub < HD_PM_CAPACITY_SUBS_MAX)
		t->sub[sub].sent_octets += t->s.ask.size;
	return true;
}

/* TSC of the next packet. */
static uint64_t send_due(struct capacity_test *t, struct capacity_run *r)
{
	double gap = (double)capacity_ticks((uint64_t)t->s.ask.size * 8 * MS / t->s.kbps),
	       now = (double)(r->now - t->begin);

	if (now - t->due > BEHIND * gap) { /* section 8.1: a burst has its bounds */
		uint64_t over = (uint64_t)((now - t->due) / gap) - BEHIND;

		t->s.skipped += over;
		t->due += (double)over * gap;
	}
	while (t->due <= now && r->n[0] + r->n[1] < CAPACITY_BURST) {
		if (!send_load(t, r))
			t->s.skipped++;
		t->due += gap;
	}
	return t->begin + (uint64_t)t->due;
}

static uint64_t run_asking(struct capacity_test *t, struct capacity_run *r)
{
	uint64_t wait = capacity_ticks(ASK_MS * MS);

	if (t->asks != 0 && r->now - t->asked < wait)
		return t->asked + wait;
	if (t->asks == ASKS) {
		done(t, r,
		     t->s.answer == CAPACITY_BUSY ? HD_PM_CAPACITY_REFUSED :
						    HD_PM_CAPACITY_NO_ANSWER);
		return UINT64_MAX;
	}
	t->asks++;
	t->asked = r->now;
	send_control(t, r, CAPACITY_REQUEST);
	return t->asked + wait;
}

static uint64_t run_load(struct capacity_test *t, struct capacity_run *r)
{
	const struct hd_api_pm_capacity *a = &t->s.ask;
	uint64_t now_ns = capacity_ns(r->now), ms = capacity_ns(r->now - t->begin) / MS, next;
	unsigned cuts = capacity_rate_silence(&t->rate, &t->conf, now_ns);

	t->s.elapsed_ms = (uint32_t)ms;
	if (cuts != 0 && !t->quiet) {
		mark(t, r->now);
		t->s.backoffs += cuts;
		take_row(t);
	}
	if (t->has_sub[a->duration_ms / a->sub_ms - 1]) {
		done(t, r, HD_PM_CAPACITY_OK);
		return UINT64_MAX;
	}
	if (capacity_rate_stopped(&t->rate, &t->conf, now_ns) ||
	    ms > a->duration_ms + TAIL_MS + 2 * t->conf.stop_ns / MS) {
		done(t, r, t->s.feedbacks == 0 ? HD_PM_CAPACITY_NO_LOAD : HD_PM_CAPACITY_SILENT);
		return UINT64_MAX;
	}
	t->quiet = ms >= a->duration_ms + TAIL_MS;
	next = r->now + capacity_ticks(10 * MS);
	if (!t->quiet) {
		uint64_t due = send_due(t, r);

		next = due < next ? due : next;
	}
	return next;
}

uint64_t capacity_test_run(struct capacity_test *t, struct capacity_run *r)
{
	if (!capacity_test_runs(t))
		return UINT64_MAX;
	if (__atomic_load_n(&t->end, __ATOMIC_ACQUIRE)) {
		done(t, r, HD_PM_CAPACITY_ENDED);
		return UINT64_MAX;
	}
	return t->s.phase == HD_PM_CAPACITY_ASKING ? run_asking(t, r) : run_load(t, r);
}
