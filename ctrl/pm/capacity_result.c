/* SPDX-License-Identifier: BSD-3-Clause
 * What the numbers of a capacity test mean.  Bare section numbers mean RFC 9097. */
#include <stdio.h>

#include "ctrl/pm/capacity.h"
#include "heddle/wire/capacity.h"

#define TOO_LATE 50u /* one in so many packets not sent in time: this node was the limit */

uint32_t capacity_sub_kbps(uint64_t octets, uint32_t us)
{
	return us != 0 ? (uint32_t)(octets * 8000 / us) : 0;
}

double capacity_sub_loss(const struct hd_api_pm_capacity_sub *s)
{
	uint64_t all = (uint64_t)s->packets + s->lost;

	return all != 0 ? (double)s->lost / (double)all : 0;
}

bool capacity_sub_meets(const struct hd_api_pm_capacity *ask,
			const struct hd_api_pm_capacity_sub *s)
{
	return s->packets != 0 && capacity_sub_loss(s) * 1e6 <= (double)ask->loss_ppm &&
	       s->delay_max - s->delay_min <= ask->range_us * 1000ull;
}

const struct hd_api_pm_capacity_sub *capacity_best(const struct hd_api_pm_capacity *ask,
						   const struct hd_api_pm_capacity_sub *s,
						   unsigned n, bool meeting)
{
	const struct hd_api_pm_capacity_sub *best = NULL;

	for (unsigned i = 0; i < n; i++)
		if ((best == NULL || s[i].octets > best->octets) &&
		    (!meeting || capacity_sub_meets(ask, &s[i])))
			best = &s[i];
	return best;
}

enum capacity_limit capacity_limited_by(const struct hd_api_pm_capacity_state *s)
{
	bool granted_less = s->granted_kbps < s->ask.max_kbps;
	uint32_t most = granted_less ? s->granted_kbps : s->ask.max_kbps;

	if (s->skipped * TOO_LATE > s->sent + s->skipped)
		return CAPACITY_BY_SENDER;
	/* a step of the table below the most: the next one would be above it */
	if (s->limit_reached != 0 && s->kbps == s->top_kbps && s->kbps <= most)
		return granted_less ? CAPACITY_BY_RESPONDER : CAPACITY_BY_MAXIMUM;
	return s->downs + s->holds + s->backoffs != 0 ? CAPACITY_BY_PATH : CAPACITY_BY_TIME;
}

static void refusal(const struct hd_api_pm_capacity_state *s, char *buf, size_t size)
{
	switch (s->answer) {
	case CAPACITY_BUSY:
		snprintf(buf, size,
			 "the responder serves another test (RFC 9097 section 8.3: one at a time); "
			 "again in a minute");
		break;
	case CAPACITY_TOO_LONG:
		snprintf(buf, size,
			 "the responder serves tests of %.0f s at most: --duration %.0fs",
			 s->granted_ms / 1e3, s->granted_ms / 1e3);
		break;
	default:
		snprintf(buf, size,
			 "the responder does not serve a test of these parameters; leave them at "
			 "what they are by default");
	}
}

void capacity_reason(const struct hd_api_pm_capacity_state *s, char *buf, size_t size)
{
	buf[0] = '\0';
	if (s->phase != HD_PM_CAPACITY_DONE)
		return;
	switch (s->result) {
	case HD_PM_CAPACITY_NO_ANSWER:
		snprintf(
			buf, size,
			"no answer from UDP port %u: is pm/capacity-responder enabled there, with this "
			"node's address in allowed-source and the same key?",
			s->ask.path.dst_port);
		break;
	case HD_PM_CAPACITY_REFUSED:
		refusal(s, buf, size);
		break;
	case HD_PM_CAPACITY_NO_LOAD:
		snprintf(
			buf, size,
			"the test was granted, but no load packet of %u octets was ever reported: is the "
			"path's MTU smaller?  Try a lower --size",
			s->ask.size);
		break;
	case HD_PM_CAPACITY_SILENT:
		snprintf(
			buf, size,
			"no feedback for %u ms, so the load was stopped (RFC 9097 section 8.1): did the "
			"path, or the way back, fail?",
			s->ask.stop_ms);
		break;
	case HD_PM_CAPACITY_ENDED:
		snprintf(buf, size, "ended before its time, as asked for");
		break;
	default:
		break;
	}
}
