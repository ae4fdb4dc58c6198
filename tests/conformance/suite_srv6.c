/* SPDX-License-Identifier: BSD-3-Clause
 * The SRv6 suite: rows of pipelines/srv6/tests/rows.h and rows_more.h, the node of lab.h with some policies, and what
 * is known about other targets (srv6_targets.def). */
#include "tests/conformance/srv6_node.h"

#include "pipelines/srv6/tests/rows.h"
#include "pipelines/srv6/tests/rows_more.h"

/* ---- the node ------------------------------------------------------------------------------------------------- */

static const struct policy_def {
	const char *name, *encap; /* as configured */
	uint8_t form;
	uint32_t id;
	const char *list[2]; /* names, with commas */
	uint32_t weight[2];
	const char *prefix[2];
} policies[] = {
	{ "full",
	  "h-encaps",
	  HD_SRV6_H_ENCAPS,
	  101,
	  { "S1,S2,S3" },
	  { 1 },
	  { "2001:db8:d1::/64", "10.0.101.0/24" } },
	{ "red",
	  "h-encaps-red",
	  HD_SRV6_H_ENCAPS_RED,
	  102,
	  { "S1,S2,S3" },
	  { 1 },
	  { "2001:db8:d2::/64", "10.0.102.0/24" } },
	{ "one", "h-encaps-red", HD_SRV6_H_ENCAPS_RED, 103, { "S1" }, { 1 }, { "2001:db8:d3::/64" } },
	{ "shares",
	  "h-encaps",
	  HD_SRV6_H_ENCAPS,
	  104,
	  { "S1", "S2" },
	  { 3, 1 },
	  { "2001:db8:d4::/64" } },
	{ "invalid", "h-encaps", HD_SRV6_H_ENCAPS, 105, { NULL }, { 0 }, { "2001:db8:d5::/64" } },
	{ "narrow",
	  "h-encaps",
	  HD_SRV6_H_ENCAPS,
	  106,
	  { "C14,S1,S2,S3,Q" },
	  { 1 },
	  { "2001:db8:d6::/64" } },
};
#define N_POLICIES (sizeof(policies) / sizeof(policies[0]))

/* SIDs that allow something else than the others. */
static const struct {
	struct sid_name sid;
	uint32_t upper;
	const char *words;
} more_sids[] = {
	{ { .name = "tcp", .addr = "2001:db8:b::1a0", .behavior = HD_SRV6_END, .plen = 128 },
	  HD_SRV6_UPPER_TCP,
	  "tcp" },
	{ { .name = "udp", .addr = "2001:db8:b::1a1", .behavior = HD_SRV6_END, .plen = 128 },
	  HD_SRV6_UPPER_UDP,
	  "udp" },
};
#define N_MORE_SIDS (sizeof(more_sids) / sizeof(more_sids[0]))

/* Keys, and SIDs that require an HMAC of one of them. */
static const struct {
	uint32_t id;
	const char *secret;
} keys[] = { { 42, "a secret of the suite" }, { 43, "another secret" } };
#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

static const struct sid_name hmac_sids[] = {
	{ .name = "hmac", .addr = "2001:db8:b::110", .behavior = HD_SRV6_END, .plen = 128 },
	{ .name = "hmac-dt6",
	  .addr = "2001:db8:b::111",
	  .behavior = HD_SRV6_END_DT6,
	  .table6 = 10,
	  .plen = 128 },
};
#define N_HMAC_SIDS (sizeof(hmac_sids) / sizeof(hmac_sids[0]))

static const char *segment_addr(const char *name, size_t len)
{
	return len == 3 && memcmp(name, "C14", 3) == 0 ? "2001:db8:c:14::1" : name_addr(name, len);
}

void must(int rc, const char *what)
{
	if (rc < 0) {
		fprintf(stderr, "heddle-conformance: %s: %s\n", what, hx_error());
		exit(1);
	}
}

static void policy_start(const struct policy_def *d)
{
	struct hd_api_srv6_policy p = { .policy_id = d->id, .encap = d->form };

	snprintf(p.name, sizeof(p.name), "%s", d->name);
	for (uint32_t k = 0; k < 2 && d->list[k] != NULL; k++) {
		struct hd_api_srv6_seglist l = { .seglist_id = d->id * 2 + k };

		for (const char *s = d->list[k]; *s != '\0'; s += *s == ',') {
			size_t n = strcspn(s, ",");
			struct ip6_addr a = pktb_addr6(segment_addr(s, n));

			memcpy(l.seg[l.n_segs++], &a, 16);
			s += n;
		}
		must(hx_set(HD_API_SRV6_SEGLIST, &l, 8 + 16 * l.n_segs), d->name);
		p.list[p.n_lists++] =
			(struct hd_api_srv6_policy_list){ l.seglist_id, d->weight[k] };
	}
	must(hx_set(HD_API_SRV6_POLICY, &p, sizeof(p)), d->name);
	for (uint32_t k = 0; k < 2 && d->prefix[k] != NULL; k++)
		hx_route(0, d->prefix[k], HD_TARGET_POLICY, d->id);
}

