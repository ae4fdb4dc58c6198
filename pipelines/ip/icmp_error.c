/* SPDX-License-Identifier: BSD-3-Clause
 * ICMP errors: when they may be sent, and making one out of the packet at fault.  Any thread.
 * The packet is quoted as it was received: a TTL or hop limit decremented here is put back.
 * Spec: RFC 4443 sections 2.2, 2.4, 3; RFC 792; RFC 1812 section 4.3.2. */
#include <string.h>

#include <rte_ip.h>

#include "pipelines/ip/internal.h"

#define ERROR_HOP_LIMIT 64
#define ERROR_TOS4      0xc0 /* internetwork control, RFC 1812 section 4.3.2.5 */

static enum icmp_error_result check4(const struct rte_mbuf *m, const struct hd_meta *mt)
{
	const struct ip4_hdr *h = rte_pktmbuf_mtod(m, const struct ip4_hdr *);
	struct ip4_view v = { .hdr = h };
	struct wire_cur c;

	if (m->data_len < sizeof(*h))
		return ICMP_ERROR_MALFORMED;
	v.hdr_len = (uint8_t)((h->version_ihl & 15) * 4);
	if (v.hdr_len < sizeof(*h) || v.hdr_len > m->data_len)
		return ICMP_ERROR_MALFORMED;
	v.frag_off = (uint16_t)((be16_get(h->frag) & IP4_FRAG_MASK) * 8);
	c = wire_cur_init((const uint8_t *)h + v.hdr_len, m->data_len - v.hdr_len);
	return icmp4_error_allowed(&v, &c, (mt->flags & META_F_L2_MCAST) != 0) ?
		       ICMP_ERROR_READY4 :
		       ICMP_ERROR_NOT_ALLOWED;
}

static enum icmp_error_result check6(const struct rte_mbuf *m, const struct hd_meta *mt)
{
	struct wire_cur c = wire_cur_init(rte_pktmbuf_mtod(m, const void *), m->data_len);
	struct ip6_view v;

	if (ip6_parse_quoted(&c, &v) < 0)
		return ICMP_ERROR_MALFORMED;
	return icmp6_error_allowed(&v, &c, (mt->flags & META_F_L2_MCAST) != 0, mt->icmp_type,
				   mt->icmp_code, mt->arg) ?
		       ICMP_ERROR_READY6 :
		       ICMP_ERROR_NOT_ALLOWED;
}

enum icmp_error_result icmp_error_check(const struct rte_mbuf *m)
{
	const struct hd_meta *mt = meta((struct rte_mbuf *)(uintptr_t)m);

	if (mt->flags &
	    META_F_LOCAL) /* what this node made: an error about it would go to ourselves */
		return ICMP_ERROR_NOT_ALLOWED;
	if (m->data_len == 0)
		return ICMP_ERROR_MALFORMED;
	return *rte_pktmbuf_mtod(m, const uint8_t *) >> 4 == 4 ? check4(m, mt) : check6(m, mt);
}

static void was_made_here(struct hd_meta *mt)
{
	mt->flags = META_F_LOCAL;
	mt->flow_hash = 0;
	mt->result = 0;
	mt->l2_len = 0;
	mt->object = 0;
}

/* Checksum of all but the first skip octets, chained or not, on top of a pseudo-header sum. */
static be16_t csum_from(const struct rte_mbuf *m, unsigned skip, uint64_t pseudo)
{
	uint16_t raw = 0;

	rte_raw_cksum_mbuf(m, skip, m->pkt_len - skip, &raw);
	return hd_csum_fold(hd_csum_add(pseudo, &raw, sizeof(raw)));
}

static bool is_local4(const struct hd_meta *mt, be32_t a)
{
	const struct fib *f = ip_fib4(mt->vrf);

	return f != NULL && hd_result_kind(fib_lookup(f, a.b)) == HD_RESULT_LOCAL;
}

static enum icmp_error_result make4(struct rte_mbuf *m, struct hd_meta *mt)
{
	struct ip4_hdr *old = rte_pktmbuf_mtod(m, struct ip4_hdr *);
	struct ip4_fields f = { .dst = old->src,
				.tos = ERROR_TOS4,
				.ttl = ERROR_HOP_LIMIT,
				.proto = IP_NH_ICMP4,
				.df = true }; /* with DF the id may be 0: RFC 6864 section 4.1 */
	struct icmp4_msg icmp = { .type = mt->icmp_type, .code = mt->icmp_code };
	uint8_t *p;

