/* SPDX-License-Identifier: BSD-3-Clause
 * Streams from YAML: a table says which keys a layer has and what kind of value each is. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "bench/traffic/stream.h"
#include "heddle/wire/wire.h"

struct reader {
	yaml_document_t doc;
	const char *name;
	char *err;
	size_t err_size;
};

static int __attribute__((format(printf, 3, 4)))
bad(struct reader *r, const yaml_node_t *at, const char *fmt, ...)
{
	int n = snprintf(r->err, r->err_size, "%s:%zu: ", r->name,
			 at == NULL ? 0 : at->start_mark.line + 1);
	va_list ap;

	va_start(ap, fmt);
	if (n >= 0 && (size_t)n < r->err_size)
		vsnprintf(r->err + n, r->err_size - (size_t)n, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* Text of a scalar without NUL inside, or NULL. */
static const char *text_of(const yaml_node_t *n)
{
	if (n->type != YAML_SCALAR_NODE ||
	    strlen((const char *)n->data.scalar.value) != n->data.scalar.length)
		return NULL;
	return (const char *)n->data.scalar.value;
}

static int whole(const char *text, uint64_t max, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 0);
	return end == text || *end != '\0' || text[0] == '-' || text[0] == '+' || text[0] == ' ' ||
			       errno != 0 || *ret > max ?
		       -EINVAL :
		       0;
}

static int number_get(struct reader *r, const char *key, const yaml_node_t *n, uint64_t min,
		      uint64_t max, uint64_t *ret)
{
	const char *t = text_of(n);

	if (t == NULL || whole(t, max, ret) < 0 || *ret < min)
		return bad(r, n, "%s: a number from %llu to %llu is wanted", key,
			   (unsigned long long)min, (unsigned long long)max);
	return 0;
}

/* ---- values and ranges -------------------------------------------------------------------------------------- */

enum value_kind { V_MAC, V_IP4, V_IP6, V_NUMBER };

static int one_value(const char *t, enum value_kind kind, uint64_t max, uint8_t octets,
		     uint8_t to[16])
{
	uint64_t v;
	int end = 0;

	memset(to, 0, 16);
	switch (kind) {
	case V_MAC:
		if (strlen(t) != 17 || sscanf(t, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &to[0],
					      &to[1], &to[2], &to[3], &to[4], &to[5], &end) != 6)
			return -EINVAL;
		return end == 17 ? 0 : -EINVAL;
	case V_IP4:
		return inet_pton(AF_INET, t, to) == 1 ? 0 : -EINVAL;
	case V_IP6:
		return inet_pton(AF_INET6, t, to) == 1 ? 0 : -EINVAL;
	default:
		if (whole(t, max, &v) < 0)
			return -EINVAL;
		wire_put64(to, v << (64 - 8 * octets));
		return 0;
	}
}

static uint64_t low64(const uint8_t *v, uint8_t octets)
{
	uint8_t w[16] = { 0 };

	memcpy(w + 16 - octets, v, octets);
	return wire_get64(w + 8);
}

/* "A" or "A..B". */
static int range_get(struct reader *r, const char *key, const yaml_node_t *n, enum value_kind kind,
		     uint64_t max, uint8_t octets, struct range *ret)
{
	static const char *const what[] = { "a MAC address", "an IPv4 address", "an IPv6 address",
					    "a number" };
	const char *t = text_of(n), *dots = t == NULL ? NULL : strstr(t, "..");
	char first[64];
	uint8_t last[16];
	struct range v = { .octets = octets, .count = 1 };

	if (t == NULL || strlen(t) >= sizeof(first))
		return bad(r, n, "%s: %s is wanted, or a range A..B", key, what[kind]);
	snprintf(first, sizeof(first), "%.*s", dots == NULL ? (int)strlen(t) : (int)(dots - t), t);
	if (one_value(first, kind, max, octets, v.first) < 0 ||
	    (dots != NULL && one_value(dots + 2, kind, max, octets, last) < 0)) {
		if (kind == V_NUMBER)
			return bad(r, n,
				   "%s: \"%s\" is not a number up to %llu, or a range of such", key,
				   t, (unsigned long long)max);
		return bad(r, n, "%s: \"%s\" is not %s, or a range of such", key, t, what[kind]);
	}
	if (dots != NULL) {
		if (low64(last, octets) < low64(v.first, octets) ||
		    (octets == 16 && memcmp(last, v.first, 8) != 0))
			return bad(r, n, "%s: \"%s\": the second value lies before the first%s",
				   key, t, octets == 16 ? ", or differs in the upper 64 bits" : "");
		v.count = low64(last, octets) - low64(v.first, octets) + 1;
		if (v.count == 0) /* all 2^64 of them */
			v.count = UINT64_MAX;
	}
	*ret = v;
	return 0;
}

