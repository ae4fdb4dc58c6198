/* SPDX-License-Identifier: BSD-3-Clause
 * SR policies, segment lists and node-wide settings: the tables, and the handlers of their object kinds.
 * Control thread only, but for what policy.h gives to workers. */
#include "pipelines/srv6/policy.h"

#include <errno.h>
#include <stdlib.h>

#include "dataplane/api_server.h"
#include "dataplane/debug_api.h"
#include "dataplane/log.h"
#include "dataplane/object_drops.h"
#include "dataplane/objects.h"
#include "dataplane/stats.h"
#include "heddle/api/ip.h"
#include "pipelines/ip/ip.h"
#include "pipelines/srv6/hmac_keys.h"
#include "pipelines/srv6/packet.h"
#include "pipelines/srv6/srv6.h"
#include "pipelines/srv6/way.h"

#define DEFAULT_HOP_LIMIT 64

struct slots *srv6_policies;
int srv6_policy_vec, srv6_seglist_vec;
struct srv6_policy_count *srv6_policy_counts[STATS_SLICES_MAX];
struct srv6_seglist_count *srv6_seglist_counts[STATS_SLICES_MAX];

/* What the owner said last, whole; policies are made from these. */
static struct hd_api_srv6_conf conf;
static struct hd_api_srv6_seglist **seglists;   /* by id, NULL: none */
static struct hd_api_srv6_policy **policy_msgs; /* by id */
static uint32_t n_seglists;                     /* ids ever used are below */
static uint8_t *
	missing; /* by seglist_id: how often in a row its first segment had no way to an interface */
static const struct srv6_extra *(*extras)[SRV6_EXTRAS]; /* by policy id */

static uint8_t *dead; /* by seglist_id: a measurement says that nothing comes through */

static bool unspecified(const uint8_t addr[16])
{
	return ip6_addr_is_unspecified((const struct ip6_addr *)addr);
}

/* The lists that carry traffic: those whose first segment has a way and that are alive; without any, all, so that
 * senders are told. */
static uint32_t lists_in_use(const struct hd_api_srv6_policy *m,
			     struct hd_api_srv6_policy_list ret[HD_SRV6_LISTS_MAX])
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->n_lists; i++)
		if (missing[m->list[i].seglist_id] == 0 && dead[m->list[i].seglist_id] == 0)
			ret[n++] = m->list[i];
	if (n == 0)
		for (; n < m->n_lists; n++)
			ret[n] = m->list[n];
	return n;
}

/* Spread flows as the published policy does, as far as the new shares allow. */
static void policy_fill_buckets(struct srv6_policy *p, const struct hd_api_srv6_policy_list *list)
{
	const struct srv6_policy *was = srv6_policy_get(p->policy_id);
	uint32_t id[HD_SRV6_LISTS_MAX], weight[HD_SRV6_LISTS_MAX], old[SRV6_BUCKETS];

	for (uint32_t i = 0; i < p->n_lists; i++) {
		id[i] = list[i].seglist_id;
		weight[i] = list[i].weight;
	}
	for (unsigned b = 0; was != NULL && was->n_lists != 0 && b < SRV6_BUCKETS; b++)
		old[b] = was->outer[srv6_policy_buckets(was)[b]].seglist_id;
	srv6_buckets_fill(id, weight, p->n_lists, was != NULL && was->n_lists != 0 ? old : NULL,
			  (uint8_t *)&p->outer[p->n_lists]);
}

static bool encap_is_l2(uint8_t encap)
{
	return encap == HD_SRV6_H_ENCAPS_L2 || encap == HD_SRV6_H_ENCAPS_L2_RED;
}

/* The node's way of filling the outer header, and where the policy has its own. */
static void treatment_of(const struct hd_api_srv6_policy *m, struct hd_api_srv6_treatment *ret)
{
	const struct hd_api_srv6_treatment *own = &m->treatment;

	*ret = (struct hd_api_srv6_treatment){
		.hop_mode = conf.hop_mode,
		.hop_limit = conf.encap_hop_limit,
		.tclass_mode = conf.tclass_mode,
		.tclass = conf.tclass,
		.label_mode = conf.label_mode,
		.label = conf.label,
	};
	if ((own->set & HD_SRV6_TREAT_HOP) != 0) {
		ret->hop_mode = own->hop_mode;
		ret->hop_limit = own->hop_limit;
	}
	if ((own->set & HD_SRV6_TREAT_TCLASS) != 0) {
		ret->tclass_mode = own->tclass_mode;
		ret->tclass = own->tclass;
	}
	if ((own->set & HD_SRV6_TREAT_LABEL) != 0) {
		ret->label_mode = own->label_mode;
		ret->label = own->label;
	}
}

