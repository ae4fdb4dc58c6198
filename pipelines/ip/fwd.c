/* SPDX-License-Identifier: BSD-3-Clause
 * Acting on result words: what fwd_result() does not do inline.  Workers. */
#include "pipelines/ip/internal.h"

#define VRF_HOPS_MAX 4u

static uint16_t too_long(struct rte_mbuf *m, uint16_t mtu, unsigned family)
{
	if (family == 6) {
		ip_icmp_error(m, ICMP6_TOO_BIG, 0, mtu);
		return FWD_TOO_BIG;
	}
	if ((be16_get(rte_pktmbuf_mtod(m, const struct ip4_hdr *)->frag) & IP4_DF) == 0)
		return FWD_FRAGMENT;
	ip_icmp_error(m, ICMP4_UNREACH, ICMP4_UNREACH_FRAG, mtu);
	return FWD_TOO_BIG;
}

static uint16_t to_adj(struct fwd *f, struct rte_mbuf *m, uint32_t index, unsigned family)
{
	const struct adj *a = adj_get(index);
	struct hd_meta *mt = meta(m);

	if (a == NULL)
		return FWD_NO_OBJECT;
	mt->object = a->object;
	if (a->state == ADJ_DOWN)
		return FWD_LINK_DOWN;
	if (a->state == ADJ_FAILED) {
		if (family == 6)
			ip_icmp_error(m, ICMP6_UNREACH, ICMP6_UNREACH_ADDR, 0);
		else
			ip_icmp_error(m, ICMP4_UNREACH, ICMP4_UNREACH_HOST, 0);
		return FWD_NEIGH_FAILED;
	}
	if (m->pkt_len > a->mtu)
		return too_long(m, a->mtu, family);
	if (a->state != ADJ_RESOLVED) {
		mt->punt = ip_punt.unresolved;
		return FWD_RESOLVE;
	}
	if (m->data_off < ADJ_HDR_ROOM)
		return FWD_NO_HEADROOM;
	adj_rewrite(m, a, family == 4 ? ETHTYPE_IP4 : ETHTYPE_IP6, f->count);
	return FWD_FORWARD;
}

static uint16_t to_connected(struct rte_mbuf *m, uint32_t index, unsigned family)
{
	const struct iface *i = iface_get(index);

	if (i == NULL)
		return FWD_NO_OBJECT;
	if (!i->up)
		return FWD_LINK_DOWN;
	if (m->pkt_len > i->mtu)
		return too_long(m, i->mtu, family);
	meta(m)->punt = ip_punt.unresolved;
	return FWD_RESOLVE;
}

static uint16_t to_drop(struct rte_mbuf *m, uint32_t index, unsigned family)
{
	switch (index) {
	case HD_RESULT_DROP_UNREACHABLE:
		if (family == 6)
			ip_icmp_error(m, ICMP6_UNREACH, ICMP6_UNREACH_NO_ROUTE, 0);
		else
			ip_icmp_error(m, ICMP4_UNREACH, ICMP4_UNREACH_NET, 0);
		return FWD_UNREACHABLE;
	case HD_RESULT_DROP_PROHIBIT:
		if (family == 6)
			ip_icmp_error(m, ICMP6_UNREACH, ICMP6_UNREACH_ADMIN, 0);
		else
			ip_icmp_error(m, ICMP4_UNREACH, ICMP4_UNREACH_ADMIN, 0);
		return FWD_PROHIBIT;
	default:
		return FWD_BLACKHOLE;
	}
}

static const uint8_t *destination(const struct rte_mbuf *m, unsigned family)
{
	return rte_pktmbuf_mtod_offset(m, const uint8_t *, family == 4 ? 16 : 24);
}

static uint32_t lookup_in(uint32_t vrf, const uint8_t *dst, unsigned family)
{
	const struct fib *fib = family == 4 ? ip_fib4(vrf) : ip_fib6(vrf);

	if (fib == NULL)
		return HD_RESULT(HD_RESULT_NONE, 0);
	return fib_lookup(fib, dst);
}

uint16_t fwd_result_slow(struct fwd *f, struct rte_mbuf *m, uint32_t word, unsigned family)
{
	struct hd_meta *mt = meta(m);
	const struct nhg *g;

	for (unsigned hops = 0;; hops++) {
		uint32_t index = hd_result_index(word);

		mt->result = word;
		switch (hd_result_kind(word)) {
		case HD_RESULT_ADJ:
			return to_adj(f, m, index, family);
		case HD_RESULT_GROUP:
			g = nhg_get(index);
			if (g == NULL)
				return FWD_NO_OBJECT;
			mt->object = g->id;
			if (g->n_up == 0)
				return FWD_GROUP_DOWN;
			mt->result = nhg_select(g, ip_flow_hash(m));
			return to_adj(f, m, hd_result_index(mt->result), family);
		case HD_RESULT_GLEAN:
			return to_connected(m, index, family);
		case HD_RESULT_LOCAL:
			return FWD_LOCAL;
		case HD_RESULT_SID:
			return FWD_SID;
		case HD_RESULT_POLICY:
			return FWD_POLICY;
		case HD_RESULT_PUNT:
			mt->punt = (uint8_t)index;
			return FWD_PUNT;
		case HD_RESULT_DROP:
			return to_drop(m, index, family);
		case HD_RESULT_NONE:
			if (family == 6)
				ip_icmp_error(m, ICMP6_UNREACH, ICMP6_UNREACH_NO_ROUTE, 0);
			else
				ip_icmp_error(m, ICMP4_UNREACH, ICMP4_UNREACH_NET, 0);
			return FWD_NO_ROUTE;
		case HD_RESULT_VRF:
			/* meta->vrf stays: errors and replies go back where the packet came from */
			if (hops == VRF_HOPS_MAX)
				return FWD_VRF_LOOP;
			word = lookup_in(index, f->dst != NULL ? f->dst : destination(m, family),
					 family);
			break;
		default:
			return FWD_NO_OBJECT;
		}
	}
}
