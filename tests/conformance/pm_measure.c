/* SPDX-License-Identifier: BSD-3-Clause
 * Rows about alternate marking, IOAM and the Session-Sender: pm_measure_rows.def. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "heddle/api/altmark.h"
#include "heddle/api/ioam.h"
#include "heddle/api/pm_session.h"
#include "heddle/wire/altmark.h"
#include "heddle/wire/srh.h"
#include "tests/conformance/pm_suite.h"
#include "tests/harness.h"
#include "tests/pktb.h"

static const struct row {
	const char *id, *title, *reference;
	uint32_t in; /* port; 0: a PROBE */
	const char *sends, *leaves[3];
	uint16_t udp_port;
	const char *sign;
} rows[] = {
#define MEASURE(id, title, ref, in, sends, two, three, one) \
	{ id, title, ref, in, sends, { two, three, one }, 0, "" },
#define PROBE(id, title, ref, port, sign, payload) \
	{ id, title, ref, 0, "", { payload, "", "" }, port, sign },
#include "tests/conformance/pm_measure_rows.def"
};
static const uint32_t leaves_by[3] = { 2, 3, 1 };

uint32_t pm_measure_rows(void)
{
	return sizeof(rows) / sizeof(rows[0]);
}

void pm_measure_row(uint32_t i, struct conf_row *ret)
{
	const struct row *r = &rows[i];
	size_t at = 0;

	ret->id = r->id;
	snprintf(ret->title, sizeof(ret->title), "%s", r->title);
	snprintf(ret->reference, sizeof(ret->reference), "%s", r->reference);
	if (r->in == 0) {
		snprintf(ret->sends, sizeof(ret->sends), "nothing: a session to UDP port %u",
			 r->udp_port);
		snprintf(ret->expects, sizeof(ret->expects), "port 4: %s%s", r->leaves[0],
			 r->sign[0] != '\0' ? ", and a good HMAC" : "");
		return;
	}
	snprintf(ret->sends, sizeof(ret->sends), "port %u: %s", r->in, r->sends);
	for (unsigned k = 0; k < 3; k++)
		if (r->leaves[k][0] != '\0' && at < sizeof(ret->expects))
			at += (size_t)snprintf(ret->expects + at, sizeof(ret->expects) - at,
					       "%sport %u: %s", at != 0 ? "; " : "", leaves_by[k],
					       r->leaves[k][0] == '=' ? "as it came" :
									r->leaves[k]);
	if (at == 0)
		snprintf(ret->expects, sizeof(ret->expects), "nothing");
}

/* ---- the node ---------------------------------------------------------------------------------------------------- */

/* Sessions by UDP port of the far end; the same for people. */
static const struct {
	uint16_t port, ssid;
	uint32_t flags;
	const char *segment, *back[2];
	const char *yaml;
} sessions[] = {
	{ 50101,
	  0x18,
	  HD_PM_S_COS | HD_PM_S_DIRECT | HD_PM_S_FOLLOW_UP,
	  NULL,
	  { NULL, NULL },
	  "tlv: {reply-dscp: 46, direct-measurement: true, follow-up: true}" },
	{ 50102, 0x19, HD_PM_S_AUTHENTICATED, NULL, { NULL, NULL }, "key: 1" },
	{ 50103,
	  0x1a,
	  HD_PM_S_HMAC_TLV | HD_PM_S_COS,
	  NULL,
	  { NULL, NULL },
	  "tlv-key: 1, tlv: {reply-dscp: 46}" },
	{ 50104,
	  0x1234,
	  0,
	  "2001:db8:d:51::1",
	  { "2001:db8:f::200", "2001:db8:f::d6" },
	  "segment: ['2001:db8:d:51::1'], return-segment: ['2001:db8:f::200', '2001:db8:f::d6']" },
};
#define N_SESSIONS (sizeof(sessions) / sizeof(sessions[0]))
#define FAR        "2001:db8:d::1"
#define EVERY_MS   500u