static int treatment_check(const struct hd_api_srv6_treatment *t, struct object_error *err)
{
	if (t->tclass_mode > HD_SRV6_TCLASS_FIXED)
		return object_fail(err, -EINVAL,
				   "traffic class mode %u is neither 0 (copy) nor 1 (fixed)",
				   t->tclass_mode);
	if (t->hop_mode > HD_SRV6_HOP_INNER)
		return object_fail(err, -EINVAL,
				   "hop limit mode %u is neither 0 (fixed) nor 1 (copy)",
				   t->hop_mode);
	if (t->label_mode > HD_SRV6_LABEL_FIXED || t->label > 0xfffff)
		return object_fail(
			err, -EINVAL,
			"flow label mode %u, value 0x%x: modes are 0 (computed), 1 (copy) "
			"and 2 (fixed, 20 bits)",
			t->label_mode, t->label);
	return 0;
}

/* The checks have passed: only what is extra may not fit, and is then left out, which its owner's counters show. */
static void outer_make(struct srv6_outer *o, struct srv6_outer_fields *f,
		       const struct srv6_extra *const extra[SRV6_EXTRAS])
{
	memcpy(f->extra, extra, sizeof(f->extra));
	if (srv6_outer_build(o, f) == 0)
		return;
	log_warn("srv6: segment list %u: no room in the outer header for what is measured",
		 f->seglist_id);
	memset(f->extra, 0, sizeof(f->extra));
	srv6_outer_build(o, f);
}

#define POLICY_ALIGN 128u /* pairs of lines come together */

/* All zero but for the number of lists.  NULL: no memory. */
static struct srv6_policy *policy_alloc(uint32_t n_lists)
{
	size_t size =
		sizeof(struct srv6_policy) + n_lists * sizeof(struct srv6_outer) + SRV6_BUCKETS;
	struct srv6_policy *p;

	size = RTE_ALIGN_CEIL(size, POLICY_ALIGN);
	p = aligned_alloc(POLICY_ALIGN, size);
	if (p == NULL)
		return NULL;
	memset(p, 0, size);
	p->n_lists = n_lists;
	return p;
}

/* A policy from its message, the segment lists and the settings; NULL: no memory.  Without any source address there
 * is no valid outer header, so the policy then has no list. */
static struct srv6_policy *policy_make(const struct hd_api_srv6_policy *m)
{
	const uint8_t *src = unspecified(m->source) ? conf.encap_source : m->source;
	struct hd_api_srv6_policy_list list[HD_SRV6_LISTS_MAX];
	uint32_t n = unspecified(src) ? 0 : lists_in_use(m, list);
	struct srv6_policy *p = policy_alloc(n);
	struct hd_api_srv6_treatment t;

	if (p == NULL)
		return NULL;
	p->policy_id = m->policy_id;
	p->vrf = m->vrf_id;
	p->l2 = encap_is_l2(m->encap);
	treatment_of(m, &t);
	for (uint32_t i = 0; i < n; i++) {
		const struct hd_api_srv6_seglist *l = seglists[list[i].seglist_id];
		struct srv6_outer_fields f = {
			.encap = (enum hd_srv6_encap)m->encap,
			.seg = (const struct ip6_addr *)l->seg,
			.n_seg = l->n_segs,
			.hop_limit = t.hop_limit != 0 ? t.hop_limit : DEFAULT_HOP_LIMIT,
			.hop_mode = (enum hd_srv6_hop)t.hop_mode,
			.dscp_copy = t.tclass_mode == HD_SRV6_TCLASS_INNER,
			.tclass = t.tclass,
			.label_mode = (enum hd_srv6_label)t.label_mode,
			.label = t.label,
			.seglist_id = l->seglist_id,
			.hmac = m->hmac_key_id != 0 ? srv6_hmac_key_get(m->hmac_key_id) : NULL,
		};

		memcpy(&f.src, src, sizeof(f.src));
		outer_make(&p->outer[i], &f, extras[m->policy_id]);
	}
	if (n != 0)
		policy_fill_buckets(p, list);
	return p;
}

