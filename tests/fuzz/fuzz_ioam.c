/* SPDX-License-Identifier: BSD-3-Clause */
/* IOAM options: every parser, and a node's data added to a trace.  Input: an octet (bits 0 to 3: words of an opaque
 * snapshot), then an option from its type on. */
#include "tests/fuzz/fuzz.h"

#include "pipelines/pm/ioam.h"

static void read_trace(const struct ioam_option *o)
{
	struct ioam_trace_walk w;
	struct ioam_trace t;
	const uint8_t *p;
	unsigned len, sum = 0;

	if (ioam_trace_parse(o, &t) < 0)
		return;
	w = ioam_trace_walk(&t);
	while (ioam_trace_node(&w, &p, &len) == 1) {
		struct ioam_node n = { 0 };

		fuzz_touch(p, len);
		ioam_node_decode(t.type, p, &n);
		if (n.opaque != NULL)
			fuzz_touch(n.opaque, n.opaque_len);
		fuzz_assert(n.opaque == NULL || n.opaque + n.opaque_len == p + len);
		sum += len;
	}
	fuzz_assert(t.free_words * 4u + sum <= t.data_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hd_api_ioam_ns ns = { .node_id = 1, .schema = 7 };
	struct ioam_hop hop = { .hop_limit = 9, .rx_ns = 1 };
	struct ip6_opt_view v;
	struct ioam_option o;
	struct ioam_dex dex;
	struct ioam_e2e e2e;
	uint8_t *copy;

	if (size < 3 || data[2] > size - 3)
		return 0;
	ns.opaque_len = (uint8_t)((data[0] & 15) * 4);
	v = (struct ip6_opt_view){ .data = data + 3, .type = data[1], .len = data[2] };
	if (ioam_option_parse(&v, &o) < 0)
		return 0;
	read_trace(&o);
	ioam_dex_parse(&o, &dex);
	ioam_e2e_parse(&o, &e2e);
	copy = malloc(o.len);
	memcpy(copy, o.p, o.len);
	if (ioam_trace_add(copy, o.len, &ns, &hop) == IOAM_ADDED) {
		struct ioam_option after = { .p = copy, .len = o.len };
		struct ioam_trace t;

		fuzz_assert(ioam_trace_parse(&after, &t) == 0);
		fuzz_assert(t.free_words < (wire_get16(o.p + 2) & 0x7f));
		read_trace(&after);
	} else {
		fuzz_assert(o.len < 4 || copy[3] == o.p[3]);
	}
	free(copy);
	return 0;
}
