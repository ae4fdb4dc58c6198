/* SPDX-License-Identifier: BSD-3-Clause
 * What tests of configurations have in common: a text becomes objects, or is refused with a reason. */
#ifndef CTRL_TESTS_TEXTS_H
#define CTRL_TESTS_TEXTS_H

#include <criterion/criterion.h>

#include "ctrl/config.h"

/* Of the test that runs: for .init and .fini of a suite. */
extern struct ly_ctx *ly;
extern struct ids *ids;
void texts_init(void);
void texts_fini(void);

/* Parse and compile.  0 or -Exxx, with err filled; *ret: what was made, NULL when it did not parse. */
int texts_take(const char *text, struct config **ret, struct ctrl_err *err);

/* Body of the n-th object of a type, counted from 0; NULL: there are not so many. */
const void *texts_nth(const struct config *cfg, uint16_t type, unsigned n);

/* text with the first `old` in it, which must be there, as `new`.  To be freed. */
char *texts_replace(const char *text, const char *old, const char *new);

/* A change that makes a good text a bad one, and a part of what is said then; "": anything. */
struct bad_row {
	char from[80], to[100], part[64];
};
void texts_refused(const char *good, const struct bad_row *r);

#endif
