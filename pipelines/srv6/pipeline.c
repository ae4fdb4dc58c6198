/* SPDX-License-Identifier: BSD-3-Clause
 * Pipeline srv6: local SIDs (node srv6-endpoint) and SR policies (node srv6-encap). */
#include "pipelines/srv6/classifier.h"
#include "pipelines/srv6/endpoint_proxy.h"
#include "pipelines/srv6/hmac_keys.h"
#include "pipelines/srv6/ingress.h"
#include "pipelines/srv6/oam.h"
#include "pipelines/srv6/policy.h"
#include "pipelines/srv6/sid_table.h"
#include "pipelines/srv6/srv6.h"

static int srv6_init(void)
{
	int rc = srv6_policy_init();

	if (rc < 0)
		return rc;
	rc = srv6_hmac_keys_init();
	if (rc < 0)
		goto fini_policy;
	rc = srv6_oam_init();
	if (rc == 0)
		rc = srv6_proxy_init();
	if (rc == 0)
		rc = srv6_sid_table_init();
	if (rc < 0)
		goto fini_keys;
	rc = srv6_classifier_init();
	if (rc < 0)
		goto fini_sid_table;
	rc = srv6_ingress_init();
	if (rc < 0)
		goto fini_classifier;
	rc = srv6_explain_init();
	if (rc < 0)
		goto fini_ingress;
	return 0;
fini_ingress:
	srv6_ingress_fini();
fini_classifier:
	srv6_classifier_fini();
fini_sid_table:
	srv6_sid_table_fini();
fini_keys:
	srv6_oam_fini();
	srv6_hmac_keys_fini();
fini_policy:
	srv6_policy_fini();
	return rc;
}

static void srv6_fini(void)
{
	srv6_ingress_fini();
	srv6_classifier_fini();
	srv6_sid_table_fini();
	srv6_oam_fini();
	srv6_hmac_keys_fini();
	srv6_policy_fini();
}

static void srv6_tick(void)
{
	srv6_policy_tick();
	srv6_classifier_tick();
	srv6_hmac_keys_tick();
}

static void srv6_link_changed(unsigned port_id, int up)
{
	(void)port_id;
	(void)up;
	srv6_policy_link_changed();
}

const struct pipeline srv6_pipeline = {
	.name = "srv6",
	.init = srv6_init,
	.fini = srv6_fini,
	.tick = srv6_tick,
	.link_changed = srv6_link_changed,
};
