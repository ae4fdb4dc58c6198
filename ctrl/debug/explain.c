/* SPDX-License-Identifier: BSD-3-Clause
 * heddle-explain:explain: the question to the data plane, and its answer with the names and configuration of what
 * decided. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/cfg.h"
#include "ctrl/config.h"
#include "ctrl/debug/debug_private.h"
#include "ctrl/debug/explain_entry.h"
#include "ctrl/debug/explain_input.h"
#include "ctrl/debug/packet_fields.h"
#include "ctrl/dp_state.h"
#include "ctrl/ip/ip.h"
#include "ctrl/running.h"
#include "heddle/api/debug.h"
#include "heddle/api/ip.h"
#include "heddle/api/l2.h"
#include "heddle/api/srv6.h"

static_assert(EXPLAIN_PACKET_MAX == HD_EXPLAIN_FRAME_MAX, "what the data plane takes");

/* ---- the sentence of a verdict: "what it means (RFC 1 2): what to do", or (IEEE 802.1Q 3) ------------------------ */

static void trim(char *s)
{
	size_t n = strlen(s), lead = strspn(s, " :,;");

	while (n > 0 && strchr(" :,;", s[n - 1]) != NULL)
		s[--n] = '\0';
	if (lead > 0 && lead <= n)
		memmove(s, s + lead, n - lead + 1);
}

void debug_meaning_json(struct json_object *o, const char *text, size_t size)
{
	char s[256], reference[256] = "", advice[256] = "";

	snprintf(s, sizeof(s), "%.*s", (int)size, text);
	char *rfc = strstr(s, "(RFC"), *open = rfc != NULL ? rfc : strstr(s, "(IEEE"),
	     *close = open != NULL ? strchr(open, ')') : NULL;
	for (int depth = 0; open != NULL && *open != '\0'; depth = 0) { /* "(RFC 4443 2.4(e))" */
		for (close = open; *close != '\0'; close++) {
			depth += (*close == '(') - (*close == ')');
			if (depth == 0)
				break;
		}
		break;
	}
	if (open != NULL && close != NULL && *close == ')') {
		snprintf(reference, sizeof(reference), "%.*s", (int)(close - open - 1), open + 1);
		if (open > s && open[-1] == ' ' && strchr(",;:.", close[1]) != NULL)
			open--; /* no blank before what follows the reference */
		memmove(open, close + 1, strlen(close + 1) + 1);
	}
	char *colon = strchr(s, ':');
	if (colon != NULL) {
		snprintf(advice, sizeof(advice), "%s", colon + 1);
		*colon = '\0';
		trim(advice);
	}
	trim(s);
	json_add_str(o, "meaning", s);
	if (reference[0] != '\0')
		json_add_str(o, "reference", reference);
	if (advice[0] != '\0')
		json_add_str(o, "advice", advice);
}

/* ---- the answer ---------------------------------------------------------------------------------------------- */

struct end { /* EXPLAIN_END with its packet */
	struct hd_api_explain_end e;
	uint8_t data[16384];
};

struct told {
	struct hd_api_explain_step *step;
	size_t n_steps;
	struct end *end;
	size_t n_ends;
};

static void told_free(struct told *t)
{
	free(t->step);
	free(t->end);
}

static int told_read(const struct dp_answer *a, struct told *t)
{
	struct end *e = malloc(sizeof(*e));
	const struct hd_api_hdr *h;
	size_t off = 0;
	int rc = e == NULL ? -ENOMEM : 0;

	while (rc == 0 && (h = dp_answer_next(a, &off, e, sizeof(*e))) != NULL) {
		bool step = h->type == HD_API_EXPLAIN_STEP;
		void *more = step ? realloc(t->step, (t->n_steps + 1) * sizeof(*t->step)) :
				    realloc(t->end, (t->n_ends + 1) * sizeof(*t->end));
		if (more == NULL) {
			rc = -ENOMEM;
		} else if (step) {
			t->step = more;
			memcpy(&t->step[t->n_steps++], e, sizeof(*t->step));
		} else {
			size_t have = h->length - sizeof(*h) < sizeof(e->e) ?
					      0 :
					      h->length - sizeof(*h) - sizeof(e->e);
			if (e->e.length > have)
				e->e.length = (uint16_t)have;
			if (e->e.length > sizeof(e->data))
				e->e.length = sizeof(e->data);
			e->e.text[sizeof(e->e.text) - 1] = '\0';
			t->end = more;
			t->end[t->n_ends++] = *e;
		}
	}
	free(e);
	return rc;
}

