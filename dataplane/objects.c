/* SPDX-License-Identifier: BSD-3-Clause
 * The object registry.  An entry holds the message in force (cur) and, inside a commit, the one that will hold
 * (staged).  Commit has two passes: stage and check everything, which no worker can see; then apply SETs up the ranks
 * and DELs down.  Invariant outside a commit: no entry is staged, every entry has cur, and refs counts the entries
 * whose message refers to it. */
#include "dataplane/objects.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_hash_crc.h>

#include "dataplane/log.h"
#include "dataplane/tables/buckets.h"
#include "heddle/api/secret.h"

struct entry {
	struct entry *hnext; /* in the kind's bucket */
	struct kind *kind;
	uint8_t *cur;    /* max_size octets, or NULL: new in this commit */
	uint8_t *staged; /* message to come; TOMB: to be deleted; NULL: untouched */
	uint64_t epoch;
	uint32_t refs;
	uint32_t seq;              /* of the message that staged it */
	bool unchanged;            /* staged equals cur */
	_Alignas(8) uint8_t key[]; /* key_size octets */
};

static uint8_t tomb_mark;
#define TOMB (&tomb_mark)

struct kind {
	const struct object_kind *ops;
	struct entry **bucket;
	uint32_t n_buckets; /* power of two */
	uint32_t count;     /* entries with cur */
	uint32_t n_entries; /* in the buckets, with those that a commit has just made */
};

#define KINDS_MAX 64u
#define TYPES_MAX 4096u
static struct kind kinds[KINDS_MAX];
static unsigned n_kinds;
static struct kind *kind_of[TYPES_MAX]; /* by type: each object of a batch asks several times */

struct txn_op {
	struct kind *kind;
	uint32_t seq;
	bool del;
	size_t off; /* of the body in arena */
	uint32_t size;
};

struct object_txn {
	struct txn_op *op;
	size_t n_ops, cap_ops;
	uint8_t *arena;
	size_t used, room;
	uint64_t epoch;
	int poison; /* error met while collecting */
	uint32_t poison_seq, poison_type;
	char poison_text[160];
};

int object_fail(struct object_error *err, int rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return rc;
}

static struct kind *kind_find(uint16_t type)
{
	return type < TYPES_MAX ? kind_of[type] : NULL;
}

static uint32_t key_hash(const struct kind *k, const uint8_t *key)
{
	uint64_t aligned[OBJECT_KEY_MAX /
			 8]; /* keys in messages are not; rte_hash_crc() loads words */

	memcpy(aligned, key, k->ops->key_size);
	return rte_hash_crc(aligned, k->ops->key_size, k->ops->type);
}

static struct entry *entry_find(const struct kind *k, const uint8_t *key)
{
	struct entry *e = k->bucket[key_hash(k, key) & (k->n_buckets - 1)];

	while (e != NULL && memcmp(e->key, key, k->ops->key_size) != 0)
		e = e->hnext;
	return e;
}

static void kind_grow(struct kind *k)
{
	uint32_t n = k->n_buckets * 2;
	struct entry **b = buckets_alloc(n);

	if (b == NULL)
		return; /* longer chains are right too */
	for (uint32_t i = 0; i < k->n_buckets; i++) {
		for (struct entry *e = k->bucket[i], *next; e != NULL; e = next) {
			uint32_t h = key_hash(k, e->key) & (n - 1);

			next = e->hnext;
			e->hnext = b[h];
			b[h] = e;
		}
	}
	free(k->bucket);
	k->bucket = b;
	k->n_buckets = n;
}

static struct entry *entry_new(struct kind *k, const uint8_t *key)
{
	struct entry *e = calloc(1, sizeof(*e) + k->ops->key_size);

	if (e == NULL)
		return NULL;
	memcpy(e->key, key, k->ops->key_size);
	e->kind = k;
	if (k->n_entries++ >= k->n_buckets) /* not count: one transaction may bring a million */
		kind_grow(k);
	uint32_t h = key_hash(k, key) & (k->n_buckets - 1);
	e->hnext = k->bucket[h];
	k->bucket[h] = e;
	return e;
}

/* Free a message; what is secret in it is wiped first. */
static void message_free(const struct kind *k, uint8_t *msg)
{
	size_t off, len;

	if (msg != NULL && hd_api_secret(k->ops->type, &off, &len))
		explicit_bzero(msg + off, len);
	free(msg);
}

static void entry_free(struct entry *e)
{
	struct kind *k = e->kind;
	struct entry **at = &k->bucket[key_hash(k, e->key) & (k->n_buckets - 1)];

	while (*at != e)
		at = &(*at)->hnext;
	*at = e->hnext;
	k->n_entries--;
	message_free(k, e->cur);
	free(e);
}

