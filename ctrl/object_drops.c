/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/object_drops.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/restconf.h"

static int by_key(const void *a, const void *b)
{
	const struct object_drop *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

/* Sort, and make one of what several workers counted. */
static void merge(struct object_drops *d)
{
	size_t to = 0;

	qsort(d->drop, d->n, sizeof(*d->drop), by_key);
	for (size_t i = 0; i < d->n; i++) {
		if (to > 0 && d->drop[to - 1].key == d->drop[i].key) {
			d->drop[to - 1].packets += d->drop[i].packets;
			d->drop[to - 1].octets += d->drop[i].octets;
		} else {
			d->drop[to++] = d->drop[i];
		}
	}
	d->n = to;
}

void object_drops_read(const struct dp *dp, struct object_drops *ret)
{
	const struct hd_stats_vec *v = dp_stats_vec(dp, "object-drop", NULL);
	size_t room = 0;

	memset(ret, 0, sizeof(*ret));
	if (v == NULL || v->kind != HD_STATS_DROPS || v->n_cols < HD_DROP_COLS)
		return;
	for (uint32_t s = 0; s < v->n_slices; s++)
		for (uint32_t row = 0; row < v->n_rows; row++) {
			uint64_t key = dp_stats_slice(dp, v, s, row, HD_DROP_KEY);
			uint64_t packets = dp_stats_slice(dp, v, s, row, HD_DROP_PACKETS),
				 octets = dp_stats_slice(dp, v, s, row, HD_DROP_OCTETS);

			if (key == 0) {
				ret->rest.packets += packets;
				ret->rest.octets += octets;
				continue;
			}
			if (ret->n == room) {
				room = room == 0 ? 64 : 2 * room;
				struct object_drop *more = realloc(ret->drop, room * sizeof(*more));
				if (more == NULL) {
					object_drops_free(ret);
					return;
				}
				ret->drop = more;
			}
			ret->drop[ret->n++] = (struct object_drop){ key, packets, octets };
		}
	if (ret->n > 0)
		merge(ret);
}

void object_drops_free(struct object_drops *d)
{
	free(d->drop);
	memset(d, 0, sizeof(*d));
}

bool object_drop_reason(const struct dp *dp, uint64_t key, char node[64], char reason[64])
{
	const struct hd_stats_vec *v = dp_stats_vec_at(dp, hd_drop_verdict_vec(key));
	const struct hd_stats_row *row = dp_stats_row(dp, v, hd_drop_verdict(key));
	const char *slash;

	if (row == NULL || v->kind != HD_STATS_VERDICT)
		return false;
	slash = memchr(v->name, '/', sizeof(v->name));
	const char *name = slash != NULL ? slash + 1 : v->name;
	snprintf(node, 64, "%.*s", (int)(sizeof(v->name) - (size_t)(name - v->name)), name);
	snprintf(reason, 64, "%.*s", (int)sizeof(row->name), row->name);
	return true;
}

/* The first drop that is not before a key. */
static size_t first_of(const struct object_drops *d, uint64_t key)
{
	size_t low = 0, high = d->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (d->drop[mid].key < key)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void json_add_drops(struct json_object *o, const struct dp *dp, const struct object_drops *d,
		    const char *vec, uint32_t row)
{
	struct json_object *list = json_object_new_array();
	char node[64], reason[64];
	uint32_t at;

	if (dp_stats_vec(dp, vec, &at) != NULL) {
		uint64_t end = hd_drop_key(at, row, 0xff, 0xffff);
		for (size_t i = first_of(d, hd_drop_key(at, row, 0, 0));
		     i < d->n && d->drop[i].key <= end; i++) {
			if (!object_drop_reason(dp, d->drop[i].key, node, reason))
				continue;
			struct json_object *e = json_object_new_object();
			json_add_str(e, "node", node);
			json_add_str(e, "reason", reason);
			json_add_u64(e, "packets", d->drop[i].packets);
			json_add_u64(e, "octets", d->drop[i].octets);
			json_object_array_add(list, e);
		}
	}
	json_object_object_add(o, "dropped", list);
}
