/* SPDX-License-Identifier: BSD-3-Clause
 * Object kinds IOAM_NS, IOAM_IFACE and IOAM_ENCAP (include/heddle/api/ioam.h), and the tables made of them.
 * Control thread only, but for what ioam.h gives to workers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/debug_api.h"
#include "dataplane/objects.h"
#include "dataplane/rcu.h"
#include "dataplane/stats.h"
#include "pipelines/pm/ioam_encap.h"
#include "pipelines/pm/ioam_groups.h"
#include "pipelines/pm/observe.h"

static struct hd_api_ioam_ns *ns_table[65536]; /* by namespace */
static struct ioam_iface *ifaces;
struct ioam_count *ioam_counts[STATS_SLICES_MAX];

/* What a policy carries: one option per slot. */
static struct carried {
	struct ioam_encap_state *state;
	struct ioam_encap *option[SRV6_EXTRAS];
} * carried; /* by policy id */

const struct hd_api_ioam_ns *ioam_ns_get(uint16_t ns)
{
	return __atomic_load_n(&ns_table[ns], __ATOMIC_ACQUIRE);
}

const struct ioam_iface *ioam_iface_get(uint32_t iface_id)
{
	static const struct ioam_iface none = { .if_id = UINT32_MAX };

	return iface_id < dp_limits.ifaces && ifaces[iface_id].on ? &ifaces[iface_id] : &none;
}

/* ---- IOAM_ENCAP ------------------------------------------------------------------------------------------------ */

static const struct slot {
	enum srv6_extra_slot slot;
	enum srv6_extra_place place;
	unsigned (*make)(uint8_t *buf, const struct hd_api_ioam_encap *e);
	void (*stamp)(const struct srv6_extra *x, uint8_t *at, uint32_t total);
} slots[] = {
	{ SRV6_EXTRA_IOAM_TRACE, SRV6_EXTRA_HOP, ioam_trace_option, ioam_stamp_trace },
	{ SRV6_EXTRA_IOAM_DEX, SRV6_EXTRA_HOP, ioam_dex_option, ioam_stamp_dex },
	{ SRV6_EXTRA_IOAM_EDGE, SRV6_EXTRA_DEST, ioam_e2e_option, ioam_stamp_e2e },
};
#define N_SLOTS (sizeof(slots) / sizeof(slots[0]))

static bool wants(const struct hd_api_ioam_encap *m, enum srv6_extra_slot slot)
{
	return slot == SRV6_EXTRA_IOAM_TRACE ? (m->flags & HD_IOAM_E_TRACE) != 0 :
	       slot == SRV6_EXTRA_IOAM_DEX   ? (m->flags & HD_IOAM_E_DEX) != 0 :
					       m->e2e_type != 0;
}

static int encap_check(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_ioam_encap *m = msg;
	uint8_t buf[SRV6_EXTRA_MAX + 4];

	(void)old;
	if (m->policy_id >= dp_limits.policies)
		return object_fail(err, -ENOSPC, "policy_id %u is not below %u", m->policy_id,
				   dp_limits.policies);
	if (m->ns > 0xffff || (m->trace_type & ~0xffffffu) != 0 ||
	    (m->trace_type & (IOAM_T_UNDEFINED | 1)) != 0)
		return object_fail(
			err, -EINVAL,
			"namespace %u, trace type 0x%x: out of range, or bits that have no meaning",
			m->ns, m->trace_type);
	if ((m->flags & ~0xfu) != 0 ||
	    ((m->flags & HD_IOAM_E_TRACE) != 0 && (m->flags & HD_IOAM_E_DEX) != 0))
		return object_fail(err, -EINVAL, "a packet is traced or exported, not both");
	if ((m->flags & HD_IOAM_E_LOOPBACK) != 0 && m->trace_type != IOAM_T_HOP)
		return object_fail(err, -EINVAL,
				   "loopback needs the trace type 0x800000 (RFC 9322 section 4.1)");
	if ((m->e2e_type & 0xfffu) != 0 || m->e2e_type > 0xffff ||
	    (m->e2e_type & (IOAM_E2E_SEQ64 | IOAM_E2E_SEQ32)) == (IOAM_E2E_SEQ64 | IOAM_E2E_SEQ32))
		return object_fail(err, -EINVAL, "edge to edge type 0x%x (RFC 9197 section 4.6)",
				   m->e2e_type);
	if ((m->flags & HD_IOAM_E_TRACE) != 0 && (m->nodes > 32 || ioam_trace_option(buf, m) == 0))
		return object_fail(err, -EINVAL,
				   "a trace of type 0x%x for %u nodes does not fit into %u octets",
				   m->trace_type, m->nodes, SRV6_EXTRA_MAX);
	return 0;
}

