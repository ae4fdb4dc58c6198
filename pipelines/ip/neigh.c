/* SPDX-License-Identifier: BSD-3-Clause
 * Neighbours: one table for ARP (RFC 826) and Neighbor Discovery (RFC 4861), in the control thread.
 *
 * A neighbour is INCOMPLETE until it answers; then REACHABLE, STALE when nothing was heard of it for a while, PROBE
 * while it is asked again, and FAILED when it does not answer.  One that a next hop goes through is kept and asked
 * again from time to time; others go when they fail.  Its adjacency and its host route follow the state.
 * Packets for an INCOMPLETE neighbour wait here: a few for each, a bounded number in all; the oldest gives way. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_hash_crc.h>

#include "dataplane/api_server.h"
#include "dataplane/log.h"
#include "dataplane/punt.h"
#include "dataplane/rcu.h"
#include "dataplane/stats.h"
#include "heddle/wire/arp.h"
#include "pipelines/ip/internal.h"

#define REACHABLE_MS 30000u /* RFC 4861 section 10, REACHABLE_TIME */
#define STALE_MS \
	30000u /* then it is asked, whether packets go there or not: workers tell us nothing */
#define RETRANS_MS   1000u /* RFC 4861 section 10, RETRANS_TIMER */
#define TRIES        3u    /* MAX_MULTICAST_SOLICIT, MAX_UNICAST_SOLICIT */
#define FAILED_MS    3000u /* packets are answered "unreachable" as long, then it is asked again */
#define PINNED_MS    5000u /* a next hop's failed neighbour is asked again */
#define HELD_MAX     1024u /* packets waiting, over all neighbours */
#define SOLICIT_RATE 1000u /* solicitations a second, over all neighbours */
#define ERROR_RATE   10u   /* ICMP errors a second about packets that waited in vain */

static struct neigh **tab; /* by idx; NULL: free */
static struct neigh **bucket;
static LIST_HEAD(neigh_list, neigh) *iface_neighs; /* by interface id */
static uint32_t n_buckets, n_used, hi;             /* hi: indexes from here on were never used */
static uint32_t *free_idx, n_free;
static uint32_t cursor; /* where the next tick's scan begins */
static uint32_t n_held;
static uint64_t solicit_credit = SOLICIT_RATE, error_credit = ERROR_RATE;
static uint64_t last_second_ms;

uint64_t clock_advance_ms;

uint64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000 + clock_advance_ms;
}

/* ---- counters: the control thread's verdicts, shown like those of a node ---- */

enum neigh_verdict {
	NV_HELD,
	NV_RELEASED,
	NV_HELD_OVERFLOW,
	NV_UNRESOLVED,
	NV_TABLE_FULL,
	NV_LINK_GONE,
	NV_ARP,
	NV_ND,
	NV_MALFORMED,
	NV_NOT_FOR_US,
	NV_N
};
static const struct hd_stats_row rows[NV_N] = {
	[NV_HELD] = { "held", "neighbour", HD_SEV_INFO, 0, "waits for its neighbour's address" },
	[NV_RELEASED] = { "released", "port-tx", HD_SEV_INFO, 0, "sent, its neighbour answered" },
	[NV_HELD_OVERFLOW] = { "held-overflow", "drop", HD_SEV_WARN, 0,
			       "the oldest of too many packets that waited for one neighbour, or for all" },
	[NV_UNRESOLVED] = { "unresolved", "drop", HD_SEV_WARN, 0,
			    "waited for a neighbour that did not answer (RFC 4861 7.2.2); the source was told" },
	[NV_TABLE_FULL] = { "table-full", "drop", HD_SEV_ERROR, 0,
			    "no room for another neighbour: raise --neighs" },
	[NV_LINK_GONE] = { "link-gone", "drop", HD_SEV_WARN, 0,
			   "the egress interface went away or down meanwhile" },
	[NV_ARP] = { "arp", "neighbour", HD_SEV_INFO, 0, "ARP packet taken in (RFC 826)" },
	[NV_ND] = { "nd", "neighbour", HD_SEV_INFO, 0,
		    "Neighbor Discovery message taken in (RFC 4861)" },
	[NV_MALFORMED] = { "malformed", "drop", HD_SEV_WARN, 0,
			   "ARP or ND message that breaks RFC 826 or RFC 4861 7.1" },
	[NV_NOT_FOR_US] = { "not-for-us", "drop", HD_SEV_INFO, 0,
			    "ARP or ND message that asks for another station, or of a kind not acted upon" },
};
static uint64_t *count;

