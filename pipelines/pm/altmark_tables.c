/* SPDX-License-Identifier: BSD-3-Clause
 * Object kinds ALTMARK_CONF, ALTMARK_FLOW, ALTMARK_MARK and ALTMARK_IFACE (include/heddle/api/altmark.h), the tables
 * made of them, and the request that reads closed blocks.  Control thread only, but for what altmark.h gives to
 * workers.  Memory: one kilobyte per flow and worker. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "dataplane/debug_api.h"
#include "dataplane/objects.h"
#include "dataplane/rcu.h"
#include "dataplane/wallclock.h"
#include "pipelines/l2/l2.h"
#include "pipelines/pm/altmark.h"
#include "pipelines/pm/altmark_mark.h"
#include "pipelines/pm/observe.h"

static struct altmark_conf *conf;
static struct altmark_flow *flow_by_id[HD_ALTMARK_FLOWS_MAX];
struct altmark_flow *altmark_bucket[ALTMARK_BUCKETS];
static struct altmark_mark **mark_by_policy;
static uint8_t *iface_counts_on; /* by interface id */

/* ---- readers --------------------------------------------------------------------------------------------------- */

const struct altmark_conf *altmark_conf_get(void)
{
	return __atomic_load_n(&conf, __ATOMIC_ACQUIRE);
}

bool altmark_iface_counts(uint32_t iface_id)
{
	return iface_id < dp_limits.ifaces && iface_counts_on[iface_id] != 0;
}

/* ---- ALTMARK_CONF ---------------------------------------------------------------------------------------------- */

static struct altmark_mark *mark_make(const struct hd_api_altmark_mark *m);
static int mark_publish(const struct hd_api_altmark_mark *m);

static int conf_check(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_altmark_conf *m = msg;

	(void)old;
	if (m->key != 0)
		return object_fail(err, -EINVAL, "there is one object, of key 0");
	if (m->period_ms < HD_ALTMARK_PERIOD_MIN_MS || m->period_ms > HD_ALTMARK_PERIOD_MAX_MS)
		return object_fail(err, -EINVAL, "a block of %u ms: %u to %u are possible",
				   m->period_ms, HD_ALTMARK_PERIOD_MIN_MS,
				   HD_ALTMARK_PERIOD_MAX_MS);
	if (m->guard_ms >= m->period_ms / 2)
		return object_fail(
			err, -EINVAL,
			"a guard of %u ms is not below half a block (RFC 9341 section 5)",
			m->guard_ms);
	if (m->d_per_block > HD_ALTMARK_D_MAX)
		return object_fail(err, -EINVAL,
				   "%u delay packets a block, at most %u are possible",
				   m->d_per_block, HD_ALTMARK_D_MAX);
	if (m->tlv_type != 0 && (m->tlv_type < 124 || m->tlv_type > 126))
		return object_fail(err, -EINVAL,
				   "SRH TLV type %u is not an experimental one, 124 to 126 "
				   "(RFC 8754 section 8.2)",
				   m->tlv_type);
	return 0;
}

static int remark(uint16_t type, const void *msg, size_t size, void *arg)
{
	const struct hd_api_altmark_mark *m = msg;
	const uint32_t *flow_id = arg;

	(void)type;
	(void)size;
	return flow_id == NULL || m->flow_id == *flow_id ? mark_publish(m) : 0;
}

static int conf_apply(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_altmark_conf *m = msg;
	struct altmark_conf *new = malloc(sizeof(*new)), *was = conf;

	(void)old;
	if (new == NULL)
		return object_fail(err, -ENOMEM, "out of memory");
	*new = (struct altmark_conf){ .period_ns = m->period_ms * 1000000ull,
				      .period_inv = altmark_inverse(m->period_ms * 1000000ull),
				      .guard_ns = m->guard_ms * 1000000ull,
				      .d_per_block = m->d_per_block,
				      .tlv_type = m->tlv_type };
	__atomic_store_n(&conf, new, __ATOMIC_RELEASE);
	if (was == NULL || was->tlv_type != new->tlv_type)
		objects_walk(HD_API_ALTMARK_MARK, remark, NULL);
	rcu_retire(was, free);
	return 0;
}

