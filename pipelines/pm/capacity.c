/* SPDX-License-Identifier: BSD-3-Clause
 * Object kind PM_CAPACITY_RESPONDER and request PM_CAPACITY (include/heddle/api/pm_capacity.h).  Control thread; reads
 * what workers write, so that a number may be one packet behind another. */
#include "pipelines/pm/capacity.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <rte_cycles.h>
#include <rte_ring_elem.h>

#include "dataplane/debug_api.h"
#include "dataplane/objects.h"
#include "dataplane/rcu.h"
#include "heddle/api/ip.h"
#include "heddle/api/pm.h"
#include "pipelines/ip/ip.h"
#include "pipelines/ip/ip_local.h"

#define RING       4096u
#define PORT_FIRST 49152u /* RFC 6335: dynamic ports */
#define PORTS      16384u

struct capacity_test *capacity_test;
struct rte_ring *capacity_rings[STATS_SLICES_MAX];
struct hmac_key capacity_secret;

static uint16_t test_port; /* registered for the test; 0: none */

static bool key_of(uint32_t key_id, struct hmac_key *ret)
{
	const struct hd_api_pm_key *k = key_id != 0 ? object_find(HD_API_PM_KEY, &key_id) : NULL;

	if (k != NULL)
		hmac_key_init(ret, k->secret, k->len);
	return k != NULL;
}

/* ---- PM_CAPACITY_RESPONDER ------------------------------------------------------------------------------------- */

static void responder_free(void *p)
{
	if (p != NULL)
		hmac_wipe(p, sizeof(struct capacity_responder));
	free(p);
}

static int responder_check(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_pm_capacity_responder *m = msg;

	(void)old;
	if (m->responder_id != 1)
		return object_fail(err, -EINVAL, "responder_id %u is not 1", m->responder_id);
	if (m->udp_port == 0 || m->udp_port > 65535)
		return object_fail(err, -EINVAL, "UDP port %u is not 1 to 65535", m->udp_port);
	if (m->max_kbps < 500 || m->max_kbps > HD_PM_CAPACITY_KBPS_MAX || m->max_ms == 0 ||
	    m->max_ms > HD_PM_CAPACITY_MS_MAX)
		return object_fail(err, -EINVAL, "at most %u kbit/s for %u ms are served",
				   HD_PM_CAPACITY_KBPS_MAX, HD_PM_CAPACITY_MS_MAX);
	if (m->n_sources == 0 || m->n_sources > HD_PM_CAPACITY_SOURCES_MAX)
		return object_fail(err, -EINVAL, "%u allowed sources are not 1 to %u", m->n_sources,
				   HD_PM_CAPACITY_SOURCES_MAX);
	for (uint32_t i = 0; i < m->n_sources; i++)
		if ((m->source[i].family != 4 && m->source[i].family != 6) ||
		    m->source[i].len > (m->source[i].family == 4 ? 32 : 128))
			return object_fail(err, -EINVAL, "allowed source %u is no prefix", i);
	return 0;
}

static unsigned responder_refs(const void *msg, struct object_ref *ref)
{
	const struct hd_api_pm_capacity_responder *m = msg;

	if (m->key_id == 0)
		return 0;
	memset(ref, 0, sizeof(*ref));
	ref->type = HD_API_PM_KEY;
	memcpy(ref->key, &m->key_id, 4);
	return 1;
}

static int responder_publish(const struct hd_api_pm_capacity_responder *m)
{
	struct capacity_responder *c = calloc(1, sizeof(*c)), *was = capacity_responder;

	if (c == NULL)
		return -ENOMEM;
	c->conf = *m;
	c->has_key = key_of(m->key_id, &c->key);
	__atomic_store_n(&capacity_responder, c, __ATOMIC_RELEASE);
	rcu_retire(was, responder_free);
	return 0;
}

static int responder_apply(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_pm_capacity_responder *m = msg, *was = old;
	bool moves = was == NULL || was->udp_port != m->udp_port;

	if (moves && ip_local_register(IP_NH_UDP, (uint16_t)m->udp_port, IP_LOCAL_CAPACITY) < 0)
		return object_fail(err, -EADDRINUSE, "UDP port %u serves something else",
				   m->udp_port);
	if (responder_publish(m) < 0) {
		if (moves)
			ip_local_unregister(IP_NH_UDP, (uint16_t)m->udp_port);
		return object_fail(err, -ENOMEM, "out of memory");
	}
	if (moves && was != NULL)
		ip_local_unregister(IP_NH_UDP, (uint16_t)was->udp_port);
	return 0;
}

