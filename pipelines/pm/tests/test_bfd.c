/* SPDX-License-Identifier: BSD-3-Clause
 * BFD: the state machine by rows of RFC 5880, timers, packets, and sessions in the graph.
 *
 *   peer 192.0.2.1, 2001:db8:a::1 -- [if 1: .9, ::9] Heddle [if 2: 2001:db8:b::9] -- 2001:db8:b::1, fc00::/16 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/debug_api.h"
#include "heddle/api/bfd.h"
#include "heddle/wire/srh.h"
#include "heddle/wire/udp.h"
#include "pipelines/pm/bfd.h"
#include "pipelines/pm/wheel.h"
#include "pipelines/pm/tests/bed.h"

static const struct bfd_conf conf10 = {
	.discr = 7, .min_tx_us = 10000, .min_rx_us = 10000, .mult = 3
};

static struct bfd_packet from_peer(uint8_t state, uint32_t your)
{
	return (struct bfd_packet){ .state = state,
				    .mult = 3,
				    .my_discr = 99,
				    .your_discr = your,
				    .min_tx_us = 20000,
				    .min_rx_us = 15000 };
}

/* ---- the state machine ----------------------------------------------------------------------------------------- */

struct fsm_row {
	char why[64];
	uint8_t state, received, want, diag;
};
ParameterizedTestParameters(bfd, transitions)
{
	static struct fsm_row rows[] = {
		{ "Down, Down", BFD_DOWN, BFD_DOWN, BFD_INIT, 0 },
		{ "Down, Init", BFD_DOWN, BFD_INIT, BFD_UP, 0 },
		{ "Down, Up: stays", BFD_DOWN, BFD_UP, BFD_DOWN, 0 },
		{ "Down, AdminDown: stays", BFD_DOWN, BFD_ADMIN_DOWN, BFD_DOWN, 0 },
		{ "Init, Down: stays", BFD_INIT, BFD_DOWN, BFD_INIT, 0 },
		{ "Init, Init", BFD_INIT, BFD_INIT, BFD_UP, 0 },
		{ "Init, Up", BFD_INIT, BFD_UP, BFD_UP, 0 },
		{ "Init, AdminDown", BFD_INIT, BFD_ADMIN_DOWN, BFD_DOWN, BFD_DIAG_NEIGHBOR_DOWN },
		{ "Up, Down", BFD_UP, BFD_DOWN, BFD_DOWN, BFD_DIAG_NEIGHBOR_DOWN },
		{ "Up, Init: stays", BFD_UP, BFD_INIT, BFD_UP, 0 },
		{ "Up, Up: stays", BFD_UP, BFD_UP, BFD_UP, 0 },
		{ "Up, AdminDown", BFD_UP, BFD_ADMIN_DOWN, BFD_DOWN, BFD_DIAG_NEIGHBOR_DOWN },
		{ "AdminDown takes nothing", BFD_ADMIN_DOWN, BFD_UP, BFD_ADMIN_DOWN,
		  BFD_DIAG_ADMIN_DOWN },
	};
	return cr_make_param_array(struct fsm_row, rows, sizeof(rows) / sizeof(rows[0]));
}
ParameterizedTest(struct fsm_row *r, bfd, transitions)
{
	struct bfd_conf c = conf10;
	struct bfd_packet p = from_peer(r->received, 7);
	struct bfd_session s;

	c.admin_down = r->state == BFD_ADMIN_DOWN;
	bfd_init(&s, &c);
	s.state = r->state;
	cr_assert_eq(bfd_receive(&s, &c, &p), r->state != r->want, "%s", r->why);
	cr_assert_eq(s.state, r->want, "%s: %u", r->why, s.state);
	cr_assert_eq(s.diag, r->diag, "%s: diagnostic %u", r->why, s.diag);
}

/* Two sessions that talk to each other. */
static void exchange(struct bfd_session *a, const struct bfd_conf *ca, struct bfd_session *b,
		     const struct bfd_conf *cb)
{
	struct bfd_packet p;

	bfd_make(a, ca, &p);
	bfd_receive(b, cb, &p);
	bfd_make(b, cb, &p);
	bfd_receive(a, ca, &p);
}

