/* SPDX-License-Identifier: BSD-3-Clause
 * HMAC-SHA-256 of many messages at once: ipsec-mb through librte_cryptodev's CPU crypto, which computes up to sixteen
 * digests side by side in the calling thread.  It has a fixed cost, so a few messages are quicker one by one
 * (hmac_sha256()); where the line lies depends on the CPU and is measured when the device starts. */
#ifndef DATAPLANE_HMAC_MANY_H
#define DATAPLANE_HMAC_MANY_H

#include "dataplane/hmac.h"

#define HMAC_TEXT_MAX 288u /* octets of one message: the SRH's text of 16 segments has 280 */

/* One message and its digest. */
struct hmac_job {
	const struct hmac_key *key;
	uint16_t len; /* of text, at most HMAC_TEXT_MAX */
	uint8_t text[HMAC_TEXT_MAX];
	uint8_t digest[HMAC_SHA256_LEN]; /* filled in */
};

/* The digests of n messages, under any keys; those under keys with a session are computed together when there are
 * enough.  Any thread; the first call in a thread allocates what the library needs there. */
void hmac_many(struct hmac_job *job, unsigned n);

/* What hmac_many() needs of a key, for struct hmac_key's session.  Starts the device when it is the first.  NULL: this
 * machine has no such device, or it is full; such a key's messages are computed one by one.  Control thread. */
void *hmac_session_create(const void *secret, size_t len);
/* No worker uses it any more; NULL is ignored. */
void hmac_session_free(void *session);

/* Messages under one key from which on the device is used; UINT_MAX: never.  Set by the measurement, and by tests. */
extern unsigned hmac_many_min;

/* Every session has been freed. */
void hmac_many_fini(void);

#endif
