/* SPDX-License-Identifier: BSD-3-Clause */
#include "ctrl/debug/explain_input.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl/debug/debug.h"
#include "heddle/wire/icmp6.h"
#include "heddle/wire/ip4.h"
#include "heddle/wire/srh.h"
#include "heddle/wire/udp.h"

/* ---- hexadecimal --------------------------------------------------------------------------------------------- */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "\t0x0010:  " at the start of a line: octets to skip; 0: no offset here. */
static size_t offset_len(const char *p)
{
	size_t n = strspn(p, " \t"), digits = n + 2;

	if (p[n] != '0' || p[n + 1] != 'x')
		return 0;
	while (digit(p[digits]) >= 0)
		digits++;
	return digits > n + 2 && p[digits] == ':' ? digits + 1 : 0;
}

int explain_hex(const char *text, uint8_t *buf, size_t size, size_t *ret_at)
{
	bool line_start = true, dump = false;
	const char *p = text;
	size_t n = 0;

	while (*p != '\0') {
		size_t skip = line_start ? offset_len(p) : 0;

		*ret_at = (size_t)(p - text);
		line_start = false;
		if (skip != 0) {
			dump = true;
			p += skip;
			p += strspn(p, " \t");
		} else if (*p == '\n' || *p == '\r') {
			line_start = true;
			p++;
		} else if (dump && p[0] == ' ' && p[1] == ' ') { /* the ASCII column follows */
			p += strcspn(p, "\r\n");
		} else if (strchr(" \t:-.,", *p) != NULL) {
			p++;
		} else if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X') && digit(p[2]) >= 0) {
			p += 2;
		} else if (digit(p[0]) >= 0 && digit(p[1]) >= 0) {
			if (n == size)
				return -E2BIG;
			buf[n++] = (uint8_t)(digit(p[0]) << 4 | digit(p[1]));
			p += 2;
		} else {
			return -EINVAL;
		}
	}
	return (int)n;
}

/* ---- flows --------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	uint8_t proto;
	bool ports;
} protos[] = {
	{ "udp", IP_NH_UDP, true },       { "tcp", IP_NH_TCP, true },
	{ "icmp", IP_NH_ICMP4, false },   { "icmp6", IP_NH_ICMP6, false },
	{ "icmpv6", IP_NH_ICMP6, false }, { "ip", IP_NH_NONE, false },
};

static int fail(char *why, size_t size, const char *what, const char *word)
{
	snprintf(why, size, "%s '%.60s'; a flow is written: udp 10.0.0.1:5 > 10.0.2.3:53", what,
		 word);
	return -EINVAL;
}

/* "10.0.0.1", "10.0.0.1:5", "2001:db8::1", "[2001:db8::1]:5".  Returns the family or 0. */
static uint8_t endpoint(const char *word, bool want_port, uint8_t addr[16], uint16_t *port)
{
	char copy[64], *at = copy, *colon;
	uint8_t family;

	if ((size_t)snprintf(copy, sizeof(copy), "%s", word) >= sizeof(copy))
		return 0;
	memset(addr, 0, 16);
	*port = 0;
	if (copy[0] == '[') {
		char *close = strchr(copy, ']');

		if (close == NULL)
			return 0;
		*close = '\0';
		at = copy + 1;
		colon = close[1] == ':' ? close + 1 : NULL;
		if (colon == NULL && close[1] != '\0')
			return 0;
		family = 6;
	} else {
		colon = strchr(copy, ':');
		family = colon != NULL && strchr(colon + 1, ':') != NULL ? 6 : 4;
		if (family == 6)
			colon = NULL;
	}
	if (colon != NULL) {
		char *end;
		unsigned long v = strtoul(colon + 1, &end, 10);

		if (!want_port || !isdigit((unsigned char)colon[1]) || *end != '\0' || v > 65535)
			return 0;
		*port = (uint16_t)v;
		*colon = '\0';
	}
	return inet_pton(family == 4 ? AF_INET : AF_INET6, at, addr) == 1 ? family : 0;
}

int explain_flow_parse(const char *text, struct explain_flow *ret, char *why, size_t size)
{
	char copy[256], *word[8], *save = NULL;
	struct explain_flow f = { .ttl = 64 };
	bool ports = false, found = false;
	unsigned n = 0, at = 1;
	uint8_t other;

	if ((size_t)snprintf(copy, sizeof(copy), "%s", text) >= sizeof(copy))
		return fail(why, size, "too long", text);
	for (char *w = strtok_r(copy, " \t", &save); w != NULL && n < 8;
	     w = strtok_r(NULL, " \t", &save))
		word[n++] = w;
	if (n == 0)
		return fail(why, size, "there is nothing in", text);
	for (size_t i = 0; i < sizeof(protos) / sizeof(protos[0]) && !found; i++) {
		found = strcmp(word[0], protos[i].name) == 0;
		f.proto = protos[i].proto;
		ports = protos[i].ports;
	}
	if (!found && strcmp(word[0], "proto") == 0 && n > 1) {
		char *end;
		unsigned long v = strtoul(word[1], &end, 10);

		if (!isdigit((unsigned char)word[1][0]) || *end != '\0' || v > 255)
			return fail(why, size, "no protocol number:", word[1]);
		f.proto = (uint8_t)v;
		ports = v == IP_NH_UDP || v == IP_NH_TCP;
		at = 2;
	} else if (!found) {
		return fail(why, size, "not udp, tcp, icmp, ip or proto N:", word[0]);
	}
	if (n != at + 3 || strcmp(word[at + 1], ">") != 0)
		return fail(why, size, "not SOURCE > DESTINATION:", text);
	f.family = endpoint(word[at], ports, f.src, &f.sport);
	if (f.family == 0)
		return fail(why, size, ports ? "no address with a port:" : "no address:", word[at]);
	other = endpoint(word[at + 2], ports, f.dst, &f.dport);
	if (other == 0)
		return fail(why, size,
			    ports ? "no address with a port:" : "no address:", word[at + 2]);
	if (other != f.family)
		return fail(why, size, "addresses of two families:", text);
	if (f.family == 6 && f.proto == IP_NH_ICMP4)
		f.proto = IP_NH_ICMP6;
	*ret = f;
	return 0;
}

