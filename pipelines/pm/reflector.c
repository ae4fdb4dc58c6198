/* SPDX-License-Identifier: BSD-3-Clause
 * Object kinds PM_KEY, PM_REFLECTOR and PM_REFLECTOR_SESSION (include/heddle/api/pm.h), and the tables made of them.
 * Control thread only, but for the two _find() functions.  Memory: about 350 octets per session. */
#include "pipelines/pm/reflector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>

#include "dataplane/objects.h"
#include "dataplane/rcu.h"
#include "dataplane/stats.h"
#include "heddle/api/pm.h"
#include "heddle/wire/ip4.h"
#include "pipelines/ip/ip.h"
#include "pipelines/ip/ip_local.h"
#include "pipelines/pm/capacity.h"
#include "pipelines/pm/sender.h"

#define PORT_FLAGS                                                                 \
	(HD_PM_F_PTP | HD_PM_F_AUTHENTICATED | HD_PM_F_NO_TLV | HD_PM_F_HMAC_TLV | \
	 HD_PM_F_HIDE_LOCATION | HD_PM_F_UNPROVISIONED | HD_PM_F_DSCP_ANY)
#define SESSION_FLAGS ((PORT_FLAGS & ~HD_PM_F_UNPROVISIONED) | HD_PM_F_STATEFUL)
#define BURST_S       0.01 /* a limited sender may run ahead by so much */

struct session_key {
	uint16_t udp_port, ssid;
	uint8_t family, pad[3];
	uint8_t source[16];
};
static_assert(sizeof(struct session_key) == 24, "no hidden padding");

static struct rte_hash *sessions; /* session_key -> struct reflector_session */
static struct reflector_port *ports[HD_PM_REFLECTORS_MAX + 1];
static uint8_t port_index[65536]; /* into ports; 0: none */
struct reflector_count *reflector_counts[STATS_SLICES_MAX];

const struct reflector_port *reflector_port_find(uint16_t udp_port)
{
	return __atomic_load_n(&ports[port_index[udp_port]], __ATOMIC_ACQUIRE);
}

struct reflector_session *reflector_session_find(uint16_t udp_port, uint16_t ssid, unsigned family,
						 const uint8_t *addr)
{
	struct session_key k = { .udp_port = udp_port, .ssid = ssid, .family = (uint8_t)family };
	void *s = NULL;

	memcpy(k.source, addr, family == 4 ? 4 : 16);
	return rte_hash_lookup_data(sessions, &k, &s) < 0 ? NULL : s;
}

/* ---- shared by ports and sessions -------------------------------------------------------------------------------- */

static int how_check(uint32_t flags, uint32_t allowed, uint32_t key_id, struct object_error *err)
{
	if ((flags & ~allowed) != 0)
		return object_fail(err, -EINVAL, "flags 0x%x are unknown or not for this object",
				   flags & ~allowed);
	if ((flags & (HD_PM_F_AUTHENTICATED | HD_PM_F_HMAC_TLV)) != 0 && key_id == 0)
		return object_fail(err, -EINVAL, "authentication needs a key");
	return 0;
}

static unsigned how_refs(uint32_t key_id, struct object_ref *ref)
{
	if (key_id == 0)
		return 0;
	memset(ref, 0, sizeof(*ref));
	ref->type = HD_API_PM_KEY;
	memcpy(ref->key, &key_id, sizeof(key_id));
	return 1;
}

static void how_make(struct reflector *r, uint32_t flags, uint32_t key_id)
{
	const struct hd_api_pm_key *k = key_id != 0 ? object_find(HD_API_PM_KEY, &key_id) : NULL;

	*r = (struct reflector){
		.ts_method = STAMP_TS_SW,
		.ptp = flags & HD_PM_F_PTP,
		.stateful = flags & HD_PM_F_STATEFUL,
		.authenticated = flags & HD_PM_F_AUTHENTICATED,
		.tlvs = (flags & HD_PM_F_NO_TLV) == 0,
		.hmac_tlv = flags & HD_PM_F_HMAC_TLV,
		.hide_location = flags & HD_PM_F_HIDE_LOCATION,
		.has_key = k != NULL,
		.dscp_allowed = flags & HD_PM_F_DSCP_ANY ? UINT64_MAX : 0,
	};
	if (k != NULL)
		hmac_key_init(&r->key, k->secret, k->len);
}

