/* SPDX-License-Identifier: BSD-3-Clause
 * What one session measured in one stretch of time, as the store keeps it: a few hundred octets.  Bins merge exactly:
 * longer ones are made from shorter ones when somebody asks. */
#ifndef CTRL_PM_BIN_H
#define CTRL_PM_BIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heddle/api/pm_session.h"

struct pm_bin {
	uint64_t start_ms, end_ms; /* since 1970, UTC */
	struct hd_pm_counts c;
	struct hd_pm_hist d[HD_PM_DIRS];
	uint32_t own_error, peer_error; /* error estimates; of merged bins the last ones */
	bool synced;                    /* both clocks, throughout */
};

#define PM_BIN_MAX 12288u /* octets of the longest form */

/* Octets written, or 0: cap is too small. */
size_t pm_bin_encode(const struct pm_bin *b, uint8_t *buf, size_t cap);
/* Times are not part of it.  0, or -EBADMSG. */
int pm_bin_decode(const uint8_t *buf, size_t len, struct pm_bin *ret);
/* More of the same session.  `to` all zero: becomes `from`. */
void pm_bin_merge(struct pm_bin *to, const struct pm_bin *from);

#endif
