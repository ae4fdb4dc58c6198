/* SPDX-License-Identifier: BSD-3-Clause
 * Our own addresses: local and connected routes, link-local addresses, sources for packets made here. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

struct addr {
	struct hd_api_addr a;
	uint32_t vrf; /* where its routes are */
};
static struct addr *addrs;
static size_t n_addrs, cap_addrs;

static bool addr_is_link_local(const struct hd_api_addr *a)
{
	return a->family == 6 && a->addr[0] == 0xfe && (a->addr[1] & 0xc0) == 0x80;
}

static bool prefix_match(const uint8_t *a, const uint8_t *b, unsigned plen)
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

static void ip_if_refresh(const struct iface *i)
{
	struct ip_if *f = calloc(1, sizeof(*f));

	if (f == NULL) {
		log_error("interface %s: out of memory, its addresses are not seen", i->name);
		return;
	}
	f->link_local = link_local_of(&i->mac);
	for (size_t k = n_addrs; k-- > 0;) { /* the first of each kind stays */
		const struct hd_api_addr *a = &addrs[k].a;

		if (a->iface_id != i->id)
			continue;
		if (a->family == 4)
			memcpy(&f->addr4, a->addr, 4);
		else
			memcpy(addr_is_link_local(a) ? &f->link_local : &f->addr6, a->addr, 16);
	}
	slots_set(ip_if_slots, i->id, f, free);
}

