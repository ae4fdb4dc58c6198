/* SPDX-License-Identifier: BSD-3-Clause
 * What the kernel has, as far as it said.  Three things about rtnetlink shape this file.
 * An IPv4 prefix may have several routes of one priority, in an order that decides, and NLM_F_REPLACE and NLM_F_APPEND
 * say where a new one stands (fib_table_insert()).  An IPv6 multipath route comes and goes as a whole or next hop by
 * next hop.  And IPv4 routes that go with their device, their source address or their next-hop object go without a
 * word (fib_table_flush()), so that they have to be read again. */
#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ctrl/kernel/kernel_private.h"
#include "ctrl/log.h"

static uint32_t hash_octets(uint32_t h, const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * 16777619u;
	return h ^ h >> 15;
}

/* Double a table of chains whose first member is the link.  Without memory it stays: longer chains are right too. */
#define grow(buckets, n_buckets, type, link, hash)                                       \
	do {                                                                             \
		uint32_t n_ = (n_buckets)*2;                                             \
		type **b_ = calloc(n_, sizeof(*b_));                                     \
		for (uint32_t i_ = 0; b_ != NULL && i_ < (n_buckets); i_++)              \
			for (type *e_ = (buckets)[i_], *next_; e_ != NULL; e_ = next_) { \
				next_ = e_->link;                                        \
				uint32_t h_ = hash(e_) & (n_ - 1);                       \
				e_->link = b_[h_];                                       \
				b_[h_] = e_;                                             \
			}                                                                \
		if (b_ != NULL) {                                                        \
			free(buckets);                                                   \
			(buckets) = b_;                                                  \
			(n_buckets) = n_;                                                \
		}                                                                        \
	} while (0)

/* --- links ----------------------------------------------------------------------------------- */

struct klink *model_link(const struct mirror *m, uint32_t index)
{
	struct klink *l = m->model.links;

	while (l != NULL && l->l.index != index)
		l = l->next;
	return l;
}

static uint32_t iface_of(const struct mirror *m, const char *netdev, bool *ret_twin)
{
	*ret_twin = false;
	for (uint32_t i = 0; i < m->conf.n_ifaces; i++)
		if (strcmp(m->conf.iface[i].netdev, netdev) == 0) {
			*ret_twin = m->conf.iface[i].twin;
			return m->conf.iface[i].iface_id;
		}
	return 0;
}

static void items_of_link_dirty(struct mirror *m, uint32_t index)
{
	for (uint32_t b = 0; b < m->model.n_item_buckets; b++)
		for (struct kitem *i = m->model.items[b]; i != NULL; i = i->hnext)
			if (i->index == index)
				item_dirty(m, i);
}

static void link_set(struct mirror *m, const struct nl_link *new)
{
	struct klink *l = model_link(m, new->index);
	bool flipped = false, twin; /* a new one has no routes that could have gone */
	uint32_t iface_id = iface_of(m, new->name, &twin), was = 0;

	if (l == NULL) {
		l = calloc(1, sizeof(*l));
		if (l == NULL)
			return;
		l->next = m->model.links;
		m->model.links = l;
	} else {
		was = l->iface_id;
		flipped = ((l->l.flags ^ new->flags) & (IFF_UP | IFF_LOWER_UP | IFF_RUNNING)) != 0;
	}
	l->twin = twin;
	if (iface_id != 0 && (new->forwards4 || new->forwards6) && !l->told && !l->twin)
		log_warning(
			"kernel: it forwards packets that come in on %.15s, as Heddle does: each "
			"would be sent twice.  sysctl -w net.ipv4.conf.%.15s.forwarding=0 "
			"net.ipv6.conf.all.forwarding=0",
			new->name, new->name);
	l->told = new->forwards4 || new->forwards6;
	l->l = *new;
	l->iface_id = iface_id;
	l->gen = m->gen;
	if (was != iface_id) {
		items_of_link_dirty(m, new->index);
		ways_forget(m, 0);
	}
	if (flipped && m->sock != NULL) /* IPv4 routes go and change in silence */
		nlsock_soon(m->sock, K_ROUTE4 | K_NEXTHOP);
}

