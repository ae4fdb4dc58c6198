/* SPDX-License-Identifier: BSD-3-Clause
 * Node pm-reflect: STAMP test packets for this node, from ip-local with the data at the IP header, become replies.
 * T2 is the time at which port-rx got the burst from the device, T3 is read as the reply is finished; both are
 * software timestamps, and the error estimate says how far they may be from UTC.
 * Nothing here allocates, logs or makes a system call.
 * Spec: RFC 8762, RFC 8972, RFC 9503; RFC 5357 section 4.2.1 for what RFC 8762 leaves to it. */
#include <string.h>

#include <rte_cycles.h>

#include "dataplane/hwclock.h"
#include "dataplane/node.h"
#include "dataplane/wallclock.h"
#include "heddle/wire/srh.h"
#include "heddle/wire/udp.h"
#include "pipelines/ip/ip.h"
#include "pipelines/pm/reflector.h"

#define PM_REFLECT_VERDICTS(V, P)                                                                    \
	V(P, REPLY4, "ip4-lookup", INFO, "reply sent (RFC 8762 4.3)")                                \
	V(P, REPLY6, "ip6-lookup", INFO, "reply sent (RFC 8762 4.3)")                                \
	V(P, SAME_LINK, "port-tx", INFO, "reply sent on the link of the request (RFC 9503)")         \
	V(P, NO_REPLY, "drop", INFO,                                                                 \
	  "the sender asks for no reply (RFC 9503 4.1.1): nothing is wrong")                         \
	V(P, NO_SESSION, "drop", WARN,                                                               \
	  "no session for this port, SSID and source (RFC 8972 3): configure it, or unprovisioned")  \
	V(P, RATE_LIMIT, "drop", WARN,                                                               \
	  "more than the session's or the reflector's rate: raise it, or slow the sender down")      \
	V(P, BAD_HMAC, "drop", ERROR,                                                                \
	  "HMAC is wrong: do both ends have the same key? (RFC 8762 4.4)")                           \
	V(P, BAD_ESTIMATE, "drop", WARN,                                                             \
	  "error estimate with multiplier zero (RFC 4656 4.1.2): "                                   \
	  "the sender's clock or program is at fault")                                               \
	V(P, BAD_CHECKSUM, "drop", ERROR,                                                            \
	  "UDP checksum is wrong (RFC 768, RFC 8200 8.1): the packet was damaged on its way")        \
	V(P, TRUNCATED, "drop", ERROR,                                                               \
	  "shorter than its UDP length or than a test packet (RFC 8762 4.2.1): is it STAMP at all?") \
	V(P, HEADER_SPLIT, "drop", ERROR, "not in one buffer segment: raise --mbuf-room")            \
	V(P, NO_ROOM, "drop", ERROR,                                                                 \
	  "no room in the packet buffer for the reply: raise --mbuf-room")                           \
	V(P, GROUP_DEST, "drop", WARN,                                                               \
	  "sent to a multicast address, from which no reply can come (RFC 4291 2.7): "               \
	  "send to one of its own addresses")
NODE_VERDICTS(pm_reflect, PM_REFLECT, PM_REFLECT_VERDICTS)

#define REPLY_TTL 255 /* RFC 5357 section 4.2.1 */

struct reflect_run {
	const struct wallclock *clock;
	struct worker *worker;
	struct reflector_count *count;
	struct iface_count *iface;
	uint64_t *due; /* of unprovisioned senders' buckets */
	uint16_t error;
	uint8_t sync_source;
};

/* The request in its buffer. */
struct request {
	struct rte_mbuf *m;
	uint8_t *ip;
	struct udp_hdr *udp;
	unsigned udp_off, len; /* len: UDP payload */
	uint8_t family;
	uint8_t l2[22], l2_len;
	uint32_t flow_label;
	struct stamp_rx rx;
};

/* ---- what reflect.c asks ----------------------------------------------------------------------------------------- */