/* Which policies use a segment list; one entry per use. */
struct user {
	uint32_t policy_id;
	struct user *next;
};
static struct user **users; /* by seglist_id */

static void users_del(const struct hd_api_srv6_policy *m, uint32_t n_lists)
{
	for (uint32_t i = 0; i < n_lists; i++) {
		struct user **at = &users[m->list[i].seglist_id], *u;

		while (*at != NULL && (*at)->policy_id != m->policy_id)
			at = &(*at)->next;
		u = *at;
		if (u != NULL)
			*at = u->next;
		free(u);
	}
}

static int users_add(const struct hd_api_srv6_policy *m)
{
	for (uint32_t i = 0; i < m->n_lists; i++) {
		struct user *u = malloc(sizeof(*u));

		if (u == NULL) {
			users_del(m, i);
			return -ENOMEM;
		}
		*u = (struct user){ m->policy_id, users[m->list[i].seglist_id] };
		users[m->list[i].seglist_id] = u;
	}
	return 0;
}

int srv6_policy_extra(uint32_t policy_id, enum srv6_extra_slot slot, const struct srv6_extra *x)
{
	const struct srv6_extra **at = &extras[policy_id][slot], *was = *at;
	struct srv6_policy *p;

	*at = x;
	if (policy_msgs[policy_id] == NULL)
		return 0;
	p = policy_make(policy_msgs[policy_id]);
	if (p == NULL) {
		*at = was;
		return -ENOMEM;
	}
	slots_set(srv6_policies, policy_id, p, free);
	return 0;
}

#define ALL_POLICIES UINT32_MAX

/* Policies that use the segment list (or ALL_POLICIES).  Returns their number; ret_id may be NULL. */
static uint32_t policies_list(uint32_t seglist_id, uint32_t *ret_id)
{
	uint32_t n = 0;

	if (seglist_id != ALL_POLICIES) {
		for (const struct user *u = users[seglist_id]; u != NULL; u = u->next, n++)
			if (ret_id != NULL)
				ret_id[n] = u->policy_id;
		return n;
	}
	for (uint32_t i = 0; i < dp_limits.policies; i++) {
		if (policy_msgs[i] == NULL)
			continue;
		if (ret_id != NULL)
			ret_id[n] = i;
		n++;
	}
	return n;
}

/* Publish those policies anew.  -ENOMEM: none has changed. */
static int policies_rebuild(uint32_t seglist_id)
{
	uint32_t n = policies_list(seglist_id, NULL), done = 0, *id;
	struct srv6_policy **made;
	int rc = -ENOMEM;

	if (n == 0)
		return 0;
	id = calloc(n, sizeof(*id));
	made = calloc(n, sizeof(*made));
	if (id == NULL || made == NULL)
		goto out;
	policies_list(seglist_id, id);
	for (; done < n; done++) {
		made[done] = policy_make(policy_msgs[id[done]]);
		if (made[done] == NULL)
			goto out;
	}
	for (; done > 0; done--)
		slots_set(srv6_policies, made[done - 1]->policy_id, made[done - 1], free);
	rc = 0;
out:
	while (done > 0)
		free(made[--done]);
	free(made);
	free(id);
	return rc;
}

/* ---- first segments -------------------------------------------------------------------------------------------- */

/* A list is spared at the first look without a way.  The owner, who may withdraw routes for it, is told when it stays
 * so, for a route may be gone for the moment of a change; at once when a link is down. */
#define MISSING_TOLD 3u

