/* SPDX-License-Identifier: BSD-3-Clause
 * Node ip-local: packets addressed to this node, IPv4 and IPv6, data at the IP header, lengths already checked.
 * Answers echo, punts Neighbor Discovery, hands on to whoever registered for the upper layer, refuses the rest.
 * Spec: RFC 8200 section 4, RFC 4443 section 4, RFC 792, RFC 1122 section 3.2. */
#include "pipelines/ip/ip_local.h"

#include <errno.h>
#include <string.h>

#include <rte_ip.h>

#include "dataplane/host.h"
#include "heddle/wire/udp.h"
#include "pipelines/ip/internal.h"
#include "pipelines/ip/probe_match.h"

#define REPLY_HOP_LIMIT 64

/* By protocol, and by UDP port: 0 nobody; IP_LOCAL_TO_PUNT + reason; else EDGE + verdict. */
#define EDGE 0x200u
static uint16_t by_proto[256], by_udp_port[65536];

void ip_local_init(void)
{
	memset(by_proto, 0, sizeof(by_proto));
	memset(by_udp_port, 0, sizeof(by_udp_port));
}

int ip_local_register(uint8_t proto, uint16_t udp_port, uint16_t dest)
{
	uint16_t *at = proto == IP_NH_UDP ? &by_udp_port[udp_port] : &by_proto[proto];

	if ((proto == IP_NH_UDP) != (udp_port != 0))
		return -EINVAL;
	if (dest < IP_LOCAL_TO_PUNT ? dest >= IP_LOCAL_N_VERDICTS : dest >= EDGE)
		return -EINVAL;
	if (*at != 0)
		return -EEXIST;
	*at = dest < IP_LOCAL_TO_PUNT ? (uint16_t)(EDGE + dest) : dest;
	return 0;
}

void ip_local_unregister(uint8_t proto, uint16_t udp_port)
{
	if (proto == IP_NH_UDP)
		by_udp_port[udp_port] = 0;
	else
		by_proto[proto] = 0;
}

static rte_edge_t deliver(struct rte_mbuf *m, uint16_t dest)
{
	if (dest >= EDGE)
		return (rte_edge_t)(dest - EDGE);
	meta(m)->punt = (uint8_t)(dest - IP_LOCAL_TO_PUNT);
	return IP_LOCAL_PUNT;
}

/* The packet is now one of ours, to be looked up. */
static void reply_meta(struct rte_mbuf *m)
{
	struct hd_meta *mt = meta(m);

	mt->flags = META_F_LOCAL;
	mt->flow_hash = 0;
	mt->result = 0;
}

static bool csum_ok(const struct rte_mbuf *m, unsigned off, uint64_t pseudo)
{
	uint16_t raw = 0;

	if (likely(m->nb_segs == 1))
		return hd_csum_ok(hd_csum_add(pseudo, rte_pktmbuf_mtod_offset(m, const void *, off),
					      m->data_len - off));
	return rte_raw_cksum_mbuf(m, off, m->pkt_len - off, &raw) == 0 &&
	       hd_csum_ok(hd_csum_add(pseudo, &raw, sizeof(raw)));
}

/* Headers end behind the first segment, or behind the packet. */
static rte_edge_t short_of(const struct rte_mbuf *m, unsigned need)
{
	return m->pkt_len >= need ? IP_LOCAL_HEADER_SPLIT : IP_LOCAL_TRUNCATED;
}

/* Answers to our own probes go to whoever sent them, all other ICMP to whom it was registered for. */
static bool is_probe_answer(struct rte_mbuf *m, unsigned off, unsigned family)
{
	struct probe_match ignored;

	if (!probe_match(rte_pktmbuf_mtod_offset(m, const void *, off), m->data_len - off, family,
			 ip_probe_ident, &ignored))
		return false;
	meta(m)->punt = ip_punt.probe;
	return true;
}

/* Is the address a mirrored one, whose packets are the kernel's but for what somebody here registered for? */
static bool is_hosts(struct rte_mbuf *m)
{
	const struct hd_meta *mt = meta(m);
	const struct iface *i = hd_result_kind(mt->result) == HD_RESULT_LOCAL ?
					iface_get(hd_result_index(mt->result)) :
					NULL;

	return i != NULL && i->host;
}

