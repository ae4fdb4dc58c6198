/* SPDX-License-Identifier: BSD-3-Clause
 * Adding up what workers have counted of a block. */
#include "pipelines/pm/altmark.h"

/* In order; those that do not fit are only counted. */
static void d_insert(struct hd_api_altmark_block *b, unsigned have, int64_t ns)
{
	unsigned i = have < HD_ALTMARK_D_MAX ? have : HD_ALTMARK_D_MAX;

	for (; i > 0 && b->d_ns[i - 1] > ns; i--)
		if (i < HD_ALTMARK_D_MAX)
			b->d_ns[i] = b->d_ns[i - 1];
	if (i < HD_ALTMARK_D_MAX)
		b->d_ns[i] = ns;
}

void altmark_sum(const struct altmark_cell *c, struct hd_api_altmark_block *ret)
{
	struct altmark_cell seen;

	if (__atomic_load_n(&c->block, __ATOMIC_ACQUIRE) != ret->block)
		return;
	seen = *c;
	if (__atomic_load_n(&c->block, __ATOMIC_ACQUIRE) !=
	    ret->block) /* overtaken: too late to read it */
		return;
	ret->packets += seen.packets;
	ret->octets += seen.octets;
	ret->ts_sum_ns += seen.ts_sum_ns;
	for (unsigned i = 0; i < seen.d_n && i < HD_ALTMARK_D_MAX; i++)
		d_insert(ret, ret->d_n + i, seen.d_ns[i]);
	ret->d_n += seen.d_n;
}
