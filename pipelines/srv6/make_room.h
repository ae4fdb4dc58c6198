/* SPDX-License-Identifier: BSD-3-Clause
 * Room for outer headers, shared by the nodes that push some. */
#ifndef PIPELINES_SRV6_MAKE_ROOM_H
#define PIPELINES_SRV6_MAKE_ROOM_H

#include "pipelines/ip/ip.h"

/* Room for n octets in front of the packet and an L2 header before them; moves a packet that lies too far in front of
 * its buffer.  False: there is none. */
static inline bool srv6_make_room(struct rte_mbuf *m, uint32_t n)
{
	uint32_t need = n + ADJ_HDR_ROOM, have = rte_pktmbuf_headroom(m), by;
	uint8_t *p;

	if (likely(have >= need))
		return true;
	by = need - have;
	if (m->nb_segs != 1 || rte_mbuf_refcnt_read(m) != 1 || rte_pktmbuf_tailroom(m) < by)
		return false;
	p = rte_pktmbuf_mtod(m, uint8_t *);
	memmove(p + by, p, m->data_len);
	m->data_off = (uint16_t)(m->data_off + by);
	return true;
}

#endif
