/* SPDX-License-Identifier: BSD-3-Clause
 * IOAM in the control process: configuration, records in words, IPFIX messages octet by octet. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/pm/ioam.h"
#include "ctrl/pm/ipfix.h"
#include "ctrl/tests/texts.h"
#include "heddle/wire/ioam.h"
#include "heddle/wire/wire.h"

static size_t unhex(const char *hex, uint8_t *to)
{
	size_t n = 0;
	unsigned v;

	for (; *hex != '\0'; hex += *hex == ' ' ? 1 : 2)
		if (*hex != ' ') {
			sscanf(hex, "%2x", &v);
			to[n++] = (uint8_t)v;
		}
	return n;
}

#define IP6(next, len)                                                     \
	"60012345 00" len " " next "40 20010db8000a0000 0000000000000001 " \
	"20010db8000a0000 0000000000000009 "

static struct hd_api_ioam_record record(uint32_t why, const char *hex)
{
	struct hd_api_ioam_record r = { .seq = 1,
					.time_ns = 1700000000500000000ull,
					.why = why,
					.ns = 123,
					.ingress = 0x11,
					.egress = UINT32_MAX,
					.node_id = 0x202,
					.hop_limit = 63 };

	r.head = (uint16_t)unhex(hex, r.data);
	return r;
}
#define TRACED          \
	IP6("00", "28") \
	"2b04 0100 3122 0000 007b 1800 d0000000 3e000202 0021ffff 10100000 3f000101 00110012 10000000"

static const char *str(struct json_object *o, const char *name)
{
	struct json_object *v;

	return json_object_object_get_ex(o, name, &v) ? json_object_get_string(v) : "";
}

/* ---- records --------------------------------------------------------------------------------------------------- */

Test(ioam_record, a_trace_in_the_order_of_the_path)
{
	struct hd_api_ioam_record r = record(HD_IOAM_DECAPSULATED, TRACED);
	struct json_object *o = ioam_record_json(&r), *trace, *nodes;

	cr_assert_str_eq(str(o, "why"), "decapsulated");
	cr_assert_str_eq(str(o, "source"), "2001:db8:a::1");
	cr_assert_str_eq(str(o, "flow-label"), "74565");
	cr_assert_str_eq(str(o, "egress"), "", "not known is not told");
	cr_assert(json_object_object_get_ex(o, "trace", &trace));
	cr_assert_str_eq(str(trace, "type"), "0xd00000");
	cr_assert(json_object_object_get_ex(trace, "node", &nodes));
	cr_assert_eq(json_object_array_length(nodes), 2);
	cr_assert_str_eq(str(json_object_array_get_idx(nodes, 0), "node-id"), "0x000101");
	cr_assert_str_eq(str(json_object_array_get_idx(nodes, 0), "hop-limit"), "63");
	cr_assert_str_eq(str(json_object_array_get_idx(nodes, 0), "egress"), "18");
	cr_assert_str_eq(str(json_object_array_get_idx(nodes, 1), "node-id"), "0x000202");
	cr_assert_str_eq(str(json_object_array_get_idx(nodes, 1), "egress"), "");
	json_object_put(o);
}

Test(ioam_record, direct_export)
{
	struct hd_api_ioam_record r =
		record(HD_IOAM_DIRECT_EXPORT,
		       IP6("00", "18") "2b02 0100 1112 0004 007b 00c0 d0000000 0000002a 00000007");
	struct json_object *o = ioam_record_json(&r);

	cr_assert_str_eq(str(o, "why"), "direct-export");
	cr_assert_str_eq(str(o, "flow-id"), "42");
	cr_assert_str_eq(str(o, "sequence"), "7");
	cr_assert_str_eq(str(o, "node-id"), "0x000202");
	json_object_put(o);
}

Test(ioam_record, every_truncation)
{
	struct hd_api_ioam_record whole = record(HD_IOAM_DECAPSULATED, TRACED);

	for (uint16_t n = 0; n <= whole.head; n++) {
		struct hd_api_ioam_record r = whole;
		struct json_object *o, *trace;

		r.head = n;
		memset(r.data + n, 0xff, sizeof(r.data) - n);
		o = ioam_record_json(&r);
		cr_assert_eq(json_object_object_get_ex(o, "trace", &trace), n == whole.head,
			     "%u octets", n);
		json_object_put(o);
	}
}

/* ---- IPFIX ----------------------------------------------------------------------------------------------------- */