Test(bfd, three_way_handshake_and_the_poll_that_follows)
{
	struct bfd_conf ca = conf10, cb = conf10;
	struct bfd_session a, b;
	struct bfd_packet p;

	cb.discr = 8;
	cb.min_tx_us = 50000;
	bfd_init(&a, &ca);
	bfd_init(&b, &cb);
	bfd_make(&a, &ca, &p);
	cr_assert_eq(p.min_tx_us, BFD_SLOW_US, "slow as long as it is not up (6.8.3)");
	cr_assert_eq(p.your_discr, 0);
	exchange(&a, &ca, &b, &cb);
	cr_assert_eq(b.state, BFD_INIT);
	cr_assert_eq(a.state, BFD_UP);
	cr_assert(a.polling, "its interval has changed (6.8.3)");
	bfd_make(&a, &ca, &p);
	cr_assert(p.flags & BFD_F_POLL);
	cr_assert_eq(p.your_discr, 8);
	cr_assert_eq(p.min_tx_us, 10000);
	cr_assert(bfd_receive(&b, &cb, &p));
	cr_assert_eq(b.state, BFD_UP);
	cr_assert(b.final);
	bfd_make(&b, &cb, &p);
	cr_assert_eq(p.flags & (BFD_F_FINAL | BFD_F_POLL), BFD_F_FINAL, "a final is no poll (6.5)");
	bfd_receive(&a, &ca, &p);
	cr_assert_not(a.polling);
	bfd_make(&b, &cb, &p);
	cr_assert(p.flags & BFD_F_POLL, "its own poll comes then");
	cr_assert_eq(bfd_interval_us(&a, &ca), 10000);
	cr_assert_eq(bfd_interval_us(&b, &cb), 50000);
	cr_assert_eq(bfd_detect_us(&a), 150000, "3 times what the other sends (6.8.4)");
	cr_assert_eq(bfd_detect_us(&b), 30000);
}

static void up(struct bfd_session *s, const struct bfd_conf *c)
{
	struct bfd_packet p = from_peer(BFD_INIT, c->discr);

	bfd_init(s, c);
	bfd_receive(s, c, &p);
	p.state = BFD_UP;
	p.flags = BFD_F_FINAL;
	bfd_receive(s, c, &p);
	cr_assert_eq(s->state, BFD_UP);
	cr_assert_not(s->polling);
}

Test(bfd, silence)
{
	struct bfd_session s;
	struct bfd_packet p;

	up(&s, &conf10);
	cr_assert(bfd_expire(&s, &conf10));
	cr_assert_eq(s.state, BFD_DOWN);
	cr_assert_eq(s.diag, BFD_DIAG_EXPIRED);
	bfd_make(&s, &conf10, &p);
	cr_assert_eq(p.your_discr, 0, "forgotten (6.8.1)");
	cr_assert_eq(p.min_tx_us, BFD_SLOW_US);
	cr_assert_not(bfd_expire(&s, &conf10), "down already");
	cr_assert_eq(bfd_detect_us(&s), 0);
}

Test(bfd, slower_waits_for_the_peer_faster_does_not)
{
	struct bfd_conf c = conf10;
	struct bfd_packet p = from_peer(BFD_UP, 7);
	struct bfd_session s;

	p.min_rx_us = p.min_tx_us = 1000;
	up(&s, &c);
	bfd_receive(&s, &c, &p);
	c.min_tx_us = 100000;
	c.min_rx_us = 5000;
	cr_assert_not(bfd_follow(&s, &c), "the state stays");
	cr_assert(s.polling);
	cr_assert_eq(bfd_interval_us(&s, &c), 10000, "until the poll ends (6.8.3)");
	cr_assert_eq(bfd_detect_us(&s), 30000);
	p.flags = BFD_F_FINAL;
	bfd_receive(&s, &c, &p);
	cr_assert_eq(bfd_interval_us(&s, &c), 100000);
	cr_assert_eq(bfd_detect_us(&s), 15000);
	c.min_tx_us = 8000;
	c.min_rx_us = 40000;
	bfd_follow(&s, &c);
	cr_assert_eq(bfd_interval_us(&s, &c), 8000, "at once");
	cr_assert_eq(bfd_detect_us(&s), 120000);
}

