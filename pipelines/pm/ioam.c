/* SPDX-License-Identifier: BSD-3-Clause
 * Node data of a trace (RFC 9197 section 4.4). */
#include "pipelines/pm/ioam.h"

#include <string.h>

#define NTP_1970 2208988800u /* seconds from 1900 to 1970 */

void ioam_time(enum hd_ioam_time format, const struct ioam_hop *hop, uint32_t *ret_seconds,
	       uint32_t *ret_fraction)
{
	uint64_t s = hop->rx_ns / 1000000000u;
	uint32_t ns = (uint32_t)(hop->rx_ns % 1000000000u);

	switch (format) {
	case HD_IOAM_NTP:
		*ret_seconds = (uint32_t)(s + NTP_1970);
		*ret_fraction = (uint32_t)(((uint64_t)ns << 32) / 1000000000u);
		break;
	case HD_IOAM_POSIX:
		*ret_seconds = (uint32_t)s;
		*ret_fraction = ns / 1000;
		break;
	default: /* PTP, truncated */
		*ret_seconds = (uint32_t)(s + (uint64_t)(int64_t)hop->tai_s);
		*ret_fraction = ns;
		break;
	}
}

unsigned ioam_words(const struct hd_api_ioam_ns *ns, uint32_t type)
{
	return ioam_node_words(type) + ((type & IOAM_T_OPAQUE) != 0 ? 1 + ns->opaque_len / 4u : 0);
}

static uint32_t short_id(uint32_t id)
{
	return id == UINT32_MAX ? 0xffff : id & 0xffff;
}

static uint8_t *put_opaque(uint8_t *p, const struct hd_api_ioam_ns *ns)
{
	p = wire_add32(p, (uint32_t)(ns->opaque_len / 4) << 24 | (ns->schema & 0xffffff));
	memcpy(p, ns->opaque, ns->opaque_len);
	return p + ns->opaque_len;
}

unsigned ioam_node_write(uint8_t *to, const struct hd_api_ioam_ns *ns, uint32_t type,
			 const struct ioam_hop *hop)
{
	uint32_t seconds, fraction;
	uint8_t *p = to;

	ioam_time((enum hd_ioam_time)ns->time_format, hop, &seconds, &fraction);
	if (type & IOAM_T_HOP)
		p = wire_add32(p, (uint32_t)hop->hop_limit << 24 | (ns->node_id & 0xffffff));
	if (type & IOAM_T_IFACE)
		p = wire_add32(p, short_id(hop->ingress) << 16 | short_id(hop->egress));
	if (type & IOAM_T_SECONDS)
		p = wire_add32(p, seconds);
	if (type & IOAM_T_FRACTION)
		p = wire_add32(p, fraction);
	if (type & IOAM_T_DELAY) /* it is still to be spent here */
		p = wire_add32(p, UINT32_MAX);
	if (type & IOAM_T_NS)
		p = wire_add32(p, ns->ns_data);
	if (type & IOAM_T_QUEUE)
		p = wire_add32(p, hop->queue);
	if (type & IOAM_T_CHECKSUM)
		p = wire_add32(p, UINT32_MAX);
	if (type & IOAM_T_HOP_WIDE)
		p = wire_add64(p, (uint64_t)hop->hop_limit << 56 |
					  (ns->node_id_wide & 0xffffffffffffffull));
	if (type & IOAM_T_IFACE_WIDE) {
		p = wire_add32(p, hop->ingress);
		p = wire_add32(p, hop->egress);
	}
	if (type & IOAM_T_NS_WIDE)
		p = wire_add64(p, ns->ns_wide);
	if (type & IOAM_T_BUFFER)
		p = wire_add32(p, UINT32_MAX);
	for (int i = __builtin_popcount(type & IOAM_T_UNDEFINED); i > 0; i--)
		p = wire_add32(p, UINT32_MAX);
	if (type & IOAM_T_OPAQUE)
		p = put_opaque(p, ns);
	return (unsigned)(p - to);
}

enum ioam_added ioam_trace_add(uint8_t *trace, unsigned len, const struct hd_api_ioam_ns *ns,
			       const struct ioam_hop *hop)
{
	struct ioam_option o = { .type = IOAM_PREALLOCATED, .p = trace, .len = len };
	struct ioam_trace t;
	unsigned words;

	if (ioam_trace_parse(&o, &t) < 0)
		return IOAM_MALFORMED;
	words = ioam_words(ns, t.type);
	if ((t.flags & IOAM_F_OVERFLOW) != 0)
		return IOAM_OVERFLOW;
	if (words == 0)
		return IOAM_MALFORMED;
	if (t.free_words < words) {
		trace[2] |= IOAM_F_OVERFLOW >> 1; /* flags lie across octets 2 and 3 */
		return IOAM_OVERFLOW;
	}
	ioam_node_write(trace + IOAM_TRACE_HDR + 4 * (t.free_words - words), ns, t.type, hop);
	trace[3] = (uint8_t)((trace[3] & 0x80) | (t.free_words - words));
	return IOAM_ADDED;
}
