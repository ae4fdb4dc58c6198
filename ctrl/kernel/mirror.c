/* SPDX-License-Identifier: BSD-3-Clause
 * From the model into the data plane.  What may differ stands in a list of dirty prefixes and items; a pump takes a
 * bounded number of them, makes one transaction and waits for its answer before the next: that is the back-pressure,
 * and however much the kernel says, the loop is never held up.  A prefix that changes ten times while it waits is sent
 * once.  A refused transaction changed nothing: the bookkeeping goes back (struct undo), the object at fault is set
 * aside with the data plane's words, and the rest is tried again. */
#include <errno.h>
#include <json-c/json.h>
#include <linux/neighbour.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ctrl/dp.h"
#include "ctrl/events.h"
#include "ctrl/ip/ip.h"
#include "ctrl/kernel/kernel_private.h"
#include "ctrl/log.h"
#include "ctrl/running.h"
#include "heddle/api/l2.h"

#define BATCH_MAX   4096u
#define BATCH_MIN   16u
#define EXAMINE_MAX 8192u /* entries looked at in one turn of the loop */
#define TICK_MS     1000u
#define RETRY_S     10u /* refused objects are tried again */
#define REPLAY_S    30u /* longest wait for the kernel's first words */

/* One step of the transaction in flight. */
struct undo {
	enum { UNDO_PREFIX, UNDO_ITEM, UNDO_DPO_SET, UNDO_DPO_DEL } what;
	uint32_t n_objects; /* sent in the transaction up to and with this step */
	void *at;
	union {
		struct kprefix prefix; /* as it was; owns dpo and sid */
		struct kitem item;
	} old;
};

/* --- dirty lists ----------------------------------------------------------------------------- */

static void pump_soon(struct mirror *m)
{
	if (m->pump_timer_ready && !uv_is_active((uv_handle_t *)&m->pump_timer))
		uv_timer_start(&m->pump_timer, mirror_pump_timer, 0, 0);
}

void prefix_dirty(struct mirror *m, struct kprefix *p)
{
	if (p->dirty)
		return;
	p->dirty = true;
	p->dirty_next = NULL;
	if (m->dirty_last != NULL)
		m->dirty_last->dirty_next = p;
	else
		m->dirty = p;
	m->dirty_last = p;
	m->n_dirty++;
	pump_soon(m);
}

void item_dirty(struct mirror *m, struct kitem *i)
{
	m->owned_dirty |= !i->is_neigh;
	if (i->dirty)
		return;
	i->dirty = true;
	i->dirty_next = m->dirty_items;
	m->dirty_items = i;
	pump_soon(m);
}

/* --- sending --------------------------------------------------------------------------------- */

static bool config_has(const struct mirror *m, const struct ctrl_kind *kind, const void *key)
{
	return !m->ignore_config &&
	       objset_find(&running_config(m->c->running)->set, kind, key) != NULL;
}

static void object_send(struct mirror *m, uint16_t type, const void *body, uint32_t size, bool del)
{
	struct object o = { .kind = domains_kind(type), .body = body, .size = size };

	if (m->load != NULL)
		running_add(m->load, &o, del);
	else
		dp_txn_object(m->c->dp, &o, del);
	m->n_objects++;
	if (type == HD_API_ROUTE || type == HD_API_SRV6_SID)
		*(del ? &m->count.deleted : &m->count.sent) += 1;
}

static struct undo *undo_add(struct mirror *m, int what, void *at)
{
	if (m->n_undo == m->cap_undo) {
		size_t cap = m->cap_undo != 0 ? m->cap_undo * 2 : 1024;
		struct undo *u = realloc(m->undo, cap * sizeof(*u));
		if (u == NULL)
			return NULL;
		m->undo = u;
		m->cap_undo = cap;
	}
	struct undo *u = &m->undo[m->n_undo++];
	u->what = what;
	u->at = at;
	u->n_objects = m->n_objects;
	return u;
}

/* What a route refers to goes first, or at least in the same transaction. */
static int dpo_send(struct mirror *m, struct dpo *d)
{
	if (d == NULL || d->in_dp)
		return 0;
	for (uint32_t i = 0; i < d->n_deps; i++)
		if (dpo_send(m, d->dep[i]) < 0)
			return -ENOMEM;
	object_send(m, d->type, d->body, d->size, false);
	if (m->load != NULL)
		return 0; /* the load may be refused: it is sent again by the pump, which does no harm */
	if (undo_add(m, UNDO_DPO_SET, d) == NULL)
		return -ENOMEM;
	d->in_dp = true;
	return 0;
}

static struct hd_api_route route_body(const struct kprefix *p, uint32_t vrf_id)
{
	struct hd_api_route r = { .vrf_id = vrf_id,
				  .family = p->family == AF_INET ? 4 : 6,
				  .plen = p->plen };

	memcpy(r.prefix, p->addr, 16);
	return r;
}

static struct hd_api_srv6_sid sid_body(const struct kprefix *p, uint32_t vrf_id,
				       const struct hd_api_srv6_sid *like)
{
	struct hd_api_srv6_sid s = { 0 };

	if (like != NULL)
		s = *like;
	s.vrf_id = vrf_id;
	s.plen = p->plen;
	memcpy(s.sid, p->addr, 16);
	s.sid_id = p->sid_row;
	return s;
}

