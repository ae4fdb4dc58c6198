/* SPDX-License-Identifier: BSD-3-Clause
 * Probes (include/heddle/api/probe.h): made and sent here, recognised by ip-local, told about by an event.
 * Control thread, but for ip_probe_ident, which workers read and nobody changes after start.
 * Spec: RFC 792, RFC 4443 section 4, RFC 8754 section 4.1. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <rte_cycles.h>

#include "dataplane/api_server.h"
#include "dataplane/debug_api.h"
#include "dataplane/punt.h"
#include "heddle/api/probe.h"
#include "heddle/wire/srh.h"
#include "heddle/wire/udp.h"
#include "pipelines/ip/internal.h"
#include "pipelines/ip/probe_match.h"

#define SENT_MAX    1024u /* probes whose answers are still recognised */
#define HOP_LIMIT   64
#define VRF_HOPS    4u
#define PAYLOAD_MIN 4u /* the sequence number of a UDP probe, and nothing odd */

static struct sent {
	uint64_t tsc; /* 0: none */
	uint32_t probe_id;
	uint16_t seq, answers;
} sent[SENT_MAX]; /* by seq */
static uint16_t next_seq;
uint16_t ip_probe_ident;

/* Where a probe leaves. */
struct egress {
	uint32_t iface; /* 0: not known before the packet path has it: a policy, a SID, ourselves */
	uint32_t mtu;
	bool local; /* the target is an address of ours */
};

