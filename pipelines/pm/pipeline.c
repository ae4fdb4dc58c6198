/* SPDX-License-Identifier: BSD-3-Clause
 * Pipeline pm: performance measurement. */
#include "pipelines/pm/pm.h"
#include "pipelines/pm/reflector.h"
#include "pipelines/pm/sender.h"

static int pm_init(void)
{
	int rc = reflector_init();

	if (rc < 0)
		return rc;
	rc = sender_init();
	if (rc < 0)
		reflector_fini();
	return rc;
}

static void pm_fini(void)
{
	sender_fini();
	reflector_fini();
}

const struct pipeline pm_pipeline = {
	.name = "pm",
	.init = pm_init,
	.fini = pm_fini,
};
