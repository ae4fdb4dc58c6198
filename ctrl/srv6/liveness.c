/* SPDX-License-Identifier: BSD-3-Clause
 * Names by their hash, for there may be a session for each of thousands of paths; a bitmap of segment lists. */
#include "ctrl/srv6/liveness.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all below */

static struct object {
	struct object *next;
	bool up;
	char name[100], reason[128];
} * objects[1024];

static uint8_t *unresolved; /* by seglist_id */
static uint32_t n_unresolved;

static struct object **bucket(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name != '\0'; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return &objects[(h ^ h >> 16) % (sizeof(objects) / sizeof(objects[0]))];
}

static struct object *find(const char *name)
{
	struct object *o = *bucket(name);

	while (o != NULL && strcmp(o->name, name) != 0)
		o = o->next;
	return o;
}

bool liveness_up(const char *name, char *reason, size_t size)
{
	pthread_mutex_lock(&lock);
	const struct object *o = find(name);
	bool up = o == NULL || o->up;
	snprintf(reason, size, "%s", o != NULL ? o->reason : "");
	pthread_mutex_unlock(&lock);
	return up;
}

static struct object *find_or_add(const char *name)
{
	struct object *o = find(name);

	if (o != NULL)
		return o;
	o = calloc(1, sizeof(*o));
	if (o == NULL)
		return NULL;
	snprintf(o->name, sizeof(o->name), "%s", name);
	o->up = true;
	o->next = *bucket(name);
	*bucket(name) = o;
	return o;
}

bool liveness_set(const char *name, bool up, const char *reason)
{
	bool changed = false;

	pthread_mutex_lock(&lock);
	struct object *o = up ? find(name) : find_or_add(name); /* what nobody spoke of is up */
	if (o != NULL) {
		changed = o->up != up;
		o->up = up;
		snprintf(o->reason, sizeof(o->reason), "%s", reason != NULL ? reason : "");
	}
	pthread_mutex_unlock(&lock);
	return changed;
}

static bool is_resolved(uint32_t seglist_id)
{
	return seglist_id >= n_unresolved || unresolved[seglist_id] == 0;
}

bool liveness_resolved(uint32_t seglist_id)
{
	pthread_mutex_lock(&lock);
	bool resolved = is_resolved(seglist_id);
	pthread_mutex_unlock(&lock);
	return resolved;
}

/* Room for this number; false when memory is out. */
static bool grow(uint32_t seglist_id)
{
	uint32_t n = seglist_id + 1024;

	if (seglist_id < n_unresolved)
		return true;
	uint8_t *more = realloc(unresolved, n);
	if (more == NULL)
		return false;
	memset(more + n_unresolved, 0, n - n_unresolved);
	unresolved = more;
	n_unresolved = n;
	return true;
}

bool liveness_resolved_set(uint32_t seglist_id, bool resolved)
{
	pthread_mutex_lock(&lock);
	bool changed = is_resolved(seglist_id) != resolved && grow(seglist_id);
	if (changed)
		unresolved[seglist_id] = !resolved;
	pthread_mutex_unlock(&lock);
	return changed;
}

void liveness_resolved_forget(void)
{
	pthread_mutex_lock(&lock);
	if (unresolved != NULL)
		memset(unresolved, 0, n_unresolved);
	pthread_mutex_unlock(&lock);
}