static void seglist_watch(uint32_t id)
{
	const struct hd_api_srv6_seglist *l = seglists[id];
	struct hd_api_srv6_seglist_state s = { .seglist_id = id };
	struct hd_api_event ev = { .kind = HD_EVENT_SEGLIST };
	enum srv6_way way = srv6_way(l->vrf_id, l->seg[0]);
	uint8_t was = missing[id];

	s.resolved = way == SRV6_WAY_OPEN;
	if (s.resolved)
		missing[id] = 0;
	else if (way == SRV6_WAY_DOWN)
		missing[id] = MISSING_TOLD;
	else if (was < MISSING_TOLD)
		missing[id]++;
	if ((was == 0) != (missing[id] == 0) && policies_rebuild(id) < 0) {
		missing[id] = was; /* no memory: the next look tries again */
		return;
	}
	if ((was == MISSING_TOLD) == (missing[id] == MISSING_TOLD))
		return;
	memcpy(ev.u.room, &s, sizeof(s));
	api_server_event(&ev);
}

void srv6_seglist_liveness(uint32_t seglist_id, bool alive)
{
	if (seglist_id >= dp_limits.seglists || dead[seglist_id] == !alive)
		return;
	dead[seglist_id] = !alive;
	if (seglist_id < n_seglists && seglists[seglist_id] != NULL &&
	    policies_rebuild(seglist_id) < 0)
		dead[seglist_id] = alive; /* no memory: the control process will take it out */
}

#define WATCH_TURNS 5u /* each list is looked at once in so many ticks of 100 ms */

/* Look at all lists at the next tick, when the multipath groups know of it too. */
static bool link_changed;

void srv6_policy_link_changed(void)
{
	link_changed = true;
}

void srv6_policy_tick(void)
{
	static unsigned turn;
	unsigned step = link_changed ? 1 : WATCH_TURNS;

	turn = (turn + 1) % WATCH_TURNS;
	for (uint32_t id = link_changed ? 0 : turn; id < n_seglists; id += step)
		if (seglists[id] != NULL)
			seglist_watch(id);
	link_changed = false;
}

static int seglist_state_request(const void *body, size_t size, debug_send_fn send, void *arg,
				 struct hd_api_reply *reply)
{
	(void)body;
	(void)size;
	(void)reply;
	for (uint32_t id = 0; id < n_seglists; id++) {
		struct hd_api_srv6_seglist_state s = { .seglist_id = id };

		if (seglists[id] != NULL && missing[id] == MISSING_TOLD)
			send(arg, HD_API_SRV6_SEGLIST_STATE, &s, sizeof(s));
	}
	return 0;
}

/* ---- signatures and headers kept for proxies ------------------------------------------------------------------ */

int srv6_policy_hmac_changed(void)
{
	return policies_rebuild(ALL_POLICIES);
}

/* Where the headers name what follows them; 0: they are cut off. */
static uint8_t last_next_header(const uint8_t *hdr, uint32_t len)
{
	uint32_t at = IP6_OFF_NEXT_HEADER, off = sizeof(struct ip6_fixed);

	while (off + 8 <= len && off < UINT8_MAX) {
		at = off;
		off += (hdr[off + 1] + 1u) * 8;
	}
	return off == len ? (uint8_t)at : 0;
}

void srv6_policy_from_headers(uint32_t policy_id, const uint8_t *hdr, uint32_t len)
{
	const struct hd_api_srv6_policy *m =
		policy_id < dp_limits.policies ? policy_msgs[policy_id] : NULL;
	uint8_t proto_off = len >= 40 && len <= SRV6_OUTER_MAX ? last_next_header(hdr, len) : 0;
	struct srv6_policy *p;

	if (m == NULL || proto_off == 0)
		return;
	p = policy_alloc(1); /* every bucket is 0 */
	if (p == NULL)
		return;
	p->policy_id = policy_id;
	p->vrf = m->vrf_id;
	p->l2 = encap_is_l2(m->encap);
	memcpy(p->outer[0].hdr, hdr, len);
	p->outer[0].len = (uint16_t)len;
	p->outer[0].proto_off = proto_off;
	p->outer[0].dscp = ip6_traffic_class((const struct ip6_fixed *)hdr) & 0xfc;
	slots_set(srv6_policies, policy_id, p, free);
}

/* ---- SRV6_CONF ------------------------------------------------------------------------------------------------- */