Test(bfd, when_nothing_is_sent)
{
	struct bfd_conf c = conf10;
	struct bfd_packet p = from_peer(BFD_UP, 7);
	struct bfd_session s;

	c.passive = true;
	bfd_init(&s, &c);
	cr_assert_eq(bfd_interval_us(&s, &c), 0, "a passive one waits (6.8.7)");
	up(&s, &c);
	cr_assert_neq(bfd_interval_us(&s, &c), 0);
	p.min_rx_us = 0;
	bfd_receive(&s, &c, &p);
	cr_assert_eq(bfd_interval_us(&s, &c), 0, "the peer wants none");
	p.min_rx_us = 1000;
	p.flags = BFD_F_DEMAND;
	bfd_receive(&s, &c, &p);
	cr_assert_eq(bfd_interval_us(&s, &c), 0, "demand mode at the peer");
	s.polling = true;
	cr_assert_neq(bfd_interval_us(&s, &c), 0);
}

Test(bfd, administratively_down_and_back)
{
	struct bfd_conf c = conf10;
	struct bfd_packet p;
	struct bfd_session s;

	up(&s, &c);
	c.admin_down = true;
	cr_assert(bfd_follow(&s, &c));
	bfd_make(&s, &c, &p);
	cr_assert_eq(p.state, BFD_ADMIN_DOWN);
	cr_assert_eq(p.diag, BFD_DIAG_ADMIN_DOWN);
	c.admin_down = false;
	cr_assert(bfd_follow(&s, &c));
	cr_assert_eq(s.state, BFD_DOWN);
}

Test(bfd, jitter)
{
	for (uint32_t i = 0; i < 100000; i += 7) {
		uint32_t three = bfd_jitter_us(10000, 3, i), one = bfd_jitter_us(10000, 1, i);

		cr_assert(three >= 7500 && three < 10000, "%u", three);
		cr_assert(one >= 7500 && one < 9000, "%u", one);
	}
}

/* ---- packets --------------------------------------------------------------------------------------------------- */

#define GOOD "20c00318 00000063 00000007 00004e20 00003a98 00000000"

Test(bfd, packet_there_and_back)
{
	uint8_t b[32], again[BFD_LEN];
	struct bfd_packet p;

	cr_assert_eq(pktb_unhex(GOOD, b, sizeof(b)), BFD_LEN);
	cr_assert_eq(bfd_parse(b, BFD_LEN, &p), 0);
	cr_assert_eq(p.state, BFD_UP);
	cr_assert_eq(p.mult, 3);
	cr_assert_eq(p.my_discr, 99);
	cr_assert_eq(p.your_discr, 7);
	cr_assert_eq(p.min_tx_us, 20000);
	cr_assert_eq(p.min_rx_us, 15000);
	bfd_build(again, &p);
	cr_assert_arr_eq(b, again, BFD_LEN);
	for (size_t n = 0; n < BFD_LEN; n++) {
		uint8_t *part = malloc(n + (n == 0));

		memcpy(part, b, n);
		cr_assert_eq(bfd_parse(part, n, &p), -EBADMSG, "%zu octets", n);
		free(part);
	}
}

