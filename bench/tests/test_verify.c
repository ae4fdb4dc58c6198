/* SPDX-License-Identifier: BSD-3-Clause
 * The benchmark verifies: a right pipeline passes, each deliberately wrong one is caught and named. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdio.h>

#include "bench/device.h"
#include "bench/world.h"

static struct params p;
static struct result r;

static void start(const char *name)
{
	const struct workload *w = workload_find(name);

	cr_assert_not_null(w, "%s", name);
	params_default(&p, w);
	p.flows = 64;
	p.no_huge = true;
	cr_assert_eq(bench_start(w, &p), 0);
}

static int verify(const char *name)
{
	memset(&r, 0, sizeof(r));
	return bench_verify(workload_find(name), &p, &r);
}

struct name_row {
	char name[32];
};

ParameterizedTestParameters(bench_verify, every_workload_passes)
{
	static struct name_row rows[64];
	size_t n = 0;

	for (const struct workload *w = workload_first(); w != NULL && n < 64; w = w->next)
		snprintf(rows[n++].name, sizeof(rows[0].name), "%s", w->name);
	return cr_make_param_array(struct name_row, rows, n);
}
ParameterizedTest(struct name_row *row, bench_verify, every_workload_passes)
{
	start(row->name);
	cr_assert_eq(verify(row->name), 0, "%s", r.said);
	cr_assert_geq(device_came(), 1024);
	world_stop();
}

/* A pipeline that is programmed wrong: the neighbour's MAC is another one. */
Test(bench_verify, wrong_rewrite_is_caught)
{
	struct hd_api_neigh n = { .iface_id = 2,
				  .family = 6,
				  .addr = { 0x20, 0x01, 0x0d, 0xb8, 0, 2, [13] = 1 },
				  .mac = { 2, 0xaa, 0, 0, 0, 0x77 } };

	start("ip6-fwd");
	world_set(HD_API_NEIGH, &n, sizeof(n));
	world_settle();
	cr_assert_eq(verify("ip6-fwd"), -EBADMSG);
	cr_assert(strstr(r.said, "octet 5 is 77") != NULL, "%s", r.said);
	world_stop();
}

/* A more specific route discards one flow. */
Test(bench_verify, dropped_flow_is_caught)
{
	uint8_t dst[16];
	uint32_t flow, len;

	start("ip6-fwd");
	memcpy(dst, device_frame(7, &flow, &len) + 14 + 24, 16);
	world_route(0, 6, dst, 128, HD_TARGET_BLACKHOLE, 0);
	world_settle();
	cr_assert_eq(verify("ip6-fwd"), -EBADMSG);
	cr_assert(strstr(r.said, "did not come out") != NULL, "%s", r.said);
	cr_assert(strstr(r.said, "ip6-input blackhole") != NULL, "%s", r.said);
	world_stop();
}

static bool break_hop_limit(uint64_t n, struct rte_mbuf *m)
{
	if (n == 100)
		rte_pktmbuf_mtod(m, uint8_t *)[14 + 7]++;
	return true;
}

Test(bench_verify, hop_limit_not_counted_is_caught)
{
	start("srv6-end");
	device_sabotage = break_hop_limit;
	cr_assert_eq(verify("srv6-end"), -EBADMSG);
	cr_assert(strstr(r.said, "packet 100 ") != NULL && strstr(r.said, "octet 21 ") != NULL,
		  "%s", r.said);
	world_stop();
}

static bool swallow(uint64_t n, struct rte_mbuf *m)
{
	static bool done;
	bool now = n == 1000 && !done;

	(void)m;
	done |= now;
	return !now;
}

Test(bench_verify, lost_packet_is_caught)
{
	start("ip4-fwd");
	device_sabotage = swallow;
	cr_assert_eq(verify("ip4-fwd"), -EBADMSG);
	cr_assert(strstr(r.said, "1 of ") != NULL, "%s", r.said);
	world_stop();
}

static bool cut(uint64_t n, struct rte_mbuf *m)
{
	if (n == 3)
		rte_pktmbuf_trim(m, 4);
	return true;
}

Test(bench_verify, cut_packet_is_caught)
{
	start("srv6-encap");
	device_sabotage = cut;
	cr_assert_eq(verify("srv6-encap"), -EBADMSG);
	cr_assert(strstr(r.said, "octets instead of") != NULL, "%s", r.said);
	world_stop();
}

static bool last_octet(uint64_t n, struct rte_mbuf *m)
{
	if (n == 5)
		rte_pktmbuf_mtod(m, uint8_t *)[m->data_len - 1] ^= 1;
	return true;
}

Test(bench_verify, payload_is_compared_to_its_end)
{
	start("srv6-dt6");
	device_sabotage = last_octet;
	cr_assert_eq(verify("srv6-dt6"), -EBADMSG);
	cr_assert(strstr(r.said, "packet 5 ") != NULL, "%s", r.said);
	world_stop();
}

static bool set_back(uint64_t n, struct rte_mbuf *m)
{
	if (n == 9)
		rte_pktmbuf_mtod(m, uint8_t *)[14 + 40 + 8 + 4] ^= 1; /* T1 */
	return true;
}

Test(bench_verify, wrong_time_of_a_sender_is_caught)
{
	start("pm-sender");
	device_sabotage = set_back;
	cr_assert_eq(verify("pm-sender"), -EBADMSG);
	cr_assert(strstr(r.said, "packet 9 ") != NULL, "%s", r.said);
	world_stop();
}

/* The error estimate's multiplier is 0, and the checksum as before. */
static bool estimate_gone(uint64_t n, struct rte_mbuf *m)
{
	uint8_t *stamp = rte_pktmbuf_mtod(m, uint8_t *) + 14 + 40 + 8;

	if (n == 100) {
		stamp[43] = stamp[13];
		stamp[13] = 0;
	}
	return true;
}

Test(bench_verify, reply_not_taken_in_is_caught)
{
	start("pm-sender-replies");
	device_sabotage = estimate_gone;
	cr_assert_eq(verify("pm-sender-replies"), -EBADMSG);
	cr_assert(strstr(r.said, "1 were lost, late, again or bad") != NULL, "%s", r.said);
	world_stop();
}