static int conf_check(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_srv6_conf *m = msg;
	const struct hd_api_srv6_treatment t = { .hop_mode = m->hop_mode,
						 .tclass_mode = m->tclass_mode,
						 .label_mode = m->label_mode,
						 .label = m->label };

	(void)old;
	if (m->key != 0)
		return object_fail(err, -EINVAL, "there is one object, of key 0");
	if (treatment_check(&t, err) < 0)
		return -EINVAL;
	if ((m->flags & ~(HD_SRV6_CONF_F_DECAP_DSCP | HD_SRV6_CONF_F_DECAP_HOP)) != 0)
		return object_fail(err, -EINVAL, "unknown flags 0x%x", m->flags);
	if (ip6_addr_is_multicast((const struct ip6_addr *)m->encap_source))
		return object_fail(err, -EINVAL, "the source address is multicast");
	return 0;
}

static int conf_apply(const void *msg, const void *old, struct object_error *err)
{
	struct hd_api_srv6_conf was = conf;

	(void)old;
	conf = *(const struct hd_api_srv6_conf *)msg;
	if (policies_rebuild(ALL_POLICIES) < 0) {
		conf = was;
		return object_fail(err, -ENOMEM, "out of memory");
	}
	srv6_decap_flags = conf.flags;
	if (conf.flow_seed != 0 && conf.flow_seed != was.flow_seed)
		ip_flow_seed_set(conf.flow_seed);
	return 0;
}

static void conf_remove(const void *old)
{
	(void)old;
	memset(&conf, 0, sizeof(conf));
	srv6_decap_flags = 0;
	policies_rebuild(ALL_POLICIES); /* without memory they stay as they are */
}

static const struct object_kind conf_kind = {
	.type = HD_API_SRV6_CONF,
	.rank = 54,
	.name = "srv6 settings",
	.key_size = 4,
	.min_size = 4,
	.max_size = sizeof(struct hd_api_srv6_conf),
	.check = conf_check,
	.apply = conf_apply,
	.remove = conf_remove,
};

/* ---- SRV6_SEGLIST ---------------------------------------------------------------------------------------------- */

static int seglist_check(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_srv6_seglist *m = msg;

	(void)old;
	if (m->seglist_id >= dp_limits.seglists)
		return object_fail(err, -ENOSPC, "seglist_id %u is not below %u", m->seglist_id,
				   dp_limits.seglists);
	if (m->n_segs == 0 || m->n_segs > HD_SRV6_SEGS_MAX)
		return object_fail(err, -EINVAL, "%u segments, 1 to %u are possible", m->n_segs,
				   HD_SRV6_SEGS_MAX);
	for (uint32_t i = 0; i < m->n_segs; i++) {
		const struct ip6_addr *a = (const struct ip6_addr *)m->seg[i];

		if (ip6_addr_is_multicast(a) || ip6_addr_is_unspecified(a) ||
		    ip6_addr_is_loopback(a))
			return object_fail(err, -EINVAL, "segment %u is no unicast address", i + 1);
	}
	return 0;
}

static int seglist_apply(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_srv6_seglist *m = msg;
	struct hd_api_srv6_seglist *was = seglists[m->seglist_id], *new = malloc(sizeof(*new));

	if (new == NULL)
		goto no_memory;
	*new = *m;
	seglists[m->seglist_id] = new;
	if (m->seglist_id >= n_seglists)
		n_seglists = m->seglist_id + 1;
	if (old != NULL && policies_rebuild(m->seglist_id) < 0)
		goto put_back;
	free(was);
	return 0;
put_back:
	seglists[m->seglist_id] = was;
	free(new);
no_memory:
	return object_fail(err, -ENOMEM, "out of memory");
}

static void seglist_remove(const void *old)
{
	const struct hd_api_srv6_seglist *m = old;

	free(seglists[m->seglist_id]); /* no policy refers to it any more */
	seglists[m->seglist_id] = NULL;
	missing[m->seglist_id] = 0;
}

static struct object_kind seglist_kind = {
	.type = HD_API_SRV6_SEGLIST,
	.rank = 55,
	.name = "segment list",
	.key_size = 4,
	.min_size = 8,
	.max_size = sizeof(struct hd_api_srv6_seglist),
	.check = seglist_check,
	.apply = seglist_apply,
	.remove = seglist_remove,
};

