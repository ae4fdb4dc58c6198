/* SPDX-License-Identifier: BSD-3-Clause
 * Pipeline pm: performance measurement, in parts that know nothing of each other. */
#include "pipelines/pm/altmark.h"
#include "pipelines/pm/bfd_table.h"
#include "pipelines/pm/capacity.h"
#include "pipelines/pm/ioam.h"
#include "pipelines/pm/observe.h"
#include "pipelines/pm/pm.h"
#include "pipelines/pm/reflector.h"
#include "pipelines/pm/sender.h"

static const struct part {
	int (*init)(void);
	void (*fini)(void);
} parts[] = {
	{ reflector_init, reflector_fini }, { sender_init, sender_fini },
	{ observe_init, observe_fini },     { altmark_init, altmark_fini },
	{ ioam_init, ioam_fini },           { bfd_table_init, bfd_table_fini },
	{ capacity_init, capacity_fini },
};

static void fini_below(unsigned n)
{
	while (n > 0)
		parts[--n].fini();
}

static void pm_fini(void)
{
	fini_below(sizeof(parts) / sizeof(parts[0]));
}

static int pm_init(void)
{
	for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		int rc = parts[i].init();

		if (rc < 0) {
			fini_below(i);
			return rc;
		}
	}
	return 0;
}

const struct pipeline pm_pipeline = {
	.name = "pm",
	.init = pm_init,
	.fini = pm_fini,
};
