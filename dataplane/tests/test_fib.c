/* SPDX-License-Identifier: BSD-3-Clause */
/* The forwarding table against rows of edge cases and against a naive longest prefix match.
 * The random tests print their seed; HEDDLE_SEED=n repeats one. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/rcu.h"
#include "dataplane/result.h"
#include "dataplane/tables/fib_cache.h"
#include "fib_model.h"

#define ADJ(n) HD_RESULT(HD_RESULT_ADJ, n)

static const uint8_t all_root_bits[] = { 0, 16, 24 };

/* "10.0.0.0/8" or "2001:db8::/32" -> key, prefix length.  Returns the family. */
static enum fib_family text_key(const char *text, uint8_t key[16], uint8_t *plen)
{
	char addr[64];
	const char *slash = strchr(text, '/');
	bool v6 = strchr(text, ':') != NULL;

	snprintf(addr, sizeof(addr), "%.*s", slash ? (int)(slash - text) : 63, text);
	memset(key, 0, 16);
	cr_assert_eq(inet_pton(v6 ? AF_INET6 : AF_INET, addr, key), 1, "%s", text);
	*plen = slash ? atoi(slash + 1) : v6 ? 128 : 32;
	return v6 ? FIB_IP6 : FIB_IP4;
}

/* The answer of every way to ask, which must agree. */
static uint32_t ask(const struct fib *f, enum fib_family family, const uint8_t key[16])
{
	uint32_t one = fib_lookup(f, key), bulk = 1, bulkp = 1, addr;

	memcpy(&addr, key, sizeof(addr));
	if (family == FIB_IP4) {
		fib_lookup_bulk4(f, &addr, &bulk, 1);
		fib_lookup_bulk4p(f, &key, &bulkp, 1);
	} else {
		fib_lookup_bulk6(f, (const uint8_t(*)[16])key, &bulk, 1);
		fib_lookup_bulk6p(f, &key, &bulkp, 1);
	}
	cr_assert(one == bulk && one == bulkp, "one %x bulk %x pointers %x", one, bulk, bulkp);
	return one;
}

/* ---------------------------------------------------------------- rows */

/* steps: "+prefix=n" set, "-prefix" delete, "?address=n" expect (0: no entry), separated by blanks. */
struct row {
	char why[72];
	char steps[600];
};

static void run_steps(const struct row *row, uint8_t root_bits)
{
	char steps[sizeof(row->steps)], *save = NULL;
	struct fib *f = NULL;
	unsigned n = 0;

	strcpy(steps, row->steps);
	for (char *s = strtok_r(steps, " ", &save); s != NULL;
	     s = strtok_r(NULL, " ", &save), n++) {
		char *eq = strchr(s, '=');
		uint32_t value = eq ? ADJ(atoi(eq + 1)) : 0;
		uint8_t key[16], plen;
		if (eq != NULL)
			*eq = 0;
		enum fib_family family = text_key(s + 1, key, &plen);
		if (f == NULL)
			f = fib_create(&(struct fib_conf){ family, root_bits, 100 });
		cr_assert_not_null(f);
		if (s[0] == '+') {
			cr_assert_eq(fib_set(f, key, plen, value), 0, "%s", s);
			cr_assert_eq(fib_get_exact(f, key, plen), value, "%s: %s", row->why, s);
		} else if (s[0] == '-') {
			cr_assert_eq(fib_del(f, key, plen), 0, "%s", s);
			cr_assert_eq(fib_get_exact(f, key, plen), 0, "%s: %s", row->why, s);
		} else {
			uint32_t want = value == ADJ(0) ? 0 : value, got = ask(f, family, key);
			cr_assert_eq(got, want, "root %u, %s: step %u, %s: got %u, want %u",
				     root_bits, row->why, n, s, hd_result_index(got),
				     hd_result_index(want));
		}
	}
	fib_destroy(f);
}

