/* SPDX-License-Identifier: BSD-3-Clause
 * Messages that hold a secret: one list.  A data plane never shows such octets again: dumps read them as zeros, and
 * what it keeps of them is wiped when it goes. */
#ifndef HEDDLE_API_SECRET_H
#define HEDDLE_API_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "heddle/api/pm.h"
#include "heddle/api/srv6.h"

/* Octets of the body of a message of this type that are secret.  False: none. */
static inline bool hd_api_secret(uint16_t type, size_t *ret_off, size_t *ret_len)
{
	switch (type) {
	case HD_API_SRV6_HMAC_KEY:
		*ret_off = offsetof(struct hd_api_srv6_hmac_key, secret);
		*ret_len = sizeof(((struct hd_api_srv6_hmac_key *)0)->secret);
		return true;
	case HD_API_PM_KEY:
		*ret_off = offsetof(struct hd_api_pm_key, secret);
		*ret_len = sizeof(((struct hd_api_pm_key *)0)->secret);
		return true;
	default:
		return false;
	}
}

#endif
