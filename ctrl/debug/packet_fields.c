/* SPDX-License-Identifier: BSD-3-Clause
 * Headers as tables of fields.  Every read is checked against the octets there are. */
#include "ctrl/debug/packet_fields.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "ctrl/debug/debug.h"
#include "ctrl/ip/ip.h"

enum form { DEC, HEX, IP4, IP6, MAC };
struct desc {
	const char *name;
	uint16_t bit, bits;
	enum form form;
};

static const struct desc eth_f[] = {
	{ "destination", 0, 48, MAC }, { "source", 48, 48, MAC }, { "type", 96, 16, HEX }, { 0 }
};
static const struct desc vlan_f[] = {
	{ "priority", 0, 3, DEC }, { "id", 4, 12, DEC }, { "type", 16, 16, HEX }, { 0 }
};
static const struct desc ip4_f[] = { { "DSCP", 8, 6, DEC },
				     { "ECN", 14, 2, DEC },
				     { "length", 16, 16, DEC },
				     { "id", 32, 16, DEC },
				     { "fragment", 48, 16, HEX },
				     { "TTL", 64, 8, DEC },
				     { "protocol", 72, 8, DEC },
				     { "checksum", 80, 16, HEX },
				     { "source", 96, 32, IP4 },
				     { "destination", 128, 32, IP4 },
				     { 0 } };
static const struct desc ip6_f[] = { { "DSCP", 4, 6, DEC },
				     { "ECN", 10, 2, DEC },
				     { "flow label", 12, 20, HEX },
				     { "payload length", 32, 16, DEC },
				     { "next header", 48, 8, DEC },
				     { "hop limit", 56, 8, DEC },
				     { "source", 64, 128, IP6 },
				     { "destination", 192, 128, IP6 },
				     { 0 } };
static const struct desc ext_f[] = { { "next header", 0, 8, DEC }, { "length", 8, 8, DEC }, { 0 } };
static const struct desc frag_f[] = { { "next header", 0, 8, DEC },
				      { "offset", 16, 13, DEC },
				      { "more", 31, 1, DEC },
				      { "id", 32, 32, HEX },
				      { 0 } };
static const struct desc srh_f[] = { { "next header", 0, 8, DEC },
				     { "length", 8, 8, DEC },
				     { "segments left", 24, 8, DEC },
				     { "last entry", 32, 8, DEC },
				     { "flags", 40, 8, HEX },
				     { "tag", 48, 16, HEX },
				     { 0 } };
static const struct desc seg_f[] = { { "segment", 0, 128, IP6 }, { 0 } };
static const struct desc icmp_f[] = {
	{ "type", 0, 8, DEC }, { "code", 8, 8, DEC }, { "checksum", 16, 16, HEX }, { 0 }
};
static const struct desc udp_f[] = { { "source port", 0, 16, DEC },
				     { "destination port", 16, 16, DEC },
				     { "length", 32, 16, DEC },
				     { "checksum", 48, 16, HEX },
				     { 0 } };
static const struct desc tcp_f[] = {
	{ "source port", 0, 16, DEC }, { "destination port", 16, 16, DEC },
	{ "sequence", 32, 32, DEC },   { "flags", 106, 6, HEX },
	{ "checksum", 128, 16, HEX },  { 0 }
};
static const struct desc arp_f[] = { { "operation", 48, 16, DEC }, { "sender MAC", 64, 48, MAC },
				     { "sender", 112, 32, IP4 },   { "target MAC", 144, 48, MAC },
				     { "target", 192, 32, IP4 },   { 0 } };

struct cut {
	const uint8_t *start, *p, *end;
	unsigned base;
	struct packet_fields *out;
};

static uint64_t bits(const uint8_t *p, unsigned bit, unsigned n)
{
	uint64_t v = 0;

	for (unsigned i = bit; i < bit + n; i++)
		v = v << 1 | (p[i / 8] >> (7 - i % 8) & 1);
	return v;
}