ParameterizedTestParameters(fib, rows)
{
	static struct row rows[] = {
		{ "an empty table knows nothing", "?1.2.3.4=0 ?0.0.0.0=0 ?255.255.255.255=0" },
		{ "an empty IPv6 table knows nothing", "?::=0 ?2001:db8::1=0" },
		{ "the default route answers everything",
		  "+0.0.0.0/0=7 ?1.2.3.4=7 ?255.255.255.255=7 -0.0.0.0/0 ?1.2.3.4=0" },
		{ "the IPv6 default route answers everything",
		  "+::/0=7 ?::=7 ?ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff=7 -::/0 ?::=0" },
		{ "replacing keeps one route",
		  "+10.0.0.0/8=1 +10.0.0.0/8=2 ?10.1.1.1=2 -10.0.0.0/8 ?10.1.1.1=0" },
		{ "deleting what is absent changes nothing",
		  "+10.0.0.0/8=1 -10.0.0.0/9 -10.1.2.3/32 -0.0.0.0/0 ?10.1.1.1=1" },
		{ "half spaces",
		  "+0.0.0.0/1=1 +128.0.0.0/1=2 ?127.255.255.255=1 ?128.0.0.0=2 -0.0.0.0/1 "
		  "?127.255.255.255=0 ?200.0.0.0=2" },
		{ "host routes at the ends",
		  "+0.0.0.0/32=1 +255.255.255.255/32=2 ?0.0.0.0=1 ?0.0.0.1=0 ?255.255.255.254=0 ?255.255.255.255=2" },
		{ "IPv6 host routes at the ends",
		  "+::/128=1 +ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128=2 ?::=1 ?::1=0 "
		  "?ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe=0 ?ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff=2" },
		{ "every length of one address, removed from the longest",
		  "+10.0.0.0/8=8 +10.128.0.0/9=9 +10.129.0.0/16=16 +10.129.128.0/17=17 +10.129.128.0/24=24 "
		  "+10.129.128.128/25=25 +10.129.128.129/32=32 ?10.129.128.129=32 -10.129.128.129/32 "
		  "?10.129.128.129=25 -10.129.128.128/25 ?10.129.128.129=24 -10.129.128.0/24 ?10.129.128.129=17 "
		  "-10.129.128.0/17 ?10.129.128.129=16 -10.129.0.0/16 ?10.129.128.129=9 -10.128.0.0/9 "
		  "?10.129.128.129=8 -10.0.0.0/8 ?10.129.128.129=0" },
		{ "every length of one address, removed from the shortest",
		  "+10.129.128.129/32=32 +10.129.128.0/24=24 +10.129.0.0/16=16 +10.0.0.0/8=8 +0.0.0.0/0=1 "
		  "-0.0.0.0/0 ?10.129.128.129=32 ?10.129.128.1=24 ?11.0.0.0=0 -10.0.0.0/8 ?10.129.1.1=16 "
		  "?10.1.1.1=0 -10.129.0.0/16 ?10.129.1.1=0 ?10.129.128.1=24 -10.129.128.0/24 "
		  "?10.129.128.129=32 ?10.129.128.128=0" },
		{ "a shadowed prefix comes back",
		  "+10.0.0.0/23=23 +10.0.0.0/24=1 +10.0.1.0/24=2 ?10.0.0.5=1 ?10.0.1.5=2 -10.0.1.0/24 "
		  "?10.0.1.5=23 -10.0.0.0/24 ?10.0.0.5=23 ?10.0.2.0=0" },
		{ "a shadowed prefix goes unseen",
		  "+10.0.0.0/23=23 +10.0.0.0/24=1 +10.0.1.0/24=2 -10.0.0.0/23 ?10.0.0.5=1 ?10.0.1.5=2 "
		  "-10.0.0.0/24 ?10.0.0.5=0" },
		{ "same result in neighbours is still two routes",
		  "+10.0.0.0/24=1 +10.0.1.0/24=1 -10.0.0.0/24 ?10.0.0.5=0 ?10.0.1.5=1" },
		{ "same result as the cover is still a route",
		  "+10.0.0.0/8=1 +10.0.0.0/24=1 -10.0.0.0/8 ?10.0.0.5=1 ?10.0.1.5=0" },
		{ "default changes below long routes",
		  "+2001:db8::1/128=1 +::/0=2 ?2001:db8::1=1 ?2001:db8::2=2 +::/0=3 ?2001:db8::2=3 -::/0 "
		  "?2001:db8::2=0 ?2001:db8::1=1" },
		{ "a cover between array and deep node",
		  "+2001:db8::1/128=1 +2001:db8::/32=2 ?2001:db8::1=1 ?2001:db8::2=2 ?2001:db9::=0 "
		  "-2001:db8::/32 ?2001:db8::2=0 ?2001:db8::1=1" },
		{ "a cover of exactly the skipped bytes",
		  "+2001:db8:1:2:3:4:5:6/128=1 +2001:db8:1::/48=48 ?2001:db8:1:2:3:4:5:7=48 "
		  "?2001:db8:1:2:3:4:5:6=1 ?2001:db8:2::=0 +2001:db8:1:2::/64=64 ?2001:db8:1:2:3:4:5:7=64 "
		  "?2001:db8:1:3::=48 -2001:db8:1::/48 ?2001:db8:1:3::=0 ?2001:db8:1:2::=64 "
		  "-2001:db8:1:2:3:4:5:6/128 ?2001:db8:1:2:3:4:5:6=64" },
		{ "ways part inside skipped bytes",
		  "+2001:db8:1:2:3:4:5:6/128=1 +2001:db8:1:2:3:4:6:6/128=2 +2001:db8:1:3:3:4:5:6/128=3 "
		  "+2001:db9:1:2:3:4:5:6/128=4 +3001:db8:1:2:3:4:5:6/128=5 ?2001:db8:1:2:3:4:5:6=1 "
		  "?2001:db8:1:2:3:4:6:6=2 ?2001:db8:1:3:3:4:5:6=3 ?2001:db9:1:2:3:4:5:6=4 "
		  "?3001:db8:1:2:3:4:5:6=5 ?2001:db8:1:2:3:4:7:6=0 -2001:db8:1:2:3:4:6:6/128 "
		  "-2001:db8:1:3:3:4:5:6/128 ?2001:db8:1:2:3:4:6:6=0 ?2001:db8:1:2:3:4:5:6=1 "
		  "-2001:db9:1:2:3:4:5:6/128 -3001:db8:1:2:3:4:5:6/128 ?2001:db8:1:2:3:4:5:6=1 "
		  "?2001:db9:1:2:3:4:5:6=0" },
		{ "a locator and its SIDs",
		  "+5f00:0:1::/48=1 +5f00:0:1:100::/64=2 +5f00:0:1:100::/128=3 "
		  "?5f00:0:1:100::=3 ?5f00:0:1:100::1=2 ?5f00:0:1:101::=1 ?5f00:0:2::=0" },
		{ "bits behind the length are ignored",
		  "+10.1.2.3/8=1 ?10.9.9.9=1 -10.7.7.7/8 ?10.9.9.9=0 +10.1.2.255/25=2 ?10.1.2.128=2 ?10.1.2.127=0 "
		  "-10.1.2.254/25 ?10.1.2.128=0" },
	};
	return cr_make_param_array(struct row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct row *row, fib, rows)
{
	for (unsigned i = 0; i < 3; i++)
		run_steps(row, all_root_bits[i]);
}

Test(fib, refuses_what_it_cannot_hold)
{
	struct fib_conf bad[] = {
		{ FIB_IP4, 0, 0 },
		{ FIB_IP4, 8, 10 },
		{ FIB_IP6, 32, 10 },
		{ 5, 0, 10 },
		{ FIB_IP4, 0, (1u << 24) + 1 },
	};
	uint8_t key[16] = { 0 };

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		errno = 0;
		cr_assert_null(fib_create(&bad[i]), "%u", i);
		cr_assert_eq(errno, EINVAL);
	}
	struct fib *f = fib_create(&(struct fib_conf){ FIB_IP4, 16, 10 });
	cr_assert_eq(fib_set(f, key, 33, ADJ(1)), -EINVAL);
	cr_assert_eq(fib_del(f, key, 33), -EINVAL);
	cr_assert_eq(fib_get_exact(f, key, 33), 0);
	cr_assert_eq(fib_set(f, key, 8, 0), -EINVAL, "no entry is not a result");
	cr_assert_eq(fib_set(f, key, 8, HD_RESULT(HD_RESULT_INTERNAL, 5)), -EINVAL,
		     "mark of links");
	cr_assert_eq(fib_set(f, key, 8, HD_RESULT(HD_RESULT_INTERNAL - 1, HD_RESULT_INDEX_MAX)), 0);
	cr_assert_eq(fib_lookup(f, key), HD_RESULT(HD_RESULT_INTERNAL - 1, HD_RESULT_INDEX_MAX));
	fib_destroy(f);
	fib_destroy(NULL);
}