static void hmac_start(void)
{
	for (size_t i = 0; i < N_KEYS; i++) {
		struct hd_api_srv6_hmac_key k = { .key_id = keys[i].id,
						  .secret_len = (uint8_t)strlen(keys[i].secret) };

		memcpy(k.secret, keys[i].secret, k.secret_len);
		must(hx_set(HD_API_SRV6_HMAC_KEY, &k, sizeof(k)), "HMAC key");
	}
	for (uint32_t i = 0; i < N_HMAC_SIDS; i++) {
		const struct sid_name *n = &hmac_sids[i];
		struct hd_api_srv6_sid s = { .plen = n->plen,
					     .sid_id = 210 + i,
					     .behavior = n->behavior,
					     .table6 = n->table6,
					     .upper_allow = HD_SRV6_UPPER_ICMP6,
					     .hmac = HD_SRV6_HMAC_REQUIRE };
		struct ip6_addr a = pktb_addr6(n->addr);

		memcpy(s.sid, &a, 16);
		must(hx_set(HD_API_SRV6_SID, &s, sizeof(s)), n->name);
	}
}

static void start(void)
{
	struct hd_api_srv6_conf c = { .flow_seed = 1 };
	struct ip6_addr a = pktb_addr6(name_addr("T", 1));

	lab_start();
	memcpy(c.encap_source, &a, 16);
	must(hx_set(HD_API_SRV6_CONF, &c, sizeof(c)), "srv6");
	for (size_t i = 0; i < N_POLICIES; i++)
		policy_start(&policies[i]);
	hx_route(0, "2001:db8:b::/48", HD_TARGET_UNREACHABLE, 0);
	for (uint32_t i = 0; i < N_MORE_SIDS; i++)
		lab_sid(200 + i, &more_sids[i].sid, more_sids[i].upper);
	hmac_start();
	services_start();
}

/* ---- rows ------------------------------------------------------------------------------------------------------ */

/* A row of more_rows that is not carried gives way to one of rows.h with its number. */
static bool superseded(const struct more_row *m)
{
	for (size_t i = 0; m->want == MORE_LATER && i < N_ENDPOINT_ROWS; i++)
		if (strncmp(endpoint_rows[i].id, m->id, 5) == 0)
			return true;
	return false;
}

static const struct more_row *more_of(uint32_t i)
{
	for (size_t k = 0; k < N_MORE_ROWS; k++)
		if (!superseded(&more_rows[k]) && i-- == 0)
			return &more_rows[k];
	return NULL;
}

static uint32_t n_rows(void)
{
	static uint32_t n;

	if (n == 0) {
		n = N_ENDPOINT_ROWS + N_STEPS_ROWS;
		while (more_of(n - N_ENDPOINT_ROWS - N_STEPS_ROWS) != NULL)
			n++;
	}
	return n;
}

static const struct row *endpoint_of(uint32_t i)
{
	return i < N_ENDPOINT_ROWS ? &endpoint_rows[i] : NULL;
}

static const struct steps_row *steps_of(uint32_t i)
{
	i -= N_ENDPOINT_ROWS;
	return i < N_STEPS_ROWS ? &steps_rows[i] : NULL;
}

/* Neither of both. */
static const struct more_row *other_of(uint32_t i)
{
	return i < N_ENDPOINT_ROWS + N_STEPS_ROWS ? NULL :
						    more_of(i - N_ENDPOINT_ROWS - N_STEPS_ROWS);
}

/* "what happens (8986 4.1 S05)": title, and "RFC 8986 section 4.1 S05". */
static void title_split(const char *why, struct conf_row *ret)
{
	const char *open = strrchr(why, '('), *p;
	size_t n;

	/* "(4443 2.4(f))": the reference begins with the number of an RFC */
	for (p = why; (p = strstr(p, " (")) != NULL; p++)
		if (isdigit((unsigned char)p[2]) && isdigit((unsigned char)p[5]))
			open = p + 1;
	if (open == NULL || open == why || !isdigit((unsigned char)open[1])) {
		snprintf(ret->title, sizeof(ret->title), "%s", why);
		ret->reference[0] = '\0';
		return;
	}
	snprintf(ret->title, sizeof(ret->title), "%.*s", (int)(open - why - 1), why);
	n = strlen(open + 1) - 1;
	snprintf(ret->reference, sizeof(ret->reference), "RFC %.4s section %.*s", open + 1,
		 (int)(n - 5), open + 6);
}

