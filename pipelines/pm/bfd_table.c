/* SPDX-License-Identifier: BSD-3-Clause
 * Object kind BFD_SESSION (include/heddle/api/bfd.h), the tables made of it, and the request that reads states.
 * Control thread, but for what bfd_table.h gives to workers. */
#include "pipelines/pm/bfd_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_ring_elem.h>

#include "dataplane/api_server.h"
#include "dataplane/debug_api.h"
#include "dataplane/objects.h"
#include "dataplane/punt.h"
#include "dataplane/rcu.h"
#include "heddle/wire/srh.h"
#include "heddle/wire/udp.h"
#include "pipelines/ip/ip.h"
#include "pipelines/ip/ip_local.h"

#define SLOT_SHIFT   14u /* of the wheel: about 6 us */
#define PACKETS_RING 4096u
#define BUCKETS      1024u /* of sessions by peer */
#define TC_CS6       0xc0
#define ID_BITS      10u /* of a discriminator */

static_assert(1u << ID_BITS == HD_BFD_SESSIONS_MAX,
	      "the low bits of a discriminator are the session's number");

struct slots *bfd_entries;
struct bfd_worker *bfd_workers[STATS_SLICES_MAX];
uint32_t bfd_n_sessions;
int bfd_punt_event = -1;

static struct bfd_entry *bucket[BUCKETS];
static uint32_t instance;  /* high bits of all discriminators: another start has others */
static uint32_t n_port[2]; /* sessions over one hop, over several */

/* ---- finding --------------------------------------------------------------------------------------------------- */

static struct bfd_entry **bucket_of(const uint8_t *peer, unsigned family)
{
	return &bucket[wire_get32(peer + (family == 4 ? 0 : 12)) * 0x9e3779b1u >> 22];
}

static bool same_pair(const struct bfd_entry *e, unsigned family, bool multihop,
		      const uint8_t *local, const uint8_t *peer)
{
	unsigned n = family == 4 ? 4 : 16;

	return e->family == family && e->multihop == multihop && memcmp(e->peer, peer, n) == 0 &&
	       memcmp(e->local, local, n) == 0;
}

const struct bfd_entry *bfd_find(uint32_t your_discr, unsigned family, bool multihop,
				 const uint8_t *local, const uint8_t *peer)
{
	struct bfd_entry *e;

	if (your_discr != 0) {
		e = bfd_get(your_discr % HD_BFD_SESSIONS_MAX);
		return e != NULL && e->conf.discr == your_discr && e->multihop == multihop &&
				       e->family == family ?
			       e :
			       NULL;
	}
	e = __atomic_load_n(bucket_of(peer, family), __ATOMIC_ACQUIRE);
	while (e != NULL && !same_pair(e, family, multihop, local, peer))
		e = __atomic_load_n(&e->next, __ATOMIC_ACQUIRE);
	return e;
}

static void link_in(struct bfd_entry *e)
{
	struct bfd_entry **at = bucket_of(e->peer, e->family);

	e->next = *at;
	__atomic_store_n(at, e, __ATOMIC_RELEASE);
}

static void link_out(struct bfd_entry *e)
{
	struct bfd_entry **at = bucket_of(e->peer, e->family);

	while (*at != e)
		at = &(*at)->next;
	__atomic_store_n(at, e->next, __ATOMIC_RELEASE);
}

/* ---- the packet made ready ------------------------------------------------------------------------------------- */

static int build_ip4(const struct hd_api_bfd_session *m, struct bfd_entry *e)
{
	struct ip4_fields f = { .tos = TC_CS6,
				.ttl = 255,
				.proto = IP_NH_UDP,
				.df = true,
				.payload_len = sizeof(struct udp_hdr) + BFD_LEN };

	memcpy(&f.src, m->local, 4);
	memcpy(&f.dst, m->peer, 4);
	e->pseudo = hd_csum_ip4_pseudo(f.src, f.dst, (uint16_t)f.payload_len, IP_NH_UDP);
	return ip4_build(e->packet, sizeof(e->packet), &f);
}

