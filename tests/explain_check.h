/* SPDX-License-Identifier: BSD-3-Clause
 * `explain` against what really happens: a packet is explained, which must change nothing, and then sent through the
 * graph; verdicts and frames must be those that were foretold.  For tests over tests/harness.h. */
#ifndef TESTS_EXPLAIN_CHECK_H
#define TESTS_EXPLAIN_CHECK_H

#include <criterion/criterion.h>
#include <string.h>

#include "dataplane/debug_api.h"
#include "dataplane/node.h"
#include "dataplane/stats.h"
#include "dataplane/worker.h"
#include "heddle/api/debug.h"
#include "tests/harness.h"
#include "tests/pktb.h"

#define XP_MAX 64u

struct xp_end {
	struct hd_api_explain_end e;
	uint8_t packet[10240];
};
struct xp {
	unsigned n_steps, n_ends;
	struct hd_api_explain_step step[XP_MAX];
	struct xp_end end[XP_MAX];
	struct hd_api_reply reply;
};

static inline void xp_take(void *arg, uint16_t type, const void *body, size_t size)
{
	struct xp *x = arg;

	if (type == HD_API_EXPLAIN_STEP) {
		cr_assert_lt(x->n_steps, XP_MAX);
		cr_assert_eq(size, sizeof(x->step[0]));
		memcpy(&x->step[x->n_steps++], body, size);
	} else {
		cr_assert_eq(type, HD_API_EXPLAIN_END);
		cr_assert_lt(x->n_ends, XP_MAX);
		cr_assert_leq(size, sizeof(x->end[0]));
		memcpy(&x->end[x->n_ends++], body, size);
	}
}

static inline int xp_explain(struct xp *x, uint32_t iface, uint32_t flags, const void *packet,
			     size_t len)
{
	static uint8_t body[sizeof(struct hd_api_explain) + 12000];
	struct hd_api_explain req = { .iface_id = iface, .flags = flags };

	memset(x, 0, sizeof(*x));
	memcpy(body, &req, sizeof(req));
	memcpy(body + sizeof(req), packet, len);
	return debug_request(HD_API_EXPLAIN, body, sizeof(req) + len, -1, xp_take, x, &x->reply);
}

/* Sum of all cells that readers see: any count anywhere changes it. */
static inline uint64_t xp_stats_sum(void)
{
	const struct hd_stats_hdr *h = stats_hdr();
	uint64_t sum = 0;

	for (uint32_t i = 0; i < h->n_vecs; i++) {
		const struct hd_stats_vec *v = &hd_stats_vecs(h)[i];

		for (uint32_t r = 0; r < v->n_rows && r < 4096; r++)
			for (uint32_t c = 0; c < v->n_cols; c++)
				sum += hd_stats_sum(h, v, r, c) * (1 + i * 7 + c);
	}
	return sum;
}

static inline uint64_t xp_verdict(const struct node_desc *d, unsigned v)
{
	return hd_stats_sum(stats_hdr(), &hd_stats_vecs(stats_hdr())[d->vec], v, 0);
}

static inline const char *xp_text(const struct xp *x, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (unsigned i = 0; i < x->n_steps && n < size; i++)
		for (const struct node_desc *d = node_desc_first(); d != NULL; d = d->next)
			if (d->row == x->step[i].node)
				n += (size_t)snprintf(buf + n, size - n, "%u %s %s\n",
						      x->step[i].packet, d->name,
						      x->step[i].verdict < d->n_verdicts ?
							      d->verdicts[x->step[i].verdict].name :
							      "");
	return buf;
}

/* Many rows end in an ICMP error. */
static inline void xp_no_rate_limit(void)
{
	for (uint32_t r = 0; r < 32; r++) {
		struct hd_api_punt_policer p = { .reason = r, .rate_pps = 1000000, .burst = 10000 };

		hx_set(HD_API_PUNT_POLICER, &p, sizeof(p));
	}
}

static inline void xp_frames(const char *why, const struct xp *x, const char *text)
{
	uint8_t out[10240];

	for (unsigned i = 0; i < x->n_ends; i++) {
		const struct xp_end *e = &x->end[i];

		if (e->e.fate != HD_EXPLAIN_SENT)
			continue;
		size_t got = hx_tx(e->e.iface_id, out, sizeof(out));
		cr_assert_eq(got, e->e.length, "%s: %zu octets left, %u were told\n%s", why, got,
			     e->e.length, text);
		cr_assert_arr_eq(out, e->packet, got, "%s: another packet left\n%s\ntold\n%s", why,
				 pktb_hexdump(out, got), text);
	}
}

/* Explain, then send: watched, for the verdicts of every node; and as usual, by whatever way is short.
 * Interface ids are those of their ports, as in the beds.  frames: compare what leaves too (not where the slow path
 * answers with packets of its own).  Returns what was explained. */
static inline const struct xp *xp_check(const char *why, uint32_t iface, const void *frame,
					size_t len, bool frames)
{
	static struct xp x;
	static uint64_t before[64][64];
	char text[4096];
	unsigned used = hx_mbufs_in_use(), n = 0;
	uint64_t sum = xp_stats_sum();
	uint8_t out[10240];

	cr_assert_eq(xp_explain(&x, iface, 0, frame, len), 0, "%s: %s", why, x.reply.text);
	xp_text(&x, text, sizeof(text));
	cr_assert_eq(xp_stats_sum(), sum, "%s: explaining has counted", why);
	cr_assert_eq(hx_mbufs_in_use(), used, "%s: packet buffers leak", why);
	for (unsigned i = 0; i < x.n_ends; i++)
		if (x.end[i].e.fate == HD_EXPLAIN_SENT)
			cr_assert_eq(hx_tx(x.end[i].e.iface_id, out, sizeof(out)), 0,
				     "%s: explaining has sent", why);
	for (const struct node_desc *d = node_desc_first(); d != NULL; d = d->next, n++)
		for (unsigned v = 0; d->vec >= 0 && v < d->n_verdicts; v++)
			before[n][v] = xp_verdict(d, v);
	workers[0]->watch |= WATCH_TRACE;
	hx_rx(iface, frame, len);
	hx_turn();
	workers[0]->watch &= ~WATCH_TRACE;
	n = 0;
	for (const struct node_desc *d = node_desc_first(); d != NULL; d = d->next, n++) {
		for (unsigned v = 0; d->vec >= 0 && v < d->n_verdicts; v++) {
			uint64_t told = 0, real = xp_verdict(d, v) - before[n][v];

			for (unsigned i = 0; i < x.n_steps; i++)
				told += x.step[i].node == d->row && x.step[i].verdict == v;
			/* tests inject at port-rx in another way; ip4-frag also counts its fragments */
			if (strcmp(d->name, "port-rx") != 0 && strcmp(d->name, "ip4-frag") != 0)
				cr_assert_eq(told, real, "%s: %s %s: told %lu, came %lu\n%s", why,
					     d->name, d->verdicts[v].name, (unsigned long)told,
					     (unsigned long)real, text);
		}
	}
	if (frames) {
		xp_frames(why, &x, text);
		hx_rx(iface, frame, len);
		hx_turn();
		xp_frames(why, &x, text);
	}
	return &x;
}

#endif