static unsigned encap_refs(const void *msg, struct object_ref *ref)
{
	const struct hd_api_ioam_encap *m = msg;

	memset(ref, 0, 2 * sizeof(*ref));
	ref[0].type = HD_API_SRV6_POLICY;
	memcpy(ref[0].key, &m->policy_id, 4);
	ref[1].type = HD_API_IOAM_NS;
	memcpy(ref[1].key, &m->ns, 4);
	return 2;
}

/* NULL: no memory. */
static struct ioam_encap *option_make(const struct hd_api_ioam_encap *m, const struct slot *s,
				      struct ioam_encap_state *state)
{
	struct ioam_encap *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->conf = *m;
	e->state = state;
	e->extra.place = s->place;
	e->extra.stamp = s->stamp;
	e->extra.len = (uint8_t)s->make(e->extra.octets, m);
	return e;
}

/* m NULL: nothing any more. */
static int slot_publish(uint32_t policy_id, const struct hd_api_ioam_encap *m, const struct slot *s)
{
	struct carried *c = &carried[policy_id];
	struct ioam_encap *was = c->option[s->slot], *new = NULL;
	int rc;

	if (m != NULL && wants(m, s->slot)) {
		new = option_make(m, s, c->state);
		if (new == NULL)
			return -ENOMEM;
	}
	if (new == NULL && was == NULL)
		return 0;
	rc = srv6_policy_extra(policy_id, s->slot, new != NULL ? &new->extra : NULL);
	if (rc < 0) {
		free(new);
		return rc;
	}
	c->option[s->slot] = new;
	rcu_retire(was, free);
	return 0;
}

static int encap_publish(const struct hd_api_ioam_encap *m)
{
	struct carried *c = &carried[m->policy_id];
	int rc = 0;

	if (c->state == NULL)
		c->state = calloc(1, sizeof(*c->state));
	if (c->state == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < N_SLOTS && rc == 0; i++)
		rc = slot_publish(m->policy_id, m, &slots[i]);
	return rc;
}

static int encap_apply(const void *msg, const void *old, struct object_error *err)
{
	int rc = encap_publish(msg);

	(void)old;
	return rc < 0 ? object_fail(err, rc, "out of memory") : 0;
}

static void encap_remove(const void *old)
{
	const struct hd_api_ioam_encap *m = old;
	struct carried *c = &carried[m->policy_id];

	for (unsigned i = 0; i < N_SLOTS; i++)
		if (slot_publish(m->policy_id, NULL, &slots[i]) < 0)
			return; /* no memory: the policy goes on as it is */
	rcu_retire(c->state, free);
	c->state = NULL;
}

/* ---- IOAM_NS --------------------------------------------------------------------------------------------------- */

static int ns_check(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_ioam_ns *m = msg;

	(void)old;
	if (m->ns > 0xffff)
		return object_fail(err, -EINVAL, "namespace %u has more than 16 bits", m->ns);
	if (m->node_id > 0xffffff || m->node_id_wide >> 56 != 0 || m->schema > 0xffffff)
		return object_fail(err, -EINVAL, "node ids have 24 and 56 bits, a schema 24");
	if (m->time_format > HD_IOAM_POSIX)
		return object_fail(err, -EINVAL, "time format %u is unknown", m->time_format);
	if (m->opaque_len > HD_IOAM_OPAQUE_MAX || m->opaque_len % 4 != 0)
		return object_fail(err, -EINVAL,
				   "an opaque snapshot of %u octets: multiples of 4 up to %u",
				   m->opaque_len, HD_IOAM_OPAQUE_MAX);
	return 0;
}

static int reroom(uint16_t type, const void *msg, size_t size, void *arg)
{
	const struct hd_api_ioam_encap *m = msg;

	(void)type;
	(void)size;
	return m->ns == *(const uint32_t *)arg ? encap_publish(m) : 0;
}

