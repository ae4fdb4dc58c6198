/* SPDX-License-Identifier: BSD-3-Clause
 * What a packet feature brings: a descriptor listed in pipelines/pipelines.c.  Its nodes register themselves
 * (node.h); its tables and object kinds are made in init. */
#ifndef DATAPLANE_PIPELINE_H
#define DATAPLANE_PIPELINE_H

struct pipeline {
	const char *name;
	/* After EAL, limits, stats and RCU, before any graph.  Registers object kinds (objects.h), punt reasons and
	 * statistics vectors, makes tables.  Returns 0 or -Exxx having undone its own work. */
	int (*init)(void);
	void (*fini)(void); /* after the workers stopped; may be NULL */
	void (*tick)(void); /* control thread, every 100 ms; may be NULL */
	void (*link_changed)(unsigned port_id, int up); /* control thread; may be NULL */
};

extern const struct pipeline *const pipelines[]; /* NULL-terminated; pipelines/pipelines.c */

int pipelines_init(void); /* all or none */
void pipelines_fini(void);
void pipelines_tick(void);
void pipelines_link_changed(unsigned port_id, int up);

#endif
