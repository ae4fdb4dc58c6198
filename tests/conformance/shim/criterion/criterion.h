/* SPDX-License-Identifier: BSD-3-Clause
 * The few assertions that a suite's helpers share with unit tests, for a program that has no Criterion: a failed one
 * ends the row with its text. */
#ifndef CONFORMANCE_SHIM_CRITERION_H
#define CONFORMANCE_SHIM_CRITERION_H

#include <string.h>

/* Ends the row.  fmt NULL: `text`, the condition that does not hold. */
void __attribute__((noreturn, format(printf, 2, 3)))
conf_fail(const char *text, const char *fmt, ...);

#define CONF_ASSERT_(cond, ...)                            \
	do {                                               \
		if (!(cond))                               \
			conf_fail(#cond, " " __VA_ARGS__); \
	} while (0)
#define cr_assert(cond, ...)           CONF_ASSERT_(cond, __VA_ARGS__)
#define cr_assert_eq(a, b, ...)        CONF_ASSERT_((a) == (b), __VA_ARGS__)
#define cr_assert_neq(a, b, ...)       CONF_ASSERT_((a) != (b), __VA_ARGS__)
#define cr_assert_gt(a, b, ...)        CONF_ASSERT_((a) > (b), __VA_ARGS__)
#define cr_assert_geq(a, b, ...)       CONF_ASSERT_((a) >= (b), __VA_ARGS__)
#define cr_assert_lt(a, b, ...)        CONF_ASSERT_((a) < (b), __VA_ARGS__)
#define cr_assert_leq(a, b, ...)       CONF_ASSERT_((a) <= (b), __VA_ARGS__)
#define cr_assert_not_null(a, ...)     CONF_ASSERT_((a) != NULL, __VA_ARGS__)
#define cr_assert_arr_eq(a, b, n, ...) CONF_ASSERT_(memcmp(a, b, n) == 0, __VA_ARGS__)
#define cr_assert_fail(...)            conf_fail("fail", " " __VA_ARGS__)

#endif