static void change_add(void *arg, enum packet_change what, const char *header, const char *field,
		       const char *from, const char *to)
{
	static const char *const names[] = { "set", "added", "removed" };
	struct json_object *o = json_object_new_object();

	json_add_str(o, "what", names[what]);
	json_add_str(o, "header", header);
	if (field != NULL)
		json_add_str(o, "field", field);
	if (from[0] != '\0')
		json_add_str(o, "from", from);
	if (to[0] != '\0')
		json_add_str(o, "to", to);
	json_object_array_add(arg, o);
}

static size_t head_len(const struct hd_api_explain_step *s)
{
	return s->head_len <= HD_EXPLAIN_HEAD ? s->head_len : HD_EXPLAIN_HEAD;
}

/* From this step's packet to its next appearance. */
static struct json_object *changes_json(const struct told *t, size_t i)
{
	struct packet_fields *f = calloc(2, sizeof(*f));
	struct json_object *list = json_object_new_array();
	const struct hd_api_explain_step *s = &t->step[i];
	bool known = false;

	if (f == NULL)
		return list;
	packet_fields(s->head, head_len(s), s->offset, &f[0]);
	for (size_t k = i + 1; k < t->n_steps && !known; k++) {
		known = t->step[k].packet == s->packet;
		if (known)
			packet_fields(t->step[k].head, head_len(&t->step[k]), t->step[k].offset,
				      &f[1]);
	}
	for (size_t k = 0; k < t->n_ends && !known; k++) {
		known = t->end[k].e.packet == s->packet;
		if (known) /* no more of it than is known of the state before */
			packet_fields(t->end[k].data,
				      t->end[k].e.length < HD_EXPLAIN_HEAD ? t->end[k].e.length :
									     HD_EXPLAIN_HEAD,
				      t->end[k].e.offset, &f[1]);
	}
	if (known)
		packet_changes(&f[0], &f[1], change_add, list);
	free(f);
	return list;
}

static const struct hd_stats_row *verdict_row(struct ctrl *c, const struct hd_api_explain_step *s)
{
	return s->verdict == 0xffff ?
		       NULL :
		       dp_stats_row(c->dp, dp_stats_vec_at(c->dp, s->verdict_vec), s->verdict);
}

static void node_name(struct ctrl *c, const struct hd_api_explain_step *s, char *buf, size_t size)
{
	const struct hd_stats_row *node =
		dp_stats_row(c->dp, dp_stats_vec(c->dp, "node", NULL), s->node);

	snprintf(buf, size, "%.47s", node != NULL ? node->name : "?");
}

static struct json_object *step_json(struct ctrl *c, const struct told *t, size_t i)
{
	const struct hd_api_explain_step *s = &t->step[i];
	const struct hd_stats_row *verdict = verdict_row(c, s);
	struct json_object *o = json_object_new_object();
	char text[600];

	json_add_u32(o, "packet", s->packet);
	if (s->made_from != 0)
		json_add_u32(o, "made-from", s->made_from);
	node_name(c, s, text, sizeof(text));
	json_add_str(o, "node", text);
	if (verdict != NULL) {
		snprintf(text, sizeof(text), "%.47s", verdict->name);
		json_add_str(o, "verdict", text);
		snprintf(text, sizeof(text), "%.31s", verdict->next);
		json_add_str(o, "next", text);
		debug_meaning_json(o, verdict->text, sizeof(verdict->text) - 1);
	}
	json_add_str(o, "vrf", ip_vrf_name(c->ids, s->vrf_id));
	json_add_u32(o, "length", s->length);
	json_add_str(o, "summary", debug_packet_text(s->head, head_len(s), text, sizeof(text)));
	json_object_object_add(o, "entry", explain_entries_json(c, s));
	json_object_object_add(o, "change", changes_json(t, i));
	return o;
}