static void sid_row_take(struct mirror *m, struct kprefix *p, uint32_t vrf_id)
{
	struct hd_api_srv6_sid key = sid_body(p, vrf_id, NULL);
	const struct object *o = objset_find(&m->adopted_sids, domains_kind(HD_API_SRV6_SID), &key);

	if (p->sid_row != 0)
		return;
	if (o != NULL) { /* it keeps its counters over a restart of this process */
		uint32_t row = ((const struct hd_api_srv6_sid *)(const void *)o->body)->sid_id;
		uint32_t i = row - m->sid_base;
		if (row >= m->sid_base && i < m->sid_n && !m->sid_used[i]) {
			m->sid_used[i] = 1;
			p->sid_row = row;
			return;
		}
	}
	for (uint32_t k = 0; k < m->sid_n; k++) {
		uint32_t i = m->sid_next;
		m->sid_next = (m->sid_next + 1) % m->sid_n;
		if (!m->sid_used[i]) {
			m->sid_used[i] = 1;
			p->sid_row = m->sid_base + i;
			return;
		}
	}
}

static void sid_row_free(struct mirror *m, struct kprefix *p)
{
	if (p->sid_row != 0 && p->sid_row >= m->sid_base && m->sid_used != NULL)
		m->sid_used[p->sid_row - m->sid_base] = 0;
	p->sid_row = 0;
}

/* Take back what was sent, unless the configuration has it now. */
static void unsend(struct mirror *m, const struct kprefix *p)
{
	struct hd_api_route r = route_body(p, p->vrf_id);
	struct hd_api_srv6_sid s = sid_body(p, p->vrf_id, NULL);

	if (p->sent == SENT_ROUTE && !config_has(m, &ip_kinds[IP_KIND_ROUTE], &r))
		object_send(m, HD_API_ROUTE, &r, sizeof(r), true);
	if (p->sent == SENT_SID && !config_has(m, domains_kind(HD_API_SRV6_SID), &s))
		object_send(m, HD_API_SRV6_SID, &s, sizeof(s), true);
}

static bool as_sent(const struct kprefix *p, const struct wanted *w)
{
	if (p->unsure || p->sent != w->what)
		return false;
	if (w->what == SENT_NONE)
		return true;
	if (p->vrf_id != w->vrf_id || p->dpo != w->dpo)
		return false;
	return w->what == SENT_ROUTE ? p->target == w->target :
				       memcmp(p->sid, w->sid, sizeof(*w->sid)) == 0;
}

/* At most a few in a second: the state has them all. */
static void refused_tell(struct mirror *m, const struct kprefix *p, const struct wanted *w)
{
	const char *fate = w->target == HD_TARGET_HOST ? "to the kernel" : "dropped";
	struct json_object *o = json_object_new_object();
	char ip[48], text[64];

	snprintf(text, sizeof(text), "%s/%u",
		 ip_text(p->family == AF_INET ? 4 : 6, p->addr, ip, sizeof(ip)), p->plen);
	log_warning("kernel: %s in table %u is not carried, its packets are %s: %s", text, p->table,
		    w->target == HD_TARGET_HOST ? "given to the kernel" : "dropped", w->why);
	json_object_object_add(o, "table", json_object_new_int64(p->table));
	json_object_object_add(o, "prefix", json_object_new_string(text));
	json_object_object_add(o, "reason", json_object_new_string(w->why));
	json_object_object_add(o, "packets", json_object_new_string(fate));
	events_publish(m->c->events, "heddle-kernel:kernel-route-refused", o);
}

static void why_changed(struct mirror *m, struct kprefix *p, const struct wanted *w)
{
	if (p->not_carried != (w->why != NULL))
		m->n_refused += w->why != NULL ? 1u : -1u;
	if (w->why != NULL && !p->not_carried && m->log_credit > 0) {
		m->log_credit--;
		refused_tell(m, p, w);
	}
	p->not_carried = w->why != NULL;
}

static void send_wanted(struct mirror *m, struct kprefix *p, const struct wanted *w)
{
	if (w->what == SENT_ROUTE) {
		struct hd_api_route r = route_body(p, w->vrf_id);
		r.target = w->target;
		r.id = w->dpo != NULL ? w->dpo->id : 0;
		object_send(m, HD_API_ROUTE, &r, sizeof(r), false);
	} else if (w->what == SENT_SID) {
		sid_row_take(m, p, w->vrf_id);
		struct hd_api_srv6_sid s = sid_body(p, w->vrf_id, w->sid);
		object_send(m, HD_API_SRV6_SID, &s, sizeof(s), false);
	}
}

static void prefix_pump(struct mirror *m, struct kprefix *p)
{
	struct wanted w;

	prefix_wanted(m, p, &w);
	if (m->full && p->sent == SENT_NONE && w.what != SENT_NONE) {
		w = (struct wanted){
			.what = SENT_NONE,
			.why = "no space in the data plane (heddle-dp --routes4, --routes6, --sids)"
		};
		p->waits_for_room = true;
	}
	why_changed(m, p, &w);
	if (as_sent(p, &w)) {
		if (p->first == NULL && p->sent == SENT_NONE && !p->in_flight)
			prefix_free(m, p);
		return;
	}
	if (dpo_send(m, w.dpo) < 0)
		goto later;
	struct hd_api_srv6_sid *sid = w.sid != NULL ? malloc(sizeof(*sid)) : NULL;
	if (w.sid != NULL && sid == NULL)
		goto later;
	/* A SID beside a route, or a prefix that moves to another VRF: the old one goes in the same transaction. */
	if (p->sent != w.what || p->vrf_id != w.vrf_id)
		unsend(m, p);
	uint32_t row = p->sid_row;
	send_wanted(m, p, &w);
	struct undo *u = undo_add(m, UNDO_PREFIX, p);
	if (u == NULL) {
		free(sid);
		goto later;
	}
	u->old.prefix = *p; /* dpo and sid are the undo's now */
	u->old.prefix.sid_row = row;
	p->in_flight = true;
	p->unsure = false;
	p->sent = w.what;
	p->vrf_id = w.vrf_id;
	p->target = w.target;
	p->protocol = w.protocol;
	p->dpo = w.dpo;
	dpo_ref(p->dpo);
	if (sid != NULL)
		*sid = *w.sid;
	p->sid = sid;
	if (w.what != SENT_SID)
		sid_row_free(m, p);
	return;
later:
	prefix_dirty(m, p);
}