/* ---- frames ---- */

struct rte_mbuf *frame_make(const struct iface *i, const struct mac_addr *dst, uint16_t ethertype,
			    unsigned len, void **ret_l3)
{
	struct rte_mbuf *m = i->up ? packet_alloc() : NULL;
	unsigned l2;
	uint8_t *p;

	if (m == NULL)
		return NULL;
	p = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(22 + len));
	if (p == NULL) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	l2 = iface_header_build(i, p, dst, ethertype);
	packet_trim(m, l2 + len);
	*ret_l3 = p + l2;
	return m;
}

void frame_send(const struct iface *i, struct rte_mbuf *m)
{
	struct iface_count *c = &iface_counts[dp_limits.workers][i->id];
	struct hd_meta *mt = meta(m);

	mt->port = i->port;
	mt->tx_iface = i->id;
	mt->flags |= META_F_LOCAL;
	c->tx_packets++;
	c->tx_octets += m->pkt_len;
	inject(m, INJECT_PORT_TX);
}

static bool credit_take(uint64_t *credit)
{
	if (*credit == 0)
		return false;
	--*credit;
	return true;
}

/* Ask the neighbour: all stations, or itself while its address is still known. */
static void neigh_solicit(struct neigh *n)
{
	static const struct mac_addr all = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };
	const struct iface *i = iface_get(n->iface);
	const struct ip_if *f = ip_if_get(n->iface);
	struct mac_addr dst;
	struct rte_mbuf *m;
	void *p;

	if (i == NULL || !i->up || !credit_take(&solicit_credit))
		return;
	if (i->host) { /* the kernel asks, and the control process tells what it learnt */
		struct hd_api_event ev = { .kind = HD_EVENT_NEIGH_WANTED };

		ev.u.neigh.iface_id = n->iface;
		ev.u.neigh.family = n->family;
		memcpy(ev.u.neigh.addr, n->addr, 16);
		api_server_event(&ev);
		return;
	}
	if (n->family == 4) {
		be32_t src = { { 0 } }, target;

		addr_source4(n->iface, n->addr, &src); /* none: a probe, RFC 5227 section 1.1 */
		memcpy(&target, n->addr, 4);
		m = frame_make(i, n->has_mac ? &n->mac : &all, ETHTYPE_ARP, sizeof(struct arp_pkt),
			       &p);
		if (m == NULL)
			return;
		arp_build(p, sizeof(struct arp_pkt), ARP_OP_REQUEST, &i->mac, src, NULL, target);
	} else {
		struct nd_fields nd = { .mac = &i->mac };
		struct ip6_fields h = { .hop_limit = 255,
					.next_header = IP_NH_ICMP6,
					.payload_len = nd_build_len(&nd) };

		if (f == NULL)
			return;
		memcpy(&nd.target, n->addr, 16);
		nd.src = f->link_local;
		nd.dst = n->has_mac ? nd.target : ip6_solicited_node(&nd.target);
		dst = n->has_mac ? n->mac : ip6_multicast_mac(&nd.dst);
		h.src = nd.src;
		h.dst = nd.dst;
		m = frame_make(i, &dst, ETHTYPE_IP6, (unsigned)(40 + h.payload_len), &p);
		if (m == NULL)
			return;
		ip6_build(p, 40, &h);
		nd_ns_build((uint8_t *)p + 40, h.payload_len, &nd);
	}
	frame_send(i, m);
}

/* ---- the table ---- */

static uint32_t neigh_hash(uint32_t iface, unsigned family, const uint8_t *addr)
{
	uint64_t a[2] = { 0 }; /* addresses in packets are not aligned */

	memcpy(a, addr, family == 4 ? 4 : 16);
	return rte_hash_crc(a, sizeof(a), iface * 8 + family);
}

static struct neigh *neigh_find(uint32_t iface, unsigned family, const uint8_t *addr)
{
	struct neigh *n = bucket[neigh_hash(iface, family, addr) & (n_buckets - 1)];

	while (n != NULL && !(n->iface == iface && n->family == family &&
			      memcmp(n->addr, addr, family == 4 ? 4 : 16) == 0))
		n = n->hnext;
	return n;
}