Test(fib, full_table_refuses_and_keeps)
{
	for (unsigned r = 0; r < 3; r++) {
		struct fib *f = fib_create(&(struct fib_conf){ FIB_IP6, all_root_bits[r], 3 });
		uint8_t a[16] = { 0x20, 1 }, b[16] = { 0x20, 1, 1 }, c[16] = { 0x20, 1, 1, 1 },
			d[16] = { 0x20, 2 };
		struct fib_stats st;
		cr_assert_eq(fib_set(f, a, 16, ADJ(1)), 0);
		cr_assert_eq(fib_set(f, b, 24, ADJ(2)), 0);
		cr_assert_eq(fib_set(f, c, 128, ADJ(3)), 0);
		cr_assert_eq(fib_set(f, d, 16, ADJ(4)), -ENOSPC);
		cr_assert_eq(fib_set(f, d, 128, ADJ(4)), -ENOSPC);
		cr_assert_eq(fib_set(f, d, 0, ADJ(4)), -ENOSPC);
		cr_assert_eq(fib_lookup(f, d), 0);
		cr_assert_eq(fib_set(f, c, 128, ADJ(5)), 0, "replacing needs no room");
		cr_assert_eq(fib_lookup(f, c), ADJ(5));
		fib_stats_get(f, &st);
		cr_assert_eq(st.routes, 3);
		cr_assert_eq(fib_del(f, b, 24), 0);
		cr_assert_eq(fib_set(f, d, 128, ADJ(4)), 0);
		cr_assert_eq(fib_lookup(f, d), ADJ(4));
		fib_destroy(f);
	}
}

