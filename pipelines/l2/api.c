/* SPDX-License-Identifier: BSD-3-Clause
 * Object kind IFACE (include/heddle/api/l2.h), and the published form of interfaces.
 * An interface's MAC and MTU default to its port's; ports change by themselves, so iface_tick() looks. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/worker.h"
#include "dataplane/host.h"
#include "dataplane/log.h"
#include "dataplane/objects.h"
#include "dataplane/port.h"
#include "dataplane/rcu.h"
#include "dataplane/result.h"
#include "dataplane/stats.h"
#include "heddle/api/srv6.h"
#include "pipelines/l2/bridge.h"
#include "pipelines/l2/demux.h"
#include "pipelines/l2/internal.h"
#include "pipelines/l2/l2.h"

struct slots *iface_slots;
struct iface_count *iface_counts[STATS_SLICES_MAX];

#define WATCHERS_MAX 8u
static iface_changed_fn watcher[WATCHERS_MAX];
static unsigned n_watchers;

/* What the control process asked for; conf[id] NULL: no such interface. */
static struct hd_api_iface **conf;
static uint32_t n_conf;

int iface_watch(iface_changed_fn fn)
{
	if (n_watchers == WATCHERS_MAX)
		return -ENOSPC;
	watcher[n_watchers++] = fn;
	return 0;
}

void iface_port_bits(uint8_t (*of)(uint32_t iface_id), const struct iface *leaving, uint8_t *ret)
{
	memset(ret, 0, WORKER_PORTS_MAX);
	for (uint32_t id = 1; id < dp_limits.ifaces; id++) {
		uint8_t bits = of(id);
		const struct iface *i = bits != 0 ? iface_get(id) : NULL;

		if (i != NULL && i != leaving)
			ret[i->port] |= bits;
	}
}

static void notify(const struct iface *old, const struct iface *new)
{
	for (unsigned i = 0; i < n_watchers; i++)
		watcher[i](old, new);
}

/* The interface as readers see it: configuration and what the port adds. */
static void iface_fill(struct iface *i, const struct hd_api_iface *c)
{
	static const uint8_t none[6];
	const struct port *p = port_get(c->port_id);

	memset(i, 0, sizeof(*i));
	i->id = (uint16_t)c->iface_id;
	i->port = (uint16_t)c->port_id;
	i->vrf = (uint16_t)c->vrf_id;
	i->mtu = c->mtu != 0 ? c->mtu : p != NULL ? p->mtu : 1500;
	if (memcmp(c->mac, none, 6) != 0)
		memcpy(&i->mac, c->mac, 6);
	else if (p != NULL)
		memcpy(&i->mac, p->mac.addr_bytes, 6);
	memcpy(&i->mac48, &i->mac, 6);
	i->admin_up = (c->flags & HD_IFACE_F_UP) != 0;
	i->up = i->admin_up && p != NULL && p->up;
	i->ingress = (c->flags & HD_IFACE_F_INGRESS) != 0;
	i->l2_word = bridge_iface_word(c->iface_id);
	if (c->l2_policy_id != 0)
		i->l2_word = hd_result(HD_RESULT_POLICY, c->l2_policy_id);
	i->host = (c->flags & HD_IFACE_F_HOST) != 0;
	i->host_copy = !host_twin_is(c->port_id);
	i->urpf4 = c->urpf4;
	i->urpf6 = c->urpf6;
	if (c->outer_tpid != 0)
		i->tag[i->n_tags++] =
			(struct eth_tag_view){ .tpid = c->outer_tpid, .vid = c->outer_vid };
	if (c->inner_vid != 0)
		i->tag[i->n_tags++] =
			(struct eth_tag_view){ .tpid = ETHTYPE_VLAN, .vid = c->inner_vid };
	memcpy(i->name, c->name, sizeof(i->name) - 1);
	/* last: it depends on all the others */
	i->plain = i->admin_up && i->urpf4 == 0 && i->urpf6 == 0 && !i->ingress && i->l2_word == 0;
}

