/* SPDX-License-Identifier: BSD-3-Clause
 * Bridge domains: object kinds BRIDGE and BRIDGE_PORT (include/heddle/api/l2.h), and their published form.
 * Control thread.  A change of a bridge or of a member publishes the whole bridge anew. */
#include "pipelines/l2/bridge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/objects.h"
#include "dataplane/result.h"
#include "pipelines/l2/bridge_mac.h"
#include "pipelines/l2/internal.h"
#include "pipelines/l2/l2.h"
#include "pipelines/l2/vlan_table.h"

struct slots *bridge_slots;

/* What the owner said last. */
static struct hd_api_bridge *bridges[HD_BRIDGES_MAX];
static struct hd_api_bridge_port *members[HD_BRIDGE_MEMBERS_MAX];

static void member_fill(struct bridge_member *m, const struct hd_api_bridge_port *c)
{
	*m = (struct bridge_member){
		.iface = (uint16_t)c->iface_id,
		.word = c->policy_id != 0 ? hd_result(HD_RESULT_POLICY, c->policy_id) : 0,
		.member_id = (uint16_t)c->member_id,
		.segment = c->segment,
		.group = c->group,
	};
	memcpy(m->remote, c->remote, sizeof(m->remote));
}

/* Publish a bridge from what is configured.  -ENOMEM: nothing has changed. */
static int publish(uint32_t id)
{
	struct bridge *b;

	if (bridges[id] == NULL) {
		slots_set(bridge_slots, id, NULL, free);
		return 0;
	}
	b = calloc(1, sizeof(*b));
	if (b == NULL)
		return -ENOMEM;
	b->bridge_id = id;
	b->flags = bridges[id]->flags;
	for (unsigned i = 1; i < HD_BRIDGE_MEMBERS_MAX && b->n < HD_BRIDGE_PORTS_MAX; i++)
		if (members[i] != NULL && members[i]->bridge_id == id)
			member_fill(&b->member[b->n++], members[i]);
	slots_set(bridge_slots, id, b, free);
	return 0;
}

/* ---- BRIDGE -------------------------------------------------------------------------------------------------- */

static int bridge_check(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_bridge *m = msg;

	(void)old;
	if (m->bridge_id == 0 || m->bridge_id >= HD_BRIDGES_MAX)
		return object_fail(err, -EINVAL, "bridge id %u is not between 1 and %u",
				   m->bridge_id, HD_BRIDGES_MAX - 1);
	if ((m->flags & ~(HD_BRIDGE_F_NO_LEARN | HD_BRIDGE_F_NO_FLOOD)) != 0)
		return object_fail(err, -EINVAL, "unknown flags 0x%x", m->flags);
	return 0;
}

static int bridge_apply(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_bridge *m = msg;
	struct hd_api_bridge *copy = malloc(sizeof(*copy)), *was = bridges[m->bridge_id];
	int rc = -ENOMEM;

	(void)old;
	if (copy == NULL)
		return object_fail(err, -ENOMEM, "out of memory");
	*copy = *m;
	bridges[m->bridge_id] = copy;
	rc = bridge_mac_start();
	if (rc == 0)
		rc = publish(m->bridge_id);
	if (rc < 0) {
		bridges[m->bridge_id] = was;
		free(copy);
		return object_fail(err, rc, "no memory for the table of MAC addresses");
	}
	free(was);
	return 0;
}

static void bridge_remove(const void *old)
{
	uint32_t id = ((const struct hd_api_bridge *)old)->bridge_id;

	free(bridges[id]);
	bridges[id] = NULL;
	publish(id);
	bridge_mac_flush(id, 0);
}

static const struct object_kind bridge_kind = {
	.type = HD_API_BRIDGE,
	.rank = 18,
	.name = "bridge",
	.key_size = 4,
	.min_size = 4,
	.max_size = sizeof(struct hd_api_bridge),
	.check = bridge_check,
	.apply = bridge_apply,
	.remove = bridge_remove,
	.capacity = HD_BRIDGES_MAX - 1,
};

/* ---- BRIDGE_PORT --------------------------------------------------------------------------------------------- */

static unsigned in_bridge(uint32_t bridge_id, uint32_t but)
{
	unsigned n = 0;

	for (unsigned i = 1; i < HD_BRIDGE_MEMBERS_MAX; i++)
		n += members[i] != NULL && i != but && members[i]->bridge_id == bridge_id;
	return n;
}

static const struct hd_api_bridge_port *other_with_iface(uint32_t iface_id, uint32_t but)
{
	for (unsigned i = 1; i < HD_BRIDGE_MEMBERS_MAX; i++) {
		const struct hd_api_bridge_port *now;

		if (members[i] == NULL || i == but || members[i]->iface_id != iface_id)
			continue;
		now = object_find(HD_API_BRIDGE_PORT, &i); /* as it will be after the transaction */
		if (now != NULL && now->iface_id == iface_id)
			return now;
	}
	return NULL;
}

