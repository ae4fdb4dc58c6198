/* SPDX-License-Identifier: BSD-3-Clause
 * IP-layer capacity in the graph: a test from beginning to end with both roles on one node, and a responder that is
 * spoken to by hand.  The bed is that of bed.h. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/debug_api.h"
#include "heddle/api/pm.h"
#include "heddle/api/pm_capacity.h"
#include "heddle/wire/capacity.h"
#include "pipelines/pm/tests/bed.h"

#define PORT 50865u

static void up(void)
{
	bed_start("2001:db8:f::/48");
	bed_drain();
}
TestSuite(pm_capacity_node, .init = up, .fini = hx_stop);

/* No packet buffer is left behind. */
static void no_leak(void)
{
	hx_turn();
	while (hx_tx(A, frame, sizeof(frame)) != 0)
		;
	cr_assert_eq(hx_mbufs_in_use(), 0);
}

static void put6(uint8_t to[16], const char *text)
{
	struct ip6_addr a = pktb_addr6(text);

	memcpy(to, &a, 16);
}

static int responder(const char *source, uint8_t len, uint32_t key)
{
	struct hd_api_pm_capacity_responder m = { .responder_id = 1,
						  .udp_port = PORT,
						  .key_id = key,
						  .max_kbps = 100000,
						  .max_ms = 10000,
						  .n_sources = 1 };

	m.source[0].family = 6;
	m.source[0].len = len;
	put6(m.source[0].addr, source);
	return hx_set(HD_API_PM_CAPACITY_RESPONDER, &m, sizeof(m));
}

static struct hd_api_pm_capacity ask(uint32_t kbps)
{
	struct hd_api_pm_capacity m = {
		.command = HD_PM_CAPACITY_START,
		.size = 1250,
		.max_kbps = kbps,
		.duration_ms = 500,
		.sub_ms = 250,
		.feedback_ms = 20,
		.seq_errors = 10,
		.bad_reports = 3,
		.fast_rows = 10,
		.low_us = 300000, /* a shared machine takes a worker away for a while */
		.high_us = 900000,
		.stop_ms = 1000
	};

	m.path.family = 6;
	m.path.dst_port = PORT;
	put6(m.path.src, "2001:db8:a::9");
	put6(m.path.dst, "2001:db8:a::9");
	return m;
}

static struct hd_api_pm_capacity_state state;
static struct hd_api_pm_capacity_sub sub[8];
static struct hd_api_pm_capacity_served served;
static unsigned n_sub, n_rates;

static void keep(void *arg, uint16_t type, const void *body, size_t size)
{
	(void)arg;
	if (type == HD_API_PM_CAPACITY && size == sizeof(state))
		memcpy(&state, body, size);
	else if (type == HD_API_PM_CAPACITY_SUB && size == sizeof(sub[0]) && n_sub < 8)
		memcpy(&sub[n_sub++], body, size);
	else if (type == HD_API_PM_CAPACITY_RATES)
		n_rates += ((const struct hd_api_pm_capacity_rates *)body)->n;
	else if (type == HD_API_PM_CAPACITY_SERVED && size == sizeof(served))
		memcpy(&served, body, size);
	else
		cr_assert_fail("message of type %#x and %zu octets", type, size);
}

static int tell(const struct hd_api_pm_capacity *m, const char **text)
{
	static struct hd_api_reply reply;

	memset(&reply, 0, sizeof(reply));
	n_sub = n_rates = 0;
	int rc = debug_request(HD_API_PM_CAPACITY, m, m != NULL ? sizeof(*m) : 0, -1, keep, NULL,
			       &reply);
	if (text != NULL)
		*text = reply.text;
	return rc;
}

static void run(unsigned ms)
{
	for (unsigned i = 0; i < ms * 20; i++) {
		hx_turn();
		usleep(50);
		tell(NULL, NULL);
		if (state.phase == HD_PM_CAPACITY_DONE)
			return;
	}
}