/* --- addresses and neighbours ---------------------------------------------------------------- */

static bool address_wanted(struct mirror *m, const struct kitem *i, struct hd_api_addr *ret)
{
	const struct klink *l = model_link(m, i->index);

	*ret = (struct hd_api_addr){ .family = i->family == AF_INET ? 4 : 6, .plen = i->plen };
	memcpy(ret->addr, i->addr, 16);
	if (i->gone || l == NULL || l->iface_id == 0 || !ip_is_unicast(ret->family, ret->addr))
		return false;
	ret->iface_id = l->iface_id;
	if (i->peer || (i->flags & 0x200u /* IFA_F_NOPREFIXROUTE */) != 0)
		ret->plen = i->family == AF_INET ? 32 : 128;
	return !config_has(m, &ip_kinds[IP_KIND_ADDR], ret);
}

static bool neighbour_wanted(struct mirror *m, const struct kitem *i, struct hd_api_neigh *ret)
{
	const struct klink *l = model_link(m, i->index);
	static const uint8_t none[6];

	*ret = (struct hd_api_neigh){ .family = i->family == AF_INET ? 4 : 6 };
	memcpy(ret->addr, i->addr, 16);
	memcpy(ret->mac, i->mac, 6);
	ret->flags = HD_API_NEIGH_F_KERNEL;
	if (i->gone || l == NULL || l->iface_id == 0 ||
	    (i->state & (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT)) == 0 ||
	    (i->mac[0] & 1) != 0 || memcmp(i->mac, none, 6) == 0 ||
	    !ip_is_unicast(ret->family, ret->addr))
		return false;
	ret->iface_id = l->iface_id;
	return !config_has(m, &ip_kinds[IP_KIND_NEIGH], ret);
}

static void item_pump(struct mirror *m, struct kitem *i)
{
	union {
		struct hd_api_addr addr;
		struct hd_api_neigh neigh;
	} w = { 0 };
	uint16_t type = i->is_neigh ? HD_API_NEIGH : HD_API_ADDR;
	const struct ctrl_kind *kind = domains_kind(type);
	bool want = i->is_neigh ? neighbour_wanted(m, i, &w.neigh) : address_wanted(m, i, &w.addr);

	if (want && i->refused)
		want = false;
	if (!i->unsure && want == i->sent && (!want || memcmp(&w, &i->obj, kind->size) == 0)) {
		if (i->gone && !i->sent && !i->in_flight)
			item_free(m, i);
		return;
	}
	struct undo *u = undo_add(m, UNDO_ITEM, i);
	if (u == NULL) {
		item_dirty(m, i);
		return;
	}
	u->old.item = *i;
	if (i->sent && (!want || memcmp(&w, &i->obj, kind->key_size) != 0) &&
	    !config_has(m, kind, &i->obj))
		object_send(m, type, &i->obj, kind->key_size, true);
	if (want)
		object_send(m, type, &w, kind->size, false);
	u->n_objects = m->n_objects;
	i->in_flight = true;
	i->unsure = false;
	i->sent = want;
	memcpy(&i->obj, &w, sizeof(i->obj));
}

/* --- transactions ---------------------------------------------------------------------------- */

/* Objects nobody uses any longer leave the data plane; those it never had are freed at once. */
static void dead_pump(struct mirror *m)
{
	struct dpo *left = NULL, *d;

	while ((d = m->dpos.dead) != NULL) {
		m->dpos.dead = d->dead_next;
		d->on_dead_list = false;
		if (d->refs != 0)
			continue;
		if (!d->in_dp) {
			if (!d->leaving)
				dpo_free(&m->dpos, d); /* may put others on the list */
			continue;
		}
		if (m->n_undo >= m->batch || undo_add(m, UNDO_DPO_DEL, d) == NULL) {
			d->on_dead_list = true;
			d->dead_next = left;
			left = d;
			continue;
		}
		object_send(m, d->type, d->body, 4, true);
		m->undo[m->n_undo - 1].n_objects = m->n_objects;
		d->in_dp = false;
		d->leaving = true;
	}
	m->dpos.dead = left;
}

static void step_done(struct mirror *m, struct undo *u)
{
	struct dpo *d = u->at;

	switch (u->what) {
	case UNDO_PREFIX:
		((struct kprefix *)u->at)->in_flight = false;
		m->owned_dirty |= ((struct kprefix *)u->at)->sent == SENT_SID ||
				  u->old.prefix.sent == SENT_SID;
		dpo_unref(&m->dpos, u->old.prefix.dpo);
		free(u->old.prefix.sid);
		prefix_dirty(m, u->at); /* an empty one can be freed now */
		break;
	case UNDO_ITEM:
		((struct kitem *)u->at)->in_flight = false;
		item_dirty(m, u->at);
		break;
	case UNDO_DPO_DEL:
		d->leaving = false;
		if (d->refs == 0 && !d->in_dp && !d->on_dead_list)
			dpo_free(&m->dpos, d);
		break;
	default:
		break;
	}
}

