/* SPDX-License-Identifier: BSD-3-Clause
 * Object kinds VRF, ADDR, NEXTHOP, NHGROUP, ROUTE, NEIGH and PUNT_POLICER (include/heddle/api/ip.h): what a message
 * must be, and the calls that make it so. */
#include <errno.h>
#include <string.h>

#include "dataplane/objects.h"
#include "dataplane/punt.h"
#include "pipelines/ip/internal.h"

static const uint8_t zero[16];

static unsigned addr_len(unsigned family)
{
	return family == 4 ? 4 : 16;
}

static int family_check(unsigned family, const uint8_t *addr, struct object_error *err)
{
	if (family != 4 && family != 6)
		return object_fail(err, -EINVAL, "address family %u is neither 4 nor 6", family);
	if (family == 4 && memcmp(addr + 4, zero, 12) != 0)
		return object_fail(err, -EINVAL,
				   "an IPv4 address has 4 octets; the rest is not zero");
	return 0;
}

/* Unicast, as an address of a station must be. */
static int station_check(unsigned family, const uint8_t *a, struct object_error *err)
{
	bool bad;

	if (family == 4)
		bad = a[0] == 0 || a[0] == 127 || a[0] >= 224;
	else
		bad = a[0] == 0xff || (memcmp(a, zero, 15) == 0 && a[15] <= 1);
	return bad ? object_fail(err, -EINVAL,
				 "the address is unspecified, loopback, multicast or reserved") :
		     0;
}

static unsigned ref_id(struct object_ref *ref, uint16_t type, uint32_t id)
{
	memset(ref, 0, sizeof(*ref));
	ref->type = type;
	memcpy(ref->key, &id, sizeof(id));
	return 1;
}

/* ---- VRF ---- */

static int vrf_check(const void *m, const void *old, struct object_error *err)
{
	const struct hd_api_vrf *v = m;

	(void)old;
	if (v->vrf_id >= dp_limits.vrfs)
		return object_fail(err, -EINVAL, "VRF id %u: at most %u VRFs", v->vrf_id,
				   dp_limits.vrfs);
	return 0;
}

static int vrf_apply(const void *m, const void *old, struct object_error *err)
{
	const struct hd_api_vrf *v = m;

	(void)old;
	if (vrf_create(v->vrf_id) < 0)
		return object_fail(err, -ENOMEM, "no memory for the tables of VRF %u", v->vrf_id);
	return 0;
}

static void vrf_remove(const void *m)
{
	vrf_destroy(((const struct hd_api_vrf *)m)->vrf_id);
}

static const struct object_kind vrf_kind = {
	.type = HD_API_VRF,
	.rank = 15,
	.name = "vrf",
	.key_size = sizeof(uint32_t),
	.min_size = sizeof(uint32_t),
	.max_size = sizeof(struct hd_api_vrf),
	.check = vrf_check,
	.apply = vrf_apply,
	.remove = vrf_remove,
};

/* ---- ADDR ---- */

static int addr_check(const void *m, const void *old, struct object_error *err)
{
	const struct hd_api_addr *a = m;
	int rc = family_check(a->family, a->addr, err);

	(void)old;
	if (rc < 0)
		return rc;
	if (a->plen == 0 || a->plen > 8 * addr_len(a->family))
		return object_fail(err, -EINVAL, "prefix length %u of an address", a->plen);
	return station_check(a->family, a->addr, err);
}

static int addr_apply(const void *m, const void *old, struct object_error *err)
{
	int rc = old != NULL ? 0 : addr_add(m);

	return rc < 0 ?
		       object_fail(err, rc, "the address cannot be installed (%s)", strerror(-rc)) :
		       0;
}

static void addr_unapply(const void *m)
{
	addr_remove(m);
}

static void addr_ahead(const void *m)
{
	addr_prefetch(m);
}

static unsigned addr_refs(const void *m, struct object_ref *ref)
{
	return ref_id(ref, HD_API_IFACE, ((const struct hd_api_addr *)m)->iface_id);
}

