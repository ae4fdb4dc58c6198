/* SPDX-License-Identifier: BSD-3-Clause */
/* Packet builder for tests; see pktb.h. */
#include "tests/pktb.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_DST_MAC "02:00:00:00:00:02"
#define DEFAULT_SRC_MAC "02:00:00:00:00:01"

static const char *const kind_name[] = {
	[PKTB_ETH] = "eth",     [PKTB_VLAN] = "vlan", [PKTB_ARP] = "arp", [PKTB_IP4] = "ip4",
	[PKTB_IP6] = "ip6",     [PKTB_HBH] = "hbh",   [PKTB_RT] = "rt",   [PKTB_DSTOPT] = "dstopt",
	[PKTB_FRAG] = "frag",   [PKTB_UDP] = "udp",   [PKTB_TCP] = "tcp", [PKTB_ICMP4] = "icmp4",
	[PKTB_ICMP6] = "icmp6", [PKTB_DATA] = "data",
};

static void __attribute__((noreturn, format(printf, 1, 2))) fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("pktb: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	abort();
}

struct ip6_addr pktb_addr6(const char *text)
{
	struct ip6_addr a;

	if (inet_pton(AF_INET6, text, &a) != 1)
		fail("not an IPv6 address: %s", text);
	return a;
}

be32_t pktb_addr4(const char *text)
{
	be32_t a;

	if (inet_pton(AF_INET, text, &a) != 1)
		fail("not an IPv4 address: %s", text);
	return a;
}

struct mac_addr pktb_mac(const char *text)
{
	struct mac_addr m;
	int n = 0;

	if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &m.b[0], &m.b[1], &m.b[2],
		   &m.b[3], &m.b[4], &m.b[5], &n) != 6 ||
	    text[n] != '\0')
		fail("not a MAC address: %s", text);
	return m;
}

void pktb_init(struct pktb *b)
{
	memset(b, 0, sizeof(*b));
}

/* Room for len more octets. */
static uint8_t *grow(struct pktb *b, size_t len)
{
	uint8_t *p = b->buf + b->len;

	if (len > sizeof(b->buf) - b->len)
		fail("packet longer than %zu octets", sizeof(b->buf));
	b->len += len;
	return p;
}

void pktb_next(struct pktb *b, uint16_t type)
{
	struct pktb_layer *l;
	uint8_t *p;

	if (b->n_layers == 0)
		return; /* the packet starts with this layer */
	l = &b->layer[b->n_layers - 1];
	p = b->buf + l->off;
	switch (l->kind) {
	case PKTB_ETH:
		((struct eth_hdr *)p)->ethertype = be16_make(type);
		break;
	case PKTB_VLAN:
		((struct vlan_tag *)p)->ethertype = be16_make(type);
		break;
	case PKTB_IP4:
		((struct ip4_hdr *)p)->proto = (uint8_t)type;
		break;
	case PKTB_IP6:
		((struct ip6_fixed *)p)->next_header = (uint8_t)type;
		break;
	case PKTB_HBH:
	case PKTB_DSTOPT:
	case PKTB_RT:
	case PKTB_FRAG:
		p[0] = (uint8_t)type;
		break;
	default:
		fail("nothing can be stacked on %s", kind_name[l->kind]);
	}
}

static bool last_is_l2(const struct pktb *b)
{
	enum pktb_kind k = b->layer[b->n_layers - 1].kind;

	return k == PKTB_ETH || k == PKTB_VLAN;
}

/* A new layer of len octets. ethertype: its name behind Ethernet; proto: its name behind IP. */
static uint8_t *push(struct pktb *b, enum pktb_kind kind, size_t len, uint16_t ethertype,
		     uint8_t proto)
{
	uint8_t *p;

	if (b->n_layers == PKTB_MAX_LAYERS)
		fail("more than %d layers", PKTB_MAX_LAYERS);
	if (b->n_layers != 0 && kind != PKTB_DATA)
		pktb_next(b, last_is_l2(b) ? ethertype : proto);
	p = grow(b, len);
	memset(p, 0, len);
	b->layer[b->n_layers++] = (struct pktb_layer){ .kind = kind, .off = (size_t)(p - b->buf) };
	return p;
}

#define REMEMBER(first, last, p)       \
	do {                           \
		if ((first) == NULL)   \
			(first) = (p); \
		(last) = (p);          \
	} while (0)