static void address(uint8_t to[16], const char *text)
{
	struct ip6_addr a = pktb_addr6(text);

	memcpy(to, &a, 16);
}

static void session_start(uint32_t i)
{
	struct hd_api_pm_session s = { .session_id = i + 1,
				       .flags = sessions[i].flags,
				       .key_id = 1,
				       .interval_us = EVERY_MS * 1000,
				       .timeout_ms = 1000,
				       .src_port = 50000,
				       .dst_port = sessions[i].port,
				       .ssid = sessions[i].ssid,
				       .family = 6,
				       .reply_dscp = 46 };

	address(s.src, "2001:db8:d::9");
	address(s.dst, FAR);
	if (sessions[i].segment != NULL) {
		s.encap = HD_PM_INNER;
		s.n_segs = 1;
		address(s.outer_src, "2001:db8:e::1");
		address(s.seg[0], sessions[i].segment);
		s.n_return = 2;
		address(s.ret[0], sessions[i].back[0]);
		address(s.ret[1], sessions[i].back[1]);
	}
	pm_must(hx_set(HD_API_PM_SESSION, &s, sizeof(s)), "session");
}

static void marking_start(void)
{
	struct hd_api_srv6_conf c = { .flow_seed = 1 };
	struct hd_api_srv6_seglist l = { .seglist_id = 1, .n_segs = 2 };
	struct hd_api_srv6_policy p = {
		.policy_id = 3, .name = "marked", .n_lists = 1, .list = { { 1, 1 } }
	};
	struct hd_api_altmark_conf conf = { .period_ms = 1000, .guard_ms = 100 };
	struct hd_api_altmark_flow in = { .flow_id = 1, .mon_id = 0xabcde },
				   own = { .flow_id = 2, .mon_id = 0xabcde };
	struct hd_api_altmark_mark m = { 3, 2, ALTMARK_DEST };
	struct hd_api_altmark_iface iface = { 1 };

	p.encap = HD_SRV6_H_ENCAPS;
	address(c.encap_source, "2001:db8:e::1");
	address(l.seg[0], "2001:db8:f::51");
	address(l.seg[1], "2001:db8:f::52");
	address(in.source, "2001:db8:a::1");
	address(own.source, "2001:db8:e::1");
	pm_must(hx_set(HD_API_SRV6_CONF, &c, sizeof(c)), "srv6");
	pm_must(hx_set(HD_API_SRV6_SEGLIST, &l, 8 + 16 * l.n_segs), "segment list");
	pm_must(hx_set(HD_API_SRV6_POLICY, &p, sizeof(p)), "policy");
	hx_route(0, "2001:db8:dd::/64", HD_TARGET_POLICY, 3);
	pm_must(hx_set(HD_API_ALTMARK_CONF, &conf, sizeof(conf)), "altmark");
	pm_must(hx_set(HD_API_ALTMARK_FLOW, &in, sizeof(in)), "flow");
	pm_must(hx_set(HD_API_ALTMARK_FLOW, &own, sizeof(own)), "flow");
	pm_must(hx_set(HD_API_ALTMARK_MARK, &m, sizeof(m)), "mark");
	pm_must(hx_set(HD_API_ALTMARK_IFACE, &iface, sizeof(iface)), "altmark interface");
}

static void outside_start(void)
{
	struct hd_api_iface i = { .iface_id = 3,
				  .port_id = 3,
				  .mtu = 1500,
				  .mac = { 2, 0, 0, 0, 0, 3 },
				  .flags = HD_IFACE_F_UP | HD_IFACE_F_INGRESS,
				  .name = "if3" };
	struct hd_api_srv6_ingress in = { .iface_id = 3, .flags = HD_SRV6_INGRESS_OUTSIDE };

	pm_must(hx_set(HD_API_IFACE, &i, sizeof(i)), "interface");
	pm_must(hx_set(HD_API_SRV6_INGRESS, &in, sizeof(in)), "outside");
}

