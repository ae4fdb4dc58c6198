/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-probe:send: a probe of the data plane, and waiting for what becomes of it. */
#include "ctrl/probe/probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/ip/ip.h"
#include "ctrl/restconf.h"
#include "heddle/api/probe.h"
#include "heddle/wire/icmp4.h"
#include "heddle/wire/icmp6.h"

#define PENDING_MAX 1000u

struct pending {
	struct pending *next;
	struct http_req *req;
	uv_timer_t timer;
	struct hd_api_probe probe;
};
static struct pending *waiting;
static unsigned n_waiting;
static uint32_t next_id;

/* --- the answer in words ----------------------------------------------------------------------- */

static const struct {
	uint8_t family, type;
	int code; /* -1: any */
	const char *result, *text;
} words[] = {
	{ 4, ICMP4_ECHO_REPLY, -1, "reply", "echo reply" },
	{ 4, ICMP4_TIME_EXCEEDED, -1, "time-exceeded", "TTL exceeded" },
	{ 4, ICMP4_UNREACH, ICMP4_UNREACH_NET, "unreachable", "network unreachable" },
	{ 4, ICMP4_UNREACH, ICMP4_UNREACH_HOST, "unreachable", "host unreachable" },
	{ 4, ICMP4_UNREACH, ICMP4_UNREACH_PROTO, "unreachable", "protocol unreachable" },
	{ 4, ICMP4_UNREACH, ICMP4_UNREACH_PORT, "unreachable", "port unreachable" },
	{ 4, ICMP4_UNREACH, ICMP4_UNREACH_FRAG, "too-big", "fragmentation needed" },
	{ 4, ICMP4_UNREACH, ICMP4_UNREACH_ADMIN, "unreachable", "administratively prohibited" },
	{ 4, ICMP4_UNREACH, -1, "unreachable", "destination unreachable" },
	{ 4, ICMP4_PARAM_PROBLEM, -1, "parameter-problem", "parameter problem" },
	{ 6, ICMP6_ECHO_REPLY, -1, "reply", "echo reply" },
	{ 6, ICMP6_TIME_EXCEEDED, -1, "time-exceeded", "hop limit exceeded" },
	{ 6, ICMP6_UNREACH, ICMP6_UNREACH_NO_ROUTE, "unreachable", "no route to destination" },
	{ 6, ICMP6_UNREACH, ICMP6_UNREACH_ADMIN, "unreachable", "administratively prohibited" },
	{ 6, ICMP6_UNREACH, ICMP6_UNREACH_ADDR, "unreachable", "address unreachable" },
	{ 6, ICMP6_UNREACH, ICMP6_UNREACH_PORT, "unreachable", "port unreachable" },
	{ 6, ICMP6_UNREACH, -1, "unreachable", "destination unreachable" },
	{ 6, ICMP6_TOO_BIG, -1, "too-big", "packet too big" },
	{ 6, ICMP6_PARAM_PROBLEM, ICMP6_PP_SR_UPPER, "parameter-problem",
	  "the SID is there and takes no such packets (RFC 8986 4.1.1)" },
	{ 6, ICMP6_PARAM_PROBLEM, -1, "parameter-problem", "parameter problem" },
};

static void add_words(struct json_object *o, const struct hd_api_probe *p,
		      const struct hd_api_probe_answer *a)
{
	const char *result = "unreachable", *text = "unknown answer";

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].family == a->family && words[i].type == a->icmp_type &&
		    (words[i].code < 0 || words[i].code == a->icmp_code)) {
			result = words[i].result;
			text = words[i].text;
			break;
		}
	/* for a UDP probe "port unreachable" of the destination itself is what it hoped for */
	if (p->protocol == HD_PROBE_UDP && strcmp(text, "port unreachable") == 0 &&
	    memcmp(a->from, p->dst, sizeof(a->from)) == 0)
		result = "reply";
	/* and so is this of a SID, which RFC 9259 A.2.2 has a traceroute accept */
	if (p->protocol == HD_PROBE_UDP && a->family == 6 && a->icmp_type == ICMP6_PARAM_PROBLEM &&
	    a->icmp_code == ICMP6_PP_SR_UPPER)
		result = "reply";
	json_add_str(o, "result", result);
	json_add_str(o, "text", text);
}

/* --- waiting ------------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *h)
{
	free(h->data);
}

static void finish(struct pending *p)
{
	struct pending **at = &waiting;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	n_waiting--;
	uv_close((uv_handle_t *)&p->timer, on_closed);
}

static void on_timeout(uv_timer_t *timer)
{
	struct pending *p = timer->data;
	struct json_object *o = json_object_new_object();

	json_add_str(o, "result", "timeout");
	restconf_output(p->req, "heddle-probe", o);
	finish(p);
}

void probe_event(const struct hd_api_event *ev)
{
	struct hd_api_probe_answer a;
	struct pending *p = waiting;
	char text[64];

	memcpy(&a, ev->u.room, sizeof(a));
	while (p != NULL && p->probe.probe_id != a.probe_id)
		p = p->next;
	if (p == NULL)
		return; /* late, a duplicate, or another client's */
	struct json_object *o = json_object_new_object();
	add_words(o, &p->probe, &a);
	json_add_str(o, "from", ip_text(a.family, a.from, text, sizeof(text)));
	json_add_u64(o, "rtt", a.rtt_ns);
	json_add_u32(o, "hop-limit", a.hop_limit);
	json_add_u32(o, "length", a.length);
	json_add_u32(o, "icmp-type", a.icmp_type);
	json_add_u32(o, "icmp-code", a.icmp_code);
	if (a.mtu != 0)
		json_add_u32(o, "mtu", a.mtu);
	restconf_output(p->req, "heddle-probe", o);
	finish(p);
}

