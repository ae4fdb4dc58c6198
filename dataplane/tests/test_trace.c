/* SPDX-License-Identifier: BSD-3-Clause
 * Packet trace: what the filter wants, the steps of every way out of the graph, and who may touch a slot when. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/debug_api.h"
#include "dataplane/meta.h"
#include "dataplane/punt.h"
#include "dataplane/tests/mini_graph.h"
#include "dataplane/trace.h"
#include "dataplane/worker.h"
#include "tests/harness.h"
#include "tests/pktb.h"

static struct hd_api_reply reply;

/* ---- the filter, without an engine ----------------------------------------------------------------------- */

struct row {
	char why[64], packet[160], prefix[48], sid[48];
	uint8_t plen, either;
	uint32_t iface;
	int want;
};

#define SRH_PKT "ip6 2001:db8::1 2001:db8:c::1 64 / srh 2001:db8:d::d,2001:db8:c::1 1 / udp 1 2"

ParameterizedTestParameters(trace_filter, rows)
{
	static struct row rows[] = {
		{ "no condition", "ip6 2001:db8::1 2001:db8:2::2 64 / udp 1 2", "", "", 0, 0, 0,
		  1 },
		{ "its interface", "ip6 2001:db8::1 2001:db8:2::2 64 / udp 1 2", "", "", 0, 0, 3,
		  1 },
		{ "another interface", "ip6 2001:db8::1 2001:db8:2::2 64 / udp 1 2", "", "", 0, 0,
		  4, 0 },
		{ "destination", "ip6 2001:db8::1 2001:db8:2::2 64 / udp 1 2", "2001:db8:2::", "",
		  48, 0, 0, 1 },
		{ "odd length", "ip6 2001:db8::1 2001:db8:2::2 64 / udp 1 2", "2001:db8:3::", "",
		  47, 0, 0, 1 },
		{ "odd length, no", "ip6 2001:db8::1 2001:db8:4::2 64 / udp 1 2",
		  "2001:db8:3::", "", 47, 0, 0, 0 },
		{ "source alone", "ip6 2001:db8::1 2001:db8:2::2 64 / udp 1 2", "2001:db8::1", "",
		  128, 0, 0, 0 },
		{ "either: source", "ip6 2001:db8::1 2001:db8:2::2 64 / udp 1 2", "2001:db8::1", "",
		  128, 1, 0, 1 },
		{ "IPv4 destination", "ip4 192.0.2.1 198.51.100.9 64 / udp 1 2", "198.51.100.0", "",
		  24, 0, 0, 1 },
		{ "IPv4, either: source", "ip4 192.0.2.1 198.51.100.9 64 / udp 1 2", "192.0.2.1",
		  "", 32, 1, 0, 1 },
		{ "family differs", "ip4 192.0.2.1 198.51.100.9 64 / udp 1 2", "2001:db8::", "", 0,
		  0, 0, 0 },
		{ "SID is the destination", "ip6 2001:db8::1 2001:db8:c::1 64 / udp 1 2", "",
		  "2001:db8:c::1", 0, 0, 0, 1 },
		{ "SID is listed", SRH_PKT, "", "2001:db8:d::d", 0, 0, 0, 1 },
		{ "SID is not there", SRH_PKT, "", "2001:db8:e::e", 0, 0, 0, 0 },
		{ "SID, IPv4", "ip4 192.0.2.1 198.51.100.9 64 / udp 1 2", "", "2001:db8:c::1", 0, 0,
		  0, 0 },
	};
	return cr_make_param_array(struct row, rows, sizeof(rows) / sizeof(rows[0]));
}

static struct hd_api_trace_filter filter_of(const struct row *r)
{
	struct hd_api_trace_filter f = { .iface_id = r->iface,
					 .plen = r->plen,
					 .either = r->either };

