/* SPDX-License-Identifier: BSD-3-Clause
 * End.X: go to the next segment over the SID's own next hop, without lookup (RFC 8986 4.2), and its cousins that
 * decapsulate first: End.DX6, End.DX4 (4.4, 4.5). */
#include "pipelines/srv6/packet.h"

static enum srv6_endpoint_verdict decap_to_nexthop(struct srv6_pkt *p)
{
	enum srv6_endpoint_verdict v = srv6_plan_decap(p);

	return v == SRV6_EP_DECAP4 || v == SRV6_EP_DECAP6 ? SRV6_EP_CROSS_CONNECT : v;
}

enum srv6_endpoint_verdict srv6_end_x(const struct srv6_sid *s, struct srv6_pkt *p)
{
	enum srv6_endpoint_verdict v = srv6_walk(p);

	if (SRV6_UNLIKELY(v != SRV6_EP_FORWARD))
		return v;
	p->vrf = SRV6_VRF_INGRESS;
	if (SRV6_LIKELY(p->active)) {
		v = srv6_plan_advance(s, p);
		return v == SRV6_EP_FORWARD ? SRV6_EP_CROSS_CONNECT : v;
	}
	if ((s->flavors & HD_SRV6_FLAVOR_USD) != 0 &&
	    (p->upper == IP_NH_IP6 || p->upper == IP_NH_IP4))
		return decap_to_nexthop(p); /* 4.16.3: to J, not by the table */
	return srv6_plan_upper(s, p);
}

static enum srv6_endpoint_verdict end_dx(const struct srv6_sid *s, struct srv6_pkt *p, uint8_t type)
{
	enum srv6_endpoint_verdict v = srv6_walk_last(p);

	if (SRV6_UNLIKELY(v != SRV6_EP_FORWARD))
		return v;
	p->vrf = SRV6_VRF_INGRESS;
	return p->upper == type ? decap_to_nexthop(p) : srv6_plan_upper(s, p);
}

enum srv6_endpoint_verdict srv6_end_dx6(const struct srv6_sid *s, struct srv6_pkt *p)
{
	return end_dx(s, p, IP_NH_IP6);
}

enum srv6_endpoint_verdict srv6_end_dx4(const struct srv6_sid *s, struct srv6_pkt *p)
{
	return end_dx(s, p, IP_NH_IP4);
}
