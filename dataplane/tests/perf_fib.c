/* SPDX-License-Identifier: BSD-3-Clause */
/* Cost of the forwarding table: cycles per lookup, per added and per deleted route, bytes per route.
 * Not a test: figures depend on the machine and on what else it does; compare within one run only.
 *
 * usage: perf_fib [flows [rounds]]
 * Route mixes follow what the Internet's tables look like: IPv4 mostly /24 below some 45 k /16s; IPv6 mostly /48 in
 * /32s of the registries' blocks, and 5 % /128.  Flows go to random addresses inside random routes. */
#include <inttypes.h>
#include <rte_cycles.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dataplane/rcu.h"
#include "dataplane/result.h"
#include "dataplane/tables/fib.h"

struct prefix {
	uint8_t key[16];
	uint8_t plen;
};

static uint64_t seed = 88172645463325252ull;

static uint32_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed >> 16;
}

static unsigned pick(const uint8_t (*mix)[2], unsigned n)
{
	unsigned x = rnd() % 100, i = 0;

	while (i + 1 < n && x >= mix[i][1])
		x -= mix[i++][1];
	return mix[i][0];
}

static void key_cut(uint8_t key[16], unsigned plen)
{
	for (unsigned b = plen; b < 128; b++)
		key[b / 8] &= ~(0x80u >> (b % 8));
}

static struct prefix prefix4(void)
{
	static const uint8_t mix[][2] = { { 24, 61 }, { 23, 10 }, { 22, 11 }, { 21, 5 },
					  { 20, 4 },  { 19, 3 },  { 18, 2 },  { 17, 1 },
					  { 16, 1 },  { 32, 1 },  { 29, 1 } };
	struct prefix p = { .plen = pick(mix, sizeof(mix) / sizeof(mix[0])) };
	uint32_t block = rnd() % 45000 * 40503u % 57344 + 256; /* 1.0/16 .. 224.255/16, scattered */

	p.key[0] = block >> 8;
	p.key[1] = block;
	p.key[2] = rnd();
	p.key[3] = rnd();
	key_cut(p.key, p.plen);
	return p;
}

static struct prefix prefix6(void)
{
	static const uint8_t mix[][2] = { { 48, 52 }, { 32, 11 }, { 44, 10 }, { 40, 9 }, { 36, 5 },
					  { 29, 3 },  { 64, 3 },  { 128, 5 }, { 46, 2 } };
	static const uint16_t top[] = { 0x2001, 0x2400, 0x2401, 0x2402, 0x2403, 0x2404, 0x2405,
					0x2406, 0x2407, 0x2409, 0x240e, 0x2600, 0x2602, 0x2603,
					0x2604, 0x2605, 0x2606, 0x2607, 0x2620, 0x2800, 0x2801,
					0x2803, 0x2804, 0x2806, 0x2a00, 0x2a01, 0x2a02, 0x2a03,
					0x2a04, 0x2a05, 0x2a06, 0x2a07, 0x2a09, 0x2a0a, 0x2a0b,
					0x2a0c, 0x2a0d, 0x2a0e, 0x2a0f, 0x2c0f };
	struct prefix p = { .plen = pick(mix, sizeof(mix) / sizeof(mix[0])) };
	uint16_t t = top[rnd() % 40];
	uint16_t block = rnd() % 700 * 40503u; /* 28 k /32s */

	p.key[0] = t >> 8;
	p.key[1] = t;
	p.key[2] = block >> 8;
	p.key[3] = block;
	for (unsigned b = 4; b < 16; b++)
		p.key[b] = rnd();
	if (rnd() % 2) /* people number their sites from 0 */
		p.key[4] = 0;
	key_cut(p.key, p.plen);
	return p;
}

static void flow_in(const struct prefix *p, unsigned bytes, uint8_t *key)
{
	for (unsigned b = 0; b < bytes; b++)
		key[b] = rnd();
	for (unsigned b = 0; b < p->plen; b++) {
		uint8_t bit = 0x80u >> (b % 8);
		key[b / 8] = (key[b / 8] & ~bit) | (p->key[b / 8] & bit);
	}
}

static uint64_t now(void)
{
	return rte_rdtsc();
}

static double tsc_ghz(void)
{
	struct timespec a, b;
	uint64_t t0, t1;

	clock_gettime(CLOCK_MONOTONIC, &a);
	t0 = now();
	do
		clock_gettime(CLOCK_MONOTONIC, &b);
	while ((b.tv_sec - a.tv_sec) * 1000000000l + b.tv_nsec - a.tv_nsec < 50000000l);
	t1 = now();
	return (double)(t1 - t0) / ((b.tv_sec - a.tv_sec) * 1e9 + (b.tv_nsec - a.tv_nsec));
}

