/* SPDX-License-Identifier: BSD-3-Clause
 * Form: version, flags, error estimates, the counters, then each distribution: its exact values, and pairs of
 * (distance to the bucket before, count).  All numbers are variable-length, 7 bits an octet, the lowest first. */
#include "ctrl/pm/bin.h"

#include <errno.h>
#include <string.h>

#define VERSION  1u
#define F_SYNCED 1u

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

struct out {
	uint8_t *p, *end;
	bool full;
};

static void put(struct out *o, uint64_t v)
{
	do {
		uint8_t octet = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));

		if (o->p == o->end) {
			o->full = true;
			return;
		}
		*o->p++ = octet;
		v >>= 7;
	} while (v != 0);
}

/* Small ones of either sign are short. */
static void put_signed(struct out *o, int64_t v)
{
	put(o, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

struct in {
	const uint8_t *p, *end;
	bool bad;
};

static uint64_t get(struct in *i)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (i->p == i->end)
			break;
		v |= (uint64_t)(*i->p & 0x7f) << shift;
		if ((*i->p++ & 0x80) == 0)
			return v;
	}
	i->bad = true;
	return 0;
}

static int64_t get_signed(struct in *i)
{
	uint64_t v = get(i);

	return (int64_t)(v >> 1 ^ -(v & 1));
}

/* ---- bins -------------------------------------------------------------------------------------------------------- */

static void put_hist(struct out *o, const struct hd_pm_hist *h)
{
	uint32_t n = 0, last = 0;

	put(o, h->n);
	if (h->n == 0)
		return;
	put(o, h->negative);
	put_signed(o, h->sum);
	put_signed(o, h->min);
	put_signed(o, h->max);
	for (uint32_t i = 0; i < HD_PM_HIST_BUCKETS; i++)
		n += h->bucket[i] != 0;
	put(o, n);
	for (uint32_t i = 0; i < HD_PM_HIST_BUCKETS; i++) {
		if (h->bucket[i] == 0)
			continue;
		put(o, i - last);
		put(o, h->bucket[i]);
		last = i;
	}
}

static void get_hist(struct in *in, struct hd_pm_hist *h)
{
	uint64_t n, at = 0;

	h->n = (uint32_t)get(in);
	if (h->n == 0)
		return;
	h->negative = (uint32_t)get(in);
	h->sum = get_signed(in);
	h->min = get_signed(in);
	h->max = get_signed(in);
	n = get(in);
	for (uint64_t i = 0; i < n && !in->bad; i++) {
		at += get(in);
		if (at >= HD_PM_HIST_BUCKETS) {
			in->bad = true;
			return;
		}
		h->bucket[at] = (uint32_t)get(in);
	}
}

#define COUNTS (sizeof(struct hd_pm_counts) / sizeof(uint64_t))

size_t pm_bin_encode(const struct pm_bin *b, uint8_t *buf, size_t cap)
{
	struct out o = { buf, buf + cap, false };
	uint64_t c[COUNTS];

	memcpy(c, &b->c, sizeof(c));
	put(&o, VERSION);
	put(&o, b->synced ? F_SYNCED : 0);
	put(&o, b->own_error);
	put(&o, b->peer_error);
	for (size_t i = 0; i < COUNTS; i++) /* ipdv_min and _max have a sign */
		put_signed(&o, (int64_t)c[i]);
	for (unsigned i = 0; i < HD_PM_DIRS; i++)
		put_hist(&o, &b->d[i]);
	return o.full ? 0 : (size_t)(o.p - buf);
}

int pm_bin_decode(const uint8_t *buf, size_t len, struct pm_bin *ret)
{
	struct in i = { buf, buf + len, false };
	uint64_t c[COUNTS], start = ret->start_ms, end = ret->end_ms;

	memset(ret, 0, sizeof(*ret));
	ret->start_ms = start;
	ret->end_ms = end;
	if (get(&i) != VERSION)
		return -EBADMSG;
	ret->synced = (get(&i) & F_SYNCED) != 0;
	ret->own_error = (uint32_t)get(&i);
	ret->peer_error = (uint32_t)get(&i);
	for (size_t k = 0; k < COUNTS; k++)
		c[k] = (uint64_t)get_signed(&i);
	memcpy(&ret->c, c, sizeof(c));
	for (unsigned k = 0; k < HD_PM_DIRS; k++)
		get_hist(&i, &ret->d[k]);
	return i.bad || i.p != i.end ? -EBADMSG : 0;
}

void pm_bin_merge(struct pm_bin *to, const struct pm_bin *from)
{
	struct hd_pm_counts *a = &to->c;
	const struct hd_pm_counts *b = &from->c;

	if (to->end_ms == 0) {
		*to = *from;
		return;
	}
	if (b->ipdv_n != 0 && (a->ipdv_n == 0 || b->ipdv_min < a->ipdv_min))
		a->ipdv_min = b->ipdv_min;
	if (b->ipdv_n != 0 && (a->ipdv_n == 0 || b->ipdv_max > a->ipdv_max))
		a->ipdv_max = b->ipdv_max;
	a->sent += b->sent;
	a->received += b->received;
	a->lost += b->lost;
	a->late += b->late;
	a->duplicate += b->duplicate;
	a->reordered += b->reordered;
	a->lost_bwd += b->lost_bwd;
	a->blocks += b->blocks;
	a->severe += b->severe;
	a->ipdv_n += b->ipdv_n;
	a->ipdv_sum += b->ipdv_sum;
	a->error_sum += b->error_sum;
	a->error_max = a->error_max > b->error_max ? a->error_max : b->error_max;
	a->clock_steps += b->clock_steps;
	for (unsigned i = 0; i < HD_PM_DIRS; i++)
		hd_pm_hist_merge(&to->d[i], &from->d[i]);
	to->own_error = from->own_error;
	to->peer_error = from->peer_error;
	to->synced = to->synced && from->synced;
	to->start_ms = from->start_ms < to->start_ms ? from->start_ms : to->start_ms;
	to->end_ms = from->end_ms > to->end_ms ? from->end_ms : to->end_ms;
}
