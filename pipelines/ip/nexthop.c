/* SPDX-License-Identifier: BSD-3-Clause
 * Next hops and multipath groups.  A next hop owns one adjacency index for life; whatever happens to its interface
 * or neighbour, a new adjacency is published there and no route is touched.  A group likewise. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/host.h"
#include "dataplane/log.h"
#include "dataplane/objects.h"
#include "dataplane/rcu.h"
#include "heddle/api/srv6.h"
#include "pipelines/ip/internal.h"

struct slots *adj_slots, *nhg_slots;
static struct nexthop **nexthops;           /* by nh_id */
static struct nexthop_list *iface_nexthops; /* by interface id */
static bool groups_stale;

/* ---- adjacencies ---- */

static bool address_is_zero(unsigned family, const uint8_t *a)
{
	static const uint8_t zero[16];

	return memcmp(a, zero, family == 4 ? 4 : 16) == 0;
}

void adj_fill(struct adj *a, const struct iface *i, unsigned family, const uint8_t *gateway,
	      const struct mac_addr *mac, bool failed, uint32_t object)
{
	uint8_t hdr[22];

	memset(a, 0, sizeof(*a));
	a->family = family == 4 ? 4 : 6;
	a->object = object;
	memcpy(a->gateway, gateway, family == 4 ? 4 : 16);
	a->state = ADJ_DOWN;
	if (i == NULL)
		return;
	a->port = i->port;
	a->iface = i->id;
	a->mtu = i->mtu;
	if (!i->up)
		return;
	if (address_is_zero(family, gateway)) {
		a->state = ADJ_GLEAN;
		return;
	}
	if (mac == NULL || failed) {
		a->state = failed ? ADJ_FAILED : ADJ_INCOMPLETE;
		return;
	}
	a->hdr_len =
		(uint8_t)iface_header_build(i, hdr, mac, family == 4 ? ETHTYPE_IP4 : ETHTYPE_IP6);
	memcpy(a->hdr + ADJ_HDR_ROOM - a->hdr_len, hdr, a->hdr_len);
	a->state = ADJ_RESOLVED;
	a->max_len = a->mtu;
	a->plain_len = a->hdr_len == 14 ? a->mtu : 0;
}

int adj_publish(uint32_t index, const struct adj *a)
{
	const struct adj *old = adj_get(index);
	void *p;

	if (old != NULL && memcmp(old, a, sizeof(*a)) == 0)
		return 0;
	if (posix_memalign(&p, RTE_CACHE_LINE_SIZE, sizeof(*a)) != 0)
		return -ENOMEM;
	memcpy(p, a, sizeof(*a));
	return slots_set(adj_slots, index, p, free);
}

/* ---- next hops ---- */

const struct nexthop *nexthop_find(uint32_t id)
{
	return nexthops != NULL && id < dp_limits.nexthops ? nexthops[id] : NULL;
}

void nexthop_refresh(struct nexthop *nh)
{
	const struct neigh *n = nh->neigh;
	bool failed = n != NULL && n->state == HD_NEIGH_FAILED;
	const struct adj *now;
	struct adj a;
	bool usable;

	adj_fill(&a, iface_get(nh->iface), nh->family, nh->gateway,
		 n != NULL && n->has_mac ? &n->mac : NULL, failed, nh->id);
	if (adj_publish(nh->adj, &a) < 0)
		log_error("nexthop %u: out of memory, its change of state is not seen", nh->id);
	now = adj_get(nh->adj);
	usable = now != NULL && now->state != ADJ_DOWN && now->state != ADJ_FAILED;
	if (usable != nh->usable)
		groups_stale = true;
	nh->usable = usable;
}

void nexthops_iface_changed(uint32_t iface)
{
	struct nexthop *nh;

	LIST_FOREACH(nh, &iface_nexthops[iface], same_iface)
		nexthop_refresh(nh);
}

/* A new next hop is in no group yet: nothing is stale because of it. */
static void nexthop_refresh_new(struct nexthop *nh)
{
	bool stale = groups_stale;

	nexthop_refresh(nh);
	groups_stale = stale;
}

