/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by the fuzz targets. A target is LLVMFuzzerTestOneInput() with properties that must hold for any input;
 * libFuzzer hands the input over in a block of exactly its size, so AddressSanitizer sees a read too far. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define fuzz_assert(x)                                                                        \
	do {                                                                                  \
		if (!(x)) {                                                                   \
			fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #x); \
			abort();                                                              \
		}                                                                             \
	} while (0)

/* Reads every octet of [p, p + n), so that a view that points outside is caught where it is made. */
static inline void fuzz_touch(const void *p, size_t n)
{
	const volatile uint8_t *b = p;
	size_t i;

	for (i = 0; i < n; i++)
		(void)b[i];
}

#endif
