/* SPDX-License-Identifier: BSD-3-Clause
 * HMAC-SHA-256 by saved states.  libcrypto's EVP interface allocates for every message and cannot start from a copied
 * state without that; its plain SHA256 functions can, so they are used as of the API before their deprecation. */
#define OPENSSL_API_COMPAT 0x10100000L
#include "dataplane/hmac.h"

#include <assert.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#define BLOCK 64u /* octets of a SHA-256 block, RFC 6234 section 4 */

static_assert(sizeof(SHA256_CTX) <= sizeof(struct hmac_state), "room for libcrypto's state");
static_assert(_Alignof(SHA256_CTX) <= _Alignof(struct hmac_state),
	      "alignment of libcrypto's state");

static void half(struct hmac_state *s, const uint8_t key[BLOCK], uint8_t pad)
{
	uint8_t block[BLOCK];
	SHA256_CTX c;

	for (unsigned i = 0; i < BLOCK; i++)
		block[i] = key[i] ^ pad;
	SHA256_Init(&c);
	SHA256_Update(&c, block, BLOCK);
	memcpy(s, &c, sizeof(c));
	hmac_wipe(block, sizeof(block));
	hmac_wipe(&c, sizeof(c));
}

void hmac_key_init(struct hmac_key *k, const void *secret, size_t len)
{
	uint8_t key[BLOCK] = { 0 };

	memset(k, 0, sizeof(*k));
	if (len > BLOCK) /* RFC 2104 section 2 */
		SHA256(secret, len, key);
	else if (len != 0)
		memcpy(key, secret, len);
	half(&k->inner, key, 0x36);
	half(&k->outer, key, 0x5c);
	hmac_wipe(key, sizeof(key));
}

void hmac_sha256(const struct hmac_key *k, const struct hmac_part *part, unsigned n,
		 uint8_t ret[HMAC_SHA256_LEN])
{
	uint8_t digest[HMAC_SHA256_LEN];
	SHA256_CTX c;

	memcpy(&c, &k->inner, sizeof(c));
	for (unsigned i = 0; i < n; i++)
		SHA256_Update(&c, part[i].data, part[i].len);
	SHA256_Final(digest, &c);
	memcpy(&c, &k->outer, sizeof(c));
	SHA256_Update(&c, digest, sizeof(digest));
	SHA256_Final(ret, &c);
}

void hmac_sha256_128(const struct hmac_key *k, const struct hmac_part *part, unsigned n,
		     uint8_t to[HMAC_SHA256_128_LEN])
{
	uint8_t digest[HMAC_SHA256_LEN];

	hmac_sha256(k, part, n, digest);
	memcpy(to, digest, HMAC_SHA256_128_LEN);
}

bool hmac_sha256_128_is(const struct hmac_key *k, const struct hmac_part *part, unsigned n,
			const uint8_t seen[HMAC_SHA256_128_LEN])
{
	uint8_t want[HMAC_SHA256_LEN];

	hmac_sha256(k, part, n, want);
	return hmac_equal(want, seen, HMAC_SHA256_128_LEN);
}

bool hmac_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

void hmac_wipe(void *p, size_t len)
{
	OPENSSL_cleanse(p, len);
}
