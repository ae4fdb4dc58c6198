/* SPDX-License-Identifier: BSD-3-Clause
 * Headend: heddle-srv6 -> SRV6_CONF, SRV6_SEGLIST and SRV6_POLICY. */
#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/ip/ip.h"
#include "ctrl/srv6/bsid.h"
#include "ctrl/srv6/path.h"
#include "ctrl/srv6/srv6_private.h"
#include "heddle/api/ip.h"
#include "heddle/api/srv6.h"
#include "heddle/srv6_behavior.h"

void srv6_describe_conf(const void *body, char *buf, size_t size)
{
	const struct hd_api_srv6_conf *c = body;
	char text[INET6_ADDRSTRLEN];

	snprintf(buf, size, "source %s hop-limit %u",
		 ip_text(6, c->encap_source, text, sizeof(text)), c->encap_hop_limit);
}

void srv6_describe_seglist(const void *body, char *buf, size_t size)
{
	const struct hd_api_srv6_seglist *l = body;
	char text[INET6_ADDRSTRLEN];
	int n = snprintf(buf, size, "%u:", l->seglist_id);

	for (uint32_t i = 0; i < l->n_segs && i < HD_SRV6_SEGS_MAX && n > 0 && (size_t)n < size;
	     i++)
		n += snprintf(buf + n, size - (size_t)n, " %s",
			      ip_text(6, l->seg[i], text, sizeof(text)));
}

void srv6_describe_policy(const void *body, char *buf, size_t size)
{
	const struct hd_api_srv6_policy *p = body;
	int n = snprintf(buf, size, "%.31s (%u):", p->name, p->policy_id);

	for (uint32_t i = 0; i < p->n_lists && i < HD_SRV6_LISTS_MAX && n > 0 && (size_t)n < size;
	     i++)
		n += snprintf(buf + n, size - (size_t)n, " list %u*%u", p->list[i].seglist_id,
			      p->list[i].weight);
}

/* What is known about policies while a configuration is compiled: asked for by every route. */
struct srv6_memo {
	struct srv6_bsids *bsids;  /* NULL: not read yet */
	struct by_color *by_color; /* sorted; NULL: not made yet */
	size_t n_by_color;
	uint8_t *usable; /* by policy_id: 0 not known yet, or enum usable */
	uint32_t n_usable;
};
enum usable { USABLE = 1, NOT_USABLE };

struct by_color {
	uint32_t color;
	uint8_t family;
	uint8_t endpoint[16];
	const char *name;
};

static struct srv6_memo *memo(struct compile *c)
{
	if (c->srv6 == NULL)
		c->srv6 = calloc(1, sizeof(*c->srv6));
	return c->srv6;
}

void srv6_compile_end(struct compile *c)
{
	if (c->srv6 == NULL)
		return;
	srv6_bsids_free(c->srv6->bsids);
	free(c->srv6->by_color);
	free(c->srv6->usable);
	free(c->srv6);
	c->srv6 = NULL;
}

/* NULL: out of memory. */
static const struct srv6_bsids *bsids(struct compile *c)
{
	struct srv6_memo *m = memo(c);

	if (m != NULL && m->bsids == NULL)
		m->bsids = srv6_bsids_read(c->tree);
	return m != NULL ? m->bsids : NULL;
}

static int read_paths(struct compile *c, const struct lyd_node *node, const uint8_t *extra,
		      struct srv6_paths *ret)
{
	struct srv6_read r = {
		.tree = c->tree, .ids = c->ids, .give = true, .extra = extra, .bsids = bsids(c)
	};
	int rc = r.bsids != NULL ? srv6_paths_read(&r, node, ret) : -ENOMEM;

	if (rc == -ENOMEM)
		return compile_fail(c, node, "out of memory");
	return rc < 0 ? compile_fail(c, r.bad, "%s", r.why) : 0;
}

/* Does the policy stay in the forwarding plane: is it valid, or to drop (RFC 9256 sections 8.1, 8.2)? */
static int policy_usable(struct compile *c, const struct lyd_node *policy, uint32_t id, bool *ret)
{
	struct srv6_memo *m = memo(c);
	struct srv6_paths paths;

	if (m != NULL && id < m->n_usable && m->usable[id] != 0) {
		*ret = m->usable[id] == USABLE;
		return 0;
	}
	int rc = read_paths(c, policy, NULL, &paths);
	if (rc < 0)
		return rc;
	*ret = paths.active != NULL || cfg_bool(policy, "drop-upon-invalid", false);
	srv6_paths_free(&paths);
	if (m != NULL && id >= m->n_usable) {
		uint8_t *more = realloc(m->usable, id + 1024);
		if (more == NULL)
			return 0;
		memset(more + m->n_usable, 0, id + 1024 - m->n_usable);
		m->usable = more;
		m->n_usable = id + 1024;
	}
	if (m != NULL)
		m->usable[id] = *ret ? USABLE : NOT_USABLE;
	return 0;
}

