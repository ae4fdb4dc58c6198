/* SPDX-License-Identifier: BSD-3-Clause
 * A hash table with few probes in each worker's slice of the statistics.  Only its worker writes; rows are never freed,
 * so a reader sees a key and its counters together. */
#include "dataplane/object_drops.h"

#include "dataplane/stats.h"

#define PROBES 16u

struct drop_row {
	uint64_t key, packets, octets;
};
static_assert(sizeof(struct drop_row) == HD_DROP_COLS * sizeof(uint64_t), "the vector's columns");

static struct drop_row *tables[STATS_SLICES_MAX];

int object_drops_init(void)
{
	static const char *const cols[] = { "key", "packets", "octets", NULL };
	int vec = stats_vec_add("object-drop", HD_STATS_DROPS, HD_DROP_ROWS, cols, NULL);

	if (vec < 0)
		return vec;
	STATS_SLICES_FILL(tables, vec);
	return 0;
}

/* The row of a key; row 0 if its places are taken by others. */
static struct drop_row *row_of(struct drop_row *table, uint64_t key)
{
	uint64_t at = (key * 0x9e3779b97f4a7c15ull) >> 32;

	for (unsigned i = 0; i < PROBES; i++, at++) {
		struct drop_row *r = &table[1 + at % (HD_DROP_ROWS - 1)];

		if (r->key == key)
			return r;
		if (r->key == 0) {
			__atomic_store_n(&r->key, key, __ATOMIC_RELAXED);
			return r;
		}
	}
	return table;
}

void object_drop(const struct node_slot *s, struct object_name object, unsigned verdict,
		 uint32_t octets)
{
	struct drop_row *r = row_of(tables[s->worker->id],
				    hd_drop_key((uint32_t)object.vec, object.id, s->vec, verdict));

	r->packets++;
	r->octets += octets;
}