/* Why it was dropped: the last verdict that led to drop, and the last entry before it that somebody configured. */
static void add_drop(struct ctrl *c, const struct told *t, uint16_t packet, struct json_object *o)
{
	const struct hd_stats_row *row = NULL;
	const struct object *object = NULL;
	char text[120], what[400] = "";

	for (size_t i = 0; i < t->n_steps; i++) {
		const struct hd_api_explain_step *s = &t->step[i];
		if (s->packet != packet)
			continue;
		const struct hd_stats_row *r = verdict_row(c, s);
		if (r != NULL) {
			char node[60];
			row = r;
			node_name(c, s, node, sizeof(node));
			snprintf(text, sizeof(text), "%s %.47s", node, r->name);
		}
		for (unsigned k = 0; k < s->n_entries && k < HD_EXPLAIN_ENTRIES_MAX; k++) {
			struct explain_found f;
			explain_entry_find(c, s, k, &f);
			if (f.object == NULL || f.object->origin == NULL)
				continue;
			object = f.object;
			snprintf(what, sizeof(what), "%s %s", f.kind, f.name);
		}
	}
	if (row == NULL)
		return;
	json_add_str(o, "reason", text);
	debug_meaning_json(o, row->text, sizeof(row->text) - 1);
	if (object != NULL) {
		json_add_str(o, "object", what);
		explain_add_path(o, object);
	}
}

static struct json_object *end_json(struct ctrl *c, const struct told *t, const struct end *e)
{
	static const char *const fates[] = { "?", "sent", "dropped", "punted", "replaced" };
	struct json_object *o = json_object_new_object();
	const struct hd_stats_row *reason;
	char text[600];

	json_add_u32(o, "number", e->e.packet);
	json_add_str(o, "fate", e->e.fate <= HD_EXPLAIN_REPLACED ? fates[e->e.fate] : "?");
	if (e->e.fate == HD_EXPLAIN_SENT)
		json_add_str(o, "interface", dp_state_name(c, ID_INTERFACE, e->e.iface_id));
	if (e->e.fate == HD_EXPLAIN_DROPPED)
		add_drop(c, t, e->e.packet, o);
	if (e->e.fate == HD_EXPLAIN_PUNTED) {
		reason = dp_stats_row(c->dp, dp_stats_vec(c->dp, "punt", NULL), e->e.reason);
		snprintf(text, sizeof(text), "%.47s", reason != NULL ? reason->name : "?");
		json_add_str(o, "reason", text);
		json_add_str(o, "meaning", e->e.text);
	}
	if (e->e.fate != HD_EXPLAIN_REPLACED) {
		json_add_u32(o, "length", e->e.length);
		json_add_str(o, "summary",
			     debug_packet_text(e->data, e->e.length, text, sizeof(text)));
		json_add_hex(o, "data", e->data, e->e.length);
	}
	return o;
}

static struct json_object *explained_json(struct ctrl *c, const struct dp_answer *a)
{
	struct told t = { 0 };
	struct json_object *top = NULL;

	if ((a->error == 0 || a->error == E2BIG) && told_read(a, &t) == 0) {
		struct json_object *steps = json_object_new_array(),
				   *packets = json_object_new_array();
		top = json_object_new_object();
		for (size_t i = 0; i < t.n_steps; i++)
			json_object_array_add(steps, step_json(c, &t, i));
		for (size_t i = 0; i < t.n_ends; i++)
			json_object_array_add(packets, end_json(c, &t, &t.end[i]));
		json_object_object_add(top, "step", steps);
		json_object_object_add(top, "packet", packets);
		if (a->text[0] != '\0')
			json_add_str(top, "note", a->text);
	}
	told_free(&t);
	return top;
}

/* ---- the question -------------------------------------------------------------------------------------------- */

