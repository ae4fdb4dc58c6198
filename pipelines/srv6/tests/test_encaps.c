/* SPDX-License-Identifier: BSD-3-Clause
 * The headend as pure functions: golden bytes for every encapsulation, inner type, segment count and size; flow labels;
 * buckets; the MTU that is told. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "pipelines/srv6/encaps.h"
#include "pipelines/srv6/tests/names.h"

static const char *const segs[] = {
	"2001:db8:c::51", "2001:db8:c::52", "2001:db8:c::53", "2001:db8:c::54",
	"2001:db8:c::55", "2001:db8:c::56", "2001:db8:c::57", "2001:db8:c::58",
	"2001:db8:c::59", "2001:db8:c::5a", "2001:db8:c::5b", "2001:db8:c::5c",
	"2001:db8:c::5d", "2001:db8:c::5e", "2001:db8:c::5f", "2001:db8:c::60",
};

static void outer_make(struct srv6_outer *o, enum hd_srv6_encap encap, unsigned n)
{
	struct ip6_addr seg[HD_SRV6_SEGS_MAX];
	struct srv6_outer_fields f = {
		.encap = encap,
		.src = pktb_addr6("2001:db8:a::1"),
		.seg = seg,
		.n_seg = n,
		.hop_limit = 64,
		.dscp_copy = true,
		.seglist_id = 5,
	};

	for (unsigned i = 0; i < n; i++)
		seg[i] = pktb_addr6(segs[i]);
	cr_assert_eq(srv6_outer_build(o, &f), 0);
	cr_assert_eq(o->seglist_id, 5);
}

/* What the packet must be, laid by the packet builder of the tests, which shares nothing with encaps.c but the
 * definition of the formats. */
static void want_make(struct pktb *b, enum hd_srv6_encap encap, unsigned n, const char *inner,
		      size_t size)
{
	bool red = encap == HD_SRV6_H_ENCAPS_RED || encap == HD_SRV6_H_ENCAPS_L2_RED;
	unsigned in_list = red ? n - 1 : n;
	char text[4096];
	size_t len = (size_t)snprintf(text, sizeof(text), "ip6 2001:db8:a::1 %s 64", segs[0]);

	if (in_list != 0) {
		len += (size_t)snprintf(text + len, sizeof(text) - len, " / srh ");
		for (unsigned i = 0; i < in_list; i++)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
						i != 0 ? "," : "", segs[n - 1 - i]);
		len += (size_t)snprintf(text + len, sizeof(text) - len, " %u", n - 1);
	}
	snprintf(text + len, sizeof(text) - len, " / %s / fill %zu", inner, size);
	pktb_parse(b, text);
}

struct golden {
	char what[32];
	enum hd_srv6_encap encap;
	char inner; /* 4, 6 or e: an Ethernet frame, t: with a tag */
};

ParameterizedTestParameters(srv6_encaps, golden)
{
	static struct golden rows[] = {
		{ "h.encaps, ipv6 inside", HD_SRV6_H_ENCAPS, '6' },
		{ "h.encaps, ipv4 inside", HD_SRV6_H_ENCAPS, '4' },
		{ "h.encaps.red, ipv6 inside", HD_SRV6_H_ENCAPS_RED, '6' },
		{ "h.encaps.red, ipv4 inside", HD_SRV6_H_ENCAPS_RED, '4' },
		{ "h.encaps.l2", HD_SRV6_H_ENCAPS_L2, 'e' },
		{ "h.encaps.l2, vlan", HD_SRV6_H_ENCAPS_L2, 't' },
		{ "h.encaps.l2.red", HD_SRV6_H_ENCAPS_L2_RED, 'e' },
		{ "h.encaps.l2.red, vlan", HD_SRV6_H_ENCAPS_L2_RED, 't' },
	};

	return cr_make_param_array(struct golden, rows, sizeof(rows) / sizeof(rows[0]));
}