static struct neigh *neigh_new(uint32_t iface, unsigned family, const uint8_t *addr)
{
	struct neigh *n;
	uint32_t h;

	if (n_free == 0 && hi == dp_limits.neighs)
		return NULL;
	n = calloc(1, sizeof(*n));
	if (n == NULL)
		return NULL;
	if (slots_alloc(adj_slots, &n->adj) < 0) {
		free(n);
		return NULL;
	}
	n->idx = n_free != 0 ? free_idx[--n_free] : hi++;
	n->iface = iface;
	n->family = (uint8_t)family;
	memcpy(n->addr, addr, family == 4 ? 4 : 16);
	n->state = HD_NEIGH_INCOMPLETE;
	n->confirmed_ms = n->next_ms = clock_ms();
	tab[n->idx] = n;
	n_used++;
	h = neigh_hash(iface, family, addr) & (n_buckets - 1);
	n->hnext = bucket[h];
	bucket[h] = n;
	LIST_INSERT_HEAD(&iface_neighs[iface], n, same_iface);
	return n;
}

static void neigh_event(const struct neigh *n, bool up)
{
	struct hd_api_event ev = { .kind = HD_EVENT_NEIGH };

	ev.u.neigh.iface_id = n->iface;
	ev.u.neigh.up = up;
	ev.u.neigh.family = n->family;
	memcpy(ev.u.neigh.mac, n->mac.b, 6);
	memcpy(ev.u.neigh.addr, n->addr, 16);
	api_server_event(&ev);
}

/* The host route is there while the neighbour has an address or is known to be dead, and is on the link. */
static void rib_follow(struct neigh *n)
{
	const struct iface *i = iface_get(n->iface);
	uint8_t full = n->family == 4 ? 32 : 128;
	bool link_local = n->family == 6 && n->addr[0] == 0xfe && (n->addr[1] & 0xc0) == 0x80;
	bool want = i != NULL && !link_local && (n->has_mac || n->state == HD_NEIGH_FAILED) &&
		    (n->is_static || addr_on_link(n->iface, n->family, n->addr));

	if (n->in_rib && (!want || n->rib_vrf != i->vrf)) {
		ip_rib_del(n->rib_vrf, n->family, n->addr, full, RIB_NEIGH);
		n->in_rib = false;
	}
	if (want && !n->in_rib) {
		n->rib_vrf = i->vrf;
		n->in_rib = ip_rib_set(i->vrf, n->family, n->addr, full, RIB_NEIGH,
				       HD_RESULT(HD_RESULT_ADJ, n->adj)) == 0;
	}
}

/* Publish what the neighbour is now: its adjacency first, then the route to it, then what goes through it. */
static void neigh_publish(struct neigh *n)
{
	struct nexthop *nh;
	struct adj a;

	adj_fill(&a, iface_get(n->iface), n->family, n->addr, n->has_mac ? &n->mac : NULL,
		 n->state == HD_NEIGH_FAILED, UINT32_MAX);
	if (adj_publish(n->adj, &a) < 0)
		log_error("neighbour: out of memory, a change of state is not seen");
	rib_follow(n);
	LIST_FOREACH(nh, &n->nexthops, same_neigh)
		nexthop_refresh(nh);
}

static void held_drop(struct neigh *n, enum neigh_verdict why)
{
	for (unsigned k = 0; k < n->n_held; k++)
		rte_pktmbuf_free(n->held[k]);
	count[why] += n->n_held;
	n_held -= n->n_held;
	n->n_held = 0;
}

static void neigh_free(struct neigh *n)
{
	struct neigh **at = &bucket[neigh_hash(n->iface, n->family, n->addr) & (n_buckets - 1)];

	held_drop(n, NV_LINK_GONE);
	if (n->in_rib)
		ip_rib_del(n->rib_vrf, n->family, n->addr, n->family == 4 ? 32 : 128, RIB_NEIGH);
	while (*at != n)
		at = &(*at)->hnext;
	*at = n->hnext;
	LIST_REMOVE(n, same_iface);
	tab[n->idx] = NULL;
	free_idx[n_free++] = n->idx;
	n_used--;
	slots_free(adj_slots, n->adj, free);
	free(n);
}

/* ---- packets that wait ---- */

