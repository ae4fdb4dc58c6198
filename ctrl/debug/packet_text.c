/* SPDX-License-Identifier: BSD-3-Clause
 * Headers in words.  Every read is checked against the octets there are; what is cut off is said to be. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ctrl/debug/debug.h"
#include "ctrl/ip/ip.h"

struct text {
	char *buf;
	size_t size, n;
	const uint8_t *p, *end;
};

static void add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;

	if (t->n >= t->size)
		return;
	va_start(ap, fmt);
	int n = vsnprintf(t->buf + t->n, t->size - t->n, fmt, ap);
	va_end(ap);
	t->n += n > 0 ? (size_t)n : 0;
}

static const uint8_t *pull(struct text *t, size_t n)
{
	if ((size_t)(t->end - t->p) < n) {
		add(t, "...");
		return NULL;
	}
	t->p += n;
	return t->p - n;
}

static unsigned be16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static void ports(struct text *t, const char *name)
{
	const uint8_t *h = pull(t, 4);

	if (h != NULL)
		add(t, "%s %u > %u", name, be16(h), be16(h + 2));
}

static void arp(struct text *t)
{
	const uint8_t *h = pull(t, 28);
	uint8_t a[16] = { 0 }, b[16] = { 0 };
	char ta[48], tb[48];

	if (h == NULL)
		return;
	memcpy(a, h + 14, 4);
	memcpy(b, h + 24, 4);
	if (be16(h + 6) == 1)
		add(t, "ARP who has %s, tell %s", ip_text(4, b, tb, sizeof(tb)),
		    ip_text(4, a, ta, sizeof(ta)));
	else
		add(t, "ARP %s is at %02x:%02x:%02x:%02x:%02x:%02x", ip_text(4, a, ta, sizeof(ta)),
		    h[8], h[9], h[10], h[11], h[12], h[13]);
}

static void srh(struct text *t, unsigned *next)
{
	const uint8_t *h = pull(t, 8);
	char a[48];

	if (h == NULL)
		return;
	*next = h[0];
	add(t, "SRH left %u [", h[3]);
	const uint8_t *body = pull(t, h[1] * 8u);
	for (int i = h[4]; body != NULL && i >= 0 && (i + 1) * 16 <= h[1] * 8;
	     i--) /* first segment visited first */
		add(t, "%s%s", i < h[4] ? " " : "", ip_text(6, body + i * 16, a, sizeof(a)));
	add(t, "], ");
}

static void ip4(struct text *t);
static void ip6(struct text *t);
static void ethernet(struct text *t);

static void upper(struct text *t, unsigned proto)
{
	const uint8_t *h;

	switch (proto) {
	case 1:
	case 58:
		h = pull(t, 4);
		if (h != NULL)
			add(t, "ICMP%s type %u code %u", proto == 58 ? "v6" : "", h[0], h[1]);
		break;
	case 4:
		ip4(t);
		break;
	case 6:
		ports(t, "TCP");
		break;
	case 17:
		ports(t, "UDP");
		break;
	case 41:
		ip6(t);
		break;
	case 143:
		ethernet(t);
		break;
	default:
		add(t, "protocol %u", proto);
	}
}

static void ip4(struct text *t)
{
	const uint8_t *h = pull(t, 20);
	uint8_t a[16] = { 0 }, b[16] = { 0 };
	char ta[48], tb[48];

	if (h == NULL)
		return;
	memcpy(a, h + 12, 4);
	memcpy(b, h + 16, 4);
	add(t, "IPv4 %s > %s ttl %u len %u, ", ip_text(4, a, ta, sizeof(ta)),
	    ip_text(4, b, tb, sizeof(tb)), h[8], be16(h + 2));
	if ((h[0] & 15) > 5 && pull(t, ((h[0] & 15u) - 5) * 4) == NULL)
		return;
	if ((be16(h + 6) & 0x1fff) != 0)
		add(t, "fragment");
	else
		upper(t, h[9]);
}

static void ip6(struct text *t)
{
	const uint8_t *h = pull(t, 40);
	char ta[48], tb[48];

	if (h == NULL)
		return;
	add(t, "IPv6 %s > %s hlim %u len %u, ", ip_text(6, h + 8, ta, sizeof(ta)),
	    ip_text(6, h + 24, tb, sizeof(tb)), h[7], be16(h + 4) + 40);
	unsigned next = h[6];
	for (int i = 0; i < 8; i++) {
		if (next == 43 && t->end - t->p >= 4 && t->p[2] == 4) {
			srh(t, &next);
		} else if (next == 0 || next == 60 || next == 43) {
			const uint8_t *e = pull(t, 8);
			if (e == NULL || pull(t, e[1] * 8u) == NULL)
				return;
			add(t, "%s, ",
			    next == 0  ? "hop-by-hop" :
			    next == 60 ? "options" :
					 "routing");
			next = e[0];
		} else if (next == 44) {
			const uint8_t *e = pull(t, 8);
			if (e == NULL)
				return;
			add(t, "fragment at %u, ", be16(e + 2) & ~7u);
			if ((be16(e + 2) & ~7u) != 0)
				return;
			next = e[0];
		} else {
			break;
		}
		if (t->p == t->end)
			return;
	}
	upper(t, next);
}

static void ethernet(struct text *t)
{
	const uint8_t *h = pull(t, 14), *tag;

	if (h == NULL)
		return;
	unsigned type = be16(h + 12);
	while ((type == 0x8100 || type == 0x88a8) && (tag = pull(t, 4)) != NULL) {
		add(t, "VLAN %u, ", be16(tag) & 0xfff);
		type = be16(tag + 2);
	}
	if (type == 0x0800)
		ip4(t);
	else if (type == 0x86dd)
		ip6(t);
	else if (type == 0x0806)
		arp(t);
	else
		add(t, "Ethernet type %#06x", type);
}

/* Ethernet types whose presence at octet 12 says: this begins with an Ethernet header. */
bool debug_is_ethernet(const uint8_t *p, size_t len)
{
	if (len < 15)
		return false;
	unsigned type = be16(p + 12);
	return (type == 0x0800 && p[14] >> 4 == 4) || (type == 0x86dd && p[14] >> 4 == 6) ||
	       type == 0x0806 || type == 0x8100 || type == 0x88a8;
}

/* ARP for IPv4 on Ethernet: hardware 1, protocol 0x0800, lengths 6 and 4 (RFC 826). */
static const uint8_t arp_begin[] = { 0, 1, 8, 0, 6, 4 };

const char *debug_packet_text(const uint8_t *head, size_t len, char *buf, size_t size)
{
	struct text t = { .buf = buf, .size = size, .p = head, .end = head + len };

	buf[0] = '\0';
	if (len == 0)
		return buf;
	if (debug_is_ethernet(head, len))
		ethernet(&t);
	else if (len >= sizeof(arp_begin) && memcmp(head, arp_begin, sizeof(arp_begin)) == 0)
		arp(&t); /* its frame's header is behind it */
	else if (head[0] >> 4 == 4 && (head[0] & 15) >= 5)
		ip4(&t);
	else if (head[0] >> 4 == 6)
		ip6(&t);
	else
		ethernet(&t);
	return buf;
}