static void link_del(struct mirror *m, uint32_t index)
{
	for (struct klink **at = &m->model.links; *at != NULL; at = &(*at)->next) {
		struct klink *l = *at;
		if (l->l.index != index)
			continue;
		*at = l->next;
		free(l);
		items_of_link_dirty(m, index);
		ways_forget(m, 0);
		if (m->sock != NULL)
			nlsock_soon(m->sock, K_ALL & ~(unsigned)K_LINK);
		return;
	}
}

void model_remap(struct mirror *m)
{
	for (struct klink *l = m->model.links; l != NULL; l = l->next) {
		l->iface_id = iface_of(m, l->l.name, &l->twin);
		items_of_link_dirty(m, l->l.index);
	}
	ways_forget(m, 0);
	for (uint32_t b = 0; b < m->model.n_prefix_buckets; b++)
		for (struct kprefix *p = m->model.prefixes[b]; p != NULL; p = p->hnext)
			prefix_dirty(m, p);
}

/* --- addresses and neighbours ---------------------------------------------------------------- */

static uint32_t item_key(uint32_t index, bool neigh, const uint8_t addr[16])
{
	return hash_octets(2166136261u ^ index * 2u ^ neigh, addr, 16);
}

static uint32_t item_hash(const struct kitem *i)
{
	return item_key(i->index, i->is_neigh, i->addr);
}

static struct kitem *item_find(struct mirror *m, bool neigh, uint32_t index, uint8_t family,
			       const uint8_t addr[16], uint8_t plen)
{
	uint32_t h = item_key(index, neigh, addr) & (m->model.n_item_buckets - 1);
	struct kitem *i = m->model.items[h];

	while (i != NULL && !(i->is_neigh == neigh && i->index == index && i->family == family &&
			      (neigh || i->plen == plen) && memcmp(i->addr, addr, 16) == 0))
		i = i->hnext;
	return i;
}

static struct kitem *item_make(struct mirror *m, bool neigh, uint32_t index, uint8_t family,
			       const uint8_t addr[16], uint8_t plen)
{
	struct kitem *i = item_find(m, neigh, index, family, addr, plen);

	if (i != NULL)
		return i;
	i = calloc(1, sizeof(*i));
	if (i == NULL)
		return NULL;
	i->is_neigh = neigh;
	i->index = index;
	i->family = family;
	i->plen = plen;
	memcpy(i->addr, addr, 16);
	if (m->model.n_items++ >= m->model.n_item_buckets)
		grow(m->model.items, m->model.n_item_buckets, struct kitem, hnext, item_hash);
	uint32_t h = item_hash(i) & (m->model.n_item_buckets - 1);
	i->hnext = m->model.items[h];
	m->model.items[h] = i;
	return i;
}