static void packet_release(const struct adj *a, struct rte_mbuf *m)
{
	const struct ip4_hdr *h = rte_pktmbuf_mtod(m, const struct ip4_hdr *);

	if (m->data_off < ADJ_HDR_ROOM || m->pkt_len > a->mtu) {
		count[NV_LINK_GONE]++;
		rte_pktmbuf_free(m);
		return;
	}
	adj_rewrite(m, a, h->version_ihl >> 4 == 4 ? ETHTYPE_IP4 : ETHTYPE_IP6,
		    iface_counts[dp_limits.workers]);
	count[NV_RELEASED]++;
	inject(m, INJECT_PORT_TX);
}

static void held_release(struct neigh *n)
{
	const struct adj *a = adj_get(n->adj);

	if (a == NULL || a->state != ADJ_RESOLVED) {
		held_drop(n, NV_LINK_GONE);
		return;
	}
	for (unsigned k = 0; k < n->n_held; k++)
		packet_release(a, n->held[k]);
	n_held -= n->n_held;
	n->n_held = 0;
}

/* The sources of packets that waited in vain are told (RFC 4861 section 7.2.2, RFC 1812 section 3.3.2). */
static void held_fail(struct neigh *n)
{
	for (unsigned k = 0; k < n->n_held; k++) {
		struct rte_mbuf *m = n->held[k];
		const struct ip4_hdr *h = rte_pktmbuf_mtod(m, const struct ip4_hdr *);
		enum icmp_error_result r;

		count[NV_UNRESOLVED]++;
		if (h->version_ihl >> 4 == 4)
			ip_icmp_error(m, ICMP4_UNREACH, ICMP4_UNREACH_HOST, 0);
		else
			ip_icmp_error(m, ICMP6_UNREACH, ICMP6_UNREACH_ADDR, 0);
		r = icmp_error_check(m);
		if ((r == ICMP_ERROR_READY4 || r == ICMP_ERROR_READY6) &&
		    credit_take(&error_credit))
			r = icmp_error_make(m);
		else
			r = ICMP_ERROR_NOT_ALLOWED;
		if (r == ICMP_ERROR_READY4)
			inject(m, INJECT_IP4_LOOKUP);
		else if (r == ICMP_ERROR_READY6)
			inject(m, INJECT_IP6_LOOKUP);
		else
			rte_pktmbuf_free(m);
	}
	n_held -= n->n_held;
	n->n_held = 0;
}

static void held_shift(struct neigh *n)
{
	rte_pktmbuf_free(n->held[0]);
	memmove(&n->held[0], &n->held[1], (RTE_DIM(n->held) - 1) * sizeof(n->held[0]));
	n->n_held--;
	n_held--;
	count[NV_HELD_OVERFLOW]++;
}

static void neigh_hold(struct neigh *n, struct rte_mbuf *m)
{
	if (n->n_held == RTE_DIM(n->held) || (n_held >= HELD_MAX && n->n_held != 0))
		held_shift(n);
	if (n_held >= HELD_MAX) { /* others hold everything: they were here first */
		count[NV_HELD_OVERFLOW]++;
		rte_pktmbuf_free(m);
		return;
	}
	n->held[n->n_held++] = m;
	n_held++;
	count[NV_HELD]++;
}

/* ---- states ---- */

static void neigh_ask(struct neigh *n, uint8_t state)
{
	n->state = state;
	n->tries = 1;
	n->next_ms = clock_ms() + RETRANS_MS;
	neigh_solicit(n);
}

/* The neighbour told its address: solicited (it is there now) or by the way. */
static void neigh_learn(struct neigh *n, const struct mac_addr *mac, bool confirmed)
{
	bool was_up = n->has_mac && n->state != HD_NEIGH_FAILED;
	bool same = n->has_mac && mac_eq(&n->mac, mac);
	bool was_failed = n->state == HD_NEIGH_FAILED;
	uint64_t now = clock_ms();

	if (n->is_static)
		return;
	n->mac = *mac;
	n->has_mac = true;
	if (confirmed) {
		n->state = HD_NEIGH_REACHABLE;
		n->confirmed_ms = now;
		n->next_ms = now + REACHABLE_MS +
			     (n->idx * 7919u) % (REACHABLE_MS / 4); /* not all at once */
	} else if (!same || !was_up) {
		n->state = HD_NEIGH_STALE;
		n->next_ms = now + STALE_MS;
	}
	if (!same || was_failed)
		neigh_publish(n);
	if (!same || !was_up)
		neigh_event(n, true);
	held_release(n);
	nhgroups_follow();
}

