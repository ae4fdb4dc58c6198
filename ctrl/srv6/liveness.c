/* SPDX-License-Identifier: BSD-3-Clause
 * A handful of names, in a list; a bitmap of segment lists. */
#include "ctrl/srv6/liveness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct object {
	struct object *next;
	bool up;
	char name[32], reason[128];
} * objects;

static struct object *find(const char *name)
{
	struct object *o = objects;

	while (o != NULL && strcmp(o->name, name) != 0)
		o = o->next;
	return o;
}

bool liveness_up(const char *name, const char **ret_reason)
{
	const struct object *o = find(name);

	if (ret_reason != NULL)
		*ret_reason = o != NULL ? o->reason : "";
	return o == NULL || o->up;
}

bool liveness_set(const char *name, bool up, const char *reason)
{
	struct object *o = find(name);
	bool was = o == NULL || o->up;

	if (o == NULL) {
		o = calloc(1, sizeof(*o));
		if (o == NULL)
			return false;
		snprintf(o->name, sizeof(o->name), "%s", name);
		o->next = objects;
		objects = o;
	}
	o->up = up;
	snprintf(o->reason, sizeof(o->reason), "%s", reason != NULL ? reason : "");
	return was != up;
}

static uint8_t *unresolved; /* by seglist_id */
static uint32_t n_unresolved;

bool liveness_resolved(uint32_t seglist_id)
{
	return seglist_id >= n_unresolved || unresolved[seglist_id] == 0;
}

bool liveness_resolved_set(uint32_t seglist_id, bool resolved)
{
	if (liveness_resolved(seglist_id) == resolved)
		return false;
	if (seglist_id >= n_unresolved) {
		uint32_t n = seglist_id + 1024;
		uint8_t *more = realloc(unresolved, n);

		if (more == NULL)
			return false;
		memset(more + n_unresolved, 0, n - n_unresolved);
		unresolved = more;
		n_unresolved = n;
	}
	unresolved[seglist_id] = !resolved;
	return true;
}

void liveness_resolved_forget(void)
{
	if (unresolved != NULL)
		memset(unresolved, 0, n_unresolved);
}