	if (r->prefix[0] != '\0') {
		f.family = strchr(r->prefix, ':') != NULL ? 6 : 4;
		if (f.family == 6) {
			struct ip6_addr a = pktb_addr6(r->prefix);
			memcpy(f.prefix, &a, 16);
		} else {
			be32_t a = pktb_addr4(r->prefix);
			memcpy(f.prefix, &a, 4);
		}
	}
	if (r->sid[0] != '\0') {
		struct ip6_addr a = pktb_addr6(r->sid);
		f.has_sid = 1;
		memcpy(f.sid, &a, 16);
	}
	return f;
}

ParameterizedTest(struct row *r, trace_filter, rows)
{
	struct hd_api_trace_filter f = filter_of(r);
	struct pktb b;

	pktb_parse(&b, r->packet);
	cr_assert_eq(trace_filter_match(&f, 3, 0, b.buf, b.len), r->want, "%s\n%s", r->why,
		     pktb_dump(&b));
	/* Cut anywhere: an answer, and nothing read beyond the end (the copy is of exactly that size). */
	for (size_t n = 0; n < b.len; n++) {
		uint8_t *p = malloc(n == 0 ? 1 : n);
		memcpy(p, b.buf, n);
		trace_filter_match(&f, 3, 0, p, n);
		free(p);
	}
}

Test(trace_filter, session)
{
	struct hd_api_trace_filter f = { .session_id = 9 };
	uint8_t ip[40] = { 0x60 };

	cr_assert_eq(trace_filter_match(&f, 1, 9, ip, sizeof(ip)), 1);
	cr_assert_eq(trace_filter_match(&f, 1, 8, ip, sizeof(ip)), 0);
}

/* ---- through the graph ----------------------------------------------------------------------------------- */

TestSuite(trace, .init = hx_start_default, .fini = hx_stop);

static void start(uint32_t max_packets)
{
	struct hd_api_trace_start s = { .max_packets = max_packets };

	cr_assert_eq(mini_request(HD_API_TRACE_START, &s, sizeof(s), -1, &reply), 0, "%s",
		     reply.text);
}

static void send_one(uint8_t hop_limit)
{
	uint8_t buf[256];
	size_t n = mini_frame(buf, sizeof(buf), hop_limit);

	hx_rx(1, buf, n);
}

static unsigned read_trace(void)
{
	cr_assert_eq(mini_request(HD_API_TRACE_READ, NULL, 0, -1, &reply), 0, "%s", reply.text);
	return mini_n_answers;
}

static const struct hd_api_trace_packet *packet(unsigned i)
{
	cr_assert_eq(mini_answers[i].type, HD_API_TRACE_PACKET);
	cr_assert_eq(mini_answers[i].size, sizeof(struct hd_api_trace_packet));
	return (const void *)mini_answers[i].body;
}

/* "eth-input:ip6 ip6-lookup:forward port-tx" */
static const char *way(const struct hd_api_trace_packet *p)
{
	static char text[1024];
	size_t at = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < p->n_steps; i++) {
		const struct hd_api_trace_step *s = &p->step[i];

		at += (size_t)snprintf(
			text + at, sizeof(text) - at, "%s%s%s%s", i ? " " : "",
			mini_node_name(s->node), s->verdict == 0xffff ? "" : ":",
			s->verdict == 0xffff ? "" : mini_verdict_name(s->verdict_vec, s->verdict));
	}
	return text;
}

