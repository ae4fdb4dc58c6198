/* SPDX-License-Identifier: BSD-3-Clause
 * Node ip4-frag: packets too long for their egress, TTL already decremented, DF clear; meta->result is the adjacency
 * (or the connected interface), or an SR policy, and meta->arg then the octets its outer headers leave.
 * Each is replaced by its fragments: in = SPLIT + drops, out = FRAGMENT + POLICY.
 * Fragments are copies in single buffers where those are large enough, else chains, for ports that send chains.
 * Spec: RFC 791 section 2.3, RFC 1812 section 4.2.2.7. */
#include <string.h>

#include <rte_ip_frag.h>

#include "dataplane/port.h"
#include "dataplane/punt.h"
#include "pipelines/ip/lookup.h"

#define IP4_FRAG_VERDICTS(V, P)                                                                  \
	V(P, SPLIT, "port-tx", INFO, "packets replaced by their fragments (RFC 791 2.3)")        \
	V(P, FRAGMENT, "port-tx", INFO, "fragments sent")                                        \
	V(P, POLICY, "srv6-encap", INFO, "fragments steered into an SR policy (RFC 2473 7.2)")   \
	V(P, RESOLVE, "punt", INFO, "fragments that wait for the neighbour's address")           \
	V(P, NO_EGRESS, "drop", WARN,                                                            \
	  "the egress changed or went meanwhile: nothing is wrong if that is over")              \
	V(P, TOO_MANY, "drop", WARN,                                                             \
	  "more than 128 fragments (RFC 791 3.2): the egress MTU is too small for such packets") \
	V(P, NO_BUFFERS, "drop", ERROR, "no buffers for the fragments: raise --mbufs")
NODE_VERDICTS(ip4_frag, IP4_FRAG, IP4_FRAG_VERDICTS)

#define FRAGS_MAX 128

/* Octets a fragment may have, 0: no egress any more; whether the port sends chains. */
static uint16_t egress_mtu(const struct hd_meta *of, bool *ret_chains)
{
	uint32_t word = of->result;

	*ret_chains = false;
	if (hd_result_kind(word) == HD_RESULT_POLICY)
		return (uint16_t)of->arg;

	const struct adj *a =
		hd_result_kind(word) == HD_RESULT_ADJ ? adj_get(hd_result_index(word)) : NULL;
	const struct iface *i = iface_get(a != NULL ? a->iface :
					  hd_result_kind(word) == HD_RESULT_GLEAN ?
						      hd_result_index(word) :
						      0);
	const struct port *p = i != NULL ? port_get(i->port) : NULL;

	*ret_chains = p != NULL && (p->features & PORT_FEAT_MULTISEG) != 0;
	return i == NULL ? 0 : a != NULL ? a->mtu : i->mtu;
}

static rte_edge_t fragment_send(struct fwd *f, struct rte_mbuf *m, const struct hd_meta *of,
				uint32_t word)
{
	struct ip4_hdr *h = rte_pktmbuf_mtod(m, struct ip4_hdr *);
	uint16_t class;

	*meta(m) = *of;
	m->ol_flags &= ~(RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_IPV4);
	h->csum = be16_make(0);
	h->csum = hd_csum(h, (h->version_ihl & 15) * 4u);
	class = fwd_result(f, m, word, 4);
	return class == FWD_FORWARD ? IP4_FRAG_FRAGMENT :
	       class == FWD_RESOLVE ? IP4_FRAG_RESOLVE :
	       class == FWD_POLICY  ? IP4_FRAG_POLICY :
				      IP4_FRAG_NO_EGRESS;
}

/* Returns the number of fragments, or a verdict as -1 - verdict. */
static int fragment(struct rte_mbuf *m, struct rte_mbuf **frag, const struct hd_meta *of)
{
	struct rte_mempool *pool = packet_pool();
	bool chains;
	uint16_t mtu = egress_mtu(of, &chains);
	unsigned hdr = (rte_pktmbuf_mtod(m, const struct ip4_hdr *)->version_ihl & 15) * 4u;
	int n;

	if (mtu == 0)
		return -1 - IP4_FRAG_NO_EGRESS;
	if (mtu < hdr + 8 || (m->pkt_len - hdr) / RTE_ALIGN_FLOOR(mtu - hdr, 8u) + 1 > FRAGS_MAX)
		return -1 - IP4_FRAG_TOO_MANY;
	if (mtu <= rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM)
		n = rte_ipv4_fragment_copy_nonseg_packet(m, frag, FRAGS_MAX, mtu, pool);
	else if (chains)
		n = rte_ipv4_fragment_packet(m, frag, FRAGS_MAX, mtu, pool, pool);
	else
		return -1 - IP4_FRAG_NO_BUFFERS;
	return n > 0 ? n : -1 - IP4_FRAG_NO_BUFFERS;
}

static uint16_t ip4_frag_process(struct rte_graph *g, struct rte_node *node, void **objs,
				 uint16_t n)
{
	struct node_slot *s = node_slot(node);
	struct fwd f = fwd_begin(s->worker);

	s->worker->cur_node = s->row;
	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *m = objs[i], *frag[FRAGS_MAX];
		struct hd_meta of = *meta(m);
		rte_edge_t v = IP4_FRAG_SPLIT;
		int k;

		if (unlikely(s->worker->watch))
			node_watch_in(s, &m, 1);
		k = fragment(m, frag, &of);
		if (k < 0)
			v = (rte_edge_t)(-1 - k);
		if (unlikely(s->worker->watch))
			node_watch_out(s, &m, &v, 1);
		if (k < 0) {
			node_run_flush(g, node, s, objs, i, i + 1, v);
			continue;
		}
		of.trace = 0; /* the trace ends with the packet; its fragments are others */
		s->count[IP4_FRAG_SPLIT]++;
		for (int j = 0; j < k; j++) {
			void *one = frag[j];

			v = fragment_send(&f, frag[j], &of, of.result);
			node_run_flush(g, node, s, &one, 0, 1, v);
		}
		rte_pktmbuf_free(m);
	}
	return n;
}
NODE_REGISTER(ip4_frag, "ip4-frag", IP4_FRAG, IP4_FRAG_VERDICTS, ip4_frag_process)
