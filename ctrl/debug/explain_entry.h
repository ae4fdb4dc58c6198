/* SPDX-License-Identifier: BSD-3-Clause
 * Table entries of an explanation: their names, and who configured them. */
#ifndef CTRL_DEBUG_EXPLAIN_ENTRY_H
#define CTRL_DEBUG_EXPLAIN_ENTRY_H

#include <json-c/json.h>

#include "ctrl/ctrl.h"
#include "ctrl/objset.h"
#include "heddle/api/debug.h"

struct explain_found {
	const char *kind;
	char name[300];
	const struct object *object; /* of the running configuration; NULL: not configured */
};

/* Entry k of a step. */
void explain_entry_find(struct ctrl *c, const struct hd_api_explain_step *s, unsigned k,
			struct explain_found *f);
/* All of them. */
struct json_object *explain_entries_json(struct ctrl *c, const struct hd_api_explain_step *s);
/* Where an object is configured, as "path"; NULL: nowhere. */
void explain_add_path(struct json_object *o, const struct object *object);

#endif
