/* SPDX-License-Identifier: BSD-3-Clause
 * Messages of an IP-layer capacity test (RFC 9097), a format of Heddle's own: docs/pm-capacity.md has it field by field.
 * All of them are UDP payloads: a header, a body whose length the type gives, an HMAC, and of LOAD padding behind it. */
#ifndef HEDDLE_WIRE_CAPACITY_H
#define HEDDLE_WIRE_CAPACITY_H

#include <heddle/wire/wire.h>

#define CAPACITY_MAGIC    0x48644370u /* "HdCp" */
#define CAPACITY_VERSION  1u
#define CAPACITY_HMAC_LEN 16u
#define CAPACITY_BODY     48u /* header and body; of all types but FEEDBACK */
#define CAPACITY_BODY_MAX 144u
#define CAPACITY_F_SIGNED 0x0001u /* the HMAC is one; else its octets are zero */

enum capacity_type {
	CAPACITY_REQUEST = 1,  /* sender: may I? */
	CAPACITY_ACCEPT = 2,   /* responder: yes, so much, or why not */
	CAPACITY_LOAD = 3,     /* sender: a load packet */
	CAPACITY_FEEDBACK = 4, /* responder: status feedback message */
	CAPACITY_STOP = 5,     /* sender: that was all */
};

enum capacity_answer { /* of ACCEPT */
		       CAPACITY_YES = 0,
		       CAPACITY_BUSY =
			       1, /* another test runs (RFC 9097 section 8.3: one at a time) */
		       CAPACITY_TOO_LONG = 2, /* duration_ms is the most that is served */
		       CAPACITY_INVALID = 3,  /* a parameter is out of its range */
};

/* What was counted in a time; delays in ns above the least one of the test. */
struct capacity_tally {
	uint32_t us; /* how long */
	uint32_t packets;
	uint64_t octets; /* of IP packets, their headers included */
	uint32_t lost, reordered, duplicates;
	uint32_t delay_min, delay_max;
	uint32_t variation; /* mean difference of the delays of packets that came one after the other */
};

struct capacity_msg {
	uint8_t type;
	uint16_t length, flags; /* length: octets of the UDP payload */
	uint64_t test, cookie;  /* chosen by sender and responder */
	uint32_t seq;           /* LOAD and FEEDBACK, each by itself, from 0 */
	union {
		struct { /* REQUEST, ACCEPT */
			uint8_t answer;
			uint32_t max_kbps, duration_ms;
			uint16_t sub_ms, feedback_ms, size; /* size: octets of an IP packet */
		} setup;
		struct {
			uint64_t tx_ns; /* the sender's clock */
		} load;
		struct {
			uint64_t echo_ns; /* tx_ns of the newest load packet */
			uint32_t hold_ns; /* from its arrival to this message */
			uint32_t highest; /* its sequence number */
			struct capacity_tally interval, sub;
			uint32_t subs; /* sub-intervals that are over; `sub` is the last of them */
			uint64_t packets; /* received since the test began */
		} feedback;
	} u;
};

/* Octets in front of the HMAC; 0: no such type. */
static inline unsigned capacity_body_len(uint8_t type)
{
	return type == CAPACITY_FEEDBACK                         ? CAPACITY_BODY_MAX :
	       type >= CAPACITY_REQUEST && type <= CAPACITY_STOP ? CAPACITY_BODY :
								   0;
}

static inline const uint8_t *capacity_tally_get(const uint8_t *p, struct capacity_tally *t)
{
	t->us = wire_get32(p);
	t->packets = wire_get32(p + 4);
	t->octets = wire_get64(p + 8);
	t->lost = wire_get32(p + 16);
	t->reordered = wire_get32(p + 20);
	t->duplicates = wire_get32(p + 24);
	t->delay_min = wire_get32(p + 28);
	t->delay_max = wire_get32(p + 32);
	t->variation = wire_get32(p + 36);
	return p + 40;
}

static inline uint8_t *capacity_tally_put(uint8_t *p, const struct capacity_tally *t)
{
	p = wire_add32(p, t->us);
	p = wire_add32(p, t->packets);
	p = wire_add64(p, t->octets);
	p = wire_add32(p, t->lost);
	p = wire_add32(p, t->reordered);
	p = wire_add32(p, t->duplicates);
	p = wire_add32(p, t->delay_min);
	p = wire_add32(p, t->delay_max);
	return wire_add32(p, t->variation);
}