/* The message that will hold after the commit; NULL: none. */
static const uint8_t *entry_next(const struct entry *e)
{
	if (e == NULL || e->staged == TOMB)
		return NULL;
	return e->staged != NULL ? e->staged : e->cur;
}

int objects_init(void)
{
	return 0;
}

int object_kind_register(const struct object_kind *ops)
{
	if (n_kinds == KINDS_MAX)
		return -ENOSPC;
	if (kind_find(ops->type) != NULL)
		return -EEXIST;
	if (ops->type >= TYPES_MAX || ops->key_size == 0 || ops->key_size > OBJECT_KEY_MAX ||
	    ops->min_size > ops->max_size || ops->min_size < ops->key_size || ops->apply == NULL ||
	    ops->remove == NULL)
		return -EINVAL;
	struct kind *k = &kinds[n_kinds];

	*k = (struct kind){ .ops = ops, .n_buckets = 64 };
	k->bucket = calloc(k->n_buckets, sizeof(struct entry *));
	if (k->bucket == NULL)
		return -ENOMEM;
	kind_of[ops->type] = k;
	n_kinds++;
	return 0;
}

const void *object_find(uint16_t type, const void *key)
{
	struct kind *k = kind_find(type);

	return k == NULL ? NULL : entry_next(entry_find(k, key));
}

struct object_txn *object_txn_begin(void)
{
	return calloc(1, sizeof(struct object_txn));
}

static int txn_poison(struct object_txn *t, int rc, uint16_t type, uint32_t seq, const char *text)
{
	if (t->poison == 0) {
		t->poison = rc;
		t->poison_type = type;
		t->poison_seq = seq;
		snprintf(t->poison_text, sizeof(t->poison_text), "%s", text);
	}
	return rc;
}

static bool all_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != 0)
			return false;
	return true;
}

/* Bodies to another arena, or to none; there may be secrets in the old one. */
static void arena_move(struct object_txn *t, uint8_t *to)
{
	if (to != NULL && t->used != 0)
		memcpy(to, t->arena, t->used);
	if (t->arena != NULL)
		explicit_bzero(t->arena, t->used);
	free(t->arena);
	t->arena = to;
}

int object_txn_add(struct object_txn *t, uint16_t type, uint32_t seq, bool del, const void *body,
		   size_t size, uint64_t epoch)
{
	struct kind *k = kind_find(type);
	char text[160];

	t->epoch = epoch;
	if (t->poison != 0)
		return t->poison;
	if (k == NULL) {
		snprintf(text, sizeof(text), "object kind 0x%03x is not known to this data plane",
			 type);
		return txn_poison(t, -EPROTO, type, seq, text);
	}
	if (size < k->ops->key_size || (!del && size < k->ops->min_size)) {
		snprintf(text, sizeof(text), "%s message of %zu octets, at least %u needed",
			 k->ops->name, size, del ? k->ops->key_size : k->ops->min_size);
		return txn_poison(t, -EMSGSIZE, type, seq, text);
	}
	if (size > k->ops->max_size) {
		if (!all_zero((const uint8_t *)body + k->ops->max_size, size - k->ops->max_size)) {
			snprintf(
				text, sizeof(text),
				"%s message of %zu octets says more than this data plane knows (%u)",
				k->ops->name, size, k->ops->max_size);
			return txn_poison(t, -E2BIG, type, seq, text);
		}
		size = k->ops->max_size;
	}
	if (t->n_ops == t->cap_ops) {
		size_t cap = t->cap_ops == 0 ? 64 : t->cap_ops * 2;
		struct txn_op *op = realloc(t->op, cap * sizeof(*op));

		if (op == NULL)
			return txn_poison(t, -ENOMEM, type, seq, "out of memory");
		t->op = op;
		t->cap_ops = cap;
	}
	if (t->used + size + 8 > t->room) {
		size_t room = t->room == 0 ? 8192 : t->room * 2;

		while (room < t->used + size + 8)
			room *= 2;
		uint8_t *a = malloc(room);
		if (a == NULL)
			return txn_poison(t, -ENOMEM, type, seq, "out of memory");
		arena_move(t, a);
		t->room = room;
	}
	memcpy(t->arena + t->used, body, size);
	t->op[t->n_ops++] = (struct txn_op){
		.kind = k, .seq = seq, .del = del, .off = t->used, .size = (uint32_t)size
	};
	t->used += (size + 7) & ~(size_t)7; /* keys are read in words */
	return 0;
}

