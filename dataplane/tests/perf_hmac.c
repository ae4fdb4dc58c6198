/* SPDX-License-Identifier: BSD-3-Clause
 * Cycles of one HMAC-SHA-256 as the packet path computes it, over the text of lists of 1 to 16 segments in four parts.
 *
 *   ninja -C build dataplane/tests/perf_hmac && build/dataplane/tests/perf_hmac [rounds]
 *
 * The same through a crypto device: dpdk-test-crypto-perf (docs/srv6.md has the command and both results). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include "dataplane/hmac.h"

#define DIGESTS 200000u

static int cmp(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double one_round(const struct hmac_key *k, uint8_t *list, unsigned segments)
{
	static const uint8_t head[24];
	uint8_t ret[HMAC_SHA256_LEN];
	unsigned long long start = __rdtsc();

	for (unsigned i = 0; i < DIGESTS; i++) {
		const struct hmac_part part[] = {
			{ head, 16 }, { head + 16, 2 }, { head + 18, 6 }, { list, 16 * segments }
		};

		hmac_sha256(k, part, 4, ret);
		memcpy(list, ret, sizeof(uint64_t)); /* each depends on the one before */
	}
	return (double)(__rdtsc() - start) / DIGESTS;
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 9;
	static const unsigned segments[] = { 1, 2, 3, 4, 8, 16 };
	uint8_t list[16 * 16] = { 0 };
	struct hmac_key k;
	double *cycles;

	if (rounds == 0 || rounds > 1000)
		return 2;
	cycles = calloc(rounds, sizeof(*cycles));
	if (cycles == NULL)
		return 1;
	hmac_key_init(&k, "srv6-test-key-00", 16);
	printf("segments  text  cycles: median (min-max) of %u rounds of %u\n", rounds, DIGESTS);
	for (unsigned s = 0; s < sizeof(segments) / sizeof(segments[0]); s++) {
		one_round(&k, list, segments[s]);
		for (unsigned i = 0; i < rounds; i++)
			cycles[i] = one_round(&k, list, segments[s]);
		qsort(cycles, rounds, sizeof(*cycles), cmp);
		printf("%8u  %4u  %.0f (%.0f-%.0f)\n", segments[s], 24 + 16 * segments[s],
		       cycles[rounds / 2], cycles[0], cycles[rounds - 1]);
	}
	free(cycles);
	return 0;
}