static void step_undo(struct mirror *m, struct undo *u)
{
	struct dpo *d = u->at;
	struct kprefix *p = u->at;
	struct kitem *i = u->at;

	switch (u->what) {
	case UNDO_PREFIX:
		dpo_unref(&m->dpos, p->dpo);
		free(p->sid);
		if (p->sid_row != u->old.prefix.sid_row)
			sid_row_free(m, p);
		p->in_flight = false;
		p->sent = u->old.prefix.sent;
		p->vrf_id = u->old.prefix.vrf_id;
		p->target = u->old.prefix.target;
		p->protocol = u->old.prefix.protocol;
		p->dpo = u->old.prefix.dpo;
		p->sid = u->old.prefix.sid;
		p->sid_row = u->old.prefix.sid_row;
		p->unsure = u->old.prefix.unsure || m->undo_void;
		prefix_dirty(m, p);
		break;
	case UNDO_ITEM:
		i->in_flight = false;
		i->sent = u->old.item.sent;
		i->unsure = u->old.item.unsure || m->undo_void;
		memcpy(&i->obj, &u->old.item.obj, sizeof(i->obj));
		item_dirty(m, i);
		break;
	case UNDO_DPO_SET:
		d->in_dp = false;
		break;
	case UNDO_DPO_DEL:
		d->in_dp = true;
		d->leaving = false;
		if (d->refs == 0 && !d->on_dead_list) {
			d->on_dead_list = true;
			d->dead_next = m->dpos.dead;
			m->dpos.dead = d;
		}
		break;
	}
}

/* The step whose message was refused; a refused next hop is the fault of the route that needed it first. */
static struct undo *step_at_fault(struct mirror *m, uint32_t failed)
{
	for (size_t k = 0; failed != UINT32_MAX && k < m->n_undo; k++)
		if (m->undo[k].n_objects > failed &&
		    (m->undo[k].what == UNDO_PREFIX || m->undo[k].what == UNDO_ITEM))
			return &m->undo[k];
	for (size_t k = 0; m->batch == BATCH_MIN && k < m->n_undo; k++)
		if (m->undo[k].what == UNDO_PREFIX || m->undo[k].what == UNDO_ITEM)
			return &m->undo[k]; /* no one is named: one after the other */
	return NULL;
}

static void batch_refused(struct mirror *m, const struct dp_answer *a)
{
	struct undo *bad = step_at_fault(m, a->failed_index);
	struct kprefix *p = bad != NULL && bad->what == UNDO_PREFIX ? bad->at : NULL;
	struct kitem *i = bad != NULL && bad->what == UNDO_ITEM ? bad->at : NULL;

	m->count.refused_transactions++;
	if (a->error == ENOSPC && p != NULL) {
		m->full = true;
	} else if (p != NULL) {
		free(p->refused);
		if (asprintf(&p->refused, "refused by the data plane: %s", a->text) < 0)
			p->refused = NULL;
		m->n_set_aside++;
	} else if (i != NULL) {
		i->refused = true;
		m->n_set_aside++;
		log_warning("kernel: a%s is not taken by the data plane: %s",
			    i->is_neigh ? " neighbour" : "n address", a->text);
	}
	m->batch = m->batch / 2 > BATCH_MIN ? m->batch / 2 : BATCH_MIN;
	for (size_t k = m->n_undo; k-- > 0;)
		step_undo(m, &m->undo[k]);
}

static void replay_check(struct mirror *m);

static void on_commit(void *arg, const struct dp_answer *a)
{
	struct mirror *m = arg;

	m->in_flight = false;
	if (m->undo == NULL ||
	    !m->dpos_ready) { /* the connection went, and mirror_dp_down() cleared it all */
		m->n_undo = 0;
		return;
	}
	if (a->error == ENOTCONN)
		return; /* mirror_dp_down() comes next */
	if (a->error != 0) {
		batch_refused(m, a);
	} else {
		m->count.transactions++;
		m->batch = m->batch * 2 < BATCH_MAX ? m->batch * 2 : BATCH_MAX;
		if (a->reply.n_del != 0)
			m->full = false;
		for (size_t k = 0; k < m->n_undo; k++)
			step_done(m, &m->undo[k]);
	}
	m->n_undo = 0;
	m->undo_void = false;
	mirror_pump(m);
}

/* When all that was told is in the data plane. */
static void owned_check(struct mirror *m)
{
	bool settled = !m->in_flight && m->dirty == NULL && m->dirty_items == NULL &&
		       !m->replaying && (m->sock == NULL || nlsock_synced(m->sock));

	if (m->owned_dirty && settled)
		owned_update(m);
}

static bool may_pump(const struct mirror *m)
{
	if (!m->dpos_ready || m->adopting != 0 || m->in_flight || m->load != NULL ||
	    !dp_connected(m->c->dp))
		return false;
	if (m->replay_done !=
	    NULL) /* in the epoch of a reconcile; what is not read yet would be taken for gone */
		return m->sock == NULL || nlsock_synced(m->sock);
	return running_synchronised(m->c->running) && !running_busy(m->c->running);
}

