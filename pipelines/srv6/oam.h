/* SPDX-License-Identifier: BSD-3-Clause
 * O-flag of the SRH (RFC 9259 section 2.1): copies of marked packets, with time stamps, for the OAM process.
 * A copy is never processed further here: nothing answers what is in it. */
#ifndef PIPELINES_SRV6_OAM_H
#define PIPELINES_SRV6_OAM_H

#include "pipelines/srv6/packet.h"

struct rte_mbuf;
struct worker;

/* Worker, before the packet is changed: keep a copy if its SRH has the O-flag and the policer of "srv6-oam" allows. */
void srv6_oam_copy(struct worker *w, struct rte_mbuf *m, const struct srv6_pkt *p);

int srv6_oam_init(void); /* punt reason "srv6-oam", request SRV6_OAM_STATE */
void srv6_oam_fini(void);

#endif