static void conf_remove(const void *old)
{
	struct altmark_conf *was = conf;

	(void)old;
	__atomic_store_n(&conf, NULL, __ATOMIC_RELEASE);
	rcu_retire(was, free);
}

/* ---- ALTMARK_FLOW ---------------------------------------------------------------------------------------------- */

static struct altmark_state *state_make(void)
{
	unsigned n = stats_hidden_slice() + 1;
	size_t size =
		sizeof(struct altmark_state) + n * ALTMARK_SLOTS * sizeof(struct altmark_cell);
	struct altmark_state *s = aligned_alloc(128, size);

	if (s == NULL)
		return NULL;
	memset(s, 0, size);
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < ALTMARK_SLOTS; k++)
			s->cell[i][k].block = UINT64_MAX;
	return s;
}

static void flow_link(struct altmark_flow *f)
{
	struct altmark_flow **at = &altmark_bucket[f->mon_id % ALTMARK_BUCKETS];

	f->next = *at;
	__atomic_store_n(at, f, __ATOMIC_RELEASE);
}

static void flow_unlink(struct altmark_flow *f)
{
	struct altmark_flow **at = &altmark_bucket[f->mon_id % ALTMARK_BUCKETS];

	while (*at != f)
		at = &(*at)->next;
	__atomic_store_n(at, f->next, __ATOMIC_RELEASE); /* readers at f still find the rest */
}

static int flow_check(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_altmark_flow *m = msg;
	const struct altmark_flow *same;
	struct ip6_addr source;

	(void)old;
	memcpy(&source, m->source, sizeof(source));
	if (m->flow_id >= HD_ALTMARK_FLOWS_MAX)
		return object_fail(err, -ENOSPC, "flow_id %u is not below %u", m->flow_id,
				   HD_ALTMARK_FLOWS_MAX);
	if (m->mon_id > ALTMARK_ID_MAX)
		return object_fail(err, -EINVAL, "FlowMonID 0x%x has more than 20 bits", m->mon_id);
	if (ip6_addr_is_multicast(&source) || ip6_addr_is_unspecified(&source))
		return object_fail(err, -EINVAL, "the source is no unicast address");
	same = altmark_flow_find(m->mon_id, &source);
	if (same != NULL && same->flow_id != m->flow_id)
		return object_fail(err, -EEXIST, "flow %u has the same FlowMonID and source",
				   same->flow_id);
	return 0;
}

static int flow_apply(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_altmark_flow *m = msg;
	struct altmark_flow *was = flow_by_id[m->flow_id], *f = calloc(1, sizeof(*f));
	uint32_t id = m->flow_id;

	(void)old;
	if (f == NULL)
		return object_fail(err, -ENOMEM, "out of memory");
	*f = (struct altmark_flow){ .flow_id = id, .mon_id = m->mon_id };
	memcpy(&f->source, m->source, sizeof(f->source));
	f->state = was != NULL ? was->state : state_make();
	if (f->state == NULL) {
		free(f);
		return object_fail(err, -ENOMEM, "out of memory");
	}
	flow_by_id[id] = f;
	flow_link(f);
	if (was == NULL)
		return 0;
	flow_unlink(was);
	objects_walk(HD_API_ALTMARK_MARK, remark, &id);
	rcu_retire(was, free);
	return 0;
}

static void flow_remove(const void *old)
{
	const struct hd_api_altmark_flow *m = old;
	struct altmark_flow *f = flow_by_id[m->flow_id];

	flow_by_id[m->flow_id] = NULL;
	flow_unlink(f);
	rcu_retire(f->state, free);
	rcu_retire(f, free);
}

/* ---- ALTMARK_MARK ---------------------------------------------------------------------------------------------- */