void pktb_eth(struct pktb *b, const char *dst, const char *src)
{
	struct eth_hdr *h = (struct eth_hdr *)push(b, PKTB_ETH, sizeof(*h), 0x6558, IP_NH_ETHERNET);

	h->dst = pktb_mac(dst != NULL ? dst : DEFAULT_DST_MAC);
	h->src = pktb_mac(src != NULL ? src : DEFAULT_SRC_MAC);
	REMEMBER(b->eth, b->inner_eth, h);
}

void pktb_vlan(struct pktb *b, uint16_t tpid, uint16_t tci)
{
	struct vlan_tag *t = (struct vlan_tag *)push(b, PKTB_VLAN, sizeof(*t), tpid, 0);

	t->tci = be16_make(tci);
	REMEMBER(b->vlan, b->inner_vlan, t);
}

void pktb_arp(struct pktb *b, uint16_t op, const char *sha, const char *spa, const char *tha,
	      const char *tpa)
{
	struct mac_addr s = pktb_mac(sha != NULL ? sha : DEFAULT_SRC_MAC), t = { 0 };

	b->arp = (struct arp_pkt *)push(b, PKTB_ARP, sizeof(*b->arp), ETHTYPE_ARP, 0);
	if (tha != NULL)
		t = pktb_mac(tha);
	arp_build(b->arp, sizeof(*b->arp), op, &s, pktb_addr4(spa), &t, pktb_addr4(tpa));
}

void pktb_ip4(struct pktb *b, const char *src, const char *dst, uint8_t ttl)
{
	struct ip4_hdr *h = (struct ip4_hdr *)push(b, PKTB_IP4, sizeof(*h), ETHTYPE_IP4, IP_NH_IP4);
	struct ip4_fields f = {
		.src = pktb_addr4(src), .dst = pktb_addr4(dst), .ttl = ttl, .proto = 255
	};

	ip4_build(h, sizeof(*h), &f);
	REMEMBER(b->ip4, b->inner_ip4, h);
}

void pktb_ip6(struct pktb *b, const char *src, const char *dst, uint8_t hop_limit)
{
	struct ip6_fixed *h =
		(struct ip6_fixed *)push(b, PKTB_IP6, sizeof(*h), ETHTYPE_IP6, IP_NH_IP6);
	struct ip6_fields f = {
		.src = pktb_addr6(src),
		.dst = pktb_addr6(dst),
		.hop_limit = hop_limit,
		.next_header = IP_NH_NONE,
	};

	ip6_build(h, sizeof(*h), &f);
	REMEMBER(b->ip6, b->inner_ip6, h);
}

static uint8_t *options(struct pktb *b, enum pktb_kind kind, uint8_t proto, const void *opts,
			size_t len)
{
	size_t total = (2 + len + 7) / 8 * 8, pad = total - 2 - len;
	uint8_t *p = push(b, kind, total, 0, proto);

	if (total > 2048)
		fail("options header of %zu octets", total);
	p[0] = IP_NH_NONE;
	p[1] = (uint8_t)(total / 8 - 1);
	if (len != 0)
		memcpy(p + 2, opts, len);
	if (pad >= 2) {
		p[2 + len] = IP6_OPT_PADN;
		p[3 + len] = (uint8_t)(pad - 2);
	}
	return p;
}

void pktb_hbh(struct pktb *b, const void *opts, size_t len)
{
	b->hbh = options(b, PKTB_HBH, IP_NH_HOPOPTS, opts, len);
}

void pktb_dstopt(struct pktb *b, const void *opts, size_t len)
{
	b->dstopt = options(b, PKTB_DSTOPT, IP_NH_DSTOPTS, opts, len);
}

void pktb_srh(struct pktb *b, const char *const *list, unsigned n, uint8_t segments_left)
{
	uint8_t *p;
	unsigned i;

	if (n > SRH_MAX_SEGMENTS)
		fail("%u segments do not fit an SRH", n);
	p = push(b, PKTB_RT, SRH_OFF_LIST + 16 * n, 0, IP_NH_ROUTING);
	*(struct srh_hdr *)p = (struct srh_hdr){
		.next_header = IP_NH_NONE,
		.hdr_ext_len = (uint8_t)(2 * n),
		.routing_type = SRH_ROUTING_TYPE,
		.segments_left = segments_left,
		.last_entry = (uint8_t)(n - 1),
	};
	for (i = 0; i < n; i++) {
		struct ip6_addr a = pktb_addr6(list[i]);

		memcpy(p + SRH_OFF_LIST + 16 * i, &a, 16);
	}
	if (b->rt == NULL)
		b->rt = (struct ip6_rt_hdr *)p;
	REMEMBER(b->srh, b->inner_srh, (struct srh_hdr *)p);
}

