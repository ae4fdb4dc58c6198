/* SPDX-License-Identifier: BSD-3-Clause
 * MAC addresses of all bridges: one rte_hash with lock-free readers, written by the control thread alone.  See bridge.h
 * for how workers tell it what they see.
 * Memory: about 3 MiB for HD_BRIDGE_MACS_MAX addresses, taken with the first bridge.  A full table learns no more;
 * frames to what it does not know are flooded, and vector "bridge" says how often (table-full). */
#include "pipelines/l2/bridge_mac.h"

#include <errno.h>
#include <rte_cycles.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_ring.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/debug_api.h"
#include "dataplane/dp_limits.h"
#include "dataplane/objects.h"
#include "dataplane/rcu.h"
#include "dataplane/stats.h"
#include "pipelines/l2/bridge.h"

#define RING_SIZE   1024u /* addresses told and not yet learned, per worker */
#define RECENT      256u  /* addresses a worker remembers to have told */
#define ROUND_TICKS 10u   /* ticks of 100 ms between two looks at the marks */

struct told {
	uint64_t key;
	uint64_t member;
};

struct teller {
	struct rte_ring *ring; /* of struct told, by value: two words an element */
	uint64_t recent[RECENT];
	uint64_t recent_round; /* recent[] is forgotten with each round */
} __rte_cache_aligned;

static struct rte_hash *table;
static struct bridge_mac *macs; /* by position in the table */
static uint16_t *age;           /* rounds since an address was last seen */
static struct teller *tellers[DP_WORKERS_MAX];
static uint64_t round_no; /* read by workers */

struct mac_count {
	uint64_t learned, moved, aged, told_lost, table_full;
};
static struct mac_count *count; /* the control thread's slice, row 0 */
static uint64_t *lost[DP_WORKERS_MAX];

/* ---- workers ------------------------------------------------------------------------------------------------- */

struct bridge_mac *bridge_mac_find(uint64_t key)
{
	struct rte_hash *t = __atomic_load_n(&table, __ATOMIC_ACQUIRE);
	int pos = t != NULL ? rte_hash_lookup(t, &key) : -ENOENT;

	return pos >= 0 && macs[pos].member != 0 ? &macs[pos] : NULL;
}

void bridge_mac_tell(unsigned worker, uint64_t key, uint16_t member)
{
	/* a packet that is only explained teaches nothing */
	struct teller *t = worker < dp_limits.workers ? tellers[worker] : NULL;
	uint64_t now = __atomic_load_n(&round_no, __ATOMIC_RELAXED);
	uint64_t mark = key ^ (uint64_t)member << 48;
	uint32_t h = rte_hash_crc_8byte(mark, 0) % RECENT;
	struct told one = { key, member };

	if (t == NULL)
		return;
	if (t->recent_round != now) {
		memset(t->recent, 0, sizeof(t->recent));
		t->recent_round = now;
	}
	if (t->recent[h] == mark)
		return;
	t->recent[h] = mark;
	if (rte_ring_sp_enqueue_elem(t->ring, &one, sizeof(one)) != 0) {
		t->recent[h] = 0;
		++*lost[worker];
	}
}

/* ---- control thread ------------------------------------------------------------------------------------------ */

static struct bridge_mac *set(uint64_t key, uint16_t member, bool is_static)
{
	int pos = rte_hash_lookup(table, &key);

	if (pos < 0) {
		pos = rte_hash_add_key(table, &key);
		if (pos < 0)
			return NULL;
		macs[pos] = (struct bridge_mac){ .seen = 1, .is_static = is_static };
	}
	age[pos] = 0;
	macs[pos].is_static = is_static;
	__atomic_store_n(&macs[pos].member, member, __ATOMIC_RELEASE);
	return &macs[pos];
}

static void forget(uint64_t key, int pos)
{
	__atomic_store_n(&macs[pos].member, 0, __ATOMIC_RELEASE);
	rte_hash_del_key(table, &key);
}

/* Is the member still one of this bridge? */
static bool belongs(uint64_t key, uint16_t member)
{
	const struct bridge *b = bridge_get((uint32_t)(key >> 48));

	for (unsigned i = 0; b != NULL && i < b->n; i++)
		if (b->member[i].member_id == member)
			return true;
	return false;
}