int nexthop_set(const struct hd_api_nexthop *msg)
{
	struct nexthop *nh = nexthops[msg->nh_id], *fresh = NULL, was;
	unsigned family = msg->family == 6 ? 6 : 4;
	int rc;

	if (nh == NULL) {
		nh = fresh = calloc(1, sizeof(*nh));
		if (nh == NULL)
			return -ENOMEM;
		nh->id = msg->nh_id;
		rc = slots_alloc(adj_slots, &nh->adj);
		if (rc < 0)
			goto free_nh;
	} else {
		LIST_REMOVE(nh, same_iface);
		if (nh->neigh != NULL)
			neigh_detach(nh);
	}
	was = *nh;
	nh->iface = msg->iface_id;
	nh->family = (uint8_t)family;
	memset(nh->gateway, 0, sizeof(nh->gateway));
	memcpy(nh->gateway, msg->gateway, family == 4 ? 4 : 16);
	nh->has_gateway = !address_is_zero(family, msg->gateway);
	if (nh->has_gateway && neigh_attach(nh) == NULL) {
		rc = -ENOSPC;
		goto back;
	}
	nexthops[nh->id] = nh;
	LIST_INSERT_HEAD(&iface_nexthops[nh->iface], nh, same_iface);
	if (fresh != NULL)
		nexthop_refresh_new(nh);
	else
		nexthop_refresh(nh);
	nhgroups_follow();
	return 0;
back:
	if (fresh == NULL) { /* as it was; its neighbour has just been let go and has room */
		*nh = was;
		LIST_INSERT_HEAD(&iface_nexthops[nh->iface], nh, same_iface);
		if (nh->has_gateway)
			neigh_attach(nh);
		return rc;
	}
	slots_free(adj_slots, nh->adj, free);
free_nh:
	free(fresh);
	return rc;
}

void nexthop_remove(uint32_t id)
{
	struct nexthop *nh = nexthops[id];

	if (nh == NULL)
		return;
	if (nh->neigh != NULL)
		neigh_detach(nh);
	LIST_REMOVE(nh, same_iface);
	nexthops[id] = NULL;
	slots_free(adj_slots, nh->adj, free);
	free(nh);
}

/* ---- groups ---- */

#define NHG_BUCKETS 512u /* a power of two; one member in 64 still has 8: shares within 2 points */

struct group {
	uint32_t id, index; /* index of the result word, the same for life */
	unsigned n;
	uint32_t nh[HD_API_NHGROUP_MAX], weight[HD_API_NHGROUP_MAX];
	uint64_t up;                /* members in use as published: bit per member */
	uint16_t home[NHG_BUCKETS]; /* member that has the bucket when all are up */
};
static_assert(HD_API_NHGROUP_MAX <= 64, "struct group.up");
static struct group **groups; /* by group_id */

void nhg_quota(const uint32_t *weight, unsigned n, unsigned n_buckets, unsigned *quota)
{
	uint64_t sum = 0;
	unsigned given = 0;

	for (unsigned i = 0; i < n; i++)
		sum += weight[i];
	for (unsigned i = 0; i < n; i++) {
		quota[i] = sum == 0 ? 0 : (unsigned)((uint64_t)weight[i] * n_buckets / sum);
		if (quota[i] == 0)
			quota[i] = 1; /* a member with a weight gets packets */
		given += quota[i];
	}
	/* Hand out or take back what rounding left, where it hurts the exact share least. */
	while (given != n_buckets && n != 0) {
		unsigned best = 0;
		int64_t best_lack = INT64_MIN;
		bool more = given < n_buckets;

		for (unsigned i = 0; i < n; i++) {
			int64_t lack = (int64_t)((uint64_t)weight[i] * n_buckets) -
				       (int64_t)(quota[i] * sum);

			if (!more)
				lack = quota[i] > 1 ? -lack : INT64_MIN + 1;
			if (lack > best_lack) {
				best_lack = lack;
				best = i;
			}
		}
		quota[best] += more ? 1 : -1u;
		given += more ? 1 : -1u;
	}
}

void nhg_assign(uint16_t *home, unsigned n_buckets, const unsigned *quota, unsigned n)
{
	unsigned left[HD_API_NHGROUP_MAX], next = 0;

	for (unsigned i = 0; i < n; i++)
		left[i] = quota[i];
	for (unsigned b = 0; b < n_buckets; b++) {
		if (home[b] < n && left[home[b]] > 0)
			left[home[b]]--;
		else
			home[b] = UINT16_MAX;
	}
	for (unsigned b = 0; b < n_buckets; b++) {
		if (home[b] != UINT16_MAX)
			continue;
		for (unsigned k = 0; k < n && left[next] == 0; k++)
			next = next + 1 == n ? 0 : next + 1;
		home[b] = (uint16_t)next;
		left[next]--;
		next = next + 1 == n ? 0 : next + 1;
	}
}

