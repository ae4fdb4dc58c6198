/* SPDX-License-Identifier: BSD-3-Clause
 * End.DT6, End.DT4, End.DT46: remove the outer headers, go on with the inner packet in the SID's table
 * (RFC 8986 4.6, 4.7, 4.8).  The outer hop limit does not matter: the packet has arrived (RFC 8200 section 3). */
#include "pipelines/srv6/packet.h"

static enum srv6_endpoint_verdict end_dt(const struct srv6_sid *s, struct srv6_pkt *p, bool v4,
					 bool v6)
{
	enum srv6_endpoint_verdict v = srv6_walk_last(p);

	if (SRV6_UNLIKELY(v != SRV6_EP_FORWARD))
		return v;
	if (v6 && p->upper == IP_NH_IP6) {
		p->vrf = s->vrf6;
		return srv6_plan_decap(p);
	}
	if (v4 && p->upper == IP_NH_IP4) {
		p->vrf = s->vrf4;
		return srv6_plan_decap(p);
	}
	p->vrf = SRV6_VRF_INGRESS;
	return srv6_plan_upper(s, p);
}

enum srv6_endpoint_verdict srv6_end_dt6(const struct srv6_sid *s, struct srv6_pkt *p)
{
	return end_dt(s, p, false, true);
}

enum srv6_endpoint_verdict srv6_end_dt4(const struct srv6_sid *s, struct srv6_pkt *p)
{
	return end_dt(s, p, true, false);
}

enum srv6_endpoint_verdict srv6_end_dt46(const struct srv6_sid *s, struct srv6_pkt *p)
{
	return end_dt(s, p, true, true);
}