static int find_policy(struct compile *c, const char *name, const struct lyd_node *at,
		       const struct lyd_node **ret, uint32_t *ret_id)
{
	bool usable = false;

	*ret = srv6_policy_node(c->tree, name);
	if (*ret == NULL)
		return compile_fail(c, at, "there is no SR policy '%s'", name);
	*ret_id = ids_get(c->ids, ID_POLICY, name); /* also of an invalid one: it may come back */
	if (*ret_id == 0)
		return compile_fail(c, at, "out of memory");
	int rc = policy_usable(c, *ret, *ret_id, &usable);
	if (!usable)
		*ret_id = 0;
	return rc;
}

static bool is_l2(const struct lyd_node *policy)
{
	return cfg_enum(policy, "encapsulation", HD_SRV6_H_ENCAPS_RED) >= HD_SRV6_H_ENCAPS_L2;
}

int srv6_policy(struct compile *c, const char *name, const struct lyd_node *at, uint32_t *ret_id)
{
	const struct lyd_node *policy;
	int rc = find_policy(c, name, at, &policy, ret_id);

	if (rc == 0 && is_l2(policy))
		return compile_fail(c, at, "policy '%s' is one for Ethernet frames", name);
	return rc;
}

int srv6_any_policy(struct compile *c, const char *name, const struct lyd_node *at,
		    uint32_t *ret_id)
{
	const struct lyd_node *policy;

	return find_policy(c, name, at, &policy, ret_id);
}

int srv6_l2_policy(struct compile *c, const char *name, const struct lyd_node *at, uint32_t *ret_id)
{
	const struct lyd_node *policy;
	int rc = find_policy(c, name, at, &policy, ret_id);

	if (rc == 0 && !is_l2(policy))
		return compile_fail(
			c, at,
			"policy '%s' is one for IP packets; its encapsulation would have to be "
			"h-encaps-l2 or h-encaps-l2-red",
			name);
	return rc;
}

/* --- steering by color ----------------------------------------------------------------------- */

static int by_color_cmp(const void *va, const void *vb)
{
	const struct by_color *a = va, *b = vb;

	if (a->color != b->color)
		return a->color < b->color ? -1 : 1;
	if (a->family != b->family)
		return a->family - b->family;
	return memcmp(a->endpoint, b->endpoint, 16);
}

static void list_by_color(struct compile *c, struct srv6_memo *m)
{
	const struct lyd_node *srv6 = cfg_top(c->tree, "srv6");
	size_t n = 0;

	cfg_foreach(p, srv6, "policy") n++;
	m->by_color = calloc(n + 1, sizeof(*m->by_color));
	cfg_foreach(p, srv6, "policy")
	{
		struct by_color *b;
		if (m->by_color == NULL || cfg_child(p, "color") == NULL || is_l2(p))
			continue;
		b = &m->by_color[m->n_by_color++];
		b->color = cfg_u32(p, "color", 0);
		b->family = cfg_addr(cfg_str(p, "endpoint"), b->endpoint);
		b->name = cfg_str(p, "name");
	}
	if (m->n_by_color > 1)
		qsort(m->by_color, m->n_by_color, sizeof(*m->by_color), by_color_cmp);
}

/* The first usable policy of this color whose endpoint fits. */
static int by_color_find(struct compile *c, const struct lyd_node *at, uint32_t color,
			 uint8_t family, const uint8_t *endpoint, const char **ret_name,
			 uint32_t *ret_id)
{
	struct srv6_memo *m = memo(c);
	size_t lo = 0, hi;

	*ret_id = 0;
	if (m == NULL)
		return compile_fail(c, at, "out of memory");
	if (m->by_color == NULL)
		list_by_color(c, m);
	for (hi = m->n_by_color; lo < hi;) {
		size_t mid = (lo + hi) / 2;
		if (m->by_color[mid].color < color)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < m->n_by_color && m->by_color[lo].color == color && *ret_id == 0; lo++) {
		const struct by_color *b = &m->by_color[lo];
		if ((family != 0 && b->family != family) ||
		    (endpoint != NULL && memcmp(b->endpoint, endpoint, 16) != 0))
			continue;
		int rc = srv6_policy(c, b->name, at, ret_id);
		if (rc < 0)
			return rc;
		*ret_name = b->name;
	}
	return 0;
}

