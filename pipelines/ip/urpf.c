/* SPDX-License-Identifier: BSD-3-Clause
 * Reverse path check of sources, strict or loose by the ingress interface.  Workers. */
#include "pipelines/ip/lookup.h"

static bool adj_leads_to(uint32_t word, uint16_t iface)
{
	const struct adj *a =
		hd_result_kind(word) == HD_RESULT_ADJ ? adj_get(hd_result_index(word)) : NULL;

	return a != NULL && a->iface == iface;
}

static bool leads_to(uint32_t word, uint16_t iface)
{
	const struct nhg *g;

	switch (hd_result_kind(word)) {
	case HD_RESULT_GLEAN:
		return hd_result_index(word) == iface;
	case HD_RESULT_ADJ:
		return adj_leads_to(word, iface);
	case HD_RESULT_GROUP:
		g = nhg_get(hd_result_index(word));
		for (uint32_t b = 0; g != NULL && b <= g->mask; b++)
			if (adj_leads_to(g->bucket[b], iface))
				return true;
		return false;
	default:
		return false;
	}
}

bool urpf_ok(const struct rte_mbuf *m, const uint8_t *src, unsigned family)
{
	const struct hd_meta *mt = meta((struct rte_mbuf *)(uintptr_t)m);
	const struct iface *i = iface_get(mt->iface);
	const struct fib *fib = family == 4 ? ip_fib4(mt->vrf) : ip_fib6(mt->vrf);
	uint32_t word;

	if (i == NULL || fib == NULL)
		return false;
	word = fib_lookup(fib, src);
	switch (hd_result_kind(word)) {
	case HD_RESULT_NONE:
	case HD_RESULT_DROP:
	case HD_RESULT_LOCAL: /* our own address came from outside */
		return false;
	default:
		break;
	}
	if ((family == 4 ? i->urpf4 : i->urpf6) != HD_URPF_STRICT)
		return true;
	return leads_to(word, mt->iface);
}
