/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-bench traffic --self-test: the generator against a system under test that is known.
 *
 * Four ports, two cables: generator - system under test - generator.  The system loses, doubles, delays and reorders on
 * purpose and counts it (impair.c).  Loss, duplicates and reordered packets must be found exactly.  No latency may be
 * below the injected delay, and the median may be above it by what the generator states itself: a packet is handed
 * over twice, and only one in four waits longer for that than the p75 of the gaps between two looks; besides, a
 * histogram bucket (0.8 %), and SLACK_NS for the work. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ring.h>

#include "bench/traffic/impair.h"
#include "bench/traffic/traffic.h"

#define SLACK_NS   20000u
#define CABLE_DEEP 1024u
#define FLOWS      16u

struct bed {
	bool memif;
	uint16_t sut[2];
	struct impair *way[2]; /* [0]: port 0 to port 1 */
};

/* ---- cables ------------------------------------------------------------------------------------------------- */

static int ring_cable(unsigned n, uint16_t *ret_gen, uint16_t *ret_sut)
{
	struct rte_ring *to, *from;
	char name[32];
	int a, b;

	snprintf(name, sizeof(name), "to%u", n);
	to = rte_ring_create(name, CABLE_DEEP, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	snprintf(name, sizeof(name), "from%u", n);
	from = rte_ring_create(name, CABLE_DEEP, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	if (to == NULL || from == NULL)
		return -ENOMEM;
	snprintf(name, sizeof(name), "cable%u_gen", n);
	a = rte_eth_from_rings(name, &from, 1, &to, 1, 0);
	snprintf(name, sizeof(name), "cable%u_sut", n);
	b = rte_eth_from_rings(name, &to, 1, &from, 1, 0);
	if (a < 0 || b < 0)
		return -ENODEV;
	*ret_gen = (uint16_t)a;
	*ret_sut = (uint16_t)b;
	return 0;
}

static int memif_end(const char *role, unsigned n, uint16_t *ret)
{
	char args[128], name[32];
	int rc;

	snprintf(name, sizeof(name), "net_memif_%s%u", role, n);
	snprintf(args, sizeof(args),
		 "%s,role=%s,id=%u,socket=heddle-traffic-%d,socket-abstract=yes", name, role, n,
		 (int)getpid());
	rc = rte_dev_probe(args);
	return rc < 0 ? rc : rte_eth_dev_get_port_by_name(name, ret);
}

static int sut_start(uint16_t port, struct rte_mempool *pool)
{
	struct rte_eth_conf conf = { 0 };
	int rc = rte_eth_dev_configure(port, 1, 1, &conf);

	if (rc == 0)
		rc = rte_eth_rx_queue_setup(port, 0, CABLE_DEEP, SOCKET_ID_ANY, NULL, pool);
	if (rc == 0)
		rc = rte_eth_tx_queue_setup(port, 0, CABLE_DEEP, SOCKET_ID_ANY, NULL);
	return rc == 0 ? rte_eth_dev_start(port) : rc;
}

static int cables(void *arg, uint16_t port[STREAM_PORTS_MAX], struct rte_mempool *pool)
{
	struct bed *b = arg;

	for (unsigned n = 0; n < 2; n++) {
		/* The memif server starts first: it is the system under test. */
		int rc = b->memif ? memif_end("server", n, &b->sut[n]) :
				    ring_cable(n, &port[n], &b->sut[n]);

		if (rc == 0)
			rc = sut_start(b->sut[n], pool);
		if (rc == 0 && b->memif)
			rc = memif_end("client", n, &port[n]);
		if (rc < 0) {
			fprintf(stderr, "heddle-bench: self-test: a %s cable cannot be made (%s)\n",
				b->memif ? "memif" : "ring", strerror(-rc));
			return rc;
		}
	}
	for (unsigned n = 0; n < 2; n++) {
		b->way[n] = impair_create(b->sut[n], b->sut[1 - n], gen_tsc_hz());
		if (b->way[n] == NULL)
			return -ENOMEM;
	}
	return 0;
}

static void turn(void *arg)
{
	struct bed *b = arg;

	impair_poll(b->way[0]);
	impair_poll(b->way[1]);
}

/* ---- cases -------------------------------------------------------------------------------------------------- */

static const struct scenario {
	const char *name;
	struct impair_conf way[2];
} scenarios[] = {
	{ "nothing happens", { { 0 }, { 0 } } },
	{ "loss", { { .lose_every = 97 }, { .lose_every = 1000 } } },
	{ "duplicates", { { .double_every = 101 }, { .double_every = 7 } } },
	{ "reordering",
	  { { .hold_every = 89, .hold_by = 40 }, { .hold_every = 211, .hold_by = 100 } } },
	{ "delay", { { .delay_s = 500e-6 }, { .delay_s = 10e-3 } } },
	{ "all of it",
	  { { .lose_every = 61,
	      .double_every = 53,
	      .hold_every = 71,
	      .hold_by = 33,
	      .delay_s = 200e-6 },
	    { .lose_every = 40,
	      .double_every = 64,
	      .hold_every = 99,
	      .hold_by = 65,
	      .delay_s = 1e-3 } } },
};

static bool same(const char *what, uint64_t found, uint64_t done, unsigned way)
{
	if (found != done)
		printf("       way %u: %llu %s found, %llu done\n", way, (unsigned long long)found,
		       what, (unsigned long long)done);
	return found == done;
}

static bool check(const struct scenario *s, const struct bed *b, const struct gen_result *r)
{
	bool ok = r->foreign == 0 && r->stale == 0 && r->astray == 0 && r->negative == 0;

	for (unsigned i = 0; i < 2; i++) {
		struct impair_done d = impair_counts(b->way[i]);
		const struct gen_counts *c = &r->stream[i];
		uint64_t delay = (uint64_t)(s->way[i].delay_s * 1e9);
		uint64_t p50 = hd_hist_percentile(&c->latency, 50);
		uint64_t bound = delay + delay / 127 + 2 * gen_gap(r, 75) + SLACK_NS;

		ok = same("packets", c->sent, d.came, i) && ok;
		ok = same("lost", gen_lost(c), d.lost, i) && ok;
		ok = same("duplicates", c->duplicate, d.doubled, i) && ok;
		ok = same("reordered", c->reordered, d.reordered, i) && ok;
		ok = same("too late", c->late, 0, i) && ok;
		if (c->latency.min < delay || p50 > bound) {
			printf("       way %u: latency min %llu ns, median %llu ns; delay %llu ns, bound %llu ns\n",
			       i, (unsigned long long)c->latency.min, (unsigned long long)p50,
			       (unsigned long long)delay, (unsigned long long)bound);
			ok = false;
		}
		printf("       way %u: %llu sent, %llu lost, %llu duplicates, %llu reordered by up to %u; "
		       "latency %.2f us min, %.2f us median, %.2f us max\n",
		       i, (unsigned long long)c->sent, (unsigned long long)gen_lost(c),
		       (unsigned long long)c->duplicate, (unsigned long long)c->reordered,
		       c->max_behind, (double)c->latency.min / 1e3, (double)p50 / 1e3,
		       (double)c->latency.max / 1e3);
	}
	return ok;
}

static bool run_scenario(const struct scenario *s, struct bed *b, struct gen_result *r)
{
	struct gen_trial t = { .pps = 60e3, .seconds = 0.3 };
	bool ok;

	impair_set(b->way[0], &s->way[0]);
	impair_set(b->way[1], &s->way[1]);
	ok = gen_trial(&t, r, NULL) == 0 && check(s, b, r);
	printf("%s %s\n", ok ? "  ok  " : "  FAIL", s->name);
	return ok;
}

/* A system that forwards so much each way, whatever comes. */
#define CAPACITY 40e3

static void before(void *arg, double pps)
{
	struct bed *b = arg;
	struct impair_conf c = { .pps = CAPACITY, .arrival_pps = pps / 2 };

	impair_set(b->way[0], &c);
	impair_set(b->way[1], &c);
}

static bool run_search(struct bed *b)
{
	struct traffic_options o = { .trial_s = 0.4,
				     .first_s = 0.1,
				     .width = 0.02,
				     .pdr = 0.05,
				     .limit_s = 60,
				     .max_rate = { RATE_PPS, 200e3 },
				     .before = before,
				     .before_arg = b };
	uint32_t first = traffic_n_rows;
	bool ok = test_ndr(&o, "64") == TRAFFIC_OK && traffic_n_rows == first + 2;

	for (uint32_t i = first; i < traffic_n_rows; i++) {
		const struct search_bounds *f = &traffic_rows[i].bounds;
		/* A loss of r is allowed up to the capacity / (1 - r). */
		double true_pps = 2 * CAPACITY / (1 - traffic_rows[i].goal);

		printf("       %s: between %.2f and %.2f kpps (%s); it is %.2f kpps\n",
		       traffic_rows[i].test, f->lower / 1e3, f->upper / 1e3,
		       search_end_text(f->end), true_pps / 1e3);
		ok = ok && f->lower <= true_pps * 1.002 && f->upper >= true_pps * 0.998 &&
		     f->upper - f->lower <= 0.0201 * f->upper;
	}
	printf("%s %s\n", ok ? "  ok  " : "  FAIL", "search for NDR and PDR");
	return ok;
}

int selftest(bool memif, int cpu, bool no_huge)
{
	static struct streams s;
	struct bed b = { .memif = memif };
	struct gen_config cfg = { .n_ports = 2,
				  .open = cables,
				  .hook = turn,
				  .arg = &b,
				  .cpu = { cpu, -1 },
				  .max_octets = 1518,
				  .no_huge = no_huge,
				  .drain_s = 0.2,
				  .catch_up_s = 10 };
	struct gen_result *r = calloc(1, sizeof(*r));
	uint32_t size[STREAM_SIZES_MAX], n = (uint32_t)sizes_parse("imix", size), failed = 0;
	char text[64];

	if (r == NULL)
		return TRAFFIC_FAILED;
	streams_default(&s, FLOWS, true);
	if (gen_start(&cfg, &s) < 0 || gen_frames(size, n) < 0)
		return TRAFFIC_FAILED;
	printf("self-test: %s, ", gen_port_text(0, text, sizeof(text)));
	printf("%s; a system of our own between them\n", gen_port_text(1, text, sizeof(text)));
	printf("ceiling of this generator on this CPU: %.2f Mpps (imix)\n", gen_ceiling() / 1e6);
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		failed += !run_scenario(&scenarios[i], &b, r);
	size[0] = 64;
	failed += gen_frames(size, 1) < 0 || !run_search(&b);
	printf("self-test: %s\n", failed == 0 ? "everything was found as it was done" : "FAILED");
	free(r);
	for (unsigned i = 0; i < 2; i++)
		rte_eth_dev_stop(b.sut[i]);
	gen_stop();
	impair_destroy(b.way[0]);
	impair_destroy(b.way[1]);
	return failed == 0 ? TRAFFIC_OK : TRAFFIC_FAILED;
}
