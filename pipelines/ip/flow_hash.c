/* SPDX-License-Identifier: BSD-3-Clause
 * The flow hash behind every choice among paths.  Spec: RFC 6438 section 3, RFC 8986 section 7, RFC 6437 section 2.
 * Multiplications with 128-bit products mix the fields with secret words that come from the seed: without them flows
 * could be made to go together, and routers in a row would choose alike. */
#include "pipelines/ip/internal.h"

static uint64_t secret[4] = { 0x9e3779b97f4a7c15ull, 0xd6e8feb86659fd93ull, 0xa0761d6478bd642full,
			      0xe7037ed1a0b428dbull };

void ip_flow_seed_set(uint64_t s)
{
	for (unsigned i = 0; i < 4; i++) { /* splitmix64 */
		uint64_t z = (s += 0x9e3779b97f4a7c15ull);

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
		secret[i] = z ^ (z >> 31);
	}
}

struct flow {
	uint64_t h;
};

static inline uint64_t mix(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 p = (unsigned __int128)a * b;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static inline void flow_add(struct flow *f, const uint8_t *p)
{
	f->h = mix(wire_get64(p) ^ f->h ^ secret[0], secret[1]);
}

static inline void flow_add32(struct flow *f, uint32_t v)
{
	f->h = mix(f->h ^ v, secret[2]);
}

static inline uint32_t flow_done(const struct flow *f)
{
	uint64_t x = mix(f->h ^ secret[3], secret[0]);

	return (uint32_t)(x >> 32) | (x >> 32 == 0); /* 0 means "not computed" */
}

static bool proto_has_ports(uint8_t proto)
{
	return proto == IP_NH_TCP || proto == IP_NH_UDP ||
	       proto == 132 /* SCTP, RFC 9260 section 3.1 */;
}

static void flow_ip4(struct flow *f, const uint8_t *p, uint32_t left)
{
	const struct ip4_hdr *h = (const struct ip4_hdr *)p;
	unsigned len;

	if (left < sizeof(*h))
		return;
	len = (h->version_ihl & 15) * 4u;
	flow_add(f, h->src.b); /* source and destination */
	flow_add32(f, h->proto);
	if (proto_has_ports(h->proto) && (be16_get(h->frag) & (IP4_MF | IP4_FRAG_MASK)) == 0 &&
	    left >= len + 4)
		flow_add32(f, wire_get32(p + len));
}

static void flow_ip6(struct flow *f, const uint8_t *p, uint32_t left);

/* Behind an IPv6 header that carries no flow label: ports, or the packet inside. */
static void flow_ip6_inner(struct flow *f, uint8_t nh, const uint8_t *p, uint32_t left)
{
	for (unsigned n = 0; n < IP6_MAX_EXT; n++) {
		uint32_t len;

		switch (nh) {
		case IP_NH_IP4:
			flow_ip4(f, p, left);
			return;
		case IP_NH_IP6:
			if (left >= sizeof(struct ip6_fixed))
				flow_ip6(f, p, left);
			return;
		case IP_NH_HOPOPTS:
		case IP_NH_ROUTING:
		case IP_NH_DSTOPTS:
			if (left < 8)
				return;
			len = (p[1] + 1u) * 8;
			if (left < len)
				return;
			nh = p[0];
			p += len;
			left -= len;
			break;
		default:
			if (proto_has_ports(nh) && left >= 4)
				flow_add32(f, wire_get32(p));
			return;
		}
	}
}

static void flow_ip6(struct flow *f, const uint8_t *p, uint32_t left)
{
	const struct ip6_fixed *h = (const struct ip6_fixed *)p;
	uint32_t label;

	if (left < sizeof(*h))
		return;
	label = ip6_flow_label(h);
	/* source and destination beside each other: half the way that one after the other takes */
	f->h = mix(wire_get64(h->src.b) ^ f->h ^ secret[0], wire_get64(h->src.b + 8) ^ secret[1]) ^
	       mix(wire_get64(h->dst.b) ^ secret[2], wire_get64(h->dst.b + 8) ^ secret[3]);
	flow_add32(f, label);
	p += sizeof(*h);
	left -= sizeof(*h);
	if (proto_has_ports(h->next_header)) {
		if (left >= 4)
			flow_add32(f, wire_get32(p));
	} else if (label == 0) {
		flow_ip6_inner(f, h->next_header, p, left);
	}
}

uint32_t ip_flow_hash_of(const uint8_t *ip, uint32_t len)
{
	struct flow f = { 0 };

	if (len != 0 && ip[0] >> 4 == 4)
		flow_ip4(&f, ip, len);
	else
		flow_ip6(&f, ip, len);
	return flow_done(&f);
}

uint32_t ip_flow_hash_slow(struct rte_mbuf *m)
{
	uint32_t h = ip_flow_hash_of(rte_pktmbuf_mtod(m, const uint8_t *), m->data_len);

	meta(m)->flow_hash = h;
	return h;
}