void mirror_pump(struct mirror *m)
{
	uint32_t seen = 0;

	if (!may_pump(m))
		return;
	m->n_undo = 0;
	m->n_objects = 0;
	dp_txn_begin(m->c->dp);
	while (m->dirty_items != NULL && m->n_undo < m->batch && seen++ < EXAMINE_MAX) {
		struct kitem *i = m->dirty_items;
		m->dirty_items = i->dirty_next;
		i->dirty = false;
		item_pump(m, i);
	}
	while (m->dirty != NULL && m->n_undo < m->batch && seen++ < EXAMINE_MAX) {
		struct kprefix *p = m->dirty;
		m->dirty = p->dirty_next;
		if (m->dirty == NULL)
			m->dirty_last = NULL;
		p->dirty = false;
		m->n_dirty--;
		prefix_pump(m, p);
	}
	dead_pump(m);
	if (m->n_undo == 0) {
		dp_txn_abort(m->c->dp);
		if (m->dirty != NULL || m->dirty_items != NULL) {
			pump_soon(m);
			return;
		}
		replay_check(m);
		owned_check(m);
		return;
	}
	m->in_flight = true;
	dp_txn_commit(m->c->dp, on_commit, m);
}

void mirror_pump_timer(uv_timer_t *t)
{
	mirror_pump(t->data);
}

/* --- data plane comes and goes --------------------------------------------------------------- */

static void replay_check(struct mirror *m)
{
	void (*done)(void *) = m->replay_done;
	bool late = uv_now(m->c->loop) > m->replay_deadline;

	if (!m->replaying || m->adopting != 0 || m->in_flight)
		return;
	if (!late && m->sock != NULL &&
	    (!nlsock_synced(m->sock) || m->dirty != NULL || m->dirty_items != NULL ||
	     m->dpos.dead != NULL))
		return;
	if (late)
		log_warning("kernel: it did not tell all of its state in %u s", REPLAY_S);
	m->replaying = false;
	objset_fini(&m->adopted_sids);
	objset_fini(&m->dpos.adopted);
	m->replay_done = NULL;
	if (done != NULL)
		done(m->replay_arg);
}

static void all_dirty(struct mirror *m)
{
	for (uint32_t b = 0; b < m->model.n_prefix_buckets; b++)
		for (struct kprefix *p = m->model.prefixes[b]; p != NULL; p = p->hnext)
			prefix_dirty(m, p);
	for (uint32_t b = 0; b < m->model.n_item_buckets; b++)
		for (struct kitem *i = m->model.items[b]; i != NULL; i = i->hnext)
			item_dirty(m, i);
}

/* The data plane holds nothing of ours, or nobody knows: all is to be sent. */
static void forget_sent(struct mirror *m)
{
	for (size_t k = m->n_undo; k-- > 0;) /* of a transaction that nobody will answer */
		if (m->undo[k].what == UNDO_PREFIX) {
			dpo_unref(&m->dpos, m->undo[k].old.prefix.dpo);
			free(m->undo[k].old.prefix.sid);
		}
	m->n_undo = 0;
	for (uint32_t b = 0; b < m->model.n_prefix_buckets; b++)
		for (struct kprefix *p = m->model.prefixes[b]; p != NULL; p = p->hnext) {
			dpo_unref(&m->dpos, p->dpo);
			free(p->sid);
			free(p->refused);
			p->dpo = NULL;
			p->sid = NULL;
			p->refused = NULL;
			p->not_carried = false;
			p->sent = SENT_NONE;
			p->sid_row = 0;
			p->in_flight = p->unsure = p->waits_for_room = false;
		}
	for (uint32_t b = 0; b < m->model.n_item_buckets; b++)
		for (struct kitem *i = m->model.items[b]; i != NULL; i = i->hnext)
			i->sent = i->in_flight = i->unsure = i->refused = false;
	for (uint32_t b = 0; b < m->model.n_way_buckets; b++)
		for (struct way *w = m->model.ways[b]; w != NULL; w = w->hnext)
			way_translation_free(m, w);
	dpo_table_fini(&m->dpos);
	free(m->sid_used);
	m->sid_used = NULL;
	m->dpos_ready = false;
	m->full = false;
	m->n_refused = m->n_set_aside = 0;
	m->batch = BATCH_MAX;
}

bool mirror_dp_down(struct mirror *m)
{
	bool replaying = m != NULL && m->replay_done != NULL;

	if (m == NULL)
		return false;
	forget_sent(m);
	m->in_flight = false;
	m->replaying = false;
	m->adopting = 0;
	m->replay_done = NULL;
	return replaying;
}

static void on_adopt(void *arg, const struct dp_answer *a)
{
	struct mirror *m = arg;
	uint8_t body[1024];
	size_t off = 0;
	const struct hd_api_hdr *h;

	if (!m->dpos_ready || m->adopting == 0)
		return; /* of a connection that is gone */
	while (a->error == 0 && (h = dp_answer_next(a, &off, body, sizeof(body))) != NULL) {
		const struct ctrl_kind *kind = domains_kind(h->type);
		uint32_t size = kind != NULL ? kind->size : 0;
		if (kind == NULL || size > sizeof(body))
			continue;
		if (h->type == HD_API_SRV6_SID)
			objset_add(&m->adopted_sids, kind, body, size, NULL);
		else
			dpo_adopt(&m->dpos, kind, body, size);
	}
	if (--m->adopting == 0) {
		const struct object *x, *y;
		objset_sort(&m->adopted_sids, &x, &y);
		all_dirty(m);
		mirror_pump(m);
		replay_check(m);
	}
}

