/* SPDX-License-Identifier: BSD-3-Clause
 * Pipeline srv6: local SIDs (node srv6-endpoint) and SR policies (node srv6-encap). */
#include "pipelines/srv6/policy.h"
#include "pipelines/srv6/sid_table.h"
#include "pipelines/srv6/srv6.h"

static int srv6_init(void)
{
	int rc = srv6_policy_init();

	if (rc < 0)
		return rc;
	rc = srv6_sid_table_init();
	if (rc < 0)
		srv6_policy_fini();
	return rc;
}

static void srv6_fini(void)
{
	srv6_sid_table_fini();
	srv6_policy_fini();
}

const struct pipeline srv6_pipeline = {
	.name = "srv6",
	.init = srv6_init,
	.fini = srv6_fini,
};