static uint64_t members_up(const struct group *g)
{
	uint64_t up = 0;

	for (unsigned i = 0; i < g->n; i++) {
		const struct nexthop *nh = nexthop_find(g->nh[i]);

		up |= (uint64_t)(nh != NULL && nh->usable) << i;
	}
	return up;
}

/* Members that are up take over the buckets of those that are down, by weight; the rest stays where it is. */
static int group_publish(struct group *g)
{
	uint32_t weight[HD_API_NHGROUP_MAX], word[HD_API_NHGROUP_MAX];
	unsigned up[HD_API_NHGROUP_MAX], quota[HD_API_NHGROUP_MAX], n_up = 0, orphans = 0, at = 0;
	uint16_t take[NHG_BUCKETS];
	uint64_t is_up = members_up(g);
	size_t size = sizeof(struct nhg) + NHG_BUCKETS * sizeof(uint32_t);
	struct nhg *new = malloc(size);

	if (new == NULL)
		return -ENOMEM;
	memset(new, 0, is_up != 0 ? sizeof(*new) : size); /* else every bucket is written below */
	for (unsigned i = 0; i < g->n; i++) {
		if ((is_up >> i & 1) == 0)
			continue;
		word[i] = HD_RESULT(HD_RESULT_ADJ, nexthop_find(g->nh[i])->adj);
		weight[n_up] = g->weight[i];
		up[n_up++] = i;
	}
	for (unsigned b = 0; b < NHG_BUCKETS; b++)
		orphans += (is_up >> g->home[b] & 1) == 0;
	new->mask = NHG_BUCKETS - 1;
	new->n_up = n_up;
	new->id = g->id;
	if (n_up != 0 && orphans != 0) {
		unsigned n = RTE_MAX(orphans, n_up); /* at least one each */

		memset(take, 0xff, sizeof(take));
		nhg_quota(weight, n_up, n, quota);
		nhg_assign(take, n, quota, n_up);
	}
	for (unsigned b = 0; n_up != 0 && b < NHG_BUCKETS; b++) {
		unsigned member = is_up >> g->home[b] & 1 ? g->home[b] : up[take[at++]];

		new->bucket[b] = word[member];
	}
	g->up = is_up;
	return slots_set(nhg_slots, g->index, new, free);
}

int nhgroup_set(const struct hd_api_nhgroup *msg)
{
	struct group *old = groups[msg->group_id], *g = malloc(sizeof(*g));
	unsigned quota[HD_API_NHGROUP_MAX];
	int rc;

	if (g == NULL)
		return -ENOMEM;
	g->id = msg->group_id;
	g->n = msg->n_members;
	for (unsigned i = 0; i < g->n; i++) {
		g->nh[i] = msg->member[i].nh_id;
		g->weight[i] = msg->member[i].weight;
	}
	/* A member that was here keeps its buckets as far as its new share goes. */
	memset(g->home, 0xff, sizeof(g->home));
	for (unsigned b = 0; old != NULL && b < NHG_BUCKETS; b++)
		for (unsigned i = 0; i < g->n; i++)
			if (g->nh[i] == old->nh[old->home[b]])
				g->home[b] = (uint16_t)i;
	nhg_quota(g->weight, g->n, NHG_BUCKETS, quota);
	nhg_assign(g->home, NHG_BUCKETS, quota, g->n);
	if (old != NULL) {
		g->index = old->index;
	} else {
		rc = slots_alloc(nhg_slots, &g->index);
		if (rc < 0)
			goto free_g;
	}
	rc = group_publish(g);
	if (rc < 0)
		goto free_index;
	groups[g->id] = g;
	free(old);
	return 0;
free_index:
	if (old == NULL)
		slots_free(nhg_slots, g->index, free);
free_g:
	free(g);
	return rc;
}

void nhgroup_remove(uint32_t id)
{
	struct group *g = groups[id];

	if (g == NULL)
		return;
	groups[id] = NULL;
	slots_free(nhg_slots, g->index, free);
	free(g);
}