/* Inner packets of every size around the powers of two, and the largest; 1 to 16 segments. */
ParameterizedTest(struct golden *g, srv6_encaps, golden)
{
	static const size_t sizes[] = { 0, 1, 7, 24, 31, 32, 33, 64, 200, 1000, 1231, 1452, 8960 };
	const bool frame = g->inner == 'e' || g->inner == 't';
	const char *before = g->inner == '6' ? "ip6 2001:db8:aa::1 2001:db8:bb::1 64 / udp" :
			     g->inner == '4' ? "ip4 10.0.1.1 10.0.2.2 64 / udp" :
			     g->inner == 'e' ? "eth 02:00:00:00:00:01 02:00:00:00:00:02" :
					       "eth 02:00:00:00:00:01 02:00:00:00:00:02 / vlan 10";
	const char *after = g->inner == '6' ? "ip6 2001:db8:aa::1 2001:db8:bb::1 63 / udp" :
			    g->inner == '4' ? "ip4 10.0.1.1 10.0.2.2 63 / udp" :
					      before;
	static uint8_t buf[SRV6_OUTER_MAX + PKTB_CAP];

	for (unsigned n = 1; n <= HD_SRV6_SEGS_MAX; n++) {
		struct srv6_outer o;

		outer_make(&o, g->encap, n);
		for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
			struct pktb inner, want;
			struct srv6_inner in;
			unsigned l3_off;
			char text[128];

			snprintf(text, sizeof(text), "%s / fill %zu", before, sizes[k]);
			pktb_parse(&inner, text);
			want_make(&want, g->encap, n, after, sizes[k]);
			/* flow label and traffic class as they must come out */
			want.buf[0] = 0x60;
			want.buf[1] = 0x0a;
			want.buf[2] = 0xbc;
			want.buf[3] = 0xde;
			memset(buf, 0x5a, sizeof(buf));
			memcpy(buf + SRV6_OUTER_MAX, inner.buf, inner.len);
			uint8_t *ip = buf + SRV6_OUTER_MAX;
			cr_assert_eq(frame ? srv6_frame_parse(ip, (uint32_t)inner.len,
							      (uint32_t)inner.len, &in, &l3_off) :
					     srv6_inner_parse(ip, (uint32_t)inner.len,
							      (uint32_t)inner.len, &in),
				     0);
			if (!frame)
				srv6_inner_decrement(ip, &in);
			srv6_outer_push(&o, ip - o.len, &in, 0xabcde);
			cr_assert_eq(o.len + inner.len, want.len,
				     "%s: %u segments, %zu octets: length %zu, not %zu", g->what, n,
				     sizes[k], o.len + inner.len, want.len);
			cr_assert_arr_eq(ip - o.len, want.buf, want.len,
					 "%s: %u segments, %zu octets\nwant %s\nhave %s", g->what,
					 n, sizes[k], pktb_dump(&want),
					 pktb_hexdump(ip - o.len, o.len + 64u));
			for (const uint8_t *p = buf; p < ip - o.len; p++)
				cr_assert_eq(*p, 0x5a,
					     "%s: %u segments: written in front of the header",
					     g->what, n);
		}
	}
}

/* The three headers of RFC 8986 5.1 and 5.2 for three segments, octet by octet from the RFC's text. */
Test(srv6_encaps, golden_by_hand)
{
	static const char *const full =
		"60000000 0068 2b 40 20010db8000a00000000000000000001 20010db8000c00000000000000000051"
		"29 06 04 02 02 00 0000 20010db8000c00000000000000000053 20010db8000c00000000000000000052"
		"20010db8000c00000000000000000051";
	static const char *const red =
		"60000000 0058 2b 40 20010db8000a00000000000000000001 20010db8000c00000000000000000051"
		"29 04 04 02 01 00 0000 20010db8000c00000000000000000053 20010db8000c00000000000000000052";
	static const char *const single =
		"60000000 0030 29 40 20010db8000a00000000000000000001 20010db8000c00000000000000000051";
	const struct {
		const char *hex;
		enum hd_srv6_encap encap;
		unsigned n;
	} rows[] = { { full, HD_SRV6_H_ENCAPS, 3 },
		     { red, HD_SRV6_H_ENCAPS_RED, 3 },
		     { single, HD_SRV6_H_ENCAPS_RED, 1 } };
	struct srv6_inner in = { .proto = IP_NH_IP6, .len = 48 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t want[SRV6_OUTER_MAX], have[SRV6_OUTER_MAX];
		size_t len = pktb_unhex(rows[i].hex, want, sizeof(want));
		struct srv6_outer o;

		outer_make(&o, rows[i].encap, rows[i].n);
		cr_assert_eq(o.len, len);
		srv6_outer_push(&o, have, &in, 0);
		cr_assert_arr_eq(have, want, len, "%s", pktb_hexdump(have, len));
	}
}

