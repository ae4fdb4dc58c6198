/* SPDX-License-Identifier: BSD-3-Clause
 * Who of this pipeline looks at what a port receives (rx_observer of dataplane/worker.h): alternate marking and IOAM,
 * each on the interfaces it was asked for. */
#ifndef PIPELINES_PM_OBSERVE_H
#define PIPELINES_PM_OBSERVE_H

#include <stdbool.h>

#include "heddle/wire/ip6.h"
#include "pipelines/l2/demux.h"
#include "pipelines/l2/l2.h"

enum observe_who { OBSERVE_ALTMARK = 1, OBSERVE_IOAM = 2 };

/* Control thread: someone looks at packets of an interface from now on, or no longer.  Ports follow the interfaces. */
void observe_set(uint32_t iface_id, enum observe_who who, bool on);
int observe_init(void);
void observe_fini(void);

/* Worker: the interface of a received frame that carries IPv6, is for this node's MAC, and of which the IPv6 header and
 * 8 octets behind it can be read; *ret_off: where that header is.  NULL: another frame. */
static inline const struct iface *observe_frame(uint16_t port, const struct rte_mbuf *m,
						unsigned *ret_off)
{
	const struct demux *d = &demux[port & (WORKER_PORTS_MAX - 1)];
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	const struct iface *in;
	uint16_t type, id;
	uint64_t dst;

	if (m->data_len < 14 + sizeof(struct ip6_fixed) + 8)
		return NULL;
	id = demux_frame(d, p, m->data_len, ret_off, &type);
	in = id == 0 || id == UINT16_MAX ? NULL : iface_get(id);
	memcpy(&dst, p, sizeof(dst));
	if (in == NULL || type != ETHTYPE_IP6 || (dst & 0xffffffffffffull) != in->mac48 ||
	    m->data_len < *ret_off + sizeof(struct ip6_fixed) + 8 || p[*ret_off] >> 4 != 6)
		return NULL;
	return in;
}

#endif
