/* SPDX-License-Identifier: BSD-3-Clause
 * Drops by object and reason, as the data plane counts them (vector "object-drop", include/heddle/stats.h): read once,
 * added up over the workers, then asked by object. */
#ifndef CTRL_OBJECT_DROPS_H
#define CTRL_OBJECT_DROPS_H

#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>

#include "ctrl/dp.h"

struct object_drop {
	uint64_t key; /* hd_drop_key() */
	uint64_t packets, octets;
};

struct object_drops {
	struct object_drop *drop; /* by key: an object's stand together, objects of one kind too */
	size_t n;
	struct object_drop rest; /* of those that found no room in the data plane's table */
};

/* Empty without a data plane or without memory. */
void object_drops_read(const struct dp *dp, struct object_drops *ret);
void object_drops_free(struct object_drops *d);

/* The names of a drop's reason: node and verdict; false: the data plane does not know them. */
bool object_drop_reason(const struct dp *dp, uint64_t key, char node[64], char reason[64]);

/* List "dropped" of {node, reason, packets, octets} for one row of a counter vector. */
void json_add_drops(struct json_object *o, const struct dp *dp, const struct object_drops *d,
		    const char *vec, uint32_t row);

#endif