static bool ours(void *arg, unsigned family, const uint8_t *addr)
{
	const struct request *q = arg;
	const struct fib *f = family == 4 ? ip_fib4(meta(q->m)->vrf) : ip_fib6(meta(q->m)->vrf);

	return f != NULL && hd_result_kind(fib_lookup(f, addr)) == HD_RESULT_LOCAL;
}

static unsigned path_octets(unsigned n_sids)
{
	return (unsigned)(sizeof(struct ip6_fixed) + sizeof(struct srh_hdr)) + 16 * n_sids;
}

static bool reachable(void *arg, const uint8_t *sids, unsigned n)
{
	const struct request *q = arg;
	const struct fib *f = ip_fib6(meta(q->m)->vrf);
	unsigned room = rte_pktmbuf_headroom(q->m) + q->udp_off - sizeof(struct ip6_fixed);
	enum hd_result_kind kind;

	if (f == NULL || n > SRH_MAX_SEGMENTS || room < path_octets(n) + ADJ_HDR_ROOM)
		return false;
	kind = hd_result_kind(fib_lookup(f, sids));
	return kind != HD_RESULT_NONE && kind != HD_RESULT_DROP && kind != HD_RESULT_LOCAL;
}

/* ---- in ---------------------------------------------------------------------------------------------------------- */

static int read_ip4(struct request *q)
{
	const struct ip4_hdr *h = (const struct ip4_hdr *)q->ip;

	q->udp_off = (h->version_ihl & 15) * 4u;
	if (q->udp_off < sizeof(*h) || q->udp_off + sizeof(struct udp_hdr) > q->m->data_len)
		return PM_REFLECT_TRUNCATED;
	if (ip4_addr_is_multicast(h->dst))
		return PM_REFLECT_GROUP_DEST;
	q->rx.src = h->src.b;
	q->rx.dst = h->dst.b;
	q->rx.ttl = h->ttl;
	q->rx.dscp = h->tos >> 2;
	q->rx.ecn = h->tos & 3;
	return -1;
}

static int read_ip6(struct request *q)
{
	struct wire_cur c = wire_cur_init(q->ip, q->m->data_len);
	struct ip6_chain chain;
	struct ip6_view v;

	if (ip6_parse(&c, &v) < 0 || ip6_chain_parse(&v, &c, &chain) < 0 ||
	    chain.upper != IP_NH_UDP)
		return PM_REFLECT_TRUNCATED;
	if (ip6_addr_is_multicast(&v.hdr->dst))
		return PM_REFLECT_GROUP_DEST;
	q->udp_off = chain.upper_off;
	q->rx.src = v.hdr->src.b;
	q->rx.dst = v.hdr->dst.b;
	q->rx.ttl = v.hdr->hop_limit;
	q->rx.dscp = ip6_traffic_class(v.hdr) >> 2;
	q->rx.ecn = ip6_traffic_class(v.hdr) & 3;
	q->flow_label = ip6_flow_label(v.hdr);
	return -1;
}

/* -1: go on. */
static int read_request(struct request *q)
{
	const struct hd_meta *mt = meta(q->m);
	struct udp_view udp;
	struct wire_cur c;
	int v;

	if (q->m->nb_segs != 1)
		return PM_REFLECT_HEADER_SPLIT;
	q->family = q->ip[0] >> 4 == 4 ? 4 : 6; /* ip-local has looked */
	q->rx.family = q->family;
	v = q->family == 4 ? read_ip4(q) : read_ip6(q);
	if (v >= 0)
		return v;
	c = wire_cur_init(q->ip + q->udp_off, q->m->data_len - q->udp_off);
	if (udp_parse(&c, &udp) < 0)
		return PM_REFLECT_TRUNCATED;
	if (udp_csum_check(&udp, q->family, q->rx.src, q->rx.dst) < 0)
		return PM_REFLECT_BAD_CHECKSUM;
	q->udp = (struct udp_hdr *)(q->ip + q->udp_off);
	q->len = udp.len - (unsigned)sizeof(struct udp_hdr);
	q->rx.src_port = udp.src_port;
	q->rx.dst_port = udp.dst_port;
	if (mt->l2_len >= 14 && mt->l2_len <= sizeof(q->l2)) {
		q->l2_len = mt->l2_len;
		memcpy(q->l2, q->ip - q->l2_len, q->l2_len);
		q->rx.src_mac = q->l2 + 6;
		q->rx.link = mt->iface != 0;
	}
	return -1;
}