void nhgroups_follow(void)
{
	if (!groups_stale)
		return;
	groups_stale = false;
	for (uint32_t i = 0; i < dp_limits.nhgroups; i++) {
		if (groups[i] == NULL || groups[i]->up == members_up(groups[i]))
			continue;
		if (group_publish(groups[i]) < 0) {
			groups_stale = true; /* once more at the next tick */
			log_error(
				"group %u: out of memory, its members' change of state is not seen",
				i);
		}
	}
}

/* ---- targets ---- */

int ip_target_result(uint32_t target, uint32_t id, uint32_t *ret)
{
	const struct nexthop *nh;

	switch (target) {
	case HD_TARGET_NEXTHOP:
		nh = nexthop_find(id);
		if (nh == NULL)
			return -ENOENT;
		*ret = HD_RESULT(HD_RESULT_ADJ, nh->adj);
		return 0;
	case HD_TARGET_NHGROUP:
		if (id >= dp_limits.nhgroups || groups[id] == NULL)
			return -ENOENT;
		*ret = HD_RESULT(HD_RESULT_GROUP, groups[id]->index);
		return 0;
	case HD_TARGET_BLACKHOLE:
		*ret = HD_RESULT(HD_RESULT_DROP, HD_RESULT_DROP_BLACKHOLE);
		return 0;
	case HD_TARGET_UNREACHABLE:
		*ret = HD_RESULT(HD_RESULT_DROP, HD_RESULT_DROP_UNREACHABLE);
		return 0;
	case HD_TARGET_PROHIBIT:
		*ret = HD_RESULT(HD_RESULT_DROP, HD_RESULT_DROP_PROHIBIT);
		return 0;
	case HD_TARGET_POLICY:
		if (id > HD_RESULT_INDEX_MAX)
			return -ENOENT;
		*ret = hd_result(HD_RESULT_POLICY, id);
		return 0;
	case HD_TARGET_HOST:
		*ret = HD_RESULT(HD_RESULT_PUNT, host_punt);
		return 0;
	case HD_TARGET_VRF:
		if (slots_get(vrf_slots, id) == NULL)
			return -ENOENT;
		*ret = hd_result(HD_RESULT_VRF, id);
		return 0;
	default:
		return -EINVAL;
	}
}

unsigned ip_target_ref(uint32_t target, uint32_t id, struct object_ref *ret)
{
	static const uint16_t kind[] = {
		[HD_TARGET_NEXTHOP] = HD_API_NEXTHOP,
		[HD_TARGET_NHGROUP] = HD_API_NHGROUP,
		[HD_TARGET_POLICY] = HD_API_SRV6_POLICY,
		[HD_TARGET_VRF] = HD_API_VRF,
	};

	if (target >= RTE_DIM(kind) || kind[target] == 0 || (target == HD_TARGET_VRF && id == 0))
		return 0;
	memset(ret, 0, sizeof(*ret));
	ret->type = kind[target];
	memcpy(ret->key, &id, sizeof(id));
	return 1;
}

int nexthop_init(void)
{
	nexthops = calloc(dp_limits.nexthops, sizeof(*nexthops));
	iface_nexthops = calloc(dp_limits.ifaces, sizeof(*iface_nexthops));
	groups = calloc(dp_limits.nhgroups, sizeof(*groups));
	/* Twice: a freed index waits for its grace period. */
	adj_slots = slots_create(2 * (dp_limits.nexthops + dp_limits.neighs));
	nhg_slots = slots_create(2 * dp_limits.nhgroups);
	if (nexthops == NULL || iface_nexthops == NULL || groups == NULL || adj_slots == NULL ||
	    nhg_slots == NULL) {
		nexthop_fini();
		return -ENOMEM;
	}
	return 0;
}

void nexthop_fini(void)
{
	for (uint32_t i = 0; groups != NULL && i < dp_limits.nhgroups; i++)
		free(groups[i]);
	for (uint32_t i = 0; nexthops != NULL && i < dp_limits.nexthops; i++)
		free(nexthops[i]);
	free(groups);
	free(nexthops);
	free(iface_nexthops);
	groups = NULL;
	nexthops = NULL;
	iface_nexthops = NULL;
	slots_destroy(adj_slots, free);
	slots_destroy(nhg_slots, free);
	adj_slots = nhg_slots = NULL;
}
