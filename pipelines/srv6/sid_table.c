/* SPDX-License-Identifier: BSD-3-Clause
 * Local SIDs: the table and the handlers of object kind SRV6_SID.  Control thread only, but for what sid_table.h
 * gives to workers. */
#include "pipelines/srv6/sid_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/debug_api.h"
#include "dataplane/objects.h"
#include "dataplane/stats.h"
#include "dataplane/tables/buckets.h"
#include "heddle/api/srv6.h"
#include "pipelines/ip/ip.h"
#include "pipelines/srv6/csid.h"
#include "pipelines/srv6/hmac.h"

#define UPPER_ALL \
	(HD_SRV6_UPPER_ICMP6 | HD_SRV6_UPPER_STAMP | HD_SRV6_UPPER_UDP | HD_SRV6_UPPER_TCP)

struct slots *srv6_sids;
uint64_t *srv6_sid_briefs;
int srv6_sid_vec;
struct srv6_sid_count *srv6_sid_counts[STATS_SLICES_MAX];

/* RFC 8986 section 3.1: an address that a packet can have as destination, nothing behind the prefix. */
static int sid_check_addr(const struct hd_api_srv6_sid *m, struct object_error *err)
{
	struct ip6_addr a;

	memcpy(&a, m->sid, sizeof(a));
	if (m->plen == 0 || m->plen > 128)
		return object_fail(err, -EINVAL, "prefix length %u is not 1 to 128", m->plen);
	if (ip6_addr_is_multicast(&a) || ip6_addr_is_unspecified(&a) || ip6_addr_is_loopback(&a) ||
	    ip6_addr_is_link_local(&a))
		return object_fail(err, -EINVAL, "a SID is a unicast address of global scope");
	for (unsigned bit = m->plen; bit < 128; bit++)
		if ((a.b[bit / 8] >> (7 - bit % 8) & 1) != 0)
			return object_fail(err, -EINVAL,
					   "the SID has bits set behind its prefix length %u",
					   m->plen);
	return 0;
}

/* Proxies: what the service speaks says how it is reached. */
static int sid_check_service(const struct hd_api_srv6_sid *m, const char *name,
			     struct object_error *err)
{
	bool next_hop = m->target == HD_TARGET_NEXTHOP || m->target == HD_TARGET_NHGROUP;

	if (m->behavior == HD_SRV6_END_AM)
		return next_hop && m->inner == HD_SRV6_INNER_NONE ?
			       0 :
			       object_fail(
				       err, -EINVAL,
				       "%s needs a next hop and nothing else: its service gets IPv6",
				       name);
	if (m->inner < HD_SRV6_INNER_IP4 || m->inner > HD_SRV6_INNER_ETH)
		return object_fail(err, -EINVAL, "%s does not say what its service speaks", name);
	if (m->inner == HD_SRV6_INNER_ETH ? m->iface == 0 || m->target != HD_TARGET_NONE :
					    !next_hop)
		return object_fail(err, -EINVAL, "%s needs %s towards its service", name,
				   m->inner == HD_SRV6_INNER_ETH ? "an interface" : "a next hop");
	if (m->behavior == HD_SRV6_END_AD && m->cache == 0)
		return object_fail(err, -EINVAL, "%s needs a policy for the way back", name);
	return 0;
}

static struct srv6_sid_structure sid_structure(const struct hd_api_srv6_sid *m)
{
	return (struct srv6_sid_structure){ m->lb_len, m->ln_len, m->fn_len, m->arg_len };
}

