/* SPDX-License-Identifier: BSD-3-Clause
 * What sessions measured, for whoever asks: requests PM_SESSION_STATE, PM_CUT and PM_PACING.  Control thread; reads
 * what workers write, so that a number may be one packet behind another. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "dataplane/debug_api.h"
#include "dataplane/wallclock.h"
#include "pipelines/pm/sender.h"

static uint64_t wall_now(void)
{
	return wallclock_at(wallclock_get(), rte_rdtsc());
}

static void copy_tlvs(const struct session_state *st, struct hd_api_pm_session_state *a)
{
	const struct answer_tlvs *t = &st->tlv;

	a->tlv_used = t->used;
	a->tlv_unknown = t->unknown;
	a->tlv_malformed = t->malformed;
	a->tlv_integrity = t->integrity;
	a->cos_dscp = t->cos_dscp;
	a->cos_ecn = t->cos_ecn;
	a->cos_refused = t->cos_refused;
	a->sync_in = t->sync_in;
	a->method_in = t->method_in;
	a->sync_out = t->sync_out;
	a->method_out = t->method_out;
	memcpy(a->direct, t->direct, sizeof(t->direct));
	a->direct[3] = st->direct_seen;
	a->follow_up_ns = st->follow_up_ns;
}

static void copy_session(const struct sender_session *s, struct hd_api_pm_session_state *a)
{
	const struct session_state *st = s->state;
	bool synced = (st->own_error & st->peer_error & STAMP_ERR_S) != 0;

	a->session_id = s->id;
	a->worker = sender_owner(s->id);
	a->liveness = st->liveness;
	a->ptp_peer = (st->peer_error & STAMP_ERR_Z) != 0;
	a->flags = (uint16_t)((synced ? HD_PM_ST_SYNCED : 0) | (st->ssid0 ? HD_PM_ST_SSID0 : 0) |
			      (st->rx_hw ? HD_PM_ST_RX_HW : 0) |
			      (session_finished(st, &s->conf) ? HD_PM_ST_FINISHED : 0));
	a->peer_error = st->peer_error;
	a->own_error = st->own_error;
	a->seq = st->next_seq;
	a->change_ns = st->change_ns;
	a->detect_ns = st->detect_ns;
	a->rx_ttl = st->rx_ttl;
	a->offset_ns = s->conf.offset_ns;
	a->offset_error_ns = s->offset_error_ns;
	copy_tlvs(st, a);
}

/* A histogram's buckets that hold something; returns how many. */
static uint32_t copy_buckets(const struct hd_pm_hist *h, struct hd_pm_bucket *to)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < HD_PM_HIST_BUCKETS && h->n != 0; i++)
		if (h->bucket[i] != 0)
			to[n++] = (struct hd_pm_bucket){ .index = (uint16_t)i,
							 .count = h->bucket[i] };
	return n;
}

struct answer {
	struct hd_api_pm_session_state s;
	struct hd_pm_bucket bucket[HD_PM_DIRS * HD_PM_HIST_BUCKETS];
};

static size_t copy_bin(const struct session_bin *b, bool buckets, struct answer *a)
{
	uint32_t n = 0;

	a->s.start_ns = b->start_ns;
	a->s.end_ns = b->end_ns != 0 ? b->end_ns : wall_now();
	a->s.c = b->c;
	for (unsigned i = 0; i < HD_PM_DIRS; i++) {
		const struct hd_pm_hist *h = &b->d[i];

		a->s.d[i].n = h->n;
		a->s.d[i].negative = h->negative;
		a->s.d[i].sum = h->sum;
		a->s.d[i].min = h->min;
		a->s.d[i].max = h->max;
		a->s.n_buckets[i] = buckets ? copy_buckets(h, a->bucket + n) : 0;
		n += a->s.n_buckets[i];
	}
	return sizeof(a->s) + n * sizeof(a->bucket[0]);
}

