/* SPDX-License-Identifier: BSD-3-Clause */
/* The headend: what is read of a packet or frame before it is steered and encapsulated, and the header pushed in front.
 * Input: an octet (bit 0: a frame; bits 1 and 2: encapsulation and treatment; bits 4 to 7: segments), then the
 * packet. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include <heddle/wire/ip6.h>

#include "pipelines/srv6/classifier.h"
#include "pipelines/srv6/encaps.h"

static void keys(const uint8_t *ip, uint32_t size)
{
	static const uint8_t none[4];
	struct srv6_class_key k6;
	struct srv6_class_key4 k4;

	fuzz_assert(srv6_class_key_make(ip, size, &k6) == (size >= 40));
	fuzz_assert(srv6_class_key4_make(ip, size, &k4) == (size >= 20));
	if ((wire_get32(k6.bits) & SRV6_CLASS_PORTS) == 0)
		fuzz_assert(memcmp(k6.sport, none, 4) == 0);
	if ((wire_get32(k4.bits) & SRV6_CLASS_PORTS) == 0)
		fuzz_assert(memcmp(k4.sport, none, 4) == 0);
	fuzz_assert((wire_get32(k6.bits) & ~0x13fu) == 0 && (wire_get32(k4.bits) & ~0x13fu) == 0);
}

/* The outer header leads to the inner packet, whatever that is. */
static void push(const uint8_t *inner, const struct srv6_inner *in, uint8_t how)
{
	struct ip6_addr seg[16];
	struct srv6_outer_fields f = {
		.encap = (enum hd_srv6_encap)(1 + (how & 1) * 2 + (how >> 1 & 1)),
		.seg = seg,
		.n_seg = 1 + (how >> 4),
		.hop_limit = 64,
		.dscp_copy = true,
		.hop_mode = (how >> 2 & 1) != 0 ? HD_SRV6_HOP_INNER : HD_SRV6_HOP_FIXED,
		.label_mode = (how >> 2 & 1) != 0 ? HD_SRV6_LABEL_INNER : HD_SRV6_LABEL_FLOW,
	};
	struct srv6_outer o;
	struct ip6_view view;
	struct ip6_chain ch;
	struct wire_cur c;
	uint8_t *b;

	memset(seg, 0x20, sizeof(seg));
	fuzz_assert(srv6_outer_build(&o, &f) == 0);
	if (o.len - 40u + in->len > UINT16_MAX)
		return;
	b = malloc(o.len + in->len);
	memcpy(b + o.len, inner, in->len);
	srv6_outer_push(&o, b, in, 0x12345);
	c = wire_cur_init(b, o.len + in->len);
	fuzz_assert(ip6_parse(&c, &view) == 0);
	fuzz_assert(view.payload_len == o.len - 40u + in->len);
	fuzz_assert(ip6_chain_parse(&view, &c, &ch) == 0 || in->proto == IP_NH_ETHERNET);
	fuzz_assert(b[o.proto_off] == in->proto);
	fuzz_assert(memcmp(b + o.len, inner, in->len) == 0);
	free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct srv6_inner in;
	unsigned l3_off = 0;
	uint8_t *packet;

	if (size < 1)
		return 0;
	size--;
	packet = malloc(size != 0 ? size : 1); /* exactly the packet */
	memcpy(packet, data + 1, size);
	keys(packet, (uint32_t)size);
	if ((data[0] & 1) != 0) {
		if (srv6_frame_parse(packet, (uint32_t)size, (uint32_t)size, &in, &l3_off) == 0) {
			fuzz_assert(size >= 14 && in.len == size && l3_off <= size);
			push(packet, &in, data[0]);
		}
	} else if (srv6_inner_parse(packet, (uint32_t)size, (uint32_t)size, &in) == 0) {
		fuzz_assert(in.len <= size && in.len >= 20);
		push(packet, &in, data[0]);
	}
	free(packet);
	return 0;
}