struct question {
	struct hd_api_explain req;
	uint8_t packet[HD_EXPLAIN_FRAME_MAX];
};

/* Octets of the packet, or -Exxx with why filled. */
static int flow_packet(const struct lyd_node *in, const char *text, struct question *q, char *why,
		       size_t size)
{
	struct explain_flow f;
	int rc = explain_flow_parse(text, &f, why, size);

	if (rc < 0)
		return rc;
	f.ttl = (uint8_t)cfg_u32(in, "ttl", 64);
	f.dscp = (uint8_t)cfg_u32(in, "dscp", 0);
	f.length = (uint16_t)cfg_u32(in, "length", 0);
	cfg_addr(cfg_str(in, "outer-source"), f.outer_src);
	cfg_foreach(sid, in, "sid")
	{
		if (f.n_sids < EXPLAIN_SIDS_MAX)
			cfg_addr(lyd_get_value(sid), f.sid[f.n_sids++]);
	}
	q->req.flags |= HD_EXPLAIN_F_L3;
	rc = explain_flow_build(&f, q->packet, sizeof(q->packet));
	if (rc < 0)
		snprintf(why, size,
			 "length %u: the headers need more, or the packet gets longer than %u",
			 f.length, HD_EXPLAIN_FRAME_MAX);
	return rc;
}

static int hex_packet(const char *text, struct question *q, char *why, size_t size)
{
	size_t at = 0;
	int rc = explain_hex(text, q->packet, sizeof(q->packet), &at);

	if (rc == -E2BIG)
		snprintf(why, size, "the packet has more than %u octets", HD_EXPLAIN_FRAME_MAX);
	else if (rc < 0)
		snprintf(why, size, "not hexadecimal octets at character %zu: '%.10s'", at + 1,
			 text + at);
	else if (rc == 0)
		snprintf(why, size, "there are no octets in the packet");
	else if (explain_is_ip(q->packet, (size_t)rc))
		q->req.flags |= HD_EXPLAIN_F_L3;
	return rc == 0 ? -EINVAL : rc;
}

void debug_explain(struct ctrl *c, const struct lyd_node *in, struct http_req *req)
{
	/* An explanation that is cut short is one all the same, and says so. */
	static const struct dp_state explained = {
		.name = "heddle-explain:output",
		.type = HD_API_EXPLAIN,
		.anyway = true,
		.value = explained_json,
	};
	const char *iface = cfg_str(in, "interface"), *hex = cfg_str(in, "hex"),
		   *flow = cfg_str(in, "flow");
	struct question *q = calloc(1, sizeof(*q));
	char why[300] = "";
	int len = -ENOMEM;

	if (q == NULL)
		goto refuse;
	q->req.iface_id = iface != NULL ? ids_find(c->ids, ID_INTERFACE, iface) : 0;
	if (q->req.iface_id == 0) {
		snprintf(why, sizeof(why),
			 "there is no interface '%s'; see: heddle show interfaces",
			 iface != NULL ? iface : "");
		len = -ENOENT;
		goto refuse;
	}
	q->req.outer_vid = (uint16_t)cfg_u32(in, "outer-vlan", 0);
	q->req.inner_vid = (uint16_t)cfg_u32(in, "inner-vlan", 0);
	q->req.outer_tpid = q->req.inner_vid != 0 ? 0x88a8 : 0x8100;
	if (q->req.outer_vid != 0)
		q->req.flags |= HD_EXPLAIN_F_TAGS;
	len = flow != NULL ? flow_packet(in, flow, q, why, sizeof(why)) :
	      hex != NULL  ? hex_packet(hex, q, why, sizeof(why)) :
			     -EINVAL;
	if (len < 0)
		goto refuse;
	dp_state_ask(c, req, &explained, q, sizeof(q->req) + (size_t)len);
	free(q);
	return;
refuse:
	restconf_errorf(req, len == -E2BIG || len == -EMSGSIZE ? -EINVAL : len, "%s",
			why[0] != '\0' ? why : strerror(-len));
	free(q);
}