/* The connected routes of an address are the address's: who comes and goes decides about them again. */
static void connected_dirty(struct mirror *m, const struct kitem *i)
{
	uint8_t net[16];

	memcpy(net, i->addr, 16);
	for (unsigned bit = i->plen; bit < 128; bit++)
		net[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	for (uint32_t t = 0; t < m->conf.n_tables; t++) {
		struct kprefix *p = prefix_find(m, m->conf.table[t].table, i->family, i->plen, net);
		if (p != NULL)
			prefix_dirty(m, p);
	}
	ways_forget(m, 0); /* seg6local next hops are looked for among connected networks */
}

static void address_message(struct mirror *m, const struct nlmsghdr *h, bool del)
{
	struct nl_addr a;

	int rc = nl_addr_parse(h, &a);
	if (rc < 0) {
		m->count.unreadable += rc != -EAFNOSUPPORT;
		return;
	}
	struct kitem *i = del ? item_find(m, false, a.index, a.family, a.addr, a.plen) :
				item_make(m, false, a.index, a.family, a.addr, a.plen);
	if (i == NULL)
		return;
	bool changed = del || i->gone || i->gen == 0 || i->flags != a.flags || i->peer != a.peer;
	i->gone = del;
	i->scope = a.scope;
	i->flags = a.flags;
	i->peer = a.peer;
	i->gen = m->gen;
	if (!changed)
		return;
	item_dirty(m, i);
	connected_dirty(m, i);
	if (del && a.family == AF_INET && m->sock != NULL)
		nlsock_soon(m->sock, K_ROUTE4); /* those with this source have gone in silence */
}

static void neighbour_message(struct mirror *m, const struct nlmsghdr *h, bool del)
{
	struct nl_neigh n;

	int rc = nl_neigh_parse(h, &n);
	if (rc < 0) {
		m->count.unreadable += rc != -EAFNOSUPPORT;
		return;
	}
	if ((n.flags & NTF_PROXY) != 0)
		return;
	struct kitem *i = del ? item_find(m, true, n.index, n.family, n.addr, 0) :
				item_make(m, true, n.index, n.family, n.addr, 0);
	if (i == NULL)
		return;
	i->gone = del;
	i->state = n.has_mac ? n.state : NUD_NONE;
	memcpy(i->mac, n.mac, 6);
	i->gen = m->gen;
	item_dirty(m, i);
}

bool model_address_covers(const struct mirror *m, uint32_t index, const struct kprefix *p)
{
	for (uint32_t b = 0; b < m->model.n_item_buckets; b++)
		for (const struct kitem *i = m->model.items[b]; i != NULL; i = i->hnext) {
			if (i->is_neigh || i->gone || i->index != index || i->family != p->family ||
			    i->plen != p->plen || i->peer || (i->flags & IFA_F_NOPREFIXROUTE) != 0)
				continue;
			unsigned whole = i->plen / 8, rest = i->plen % 8;
			if (memcmp(i->addr, p->addr, whole) == 0 &&
			    (rest == 0 || ((i->addr[whole] ^ p->addr[whole]) >> (8 - rest)) == 0))
				return true;
		}
	return false;
}

uint32_t model_on_link(const struct mirror *m, uint8_t family, const uint8_t *addr)
{
	for (uint32_t b = 0; b < m->model.n_item_buckets; b++)
		for (const struct kitem *i = m->model.items[b]; i != NULL; i = i->hnext) {
			const struct klink *l;
			unsigned whole = i->plen / 8, rest = i->plen % 8;
			if (i->is_neigh || i->gone || i->family != family ||
			    memcmp(i->addr, addr, whole) != 0 ||
			    (rest != 0 && ((i->addr[whole] ^ addr[whole]) >> (8 - rest)) != 0))
				continue;
			l = model_link(m, i->index);
			if (l != NULL && l->iface_id != 0)
				return i->index;
		}
	return 0;
}

/* Source of outer headers when the configuration names none: a global address of the loopback device (a router's own
 * name by custom), else of any interface. */
bool model_source6(const struct mirror *m, uint8_t addr[16])
{
	const struct kitem *best = NULL;

	for (uint32_t b = 0; b < m->model.n_item_buckets; b++)
		for (const struct kitem *i = m->model.items[b]; i != NULL; i = i->hnext) {
			if (i->is_neigh || i->gone || i->family != AF_INET6 ||
			    i->scope != RT_SCOPE_UNIVERSE)
				continue;
			if (best == NULL || i->index < best->index ||
			    (i->index == best->index && memcmp(i->addr, best->addr, 16) < 0))
				best = i;
		}
	if (best != NULL)
		memcpy(addr, best->addr, 16);
	return best != NULL;
}

/* --- ways ------------------------------------------------------------------------------------ */

/* What of a next hop decides where packets go; padding is zero, since legs are made of zeroed memory. */
static uint32_t way_key(uint8_t family, uint32_t nh_id, const struct nl_leg *leg, uint32_t n)
{
	uint32_t h = 2166136261u ^ family ^ nh_id * 31u;

	return nh_id != 0 ? hash_octets(h, &nh_id, sizeof(nh_id)) :
			    hash_octets(h, leg, n * sizeof(*leg));
}

static uint32_t way_hash(const struct way *w)
{
	return way_key(w->family, w->nh_id, w->leg, w->n_legs);
}

static struct way *way_get(struct mirror *m, uint8_t family, uint32_t nh_id,
			   const struct nl_leg *leg, uint32_t n)
{
	if (nh_id != 0)
		n = 0; /* the next-hop object says */
	uint32_t h = way_key(family, nh_id, leg, n) & (m->model.n_way_buckets - 1);
	size_t size = n * sizeof(*leg);
	struct way *w = m->model.ways[h];

	while (w != NULL && !(w->family == family && w->nh_id == nh_id && w->n_legs == n &&
			      (n == 0 || memcmp(w->leg, leg, size) == 0)))
		w = w->hnext;
	if (w != NULL) {
		w->refs++;
		return w;
	}
	w = calloc(1, sizeof(*w) + size);
	if (w == NULL)
		return NULL;
	w->refs = 1;
	w->family = family;
	w->nh_id = nh_id;
	w->n_legs = n;
	if (n != 0)
		memcpy(w->leg, leg, size);
	if (m->model.n_ways++ >= m->model.n_way_buckets) {
		grow(m->model.ways, m->model.n_way_buckets, struct way, hnext, way_hash);
		h = way_hash(w) & (m->model.n_way_buckets - 1);
	}
	w->hnext = m->model.ways[h];
	m->model.ways[h] = w;
	return w;
}

void way_translation_free(struct mirror *m, struct way *w)
{
	dpo_unref(&m->dpos, w->dpo);
	free(w->reason);
	free(w->sid);
	w->dpo = NULL;
	w->reason = NULL;
	w->sid = NULL;
	w->resolved = false;
}

void way_unref(struct mirror *m, struct way *w)
{
	struct way **at;

	if (w == NULL || --w->refs > 0)
		return;
	at = &m->model.ways[way_hash(w) & (m->model.n_way_buckets - 1)];
	while (*at != w)
		at = &(*at)->hnext;
	*at = w->hnext;
	m->model.n_ways--;
	way_translation_free(m, w);
	free(w);
}

/* Does the way go through this next-hop object, itself or as a member of a group? */
static bool way_has(const struct mirror *m, const struct way *w, uint32_t nh_id)
{
	const struct knexthop *n = w->nh_id != 0 ? model_nexthop(m, w->nh_id) : NULL;

	return w->nh_id == nh_id || (n != NULL && n->n.n_group != 0) ||
	       (w->nh_id != 0 && n == NULL);
}

void ways_forget(struct mirror *m, uint32_t nh_id)
{
	for (uint32_t b = 0; b < m->model.n_way_buckets; b++)
		for (struct way *w = m->model.ways[b]; m->dpos_ready && w != NULL; w = w->hnext) {
			if (!w->resolved || (nh_id != 0 && !way_has(m, w, nh_id)))
				continue;
			struct dpo *dpo = w->dpo;
			uint32_t target = w->target;
			bool special = w->sid != NULL || w->reason != NULL;
			dpo_ref(dpo); /* so that it is found again */
			way_translation_free(m, w);
			way_resolve(m, w);
			if (special || w->sid != NULL || w->reason != NULL || w->dpo != dpo ||
			    w->target != target)
				for (struct kroute *r = w->routes; r != NULL; r = r->way_next)
					prefix_dirty(m, r->prefix);
			dpo_unref(&m->dpos, dpo);
		}
}

/* --- prefixes and routes --------------------------------------------------------------------- */

static uint32_t prefix_key(uint32_t table, uint8_t family, uint8_t plen, const uint8_t *addr)
{
	return hash_octets(2166136261u ^ table * 7919u ^ family ^ (uint32_t)plen << 8, addr, 16);
}

static uint32_t prefix_hash(const struct kprefix *p)
{
	return prefix_key(p->table, p->family, p->plen, p->addr);
}

struct kprefix *prefix_find(const struct mirror *m, uint32_t table, uint8_t family, uint8_t plen,
			    const uint8_t *addr)
{
	uint32_t h = prefix_key(table, family, plen, addr) & (m->model.n_prefix_buckets - 1);
	struct kprefix *p = m->model.prefixes[h];

	while (p != NULL && !(p->table == table && p->family == family && p->plen == plen &&
			      memcmp(p->addr, addr, 16) == 0))
		p = p->hnext;
	return p;
}

static struct kprefix *prefix_make(struct mirror *m, const struct nl_route *r)
{
	struct kprefix *p = prefix_find(m, r->table, r->family, r->plen, r->dst);

	if (p != NULL)
		return p;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	p->table = r->table;
	p->family = r->family;
	p->plen = r->plen;
	memcpy(p->addr, r->dst, 16);
	if (m->model.n_prefixes++ >= m->model.n_prefix_buckets)
		grow(m->model.prefixes, m->model.n_prefix_buckets, struct kprefix, hnext,
		     prefix_hash);
	uint32_t h = prefix_hash(p) & (m->model.n_prefix_buckets - 1);
	p->hnext = m->model.prefixes[h];
	m->model.prefixes[h] = p;
	return p;
}

static void route_unlink_way(struct kroute *r)
{
	if (r->way_at == NULL)
		return;
	*r->way_at = r->way_next;
	if (r->way_next != NULL)
		r->way_next->way_at = r->way_at;
	r->way_at = NULL;
}

static void route_set_way(struct mirror *m, struct kroute *r, struct way *w)
{
	struct way *old = r->way;

	route_unlink_way(r);
	r->way = w;
	if (w != NULL) {
		r->way_next = w->routes;
		r->way_at = &w->routes;
		if (w->routes != NULL)
			w->routes->way_at = &r->way_next;
		w->routes = r;
	}
	way_unref(m, old);
}

static void route_free(struct mirror *m, struct kroute **at)
{
	struct kroute *r = *at;

	*at = r->next;
	route_set_way(m, r, NULL);
	prefix_dirty(m, r->prefix);
	m->model.n_routes--;
	free(r);
}

static bool same_group(const struct kroute *r, const struct nl_route *n)
{
	return r->priority == n->priority && r->tos == n->tos && r->src_specific == n->src_specific;
}

/* The kernel keeps no two of these alike under one prefix. */
static bool same_route(const struct kroute *r, const struct nl_route *n, const struct way *w)
{
	return same_group(r, n) && r->type == n->type && r->scope == n->scope &&
	       r->protocol == n->protocol && r->way == w;
}

static void route_fill(struct mirror *m, struct kroute *r, const struct nl_route *n, struct way *w)
{
	if (r->type != n->type || r->protocol != n->protocol || r->way != w || r->oif != n->oif ||
	    r->scope != n->scope)
		prefix_dirty(m, r->prefix);
	r->priority = n->priority;
	r->type = n->type;
	r->scope = n->scope;
	r->protocol = n->protocol;
	r->tos = n->tos;
	r->src_specific = n->src_specific;
	r->oif = n->oif;
	r->gen = m->gen;
	route_set_way(m, r, w);
}

static void route_insert(struct mirror *m, struct kprefix *p, const struct nl_route *n,
			 struct way *w, bool append)
{
	struct kroute **at = &p->first, *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		way_unref(m, w);
		return;
	}
	while (*at != NULL &&
	       ((*at)->priority < n->priority || ((*at)->priority == n->priority && append)))
		at = &(*at)->next;
	r->prefix = p;
	r->next = *at;
	*at = r;
	m->model.n_routes++;
	prefix_dirty(m, p);
	route_fill(m, r, n, w);
}

