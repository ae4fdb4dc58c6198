/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-bench table-api: what a stream of updates does to a worker that forwards.
 *
 * The worker has a CPU of its own, the last one; control thread and client share the first.  Port 2 (net_pcap) brings
 * frames without end, FLOWS of IPv4 and of IPv6 in turn, each with a route of its own; all leave by port 3 (net_null).
 * A round is a window without updates and one in which transactions follow each other: objects of the kind are deleted
 * and set again, in a table that is full of them.  Cycles per packet are the worker's own busy cycles, from the
 * statistics segment, and so contain what the ports cost.  No packet may be lost over it. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/frames.h"
#include "bench/table_api/table_api.h"

#define FLOWS     1024u /* of each family */
#define FRAME     64u
#define WINDOW_S  0.025
#define BLOCK     512u  /* objects of a transaction */
#define TOLERANCE 1024u /* packets on their way between two counters */

#define IN       2u /* port and interface */
#define OUT      3u
#define GATEWAYS TA_NEXTHOPS /* nh_id of the IPv4 one, then of the IPv6 one */

static const uint8_t mac_in[6] = { 2, 0, 0, 0, 0, IN };
static char pcap_path[64];

/* ---- the network ----------------------------------------------------------------------------------------------- */

static size_t make_port(uint32_t i, void *to)
{
	struct hd_api_port m = { .port_id = i + 1, .name = "bench" };

	m.name[5] = (char)('1' + i);
	if (i + 1 == IN)
		snprintf(m.devargs, sizeof(m.devargs), "net_pcap_in,rx_pcap=%s,infinite_rx=1",
			 pcap_path);
	else
		snprintf(m.devargs, sizeof(m.devargs), "net_null%u,no-rx=1", i + 1);
	memcpy(to, &m, sizeof(m));
	return sizeof(m);
}

static size_t make_iface(uint32_t i, void *to)
{
	struct hd_api_iface m = { .iface_id = i + 1,
				  .name = "base",
				  .port_id = i + 1,
				  .mtu = 1500,
				  .mac = { 2, 0, 0, 0, 0, (uint8_t)(i + 1) },
				  .flags = HD_IFACE_F_UP };

	m.name[4] = (char)('1' + i);
	memcpy(to, &m, sizeof(m));
	return sizeof(m);
}

static uint8_t gateway(uint32_t family, uint8_t to[16])
{
	static const uint8_t gw4[16] = { 198, 19, 0, 2 };
	static const uint8_t gw6[16] = { 0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff, [15] = 2 };

	memcpy(to, family == 4 ? gw4 : gw6, 16);
	return (uint8_t)family;
}

static size_t make_neigh(uint32_t i, void *to)
{
	struct hd_api_neigh m = { .iface_id = OUT, .mac = { 2, 0, 0, 0, 0, 99 } };

	m.family = gateway(i == 0 ? 4 : 6, m.addr);
	memcpy(to, &m, sizeof(m));
	return sizeof(m);
}

static size_t make_nexthop(uint32_t i, void *to)
{
	struct hd_api_nexthop m = { .nh_id = GATEWAYS + i, .iface_id = OUT };

	m.family = gateway(i == 0 ? 4 : 6, m.gateway);
	memcpy(to, &m, sizeof(m));
	return sizeof(m);
}

/* Flow i: IPv4 100.64.0.0/10 in /24s, IPv6 3fff::/20 in /32s. */
static void prefix4(uint32_t i, uint8_t to[16])
{
	memset(to, 0, 16);
	put32(to, 0x64400000u + i * 256);
}

static void prefix6(uint32_t i, uint8_t to[16])
{
	memset(to, 0, 16);
	put32(to, 0x3fff0000u + i);
}

static size_t make_route(uint32_t i, void *to)
{
	bool v4 = i < FLOWS;
	struct hd_api_route m = { .family = v4 ? 4 : 6,
				  .plen = v4 ? 24 : 32,
				  .target = HD_TARGET_NEXTHOP,
				  .id = GATEWAYS + !v4 };

	if (v4)
		prefix4(i, m.prefix);
	else
		prefix6(i - FLOWS, m.prefix);
	memcpy(to, &m, sizeof(m));
	return sizeof(m);
}