static void vrf_source_refresh(uint32_t vrf)
{
	struct vrf_source *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return;
	for (size_t k = n_addrs; k-- > 0;) {
		const struct hd_api_addr *a = &addrs[k].a;

		if (addrs[k].vrf != vrf || addr_is_link_local(a))
			continue;
		if (a->family == 4)
			memcpy(&s->addr4, a->addr, 4);
		else
			memcpy(&s->addr6, a->addr, 16);
	}
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
static const struct addr *other_owner(const struct addr *me, bool connected)
{
	for (size_t k = 0; k < n_addrs; k++) {
		const struct addr *o = &addrs[k];

		if (o == me || o->vrf != me->vrf || o->a.family != me->a.family ||
		    addr_is_link_local(&o->a))
			continue;
		if (connected ? o->a.plen == me->a.plen &&
					prefix_match(o->a.addr, me->a.addr, me->a.plen) :
				memcmp(o->a.addr, me->a.addr, 16) == 0)
			return o;
	}
	return NULL;
}

/* Network and broadcast address of an IPv4 subnet: never forwarded as a unicast (RFC 1812 5.3.5). */
static unsigned broadcasts_of(const struct hd_api_addr *a, uint8_t out[2][4])
{
	uint32_t ip = wire_get32(a->addr), host;

	if (a->family != 4 || a->plen > 30 || a->plen == 0)
		return 0;
	host = 0xffffffffu >> a->plen;
	wire_put32(out[0], ip & ~host);
	wire_put32(out[1], ip | host);
	return 2;
}

static int routes_add(const struct addr *me)
{
	const struct hd_api_addr *a = &me->a;
	uint8_t full = a->family == 4 ? 32 : 128, bc[2][4];
	int rc;

	if (addr_is_link_local(a))
		return 0; /* link-local addresses mean something on their link only: ip6-input looks there */
	rc = ip_rib_set(me->vrf, a->family, a->addr, full, RIB_LOCAL,
			hd_result(HD_RESULT_LOCAL, a->iface_id));
	if (rc == 0 && a->plen < full)
		rc = ip_rib_set(me->vrf, a->family, a->addr, a->plen, RIB_CONNECTED,
				hd_result(HD_RESULT_GLEAN, a->iface_id));
	for (unsigned k = 0, n = broadcasts_of(a, bc); rc == 0 && k < n; k++)
		rc = ip_rib_set(me->vrf, 4, bc[k], 32, RIB_CONNECTED,
				HD_RESULT(HD_RESULT_DROP, HD_RESULT_DROP_BLACKHOLE));
	return rc;
}

static void routes_remove(const struct addr *me)
{
	const struct hd_api_addr *a = &me->a;
	uint8_t full = a->family == 4 ? 32 : 128, bc[2][4];
	const struct addr *o;

	if (addr_is_link_local(a))
		return;
	o = other_owner(me, false);
	if (o == NULL)
		ip_rib_del(me->vrf, a->family, a->addr, full, RIB_LOCAL);
	else
		routes_add(o);
	o = other_owner(me, true);
	if (o != NULL) {
		routes_add(o);
		return;
	}
	if (a->plen < full)
		ip_rib_del(me->vrf, a->family, a->addr, a->plen, RIB_CONNECTED);
	for (unsigned k = 0, n = broadcasts_of(a, bc); k < n; k++)
		ip_rib_del(me->vrf, 4, bc[k], 32, RIB_CONNECTED);
}

static struct addr *addr_find(const struct hd_api_addr *a)
{
	for (size_t k = 0; k < n_addrs; k++)
		if (memcmp(&addrs[k].a, a, HD_API_ADDR_KEY) == 0)
			return &addrs[k];
	return NULL;
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
	if (n_addrs == cap_addrs) {
		size_t cap = cap_addrs == 0 ? 64 : 2 * cap_addrs;
		struct addr *p = realloc(addrs, cap * sizeof(*p));

		if (p == NULL)
			return -ENOMEM;
		addrs = p;
		cap_addrs = cap;
	}
	me = &addrs[n_addrs++];
	*me = (struct addr){ .a = *msg, .vrf = i->vrf };
	rc = routes_add(me);
	if (rc < 0) {
		routes_remove(me);
		n_addrs--;
		return rc;
	}
	ip_if_refresh(i);
	vrf_source_refresh(i->vrf);
	neigh_addrs_changed(i->id);
	addr_announce(i);
	return 0;
}

void addr_remove(const struct hd_api_addr *msg)
{
	const struct iface *i = iface_get(msg->iface_id);
	struct addr *me = addr_find(msg);
	uint32_t vrf;

	if (me == NULL)
		return;
	vrf = me->vrf;
	routes_remove(me);
	memmove(me, me + 1, (size_t)(&addrs[n_addrs] - (me + 1)) * sizeof(*me));
	n_addrs--;
	if (i != NULL)
		ip_if_refresh(i);
	vrf_source_refresh(vrf);
	neigh_addrs_changed(msg->iface_id);
}

/* ---- questions ---- */

bool addr_is_ours(const struct iface *i, unsigned family, const uint8_t *addr)
{
	const struct ip_if *f = ip_if_get(i->id);

	if (family == 6 && f != NULL && memcmp(&f->link_local, addr, 16) == 0)
		return true;
	for (size_t k = 0; k < n_addrs; k++)
		if (addrs[k].a.iface_id == i->id && addrs[k].a.family == family &&
		    memcmp(addrs[k].a.addr, addr, family == 4 ? 4 : 16) == 0)
			return true;
	return false;
}

bool addr_on_link(uint32_t iface, unsigned family, const uint8_t *addr)
{
	if (family == 6 && addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80)
		return true;
	for (size_t k = 0; k < n_addrs; k++)
		if (addrs[k].a.iface_id == iface && addrs[k].a.family == family &&
		    prefix_match(addrs[k].a.addr, addr, addrs[k].a.plen))
			return true;
	return false;
}

bool addr_source4(uint32_t iface, const uint8_t *target, be32_t *ret)
{
	for (size_t k = 0; k < n_addrs; k++) {
		const struct hd_api_addr *a = &addrs[k].a;

		if (a->iface_id == iface && a->family == 4 &&
		    prefix_match(a->addr, target, a->plen)) {
			memcpy(ret, a->addr, 4);
			return true;
		}
	}
	return ip_source4(iface, ret);
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

void addr_announce(const struct iface *i)
{
	const struct ip_if *f = ip_if_get(i->id);

	if (!i->up || i->host) /* the kernel's addresses are the kernel's to announce */
		return;
	if (f != NULL)
		announce6(i, &f->link_local);
	for (size_t k = 0; k < n_addrs; k++) {
		const struct hd_api_addr *a = &addrs[k].a;
		struct ip6_addr a6;
		be32_t a4;

		if (a->iface_id != i->id || addr_is_link_local(a))
			continue;
		memcpy(&a4, a->addr, 4);
		memcpy(&a6, a->addr, 16);
		if (a->family == 4)
			announce4(i, a4);
		else
			announce6(i, &a6);
	}
}

/* ---- interfaces change ---- */

void addr_iface_changed(const struct iface *old, const struct iface *new)
{
	uint32_t was = old != NULL ? old->vrf : 0;

	if (new == NULL) {
		slots_set(ip_if_slots, old->id, NULL, free);
		return;
	}
	if (old != NULL && old->vrf != new->vrf) {
		for (size_t k = 0; k < n_addrs; k++) {
			if (addrs[k].a.iface_id != new->id)
				continue;
			routes_remove(&addrs[k]);
			addrs[k].vrf = new->vrf;
			if (routes_add(&addrs[k]) < 0)
				log_error(
					"interface %s: the routes of its addresses do not fit into VRF %u",
					new->name, new->vrf);
		}
		vrf_source_refresh(was);
		vrf_source_refresh(new->vrf);
	}
	if (old == NULL || !mac_eq(&old->mac, &new->mac))
		ip_if_refresh(new);
	if (new->up && (old == NULL || !old->up || !mac_eq(&old->mac, &new->mac)))
		addr_announce(new);
}

int addr_init(void)
{
	uint32_t idx;

	ip_if_slots = slots_create(dp_limits.ifaces);
	vrf_source_slots = slots_create(dp_limits.vrfs);
	if (ip_if_slots == NULL || vrf_source_slots == NULL) {
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
	slots_destroy(ip_if_slots, free);
	slots_destroy(vrf_source_slots, free);
	ip_if_slots = vrf_source_slots = NULL;
	free(addrs);
	addrs = NULL;
	n_addrs = cap_addrs = 0;
}