void object_txn_abort(struct object_txn *t)
{
	if (t == NULL)
		return;
	free(t->op);
	arena_move(t, NULL);
	free(t);
}

/* ---- commit ---------------------------------------------------------------------------------------------- */

struct commit {
	struct entry **touched;
	size_t n;
	struct object_error err;
	struct entry *at_fault;
};

static int fail(struct commit *c, struct entry *e, int rc, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static int fail(struct commit *c, struct entry *e, int rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->err.text, sizeof(c->err.text), fmt, ap);
	va_end(ap);
	c->at_fault = e;
	return rc;
}

/* Adjust the reference counts of everything msg refers to.  Missing targets are skipped: stage_refs() has refused
 * them already when counting up. */
static void refs_add(const struct kind *k, const uint8_t *msg, int delta)
{
	struct object_ref ref[OBJECT_REFS_MAX];

	if (k->ops->refs == NULL || msg == NULL)
		return;
	unsigned n = k->ops->refs(msg, ref);
	for (unsigned i = 0; i < n; i++) {
		struct kind *tk = kind_find(ref[i].type);
		struct entry *te = tk == NULL ? NULL : entry_find(tk, ref[i].key);

		if (te != NULL)
			te->refs += (uint32_t)delta;
	}
}

static int refs_exist(struct commit *c, struct entry *e)
{
	struct object_ref ref[OBJECT_REFS_MAX];

	if (e->kind->ops->refs == NULL)
		return 0;
	unsigned n = e->kind->ops->refs(e->staged, ref);
	for (unsigned i = 0; i < n; i++) {
		struct kind *tk = kind_find(ref[i].type);

		if (tk == NULL || entry_next(entry_find(tk, ref[i].key)) == NULL) {
			uint32_t id;

			memcpy(&id, ref[i].key, sizeof(id));
			return fail(c, e, -ENOENT, "%s refers to %s %u, which does not exist",
				    e->kind->ops->name,
				    tk == NULL ? "an unknown kind" : tk->ops->name, id);
		}
	}
	return 0;
}

static int entry_order(const void *a, const void *b)
{
	const struct entry *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;
	bool xd = x->staged == TOMB, yd = y->staged == TOMB;

	if (xd != yd)
		return xd ? 1 : -1; /* SETs first: make before break */
	if (x->kind->ops->rank != y->kind->ops->rank)
		return (x->kind->ops->rank < y->kind->ops->rank ? -1 : 1) * (xd ? -1 : 1);
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* Most batches come in order already. */
static void sort_touched(struct commit *c)
{
	for (size_t i = 1; i < c->n; i++) {
		if (entry_order(&c->touched[i - 1], &c->touched[i]) > 0) {
			qsort(c->touched, c->n, sizeof(*c->touched), entry_order);
			return;
		}
	}
}

/* Entries of a large table are in no cache: ask for those of the messages to come. */
#define AHEAD 8u

static void stage_prefetch(const struct object_txn *t, size_t i)
{
	const struct txn_op *op;
	const struct kind *k;

	if (i + 2 * AHEAD < t->n_ops) {
		op = &t->op[i + 2 * AHEAD];
		k = op->kind;
		__builtin_prefetch(
			&k->bucket[key_hash(k, t->arena + op->off) & (k->n_buckets - 1)]);
	}
	if (i + AHEAD < t->n_ops) {
		op = &t->op[i + AHEAD];
		k = op->kind;
		__builtin_prefetch(k->bucket[key_hash(k, t->arena + op->off) & (k->n_buckets - 1)]);
	}
}

/* Put the messages into their entries; list each entry once. */
static int stage(const struct object_txn *t, struct commit *c)
{
	for (size_t i = 0; i < t->n_ops; i++) {
		const struct txn_op *op = &t->op[i];
		const uint8_t *body = t->arena + op->off;

		stage_prefetch(t, i);
		struct entry *e = entry_find(op->kind, body);

		if (e == NULL) {
			if (op->del)
				continue; /* deleting what is absent succeeds */
			e = entry_new(op->kind, body);
			if (e == NULL)
				return fail(c, NULL, -ENOMEM, "out of memory");
		}
		uint8_t *msg = TOMB;
		if (!op->del) {
			msg = malloc(op->kind->ops->max_size);
			if (msg == NULL)
				return fail(c, e, -ENOMEM, "out of memory");
			memcpy(msg, body, op->size);
			memset(msg + op->size, 0, op->kind->ops->max_size - op->size);
		}
		if (e->staged == NULL)
			c->touched[c->n++] = e;
		else if (e->staged != TOMB)
			message_free(e->kind,
				     e->staged); /* the later message of the same key wins */
		e->staged = msg;
		e->seq = op->seq;
	}
	for (size_t i = 0; i < c->n; i++) {
		struct entry *e = c->touched[i];

		e->unchanged = e->cur != NULL && e->staged != TOMB &&
			       memcmp(e->cur, e->staged, e->kind->ops->max_size) == 0;
	}
	return 0;
}

static int check(struct commit *c)
{
	uint32_t after[KINDS_MAX];
	int rc;

	for (unsigned i = 0; i < n_kinds; i++)
		after[i] = kinds[i].count;
	for (size_t i = 0; i < c->n; i++)
		if (c->touched[i]->staged == TOMB && c->touched[i]->cur != NULL)
			after[c->touched[i]->kind - kinds]--;
	for (size_t i = 0; i < c->n; i++) {
		struct entry *e = c->touched[i];
		uint32_t most = e->kind->ops->capacity;

		if (e->staged != TOMB && e->cur == NULL && ++after[e->kind - kinds] > most &&
		    most != 0)
			return fail(
				c, e, -ENOSPC,
				"no space: the %s table holds %u and is full (see heddle-dp --help)",
				e->kind->ops->name, most);
	}
	for (size_t i = 0; i < c->n; i++) {
		struct entry *e = c->touched[i];

		if (e->unchanged || e->staged == TOMB)
			continue;
		rc = refs_exist(c, e);
		if (rc < 0)
			return rc;
		if (e->kind->ops->check == NULL)
			continue;
		c->err.text[0] = '\0';
		rc = e->kind->ops->check(e->staged, e->cur, &c->err);
		if (rc < 0) {
			c->at_fault = e;
			return rc;
		}
	}
	return 0;
}

static void refs_move(struct commit *c, int dir)
{
	for (size_t i = 0; i < c->n; i++) {
		struct entry *e = c->touched[i];

		if (e->unchanged)
			continue;
		refs_add(e->kind, e->cur, -dir);
		if (e->staged != TOMB)
			refs_add(e->kind, e->staged, dir);
	}
}

static int check_unused(struct commit *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct entry *e = c->touched[i];

		if (e->staged == TOMB && e->refs != 0)
			return fail(c, e, -EBUSY, "%s is still used by %u objects",
				    e->kind->ops->name, e->refs);
	}
	return 0;
}

