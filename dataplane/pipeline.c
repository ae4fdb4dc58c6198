/* SPDX-License-Identifier: BSD-3-Clause
 * Walks the list of pipelines. */
#include "dataplane/pipeline.h"

#include <stddef.h>
#include <string.h>

#include "dataplane/log.h"

static unsigned n_up;

int pipelines_init(void)
{
	for (n_up = 0; pipelines[n_up] != NULL; n_up++) {
		int rc = pipelines[n_up]->init();

		if (rc < 0) {
			log_error("%s: pipeline could not be set up (%s)", pipelines[n_up]->name,
				  strerror(-rc));
			pipelines_fini();
			return rc;
		}
	}
	return 0;
}

void pipelines_fini(void)
{
	while (n_up > 0)
		if (pipelines[--n_up]->fini != NULL)
			pipelines[n_up]->fini();
}

void pipelines_tick(void)
{
	for (unsigned i = 0; i < n_up; i++)
		if (pipelines[i]->tick != NULL)
			pipelines[i]->tick();
}

void pipelines_link_changed(unsigned port_id, int up)
{
	for (unsigned i = 0; i < n_up; i++)
		if (pipelines[i]->link_changed != NULL)
			pipelines[i]->link_changed(port_id, up);
}
