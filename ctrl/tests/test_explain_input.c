/* SPDX-License-Identifier: BSD-3-Clause
 * Packets for `explain`: hexadecimal text, flows, and the packets made of them; and packets as fields. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/debug/debug.h"
#include "ctrl/debug/explain_input.h"
#include "ctrl/debug/packet_fields.h"
#include "heddle/wire/icmp6.h"
#include "heddle/wire/ip4.h"

struct hex_row {
	char why[40], text[200];
	int want; /* octets, or -Exxx */
	uint8_t octets[8];
};

ParameterizedTestParameters(explain_input, hex)
{
	static struct hex_row rows[] = {
		{ "plain", "45000014", 4, { 0x45, 0, 0, 0x14 } },
		{ "separators", "45:00-00 14,AB.cd\n", 6, { 0x45, 0, 0, 0x14, 0xab, 0xcd } },
		{ "0x before octets", "0x45 0x00", 2, { 0x45, 0 } },
		{ "tcpdump -x",
		  "\t0x0000:  4500 0014\n\t0x0004:  abcd\n",
		  6,
		  { 0x45, 0, 0, 0x14, 0xab, 0xcd } },
		{ "tcpdump -X",
		  "\t0x0000:  4500 0014  E...\n\t0x0004:  abcd  zz",
		  6,
		  { 0x45, 0, 0, 0x14, 0xab, 0xcd } },
		{ "nothing", "", 0, { 0 } },
		{ "half an octet", "450", -EINVAL, { 0 } },
		{ "no digits", "45 zz", -EINVAL, { 0 } },
		{ "too long", "000102030405060708", -E2BIG, { 0 } },
	};
	return cr_make_param_array(struct hex_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct hex_row *r, explain_input, hex)
{
	uint8_t buf[8] = { 0 };
	size_t at = 0;

	cr_assert_eq(explain_hex(r->text, buf, sizeof(buf), &at), r->want, "%s", r->why);
	if (r->want > 0)
		cr_assert_arr_eq(buf, r->octets, (size_t)r->want, "%s", r->why);
}

struct flow_row {
	char why[40], text[100];
	int want;
	uint8_t family, proto;
	uint16_t sport, dport;
};

ParameterizedTestParameters(explain_input, flow)
{
	static struct flow_row rows[] = {
		{ "UDP", "udp 10.0.0.1:5 > 10.0.2.3:53", 0, 4, 17, 5, 53 },
		{ "no ports", "tcp 10.0.0.1 > 10.0.2.3", 0, 4, 6, 0, 0 },
		{ "IPv6", "tcp [2001:db8::1]:1 > [2001:db8::2]:443", 0, 6, 6, 1, 443 },
		{ "IPv6 without ports", "udp 2001:db8::1 > 2001:db8::2", 0, 6, 17, 0, 0 },
		{ "ICMP", "icmp 10.0.0.1 > 10.0.0.2", 0, 4, 1, 0, 0 },
		{ "ICMP over IPv6", "icmp ::1 > ::2", 0, 6, 58, 0, 0 },
		{ "a protocol", "proto 47 10.0.0.1 > 10.0.0.2", 0, 4, 47, 0, 0 },
		{ "nothing", "", -EINVAL, 0, 0, 0, 0 },
		{ "another arrow", "udp 10.0.0.1 < 10.0.0.2", -EINVAL, 0, 0, 0, 0 },
		{ "two families", "udp 10.0.0.1 > ::1", -EINVAL, 0, 0, 0, 0 },
		{ "port too large", "udp 10.0.0.1:65536 > 10.0.0.2:1", -EINVAL, 0, 0, 0, 0 },
		{ "ports of ICMP", "icmp 10.0.0.1:1 > 10.0.0.2", -EINVAL, 0, 0, 0, 0 },
		{ "protocol too large", "proto 256 10.0.0.1 > 10.0.0.2", -EINVAL, 0, 0, 0, 0 },
		{ "no address", "udp 10.0.0 > 10.0.0.2", -EINVAL, 0, 0, 0, 0 },
		{ "one word more", "udp 10.0.0.1 > 10.0.0.2 now", -EINVAL, 0, 0, 0, 0 },
		{ "open bracket", "udp [::1 > ::2", -EINVAL, 0, 0, 0, 0 },
	};
	return cr_make_param_array(struct flow_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct flow_row *r, explain_input, flow)
{
	struct explain_flow f = { 0 };
	char why[300] = "";

	cr_assert_eq(explain_flow_parse(r->text, &f, why, sizeof(why)), r->want, "%s: %s", r->why,
		     why);
	if (r->want < 0) {
		cr_assert_neq(why[0], '\0', "%s: no reason", r->why);
		return;
	}
	cr_assert(f.family == r->family && f.proto == r->proto && f.sport == r->sport &&
			  f.dport == r->dport && f.ttl == 64,
		  "%s: family %u protocol %u ports %u %u", r->why, f.family, f.proto, f.sport,
		  f.dport);
}

/* What is built is what it says, with sums that hold. */
Test(explain_input, built_packets)
{
	static const char *const flows[] = { "udp 10.0.0.1:5 > 10.0.2.3:53",
					     "tcp ::1 > ::2",
					     "icmp 10.0.0.1 > 10.0.0.2",
					     "icmp ::1 > ::2",
					     "udp ::1 > ::2",
					     "ip ::1 > ::2" };
	static uint8_t buf[9800];
	char why[300];

	for (size_t i = 0; i < sizeof(flows) / sizeof(flows[0]); i++) {
		struct explain_flow f;
		size_t hdr;
		uint64_t sum;
		int n;

		cr_assert_eq(explain_flow_parse(flows[i], &f, why, sizeof(why)), 0);
		f.length = 101;
		f.dscp = 46;
		n = explain_flow_build(&f, buf, sizeof(buf));
		cr_assert_eq(n, 101, "%s: %d octets", flows[i], n);
		cr_assert(explain_is_ip(buf, (size_t)n));
		hdr = f.family == 4 ? 20 : 40;
		if (f.family == 4) {
			cr_assert(hd_csum_ok(hd_csum_add(0, buf, 20)), "%s", flows[i]);
			cr_assert_eq(buf[1], 46 << 2);
		}
		if (f.proto == IP_NH_NONE)
			continue;
		sum = f.family == 6 ?
			      hd_csum_ip6_pseudo((const struct ip6_addr *)(buf + 8),
						 (const struct ip6_addr *)(buf + 24), 61, f.proto) :
		      f.proto == IP_NH_UDP ? hd_csum_add(hd_csum_add(0, buf + 12, 8),
							 (uint8_t[]){ 0, 17, 0, 81 }, 4) :
					     0;
		cr_assert(hd_csum_ok(hd_csum_add(sum, buf + hdr, 101 - hdr)), "%s: checksum",
			  flows[i]);
		f.length = (uint16_t)hdr;
		cr_assert_eq(explain_flow_build(&f, buf, sizeof(buf)), -EMSGSIZE);
	}
}

Test(explain_input, segment_lists)
{
	struct explain_flow f;
	uint8_t buf[300];
	char why[300], text[500];
	int n;

	cr_assert_eq(explain_flow_parse("udp 10.0.0.1:5 > 10.0.2.3:53", &f, why, sizeof(why)), 0);
	f.n_sids = 2;
	f.sid[0][0] = f.sid[1][0] = 0xfc;
	f.sid[0][15] = 1;
	f.sid[1][15] = 2;
	n = explain_flow_build(&f, buf, sizeof(buf));
	cr_assert_eq(n, 40 + 40 + 28);
	debug_packet_text(buf, (size_t)n, text, sizeof(text));
	cr_assert_not_null(
		strstr(text,
		       "> fc00::1 hlim 64 len 108, SRH left 1 [fc00::1 fc00::2], IPv4 10.0.0.1"),
		"%s", text);
	f.n_sids = 1;
	cr_assert_eq(explain_flow_build(&f, buf, sizeof(buf)), 40 + 28);
	cr_assert_eq(explain_flow_build(&f, buf, 60), -EMSGSIZE);
}

/* An IPv4 packet whose source looks like an Ethernet type is a packet nevertheless. */
Test(explain_input, frame_or_packet)
{
	struct explain_flow f;
	uint8_t buf[100];
	char why[300];
	int n;

	cr_assert_eq(explain_flow_parse("udp 8.0.64.1:5 > 10.0.2.3:53", &f, why, sizeof(why)), 0);
	n = explain_flow_build(&f, buf, sizeof(buf));
	cr_assert(explain_is_ip(buf, (size_t)n));
	memset(buf, 0x45, 60);
	cr_assert(explain_is_ip(buf, 60)); /* no type at octet 12 */
	buf[12] = 0x08;
	buf[13] = 0x00;
	cr_assert_not(explain_is_ip(buf, 60));
	cr_assert_not(explain_is_ip(buf, 0));
}

/* ---- fields -------------------------------------------------------------------------------------------------- */

static char changes[2000];

static void note(void *arg, enum packet_change what, const char *layer, const char *field,
		 const char *from, const char *to)
{
	size_t n = strlen(changes);

	(void)arg;
	snprintf(changes + n, sizeof(changes) - n, "%u %s.%s %s>%s;", what, layer,
		 field != NULL ? field : "*", field != NULL ? from : "", field != NULL ? to : "");
}

static const char *diff(const uint8_t *a, size_t na, unsigned at_a, const uint8_t *b, size_t nb,
			unsigned at_b)
{
	static struct packet_fields f, g;

	changes[0] = '\0';
	packet_fields(a, na, at_a, &f);
	packet_fields(b, nb, at_b, &g);
	packet_changes(&f, &g, note, NULL);
	return changes;
}

Test(packet_fields, what_a_hop_changes)
{
	struct explain_flow f;
	uint8_t a[200], b[200], frame[200] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0 };
	char why[300];

	cr_assert_eq(explain_flow_parse("udp 10.0.0.1:5 > 10.0.2.3:53", &f, why, sizeof(why)), 0);
	int n = explain_flow_build(&f, a, sizeof(a));
	f.ttl--;
	explain_flow_build(&f, b, sizeof(b));
	memcpy(frame + 14, b, (size_t)n);
	diff(a, (size_t)n, 142, frame, (size_t)n + 14, 128);
	cr_assert_not_null(strstr(changes, "0 IPv4.TTL 64>63;"), "%s", changes);
	cr_assert_not_null(strstr(changes, "1 Ethernet.*"), "%s", changes);
	cr_assert_null(strstr(changes, "2 "), "nothing was removed: %s", changes);
	cr_assert_str_eq(diff(a, (size_t)n, 142, a, (size_t)n, 142), "");
	/* the inner header stays where it is when an outer one comes before it */
	f.n_sids = 1;
	int m = explain_flow_build(&f, b, sizeof(b));
	diff(a, (size_t)n, 142, b, (size_t)m, 142 - 40);
	cr_assert_eq(strncmp(changes, "1 IPv6.* >;", 11), 0, "%s", changes);
}

/* Cut anywhere, with every octet changed: fields inside the packet only (under a sanitizer that is a proof). */
Test(packet_fields, stays_inside)
{
	struct explain_flow f;
	uint8_t a[300];
	char why[300];
	static struct packet_fields out;

	cr_assert_eq(explain_flow_parse("udp ::1 > ::2", &f, why, sizeof(why)), 0);
	f.n_sids = 3;
	int n = explain_flow_build(&f, a, sizeof(a));
	for (int len = 0; len <= n; len++)
		for (int at = -1; at < len; at++) {
			uint8_t *exact = malloc(len > 0 ? (size_t)len : 1);
			memcpy(exact, a, (size_t)len);
			if (at >= 0)
				exact[at] ^= 0xff;
			packet_fields(exact, (size_t)len, 0, &out);
			cr_assert_leq(out.n_fields, FIELDS_MAX);
			free(exact);
		}
}

struct sentence {
	char text[120], meaning[80], reference[40], advice[60];
};
ParameterizedTestParameters(explain_input, meaning)
{
	static struct sentence rows[] = {
		{ "hop limit exceeded (RFC 4443 3.3): a traceroute, or a loop",
		  "hop limit exceeded", "RFC 4443 3.3", "a traceroute, or a loop" },
		{ "too long: check the MTU (RFC 4443 3.2, RFC 1191 4)", "too long",
		  "RFC 4443 3.2, RFC 1191 4", "check the MTU" },
		{ "no error about an error (RFC 4443 2.4(e), RFC 1812 4)",
		  "no error about an error", "RFC 4443 2.4(e), RFC 1812 4", "" },
		{ "sent to a neighbour", "sent to a neighbour", "", "" },
		{ "pushed (RFC 8986 5.1), and sent on", "pushed, and sent on", "RFC 8986 5.1", "" },
		{ "cut (RFC 1", "cut (RFC 1", "", "" },
	};
	return cr_make_param_array(struct sentence, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct sentence *r, explain_input, meaning)
{
	struct json_object *o = json_object_new_object(), *v;
	const char *const names[] = { "meaning", "reference", "advice" };
	const char *const want[] = { r->meaning, r->reference, r->advice };

	debug_meaning_json(o, r->text, sizeof(r->text) - 1);
	for (int i = 0; i < 3; i++)
		cr_assert_str_eq(
			json_object_object_get_ex(o, names[i], &v) ? json_object_get_string(v) : "",
			want[i], "%s", r->text);
	json_object_put(o);
}