static const struct object_kind addr_kind = {
	.type = HD_API_ADDR,
	.rank = 30,
	.name = "address",
	.key_size = HD_API_ADDR_KEY,
	.min_size = HD_API_ADDR_KEY,
	.max_size = sizeof(struct hd_api_addr),
	.check = addr_check,
	.apply = addr_apply,
	.remove = addr_unapply,
	.refs = addr_refs,
	.prefetch = addr_ahead,
};

/* ---- NEXTHOP ---- */

static int nexthop_check(const void *m, const void *old, struct object_error *err)
{
	const struct hd_api_nexthop *n = m;
	int rc;

	(void)old;
	if (n->nh_id >= dp_limits.nexthops)
		return object_fail(err, -EINVAL, "next hop id %u: at most %u next hops", n->nh_id,
				   dp_limits.nexthops);
	if (memcmp(n->gateway, zero, 16) == 0)
		return 0;
	rc = family_check(n->family, n->gateway, err);
	return rc < 0 ? rc : station_check(n->family, n->gateway, err);
}

static int nexthop_apply(const void *m, const void *old, struct object_error *err)
{
	int rc = nexthop_set(m);

	(void)old;
	return rc < 0 ?
		       object_fail(
			       err, rc,
			       "no space for another neighbour or adjacency (see heddle-dp --neighs)") :
		       0;
}

static void nexthop_unapply(const void *m)
{
	nexthop_remove(((const struct hd_api_nexthop *)m)->nh_id);
}

static unsigned nexthop_refs(const void *m, struct object_ref *ref)
{
	return ref_id(ref, HD_API_IFACE, ((const struct hd_api_nexthop *)m)->iface_id);
}

static const struct object_kind nexthop_kind = {
	.type = HD_API_NEXTHOP,
	.rank = 40,
	.name = "nexthop",
	.key_size = sizeof(uint32_t),
	.min_size = sizeof(struct hd_api_nexthop),
	.max_size = sizeof(struct hd_api_nexthop),
	.check = nexthop_check,
	.apply = nexthop_apply,
	.remove = nexthop_unapply,
	.refs = nexthop_refs,
};

/* ---- NHGROUP ---- */

static int nhgroup_check(const void *m, const void *old, struct object_error *err)
{
	const struct hd_api_nhgroup *g = m;

	(void)old;
	if (g->group_id >= dp_limits.nhgroups)
		return object_fail(err, -EINVAL, "group id %u: at most %u groups", g->group_id,
				   dp_limits.nhgroups);
	if (g->n_members == 0 || g->n_members > HD_API_NHGROUP_MAX)
		return object_fail(err, -EINVAL, "a group has 1 to %u members, not %u",
				   HD_API_NHGROUP_MAX, g->n_members);
	for (uint32_t i = 0; i < g->n_members; i++) {
		if (g->member[i].weight == 0 || g->member[i].weight > 65535)
			return object_fail(err, -EINVAL, "weight %u is not between 1 and 65535",
					   g->member[i].weight);
		for (uint32_t k = 0; k < i; k++)
			if (g->member[k].nh_id == g->member[i].nh_id)
				return object_fail(err, -EINVAL,
						   "next hop %u is twice in the group",
						   g->member[i].nh_id);
	}
	return 0;
}

static int nhgroup_apply(const void *m, const void *old, struct object_error *err)
{
	int rc = nhgroup_set(m);

	(void)old;
	return rc < 0 ? object_fail(err, rc, "no memory for the group") : 0;
}

static void nhgroup_unapply(const void *m)
{
	nhgroup_remove(((const struct hd_api_nhgroup *)m)->group_id);
}

static unsigned nhgroup_refs(const void *m, struct object_ref *ref)
{
	const struct hd_api_nhgroup *g = m;
	unsigned n = RTE_MIN(g->n_members, HD_API_NHGROUP_MAX);

	for (unsigned i = 0; i < n; i++)
		ref_id(&ref[i], HD_API_NEXTHOP, g->member[i].nh_id);
	return n;
}

