/* SPDX-License-Identifier: BSD-3-Clause
 * What srv6-endpoint does for End.AS and End.AD. */
#ifndef PIPELINES_SRV6_ENDPOINT_PROXY_H
#define PIPELINES_SRV6_ENDPOINT_PROXY_H

#include "pipelines/srv6/packet.h"

struct rte_mbuf;
struct worker;

/* End.AD: if the headers of this packet, as it would go on, are not those the way back puts on, hand a copy of them to
 * the control thread, which publishes the policy s->cache anew; at most as often as the policer of "srv6-proxy" allows.
 * Before the outer headers are cut off. */
void srv6_proxy_keep(struct worker *w, const struct srv6_sid *s, struct rte_mbuf *m,
		     const struct srv6_pkt *p);

int srv6_proxy_init(void); /* punt reason "srv6-proxy" */

#endif
