/* SPDX-License-Identifier: BSD-3-Clause
 * The serving side of a capacity test: who may ask, load packets counted, status feedback messages sent.  Runs on the
 * worker that met the request.  What goes out is never more than what came in, and only to whom showed, by a cookie,
 * that it gets what is sent to its address.  Bare section numbers mean RFC 9097. */
#include <string.h>

#include <rte_cycles.h>

#include "heddle/wire/ip4.h"
#include "pipelines/pm/capacity.h"

#define MS              1000000ull
#define LOAD_TIMEOUT_MS 1000u /* table 1 */
#define BURST_MS        250u /* of the granted rate may come at once: something on the way held it back */
#define COST_SHIFT      16u

struct capacity_responder *capacity_responder;
struct capacity_served capacity_served = { .owner = -1 };

/* ---- who may ---------------------------------------------------------------------------------------------------- */

static bool in_prefix(const uint8_t *a, const uint8_t *prefix, unsigned bits)
{
	unsigned octets = bits / 8, rest = bits % 8;

	return memcmp(a, prefix, octets) == 0 &&
	       (rest == 0 || (a[octets] ^ prefix[octets]) >> (8 - rest) == 0);
}

bool capacity_source_allowed(const struct capacity_responder *c, const struct datagram *d)
{
	for (uint32_t i = 0; i < c->conf.n_sources; i++)
		if (c->conf.source[i].family == d->family &&
		    in_prefix(d->src, c->conf.source[i].addr, c->conf.source[i].len))
			return true;
	return false;
}

bool capacity_served_belongs(const struct capacity_msg *m, const struct datagram *d)
{
	const struct capacity_served *s = &capacity_served;
	unsigned n = d->family == 4 ? 4 : 16;

	return m->test == s->test && m->cookie == s->cookie && d->family == s->peer.family &&
	       d->udp.src_port == s->peer.sport && memcmp(d->src, s->peer.src, n) == 0 &&
	       memcmp(d->dst, s->peer.dst, n) == 0;
}

/* ---- messages -------------------------------------------------------------------------------------------------- */

/* A packet to the peer, made ready for payloads of len octets. */
static void packet_make(const struct capacity_handed *h, struct sender_packet *p, unsigned len)
{
	struct hd_api_pm_session back = {
		.family = h->family, .src_port = h->dport, .dst_port = h->sport, .dscp = h->dscp
	};

	memcpy(back.src, h->dst, 16);
	memcpy(back.dst, h->src, 16);
	sender_packet_begin(&back, p);
	sender_packet_close(&back, p, len);
}

static bool send_message(const struct capacity_responder *c, struct capacity_run *r,
			 const struct sender_packet *p, struct capacity_msg *m)
{
	struct capacity_served *s = &capacity_served;

	if (s->out + p->len > s->in)
		return false;
	if (!capacity_emit(r, p, m, c->has_key ? &c->key : NULL, s->peer.vrf))
		return false;
	s->out += p->len;
	return true;
}

static void answer(const struct capacity_responder *c, struct capacity_run *r, uint8_t what)
{
	struct capacity_served *s = &capacity_served;
	struct capacity_msg m = { .type = CAPACITY_ACCEPT, .test = s->test, .cookie = s->cookie };

	m.u.setup = s->peer.msg.u.setup;
	m.u.setup.answer = what;
	m.u.setup.max_kbps = s->kbps;
	m.u.setup.duration_ms = c->conf.max_ms;
	send_message(c, r, &s->answer, &m);
}

/* Of somebody else while a test runs: its own packet, and nothing of the test is touched. */
static void refuse(const struct capacity_responder *c, struct capacity_run *r,
		   const struct capacity_handed *h, uint8_t what)
{
	struct capacity_msg m = { .type = CAPACITY_ACCEPT, .test = h->msg.test };
	struct sender_packet p;

	capacity_served.total.refused++;
	m.u.setup = h->msg.u.setup;
	m.u.setup.answer = what;
	m.u.setup.max_kbps = c->conf.max_kbps;
	m.u.setup.duration_ms = c->conf.max_ms;
	packet_make(h, &p, CAPACITY_SETUP);
	if (p.len <= h->octets)
		capacity_emit(r, &p, &m, c->has_key ? &c->key : NULL, h->vrf);
}

static uint8_t judge(const struct capacity_responder *c, const struct capacity_msg *m)
{
	if (m->u.setup.max_kbps < 500 || m->u.setup.feedback_ms < HD_PM_CAPACITY_FEEDBACK_MIN ||
	    m->u.setup.feedback_ms > HD_PM_CAPACITY_FEEDBACK_MAX ||
	    m->u.setup.sub_ms < HD_PM_CAPACITY_SUB_MIN ||
	    m->u.setup.sub_ms > HD_PM_CAPACITY_SUB_MAX || m->u.setup.size < HD_PM_CAPACITY_SIZE_MIN)
		return CAPACITY_INVALID;
	return m->u.setup.duration_ms > c->conf.max_ms ? CAPACITY_TOO_LONG : CAPACITY_YES;
}

/* Only this node can make it, and who sent the request from another's address does not get it. */
static uint64_t cookie_make(const struct capacity_handed *h)
{
	const struct hmac_part part[] = { { &h->msg.test, sizeof(h->msg.test) },
					  { h->src, sizeof(h->src) },
					  { &h->sport, sizeof(h->sport) },
					  { &h->tsc, sizeof(h->tsc) } };
	uint8_t digest[HMAC_SHA256_LEN];

	hmac_sha256(&capacity_secret, part, 4, digest);
	return wire_get64(digest) | 1;
}