static int sid_check_behavior(const struct hd_api_srv6_sid *m, struct object_error *err)
{
	const struct hd_srv6_behavior_info *b = hd_srv6_behavior_info(m->behavior);
	struct srv6_sid_structure structure = sid_structure(m);
	char list[256], flavors[HD_SRV6_FLAVORS_STR_MAX];
	const char *why;

	if (b == NULL)
		return object_fail(err, -EINVAL, "behavior %u is unknown", m->behavior);
	if (m->behavior == HD_SRV6_END_BM)
		return object_fail(err, -EOPNOTSUPP,
				   "end.bm pushes MPLS labels, and this data plane has no MPLS");
	if (srv6_behavior_find(m->behavior) == NULL)
		return object_fail(err, -EOPNOTSUPP,
				   "%s is not carried by this data plane, which has: %s", b->name,
				   srv6_behaviors_str(list, sizeof(list)));
	if (hd_srv6_codepoint(m->behavior, m->flavors) == 0)
		return object_fail(
			err, -EINVAL,
			"%s has no flavors '%s' (0x%x): no such combination is registered", b->name,
			hd_srv6_flavors_str(m->flavors, flavors), m->flavors);
	why = srv6_csid_check(m->behavior, m->flavors, m->plen, &structure);
	if (why != NULL)
		return object_fail(err, -EINVAL, "%s with flavors '%s': %s", b->name,
				   hd_srv6_flavors_str(m->flavors, flavors), why);
	if ((b->args & HD_SRV6_ARG_NEXTHOP) != 0 && m->target != HD_TARGET_NEXTHOP &&
	    m->target != HD_TARGET_NHGROUP)
		return object_fail(err, -EINVAL, "%s needs a next hop or a group of them", b->name);
	if ((b->args & HD_SRV6_ARG_POLICY) != 0 && m->target != HD_TARGET_POLICY)
		return object_fail(err, -EINVAL, "%s needs a policy", b->name);
	if ((b->args & HD_SRV6_ARG_SERVICE) != 0)
		return sid_check_service(m, b->name, err);
	if ((b->args & (HD_SRV6_ARG_NEXTHOP | HD_SRV6_ARG_POLICY)) == 0 &&
	    m->target != HD_TARGET_NONE)
		return object_fail(err, -EINVAL, "%s takes neither next hop nor policy", b->name);
	if ((b->args & HD_SRV6_ARG_IFACE) != 0 && m->iface == 0)
		return object_fail(err, -EINVAL, "%s needs an interface", b->name);
	if ((b->args & HD_SRV6_ARG_L2TABLE) != 0 && m->l2_table == 0)
		return object_fail(err, -EINVAL, "%s needs a %s", b->name,
				   m->behavior == HD_SRV6_END_DX2V ? "VLAN table" : "bridge");
	return 0;
}

static int sid_check_options(const struct hd_api_srv6_sid *m, struct object_error *err)
{
	if (m->hmac > HD_SRV6_HMAC_REQUIRE)
		return object_fail(err, -EINVAL, "HMAC policy %u is unknown", m->hmac);
	if ((m->flags & ~HD_SRV6_SID_F_OAM) != 0)
		return object_fail(err, -EINVAL, "unknown flags 0x%x", m->flags);
	if ((m->upper_allow & ~UPPER_ALL) != 0)
		return object_fail(err, -EINVAL, "unknown upper layers 0x%x",
				   m->upper_allow & ~UPPER_ALL);
	return 0;
}

static bool sid_is(const struct srv6_sid *s, const struct hd_api_srv6_sid *m)
{
	return s->vrf == m->vrf_id && s->plen == m->plen && memcmp(&s->addr, m->sid, 16) == 0;
}

/* Does another SID hold this id, also after the transaction? */
static int sid_check_id(const struct hd_api_srv6_sid *m, struct object_error *err)
{
	const struct srv6_sid *s = srv6_sid_get(m->sid_id);
	struct hd_api_srv6_sid key = { 0 };
	const struct hd_api_srv6_sid *other;

	if (s == NULL || sid_is(s, m))
		return 0;
	key.vrf_id = s->vrf;
	key.plen = s->plen;
	memcpy(key.sid, &s->addr, sizeof(key.sid));
	other = object_find(HD_API_SRV6_SID, &key);
	if (other != NULL && other->sid_id == m->sid_id)
		return object_fail(err, -EEXIST, "sid_id %u belongs to another SID", m->sid_id);
	return 0;
}

static int sid_check(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_srv6_sid *m = msg;
	int rc;

	(void)old;
	if (m->sid_id >= srv6_sids->capacity)
		return object_fail(err, -ENOSPC, "sid_id %u is not below %u", m->sid_id,
				   srv6_sids->capacity);
	rc = sid_check_addr(m, err);
	if (rc == 0)
		rc = sid_check_behavior(m, err);
	if (rc == 0)
		rc = sid_check_options(m, err);
	return rc == 0 ? sid_check_id(m, err) : rc;
}

static void ref_u32(struct object_ref *r, uint16_t type, uint32_t id)
{
	memset(r, 0, sizeof(*r));
	r->type = type;
	memcpy(r->key, &id, sizeof(id));
}

