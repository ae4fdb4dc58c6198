/* SPDX-License-Identifier: BSD-3-Clause
 * History of sessions in an SQLite database (write-ahead log): bins of 10 s, and events, for a day.
 * A store is used by one thread at a time: those of libuv's pool, which history.c lets run one after the other. */
#ifndef CTRL_PM_STORE_H
#define CTRL_PM_STORE_H

#include "ctrl/pm/bin.h"

#define STORE_KEEP_MS 86400000ull /* a day */

struct store;

/* NULL after *ret_why (static or of SQLite) was set. */
struct store *store_open(const char *path, const char **ret_why);
void store_close(struct store *s); /* takes NULL */

/* Everything between is written together or not at all.  0 or -EIO. */
int store_begin(struct store *s);
int store_commit(struct store *s);

/* A bin that is there already stays as it is.  0 or -EIO. */
int store_bin(struct store *s, const char *session, uint64_t start_ms, uint64_t end_ms,
	      const uint8_t *data, size_t len);
int store_event(struct store *s, const char *session, uint64_t time_ms, const char *text);
/* Of all sessions: what ended before. */
int store_expire(struct store *s, uint64_t before_ms);

/* In the order of time; fn returns other than 0 to end.  0, fn's answer, or -EIO. */
typedef int (*store_bin_fn)(void *arg, const struct pm_bin *b);
int store_bins(struct store *s, const char *session, uint64_t from_ms, uint64_t to_ms,
	       store_bin_fn fn, void *arg);
typedef int (*store_event_fn)(void *arg, uint64_t time_ms, const char *text);
int store_events(struct store *s, const char *session, uint64_t from_ms, uint64_t to_ms,
		 store_event_fn fn, void *arg);
const char *store_problem(struct store *s);

#endif