static struct pace pace_make(uint32_t rate_pps)
{
	uint64_t hz = rte_get_tsc_hz();

	if (rate_pps == 0)
		return (struct pace){ 0 };
	return (struct pace){ .cost = RTE_MAX(hz / rate_pps, 1u),
			      .slack = RTE_MAX((uint64_t)((double)hz * BURST_S), hz / rate_pps) };
}

/* ---- PM_KEY ------------------------------------------------------------------------------------------------------ */

static int key_check(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_pm_key *m = msg;

	(void)old;
	if (m->key_id == 0 || m->key_id >= HD_PM_KEYS_MAX)
		return object_fail(err, -EINVAL, "key_id %u is not 1 to %u", m->key_id,
				   HD_PM_KEYS_MAX - 1);
	if (m->len == 0 || m->len > HD_PM_KEY_LEN_MAX)
		return object_fail(err, -EINVAL, "a key of %u octets is not 1 to %u long", m->len,
				   HD_PM_KEY_LEN_MAX);
	return 0;
}

/* A key that changes takes its users with it. */
static int rekey_port(uint16_t type, const void *msg, size_t size, void *arg);
static int rekey_session(uint16_t type, const void *msg, size_t size, void *arg);

static int key_apply(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_pm_key *m = msg;
	uint32_t id = m->key_id;

	(void)err;
	if (old == NULL)
		return 0;
	objects_walk(HD_API_PM_REFLECTOR, rekey_port, &id);
	objects_walk(HD_API_PM_REFLECTOR_SESSION, rekey_session, &id);
	sender_rekey(id);
	capacity_rekey(id);
	return 0;
}

static void key_remove(const void *old)
{
	(void)old; /* nobody refers to it any more */
}

/* ---- PM_REFLECTOR ------------------------------------------------------------------------------------------------ */

static void port_free(void *p)
{
	if (p != NULL)
		hmac_wipe(p, sizeof(struct reflector_port));
	free(p);
}

static int port_check(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_pm_reflector *m = msg;

	(void)old;
	if (m->udp_port == 0 || m->udp_port > 65535)
		return object_fail(err, -EINVAL, "UDP port %u is not 1 to 65535", m->udp_port);
	return how_check(m->flags, PORT_FLAGS, m->key_id, err);
}

static unsigned port_refs(const void *msg, struct object_ref *ref)
{
	return how_refs(((const struct hd_api_pm_reflector *)msg)->key_id, ref);
}

static int port_publish(const struct hd_api_pm_reflector *m)
{
	struct reflector_port *p = calloc(1, sizeof(*p)), *was;
	unsigned at = port_index[m->udp_port];

	if (p == NULL)
		return -ENOMEM;
	how_make(&p->how, m->flags, m->key_id);
	p->pace = pace_make(m->rate_pps);
	p->udp_port = (uint16_t)m->udp_port;
	p->unprovisioned = m->flags & HD_PM_F_UNPROVISIONED;
	for (unsigned i = 1; at == 0 && i < RTE_DIM(ports); i++)
		if (ports[i] == NULL)
			at = i;
	was = ports[at];
	__atomic_store_n(&ports[at], p, __ATOMIC_RELEASE);
	port_index[m->udp_port] = (uint8_t)at;
	rcu_retire(was, port_free);
	return 0;
}

static int port_apply(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_pm_reflector *m = msg;
	int rc = old != NULL ? 0 :
			       ip_local_register(IP_NH_UDP, (uint16_t)m->udp_port, IP_LOCAL_STAMP);

	if (rc < 0)
		return object_fail(err, -EADDRINUSE, "UDP port %u serves something else",
				   m->udp_port);
	rc = port_publish(m);
	if (rc < 0 && old == NULL)
		ip_local_unregister(IP_NH_UDP, (uint16_t)m->udp_port);
	return rc < 0 ? object_fail(err, rc, "out of memory") : 0;
}

