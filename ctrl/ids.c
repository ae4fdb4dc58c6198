/* SPDX-License-Identifier: BSD-3-Clause
 * Per space: an open-addressed hash from name to entry, and an array from number to entry. */
#include "ctrl/ids.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/file.h"

static const char *const space_name[ID_SPACES] = {
	"interface",
	"vrf",
	"next-hop",
	"next-hop-group",
	"segment-list",
	"policy",
	"sid",
	"pm-reflector-session",
	"port",
	"classifier",
	"classifier-rule",
	"sid-function",
	"steering",
	"bridge",
	"bridge-member",
	"vlan-table",
	"altmark-flow",
	"bfd-session",
	"pm-session",
};

struct entry {
	char *name;
	uint32_t id;
	bool used;
};

struct space {
	struct entry **hash; /* cap_hash slots, power of two */
	uint32_t cap_hash, n;
	struct entry **by_id; /* cap_id slots; [0] stays empty */
	uint32_t cap_id;
	uint32_t hint; /* no number below it is free */
};

struct ids {
	struct space space[ID_SPACES];
};

static uint32_t hash_name(const char *s)
{
	uint32_t h = 2166136261u;

	for (; *s != '\0'; s++)
		h = (h ^ (uint8_t)*s) * 16777619u;
	return h ^ h >> 15;
}

struct ids *ids_create(void)
{
	return calloc(1, sizeof(struct ids));
}

static void space_fini(struct space *s)
{
	for (uint32_t i = 0; i < s->cap_id; i++) {
		if (s->by_id[i] == NULL)
			continue;
		free(s->by_id[i]->name);
		free(s->by_id[i]);
	}
	free(s->by_id);
	free(s->hash);
	*s = (struct space){ 0 };
}

void ids_destroy(struct ids *ids)
{
	if (ids == NULL)
		return;
	for (int i = 0; i < ID_SPACES; i++)
		space_fini(&ids->space[i]);
	free(ids);
}

/* Slot of the name, or the empty slot where it would go.  The hash is never full. */
static struct entry **slot(const struct space *s, const char *name)
{
	uint32_t i = hash_name(name) & (s->cap_hash - 1);

	while (s->hash[i] != NULL && strcmp(s->hash[i]->name, name) != 0)
		i = (i + 1) & (s->cap_hash - 1);
	return &s->hash[i];
}

/* A fresh hash of `cap` slots over by_id. */
static int rehash(struct space *s, uint32_t cap)
{
	struct entry **hash = calloc(cap, sizeof(*hash));

	if (hash == NULL)
		return -ENOMEM;
	free(s->hash);
	s->hash = hash;
	s->cap_hash = cap;
	for (uint32_t i = 0; i < s->cap_id; i++)
		if (s->by_id[i] != NULL)
			*slot(s, s->by_id[i]->name) = s->by_id[i];
	return 0;
}

static int grow_ids(struct space *s, uint32_t id)
{
	uint32_t cap = s->cap_id != 0 ? s->cap_id : 64;

	while (cap <= id)
		cap *= 2;
	if (cap == s->cap_id)
		return 0;
	struct entry **by_id = realloc(s->by_id, cap * sizeof(*by_id));
	if (by_id == NULL)
		return -ENOMEM;
	memset(by_id + s->cap_id, 0, (cap - s->cap_id) * sizeof(*by_id));
	s->by_id = by_id;
	s->cap_id = cap;
	return 0;
}

static int insert(struct space *s, const char *name, uint32_t id, bool used)
{
	if (grow_ids(s, id) < 0 || ((s->n + 1) * 2 > s->cap_hash &&
				    rehash(s, s->cap_hash != 0 ? s->cap_hash * 2 : 64) < 0))
		return -ENOMEM;
	struct entry *e = malloc(sizeof(*e));
	char *copy = strdup(name);
	if (e == NULL || copy == NULL) {
		free(e);
		free(copy);
		return -ENOMEM;
	}
	*e = (struct entry){ .name = copy, .id = id, .used = used };
	*slot(s, name) = e;
	s->by_id[id] = e;
	s->n++;
	return 0;
}

struct ids *ids_copy(const struct ids *ids)
{
	struct ids *copy = ids_create();
	int rc = copy != NULL ? 0 : -ENOMEM;

	for (int i = 0; rc == 0 && i < ID_SPACES; i++) {
		const struct space *s = &ids->space[i];
		for (uint32_t id = 0; rc == 0 && id < s->cap_id; id++)
			if (s->by_id[id] != NULL)
				rc = insert(&copy->space[i], s->by_id[id]->name, id,
					    s->by_id[id]->used);
	}
	if (rc == 0)
		return copy;
	ids_destroy(copy);
	return NULL;
}