void mirror_replay(struct mirror *m, void (*done)(void *arg), void *arg)
{
	static const uint16_t kinds[] = { HD_API_NEXTHOP, HD_API_NHGROUP, HD_API_SRV6_SEGLIST,
					  HD_API_SRV6_POLICY, HD_API_SRV6_SID };
	const struct hd_api_hello *hello = m != NULL ? dp_hello(m->c->dp) : NULL;

	if (hello == NULL || !m->conf.enabled) {
		if (done != NULL)
			done(arg);
		return;
	}
	forget_sent(m);
	m->sid_base = hello->max_sids / 2;
	m->sid_n = hello->max_sids - m->sid_base;
	m->sid_next = 0;
	m->sid_used = calloc(m->sid_n + 1, 1);
	if (m->sid_used == NULL || dpo_table_init(&m->dpos, hello) < 0) {
		log_error("kernel: out of memory, nothing is mirrored");
		if (done != NULL)
			done(arg);
		return;
	}
	objset_init(&m->adopted_sids);
	m->dpos_ready = true;
	m->replaying = true;
	m->replay_done = done;
	m->replay_arg = arg;
	m->replay_deadline = uv_now(m->c->loop) + REPLAY_S * 1000;
	m->adopting = sizeof(kinds) / sizeof(kinds[0]);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		dp_dump(m->c->dp, kinds[i], on_adopt, m);
}

/* --- configuration --------------------------------------------------------------------------- */

static bool set_has_u32(const struct objset *set, uint16_t type, uint32_t id)
{
	return objset_find(set, domains_kind(type), &id) != NULL;
}

/* Does it go through an interface that the configuration no longer has? */
static bool dpo_stranded(const struct dpo *d, const struct objset *to)
{
	uint32_t iface_id;

	if (d == NULL)
		return false;
	if (d->type == HD_API_NEXTHOP) {
		memcpy(&iface_id, d->body + offsetof(struct hd_api_nexthop, iface_id),
		       sizeof(iface_id));
		return !set_has_u32(to, HD_API_IFACE, iface_id);
	}
	for (uint32_t i = 0; i < d->n_deps; i++)
		if (dpo_stranded(d->dep[i], to))
			return true;
	return false;
}

static bool vrf_stranded(uint32_t vrf_id, const struct objset *to)
{
	return vrf_id != 0 && !set_has_u32(to, HD_API_VRF, vrf_id);
}

static bool prefix_stranded(const struct kprefix *p, const struct objset *to)
{
	if (p->sent == SENT_NONE)
		return false;
	if (vrf_stranded(p->vrf_id, to) || dpo_stranded(p->dpo, to))
		return true;
	return p->sid != NULL &&
	       (vrf_stranded(p->sid->table4, to) || vrf_stranded(p->sid->table6, to) ||
		(p->sid->iface != 0 && !set_has_u32(to, HD_API_IFACE, p->sid->iface)));
}

/* Ids of the configuration are dense from 1; the mirror has the upper half. */
static int ids_apart(const struct mirror *m, const struct config *to, struct ctrl_err *err)
{
	for (size_t i = 0; i < to->set.n; i++)
		for (size_t k = 0; k < 4; k++) {
			const struct object *o = &to->set.obj[i];
			uint32_t id;
			if (o->kind->type != m->dpos.ids[k].type)
				continue;
			memcpy(&id, o->body, sizeof(id));
			if (id >= m->dpos.ids[k].base)
				return ctrl_fail(
					err, -ENOSPC,
					"more than %u of kind %s: the upper half is for what is "
					"mirrored of the kernel; see heddle-dp --help for sizes",
					m->dpos.ids[k].base - 1, o->kind->name);
		}
	return 0;
}

int mirror_load(struct mirror *m, const struct config *to, struct ctrl_err *err)
{
	if (m == NULL || !m->dpos_ready)
		return 0;
	int rc = ids_apart(m, to, err);
	if (rc < 0)
		return rc;
	m->load = m->c->running;
	m->undo_void = m->in_flight;
	for (uint32_t b = 0; b < m->model.n_prefix_buckets; b++)
		for (struct kprefix *p = m->model.prefixes[b]; p != NULL; p = p->hnext)
			if (prefix_stranded(p, &to->set)) {
				unsend(m, p);
				p->unsure = true;
			}
	for (uint32_t b = 0; b < m->dpos.n_buckets; b++)
		for (struct dpo *d = m->dpos.bucket[b]; d != NULL; d = d->hnext)
			if (d->in_dp && dpo_stranded(d, &to->set))
				object_send(m, d->type, d->body, 4, true);
	for (uint32_t b = 0; b < m->model.n_item_buckets; b++)
		for (struct kitem *i = m->model.items[b]; i != NULL; i = i->hnext) {
			uint32_t iface_id = i->is_neigh ? i->obj.neigh.iface_id :
							  i->obj.addr.iface_id;
			if (!i->sent || set_has_u32(&to->set, HD_API_IFACE, iface_id))
				continue;
			object_send(m, i->is_neigh ? HD_API_NEIGH : HD_API_ADDR, &i->obj,
				    i->is_neigh ? HD_API_NEIGH_KEY : HD_API_ADDR_KEY, true);
			i->unsure = true;
		}
	m->load = NULL;
	return 0;
}

/* The prefix of an object of the configuration. */
static struct kprefix *prefix_of(const struct mirror *m, uint32_t vrf_id, uint8_t family,
				 uint8_t plen, const uint8_t *addr)
{
	for (uint32_t t = 0; t < m->conf.n_tables; t++)
		if (m->conf.table[t].vrf_id == vrf_id)
			return prefix_find(m, m->conf.table[t].table,
					   family == 4 ? AF_INET : AF_INET6, plen, addr);
	return NULL;
}