objects_note_fn objects_note;

static void note(const struct entry *e, bool del, int rc)
{
	if (objects_note != NULL)
		objects_note(e->kind->ops->name, del, e->key, e->kind->ops->key_size, rc);
}

static void apply_prefetch(const struct commit *c, size_t i)
{
	const struct entry *e = i < c->n ? c->touched[i] : NULL;
	const uint8_t *msg = e == NULL ? NULL : e->staged == TOMB ? e->cur : e->staged;

	if (msg != NULL && !e->unchanged && e->kind->ops->prefetch != NULL)
		e->kind->ops->prefetch(msg);
}

static int apply(struct commit *c)
{
	size_t done;
	int rc;

	for (done = 0; done < c->n; done++) {
		struct entry *e = c->touched[done];

		if (e->unchanged)
			continue;
		if (e->staged == TOMB)
			break;
		apply_prefetch(c, done + AHEAD);
		c->err.text[0] = '\0';
		rc = e->kind->ops->apply(e->staged, e->cur, &c->err);
		note(e, false, rc);
		if (rc < 0) {
			c->at_fault = e;
			goto undo;
		}
	}
	for (size_t i = done; i < c->n; i++) {
		apply_prefetch(c, i + AHEAD);
		if (c->touched[i]->cur != NULL) {
			c->touched[i]->kind->ops->remove(c->touched[i]->cur);
			note(c->touched[i], true, 0);
		}
	}
	return 0;
undo:
	while (done-- > 0) {
		struct entry *e = c->touched[done];
		struct object_error ignored;

		if (e->unchanged)
			continue;
		if (e->cur == NULL)
			e->kind->ops->remove(e->staged);
		else if (e->kind->ops->apply(e->cur, e->staged, &ignored) < 0)
			log_error(
				"objects: %s could not be put back after a refused transaction (%s)",
				e->kind->ops->name, ignored.text);
	}
	return rc;
}

/* Forget what was staged: the registry is as before. */
static void unstage(struct commit *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct entry *e = c->touched[i];

		if (e->staged != TOMB)
			message_free(e->kind, e->staged);
		e->staged = NULL;
		if (e->cur == NULL)
			entry_free(e);
	}
}