static void learn(const struct told *t)
{
	struct bridge_mac *e = bridge_mac_find(t->key);
	uint16_t member = (uint16_t)t->member;

	if ((e != NULL && (e->is_static || e->member == member)) || !belongs(t->key, member))
		return;
	if (e != NULL)
		count->moved++;
	if (set(t->key, member, false) == NULL)
		count->table_full++;
	else if (e == NULL)
		count->learned++;
}

static void hear(void)
{
	struct told one;

	for (unsigned w = 0; w < dp_limits.workers; w++)
		while (rte_ring_sc_dequeue_elem(tellers[w]->ring, &one, sizeof(one)) == 0)
			learn(&one);
}

static void look_round(struct hd_api_bridge *const conf[HD_BRIDGES_MAX])
{
	const void *key;
	void *data;
	uint32_t it = 0;
	int pos;

	while ((pos = rte_hash_iterate(table, &key, &data, &it)) >= 0) {
		struct bridge_mac *e = &macs[pos];
		uint64_t k = *(const uint64_t *)key;
		const struct hd_api_bridge *b = conf[k >> 48];
		uint32_t limit = b != NULL && b->ageing_s != 0 ? b->ageing_s : HD_BRIDGE_AGEING_S;

		if (e->is_static)
			continue;
		if (e->seen != 0) {
			e->seen = 0;
			age[pos] = 0;
		} else if (++age[pos] > limit) {
			forget(k, pos);
			count->aged++;
		}
	}
}

void bridge_mac_tick(struct hd_api_bridge *const conf[HD_BRIDGES_MAX])
{
	static unsigned turn;

	if (table == NULL)
		return;
	hear();
	if (++turn % ROUND_TICKS != 0)
		return;
	__atomic_store_n(&round_no, round_no + 1, __ATOMIC_RELAXED);
	look_round(conf);
}

void bridge_mac_flush(uint32_t bridge_id, uint32_t member_id)
{
	const void *key;
	void *data;
	uint32_t it = 0;
	int pos;

	while (table != NULL && (pos = rte_hash_iterate(table, &key, &data, &it)) >= 0) {
		uint64_t k = *(const uint64_t *)key;

		if (k >> 48 == bridge_id && !macs[pos].is_static &&
		    (member_id == 0 || macs[pos].member == member_id))
			forget(k, pos);
	}
}

/* ---- BRIDGE_MAC: static addresses ---------------------------------------------------------------------------- */

static int mac_check(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_bridge_mac *m = msg;
	const struct hd_api_bridge_port *p = object_find(HD_API_BRIDGE_PORT, &m->member_id);

	(void)old;
	if ((m->mac[0] & 1) != 0)
		return object_fail(err, -EINVAL, "a static MAC address is one station's");
	if (p != NULL && p->bridge_id != m->bridge_id)
		return object_fail(err, -EINVAL, "member %u is not one of bridge %u", m->member_id,
				   m->bridge_id);
	return 0;
}

static int mac_apply(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_bridge_mac *m = msg;

	(void)old;
	if (set(bridge_mac_key(m->bridge_id, m->mac), (uint16_t)m->member_id, true) == NULL)
		return object_fail(err, -ENOSPC, "the table of MAC addresses is full");
	return 0;
}

static void mac_remove(const void *old)
{
	const struct hd_api_bridge_mac *m = old;
	uint64_t key = bridge_mac_key(m->bridge_id, m->mac);
	int pos = rte_hash_lookup(table, &key);

	if (pos >= 0)
		forget(key, pos);
}

static unsigned mac_refs(const void *msg, struct object_ref *ref)
{
	const struct hd_api_bridge_mac *m = msg;

	memset(ref, 0, 2 * sizeof(*ref));
	ref[0].type = HD_API_BRIDGE;
	memcpy(ref[0].key, &m->bridge_id, sizeof(m->bridge_id));
	ref[1].type = HD_API_BRIDGE_PORT;
	memcpy(ref[1].key, &m->member_id, sizeof(m->member_id));
	return 2;
}

static const struct object_kind mac_kind = {
	.type = HD_API_BRIDGE_MAC,
	.rank = 64,
	.name = "static MAC address",
	.key_size = 12,
	.min_size = 16,
	.max_size = sizeof(struct hd_api_bridge_mac),
	.check = mac_check,
	.apply = mac_apply,
	.remove = mac_remove,
	.refs = mac_refs,
	.capacity = HD_BRIDGE_MACS_MAX,
};

