/* SPDX-License-Identifier: BSD-3-Clause
 * The flow hash behind every choice among paths.  Spec: RFC 6438 section 3, RFC 8986 section 7, RFC 6437 section 2.
 * Chains of headers; what one header adds: flow_hash.h. */
#include "pipelines/ip/flow_hash.h"

#include "pipelines/ip/internal.h"

struct ip_flow_secret ip_flow_secret;

void ip_flow_seed_set(uint64_t s)
{
	uint64_t v[9];

	for (unsigned i = 0; i < RTE_DIM(v); i++) { /* splitmix64 */
		uint64_t z = (s += 0x9e3779b97f4a7c15ull);

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
		v[i] = z ^ (z >> 31);
	}
	memcpy(ip_flow_secret.addr, v, sizeof(ip_flow_secret.addr));
	ip_flow_secret.label = v[4] & UINT32_MAX;
	ip_flow_secret.ports = v[5] & UINT32_MAX;
	memcpy(ip_flow_secret.mix, v + 6, sizeof(ip_flow_secret.mix));
}

/* Whoever sets no seed (tools) gets one. */
static void __attribute__((constructor)) flow_seed_first(void)
{
	ip_flow_seed_set(0);
}

struct flow {
	uint64_t h;
};

static void flow_ip4(struct flow *f, const uint8_t *p, uint32_t left)
{
	const struct ip4_hdr *h = (const struct ip4_hdr *)p;
	unsigned len;

	if (left < sizeof(*h))
		return;
	len = (h->version_ihl & 15) * 4u;
	f->h = flow_add4(f->h, p, left >= len + 4 ? p + len : NULL);
}

static void flow_ip6(struct flow *f, const uint8_t *p, uint32_t left);

/* Behind an IPv6 header that carries no flow label: ports, or the packet inside. */
static void flow_ip6_inner(struct flow *f, uint8_t nh, const uint8_t *p, uint32_t left)
{
	for (unsigned n = 0; n < IP6_MAX_EXT; n++) {
		uint32_t len;

		switch (nh) {
		case IP_NH_IP4:
			f->h = flow_next_header(f->h);
			flow_ip4(f, p, left);
			return;
		case IP_NH_IP6:
			f->h = flow_next_header(f->h);
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
			if (flow_has_ports(nh) && left >= 4)
				f->h = flow_add(flow_next_header(f->h), 0, flow_load(p));
			return;
		}
	}
}

static void flow_ip6(struct flow *f, const uint8_t *p, uint32_t left)
{
	const struct ip6_fixed *h = (const struct ip6_fixed *)p;

	if (left < sizeof(*h))
		return;
	f->h = flow_add6(f->h, p, left >= sizeof(*h) + 4 ? p + sizeof(*h) : NULL);
	if (!flow_has_ports(h->next_header) && ip6_flow_label(h) == 0)
		flow_ip6_inner(f, h->next_header, p + sizeof(*h), left - (uint32_t)sizeof(*h));
}

uint32_t ip_flow_hash_of(const uint8_t *ip, uint32_t len)
{
	struct flow f = { 0 };

	if (len != 0 && ip[0] >> 4 == 4)
		flow_ip4(&f, ip, len);
	else
		flow_ip6(&f, ip, len);
	return flow_end(f.h);
}

uint32_t ip_flow_hash_slow(struct rte_mbuf *m)
{
	uint32_t h = ip_flow_hash_of(rte_pktmbuf_mtod(m, const uint8_t *), m->data_len);

	meta(m)->flow_hash = h;
	return h;
}