int srv6_policy_by_color(struct compile *c, const struct lyd_node *at, uint32_t color,
			 uint8_t family, const uint8_t *endpoint, unsigned color_only,
			 const char **ret_name, uint32_t *ret_id)
{
	static const uint8_t null_endpoint[16];
	/* RFC 9256 section 8.8.1, in this order */
	const struct {
		unsigned from; /* color-only type */
		uint8_t family;
		const uint8_t *endpoint;
	} step[] = {
		{ 0, family, endpoint }, { 1, family, null_endpoint },
		{ 1, 0, null_endpoint }, { 2, family, NULL },
		{ 2, 0, NULL },
	};
	int rc = 0;

	*ret_id = 0;
	for (size_t i = 0; rc == 0 && *ret_id == 0 && i < sizeof(step) / sizeof(step[0]); i++)
		if (color_only >= step[i].from)
			rc = by_color_find(c, at, color, step[i].family, step[i].endpoint, ret_name,
					   ret_id);
	return rc;
}

/* --- SRV6_CONF ------------------------------------------------------------------------------- */

/* hop-limit, traffic-class and flow-label of a node of grouping treatment. */
static void read_treatment(const struct lyd_node *node, struct hd_api_srv6_treatment *t)
{
	const char *hop = cfg_str(node, "hop-limit"), *tclass = cfg_str(node, "traffic-class"),
		   *label = cfg_str(node, "flow-label");

	if (hop != NULL) {
		t->set |= HD_SRV6_TREAT_HOP;
		if (strcmp(hop, "copy") == 0)
			t->hop_mode = HD_SRV6_HOP_INNER;
		else
			t->hop_limit = (uint8_t)cfg_u32(node, "hop-limit", 64);
	}
	if (tclass != NULL) {
		t->set |= HD_SRV6_TREAT_TCLASS;
		if (strcmp(tclass, "copy") != 0) {
			t->tclass_mode = HD_SRV6_TCLASS_FIXED;
			t->tclass = (uint8_t)cfg_u32(node, "traffic-class", 0);
		}
	}
	if (label != NULL) {
		t->set |= HD_SRV6_TREAT_LABEL;
		if (strcmp(label, "copy") == 0) {
			t->label_mode = HD_SRV6_LABEL_INNER;
		} else if (strcmp(label, "computed") != 0) {
			t->label_mode = HD_SRV6_LABEL_FIXED;
			t->label = cfg_u32(node, "flow-label", 0);
		}
	}
}

static int compile_conf(struct compile *c, const struct lyd_node *srv6)
{
	const struct lyd_node *encap = cfg_child(srv6, "encapsulation"),
			      *decap = cfg_child(srv6, "decapsulation");
	const char *source = cfg_str(encap, "source-address");
	struct hd_api_srv6_conf conf = { .encap_hop_limit = 64 };
	struct hd_api_srv6_treatment t = { .hop_limit = 64 };

	if (source != NULL &&
	    !ip_is_unicast(cfg_addr(source, conf.encap_source), conf.encap_source))
		return compile_fail(c, cfg_child(encap, "source-address"),
				    "%s is not a unicast address", source);
	read_treatment(encap, &t);
	conf.encap_hop_limit = t.hop_limit;
	conf.hop_mode = t.hop_mode;
	conf.tclass_mode = t.tclass_mode;
	conf.tclass = t.tclass;
	conf.label_mode = t.label_mode;
	conf.label = t.label;
	if (cfg_enum(decap, "dscp", 0) == 1)
		conf.flags |= HD_SRV6_CONF_F_DECAP_DSCP;
	if (cfg_enum(decap, "hop-limit", 0) == 1)
		conf.flags |= HD_SRV6_CONF_F_DECAP_HOP;
	return compile_add(c, &srv6_kinds[SRV6_KIND_CONF], &conf, sizeof(conf), encap);
}

/* --- SRV6_SEGLIST, SRV6_POLICY --------------------------------------------------------------- */

