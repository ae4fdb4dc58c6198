/* SPDX-License-Identifier: BSD-3-Clause
 * Bulk lookups for the ip nodes: the keys of a chunk at once, per VRF. */
#ifndef PIPELINES_IP_LOOKUP_H
#define PIPELINES_IP_LOOKUP_H

#include "dataplane/node.h"
#include "pipelines/ip/internal.h"

#define VERDICT_OPEN 0xffffu /* the checks have not decided: the lookup will */

static inline void lookup_run(struct fwd *f, uint32_t vrf, const uint8_t *const *key,
			      uint32_t *word, unsigned n, unsigned family)
{
	const struct fib *fib = family == 4 ? ip_fib4(vrf) : ip_fib6(vrf);

	if (unlikely(fib == NULL))
		memset(word, 0, n * sizeof(*word));
	else if (family == 4)
		fwd_lookup4(f, fib, key, word, n);
	else
		fwd_lookup6(f, fib, key, word, n);
}

/* word[i] for the destination key[i] of m[i], each in its packet's VRF. */
static inline void lookup_chunk(struct fwd *f, struct rte_mbuf **m, const uint8_t *const *key,
				uint32_t *word, unsigned n, unsigned family)
{
	unsigned from = 0;

	for (unsigned i = 1; i <= n; i++) {
		if (likely(i < n && meta(m[i])->vrf == meta(m[from])->vrf))
			continue;
		lookup_run(f, meta(m[from])->vrf, key + from, word + from, i - from, family);
		from = i;
	}
	for (unsigned i = 0; i < n; i++)
		if (likely(hd_result_kind(word[i]) == HD_RESULT_ADJ))
			rte_prefetch0(adj_get(hd_result_index(word[i])));
}

static inline void chunk_prefetch(struct rte_mbuf **m, unsigned i, unsigned n)
{
	if (i + 4 < n) {
		rte_prefetch0(rte_pktmbuf_mtod(m[i + 4], void *));
		rte_prefetch0(meta(m[i + 4]));
	}
}

/* Does the source lead back to where the packet came from?  RFC 3704 sections 2.2 (strict), 2.4 (loose). */
bool urpf_ok(const struct rte_mbuf *m, const uint8_t *src, unsigned family);

#endif