Test(srv6_encaps, refuses)
{
	struct srv6_outer o;
	struct ip6_addr seg[17] = { { { 1 } } };
	struct srv6_outer_fields f = { .encap = HD_SRV6_H_ENCAPS, .seg = seg, .n_seg = 0 };

	cr_assert_eq(srv6_outer_build(&o, &f), -EINVAL);
	f.n_seg = 17;
	cr_assert_eq(srv6_outer_build(&o, &f), -EINVAL);
	f.n_seg = 1;
	f.encap = (enum hd_srv6_encap)(HD_SRV6_H_ENCAPS_L2_RED + 1);
	cr_assert_eq(srv6_outer_build(&o, &f), -EINVAL);
	f.encap = (enum hd_srv6_encap)0;
	cr_assert_eq(srv6_outer_build(&o, &f), -EINVAL);
}

/* Frames: truncations, three tags, the priority as a class selector (RFC 2474 4.2.2.2). */
Test(srv6_encaps, frame_parse)
{
	struct srv6_inner in;
	unsigned l3_off;
	struct pktb b;

	pktb_parse(&b, "eth / vlan 0xa00a / vlan 20 / ip4 10.0.0.1 10.0.0.2 9 / udp");
	for (size_t n = 0; n < 22; n++) {
		uint8_t *exact = malloc(n);

		memcpy(exact, b.buf, n);
		cr_assert_eq(srv6_frame_parse(exact, (uint32_t)n, (uint32_t)n, &in, &l3_off),
			     -EBADMSG, "%zu", n);
		free(exact);
	}
	cr_assert_eq(srv6_frame_parse(b.buf, (uint32_t)b.len, (uint32_t)b.len, &in, &l3_off), 0);
	cr_assert_eq(in.proto, IP_NH_ETHERNET);
	cr_assert_eq(in.len, b.len);
	cr_assert_eq(in.tc, 5 << 5);
	cr_assert_eq(l3_off, 22);
	pktb_parse(&b, "eth / vlan 0xe00a / vlan 20 / vlan 30 / fill 40");
	cr_assert_eq(srv6_frame_parse(b.buf, (uint32_t)b.len, (uint32_t)b.len, &in, &l3_off), 0);
	cr_assert_eq(in.tc, 7 << 5);
	cr_assert_eq(l3_off, 0);
	pktb_parse(&b, "eth / fill 40");
	cr_assert_eq(srv6_frame_parse(b.buf, (uint32_t)b.len, (uint32_t)b.len, &in, &l3_off), 0);
	cr_assert_eq(in.tc, 0);
}

struct treat_row {
	char why[48];
	char inner[64];
	enum hd_srv6_encap encap;
	enum hd_srv6_hop hop;
	enum hd_srv6_label label;
	uint32_t want_label;
	uint8_t want_hop;
};

