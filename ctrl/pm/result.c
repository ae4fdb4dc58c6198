/* SPDX-License-Identifier: BSD-3-Clause
 * A session's counters and distributions as JSON, with how far they can be trusted. */
#include <stdio.h>
#include <string.h>

#include "ctrl/pm/session.h"
#include "ctrl/restconf.h"
#include "heddle/wire/stamp.h"

/* ---- from the data plane ----------------------------------------------------------------------------------------- */

static const uint8_t *fill_hist(struct hd_pm_hist *h, const struct hd_api_pm_session_state *s,
				unsigned dir, const uint8_t *p, const uint8_t *end)
{
	*h = (struct hd_pm_hist){ .n = (uint32_t)s->d[dir].n,
				  .negative = (uint32_t)s->d[dir].negative,
				  .sum = s->d[dir].sum,
				  .min = s->d[dir].min,
				  .max = s->d[dir].max };
	for (uint32_t i = 0; i < s->n_buckets[dir]; i++) {
		struct hd_pm_bucket b;

		if ((size_t)(end - p) < sizeof(b))
			return NULL;
		memcpy(&b, p, sizeof(b));
		p += sizeof(b);
		if (b.index < HD_PM_HIST_BUCKETS)
			h->bucket[b.index] = b.count;
	}
	return p;
}

bool pm_result_next(const struct dp_answer *a, size_t *off, struct pm_result *ret)
{
	size_t at = *off;
	const struct hd_api_hdr *h = dp_answer_next(a, off, &ret->s, sizeof(ret->s));
	const uint8_t *p = a->msgs + at + sizeof(*h), *end = a->msgs + *off;

	if (h == NULL)
		return false;
	p += end - p < (long)sizeof(ret->s) ? end - p : (long)sizeof(ret->s);
	for (unsigned i = 0; i < HD_PM_DIRS && p != NULL; i++)
		p = fill_hist(&ret->d[i], &ret->s, i, p, end);
	return p != NULL;
}

/* ---- to people --------------------------------------------------------------------------------------------------- */

static void add_i64(struct json_object *o, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value); /* RFC 7951 section 6.1 */
	json_add_str(o, name, text);
}

/* Error estimates of both clocks; false: they do not follow one time. */
static bool clock_error(const struct hd_api_pm_session_state *s, int64_t *ret_ns)
{
	*ret_ns = (int64_t)(stamp_error_ns((uint16_t)s->own_error) +
			    stamp_error_ns((uint16_t)s->peer_error));
	return (s->flags & HD_PM_ST_SYNCED) != 0;
}

/* How far off a delay may be for what packets waited on this node.  Both ends of their way here wait, at most error_max
 * each; a calibration has taken the least of that off round trips.  Of one way nobody knows which half of it was its. */
static int64_t own_error(const struct hd_api_pm_session_state *s, enum hd_pm_dir dir)
{
	int64_t waits = 2 * (int64_t)s->c.error_max, offset = s->offset_ns;

	if (dir == HD_PM_RTT)
		waits = waits > offset ? waits - offset : 0;
	else
		waits = waits > offset ? waits : offset;
	return waits + s->offset_error_ns;
}

static void add_delay(struct json_object *top, const char *name, const struct pm_result *r,
		      enum hd_pm_dir dir)
{
	static const struct {
		const char *name;
		double percent;
	} p[] = { { "p50", 50 }, { "p90", 90 }, { "p99", 99 }, { "p999", 99.9 } };
	const struct hd_pm_hist *h = &r->d[dir];
	struct json_object *o;
	int64_t most = 0, half, clock = 0;
	bool known = dir == HD_PM_RTT || clock_error(&r->s, &clock);

	if (h->n == 0)
		return;
	o = json_object_new_object();
	json_add_u64(o, "samples", h->n);
	json_add_u64(o, "negative", h->negative);
	add_i64(o, "min", h->min);
	add_i64(o, "mean", h->sum / (int64_t)h->n);
	for (size_t i = 0; i < sizeof(p) / sizeof(p[0]); i++) {
		add_i64(o, p[i].name, hd_pm_hist_percentile(h, p[i].percent, &half));
		most = half > most ? half : most;
	}
	add_i64(o, "max", h->max);
	add_i64(o, "resolution", most);
	if (known)
		add_i64(o, "uncertainty", most + own_error(&r->s, dir) + clock);
	json_object_object_add(top, name, o);
}

static void add_clock(struct json_object *o, const struct hd_api_pm_session_state *s, bool loopback)
{
	char text[160];
	int64_t ns;
	bool known = clock_error(s, &ns), hw = (s->flags & HD_PM_ST_RX_HW) != 0;

	json_add_str(
		o, "timestamps",
		hw ? "sent: by software, as packets are written; received: by the port's own clock" :
		     "software: packets written and sent in one walk of the graph, taken from the "
		     "device in bursts");
	json_add_str(o, "transmit-source", "software");
	json_add_str(o, "receive-source", hw ? "hardware" : "software");
	if (s->offset_ns != 0) {
		struct json_object *k = json_object_new_object();

		add_i64(k, "offset", s->offset_ns);
		add_i64(k, "uncertainty", s->offset_error_ns);
		json_object_object_add(o, "calibration", k);
	}
	if (loopback || s->peer_error == 0)
		return;
	if (known)
		snprintf(text, sizeof(text), "both synchronised to UTC, within %.3f ms together",
			 (double)ns / 1e6);
	else
		snprintf(text, sizeof(text), "not synchronised: %s",
			 (s->own_error & STAMP_ERR_S) != 0  ? "the reflector's" :
			 (s->peer_error & STAMP_ERR_S) != 0 ? "this node's" :
							      "neither of them");
	json_add_str(o, "clock", text);
}

