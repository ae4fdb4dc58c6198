/* SPDX-License-Identifier: BSD-3-Clause
 * Our own addresses: local and connected routes, link-local addresses, sources for packets made here. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <rte_hash_crc.h>

#include "dataplane/log.h"
#include "dataplane/objects.h"
#include "dataplane/rcu.h"
#include "heddle/wire/arp.h"
#include "pipelines/ip/internal.h"

struct slots *ip_if_slots;

/* Any global address of a VRF, for interfaces that have none. */
struct vrf_source {
	be32_t addr4;
	struct ip6_addr addr6;
};
static struct slots *vrf_source_slots;

/* Link-local addresses mean something on their link only: they have no routes and are no VRF's. */
enum addr_class {
	ADDR_4,
	ADDR_6,
	ADDR_VRF_CLASSES,
	ADDR_LINK_LOCAL = ADDR_VRF_CLASSES,
	ADDR_CLASSES
};

struct addr {
	struct hd_api_addr a;
	enum addr_class class;
	uint32_t vrf;                             /* where its routes are */
	TAILQ_ENTRY(addr) in_iface, in_vrf;       /* oldest first */
	LIST_ENTRY(addr) same_local, same_prefix; /* buckets of by_local, by_prefix: newest first */
};
TAILQ_HEAD(addr_list, addr);
LIST_HEAD(addr_bucket, addr);

static struct addr_list (*iface_addrs)[ADDR_CLASSES];   /* by interface id */
static struct addr_list (*vrf_addrs)[ADDR_VRF_CLASSES]; /* by VRF id */
/* By address, and by connected prefix with its VRF. */
static struct addr_bucket *by_local, *by_prefix;
static uint32_t n_buckets;

static enum addr_class class_of(const struct hd_api_addr *a)
{
	if (a->family == 4)
		return ADDR_4;
	return a->addr[0] == 0xfe && (a->addr[1] & 0xc0) == 0x80 ? ADDR_LINK_LOCAL : ADDR_6;
}

static struct addr_bucket *local_bucket(const struct hd_api_addr *a)
{
	uint64_t key[2] = { 0 };
	uint32_t seed = class_of(a) == ADDR_LINK_LOCAL ? a->iface_id : 0; /* many have the same */

	memcpy(key, a->addr, a->family == 4 ? 4 : 16);
	return &by_local[rte_hash_crc(key, sizeof(key), seed * 8 + a->family) & (n_buckets - 1)];
}

static struct addr_bucket *prefix_bucket(uint32_t vrf, const struct hd_api_addr *a)
{
	uint64_t key[2] = { 0 };
	uint8_t *octet = (uint8_t *)key;

	memcpy(octet, a->addr, (a->plen + 7u) / 8);
	if (a->plen % 8 != 0)
		octet[a->plen / 8] &= (uint8_t)(0xff << (8 - a->plen % 8));
	return &by_prefix[rte_hash_crc(key, sizeof(key), vrf * 512 + a->plen * 2 + (a->family == 6)) &
			  (n_buckets - 1)];
}

bool ip_prefix_match(const uint8_t *a, const uint8_t *b, unsigned plen)
{
	unsigned n = plen / 8, rest = plen % 8;

	return memcmp(a, b, n) == 0 &&
	       (rest == 0 || ((a[n] ^ b[n]) & 0xff << (8 - rest) & 0xff) == 0);
}

/* ---- what workers see ---- */

/* Modified EUI-64, RFC 4291 appendix A. */
static struct ip6_addr link_local_of(const struct mac_addr *m)
{
	return (struct ip6_addr){ .b = { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, (uint8_t)(m->b[0] ^ 2),
					 m->b[1], m->b[2], 0xff, 0xfe, m->b[3], m->b[4],
					 m->b[5] } };
}

/* The first of each class is the one that stands for the interface. */
static void ip_if_refresh(const struct iface *i)
{
	const struct addr *a4 = TAILQ_FIRST(&iface_addrs[i->id][ADDR_4]),
			  *a6 = TAILQ_FIRST(&iface_addrs[i->id][ADDR_6]),
			  *ll = TAILQ_FIRST(&iface_addrs[i->id][ADDR_LINK_LOCAL]);
	struct ip_if *f = calloc(1, sizeof(*f)), *old = slots_get(ip_if_slots, i->id);

	if (f == NULL) {
		log_error("interface %s: out of memory, its addresses are not seen", i->name);
		return;
	}
	f->link_local = link_local_of(&i->mac);
	if (a4 != NULL)
		memcpy(&f->addr4, a4->a.addr, 4);
	if (a6 != NULL)
		memcpy(&f->addr6, a6->a.addr, 16);
	if (ll != NULL)
		memcpy(&f->link_local, ll->a.addr, 16);
	if (old != NULL && memcmp(old, f, sizeof(*f)) == 0)
		free(f);
	else
		slots_set(ip_if_slots, i->id, f, free);
}

