/* SPDX-License-Identifier: BSD-3-Clause
 * Object kinds SRV6_DOMAIN and SRV6_INGRESS.  Control thread. */
#include "pipelines/srv6/ingress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/dp_limits.h"
#include "dataplane/objects.h"
#include "dataplane/rcu.h"
#include "dataplane/result.h"
#include "heddle/wire/wire.h"
#include "pipelines/srv6/edge_out.h"

struct slots *srv6_ingresses;
struct srv6_domain *srv6_domain;

struct srv6_domain_prefix srv6_domain_prefix_make(const uint8_t prefix[16], uint8_t plen)
{
	struct srv6_domain_prefix p;
	uint8_t mask[16], value[16];

	for (unsigned i = 0; i < 16; i++) {
		unsigned bits = plen > i * 8 ? plen - i * 8u : 0;

		mask[i] = bits >= 8 ? 0xff : (uint8_t)(0xff00 >> bits);
		value[i] = prefix[i] & mask[i];
	}
	memcpy(p.mask, mask, 16);
	memcpy(p.value, value, 16);
	return p;
}

/* ---- SRV6_DOMAIN ----------------------------------------------------------------------------------------------- */

static int domain_check(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_srv6_domain *m = msg;

	(void)old;
	if (m->key != 0)
		return object_fail(err, -EINVAL, "there is one object, of key 0");
	if (m->n_prefixes > HD_SRV6_DOMAIN_MAX)
		return object_fail(err, -EINVAL, "%u prefixes, at most %u are possible",
				   m->n_prefixes, HD_SRV6_DOMAIN_MAX);
	for (uint32_t i = 0; i < m->n_prefixes; i++)
		if (m->prefix[i].plen > 128 || m->prefix[i].kind < HD_SRV6_DOMAIN_SIDS ||
		    m->prefix[i].kind > HD_SRV6_DOMAIN_OWN)
			return object_fail(err, -EINVAL, "prefix %u: kind %u, length %u", i + 1,
					   m->prefix[i].kind, m->prefix[i].plen);
	return 0;
}

static void domain_publish(struct srv6_domain *d)
{
	struct srv6_domain *was = srv6_domain;

	__atomic_store_n(&srv6_domain, d, __ATOMIC_RELEASE);
	rcu_retire(was, free);
}

static int domain_apply(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_srv6_domain *m = msg;
	struct srv6_domain *d = calloc(1, sizeof(*d));

	(void)old;
	if (d == NULL)
		return object_fail(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < m->n_prefixes; i++) {
		unsigned kind = m->prefix[i].kind;

		d->prefix[kind][d->n[kind]++] =
			srv6_domain_prefix_make(m->prefix[i].prefix, m->prefix[i].plen);
	}
	domain_publish(d);
	return 0;
}

static void domain_remove(const void *old)
{
	(void)old;
	domain_publish(NULL);
}

static const struct object_kind domain_kind = {
	.type = HD_API_SRV6_DOMAIN,
	.rank = 54,
	.name = "SR domain",
	.key_size = 4,
	.min_size = 8,
	.max_size = sizeof(struct hd_api_srv6_domain),
	.check = domain_check,
	.apply = domain_apply,
	.remove = domain_remove,
};

/* ---- SRV6_INGRESS ---------------------------------------------------------------------------------------------- */

static int policy_check(uint32_t policy_id, struct object_error *err)
{
	const struct hd_api_srv6_policy *p =
		policy_id != 0 ? object_find(HD_API_SRV6_POLICY, &policy_id) : NULL;

	if (p != NULL && p->encap >= HD_SRV6_H_ENCAPS_L2)
		return object_fail(err, -EINVAL, "policy %.31s is one for Ethernet frames",
				   p->name);
	return 0;
}

