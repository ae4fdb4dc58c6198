/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by the tests of wire formats: exact-size copies, so that AddressSanitizer sees any read too far. */
#ifndef TESTS_WIRE_TEST_H
#define TESTS_WIRE_TEST_H

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>

#include <heddle/wire/wire.h>

#include "tests/pktb.h"
#include "tests/wire/golden.h"

/* A copy of len octets in a block of exactly that size; free() it. */
static inline uint8_t *exact_copy(const void *data, size_t len)
{
	uint8_t *p = malloc(len != 0 ? len : 1);

	cr_assert_not_null(p);
	if (len != 0)
		memcpy(p, data, len);
	return p;
}

/* Runs parse over every prefix of data: those shorter than min must be refused, all others accepted. */
static inline void check_truncation(const char *what, int (*parse)(const uint8_t *p, size_t len),
				    const void *data, size_t len, size_t min)
{
	size_t n;

	for (n = 0; n <= len; n++) {
		uint8_t *p = exact_copy(data, n);
		int rc = parse(p, n);

		if (n < min)
			cr_expect_lt(rc, 0, "%s: %zu of %zu octets accepted", what, n, len);
		else
			cr_expect_geq(rc, 0, "%s: %zu of %zu octets refused: %d", what, n, len, rc);
		free(p);
	}
}

#define ROWS(rows) \
	cr_make_param_array(__typeof__((rows)[0]), rows, sizeof(rows) / sizeof((rows)[0]))

#endif