/* With segments the peer is the last of them (RFC 8754 section 4.1). */
static int build_ip6(const struct hd_api_bfd_session *m, struct bfd_entry *e)
{
	struct ip6_addr seg[HD_BFD_SEGS_MAX + 1], peer;
	struct srh_fields srh = { .next_header = IP_NH_UDP, .seg = seg, .n_seg = m->n_segs + 1u };
	unsigned udp = sizeof(struct udp_hdr) + BFD_LEN;
	size_t srh_len = m->n_segs != 0 ? srh_build_len(&srh) : 0;
	struct ip6_fields f = { .traffic_class = TC_CS6,
				.hop_limit = 255,
				.next_header = m->n_segs != 0 ? IP_NH_ROUTING : IP_NH_UDP,
				.payload_len = srh_len + udp };

	memcpy(&f.src, m->local, 16);
	memcpy(&peer, m->peer, 16);
	memcpy(seg, m->seg, 16 * m->n_segs);
	seg[m->n_segs] = peer;
	f.dst = seg[0];
	e->pseudo = hd_csum_ip6_pseudo(&f.src, &peer, udp, IP_NH_UDP);
	ip6_build(e->packet, sizeof(e->packet), &f);
	if (srh_len != 0 && srh_build(e->packet + sizeof(struct ip6_fixed),
				      sizeof(e->packet) - sizeof(struct ip6_fixed), &srh) < 0)
		return -EINVAL;
	return (int)(sizeof(struct ip6_fixed) + srh_len);
}

static struct bfd_entry *entry_make(const struct hd_api_bfd_session *m)
{
	struct bfd_entry *e = calloc(1, sizeof(*e));
	int ip;

	if (e == NULL)
		return NULL;
	e->id = m->session_id;
	e->vrf = m->vrf_id;
	e->iface = m->iface_id;
	e->family = m->family;
	e->multihop = (m->flags & HD_BFD_F_MULTIHOP) != 0;
	e->min_ttl = m->min_ttl;
	memcpy(e->local, m->local, 16);
	memcpy(e->peer, m->peer, 16);
	e->conf = (struct bfd_conf){ .discr = instance << ID_BITS | m->session_id,
				     .min_tx_us = m->min_tx_us,
				     .min_rx_us = m->min_rx_us,
				     .mult = m->mult,
				     .passive = (m->flags & HD_BFD_F_PASSIVE) != 0,
				     .admin_down = (m->flags & HD_BFD_F_ADMIN_DOWN) != 0 };
	ip = m->family == 4 ? build_ip4(m, e) : build_ip6(m, e);
	e->udp_off = (uint16_t)ip;
	e->len = (uint16_t)(ip + (int)sizeof(struct udp_hdr) + (int)BFD_LEN);
	udp_build(e->packet + ip, sizeof(struct udp_hdr),
		  (uint16_t)(BFD_SOURCE_PORT + m->session_id),
		  e->multihop ? BFD_PORT_MULTIHOP : BFD_PORT, BFD_LEN);
	return e;
}

/* ---- BFD_SESSION ----------------------------------------------------------------------------------------------- */

static int session_check(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_bfd_session *m = msg;
	const struct bfd_entry *other;
	bool multihop = (m->flags & HD_BFD_F_MULTIHOP) != 0;

	(void)old;
	if (m->session_id == 0 || m->session_id >= HD_BFD_SESSIONS_MAX)
		return object_fail(err, -ENOSPC, "session_id %u is not 1 to %u", m->session_id,
				   HD_BFD_SESSIONS_MAX - 1);
	if (m->family != 4 && m->family != 6)
		return object_fail(err, -EINVAL, "family %u is neither 4 nor 6", m->family);
	if (m->mult == 0 || m->min_tx_us < HD_BFD_MIN_US || m->min_rx_us < HD_BFD_MIN_US)
		return object_fail(err, -EINVAL, "multiplier 0, or an interval below %u us",
				   HD_BFD_MIN_US);
	if (m->n_segs > HD_BFD_SEGS_MAX || (m->n_segs != 0 && (m->family != 6 || !multihop)))
		return object_fail(err, -EINVAL,
				   "segments are for IPv6 over several hops, at most %u of them",
				   HD_BFD_SEGS_MAX);
	if ((m->flags & ~(HD_BFD_F_MULTIHOP | HD_BFD_F_PASSIVE | HD_BFD_F_ADMIN_DOWN)) != 0)
		return object_fail(err, -EINVAL, "unknown flags 0x%x", m->flags);
	other = bfd_find(0, m->family, multihop, m->local, m->peer);
	if (other != NULL && other->id != m->session_id)
		return object_fail(err, -EEXIST, "session %u has the same addresses", other->id);
	return 0;
}