static void add_types(struct json_object *o, const char *name, uint32_t types)
{
	static const char *const names[] = {
		"0",    "padding",          "location",    "timestamp",
		"cos",  "direct",           "access",      "follow-up",
		"hmac", "destination-node", "return-path", "micro-session"
	};
	char text[200] = "";
	size_t n = 0;

	for (unsigned i = 1; i < sizeof(names) / sizeof(names[0]); i++)
		if ((types >> i & 1) != 0 && n < sizeof(text))
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n > 0 ? " " : "",
					      names[i]);
	if (n > 0)
		json_add_str(o, name, text);
}

/* RFC 8972 sections 5.4, 5.5. */
static void add_timestamp_info(struct json_object *o, const struct hd_api_pm_session_state *s)
{
	static const char
		*const source[] = { "?", "NTP", "PTP", "SSU/BITS", "GNSS", "free running" },
		       *const method[] = { "?", "hardware", "software", "control plane" };
	char text[80];

	snprintf(text, sizeof(text), "clock %s, in by %s, out by %s",
		 source[s->sync_in < 6 ? s->sync_in : 0],
		 method[s->method_in < 4 ? s->method_in : 0],
		 method[s->method_out < 4 ? s->method_out : 0]);
	json_add_str(o, "reflector-timestamps", text);
}

static void add_tlvs(struct json_object *o, const struct hd_api_pm_session_state *s)
{
	add_types(o, "tlv-used", s->tlv_used);
	add_types(o, "tlv-unknown", s->tlv_unknown);
	if (s->tlv_integrity || s->tlv_malformed)
		json_add_str(o, "tlv-problem",
			     s->tlv_integrity ? "the integrity check failed" : "malformed");
	if ((s->tlv_used >> STAMP_TLV_COS & 1) != 0)
		json_add_bool(o, "reply-dscp-refused", s->cos_refused != 0);
	if ((s->tlv_used >> STAMP_TLV_DIRECT & 1) != 0) {
		json_add_u32(o, "reflector-received", s->direct[1]);
		json_add_u32(o, "reflector-sent", s->direct[2]);
	}
	if ((s->tlv_used >> STAMP_TLV_TIMESTAMP & 1) != 0)
		add_timestamp_info(o, s);
	if (s->follow_up_ns != 0)
		add_i64(o, "follow-up", s->follow_up_ns);
	if ((s->flags & HD_PM_ST_SSID0) != 0)
		json_add_bool(o, "ssid-unknown", true);
	if (s->rx_ttl != 0)
		json_add_u32(o, "received-hop-limit", s->rx_ttl);
}

static void add_counts(struct json_object *o, const struct hd_pm_counts *c)
{
	char text[32];

	json_add_u64(o, "sent", c->sent);
	json_add_u64(o, "received", c->received);
	json_add_u64(o, "lost", c->lost);
	if (c->received + c->lost > 0) {
		snprintf(text, sizeof(text), "%.6f",
			 (double)c->lost / (double)(c->received + c->lost));
		json_add_str(o, "loss-ratio", text);
	}
	json_add_u64(o, "late", c->late);
	json_add_u64(o, "duplicates", c->duplicate);
	json_add_u64(o, "reordered", c->reordered);
	json_add_u64(o, "blocks", c->blocks);
	json_add_u64(o, "severe-loss-blocks", c->severe);
	json_add_u64(o, "clock-steps", c->clock_steps);
	if (c->ipdv_n > 0) {
		add_i64(o, "ipdv-mean", (int64_t)(c->ipdv_sum / c->ipdv_n));
		add_i64(o, "ipdv-min", c->ipdv_min);
		add_i64(o, "ipdv-max", c->ipdv_max);
	}
}

void pm_result_json(struct json_object *o, const struct pm_result *r, bool loopback)
{
	const struct hd_pm_counts *c = &r->s.c;
	char text[32];

	json_add_time_ns(o, "start", r->s.start_ns);
	snprintf(text, sizeof(text), "%.3f",
		 r->s.end_ns > r->s.start_ns ? (double)(r->s.end_ns - r->s.start_ns) / 1e9 : 0);
	json_add_str(o, "seconds", text);
	add_counts(o, c);
	if (c->lost_bwd != 0) {
		json_add_u64(o, "lost-backward", c->lost_bwd);
		json_add_u64(o, "lost-forward", c->lost > c->lost_bwd ? c->lost - c->lost_bwd : 0);
	}
	if (r->d[HD_PM_RTT].n > 0)
		add_i64(o, "variation",
			hd_pm_hist_percentile(&r->d[HD_PM_RTT], 99.9, NULL) - r->d[HD_PM_RTT].min);
	add_clock(o, &r->s, loopback);
	add_delay(o, "round-trip", r, HD_PM_RTT);
	add_delay(o, "forward", r, HD_PM_FWD);
	add_delay(o, "backward", r, HD_PM_BWD);
	add_tlvs(o, &r->s);
}