struct packet_row {
	char why[56], hex[80];
	int want;
};
ParameterizedTestParameters(bfd, refused)
{
	static struct packet_row rows[] = {
		{ "version 2", "40c00318 00000063 00000007 00004e20 00003a98 00000000",
		  -EPROTONOSUPPORT },
		{ "length below 24", "20c00317 00000063 00000007 00004e20 00003a98 00000000",
		  -EBADMSG },
		{ "length beyond the payload",
		  "20c00319 00000063 00000007 00004e20 00003a98 00000000", -EBADMSG },
		{ "multiplier 0", "20c00018 00000063 00000007 00004e20 00003a98 00000000",
		  -EINVAL },
		{ "multipoint", "20c10318 00000063 00000007 00004e20 00003a98 00000000", -EINVAL },
		{ "My Discriminator 0", "20c00318 00000000 00000007 00004e20 00003a98 00000000",
		  -EINVAL },
		{ "Your Discriminator 0 and Up",
		  "20c00318 00000063 00000000 00004e20 00003a98 00000000", -EINVAL },
		{ "Your Discriminator 0 and Down",
		  "20400318 00000063 00000000 00004e20 00003a98 00000000", 0 },
		{ "authenticated", "20c4031a 00000063 00000007 00004e20 00003a98 00000000 0102",
		  -EKEYREJECTED },
		{ "authenticated, too short",
		  "20c40318 00000063 00000007 00004e20 00003a98 00000000", -EBADMSG },
	};
	return cr_make_param_array(struct packet_row, rows, sizeof(rows) / sizeof(rows[0]));
}
ParameterizedTest(struct packet_row *r, bfd, refused)
{
	uint8_t b[64];
	struct bfd_packet p;
	size_t n = pktb_unhex(r->hex, b, sizeof(b));

	cr_assert_eq(bfd_parse(b, n, &p), r->want, "%s", r->why);
}

Test(bfd, a_wheel_entry_is_taken_back)
{
	static struct wheel w;
	struct wheel_entry e[3] = { 0 };
	uint32_t due[3];

	wheel_init(&w, e, 4, 1000);
	wheel_arm(&w, 0, 2000);
	wheel_arm(&w, 1, 2001);
	wheel_arm(&w, 2, 2002);
	wheel_disarm(&w, 1);
	cr_assert_not(e[1].armed);
	wheel_disarm(&w, 1);
	wheel_arm(&w, 1, 1500);
	cr_assert_eq(wheel_take(&w, 1600, due, 3), 1);
	cr_assert_eq(due[0], 1);
	cr_assert_eq(wheel_take(&w, 3000, due, 3), 2);
}

/* ---- sessions in the graph ------------------------------------------------------------------------------------- */

static void bed_up(void)
{
	bed_start("fc00::/16");
	bed_drain();
}
TestSuite(bfd_node, .init = bed_up, .fini = hx_stop, .timeout = 60);

static int session(uint32_t id, uint8_t family, const char *local, const char *peer, uint32_t flags,
		   const char *seg)
{
	struct hd_api_bfd_session m = { .session_id = id,
					.flags = flags,
					.family = family,
					.mult = 3,
					.min_ttl = 250,
					.min_tx_us = 10000,
					.min_rx_us = 10000 };
	struct ip6_addr a;
	be32_t four;

	if (family == 4) {
		four = pktb_addr4(local);
		memcpy(m.local, &four, 4);
		four = pktb_addr4(peer);
		memcpy(m.peer, &four, 4);
	} else {
		a = pktb_addr6(local);
		memcpy(m.local, &a, 16);
		a = pktb_addr6(peer);
		memcpy(m.peer, &a, 16);
	}
	if (seg != NULL) {
		a = pktb_addr6(seg);
		memcpy(m.seg[0], &a, 16);
		m.n_segs = 1;
	}
	return hx_set(HD_API_BFD_SESSION, &m, sizeof(m));
}

/* The next control packet that leaves, within a second; offset of its UDP header. */
static size_t sent(uint32_t port, unsigned udp_off, struct bfd_packet *ret)
{
	for (unsigned i = 0; i < 1300; i++) {
		size_t n;

		hx_turn();
		n = hx_tx(port, frame, sizeof(frame));
		if (n != 0) {
			cr_assert_eq(n, 14 + udp_off + 8 + BFD_LEN);
			cr_assert_eq(bfd_parse(frame + 14 + udp_off + 8, BFD_LEN, ret), 0);
			return n;
		}
		usleep(1000);
	}
	return 0;
}

