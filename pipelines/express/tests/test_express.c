/* SPDX-License-Identifier: BSD-3-Clause
 * Node express against the full nodes: packets, most of them broken somewhere, go both ways.  What express sends must
 * leave the full nodes with the same octets by the same port, and every counter but the two nodes' own must move alike.
 * HEDDLE_SEED=n and HEDDLE_COUNT=n repeat and enlarge the random test. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "dataplane/punt.h"
#include "dataplane/stats.h"
#include "heddle/srv6_behavior.h"
#include "pipelines/ip/tests/bed.h"

#define SID_END   "2001:db8:5::1"
#define SID_X     "2001:db8:5::2"
#define SID_DT4   "2001:db8:5::3"
#define SID_DT6   "2001:db8:5::4"
#define SID_PSP   "2001:db8:5::5"
#define PLAIN     ETH "ip6 2001:db8:a::1 2001:db8:c::5 64 / udp / fill 20"
#define OUTER(to) ETH "ip6 2001:db8:a::1 " to " 64 / "

static const char *const shapes[] = {
	PLAIN,
	ETH "ip6 fd00::1 2001:db8:c::5 64 / udp",
	ETH "ip6 2001:db8:a::1 2001:db8:e::5 64 / udp",
	ETH "ip4 192.0.2.1 203.0.113.5 64 / udp / fill 20",
	ETH "ip4 192.0.2.1 203.0.113.129 64 / udp",
	ETH "ip4 192.0.2.1 203.0.114.5 64 / udp / fill 20",
	ETH "ip4 192.0.2.1 203.0.115.5 64 / udp / fill 20",
	ETH "ip4 192.0.2.1 192.0.2.9 64 / udp",
	ETH "ip4 192.0.2.1 100.64.9.1 64 / udp",
	ETH
	"ip6 2001:db8:a::1 2001:db8:e6::5 64 / udp / fill 20", /* more segments than there is room in front */
	ETH "ip4 192.0.2.1 100.64.16.1 64 / udp",
	OUTER(SID_END) "srh 2001:db8:c::1,2001:db8:c::2," SID_END " 2 / udp",
	OUTER(SID_END) "srh 2001:db8:c::1," SID_END " 1 / udp",
	OUTER(SID_PSP) "srh 2001:db8:c::1," SID_PSP " 1 / udp",
	OUTER(SID_X) "srh 2001:db8:c::1,2001:db8:c::2," SID_X " 2 / udp",
	OUTER(SID_DT4) "srh " SID_DT4 " 0 / ip4 192.0.2.77 203.0.113.5 64 / udp",
	OUTER(SID_DT4) "ip4 192.0.2.77 203.0.113.5 64 / udp",
	OUTER(SID_DT6) "srh " SID_DT6 "," SID_END " 0 / ip6 2001:db8:a::7 2001:db8:c::9 64 / udp",
	OUTER(SID_DT6) "ip6 2001:db8:a::7 2001:db8:c::9 64 / udp",
};

static void sid(uint32_t id, const char *addr, uint16_t behavior, uint16_t flavors)
{
	struct hd_api_srv6_sid s = {
		.plen = 128, .sid_id = id, .behavior = behavior, .flavors = flavors
	};

	inet_pton(AF_INET6, addr, s.sid);
	if (behavior == HD_SRV6_END_X) {
		s.target = HD_TARGET_NEXTHOP;
		s.target_id = 2;
	}
	cr_assert_eq(hx_set(HD_API_SRV6_SID, &s, sizeof(s)), 0, "%s", hx_error());
}