static const char *more_expects(const struct more_row *m, char *to, size_t size)
{
	static const char *const words[] = {
		[MORE_OUT] = "out of port %u: %s",
		[MORE_ENCAP] = "out of port %u, any flow label but 0: %s",
		[MORE_DROP] = "nothing",
		[MORE_LABELS] = "out of port %u, a flow label for each flow",
		[MORE_ELSEWHERE] = "",
		[MORE_LATER] = "",
	};

	switch (m->want) {
	case MORE_ICMP6:
	case MORE_ICMP4:
		snprintf(to, size, "ICMPv%u type %u code %u, %u, quoting the packet as received",
			 m->want == MORE_ICMP6 ? 6 : 4, m->type, m->code, m->data);
		break;
	case MORE_LIMITED:
		snprintf(to, size, "%u packets, at most %u errors", m->times, m->data);
		break;
	case MORE_SHARES:
	case MORE_SPREAD:
		snprintf(to, size, "%u flows, %u %% the first way, each flow one way", m->times,
			 m->data);
		break;
	case MORE_COUNTED:
		snprintf(to, size, "%u counted of as many forwarded, none of an error", m->times);
		break;
	case MORE_DROP:
	case MORE_ELSEWHERE:
	case MORE_LATER:
		snprintf(to, size, "%s", words[m->want]);
		break;
	default:
		snprintf(to, size, "out of port %u%s: %s", m->port,
			 m->want == MORE_OUT ? "" : ", any flow label but 0",
			 m->out == NULL ? "a flow label for each flow" : m->out);
	}
	return to;
}

static void row_text(uint32_t i, struct conf_row *ret)
{
	const struct row *r = endpoint_of(i);
	const struct more_row *m;

	memset(ret, 0, sizeof(*ret));
	if (steps_of(i) != NULL) {
		ret->id = steps_of(i)->id;
		title_split(steps_of(i)->why, ret);
		steps_text(steps_of(i), ret->sends, sizeof(ret->sends));
		snprintf(ret->expects, sizeof(ret->expects), "the same steps");
		return;
	}
	if (r == NULL) {
		m = other_of(i);
		ret->id = m->id;
		title_split(m->why, ret);
		snprintf(ret->sends, sizeof(ret->sends), "%s%s%s", m->in,
			 m->set[0] ? "; octets " : "", m->set);
		more_expects(m, ret->expects, sizeof(ret->expects));
		return;
	}
	ret->id = r->id;
	title_split(r->why, ret);
	snprintf(ret->sends, sizeof(ret->sends), "%s%s%s", r->in, r->set[0] ? "; octets " : "",
		 r->set);
	switch (r->want) {
	case WANT_ICMP:
		snprintf(ret->expects, sizeof(ret->expects),
			 "ICMPv6 type %u code %u, %u, quoting the packet as received", r->type,
			 r->code, r->data);
		break;
	case WANT_DROP:
	case WANT_SILENT:
		snprintf(ret->expects, sizeof(ret->expects), "nothing; dropped as %s", r->verdict);
		break;
	default:
		snprintf(ret->expects, sizeof(ret->expects), "out of port %u: %s%s%s",
			 r->want == WANT_REPLY ? 1 : r->port, r->out,
			 r->out_set[0] ? "; octets " : "", r->out_set);
	}
}

/* ---- running -------------------------------------------------------------------------------------------------- */

static void run_endpoint(const struct row *r)
{
	struct pktb in, want;
	uint64_t ok, n;
	uint32_t sid;

	packet_make(&in, r->in, r->set);
	sid = lab_sid_id(in.buf);
	lab_send(1, in.buf, in.len);
	if (dut_in_process())
		cr_assert_eq(hx_verdict("srv6-endpoint", r->verdict), 1, "the verdict is not %s",
			     r->verdict);
	switch (r->want) {
	case WANT_ICMP:
		lab_expect_icmp6(r->id, 1, in.buf, in.len, r->type, r->code, r->data);
		break;
	case WANT_DROP:
	case WANT_SILENT:
		if (dut_in_process())
			cr_assert_eq(hx_drops(), 1, "dropped %lu", hx_drops());
		break;
	case WANT_ENCAP:
		packet_make(&want, r->out, r->out_set);
		lab_expect_encap(r->id, r->port, &want);
		break;
	default:
		packet_make(&want, r->out, r->out_set);
		lab_expect(r->id, r->want == WANT_REPLY ? 1 : r->port, &want);
	}
	lab_nothing_left(r->id);
	if (!dut_in_process())
		return;
	/* S-179: the SID counts what it processed with success, and nothing else */
	ok = r->want == WANT_OUT || r->want == WANT_ENCAP || r->want == WANT_REPLY;
	n = hx_stat("sid", sid, "packets");
	cr_assert_eq(n, ok, "the SID counted %lu packets", n);
	n = hx_stat("sid", sid, "octets");
	cr_assert_eq(n, ok * in.len, "the SID counted %lu octets", n);
	n = hx_stat("sid", sid, "errors");
	cr_assert_eq(n, !ok, "the SID counted %lu errors", n);
	cr_assert_eq(hx_mbufs_in_use(), 0, "%u buffers lost", hx_mbufs_in_use());
}

static void run_limited(const struct more_row *m)
{
	static uint8_t frame[14 + PKTB_CAP] = { 2, 0, 0, 0, 0, 1, 2, 0xaa, 0, 0, 0, 1, 0x86, 0xdd };
	struct pktb in;
	uint8_t b[PKTB_CAP];
	uint32_t n = 0;

	packet_make(&in, m->in, m->set);
	memcpy(frame + 14, in.buf, in.len);
	for (uint32_t i = 0; i < m->times; i++) {
		dut_rx(1, frame, 14 + in.len);
		if (dut_in_process())
			dut_turn();
	}
	dut_turn();
	while (lab_recv(1, b, sizeof(b)) != 0)
		n++;
	cr_assert(n >= 1 && n <= m->data, "%u errors for %u packets", n, m->times);
}

