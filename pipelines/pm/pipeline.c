/* SPDX-License-Identifier: BSD-3-Clause
 * Pipeline pm: performance measurement. */
#include "pipelines/pm/pm.h"
#include "pipelines/pm/reflector.h"

const struct pipeline pm_pipeline = {
	.name = "pm",
	.init = reflector_init,
	.fini = reflector_fini,
};
