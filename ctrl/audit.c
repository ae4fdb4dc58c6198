/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ctrl/log.h"
#include "ctrl/restconf.h"

#define KEPT 4u

struct audit {
	char path[PATH_MAX];
	int fd;
	size_t size;
	bool complained;
};

static void open_file(struct audit *a)
{
	struct stat st;

	a->fd = open(a->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	a->size = a->fd >= 0 && fstat(a->fd, &st) == 0 ? (size_t)st.st_size : 0;
}

struct audit *audit_create(const char *state_dir)
{
	struct audit *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	snprintf(a->path, sizeof(a->path), "%s/audit.log", state_dir);
	open_file(a);
	return a;
}

void audit_destroy(struct audit *a)
{
	if (a == NULL)
		return;
	if (a->fd >= 0)
		close(a->fd);
	free(a);
}

static void rotate(struct audit *a)
{
	char from[PATH_MAX + 8], to[PATH_MAX + 8];

	for (unsigned i = KEPT; i > 0; i--) {
		snprintf(to, sizeof(to), "%s.%u", a->path, i);
		if (i > 1)
			snprintf(from, sizeof(from), "%s.%u", a->path, i - 1);
		else
			snprintf(from, sizeof(from), "%s", a->path);
		rename(from, to);
	}
	if (a->fd >= 0)
		close(a->fd);
	open_file(a);
}

static const char *const role_name[] = { "none", "read-only", "read-write" };

void audit_write(struct audit *a, const struct http_req *req, unsigned status)
{
	bool reads = strcmp(req->method, "GET") == 0 || strcmp(req->method, "HEAD") == 0 ||
		     strcmp(req->method, "OPTIONS") == 0;
	struct timespec now;

	if (reads && status != 401 && status != 403)
		return;
	log_info("API: %s (%s): %s %s: %u%s%s", req->user[0] != '\0' ? req->user : "unknown",
		 req->from, req->method, req->path, status, req->note[0] != '\0' ? ", " : "",
		 req->note);
	if (a == NULL)
		return;
	struct json_object *o = json_object_new_object();
	clock_gettime(CLOCK_REALTIME, &now);
	json_add_time_ns(o, "time", (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
	json_add_str(o, "user", req->user);
	json_add_str(o, "role", role_name[req->role]);
	json_add_str(o, "from", req->from);
	json_add_str(o, "method", req->method);
	json_add_str(o, "path", req->path);
	if (req->query[0] != '\0')
		json_add_str(o, "query", req->query);
	json_add_u32(o, "status", status);
	if (req->note[0] != '\0')
		json_add_str(o, "result", req->note);
	const char *text = json_object_to_json_string_ext(
		o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	size_t len = strlen(text);
	if (a->size + len > AUDIT_FILE_MAX)
		rotate(a);
	char *line;
	int n = asprintf(&line, "%s\n", text);
	if (n > 0 && (a->fd < 0 || write(a->fd, line, (size_t)n) != n)) {
		if (!a->complained)
			log_error("%s: the audit log cannot be written: %s", a->path,
				  strerror(errno));
		a->complained = true;
	} else if (n > 0) {
		a->size += (size_t)n;
		a->complained = false;
	}
	if (n > 0)
		free(line);
	json_object_put(o);
}