/* ---------------------------------------------------------------- against a naive table */

/* Whatever follows the bits that an answer depends on, the answer is the same. */
static void check_span(const struct model *m, const struct fib *f, const uint8_t key[16],
		       uint32_t want)
{
	unsigned bits = 999;

	cr_assert_eq(fib_lookup_span(f, key, &bits), want);
	cr_assert_leq(bits, m->bits);
	for (unsigned k = 0; k < 4; k++) {
		uint8_t other[16], near[16];

		random_key(other);
		if (m->n > 0 && k < 2)
			near_key(m->route[rnd() % m->n].key, other, m->bits);
		for (unsigned i = 0; i < 16; i++) {
			unsigned keep = bits >= 8 * i + 8 ? 0xff :
					bits <= 8 * i     ? 0 :
							    0xff00u >> bits % 8 & 0xff;

			near[i] = (uint8_t)((key[i] & keep) | (other[i] & ~keep));
		}
		cr_assert_eq(model_lookup(m, near), want, "%u bits do not decide", bits);
	}
}

/* What is not called deep depends on eight octets alone. */
static void check_deep(const struct model *m, const struct fib *f, const uint8_t *const *at,
		       unsigned n)
{
	uint32_t got[200];
	uint8_t deep[200];

	if (m->family == FIB_IP4)
		return;
	fib_lookup_deep6p(f, at, got, deep, n);
	for (unsigned i = 0; i < n; i++) {
		uint8_t other[16];

		cr_assert_eq(got[i], model_lookup(m, at[i]));
		if (deep[i])
			continue;
		for (unsigned k = 0; k < 3; k++) {
			random_key(other);
			if (m->n > 0 && k > 0)
				memcpy(other, m->route[rnd() % m->n].key, 16);
			memcpy(other, at[i], 8);
			cr_assert_eq(model_lookup(m, other), got[i], "it is deep");
		}
	}
}

/* With the help of what was looked up before, in whatever state the table was then. */
static void check_cache(const struct model *m, const struct fib *f, const uint8_t *const *at,
			unsigned n)
{
	static struct fib_cache *c;
	uint32_t got[200];

	if (c == NULL)
		c = fib_cache_create();
	cr_assert(c != NULL);
	if (rnd() % 4 != 0)
		c->rest = 0;
	for (unsigned round = 0; round < 2; round++) {
		if (m->family == FIB_IP4)
			fib_cache_lookup4p(c, f, at, got, n);
		else
			fib_cache_lookup6p(c, f, at, got, n);
		for (unsigned i = 0; i < n; i++) {
			uint32_t one = m->family == FIB_IP4 ?
					       fib_cache_probe4(c, fib_state(f), at[i]) :
					       fib_cache_probe6(c, fib_state(f), at[i]);

			cr_assert_eq(got[i], model_lookup(m, at[i]));
			cr_assert(one == 0 || one == got[i], "%x instead of %x", one, got[i]);
		}
	}
}

static void check_keys(const struct model *m, const struct fib *f, uint8_t (*key)[16], unsigned n)
{
	uint32_t got[200], gotp[200], packed[200];
	const uint8_t *at[200];

	for (unsigned i = 0; i < n; i++) {
		at[i] = key[i];
		memcpy(&packed[i], key[i], 4);
	}
	if (m->family == FIB_IP4) {
		fib_lookup_bulk4(f, packed, got, n);
		fib_lookup_bulk4p(f, at, gotp, n);
	} else {
		fib_lookup_bulk6(f, (const uint8_t(*)[16])key, got, n);
		fib_lookup_bulk6p(f, at, gotp, n);
	}
	for (unsigned i = 0; i < n; i++) {
		uint32_t want = model_lookup(m, key[i]), one = fib_lookup(f, key[i]);
		char text[64];
		inet_ntop(m->family == FIB_IP4 ? AF_INET : AF_INET6, key[i], text, sizeof(text));
		cr_assert(one == want && got[i] == want && gotp[i] == want,
			  "%s: want %x, one %x, bulk %x, by pointer %x", text, want, one, got[i],
			  gotp[i]);
		check_span(m, f, key[i], want);
	}
	check_deep(m, f, at, n);
	check_cache(m, f, at, n);
}