/* ---- out --------------------------------------------------------------------------------------------------------- */

static void local_meta(struct rte_mbuf *m)
{
	struct hd_meta *mt = meta(m);

	mt->flags = META_F_LOCAL;
	mt->flow_hash = 0;
	mt->result = 0;
	mt->l2_len = 0;
}

/* IP and UDP headers directly in front of the payload; addresses and ports change places. */
static void build_headers(struct request *q, const struct stamp_reply *r)
{
	unsigned hdr = q->family == 4 ? sizeof(struct ip4_hdr) : sizeof(struct ip6_fixed);
	uint8_t src[16], dst[16], *ip = (uint8_t *)q->udp - hdr;
	size_t udp_len = sizeof(struct udp_hdr) + r->len;

	memcpy(dst, q->rx.src, q->family == 4 ? 4 : 16);
	memcpy(src, r->own_src ? r->src : q->rx.dst, q->family == 4 ? 4 : 16);
	udp_build(q->udp, sizeof(struct udp_hdr), q->rx.dst_port, q->rx.src_port, r->len);
	if (q->family == 4) {
		struct ip4_fields f = { .tos = (uint8_t)(r->dscp << 2),
					.ttl = REPLY_TTL,
					.proto = IP_NH_UDP,
					.df = true,
					.payload_len = udp_len };

		memcpy(&f.src, src, 4);
		memcpy(&f.dst, dst, 4);
		ip4_build(ip, hdr, &f);
	} else {
		struct ip6_fields f = { .traffic_class = (uint8_t)(r->dscp << 2),
					.hop_limit = REPLY_TTL,
					.next_header = IP_NH_UDP,
					.flow_label = q->flow_label,
					.payload_len = udp_len };

		memcpy(&f.src, src, 16);
		memcpy(&f.dst, dst, 16);
		ip6_build(ip, hdr, &f);
	}
	rte_pktmbuf_adj(q->m, (uint16_t)(q->udp_off - hdr));
	q->m->data_len = (uint16_t)(hdr + udp_len);
	q->m->pkt_len = q->m->data_len;
	q->ip = ip;
}

/* H.Encaps with the asked list, the first segment first (RFC 8986 section 5.1).  Room was checked by reachable(). */
static void push_path(struct request *q, const struct stamp_reply *r)
{
	unsigned n = path_octets(r->n_sids);
	struct ip6_fields outer = { .traffic_class = (uint8_t)(r->dscp << 2),
				    .hop_limit = 64,
				    .next_header = IP_NH_ROUTING,
				    .flow_label = q->flow_label,
				    .payload_len = n - sizeof(struct ip6_fixed) + q->m->pkt_len };
	const struct srh_fields srh = { .next_header = IP_NH_IP6,
					.seg = (const struct ip6_addr *)r->sids,
					.n_seg = r->n_sids };
	uint8_t *p = (uint8_t *)rte_pktmbuf_prepend(q->m, (uint16_t)n);

	memcpy(&outer.src, ((const struct ip6_fixed *)q->ip)->src.b, 16);
	memcpy(&outer.dst, r->sids, 16);
	srh_build(p + sizeof(struct ip6_fixed), n - sizeof(struct ip6_fixed), &srh);
	ip6_build(p, sizeof(struct ip6_fixed), &outer);
}