/* Bin: the closed one, else the one that runs. */
static int state_request(const void *body, size_t size, debug_send_fn send, void *arg,
			 struct hd_api_reply *reply)
{
	struct hd_api_pm_session_ask ask = { 0 };
	struct answer *a = malloc(sizeof(*a));
	uint32_t told = 0;

	(void)reply;
	memcpy(&ask, body, size < sizeof(ask) ? size : sizeof(ask));
	if (a == NULL)
		return -ENOMEM;
	for (uint32_t id = ask.first; id < HD_PM_SENDERS_MAX && told < ask.max; id++) {
		const struct sender_session *s = sender_session_get(id);
		uint64_t epoch = sender_epoch + ((ask.flags & HD_PM_ASK_BIN) != 0);
		size_t len;

		if (s == NULL)
			continue;
		memset(&a->s, 0, sizeof(a->s));
		copy_session(s, &a->s);
		a->s.flags |= ask.flags & HD_PM_ASK_BIN ? HD_PM_ST_BIN : 0;
		len = copy_bin(&s->state->bin[s->conf.flags & HD_PM_S_ONCE ? 0 : epoch & 1],
			       (ask.flags & HD_PM_ASK_BRIEF) == 0, a);
		send(arg, HD_API_PM_SESSION_STATE, a, len);
		told++;
	}
	free(a);
	return 0;
}

static int cut_request(const void *body, size_t size, debug_send_fn send, void *arg,
		       struct hd_api_reply *reply)
{
	struct hd_api_pm_cut cut = { .epoch = sender_epoch + 1, .time_ns = wall_now() };

	(void)body;
	(void)size;
	(void)reply;
	for (uint32_t id = 0; id < HD_PM_SENDERS_MAX; id++) {
		const struct sender_session *s = sender_session_get(id);
		struct session_bin *fresh, *closed;

		if (s == NULL || (s->conf.flags & HD_PM_S_ONCE) != 0)
			continue;
		fresh = &s->state->bin[cut.epoch & 1];
		closed = &s->state->bin[sender_epoch & 1];
		memset(fresh, 0, sizeof(*fresh));
		fresh->start_ns = cut.time_ns;
		closed->end_ns = cut.time_ns;
	}
	__atomic_store_n(&sender_epoch, cut.epoch, __ATOMIC_RELEASE);
	send(arg, HD_API_PM_CUT, &cut, sizeof(cut));
	return 0;
}

static int pacing_request(const void *body, size_t size, debug_send_fn send, void *arg,
			  struct hd_api_reply *reply)
{
	(void)body;
	(void)size;
	(void)reply;
	for (unsigned i = 0; i < dp_limits.workers; i++) {
		const struct sender_worker *w = sender_workers[i];
		const struct hd_hist *h = &w->late;
		struct hd_api_pm_pacing p = { .worker = i,
					      .sent = w->sent,
					      .min_ns = h->count != 0 ? h->min : 0,
					      .mean_ns = h->count != 0 ? h->sum / h->count : 0,
					      .p50_ns = hd_hist_percentile(h, 50),
					      .p90_ns = hd_hist_percentile(h, 90),
					      .p99_ns = hd_hist_percentile(h, 99),
					      .p999_ns = hd_hist_percentile(h, 99.9),
					      .max_ns = h->count != 0 ? h->max : 0,
					      .skipped = w->skipped };

		for (uint32_t id = i; id < HD_PM_SENDERS_MAX; id += dp_limits.workers)
			p.sessions += sender_session_get(id) != NULL;
		send(arg, HD_API_PM_PACING, &p, sizeof(p));
	}
	return 0;
}

int sender_state_init(void)
{
	int rc = debug_request_register(HD_API_PM_SESSION_STATE, state_request);

	if (rc == 0)
		rc = debug_request_register(HD_API_PM_CUT, cut_request);
	if (rc == 0)
		rc = debug_request_register(HD_API_PM_PACING, pacing_request);
	return rc;
}