static int ns_apply(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_ioam_ns *m = msg;
	struct hd_api_ioam_ns *new = malloc(sizeof(*new)), *was = ns_table[m->ns];
	uint32_t ns = m->ns;

	if (new == NULL)
		return object_fail(err, -ENOMEM, "out of memory");
	*new = *m;
	__atomic_store_n(&ns_table[ns], new, __ATOMIC_RELEASE);
	rcu_retire(was, free);
	if (old != NULL) /* an opaque snapshot of another length needs another room */
		objects_walk(HD_API_IOAM_ENCAP, reroom, &ns);
	return 0;
}

static void ns_remove(const void *old)
{
	const struct hd_api_ioam_ns *m = old;
	struct hd_api_ioam_ns *was = ns_table[m->ns];

	__atomic_store_n(&ns_table[m->ns], NULL, __ATOMIC_RELEASE);
	rcu_retire(was, free);
}

/* ---- IOAM_IFACE ------------------------------------------------------------------------------------------------ */

static int iface_check(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_ioam_iface *m = msg;

	(void)old;
	if (m->iface_id == 0 || m->iface_id >= dp_limits.ifaces)
		return object_fail(err, -EINVAL, "iface_id %u is not 1 to %u", m->iface_id,
				   dp_limits.ifaces - 1);
	if ((m->flags & ~HD_IOAM_F_DECAP) != 0)
		return object_fail(err, -EINVAL, "unknown flags 0x%x", m->flags);
	return 0;
}

static unsigned iface_refs(const void *msg, struct object_ref *ref)
{
	const struct hd_api_ioam_iface *m = msg;

	memset(ref, 0, sizeof(*ref));
	ref->type = HD_API_IFACE;
	memcpy(ref->key, &m->iface_id, 4);
	return 1;
}

static int iface_apply(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_ioam_iface *m = msg;

	(void)old;
	(void)err;
	ifaces[m->iface_id].if_id = m->if_id;
	ifaces[m->iface_id].decap = (m->flags & HD_IOAM_F_DECAP) != 0;
	ifaces[m->iface_id].on = true;
	observe_set(m->iface_id, OBSERVE_IOAM, true);
	return 0;
}

static void iface_remove(const void *old)
{
	const struct hd_api_ioam_iface *m = old;

	ifaces[m->iface_id].on = false;
	observe_set(m->iface_id, OBSERVE_IOAM, false);
}

/* ---- set-up ---------------------------------------------------------------------------------------------------- */

#define KIND(TYPE, what, size_, ...)                                                             \
	{                                                                                        \
		.type = HD_API_IOAM_##TYPE, .name = "ioam-" #what, .key_size = 4, .min_size = 4, \
		.max_size = (size_), .check = what##_check, .apply = what##_apply,               \
		.remove = what##_remove, __VA_ARGS__                                             \
	}

static const struct object_kind kinds[] = {
	KIND(NS, ns, sizeof(struct hd_api_ioam_ns), .rank = 52, .capacity = HD_IOAM_NS_MAX),
	KIND(IFACE, iface, sizeof(struct hd_api_ioam_iface), .rank = 63, .refs = iface_refs),
	KIND(ENCAP, encap, sizeof(struct hd_api_ioam_encap), .rank = 62, .refs = encap_refs),
};

static int counters_init(void)
{
	static const char *const cols[] = { "traced",
					    "overflow",
					    "malformed",
					    "unknown-namespace",
					    "direct-exports",
					    "decapsulated",
					    "looped-back",
					    "terminated",
					    NULL };
	int vec = stats_vec_add("ioam", HD_STATS_WORKER, 1, cols, NULL);

	if (vec < 0)
		return vec;
	STATS_SLICES_FILL(ioam_counts, vec);
	return 0;
}

int ioam_init(void)
{
	int rc;

	memset(ns_table, 0, sizeof(ns_table));
	ioam_groups_reset();
	ifaces = calloc(dp_limits.ifaces, sizeof(*ifaces));
	carried = calloc(dp_limits.policies, sizeof(*carried));
	rc = ifaces == NULL || carried == NULL ? -ENOMEM : counters_init();
	if (rc == 0)
		rc = ioam_export_init();
	if (rc == 0)
		rc = debug_request_register(HD_API_IOAM_GROUPS, ioam_groups_request);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && rc == 0; i++)
		rc = object_kind_register(&kinds[i]);
	if (rc < 0)
		ioam_fini();
	return rc;
}

void ioam_fini(void)
{
	ioam_export_fini();
	free(ifaces);
	free(carried);
	ifaces = NULL;
	carried = NULL;
}
