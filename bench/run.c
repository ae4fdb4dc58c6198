/* SPDX-License-Identifier: BSD-3-Clause
 * One run: verify, then measure.
 * Machines change speed from one moment to the next, so what is compared is measured side by side: a round is many
 * short slices of floor, io and workload in turn, and gives the medians of them and of what each triple of neighbours
 * says.  A slice that the host interrupted is one of many. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_graph_worker.h>

#include "bench/bench.h"
#include "bench/device.h"
#include "bench/perf.h"
#include "bench/world.h"
#include "dataplane/engine.h"
#include "dataplane/rcu.h"
#include "dataplane/worker.h"

#define SLICE_MS   0.3 /* far below a scheduler's time slice */
#define SLICES_MIN 5u
#define SLICES_MAX 20000u
#define ROUNDS_MAX 1000u
/* The answer is hidden when half of the rounds lie further apart than this part of the median, and than 0.2 F. */
#define NOISE_PART   0.15
#define NOISE_FLOORS 0.2

/* ---- workloads' list and parameters ------------------------------------------------------------------------- */

void (*bench_before_measure)(void);
static const struct workload *first;
static const struct workload **last = &first;

void workload_register(struct workload *w)
{
	*last = w;
	last = &w->next;
}

const struct workload *workload_first(void)
{
	return first;
}

const struct workload *workload_find(const char *name)
{
	for (const struct workload *w = first; w != NULL; w = w->next)
		if (strcmp(w->name, name) == 0)
			return w;
	return NULL;
}

bool params_uses(const struct workload *w, const char *name)
{
	char word[32];

	snprintf(word, sizeof(word), " %s ", name);
	return strstr(w->uses, word) != NULL;
}

void params_default(struct params *p, const struct workload *w)
{
	*p = (struct params){ .burst = 128,
			      .size = 64,
			      .flows = 256,
			      .nexthops = 1,
			      .routes = 1,
			      .sids = 1,
			      .policies = 1,
			      .segments = 1,
			      .inner = 6,
			      .rounds = 11,
			      .seconds = 2,
			      .seed = 1,
			      .workers = 1,
			      .interval_us = 1000,
			      .verify = true };
	if (w->defaults != NULL)
		w->defaults(p);
}

/* ---- verify ------------------------------------------------------------------------------------------------- */

static struct {
	const struct workload *w;
	const struct params *p;
	struct result *r;
	uint64_t wrong;
} check;

static void check_one(uint64_t n, struct rte_mbuf *m)
{
	static uint8_t want[FRAME_MAX + 512], care[FRAME_MAX + 512], flat[FRAME_MAX + 512];
	uint32_t flow, len, want_len;
	const uint8_t *in = device_frame(n, &flow, &len), *got;
	char *said = check.r->said;
	size_t room = sizeof(check.r->said);

	memset(care, 0xff, sizeof(care));
	got = rte_pktmbuf_read(m, 0, RTE_MIN(m->pkt_len, (uint32_t)sizeof(flat)), flat);
	if (check.w->begin != NULL) {
		in = got;
		len = m->pkt_len;
	}
	want_len = check.w->expect(check.p, flow, in, len, want, care);
	if (m->pkt_len != want_len) {
		if (check.wrong++ == 0)
			snprintf(said, room,
				 "packet %llu (flow %u) came out with %u octets instead of %u",
				 (unsigned long long)n, flow, m->pkt_len, want_len);
		return;
	}
	for (uint32_t i = 0; i < want_len; i++) {
		if (((got[i] ^ want[i]) & care[i]) == 0)
			continue;
		if (check.wrong++ == 0)
			snprintf(
				said, room,
				"packet %llu (flow %u) came out wrong: octet %u is %02x instead of %02x",
				(unsigned long long)n, flow, i, got[i], want[i]);
		return;
	}
}

/* A burst through what is measured: the graph, or for l2-io nothing but the devices. */
static inline void turn(const struct workload *w, unsigned burst)
{
	if (w->setup != NULL)
		world_turn();
	else
		device_io(burst);
}

int bench_verify(const struct workload *w, const struct params *p, struct result *ret)
{
	uint64_t cycle = RTE_MAX(p->flows, 1024u) * (p->zipf > 0 ? 4u : 2u), rest;
	char drops[200];

	check.w = w;
	check.p = p;
	check.r = ret;
	check.wrong = 0;
	device_check = check_one;
	device_reset();
	device_write(w->begin != NULL ? DEVICE_OWN_CHECK : DEVICE_WHOLE);
	rcu_worker_register(0);
	while ((w->begin != NULL ? device_came() : device_sent()) < cycle) {
		turn(w, p->burst);
		rcu_worker_quiescent(0);
	}
	rcu_worker_unregister(0);
	rest = w->begin != NULL ? 0 : device_sent() - device_came();
	device_write(DEVICE_OFF);
	if (check.wrong == 0 && w->judge != NULL && w->judge(p) != NULL) {
		snprintf(ret->said, sizeof(ret->said), "%s", w->judge(p));
		return -EBADMSG;
	}
	if (check.wrong == 0 && rest == 0) {
		snprintf(ret->said, sizeof(ret->said),
			 "verified: %llu packets came out as they must",
			 (unsigned long long)device_came());
		return 0;
	}
	world_drops(drops, sizeof(drops));
	if (rest != 0)
		snprintf(ret->said, sizeof(ret->said), "%lld of %llu packets did not come out (%s)",
			 (long long)rest, (unsigned long long)device_sent(),
			 drops[0] ? drops : "no node says why");
	return -EBADMSG;
}