static int walk_check(const uint8_t *prefix, uint8_t plen, uint32_t result, void *arg)
{
	struct model *m = arg;
	uint8_t key[16] = { 0 }, cut[16];

	memcpy(key, prefix, m->bits / 8);
	int i = model_find(m, key, plen);
	cr_assert(i >= 0 && m->route[i].result == result && !m->route[i].seen);
	memcpy(cut, key, 16);
	key_cut(cut, plen);
	cr_assert_arr_eq(cut, key, 16, "bits behind the length");
	m->route[i].seen = true;
	return 0;
}

static void check_walk(const struct model *m, const struct fib *f)
{
	static struct model seen;

	memcpy(&seen, m, sizeof(seen));
	cr_assert_eq(fib_walk(f, walk_check, &seen), 0);
	for (unsigned i = 0; i < seen.n; i++)
		cr_assert(seen.route[i].seen, "a route was not told");
}

static void check_all(const struct model *m, const struct fib *f)
{
	static uint8_t key[200][16];
	struct fib_stats st;

	fib_stats_get(f, &st);
	cr_assert_eq(st.routes, m->n);
	for (unsigned i = 0; i < m->n; i++)
		cr_assert_eq(fib_get_exact(f, m->route[i].key, m->route[i].plen),
			     m->route[i].result);
	for (unsigned i = 0; i < 200; i++) {
		if (m->n > 0 && i % 4 != 0)
			near_key(m->route[rnd() % m->n].key, key[i], m->bits);
		else
			random_key(key[i]);
	}
	check_keys(m, f, key, 1 + rnd() % 200);
	check_walk(m, f);
}

static void model_run(enum fib_family family, uint8_t root_bits, unsigned ops)
{
	static struct model m;
	struct fib *f = fib_create(&(struct fib_conf){ family, root_bits, MODEL_MAX });
	struct fib_stats st;
	uint64_t base;
	uint8_t key[8][16];

	cr_assert_not_null(f);
	fib_stats_get(f, &st);
	base = st.reader_bytes;
	memset(&m, 0, sizeof(m));
	m.family = family;
	m.bits = family == FIB_IP4 ? 32 : 128;
	for (unsigned op = 0; op < ops; op++) {
		/* Fill and empty in turns, down to nothing. */
		bool grow = op / 3000 % 2 == 0;
		if (m.n < MODEL_MAX && rnd() % 10 < (grow ? 7 : 3)) {
			uint8_t plen = rnd() % 3 ? rnd() % (m.bits + 1) :
						   (rnd() % (m.bits / 8 + 1)) * 8;
			uint32_t result = ADJ(1 + rnd() % 20);
			if (m.n > 0 && rnd() % 2)
				near_key(m.route[rnd() % m.n].key, key[0], m.bits);
			else
				random_key(key[0]);
			key_cut(key[0], plen);
			int i = model_find(&m, key[0], plen);
			if (i < 0) {
				i = m.n++;
				memcpy(m.route[i].key, key[0], 16);
				m.route[i].plen = plen;
				m.route[i].value = bits_of(key[0]);
				m.route[i].mask = mask_of(plen);
			}
			m.route[i].result = result;
			cr_assert_eq(fib_set(f, key[0], plen, result), 0);
		} else if (m.n > 0) {
			unsigned i = rnd() % m.n;
			memcpy(key[0], m.route[i].key, 16);
			cr_assert_eq(fib_del(f, key[0], m.route[i].plen), 0);
			m.route[i] = m.route[--m.n];
		}
		for (unsigned i = 1; i < 8; i++)
			near_key(key[0], key[i], m.bits);
		check_keys(&m, f, key, 8);
		if (op % 1000 == 999)
			check_all(&m, f);
		if (op % 64 == 0)
			rcu_reclaim();
	}
	while (m.n > 0) {
		m.n--;
		cr_assert_eq(fib_del(f, m.route[m.n].key, m.route[m.n].plen), 0);
	}
	check_all(&m, f);
	rcu_drain();
	fib_stats_get(f, &st);
	cr_assert_eq(st.nodes, 0);
	cr_assert_eq(st.waiting_bytes, 0);
	if (root_bits == 0)
		cr_assert_eq(st.reader_bytes, base + 4096, "the array of one word");
	fib_destroy(f);
}

Test(fib, agrees_with_naive_ip4)
{
	seed_init("agrees_with_naive_ip4");
	for (unsigned r = 0; r < 3; r++)
		model_run(FIB_IP4, all_root_bits[r], 20000);
}

Test(fib, agrees_with_naive_ip6)
{
	seed_init("agrees_with_naive_ip6");
	for (unsigned r = 0; r < 3; r++)
		model_run(FIB_IP6, all_root_bits[r], 20000);
}