static void answer6(uint8_t state, uint32_t your, uint8_t ttl)
{
	struct bfd_packet p = from_peer(state, your);
	uint8_t b[BFD_LEN];
	struct pktb k;
	char text[200];

	bfd_build(b, &p);
	snprintf(text, sizeof(text),
		 ETH "ip6 2001:db8:a::1 2001:db8:a::9 %u / udp 50000 3784 / fill 24", ttl);
	pktb_parse(&k, text);
	memcpy(k.payload, b, sizeof(b));
	pktb_finish(&k);
	hx_rx(A, k.buf, k.len);
	hx_turn();
}

static struct hd_api_bfd_state told;
static unsigned n_told;
static void keep(void *arg, uint16_t type, const void *body, size_t size)
{
	(void)arg;
	cr_assert_eq(type, HD_API_BFD_STATE);
	cr_assert_eq(size, sizeof(told));
	memcpy(&told, body, size);
	n_told++;
}
static void state_read(void)
{
	struct hd_api_reply reply = { 0 };

	n_told = 0;
	cr_assert_eq(debug_request(HD_API_BFD_STATE, NULL, 0, -1, keep, NULL, &reply), 0);
	cr_assert_eq(n_told, 1);
}

Test(bfd_node, comes_up_goes_on_and_expires)
{
	const struct ip6_fixed *h = (const struct ip6_fixed *)(frame + 14);
	struct bfd_packet p;
	uint32_t discr;

	cr_assert_eq(session(5, 6, "2001:db8:a::9", "2001:db8:a::1", 0, NULL), 0, "%s", hx_error());
	cr_assert_neq(sent(A, 40, &p), 0);
	cr_assert_eq(p.state, BFD_DOWN);
	cr_assert_eq(h->hop_limit, 255, "RFC 5881 section 5");
	cr_assert_eq(wire_get16(frame + 54), BFD_SOURCE_PORT + 5);
	cr_assert_eq(wire_get16(frame + 56), BFD_PORT);
	discr = p.my_discr;
	answer6(BFD_INIT, discr, 255);
	cr_assert_neq(sent(A, 40, &p), 0);
	cr_assert_eq(p.state, BFD_UP, "told at once");
	cr_assert_eq(p.your_discr, 99);
	cr_assert(p.flags & BFD_F_POLL);
	for (unsigned i = 0; i < 5; i++) {
		cr_assert_neq(sent(A, 40, &p), 0, "every 15 ms: what the peer takes");
		answer6(BFD_UP, discr, 255);
	}
	state_read();
	cr_assert_eq(told.state, BFD_UP);
	cr_assert_eq(told.tx_us, 15000);
	cr_assert_eq(told.detect_us, 60000);
	cr_assert_eq(told.ups, 1);
	usleep(70000);
	hx_turn();
	state_read();
	cr_assert_eq(told.state, BFD_DOWN, "3 x 20 ms without a word");
	cr_assert_eq(told.diag, BFD_DIAG_EXPIRED);
	cr_assert_eq(told.downs, 1);
}

Test(bfd_node, over_segments)
{
	const struct ip6_fixed *h = (const struct ip6_fixed *)(frame + 14);
	const struct srh_hdr *srh = (const struct srh_hdr *)(frame + 54);
	struct ip6_addr seg = pktb_addr6("fc00:2::e"), peer = pktb_addr6("fc00:3::1");
	struct ip6_addr us = pktb_addr6("2001:db8:b::9");
	struct bfd_packet p;
	struct udp_view u;
	struct wire_cur c;

	cr_assert_eq(session(6, 6, "2001:db8:b::9", "fc00:3::1", HD_BFD_F_MULTIHOP, "fc00:2::e"), 0,
		     "%s", hx_error());
	cr_assert_neq(sent(B, 40 + 40, &p), 0);
	cr_assert(ip6_addr_eq(&h->dst, &seg));
	cr_assert_eq(srh->segments_left, 1);
	cr_assert_eq(memcmp(frame + 54 + 8, &peer, 16), 0, "the peer is the last segment");
	cr_assert_eq(wire_get16(frame + 94 + 2), BFD_PORT_MULTIHOP);
	c = wire_cur_init(frame + 94, 32);
	cr_assert_eq(udp_parse(&c, &u), 0);
	cr_assert_eq(udp_csum_check_ip6(&u, &us, &peer), 0,
		     "RFC 8200 section 8.1: the last destination");
}