static void up(void)
{
	struct hd_api_srv6_conf c = { .encap_hop_limit = 64 };
	struct hd_api_srv6_seglist l = { .seglist_id = 1, .n_segs = 2 };
	struct hd_api_srv6_policy p = {
		.policy_id = 1, .encap = HD_SRV6_H_ENCAPS, .n_lists = 1, .list = { { 1, 1 } }
	};

	bed_up();
	sid(1, SID_END, HD_SRV6_END, 0);
	sid(2, SID_X, HD_SRV6_END_X, 0);
	sid(3, SID_DT4, HD_SRV6_END_DT4, 0);
	sid(4, SID_DT6, HD_SRV6_END_DT6, 0);
	sid(5, SID_PSP, HD_SRV6_END, HD_SRV6_FLAVOR_PSP);
	inet_pton(AF_INET6, "2001:db8:5::ff", c.encap_source);
	inet_pton(AF_INET6, "2001:db8:c::77", l.seg[0]);
	inet_pton(AF_INET6, "2001:db8:f::1", l.seg[1]);
	snprintf(p.name, sizeof(p.name), "policy");
	cr_assert_eq(hx_set(HD_API_SRV6_CONF, &c, sizeof(c)), 0, "%s", hx_error());
	cr_assert_eq(hx_set(HD_API_SRV6_SEGLIST, &l, sizeof(l)), 0, "%s", hx_error());
	cr_assert_eq(hx_set(HD_API_SRV6_POLICY, &p, sizeof(p)), 0, "%s", hx_error());
	l.seglist_id = p.list[0].seglist_id = p.policy_id = 16;
	l.n_segs = 6;
	for (unsigned i = 1; i < l.n_segs; i++)
		inet_pton(AF_INET6, "2001:db8:f::1", l.seg[i]);
	snprintf(p.name, sizeof(p.name), "long");
	cr_assert_eq(hx_set(HD_API_SRV6_SEGLIST, &l, sizeof(l)), 0, "%s", hx_error());
	cr_assert_eq(hx_set(HD_API_SRV6_POLICY, &p, sizeof(p)), 0, "%s", hx_error());
	hx_route(0, "2001:db8:e6::/48", HD_TARGET_POLICY, 16);
	hx_route(0, "100.64.16.0/24", HD_TARGET_POLICY, 16);
	hx_route(0, "2001:db8:e::/48", HD_TARGET_POLICY, 1);
	hx_route(0, "100.64.9.0/24", HD_TARGET_POLICY, 1);
	hx_route(0, "0.0.0.0/0", HD_TARGET_NEXTHOP, 1);
	hx_route(0, "::/0", HD_TARGET_NEXTHOP, 2);
	hx_route(0, "203.0.114.0/24", HD_TARGET_NEXTHOP, 1);
	hx_route(0, "203.0.115.0/24", HD_TARGET_NEXTHOP, 2);
	hx_turn();
	drain(A);
	drain(B);
}
TestSuite(express, .init = up, .fini = bed_down);

/* Sums of all counters that must not depend on the way. */
#define COUNTERS_MAX 65536u
static bool counted(const struct hd_stats_vec *vec)
{
	if (vec->kind == HD_STATS_VERDICT)
		return strcmp(vec->name, "verdict/express") != 0 &&
		       strcmp(vec->name, "verdict/port-rx") != 0;
	return strcmp(vec->name, "interface") == 0 || strcmp(vec->name, "sid") == 0 ||
	       strcmp(vec->name, "policy") == 0;
}

static unsigned counters(uint64_t *to)
{
	const struct hd_stats_hdr *h = stats_hdr();
	unsigned n = 0;

	for (uint32_t v = 0; v < h->n_vecs; v++) {
		const struct hd_stats_vec *vec = &hd_stats_vecs(h)[v];

		if (!counted(vec))
			continue;
		for (uint32_t r = 0; r < vec->n_rows && r < 64; r++)
			for (uint32_t c = 0; c < vec->n_cols && n < COUNTERS_MAX; c++)
				to[n++] = hd_stats_sum(h, vec, r, c);
	}
	return n;
}

