/* SPDX-License-Identifier: BSD-3-Clause
 * VLAN tables: (table, outer, inner) -> interface, object kind VLAN_ENTRY.  One rte_hash with lock-free readers; the
 * interface id is the data of a key, one word that is the old or the new one. */
#include "pipelines/l2/vlan_table.h"

#include <errno.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <stdint.h>
#include <string.h>

#include "dataplane/objects.h"
#include "dataplane/rcu.h"
#include "pipelines/l2/bridge.h"

static struct rte_hash *table; /* made with the first entry */

static uint64_t make_key(uint32_t id, uint16_t outer, uint16_t inner)
{
	return (uint64_t)id << 32 | (uint32_t)outer << 16 | inner;
}

uint32_t vlan_table_find(uint32_t id, uint16_t outer, uint16_t inner)
{
	struct rte_hash *t = __atomic_load_n(&table, __ATOMIC_ACQUIRE);
	uint64_t key = make_key(id, outer, inner);
	void *data;

	return t != NULL && rte_hash_lookup_data(t, &key, &data) >= 0 ? (uint32_t)(uintptr_t)data :
									0;
}

static int start(void)
{
	struct rte_hash_parameters p = {
		.name = "vlan-tables",
		.entries = HD_VLAN_ENTRIES_MAX,
		.key_len = sizeof(uint64_t),
		.hash_func = rte_hash_crc,
		.socket_id = SOCKET_ID_ANY,
		.extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF |
			      RTE_HASH_EXTRA_FLAGS_EXT_TABLE,
	};
	struct rte_hash_rcu_config rcu = { .v = rcu_qsbr, .mode = RTE_HASH_QSBR_MODE_DQ };
	struct rte_hash *t;

	if (table != NULL)
		return 0;
	t = rte_hash_create(&p);
	if (t == NULL)
		return -ENOMEM;
	if (rcu_qsbr != NULL && rte_hash_rcu_qsbr_add(t, &rcu) != 0) {
		rte_hash_free(t);
		return -ENOMEM;
	}
	__atomic_store_n(&table, t, __ATOMIC_RELEASE);
	return 0;
}

static int entry_check(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_vlan_entry *m = msg;

	(void)old;
	if (m->table_id == 0)
		return object_fail(err, -EINVAL, "VLAN table 0 is not used");
	if (m->outer_vid > 4094 || m->inner_vid > 4094 || (m->outer_vid == 0 && m->inner_vid != 0))
		return object_fail(err, -EINVAL, "VLAN ids %u, %u are not between 1 and 4094",
				   m->outer_vid, m->inner_vid);
	return 0;
}

static int entry_apply(const void *msg, const void *old, struct object_error *err)
{
	const struct hd_api_vlan_entry *m = msg;
	uint64_t key = make_key(m->table_id, m->outer_vid, m->inner_vid);

	(void)old;
	if (start() < 0)
		return object_fail(err, -ENOMEM, "no memory for VLAN tables");
	if (rte_hash_add_key_data(table, &key, (void *)(uintptr_t)m->iface_id) < 0)
		return object_fail(err, -ENOSPC, "the VLAN tables are full");
	return 0;
}

static void entry_remove(const void *old)
{
	const struct hd_api_vlan_entry *m = old;
	uint64_t key = make_key(m->table_id, m->outer_vid, m->inner_vid);

	rte_hash_del_key(table, &key);
}

static unsigned entry_refs(const void *msg, struct object_ref *ref)
{
	const struct hd_api_vlan_entry *m = msg;

	memset(ref, 0, sizeof(*ref));
	ref->type = HD_API_IFACE;
	memcpy(ref->key, &m->iface_id, sizeof(m->iface_id));
	return 1;
}

static const struct object_kind entry_kind = {
	.type = HD_API_VLAN_ENTRY,
	.rank = 22,
	.name = "VLAN table entry",
	.key_size = 8,
	.min_size = 12,
	.max_size = sizeof(struct hd_api_vlan_entry),
	.check = entry_check,
	.apply = entry_apply,
	.remove = entry_remove,
	.refs = entry_refs,
	.capacity = HD_VLAN_ENTRIES_MAX,
};

int vlan_table_init(void)
{
	return object_kind_register(&entry_kind);
}

void vlan_table_fini(void)
{
	struct rte_hash *t = table;

	table = NULL;
	rte_hash_free(t);
}
