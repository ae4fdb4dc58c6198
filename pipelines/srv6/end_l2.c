/* SPDX-License-Identifier: BSD-3-Clause
 * End.DX2, End.DX2V, End.DT2U, End.DT2M: remove the outer headers from an Ethernet frame (RFC 8986 4.9 to 4.12).
 * Where it goes then is the node's part (endpoint_l2.c). */
#include "pipelines/srv6/packet.h"

#define ETH_HDR 14u

static enum srv6_endpoint_verdict end_l2(const struct srv6_sid *s, struct srv6_pkt *p,
					 enum srv6_endpoint_verdict out)
{
	enum srv6_endpoint_verdict v = srv6_walk_last(p);

	if (SRV6_UNLIKELY(v != SRV6_EP_FORWARD))
		return v;
	p->vrf = SRV6_VRF_INGRESS;
	if (p->upper != IP_NH_ETHERNET)
		return srv6_plan_upper(s, p);
	return p->head >= p->upper_off + ETH_HDR ? out : SRV6_EP_INNER_SHORT;
}

enum srv6_endpoint_verdict srv6_end_dx2(const struct srv6_sid *s, struct srv6_pkt *p)
{
	return end_l2(s, p, SRV6_EP_L2_PORT);
}

enum srv6_endpoint_verdict srv6_end_dx2v(const struct srv6_sid *s, struct srv6_pkt *p)
{
	return end_l2(s, p, SRV6_EP_L2_PORT);
}

enum srv6_endpoint_verdict srv6_end_dt2u(const struct srv6_sid *s, struct srv6_pkt *p)
{
	return end_l2(s, p, SRV6_EP_L2_BRIDGE);
}

enum srv6_endpoint_verdict srv6_end_dt2m(const struct srv6_sid *s, struct srv6_pkt *p)
{
	return end_l2(s, p, SRV6_EP_L2_BRIDGE);
}