/* IPv4.  Dumped routes come in the order in which they count: as if appended. */
static void route4_new(struct mirror *m, struct kprefix *p, const struct nl_route *n, struct way *w,
		       unsigned flags, bool dump)
{
	struct kroute *same = NULL, *group = NULL;

	for (struct kroute *r = p->first; r != NULL; r = r->next) {
		if (group == NULL && same_group(r, n))
			group = r;
		if (same == NULL && same_route(r, n, w))
			same = r;
	}
	if (same != NULL) { /* told twice: by a dump and by the change itself */
		route_fill(m, same, n, w);
		return;
	}
	if (!dump && (flags & NLM_F_REPLACE) != 0 && group != NULL) {
		route_fill(m, group, n, w);
		return;
	}
	route_insert(m, p, n, w, dump || (flags & NLM_F_APPEND) != 0);
}

/* rt6_qualify_for_ecmp() of the kernel: only routes with gateways of their own join to one of several next hops. */
static bool joins(uint8_t type, const struct way *w)
{
	return type == RTN_UNICAST && w->nh_id == 0 && w->n_legs != 0 && w->leg[0].gw_family != 0;
}

/* IPv6, as fib6_add_rt2node(): a priority has at most one route that has gateways, with one next hop or several, which
 * a message tells in full; and any number of others behind each other. */