void pktb_srh_tlv(struct pktb *b, const void *tlv, size_t len)
{
	if (b->inner_srh == NULL || b->layer[b->n_layers - 1].kind != PKTB_RT)
		fail("TLVs go right behind pktb_srh()");
	if (len % 8 != 0 || b->inner_srh->hdr_ext_len + len / 8 > 255)
		fail("%zu octets of TLVs do not fit", len);
	memcpy(grow(b, len), tlv, len);
	b->inner_srh->hdr_ext_len += (uint8_t)(len / 8);
}

void pktb_rt(struct pktb *b, uint8_t type, uint8_t segments_left, const void *data, size_t len)
{
	uint8_t *p;

	if ((4 + len) % 8 != 0 || len > 2044)
		fail("routing header with %zu octets of data", len);
	p = push(b, PKTB_RT, 4 + len, 0, IP_NH_ROUTING);
	p[0] = IP_NH_NONE;
	p[1] = (uint8_t)((4 + len) / 8 - 1);
	p[2] = type;
	p[3] = segments_left;
	if (data != NULL)
		memcpy(p + 4, data, len);
	if (b->rt == NULL)
		b->rt = (struct ip6_rt_hdr *)p;
}

void pktb_frag(struct pktb *b, uint16_t off, bool more, uint32_t id)
{
	if (off % 8 != 0)
		fail("fragment offset %u is no multiple of 8", off);
	b->frag = (struct ip6_frag_hdr *)push(b, PKTB_FRAG, sizeof(*b->frag), 0, IP_NH_FRAGMENT);
	b->frag->next_header = IP_NH_NONE;
	b->frag->off_m = be16_make((uint16_t)(off | more));
	b->frag->id = be32_make(id);
}

void pktb_udp(struct pktb *b, uint16_t src_port, uint16_t dst_port)
{
	b->udp = (struct udp_hdr *)push(b, PKTB_UDP, sizeof(*b->udp), 0, IP_NH_UDP);
	udp_build(b->udp, sizeof(*b->udp), src_port, dst_port, 0);
}

void pktb_tcp(struct pktb *b, uint16_t src_port, uint16_t dst_port, uint8_t flags)
{
	b->tcp = (struct tcp_hdr *)push(b, PKTB_TCP, sizeof(*b->tcp), 0, IP_NH_TCP);
	b->tcp->src_port = be16_make(src_port);
	b->tcp->dst_port = be16_make(dst_port);
	b->tcp->data_off = 5 << 4;
	b->tcp->flags = flags;
	b->tcp->window = be16_make(65535);
}

void pktb_icmp4(struct pktb *b, uint8_t type, uint8_t code, uint32_t data)
{
	b->icmp4 = (struct icmp4_msg *)push(b, PKTB_ICMP4, sizeof(*b->icmp4), 0, IP_NH_ICMP4);
	*b->icmp4 = (struct icmp4_msg){ .type = type, .code = code, .data = be32_make(data) };
}

void pktb_icmp6(struct pktb *b, uint8_t type, uint8_t code, uint32_t data)
{
	b->icmp6 = (struct icmp6_msg *)push(b, PKTB_ICMP6, sizeof(*b->icmp6), 0, IP_NH_ICMP6);
	*b->icmp6 = (struct icmp6_msg){ .type = type, .code = code, .data = be32_make(data) };
}

void pktb_data(struct pktb *b, const void *data, size_t len)
{
	uint8_t *p = push(b, PKTB_DATA, len, 0, 0);

	if (len != 0)
		memcpy(p, data, len);
	if (b->payload == NULL)
		b->payload = p;
}

void pktb_fill(struct pktb *b, size_t n)
{
	uint8_t *p = push(b, PKTB_DATA, n, 0, 0);
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = (uint8_t)(i ^ (i >> 8) * 31);
	if (b->payload == NULL)
		b->payload = p;
}