static int mark_check(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_altmark_mark *m = msg;

	(void)old;
	if (m->policy_id >= dp_limits.policies)
		return object_fail(err, -ENOSPC, "policy_id %u is not below %u", m->policy_id,
				   dp_limits.policies);
	if (m->place < ALTMARK_HOP || m->place > ALTMARK_SRH_TLV)
		return object_fail(err, -EINVAL, "place %u of a mark is unknown", m->place);
	return 0;
}

static unsigned mark_refs(const void *msg, struct object_ref *ref)
{
	const struct hd_api_altmark_mark *m = msg;

	memset(ref, 0, 2 * sizeof(*ref));
	ref[0].type = HD_API_SRV6_POLICY;
	memcpy(ref[0].key, &m->policy_id, 4);
	ref[1].type = HD_API_ALTMARK_FLOW;
	memcpy(ref[1].key, &m->flow_id, 4);
	return 2;
}

static struct altmark_mark *mark_make(const struct hd_api_altmark_mark *m)
{
	struct altmark_mark *mark = calloc(1, sizeof(*mark));
	struct srv6_extra *x = &mark->extra;
	uint8_t type = conf != NULL ? conf->tlv_type : ALTMARK_TLV_TYPE;
	const uint8_t option[ALTMARK_OPT_LEN] = { ALTMARK_OPT, ALTMARK_DATA_LEN };
	const uint8_t tlv[ALTMARK_TLV_LEN] = { type, ALTMARK_TLV_LEN - 2 };

	if (mark == NULL)
		return NULL;
	x->stamp = altmark_stamp;
	mark->flow = flow_by_id[m->flow_id];
	if (m->place == ALTMARK_SRH_TLV) {
		x->place = SRV6_EXTRA_TLV;
		x->len = sizeof(tlv);
		memcpy(x->octets, tlv, sizeof(tlv));
		mark->word_off = 4;
	} else {
		x->place = m->place == ALTMARK_HOP ? SRV6_EXTRA_HOP : SRV6_EXTRA_DEST;
		x->align = 2; /* the word lies at a multiple of 4 */
		x->len = sizeof(option);
		memcpy(x->octets, option, sizeof(option));
		mark->word_off = 2;
	}
	wire_put32(x->octets + mark->word_off, altmark_word(mark->flow->mon_id, false, false));
	return mark;
}

static int mark_publish(const struct hd_api_altmark_mark *m)
{
	struct altmark_mark *new = mark_make(m), *was = mark_by_policy[m->policy_id];
	int rc = new == NULL ? -ENOMEM :
			       srv6_policy_extra(m->policy_id, SRV6_EXTRA_ALTMARK, &new->extra);

	if (rc < 0) {
		free(new);
		return rc;
	}
	mark_by_policy[m->policy_id] = new;
	rcu_retire(was, free);
	return 0;
}

static int mark_apply(const void *msg, const void *old, struct object_error *err)
{
	(void)old;
	return mark_publish(msg) < 0 ? object_fail(err, -ENOMEM, "out of memory") : 0;
}

static void mark_remove(const void *old)
{
	const struct hd_api_altmark_mark *m = old;
	struct altmark_mark *was = mark_by_policy[m->policy_id];

	if (srv6_policy_extra(m->policy_id, SRV6_EXTRA_ALTMARK, NULL) < 0)
		return; /* no memory: the policy still has it */
	mark_by_policy[m->policy_id] = NULL;
	rcu_retire(was, free);
}

/* ---- ALTMARK_IFACE --------------------------------------------------------------------------------------------- */

static unsigned iface_refs(const void *msg, struct object_ref *ref)
{
	const struct hd_api_altmark_iface *m = msg;

	memset(ref, 0, sizeof(*ref));
	ref->type = HD_API_IFACE;
	memcpy(ref->key, &m->iface_id, 4);
	return 1;
}

static int iface_check(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_altmark_iface *m = msg;

	(void)old;
	return m->iface_id == 0 || m->iface_id >= dp_limits.ifaces ?
		       object_fail(err, -EINVAL, "iface_id %u is not 1 to %u", m->iface_id,
				   dp_limits.ifaces - 1) :
		       0;
}

