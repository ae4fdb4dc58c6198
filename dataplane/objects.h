/* SPDX-License-Identifier: BSD-3-Clause
 * The object registry: what the control process has programmed, kept as the messages it sent.
 * A kind says how its messages are checked and applied; the registry gives every kind the same properties:
 * idempotent upserts, all-or-nothing transactions, references that must exist and cannot be pulled away, epochs and
 * sweep, dumps.  Control thread only. */
#ifndef DATAPLANE_OBJECTS_H
#define DATAPLANE_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heddle/api/api.h"

#define OBJECT_KEY_MAX 32u

struct object_error {
	char text[232]; /* sentence for the operator */
};
/* Fill err->text printf-like and return rc. */
int object_fail(struct object_error *err, int rc, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

struct object_ref {
	_Alignas(8) uint8_t key[OBJECT_KEY_MAX]; /* key of the object referred to, zero-padded */
	uint16_t type;                           /* its kind */
};
#define OBJECT_REFS_MAX 80u

struct object_kind {
	uint16_t type; /* enum hd_api_type */
	uint16_t rank; /* SETs go up the ranks, DELs down: port 10, vrf 15, iface 20, addr 30, neigh 35,
			     * nexthop 40, nhgroup 50, seglist 55, policy 60, sid 70, route 80 */
	const char *name;  /* "route": for errors and logs */
	uint16_t key_size; /* first octets of the message body */
	uint16_t min_size; /* shortest legal body */
	uint16_t max_size; /* sizeof the struct; shorter bodies are zero-extended before check and apply see them */

	/* Is this message right in itself, and against what will hold after the transaction (object_find() answers
	 * that)?  Must change nothing.  old: what it replaces, or NULL.  0, or -Exxx with err filled. */
	int (*check)(const void *msg, const void *old, struct object_error *err);
	/* Make it so.  May fail only for memory or a device's refusal; then nothing has changed.  On failure the
	 * registry puts earlier steps of the transaction back by apply(old) or remove(). */
	int (*apply)(const void *msg, const void *old, struct object_error *err);
	void (*remove)(const void *old);
	/* List what msg refers to: returns the number written to ref (<= OBJECT_REFS_MAX).  NULL: nothing. */
	unsigned (*refs)(const void *msg, struct object_ref *ref);
	/* msg will soon be applied or removed: ask for the memory that this touches.  NULL: nothing. */
	void (*prefetch)(const void *msg);
	uint32_t capacity; /* most objects of this kind; 0: no limit here */
};

/* Told of every object that was applied or removed (crash_object_note()); NULL: nobody. */
typedef void (*objects_note_fn)(const char *name, bool del, const void *key, size_t key_size,
				int rc);
extern objects_note_fn objects_note;

int objects_init(void);
void objects_fini(void); /* removes every object, ranks downwards */

/* Register a kind at init; kind must live as long as the process.  -EEXIST, -EINVAL. */
int object_kind_register(const struct object_kind *kind);

/* During check: the message that will hold after the transaction, else the one that holds; NULL if none.
 * Zero-extended to max_size.  Valid until the next registry call. */
const void *object_find(uint16_t type, const void *key);

/* Transactions, one at a time. */
struct object_txn; /* collects messages */
struct object_txn *object_txn_begin(void);
/* Add one message; body is copied.  -EPROTO unknown kind, -EMSGSIZE, -E2BIG, -ENOMEM; the transaction is then
 * poisoned: commit reports this error. */
int object_txn_add(struct object_txn *t, uint16_t type, uint32_t seq, bool del, const void *body,
		   size_t size, uint64_t epoch);
/* All or nothing; destroys t; reply says what happened. */
int object_txn_commit(struct object_txn *t, struct hd_api_reply *reply);
void object_txn_abort(struct object_txn *t);

/* Delete everything not set or refreshed in this epoch. */
int objects_sweep(uint64_t epoch, struct hd_api_reply *reply);

/* What holds; inside a transaction, what held before it where it has not been applied yet. */
typedef int (*object_walk_fn)(uint16_t type, const void *msg, size_t size, void *arg);
int objects_walk(uint16_t type, object_walk_fn fn, void *arg);
uint32_t objects_count(uint16_t type); /* 0: all */

#endif