/* Pseudo-header sum for an upper-layer protocol in layer i, from the IP header it lies in. */
static bool pseudo(struct pktb *b, unsigned i, uint8_t proto, uint64_t *ret)
{
	size_t len = b->len - b->layer[i].off;
	const struct ip6_addr *dst = NULL;

	while (i-- > 0) {
		uint8_t *p = b->buf + b->layer[i].off;
		struct srh_hdr *s = (struct srh_hdr *)p;

		switch (b->layer[i].kind) {
		case PKTB_RT: /* with segments left the final segment counts: RFC 8200 section 8.1 */
			if (s->routing_type == SRH_ROUTING_TYPE && s->segments_left != 0 &&
			    s->hdr_ext_len >= 2)
				dst = (struct ip6_addr *)(s + 1);
			break;
		case PKTB_IP6: {
			struct ip6_fixed *h = (struct ip6_fixed *)p;

			*ret = hd_csum_ip6_pseudo(&h->src, dst != NULL ? dst : &h->dst,
						  (uint32_t)len, proto);
			return true;
		}
		case PKTB_IP4: {
			struct ip4_hdr *h = (struct ip4_hdr *)p;

			*ret = hd_csum_ip4_pseudo(h->src, h->dst, (uint16_t)len, proto);
			return true;
		}
		case PKTB_FRAG: /* of a packet that is not here as a whole the checksum is not known */
			if ((wire_get16(p + 2) & 0xfff9) != 0)
				return false;
			break;
		default:
			break;
		}
	}
	return false;
}

static void finish(struct pktb *b, bool lengths)
{
	unsigned i = b->n_layers;

	while (i-- > 0) {
		uint8_t *p = b->buf + b->layer[i].off;
		size_t len = b->len - b->layer[i].off;
		uint64_t sum;

		switch (b->layer[i].kind) {
		case PKTB_IP4:
			if (lengths)
				((struct ip4_hdr *)p)->total_len = be16_make((uint16_t)len);
			((struct ip4_hdr *)p)->csum = be16_make(0);
			((struct ip4_hdr *)p)->csum = hd_csum(p, sizeof(struct ip4_hdr));
			break;
		case PKTB_IP6:
			if (lengths)
				((struct ip6_fixed *)p)->payload_len =
					be16_make((uint16_t)(len - 40));
			break;
		case PKTB_UDP:
			if (lengths)
				((struct udp_hdr *)p)->len = be16_make((uint16_t)len);
			if (!b->keep_udp_csum && be16_get(((struct udp_hdr *)p)->len) <= len &&
			    pseudo(b, i, IP_NH_UDP, &sum))
				udp_csum_set((struct udp_hdr *)p, sum);
			break;
		case PKTB_TCP:
			((struct tcp_hdr *)p)->csum = be16_make(0);
			if (pseudo(b, i, IP_NH_TCP, &sum))
				((struct tcp_hdr *)p)->csum =
					hd_csum_fold(hd_csum_add(sum, p, len));
			break;
		case PKTB_ICMP4:
			((struct icmp4_msg *)p)->csum = be16_make(0);
			((struct icmp4_msg *)p)->csum = hd_csum(p, len);
			break;
		case PKTB_ICMP6:
			((struct icmp6_msg *)p)->csum = be16_make(0);
			if (pseudo(b, i, IP_NH_ICMP6, &sum))
				((struct icmp6_msg *)p)->csum =
					hd_csum_fold(hd_csum_add(sum, p, len));
			break;
		default:
			break;
		}
	}
}

void pktb_finish(struct pktb *b)
{
	finish(b, true);
}

void pktb_fix_csum(struct pktb *b)
{
	finish(b, false);
}

void pktb_pad(struct pktb *b, size_t n)
{
	memset(grow(b, n), 0, n);
}

void pktb_srv6(struct pktb *b, const char *src, const char *dst, uint8_t hop_limit,
	       const char *const *list, unsigned n)
{
	pktb_init(b);
	pktb_ip6(b, src, dst, hop_limit);
	pktb_srh(b, list, n, (uint8_t)(n - 1));
	pktb_udp(b, 1000, 2000);
	pktb_fill(b, 16);
	pktb_finish(b);
}

#define MAX_WORDS 8