void probe_fini(void)
{
	while (waiting != NULL) {
		restconf_errorf(waiting->req, -ENOTCONN, "heddle-ctrl stops");
		finish(waiting);
	}
}

/* The data plane has sent it, or says why not.  Its answer may have come before, with the request then gone. */
static void on_sent(void *arg, const struct dp_answer *a)
{
	uint32_t id = (uint32_t)(uintptr_t)arg;
	struct pending *p = waiting;

	while (p != NULL && p->probe.probe_id != id)
		p = p->next;
	if (p == NULL || a->error == 0)
		return;
	restconf_dp_error(p->req, a);
	finish(p);
}

/* --- the request --------------------------------------------------------------------------------- */

/* 0, or -Exxx after the request was answered with what is wrong. */
static int fill(struct ctrl *c, const struct lyd_node *in, struct http_req *req,
		struct hd_api_probe *p)
{
	const char *vrf = cfg_str(in, "vrf"), *iface = cfg_str(in, "interface"),
		   *source = cfg_str(in, "source"), *dst = cfg_str(in, "destination");

	p->family = cfg_addr(dst, p->dst);
	p->protocol = (uint8_t)cfg_enum(in, "protocol", HD_PROBE_ECHO);
	p->udp_port = (uint16_t)cfg_u32(in, "port", 33434);
	p->size = (uint16_t)cfg_u32(in, "size", 56);
	p->hop_limit = (uint8_t)cfg_u32(in, "hop-limit", 64);
	p->traffic_class = (uint8_t)cfg_u32(in, "traffic-class", 0);
	p->flow_label = cfg_u32(in, "flow-label", 0);
	if (cfg_bool(in, "fragment", false))
		p->flags |= HD_PROBE_F_FRAGMENT;
	if (vrf != NULL && strcmp(vrf, "default") != 0) {
		p->vrf_id = ids_find(c->ids, ID_VRF, vrf);
		if (p->vrf_id == 0) {
			restconf_errorf(req, -ENOENT, "there is no VRF '%s'", vrf);
			return -ENOENT;
		}
	}
	if (iface != NULL) {
		p->iface_id = ids_find(c->ids, ID_INTERFACE, iface);
		if (p->iface_id == 0) {
			restconf_errorf(req, -ENOENT,
					"there is no interface '%s'; see: heddle show interfaces",
					iface);
			return -ENOENT;
		}
	}
	if (source != NULL) {
		p->flags |= HD_PROBE_F_SOURCE;
		if (cfg_addr(source, p->src) != p->family) {
			restconf_errorf(req, -EINVAL,
					"source %s and destination %s: not one family", source,
					dst);
			return -EINVAL;
		}
	}
	cfg_foreach(s, in, "segment")
	{
		if (p->family != 6 || p->n_segments == HD_PROBE_SEGMENTS_MAX) {
			restconf_errorf(req, -EINVAL, "segments are for IPv6, at most %u",
					HD_PROBE_SEGMENTS_MAX);
			return -EINVAL;
		}
		cfg_addr(lyd_get_value(s), p->segment[p->n_segments++]);
	}
	return 0;
}

static void probe_send(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	struct pending *p;

	if (n_waiting == PENDING_MAX) {
		restconf_errorf(req, -EBUSY, "%u probes wait for their answers already",
				PENDING_MAX);
		return;
	}
	p = calloc(1, sizeof(*p));
	if (p == NULL) {
		restconf_errorf(req, -ENOMEM, "out of memory");
		return;
	}
	if (fill(c, in, req, &p->probe) < 0) {
		free(p);
		return;
	}
	if (next_id == 0) /* not where an earlier process of ours was */
		next_id = (uint32_t)uv_hrtime();
	p->probe.probe_id = next_id++;
	p->req = req;
	p->timer.data = p;
	uv_timer_init(c->loop, &p->timer);
	uv_timer_start(&p->timer, on_timeout, cfg_u32(in, "timeout", 1000), 0);
	p->next = waiting;
	waiting = p;
	n_waiting++;
	dp_request(c->dp, HD_API_PROBE, &p->probe, sizeof(p->probe), -1, on_sent,
		   (void *)(uintptr_t)p->probe.probe_id);
}

const struct ctrl_domain probe_domain = {
	.name = "probe",
	.modules = (const char *const[]){ "heddle-probe", NULL },
	.ops = (const struct ctrl_op[]){ { "heddle-probe:send", probe_send }, { 0 } },
	.read_ops = (const char *const[]){ "heddle-probe:send", NULL },
};
