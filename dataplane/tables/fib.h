/* SPDX-License-Identifier: BSD-3-Clause */
/* Forwarding table: longest prefix match of an IPv4 or IPv6 address -> 32-bit result word (result.h).
 *
 * Writer: the control thread.  Readers: any worker registered with rcu.h, without locks, while the table changes.
 * A lookup gives the answer that was right at one moment between its begin and its end: never a mixture of two
 * updates, never "no entry" while a covering prefix is there.  A worker's pointer to the table itself stays good until
 * its next quiescent state, also across fib_destroy().
 *
 * Keys and prefixes are in network order; IPv4 takes 4 bytes, IPv6 16.  How it works: fib.c.
 *
 * Memory with routes like the Internet's, bytes per route for workers + in the writer: 1 M IPv4 12 + 13 (root_bits 16)
 * or 54 + 153 (24); 250 k IPv6 63 + 55; random /128 are the worst, 170 + 155.  A table
 * for few routes takes some 30 KiB.  An update takes 0.2 to 1 us, with root_bits 24 up to 0.1 ms for a /9. */
#ifndef DATAPLANE_TABLES_FIB_H
#define DATAPLANE_TABLES_FIB_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/result.h"

enum fib_family { FIB_IP4 = 4, FIB_IP6 = 6 };

/* root_bits: address bits resolved by one direct array before the trie begins.
 *    0   nothing: the smallest, a few KiB; for VRFs with up to some thousand routes
 *   16   256 KiB read by workers, up to 768 KiB in the writer; the choice for a big IPv4 table
 *   24   up to 64 MiB read by workers, up to 192 MiB in the writer, only where prefixes are; the choice for a big IPv6
 *        table, whose prefixes share few leading bits, and the fastest for IPv4 */
struct fib_conf {
	enum fib_family family;
	uint8_t root_bits;
	uint32_t max_routes; /* 1 .. 2^24; memory is taken as routes come */
};

struct fib_stats {
	uint32_t routes;
	uint32_t nodes;         /* trie nodes below the direct array */
	uint64_t reader_bytes;  /* what workers read: direct array (pages in use) and live nodes */
	uint64_t writer_bytes;  /* the writer's exact prefixes, free lists and shadow of the trie */
	uint64_t waiting_bytes; /* replaced nodes that wait for their grace period */
};

struct fib;

/* Returns an empty table, or NULL with errno EINVAL (conf) or ENOMEM. */
struct fib *fib_create(const struct fib_conf *conf);

/* Free the table after a grace period.  The caller has unlinked it.  NULL is accepted. */
void fib_destroy(struct fib *f);

/* Create or replace a route.  Bits of prefix behind plen are ignored.
 * Returns 0, -EINVAL (plen too long, result HD_RESULT_NONE or of kind HD_RESULT_INTERNAL), or -ENOSPC (max_routes, or
 * no memory); on error nothing has changed. */
int fib_set(struct fib *f, const uint8_t *prefix, uint8_t plen, uint32_t result);

/* Delete a route; the next shorter prefix takes over.  Never fails for lack of memory.
 * Returns 0, also when there is no such route, or -EINVAL (plen too long). */
int fib_del(struct fib *f, const uint8_t *prefix, uint8_t plen);

/* The result of exactly this prefix; NONE if there is no such route.  Control thread. */
uint32_t fib_get_exact(const struct fib *f, const uint8_t *prefix, uint8_t plen);

/* Call cb for each route, in no promised order; prefix is 4 or 16 bytes, bits behind plen are 0.
 * A cb that returns other than 0 ends the walk, which then returns that.  cb must not change the table. */
int fib_walk(const struct fib *f,
	     int (*cb)(const uint8_t *prefix, uint8_t plen, uint32_t result, void *arg), void *arg);

void fib_stats_get(const struct fib *f, struct fib_stats *ret);

/* Longest prefix match of one key.  Workers, and the control thread. */
uint32_t fib_lookup(const struct fib *f, const uint8_t *key);

/* The same, and how many leading bits of the key the answer depends on: every key that begins with the same *ret_bits
 * bits has this answer, as long as fib_state(), read before, stays.  Slower: to be asked once for many keys. */
uint32_t fib_lookup_span(const struct fib *f, const uint8_t *key, unsigned *ret_bits);

/* Longest prefix match of n keys, any n; much faster than one by one, since the cache misses overlap.
 * *4 for tables of family FIB_IP4, *6 for FIB_IP6.  The p variants take pointers to the addresses, which need no
 * alignment, as they lie in packets.  ret_result[i] belongs to key i.  Keys must not change during the call. */
void fib_lookup_bulk4(const struct fib *f, const uint32_t *be_addr, uint32_t *ret_result,
		      unsigned n);
void fib_lookup_bulk4p(const struct fib *f, const uint8_t *const *key, uint32_t *ret_result,
		       unsigned n);
void fib_lookup_bulk6(const struct fib *f, const uint8_t (*key)[16], uint32_t *ret_result,
		      unsigned n);
void fib_lookup_bulk6p(const struct fib *f, const uint8_t *const *key, uint32_t *ret_result,
		       unsigned n);

/* The same of IPv6, and whether the answer depends on more than the first eight octets of the key: if ret_deep[i] is 0,
 * all keys that begin with the same eight have it. */
void fib_lookup_deep6p(const struct fib *f, const uint8_t *const *key, uint32_t *ret_result,
		       uint8_t *ret_deep, unsigned n);

/* A number that no other table and no other state of this table ever had; it changes before fib_set() or fib_del()
 * returns.  Answers found after it was read hold as long as it stays: for caches of answers.  Never 0, nor is its lower
 * part; the upper one differs between tables only while it becomes another one for all of them.  Any thread. */
uint64_t fib_state(const struct fib *f);
#define FIB_STATE_LOW 31 /* bits of the lower part */
static inline uint32_t fib_state_low(uint64_t state)
{
	return (uint32_t)(state & ((1ull << FIB_STATE_LOW) - 1));
}
/* Tests: states go on behind this one. */
void fib_states_go_on(uint64_t state);

/* The direct array of an IPv4 table, by the address's first root_bits: constant as long as the table lives.  A word
 * that fib_direct_is_answer() is the answer; any other leaves the question to the functions above.  NULL: there is
 * none. */
const uint32_t *fib_direct(const struct fib *f, unsigned *ret_root_bits);
/* How many routes there are, or were a moment ago.  Any thread. */
uint32_t fib_routes(const struct fib *f);
static inline bool fib_direct_is_answer(uint32_t word)
{
	return word - 1 < HD_RESULT(HD_RESULT_INTERNAL, 0) - 1;
}

#endif /* DATAPLANE_TABLES_FIB_H */
