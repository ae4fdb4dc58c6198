/* SPDX-License-Identifier: BSD-3-Clause
 * Probes: what is sent, what is refused, and that answers are recognised, each truncation of them too. */
#include <arpa/inet.h>
#include <rte_cycles.h>

#include "bed.h"
#include "dataplane/debug_api.h"
#include "dataplane/punt.h"
#include "heddle/api/probe.h"
#include "heddle/wire/srh.h"
#include "pipelines/ip/probe_match.h"

TestSuite(probe, .init = bed_up, .fini = bed_down);

static void no_answer(void *arg, uint16_t type, const void *body, size_t size)
{
	(void)arg, (void)type, (void)body, (void)size;
	cr_assert(false, "PROBE has no answer but the reply");
}

static struct hd_api_probe probe_to(const char *dst)
{
	struct hd_api_probe p = { .probe_id = 77, .size = 56, .family = 4 };

	if (inet_pton(AF_INET, dst, p.dst) != 1) {
		p.family = 6;
		cr_assert_eq(inet_pton(AF_INET6, dst, p.dst), 1);
	}
	return p;
}

static int send_probe(const struct hd_api_probe *p, struct hd_api_reply *reply)
{
	memset(reply, 0, sizeof(*reply));
	int rc = debug_request(HD_API_PROBE, p, sizeof(*p), -1, no_answer, NULL, reply);
	hx_turn();
	return rc;
}

/* The probe's frame as it left B; its L3 part. */
static struct pktb sent_b(void)
{
	struct pktb b = { 0 };
	uint8_t frame[2048];
	size_t n = hx_tx(B, frame, sizeof(frame));

	cr_assert_gt(n, 14, "nothing was sent");
	b.len = n - 14;
	memcpy(b.buf, frame + 14, b.len);
	return b;
}

static uint64_t punted(void)
{
	return hx_stat("punt", ip_punt.probe, "packets");
}

/* What came out goes back as the reply a host gives, or as an error about it. */
static void answer(const struct pktb *out, unsigned family, uint8_t error)
{
	uint8_t f[1500] = { 0 };
	size_t at = 14 + (family == 4 ? 20u : 40u), len = out->len;
	struct mac_addr mac = { { 2, 0, 0, 0, 0, 2 } };

	memcpy(f, &mac, 6);
	memcpy(f + 6, (const uint8_t[]){ 2, 0xbb, 0, 0, 0, 1 }, 6);
	wire_put16(f + 12, family == 4 ? ETHTYPE_IP4 : ETHTYPE_IP6);
	if (error == 0) {
		memcpy(f + at, out->buf + at - 14, len - (at - 14));
		f[at] = family == 4 ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY;
		len -= at - 14;
	} else {
		f[at] = error;
		memcpy(f + at + 8, out->buf, out->len);
		len += 8;
	}
	if (family == 4) {
		struct ip4_fields h = { .ttl = 60, .proto = IP_NH_ICMP4, .payload_len = len };
		memcpy(&h.src, out->buf + 16, 4);
		memcpy(&h.dst, out->buf + 12, 4);
		ip4_build(f + 14, 20, &h);
		f[at + 2] = f[at + 3] = 0;
		be16_t sum = hd_csum(f + at, len);
		memcpy(f + at + 2, &sum, 2);
	} else {
		struct ip6_fields h = { .hop_limit = 60,
					.next_header = IP_NH_ICMP6,
					.payload_len = len };
		memcpy(&h.src, out->buf + 24, 16);
		memcpy(&h.dst, out->buf + 8, 16);
		ip6_build(f + 14, 40, &h);
		icmp6_csum_set((struct icmp6_msg *)(f + at), len, &h.src, &h.dst);
	}
	hx_rx(B, f, at + len);
	hx_turn();
}

struct sent_row {
	char dst[24];
	uint8_t protocol, error; /* of the answer; 0: echo reply */
	uint8_t hop_limit;
};

