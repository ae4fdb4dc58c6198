/* SPDX-License-Identifier: BSD-3-Clause
 * The endpoint behaviors over any packet: input is behavior, flavors, allowed upper layers, octets of the packet that
 * lie beyond the first buffer, lengths of block, node and function for compressed SIDs, then the packet. */
#include "tests/fuzz/fuzz.h"

#include <heddle/api/srv6.h>

#include "pipelines/srv6/csid.h"
#include "pipelines/srv6/hmac.h"
#include "pipelines/srv6/packet.h"

static const uint16_t behaviors[] = { HD_SRV6_END,           HD_SRV6_END_X,
				      HD_SRV6_END_T,         HD_SRV6_END_DX6,
				      HD_SRV6_END_DX4,       HD_SRV6_END_DT6,
				      HD_SRV6_END_DT4,       HD_SRV6_END_DT46,
				      HD_SRV6_END_B6_ENCAPS, HD_SRV6_END_B6_ENCAPS_RED,
				      HD_SRV6_END_DX2,       HD_SRV6_END_DX2V,
				      HD_SRV6_END_DT2U,      HD_SRV6_END_DT2M,
				      HD_SRV6_END_AS,        HD_SRV6_END_AD,
				      HD_SRV6_END_AM };
#define HEAD 7u

/* What a shifted destination must look like: RFC 9800 section 4.1.1; nothing else has changed. */
static void shift(struct srv6_pkt *p, const struct srv6_sid *s, const uint8_t *before)
{
	uint8_t want[16] = { 0 };
	unsigned block = 128 - s->csid.lnfl - s->csid.shift;

	for (unsigned bit = 0; bit < 128u - s->csid.lnfl; bit++) {
		unsigned from = bit < block ? bit : bit + s->csid.lnfl;

		want[bit / 8] |=
			(uint8_t)((before[24 + from / 8] >> (7 - from % 8) & 1) << (7 - bit % 8));
	}
	fuzz_assert(srv6_commit_advance(p) == 0);
	fuzz_assert(memcmp(p->ip + 24, want, 16) == 0);
	fuzz_assert(memcmp(p->ip, before, 7) == 0 && p->ip[7] == before[7] - 1);
	fuzz_assert(memcmp(p->ip + 8, before + 8, 16) == 0 &&
		    memcmp(p->ip + 40, before + 40, p->head - 40) == 0);
}

/* One key, id 42, so that a seed with a good digest passes. */
static void keys_once(void)
{
	if (srv6_hmac_keys != NULL)
		return;
	srv6_hmac_keys = calloc(1, sizeof(*srv6_hmac_keys) + sizeof(struct srv6_hmac_key));
	srv6_hmac_keys->n = 1;
	srv6_hmac_keys->key[0].key_id = 42;
	hmac_key_init(&srv6_hmac_keys->key[0].key, "srv6-test-key-00", 16);
}

static uint32_t total_len(const uint8_t *ip)
{
	return 40u + wire_get16(ip + IP6_OFF_PAYLOAD_LEN);
}

/* What an advanced packet must look like: RFC 8986 4.1 S12-S14, 4.16.1.2. */
static void advance(struct srv6_pkt *p, const struct srv6_sid *s, const uint8_t *before)
{
	uint32_t left = p->left, cut;
	uint8_t dst[16];
	const uint8_t *ip;

	fuzz_assert(p->ip[IP6_OFF_HOP_LIMIT] > 1);
	fuzz_assert(p->srh_off >= 40 && (uint32_t)p->srh_off + p->srh_len <= p->head);
	if (s->behavior == HD_SRV6_END_AM && p->next_dst == p->ip + p->srh_off + 8) {
		fuzz_assert(left == before[p->srh_off + SRH_OFF_SEGMENTS_LEFT] || left == 0);
	} else {
		if (p->next_dst != p->dst)
			fuzz_assert(p->next_dst == p->ip + p->srh_off + 8 + 16 * left);
		fuzz_assert(8 + 16 * (left + 1) <= p->srh_len);
	}
	memcpy(dst, p->next_dst, 16);
	cut = srv6_commit_advance(p);
	ip = p->ip + cut;
	fuzz_assert(cut == (p->pop ? p->srh_len : 0u));
	fuzz_assert(memcmp(ip + 24, dst, 16) == 0 &&
		    ip[IP6_OFF_HOP_LIMIT] == before[IP6_OFF_HOP_LIMIT] - 1);
	fuzz_assert(total_len(ip) == p->len - cut);
	if (p->pop)
		fuzz_assert(left == 0 && memcmp(ip + 8, before + 8, 16) == 0);
	else
		fuzz_assert(ip[p->srh_off + SRH_OFF_SEGMENTS_LEFT] == left);
	/* what follows the SRH never moves */
	fuzz_assert(memcmp(p->ip + p->srh_off + p->srh_len, before + p->srh_off + p->srh_len,
			   p->head - p->srh_off - p->srh_len) == 0);
}

