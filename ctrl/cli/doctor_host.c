/* SPDX-License-Identifier: BSD-3-Clause
 * heddle doctor: files of the host, and sets of CPUs. */
#include <dirent.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctrl/cli/cli.h"
#include "ctrl/cli/doctor.h"

/* --- files ------------------------------------------------------------------------------------- */

static void path_make(const struct doctor *d, char path[PATH_MAX], const char *fmt, va_list ap)
{
	int n = snprintf(path, PATH_MAX, "%s", d->root);

	if (n >= 0 && n < PATH_MAX)
		vsnprintf(path + n, PATH_MAX - (size_t)n, fmt, ap);
}

static bool line_read(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "r");
	bool got = f != NULL && fgets(buf, (int)size, f) != NULL;

	if (f != NULL)
		fclose(f);
	if (got)
		buf[strcspn(buf, "\n")] = '\0';
	return got;
}

bool host_line(const struct doctor *d, char *buf, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	path_make(d, path, fmt, ap);
	va_end(ap);
	return line_read(path, buf, size);
}

bool host_number(const struct doctor *d, uint64_t *ret, const char *fmt, ...)
{
	char path[PATH_MAX], text[64], *end;
	va_list ap;

	va_start(ap, fmt);
	path_make(d, path, fmt, ap);
	va_end(ap);
	if (!line_read(path, text, sizeof(text)))
		return false;
	*ret = strtoull(text, &end, 10);
	return end != text;
}

bool host_exists(const struct doctor *d, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	path_make(d, path, fmt, ap);
	va_end(ap);
	return access(path, F_OK) == 0;
}

bool host_link(const struct doctor *d, char *buf, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX], to[PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	path_make(d, path, fmt, ap);
	va_end(ap);
	ssize_t n = readlink(path, to, sizeof(to) - 1);
	if (n <= 0)
		return false;
	to[n] = '\0';
	const char *last = strrchr(to, '/');
	snprintf(buf, size, "%s", last != NULL ? last + 1 : to);
	return true;
}

bool host_field(const struct doctor *d, const char *path, const char *key, char *buf, size_t size)
{
	char full[PATH_MAX], line[4096];
	bool got = false;

	snprintf(full, sizeof(full), "%s%s", d->root, path);
	FILE *f = fopen(full, "r");
	while (f != NULL && !got && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		char *v = line + strlen(key);
		v += strspn(v, " \t:");
		v[strcspn(v, "\n")] = '\0';
		snprintf(buf, size, "%s", v);
		got = true;
	}
	if (f != NULL)
		fclose(f);
	return got;
}

void host_names(struct doctor *d, const char *dir, void (*fn)(struct doctor *d, const char *name))
{
	char path[PATH_MAX];
	struct dirent **list;

	snprintf(path, sizeof(path), "%s%s", d->root, dir);
	int n = scandir(path, &list, NULL, versionsort);
	for (int i = 0; i < n; i++) {
		if (list[i]->d_name[0] != '.')
			fn(d, list[i]->d_name);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

/* --- CPUs --------------------------------------------------------------------------------------- */

unsigned cpus_count(const struct cpus *c)
{
	unsigned n = 0;

	for (size_t i = 0; i < CPUS_MAX / 64; i++)
		n += (unsigned)__builtin_popcountll(c->bit[i]);
	return n;
}

struct cpus cpus_parse(const char *list)
{
	struct cpus c = { 0 };

	while (*list != '\0') {
		char *end;
		unsigned long a = strtoul(list, &end, 10), b = a;
		if (end == list)
			break;
		if (*end == '-')
			b = strtoul(end + 1, &end, 10);
		for (unsigned long i = a; i <= b && i < CPUS_MAX; i++)
			cpus_add(&c, (unsigned)i);
		list = *end == ',' ? end + 1 : end;
		if (*end != ',')
			break;
	}
	return c;
}

const char *cpus_text(const struct cpus *c, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (unsigned i = 0; i < CPUS_MAX && n < size; i++) {
		unsigned first = i;
		if (!cpus_have(c, i))
			continue;
		while (cpus_have(c, i + 1))
			i++;
		n += (size_t)snprintf(buf + n, size - n, first == i ? "%s%u" : "%s%u-%u",
				      n > 0 ? "," : "", first, i);
	}
	return buf;
}

struct cpus doctor_worker_cpus(const struct doctor *d, unsigned *ret_n)
{
	struct cpus c = { 0 };

	*ret_n = 0;
	js_foreach(w, js_get(d->workers, "worker"))
	{
		++*ret_n;
		if (js_get(w, "cpu") != NULL)
			cpus_add(&c, (unsigned)js_u64(w, "cpu"));
	}
	return c;
}

unsigned doctor_dp_pid(const struct doctor *d)
{
	struct json_object *dp = js_get(d->system, "dataplane");

	return strcmp(js_str(dp, "connected"), "true") == 0 ? (unsigned)js_u64(dp, "pid") : 0;
}
