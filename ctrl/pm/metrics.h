/* SPDX-License-Identifier: BSD-3-Clause
 * Round trips of sessions as /metrics has them: a few buckets, filled from each bin that was closed. */
#ifndef CTRL_PM_METRICS_H
#define CTRL_PM_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heddle/pm_hist.h"

#define PM_METRICS_BUCKETS 15u                         /* without the one for all */
extern const double pm_metrics_le[PM_METRICS_BUCKETS]; /* upper ends, seconds */

struct pm_metrics {
	uint64_t bucket[PM_METRICS_BUCKETS]; /* cumulative: at most pm_metrics_le */
	uint64_t count;
	double sum; /* seconds */
};

/* A bin of session id: counts of a bucket that a limit cuts are below it. */
void pm_metrics_add(uint32_t id, const struct hd_pm_hist *h);
/* NULL: nothing was measured. */
const struct pm_metrics *pm_metrics_of(uint32_t id);

struct ctrl;
/* Line n for /metrics (domains.h). */
bool pm_metrics_line(struct ctrl *c, uint32_t n, uint32_t max, bool open, char *buf, size_t size);
void pm_metrics_fini(void);

#endif
