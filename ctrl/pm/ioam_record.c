/* SPDX-License-Identifier: BSD-3-Clause
 * A record of the data plane in words: its IOAM options read again, with the functions the data plane uses. */
#include <arpa/inet.h>
#include <stdio.h>

#include "ctrl/ip/ip.h"
#include "ctrl/pm/ioam.h"
#include "ctrl/restconf.h"
#include "heddle/wire/ioam.h"

/* Nothing for what is not available. */
static void add_known(struct json_object *o, const char *name, uint32_t v, uint32_t none)
{
	if (v != none)
		json_add_u32(o, name, v);
}

static struct json_object *node_json(uint32_t type, const uint8_t *p)
{
	struct json_object *o = json_object_new_object();
	struct ioam_node n = { 0 };
	char text[24];

	ioam_node_decode(type, p, &n);
	if (type & (IOAM_T_HOP | IOAM_T_HOP_WIDE)) {
		snprintf(text, sizeof(text), "0x%06llx", (unsigned long long)n.node_id);
		json_add_str(o, "node-id", text);
		json_add_u32(o, "hop-limit", n.hop_limit);
	}
	if (type & (IOAM_T_IFACE | IOAM_T_IFACE_WIDE)) {
		uint32_t none = (type & IOAM_T_IFACE_WIDE) != 0 ? UINT32_MAX : 0xffff;

		add_known(o, "ingress", n.ingress, none);
		add_known(o, "egress", n.egress, none);
	}
	if (type & IOAM_T_SECONDS)
		add_known(o, "seconds", n.seconds, UINT32_MAX);
	if (type & IOAM_T_FRACTION)
		add_known(o, "fraction", n.fraction, UINT32_MAX);
	if (type & IOAM_T_DELAY)
		add_known(o, "transit-delay", n.delay, UINT32_MAX);
	if (type & IOAM_T_NS)
		add_known(o, "namespace-data", n.ns_data, UINT32_MAX);
	if (type & IOAM_T_QUEUE)
		add_known(o, "queue-depth", n.queue, UINT32_MAX);
	if ((type & IOAM_T_NS_WIDE) && n.ns_wide != UINT64_MAX)
		json_add_u64(o, "namespace-data-wide", n.ns_wide);
	if (type & IOAM_T_BUFFER)
		add_known(o, "buffer-occupancy", n.buffer, UINT32_MAX);
	if ((type & IOAM_T_OPAQUE) && n.schema != 0xffffff) {
		json_add_u32(o, "schema", n.schema);
		json_add_hex(o, "opaque", n.opaque, n.opaque_len);
	}
	return o;
}

static void add_trace(struct json_object *o, const struct ioam_option *opt)
{
	struct json_object *trace = json_object_new_object(), *nodes = json_object_new_array();
	struct ioam_trace_walk w;
	struct ioam_trace t;
	const uint8_t *p;
	char text[16];
	unsigned len;

	if (ioam_trace_parse(opt, &t) < 0) {
		json_object_put(trace);
		json_object_put(nodes);
		return;
	}
	snprintf(text, sizeof(text), "0x%06x", t.type);
	json_add_str(trace, "type", text);
	json_add_bool(trace, "overflow", (t.flags & IOAM_F_OVERFLOW) != 0);
	w = ioam_trace_walk(&t);
	while (ioam_trace_node(&w, &p, &len) ==
	       1) /* the last node stands first: on the path it is the last */
		json_object_array_add(nodes, node_json(t.type, p));
	for (size_t i = 0, n = json_object_array_length(nodes); i < n / 2; i++) {
		struct json_object *a = json_object_get(json_object_array_get_idx(nodes, i)),
				   *b = json_object_get(
					   json_object_array_get_idx(nodes, n - 1 - i));

		json_object_array_put_idx(nodes, i, b);
		json_object_array_put_idx(nodes, n - 1 - i, a);
	}
	json_object_object_add(trace, "node", nodes);
	json_object_object_add(o, "trace", trace);
}

static void add_dex(struct json_object *o, const struct ioam_option *opt)
{
	struct ioam_dex d;

	if (ioam_dex_parse(opt, &d) < 0)
		return;
	if (d.ext & IOAM_DEX_FLOW)
		json_add_u32(o, "flow-id", d.flow);
	if (d.ext & IOAM_DEX_SEQ)
		json_add_u32(o, "sequence", d.seq);
}

static void add_options(struct json_object *o, const struct hd_api_ioam_record *r,
			const struct ip6_ext_view *e)
{
	struct ip6_opt_view v;
	struct ip6_opts opts;
	struct ioam_option opt;

	ip6_opts_init(&opts, e);
	while (ip6_opts_next(&opts, &v) == 1) {
		if ((v.type != IOAM_OPT_MUTABLE && v.type != IOAM_OPT_FIXED) ||
		    ioam_option_parse(&v, &opt) < 0 || opt.ns != r->ns)
			continue;
		if (r->why == HD_IOAM_DECAPSULATED && opt.type == IOAM_PREALLOCATED)
			add_trace(o, &opt);
		else if (r->why == HD_IOAM_DIRECT_EXPORT && opt.type == IOAM_DIRECT_EXPORT)
			add_dex(o, &opt);
	}
}

struct json_object *ioam_record_json(const struct hd_api_ioam_record *r)
{
	size_t head = r->head < HD_IOAM_HEAD ? r->head : HD_IOAM_HEAD;
	struct wire_cur c = wire_cur_init(r->data, head);
	const struct ip6_fixed *h = wire_pull(&c, sizeof(*h));
	struct json_object *o = json_object_new_object();
	struct ip6_view v = { .hdr = h };
	char text[INET6_ADDRSTRLEN];
	struct ip6_ext_view e;
	struct ip6_walk w;

	json_add_time_ns(o, "time", r->time_ns);
	json_add_str(o, "why", r->why == HD_IOAM_DIRECT_EXPORT ? "direct-export" : "decapsulated");
	json_add_u32(o, "namespace", r->ns);
	snprintf(text, sizeof(text), "0x%06llx", (unsigned long long)r->node_id);
	json_add_str(o, "node-id", text);
	add_known(o, "ingress", r->ingress, UINT32_MAX);
	add_known(o, "egress", r->egress, UINT32_MAX);
	json_add_u32(o, "hop-limit", r->hop_limit);
	if (h == NULL)
		return o;
	json_add_str(o, "source", ip_text(6, h->src.b, text, sizeof(text)));
	json_add_str(o, "destination", ip_text(6, h->dst.b, text, sizeof(text)));
	json_add_u32(o, "flow-label", ip6_flow_label(h));
	ip6_walk_init(&w, &v, &c);
	while (ip6_walk_next(&w, &e) == 1)
		if (e.type == IP_NH_HOPOPTS)
			add_options(o, r, &e);
	return o;
}