static rte_edge_t to_host(struct rte_mbuf *m)
{
	meta(m)->punt = host_punt;
	return host_twin_is(meta(m)->port) ? IP_LOCAL_HOST : IP_LOCAL_HOST_COPY;
}

static rte_edge_t host4(struct rte_mbuf *m)
{
	const struct ip4_hdr *h = rte_pktmbuf_mtod(m, const struct ip4_hdr *);
	unsigned len;
	uint16_t dest = 0;

	if (m->data_len < sizeof(*h))
		return short_of(m, sizeof(*h));
	len = (h->version_ihl & 15) * 4u;
	if ((be16_get(h->frag) & (IP4_MF | IP4_FRAG_MASK)) != 0)
		return to_host(m);
	if (h->proto == IP_NH_UDP && m->data_len >= len + sizeof(struct udp_hdr))
		dest = by_udp_port[wire_get16((const uint8_t *)h + len + 2)];
	else if (h->proto != IP_NH_UDP && h->proto != IP_NH_ICMP4)
		dest = by_proto[h->proto];
	return dest != 0 ? deliver(m, dest) : to_host(m);
}

/* ---- IPv4 ---- */

static rte_edge_t icmp4(struct rte_mbuf *m, struct ip4_hdr *h, unsigned len)
{
	struct icmp4_msg *icmp = (struct icmp4_msg *)((uint8_t *)h + len);
	be32_t to = h->src;
	be16_t old, new;

	if (m->data_len < len + sizeof(*icmp))
		return short_of(m, len + sizeof(*icmp));
	if (!csum_ok(m, len, 0))
		return IP_LOCAL_BAD_CHECKSUM;
	if (is_probe_answer(m, len, 4))
		return IP_LOCAL_PUNT;
	if (icmp->type != ICMP4_ECHO_REQUEST || icmp->code != 0)
		return by_proto[IP_NH_ICMP4] != 0 ? deliver(m, by_proto[IP_NH_ICMP4]) :
						    IP_LOCAL_CONSUMED;
	icmp4_echo_to_reply(icmp);
	h->src = h->dst; /* an exchange: the header checksum stays */
	h->dst = to;
	memcpy(&old, &h->ttl, 2);
	h->ttl = REPLY_HOP_LIMIT;
	memcpy(&new, &h->ttl, 2);
	h->csum = hd_csum_update16(h->csum, old, new);
	reply_meta(m);
	return IP_LOCAL_ECHO4;
}

static rte_edge_t local4(struct rte_mbuf *m)
{
	struct ip4_hdr *h = rte_pktmbuf_mtod(m, struct ip4_hdr *);
	unsigned len;

	if (unlikely(is_hosts(m)))
		return host4(m);
	if (m->data_len < sizeof(*h))
		return short_of(m, sizeof(*h));
	len = (h->version_ihl & 15) * 4u;
	if (len < sizeof(*h) || m->data_len < len)
		return short_of(m, RTE_MAX(len, sizeof(*h)));
	if ((be16_get(h->frag) & (IP4_MF | IP4_FRAG_MASK)) != 0)
		return IP_LOCAL_FRAGMENT;
	if (h->proto == IP_NH_ICMP4)
		return icmp4(m, h, len);
	if (h->proto == IP_NH_UDP) {
		uint16_t dest;

		if (m->data_len < len + sizeof(struct udp_hdr))
			return short_of(m, len + sizeof(struct udp_hdr));
		dest = by_udp_port[wire_get16((const uint8_t *)h + len + 2)];
		if (dest != 0)
			return deliver(m, dest);
		ip_icmp_error(m, ICMP4_UNREACH, ICMP4_UNREACH_PORT, 0);
		return IP_LOCAL_PORT;
	}
	if (by_proto[h->proto] != 0)
		return deliver(m, by_proto[h->proto]);
	ip_icmp_error(m, ICMP4_UNREACH, ICMP4_UNREACH_PROTO, 0);
	return IP_LOCAL_PROTOCOL;
}

/* ---- IPv6 ---- */

