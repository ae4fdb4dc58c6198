/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages of a capacity test: any octets as one of them, and load packets as one receiver counts them.  Input: whole
 * messages, each behind 2 octets of length. */
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"

#include "pipelines/pm/capacity_count.h"
#include "pipelines/pm/capacity_rate.h"

static const struct capacity_rate_conf conf = { .top = 1090,
						.high = CAPACITY_ROW_HIGH,
						.fast = 10,
						.seq_errors = 10,
						.bad_reports = 3,
						.low_ns = 30,
						.high_ns = 90,
						.feedback_ns = 50,
						.stop_ns = 1000 };

static void take(struct capacity_count *c, struct capacity_rate *r, const struct capacity_msg *m,
		 uint64_t now)
{
	const struct capacity_tally *t = &m->u.feedback.interval;
	uint64_t packets = c->packets;
	struct capacity_tally own;

	if (m->type == CAPACITY_FEEDBACK) {
		capacity_rate_feedback(r, &conf, t->lost + t->reordered, t->delay_max, now);
		fuzz_assert(r->row <= conf.top);
		fuzz_assert(capacity_rate_due(r, &conf) > now);
	} else if (m->type == CAPACITY_LOAD) {
		capacity_count_load(c, m->seq, m->length, m->u.load.tx_ns, now);
		fuzz_assert(c->packets - packets <= 1 && c->begun);
		if (m->seq & 1) {
			capacity_count_take(c, now, &own);
			fuzz_assert(own.delay_min <= own.delay_max);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct capacity_count c;
	struct capacity_rate r;
	uint64_t now = 1000;

	capacity_count_init(&c, 1000);
	capacity_rate_init(&r, now);
	for (size_t at = 0; at + 2 <= size; now += 7) {
		size_t len = wire_get16(data + at);
		struct capacity_msg m;
		uint8_t again[CAPACITY_BODY_MAX];

		at += 2;
		len = len < size - at ? len : size - at;
		if (capacity_parse(data + at, len, &m) == 0) {
			fuzz_assert(m.length == len &&
				    capacity_build(again, &m) + CAPACITY_HMAC_LEN <= len);
			fuzz_assert(memcmp(again, data + at, 8) == 0);
			take(&c, &r, &m, now);
		}
		at += len;
	}
	return 0;
}