/* "ip4-input FORWARD 1, ..." of what moved, for reports. */
static const char *moved_text(const uint64_t *moved)
{
	static char text[2000];
	const struct hd_stats_hdr *h = stats_hdr();
	unsigned n = 0;
	size_t at = 0;

	text[0] = '\0';
	for (uint32_t v = 0; v < h->n_vecs; v++) {
		const struct hd_stats_vec *vec = &hd_stats_vecs(h)[v];

		if (!counted(vec))
			continue;
		for (uint32_t r = 0; r < vec->n_rows && r < 64; r++)
			for (uint32_t c = 0; c < vec->n_cols && n < COUNTERS_MAX; c++, n++)
				if (moved[n] != 0 && at < sizeof(text))
					at += (size_t)snprintf(text + at, sizeof(text) - at,
							       "%s row %u: %llu, ", vec->name, r,
							       (unsigned long long)moved[n]);
	}
	return text;
}

struct way {
	uint64_t moved[COUNTERS_MAX];
	unsigned n;
	uint8_t out[512];
	size_t len;
	uint32_t port;
};

static void send_way(struct way *w, const uint8_t *frame, size_t len, bool full)
{
	static uint64_t before[COUNTERS_MAX];

	if (full)
		setenv("HX_FULL", "1", 1);
	else
		unsetenv("HX_FULL");
	w->n = counters(before);
	hx_rx(A, frame, len);
	hx_turn();
	counters(w->moved);
	for (unsigned i = 0; i < w->n; i++)
		w->moved[i] -= before[i];
	memset(w->out, 0, sizeof(w->out));
	w->port = B;
	w->len = hx_tx(B, w->out, sizeof(w->out));
	if (w->len == 0) {
		w->port = A;
		w->len = hx_tx(A, w->out, sizeof(w->out));
	}
	drain(A);
	drain(B);
}

/* Returns whether express sent it to a port.  What it hands to another node may be answered by an ICMP error, which is
 * limited in rate and so not the same twice. */
static bool both(const uint8_t *frame, size_t len, const char *what)
{
	static struct way a, b;
	uint64_t sent = hx_verdict("express", "forward");

	send_way(&a, frame, len, false);
	if (hx_verdict("express", "forward") == sent)
		return false;
	send_way(&b, frame, len, true);
	if (a.len != b.len)
		cr_log_error("express: %s", moved_text(a.moved));
	if (a.len != b.len)
		cr_log_error("full: %s", moved_text(b.moved));
	cr_assert_eq(a.len, b.len, "%s: %zu octets instead of %zu", what, a.len, b.len);
	cr_assert_eq(a.port, b.port, "%s: port %u instead of %u", what, a.port, b.port);
	cr_assert_arr_eq(a.out, b.out, sizeof(a.out), "%s", what);
	for (unsigned i = 0; i < a.n; i++)
		cr_assert_eq(a.moved[i], b.moved[i], "%s: counter %u moved by %llu instead of %llu",
			     what, i, (unsigned long long)a.moved[i],
			     (unsigned long long)b.moved[i]);
	return true;
}

Test(express, takes_the_usual_and_sends_the_same)
{
	struct pktb b;

	for (unsigned i = 0; i < RTE_DIM(shapes); i++) {
		bool other = strstr(shapes[i], " 192.0.2.9 ") != NULL ||
			     strstr(shapes[i], SID_PSP) != NULL;

		pktb_parse(&b, shapes[i]);
		both(b.buf, b.len, shapes[i]); /* answers are remembered from here on */
		cr_assert_eq(both(b.buf, b.len, shapes[i]), !other, "%s", shapes[i]);
		cr_assert_eq(both(b.buf, b.len, shapes[i]), !other, "%s", shapes[i]);
	}
}

