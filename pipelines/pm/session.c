/* SPDX-License-Identifier: BSD-3-Clause
 * See session.h. */
#include "pipelines/pm/session.h"

#include <string.h>

#include "dataplane/tables/slab.h"

static struct slab slabs[8]; /* by window: SESSION_WINDOW_MIN, twice as many, ... */
static_assert(SESSION_WINDOW_MIN << 7 == HD_PM_WINDOW_MAX, "one for each window");

uint32_t session_window(uint64_t interval_us, uint64_t timeout_us)
{
	uint64_t need = timeout_us / (interval_us != 0 ? interval_us : 1) + 2;
	uint32_t n = SESSION_WINDOW_MIN;

	while (n < need && n <= HD_PM_WINDOW_MAX)
		n *= 2;
	return n <= HD_PM_WINDOW_MAX ? n : 0;
}

static struct slab *slab_of(uint32_t window)
{
	return &slabs[__builtin_ctz(window) - __builtin_ctz(SESSION_WINDOW_MIN)];
}

struct session_state *session_create(uint32_t window, uint64_t wall_ns)
{
	size_t size = sizeof(struct session_state) + window * sizeof(uint64_t);
	struct session_state *s = slab_get(slab_of(window), size);

	if (s == NULL)
		return NULL;
	memset(s, 0, size);
	s->mask = window - 1;
	s->start_ns = s->bin[0].start_ns = s->bin[1].start_ns = wall_ns;
	s->access_left = SESSION_ACCESS_TRIES;
	return s;
}

void session_destroy(void *state)
{
	struct session_state *s = state;

	if (s != NULL)
		slab_put(slab_of(s->mask + 1), s);
}

/* ---- sending, and giving up -------------------------------------------------------------------------------------- */

static void decide(struct session_state *s, struct session_bin *b, bool lost)
{
	b->c.lost += lost;
	s->block_lost += lost;
	if (++s->block_n == HD_PM_SEVERE_BLOCK) {
		b->c.blocks++;
		b->c.severe += s->block_lost > HD_PM_SEVERE_LOST;
		s->block_n = s->block_lost = 0;
	}
	s->tail++;
}

void session_expire(struct session_state *s, const struct session_conf *c, struct session_bin *b,
		    uint64_t tsc)
{
	while (s->tail != s->next_seq) {
		uint64_t w = s->window[s->tail & s->mask];
		bool answered = w & 1;

		if (!answered && tsc - (w >> 1) <= c->timeout)
			return;
		decide(s, b, !answered);
	}
}

uint32_t session_sent(struct session_state *s, const struct session_conf *c, struct session_bin *b,
		      const struct session_now *now)
{
	uint32_t seq = s->next_seq;

	session_expire(s, c, b, now->tsc);
	if (seq - s->tail > s->mask) /* sized for the timeout: only when the clock ran ahead */
		decide(s, b, (s->window[s->tail & s->mask] & 1) == 0);
	if (seq == 0)
		s->last_ok = now->tsc;
	if (now->epoch != s->epoch) {
		s->epoch = now->epoch;
		s->one_way_from = seq;
	}
	s->window[seq & s->mask] = now->tsc << 1;
	s->next_seq = seq + 1;
	b->c.sent++;
	return seq;
}

/* ---- replies ----------------------------------------------------------------------------------------------------- */

static void reorder(struct session_state *s, struct session_bin *b, uint32_t seq)
{
	if ((int32_t)(seq - s->expect) < 0)
		b->c.reordered++;
	else
		s->expect = seq + 1;
}

/* RFC 8762 section 4: gaps in the reflector's own numbers were lost on the way back, the rest on the way there. */
static void loss_by_direction(struct session_state *s, struct session_bin *b, uint32_t peer_seq)
{
	int32_t ahead = (int32_t)(peer_seq - s->peer_next);

	if (!s->peer_any) {
		s->peer_any = true;
		s->peer_next = peer_seq + 1;
		return;
	}
	if (ahead >= 0) {
		b->c.lost_bwd += (uint32_t)ahead;
		s->peer_next = peer_seq + 1;
	} else if (b->c.lost_bwd > 0) {
		b->c.lost_bwd--; /* it only came late */
	}
}

static void variation(struct session_state *s, struct session_bin *b, uint32_t seq, int64_t delay)
{
	int64_t d = delay - s->prev_delay;

	if (s->any && seq == s->prev_seq + 1) {
		if (b->c.ipdv_n == 0 || d < b->c.ipdv_min)
			b->c.ipdv_min = d;
		if (b->c.ipdv_n == 0 || d > b->c.ipdv_max)
			b->c.ipdv_max = d;
		b->c.ipdv_n++;
		b->c.ipdv_sum += (uint64_t)(d < 0 ? -d : d);
	}
	s->prev_delay = delay;
}

static void follow_up(struct session_state *s, const struct stamp_answer *a,
		      const struct session_now *now)
{
	bool ptp = a->error & STAMP_ERR_Z;

	if ((a->tlv.used >> STAMP_TLV_FOLLOW_UP & 1) != 0 && a->tlv.follow_ts != 0 &&
	    a->tlv.follow_seq == s->last_peer_seq && s->last_t3 != 0)
		s->follow_up_ns = stamp_ts_ns(a->tlv.follow_ts, ptp, now->tai_s, now->wall_ns) -
				  stamp_ts_ns(s->last_t3, ptp, now->tai_s, now->wall_ns);
	s->last_peer_seq = a->seq;
	s->last_t3 = a->t3;
}

