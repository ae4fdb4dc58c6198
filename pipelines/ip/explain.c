/* SPDX-License-Identifier: BSD-3-Clause
 * What `explain` says about lookups: the prefix that was found, whose word it is, and what it leads to.
 * Control thread; the lookups themselves were made by the nodes. */
#include "dataplane/explain.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/punt.h"
#include "heddle/wire/arp.h"
#include "pipelines/ip/internal.h"

#define VRFS_MAX 5u /* as many as forwarding follows */

static_assert((int)HD_EXPLAIN_SRC_ROUTE == (int)RIB_ROUTE &&
		      (int)HD_EXPLAIN_SRC_CONNECTED == (int)RIB_CONNECTED &&
		      (int)HD_EXPLAIN_SRC_NEIGH == (int)RIB_NEIGH &&
		      (int)HD_EXPLAIN_SRC_LOCAL == (int)RIB_LOCAL &&
		      (int)HD_EXPLAIN_SRC_SID == (int)RIB_SID,
	      "the API's numbers");
static_assert((int)HD_EXPLAIN_ADJ_RESOLVED == (int)ADJ_RESOLVED &&
		      (int)HD_EXPLAIN_ADJ_INCOMPLETE == (int)ADJ_INCOMPLETE &&
		      (int)HD_EXPLAIN_ADJ_GLEAN == (int)ADJ_GLEAN &&
		      (int)HD_EXPLAIN_ADJ_FAILED == (int)ADJ_FAILED &&
		      (int)HD_EXPLAIN_ADJ_DOWN == (int)ADJ_DOWN,
	      "the API's numbers");

static void entry_addr(struct hd_api_explain_entry *e, unsigned family, const uint8_t *addr)
{
	e->family = (uint8_t)family;
	memcpy(e->addr, addr, family == 4 ? 4 : 16);
}

unsigned ip_explain_word(uint32_t word, unsigned family, const uint8_t *dst,
			 struct hd_api_explain_entry *e, unsigned room)
{
	uint32_t index = hd_result_index(word);
	const struct adj *a;
	const struct nhg *g;

	if (room == 0)
		return 0;
	*e = (struct hd_api_explain_entry){ .id = index };
	switch (hd_result_kind(word)) {
	case HD_RESULT_ADJ:
		a = adj_get(index);
		if (a == NULL)
			return 0;
		e->kind = a->object != UINT32_MAX ? HD_EXPLAIN_NEXTHOP : HD_EXPLAIN_NEIGH;
		e->id = a->object != UINT32_MAX ? a->object : 0;
		e->vrf_id = a->iface;
		e->arg = a->state;
		entry_addr(e, a->family, a->gateway);
		return 1;
	case HD_RESULT_GROUP:
		g = nhg_get(index);
		if (g == NULL)
			return 0;
		e->kind = HD_EXPLAIN_NHGROUP;
		e->id = g->id;
		return 1;
	case HD_RESULT_GLEAN:
		e->kind = HD_EXPLAIN_CONNECTED;
		entry_addr(e, family, dst);
		return 1;
	case HD_RESULT_LOCAL:
		e->kind = HD_EXPLAIN_LOCAL;
		return 1;
	case HD_RESULT_SID:
		e->kind = HD_EXPLAIN_SID;
		return 1;
	case HD_RESULT_POLICY:
		e->kind = HD_EXPLAIN_POLICY;
		return 1;
	case HD_RESULT_DROP:
		e->kind = HD_EXPLAIN_SPECIAL;
		return 1;
	default:
		return 0;
	}
}

unsigned ip_explain_lookup(uint32_t vrf, unsigned family, const uint8_t *dst,
			   struct hd_api_explain_entry *e, unsigned room)
{
	unsigned n = 0;

