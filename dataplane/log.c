/* SPDX-License-Identifier: BSD-3-Clause
 * Logs: one write per line, so that lines of two threads never mix. */
#include "dataplane/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define REPEAT_MS 5000 /* the same line within this time is only counted */

static enum log_level log_level = LOG_LVL_INFO;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char last[1024];
static uint64_t last_ms;
static unsigned repeats;
static enum log_level last_level;

static const struct {
	const char *name;
	enum log_level level;
} names[] = {
	{ "error", LOG_LVL_ERROR },
	{ "warn", LOG_LVL_WARN },
	{ "info", LOG_LVL_INFO },
	{ "debug", LOG_LVL_DEBUG },
};
#define N_NAMES (sizeof(names) / sizeof(names[0]))

void log_set_level(enum log_level level)
{
	__atomic_store_n(&log_level, level, __ATOMIC_RELAXED);
}

int log_level_parse(const char *text, enum log_level *ret)
{
	for (size_t i = 0; i < N_NAMES; i++) {
		if (strcmp(text, names[i].name) == 0) {
			*ret = names[i].level;
			return 0;
		}
	}
	return -EINVAL;
}

/* systemd names the journal's socket in JOURNAL_STREAM as device:inode of our stderr. */
static bool stderr_is_journal(void)
{
	const char *text = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return text != NULL && sscanf(text, "%llu:%llu", &dev, &ino) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

static void line_write(enum log_level level, const char *text)
{
	static int journal = -1;
	char line[sizeof(last) + 80];
	int n;

	if (journal < 0)
		journal = stderr_is_journal();
	if (journal) {
		n = snprintf(line, sizeof(line), "<%d>%s\n", level, text);
	} else {
		const char *name = "info";
		struct timespec now;
		struct tm tm;
		char when[32];

		for (size_t i = 0; i < N_NAMES; i++)
			if (names[i].level == level)
				name = names[i].name;
		clock_gettime(CLOCK_REALTIME, &now);
		gmtime_r(&now.tv_sec, &tm);
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
		n = snprintf(line, sizeof(line), "%s.%03ldZ %s %s\n", when, now.tv_nsec / 1000000,
			     name, text);
	}
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return; /* nobody to tell */
}

void log_at(enum log_level level, const char *fmt, ...)
{
	struct timespec now;
	char text[sizeof(last)], note[64];
	va_list ap;

	if (level > __atomic_load_n(&log_level, __ATOMIC_RELAXED))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ')
			*c = ' '; /* one line each, whatever a peer put into a name */
	clock_gettime(CLOCK_MONOTONIC, &now);
	uint64_t ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;

	pthread_mutex_lock(&lock);
	if (strcmp(text, last) == 0 && ms - last_ms < REPEAT_MS) {
		repeats++;
	} else {
		if (repeats != 0) {
			snprintf(note, sizeof(note), "(the line above came %u times more)",
				 repeats);
			line_write(last_level, note);
		}
		line_write(level, text);
		memcpy(last, text, sizeof(last));
		last_ms = ms;
		last_level = level;
		repeats = 0;
	}
	pthread_mutex_unlock(&lock);
}
