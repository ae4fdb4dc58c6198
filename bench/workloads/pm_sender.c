/* SPDX-License-Identifier: BSD-3-Clause
 * pm-sender: a STAMP Session-Sender of many sessions (flows), each to a host of its own, unauthenticated over IPv6: the
 * wheel, the packet, its route, and the sink.  pm-sender-replies: every packet is answered by the device, and its reply
 * taken in; what answering costs is a part of the floor.
 * Sessions want more than a worker can send (1000 packets per second each), so that there is always one due. */
#include <time.h>

#include "bench/workloads/pm.h"
#include "heddle/api/pm_session.h"
#include "pipelines/pm/sender.h"

#define SESSIONS   10000u
#define LOCAL_PORT 50862u
#define FLOWS_MAX  (HD_PM_SENDERS_MAX - HD_PM_ON_DEMAND - 1)
#define NTP_1970   2208988800u

static uint32_t next_seq[HD_PM_SENDERS_MAX];
static bool seen[HD_PM_SENDERS_MAX];

static void defaults(struct params *p)
{
	p->flows = SESSIONS;
}

static uint32_t sessions(const struct params *p)
{
	return p->flows < FLOWS_MAX ? p->flows : FLOWS_MAX;
}

/* A session's number is its SSID, and its flow's plus one. */
static void begin(const struct params *p)
{
	memset(seen, 0, sizeof(seen));
	for (uint32_t i = 0; i < sessions(p); i++) {
		struct hd_api_pm_session m = { .session_id = i + 1,
					       .interval_us = p->interval_us,
					       .timeout_ms = 100,
					       .src_port = LOCAL_PORT,
					       .dst_port = STAMP_PORT,
					       .ssid = (uint16_t)(i + 1),
					       .family = 6 };

		our_address(m.src);
		flow_src6(i, m.dst);
		world_set(HD_API_PM_SESSION, &m, sizeof(m));
	}
}

/* Of the same length as what is sent: for the floor. */
static uint32_t frame(const struct params *p, uint32_t flow, uint32_t size, uint8_t *to,
		      uint32_t *ret_fresh)
{
	uint8_t src[16], dst[16];

	(void)p;
	(void)size;
	our_address(src);
	flow_src6(flow, dst);
	frame_eth(to, 0x86dd);
	frame_ip6(to + 14, src, dst, PROTO_UDP, 8 + STAMP_OCTETS);
	return *ret_fresh = HEADERS + STAMP_OCTETS;
}

/* T1 is of this second or one beside it. */
static bool is_now(const uint8_t *ntp)
{
	uint32_t s = (uint32_t)get16(ntp) << 16 | get16(ntp + 2);
	uint32_t off = s - ((uint32_t)time(NULL) + NTP_1970) + 1;

	return off <= 2;
}

/* The packet that must have been sent, by the SSID of the one that was. */
static uint32_t expect(const struct params *p, uint32_t flow, const uint8_t *in, uint32_t len,
		       uint8_t *to, uint8_t *care)
{
	uint8_t src[16], dst[16], *stamp = to + HEADERS;
	const uint8_t *was = in + HEADERS;
	uint32_t id = get16(was + 14), seq = (uint32_t)get16(was) << 16 | get16(was + 2);

	(void)care;
	memset(to, 0, len);
	if (id == 0 || id > sessions(p))
		return 0;
	flow = id - 1;
	if (!seen[id]) /* verified packets may follow others */
		next_seq[id] = seq;
	seen[id] = true;
	our_address(src);
	flow_src6(flow, dst);
	frame_eth_out(to, p, 0, 0x86dd);
	frame_ip6(to + 14, src, dst, PROTO_UDP, 8 + STAMP_OCTETS);
	to[14 + 7] = 255;
	put16(to + 54, LOCAL_PORT);
	put16(to + 56, STAMP_PORT);
	put16(to + 58, 8 + STAMP_OCTETS);
	put32(stamp, next_seq[id]++);
	if (is_now(was + 4))
		memcpy(stamp + 4, was + 4, 8);
	if (was[13] !=
	    0) /* error estimate: NTP's format, multiplier not 0 (RFC 4656 section 4.1.2) */
		put16(stamp + 12, get16(was + 12) & ~0x4000u);
	put16(stamp + 14, id);
	put16(to + 60, udp6_sum(to + 14, 8 + STAMP_OCTETS));
	return HEADERS + STAMP_OCTETS;
}

/* A stateless reply whose times are all T1: the sum changes by what is copied. */
static void answer(uint8_t *f)
{
	uint8_t *stamp = f + HEADERS, addr[16], port[2];
	uint32_t s = ~get16(f + 60) & 0xffff;

	world_mac_in(f);
	memcpy(addr, f + 22, 16);
	memcpy(f + 22, f + 38, 16);
	memcpy(f + 38, addr, 16);
	memcpy(port, f + 54, 2);
	memcpy(f + 54, f + 56, 2);
	memcpy(f + 56, port, 2);
	memcpy(stamp + 16, stamp + 4, 8); /* T2 */
	memcpy(stamp + 24, stamp, 14);    /* sequence number, T1, error estimate */
	stamp[40] = 64;
	for (unsigned i = 16; i < 42; i += 2)
		s += get16(stamp + i);
	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	put16(f + 60, ~s & 0xffff);
}

/* All replies but those of the last walks are in, and nothing is wrong with any. */
static const char *judge(const struct params *p)
{
	static char said[160];
	struct sender_count all = { 0 };

	for (uint32_t i = 1; i <= sessions(p); i++) {
		const struct sender_count *c = &sender_counts[0][i];

		all.sent += c->sent;
		all.received += c->received;
		all.bad += c->lost + c->late + c->duplicate + c->bad + c->reordered;
	}
	snprintf(
		said, sizeof(said),
		"of %llu packets %llu replies were taken in, and %llu were lost, late, again or bad",
		(unsigned long long)all.sent, (unsigned long long)all.received,
		(unsigned long long)all.bad);
	return all.bad != 0 || all.received == 0 || all.received + 4 * p->burst < all.sent ? said :
											     NULL;
}

static struct workload pm_sender = {
	.name = "pm-sender",
	.help = "STAMP Session-Sender over IPv6: packets of so many sessions (flows)",
	.uses = " flows ",
	.defaults = defaults,
	.setup = route_to_flows,
	.frame = frame,
	.expect = expect,
	.begin = begin,
};
WORKLOAD(pm_sender)

static struct workload pm_sender_replies = {
	.name = "pm-sender-replies",
	.help = "the same, and every reply taken in",
	.uses = " flows ",
	.defaults = defaults,
	.setup = route_to_flows,
	.frame = frame,
	.expect = expect,
	.begin = begin,
	.answer = answer,
	.judge = judge,
};
WORKLOAD(pm_sender_replies)