/* word[i] as a number, or def if there are no so many words. */
static unsigned long number(char *const *word, unsigned n, unsigned i, unsigned long def)
{
	char *end;
	unsigned long x;

	if (i >= n)
		return def;
	x = strtoul(word[i], &end, 0);
	if (*word[i] == '\0' || *end != '\0')
		fail("not a number: %s", word[i]);
	return x;
}

static const char *need(char *const *word, unsigned n, unsigned i)
{
	if (i >= n)
		fail("\"%s\" needs more words", word[0]);
	return word[i];
}

static void parse_layer(struct pktb *b, char *const *w, unsigned n)
{
	uint8_t data[PKTB_CAP / 2] = { 0 };
	const char *k = w[0];

	if (strcmp(k, "eth") == 0) {
		pktb_eth(b, n > 1 ? w[1] : NULL, n > 2 ? w[2] : NULL);
	} else if (strcmp(k, "vlan") == 0) {
		need(w, n, 1);
		pktb_vlan(b, (uint16_t)number(w, n, 2, ETHTYPE_VLAN), (uint16_t)number(w, n, 1, 0));
	} else if (strcmp(k, "arp") == 0) {
		need(w, n, 3);
		pktb_arp(b, (uint16_t)number(w, n, 1, 1), NULL, w[2], NULL, w[3]);
	} else if (strcmp(k, "ip4") == 0) {
		need(w, n, 2);
		pktb_ip4(b, w[1], w[2], (uint8_t)number(w, n, 3, 64));
	} else if (strcmp(k, "ip6") == 0) {
		need(w, n, 2);
		pktb_ip6(b, w[1], w[2], (uint8_t)number(w, n, 3, 64));
	} else if (strcmp(k, "hbh") == 0) {
		pktb_hbh(b, data, n > 1 ? pktb_unhex(w[1], data, sizeof(data)) : 0);
	} else if (strcmp(k, "dstopt") == 0) {
		pktb_dstopt(b, data, n > 1 ? pktb_unhex(w[1], data, sizeof(data)) : 0);
	} else if (strcmp(k, "srh") == 0) {
		const char *list[SRH_MAX_SEGMENTS];
		char text[PKTB_CAP / 2], *save = NULL, *s;
		unsigned i = 0;

		if (snprintf(text, sizeof(text), "%s", need(w, n, 1)) >= (int)sizeof(text))
			fail("list too long");
		for (s = strtok_r(text, ",", &save); s != NULL; s = strtok_r(NULL, ",", &save)) {
			if (i == SRH_MAX_SEGMENTS)
				fail("more than %d segments", SRH_MAX_SEGMENTS);
			list[i++] = s;
		}
		pktb_srh(b, list, i, (uint8_t)number(w, n, 2, i - 1));
	} else if (strcmp(k, "tlv") == 0) {
		pktb_srh_tlv(b, data, pktb_unhex(need(w, n, 1), data, sizeof(data)));
	} else if (strcmp(k, "rt") == 0) {
		pktb_rt(b, (uint8_t)number(w, n, 1, 0), (uint8_t)number(w, n, 2, 0), data, 20);
	} else if (strcmp(k, "frag") == 0) {
		pktb_frag(b, (uint16_t)number(w, n, 1, 0), number(w, n, 2, 0) != 0,
			  (uint32_t)number(w, n, 3, 1));
	} else if (strcmp(k, "udp") == 0) {
		pktb_udp(b, (uint16_t)number(w, n, 1, 1000), (uint16_t)number(w, n, 2, 2000));
	} else if (strcmp(k, "tcp") == 0) {
		pktb_tcp(b, (uint16_t)number(w, n, 1, 1000), (uint16_t)number(w, n, 2, 2000),
			 (uint8_t)number(w, n, 3, TCP_FLAG_SYN));
	} else if (strcmp(k, "icmp4") == 0) {
		pktb_icmp4(b, (uint8_t)number(w, n, 1, ICMP4_ECHO_REQUEST),
			   (uint8_t)number(w, n, 2, 0), (uint32_t)number(w, n, 3, 0x00010001));
	} else if (strcmp(k, "icmp6") == 0) {
		pktb_icmp6(b, (uint8_t)number(w, n, 1, ICMP6_ECHO_REQUEST),
			   (uint8_t)number(w, n, 2, 0), (uint32_t)number(w, n, 3, 0x00010001));
	} else if (strcmp(k, "fill") == 0) {
		need(w, n, 1);
		pktb_fill(b, number(w, n, 1, 0));
	} else if (strcmp(k, "data") == 0) {
		size_t len = pktb_unhex(need(w, n, 1), data, sizeof(data));

		pktb_data(b, data, len);
	} else if (strcmp(k, "next") == 0) {
		need(w, n, 1);
		pktb_next(b, (uint16_t)number(w, n, 1, 0));
	} else {
		fail("unknown layer \"%s\"", k);
	}
}

