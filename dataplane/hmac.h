/* SPDX-License-Identifier: BSD-3-Clause
 * HMAC-SHA-256 (RFC 2104, RFC 6234) for the packet path: a key is expanded once, by the control thread, into the two
 * hash states behind its padded halves; a message then costs its own blocks and one more.  libcrypto's SHA-256, which
 * uses the CPU's SHA instructions where it has them.  Nothing here allocates. */
#ifndef DATAPLANE_HMAC_H
#define DATAPLANE_HMAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HMAC_SHA256_LEN 32u

/* One SHA-256 state in the making.  Large enough for libcrypto's; hmac.c asserts it. */
struct hmac_state {
	_Alignas(8) uint8_t opaque[112];
};

struct hmac_key {
	struct hmac_state inner, outer;
	void *session; /* of the crypto device (hmac_many.h), which outlives the key; NULL: none */
};

struct hmac_part {
	const void *data;
	size_t len;
};

/* Any length of secret; the caller wipes its own copy (hmac_wipe()). */
void hmac_key_init(struct hmac_key *k, const void *secret, size_t len);

/* The HMAC of n parts, one behind the other.  Any thread; k is only read. */
void hmac_sha256(const struct hmac_key *k, const struct hmac_part *part, unsigned n,
		 uint8_t ret[HMAC_SHA256_LEN]);

/* The same cut to its first half (HMAC-SHA-256-128 of RFC 4868), written to `to`, or compared with what was seen. */
#define HMAC_SHA256_128_LEN 16u
void hmac_sha256_128(const struct hmac_key *k, const struct hmac_part *part, unsigned n,
		     uint8_t to[HMAC_SHA256_128_LEN]);
bool hmac_sha256_128_is(const struct hmac_key *k, const struct hmac_part *part, unsigned n,
			const uint8_t seen[HMAC_SHA256_128_LEN]);

/* In time that does not depend on where they differ. */
bool hmac_equal(const void *a, const void *b, size_t len);

/* Zero memory in a way the compiler does not leave out. */
void hmac_wipe(void *p, size_t len);

#endif