/* ---- layers ------------------------------------------------------------------------------------------------- */

enum field_kind { F_RANGE, F_U8, F_U16, F_U32, F_SEGMENTS, F_CONTEXT };

static const struct field {
	enum layer_kind layer;
	const char *key;
	enum field_kind kind;
	size_t offset; /* in struct layer */
	enum value_kind value;
	uint8_t octets; /* of a range */
	uint8_t needed;
	uint64_t min, max;
} fields[] = {
#define AT(f) offsetof(struct layer, f)
	{ LAYER_ETH, "src", F_RANGE, AT(src), V_MAC, 6, 0, 0, 0 },
	{ LAYER_ETH, "dst", F_RANGE, AT(dst), V_MAC, 6, 0, 0, 0 },
	{ LAYER_VLAN, "id", F_RANGE, AT(id), V_NUMBER, 2, 1, 0, 4094 },
	{ LAYER_VLAN, "pcp", F_U8, AT(pcp), V_NUMBER, 0, 0, 0, 7 },
	{ LAYER_VLAN, "tpid", F_U16, AT(tpid), V_NUMBER, 0, 0, 0x600, 0xffff },
	{ LAYER_PPPOE, "session", F_RANGE, AT(id), V_NUMBER, 2, 1, 0, 65535 },
	{ LAYER_IP4, "src", F_RANGE, AT(src), V_IP4, 4, 1, 0, 0 },
	{ LAYER_IP4, "dst", F_RANGE, AT(dst), V_IP4, 4, 1, 0, 0 },
	{ LAYER_IP4, "ttl", F_U8, AT(hops), V_NUMBER, 0, 0, 0, 255 },
	{ LAYER_IP4, "tos", F_U8, AT(tos), V_NUMBER, 0, 0, 0, 255 },
	{ LAYER_IP6, "src", F_RANGE, AT(src), V_IP6, 16, 1, 0, 0 },
	{ LAYER_IP6, "dst", F_RANGE, AT(dst), V_IP6, 16, 0, 0, 0 },
	{ LAYER_IP6, "hop-limit", F_U8, AT(hops), V_NUMBER, 0, 0, 0, 255 },
	{ LAYER_IP6, "traffic-class", F_U8, AT(tos), V_NUMBER, 0, 0, 0, 255 },
	{ LAYER_IP6, "flow-label", F_U32, AT(flow_label), V_NUMBER, 0, 0, 0, 0xfffff },
	{ LAYER_SRH, "segments", F_SEGMENTS, 0, V_IP6, 0, 1, 0, 0 },
	{ LAYER_SRH, "left", F_U8, AT(left), V_NUMBER, 0, 0, 0, FRAME_SEGMENTS_MAX - 1 },
	{ LAYER_NSH, "path", F_RANGE, AT(id), V_NUMBER, 4, 1, 0, 0xffffff },
	{ LAYER_NSH, "index", F_U8, AT(si), V_NUMBER, 0, 0, 0, 255 },
	{ LAYER_NSH, "ttl", F_U8, AT(hops), V_NUMBER, 0, 0, 0, 63 },
	{ LAYER_NSH, "md-type", F_U8, AT(md), V_NUMBER, 0, 0, 1, 2 },
	{ LAYER_NSH, "context", F_CONTEXT, 0, V_NUMBER, 0, 0, 0, 0 },
	{ LAYER_VXLAN_GPE, "vni", F_RANGE, AT(id), V_NUMBER, 4, 1, 0, 0xffffff },
	{ LAYER_UDP, "src", F_RANGE, AT(src), V_NUMBER, 2, 0, 0, 65535 },
	{ LAYER_UDP, "dst", F_RANGE, AT(dst), V_NUMBER, 2, 0, 0, 65535 },
	{ LAYER_TCP, "src", F_RANGE, AT(src), V_NUMBER, 2, 0, 0, 65535 },
	{ LAYER_TCP, "dst", F_RANGE, AT(dst), V_NUMBER, 2, 0, 0, 65535 },
	{ LAYER_TCP, "flags", F_U8, AT(tcp_flags), V_NUMBER, 0, 0, 0, 255 },
};
#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