static unsigned session_refs(const void *msg, struct object_ref *ref)
{
	const struct hd_api_bfd_session *m = msg;
	unsigned n = 0;

	memset(ref, 0, 2 * sizeof(*ref));
	if (m->vrf_id != 0) {
		ref[n].type = HD_API_VRF;
		memcpy(ref[n++].key, &m->vrf_id, 4);
	}
	if (m->iface_id != 0) {
		ref[n].type = HD_API_IFACE;
		memcpy(ref[n++].key, &m->iface_id, 4);
	}
	return n;
}

static uint16_t port_of(bool multihop)
{
	return multihop ? BFD_PORT_MULTIHOP : BFD_PORT;
}

static int port_take(bool multihop)
{
	if (n_port[multihop] == 0 &&
	    ip_local_register(IP_NH_UDP, port_of(multihop), IP_LOCAL_BFD) < 0)
		return -EADDRINUSE;
	n_port[multihop]++;
	return 0;
}

static void port_give(bool multihop)
{
	if (--n_port[multihop] == 0)
		ip_local_unregister(IP_NH_UDP, port_of(multihop));
}

static int session_apply(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_bfd_session *m = msg;
	struct bfd_entry *e = entry_make(m), *was = bfd_get(m->session_id);
	bool multihop = (m->flags & HD_BFD_F_MULTIHOP) != 0;
	struct bfd_live *live;

	(void)old;
	if (e == NULL)
		return object_fail(err, -ENOMEM, "out of memory");
	/* with other addresses it is another session */
	live = was != NULL && same_pair(was, e->family, e->multihop, e->local, e->peer) ?
		       was->live :
		       NULL;
	e->live = live != NULL ? live : calloc(1, sizeof(*e->live));
	if (e->live == NULL || port_take(multihop) < 0) {
		int rc = e->live == NULL ? -ENOMEM : -EADDRINUSE;

		if (live == NULL)
			free(e->live);
		free(e);
		return object_fail(err, rc,
				   rc == -ENOMEM ? "out of memory" :
						   "UDP port %u serves something else",
				   port_of(multihop));
	}
	link_in(e);
	if (was != NULL) {
		link_out(was);
		port_give(was->multihop);
		if (live == NULL)
			rcu_retire(was->live, free);
	} else {
		__atomic_store_n(&bfd_n_sessions, bfd_n_sessions + 1, __ATOMIC_RELEASE);
	}
	slots_set(bfd_entries, m->session_id, e, free);
	rte_ring_sp_enqueue(bfd_workers[bfd_owner(m->session_id)]->changed,
			    (void *)(uintptr_t)m->session_id);
	return 0;
}

static void session_remove(const void *old)
{
	const struct hd_api_bfd_session *m = old;
	struct bfd_entry *e = bfd_get(m->session_id);

	link_out(e);
	port_give(e->multihop);
	rcu_retire(e->live, free);
	slots_set(bfd_entries, m->session_id, NULL, free);
	__atomic_store_n(&bfd_n_sessions, bfd_n_sessions - 1, __ATOMIC_RELEASE);
}

static const struct object_kind kind = {
	.type = HD_API_BFD_SESSION,
	.rank = 68,
	.name = "bfd-session",
	.key_size = 4,
	.min_size = 60,
	.max_size = sizeof(struct hd_api_bfd_session),
	.check = session_check,
	.apply = session_apply,
	.remove = session_remove,
	.refs = session_refs,
	.capacity = HD_BFD_SESSIONS_MAX - 1,
};

/* ---- told to others -------------------------------------------------------------------------------------------- */

static void on_event(struct rte_mbuf *m, void *arg)
{
	struct hd_api_event ev = { .kind = HD_EVENT_BFD };

	(void)arg;
	memcpy(ev.u.room, rte_pktmbuf_mtod(m, const void *), sizeof(struct hd_api_bfd_event));
	rte_pktmbuf_free(m);
	api_server_event(&ev);
}

