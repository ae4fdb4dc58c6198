/* SPDX-License-Identifier: BSD-3-Clause
 * Performance measurement: what other folders may use of it.  STAMP packets come from ip-local by their UDP port. */
#ifndef PIPELINES_PM_PM_H
#define PIPELINES_PM_PM_H

#include "dataplane/pipeline.h"

extern const struct pipeline pm_pipeline;

#endif
