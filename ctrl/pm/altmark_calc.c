/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/pm/altmark_calc.h"

#include <string.h>

void altmark_series_put(struct altmark_series *s, const struct hd_api_altmark_block *b)
{
	s->kept[b->block % ALTMARK_KEPT] = *b;
}

void altmark_series_known(struct altmark_series *s, uint32_t period_ms, uint64_t lo, uint64_t hi)
{
	if (lo > hi)
		return;
	if (s->period_ms != period_ms || lo > s->until + 1 || hi < s->from) {
		s->period_ms = period_ms;
		s->from = lo;
	} else if (hi < s->until) {
		return;
	}
	s->until = hi;
	if (s->until - s->from >= ALTMARK_KEPT)
		s->from = s->until - ALTMARK_KEPT + 1;
}

const struct hd_api_altmark_block *altmark_series_get(const struct altmark_series *s,
						      uint64_t number)
{
	static const struct hd_api_altmark_block none = { .clock_error_ns = UINT64_MAX };
	const struct hd_api_altmark_block *b = &s->kept[number % ALTMARK_KEPT];

	if (s->period_ms == 0 || number < s->from || number > s->until)
		return NULL;
	return b->block == number ? b : &none;
}

struct altmark_result altmark_compare(const struct hd_api_altmark_block *from,
				      const struct hd_api_altmark_block *to)
{
	struct altmark_result r = { .sent = from->packets, .received = to->packets };

	/* With packets missing the mean would be about other packets on either side. */
	if (r.sent == r.received && r.sent != 0) {
		r.has_mean = true;
		r.mean_ns = (to->ts_sum_ns - from->ts_sum_ns) / (int64_t)r.sent;
	}
	/* RFC 9341 section 3.2.2: a block gives delays only when all its packets with D arrived. */
	if (from->d_n == to->d_n && from->d_n <= HD_ALTMARK_D_MAX) {
		r.n_delays = from->d_n;
		for (uint32_t i = 0; i < r.n_delays; i++)
			r.delay_ns[i] = to->d_ns[i] - from->d_ns[i];
	}
	if (from->clock_error_ns != UINT64_MAX && to->clock_error_ns != UINT64_MAX) {
		r.has_bound = true;
		r.bound_ns = from->clock_error_ns + to->clock_error_ns;
	}
	return r;
}

static void add(struct altmark_measure *m, const struct altmark_result *r)
{
	m->blocks++;
	m->sent += r->sent;
	m->received += r->received;
	if (r->sent > r->received)
		m->lost += r->sent - r->received;
	else
		m->surplus += r->received - r->sent;
	for (uint32_t i = 0; i < r->n_delays; i++) {
		if (m->n_delays == 0 || r->delay_ns[i] < m->delay_min_ns)
			m->delay_min_ns = r->delay_ns[i];
		if (m->n_delays == 0 || r->delay_ns[i] > m->delay_max_ns)
			m->delay_max_ns = r->delay_ns[i];
		m->delay_sum_ns += (double)r->delay_ns[i];
		m->n_delays++;
	}
}

void altmark_measure_run(struct altmark_measure *m, const struct altmark_series *from,
			 const struct altmark_series *to)
{
	uint64_t lo = from->from > to->from ? from->from : to->from;
	uint64_t hi = from->until < to->until ? from->until : to->until;

	if (from->period_ms == 0 || from->period_ms != to->period_ms)
		return;
	if (m->period_ms != from->period_ms) {
		memset(m, 0, sizeof(*m));
		m->period_ms = from->period_ms;
	}
	if (lo > hi || hi < m->next)
		return;
	if (m->next == 0)
		m->next = lo;
	if (lo > m->next) {
		m->unknown += lo - m->next;
		m->next = lo;
	}
	for (; m->next <= hi; m->next++) {
		struct altmark_result r = altmark_compare(altmark_series_get(from, m->next),
							  altmark_series_get(to, m->next));

		r.number = m->next;
		m->kept[m->next % ALTMARK_KEPT] = r;
		add(m, &r);
	}
}

const struct altmark_result *altmark_measure_get(const struct altmark_measure *m, uint64_t number)
{
	const struct altmark_result *r = &m->kept[number % ALTMARK_KEPT];

	return m->next != 0 && number < m->next && r->number == number ? r : NULL;
}
