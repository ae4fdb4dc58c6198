/* SPDX-License-Identifier: BSD-3-Clause */
/* Segment Routing Header: structure, list, TLVs, HMAC; a list that is ok can be built again. */
#include "tests/fuzz/fuzz.h"

#include <heddle/wire/srh.h>

static void tlvs(const struct srh_view *v)
{
	const struct srh_tlv_limits lim = { .pad1_run = 1, .padn_len = 5, .n_tlv = 8 };
	const uint8_t *p = (const uint8_t *)v->hdr;
	unsigned pos = srh_tlv_off(v), before;
	struct srh_hmac_view m = { 0 };
	uint8_t text[SRH_HMAC_TEXT_MAX];
	struct ip6_addr dst = { { 0 } };
	struct srh_tlv t;
	int rc;

	fuzz_assert(pos <= v->len);
	do {
		before = pos;
		rc = srh_tlv_next(v, &pos, &t);
		if (rc != 1)
			break;
		fuzz_assert(pos > before && pos <= v->len && t.off == before && p[t.off] == t.type);
		fuzz_assert(t.data + t.len <= p + v->len);
		fuzz_touch(t.data, t.len);
	} while (1);
	fuzz_assert(rc == srh_tlv_check(v, NULL));
	(void)srh_tlv_check(v, &lim);
	rc = srh_hmac_find(v, &m);
	if (rc == 1) {
		fuzz_assert(m.hmac_len % 8 == 0 && m.hmac_len >= 8 && m.hmac_len <= SRH_HMAC_MAX);
		fuzz_touch(m.hmac, m.hmac_len);
		fuzz_assert(srh_hmac_text(v, m.tlv, &dst, text) == 24 + 16 * srh_n_segments(v));
		(void)srh_hmac_dst_ok(v, &m, &dst);
	} else if (rc < 0) {
		fuzz_assert(m.off >= srh_tlv_off(v) && m.off < v->len);
	}
}

/* A full list with all segments to visit is exactly what srh_build() writes. */
static void rebuild(const struct srh_view *v)
{
	struct ip6_addr seg[SRH_MAX_SEGMENTS];
	unsigned n = srh_n_segments(v), off = srh_tlv_off(v), i;
	struct srh_fields f = {
		.form = SRH_FULL,
		.next_header = v->hdr->next_header,
		.flags = v->hdr->flags,
		.tag = be16_get(v->hdr->tag),
		.seg = seg,
		.n_seg = n,
		.tlv = (const uint8_t *)v->hdr + off,
		.tlv_len = v->len - off,
	};
	uint8_t *buf = malloc(v->len);

	for (i = 0; i < n; i++)
		seg[i] = v->list[n - 1 - i];
	fuzz_assert(srh_build(buf, v->len, &f) == v->len);
	buf[SRH_OFF_SEGMENTS_LEFT] = v->hdr->segments_left;
	fuzz_assert(memcmp(buf, v->hdr, v->len) == 0);
	free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_cur c = wire_cur_init(data, size);
	struct srh_view v;

	if (srh_parse(&c, &v) < 0) {
		fuzz_assert(c.p == data && wire_left(&c) == size);
		return 0;
	}
	fuzz_assert(c.p == data + v.len && v.len <= size && v.max_last_entry >= -1);
	fuzz_touch(data, v.len);
	if (srh_list_ok(&v)) {
		unsigned n = srh_n_segments(&v);

		fuzz_assert(n >= 1 && v.hdr->segments_left <= n);
		fuzz_touch(v.list, 16 * n);
		fuzz_assert((const uint8_t *)(v.list + n) <= data + v.len);
		rebuild(&v);
	}
	tlvs(&v);
	return 0;
}
