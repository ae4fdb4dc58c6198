/* SPDX-License-Identifier: BSD-3-Clause
 * Steering and the edge of the SR domain: heddle-srv6 -> SRV6_DOMAIN, SRV6_RULE and SRV6_INGRESS. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/ip/ip.h"
#include "ctrl/l2/l2.h"
#include "ctrl/srv6/srv6_private.h"
#include "heddle/api/l2.h"
#include "heddle/api/srv6.h"

void srv6_describe_domain(const void *body, char *buf, size_t size)
{
	const struct hd_api_srv6_domain *d = body;

	snprintf(buf, size, "%u prefixes", d->n_prefixes);
}

void srv6_describe_rule(const void *body, char *buf, size_t size)
{
	const struct hd_api_srv6_rule *r = body;
	char text[200];

	snprintf(buf, size, "classifier %u rule %u ipv%u: %s", r->acl_id, r->seq, r->family,
		 srv6_rule_text(r, text, sizeof(text)));
}

void srv6_describe_ingress(const void *body, char *buf, size_t size)
{
	const struct hd_api_srv6_ingress *i = body;

	snprintf(buf, size, "interface %u: classifier %u, policies %u and %u, flags %#x",
		 i->iface_id, i->acl_id, i->policy4_id, i->policy6_id, i->flags);
}

/* " from 10.0.0.0/8" */
static size_t prefix_text(char *buf, size_t size, const char *word, uint32_t family,
			  const uint8_t *addr, uint8_t plen)
{
	char text[48];

	if (plen == 0)
		return 0;
	return (size_t)snprintf(buf, size, " %s %s/%u", word,
				ip_text((uint8_t)family, addr, text, sizeof(text)), plen);
}

static size_t port_text(char *buf, size_t size, const char *word, uint16_t lo, uint16_t hi)
{
	if (lo == 0 && hi == UINT16_MAX)
		return 0;
	return lo == hi ? (size_t)snprintf(buf, size, " %s %u", word, lo) :
			  (size_t)snprintf(buf, size, " %s %u-%u", word, lo, hi);
}

const char *srv6_rule_text(const struct hd_api_srv6_rule *r, char *buf, size_t size)
{
	char text[200];
	size_t n = 0;

	text[0] = '\0';
	n += prefix_text(text + n, sizeof(text) - n, "from", r->family, r->src, r->src_plen);
	n += prefix_text(text + n, sizeof(text) - n, "to", r->family, r->dst, r->dst_plen);
	if ((r->flags & HD_SRV6_RULE_F_PROTO) != 0)
		n += (size_t)snprintf(text + n, sizeof(text) - n, " protocol %u", r->proto);
	n += port_text(text + n, sizeof(text) - n, "source-port", r->sport_lo, r->sport_hi);
	n += port_text(text + n, sizeof(text) - n, "destination-port", r->dport_lo, r->dport_hi);
	if ((r->flags & HD_SRV6_RULE_F_DSCP) != 0)
		snprintf(text + n, sizeof(text) - n, " dscp %u", r->dscp);
	snprintf(buf, size, "%s", text[0] != '\0' ? text + 1 : "any");
	return buf;
}

/* --- the domain ------------------------------------------------------------------------------ */

static int domain_add(struct compile *c, struct hd_api_srv6_domain *d, unsigned kind,
		      const char *prefix, const struct lyd_node *at)
{
	struct hd_api_srv6_domain_prefix *p = &d->prefix[d->n_prefixes];

	if (d->n_prefixes == HD_SRV6_DOMAIN_MAX)
		return compile_fail(c, at,
				    "more than %u prefixes of the SR domain, locators included",
				    HD_SRV6_DOMAIN_MAX);
	p->kind = (uint8_t)kind;
	if (cfg_prefix(prefix, p->prefix, &p->plen) != 6)
		return compile_fail(c, at, "%s is not an IPv6 prefix", prefix);
	d->n_prefixes++;
	return 0;
}

