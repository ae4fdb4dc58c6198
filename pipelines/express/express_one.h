/* SPDX-License-Identifier: BSD-3-Clause
 * Part of node express: one packet, whose header is usual, by its result word. */
#ifndef PIPELINES_EXPRESS_EXPRESS_ONE_H
#define PIPELINES_EXPRESS_EXPRESS_ONE_H

#include "pipelines/express/express_srv6.h"

#define EXPRESS_GROUP 0xfffeu /* *word has become a member's */

/* Results other than an adjacency. */
EXPRESS_APART rte_edge_t send_other(struct express_run *r, struct rte_mbuf *m, uint8_t *h,
				    unsigned off, unsigned len, uint32_t *word, bool v6)
{
	const struct nhg *g;

	switch (hd_result_kind(*word)) {
	case HD_RESULT_GROUP:
		g = nhg_get(hd_result_index(*word));
		*word = g != NULL ? nhg_select(g, ip_flow_hash_of(h, len)) : 0;
		return EXPRESS_GROUP;
	case HD_RESULT_SID:
		return v6 ? send_sid(r, m, h, off, len, *word) : EXPRESS_FULL;
	case HD_RESULT_POLICY:
		return send_policy(r, m, h, off, len, *word, v6);
	default:
		return EXPRESS_FULL;
	}
}

/* Send a packet by its result word; off: octets of L2 header, len: of IP at h. */
static __rte_always_inline rte_edge_t send(struct express_run *r, struct rte_mbuf *m, uint8_t *h,
					   unsigned off, unsigned len, uint32_t word, bool v6)
{
	unsigned at = m->data_off + off;
	const struct adj *a;

	if (unlikely(hd_result_kind(word) != HD_RESULT_ADJ)) {
		rte_edge_t edge = send_other(r, m, h, off, len, &word, v6);

		if (edge != EXPRESS_GROUP)
			return edge;
	}
	a = adj_for(r, word, len, at);
	if (unlikely(a == NULL))
		return EXPRESS_FULL;
	hop_decrement(h, v6);
	r->n_forward[v6]++;
	return leave(r, m, a, h, at, len, v6);
}

static __rte_always_inline rte_edge_t wait_for_lookup(struct express_run *r, unsigned i,
						      unsigned off, unsigned len, bool v6)
{
	r->wait[v6][r->n_wait[v6]++] = (struct wait){
		.who = (uint8_t)i, .off = (uint8_t)off, .len = (uint16_t)len, .in = r->lane.in
	};
	return LOOKUP;
}

#endif