static int state_request(const void *body, size_t size, debug_send_fn send, void *arg,
			 struct hd_api_reply *reply)
{
	(void)body;
	(void)size;
	(void)reply;
	for (uint32_t id = 1; id < HD_BFD_SESSIONS_MAX; id++) {
		const struct bfd_entry *e = bfd_get(id);
		struct hd_api_bfd_state a;
		struct bfd_live l;

		if (e == NULL)
			continue;
		l = *e->live; /* the owner goes on meanwhile: single fields are right, not all of one moment */
		a = (struct hd_api_bfd_state){ .session_id = id,
					       .state = l.s.state,
					       .diag = l.s.diag,
					       .remote_state = l.s.remote_state,
					       .remote_diag = l.s.remote_diag,
					       .local_discr = e->conf.discr,
					       .remote_discr = l.s.remote_discr,
					       .tx_us = bfd_interval_us(&l.s, &e->conf),
					       .detect_us = bfd_detect_us(&l.s),
					       .remote_min_tx_us = l.s.remote_min_tx_us,
					       .remote_min_rx_us = l.s.remote_min_rx_us,
					       .remote_mult = l.s.remote_mult,
					       .sent = l.sent,
					       .received = l.received,
					       .ups = l.ups,
					       .downs = l.downs,
					       .change_ns = l.change_ns };
		send(arg, HD_API_BFD_STATE, &a, sizeof(a));
	}
	return 0;
}

/* ---- set-up ---------------------------------------------------------------------------------------------------- */

static void worker_free(struct bfd_worker *w)
{
	if (w == NULL)
		return;
	rte_ring_free(w->changed);
	rte_ring_free(w->packets);
	free(w);
}

static struct bfd_worker *worker_make(unsigned id)
{
	struct bfd_worker *w = calloc(1, sizeof(*w));
	char name[32];

	if (w == NULL)
		return NULL;
	snprintf(name, sizeof(name), "bfd-changed%u", id);
	w->changed = rte_ring_create(name, 4 * HD_BFD_SESSIONS_MAX, SOCKET_ID_ANY,
				     RING_F_SP_ENQ | RING_F_SC_DEQ);
	snprintf(name, sizeof(name), "bfd-packets%u", id);
	w->packets = rte_ring_create_elem(name, (sizeof(struct bfd_handed) + 3) / 4 * 4,
					  PACKETS_RING, SOCKET_ID_ANY, RING_F_SC_DEQ);
	if (w->changed == NULL || w->packets == NULL) {
		worker_free(w);
		return NULL;
	}
	w->random = (uint32_t)rte_rdtsc() + id * 2654435761u;
	wheel_init(&w->wheel, w->entry, SLOT_SHIFT, rte_rdtsc());
	return w;
}

int bfd_table_init(void)
{
	uint32_t idx;

	memset(bucket, 0, sizeof(bucket));
	n_port[0] = n_port[1] = 0;
	bfd_n_sessions = 0;
	instance = ((uint32_t)rte_rdtsc() * 2654435761u) >> ID_BITS;
	bfd_entries = slots_create(HD_BFD_SESSIONS_MAX);
	if (bfd_entries == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < HD_BFD_SESSIONS_MAX; i++)
		slots_alloc(bfd_entries, &idx);
	for (unsigned i = 0; i < dp_limits.workers; i++) {
		bfd_workers[i] = worker_make(i);
		if (bfd_workers[i] == NULL)
			goto fail;
	}
	bfd_punt_event = punt_reason_register("bfd-event", "a BFD session came up or went down",
					      100000, 20000, on_event, NULL);
	if (bfd_punt_event < 0 || object_kind_register(&kind) < 0 ||
	    debug_request_register(HD_API_BFD_STATE, state_request) < 0)
		goto fail;
	return 0;
fail:
	bfd_table_fini();
	return -ENOMEM;
}

void bfd_table_fini(void)
{
	for (unsigned i = 0; i < STATS_SLICES_MAX; i++) {
		worker_free(bfd_workers[i]);
		bfd_workers[i] = NULL;
	}
	slots_destroy(bfd_entries, free);
	bfd_entries = NULL;
}