/* A packet is moved to make room in front of it, but not out of its buffer. */
Test(express, no_packet_is_moved_out_of_its_buffer)
{
	struct hd_api_iface wide = { .iface_id = 2,
				     .port_id = B,
				     .mtu = 4000,
				     .flags = HD_IFACE_F_UP,
				     .name = "wide",
				     .mac = { 2, 0, 0, 0, 0, 2 } };
	struct rte_mbuf *m = packet_alloc();
	unsigned room = rte_pktmbuf_tailroom(m);
	const unsigned by = 40 + 8 + 6 * 16 - RTE_PKTMBUF_HEADROOM + ADJ_HDR_ROOM - 14;
	char text[200];
	struct pktb b;

	rte_pktmbuf_free(m);
	cr_assert_eq(hx_set(HD_API_IFACE, &wide, sizeof(wide)), 0, "%s", hx_error());
	for (unsigned much = 0; much < 2; much++) { /* an octet too much */
		uint64_t none = hx_verdict("srv6-encap", "no-room");

		snprintf(text, sizeof(text),
			 ETH "ip6 2001:db8:a::1 2001:db8:e6::5 64 / udp / fill %u",
			 room - by - 14 - 40 - 8 + much);
		pktb_parse(&b, text);
		cr_assert_eq(b.len, room - by + much);
		hx_rx(A, b.buf, b.len);
		hx_turn();
		cr_assert_eq(drain(B), !much);
		cr_assert_eq(hx_verdict("srv6-encap", "no-room"), none + much);
	}
}

#define BURST 32u /* what the harness takes into one walk */

struct burst {
	unsigned n;
	size_t len[BURST];
	unsigned later[BURST]; /* hx_rx_later */
	uint8_t frame[BURST][600];
};

/* What left in any order, after its length, sorted: the full nodes are another way to port-tx, and take longer. */
struct departed {
	unsigned n;
	uint8_t frame[2 * BURST][600];
	uint64_t moved[COUNTERS_MAX];
	unsigned n_moved;
	bool all; /* express sent all of them */
};

static int by_octets(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(((struct departed *)0)->frame[0]));
}

/* ICMP errors are limited in rate and so not the same twice: they are left out, as is port A, where most of them go. */
static void burst_way(const struct burst *b, struct departed *d, bool full)
{
	static uint64_t before[COUNTERS_MAX];
	uint64_t sent = hx_verdict("express", "forward");

	if (full)
		setenv("HX_FULL", "1", 1);
	else
		unsetenv("HX_FULL");
	memset(d, 0, sizeof(*d));
	d->n_moved = counters(before);
	for (unsigned i = 0; i < b->n; i++) {
		hx_rx_later = b->later[i];
		hx_rx(A, b->frame[i], b->len[i]);
	}
	hx_rx_later = 0;
	hx_turn();
	counters(d->moved);
	for (unsigned i = 0; i < d->n_moved; i++)
		d->moved[i] -= before[i];
	while (d->n < 2 * BURST) {
		uint8_t *f = d->frame[d->n];
		size_t len = hx_tx(B, f + 2, sizeof(d->frame[0]) - 2);

		if (len == 0)
			break;
		if (f[2 + 14] >> 4 == 6 ? f[2 + 14 + 6] == IP_NH_ICMP6 : f[2 + 14 + 9] == 1) {
			memset(f, 0, sizeof(d->frame[0]));
			continue;
		}
		f[0] = (uint8_t)(len >> 8);
		f[1] = (uint8_t)len;
		d->n++;
	}
	d->all = hx_verdict("express", "forward") - sent == b->n;
	qsort(d->frame, d->n, sizeof(d->frame[0]), by_octets);
	drain(A);
	drain(B);
}

static void both_bursts(const struct burst *b, const char *what, unsigned *whole)
{
	static struct departed x, y;

	burst_way(b, &x, false);
	burst_way(b, &y, true);
	cr_assert_eq(x.n, y.n, "%s: %u packets left instead of %u", what, x.n, y.n);
	for (unsigned i = 0; i < x.n; i++)
		cr_assert_arr_eq(x.frame[i], y.frame[i], sizeof(x.frame[i]), "%s: %u. of %u", what,
				 i, x.n);
	if (!x.all)
		return;
	++*whole;
	for (unsigned i = 0; i < x.n_moved; i++)
		cr_assert_eq(x.moved[i], y.moved[i], "%s: counter %u moved by %llu instead of %llu",
			     what, i, (unsigned long long)x.moved[i],
			     (unsigned long long)y.moved[i]);
}

static uint64_t state;
static uint32_t rnd(uint32_t below)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(((state >> 33) * below) >> 31);
}

