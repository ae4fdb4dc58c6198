/* SPDX-License-Identifier: BSD-3-Clause
 * Object kind PM_SESSION (include/heddle/api/pm_session.h) and the tables made of it.  Control thread, but for what
 * sender.h gives to workers.  Memory: about 22 KiB a session, most of it two bins of three distributions. */
#include "pipelines/pm/sender.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_cycles.h>
#include <rte_malloc.h>
#include <rte_ring_elem.h>

#include "dataplane/api_server.h"
#include "dataplane/objects.h"
#include "dataplane/punt.h"
#include "dataplane/rcu.h"
#include "dataplane/tables/slab.h"
#include "dataplane/wallclock.h"
#include "dataplane/worker.h"
#include "heddle/api/ip.h"
#include "heddle/api/pm.h"
#include "pipelines/ip/ip.h"
#include "pipelines/ip/ip_local.h"
#include "pipelines/srv6/srv6.h"

#define SLOT_SHIFT   14u /* of the wheel: about 6 us */
#define REPLIES_RING 4096u

struct slots *sender_sessions;
uint64_t sender_epoch;
struct sender_count *sender_counts[STATS_SLICES_MAX];
struct sender_worker *sender_workers[STATS_SLICES_MAX];
int sender_punt_event = -1;

static struct slab session_slab;
static uint16_t by_ssid[65536]; /* session_id; 0: none */
static uint16_t by_port[65536]; /* session_id where a port is one session's alone */
static struct {
	uint32_t n, sum; /* sessions that use it, and the sum of their ids: of one, its id */
} port_users[65536];

uint32_t sender_find(uint16_t port, uint16_t ssid)
{
	return ssid != 0 ? __atomic_load_n(&by_ssid[ssid], __ATOMIC_ACQUIRE) :
			   __atomic_load_n(&by_port[port], __ATOMIC_ACQUIRE);
}

/* ---- check ------------------------------------------------------------------------------------------------------- */

struct same {
	const struct hd_api_pm_session *m;
	uint32_t id;
};

/* A port without SSID is one session's alone. */
static int shares_port(uint16_t type, const void *msg, size_t size, void *arg)
{
	const struct hd_api_pm_session *o = msg;
	struct same *s = arg;

	(void)type;
	(void)size;
	if (o->session_id == s->m->session_id)
		return 0;
	if ((o->ssid != 0 && o->ssid == s->m->ssid) ||
	    (o->src_port == s->m->src_port && (o->ssid == 0 || s->m->ssid == 0))) {
		s->id = o->session_id;
		return 1;
	}
	return 0;
}

static bool alone_without_ssid(uint16_t port)
{
	const struct sender_session *s = sender_session_get(by_port[port]);

	return s != NULL && s->ssid == 0;
}

static int sender_check(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_pm_session *m = msg;
	struct same same = { .m = m };
	struct sender_packet *p;
	const char *why = NULL;
	int rc;

	if (m->session_id == 0 || m->session_id >= HD_PM_SENDERS_MAX)
		return object_fail(err, -ENOSPC, "session_id %u is not 1 to %u", m->session_id,
				   HD_PM_SENDERS_MAX - 1);
	if (m->src_port == 0 || m->dst_port == 0)
		return object_fail(err, -EINVAL, "UDP port 0");
	if (m->interval_us < HD_PM_INTERVAL_MIN_US || m->timeout_ms == 0)
		return object_fail(err, -EINVAL, "an interval of %u us is not at least %u us",
				   m->interval_us, HD_PM_INTERVAL_MIN_US);
	if (session_window(m->interval_us, m->timeout_ms * 1000ull) == 0)
		return object_fail(
			err, -EINVAL,
			"more than %u packets would be under way: a shorter timeout or a "
			"longer interval",
			HD_PM_WINDOW_MAX);
	if ((m->flags & HD_PM_S_ONCE) != 0 && m->count == 0)
		return object_fail(err, -EINVAL, "how many packets?");
	if (slots_get(vrf_slots, m->vrf_id) == NULL && m->vrf_id == 0)
		return object_fail(err, -ENOENT, "no VRF 0");
	p = malloc(sizeof(*p));
	if (p == NULL)
		return object_fail(err, -ENOMEM, "out of memory");
	rc = sender_packet_build(m, p, &why);
	free(p);
	if (rc < 0)
		return object_fail(err, rc, "%s", why);
	if (old == NULL || ((const struct hd_api_pm_session *)old)->ssid != m->ssid ||
	    ((const struct hd_api_pm_session *)old)->src_port != m->src_port) {
		/* the tables answer at once but for sessions without SSID, which are few */
		uint32_t id = m->ssid != 0 ? by_ssid[m->ssid] : 0;

		if (id == 0 && (m->ssid == 0 || alone_without_ssid(m->src_port)))
			objects_walk(HD_API_PM_SESSION, shares_port, &same);
		id = id != 0 ? id : same.id;
		if (id != 0 && id != m->session_id)
			return object_fail(
				err, -EEXIST,
				"session %u has the same SSID, or the local port without one", id);
	}
	return 0;
}