Test(trace, forwarded)
{
	uint8_t buf[256];
	size_t n = mini_frame(buf, sizeof(buf), 64);

	hx_port();
	start(4);
	hx_rx(1, buf, n);
	cr_assert_eq(read_trace(), 0, "still in the graph");
	hx_turn();
	cr_assert_eq(read_trace(), 1);
	const struct hd_api_trace_packet *p = packet(0);
	cr_assert_str_eq(way(p), "eth-input:ip6 ip6-lookup:forward port-tx");
	cr_assert_eq(p->iface_id, 1);
	cr_assert_eq(p->steps_lost, 0);
	cr_assert_eq(p->step[0].length, n, "eth-input: the frame");
	cr_assert_arr_eq(p->step[0].head, buf, n);
	cr_assert_eq(p->step[1].length, n - 14, "ip6-lookup: the IPv6 packet");
	cr_assert_arr_eq(p->step[1].head, buf + 14, n - 14);
	cr_assert_eq(p->step[1].head_len, n - 14);
	cr_assert_eq(p->step[1].vrf_id, MINI_VRF);
	cr_assert_eq(p->step[0].result, 0);
	cr_assert_eq(p->step[1].result, MINI_RESULT);
	cr_assert_leq(p->step[0].tsc_delta, p->step[1].tsc_delta);
	time_t age = time(NULL) - (time_t)(p->time_ns / 1000000000ull);
	cr_assert(age >= -1 && age <= 2, "ingress %ld s ago", (long)age);
	cr_assert_eq(read_trace(), 0, "each packet is read once");
}

Test(trace, other_ends)
{
	hx_port();
	start(10);
	send_one(0);
	send_one(1);
	send_one(2);
	hx_turn();
	cr_assert_eq(read_trace(), 3);
	cr_assert_str_eq(way(packet(0)), "eth-input:ip6 ip6-lookup:no-route drop");
	cr_assert_str_eq(
		way(packet(1)),
		"eth-input:ip6 ip6-lookup:hop-limit icmp-error:sent ip6-lookup:forward port-tx",
		"the error in the same buffer stays in the trace");
	cr_assert_str_eq(way(packet(2)), "eth-input:ip6 ip6-lookup:to-ctrl punt:no-reason drop");
}

static unsigned punted;
static void take(struct rte_mbuf *m, void *arg)
{
	(void)arg;
	punted++;
	/* Long after: the control thread sends it on, with whatever its metadata says. */
	rte_pktmbuf_prepend(m, 14);
	inject(m, INJECT_ETH_INPUT);
}

static void start_with_punt(void)
{
	mini_punt = (uint8_t)punt_reason_register("test", "for the test", 1000, 1000, take, NULL);
	hx_start_default();
}
TestSuite(trace_punt, .init = start_with_punt, .fini = hx_stop);

Test(trace_punt, ends_at_punt)
{
	hx_port();
	start(1);
	send_one(2);
	worker_turn(workers[0]);
	cr_assert_eq(read_trace(), 1);
	cr_assert_str_eq(way(packet(0)), "eth-input:ip6 ip6-lookup:to-ctrl punt");
	start(1); /* a new trace while the packet is with the control thread */
	punt_poll();
	cr_assert_eq(punted, 1);
	worker_turn(workers[0]);
	punt_poll();
	cr_assert_eq(read_trace(), 1, "met again, it is a packet like any other");
	cr_assert_str_eq(way(packet(0)), "eth-input:ip6 ip6-lookup:to-ctrl punt");
}

Test(trace, a_slot_of_another_walk_is_not_written)
{
	struct rte_mbuf *m = packet_alloc();
	uint8_t buf[256];
	size_t n = mini_frame(buf, sizeof(buf), 64);

	hx_port();
	start(2);
	send_one(0);
	hx_turn();
	/* A packet that carries the mark of the first slot, in a later walk. */
	memcpy(rte_pktmbuf_append(m, (uint16_t)n), buf, n);
	meta(m)->port = 1;
	meta(m)->trace = 1;
	inject(m, INJECT_PORT_TX);
	for (uint16_t gen = 0; gen < 32; gen++) {
		m = packet_alloc();
		memcpy(rte_pktmbuf_append(m, (uint16_t)n), buf, n);
		meta(m)->port = 1;
		meta(m)->trace = (uint16_t)(gen << 11 | 1);
		inject(m, INJECT_PORT_TX);
	}
	hx_turn();
	cr_assert_eq(read_trace(), 1);
	cr_assert_str_eq(way(packet(0)), "eth-input:ip6 ip6-lookup:no-route drop");
}