static unsigned sid_refs(const void *msg, struct object_ref *ref)
{
	const struct hd_api_srv6_sid *m = msg;
	const struct hd_srv6_behavior_info *b = hd_srv6_behavior_info(m->behavior);
	unsigned n = 0, args = b != NULL ? b->args : 0;

	if (m->vrf_id != 0) /* VRF 0 always exists, as no object */
		ref_u32(&ref[n++], HD_API_VRF, m->vrf_id);
	if ((args & HD_SRV6_ARG_TABLE4) != 0 && m->table4 != 0)
		ref_u32(&ref[n++], HD_API_VRF, m->table4);
	if ((args & (HD_SRV6_ARG_TABLE6 | HD_SRV6_ARG_TABLE)) != 0 && m->table6 != 0)
		ref_u32(&ref[n++], HD_API_VRF, m->table6);
	if (m->iface != 0)
		ref_u32(&ref[n++], HD_API_IFACE, m->iface);
	if (m->l2_table != 0 &&
	    (m->behavior == HD_SRV6_END_DT2U || m->behavior == HD_SRV6_END_DT2M))
		ref_u32(&ref[n++], HD_API_BRIDGE, m->l2_table);
	if (m->cache != 0)
		ref_u32(&ref[n++], HD_API_SRV6_POLICY, m->cache);
	return n + ip_target_ref(m->target, m->target_id, &ref[n]);
}

static uint32_t fast_of(const struct srv6_sid *s)
{
	if (s->plan == srv6_next_csid && s->vrf6 == SRV6_VRF_INGRESS)
		return s->csid.moved == SRV6_EP_FORWARD       ? SRV6_FAST_NEXT :
		       s->csid.moved == SRV6_EP_CROSS_CONNECT ? SRV6_FAST_NEXT_X :
								SRV6_FAST_NONE;
	if (s->plan == srv6_end || s->plan == srv6_end_x)
		return (s->plan == srv6_end ? SRV6_FAST_END : SRV6_FAST_END_X) |
		       ((s->flavors & HD_SRV6_FLAVOR_PSP) != 0 ? SRV6_FAST_PSP : 0);
	return s->plan == srv6_end_dt4  ? SRV6_FAST_DT4 :
	       s->plan == srv6_end_dt6  ? SRV6_FAST_DT6 :
	       s->plan == srv6_end_dt46 ? SRV6_FAST_DT46 :
					  SRV6_FAST_NONE;
}

static struct srv6_sid *sid_make(const struct hd_api_srv6_sid *m, struct object_error *err,
				 int *ret_rc)
{
	const struct hd_srv6_behavior_info *b = hd_srv6_behavior_info(m->behavior);
	struct srv6_sid *s = calloc(1, sizeof(*s));
	struct srv6_sid_structure structure;

	if (s == NULL) {
		*ret_rc = object_fail(err, -ENOMEM, "out of memory");
		return NULL;
	}
	*s = (struct srv6_sid){
		.base = srv6_behavior_find(m->behavior),
		.sid_id = m->sid_id,
		.vrf4 = SRV6_VRF_INGRESS,
		.vrf6 = SRV6_VRF_INGRESS,
		.behavior = m->behavior,
		.flavors = m->flavors,
		.upper_allow = m->upper_allow,
		.vrf = m->vrf_id,
		.plen = m->plen,
		.flags = m->flags,
		.hmac = m->hmac,
		.inner = m->inner,
		.iface = m->iface,
		.l2_table = m->l2_table,
		.cache = m->cache,
	};
	memcpy(&s->addr, m->sid, sizeof(s->addr));
	if ((b->args & HD_SRV6_ARG_TABLE4) != 0)
		s->vrf4 = m->table4;
	if ((b->args & HD_SRV6_ARG_TABLE6) != 0)
		s->vrf6 = m->table6;
	if ((b->args & HD_SRV6_ARG_TABLE) != 0)
		s->vrf4 = s->vrf6 = m->table6; /* 4.16.3: T for both families */
	structure = sid_structure(m);
	srv6_csid_init(s, &structure);
	s->then = s->plan;
	if (s->hmac != HD_SRV6_HMAC_IGNORE)
		s->plan = srv6_hmac_plan;
	s->fast = fast_of(s);
	if (m->target != HD_TARGET_NONE) {
		*ret_rc = ip_target_result(m->target, m->target_id, &s->result);
		if (*ret_rc < 0) {
			object_fail(err, *ret_rc, "the SID's target %u is gone", m->target_id);
			free(s);
			return NULL;
		}
	}
	return s;
}

/* Row and brief; s NULL: neither.  Between the two stores a worker may know one of them already: it uses one or the
 * other for a packet, and each is whole. */
static void sid_publish(uint32_t sid_id, struct srv6_sid *s)
{
	uint32_t fast = s != NULL ? s->fast & ~(uint32_t)SRV6_FAST_PSP : SRV6_FAST_NONE;
	struct srv6_sid_brief b = { SRV6_FAST_NONE, HD_RESULT_NONE };
	uint64_t word;

	if (fast == SRV6_FAST_END || fast == SRV6_FAST_END_X)
		b = (struct srv6_sid_brief){ s->fast, s->result };
	memcpy(&word, &b, sizeof(word));
	slots_set(srv6_sids, sid_id, s, free);
	__atomic_store_n(&srv6_sid_briefs[sid_id], word, __ATOMIC_RELEASE);
}