static void delays(struct session_state *s, const struct session_conf *c, struct session_bin *b,
		   const struct stamp_answer *a, const struct session_now *now, uint64_t sent)
{
	int64_t whole = (int64_t)((double)(now->tsc - sent) * now->ns_per_tick), t1, t2, t3, stay;
	bool own_ptp = c->flags & HD_PM_S_PTP, ptp = a->error & STAMP_ERR_Z;

	int64_t ours = c->offset_ns,
		half = ours / 2; /* beyond what it is the result is below zero, and says so */

	if ((c->flags & HD_PM_S_LOOPBACK) != 0) {
		hd_pm_hist_add(&b->d[HD_PM_RTT], whole - ours);
		variation(s, b, a->s_seq, whole);
		return;
	}
	t1 = stamp_ts_ns(a->t1, own_ptp, now->tai_s, now->wall_ns);
	t2 = stamp_ts_ns(a->t2, ptp, now->tai_s, now->wall_ns);
	t3 = stamp_ts_ns(a->t3, ptp, now->tai_s, now->wall_ns);
	stay = t3 - t2; /* RFC 2681 section 2.7.3: the reflector's time is none of the network's */
	hd_pm_hist_add(&b->d[HD_PM_RTT],
		       (stay >= 0 && stay <= whole ? whole - stay : whole) - ours);
	if ((int32_t)(a->s_seq - s->one_way_from) < 0 || now->epoch != s->epoch) {
		b->c.clock_steps++;
		return;
	}
	hd_pm_hist_add(&b->d[HD_PM_FWD], t2 - t1 - half);
	hd_pm_hist_add(&b->d[HD_PM_BWD], (int64_t)now->wall_ns - t3 - (ours - half));
	variation(s, b, a->s_seq, t2 - t1);
}

static bool came_up(struct session_state *s, const struct session_conf *c,
		    const struct session_now *now, uint32_t seq)
{
	s->run = s->any && seq == s->prev_seq + 1 ? s->run + 1 : 1;
	s->last_ok = now->tsc;
	if (s->liveness == HD_PM_UP || s->liveness == HD_PM_STOPPED || c->n_down == 0 ||
	    s->run < (c->n_up != 0 ? c->n_up : 1))
		return false;
	s->liveness = HD_PM_UP;
	s->change_ns = now->wall_ns;
	return true;
}

enum session_fate session_reply(struct session_state *s, const struct session_conf *c,
				struct session_bin *b, const struct stamp_answer *a,
				const struct session_now *now, uint64_t rx_gap_ns, bool *ret_up)
{
	uint32_t seq = a->s_seq, back = s->next_seq - seq;
	uint64_t *w = &s->window[seq & s->mask];

	*ret_up = false;
	if (back == 0 || back > s->next_seq)
		return SESSION_STRANGER;    /* never sent */
	if (back > s->next_seq - s->tail) { /* decided before */
		bool known = back <= s->mask && (*w & 1) != 0;

		b->c.duplicate += known;
		b->c.late += !known;
		return known ? SESSION_DUPLICATE : SESSION_LATE;
	}
	if ((*w & 1) != 0) {
		b->c.duplicate++;
		return SESSION_DUPLICATE;
	}
	if (now->tsc - (*w >> 1) > c->timeout) {
		b->c.late++;
		return SESSION_LATE; /* session_expire() counts it lost */
	}
	b->c.received++;
	b->c.error_sum += rx_gap_ns;
	if (rx_gap_ns > b->c.error_max)
		b->c.error_max = rx_gap_ns;
	reorder(s, b, seq);
	if ((c->flags & HD_PM_S_STATEFUL) != 0)
		loss_by_direction(s, b, a->seq);
	delays(s, c, b, a, now, *w >> 1);
	follow_up(s, a, now);
	s->peer_error = a->error;
	s->rx_ttl = a->s_ttl;
	s->tlv = a->tlv;
	s->direct_rx++;
	if ((a->tlv.used >> STAMP_TLV_DIRECT & 1) != 0)
		s->direct_seen = s->direct_rx;
	if ((a->tlv.used >> STAMP_TLV_ACCESS & 1) != 0)
		s->access_left = 0;
	*w |= 1;
	*ret_up = came_up(s, c, now, seq);
	s->any = true;
	s->prev_seq = seq;
	return SESSION_GOOD;
}

/* ---- liveness ---------------------------------------------------------------------------------------------------- */

/* n_down replies that did not come; a quarter of an interval lets the last of them be late. */
uint64_t session_deadline(const struct session_state *s, const struct session_conf *c)
{
	if (c->n_down == 0 || s->next_seq == 0 || s->liveness == HD_PM_DOWN ||
	    s->liveness == HD_PM_STOPPED)
		return 0;
	return s->last_ok + c->n_down * c->interval + c->interval / 4;
}

bool session_alive_check(struct session_state *s, const struct session_conf *c,
			 const struct session_now *now)
{
	uint64_t at = session_deadline(s, c);

	if (at == 0 || (int64_t)(now->tsc - at) < 0)
		return false;
	s->liveness = HD_PM_DOWN;
	s->change_ns = now->wall_ns;
	s->detect_ns = (uint64_t)((double)(now->tsc - s->last_ok) * now->ns_per_tick);
	s->run = 0;
	return true;
}