static void value_text(const uint8_t *p, const struct desc *d, char *buf, size_t size)
{
	const uint8_t *a = p + d->bit / 8;
	uint8_t addr[16] = { 0 };

	switch (d->form) {
	case DEC:
		snprintf(buf, size, "%llu", (unsigned long long)bits(p, d->bit, d->bits));
		break;
	case HEX:
		snprintf(buf, size, "0x%0*llx", (d->bits + 3) / 4,
			 (unsigned long long)bits(p, d->bit, d->bits));
		break;
	case IP4:
	case IP6:
		memcpy(addr, a, d->form == IP4 ? 4 : 16);
		ip_text(d->form == IP4 ? 4 : 6, addr, buf, size);
		break;
	case MAC:
		snprintf(buf, size, "%02x:%02x:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3], a[4],
			 a[5]);
		break;
	}
}

static void add_fields(struct cut *c, const uint8_t *p, const struct desc *d)
{
	for (; d->name != NULL && c->out->n_fields < FIELDS_MAX; d++) {
		struct packet_field *f = &c->out->field[c->out->n_fields++];

		f->name = d->name;
		value_text(p, d, f->value, sizeof(f->value));
		c->out->layer[c->out->n_layers - 1].n_fields++;
	}
}

/* A layer of n octets at the cursor, whose first ones the table describes.  NULL: cut off, or no room. */
static const uint8_t *layer(struct cut *c, const char *name, size_t n, const struct desc *d)
{
	struct packet_layer *l = &c->out->layer[c->out->n_layers];
	const uint8_t *p = c->p;

	if ((size_t)(c->end - c->p) < n || c->out->n_layers == LAYERS_MAX)
		return NULL;
	*l = (struct packet_layer){ .name = name,
				    .at = c->base + (unsigned)(p - c->start),
				    .first = c->out->n_fields };
	c->out->n_layers++;
	c->p += n;
	add_fields(c, p, d);
	return p;
}

static unsigned be16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static void ethernet(struct cut *c);
static void ip4(struct cut *c);
static void ip6(struct cut *c);

static void upper(struct cut *c, unsigned proto)
{
	switch (proto) {
	case 1:
		layer(c, "ICMP", 8, icmp_f);
		break;
	case 58:
		layer(c, "ICMPv6", 8, icmp_f);
		break;
	case 4:
		ip4(c);
		break;
	case 6:
		layer(c, "TCP", 20, tcp_f);
		break;
	case 17:
		layer(c, "UDP", 8, udp_f);
		break;
	case 41:
		ip6(c);
		break;
	case 143:
		ethernet(c);
		break;
	default:
		break;
	}
}

static void ip4(struct cut *c)
{
	size_t room = (size_t)(c->end - c->p), n = room > 0 ? (c->p[0] & 15u) * 4 : 0;

	if (n < 20 || layer(c, "IPv4", n, ip4_f) == NULL)
		return;
	const uint8_t *h = c->p - n;
	if ((be16(h + 6) & 0x1fff) == 0)
		upper(c, h[9]);
}

static const uint8_t *srh(struct cut *c)
{
	size_t n = (c->p[1] + 1u) * 8;
	const uint8_t *h = layer(c, "SRH", n, srh_f);

	for (unsigned i = 0; h != NULL && i <= h[4] && (i + 1) * 16 <= n - 8; i++)
		add_fields(c, h + 8 + i * 16, seg_f);
	return h;
}

static void ip6(struct cut *c)
{
	const uint8_t *h = layer(c, "IPv6", 40, ip6_f);

	if (h == NULL)
		return;
	unsigned next = h[6];
	while (next == 0 || next == 43 || next == 44 || next == 60) {
		if (c->end - c->p < 8)
			return;
		size_t n = next == 44 ? 8 : (c->p[1] + 1u) * 8;
		if (next == 43 && c->p[2] == 4)
			h = srh(c);
		else
			h = layer(c,
				  next == 0  ? "hop-by-hop options" :
				  next == 60 ? "destination options" :
				  next == 44 ? "fragment" :
					       "routing header",
				  n, next == 44 ? frag_f : ext_f);
		if (h == NULL || (next == 44 && (be16(h + 2) & 0xfff8) != 0))
			return;
		next = h[0];
	}
	upper(c, next);
}

