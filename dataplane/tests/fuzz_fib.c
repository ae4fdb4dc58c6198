/* SPDX-License-Identifier: BSD-3-Clause */
/* The forwarding table holds what a naive one holds, after any sequence of updates.
 * Input: a byte that chooses the table, then 4 bytes per update: what to do, prefix length, and which byte of the key,
 * which stays from one update to the next, gets which value. */
#include "tests/fuzz/fuzz.h"

#include "dataplane/result.h"
#include "dataplane/tables/fib.h"
#include "fib_model.h"

static void check(const struct fib *f, const struct model *m, const uint8_t key[16])
{
	uint32_t want = model_lookup(m, key), bulk;
	unsigned bits;

	if (m->family == FIB_IP4)
		fib_lookup_bulk4p(f, &key, &bulk, 1);
	else
		fib_lookup_bulk6p(f, &key, &bulk, 1);
	fuzz_assert(bulk == want);
	fuzz_assert(fib_lookup(f, key) == want);
	fuzz_assert(fib_lookup_span(f, key, &bits) == want && bits <= m->bits);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t root_bits[] = { 0, 0, 16, 24 };
	static struct model m;
	uint8_t key[16] = { 0 }, cut[16];
	struct fib_stats st;

	if (size < 1)
		return 0;
	m.family = data[0] & 1 ? FIB_IP6 : FIB_IP4;
	m.bits = data[0] & 1 ? 128 : 32;
	m.n = 0;
	struct fib *f =
		fib_create(&(struct fib_conf){ m.family, root_bits[data[0] >> 1 & 3], MODEL_MAX });
	fuzz_assert(f != NULL);
	for (const uint8_t *d = data + 1; d + 4 <= data + size && m.n < MODEL_MAX; d += 4) {
		uint8_t plen = d[1] % (m.bits + 1);
		uint32_t result = d[0] & 3 ? HD_RESULT(HD_RESULT_ADJ, d[0]) : HD_RESULT_NONE;
		key[d[2] % (m.bits / 8)] = d[3];
		memcpy(cut, key, 16);
		key_cut(cut, plen);
		int i = model_find(&m, cut, plen);
		if (result == HD_RESULT_NONE) {
			fuzz_assert(fib_del(f, key, plen) == 0);
			if (i >= 0)
				m.route[i] = m.route[--m.n];
		} else {
			fuzz_assert(fib_set(f, key, plen, result) == 0);
			if (i < 0)
				i = m.n++;
			memcpy(m.route[i].key, cut, 16);
			m.route[i].plen = plen;
			m.route[i].value = bits_of(cut);
			m.route[i].mask = mask_of(plen);
			m.route[i].result = result;
		}
		fuzz_assert(fib_get_exact(f, key, plen) == result);
		check(f, &m, cut);
		for (unsigned b = 0; b < m.bits; b += 7) {
			memcpy(cut, key, 16);
			cut[b / 8] ^= 0x80u >> (b % 8);
			check(f, &m, cut);
		}
	}
	while (m.n > 0) {
		m.n--;
		fuzz_assert(fib_del(f, m.route[m.n].key, m.route[m.n].plen) == 0);
	}
	fib_stats_get(f, &st);
	fuzz_assert(st.routes == 0 && st.nodes == 0 && fib_lookup(f, key) == 0);
	fib_destroy(f);
	return 0;
}