/* Publish anew if anything differs from what readers see. */
static int iface_refresh(const struct hd_api_iface *c)
{
	const struct iface *old = iface_get(c->iface_id);
	struct iface *i = malloc(sizeof(*i)), was;

	if (i == NULL)
		return -ENOMEM;
	iface_fill(i, c);
	if (old != NULL && memcmp(old, i, sizeof(*i)) == 0) {
		free(i);
		return 0;
	}
	if (old != NULL)
		was = *old;
	slots_set(iface_slots, c->iface_id, i, free);
	notify(old != NULL ? &was : NULL, i);
	return 0;
}

static bool same_tags(const struct hd_api_iface *a, const struct hd_api_iface *b)
{
	return a->port_id == b->port_id && a->outer_tpid == b->outer_tpid &&
	       a->outer_vid == b->outer_vid && a->inner_vid == b->inner_vid;
}

/* Do these tags belong to another interface that keeps them? */
static int tags_taken(const struct hd_api_iface *c, struct object_error *err)
{
	uint32_t held = demux_get(c);
	const struct hd_api_iface *h;

	if (held == 0 || held == c->iface_id)
		return 0;
	h = object_find(HD_API_IFACE, &held); /* as it will be after the transaction */
	if (h == NULL || !same_tags(h, c))
		return 0;
	return object_fail(err, -EEXIST, "interface %.31s has the same tags on this port", h->name);
}

static int iface_check(const void *m, const void *old, struct object_error *err)
{
	const struct hd_api_iface *c = m;
	const struct hd_api_srv6_policy *p;

	(void)old;
	if (c->iface_id == 0 || c->iface_id >= n_conf)
		return object_fail(err, -EINVAL, "interface id %u is not between 1 and %u",
				   c->iface_id, n_conf - 1);
	if (c->port_id >= WORKER_PORTS_MAX)
		return object_fail(err, -EINVAL, "port id %u: at most %u ports", c->port_id,
				   WORKER_PORTS_MAX);
	if (c->outer_tpid != 0 && !ethtype_is_tag(c->outer_tpid))
		return object_fail(err, -EINVAL, "outer TPID 0x%04x is neither 0x8100 nor 0x88a8",
				   c->outer_tpid);
	if (c->outer_tpid == 0 ? c->outer_vid != 0 || c->inner_vid != 0 :
				 c->outer_vid == 0 || c->outer_vid > 4094 || c->inner_vid > 4094)
		return object_fail(err, -EINVAL, "VLAN ids %u, %u are not between 1 and 4094",
				   c->outer_vid, c->inner_vid);
	if ((c->mac[0] & 1) != 0)
		return object_fail(err, -EINVAL, "the interface's MAC is a group address");
	if (c->mtu != 0 && (c->mtu < 68 || c->mtu > 9600))
		return object_fail(err, -EINVAL, "mtu %u is not between 68 and 9600", c->mtu);
	p = c->l2_policy_id != 0 ? object_find(HD_API_SRV6_POLICY, &c->l2_policy_id) : NULL;
	if (p != NULL && p->encap != HD_SRV6_H_ENCAPS_L2 && p->encap != HD_SRV6_H_ENCAPS_L2_RED)
		return object_fail(err, -EINVAL,
				   "policy %.31s does not take Ethernet frames: its encapsulation "
				   "is not h.encaps.l2 or h.encaps.l2.red",
				   p->name);
	if (c->urpf4 > HD_URPF_STRICT || c->urpf6 > HD_URPF_STRICT)
		return object_fail(err, -EINVAL, "unknown uRPF mode");
	return tags_taken(c, err);
}

/* Give the tags back, unless another interface has taken them over in the same transaction. */
static void tags_release(const struct hd_api_iface *c)
{
	if (demux_get(c) == c->iface_id)
		demux_clear(c);
}

static int iface_apply(const void *m, const void *o, struct object_error *err)
{
	const struct hd_api_iface *msg = m, *old = o;
	struct hd_api_iface *c;
	int rc = tags_taken(msg, err); /* two new interfaces of one transaction may want the same */

	if (rc < 0)
		return rc;
	c = malloc(sizeof(*c));
	if (c == NULL)
		return object_fail(err, -ENOMEM, "out of memory");
	*c = *msg;
	rc = demux_set(c, (uint16_t)c->iface_id);
	if (rc < 0)
		goto free_c;
	rc = iface_refresh(c);
	if (rc < 0)
		goto release;
	if (old != NULL && !same_tags(old, c))
		tags_release(old);
	free(conf[c->iface_id]);
	conf[c->iface_id] = c;
	return 0;
release:
	if (old == NULL || !same_tags(old, c))
		tags_release(c);
free_c:
	free(c);
	return object_fail(err, rc, "out of memory");
}