static unsigned sender_refs(const void *msg, struct object_ref *ref)
{
	const struct hd_api_pm_session *m = msg;
	unsigned n = 0;

	memset(ref, 0, 4 * sizeof(*ref));
	if (m->key_id != 0) {
		ref[n].type = HD_API_PM_KEY;
		memcpy(ref[n++].key, &m->key_id, 4);
	}
	if (m->vrf_id != 0) {
		ref[n].type = HD_API_VRF;
		memcpy(ref[n++].key, &m->vrf_id, 4);
	}
	if (m->flags & HD_PM_S_LINK) {
		ref[n].type = ref[n + 1].type = HD_API_IFACE;
		memcpy(ref[n++].key, &m->egress_iface, 4);
		memcpy(ref[n++].key, &m->ingress_iface, 4);
	}
	return n;
}

/* ---- apply ------------------------------------------------------------------------------------------------------- */

static void sender_free(void *p)
{
	if (p == NULL)
		return;
	hmac_wipe(&((struct sender_session *)p)->how.key, sizeof(struct hmac_key));
	slab_put(&session_slab, p);
}

/* Is what is measured still the same? */
static bool same_session(const struct hd_api_pm_session *a, const struct hd_api_pm_session *b)
{
	struct hd_api_pm_session x = *a, y = *b;

	x.n_down = y.n_down = x.n_up = y.n_up = 0;
	x.key_id = y.key_id = x.seglist_id = y.seglist_id = 0;
	return memcmp(&x, &y, sizeof(x)) == 0;
}

static uint32_t asked_for(const struct hd_api_pm_session *m)
{
	static const struct {
		uint32_t flag, type;
	} t[] = { { HD_PM_S_LOCATION, STAMP_TLV_LOCATION },
		  { HD_PM_S_TIMESTAMP, STAMP_TLV_TIMESTAMP },
		  { HD_PM_S_COS, STAMP_TLV_COS },
		  { HD_PM_S_DIRECT, STAMP_TLV_DIRECT },
		  { HD_PM_S_ACCESS, STAMP_TLV_ACCESS },
		  { HD_PM_S_FOLLOW_UP, STAMP_TLV_FOLLOW_UP },
		  { HD_PM_S_DEST_NODE, STAMP_TLV_DEST_NODE } };
	uint32_t asked = m->padding != 0 && !(m->flags & HD_PM_S_LIGHT) ? 1u << STAMP_TLV_PADDING :
									  0;

	for (unsigned i = 0; i < RTE_DIM(t); i++)
		if (m->flags & t[i].flag)
			asked |= 1u << t[i].type;
	if (m->n_return != 0 ||
	    m->flags & (HD_PM_S_RETURN_ADDR | HD_PM_S_SAME_LINK | HD_PM_S_NO_REPLY))
		asked |= 1u << STAMP_TLV_RETURN_PATH;
	return asked;
}

static struct sender_session *sender_make(const struct hd_api_pm_session *m)
{
	const struct hd_api_pm_key *k = m->key_id != 0 ? object_find(HD_API_PM_KEY, &m->key_id) :
							 NULL;
	struct sender_session *s = slab_get(&session_slab, sizeof(*s));
	uint64_t hz = rte_get_tsc_hz();
	const char *why;

	if (s == NULL)
		return NULL;
	memset(s, 0, sizeof(*s));
	s->id = m->session_id;
	s->vrf = m->vrf_id;
	s->src_port = m->src_port;
	s->dst_port = m->dst_port;
	s->ssid = m->ssid;
	s->family = m->family;
	memcpy(s->src, m->src, 16);
	memcpy(s->dst, m->dst, 16);
	s->egress = m->egress_iface;
	s->ingress = m->ingress_iface;
	s->offset_error_ns = m->offset_error_ns;
	s->conf = (struct session_conf){ .interval = m->interval_us * hz / 1000000u,
					 .timeout = m->timeout_ms * hz / 1000u,
					 .flags = m->flags,
					 .count = m->flags & HD_PM_S_ONCE ? m->count : 0,
					 .n_down = m->n_down,
					 .n_up = m->n_up,
					 .offset_ns = m->offset_ns };
	sender_packet_build(m, &s->packet, &why); /* the check has passed: cannot fail */
	s->how = (struct sender_how){ .flags = m->flags,
				      .has_key = k != NULL,
				      .hmac_tlv = s->packet.hmac_tlv != 0,
				      .asked = asked_for(m) };
	if (k != NULL) {
		hmac_key_init(&s->how.key, k->secret, k->len);
		s->key = &s->how.key;
	}
	return s;
}