static int ingress_check(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_srv6_ingress *m = msg;
	const uint32_t sides = HD_SRV6_INGRESS_OUTSIDE | HD_SRV6_INGRESS_INSIDE;
	int rc;

	(void)old;
	if (m->iface_id == 0 || m->iface_id >= dp_limits.ifaces)
		return object_fail(err, -EINVAL, "interface id %u is not between 1 and %u",
				   m->iface_id, dp_limits.ifaces - 1);
	if ((m->flags & ~(sides | HD_SRV6_INGRESS_HMAC)) != 0 || (m->flags & sides) == sides)
		return object_fail(err, -EINVAL,
				   "flags 0x%x: an interface is either inside or outside",
				   m->flags);
	if (m->acl_id >= HD_SRV6_ACLS_MAX)
		return object_fail(err, -EINVAL, "classifier %u is not below %u", m->acl_id,
				   HD_SRV6_ACLS_MAX);
	rc = policy_check(m->policy4_id, err);
	return rc < 0 ? rc : policy_check(m->policy6_id, err);
}

static unsigned ingress_refs(const void *msg, struct object_ref *ref)
{
	const struct hd_api_srv6_ingress *m = msg;
	const uint32_t policy[2] = { m->policy4_id, m->policy6_id };
	unsigned n = 0;

	memset(ref, 0, 3 * sizeof(*ref));
	ref[n].type = HD_API_IFACE;
	memcpy(ref[n++].key, &m->iface_id, 4);
	for (unsigned i = 0; i < 2; i++) {
		if (policy[i] == 0 || (i == 1 && policy[1] == policy[0]))
			continue;
		ref[n].type = HD_API_SRV6_POLICY;
		memcpy(ref[n++].key, &policy[i], 4);
	}
	return n;
}

static int ingress_apply(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_srv6_ingress *m = msg;
	struct srv6_ingress *in = malloc(sizeof(*in));

	(void)old;
	if (in == NULL)
		return object_fail(err, -ENOMEM, "out of memory");
	*in = (struct srv6_ingress){
		.word = { m->policy4_id != 0 ? hd_result(HD_RESULT_POLICY, m->policy4_id) : 0,
			  m->policy6_id != 0 ? hd_result(HD_RESULT_POLICY, m->policy6_id) : 0 },
		.acl_id = m->acl_id,
		.flags = m->flags,
	};
	if (m->am_sid_id != 0)
		in->word[1] = hd_result(HD_RESULT_SID, m->am_sid_id);
	slots_set(srv6_ingresses, m->iface_id, in, free);
	srv6_edge_out_follow();
	return 0;
}

static void ingress_remove(const void *old)
{
	slots_set(srv6_ingresses, ((const struct hd_api_srv6_ingress *)old)->iface_id, NULL, free);
	srv6_edge_out_follow();
}

static const struct object_kind ingress_kind = {
	.type = HD_API_SRV6_INGRESS,
	.rank = 66,
	.name = "ingress",
	.key_size = 4,
	.min_size = 4,
	.max_size = sizeof(struct hd_api_srv6_ingress),
	.check = ingress_check,
	.apply = ingress_apply,
	.remove = ingress_remove,
	.refs = ingress_refs,
};

int srv6_ingress_init(void)
{
	int rc = -ENOMEM;

	srv6_ingresses = slots_create(dp_limits.ifaces);
	if (srv6_ingresses == NULL)
		return rc;
	for (uint32_t i = 0, idx; i < dp_limits.ifaces; i++) /* the owner chooses ids */
		slots_alloc(srv6_ingresses, &idx);
	rc = object_kind_register(&domain_kind);
	if (rc == 0)
		rc = object_kind_register(&ingress_kind);
	if (rc == 0)
		rc = srv6_edge_out_init();
	if (rc < 0)
		srv6_ingress_fini();
	return rc;
}

void srv6_ingress_fini(void)
{
	srv6_edge_out_fini();
	slots_destroy(srv6_ingresses, free);
	srv6_ingresses = NULL;
	free(srv6_domain);
	srv6_domain = NULL;
}