/* ---- SRV6_POLICY ----------------------------------------------------------------------------------------------- */

static int policy_check(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_srv6_policy *m = msg;
	const struct hd_api_srv6_conf *c;
	const uint32_t conf_key = 0;

	(void)old;
	if (m->policy_id >= dp_limits.policies)
		return object_fail(err, -ENOSPC, "policy_id %u is not below %u", m->policy_id,
				   dp_limits.policies);
	if (m->encap < HD_SRV6_H_ENCAPS || m->encap > HD_SRV6_H_ENCAPS_L2_RED)
		return object_fail(err, -EINVAL, "encapsulation %u is unknown", m->encap);
	if (m->flags != 0)
		return object_fail(err, -EINVAL, "unknown flags 0x%x", m->flags);
	if (treatment_check(&m->treatment, err) < 0)
		return -EINVAL;
	if (m->n_lists > HD_SRV6_LISTS_MAX)
		return object_fail(err, -EINVAL, "%u segment lists, at most %u are possible",
				   m->n_lists, HD_SRV6_LISTS_MAX);
	for (uint32_t i = 0; i < m->n_lists; i++) {
		if (m->list[i].weight == 0 || m->list[i].weight > UINT16_MAX)
			return object_fail(err, -EINVAL,
					   "weight %u of segment list %u is not 1 to 65535",
					   m->list[i].weight, m->list[i].seglist_id);
		for (uint32_t k = 0; k < i; k++)
			if (m->list[k].seglist_id == m->list[i].seglist_id)
				return object_fail(err, -EINVAL, "segment list %u is there twice",
						   m->list[i].seglist_id);
	}
	if (ip6_addr_is_multicast((const struct ip6_addr *)m->source))
		return object_fail(err, -EINVAL, "the source address is multicast");
	c = object_find(HD_API_SRV6_CONF, &conf_key);
	if (m->n_lists != 0 && unspecified(m->source) &&
	    (c == NULL || unspecified(c->encap_source)))
		return object_fail(
			err, -EINVAL,
			"no source address: neither the policy nor the srv6 settings give one");
	return 0;
}

static unsigned policy_refs(const void *msg, struct object_ref *ref)
{
	const struct hd_api_srv6_policy *m = msg;
	uint32_t lists = m->n_lists < HD_SRV6_LISTS_MAX ? m->n_lists : HD_SRV6_LISTS_MAX;
	unsigned n = 0;

	static_assert(HD_SRV6_LISTS_MAX + 2 <= OBJECT_REFS_MAX, "room for all lists, VRF and key");
	memset(ref, 0, (lists + 2) * sizeof(*ref));
	for (uint32_t i = 0; i < lists; i++, n++) {
		ref[n].type = HD_API_SRV6_SEGLIST;
		memcpy(ref[n].key, &m->list[i].seglist_id, 4);
	}
	if (m->vrf_id != 0) { /* VRF 0 always exists, as no object */
		ref[n].type = HD_API_VRF;
		memcpy(ref[n++].key, &m->vrf_id, 4);
	}
	if (m->hmac_key_id != 0) {
		ref[n].type = HD_API_SRV6_HMAC_KEY;
		memcpy(ref[n++].key, &m->hmac_key_id, 4);
	}
	return n;
}

static int policy_apply(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_srv6_policy *m = msg;
	struct hd_api_srv6_policy *copy = malloc(sizeof(*copy));
	struct srv6_policy *p = policy_make(m);
	struct hd_api_srv6_policy *was = policy_msgs[m->policy_id];

	(void)old;
	if (copy == NULL || p == NULL || users_add(m) < 0) {
		free(copy);
		free(p);
		return object_fail(err, -ENOMEM, "out of memory");
	}
	*copy = *m;
	if (was != NULL)
		users_del(was, was->n_lists);
	free(was);
	policy_msgs[m->policy_id] = copy;
	slots_set(srv6_policies, m->policy_id, p, free);
	return 0;
}