static void port_alone(uint16_t port)
{
	uint32_t id = port_users[port].n == 1 ? port_users[port].sum : 0;

	__atomic_store_n(&by_port[port], (uint16_t)id, __ATOMIC_RELEASE);
}

static int port_take(uint16_t port, uint32_t id)
{
	if (port_users[port].n == 0 && ip_local_register(IP_NH_UDP, port, IP_LOCAL_STAMP_REPLY) < 0)
		return -EADDRINUSE;
	port_users[port].n++;
	port_users[port].sum += id;
	port_alone(port);
	return 0;
}

static void port_give(uint16_t port, uint32_t id)
{
	port_users[port].sum -= id;
	if (--port_users[port].n == 0)
		ip_local_unregister(IP_NH_UDP, port);
	port_alone(port);
}

static void ssid_set(uint16_t ssid, uint32_t id)
{
	if (ssid != 0)
		__atomic_store_n(&by_ssid[ssid], (uint16_t)id, __ATOMIC_RELEASE);
}

static void tell_owner(uint32_t id)
{
	struct sender_worker *w = sender_workers[sender_owner(id)];

	rte_ring_sp_enqueue(w->changed, (void *)(uintptr_t)id); /* room for all ids, twice */
}

static int sender_apply(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_pm_session *m = msg, *was = old;
	struct sender_session *s = sender_make(m), *before = sender_session_get(m->session_id);
	bool keep = was != NULL && before != NULL && same_session(m, was);

	if (s == NULL)
		return object_fail(err, -ENOMEM, "out of memory");
	if (port_take(m->src_port, m->session_id) < 0) {
		sender_free(s);
		return object_fail(err, -EADDRINUSE, "UDP port %u serves something else",
				   m->src_port);
	}
	s->state = keep ? before->state :
			  session_create(session_window(m->interval_us, m->timeout_ms * 1000ull),
					 wallclock_at(wallclock_get(), rte_rdtsc()));
	if (s->state == NULL) {
		port_give(m->src_port, m->session_id);
		sender_free(s);
		return object_fail(err, -ENOMEM, "out of memory");
	}
	if (was != NULL) {
		if (before != NULL && !keep)
			rcu_retire(before->state, session_destroy);
		ssid_set(was->ssid, 0);
		port_give(was->src_port, was->session_id);
	}
	ssid_set(m->ssid, m->session_id);
	slots_set(sender_sessions, m->session_id, s, sender_free);
	tell_owner(m->session_id);
	return 0;
}

static void sender_remove(const void *old)
{
	const struct hd_api_pm_session *m = old;
	struct sender_session *s = sender_session_get(m->session_id);

	ssid_set(m->ssid, 0);
	port_give(m->src_port, m->session_id);
	if (s != NULL)
		rcu_retire(s->state, session_destroy);
	slots_set(sender_sessions, m->session_id, NULL, sender_free);
	if (m->seglist_id != 0)
		srv6_seglist_liveness(m->seglist_id, true);
}

/* A key that changes takes its users with it. */
static int rekey(uint16_t type, const void *msg, size_t size, void *arg)
{
	const struct hd_api_pm_session *m = msg;
	struct sender_session *s, *before = sender_session_get(m->session_id);

	(void)type;
	(void)size;
	if (m->key_id != *(const uint32_t *)arg || before == NULL)
		return 0;
	s = sender_make(m);
	if (s == NULL)
		return 0; /* the old key then goes on */
	s->state = before->state;
	slots_set(sender_sessions, m->session_id, s, sender_free);
	return 0;
}

void sender_rekey(uint32_t key_id)
{
	objects_walk(HD_API_PM_SESSION, rekey, &key_id);
}

static const struct object_kind kind = {
	.type = HD_API_PM_SESSION,
	.rank = 67,
	.name = "pm-session",
	.key_size = 4,
	.min_size = 120,
	.max_size = sizeof(struct hd_api_pm_session),
	.check = sender_check,
	.apply = sender_apply,
	.remove = sender_remove,
	.refs = sender_refs,
	.capacity = HD_PM_SENDERS_MAX - 1,
};

