/* SPDX-License-Identifier: BSD-3-Clause
 * BFD's state machine and timers.  Bare section numbers mean RFC 5880. */
#include "pipelines/pm/bfd.h"

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* Parameters as they are to be said in this state; a poll when they change (6.8.3). */
static void say(struct bfd_session *s, const struct bfd_conf *c)
{
	uint32_t tx = s->state == BFD_UP ? c->min_tx_us : larger(c->min_tx_us, BFD_SLOW_US);
	uint32_t rx = c->min_rx_us;

	if (tx == s->said_tx_us && rx == s->said_rx_us)
		return;
	s->said_tx_us = tx;
	s->said_rx_us = rx;
	if (s->state == BFD_UP)
		s->polling = true;
	/* Up, slower sending and faster detection wait until the peer knows */
	if (s->state != BFD_UP || tx < s->tx_us)
		s->tx_us = tx;
	if (s->state != BFD_UP || rx > s->rx_us)
		s->rx_us = rx;
}

static bool state_set(struct bfd_session *s, const struct bfd_conf *c, uint8_t state, uint8_t diag)
{
	bool changed = s->state != state;

	s->state = state;
	s->diag = diag;
	if (changed && state != BFD_UP)
		s->polling = false;
	say(s, c);
	return changed;
}

void bfd_init(struct bfd_session *s, const struct bfd_conf *c)
{
	*s = (struct bfd_session){ .state = c->admin_down ? BFD_ADMIN_DOWN : BFD_DOWN,
				   .diag = c->admin_down ? BFD_DIAG_ADMIN_DOWN : BFD_DIAG_NONE,
				   .remote_state = BFD_DOWN,
				   .remote_min_rx_us = 1 };
	say(s, c);
}

bool bfd_follow(struct bfd_session *s, const struct bfd_conf *c)
{
	if (c->admin_down && s->state != BFD_ADMIN_DOWN)
		return state_set(s, c, BFD_ADMIN_DOWN, BFD_DIAG_ADMIN_DOWN);
	if (!c->admin_down && s->state == BFD_ADMIN_DOWN)
		return state_set(s, c, BFD_DOWN, BFD_DIAG_NONE);
	say(s, c);
	return false;
}

/* 6.8.6, from "If the received state is AdminDown" on. */
static bool transition(struct bfd_session *s, const struct bfd_conf *c, uint8_t received)
{
	if (received == BFD_ADMIN_DOWN)
		return s->state != BFD_DOWN && state_set(s, c, BFD_DOWN, BFD_DIAG_NEIGHBOR_DOWN);
	switch (s->state) {
	case BFD_DOWN:
		if (received == BFD_DOWN)
			return state_set(s, c, BFD_INIT, BFD_DIAG_NONE);
		return received == BFD_INIT && state_set(s, c, BFD_UP, BFD_DIAG_NONE);
	case BFD_INIT:
		return received != BFD_DOWN && state_set(s, c, BFD_UP, BFD_DIAG_NONE);
	default:
		return received == BFD_DOWN && state_set(s, c, BFD_DOWN, BFD_DIAG_NEIGHBOR_DOWN);
	}
}

bool bfd_receive(struct bfd_session *s, const struct bfd_conf *c, const struct bfd_packet *p)
{
	s->remote_discr = p->my_discr;
	s->remote_state = p->state;
	s->remote_diag = p->diag;
	s->remote_demand = (p->flags & BFD_F_DEMAND) != 0;
	s->remote_min_rx_us = p->min_rx_us;
	s->remote_min_tx_us = p->min_tx_us;
	s->remote_mult = p->mult;
	if (s->polling && (p->flags & BFD_F_FINAL) != 0) {
		s->polling = false;
		s->tx_us = s->said_tx_us;
		s->rx_us = s->said_rx_us;
	}
	if (s->state == BFD_ADMIN_DOWN)
		return false;
	s->final |= (p->flags & BFD_F_POLL) != 0;
	return transition(s, c, p->state);
}

bool bfd_expire(struct bfd_session *s, const struct bfd_conf *c)
{
	s->remote_discr = 0; /* 6.8.1 */
	s->remote_mult = 0;
	s->remote_min_rx_us = 1;
	if (s->state != BFD_INIT && s->state != BFD_UP)
		return false;
	return state_set(s, c, BFD_DOWN, BFD_DIAG_EXPIRED);
}

uint32_t bfd_interval_us(const struct bfd_session *s, const struct bfd_conf *c)
{
	if ((c->passive && s->remote_discr == 0) || s->remote_min_rx_us == 0)
		return 0;
	if (s->remote_demand && s->state == BFD_UP && s->remote_state == BFD_UP && !s->polling)
		return 0;
	return larger(s->tx_us, s->remote_min_rx_us);
}

uint32_t bfd_jitter_us(uint32_t interval_us, uint8_t mult, uint32_t random)
{
	uint32_t range = mult == 1 ? interval_us / 100 * 15 : interval_us / 4;

	return interval_us - interval_us / 4 + (range != 0 ? random % range : 0);
}

uint32_t bfd_detect_us(const struct bfd_session *s)
{
	uint64_t us = (uint64_t)s->remote_mult * larger(s->rx_us, s->remote_min_tx_us);

	return us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

void bfd_make(struct bfd_session *s, const struct bfd_conf *c, struct bfd_packet *ret)
{
	*ret = (struct bfd_packet){ .diag = s->diag,
				    .state = s->state,
				    .flags = BFD_F_CPI,
				    .mult = c->mult,
				    .my_discr = c->discr,
				    .your_discr = s->remote_discr,
				    .min_tx_us = s->said_tx_us,
				    .min_rx_us = s->said_rx_us };
	if (s->final) /* a packet with Final has no Poll (6.5) */
		ret->flags |= BFD_F_FINAL;
	else if (s->polling)
		ret->flags |= BFD_F_POLL;
	s->final = false;
}