static void route6_new(struct mirror *m, struct kprefix *p, const struct nl_route *n, struct way *w,
		       unsigned flags, bool dump)
{
	bool join = joins(n->type, w), replace = !dump && (flags & NLM_F_REPLACE) != 0;
	struct kroute *like = NULL, *first = NULL;

	for (struct kroute *r = p->first; r != NULL; r = r->next) {
		if (!same_group(r, n))
			continue;
		if (same_route(r, n, w)) {
			route_fill(m, r, n, w);
			return;
		}
		if (first == NULL)
			first = r;
		if (like == NULL && joins(r->type, r->way) == join)
			like = r;
	}
	if (like != NULL && (replace || (join && !dump)))
		route_fill(m, like, n, w);
	else if (first != NULL && replace)
		route_fill(m, first, n, w);
	else
		route_insert(m, p, n, w, true);
}

static bool same_leg(const struct nl_leg *a, const struct nl_leg *b)
{
	struct nl_leg x = *a, y = *b;

	x.weight = y.weight = 0;
	x.down = y.down = false;
	return memcmp(&x, &y, sizeof(x)) == 0;
}

/* Next hops leave an IPv6 route; the others stay. */
static struct way *way_without(struct mirror *m, const struct way *w, const struct nl_route *n)
{
	struct nl_leg *left = calloc(NL_LEGS_MAX, sizeof(*left));
	struct way *ret = NULL;
	uint32_t k = 0;

