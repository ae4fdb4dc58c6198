/* SPDX-License-Identifier: BSD-3-Clause
 * Cycles of one HMAC-SHA-256 over the text of an SRH with 1 to 16 segments: one by one, as libcrypto computes it, and
 * side by side through the crypto device, by how many there are at once (128 are two times 64).
 *
 *   ninja -C build dataplane/tests/perf_hmac && build/dataplane/tests/perf_hmac [rounds] */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include <rte_common.h>
#include <rte_eal.h>

#include "dataplane/hmac_many.h"

#define DIGESTS 100000u
#define MOST    128u

static const unsigned segments[] = { 1, 2, 3, 4, 8, 16 };
static struct hmac_job job[MOST];

static int cmp(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double one_round(unsigned n)
{
	unsigned long long start = __rdtsc();

	for (unsigned i = 0; i < DIGESTS; i += n) {
		hmac_many(job, n);
		memcpy(job[0].text, job[n - 1].digest,
		       sizeof(uint64_t)); /* each depends on those before */
	}
	return (double)(__rdtsc() - start) / DIGESTS;
}

static void row(const char *what, unsigned n, double *cycles, unsigned rounds)
{
	printf("%-28s", what);
	for (unsigned s = 0; s < RTE_DIM(segments); s++) {
		for (unsigned i = 0; i < MOST; i++)
			job[i].len = (uint16_t)(24 + 16 * segments[s]);
		one_round(n);
		for (unsigned i = 0; i < rounds; i++)
			cycles[i] = one_round(n);
		qsort(cycles, rounds, sizeof(*cycles), cmp);
		printf(" %7.0f", cycles[rounds / 2]);
	}
	printf("\n");
}

int main(int argc, char **argv)
{
	static const char *eal[] = {
		"perf_hmac",      "--no-huge",         "-m",         "64", "--no-pci",
		"--no-telemetry", "--log-level=error", "--no-shconf"
	};
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 9;
	struct hmac_key key;
	double *cycles;
	unsigned min;

	if (rounds == 0 || rounds > 1000)
		return 2;
	cycles = calloc(rounds, sizeof(*cycles));
	if (cycles == NULL || rte_eal_init((int)RTE_DIM(eal), (char **)(uintptr_t)eal) < 0)
		return 1;
	hmac_key_init(&key, "srv6-test-key-00", 16);
	key.session = hmac_session_create("srv6-test-key-00", 16);
	for (unsigned i = 0; i < MOST; i++)
		job[i].key = &key;
	printf("cycles per digest, median of %u rounds of %u\n%-28s", rounds, DIGESTS, "segments");
	for (unsigned s = 0; s < RTE_DIM(segments); s++)
		printf(" %7u", segments[s]);
	printf("\n");
	min = hmac_many_min;
	hmac_many_min = UINT_MAX;
	row("libcrypto", MOST, cycles, rounds);
	hmac_many_min = 1;
	for (unsigned n = 1; key.session != NULL && n <= MOST; n *= 2) {
		char what[32];

		snprintf(what, sizeof(what), "ipsec-mb, %u at once", n);
		row(what, n, cycles, rounds);
	}
	if (key.session == NULL)
		printf("no crypto device: install librte-crypto-ipsec-mb\n");
	else if (min == UINT_MAX)
		printf("the data plane uses libcrypto only\n");
	else
		printf("the data plane uses ipsec-mb for %u and more at once\n", min);
	hmac_session_free(key.session);
	hmac_many_fini();
	free(cycles);
	rte_eal_cleanup();
	return 0;
}