static const struct ta_kind net[] = {
	/* interface 1 is what the kinds refer to */
	{ "port", HD_API_PORT, 3, make_port },
	{ "interface", HD_API_IFACE, 3, make_iface },
	{ "neighbour", HD_API_NEIGH, 2, make_neigh },
	{ "next hop", HD_API_NEXTHOP, 2, make_nexthop },
	{ "route", HD_API_ROUTE, 2 * FLOWS, make_route },
};

/* ---- the traffic ----------------------------------------------------------------------------------------------- */

static void frame_make(uint32_t flow, uint8_t to[FRAME])
{
	uint8_t src[16], dst[16];
	uint32_t i = flow / 2, at = 14;

	memset(to, 0, FRAME);
	memcpy(to, mac_in, 6);
	memcpy(to + 6, "\x02\xbb\x00\x00\x00\x01", 6);
	put16(to + 12, flow % 2 == 0 ? 0x0800 : 0x86dd);
	if (flow % 2 == 0) {
		prefix4(i, dst);
		at += frame_ip4(to + at, flow_src4(flow), 0x64400000u + i * 256 + 1, PROTO_UDP,
				FRAME - 14);
	} else {
		prefix6(i, dst);
		dst[15] = 1;
		flow_src6(flow, src);
		at += frame_ip6(to + at, src, dst, PROTO_UDP, FRAME - 54);
	}
	frame_udp(to + at, flow, FRAME - at);
}

static int pcap_write(const char *path)
{
	const uint32_t head[6] = {
		0xa1b2c3d4u, 0x00040002u, 0, 0, 65535, 1
	}; /* version 2.4, Ethernet */
	FILE *f = fopen(path, "w");
	uint8_t frame[FRAME];
	bool ok;

	if (f == NULL)
		return -errno;
	ok = fwrite(head, sizeof(head), 1, f) == 1;
	for (uint32_t i = 0; i < 2 * FLOWS && ok; i++) {
		const uint32_t record[4] = { 0, 0, FRAME, FRAME };

		frame_make(i, frame);
		ok = fwrite(record, sizeof(record), 1, f) == 1 && fwrite(frame, FRAME, 1, f) == 1;
	}
	return fclose(f) == 0 && ok ? 0 : -EIO;
}

/* ---- windows --------------------------------------------------------------------------------------------------- */

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct mark {
	uint64_t cycles, packets;
};

static struct mark mark_now(const struct ta_dp *dp)
{
	return (struct mark){ ta_stat(dp, "worker", 0, "busy-cycles"),
			      ta_stat(dp, "interface", IN, "rx-packets") };
}

static double cycles_per_packet(struct mark a, struct mark b)
{
	return b.packets > a.packets ?
		       (double)(b.cycles - a.cycles) / (double)(b.packets - a.packets) :
		       0;
}

static double quiet_window(const struct ta_dp *dp)
{
	const struct timespec t = { .tv_nsec = (long)(WINDOW_S * 1e9) };
	struct mark a = mark_now(dp);

	nanosleep(&t, NULL);
	return cycles_per_packet(a, mark_now(dp));
}

/* Negative: refused. */
static double updating_window(const struct ta_dp *dp, const struct ta_kind *k, uint32_t *at,
			      double *ret_rate)
{
	struct mark a = mark_now(dp);
	double begin = now_s(), end = begin;
	uint64_t n = 0;

	while (end - begin < WINDOW_S) {
		uint32_t to = *at + BLOCK < k->count ? *at + BLOCK : k->count;

		if (ta_transaction(dp, k, *at, to, true) < 0 ||
		    ta_transaction(dp, k, *at, to, false) < 0)
			return -1;
		n += 2ull * (to - *at);
		*at = to == k->count ? 0 : to;
		end = now_s();
	}
	*ret_rate = (double)n / (end - begin);
	return cycles_per_packet(a, mark_now(dp));
}

static int kind_fill(const struct ta_dp *dp, const struct ta_kind *k)
{
	for (uint32_t i = 0; i < k->count; i += TA_PER_TXN) {
		uint32_t to = i + TA_PER_TXN < k->count ? i + TA_PER_TXN : k->count;

		if (ta_transaction(dp, k, i, to, false) < 0)
			return -EINVAL;
	}
	return 0;
}