ParameterizedTestParameters(srv6_encaps, treatment)
{
	static struct treat_row rows[] = {
		{ "fixed, computed", "ip6 2001:db8::1 2001:db8::2 9 / udp", HD_SRV6_H_ENCAPS,
		  HD_SRV6_HOP_FIXED, HD_SRV6_LABEL_FLOW, 0xabcde, 64 },
		{ "hop limit of ipv6", "ip6 2001:db8::1 2001:db8::2 9 / udp", HD_SRV6_H_ENCAPS,
		  HD_SRV6_HOP_INNER, HD_SRV6_LABEL_FLOW, 0xabcde, 8 },
		{ "ttl of ipv4", "ip4 10.0.0.1 10.0.0.2 9 / udp", HD_SRV6_H_ENCAPS_RED,
		  HD_SRV6_HOP_INNER, HD_SRV6_LABEL_FLOW, 0xabcde, 8 },
		{ "hop limit of a frame: there is none", "eth / ip4 10.0.0.1 10.0.0.2 9 / udp",
		  HD_SRV6_H_ENCAPS_L2, HD_SRV6_HOP_INNER, HD_SRV6_LABEL_FLOW, 0xabcde, 64 },
		{ "label of ipv6", "ip6 2001:db8::1 2001:db8::2 9 / udp", HD_SRV6_H_ENCAPS_RED,
		  HD_SRV6_HOP_FIXED, HD_SRV6_LABEL_INNER, 0x12345, 64 },
		{ "label of ipv4: computed", "ip4 10.0.0.1 10.0.0.2 9 / udp", HD_SRV6_H_ENCAPS,
		  HD_SRV6_HOP_FIXED, HD_SRV6_LABEL_INNER, 0xabcde, 64 },
		{ "label fixed", "ip4 10.0.0.1 10.0.0.2 9 / udp", HD_SRV6_H_ENCAPS,
		  HD_SRV6_HOP_FIXED, HD_SRV6_LABEL_FIXED, 0x777, 64 },
		{ "label fixed, hop limit of ipv6", "ip6 2001:db8::1 2001:db8::2 9 / udp",
		  HD_SRV6_H_ENCAPS, HD_SRV6_HOP_INNER, HD_SRV6_LABEL_FIXED, 0x777, 8 },
	};

	return cr_make_param_array(struct treat_row, rows, sizeof(rows) / sizeof(rows[0]));
}

/* Uniform or pipe for the hop limit, computed, copied or fixed flow label; an unlabelled inner packet gets a computed
 * one. */
ParameterizedTest(struct treat_row *r, srv6_encaps, treatment)
{
	static uint8_t buf[SRV6_OUTER_MAX + PKTB_CAP];
	uint8_t *at = buf + SRV6_OUTER_MAX;
	struct ip6_addr seg[2] = { pktb_addr6(segs[0]), pktb_addr6(segs[1]) };
	const struct srv6_outer_fields f = { .encap = r->encap,
					     .src = pktb_addr6("2001:db8:a::1"),
					     .seg = seg,
					     .n_seg = 2,
					     .hop_limit = 64,
					     .dscp_copy = true,
					     .hop_mode = r->hop,
					     .label_mode = r->label,
					     .label = 0x777 };
	struct srv6_inner in;
	struct srv6_outer o;
	struct pktb b;
	unsigned l3_off;

	for (unsigned labelled = 0; labelled < 2; labelled++) {
		bool frame = strncmp(r->inner, "eth", 3) == 0,
		     v6 = strncmp(r->inner, "ip6", 3) == 0;
		uint32_t want = r->want_label;

		pktb_parse(&b, r->inner);
		if (v6 && labelled)
			wire_put32(b.buf, (wire_get32(b.buf) & ~0xfffffu) | 0x12345);
		memcpy(at, b.buf, b.len);
		cr_assert_eq(srv6_outer_build(&o, &f), 0);
		if (frame) {
			cr_assert_eq(srv6_frame_parse(at, (uint32_t)b.len, (uint32_t)b.len, &in,
						      &l3_off),
				     0);
		} else {
			cr_assert_eq(srv6_inner_parse(at, (uint32_t)b.len, (uint32_t)b.len, &in),
				     0);
			srv6_inner_decrement(at, &in);
		}
		srv6_outer_push(&o, at - o.len, &in, 0xabcde);
		if (r->label == HD_SRV6_LABEL_INNER && !(v6 && labelled))
			want = 0xabcde;
		cr_assert_eq(wire_get32(at - o.len) & 0xfffff, want, "%s: label %05x", r->why,
			     wire_get32(at - o.len) & 0xfffff);
		cr_assert_eq(at[IP6_OFF_HOP_LIMIT - o.len], r->want_hop, "%s: hop limit %u", r->why,
			     at[IP6_OFF_HOP_LIMIT - o.len]);
	}
}

