/* SPDX-License-Identifier: BSD-3-Clause
 * See store.h. */
#include "ctrl/pm/store.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { Q_NAME, Q_BIN, Q_EVENT, Q_OLD_BINS, Q_OLD_EVENTS, Q_BINS, Q_EVENTS, QUERIES };

struct store {
	sqlite3 *db;
	sqlite3_stmt *q[QUERIES];
};

static const char schema[] =
	"PRAGMA journal_mode=WAL;"
	"PRAGMA synchronous=NORMAL;"
	"CREATE TABLE IF NOT EXISTS session(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
	"CREATE TABLE IF NOT EXISTS bin(session INTEGER NOT NULL, start INTEGER NOT NULL,"
	" stop INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY(session, start)) WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS bin_start ON bin(start);"
	"CREATE TABLE IF NOT EXISTS event(session INTEGER NOT NULL, time INTEGER NOT NULL,"
	" text TEXT NOT NULL);"
	"CREATE INDEX IF NOT EXISTS event_of ON event(session, time);";

static const char *const queries[QUERIES] = {
	[Q_NAME] = "INSERT INTO session(name) VALUES(?1) ON CONFLICT DO NOTHING",
	[Q_BIN] = "INSERT INTO bin SELECT id, ?2, ?3, ?4 FROM session WHERE name = ?1"
		  " ON CONFLICT DO NOTHING",
	[Q_EVENT] = "INSERT INTO event SELECT id, ?2, ?3 FROM session WHERE name = ?1",
	[Q_OLD_BINS] = "DELETE FROM bin WHERE start < ?1",
	[Q_OLD_EVENTS] = "DELETE FROM event WHERE time < ?1",
	[Q_BINS] = "SELECT start, stop, data FROM bin WHERE session ="
		   " (SELECT id FROM session WHERE name = ?1) AND start >= ?2 AND start < ?3"
		   " ORDER BY start",
	[Q_EVENTS] = "SELECT time, text FROM event WHERE session ="
		     " (SELECT id FROM session WHERE name = ?1) AND time >= ?2 AND time < ?3"
		     " ORDER BY time",
};

struct store *store_open(const char *path, const char **ret_why)
{
	struct store *s = calloc(1, sizeof(*s));
	bool ok;

	*ret_why = "out of memory";
	if (s == NULL)
		return NULL;
	ok = sqlite3_open_v2(path, &s->db,
			     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
			     NULL) == SQLITE_OK &&
	     sqlite3_exec(s->db, schema, NULL, NULL, NULL) == SQLITE_OK;
	for (int i = 0; ok && i < QUERIES; i++)
		ok = sqlite3_prepare_v3(s->db, queries[i], -1, SQLITE_PREPARE_PERSISTENT, &s->q[i],
					NULL) == SQLITE_OK;
	if (ok)
		return s;
	*ret_why = sqlite3_errstr(s->db != NULL ? sqlite3_errcode(s->db) : SQLITE_NOMEM);
	store_close(s);
	return NULL;
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	for (int i = 0; i < QUERIES; i++)
		sqlite3_finalize(s->q[i]);
	sqlite3_close(s->db);
	free(s);
}

const char *store_problem(struct store *s)
{
	return sqlite3_errmsg(s->db);
}

static int run(sqlite3_stmt *q)
{
	int rc = sqlite3_step(q);

	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	return rc == SQLITE_DONE ? 0 : -EIO;
}

int store_begin(struct store *s)
{
	return sqlite3_exec(s->db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK ? 0 : -EIO;
}

int store_commit(struct store *s)
{
	if (sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return -EIO;
}

static int know(struct store *s, const char *session)
{
	sqlite3_bind_text(s->q[Q_NAME], 1, session, -1, SQLITE_STATIC);
	return run(s->q[Q_NAME]);
}

int store_bin(struct store *s, const char *session, uint64_t start_ms, uint64_t end_ms,
	      const uint8_t *data, size_t len)
{
	sqlite3_stmt *q = s->q[Q_BIN];

	if (know(s, session) < 0)
		return -EIO;
	sqlite3_bind_text(q, 1, session, -1, SQLITE_STATIC);
	sqlite3_bind_int64(q, 2, (sqlite3_int64)start_ms);
	sqlite3_bind_int64(q, 3, (sqlite3_int64)end_ms);
	sqlite3_bind_blob(q, 4, data, (int)len, SQLITE_STATIC);
	return run(q);
}

int store_event(struct store *s, const char *session, uint64_t time_ms, const char *text)
{
	sqlite3_stmt *q = s->q[Q_EVENT];

	if (know(s, session) < 0)
		return -EIO;
	sqlite3_bind_text(q, 1, session, -1, SQLITE_STATIC);
	sqlite3_bind_int64(q, 2, (sqlite3_int64)time_ms);
	sqlite3_bind_text(q, 3, text, -1, SQLITE_STATIC);
	return run(q);
}

int store_expire(struct store *s, uint64_t before_ms)
{
	sqlite3_bind_int64(s->q[Q_OLD_BINS], 1, (sqlite3_int64)before_ms);
	if (run(s->q[Q_OLD_BINS]) < 0)
		return -EIO;
	sqlite3_bind_int64(s->q[Q_OLD_EVENTS], 1, (sqlite3_int64)before_ms);
	return run(s->q[Q_OLD_EVENTS]);
}

static void bind_range(sqlite3_stmt *q, const char *session, uint64_t from_ms, uint64_t to_ms)
{
	sqlite3_bind_text(q, 1, session, -1, SQLITE_STATIC);
	sqlite3_bind_int64(q, 2, (sqlite3_int64)from_ms);
	sqlite3_bind_int64(q, 3, (sqlite3_int64)to_ms);
}

int store_bins(struct store *s, const char *session, uint64_t from_ms, uint64_t to_ms,
	       store_bin_fn fn, void *arg)
{
	sqlite3_stmt *q = s->q[Q_BINS];
	struct pm_bin b;
	int step = SQLITE_DONE, rc = 0;

	bind_range(q, session, from_ms, to_ms);
	while (rc == 0 && (step = sqlite3_step(q)) == SQLITE_ROW) {
		const void *data = sqlite3_column_blob(q, 2);
		int len = sqlite3_column_bytes(q, 2);

		b.start_ms = (uint64_t)sqlite3_column_int64(q, 0);
		b.end_ms = (uint64_t)sqlite3_column_int64(q, 1);
		if (data != NULL && pm_bin_decode(data, (size_t)len, &b) == 0) /* else: damaged */
			rc = fn(arg, &b);
	}
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	return rc != 0 ? rc : step == SQLITE_DONE ? 0 : -EIO;
}

int store_events(struct store *s, const char *session, uint64_t from_ms, uint64_t to_ms,
		 store_event_fn fn, void *arg)
{
	sqlite3_stmt *q = s->q[Q_EVENTS];
	int step = SQLITE_DONE, rc = 0;

	bind_range(q, session, from_ms, to_ms);
	while (rc == 0 && (step = sqlite3_step(q)) == SQLITE_ROW)
		rc = fn(arg, (uint64_t)sqlite3_column_int64(q, 0),
			(const char *)sqlite3_column_text(q, 1));
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	return rc != 0 ? rc : step == SQLITE_DONE ? 0 : -EIO;
}
