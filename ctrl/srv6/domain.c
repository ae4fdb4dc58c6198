/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <stdio.h>

#include "ctrl/ip/ip.h"
#include "ctrl/srv6/srv6_private.h"
#include "heddle/api/srv6.h"

static void describe_conf(const void *body, char *buf, size_t size)
{
	const struct hd_api_srv6_conf *c = body;
	char text[INET6_ADDRSTRLEN];

	snprintf(buf, size, "source %s hop-limit %u",
		 ip_text(6, c->encap_source, text, sizeof(text)), c->encap_hop_limit);
}

static void describe_seglist(const void *body, char *buf, size_t size)
{
	const struct hd_api_srv6_seglist *l = body;
	char text[INET6_ADDRSTRLEN];
	int n = snprintf(buf, size, "%u:", l->seglist_id);

	for (uint32_t i = 0; i < l->n_segs && i < HD_SRV6_SEGS_MAX && n > 0 && (size_t)n < size;
	     i++)
		n += snprintf(buf + n, size - (size_t)n, " %s",
			      ip_text(6, l->seg[i], text, sizeof(text)));
}

static void describe_policy(const void *body, char *buf, size_t size)
{
	const struct hd_api_srv6_policy *p = body;
	int n = snprintf(buf, size, "%.31s (%u):", p->name, p->policy_id);

	for (uint32_t i = 0; i < p->n_lists && i < HD_SRV6_LISTS_MAX && n > 0 && (size_t)n < size;
	     i++)
		n += snprintf(buf + n, size - (size_t)n, " list %u*%u", p->list[i].seglist_id,
			      p->list[i].weight);
}

static void describe_sid(const void *body, char *buf, size_t size)
{
	const struct hd_api_srv6_sid *s = body;
	char text[INET6_ADDRSTRLEN];

	snprintf(buf, size, "%s/%u behavior %u flavors %#x", ip_text(6, s->sid, text, sizeof(text)),
		 s->plen, s->behavior, s->flavors);
}

const struct ctrl_kind srv6_kinds[] = {
	[SRV6_KIND_CONF] = { HD_API_SRV6_CONF, 4, sizeof(struct hd_api_srv6_conf),
			     "srv6-encapsulation", describe_conf },
	[SRV6_KIND_SEGLIST] = { HD_API_SRV6_SEGLIST, 4, sizeof(struct hd_api_srv6_seglist),
				"segment-list", describe_seglist },
	[SRV6_KIND_POLICY] = { HD_API_SRV6_POLICY, 4, sizeof(struct hd_api_srv6_policy), "policy",
			       describe_policy },
	[SRV6_KIND_SID] = { HD_API_SRV6_SID, HD_API_SRV6_SID_KEY, sizeof(struct hd_api_srv6_sid),
			    "sid", describe_sid },
	{ 0 },
};

const struct ctrl_domain srv6_domain = {
	.name = "srv6",
	.modules = (const char *const[]){ "heddle-srv6", NULL },
	.kinds = srv6_kinds,
	.compile = srv6_compile,
	.states = (const struct ctrl_state[]){ { "heddle-srv6:sid-state", srv6_sid_state },
					       { "heddle-srv6:policy-state", srv6_policy_state },
					       { 0 } },
};