/* DSCP copied or fixed; ECN always that of the inner packet (RFC 6040 4.1). */
Test(srv6_encaps, traffic_class)
{
	struct srv6_outer o;
	struct srv6_inner in = { .proto = IP_NH_IP6, .len = 40, .tc = 0xb9 };
	uint8_t b[SRV6_OUTER_MAX];

	outer_make(&o, HD_SRV6_H_ENCAPS, 2);
	srv6_outer_push(&o, b, &in, 1);
	cr_assert_eq(wire_get32(b), 0x6b900001u);
	o.dscp_copy = 0;
	o.dscp = 0x28;
	srv6_outer_push(&o, b, &in, 0xfffff);
	cr_assert_eq(wire_get32(b), 0x629fffffu);
}

/* Every truncation of both inner types, in exact buffers, and wrong versions and lengths. */
Test(srv6_encaps, inner_parse)
{
	struct pktb b;
	struct srv6_inner in;

	for (int v6 = 0; v6 < 2; v6++) {
		pktb_parse(&b, v6 ? "ip6 2001:db8::1 2001:db8::2 9 / udp" :
				    "ip4 10.0.0.1 10.0.0.2 9 / udp");
		for (size_t n = 0; n < b.len; n++) {
			uint8_t *exact = malloc(n);

			memcpy(exact, b.buf, n);
			cr_assert_eq(srv6_inner_parse(exact, (uint32_t)n, (uint32_t)n, &in),
				     -EBADMSG, "%zu", n);
			free(exact);
		}
		cr_assert_eq(srv6_inner_parse(b.buf, (uint32_t)b.len, (uint32_t)b.len + 6, &in), 0);
		cr_assert_eq(in.len, b.len, "padding is no part of the packet");
		cr_assert_eq(in.hop, 9);
	}
	b.buf[0] = 0x44;
	cr_assert_eq(srv6_inner_parse(b.buf, (uint32_t)b.len, (uint32_t)b.len, &in), -EBADMSG);
	b.buf[0] = 0x55;
	cr_assert_eq(srv6_inner_parse(b.buf, (uint32_t)b.len, (uint32_t)b.len, &in), -EBADMSG);
}

/* RFC 6437 3: 20 bits, never 0, spread evenly also for hashes that follow each other. */
Test(srv6_encaps, flow_label)
{
	unsigned bin[64] = { 0 };

	for (uint32_t h = 0; h < 64000; h++) {
		uint32_t label = srv6_flow_label(h);

		cr_assert(label != 0 && label <= 0xfffff);
		bin[label >> 14]++;
	}
	for (int i = 0; i < 64; i++)
		cr_assert(bin[i] > 700 && bin[i] < 1300, "bin %d holds %u of 1000", i, bin[i]);
}

/* RFC 2473 7.1, 7.2 and S-098, S-100. */
Test(srv6_encaps, mtu)
{
	struct srv6_outer o;
	struct srv6_inner v6 = { .proto = IP_NH_IP6, .len = 1500, .df = true };
	struct srv6_inner v4 = { .proto = IP_NH_IP4, .len = 1500, .df = true };

	outer_make(&o, HD_SRV6_H_ENCAPS, 3);
	cr_assert_eq(srv6_inner_mtu(&o, 1500, &v6), 1404);
	cr_assert_eq(srv6_inner_mtu(&o, 1500, &v4), 1404);
	cr_assert_eq(srv6_inner_mtu(&o, 1300, &v6), 1280);
	cr_assert_eq(srv6_inner_mtu(&o, 1300, &v4), 1204);
	cr_assert(srv6_inner_mtu_tell(&v6) && srv6_inner_mtu_tell(&v4));
	v6.len = 1280;
	cr_assert_not(srv6_inner_mtu_tell(&v6));
	v4.df = false;
	cr_assert_not(srv6_inner_mtu_tell(&v4));
}

