/* SPDX-License-Identifier: BSD-3-Clause
 * Many digests at once equal those computed one by one, whatever the mix of keys, lengths and numbers; and the device
 * is what computes them. */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_eal.h>

#include "dataplane/hmac_many.h"

#define KEYS 5u /* the last has no session */
#define MOST 200u

static struct hmac_key key[KEYS];
static struct hmac_job job[MOST];

static void up(void)
{
	static const char *eal[] = { "test",
				     "--no-huge",
				     "-m",
				     "64",
				     "--no-pci",
				     "--no-shconf",
				     "--no-telemetry",
				     "--log-level=error",
				     "--iova-mode=va" };

	cr_assert_geq(rte_eal_init((int)RTE_DIM(eal), (char **)(uintptr_t)eal), 0);
	for (unsigned i = 0; i < KEYS; i++) {
		uint8_t secret[128];
		size_t len = i == 0 ? 1 : i == 1 ? 64 : i == 2 ? 100 : 16;

		memset(secret, (int)(i + 1), sizeof(secret));
		hmac_key_init(&key[i], secret, len);
		if (i == KEYS - 1)
			continue;
		key[i].session = hmac_session_create(secret, len);
		cr_assert_not_null(key[i].session);
	}
}

static void down(void)
{
	for (unsigned i = 0; i < KEYS; i++)
		hmac_session_free(key[i].session);
	hmac_many_fini();
	rte_eal_cleanup();
}

TestSuite(hmac_many, .init = up, .fini = down, .timeout = 60);

static void check(unsigned n)
{
	uint8_t want[HMAC_SHA256_LEN];

	for (unsigned i = 0; i < n; i++)
		memset(job[i].digest, 0, HMAC_SHA256_LEN);
	hmac_many(job, n);
	for (unsigned i = 0; i < n; i++) {
		const struct hmac_part text = { job[i].text, job[i].len };

		hmac_sha256(job[i].key, &text, 1, want);
		cr_assert_arr_eq(job[i].digest, want, HMAC_SHA256_LEN, "%u of %u, %u octets", i, n,
				 job[i].len);
	}
}

Test(hmac_many, as_one_by_one)
{
	static const unsigned min[] = { 1, 4, 16, UINT_MAX };
	const char *seed = getenv("HEDDLE_SEED");

	srand(seed != NULL ? (unsigned)atoi(seed) : 1);
	for (unsigned turn = 0; turn < 400; turn++) {
		unsigned n = (unsigned)rand() % (MOST + 1), keys = 1 + (unsigned)rand() % KEYS;

		hmac_many_min = min[turn % RTE_DIM(min)];
		for (unsigned i = 0; i < n; i++) {
			job[i].key = &key[(unsigned)rand() % keys];
			job[i].len = (uint16_t)(1 + (unsigned)rand() % HMAC_TEXT_MAX);
			for (unsigned k = 0; k < job[i].len; k++)
				job[i].text[k] = (uint8_t)rand();
		}
		check(n);
	}
}

/* A key whose session is another secret's shows who computes. */
Test(hmac_many, from_min_on_by_the_device)
{
	struct hmac_key two = key[0];
	uint8_t want[HMAC_SHA256_LEN];
	const struct hmac_part text = { "text", 4 };

	two.session = key[1].session;
	hmac_many_min = 8;
	for (unsigned n = 7; n <= 8; n++) {
		for (unsigned i = 0; i < n; i++) {
			job[i].key = &two;
			job[i].len = 4;
			memcpy(job[i].text, "text", 4);
		}
		hmac_many(job, n);
		hmac_sha256(n < 8 ? &key[0] : &key[1], &text, 1, want);
		for (unsigned i = 0; i < n; i++)
			cr_assert_arr_eq(job[i].digest, want, HMAC_SHA256_LEN);
	}
}

/* What is tried first decides: a machine without the device computes all the same. */
Test(hmac_many, measured)
{
	cr_assert(hmac_many_min == UINT_MAX || (hmac_many_min >= 2 && hmac_many_min <= 64 &&
						(hmac_many_min & (hmac_many_min - 1)) == 0));
}