static void layer_defaults(struct layer *l, enum layer_kind kind)
{
	memset(l, 0, sizeof(*l));
	l->kind = kind;
	l->tpid = 0x8100;
	l->hops = kind == LAYER_NSH ? 63 : 64;
	l->tcp_flags = 0x10;
	l->si = 255;
	l->md = 1;
	if (kind == LAYER_UDP || kind == LAYER_TCP) {
		l->src = (struct range){ { 0xc0, 0x20 }, 2, 1 };
		l->dst = (struct range){ { 0, 7 }, 2, 1 };
	}
	if (kind == LAYER_ETH) {
		l->src.octets = l->dst.octets = 6;
		l->src.count = l->dst.count = 1;
	}
}

static int segments_get(struct reader *r, yaml_node_t *n, struct layer *l)
{
	if (n->type != YAML_SEQUENCE_NODE)
		return bad(
			r, n,
			"segments: a list of IPv6 addresses is wanted, the first to be visited first");
	for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top;
	     i++) {
		const yaml_node_t *v = yaml_document_get_node(&r->doc, *i);
		const char *t = text_of(v);

		if (l->n_segments == FRAME_SEGMENTS_MAX)
			return bad(r, v, "segments: at most %u", FRAME_SEGMENTS_MAX);
		if (t == NULL || inet_pton(AF_INET6, t, l->segment[l->n_segments]) != 1)
			return bad(r, v, "segments: an IPv6 address is wanted");
		l->n_segments++;
	}
	if (l->n_segments == 0)
		return bad(r, n, "segments: the list is empty");
	return 0;
}

static int context_get(struct reader *r, const yaml_node_t *n, struct layer *l)
{
	const char *t = text_of(n);

	for (uint32_t i = 0; i < 16; i++)
		if (t == NULL || strlen(t) != 32 || strspn(t, "0123456789abcdefABCDEF") != 32 ||
		    sscanf(t + 2 * i, "%2hhx", &l->context[i]) != 1)
			return bad(r, n, "context: 32 hexadecimal digits are wanted");
	return 0;
}

static int field_get(struct reader *r, const struct field *f, yaml_node_t *n, struct layer *l)
{
	uint8_t *to = (uint8_t *)l + f->offset;
	uint64_t v;
	int rc;

	switch (f->kind) {
	case F_RANGE:
		return range_get(r, f->key, n, f->value, f->max, f->octets, (struct range *)to);
	case F_SEGMENTS:
		return segments_get(r, n, l);
	case F_CONTEXT:
		return context_get(r, n, l);
	default:
		rc = number_get(r, f->key, n, f->min, f->max, &v);
		if (rc < 0)
			return rc;
		if (f->kind == F_U8)
			*to = (uint8_t)v;
		else if (f->kind == F_U16)
			*(uint16_t *)to = (uint16_t)v;
		else
			*(uint32_t *)to = (uint32_t)v;
		return 0;
	}
}

static int layer_get(struct reader *r, enum layer_kind kind, yaml_node_t *n, struct layer *l)
{
	uint64_t given = 0;

	layer_defaults(l, kind);
	l->left = UINT8_MAX;
	if (n->type == YAML_MAPPING_NODE) {
		for (yaml_node_pair_t *p = n->data.mapping.pairs.start;
		     p < n->data.mapping.pairs.top; p++) {
			const yaml_node_t *k = yaml_document_get_node(&r->doc, p->key);
			const char *key = text_of(k);
			size_t i = 0;

			while (i < N_FIELDS && (fields[i].layer != kind || key == NULL ||
						strcmp(fields[i].key, key) != 0))
				i++;
			if (i == N_FIELDS)
				return bad(r, k, "%s has no \"%s\"", layer_name(kind),
					   key == NULL ? "?" : key);
			if (field_get(r, &fields[i], yaml_document_get_node(&r->doc, p->value), l) <
			    0)
				return -EINVAL;
			given |= 1ull << i;
		}
	} else if (text_of(n) == NULL || text_of(n)[0] != '\0') {
		return bad(r, n, "%s: keys and values are wanted", layer_name(kind));
	}
	for (size_t i = 0; i < N_FIELDS; i++)
		if (fields[i].layer == kind && fields[i].needed && !(given & 1ull << i))
			return bad(r, n, "%s needs \"%s\"", layer_name(kind), fields[i].key);
	if (kind == LAYER_SRH && l->left == UINT8_MAX)
		l->left = (uint8_t)(l->n_segments - 1);
	if (kind == LAYER_SRH && l->left >= l->n_segments)
		return bad(r, n, "srh: left is %u, but there are %u segments", l->left,
			   l->n_segments);
	return 0;
}