static int compile_domain(struct compile *c, const struct lyd_node *srv6)
{
	const struct lyd_node *domain = cfg_child(srv6, "domain");
	const char *source = cfg_str(cfg_child(srv6, "encapsulation"), "source-address");
	struct hd_api_srv6_domain d = { 0 };
	char whole[64];
	int rc = 0;

	cfg_foreach(p, domain, "sid-prefix") if (rc == 0)
		rc = domain_add(c, &d, HD_SRV6_DOMAIN_SIDS, lyd_get_value(p), p);
	cfg_foreach(p, domain, "source-prefix") if (rc == 0)
		rc = domain_add(c, &d, HD_SRV6_DOMAIN_SOURCE, lyd_get_value(p), p);
	cfg_foreach(l, srv6, "locator") if (rc == 0)
		rc = domain_add(c, &d, HD_SRV6_DOMAIN_OWN, cfg_str(l, "prefix"), l);
	snprintf(whole, sizeof(whole), "%s/128", source != NULL ? source : "");
	if (rc == 0 && source != NULL)
		rc = domain_add(c, &d, HD_SRV6_DOMAIN_SOURCE, whole, domain);
	return rc < 0 ? rc :
			compile_add(c, &srv6_kinds[SRV6_KIND_DOMAIN], &d,
				    offsetof(struct hd_api_srv6_domain, prefix) +
					    d.n_prefixes * sizeof(d.prefix[0]),
				    srv6);
}

/* --- classifiers ----------------------------------------------------------------------------- */

static int read_ports(struct compile *c, const struct lyd_node *node, const char *leaf,
		      uint16_t *ret_lo, uint16_t *ret_hi)
{
	const char *text = cfg_str(node, leaf);
	unsigned long lo = 0, hi = UINT16_MAX;
	char *end;

	if (text != NULL) {
		lo = strtoul(text, &end, 10);
		hi = *end == '-' ? strtoul(end + 1, NULL, 10) : lo;
	}
	if (lo > hi || hi > UINT16_MAX)
		return compile_fail(c, cfg_child(node, leaf),
				    "%s is no port and no range of ports from 0 to 65535", text);
	*ret_lo = (uint16_t)lo;
	*ret_hi = (uint16_t)hi;
	return 0;
}

static int read_prefix(struct compile *c, const struct lyd_node *node, const char *leaf,
		       uint8_t *family, uint8_t prefix[16], uint8_t *plen)
{
	const char *text = cfg_str(node, leaf);
	uint8_t of;

	if (text == NULL)
		return 0;
	of = cfg_prefix(text, prefix, plen);
	if (of == 0)
		return compile_fail(c, cfg_child(node, leaf), "%s is not a prefix", text);
	if (*family != 0 && *family != of)
		return compile_fail(c, cfg_child(node, leaf),
				    "%s is not IPv%u as the rest of the rule", text, *family);
	*family = of;
	return 0;
}

static void read_protocol(const struct lyd_node *node, struct hd_api_srv6_rule *r)
{
	static const struct {
		const char *name;
		uint8_t number;
	} names[] = { { "tcp", 6 }, { "udp", 17 }, { "sctp", 132 }, { "icmp", 1 }, { "icmp6", 58 } };
	const char *text = cfg_str(node, "protocol");

	if (text == NULL)
		return;
	r->flags |= HD_SRV6_RULE_F_PROTO;
	r->proto = (uint8_t)strtoul(text, NULL, 10);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i].name) == 0)
			r->proto = names[i].number;
}

static int read_rule(struct compile *c, const struct lyd_node *node, struct hd_api_srv6_rule *r,
		     uint8_t *family)
{
	int rc;

	*family = (uint8_t)cfg_enum(node, "family", 0);
	r->seq = cfg_u32(node, "number", 0);
	rc = read_prefix(c, node, "source", family, r->src, &r->src_plen);
	if (rc == 0)
		rc = read_prefix(c, node, "destination", family, r->dst, &r->dst_plen);
	if (rc == 0)
		rc = read_ports(c, node, "source-port", &r->sport_lo, &r->sport_hi);
	if (rc == 0)
		rc = read_ports(c, node, "destination-port", &r->dport_lo, &r->dport_hi);
	if (rc < 0)
		return rc;
	read_protocol(node, r);
	if (cfg_child(node, "dscp") != NULL) {
		r->flags |= HD_SRV6_RULE_F_DSCP;
		r->dscp = (uint8_t)cfg_u32(node, "dscp", 0);
	}
	if (cfg_child(node, "policy") != NULL) {
		r->action = HD_SRV6_RULE_STEER;
		return srv6_policy(c, cfg_str(node, "policy"), cfg_child(node, "policy"),
				   &r->policy_id);
	}
	r->action = (uint32_t)cfg_enum(node, "action", HD_SRV6_RULE_PASS);
	return 0;
}

