/* SPDX-License-Identifier: BSD-3-Clause
 * Pipeline l2: interfaces and eth-input. */
#include "pipelines/l2/internal.h"
#include "pipelines/l2/l2.h"

static int l2_init(void)
{
	ethertypes_init();
	return iface_init();
}

static void l2_link_changed(unsigned port_id, int up)
{
	(void)up;
	iface_link_changed(port_id);
}

const struct pipeline l2_pipeline = {
	.name = "l2",
	.init = l2_init,
	.fini = iface_fini,
	.tick = iface_tick,
	.link_changed = l2_link_changed,
};