/* Packets of flows one after the other, each twice: which of two ways (first segment) each took. */
static void run_shares(const struct more_row *m)
{
	struct ip6_addr first = pktb_addr6(name_addr("S1", 2));
	static uint8_t frame[14 + PKTB_CAP] = { 2, 0, 0, 0, 0, 1, 2, 0xaa, 0, 0, 0, 1, 0x86, 0xdd };
	uint8_t b[PKTB_CAP];
	uint32_t n[2] = { 0 }, flows = dut_in_process() ? m->times : m->times / 10;
	static uint8_t way[65536];

	for (uint32_t round = 0; round < 2; round++)
		for (uint32_t f = 0; f < flows; f++) {
			char text[200];
			struct pktb in;
			size_t len;

			snprintf(text, sizeof(text), m->in, 1000 + f);
			packet_make(&in, text, "");
			memcpy(frame + 14, in.buf, in.len);
			dut_rx(1, frame, 14 + in.len);
			if (!dut_in_process() && f % 50 != 49 && f != flows - 1)
				continue; /* over wires in bursts */
			dut_turn();
			while ((len = lab_recv(m->port, b, sizeof(b))) != 0) {
				uint32_t w = memcmp(b + 24, &first, 16) != 0, port;
				size_t at = 40;

				if (b[6] == IP_NH_ROUTING)
					at += 8 + b[41] * 8u;
				port = wire_get16(b + at + 40);
				if (round == 0)
					way[port] = (uint8_t)(w + 1);
				cr_assert_eq(way[port], w + 1, "the flow with port %u is split",
					     port);
				n[w]++;
			}
		}
	cr_assert_eq(n[0] + n[1], 2 * flows, "%u of %u came", n[0] + n[1], 2 * flows);
	/* five points and what chance does to fewer flows */
	cr_assert(n[0] * 100 > (m->data - (dut_in_process() ? 5 : 8)) * 2 * flows &&
			  n[0] * 100 < (m->data + (dut_in_process() ? 5 : 8)) * 2 * flows,
		  "%u of %u the first way", n[0], 2 * flows);
}

/* Packets of flows, told apart by their label, each twice: which of two ports each took. */
static void run_spread(const struct more_row *m)
{
	uint32_t n[2] = { 0 }, flows = dut_in_process() ? m->times : m->times / 4;
	static uint8_t way[65536];
	uint8_t b[PKTB_CAP];
	struct pktb in;

	packet_make(&in, m->in, "");
	for (uint32_t k = 0; k < 2 * flows; k++) {
		uint32_t port = m->port;

		wire_put16(in.buf + 2, (uint16_t)(1 + k % flows));
		lab_send(1, in.buf, in.len);
		if (lab_recv(port, b, sizeof(b)) == 0)
			cr_assert_neq(lab_recv(++port, b, sizeof(b)), 0, "flow %u is lost",
				      k % flows);
		n[port - m->port]++;
		cr_assert(k < flows || way[k % flows] == port, "flow %u is split", k % flows);
		way[k % flows] = (uint8_t)port;
	}
	cr_assert(n[0] * 100 > (m->data - (dut_in_process() ? 5 : 10)) * 2 * flows &&
			  n[0] * 100 < (m->data + (dut_in_process() ? 5 : 10)) * 2 * flows,
		  "%u of %u the first way", n[0], 2 * flows);
}

static void run_labels(const struct more_row *m)
{
	uint32_t seen[256], same = 0;
	uint8_t b[PKTB_CAP];

	for (uint32_t k = 0; k < 2 * m->times; k++) {
		uint32_t f = k % m->times, label;
		char text[200];
		struct pktb in;

		snprintf(text, sizeof(text), m->in, 1000 + f);
		packet_make(&in, text, "");
		lab_send(1, in.buf, in.len);
		cr_assert_neq(lab_recv(m->port, b, sizeof(b)), 0, "flow %u is lost", f);
		label = wire_get32(b) & 0xfffff;
		cr_assert_neq(label, 0, "flow %u has no label", f);
		if (k < m->times) {
			for (uint32_t i = 0; i < k; i++)
				same += seen[i] == label;
			seen[f] = label;
		}
		cr_assert_eq(seen[f], label, "flow %u changed its label", f);
	}
	cr_assert_leq(same, 2, "%u pairs of %u flows share a label", same, m->times);
}

