/* SPDX-License-Identifier: BSD-3-Clause
 * HMAC-SHA-256 against the vectors of RFC 4231 sections 4.2, 4.3 and 4.7, whole and in parts. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/hmac.h"

static void check(const void *key, size_t key_len, const char *text, const char *want)
{
	char hex[2 * HMAC_SHA256_LEN + 1];
	uint8_t got[HMAC_SHA256_LEN];
	struct hmac_key k;
	size_t len = strlen(text);

	hmac_key_init(&k, key, key_len);
	for (size_t cut = 0; cut <= len; cut++) {
		struct hmac_part p[] = { { text, cut }, { text + cut, len - cut } };

		hmac_sha256(&k, p, 2, got);
		for (unsigned i = 0; i < sizeof(got); i++)
			snprintf(hex + 2 * i, 3, "%02x", got[i]);
		cr_assert_str_eq(hex, want, "cut at %zu", cut);
	}
}

Test(hmac, rfc4231)
{
	uint8_t key[131];

	memset(key, 0x0b, sizeof(key));
	check(key, 20, "Hi There",
	      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	check("Jefe", 4, "what do ya want for nothing?",
	      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key)); /* longer than a block: hashed first */
	check(key, 131, "Test Using Larger Than Block-Size Key - Hash Key First",
	      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

Test(hmac, equal_and_wipe)
{
	uint8_t a[16] = { 1, 2, 3 }, b[16] = { 1, 2, 3 };

	cr_assert(hmac_equal(a, b, sizeof(a)));
	b[15] = 1;
	cr_assert_not(hmac_equal(a, b, sizeof(a)));
	hmac_wipe(b, sizeof(b));
	for (unsigned i = 0; i < sizeof(b); i++)
		cr_assert_eq(b[i], 0);
}