void pktb_parse(struct pktb *b, const char *notation)
{
	char *text = strdup(notation), *save = NULL, *layer;

	if (text == NULL)
		fail("no memory");
	pktb_init(b);
	for (layer = strtok_r(text, "/", &save); layer != NULL;
	     layer = strtok_r(NULL, "/", &save)) {
		char *w[MAX_WORDS], *save2 = NULL, *s;
		unsigned n = 0;

		for (s = strtok_r(layer, " \t\n", &save2); s != NULL;
		     s = strtok_r(NULL, " \t\n", &save2)) {
			if (n == MAX_WORDS)
				fail("too many words at \"%s\"", s);
			w[n++] = s;
		}
		if (n == 0)
			fail("empty layer in \"%s\"", notation);
		parse_layer(b, w, n);
	}
	free(text);
	pktb_finish(b);
}

void *pktb_layer(struct pktb *b, enum pktb_kind kind, unsigned nth)
{
	unsigned i;

	for (i = 0; i < b->n_layers; i++)
		if (b->layer[i].kind == kind && nth-- == 0)
			return b->buf + b->layer[i].off;
	return NULL;
}

const uint8_t *pktb_l3(const struct pktb *b, size_t *ret_len)
{
	unsigned i;

	for (i = 0; i < b->n_layers; i++)
		if (b->layer[i].kind == PKTB_IP4 || b->layer[i].kind == PKTB_IP6)
			break;
	if (i == b->n_layers)
		i = 0;
	*ret_len = b->len - b->layer[i].off;
	return b->buf + b->layer[i].off;
}

size_t pktb_off(const struct pktb *b, const void *p)
{
	size_t len;

	return (size_t)((const uint8_t *)p - pktb_l3(b, &len));
}

static _Thread_local char dump_text[PKTB_CAP * 4];

/* Appends a hex dump of data to dump_text at pos; off is the address printed. */
static size_t dump_add(size_t pos, const uint8_t *data, size_t len, size_t off, const char *name)
{
	size_t i, j;

	for (i = 0; i < len; i += 16) {
		if (pos + 80 > sizeof(dump_text))
			return pos;
		pos += (size_t)sprintf(dump_text + pos, "%04zx %-7s", off + i, i == 0 ? name : "");
		for (j = i; j < len && j < i + 16; j++)
			pos += (size_t)sprintf(dump_text + pos, "%s%02x", j % 2 == 0 ? " " : "",
					       data[j]);
		dump_text[pos++] = '\n';
		dump_text[pos] = '\0';
	}
	return pos;
}

const char *pktb_dump(const struct pktb *b)
{
	size_t pos = 0;
	unsigned i;

	dump_text[0] = '\0';
	for (i = 0; i < b->n_layers; i++) {
		size_t off = b->layer[i].off,
		       end = i + 1 < b->n_layers ? b->layer[i + 1].off : b->len;

		pos = dump_add(pos, b->buf + off, end - off, off, kind_name[b->layer[i].kind]);
	}
	return dump_text;
}

const char *pktb_hexdump(const void *data, size_t len)
{
	dump_text[0] = '\0';
	dump_add(0, data, len, 0, "");
	return dump_text;
}

size_t pktb_unhex(const char *hex, uint8_t *buf, size_t cap)
{
	size_t n = 0;

	while (*hex != '\0') {
		if (isspace((unsigned char)*hex)) {
			hex++;
			continue;
		}
		if (!isxdigit((unsigned char)hex[0]) || !isxdigit((unsigned char)hex[1]) ||
		    n == cap)
			fail("not hex, or too much of it: %.20s", hex);
		if (sscanf(hex, "%2hhx", &buf[n++]) != 1)
			fail("not hex: %.20s", hex);
		hex += 2;
	}
	return n;
}
