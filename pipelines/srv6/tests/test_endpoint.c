/* SPDX-License-Identifier: BSD-3-Clause
 * The endpoint behaviors as pure functions: the conformance rows, the flavor table, every truncation. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "pipelines/srv6/csid.h"
#include "pipelines/srv6/packet.h"
#include "pipelines/srv6/tests/names.h"
#include "pipelines/srv6/tests/rows.h"

#define V_NAME(P, NAME, next, sev, help) #NAME,
static const char *const verdict_names[] = { SRV6_ENDPOINT_VERDICTS(V_NAME, P) };

/* "BAD_LIST" as users see it: "bad-list". */
static const char *verdict_text(unsigned v)
{
	static char text[32];
	size_t i;

	for (i = 0; verdict_names[v][i] != '\0'; i++)
		text[i] = verdict_names[v][i] == '_' ?
				  '-' :
				  (char)tolower((unsigned char)verdict_names[v][i]);
	text[i] = '\0';
	return text;
}

static struct srv6_sid sid_make(const struct sid_name *n)
{
	const struct hd_srv6_behavior_info *b = hd_srv6_behavior_info(n->behavior);
	struct srv6_sid s = {
		.base = srv6_behavior_find(n->behavior),
		.vrf4 = (b->args & HD_SRV6_ARG_TABLE4) != 0 ? n->table4 : SRV6_VRF_INGRESS,
		.vrf6 = (b->args & (HD_SRV6_ARG_TABLE6 | HD_SRV6_ARG_TABLE)) != 0 ?
				n->table6 :
				SRV6_VRF_INGRESS,
		.behavior = n->behavior,
		.flavors = n->flavors,
		.upper_allow = HD_SRV6_UPPER_ICMP6,
	};

	struct srv6_sid_structure t = { n->lb, n->ln, n->fn, 0 };

	cr_assert_not_null(s.base);
	cr_assert_null(srv6_csid_check(n->behavior, n->flavors, n->plen, &t));
	srv6_csid_init(&s, &t);
	return s;
}

static struct srv6_sid sid_of(const uint8_t *ip)
{
	const struct sid_name *n = sid_name_of(ip);

	cr_assert_not_null(n, "the destination is no SID");
	return sid_make(n);
}

/* What the node does with a plan, without a graph: returns the octets cut off in front. */
static uint32_t commit(struct srv6_pkt *p, enum srv6_endpoint_verdict v)
{
	uint32_t cut;

	if (v == SRV6_EP_FORWARD || (v == SRV6_EP_CROSS_CONNECT && p->next_dst != NULL))
		return srv6_commit_advance(p);
	if (v != SRV6_EP_DECAP4 && v != SRV6_EP_DECAP6 && v != SRV6_EP_CROSS_CONNECT)
		return 0;
	cut = srv6_commit_decap(p);
	if (p->upper == IP_NH_IP6)
		p->ip[cut + IP6_OFF_HOP_LIMIT]--;
	else
		ip4_ttl_decrement((struct ip4_hdr *)(p->ip + cut));
	return cut;
}

ParameterizedTestParameters(srv6_endpoint, rows)
{
	return cr_make_param_array(struct row, endpoint_rows, N_ENDPOINT_ROWS);
}

ParameterizedTest(struct row *r, srv6_endpoint, rows)
{
	struct pktb in, want;
	uint8_t received[PKTB_CAP];
	struct srv6_sid s;
	struct srv6_pkt p = { 0 };
	enum srv6_endpoint_verdict v;
	uint32_t cut;

	packet_make(&in, r->in, r->set);
	memcpy(received, in.buf, in.len);
	s = sid_of(in.buf);
	p.ip = in.buf;
	p.head = p.len = (uint32_t)in.len;
	v = s.plan(&s, &p);
	if (r->want == WANT_ENCAP) { /* the policy is the node's business */
		cr_assert(v == SRV6_EP_CROSS_CONNECT && p.next_dst != NULL, "%s", r->id);
		return;
	}
	cr_assert_str_eq(verdict_text(v), r->verdict, "%s %s: %s, not %s\n%s", r->id, r->why,
			 verdict_text(v), r->verdict, pktb_dump(&in));
	cr_assert_arr_eq(in.buf, received, in.len, "%s: planning wrote to the packet", r->id);
	if (r->want == WANT_ICMP) {
		cr_assert_eq(p.icmp_type, r->type, "%s: type %u", r->id, p.icmp_type);
		cr_assert_eq(p.icmp_code, r->code, "%s: code %u", r->id, p.icmp_code);
		cr_assert_eq(p.icmp_data, r->data, "%s: pointer %u", r->id, p.icmp_data);
	}
	cut = commit(&p, v);
	if (r->want != WANT_OUT)
		return;
	packet_make(&want, r->out, r->out_set);
	cr_assert_eq(p.len - cut, want.len, "%s %s: %u octets, not %zu", r->id, r->why, p.len - cut,
		     want.len);
	cr_assert_arr_eq(in.buf + cut, want.buf, want.len, "%s %s\nhave%s\nwant%s", r->id, r->why,
			 pktb_hexdump(in.buf + cut, want.len), pktb_dump(&want));
}

