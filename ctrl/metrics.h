/* SPDX-License-Identifier: BSD-3-Clause
 * /metrics: counters and gauges as OpenMetrics 1.0, or in Prometheus' older text format for those who do not ask for
 * it.  Rendered from the statistics segment in small slices while it is being sent: no slice holds the loop for long,
 * and the data plane is not asked for anything.  The number of series is bounded: of each kind of object the first
 * ones are told apart, the rest is one series, "_other". */
#ifndef CTRL_METRICS_H
#define CTRL_METRICS_H

#include <stddef.h>
#include <sys/types.h>

#include "ctrl/ctrl.h"
#include "ctrl/http.h"

#define METRICS_SERIES_DEFAULT 1024u /* of each kind of object */

void metrics_get(struct ctrl *c, struct http_req *req);

/* The same without a request, for tests and measurements: octets put into buf (not less than 4096), 0: nothing in this
 * slice, -1: the end, -2: the data plane went away in the middle. */
struct metrics;
struct metrics *metrics_begin(struct ctrl *c, bool open_metrics);
ssize_t metrics_next(void *metrics, char *buf, size_t size);
void metrics_end(void *metrics);

#endif