static int fail(struct hd_api_reply *reply, int rc, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int fail(struct hd_api_reply *reply, int rc, const char *fmt, ...)
{
	va_list ap;

	reply->error = (uint32_t)-rc;
	va_start(ap, fmt);
	vsnprintf(reply->text, sizeof(reply->text), fmt, ap);
	va_end(ap);
	return rc;
}

static int by_iface(uint32_t id, struct egress *ret, struct hd_api_reply *reply)
{
	const struct iface *i = iface_get(id);

	if (i == NULL)
		return fail(reply, -ENOENT, "interface %u does not exist", id);
	if (!i->up)
		return fail(reply, -ENETDOWN, "interface %s or its link is down", i->name);
	*ret = (struct egress){ .iface = id, .mtu = i->mtu };
	return 0;
}

static int by_route(const struct hd_api_probe *p, const uint8_t *to, struct egress *ret,
		    struct hd_api_reply *reply)
{
	uint32_t vrf = p->vrf_id;

	*ret = (struct egress){ .mtu = UINT16_MAX };
	for (unsigned hops = 0; hops <= VRF_HOPS; hops++) {
		const struct fib *fib = p->family == 4 ? ip_fib4(vrf) : ip_fib6(vrf);
		if (fib == NULL)
			return fail(reply, -ENOENT, "VRF %u does not exist", vrf);
		uint32_t word = fib_lookup(fib, to), index = hd_result_index(word);
		const struct nhg *g;
		const struct adj *a;
		switch (hd_result_kind(word)) {
		case HD_RESULT_GROUP:
			g = nhg_get(index);
			if (g == NULL || g->n_up == 0)
				return fail(reply, -ENETDOWN,
					    "every next hop of its multipath group is down");
			index = hd_result_index(nhg_select(g, 0));
			/* fallthrough */
		case HD_RESULT_ADJ:
			a = adj_get(index);
			if (a == NULL)
				return fail(reply, -ENETUNREACH, "its next hop was deleted");
			return by_iface(a->iface, ret, reply);
		case HD_RESULT_GLEAN:
			return by_iface(index, ret, reply);
		case HD_RESULT_LOCAL:
			ret->local = true;
			return 0;
		case HD_RESULT_VRF:
			vrf = index;
			break;
		case HD_RESULT_NONE:
			return fail(reply, -ENETUNREACH, "no route to the destination");
		case HD_RESULT_DROP:
			return fail(reply, -ENETUNREACH, "its route says %s",
				    index == HD_RESULT_DROP_BLACKHOLE   ? "discard" :
				    index == HD_RESULT_DROP_UNREACHABLE ? "unreachable" :
									  "prohibited");
		default:
			return 0;
		}
	}
	return fail(reply, -ENETUNREACH, "routes lead through more than %u VRFs", VRF_HOPS);
}

/* The address to send from, into p->src. */
static int source(struct hd_api_probe *p, const uint8_t *to, const struct egress *e, bool on_link,
		  struct hd_api_reply *reply)
{
	uint32_t iface = p->iface_id != 0 ? p->iface_id : e->iface;
	const struct ip_if *own = ip_if_get(iface);
	struct ip6_addr a6;
	be32_t a4;

	if (p->flags & HD_PROBE_F_SOURCE) {
		const struct fib *f = p->family == 4 ? ip_fib4(p->vrf_id) : ip_fib6(p->vrf_id);
		bool link_local = p->family == 6 && own != NULL &&
				  memcmp(&own->link_local, p->src, 16) == 0;
		if (!link_local &&
		    (f == NULL || hd_result_kind(fib_lookup(f, p->src)) != HD_RESULT_LOCAL))
			return fail(reply, -EADDRNOTAVAIL,
				    "the source is no address of ours in this VRF");
		return 0;
	}
	if (e->local) {
		memcpy(p->src, to, p->family == 4 ? 4 : 16);
		return 0;
	}
	if (p->family == 4) {
		if (!addr_pick4(iface, p->vrf_id, &a4))
			return fail(reply, -EADDRNOTAVAIL, "there is no IPv4 address to send from");
		memcpy(p->src, &a4, 4);
		return 0;
	}
	if (on_link && own != NULL && ip6_addr_is_link_local((const struct ip6_addr *)to))
		a6 = own->link_local;
	else if (!addr_pick6(iface, p->vrf_id, &a6))
		return fail(reply, -EADDRNOTAVAIL, "there is no IPv6 address to send from");
	memcpy(p->src, &a6, 16);
	return 0;
}

static size_t srh_size(const struct hd_api_probe *p)
{
	return p->n_segments == 0 ? 0 : sizeof(struct srh_hdr) + 16u * (p->n_segments + 1u);
}

/* Octets of the whole packet. */
static size_t probe_size(const struct hd_api_probe *p)
{
	return (p->family == 4 ? sizeof(struct ip4_hdr) : sizeof(struct ip6_fixed)) + srh_size(p) +
	       8 + RTE_MAX(p->size, PAYLOAD_MIN);
}

/* ICMP or UDP with its data, checksum included. */
static void write_upper(uint8_t *at, const struct hd_api_probe *p, uint16_t seq)
{
	size_t data = RTE_MAX(p->size, PAYLOAD_MIN), len = 8 + data;
	bool udp = p->protocol == HD_PROBE_UDP;
	uint8_t proto = udp ? IP_NH_UDP : p->family == 4 ? IP_NH_ICMP4 : IP_NH_ICMP6;
	struct ip6_addr src, dst;
	uint64_t pseudo = 0;
	be32_t s4, d4;

	memcpy(&src, p->src, 16);
	memcpy(&dst, p->dst, 16);
	memcpy(&s4, p->src, 4);
	memcpy(&d4, p->dst, 4);
	for (size_t i = 0; i < data; i++)
		at[8 + i] = (uint8_t)i;
	if (udp) {
		wire_put16(at + 8, seq);
		udp_build(at, 8, ip_probe_ident, p->udp_port, data);
		pseudo = p->family == 4 ? hd_csum_ip4_pseudo(s4, d4, (uint16_t)len, proto) :
					  hd_csum_ip6_pseudo(&src, &dst, (uint32_t)len, proto);
		udp_csum_set((struct udp_hdr *)at, pseudo);
		return;
	}
	at[0] = p->family == 4 ? ICMP4_ECHO_REQUEST : ICMP6_ECHO_REQUEST;
	at[1] = at[2] = at[3] = 0;
	wire_put16(at + 4, ip_probe_ident);
	wire_put16(at + 6, seq);
	if (p->family == 6)
		pseudo = hd_csum_ip6_pseudo(&src, &dst, (uint32_t)len, proto);
	be16_t csum = hd_csum_fold(hd_csum_add(pseudo, at, len));
	memcpy(at + 2, &csum, 2);
}

static void write_probe(uint8_t *at, const struct hd_api_probe *p, uint16_t seq)
{
	uint8_t hops = p->hop_limit != 0 ? p->hop_limit : HOP_LIMIT;
	bool udp = p->protocol == HD_PROBE_UDP;

	if (p->family == 4) {
		struct ip4_fields f = { .tos = p->traffic_class,
					.ttl = hops,
					.proto = udp ? IP_NH_UDP : IP_NH_ICMP4,
					.df = (p->flags & HD_PROBE_F_FRAGMENT) == 0,
					.id = seq,
					.payload_len = probe_size(p) - sizeof(struct ip4_hdr) };
		memcpy(&f.src, p->src, 4);
		memcpy(&f.dst, p->dst, 4);
		ip4_build(at, sizeof(struct ip4_hdr), &f);
		write_upper(at + sizeof(struct ip4_hdr), p, seq);
		return;
	}
	struct ip6_addr seg[HD_PROBE_SEGMENTS_MAX + 1];
	struct ip6_fields f = { .traffic_class = p->traffic_class,
				.hop_limit = hops,
				.next_header = udp ? IP_NH_UDP : IP_NH_ICMP6,
				.flow_label = p->flow_label,
				.payload_len = probe_size(p) - sizeof(struct ip6_fixed) };
	size_t off = sizeof(struct ip6_fixed);
	memcpy(&f.src, p->src, 16);
	memcpy(&f.dst, p->n_segments > 0 ? p->segment[0] : p->dst, 16);
	if (p->n_segments > 0) {
		struct srh_fields srh = { .form = SRH_FULL,
					  .next_header = f.next_header,
					  .seg = seg,
					  .n_seg = p->n_segments + 1u };
		memcpy(seg, p->segment, 16u * p->n_segments);
		memcpy(&seg[p->n_segments], p->dst, 16);
		srh_build(at + off, srh_size(p), &srh);
		off += srh_size(p);
		f.next_header = IP_NH_ROUTING;
	}
	ip6_build(at, sizeof(struct ip6_fixed), &f);
	write_upper(at + off, p, seq);
}

static int check(const struct hd_api_probe *p, struct hd_api_reply *reply)
{
	if ((p->family != 4 && p->family != 6) || p->protocol > HD_PROBE_UDP ||
	    p->n_segments > HD_PROBE_SEGMENTS_MAX || (p->family == 4 && p->n_segments > 0) ||
	    p->flow_label > 0xfffff || (p->protocol == HD_PROBE_UDP && p->udp_port == 0))
		return fail(reply, -EINVAL, "not a probe: family %u, protocol %u, %u segments",
			    p->family, p->protocol, p->n_segments);
	if (slots_get(vrf_slots, p->vrf_id) == NULL)
		return fail(reply, -ENOENT, "VRF %u does not exist", p->vrf_id);
	if (p->iface_id != 0 && iface_get(p->iface_id) == NULL)
		return fail(reply, -ENOENT, "interface %u does not exist", p->iface_id);
	return 0;
}

static int probe_request(const void *body, size_t size, debug_send_fn send, void *arg,
			 struct hd_api_reply *reply)
{
	struct hd_api_probe p = { 0 };
	struct egress e;
	int rc;

	(void)send;
	(void)arg;
	memcpy(&p, body, RTE_MIN(size, sizeof(p)));
	rc = check(&p, reply);
	if (rc < 0)
		return rc;
	const uint8_t *to = p.n_segments > 0 ? p.segment[0] : p.dst;
	bool on_link = p.iface_id != 0 && addr_on_link(p.iface_id, p.family, to);
	if (on_link)
		rc = by_iface(p.iface_id, &e, reply);
	else if (p.family == 6 && ip6_addr_is_link_local((const struct ip6_addr *)to))
		rc = fail(reply, -EINVAL, "a link-local destination needs an interface");
	else
		rc = by_route(&p, to, &e, reply);
	if (rc == 0)
		rc = source(&p, to, &e, on_link, reply);
	if (rc < 0)
		return rc;
	size_t len = probe_size(&p);
	if (len > e.mtu && !(p.family == 4 && (p.flags & HD_PROBE_F_FRAGMENT)))
		return fail(reply, -EMSGSIZE,
			    "a packet of %zu octets is longer than the MTU of the egress, %u", len,
			    e.mtu);
	struct rte_mbuf *m = packet_alloc();
	uint8_t *at = m == NULL || len > UINT16_MAX ?
			      NULL :
			      (uint8_t *)rte_pktmbuf_append(m, (uint16_t)len);
	if (at == NULL) {
		rte_pktmbuf_free(m);
		return m == NULL ?
			       fail(reply, -ENOBUFS, "no packet buffer is free") :
			       fail(reply, -EMSGSIZE,
				    "a packet of %zu octets is longer than a packet buffer", len);
	}
	uint16_t seq = next_seq++;
	write_probe(at, &p, seq);
	meta(m)->flags = META_F_LOCAL;
	meta(m)->vrf = (uint16_t)p.vrf_id;
	sent[seq % SENT_MAX] =
		(struct sent){ .tsc = rte_rdtsc(), .probe_id = p.probe_id, .seq = seq };
	if (on_link) { /* as a packet that found a connected prefix and no neighbour yet */
		meta(m)->result = hd_result(HD_RESULT_GLEAN, p.iface_id);
		neigh_unresolved(m, NULL);
	} else {
		inject(m, p.family == 4 ? INJECT_IP4_LOOKUP : INJECT_IP6_LOOKUP);
	}
	return 0;
}

/* Offset of the ICMP header; 0: there is none. */
static size_t icmp_offset(const struct rte_mbuf *m, unsigned *ret_family, uint8_t *ret_hops,
			  uint8_t from[16])
{
	struct wire_cur c = wire_cur_init(rte_pktmbuf_mtod(m, const void *), m->data_len);
	const uint8_t *first = wire_peek(&c, sizeof(struct ip4_hdr));
	struct ip6_chain chain;
	struct ip6_view v;

	if (first == NULL)
		return 0;
	*ret_family = *first >> 4 == 4 ? 4 : 6;
	if (*ret_family == 4) {
		const struct ip4_hdr *h = (const struct ip4_hdr *)first;
		*ret_hops = h->ttl;
		memcpy(from, &h->src, 4);
		return h->proto == IP_NH_ICMP4 ? (h->version_ihl & 15) * 4u : 0;
	}
	if (ip6_parse_quoted(&c, &v) < 0 || ip6_chain_parse(&v, &c, &chain) < 0 ||
	    chain.upper != IP_NH_ICMP6)
		return 0;
	*ret_hops = v.hdr->hop_limit;
	memcpy(from, &v.hdr->src, 16);
	return chain.upper_off;
}

static void probe_rx(struct rte_mbuf *m, void *arg)
{
	struct hd_api_probe_answer a = { .length = (uint16_t)RTE_MIN(m->pkt_len, UINT16_MAX) };
	struct hd_api_event ev = { .kind = HD_EVENT_PROBE };
	struct probe_match match;
	unsigned family = 0;
	size_t off = icmp_offset(m, &family, &a.hop_limit, a.from);

	(void)arg;
	static_assert(sizeof(a) <= sizeof(ev.u.room), "fits the event");
	if (off != 0 && off < m->data_len &&
	    probe_match(rte_pktmbuf_mtod_offset(m, const void *, off), m->data_len - off, family,
			ip_probe_ident, &match)) {
		struct sent *s = &sent[match.seq % SENT_MAX];
		uint64_t rx = meta(m)->rx_tsc;
		if (s->tsc != 0 && s->seq == match.seq) {
			a.rtt_ns = rx > s->tsc ? (uint64_t)((double)(rx - s->tsc) * 1e9 /
							    (double)rte_get_tsc_hz()) :
						 0;
			a.probe_id = s->probe_id;
			a.family = (uint8_t)family;
			a.icmp_type = match.type;
			a.icmp_code = match.code;
			a.mtu = match.mtu;
			a.nth = ++s->answers;
			memcpy(ev.u.room, &a, sizeof(a));
			api_server_event(&ev);
		}
	}
	rte_pktmbuf_free(m);
}

int ip_probe_init(void)
{
	uint16_t random[2] = { 0x1234, 0 };
	int rc;

	if (getrandom(random, sizeof(random), 0) < 0)
		random[1] = (uint16_t)rte_rdtsc();
	ip_probe_ident = 0xc000 | random[0]; /* a UDP port of the dynamic range, too */
	next_seq = random[1];
	memset(sent, 0, sizeof(sent));
	rc = punt_reason_register("probe", "answers to probes of ping and traceroute", 10000, 1000,
				  probe_rx, NULL);
	if (rc < 0)
		return rc;
	ip_punt.probe = (uint8_t)rc;
	return debug_request_register(HD_API_PROBE, probe_request);
}