/* 4.16: what each combination of flavors does at each arrival.  Typed from the table of the sections, one letter per
 * combination in the order none PSP USP USD PSP+USP PSP+USD USP+USD all:
 * k advance and keep the SRH, p advance and pop it, d decapsulate, 4 code 4, l deliver */
struct arrival {
	char what[24], in[96], want[12];
};

ParameterizedTestParameters(srv6_endpoint, flavors)
{
	static struct arrival rows[] = {
		{ "SL >= 2", "ip6 $T $E 64 / srh $R,$Q,$E 2 / " IN6, "kkkkkkkk" },
		{ "SL == 1", "ip6 $T $E 64 / srh $R,$E 1 / " IN6, "kpkkppkp" },
		{ "SL == 0, IPv6", "ip6 $T $E 64 / srh $E 0 / " IN6, "444d4ddd" },
		{ "SL == 0, IPv4", "ip6 $T $E 64 / srh $E 0 / " IN4, "444d4ddd" },
		{ "SL == 0, echo", "ip6 $T $E 64 / srh $E 0 / " ECHO, "llllllll" },
		{ "no SRH, IPv6", "ip6 $T $E 64 / " IN6, "444d4ddd" },
		{ "no SRH, IPv4", "ip6 $T $E 64 / " IN4, "444d4ddd" },
	};

	return cr_make_param_array(struct arrival, rows, sizeof(rows) / sizeof(rows[0]));
}

static char outcome(const struct srv6_sid *s, const struct pktb *in)
{
	struct pktb b = *in;
	struct srv6_pkt p = { .ip = b.buf, .head = (uint32_t)b.len, .len = (uint32_t)b.len };
	enum srv6_endpoint_verdict v = s->plan(s, &p);

	if (v == SRV6_EP_FORWARD || (v == SRV6_EP_CROSS_CONNECT && p.next_dst != NULL))
		return p.pop ? 'p' : 'k';
	if (v == SRV6_EP_DECAP4 || v == SRV6_EP_DECAP6 || v == SRV6_EP_CROSS_CONNECT)
		return 'd';
	if (v == SRV6_EP_UPPER_REFUSED)
		return '4';
	return v == SRV6_EP_LOCAL ? 'l' : '?';
}

ParameterizedTest(struct arrival *a, srv6_endpoint, flavors)
{
	static const uint16_t flavors[] = { 0,
					    F_PSP,
					    F_USP,
					    F_USD,
					    F_PSP | F_USP,
					    F_PSP | F_USD,
					    F_USP | F_USD,
					    F_PSP | F_USP | F_USD };
	static const uint16_t behaviors[] = { HD_SRV6_END, HD_SRV6_END_X, HD_SRV6_END_T };
	struct pktb in;

	packet_make(&in, a->in, "");
	for (size_t b = 0; b < 3; b++) {
		for (size_t f = 0; f < 8; f++) {
			struct sid_name n = { .behavior = behaviors[b], .flavors = flavors[f] };
			struct srv6_sid s = sid_make(&n);
			char got = outcome(&s, &in);

			cr_assert_eq(got, a->want[f], "%s at %s, flavors 0x%x: %c, not %c", a->what,
				     hd_srv6_behavior_name(behaviors[b]), flavors[f], got,
				     a->want[f]);
		}
	}
}

/* Every prefix of every row, in a buffer of exactly that size: never a read behind the end, and a packet whose header
 * promises more than there is goes nowhere. */
ParameterizedTestParameters(srv6_endpoint, truncated)
{
	return cr_make_param_array(struct row, endpoint_rows, N_ENDPOINT_ROWS);
}