static const struct object_kind nhgroup_kind = {
	.type = HD_API_NHGROUP,
	.rank = 50,
	.name = "nexthop group",
	.key_size = sizeof(uint32_t),
	.min_size = 8,
	.max_size = sizeof(struct hd_api_nhgroup),
	.check = nhgroup_check,
	.apply = nhgroup_apply,
	.remove = nhgroup_unapply,
	.refs = nhgroup_refs,
};

/* ---- ROUTE ---- */

static uint32_t n_routes[2]; /* IPv4, IPv6 */

static bool host_bits(const uint8_t *p, unsigned plen, unsigned len)
{
	for (unsigned bit = plen; bit < len * 8; bit++)
		if (p[bit / 8] & 0x80 >> bit % 8)
			return true;
	return false;
}

static int route_check(const void *m, const void *old, struct object_error *err)
{
	const struct hd_api_route *r = m;
	const struct hd_api_nexthop *nh;
	int rc = family_check(r->family, r->prefix, err);

	(void)old;
	if (rc < 0)
		return rc;
	if (r->plen > 8 * addr_len(r->family))
		return object_fail(err, -EINVAL, "prefix length %u is too long for IPv%u", r->plen,
				   r->family);
	if (host_bits(r->prefix, r->plen, addr_len(r->family)))
		return object_fail(err, -EINVAL, "the prefix has bits set behind its length %u",
				   r->plen);
	if (r->target == HD_TARGET_NONE || r->target > HD_TARGET_HOST)
		return object_fail(err, -EINVAL, "unknown route target %u", r->target);
	if (r->target == HD_TARGET_NEXTHOP && r->family == 6) {
		nh = object_find(HD_API_NEXTHOP, &r->id);
		if (nh != NULL && nh->family == 4 && memcmp(nh->gateway, zero, 16) != 0)
			return object_fail(err, -EINVAL,
					   "an IPv6 route cannot go through an IPv4 gateway");
	}
	if (r->target == HD_TARGET_VRF && r->id == r->vrf_id)
		return object_fail(err, -EINVAL, "the route leads to its own VRF");
	return 0;
}

static int route_apply(const void *m, const void *old, struct object_error *err)
{
	const struct hd_api_route *r = m;
	uint32_t *n = &n_routes[r->family == 6], word;
	uint32_t limit = r->family == 6 ? dp_limits.routes6 : dp_limits.routes4;
	int rc;

	if (old == NULL && *n >= limit)
		return object_fail(err, -ENOSPC,
				   "no space: the IPv%u table holds %u routes and is full",
				   r->family, limit);
	rc = ip_target_result(r->target, r->id, &word);
	if (rc == 0)
		rc = ip_rib_set(r->vrf_id, r->family, r->prefix, r->plen, RIB_ROUTE, word);
	if (rc < 0)
		return object_fail(err, rc, "the route cannot be installed (%s)", strerror(-rc));
	*n += old == NULL;
	return 0;
}

static void route_remove(const void *m)
{
	const struct hd_api_route *r = m;

	ip_rib_del(r->vrf_id, r->family, r->prefix, r->plen, RIB_ROUTE);
	n_routes[r->family == 6]--;
}

static unsigned route_refs(const void *m, struct object_ref *ref)
{
	const struct hd_api_route *r = m;
	unsigned n = ip_target_ref(r->target, r->id, ref);

	if (r->vrf_id != 0) /* VRF 0 needs no object */
		n += ref_id(&ref[n], HD_API_VRF, r->vrf_id);
	return n;
}

static const struct object_kind route_kind = {
	.type = HD_API_ROUTE,
	.rank = 80,
	.name = "route",
	.key_size = HD_API_ROUTE_KEY,
	.min_size = sizeof(struct hd_api_route),
	.max_size = sizeof(struct hd_api_route),
	.check = route_check,
	.apply = route_apply,
	.remove = route_remove,
	.refs = route_refs,
};

/* ---- NEIGH ---- */