static void port_remove(const void *old)
{
	const struct hd_api_pm_reflector *m = old;
	unsigned at = port_index[m->udp_port];
	struct reflector_port *was = ports[at];

	ip_local_unregister(IP_NH_UDP, (uint16_t)m->udp_port);
	port_index[m->udp_port] = 0;
	__atomic_store_n(&ports[at], NULL, __ATOMIC_RELEASE);
	rcu_retire(was, port_free);
}

static int rekey_port(uint16_t type, const void *msg, size_t size, void *arg)
{
	const struct hd_api_pm_reflector *m = msg;

	(void)type;
	(void)size;
	return m->key_id == *(const uint32_t *)arg ? port_publish(m) : 0;
}

/* ---- PM_REFLECTOR_SESSION ---------------------------------------------------------------------------------------- */

static void session_free(void *p)
{
	if (p != NULL)
		hmac_wipe(p, sizeof(struct reflector_session));
	free(p);
}

static struct session_key session_key(const struct hd_api_pm_reflector_session *m)
{
	struct session_key k = { .udp_port = m->udp_port, .ssid = m->ssid, .family = m->family };

	memcpy(k.source, m->source, m->family == 4 ? 4 : 16);
	return k;
}

static int session_check(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_pm_reflector_session *m = msg;
	const struct reflector_session *other;

	(void)old;
	if (m->session_id >= PM_SESSIONS_MAX)
		return object_fail(err, -ENOSPC, "session_id %u is not below %u", m->session_id,
				   PM_SESSIONS_MAX);
	if (m->family != 4 && m->family != 6)
		return object_fail(err, -EINVAL, "family %u is neither 4 nor 6", m->family);
	other = reflector_session_find(m->udp_port, m->ssid, m->family, m->source);
	if (other != NULL && other->session_id != m->session_id)
		return object_fail(err, -EEXIST, "session %u has the same port, SSID and source",
				   other->session_id);
	return how_check(m->flags, SESSION_FLAGS, m->key_id, err);
}

static unsigned session_refs(const void *msg, struct object_ref *ref)
{
	const struct hd_api_pm_reflector_session *m = msg;
	uint32_t port = m->udp_port;
	unsigned n = how_refs(m->key_id, ref);

	memset(&ref[n], 0, sizeof(ref[n]));
	ref[n].type = HD_API_PM_REFLECTOR;
	memcpy(ref[n].key, &port, sizeof(port));
	return n + 1;
}

/* state NULL: a fresh one. */
static int session_publish(const struct hd_api_pm_reflector_session *m,
			   struct reflector_state *state)
{
	struct session_key k = session_key(m);
	struct reflector_session *s = calloc(1, sizeof(*s)), *was;
	struct reflector_state *own = state;
	int rc = -ENOMEM;

	if (s == NULL)
		return -ENOMEM;
	if (own == NULL)
		own = aligned_alloc(64, sizeof(*own));
	if (own == NULL)
		goto fail;
	if (state == NULL)
		memset(own, 0, sizeof(*own));
	how_make(&s->how, m->flags, m->key_id);
	s->pace = pace_make(m->rate_pps);
	s->session_id = m->session_id;
	s->state = own;
	was = reflector_session_find(m->udp_port, m->ssid, m->family, m->source);
	rc = rte_hash_add_key_data(sessions, &k, s);
	if (rc < 0)
		goto fail;
	rcu_retire(was, session_free);
	return 0;
fail:
	if (own != state)
		free(own);
	session_free(s);
	return rc;
}

/* Returns its state, which is the caller's now. */
static struct reflector_state *session_unpublish(const struct hd_api_pm_reflector_session *m)
{
	struct reflector_session *was =
		reflector_session_find(m->udp_port, m->ssid, m->family, m->source);
	struct session_key k = session_key(m);
	struct reflector_state *state = was != NULL ? was->state : NULL;

	rte_hash_del_key(sessions, &k);
	rcu_retire(was, session_free);
	return state;
}