static unsigned env(const char *name, unsigned otherwise)
{
	const char *v = getenv(name);

	return v != NULL && v[0] != '\0' ? (unsigned)strtoul(v, NULL, 0) : otherwise;
}

Test(express, broken_packets_go_the_same_way)
{
	unsigned seed = env("HEDDLE_SEED", (unsigned)time(NULL)), count = env("HEDDLE_COUNT", 3000);
	unsigned sent = 0;
	char what[200];

	state = seed;
	for (unsigned i = 0; i < count; i++) {
		const char *shape = shapes[rnd(RTE_DIM(shapes))];
		struct pktb b;

		pktb_parse(&b, shape);
		size_t len = b.len;
		for (uint32_t k = rnd(3); k > 0; k--) {
			static const uint8_t odd[] = { 0, 1, 2, 4, 41, 43, 0x45, 0x60, 0xff };
			size_t at = rnd((uint32_t)(len < 120 ? len : 120));

			b.buf[at] = rnd(2) ? (uint8_t)rnd(256) : odd[rnd(sizeof(odd))];
		}
		if (b.buf[12] == 8 && b.buf[14] == 0x45 && rnd(2)) {
			struct ip4_hdr *h = (struct ip4_hdr *)(b.buf + 14);

			h->csum = be16_make(0);
			h->csum = hd_csum(h, 20);
		}
		if (rnd(8) == 0)
			len = 15 + rnd((uint32_t)len - 14);
		else if (rnd(8) == 0 && len + 10 < sizeof(b.buf))
			memset(b.buf + len, 0, 10), len += 1 + rnd(9);
		snprintf(what, sizeof(what), "seed %u, packet %u, from %s", seed, i, shape);
		sent += both(b.buf, len, what);
	}
	cr_log_info("seed %u: express sent %u of %u", seed, sent, count);
	cr_assert_gt(sent, count / 10, "seed %u: express took only %u of %u", seed, sent, count);
}

/* Octets that decide what a packet is taken for, and values on both sides of the limits. */
static const uint8_t odd[] = { 0,   1,   2,   19,  20,   0x20, 0x3f, 126,
			       127, 128, 223, 224, 0xfd, 0xfe, 0xff };
static const uint8_t odd4[] = { 0, 3, 6, 8, 12, 16 }; /* version, length, fragment, TTL, addresses */
static const uint8_t odd6[] = {
	0, 5, 6, 7, 8, 24
}; /* version, length, next header, hop limit, addresses */

/* Fields that differ within a flow or tell flows apart, of the IP header at h.  Now and then one that decides. */
static void vary4(uint8_t *at, uint32_t odds)
{
	static const uint8_t proto[] = { IP_NH_UDP, IP_NH_UDP, IP_NH_TCP, 132, 89 };
	struct ip4_hdr *h = (struct ip4_hdr *)at;

	h->id = be16_make((uint16_t)rnd(65536));
	h->tos = (uint8_t)rnd(256);
	h->ttl = (uint8_t)(2 + rnd(250));
	h->proto = proto[rnd(sizeof(proto))];
	h->src.b[3] = (uint8_t)(1 + rnd(250));
	h->dst.b[3] = (uint8_t)(h->dst.b[3] ^ rnd(16));
	at[20 + rnd(4)] = (uint8_t)rnd(256); /* ports */
	if (rnd(odds) == 0)
		at[odd4[rnd(sizeof(odd4))]] = odd[rnd(sizeof(odd))];
	h->csum = be16_make(0);
	h->csum = hd_csum(h, 20);
}