static int add_seglist(struct compile *c, const struct srv6_list *l, uint32_t vrf_id)
{
	struct hd_api_srv6_seglist list = { .seglist_id = l->seglist_id,
					    .n_segs = l->n_out,
					    .vrf_id = vrf_id };

	if (l->n_out == 0)
		return 0;
	if (l->seglist_id == 0)
		return compile_fail(c, l->node, "out of memory");
	memcpy(list.seg, l->out, l->n_out * sizeof(list.seg[0]));
	return compile_add(c, &srv6_kinds[SRV6_KIND_SEGLIST], &list,
			   vrf_id != 0 ? sizeof(list) :
					 offsetof(struct hd_api_srv6_seglist, seg) +
						 l->n_out * sizeof(list.seg[0]),
			   l->node);
}

/* The lists of all paths, so that the data plane watches their first segments and a change of the active path is one
 * message; lists of a composite path are those of its constituents. */
static int add_seglists(struct compile *c, const struct srv6_paths *p, uint32_t vrf_id,
			bool composite_too)
{
	int rc = 0;

	for (unsigned i = 0; i < p->n; i++)
		for (unsigned k = 0; rc == 0 && k < p->path[i].n_lists; k++)
			if (!p->path[i].composite || composite_too)
				rc = add_seglist(c, &p->path[i].list[k], vrf_id);
	return rc;
}

static int fill_policy(struct compile *c, const struct lyd_node *node,
		       struct hd_api_srv6_policy *policy)
{
	const struct lyd_node *encap = cfg_child(cfg_top(c->tree, "srv6"), "encapsulation");
	const char *source = cfg_str(node, "source-address");

	snprintf(policy->name, sizeof(policy->name), "%s", cfg_str(node, "name"));
	if (source == NULL && cfg_child(encap, "source-address") == NULL)
		return compile_fail(
			c, node,
			"no source address: give 'source-address' here or under 'encapsulation'");
	if (source != NULL && !ip_is_unicast(cfg_addr(source, policy->source), policy->source))
		return compile_fail(c, cfg_child(node, "source-address"),
				    "%s is not a unicast address", source);
	policy->vrf_id = ip_vrf(c, cfg_str(node, "vrf"));
	policy->encap = (uint8_t)cfg_enum(node, "encapsulation", HD_SRV6_H_ENCAPS_RED);
	policy->hmac_key_id = cfg_u32(node, "hmac-key", 0);
	read_treatment(node, &policy->treatment);
	return 0;
}

/* Octets of the message: without a treatment of its own it ends behind the last list. */
static size_t policy_size(const struct hd_api_srv6_policy *p)
{
	return p->treatment.set != 0 || p->hmac_key_id != 0 ?
		       sizeof(*p) :
		       offsetof(struct hd_api_srv6_policy, list) + p->n_lists * sizeof(p->list[0]);
}

/* The message of a policy with the valid lists of its active path. */
static int add_policy(struct compile *c, const struct lyd_node *node,
		      const struct srv6_path *active, struct hd_api_srv6_policy *policy)
{
	for (unsigned i = 0; active != NULL && i < active->n_lists; i++)
		if (active->list[i].valid)
			policy->list[policy->n_lists++] =
				(struct hd_api_srv6_policy_list){ active->list[i].seglist_id,
								  active->list[i].weight };
	return compile_add(c, &srv6_kinds[SRV6_KIND_POLICY], policy, policy_size(policy), node);
}

/* The binding SID of a policy that stays in the forwarding plane (RFC 9256 sections 6.3, 8.3); the function of one that
 * is bound from a locator is kept while the policy is configured. */
static int add_binding_sid(struct compile *c, const struct lyd_node *node,
			   const struct srv6_paths *paths, uint32_t policy_id)
{
	struct hd_api_srv6_sid sid = { .plen = 128,
				       .target = HD_TARGET_POLICY,
				       .target_id = policy_id,
				       .upper_allow = HD_SRV6_UPPER_ICMP6 };
	const struct lyd_node *at = cfg_child(node, "binding-sid-locator");
	char key[96], text[INET6_ADDRSTRLEN];
	struct srv6_bsid bsid;
	int rc = 0;

	srv6_bsid_choose(bsids(c), node, paths, &bsid);
	if (bsid.leaf == NULL && bsid.locator == NULL)
		return 0;
	if (bsid.leaf != NULL)
		cfg_addr(lyd_get_value(at = bsid.leaf), sid.sid);
	else
		rc = srv6_sid_allocate(c, bsid.locator, at,
				       srv6_bsid_key(node, bsid.locator, key, sizeof(key)),
				       sid.sid);
	if (rc < 0 || policy_id == 0)
		return rc;
	if (is_l2(node))
		return compile_fail(c, at, "a policy for Ethernet frames has no binding SID");
	sid.behavior = cfg_enum(node, "encapsulation", HD_SRV6_H_ENCAPS_RED) == HD_SRV6_H_ENCAPS ?
			       HD_SRV6_END_B6_ENCAPS :
			       HD_SRV6_END_B6_ENCAPS_RED;
	snprintf(key, sizeof(key), "%s/128", ip_text(6, sid.sid, text, sizeof(text)));
	sid.sid_id = ids_get(c->ids, ID_SID, key);
	return compile_add(c, &srv6_kinds[SRV6_KIND_SID], &sid, sizeof(sid), at);
}