	if (is_local4(mt, old->dst))
		f.src = old->dst;
	else if (!addr_pick4(mt->iface, mt->vrf, &f.src))
		return ICMP_ERROR_NO_SOURCE;
	if (mt->flags & META_F_ADVANCED) {
		be16_t was, now;

		memcpy(&was, &old->ttl, 2);
		old->ttl++;
		memcpy(&now, &old->ttl, 2);
		old->csum = hd_csum_update16(old->csum, was, now);
	}
	packet_trim(m, (uint32_t)icmp4_error_quote_len(m->pkt_len));
	f.payload_len = sizeof(icmp) + m->pkt_len;
	p = (uint8_t *)rte_pktmbuf_prepend(m, sizeof(struct ip4_hdr) + sizeof(icmp));
	if (p == NULL)
		return ICMP_ERROR_NO_ROOM;
	/* the word holds the MTU in its low half, or a pointer in its first octet */
	icmp.data = be32_make(mt->icmp_type == ICMP4_PARAM_PROBLEM ? mt->arg << 24 : mt->arg);
	memcpy(p + sizeof(struct ip4_hdr), &icmp, sizeof(icmp));
	ip4_build(p, sizeof(struct ip4_hdr), &f);
	icmp.csum = csum_from(m, sizeof(struct ip4_hdr), 0);
	memcpy(p + sizeof(struct ip4_hdr), &icmp, sizeof(icmp));
	was_made_here(mt);
	return ICMP_ERROR_READY4;
}

/* RFC 4443 section 2.2: the address asked, if it is one of ours, else one of the interface, else any. */
static bool source6(const struct hd_meta *mt, const struct ip6_fixed *old, struct ip6_addr *ret)
{
	const struct fib *f = ip_fib6(mt->vrf);
	const struct ip_if *own = ip_if_get(mt->iface);

	if (own != NULL &&
	    (ip6_addr_is_link_local(&old->src) || ip6_addr_eq(&own->link_local, &old->dst))) {
		*ret = own->link_local;
		return true;
	}
	if (f != NULL && !ip6_addr_is_multicast(&old->dst) &&
	    hd_result_kind(fib_lookup(f, old->dst.b)) == HD_RESULT_LOCAL) {
		*ret = old->dst;
		return true;
	}
	return addr_pick6(mt->iface, mt->vrf, ret);
}

static enum icmp_error_result make6(struct rte_mbuf *m, struct hd_meta *mt)
{
	struct ip6_fixed *old = rte_pktmbuf_mtod(m, struct ip6_fixed *);
	struct ip6_fields f = { .dst = old->src,
				.hop_limit = ERROR_HOP_LIMIT,
				.next_header = IP_NH_ICMP6 };
	struct icmp6_msg icmp = { .type = mt->icmp_type,
				  .code = mt->icmp_code,
				  .data = be32_make(mt->arg) };
	uint8_t *p;

	if (!source6(mt, old, &f.src))
		return ICMP_ERROR_NO_SOURCE;
	if (mt->flags & META_F_ADVANCED)
		old->hop_limit++;
	packet_trim(m, (uint32_t)icmp6_error_quote_len(m->pkt_len));
	f.payload_len = sizeof(icmp) + m->pkt_len;
	p = (uint8_t *)rte_pktmbuf_prepend(m, sizeof(struct ip6_fixed) + sizeof(icmp));
	if (p == NULL)
		return ICMP_ERROR_NO_ROOM;
	ip6_build(p, sizeof(struct ip6_fixed), &f);
	memcpy(p + sizeof(struct ip6_fixed), &icmp, sizeof(icmp));
	icmp.csum =
		csum_from(m, sizeof(struct ip6_fixed),
			  hd_csum_ip6_pseudo(&f.src, &f.dst, (uint32_t)f.payload_len, IP_NH_ICMP6));
	memcpy(p + sizeof(struct ip6_fixed), &icmp, sizeof(icmp));
	was_made_here(mt);
	return ICMP_ERROR_READY6;
}

enum icmp_error_result icmp_error_make(struct rte_mbuf *m)
{
	struct hd_meta *mt = meta(m);

	return *rte_pktmbuf_mtod(m, const uint8_t *) >> 4 == 4 ? make4(m, mt) : make6(m, mt);
}