static int kind_measure(const struct ta_dp *dp, const struct ta_kind *k, uint32_t rounds,
			struct ta_disturbance *ret)
{
	double quiet[TA_ROUNDS_MAX], updating[TA_ROUNDS_MAX], added[TA_ROUNDS_MAX],
		rate[TA_ROUNDS_MAX];
	uint64_t in = ta_stat(dp, "interface", IN, "rx-packets"), lost, out;
	uint64_t before = in - ta_stat(dp, "interface", OUT, "tx-packets");
	uint32_t at = 0;

	if (kind_fill(dp, k) < 0)
		return -EINVAL;
	for (uint32_t r = 0; r < rounds; r++) {
		quiet[r] = quiet_window(dp);
		updating[r] = updating_window(dp, k, &at, &rate[r]);
		if (updating[r] < 0)
			return -EINVAL;
		added[r] = updating[r] - quiet[r];
	}
	ret->packets = ta_stat(dp, "interface", IN, "rx-packets") - in;
	out = ta_stat(dp, "interface", OUT,
		      "tx-packets"); /* read after: packets under way count as sent */
	lost = in + ret->packets - out;
	if (ret->packets == 0 || (int64_t)(lost - before) > (int64_t)TOLERANCE) {
		fprintf(stderr, "heddle-bench: %s: %llu of %llu packets were not forwarded\n",
			k->name, (unsigned long long)(lost - before),
			(unsigned long long)ret->packets);
		return -EBADMSG;
	}
	ret->quiet = ta_band(quiet, rounds);
	ret->updating = ta_band(updating, rounds);
	ret->added = ta_band(added, rounds);
	ret->updates = ta_band(rate, rounds).median;
	return 0;
}

static int measure(const struct ta_dp *dp, uint32_t rounds, struct ta_disturbance *ret)
{
	int rc;

	snprintf(pcap_path, sizeof(pcap_path), "%s/traffic.pcap", dp->dir);
	rc = pcap_write(pcap_path);
	if (rc < 0) {
		fprintf(stderr, "heddle-bench: %s: %s\n", pcap_path, strerror(-rc));
		return rc;
	}
	for (unsigned i = 0; i < sizeof(net) / sizeof(net[0]); i++) {
		/* from the end: the routes are there before traffic is */
		if (ta_transaction(dp, &net[i], 0, net[i].count, false) < 0)
			return -EINVAL;
	}
	usleep(200000); /* caches warm, links up */
	for (size_t i = 0; i < TA_KINDS; i++) {
		rc = kind_measure(dp, &ta_kinds[i], rounds, &ret[i]);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* First and last CPU this process may use; false: there is but one. */
static bool two_cpus(unsigned *first, unsigned *last)
{
	cpu_set_t set;
	unsigned n = 0;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return false;
	for (unsigned c = 0; c < CPU_SETSIZE; c++) {
		if (!CPU_ISSET(c, &set))
			continue;
		*first = n++ == 0 ? c : *first;
		*last = c;
	}
	return n > 1;
}

int ta_disturbance_measure(const char *program, uint32_t rounds, struct ta_disturbance *ret)
{
	const char *options[32] = { "--mbufs", "32768", "--cpus" };
	unsigned first = 0, last = 0, n = 4;
	char cpus[32];
	cpu_set_t was, one;
	struct ta_dp dp;
	int rc;

	if (!two_cpus(&first, &last)) {
		fprintf(stderr,
			"heddle-bench: one CPU alone: what disturbs the worker is the scheduler\n");
		return -ENODEV;
	}
	snprintf(cpus, sizeof(cpus), "%u,%u", first, last);
	options[3] = cpus;
	for (unsigned i = 0; ta_limits[i] != NULL; i++)
		options[n++] = ta_limits[i];
	rc = ta_dp_start(&dp, program, options);
	sched_getaffinity(0, sizeof(was), &was);
	CPU_ZERO(&one);
	CPU_SET(first, &one);
	sched_setaffinity(0, sizeof(one), &one);
	if (rc == 0)
		rc = measure(&dp, rounds, ret);
	sched_setaffinity(0, sizeof(was), &was);
	ta_dp_stop(&dp);
	return rc;
}
