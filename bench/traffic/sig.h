/* SPDX-License-Identifier: BSD-3-Clause
 * The signature: the last 18 octets of every test packet's payload.
 *
 * It stands at the tail so that a system under test may add, remove or change any header.  The one's complement sum of
 * its nine 16-bit words is always 0xffff, that is zero: `check` sees to it.  So every checksum over it stays the same
 * whatever number and time it carries, and is computed once, when the frame is built; and a receiver tells a signature
 * from chance octets by tag and sum, 32 bits. */
#ifndef BENCH_TRAFFIC_SIG_H
#define BENCH_TRAFFIC_SIG_H

#include "heddle/wire/wire.h"

#define SIG_LEN     18u
#define SIG_PADDING 64u /* octets behind the signature that a link may have added */

struct sig {
	uint16_t tag; /* of this trial; other trials have other ones, see sig_find() */
	uint16_t flow;
	uint32_t seq; /* of the flow in this trial, from 0 */
	uint64_t tsc; /* when it was handed to the driver */
};

static inline void sig_write(uint8_t *to, const struct sig *s)
{
	wire_put16(to, s->tag);
	wire_put16(to + 2, s->flow);
	wire_put32(to + 4, s->seq);
	wire_put64(to + 8, s->tsc);
	be16_t check = hd_csum(to, 16);

	memcpy(to + 16, &check, 2);
}

/* Signature at p: its sum is right and its tag lies at most `trials` behind `tag`. */
static inline bool sig_read(const uint8_t *p, uint16_t tag, uint16_t trials, struct sig *ret)
{
	uint16_t t = wire_get16(p);

	if ((uint16_t)(tag - t) > trials || !hd_csum_ok(hd_csum_add(0, p, SIG_LEN)))
		return false;
	*ret = (struct sig){ t, wire_get16(p + 2), wire_get32(p + 4), wire_get64(p + 8) };
	return true;
}

/* The signature of a frame of len octets: at its end, or behind it up to SIG_PADDING octets of padding.
 * trials: how many earlier trials are recognised too (ret->tag tells). */
static inline bool sig_find(const uint8_t *frame, size_t len, uint16_t tag, uint16_t trials,
			    struct sig *ret)
{
	for (size_t pad = 0; pad <= SIG_PADDING && len >= SIG_LEN + pad; pad++)
		if (sig_read(frame + len - pad - SIG_LEN, tag, trials, ret))
			return true;
	return false;
}

#endif