static void responder_remove(const void *old)
{
	const struct hd_api_pm_capacity_responder *m = old;
	struct capacity_responder *was = capacity_responder;

	ip_local_unregister(IP_NH_UDP, (uint16_t)m->udp_port);
	__atomic_store_n(&capacity_responder, NULL, __ATOMIC_RELEASE);
	rcu_retire(was, responder_free);
}

void capacity_rekey(uint32_t key_id)
{
	const uint32_t one = 1;
	const struct hd_api_pm_capacity_responder *m =
		object_find(HD_API_PM_CAPACITY_RESPONDER, &one);

	if (m != NULL && m->key_id == key_id)
		responder_publish(m); /* without memory the old key goes on */
}

static const struct object_kind kind = {
	.type = HD_API_PM_CAPACITY_RESPONDER,
	.rank = 69,
	.name = "pm-capacity-responder",
	.key_size = 4,
	.min_size = 24,
	.max_size = sizeof(struct hd_api_pm_capacity_responder),
	.check = responder_check,
	.apply = responder_apply,
	.remove = responder_remove,
	.refs = responder_refs,
	.capacity = 1,
};

/* ---- PM_CAPACITY: begin and end -------------------------------------------------------------------------------- */

static void test_free(void *p)
{
	if (p != NULL)
		hmac_wipe(&((struct capacity_test *)p)->key, sizeof(struct hmac_key));
	free(p);
}

static void port_give(void)
{
	if (test_port != 0)
		ip_local_unregister(IP_NH_UDP, test_port);
	test_port = 0;
}

/* RFC 9097 section 5.3: a randomized source port. */
static int port_take(uint16_t *port, uint64_t random)
{
	if (*port != 0)
		return ip_local_register(IP_NH_UDP, *port, IP_LOCAL_CAPACITY);
	for (unsigned i = 0; i < 64; i++) {
		*port = (uint16_t)(PORT_FIRST + (random + i) % PORTS);
		if (ip_local_register(IP_NH_UDP, *port, IP_LOCAL_CAPACITY) == 0)
			return 0;
	}
	return -EADDRINUSE;
}

static int refuse(struct hd_api_reply *reply, int rc, const char *text)
{
	snprintf(reply->text, sizeof(reply->text), "%s", text);
	return rc;
}

static int test_begin(const struct hd_api_pm_capacity *m, struct hd_api_reply *reply)
{
	struct capacity_test *t, *was = capacity_test;
	const char *why;
	int rc = -EINVAL;

	if (capacity_test_runs(was))
		return refuse(reply, -EBUSY,
			      "a capacity test is running; one at a time (RFC 9097 section 8.3)");
	if (m->path.vrf_id != 0 && object_find(HD_API_VRF, &m->path.vrf_id) == NULL)
		return refuse(reply, -ENOENT, "no such VRF");
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return refuse(reply, -ENOMEM, "out of memory");
	t->s.ask = *m;
	if (getrandom(&t->id, sizeof(t->id), 0) != (ssize_t)sizeof(t->id)) {
		rc = refuse(reply, -EIO, "no random numbers");
		goto fail;
	}
	t->has_key = key_of(m->path.key_id, &t->key);
	if (m->path.key_id != 0 && !t->has_key) {
		rc = refuse(reply, -ENOENT, "no such key");
		goto fail;
	}
	port_give();
	if (port_take(&t->s.ask.path.src_port, t->id >> 16) < 0) {
		rc = refuse(reply, -EADDRINUSE, "the local UDP port serves something else");
		goto fail;
	}
	test_port = t->s.ask.path.src_port;
	rc = capacity_test_make(t, &why);
	if (rc < 0) {
		refuse(reply, rc, why);
		port_give();
		goto fail;
	}
	__atomic_store_n(&capacity_test, t, __ATOMIC_RELEASE);
	rcu_retire(was, test_free);
	return 0;
fail:
	test_free(t);
	return rc;
}

/* ---- PM_CAPACITY: what there is -------------------------------------------------------------------------------- */