static void ethernet(struct cut *c)
{
	const uint8_t *h = layer(c, "Ethernet", 14, eth_f);

	if (h == NULL)
		return;
	unsigned type = be16(h + 12);
	while (type == 0x8100 || type == 0x88a8) {
		h = layer(c, "VLAN", 4, vlan_f);
		if (h == NULL)
			return;
		type = be16(h + 2);
	}
	if (type == 0x0800)
		ip4(c);
	else if (type == 0x86dd)
		ip6(c);
	else if (type == 0x0806)
		layer(c, "ARP", 28, arp_f);
}

void packet_fields(const uint8_t *p, size_t len, unsigned base, struct packet_fields *ret)
{
	struct cut c = { .start = p, .p = p, .end = p + len, .base = base, .out = ret };

	memset(ret, 0, sizeof(*ret));
	if (len == 0)
		return;
	if (debug_is_ethernet(p, len))
		ethernet(&c);
	else if (p[0] >> 4 == 4)
		ip4(&c);
	else
		ip6(&c);
}

/* ---- differences --------------------------------------------------------------------------------------------- */

static void layer_text(const struct packet_fields *f, const struct packet_layer *l, char *buf,
		       size_t size)
{
	size_t n = 0;

	buf[0] = '\0';
	for (unsigned i = l->first; i < l->first + l->n_fields && n < size; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s %s", i > l->first ? ", " : "",
				      f->field[i].name, f->field[i].value);
}

static void fields_changed(const struct packet_fields *a, const struct packet_layer *la,
			   const struct packet_fields *b, const struct packet_layer *lb,
			   packet_change_fn fn, void *arg)
{
	for (unsigned i = 0; i < la->n_fields || i < lb->n_fields; i++) {
		const struct packet_field *f = i < la->n_fields ? &a->field[la->first + i] : NULL;
		const struct packet_field *g = i < lb->n_fields ? &b->field[lb->first + i] : NULL;

		if (f != NULL && g != NULL && strcmp(f->value, g->value) == 0)
			continue;
		fn(arg, CHANGE_SET, lb->name, f != NULL ? f->name : g->name,
		   f != NULL ? f->value : "", g != NULL ? g->value : "");
	}
}

void packet_changes(const struct packet_fields *before, const struct packet_fields *after,
		    packet_change_fn fn, void *arg)
{
	int of_b[LAYERS_MAX]; /* layer of `after` -> of `before`; -1: new */
	bool used[LAYERS_MAX] = { false };
	char text[600];

	/* What stands where it stood is the same; of the rest what has the same name, in order. */
	for (unsigned pass = 0; pass < 2; pass++) {
		for (unsigned j = 0; j < after->n_layers; j++) {
			if (pass == 0)
				of_b[j] = -1;
			for (unsigned i = 0; i < before->n_layers && of_b[j] < 0; i++)
				if (!used[i] &&
				    strcmp(before->layer[i].name, after->layer[j].name) == 0 &&
				    (pass == 1 || before->layer[i].at == after->layer[j].at)) {
					of_b[j] = (int)i;
					used[i] = true;
				}
		}
	}
	for (unsigned i = 0; i < before->n_layers; i++) {
		if (used[i])
			continue;
		layer_text(before, &before->layer[i], text, sizeof(text));
		fn(arg, CHANGE_REMOVED, before->layer[i].name, NULL, text, "");
	}
	for (unsigned j = 0; j < after->n_layers; j++) {
		if (of_b[j] >= 0) {
			fields_changed(before, &before->layer[of_b[j]], after, &after->layer[j], fn,
				       arg);
			continue;
		}
		layer_text(after, &after->layer[j], text, sizeof(text));
		fn(arg, CHANGE_ADDED, after->layer[j].name, NULL, "", text);
	}
}
