/* SPDX-License-Identifier: BSD-3-Clause
 * Writer's side of demux.h. */
#include "pipelines/l2/demux.h"

#include <errno.h>
#include <stdlib.h>

#include "dataplane/rcu.h"

struct demux demux[WORKER_PORTS_MAX];

uint16_t demux_get(const struct hd_api_iface *t)
{
	const struct demux *d = &demux[t->port_id];

	return t->outer_tpid == 0 ? d->untagged :
				    demux_find(d, t->outer_tpid, t->outer_vid, t->inner_vid);
}

static void drop_if_empty(struct demux *d, unsigned tpid)
{
	struct demux_outer *o = d->outer[tpid];

	if (o == NULL || o->n != 0)
		return;
	__atomic_store_n(&d->outer[tpid], NULL, __ATOMIC_RELEASE);
	rcu_retire(o, free);
}

int demux_set(const struct hd_api_iface *t, uint16_t id)
{
	struct demux *d = &demux[t->port_id];
	unsigned tpid = demux_tpid(t->outer_tpid);
	struct demux_outer *o = d->outer[tpid];
	struct demux_inner *i;

	if (t->outer_tpid == 0) {
		__atomic_store_n(&d->untagged, id, __ATOMIC_RELAXED);
		return 0;
	}
	if (o == NULL) {
		o = calloc(1, sizeof(*o));
		if (o == NULL)
			return -ENOMEM;
		__atomic_store_n(&d->outer[tpid], o, __ATOMIC_RELEASE);
	}
	if (t->inner_vid == 0) {
		o->n += o->single[t->outer_vid] == 0;
		__atomic_store_n(&o->single[t->outer_vid], id, __ATOMIC_RELAXED);
		return 0;
	}
	i = o->inner[t->outer_vid];
	if (i == NULL) {
		i = calloc(1, sizeof(*i));
		if (i == NULL) {
			drop_if_empty(d, tpid);
			return -ENOMEM;
		}
		__atomic_store_n(&o->inner[t->outer_vid], i, __ATOMIC_RELEASE);
	}
	o->n += i->iface[t->inner_vid] == 0;
	i->n += i->iface[t->inner_vid] == 0;
	__atomic_store_n(&i->iface[t->inner_vid], id, __ATOMIC_RELAXED);
	return 0;
}

void demux_clear(const struct hd_api_iface *t)
{
	struct demux *d = &demux[t->port_id];
	unsigned tpid = demux_tpid(t->outer_tpid);
	struct demux_outer *o = d->outer[tpid];
	struct demux_inner *i;

	if (t->outer_tpid == 0) {
		__atomic_store_n(&d->untagged, 0, __ATOMIC_RELAXED);
		return;
	}
	if (demux_get(t) == 0)
		return;
	o->n--;
	if (t->inner_vid == 0) {
		__atomic_store_n(&o->single[t->outer_vid], 0, __ATOMIC_RELAXED);
	} else {
		i = o->inner[t->outer_vid];
		__atomic_store_n(&i->iface[t->inner_vid], 0, __ATOMIC_RELAXED);
		if (--i->n == 0) {
			__atomic_store_n(&o->inner[t->outer_vid], NULL, __ATOMIC_RELEASE);
			rcu_retire(i, free);
		}
	}
	drop_if_empty(d, tpid);
}
