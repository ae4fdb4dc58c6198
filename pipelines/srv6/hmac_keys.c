/* SPDX-License-Identifier: BSD-3-Clause
 * Object kind SRV6_HMAC_KEY: keys of the HMAC TLV, and the table of those that are valid now.  Control thread.
 * Secrets are kept as hash states only, here and for the workers; the registry's copy is wiped when it goes, and no
 * dump shows it. */
#include "pipelines/srv6/hmac_keys.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "dataplane/hmac_many.h"
#include "dataplane/log.h"
#include "dataplane/objects.h"
#include "dataplane/rcu.h"
#include "heddle/api/srv6.h"
#include "pipelines/srv6/hmac.h"
#include "pipelines/srv6/policy.h"

/* A configured key, valid or not. */
struct own {
	struct srv6_hmac_key k;
	uint64_t not_before, not_after; /* seconds of CLOCK_REALTIME; 0: no limit */
};
static struct own *own; /* HD_SRV6_HMAC_KEYS_MAX, by key_id ascending */
static unsigned n_own;

static unsigned place(uint32_t key_id)
{
	unsigned i = 0;

	while (i < n_own && own[i].k.key_id < key_id)
		i++;
	return i;
}

const struct srv6_hmac_key *srv6_hmac_key_get(uint32_t key_id)
{
	unsigned i = place(key_id);

	return i < n_own && own[i].k.key_id == key_id ? &own[i].k : NULL;
}

static bool valid_at(const struct own *o, uint64_t now)
{
	return now >= o->not_before && (o->not_after == 0 || now < o->not_after);
}

static void keys_free(void *p)
{
	struct srv6_hmac_keys *t = p;

	if (t != NULL)
		hmac_wipe(t, sizeof(*t) + t->n * sizeof(t->key[0]));
	free(t);
}

/* Publish the keys that are valid now. */
static int publish(void)
{
	uint64_t now = (uint64_t)time(NULL);
	struct srv6_hmac_keys *new = calloc(1, sizeof(*new) + n_own * sizeof(new->key[0])), *old;

	if (new == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < n_own; i++)
		if (valid_at(&own[i], now))
			new->key[new->n++] = own[i].k;
	old = srv6_hmac_keys;
	__atomic_store_n(&srv6_hmac_keys, new, __ATOMIC_RELEASE);
	rcu_retire(old, keys_free);
	return 0;
}

static int key_check(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_srv6_hmac_key *m = msg;

	(void)old;
	if (m->key_id == 0)
		return object_fail(err, -EINVAL, "HMAC key id 0 is not used");
	if (m->secret_len == 0 || m->secret_len > sizeof(m->secret))
		return object_fail(err, -EINVAL,
				   "the secret of HMAC key %u has %u octets, 1 to %zu are "
				   "possible",
				   m->key_id, m->secret_len, sizeof(m->secret));
	if (m->format > HD_SRV6_HMAC_LINUX)
		return object_fail(err, -EINVAL, "HMAC format %u is unknown", m->format);
	if (m->not_after != 0 && m->not_after <= m->not_before)
		return object_fail(err, -EINVAL, "HMAC key %u ends before it begins", m->key_id);
	return 0;
}

static int key_apply(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_srv6_hmac_key *m = msg;
	unsigned i = place(m->key_id);
	bool is_new = i == n_own || own[i].k.key_id != m->key_id;
	struct own was = { 0 };

	(void)old;
	if (is_new) {
		memmove(&own[i + 1], &own[i], (n_own - i) * sizeof(own[0]));
		n_own++;
	} else {
		was = own[i];
	}
	own[i] = (struct own){
		.k = { .key_id = m->key_id, .format = m->format },
		.not_before = m->not_before,
		.not_after = m->not_after,
	};
	hmac_key_init(&own[i].k.key, m->secret, m->secret_len);
	own[i].k.key.session = hmac_session_create(m->secret, m->secret_len);
	if (publish() == 0 && srv6_policy_hmac_changed() == 0) {
		rcu_retire(was.k.key.session, hmac_session_free);
		hmac_wipe(&was, sizeof(was));
		return 0;
	}
	rcu_retire(own[i].k.key.session, hmac_session_free); /* published perhaps */
	if (is_new) {
		n_own--;
		memmove(&own[i], &own[i + 1], (n_own - i) * sizeof(own[0]));
	} else {
		own[i] = was;
	}
	hmac_wipe(&was, sizeof(was));
	return object_fail(err, -ENOMEM, "out of memory");
}

static void key_remove(const void *old)
{
	const struct hd_api_srv6_hmac_key *m = old;
	unsigned i = place(m->key_id);
	void *session;

	if (i == n_own || own[i].k.key_id != m->key_id)
		return;
	session = own[i].k.key.session;
	n_own--;
	memmove(&own[i], &own[i + 1], (n_own - i) * sizeof(own[0]));
	hmac_wipe(&own[n_own], sizeof(own[0]));
	if (publish() == 0)
		rcu_retire(session, hmac_session_free);
	else
		log_error("srv6: out of memory, HMAC key %u is still accepted", m->key_id);
}

static const struct object_kind key_kind = {
	.type = HD_API_SRV6_HMAC_KEY,
	.rank = 53,
	.name = "HMAC key",
	.key_size = 4,
	.min_size = 16,
	.max_size = sizeof(struct hd_api_srv6_hmac_key),
	.check = key_check,
	.apply = key_apply,
	.remove = key_remove,
	.capacity = HD_SRV6_HMAC_KEYS_MAX,
};

/* Keys begin and end by themselves: twice a second is often enough. */
void srv6_hmac_keys_tick(void)
{
	uint64_t now = (uint64_t)time(NULL);
	unsigned valid = 0, held = srv6_hmac_keys != NULL ? srv6_hmac_keys->n : 0, same = 0;
	static unsigned turn;

	if (turn++ % 5 != 0)
		return;
	for (unsigned i = 0; i < n_own; i++) {
		if (!valid_at(&own[i], now))
			continue;
		same += valid < held && srv6_hmac_keys->key[valid].key_id == own[i].k.key_id;
		valid++;
	}
	if ((valid != held || same != held) && publish() < 0)
		log_error("srv6: out of memory, HMAC keys are as they were a moment ago");
}

int srv6_hmac_keys_init(void)
{
	int rc;

	own = calloc(HD_SRV6_HMAC_KEYS_MAX + 1, sizeof(*own));
	if (own == NULL)
		return -ENOMEM;
	n_own = 0;
	rc = object_kind_register(&key_kind);
	if (rc < 0)
		srv6_hmac_keys_fini();
	return rc;
}

void srv6_hmac_keys_fini(void)
{
	for (unsigned i = 0; own != NULL && i < n_own; i++)
		hmac_session_free(own[i].k.key.session);
	if (own != NULL)
		hmac_wipe(own, (HD_SRV6_HMAC_KEYS_MAX + 1) * sizeof(*own));
	free(own);
	own = NULL;
	n_own = 0;
	keys_free(srv6_hmac_keys);
	srv6_hmac_keys = NULL;
}
