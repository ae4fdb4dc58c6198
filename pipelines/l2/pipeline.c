/* SPDX-License-Identifier: BSD-3-Clause
 * Pipeline l2: interfaces and eth-input. */
#include "pipelines/l2/bridge.h"
#include "pipelines/l2/internal.h"
#include "pipelines/l2/l2.h"

static int l2_init(void)
{
	int rc = l2_explain_init();

	if (rc < 0)
		return rc;
	ethertypes_init();
	rc = iface_init();
	if (rc < 0)
		return rc;
	rc = bridge_init();
	if (rc < 0)
		iface_fini();
	return rc;
}

static void l2_fini(void)
{
	bridge_fini();
	iface_fini();
}

static void l2_tick(void)
{
	iface_tick();
	bridge_tick();
}

static void l2_link_changed(unsigned port_id, int up)
{
	(void)up;
	iface_link_changed(port_id);
}

const struct pipeline l2_pipeline = {
	.name = "l2",
	.init = l2_init,
	.fini = l2_fini,
	.tick = l2_tick,
	.link_changed = l2_link_changed,
};
