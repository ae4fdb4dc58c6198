/* SPDX-License-Identifier: BSD-3-Clause
 * The list of packet features, in the order of their set-up. */
#include "dataplane/pipeline.h"
#include "pipelines/ip/ip.h"
#include "pipelines/l2/l2.h"
#include "pipelines/pm/pm.h"
#include "pipelines/srv6/srv6.h"

const struct pipeline *const pipelines[] = {
	&l2_pipeline, &ip_pipeline, &srv6_pipeline, &pm_pipeline, NULL,
};