static int cmp_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Median over rounds of the cycles per lookup, flows in random order. */
static double lookups(const struct fib *f, bool v6, uint8_t *keys, unsigned flows, unsigned bulk,
		      unsigned rounds, uint64_t *sum)
{
	unsigned bytes = v6 ? 16 : 4;
	uint32_t res[256];
	uint64_t took[64];

	if (rounds > 64)
		rounds = 64;
	for (unsigned r = 0; r < rounds; r++) {
		uint64_t t = now();
		for (unsigned i = 0; i + bulk <= flows; i += bulk) {
			if (v6)
				fib_lookup_bulk6(f, (const uint8_t(*)[16])(keys + (size_t)i * 16),
						 res, bulk);
			else
				fib_lookup_bulk4(f, (const uint32_t *)(keys + (size_t)i * bytes),
						 res, bulk);
			*sum += res[0] + res[bulk - 1];
		}
		took[r] = now() - t;
	}
	qsort(took, rounds, sizeof(took[0]), cmp_u64);
	return (double)took[rounds / 2] / (flows / bulk * bulk);
}

static void run(bool v6, unsigned root_bits, unsigned n, unsigned flows, unsigned rounds,
		double ghz)
{
	struct fib *f = fib_create(&(struct fib_conf){ v6 ? FIB_IP6 : FIB_IP4, root_bits, n });
	struct prefix *p = malloc(n * sizeof(*p));
	unsigned bytes = v6 ? 16 : 4;
	uint8_t *keys = aligned_alloc(64, ((size_t)flows * bytes + 63) & ~63ul);
	struct fib_stats st, end;
	uint64_t sum = 0, t, add, del, set;
	unsigned have = 0, tries = 0;

	if (f == NULL || p == NULL || keys == NULL) {
		perror("perf_fib");
		exit(1);
	}
	while (have < n && tries++ < 100 * n) { /* distinct prefixes, found with the table itself */
		p[have] = v6 ? prefix6() : prefix4();
		if (fib_get_exact(f, p[have].key, p[have].plen) == 0 &&
		    fib_set(f, p[have].key, p[have].plen,
			    HD_RESULT(HD_RESULT_ADJ, 1 + rnd() % 1000)) == 0)
			have++;
	}
	rcu_drain();
	fib_stats_get(f, &st);
	for (unsigned i = 0; i < flows; i++)
		flow_in(&p[rnd() % have], bytes, keys + (size_t)i * bytes);
	printf("v%d root %2u  %7u routes  lookup", v6 ? 6 : 4, root_bits, have);
	for (unsigned bulk = 32; bulk <= 256; bulk *= 2)
		printf(" %5.1f", lookups(f, v6, keys, flows, bulk, rounds, &sum));

	for (unsigned i = have - 1; i > 0; i--) {
		unsigned j = rnd() % (i + 1);
		struct prefix x = p[i];
		p[i] = p[j];
		p[j] = x;
	}
	t = now();
	for (unsigned i = 0; i < have; i++)
		fib_set(f, p[i].key, p[i].plen, HD_RESULT(HD_RESULT_ADJ, 2000 + i % 1000));
	set = now() - t;
	t = now();
	for (unsigned i = 0; i < have; i++)
		fib_del(f, p[i].key, p[i].plen);
	del = now() - t;
	rcu_drain();
	fib_stats_get(f, &end);
	t = now();
	for (unsigned i = 0; i < have; i++)
		fib_set(f, p[i].key, p[i].plen, HD_RESULT(HD_RESULT_ADJ, 1 + i % 1000));
	add = now() - t;
	printf("  add %4.0f change %4.0f del %4.0f ns  reader %5.1f writer %5.1f B/route, %u nodes%s%s\n",
	       add / ghz / have, set / ghz / have, del / ghz / have, (double)st.reader_bytes / have,
	       (double)st.writer_bytes / have, st.nodes,
	       end.routes + end.nodes != 0 ? " LEFTOVER" : "", sum == 0 ? " NOTHING FOUND" : "");
	fflush(stdout);
	fib_destroy(f);
	rcu_drain();
	free(keys);
	free(p);
}

static void nothing(void *p)
{
	(void)p;
}

/* Cost of rcu_retire() and of what it does in the background, with an online reader that reports now and then. */
static void retire(double ghz)
{
	enum { N = 10000000 };
	static int obj;
	uint64_t t;

	rcu_worker_register(0);
	t = now();
	for (unsigned i = 0; i < N; i++) {
		rcu_retire(&obj, nothing);
		if (i % 256 == 0)
			rcu_worker_quiescent(0);
	}
	t = now() - t;
	rcu_worker_unregister(0);
	rcu_drain();
	printf("rcu_retire: %.1f ns each, in the end\n", t / ghz / N);
}

int main(int argc, char **argv)
{
	static const unsigned n4[] = { 1, 1000, 1000000 }, n6[] = { 1, 1000, 100000, 250000 };
	static const unsigned root[] = { 0, 16, 24 };
	unsigned flows = argc > 1 ? strtoul(argv[1], NULL, 0) : 65536;
	unsigned rounds = argc > 2 ? strtoul(argv[2], NULL, 0) : 21;
	double ghz = tsc_ghz();

	rcu_init(1);
	retire(ghz);
	printf("TSC %.2f GHz, %u flows; lookup: cycles in bulks of 32 64 128 256\n", ghz, flows);
	for (unsigned r = 0; r < 3; r++) {
		for (unsigned i = 0; i < 3; i++)
			run(false, root[r], n4[i], flows, rounds, ghz);
	}
	for (unsigned r = 0; r < 3; r++) {
		for (unsigned i = 0; i < 4; i++)
			run(true, root[r], n6[i], flows, rounds, ghz);
	}
	rcu_fini();
	return 0;
}
