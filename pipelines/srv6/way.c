/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipelines/srv6/way.h"

#include "pipelines/ip/ip.h"
#include "pipelines/srv6/policy.h"

#define VRF_HOPS 4u

static enum srv6_way open_if(bool usable)
{
	return usable ? SRV6_WAY_OPEN : SRV6_WAY_DOWN;
}

enum srv6_way srv6_way(uint32_t vrf, const uint8_t dst[16])
{
	for (unsigned hops = 0; hops <= VRF_HOPS; hops++) {
		const struct fib *fib = ip_fib6(vrf);
		uint32_t word = fib != NULL ? fib_lookup(fib, dst) : 0,
			 index = hd_result_index(word);
		const struct srv6_policy *p;
		const struct iface *i;
		const struct nhg *g;
		const struct adj *a;

		switch (hd_result_kind(word)) {
		case HD_RESULT_NONE:
		case HD_RESULT_DROP:
			return SRV6_WAY_NONE;
		case HD_RESULT_GLEAN:
			i = iface_get(index);
			return open_if(i != NULL && i->up);
		case HD_RESULT_ADJ:
			a = adj_get(index);
			return open_if(a != NULL && a->state != ADJ_DOWN);
		case HD_RESULT_GROUP:
			g = nhg_get(index);
			return open_if(g != NULL && g->n_up != 0);
		case HD_RESULT_POLICY:
			p = srv6_policy_get(index);
			return p != NULL && p->n_lists != 0 ? SRV6_WAY_OPEN : SRV6_WAY_NONE;
		case HD_RESULT_VRF:
			vrf = index;
			break;
		default: /* a SID or an address of this node, the control plane */
			return SRV6_WAY_OPEN;
		}
	}
	return SRV6_WAY_NONE;
}