static int session_apply(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_pm_reflector_session *m = msg, *was = old;
	struct session_key now = session_key(m), before = was != NULL ? session_key(was) : now;
	struct reflector_session *s = NULL;
	int rc;

	if (was != NULL && memcmp(&now, &before, sizeof(now)) == 0)
		s = reflector_session_find(m->udp_port, m->ssid, m->family, m->source);
	rc = session_publish(m, s != NULL ? s->state : NULL);
	if (rc < 0)
		return object_fail(
			err, rc, rc == -ENOSPC ? "the table of sessions is full" : "out of memory");
	if (was != NULL && s == NULL) /* other packets now: its counters begin anew */
		rcu_retire(session_unpublish(was), free);
	return 0;
}

static void session_remove(const void *old)
{
	rcu_retire(session_unpublish(old), free);
}

static int rekey_session(uint16_t type, const void *msg, size_t size, void *arg)
{
	const struct hd_api_pm_reflector_session *m = msg;
	struct reflector_session *s;

	(void)type;
	(void)size;
	if (m->key_id != *(const uint32_t *)arg)
		return 0;
	s = reflector_session_find(m->udp_port, m->ssid, m->family, m->source);
	return session_publish(m, s != NULL ? s->state : NULL);
}

/* ---- set-up ------------------------------------------------------------------------------------------------------ */

static const struct object_kind kinds[] = {
	{ .type = HD_API_PM_KEY,
	  .rank = 64,
	  .name = "pm-key",
	  .key_size = 4,
	  .min_size = 8,
	  .max_size = sizeof(struct hd_api_pm_key),
	  .check = key_check,
	  .apply = key_apply,
	  .remove = key_remove,
	  .capacity = HD_PM_KEYS_MAX },
	{ .type = HD_API_PM_REFLECTOR,
	  .rank = 65,
	  .name = "pm-reflector",
	  .key_size = 4,
	  .min_size = 8,
	  .max_size = sizeof(struct hd_api_pm_reflector),
	  .check = port_check,
	  .apply = port_apply,
	  .remove = port_remove,
	  .refs = port_refs,
	  .capacity = HD_PM_REFLECTORS_MAX },
	{ .type = HD_API_PM_REFLECTOR_SESSION,
	  .rank = 66,
	  .name = "pm-reflector-session",
	  .key_size = 4,
	  .min_size = 28,
	  .max_size = sizeof(struct hd_api_pm_reflector_session),
	  .check = session_check,
	  .apply = session_apply,
	  .remove = session_remove,
	  .refs = session_refs,
	  .capacity = PM_SESSIONS_MAX },
};

int reflector_init(void)
{
	static const char *const cols[] = { "packets", "octets", "refused", NULL };
	const struct rte_hash_parameters p = {
		.name = "pm-reflector-session",
		.entries = PM_SESSIONS_MAX,
		.key_len = sizeof(struct session_key),
		.hash_func = rte_hash_crc,
		.extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF |
			      RTE_HASH_EXTRA_FLAGS_EXT_TABLE,
		.socket_id = SOCKET_ID_ANY,
	};
	struct rte_hash_rcu_config rcu = { .v = rcu_qsbr, .mode = RTE_HASH_QSBR_MODE_DQ };
	int vec, rc = 0;

	memset(ports, 0, sizeof(ports));
	memset(port_index, 0, sizeof(port_index));
	sessions = rte_hash_create(&p);
	if (sessions == NULL)
		return -rte_errno;
	if (rte_hash_rcu_qsbr_add(sessions, &rcu) != 0) {
		rc = -rte_errno;
		goto free_hash;
	}
	vec = stats_vec_add("pm-reflector-session", HD_STATS_COUNTER, PM_SESSIONS_MAX, cols, NULL);
	if (vec < 0) {
		rc = vec;
		goto free_hash;
	}
	STATS_SLICES_FILL(reflector_counts, vec);
	for (unsigned i = 0; i < RTE_DIM(kinds) && rc == 0; i++)
		rc = object_kind_register(&kinds[i]);
	if (rc == 0)
		return 0;
free_hash:
	rte_hash_free(sessions);
	sessions = NULL;
	return rc;
}

void reflector_fini(void)
{
	rte_hash_free(sessions);
	sessions = NULL;
}