static void neigh_fail(struct neigh *n)
{
	bool was_up = n->has_mac;

	n->state = HD_NEIGH_FAILED;
	n->has_mac = false;
	n->next_ms = clock_ms() + (!LIST_EMPTY(&n->nexthops) ? PINNED_MS : FAILED_MS);
	neigh_publish(n);
	if (was_up)
		neigh_event(n, false);
	held_fail(n);
}

static void neigh_timer(struct neigh *n, uint64_t now)
{
	if (n->is_static || now < n->next_ms)
		return;
	switch (n->state) {
	case HD_NEIGH_REACHABLE:
		n->state = HD_NEIGH_STALE;
		n->next_ms = now + STALE_MS;
		break;
	case HD_NEIGH_STALE:
		neigh_ask(n, HD_NEIGH_PROBE);
		break;
	case HD_NEIGH_INCOMPLETE:
	case HD_NEIGH_PROBE:
		if (n->tries >= TRIES) {
			neigh_fail(n);
			break;
		}
		n->tries++;
		n->next_ms = now + RETRANS_MS;
		neigh_solicit(n);
		break;
	case HD_NEIGH_FAILED:
		if (LIST_EMPTY(&n->nexthops)) {
			neigh_free(n);
			break;
		}
		/* Stay FAILED, so that groups go on without it, until it answers. */
		n->next_ms = now + PINNED_MS;
		neigh_solicit(n);
		break;
	default:
		break;
	}
}

void neigh_tick(uint64_t now)
{
	uint32_t step = hi / 10 + 1; /* the whole table once a second */

	if (now - last_second_ms >= 1000) {
		last_second_ms = now;
		solicit_credit = SOLICIT_RATE;
		error_credit = ERROR_RATE;
	}
	for (; step-- > 0 && hi != 0; cursor++) {
		if (cursor >= hi)
			cursor = 0;
		if (tab[cursor] != NULL)
			neigh_timer(tab[cursor], now);
	}
	nhgroups_follow();
}

/* ---- from the workers ---- */

/* A packet whose neighbour is not resolved: meta->result is ADJ (a next hop's) or GLEAN (interface). */
void neigh_unresolved(struct rte_mbuf *m, void *arg)
{
	uint32_t word = meta(m)->result, iface;
	const uint8_t *l3 = rte_pktmbuf_mtod(m, const uint8_t *), *addr;
	unsigned family = l3[0] >> 4 == 4 ? 4 : 6;
	const struct adj *a = NULL;
	const struct iface *i;
	struct neigh *n;

	(void)arg;
	addr = family == 4 ? l3 + 16 : l3 + 24;
	iface = hd_result_index(word);
	if (hd_result_kind(word) == HD_RESULT_ADJ) {
		a = adj_get(hd_result_index(word));
		if (a == NULL) {
			count[NV_LINK_GONE]++;
			rte_pktmbuf_free(m);
			return;
		}
		iface = a->iface;
		if (a->state != ADJ_GLEAN) {
			family = a->family;
			addr = a->gateway;
		}
	}
	i = iface_get(iface);
	if (i == NULL || !i->up) {
		count[NV_LINK_GONE]++;
		rte_pktmbuf_free(m);
		return;
	}
	n = neigh_find(iface, family, addr);
	if (n == NULL) {
		n = neigh_new(iface, family, addr);
		if (n == NULL) {
			count[NV_TABLE_FULL]++;
			rte_pktmbuf_free(m);
			return;
		}
		neigh_ask(n, HD_NEIGH_INCOMPLETE);
	}
	a = adj_get(n->adj);
	if (n->has_mac && a != NULL && a->state == ADJ_RESOLVED) { /* it answered meanwhile */
		packet_release(a, m);
		return;
	}
	neigh_hold(n, m);
	if (n->state == HD_NEIGH_FAILED)
		held_fail(n);
}

