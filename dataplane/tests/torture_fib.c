/* SPDX-License-Identifier: BSD-3-Clause */
/* One writer changes a forwarding table while readers check every answer.
 *
 * Each update has a number and, where it sets, a result of its own.  Before it begins, the writer notes what each test
 * address must answer once it is done.  A reader notes the last update that was done before its lookup and the last
 * that had begun after it: the answer must be right for one of the states from the first to the second.  So neither a
 * mixture of two updates nor the content of memory that was given back too early can pass.
 *
 * usage: torture_fib [updates per table, default by time [readers]] */
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/rcu.h"
#include "dataplane/result.h"
#include "dataplane/tables/fib.h"
#include "fib_model.h"

#define ADDRESSES  48u
#define ROUTES_MAX 60u
#define HISTORY \
	4096u /* states remembered; the writer waits for a reader that falls further behind */
#define READERS_MAX 16u
#define BURST       64u
#define TABLE_MS    450 /* per table, unless updates are counted */

static struct {
	struct fib *fib;
	enum fib_family family;
	uint8_t address[ADDRESSES][16];
	uint32_t answer[HISTORY][ADDRESSES]; /* after update number modulo HISTORY */
	uint64_t begun, done;                /* update numbers */
	struct {
		uint64_t at; /* oldest state that this reader may still look up; UINT64_MAX: none */
		uint64_t lookups, wrong;
	} __attribute__((aligned(64))) reader[READERS_MAX];
	bool stop;
	unsigned n_readers;
} t;

static bool legal(uint64_t from, uint64_t to, unsigned a, uint32_t got)
{
	for (uint64_t s = from; s <= to; s++) {
		if (t.answer[s % HISTORY][a] == got)
			return true;
	}
	return false;
}

static void complain(uint64_t from, uint64_t to, unsigned a, uint32_t got, unsigned n)
{
	char line[400];
	int len = snprintf(line, sizeof(line),
			   "wrong: address %u of a bulk of %u answers %08x; states %" PRIu64
			   "..%" PRIu64 ":",
			   a, n, got, from, to);

	for (uint64_t s = from; s <= to && s < from + 12; s++)
		len += snprintf(line + len, sizeof(line) - len, " %08x", t.answer[s % HISTORY][a]);
	fprintf(stderr, "%s\n", line);
}

static void look(const struct fib *f, unsigned kind, uint8_t (*key)[16], uint32_t *got, unsigned n)
{
	uint32_t packed[ADDRESSES];
	const uint8_t *at[ADDRESSES];

	for (unsigned i = 0; i < n; i++) {
		at[i] = key[i];
		memcpy(&packed[i], key[i], 4);
	}
	if (n == 1 && kind % 2 == 0)
		got[0] = fib_lookup(f, key[0]);
	else if (t.family == FIB_IP4 && kind < 2)
		fib_lookup_bulk4(f, packed, got, n);
	else if (t.family == FIB_IP4)
		fib_lookup_bulk4p(f, at, got, n);
	else if (kind < 2)
		fib_lookup_bulk6(f, (const uint8_t(*)[16])key, got, n);
	else
		fib_lookup_bulk6p(f, at, got, n);
}

static void *reader_main(void *arg)
{
	unsigned id = (uintptr_t)arg, seed = id * 7919 + 1;
	uint8_t key[ADDRESSES][16];
	unsigned which[ADDRESSES];
	uint32_t got[ADDRESSES];

	rcu_worker_register(id);
	while (!__atomic_load_n(&t.stop, __ATOMIC_ACQUIRE)) {
		unsigned most = rand_r(&seed) % 3 ? 4 : ADDRESSES, n = 1 + rand_r(&seed) % most;
		unsigned first = rand_r(&seed) % ADDRESSES, kind = rand_r(&seed) % 4;
		for (unsigned i = 0; i < n; i++) {
			which[i] = (first + i) % ADDRESSES;
			memcpy(key[i], t.address[which[i]], 16);
		}
		/* Hold the history first: `done` read afterwards is at least what was announced. */
		__atomic_store_n(&t.reader[id].at, __atomic_load_n(&t.done, __ATOMIC_ACQUIRE),
				 __ATOMIC_SEQ_CST);
		uint64_t from = __atomic_load_n(&t.done, __ATOMIC_SEQ_CST);
		look(t.fib, kind, key, got, n);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		uint64_t to = __atomic_load_n(&t.begun, __ATOMIC_ACQUIRE);
		for (unsigned i = 0; i < n; i++) {
			if (legal(from, to, which[i], got[i]))
				continue;
			if (t.reader[id].wrong++ < 5)
				complain(from, to, which[i], got[i], n);
		}
		t.reader[id].lookups += n;
		__atomic_store_n(&t.reader[id].at, UINT64_MAX, __ATOMIC_RELEASE);
		rcu_worker_quiescent(id);
	}
	rcu_worker_unregister(id);
	return NULL;
}

/* States that some reader may look up must not be overwritten by update number u. */
static void wait_for_readers(uint64_t u)
{
	for (unsigned r = 0; r < t.n_readers; r++) {
		uint64_t at;
		while ((at = __atomic_load_n(&t.reader[r].at, __ATOMIC_SEQ_CST)) != UINT64_MAX &&
		       u - at >= HISTORY - 2)
			sched_yield();
	}
}

struct step {
	uint8_t key[16], plen;
	uint32_t result; /* NONE: delete */
};

/* Invent update number u, and note the answers after it. */
static struct step step_plan(struct model *m, uint64_t u)
{
	struct step s;
	int i;