ParameterizedTestParameters(probe, goes_out_and_its_answer_is_known)
{
	static struct sent_row rows[] = {
		{ "203.0.113.5", HD_PROBE_ECHO, 0, 0 },
		{ "2001:db8:c::5", HD_PROBE_ECHO, 0, 0 },
		{ "198.51.100.1", HD_PROBE_ECHO, 0, 3 },
		{ "2001:db8:b::1", HD_PROBE_ECHO, 0, 3 },
		{ "203.0.113.5", HD_PROBE_ECHO, ICMP4_TIME_EXCEEDED, 1 },
		{ "2001:db8:c::5", HD_PROBE_ECHO, ICMP6_TIME_EXCEEDED, 1 },
		{ "203.0.113.5", HD_PROBE_UDP, ICMP4_UNREACH, 9 },
		{ "2001:db8:c::5", HD_PROBE_UDP, ICMP6_UNREACH, 9 },
	};
	return cr_make_param_array(struct sent_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct sent_row *r, probe, goes_out_and_its_answer_is_known)
{
	struct hd_api_probe p = probe_to(r->dst);
	struct hd_api_reply reply;

	p.protocol = r->protocol;
	p.udp_port = 33434;
	p.hop_limit = r->hop_limit;
	cr_assert_eq(send_probe(&p, &reply), 0, "%s", reply.text);
	struct pktb out = sent_b();
	size_t l3 = p.family == 4 ? 20 : 40;
	cr_assert_eq(out.len, l3 + 8 + 56);
	cr_assert_eq(out.buf[p.family == 4 ? 8 : 7], r->hop_limit != 0 ? r->hop_limit : 64);
	cr_assert_eq(out.buf[p.family == 4 ? 12 : 8], p.family == 4 ? 198 : 0x20, "source of if 2");
	/* the checksum is the wire's: what our own parser of received packets takes */
	struct wire_cur c = wire_cur_init(out.buf, out.len);
	if (p.family == 4) {
		struct ip4_view v;
		cr_assert_eq(ip4_parse(&c, &v), 0);
		cr_assert_eq(be16_get(v.hdr->frag), IP4_DF);
	} else {
		struct icmp6_view v;
		struct ip6_view v6;
		cr_assert_eq(ip6_parse(&c, &v6), 0);
		if (r->protocol == HD_PROBE_ECHO)
			cr_assert_eq(icmp6_parse(&c, &v6.hdr->src, &v6.hdr->dst, &v), 0);
	}
	uint64_t before = punted();
	answer(&out, p.family, r->error);
	cr_assert_eq(punted(), before + 1, "the answer is not recognised");
}

Test(probe, segments_are_in_the_header)
{
	struct hd_api_probe p = probe_to("2001:db8:c::99");
	struct hd_api_reply reply;
	struct ip6_chain chain = { 0 };
	struct srh_view srh;
	struct ip6_view v;

	p.n_segments = 2;
	inet_pton(AF_INET6, "2001:db8:c::1", p.segment[0]);
	inet_pton(AF_INET6, "2001:db8:c::2", p.segment[1]);
	cr_assert_eq(send_probe(&p, &reply), 0, "%s", reply.text);
	struct pktb out = sent_b();
	struct wire_cur c = wire_cur_init(out.buf, out.len), h = c;
	cr_assert_eq(ip6_parse(&c, &v), 0);
	cr_assert_eq(memcmp(&v.hdr->dst, p.segment[0], 16), 0);
	cr_assert_eq(ip6_chain_parse(&v, &c, &chain), 0);
	cr_assert_eq(chain.upper, IP_NH_ICMP6);
	wire_pull(&h, chain.rt_off);
	cr_assert_eq(srh_parse(&h, &srh), 0);
	cr_assert_eq(srh.hdr->segments_left, 2);
	cr_assert_eq(srh_n_segments(&srh), 3);
	cr_assert_eq(memcmp(&srh.list[0], p.dst, 16), 0);
	cr_assert_eq(memcmp(&srh.list[2], p.segment[0], 16), 0);
	/* RFC 8200 section 8.1: the pseudo-header has the final destination */
	struct ip6_addr dst;
	memcpy(&dst, p.dst, 16);
	size_t len = out.len - chain.upper_off;
	cr_assert(hd_csum_ok(
		hd_csum_add(hd_csum_ip6_pseudo(&v.hdr->src, &dst, (uint32_t)len, IP_NH_ICMP6),
			    out.buf + chain.upper_off, len)));
	/* an error about it that a segment on the way sends */
	uint64_t before = punted();
	answer(&out, 6, ICMP6_TIME_EXCEEDED);
	cr_assert_eq(punted(), before + 1);
}

Test(probe, our_own_address_answers)
{
	struct hd_api_reply reply;

	for (unsigned i = 0; i < 2; i++) {
		struct hd_api_probe p = probe_to(i == 0 ? "192.0.2.9" : "2001:db8:a::9");
		uint64_t before = punted();
		cr_assert_eq(send_probe(&p, &reply), 0, "%s", reply.text);
		cr_assert_eq(punted(), before + 1);
	}
}

Test(probe, link_local_destination_of_an_interface)
{
	struct hd_api_probe p = probe_to("fe80::1");
	struct hd_api_reply reply;

	cr_assert_eq(send_probe(&p, &reply), -EINVAL);
	cr_assert_not_null(strstr(reply.text, "needs an interface"));
	p.iface_id = 2;
	hx_neigh(2, "fe80::1", MAC_B);
	cr_assert_eq(send_probe(&p, &reply), 0, "%s", reply.text);
	struct pktb out = sent_b();
	cr_assert_eq(wire_get16(out.buf + 8), 0xfe80, "source of the same scope");
}

struct refused_row {
	char why[40], dst[24], says[48];
	int rc;
	uint8_t family, protocol, n_segments, flags;
	uint16_t size;
	uint32_t vrf, iface;
};

ParameterizedTestParameters(probe, refused)
{
	static struct refused_row rows[] = {
		{ "no route", "8.8.8.8", "no route", -ENETUNREACH, 0, 0, 0, 0, 56, 0, 0 },
		{ "discard route", "100.64.1.1", "discard", -ENETUNREACH, 0, 0, 0, 0, 56, 0, 0 },
		{ "unreachable route", "2001:db8:dead:2::1", "unreachable", -ENETUNREACH, 0, 0, 0,
		  0, 56, 0, 0 },
		{ "no such VRF", "203.0.113.5", "VRF 9", -ENOENT, 0, 0, 0, 0, 56, 9, 0 },
		{ "no such interface", "203.0.113.5", "interface 99", -ENOENT, 0, 0, 0, 0, 56, 0,
		  99 },
		{ "longer than the MTU", "203.0.113.5", "1528 octets", -EMSGSIZE, 0, 0, 0, 0, 1500,
		  0, 0 },
		{ "longer than a buffer", "203.0.113.5", "packet buffer", -EMSGSIZE, 0, 0, 0,
		  HD_PROBE_F_FRAGMENT, 9000, 0, 0 },
		{ "not our source", "203.0.113.5", "no address of ours", -EADDRNOTAVAIL, 0, 0, 0,
		  HD_PROBE_F_SOURCE, 56, 0, 0 },
		{ "family", "203.0.113.5", "not a probe", -EINVAL, 5, 0, 0, 0, 56, 0, 0 },
		{ "protocol", "203.0.113.5", "not a probe", -EINVAL, 0, 2, 0, 0, 56, 0, 0 },
		{ "UDP without a port", "203.0.113.5", "not a probe", -EINVAL, 0, 1, 0, 0, 56, 0,
		  0 },
		{ "segments of IPv4", "203.0.113.5", "not a probe", -EINVAL, 0, 0, 1, 0, 56, 0, 0 },
		{ "too many segments", "2001:db8:c::5", "not a probe", -EINVAL, 0, 0, 17, 0, 56, 0,
		  0 },
	};
	return cr_make_param_array(struct refused_row, rows, sizeof(rows) / sizeof(rows[0]));
}

ParameterizedTest(struct refused_row *r, probe, refused)
{
	struct hd_api_probe p = probe_to(r->dst);
	struct hd_api_reply reply;

	p.family = r->family != 0 ? r->family : p.family;
	p.protocol = r->protocol;
	p.n_segments = r->n_segments;
	p.flags = r->flags;
	p.size = r->size;
	p.vrf_id = r->vrf;
	p.iface_id = r->iface;
	cr_assert_eq(send_probe(&p, &reply), r->rc, "%s: %s", r->why, reply.text);
	cr_assert_not_null(strstr(reply.text, r->says), "%s: '%s'", r->why, reply.text);
	drain(B);
}

Test(probe, others_answers_are_left_to_others)
{
	struct hd_api_probe p = probe_to("203.0.113.5");
	struct hd_api_reply reply;

	cr_assert_eq(send_probe(&p, &reply), 0);
	struct pktb out = sent_b();
	wire_put16(out.buf + 24, (uint16_t)(ip_probe_ident ^ 1));
	uint64_t before = punted();
	answer(&out, 4, 0);
	answer(&out, 4, ICMP4_TIME_EXCEEDED);
	cr_assert_eq(punted(), before);
	cr_assert_eq(hx_verdict("ip-local", "consumed"), 2);
}

/* Every prefix of an error that quotes a probe, in memory of exactly that size: either no answer, or the right one. */
Test(probe_match, truncated)
{
	struct {
		uint8_t family;
		size_t len, need;
		uint8_t octets[160];
	} rows[3] = { { .family = 4 }, { .family = 6 }, { .family = 6 } };

	for (unsigned i = 0; i < 3; i++) {
		uint8_t *p = rows[i].octets, *q = p + 8;
		p[0] = i == 0 ? ICMP4_TIME_EXCEEDED : ICMP6_TIME_EXCEEDED;
		if (i == 0) {
			struct ip4_fields f = {
				.ttl = 1, .proto = IP_NH_UDP, .id = 4711, .payload_len = 16
			};
			ip4_build(q, 20, &f);
			wire_put16(q + 20, 0xc123);
			rows[i].need = 8 + 28;
			rows[i].len = 8 + 36;
		} else { /* i 2: inside a tunnel */
			struct ip6_fields f = { .hop_limit = 1,
						.next_header = i == 2 ? IP_NH_IP6 : IP_NH_ICMP6,
						.payload_len = i == 2 ? 56 : 16 };
			ip6_build(q, 40, &f);
			q += 40;
			if (i == 2) {
				f.next_header = IP_NH_ICMP6;
				f.payload_len = 16;
				ip6_build(q, 40, &f);
				q += 40;
			}
			q[0] = ICMP6_ECHO_REQUEST;
			wire_put16(q + 4, 0xc123);
			wire_put16(q + 6, 4711);
			rows[i].need = (size_t)(q - p) + 8;
			rows[i].len = (size_t)(q - p) + 16;
		}
		for (size_t n = 0; n <= rows[i].len; n++) {
			struct probe_match m = { .seq = 1 };
			uint8_t *copy = malloc(n != 0 ? n : 1);
			memcpy(copy, p, n);
			bool is = probe_match(copy, n, rows[i].family, 0xc123, &m);
			cr_assert_eq(is, n >= rows[i].need, "row %u, %zu octets", i, n);
			cr_assert_eq(m.seq, is ? 4711 : 1);
			cr_assert_not(probe_match(copy, n, rows[i].family, 0xc124, &m));
			free(copy);
		}
	}
}

Test(probe_match, mtu_of_the_path)
{
	uint8_t p[64] = { ICMP4_UNREACH, ICMP4_UNREACH_FRAG, 0, 0, 0, 0, 5, 0xdc };
	struct ip4_fields f = { .ttl = 1, .proto = IP_NH_UDP, .id = 9, .payload_len = 8 };
	struct probe_match m;

	ip4_build(p + 8, 20, &f);
	wire_put16(p + 28, 0xc123);
	cr_assert(probe_match(p, 36, 4, 0xc123, &m));
	cr_assert_eq(m.mtu, 1500);
	cr_assert_eq(m.seq, 9);
}