/* ---- both roles ------------------------------------------------------------------------------------------------ */

static void from_start_to_end(uint32_t key)
{
	struct hd_api_pm_capacity m = ask(4000);
	const char *text;

	m.path.key_id = key;
	cr_assert_eq(tell(&m, &text), 0, "%s", text);
	cr_assert_eq(tell(&m, &text), -EBUSY);
	cr_assert(strstr(text, "one at a time") != NULL);
	run(4000);
	cr_assert_eq(state.phase, HD_PM_CAPACITY_DONE);
	cr_assert_eq(state.result, HD_PM_CAPACITY_OK, "result %u, %lu sent, %lu received",
		     state.result, state.sent, state.received);
	cr_assert_eq(n_sub, 2);
	cr_assert_eq(state.granted_kbps, 4000);
	cr_assert_eq(state.top_kbps, 4000,
		     "the fast step stops at the highest row that is allowed");
	cr_assert_gt(state.limit_reached, 0);
	cr_assert_gt(n_rates, 5);
	for (unsigned i = 0; i < n_sub; i++) {
		cr_assert_eq(sub[i].index, i);
		cr_assert_eq(sub[i].us, 250000);
		cr_assert_eq(sub[i].lost + sub[i].reordered + sub[i].duplicates, 0);
		cr_assert_eq(sub[i].octets, sub[i].packets * 1250ul);
		cr_assert_leq(sub[i].octets * 8000 / sub[i].us, 4400, "never above its row");
	}
	cr_assert_eq(served.tests, 1);
	cr_assert_leq(served.packets, state.sent);
	cr_assert_eq(served.running, 0, "STOP has ended it");
	no_leak();
}

Test(pm_capacity_node, from_start_to_end)
{
	cr_assert_eq(responder("2001:db8:a::", 64, 0), 0, "%s", hx_error());
	from_start_to_end(0);
	/* what the responder sent is not more than it got */
	cr_assert_gt(served.octets,
		     served.feedbacks * (40 + 8 + CAPACITY_BODY_MAX + CAPACITY_HMAC_LEN));
}

Test(pm_capacity_node, authenticated)
{
	struct hd_api_pm_key k = { .key_id = 1, .len = 3, .secret = "abc" };

	cr_assert_eq(hx_set(HD_API_PM_KEY, &k, sizeof(k)), 0);
	cr_assert_eq(responder("2001:db8:a::", 64, 1), 0, "%s", hx_error());
	from_start_to_end(1);
	cr_assert_eq(hx_verdict("capacity-receive", "bad-hmac"), 0);
}

Test(pm_capacity_node, without_the_key_nobody_answers)
{
	struct hd_api_pm_capacity m = ask(4000);
	struct hd_api_pm_key k = { .key_id = 1, .len = 3, .secret = "abc" };

	cr_assert_eq(hx_set(HD_API_PM_KEY, &k, sizeof(k)), 0);
	cr_assert_eq(responder("2001:db8:a::", 64, 1), 0, "%s", hx_error());
	cr_assert_eq(tell(&m, NULL), 0);
	run(4000);
	cr_assert_eq(state.result, HD_PM_CAPACITY_NO_ANSWER);
	cr_assert_eq(hx_verdict("capacity-receive", "bad-hmac"), 8, "asked so often");
	cr_assert_eq(served.packets, 0);
}

Test(pm_capacity_node, ended_by_hand)
{
	struct hd_api_pm_capacity m = ask(4000), end = { .command = HD_PM_CAPACITY_END };

	m.duration_ms = 10000;
	cr_assert_eq(responder("2001:db8:a::", 64, 0), 0, "%s", hx_error());
	cr_assert_eq(tell(&m, NULL), 0);
	for (unsigned i = 0; i < 2000 && state.sent < 3; i++) {
		hx_turn();
		usleep(100);
		tell(NULL, NULL);
	}
	cr_assert_eq(tell(&end, NULL), 0);
	run(500);
	cr_assert_eq(state.result, HD_PM_CAPACITY_ENDED);
	uint64_t sent = state.sent;
	usleep(20000);
	hx_turn();
	tell(NULL, NULL);
	cr_assert_eq(state.sent, sent);
}