Test(bfd_node, over_ip4)
{
	struct wire_cur c;
	struct ip4_view v;
	struct udp_view u;
	struct bfd_packet p;

	cr_assert_eq(session(7, 4, "192.0.2.9", "192.0.2.1", 0, NULL), 0, "%s", hx_error());
	cr_assert_neq(sent(A, 20, &p), 0);
	c = wire_cur_init(frame + 14, 52);
	cr_assert_eq(ip4_parse(&c, &v), 0);
	cr_assert_eq(v.hdr->ttl, 255);
	cr_assert_eq(udp_parse(&c, &u), 0);
	cr_assert_eq(udp_csum_check_ip4(&u, v.hdr->src, v.hdr->dst), 0);
}

Test(bfd_node, what_is_not_taken)
{
	struct bfd_packet p;
	struct pktb k;

	cr_assert_eq(session(5, 6, "2001:db8:a::9", "2001:db8:a::1", 0, NULL), 0);
	sent(A, 40, &p);
	answer6(BFD_INIT, p.my_discr, 254);
	cr_assert_eq(hx_verdict("bfd-receive", "ttl"), 1);
	answer6(BFD_INIT, p.my_discr ^ 0x400, 255);
	cr_assert_eq(hx_verdict("bfd-receive", "no-session"), 1,
		     "a discriminator of another start");
	pktb_parse(&k, ETH "ip6 2001:db8:a::1 2001:db8:a::9 255 / udp 50000 3784 / fill 23");
	hx_rx(A, k.buf, k.len);
	hx_turn();
	cr_assert_eq(hx_verdict("bfd-receive", "truncated"), 1);
	pktb_parse(&k, ETH "ip6 2001:db8:a::2 2001:db8:a::9 255 / udp 50000 3784 / data "
			   "204003180000006300000000000f424000003a9800000000");
	hx_rx(A, k.buf, k.len);
	hx_turn();
	cr_assert_eq(hx_verdict("bfd-receive", "no-session"), 2, "nobody we know");
	state_read();
	cr_assert_eq(told.received, 0);
	cr_assert_eq(told.state, BFD_DOWN);
	cr_assert_eq(hx_mbufs_in_use(), 0);
}

#define REFUSED(call, rc, part)                                                   \
	do {                                                                      \
		cr_assert_eq((call), (rc), "%s", hx_error());                     \
		cr_assert_not_null(strstr(hx_error(), (part)), "%s", hx_error()); \
	} while (0)

Test(bfd_node, refusals)
{
	struct hd_api_bfd_session m = {
		.session_id = 1, .family = 6, .mult = 3, .min_tx_us = 1000, .min_rx_us = 10000
	};

	REFUSED(hx_set(HD_API_BFD_SESSION, &m, sizeof(m)), -EINVAL, "below 3000 us");
	m.min_tx_us = 10000;
	m.mult = 0;
	REFUSED(hx_set(HD_API_BFD_SESSION, &m, sizeof(m)), -EINVAL, "multiplier 0");
	m.mult = 3;
	m.n_segs = 1;
	REFUSED(hx_set(HD_API_BFD_SESSION, &m, sizeof(m)), -EINVAL, "several hops");
	m.n_segs = 0;
	m.iface_id = 77;
	REFUSED(hx_set(HD_API_BFD_SESSION, &m, sizeof(m)), -ENOENT, "");
	cr_assert_eq(session(5, 6, "2001:db8:a::9", "2001:db8:a::1", 0, NULL), 0);
	REFUSED(session(6, 6, "2001:db8:a::9", "2001:db8:a::1", 0, NULL), -EEXIST, "session 5");
	cr_assert_eq(session(6, 6, "2001:db8:a::9", "2001:db8:a::1", HD_BFD_F_MULTIHOP, NULL), 0,
		     "another kind");
	REFUSED(session(2000, 6, "2001:db8:a::9", "2001:db8:a::3", 0, NULL), -ENOSPC, "not 1 to");
}