/* The control thread comes while the packet is in the graph: it must not see half of a packet. */
static void read_in_mid_walk(void)
{
	cr_assert_eq(read_trace(), 0, "its walk has not ended");
}

Test(trace, not_read_before_its_walk_has_ended)
{
	hx_port();
	start(1);
	mini_hook = read_in_mid_walk;
	send_one(6);
	hx_turn();
	cr_assert_eq(read_trace(), 1);
	cr_assert_str_eq(way(packet(0)), "eth-input:ip6 ip6-lookup:forward port-tx");
}

Test(trace, steps_beyond_the_room_are_counted)
{
	hx_port();
	start(1);
	send_one(3);
	hx_turn();
	cr_assert_eq(read_trace(), 1);
	cr_assert_eq(packet(0)->n_steps, HD_TRACE_STEPS_MAX);
	/* eth-input, ip6-lookup ten times, bounce nine times, drop */
	cr_assert_eq(packet(0)->n_steps + packet(0)->steps_lost, 21);
	cr_assert_str_eq(
		mini_verdict_name(packet(0)->step[15].verdict_vec, packet(0)->step[15].verdict),
		"bounce", "the last step kept is not overwritten by later ones of the same node");
}

Test(trace, ends_after_max_packets)
{
	hx_port();
	start(3);
	for (unsigned i = 0; i < 5; i++)
		send_one(64);
	hx_turn();
	cr_assert_eq(read_trace(), 3);
	cr_assert_eq(workers[0]->watch, 0, "nothing is paid any more");
	send_one(64);
	hx_turn();
	cr_assert_eq(read_trace(), 0);
}

Test(trace, stop_and_filter)
{
	struct hd_api_trace_start s = { .filter = { .family = 6, .plen = 48 }, .max_packets = 5 };
	struct ip6_addr a = pktb_addr6("2001:db8:3::");

	hx_port();
	memcpy(s.filter.prefix, &a, 16);
	cr_assert_eq(mini_request(HD_API_TRACE_START, &s, sizeof(s), -1, &reply), 0);
	send_one(64);
	hx_turn();
	cr_assert_eq(read_trace(), 0, "2001:db8:2::2 is not in the prefix");
	start(5);
	send_one(64);
	hx_turn();
	cr_assert_eq(mini_request(HD_API_TRACE_STOP, NULL, 0, -1, &reply), 0);
	cr_assert_eq(workers[0]->watch, 0);
	send_one(64);
	hx_turn();
	cr_assert_eq(read_trace(), 1, "what was traced before the stop");
}

Test(trace, refusals)
{
	struct hd_api_trace_start s = { .max_packets = 0 };

	cr_assert_eq(mini_request(HD_API_TRACE_READ, NULL, 0, -1, &reply), -ENOENT);
	cr_assert_eq(mini_request(HD_API_TRACE_START, &s, sizeof(s), -1, &reply), -EINVAL);
	s.max_packets = 1025;
	cr_assert_eq(mini_request(HD_API_TRACE_START, &s, sizeof(s), -1, &reply), -EINVAL);
	s = (struct hd_api_trace_start){ .max_packets = 1, .filter = { .family = 4, .plen = 33 } };
	cr_assert_eq(mini_request(HD_API_TRACE_START, &s, sizeof(s), -1, &reply), -EINVAL);
	cr_assert_neq(reply.text[0], '\0');
	cr_assert_eq(reply.error, EINVAL);
	/* A request that is too short is too few packets; one with a tail we do not know is refused. */
	cr_assert_eq(mini_request(HD_API_TRACE_START, &s, 4, -1, &reply), -EINVAL);
	struct {
		struct hd_api_trace_start s;
		uint32_t tail;
	} longer = { .s = { .max_packets = 1 } };
	cr_assert_eq(mini_request(HD_API_TRACE_START, &longer, sizeof(longer), -1, &reply), 0);
	longer.tail = 1;
	cr_assert_eq(mini_request(HD_API_TRACE_START, &longer, sizeof(longer), -1, &reply), -E2BIG);
}