static int port_check(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_bridge_port *m = msg;

	(void)old;
	if (m->member_id == 0 || m->member_id >= HD_BRIDGE_MEMBERS_MAX)
		return object_fail(err, -EINVAL, "member id %u is not between 1 and %u",
				   m->member_id, HD_BRIDGE_MEMBERS_MAX - 1);
	if ((m->iface_id != 0) == (m->policy_id != 0))
		return object_fail(err, -EINVAL,
				   "a member is an interface or a policy, one of both");
	if (m->iface_id != 0 && other_with_iface(m->iface_id, m->member_id) != NULL)
		return object_fail(err, -EEXIST, "interface %u is a member already", m->iface_id);
	return 0;
}

static int port_apply(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_bridge_port *m = msg, *o = old;
	struct hd_api_bridge_port *copy, *was = members[m->member_id];

	if (in_bridge(m->bridge_id, m->member_id) >= HD_BRIDGE_PORTS_MAX)
		return object_fail(err, -ENOSPC, "a bridge has at most %u members",
				   HD_BRIDGE_PORTS_MAX);
	copy = malloc(sizeof(*copy));
	if (copy == NULL)
		return object_fail(err, -ENOMEM, "out of memory");
	*copy = *m;
	members[m->member_id] = copy;
	if (publish(m->bridge_id) < 0) {
		members[m->member_id] = was;
		free(copy);
		return object_fail(err, -ENOMEM, "out of memory");
	}
	if (o != NULL && o->bridge_id != m->bridge_id) {
		publish(o->bridge_id);
		bridge_mac_flush(o->bridge_id, m->member_id);
	}
	if (o != NULL && o->iface_id != m->iface_id)
		iface_l2_changed(o->iface_id);
	free(was);
	iface_l2_changed(m->iface_id);
	return 0;
}

static void port_remove(const void *old)
{
	const struct hd_api_bridge_port *m = old;

	free(members[m->member_id]);
	members[m->member_id] = NULL;
	publish(m->bridge_id);
	bridge_mac_flush(m->bridge_id, m->member_id);
	iface_l2_changed(m->iface_id);
}

static unsigned port_refs(const void *msg, struct object_ref *ref)
{
	const struct hd_api_bridge_port *m = msg;

	memset(ref, 0, 2 * sizeof(*ref));
	ref[0].type = HD_API_BRIDGE;
	memcpy(ref[0].key, &m->bridge_id, sizeof(m->bridge_id));
	ref[1].type = m->iface_id != 0 ? HD_API_IFACE : HD_API_SRV6_POLICY;
	memcpy(ref[1].key, m->iface_id != 0 ? &m->iface_id : &m->policy_id, sizeof(uint32_t));
	return 2;
}

static const struct object_kind port_kind = {
	.type = HD_API_BRIDGE_PORT,
	.rank = 62, /* behind policies */
	.name = "bridge member",
	.key_size = 4,
	.min_size = 16,
	.max_size = sizeof(struct hd_api_bridge_port),
	.check = port_check,
	.apply = port_apply,
	.remove = port_remove,
	.refs = port_refs,
	.capacity = HD_BRIDGE_MEMBERS_MAX - 1,
};

uint32_t bridge_iface_word(uint32_t iface_id)
{
	for (unsigned i = 1; i < HD_BRIDGE_MEMBERS_MAX; i++)
		if (members[i] != NULL && members[i]->iface_id == iface_id)
			return hd_result(HD_RESULT_BRIDGE, members[i]->bridge_id << 12 | i);
	return 0;
}

/* ---- init ---------------------------------------------------------------------------------------------------- */

int bridge_init(void)
{
	uint32_t idx;
	int rc = -ENOMEM;

	bridge_slots = slots_create(HD_BRIDGES_MAX);
	if (bridge_slots == NULL)
		return -ENOMEM;
	while (slots_alloc(bridge_slots, &idx) == 0) /* ids are the owner's */
		;
	rc = bridge_mac_init();
	if (rc == 0)
		rc = vlan_table_init();
	if (rc == 0)
		rc = object_kind_register(&bridge_kind);
	if (rc == 0)
		rc = object_kind_register(&port_kind);
	if (rc < 0)
		bridge_fini();
	return rc;
}

void bridge_fini(void)
{
	for (unsigned i = 0; i < HD_BRIDGES_MAX; i++) {
		free(bridges[i]);
		bridges[i] = NULL;
	}
	for (unsigned i = 0; i < HD_BRIDGE_MEMBERS_MAX; i++) {
		free(members[i]);
		members[i] = NULL;
	}
	vlan_table_fini();
	bridge_mac_fini();
	slots_destroy(bridge_slots, free);
	bridge_slots = NULL;
}

void bridge_tick(void)
{
	bridge_mac_tick(bridges);
}