/* The fixed header moves up to the ICMPv6 message: extension headers are not part of the reply. */
static rte_edge_t echo6(struct rte_mbuf *m, struct ip6_fixed *h, unsigned off)
{
	struct icmp6_msg *icmp = (struct icmp6_msg *)((uint8_t *)h + off);
	const struct ip_if *own = ip_if_get(meta(m)->iface);
	struct ip6_addr from = h->dst;
	struct ip6_fields f = { .dst = h->src,
				.traffic_class = ip6_traffic_class(h),
				.hop_limit = REPLY_HOP_LIMIT,
				.next_header = IP_NH_ICMP6,
				.payload_len = m->pkt_len - off };

	if (ip6_addr_is_multicast(
		    &from)) { /* RFC 4443 section 4.2: a unicast address of the interface */
		if (own != NULL && ip6_addr_is_link_local(&f.dst))
			from = own->link_local;
		else if (!addr_pick6(meta(m)->iface, meta(m)->vrf, &from))
			return IP_LOCAL_NO_SOURCE;
		icmp->csum = hd_csum_update(icmp->csum, &h->dst, &from, sizeof(from));
	}
	f.src = from;
	icmp6_echo_to_reply(icmp);
	ip6_build((uint8_t *)icmp - sizeof(*h), sizeof(*h), &f);
	rte_pktmbuf_adj(m, (uint16_t)(off - sizeof(*h)));
	meta(m)->l2_len = 0;
	reply_meta(m);
	return IP_LOCAL_ECHO6;
}

static rte_edge_t icmp6(struct rte_mbuf *m, struct ip6_fixed *h, unsigned off)
{
	const struct icmp6_msg *icmp = (const struct icmp6_msg *)((const uint8_t *)h + off);
	uint32_t len = m->pkt_len - off;

	if (m->data_len < off + sizeof(*icmp))
		return short_of(m, off + sizeof(*icmp));
	if (!csum_ok(m, off, hd_csum_ip6_pseudo(&h->src, &h->dst, len, IP_NH_ICMP6)))
		return IP_LOCAL_BAD_CHECKSUM;
	if (icmp->type == ICMP6_ECHO_REQUEST && icmp->code == 0) {
		if (ip6_addr_is_unspecified(&h->src))
			return IP_LOCAL_CONSUMED; /* nobody to reply to */
		return echo6(m, h, off);
	}
	if (icmp->type >= ICMP6_RS && icmp->type <= ICMP6_REDIRECT) {
		meta(m)->punt = ip_punt.nd;
		return IP_LOCAL_PUNT;
	}
	if (is_probe_answer(m, off, 6))
		return IP_LOCAL_PUNT;
	return by_proto[IP_NH_ICMP6] != 0 ? deliver(m, by_proto[IP_NH_ICMP6]) : IP_LOCAL_CONSUMED;
}

/* Extension headers in order, as far as they concern their destination.  VERDICT_GO: w is at the upper layer. */
#define VERDICT_GO IP_LOCAL_N_VERDICTS
static rte_edge_t headers6(struct rte_mbuf *m, const struct ip6_view *v, struct ip6_walk *w,
			   const struct wire_cur *payload)
{
	bool group = ip6_addr_is_multicast(&v->hdr->dst);
	struct ip6_ext_view e;
	uint16_t off;
	int rc;

	ip6_walk_init(w, v, payload);
	while ((rc = ip6_walk_next(w, &e)) == 1) {
		switch (e.type) {
		case IP_NH_HOPOPTS:
		case IP_NH_DSTOPTS:
			rc = ip6_opts_check(&e, NULL, &off);
			if (rc < 0)
				return IP_LOCAL_TRUNCATED;
			if (rc == IP6_OPT_DROP || (rc == IP6_OPT_DROP_ICMP_UNICAST && group))
				return IP_LOCAL_OPTION_DROP;
			if (rc != 0) {
				ip_icmp_error(m, ICMP6_PARAM_PROBLEM, ICMP6_PP_OPTION, off);
				return IP_LOCAL_OPTION;
			}
			break;
		case IP_NH_ROUTING: /* RFC 8200 section 4.4, RFC 8754 section 4.3.2 */
			if (((const struct ip6_rt_hdr *)e.p)->segments_left == 0)
				break;
			ip_icmp_error(m, ICMP6_PARAM_PROBLEM, ICMP6_PP_FIELD,
				      e.off + IP6_RT_OFF_ROUTING_TYPE);
			return IP_LOCAL_ROUTING;
		case IP_NH_FRAGMENT:
			if (ip6_frag_get(&e).off != 0 || ip6_frag_get(&e).more)
				return IP_LOCAL_FRAGMENT; /* an atomic one (RFC 6946) goes on */
			break;
		default:
			break;
		}
	}
	if (rc == -EPROTO) {
		ip_icmp_error(m, ICMP6_PARAM_PROBLEM, ICMP6_PP_NEXT_HEADER, w->nh_off);
		return IP_LOCAL_HEADER_ORDER;
	}
	if (rc == -E2BIG)
		return IP_LOCAL_TOO_MANY_HEADERS;
	if (rc < 0)
		return m->nb_segs > 1 ? IP_LOCAL_HEADER_SPLIT : IP_LOCAL_TRUNCATED;
	return VERDICT_GO;
}