	for (uint32_t i = 0; left != NULL && i < w->n_legs; i++) {
		bool gone = false;
		for (uint32_t j = 0; j < n->n_legs; j++)
			gone |= same_leg(&w->leg[i], &n->leg[j]);
		if (!gone)
			memcpy(&left[k++], &w->leg[i], sizeof(left[0]));
	}
	if (k != 0)
		ret = way_get(m, w->family, 0, left, k);
	free(left);
	return ret;
}

static void route_del(struct mirror *m, struct kprefix *p, const struct nl_route *n, struct way *w)
{
	struct kroute **at, **first = NULL;

	for (at = &p->first; *at != NULL; at = &(*at)->next) {
		if (same_route(*at, n, w))
			break;
		if (first == NULL && same_group(*at, n) &&
		    (n->family == AF_INET || joins((*at)->type, (*at)->way) == joins(n->type, w)))
			first = at;
	}
	if (*at != NULL) {
		route_free(m, at);
		return;
	}
	if (first == NULL)
		return;
	struct kroute *r = *first;
	if (n->family == AF_INET6 && r->way != NULL && r->way->n_legs > 1 && n->n_legs != 0) {
		struct way *left = way_without(m, r->way, n);
		if (left != NULL) {
			prefix_dirty(m, p);
			route_set_way(m, r, left);
			return;
		}
	}
	route_free(m, first);
}

/* Every route the kernel has for itself alone is passed over: cached, multicast, of its local table. */
static bool route_concerns(const struct mirror *m, const struct nl_route *r)
{
	uint32_t vrf;

	if (r->cloned || !conf_vrf(m, r->table, &vrf))
		return false;
	if (r->type == RTN_BROADCAST || r->type == RTN_MULTICAST || r->type == RTN_ANYCAST)
		return false;
	if (r->family == AF_INET6 &&
	    (r->dst[0] == 0xff || (r->dst[0] == 0xfe && (r->dst[1] & 0xc0) == 0x80)))
		return false; /* of each link for itself */
	return m->conf.any_protocol || r->protocol == RTPROT_KERNEL ||
	       (m->conf.protocol[r->protocol / 8] >> r->protocol % 8 & 1) != 0;
}

static void route_message(struct mirror *m, const struct nlmsghdr *h, bool del, bool dump)
{
	static struct nl_route r; /* large; this process has one thread */

	int rc = nl_route_parse(h, &r);
	if (rc < 0) {
		m->count.unreadable += rc != -EAFNOSUPPORT;
		return;
	}
	if (!route_concerns(m, &r))
		return;
	struct kprefix *p = del ? prefix_find(m, r.table, r.family, r.plen, r.dst) :
				  prefix_make(m, &r);
	if (p == NULL)
		return;
	struct way *w = way_get(m, r.family, r.nh_id, r.leg, r.n_legs);
	if (w == NULL)
		return;
	if (del) {
		route_del(m, p, &r, w);
		way_unref(m, w);
	} else if (r.family == AF_INET) {
		route4_new(m, p, &r, w, h->nlmsg_flags, dump);
	} else {
		route6_new(m, p, &r, w, h->nlmsg_flags, dump);
	}
}

