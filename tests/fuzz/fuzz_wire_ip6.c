/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv6: fixed header, chain, options, routing headers on the way, upper layers, the ICMPv6 error decision. */
#include "tests/fuzz/fuzz.h"

#include <heddle/wire/icmp6.h>
#include <heddle/wire/srh.h>
#include <heddle/wire/tcp.h>
#include <heddle/wire/udp.h>

/* The walk, header by header; returns its last result and compares it with what ip6_chain_parse() says. */
static void walk(const struct ip6_view *v, const struct wire_cur *payload)
{
	const uint8_t *base = (const uint8_t *)v->hdr;
	struct ip6_chain ch;
	struct ip6_walk w;
	struct ip6_ext_view e;
	int chain_rc = ip6_chain_parse(v, payload, &ch), rc;
	unsigned n = 0;

	ip6_walk_init(&w, v, payload);
	while ((rc = ip6_walk_next(&w, &e)) == 1) {
		struct wire_cur c = wire_cur_init(e.p, e.len);
		struct ip6_opts o;
		struct ip6_opt_view opt;
		struct srh_view s;
		uint16_t off = 0;

		fuzz_assert(++n <= IP6_MAX_EXT);
		fuzz_assert(e.p >= payload->p && e.p + e.len <= payload->end &&
			    e.p == base + e.off);
		fuzz_assert(base[e.nh_off] == e.type && e.p[0] == e.next_header);
		fuzz_touch(e.p, e.len);
		switch (e.type) {
		case IP_NH_ROUTING:
			if (srh_parse(&c, &s) == 0)
				fuzz_assert(s.len == e.len);
			break;
		case IP_NH_HOPOPTS:
		case IP_NH_DSTOPTS:
			ip6_opts_init(&o, &e);
			while (ip6_opts_next(&o, &opt) == 1) {
				fuzz_assert(opt.data + opt.len <= e.p + e.len &&
					    e.p[opt.off] == opt.type);
				fuzz_touch(opt.data, opt.len);
			}
			rc = ip6_opts_check(&e, NULL, &off);
			if (rc > 0)
				fuzz_assert(off >= e.off + 2 && off < e.off + e.len &&
					    base[off] >> 6 == rc);
			break;
		default:
			break;
		}
	}
	fuzz_assert(rc == chain_rc);
	fuzz_assert(w.cur.p <= payload->end && w.cur.end == payload->end);
	if (rc == 0) {
		fuzz_assert(ch.n_ext == n && ch.upper_off == w.cur.p - base &&
			    base[ch.upper_nh_off] == ch.upper);
		fuzz_assert(ch.upper_off <= 40u + v->payload_len);
		if (!ch.later_fragment && ch.upper == IP_NH_UDP) {
			struct udp_view u;

			if (udp_parse(&w.cur, &u) == 0)
				(void)udp_csum_check_ip6(&u, &v->hdr->src, &v->hdr->dst);
		} else if (!ch.later_fragment && ch.upper == IP_NH_TCP) {
			struct tcp_view t;
			uint16_t mss;

			if (tcp_parse(&w.cur, &t) == 0)
				(void)tcp_mss_find(&t, &mss);
		}
	} else if (rc == -EPROTO) {
		fuzz_assert(base[w.nh_off] == 0 && w.nh_off != IP6_OFF_NEXT_HEADER);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_cur c = wire_cur_init(data, size), q = c;
	struct icmp6_error err = { .type = ICMP6_PARAM_PROBLEM };
	struct ip6_view v;
	uint8_t buf[IP6_MIN_MTU];
	uint32_t pointer = size > 60 ? wire_get16(data + 50) : 0;
	int rc;

	if (ip6_parse_quoted(&q, &v) == 0) {
		fuzz_assert(q.p == data + 40 && wire_left(&q) == v.payload_len);
		walk(&v, &q);
		(void)icmp6_error_allowed(&v, &q, true, ICMP6_PARAM_PROBLEM, ICMP6_PP_OPTION,
					  pointer);
	}
	if (ip6_parse(&c, &v) < 0) {
		fuzz_assert(c.p == data && wire_left(&c) == size);
		return 0;
	}
	fuzz_assert(c.p == data + 40 && wire_left(&c) == v.payload_len && c.end <= data + size);
	walk(&v, &c);
	(void)icmp6_error_allowed(&v, &c, false, ICMP6_TIME_EXCEEDED, 0, 0);
	rc = icmp6_error_build(buf, sizeof(buf), &err, data, 40u + v.payload_len);
	fuzz_assert(rc >= 48 && rc <= IP6_MIN_MTU - 40);
	return 0;
}
