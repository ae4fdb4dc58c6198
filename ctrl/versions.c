/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/versions.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctrl/file.h"

static const char *meta_path(const char *dir, uint32_t revision, char *buf, size_t size)
{
	snprintf(buf, size, "%s/history/%06u.meta", dir, revision);
	return buf;
}

const char *versions_path(const char *dir, uint32_t revision, char *buf, size_t size)
{
	snprintf(buf, size, "%s/history/%06u.json", dir, revision);
	return buf;
}

static void add_str(struct json_object *o, const char *name, const char *value)
{
	if (value[0] != '\0')
		json_object_object_add(o, name, json_object_new_string(value));
}

int versions_update(const char *dir, const struct version *v)
{
	struct json_object *o = json_object_new_object();
	char path[PATH_MAX], hash[32];

	snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)v->file_hash);
	json_object_object_add(o, "revision", json_object_new_int64(v->revision));
	json_object_object_add(o, "time", json_object_new_int64(v->time));
	add_str(o, "user", v->user);
	add_str(o, "comment", v->comment);
	add_str(o, "source", v->source);
	add_str(o, "file", v->file);
	add_str(o, "file-hash", hash);
	json_object_object_add(o, "objects", json_object_new_int64(v->n_objects));
	if (v->revert_to != 0) {
		json_object_object_add(o, "revert-to", json_object_new_int64(v->revert_to));
		json_object_object_add(o, "confirm-until", json_object_new_int64(v->confirm_until));
		json_object_object_add(o, "confirm-seconds", json_object_new_int64(v->confirm_s));
	}
	const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY);
	int rc = file_replace(meta_path(dir, v->revision, path, sizeof(path)), text, strlen(text));
	json_object_put(o);
	return rc;
}

static void get_str(struct json_object *o, const char *name, char *buf, size_t size)
{
	struct json_object *v;

	if (json_object_object_get_ex(o, name, &v) && json_object_is_type(v, json_type_string))
		snprintf(buf, size, "%s", json_object_get_string(v));
}

static int64_t get_int(struct json_object *o, const char *name)
{
	struct json_object *v;

	return json_object_object_get_ex(o, name, &v) ? json_object_get_int64(v) : 0;
}

int versions_read(const char *dir, uint32_t revision, struct version *ret)
{
	char path[PATH_MAX], hash[32] = "", *text;
	size_t len;

	if (access(versions_path(dir, revision, path, sizeof(path)), F_OK) < 0)
		return -errno;
	*ret = (struct version){ .revision = revision };
	if (file_read(meta_path(dir, revision, path, sizeof(path)), 1 << 20, &text, &len) < 0)
		return 0; /* the configuration is what matters */
	struct json_object *o = json_tokener_parse(text);
	free(text);
	if (json_object_is_type(o, json_type_object)) {
		ret->time = (time_t)get_int(o, "time");
		get_str(o, "user", ret->user, sizeof(ret->user));
		get_str(o, "comment", ret->comment, sizeof(ret->comment));
		get_str(o, "source", ret->source, sizeof(ret->source));
		get_str(o, "file", ret->file, sizeof(ret->file));
		get_str(o, "file-hash", hash, sizeof(hash));
		ret->file_hash = strtoull(hash, NULL, 16);
		ret->n_objects = (uint32_t)get_int(o, "objects");
		ret->revert_to = (uint32_t)get_int(o, "revert-to");
		ret->confirm_until = (time_t)get_int(o, "confirm-until");
		ret->confirm_s = (uint32_t)get_int(o, "confirm-seconds");
	}
	json_object_put(o);
	return 0;
}

int versions_prepare(const char *dir, const struct version *v, const char *json)
{
	char path[PATH_MAX], link[PATH_MAX], target[64];

	snprintf(path, sizeof(path), "%s/history", dir);
	int rc = file_mkdirs(path);
	if (rc == 0)
		rc = file_replace(versions_path(dir, v->revision, path, sizeof(path)), json,
				  strlen(json));
	if (rc == 0)
		rc = versions_update(dir, v);
	/* The link is made now too: after the data plane has agreed only a rename is left to do. */
	snprintf(link, sizeof(link), "%s/running.next", dir);
	snprintf(target, sizeof(target), "history/%06u.json", v->revision);
	unlink(link);
	if (rc == 0 && symlink(target, link) < 0)
		rc = -errno;
	if (rc < 0)
		versions_abort(dir, v->revision);
	return rc;
}

int versions_switch(const char *dir, uint32_t revision)
{
	char next[PATH_MAX], link[PATH_MAX], old[PATH_MAX];

	snprintf(next, sizeof(next), "%s/running.next", dir);
	snprintf(link, sizeof(link), "%s/running.json", dir);
	if (rename(next, link) < 0)
		return -errno;
	int rc = file_sync_dir(link);
	if (revision > VERSIONS_MAX + 1) {
		unlink(versions_path(dir, revision - VERSIONS_MAX - 1, old, sizeof(old)));
		unlink(meta_path(dir, revision - VERSIONS_MAX - 1, old, sizeof(old)));
	}
	return rc;
}

void versions_abort(const char *dir, uint32_t revision)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/running.next", dir);
	unlink(path);
	unlink(versions_path(dir, revision, path, sizeof(path)));
	unlink(meta_path(dir, revision, path, sizeof(path)));
}

uint32_t versions_current(const char *dir)
{
	char link[PATH_MAX], target[PATH_MAX];
	unsigned revision;
	int end = 0;

	snprintf(link, sizeof(link), "%s/running.json", dir);
	ssize_t n = readlink(link, target, sizeof(target) - 1);
	if (n <= 0)
		return 0;
	target[n] = '\0';
	return sscanf(target, "history/%u.json%n", &revision, &end) == 1 && target[end] == '\0' ?
		       revision :
		       0;
}