/* ---- events ------------------------------------------------------------------------------------------------------ */

/* A session came up or went down: its segment list is spared here and now, whoever listens is told. */
static void on_event(struct rte_mbuf *m, void *arg)
{
	struct hd_api_event ev = { .kind = HD_EVENT_PM_SESSION };
	struct hd_api_pm_session_event e;
	struct sender_event seen;
	const struct hd_api_pm_session *msg;

	(void)arg;
	memcpy(&seen, rte_pktmbuf_mtod(m, const void *), sizeof(seen));
	rte_pktmbuf_free(m);
	msg = object_find(HD_API_PM_SESSION, &seen.id);
	if (msg == NULL)
		return;
	if (msg->seglist_id != 0)
		srv6_seglist_liveness(msg->seglist_id, seen.liveness != HD_PM_DOWN);
	e = (struct hd_api_pm_session_event){ .session_id = seen.id,
					      .liveness = seen.liveness,
					      .detect_ns = seen.detect_ns,
					      .time_ns = seen.time_ns };
	memcpy(ev.u.room, &e, sizeof(e));
	api_server_event(&ev);
}

/* ---- set-up ------------------------------------------------------------------------------------------------------ */

static void worker_free(struct sender_worker *w)
{
	if (w == NULL)
		return;
	rte_ring_free(w->changed);
	rte_ring_free(w->replies);
	free(w->entry);
	free(w);
}

static struct sender_worker *worker_make(unsigned id)
{
	struct sender_worker *w = aligned_alloc(64, (sizeof(*w) + 63) / 64 * 64);
	char name[32];

	if (w == NULL)
		return NULL;
	memset(w, 0, sizeof(*w));
	w->entry = calloc(2 * HD_PM_SENDERS_MAX, sizeof(*w->entry));
	snprintf(name, sizeof(name), "pm-changed%u", id);
	w->changed = rte_ring_create(name, 2 * HD_PM_SENDERS_MAX, SOCKET_ID_ANY,
				     RING_F_SP_ENQ | RING_F_SC_DEQ);
	if (dp_limits.workers > 1) {
		snprintf(name, sizeof(name), "pm-replies%u", id);
		w->replies = rte_ring_create_elem(name, (sizeof(struct sender_reply) + 3) / 4 * 4,
						  REPLIES_RING, SOCKET_ID_ANY, RING_F_SC_DEQ);
	}
	if (w->entry == NULL || w->changed == NULL ||
	    (dp_limits.workers > 1 && w->replies == NULL)) {
		worker_free(w);
		return NULL;
	}
	w->random = rte_rdtsc() | 1;
	wheel_init(&w->wheel, w->entry, SLOT_SHIFT, rte_rdtsc());
	return w;
}

int sender_init(void)
{
	static const char *const cols[] = { "sent",      "received", "lost",   "late", "duplicate",
					    "reordered", "bad",      "octets", NULL };
	uint32_t idx;
	int vec;

	memset(by_ssid, 0, sizeof(by_ssid));
	memset(by_port, 0, sizeof(by_port));
	memset(port_users, 0, sizeof(port_users));
	sender_epoch = 0;
	sender_sessions = slots_create(HD_PM_SENDERS_MAX);
	if (sender_sessions == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < HD_PM_SENDERS_MAX; i++)
		slots_alloc(sender_sessions, &idx);
	for (unsigned i = 0; i < dp_limits.workers; i++) {
		sender_workers[i] = worker_make(i);
		if (sender_workers[i] == NULL)
			goto fail;
	}
	vec = stats_vec_add("pm-session", HD_STATS_COUNTER, HD_PM_SENDERS_MAX, cols, NULL);
	if (vec < 0)
		goto fail;
	STATS_SLICES_FILL(sender_counts, vec);
	sender_punt_event = punt_reason_register("pm-session",
						 "a measured path came up or went down", 100000,
						 20000, on_event, NULL);
	if (sender_punt_event < 0 || object_kind_register(&kind) < 0 || sender_state_init() < 0)
		goto fail;
	return 0;
fail:
	sender_fini();
	return -ENOMEM;
}

void sender_fini(void)
{
	for (unsigned i = 0; i < STATS_SLICES_MAX; i++) {
		worker_free(sender_workers[i]);
		sender_workers[i] = NULL;
	}
	if (sender_sessions != NULL)
		slots_destroy(sender_sessions, sender_free);
	sender_sessions = NULL;
}
