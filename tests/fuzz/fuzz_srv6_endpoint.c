/* SPDX-License-Identifier: BSD-3-Clause
 * The endpoint behaviors over any packet: input is behavior, flavors, allowed upper layers, octets of the packet that
 * lie beyond the first buffer, then the packet. */
#include "tests/fuzz/fuzz.h"

#include "pipelines/srv6/packet.h"

static const uint16_t behaviors[] = { HD_SRV6_END,     HD_SRV6_END_X,   HD_SRV6_END_T,
				      HD_SRV6_END_DX6, HD_SRV6_END_DX4, HD_SRV6_END_DT6,
				      HD_SRV6_END_DT4, HD_SRV6_END_DT46 };

static uint32_t total_len(const uint8_t *ip)
{
	return 40u + wire_get16(ip + IP6_OFF_PAYLOAD_LEN);
}

/* What an advanced packet must look like: RFC 8986 4.1 S12-S14, 4.16.1.2. */
static void advance(struct srv6_pkt *p, const uint8_t *before)
{
	uint32_t left = p->ip[p->srh_off + SRH_OFF_SEGMENTS_LEFT], cut;
	uint8_t dst[16];
	const uint8_t *ip;

	fuzz_assert(p->active && left != 0 && p->ip[IP6_OFF_HOP_LIMIT] > 1);
	fuzz_assert(p->srh_off >= 40 && (uint32_t)p->srh_off + p->srh_len <= p->head);
	fuzz_assert(p->next_dst >= p->ip + p->srh_off + 8 &&
		    p->next_dst + 16 <= p->ip + p->srh_off + p->srh_len);
	memcpy(dst, p->next_dst, 16);
	cut = srv6_commit_advance(p);
	ip = p->ip + cut;
	fuzz_assert(cut == (p->pop ? p->srh_len : 0u));
	fuzz_assert(memcmp(ip + 24, dst, 16) == 0 &&
		    ip[IP6_OFF_HOP_LIMIT] == before[IP6_OFF_HOP_LIMIT] - 1);
	fuzz_assert(total_len(ip) == p->len - cut);
	if (p->pop)
		fuzz_assert(left == 1 && memcmp(ip + 8, before + 8, 16) == 0);
	else
		fuzz_assert(ip[p->srh_off + SRH_OFF_SEGMENTS_LEFT] == left - 1);
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct srv6_sid s = { .vrf4 = 4, .vrf6 = 6 };
	struct srv6_pkt p = { 0 };
	uint8_t *pkt;
	size_t n;
	unsigned v;

	if (size < 4)
		return 0;
	s.behavior = behaviors[data[0] % (sizeof(behaviors) / sizeof(behaviors[0]))];
	s.flavors = s.behavior == HD_SRV6_END || s.behavior == HD_SRV6_END_X ||
				    s.behavior == HD_SRV6_END_T ?
			    data[1] & 7 :
			    0;
	s.upper_allow = data[2];
	s.plan = srv6_behavior_find(s.behavior);
	n = size - 4;
	p.len = (uint32_t)n;
	if (data[3] < n)
		n -= data[3];
	pkt = malloc(n);
	memcpy(pkt, data + 4, n);
	p.ip = pkt;
	p.head = (uint32_t)n;
	v = s.plan(&s, &p);
	fuzz_assert(v < SRV6_EP_N_VERDICTS);
	fuzz_assert(n == 0 || memcmp(pkt, data + 4, n) == 0);
	fuzz_assert(p.head <= n && p.len <= size - 4);
	if (v == SRV6_EP_FORWARD || (v == SRV6_EP_CROSS_CONNECT && p.next_dst != NULL))
		advance(&p, data + 4);
	else if (v == SRV6_EP_DECAP4 || v == SRV6_EP_DECAP6 || v == SRV6_EP_CROSS_CONNECT)
		decap(&p, data + 4);
	else if (p.icmp_type == ICMP6_PARAM_PROBLEM)
		fuzz_assert(p.icmp_data >= 40 ? p.icmp_data <= p.len :
						p.icmp_data == IP6_OFF_NEXT_HEADER);
	free(pkt);
	return 0;
}
