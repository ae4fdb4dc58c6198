/* SPDX-License-Identifier: BSD-3-Clause
 * What a Session-Reflector does with each TLV (RFC 8972 sections 4.1 to 4.7, RFC 9503). */
#ifndef PIPELINES_PM_REFLECT_TLV_H
#define PIPELINES_PM_REFLECT_TLV_H

#include "pipelines/pm/reflect.h"

/* One packet's TLVs. */
struct reflect_tlv {
	const struct reflector *r;
	struct reflector_state *st; /* or NULL */
	const struct stamp_rx *rx;
	struct stamp_reply *reply;
	const struct stamp_tlv *hmac; /* the one that is ours to answer, or NULL */
	uint32_t rx_count,
		tx_count; /* packets of the session, this request and its reply included */
	bool path_seen;   /* only the first Return Path counts */
	bool hmac_reached, no_reply;
};

/* Answer one TLV whose value lies in the packet.  Returns its flags in the reply: 0, U or M. */
uint8_t reflect_tlv(struct reflect_tlv *x, struct stamp_tlv *t);

#endif
