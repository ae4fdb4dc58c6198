/* SPDX-License-Identifier: BSD-3-Clause
 * Drops counted by object and reason (layout: include/heddle/stats.h).  A node calls it where it drops a packet, so
 * what is forwarded pays nothing.  The table of a worker is fixed: HD_DROP_ROWS rows, whatever arrives. */
#ifndef DATAPLANE_OBJECT_DROPS_H
#define DATAPLANE_OBJECT_DROPS_H

#include "dataplane/node.h"

/* What an object is counted in: the index of its counter vector, and its row there. */
struct object_name {
	int vec;
	uint32_t id;
};

int object_drops_init(void); /* before the workers are made */

/* One packet of `octets` that the node of slot s drops with that verdict because of the object. */
void object_drop(const struct node_slot *s, struct object_name object, unsigned verdict,
		 uint32_t octets);

#endif