static void policy_remove(const void *old)
{
	const struct hd_api_srv6_policy *m = old;

	slots_set(srv6_policies, m->policy_id, NULL, free);
	users_del(m, m->n_lists);
	free(policy_msgs[m->policy_id]);
	policy_msgs[m->policy_id] = NULL;
}

static struct object_kind policy_kind = {
	.type = HD_API_SRV6_POLICY,
	.rank = 60,
	.name = "policy",
	.key_size = 4,
	.min_size = 64,
	.max_size = sizeof(struct hd_api_srv6_policy),
	.check = policy_check,
	.apply = policy_apply,
	.remove = policy_remove,
	.refs = policy_refs,
};

void srv6_policy_drop(const struct node_slot *s, const struct srv6_policy *p,
		      const struct srv6_outer *o, unsigned verdict, uint32_t octets)
{
	object_drop(s, (struct object_name){ srv6_policy_vec, p->policy_id }, verdict, octets);
	if (o != NULL)
		object_drop(s, (struct object_name){ srv6_seglist_vec, o->seglist_id }, verdict,
			    octets);
}

/* ---- init ------------------------------------------------------------------------------------------------------ */

static int counters_init(void)
{
	static const char *const policy_cols[] = { "packets", "octets", "errors", NULL };
	static const char *const seglist_cols[] = { "packets", "octets", NULL };
	int p = stats_vec_add("policy", HD_STATS_COUNTER, dp_limits.policies, policy_cols, NULL),
	    l = stats_vec_add("seglist", HD_STATS_COUNTER, dp_limits.seglists, seglist_cols, NULL);

	if (p < 0 || l < 0)
		return p < 0 ? p : l;
	srv6_policy_vec = p;
	srv6_seglist_vec = l;
	STATS_SLICES_FILL(srv6_policy_counts, p);
	STATS_SLICES_FILL(srv6_seglist_counts, l);
	return 0;
}

int srv6_policy_init(void)
{
	int rc = -ENOMEM;

	memset(&conf, 0, sizeof(conf));
	srv6_decap_flags = 0;
	srv6_policies = slots_create(dp_limits.policies);
	seglists = calloc(dp_limits.seglists, sizeof(*seglists));
	policy_msgs = calloc(dp_limits.policies, sizeof(*policy_msgs));
	users = calloc(dp_limits.seglists, sizeof(struct user *));
	missing = calloc(dp_limits.seglists, 1);
	dead = calloc(dp_limits.seglists, 1);
	extras = calloc(dp_limits.policies, sizeof(*extras));
	n_seglists = 0;
	if (srv6_policies == NULL || seglists == NULL || policy_msgs == NULL || users == NULL ||
	    missing == NULL || dead == NULL || extras == NULL)
		goto undo;
	for (uint32_t i = 0, idx; i < dp_limits.policies;
	     i++) /* the owner chooses ids: all of them are given out */
		slots_alloc(srv6_policies, &idx);
	rc = counters_init();
	if (rc < 0)
		goto undo;
	seglist_kind.capacity = dp_limits.seglists;
	policy_kind.capacity = dp_limits.policies;
	rc = object_kind_register(&conf_kind);
	if (rc == 0)
		rc = object_kind_register(&seglist_kind);
	if (rc == 0)
		rc = object_kind_register(&policy_kind);
	if (rc == 0)
		rc = debug_request_register(HD_API_SRV6_SEGLIST_STATE, seglist_state_request);
	if (rc == 0)
		return 0;
undo:
	srv6_policy_fini();
	return rc;
}

void srv6_policy_fini(void)
{
	for (uint32_t i = 0; seglists != NULL && i < dp_limits.seglists; i++)
		free(seglists[i]);
	for (uint32_t i = 0; policy_msgs != NULL && i < dp_limits.policies; i++) {
		if (policy_msgs[i] != NULL && users != NULL)
			users_del(policy_msgs[i], policy_msgs[i]->n_lists);
		free(policy_msgs[i]);
	}
	free(seglists);
	free(policy_msgs);
	free(users);
	free(missing);
	free(dead);
	free(extras);
	slots_destroy(srv6_policies, free);
	seglists = NULL;
	policy_msgs = NULL;
	users = NULL;
	missing = NULL;
	dead = NULL;
	extras = NULL;
	srv6_policies = NULL;
}