static unsigned upper_len(const struct explain_flow *f)
{
	switch (f->proto) {
	case IP_NH_TCP:
		return 20;
	case IP_NH_UDP:
	case IP_NH_ICMP4:
	case IP_NH_ICMP6:
		return 8;
	default:
		return 0;
	}
}

static void upper_build(const struct explain_flow *f, uint8_t *p, size_t len)
{
	size_t at = f->proto == IP_NH_TCP ? 16 : f->proto == IP_NH_UDP ? 6 : 2;
	uint64_t pseudo = 0;

	if (f->proto == IP_NH_TCP || f->proto == IP_NH_UDP) {
		wire_put16(p, f->sport);
		wire_put16(p + 2, f->dport);
	}
	if (f->proto == IP_NH_TCP) {
		p[12] = 5 << 4;
		p[13] = 0x02; /* SYN: the first packet of a flow */
		wire_put16(p + 14, 65535);
	} else if (f->proto == IP_NH_UDP) {
		wire_put16(p + 4, (uint16_t)len);
	} else if (f->proto == IP_NH_ICMP4 || f->proto == IP_NH_ICMP6) {
		p[0] = f->proto == IP_NH_ICMP4 ? 8 : 128; /* echo request */
		p[7] = 1;
	} else {
		return;
	}
	if (f->family == 6) {
		pseudo = hd_csum_ip6_pseudo((const struct ip6_addr *)f->src,
					    (const struct ip6_addr *)f->dst, (uint32_t)len,
					    f->proto);
	} else if (f->proto != IP_NH_ICMP4) {
		uint8_t tail[4] = { 0, f->proto, (uint8_t)(len >> 8), (uint8_t)len };

		pseudo = hd_csum_add(hd_csum_add(hd_csum_add(0, f->src, 4), f->dst, 4), tail, 4);
	}
	be16_t sum = hd_csum_fold(hd_csum_add(pseudo, p, len));
	memcpy(p + at, &sum, 2);
	if (f->proto == IP_NH_UDP && be16_get(sum) == 0) /* RFC 768: zero means none */
		wire_put16(p + at, 0xffff);
}

static void ip_build(const struct explain_flow *f, uint8_t *p, size_t len)
{
	memset(p, 0, len);
	if (f->family == 4) {
		struct ip4_fields h = { .tos = (uint8_t)(f->dscp << 2),
					.ttl = f->ttl,
					.proto = f->proto,
					.payload_len = len - 20 };

		memcpy(&h.src, f->src, 4);
		memcpy(&h.dst, f->dst, 4);
		ip4_build(p, 20, &h);
		upper_build(f, p + 20, len - 20);
	} else {
		struct ip6_fields h = { .traffic_class = (uint8_t)(f->dscp << 2),
					.hop_limit = f->ttl,
					.next_header = f->proto,
					.payload_len = len - 40 };

		memcpy(&h.src, f->src, 16);
		memcpy(&h.dst, f->dst, 16);
		ip6_build(p, 40, &h);
		upper_build(f, p + 40, len - 40);
	}
}

int explain_flow_build(const struct explain_flow *f, uint8_t *buf, size_t size)
{
	size_t need = (f->family == 4 ? 20 : 40) + upper_len(f);
	size_t len = f->length != 0 ? f->length : need;
	size_t srh = f->n_sids > 1 ? 8 + 16 * (size_t)f->n_sids : 0;
	size_t outer = f->n_sids > 0 ? 40 + srh : 0;

	if (len < need || outer + len > size || len + srh > 65535)
		return -EMSGSIZE;
	ip_build(f, buf + outer, len);
	if (outer == 0)
		return (int)len;
	uint8_t inner = f->family == 4 ? IP_NH_IP4 : IP_NH_IP6;
	struct ip6_fields h = { .traffic_class = (uint8_t)(f->dscp << 2),
				.hop_limit = f->ttl,
				.next_header = srh != 0 ? IP_NH_ROUTING : inner,
				.payload_len = srh + len };
	memcpy(&h.src, f->outer_src, 16);
	memcpy(&h.dst, f->sid[0], 16);
	ip6_build(buf, 40, &h);
	if (srh != 0) {
		uint8_t *s = buf + 40;

		memset(s, 0, srh);
		s[0] = inner;
		s[1] = (uint8_t)(srh / 8 - 1);
		s[2] = SRH_ROUTING_TYPE;
		s[3] = s[4] = (uint8_t)(f->n_sids - 1);
		for (unsigned i = 0; i < f->n_sids; i++) /* the list is written backwards */
			memcpy(s + 8 + 16 * i, f->sid[f->n_sids - 1 - i], 16);
	}
	return (int)(outer + len);
}

/* ---- frame or packet ----------------------------------------------------------------------------------------- */

int explain_is_ip(const uint8_t *p, size_t len)
{
	unsigned version = len > 0 ? p[0] >> 4 : 0;
	bool exact = (version == 4 && len >= 20 && (p[0] & 15) >= 5 && wire_get16(p + 2) == len) ||
		     (version == 6 && len >= 40 && 40u + wire_get16(p + 4) == len);
	bool could = (version == 4 && len >= 20 && (p[0] & 15) >= 5) || (version == 6 && len >= 40);

	return exact || (could && !debug_is_ethernet(p, len));
}