static void run_counted(const struct more_row *m)
{
	struct pktb in, bad, want;
	uint32_t sid;

	packet_make(&in, m->in, m->set);
	packet_make(&bad, m->in, "43=9");
	packet_make(&want, "ip6 $T $R 63 / srh $R,$E 0 / " UDP, "");
	sid = lab_sid_id(in.buf);
	for (uint32_t i = 0; i < m->times; i++) {
		lab_send(1, in.buf, in.len);
		lab_expect(m->id, m->port, &want);
		lab_send(1, bad.buf, bad.len);
	}
	cr_assert_eq(hx_stat("sid", sid, "packets"), m->times, "%lu counted",
		     hx_stat("sid", sid, "packets"));
	cr_assert_eq(hx_stat("sid", sid, "errors"), m->times, "%lu errors",
		     hx_stat("sid", sid, "errors"));
}

static void run_more(const struct more_row *m)
{
	struct pktb in, want;

	if (m->want == MORE_LATER)
		conf_fail("later", "not carried: %s", m->later);
	if (m->want == MORE_LIMITED || m->want == MORE_SHARES || m->want == MORE_LABELS ||
	    m->want == MORE_COUNTED || m->want == MORE_SPREAD) {
		(m->want == MORE_LIMITED ? run_limited :
		 m->want == MORE_SPREAD  ? run_spread :
		 m->want == MORE_SHARES  ? run_shares :
		 m->want == MORE_LABELS  ? run_labels :
					   run_counted)(m);
		return;
	}
	packet_make(&in, m->in, m->set);
	if (in.buf[0] >> 4 == 4)
		pktb_fix_csum(&in); /* of the octets that were set */
	lab_send(1, in.buf, in.len);
	if (dut_in_process() && m->node != NULL)
		cr_assert_eq(hx_verdict(m->node, m->verdict), 1, "the verdict of %s is not %s",
			     m->node, m->verdict);
	switch (m->want) {
	case MORE_ICMP6:
		lab_expect_icmp6(m->id, 1, in.buf, in.len, m->type, m->code, m->data);
		break;
	case MORE_ICMP4:
		lab_expect_icmp4(m->id, m->port, in.buf, m->type, m->code, m->data);
		break;
	case MORE_OUT:
	case MORE_ENCAP:
		packet_make(&want, m->out, m->out_set == NULL ? "" : m->out_set);
		(m->want == MORE_OUT ? lab_expect : lab_expect_encap)(m->id, m->port, &want);
		break;
	default:
		if (dut_in_process())
			cr_assert_eq(hx_drops(), 1, "dropped %lu", hx_drops());
	}
	lab_nothing_left(m->id);
	if (dut_in_process())
		cr_assert_eq(hx_mbufs_in_use(), 0, "%u buffers lost", hx_mbufs_in_use());
}

static void run(uint32_t i)
{
	if (endpoint_of(i) != NULL)
		run_endpoint(endpoint_of(i));
	else if (steps_of(i) != NULL)
		run_steps(steps_of(i));
	else
		run_more(other_of(i));
}

/* The kernel's words for a SID; NULL: it has no such behavior or flavor. */
static const char *linux_action(const struct sid_name *n, char args[96])
{
	args[0] = '\0';
	switch (n->behavior) {
	case HD_SRV6_END:
		if (n->flavors == F_PSP)
			snprintf(args, 96, " flavors psp");
		else if (n->flavors == F_NXT && n->lb % 8 == 0 && (n->ln + n->fn) % 8 == 0)
			snprintf(args, 96, " flavors next-csid lblen %u nflen %u", n->lb,
				 n->ln + n->fn);
		else if (n->flavors != 0)
			return NULL;
		return "End";
	case HD_SRV6_END_X:
		snprintf(args, 96, " nh6 2001:db8:%u::1", n->target_id);
		return n->flavors == 0 ? "End.X" : NULL;
	case HD_SRV6_END_T:
		snprintf(args, 96, " table %u", n->table6);
		return n->flavors == 0 ? "End.T" : NULL;
	case HD_SRV6_END_DX6:
		snprintf(args, 96, " nh6 2001:db8:%u::1", n->target_id);
		return n->flavors == 0 ? "End.DX6" : NULL;
	case HD_SRV6_END_DX4:
		snprintf(args, 96, " nh4 10.0.%u.1", n->target_id);
		return n->flavors == 0 ? "End.DX4" : NULL;
	case HD_SRV6_END_DT6:
		snprintf(args, 96, " table %u", n->table6);
		return n->flavors == 0 ? "End.DT6" : NULL;
	case HD_SRV6_END_B6_ENCAPS:
		snprintf(args, 96, " srh segs 2001:db8:c::51,2001:db8:c::52");
		return n->flavors == 0 ? "End.B6.Encaps" : NULL;
	default:
		return NULL;
	}
}

/* ---- what is known -------------------------------------------------------------------------------------------- */

static const struct known {
	enum conf_target target;
	const char *id; /* "S-14*": all that begin so */
	bool applies;   /* false: it is not run */
	const char *why;
} known[] = {
#define NOT_FOR(target, id, why) { target, id, false, why },
#define DIFFERS(target, id, why) { target, id, true, why },
#include "tests/conformance/srv6_targets.def"
};