static void settle(struct commit *c, uint64_t epoch, struct hd_api_reply *reply)
{
	for (size_t i = 0; i < c->n; i++) {
		struct entry *e = c->touched[i];

		if (e->staged == TOMB) {
			if (e->cur != NULL) {
				e->kind->count--;
				reply->n_del++;
			}
			entry_free(e);
			continue;
		}
		e->epoch = epoch;
		if (e->unchanged) {
			message_free(e->kind, e->staged);
			reply->n_unchanged++;
		} else {
			e->kind->count += e->cur == NULL;
			message_free(e->kind, e->cur);
			e->cur = e->staged;
			reply->n_set++;
		}
		e->staged = NULL;
		e->unchanged = false;
	}
}

int object_txn_commit(struct object_txn *t, struct hd_api_reply *reply)
{
	struct commit c = { 0 };
	int rc = t->poison;

	memset(reply, 0, sizeof(*reply));
	if (rc < 0) {
		reply->failed_seq = t->poison_seq;
		reply->failed_type = t->poison_type;
		snprintf(reply->text, sizeof(reply->text), "%s", t->poison_text);
		goto out;
	}
	c.touched = malloc((t->n_ops + 1) * sizeof(*c.touched));
	if (c.touched == NULL) {
		rc = fail(&c, NULL, -ENOMEM, "out of memory");
		goto report;
	}
	rc = stage(t, &c);
	if (rc < 0)
		goto unstage;
	sort_touched(&c);
	rc = check(&c);
	if (rc < 0)
		goto unstage;
	refs_move(&c, 1);
	rc = check_unused(&c);
	if (rc < 0)
		goto unmove;
	rc = apply(&c);
	if (rc < 0)
		goto unmove;
	settle(&c, t->epoch, reply);
	goto out;
unmove:
	refs_move(&c, -1);
unstage:
	if (c.at_fault != NULL) {
		reply->failed_seq = c.at_fault->seq;
		reply->failed_type = c.at_fault->kind->ops->type;
	}
	unstage(&c);
report:
	snprintf(reply->text, sizeof(reply->text), "%s",
		 c.err.text[0] != '\0' ? c.err.text : strerror(-rc));
out:
	reply->error = (uint32_t)-rc;
	free(c.touched);
	object_txn_abort(t);
	return rc;
}

int objects_sweep(uint64_t epoch, struct hd_api_reply *reply)
{
	struct object_txn *t = object_txn_begin();

	if (t == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < n_kinds; i++)
		for (uint32_t b = 0; b < kinds[i].n_buckets; b++)
			for (struct entry *e = kinds[i].bucket[b]; e != NULL; e = e->hnext)
				if (e->epoch != epoch)
					object_txn_add(t, kinds[i].ops->type, 0, true, e->key,
						       kinds[i].ops->key_size, epoch);
	return object_txn_commit(t, reply);
}

/* Secrets are shown as zeros. */
static int walk_one(const struct kind *k, const uint8_t *msg, object_walk_fn fn, void *arg)
{
	size_t off, len;
	uint8_t *shown;
	int rc;

	if (!hd_api_secret(k->ops->type, &off, &len))
		return fn(k->ops->type, msg, k->ops->max_size, arg);
	shown = malloc(k->ops->max_size);
	if (shown == NULL)
		return -ENOMEM;
	memcpy(shown, msg, k->ops->max_size);
	memset(shown + off, 0, len);
	rc = fn(k->ops->type, shown, k->ops->max_size, arg);
	free(shown);
	return rc;
}

int objects_walk(uint16_t type, object_walk_fn fn, void *arg)
{
	struct kind *k = kind_find(type);
	int rc;

	if (k == NULL)
		return -ENOENT;
	for (uint32_t b = 0; b < k->n_buckets; b++) {
		for (struct entry *e = k->bucket[b]; e != NULL; e = e->hnext) {
			if (e->cur == NULL) /* a transaction is about to make it */
				continue;
			rc = walk_one(k, e->cur, fn, arg);
			if (rc != 0)
				return rc;
		}
	}
	return 0;
}

uint32_t objects_count(uint16_t type)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < n_kinds; i++)
		if (type == 0 || kinds[i].ops->type == type)
			n += kinds[i].count;
	return n;
}

void objects_fini(void)
{
	struct hd_api_reply reply;

	objects_sweep(UINT64_MAX, &reply);
	for (unsigned i = 0; i < n_kinds; i++)
		free(kinds[i].bucket);
	memset(kind_of, 0, sizeof(kind_of));
	n_kinds = 0;
}
