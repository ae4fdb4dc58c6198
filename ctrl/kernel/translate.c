/* SPDX-License-Identifier: BSD-3-Clause
 * From the kernel's words to the data plane's: a way becomes a next hop, a group, an SR policy or a SID; or the reason
 * why it cannot be carried.  Whatever is not understood whole is refused: half of a route would be a wrong one. */
#include <errno.h>
#include <linux/if.h>
#include <linux/lwtunnel.h>
#include <linux/rtnetlink.h>
#include <linux/seg6_iptunnel.h>
#include <linux/seg6_local.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ctrl/ip/ip.h"
#include "ctrl/kernel/kernel_private.h"
#include "ctrl/running.h"
#include "heddle/srv6_behavior.h"

static uint8_t api_family(uint8_t family)
{
	return family == AF_INET ? 4 : 6;
}

static void refuse(struct way *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void refuse(struct way *w, const char *fmt, ...)
{
	va_list ap;

	if (w->reason != NULL)
		return;
	va_start(ap, fmt);
	if (vasprintf(&w->reason, fmt, ap) < 0)
		w->reason = NULL;
	va_end(ap);
}

bool conf_vrf(const struct mirror *m, uint32_t table, uint32_t *ret_vrf_id)
{
	for (uint32_t i = 0; i < m->conf.n_tables; i++)
		if (m->conf.table[i].table == table) {
			*ret_vrf_id = m->conf.table[i].vrf_id;
			return true;
		}
	return false;
}

/* --- next hops ------------------------------------------------------------------------------- */

static void no_room(struct way *w, int rc, const char *what, const char *option)
{
	if (rc == -ENOSPC)
		refuse(w, "no more %s in the data plane (heddle-dp %s)", what, option);
	else
		refuse(w, "out of memory");
}

/* Interface of Heddle that a kernel's interface is; 0 and the reason. */
static uint32_t iface_on(struct mirror *m, struct way *w, uint32_t index)
{
	const struct klink *l = model_link(m, index);

	if (l == NULL)
		refuse(w, "through interface %u, which is not known", index);
	else if (l->iface_id == 0)
		refuse(w, "through %.15s, which is not a mirrored interface of Heddle", l->l.name);
	return l != NULL ? l->iface_id : 0;
}

static struct dpo *nexthop_dpo(struct mirror *m, struct way *w, uint32_t oif, uint8_t family,
			       const uint8_t *gw)
{
	struct hd_api_nexthop nh = { .iface_id = iface_on(m, w, oif),
				     .family = api_family(family) };
	int rc;

	if (nh.iface_id == 0)
		return NULL;
	if (gw != NULL)
		memcpy(nh.gateway, gw, family == AF_INET ? 4 : 16);
	struct dpo *d = dpo_get(&m->dpos, HD_API_NEXTHOP, &nh, sizeof(nh), NULL, 0, &rc);
	if (d == NULL)
		no_room(w, rc, "next hops", "--nexthops");
	return d;
}

static struct dpo *leg_dpo(struct mirror *m, struct way *w, const struct nl_leg *leg)
{
	if (leg->mpls) {
		refuse(w, "MPLS labels: there is no MPLS in this data plane");
		return NULL;
	}
	if (leg->oif == 0) {
		refuse(w, "a next hop without an interface");
		return NULL;
	}
	if (w->family == AF_INET6 && leg->gw_family == AF_INET) {
		refuse(w, "an IPv6 route cannot go through an IPv4 gateway");
		return NULL;
	}
	return nexthop_dpo(m, w, leg->oif, leg->gw_family != 0 ? leg->gw_family : w->family,
			   leg->gw_family != 0 ? leg->gw : NULL);
}

struct member {
	struct dpo *dpo;
	uint32_t weight;
};

static int member_cmp(const void *va, const void *vb)
{
	const struct member *a = va, *b = vb;

	return a->dpo->id < b->dpo->id ? -1 : a->dpo->id > b->dpo->id;
}

/* Members (counted references, which go) as one target: equal ones add their weights. */
static void group_make(struct mirror *m, struct way *w, struct member *member, uint32_t n)
{
	struct hd_api_nhgroup g = { 0 };
	struct dpo *dep[HD_API_NHGROUP_MAX];
	int rc;

	qsort(member, n, sizeof(*member), member_cmp);
	for (uint32_t i = 0; i < n; i++) {
		if (g.n_members > 0 && dep[g.n_members - 1] == member[i].dpo) {
			uint32_t *weight = &g.member[g.n_members - 1].weight;
			*weight = *weight + member[i].weight <= UINT16_MAX ?
					  *weight + member[i].weight :
					  UINT16_MAX;
			dpo_unref(&m->dpos, member[i].dpo);
			continue;
		}
		dep[g.n_members] = member[i].dpo;
		g.member[g.n_members++] =
			(struct hd_api_nhgroup_member){ member[i].dpo->id, member[i].weight };
	}
	if (g.n_members == 1) {
		w->target = HD_TARGET_NEXTHOP;
		w->dpo = dep[0];
		return;
	}
	w->target = HD_TARGET_NHGROUP;
	w->dpo = dpo_get(&m->dpos, HD_API_NHGROUP, &g,
			 (uint32_t)(offsetof(struct hd_api_nhgroup, member) +
				    g.n_members * sizeof(g.member[0])),
			 dep, g.n_members, &rc);
	if (w->dpo == NULL)
		no_room(w, rc, "multipath groups", "--nhgroups");
}

/* Several next hops.  Those whose link is down take no part, as in the kernel with ignore_routes_with_linkdown. */
static void legs_resolve(struct mirror *m, struct way *w, const struct nl_leg *leg,
			 const uint16_t *weight, uint32_t n)
{
	struct member member[NL_LEGS_MAX];
	uint32_t k = 0, up = 0;

	for (uint32_t i = 0; i < n; i++)
		up += !leg[i].down;
	for (uint32_t i = 0; i < n && w->reason == NULL; i++) {
		if (leg[i].down && up != 0)
			continue;
		if (leg[i].encap != NL_ENCAP_NONE) {
			refuse(w, "multipath over tunnels is not carried");
			break;
		}
		member[k].weight = weight != NULL ? weight[i] : leg[i].weight;
		member[k].dpo = leg_dpo(m, w, &leg[i]);
		k += member[k].dpo != NULL;
	}
	if (w->reason != NULL)
		while (k > 0)
			dpo_unref(&m->dpos, member[--k].dpo);
	else
		group_make(m, w, member, k);
}

/* --- SRv6 headend ---------------------------------------------------------------------------- */

/* SR policy of a segment list.  Returns a counted reference, or NULL and the reason. */
static struct dpo *policy_dpo(struct mirror *m, struct way *w, const struct nl_seg6 *s,
			      uint8_t encap)
{
	struct hd_api_srv6_seglist list = { .n_segs = s->n_seg };
	struct hd_api_srv6_policy policy = { .encap = encap, .n_lists = 1 };
	static const uint8_t none[16];
	int rc;

	if (s->n_seg == 0 || s->tlvs) {
		refuse(w,
		       s->tlvs ?
			       "the SRH has TLVs (HMAC?), which an SR policy cannot carry" :
			       "the segment list is not understood, or has more than 16 segments");
		return NULL;
	}
	if (memcmp(m->conf.encap_source, none, 16) == 0 && !model_source6(m, policy.source)) {
		refuse(w, "no source address for the outer header: configure srv6 encapsulation "
			  "source-address, or give the loopback device an IPv6 address");
		return NULL;
	}
	memcpy(list.seg, s->seg, s->n_seg * 16u);
	struct dpo *l = dpo_get(
		&m->dpos, HD_API_SRV6_SEGLIST, &list,
		(uint32_t)offsetof(struct hd_api_srv6_seglist, seg) + s->n_seg * 16u, NULL, 0, &rc);
	if (l == NULL) {
		no_room(w, rc, "segment lists", "--seglists");
		return NULL;
	}
	policy.list[0] = (struct hd_api_srv6_policy_list){ l->id, 1 };
	snprintf(policy.name, sizeof(policy.name), "kernel-%u%s", l->id,
		 encap == HD_SRV6_H_ENCAPS_RED ? "-red" : "");
	struct dpo *p = dpo_get(
		&m->dpos, HD_API_SRV6_POLICY, &policy,
		(uint32_t)(offsetof(struct hd_api_srv6_policy, list) + sizeof(policy.list[0])), &l,
		1, &rc);
	if (p == NULL)
		no_room(w, rc, "policies", "--policies");
	return p;
}

static void seg6_resolve(struct mirror *m, struct way *w, const struct nl_seg6 *s)
{
	switch (s->mode) {
	case SEG6_IPTUN_MODE_ENCAP:
		w->dpo = policy_dpo(m, w, s, HD_SRV6_H_ENCAPS);
		break;
	case SEG6_IPTUN_MODE_ENCAP_RED:
		w->dpo = policy_dpo(m, w, s, HD_SRV6_H_ENCAPS_RED);
		break;
	case SEG6_IPTUN_MODE_INLINE:
		refuse(w, "seg6 mode inline puts an SRH into a packet of another source, which "
			  "RFC 8200 section 4 leaves to the source; use mode encap");
		return;
	case SEG6_IPTUN_MODE_L2ENCAP:
	case SEG6_IPTUN_MODE_L2ENCAP_RED:
		refuse(w, "seg6 mode l2encap on an IP route: the frame around the packet is gone "
			  "when it is looked up; steer the interface by an SR policy");
		return;
	default:
		refuse(w, "seg6 mode %d is not known", s->mode);
		return;
	}
	w->target = HD_TARGET_POLICY;
}

/* --- SRv6 endpoints -------------------------------------------------------------------------- */

/* The one list that says which bit of the kernel is which flavor of ours. */
static const struct {
	unsigned op;
	uint16_t flavor;
} flavor_map[] = {
	{ SEG6_LOCAL_FLV_OP_PSP, HD_SRV6_FLAVOR_PSP },
	{ SEG6_LOCAL_FLV_OP_USP, HD_SRV6_FLAVOR_USP },
	{ SEG6_LOCAL_FLV_OP_USD, HD_SRV6_FLAVOR_USD },
	{ SEG6_LOCAL_FLV_OP_NEXT_CSID, HD_SRV6_FLAVOR_NEXT_CSID },
};

static bool flavors_map(uint32_t ops, uint16_t *ret)
{
	*ret = 0;
	for (size_t i = 0; i < sizeof(flavor_map) / sizeof(flavor_map[0]); i++) {
		if ((ops >> flavor_map[i].op & 1) == 0)
			continue;
		*ret |= flavor_map[i].flavor;
		ops &= ~(1u << flavor_map[i].op);
	}
	return ops == 0;
}

static const struct {
	uint32_t action;
	uint16_t behavior;
	const char *name; /* of what is not carried */
} action_map[] = {
	{ SEG6_LOCAL_ACTION_END, HD_SRV6_END, NULL },
	{ SEG6_LOCAL_ACTION_END_X, HD_SRV6_END_X, NULL },
	{ SEG6_LOCAL_ACTION_END_T, HD_SRV6_END_T, NULL },
	{ SEG6_LOCAL_ACTION_END_DX2, HD_SRV6_END_DX2, NULL },
	{ SEG6_LOCAL_ACTION_END_DX4, HD_SRV6_END_DX4, NULL },
	{ SEG6_LOCAL_ACTION_END_DX6, HD_SRV6_END_DX6, NULL },
	{ SEG6_LOCAL_ACTION_END_DT4, HD_SRV6_END_DT4, NULL },
	{ SEG6_LOCAL_ACTION_END_DT6, HD_SRV6_END_DT6, NULL },
	{ SEG6_LOCAL_ACTION_END_DT46, HD_SRV6_END_DT46, NULL },
	{ SEG6_LOCAL_ACTION_END_B6_ENCAP, HD_SRV6_END_B6_ENCAPS, NULL },
	{ SEG6_LOCAL_ACTION_END_B6, HD_SRV6_NONE,
	  "End.B6 (insertion, which RFC 8986 does not have)" },
	{ SEG6_LOCAL_ACTION_END_BM, HD_SRV6_NONE, "End.BM (there is no MPLS)" },
	{ SEG6_LOCAL_ACTION_END_S, HD_SRV6_NONE, "End.S" },
	{ SEG6_LOCAL_ACTION_END_AS, HD_SRV6_NONE, "End.AS" },
	{ SEG6_LOCAL_ACTION_END_AM, HD_SRV6_NONE, "End.AM" },
	{ SEG6_LOCAL_ACTION_END_BPF, HD_SRV6_NONE, "End.BPF (a program of the kernel's)" },
};

/* Next hop of End.X, End.DX4 and End.DX6.  The kernel looks it up; here it has to be a neighbour: on the network of a
 * mirrored interface or, link-local, on the interface the route names. */
static void sid_next_hop(struct mirror *m, struct way *w, const struct nl_leg *leg, uint8_t family,
			 const uint8_t *gw)
{
	bool link_local = family == AF_INET6 && gw[0] == 0xfe && (gw[1] & 0xc0) == 0x80;
	uint32_t oif = leg->u.local.oif != 0 ? leg->u.local.oif :
		       link_local            ? leg->oif :
					       model_on_link(m, family, gw);
	char text[48];

	if (oif == 0) {
		refuse(w, "its next hop %s is on no network of a mirrored interface",
		       ip_text(api_family(family), gw, text, sizeof(text)));
		return;
	}
	w->dpo = nexthop_dpo(m, w, oif, family, gw);
	if (w->dpo == NULL)
		return;
	w->sid->target = HD_TARGET_NEXTHOP;
	w->sid->target_id = w->dpo->id;
}

static void sid_table(struct mirror *m, struct way *w, const struct nl_seg6local *l, uint16_t args)
{
	uint32_t table = l->vrf_table != 0 ? l->vrf_table : l->table, vrf;

	if (table == 0) {
		refuse(w, "no table");
		return;
	}
	if (!conf_vrf(m, table, &vrf)) {
		refuse(w, "its table %u is not mirrored: name it under kernel/table", table);
		return;
	}
	if ((args & (HD_SRV6_ARG_TABLE | HD_SRV6_ARG_TABLE4)) != 0)
		w->sid->table4 = vrf;
	if ((args & (HD_SRV6_ARG_TABLE | HD_SRV6_ARG_TABLE6)) != 0)
		w->sid->table6 = vrf;
}

static void sid_arguments(struct mirror *m, struct way *w, const struct nl_leg *leg)
{
	const struct nl_seg6local *l = &leg->u.local;
	uint16_t args = hd_srv6_behavior_info(w->sid->behavior)->args;

	if ((args & (HD_SRV6_ARG_TABLE | HD_SRV6_ARG_TABLE4 | HD_SRV6_ARG_TABLE6)) != 0)
		sid_table(m, w, l, args);
	if ((args & HD_SRV6_ARG_NEXTHOP) != 0) {
		bool v4 = w->sid->behavior == HD_SRV6_END_DX4;
		if (v4 ? l->has_nh4 : l->has_nh6)
			sid_next_hop(m, w, leg, v4 ? AF_INET : AF_INET6, v4 ? l->nh4 : l->nh6);
		else
			refuse(w, "no next hop");
	}
	if ((args & HD_SRV6_ARG_POLICY) != 0) {
		w->dpo = policy_dpo(m, w, &l->srh, HD_SRV6_H_ENCAPS);
		w->sid->target = HD_TARGET_POLICY;
		w->sid->target_id = w->dpo != NULL ? w->dpo->id : 0;
	}
	if ((args & HD_SRV6_ARG_IFACE) != 0) {
		if (l->oif == 0)
			refuse(w, "no outgoing interface (oif)");
		else
			w->sid->iface = iface_on(m, w, l->oif);
	}
}

static void seg6local_resolve(struct mirror *m, struct way *w, const struct nl_leg *leg)
{
	const struct nl_seg6local *l = &leg->u.local;
	char flavors[HD_SRV6_FLAVORS_STR_MAX];
	uint16_t behavior = HD_SRV6_NONE, flv;
	const char *name = NULL;

	for (size_t i = 0; i < sizeof(action_map) / sizeof(action_map[0]); i++)
		if (action_map[i].action == l->action) {
			behavior = action_map[i].behavior;
			name = action_map[i].name;
		}
	if (behavior == HD_SRV6_NONE) {
		if (name != NULL)
			refuse(w, "seg6local action %s is not carried", name);
		else
			refuse(w, "seg6local action %u is not known", l->action);
		return;
	}
	if (l->unknown || !flavors_map(l->flavors, &flv)) {
		refuse(w, "a seg6local attribute or flavor this version does not know");
		return;
	}
	if (hd_srv6_codepoint(behavior, flv) == 0) {
		refuse(w, "%s does not exist with flavors %s (RFC 8986 section 4.16, RFC 9800)",
		       hd_srv6_behavior_name(behavior), hd_srv6_flavors_str(flv, flavors));
		return;
	}
	w->sid = calloc(1, sizeof(*w->sid));
	if (w->sid == NULL) {
		refuse(w, "out of memory");
		return;
	}
	w->sid->behavior = behavior;
	w->sid->flavors = flv;
	w->sid->upper_allow = HD_SRV6_UPPER_ICMP6;
	if ((flv & HD_SRV6_FLAVOR_NEXT_CSID) != 0) {
		w->sid->lb_len = l->lcblock;
		w->sid->ln_len = l->lcnode;
		w->sid->arg_len = (uint8_t)(128 - l->lcblock - l->lcnode);
	}
	sid_arguments(m, w, leg);
}

/* --- ways ------------------------------------------------------------------------------------ */

static void leg_resolve(struct mirror *m, struct way *w, const struct nl_leg *leg)
{
	switch (leg->encap) {
	case NL_ENCAP_NONE:
		w->target = HD_TARGET_NEXTHOP;
		w->dpo = leg_dpo(m, w, leg);
		break;
	case NL_ENCAP_SEG6:
		seg6_resolve(m, w, &leg->u.seg6);
		break;
	case NL_ENCAP_SEG6LOCAL:
		seg6local_resolve(m, w, leg);
		break;
	default:
		refuse(w, "encapsulation %u (%s) is not carried", leg->encap_type,
		       leg->encap_type == LWTUNNEL_ENCAP_MPLS ? "MPLS" :
		       leg->encap_type == LWTUNNEL_ENCAP_IP   ? "IP tunnel" :
		       leg->encap_type == LWTUNNEL_ENCAP_BPF  ? "BPF" :
								"lightweight tunnel");
	}
}

static void group_resolve(struct mirror *m, struct way *w, const struct nl_nexthop *g)
{
	struct nl_leg *leg = calloc(NL_LEGS_MAX, sizeof(*leg));
	uint16_t weight[NL_LEGS_MAX];
	uint32_t k = 0;

	for (uint32_t i = 0; leg != NULL && i < g->n_group; i++) {
		const struct knexthop *n = model_nexthop(m, g->group[i].id);
		if (n == NULL || n->n.n_group != 0) {
			refuse(w, "next-hop object %u of group %u is not known", g->group[i].id,
			       g->id);
			break;
		}
		if (n->n.blackhole)
			refuse(w, "a blackhole as member of a group");
		leg[k] = n->n.leg;
		weight[k++] = g->group[i].weight;
	}
	if (leg == NULL)
		refuse(w, "out of memory");
	else if (w->reason == NULL)
		legs_resolve(m, w, leg, weight, k);
	free(leg);
}

static void nexthop_resolve(struct mirror *m, struct way *w)
{
	const struct knexthop *n = model_nexthop(m, w->nh_id);

	if (n == NULL)
		refuse(w, "next-hop object %u is not known", w->nh_id);
	else if (n->n.fdb)
		refuse(w, "next-hop object %u is for bridges", w->nh_id);
	else if (n->n.blackhole)
		w->target = HD_TARGET_BLACKHOLE;
	else if (n->n.n_group != 0)
		group_resolve(m, w, &n->n);
	else
		leg_resolve(m, w, &n->n.leg);
}

void way_resolve(struct mirror *m, struct way *w)
{
	w->resolved = true;
	w->target = HD_TARGET_NONE;
	if (w->nh_id != 0)
		nexthop_resolve(m, w);
	else if (w->n_legs == 0)
		refuse(w, "no next hop");
	else if (w->n_legs == 1)
		leg_resolve(m, w, &w->leg[0]);
	else
		legs_resolve(m, w, w->leg, NULL, w->n_legs);
	if (w->reason != NULL) {
		dpo_unref(&m->dpos, w->dpo);
		w->dpo = NULL;
		free(w->sid);
		w->sid = NULL;
	}
}

/* --- prefixes -------------------------------------------------------------------------------- */

static void cannot(const struct mirror *m, struct wanted *w, const char *why)
{
	w->what = SENT_ROUTE;
	w->dpo = NULL;
	w->sid = NULL;
	w->why = why;
	w->target = m->conf.punt ? HD_TARGET_HOST : HD_TARGET_BLACKHOLE;
}

/* The connected route of an address comes with the address. */
static bool comes_with_address(const struct mirror *m, const struct kprefix *p,
			       const struct kroute *r)
{
	return r->protocol == RTPROT_KERNEL && r->way != NULL && r->way->n_legs == 1 &&
	       r->way->leg[0].gw_family == 0 && model_address_covers(m, r->way->leg[0].oif, p);
}

/* What the configuration says about this prefix holds. */
static bool configured(const struct mirror *m, const struct kprefix *p, uint32_t vrf_id)
{
	const struct objset *set = &running_config(m->c->running)->set;
	struct hd_api_route key = { .vrf_id = vrf_id,
				    .family = api_family(p->family),
				    .plen = p->plen };
	struct hd_api_srv6_sid sid = { .vrf_id = vrf_id, .plen = p->plen };

	memcpy(key.prefix, p->addr, 16);
	if (objset_find(set, &ip_kinds[IP_KIND_ROUTE], &key) != NULL)
		return true;
	memcpy(sid.sid, p->addr, 16);
	return p->family == AF_INET6 &&
	       objset_find(set, domains_kind(HD_API_SRV6_SID), &sid) != NULL;
}

static void route_wanted(struct mirror *m, struct kprefix *p, const struct kroute *r,
			 struct wanted *w)
{
	w->what = SENT_ROUTE;
	switch (r->type) {
	case RTN_UNICAST:
		break;
	case RTN_BLACKHOLE:
		w->target = HD_TARGET_BLACKHOLE;
		return;
	case RTN_UNREACHABLE:
		w->target = HD_TARGET_UNREACHABLE;
		return;
	case RTN_PROHIBIT:
		w->target = HD_TARGET_PROHIBIT;
		return;
	case RTN_LOCAL:
		w->target = HD_TARGET_HOST;
		return;
	default:
		cannot(m, w, "a route type (throw, nat) this data plane does not have");
		return;
	}
	if (comes_with_address(m, p, r)) {
		w->what = SENT_NONE;
		return;
	}
	if (!r->way->resolved)
		way_resolve(m, r->way);
	if (r->way->reason != NULL) {
		cannot(m, w, r->way->reason);
		return;
	}
	w->dpo = r->way->dpo;
	w->target = r->way->target;
	w->sid = r->way->sid;
	if (w->sid == NULL)
		return;
	if (p->family == AF_INET6)
		w->what = SENT_SID;
	else
		cannot(m, w, "a SID is an IPv6 address");
}

void prefix_wanted(struct mirror *m, struct kprefix *p, struct wanted *w)
{
	*w = (struct wanted){ .what = SENT_NONE };
	if (p->first == NULL || !conf_vrf(m, p->table, &w->vrf_id) ||
	    (!m->ignore_config && configured(m, p, w->vrf_id)))
		return;
	w->protocol = p->first->protocol;
	for (const struct kroute *r = p->first; r != NULL; r = r->next)
		if (r->tos != 0 || r->src_specific) {
			cannot(m, w,
			       r->tos != 0 ? "a route for one TOS only" :
					     "a route for some sources only");
			return;
		}
	route_wanted(m, p, p->first, w);
	if (w->why == NULL && p->refused != NULL)
		cannot(m, w, p->refused);
}
