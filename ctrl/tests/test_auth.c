/* SPDX-License-Identifier: BSD-3-Clause
 * Password files: which lines are good, which passwords fit. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "ctrl/auth.h"

struct row {
	char text[200];
	unsigned bad; /* line */
};

ParameterizedTestParameters(auth, lines)
{
	static struct row rows[] = {
		{ "", 0 },
		{ "\n\n", 0 },
		{ "# a comment\n", 0 },
		{ "alice:$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$aGFzaA", 0 },
		{ "alice:$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$aGFzaA\nbob:plain\n", 2 },
		{ "# x\nalice\n", 2 },
		{ ":$argon2id$x\n", 1 },
		{ "alice:\n", 1 },
		{ "alice:$6$sha512crypt\n", 1 },
		{ "a234567890123456789012345678901234567890123456789012345678901234:$argon2id$x\n",
		  1 },
		{ "-----BEGIN CERTIFICATE-----\n", 1 },
	};
	return cr_make_param_array(struct row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct row *r, auth, lines)
{
	cr_assert_eq(auth_password_check(r->text), r->bad, "%s: line %u", r->text,
		     auth_password_check(r->text));
}

Test(auth, passwords)
{
	char hash[crypto_pwhash_STRBYTES], text[400];

	cr_assert(sodium_init() >= 0);
	cr_assert_eq(crypto_pwhash_str(hash, "right", 5, crypto_pwhash_OPSLIMIT_MIN,
				       crypto_pwhash_MEMLIMIT_MIN),
		     0);
	snprintf(text, sizeof(text), "# users\nbob:%s\nalice:%s", hash, hash);
	cr_assert_eq(auth_password_check(text), 0);
	cr_assert(auth_password_fits(text, "alice", "right"), "the last line has no newline");
	cr_assert(auth_password_fits(text, "bob", "right"));
	cr_assert_not(auth_password_fits(text, "alice", "wrong"));
	cr_assert_not(auth_password_fits(text, "alice", ""));
	cr_assert_not(auth_password_fits(text, "alic", "right"));
	cr_assert_not(auth_password_fits(text, "", "right"));
	cr_assert_not(auth_password_fits("", "alice", "right"));
	/* a damaged hash fits nothing */
	text[strlen(text) - 1] ^= 1;
	cr_assert_not(auth_password_fits(text, "alice", "right"));
}
