/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipelines/pm/observe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pipelines/pm/altmark.h"
#include "pipelines/pm/ioam.h"

static uint8_t *wanted; /* by interface id: bits of enum observe_who */

static unsigned observe_both(struct worker *w, struct rte_mbuf **m, unsigned n, uint16_t port)
{
	altmark_observe(w, m, n, port); /* first: what ends here was received */
	return ioam_observe(w, m, n, port);
}

static uint8_t wanted_of(uint32_t iface_id)
{
	return wanted[iface_id];
}

static void ports_follow(const struct iface *leaving)
{
	static const struct rx_observer who[] = { { NULL, false },
						  { altmark_observe, true },
						  { ioam_observe, false },
						  { observe_both, false } };
	uint8_t port[WORKER_PORTS_MAX];

	iface_port_bits(wanted_of, leaving, port);
	for (unsigned p = 0; p < WORKER_PORTS_MAX; p++)
		__atomic_store_n(&rx_observer[p], port[p] != 0 ? &who[port[p]] : NULL,
				 __ATOMIC_RELEASE);
}

static void iface_changed(const struct iface *old, const struct iface *new)
{
	if (wanted[(new != NULL ? new : old)->id] != 0)
		ports_follow(new == NULL ? old : NULL);
}

void observe_set(uint32_t iface_id, enum observe_who who, bool on)
{
	wanted[iface_id] = (uint8_t)(on ? wanted[iface_id] | who : wanted[iface_id] & ~who);
	ports_follow(NULL);
}

int observe_init(void)
{
	int rc;

	wanted = calloc(dp_limits.ifaces, 1);
	if (wanted == NULL)
		return -ENOMEM;
	rc = iface_watch(iface_changed);
	if (rc < 0)
		observe_fini();
	return rc;
}

void observe_fini(void)
{
	memset(rx_observer, 0, sizeof(rx_observer));
	free(wanted);
	wanted = NULL;
}