static void vary6(uint8_t *at, uint32_t odds)
{
	static const uint8_t next[] = { IP_NH_UDP, IP_NH_TCP, 132, 59 };

	at[1] = (uint8_t)rnd(
		256); /* of traffic class (no congestion mark, or nothing would be merged) and label */
	at[1] &= rnd(4) ? 0x0f : 0xcf;
	at[2] = (uint8_t)rnd(256);
	at[3] = (uint8_t)rnd(256);
	at[7] = (uint8_t)(2 + rnd(250));
	at[23] = (uint8_t)rnd(256);
	if (at[6] == IP_NH_UDP) {
		at[40 + rnd(4)] = (uint8_t)rnd(256); /* ports */
		at[39] = (uint8_t)(at[39] ^ rnd(16));
		if (rnd(4) == 0)
			at[6] = next[rnd(sizeof(next))];
	}
	if (rnd(odds) == 0)
		at[odd6[rnd(sizeof(odd6))]] = odd[rnd(sizeof(odd))];
}

static void vary(uint8_t *at, uint32_t odds)
{
	if (at[0] >> 4 == 4)
		vary4(at, odds);
	else
		vary6(at, odds);
}

/* One packet of the shape; now and then something about it is unusual, or broken. */
static void burst_packet(struct burst *b, const char *shape, uint32_t odds, bool padded)
{
	struct pktb pkt;
	size_t len;
	uint8_t *f = b->frame[b->n], *inner = f + 14 + 40;

	pktb_parse(&pkt, shape);
	len = pkt.len;
	memset(f, 0, sizeof(b->frame[0]));
	memcpy(f, pkt.buf, len);
	f[len - 1] = (uint8_t)rnd(256); /* payload, or a checksum nobody here looks at */
	if (rnd(2) && (f[20] == IP_NH_ROUTING || f[20] == IP_NH_IP4 || f[20] == IP_NH_IP6)) {
		if (f[20] == IP_NH_ROUTING)
			inner += 8 + 8 * inner[1];
		if (inner[0] >> 4 == 4 || inner[0] >> 4 == 6)
			vary(inner, odds);
	}
	if (f[12] == 0x86 || rnd(2))
		vary(f + 14, odds);
	if (padded && rnd(4) == 0)
		len += rnd(20);
	if (rnd(odds) == 0)
		f[rnd(rnd(2) ? 60 : (uint32_t)len)] = (uint8_t)rnd(256);
	if (rnd(odds) == 0)
		len = 15 + rnd((uint32_t)len - 14);
	b->later[b->n] = rnd(odds) == 0 ? 2 + rnd(20) : 0;
	b->len[b->n++] = len;
}

Test(express, bursts_leave_the_same)
{
	unsigned seed = env("HEDDLE_SEED", (unsigned)time(NULL)), count = env("HEDDLE_COUNT", 600);
	static struct burst b;
	unsigned whole = 0;
	char what[100];

	state = seed;
	for (unsigned i = 0; i < count; i++) {
		uint32_t odds = rnd(2) ? 20 : UINT32_MAX, mixed = rnd(3),
			 shape = rnd(RTE_DIM(shapes));

		bool padded = rnd(3) == 0;

		b.n = 0;
		for (unsigned k = 1 + rnd(BURST); k > 0; k--) {
			if (mixed == 2 || (mixed == 1 && rnd(10) == 0))
				shape = rnd(RTE_DIM(shapes));
			burst_packet(&b, shapes[shape], odds, padded);
		}
		snprintf(what, sizeof(what), "seed %u, burst %u", seed, i);
		both_bursts(&b, what, &whole);
	}
	cr_log_info("seed %u: express took %u of %u bursts as a whole", seed, whole, count);
	cr_assert_gt(whole, count / 10, "seed %u: express took only %u of %u", seed, whole, count);
}

/* Packets that go one way are asked for together: one among them that does not, wherever it stands, and a route that
 * changes, must not go unnoticed. */
#define SID_VRF4 "2001:db8:5::6"
#define SID_VRF6 "2001:db8:5::7"