static void vrf_source_refresh(uint32_t vrf)
{
	const struct addr *a4 = TAILQ_FIRST(&vrf_addrs[vrf][ADDR_4]),
			  *a6 = TAILQ_FIRST(&vrf_addrs[vrf][ADDR_6]);
	struct vrf_source *s = calloc(1, sizeof(*s)), *old = slots_get(vrf_source_slots, vrf);

	if (s == NULL)
		return;
	if (a4 != NULL)
		memcpy(&s->addr4, a4->a.addr, 4);
	if (a6 != NULL)
		memcpy(&s->addr6, a6->a.addr, 16);
	if (old != NULL && memcmp(old, s, sizeof(*s)) == 0)
		free(s);
	else
		slots_set(vrf_source_slots, vrf, s, free);
}

/* Its own address, else one of the VRF, else one of the default VRF. */
bool addr_pick4(uint32_t iface, uint32_t vrf, be32_t *ret)
{
	const struct ip_if *f = ip_if_get(iface);
	const struct vrf_source *s = slots_get(vrf_source_slots, vrf),
				*d = slots_get(vrf_source_slots, 0);

	if (f != NULL && wire_get32(&f->addr4) != 0)
		*ret = f->addr4;
	else if (s != NULL && wire_get32(&s->addr4) != 0)
		*ret = s->addr4;
	else if (d != NULL && wire_get32(&d->addr4) != 0)
		*ret = d->addr4;
	else
		return false;
	return true;
}

bool addr_pick6(uint32_t iface, uint32_t vrf, struct ip6_addr *ret)
{
	const struct ip_if *f = ip_if_get(iface);
	const struct vrf_source *s = slots_get(vrf_source_slots, vrf),
				*d = slots_get(vrf_source_slots, 0);

	if (f != NULL && !ip6_addr_is_unspecified(&f->addr6))
		*ret = f->addr6;
	else if (s != NULL && !ip6_addr_is_unspecified(&s->addr6))
		*ret = s->addr6;
	else if (d != NULL && !ip6_addr_is_unspecified(&d->addr6))
		*ret = d->addr6;
	else
		return false;
	return true;
}

bool ip_source4(uint32_t iface, be32_t *ret)
{
	const struct iface *i = iface_get(iface);

	return addr_pick4(iface, i != NULL ? i->vrf : 0, ret);
}

bool ip_source6(uint32_t iface, struct ip6_addr *ret)
{
	const struct iface *i = iface_get(iface);

	return addr_pick6(iface, i != NULL ? i->vrf : 0, ret);
}

/* ---- routes of an address ---- */

/* Another address that wants the same route keeps it; NULL: nobody does. */
static const struct addr *other_local(const struct addr *me)
{
	const struct addr *o;

	LIST_FOREACH(o, local_bucket(&me->a), same_local)
		if (o != me && o->vrf == me->vrf && o->class == me->class &&
		    memcmp(o->a.addr, me->a.addr, 16) == 0)
			return o;
	return NULL;
}

static const struct addr *other_connected(const struct addr *me)
{
	const struct addr *o;

	LIST_FOREACH(o, prefix_bucket(me->vrf, &me->a), same_prefix)
		if (o != me && o->vrf == me->vrf && o->class == me->class &&
		    o->a.plen == me->a.plen && ip_prefix_match(o->a.addr, me->a.addr, me->a.plen))
			return o;
	return NULL;
}

struct addr_route {
	uint8_t prefix[16], plen;
	enum rib_source source;
	uint32_t word;
};
#define ADDR_ROUTES_MAX 4u

/* The first is the address itself, the others belong to its prefix.  Network and broadcast address of an IPv4 subnet
 * are never forwarded to as a unicast (RFC 1812 5.3.5). */