Test(fib, agrees_with_naive_when_blocks_wait)
{
	seed_init("agrees_with_naive_when_blocks_wait");
	cr_assert_eq(rcu_init(1), 0);
	for (unsigned r = 0; r < 3; r++) {
		model_run(FIB_IP4, all_root_bits[r], 8000);
		model_run(FIB_IP6, all_root_bits[r], 8000);
	}
	rcu_fini();
}

/* ---------------------------------------------------------------- memory */

static void key_number(uint8_t key[16], uint32_t i)
{
	memset(key, 0, 16);
	key[0] = 0x20 + i % 5;
	key[1] = i >> 16;
	key[2] = i >> 8;
	key[3] = i;
	key[9] = i * 7;
}

Test(fib, memory_returns)
{
	for (unsigned r = 0; r < 3; r++) {
		struct fib *f = fib_create(&(struct fib_conf){ FIB_IP6, all_root_bits[r], 20000 });
		struct fib_stats empty, full, st;
		uint8_t key[16];
		fib_stats_get(f, &empty);
		for (unsigned round = 0; round < 3; round++) {
			for (uint32_t i = 0; i < 20000; i++) {
				key_number(key, i);
				cr_assert_eq(fib_set(f, key, i % 3 ? 32 : 80, ADJ(1 + i % 9)), 0);
			}
			fib_stats_get(f, &st);
			cr_assert_eq(st.routes, 20000);
			if (round == 0)
				full = st;
			cr_assert_eq(st.reader_bytes, full.reader_bytes,
				     "the same routes cost the same");
			for (uint32_t i = 20000; i-- > 0;) {
				key_number(key, i);
				cr_assert_eq(fib_del(f, key, i % 3 ? 32 : 80), 0);
			}
			fib_stats_get(f, &st);
			cr_assert_eq(st.routes, 0);
			cr_assert_eq(st.nodes, 0);
			cr_assert_eq(st.reader_bytes, empty.reader_bytes, "root %u",
				     all_root_bits[r]);
			cr_assert_eq(st.writer_bytes, empty.writer_bytes);
			cr_assert_eq(st.waiting_bytes, 0);
		}
		fib_destroy(f);
	}
}