/* ---- measure ------------------------------------------------------------------------------------------------ */

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static double quantile(const double *sorted, unsigned n, double q)
{
	double at = q * (n - 1);
	unsigned i = (unsigned)at;

	return i + 1 < n ? sorted[i] + (at - i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

static struct band band_of(double *v, unsigned n)
{
	qsort(v, n, sizeof(*v), by_value);
	return (struct band){ .min = v[0],
			      .median = quantile(v, n, 0.5),
			      .max = v[n - 1],
			      .q1 = quantile(v, n, 0.25),
			      .q3 = quantile(v, n, 0.75) };
}

static double median(double *v, unsigned n)
{
	qsort(v, n, sizeof(*v), by_value);
	return quantile(v, n, 0.5);
}

enum slice { SLICE_FLOOR, SLICE_IO, SLICE_TOTAL, N_SLICES };
#define N_VALUES 5u /* the slices, then net and ratio of each triple */

/* Cycles per packet of one slice of about the given length; packets are counted at the sink. */
static double slice_run(const struct workload *w, enum slice what, unsigned burst, uint64_t cycles)
{
	uint64_t came = device_came(), start, now;

	if (w->begin != NULL)
		device_write(what == SLICE_TOTAL ? DEVICE_OWN : DEVICE_FRESH);
	start = rte_rdtsc_precise();
	do {
		for (unsigned i = 0; i < 16; i++) {
			switch (what) {
			case SLICE_FLOOR:
				device_floor(burst);
				break;
			case SLICE_IO:
				device_io(burst);
				break;
			default:
				turn(w, burst);
				rcu_worker_quiescent(0);
				break;
			}
		}
		now = rte_rdtsc();
	} while (now - start < cycles);
	now = rte_rdtsc_precise();
	came = device_came() - came;
	return came == 0 ? 0 : (double)(now - start) / (double)came;
}

static void nodes_zero(void)
{
	struct rte_graph *g = workers[0]->graph;
	rte_graph_off_t off;
	rte_node_t count;
	struct rte_node *n;

	rte_graph_foreach_node(count, off, g, n)
		n->total_cycles = n->total_calls = n->total_objs = 0;
}

static void nodes_take(struct result *ret, uint64_t packets)
{
	struct rte_graph *g = workers[0]->graph;
	rte_graph_off_t off;
	rte_node_t count;
	struct rte_node *n;

	rte_graph_foreach_node(count, off, g, n)
	{
		if (n->total_calls == 0 || n->total_objs * 100 < packets ||
		    ret->n_nodes == RESULT_NODES_MAX)
			continue;
		snprintf(ret->node[ret->n_nodes].name, sizeof(ret->node[0].name), "%.31s", n->name);
		ret->node[ret->n_nodes].cycles = (double)n->total_cycles / (double)n->total_objs;
		ret->node[ret->n_nodes].burst = (double)n->total_objs / (double)n->total_calls;
		ret->node[ret->n_nodes].share = (double)n->total_objs / (double)packets;
		ret->n_nodes++;
	}
}

/* Nodes' cycles are means, so they hold what the host took away; scaled, they add up to the median total. */
static void nodes_scale(struct result *ret)
{
	double sum = 0;

	for (uint32_t i = 0; i < ret->n_nodes; i++)
		sum += ret->node[i].cycles * ret->node[i].share;
	for (uint32_t i = 0; i < ret->n_nodes; i++)
		ret->node[i].cycles *= ret->total.median / sum;
}

/* Instructions and cache misses of the workload's own slices, where the machine lets us count. */
static void count_events(const struct workload *w, const struct params *p, struct result *ret,
			 uint64_t cycles)
{
	struct perf_counts c;
	uint64_t came;

	ret->instructions = ret->cache_misses = -1;
	if (perf_open() < 0)
		return;
	came = device_came();
	perf_start();
	slice_run(w, SLICE_TOTAL, p->burst, cycles * 50);
	perf_stop(&c);
	came = device_came() - came;
	ret->instructions = c.instructions < 0 ? -1 : c.instructions / (double)came;
	ret->cache_misses = c.cache_misses < 0 ? -1 : c.cache_misses / (double)came;
	perf_close();
}

int bench_measure(const struct workload *w, const struct params *p, struct result *ret)
{
	unsigned rounds = RTE_MIN(RTE_MAX(p->rounds, 3u), ROUNDS_MAX);
	uint64_t hz = rte_get_tsc_hz(), cycles = (uint64_t)((double)hz * SLICE_MS / 1000);
	double want = p->seconds * 1000 / (rounds * SLICE_MS * N_SLICES);
	unsigned k = (unsigned)RTE_MIN(RTE_MAX(want, (double)SLICES_MIN), (double)SLICES_MAX);
	double *slice[N_VALUES] = { 0 }, *round[N_VALUES] = { 0 };
	uint64_t total = 0, lost;
	int rc = -ENOMEM;

	for (unsigned i = 0; i < N_VALUES; i++) {
		slice[i] = calloc(k, sizeof(double));
		round[i] = calloc(rounds, sizeof(double));
		if (slice[i] == NULL || round[i] == NULL)
			goto out;
	}
	device_write(DEVICE_FRESH);
	device_reset();
	rcu_worker_register(0);
	for (unsigned i = 0; i < N_SLICES; i++) /* warm up */
		slice_run(w, i, p->burst, cycles * 100);
	nodes_zero();
	for (unsigned r = 0; r < rounds; r++) {
		for (unsigned i = 0; i < k; i++) {
			slice[SLICE_FLOOR][i] = slice_run(w, SLICE_FLOOR, p->burst, cycles);
			slice[SLICE_IO][i] = slice_run(w, SLICE_IO, p->burst, cycles);
			uint64_t came = device_came();
			slice[SLICE_TOTAL][i] = slice_run(w, SLICE_TOTAL, p->burst, cycles);
			total += device_came() - came;
			slice[3][i] = slice[SLICE_TOTAL][i] - slice[SLICE_FLOOR][i];
			slice[4][i] = slice[3][i] / slice[SLICE_FLOOR][i];
		}
		for (unsigned v = 0; v < N_VALUES; v++)
			round[v][r] = median(slice[v], k);
	}
	nodes_take(ret, total);
	count_events(w, p, ret, cycles);
	rcu_worker_unregister(0);
	lost = w->begin != NULL ? 0 : device_sent() - device_came();
	device_write(DEVICE_OFF);

	ret->floor = band_of(round[0], rounds);
	ret->io = band_of(round[1], rounds);
	ret->total = band_of(round[2], rounds);
	ret->net = band_of(round[3], rounds);
	ret->ratio = band_of(round[4], rounds);
	nodes_scale(ret);
	ret->tsc_mhz = (double)hz / 1e6;
	ret->mpps = ret->tsc_mhz / ret->total.median;
	ret->huge = world_huge();
	ret->packets = total;
	ret->frame_octets = device_mean_len();
	ret->fresh_octets = device_fresh();
	ret->noisy = ret->ratio.q3 - ret->ratio.q1 > NOISE_FLOORS &&
		     ret->ratio.q3 - ret->ratio.q1 > NOISE_PART * fabs(ret->ratio.median);
	rc = 0;
	if (lost != 0) {
		snprintf(ret->said, sizeof(ret->said),
			 "%llu packets did not come out while measuring", (unsigned long long)lost);
		rc = -EBADMSG;
	}
out:
	for (unsigned i = 0; i < N_VALUES; i++) {
		free(slice[i]);
		free(round[i]);
	}
	return rc;
}

/* Octets of memory that this process has. */
static uint64_t memory_now(void)
{
	unsigned long long all, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f == NULL || fscanf(f, "%llu %llu", &all, &resident) != 2)
		resident = 0;
	if (f != NULL)
		fclose(f);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint32_t entries_of(const struct workload *w, const struct params *p)
{
	uint32_t n = params_uses(w, "routes") ? p->routes : 0;

	if (params_uses(w, "sids"))
		n = RTE_MAX(n, p->sids);
	return params_uses(w, "policies") ? RTE_MAX(n, p->policies) : n;
}

static uint64_t table_octets; /* of the last bench_start() */

int bench_start(const struct workload *w, const struct params *p)
{
	uint64_t before, after;
	int rc = world_start(p);

	if (rc < 0)
		return rc;
	before = memory_now();
	if (w->setup != NULL)
		w->setup(p);
	world_settle();
	after = memory_now();
	table_octets = after > before ? after - before : 0;
	rc = device_load(w, p);
	if (rc == 0 && w->begin != NULL) {
		w->begin(p);
		world_commit();
	}
	return rc;
}

int bench_run(const struct workload *w, const struct params *p, struct result *ret)
{
	int rc;

	memset(ret, 0, sizeof(*ret));
	snprintf(ret->workload, sizeof(ret->workload), "%s", w->name);
	ret->params = *p;
	rc = bench_start(w, p);
	if (rc < 0) {
		snprintf(ret->said, sizeof(ret->said),
			 "the engine or the workload did not start (%s)", strerror(-rc));
		return rc;
	}
	ret->table_octets = table_octets;
	ret->entries = entries_of(w, p);
	if (p->verify) {
		struct params timed = *p;

		rc = bench_verify(w, p, ret);
		timed.verify = false; /* frames are kept whole only to verify */
		if (rc == 0)
			rc = device_load(w, &timed);
	}
	if (rc == 0 && bench_before_measure != NULL)
		bench_before_measure();
	if (rc == 0)
		rc = bench_measure(w, p, ret);
	world_stop();
	return rc;
}