void neigh_arp_rx(struct rte_mbuf *m, void *arg)
{
	const struct iface *i = iface_get(meta(m)->iface);
	struct wire_cur c = wire_cur_init(rte_pktmbuf_mtod(m, const void *), m->data_len);
	struct arp_view v;
	struct neigh *n;
	bool for_us;

	(void)arg;
	if (i == NULL || arp_parse(&c, &v) < 0 || ip4_addr_is_multicast(v.pkt->spa)) {
		count[i == NULL ? NV_LINK_GONE : NV_MALFORMED]++;
		goto out;
	}
	if (addr_is_ours(i, 4, v.pkt->spa.b)) {
		if (!mac_eq(&v.pkt->sha, &i->mac))
			log_warn(
				"arp: %s: another station (%02x:%02x:%02x:%02x:%02x:%02x) uses our address %u.%u.%u.%u",
				i->name, v.pkt->sha.b[0], v.pkt->sha.b[1], v.pkt->sha.b[2],
				v.pkt->sha.b[3], v.pkt->sha.b[4], v.pkt->sha.b[5], v.pkt->spa.b[0],
				v.pkt->spa.b[1], v.pkt->spa.b[2], v.pkt->spa.b[3]);
		count[NV_NOT_FOR_US]++;
		goto out;
	}
	for_us = addr_is_ours(i, 4, v.pkt->tpa.b);
	/* RFC 826 "Packet Reception": who is known is updated; who asks us is learnt. */
	n = wire_get32(&v.pkt->spa) == 0 ? NULL : neigh_find(i->id, 4, v.pkt->spa.b);
	if (n == NULL && for_us && v.op == ARP_OP_REQUEST && wire_get32(&v.pkt->spa) != 0 &&
	    addr_on_link(i->id, 4, v.pkt->spa.b))
		n = neigh_new(i->id, 4, v.pkt->spa.b);
	if (n != NULL)
		neigh_learn(n, &v.pkt->sha, for_us && v.op == ARP_OP_REPLY);
	count[for_us || n != NULL ? NV_ARP : NV_NOT_FOR_US]++;
	if (for_us && v.op == ARP_OP_REQUEST) {
		void *p;
		struct rte_mbuf *reply =
			frame_make(i, &v.pkt->sha, ETHTYPE_ARP, sizeof(struct arp_pkt), &p);

		if (reply != NULL) {
			arp_build(p, sizeof(struct arp_pkt), ARP_OP_REPLY, &i->mac, v.pkt->tpa,
				  &v.pkt->sha, v.pkt->spa);
			frame_send(i, reply);
		}
	}
out:
	rte_pktmbuf_free(m);
}

static void na_send(const struct iface *i, const struct ip6_fixed *ip, const struct nd_ns_view *ns,
		    const struct mac_addr *to)
{
	static const struct ip6_addr all_nodes = { { 0xff, 0x02, [15] = 1 } };
	struct nd_fields f = { .src = *ns->target,
			       .dst = ns->dad ? all_nodes : ip->src,
			       .target = *ns->target,
			       .mac = &i->mac };
	struct ip6_fields h = { .src = f.src,
				.dst = f.dst,
				.hop_limit = 255,
				.next_header = IP_NH_ICMP6,
				.payload_len = nd_build_len(&f) };
	struct rte_mbuf *m;
	void *p;

	/* RFC 4861 section 7.2.4: not solicited when the asker has no address yet. */
	f.flags = ND_NA_ROUTER | ND_NA_OVERRIDE | (ns->dad ? 0 : ND_NA_SOLICITED);
	m = frame_make(i, to, ETHTYPE_IP6, (unsigned)(40 + h.payload_len), &p);
	if (m == NULL)
		return;
	ip6_build(p, 40, &h);
	nd_na_build((uint8_t *)p + 40, h.payload_len, &f);
	frame_send(i, m);
}

static enum neigh_verdict ns_rx(const struct iface *i, const struct ip6_fixed *ip,
				const struct icmp6_view *icmp, const uint8_t *l2_src)
{
	static const struct ip6_addr all_nodes = { { 0xff, 0x02, [15] = 1 } };
	struct mac_addr to = ip6_multicast_mac(&all_nodes);
	struct nd_ns_view v;
	struct neigh *n;

	if (nd_ns_parse(ip, icmp, &v) < 0 || (v.slla != NULL && mac_is_multicast(v.slla)))
		return NV_MALFORMED;
	if (!addr_is_ours(i, 6, v.target->b))
		return NV_NOT_FOR_US;
	if (!v.dad) {
		n = neigh_find(i->id, 6, ip->src.b);
		if (n == NULL && v.slla != NULL && addr_on_link(i->id, 6, ip->src.b))
			n = neigh_new(i->id, 6, ip->src.b);
		if (n != NULL && v.slla != NULL)
			neigh_learn(n, v.slla, false);
		if (v.slla != NULL)
			to = *v.slla;
		else if (n != NULL && n->has_mac)
			to = n->mac;
		else /* a unicast probe without the option: back to where the frame came from */
			memcpy(&to, l2_src, sizeof(to));
	}
	na_send(i, ip, &v, &to);
	return NV_ND;
}