/* Ports 3 and 4, and what only these rows need of 1 and 2. */
void pm_measure_start(void)
{
	struct hd_api_ioam_ns ns = { .ns = 123,
				     .node_id = 0x202,
				     .ns_data = UINT32_MAX,
				     .ns_wide = UINT64_MAX,
				     .schema = 0xffffff };

	hx_port();
	hx_port();
	outside_start();
	hx_iface(4, 4, 0);
	hx_addr(3, "2001:db8:c::9/64");
	hx_addr(4, "2001:db8:d::9/64");
	hx_neigh(3, "2001:db8:c::1", "02:cc:00:00:00:01");
	hx_neigh(4, FAR, "02:dd:00:00:00:01");
	hx_nexthop(4, 4, FAR);
	hx_route(0, "2001:db8:d:51::/64", HD_TARGET_NEXTHOP, 4);
	marking_start();
	pm_must(hx_set(HD_API_IOAM_NS, &ns, sizeof(ns)), "namespace");
	for (uint32_t i = 1; i <= 2; i++) {
		struct hd_api_ioam_iface f = { .iface_id = i,
					       .if_id = 0x20 + i,
					       .flags = i == 1 ? HD_IOAM_F_DECAP : 0 };

		pm_must(hx_set(HD_API_IOAM_IFACE, &f, sizeof(f)), "IOAM interface");
	}
	for (uint32_t i = 0; i < N_SESSIONS; i++)
		session_start(i);
}

