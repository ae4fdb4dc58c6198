/* SPDX-License-Identifier: BSD-3-Clause
 * The state machine of a BFD session (RFC 5880 section 6), asynchronous mode.  Pure: it knows no clock; who calls
 * it keeps the two moments, when to send and when the peer is given up.  Bare section numbers mean RFC 5880. */
#ifndef PIPELINES_PM_BFD_H
#define PIPELINES_PM_BFD_H

#include <stdbool.h>
#include <stdint.h>

#include "heddle/wire/bfd.h"

#define BFD_SLOW_US 1000000u /* slowest that a session which is not up sends (6.8.3) */

struct bfd_conf {
	uint32_t discr; /* ours; not 0 */
	uint32_t min_tx_us, min_rx_us;
	uint8_t mult;
	bool passive, admin_down;
};

struct bfd_session {
	uint8_t state, diag; /* enum bfd_fsm, enum bfd_diag */
	uint8_t remote_state, remote_diag, remote_mult;
	bool remote_demand;
	bool polling; /* our parameters are to be acknowledged */
	bool final;   /* the next packet answers a poll */
	uint32_t remote_discr, remote_min_tx_us, remote_min_rx_us;
	uint32_t said_tx_us, said_rx_us; /* what our packets say */
	uint32_t tx_us, rx_us;           /* what is in force (6.8.3) */
};

/* As section 6.8.1 has it. */
void bfd_init(struct bfd_session *s, const struct bfd_conf *c);
/* Bring it in line with settings that may have changed.  Returns true when the state did. */
bool bfd_follow(struct bfd_session *s, const struct bfd_conf *c);
/* A packet for this session, parsed.  Returns true when the state changed. */
bool bfd_receive(struct bfd_session *s, const struct bfd_conf *c, const struct bfd_packet *p);
/* No packet came for the detection time.  Returns true when the state changed. */
bool bfd_expire(struct bfd_session *s, const struct bfd_conf *c);

/* Between packets, before jitter; 0: none is to be sent now (6.8.7). */
uint32_t bfd_interval_us(const struct bfd_session *s, const struct bfd_conf *c);
/* 6.8.7: 75 to 100 % of it, to 90 % when one lost packet is enough.  random: any. */
uint32_t bfd_jitter_us(uint32_t interval_us, uint8_t mult, uint32_t random);
/* 6.8.4; 0: the peer has not been heard. */
uint32_t bfd_detect_us(const struct bfd_session *s);
/* The packet to be sent now. */
void bfd_make(struct bfd_session *s, const struct bfd_conf *c, struct bfd_packet *ret);

#endif