/* --- next-hop objects ------------------------------------------------------------------------ */

static uint32_t nexthop_hash(const struct knexthop *n)
{
	uint32_t id = n->n.id;

	return hash_octets(2166136261u, &id, sizeof(id));
}

const struct knexthop *model_nexthop(const struct mirror *m, uint32_t id)
{
	uint32_t h = hash_octets(2166136261u, &id, sizeof(id));
	struct knexthop *n = m->model.nexthops[h & (m->model.n_nexthop_buckets - 1)];

	while (n != NULL && n->n.id != id)
		n = n->hnext;
	return n;
}

static void nexthop_del(struct mirror *m, uint32_t id)
{
	struct knexthop *n = (struct knexthop *)model_nexthop(m, id), **at;

	if (n == NULL)
		return;
	at = &m->model.nexthops[nexthop_hash(n) & (m->model.n_nexthop_buckets - 1)];
	while (*at != n)
		at = &(*at)->hnext;
	*at = n->hnext;
	m->model.n_nexthops--;
	free(n);
	ways_forget(m, id);
	if (m->sock !=
	    NULL) /* its routes went too, the IPv4 ones in silence, and groups lost a member */
		nlsock_soon(m->sock, K_NEXTHOP | K_ROUTE4 | K_ROUTE6);
}

static void nexthop_message(struct mirror *m, const struct nlmsghdr *h, bool del)
{
	static struct nl_nexthop new;

	int rc = nl_nexthop_parse(h, &new);
	if (rc < 0) {
		m->count.unreadable++;
		return;
	}
	if (del) {
		nexthop_del(m, new.id);
		return;
	}
	struct knexthop *n = (struct knexthop *)model_nexthop(m, new.id);
	bool changed = n == NULL || memcmp(&n->n, &new, sizeof(new)) != 0;
	if (n == NULL) {
		n = calloc(1, sizeof(*n));
		if (n == NULL)
			return;
		n->n.id = new.id;
		if (m->model.n_nexthops++ >= m->model.n_nexthop_buckets)
			grow(m->model.nexthops, m->model.n_nexthop_buckets, struct knexthop, hnext,
			     nexthop_hash);
		uint32_t b = nexthop_hash(n) & (m->model.n_nexthop_buckets - 1);
		n->hnext = m->model.nexthops[b];
		m->model.nexthops[b] = n;
	}
	memcpy(&n->n, &new, sizeof(new)); /* with its padding: it is compared so */
	n->gen = m->gen;
	if (changed)
		ways_forget(m, new.id);
}

/* --- messages, sweep ------------------------------------------------------------------------- */

void model_message(struct mirror *m, const struct nlmsghdr *h, bool dump)
{
	static struct nl_link l;

	m->count.messages++;
	switch (h->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		if (nl_link_parse(h, &l) < 0)
			break;
		if (h->nlmsg_type == RTM_NEWLINK)
			link_set(m, &l);
		else
			link_del(m, l.index);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		address_message(m, h, h->nlmsg_type == RTM_DELADDR);
		break;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		neighbour_message(m, h, h->nlmsg_type == RTM_DELNEIGH);
		break;
	case RTM_NEWNEXTHOP:
	case RTM_DELNEXTHOP:
		nexthop_message(m, h, h->nlmsg_type == RTM_DELNEXTHOP);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		route_message(m, h, h->nlmsg_type == RTM_DELROUTE, dump);
		break;
	default:
		break;
	}
}

static void sweep_links(struct mirror *m, uint32_t gen)
{
	for (struct klink *l = m->model.links, *next; l != NULL; l = next) {
		next = l->next;
		if (l->gen < gen)
			link_del(m, l->l.index);
	}
}

static void sweep_items(struct mirror *m, bool neigh, uint32_t gen)
{
	for (uint32_t b = 0; b < m->model.n_item_buckets; b++)
		for (struct kitem *i = m->model.items[b]; i != NULL; i = i->hnext)
			if (i->is_neigh == neigh && !i->gone && i->gen < gen) {
				i->gone = true;
				item_dirty(m, i);
				if (!neigh)
					connected_dirty(m, i);
			}
}