/* BRIDGE_MAC_STATE: the table, entry by entry. */
static int mac_state(const void *body, size_t size, debug_send_fn send, void *arg,
		     struct hd_api_reply *reply)
{
	const void *key;
	void *data;
	uint32_t it = 0;
	int pos;

	(void)body;
	(void)size;
	(void)reply;
	while (table != NULL && (pos = rte_hash_iterate(table, &key, &data, &it)) >= 0) {
		uint64_t k = *(const uint64_t *)key;
		struct hd_api_bridge_mac_state s = { .bridge_id = (uint32_t)(k >> 48),
						     .member_id = macs[pos].member,
						     .age_s = macs[pos].seen != 0 ? 0 : age[pos],
						     .is_static = macs[pos].is_static };

		for (unsigned i = 0; i < 6; i++)
			s.mac[i] = (uint8_t)(k >> (40 - 8 * i));
		send(arg, HD_API_BRIDGE_MAC_STATE, &s, sizeof(s));
	}
	return 0;
}

/* ---- init ---------------------------------------------------------------------------------------------------- */

static int tellers_start(void)
{
	for (unsigned w = 0; w < dp_limits.workers; w++) {
		char name[32];
		struct teller *t;

		if (tellers[w] != NULL)
			continue;
		t = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*t));
		if (t == NULL)
			return -ENOMEM;
		memset(t, 0, sizeof(*t));
		snprintf(name, sizeof(name), "bridge-learn-%u", w);
		t->ring = rte_ring_create_elem(name, sizeof(struct told), RING_SIZE, SOCKET_ID_ANY,
					       RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (t->ring == NULL) {
			free(t);
			return -ENOMEM;
		}
		__atomic_store_n(&tellers[w], t, __ATOMIC_RELEASE);
	}
	return 0;
}

int bridge_mac_start(void)
{
	struct rte_hash_parameters p = {
		.name = "bridge-macs",
		.entries = HD_BRIDGE_MACS_MAX,
		.key_len = sizeof(uint64_t),
		.hash_func = rte_hash_crc,
		.socket_id = SOCKET_ID_ANY,
		.extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF |
			      RTE_HASH_EXTRA_FLAGS_EXT_TABLE,
	};
	struct rte_hash_rcu_config rcu = { .v = rcu_qsbr, .mode = RTE_HASH_QSBR_MODE_DQ };
	struct rte_hash *t;
	int32_t positions;

	if (table != NULL)
		return 0;
	if (tellers_start() < 0)
		return -ENOMEM;
	t = rte_hash_create(&p);
	if (t == NULL)
		return -ENOMEM;
	if (rcu_qsbr != NULL && rte_hash_rcu_qsbr_add(t, &rcu) != 0)
		goto fail;
	positions = rte_hash_max_key_id(t) + 1;
	macs = calloc((size_t)positions, sizeof(*macs));
	age = calloc((size_t)positions, sizeof(*age));
	if (macs == NULL || age == NULL)
		goto fail;
	__atomic_store_n(&table, t, __ATOMIC_RELEASE);
	return 0;
fail:
	free(macs);
	free(age);
	macs = NULL;
	age = NULL;
	rte_hash_free(t);
	return -ENOMEM;
}

int bridge_mac_init(void)
{
	static const char *const cols[] = { "learned",   "moved",      "aged",
					    "told-lost", "table-full", NULL };
	int vec, rc;

	vec = stats_vec_add("bridge", HD_STATS_COUNTER, 1, cols, NULL);
	if (vec < 0)
		return vec;
	for (unsigned w = 0; w < dp_limits.workers; w++)
		lost[w] = &((struct mac_count *)stats_slice(vec, w))->told_lost;
	count = (struct mac_count *)stats_slice(vec, dp_limits.workers);
	rc = debug_request_register(HD_API_BRIDGE_MAC_STATE, mac_state);
	return rc < 0 ? rc : object_kind_register(&mac_kind);
}

void bridge_mac_fini(void)
{
	struct rte_hash *t = table;

	table = NULL;
	rte_hash_free(t);
	free(macs);
	free(age);
	macs = NULL;
	age = NULL;
	for (unsigned w = 0; w < DP_WORKERS_MAX; w++) {
		if (tellers[w] != NULL)
			rte_ring_free(tellers[w]->ring);
		free(tellers[w]);
		tellers[w] = NULL;
	}
}
