/* SPDX-License-Identifier: BSD-3-Clause
 * End.B6.Encaps and End.B6.Encaps.Red: go to the next segment, then push the header of the SID's policy
 * (RFC 8986 4.13, 4.14).  Pushing is srv6-encap's; whether the pushed SRH is reduced is said by the policy. */
#include "pipelines/srv6/packet.h"

enum srv6_endpoint_verdict srv6_end_b6_encaps(const struct srv6_sid *s, struct srv6_pkt *p)
{
	enum srv6_endpoint_verdict v = srv6_walk(p);

	if (SRV6_UNLIKELY(v != SRV6_EP_FORWARD))
		return v;
	p->vrf = SRV6_VRF_INGRESS;
	if (SRV6_UNLIKELY(!p->active))
		return srv6_plan_upper(s, p);
	v = srv6_plan_advance(s, p);
	return v == SRV6_EP_FORWARD ? SRV6_EP_CROSS_CONNECT : v;
}

enum srv6_endpoint_verdict srv6_end_b6_encaps_red(const struct srv6_sid *s, struct srv6_pkt *p)
{
	return srv6_end_b6_encaps(s, p);
}