Test(pm_capacity_node, limits)
{
	static const struct {
		size_t at;
		uint32_t value;
		const char *words;
	} bad[] = {
		{ offsetof(struct hd_api_pm_capacity, max_kbps), 10000001, "10 Gbit/s" },
		{ offsetof(struct hd_api_pm_capacity, duration_ms), 60250, "60 s" },
		{ offsetof(struct hd_api_pm_capacity, duration_ms), 600, "whole" },
		{ offsetof(struct hd_api_pm_capacity, sub_ms), 100, "250 ms" },
		{ offsetof(struct hd_api_pm_capacity, feedback_ms), 10, "20 to 250" },
		{ offsetof(struct hd_api_pm_capacity, size), 1701, "1700" },
		{ offsetof(struct hd_api_pm_capacity, bad_reports), 1, "2 consecutive" },
		{ offsetof(struct hd_api_pm_capacity, stop_ms), 31000, "30 s" },
		{ offsetof(struct hd_api_pm_capacity, low_us), 950000, "threshold" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct hd_api_pm_capacity m = ask(4000);
		const char *text;

		memcpy((char *)&m + bad[i].at, &bad[i].value, 4);
		cr_assert_eq(tell(&m, &text), -EINVAL, "%s", bad[i].words);
		cr_assert(strstr(text, bad[i].words) != NULL, "%s", text);
	}
}

/* ---- a responder, spoken to by hand ---------------------------------------------------------------------------- */

static struct capacity_msg got;

/* From 2001:db8:a::1 port 40000; what comes back is in `got`.  Returns octets of the IP packet that came, 0: none. */
static unsigned say(const char *from, struct capacity_msg *m, unsigned len)
{
	uint8_t p[1500] = { 0 };
	char text[200];
	struct pktb k;
	size_t n;

	m->length = (uint16_t)len;
	capacity_build(p, m);
	snprintf(text, sizeof(text), ETH "ip6 %s 2001:db8:a::9 64 / udp 40000 %u / fill %u", from,
		 PORT, len);
	pktb_parse(&k, text);
	memcpy(k.payload, p, len);
	pktb_finish(&k);
	hx_rx(A, k.buf, k.len);
	for (unsigned i = 0; i < 3; i++)
		hx_turn();
	n = hx_tx(A, frame, sizeof(frame));
	if (n == 0)
		return 0;
	cr_assert_eq(capacity_parse(frame + 62, n - 62, &got), 0);
	return (unsigned)n - 14;
}

static struct capacity_msg request(uint64_t test)
{
	return (struct capacity_msg){ .type = CAPACITY_REQUEST,
				      .test = test,
				      .u.setup = { .max_kbps = 1000000,
						   .duration_ms = 5000,
						   .sub_ms = 1000,
						   .feedback_ms = 20,
						   .size = 1250 } };
}

Test(pm_capacity_node, what_a_responder_takes)
{
	struct capacity_msg m = request(7), load = { .type = CAPACITY_LOAD, .test = 7 }, other;

	cr_assert_eq(responder("2001:db8:a::1", 128, 0), 0, "%s", hx_error());
	cr_assert_eq(say("2001:db8:a::2", &m, 64), 0, "not among those who may ask");
	cr_assert_eq(hx_verdict("capacity-receive", "source"), 1);
	cr_assert_eq(say("2001:db8:a::1", &load, 1202), 0, "load before a request");
	cr_assert_eq(hx_verdict("capacity-receive", "no-test"), 1);
	m.u.setup.duration_ms = 10001;
	cr_assert_eq(say("2001:db8:a::1", &m, 64), 112, "an answer as long as what asked for it");
	cr_assert_eq(got.u.setup.answer, CAPACITY_TOO_LONG);
	cr_assert_eq(got.u.setup.duration_ms, 10000);
	m = request(7);
	m.u.setup.feedback_ms = 5;
	cr_assert_eq(say("2001:db8:a::1", &m, 64), 112);
	cr_assert_eq(got.u.setup.answer, CAPACITY_INVALID);
	m = request(7);
	cr_assert_eq(say("2001:db8:a::1", &m, 64), 112);
	cr_assert_eq(got.type, CAPACITY_ACCEPT);
	cr_assert_eq(got.u.setup.answer, CAPACITY_YES);
	cr_assert_eq(got.u.setup.max_kbps, 100000, "not more than the responder's own");
	cr_assert_eq(got.test, 7);
	uint64_t cookie = got.cookie;
	cr_assert_neq(cookie, 0);
	cr_assert_eq(say("2001:db8:a::1", &m, 64), 112, "the answer was lost");
	cr_assert_eq(got.cookie, cookie);
	/* without the cookie no load, wherever it comes from */
	load.cookie = cookie + 1;
	cr_assert_eq(say("2001:db8:a::1", &load, 1202), 0);
	cr_assert_eq(hx_verdict("capacity-receive", "no-test"), 2);
	load.cookie = cookie;
	cr_assert_eq(say("2001:db8:a::2", &load, 1202), 0);
	cr_assert_eq(hx_verdict("capacity-receive", "no-test"), 3);
	cr_assert_eq(say("2001:db8:a::1", &load, 1202), 0, "no feedback before its interval");
	cr_assert_eq(hx_verdict("capacity-receive", "counted"), 1);
	other = request(8);
	cr_assert_eq(say("2001:db8:a::1", &other, 64), 112, "one at a time");
	cr_assert_eq(got.u.setup.answer, CAPACITY_BUSY);
	usleep(25000);
	load.seq = 2;
	cr_assert_eq(say("2001:db8:a::1", &load, 1202), 40 + 8 + 160);
	cr_assert_eq(got.type, CAPACITY_FEEDBACK);
	cr_assert_eq(got.cookie, cookie);
	cr_assert_eq(got.seq, 0);
	/* whether the second packet is in it depends on what the walk did first; of both messages it is in one */
	uint32_t lost = got.u.feedback.interval.lost;
	uint64_t octets = got.u.feedback.interval.octets;
	usleep(25000);
	hx_turn();
	cr_assert_eq(hx_tx(A, frame, sizeof(frame)), 14 + 40 + 8 + 160);
	cr_assert_eq(capacity_parse(frame + 62, 160, &got), 0);
	cr_assert_eq(got.seq, 1);
	cr_assert_eq(lost + got.u.feedback.interval.lost, 1);
	cr_assert_eq(octets + got.u.feedback.interval.octets, 2 * 1250);
	cr_assert_eq(got.u.feedback.highest, 2);
	cr_assert_eq(got.u.feedback.packets, 2);
	m = (struct capacity_msg){ .type = CAPACITY_STOP, .test = 7, .cookie = cookie };
	say("2001:db8:a::1", &m, 64);
	cr_assert_eq(say("2001:db8:a::1", &load, 1202), 0, "it has ended");
	cr_assert_eq(hx_verdict("capacity-receive", "no-test"), 4);
	no_leak();
}

Test(pm_capacity_node, sends_no_more_than_it_gets)
{
	struct capacity_msg m = request(7), load = { .type = CAPACITY_LOAD, .test = 7 };
	unsigned out, in, n;

	cr_assert_eq(responder("2001:db8:a::1", 128, 0), 0, "%s", hx_error());
	out = say("2001:db8:a::1", &m, 64);
	load.cookie = got.cookie;
	in = 112;
	/* the shortest load there is, and much time */
	for (unsigned i = 0; i < 30; i++, load.seq++) {
		out += say("2001:db8:a::1", &load, 64);
		in += 112;
		cr_assert_leq(out, in, "%u out, %u in after %u", out, in, i);
		usleep(25000);
	}
	tell(NULL, NULL);
	cr_assert_gt(served.feedbacks, 10, "but it does send");
	/* the load ends: for a second the responder goes on, within the same bounds, and then is free */
	for (unsigned i = 0; i < 60; i++) {
		hx_turn();
		while ((n = (unsigned)hx_tx(A, frame, sizeof(frame))) != 0)
			out += n - 14;
		usleep(20000);
	}
	cr_assert_leq(out, in);
	tell(NULL, NULL);
	cr_assert_eq(served.running, 0, "load packet timeout (RFC 9097 table 1)");
}

Test(pm_capacity_node, load_above_the_grant_is_not_counted)
{
	struct capacity_msg m = request(7), load = { .type = CAPACITY_LOAD, .test = 7 };

	m.u.setup.max_kbps = 500;
	cr_assert_eq(responder("2001:db8:a::1", 128, 0), 0, "%s", hx_error());
	cr_assert_neq(say("2001:db8:a::1", &m, 64), 0);
	load.cookie = got.cookie;
	/* a quarter of a second of 500 kbit/s is 12 packets of 1250 octets */
	for (unsigned i = 0; i < 200; i++, load.seq++)
		say("2001:db8:a::1", &load, 1202);
	cr_assert_geq(hx_verdict("capacity-receive", "counted"), 12);
	cr_assert_leq(hx_verdict("capacity-receive", "counted"), 100, "of 200 that came at once");
	cr_assert_eq(hx_verdict("capacity-receive", "counted") +
			     hx_verdict("capacity-receive", "rate"),
		     200);
}

Test(pm_capacity_node, malformed)
{
	struct capacity_msg m = request(7);
	struct pktb k;

	cr_assert_eq(responder("2001:db8:a::1", 128, 0), 0, "%s", hx_error());
	pktb_parse(&k, ETH "ip6 2001:db8:a::1 2001:db8:a::9 64 / udp 40000 50865 / fill 63");
	pktb_finish(&k);
	hx_rx(A, k.buf, k.len);
	pktb_parse(&k, ETH "ip6 2001:db8:a::1 2001:db8:a::9 64 / udp 40000 50865 / fill 64");
	pktb_finish(&k);
	hx_rx(A, k.buf, k.len);
	hx_turn();
	cr_assert_eq(hx_verdict("capacity-receive", "truncated"), 1);
	cr_assert_eq(hx_verdict("capacity-receive", "version"), 1);
	m.length = 64;
	capacity_build(k.payload, &m);
	pktb_finish(&k);
	k.payload[40] ^= 1;
	hx_rx(A, k.buf, k.len);
	hx_turn();
	cr_assert_eq(hx_verdict("capacity-receive", "bad-checksum"), 1);
	cr_assert_eq(hx_tx(A, frame, sizeof(frame)), 0, "no answer to any of them");
	no_leak();
}

Test(pm_capacity_node, responders_that_are_refused)
{
	struct hd_api_pm_capacity_responder m = {
		.responder_id = 1, .udp_port = PORT, .max_kbps = 1000, .max_ms = 1000
	};
	struct hd_api_pm_reflector r = { .udp_port = PORT, .flags = HD_PM_F_UNPROVISIONED };

	cr_assert_eq(hx_set(HD_API_PM_CAPACITY_RESPONDER, &m, sizeof(m)), -EINVAL,
		     "nobody may ask: nothing to serve");
	cr_assert_eq(responder("2001:db8:a::1", 129, 0), -EINVAL);
	cr_assert_eq(responder("2001:db8:a::1", 128, 1), -ENOENT, "no such key");
	cr_assert_eq(hx_set(HD_API_PM_REFLECTOR, &r, sizeof(r)), 0);
	cr_assert_eq(responder("2001:db8:a::1", 128, 0), -EADDRINUSE);
}