/* ---- buckets --------------------------------------------------------------------------------------------------- */

static void ids_of(const uint8_t *bucket, const uint32_t *id, uint32_t *ret)
{
	for (unsigned b = 0; b < SRV6_BUCKETS; b++)
		ret[b] = id[bucket[b]];
}

Test(srv6_encaps, bucket_shares)
{
	const uint32_t id[] = { 10, 20 }, weight[] = { 3, 1 };
	uint8_t bucket[SRV6_BUCKETS];
	unsigned n[2] = { 0 };

	srv6_buckets_fill(id, weight, 2, NULL, bucket);
	for (unsigned b = 0; b < SRV6_BUCKETS; b++)
		n[bucket[b]]++;
	cr_assert(n[0] >= 190 && n[0] <= 193, "%u", n[0]);
	cr_assert_eq(n[0] + n[1], SRV6_BUCKETS);
}

/* Every list has a bucket, however small its weight, and all 64 fit. */
Test(srv6_encaps, bucket_extremes)
{
	uint32_t id[HD_SRV6_LISTS_MAX], weight[HD_SRV6_LISTS_MAX];
	uint8_t bucket[SRV6_BUCKETS];
	unsigned n[HD_SRV6_LISTS_MAX] = { 0 };

	for (unsigned i = 0; i < HD_SRV6_LISTS_MAX; i++) {
		id[i] = i;
		weight[i] = i == 0 ? 65535 : 1;
	}
	srv6_buckets_fill(id, weight, HD_SRV6_LISTS_MAX, NULL, bucket);
	for (unsigned b = 0; b < SRV6_BUCKETS; b++)
		n[bucket[b]]++;
	for (unsigned i = 0; i < HD_SRV6_LISTS_MAX; i++)
		cr_assert_gt(n[i], 0, "list %u has no bucket", i);
	srv6_buckets_fill(id, weight, 1, NULL, bucket);
	for (unsigned b = 0; b < SRV6_BUCKETS; b++)
		cr_assert_eq(bucket[b], 0);
}

/* A list that goes moves its own flows only; one that comes back takes only its share from each. */
Test(srv6_encaps, buckets_stay)
{
	const uint32_t id[] = { 7, 8, 9, 10 }, weight[] = { 1, 1, 1, 1 };
	const uint32_t less_id[] = { 7, 9, 10 };
	uint8_t bucket[SRV6_BUCKETS];
	uint32_t before[SRV6_BUCKETS], after[SRV6_BUCKETS], again[SRV6_BUCKETS];
	unsigned moved = 0;

	srv6_buckets_fill(id, weight, 4, NULL, bucket);
	ids_of(bucket, id, before);
	srv6_buckets_fill(less_id, weight, 3, before, bucket);
	ids_of(bucket, less_id, after);
	for (unsigned b = 0; b < SRV6_BUCKETS; b++) {
		if (before[b] != 8)
			cr_assert_eq(after[b], before[b], "bucket %u moved from %u to %u", b,
				     before[b], after[b]);
		else
			cr_assert_neq(after[b], 8);
	}
	srv6_buckets_fill(id, weight, 4, after, bucket);
	ids_of(bucket, id, again);
	for (unsigned b = 0; b < SRV6_BUCKETS; b++) {
		if (again[b] == after[b])
			continue;
		cr_assert_eq(again[b], 8);
		moved++;
	}
	cr_assert_eq(moved, 64, "%u buckets moved", moved);
	/* the same lists again, in another order: nothing moves */
	srv6_buckets_fill(id, weight, 4, again, bucket);
	ids_of(bucket, id, after);
	cr_assert_arr_eq(after, again, sizeof(after));
}