static int neigh_check(const void *m, const void *old, struct object_error *err)
{
	const struct hd_api_neigh *n = m;
	int rc = family_check(n->family, n->addr, err);

	(void)old;
	if (rc < 0)
		return rc;
	if ((n->mac[0] & 1) != 0 || memcmp(n->mac, zero, 6) == 0)
		return object_fail(err, -EINVAL, "a neighbour's MAC is a single station's");
	return station_check(n->family, n->addr, err);
}

static int neigh_apply(const void *m, const void *old, struct object_error *err)
{
	int rc = neigh_static_set(m);

	(void)old;
	return rc < 0 ? object_fail(
				err, rc,
				"no space: the neighbour table is full (see heddle-dp --neighs)") :
			0;
}

static void neigh_remove(const void *m)
{
	neigh_static_remove(m);
}

static void neigh_ahead(const void *m)
{
	neigh_prefetch(m);
}

static unsigned neigh_refs(const void *m, struct object_ref *ref)
{
	return ref_id(ref, HD_API_IFACE, ((const struct hd_api_neigh *)m)->iface_id);
}

static struct object_kind neigh_kind = {
	.type = HD_API_NEIGH,
	.rank = 35,
	.name = "neighbour",
	.key_size = HD_API_NEIGH_KEY,
	.min_size = sizeof(struct hd_api_neigh),
	.max_size = sizeof(struct hd_api_neigh),
	.check = neigh_check,
	.apply = neigh_apply,
	.remove = neigh_remove,
	.refs = neigh_refs,
	.prefetch = neigh_ahead,
};

/* ---- PUNT_POLICER ---- */

/* What a reason had before anybody changed it: where a deleted policer falls back to. */
static struct {
	bool known;
	uint32_t rate, burst;
} policer_default[PUNT_REASONS_MAX];

static int policer_check(const void *m, const void *old, struct object_error *err)
{
	const struct hd_api_punt_policer *p = m;
	uint32_t rate, burst;

	(void)old;
	if (p->reason >= PUNT_REASONS_MAX || punt_policer_get(p->reason, &rate, &burst) < 0)
		return object_fail(err, -ENOENT, "punt reason %u does not exist", p->reason);
	return 0;
}

static int policer_apply(const void *m, const void *old, struct object_error *err)
{
	const struct hd_api_punt_policer *p = m;
	uint32_t rate, burst;
	int rc = punt_policer_get(p->reason, &rate, &burst);

	(void)old;
	if (rc == 0 && !policer_default[p->reason].known) {
		policer_default[p->reason].known = true;
		policer_default[p->reason].rate = rate;
		policer_default[p->reason].burst = burst;
	}
	if (rc == 0)
		rc = punt_policer_set(p->reason, p->rate_pps, p->burst);
	return rc < 0 ? object_fail(err, rc, "punt reason %u: %s", p->reason, strerror(-rc)) : 0;
}

static void policer_remove(const void *m)
{
	uint32_t r = ((const struct hd_api_punt_policer *)m)->reason;

	if (policer_default[r].known)
		punt_policer_set(r, policer_default[r].rate, policer_default[r].burst);
}

static const struct object_kind policer_kind = {
	.type = HD_API_PUNT_POLICER,
	.rank = 90,
	.name = "punt policer",
	.key_size = sizeof(uint32_t),
	.min_size = sizeof(struct hd_api_punt_policer),
	.max_size = sizeof(struct hd_api_punt_policer),
	.check = policer_check,
	.apply = policer_apply,
	.remove = policer_remove,
};

int ip_api_register(void)
{
	static const struct object_kind *const kinds[] = { &vrf_kind,     &addr_kind,
							   &neigh_kind,   &nexthop_kind,
							   &nhgroup_kind, &route_kind,
							   &policer_kind };

	neigh_kind.capacity = dp_limits.neighs;
	memset(n_routes, 0, sizeof(n_routes));
	for (size_t i = 0; i < RTE_DIM(kinds); i++) {
		int rc = object_kind_register(kinds[i]);

		if (rc < 0)
			return rc;
	}
	return 0;
}