/* Back where it came from, tags and all. */
static void same_link(struct reflect_run *run, struct request *q)
{
	uint8_t *p = (uint8_t *)rte_pktmbuf_prepend(q->m, q->l2_len);
	const struct iface *i = iface_get(meta(q->m)->iface);
	const struct hd_meta *mt = meta(q->m);

	memcpy(p, q->l2, q->l2_len);
	memcpy(p, q->l2 + 6, 6);
	if (i != NULL)
		memcpy(p + 6, &i->mac, 6);
	iface_egress(q->m, mt->port, mt->iface, run->iface);
}

static rte_edge_t send_reply(struct reflect_run *run, struct request *q,
			     const struct reflector *how, struct reflector_state *st,
			     const struct stamp_reply *r)
{
	uint8_t *payload = (uint8_t *)(q->udp + 1);
	uint64_t now;

	build_headers(q, r);
	local_meta(q->m);
	now = wallclock_at(run->clock, rte_rdtsc());
	stamp_reply_finish(how, st, payload,
			   how->ptp ? stamp_ptp_make(now, run->clock->tai_s) : stamp_ntp_make(now));
	if (q->family == 4) {
		const struct ip4_hdr *h = (const struct ip4_hdr *)q->ip;

		udp_csum_set(q->udp,
			     hd_csum_ip4_pseudo(h->src, h->dst, be16_get(q->udp->len), IP_NH_UDP));
		if (r->path != STAMP_RETURN_SAME_LINK)
			return PM_REFLECT_REPLY4;
	} else {
		const struct ip6_fixed *h = (const struct ip6_fixed *)q->ip;

		udp_csum_set(q->udp, hd_csum_ip6_pseudo(&h->src, &h->dst, be16_get(q->udp->len),
							IP_NH_UDP));
		if (r->path == STAMP_RETURN_SRV6)
			push_path(q, r);
		if (r->path != STAMP_RETURN_SAME_LINK)
			return PM_REFLECT_REPLY6;
	}
	same_link(run, q);
	return PM_REFLECT_SAME_LINK;
}

/* ---- the node ---------------------------------------------------------------------------------------------------- */

static rte_edge_t verdict_of(enum stamp_result r)
{
	static const rte_edge_t v[] = {
		[STAMP_NO_REPLY] = PM_REFLECT_NO_REPLY,
		[STAMP_TRUNCATED] = PM_REFLECT_TRUNCATED,
		[STAMP_NO_ROOM] = PM_REFLECT_NO_ROOM,
		[STAMP_BAD_HMAC] = PM_REFLECT_BAD_HMAC,
		[STAMP_BAD_ESTIMATE] = PM_REFLECT_BAD_ESTIMATE,
	};

	return v[r];
}

/* Where a sender puts its SSID depends on the mode, which depends on the session: both places are tried. */
static struct reflector_session *session_of(const struct request *q, const uint8_t *payload)
{
	struct reflector_session *s = NULL;

	if (q->len >= STAMP_AUTH_BASE) {
		s = reflector_session_find(q->rx.dst_port,
					   wire_get16(payload + offsetof(struct stamp_auth, ssid)),
					   q->family, q->rx.src);
		if (s != NULL && s->how.authenticated)
			return s;
	}
	s = reflector_session_find(
		q->rx.dst_port,
		q->len >= 16 ? wire_get16(payload + offsetof(struct stamp_base, ssid)) : 0,
		q->family, q->rx.src);
	return s;
}

static uint64_t *bucket_of(struct reflect_run *run, const struct request *q)
{
	uint32_t h = wire_get32(q->rx.src + (q->family == 4 ? 0 : 12));

	if (q->family == 6)
		h ^= wire_get32(q->rx.src) ^ wire_get32(q->rx.src + 4) ^ wire_get32(q->rx.src + 8);
	return &run->due[(h * 0x9e3779b1u) >> 24];
}

/* A packet that is only explained changes nothing of its session, and finds its rate unused. */
static struct reflector_session *session_copy(const struct reflector_session *s,
					      struct reflector_session *to,
					      struct reflector_state *state)
{
	*to = *s;
	to->due = 0;
	if (s->state != NULL) {
		*state = *s->state;
		to->state = state;
	}
	return to;
}