/* p: UDP payload.  The HMAC is not looked at: it stands behind capacity_body_len() octets, which it covers.
 * Returns 0, -EBADMSG shorter than its type or not as long as it says, -EPROTONOSUPPORT no message of this version. */
static inline int capacity_parse(const uint8_t *p, size_t len, struct capacity_msg *ret)
{
	struct capacity_msg m = { 0 };
	unsigned body;

	if (len < CAPACITY_BODY + CAPACITY_HMAC_LEN)
		return -EBADMSG;
	m.type = p[5];
	body = capacity_body_len(m.type);
	if (wire_get32(p) != CAPACITY_MAGIC || p[4] != CAPACITY_VERSION || body == 0)
		return -EPROTONOSUPPORT;
	m.length = wire_get16(p + 6);
	if (m.length != len || len < body + CAPACITY_HMAC_LEN)
		return -EBADMSG;
	m.test = wire_get64(p + 8);
	m.cookie = wire_get64(p + 16);
	m.seq = wire_get32(p + 24);
	m.flags = wire_get16(p + 28);
	p += 32;
	if (m.type == CAPACITY_REQUEST || m.type == CAPACITY_ACCEPT) {
		m.u.setup.max_kbps = wire_get32(p);
		m.u.setup.duration_ms = wire_get32(p + 4);
		m.u.setup.sub_ms = wire_get16(p + 8);
		m.u.setup.feedback_ms = wire_get16(p + 10);
		m.u.setup.size = wire_get16(p + 12);
		m.u.setup.answer = p[14];
	} else if (m.type == CAPACITY_LOAD) {
		m.u.load.tx_ns = wire_get64(p);
	} else if (m.type == CAPACITY_FEEDBACK) {
		m.u.feedback.echo_ns = wire_get64(p);
		m.u.feedback.hold_ns = wire_get32(p + 8);
		m.u.feedback.highest = wire_get32(p + 12);
		p = capacity_tally_get(p + 16, &m.u.feedback.interval);
		p = capacity_tally_get(p, &m.u.feedback.sub);
		m.u.feedback.subs = wire_get32(p);
		m.u.feedback.packets = wire_get64(p + 8);
	}
	*ret = m;
	return 0;
}

/* Writes header and body; m->length is the caller's.  Returns the octets written, capacity_body_len(). */
static inline unsigned capacity_build(uint8_t *p, const struct capacity_msg *m)
{
	unsigned body = capacity_body_len(m->type);

	memset(p, 0, body);
	wire_put32(p, CAPACITY_MAGIC);
	p[4] = CAPACITY_VERSION;
	p[5] = m->type;
	wire_put16(p + 6, m->length);
	wire_put64(p + 8, m->test);
	wire_put64(p + 16, m->cookie);
	wire_put32(p + 24, m->seq);
	wire_put16(p + 28, m->flags);
	p += 32;
	if (m->type == CAPACITY_REQUEST || m->type == CAPACITY_ACCEPT) {
		wire_put32(p, m->u.setup.max_kbps);
		wire_put32(p + 4, m->u.setup.duration_ms);
		wire_put16(p + 8, m->u.setup.sub_ms);
		wire_put16(p + 10, m->u.setup.feedback_ms);
		wire_put16(p + 12, m->u.setup.size);
		p[14] = m->u.setup.answer;
	} else if (m->type == CAPACITY_LOAD) {
		wire_put64(p, m->u.load.tx_ns);
	} else if (m->type == CAPACITY_FEEDBACK) {
		wire_put64(p, m->u.feedback.echo_ns);
		wire_put32(p + 8, m->u.feedback.hold_ns);
		wire_put32(p + 12, m->u.feedback.highest);
		p = capacity_tally_put(p + 16, &m->u.feedback.interval);
		p = capacity_tally_put(p, &m->u.feedback.sub);
		wire_put32(p, m->u.feedback.subs);
		wire_put64(p + 8, m->u.feedback.packets);
	}
	return body;
}

#endif