/* RFC 4861 section 7.2.5. */
static enum neigh_verdict na_rx(const struct iface *i, const struct ip6_fixed *ip,
				const struct icmp6_view *icmp)
{
	struct nd_na_view v;
	struct neigh *n;

	if (nd_na_parse(ip, icmp, &v) < 0 || (v.tlla != NULL && mac_is_multicast(v.tlla)))
		return NV_MALFORMED;
	n = neigh_find(i->id, 6, v.target->b);
	if (n == NULL || n->is_static)
		return NV_NOT_FOR_US;
	if (!n->has_mac) {
		if (v.tlla == NULL)
			return NV_NOT_FOR_US;
		neigh_learn(n, v.tlla, v.solicited);
	} else if (v.tlla != NULL && !mac_eq(v.tlla, &n->mac) && !v.override) {
		if (n->state == HD_NEIGH_REACHABLE) {
			n->state = HD_NEIGH_STALE;
			n->next_ms = clock_ms() + STALE_MS;
		}
	} else {
		struct mac_addr mac = v.tlla != NULL ? *v.tlla : n->mac;

		neigh_learn(n, &mac, v.solicited);
	}
	return NV_ND;
}

void neigh_nd_rx(struct rte_mbuf *m, void *arg)
{
	const struct hd_meta *mt = meta(m);
	const struct iface *i = iface_get(mt->iface);
	const uint8_t *l3 = rte_pktmbuf_mtod(m, const uint8_t *);
	struct wire_cur c = wire_cur_init(l3, m->data_len);
	enum neigh_verdict v = NV_MALFORMED;
	struct icmp6_view icmp;
	struct ip6_view ip;

	(void)arg;
	if (i == NULL)
		v = NV_LINK_GONE;
	else if (ip6_parse(&c, &ip) == 0 && ip.hdr->next_header == IP_NH_ICMP6 &&
		 icmp6_parse(&c, &ip.hdr->src, &ip.hdr->dst, &icmp) == 0) {
		if (icmp.msg->type == ICMP6_NS && mt->l2_len >= 14 && m->data_off >= mt->l2_len)
			v = ns_rx(i, ip.hdr, &icmp, l3 - mt->l2_len + 6);
		else if (icmp.msg->type == ICMP6_NA)
			v = na_rx(i, ip.hdr, &icmp);
		else
			v = NV_NOT_FOR_US; /* RS, RA, redirect: not acted upon yet */
	}
	count[v]++;
	rte_pktmbuf_free(m);
}

/* ---- configuration ---- */

int neigh_static_set(const struct hd_api_neigh *msg)
{
	struct neigh *n = neigh_find(msg->iface_id, msg->family, msg->addr);

	if (n == NULL)
		n = neigh_new(msg->iface_id, msg->family, msg->addr);
	if (n == NULL)
		return -ENOSPC;
	memcpy(&n->mac, msg->mac, 6);
	n->has_mac = n->is_static = true;
	n->state = (msg->flags & HD_API_NEIGH_F_KERNEL) != 0 ? HD_NEIGH_KERNEL : HD_NEIGH_STATIC;
	n->confirmed_ms = clock_ms();
	neigh_publish(n);
	held_release(n);
	nhgroups_follow();
	return 0;
}

void neigh_static_remove(const struct hd_api_neigh *msg)
{
	struct neigh *n = neigh_find(msg->iface_id, msg->family, msg->addr);

	if (n == NULL || !n->is_static)
		return;
	if (LIST_EMPTY(&n->nexthops)) {
		neigh_free(n);
		return;
	}
	n->is_static = n->has_mac = false;
	neigh_ask(n, HD_NEIGH_INCOMPLETE);
	neigh_publish(n);
	nhgroups_follow();
}