static struct entry *find(const struct space *s, const char *name)
{
	return s->cap_hash == 0 ? NULL : *slot(s, name);
}

uint32_t ids_get(struct ids *ids, enum id_space space, const char *name)
{
	struct space *s = &ids->space[space];
	struct entry *e = find(s, name);

	if (e != NULL) {
		e->used = true;
		return e->id;
	}
	if (s->hint == 0)
		s->hint = 1;
	while (s->hint < s->cap_id && s->by_id[s->hint] != NULL)
		s->hint++;
	uint32_t id = s->hint;
	return insert(s, name, id, true) < 0 ? 0 : id;
}

uint32_t ids_find(const struct ids *ids, enum id_space space, const char *name)
{
	const struct entry *e = find(&ids->space[space], name);

	return e != NULL ? e->id : 0;
}

uint32_t ids_used(const struct ids *ids, enum id_space space, const char *name)
{
	const struct entry *e = find(&ids->space[space], name);

	return e != NULL && e->used ? e->id : 0;
}

const char *ids_name(const struct ids *ids, enum id_space space, uint32_t id)
{
	const struct space *s = &ids->space[space];

	return id < s->cap_id && s->by_id[id] != NULL ? s->by_id[id]->name : NULL;
}

uint32_t ids_limit(const struct ids *ids, enum id_space space)
{
	return ids->space[space].cap_id;
}

void ids_unmark(struct ids *ids)
{
	for (int i = 0; i < ID_SPACES; i++)
		for (uint32_t id = 0; id < ids->space[i].cap_id; id++)
			if (ids->space[i].by_id[id] != NULL)
				ids->space[i].by_id[id]->used = false;
}

void ids_prune(struct ids *ids)
{
	for (int i = 0; i < ID_SPACES; i++) {
		struct space *s = &ids->space[i];
		if (s->cap_hash == 0)
			continue;
		for (uint32_t id = 0; id < s->cap_id; id++) {
			struct entry *e = s->by_id[id];
			if (e == NULL || e->used)
				continue;
			s->by_id[id] = NULL;
			s->n--;
			free(e->name);
			free(e);
		}
		/* Rebuilt in place: no allocation, so pruning cannot fail. */
		memset(s->hash, 0, s->cap_hash * sizeof(*s->hash));
		for (uint32_t id = 0; id < s->cap_id; id++)
			if (s->by_id[id] != NULL)
				*slot(s, s->by_id[id]->name) = s->by_id[id];
		s->hint = 1;
	}
}

int ids_save(const struct ids *ids, const char *path)
{
	struct json_object *top = json_object_new_object();

	for (int i = 0; i < ID_SPACES; i++) {
		struct json_object *o = json_object_new_object();
		for (uint32_t id = 0; id < ids->space[i].cap_id; id++)
			if (ids->space[i].by_id[id] != NULL)
				json_object_object_add(o, ids->space[i].by_id[id]->name,
						       json_object_new_int64(id));
		json_object_object_add(top, space_name[i], o);
	}
	const char *text = json_object_to_json_string_ext(top, JSON_C_TO_STRING_PRETTY);
	int rc = file_replace(path, text, strlen(text));
	json_object_put(top);
	return rc;
}

static int load_space(struct space *s, struct json_object *o)
{
	if (!json_object_is_type(o, json_type_object))
		return -EINVAL;
	json_object_object_foreach(o, name, value)
	{
		int64_t id = json_object_get_int64(value);
		if (!json_object_is_type(value, json_type_int) || id < 1 || id > 1 << 26)
			return -EINVAL;
		if (find(s, name) != NULL || (id < s->cap_id && s->by_id[id] != NULL))
			return -EINVAL;
		int rc = insert(s, name, (uint32_t)id, true);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int ids_load(struct ids *ids, const char *path)
{
	char *text;
	size_t len;

	int rc = file_read(path, SIZE_MAX, &text, &len);
	if (rc < 0)
		return rc;
	struct json_object *top = json_tokener_parse(text);
	free(text);
	rc = json_object_is_type(top, json_type_object) ? 0 : -EINVAL;
	for (int i = 0; rc == 0 && i < ID_SPACES; i++) {
		struct json_object *o;
		if (json_object_object_get_ex(top, space_name[i], &o))
			rc = load_space(&ids->space[i], o);
	}
	json_object_put(top);
	if (rc < 0)
		for (int i = 0; i < ID_SPACES; i++)
			space_fini(&ids->space[i]);
	return rc;
}
