/* SPDX-License-Identifier: BSD-3-Clause
 * A UDP datagram for this node, as ip-local hands it on: data at the IP header, which ip-local has looked at. */
#ifndef PIPELINES_PM_DATAGRAM_H
#define PIPELINES_PM_DATAGRAM_H

#include <rte_mbuf.h>

#include "heddle/wire/udp.h"

/* Good as long as the packet is. */
struct datagram {
	uint8_t family, ttl;      /* 4 or 6; TTL or hop limit */
	const uint8_t *src, *dst; /* 4 or 16 octets */
	struct udp_view udp;
	const uint8_t *payload;
	unsigned len; /* octets of it, all present */
};

/* Returns 0, or what is wrong: -EMSGSIZE not in one buffer segment, -EBADMSG shorter than its length fields say, or no
 * UDP, -EILSEQ the checksum is wrong. */
static inline int datagram_read(const struct rte_mbuf *m, struct datagram *ret)
{
	const uint8_t *ip = rte_pktmbuf_mtod(m, const uint8_t *);
	struct wire_cur c = wire_cur_init(ip, m->data_len);
	struct ip6_chain chain;
	struct ip4_view v4;
	struct ip6_view v6;

	if (m->nb_segs != 1)
		return -EMSGSIZE;
	ret->family = ip[0] >> 4 == 4 ? 4 : 6;
	if (ret->family == 4) {
		if (ip4_parse_nocsum(&c, &v4) < 0)
			return -EBADMSG;
		ret->src = v4.hdr->src.b;
		ret->dst = v4.hdr->dst.b;
		ret->ttl = v4.hdr->ttl;
	} else {
		if (ip6_parse(&c, &v6) < 0 || ip6_chain_parse(&v6, &c, &chain) < 0 ||
		    chain.upper != IP_NH_UDP)
			return -EBADMSG;
		ret->src = v6.hdr->src.b;
		ret->dst = v6.hdr->dst.b;
		ret->ttl = v6.hdr->hop_limit;
		c = wire_cur_init(ip + chain.upper_off, m->data_len - chain.upper_off);
	}
	if (udp_parse(&c, &ret->udp) < 0)
		return -EBADMSG;
	if (udp_csum_check(&ret->udp, ret->family, ret->src, ret->dst) < 0)
		return -EILSEQ;
	ret->payload = (const uint8_t *)(ret->udp.hdr + 1);
	ret->len = ret->udp.len - (unsigned)sizeof(struct udp_hdr);
	return 0;
}

/* Its errors among the verdicts of a node, which has P_HEADER_SPLIT, P_BAD_CHECKSUM and P_TRUNCATED. */
#define DATAGRAM_VERDICT(P, rc) \
	((rc) == -EMSGSIZE ? P##_HEADER_SPLIT : (rc) == -EILSEQ ? P##_BAD_CHECKSUM : P##_TRUNCATED)

#endif
