/* SPDX-License-Identifier: BSD-3-Clause
 * The performance measurement suite: a Session-Reflector's answers, as rows of pm_rows.def.  HMACs are made and checked
 * with libcrypto's own, so that what is expected is a second opinion. */
#include <criterion/criterion.h>
#include <ctype.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "heddle/api/pm.h"
#include "heddle/wire/srh.h"
#include "heddle/wire/udp.h"
#include "tests/conformance/pm_suite.h"
#include "tests/harness.h"
#include "tests/pktb.h"

static const char secret[] = PM_SECRET;

static const struct pm_row {
	const char *id, *title, *reference;
	uint16_t port;
	const char *ip, *sign, *sends, *expects;
	int dscp;
	uint32_t out;
} rows[] = {
#define REFLECT(id, title, ref, port, ip, sign, sends, expects, dscp, out) \
	{ id, title, ref, port, ip, sign, sends, expects, dscp, out },
#include "tests/conformance/pm_rows.def"
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

/* UDP ports of the node, as configured. */
static const struct {
	uint16_t port;
	uint32_t flags;
	uint16_t ssid; /* of its session; 0: it takes all */
	bool key;
	const char *yaml; /* the same for people */
} ports[] = {
	{ 862, HD_PM_F_UNPROVISIONED, 0, false, "unprovisioned: true" },
	{ 50001, HD_PM_F_UNPROVISIONED | HD_PM_F_NO_TLV, 0, false,
	  "unprovisioned: true, tlv: false" },
	{ 50002, HD_PM_F_STATEFUL, 2, false, "stateful: true" },
	{ 50003, HD_PM_F_AUTHENTICATED, 3, true, "key: 1" },
	{ 50004, HD_PM_F_UNPROVISIONED | HD_PM_F_DSCP_ANY, 0, false,
	  "unprovisioned: true, any-dscp: true" },
	{ 50005, HD_PM_F_UNPROVISIONED | HD_PM_F_HMAC_TLV, 0, true,
	  "unprovisioned: true, tlv-key: 1" },
	/* sessions that count begin at 0 once: one for each row that looks */
	{ 50006, HD_PM_F_STATEFUL, 2, false, "stateful: true" },
	{ 50007, HD_PM_F_STATEFUL, 2, false, "stateful: true" },
};
#define N_PORTS (sizeof(ports) / sizeof(ports[0]))

/* ---- the node ---------------------------------------------------------------------------------------------------- */

void pm_must(int rc, const char *what)
{
	if (rc < 0) {
		fprintf(stderr, "heddle-conformance: %s: %s\n", what, hx_error());
		exit(1);
	}
}

static void port_start(uint32_t i)
{
	bool own = ports[i].ssid == 0;
	struct hd_api_pm_reflector r = { .udp_port = ports[i].port,
					 .flags = own ? ports[i].flags : 0,
					 .key_id = own && ports[i].key ? 1 : 0 };
	struct hd_api_pm_reflector_session s = { .session_id = i + 1,
						 .udp_port = ports[i].port,
						 .ssid = ports[i].ssid,
						 .family = 6,
						 .flags = ports[i].flags,
						 .key_id = ports[i].key ? 1 : 0 };
	struct ip6_addr a = pktb_addr6("2001:db8:a::1");

	memcpy(s.source, &a, 16);
	pm_must(hx_set(HD_API_PM_REFLECTOR, &r, sizeof(r)), "reflector");
	if (!own)
		pm_must(hx_set(HD_API_PM_REFLECTOR_SESSION, &s, sizeof(s)), "session");
}

static void start(void)
{
	struct hd_api_pm_key k = { .key_id = 1, .len = sizeof(secret) - 1 };
	static uint8_t frame[2048];

	hx_start_default();
	for (uint32_t i = 1; i <= 2; i++) {
		hx_port();
		hx_iface(i, i, 0);
	}
	hx_addr(1, "2001:db8:a::9/64");
	hx_addr(2, "2001:db8:b::9/64");
	hx_neigh(1, "2001:db8:a::1", "02:aa:00:00:00:01");
	hx_neigh(2, "2001:db8:b::1", "02:bb:00:00:00:01");
	hx_nexthop(2, 2, "2001:db8:b::1");
	hx_route(0, "2001:db8:f::/48", HD_TARGET_NEXTHOP, 2);
	memcpy(k.secret, secret, k.len);
	pm_must(hx_set(HD_API_PM_KEY, &k, sizeof(k)), "key");
	for (uint32_t i = 0; i < N_PORTS; i++)
		port_start(i);
	pm_measure_start();
	dut_turn();
	for (uint32_t i = 1; i <= 4; i++) /* what it announces */
		while (dut_tx(i, frame, sizeof(frame)) != 0)
			;
}

static void config(FILE *f, enum conf_target t)
{
	if (t != CONF_HEDDLE) {
		fprintf(f,
			"# A Session-Reflector on these UDP ports of 2001:db8:a::9 (port 1) and, to\n"
			"# 2001:db8:f::/48, 2001:db8:b::9 (port 2); key: %s\n",
			secret);
		for (size_t i = 0; i < N_PORTS; i++)
			fprintf(f, "# %u: %s%s\n", ports[i].port, ports[i].yaml,
				ports[i].ssid != 0 ? ", one session of 2001:db8:a::1" : "");
		return;
	}
	fprintf(f,
		"# The node under test of the performance measurement suite.  Its ports' MAC addresses are "
		"02:00:00:00:00:01 and :02.\ninterfaces:\n  interface:\n");
	for (unsigned p = 1; p <= 4; p++)
		fprintf(f,
			"  - {name: p%u, devargs: 'net_af_packet_p%u,iface=p%u', ipv6: {address: [{ip: "
			"'2001:db8:%c::9', prefix-length: 64}]}}\n",
			p, p, p, 'a' + (int)p - 1);
	fprintf(f, "ip:\n  neighbour:\n"
		   "  - {interface: p1, address: '2001:db8:a::1', mac: '02:aa:00:00:00:01'}\n"
		   "  - {interface: p2, address: '2001:db8:b::1', mac: '02:bb:00:00:00:01'}\n"
		   "  - {interface: p3, address: '2001:db8:c::1', mac: '02:cc:00:00:00:01'}\n"
		   "  - {interface: p4, address: '2001:db8:d::1', mac: '02:dd:00:00:00:01'}\n"
		   "  route:\n  - {prefix: '2001:db8:f::/48', next-hop: [{interface: p2, address: "
		   "'2001:db8:b::1'}]}\n"
		   "  - {prefix: '2001:db8:d:51::/64', next-hop: [{interface: p4, address: "
		   "'2001:db8:d::1'}]}\n"
		   "  - {prefix: '2001:db8:dd::/64', srv6-policy: marked}\n");
	fprintf(f, "pm:\n  key: [{key-id: 1, secret: %s}]\n  reflector:\n", secret);
	for (size_t i = 0; i < N_PORTS; i++)
		if (ports[i].ssid == 0)
			fprintf(f, "  - {udp-port: %u, %s}\n", ports[i].port, ports[i].yaml);
		else
			fprintf(f,
				"  - udp-port: %u\n    session: [{name: s, source-address: "
				"'2001:db8:a::1', ssid: %u, %s}]\n",
				ports[i].port, ports[i].ssid, ports[i].yaml);
	pm_measure_config(f);
}

/* ---- payloads ---------------------------------------------------------------------------------------------------- */

const char *pm_read_hex(const char *text, struct pm_payload *p)
{
	memset(p, 0, sizeof(*p));
	for (unsigned n = 0; *text != '\0' && *text != ';'; text++, n++) {
		unsigned shift = n % 2 == 0 ? 4 : 0;
		const char digit[2] = { *text, '\0' };

		p->len = n / 2 + 1;
		if (*text == '.')
			continue;
		if (*text != '~')
			p->octet[n / 2] |= (uint8_t)(strtoul(digit, NULL, 16) << shift);
		p->care[n / 2] |= (uint8_t)((*text == '~' ? 7u : 15u) << shift);
	}
	return *text == ';' ? text + 1 : text;
}

static void hmac16(const uint8_t *a, size_t na, const uint8_t *b, size_t nb, uint8_t to[16])
{
	uint8_t text[1024], d[32];
	unsigned n = sizeof(d);

	memcpy(text, a, na);
	if (nb != 0) /* b may be NULL then */
		memcpy(text + na, b, nb);
	HMAC(EVP_sha256(), secret, sizeof(secret) - 1, text, na + nb, d, &n);
	memcpy(to, d, 16);
}

void pm_sign(const char *how, const uint8_t *p, unsigned len, uint8_t base[16], uint8_t tlv[16])
{
	if (strpbrk(how, "Bb") != NULL)
		hmac16(p, 96, NULL, 0, base);
	if (strpbrk(how, "Tt") != NULL)
		hmac16(p, 4, p + 44, len - 44 - 20, tlv);
}

static void sign_request(const char *how, uint8_t *p, unsigned len)
{
	pm_sign(how, p, len, p + 96, p + len - 16);
	if (strchr(how, 'b') != NULL)
		p[50] ^= 0x10;
	if (strchr(how, 't') != NULL)
		p[len - 1] ^= 1;
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

static void send_one(const struct pm_row *r, const struct pm_payload *p)
{
	const char *tc = strstr(r->ip, " tc ");
	unsigned class = tc != NULL ? (unsigned)strtoul(tc + 4, NULL, 16) : 0;
	struct pktb b;
	char text[256];

	snprintf(text, sizeof(text),
		 "eth 02:00:00:00:00:01 02:aa:00:00:00:01 / %.*s / udp 50000 %u / fill %u",
		 tc != NULL ? (int)(tc - r->ip) : (int)strlen(r->ip), r->ip, r->port, p->len);
	pktb_parse(&b, text);
	memcpy(b.payload, p->octet, p->len);
	sign_request(r->sign, b.payload, p->len);
	pktb_finish(&b);
	b.buf[14] |= (uint8_t)(class >> 4);
	b.buf[15] |= (uint8_t)(class << 4);
	dut_rx(1, b.buf, b.len);
	dut_turn();
}

const char *pm_open(const uint8_t *frame, size_t size, struct ip6_view *v, struct udp_view *u)
{
	struct wire_cur c = wire_cur_init(frame + 14, size - 14);
	struct ip6_chain chain;

	if (ip6_parse(&c, v) != 0)
		return "no IPv6 packet";
	if (v->hdr->next_header == IP_NH_ROUTING) {
		if (ip6_chain_parse(v, &c, &chain) != 0)
			return "bad headers";
		c = wire_cur_init(frame + 14 + chain.upper_off, size - 14 - chain.upper_off);
		if (ip6_parse(&c, v) != 0)
			return "no packet inside";
	}
	return v->hdr->next_header != IP_NH_UDP || udp_parse(&c, u) != 0 ? "no UDP" : NULL;
}

/* The STAMP payload of a reply. */
static const uint8_t *open_reply(const struct pm_row *r, const uint8_t *frame, size_t size,
				 unsigned *ret_len)
{
	struct ip6_view v;
	struct udp_view u;
	const char *wrong = pm_open(frame, size, &v, &u);

	cr_assert(wrong == NULL, "%s: %s", r->id, wrong);
	cr_assert_eq(udp_csum_check_ip6(&u, &v.hdr->src, &v.hdr->dst), 0, "%s: bad checksum",
		     r->id);
	cr_assert(u.src_port == r->port && u.dst_port == 50000, "%s: ports %u to %u", r->id,
		  u.src_port, u.dst_port);
	cr_assert_eq(v.hdr->hop_limit, 255, "%s: hop limit %u (RFC 5357 4.2.1)", r->id,
		     v.hdr->hop_limit);
	cr_assert(r->dscp < 0 || ip6_traffic_class(v.hdr) >> 2 == r->dscp, "%s: DSCP %d, not %d",
		  r->id, ip6_traffic_class(v.hdr) >> 2, r->dscp);
	*ret_len = u.len - 8u;
	return (const uint8_t *)u.hdr + 8;
}

void pm_check_payload(const char *id, const char *sign, const uint8_t *got, unsigned len,
		      const struct pm_payload *want)
{
	uint8_t base[16], tlv[16];

	cr_assert_eq(len, want->len, "%s: %u octets, not %u", id, len, want->len);
	for (unsigned i = 0; i < len; i++)
		cr_assert_eq((got[i] ^ want->octet[i]) & want->care[i], 0,
			     "%s: octet %u is %02x, not %02x", id, i, got[i], want->octet[i]);
	pm_sign(sign, got, len, base, tlv);
	cr_assert(strchr(sign, 'B') == NULL || memcmp(base, got + 96, 16) == 0, "%s: HMAC", id);
	cr_assert(strchr(sign, 'T') == NULL || memcmp(tlv, got + len - 16, 16) == 0, "%s: HMAC TLV",
		  id);
}

static void check_reply(const struct pm_row *r, const struct pm_payload *want)
{
	static uint8_t frame[2048];
	const uint8_t *got;
	unsigned len;
	size_t n = dut_tx(r->out, frame, sizeof(frame));

	if (want->len == 0) {
		cr_assert_eq(n, 0, "%s: a reply of %zu octets", r->id, n);
		return;
	}
	cr_assert_neq(n, 0, "%s: no reply", r->id);
	got = open_reply(r, frame, n, &len);
	pm_check_payload(r->id, r->sign, got, len, want);
	if (strchr(r->sign, 'B') == NULL) /* T2 is not behind T3 */
		cr_assert_geq(wire_get64(got + 4), wire_get64(got + 16), "%s: T3 before T2", r->id);
}

static void run_reflect(uint32_t i)
{
	const struct pm_row *r = &rows[i];
	const char *in = r->sends, *out = r->expects;
	struct pm_payload p;

	do {
		in = pm_read_hex(in, &p);
		send_one(r, &p);
		out = pm_read_hex(out, &p);
		check_reply(r, &p);
	} while (*in != '\0');
}

static void run(uint32_t i)
{
	static uint8_t frame[2048];

	if (i < N_ROWS)
		run_reflect(i);
	else
		pm_measure_run(i - N_ROWS);
	while (dut_tx(4, frame, sizeof(frame)) != 0) /* test packets of the node's sessions */
		;
	if (dut_in_process())
		cr_assert_eq(hx_mbufs_in_use(), 0, "%u buffers lost", hx_mbufs_in_use());
}

/* ---- the suite --------------------------------------------------------------------------------------------------- */

static uint32_t n_rows(void)
{
	return N_ROWS + pm_measure_rows();
}

static void row_text(uint32_t i, struct conf_row *ret)
{
	const struct pm_row *r;

	memset(ret, 0, sizeof(*ret));
	if (i >= N_ROWS) {
		pm_measure_row(i - N_ROWS, ret);
		return;
	}
	r = &rows[i];
	ret->id = r->id;
	snprintf(ret->title, sizeof(ret->title), "%s", r->title);
	snprintf(ret->reference, sizeof(ret->reference), "%s", r->reference);
	snprintf(ret->sends, sizeof(ret->sends), "%s / udp 50000 %u / %s", r->ip, r->port,
		 r->sends);
	snprintf(ret->expects, sizeof(ret->expects), "%s",
		 r->expects[0] != '\0' ? r->expects : "nothing");
}

static const char *not_for(uint32_t i, enum conf_target t)
{
	(void)i;
	return t == CONF_LINUX ? "the kernel has no STAMP" : NULL;
}

static const char *explained(uint32_t i, enum conf_target t)
{
	(void)i;
	(void)t;
	return NULL;
}

const struct conf_suite conf_pm = {
	.name = "pm",
	.title = "STAMP, alternate marking, IOAM",
	.n_rows = n_rows,
	.row = row_text,
	.start = start,
	.not_for = not_for,
	.explained = explained,
	.run = run,
	.config = config,
	.n_ports = 4,
};
