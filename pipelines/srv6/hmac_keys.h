/* SPDX-License-Identifier: BSD-3-Clause
 * The configured keys of the HMAC TLV.  Control thread. */
#ifndef PIPELINES_SRV6_HMAC_KEYS_H
#define PIPELINES_SRV6_HMAC_KEYS_H

#include <stdint.h>

struct srv6_hmac_key;

/* A configured key, valid now or not: for signing, which the owner starts and stops; NULL: none.  Good until the next
 * transaction. */
const struct srv6_hmac_key *srv6_hmac_key_get(uint32_t key_id);

int srv6_hmac_keys_init(void); /* object kind SRV6_HMAC_KEY */
void srv6_hmac_keys_fini(void);
void srv6_hmac_keys_tick(void);

#endif