/* Forget an id that is still this SID's. */
static void sid_id_release(const struct hd_api_srv6_sid *m)
{
	const struct srv6_sid *s = srv6_sid_get(m->sid_id);

	if (s != NULL && sid_is(s, m))
		sid_publish(m->sid_id, NULL);
}

static int sid_apply(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_srv6_sid *m = msg, *was = old;
	bool same_id = was != NULL && was->sid_id == m->sid_id;
	struct srv6_sid *s;
	int rc;

	rc = sid_check_id(m, err); /* again: two new SIDs of one transaction may want the same id */
	if (rc < 0)
		return rc;
	s = sid_make(m, err, &rc);
	if (s == NULL)
		return rc;
	if (!same_id) { /* the FIB entry changes: the slot is complete before it points there */
		sid_publish(m->sid_id, s);
		rc = ip_rib_set(m->vrf_id, 6, m->sid, m->plen, RIB_SID,
				HD_RESULT(HD_RESULT_SID, m->sid_id));
		if (rc < 0) {
			sid_publish(m->sid_id, NULL);
			return object_fail(err, rc, "the SID does not fit into the routing table");
		}
		if (was != NULL)
			sid_id_release(was);
		return 0;
	}
	sid_publish(m->sid_id, s);
	return 0;
}

static void sid_remove(const void *old)
{
	const struct hd_api_srv6_sid *m = old;

	ip_rib_del(m->vrf_id, 6, m->sid, m->plen, RIB_SID);
	sid_id_release(m);
}

static void sid_ahead(const void *msg)
{
	const struct hd_api_srv6_sid *m = msg;

	ip_rib_prefetch(m->vrf_id, 6, m->sid, m->plen);
}

static struct object_kind sid_kind = {
	.type = HD_API_SRV6_SID,
	.rank = 70,
	.name = "sid",
	.key_size = HD_API_SRV6_SID_KEY,
	.min_size = HD_API_SRV6_SID_KEY + 8,
	.max_size = sizeof(struct hd_api_srv6_sid),
	.check = sid_check,
	.apply = sid_apply,
	.remove = sid_remove,
	.refs = sid_refs,
	.prefetch = sid_ahead,
};

/* SRV6_CAPABILITY: every combination of behavior and flavors that a SID can have here. */
static int capabilities(const void *body, size_t size, debug_send_fn send, void *arg,
			struct hd_api_reply *reply)
{
	size_t n;
	const struct hd_srv6_codepoint *all = hd_srv6_codepoints(&n);

	(void)body;
	(void)size;
	(void)reply;
	for (size_t i = 0; i < n; i++) {
		struct hd_api_srv6_capability c = { .codepoint = all[i].codepoint,
						    .behavior = all[i].behavior,
						    .flavors = all[i].flavors };

		if (srv6_behavior_find(all[i].behavior) != NULL)
			send(arg, HD_API_SRV6_CAPABILITY, &c, sizeof(c));
	}
	return 0;
}

int srv6_sid_table_init(void)
{
	static const char *const cols[] = { "packets", "octets", "errors", NULL };
	int rc;

	srv6_sids = slots_create(dp_limits.sids);
	if (srv6_sids == NULL)
		return -errno;
	srv6_sid_briefs = buckets_alloc(dp_limits.sids);
	if (srv6_sid_briefs == NULL) {
		rc = -ENOMEM;
		goto destroy_table;
	}
	for (uint32_t i = 0, idx; i < dp_limits.sids;
	     i++) /* the owner chooses ids: all of them are given out */
		slots_alloc(srv6_sids, &idx);
	rc = srv6_sid_vec = stats_vec_add("sid", HD_STATS_COUNTER, dp_limits.sids, cols, NULL);
	if (rc < 0)
		goto destroy_table;
	STATS_SLICES_FILL(srv6_sid_counts, srv6_sid_vec);
	sid_kind.capacity = dp_limits.sids;
	rc = object_kind_register(&sid_kind);
	if (rc == 0)
		rc = debug_request_register(HD_API_SRV6_CAPABILITY, capabilities);
	if (rc < 0)
		goto destroy_table;
	return 0;
destroy_table:
	srv6_sid_table_fini();
	return rc;
}

void srv6_sid_table_fini(void)
{
	slots_destroy(srv6_sids, free);
	free(srv6_sid_briefs);
	srv6_sids = NULL;
	srv6_sid_briefs = NULL;
}