/* ICMPv6 is the kernel's whole: it asks and answers there. */
static rte_edge_t host6(struct rte_mbuf *m, rte_edge_t headers, const struct ip6_walk *w)
{
	unsigned off;
	uint16_t dest = 0;

	if (headers == VERDICT_GO && w->next_header != IP_NH_ICMP6) {
		off = ip6_walk_off(w);
		if (w->next_header != IP_NH_UDP)
			dest = by_proto[w->next_header];
		else if (m->data_len >= off + sizeof(struct udp_hdr))
			dest = by_udp_port[wire_get16(rte_pktmbuf_mtod(m, const uint8_t *) + off +
						      2)];
	}
	return dest != 0 ? deliver(m, dest) : to_host(m);
}

static rte_edge_t local6(struct rte_mbuf *m)
{
	struct ip6_fixed *h = rte_pktmbuf_mtod(m, struct ip6_fixed *);
	struct wire_cur payload;
	struct ip6_view v = { .hdr = h };
	struct ip6_walk w;
	rte_edge_t verdict;
	unsigned off;

	if (m->data_len < sizeof(*h))
		return short_of(m, sizeof(*h));
	v.payload_len =
		(uint16_t)(m->data_len - sizeof(*h)); /* what of it lies in the first segment */
	payload = wire_cur_init((const uint8_t *)h + sizeof(*h), v.payload_len);
	verdict = headers6(m, &v, &w, &payload);
	if (unlikely(is_hosts(m)))
		return host6(m, verdict, &w);
	if (verdict != VERDICT_GO)
		return verdict;
	off = ip6_walk_off(&w);
	if (w.next_header == IP_NH_ICMP6)
		return icmp6(m, h, off);
	if (w.next_header == IP_NH_UDP) {
		uint16_t dest;

		if (m->data_len < off + sizeof(struct udp_hdr))
			return short_of(m, off + sizeof(struct udp_hdr));
		dest = by_udp_port[wire_get16((const uint8_t *)h + off + 2)];
		if (dest != 0)
			return deliver(m, dest);
		ip_icmp_error(m, ICMP6_UNREACH, ICMP6_UNREACH_PORT, 0);
		return IP_LOCAL_PORT;
	}
	if (by_proto[w.next_header] != 0)
		return deliver(m, by_proto[w.next_header]);
	if (w.next_header == IP_NH_NONE)
		return IP_LOCAL_CONSUMED; /* RFC 8200 section 4.7 */
	ip_icmp_error(m, ICMP6_PARAM_PROBLEM, ICMP6_PP_NEXT_HEADER, w.nh_off);
	return IP_LOCAL_PROTOCOL;
}

static inline rte_edge_t ip_local_one(struct rte_mbuf *m, void *arg)
{
	(void)arg;
	if (unlikely(m->data_len == 0))
		return IP_LOCAL_TRUNCATED;
	return *rte_pktmbuf_mtod(m, const uint8_t *) >> 4 == 4 ? local4(m) : local6(m);
}

static uint16_t ip_local_process(struct rte_graph *g, struct rte_node *node, void **objs,
				 uint16_t n)
{
	return node_run(g, node, objs, n, ip_local_one, NULL);
}
NODE_REGISTER(ip_local, "ip-local", IP_LOCAL, IP_LOCAL_VERDICTS, ip_local_process)