/* What a layer needs of its neighbours. */
static int packet_check(struct reader *r, const yaml_node_t *n, struct packet *p)
{
	for (uint32_t i = 0; i < p->n_layers; i++) {
		struct layer *l = &p->layer[i], *next = i + 1 < p->n_layers ? l + 1 : NULL;

		if ((l->kind == LAYER_PPPOE || l->kind == LAYER_NSH ||
		     l->kind == LAYER_VXLAN_GPE) &&
		    next == NULL)
			return bad(r, n, "%s needs a layer behind it", layer_name(l->kind));
		if (next != NULL && next->kind == LAYER_VXLAN_GPE && wire_get16(l->dst.first) == 7)
			wire_put16(l->dst.first, 4790);
		if (l->kind != LAYER_IP6 || l->dst.octets != 0)
			continue;
		if (next == NULL || next->kind != LAYER_SRH)
			return bad(r, n, "ip6 needs \"dst\", unless srh follows");
		l->dst = (struct range){ .octets = 16, .count = 1 };
		memcpy(l->dst.first, next->segment[next->n_segments - 1 - next->left], 16);
	}
	if (packet_headers(p) > FRAME_HEADERS_MAX)
		return bad(r, n, "the headers have %u octets, more than %u", packet_headers(p),
			   FRAME_HEADERS_MAX);
	return 0;
}

static int packet_get(struct reader *r, yaml_node_t *n, struct stream *s)
{
	struct packet *p = &s->packet;

	if (n->type != YAML_SEQUENCE_NODE)
		return bad(r, n, "packet: a list of layers is wanted");
	for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top;
	     i++) {
		yaml_node_t *v = yaml_document_get_node(&r->doc, *i), *body = v;
		const yaml_node_t *k = v;
		enum layer_kind kind = 0;
		const char *key;

		if (v->type == YAML_MAPPING_NODE) {
			yaml_node_pair_t *pair = v->data.mapping.pairs.start;

			if (v->data.mapping.pairs.top - pair != 1)
				return bad(
					r, v,
					"packet: one layer per item is wanted, as in \"- udp: {dst: 7}\"");
			k = yaml_document_get_node(&r->doc, pair->key);
			body = yaml_document_get_node(&r->doc, pair->value);
		}
		key = text_of(k);
		while (kind < LAYER_KINDS && (key == NULL || strcmp(layer_name(kind), key) != 0))
			kind++;
		if (kind == LAYER_KINDS)
			return bad(
				r, k,
				"\"%s\" is no layer; known: eth, vlan, pppoe, ip4, ip6, srh, nsh, vxlan-gpe, udp, tcp",
				key == NULL ? "?" : key);
		if (p->n_layers == FRAME_LAYERS_MAX)
			return bad(r, v, "more than %u layers", FRAME_LAYERS_MAX);
		if (!layer_may_follow(p->n_layers == 0 ? NULL : &p->layer[p->n_layers - 1].kind,
				      kind))
			return bad(r, v, "%s cannot stand %s%s", layer_name(kind),
				   p->n_layers == 0 ? "first" : "on ",
				   p->n_layers == 0 ? "" :
						      layer_name(p->layer[p->n_layers - 1].kind));
		if (v->type != YAML_MAPPING_NODE) {
			yaml_node_t empty = { .type = YAML_SCALAR_NODE,
					      .start_mark = v->start_mark };

			empty.data.scalar.value = (yaml_char_t *)"";
			if (layer_get(r, kind, &empty, &p->layer[p->n_layers]) < 0)
				return -EINVAL;
		} else if (layer_get(r, kind, body, &p->layer[p->n_layers]) < 0) {
			return -EINVAL;
		}
		p->n_layers++;
	}
	if (p->n_layers == 0)
		return bad(r, n, "packet: no layers");
	s->own_src = wire_get32(p->layer[0].src.first) == 0 &&
		     wire_get16(p->layer[0].src.first + 4) == 0;
	s->own_dst = wire_get32(p->layer[0].dst.first) == 0 &&
		     wire_get16(p->layer[0].dst.first + 4) == 0;
	return packet_check(r, n, p);
}