static void sweep_routes(struct mirror *m, uint8_t family, uint32_t gen)
{
	for (uint32_t b = 0; b < m->model.n_prefix_buckets; b++)
		for (struct kprefix *p = m->model.prefixes[b]; p != NULL; p = p->hnext)
			for (struct kroute **at = &p->first; *at != NULL;)
				if (p->family == family && (*at)->gen < gen)
					route_free(m, at);
				else
					at = &(*at)->next;
}

static void sweep_nexthops(struct mirror *m, uint32_t gen)
{
	for (uint32_t b = 0; b < m->model.n_nexthop_buckets; b++)
		for (struct knexthop *n = m->model.nexthops[b], *next; n != NULL; n = next) {
			next = n->hnext;
			if (n->gen < gen)
				nexthop_del(m, n->n.id);
		}
}

void model_sweep(struct mirror *m, enum kclass class, uint32_t gen)
{
	switch (class) {
	case K_LINK:
		sweep_links(m, gen);
		break;
	case K_ADDR:
		sweep_items(m, false, gen);
		break;
	case K_NEIGH:
		sweep_items(m, true, gen);
		break;
	case K_NEXTHOP:
		sweep_nexthops(m, gen);
		break;
	case K_ROUTE4:
		sweep_routes(m, AF_INET, gen);
		break;
	case K_ROUTE6:
		sweep_routes(m, AF_INET6, gen);
		break;
	}
}

/* --- life ------------------------------------------------------------------------------------ */

int model_init(struct mirror *m)
{
	struct model *o = &m->model;

	*o = (struct model){ .n_item_buckets = 256,
			     .n_prefix_buckets = 4096,
			     .n_way_buckets = 256,
			     .n_nexthop_buckets = 256 };
	o->items = calloc(o->n_item_buckets, sizeof(*o->items));
	o->prefixes = calloc(o->n_prefix_buckets, sizeof(*o->prefixes));
	o->ways = calloc(o->n_way_buckets, sizeof(*o->ways));
	o->nexthops = calloc(o->n_nexthop_buckets, sizeof(*o->nexthops));
	if (o->items != NULL && o->prefixes != NULL && o->ways != NULL && o->nexthops != NULL)
		return 0;
	model_fini(m);
	return -ENOMEM;
}

static void links_free(struct model *o)
{
	while (o->links != NULL) {
		struct klink *next = o->links->next;
		free(o->links);
		o->links = next;
	}
}

void prefix_free(struct mirror *m, struct kprefix *p)
{
	struct kprefix **at = &m->model.prefixes[prefix_hash(p) & (m->model.n_prefix_buckets - 1)];

	while (*at != p)
		at = &(*at)->hnext;
	*at = p->hnext;
	m->model.n_prefixes--;
	dpo_unref(&m->dpos, p->dpo);
	free(p->sid);
	free(p->refused);
	free(p);
}

void item_free(struct mirror *m, struct kitem *i)
{
	struct kitem **at = &m->model.items[item_hash(i) & (m->model.n_item_buckets - 1)];

	while (*at != i)
		at = &(*at)->hnext;
	*at = i->hnext;
	m->model.n_items--;
	free(i);
}

void model_fini(struct mirror *m)
{
	struct model *o = &m->model;

	for (uint32_t b = 0; o->prefixes != NULL && b < o->n_prefix_buckets; b++)
		while (o->prefixes[b] != NULL) {
			struct kprefix *p = o->prefixes[b];
			while (p->first != NULL)
				route_free(m, &p->first);
			prefix_free(m, p);
		}
	for (uint32_t b = 0; o->items != NULL && b < o->n_item_buckets; b++)
		while (o->items[b] != NULL)
			item_free(m, o->items[b]);
	for (uint32_t b = 0; o->nexthops != NULL && b < o->n_nexthop_buckets; b++)
		for (struct knexthop *n = o->nexthops[b], *next; n != NULL; n = next) {
			next = n->hnext;
			free(n);
		}
	links_free(o);
	free(o->items);
	free(o->prefixes);
	free(o->ways);
	free(o->nexthops);
	m->dirty = m->dirty_last = NULL;
	m->dirty_items = NULL;
	m->n_dirty = 0;
	*o = (struct model){ 0 };
}