static long resident_kib(void)
{
	long size, resident;
	FILE *f = fopen("/proc/self/statm", "r");

	cr_assert_not_null(f);
	cr_assert_eq(fscanf(f, "%ld %ld", &size, &resident), 2);
	fclose(f);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* A thousand customers' VRFs, each allowed to grow big. */
Test(fib, small_tables_stay_small)
{
	enum { TABLES = 1000, ROUTES = 10 };
	static struct fib *f[TABLES];
	long before = resident_kib();
	uint8_t key[16];

	for (unsigned i = 0; i < TABLES; i++) {
		f[i] = fib_create(&(struct fib_conf){ FIB_IP6, 0, 1000000 });
		cr_assert_not_null(f[i], "table %u", i);
		for (uint32_t r = 0; r < ROUTES; r++) {
			key_number(key, r * 1000003u);
			cr_assert_eq(fib_set(f[i], key, 48, ADJ(1 + i)), 0);
		}
	}
	long each = (resident_kib() - before) / TABLES;
	cr_assert_leq(each, 40, "%ld KiB per table", each);
	for (unsigned i = 0; i < TABLES; i++) {
		cr_assert_eq(fib_lookup(f[i], key), ADJ(1 + i));
		fib_destroy(f[i]);
	}
}

/* A worker that does not report keeps blocks from coming back: then sets are refused, deletes are not, and the table
 * stays right; once it reports, everything goes on, in whatever pieces the memory is by then. */
Test(fib, out_of_blocks_refuses_set_not_delete)
{
	enum { N = 256 };
	struct fib *f = fib_create(&(struct fib_conf){ FIB_IP4, 0, 2 * N });
	uint32_t want[N], got[N], addr[N];
	uint8_t key[16] = { 10 };
	unsigned n, refused_at = 0;

	cr_assert_eq(rcu_init(1), 0);
	cr_assert_eq(rcu_worker_register(0), 0);
	key[1] = 1;
	cr_assert_eq(fib_set(f, key, 32, ADJ(1)),
		     0); /* never empty: an empty table starts afresh */
	key[1] = 0;
	for (unsigned i = 0; i < N; i++) {
		key[3] = i;
		memcpy(&addr[i], key, 4);
		want[i] = 0;
	}
	for (n = 0; n < 100000 && refused_at == 0; n++) {
		unsigned i = n % N; /* all in, all out, and again */
		uint32_t result = n / N % 2 == 0 ? ADJ(1 + n) : 0;
		key[3] = i;
		int rc = result ? fib_set(f, key, 32, result) : fib_del(f, key, 32);
		if (rc == 0) {
			want[i] = result;
		} else {
			cr_assert_eq(rc, -ENOSPC);
			cr_assert_neq(result, 0, "a delete was refused");
			refused_at = n;
		}
	}
	cr_assert_gt(refused_at, N, "the first blocks are for a full table");
	fib_lookup_bulk4(f, addr, got, N);
	cr_assert_arr_eq(got, want, sizeof(got));
	for (unsigned i = 0; i < N; i += 2) {
		key[3] = i;
		cr_assert_eq(fib_del(f, key, 32), 0);
		want[i] = 0;
	}
	fib_lookup_bulk4(f, addr, got, N);
	cr_assert_arr_eq(got, want, sizeof(got));
	for (n = 0; n < 20000; n++) { /* nodes small and large from blocks of all sizes */
		unsigned i = n * 37 % N;
		int rc;
		rcu_worker_quiescent(0);
		rcu_reclaim();
		key[2] = 1 + i % 255;
		key[3] = 0;
		rc = n / N % 2 ? fib_del(f, key, 32) : fib_set(f, key, 32, ADJ(1));
		cr_assert_eq(rc, 0, "%u", n);
		key[2] = 0;
		key[3] = i;
		want[i] = want[i] ? 0 : ADJ(1 + n);
		rc = want[i] ? fib_set(f, key, 32, want[i]) : fib_del(f, key, 32);
		cr_assert_eq(rc, 0, "%u", n);
	}
	fib_lookup_bulk4(f, addr, got, N);
	cr_assert_arr_eq(got, want, sizeof(got));
	rcu_worker_unregister(0);
	fib_destroy(f);
	rcu_fini();
}

/* ---------------------------------------------------------------- the cache of answers */

/* What is wanted of the number of bits: few where nothing parts, not only right. */
Test(fib, spans_are_wide)
{
	static const struct {
		const char *prefix, *key;
		unsigned bits;
	} row[] = {
		{ "::/0", "2001:db8::1", 0 },
		{ "2001:db8::/32", "2001:db8::1", 32 },
		{ "2001:db8::/32", "2001:db9::1", 32 }, /* the last bit of the byte that parts */
		{ "2001:db8:0:1::/64", "2001:db8:0:1:2:3:4:5", 64 },
		{ "2001:db8:0:1::/64", "2001:db8:0:80::1", 57 },
		{ "2001:db8:0:1::1/128", "2001:db8:0:1::1", 128 },
	};

	cr_assert_eq(rcu_init(1), 0);
	for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct fib *f = fib_create(&(struct fib_conf){ FIB_IP6, 0, 10 });
		uint8_t prefix[16], key[16], plen;
		unsigned bits;

		text_key(row[i].prefix, prefix, &plen);
		cr_assert_eq(fib_set(f, prefix, plen, ADJ(1)), 0);
		text_key(row[i].key, key, &plen);
		fib_lookup_span(f, key, &bits);
		cr_expect_eq(bits, row[i].bits, "%s in %s: %u", row[i].key, row[i].prefix, bits);
		fib_destroy(f);
	}
	rcu_fini();
}

Test(fib, kinds_of_questions_rest_apart)
{
	enum { N = 200 };
	static uint8_t key[N][16];
	const uint8_t *at[N];
	uint32_t got[N];
	unsigned rest;

	cr_assert_eq(rcu_init(1), 0);
	struct fib *f = fib_create(&(struct fib_conf){ FIB_IP6, 24, 10 });
	struct fib_cache *c = fib_cache_create();
	cr_assert(f != NULL && c != NULL);
	for (unsigned i = 0; i < N; i++) {
		key[i][0] = 0x20 + i % 2;
		key[i][15] = (uint8_t)i;
		at[i] = key[i];
	}
	cr_assert_eq(fib_set(f, (const uint8_t[16]){ 0x20 }, 8, ADJ(1)), 0);
	cr_assert_eq(fib_set(f, (const uint8_t[16]){ 0x21 }, 8, ADJ(2)), 0);
	fib_cache_lookup6p(c, f, at, got, N);
	for (unsigned i = 0; i < N; i++)
		cr_assert_eq(got[i], ADJ(1 + i % 2), "%u", i);
	rest = c->rest;
	cr_assert_gt(rest, 0, "all were new");
	fib_cache_turn(c);
	cr_assert_eq(c->rest, 0, "nothing of the other kind was asked");
	fib_cache_lookup6p(c, f, at + N - 8, got, 8);
	cr_assert_eq(fib_cache_probe6(c, fib_state(f), key[N - 1]), ADJ(2), "it was kept");
	fib_cache_turn(c);
	cr_assert_eq(c->rest, rest);
	cr_assert_eq(fib_set(f, (const uint8_t[16]){ 0x21 }, 8, ADJ(3)), 0);
	cr_assert_eq(fib_cache_probe6(c, fib_state(f), key[N - 1]), 0, "it is outdated");
	fib_cache_destroy(c);
	fib_destroy(f);
	rcu_fini();
}

