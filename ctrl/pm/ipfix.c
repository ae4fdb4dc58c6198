/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/pm/ipfix.h"

#include <errno.h>
#include <string.h>

#include "heddle/wire/ip6.h"

#define VERSION      10u
#define HEADER       16u
#define SET_TEMPLATE 2u
#define TEMPLATE_ID  256u
#define VARIABLE     65535u
#define NTP_1970     2208988800ull

static const struct {
	uint16_t element, size; /* IANA's IPFIX Information Elements */
} fields[] = {
	{ 27, 16 },        /* sourceIPv6Address */
	{ 28, 16 },        /* destinationIPv6Address */
	{ 31, 4 },         /* flowLabelIPv6 */
	{ 325, 8 },        /* observationTimeNanoseconds */
	{ 138, 8 },        /* observationPointId: the node id */
	{ 10, 4 },         /* ingressInterface */
	{ 14, 4 },         /* egressInterface */
	{ 192, 1 },        /* ipTTL */
	{ 313, VARIABLE }, /* ipHeaderPacketSection */
};
#define N_FIELDS     (sizeof(fields) / sizeof(fields[0]))
#define TEMPLATE_LEN (4u + 4 + 4 * (unsigned)N_FIELDS)
#define FIXED        (16u + 16 + 4 + 8 + 8 + 4 + 4 + 1)

static void begin(struct ipfix *x)
{
	uint8_t *p = x->buf + HEADER;

	p = wire_add16(p, SET_TEMPLATE);
	p = wire_add16(p, TEMPLATE_LEN);
	p = wire_add16(p, TEMPLATE_ID);
	p = wire_add16(p, N_FIELDS);
	for (size_t i = 0; i < N_FIELDS; i++) {
		p = wire_add16(p, fields[i].element);
		p = wire_add16(p, fields[i].size);
	}
	x->set = HEADER + TEMPLATE_LEN;
	x->len = x->set + 4;
	x->n = 0;
}

/* dateTimeNanoseconds is NTP's format (RFC 7011 section 6.1.9). */
static uint64_t ntp(uint64_t ns)
{
	return (ns / 1000000000u + NTP_1970) << 32 | ((ns % 1000000000u) << 32) / 1000000000u;
}

int ipfix_add(struct ipfix *x, const struct hd_api_ioam_record *r)
{
	unsigned head = r->head < HD_IOAM_HEAD ? r->head : HD_IOAM_HEAD;
	uint8_t addr[36] = { 0 }, *p; /* flow label, then the addresses at their place */

	if (x->len == 0)
		begin(x);
	if (x->len + FIXED + 3 + head > IPFIX_MESSAGE_MAX)
		return -ENOSPC;
	p = x->buf + x->len;
	if (head >= sizeof(struct ip6_fixed)) {
		memcpy(addr, r->data + 8, 32);
		wire_add32(addr + 32, wire_get32(r->data) & 0xfffff);
	}
	memcpy(p, addr, 36);
	p += 36;
	p = wire_add64(p, ntp(r->time_ns));
	p = wire_add64(p, r->node_id);
	p = wire_add32(p, r->ingress);
	p = wire_add32(p, r->egress);
	*p++ = r->hop_limit;
	if (head < 255) { /* RFC 7011 section 7 */
		*p++ = (uint8_t)head;
	} else {
		*p++ = 255;
		p = wire_add16(p, head);
	}
	memcpy(p, r->data, head);
	x->len = (size_t)(p + head - x->buf);
	x->n++;
	return 0;
}

size_t ipfix_finish(struct ipfix *x, uint32_t export_time)
{
	uint8_t *p = x->buf;

	if (x->len == 0)
		return 0;
	wire_add16(wire_add16(x->buf + x->set, TEMPLATE_ID), (unsigned)(x->len - x->set));
	p = wire_add16(p, VERSION);
	p = wire_add16(p, (unsigned)x->len);
	p = wire_add32(p, export_time);
	p = wire_add32(p, x->sequence);
	wire_add32(p, x->domain);
	return x->len;
}

void ipfix_next(struct ipfix *x)
{
	x->sequence += x->n;
	x->len = 0;
	x->n = 0;
}
