/* SPDX-License-Identifier: BSD-3-Clause
 * What a Session-Sender knows of one session: which packets are under way, and what became of the others.  No clock of
 * its own: whoever calls says what time it is, so that tests run it in virtual time.
 * Written by the worker that owns the session; read by the control thread, perhaps a little torn.
 * Terms: RFC 7679 (one-way delay), 7680 (loss), 2681 (round trip), 3393 (variation), 4737 (reordering), 5560
 * (duplicates); ITU-T Y.1540 for blocks of severe loss. */
#ifndef PIPELINES_PM_SESSION_H
#define PIPELINES_PM_SESSION_H

#include "pipelines/pm/sender_packet.h"

struct session_bin {
	uint64_t start_ns, end_ns; /* wall time; end 0: still open */
	struct hd_pm_counts c;
	struct hd_pm_hist d[HD_PM_DIRS];
};

/* Times in ticks (TSC) unless they are called ns. */
struct session_conf {
	uint64_t interval, timeout;
	uint32_t flags; /* HD_PM_S_* */
	uint32_t count; /* with HD_PM_S_ONCE */
	uint8_t n_down, n_up;
	uint32_t offset_ns; /* calibration: a round trip's, half of it either way's */
};

/* A packet and its reply touch the first lines, the counts of a bin, and of each distribution a line or two; in this
 * order, so that they can be fetched ahead (session_prefetch()). */
struct session_state {
	uint32_t mask;           /* window - 1 */
	uint32_t next_seq, tail; /* packets tail .. next_seq - 1 are under way */
	uint32_t epoch;          /* of the clock */
	uint32_t one_way_from; /* packets from here on were sent after the last step of the clock */
	uint32_t block_n, block_lost;
	uint16_t peer_error, own_error;
	uint64_t last_ok;   /* when the last good reply came; before: when the first packet left */
	uint64_t tx_gap_ns; /* longest between T1 and a packet surely sent */
	uint8_t liveness;   /* enum hd_pm_liveness */
	uint8_t rx_ttl;
	uint8_t access_left; /* Access Reports still to be sent */
	bool any, peer_any, ssid0;
	bool rx_hw; /* T4 of the last reply was the port's own */
	/* of replies */
	uint32_t expect;        /* reordering: one above the highest reply (RFC 4737 section 3.2) */
	uint32_t peer_next;     /* STATEFUL: the reflector's next number */
	uint32_t prev_seq, run; /* of the last good reply; replies in a row */
	int64_t prev_delay;
	uint32_t direct_rx; /* replies received: S_RxC of RFC 8972 section 4.5 */
	uint32_t direct_seen;
	uint32_t last_peer_seq;
	uint64_t last_t3;
	struct answer_tlvs tlv;
	int64_t follow_up_ns;
	uint64_t access_due;
	uint64_t start_ns;
	uint64_t change_ns; /* wall time of the last change of liveness */
	uint64_t detect_ns; /* of the last DOWN */
	struct session_bin bin[2];
	uint64_t window[]; /* by seq & mask: when it left << 1 | answered */
};

#define SESSION_WINDOW_MIN   64u
#define SESSION_ACCESS_TRIES 5u /* the report, and 4 times again (RFC 8972 section 4.6) */

/* The present, as the caller has it. */
struct session_now {
	uint64_t tsc;
	double ns_per_tick;
	uint64_t wall_ns; /* of tsc */
	uint32_t epoch;   /* of the clock */
	int32_t tai_s;
};

/* The state's lines that a packet needs (reply: its reply too), on their way from memory. */
static inline void session_prefetch(const struct session_state *s, unsigned bin, bool reply)
{
	const char *p = (const char *)s, *c = (const char *)&s->bin[bin].c;

	__builtin_prefetch(p, 1);
	__builtin_prefetch(p + 64, 1);
	__builtin_prefetch(c, 1);
	__builtin_prefetch(c + 64, 1);
	if (!reply)
		return;
	__builtin_prefetch(p + 128, 1);
	__builtin_prefetch(p + 192, 1);
	for (unsigned i = 0; i < HD_PM_DIRS; i++)
		__builtin_prefetch(&s->bin[bin].d[i], 1);
}

/* Entries of the window for a session: a power of two, or 0: more than HD_PM_WINDOW_MAX packets would be under way. */
uint32_t session_window(uint64_t interval_us, uint64_t timeout_us);
/* A fresh state of that window, or NULL.  Control thread. */
struct session_state *session_create(uint32_t window, uint64_t wall_ns);
/* state: struct session_state *, or NULL; nobody uses it any more. */
void session_destroy(void *state);

/* Decide what is older than the timeout. */
void session_expire(struct session_state *s, const struct session_conf *c, struct session_bin *b,
		    uint64_t tsc);
/* A packet leaves now: its sequence number. */
uint32_t session_sent(struct session_state *s, const struct session_conf *c, struct session_bin *b,
		      const struct session_now *now);

enum session_fate { SESSION_GOOD, SESSION_DUPLICATE, SESSION_LATE, SESSION_STRANGER };
/* A reply came: now is when.  rx_gap_ns: it may have waited so long before it was seen.
 * Sets *ret_up when the session has come up. */
enum session_fate session_reply(struct session_state *s, const struct session_conf *c,
				struct session_bin *b, const struct stamp_answer *a,
				const struct session_now *now, uint64_t rx_gap_ns, bool *ret_up);

/* When liveness is to be looked at again; 0: it is not watched, or down already. */
uint64_t session_deadline(const struct session_state *s, const struct session_conf *c);
/* Look: true when the session has just gone down. */
bool session_alive_check(struct session_state *s, const struct session_conf *c,
			 const struct session_now *now);

/* ONCE: is every packet's fate known? */
static inline bool session_finished(const struct session_state *s, const struct session_conf *c)
{
	return c->count != 0 && s->next_seq == c->count && s->tail == s->next_seq;
}

#endif