void pm_measure_config(FILE *f)
{
	fprintf(f, "  session:\n");
	for (size_t i = 0; i < N_SESSIONS; i++)
		fprintf(f,
			"  - {name: s%u, destination: '" FAR "', source-address: '2001:db8:d::9', "
			"udp-port: %u, ssid: %u, interval: %u, %s}\n",
			sessions[i].port, sessions[i].port, sessions[i].ssid, EVERY_MS,
			sessions[i].yaml);
	fprintf(f,
		"srv6:\n  encapsulation: {source-address: '2001:db8:e::1'}\n"
		"  interface: [{name: p3, sr-domain: outside}]\n"
		"  policy:\n  - {name: marked, encapsulation: h-encaps, segment-list: [{name: l, segment: ['2001:db8:f::51', "
		"'2001:db8:f::52']}]}\n"
		"altmark:\n  period: 1\n  delay-packets: 0\n  interface: [p1]\n  flow:\n"
		"  - {name: in, flow-mon-id: 703710, source-address: '2001:db8:a::1'}\n"
		"  - {name: own, flow-mon-id: 703710, source-address: '2001:db8:e::1', mark: {policy: "
		"marked, place: destination}}\n"
		"ioam:\n  namespace: [{id: 123, node-id: 514}]\n"
		"  interface: [{name: p1, id: 33, decapsulate: true}, {name: p2, id: 34}]\n");
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

static uint8_t frame[2048];

/* The next frame of a port; 0: none. */
static size_t next_frame(uint32_t port)
{
	return dut_tx(port, frame, sizeof(frame));
}

static void check_forwarded(const struct row *r, const struct pktb *sent, size_t n,
			    const char *expects)
{
	const uint8_t *got = frame + 14, *was = sent->buf + 14;
	size_t len = n - 14;
	struct pm_payload want;

	pm_read_hex(expects[0] == '=' ? "" : expects, &want);
	for (unsigned i = 0; i < want.len; i++)
		cr_assert_eq((got[40 + i] ^ want.octet[i]) & want.care[i], 0,
			     "%s: octet %u is %02x, not %02x", r->id, 40 + i, got[40 + i],
			     want.octet[i]);
	if (expects[0] != '=' && len != sent->len - 14)
		return; /* longer or shorter by design: what is said above is all */
	cr_assert_eq(len, sent->len - 14, "%s: %zu octets, not %zu", r->id, len, sent->len - 14);
	cr_assert_eq(got[IP6_OFF_HOP_LIMIT], was[IP6_OFF_HOP_LIMIT] - 1, "%s: hop limit %u", r->id,
		     got[IP6_OFF_HOP_LIMIT]);
	for (size_t i = 40 + want.len; i < len; i++)
		cr_assert_eq(got[i], was[i], "%s: octet %zu is %02x, not %02x as it came", r->id, i,
			     got[i], was[i]);
	cr_assert_arr_eq(got, was, IP6_OFF_HOP_LIMIT, "%s: IPv6 header", r->id);
	cr_assert_arr_eq(got + 8, was + 8, 32, "%s: addresses", r->id);
}

/* A copy that was looped back: to where the packet came from. */
static void check_copy(const struct row *r, const struct pktb *sent, size_t n, const char *expects)
{
	struct pm_payload want;

	pm_read_hex(expects, &want);
	cr_assert_eq(n, 14 + 40 + want.len, "%s: a copy of %zu octets", r->id, n);
	for (unsigned i = 0; i < want.len; i++)
		cr_assert_eq((frame[54 + i] ^ want.octet[i]) & want.care[i], 0,
			     "%s: octet %u of the copy is %02x, not %02x", r->id, 40 + i,
			     frame[54 + i], want.octet[i]);
	cr_assert_arr_eq(frame + 14 + 24, sent->buf + 14 + 8, 16,
			 "%s: the copy is not for the source", r->id);
	cr_assert_neq(memcmp(frame + 14 + 8, sent->buf + 14 + 24, 16), 0,
		      "%s: the copy is not from the node", r->id);
}

static void run_measure(const struct row *r)
{
	struct pktb sent;
	char text[400];

	snprintf(text, sizeof(text), "eth 02:00:00:00:00:%02x 02:%02x:00:00:00:01 / %s", r->in,
		 0x99 + 0x11 * r->in, r->sends);
	pktb_parse(&sent, text);
	dut_rx(r->in, sent.buf, sent.len);
	dut_turn();
	for (unsigned k = 0; k < 3; k++) {
		size_t n = next_frame(leaves_by[k]);

		cr_assert_eq(n != 0, r->leaves[k][0] != '\0', "%s: %zu octets leave by port %u",
			     r->id, n, leaves_by[k]);
		if (n == 0)
			continue;
		if (leaves_by[k] == r->in)
			check_copy(r, &sent, n, r->leaves[k]);
		else
			check_forwarded(r, &sent, n, r->leaves[k]);
		cr_assert_eq(next_frame(leaves_by[k]), 0, "%s: more than one packet", r->id);
	}
}

/* The UDP payload of a test packet to a port; NULL: something else. */
static const uint8_t *open_probe(size_t n, uint16_t port, unsigned *ret_len)
{
	struct ip6_view v;
	struct udp_view u;

	if (pm_open(frame, n, &v, &u) != NULL || u.dst_port != port)
		return NULL;
	cr_assert_eq(udp_csum_check_ip6(&u, &v.hdr->src, &v.hdr->dst), 0, "bad checksum");
	*ret_len = u.len - 8u;
	return (const uint8_t *)u.hdr + 8;
}

static void run_probe(const struct row *r)
{
	const uint8_t *got = NULL;
	struct pm_payload want;
	time_t end = time(NULL) + 3;
	unsigned len = 0;

	while (got == NULL && time(NULL) < end) {
		size_t n;

		dut_turn();
		while (got == NULL && (n = next_frame(4)) != 0)
			got = open_probe(n, r->udp_port, &len);
	}
	cr_assert_not_null(got, "%s: no test packet to port %u", r->id, r->udp_port);
	pm_read_hex(r->leaves[0], &want);
	pm_check_payload(r->id, r->sign, got, len, &want);
}

void pm_measure_run(uint32_t i)
{
	if (rows[i].in == 0)
		run_probe(&rows[i]);
	else
		run_measure(&rows[i]);
}