	for (unsigned hop = 0; hop < VRFS_MAX && n < room; hop++) {
		enum rib_source source;
		uint8_t plen;
		uint32_t word;

		e[n] = (struct hd_api_explain_entry){ .vrf_id = vrf };
		entry_addr(&e[n], family, dst);
		if (!rib_match(vrf, family, dst, &plen, &source, &word)) {
			e[n].kind = HD_EXPLAIN_NO_ROUTE;
			return n + 1;
		}
		e[n].kind = HD_EXPLAIN_ROUTE;
		e[n].plen = plen;
		e[n].id = word;
		e[n].arg = source;
		for (unsigned bit = plen; bit < (family == 4 ? 32u : 128u); bit++)
			e[n].addr[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
		n++;
		if (hd_result_kind(word) == HD_RESULT_GROUP)
			n += ip_explain_word(word, family, dst, e + n, room - n);
		if (hd_result_kind(word) != HD_RESULT_VRF)
			break;
		vrf = hd_result_index(word);
	}
	return n;
}

/* ip4-input, ip6-input, ip4-lookup, ip6-lookup. */
static unsigned lookup_explain(const struct explain_at *at, struct hd_api_explain_entry *e,
			       unsigned room)
{
	unsigned version = at->head_len == 0 ? 0 : at->head[0] >> 4, n = 0;
	const uint8_t *dst = at->head + (version == 4 ? 16 : 24);
	uint32_t word = meta(at->m)->result;

	/* Every lookup leaves its result in the metadata; without one a check before it decided. */
	if (at->head_len < (version == 4 ? 20u : 40u) || (version != 4 && version != 6) ||
	    (word == at->in->result && at->verdict != FWD_NO_ROUTE))
		return 0;
	if (version == 4 ? dst[0] < 224 : dst[0] != 0xff && !(dst[0] == 0xfe && dst[1] == 0x80))
		n = ip_explain_lookup(at->in->vrf, version, dst, e, room);
	return n + ip_explain_word(word, version, dst, e + n, room - n);
}

/* ---- what the slow path would do ----------------------------------------------------------------------------- */

static void unresolved_explain(const struct rte_mbuf *m, char *text, size_t size)
{
	const struct hd_meta *mt = meta((struct rte_mbuf *)(uintptr_t)m);
	const uint8_t *l3 = rte_pktmbuf_mtod(m, const uint8_t *), *addr;
	unsigned family = l3[0] >> 4 == 4 ? 4 : 6;
	uint32_t iface = hd_result_index(mt->result);
	const struct iface *i;
	char a[INET6_ADDRSTRLEN];

	addr = family == 4 ? l3 + 16 : l3 + 24;
	if (hd_result_kind(mt->result) == HD_RESULT_ADJ) {
		const struct adj *adj = adj_get(iface);

		if (adj == NULL)
			return;
		iface = adj->iface;
		if (adj->state != ADJ_GLEAN) {
			family = adj->family;
			addr = adj->gateway;
		}
	}
	i = iface_get(iface);
	inet_ntop(family == 4 ? AF_INET : AF_INET6, addr, a, sizeof(a));
	snprintf(text, size, "would ask for neighbour %s on %.31s by %s and wait for the answer", a,
		 i != NULL ? i->name : "an interface that is gone",
		 family == 4 ? "ARP" : "Neighbor Discovery");
}

static void arp_explain(const struct rte_mbuf *m, char *text, size_t size)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	char a[INET_ADDRSTRLEN], b[INET_ADDRSTRLEN];

	if (m->data_len < sizeof(struct arp_pkt))
		return;
	inet_ntop(AF_INET, p + 14, a, sizeof(a));
	inet_ntop(AF_INET, p + 24, b, sizeof(b));
	snprintf(text, size, "ARP %s from %s for %s goes to the neighbour table",
		 wire_get16(p + 6) == ARP_OP_REQUEST ? "request" : "reply", a, b);
}

int ip_explain_init(void)
{
	static const char *const nodes[] = { "ip4-input", "ip6-input", "ip4-lookup", "ip6-lookup" };
	int rc = 0;

	for (size_t i = 0; i < RTE_DIM(nodes) && rc == 0; i++)
		rc = explain_register(nodes[i], lookup_explain);
	if (rc == 0)
		rc = punt_explain_set(ip_punt.unresolved, unresolved_explain);
	if (rc == 0)
		rc = punt_explain_set(ip_punt.arp, arp_explain);
	return rc;
}