static int compile_rule(struct compile *c, const struct lyd_node *node, const char *classifier,
			uint32_t acl_id)
{
	struct hd_api_srv6_rule r = { .acl_id = acl_id };
	char name[64];
	uint8_t family;
	int rc = read_rule(c, node, &r, &family);

	if (rc < 0 || (r.action == HD_SRV6_RULE_STEER && r.policy_id == 0))
		return rc; /* its policy has left the forwarding plane, and the rule with it */
	for (uint32_t f = 4; rc == 0 && f <= 6; f += 2) {
		if (family != 0 && family != f)
			continue;
		r.family = f;
		snprintf(name, sizeof(name), "%s %u %u", classifier, r.seq, f);
		r.rule_id = ids_get(c->ids, ID_RULE, name);
		rc = r.rule_id == 0 ?
			     compile_fail(c, node, "out of memory") :
			     compile_add(c, &srv6_kinds[SRV6_KIND_RULE], &r, sizeof(r), node);
	}
	return rc;
}

/* --- interfaces ------------------------------------------------------------------------------ */

static bool is_ingress(const struct lyd_node *node)
{
	return cfg_child(node, "sr-domain") != NULL || cfg_child(node, "classifier") != NULL ||
	       cfg_child(node, "policy") != NULL;
}

static int compile_ingress(struct compile *c, const struct lyd_node *srv6,
			   const struct lyd_node *node)
{
	struct hd_api_srv6_ingress in = { .flags = (uint32_t)cfg_enum(node, "sr-domain", 0) };
	const char *classifier = cfg_str(node, "classifier"), *policy = cfg_str(node, "policy");
	char path[128];
	struct lyd_node *found;
	int rc = 0;

	in.iface_id = l2_interface(c, cfg_str(node, "name"), node);
	if (in.iface_id == 0)
		return -EINVAL;
	if (cfg_child(node, "l2-policy") != NULL && is_ingress(node))
		return compile_fail(c, cfg_child(node, "l2-policy"),
				    "all frames go into the policy: nothing is left for "
				    "'sr-domain', 'classifier' and 'policy'");
	if (!is_ingress(node))
		return 0;
	/* RFC 8754 section 5.1: it is about the SIDs of this node, and locators say which addresses those can be */
	if ((in.flags & HD_SRV6_INGRESS_INSIDE) != 0 && cfg_child(srv6, "locator") == NULL)
		return compile_fail(c, cfg_child(node, "sr-domain"),
				    "'inside' protects the SIDs of this node's locators, and there "
				    "is no locator");
	if (classifier != NULL) {
		snprintf(path, sizeof(path), "classifier[name='%s']", classifier);
		if (lyd_find_path(srv6, path, 0, &found) != LY_SUCCESS)
			return compile_fail(c, cfg_child(node, "classifier"),
					    "there is no classifier '%s'", classifier);
		in.acl_id = ids_get(c->ids, ID_CLASSIFIER, classifier);
	}
	if (policy != NULL)
		rc = srv6_policy(c, policy, cfg_child(node, "policy"), &in.policy4_id);
	in.policy6_id = in.policy4_id;
	return rc < 0 ? rc : compile_add(c, &srv6_kinds[SRV6_KIND_INGRESS], &in, sizeof(in), node);
}

int srv6_interface(struct compile *c, const char *name, struct hd_api_iface *iface)
{
	const struct lyd_node *srv6 = cfg_top(c->tree, "srv6");
	struct lyd_node *node;
	char path[128];

	int rc = srv6_service_interface(c, name, iface);

	if (rc < 0)
		return rc;
	snprintf(path, sizeof(path), "interface[name='%s']", name);
	if (srv6 == NULL || lyd_find_path(srv6, path, 0, &node) != LY_SUCCESS)
		return 0;
	if (is_ingress(node))
		iface->flags |= HD_IFACE_F_INGRESS;
	if (cfg_child(node, "l2-policy") == NULL)
		return 0;
	return srv6_l2_policy(c, cfg_str(node, "l2-policy"), cfg_child(node, "l2-policy"),
			      &iface->l2_policy_id);
}

int srv6_compile_steering(struct compile *c, const struct lyd_node *srv6)
{
	bool edge = false;
	int rc = 0;

	cfg_foreach(cl, srv6, "classifier")
	{
		const char *name = cfg_str(cl, "name");
		uint32_t id = ids_get(c->ids, ID_CLASSIFIER, name);
		if (id >= HD_SRV6_ACLS_MAX)
			return compile_fail(c, cl, "more than %u classifiers",
					    HD_SRV6_ACLS_MAX - 1);
		cfg_foreach(rule, cl, "rule") if (rc == 0) rc = compile_rule(c, rule, name, id);
	}
	cfg_foreach(i, srv6, "interface") if (rc == 0)
	{
		edge |= cfg_child(i, "sr-domain") != NULL;
		rc = compile_ingress(c, srv6, i);
	}
	return rc == 0 && edge ? compile_domain(c, srv6) : rc;
}