bool mirror_takes_over(struct mirror *m, const struct object *gone, const struct config *to)
{
	const struct hd_api_route *r = (const void *)gone->body;
	struct wanted w = { 0 };

	if (m == NULL || !m->dpos_ready || gone->kind->type != HD_API_ROUTE)
		return false;
	struct kprefix *p = prefix_of(m, r->vrf_id, r->family, r->plen, r->prefix);
	if (p == NULL || p->first == NULL)
		return false;
	m->ignore_config = true;
	prefix_wanted(m, p, &w);
	m->ignore_config = false;
	if (w.what != SENT_ROUTE || dpo_stranded(w.dpo, &to->set) ||
	    vrf_stranded(w.vrf_id, &to->set))
		return false;
	m->load = m->c->running;
	dpo_send(m, w.dpo);
	send_wanted(m, p, &w);
	m->load = NULL;
	p->unsure = true;
	return true;
}

void mirror_follow(struct mirror *m, const struct config *running)
{
	struct mirror_conf conf;

	if (m == NULL)
		return;
	if (mirror_conf_read(&conf, running->tree, m->c->ids) < 0) {
		log_error("kernel: out of memory, the mirror keeps its old settings");
		return;
	}
	bool same_socket = conf.enabled == m->conf.enabled && conf.rcvbuf == m->conf.rcvbuf &&
			   strcmp(conf.netns, m->conf.netns) == 0;
	bool same = mirror_conf_equal(&conf, &m->conf);
	bool was = m->conf.enabled;
	mirror_conf_free(&m->conf);
	m->conf = conf;
	if (!same_socket) {
		nlsock_destroy(m->sock);
		m->sock = NULL;
		m->problem[0] = '\0';
		for (uint32_t class = 1; class <= K_ROUTE6; class <<= 1)
			model_sweep(m, (enum kclass) class, UINT32_MAX);
		if (conf.enabled)
			m->sock = nlsock_create(m);
	} else if (!same &&
		   m->sock !=
			   NULL) { /* other tables or protocols: what was passed over matters now */
		for (uint32_t class = K_ROUTE4; class <= K_ROUTE6; class <<= 1)
			model_sweep(m, (enum kclass) class, UINT32_MAX);
		nlsock_dump(m->sock, K_ROUTE4 | K_ROUTE6);
	}
	model_remap(m);
	all_dirty(m);
	m->owned_dirty = true;
	if (conf.enabled && !was && !m->dpos_ready && running_synchronised(m->c->running))
		mirror_replay(m, NULL, NULL); /* no epoch: there is nothing of ours to sweep */
}

/* --- neighbours that the data plane asks for ------------------------------------------------- */

void mirror_neighbour_wanted(struct mirror *m, const struct hd_api_event *ev)
{
	if (m == NULL || m->sock == NULL)
		return;
	for (const struct klink *l = m->model.links; l != NULL; l = l->next)
		if (l->iface_id == ev->u.neigh.iface_id)
			nlsock_resolve(m->sock, l->l.index,
				       ev->u.neigh.family == 4 ? AF_INET : AF_INET6,
				       ev->u.neigh.addr);
}

/* The kernel sees no packet use a neighbour: without a word from us it would not notice that one has gone. */
static void keep_alive(struct mirror *m)
{
	unsigned left = 64;

	for (uint32_t k = 0; k < m->model.n_item_buckets && left > 0; k++) {
		uint32_t b = (m->keep_alive_at + k) % m->model.n_item_buckets;
		for (struct kitem *i = m->model.items[b]; i != NULL; i = i->hnext)
			if (i->is_neigh && i->sent && (i->state & NUD_STALE) != 0) {
				nlsock_resolve(m->sock, i->index, i->family, i->addr);
				left -= left > 0;
			}
		if (left == 0)
			m->keep_alive_at = b + 1;
	}
}

static void retry_refused(struct mirror *m)
{
	m->full = false;
	m->n_set_aside = 0;
	for (uint32_t b = 0; b < m->model.n_prefix_buckets; b++)
		for (struct kprefix *p = m->model.prefixes[b]; p != NULL; p = p->hnext)
			if (p->refused != NULL || p->waits_for_room) {
				free(p->refused);
				p->refused = NULL;
				p->waits_for_room = false;
				prefix_dirty(m, p);
			}
	for (uint32_t b = 0; b < m->model.n_item_buckets; b++)
		for (struct kitem *i = m->model.items[b]; i != NULL; i = i->hnext)
			if (i->refused) {
				i->refused = false;
				item_dirty(m, i);
			}
}

static void on_tick(uv_timer_t *t)
{
	struct mirror *m = t->data;

	m->log_credit = 5;
	m->ticks++;
	if (m->sock != NULL)
		keep_alive(m);
	if ((m->n_set_aside != 0 || m->full) && m->ticks % RETRY_S == 0)
		retry_refused(m);
	if (m->sock != NULL && m->ticks % RETRY_S == 0)
		nlsock_dump(m->sock, K_LINK); /* whether the kernel forwards is told to nobody */
	if (m->replaying)
		replay_check(m);
	if (m->dirty != NULL || m->dirty_items != NULL || m->dpos.dead != NULL)
		mirror_pump(m);
	owned_check(m);
}

/* --- life ------------------------------------------------------------------------------------ */

struct mirror *mirror_create(struct ctrl *c)
{
	struct mirror *m = calloc(1, sizeof(*m));

	if (m == NULL || (m->c = c, model_init(m)) < 0) {
		free(m);
		return NULL;
	}
	m->gen = 1;
	m->batch = BATCH_MAX;
	m->log_credit = 5;
	uv_timer_init(c->loop, &m->timer);
	uv_timer_init(c->loop, &m->pump_timer);
	m->timer.data = m->pump_timer.data = m;
	m->pump_timer_ready = true;
	uv_timer_start(&m->timer, on_tick, TICK_MS, TICK_MS);
	return m;
}

