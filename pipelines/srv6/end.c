/* SPDX-License-Identifier: BSD-3-Clause
 * End and End.T: go to the next segment by a lookup (RFC 8986 4.1, 4.3), with flavors PSP, USP, USD (4.16). */
#include "pipelines/srv6/packet.h"

enum srv6_endpoint_verdict srv6_end(const struct srv6_sid *s, struct srv6_pkt *p)
{
	enum srv6_endpoint_verdict v = srv6_walk(p);

	if (SRV6_UNLIKELY(v != SRV6_EP_FORWARD))
		return v;
	p->vrf = s->vrf6; /* End: SRV6_VRF_INGRESS */
	if (SRV6_LIKELY(p->active))
		return srv6_plan_advance(s, p);
	if ((s->flavors & HD_SRV6_FLAVOR_USD) != 0 &&
	    (p->upper == IP_NH_IP6 || p->upper == IP_NH_IP4))
		return srv6_plan_decap(p); /* 4.16.3; the USP pop, if any, is part of it */
	return srv6_plan_upper(s, p); /* USP: what is delivered or quoted needs no pop (4.16.2) */
}

enum srv6_endpoint_verdict srv6_end_t(const struct srv6_sid *s, struct srv6_pkt *p)
{
	return srv6_end(s, p); /* the table is in the SID */
}