Test(ipfix, a_message)
{
	struct hd_api_ioam_record r = record(HD_IOAM_DECAPSULATED, TRACED);
	struct ipfix x = { .domain = 9, .sequence = 5 };
	uint8_t want[400];
	size_t n;

	cr_assert_eq(ipfix_finish(&x, 0), 0, "nothing in it");
	cr_assert_eq(ipfix_add(&x, &r), 0);
	n = unhex(
		"000a 00ce 65540000 00000005 00000009 " /* version, length 206, time, sequence, domain */
		"0002 002c 0100 0009 001b 0010 001c 0010 001f 0004 0145 0008 008a 0008 000a 0004 000e 0004 00c0 0001 "
		"0139 ffff "
		"0100 0092 " /* data set of 146 octets */
		"20010db8000a00000000000000000001 20010db8000a00000000000000000009 00012345 "
		"e8fe6f80 80000000 0000000000000202 00000011 ffffffff 3f 50 " /* 80 octets of headers */
		TRACED,
		want);
	cr_assert_eq(ipfix_finish(&x, 0x65540000), n);
	for (size_t i = 0; i < n; i++)
		cr_assert_eq(x.buf[i], want[i], "octet %zu: %02x, not %02x", i, x.buf[i], want[i]);
	ipfix_next(&x);
	cr_assert_eq(x.sequence, 6);
	cr_assert_eq(x.len, 0);
}

Test(ipfix, a_full_one_is_sent_first)
{
	struct hd_api_ioam_record r = record(HD_IOAM_DECAPSULATED, TRACED);
	struct ipfix x = { 0 };
	unsigned n = 0;

	r.head = HD_IOAM_HEAD;
	while (ipfix_add(&x, &r) == 0)
		n++;
	cr_assert_eq(n, 3, "352 octets each");
	cr_assert_leq(ipfix_finish(&x, 1), IPFIX_MESSAGE_MAX);
	cr_assert_eq(x.buf[x.set + 4 + 61], 255, "a long length");
	ipfix_next(&x);
	cr_assert_eq(x.sequence, 3);
	cr_assert_eq(ipfix_add(&x, &r), 0);
}

/* ---- configuration --------------------------------------------------------------------------------------------- */

static const char good[] =
	"interfaces:\n"
	"  interface:\n"
	"  - {name: a, devargs: net_null0}\n"
	"srv6:\n"
	"  encapsulation: {source-address: 'fc00:1::1'}\n"
	"  policy:\n"
	"  - {name: far, segment-list: [{name: a, segment: ['fc00:2::1']}]}\n"
	"ioam:\n"
	"  namespace:\n"
	"  - {id: 123, node-id: 257, time-format: ntp, schema: 7, opaque: 00112233aabbccdd}\n"
	"  interface: [{name: a, id: 17, decapsulate: true}]\n"
	"  encapsulation:\n"
	"  - policy: far\n"
	"    namespace: 123\n"
	"    trace: {field: [node-id, interfaces, fraction], nodes: 5}\n"
	"    edge-to-edge: {sequence: bits-32}\n"
	"  export: {file: /tmp/x, collector: {address: 127.0.0.1}}\n";

TestSuite(ioam_config, .init = texts_init, .fini = texts_fini);

Test(ioam_config, objects)
{
	struct ctrl_err err = { 0 };
	struct config *cfg;
	const struct hd_api_ioam_ns *ns;
	const struct hd_api_ioam_iface *iface;
	const struct hd_api_ioam_encap *e;

	cr_assert_eq(texts_take(good, &cfg, &err), 0, "%s", err.msg);
	ns = texts_nth(cfg, HD_API_IOAM_NS, 0);
	iface = texts_nth(cfg, HD_API_IOAM_IFACE, 0);
	e = texts_nth(cfg, HD_API_IOAM_ENCAP, 0);
	cr_assert_eq(ns->node_id, 257);
	cr_assert_eq(ns->node_id_wide, 257);
	cr_assert_eq(ns->time_format, HD_IOAM_NTP);
	cr_assert_eq(ns->ns_data, UINT32_MAX);
	cr_assert_eq(ns->opaque_len, 8);
	cr_assert_eq(ns->opaque[4], 0xaa);
	cr_assert_eq(iface->if_id, 17);
	cr_assert_eq(iface->flags, HD_IOAM_F_DECAP);
	cr_assert_eq(e->trace_type, 0xd00000);
	cr_assert_eq(e->nodes, 5);
	cr_assert_eq(e->flags, HD_IOAM_E_TRACE);
	cr_assert_eq(e->e2e_type, IOAM_E2E_SEQ32);
	cr_assert_eq(e->every, 1);
}

ParameterizedTestParameters(ioam_config, refused)
{
	static struct bad_row rows[] = {
		{ "namespace: 123", "namespace: 124", "not one of this node" },
		{ "nodes: 5", "nodes: 20", "does not fit" },
		{ "nodes: 5", "nodes: 5, loopback: true", "node-id alone" },
		{ "node-id: 257", "node-id: 16777216", "range" },
		{ "00112233aabbccdd", "0011", "pattern" },
		{ "schema: 7, ", "", "needs a schema" },
		{ "policy: far", "policy: near", "near" },
		{ "name: a, id: 17", "name: b, id: 17", "b" },
		{ "    edge-to-edge:", "    direct-export: {field: [node-id]}\n    edge-to-edge:",
		  "" },
		{ "trace: {field: [node-id, interfaces, fraction]", "trace: {field: []", "" },
	};
	return cr_make_param_array(struct bad_row, rows, sizeof(rows) / sizeof(rows[0]));
}
ParameterizedTest(struct bad_row *r, ioam_config, refused)
{
	texts_refused(good, r);
}
