/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/srv6/csid.h"

#include <errno.h>
#include <string.h>

typedef unsigned __int128 u128; /* an address as a number: bit 127 is the first on the wire */

static u128 load(const uint8_t a[16])
{
	u128 v = 0;

	for (int i = 0; i < 16; i++)
		v = v << 8 | a[i];
	return v;
}

static void store(uint8_t a[16], u128 v)
{
	for (int i = 15; i >= 0; i--, v >>= 8)
		a[i] = (uint8_t)v;
}

static u128 low_bits(unsigned n)
{
	return n >= 128 ? ~(u128)0 : ((u128)1 << n) - 1;
}

/* Bits [from, from + n) of v, counted from the first on the wire. */
static u128 bits(u128 v, unsigned from, unsigned n)
{
	return v >> (128 - from - n) & low_bits(n);
}

static const struct csid_block *block_of(u128 v, const struct csid_block *block, unsigned n)
{
	const struct csid_block *best = NULL;

	for (unsigned i = 0; i < n; i++)
		if (bits(v ^ load(block[i].prefix), 0, block[i].len) == 0 &&
		    (best == NULL || best->len < block[i].len))
			best = &block[i];
	return best;
}

/* How many CSIDs a SID of the block consists of; 0: it cannot be compressed.  A CSID of 0 would end the container. */
static unsigned csids_of(const struct csid_block *b, u128 v)
{
	unsigned most = b->replace ? 1 : (128u - b->len) / b->csid_len, k;

	for (k = 1; k <= most; k++) {
		if (bits(v, b->len + (k - 1) * b->csid_len, b->csid_len) == 0)
			return 0;
		if ((v & low_bits(128u - b->len - k * b->csid_len)) == 0)
			return k;
	}
	return 0;
}

struct out {
	uint8_t (*entry)[16];
	unsigned n, cap;
};

static int put(struct out *o, u128 v)
{
	if (o->n == o->cap)
		return -E2BIG;
	store(o->entry[o->n++], v);
	return 0;
}

/* SIDs from at on as one container of NEXT-CSID.  Returns how many were taken. */
static unsigned pack_next(const struct csid_block *b, const uint8_t (*sid)[16], unsigned n,
			  const struct csid_block *block, unsigned n_blocks, struct out *o, int *rc)
{
	u128 v = load(sid[0]);
	unsigned used = b->len + csids_of(b, v) * b->csid_len, taken = 1;

	for (; taken < n; taken++) {
		u128 s = load(sid[taken]);
		unsigned k = block_of(s, block, n_blocks) == b ? csids_of(b, s) : 0;
		unsigned len = k * b->csid_len;

		if (k == 0 || used + len > 128)
			break;
		v |= bits(s, b->len, len) << (128 - used - len);
		used += len;
	}
	*rc = put(o, v);
	return taken;
}

/* A series of REPLACE-CSID: the first SID, then containers of `slots` CSIDs, filled from the lowest slot. */
static int put_series(const struct csid_block *b, const uint8_t (*sid)[16], unsigned n,
		      struct out *o)
{
	unsigned slots = 128u / b->csid_len;
	int rc = put(o, load(sid[0]));

	for (unsigned i = 1; rc == 0 && i < n; i += slots) {
		u128 v = 0;

		for (unsigned k = 0; k < slots && i + k < n; k++)
			v |= bits(load(sid[i + k]), b->len, b->csid_len)
			     << (128 - (slots - k) * b->csid_len);
		rc = put(o, v);
	}
	return rc;
}

/* A series of `run` SIDs; `more`: other SIDs follow.  What follows must come behind a container that ends early (slot
 * 0 above its last CSID), or it would be taken for a container itself. */
static int pack_series(const struct csid_block *b, const uint8_t (*sid)[16], unsigned run,
		       bool more, struct out *o)
{
	unsigned slots = 128u / b->csid_len, split;
	int rc;

	if (!more || (run > 1 && (run - 1) % slots != 0))
		return put_series(b, sid, run, o);
	split = run >= 4 && (run - 3) % slots != 0 ? run - 2 : 0;
	if (split == 0)
		return -EINVAL;
	rc = put_series(b, sid, split, o);
	return rc == 0 ? put_series(b, sid + split, 2, o) : rc;
}

int csid_compress(const uint8_t (*sid)[16], unsigned n, const struct csid_block *block,
		  unsigned n_blocks, uint8_t (*ret)[16], unsigned cap, unsigned *ret_n,
		  unsigned *ret_at)
{
	struct out o = { .entry = ret, .cap = cap };
	unsigned i = 0, run;
	int rc = 0;

	while (rc == 0 && i < n) {
		u128 v = load(sid[i]);
		const struct csid_block *b = block_of(v, block, n_blocks);

		if (b == NULL || csids_of(b, v) == 0) {
			rc = put(&o, v);
			i++;
		} else if (!b->replace) {
			i += pack_next(b, sid + i, n - i, block, n_blocks, &o, &rc);
		} else {
			for (run = 1; i + run < n; run++) {
				u128 s = load(sid[i + run]);

				if (block_of(s, block, n_blocks) != b || csids_of(b, s) == 0)
					break;
			}
			rc = pack_series(b, sid + i, run, i + run < n, &o);
			*ret_at = i + run - 1;
			i += run;
		}
	}
	if (rc == 0)
		*ret_n = o.n;
	return rc;
}