static const struct company {
	const char *one, *stranger,
		*route; /* route: of the one; it has another one's next hop for a while */
	uint32_t vrf, usual, other;
} companies[] = {
	{ ETH "ip6 2001:db8:a::1 2001:db8:c::5 64 / udp",
	  ETH "ip6 2001:db8:a::1 2001:db8:c:77::5 64 / udp", "2001:db8:c::/48", 0, 2, 4 },
	{ OUTER(SID_VRF4) "ip4 192.0.2.77 100.64.7.5 64 / udp",
	  OUTER(SID_VRF4) "ip4 192.0.2.77 100.64.7.200 64 / udp", "100.64.7.0/24", 7, 1, 3 },
	{ OUTER(SID_VRF6) "ip6 2001:db8:a::7 2001:db8:7::9 64 / udp",
	  OUTER(SID_VRF6) "ip6 2001:db8:a::7 2001:db8:7::200 64 / udp", "2001:db8:7::/64", 7, 2,
	  4 },
	{ OUTER(SID_END) "srh 2001:db8:c::1,2001:db8:c::2," SID_END " 2 / udp",
	  OUTER(SID_END) "srh 2001:db8:c::1,2001:db8:c:77::2," SID_END " 2 / udp",
	  "2001:db8:c::/48", 0, 2, 4 },
	{ ETH "ip6 2001:db8:a::1 2001:db8:e::5 64 / udp",
	  ETH "ip6 2001:db8:a::1 2001:db8:e2::5 64 / udp", "2001:db8:c::/48", 0, 2, 4 },
};

static void companies_up(void)
{
	struct hd_api_srv6_seglist l = { .seglist_id = 2, .n_segs = 1 };
	struct hd_api_srv6_policy p = { .policy_id = 2,
					.encap = HD_SRV6_H_ENCAPS,
					.n_lists = 1,
					.list = { { 2, 1 } },
					.name = "other" };
	struct hd_api_srv6_sid
		four = { .plen = 128, .sid_id = 6, .behavior = HD_SRV6_END_DT4, .table4 = 7 },
		six = { .plen = 128, .sid_id = 7, .behavior = HD_SRV6_END_DT6, .table6 = 7 };

	inet_pton(AF_INET6, SID_VRF4, four.sid);
	inet_pton(AF_INET6, SID_VRF6, six.sid);
	inet_pton(AF_INET6, "2001:db8:c:77::9", l.seg[0]);
	cr_assert_eq(hx_set(HD_API_SRV6_SID, &four, sizeof(four)), 0, "%s", hx_error());
	cr_assert_eq(hx_set(HD_API_SRV6_SID, &six, sizeof(six)), 0, "%s", hx_error());
	cr_assert_eq(hx_set(HD_API_SRV6_SEGLIST, &l, sizeof(l)), 0, "%s", hx_error());
	cr_assert_eq(hx_set(HD_API_SRV6_POLICY, &p, sizeof(p)), 0, "%s", hx_error());
	hx_nexthop(3, 1, "192.0.2.1");
	hx_nexthop(4, 1, "2001:db8:a::1");
	hx_route(0, "2001:db8:c:77::/64", HD_TARGET_NEXTHOP, 4);
	hx_route(7, "100.64.7.192/26", HD_TARGET_NEXTHOP, 3);
	hx_route(7, "2001:db8:7::200/120", HD_TARGET_NEXTHOP, 4);
	hx_route(0, "2001:db8:e2::/48", HD_TARGET_POLICY, 2);
}

Test(express, a_stranger_in_a_row_goes_its_own_way)
{
	static struct burst b;
	char what[100];

	companies_up();
	for (unsigned c = 0; c < RTE_DIM(companies); c++) {
		const struct company *y = &companies[c];
		unsigned whole = 0, bursts = 0;

		for (unsigned k = 0; k <= BURST; k++, bursts++) { /* the last time there is none */
			if (k == BURST)
				hx_route(y->vrf, y->route, HD_TARGET_NEXTHOP, y->other);
			b.n = 0;
			for (unsigned i = 0; i < BURST; i++)
				burst_packet(&b, i == k ? y->stranger : y->one, UINT32_MAX, false);
			snprintf(what, sizeof(what), "%s, stranger %u", y->one, k);
			both_bursts(&b, what, &whole);
		}
		hx_route(y->vrf, y->route, HD_TARGET_NEXTHOP, y->usual);
		cr_assert_eq(whole, bursts, "%s: express took %u of %u", y->one, whole, bursts);
	}
}