/* ---- streams and ports -------------------------------------------------------------------------------------- */

static int size_get(struct reader *r, const yaml_node_t *n, struct stream *s)
{
	const char *t = text_of(n);
	int rc = t == NULL ? -EINVAL : sizes_parse(t, s->size);

	if (rc < 0)
		return bad(r, n,
			   "size: octets with FCS from 64 on, several as 64,128,1518, or imix");
	s->n_sizes = (uint32_t)rc;
	return 0;
}

static int stream_get(struct reader *r, yaml_node_t *n, struct stream *s)
{
	bool to = false;

	*s = (struct stream){ .weight = 1, .flows = 1 };
	if (n->type != YAML_MAPPING_NODE)
		return bad(r, n,
			   "streams: an item has name, from, to, weight, flows, size, packet");
	for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top;
	     p++) {
		const yaml_node_t *k = yaml_document_get_node(&r->doc, p->key);
		yaml_node_t *v = yaml_document_get_node(&r->doc, p->value);
		const char *key = text_of(k);
		uint64_t x = 0;
		int rc = 0;

		if (key == NULL)
			return bad(r, k, "a stream's key is no text");
		if (strcmp(key, "name") == 0) {
			if (text_of(v) == NULL || strlen(text_of(v)) >= sizeof(s->name))
				return bad(r, v, "name: up to %zu characters are wanted",
					   sizeof(s->name) - 1);
			snprintf(s->name, sizeof(s->name), "%s", text_of(v));
		} else if (strcmp(key, "from") == 0) {
			rc = number_get(r, key, v, 0, STREAM_PORTS_MAX - 1, &x);
			s->from = (uint32_t)x;
		} else if (strcmp(key, "to") == 0) {
			rc = number_get(r, key, v, 0, STREAM_PORTS_MAX - 1, &x);
			s->to = (uint32_t)x;
			to = true;
		} else if (strcmp(key, "weight") == 0) {
			rc = number_get(r, key, v, 1, STREAM_WEIGHT_MAX, &x);
			s->weight = (uint32_t)x;
		} else if (strcmp(key, "flows") == 0) {
			rc = number_get(r, key, v, 1, STREAM_FLOWS_MAX, &x);
			s->flows = (uint32_t)x;
		} else if (strcmp(key, "size") == 0) {
			rc = size_get(r, v, s);
		} else if (strcmp(key, "packet") == 0) {
			if (s->packet.n_layers != 0)
				return bad(r, k, "packet is given twice");
			rc = packet_get(r, v, s);
		} else {
			return bad(r, k, "a stream has no \"%s\"", key);
		}
		if (rc < 0)
			return rc;
	}
	if (s->packet.n_layers == 0)
		return bad(r, n, "the stream has no packet");
	if (!to)
		s->to = s->from ^ 1;
	return 0;
}

static int addr_get(struct reader *r, const yaml_node_t *n, struct stream_addr *ret)
{
	const char *t = text_of(n);

	if (t != NULL && inet_pton(AF_INET, t, ret->b) == 1)
		ret->octets = 4;
	else if (t != NULL && inet_pton(AF_INET6, t, ret->b) == 1)
		ret->octets = 16;
	else
		return bad(r, n, "an IPv4 or IPv6 address is wanted");
	return 0;
}