static void take_request(const struct capacity_responder *c, struct capacity_run *r,
			 const struct capacity_handed *h)
{
	struct capacity_served *s = &capacity_served;
	uint8_t what = judge(c, &h->msg);

	if (s->test == h->msg.test && s->cookie != 0 && memcmp(s->peer.src, h->src, 16) == 0 &&
	    s->peer.sport == h->sport) { /* the answer was lost */
		s->in += h->octets;
		answer(c, r, CAPACITY_YES);
		return;
	}
	if (s->running || what != CAPACITY_YES) {
		refuse(c, r, h, s->running ? CAPACITY_BUSY : what);
		return;
	}
	s->test = h->msg.test;
	s->cookie = cookie_make(h);
	s->peer = *h;
	s->kbps = RTE_MIN(h->msg.u.setup.max_kbps, c->conf.max_kbps);
	s->feedback_seq = 0;
	s->in = h->octets;
	s->out = 0;
	s->heard = r->now;
	s->due = 0;
	s->bucket = 0;
	/* a tenth more than granted: clocks, and bursts that end in the next interval */
	s->cost = (uint64_t)((double)(rte_get_tsc_hz() << COST_SHIFT) * 8 /
			     (1100.0 * (double)s->kbps));
	s->slack = capacity_ticks(BURST_MS * MS);
	packet_make(h, &s->answer, CAPACITY_SETUP);
	packet_make(h, &s->feedback, CAPACITY_BODY_MAX + CAPACITY_HMAC_LEN);
	capacity_count_init(&s->count, h->msg.u.setup.sub_ms * MS);
	answer(c, r, CAPACITY_YES);
}

static void release(void)
{
	capacity_served.running = false;
	capacity_served.cookie = 0;
	__atomic_store_n(&capacity_served.owner, -1, __ATOMIC_RELEASE);
}

/* Like the bucket of a reflector's rate, in octets: due when what has come is paid for. */
static bool pay(struct capacity_served *s, uint64_t now, uint32_t octets)
{
	if ((int64_t)(s->bucket - now) > (int64_t)s->slack)
		return false;
	s->bucket = ((int64_t)(s->bucket - now) > 0 ? s->bucket : now) +
		    (octets * s->cost >> COST_SHIFT);
	return true;
}

bool capacity_served_load(const struct capacity_handed *h)
{
	struct capacity_served *s = &capacity_served;

	s->heard = h->tsc;
	if (!pay(s, h->tsc, h->octets))
		return false;
	if (!s->running) {
		s->running = true;
		s->total.tests++;
		s->due = h->tsc + capacity_ticks(s->peer.msg.u.setup.feedback_ms * MS);
	}
	s->in += h->octets;
	s->total.packets++;
	s->total.octets += h->octets;
	capacity_count_load(&s->count, h->msg.seq, h->octets, h->msg.u.load.tx_ns,
			    capacity_ns(h->tsc));
	return true;
}

void capacity_served_take(const struct capacity_responder *c, struct capacity_run *r,
			  const struct capacity_handed *h)
{
	if (h->msg.type == CAPACITY_REQUEST)
		take_request(c, r, h);
	else if (h->msg.test != capacity_served.test || h->msg.cookie != capacity_served.cookie)
		return; /* of the one before */
	else if (h->msg.type == CAPACITY_LOAD)
		capacity_served_load(h);
	else if (h->msg.type == CAPACITY_STOP)
		release();
}

static void send_feedback(const struct capacity_responder *c, struct capacity_run *r)
{
	struct capacity_served *s = &capacity_served;
	uint64_t now = capacity_ns(r->now);
	struct capacity_msg m = { .type = CAPACITY_FEEDBACK,
				  .test = s->test,
				  .cookie = s->cookie,
				  .seq = s->feedback_seq };
	uint64_t hold;

	capacity_count_roll(&s->count, now);
	capacity_count_take(&s->count, now, &m.u.feedback.interval);
	hold = now - s->count.newest_rx;
	m.u.feedback.echo_ns = s->count.newest_tx;
	m.u.feedback.hold_ns = hold > UINT32_MAX ? UINT32_MAX : (uint32_t)hold;
	m.u.feedback.highest = s->count.next - 1;
	m.u.feedback.sub = s->count.closed;
	m.u.feedback.subs = s->count.subs;
	m.u.feedback.packets = s->count.packets;
	if (!send_message(c, r, &s->feedback, &m))
		return;
	s->feedback_seq++;
	s->total.feedbacks++;
}

uint64_t capacity_served_run(const struct capacity_responder *c, struct capacity_run *r)
{
	struct capacity_served *s = &capacity_served;
	uint64_t wait = capacity_ticks(LOAD_TIMEOUT_MS * MS), interval;

	if (c == NULL || (int64_t)(r->now - s->heard) >= (int64_t)wait) {
		release(); /* section 8.1: load packet timeout */
		return UINT64_MAX;
	}
	if (!s->running)
		return s->heard + wait;
	if (r->now >= s->due) {
		interval = capacity_ticks(s->peer.msg.u.setup.feedback_ms * MS);
		s->due += interval;
		if (s->due <= r->now)
			s->due = r->now + interval;
		send_feedback(c, r);
	}
	return s->due;
}