	if (m->n > 0 && (m->n == ROUTES_MAX || rnd() % 3 == 0)) {
		i = rnd() % m->n;
		memcpy(s.key, m->route[i].key, 16);
		s.plen = m->route[i].plen;
	} else {
		memcpy(s.key, t.address[rnd() % ADDRESSES], 16);
		s.plen = rnd() % 3 ? rnd() % (m->bits + 1) : rnd() % 5 * 8;
		key_cut(s.key, s.plen);
		i = model_find(m, s.key, s.plen);
	}
	if (i >= 0 && rnd() % 3 != 0) {
		s.result = HD_RESULT_NONE;
		m->route[i] = m->route[--m->n];
	} else {
		s.result = HD_RESULT(HD_RESULT_ADJ, 1 + u % HD_RESULT_INDEX_MAX);
		if (i < 0)
			i = m->n++;
		memcpy(m->route[i].key, s.key, 16);
		m->route[i].plen = s.plen;
		m->route[i].value = bits_of(s.key);
		m->route[i].mask = mask_of(s.plen);
		m->route[i].result = s.result;
	}
	for (unsigned a = 0; a < ADDRESSES; a++)
		t.answer[u % HISTORY][a] = model_lookup(m, t.address[a]);
	return s;
}

/* BURST updates after number u, planned first, so that they follow each other closely.  Returns how many failed. */
static unsigned burst(struct model *m, uint64_t u)
{
	struct step step[BURST];
	unsigned failed = 0;

	wait_for_readers(u + BURST);
	for (unsigned i = 0; i < BURST; i++)
		step[i] = step_plan(m, u + 1 + i);
	for (unsigned i = 0; i < BURST; i++) {
		const struct step *s = &step[i];
		__atomic_store_n(&t.begun, u + 1 + i, __ATOMIC_SEQ_CST);
		int rc = s->result == HD_RESULT_NONE ? fib_del(t.fib, s->key, s->plen) :
						       fib_set(t.fib, s->key, s->plen, s->result);
		__atomic_store_n(&t.done, u + 1 + i, __ATOMIC_SEQ_CST);
		failed += rc < 0;
		if (i % 4 == 0)
			rcu_reclaim();
	}
	return failed;
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

static uint64_t torture(enum fib_family family, uint8_t root_bits, uint64_t updates)
{
	static struct model m;
	pthread_t thread[READERS_MAX];
	uint64_t u = 0, end = now_ms() + TABLE_MS, lookups = 0, wrong = 0;
	struct fib_stats st;

	memset(&m, 0, sizeof(m));
	memset(t.answer[0], 0, sizeof(t.answer[0]));
	m.family = t.family = family;
	m.bits = family == FIB_IP4 ? 32 : 128;
	t.begun = t.done = 0;
	t.stop = false;
	t.fib = fib_create(&(struct fib_conf){ family, root_bits, ROUTES_MAX });
	if (t.fib == NULL) {
		perror("fib_create");
		exit(1);
	}
	random_key(t.address[0]);
	for (unsigned a = 1; a < ADDRESSES; a++)
		near_key(t.address[rnd() % a], t.address[a], m.bits);
	for (unsigned r = 0; r < t.n_readers; r++) {
		t.reader[r].at = UINT64_MAX;
		t.reader[r].lookups = t.reader[r].wrong = 0;
		if (pthread_create(&thread[r], NULL, reader_main, (void *)(uintptr_t)r) != 0) {
			perror("pthread_create");
			exit(1);
		}
	}
	for (; updates != 0 ? u < updates : now_ms() < end; u += BURST)
		wrong += burst(&m, u);
	__atomic_store_n(&t.stop, true, __ATOMIC_RELEASE);
	for (unsigned r = 0; r < t.n_readers; r++) {
		pthread_join(thread[r], NULL);
		lookups += t.reader[r].lookups;
		wrong += t.reader[r].wrong;
	}
	while (m.n-- > 0)
		fib_del(t.fib, m.route[m.n].key, m.route[m.n].plen);
	rcu_drain();
	fib_stats_get(t.fib, &st);
	if (st.routes != 0 || st.nodes != 0 || st.waiting_bytes != 0) {
		fprintf(stderr, "left over: %u routes, %u nodes\n", st.routes, st.nodes);
		wrong++;
	}
	fib_destroy(t.fib);
	printf("IPv%u root %2u: %9" PRIu64 " updates, %10" PRIu64 " lookups, %" PRIu64 " wrong\n",
	       family, root_bits, u, lookups, wrong);
	if (lookups == 0) {
		fprintf(stderr, "no reader ever ran\n");
		wrong++;
	}
	return wrong;
}

int main(int argc, char **argv)
{
	static const uint8_t root_bits[] = { 0, 16, 24 };
	uint64_t updates = argc > 1 ? strtoull(argv[1], NULL, 0) : 0, wrong = 0;

	t.n_readers = argc > 2 ? strtoul(argv[2], NULL, 0) : 2;
	if (t.n_readers < 1 || t.n_readers > READERS_MAX) {
		fprintf(stderr, "1 .. %u readers\n", READERS_MAX);
		return 2;
	}
	seed_init("torture_fib");
	rcu_init(t.n_readers);
	for (unsigned i = 0; i < 3; i++) {
		wrong += torture(FIB_IP4, root_bits[i], updates);
		wrong += torture(FIB_IP6, root_bits[i], updates);
	}
	rcu_fini();
	return wrong != 0;
}