static inline rte_edge_t pm_reflect_one(struct rte_mbuf *m, void *arg)
{
	struct reflect_run *run = arg;
	struct request q = { .m = m, .ip = rte_pktmbuf_mtod(m, uint8_t *) };
	const struct reflector_port *port;
	struct reflector_session *s, dry;
	struct reflector_state dry_state;
	struct stamp_reply reply;
	const struct reflector *how;
	struct reflector_count *count = NULL;
	enum stamp_result r;
	uint8_t *payload;
	uint64_t t2, came, error;
	int v = read_request(&q);

	if (v >= 0)
		return (rte_edge_t)v;
	port = reflector_port_find(q.rx.dst_port);
	if (port == NULL)
		return PM_REFLECT_NO_SESSION; /* just unconfigured */
	payload = (uint8_t *)(q.udp + 1);
	s = session_of(&q, payload);
	if (unlikely(run->worker->explain != NULL) && s != NULL)
		s = session_copy(s, &dry, &dry_state);
	if (s != NULL) {
		count = &run->count[s->session_id];
		meta(m)->object = s->session_id;
	} else if (!port->unprovisioned) {
		return PM_REFLECT_NO_SESSION;
	}
	if (!(s != NULL ? pace_take(&s->pace, &s->due, run->worker->now) :
			  pace_take(&port->pace, bucket_of(run, &q), run->worker->now))) {
		if (count != NULL)
			count->refused++;
		return PM_REFLECT_RATE_LIMIT;
	}
	how = s != NULL ? &s->how : &port->how;
	came = meta(m)->rx_tsc;
	q.rx.hw = hwclock_rx(m, meta(m)->port, came, rte_get_tsc_hz(), &came, &error);
	t2 = wallclock_at(run->clock, came);
	q.rx.ts = how->ptp ? stamp_ptp_make(t2, run->clock->tai_s) : stamp_ntp_make(t2);
	q.rx.error = run->error;
	q.rx.sync_source = run->sync_source;
	q.rx.ours = ours;
	q.rx.reachable = reachable;
	q.rx.arg = &q;
	r = stamp_reflect(how, s != NULL && how->stateful ? s->state : NULL, &q.rx, payload, q.len,
			  q.len + rte_pktmbuf_tailroom(m), &reply);
	if (count != NULL) {
		count->packets += r <= STAMP_NO_REPLY;
		count->octets += r <= STAMP_NO_REPLY ? q.len : 0;
		count->refused += r > STAMP_NO_REPLY;
	}
	if (r != STAMP_REPLY)
		return verdict_of(r);
	return send_reply(run, &q, how, s != NULL ? s->state : NULL, &reply);
}

static uint16_t pm_reflect_process(struct rte_graph *g, struct rte_node *node, void **objs,
				   uint16_t n)
{
	static uint64_t due[STATS_SLICES_MAX][PM_SOURCES];
	struct worker *w = node_worker(node);
	const struct wallclock *c = wallclock_get();
	bool known = c->synchronised;
	struct reflect_run run = {
		.clock = c,
		.worker = w,
		.count = reflector_counts[w->id],
		.iface = iface_counts[w->id],
		.due = due[w->id],
		/* without a bound from the kernel the estimate is about our own line only, and S says so */
		.error = stamp_error_make(c->error_ns + (known ? c->sync_error_ns : 0), known,
					  false),
		.sync_source = known ? STAMP_SYNC_NTP : STAMP_SYNC_FREE_RUNNING,
	};

	if (unlikely(w->explain != NULL))
		memset(run.due, 0, sizeof(due[0]));
	return node_run(g, node, objs, n, pm_reflect_one, &run);
}
NODE_REGISTER(pm_reflect, "pm-reflect", PM_REFLECT, PM_REFLECT_VERDICTS, pm_reflect_process)
