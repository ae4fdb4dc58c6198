/* SPDX-License-Identifier: BSD-3-Clause
 * Frames as they are: out of an interface, and the tags of a sub-interface off and on. */
#ifndef PIPELINES_L2_FRAME_H
#define PIPELINES_L2_FRAME_H

#include <string.h>

#include "dataplane/meta.h"
#include "pipelines/l2/l2.h"

enum frame_fate { FRAME_OK, FRAME_NO_IFACE, FRAME_DOWN, FRAME_TOO_BIG };

/* Octets of L2 header that a frame may have besides its MTU: addresses, two tags, ethertype. */
#define FRAME_HDR_MAX 22u

/* Point the metadata to an interface's port, as the frame is, and count it. */
static inline enum frame_fate frame_out(struct rte_mbuf *m, const struct iface *i,
					struct iface_count *count)
{
	if (i == NULL)
		return FRAME_NO_IFACE;
	if (!i->up)
		return FRAME_DOWN;
	if (m->pkt_len > i->mtu + FRAME_HDR_MAX)
		return FRAME_TOO_BIG;
	iface_egress(m, i->port, i->id, count);
	return FRAME_OK;
}

/* Take n tags off behind the addresses, which are in the first buffer. */
static inline void frame_pop(struct rte_mbuf *m, unsigned n)
{
	uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);

	if (n == 0)
		return;
	memmove(p + 4 * n, p, 12);
	rte_pktmbuf_adj(m, (uint16_t)(4 * n));
}

/* Put the tags of an interface on.  False: no room in the buffer. */
static inline bool frame_push(struct rte_mbuf *m, const struct iface *i)
{
	unsigned n = 4u * i->n_tags;
	uint8_t *p;

	if (n == 0)
		return true;
	p = (uint8_t *)rte_pktmbuf_prepend(m, (uint16_t)n);
	if (p == NULL)
		return false;
	memmove(p, p + n, 12);
	for (unsigned t = 0; t < i->n_tags; t++) {
		wire_put16(p + 12 + 4 * t, i->tag[t].tpid);
		wire_put16(p + 14 + 4 * t, i->tag[t].vid);
	}
	return true;
}

#endif
