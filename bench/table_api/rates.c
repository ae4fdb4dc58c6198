/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-bench table-api: objects a second of each kind, with no packets about.  In a round all kinds are set, then
 * replayed as they are (what a reconciling control process does), then deleted in the opposite order. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/table_api/table_api.h"
#include "heddle/api/api.h"
#include "heddle/api/l2.h"

static int value_order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

struct ta_band ta_band(double *v, uint32_t n)
{
	qsort(v, n, sizeof(*v), value_order);
	return (struct ta_band){ v[0], v[n / 2], v[n - 1] };
}

/* A port that neither brings nor takes packets, and an interface on it. */
static size_t make_port(uint32_t i, void *to)
{
	struct hd_api_port m = { .port_id = i + 1,
				 .name = "bench",
				 .devargs = "net_null_bench,no-rx=1" };

	memcpy(to, &m, sizeof(m));
	return sizeof(m);
}

static size_t make_iface(uint32_t i, void *to)
{
	struct hd_api_iface m = { .iface_id = i + 1,
				  .name = "base",
				  .port_id = 1,
				  .mtu = 1500,
				  .mac = { 2, 0, 0, 0, 0, 1 },
				  .flags = HD_IFACE_F_UP };

	memcpy(to, &m, sizeof(m));
	return sizeof(m);
}

static const struct ta_kind base[] = { { "port", HD_API_PORT, 1, make_port },
				       { "interface", HD_API_IFACE, 1, make_iface } };

/* Objects a second; negative: refused. */
static double pass(const struct ta_dp *dp, const struct ta_kind *k, bool del)
{
	double all = 0;

	for (uint32_t i = 0; i < k->count; i += TA_PER_TXN) {
		uint32_t to = i + TA_PER_TXN < k->count ? i + TA_PER_TXN : k->count;
		double s = ta_transaction(dp, k, i, to, del);

		if (s < 0)
			return -1;
		all += s;
	}
	return k->count / all;
}

enum { SET, REPLAY, DEL, PASSES };

static int measure(const struct ta_dp *dp, uint32_t rounds, double (*rate)[PASSES][TA_ROUNDS_MAX])
{
	for (unsigned i = 0; i < 2; i++)
		if (ta_transaction(dp, &base[i], 0, 1, false) < 0)
			return -EINVAL;
	for (uint32_t r = 0; r < rounds; r++) {
		for (unsigned p = SET; p <= REPLAY; p++)
			for (size_t i = 0; i < TA_KINDS; i++)
				if ((rate[i][p][r] = pass(dp, &ta_kinds[i], false)) < 0)
					return -EINVAL;
		for (size_t i = TA_KINDS; i-- > 0;)
			if ((rate[i][DEL][r] = pass(dp, &ta_kinds[i], true)) < 0)
				return -EINVAL;
	}
	return 0;
}

int ta_rates_measure(const char *program, uint32_t rounds, struct ta_rates *ret)
{
	static double rate[TA_KINDS][PASSES][TA_ROUNDS_MAX];
	const char *options[32] = { "--power-save" };
	struct ta_dp dp;
	int rc;

	for (unsigned i = 0; ta_limits[i] != NULL; i++)
		options[i + 1] = ta_limits[i];
	rc = ta_dp_start(&dp, program, options);
	if (rc == 0)
		rc = measure(&dp, rounds, rate);
	ta_dp_stop(&dp);
	for (size_t i = 0; rc == 0 && i < TA_KINDS; i++)
		ret[i] = (struct ta_rates){ ta_band(rate[i][SET], rounds),
					    ta_band(rate[i][REPLAY], rounds),
					    ta_band(rate[i][DEL], rounds) };
	return rc;
}