static int iface_apply(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_altmark_iface *m = msg;

	(void)old;
	(void)err;
	iface_counts_on[m->iface_id] = 1;
	observe_set(m->iface_id, OBSERVE_ALTMARK, true);
	return 0;
}

static void iface_remove(const void *old)
{
	const struct hd_api_altmark_iface *m = old;

	iface_counts_on[m->iface_id] = 0;
	observe_set(m->iface_id, OBSERVE_ALTMARK, false);
}

/* ---- ALTMARK_STATE --------------------------------------------------------------------------------------------- */

static void send_block(const struct altmark_flow *f, uint64_t block, debug_send_fn send, void *arg)
{
	const struct wallclock *clock = wallclock_get();
	struct hd_api_altmark_block b = {
		.flow_id = f->flow_id,
		.block = block,
		.period_ms = (uint32_t)(conf->period_ns / 1000000),
		.clock_error_ns = UINT64_MAX,
	};

	if (clock->synchronised && clock->sync_error_ns != UINT64_MAX)
		b.clock_error_ns = clock->sync_error_ns + clock->error_ns;
	for (unsigned w = 0; w < dp_limits.workers; w++)
		altmark_sum(&f->state->cell[w][block % ALTMARK_SLOTS], &b);
	if (b.packets != 0)
		send(arg, HD_API_ALTMARK_STATE, &b, sizeof(b));
}

static int state_request(const void *body, size_t size, debug_send_fn send, void *arg,
			 struct hd_api_reply *reply)
{
	uint64_t now, last;

	(void)body;
	(void)size;
	(void)reply;
	if (conf == NULL)
		return 0;
	now = wallclock_at(wallclock_get(), rte_rdtsc());
	last = now / conf->period_ns;
	for (unsigned id = 0; id < HD_ALTMARK_FLOWS_MAX; id++)
		for (uint64_t b = last - (ALTMARK_SLOTS - 2); flow_by_id[id] != NULL && b < last;
		     b++)
			if (altmark_closed(conf->period_ns, now, b))
				send_block(flow_by_id[id], b, send, arg);
	return 0;
}

/* ---- set-up ---------------------------------------------------------------------------------------------------- */

#define KIND(TYPE, what, size_, ...)                                                              \
	{                                                                                         \
		.type = HD_API_ALTMARK_##TYPE, .name = "altmark-" #what, .key_size = 4,           \
		.min_size = 4, .max_size = (size_), .check = what##_check, .apply = what##_apply, \
		.remove = what##_remove, __VA_ARGS__                                              \
	}

static const struct object_kind kinds[] = {
	KIND(CONF, conf, sizeof(struct hd_api_altmark_conf), .rank = 50, .capacity = 1),
	KIND(FLOW, flow, sizeof(struct hd_api_altmark_flow), .rank = 51,
	     .capacity = HD_ALTMARK_FLOWS_MAX),
	KIND(MARK, mark, sizeof(struct hd_api_altmark_mark), .rank = 62, .refs = mark_refs),
	KIND(IFACE, iface, sizeof(struct hd_api_altmark_iface), .rank = 63, .refs = iface_refs),
};

int altmark_init(void)
{
	int rc;

	memset(flow_by_id, 0, sizeof(flow_by_id));
	memset(altmark_bucket, 0, sizeof(altmark_bucket));
	conf = NULL;
	mark_by_policy = calloc(dp_limits.policies, sizeof(struct altmark_mark *));
	iface_counts_on = calloc(dp_limits.ifaces, 1);
	if (mark_by_policy == NULL || iface_counts_on == NULL) {
		altmark_fini();
		return -ENOMEM;
	}
	rc = debug_request_register(HD_API_ALTMARK_STATE, state_request);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && rc == 0; i++)
		rc = object_kind_register(&kinds[i]);
	if (rc < 0)
		altmark_fini();
	return rc;
}

void altmark_fini(void)
{
	free(mark_by_policy);
	free(iface_counts_on);
	mark_by_policy = NULL;
	iface_counts_on = NULL;
}