/* The same host part in another subnet. */
#define TWIN ETH "ip6 2001:db8:a::1 2001:db8:55::1 64 / udp"

Test(express, a_twin_in_another_subnet_is_somebody_else)
{
	static struct burst b;
	char what[100];
	unsigned whole = 0;

	for (unsigned k = 0; k < 2 * BURST; k++) {
		b.n = 0;
		for (unsigned i = 0; i < BURST; i++)
			burst_packet(
				&b,
				k >= BURST && i == k - BURST ?
					TWIN :
				i % 3 == 0 ?
					OUTER(SID_X) "srh 2001:db8:c::1,2001:db8:c::2," SID_X
						     " 2 / udp" :
					OUTER(SID_END) "srh 2001:db8:c::1,2001:db8:c::2," SID_END
						       " 2 / udp",
				UINT32_MAX, false);
		if (k >= BURST) { /* as it is written */
			struct pktb pkt;

			pktb_parse(&pkt, TWIN);
			memcpy(b.frame[k - BURST], pkt.buf, pkt.len);
		}
		snprintf(what, sizeof(what), "burst %u", k);
		both_bursts(&b, what, &whole);
	}
	cr_assert_eq(whole, 2 * BURST, "express took %u", whole);
}

#define HOST(n) "2001:db8:c:9::" #n

Test(express, a_changed_host_route_counts_at_once)
{
	static struct burst b;
	unsigned whole = 0;
	char what[40];

	hx_nexthop(4, 1, "2001:db8:a::1");
	hx_route(0, HOST(100) "/120", HD_TARGET_NEXTHOP, 2);
	for (unsigned k = 0; k < 8; k++) {
		hx_route(0, HOST(200) "/120", HD_TARGET_NEXTHOP, k % 4 < 3 ? 2 : 4);
		for (unsigned again = 0; again < 20; again++) { /* beyond all resting */
			b.n = 0;
			for (unsigned i = 0; i < BURST; i++)
				burst_packet(&b,
					     i % 3 == 0 ? ETH
						     "ip6 2001:db8:a::1 " HOST(200) " 64 / udp" :
							  ETH
						     "ip6 2001:db8:a::1 " HOST(100) " 64 / udp",
					     UINT32_MAX, false);
			snprintf(what, sizeof(what), "step %u, %u", k, again);
			both_bursts(&b, what, &whole);
		}
	}
	cr_assert_eq(whole, 8 * 20, "express took %u", whole);
}

Test(express, a_changed_sid_is_another_one_at_once)
{
	static const struct {
		uint16_t behavior, flavors;
		bool whole;
	} step[] = {
		{ HD_SRV6_END_X, 0, true },
		{ HD_SRV6_END, 0, true },
		{ HD_SRV6_END_DT4, 0, false }, /* refuses: segments are left */
		{ HD_SRV6_END, HD_SRV6_FLAVOR_PSP, true },
		{ HD_SRV6_END_X, HD_SRV6_FLAVOR_PSP, true },
		{ HD_SRV6_END, 0, true },
	};
	static struct burst b;
	char what[40];

	for (unsigned i = 0; i < RTE_DIM(step); i++) {
		unsigned whole = 0;

		sid(1, SID_END, step[i].behavior, step[i].flavors);
		b.n = 0;
		for (unsigned k = 0; k < BURST; k++)
			burst_packet(
				&b,
				k % 3 == 0 ?
					OUTER(SID_X) "srh 2001:db8:c::1,2001:db8:c::2," SID_X
						     " 2 / udp" :
					OUTER(SID_END) "srh 2001:db8:c::1,2001:db8:c::2," SID_END
						       " 2 / udp",
				UINT32_MAX, false);
		snprintf(what, sizeof(what), "step %u", i);
		both_bursts(&b, what, &whole);
		cr_assert_eq(whole, step[i].whole, "%s: express took %u", what, whole);
	}
}
