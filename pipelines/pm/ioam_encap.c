/* SPDX-License-Identifier: BSD-3-Clause
 * Options as an encapsulating node makes them: all but what differs from packet to packet. */
#include "pipelines/pm/ioam_encap.h"

#include <string.h>

/* Type, length, reserved, IOAM type; then the namespace.  data: octets from the namespace on. */
static uint8_t *begin(uint8_t *buf, uint8_t opt, enum ioam_type type, unsigned data, uint32_t ns)
{
	memset(buf, 0, 4 + data);
	buf[0] = opt;
	buf[1] = (uint8_t)(2 + data);
	buf[3] = (uint8_t)type;
	wire_put16(buf + 4, (uint16_t)ns);
	return buf + 4;
}

/* Room for one node of the encapsulating node's kind: an opaque snapshot has the length it has there, at least a
 * header. */
static unsigned room_words(const struct hd_api_ioam_encap *e)
{
	const struct hd_api_ioam_ns *ns = ioam_ns_get((uint16_t)e->ns);
	struct hd_api_ioam_ns none = { .ns = e->ns };

	return e->nodes * ioam_words(ns != NULL ? ns : &none, e->trace_type);
}

unsigned ioam_trace_option(uint8_t *buf, const struct hd_api_ioam_encap *e)
{
	unsigned words = room_words(e), data = IOAM_TRACE_HDR + 4 * words, flags = 0;
	uint8_t *p;

	if (words == 0 || words > 127 || 4 + data > SRV6_EXTRA_MAX)
		return 0;
	if (e->flags & HD_IOAM_E_LOOPBACK)
		flags |= IOAM_F_LOOPBACK;
	if (e->flags & HD_IOAM_E_ACTIVE)
		flags |= IOAM_F_ACTIVE;
	p = begin(buf, IOAM_OPT_MUTABLE, IOAM_PREALLOCATED, data, e->ns);
	wire_put16(p + 2, (uint16_t)(ioam_node_words(e->trace_type) << 11 | flags << 7 | words));
	wire_put32(p + 4, e->trace_type << 8);
	return 4 + data;
}

unsigned ioam_dex_option(uint8_t *buf, const struct hd_api_ioam_encap *e)
{
	uint8_t *p = begin(buf, IOAM_OPT_FIXED, IOAM_DIRECT_EXPORT, IOAM_DEX_HDR + 8, e->ns);

	p[3] = IOAM_DEX_FLOW | IOAM_DEX_SEQ;
	wire_put32(p + 4, e->trace_type << 8);
	wire_put32(p + 8, e->flow_id);
	return 4 + IOAM_DEX_HDR + 8;
}

unsigned ioam_e2e_option(uint8_t *buf, const struct hd_api_ioam_encap *e)
{
	unsigned data = IOAM_E2E_HDR + 4u * (unsigned)__builtin_popcount(e->e2e_type) +
			((e->e2e_type & IOAM_E2E_SEQ64) != 0 ? 4 : 0);
	uint8_t *p = begin(buf, IOAM_OPT_FIXED, IOAM_EDGE, data, e->ns);

	wire_put16(p + 2, (uint16_t)e->e2e_type);
	return 4 + data;
}
