/* SPDX-License-Identifier: BSD-3-Clause
 * `explain` over SRv6: endpoints, errors and policies come true as they were told, and SID, policy and segment list are
 * named. */
#include "pipelines/srv6/tests/lab.h"

#include "pipelines/srv6/tests/rows.h"
#include "tests/explain_check.h"

TestSuite(srv6_explain, .init = lab_start, .fini = lab_stop);

static const struct hd_api_explain_entry *entry(const struct xp *x, uint16_t kind)
{
	for (unsigned i = 0; i < x->n_steps; i++)
		for (unsigned k = 0; k < x->step[i].n_entries; k++)
			if (x->step[i].entry[k].kind == kind)
				return &x->step[i].entry[k];
	return NULL;
}

/* An IP packet in a frame to interface 1. */
static const struct xp *check(const char *why, const struct pktb *b)
{
	uint8_t frame[14 + PKTB_CAP] = { 2, 0, 0, 0, 0, 1, 2, 0xaa, 0, 0, 0, 1 };

	wire_put16(frame + 12, b->buf[0] >> 4 == 6 ? 0x86dd : 0x0800);
	memcpy(frame + 14, b->buf, b->len);
	return xp_check(why, 1, frame, 14 + b->len, true);
}

/* Every stimulus of the conformance table. */
Test(srv6_explain, endpoints_come_true)
{
	xp_no_rate_limit();
	for (size_t i = 0; i < N_ENDPOINT_ROWS; i++) {
		struct pktb b;
		const struct xp *x;

		packet_make(&b, endpoint_rows[i].in, endpoint_rows[i].set);
		x = check(endpoint_rows[i].id, &b);
		if (lab_sid_id(b.buf) != 0 && entry(x, HD_EXPLAIN_SID) != NULL)
			cr_assert_eq(entry(x, HD_EXPLAIN_SID)->id, lab_sid_id(b.buf), "%s",
				     endpoint_rows[i].id);
	}
}

Test(srv6_explain, policies_come_true)
{
	static const char *const seg[] = { "2001:db8:c::51", "2001:db8:c::52" };
	struct hd_api_srv6_conf c = { .flow_seed = 1 };
	struct hd_api_srv6_policy p = { .policy_id = 1,
					.encap = HD_SRV6_H_ENCAPS_RED,
					.n_lists = 2,
					.list = { { 1, 1 }, { 2, 1 } } };
	struct ip6_addr src = pktb_addr6("2001:db8:a::1");
	bool seen[3] = { false };

	memcpy(c.encap_source, &src, 16);
	cr_assert_eq(hx_set(HD_API_SRV6_CONF, &c, sizeof(c)), 0, "%s", hx_error());
	for (uint32_t id = 1; id <= 2; id++) {
		struct hd_api_srv6_seglist l = { .seglist_id = id, .n_segs = 2 };

		for (unsigned k = 0; k < 2; k++) {
			struct ip6_addr a = pktb_addr6(seg[k ^ (id - 1)]);
			memcpy(l.seg[k], &a, 16);
		}
		cr_assert_eq(hx_set(HD_API_SRV6_SEGLIST, &l, 8 + 32), 0, "%s", hx_error());
	}
	cr_assert_eq(hx_set(HD_API_SRV6_POLICY, &p, 64 + 16), 0, "%s", hx_error());
	hx_route(0, "10.0.3.0/24", HD_TARGET_POLICY, 1);
	for (unsigned port = 1; port <= 32; port++) {
		const struct hd_api_explain_entry *e;
		char text[80];
		struct pktb b;
		const struct xp *x;

		snprintf(text, sizeof(text), "ip4 10.0.1.1 10.0.3.9 64 / udp %u 2", port);
		pktb_parse(&b, text);
		x = check(text, &b);
		e = entry(x, HD_EXPLAIN_POLICY);
		cr_assert(e != NULL && e->id == 1);
		e = entry(x, HD_EXPLAIN_SEGLIST);
		cr_assert(e != NULL && e->id >= 1 && e->id <= 2);
		seen[e->id] = true;
	}
	cr_assert(seen[1] && seen[2], "both lists are used by 32 flows");
}