static const char *known_find(uint32_t i, enum conf_target t, bool applies)
{
	struct conf_row row;

	row_text(i, &row);
	for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++) {
		size_t n = strcspn(known[k].id, "*");
		bool all = known[k].id[n] == '*';

		if (known[k].target == t && known[k].applies == applies &&
		    strncmp(known[k].id, row.id, n) == 0 && (all || row.id[n] == '\0'))
			return known[k].why;
	}
	return NULL;
}

/* The SID that a row is for, if the kernel has it not. */
static const struct sid_name *not_in_linux(uint32_t i)
{
	const struct more_row *m = other_of(i);
	const struct sid_name *n;
	struct pktb in;
	char args[96];

	if (steps_of(i) != NULL)
		return NULL;
	if (m != NULL &&
	    (m->in[0] == '\0' || strstr(m->in, "ip4 ") == m->in || strchr(m->in, '%') != NULL))
		return NULL;
	packet_make(&in, m != NULL ? m->in : endpoint_of(i)->in, "");
	n = sid_name_of(in.buf);
	return n != NULL && linux_action(n, args) == NULL ? n : NULL;
}

static const char *not_for(uint32_t i, enum conf_target t)
{
	const struct sid_name *n;
	const struct more_row *m = other_of(i);
	static char why[256];

	if (steps_of(i) != NULL && steps_of(i)->control && t == CONF_IN_PROCESS)
		return "the control process chooses among paths, and is not in this process: passes against heddle-dp";
	if (m != NULL && m->want == MORE_ELSEWHERE) {
		snprintf(why, sizeof(why), "shown by %s", m->later);
		return why;
	}
	if (m != NULL && m->want == MORE_LATER && t != CONF_IN_PROCESS && t != CONF_HEDDLE)
		return "the suite has no packet for what Heddle does not carry";
	if (m != NULL && m->want == MORE_COUNTED && t != CONF_IN_PROCESS)
		return "counters are read in this process only";
	n = t == CONF_LINUX ? not_in_linux(i) : NULL;
	if (n == NULL)
		return known_find(i, t, false);
	snprintf(why, sizeof(why), "the kernel cannot be given the SID %s: %s in this form",
		 n->name, hd_srv6_behavior_info(n->behavior)->name);
	return why;
}

static const char *explained(uint32_t i, enum conf_target t)
{
	const struct more_row *m = other_of(i);
	static char why[256];

	if (m == NULL || m->want != MORE_LATER)
		return known_find(i, t, true);
	snprintf(why, sizeof(why), "not carried: %s", m->later);
	return why;
}

/* ---- configuration -------------------------------------------------------------------------------------------- */

/* For Heddle in YAML; ports are DPDK's AF_PACKET on interfaces p1..p6 of the node. */
static void config_heddle_sid(FILE *f, const struct sid_name *n)
{
	static const struct {
		uint16_t flavor;
		const char *name;
	} flavor[] = { { F_PSP, "psp" },
		       { F_USP, "usp" },
		       { F_USD, "usd" },
		       { F_NXT, "next-csid" },
		       { F_REP, "replace-csid" } };
	const struct hd_srv6_behavior_info *b = hd_srv6_behavior_info(n->behavior);
	char name[32];
	bool first = true;

	for (size_t i = 0; (name[i] = b->name[i] == '.' ? '-' : b->name[i]) != '\0'; i++)
		;
	fprintf(f, "    - sid: \"%s/%u\"\n      behavior: %s\n", n->addr, n->plen, name);
	for (size_t i = 0; i < sizeof(flavor) / sizeof(flavor[0]); i++)
		if ((n->flavors & flavor[i].flavor) != 0) {
			fprintf(f, "%s%s", first ? "      flavor: [" : ", ", flavor[i].name);
			first = false;
		}
	if (!first)
		fprintf(f, "]\n");
	if (n->table4 != 0 || n->table6 != 0)
		fprintf(f, "      vrf: t%u\n", n->table6 != 0 ? n->table6 : n->table4);
	if (n->target == HD_TARGET_POLICY)
		fprintf(f, "      policy: b%u\n", n->target_id);
	else if (n->target != 0)
		fprintf(f, "      next-hop: [{interface: p%u, address: \"2001:db8:%u::1\"}]\n",
			n->target_id, n->target_id);
	if (n->ln != 0)
		fprintf(f,
			"      structure: {block-length: %u, node-length: %u, function-length: %u}\n",
			n->lb, n->ln, n->fn);
}

static void config_heddle_list(FILE *f, const char *name, uint32_t weight, const char *list)
{
	fprintf(f, "        - {name: %s, weight: %u, segment: [", name, weight);
	for (const char *s = list; *s != '\0'; s += *s == ',') {
		size_t n = strcspn(s, ",");

		fprintf(f, "%s\"%s\"", s == list ? "" : ", ", segment_addr(s, n));
		s += n;
	}
	fprintf(f, "]}\n");
}