static void timer_closed(uv_handle_t *h)
{
	free(h->data);
}

void mirror_destroy(struct mirror *m)
{
	if (m == NULL)
		return;
	m->pump_timer_ready = false;
	nlsock_destroy(m->sock);
	m->sock = NULL;
	forget_sent(m);
	model_fini(m);
	mirror_conf_free(&m->conf);
	free(m->undo);
	objset_fini(&m->adopted_sids);
	uv_timer_stop(&m->timer);
	uv_timer_stop(&m->pump_timer);
	uv_close((uv_handle_t *)&m->pump_timer, NULL);
	uv_close((uv_handle_t *)&m->timer, timer_closed);
}

/* --- questions ------------------------------------------------------------------------------- */

bool mirror_owns(const struct mirror *m, uint16_t type, const void *body)
{
	const struct hd_api_route *r = body;
	const struct hd_api_srv6_sid *s = body;
	const struct kprefix *p;
	uint32_t id;

	if (m == NULL || !m->dpos_ready)
		return false;
	memcpy(&id, body, sizeof(id));
	if (type == HD_API_ROUTE) {
		p = prefix_of(m, r->vrf_id, r->family, r->plen, r->prefix);
		return p != NULL && p->sent == SENT_ROUTE;
	}
	if (type == HD_API_SRV6_SID) {
		p = prefix_of(m, s->vrf_id, 6, s->plen, s->sid);
		return p != NULL && p->sent == SENT_SID;
	}
	for (uint32_t b = 0;
	     (type == HD_API_ADDR || type == HD_API_NEIGH) && b < m->model.n_item_buckets; b++)
		for (const struct kitem *i = m->model.items[b]; i != NULL; i = i->hnext)
			if (i->sent && i->is_neigh == (type == HD_API_NEIGH) &&
			    memcmp(&i->obj, body, HD_API_ADDR_KEY) == 0)
				return true;
	return dpo_by_id(&m->dpos, type, id) != NULL;
}

const char *mirror_route_source(const struct mirror *m, const struct hd_api_route *r)
{
	static char buf[8];
	const struct kprefix *p;

	if (m == NULL || !m->dpos_ready)
		return NULL;
	p = prefix_of(m, r->vrf_id, r->family, r->plen, r->prefix);
	return p != NULL && p->sent == SENT_ROUTE ? protocol_name(p->protocol, buf) : NULL;
}

static int nexthop_text(const struct mirror *m, const struct hd_api_nexthop *nh, char *buf,
			size_t size)
{
	const char *iface = ids_name(m->c->ids, ID_INTERFACE, nh->iface_id);
	static const uint8_t none[16];
	char text[48];

	if (memcmp(nh->gateway, none, 16) == 0)
		return snprintf(buf, size, "on-link %s", iface != NULL ? iface : "?");
	return snprintf(buf, size, "%s %s", ip_text(nh->family, nh->gateway, text, sizeof(text)),
			iface != NULL ? iface : "?");
}

static void group_text(const struct mirror *m, const struct dpo *d, char *buf, size_t size)
{
	const struct hd_api_nhgroup *g = (const void *)d->body;
	size_t n = 0;

	buf[0] = '\0';
	for (uint32_t i = 0; i < d->n_deps && n + 100 < size; i++) {
		n += (size_t)snprintf(buf + n, size - n, "%s", i > 0 ? ", " : "");
		n += (size_t)nexthop_text(m, (const void *)d->dep[i]->body, buf + n, size - n);
		n += (size_t)snprintf(buf + n, size - n, " weight %u", g->member[i].weight);
	}
}

static void policy_text(const struct dpo *d, char *buf, size_t size)
{
	const struct hd_api_srv6_policy *p = (const void *)d->body;
	const struct hd_api_srv6_seglist *l = (const void *)d->dep[0]->body;
	size_t n = (size_t)snprintf(buf, size, "%s",
				    p->encap == HD_SRV6_H_ENCAPS_RED ? "encap.red" : "encap");
	char text[48];

	for (uint32_t i = 0; i < l->n_segs && n + 50 < size; i++)
		n += (size_t)snprintf(buf + n, size - n, " %s",
				      ip_text(6, l->seg[i], text, sizeof(text)));
}

bool mirror_target_text(const struct mirror *m, uint32_t target, uint32_t id, char *buf,
			size_t size)
{
	uint16_t type = target == HD_TARGET_NEXTHOP ? HD_API_NEXTHOP :
			target == HD_TARGET_NHGROUP ? HD_API_NHGROUP :
			target == HD_TARGET_POLICY  ? HD_API_SRV6_POLICY :
						      0;
	const struct dpo *d = m != NULL && type != 0 ? dpo_by_id(&m->dpos, type, id) : NULL;

	if (d == NULL)
		return false;
	if (type == HD_API_NEXTHOP)
		nexthop_text(m, (const void *)d->body, buf, size);
	else if (type == HD_API_NHGROUP)
		group_text(m, d, buf, size);
	else
		policy_text(d, buf, size);
	return true;
}

void mirror_addresses(const struct mirror *m, void (*fn)(void *arg, const struct hd_api_addr *a),
		      void *arg)
{
	for (uint32_t b = 0; m != NULL && b < m->model.n_item_buckets; b++)
		for (const struct kitem *i = m->model.items[b]; i != NULL; i = i->hnext)
			if (!i->is_neigh && i->sent)
				fn(arg, &i->obj.addr);
}