static unsigned routes_of(const struct addr *me, struct addr_route r[ADDR_ROUTES_MAX])
{
	const struct hd_api_addr *a = &me->a;
	uint8_t full = a->family == 4 ? 32 : 128;
	uint32_t ip = wire_get32(a->addr), host;
	unsigned n = 1;

	if (me->class == ADDR_LINK_LOCAL)
		return 0; /* ip6-input looks at the link */
	r[0] = (struct addr_route){ .plen = full,
				    .source = RIB_LOCAL,
				    .word = hd_result(HD_RESULT_LOCAL, a->iface_id) };
	memcpy(r[0].prefix, a->addr, 16);
	if (a->plen < full) {
		r[n] = r[0];
		r[n].plen = a->plen;
		r[n].source = RIB_CONNECTED;
		r[n++].word = hd_result(HD_RESULT_GLEAN, a->iface_id);
	}
	if (a->family == 4 && a->plen <= 30) {
		host = 0xffffffffu >> a->plen;
		r[n] = (struct addr_route){ .plen = 32,
					    .source = RIB_CONNECTED,
					    .word = HD_RESULT(HD_RESULT_DROP,
							      HD_RESULT_DROP_BLACKHOLE) };
		r[n + 1] = r[n];
		wire_put32(r[n++].prefix, ip & ~host);
		wire_put32(r[n++].prefix, ip | host);
	}
	return n;
}

void addr_prefetch(const struct hd_api_addr *msg)
{
	const struct iface *i = iface_get(msg->iface_id);
	struct addr a = { .a = *msg, .class = class_of(msg), .vrf = i != NULL ? i->vrf : 0 };
	struct addr_route r[ADDR_ROUTES_MAX];

	for (unsigned k = 0, n = routes_of(&a, r); k < n; k++)
		ip_rib_prefetch(a.vrf, msg->family, r[k].prefix, r[k].plen);
	__builtin_prefetch(local_bucket(msg));
	if (a.class != ADDR_LINK_LOCAL)
		__builtin_prefetch(prefix_bucket(a.vrf, msg));
}

static int routes_add(const struct addr *me)
{
	struct addr_route r[ADDR_ROUTES_MAX];
	unsigned n = routes_of(me, r);
	int rc = 0;

	for (unsigned k = 0; rc == 0 && k < n; k++)
		rc = ip_rib_set(me->vrf, me->a.family, r[k].prefix, r[k].plen, r[k].source,
				r[k].word);
	return rc;
}

static void routes_remove(const struct addr *me)
{
	struct addr_route r[ADDR_ROUTES_MAX];
	unsigned n = routes_of(me, r);
	const struct addr *local = n == 0 ? NULL : other_local(me),
			  *connected = n == 0 ? NULL : other_connected(me);

	for (unsigned k = 0; k < n; k++)
		if (k == 0 ? local == NULL : connected == NULL)
			ip_rib_del(me->vrf, me->a.family, r[k].prefix, r[k].plen, r[k].source);
	if (local != NULL)
		routes_add(local);
	if (connected != NULL)
		routes_add(connected);
}

static struct addr *addr_find(const struct hd_api_addr *a)
{
	struct addr *o;

	LIST_FOREACH(o, local_bucket(a), same_local)
		if (memcmp(&o->a, a, HD_API_ADDR_KEY) == 0)
			return o;
	return NULL;
}

/* In and out of what depends on the VRF. */
static void vrf_link(struct addr *me)
{
	if (me->class == ADDR_LINK_LOCAL)
		return;
	TAILQ_INSERT_TAIL(&vrf_addrs[me->vrf][me->class], me, in_vrf);
	LIST_INSERT_HEAD(prefix_bucket(me->vrf, &me->a), me, same_prefix);
}

static void vrf_unlink(struct addr *me)
{
	if (me->class == ADDR_LINK_LOCAL)
		return;
	TAILQ_REMOVE(&vrf_addrs[me->vrf][me->class], me, in_vrf);
	LIST_REMOVE(me, same_prefix);
}

static void addr_link(struct addr *me)
{
	TAILQ_INSERT_TAIL(&iface_addrs[me->a.iface_id][me->class], me, in_iface);
	LIST_INSERT_HEAD(local_bucket(&me->a), me, same_local);
	vrf_link(me);
}

static void addr_unlink(struct addr *me)
{
	TAILQ_REMOVE(&iface_addrs[me->a.iface_id][me->class], me, in_iface);
	LIST_REMOVE(me, same_local);
	vrf_unlink(me);
}