static void config_heddle(FILE *f)
{
	static const struct {
		const char *prefix;
		unsigned port;
	} routes[] = { { "2001:db8:c::/64", 2 },  { "2001:db8:bb::/64", 2 },
		       { "10.0.2.0/24", 2 },      { "2001:db8:c:14::/64", 6 },
		       { "2001:db8::/48", 2 },    { "2001:db8:200::/39", 2 },
		       { "2001:db8:b2::/47", 2 }, { "2001:db8:f000::/36", 2 } };

	fprintf(f,
		"# The node under test of the SRv6 suite.  Its ports' MAC addresses are 02:00:00:00:00:01 and so on.\n"
		"interfaces:\n  interface:\n");
	for (unsigned p = 1; p <= LAB_PORTS; p++) {
		fprintf(f,
			"    - name: p%u\n      devargs: net_af_packet_p%u,iface=p%u\n      mtu: %u\n",
			p, p, p, p == 6 ? 1400 : 1500);
		if (p == 4 || p == 5)
			fprintf(f, "      vrf: t%u\n", p == 4 ? 7 : 10);
		fprintf(f,
			"      ipv6: {address: [{ip: \"2001:db8:%u::ff\", prefix-length: 64}%s]}\n",
			p,
			p == 1 ? ", {ip: \"2001:db8:a::ff\", prefix-length: 64}"
				 ", {ip: \"2001:db8:aa::ff\", prefix-length: 64}" :
				 "");
		if (p == 1)
			fprintf(f,
				"      ipv4: {address: [{ip: 10.0.1.254, prefix-length: 24}]}\n");
	}
	services_config(f, PART_INTERFACES);
	fprintf(f, "ip:\n  neighbour:\n");
	services_config(f, PART_NEIGHBOURS);
	for (unsigned p = 1; p <= LAB_PORTS; p++)
		fprintf(f,
			"    - {interface: p%u, address: \"2001:db8:%u::1\", mac: \"02:aa:00:00:00:%02x\"}\n",
			p, p, p);
	fprintf(f,
		"    - {interface: p1, address: \"2001:db8:a::1\", mac: \"02:aa:00:00:00:01\"}\n"
		"    - {interface: p1, address: \"2001:db8:aa::1\", mac: \"02:aa:00:00:00:01\"}\n"
		"    - {interface: p1, address: 10.0.1.1, mac: \"02:aa:00:00:00:01\"}\n"
		"  vrf:\n");
	for (unsigned t = 7, p = 4; p <= 5; p++, t += 3)
		fprintf(f,
			"    - name: t%u\n      route:\n"
			"        - {prefix: \"::/0\", next-hop: [{interface: p%u, address: \"2001:db8:%u::1\"}]}\n"
			"        - {prefix: 0.0.0.0/0, next-hop: [{interface: p%u, address: \"2001:db8:%u::1\"}]}\n",
			t, p, p, p, p);
	fprintf(f, "  route:\n");
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		fprintf(f,
			"    - {prefix: \"%s\", next-hop: [{interface: p%u, address: \"2001:db8:%u::1\"}]}\n",
			routes[i].prefix, routes[i].port, routes[i].port);
	fprintf(f, "    - {prefix: \"2001:db8:b::/48\", special: unreachable}\n"
		   "    - {prefix: \"2001:db8:d004::/48\", special: unreachable}\n");
	for (size_t i = 0; i < N_POLICIES; i++)
		for (uint32_t k = 0; k < 2 && policies[i].prefix[k] != NULL; k++)
			fprintf(f, "    - {prefix: \"%s\", srv6-policy: %s}\n",
				policies[i].prefix[k], policies[i].name);
	services_config(f, PART_ROUTES);
	fprintf(f,
		"srv6:\n  encapsulation: {source-address: \"2001:db8:a::1\"}\n  policy:\n"
		"    - {name: b8, encapsulation: h-encaps, source-address: \"2001:db8:b::b\",\n"
		"       segment-list: [{name: l, segment: [\"2001:db8:c::51\", \"2001:db8:c::52\"]}]}\n"
		"    - {name: b9, encapsulation: h-encaps-red, source-address: \"2001:db8:b::b\",\n"
		"       segment-list: [{name: l, segment: [\"2001:db8:c::51\", \"2001:db8:c::52\"]}]}\n");
	for (size_t i = 0; i < N_POLICIES; i++) {
		const struct policy_def *d = &policies[i];

		fprintf(f, "    - name: %s\n      encapsulation: %s\n%s", d->name, d->encap,
			d->list[0] == NULL ? "      drop-upon-invalid: true\n" :
					     "      segment-list:\n");
		for (uint32_t k = 0; k < 2 && d->list[k] != NULL; k++)
			config_heddle_list(f, k == 0 ? "l1" : "l2", d->weight[k], d->list[k]);
	}
	services_config(f, PART_POLICIES);
	fprintf(f, "  sid:\n");
	services_config(f, PART_SIDS);
	for (size_t i = 0; i < N_SID_NAMES; i++)
		config_heddle_sid(f, &sid_names[i]);
	for (size_t i = 0; i < N_MORE_SIDS; i++) {
		config_heddle_sid(f, &more_sids[i].sid);
		fprintf(f, "      upper-layer: [%s]\n", more_sids[i].words);
	}
	for (size_t i = 0; i < N_HMAC_SIDS; i++) {
		config_heddle_sid(f, &hmac_sids[i]);
		fprintf(f, "      hmac: require\n");
	}
	fprintf(f, "  hmac-key:\n");
	for (size_t i = 0; i < N_KEYS; i++)
		fprintf(f, "    - {key-id: %u, secret: \"%s\"}\n", keys[i].id, keys[i].secret);
	services_config(f, PART_REST);
}

