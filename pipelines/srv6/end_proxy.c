/* SPDX-License-Identifier: BSD-3-Clause
 * Proxies for services that do not know SRv6 (draft-ietf-spring-sr-service-programming): End.AS (static), End.AD
 * (dynamic), End.AM (masquerading), towards the service.  Back from it:
 *   End.AS   the interface from the service steers into a policy that holds what was taken off: the static cache
 *   End.AD   the same; the policy's header is the one last taken off (endpoint_proxy.c)
 *   End.AM   the interface from the service leads to this same SID: the destination tells the directions apart
 * so going back costs what encapsulation and End cost. */
#include <heddle/api/srv6.h>

#include "pipelines/srv6/packet.h"

/* To the payload the service speaks; everything in front of it goes.  SRV6_EP_PROXY, or why not. */
static enum srv6_endpoint_verdict to_service(const struct srv6_sid *s, struct srv6_pkt *p)
{
	enum srv6_endpoint_verdict v;

	switch (s->inner) {
	case HD_SRV6_INNER_ETH:
		if (p->upper != IP_NH_ETHERNET)
			return srv6_plan_upper(s, p);
		return p->head >= p->upper_off + 14u ? SRV6_EP_PROXY : SRV6_EP_INNER_SHORT;
	case HD_SRV6_INNER_IP4:
		if (p->upper != IP_NH_IP4)
			return srv6_plan_upper(s, p);
		break;
	default:
		if (p->upper != IP_NH_IP6)
			return srv6_plan_upper(s, p);
		break;
	}
	v = srv6_plan_decap(p);
	return v == SRV6_EP_DECAP4 || v == SRV6_EP_DECAP6 ? SRV6_EP_PROXY : v;
}

/* Headers up to the upper layer, whatever segments are left. */
static enum srv6_endpoint_verdict walk_through(struct srv6_pkt *p)
{
	enum srv6_endpoint_verdict v = srv6_trim(p);

	if (v != SRV6_EP_FORWARD)
		return v;
	p->pass_srh = true;
	v = srv6_walk_chain(p);
	p->pass_srh = false;
	return v;
}

enum srv6_endpoint_verdict srv6_end_as(const struct srv6_sid *s, struct srv6_pkt *p)
{
	enum srv6_endpoint_verdict v = walk_through(p);

	p->vrf = SRV6_VRF_INGRESS;
	return v == SRV6_EP_FORWARD ? to_service(s, p) : v;
}

enum srv6_endpoint_verdict srv6_end_ad(const struct srv6_sid *s, struct srv6_pkt *p)
{
	enum srv6_endpoint_verdict v = walk_through(p);

	if (v != SRV6_EP_FORWARD)
		return v;
	p->vrf = SRV6_VRF_INGRESS;
	if (!p->active)
		return srv6_plan_upper(s, p) == SRV6_EP_LOCAL ? SRV6_EP_LOCAL :
								SRV6_EP_PROXY_NO_SRH;
	v = srv6_plan_advance(
		s, p); /* what is kept for the way back is the packet as it would go on */
	return v == SRV6_EP_FORWARD ? to_service(s, p) : v;
}

/* Towards the service the destination becomes the last segment, and all else stays; back from it the segment that is
 * next is put there. */
enum srv6_endpoint_verdict srv6_end_am(const struct srv6_sid *s, struct srv6_pkt *p)
{
	enum srv6_endpoint_verdict v = srv6_walk(p);
	uint8_t left;
	bool back;

	if (v != SRV6_EP_FORWARD)
		return v;
	back = !ip6_addr_eq(&((const struct ip6_fixed *)p->ip)->dst, &s->addr);
	p->vrf = SRV6_VRF_INGRESS;
	if (!p->active)
		return !back && srv6_plan_upper(s, p) == SRV6_EP_LOCAL ? SRV6_EP_LOCAL :
									 SRV6_EP_PROXY_NO_SRH;
	left = p->ip[p->srh_off + SRH_OFF_SEGMENTS_LEFT];
	v = srv6_plan_advance(s, p);
	if (v != SRV6_EP_FORWARD || back)
		return v;
	p->pop = false;
	p->left = left;
	p->next_dst = p->ip + p->srh_off + SRH_OFF_LIST;
	return SRV6_EP_CROSS_CONNECT;
}