static void iface_remove(const void *o)
{
	const struct hd_api_iface *c = o;
	const struct iface *old = iface_get(c->iface_id);
	struct iface was;

	tags_release(c);
	if (old != NULL) {
		was = *old;
		slots_set(iface_slots, c->iface_id, NULL, free);
		notify(&was, NULL);
	}
	free(conf[c->iface_id]);
	conf[c->iface_id] = NULL;
}

static unsigned iface_refs(const void *m, struct object_ref *ref)
{
	const struct hd_api_iface *c = m;
	unsigned n = 0;

	memset(ref, 0, 3 * sizeof(*ref));
	ref[n].type = HD_API_PORT;
	memcpy(ref[n++].key, &c->port_id, sizeof(c->port_id));
	if (c->vrf_id != 0) { /* VRF 0 needs no object */
		ref[n].type = HD_API_VRF;
		memcpy(ref[n++].key, &c->vrf_id, sizeof(c->vrf_id));
	}
	if (c->l2_policy_id != 0) {
		ref[n].type = HD_API_SRV6_POLICY;
		memcpy(ref[n++].key, &c->l2_policy_id, sizeof(c->l2_policy_id));
	}
	return n;
}

static struct object_kind iface_kind = {
	.type = HD_API_IFACE,
	.rank = 20,
	.name = "interface",
	.key_size = sizeof(uint32_t),
	.min_size = offsetof(struct hd_api_iface, l2_policy_id),
	.max_size = sizeof(struct hd_api_iface),
	.check = iface_check,
	.apply = iface_apply,
	.remove = iface_remove,
	.refs = iface_refs,
};

int iface_init(void)
{
	static const char *const cols[] = { "rx-packets", "rx-octets", "tx-packets", "tx-octets",
					    NULL };
	uint32_t idx;
	int vec, rc;

	n_conf = dp_limits.ifaces;
	conf = calloc(n_conf, sizeof(*conf));
	iface_slots = slots_create(n_conf);
	if (conf == NULL || iface_slots == NULL) {
		rc = -ENOMEM;
		goto fail;
	}
	while (slots_alloc(iface_slots, &idx) ==
	       0) /* ids are the owner's: all of them may be set */
		;
	vec = stats_vec_add("interface", HD_STATS_COUNTER, n_conf, cols, NULL);
	if (vec < 0) {
		rc = vec;
		goto fail;
	}
	STATS_SLICES_FILL(iface_counts, vec);
	rc = object_kind_register(&iface_kind);
	if (rc < 0)
		goto fail;
	return 0;
fail:
	iface_fini();
	return rc;
}

void iface_fini(void)
{
	for (uint32_t i = 0; conf != NULL && i < n_conf; i++)
		if (conf[i] != NULL)
			demux_clear(conf[i]);
	for (uint32_t i = 0; conf != NULL && i < n_conf; i++)
		free(conf[i]);
	free(conf);
	conf = NULL;
	slots_destroy(iface_slots, free);
	iface_slots = NULL;
	n_watchers = 0;
}

/* Ports get new MACs, MTUs and links by themselves. */
static void refresh_all(int port_id)
{
	for (uint32_t i = 0; i < n_conf; i++)
		if (conf[i] != NULL && (port_id < 0 || conf[i]->port_id == (uint32_t)port_id) &&
		    iface_refresh(conf[i]) < 0)
			log_error("interface %s: out of memory, its change of link is not seen",
				  conf[i]->name);
}

void iface_l2_changed(uint32_t iface_id)
{
	if (iface_id != 0 && iface_id < n_conf && conf[iface_id] != NULL &&
	    iface_refresh(conf[iface_id]) < 0)
		log_error("interface %s: out of memory, its bridge is not seen",
			  conf[iface_id]->name);
}

void iface_link_changed(unsigned port_id)
{
	refresh_all((int)port_id);
}

void iface_tick(void)
{
	static unsigned turn;

	if (turn++ % 10 == 0) /* once a second */
		refresh_all(-1);
}