int addr_add(const struct hd_api_addr *msg)
{
	const struct iface *i = iface_get(msg->iface_id);
	struct addr *me;
	int rc;

	if (i == NULL)
		return -ENOENT;
	if (addr_find(msg) != NULL)
		return 0;
	me = malloc(sizeof(*me));
	if (me == NULL)
		return -ENOMEM;
	*me = (struct addr){ .a = *msg, .class = class_of(msg), .vrf = i->vrf };
	addr_link(me);
	rc = routes_add(me);
	if (rc < 0) {
		routes_remove(me);
		addr_unlink(me);
		free(me);
		return rc;
	}
	if (me == TAILQ_FIRST(&iface_addrs[i->id][me->class]))
		ip_if_refresh(i);
	if (me->class != ADDR_LINK_LOCAL && me == TAILQ_FIRST(&vrf_addrs[me->vrf][me->class]))
		vrf_source_refresh(me->vrf);
	neigh_addr_changed(msg);
	addr_announce(i, msg);
	return 0;
}

void addr_remove(const struct hd_api_addr *msg)
{
	const struct iface *i = iface_get(msg->iface_id);
	struct addr *me = addr_find(msg);
	bool stood_for_iface, stood_for_vrf;
	uint32_t vrf;

	if (me == NULL)
		return;
	vrf = me->vrf;
	stood_for_iface = me == TAILQ_FIRST(&iface_addrs[msg->iface_id][me->class]);
	stood_for_vrf = me->class != ADDR_LINK_LOCAL &&
			me == TAILQ_FIRST(&vrf_addrs[vrf][me->class]);
	routes_remove(me);
	addr_unlink(me);
	free(me);
	if (stood_for_iface && i != NULL)
		ip_if_refresh(i);
	if (stood_for_vrf)
		vrf_source_refresh(vrf);
	neigh_addr_changed(msg);
}

/* ---- questions ---- */

bool addr_is_ours(const struct iface *i, unsigned family, const uint8_t *addr)
{
	const struct ip_if *f = ip_if_get(i->id);
	struct hd_api_addr key = { .iface_id = i->id, .family = (uint8_t)family };
	const struct addr *o;

	if (family == 6 && f != NULL && memcmp(&f->link_local, addr, 16) == 0)
		return true;
	memcpy(key.addr, addr, family == 4 ? 4 : 16);
	LIST_FOREACH(o, local_bucket(&key), same_local)
		if (o->a.iface_id == i->id && o->a.family == family &&
		    memcmp(o->a.addr, key.addr, 16) == 0)
			return true;
	return false;
}

static const struct addr *on_link(uint32_t iface, enum addr_class class, const uint8_t *addr)
{
	const struct addr *o;

	if (iface >= dp_limits.ifaces)
		return NULL;
	TAILQ_FOREACH(o, &iface_addrs[iface][class], in_iface)
		if (ip_prefix_match(o->a.addr, addr, o->a.plen))
			return o;
	return NULL;
}

bool addr_on_link(uint32_t iface, unsigned family, const uint8_t *addr)
{
	if (family == 6 && addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80)
		return true;
	return on_link(iface, family == 4 ? ADDR_4 : ADDR_6, addr) != NULL;
}

bool addr_source4(uint32_t iface, const uint8_t *target, be32_t *ret)
{
	const struct addr *o = on_link(iface, ADDR_4, target);

	if (o == NULL)
		return ip_source4(iface, ret);
	memcpy(ret, o->a.addr, 4);
	return true;
}

/* ---- announcements ---- */

static void announce4(const struct iface *i, be32_t addr)
{
	static const struct mac_addr all = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };
	void *p;
	struct rte_mbuf *m = frame_make(i, &all, ETHTYPE_ARP, sizeof(struct arp_pkt), &p);

	if (m == NULL)
		return;
	/* A gratuitous request (RFC 5227 section 2.3). */
	arp_build(p, sizeof(struct arp_pkt), ARP_OP_REQUEST, &i->mac, addr, NULL, addr);
	frame_send(i, m);
}

static void announce6(const struct iface *i, const struct ip6_addr *addr)
{
	static const struct ip6_addr all_nodes = { { 0xff, 0x02, [15] = 1 } };
	const struct mac_addr dst = ip6_multicast_mac(&all_nodes);
	struct nd_fields f = { .src = *addr,
			       .dst = all_nodes,
			       .target = *addr,
			       .mac = &i->mac,
			       .flags = ND_NA_ROUTER |
					ND_NA_OVERRIDE }; /* RFC 4861 section 7.2.6 */
	struct ip6_fields h = { .src = f.src,
				.dst = f.dst,
				.hop_limit = 255,
				.next_header = IP_NH_ICMP6,
				.payload_len = nd_build_len(&f) };
	void *p;
	struct rte_mbuf *m = frame_make(i, &dst, ETHTYPE_IP6, (unsigned)(40 + h.payload_len), &p);

	if (m == NULL)
		return;
	ip6_build(p, 40, &h);
	nd_na_build((uint8_t *)p + 40, h.payload_len, &f);
	frame_send(i, m);
}