void neigh_prefetch(const struct hd_api_neigh *msg)
{
	const struct iface *i = iface_get(msg->iface_id);

	__builtin_prefetch(
		&bucket[neigh_hash(msg->iface_id, msg->family, msg->addr) & (n_buckets - 1)]);
	ip_rib_prefetch(i != NULL ? i->vrf : 0, msg->family, msg->addr,
			msg->family == 4 ? 32 : 128);
}

struct neigh *neigh_attach(struct nexthop *nh)
{
	struct neigh *n = neigh_find(nh->iface, nh->family, nh->gateway);

	if (n == NULL) {
		n = neigh_new(nh->iface, nh->family, nh->gateway);
		if (n == NULL)
			return NULL;
		neigh_ask(n, HD_NEIGH_INCOMPLETE); /* before the first packet needs it */
	}
	nh->neigh = n;
	LIST_INSERT_HEAD(&n->nexthops, nh, same_neigh);
	return n;
}

void neigh_detach(struct nexthop *nh)
{
	LIST_REMOVE(nh, same_neigh);
	nh->neigh = NULL; /* the neighbour ages on by itself */
}

void neigh_iface_changed(const struct iface *old, const struct iface *new)
{
	uint32_t id = new != NULL ? new->id : old->id;
	struct neigh *n, *next;

	for (n = LIST_FIRST(&iface_neighs[id]); n != NULL; n = next) {
		next = LIST_NEXT(n, same_iface);
		if (new == NULL && LIST_EMPTY(&n->nexthops)) {
			neigh_free(n);
			continue;
		}
		if (new != NULL &&new->up && (old == NULL || !old->up) && !n->is_static)
			neigh_ask(n, n->has_mac ? HD_NEIGH_PROBE : HD_NEIGH_INCOMPLETE);
		neigh_publish(n);
	}
}

void neigh_addr_changed(const struct hd_api_addr *a)
{
	struct neigh *n;

	LIST_FOREACH(n, &iface_neighs[a->iface_id], same_iface)
		if (n->family == a->family && ip_prefix_match(n->addr, a->addr, a->plen))
			rib_follow(n);
}

int ip_neigh_walk(int (*fn)(const struct hd_api_neigh_state *n, void *arg), void *arg)
{
	uint64_t now = clock_ms();

	for (uint32_t k = 0; k < hi; k++) {
		const struct neigh *n = tab[k];
		struct hd_api_neigh_state s = { 0 };
		int rc;

		if (n == NULL)
			continue;
		s.iface_id = n->iface;
		s.family = n->family;
		s.state = n->state;
		memcpy(s.addr, n->addr, 16);
		if (n->has_mac)
			memcpy(s.mac, n->mac.b, 6);
		s.age_s = (uint32_t)((now - n->confirmed_ms) / 1000);
		s.n_held = n->n_held;
		rc = fn(&s, arg);
		if (rc != 0)
			return rc;
	}
	return 0;
}

int neigh_init(void)
{
	static const char *const cols[] = { "packets", NULL };
	int vec = stats_vec_add("verdict/neighbour", HD_STATS_VERDICT, NV_N, cols, rows);

	if (vec < 0)
		return vec;
	count = stats_slice(vec, dp_limits.workers);
	for (n_buckets = 64; n_buckets < dp_limits.neighs; n_buckets *= 2)
		;
	tab = calloc(dp_limits.neighs, sizeof(*tab));
	bucket = calloc(n_buckets, sizeof(*bucket));
	iface_neighs = calloc(dp_limits.ifaces, sizeof(*iface_neighs));
	free_idx = calloc(dp_limits.neighs, sizeof(*free_idx));
	if (tab == NULL || bucket == NULL || iface_neighs == NULL || free_idx == NULL) {
		neigh_fini();
		return -ENOMEM;
	}
	return 0;
}

void neigh_fini(void)
{
	for (uint32_t k = 0; tab != NULL && k < hi; k++)
		if (tab[k] != NULL)
			neigh_free(tab[k]);
	free(tab);
	free(bucket);
	free(iface_neighs);
	free(free_idx);
	tab = NULL;
	bucket = NULL;
	iface_neighs = NULL;
	free_idx = NULL;
	n_buckets = n_used = hi = n_free = cursor = n_held = 0;
	solicit_credit = SOLICIT_RATE;
	error_credit = ERROR_RATE;
	last_second_ms = 0;
}
