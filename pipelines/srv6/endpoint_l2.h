/* SPDX-License-Identifier: BSD-3-Clause
 * What srv6-endpoint does with a frame whose outer headers are removed. */
#ifndef PIPELINES_SRV6_ENDPOINT_L2_H
#define PIPELINES_SRV6_ENDPOINT_L2_H

#include "pipelines/l2/l2.h"
#include "pipelines/srv6/packet.h"

struct rte_mbuf;

/* End.DX2, End.DX2V: the frame, data at its Ethernet header, as it is out of the SID's interface or of the one its tags
 * name.  Returns SRV6_EP_L2_PORT or why not. */
unsigned srv6_l2_port(const struct srv6_sid *s, struct rte_mbuf *m, struct iface_count *count);

/* The tags a frame shows: outer and inner VID, 0: no such tag. */
void srv6_l2_tags(const uint8_t *frame, uint32_t len, uint16_t *ret_outer, uint16_t *ret_inner);

/* End.DT2U, End.DT2M: say to l2-bridge where the frame comes from; p: the packet as received. */
void srv6_l2_bridge(const struct srv6_sid *s, struct rte_mbuf *m, const struct srv6_pkt *p);

#endif