static int compile_policy(struct compile *c, const struct lyd_node *node)
{
	struct hd_api_srv6_policy policy = { 0 };
	const char *name = cfg_str(node, "name");
	const struct lyd_node *same;
	struct srv6_paths paths;
	int rc = find_policy(c, name, node, &same, &policy.policy_id);

	if (rc == 0)
		rc = fill_policy(c, node, &policy);
	if (rc == 0)
		rc = read_paths(c, node, NULL, &paths);
	if (rc < 0)
		return rc;
	rc = add_seglists(c, &paths, policy.vrf_id, false);
	if (rc == 0 && policy.policy_id != 0)
		rc = add_policy(c, node, paths.active, &policy);
	if (rc == 0)
		rc = add_binding_sid(c, node, &paths, policy.policy_id);
	srv6_paths_free(&paths);
	return rc;
}

int srv6_policy_service(struct compile *c, const char *name, const struct lyd_node *at,
			const uint8_t sid[16], uint32_t *ret_id)
{
	struct hd_api_srv6_policy policy = { 0 };
	char text[INET6_ADDRSTRLEN], key[96];
	const struct lyd_node *node;
	struct srv6_paths paths;
	int rc = find_policy(c, name, at, &node, ret_id);

	if (rc < 0 || *ret_id == 0)
		return rc;
	snprintf(key, sizeof(key), "%s %s", name, ip_text(6, sid, text, sizeof(text)));
	policy.policy_id = ids_used(c->ids, ID_POLICY, key);
	if (policy.policy_id != 0) { /* another route has it too */
		*ret_id = policy.policy_id;
		return 0;
	}
	policy.policy_id = ids_get(c->ids, ID_POLICY, key);
	if (policy.policy_id == 0)
		return compile_fail(c, at, "out of memory");
	*ret_id = policy.policy_id;
	rc = fill_policy(c, node, &policy);
	if (rc == 0)
		rc = read_paths(c, node, sid, &paths);
	if (rc < 0)
		return rc;
	rc = add_seglists(c, &paths, policy.vrf_id, true);
	if (rc == 0)
		rc = add_policy(c, node, paths.active, &policy);
	srv6_paths_free(&paths);
	return rc;
}

int srv6_policy_encap(struct compile *c, const char *name, const struct lyd_node *at, uint8_t encap,
		      uint32_t *ret_id)
{
	struct hd_api_srv6_policy p = { 0 };
	char own[HD_API_NAME_MAX + 8];
	uint32_t id;
	int rc = srv6_policy(c, name, at, &id);

	*ret_id = id;
	if (rc < 0 || id == 0)
		return rc;
	for (size_t i = 0; i < c->set->n; i++) {
		const struct object *o = &c->set->obj[i];
		if (o->kind == &srv6_kinds[SRV6_KIND_POLICY] &&
		    memcmp(o->body, &id, sizeof(id)) == 0) {
			memcpy(&p, o->body, o->size);
			break;
		}
	}
	if (p.encap == encap)
		return 0;
	snprintf(own, sizeof(own), "%s %u", name, encap); /* no name of a policy has a space */
	p.policy_id = *ret_id = ids_get(c->ids, ID_POLICY, own);
	p.encap = encap;
	return compile_add(c, &srv6_kinds[SRV6_KIND_POLICY], &p, policy_size(&p), at);
}

int srv6_compile_policies(struct compile *c, const struct lyd_node *srv6)
{
	bool have_source = cfg_child(cfg_child(srv6, "encapsulation"), "source-address") != NULL;
	int rc = 0;

	if (have_source || cfg_child(srv6, "policy") != NULL || cfg_child(srv6, "sid") != NULL)
		rc = compile_conf(c, srv6);
	cfg_foreach(policy, srv6, "policy") if (rc == 0) rc = compile_policy(c, policy);
	return rc;
}