void addr_announce(const struct iface *i, const struct hd_api_addr *a)
{
	struct ip6_addr a6;
	be32_t a4;

	if (!i->up || i->host) /* the kernel's addresses are the kernel's to announce */
		return;
	memcpy(&a4, a->addr, 4);
	memcpy(&a6, a->addr, 16);
	if (a->family == 4)
		announce4(i, a4);
	else
		announce6(i, &a6);
}

static void announce_all(const struct iface *i)
{
	const struct ip_if *f = ip_if_get(i->id);
	const struct addr *o;

	if (f != NULL && i->up && !i->host)
		announce6(i, &f->link_local);
	for (unsigned c = 0; c < ADDR_VRF_CLASSES; c++)
		TAILQ_FOREACH(o, &iface_addrs[i->id][c], in_iface)
			addr_announce(i, &o->a);
}

/* ---- interfaces change ---- */

static void vrf_change(const struct iface *i, uint32_t was)
{
	struct addr *o;

	for (unsigned c = 0; c < ADDR_VRF_CLASSES; c++) {
		TAILQ_FOREACH(o, &iface_addrs[i->id][c], in_iface) {
			routes_remove(o);
			vrf_unlink(o);
			o->vrf = i->vrf;
			vrf_link(o);
			if (routes_add(o) < 0)
				log_error(
					"interface %s: the routes of its addresses do not fit into VRF %u",
					i->name, i->vrf);
		}
	}
	TAILQ_FOREACH(o, &iface_addrs[i->id][ADDR_LINK_LOCAL], in_iface)
		o->vrf = i->vrf;
	vrf_source_refresh(was);
	vrf_source_refresh(i->vrf);
}

void addr_iface_changed(const struct iface *old, const struct iface *new)
{
	uint32_t was = old != NULL ? old->vrf : 0;

	if (new == NULL) {
		slots_set(ip_if_slots, old->id, NULL, free);
		return;
	}
	if (old != NULL && old->vrf != new->vrf)
		vrf_change(new, was);
	if (old == NULL || !mac_eq(&old->mac, &new->mac))
		ip_if_refresh(new);
	if (new->up && (old == NULL || !old->up || !mac_eq(&old->mac, &new->mac)))
		announce_all(new);
}

static int lists_init(void)
{
	for (n_buckets = 1024; n_buckets < 2 * dp_limits.ifaces; n_buckets *= 2)
		;
	iface_addrs = calloc(dp_limits.ifaces, sizeof(*iface_addrs));
	vrf_addrs = calloc(dp_limits.vrfs, sizeof(*vrf_addrs));
	by_local = calloc(n_buckets, sizeof(*by_local));
	by_prefix = calloc(n_buckets, sizeof(*by_prefix));
	if (iface_addrs == NULL || vrf_addrs == NULL || by_local == NULL || by_prefix == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < dp_limits.ifaces; i++)
		for (unsigned c = 0; c < ADDR_CLASSES; c++)
			TAILQ_INIT(&iface_addrs[i][c]);
	for (uint32_t v = 0; v < dp_limits.vrfs; v++)
		for (unsigned c = 0; c < ADDR_VRF_CLASSES; c++)
			TAILQ_INIT(&vrf_addrs[v][c]);
	return 0;
}

int addr_init(void)
{
	uint32_t idx;

	ip_if_slots = slots_create(dp_limits.ifaces);
	vrf_source_slots = slots_create(dp_limits.vrfs);
	if (ip_if_slots == NULL || vrf_source_slots == NULL || lists_init() < 0) {
		addr_fini();
		return -ENOMEM;
	}
	while (slots_alloc(ip_if_slots, &idx) == 0)
		;
	while (slots_alloc(vrf_source_slots, &idx) == 0)
		;
	return 0;
}

void addr_fini(void)
{
	struct addr *o;

	slots_destroy(ip_if_slots, free);
	slots_destroy(vrf_source_slots, free);
	ip_if_slots = vrf_source_slots = NULL;
	for (uint32_t b = 0; by_local != NULL && b < n_buckets; b++) {
		while ((o = LIST_FIRST(&by_local[b])) != NULL) {
			LIST_REMOVE(o, same_local);
			free(o);
		}
	}
	free(iface_addrs);
	free(vrf_addrs);
	free(by_local);
	free(by_prefix);
	iface_addrs = NULL;
	vrf_addrs = NULL;
	by_local = by_prefix = NULL;
}