static void config_linux_sid(FILE *f, const struct sid_name *n)
{
	char args[96];
	const char *action = linux_action(n, args);

	if (action != NULL)
		fprintf(f, "ip -6 route add %s/%u encap seg6local action %s%s dev p2\n", n->addr,
			n->plen, action, args);
	else
		fprintf(f, "# %s: %s in this form is not in the kernel\n", n->name,
			hd_srv6_behavior_info(n->behavior)->name);
}

static void config_linux(FILE *f)
{
	fprintf(f,
		"#!/bin/sh\n# The kernel as node under test of the SRv6 suite; interfaces p1 to p6 are there.\nset -e\n"
		"sysctl -qw net.ipv6.conf.all.forwarding=1 net.ipv4.ip_forward=1 net.ipv6.conf.all.seg6_enabled=1 \\\n"
		"  net.ipv6.icmp.ratelimit=0 net.ipv4.icmp_ratelimit=0 net.ipv4.conf.all.rp_filter=0 \\\n"
		"  net.ipv6.auto_flowlabels=0 net.ipv6.seg6_flowlabel=1\n");
	for (unsigned p = 1; p <= LAB_PORTS; p++)
		fprintf(f,
			"sysctl -qw net.ipv6.conf.p%u.seg6_enabled=1 net.ipv6.conf.p%u.accept_dad=0\n"
			"sysctl -qw net.ipv4.conf.p%u.rp_filter=0\n"
			"ip link set p%u address 02:00:00:00:00:%02x mtu %u up\n"
			"ip addr add 2001:db8:%u::ff/64 dev p%u nodad\n"
			"ip addr add 10.0.%u.254/24 dev p%u\n"
			"ip neigh replace 2001:db8:%u::1 lladdr 02:aa:00:00:00:%02x dev p%u\n"
			"ip neigh replace 10.0.%u.1 lladdr 02:aa:00:00:00:%02x dev p%u\n",
			p, p, p, p, p, p == 6 ? 1400 : 1500, p, p, p, p, p, p, p, p, p, p);
	services_config_linux(f);
	fprintf(f,
		"for a in 2001:db8:a 2001:db8:aa; do\n  ip addr add $a::ff/64 dev p1 nodad\n"
		"  ip neigh replace $a::1 lladdr 02:aa:00:00:00:01 dev p1\ndone\n"
		"ip -6 route add 2001:db8:c::/64 via 2001:db8:2::1\n"
		"ip -6 route add 2001:db8:bb::/64 via 2001:db8:2::1\n"
		"ip -6 route add 2001:db8:c:14::/64 via 2001:db8:6::1\n"
		"ip -6 route add 2001:db8:200::/39 via 2001:db8:2::1\n"
		"ip -6 route add 2001:db8:0::/48 via 2001:db8:2::1\n"
		"ip -6 route add unreachable 2001:db8:b::/48\nip -6 route add unreachable 2001:db8:d004::/48\n"
		"ip -6 route add default via 2001:db8:4::1 table 7\n"
		"ip -6 route add default via 2001:db8:5::1 table 10\n"
		"ip sr tunsrc set 2001:db8:a::1\n");
	for (size_t i = 0; i < N_POLICIES; i++) {
		const struct policy_def *d = &policies[i];

		if (d->list[0] == NULL || d->list[1] != NULL)
			continue;
		for (uint32_t k = 0; k < 2 && d->prefix[k] != NULL; k++) {
			fprintf(f, "ip %s route add %s encap seg6 mode %s segs ",
				strchr(d->prefix[k], ':') != NULL ? "-6" : "-4", d->prefix[k],
				d->form == HD_SRV6_H_ENCAPS ? "encap" : "encap.red");
			for (const char *s = d->list[0]; *s != '\0'; s += *s == ',') {
				size_t n = strcspn(s, ",");

				fprintf(f, "%s%s", s == d->list[0] ? "" : ",", segment_addr(s, n));
				s += n;
			}
			fprintf(f, " dev p2\n");
		}
	}
	for (size_t i = 0; i < N_SID_NAMES; i++)
		config_linux_sid(f, &sid_names[i]);
	for (size_t i = 0; i < N_MORE_SIDS; i++)
		config_linux_sid(f, &more_sids[i].sid);
}

static void config(FILE *f, enum conf_target t)
{
	if (t == CONF_LINUX)
		config_linux(f);
	else
		config_heddle(f);
}

const struct conf_suite conf_srv6 = {
	.name = "srv6",
	.title = "SRv6 network programming",
	.n_rows = n_rows,
	.row = row_text,
	.start = start,
	.not_for = not_for,
	.explained = explained,
	.run = run,
	.config = config,
	.n_ports = SUITE_PORTS,
};