static void decap(struct srv6_pkt *p, const uint8_t *before)
{
	bool v6 = p->upper == IP_NH_IP6;
	uint32_t cut = srv6_commit_decap(p), hdr = v6 ? 40 : 20;
	const uint8_t *in = p->ip + cut;

	fuzz_assert(cut >= 40 && cut + hdr <= p->head && in[0] >> 4 == (v6 ? 6 : 4));
	fuzz_assert(memcmp(in + hdr, before + cut + hdr, p->head - cut - hdr) == 0);
}

/* A frame, or what a service gets: its first header is there. */
static void frame(struct srv6_pkt *p, const uint8_t *before)
{
	uint32_t cut, need = p->upper == IP_NH_ETHERNET ? 14 : p->upper == IP_NH_IP6 ? 40 : 20;

	fuzz_assert(p->upper_off >= 40 && p->upper_off + need <= p->head);
	cut = srv6_commit_decap(p);
	fuzz_assert(cut == p->upper_off);
	if (p->upper == IP_NH_ETHERNET)
		fuzz_assert(memcmp(p->ip, before, p->head) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct srv6_sid s = { .vrf4 = 4, .vrf6 = 6 };
	struct srv6_pkt p = { 0 };
	uint8_t *pkt;
	size_t n;
	unsigned v;

	struct srv6_sid_structure t;

	if (size < HEAD)
		return 0;
	s.behavior = behaviors[data[0] % (sizeof(behaviors) / sizeof(behaviors[0]))];
	s.flavors = s.behavior == HD_SRV6_END || s.behavior == HD_SRV6_END_X ||
				    s.behavior == HD_SRV6_END_T ?
			    data[1] & 0x1f :
			    data[1] & 0x18;
	t = (struct srv6_sid_structure){ .block = data[4], .node = data[5], .function = data[6] };
	s.upper_allow = data[2];
	s.base = srv6_behavior_find(s.behavior);
	if (hd_srv6_codepoint(s.behavior, s.flavors) == 0 ||
	    srv6_csid_check(s.behavior, s.flavors, t.block + t.node + t.function, &t) != NULL)
		return 0;
	srv6_csid_init(&s, &t);
	s.then = s.plan;
	s.inner = data[2] >> 4 & 3;
	s.hmac = data[2] >> 6;
	if (s.hmac == 3)
		return 0;
	if (s.hmac != HD_SRV6_HMAC_IGNORE) {
		s.plan = srv6_hmac_plan;
		keys_once();
	}
	n = size - HEAD;
	p.len = (uint32_t)n;
	if (data[3] < n)
		n -= data[3];
	pkt = malloc(n);
	memcpy(pkt, data + HEAD, n);
	p.ip = pkt;
	p.head = (uint32_t)n;
	v = s.plan(&s, &p);
	fuzz_assert(v < SRV6_EP_N_VERDICTS);
	fuzz_assert(n == 0 || memcmp(pkt, data + HEAD, n) == 0);
	fuzz_assert(p.head <= n && p.len <= size - HEAD);
	if (v == SRV6_EP_FORWARD || (v == SRV6_EP_CROSS_CONNECT && p.next_dst != NULL))
		p.srh_off == 0 ? shift(&p, &s, data + HEAD) : advance(&p, &s, data + HEAD);
	else if (v == SRV6_EP_DECAP4 || v == SRV6_EP_DECAP6 || v == SRV6_EP_CROSS_CONNECT)
		decap(&p, data + HEAD);
	else if (v == SRV6_EP_L2_PORT || v == SRV6_EP_L2_BRIDGE || v == SRV6_EP_PROXY)
		frame(&p, data + HEAD);
	else if (p.icmp_type == ICMP6_PARAM_PROBLEM)
		fuzz_assert(p.icmp_data >= 40 ?
				    p.icmp_data <= p.len :
				    p.icmp_data == IP6_OFF_NEXT_HEADER || p.icmp_data == 39);
	free(pkt);
	return 0;
}