/* Once in 2^31 updates the lower part of all states begins anew, and no cache may take an old answer for a new one. */
Test(fib, states_begin_anew)
{
	static const uint8_t key[16] = { 0x20, 1 };
	const uint8_t *at[1] = { key };
	uint64_t first;
	uint32_t got;

	cr_assert_eq(rcu_init(1), 0);
	fib_states_go_on((1u << FIB_STATE_LOW) - 4);
	struct fib *a = fib_create(&(struct fib_conf){ FIB_IP6, 0, 10 }),
		   *b = fib_create(&(struct fib_conf){ FIB_IP6, 0, 10 });
	struct fib_cache *c = fib_cache_create();
	cr_assert_eq(fib_set(a, key, 16, ADJ(1)), 0);
	first = fib_state(a);
	cr_assert_eq(first >> FIB_STATE_LOW, 0);
	fib_cache_lookup6p(c, a, at, &got, 1);
	cr_assert_eq(got, ADJ(1));
	cr_assert_eq(fib_cache_probe6(c, first, key), ADJ(1), "it was kept");
	cr_assert_eq(fib_set(b, key, 16, ADJ(2)), 0);
	cr_assert_eq(fib_state(a) >> FIB_STATE_LOW, 1,
		     "a table that was not changed has another state, too");
	cr_assert_eq(fib_state(b) >> FIB_STATE_LOW, 1);
	cr_assert_neq(fib_state(a), fib_state(b));
	/* a worker that still goes by the old state */
	got = 0;
	fib_cache_enter(c, fib_state(b));
	fib_cache_rest6p(c, a, first, at, &got, 1);
	cr_assert_eq(got, ADJ(1));
	cr_assert_eq(fib_cache_find(c, 0x0120, fib_cache_tag(first)), 0,
		     "nothing is kept under it");
	fib_states_go_on((1ull << FIB_STATE_LOW) + first - 1);
	cr_assert_eq(fib_set(a, key, 16, ADJ(3)), 0);
	cr_assert_eq(fib_cache_tag(fib_state(a)), fib_cache_tag(first),
		     "the lower part of long ago");
	fib_cache_lookup6p(c, a, at, &got, 1);
	cr_assert_eq(got, ADJ(3));
	fib_cache_destroy(c);
	fib_destroy(a);
	fib_destroy(b);
	rcu_fini();
}

/* Numbers of subnets are used up one day, too. */
Test(fib, subnets_begin_anew)
{
	static const uint8_t key[2][16] = { { 0x20, 1, [15] = 1 }, { 0x20, 2, [15] = 1 } };
	const uint8_t *at[2] = { key[0], key[1] };
	uint32_t got[2];

	cr_assert_eq(rcu_init(1), 0);
	struct fib *f = fib_create(&(struct fib_conf){ FIB_IP6, 0, 10 });
	struct fib_cache *c = fib_cache_create();
	for (unsigned i = 0; i < 2; i++)
		cr_assert_eq(fib_set(f, key[i], 128, ADJ(1 + i)), 0);
	for (unsigned round = 0; round < 3; round++) {
		fib_cache_lookup6p(c, f, &at[round % 2], got, 1);
		cr_assert_eq(got[0], ADJ(1 + round % 2));
		if (round == 1)
			c->subnets = FIB_CACHE_SUBNETS + 1, c->subnet[0].state = fib_state(f);
	}
	cr_assert_eq(c->subnets, 1, "numbers begin anew");
	cr_assert_eq(c->subnet[0].state, 0, "nobody goes by an old one");
	cr_assert_eq(fib_cache_probe6(c, fib_state(f), key[0]), ADJ(1));
	cr_assert_eq(fib_cache_probe6(c, fib_state(f), key[1]), 0,
		     "what had a number is forgotten");
	c->subnets = HD_RESULT_INDEX_MAX;
	got[0] = 0;
	fib_cache_rest6p(c, f, fib_state(f), &at[1], got, 1);
	cr_assert_eq(got[0], ADJ(2));
	cr_assert_eq(fib_cache_probe6(c, fib_state(f), key[1]), 0, "there was none left");
	fib_cache_destroy(c);
	fib_destroy(f);
	rcu_fini();
}