ParameterizedTest(struct row *r, srv6_endpoint, truncated)
{
	struct pktb in;
	struct srv6_sid s;

	packet_make(&in, r->in, r->set);
	s = sid_of(in.buf);
	for (size_t n = 0; n < in.len; n++) {
		uint8_t *exact = malloc(n);
		struct srv6_pkt p = { .ip = exact, .head = (uint32_t)n, .len = (uint32_t)n };

		memcpy(exact, in.buf, n);
		cr_assert_eq(s.plan(&s, &p), SRV6_EP_TRUNCATED, "%s cut to %zu octets", r->id, n);
		/* the same with an honest payload length: any verdict, but inside the buffer */
		if (n >= 40) {
			wire_put16(exact + 4, (uint16_t)(n - 40));
			p = (struct srv6_pkt){ .ip = exact,
					       .head = (uint32_t)n,
					       .len = (uint32_t)n };
			cr_assert(commit(&p, s.plan(&s, &p)) <= n);
		}
		free(exact);
	}
}

/* The same with the packet in several buffers: only `head` octets may be touched. */
ParameterizedTestParameters(srv6_endpoint, scattered)
{
	return cr_make_param_array(struct row, endpoint_rows, N_ENDPOINT_ROWS);
}

ParameterizedTest(struct row *r, srv6_endpoint, scattered)
{
	struct pktb in;
	struct srv6_sid s;

	packet_make(&in, r->in, r->set);
	s = sid_of(in.buf);
	for (size_t n = 0; n < in.len; n++) {
		uint8_t *exact = malloc(n);
		struct srv6_pkt p = { .ip = exact, .head = (uint32_t)n, .len = (uint32_t)in.len };

		memcpy(exact, in.buf, n);
		commit(&p, s.plan(&s, &p));
		free(exact);
	}
}

Test(srv6_endpoint, carries_what_it_says)
{
	char text[256];

	srv6_behaviors_str(text, sizeof(text));
	cr_assert_str_eq(text, "end end.x end.t end.dx6 end.dx4 end.dt6 end.dt4 end.dt46 "
			       "end.dx2 end.dx2v end.dt2u end.dt2m "
			       "end.b6.encaps end.b6.encaps.red end.as end.ad end.am");
	cr_assert_null(srv6_behavior_find(HD_SRV6_END_BM));
	cr_assert_null(srv6_behavior_find(0));
	srv6_behaviors_str(text, 8);
	cr_assert(strlen(text) < 8);
}

Test(srv6_endpoint, chain_of_nine_headers)
{
	struct pktb b;
	char text[512] = "ip6 2001:db8:a::1 2001:db8:b::100 64";
	struct srv6_sid s = sid_make(&sid_names[0]);

	for (int i = 0; i < 9; i++)
		strcat(text, " / dstopt 010400000000");
	strcat(text, " / udp / fill 16");
	pktb_parse(&b, text);
	struct srv6_pkt p = { .ip = b.buf, .head = (uint32_t)b.len, .len = (uint32_t)b.len };
	cr_assert_eq(s.plan(&s, &p), SRV6_EP_CHAIN_TOO_LONG);
}

/* STAMP is UDP 862 and nothing else; UDP allows any port. */
Test(srv6_endpoint, upper_layers)
{
	static const struct {
		const char *in;
		uint32_t allow;
		bool ok;
	} rows[] = {
		{ "ip6 $T $E 64 / udp 1000 862 / fill 44", HD_SRV6_UPPER_STAMP, true },
		{ "ip6 $T $E 64 / udp 862 1000 / fill 44", HD_SRV6_UPPER_STAMP, false },
		{ "ip6 $T $E 64 / udp 1000 53 / fill 4", HD_SRV6_UPPER_UDP, true },
		{ "ip6 $T $E 64 / tcp", HD_SRV6_UPPER_TCP, true },
		{ "ip6 $T $E 64 / tcp", HD_SRV6_UPPER_UDP | HD_SRV6_UPPER_ICMP6, false },
		{ "ip6 $T $E 64 / srh $E 0 / icmp6 128", HD_SRV6_UPPER_ICMP6, true },
		{ "ip6 $T $E 64 / next 50 / fill 32", HD_SRV6_UPPER_ICMP6, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct srv6_sid s = sid_make(&sid_names[0]);
		struct pktb b;

		packet_make(&b, rows[i].in, "");
		s.upper_allow = rows[i].allow;
		struct srv6_pkt p = { .ip = b.buf,
				      .head = (uint32_t)b.len,
				      .len = (uint32_t)b.len };
		cr_assert_eq(s.plan(&s, &p), rows[i].ok ? SRV6_EP_LOCAL : SRV6_EP_UPPER_REFUSED,
			     "%s", rows[i].in);
	}
}