static void send_rates(const struct capacity_test *t, debug_send_fn send, void *arg)
{
	uint32_t n = t->s.n_rates;

	for (uint32_t at = 0; at < n;) {
		struct hd_api_pm_capacity_rates rates = { .first = at };

		for (; rates.n < RTE_DIM(rates.rate) && at < n; at++)
			rates.rate[rates.n++] = t->sent[at];
		send(arg, HD_API_PM_CAPACITY_RATES, &rates, sizeof(rates));
	}
}

static void send_test(struct capacity_test *t, debug_send_fn send, void *arg)
{
	struct hd_api_pm_capacity_state s = t->s;

	if (s.phase == HD_PM_CAPACITY_DONE && test_port == s.ask.path.src_port)
		port_give();
	s.n_subs = 0;
	for (unsigned i = 0; i < HD_PM_CAPACITY_SUBS_MAX; i++)
		s.n_subs += t->has_sub[i];
	send(arg, HD_API_PM_CAPACITY, &s, sizeof(s));
	for (unsigned i = 0; i < HD_PM_CAPACITY_SUBS_MAX; i++)
		if (t->has_sub[i])
			send(arg, HD_API_PM_CAPACITY_SUB, &t->sub[i], sizeof(t->sub[i]));
	send_rates(t, send, arg);
}

static void send_served(debug_send_fn send, void *arg)
{
	const struct capacity_served *s = &capacity_served;
	struct hd_api_pm_capacity_served a = s->total;

	a.running = s->running;
	if (s->running) {
		a.granted_kbps = s->kbps;
		a.family = s->peer.family;
		memcpy(a.peer, s->peer.src, sizeof(a.peer));
	}
	send(arg, HD_API_PM_CAPACITY_SERVED, &a, sizeof(a));
}

static int request(const void *body, size_t size, debug_send_fn send, void *arg,
		   struct hd_api_reply *reply)
{
	struct hd_api_pm_capacity m = { 0 };
	int rc = 0;

	if (size != 0) /* else there is no body */
		memcpy(&m, body, RTE_MIN(size, sizeof(m)));
	if (m.command == HD_PM_CAPACITY_START)
		rc = test_begin(&m, reply);
	else if (m.command == HD_PM_CAPACITY_END && capacity_test != NULL)
		__atomic_store_n(&capacity_test->end, true, __ATOMIC_RELEASE);
	else if (m.command > HD_PM_CAPACITY_END)
		rc = refuse(reply, -EINVAL, "unknown command");
	if (rc < 0 || m.command != 0)
		return rc;
	if (capacity_test != NULL)
		send_test(capacity_test, send, arg);
	if (capacity_responder != NULL)
		send_served(send, arg);
	return 0;
}

/* ---- set-up ---------------------------------------------------------------------------------------------------- */

int capacity_init(void)
{
	uint8_t secret[32];
	char name[32];

	memset(&capacity_served, 0, sizeof(capacity_served));
	capacity_served.owner = -1;
	test_port = 0;
	if (getrandom(secret, sizeof(secret), 0) != (ssize_t)sizeof(secret))
		return -EIO;
	hmac_key_init(&capacity_secret, secret, sizeof(secret));
	hmac_wipe(secret, sizeof(secret));
	for (unsigned i = 0; i < dp_limits.workers; i++) {
		snprintf(name, sizeof(name), "pm-capacity%u", i);
		capacity_rings[i] =
			rte_ring_create_elem(name, (sizeof(struct capacity_handed) + 3) / 4 * 4,
					     RING, SOCKET_ID_ANY, RING_F_SC_DEQ);
		if (capacity_rings[i] == NULL)
			goto fail;
	}
	if (object_kind_register(&kind) < 0 ||
	    debug_request_register(HD_API_PM_CAPACITY, request) < 0)
		goto fail;
	return 0;
fail:
	capacity_fini();
	return -ENOMEM;
}

void capacity_fini(void)
{
	for (unsigned i = 0; i < STATS_SLICES_MAX; i++) {
		rte_ring_free(capacity_rings[i]);
		capacity_rings[i] = NULL;
	}
	test_free(capacity_test);
	capacity_test = NULL;
	responder_free(capacity_responder);
	capacity_responder = NULL;
	hmac_wipe(&capacity_secret, sizeof(capacity_secret));
}