static int port_get(struct reader *r, yaml_node_t *n, struct stream_port *port)
{
	if (n->type != YAML_MAPPING_NODE)
		return bad(r, n, "ports: an item has address (a list) and gateway");
	for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top;
	     p++) {
		const yaml_node_t *k = yaml_document_get_node(&r->doc, p->key);
		yaml_node_t *v = yaml_document_get_node(&r->doc, p->value);
		const char *key = text_of(k);

		if (key != NULL && strcmp(key, "gateway") == 0) {
			if (addr_get(r, v, &port->gateway) < 0)
				return -EINVAL;
		} else if (key != NULL && strcmp(key, "address") == 0 &&
			   v->type == YAML_SEQUENCE_NODE) {
			for (yaml_node_item_t *i = v->data.sequence.items.start;
			     i < v->data.sequence.items.top; i++) {
				if (port->n_addrs == STREAM_ADDRS_MAX)
					return bad(r, v, "address: at most %u", STREAM_ADDRS_MAX);
				if (addr_get(r, yaml_document_get_node(&r->doc, *i),
					     &port->addr[port->n_addrs++]) < 0)
					return -EINVAL;
			}
		} else {
			return bad(r, k, "a port has address (a list) and gateway");
		}
	}
	for (uint32_t i = 0; i < port->n_addrs; i++)
		if (port->addr[i].octets == port->gateway.octets)
			return 0;
	return port->gateway.octets == 0 ?
		       0 :
		       bad(r, n, "gateway: the port has no address of its family");
}

static int root_get(struct reader *r, yaml_node_t *n, struct streams *ret)
{
	uint32_t flows = 0;

	if (n == NULL || n->type != YAML_MAPPING_NODE)
		return bad(r, n, "\"streams:\" is wanted");
	for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top;
	     p++) {
		const yaml_node_t *k = yaml_document_get_node(&r->doc, p->key);
		yaml_node_t *v = yaml_document_get_node(&r->doc, p->value);
		const char *key = text_of(k);
		bool ports = key != NULL && strcmp(key, "ports") == 0;

		if (key == NULL || (!ports && strcmp(key, "streams") != 0) ||
		    v->type != YAML_SEQUENCE_NODE)
			return bad(
				r, k,
				"\"streams:\" and \"ports:\", each with a list, are all there is");
		if ((ports ? ret->n_ports : ret->n) != 0)
			return bad(r, k, "\"%s\" is given twice", key);
		for (yaml_node_item_t *i = v->data.sequence.items.start;
		     i < v->data.sequence.items.top; i++) {
			yaml_node_t *item = yaml_document_get_node(&r->doc, *i);

			if (ports ? ret->n_ports == STREAM_PORTS_MAX : ret->n == STREAMS_MAX)
				return bad(r, item, "too many %s", key);
			if (ports ? port_get(r, item, &ret->port[ret->n_ports]) < 0 :
				    stream_get(r, item, &ret->stream[ret->n]) < 0)
				return -EINVAL;
			if (ports) {
				ret->n_ports++;
				continue;
			}
			flows += ret->stream[ret->n].flows;
			if (flows > STREAM_FLOWS_MAX)
				return bad(r, item, "more than %u flows in all", STREAM_FLOWS_MAX);
			if (ret->stream[ret->n].name[0] == '\0')
				snprintf(ret->stream[ret->n].name, sizeof(ret->stream[0].name),
					 "stream %u", ret->n);
			ret->n++;
		}
	}
	return ret->n == 0 ? bad(r, n, "there is no stream") : 0;
}

int streams_from_yaml(const char *text, size_t len, const char *name, struct streams *ret,
		      char *err, size_t err_size)
{
	struct reader r = { .name = name, .err = err, .err_size = err_size };
	yaml_parser_t parser;
	int rc;

	memset(ret, 0, sizeof(*ret));
	if (!yaml_parser_initialize(&parser)) {
		snprintf(err, err_size, "%s: no memory", name);
		return -ENOMEM;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	if (!yaml_parser_load(&parser, &r.doc)) {
		snprintf(err, err_size, "%s:%zu: %s", name, parser.problem_mark.line + 1,
			 parser.problem != NULL ? parser.problem : "not YAML");
		yaml_parser_delete(&parser);
		return -EINVAL;
	}
	rc = root_get(&r, yaml_document_get_root_node(&r.doc), ret);
	yaml_document_delete(&r.doc);
	yaml_parser_delete(&parser);
	if (rc < 0)
		memset(ret, 0, sizeof(*ret));
	return rc;
}
